/* What the twin of the database has of times that are run after they have passed: as backfill_ask() and backfill_over() of the
 * schema do it. */
#include "sim.h"

#include <string.h>

#include "store/op.h"

Row *database_add(const DbOp *op)
{
    const TaskRow *task = database_task(op->task);
    Row *row = g_new0(Row, 1);

    g_assert(task);
    row->truths = g_ptr_array_new_with_free_func(g_free);
    row->run = (StoreRun){ .id = database.rows->len + 1,
        .task = (char *)task->name,
        .revision = op->revision,
        .priority = op->priority,
        .exit_status = -1,
        .nominal = op->nominal,
        .asked = database_now(),
        .due = op->due ? op->due : database_now(),
        .deadline = op->deadline,
        .places = (unsigned)op->places,
        .overlap = (char *)overlap_to_string((Overlap)op->overlap),
        .grace_usec = op->grace,
        .retry_of = op->retry_of,
        .after_run = UNSET,
        .requester_uid = strcmp(op->requester, "taskschedd") == 0 ? UNSET : 0,
        .claimed = UNSET,
        .started = UNSET,
        .finished = UNSET,
        .cause_at = UNSET };
    row->run.state = row->run.due <= database_now() ? RUN_QUEUED : RUN_WAITING;
    row->place = op->places > 0 ? PLACE_WANTED : PLACE_NONE;
    g_strlcpy(row->requester, op->requester, sizeof row->requester);
    g_strlcpy(row->schedule, op->nominal != UNSET ? op->name : "", sizeof row->schedule);
    g_ptr_array_add(database.rows, row);
    return row;
}

static bool is_of(const Row *row, const char *task, const char *schedule, Chain chain)
{
    return row->chain == chain && row->run.state != RUN_DONE && strcmp(row->run.task, task) == 0 &&
           strcmp(row->schedule, schedule) == 0;
}

/* The first that waits, or the one that goes. */
static Row *find_first(const char *task, const char *schedule, Chain chain)
{
    Row *first = NULL;

    for (guint i = 0; i < database.rows->len; i++) {
        Row *row = g_ptr_array_index(database.rows, i);

        if (is_of(row, task, schedule, chain) && (!first || row->run.nominal < first->run.nominal))
            first = row;
    }
    return first;
}

static void let_go(Row *row)
{
    row->chain = CHAIN_GOES;
    row->run.due = database_now();
    row->run.state = RUN_QUEUED;
    row->reason[0] = 0;
    sim_trace("backfill goes", row->run.id, row->run.nominal, 0);
}

void database_backfill_over(const Row *row)
{
    Row *next = row->chain == CHAIN_GOES ? find_first(row->run.task, row->schedule, CHAIN_WAITS) : NULL;

    if (next)
        let_go(next);
}

static void ask_for(DbOp *op, StoreBackfilled *b, char *key)
{
    Row *row;

    op->nominal = b->nominal;
    op->due = UNSET;
    row = database_add(op);
    row->chain = CHAIN_WAITS;
    g_strlcpy(row->reason, "it waits for the one before it", sizeof row->reason);
    g_hash_table_insert(database.asks, key, GSIZE_TO_POINTER(row->run.id));
    check_backfilled(row);
    b->outcome = STORE_BACKFILL_ASKED;
    b->run = row->run.id;
    if (find_first(op->task, op->name, CHAIN_GOES))
        return;
    let_go(row);
    b->goes = true;
}

static void apply_one(DbOp *op, const ScheduleRow *s, StoreBackfilled *b)
{
    g_autofree char *key =
        g_strdup_printf("taskschedd\n%s/%s@%" G_GUINT64_FORMAT, op->task, op->name, b->nominal);
    uint64_t known = GPOINTER_TO_SIZE(g_hash_table_lookup(database.asks, key));

    b->run = UNSET;
    if (known > 0) {
        b->outcome = STORE_BACKFILL_HAS_RUN;
        b->run = known;
    } else if (!op->flag && b->nominal >= s->since &&
               (s->last_nominal == UNSET || b->nominal > s->last_nominal)) {
        b->outcome = STORE_BACKFILL_TO_COME;
    } else if (op->dry) {
        b->outcome = STORE_BACKFILL_ASKED;
    } else {
        ask_for(op, b, g_steal_pointer(&key));
    }
}

void database_apply_backfill(DbOp *op)
{
    const ScheduleRow *s = database_schedule(op->task, op->name);
    const TaskRow *t = database_task(op->task);

    if (!s || !t || t->deleted || t->revision != op->revision) {
        op->r = op->times->len > 0 ? -ENOENT : 0;
        return;
    }
    for (guint i = 0; i < op->times->len; i++)
        apply_one(op, s, &g_array_index(op->times, StoreBackfilled, i));
}

/* --- the daemon's end --- */

static void answer_backfill(DbOp *op)
{
    ((StoreBackfillFn)op->fn)(op->r, op->r < 0 ? NULL : op->times, NULL, op->userdata);
}

int store_backfill(Store *s, const StoreBackfill *b, StoreBackfillFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_BACKFILL, (void (*)(void))fn, userdata);

    op->answer = answer_backfill;
    g_strlcpy(op->requester, b->requester, sizeof op->requester);
    g_strlcpy(op->task, b->task, sizeof op->task);
    g_strlcpy(op->name, b->schedule, sizeof op->name);
    op->revision = b->revision;
    op->priority = b->priority;
    op->grace = b->grace_usec;
    op->deadline = UNSET;
    op->places = b->places;
    op->overlap = (int)overlap_from_string(b->overlap);
    op->flag = b->unsettled;
    op->dry = b->dry;
    op->times = g_array_new(FALSE, TRUE, sizeof(StoreBackfilled));
    for (guint i = 0; i < b->times->len; i++) {
        StoreBackfilled t = { .nominal = g_array_index(b->times, uint64_t, i) };

        g_array_append_val(op->times, t);
    }
    return store_twin_send(op);
}
