/* Asking for runs, and slots that are not to fire. */
#include "store/row.h"
#include "store/store-internal.h"

#define PAST_NOMINAL STORE_BY_HAND_AFTER("usec_to_time(q.nominal)")
#define FOLLOWED                                                                                             \
    "(s.follows IS NULL OR (s.under_way IS NULL AND s.ended IS NOT DISTINCT FROM usec_to_time(q.ended)))"
#define PAST_LAST STORE_BY_HAND_AFTER("usec_to_time(q.last)")

/* A token that asked before finds its run, by the number of the user: its name is not always known; a slot fires only where its schedule's last_nominal is advanced by
 * this very statement, from where the asker knows it to be, and by the definition in force: so between the two there is no
 * slot without an outcome. Where it has a greatest number of runs these are counted, and compared, here as well, and so it is with what was skipped
 * by hand, paused or disabled, of which the asker may not know yet: another node did it. Each takes the rows of schedules in one
 * order, so that two nodes that ask for the same slots do not wait for one another. What follows the end of a run does so once: while none that it fired is under way, and from the end that is the last by now. One that a schedule of this name had before it was deleted has its run, and is passed, which is no run of this one; so has one that was backfilled, as a disabled schedule's may be, and that is
 * its entry in the ledger. Two daemons asking with the same token at the same moment: one of them fails on ask's
 * key and is repeated, and then finds the other's. What is not to wait where
 * another run of its task is not over is not asked for at all; that is looked at, and judged when it is due: see ops-claim.c. */
static const char ask_sql[] =
    "WITH q AS MATERIALIZED ("
    "  SELECT q.*, coalesce(nullif(q.uid, 0)::text, q.requester) AS asker FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[],"
    "   $7::int[], $8::json[], $9::json[], $10::jsonb[], $11::bytea[], $12::bigint[], $13::bigint[],"
    "   $14::bigint[], $15::text[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::int[], $21::text[],"
    "   $22::bigint[])"
    "  WITH ORDINALITY AS q(requester, uid, token, task, revision, queue, priority, input, secrets, meta, raw,"
    "   due, retry_of, grace, schedule, nominal, previous, max_runs, deadline, places, overlap, ended, ord)),"
    " known AS MATERIALIZED ("
    "  SELECT q.ord, k.run FROM q JOIN ask k ON k.requester = q.asker AND k.token = q.token),"
    " blocked AS MATERIALIZED ("
    "  SELECT q.ord, place_reason(q.places, q.overlap) AS reason FROM q"
    "  WHERE q.overlap IN ('skip', 'queue-one') AND q.ord NOT IN (SELECT ord FROM known)"
    "   AND coalesce(usec_to_time(q.due) <= now() + interval '1 second', true)"
    "   AND (SELECT count(*) FROM run r WHERE r.task = q.task AND r.place <> '' AND r.state <> 'done'"
    "     AND (r.place <> 'wanted' OR r.due <= coalesce(usec_to_time(q.due), now())))"
    "    >= q.places + CASE WHEN q.overlap = 'skip' THEN 0 ELSE 1 END),"
    " fired AS ("
    "  UPDATE schedule s SET last_nominal = usec_to_time(q.nominal),"
    "   fired = s.fired + CASE WHEN q.ord IN (SELECT ord FROM known UNION ALL SELECT ord FROM blocked) THEN 0 ELSE 1 END,"
    "   under_way = CASE WHEN s.follows = s.task AND q.ord NOT IN (SELECT ord FROM known UNION ALL SELECT ord FROM blocked)"
    "    THEN usec_to_time(q.nominal) END, " PAST_NOMINAL
    "  FROM (SELECT * FROM q WHERE schedule IS NOT NULL ORDER BY task, schedule) q"
    "  WHERE s.task = q.task AND s.name = q.schedule AND s.revision = q.revision AND s.enabled IS NOT FALSE"
    "   AND coalesce(usec_to_time(q.nominal) >= greatest(s.task_until, s.paused_until), true)"
    "   AND s.last_nominal IS NOT DISTINCT FROM usec_to_time(q.previous)"
    "   AND (s.last_nominal IS NULL OR s.last_nominal < usec_to_time(q.nominal))"
    "   AND (q.max_runs IS NULL OR s.fired < q.max_runs) AND usec_to_time(q.nominal) <> ALL (s.by_hand)"
    "   AND " FOLLOWED "  RETURNING q.ord, s.fired AS n),"
    " fresh AS MATERIALIZED ("
    "  SELECT q.*, nextval('run_id') AS id, coalesce(usec_to_time(q.due), now()) AS due_at FROM q"
    "  WHERE q.ord NOT IN (SELECT ord FROM known UNION ALL SELECT ord FROM blocked)"
    "   AND (q.schedule IS NULL OR q.ord IN (SELECT ord FROM fired))),"
    " guard AS ("
    "  INSERT INTO ask (requester, token, run, at) SELECT asker, token, id, now() FROM fresh),"
    " ledger AS ("
    "  INSERT INTO slot (task, schedule, nominal, count, outcome, run, at, cause, reason)"
    "  SELECT task, schedule, usec_to_time(nominal), 1, 'fired', id, now(), '', '' FROM fresh WHERE schedule IS NOT NULL"
    "  UNION ALL SELECT q.task, q.schedule, usec_to_time(q.nominal), 1, 'skipped', NULL, now(), 'overlap', b.reason"
    "  FROM blocked b JOIN q ON q.ord = b.ord JOIN fired f ON f.ord = b.ord),"
    " passed AS ("
    "  INSERT INTO slot (task, schedule, nominal, count, outcome, run, at)"
    "  SELECT q.task, q.schedule, usec_to_time(q.nominal), 1, 'fired', k.run, now()"
    "  FROM known k JOIN q ON q.ord = k.ord JOIN fired f ON f.ord = k.ord ON CONFLICT DO NOTHING),"
    " made AS ("
    "  INSERT INTO run (id, task, revision, state, queue, priority, due, schedule, nominal, asked, grace_usec,"
    "   retry_of, requester, requester_uid, input, secrets, raw, meta, deadline, places, overlap, place, after_run)"
    "  SELECT id, task, revision, CASE WHEN due_at <= now() THEN 'queued' ELSE 'waiting' END, queue, priority,"
    "   due_at, coalesce(schedule, ''), usec_to_time(nominal), now(), grace, retry_of, requester, uid, input,"
    "   secrets, raw, meta, usec_to_time(deadline), places, coalesce(overlap, 'allow'),"
    "   CASE WHEN places IS NULL THEN '' ELSE 'wanted' END,"
    "   (SELECT s.end_runs[array_position(s.ends, usec_to_time(f.nominal))] FROM schedule s"
    "    WHERE s.task = f.task AND s.name = f.schedule) FROM fresh f)"
    "SELECT ord, id, true, CASE WHEN due_at <= now() THEN 'queued' ELSE 'waiting' END, time_to_usec(due_at), nominal,"
    "  (SELECT f.n FROM fired f WHERE f.ord = fresh.ord), NULL"
    " FROM fresh "
    "UNION ALL SELECT k.ord, k.run, false, coalesce(r.state, 'done'), time_to_usec(r.due),"
    "  greatest(time_to_usec(s.last_nominal), (SELECT q.nominal FROM fired f WHERE f.ord = k.ord)), s.fired, NULL"
    " FROM known k JOIN q ON q.ord = k.ord LEFT JOIN run r ON r.id = k.run"
    "  LEFT JOIN schedule s ON s.task = q.task AND s.name = q.schedule "
    "UNION ALL SELECT b.ord, 0, false, 'done', NULL, q.nominal, f.n, b.reason"
    " FROM blocked b JOIN q ON q.ord = b.ord LEFT JOIN fired f ON f.ord = b.ord"
    " WHERE q.schedule IS NULL OR f.ord IS NOT NULL "
    "UNION ALL SELECT q.ord, 0, false, 'done', NULL, time_to_usec(s.last_nominal), s.fired, NULL"
    " FROM q JOIN schedule s ON s.task = q.task AND s.name = q.schedule AND s.revision = q.revision"
    " WHERE q.ord NOT IN (SELECT ord FROM known UNION ALL SELECT ord FROM fresh)"
    "  AND NOT (q.ord IN (SELECT ord FROM blocked) AND q.ord IN (SELECT ord FROM fired))";

static void ask_answer(Op *op, const OpAnswer *a)
{
    StoreAskFn fn = (StoreAskFn)op->fn;
    StoreAsked asked = { 0 };

    if (a->r >= 0) {
        asked.run = row_u64(a->res, a->row, 1);
        asked.fresh = *PQgetvalue(a->res, a->row, 2) == 't';
        asked.state = run_state_from_string(PQgetvalue(a->res, a->row, 3));
        asked.due = row_u64(a->res, a->row, 4);
        asked.last = row_u64(a->res, a->row, 5);
        asked.fired = row_u64(a->res, a->row, 6);
        if (!PQgetisnull(a->res, a->row, 7))
            asked.reason = PQgetvalue(a->res, a->row, 7);
    }
    fn(a->r, &asked, a->error, op->userdata);
}

const OpInfo op_ask = {
    .name = "ask",
    .sql = ask_sql,
    .n_values = 22,
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
    op_set_u64(op, 16, ask->schedule ? ask->previous : UNSET);
    op_set_u64(op, 17, ask->max_runs ? ask->max_runs : UNSET);
    op_set_u64(op, 18, ask->deadline ? ask->deadline : UNSET);
    op_set_u64(op, 19, ask->places ? ask->places : UNSET);
    op_set_text(op, 20, ask->overlap);
    op_set_u64(op, 21, ask->schedule && ask->ended ? ask->ended : UNSET);
    op_set_key(op, 0, "a%s\n%s", ask->requester, ask->token);
    if (ask->schedule)
        op_set_key(op, 1, "s%s/%s", ask->task, ask->schedule);
    if (ask->overlap && (g_str_equal(ask->overlap, "skip") || g_str_equal(ask->overlap, "queue-one")))
        op_set_key(op, 2, "o%s", ask->task);
    return store_enqueue(s, op);
}

/* --- slots that are skipped */

/* Those that somebody has skipped have their own entries, and what was restored is not skipped: whoever did not know of it
 * decides anew. */
static const char skip_sql[] =
    "WITH q AS MATERIALIZED ("
    "  SELECT q.* FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],"
    "   $8::text[], $9::bigint[], $10::bigint[])"
    "   WITH ORDINALITY AS q(task, schedule, previous, first, last, n, cause, reason, revision, ended, ord)),"
    " advanced AS ("
    "  UPDATE schedule s SET last_nominal = usec_to_time(q.last), " PAST_LAST
    "  FROM (SELECT * FROM q ORDER BY task, schedule) q"
    "  WHERE s.task = q.task AND s.name = q.schedule AND s.revision = q.revision AND s.last_nominal IS NOT DISTINCT FROM usec_to_time(q.previous)"
    "   AND CASE WHEN q.cause = 'by-hand' THEN usec_to_time(q.last) = ANY (s.by_hand)"
    "    ELSE width_bucket(usec_to_time(q.first - 1), s.by_hand) = width_bucket(usec_to_time(q.last), s.by_hand) END"
    "   AND " FOLLOWED "  RETURNING q.ord),"
    " ledger AS ("
    "  INSERT INTO slot (task, schedule, nominal, first, count, outcome, cause, reason, at)"
    "  SELECT task, schedule, usec_to_time(last), usec_to_time(nullif(first, last)), nullif(n, 0), 'skipped', cause, reason, now()"
    "  FROM q WHERE ord IN (SELECT ord FROM advanced) AND cause <> '' ON CONFLICT DO NOTHING)"
    "SELECT q.ord, q.ord IN (SELECT ord FROM advanced), time_to_usec(s.last_nominal)"
    " FROM q JOIN schedule s ON s.task = q.task AND s.name = q.schedule AND s.revision = q.revision";

static void skip_answer(Op *op, const OpAnswer *a)
{
    StoreSkipFn fn = (StoreSkipFn)op->fn;

    if (a->r < 0)
        fn(a->r, UNSET, a->error, op->userdata);
    else
        fn(*PQgetvalue(a->res, a->row, 1) == 't', row_u64(a->res, a->row, 2), NULL, op->userdata);
}

const OpInfo op_skip = {
    .name = "skip",
    .sql = skip_sql,
    .n_values = 10,
    .shared = true,
    .answer = skip_answer,
};

int store_skip(Store *s, const StoreSkip *skip, StoreSkipFn fn, void *userdata)
{
    Op *op = op_new(OP_SKIP, (OpFn)fn, userdata);

    op_set_text(op, 0, skip->task);
    op_set_text(op, 1, skip->schedule);
    op_set_u64(op, 2, skip->previous);
    op_set_u64(op, 3, skip->first);
    op_set_u64(op, 4, skip->last);
    op_set_u64(op, 5, skip->count);
    op_set_text(op, 6, skip->cause);
    op_set_text(op, 7, skip->reason);
    op_set_u64(op, 8, skip->revision);
    op_set_u64(op, 9, skip->ended ? skip->ended : UNSET);
    op_set_key(op, 0, "s%s/%s", skip->task, skip->schedule);
    return store_enqueue(s, op);
}

/* --- nobody waits for these */

static void done_answer(Op *op, const OpAnswer *a)
{
    ((StoreDoneFn)op->fn)(a->r, a->error, op->userdata);
}

const OpInfo op_partitions = {
    .name = "partitions",
    .sql = "SELECT partitions_ahead()",
    .answer = done_answer,
};
