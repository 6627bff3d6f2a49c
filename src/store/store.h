/* The facts: everything the daemon keeps stands in PostgreSQL and is reached through here. One connection,
 * libpq in pipeline mode on the event loop; what is asked for in one iteration goes out as one transaction.
 *
 * Every operation answers once, by its callback, never from within the call that asked: 0 (or an outcome of
 * its own), or -ENOTCONN where the connection was lost before the answer (then the outcome is unknown, and
 * asking again is safe: each operation is idempotent by the tokens it carries), -EINVAL with an Error where
 * the database refused this operation (others of the same batch are not harmed), -EAGAIN where one that reads met a
 * passing trouble, -ECANCELED from
 * store_free(). While the store is not up, operations answer -ENOTCONN. What a callback is given is borrowed
 * for its duration. */
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "model/run.h"

typedef struct Store Store;

typedef enum StoreState {
    STORE_CONNECTING, /* trying, again and again (0.1 s … 5 s apart) */
    STORE_UNUSABLE, /* reached, but cannot be used: schema newer than we, server too old, another daemon holds
                       the database or the node; tried again every 5 s. reason says why and what to do */
    STORE_LOADING,  /* told while it comes up, of what stands there: it is not up yet, and may never be */
    STORE_UP,
} StoreState;

typedef enum StoreHeardKind {
    STORE_HEARD_TASK, /* it, or what is said of it, is another, or it is gone */
    STORE_HEARD_RUN,  /* it is over; or, where it is not, its node is to end it */
    STORE_HEARD_DUE,  /* the next run that nobody has claimed is due then */
    STORE_HEARD_BOOT, /* a node was booted, or its daemon has come up */
} StoreHeardKind;

/* What another node did. */
typedef struct StoreHeard {
    StoreHeardKind kind;
    const char *task;
    uint64_t run;
    RunState state;
    RunResult result;
    uint64_t due; /* real µs */
} StoreHeard;

/* Once it is committed, while the store is up; what was done while there was no connection is loaded with the next. It comes after the
 * answers to all that was asked for before it. */
typedef void (*StoreHeardFn)(const StoreHeard *heard, void *userdata);

typedef struct StoreConfig {
    const char *conninfo; /* libpq's connection string */
    const char *node;     /* this node's name */
    StoreHeardFn
        heard; /* other nodes use the database at the same time, each under a name of its own; NULL: nobody else may use it.
                           It gets what the states' function gets */
    const char *boot_id;    /* of the kernel, 32 hex digits */
    uint64_t manager_stamp; /* UserspaceTimestampMonotonic of the service manager: tells one life of it from
                               another; 0 is not known yet */
    const char *dump_directory; /* where the dump before a migration is kept; NULL: none is made */
    const char *reason_file; /* where the service of the private database says, in one line, why there is none
                                (in memory); NULL: nobody says */
    const char
        *memory_file; /* what was done with the database, in memory: see remembered.h; NULL: it is not kept */
} StoreConfig;

/* A run as its row has it. Strings are "" and numbers UNSET where absent, unless said otherwise. */
typedef struct StoreRun {
    uint64_t id;
    char *task;
    uint64_t revision;
    RunState state;
    RunResult result;
    char *reason; /* why it waits, or why it ended as it did */
    char *queue;
    int priority;
    int exit_code;    /* RunExitCode */
    int exit_status;  /* -1 is none */
    unsigned attempt; /* number of the latest attempt, 0 before the first */
    char *node;
    uint64_t epoch;
    char *token;    /* of the latest claim */
    uint64_t fence; /* of the latest claim */
    char *unit;
    char *invocation_id;
    char *schedule;
    uint64_t nominal, asked, due, claimed, started, finished; /* real µs */
    uint64_t deadline;                                        /* it is not claimed after this */
    unsigned places; /* so many of its task are under way at once; 0: however many */
    char *overlap;   /* "allow", "skip" … */
    uint64_t retry_of;
    uint64_t after_run; /* whose end it follows */
    char *requester;
    uint64_t requester_uid;
    char *input;   /* JSON object without secrets; NULL if not asked for */
    char *secrets; /* JSON object of sealed values (core/secrets.h); NULL if none */
    GBytes *raw;   /* NULL if none */
    char *output;  /* JSON; NULL if none */
    char *meta;    /* JSON object of strings; NULL if none */
    RunResult
        cause; /* the first recorded cause of an end that was asked for (cancelled, timeout); else NONE */
    uint64_t cause_at;
    uint64_t grace_usec;    /* between KillSignal= and SIGKILL */
    uint64_t manager_stamp; /* of the service manager that the latest claim was made under */
    char *boot_id;          /* of the kernel, then */
    /* µs of that boot's CLOCK_MONOTONIC when the latest claim was asked for, which is before anything could be started
     * for it: what the journal is asked about is counted from here, since nobody can set this clock. A claim that was
     * made with an older schema has none. */
    uint64_t claimed_monotonic;
    uint64_t cpu_nsec, memory_peak, io_read, io_write, ip_in, ip_out;
} StoreRun;

void store_run_free(StoreRun *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreRun, store_run_free)

/* One attempt of a run, as kept for people. */
typedef struct StoreAttempt {
    unsigned attempt;
    char *node, *unit, *invocation_id, *reason;
    RunResult result;
    int exit_code, exit_status;
    uint64_t claimed, started, finished;
} StoreAttempt;

/* A task as its row has it, with its newest revision. */
typedef struct StoreTask {
    char *name;
    char *origin; /* "file" or "api" */
    char *path;   /* of a file; "" else */
    char *node;   /* whose file it is; "": none's, or anybody's */
    uint64_t revision;
    bool enabled;
    bool deleted;          /* only its history is left */
    uint64_t paused_until; /* as of a schedule, for all that it has */
    char *definition;      /* task_sources_to_json() */
    /* Where it is expected to succeed every so often; all UNSET: it is not. */
    uint64_t expect_since;   /* from when on */
    uint64_t expect_success; /* the end of the latest run that did; UNSET: none since */
    uint64_t missed;         /* by when it was to, and has not, which was told; UNSET: none is missed */
    uint64_t missed_run;     /* that was asked for because of it; UNSET: none was */
} StoreTask;

typedef struct StoreSchedule {
    char *task, *name;
    int enabled;           /* SetEnabled(): 1, 0; -1 where it was never said */
    uint64_t last_nominal; /* UNSET where none fired or was passed yet */
    uint64_t since; /* real µs: no time before this instant is a slot (when it was added or changed) */
    uint64_t
        off_until; /* slots before this one that have no outcome passed while it was disabled; UNSET: none */
    uint64_t paused_until; /* nor do those before this one fire, which may be to come; UNSET: none */
    uint64_t fired;        /* how many have */
    uint64_t
        ended; /* of one that follows a task: when the last run of that did; of one that follows "@boot" when the node was first taken in this boot of it; UNSET: not yet */
    uint64_t under_way; /* likewise: the slot that it fired last, while its run is not over; UNSET: it is */
    char *by_hand;      /* slots that were skipped by hand: see model/by-hand.h; NULL: none */
    char *ends;         /* of AfterTask=, slots that have no outcome yet: see model/follow.h; NULL: none */
} StoreSchedule;

/* A run of a schedule that was asked for after its time, and is not done. */
typedef struct StoreLateRun {
    uint64_t run;
    const char *task, *schedule;
} StoreLateRun;

/* What stands there when the store comes up: called after the lease is taken (epoch + 1) and the node's
 * unfinished attempts are stamped with it, in one transaction. Tasks and schedules may be many: then most of them were
 * told of before, page by page, with the state STORE_LOADING, and nothing else. */
typedef struct StoreLoaded {
    uint64_t epoch;
    GPtrArray *tasks;       /* StoreTask*, newest revisions, without the deleted */
    GPtrArray *schedules;   /* StoreSchedule* of these tasks */
    GPtrArray *runs;        /* StoreRun*: starting, running and stopping runs of this node */
    uint64_t next_due;      /* real µs of the earliest waiting or queued run; UNSET if none */
    uint64_t next_deadline; /* likewise the earliest deadline of one */
    uint64_t n_waiting;     /* waiting and queued */
    bool first;             /* what was told of before is void */
    GArray *late;           /* of StoreLateRun, with STORE_UP; in the order of ids */
    uint64_t
        suspect; /* the largest run of a backup that was restored: what is not done of it may have been executed
                             since; 0: there was none */
    /* CLOCK_MONOTONIC µs: of what was claimed since, this host knows whether the database has forgotten something; UNSET: of
     * nothing */
    uint64_t remembered_since;
} StoreLoaded;

/* loaded only with STORE_LOADING and STORE_UP. reason is a sentence for people with the other two states. */
typedef void (*StoreStateFn)(StoreState state, const char *reason, const StoreLoaded *loaded, void *userdata);

int store_new(
    sd_event *event, Clock *clock, const StoreConfig *config, StoreStateFn fn, void *userdata, Store **ret);
/* Begins to connect; state changes are told by fn, first from the loop. */
int store_start(Store *s);
/* Where it was not known before: of the claims from now on. */
void store_set_manager_stamp(Store *s, uint64_t stamp);
void store_free(Store *s);
/* Operations asked for and not answered yet. */
unsigned store_pending(const Store *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)

/* --- tasks --- */

typedef void (*StoreNumberFn)(int r, uint64_t number, const Error *error, void *userdata);
typedef void (*StoreDoneFn)(int r, const Error *error, void *userdata);

/* Slots in a row of one schedule that are not to fire, for one cause. */
typedef struct StoreSkip {
    const char *task, *schedule;
    uint64_t revision; /* of the task */
    /* last_nominal of the schedule, as far as is known: UNSET where it has none. Where it is another by now, what is said of
     * the slots after it is not so. */
    uint64_t previous;
    uint64_t first, last, count; /* real µs; count 0: not counted */
    const char *cause, *reason;  /* cause "": they are no slots, and pass without an entry */
    uint64_t ended;              /* as in StoreAsk */
} StoreSkip;

typedef struct StorePutTask {
    const char *name, *origin, *path, *description, *definition;
    const char *const *schedules; /* names, NULL-terminated */
    uint64_t since;               /* real µs */
    bool expects;                 /* from since on, where it did not before, it is expected to succeed */
    const GArray *
        skips; /* of StoreSkip, one of a schedule: slots of the definition before, which has them no more. In the
                            ledger with it; what has its outcome meanwhile keeps that. NULL is none */
    const char *const
        *follows;     /* of each schedule what it follows (see model/follow.h), "" is none; NULL: of all */
    const char *node; /* as of StoreTask; NULL is "" */
} StorePutTask;

/* Adds a task or a new revision of it; answers the revision, unchanged where the definition is. Schedules
 * that are new get since; those that are no longer there are removed; where the definition changed, all get since,
 * and skips are written. */
int store_put_task(Store *s, const StorePutTask *t, StoreNumberFn fn, void *userdata);
/* Marks it deleted; its history stays. skips as above. */
int store_delete_task(Store *s, const char *name, const GArray *skips, StoreDoneFn fn, void *userdata);
typedef struct StoreEnable {
    const char *task, *schedule; /* NULL: the task itself */
    int enabled;                 /* 1, 0; -1: it stays what it is */
    uint64_t off_until;          /* of what is enabled again, when; UNSET: it was enabled, or is not */
    uint64_t paused_until;       /* UNSET: it stays what it is */
} StoreEnable;

int store_set_enabled(Store *s, const StoreEnable *e, StoreDoneFn fn, void *userdata);

/* A task did not succeed when it was expected to. */
typedef struct StoreMissed {
    const char *task;
    /* As far as is known: nothing was expected before, and the latest success, UNSET is none. Where the first is later by now, or the
     * second another, nothing is missed. */
    uint64_t since, success;
    uint64_t missed; /* by when one was expected, real µs */
    uint64_t
        run; /* 0: that is told now, once; else the run that was asked for because of it, which is noted */
} StoreMissed;

typedef struct StoreExpectation {
    uint64_t since, success, missed; /* real µs; UNSET is none */
} StoreExpectation;

/* r 1: so it is; 0: that stood there, or something is known meanwhile, and e is what stands there; -ENOENT: nothing is expected
 * of it. e is NULL where r is an error. */
typedef void (*StoreMissedFn)(int r, const StoreExpectation *e, const Error *error, void *userdata);
int store_missed(Store *s, const StoreMissed *m, StoreMissedFn fn, void *userdata);
/* The definition of an old revision. */
typedef void (*StoreTextFn)(int r, const char *text, void *userdata); /* -ENOENT */
int store_get_revision(Store *s, const char *task, uint64_t revision, StoreTextFn fn, void *userdata);
/* As it stands there now, with its schedules. -ENOENT: there is none, or it is deleted. */
typedef void (*StoreTaskFn)(
    int r, const StoreTask *task, const GPtrArray *schedules /* StoreSchedule* */, void *userdata);
int store_get_task(Store *s, const char *task, StoreTaskFn fn, void *userdata);

/* --- asking --- */

typedef struct StoreAsk {
    const char *requester;  /* name, or the number where that is not known */
    uint64_t requester_uid; /* the token is unique within it; UNSET for the daemon itself */
    const char *token;      /* required, 1…128 bytes */
    const char *task;
    uint64_t revision;
    const char *queue;
    int priority;
    const char *input, *secrets, *meta; /* JSON objects, NULL is none */
    GBytes *raw;
    uint64_t due;      /* real µs; 0 is now (the database's) */
    uint64_t retry_of; /* 0 is none */
    uint64_t grace_usec;
    const char *
        schedule; /* a slot: fires only if revision is in force, last_nominal is previous, and nominal after it, neither skipped by hand nor paused, and its schedule and task enabled; else NULL */
    uint64_t nominal, previous;
    uint64_t max_runs; /* of the schedule: it has fired fewer; 0: however many */
    uint64_t deadline; /* real µs: it is not claimed after this; UNSET or 0 is none */
    uint64_t
        ended; /* of a slot that follows a run: when that ended, as far as is known; UNSET: none has. It fires only if it is so */
    /* It is under way only while fewer runs of its task than places are, from their first claim until they are done. Where there
     * is no place when it is due it is held until there is ("allow", "queue"; "queue-one" if none is), over ("skip"), or
     * older ones are cancelled ("cancel-old"). */
    unsigned places;     /* 0: however many */
    const char *overlap; /* NULL is "allow" */
} StoreAsk;

typedef struct StoreAsked {
    uint64_t run; /* 0: the slot was not the schedule's next one, is not to fire, or is one too many */
    bool fresh;   /* false: this token asked before, run is the first one */
    RunState state;
    uint64_t due;
    uint64_t last;  /* last_nominal of its schedule, UNSET where it has none */
    uint64_t fired; /* how many slots of it have fired, with this one */
    /* It is due now, there is no place for it, and it is not to wait: run is 0, a slot is skipped for that. NULL: not so. */
    const char *reason;
} StoreAsked;

/* -ENOENT: there is no such schedule, or another revision of its task is in force. */
typedef void (*StoreAskFn)(int r, const StoreAsked *asked, const Error *error, void *userdata);
int store_ask(Store *s, const StoreAsk *ask, StoreAskFn fn, void *userdata);
/* Slots that are not to fire: last_nominal is advanced from previous, and the ledger gets them. r 1: so it is; 0: last_nominal
 * was another, or what they follow, or some of them are skipped by hand (or, where that is the cause, not any more), and it
 * is last; -ENOENT: there is no such schedule, or another revision of its task is in force. */
typedef void (*StoreSkipFn)(int r, uint64_t last, const Error *error, void *userdata);
int store_skip(Store *s, const StoreSkip *skip, StoreSkipFn fn, void *userdata);

/* A schedule that follows the runs of a task, as it is by now. */
typedef struct StoreFollower {
    const char *task, *schedule;
    uint64_t ended, under_way; /* as in StoreSchedule */
    const char *ends;          /* likewise; "" is none */
} StoreFollower;

/* Those that follow the task of that run, with whatever result, or, where task is not NULL, that (see model/follow.h). */
typedef void (*StoreFollowersFn)(int r, const GArray *followers /* of StoreFollower */, void *userdata);
int store_get_followers(Store *s, uint64_t run, const char *task, StoreFollowersFn fn, void *userdata);

/* A slot to come that somebody skips, or wants to fire after all. */
typedef struct StoreByHand {
    const char *task, *schedule;
    uint64_t revision; /* of the task */
    uint64_t nominal;
    const char *whom; /* who skips it; NULL: it is to fire */
    uint64_t max;     /* so many of a schedule may be skipped ahead of their time */
} StoreByHand;

typedef enum StoreByHandOutcome {
    STORE_BY_HAND_DONE, /* it is skipped, or is not; perhaps it was so before */
    STORE_BY_HAND_LATE, /* it has its outcome already */
    STORE_BY_HAND_FULL,
} StoreByHandOutcome;

/* What became of a slot that is too late. */
typedef struct StoreByHandSlot {
    uint64_t run;      /* that it fired; UNSET: it did not, or the ledger does not have it any more */
    const char *cause; /* for which it was skipped; "" else */
} StoreByHandSlot;

/* r: a StoreByHandOutcome, or -ENOENT as above. Once it is answered that a slot is skipped store_ask() does not fire it, whoever
 * asks; what has its outcome is skipped no more. slot: with STORE_BY_HAND_LATE. */
typedef void (*StoreByHandFn)(int r, const StoreByHandSlot *slot, const Error *error, void *userdata);
int store_by_hand(Store *s, const StoreByHand *h, StoreByHandFn fn, void *userdata);

/* Times of a schedule that have passed, in order, and are to be run after all. */
typedef struct StoreBackfill {
    const char *task, *schedule;
    uint64_t revision;   /* of the task */
    const GArray *times; /* of uint64_t: nominal, ascending */
    bool
        unsettled; /* also those whose outcome the schedule has not decided yet, since it does not while it is disabled */
    bool dry;               /* nothing is asked for: what would be? */
    const char *requester;  /* as of StoreAsk, likewise all that follows */
    uint64_t requester_uid; /* a user's; never UNSET */
    const char *queue;
    int priority;
    const char *input, *secrets;
    uint64_t grace_usec;
    unsigned places;
    const char *overlap;
} StoreBackfill;

typedef enum StoreBackfillOutcome {
    STORE_BACKFILL_ASKED,   /* it has a run by this */
    STORE_BACKFILL_HAS_RUN, /* it had one, as a slot or by such a call */
    STORE_BACKFILL_TO_COME, /* it is the schedule's to decide: it is about to fire it, or to skip it */
} StoreBackfillOutcome;

typedef struct StoreBackfilled {
    uint64_t nominal;
    StoreBackfillOutcome outcome;
    uint64_t run; /* UNSET is none */
    bool goes;    /* it is queued; what waits is due when the one before it is over */
} StoreBackfilled;

/* All of it is committed, or nothing. times: of StoreBackfilled, one for each; NULL where r is negative. -ENOENT: there is no such
 * schedule, or another revision of its task is in force. */
typedef void (*StoreBackfillFn)(int r, const GArray *times, const Error *error, void *userdata);
int store_backfill(Store *s, const StoreBackfill *b, StoreBackfillFn fn, void *userdata);

/* --- the life of a run --- */

/* A run is claimed this long before it is due, so that nothing but its start is left for the moment itself.
 * Until then the owner holds it behind a timer; a cancel that comes meanwhile is found in the row's cause. */
#define STORE_CLAIM_AHEAD_MSEC 50

/* Why a run is expired. */
#define STORE_EXPIRED "it could not be started in time (StartDeadline=)"

/* What became of a run that was not claimed: it is over, it waits for a place, or its node is to end it. */
typedef struct StoreChange {
    uint64_t run;
    RunState state;
    RunResult result;
    uint64_t cause_at;
    const char *reason;
} StoreChange;

typedef struct StoreClaimed {
    GPtrArray *runs;   /* StoreRun*, stolen by taking a ref of the array */
    GArray *changes;   /* of StoreChange */
    uint64_t next_due; /* of the next run that is not claimed (now, where limit was met); UNSET if none */
    uint64_t next_deadline; /* likewise the earliest deadline */
} StoreClaimed;

/* Claims up to limit runs that are due, or will be within STORE_CLAIM_AHEAD_MSEC, for this node: state
 * starting, attempt + 1, a fresh token and fence. No run is claimed after its deadline: those whose deadline passed are over; nor one that has no
 * place. That is judged also where limit is 0. claimed is NULL where r is negative. */
typedef void (*StoreClaimFn)(int r, const StoreClaimed *claimed, void *userdata);
int store_claim(Store *s, unsigned limit, StoreClaimFn fn, void *userdata);

/* Who owns the attempt that is spoken of. */
typedef struct StoreOwner {
    uint64_t run;
    unsigned attempt;
    const char *token;
} StoreOwner;

typedef enum StoreOutcome {
    STORE_RECORDED,        /* done by this call */
    STORE_RECORDED_BEFORE, /* it stood there already */
    STORE_NOT_YOURS,       /* node, epoch or token differ: nothing changed */
} StoreOutcome;

/* r is a StoreOutcome or a negative errno. cause: what stands in the row afterwards (somebody may have
 * cancelled). */
typedef void (*StoreOutcomeFn)(int r, RunResult cause, uint64_t cause_at, const Error *error, void *userdata);

/* starting → running: the process was started. */
int store_running(Store *s, const StoreOwner *o, const char *invocation_id, uint64_t started,
    StoreOutcomeFn fn, void *userdata);
/* starting, running → stopping, with the cause unless one stands there. cause NONE: what is left over is
 * being ended. */
int store_stopping(
    Store *s, const StoreOwner *o, RunResult cause, const char *reason, StoreOutcomeFn fn, void *userdata);

typedef struct StoreEnd {
    StoreOwner owner;
    RunResult result;
    const char *reason;
    int exit_code, exit_status;
    const char *invocation_id;
    uint64_t started, finished; /* UNSET where not known */
    uint64_t cpu_nsec, memory_peak, io_read, io_write, ip_in, ip_out;
    const char *output;     /* JSON or NULL */
    bool again;             /* another attempt follows: the run waits */
    uint64_t again_in_usec; /* after that delay */
    bool killed;            /* by us, for the row's cause, before it ended */
} StoreEnd;

/* The end of an attempt: one commit with all of it, also that its task has succeeded, where that is expected. The row's cause, if any, wins over result unless the
 * process had ended before it (not killed, and finished < cause_at); the callback's `result` tells what was recorded. */
typedef void (*StoreEndFn)(
    int r, RunResult result, RunState state, uint64_t due, const Error *error, void *userdata);
int store_end(Store *s, const StoreEnd *e, StoreEndFn fn, void *userdata);
/* starting → queued: PID 1 would not start it now, or the attempt's name is taken. The attempt is closed with
 * reason. */
int store_requeue(
    Store *s, const StoreOwner *o, const char *reason, uint64_t in_usec, StoreOutcomeFn fn, void *userdata);

typedef struct StoreCancelled {
    RunState state;   /* done: it was ended at once; else the owner is to end it */
    RunResult result; /* where it is done: how it had ended before, or cancelled */
    bool before;      /* it was done before */
    bool
        freed; /* it had a place, or was about to, which another may have now, or the next of a backfill goes */
    uint64_t cause_at;
} StoreCancelled;

/* Ends a waiting or queued run at once; marks a claimed one (cause cancelled, unless there is one). -ENOENT.
 */
typedef void (*StoreCancelFn)(int r, const StoreCancelled *c, void *userdata);
int store_cancel(Store *s, uint64_t run, const char *reason, StoreCancelFn fn, void *userdata);

/* --- reading --- */

typedef void (*StoreRunsFn)(int r, GPtrArray *runs /* StoreRun* */, const Error *error, void *userdata);
typedef void (*StoreRunFn)(int r, const StoreRun *run,
    const GPtrArray *attempts /* StoreAttempt*, the latest 1000 */, void *userdata);

typedef struct StoreFilter {
    const char *task;             /* NULL is any, as for all others */
    int state, result;            /* -1 is any */
    uint64_t since, until;        /* asked, real µs; 0 is open */
    const char *requester;        /* its name */
    uint64_t requester_uid;       /* with it; UNSET is any */
    const char *requester_number; /* with these two: the number may stand for the name, which was not known */
    const char *meta;             /* a JSON object that must be contained */
    uint64_t before;              /* ids below this; 0 is from the newest */
    uint64_t after;               /* ids above this */
    unsigned limit;               /* 1…1000 */
    bool with_input;
} StoreFilter;

int store_get_run(Store *s, uint64_t run, StoreRunFn fn, void *userdata); /* -ENOENT */
/* How many wait or are queued. */
int store_count_waiting(Store *s, StoreNumberFn fn, void *userdata);
/* Newest first. */
int store_list_runs(Store *s, const StoreFilter *f, StoreRunsFn fn, void *userdata);

/* A host that runs taskschedd against this database. */
typedef struct StoreNode {
    char *name;
    bool up; /* its daemon uses the database now */
    uint64_t epoch;
    char *boot_id;
    uint64_t last_seen; /* real µs; now, where it is up */
} StoreNode;

typedef void (*StoreNodesFn)(int r, GPtrArray *nodes /* StoreNode* */, const Error *error, void *userdata);
/* By name: this one alone (NULL: any), after that one (NULL: from the first), at most limit. */
int store_list_nodes(
    Store *s, const char *name, const char *after, unsigned limit, StoreNodesFn fn, void *userdata);

/* A row of the ledger: a slot, or several in a row that were skipped for one cause. */
typedef struct StoreSlot {
    char *task, *schedule;
    uint64_t nominal, first; /* the last of them, and the first; real µs */
    uint64_t count;          /* UNSET: they were not counted */
    char *outcome;           /* "fired" or "skipped" */
    char *cause, *reason;
    uint64_t run; /* UNSET is none */
    uint64_t at;  /* when that was decided */
    uint64_t
        backfilled; /* so many of them were run after all (of these times, as the schedule has them now); UNSET is none */
} StoreSlot;

typedef struct StoreSlotFilter {
    const char *task, *schedule, *outcome, *cause; /* NULL is any */
    uint64_t since, until;                         /* real µs, both inclusive; 0 is open */
    /* Older than this one; 0 is from the newest. */
    uint64_t before;
    const char *before_task, *before_schedule;
    unsigned limit; /* 1…1000 */
} StoreSlotFilter;

typedef void (*StoreSlotsFn)(int r, GPtrArray *slots /* StoreSlot* */, const Error *error, void *userdata);
/* Newest first. */
int store_list_slots(Store *s, const StoreSlotFilter *f, StoreSlotsFn fn, void *userdata);

/* --- history --- */

/* A task whose history has limits of its own. */
typedef struct StoreHistoryTask {
    const char *task;
    uint64_t max_age_usec; /* since its end; USEC_INFINITY is none */
    uint64_t max_runs;     /* USEC_INFINITY is none */
} StoreHistoryTask;

typedef struct StoreHistory {
    uint64_t max_age_usec; /* of all other tasks, of the ledger and of the audit; USEC_INFINITY is none */
    uint64_t max_runs;     /* of all tasks together; USEC_INFINITY is none */
    const GArray *tasks;   /* of StoreHistoryTask */
} StoreHistory;

/* Removes the runs that are done and beyond the limits, the oldest first, and what belongs to them; whole partitions
 * where that can be. Answers how many runs went, also with an error: a round that was committed stays. One at a time:
 * -EBUSY while another is under way, -ENOTCONN while the store is not up; then fn is not called. */
int store_trim(Store *s, const StoreHistory *limits, StoreNumberFn fn, void *userdata);

/* The largest id of a run that is known to be given out. */
uint64_t store_newest_run(const Store *s);

typedef struct StoreDatabase {
    const char *server; /* its version: "15.20" */
    uint64_t schema, schema_newest;
    uint64_t size;              /* bytes on disk */
    const char *data_directory; /* "" where the role may not know */
} StoreDatabase;

typedef void (*StoreDatabaseFn)(int r, const StoreDatabase *d, const Error *error, void *userdata);
int store_get_database(Store *s, StoreDatabaseFn fn, void *userdata);

/* --- audit --- */

typedef struct StoreAudit {
    uint64_t uid;
    const char *user; /* its name, "" if unknown */
    const char *unit; /* of the caller, "" if unknown */
    const char *method;
    const char *object;
    bool granted;
} StoreAudit;

/* Written with the next batch; nobody waits for it. */
int store_audit(Store *s, const StoreAudit *a);

typedef struct StoreAuditEntry {
    uint64_t at, id;
    uint64_t uid;
    char *user, *unit, *method, *object;
    bool granted;
} StoreAuditEntry;

typedef struct StoreAuditFilter {
    uint64_t since, until; /* real µs; 0 is open */
    uint64_t uid;          /* UNSET is any */
    const char *user;      /* the name it had; NULL is any, as for method */
    const char *method;
    int granted;                   /* -1 is any */
    uint64_t before_at, before_id; /* entries older than this one; 0 is from the newest */
    unsigned limit;                /* 1…1000 */
} StoreAuditFilter;

typedef void (*StoreAuditsFn)(
    int r, GPtrArray *entries /* StoreAuditEntry* */, const Error *error, void *userdata);
/* Newest first. */
int store_list_audit(Store *s, const StoreAuditFilter *f, StoreAuditsFn fn, void *userdata);
