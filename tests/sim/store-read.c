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

static void answer_followers(DbOp *op)
{
    g_autoptr(GArray) followers = g_array_new(FALSE, FALSE, sizeof(StoreFollower));

    for (guint i = 0; op->followers && i < op->followers->len; i++) {
        const DbFollower *d = &g_array_index(op->followers, DbFollower, i);
        StoreFollower f = { d->task, d->name, d->ended, d->under_way, util_strempty(d->ends) };

        g_array_append_val(followers, f);
    }
    ((StoreFollowersFn)op->fn)(op->r, op->r < 0 ? NULL : followers, op->userdata);
}

int store_get_followers(Store *s, uint64_t run, const char *task, StoreFollowersFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_FOLLOWERS, (void (*)(void))fn, userdata);

    op->answer = answer_followers;
    op->run = run;
    g_strlcpy(op->task, util_strempty(task), sizeof op->task);
    return store_twin_send(op);
}

/* --- in the database --- */

void database_get_revision(DbOp *op)
{
    const TaskRow *t = database_task(op->task);

    if (t && op->revision >= 1 && op->revision <= t->definitions->len)
        op->text = g_strdup(g_ptr_array_index(t->definitions, op->revision - 1));
    else
        op->r = -ENOENT;
}

void database_get_run(DbOp *op)
{
    const Row *row = database_find(op->run);

    op->runs = g_ptr_array_new_with_free_func((GDestroyNotify)store_run_free);
    if (row)
        g_ptr_array_add(op->runs, database_copy(row));
    else
        op->r = -ENOENT;
}
