/* StopOutside=: what a schedule fired ends with the window that it was fired in, and does not begin after it. */
#include "core/engine.h"

#include "model/schedule.h"

/* The schedule that has a say in when it ends; NULL: none has. What somebody backfilled is run outside of windows too. */
static const Schedule *attempt_schedule(const Attempt *a)
{
    const StoreRun *run = a->run;

    if (!a->task || a->view.orphan || !*util_strempty(run->schedule) || run_is_backfilled(run))
        return NULL;
    for (guint i = 0; i < a->task->schedules->len; i++) {
        const Schedule *s = g_ptr_array_index(a->task->schedules, i);

        if (s->stop_outside && g_str_equal(s->name, run->schedule))
            return s;
    }
    return NULL;
}

/* One that was caught up has the window that it was fired in, not that of its nominal time. */
static uint64_t attempt_window_end(const Attempt *a, uint64_t now)
{
    const Schedule *s = attempt_schedule(a);

    return s ? schedule_window_end(s, MAX(a->run->nominal, a->run->asked), now) : UNSET;
}

bool attempt_closes_within(const Attempt *a, uint64_t usec)
{
    uint64_t then = clock_real(a->engine->manager->clock) + usec, end = attempt_window_end(a, then);

    return end != UNSET && end <= then;
}

static void on_closing(void *userdata)
{
    attempt_act(userdata);
}

static void attempt_arm_closing(Attempt *a, uint64_t at)
{
    if (a->closing || clock_timer_new(a->engine->manager->clock, CLOCK_REAL, on_closing, a, &a->closing) >= 0)
        clock_timer_arm(a->closing, at);
}

/* What has begun to be ended for that is ended, wherever the clock is set to then. */
void attempt_watch_window(Attempt *a)
{
    uint64_t now = clock_real(a->engine->manager->clock);

    if (!a->task || a->view.closed)
        return;
    if (a->closes_at <= now)
        a->closes_at = attempt_window_end(a, now);
    a->view.closed = a->closes_at <= now;
    /* It may have been due when nothing could be done, and the clock set back since. */
    if (!a->view.closed && a->closes_at != UNSET)
        attempt_arm_closing(a, a->closes_at);
}

void engine_zone_changed(Engine *e)
{
    GHashTableIter i;
    void *value;

    g_hash_table_iter_init(&i, e->by_unit);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        Attempt *a = value;

        if (attempt_schedule(a)) {
            a->closes_at = 0;
            attempt_arm_closing(a, clock_real(e->manager->clock));
        }
    }
}
