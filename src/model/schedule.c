/* Nominal times of a schedule. Everything follows from its definition and an instant given. */
#include "model/schedule.h"

#define SCHEDULE_CATCH_UP_USEC (24 * 3600 * USEC_PER_SEC)
#define SCHEDULE_LATENESS_USEC USEC_PER_SEC

void schedule_free(Schedule *s)
{
    if (!s)
        return;
    g_free(s->name);
    g_clear_pointer(&s->at, g_array_unref);
    g_clear_pointer(&s->inputs, g_hash_table_unref);
    g_free(s);
}

/* The index of the first instant after `after`, the length if there is none. */
static guint schedule_find_at(const Schedule *s, uint64_t after)
{
    guint low = 0, high = s->at ? s->at->len : 0;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (g_array_index(s->at, uint64_t, middle) <= after)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t schedule_next_every(const Schedule *s, uint64_t after)
{
    uint64_t step;

    if (s->every_usec == 0)
        return USEC_INFINITY;
    if (after < s->from_usec)
        return s->from_usec;
    if (__builtin_mul_overflow((after - s->from_usec) / s->every_usec + 1, s->every_usec, &step) ||
        __builtin_add_overflow(s->from_usec, step, &step))
        return USEC_INFINITY;
    return step;
}

uint64_t schedule_next(const Schedule *s, uint64_t after)
{
    uint64_t next;
    guint i;

    if (after == USEC_INFINITY)
        return USEC_INFINITY;
    next = schedule_next_every(s, after);
    i = schedule_find_at(s, after);
    if (s->at && i < s->at->len)
        next = MIN(next, g_array_index(s->at, uint64_t, i));
    return next;
}

bool schedule_catches_up(const Schedule *s, uint64_t nominal, uint64_t now)
{
    uint64_t lateness = now > nominal ? now - nominal : 0;
    guint i;

    if (lateness < SCHEDULE_LATENESS_USEC)
        return true;
    i = schedule_find_at(s, nominal);
    if (i == 0 || g_array_index(s->at, uint64_t, i - 1) != nominal)
        return false; /* a slot of Every=: the next one is as good */
    return lateness <= SCHEDULE_CATCH_UP_USEC;
}
