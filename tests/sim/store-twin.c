/* The store's twin: the functions of store/store.h over the database in memory. What is asked for in one iteration goes
 * out as one transaction; one is under way at a time, and those that read pass by it. A connection that goes answers
 * all of it -ENOTCONN, be it committed or not. */
#include "sim.h"

#include <string.h>

#include "store/op.h"

#define BACKOFF_MIN (100 * USEC_PER_MSEC)
#define BACKOFF_MAX (5 * USEC_PER_SEC)

struct Store {
    StoreStateFn fn;
    StoreHeardFn heard;
    void *userdata;
    bool up, told, flushing;
    uint64_t epoch, stamp, backoff;
    char boot[SIM_TEXT];
    GQueue writes, reads, lost;
    GPtrArray *batch, *reading; /* of DbOp*: under way */
    bool committed;             /* the batch is */
    uint64_t in_at, out_at;     /* the connection keeps the order */
    StoreLoaded loaded;
    bool loading;
    unsigned pending;
};

static struct Store *store;
/* Numbers of the daemon's life and of its connection: what was under way in an earlier one does not arrive. */
static uint64_t lives, connection, down_until, refuse_run;
static bool refuse_claim;
bool store_twin_telling;
/* The connection goes with the next batch that holds one, before it is committed or after. */
static int lose_uncommitted = -1, lose_kind = -1;

static const char *const names[_OP_KIND_MAX] = {
    [OP_PUT_TASK] = "put task",
    [OP_DELETE_TASK] = "delete task",
    [OP_ENABLE_TASK] = "enable task",
    [OP_ENABLE_SCHEDULE] = "enable schedule",
    [OP_BY_HAND] = "by hand",
    [OP_BACKFILL] = "backfill",
    [OP_ASK] = "ask",
    [OP_SKIP] = "skip",
    [OP_REQUEUE] = "requeue",
    [OP_RUNNING] = "running",
    [OP_STOPPING] = "stopping",
    [OP_CANCEL] = "cancel",
    [OP_END] = "end",
    [OP_MISSED] = "missed",
    [OP_CLAIM] = "claim",
    [OP_FOLLOWERS] = "followers",
    [OP_GET_REVISION] = "get revision",
    [OP_GET_TASK] = "get task",
    [OP_GET_RUN] = "get run",
    [OP_COUNT_WAITING] = "count",
};

/* --- the wire --- */

static void op_finish(DbOp *op)
{
    store->pending--;
    op->answer(op);
    db_op_free(op);
}

static bool is_refused(const DbOp *op)
{
    Truth *t = op->kind == OP_END ? database_truth(op->run, op->attempt, op->token) : NULL;

    if (op->kind == OP_CLAIM && refuse_claim) {
        refuse_claim = false;
        faults_came(READIED_REFUSED_CLAIM, 0);
        return true;
    }
    if (refuse_run == 0 || op->run != refuse_run)
        return false;
    if (t)
        t->output_refused = true;
    faults_came(READIED_REFUSED_WRITE, refuse_run);
    refuse_run = 0;
    return true;
}

static void apply(DbOp *op)
{
    if (is_refused(op)) {
        op->r = -EINVAL;
        sim_trace("refused", (uint64_t)op->kind, op->run, 0);
        return;
    }
    sim_trace(names[op->kind], op->run, op->attempt, 0);
    database_apply[op->kind](op);
}

static void commit(void)
{
    for (guint i = 0; i < store->batch->len; i++)
        apply(g_ptr_array_index(store->batch, i));
    store->committed = true;
}

static void flush_later(void);

static void on_batch_answer(void *data, uint64_t number)
{
    g_autoptr(GPtrArray) batch = g_steal_pointer(&store->batch);

    for (guint i = 0; i < batch->len && store; i++)
        op_finish(g_ptr_array_index(batch, i));
    flush_later();
}

static uint64_t travel(uint64_t *last)
{
    *last = MAX(*last, sim_now() + sim_latency() / 2);
    return *last;
}

static bool batch_holds(int kind)
{
    for (guint i = 0; i < store->batch->len; i++)
        if (((const DbOp *)g_ptr_array_index(store->batch, i))->kind == kind)
            return true;
    return false;
}

static void on_batch_arrival(void *data, uint64_t number)
{
    bool lost = batch_holds(lose_kind);

    if (batch_holds(lose_uncommitted)) {
        lose_uncommitted = -1;
        faults_came(READIED_LOST_WRITE, 0);
        (void)store_twin_lose(false, false);
        return;
    }
    commit();
    if (lost) {
        lose_kind = -1;
        faults_came(READIED_LOST_ANSWER, 0);
        (void)store_twin_lose(true, false);
        return;
    }
    sim_at_if(travel(&store->out_at), on_batch_answer, NULL, 0, &connection, NULL);
}

static void on_read_answer(void *data, uint64_t number)
{
    g_ptr_array_remove(store->reading, data);
    op_finish(data);
}

static void on_read_arrival(void *data, uint64_t number)
{
    apply(data);
    sim_at_if(travel(&store->out_at), on_read_answer, data, 0, &connection, NULL);
}

/* What is about the same thing keeps its order: kinds are applied in theirs, so the later one waits. */
static bool fits(GArray *taken, const DbOp *op)
{
    bool ok = true;

    for (guint i = 0; i < taken->len; i += 2)
        for (unsigned k = 0; k < G_N_ELEMENTS(op->keys); k++)
            if (op->keys[k] && g_array_index(taken, uint64_t, i) == op->keys[k] &&
                (int)g_array_index(taken, uint64_t, i + 1) >= op->kind)
                ok = false;
    for (unsigned k = 0; k < G_N_ELEMENTS(op->keys); k++) {
        uint64_t kind = ok ? (uint64_t)op->kind : G_MAXINT;

        if (!op->keys[k])
            continue;
        g_array_append_val(taken, op->keys[k]);
        g_array_append_val(taken, kind);
    }
    return ok;
}

static int by_kind(gconstpointer a, gconstpointer b)
{
    return (*(DbOp *const *)a)->kind - (*(DbOp *const *)b)->kind;
}

static void send_batch(void)
{
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    bool waiting = false;

    store->batch = g_ptr_array_new();
    store->committed = false;
    for (GList *l = store->writes.head, *next; l; l = next) {
        DbOp *op = l->data;

        next = l->next;
        if ((waiting && op->kind == OP_CLAIM) || !fits(taken, op)) {
            waiting = true;
            continue;
        }
        op->epoch = store->epoch;
        g_ptr_array_add(store->batch, op);
        g_queue_delete_link(&store->writes, l);
    }
    g_ptr_array_sort(store->batch, by_kind);
    sim_at_if(travel(&store->in_at), on_batch_arrival, NULL, 0, &connection, NULL);
}

static void on_flush(void *data, uint64_t number)
{
    DbOp *op;

    store->flushing = false;
    for (guint n = store->lost.length; n > 0 && store; n--)
        op_finish(g_queue_pop_head(&store->lost));
    if (store->up && !store->batch && store->writes.length > 0)
        send_batch();
    while (store->up && (op = g_queue_pop_head(&store->reads))) {
        g_ptr_array_add(store->reading, op);
        sim_at_if(travel(&store->in_at), on_read_arrival, op, 0, &connection, NULL);
    }
}

static void flush_later(void)
{
    if (!store || store->flushing)
        return;
    store->flushing = true;
    sim_at_if(sim_now(), on_flush, NULL, 0, &lives, NULL);
}

static void lose_op(DbOp *op)
{
    op->r = -ENOTCONN;
    g_queue_push_tail(&store->lost, op);
    flush_later();
}

static int enqueue(DbOp *op)
{
    store->pending++;
    database.operations++;
    if (!store->up)
        lose_op(op);
    else
        g_queue_push_tail(op->kind < _OP_WRITE_MAX ? &store->writes : &store->reads, op);
    flush_later();
    return 0;
}

/* --- the connection --- */

static void on_connect(void *data, uint64_t number);

static void connect_later(uint64_t in)
{
    sim_at_if(sim_now() + in, on_connect, NULL, 0, &connection, NULL);
}

static void tell(StoreState state, const char *reason, const StoreLoaded *loaded)
{
    store->told = true;
    store->fn(state, reason, loaded, store->userdata);
}

static void on_loaded(void *data, uint64_t number)
{
    StoreLoaded loaded = store->loaded;

    store->loading = false;
    store->up = true;
    store->epoch = loaded.epoch;
    store->backoff = BACKOFF_MIN;
    tell(STORE_UP, NULL, &loaded);
    database_unload(&loaded);
}

static void on_take_node(void *data, uint64_t number)
{
    sim_trace("load", database.epoch + 1, 0, 0);
    database_load(&store->loaded, store->boot);
    store->loading = true;
    store->in_at = store->out_at = 0;
    sim_at_if(sim_now() + sim_latency(), on_loaded, NULL, 0, &connection, NULL);
}

static void on_connect(void *data, uint64_t number)
{
    if (sim_now() < down_until) {
        if (!store->told)
            tell(STORE_CONNECTING, "no connection to the database", NULL);
        connect_later(store->backoff);
        store->backoff = MIN(2 * store->backoff, BACKOFF_MAX);
        return;
    }
    sim_at_if(sim_now() + sim_latency(), on_take_node, NULL, 0, &connection, NULL);
}

static void drop_loading(void)
{
    if (store->loading)
        database_unload(&store->loaded);
    store->loading = false;
}

bool store_twin_lose(bool committed, bool unusable)
{
    bool was_up = store && store->up;
    DbOp *op;

    if (!store)
        return false;
    if (store->batch && !store->committed && committed)
        commit();
    drop_loading();
    connection++;
    store->up = false;
    for (guint i = 0; store->batch && i < store->batch->len; i++)
        lose_op(g_ptr_array_index(store->batch, i));
    g_clear_pointer(&store->batch, g_ptr_array_unref);
    for (guint i = 0; i < store->reading->len; i++)
        lose_op(g_ptr_array_index(store->reading, i));
    g_ptr_array_set_size(store->reading, 0);
    while ((op = g_queue_pop_head(&store->writes)))
        lose_op(op);
    while ((op = g_queue_pop_head(&store->reads)))
        lose_op(op);
    connect_later(unusable ? BACKOFF_MAX : store->backoff);
    if (was_up || !store->told)
        tell(unusable ? STORE_UNUSABLE : STORE_CONNECTING, "the connection to the database was lost", NULL);
    return was_up;
}

void store_twin_down_until(uint64_t when)
{
    down_until = MAX(down_until, when);
}

void store_twin_refuse(uint64_t run)
{
    refuse_run = run;
}

static int draw_write(void)
{
    static const int kinds[] = { OP_ASK, OP_SKIP, OP_BY_HAND, OP_REQUEUE, OP_RUNNING, OP_STOPPING, OP_CANCEL,
        OP_END, OP_MISSED, OP_CLAIM };

    return kinds[sim_draw(G_N_ELEMENTS(kinds))];
}

void store_twin_lose_write(void)
{
    lose_uncommitted = draw_write();
}

void store_twin_lose_answer(void)
{
    lose_kind = draw_write();
}

void store_twin_lose_given_back(void)
{
    lose_kind = OP_REQUEUE;
}

/* What is told while all is being loaded is kept until then. */
static void heard(
    const StoreHeard *h, void (*again)(void *data, uint64_t number), void *data, uint64_t number)
{
    store_twin_telling = true;
    if (store->up && store->heard)
        store->heard(h, store->userdata);
    store_twin_telling = false;
    if (store->loading)
        sim_at_if(sim_now() + sim_latency(), again, data, number, &connection, NULL);
}

static void on_task_heard(void *task, uint64_t number)
{
    heard(&(StoreHeard){ .kind = STORE_HEARD_TASK, .task = task }, on_task_heard, task, number);
}

static void on_run_heard(void *data, uint64_t run)
{
    const Row *row = database_find(run);
    StoreHeard h = {
        .kind = STORE_HEARD_RUN, .run = run, .state = row->run.state, .result = row->run.result
    };

    heard(&h, on_run_heard, data, run);
}

static void on_due_heard(void *data, uint64_t due)
{
    heard(&(StoreHeard){ .kind = STORE_HEARD_DUE, .due = due }, on_due_heard, data, due);
}

static void tell_later(void (*fn)(void *data, uint64_t number), void *data, uint64_t number)
{
    if (store && (store->up || store->loading))
        sim_at_if(travel(&store->out_at), fn, data, number, &connection, NULL);
}

void store_twin_tell_task(const char *task)
{
    tell_later(on_task_heard, (void *)g_intern_string(task), 0);
}

void store_twin_tell_run(uint64_t run)
{
    tell_later(on_run_heard, NULL, run);
    tell_later(on_due_heard, NULL, database_now());
}

void store_twin_refuse_claim(void)
{
    refuse_claim = true;
}

bool store_twin_idle(void)
{
    return !store || (store->up && store->pending == 0);
}

/* --- store.h: life --- */

int store_new(
    sd_event *event, Clock *clock, const StoreConfig *config, StoreStateFn fn, void *userdata, Store **ret)
{
    store = g_new0(struct Store, 1);
    store->fn = fn;
    store->heard = config->heard;
    store->userdata = userdata;
    store->stamp = config->manager_stamp;
    store->backoff = BACKOFF_MIN;
    store->reading = g_ptr_array_new();
    g_strlcpy(store->boot, config->boot_id, sizeof store->boot);
    *ret = store;
    return 0;
}

int store_start(Store *s)
{
    connect_later(sim_latency());
    return 0;
}

void store_set_manager_stamp(Store *s, uint64_t stamp)
{
    s->stamp = stamp;
}

static void cancel(DbOp *op)
{
    op->r = -ECANCELED;
    op_finish(op);
}

static void cancel_queue(GQueue *q)
{
    DbOp *op;

    while ((op = g_queue_pop_head(q)))
        cancel(op);
}

/* What the daemon sent before it went may arrive all the same. */
void store_free(Store *s)
{
    if (!s)
        return;
    if (s->batch && !s->committed && sim_chance(50))
        commit();
    s->up = false;
    drop_loading();
    connection++;
    for (guint i = 0; s->batch && i < s->batch->len; i++)
        cancel(g_ptr_array_index(s->batch, i));
    for (guint i = 0; i < s->reading->len; i++)
        cancel(g_ptr_array_index(s->reading, i));
    cancel_queue(&s->writes);
    cancel_queue(&s->reads);
    cancel_queue(&s->lost);
    g_clear_pointer(&s->batch, g_ptr_array_unref);
    g_ptr_array_unref(s->reading);
    lives++;
    g_free(s);
    store = NULL;
    refuse_run = 0;
}

unsigned store_pending(const Store *s)
{
    return s->pending;
}

void store_twin_forget(void)
{
    refuse_claim = false;
    lose_uncommitted = lose_kind = -1;
    down_until = refuse_run = 0;
}

/* --- store.h: operations --- */

static uint64_t key_of(char kind, const char *a, const char *b)
{
    return ((uint64_t)(unsigned char)kind << 56) | (((uint64_t)g_str_hash(a) << 20) ^ g_str_hash(b));
}

static void answer_outcome(DbOp *op)
{
    ((StoreOutcomeFn)op->fn)(op->r, op->cause, op->cause_at, NULL, op->userdata);
}

static DbOp *owner_op(int kind, const StoreOwner *o, void (*fn)(void), void *userdata)
{
    DbOp *op = db_op_new(kind, fn, userdata);

    op->answer = answer_outcome;
    op->run = o->run;
    op->attempt = o->attempt;
    g_strlcpy(op->token, o->token, sizeof op->token);
    op->keys[0] = o->run;
    return op;
}

int store_running(Store *s, const StoreOwner *o, const char *invocation_id, uint64_t started,
    StoreOutcomeFn fn, void *userdata)
{
    DbOp *op = owner_op(OP_RUNNING, o, (void (*)(void))fn, userdata);

    g_strlcpy(op->invocation, invocation_id, sizeof op->invocation);
    op->started = started;
    return enqueue(op);
}

int store_stopping(
    Store *s, const StoreOwner *o, RunResult cause, const char *reason, StoreOutcomeFn fn, void *userdata)
{
    DbOp *op = owner_op(OP_STOPPING, o, (void (*)(void))fn, userdata);

    op->cause = cause;
    g_strlcpy(op->reason, util_strempty(reason), sizeof op->reason);
    return enqueue(op);
}

int store_requeue(
    Store *s, const StoreOwner *o, const char *reason, uint64_t in_usec, StoreOutcomeFn fn, void *userdata)
{
    DbOp *op = owner_op(OP_REQUEUE, o, (void (*)(void))fn, userdata);

    op->in_usec = in_usec / 1000 * 1000;
    g_strlcpy(op->reason, util_strempty(reason), sizeof op->reason);
    return enqueue(op);
}

static void answer_end(DbOp *op)
{
    ((StoreEndFn)op->fn)(op->r, op->result, op->state, op->due, NULL, op->userdata);
}

int store_end(Store *s, const StoreEnd *e, StoreEndFn fn, void *userdata)
{
    DbOp *op = owner_op(OP_END, &e->owner, (void (*)(void))fn, userdata);

    op->answer = answer_end;
    op->result = e->result;
    op->text = g_strdup(e->output);
    g_strlcpy(op->reason, util_strempty(e->reason), sizeof op->reason);
    op->code = e->exit_code;
    op->status = e->exit_status;
    op->finished = e->finished;
    op->started = e->started;
    op->again = e->again;
    op->killed = e->killed;
    op->in_usec = e->again ? e->again_in_usec / 1000 * 1000 : 0;
    return enqueue(op);
}

static void answer_cancel(DbOp *op)
{
    ((StoreCancelFn)op->fn)(op->r, &op->cancelled, op->userdata);
}

int store_cancel(Store *s, uint64_t run, const char *reason, StoreCancelFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_CANCEL, (void (*)(void))fn, userdata);

    op->answer = answer_cancel;
    op->run = op->keys[0] = run;
    op->cancelled.cause_at = UNSET;
    g_strlcpy(op->reason, reason, sizeof op->reason);
    return enqueue(op);
}

static void answer_claim(DbOp *op)
{
    StoreClaimed c = { op->runs, op->changes, op->due, op->deadline };

    ((StoreClaimFn)op->fn)(op->r, op->r < 0 ? NULL : &c, op->userdata);
    for (guint i = 0; op->r >= 0 && i < op->changes->len; i++) {
        const StoreChange *change = &g_array_index(op->changes, StoreChange, i);

        if (change->state >= RUN_STARTING && change->state <= RUN_STOPPING)
            check_told_to_end(change->run);
    }
}

int store_claim(Store *s, unsigned limit, StoreClaimFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_CLAIM, (void (*)(void))fn, userdata);

    op->answer = answer_claim;
    op->limit = limit;
    op->stamp = s->stamp;
    op->monotonic = sim_monotonic();
    op->keys[0] = key_of('c', "", "");
    g_strlcpy(op->boot, s->boot, sizeof op->boot);
    return enqueue(op);
}

static void answer_ask(DbOp *op)
{
    ((StoreAskFn)op->fn)(op->r, &op->asked, NULL, op->userdata);
}

int store_ask(Store *s, const StoreAsk *a, StoreAskFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_ASK, (void (*)(void))fn, userdata);

    op->answer = answer_ask;
    g_strlcpy(op->requester, a->requester, sizeof op->requester);
    g_strlcpy(op->task, a->task, sizeof op->task);
    g_strlcpy(op->name, util_strempty(a->schedule), sizeof op->name);
    op->text = g_strdup(a->token);
    op->revision = a->revision;
    op->priority = a->priority;
    op->due = a->due;
    op->grace = a->grace_usec;
    op->retry_of = a->retry_of;
    op->nominal = a->schedule ? a->nominal : UNSET;
    op->previous = a->schedule ? a->previous : UNSET;
    op->max_runs = a->max_runs ? a->max_runs : UNSET;
    op->deadline = a->deadline ? a->deadline : UNSET;
    op->ended = a->ended ? a->ended : UNSET;
    op->places = a->places;
    op->overlap = a->overlap ? (int)overlap_from_string(a->overlap) : OVERLAP_ALLOW;
    op->very_late = a->schedule && sim_real() > a->nominal + 2 * USEC_PER_SEC;
    op->keys[0] = key_of('a', a->requester, a->token);
    op->keys[1] = a->schedule ? key_of('s', a->task, a->schedule) : 0;
    if (a->schedule) {
        check_pause(a->task, a->schedule, a->nominal, "");
        check_deadline(a->task, a->nominal, "");
        check_window(a->task, a->nominal, a->nominal, "");
    }
    return enqueue(op);
}

int store_twin_send(DbOp *op)
{
    op->keys[0] = key_of('s', op->task, op->name);
    op->keys[1] = key_of('t', op->task, "");
    return enqueue(op);
}

static void answer_done(DbOp *op)
{
    ((StoreDoneFn)op->fn)(op->r, NULL, op->userdata);
}

/* What is enabled goes on from now, by the clock as it is now. */
static uint64_t told_paused(const DbOp *op, uint64_t before)
{
    if (op->paused_until == UNSET)
        return before;
    return op->enabled > 0 ? MIN(op->paused_until, sim_real()) : op->paused_until;
}

static void answer_enabled(DbOp *op)
{
    TaskRow *t = op->r < 0 ? NULL : database_task(op->task);
    ScheduleRow *s = t && *op->name ? database_schedule(op->task, op->name) : NULL;

    if (s)
        s->told_paused = told_paused(op, s->told_paused);
    else if (t && !*op->name)
        t->told_paused = told_paused(op, t->told_paused);
    answer_done(op);
}

static void answer_skip(DbOp *op)
{
    ((StoreSkipFn)op->fn)(op->r, op->asked.last, NULL, op->userdata);
}

int store_skip(Store *s, const StoreSkip *k, StoreSkipFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_SKIP, (void (*)(void))fn, userdata);

    op->answer = answer_skip;
    g_strlcpy(op->task, k->task, sizeof op->task);
    g_strlcpy(op->name, k->schedule, sizeof op->name);
    op->revision = k->revision;
    op->previous = k->previous;
    op->first = k->first;
    op->nominal = k->last;
    op->count = k->count;
    op->ended = k->ended;
    op->flag = strcmp(k->cause, "by-hand") == 0;
    op->passes = !*k->cause;
    op->keys[0] = key_of('s', k->task, k->schedule);
    if (op->passes)
        return enqueue(op);
    check_pause(k->task, k->schedule, k->last, k->cause);
    check_deadline(k->task, k->last, k->cause);
    check_window(k->task, k->first, k->last, k->cause);
    return enqueue(op);
}

static GArray *copy_skips(const GArray *skips)
{
    GArray *copy = g_array_new(FALSE, FALSE, sizeof(DbSkip));

    for (guint i = 0; skips && i < skips->len; i++) {
        const StoreSkip *k = &g_array_index(skips, StoreSkip, i);
        DbSkip d = { "", k->previous, k->first, k->last, k->count };

        g_strlcpy(d.name, k->schedule, sizeof d.name);
        g_array_append_val(copy, d);
    }
    return copy;
}

static void answer_number(DbOp *op)
{
    ((StoreNumberFn)op->fn)(op->r, op->revision, NULL, op->userdata);
}

int store_put_task(Store *s, const StorePutTask *t, StoreNumberFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_PUT_TASK, (void (*)(void))fn, userdata);

    op->answer = answer_number;
    g_strlcpy(op->task, t->name, sizeof op->task);
    op->text = g_strdup(t->definition);
    op->flag = strcmp(t->origin, "file") == 0;
    g_strlcpy(op->name, util_strempty(t->node), sizeof op->name);
    op->since = t->since;
    op->again = t->expects;
    op->skips = copy_skips(t->skips);
    op->names = g_ptr_array_new_with_free_func(g_free);
    for (const char *const *name = t->schedules; name && *name; name++)
        g_ptr_array_add(op->names, g_strdup(*name));
    op->follows = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < op->names->len; i++)
        g_ptr_array_add(op->follows, g_strdup(t->follows ? t->follows[i] : ""));
    op->keys[0] = key_of('t', t->name, "");
    return enqueue(op);
}

int store_delete_task(Store *s, const char *name, const GArray *skips, StoreDoneFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_DELETE_TASK, (void (*)(void))fn, userdata);

    op->answer = answer_done;
    op->skips = copy_skips(skips);
    g_strlcpy(op->task, name, sizeof op->task);
    op->keys[0] = key_of('t', name, "");
    return enqueue(op);
}

int store_set_enabled(Store *s, const StoreEnable *e, StoreDoneFn fn, void *userdata)
{
    DbOp *op = db_op_new(e->schedule ? OP_ENABLE_SCHEDULE : OP_ENABLE_TASK, (void (*)(void))fn, userdata);

    op->answer = answer_enabled;
    g_strlcpy(op->task, e->task, sizeof op->task);
    g_strlcpy(op->name, util_strempty(e->schedule), sizeof op->name);
    op->enabled = e->enabled;
    op->off_until = e->off_until;
    op->paused_until = e->paused_until;
    op->keys[0] = key_of('t', e->task, "");
    return enqueue(op);
}
