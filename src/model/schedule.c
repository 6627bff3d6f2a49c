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
    g_clear_pointer(&s->calendars, g_ptr_array_unref);
    g_clear_pointer(&s->inputs, g_hash_table_unref);
    g_free(s);
}

void schedule_calendar_free(ScheduleCalendar *c)
{
    calendar_clear(&c->calendar);
    g_free(c);
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

static uint64_t schedule_next_at(const Schedule *s, uint64_t after)
{
    guint i = schedule_find_at(s, after);

    return s->at && i < s->at->len ? g_array_index(s->at, uint64_t, i) : USEC_INFINITY;
}

static uint64_t schedule_next_calendar(const Schedule *s, uint64_t after)
{
    uint64_t next = USEC_INFINITY;

    for (guint i = 0; s->calendars && i < s->calendars->len; i++) {
        const ScheduleCalendar *c = g_ptr_array_index(s->calendars, i);
        const Zone *zone = c->zone ? c->zone : s->zone;

        next = MIN(next, calendar_next(&c->calendar, zone ? zone : zone_local(), s->gap, s->fold, after));
    }
    return next;
}

uint64_t schedule_next(const Schedule *s, uint64_t after)
{
    uint64_t next;

    if (after == USEC_INFINITY)
        return USEC_INFINITY;
    next = schedule_next_every(s, after);
    next = MIN(next, schedule_next_at(s, after));
    return MIN(next, schedule_next_calendar(s, after));
}

/* --- slots that passed --- */

typedef uint64_t (*ScheduleNext)(const Schedule *s, uint64_t after);

/* The newest slot that is not before first (which is one) and not after last. */
static uint64_t schedule_newest(const Schedule *s, ScheduleNext next, uint64_t first, uint64_t last)
{
    uint64_t low = first, high = last;

    /* low is a slot, and none is after high */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2, found = next(s, middle);

        if (found <= high)
            low = found;
        else
            high = middle;
    }
    return low;
}

/* Slots after this (exclusive) may still be fired. */
static uint64_t schedule_catch_up_from(uint64_t now)
{
    return now > SCHEDULE_CATCH_UP_USEC ? now - SCHEDULE_CATCH_UP_USEC - 1 : 0;
}

/* The slot of a calendar that is still to be fired: the newest that passed within the time for it. USEC_INFINITY: none. */
static uint64_t schedule_caught_calendar(const Schedule *s, uint64_t now)
{
    uint64_t first = schedule_next_calendar(s, schedule_catch_up_from(now));

    return first <= now ? schedule_newest(s, schedule_next_calendar, first, now) : USEC_INFINITY;
}

bool schedule_catches_up(const Schedule *s, uint64_t nominal, uint64_t now)
{
    uint64_t lateness = now > nominal ? now - nominal : 0;
    guint i;

    if (lateness < SCHEDULE_LATENESS_USEC)
        return true;
    if (lateness > SCHEDULE_CATCH_UP_USEC)
        return false;
    i = schedule_find_at(s, nominal);
    if (i > 0 && g_array_index(s->at, uint64_t, i - 1) == nominal)
        return true;
    return nominal == schedule_caught_calendar(s, now); /* a slot of Every=: the next one is as good */
}

uint64_t schedule_last_missed(const Schedule *s, uint64_t nominal, uint64_t now, const char **ret_reason)
{
    /* The first one after it that is fired. */
    uint64_t fired = schedule_next(s, now - SCHEDULE_LATENESS_USEC), missed;
    uint64_t at = schedule_next_at(s, MAX(nominal, schedule_catch_up_from(now)));
    uint64_t caught = schedule_caught_calendar(s, now);

    fired = MIN(fired, at);
    if (caught > nominal)
        fired = MIN(fired, caught);
    missed = schedule_newest(s, schedule_next, nominal, fired - 1);
    if (now - missed > SCHEDULE_CATCH_UP_USEC && s->every_usec == 0)
        *ret_reason = "it was missed by more than a day";
    else if (schedule_next_calendar(s, missed - 1) == missed)
        *ret_reason = "the host or taskschedd was down, and of a calendar only the last slot is caught up";
    else
        *ret_reason = "the host or taskschedd was down, and intervals are not caught up";
    return missed;
}
