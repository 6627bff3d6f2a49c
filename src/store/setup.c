/* The steps from a fresh connection to a store that is up. */
#include "store/setup.h"

#include "base/log.h"
#include "store/batch.h"
#include "store/dump.h"
#include "store/hold.h"
#include "store/lock.h"
#include "store/migration.h"
#include "store/row.h"

#define SERVER_VERSION_MIN    150000
#define MIGRATION_ANSWER_USEC (3600 * USEC_PER_SEC)

struct Setup {
    Store *store;
    Connection *connection;
    unsigned version; /* of the schema */
    bool alone;       /* of several nodes this one has the database for itself, to migrate it */
    bool loading;     /* the first page of tasks has come */
    Dump *dump;
};

/* Every look-up of ours has its index, and none is better served by reading a whole table: the planner does
 * not get to think otherwise when its statistics are young, nor anew each time: what is prepared would mostly take longer to plan than
 * to execute. The server gives up a host that is gone, and with it the lock of the node's name. */
const char *const setup_settings_sql =
    "SELECT set_config(name, value, false) FROM (VALUES"
    " ('synchronous_commit', 'on'), ('search_path', 'taskschedd, pg_catalog'), ('TimeZone', 'UTC'),"
    " ('DateStyle', 'ISO'), ('bytea_output', 'hex'), ('default_transaction_isolation', 'read committed'),"
    " ('statement_timeout', '25s'), ('lock_timeout', '10s'), ('idle_in_transaction_session_timeout', '60s'),"
    " ('plan_cache_mode', 'force_generic_plan'), ('jit', 'off'), ('enable_seqscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'),"
    " ('standard_conforming_strings', 'on'), ('tcp_keepalives_idle', '" CONNECTION_IDLE_SEC
    "'), ('tcp_keepalives_interval', '" CONNECTION_PROBE_SEC
    "'), ('tcp_keepalives_count', '" CONNECTION_PROBES "'), ('tcp_user_timeout', '" CONNECTION_SILENT_MSEC
    "')) AS s(name, value)";

/* Alone, or beside others, each of which has its name for itself. */
static const char *const alone_sql = "SELECT pg_try_advisory_lock(" LOCK_DATABASE ")";
static const char *const shared_sql = "SELECT pg_try_advisory_lock_shared(" LOCK_DATABASE
                                      ") AND pg_try_advisory_lock(" LOCK_NODE("$1::text") ")";

/* Who is in the way, and whether it is for the name. */
static const char *const holder_sql =
    "SELECT l.pid, coalesce(client_addr::text, 'this host'), backend_start::timestamp(0)::text, " LOCK_IS_OF_NODE
    " FROM pg_locks l JOIN pg_stat_activity USING (pid) WHERE " LOCK_IS_HELD " AND l.pid <> pg_backend_pid()"
    " AND CASE WHEN " LOCK_IS_OF_NODE " THEN " LOCK_NUMBER
    " = " LOCK_NODE("$1::text") "  ELSE l.classid = " LOCK_CLASS
                                " AND l.objid = 1 AND (l.mode = 'ExclusiveLock' OR $1 IS NULL) END LIMIT 1";

Setup *setup_new(Store *s)
{
    Setup *u = g_new0(Setup, 1);

    u->store = s;
    u->connection = s->connection;
    return u;
}

void setup_free(Setup *u)
{
    if (!u)
        return;
    dump_free(u->dump);
    g_free(u);
}

static void unusable(Setup *u, const char *format, ...) _printf_(2, 3);
static void unusable(Setup *u, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list ap;

    va_start(ap, format);
    reason = g_strdup_vprintf(format, ap);
    va_end(ap);
    store_disconnect(u->store, STORE_UNUSABLE, reason);
}

/* False where the step did not succeed: the setup is gone then. */
static bool step_ok(Setup *u, const ExchangeResult *result)
{
    g_autofree char *reason = NULL;

    if (result->lost)
        return false;
    if (!result->error)
        return true;
    reason = store_trouble(result->error);
    store_disconnect(
        u->store, batch_trouble(result->error) == BATCH_LOST ? STORE_CONNECTING : STORE_UNUSABLE, reason);
    return false;
}

/* --- load */

static GArray *late_runs(const PGresult *res)
{
    GArray *late = g_array_new(FALSE, FALSE, sizeof(StoreLateRun));

    for (int row = 0; row < PQntuples(res); row++) {
        StoreLateRun l = { row_u64(res, row, 0), PQgetvalue(res, row, 1), PQgetvalue(res, row, 2) };

        g_array_append_val(late, l);
    }
    return late;
}

static void on_loaded(const ExchangeResult *result, void *userdata)
{
    Setup *u = userdata;
    Store *s = u->store;
    PGresult *const *res = result->result;
    StoreLoaded loaded = { 0 };

    if (!step_ok(u, result))
        return;
    s->epoch = loaded.epoch = row_u64(res[0], 0, 0);
    loaded.tasks = g_ptr_array_new();
    loaded.schedules = g_ptr_array_new();
    loaded.runs = row_runs(res[4], 0);
    loaded.next_due = row_u64(res[5], 0, 0);
    loaded.n_waiting = row_u64(res[5], 0, 1);
    s->id_seen = row_u64(res[5], 0, 2);
    loaded.next_deadline = row_u64(res[5], 0, 3);
    loaded.late = late_runs(res[6]);
    remembered_compare(&s->remembered, res[7]);
    loaded.suspect = s->remembered.suspect;
    loaded.remembered_since = s->remembered.since;
    store_up(s, &loaded);
    g_ptr_array_unref(loaded.tasks);
    g_ptr_array_unref(loaded.schedules);
    g_ptr_array_unref(loaded.runs);
    g_array_unref(loaded.late);
}

/* The node's row is what an earlier life is fenced by: its epoch grows in the transaction that makes the
 * unfinished attempts ours. The claim's boot id and manager's stamp stay, they say where its unit was. */
static void take_node(Setup *u)
{
    Store *s = u->store;
    g_autofree char *stamp = g_strdup_printf("%" G_GUINT64_FORMAT, s->manager_stamp);
    const char *values[] = { s->node, s->boot_id, s->manager_stamp == UNSET ? NULL : stamp };
    const char *remembered[REMEMBERED_VALUES];
    char texts[REMEMBERED_VALUES - 1][24];
    Exchange *x = connection_begin(u->connection, 0, on_loaded, u);

    exchange_add(x,
        "INSERT INTO node AS n (name, epoch, boot_id, manager_stamp, last_seen)"
        " VALUES ($1::text, 1, $2::text, $3::bigint, now())"
        " ON CONFLICT (name) DO UPDATE SET epoch = n.epoch + 1, boot_id = excluded.boot_id,"
        "  manager_stamp = excluded.manager_stamp, last_seen = excluded.last_seen RETURNING epoch",
        values, 3);
    exchange_add(x,
        "UPDATE attempt a SET epoch = (SELECT epoch FROM node WHERE name = $1::text) FROM run r"
        " WHERE r.node = $1::text AND (r.state IN ('starting', 'running', 'stopping')) IS TRUE"
        "  AND a.run = r.id AND a.attempt = r.attempt",
        values, 1);
    exchange_add(x,
        "UPDATE run SET epoch = (SELECT epoch FROM node WHERE name = $1::text)"
        " WHERE node = $1::text AND (state IN ('starting', 'running', 'stopping')) IS TRUE",
        values, 1);
    exchange_add(x, "SELECT partitions_ahead()", NULL, 0);
    exchange_add(x,
        "SELECT " ROW_RUN_COLUMNS " FROM run r"
        " WHERE r.node = $1::text AND (r.state IN ('starting', 'running', 'stopping')) IS TRUE ORDER BY r.id",
        values, 1);
    exchange_add(x,
        "SELECT time_to_usec(least(w.due, q.due)), w.n + q.n, (SELECT last_value FROM run_id),"
        " time_to_usec((SELECT min(deadline) FROM run WHERE deadline IS NOT NULL AND state IN ('waiting', 'queued')))"
        " FROM (SELECT min(due) AS due, count(*) AS n FROM run WHERE state = 'waiting') w,"
        "  (SELECT min(due) AS due, count(*) AS n FROM run WHERE state = 'queued') q",
        NULL, 0);
    /* Each in the words of an index. */
    exchange_add(x,
        "SELECT id, task, schedule FROM run WHERE state = 'waiting' AND schedule <> '' AND requester_uid IS NULL AND asked > nominal"
        " UNION ALL SELECT id, task, schedule FROM run WHERE state = 'queued' AND schedule <> '' AND requester_uid IS NULL AND asked > nominal"
        " UNION ALL SELECT id, task, schedule FROM run WHERE (state IN ('starting', 'running', 'stopping')) IS TRUE"
        "  AND schedule <> '' AND requester_uid IS NULL AND asked > nominal ORDER BY id",
        NULL, 0);
    remembered_values(&s->remembered, texts, remembered);
    exchange_add(x, remembered_sql, remembered, REMEMBERED_VALUES);
    if (s->heard) {
        exchange_add(x, "SELECT tell('b')", NULL, 0);
        exchange_add(x, "SELECT told('{}', false)", NULL, 0);
    }
    exchange_end(x);
}

/* --- load tasks: all of them may be more than one statement or one iteration of the loop should bring */

#define PAGE 200

#define PAGE_OF_TASKS                                                                                        \
    "(SELECT name, revision, origin, path, node, enabled, deleted, paused_until FROM task"                   \
    " WHERE NOT deleted AND name > $1::text ORDER BY name LIMIT " G_STRINGIFY(PAGE) ") t"

static void load_tasks(Setup *u, const char *after);

static void on_tasks(const ExchangeResult *result, void *userdata)
{
    g_autoptr(GPtrArray) tasks = NULL, schedules = NULL, runs = g_ptr_array_new();
    g_autofree char *last = NULL;
    Setup *u = userdata;

    if (!step_ok(u, result))
        return;
    tasks = row_tasks(result->result[0]);
    schedules = row_schedules(result->result[1]);
    if (tasks->len > 0)
        last = g_strdup(((const StoreTask *)g_ptr_array_index(tasks, tasks->len - 1))->name);
    store_loading(u->store, &(StoreLoaded){ .first = !u->loading,
                                .tasks = tasks,
                                .schedules = schedules,
                                .runs = runs,
                                .next_due = UNSET,
                                .next_deadline = UNSET });
    u->loading = true;
    if (tasks->len == PAGE)
        load_tasks(u, last);
    else
        take_node(u);
}

static void load_tasks(Setup *u, const char *after)
{
    Exchange *x = connection_begin(u->connection, 0, on_tasks, u);

    exchange_add(x,
        "SELECT " ROW_LIST(
            ROW_TASK_FIELDS) " FROM " PAGE_OF_TASKS
                             " JOIN task_revision v ON v.task = t.name AND v.revision = t.revision"
                             " LEFT JOIN expectation e ON e.task = t.name ORDER BY t.name",
        &after, 1);
    exchange_add(x,
        "SELECT " ROW_LIST(ROW_SCHEDULE_FIELDS) " FROM " PAGE_OF_TASKS
                                                " JOIN schedule s ON s.task = t.name ORDER BY s.task, s.name",
        &after, 1);
    exchange_end(x);
}

/* --- prepare */

static void on_prepared(const ExchangeResult *result, void *userdata)
{
    if (step_ok(userdata, result))
        load_tasks(userdata, "");
}

/* The schema is what it is to be: others may look at it. */
static void prepare(Setup *u)
{
    Exchange *x = connection_begin(u->connection, 0, on_prepared, u);

    if (u->alone)
        exchange_add(x, "SELECT pg_advisory_unlock(" LOCK_DATABASE ")", NULL, 0);
    if (u->store->heard) {
        exchange_add(x, "SELECT pg_advisory_unlock(" LOCK_COMING ")", NULL, 0);
        exchange_add_prepare(x, HOLD_NAME, hold_sql);
    }
    for (unsigned kind = 0; kind < _OP_KIND_MAX; kind++) {
        const OpInfo *info = op_info((OpKind)kind);

        if (info->before_sql)
            exchange_add_prepare(x, info->before_name, info->before_sql);
        if (info->sql)
            exchange_add_prepare(x, info->name, info->sql);
        if (info->second_sql)
            exchange_add_prepare(x, info->second_name, info->second_sql);
    }
    exchange_end(x);
}

/* --- migrate */

static void migrate_next(Setup *u);

static void on_migrated(const ExchangeResult *result, void *userdata)
{
    Setup *u = userdata;

    if (!step_ok(u, result))
        return;
    u->version++;
    log_info("database: schema is at version %u (%s)", u->version, migrations[u->version - 1].name);
    migrate_next(u);
}

/* A migration has many statements, and the extended protocol takes one at a time: a block runs them all. */
static void migrate_next(Setup *u)
{
    g_autofree char *sql = NULL, *block = NULL, *body = NULL, *code = NULL, *number = NULL;
    const char *values[2];
    Exchange *x;

    if (u->version == n_migrations) {
        prepare(u);
        return;
    }
    sql = connection_quote(u->connection, migrations[u->version].sql);
    block = g_strdup_printf("BEGIN EXECUTE %s; END", sql);
    body = connection_quote(u->connection, block);
    code = g_strdup_printf("DO %s", body);
    number = g_strdup_printf("%u", u->version + 1);
    values[0] = number;
    values[1] = migrations[u->version].name;
    x = connection_begin(u->connection, MIGRATION_ANSWER_USEC, on_migrated, u);
    exchange_add(x, "SELECT set_config('statement_timeout', '0', true)", NULL, 0);
    exchange_add(x, "SELECT pg_advisory_xact_lock(" LOCK_SCHEMA ")", NULL, 0);
    if (u->version == 0) {
        exchange_add(x, "CREATE SCHEMA IF NOT EXISTS taskschedd", NULL, 0);
        exchange_add(x,
            "CREATE TABLE taskschedd.schema_version (version integer PRIMARY KEY, name text NOT NULL,"
            " applied timestamptz NOT NULL)",
            NULL, 0);
        exchange_add(x, "COMMENT ON TABLE taskschedd.schema_version IS 'Migrations applied'", NULL, 0);
    }
    exchange_add(x, code, NULL, 0);
    exchange_add(x, "INSERT INTO taskschedd.schema_version VALUES ($1::int, $2::text, now())", values, 2);
    exchange_end(x);
}

static void on_dumped(int r, const char *reason, void *userdata)
{
    Setup *u = userdata;

    if (r < 0) {
        unusable(u, "%s", reason);
        return;
    }
    g_clear_pointer(&u->dump, dump_free);
    migrate_next(u);
}

static void migrate(Setup *u)
{
    const char *directory = u->store->dump_directory;
    int r;

    if (u->version == 0 || u->version == n_migrations || !directory) {
        migrate_next(u);
        return;
    }
    r = dump_start(
        u->connection, u->store->clock, directory, u->version, n_migrations, on_dumped, u, &u->dump);
    if (r < 0)
        unusable(
            u, "the dump before the migration could not be written to %s: %s", directory, g_strerror(-r));
}

static void on_alone(const ExchangeResult *result, void *userdata)
{
    Setup *u = userdata;

    if (!step_ok(u, result))
        return;
    u->alone = *PQgetvalue(result->result[0], 0, 0) == 't';
    if (u->alone)
        migrate(u);
    else
        unusable(u,
            "the database's schema is version %u, and is to become %u, but other nodes use it: stop taskschedd there",
            u->version, n_migrations);
}

/* Nobody works while the schema becomes another. Who comes up waits meanwhile, so of several of those one is alone. */
static void migrate_alone(Setup *u)
{
    Exchange *x = connection_begin(u->connection, 0, on_alone, u);

    exchange_add(x, alone_sql, NULL, 0);
    exchange_end(x);
}

static void on_version(const ExchangeResult *result, void *userdata)
{
    Setup *u = userdata;

    if (!step_ok(u, result))
        return;
    u->version = (unsigned)row_u64(result->result[0], 0, 0);
    if (u->version > n_migrations)
        unusable(u, "the database's schema is version %u, this taskschedd knows %u: upgrade taskschedd",
            u->version, n_migrations);
    else if (u->version < n_migrations && u->store->heard)
        migrate_alone(u);
    else
        migrate(u);
}

/* --- lock */

static void refuse(Setup *u, const PGresult *holder)
{
    if (PQntuples(holder) == 0)
        unusable(u, "another taskschedd uses this database");
    else if (*PQgetvalue(holder, 0, 3) == 't')
        unusable(u,
            "another taskschedd uses this database under the name of this node, %s (server process %s, from %s, since %s UTC):"
            " each node has a name of its own (NodeName=)",
            u->store->node, PQgetvalue(holder, 0, 0), PQgetvalue(holder, 0, 1), PQgetvalue(holder, 0, 2));
    else
        unusable(u, "another taskschedd uses this database (server process %s, from %s, since %s UTC)",
            PQgetvalue(holder, 0, 0), PQgetvalue(holder, 0, 1), PQgetvalue(holder, 0, 2));
}

static void on_locked(const ExchangeResult *result, void *userdata)
{
    Setup *u = userdata;
    PGresult *const *res = result->result;
    Exchange *x;

    if (!step_ok(u, result))
        return;
    if (*PQgetvalue(res[0], 0, 0) != 't') {
        refuse(u, res[1]);
        return;
    }
    x = connection_begin(u->connection, 0, on_version, u);
    if (PQgetisnull(res[2], 0, 0))
        exchange_add(x, "SELECT 0", NULL, 0);
    else
        exchange_add(x, "SELECT coalesce(max(version), 0) FROM taskschedd.schema_version", NULL, 0);
    exchange_end(x);
}

static void on_settings(const ExchangeResult *result, void *userdata)
{
    Setup *u = userdata;
    const char *node = u->store->heard ? u->store->node : NULL;
    Exchange *x;

    if (!step_ok(u, result))
        return;
    x = connection_begin(u->connection, 0, on_locked, u);
    exchange_add(x, node ? shared_sql : alone_sql, &node, node != NULL);
    exchange_add(x, holder_sql, &node, 1);
    exchange_add(x, "SELECT to_regclass('taskschedd.schema_version')", NULL, 0);
    exchange_end(x);
}

/* What others do is heard of from here on, before anything is read. */
static void listen_to_others(Setup *u, Exchange *x)
{
    const char *node = u->store->node;

    exchange_add(x, "SELECT pg_advisory_lock(" LOCK_COMING ")", NULL, 0);
    exchange_add(x, "SELECT set_config('taskschedd.node', $1::text, false)", &node, 1);
    exchange_add(x, "LISTEN taskschedd", NULL, 0);
}

void setup_start(Setup *u)
{
    int version = connection_server_version(u->connection);
    Exchange *x;

    if (version < SERVER_VERSION_MIN) {
        unusable(u, "the database server is PostgreSQL %d, taskschedd needs %d or later: upgrade PostgreSQL",
            version / 10000, SERVER_VERSION_MIN / 10000);
        return;
    }
    x = connection_begin(u->connection, 0, on_settings, u);
    exchange_add(x, setup_settings_sql, NULL, 0);
    if (u->store->heard)
        listen_to_others(u, x);
    exchange_end(x);
}
