/* Slots to come that somebody skips, or restores. */
#include "store/row.h"
#include "store/store-internal.h"

static void by_hand_answer(Op *op, const OpAnswer *a)
{
    StoreByHandFn fn = (StoreByHandFn)op->fn;
    StoreByHandSlot slot = { UNSET, "" };

    if (a->r < 0) {
        fn(a->r, &slot, a->error, op->userdata);
    } else if (PQntuples(a->res) == 0) {
        fn(-ENOENT, &slot, NULL, op->userdata);
    } else {
        slot = (StoreByHandSlot){ row_u64(a->res, 0, 1), PQgetvalue(a->res, 0, 2) };
        fn((int)row_u64(a->res, 0, 0), &slot, NULL, op->userdata);
    }
}

/* They stand in the schedule's row. Whoever fires a slot changes that row, and looks at them where it does: so it waits for this
 * statement, or this one for it, and what is answered here holds. */
const OpInfo op_by_hand = {
    .name = "by_hand",
    .sql =
        "WITH l AS MATERIALIZED ("
        "  SELECT n.at, CASE WHEN s.last_nominal >= n.at THEN 1"
        "    WHEN $5::text IS NOT NULL AND n.at <> ALL (s.by_hand) AND cardinality(s.by_hand) >= $6::bigint THEN 2"
        "    ELSE 0 END AS outcome, ($5 IS NOT NULL) <> (n.at = ANY (s.by_hand)) AS another"
        "  FROM schedule s, (SELECT usec_to_time($4::bigint) AS at) n"
        "  WHERE s.task = $1::text AND s.name = $2::text AND s.revision = $3::bigint FOR UPDATE OF s),"
        " done AS ("
        "  UPDATE schedule s SET (by_hand, by_whom) = ("
        "    SELECT coalesce(array_agg(h.at ORDER BY h.at), '{}'), coalesce(array_agg(h.whom ORDER BY h.at), '{}')"
        "    FROM (SELECT * FROM unnest(s.by_hand, s.by_whom) AS u(at, whom) WHERE u.at <> l.at"
        "     UNION ALL SELECT l.at, $5 WHERE $5 IS NOT NULL) h)"
        "  FROM l WHERE s.task = $1 AND s.name = $2 AND l.outcome = 0 AND l.another)"
        "SELECT l.outcome, k.run, k.cause FROM l LEFT JOIN LATERAL ("
        "  SELECT run, cause, coalesce(first, nominal) AS first FROM slot"
        "  WHERE task = $1 AND schedule = $2 AND nominal >= l.at ORDER BY nominal LIMIT 1) k"
        " ON l.outcome = 1 AND k.first <= l.at",
    .n_values = 6,
    .answer = by_hand_answer,
};

int store_by_hand(Store *s, const StoreByHand *h, StoreByHandFn fn, void *userdata)
{
    Op *op = op_new(OP_BY_HAND, (OpFn)fn, userdata);

    op_set_text(op, 0, h->task);
    op_set_text(op, 1, h->schedule);
    op_set_u64(op, 2, h->revision);
    op_set_u64(op, 3, h->nominal);
    op_set_text(op, 4, h->whom);
    op_set_u64(op, 5, h->max);
    op_set_key(op, 0, "s%s/%s", h->task, h->schedule);
    op_set_key(op, 1, "t%s", h->task);
    return store_enqueue(s, op);
}
