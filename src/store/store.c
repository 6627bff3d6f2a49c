/* The store as the rest of the daemon sees it: its states, what is queued, and that every operation is
 * answered once. */
#include "store/batch.h"
#include "store/setup.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/utf8.h"

/* As many queued operations are sent at once, without waiting for the end of the loop's iteration. */
#define QUEUED_MAX 256u

#define REASON_MAX 512

#define PARTITIONS_EVERY_USEC (12 * 3600 * USEC_PER_SEC)
#define PARTITIONS_EVERY_RUNS 500000u

/* --- operations */

static void wake(Store *s)
{
    sd_event_source_set_enabled(s->deferred, SD_EVENT_ONESHOT);
}

void store_answer(Store *s, Op *op, const OpAnswer *a)
{
    s->pending--;
    op_answer(op, a);
    op_free(op);
}

/* Audit lines are kept through a time without a database, the latest of them. */
static void keep_audit(Store *s, Op *op)
{
    s->pending--;
    g_queue_push_tail(&s->audits, op);
    if (g_queue_get_length(&s->audits) > STORE_AUDIT_MAX) {
        op_free(g_queue_pop_head(&s->audits));
        s->audits_dropped++;
    }
}

void store_lose(Store *s, Op *op, int r)
{
    if (op->kind == OP_AUDIT) {
        keep_audit(s, op);
        return;
    }
    op->r = r;
    g_queue_push_tail(&s->lost, op);
    wake(s);
}

int store_enqueue(Store *s, Op *op)
{
    s->pending++;
    if (s->state != STORE_UP) {
        store_lose(s, op, -ENOTCONN);
        return 0;
    }
    g_queue_push_tail(op->kind < _OP_WRITE_MAX ? &s->writes : &s->reads, op);
    if (g_queue_get_length(&s->writes) >= QUEUED_MAX)
        batch_send(s);
    else
        wake(s);
    return 0;
}

uint64_t store_newest_run(const Store *s)
{
    return s->id_seen;
}

unsigned store_pending(const Store *s)
{
    return s->pending;
}

/* Those that were lost when this begins; what is asked for meanwhile has its turn in the next iteration. */
static void answer_lost(Store *s)
{
    for (unsigned n = g_queue_get_length(&s->lost); n > 0; n--) {
        Op *op = g_queue_pop_head(&s->lost);

        store_answer(s, op, &(OpAnswer){ .r = op->r, .row = -1 });
    }
}

static int on_deferred(sd_event_source *source, void *userdata)
{
    Store *s = userdata;

    answer_lost(s);
    batch_send(s);
    batch_send_reads(s);
    return 0;
}

void store_keep_partitions(Store *s)
{
    uint64_t now = clock_boot(s->clock), step = s->id_seen / PARTITIONS_EVERY_RUNS;

    if (s->state != STORE_UP)
        return;
    if (step == s->partitions_for && now < s->partitions_at + PARTITIONS_EVERY_USEC)
        return;
    s->partitions_for = step;
    s->partitions_at = now;
    store_enqueue(s, op_new(OP_PARTITIONS, NULL, NULL));
}

/* --- states */

static void set_state(Store *s, StoreState state, const char *reason, const StoreLoaded *loaded)
{
    if (s->told && s->state == state && state != STORE_UP && g_strcmp0(s->reason, reason) == 0)
        return;
    s->told = true;
    s->state = state;
    g_free(s->reason);
    s->reason = g_strdup(reason);
    s->fn(state, s->reason, loaded, s->userdata);
}

char *store_trouble(const PGresult *error)
{
    const char *state = util_strempty(PQresultErrorField(error, PG_DIAG_SQLSTATE));
    const char *message = PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY);

    if (!message)
        message = PQresultErrorMessage(error);
    if (g_str_equal(state, "25006"))
        return g_strdup("the database is read-only");
    if (g_str_equal(state, "53100"))
        return g_strdup_printf("the database's disk is full: %s", message);
    return g_strdup_printf("the database says: %s", message);
}

static void lose_queue(Store *s, GQueue *q)
{
    Op *op;

    while ((op = g_queue_pop_head(q)))
        store_lose(s, op, -ENOTCONN);
}

void store_disconnect(Store *s, StoreState state, const char *reason)
{
    StoreState before = s->state;
    g_autofree char *why = g_strdup(reason);

    /* What the connection answers while it closes must find the store down already. */
    s->state = state;
    if (s->connection)
        connection_close(g_steal_pointer(&s->connection));
    setup_free(g_steal_pointer(&s->setup));
    heard_forget(s);
    lose_queue(s, &s->writes);
    lose_queue(s, &s->reads);
    clock_timer_arm(s->retry,
        clock_boot(s->clock) + (state == STORE_UNUSABLE ? STORE_BACKOFF_MAX_USEC : s->backoff_usec));
    if (state == STORE_CONNECTING)
        s->backoff_usec = MIN(2 * s->backoff_usec, STORE_BACKOFF_MAX_USEC);
    s->told = s->told && before == state;
    set_state(s, state, why, NULL);
}

void store_loading(Store *s, const StoreLoaded *loaded)
{
    s->fn(STORE_LOADING, NULL, loaded, s->userdata);
}

void store_up(Store *s, const StoreLoaded *loaded)
{
    Op *op;

    setup_free(g_steal_pointer(&s->setup));
    s->backoff_usec = STORE_BACKOFF_MIN_USEC;
    s->partitions_at = clock_boot(s->clock);
    s->partitions_for = s->id_seen / PARTITIONS_EVERY_RUNS;
    s->state = STORE_UP;
    if (s->audits_dropped > 0) {
        log_warning("%" G_GUINT64_FORMAT " lines of the audit were dropped while there was no database",
            s->audits_dropped);
        s->audits_dropped = 0;
    }
    while ((op = g_queue_pop_head(&s->audits)))
        store_enqueue(s, op);
    s->told = false;
    set_state(s, STORE_UP, NULL, loaded);
    heard_release(s);
}

static void on_up(void *userdata)
{
    Store *s = userdata;

    s->setup = setup_new(s);
    setup_start(s->setup);
}

/* The first line of the reason file; NULL if there is none. Whoever writes it has fewer rights than we. */
static char *read_reason(const Store *s)
{
    _cleanup_(util_closep) int fd = -1;
    char line[REASON_MAX + 1];
    struct stat st;
    ssize_t n;

    if (!s->reason_file)
        return NULL;
    fd = open(s->reason_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return NULL;
    n = read(fd, line, REASON_MAX);
    if (n <= 0)
        return NULL;
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return *line ? utf8_make_valid(line) : NULL;
}

static void on_down(const char *reason, void *userdata)
{
    Store *s = userdata;
    g_autofree char *text = read_reason(s);

    if (!text)
        text = g_strdup_printf(s->state == STORE_UP ? "the connection to the database was lost: %s"
                                                    : "no connection to the database: %s",
            reason);

    store_disconnect(s, STORE_CONNECTING, text);
}

static void on_heard(const char *words, void *userdata)
{
    heard_take(userdata, words);
}

static const ConnectionCallbacks connection_callbacks = { .up = on_up, .down = on_down, .heard = on_heard };

static int connect_to(Store *s, const char *conninfo)
{
    return connection_open(s->event, s->clock, conninfo, &connection_callbacks, s, &s->connection);
}

static void on_addresses(int r, const char *conninfo, const char *reason, void *userdata)
{
    Store *s = userdata;

    s->addresses = NULL;
    if (r < 0) {
        on_down(reason, s);
        return;
    }
    r = connect_to(s, conninfo);
    if (r < 0)
        store_disconnect(s, STORE_CONNECTING, g_strerror(-r));
}

static void on_retry(void *userdata)
{
    Store *s = userdata;
    int r = addresses_start(s->event, s->conninfo, on_addresses, s, &s->addresses);

    if (r == 0)
        r = connect_to(s, s->conninfo);
    if (r < 0)
        store_disconnect(s, STORE_CONNECTING, g_strerror(-r));
    else if (!s->told)
        set_state(s, STORE_CONNECTING, "connecting to the database", NULL);
}

/* --- made and freed */

int store_new(
    sd_event *event, Clock *clock, const StoreConfig *config, StoreStateFn fn, void *userdata, Store **ret)
{
    g_autoptr(Store) s = g_new0(Store, 1);
    int r;

    s->event = sd_event_ref(event);
    s->clock = clock;
    s->conninfo = g_strdup(config->conninfo);
    s->node = g_strdup(config->node);
    s->boot_id = g_strdup(config->boot_id);
    s->dump_directory = g_strdup(config->dump_directory);
    s->reason_file = g_strdup(config->reason_file);
    remembered_open(&s->remembered, config->memory_file);
    s->manager_stamp = config->manager_stamp;
    s->fn = fn;
    s->heard = config->heard;
    s->userdata = userdata;
    s->state = STORE_CONNECTING;
    s->backoff_usec = STORE_BACKOFF_MIN_USEC;
    r = clock_timer_new(clock, CLOCK_BOOT, on_retry, s, &s->retry);
    if (r < 0)
        return r;
    r = sd_event_add_defer(event, &s->deferred, on_deferred, s);
    if (r >= 0)
        r = sd_event_source_set_enabled(s->deferred, SD_EVENT_OFF);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&s);
    return 0;
}

int store_start(Store *s)
{
    return clock_timer_arm(s->retry, clock_boot(s->clock));
}

void store_set_manager_stamp(Store *s, uint64_t stamp)
{
    s->manager_stamp = stamp;
}

static void cancel_queue(Store *s, GQueue *q)
{
    Op *op;

    while ((op = g_queue_pop_head(q))) {
        op->r = -ECANCELED;
        store_answer(s, op, &(OpAnswer){ .r = -ECANCELED, .row = -1 });
    }
}

void store_free(Store *s)
{
    if (!s)
        return;
    s->state = STORE_CONNECTING;
    trim_cancel(s);
    addresses_free(g_steal_pointer(&s->addresses));
    connection_close(g_steal_pointer(&s->connection));
    setup_free(g_steal_pointer(&s->setup));
    cancel_queue(s, &s->lost);
    cancel_queue(s, &s->writes);
    cancel_queue(s, &s->reads);
    g_queue_clear_full(&s->audits, (GDestroyNotify)op_free);
    heard_forget(s);
    clock_timer_free(s->retry);
    sd_event_source_disable_unref(s->deferred);
    sd_event_unref(s->event);
    g_free(s->conninfo);
    g_free(s->node);
    g_free(s->boot_id);
    g_free(s->dump_directory);
    remembered_close(&s->remembered);
    g_free(s->reason_file);
    g_free(s->reason);
    g_free(s);
}
