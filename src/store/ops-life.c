/* The life of a run: claimed, running, stopping, ended, given back, cancelled.
 *
 * Every change of a claimed run is guarded by node, epoch, attempt and token, in the statement that makes it.
 * What was not changed is looked up in the same statement: it stood there before, or it is not ours. */
#include "store/row.h"
#include "store/store-internal.h"

/* $node and $epoch are the last two values of each. Only the id is compared by itself, so that rows are found
 * by it, one by one, and not among all that the node has in its hands. */
#define OURS(node, epoch)                                                                                    \
    " r.id = q.run AND (r.attempt, r.token::text, r.node, r.epoch)"                                          \
    " IS NOT DISTINCT FROM (q.attempt, q.token, " node "::text, " epoch "::bigint) "

/* For what u did not change: 1 where before holds, else 2. */
#define OUTCOME(before)                                                                                      \
    "SELECT ord, 0, cause, time_to_usec(cause_at) FROM u "                                                   \
    "UNION ALL SELECT q.ord, CASE WHEN " before " THEN 1 ELSE 2 END, coalesce(r.cause, ''),"                 \
    "  time_to_usec(r.cause_at)"                                                                             \
    " FROM q LEFT JOIN run r ON r.id = q.run"                                                                \
    " LEFT JOIN attempt a ON a.run = q.run AND a.attempt = q.attempt AND a.token::text = q.token"            \
    " WHERE q.ord NOT IN (SELECT ord FROM u)"

static void outcome_answer(Op *op, const OpAnswer *a)
{
    StoreOutcomeFn fn = (StoreOutcomeFn)op->fn;

    if (a->r < 0)
        fn(a->r, RUN_RESULT_NONE, UNSET, a->error, op->userdata);
    else
        fn((int)row_u64(a->res, a->row, 1), run_result_from_string(PQgetvalue(a->res, a->row, 2)),
            row_u64(a->res, a->row, 3), NULL, op->userdata);
}

static Op *owner_op(OpKind kind, const StoreOwner *o, OpFn fn, void *userdata)
{
    Op *op = op_new(kind, fn, userdata);

    op_set_u64(op, 0, o->run);
    op_set_int(op, 1, (int)o->attempt);
    op_set_text(op, 2, o->token);
    op_set_key(op, 0, "r%" G_GUINT64_FORMAT, o->run);
    return op;
}

const OpInfo op_running = {
    .name = "running",
    .sql = "WITH q AS MATERIALIZED ("
           "  SELECT * FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::bigint[])"
           "  WITH ORDINALITY AS q(run, attempt, token, invocation, started, ord)),"
           " u AS MATERIALIZED ("
           "  UPDATE run r SET state = 'running', invocation_id = q.invocation,"
           "   started = coalesce(usec_to_time(q.started), now())"
           "  FROM q WHERE r.state = 'starting' AND" OURS("$6",
               "$7") "  RETURNING q.ord, r.id, r.attempt, r.invocation_id, r.started, r.cause, r.cause_at),"
                     " a AS ("
                     "  UPDATE attempt a SET invocation_id = u.invocation_id, started = u.started"
                     "  FROM u WHERE a.run = u.id AND a.attempt = u.attempt)" OUTCOME(
                         "a.result <> '' OR (r.state IN ('running', 'stopping') AND" OURS("$6", "$7") ")"),
    .n_values = 5,
    .shared = true,
    .node = true,
    .answer = outcome_answer,
};

int store_running(Store *s, const StoreOwner *o, const char *invocation_id, uint64_t started,
    StoreOutcomeFn fn, void *userdata)
{
    Op *op = owner_op(OP_RUNNING, o, (OpFn)fn, userdata);

    op_set_text(op, 3, util_strempty(invocation_id));
    op_set_u64(op, 4, started);
    return store_enqueue(s, op);
}

/* The first cause stays. A run that is stopping without a cause can still get one. */
const OpInfo op_stopping = {
    .name = "stopping",
    .sql =
        "WITH q AS MATERIALIZED ("
        "  SELECT * FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[])"
        "  WITH ORDINALITY AS q(run, attempt, token, cause, reason, ord)),"
        " u AS MATERIALIZED ("
        "  UPDATE run r SET state = 'stopping',"
        "   cause = CASE WHEN r.cause = '' THEN q.cause ELSE r.cause END,"
        "   cause_at = CASE WHEN r.cause = '' AND q.cause <> '' THEN now() ELSE r.cause_at END,"
        "   reason = CASE WHEN r.cause = '' AND q.reason <> '' THEN q.reason ELSE r.reason END"
        "  FROM q WHERE (r.state IN ('starting', 'running')"
        "   OR (r.state = 'stopping' AND r.cause = '' AND q.cause <> '')) AND" OURS("$6",
            "$7") "  RETURNING q.ord, r.cause, r.cause_at)" OUTCOME("a.result <> '' OR (r.state = 'stopping' AND" OURS("$6",
            "$7") ")"),
    .n_values = 5,
    .shared = true,
    .node = true,
    .answer = outcome_answer,
};

int store_stopping(
    Store *s, const StoreOwner *o, RunResult cause, const char *reason, StoreOutcomeFn fn, void *userdata)
{
    Op *op = owner_op(OP_STOPPING, o, (OpFn)fn, userdata);

    op_set_text(op, 3, run_result_to_string(cause));
    op_set_text(op, 4, util_strempty(reason));
    return store_enqueue(s, op);
}

/* A run that was cancelled meanwhile does not go back: it is done. */
const OpInfo op_requeue = {
    .name = "requeue",
    .sql =
        "WITH q AS MATERIALIZED ("
        "  SELECT * FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::bigint[])"
        "  WITH ORDINALITY AS q(run, attempt, token, reason, in_usec, ord)),"
        " u AS MATERIALIZED ("
        "  UPDATE run r SET state = CASE WHEN r.no_more THEN 'done' WHEN q.in_usec > 0 THEN 'waiting'"
        "    ELSE 'queued' END,"
        "   result = CASE WHEN r.no_more THEN r.cause ELSE '' END,"
        "   cause = CASE WHEN r.no_more THEN r.cause ELSE '' END,"
        "   cause_at = CASE WHEN r.no_more THEN r.cause_at END,"
        "   finished = CASE WHEN r.no_more THEN now() END,"
        "   reason = CASE WHEN r.no_more THEN r.reason ELSE q.reason END,"
        "   due = now() + q.in_usec / 1000 * interval '1 millisecond'"
        "  FROM q WHERE r.state = 'starting' AND" OURS("$6",
            "$7") "  RETURNING q.ord, q.reason, r.id, r.attempt, r.cause, r.cause_at),"
                  " a AS ("
                  "  UPDATE attempt a SET finished = now(), reason = u.reason"
                  "  FROM u WHERE a.run = u.id AND a.attempt = u.attempt)" OUTCOME("a.finished IS NOT NULL"),
    .n_values = 5,
    .shared = true,
    .node = true,
    .answer = outcome_answer,
};

int store_requeue(
    Store *s, const StoreOwner *o, const char *reason, uint64_t in_usec, StoreOutcomeFn fn, void *userdata)
{
    Op *op = owner_op(OP_REQUEUE, o, (OpFn)fn, userdata);

    op_set_text(op, 3, util_strempty(reason));
    op_set_u64(op, 4, in_usec);
    return store_enqueue(s, op);
}

/* --- the end
 *
 * o is the row as it stands, locked until it is written. d decides: the cause wins unless the process had
 * ended before it, which its time tells where nobody knows better: the clock may have been set in between; another attempt follows only if nobody cancelled. All other parts only write down what d
 * says. */
static const char end_sql[] =
    "WITH q AS MATERIALIZED ("
    "  SELECT * FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::smallint[],"
    "   $7::int[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],"
    "   $14::bigint[], $15::bigint[], $16::bigint[], $17::json[], $18::boolean[], $19::bigint[], $20::boolean[])"
    "  WITH ORDINALITY AS q(run, attempt, token, result, reason, exit_code, exit_status, invocation, started,"
    "   finished, cpu_nsec, memory_peak, io_read, io_write, ip_in, ip_out, output, again, again_in, killed,"
    "   ord)),"
    " o AS MATERIALIZED ("
    "  SELECT q.ord, q.run, q.attempt, q.exit_code, q.exit_status, q.cpu_nsec, q.memory_peak, q.io_read,"
    "   q.io_write, q.ip_in, q.ip_out, q.output, q.again, q.again_in, q.result AS own, q.reason AS own_reason,"
    "   coalesce(nullif(q.invocation, ''), r.invocation_id) AS invocation_id,"
    "   coalesce(usec_to_time(q.started), r.started) AS started,"
    "   coalesce(usec_to_time(q.finished), now()) AS finished, r.task,"
    "   r.no_more, r.cause, r.reason AS cause_reason,"
    "   r.cause <> '' AND (q.killed OR NOT coalesce(usec_to_time(q.finished) < r.cause_at, false)) AS caused"
    "  FROM q JOIN run r ON r.state IN ('starting', 'running', 'stopping') AND" OURS("$21",
        "$22") "),"
               " d AS MATERIALIZED ("
               "  SELECT o.*, CASE WHEN caused THEN cause ELSE own END AS result,"
               "   CASE WHEN caused AND cause_reason <> '' THEN cause_reason ELSE own_reason END AS reason,"
               "   again AND NOT no_more AND cause <> 'cancelled'"
               "    AND CASE WHEN caused THEN cause ELSE own END NOT IN ('cancelled', 'skipped', 'expired') AS more"
               "  FROM o),"
               " u AS MATERIALIZED ("
               "  UPDATE run r SET state = CASE WHEN d.more THEN 'waiting' ELSE 'done' END,"
               "   result = CASE WHEN d.more THEN '' ELSE d.result END, reason = d.reason,"
               "   due = CASE WHEN d.more THEN now() + d.again_in / 1000 * interval '1 millisecond' ELSE r.due END,"
               "   deadline = CASE WHEN NOT d.more THEN r.deadline END,"
               "   cause = CASE WHEN d.more THEN '' ELSE r.cause END,"
               "   cause_at = CASE WHEN d.more THEN NULL ELSE r.cause_at END,"
               "   invocation_id = d.invocation_id,"
               "   started = CASE WHEN d.more THEN NULL ELSE d.started END,"
               "   finished = CASE WHEN d.more THEN NULL ELSE d.finished END,"
               "   exit_code = CASE WHEN d.more THEN 0 ELSE d.exit_code END,"
               "   exit_status = CASE WHEN d.more THEN NULL ELSE d.exit_status END,"
               "   output = CASE WHEN d.more THEN NULL ELSE d.output END,"
               "   cpu_nsec = CASE WHEN d.more THEN NULL ELSE d.cpu_nsec END,"
               "   memory_peak = CASE WHEN d.more THEN NULL ELSE d.memory_peak END,"
               "   io_read = CASE WHEN d.more THEN NULL ELSE d.io_read END,"
               "   io_write = CASE WHEN d.more THEN NULL ELSE d.io_write END,"
               "   ip_in = CASE WHEN d.more THEN NULL ELSE d.ip_in END,"
               "   ip_out = CASE WHEN d.more THEN NULL ELSE d.ip_out END"
               "  FROM d WHERE r.id = d.run RETURNING d.ord, d.result, r.state, r.due),"
               " a AS ("
               "  UPDATE attempt a SET invocation_id = d.invocation_id, started = d.started, finished = d.finished,"
               "   result = d.result, reason = d.reason, exit_code = d.exit_code, exit_status = d.exit_status,"
               "   output = CASE WHEN d.more THEN d.output END, cpu_nsec = d.cpu_nsec, memory_peak = d.memory_peak,"
               "   io_read = d.io_read, io_write = d.io_write, ip_in = d.ip_in, ip_out = d.ip_out"
               "  FROM d WHERE a.run = d.run AND a.attempt = d.attempt),"
               " expected AS ("
               "  UPDATE expectation e SET success = greatest(e.success, x.finished)"
               "  FROM (SELECT task, max(finished) AS finished FROM d WHERE result = 'success' AND NOT more GROUP BY task ORDER BY task) x"
               "  WHERE e.task = x.task),"
               " late AS ("
               "  UPDATE attempt a SET late = q.result || ', ' || q.exit_code || '/' || coalesce(q.exit_status::text, '-')"
               "   || ', ended ' || coalesce(usec_to_time(q.finished)::text, '-') || ', told ' || now()::text"
               "  FROM q WHERE a.run = q.run AND a.attempt = q.attempt AND a.token::text = q.token AND a.result = ''"
               "   AND q.ord NOT IN (SELECT ord FROM d))"
               "SELECT ord, 0, result, state, time_to_usec(due) FROM u "
               "UNION ALL SELECT q.ord, CASE WHEN a.result <> '' THEN 1 ELSE 2 END,"
               "  CASE WHEN r.state = 'done' THEN r.result ELSE coalesce(a.result, '') END,"
               "  coalesce(r.state, ''), time_to_usec(r.due)"
               " FROM q LEFT JOIN run r ON r.id = q.run"
               " LEFT JOIN attempt a ON a.run = q.run AND a.attempt = q.attempt AND a.token::text = q.token"
               " WHERE q.ord NOT IN (SELECT ord FROM d)";

static void end_answer(Op *op, const OpAnswer *a)
{
    StoreEndFn fn = (StoreEndFn)op->fn;

    if (a->r < 0)
        fn(a->r, RUN_RESULT_NONE, _RUN_STATE_INVALID, UNSET, a->error, op->userdata);
    else
        fn((int)row_u64(a->res, a->row, 1), run_result_from_string(PQgetvalue(a->res, a->row, 2)),
            run_state_from_string(PQgetvalue(a->res, a->row, 3)), row_u64(a->res, a->row, 4), NULL,
            op->userdata);
}

const OpInfo op_end = {
    .name = "end",
    .sql = end_sql,
    .n_values = 20,
    .shared = true,
    .node = true,
    .answer = end_answer,
};

int store_end(Store *s, const StoreEnd *e, StoreEndFn fn, void *userdata)
{
    Op *op = owner_op(OP_END, &e->owner, (OpFn)fn, userdata);

    op_set_text(op, 3, run_result_to_string(e->result));
    op_set_text(op, 4, util_strempty(e->reason));
    op_set_int(op, 5, e->exit_code);
    op_set_u64(op, 6, e->exit_status < 0 ? UNSET : (uint64_t)e->exit_status);
    op_set_text(op, 7, util_strempty(e->invocation_id));
    op_set_u64(op, 8, e->started);
    op_set_u64(op, 9, e->finished);
    op_set_u64(op, 10, e->cpu_nsec);
    op_set_u64(op, 11, e->memory_peak);
    op_set_u64(op, 12, e->io_read);
    op_set_u64(op, 13, e->io_write);
    op_set_u64(op, 14, e->ip_in);
    op_set_u64(op, 15, e->ip_out);
    op_set_text(op, 16, e->output);
    op_set_bool(op, 17, e->again);
    op_set_u64(op, 18, e->again ? e->again_in_usec : 0);
    op_set_bool(op, 19, e->killed);
    return store_enqueue(s, op);
}

/* --- cancelling */

/* One update for both: what it finds the row to be at that moment decides, also where a claim came between.
 */
static const char cancel_sql[] =
    "WITH q AS MATERIALIZED ("
    "  SELECT * FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS q(run, reason, ord)),"
    " u AS MATERIALIZED ("
    "  UPDATE run r SET no_more = true,"
    "   state = CASE WHEN r.state IN ('waiting', 'queued', 'paused') THEN 'done' ELSE r.state END,"
    "   result = CASE WHEN r.state IN ('waiting', 'queued', 'paused') THEN 'cancelled' ELSE '' END,"
    "   finished = CASE WHEN r.state IN ('waiting', 'queued', 'paused') THEN now() ELSE r.finished END,"
    "   reason = CASE WHEN r.cause = '' THEN q.reason ELSE r.reason END,"
    "   cause_at = CASE WHEN r.cause = '' THEN now() ELSE r.cause_at END,"
    "   cause = CASE WHEN r.cause = '' THEN 'cancelled' ELSE r.cause END"
    "  FROM q WHERE r.id = q.run AND r.state <> 'done' AND NOT r.no_more"
    "  RETURNING q.ord, r.state, r.result, r.cause_at,"
    "   r.place IN ('taken', 'wanted') OR (r.schedule <> '' AND r.requester_uid IS NOT NULL) AS freed)"
    "SELECT ord, state, result, false, time_to_usec(cause_at), state = 'done' AND freed FROM u "
    "UNION ALL SELECT q.ord, r.state, r.result, r.state = 'done', time_to_usec(r.cause_at), false"
    " FROM q JOIN run r ON r.id = q.run WHERE q.ord NOT IN (SELECT ord FROM u)";

static void cancel_answer(Op *op, const OpAnswer *a)
{
    StoreCancelFn fn = (StoreCancelFn)op->fn;
    StoreCancelled c = { .cause_at = UNSET };

    if (a->r < 0) {
        fn(a->r, &c, op->userdata);
        return;
    }
    c.state = run_state_from_string(PQgetvalue(a->res, a->row, 1));
    c.result = run_result_from_string(PQgetvalue(a->res, a->row, 2));
    c.before = *PQgetvalue(a->res, a->row, 3) == 't';
    c.cause_at = row_u64(a->res, a->row, 4);
    c.freed = *PQgetvalue(a->res, a->row, 5) == 't';
    fn(0, &c, op->userdata);
}

const OpInfo op_cancel = {
    .name = "cancel",
    .sql = cancel_sql,
    .n_values = 2,
    .shared = true,
    .answer = cancel_answer,
};

int store_cancel(Store *s, uint64_t run, const char *reason, StoreCancelFn fn, void *userdata)
{
    Op *op = op_new(OP_CANCEL, (OpFn)fn, userdata);

    op_set_u64(op, 0, run);
    op_set_text(op, 1, util_strempty(reason));
    op_set_key(op, 0, "r%" G_GUINT64_FORMAT, run);
    return store_enqueue(s, op);
}
