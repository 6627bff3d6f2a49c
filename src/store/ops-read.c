/* Reading back: runs, nodes, the database itself. */
#include "store/migration.h"
#include "store/row.h"
#include "store/store-internal.h"

#define LIST_MAX 1000u

static void get_run_answer(Op *op, const OpAnswer *a)
{
    StoreRunFn fn = (StoreRunFn)op->fn;
    g_autoptr(GPtrArray) runs = NULL;
    g_autoptr(GPtrArray) attempts = NULL;

    if (a->r < 0) {
        fn(a->r, NULL, NULL, op->userdata);
        return;
    }
    runs = row_runs(a->res, 0);
    attempts = row_attempts(a->second);
    if (runs->len == 0)
        fn(-ENOENT, NULL, NULL, op->userdata);
    else
        fn(0, runs->pdata[0], attempts, op->userdata);
}

const OpInfo op_get_run = {
    .name = "get_run",
    .sql = "SELECT " ROW_RUN_COLUMNS " FROM run r WHERE r.id = $1::bigint",
    .second_name = "get_attempts",
    .second_sql =
        "SELECT " ROW_LIST(ROW_ATTEMPT_FIELDS) " FROM (SELECT * FROM attempt WHERE run = $1::bigint"
                                               " ORDER BY attempt DESC LIMIT 1000) a ORDER BY a.attempt",
    .second_n_values = 1,
    .n_values = 1,
    .answer = get_run_answer,
};

int store_get_run(Store *s, uint64_t run, StoreRunFn fn, void *userdata)
{
    Op *op = op_new(OP_GET_RUN, (OpFn)fn, userdata);

    op_set_u64(op, 0, run);
    return store_enqueue(s, op);
}

static void count_waiting_answer(Op *op, const OpAnswer *a)
{
    ((StoreNumberFn)op->fn)(a->r, a->r < 0 ? 0 : row_u64(a->res, 0, 0), a->error, op->userdata);
}

/* Each in the words of an index. */
const OpInfo op_count_waiting = {
    .name = "count_waiting",
    .sql =
        "SELECT (SELECT count(*) FROM run WHERE state = 'waiting') + (SELECT count(*) FROM run WHERE state = 'queued')",
    .answer = count_waiting_answer,
};

int store_count_waiting(Store *s, StoreNumberFn fn, void *userdata)
{
    return store_enqueue(s, op_new(OP_COUNT_WAITING, (OpFn)fn, userdata));
}

static void list_runs_answer(Op *op, const OpAnswer *a)
{
    StoreRunsFn fn = (StoreRunsFn)op->fn;
    g_autoptr(GPtrArray) runs = NULL;

    if (a->r >= 0)
        runs = row_runs(a->res, 0);
    fn(a->r, runs, a->error, op->userdata);
}

const OpInfo op_list_runs = { .name = "list_runs", .answer = list_runs_answer };

/* The conditions differ from list to list, and so does the index that serves: the statement is planned with
 * what is asked for. */
int store_list_runs(Store *s, const StoreFilter *f, StoreRunsFn fn, void *userdata)
{
    Op *op = op_new(OP_LIST_RUNS, (OpFn)fn, userdata);
    GString *sql = g_string_new(f->with_input ? "SELECT " ROW_RUN_COLUMNS_SHOWN " FROM run r WHERE true"
                                              : "SELECT " ROW_RUN_COLUMNS_SMALL " FROM run r WHERE true");

    if (f->task)
        op_where(op, sql, "r.task = ", "", f->task);
    if (f->state >= 0)
        op_where(op, sql, "r.state = ", "", run_state_to_string((RunState)f->state));
    /* In the words of the index of what nodes have in their hands. */
    if (run_state_is_under_way(f->state))
        g_string_append(sql, " AND (r.state IN ('starting', 'running', 'stopping')) IS TRUE");
    if (f->result >= 0)
        op_where(op, sql, "r.result = ", "", run_result_to_string((RunResult)f->result));
    /* Likewise in the words of the index. */
    if (f->result >= 0 && f->result != RUN_SUCCESS)
        g_string_append(sql, " AND r.result NOT IN ('', 'success')");
    if (f->since)
        op_where_u64(op, sql, "r.asked >= usec_to_time(", "::bigint)", f->since);
    if (f->until)
        op_where_u64(op, sql, "r.asked <= usec_to_time(", "::bigint)", f->until);
    if (f->requester && f->requester_number) {
        const char *const names[] = { f->requester, f->requester_number, NULL };
        g_autofree char *array = op_array_of(names);

        op_where(op, sql, "r.requester = ANY(", "::text[])", array);
    } else if (f->requester) {
        op_where(op, sql, "r.requester = ", "", f->requester);
    }
    if (f->requester && f->requester_uid != UNSET)
        op_where_u64(op, sql, "r.requester_uid = ", "::bigint", f->requester_uid);
    if (f->meta)
        op_where(op, sql, "r.meta @> ", "::jsonb", f->meta);
    if (f->before)
        op_where_u64(op, sql, "r.id < ", "::bigint", f->before);
    if (f->after)
        op_where_u64(op, sql, "r.id > ", "::bigint", f->after);
    g_string_append_printf(sql, " ORDER BY r.id DESC LIMIT %u", CLAMP(f->limit, 1, LIST_MAX));
    op->sql = g_string_free(sql, FALSE);
    return store_enqueue(s, op);
}

/* --- nodes */

static void list_nodes_answer(Op *op, const OpAnswer *a)
{
    StoreNodesFn fn = (StoreNodesFn)op->fn;
    g_autoptr(GPtrArray) nodes = NULL;

    if (a->r >= 0)
        nodes = row_nodes(a->res);
    fn(a->r, nodes, a->error, op->userdata);
}

const OpInfo op_list_nodes = {
    .name = "list_nodes",
    .sql = "SELECT " ROW_LIST(
        ROW_NODE_FIELDS) " FROM node n"
                         " WHERE ($1::text IS NULL OR n.name = $1::text) AND ($2::text IS NULL OR n.name > $2::text)"
                         " ORDER BY n.name LIMIT $3::int",
    .n_values = 4,
    .answer = list_nodes_answer,
};

int store_list_nodes(
    Store *s, const char *name, const char *after, unsigned limit, StoreNodesFn fn, void *userdata)
{
    Op *op = op_new(OP_LIST_NODES, (OpFn)fn, userdata);

    op_set_text(op, 0, name);
    op_set_text(op, 1, after);
    op_set_u64(op, 2, CLAMP(limit, 1, LIST_MAX + 1));
    op_set_text(op, 3, s->node);
    return store_enqueue(s, op);
}

/* --- the database */

static void get_database_answer(Op *op, const OpAnswer *a)
{
    StoreDatabaseFn fn = (StoreDatabaseFn)op->fn;
    StoreDatabase d = { .schema_newest = n_migrations };

    if (a->r >= 0) {
        d.server = PQgetvalue(a->res, 0, 0);
        d.schema = row_u64(a->res, 0, 1);
        d.size = row_u64(a->res, 0, 2);
        d.data_directory = PQgetvalue(a->res, 0, 3);
    }
    fn(a->r, &d, a->error, op->userdata);
}

/* Where a server keeps its data is not for every role to know. */
const OpInfo op_get_database = {
    .name = "get_database",
    .sql = "SELECT split_part(current_setting('server_version'), ' ', 1),"
           " (SELECT max(version) FROM schema_version), pg_database_size(current_database()),"
           " CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')"
           "  THEN current_setting('data_directory') ELSE '' END",
    .answer = get_database_answer,
};

int store_get_database(Store *s, StoreDatabaseFn fn, void *userdata)
{
    return store_enqueue(s, op_new(OP_GET_DATABASE, (OpFn)fn, userdata));
}
