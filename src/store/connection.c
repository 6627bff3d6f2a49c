/* libpq on sd-event: connecting, sending, receiving, and noticing that no answer comes. */
#include "store/connection.h"

#include <string.h>
#include <sys/epoll.h>

#include "base/log.h"

struct Exchange {
    Connection *connection;
    ExchangeFn fn;
    void *userdata;
    uint64_t answer_usec;
    unsigned n;       /* statements sent */
    unsigned n_ended; /* whose results came whole */
    GPtrArray *results;
    PGresult *current; /* of the statement whose results are coming */
    PGresult *error;
    unsigned error_at;
};

/* What was notified of: its turn comes when so many exchanges are answered. */
typedef struct Notice {
    uint64_t after;
    char text[];
} Notice;

struct Connection {
    sd_event *event;
    Clock *clock;
    const ConnectionCallbacks *callbacks;
    void *userdata;
    PGconn *pg;
    sd_event_source *io;
    sd_event_source *deferred; /* tells of a connection that broke while something was sent */
    ClockTimer *stalled;
    GQueue exchanges; /* of Exchange*, sent and not answered */
    unsigned in_flight;
    uint64_t n_sent, n_answered; /* exchanges */
    GQueue notices;              /* of Notice* */
    bool connected;
    char *broken; /* why it is of no use any more */
    bool told;
    bool *closed; /* set by connection_close(), for whoever is calling out */
};

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata);

static void exchange_free(Exchange *x)
{
    g_ptr_array_unref(x->results);
    PQclear(x->current);
    PQclear(x->error);
    g_free(x);
}

/* libpq ends its messages with a newline, and may add lines of detail: people get the first. */
static char *first_line(const char *message)
{
    char *line = g_strndup(message, strcspn(message, "\n"));

    return g_strchomp(line);
}

/* Marks it broken; what follows from that happens in the loop. */
static void connection_break(Connection *c, const char *reason)
{
    if (c->broken)
        return;
    c->broken = first_line(reason);
    c->io = sd_event_source_disable_unref(c->io);
    clock_timer_disarm(c->stalled);
    sd_event_source_set_enabled(c->deferred, SD_EVENT_ONESHOT);
}

static void connection_break_pq(Connection *c)
{
    const char *message = PQerrorMessage(c->pg);

    connection_break(c, *message ? message : "the connection was closed");
}

/* Answers everything in flight as lost. False where one of them closed the connection. */
static bool connection_lose_all(Connection *c)
{
    Exchange *x;
    bool closed = false;

    c->closed = &closed;
    while ((x = g_queue_pop_head(&c->exchanges))) {
        x->fn(&(ExchangeResult){ .lost = true }, x->userdata);
        exchange_free(x);
        if (closed)
            return false;
    }
    c->closed = NULL;
    c->in_flight = 0;
    return true;
}

static int on_deferred(sd_event_source *source, void *userdata)
{
    Connection *c = userdata;

    if (!c->broken || c->told)
        return 0;
    c->told = true;
    if (connection_lose_all(c))
        c->callbacks->down(c->broken, c->userdata);
    return 0;
}

static void on_stalled(void *userdata)
{
    Connection *c = userdata;

    connection_break(c, c->connected ? "stalled: the server did not answer in time"
                                     : "stalled: the server did not take the connection in time");
}

/* The oldest exchange is to be answered within its time, counted from its becoming the oldest. */
static void watch_oldest(Connection *c)
{
    Exchange *x = g_queue_peek_head(&c->exchanges);

    if (c->broken)
        return;
    if (x)
        clock_timer_arm(c->stalled, clock_boot(c->clock) + x->answer_usec);
    else
        clock_timer_disarm(c->stalled);
}

static void set_events(Connection *c, uint32_t events)
{
    int r;

    if (c->io)
        r = sd_event_source_set_io_events(c->io, events);
    else
        r = sd_event_add_io(c->event, &c->io, PQsocket(c->pg), events, on_io, c);
    if (r < 0)
        connection_break(c, g_strerror(-r));
}

static void flush(Connection *c)
{
    int r = PQflush(c->pg);

    if (r < 0)
        connection_break_pq(c);
    else
        set_events(c, r > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* --- connecting */

static void connect_step(Connection *c, PostgresPollingStatusType status)
{
    switch (status) {
    case PGRES_POLLING_READING:
        set_events(c, EPOLLIN);
        return;
    case PGRES_POLLING_WRITING:
        set_events(c, EPOLLOUT);
        return;
    case PGRES_POLLING_OK:
        break;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
        connection_break_pq(c);
        return;
    }
    if (PQsetnonblocking(c->pg, 1) < 0 || PQenterPipelineMode(c->pg) != 1) {
        connection_break_pq(c);
        return;
    }
    c->connected = true;
    clock_timer_disarm(c->stalled);
    set_events(c, EPOLLIN);
    c->callbacks->up(c->userdata);
}

static void on_notice(void *userdata, const PGresult *res)
{
    log_debug("database: %s", util_strempty(PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY)));
}

/* A host's name in conninfo would be looked up here, in the way of the loop: see address.h. */
int connection_open(sd_event *event, Clock *clock, const char *conninfo, const ConnectionCallbacks *callbacks,
    void *userdata, Connection **ret)
{
    /* What comes before conninfo is overridden by it. */
    const char *keywords[] = { "keepalives_idle", "keepalives_interval", "keepalives_count",
        "tcp_user_timeout", "dbname", "application_name", "client_encoding", NULL };
    const char *values[] = { CONNECTION_IDLE_SEC, CONNECTION_PROBE_SEC, CONNECTION_PROBES,
        CONNECTION_SILENT_MSEC, util_strempty(conninfo), "taskschedd", "UTF8", NULL };
    Connection *c = g_new0(Connection, 1);
    int r;

    c->event = sd_event_ref(event);
    c->clock = clock;
    c->callbacks = callbacks;
    c->userdata = userdata;
    g_queue_init(&c->exchanges);
    g_queue_init(&c->notices);
    r = clock_timer_new(clock, CLOCK_BOOT, on_stalled, c, &c->stalled);
    if (r >= 0)
        r = sd_event_add_defer(event, &c->deferred, on_deferred, c);
    if (r >= 0)
        r = sd_event_source_set_enabled(c->deferred, SD_EVENT_OFF);
    if (r >= 0 && !(c->pg = PQconnectStartParams(keywords, values, 1)))
        r = -ENOMEM;
    if (r < 0) {
        connection_close(c);
        return r;
    }
    PQsetNoticeReceiver(c->pg, on_notice, NULL);
    if (PQstatus(c->pg) == CONNECTION_BAD) {
        const char *message = PQerrorMessage(c->pg);

        /* libpq 17 has no words for a kind of socket that the unit does not allow. */
        connection_break(
            c, *message ? message : "no socket could be made for it, see ConnInfo= in taskschedd.conf(5)");
    } else {
        clock_timer_arm(c->stalled, clock_boot(clock) + CONNECTION_ANSWER_USEC);
        /* Before the first PQconnectPoll(), libpq wants to be treated as if it had answered "writing". */
        set_events(c, EPOLLOUT);
    }
    *ret = c;
    return 0;
}

void connection_close(Connection *c)
{
    if (!c)
        return;
    if (c->closed)
        *c->closed = true;
    c->told = true;
    if (!c->broken)
        c->broken = g_strdup("closed");
    c->io = sd_event_source_disable_unref(c->io);
    c->deferred = sd_event_source_disable_unref(c->deferred);
    clock_timer_free(c->stalled);
    c->stalled = NULL;
    c->closed = NULL;
    connection_lose_all(c);
    g_queue_clear_full(&c->notices, g_free);
    PQfinish(c->pg);
    sd_event_unref(c->event);
    g_free(c->broken);
    g_free(c);
}

unsigned connection_in_flight(const Connection *c)
{
    return c->in_flight;
}

int connection_server_version(const Connection *c)
{
    return PQserverVersion(c->pg);
}

int connection_backend_pid(const Connection *c)
{
    return PQbackendPID(c->pg);
}

char *connection_quote(Connection *c, const char *text)
{
    char *quoted = PQescapeLiteral(c->pg, text, strlen(text));
    char *copy = g_strdup(quoted);

    PQfreemem(quoted);
    return copy;
}

/* --- sending */

Exchange *connection_begin(Connection *c, uint64_t answer_usec, ExchangeFn fn, void *userdata)
{
    Exchange *x = g_new0(Exchange, 1);

    x->connection = c;
    x->fn = fn;
    x->userdata = userdata;
    x->answer_usec = answer_usec ? answer_usec : CONNECTION_ANSWER_USEC;
    x->results = g_ptr_array_new_with_free_func((GDestroyNotify)PQclear);
    return x;
}

static void exchange_sent(Exchange *x, int ok)
{
    x->n++;
    if (!ok)
        connection_break_pq(x->connection);
}

void exchange_add(Exchange *x, const char *sql, const char *const *values, unsigned n)
{
    if (!x->connection->broken)
        exchange_sent(x, PQsendQueryParams(x->connection->pg, sql, (int)n, NULL, values, NULL, NULL, 0));
}

void exchange_add_prepare(Exchange *x, const char *name, const char *sql)
{
    if (!x->connection->broken)
        exchange_sent(x, PQsendPrepare(x->connection->pg, name, sql, 0, NULL));
}

void exchange_add_prepared(Exchange *x, const char *name, const char *const *values, unsigned n)
{
    if (!x->connection->broken)
        exchange_sent(x, PQsendQueryPrepared(x->connection->pg, name, (int)n, values, NULL, NULL, 0));
}

void exchange_end(Exchange *x)
{
    Connection *c = x->connection;

    g_queue_push_tail(&c->exchanges, x);
    c->n_sent++;
    c->in_flight += x->n;
    if (!c->broken && PQpipelineSync(c->pg) != 1)
        connection_break_pq(c);
    if (c->broken)
        return;
    if (g_queue_get_length(&c->exchanges) == 1)
        watch_oldest(c);
    flush(c);
}

/* --- receiving */

static void exchange_take(Exchange *x, PGresult *res)
{
    ExecStatusType status = PQresultStatus(res);

    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
        if (!x->error) {
            x->error = res;
            x->error_at = x->n_ended;
            return;
        }
    } else if (status != PGRES_PIPELINE_ABORTED && !x->current) {
        x->current = res;
        return;
    }
    PQclear(res);
}

/* Everything of the oldest exchange came. False where the connection was closed by its function. */
static bool exchange_answer(Connection *c, Exchange *x)
{
    bool closed = false;

    g_queue_pop_head(&c->exchanges);
    c->n_answered++;
    c->in_flight -= x->n;
    watch_oldest(c);
    c->closed = &closed;
    x->fn(&(ExchangeResult){ .error = x->error,
              .error_at = x->error_at,
              .n = x->results->len,
              .result = (PGresult *const *)x->results->pdata },
        x->userdata);
    exchange_free(x);
    if (closed)
        return false;
    c->closed = NULL;
    return true;
}

/* Takes what has come. PQgetResult() gives the results of a statement, then NULL, then those of the next; a
 * Sync is one result without a NULL after it. */
static bool receive(Connection *c)
{
    unsigned nulls = 0;
    Exchange *x;

    while (!c->broken && (x = g_queue_peek_head(&c->exchanges)) && nulls < 2 && !PQisBusy(c->pg)) {
        PGresult *res = PQgetResult(c->pg);

        if (!res) {
            nulls++;
            if (x->current) {
                g_ptr_array_add(x->results, g_steal_pointer(&x->current));
                x->n_ended++;
            }
            continue;
        }
        nulls = 0;
        if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
            PQclear(res);
            if (!exchange_answer(c, x))
                return false;
            continue;
        }
        exchange_take(x, res);
        if (PQstatus(c->pg) == CONNECTION_BAD)
            connection_break(c, x->error ? PQresultErrorMessage(x->error) : PQerrorMessage(c->pg));
    }
    return true;
}

/* What is heard of may come before the end of an answer that was made earlier: it waits for that. What we notify of ourselves is nothing
 * new. */
static void take_notices(Connection *c)
{
    PGnotify *n;

    while ((n = PQnotifies(c->pg))) {
        size_t size = strlen(n->extra) + 1;
        Notice *notice = g_malloc(sizeof *notice + size);

        notice->after = c->n_sent;
        memcpy(notice->text, n->extra, size);
        if (n->be_pid == PQbackendPID(c->pg) || !c->callbacks->heard)
            g_free(notice);
        else
            g_queue_push_tail(&c->notices, notice);
        PQfreemem(n);
    }
}

/* False where the connection was closed by who was told. */
static bool tell_notices(Connection *c)
{
    bool closed = false;
    Notice *n;

    while ((n = g_queue_peek_head(&c->notices)) && n->after <= c->n_answered) {
        g_autofree Notice *notice = g_queue_pop_head(&c->notices);

        c->closed = &closed;
        c->callbacks->heard(notice->text, c->userdata);
        if (closed)
            return false;
        c->closed = NULL;
    }
    return true;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Connection *c = userdata;

    if (!c->connected) {
        /* libpq may go on with another socket, even one of the same number: watch anew. */
        c->io = sd_event_source_disable_unref(c->io);
        connect_step(c, PQconnectPoll(c->pg));
        return 0;
    }
    if (PQconsumeInput(c->pg) != 1) {
        /* What came before the end may still say why. */
        g_autofree char *reason = first_line(PQerrorMessage(c->pg));

        if (receive(c))
            connection_break(c, reason);
        return 0;
    }
    if (!receive(c))
        return 0;
    take_notices(c);
    if (tell_notices(c) && !c->broken)
        flush(c);
    return 0;
}
