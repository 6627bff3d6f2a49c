/* Times of a schedule that have passed are run after all, when somebody asks for it: each once, and one after the other. The
 * database has the guard and the order; here is which times those are. */
#include "core/internal.h"

#include "model/follow.h"
#include "model/slots.h"
#include "model/timespec.h"

typedef struct Backfill {
    Manager *manager;
    ManagerBackfill given; /* its names are owned */
    char *requester;
    uint64_t uid;
    ManagerBackfillFn fn;
    void *userdata;
} Backfill;

static void backfill_free(Backfill *b)
{
    g_free((char *)b->given.task);
    g_free((char *)b->given.schedule);
    g_free(b->requester);
    g_free(b);
}

bool run_is_backfilled(const StoreRun *run)
{
    return *util_strempty(run->schedule) && run->requester_uid != UNSET;
}

/* Its schedule as it is now, NULL with *error filled: there is none that runs anything. */
static const ScheduleEntry *backfill_find(const Backfill *b, Error *error)
{
    const TaskEntry *entry = registry_find(b->manager->registry, b->given.task);
    const ScheduleEntry *se = entry ? manager_find_schedule(entry, b->given.schedule) : NULL;

    if (!entry) {
        task_missing(error, b->given.task);
    } else if (!se) {
        task_schedule_missing(error, b->given.task, b->given.schedule);
    } else if (!entry->enabled) {
        error_set(error, ERROR_DISABLED, "Task %s is disabled", b->given.task);
        error_set_hint(error, "`tschedctl enable %s` enables it.", b->given.task);
    }
    return entry && entry->enabled ? se : NULL;
}

static int backfill_check_range(ManagerBackfill *given, uint64_t now, Error *error)
{
    if (given->until == 0)
        given->until = now;
    if (given->until > now) {
        g_autofree char *until = timespec_format_instant(given->until);

        error_set(error, ERROR_INVALID_ARGUMENT, "%s is still to come", until);
        error_set_hint(error, "What is to come is the schedule's; a range without an end goes until now.");
        return -EINVAL;
    }
    if (given->from > given->until)
        return error_set(error, ERROR_INVALID_ARGUMENT, "The range ends before it begins");
    return 0;
}

/* All of it or nothing: who is told where to go on can be sure of what is done. */
static int backfill_too_many(const Backfill *b, uint64_t last, Error *error)
{
    g_autofree char *until = timespec_format_instant(last);
    int r = error_set(error, ERROR_LIMIT_EXCEEDED,
        "%s/%s has more than %u times in this range, and so many are taken at once", b->given.task,
        b->given.schedule, MANAGER_BACKFILL_MAX);

    error_set_hint(error, "The first %u are those until %s: ask for them, and then for the rest.",
        MANAGER_BACKFILL_MAX, until);
    return r;
}

/* By the schedule as it is now, wherever it has come to. */
static int backfill_collect(const Backfill *b, const Schedule *s, GArray *times, Error *error)
{
    uint64_t at = b->given.from > 0 ? b->given.from - 1 : 0;

    if (follow_is(s))
        return error_set(error, ERROR_INVALID_ARGUMENT,
            "%s/%s has no times of its own that could have passed: each follows a run or a boot (EveryFrom=finish, @reboot, AfterTask=)",
            b->given.task, b->given.schedule);
    while ((at = slots_open(s, NULL, at)) <= b->given.until) {
        if (times->len == MANAGER_BACKFILL_MAX)
            return backfill_too_many(b, g_array_index(times, uint64_t, times->len - 1), error);
        g_array_append_val(times, at);
    }
    return 0;
}

static void backfill_answer(Backfill *b, int r, const GArray *times, const Error *error)
{
    Manager *m = b->manager;
    g_autofree char *task = g_strdup(b->given.task);

    b->fn(r, times, error, b->userdata);
    backfill_free(b);
    changes_give(m->changes, task);
}

static void backfill_tell(Manager *m, const GArray *times)
{
    for (guint i = 0; i < times->len; i++) {
        const StoreBackfilled *t = &g_array_index(times, StoreBackfilled, i);

        if (t->outcome != STORE_BACKFILL_ASKED)
            continue;
        m->n_waiting++;
        manager_run_changed(m, t->run, t->goes ? RUN_QUEUED : RUN_WAITING, RUN_RESULT_NONE);
    }
    dispatcher_asking(m->dispatcher);
    manager_update(m);
}

static void on_backfilled(int r, const GArray *times, const Error *given, void *userdata)
{
    Backfill *b = userdata;
    g_auto(Error) error = { 0 };

    if (r >= 0 && !b->given.dry)
        backfill_tell(b->manager, times);
    if (r == -ENOENT) /* it went, or became another, while this was under way */
        task_schedule_missing(&error, b->given.task, b->given.schedule);
    else if (r == -ENOTCONN)
        error_set(&error, ERROR_NOT_AVAILABLE,
            "The connection to the database was lost before it answered; asking again is safe");
    else if (r < 0 && (!given || given->code == ERROR_NONE))
        error_set(&error, ERROR_FAILED, "The database refused this: %s", g_strerror(-r));
    backfill_answer(b, r, times, error.code != ERROR_NONE ? &error : given);
}

/* Whoever asked for it waits for a place, and ends nobody's run for it: what has to give way is what the schedule fires. */
static const char *backfill_overlap(const Task *t)
{
    return overlap_to_string(t->overlap == OVERLAP_ALLOW ? OVERLAP_ALLOW : OVERLAP_QUEUE);
}

static int backfill_ask(Backfill *b, const ScheduleEntry *se, const GArray *times, Error *error)
{
    Manager *m = b->manager;
    const Task *t = se->entry->task;
    g_auto(Input) input = { 0 };
    g_autofree char *sealed = NULL;
    StoreBackfill row;
    int r = definition_schedule_input(t, se->schedule, m->config.input_max, &input, error);

    if (r >= 0 && input.secrets)
        r = secrets_seal(m->secrets, input.secrets, &sealed, error);
    if (r < 0)
        return r;
    row = (StoreBackfill){
        .task = t->name,
        .schedule = se->schedule->name,
        .revision = se->entry->revision,
        .times = times,
        .unsettled = !se->enabled,
        .dry = b->given.dry,
        .requester = b->requester,
        .requester_uid = b->uid,
        .queue = t->queue,
        .priority = t->priority,
        .input = input.json,
        .secrets = sealed,
        .grace_usec = t->stop_usec,
        .places = task_places(t),
        .overlap = backfill_overlap(t),
    };
    return store_backfill(m->store, &row, on_backfilled, b);
}

/* It is its turn: by the definition that is in force by now. */
static int backfill_send(Backfill *b, Error *error)
{
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    const ScheduleEntry *se;
    int r = manager_check_store(b->manager, error);

    if (r < 0)
        return r;
    se = backfill_find(b, error);
    if (!se)
        return -ENOENT;
    r = backfill_check_range(&b->given, clock_real(b->manager->clock), error);
    if (r >= 0)
        r = backfill_collect(b, se->schedule, times, error);
    return r < 0 ? r : backfill_ask(b, se, times, error);
}

static void backfill_turn(void *userdata)
{
    g_auto(Error) error = { 0 };
    int r = backfill_send(userdata, &error);

    if (r < 0)
        backfill_answer(userdata, r, NULL, &error);
}

int manager_backfill(Manager *m, const Caller *caller, const ManagerBackfill *given, ManagerBackfillFn fn,
    void *userdata, Error *error)
{
    Backfill *b = g_new(Backfill, 1);
    int r;

    *b = (Backfill){ m, *given, g_strdup(caller->name), caller->uid, fn, userdata };
    b->given.task = g_strdup(given->task);
    b->given.schedule = g_strdup(given->schedule);
    if (!changes_take(m->changes, b->given.task, backfill_turn, b))
        return 0;
    r = backfill_send(b, error);
    if (r < 0) {
        changes_give(m->changes, b->given.task);
        backfill_free(b);
    }
    return r;
}
