/* Store and exec in memory, without a bus or a database. */
#include "twins.h"

#include <string.h>

typedef struct TwinUnit {
    char *name, *token;
    bool over, there_before, never_ran;
    int code, status;
} TwinUnit;

typedef struct Job {
    TwinKind kind;
    bool store;
    void (*apply)(struct Job *j);
    void (*answer)(struct Job *j, int r);
    void (*fn)(void);
    void *userdata;
    uint64_t run, in_usec, nominal, previous, count;
    unsigned attempt, limit;
    char *token, *unit, *text;
    RunResult result, cause;
    int exit_code, exit_status, signal, r;
    bool again;
    GPtrArray *runs;
    GPtrArray *units; /* as they were when they were listed */
    StoreAsked asked;
    StoreCancelled cancelled;
} Job;

struct Store {
    StoreStateFn fn;
    void *userdata;
    bool up;
    uint64_t epoch, stamp;
    char *boot_id;
};

struct Exec {
    ExecEvents events;
    void *userdata;
    bool up;
};

Twins twins;
static GQueue jobs;
static struct Store store;
static struct Exec exec;

static const StoreRun nothing;

static void unit_free(TwinUnit *u)
{
    g_free(u->name);
    g_free(u->token);
    g_free(u);
}

static void row_free(TwinRow *w)
{
    for (guint i = 0; i < G_N_ELEMENTS(w->ended); i++)
        g_free(w->ended[i]);
    g_free(w->run.token);
    g_free(w->run.invocation_id);
    g_free(w->run.boot_id);
    g_free(w);
}

static void job_free(Job *j)
{
    if (j->runs)
        g_ptr_array_unref(j->runs);
    if (j->units)
        g_ptr_array_unref(j->units);
    g_free(j->token);
    g_free(j->unit);
    g_free(j->text);
    g_free(j);
}

void twins_reset(Clock *clock)
{
    g_clear_pointer(&twins.rows, g_ptr_array_unref);
    g_clear_pointer(&twins.units, g_hash_table_unref);
    g_clear_pointer(&store.boot_id, g_free);
    g_clear_pointer(&twins.started, g_hash_table_unref);
    twins = (Twins){ .clock = clock, .cancel_at = _TWIN_KIND_MAX, .last_nominal = UNSET, .revision = 1 };
    twins.rows = g_ptr_array_new_with_free_func((GDestroyNotify)row_free);
    twins.started = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    twins.units = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)unit_free);
}

TwinRow *twins_add_run(void)
{
    TwinRow *w = g_new0(TwinRow, 1);

    w->run = nothing;
    w->run.id = twins.rows->len + 1;
    w->run.state = RUN_QUEUED;
    w->run.due = clock_real(twins.clock);
    w->run.grace_usec = USEC_PER_SEC;
    g_ptr_array_add(twins.rows, w);
    return w;
}

static TwinRow *row_find(uint64_t id)
{
    TwinRow *w = id >= 1 && id <= twins.rows->len ? g_ptr_array_index(twins.rows, id - 1) : NULL;

    g_assert(w);
    return w;
}

/* --- the queue --- */

static Job *job_new(
    TwinKind kind, void (*apply)(Job *), void (*answer)(Job *, int), void (*fn)(void), void *userdata)
{
    Job *j = g_new0(Job, 1);

    *j = (Job){ .kind = kind,
        .store = kind < TWIN_START,
        .apply = apply,
        .answer = answer,
        .fn = fn,
        .userdata = userdata };
    g_queue_push_tail(&jobs, j);
    return j;
}

static void side_down(bool of_store)
{
    if (of_store && store.up) {
        store.up = false;
        store.fn(STORE_CONNECTING, "away", NULL, store.userdata);
    } else if (!of_store && exec.up) {
        exec.up = false;
        exec.events.connection(false, exec.userdata);
    }
}

bool twins_step(void)
{
    Job *j = g_queue_pop_head(&jobs);
    bool hit;

    if (!j)
        return false;
    if (j->kind == twins.cancel_at) {
        twins.cancel_at = _TWIN_KIND_MAX;
        twins.cancel();
    }
    hit = twins.fault != TWIN_FAULT_NONE && !twins.faulted && j->kind == twins.fault_at;
    if ((j->store ? store.up : exec.up) && !(hit && twins.fault == TWIN_FAULT_BEFORE))
        j->apply(j);
    else
        j->r = -ENOTCONN;
    if (hit) {
        twins.faulted = true;
        j->r = -ENOTCONN;
        side_down(j->store);
    }
    j->answer(j, j->r);
    job_free(j);
    return true;
}

static void store_come_up(void)
{
    g_autoptr(GPtrArray) tasks = g_ptr_array_new(), schedules = g_ptr_array_new();
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func((GDestroyNotify)store_run_free);
    StoreTask task = { twins.task, (char *)"api", (char *)"", (char *)"", twins.revision, true, false, UNSET,
        twins.definition };
    StoreSchedule schedule = { twins.task, (char *)"s", -1, twins.last_nominal, 1, UNSET };
    StoreLoaded loaded = { ++store.epoch, tasks, schedules, runs, UNSET, UNSET, 0, true };

    g_ptr_array_add(tasks, &task);
    g_ptr_array_add(schedules, &schedule);
    for (guint i = 0; i < twins.rows->len; i++) {
        TwinRow *w = g_ptr_array_index(twins.rows, i);

        if (w->run.state >= RUN_STARTING && w->run.state <= RUN_STOPPING)
            g_ptr_array_add(runs, twins_copy_run(w));
        if (w->run.state <= RUN_QUEUED) {
            loaded.next_due = MIN(loaded.next_due, w->run.due);
            loaded.n_waiting++;
        }
    }
    store.up = true;
    store.fn(STORE_UP, NULL, &loaded, store.userdata);
}

void twins_heal(void)
{
    if (store.fn && !store.up)
        store_come_up();
    if (exec.events.connection && !exec.up) {
        exec.up = true;
        exec.events.connection(true, exec.userdata);
        exec.events.resync(exec.userdata);
    }
}

/* --- the store --- */

int store_new(
    sd_event *event, Clock *clock, const StoreConfig *config, StoreStateFn fn, void *userdata, Store **ret)
{
    store =
        (struct Store){ fn, userdata, false, store.epoch, config->manager_stamp, g_strdup(config->boot_id) };
    *ret = &store;
    return 0;
}

int store_start(Store *s)
{
    return 0;
}

void store_set_manager_stamp(Store *s, uint64_t stamp)
{
    s->stamp = stamp;
}

static void jobs_cancel(bool of_store)
{
    for (guint n = jobs.length; n > 0; n--) {
        Job *j = g_queue_pop_head(&jobs);

        if (j->store != of_store) {
            g_queue_push_tail(&jobs, j);
            continue;
        }
        j->answer(j, -ECANCELED);
        job_free(j);
    }
}

void store_free(Store *s)
{
    if (!s)
        return;
    s->up = false;
    jobs_cancel(true);
    s->fn = NULL;
    g_clear_pointer(&s->boot_id, g_free);
}

unsigned store_pending(const Store *s)
{
    return jobs.length;
}

static bool row_is_owned(const Job *j, const TwinRow *w)
{
    return w->run.attempt == j->attempt && g_strcmp0(w->run.token, j->token) == 0 &&
           w->run.state >= RUN_STARTING && w->run.state <= RUN_STOPPING;
}

static bool row_had_ended(const Job *j, const TwinRow *w)
{
    return j->attempt < G_N_ELEMENTS(w->ended) && g_strcmp0(w->ended[j->attempt], j->token) == 0;
}

static void row_close(const Job *j, TwinRow *w)
{
    g_assert_cmpuint(j->attempt, <, G_N_ELEMENTS(w->ended));
    g_assert_null(w->ended[j->attempt]);
    w->ended[j->attempt] = g_strdup(j->token);
}

static void answer_outcome(Job *j, int r)
{
    const TwinRow *w = row_find(j->run);

    ((StoreOutcomeFn)j->fn)(r, w->run.cause, w->run.cause_at, NULL, j->userdata);
}

static Job *owner_job(
    TwinKind kind, const StoreOwner *o, void (*apply)(Job *), void (*fn)(void), void *userdata)
{
    Job *j = job_new(kind, apply, answer_outcome, fn, userdata);

    j->run = o->run;
    j->attempt = o->attempt;
    j->token = g_strdup(o->token);
    return j;
}

static void apply_claim(Job *j)
{
    twins.n_claims++;
    j->runs = g_ptr_array_new_with_free_func((GDestroyNotify)store_run_free);
    for (guint i = 0; i < twins.rows->len && j->runs->len < j->limit; i++) {
        TwinRow *w = g_ptr_array_index(twins.rows, i);

        if (w->run.state > RUN_QUEUED || w->run.due + twins.behind > clock_real(twins.clock))
            continue;
        w->run.state = RUN_STARTING;
        w->run.attempt++;
        w->run.claimed = clock_real(twins.clock);
        w->run.cause = RUN_RESULT_NONE;
        w->run.manager_stamp = store.stamp;
        w->run.claimed_monotonic = clock_monotonic(twins.clock);
        g_free(w->run.token);
        w->run.token = g_strdup_printf("token-%u-%u", i, w->run.attempt);
        g_free(w->run.boot_id);
        w->run.boot_id = g_strdup(store.boot_id);
        g_ptr_array_add(j->runs, twins_copy_run(w));
    }
}

static void answer_claim(Job *j, int r)
{
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(StoreChange));
    uint64_t next = UNSET;
    StoreClaimed c;

    for (guint i = 0; i < twins.rows->len; i++) {
        const TwinRow *w = g_ptr_array_index(twins.rows, i);

        if (w->run.state <= RUN_QUEUED)
            next = MIN(next, w->run.due);
    }
    c = (StoreClaimed){ j->runs, changes, next, UNSET };
    ((StoreClaimFn)j->fn)(r, r < 0 ? NULL : &c, j->userdata);
}

int store_claim(Store *s, unsigned limit, StoreClaimFn fn, void *userdata)
{
    job_new(TWIN_CLAIM, apply_claim, answer_claim, (void (*)(void))fn, userdata)->limit = limit;
    return 0;
}

static void apply_running(Job *j)
{
    TwinRow *w = row_find(j->run);

    j->r = !row_is_owned(j, w)            ? STORE_NOT_YOURS
           : w->run.state == RUN_STARTING ? STORE_RECORDED
                                          : STORE_RECORDED_BEFORE;
    if (j->r != STORE_RECORDED)
        return;
    w->run.state = RUN_RUNNING;
    g_free(w->run.invocation_id);
    w->run.invocation_id = g_strdup(j->text);
}

int store_running(Store *s, const StoreOwner *o, const char *invocation_id, uint64_t started,
    StoreOutcomeFn fn, void *userdata)
{
    owner_job(TWIN_RUNNING, o, apply_running, (void (*)(void))fn, userdata)->text = g_strdup(invocation_id);
    return 0;
}

static void apply_stopping(Job *j)
{
    TwinRow *w = row_find(j->run);

    j->r = !row_is_owned(j, w) ? STORE_NOT_YOURS : STORE_RECORDED;
    if (j->r != STORE_RECORDED)
        return;
    w->run.state = RUN_STOPPING;
    if (w->run.cause == RUN_RESULT_NONE)
        w->run.cause = j->cause;
}

int store_stopping(
    Store *s, const StoreOwner *o, RunResult cause, const char *reason, StoreOutcomeFn fn, void *userdata)
{
    owner_job(TWIN_STOPPING, o, apply_stopping, (void (*)(void))fn, userdata)->cause = cause;
    return 0;
}

static void apply_end(Job *j)
{
    TwinRow *w = row_find(j->run);

    if (!row_is_owned(j, w)) {
        j->r = row_had_ended(j, w) ? STORE_RECORDED_BEFORE : STORE_NOT_YOURS;
        return;
    }
    row_close(j, w);
    if (j->again && !w->no_more) {
        w->run.state = RUN_WAITING;
        w->run.due = clock_real(twins.clock) + j->in_usec;
        return;
    }
    w->run.state = RUN_DONE;
    w->run.result = w->run.cause != RUN_RESULT_NONE ? w->run.cause : j->result;
    w->n_recorded++;
}

static void answer_end(Job *j, int r)
{
    const TwinRow *w = row_find(j->run);

    ((StoreEndFn)j->fn)(r, w->run.result, w->run.state, w->run.due, NULL, j->userdata);
}

int store_end(Store *s, const StoreEnd *e, StoreEndFn fn, void *userdata)
{
    Job *j = owner_job(TWIN_END, &e->owner, apply_end, (void (*)(void))fn, userdata);

    j->answer = answer_end;
    j->result = e->result;
    j->again = e->again;
    j->in_usec = e->again_in_usec;
    return 0;
}

static void apply_requeue(Job *j)
{
    TwinRow *w = row_find(j->run);

    if (!row_is_owned(j, w) || w->run.state != RUN_STARTING) {
        j->r = row_had_ended(j, w) ? STORE_RECORDED_BEFORE : STORE_NOT_YOURS;
        return;
    }
    row_close(j, w);
    w->run.state = w->no_more ? RUN_DONE : RUN_QUEUED;
    w->run.result = w->no_more ? w->run.cause : RUN_RESULT_NONE;
    w->n_recorded += w->no_more;
    w->run.due = clock_real(twins.clock) + j->in_usec;
}

int store_requeue(
    Store *s, const StoreOwner *o, const char *reason, uint64_t in_usec, StoreOutcomeFn fn, void *userdata)
{
    owner_job(TWIN_REQUEUE, o, apply_requeue, (void (*)(void))fn, userdata)->in_usec = in_usec;
    return 0;
}

static void apply_cancel(Job *j)
{
    TwinRow *w = row_find(j->run);

    j->cancelled = (StoreCancelled){ w->run.state, w->run.result, w->run.state == RUN_DONE, 1 };
    if (w->run.state == RUN_DONE)
        return;
    w->no_more = true;
    if (w->run.cause == RUN_RESULT_NONE)
        w->run.cause = RUN_CANCELLED;
    if (w->run.state <= RUN_QUEUED) {
        w->run.state = RUN_DONE;
        w->run.result = RUN_CANCELLED;
        w->n_recorded++;
    }
    j->cancelled.state = w->run.state;
    j->cancelled.result = w->run.result;
}

static void answer_cancel(Job *j, int r)
{
    ((StoreCancelFn)j->fn)(r, &j->cancelled, j->userdata);
}

int store_cancel(Store *s, uint64_t run, const char *reason, StoreCancelFn fn, void *userdata)
{
    Job *j = job_new(TWIN_CANCEL, apply_cancel, answer_cancel, (void (*)(void))fn, userdata);

    j->run = run;
    /* It overtakes what is queued: the moment is the test's. */
    g_queue_remove(&jobs, j);
    g_queue_push_head(&jobs, j);
    return 0;
}

static void apply_ask(Job *j)
{
    TwinRow *w;

    j->r = twins.ask_answer;
    j->asked.last = twins.last_nominal;
    if (j->r < 0 || twins.last_nominal != j->previous)
        return;
    twins.last_nominal = j->nominal;
    twins.n_slots++;
    w = twins_add_run();
    w->run.due = twins.due;
    j->asked = (StoreAsked){ w->run.id, true, RUN_QUEUED, twins.due, j->nominal };
}

static void answer_ask(Job *j, int r)
{
    ((StoreAskFn)j->fn)(r, &j->asked, NULL, j->userdata);
}

static int slot_job(Job *j, uint64_t previous, uint64_t nominal, uint64_t count)
{
    j->previous = previous;
    j->nominal = nominal;
    j->count = count;
    return 0;
}

int store_ask(Store *s, const StoreAsk *ask, StoreAskFn fn, void *userdata)
{
    twins.due = ask->due;
    return slot_job(job_new(TWIN_ASK, apply_ask, answer_ask, (void (*)(void))fn, userdata), ask->previous,
        ask->nominal, 1);
}

static void apply_pass(Job *j)
{
    if (twins.last_nominal == j->previous) {
        twins.last_nominal = j->nominal;
        twins.n_passed += (unsigned)j->count;
        j->r = 1;
    }
    j->asked.last = twins.last_nominal;
}

static void answer_pass(Job *j, int r)
{
    ((StoreSkipFn)j->fn)(r < 0 ? r : j->r, j->asked.last, NULL, j->userdata);
}

int store_skip(Store *s, const StoreSkip *k, StoreSkipFn fn, void *userdata)
{
    return slot_job(job_new(TWIN_PASS, apply_pass, answer_pass, (void (*)(void))fn, userdata), k->previous,
        k->last, k->count);
}

static void answer_done(Job *j, int r)
{
    ((ExecDoneFn)j->fn)(r, NULL, j->userdata);
}

static void apply_revision(Job *j)
{
    j->r = twins.no_revision ? -ENOENT : 0;
}

static void answer_revision(Job *j, int r)
{
    ((StoreTextFn)j->fn)(r, r < 0 ? NULL : twins.definition, j->userdata);
}

int store_get_revision(Store *s, const char *task, uint64_t revision, StoreTextFn fn, void *userdata)
{
    job_new(TWIN_REVISION, apply_revision, answer_revision, (void (*)(void))fn, userdata);
    return 0;
}

/* Only what another node did is read anew. */
int store_get_task(Store *s, const char *task, StoreTaskFn fn, void *userdata)
{
    return -ENOTCONN;
}

/* --- the service manager --- */

int exec_new(sd_event *event, const ExecConfig *config, const ExecEvents *events, void *userdata, Exec **ret)
{
    exec = (struct Exec){ *events, userdata, false };
    *ret = &exec;
    return 0;
}

int exec_set_bus(Exec *e, sd_bus *bus)
{
    return 0;
}

void exec_free(Exec *e)
{
    if (!e)
        return;
    e->up = false;
    jobs_cancel(false);
    e->events = (ExecEvents){ 0 };
}

unsigned exec_pending(const Exec *e)
{
    return 0;
}

int exec_manager_stamp(Exec *e, ExecNumberFn fn, void *userdata)
{
    fn(0, 7, userdata);
    return 0;
}

static TwinUnit *unit_add(const char *name, const char *token)
{
    TwinUnit *u = g_new0(TwinUnit, 1);

    u->name = g_strdup(name);
    u->token = g_strdup(token);
    g_hash_table_insert(twins.units, u->name, u);
    return u;
}

void twins_add_foreign(uint64_t run, unsigned attempt)
{
    g_autofree char *name = exec_unit_name(run, attempt);

    unit_add(name, "of-another-time")->there_before = true;
}

void twins_add_recorded(TwinRow *w)
{
    g_autofree char *name = exec_unit_name(w->run.id, 1);

    w->run.attempt = 1;
    w->run.state = RUN_DONE;
    w->run.result = RUN_SUCCESS;
    w->n_recorded = 1;
    w->ended[1] = g_strdup("token");
    unit_add(name, "token");
}

void twins_lose_store(void)
{
    side_down(true);
}

static void apply_start(Job *j)
{
    TwinRow *w = row_find(j->run);

    if (twins.foreign) {
        unit_add(j->unit, twins.foreign)->there_before = true;
        twins.foreign = NULL;
    }
    if (g_hash_table_contains(twins.units, j->unit)) {
        j->r = EXEC_EXISTS;
        return;
    }
    j->r = twins.start_answer;
    twins.start_answer = EXEC_STARTED;
    if (j->r != EXEC_STARTED)
        return;
    unit_add(j->unit, j->token)->never_ran = twins.never_ran;
    if (twins.never_ran) {
        twins.never_ran = false;
        return;
    }
    w->n_starts++;
    g_hash_table_add(twins.started, g_strdup(j->unit));
}

static void answer_start(Job *j, int r)
{
    g_auto(Error) error = { 0 };

    error_set(&error, ERROR_FAILED, "refused");
    ((ExecStartFn)j->fn)(r, &error, j->userdata);
}

int exec_start(Exec *e, const ExecStart *start, ExecStartFn fn, void *userdata)
{
    Job *j = job_new(TWIN_START, apply_start, answer_start, (void (*)(void))fn, userdata);

    j->run = start->run;
    j->unit = exec_unit_name(start->run, start->attempt);
    j->token = g_strdup(start->token);
    return 0;
}

static UnitState *unit_read(const TwinUnit *u)
{
    UnitState *s = g_new0(UnitState, 1);

    g_assert(u);
    s->unit = g_strdup(u->name);
    exec_unit_parse(u->name, &s->run, &s->attempt);
    s->active_state = g_strdup(u->over && u->status ? "failed" : "active");
    s->sub_state = g_strdup(!u->over ? "running" : u->status ? "failed" : "exited");
    s->result = g_strdup("success");
    s->main_code = u->code;
    s->main_status = u->status;
    s->started = s->exited = clock_real(twins.clock);
    s->started_boot = s->exited_boot = clock_boot(twins.clock);
    s->invocation_id = g_strdup(u->token);
    s->token = g_strdup(u->token);
    s->status_text = g_strdup("");
    s->control_group = g_strdup("");
    s->runtime_max_usec = twins.altered ? USEC_PER_SEC : USEC_INFINITY;
    s->never_ran = u->never_ran;
    s->remain_after_exit = true;
    s->directory_preserve = g_strdup(twins.unkept ? "no" : "yes");
    return s;
}

static void apply_get(Job *j)
{
    j->r = g_hash_table_contains(twins.units, j->unit) ? 0 : -ENOENT;
}

static void answer_get(Job *j, int r)
{
    g_autoptr(UnitState) s = r < 0 ? NULL : unit_read(g_hash_table_lookup(twins.units, j->unit));

    ((ExecStateFn)j->fn)(r, s, j->userdata);
}

int exec_get(Exec *e, const char *unit, ExecStateFn fn, void *userdata)
{
    job_new(TWIN_GET, apply_get, answer_get, (void (*)(void))fn, userdata)->unit = g_strdup(unit);
    return 0;
}

static void apply_list(Job *j)
{
    GHashTableIter i;
    gpointer u;

    j->units = g_ptr_array_new_with_free_func((GDestroyNotify)unit_state_free);
    g_hash_table_iter_init(&i, twins.units);
    while (g_hash_table_iter_next(&i, NULL, &u))
        g_ptr_array_add(j->units, unit_read(u));
    if (twins.end_while_listed)
        twins_end_processes();
}

static void answer_list(Job *j, int r)
{
    ((ExecListFn)j->fn)(r, r < 0 ? NULL : j->units, j->userdata);
}

int exec_list(Exec *e, ExecListFn fn, void *userdata)
{
    job_new(TWIN_LIST, apply_list, answer_list, (void (*)(void))fn, userdata);
    return 0;
}

static void unit_end(TwinUnit *u, int code, int status)
{
    u->over = true;
    u->code = code;
    u->status = status;
    if (exec.up) {
        g_autoptr(UnitState) s = unit_read(u);

        exec.events.changed(s, exec.userdata);
    }
}

static void apply_kill(Job *j)
{
    TwinUnit *u = g_hash_table_lookup(twins.units, j->unit);

    if (u && !u->over)
        unit_end(u, RUN_KILLED, j->signal);
    else
        j->r = u ? -ESRCH : -ENOENT;
}

int exec_kill(Exec *e, const char *unit, bool main_only, int signal, ExecDoneFn fn, void *userdata)
{
    Job *j = job_new(TWIN_KILL, apply_kill, answer_done, (void (*)(void))fn, userdata);

    j->unit = g_strdup(unit);
    j->signal = signal;
    return 0;
}

static void apply_start_unit(Job *j)
{
    twins.n_units++;
    j->r = twins.unit_answer;
}

int exec_start_unit(Exec *e, const char *unit, ExecDoneFn fn, void *userdata)
{
    job_new(TWIN_START_UNIT, apply_start_unit, answer_done, (void (*)(void))fn, userdata);
    return 0;
}

static void apply_release(Job *j)
{
    const TwinUnit *u = g_hash_table_lookup(twins.units, j->unit);

    /* Never before its end, and never somebody else's. */
    g_assert_true(!u || ((u->over || u->never_ran) && !u->there_before));
    if (u)
        g_hash_table_remove(twins.units, j->unit);
}

int exec_release(Exec *e, const char *unit, ExecDoneFn fn, void *userdata)
{
    job_new(TWIN_RELEASE, apply_release, answer_done, (void (*)(void))fn, userdata)->unit = g_strdup(unit);
    return 0;
}

void twins_end_processes(void)
{
    g_autoptr(GList) units = g_hash_table_get_values(twins.units);

    for (GList *l = units; l; l = l->next) {
        TwinUnit *u = l->data;

        if (!u->over && !u->there_before && !u->never_ran)
            unit_end(u, RUN_EXITED, twins.exit_status);
    }
}
