/* Operations: making them, and their values in PostgreSQL's text form. */
#include "store/op.h"

#include <string.h>

#include "model/json.h"

static const OpInfo *const infos[] = {
    [OP_PUT_TASK] = &op_put_task,
    [OP_DELETE_TASK] = &op_delete_task,
    [OP_ENABLE_TASK] = &op_enable_task,
    [OP_ENABLE_SCHEDULE] = &op_enable_schedule,
    [OP_BY_HAND] = &op_by_hand,
    [OP_BACKFILL] = &op_backfill,
    [OP_ASK] = &op_ask,
    [OP_SKIP] = &op_skip,
    [OP_REQUEUE] = &op_requeue,
    [OP_RUNNING] = &op_running,
    [OP_STOPPING] = &op_stopping,
    [OP_CANCEL] = &op_cancel,
    [OP_END] = &op_end,
    [OP_MISSED] = &op_missed,
    [OP_AUDIT] = &op_audit,
    [OP_PARTITIONS] = &op_partitions,
    [OP_CLAIM] = &op_claim,
    [OP_FOLLOWERS] = &op_followers,
    [OP_GET_REVISION] = &op_get_revision,
    [OP_GET_TASK] = &op_get_task,
    [OP_GET_RUN] = &op_get_run,
    [OP_COUNT_WAITING] = &op_count_waiting,
    [OP_LIST_RUNS] = &op_list_runs,
    [OP_LIST_NODES] = &op_list_nodes,
    [OP_LIST_SLOTS] = &op_list_slots,
    [OP_LIST_AUDIT] = &op_list_audit,
    [OP_GET_DATABASE] = &op_get_database,
};
G_STATIC_ASSERT(G_N_ELEMENTS(infos) == _OP_KIND_MAX);

/* The most values a kind has. */
#define VALUES_MAX 24

const OpInfo *op_info(OpKind kind)
{
    return infos[kind];
}

Op *op_new(OpKind kind, OpFn fn, void *userdata)
{
    Op *op = g_new0(Op, 1);

    op->kind = kind;
    op->fn = fn;
    op->userdata = userdata;
    op->n_values = infos[kind]->n_values;
    op->values = g_new0(char *, VALUES_MAX);
    return op;
}

void op_free(Op *op)
{
    if (!op)
        return;
    for (unsigned i = 0; i < VALUES_MAX; i++)
        g_free(op->values[i]);
    g_free(op->values);
    for (unsigned i = 0; i < G_N_ELEMENTS(op->keys); i++)
        g_free(op->keys[i]);
    g_free(op->sql);
    g_free(op);
}

static void take(Op *op, unsigned i, char *value)
{
    g_assert(i < VALUES_MAX);
    g_free(op->values[i]);
    op->values[i] = value;
    op->size += value ? strlen(value) : 0;
}

void op_set_text(Op *op, unsigned i, const char *value)
{
    take(op, i, g_strdup(value));
}

void op_set_u64(Op *op, unsigned i, uint64_t value)
{
    take(op, i, value == UNSET ? NULL : g_strdup_printf("%" G_GUINT64_FORMAT, value));
}

void op_set_int(Op *op, unsigned i, int value)
{
    take(op, i, g_strdup_printf("%d", value));
}

void op_set_bool(Op *op, unsigned i, bool value)
{
    take(op, i, g_strdup(value ? "t" : "f"));
}

void op_set_bytes(Op *op, unsigned i, GBytes *value)
{
    static const char digits[] = "0123456789abcdef";
    const guint8 *data;
    gsize n;
    char *hex;

    if (!value) {
        take(op, i, NULL);
        return;
    }
    data = g_bytes_get_data(value, &n);
    hex = g_malloc(2 * n + 3);
    memcpy(hex, "\\x", 2);
    for (gsize b = 0; b < n; b++) {
        hex[2 * b + 2] = digits[data[b] >> 4];
        hex[2 * b + 3] = digits[data[b] & 15];
    }
    hex[2 * n + 2] = 0;
    take(op, i, hex);
}

void op_set_key(Op *op, unsigned i, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_free(op->keys[i]);
    op->keys[i] = g_strdup_vprintf(format, ap);
    va_end(ap);
}

void op_answer(Op *op, const OpAnswer *a)
{
    if (op->fn)
        infos[op->kind]->answer(op, a);
}

void op_where(Op *op, GString *sql, const char *before, const char *after, const char *value)
{
    op_set_text(op, op->n_values, value);
    op->n_values++;
    g_string_append_printf(sql, " AND %s$%u%s", before, op->n_values, after);
}

void op_where_u64(Op *op, GString *sql, const char *before, const char *after, uint64_t value)
{
    char text[24];

    g_snprintf(text, sizeof(text), "%" G_GUINT64_FORMAT, value);
    op_where(op, sql, before, after, text);
}

static void array_add(GString *array, const char *value)
{
    g_string_append_c(array, array->len ? ',' : '{');
    if (!value) {
        g_string_append(array, "NULL");
        return;
    }
    g_string_append_c(array, '"');
    for (const char *p = value; *p;) {
        size_t plain = strcspn(p, "\"\\");

        g_string_append_len(array, p, (gssize)plain);
        p += plain;
        if (*p) {
            g_string_append_c(array, '\\');
            g_string_append_c(array, *p++);
        }
    }
    g_string_append_c(array, '"');
}

static char *array_end(GString *array)
{
    g_string_append(array, array->len ? "}" : "{}");
    return g_string_free(array, FALSE);
}

char *op_array(Op *const *ops, unsigned n, unsigned i)
{
    GString *array = g_string_new(NULL);

    for (unsigned k = 0; k < n; k++)
        array_add(array, ops[k]->values[i]);
    return array_end(array);
}

char *op_array_of(const char *const *list)
{
    GString *array = g_string_new(NULL);

    for (; list && *list; list++)
        array_add(array, *list);
    return array_end(array);
}

static void skips_add_number(JsonObject *o, const char *name, uint64_t value)
{
    if (value != UNSET)
        json_object_set_int_member(o, name, (gint64)value);
}

char *op_skips(const GArray *skips)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_ARRAY);
    JsonArray *array = json_array_new();

    for (guint i = 0; skips && i < skips->len; i++) {
        const StoreSkip *s = &g_array_index(skips, StoreSkip, i);
        JsonObject *o = json_object_new();

        json_object_set_string_member(o, "schedule", s->schedule);
        skips_add_number(o, "previous", s->previous);
        skips_add_number(o, "first", s->first);
        skips_add_number(o, "last", s->last);
        skips_add_number(o, "n", s->count);
        json_object_set_string_member(o, "cause", s->cause);
        json_object_set_string_member(o, "reason", s->reason);
        json_array_add_object_element(array, o);
    }
    json_node_take_array(node, array);
    return json_write(node);
}
