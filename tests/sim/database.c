/* The database's twin: rows in memory, and what each operation of src/store does to them, statement by statement as
 * PostgreSQL would. An operation is one transaction here: it is applied whole or not at all. */
#include "sim.h"

#include <string.h>

#include "store/op.h"

#define NODE "node"

Database database;

static void row_free(Row *row)
{
    g_ptr_array_unref(row->truths);
    g_free(row);
}

static void task_row_free(TaskRow *t)
{
    g_ptr_array_unref(t->definitions);
    g_free((char *)t->name);
    g_free(t);
}

void database_reset(void)
{
    database_clear();
    database.rows = g_ptr_array_new_with_free_func((GDestroyNotify)row_free);
    database.tasks = g_ptr_array_new_with_free_func((GDestroyNotify)task_row_free);
    database.schedules = g_ptr_array_new_with_free_func(schedule_row_free);
    database.slots = g_ptr_array_new_with_free_func(g_free);
    database.asks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void database_clear(void)
{
    g_clear_pointer(&database.rows, g_ptr_array_unref);
    g_clear_pointer(&database.tasks, g_ptr_array_unref);
    g_clear_pointer(&database.schedules, g_ptr_array_unref);
    g_clear_pointer(&database.slots, g_ptr_array_unref);
    g_clear_pointer(&database.asks, g_hash_table_unref);
    database = (Database){ 0 };
}

uint64_t database_now(void)
{
    return sim_real() + sim.database_ahead;
}

Row *database_find(uint64_t run)
{
    return run >= 1 && run <= database.rows->len ? g_ptr_array_index(database.rows, run - 1) : NULL;
}

Truth *database_truth(uint64_t run, unsigned attempt, const char *token)
{
    Row *row = database_find(run);
    Truth *t;

    if (!row || attempt < 1 || attempt > row->truths->len)
        return NULL;
    t = g_ptr_array_index(row->truths, attempt - 1);
    return strcmp(t->token, token) == 0 ? t : NULL;
}

TaskRow *database_task(const char *name)
{
    for (guint i = 0; i < database.tasks->len; i++) {
        TaskRow *t = g_ptr_array_index(database.tasks, i);

        if (strcmp(t->name, name) == 0)
            return t;
    }
    return NULL;
}

ScheduleRow *database_schedule(const char *task, const char *name)
{
    for (guint i = 0; i < database.schedules->len; i++) {
        ScheduleRow *s = g_ptr_array_index(database.schedules, i);

        if (strcmp(s->task, task) == 0 && strcmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

/* Of a key of the definition that was in force so many revisions before. */
static uint64_t database_number(const char *task, const char *name, unsigned before)
{
    const TaskRow *t = database_task(task);
    const char *key = t ? strstr(g_ptr_array_index(t->definitions, t->revision - 1 - before), name) : NULL;

    return key ? g_ascii_strtoull(key + strlen(name), NULL, 10) : UNSET;
}

uint64_t database_max_runs(const ScheduleRow *s, unsigned before)
{
    return database_number(s->task, MAX_RUNS, before);
}

uint64_t database_start_deadline(const char *task)
{
    uint64_t seconds = database_number(task, DEADLINE, 0);

    return seconds == UNSET ? UNSET : seconds * USEC_PER_SEC;
}

uint64_t database_expected(const char *task)
{
    uint64_t every = database_number(task, EXPECTED, 0), within = database_number(task, WITHIN, 0);

    return every == UNSET ? UNSET : (every + (within != UNSET ? within : 0)) * USEC_PER_SEC;
}

/* --- what is given out --- */

StoreRun *database_copy(const Row *row)
{
    StoreRun *r = g_memdup2(&row->run, sizeof row->run);

    r->task = g_strdup(row->run.task);
    r->reason = g_strdup(row->reason);
    r->queue = g_strdup("default");
    r->node = g_strdup(NODE);
    r->token = g_strdup(row->token);
    r->unit = exec_unit_name(r->id, r->attempt);
    r->invocation_id = g_strdup(row->invocation);
    r->schedule = g_strdup(row->schedule);
    r->requester = g_strdup(row->requester);
    r->boot_id = g_strdup(row->boot);
    r->overlap = g_strdup(row->run.overlap);
    return r;
}

static bool state_is_owned(RunState s)
{
    return s == RUN_STARTING || s == RUN_RUNNING || s == RUN_STOPPING;
}

static void load_tasks(StoreLoaded *ret)
{
    for (guint i = 0; i < database.tasks->len; i++) {
        TaskRow *t = g_ptr_array_index(database.tasks, i);
        StoreTask copy = database_task_of(t);

        if (!t->deleted)
            g_ptr_array_add(ret->tasks, g_memdup2(&copy, sizeof copy));
    }
    for (guint i = 0; i < database.schedules->len; i++)
        database_add_schedule(ret->schedules, g_ptr_array_index(database.schedules, i));
}

void database_load(StoreLoaded *ret, const char *boot)
{
    *ret = (StoreLoaded){ ++database.epoch, g_ptr_array_new_with_free_func(g_free), database_schedules_new(),
        g_ptr_array_new_with_free_func((GDestroyNotify)store_run_free), UNSET, UNSET, 0, true,
        g_array_new(FALSE, FALSE, sizeof(StoreLateRun)) };
    load_tasks(ret);
    for (guint i = 0; i < database.rows->len; i++) {
        Row *row = g_ptr_array_index(database.rows, i);

        if (*row->schedule && row->chain == CHAIN_NONE && row->run.state != RUN_DONE &&
            row->run.asked > row->run.nominal) {
            StoreLateRun late = { row->run.id, row->run.task, row->schedule };

            g_array_append_val(ret->late, late);
        }
        if (state_is_owned(row->run.state)) {
            row->run.epoch = database.epoch;
            g_ptr_array_add(ret->runs, database_copy(row));
        } else if (row->run.state <= RUN_QUEUED) {
            if (row->place != PLACE_HELD)
                ret->next_due = MIN(ret->next_due, row->run.due);
            ret->next_deadline = MIN(ret->next_deadline, row->run.deadline);
            ret->n_waiting++;
        }
    }
    database_boot(boot);
}

void database_unload(StoreLoaded *loaded)
{
    g_ptr_array_unref(loaded->tasks);
    g_ptr_array_unref(loaded->schedules);
    g_ptr_array_unref(loaded->runs);
    g_array_unref(loaded->late);
}

/* --- operations --- */

DbOp *db_op_new(int kind, void (*fn)(void), void *userdata)
{
    DbOp *op = g_new0(DbOp, 1);

    op->kind = kind;
    op->fn = fn;
    op->userdata = userdata;
    op->nominal = op->previous = op->max_runs = op->off_until = op->paused_until = op->finished =
        op->started = op->ended = UNSET;
    return op;
}

void db_op_free(DbOp *op)
{
    g_free(op->text);
    if (op->names)
        g_ptr_array_unref(op->names);
    if (op->follows)
        g_ptr_array_unref(op->follows);
    if (op->followers)
        g_array_unref(op->followers);
    if (op->skips)
        g_array_unref(op->skips);
    if (op->times)
        g_array_unref(op->times);
    if (op->runs)
        g_ptr_array_unref(op->runs);
    if (op->changes)
        g_array_unref(op->changes);
    g_free(op);
}

/* The guard: node, epoch, attempt and token of the claim. */
static bool row_is_ours(const Row *row, const DbOp *op)
{
    return row && row->run.attempt == op->attempt && row->run.epoch == op->epoch &&
           strcmp(row->token, op->token) == 0;
}

static void take_cause(const Row *row, DbOp *op)
{
    op->cause = row ? row->run.cause : RUN_RESULT_NONE;
    op->cause_at = row ? row->run.cause_at : UNSET;
}

void database_set_cause(Row *row, RunResult cause)
{
    if (row->first == RUN_RESULT_NONE)
        row->first = cause;
    if (row->run.cause != RUN_RESULT_NONE || cause == RUN_RESULT_NONE)
        return;
    row->run.cause = cause;
    row->run.cause_at = database_now();
}

void database_clear_cause(Row *row)
{
    row->run.cause = row->first = RUN_RESULT_NONE;
    row->run.cause_at = UNSET;
}

void database_set_done(Row *row, RunResult result)
{
    bool frees = row->place == PLACE_TAKEN || (row->place == PLACE_WANTED && row->run.state == RUN_QUEUED);

    row->run.state = RUN_DONE;
    row->run.result = result;
    row->n_done++;
    if (frees)
        database_release(row->run.task);
    database_follow(row);
    database_backfill_over(row);
    sim_trace("done", row->run.id, (uint64_t)result, row->run.attempt);
}

static void apply_running(DbOp *op)
{
    Row *row = database_find(op->run);
    const Truth *t = database_truth(op->run, op->attempt, op->token);
    bool ours = row_is_ours(row, op);

    if (ours && row->run.state == RUN_STARTING) {
        row->run.state = RUN_RUNNING;
        g_strlcpy(row->invocation, op->invocation, sizeof row->invocation);
        row->run.started = op->started != UNSET ? op->started : database_now();
        row->began = true;
        op->r = STORE_RECORDED;
    } else {
        op->r =
            (t && t->recorded) || (ours && (row->run.state == RUN_RUNNING || row->run.state == RUN_STOPPING))
                ? STORE_RECORDED_BEFORE
                : STORE_NOT_YOURS;
    }
    take_cause(row, op);
}

static void apply_stopping(DbOp *op)
{
    Row *row = database_find(op->run);
    const Truth *t = database_truth(op->run, op->attempt, op->token);
    bool ours = row_is_ours(row, op);

    if (ours && (row->run.state == RUN_STARTING || row->run.state == RUN_RUNNING ||
                    (row->run.state == RUN_STOPPING && row->run.cause == RUN_RESULT_NONE &&
                        op->cause != RUN_RESULT_NONE))) {
        check_stopping(row, t, op);
        check_cut(row, op->reason);
        row->run.state = RUN_STOPPING;
        if (row->run.cause == RUN_RESULT_NONE && *op->reason)
            g_strlcpy(row->reason, op->reason, sizeof row->reason);
        database_set_cause(row, op->cause);
        op->r = STORE_RECORDED;
    } else {
        op->r = (t && t->recorded) || (ours && row->run.state == RUN_STOPPING) ? STORE_RECORDED_BEFORE
                                                                               : STORE_NOT_YOURS;
    }
    take_cause(row, op);
}

static void apply_requeue(DbOp *op)
{
    Row *row = database_find(op->run);
    Truth *t = database_truth(op->run, op->attempt, op->token);

    if (!row_is_ours(row, op) || row->run.state != RUN_STARTING) {
        op->r = t && (t->recorded || t->given_back) ? STORE_RECORDED_BEFORE : STORE_NOT_YOURS;
        take_cause(row, op);
        return;
    }
    check_given_back(row, t);
    t->given_back = true;
    row->run.due = database_now() + op->in_usec;
    if (row->no_more) {
        database_set_done(row, row->run.cause);
    } else {
        row->run.state = op->in_usec > 0 ? RUN_WAITING : RUN_QUEUED;
        g_strlcpy(row->reason, op->reason, sizeof row->reason);
        database_clear_cause(row);
    }
    op->r = STORE_RECORDED;
    take_cause(row, op);
}

static void apply_end(DbOp *op)
{
    Row *row = database_find(op->run);
    Truth *t = database_truth(op->run, op->attempt, op->token);
    bool caused, more, own;
    RunResult result;

    if (!row_is_ours(row, op) || !state_is_owned(row->run.state)) {
        op->r = t && t->recorded ? STORE_RECORDED_BEFORE : STORE_NOT_YOURS;
        op->result = t ? t->record : RUN_RESULT_NONE;
        if (row && row->run.state == RUN_DONE)
            op->result = row->run.result; /* it may have been cancelled since, or tried again */
        op->state = row ? row->run.state : _RUN_STATE_INVALID;
        op->due = row ? row->run.due : UNSET;
        return;
    }
    check_end(row, t, op);
    check_cut(row, op->reason);
    caused = row->run.cause != RUN_RESULT_NONE &&
             (op->killed || op->finished == UNSET || op->finished >= row->run.cause_at);
    result = caused ? row->run.cause : op->result;
    own = result != RUN_CANCELLED && result != RUN_SKIPPED && result != RUN_EXPIRED;
    row->began = row->began || own || op->started != UNSET;
    more = op->again && !row->no_more && row->run.cause != RUN_CANCELLED && own;
    if (t) {
        t->recorded = true;
        t->record = result;
    }
    if (!caused || !*row->reason)
        g_strlcpy(row->reason, op->reason, sizeof row->reason);
    if (op->started != UNSET)
        row->run.started = op->started;
    if (more) {
        row->run.state = RUN_WAITING;
        row->run.due = database_now() + op->in_usec;
        row->run.deadline = UNSET;
        database_clear_cause(row);
    } else {
        row->run.finished = op->finished != UNSET ? op->finished : database_now();
        row->run.exit_code = op->code;
        row->run.exit_status = op->status;
        database_set_done(row, result);
        if (result == RUN_SUCCESS)
            database_succeeded(row);
    }
    op->r = STORE_RECORDED;
    op->result = result;
    op->state = row->run.state;
    op->due = row->run.due;
}

static void apply_cancel(DbOp *op)
{
    Row *row = database_find(op->run);

    if (!row) {
        op->r = -ENOENT;
        return;
    }
    op->cancelled =
        (StoreCancelled){ row->run.state, row->run.result, row->run.state == RUN_DONE, row->run.cause_at };
    if (row->run.state == RUN_DONE || row->no_more)
        return;
    if (row->run.cause == RUN_RESULT_NONE)
        g_strlcpy(row->reason, op->reason, sizeof row->reason);
    row->no_more = true;
    database_set_cause(row, RUN_CANCELLED);
    if (row->run.state <= RUN_QUEUED || row->run.state == RUN_PAUSED) {
        database_set_done(row, RUN_CANCELLED);
        op->cancelled.freed =
            row->place == PLACE_TAKEN || row->place == PLACE_WANTED || row->chain != CHAIN_NONE;
    }
    op->cancelled.state = row->run.state;
    op->cancelled.result = row->run.result;
    op->cancelled.cause_at = row->run.cause_at;
}

/* --- the ledger --- */

static void ledger_add(ScheduleRow *s, uint64_t first, uint64_t last, uint64_t run, bool by_hand)
{
    SlotRow *slot = g_new0(SlotRow, 1);

    s->last_nominal = last;
    by_hand_pass(&s->by_hand, last);
    database_pass_ends(s);
    *slot = (SlotRow){ .first = first, .last = last, .run = run, .by_hand = by_hand };
    g_snprintf(slot->schedule, sizeof slot->schedule, "%s/%s", s->task, s->name);
    g_ptr_array_add(database.slots, slot);
}

/* The guard against gaps and second outcomes: the ledger has come to where the daemon knows it to be. */
static bool ledger_is_at(const ScheduleRow *s, uint64_t previous)
{
    return s->last_nominal == previous;
}

static bool slot_is_next(DbOp *op)
{
    const ScheduleRow *s = database_schedule(op->task, op->name);
    const TaskRow *t = database_task(op->task);

    if (!s || !t || t->revision != op->revision) {
        op->r = -ENOENT;
        return false;
    }
    op->asked.last = s->last_nominal;
    op->asked.fired = s->fired;
    return s->fired < op->max_runs && ledger_is_at(s, op->previous) && database_follows(s, op) &&
           (s->last_nominal == UNSET || s->last_nominal < op->nominal);
}

static bool slot_is_open(const DbOp *op)
{
    const ScheduleRow *s = database_schedule(op->task, op->name);

    if (s && !database_is_on(s, op->nominal))
        return false;
    return !s || !by_hand_find(s->by_hand, op->nominal);
}

static void slot_fires(DbOp *op, uint64_t run)
{
    ScheduleRow *s = database_schedule(op->task, op->name);

    check_slots(s, op->nominal, op->nominal, 1, true);
    check_by_hand(s, op->nominal, op->nominal, false);
    check_on(s, op->nominal);
    if (schedule_row_follows(s)) {
        check_follows(s, op->nominal);
        s->under_way = schedule_row_boots(s) || schedule_row_queues(s) ? UNSET : op->nominal;
    }
    s->last_fired = op->nominal;
    g_strlcpy(s->fired_in, database.boot, sizeof s->fired_in);
    if (op->very_late)
        check_one_by_one(s);
    ledger_add(s, op->nominal, op->nominal, run, false);
    op->asked.last = op->nominal;
    op->asked.fired = ++s->fired;
    check_fired(s);
}

/* It is not asked for, and skipped. */
static void slot_overlaps(DbOp *op)
{
    ScheduleRow *s = op->nominal != UNSET ? database_schedule(op->task, op->name) : NULL;

    if (!s)
        return;
    check_slots(s, op->nominal, op->nominal, 1, false);
    check_by_hand(s, op->nominal, op->nominal, false);
    if (schedule_row_follows(s))
        check_follows(s, op->nominal);
    ledger_add(s, op->nominal, op->nominal, 0, false);
    op->asked.last = op->nominal;
}

/* A slot's token names schedule and time: one that is made anew under the name is answered with the run of the first, and
 * passes it. So does one that was backfilled while its schedule was disabled: its run stands in the ledger. */
static void slot_is_known(DbOp *op, const Row *row)
{
    ScheduleRow *s = op->nominal != UNSET ? database_schedule(op->task, op->name) : NULL;

    op->asked.last = s ? s->last_nominal : UNSET;
    op->asked.fired = s ? s->fired : UNSET;
    if (s && slot_is_next(op) && slot_is_open(op)) {
        if (row->chain != CHAIN_NONE) {
            ledger_add(s, op->nominal, op->nominal, row->run.id, false);
            ((SlotRow *)g_ptr_array_index(database.slots, database.slots->len - 1))->backfilled = true;
        }
        op->asked.last = s->last_nominal = op->nominal;
        by_hand_pass(&s->by_hand, op->nominal);
        database_pass_ends(s);
    }
    op->r = 0;
}

/* Of a definition that ends: what has its outcome by now keeps it. */
static void skip_rest(ScheduleRow *s, const GArray *skips)
{
    for (guint i = 0; i < skips->len; i++) {
        const DbSkip *k = &g_array_index(skips, DbSkip, i);
        uint64_t from = k->first;
        bool at = ledger_is_at(s, k->previous);

        if (strcmp(k->name, s->name) != 0 || (s->last_nominal != UNSET && s->last_nominal >= k->last))
            continue;
        if (!at && s->last_nominal != UNSET)
            from = MAX(from, s->last_nominal + 1);
        if (!schedule_row_follows(s)) /* what it follows may be another by now */
            check_slots(s, from, k->last, at ? k->count : 0, false);
        ledger_add(s, from, k->last, 0, false);
    }
}

/* Ends that nobody knew of who changed or deleted it. */
static void skip_ends(ScheduleRow *s)
{
    if (s->ends && s->ends->len > 0)
        ledger_add(s, g_array_index(s->ends, DbEnd, 0).at, g_array_index(s->ends, DbEnd, s->ends->len - 1).at,
            0, false);
    check_ends_closed(s);
}

static void apply_ask(DbOp *op)
{
    g_autofree char *key = g_strdup_printf("%s\n%s", op->requester, op->text);
    uint64_t known = GPOINTER_TO_SIZE(g_hash_table_lookup(database.asks, key)), id = database.rows->len + 1;
    const TaskRow *task = database_task(op->task);
    Row *row;

    if (known > 0) {
        row = g_ptr_array_index(database.rows, known - 1);
        op->asked = (StoreAsked){ known, false, row->run.state, row->run.due, UNSET, UNSET, NULL };
        slot_is_known(op, row);
        return;
    }
    op->asked = (StoreAsked){ 0, false, RUN_DONE, UNSET, UNSET, UNSET, NULL };
    g_assert(task);
    if (op->nominal != UNSET && (!slot_is_next(op) || !slot_is_open(op)))
        return;
    op->asked.reason = database_blocked(op);
    if (op->asked.reason) {
        check_overlap(op->task, NULL);
        slot_overlaps(op);
        return;
    }
    row = database_add(op);
    row->very_late = op->very_late && row->run.asked > op->nominal; /* nor was the clock set back meanwhile */
    g_hash_table_insert(database.asks, g_steal_pointer(&key), GSIZE_TO_POINTER(id));
    op->asked = (StoreAsked){ id, true, row->run.state, row->run.due, UNSET, UNSET, NULL };
    if (op->nominal != UNSET) {
        const ScheduleRow *s = database_schedule(op->task, op->name);

        row->run.after_run = database_end_run(s, op->nominal);
        if (schedule_row_queues(s))
            check_after(row);
        slot_fires(op, id);
    }
    sim_trace("asked", id, row->run.due, 0);
}

static void apply_skip(DbOp *op)
{
    ScheduleRow *s = database_schedule(op->task, op->name);

    if (!slot_is_next(op) || !database_is_by_hand(s, op))
        return;
    if (op->passes) {
        check_passed(s, op->first, op->nominal);
        s->last_nominal = op->nominal;
        database_pass_ends(s);
    } else {
        check_slots(s, op->first, op->nominal, op->count, false);
        check_by_hand(s, op->first, op->nominal, op->flag);
        ledger_add(s, op->first, op->nominal, 0, op->flag);
    }
    op->asked.last = op->nominal;
    op->r = 1;
    sim_trace("skipped", op->first, op->nominal, op->count);
}

/* --- tasks --- */

static void put_schedules(const DbOp *op, bool same)
{
    for (guint i = database.schedules->len; i > 0; i--) {
        ScheduleRow *s = g_ptr_array_index(database.schedules, i - 1);
        bool there = false;

        if (strcmp(s->task, op->task) != 0)
            continue;
        for (guint j = 0; j < op->names->len; j++)
            there = there || strcmp(g_ptr_array_index(op->names, j), s->name) == 0;
        if (!same) {
            skip_rest(s, op->skips);
            skip_ends(s);
            check_closed(s, op->since);
        }
        if (!there)
            g_ptr_array_remove_index(database.schedules, i - 1);
        else if (!same)
            s->since = op->since;
        for (guint j = 0; there && !same && j < op->names->len; j++)
            if (strcmp(g_ptr_array_index(op->names, j), s->name) == 0)
                database_set_follows(s, g_ptr_array_index(op->follows, j));
    }
    for (guint j = 0; j < op->names->len; j++) {
        ScheduleRow *s = database_schedule(op->task, g_ptr_array_index(op->names, j));

        if (s)
            continue;
        s = g_new0(ScheduleRow, 1);
        g_strlcpy(s->task, op->task, sizeof s->task);
        g_strlcpy(s->name, g_ptr_array_index(op->names, j), sizeof s->name);
        s->enabled = -1;
        s->last_nominal = s->off_until = s->paused_until = s->told_paused = s->ended = s->under_way =
            s->last_fired = UNSET;
        database_set_follows(s, g_ptr_array_index(op->follows, j));
        s->since = op->since;
        g_ptr_array_add(database.schedules, s);
    }
}

static void put_expected(TaskRow *t, const DbOp *op)
{
    if (op->again && t->expect_since == UNSET)
        t->expect_since = op->since;
    if (!op->again)
        t->expect_since = t->expect_success = t->missed = t->missed_run = UNSET;
}

static void apply_put_task(DbOp *op)
{
    TaskRow *t = database_task(op->task);
    bool same;

    if (!t) {
        t = g_new0(TaskRow, 1);
        t->name = g_strdup(op->task);
        t->definitions = g_ptr_array_new_with_free_func(g_free);
        t->enabled = true;
        t->paused_until = t->told_paused = UNSET;
        t->expect_since = t->expect_success = t->missed = t->missed_run = UNSET;
        g_ptr_array_add(database.tasks, t);
    }
    same = t->revision > 0 && strcmp(g_ptr_array_index(t->definitions, t->revision - 1), op->text) == 0;
    if (!same) {
        g_ptr_array_add(t->definitions, g_strdup(op->text));
        t->revision = t->definitions->len;
    }
    t->origin = op->flag ? "file" : "api";
    g_strlcpy(t->node, op->name, sizeof t->node);
    t->enabled = t->enabled || t->deleted;
    if (t->deleted)
        t->paused_until = t->told_paused = UNSET;
    t->deleted = false;
    put_expected(t, op);
    put_schedules(op, same);
    op->revision = t->revision;
    sim_trace("task", t->revision, same, 0);
}

/* A schedule that is made anew under this name is another one: its first slots may be times that this one had, where the
 * clock was set back meanwhile. */
static void forget_slots(const ScheduleRow *s)
{
    g_autofree char *name = g_strdup_printf("%s/%s", s->task, s->name);

    for (guint i = 0; i < database.slots->len; i++) {
        SlotRow *slot = g_ptr_array_index(database.slots, i);

        if (strcmp(slot->schedule, name) == 0)
            g_snprintf(slot->schedule, sizeof slot->schedule, "%s, deleted as %u", name, database.operations);
    }
}

static void apply_delete_task(DbOp *op)
{
    TaskRow *t = database_task(op->task);

    for (guint i = database.schedules->len; i > 0; i--) {
        ScheduleRow *s = g_ptr_array_index(database.schedules, i - 1);

        if (strcmp(s->task, op->task) != 0)
            continue;
        skip_rest(s, op->skips);
        skip_ends(s);
        forget_slots(s);
        g_ptr_array_remove_index(database.schedules, i - 1);
    }
    if (!t || t->deleted) {
        op->r = -ENOENT;
        return;
    }
    t->deleted = true;
    t->expect_since = t->expect_success = t->missed = t->missed_run = UNSET;
}

static void apply_enable_task(DbOp *op)
{
    TaskRow *t = database_task(op->task);

    if (!t || t->deleted) {
        op->r = -ENOENT;
        return;
    }
    for (guint i = 0; i < database.schedules->len; i++) {
        ScheduleRow *s = g_ptr_array_index(database.schedules, i);

        if (strcmp(s->task, op->task) != 0)
            continue;
        if (op->enabled != 1 && t->enabled && daemon_twin.well)
            check_kept(s);
        if (op->enabled == 1 && !t->enabled && op->off_until != UNSET)
            s->off_until = op->off_until;
    }
    if (op->enabled != 1 && t->enabled && daemon_twin.well)
        check_expected(t);
    if (op->enabled == 1 && !t->enabled && op->off_until != UNSET && t->expect_since != UNSET) {
        t->expect_since = op->off_until;
        t->missed = t->missed_run = UNSET;
        t->told_missed = 0; /* where the clock was set back its next silence may have the same end */
    }
    if (op->enabled >= 0)
        t->enabled = op->enabled > 0;
    if (op->paused_until != UNSET)
        t->paused_until = op->paused_until;
}

static void apply_enable_schedule(DbOp *op)
{
    ScheduleRow *s = database_schedule(op->task, op->name);

    if (!s) {
        op->r = -ENOENT;
        return;
    }
    if (op->enabled == 1 && s->enabled != 1 && op->off_until != UNSET)
        s->off_until = op->off_until;
    if (op->enabled >= 0)
        s->enabled = op->enabled;
    if (op->paused_until != UNSET)
        s->paused_until = op->paused_until;
}

static void apply_count(DbOp *op)
{
    op->count = 0;
    for (guint i = 0; i < database.rows->len; i++) {
        RunState state = ((const Row *)g_ptr_array_index(database.rows, i))->run.state;

        op->count += state == RUN_WAITING || state == RUN_QUEUED;
    }
}

void (*const database_apply[])(DbOp *op) = {
    [OP_PUT_TASK] = apply_put_task,
    [OP_DELETE_TASK] = apply_delete_task,
    [OP_ENABLE_TASK] = apply_enable_task,
    [OP_ENABLE_SCHEDULE] = apply_enable_schedule,
    [OP_BY_HAND] = database_apply_by_hand,
    [OP_BACKFILL] = database_apply_backfill,
    [OP_ASK] = apply_ask,
    [OP_SKIP] = apply_skip,
    [OP_REQUEUE] = apply_requeue,
    [OP_RUNNING] = apply_running,
    [OP_STOPPING] = apply_stopping,
    [OP_CANCEL] = apply_cancel,
    [OP_END] = apply_end,
    [OP_MISSED] = database_apply_missed,
    [OP_CLAIM] = database_claim,
    [OP_FOLLOWERS] = database_apply_followers,
    [OP_GET_REVISION] = database_get_revision,
    [OP_GET_TASK] = database_get_task,
    [OP_GET_RUN] = database_get_run,
    [OP_COUNT_WAITING] = apply_count,
};
