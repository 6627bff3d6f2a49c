/* Forming a batch, sending it as one transaction, and giving each operation its answer. Where one operation
 * makes the transaction fail, each goes again in a transaction of its own, so that only the guilty one is
 * refused. */
#include "store/batch.h"

#include <string.h>

#include "base/log.h"
#include "store/hold.h"
#include "store/row.h"

#define BATCH_OPS_MAX   1000u
#define BATCH_BYTES_MAX (8u << 20)
#define BATCH_TRIES_MAX 5u
#define READS_MAX       32u

struct Batch {
    Store *store;
    GPtrArray *ops; /* of Op*, by kind, within a kind in the order asked */
    bool holds;     /* a statement goes before them */
};

typedef struct Read {
    Store *store;
    Op *op;
} Read;

/* By the beginning of the SQLSTATE; the first that fits. Everything else is the operation's own fault. */
static const struct {
    const char *prefix;
    BatchTrouble trouble;
} troubles[] = {
    { "57014", BATCH_AGAIN },    /* cancelled, or its time was up */
    { "55P03", BATCH_AGAIN },    /* a lock was not to be had */
    { "40", BATCH_AGAIN },       /* serialization, deadlock */
    { "25006", BATCH_UNUSABLE }, /* read-only */
    { "53", BATCH_UNUSABLE },    /* no room, no memory */
    { "58", BATCH_UNUSABLE },    /* the server's own input and output */
    { "08", BATCH_LOST }, { "25", BATCH_LOST },
    { "26", BATCH_LOST }, /* a prepared statement is gone: a pooler in between */
    { "57", BATCH_LOST }, /* shutting down, terminated */
};

BatchTrouble batch_trouble(const PGresult *error)
{
    const char *state = PQresultErrorField(error, PG_DIAG_SQLSTATE);

    if (!state)
        return BATCH_LOST;
    ARRAY_FOREACH (t, troubles)
        if (g_str_has_prefix(state, t->prefix))
            return t->trouble;
    return BATCH_GUILTY;
}

/* --- forming */

/* Kinds are applied in their order. An operation that was asked for after another about the same, and would
 * be applied before or together with it, waits for the next batch; so do all that follow it. */
static bool fits(GHashTable *latest, const Op *op)
{
    bool ok = true;

    for (unsigned i = 0; i < G_N_ELEMENTS(op->keys); i++) {
        gpointer kind;

        if (!op->keys[i] || !g_hash_table_lookup_extended(latest, op->keys[i], NULL, &kind))
            continue;
        if (GPOINTER_TO_INT(kind) >= (int)op->kind)
            ok = false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(op->keys); i++)
        if (op->keys[i])
            g_hash_table_insert(latest, op->keys[i], GINT_TO_POINTER(ok ? (int)op->kind : G_MAXINT));
    return ok;
}

static int by_kind(const void *a, const void *b)
{
    const Op *x = *(Op *const *)a, *y = *(Op *const *)b;

    return (int)x->kind - (int)y->kind;
}

static GPtrArray *take_ops(Store *s)
{
    GPtrArray *ops = g_ptr_array_new();
    g_autoptr(GHashTable) latest = NULL;
    bool waiting = false;
    size_t size = 0;

    if (((Op *)g_queue_peek_head(&s->writes))->alone) {
        g_ptr_array_add(ops, g_queue_pop_head(&s->writes));
        return ops;
    }
    latest = g_hash_table_new(g_str_hash, g_str_equal);
    for (GList *l = s->writes.head, *next; l; l = next) {
        Op *op = l->data;

        next = l->next;
        if (op->alone || ops->len == BATCH_OPS_MAX || (ops->len && size + op->size > BATCH_BYTES_MAX))
            break;
        /* A claim is asked for since something before it may have made another run due: it does not overtake that. */
        if ((waiting && op->kind == OP_CLAIM) || !fits(latest, op)) {
            waiting = true;
            continue;
        }
        size += op->size;
        g_ptr_array_add(ops, op);
        g_queue_delete_link(&s->writes, l);
    }
    /* A stable sort: within a kind they stay as they came. */
    g_ptr_array_sort(ops, by_kind);
    return ops;
}

/* --- sending */

static unsigned group_length(const GPtrArray *ops, unsigned first)
{
    const Op *op = ops->pdata[first];
    unsigned n = 1;

    if (op_info(op->kind)->shared)
        while (first + n < ops->len && ((Op *)ops->pdata[first + n])->kind == op->kind)
            n++;
    return n;
}

static void send_group(Store *s, Exchange *x, Op *const *ops, unsigned n)
{
    const OpInfo *info = op_info(ops[0]->kind);
    g_autofree const char **values = g_new0(const char *, info->n_values + 2);
    g_autoptr(GPtrArray) arrays = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *epoch = g_strdup_printf("%" G_GUINT64_FORMAT, s->epoch);
    unsigned n_values = info->n_values;

    for (unsigned i = 0; i < info->n_values; i++) {
        if (info->shared)
            g_ptr_array_add(arrays, op_array(ops, n, i));
        values[i] = info->shared ? arrays->pdata[i] : ops[0]->values[i];
    }
    if (info->node) {
        values[n_values++] = s->node;
        values[n_values++] = epoch;
    }
    if (info->before_name)
        exchange_add_prepared(x, info->before_name, NULL, 0);
    exchange_add_prepared(x, info->name, values, n_values);
    if (info->second_name)
        exchange_add_prepared(x, info->second_name, values, info->second_n_values);
}

/* Who has the database alone waits for nobody. */
static bool send_hold(const Store *s, Exchange *x, const GPtrArray *ops)
{
    char *values[HOLD_VALUES];
    bool holds;

    if (!s->heard)
        return false;
    holds = hold_values(ops, values);
    if (holds)
        exchange_add_prepared(x, HOLD_NAME, (const char *const *)values, HOLD_VALUES);
    for (unsigned i = 0; i < HOLD_VALUES; i++)
        g_free(values[i]);
    return holds;
}

/* Other nodes hear of it when it is committed. */
static void send_told(Exchange *x, const GPtrArray *ops)
{
    g_autofree char *tasks = NULL;
    bool dues;
    const char *values[2];

    if (!heard_tell(ops, &tasks, &dues))
        return;
    values[0] = tasks;
    values[1] = dues ? "t" : "f";
    exchange_add(x, "SELECT told($1::text[], $2::boolean)", values, 2);
}

static void on_batch(const ExchangeResult *result, void *userdata);

void batch_send(Store *s)
{
    Exchange *x;
    Batch *b;

    if (s->state != STORE_UP || s->batch || g_queue_is_empty(&s->writes))
        return;
    b = g_new0(Batch, 1);
    b->store = s;
    b->ops = take_ops(s);
    s->batch = b;
    x = connection_begin(s->connection, 0, on_batch, b);
    b->holds = send_hold(s, x, b->ops);
    for (unsigned i = 0, n; i < b->ops->len; i += n) {
        n = group_length(b->ops, i);
        send_group(s, x, (Op *const *)b->ops->pdata + i, n);
    }
    if (s->heard)
        send_told(x, b->ops);
    exchange_end(x);
}

/* --- answering */

/* The latest of them that is recorded, before any of them is answered. */
static void remember_ends(Store *s, Op *const *ops, const int *rows, unsigned n, const PGresult *res)
{
    for (unsigned i = n; i > 0; i--) {
        const Op *op = ops[i - 1];
        int r = rows[i - 1] < 0 ? STORE_NOT_YOURS : (int)row_u64(res, rows[i - 1], 1);

        if (r != STORE_RECORDED && r != STORE_RECORDED_BEFORE)
            continue;
        remembered_end(&s->remembered, g_ascii_strtoull(op->values[0], NULL, 10),
            g_ascii_strtoull(op->values[1], NULL, 10));
        return;
    }
}

/* The rows of a shared statement begin with the position of their operation. */
static void answer_shared(Store *s, Op *const *ops, unsigned n, const PGresult *res)
{
    g_autofree int *rows = g_new(int, n);

    memset(rows, 0xff, n * sizeof(int));
    for (int row = 0; row < PQntuples(res); row++) {
        uint64_t ord = row_u64(res, row, 0);

        if (ord >= 1 && ord <= n)
            rows[ord - 1] = row;
    }
    if (ops[0]->kind == OP_END)
        remember_ends(s, ops, rows, n, res);
    for (unsigned i = 0; i < n; i++) {
        if (ops[i]->kind == OP_ASK && rows[i] >= 0) {
            uint64_t id = row_u64(res, rows[i], 1);

            s->id_seen = MAX(s->id_seen, id);
        }
        store_answer(s, ops[i],
            &(OpAnswer){ .r = rows[i] < 0 && ops[i]->fn ? -ENOENT : 0, .res = res, .row = rows[i] });
    }
}

static void answer_batch(Batch *b, const ExchangeResult *result)
{
    unsigned statement = b->holds;

    for (unsigned i = 0, n; i < b->ops->len; i += n) {
        Op *op = b->ops->pdata[i];
        const OpInfo *info = op_info(op->kind);
        const PGresult *before = info->before_name ? result->result[statement++] : NULL;
        const PGresult *res = result->result[statement];
        const PGresult *second = info->second_name ? result->result[++statement] : NULL;

        statement++;
        n = group_length(b->ops, i);
        if (info->shared) {
            answer_shared(b->store, (Op *const *)b->ops->pdata + i, n, res);
        } else {
            if (op->kind == OP_CLAIM)
                remembered_claims(&b->store->remembered, res);
            store_answer(b->store, op, &(OpAnswer){ .before = before, .res = res, .second = second });
        }
    }
}

static void answer_error(Store *s, Op *op, int r, const PGresult *error)
{
    g_auto(Error) e = { 0 };

    error_set(&e, ERROR_INVALID_ARGUMENT, "The database refused it: %s",
        util_strempty(PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY)));
    if (!op->fn)
        log_warning("%s: %s", op_info(op->kind)->name, e.message);
    store_answer(s, op, &(OpAnswer){ .r = r, .error = &e });
}

/* Back to where they were taken from. */
static void requeue(Batch *b)
{
    for (unsigned i = b->ops->len; i > 0; i--)
        g_queue_push_head(&b->store->writes, b->ops->pdata[i - 1]);
}

static void lose(Batch *b)
{
    for (unsigned i = 0; i < b->ops->len; i++)
        store_lose(b->store, b->ops->pdata[i], -ENOTCONN);
}

static void batch_failed(Batch *b, const PGresult *error)
{
    Store *s = b->store;
    BatchTrouble trouble = batch_trouble(error);
    g_autofree char *reason = store_trouble(error);
    Op *first = b->ops->pdata[0];

    if (trouble == BATCH_AGAIN && ++first->tries > BATCH_TRIES_MAX)
        trouble = BATCH_LOST;
    switch (trouble) {
    case BATCH_GUILTY:
        if (b->ops->len == 1 && first->alone) {
            answer_error(s, first, -EINVAL, error);
            return;
        }
        for (unsigned i = 0; i < b->ops->len; i++)
            ((Op *)b->ops->pdata[i])->alone = true;
        requeue(b);
        return;
    case BATCH_AGAIN:
        requeue(b);
        return;
    case BATCH_UNUSABLE:
    case BATCH_LOST:
        lose(b);
        store_disconnect(s, trouble == BATCH_LOST ? STORE_CONNECTING : STORE_UNUSABLE, reason);
        return;
    }
}

static void on_batch(const ExchangeResult *result, void *userdata)
{
    Batch *b = userdata;
    Store *s = b->store;

    s->batch = NULL;
    if (result->lost)
        lose(b);
    else if (result->error)
        batch_failed(b, result->error);
    else
        answer_batch(b, result);
    g_ptr_array_unref(b->ops);
    g_free(b);
    if (!result->lost) {
        store_keep_partitions(s);
        batch_send(s);
    }
}

/* --- reads */

/* Where it brings its own statement, that is planned for its values: some indexes have the rows of some values only. */
static const char planned_sql[] = "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)";

static void on_read(const ExchangeResult *result, void *userdata)
{
    g_autofree Read *read = userdata;
    Store *s = read->store;
    PGresult *const *res = result->result;

    s->reads_in_flight--;
    if (result->lost) {
        store_lose(s, read->op, -ENOTCONN);
        return;
    }
    if (!result->error && read->op->sql) {
        store_answer(s, read->op, &(OpAnswer){ .res = res[1] });
    } else if (!result->error) {
        store_answer(s, read->op, &(OpAnswer){ .res = res[0], .second = result->n > 1 ? res[1] : NULL });
    } else if (batch_trouble(result->error) == BATCH_LOST) {
        g_autofree char *reason = store_trouble(result->error);

        store_lose(s, read->op, -ENOTCONN);
        store_disconnect(s, STORE_CONNECTING, reason);
        return;
    } else {
        /* What is wrong with the server now says nothing about what was asked for. */
        answer_error(
            s, read->op, batch_trouble(result->error) == BATCH_GUILTY ? -EINVAL : -EAGAIN, result->error);
    }
    batch_send_reads(s);
}

void batch_send_reads(Store *s)
{
    while (s->state == STORE_UP && s->reads_in_flight < READS_MAX && !g_queue_is_empty(&s->reads)) {
        Read *read = g_new0(Read, 1);
        Exchange *x;

        read->store = s;
        read->op = g_queue_pop_head(&s->reads);
        s->reads_in_flight++;
        x = connection_begin(s->connection, 0, on_read, read);
        if (read->op->sql) {
            exchange_add(x, planned_sql, NULL, 0);
            exchange_add(x, read->op->sql, (const char *const *)read->op->values, read->op->n_values);
        } else {
            send_group(s, x, &read->op, 1);
        }
        exchange_end(x);
    }
}
