/* One story: a few runs, their daemon and its world, faults for a while, and then peace, in which everything has to come
 * to its end. */
#include "sim.h"

#include "core/engine.h"

#define STEPS_MAX                                                                                            \
    200000 /* what is held since the clock was set back is looked at each second, for some hours */
#define SETTLE_USEC  (600 * USEC_PER_SEC)
#define QUIET_USEC   (3600 * USEC_PER_SEC)
#define HEALTHY_USEC (30 * USEC_PER_SEC) /* schedules fire for a while when all is well */
#define CALM_USEC    (2 * USEC_PER_SEC)
#define WAKE_UPS_MAX 2

static bool all_done(void)
{
    for (guint i = 0; i < database.rows->len; i++)
        if (((Row *)g_ptr_array_index(database.rows, i))->run.state != RUN_DONE)
            return false;
    return true;
}

static void tell_rest(void)
{
    GHashTableIter i;
    gpointer value;

    for (guint n = 0; n < database.rows->len; n++) {
        const Row *row = g_ptr_array_index(database.rows, n);

        if (row->run.state != RUN_DONE)
            sim_trace("is left", row->run.id, (uint64_t)row->run.state, row->run.due);
    }
    if (!daemon_twin.manager)
        return;
    g_hash_table_iter_init(&i, daemon_twin.manager->engine->by_unit);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        const Attempt *a = value;

        sim_trace("is remembered", a->run->id, a->run->attempt, a->view.phase);
        sim_trace("  store, exec busy, orphan", a->store_busy, a->exec_busy, a->view.orphan);
        sim_trace("  row, task, asked", (uint64_t)a->view.row, a->task != NULL, a->asked);
        sim_trace("  retry_at, changed", a->retry_at, a->view.unit_changed, a->leaving);
    }
}

/* What it still waits for; NULL: nothing. */
static const char *unsettled(void)
{
    const Manager *m = daemon_twin.manager;
    const struct {
        bool ok;
        const char *what;
    } conditions[] = {
        { m && manager_state(m) == MANAGER_RUNNING && m->exec_up && m->manager_stamp > 0,
            "the daemon does not run" },
        { people_are_content(), "somebody has no answer" },
        { all_done(), "a run is not done" },
        { systemd_n_units(false) == 0, "a unit is left" },
        { store_twin_idle() && exec_twin_idle(), "something is under way" },
        { m && !clock_timer_armed(m->count_timer), "what waits is to be counted anew" },
        { m && g_hash_table_size(m->engine->by_unit) <= systemd_n_units(true), "an attempt is remembered" },
    };

    ARRAY_FOREACH (c, conditions)
        if (!c->ok)
            return c->what;
    return NULL;
}

static bool go_on(uint64_t limit)
{
    if (!sim_step(limit))
        return false;
    check_every_event();
    if (sim.steps > STEPS_MAX)
        sim_fail("it goes on without end");
    return !sim.broken;
}

static void live_with_faults(void)
{
    uint64_t end = sim_now() + sim_between(15, 40) * USEC_PER_SEC;

    faults_begin();
    while (sim_now() < end && go_on(end))
        faults_maybe();
    faults_end();
}

/* The last instant that something is due at, however the clock was set. */
static uint64_t last_due(void)
{
    uint64_t latest = 0;

    for (guint i = 0; i < database.rows->len; i++) {
        const Row *row = g_ptr_array_index(database.rows, i);

        if (row->run.due != UNSET && row->run.due > database_now())
            latest = MAX(latest, row->run.due - database_now());
        if (row->run.deadline != UNSET && row->run.deadline > database_now())
            latest = MAX(latest, row->run.deadline - database_now());
    }
    return latest > 0 ? sim_now() + latest : 0;
}

static void settle(void)
{
    uint64_t until = sim_now() + SETTLE_USEC, next = sim_now() + HEALTHY_USEC;

    daemon_twin.calm = true;
    people_enable();
    while ((unsettled() || !people_are_calm()) && !sim.broken) {
        if (sim_now() >= next) {
            people_calm();
            next = sim_now() + CALM_USEC;
            until = MAX(until, last_due() + SETTLE_USEC / 2);
        }
        (void)go_on(next);
        if (sim_now() > until) {
            tell_rest();
            sim_fail("it hangs: %s", util_strempty(unsettled()));
        }
    }
}

/* Nothing is due: nothing is asked, and nothing wakes up but what looks after the history now and then. */
static void be_quiet(void)
{
    /* A clock may be ahead, and what waits is counted anew after what another node told of last. */
    uint64_t until = MAX(sim_now(), last_due()) + 15 * USEC_PER_SEC;
    unsigned operations, timers;

    /* A run that was cancelled while it waited, or what was due when the clock was set back: its time may come before that
     * is noticed. */
    if (sim.latest > sim_real())
        until = MAX(until, sim_now() + sim.latest - sim_real() + 5 * USEC_PER_SEC);
    while (sim_now() < until && go_on(until))
        ;
    operations = database.operations;
    timers = sim.timers;
    until = sim_now() + QUIET_USEC;
    while (sim_now() < until && go_on(until))
        ;
    if (database.operations != operations)
        sim_fail("nothing is due, and %u operations were asked for", database.operations - operations);
    if (sim.timers - timers > WAKE_UPS_MAX)
        sim_fail("nothing is due, and it woke up %u times", sim.timers - timers);
}

Story scenario_run(uint64_t seed, bool told)
{
    Story o = { 0 };

    sim.told = told;
    sim_reset(seed);
    database_reset();
    systemd_reset();
    daemon_reset();
    store_twin_forget();
    exec_twin_forget();
    if (sim_chance(15)) {
        uint64_t skew = sim_between(1, 3000) * USEC_PER_MSEC;

        sim.database_ahead = sim_chance(50) ? skew : -skew;
    }
    people_begin(1 + (unsigned)sim_draw(8));
    daemon_boot();
    live_with_faults();
    settle();
    if (!sim.broken)
        check_settled();
    if (!sim.broken)
        be_quiet();
    o = (Story){ sim.hash, database.rows->len, sim.faults, sim.steps, g_strdup(sim.why) };
    daemon_clear();
    systemd_clear();
    database_clear();
    sim_clear();
    return o;
}
