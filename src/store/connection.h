/* One connection to PostgreSQL on the event loop, in pipeline mode. Nothing in it blocks: what is sent waits
 * in libpq's buffer until the socket takes it, what is received is taken as far as it came.
 *
 * Statements go out in exchanges. One exchange is what stands between two Syncs: one transaction, committed
 * when its end was answered, rolled back as a whole where one statement fails. Exchanges are answered in
 * their order, each by its function, once: with its results, with the error of the statement that failed, or
 * with neither where the connection was lost. Functions are called from the loop or from
 * connection_close(). */
#pragma once

#include <libpq-fe.h>

#include "base/clock.h"

typedef struct Connection Connection;
typedef struct Exchange Exchange;

typedef struct ConnectionCallbacks {
    /* Connected, in pipeline mode. */
    void (*up)(void *userdata);
    /* Lost, or could not be made: a sentence. Everything in flight was answered before. The connection is of
     * no use any more: close it (not necessarily from here). */
    void (*down)(const char *reason, void *userdata);
    /* What another connection notified of, where this one listens; after the answers to all exchanges that were sent before it came.
     * NULL: nobody listens. */
    void (*heard)(const char *text, void *userdata);
} ConnectionCallbacks;

typedef struct ExchangeResult {
    bool lost;               /* the connection went: whether it was committed is not known */
    PGresult *error;         /* of the statement that failed; NULL if none did */
    unsigned error_at;       /* its number within the exchange, from 0 */
    unsigned n;              /* results, valid where neither lost nor error */
    PGresult *const *result; /* one for each statement, in their order */
} ExchangeResult;

/* The results are borrowed. Closing the connection from within is allowed. */
typedef void (*ExchangeFn)(const ExchangeResult *result, void *userdata);

/* How long an answer may take before the connection counts as stalled and is dropped. */
#define CONNECTION_ANSWER_USEC (30 * USEC_PER_SEC)

/* To another host: from when each end asks whether the other is there, how often, and how many times; and how long what was sent
 * may go without being acknowledged. So a host that is gone without a word is found gone by either end after three quarters of a minute. */
#define CONNECTION_IDLE_SEC    "15"
#define CONNECTION_PROBE_SEC   "5"
#define CONNECTION_PROBES      "6"
#define CONNECTION_SILENT_MSEC "45000"

int connection_open(sd_event *event, Clock *clock, const char *conninfo, const ConnectionCallbacks *callbacks,
    void *userdata, Connection **ret);
/* Exchanges in flight are answered as lost. */
void connection_close(Connection *c);
/* Statements in flight, in exchanges that are not answered. */
unsigned connection_in_flight(const Connection *c);
int connection_server_version(const Connection *c);
int connection_backend_pid(const Connection *c);
/* A literal for the rare statement that takes no parameters; g_free. NULL if text is not valid. */
char *connection_quote(Connection *c, const char *text);

/* answer_usec: 0 for the default. */
Exchange *connection_begin(Connection *c, uint64_t answer_usec, ExchangeFn fn, void *userdata);
/* values: n strings or NULL, copied. */
void exchange_add(Exchange *x, const char *sql, const char *const *values, unsigned n);
void exchange_add_prepare(Exchange *x, const char *name, const char *sql);
void exchange_add_prepared(Exchange *x, const char *name, const char *const *values, unsigned n);
/* Sends it off; x belongs to the connection. A connection that broke meanwhile is told of from the loop. */
void exchange_end(Exchange *x);
