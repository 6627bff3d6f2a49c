/* Rows into structures. */
#include "store/row.h"

#include <string.h>

#define RUN_FIELD(expression, type, field)      { ROW_##type, offsetof(StoreRun, field) },
#define ATTEMPT_FIELD(expression, type, field)  { ROW_##type, offsetof(StoreAttempt, field) },
#define TASK_FIELD(expression, type, field)     { ROW_##type, offsetof(StoreTask, field) },
#define SCHEDULE_FIELD(expression, type, field) { ROW_##type, offsetof(StoreSchedule, field) },
#define NODE_FIELD(expression, type, field)     { ROW_##type, offsetof(StoreNode, field) },
#define AUDIT_FIELD(expression, type, field)    { ROW_##type, offsetof(StoreAuditEntry, field) },
#define SLOT_FIELD(expression, type, field)     { ROW_##type, offsetof(StoreSlot, field) },

const RowField row_run[] = { ROW_RUN_WHOLE(RUN_FIELD) ROW_RUN_REST(RUN_FIELD) };
const unsigned row_run_n = G_N_ELEMENTS(row_run);
const RowField row_attempt[] = { ROW_ATTEMPT_FIELDS(ATTEMPT_FIELD) };
const unsigned row_attempt_n = G_N_ELEMENTS(row_attempt);
const RowField row_task[] = { ROW_TASK_FIELDS(TASK_FIELD) };
const unsigned row_task_n = G_N_ELEMENTS(row_task);
const RowField row_schedule[] = { ROW_SCHEDULE_FIELDS(SCHEDULE_FIELD) };
const unsigned row_schedule_n = G_N_ELEMENTS(row_schedule);
const RowField row_node[] = { ROW_NODE_FIELDS(NODE_FIELD) };
const unsigned row_node_n = G_N_ELEMENTS(row_node);

static const RowField row_audit[] = { ROW_AUDIT_FIELDS(AUDIT_FIELD) };
static const RowField row_slot[] = { ROW_SLOT_FIELDS(SLOT_FIELD) };

uint64_t row_u64(const PGresult *res, int row, int column)
{
    if (PQgetisnull(res, row, column))
        return UNSET;
    return g_ascii_strtoull(PQgetvalue(res, row, column), NULL, 10);
}

static int row_int(const PGresult *res, int row, int column)
{
    if (PQgetisnull(res, row, column))
        return -1;
    return (int)g_ascii_strtoll(PQgetvalue(res, row, column), NULL, 10);
}

/* A bytea as text: \x and two hex digits for each byte. */
static GBytes *row_bytes(const char *hex)
{
    size_t n = strlen(hex) / 2;
    guint8 *data;

    if (n < 1)
        return NULL;
    data = g_malloc(n);
    for (size_t i = 1; i < n; i++)
        data[i - 1] = (guint8)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    return g_bytes_new_take(data, n - 1);
}

static void read_field(const PGresult *res, int row, int column, const RowField *f, void *record)
{
    bool null = PQgetisnull(res, row, column);
    const char *text = PQgetvalue(res, row, column);
    void *p = (char *)record + f->offset;

    switch (f->type) {
    case ROW_U64:
        *(uint64_t *)p = row_u64(res, row, column);
        return;
    case ROW_UINT:
        *(unsigned *)p = null ? 0 : (unsigned)row_u64(res, row, column);
        return;
    case ROW_INT:
        *(int *)p = row_int(res, row, column);
        return;
    case ROW_BOOL:
        *(bool *)p = *text == 't';
        return;
    case ROW_TEXT:
        *(char **)p = g_strdup(text);
        return;
    case ROW_MAYBE:
        *(char **)p = null ? NULL : g_strdup(text);
        return;
    case ROW_BYTES:
        *(GBytes **)p = null ? NULL : row_bytes(text);
        return;
    case ROW_STATE:
        *(RunState *)p = run_state_from_string(text);
        return;
    case ROW_RESULT:
        *(RunResult *)p = run_result_from_string(text);
        return;
    }
}

void row_read(const PGresult *res, int row, int first, const RowField *fields, unsigned n, void *record)
{
    for (unsigned i = 0; i < n; i++)
        read_field(res, row, first + (int)i, &fields[i], record);
}

/* What the fields own. The structures hold nothing else that is to be freed. */
static void row_free(const RowField *fields, unsigned n, void *record)
{
    for (unsigned i = 0; i < n; i++) {
        void *p = (char *)record + fields[i].offset;

        if (fields[i].type == ROW_TEXT || fields[i].type == ROW_MAYBE)
            g_free(*(char **)p);
        else if (fields[i].type == ROW_BYTES && *(GBytes **)p)
            g_bytes_unref(*(GBytes **)p);
    }
    g_free(record);
}

void store_run_free(StoreRun *r)
{
    if (r)
        row_free(row_run, row_run_n, r);
}

static void attempt_free(void *a)
{
    row_free(row_attempt, row_attempt_n, a);
}

static void task_free(void *t)
{
    row_free(row_task, row_task_n, t);
}

static void schedule_row_free(void *s)
{
    row_free(row_schedule, row_schedule_n, s);
}

static void node_free(void *n)
{
    row_free(row_node, row_node_n, n);
}

static void audit_free(void *a)
{
    row_free(row_audit, G_N_ELEMENTS(row_audit), a);
}

static void slot_free(void *s)
{
    row_free(row_slot, G_N_ELEMENTS(row_slot), s);
}

static GPtrArray *row_all(const PGresult *res, int first, const RowField *fields, unsigned n, size_t size,
    GDestroyNotify free_record)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(free_record);

    for (int row = 0; row < PQntuples(res); row++) {
        void *record = g_malloc0(size);

        row_read(res, row, first, fields, n, record);
        g_ptr_array_add(all, record);
    }
    return all;
}

GPtrArray *row_runs(const PGresult *res, int first)
{
    return row_all(res, first, row_run, row_run_n, sizeof(StoreRun), (GDestroyNotify)store_run_free);
}

GPtrArray *row_attempts(const PGresult *res)
{
    return row_all(res, 0, row_attempt, row_attempt_n, sizeof(StoreAttempt), attempt_free);
}

GPtrArray *row_tasks(const PGresult *res)
{
    return row_all(res, 0, row_task, row_task_n, sizeof(StoreTask), task_free);
}

GPtrArray *row_nodes(const PGresult *res)
{
    return row_all(res, 0, row_node, row_node_n, sizeof(StoreNode), node_free);
}

GPtrArray *row_schedules(const PGresult *res)
{
    return row_all(res, 0, row_schedule, row_schedule_n, sizeof(StoreSchedule), schedule_row_free);
}

GPtrArray *row_audits(const PGresult *res)
{
    return row_all(res, 0, row_audit, G_N_ELEMENTS(row_audit), sizeof(StoreAuditEntry), audit_free);
}

GPtrArray *row_slots(const PGresult *res)
{
    return row_all(res, 0, row_slot, G_N_ELEMENTS(row_slot), sizeof(StoreSlot), slot_free);
}
