/* What the twin of the database has of tasks that are expected to succeed. */
#include "sim.h"

#include "store/op.h"

void database_succeeded(const Row *row)
{
    TaskRow *t = database_task(row->run.task);

    if (!t || t->expect_since == UNSET)
        return;
    if (t->expect_success == UNSET || t->expect_success < row->run.finished)
        t->expect_success = row->run.finished;
    sim_trace("succeeded", row->run.id, t->expect_success, 0);
}

void database_apply_missed(DbOp *op)
{
    TaskRow *t = database_task(op->task);

    if (!t || t->expect_since == UNSET) {
        op->r = -ENOENT;
        return;
    }
    if (op->retry_of == 0 && t->expect_since <= op->since && t->expect_success == op->previous &&
        (t->missed == UNSET || t->missed < op->nominal)) {
        check_missed(t, op->nominal, op->paused_until);
        t->missed = op->nominal;
        t->missed_run = UNSET;
        op->r = 1;
    } else if (op->retry_of != 0 && t->missed == op->nominal) {
        t->missed_run = op->retry_of;
        op->r = 1;
    }
    op->since = t->expect_since;
    op->previous = t->expect_success;
    op->nominal = t->missed;
    sim_trace("missed", op->nominal, op->retry_of, (uint64_t)op->r);
}

static void answer_missed(DbOp *op)
{
    const StoreExpectation there = { op->since, op->previous, op->nominal };

    ((StoreMissedFn)op->fn)(op->r, op->r < 0 ? NULL : &there, NULL, op->userdata);
}

int store_missed(Store *s, const StoreMissed *m, StoreMissedFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_MISSED, (void (*)(void))fn, userdata);
    const TaskRow *t = database_task(m->task);

    op->paused_until = t ? t->told_paused : UNSET;
    op->answer = answer_missed;
    g_strlcpy(op->task, m->task, sizeof op->task);
    op->since = m->since;
    op->previous = m->success;
    op->nominal = m->missed;
    op->retry_of = m->run;
    return store_twin_send(op);
}
