/* Removing old history. It goes over a connection of its own: what takes long, or waits for a lock, must not hold up
 * a claim. One round removes a part and commits, and tells where the next goes on, until there is none. */
#include "base/log.h"
#include "store/store-internal.h"

#define BATCH            1000
#define LOCK_TRIES       20
#define LOCK_RETRY_USEC  (500 * USEC_PER_MSEC)
#define ROUND_USEC       (600 * USEC_PER_SEC)
#define LOCK_UNAVAILABLE "55P03"
#define N_LIMITS         6
/* And where the last round has come to: see history_trim(). */
#define N_VALUES (N_LIMITS + 3)

static const char settings_sql[] =
    "SELECT set_config(name, value, false) FROM (VALUES ('search_path', 'taskschedd, pg_catalog'),"
    " ('TimeZone', 'UTC'), ('statement_timeout', '590s'), ('jit', 'off')) AS s(name, value)";

static const char trim_sql[] =
    "SELECT removed, phase, at_id, newest"
    " FROM history_trim($1::bigint, $2::bigint, $3::text[], $4::bigint[], $5::bigint[], $6::integer,"
    "  $7::integer, $8::bigint, $9::bigint)";

struct Trim {
    Store *store;
    Connection *connection;
    ClockTimer *timer; /* another try at a lock */
    char *values[N_VALUES];
    uint64_t removed;
    unsigned lock_tries;
    StoreNumberFn fn;
    void *userdata;
};

static void trim_round(Trim *t);

void trim_free(Trim *t)
{
    if (!t)
        return;
    connection_close(t->connection);
    clock_timer_free(t->timer);
    for (unsigned i = 0; i < N_VALUES; i++)
        g_free(t->values[i]);
    g_free(t);
}

static void trim_end(Trim *t, int r, const Error *error)
{
    StoreNumberFn fn = t->fn;
    void *userdata = t->userdata;
    uint64_t removed = t->removed;

    /* Free for the next one when the caller is told. */
    t->store->trim = NULL;
    trim_free(t);
    fn(r, removed, error, userdata);
}

static void trim_refused(Trim *t, const PGresult *error)
{
    const char *state = util_strempty(PQresultErrorField(error, PG_DIAG_SQLSTATE));
    g_autofree char *reason = NULL;
    g_auto(Error) own = { 0 };

    if (g_str_equal(state, LOCK_UNAVAILABLE) && ++t->lock_tries < LOCK_TRIES) {
        clock_timer_arm(t->timer, clock_boot(t->store->clock) + LOCK_RETRY_USEC);
        return;
    }
    reason = store_trouble(error);
    error_set(&own, ERROR_FAILED, "Old history could not be removed: %s", reason);
    trim_end(t, -EINVAL, &own);
}

static void on_round(const ExchangeResult *result, void *userdata)
{
    Trim *t = userdata;
    const PGresult *res;

    if (result->lost)
        return; /* on_down() ends it */
    if (result->error) {
        trim_refused(t, result->error);
        return;
    }
    res = result->result[0];
    t->removed += g_ascii_strtoull(PQgetvalue(res, 0, 0), NULL, 10);
    t->lock_tries = 0;
    if (PQgetisnull(res, 0, 1)) {
        trim_end(t, 0, NULL);
        return;
    }
    for (unsigned i = N_LIMITS; i < N_VALUES; i++) {
        g_free(t->values[i]);
        t->values[i] = g_strdup(PQgetvalue(res, 0, (int)(1 + i - N_LIMITS)));
    }
    trim_round(t);
}

static void trim_round(Trim *t)
{
    Exchange *x = connection_begin(t->connection, ROUND_USEC, on_round, t);

    exchange_add(x, trim_sql, (const char *const *)t->values, N_VALUES);
    exchange_end(x);
}

static void on_settings(const ExchangeResult *result, void *userdata)
{
    Trim *t = userdata;

    if (result->error)
        trim_refused(t, result->error);
    else if (!result->lost)
        trim_round(t);
}

static void on_up(void *userdata)
{
    Trim *t = userdata;
    Exchange *x = connection_begin(t->connection, 0, on_settings, t);

    exchange_add(x, settings_sql, NULL, 0);
    exchange_end(x);
}

static void on_down(const char *reason, void *userdata)
{
    g_auto(Error) error = { 0 };

    error_set(&error, ERROR_NOT_AVAILABLE, "Old history could not be removed: %s", reason);
    trim_end(userdata, -ENOTCONN, &error);
}

static void on_timer(void *userdata)
{
    trim_round(userdata);
}

/* --- the limits as values --- */

static char *trim_number(uint64_t value)
{
    return value == USEC_INFINITY ? NULL : g_strdup_printf("%" G_GUINT64_FORMAT, value);
}

static char *trim_numbers(const StoreHistory *l, uint64_t (*get)(const StoreHistoryTask *t))
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *joined = NULL;

    for (guint i = 0; i < l->tasks->len; i++) {
        char *text = trim_number(get(&g_array_index(l->tasks, StoreHistoryTask, i)));

        g_ptr_array_add(texts, text ? text : g_strdup("NULL"));
    }
    g_ptr_array_add(texts, NULL);
    joined = g_strjoinv(",", (char **)texts->pdata);
    return g_strdup_printf("{%s}", joined);
}

static uint64_t trim_task_age(const StoreHistoryTask *t)
{
    return t->max_age_usec;
}

static uint64_t trim_task_runs(const StoreHistoryTask *t)
{
    return t->max_runs;
}

static char *trim_names(const StoreHistory *l)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < l->tasks->len; i++)
        g_ptr_array_add(names, (void *)g_array_index(l->tasks, StoreHistoryTask, i).task);
    g_ptr_array_add(names, NULL);
    return op_array_of((const char *const *)names->pdata);
}

int store_trim(Store *s, const StoreHistory *limits, StoreNumberFn fn, void *userdata)
{
    static const ConnectionCallbacks callbacks = { .up = on_up, .down = on_down };
    Trim *t;
    int r;

    if (s->state != STORE_UP)
        return -ENOTCONN;
    if (s->trim)
        return -EBUSY;
    t = g_new0(Trim, 1);
    t->store = s;
    t->fn = fn;
    t->userdata = userdata;
    t->values[0] = trim_number(limits->max_age_usec);
    t->values[1] = trim_number(limits->max_runs);
    t->values[2] = trim_names(limits);
    t->values[3] = trim_numbers(limits, trim_task_age);
    t->values[4] = trim_numbers(limits, trim_task_runs);
    t->values[5] = g_strdup(G_STRINGIFY(BATCH));
    for (unsigned i = N_LIMITS; i < N_VALUES; i++)
        t->values[i] = g_strdup("0");
    r = clock_timer_new(s->clock, CLOCK_BOOT, on_timer, t, &t->timer);
    if (r >= 0)
        r = connection_open(s->event, s->clock, s->conninfo, &callbacks, t, &t->connection);
    if (r < 0) {
        trim_free(t);
        return r;
    }
    s->trim = t;
    return 0;
}

void trim_cancel(Store *s)
{
    if (s->trim)
        trim_end(s->trim, -ECANCELED, NULL);
}
