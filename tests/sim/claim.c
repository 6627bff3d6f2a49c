/* What a claim does to the rows of the database's twin: what is too late ends, and what is due is claimed. */
#include "sim.h"

#include <string.h>

#define IN_VAIN_MAX 60

static void apply_claim_one(Row *row, DbOp *op)
{
    Truth *t = g_new0(Truth, 1);

    check_claimed(row);
    check_place(row);
    row->run.state = RUN_STARTING;
    row->run.attempt++;
    row->run.epoch = op->epoch;
    row->run.fence = ++database.fence;
    row->run.manager_stamp = op->stamp;
    row->run.claimed_monotonic = op->monotonic;
    row->run.claimed = database_now();
    row->run.started = row->run.finished = UNSET;
    row->invocation[0] = row->reason[0] = 0;
    database_clear_cause(row);
    g_snprintf(row->token, sizeof row->token, "token-%u", ++database.n_tokens);
    g_strlcpy(row->boot, op->boot, sizeof row->boot);
    *t = (Truth){ .run = row->run.id, .attempt = row->run.attempt, .timeout = USEC_INFINITY };
    g_strlcpy(t->token, row->token, sizeof t->token);
    g_ptr_array_add(row->truths, t);
    g_ptr_array_add(op->runs, database_copy(row));
    sim_trace("claimed", row->run.id, row->run.attempt, 0);
}

static int by_claim(gconstpointer a, gconstpointer b)
{
    const Row *x = *(Row *const *)a, *y = *(Row *const *)b;

    if (x->run.priority != y->run.priority)
        return x->run.priority > y->run.priority ? -1 : 1;
    if (x->run.due != y->run.due)
        return x->run.due < y->run.due ? -1 : 1;
    return x->run.id < y->run.id ? -1 : 1;
}

static bool is_too_late(const Row *row)
{
    return row->run.state <= RUN_QUEUED && row->run.deadline < database_now();
}

static void tell(DbOp *op, const Row *row)
{
    StoreChange c = { row->run.id, row->run.state, row->run.result, row->run.cause_at, row->reason };

    g_array_append_val(op->changes, c);
}

static void apply_expire(DbOp *op)
{
    op->changes = g_array_new(FALSE, FALSE, sizeof(StoreChange));
    for (guint i = 0; i < database.rows->len; i++) {
        Row *row = g_ptr_array_index(database.rows, i);
        if (!is_too_late(row))
            continue;
        g_strlcpy(row->reason, STORE_EXPIRED, sizeof row->reason);
        row->run.finished = database_now();
        database_set_done(row, RUN_EXPIRED);
        check_expired(row);
        tell(op, row);
    }
}

/* The first deadline of those that are left. */
static uint64_t next_deadline(void)
{
    uint64_t next = UNSET;

    for (guint i = 0; i < database.rows->len; i++) {
        const Row *row = g_ptr_array_index(database.rows, i);

        if (row->run.state <= RUN_QUEUED)
            next = MIN(next, row->run.deadline);
    }
    return next;
}

/* --- places: as run_over() and run_places() of the schema do it */

#define NO_PLACE "another run of the task is not over"

static bool wants_place(const Row *row)
{
    return row->place == PLACE_WANTED && row->run.state == RUN_QUEUED;
}

static bool is_held(const Row *row)
{
    return row->place == PLACE_HELD && row->run.state == RUN_WAITING;
}

/* For the sake of the newest others give way. What is backfilled only waits. */
static bool waits_to_cancel(const Row *row)
{
    return (wants_place(row) || is_held(row)) && strcmp(row->run.overlap, "cancel-old") == 0;
}

static bool has_place(const Row *row)
{
    return row->place == PLACE_TAKEN && row->run.state != RUN_DONE;
}

/* In the order of claims. */
static GPtrArray *runs_of(const char *task, bool (*are)(const Row *row))
{
    GPtrArray *runs = g_ptr_array_new();

    for (guint i = 0; i < database.rows->len; i++) {
        Row *row = g_ptr_array_index(database.rows, i);

        if (strcmp(row->run.task, task) == 0 && are(row))
            g_ptr_array_add(runs, row);
    }
    g_ptr_array_sort(runs, by_claim);
    return runs;
}

void database_release(const char *task)
{
    g_autoptr(GPtrArray) held = runs_of(task, is_held);
    Row *row = held->len > 0 ? g_ptr_array_index(held, 0) : NULL;

    if (!row)
        return;
    row->place = PLACE_WANTED;
    row->run.state = RUN_QUEUED;
    sim_trace("let go on", row->run.id, 0, 0);
}

const char *database_blocked(const DbOp *op)
{
    uint64_t due = op->due ? op->due : database_now(), n = 0;

    if ((op->overlap != OVERLAP_SKIP && op->overlap != OVERLAP_QUEUE_ONE) ||
        due > database_now() + USEC_PER_SEC)
        return NULL;
    for (guint i = 0; i < database.rows->len; i++) {
        const Row *row = g_ptr_array_index(database.rows, i);

        n += strcmp(row->run.task, op->task) == 0 && row->place != PLACE_NONE && row->run.state != RUN_DONE &&
             (row->place != PLACE_WANTED || row->run.due <= due);
    }
    return n >= op->places + (op->overlap == OVERLAP_QUEUE_ONE) ? NO_PLACE : NULL;
}

static int by_due(gconstpointer a, gconstpointer b)
{
    const Row *x = *(Row *const *)a, *y = *(Row *const *)b;

    if (x->run.due != y->run.due)
        return x->run.due > y->run.due ? -1 : 1;
    return x->run.id > y->run.id ? -1 : 1;
}

static int by_id(gconstpointer a, gconstpointer b)
{
    const Row *x = *(Row *const *)a, *y = *(Row *const *)b;

    return x->run.id < y->run.id ? -1 : 1;
}

static void give_way(Row *row, DbOp *op)
{
    if (row->run.state == RUN_DONE || row->no_more)
        return;
    row->no_more = true;
    if (row->run.cause == RUN_RESULT_NONE)
        g_strlcpy(row->reason, "a newer run took its place", sizeof row->reason);
    database_set_cause(row, RUN_CANCELLED);
    if (row->run.state <= RUN_QUEUED)
        database_set_done(row, RUN_CANCELLED);
    sim_trace("gives way", row->run.id, (uint64_t)row->run.state, 0);
    tell(op, row);
}

/* The newest have the places. */
static void cancel_old(const char *task, DbOp *op)
{
    g_autoptr(GPtrArray) waiting = runs_of(task, waits_to_cancel), taken = NULL, rest = NULL;
    guint keep = 0, n;

    for (guint i = 0; i < waiting->len; i++) {
        const Row *row = g_ptr_array_index(waiting, i);

        if (wants_place(row))
            keep = MAX(keep, row->run.places);
    }
    if (keep == 0)
        return;
    g_ptr_array_sort(waiting, by_due);
    for (guint i = keep; i < waiting->len; i++)
        give_way(g_ptr_array_index(waiting, i), op);
    taken = runs_of(task, has_place);
    rest = runs_of(task, waits_to_cancel);
    g_ptr_array_sort(taken, by_id);
    n = taken->len + rest->len;
    for (guint i = 0; n > keep && i < MIN(n - keep, taken->len); i++)
        give_way(g_ptr_array_index(taken, i), op);
}

static void judge_task(const char *task, DbOp *op)
{
    g_autoptr(GPtrArray) taken = NULL, held = NULL, wanting = NULL;
    guint n;

    cancel_old(task, op);
    taken = runs_of(task, has_place);
    held = runs_of(task, is_held);
    wanting = runs_of(task, wants_place);
    n = taken->len;
    for (guint i = 0; i < wanting->len; i++) {
        Row *row = g_ptr_array_index(wanting, i);
        bool one = strcmp(row->run.overlap, "queue-one") == 0;

        if (n < row->run.places) {
            row->place = PLACE_TAKEN;
            n++;
            continue;
        }
        g_strlcpy(row->reason, NO_PLACE, sizeof row->reason);
        if (strcmp(row->run.overlap, "skip") == 0 || (one && held->len > 0)) {
            check_overlap(task, row);
            row->run.finished = database_now();
            row->place = PLACE_HELD;
            database_set_done(row, RUN_SKIPPED);
        } else {
            row->place = PLACE_HELD;
            row->run.state = RUN_WAITING;
            g_ptr_array_add(held, row);
        }
        tell(op, row);
    }
}

static void judge(DbOp *op)
{
    for (guint i = 0; i < database.rows->len; i++) {
        const Row *row = g_ptr_array_index(database.rows, i);

        if (wants_place(row))
            judge_task(row->run.task, op);
    }
}

void database_claim(DbOp *op)
{
    uint64_t until = database_now() + STORE_CLAIM_AHEAD_MSEC * USEC_PER_MSEC;
    g_autoptr(GPtrArray) due = g_ptr_array_new();

    op->runs = g_ptr_array_new_with_free_func((GDestroyNotify)store_run_free);
    op->due = UNSET;
    apply_expire(op);
    for (guint i = 0; i < database.rows->len; i++) {
        Row *row = g_ptr_array_index(database.rows, i);

        if (row->run.state == RUN_WAITING && row->place != PLACE_HELD && row->run.due <= until)
            row->run.state = RUN_QUEUED;
    }
    judge(op);
    for (guint i = 0; i < database.rows->len; i++) {
        Row *row = g_ptr_array_index(database.rows, i);

        if (row->run.state == RUN_QUEUED && row->place != PLACE_WANTED && row->run.due <= until)
            g_ptr_array_add(due, row);
        else if (row->run.state <= RUN_QUEUED && row->place != PLACE_HELD)
            op->due = MIN(op->due, row->run.due);
    }
    g_ptr_array_sort(due, by_claim);
    for (guint i = 0; i < due->len; i++) {
        Row *row = g_ptr_array_index(due, i);

        if (i < op->limit)
            apply_claim_one(row, op);
        else
            op->due = MIN(op->due, row->run.due);
    }
    op->deadline = next_deadline();
    database.in_vain = due->len > 0 || op->changes->len > 0 ? 0 : database.in_vain + 1;
    if (database.in_vain > IN_VAIN_MAX)
        sim_fail("%u claims in a row found nothing", database.in_vain);
}
