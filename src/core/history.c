/* Old history is removed once a day, and when somebody asks for it. */
#include "core/internal.h"

#include "base/log.h"

/* Not at once after a start: then there is more urgent work. */
#define FIRST_USEC (15 * 60 * USEC_PER_SEC)
#define EVERY_USEC (24 * 3600 * USEC_PER_SEC)
#define AGAIN_USEC (3600 * USEC_PER_SEC)

struct History {
    Manager *manager;
    ClockTimer *timer;
};

/* --- the limits --- */

static void history_add_task(TaskEntry *entry, void *userdata)
{
    StoreHistory *limits = userdata;
    const Task *task = entry->task;
    StoreHistoryTask own = { task->name, limits->max_age_usec, USEC_INFINITY };

    if (task->history_age_usec == 0 && task->history_runs == 0)
        return;
    if (task->history_age_usec > 0)
        own.max_age_usec = task->history_age_usec;
    if (task->history_runs > 0)
        own.max_runs = task->history_runs;
    g_array_append_val((GArray *)limits->tasks, own);
}

/* The names are borrowed from the registry, for the call alone. */
static int history_trim(History *h, StoreNumberFn fn, void *userdata)
{
    Manager *m = h->manager;
    g_autoptr(GArray) tasks = g_array_new(FALSE, FALSE, sizeof(StoreHistoryTask));
    StoreHistory limits = { m->config.history_age_usec, m->config.history_runs, tasks };

    registry_foreach(m->registry, history_add_task, &limits);
    return store_trim(m->store, &limits, fn, userdata);
}

/* --- every day --- */

static void on_trimmed(int r, uint64_t removed, const Error *error, void *userdata)
{
    History *h = userdata;

    if (removed > 0)
        log_message(LOG_INFO, NULL, "Removed %" G_GUINT64_FORMAT " old runs from the history.", removed);
    if (r == -ECANCELED)
        return;
    if (r < 0)
        log_warning("%s. Trying again in an hour.", error ? error->message : g_strerror(-r));
    clock_timer_arm(h->timer, clock_boot(h->manager->clock) + (r < 0 ? AGAIN_USEC : EVERY_USEC));
}

static void on_timer(void *userdata)
{
    History *h = userdata;
    int r = history_trim(h, on_trimmed, h);

    if (r < 0) /* the database is away, or somebody asked for the same just now */
        clock_timer_arm(h->timer, clock_boot(h->manager->clock) + AGAIN_USEC);
}

History *history_new(Manager *m)
{
    History *h = g_new0(History, 1);

    h->manager = m;
    if (clock_timer_new(m->clock, CLOCK_BOOT, on_timer, h, &h->timer) < 0)
        g_clear_pointer(&h, g_free);
    return h;
}

void history_free(History *h)
{
    if (!h)
        return;
    clock_timer_free(h->timer);
    g_free(h);
}

void history_wake(History *h)
{
    if (!clock_timer_armed(h->timer))
        clock_timer_arm(h->timer, clock_boot(h->manager->clock) + FIRST_USEC);
}

/* --- asked for --- */

typedef struct Vacuum {
    ManagerNumberFn fn;
    void *userdata;
} Vacuum;

static void on_vacuumed(int r, uint64_t removed, const Error *error, void *userdata)
{
    g_autofree Vacuum *v = userdata;

    v->fn(r, removed, error, v->userdata);
}

int manager_vacuum(Manager *m, ManagerNumberFn fn, void *userdata, Error *error)
{
    Vacuum *v;
    int r = manager_check_store(m, error);

    if (r < 0)
        return r;
    v = g_new0(Vacuum, 1);
    v->fn = fn;
    v->userdata = userdata;
    r = history_trim(m->history, on_vacuumed, v);
    if (r < 0) {
        g_free(v);
        if (r == -EBUSY)
            return error_set(error, ERROR_LIMIT_EXCEEDED, "Old history is being removed already");
        return error_set(error, ERROR_NOT_AVAILABLE, "The database is not available");
    }
    return 0;
}
