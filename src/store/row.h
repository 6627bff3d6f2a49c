/* Rows into structures, by tables: one entry says which expression fills which field. The list of columns of
 * a SELECT and the table that reads it are made from the same macro, so they cannot come apart. */
#pragma once

#include <libpq-fe.h>

#include "model/follow.h"
#include "store/lock.h"
#include "store/store.h"

typedef enum RowType {
    ROW_U64,    /* null is UNSET */
    ROW_UINT,   /* null is 0 */
    ROW_INT,    /* null is -1 */
    ROW_BOOL,   /* null is false */
    ROW_TEXT,   /* null is "" */
    ROW_MAYBE,  /* text, null is NULL */
    ROW_BYTES,  /* null is NULL */
    ROW_STATE,  /* by name */
    ROW_RESULT, /* by name */
} RowType;

typedef struct RowField {
    RowType type;
    size_t offset;
} RowField;

extern const RowField row_run[];
extern const unsigned row_run_n;
extern const RowField row_attempt[];
extern const unsigned row_attempt_n;
extern const RowField row_task[];
extern const unsigned row_task_n;
extern const RowField row_schedule[];
extern const unsigned row_schedule_n;
extern const RowField row_node[];
extern const unsigned row_node_n;

/* Fills record from the columns first, first + 1, … of a row. */
void row_read(const PGresult *res, int row, int first, const RowField *fields, unsigned n, void *record);
uint64_t row_u64(const PGresult *res, int row, int column);
/* All rows as StoreRun*, columns from first on. */
GPtrArray *row_runs(const PGresult *res, int first);
GPtrArray *row_attempts(const PGresult *res);
GPtrArray *row_audits(const PGresult *res);
GPtrArray *row_slots(const PGresult *res);
GPtrArray *row_tasks(const PGresult *res);
GPtrArray *row_schedules(const PGresult *res);
GPtrArray *row_nodes(const PGresult *res);

#define ROW_COLUMN(expression, type, field) expression ", "
/* A list of columns ends with one that nobody reads, for the comma's sake. */
#define ROW_LIST(fields) fields(ROW_COLUMN) "0"

/* The big ones, apart: lists leave them out. */
#define ROW_RUN_WHOLE(X)                                                                                     \
    X("r.input", MAYBE, input)                                                                               \
    X("r.secrets", MAYBE, secrets)                                                                           \
    X("r.raw", BYTES, raw)                                                                                   \
    X("r.output", MAYBE, output)
#define ROW_RUN_SHOWN(X)                                                                                     \
    X("r.input", MAYBE, input)                                                                               \
    X("NULL", MAYBE, secrets)                                                                                \
    X("NULL", BYTES, raw)                                                                                    \
    X("r.output", MAYBE, output)
#define ROW_RUN_SMALL(X)                                                                                     \
    X("NULL", MAYBE, input)                                                                                  \
    X("NULL", MAYBE, secrets)                                                                                \
    X("NULL", BYTES, raw)                                                                                    \
    X("NULL", MAYBE, output)

#define ROW_RUN_REST(X)                                                                                      \
    X("r.id", U64, id)                                                                                       \
    X("r.task", TEXT, task)                                                                                  \
    X("r.revision", U64, revision)                                                                           \
    X("r.state", STATE, state)                                                                               \
    X("r.result", RESULT, result)                                                                            \
    X("r.reason", TEXT, reason)                                                                              \
    X("r.queue", TEXT, queue)                                                                                \
    X("r.priority", INT, priority)                                                                           \
    X("r.exit_code", INT, exit_code)                                                                         \
    X("r.exit_status", INT, exit_status)                                                                     \
    X("r.attempt", UINT, attempt)                                                                            \
    X("r.node", TEXT, node)                                                                                  \
    X("r.epoch", U64, epoch)                                                                                 \
    X("r.token", TEXT, token)                                                                                \
    X("r.fence", U64, fence)                                                                                 \
    X("r.unit", TEXT, unit)                                                                                  \
    X("r.invocation_id", TEXT, invocation_id)                                                                \
    X("r.schedule", TEXT, schedule)                                                                          \
    X("time_to_usec(r.nominal)", U64, nominal)                                                               \
    X("time_to_usec(r.asked)", U64, asked)                                                                   \
    X("time_to_usec(coalesce(r.due, r.was_due))", U64, due)                                                  \
    X("time_to_usec(r.claimed)", U64, claimed)                                                               \
    X("time_to_usec(r.started)", U64, started)                                                               \
    X("time_to_usec(r.finished)", U64, finished)                                                             \
    X("time_to_usec(r.deadline)", U64, deadline)                                                             \
    X("r.places", UINT, places)                                                                              \
    X("r.overlap", TEXT, overlap)                                                                            \
    X("r.retry_of", U64, retry_of)                                                                           \
    X("r.after_run", U64, after_run)                                                                         \
    X("r.requester", TEXT, requester)                                                                        \
    X("r.requester_uid", U64, requester_uid)                                                                 \
    X("r.meta", MAYBE, meta)                                                                                 \
    X("r.cause", RESULT, cause)                                                                              \
    X("time_to_usec(r.cause_at)", U64, cause_at)                                                             \
    X("r.grace_usec", U64, grace_usec)                                                                       \
    X("r.manager_stamp", U64, manager_stamp)                                                                 \
    X("r.boot_id", TEXT, boot_id)                                                                            \
    X("r.claimed_monotonic", U64, claimed_monotonic)                                                         \
    X("r.cpu_nsec", U64, cpu_nsec)                                                                           \
    X("r.memory_peak", U64, memory_peak)                                                                     \
    X("r.io_read", U64, io_read)                                                                             \
    X("r.io_write", U64, io_write)                                                                           \
    X("r.ip_in", U64, ip_in)                                                                                 \
    X("r.ip_out", U64, ip_out)

/* Columns of run, named r. */
#define ROW_RUN_COLUMNS       ROW_RUN_WHOLE(ROW_COLUMN) ROW_LIST(ROW_RUN_REST)
#define ROW_RUN_COLUMNS_SHOWN ROW_RUN_SHOWN(ROW_COLUMN) ROW_LIST(ROW_RUN_REST)
#define ROW_RUN_COLUMNS_SMALL ROW_RUN_SMALL(ROW_COLUMN) ROW_LIST(ROW_RUN_REST)

#define ROW_ATTEMPT_FIELDS(X)                                                                                \
    X("a.attempt", UINT, attempt)                                                                            \
    X("a.node", TEXT, node)                                                                                  \
    X("a.unit", TEXT, unit)                                                                                  \
    X("a.invocation_id", TEXT, invocation_id)                                                                \
    X("a.reason", TEXT, reason)                                                                              \
    X("a.result", RESULT, result)                                                                            \
    X("a.exit_code", INT, exit_code)                                                                         \
    X("a.exit_status", INT, exit_status)                                                                     \
    X("time_to_usec(a.claimed)", U64, claimed)                                                               \
    X("time_to_usec(a.started)", U64, started)                                                               \
    X("time_to_usec(a.finished)", U64, finished)

#define ROW_TASK_FIELDS(X)                                                                                   \
    X("t.name", TEXT, name)                                                                                  \
    X("t.origin", TEXT, origin)                                                                              \
    X("t.path", TEXT, path)                                                                                  \
    X("t.node", TEXT, node)                                                                                  \
    X("t.revision", U64, revision)                                                                           \
    X("t.enabled", BOOL, enabled)                                                                            \
    X("t.deleted", BOOL, deleted)                                                                            \
    X("time_to_usec(t.paused_until)", U64, paused_until)                                                     \
    X("v.definition", TEXT, definition)                                                                      \
    X("time_to_usec(e.since)", U64, expect_since)                                                            \
    X("time_to_usec(e.success)", U64, expect_success)                                                        \
    X("time_to_usec(e.missed)", U64, missed)                                                                 \
    X("e.run", U64, missed_run)

#define ROW_AUDIT_FIELDS(X)                                                                                  \
    X("time_to_usec(a.at)", U64, at)                                                                         \
    X("a.id", U64, id)                                                                                       \
    X("a.uid", U64, uid)                                                                                     \
    X("a.user_name", TEXT, user)                                                                             \
    X("a.unit", TEXT, unit)                                                                                  \
    X("a.method", TEXT, method)                                                                              \
    X("a.object", TEXT, object)                                                                              \
    X("a.granted", BOOL, granted)

/* Of a schedule, named s, whose slots are the ends of another task's runs: FOLLOW_ENDS_MAX of them. */
#define ROW_ENDS                                                                                             \
    "(SELECT string_agg(time_to_usec(x.e)::text, ',' ORDER BY x.e) FROM unnest(s.ends[1:" G_STRINGIFY(       \
        FOLLOW_ENDS_MAX) "]) AS x(e))"
#define ROW_SCHEDULE_FIELDS(X)                                                                                    \
    X("s.task", TEXT, task)                                                                                       \
    X("s.name", TEXT, name)                                                                                       \
    X("s.enabled::int", INT, enabled)                                                                             \
    X("time_to_usec(s.last_nominal)", U64, last_nominal)                                                          \
    X("time_to_usec(s.since)", U64, since)                                                                        \
    X("time_to_usec(s.off_until)", U64, off_until)                                                                \
    X("time_to_usec(s.paused_until)", U64, paused_until)                                                          \
    X("s.fired", U64, fired)                                                                                      \
    X("time_to_usec(s.ended)", U64, ended)                                                                        \
    X("time_to_usec(s.under_way)", U64, under_way)                                                                \
    X("CASE WHEN s.by_hand <> '{}' THEN (SELECT string_agg(time_to_usec(h.t) || ' ' || h.w, E'\\n' ORDER BY h.t)" \
      " FROM unnest(s.by_hand, s.by_whom) AS h(t, w)) END",                                                       \
        MAYBE, by_hand)                                                                                           \
    X("CASE WHEN s.ends <> '{}' THEN " ROW_ENDS " END", MAYBE, ends)

/* $4 is this node: up, since it asks. Others are while their daemon's session holds the lock of their name. */
#define ROW_NODE_IS_UP                                                                                       \
    "(n.name = $4::text OR " LOCK_NODE("n.name") " IN (SELECT " LOCK_NUMBER                                  \
                                                 " FROM pg_locks l WHERE " LOCK_IS_HELD                      \
                                                 " AND " LOCK_IS_OF_NODE "))"
#define ROW_NODE_FIELDS(X)                                                                                   \
    X("n.name", TEXT, name)                                                                                  \
    X(ROW_NODE_IS_UP, BOOL, up)                                                                              \
    X("n.epoch", U64, epoch)                                                                                 \
    X("n.boot_id", TEXT, boot_id)                                                                            \
    X("time_to_usec(CASE WHEN " ROW_NODE_IS_UP " THEN now() ELSE n.last_seen END)", U64, last_seen)

#define ROW_SLOT_FIELDS(X)                                                                                   \
    X("l.task", TEXT, task)                                                                                  \
    X("l.schedule", TEXT, schedule)                                                                          \
    X("time_to_usec(l.nominal)", U64, nominal)                                                               \
    X("time_to_usec(coalesce(l.first, l.nominal))", U64, first)                                              \
    X("l.count", U64, count)                                                                                 \
    X("l.outcome", TEXT, outcome)                                                                            \
    X("l.cause", TEXT, cause)                                                                                \
    X("l.reason", TEXT, reason)                                                                              \
    X("l.run", U64, run)                                                                                     \
    X("time_to_usec(l.at)", U64, at)                                                                         \
    X("(SELECT nullif(count(*), 0) FROM backfill b WHERE b.task = l.task AND b.schedule = l.schedule"        \
      " AND b.nominal BETWEEN coalesce(l.first, l.nominal) AND l.nominal)",                                  \
        U64, backfilled)
