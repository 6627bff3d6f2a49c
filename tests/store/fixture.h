/* A store on a real database, waited for: each helper runs the loop until its answer came, and fails the test
 * where it does not come in time. */
#pragma once

#include <libpq-fe.h>

#include "store/migration.h"
#include "store/store.h"

typedef struct Fixture {
    sd_event *event;
    Clock *clock;
    Store *store;
    StoreState state;
    bool told; /* state and reason are from a call */
    char *reason;
    unsigned n_up;  /* how often it came up */
    uint64_t epoch; /* of the latest time */
    uint64_t next_due, n_waiting;
    uint64_t revision;            /* that was put last */
    uint64_t fired, paused_until; /* of the schedule a of the task "bounded", as loaded then */
    uint64_t task_paused_until;   /* and of that task */
    uint64_t expect_since, expect_success, missed, missed_run; /* likewise */
    char ends[200];                                            /* of the schedule "any" of the task "tail" */
    char by_hand[200];                      /* and what was skipped by hand of that schedule */
    unsigned n_tasks, n_schedules, n_runs;  /* loaded then */
    uint64_t load_deadline, claim_deadline; /* the next deadline, as loaded and as claimed last */
    GArray *changes;                        /* of StoreChange, of the last claim; NULL before the first */
    GString *heard;                         /* of a node beside others, in words; else NULL */
} Fixture;

/* A store that is starting; clock NULL is the kernel's. */
extern const char *fixture_boot; /* the node's boot; NULL is the usual one */
Fixture *fixture_new(const char *node, Clock *clock, const char *dump_directory);
/* Likewise, of a node beside others: what those do it hears of. */
Fixture *fixture_new_beside(const char *node);
void fixture_free(Fixture *f);
/* Until fixture->state is this one. */
void fixture_wait(Fixture *f, StoreState state);
/* What is loaded of the task "bounded". */
void fixture_load(Fixture *f, const StoreLoaded *loaded);
/* One turn of the loop, waiting a little. */
void fixture_turn(Fixture *f);
/* A new database, empty, that every connection made from now on goes to. */
void fixture_fresh(void);
/* Likewise, as the daemon of that version of the schema left it. */
void fixture_at_version(unsigned version);

/* A plain connection beside the store's, in the schema; it waits a minute for a lock. PQfinish. */
PGconn *fixture_connect(void);
/* A statement there that has to succeed. */
void fixture_execute(PGconn *c, const char *sql);

/* Likewise, for once. The value of the first column of the first row; g_free. */
char *fixture_sql(const char *format, ...) _printf_(1, 2);
uint64_t fixture_sql_u64(const char *sql);

/* Answers what the store does. */
int fixture_delete(Fixture *f, const char *task);
int fixture_delete_with(Fixture *f, const char *task, const GArray *skips);

typedef struct Skipped {
    bool answered;
    int r;
    uint64_t last;
} Skipped;

typedef struct ByHandAnswer {
    bool answered;
    int r;
    uint64_t run;
    char cause[20];
} ByHandAnswer;

/* Of the schedule a of the task "bounded"; whom NULL: it is to fire. */
void fixture_by_hand_begin(Fixture *f, uint64_t nominal, const char *whom, uint64_t max, ByHandAnswer *a);
ByHandAnswer fixture_by_hand(Fixture *f, uint64_t nominal, const char *whom, uint64_t max);
int fixture_enable(Fixture *f, const StoreEnable *e);

/* The last of them. */
typedef struct Followers {
    bool answered;
    int r;
    unsigned n;
    char task[20], schedule[20];
    uint64_t ended, under_way;
    char ends[200];
} Followers;

Followers fixture_followers(Fixture *f, uint64_t run, const char *task);
Skipped fixture_skip_plain(Fixture *f, const StoreSkip *skip);
Skipped fixture_skip(Fixture *f, const char *task, const char *schedule, uint64_t previous, uint64_t first,
    uint64_t last, uint64_t count);
uint64_t fixture_put_plain(Fixture *f, const StorePutTask *t);
uint64_t fixture_put(Fixture *f, const char *name, const char *definition, const char *const *schedules);

typedef struct Asked {
    int r;
    bool answered;
    StoreAsked asked;
    const char *overlaps; /* its reason, for good */
    char *error;
} Asked;

/* A task "t" asked for by "alice"; token and priority vary. */
void fixture_ask_begin(Fixture *f, const char *token, int priority, uint64_t due, Asked *a);
Asked fixture_ask(Fixture *f, const char *token, int priority, uint64_t due);
void fixture_ask_plain(Fixture *f, const StoreAsk *ask, Asked *a);
void fixture_until(Fixture *f, const bool *answered);

/* Claimed runs, and *ret_next the next due; r in *ret_r where not NULL. */
GPtrArray *fixture_claim(Fixture *f, unsigned limit, uint64_t *ret_next);

typedef struct Outcome {
    int r;
    bool answered;
    RunResult result; /* the cause, or what was recorded */
    RunState state;
    uint64_t at; /* of the cause, or due */
    char *error;
} Outcome;

StoreOwner fixture_owner(const StoreRun *run);
Outcome fixture_running(Fixture *f, const StoreOwner *o);
Outcome fixture_stopping(Fixture *f, const StoreOwner *o, RunResult cause);
Outcome fixture_requeue(Fixture *f, const StoreOwner *o);
StoreEnd fixture_ending(const StoreOwner *o, RunResult result);
Outcome fixture_end(Fixture *f, const StoreEnd *e);
void fixture_on_outcome(int r, RunResult cause, uint64_t cause_at, const Error *error, void *userdata);
void fixture_on_end(
    int r, RunResult result, RunState state, uint64_t due, const Error *error, void *userdata);

typedef struct Cancelled {
    int r;
    bool answered;
    StoreCancelled c;
} Cancelled;

Cancelled fixture_cancel(Fixture *f, uint64_t run);
/* The run, NULL where there is none; *ret_attempts (of StoreAttempt*) where not NULL. Valid until the next
 * call. */
const StoreRun *fixture_get(Fixture *f, uint64_t run, unsigned *ret_n_attempts);
