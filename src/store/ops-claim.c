/* Claiming: due runs become this node's. */
#include "store/row.h"
#include "store/store-internal.h"

/* What is held back by anything but time has no due time. */
#define AHEAD "interval '" G_STRINGIFY(STORE_CLAIM_AHEAD_MSEC) " milliseconds'"
#define DUE   "due <= now() + " AHEAD

/* In the words of the index. */
#define MAY_EXPIRE "deadline IS NOT NULL AND state IN ('waiting', 'queued')"

/* What is due is queued first, so that the claim finds everything in one index, in its order; what is too late ends, by one and
 * the same now(), and places are taken: see data/schema. */
static const char judge_sql[] =
    "SELECT run, state, result, time_to_usec(cause_at), reason FROM runs_judge(" AHEAD ", '" STORE_EXPIRED
    "')";

/* Values: limit, boot id, manager's stamp, monotonic clock, node, epoch. The fence is drawn here, after the row is locked: a
 * later claim of the same run always gets a greater one. */
static const char claim_sql[] =
    "WITH c AS MATERIALIZED ("
    "  SELECT id FROM run WHERE state = 'queued' AND place <> 'wanted' AND " DUE
    "  ORDER BY priority DESC, due, id LIMIT $1::bigint FOR UPDATE SKIP LOCKED),"
    " r AS MATERIALIZED ("
    "  UPDATE run SET state = 'starting', attempt = attempt + 1, node = $5::text, epoch = $6::bigint,"
    "   token = gen_random_uuid(), fence = nextval('fence'), boot_id = $2::text, manager_stamp = $3::bigint,"
    "   unit = format('tsched-run-%s-%s.service', run.id, attempt + 1), invocation_id = '', claimed = now(),"
    "   claimed_monotonic = $4::bigint, started = NULL, finished = NULL, reason = '', cause = '', cause_at = NULL"
    "  FROM c WHERE run.id = c.id RETURNING run.*),"
    " a AS ("
    "  INSERT INTO attempt (run, attempt, node, epoch, token, fence, boot_id, manager_stamp, unit, claimed)"
    "  SELECT id, attempt, node, epoch, token, fence, boot_id, manager_stamp, unit, claimed FROM r)"
    "SELECT " ROW_RUN_COLUMNS " FROM r ORDER BY r.priority DESC, r.due, r.id";

static GArray *claim_changes(const PGresult *res)
{
    GArray *changes = g_array_new(FALSE, FALSE, sizeof(StoreChange));

    for (int row = 0; row < PQntuples(res); row++) {
        StoreChange c = { row_u64(res, row, 0), run_state_from_string(PQgetvalue(res, row, 1)),
            run_result_from_string(PQgetvalue(res, row, 2)), row_u64(res, row, 3), PQgetvalue(res, row, 4) };

        g_array_append_val(changes, c);
    }
    return changes;
}

static void claim_answer(Op *op, const OpAnswer *a)
{
    StoreClaimFn fn = (StoreClaimFn)op->fn;
    StoreClaimed c;

    if (a->r < 0) {
        fn(a->r, NULL, op->userdata);
        return;
    }
    c = (StoreClaimed){ row_runs(a->res, 0), claim_changes(a->before), row_u64(a->second, 0, 0),
        row_u64(a->second, 0, 1) };
    fn(0, &c, op->userdata);
    g_ptr_array_unref(c.runs);
    g_array_unref(c.changes);
}

const OpInfo op_claim = {
    .name = "claim",
    .sql = claim_sql,
    .before_name = "judge",
    .before_sql = judge_sql,
    .second_name = "next_due",
    /* Where the limit was met, what is left is due: in the past, which is now at the earliest. */
    .second_sql = "SELECT time_to_usec(least((SELECT min(due) FROM run WHERE state = 'waiting'),"
                  " (SELECT due FROM run WHERE state = 'queued' ORDER BY priority DESC, due, id LIMIT 1))),"
                  " time_to_usec((SELECT min(deadline) FROM run WHERE " MAY_EXPIRE "))",
    .n_values = 4,
    .node = true,
    .answer = claim_answer,
};

int store_claim(Store *s, unsigned limit, StoreClaimFn fn, void *userdata)
{
    Op *op = op_new(OP_CLAIM, (OpFn)fn, userdata);

    op_set_u64(op, 0, limit);
    op_set_text(op, 1, s->boot_id);
    op_set_u64(op, 2, s->manager_stamp);
    op_set_u64(op, 3, clock_monotonic(s->clock));
    op_set_key(op, 0, "claim");
    return store_enqueue(s, op);
}
