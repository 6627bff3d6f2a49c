/* What is read from the store's twin. */
#include "sim.h"

#include "store/op.h"

static void answer_text(DbOp *op)
{
    ((StoreTextFn)op->fn)(op->r, op->text, op->userdata);
}

int store_get_revision(Store *s, const char *task, uint64_t revision, StoreTextFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_GET_REVISION, (void (*)(void))fn, userdata);

    op->answer = answer_text;
    g_strlcpy(op->task, task, sizeof op->task);
    op->revision = revision;
    return store_twin_send(op);
}

int store_get_task(Store *s, const char *task, StoreTaskFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_GET_TASK, (void (*)(void))fn, userdata);

    op->answer = database_answer_task;
    g_strlcpy(op->task, task, sizeof op->task);
    return store_twin_send(op);
}

static void answer_run(DbOp *op)
{
    const StoreRun *run = op->r < 0 ? NULL : g_ptr_array_index(op->runs, 0);
    g_autoptr(GPtrArray) attempts = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; run && i < run->attempt; i++)
        g_ptr_array_add(attempts, g_new0(StoreAttempt, 1));
    ((StoreRunFn)op->fn)(op->r, run, attempts, op->userdata);
    if (run && op->flag && run->cause == RUN_CANCELLED)
        check_told_to_end(run->id);
}

int store_get_run(Store *s, uint64_t run, StoreRunFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_GET_RUN, (void (*)(void))fn, userdata);

    op->answer = answer_run;
    op->run = run;
    op->flag = store_twin_telling;
    return store_twin_send(op);
}

static void answer_count(DbOp *op)
{
    ((StoreNumberFn)op->fn)(op->r, op->count, NULL, op->userdata);
}

int store_count_waiting(Store *s, StoreNumberFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_COUNT_WAITING, (void (*)(void))fn, userdata);

    op->answer = answer_count;
    return store_twin_send(op);
}
