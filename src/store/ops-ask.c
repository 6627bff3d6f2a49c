/* Asking for runs, and slots that are not to fire. */
#include "store/row.h"
#include "store/store-internal.h"

/* A token that asked before finds its run, by the number of the user: its name is not always known; a slot fires only where its schedule's last_nominal is advanced by
 * this very statement. Two daemons asking with the same token at the same moment: one of them fails on ask's
 * key and is repeated, and then finds the other's. */
static const char ask_sql[] =
    "WITH q AS MATERIALIZED ("
    "  SELECT q.*, coalesce(nullif(q.uid, 0)::text, q.requester) AS asker FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[],"
    "   $7::int[], $8::json[], $9::json[], $10::jsonb[], $11::bytea[], $12::bigint[], $13::bigint[],"
    "   $14::bigint[], $15::text[], $16::bigint[])"
    "  WITH ORDINALITY AS q(requester, uid, token, task, revision, queue, priority, input, secrets, meta, raw,"
    "   due, retry_of, grace, schedule, nominal, ord)),"
    " known AS MATERIALIZED ("
    "  SELECT q.ord, k.run FROM q JOIN ask k ON k.requester = q.asker AND k.token = q.token),"
    " fired AS ("
    "  UPDATE schedule s SET last_nominal = usec_to_time(q.nominal) FROM q"
    "  WHERE s.task = q.task AND s.name = q.schedule"
    "   AND (s.last_nominal IS NULL OR s.last_nominal < usec_to_time(q.nominal))"
    "   AND q.ord NOT IN (SELECT ord FROM known)"
    "  RETURNING q.ord),"
    " fresh AS MATERIALIZED ("
    "  SELECT q.*, nextval('run_id') AS id, coalesce(usec_to_time(q.due), now()) AS due_at FROM q"
    "  WHERE q.ord NOT IN (SELECT ord FROM known)"
    "   AND (q.schedule IS NULL OR q.ord IN (SELECT ord FROM fired))),"
    " guard AS ("
    "  INSERT INTO ask (requester, token, run, at) SELECT asker, token, id, now() FROM fresh),"
    " ledger AS ("
    "  INSERT INTO slot (task, schedule, nominal, outcome, run, at)"
    "  SELECT task, schedule, usec_to_time(nominal), 'fired', id, now() FROM fresh WHERE schedule IS NOT NULL),"
    " made AS ("
    "  INSERT INTO run (id, task, revision, state, queue, priority, due, schedule, nominal, asked, grace_usec,"
    "   retry_of, requester, requester_uid, input, secrets, raw, meta)"
    "  SELECT id, task, revision, CASE WHEN due_at <= now() THEN 'queued' ELSE 'waiting' END, queue, priority,"
    "   due_at, coalesce(schedule, ''), usec_to_time(nominal), now(), grace, retry_of, requester, uid, input,"
    "   secrets, raw, meta FROM fresh)"
    "SELECT ord, id, true, CASE WHEN due_at <= now() THEN 'queued' ELSE 'waiting' END, time_to_usec(due_at)"
    " FROM fresh "
    "UNION ALL SELECT k.ord, k.run, false, coalesce(r.state, 'done'), time_to_usec(r.due)"
    " FROM known k LEFT JOIN run r ON r.id = k.run "
    "UNION ALL SELECT ord, 0, false, 'done', NULL FROM q"
    " WHERE ord NOT IN (SELECT ord FROM known) AND ord NOT IN (SELECT ord FROM fresh)";

static void ask_answer(Op *op, const OpAnswer *a)
{
    StoreAskFn fn = (StoreAskFn)op->fn;
    StoreAsked asked = { 0 };

    if (a->r >= 0) {
        asked.run = row_u64(a->res, a->row, 1);
        asked.fresh = *PQgetvalue(a->res, a->row, 2) == 't';
        asked.state = run_state_from_string(PQgetvalue(a->res, a->row, 3));
        asked.due = row_u64(a->res, a->row, 4);
    }
    fn(a->r, &asked, a->error, op->userdata);
}

const OpInfo op_ask = {
    .name = "ask",
    .sql = ask_sql,
    .n_values = 16,
    .shared = true,
    .answer = ask_answer,
};

int store_ask(Store *s, const StoreAsk *ask, StoreAskFn fn, void *userdata)
{
    Op *op = op_new(OP_ASK, (OpFn)fn, userdata);

    op_set_text(op, 0, ask->requester);
    op_set_u64(op, 1, ask->requester_uid);
    op_set_text(op, 2, ask->token);
    op_set_text(op, 3, ask->task);
    op_set_u64(op, 4, ask->revision);
    op_set_text(op, 5, ask->queue);
    op_set_int(op, 6, ask->priority);
    op_set_text(op, 7, ask->input);
    op_set_text(op, 8, ask->secrets);
    op_set_text(op, 9, ask->meta);
    op_set_bytes(op, 10, ask->raw);
    op_set_u64(op, 11, ask->due ? ask->due : UNSET);
    op_set_u64(op, 12, ask->retry_of ? ask->retry_of : UNSET);
    op_set_u64(op, 13, ask->grace_usec);
    op_set_text(op, 14, ask->schedule);
    op_set_u64(op, 15, ask->schedule ? ask->nominal : UNSET);
    op_set_key(op, 0, "a%s\n%s", ask->requester, ask->token);
    if (ask->schedule)
        op_set_key(op, 1, "s%s/%s", ask->task, ask->schedule);
    return store_enqueue(s, op);
}

/* --- slots that are passed over */

static const char pass_slot_sql[] =
    "WITH q AS MATERIALIZED ("
    "  SELECT task, schedule, usec_to_time(nominal) AS nominal, reason, ord"
    "  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[])"
    "  WITH ORDINALITY AS q(task, schedule, nominal, reason, ord)),"
    " passed AS MATERIALIZED ("
    "  SELECT q.* FROM q JOIN schedule s ON s.task = q.task AND s.name = q.schedule"
    "  WHERE s.last_nominal IS NULL OR s.last_nominal < q.nominal),"
    " advanced AS ("
    "  UPDATE schedule s SET last_nominal = p.nominal"
    "  FROM (SELECT task, schedule, max(nominal) AS nominal FROM passed GROUP BY task, schedule) p"
    "  WHERE s.task = p.task AND s.name = p.schedule),"
    " ledger AS ("
    "  INSERT INTO slot (task, schedule, nominal, outcome, reason, at)"
    "  SELECT task, schedule, nominal, 'skipped', reason, now() FROM passed ON CONFLICT DO NOTHING)"
    "SELECT ord FROM q";

static void done_answer(Op *op, const OpAnswer *a)
{
    ((StoreDoneFn)op->fn)(a->r, a->error, op->userdata);
}

const OpInfo op_pass_slot = {
    .name = "pass_slot",
    .sql = pass_slot_sql,
    .n_values = 4,
    .shared = true,
    .answer = done_answer,
};

int store_pass_slot(Store *s, const char *task, const char *schedule, uint64_t nominal, const char *reason,
    StoreDoneFn fn, void *userdata)
{
    Op *op = op_new(OP_PASS_SLOT, (OpFn)fn, userdata);

    op_set_text(op, 0, task);
    op_set_text(op, 1, schedule);
    op_set_u64(op, 2, nominal);
    op_set_text(op, 3, reason);
    op_set_key(op, 0, "s%s/%s", task, schedule);
    return store_enqueue(s, op);
}

/* --- nobody waits for these */

const OpInfo op_partitions = {
    .name = "partitions",
    .sql = "SELECT partitions_ahead()",
    .answer = done_answer,
};
