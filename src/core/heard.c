/* What other nodes do with the same database, as they tell it. None of it is taken as it is told, but that a run is over: it is read. */
#include "core/internal.h"

#define COUNT_USEC (5 * USEC_PER_SEC)

static void count_later(Manager *m)
{
    if (!clock_timer_armed(m->count_timer))
        clock_timer_arm(m->count_timer, clock_boot(m->clock) + COUNT_USEC);
}

/* What came to wait here meanwhile, or does not any more, was counted or was not: nobody can tell. */
static void on_counted(int r, uint64_t number, const Error *error, void *userdata)
{
    Manager *m = userdata;

    if (r < 0)
        return;
    if (store_pending(m->store) > 0 || m->n_waiting != m->n_counted) {
        count_later(m);
        return;
    }
    m->n_waiting = number;
    manager_update(m);
}

void manager_count_waiting(void *userdata)
{
    Manager *m = userdata;

    if (!m->store_up)
        return;
    m->n_counted = m->n_waiting;
    if (store_pending(m->store) > 0)
        count_later(m);
    else
        (void)store_count_waiting(m->store, on_counted, m);
}

/* It was in our hands when somebody else wanted it ended. */
static void on_caused(int r, const StoreRun *run, const GPtrArray *attempts, void *userdata)
{
    Manager *m = userdata;

    if (r >= 0 && run->cause == RUN_CANCELLED && g_strcmp0(run->node, m->config.node) == 0)
        engine_cancelled(m->engine, run->id, run->cause_at);
}

static void heard_run(Manager *m, const StoreHeard *h)
{
    if (h->state == RUN_DONE)
        manager_run_changed(m, h->run, h->state, h->result);
    else if (engine_has(m->engine, h->run))
        (void)store_get_run(m->store, h->run, on_caused, m);
}

void manager_heard(const StoreHeard *h, void *userdata)
{
    Manager *m = userdata;

    if (h->kind != STORE_HEARD_TASK)
        count_later(m);
    switch (h->kind) {
    case STORE_HEARD_TASK:
        manager_reread_task(m, h->task);
        return;
    case STORE_HEARD_RUN:
        heard_run(m, h);
        return;
    case STORE_HEARD_DUE:
        dispatcher_due(m->dispatcher, h->due);
        return;
    case STORE_HEARD_BOOT:
        scheduler_boot(m->scheduler);
        return;
    }
}
