/* Which rows the operations of a batch may change, for rows_hold(): nothing here depends on what is in the database. */
#include "store/hold.h"

#include "store/op.h"

const char *const hold_sql = "SELECT rows_hold($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],"
                             " $6::bigint[], $7::bigint[], $8::boolean)";

/* In the order of the values. */
typedef enum Hold {
    HOLD_PUT,
    HOLD_TASK,
    HOLD_SLOT_TASK,
    HOLD_SLOT_SCHEDULE,
    HOLD_EXPECTED,
    HOLD_GOING,
    HOLD_ENDING,
    _HOLD_MAX,
} Hold;

G_STATIC_ASSERT(_HOLD_MAX + 1 == HOLD_VALUES);

/* Which value of an operation is one of these. */
static const struct {
    OpKind kind;
    Hold hold;
    unsigned value;
} parts[] = {
    { OP_PUT_TASK, HOLD_PUT, 0 },
    { OP_DELETE_TASK, HOLD_TASK, 0 },
    { OP_ENABLE_TASK, HOLD_TASK, 0 },
    { OP_BACKFILL, HOLD_TASK, 0 },
    { OP_ENABLE_SCHEDULE, HOLD_SLOT_TASK, 0 },
    { OP_ENABLE_SCHEDULE, HOLD_SLOT_SCHEDULE, 1 },
    { OP_BY_HAND, HOLD_SLOT_TASK, 0 },
    { OP_BY_HAND, HOLD_SLOT_SCHEDULE, 1 },
    { OP_ASK, HOLD_SLOT_TASK, 3 },
    { OP_ASK, HOLD_SLOT_SCHEDULE, 14 },
    { OP_SKIP, HOLD_SLOT_TASK, 0 },
    { OP_SKIP, HOLD_SLOT_SCHEDULE, 1 },
    { OP_MISSED, HOLD_EXPECTED, 0 },
    { OP_RUNNING, HOLD_GOING, 0 },
    { OP_STOPPING, HOLD_GOING, 0 },
    { OP_REQUEUE, HOLD_ENDING, 0 },
    { OP_CANCEL, HOLD_ENDING, 0 },
    { OP_END, HOLD_ENDING, 0 },
};

static void hold_op(GPtrArray *const *lists, const Op *op)
{
    bool plain = op->kind == OP_ASK && !op->values[14]; /* no slot's */

    ARRAY_FOREACH (p, parts)
        if (p->kind == op->kind && !plain)
            g_ptr_array_add(lists[p->hold], op->values[p->value]);
}

bool hold_values(const GPtrArray *ops, char *values[HOLD_VALUES])
{
    GPtrArray *lists[_HOLD_MAX];
    bool judged = false, holds = false;

    for (unsigned i = 0; i < _HOLD_MAX; i++)
        lists[i] = g_ptr_array_new();
    for (guint i = 0; i < ops->len; i++) {
        const Op *op = g_ptr_array_index(ops, i);

        hold_op(lists, op);
        judged = judged || op->kind == OP_CLAIM;
    }
    for (unsigned i = 0; i < _HOLD_MAX; i++) {
        holds = holds || lists[i]->len > 0;
        g_ptr_array_add(lists[i], NULL);
        values[i] = op_array_of((const char *const *)lists[i]->pdata);
        g_ptr_array_unref(lists[i]);
    }
    values[_HOLD_MAX] = g_strdup(judged ? "t" : "f");
    return holds || judged;
}
