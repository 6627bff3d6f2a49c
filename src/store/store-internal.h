/* The store's own state, shared by its files. */
#pragma once

#include "store/address.h"
#include "store/connection.h"
#include "store/op.h"
#include "store/remembered.h"
#include "store/store.h"

#define STORE_BACKOFF_MIN_USEC (100 * USEC_PER_MSEC)
#define STORE_BACKOFF_MAX_USEC (5 * USEC_PER_SEC)
#define STORE_AUDIT_MAX        1000u

typedef struct Setup Setup;
typedef struct Batch Batch;
typedef struct Trim Trim;

struct Store {
    sd_event *event;
    Clock *clock;
    char *conninfo, *node, *boot_id, *dump_directory, *reason_file;
    uint64_t manager_stamp;
    StoreStateFn fn;
    StoreHeardFn heard; /* NULL: this node is the only one */
    void *userdata;

    StoreState state;
    char *reason; /* as told last */
    bool told;
    Addresses *addresses;   /* of its server, while they are looked up */
    Connection *connection; /* NULL between two attempts */
    ClockTimer *retry;
    uint64_t backoff_usec;
    Setup *setup; /* from connected to up */

    Remembered remembered;
    uint64_t epoch;
    uint64_t id_seen;        /* the largest run id that was given out */
    uint64_t partitions_at;  /* boot clock: when partitions were last made ahead */
    uint64_t partitions_for; /* the million that they were made for */

    sd_event_source *deferred; /* sends what was collected, answers what was lost */
    GQueue writes, reads;      /* of Op*, not sent yet */
    GQueue lost;               /* of Op*, to be answered with their r */
    GQueue early;              /* of char*: what was heard of while it comes up */
    GQueue audits;             /* of Op*, kept while there is no connection */
    uint64_t audits_dropped;
    Batch *batch; /* the one write transaction in flight */
    unsigned reads_in_flight;
    unsigned pending;
    Trim *trim; /* being removed; NULL else */
};

/* Assignments to a schedule's row s: what was skipped by hand up to this instant has its outcome. */
#define STORE_BY_HAND_AFTER(at)                                                                              \
    "by_hand = s.by_hand[width_bucket(" at ", s.by_hand) + 1:],"                                             \
    " by_whom = s.by_whom[width_bucket(" at ", s.by_hand) + 1:]"

/* Takes op; it is answered from the loop. 0. */
int store_enqueue(Store *s, Op *op);
/* op is answered with r from the loop; an audit line is kept for the next connection. */
void store_lose(Store *s, Op *op, int r);
/* Answers op now and frees it. */
void store_answer(Store *s, Op *op, const OpAnswer *a);
/* Gives the connection up: in flight is answered -ENOTCONN, and it is tried again. From the loop only. */
void store_disconnect(Store *s, StoreState state, const char *reason);
void store_loading(Store *s, const StoreLoaded *loaded);
void store_up(Store *s, const StoreLoaded *loaded);
/* What the server said, as a reason for people: g_free. */
char *store_trouble(const PGresult *error);
/* heard.c: what another node tells; where this one is not up yet, it is kept until then. */
void heard_take(Store *s, const char *words);
/* It is up now. */
void heard_release(Store *s);
/* All of it is loaded anew. */
void heard_forget(Store *s);
/* The statement that ends a batch in which others may be interested, and its values; false: they are not. tasks: g_free. */
bool heard_tell(const GPtrArray *ops, char **ret_tasks, bool *ret_dues);
/* Ends what store_trim() began, if anything. */
void trim_cancel(Store *s);
void trim_free(Trim *t);
/* Partitions for what is asked for next, every half million runs and twice a day. */
void store_keep_partitions(Store *s);
