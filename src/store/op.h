/* One operation on its way to the database and back: its values as text, and a table of what each kind does.
 * Operations that write are collected into batches (batch.h), kind by kind; those that read go alone. */
#pragma once

#include <libpq-fe.h>

#include "store/store.h"

/* In the order in which a batch applies them: that of a run's life, so that what was asked for in this order
 * fits into one batch. */
typedef enum OpKind {
    OP_PUT_TASK,
    OP_DELETE_TASK,
    OP_ENABLE_TASK,
    OP_ENABLE_SCHEDULE,
    OP_BY_HAND,
    OP_BACKFILL,
    OP_ASK,
    OP_SKIP,
    OP_REQUEUE,
    OP_RUNNING,
    OP_STOPPING,
    OP_CANCEL,
    OP_END,
    OP_MISSED,
    OP_AUDIT,
    OP_PARTITIONS,
    OP_CLAIM,
    OP_FOLLOWERS,
    _OP_WRITE_MAX,
    OP_GET_REVISION = _OP_WRITE_MAX,
    OP_GET_TASK,
    OP_GET_RUN,
    OP_COUNT_WAITING,
    OP_LIST_RUNS,
    OP_LIST_NODES,
    OP_LIST_SLOTS,
    OP_LIST_AUDIT,
    OP_GET_DATABASE,
    _OP_KIND_MAX,
} OpKind;

/* Any of the callbacks' types; cast back before it is called. */
typedef void (*OpFn)(void);

typedef struct Op {
    OpKind kind;
    bool alone;     /* its batch failed: it goes again in a transaction of its own */
    unsigned tries; /* how often its batch was to be repeated */
    int r;          /* where it is answered with an error only: which */
    char **values;  /* OpInfo.n_values of them, NULL is null */
    size_t size;    /* bytes of the values */
    char *keys[3];  /* what it is about; operations about the same keep their order */
    char *sql;      /* of a kind without a fixed statement */
    unsigned n_values;
    OpFn fn; /* the caller's, NULL if nobody waits */
    void *userdata;
} Op;

/* What came back for an operation. */
typedef struct OpAnswer {
    int r;              /* 0, or why there is no answer */
    const Error *error; /* with -EINVAL */
    const PGresult *before, *res, *second;
    int row; /* of a kind that shares its statement: which row is this operation's, -1 if none */
} OpAnswer;

typedef struct OpInfo {
    const char *name;        /* of the prepared statement */
    const char *sql;         /* NULL: each operation brings its own */
    const char *before_name; /* a statement before it, without values, or NULL */
    const char *before_sql;
    const char *second_name; /* a second statement after it, or NULL */
    const char *second_sql;
    unsigned second_n_values; /* it takes the first of the same values */
    unsigned n_values;
    bool shared; /* one statement for all of a batch: each value is an array, each row begins with the
                    position of its operation, from 1 */
    bool node;   /* two more values follow: this node's name and epoch */
    void (*answer)(Op *op, const OpAnswer *a);
} OpInfo;

extern const OpInfo op_put_task, op_delete_task, op_enable_task, op_enable_schedule, op_by_hand, op_backfill,
    op_ask, op_skip, op_requeue, op_running, op_stopping, op_cancel, op_end, op_missed, op_audit,
    op_partitions, op_claim, op_followers, op_get_revision, op_get_task, op_get_run, op_count_waiting,
    op_list_runs, op_list_nodes, op_list_slots, op_list_audit, op_get_database;

const OpInfo *op_info(OpKind kind);

Op *op_new(OpKind kind, OpFn fn, void *userdata);
void op_free(Op *op);
void op_set_text(Op *op, unsigned i, const char *value);
void op_set_u64(Op *op, unsigned i, uint64_t value); /* UNSET is null */
void op_set_int(Op *op, unsigned i, int value);
void op_set_bool(Op *op, unsigned i, bool value);
void op_set_bytes(Op *op, unsigned i, GBytes *value);
void op_set_key(Op *op, unsigned i, const char *format, ...) _printf_(3, 4);
/* Adds a condition, its value being the next parameter, to the statement of a kind without a fixed one. */
void op_where(Op *op, GString *sql, const char *before, const char *after, const char *value);
void op_where_u64(Op *op, GString *sql, const char *before, const char *after, uint64_t value);
void op_answer(Op *op, const OpAnswer *a);
/* An array literal of value i of n operations; g_free. */
char *op_array(Op *const *ops, unsigned n, unsigned i);
/* The skips (NULL is none) as a JSON array for OP_SKIPS; g_free. */
char *op_skips(const GArray *skips);
/* An array literal of a NULL-terminated list; g_free. */
char *op_array_of(const char *const *list);
