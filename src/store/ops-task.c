/* Tasks, their revisions and schedules. */
#include "store/row.h"
#include "store/store-internal.h"

/* What becomes of slots that a definition had, together with its end: what stands in the ledger by now stays, and the rest,
 * from the next instant on, is not counted then. The lock keeps others from firing one of them meanwhile. What changes the
 * rows that are read here comes after it: it asks for SKIPS_FIRST. */
#define SKIPS_FIRST "(SELECT count(*) >= 0 FROM ledger)"
#define SKIPS(array, also)                                                                                               \
    "skipped AS MATERIALIZED ("                                                                                          \
    "  SELECT x.*, s.last_nominal AS at FROM jsonb_to_recordset(" array                                                  \
    ") AS x(schedule text, previous bigint,"                                                                             \
    "   first bigint, last bigint, n bigint, cause text, reason text)"                                                   \
    "  JOIN schedule s ON s.task = $1 AND s.name = x.schedule"                                                           \
    "  WHERE (s.last_nominal IS NULL OR s.last_nominal < usec_to_time(x.last))" also " FOR UPDATE OF s),"                \
    " ledger AS ("                                                                                                       \
    "  INSERT INTO slot (task, schedule, nominal, first, count, outcome, cause, reason, at)"                             \
    "  SELECT $1, schedule, usec_to_time(last),"                                                                         \
    "   nullif(greatest(usec_to_time(first), at + interval '1 microsecond'), usec_to_time(last)),"                       \
    "   CASE WHEN at IS NOT DISTINCT FROM usec_to_time(previous) THEN nullif(n, 0) END, 'skipped', cause, reason, now()" \
    "  FROM skipped ON CONFLICT DO NOTHING RETURNING nominal)"

#define PAST_SKIPPED                                                                                         \
    STORE_BY_HAND_AFTER("coalesce(greatest(s.last_nominal, (SELECT usec_to_time(k.last) FROM skipped k"      \
                        " WHERE k.schedule = excluded.name)), '-infinity')")

/* Touches nothing where nothing changed: at every start all files are put. A schedule's last_nominal outlives
 * a change of the definition; where its revision was another than the task's, it is mended. Of several nodes that put one task each sees what the one before it wrote: see hold.c. */
static const char put_task_sql[] =
    "WITH old AS MATERIALIZED ("
    "  SELECT t.revision, t.deleted, coalesce(v.definition = $5::jsonb, false) AS same,"
    "   CASE WHEN t.deleted THEN NULL WHEN t.enabled THEN t.paused_until ELSE 'infinity' END AS until"
    "  FROM task t LEFT JOIN task_revision v ON v.task = t.name AND v.revision = t.revision"
    "  WHERE t.name = $1::text),"
    " now AS MATERIALIZED ("
    "  SELECT coalesce((SELECT revision FROM old WHERE same), (SELECT max(revision) FROM task_revision WHERE task = $1) + 1, 1) AS revision,"
    "   coalesce((SELECT same FROM old), false) AS same)," SKIPS("$8::jsonb",
        " AND NOT (SELECT same FROM now)") ","
                                           " v AS ("
                                           "  INSERT INTO task_revision (task, revision, description, definition, created)"
                                           "  SELECT $1, revision, $4::text, $5::jsonb, now() FROM now WHERE NOT same),"
                                           " t AS ("
                                           "  INSERT INTO task AS t (name, origin, path, node, revision, changed)"
                                           "  SELECT $1, $2::text, $3::text, $11::text, revision, now() FROM now"
                                           "  ON CONFLICT (name) DO UPDATE SET origin = excluded.origin, path = excluded.path, node = excluded.node,"
                                           "   revision = excluded.revision, enabled = t.enabled OR t.deleted,"
                                           "   paused_until = CASE WHEN NOT t.deleted THEN t.paused_until END, deleted = false, changed = now()"
                                           "  WHERE (t.origin, t.path, t.node, t.revision, t.deleted)"
                                           "   IS DISTINCT FROM (excluded.origin, excluded.path, excluded.node, excluded.revision, false)),"
                                           " gone AS (DELETE FROM schedule WHERE task = $1 AND name <> ALL ($6::text[]) AND " SKIPS_FIRST
                                           "),"
                                           " s AS ("
                                           "  INSERT INTO schedule AS s (task, name, since, revision, task_until, follows)"
                                           "  SELECT $1, n, usec_to_time($7::bigint), now.revision, (SELECT until FROM old), nullif(f, '') FROM now, unnest($6::text[], $9::text[]) AS x(n, f)"
                                           "  ON CONFLICT (task, name) DO UPDATE SET since = CASE WHEN (SELECT same FROM now) THEN s.since ELSE excluded.since END, revision = excluded.revision, last_nominal = greatest(s.last_nominal,"
                                           "   (SELECT usec_to_time(k.last) FROM skipped k WHERE k.schedule = excluded.name)),"
                                           "   follows = excluded.follows,"
                                           "   ended = CASE WHEN s.follows = excluded.follows THEN s.ended END,"
                                           "   under_way = CASE WHEN s.follows = excluded.follows THEN s.under_way END,"
                                           "   " PAST_SKIPPED
                                           " WHERE (s.revision <> excluded.revision OR NOT (SELECT same FROM now)) AND " SKIPS_FIRST
                                           "),"
                                           " expected AS ("
                                           "  INSERT INTO expectation (task, since) SELECT $1, usec_to_time($7) WHERE $10::boolean"
                                           "  ON CONFLICT DO NOTHING),"
                                           " unexpected AS (DELETE FROM expectation WHERE task = $1 AND NOT $10::boolean)"
                                           "SELECT revision FROM now";

static void put_task_answer(Op *op, const OpAnswer *a)
{
    StoreNumberFn fn = (StoreNumberFn)op->fn;

    fn(a->r, a->r < 0 ? 0 : row_u64(a->res, 0, 0), a->error, op->userdata);
}

const OpInfo op_put_task = {
    .name = "put_task",
    .sql = put_task_sql,
    .n_values = 11,
    .answer = put_task_answer,
};

int store_put_task(Store *s, const StorePutTask *t, StoreNumberFn fn, void *userdata)
{
    Op *op = op_new(OP_PUT_TASK, (OpFn)fn, userdata);
    g_autofree char *schedules = op_array_of(t->schedules), *follows = op_array_of(t->follows);
    g_autofree char *skips = op_skips(t->skips);

    op_set_text(op, 0, t->name);
    op_set_text(op, 1, t->origin);
    op_set_text(op, 2, util_strempty(t->path));
    op_set_text(op, 3, util_strempty(t->description));
    op_set_text(op, 4, t->definition);
    op_set_text(op, 5, schedules);
    op_set_u64(op, 6, t->since);
    op_set_text(op, 7, skips);
    op_set_text(op, 8, follows);
    op_set_bool(op, 9, t->expects);
    op_set_text(op, 10, util_strempty(t->node));
    op_set_key(op, 0, "t%s", t->name);
    return store_enqueue(s, op);
}

/* One row where the task was found. */
static void task_answer(Op *op, const OpAnswer *a)
{
    StoreDoneFn fn = (StoreDoneFn)op->fn;
    g_auto(Error) error = { 0 };

    if (a->r >= 0 && PQntuples(a->res) == 0) {
        task_missing(&error, op->values[0]);
        fn(-ENOENT, &error, op->userdata);
        return;
    }
    fn(a->r, a->error, op->userdata);
}

const OpInfo op_delete_task = {
    .name = "delete_task",
    .sql = "WITH " SKIPS("$2::jsonb",
        "") ","
            " s AS (DELETE FROM schedule WHERE task = $1::text AND " SKIPS_FIRST "),"
            " e AS (DELETE FROM expectation WHERE task = $1)"
            "UPDATE task SET deleted = true, changed = now() WHERE name = $1 AND NOT deleted RETURNING name",
    .n_values = 2,
    .answer = task_answer,
};

int store_delete_task(Store *s, const char *name, const GArray *skips, StoreDoneFn fn, void *userdata)
{
    Op *op = op_new(OP_DELETE_TASK, (OpFn)fn, userdata);
    g_autofree char *skipped = op_skips(skips);

    op_set_text(op, 0, name);
    op_set_text(op, 1, skipped);
    op_set_key(op, 0, "t%s", name);
    return store_enqueue(s, op);
}

/* Slots that passed while it was disabled are not made up for; enabling what is enabled changes nothing. The rows of its schedules
 * say the same, for whoever is just firing a slot of one. */
const OpInfo op_enable_task = {
    .name = "enable_task",
    .sql =
        "WITH old AS MATERIALIZED (SELECT enabled, coalesce($2::boolean AND $3::bigint IS NOT NULL AND NOT enabled, false) AS again,"
        "   CASE WHEN coalesce($2::boolean, enabled) THEN coalesce(usec_to_time($4::bigint), paused_until)"
        "    ELSE 'infinity' END AS until FROM task WHERE name = $1::text AND NOT deleted FOR NO KEY UPDATE),"
        " s AS (UPDATE schedule s SET off_until = CASE WHEN old.again THEN usec_to_time($3::bigint) ELSE s.off_until END,"
        "   task_until = old.until"
        "  FROM old WHERE s.task = $1 AND (old.again OR s.task_until IS DISTINCT FROM old.until)),"
        " e AS (UPDATE expectation e SET since = usec_to_time($3::bigint), missed = NULL, run = NULL"
        "  FROM old WHERE e.task = $1 AND old.again),"
        " t AS (UPDATE task SET enabled = coalesce($2::boolean, enabled),"
        "   paused_until = coalesce(usec_to_time($4::bigint), paused_until)"
        "  WHERE name = $1 AND NOT deleted AND (enabled <> $2::boolean OR $4::bigint IS NOT NULL))"
        "SELECT enabled FROM old",
    .n_values = 4,
    .answer = task_answer,
};

static void schedule_answer(Op *op, const OpAnswer *a)
{
    StoreDoneFn fn = (StoreDoneFn)op->fn;
    g_auto(Error) error = { 0 };

    if (a->r >= 0 && PQntuples(a->res) == 0) {
        task_schedule_missing(&error, op->values[0], op->values[1]);
        fn(-ENOENT, &error, op->userdata);
        return;
    }
    fn(a->r, a->error, op->userdata);
}

const OpInfo op_enable_schedule = {
    .name = "enable_schedule",
    .sql = "UPDATE schedule SET enabled = coalesce($3::boolean, enabled),"
           " off_until = CASE WHEN $3::boolean AND enabled IS DISTINCT FROM true"
           "  THEN coalesce(usec_to_time($4::bigint), off_until) ELSE off_until END,"
           " paused_until = coalesce(usec_to_time($5::bigint), paused_until)"
           " WHERE task = $1::text AND name = $2::text RETURNING name",
    .n_values = 5,
    .answer = schedule_answer,
};

int store_set_enabled(Store *s, const StoreEnable *e, StoreDoneFn fn, void *userdata)
{
    Op *op = op_new(e->schedule ? OP_ENABLE_SCHEDULE : OP_ENABLE_TASK, (OpFn)fn, userdata);
    unsigned i = 0;

    op_set_text(op, i++, e->task);
    if (e->schedule)
        op_set_text(op, i++, e->schedule);
    if (e->enabled >= 0)
        op_set_bool(op, i, e->enabled > 0);
    i++;
    op_set_u64(op, i++, e->off_until);
    op_set_u64(op, i, e->paused_until);
    op_set_key(op, 0, "t%s", e->task);
    return store_enqueue(s, op);
}

static void get_revision_answer(Op *op, const OpAnswer *a)
{
    StoreTextFn fn = (StoreTextFn)op->fn;

    if (a->r < 0)
        fn(a->r, NULL, op->userdata);
    else if (PQntuples(a->res) == 0)
        fn(-ENOENT, NULL, op->userdata);
    else
        fn(0, PQgetvalue(a->res, 0, 0), op->userdata);
}

const OpInfo op_get_revision = {
    .name = "get_revision",
    .sql = "SELECT definition FROM task_revision WHERE task = $1::text AND revision = $2::bigint",
    .n_values = 2,
    .answer = get_revision_answer,
};

int store_get_revision(Store *s, const char *task, uint64_t revision, StoreTextFn fn, void *userdata)
{
    Op *op = op_new(OP_GET_REVISION, (OpFn)fn, userdata);

    op_set_text(op, 0, task);
    op_set_u64(op, 1, revision);
    return store_enqueue(s, op);
}

static void get_task_answer(Op *op, const OpAnswer *a)
{
    StoreTaskFn fn = (StoreTaskFn)op->fn;
    g_autoptr(GPtrArray) tasks = NULL, schedules = NULL;

    if (a->r < 0) {
        fn(a->r, NULL, NULL, op->userdata);
        return;
    }
    tasks = row_tasks(a->res);
    schedules = row_schedules(a->second);
    if (tasks->len == 0)
        fn(-ENOENT, NULL, NULL, op->userdata);
    else
        fn(0, g_ptr_array_index(tasks, 0), schedules, op->userdata);
}

const OpInfo op_get_task = {
    .name = "get_task",
    .sql = "SELECT " ROW_LIST(
        ROW_TASK_FIELDS) " FROM task t JOIN task_revision v ON v.task = t.name AND v.revision = t.revision"
                         " LEFT JOIN expectation e ON e.task = t.name WHERE t.name = $1::text AND NOT t.deleted",
    .second_name = "get_schedules",
    .second_sql =
        "SELECT " ROW_LIST(ROW_SCHEDULE_FIELDS) " FROM schedule s WHERE s.task = $1::text ORDER BY s.name",
    .second_n_values = 1,
    .n_values = 1,
    .answer = get_task_answer,
};

int store_get_task(Store *s, const char *task, StoreTaskFn fn, void *userdata)
{
    Op *op = op_new(OP_GET_TASK, (OpFn)fn, userdata);

    op_set_text(op, 0, task);
    return store_enqueue(s, op);
}
