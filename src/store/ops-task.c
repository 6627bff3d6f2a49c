/* Tasks, their revisions and schedules. */
#include "store/row.h"
#include "store/store-internal.h"

/* Touches nothing where nothing changed: at every start all files are put. A schedule's last_nominal outlives
 * a change of the definition. */
static const char put_task_sql[] =
    "WITH old AS MATERIALIZED ("
    "  SELECT t.revision, t.deleted, coalesce(v.definition = $5::jsonb, false) AS same"
    "  FROM task t LEFT JOIN task_revision v ON v.task = t.name AND v.revision = t.revision"
    "  WHERE t.name = $1::text),"
    " now AS MATERIALIZED ("
    "  SELECT coalesce((SELECT CASE WHEN same THEN revision ELSE revision + 1 END FROM old), 1) AS revision,"
    "   coalesce((SELECT same FROM old), false) AS same),"
    " v AS ("
    "  INSERT INTO task_revision (task, revision, description, definition, created)"
    "  SELECT $1, revision, $4::text, $5::jsonb, now() FROM now WHERE NOT same),"
    " t AS ("
    "  INSERT INTO task AS t (name, origin, path, revision, changed)"
    "  SELECT $1, $2::text, $3::text, revision, now() FROM now"
    "  ON CONFLICT (name) DO UPDATE SET origin = excluded.origin, path = excluded.path,"
    "   revision = excluded.revision, enabled = t.enabled OR t.deleted, deleted = false, changed = now()"
    "  WHERE (t.origin, t.path, t.revision, t.deleted)"
    "   IS DISTINCT FROM (excluded.origin, excluded.path, excluded.revision, false)),"
    " gone AS (DELETE FROM schedule WHERE task = $1 AND name <> ALL ($6::text[])),"
    " s AS ("
    "  INSERT INTO schedule (task, name, since) SELECT $1, n, now() FROM unnest($6::text[]) AS n"
    "  ON CONFLICT (task, name) DO UPDATE SET since = now() WHERE NOT (SELECT same FROM now))"
    "SELECT revision FROM now";

static void put_task_answer(Op *op, const OpAnswer *a)
{
    StoreNumberFn fn = (StoreNumberFn)op->fn;

    fn(a->r, a->r < 0 ? 0 : row_u64(a->res, 0, 0), a->error, op->userdata);
}

const OpInfo op_put_task = {
    .name = "put_task",
    .sql = put_task_sql,
    .n_values = 6,
    .answer = put_task_answer,
};

int store_put_task(Store *s, const StorePutTask *t, StoreNumberFn fn, void *userdata)
{
    Op *op = op_new(OP_PUT_TASK, (OpFn)fn, userdata);
    g_autofree char *schedules = op_array_of(t->schedules);

    op_set_text(op, 0, t->name);
    op_set_text(op, 1, t->origin);
    op_set_text(op, 2, util_strempty(t->path));
    op_set_text(op, 3, util_strempty(t->description));
    op_set_text(op, 4, t->definition);
    op_set_text(op, 5, schedules);
    op_set_key(op, 0, "t%s", t->name);
    return store_enqueue(s, op);
}

/* One row where the task was found. */
static void task_answer(Op *op, const OpAnswer *a)
{
    StoreDoneFn fn = (StoreDoneFn)op->fn;
    g_auto(Error) error = { 0 };

    if (a->r >= 0 && PQntuples(a->res) == 0) {
        error_set(&error, ERROR_NO_SUCH_TASK, "There is no task \"%s\"", op->values[0]);
        fn(-ENOENT, &error, op->userdata);
        return;
    }
    fn(a->r, a->error, op->userdata);
}

const OpInfo op_delete_task = {
    .name = "delete_task",
    .sql = "WITH s AS (DELETE FROM schedule WHERE task = $1::text)"
           "UPDATE task SET deleted = true, changed = now() WHERE name = $1 AND NOT deleted RETURNING name",
    .n_values = 1,
    .answer = task_answer,
};

int store_delete_task(Store *s, const char *name, StoreDoneFn fn, void *userdata)
{
    Op *op = op_new(OP_DELETE_TASK, (OpFn)fn, userdata);

    op_set_text(op, 0, name);
    op_set_key(op, 0, "t%s", name);
    return store_enqueue(s, op);
}

/* Slots that passed while it was disabled are not made up for; enabling what is enabled changes nothing. */
const OpInfo op_enable_task = {
    .name = "enable_task",
    .sql = "WITH old AS MATERIALIZED (SELECT enabled FROM task WHERE name = $1::text AND NOT deleted),"
           " s AS (UPDATE schedule SET since = now()"
           "  WHERE task = $1 AND $2::boolean AND (SELECT NOT enabled FROM old)),"
           " t AS (UPDATE task SET enabled = $2::boolean"
           "  WHERE name = $1 AND NOT deleted AND enabled <> $2::boolean)"
           "SELECT enabled FROM old",
    .n_values = 2,
    .answer = task_answer,
};

static void schedule_answer(Op *op, const OpAnswer *a)
{
    StoreDoneFn fn = (StoreDoneFn)op->fn;
    g_auto(Error) error = { 0 };

    if (a->r >= 0 && PQntuples(a->res) == 0) {
        error_set(&error, ERROR_NO_SUCH_SCHEDULE, "Task \"%s\" has no schedule \"%s\"", op->values[0],
            op->values[1]);
        fn(-ENOENT, &error, op->userdata);
        return;
    }
    fn(a->r, a->error, op->userdata);
}

const OpInfo op_enable_schedule = {
    .name = "enable_schedule",
    .sql = "UPDATE schedule SET enabled = $3::boolean,"
           " since = CASE WHEN $3::boolean AND enabled IS DISTINCT FROM true THEN now() ELSE since END"
           " WHERE task = $1::text AND name = $2::text RETURNING name",
    .n_values = 3,
    .answer = schedule_answer,
};

int store_set_enabled(
    Store *s, const char *task, const char *schedule, bool enabled, StoreDoneFn fn, void *userdata)
{
    Op *op = op_new(schedule ? OP_ENABLE_SCHEDULE : OP_ENABLE_TASK, (OpFn)fn, userdata);
    unsigned i = 0;

    op_set_text(op, i++, task);
    if (schedule)
        op_set_text(op, i++, schedule);
    op_set_bool(op, i, enabled);
    op_set_key(op, 0, "t%s", task);
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
