/* Tasks that are expected to succeed every so often: one timer for the next moment at which one of them has not, and what is
 * done then. The database alone decides that a success is missed, and knows that it was told of: once for each silence, whoever
 * is killed when. */
#include "core/internal.h"

#include "base/log.h"
#include "model/schedule.h"
#include "model/slots.h"
#include "model/timespec.h"

/* When it is a task's turn; the tree's keys, each owned by it. */
typedef struct Turn {
    uint64_t moment;
    char task[];
} Turn;

struct Expect {
    Manager *manager;
    ClockTimer *timer;
    GTree *turns; /* of Turn */
    uint64_t n_overdue;
    bool holds; /* one is due, and how a run of it ended is to be known first */
};

static int turn_compare(gconstpointer a, gconstpointer b, gpointer userdata)
{
    const Turn *x = a, *y = b;

    if (x->moment != y->moment)
        return x->moment < y->moment ? -1 : 1;
    return strcmp(x->task, y->task);
}

static Turn *turn_new(uint64_t moment, const char *task)
{
    size_t size = strlen(task) + 1;
    Turn *t = g_malloc(sizeof *t + size);

    t->moment = moment;
    memcpy(t->task, task, size);
    return t;
}

static void expect_act(Expect *x);

static void on_moment(void *userdata)
{
    expect_act(userdata);
}

Expect *expect_new(Manager *m)
{
    Expect *x = g_new0(Expect, 1);

    x->manager = m;
    x->turns = g_tree_new_full(turn_compare, NULL, g_free, NULL);
    if (clock_timer_new(m->clock, CLOCK_REAL, on_moment, x, &x->timer) < 0)
        g_clear_pointer(&x, expect_free);
    return x;
}

void expect_free(Expect *x)
{
    if (!x)
        return;
    clock_timer_free(x->timer);
    g_tree_unref(x->turns);
    g_free(x);
}

/* --- what is expected --- */

/* A success has to come after this. */
static uint64_t expect_base(const TaskEntry *entry)
{
    return MAX(MAX(entry->expect->since, entry->expect->success), entry->paused_until);
}

/* The first slot after base of one of its schedules; those that were skipped by hand are slots as well. */
static uint64_t expect_slot(const TaskEntry *entry, uint64_t base)
{
    uint64_t first = UNSET;

    for (guint i = 0; i < entry->schedules->len; i++) {
        const ScheduleEntry *se = g_ptr_array_index(entry->schedules, i);
        uint64_t after =
            MAX(MAX(base, se->since > 0 ? se->since - 1 : 0), MAX(se->off_until, se->paused_until));
        uint64_t slot = se->enabled ? slots_open(se->schedule, NULL, after) : USEC_INFINITY;

        /* It fires no more: of those to come none is expected. */
        if (schedule_runs_left(se->schedule, se->fired) == 0 && (se->last == UNSET || slot > se->last))
            continue;
        if (slot != USEC_INFINITY)
            first = MIN(first, slot);
    }
    return first;
}

static uint64_t expect_deadline(const TaskEntry *entry)
{
    const Task *t = entry->task;
    uint64_t base = expect_base(entry);

    if (!entry->enabled)
        return UNSET;
    if (t->expect_every_usec == 0)
        base = expect_slot(entry, base);
    return base == UNSET ? UNSET : base + t->expect_every_usec + t->expect_within_usec;
}

bool manager_task_is_overdue(const TaskEntry *entry)
{
    const TaskExpect *e = entry->expect;

    /* Where a success was heard of late, or the definition is another, that which was missed may not be expected any more. */
    return e && e->deadline != UNSET && e->missed > 0 && e->missed >= e->deadline;
}

uint64_t manager_n_overdue(const Manager *m)
{
    return m->expect->n_overdue;
}

/* --- turns --- */

static void expect_count(Expect *x, TaskEntry *entry, bool overdue)
{
    if (overdue && !entry->expect->counted)
        x->n_overdue++;
    else if (!overdue && entry->expect->counted)
        x->n_overdue--;
    entry->expect->counted = overdue;
}

static void expect_remove(Expect *x, TaskEntry *entry)
{
    g_autofree Turn *turn = NULL;

    if (entry->expect->turn == UNSET)
        return;
    turn = turn_new(entry->expect->turn, entry->task->name);
    g_tree_remove(x->turns, turn);
    entry->expect->turn = UNSET;
}

static uint64_t expect_moment(const TaskEntry *entry)
{
    const TaskExpect *e = entry->expect;

    if (e->busy)
        return UNSET;
    if (!manager_task_is_overdue(entry))
        return e->deadline;
    return e->run == 0 && *entry->task->on_missed && !e->given_up ? 0 : UNSET;
}

/* After anything that what is expected of it follows from. */
static void expect_place(Expect *x, TaskEntry *entry)
{
    uint64_t moment;

    if (!entry->expect)
        return;
    expect_remove(x, entry);
    entry->expect->deadline = expect_deadline(entry);
    expect_count(x, entry, manager_task_is_overdue(entry));
    moment = expect_moment(entry);
    if (moment == UNSET)
        return;
    entry->expect->turn = moment;
    g_tree_insert(x->turns, turn_new(moment, entry->task->name), NULL);
}

/* --- telling --- */

static void expect_tell(Manager *m, const TaskEntry *entry, bool overdue, uint64_t since, uint64_t missed)
{
    g_autofree char *from = timespec_format_instant(since), *by = timespec_format_instant(missed);
    g_autofree char *field = g_strconcat("TASKSCHEDD_EXPECTED=", by, NULL);
    const char *more[] = { field, NULL };
    const char *name = entry->task->name;

    if (overdue)
        log_message(LOG_WARNING, &(LogContext){ LOG_ID_TASK_OVERDUE, name, 0, 0, NULL, more },
            "Task %s was expected to succeed by %s, and has not since %s.", name, by, from);
    else
        log_message(LOG_NOTICE, &(LogContext){ LOG_ID_TASK_MET, name, 0, 0, NULL, more },
            "Task %s has succeeded at %s; it was expected to by %s.", name, from, by);
    m->events.task_overdue(name, overdue, since, missed, m->userdata);
    manager_task_changed(m, name);
}

/* --- what OnMissed= names --- */

typedef struct Missed {
    Expect *expect;
    char *task;
    uint64_t missed;
    uint64_t run; /* 0: it is not noted yet */
} Missed;

static Missed *missed_new(Expect *x, const TaskEntry *entry, uint64_t missed, uint64_t run)
{
    Missed *d = g_new(Missed, 1);

    *d = (Missed){ x, g_strdup(entry->task->name), missed, run };
    return d;
}

static void missed_free(Missed *d)
{
    g_free(d->task);
    g_free(d);
}

static void expect_write(Expect *x, TaskEntry *entry, uint64_t missed, uint64_t run);

static void expect_give_up(TaskEntry *entry, const char *why)
{
    log_message(LOG_ERR, &(LogContext){ LOG_ID_TASK_OVERDUE, entry->task->name, 0, 0, NULL },
        "Task %s, which OnMissed= of %s names, is not run: %s", entry->task->on_missed, entry->task->name,
        why);
    entry->expect->given_up = true;
}

/* Of what is still missed; else somebody else has it now. */
static TaskEntry *missed_find(const Missed *d)
{
    TaskEntry *entry = registry_find(d->expect->manager->registry, d->task);

    return entry && entry->expect && entry->expect->missed == d->missed ? entry : NULL;
}

static void on_missed_asked(int r, uint64_t run, const Error *error, void *userdata)
{
    Missed *d = userdata;
    TaskEntry *entry = r == -ENOTCONN || r == -ECANCELED ? NULL : missed_find(d);

    if (entry) {
        entry->expect->busy = false;
        if (r >= 0)
            expect_write(d->expect, entry, d->missed, run);
        else
            expect_give_up(entry, error && error->message ? error->message : g_strerror(-r));
        expect_place(d->expect, entry);
    }
    missed_free(d);
}

static void expect_input_take(const Task *t, GHashTable *texts, const char *name, char *value)
{
    if (!t->has_input || input_find(t->inputs, name))
        g_hash_table_insert(texts, (char *)name, value);
    else
        g_free(value);
}

/* Its inputs get what they are named for, as far as it has them; one without [Input] gets all. The token is the guard: it is
 * the same whenever it is asked for this. */
static void expect_ask(Expect *x, TaskEntry *entry)
{
    Manager *m = x->manager;
    const TaskEntry *target = registry_find(m->registry, entry->task->on_missed);
    const Caller caller = { UNSET, "taskschedd", "" };
    const TaskExpect *e = entry->expect;
    g_autoptr(GHashTable) texts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    g_autofree char *token = g_strdup_printf("%s@%" G_GUINT64_FORMAT, entry->task->name, e->missed);
    g_autofree char *meta = g_strdup_printf("{\"missed\":\"%s\"}", entry->task->name);
    ManagerAsk ask = { .task = entry->task->on_missed, .token = token, .meta = meta };
    g_auto(Error) error = { 0 };
    Missed *d;

    if (target) {
        expect_input_take(target->task, texts, "task", g_strdup(entry->task->name));
        expect_input_take(target->task, texts, "since", timespec_format_instant(expect_base(entry)));
        expect_input_take(target->task, texts, "expected", timespec_format_instant(e->missed));
    }
    ask.given.texts = texts;
    d = missed_new(x, entry, e->missed, 0);
    entry->expect->busy = true;
    if (manager_run_task(m, &caller, &ask, on_missed_asked, d, &error) >= 0)
        return;
    entry->expect->busy = false;
    expect_give_up(entry, util_strempty(error.message));
    missed_free(d);
}

/* --- what is missed --- */

/* The database's word on it, which is the truth. */
static void expect_take(
    Expect *x, TaskEntry *entry, const Missed *d, bool written, const StoreExpectation *there)
{
    TaskExpect *e = entry->expect;

    e->busy = false;
    e->doubt = 0;
    if (written && d->run > 0) {
        e->run = d->run;
    } else if (written) {
        e->missed = d->missed;
        e->run = 0;
        e->given_up = false;
        expect_place(x, entry);
        expect_tell(x->manager, entry, true, expect_base(entry), e->missed);
    } else {
        e->since = there->since;
        e->success = there->success != UNSET ? there->success : 0;
        e->missed = there->missed != UNSET ? there->missed : 0;
    }
    expect_place(x, entry);
    expect_act(x);
}

static void on_missed(int r, const StoreExpectation *there, const Error *error, void *userdata)
{
    Missed *d = userdata;
    TaskEntry *entry = registry_find(d->expect->manager->registry, d->task);

    if (r == -ENOTCONN || r == -ECANCELED || !entry || !entry->expect || !entry->expect->busy) {
        missed_free(d);
        return;
    }
    if (r >= 0) {
        expect_take(d->expect, entry, d, r > 0, there);
    } else {
        entry->expect->busy = false;
        if (r != -ENOENT)
            log_error("That task %s is overdue cannot be written down: %s", d->task,
                error && error->message ? error->message : g_strerror(-r));
    }
    missed_free(d);
}

static void expect_write(Expect *x, TaskEntry *entry, uint64_t missed, uint64_t run)
{
    const TaskExpect *e = entry->expect;
    StoreMissed s = { entry->task->name, e->since, e->success > 0 ? e->success : UNSET, missed, run };
    Missed *d = missed_new(x, entry, missed, run);

    entry->expect->busy = true;
    entry->expect->doubt = run > 0 ? 0 : missed;
    if (store_missed(x->manager->store, &s, on_missed, d) >= 0)
        return;
    entry->expect->busy = false;
    missed_free(d);
}

/* --- the timer --- */

/* What happened while nobody watched is heard of first: a run that has ended may have succeeded in time. */
static bool expect_may_act(const Expect *x)
{
    return x->manager->store_up && x->manager->state == MANAGER_RUNNING;
}

/* The host may have slept since one of its runs ended, and nobody told yet: so they are looked at once more. */
static bool expect_awaits_end(Expect *x, TaskEntry *entry)
{
    Engine *engine = x->manager->engine;

    if (entry->expect->looked != entry->expect->deadline) {
        entry->expect->looked = entry->expect->deadline;
        engine_look(engine, entry->task->name);
    }
    return engine_awaits_end(engine, entry->task->name);
}

static void expect_handle(Expect *x, TaskEntry *entry)
{
    bool overdue = manager_task_is_overdue(entry);

    if (!overdue && expect_awaits_end(x, entry)) {
        x->holds = true;
        return;
    }
    expect_remove(x, entry);
    if (overdue)
        expect_ask(x, entry);
    else
        expect_write(x, entry, entry->expect->deadline, 0);
}

static void expect_act(Expect *x)
{
    uint64_t now = clock_real(x->manager->clock);
    g_autoptr(GPtrArray) due = NULL;
    GTreeNode *node = g_tree_node_first(x->turns);
    const Turn *turn = NULL;

    if (!expect_may_act(x))
        return;
    x->holds = false;
    for (; node && (turn = g_tree_node_key(node))->moment <= now; node = g_tree_node_next(node)) {
        due = due ? due : g_ptr_array_new();
        g_ptr_array_add(due, registry_find(x->manager->registry, turn->task));
    }
    if (node)
        clock_timer_arm(x->timer, turn->moment);
    else
        clock_timer_disarm(x->timer);
    for (guint i = 0; due && i < due->len; i++)
        expect_handle(x, g_ptr_array_index(due, i));
}

void expect_begin(Expect *x)
{
    expect_act(x);
}

void expect_wake(Expect *x)
{
    if (x->holds)
        expect_act(x);
}

/* --- what changes --- */

/* heard: where it has succeeded again whoever recorded that has told of it. */
static void expect_load_task(Expect *x, TaskEntry *entry, const StoreTask *row, bool heard)
{
    TaskExpect *e = entry->expect;
    const TaskExpect before = *e;

    e->since = row->expect_since != UNSET ? row->expect_since : 0;
    e->success = row->expect_success != UNSET ? row->expect_success : 0;
    e->missed = row->missed != UNSET ? row->missed : 0;
    e->run = row->missed_run != UNSET ? row->missed_run : 0;
    e->busy = e->given_up = false;
    e->doubt = 0;
    expect_place(x, entry);
    /* What was committed, and not answered, is told now. */
    if (before.doubt > 0 && e->missed == before.doubt)
        expect_tell(x->manager, entry, true, expect_base(entry), e->missed);
    else if (!heard && before.counted && !e->counted && e->success > before.success)
        expect_tell(x->manager, entry, false, e->success, before.missed);
}

void expect_load(Expect *x, const GPtrArray *tasks)
{
    for (guint i = 0; i < tasks->len; i++) {
        const StoreTask *row = g_ptr_array_index(tasks, i);
        TaskEntry *entry = registry_find(x->manager->registry, row->name);

        if (entry && entry->expect)
            expect_load_task(x, entry, row, false);
    }
}

void expect_reread(Expect *x, const StoreTask *row)
{
    TaskEntry *entry = registry_find(x->manager->registry, row->name);

    /* The answer of what is under way is newer. */
    if (entry && entry->expect && !entry->expect->busy)
        expect_load_task(x, entry, row, true);
    expect_act(x);
}

void expect_put(TaskEntry *entry, const TaskEntry *old, uint64_t since)
{
    if (!task_is_expected(entry->task))
        return;
    entry->expect = g_new0(TaskExpect, 1);
    if (old && old->expect)
        *entry->expect = *old->expect;
    else
        entry->expect->since = since;
    entry->expect->deadline = entry->expect->turn = UNSET;
    entry->expect->counted = false;
}

void expect_changed(Expect *x, TaskEntry *entry)
{
    expect_place(x, entry);
    expect_act(x);
}

void expect_enabled(Expect *x, TaskEntry *entry, uint64_t at)
{
    /* By the clock as it is now, which may have been set back since. */
    if (at != UNSET && entry->expect) {
        entry->expect->since = MIN(at, clock_real(x->manager->clock));
        entry->expect->missed = entry->expect->run = 0;
    }
    expect_changed(x, entry);
}

void expect_forget(Expect *x, TaskEntry *entry)
{
    if (!entry->expect)
        return;
    expect_remove(x, entry);
    expect_count(x, entry, false);
    if (g_tree_nnodes(x->turns) == 0)
        clock_timer_disarm(x->timer);
}

void expect_ended(Expect *x, const char *task, bool success, uint64_t finished)
{
    TaskEntry *entry = registry_find(x->manager->registry, task);
    TaskExpect *e = entry ? entry->expect : NULL;
    uint64_t missed;

    if (e && success) {
        missed = manager_task_is_overdue(entry) ? e->missed : 0;
        e->success = MAX(e->success, finished != UNSET ? finished : clock_real(x->manager->clock));
        expect_place(x, entry);
        if (missed > 0 && !manager_task_is_overdue(entry))
            expect_tell(x->manager, entry, false, e->success, missed);
        expect_act(x);
    }
    expect_wake(x);
}

static void expect_recompute(TaskEntry *entry, void *expect)
{
    expect_place(expect, entry);
}

void expect_zone_changed(Expect *x)
{
    registry_foreach(x->manager->registry, expect_recompute, x);
    expect_act(x);
}
