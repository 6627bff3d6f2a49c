/* What a claim does to the rows of the database's twin: what is too late ends, and what is due is claimed. */
#include "sim.h"

#include <string.h>

#define IN_VAIN_MAX 60

static void apply_claim_one(Row *row, DbOp *op)
{
    Truth *t = g_new0(Truth, 1);

    check_claimed(row);
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

static void apply_expire(DbOp *op)
{
    op->changes = g_array_new(FALSE, FALSE, sizeof(StoreChange));
    for (guint i = 0; i < database.rows->len; i++) {
        Row *row = g_ptr_array_index(database.rows, i);
        StoreChange c = { row->run.id, RUN_DONE, RUN_EXPIRED };

        if (!is_too_late(row))
            continue;
        g_strlcpy(row->reason, STORE_EXPIRED, sizeof row->reason);
        row->run.finished = database_now();
        database_set_done(row, RUN_EXPIRED);
        check_expired(row);
        g_array_append_val(op->changes, c);
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

void database_claim(DbOp *op)
{
    uint64_t until = database_now() + STORE_CLAIM_AHEAD_MSEC * USEC_PER_MSEC;
    g_autoptr(GPtrArray) due = g_ptr_array_new();

    op->runs = g_ptr_array_new_with_free_func((GDestroyNotify)store_run_free);
    op->due = UNSET;
    apply_expire(op);
    for (guint i = 0; i < database.rows->len; i++) {
        Row *row = g_ptr_array_index(database.rows, i);

        if (row->run.state == RUN_WAITING && row->run.due <= until)
            row->run.state = RUN_QUEUED;
        if (row->run.state == RUN_QUEUED && row->run.due <= until)
            g_ptr_array_add(due, row);
        else if (row->run.state <= RUN_QUEUED)
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
