/* Tasks that were expected to succeed, and did not. That they do is written by what records their runs: see ops-life.c. */
#include "store/row.h"
#include "store/store-internal.h"

static void missed_answer(Op *op, const OpAnswer *a)
{
    StoreMissedFn fn = (StoreMissedFn)op->fn;

    if (a->r < 0)
        fn(a->r, NULL, a->error, op->userdata);
    else if (PQntuples(a->res) == 0)
        fn(-ENOENT, NULL, NULL, op->userdata);
    else
        fn(*PQgetvalue(a->res, 0, 0) == 't',
            &(StoreExpectation){ row_u64(a->res, 0, 1), row_u64(a->res, 0, 2), row_u64(a->res, 0, 3) }, NULL,
            op->userdata);
}

/* Of one that is missed already the time only grows: it is told of each once. */
const OpInfo op_missed = {
    .name = "missed",
    .sql =
        "WITH u AS ("
        "  UPDATE expectation SET missed = usec_to_time($3::bigint), run = $4::bigint WHERE task = $1::text"
        "   AND CASE WHEN $4::bigint IS NULL THEN since <= usec_to_time($5::bigint)"
        "     AND success IS NOT DISTINCT FROM usec_to_time($2::bigint)"
        "     AND coalesce(missed < usec_to_time($3::bigint), true)"
        "    ELSE missed = usec_to_time($3::bigint) END RETURNING task)"
        "SELECT EXISTS (SELECT FROM u), time_to_usec(since), time_to_usec(success), time_to_usec(missed) FROM expectation WHERE task = $1",
    .n_values = 5,
    .answer = missed_answer,
};

int store_missed(Store *s, const StoreMissed *m, StoreMissedFn fn, void *userdata)
{
    Op *op = op_new(OP_MISSED, (OpFn)fn, userdata);

    op_set_text(op, 0, m->task);
    op_set_u64(op, 1, m->success);
    op_set_u64(op, 2, m->missed);
    op_set_u64(op, 3, m->run > 0 ? m->run : UNSET);
    op_set_u64(op, 4, m->since);
    op_set_key(op, 0, "t%s", m->task);
    return store_enqueue(s, op);
}
