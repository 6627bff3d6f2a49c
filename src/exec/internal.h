/* What the files of this folder share: the connection's state, and the operations on it. An operation is what
 * one call of exec.h started; it makes any number of method calls and ends by exactly one answer. */
#pragma once

#include "exec/exec.h"
#include "exec/unit.h"

#define SYSTEMD_NAME    "org.freedesktop.systemd1"
#define SYSTEMD_PATH    "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER SYSTEMD_NAME ".Manager"

/* dbus-daemon allows 128 replies outstanding for a connection; the rest is left to the daemon's other calls.
 */
#define CALLS_MAX 64
/* PID 1 has a match rule on the bus for the caller of each job that is not finished, and dbus-daemon allows it
 * 512 rules: with one more it loses its connection, and everybody's calls with it. */
#define JOBS_MAX       100
#define CALL_USEC      (30 * USEC_PER_SEC)
#define JOB_USEC       (90 * USEC_PER_SEC)
#define CHECK_USEC     (10 * USEC_PER_SEC) /* a signal that is awaited this long is asked after */
#define REMOVE_ENTRIES 1000                /* files removed in one iteration of the loop */

typedef struct Work Work;

typedef struct WorkType {
    /* Tells the caller r, and ends the operation. */
    void (*answer)(Work *op, int r);
    void (*free)(Work *op);
    /* The operation waits for a signal that may have been missed: ask. NULL: it never waits. */
    void (*check)(Work *op);
    /* The next piece of work that is not a call; NULL: there is none. */
    void (*work)(Work *op);
} WorkType;

typedef void (*CallFn)(Work *op, sd_bus_message *reply);

/* Jobs of one kind: each kind has its own, so that starts that hang do not hold up the release of others. */
typedef struct Jobs {
    GQueue queue; /* of Call.queued: calls that would make one more than JOBS_MAX */
    unsigned n;   /* operations whose call for a job was sent */
} Jobs;

typedef struct Call {
    Work *op;
    sd_bus_message *message;
    sd_bus_slot *slot; /* NULL: still in the queue */
    CallFn fn;
    GQueue *queue; /* where it waits: Exec.queue, or that of its kind of jobs */
    GList queued;
    GList link; /* in Work.calls */
} Call;

struct Work {
    Exec *exec;
    const WorkType *type;
    GList link;     /* in Exec.ops */
    GQueue calls;   /* of Call.link */
    Jobs *jobs;     /* its job is one of these until it ends; NULL: it has none */
    uint64_t since; /* boot µs: it waits for a signal from then on; 0: it does not wait */
    int failed;     /* to be answered from the loop; 0: not */
    bool deferred;  /* stands in Exec.deferred */
    GList later;    /* in Exec.deferred */
};

struct Exec {
    sd_event *event;
    ExecEvents events;
    void *userdata;
    bool user_scope;
    char *runtime_directory, *output_directory;
    char *cgroup_root; /* where the hierarchy is mounted that PID 1 tracks processes in */
    bool cgroup_events;
    sd_bus *bus;
    GPtrArray *slots; /* of sd_bus_slot*: matches and Subscribe() */
    bool away;        /* the manager is not on the bus, or the bus is closing */
    bool up, freeing;
    GQueue ops;         /* of Work.link */
    GQueue queue;       /* of Call.queued */
    unsigned in_flight; /* calls with a slot */
    Jobs starting, stopping;
    GQueue deferred;       /* of Work.later */
    GHashTable *starts;    /* unit → Work*: those whose job is not finished */
    GHashTable *releases;  /* unit → Work* */
    GHashTable *failed;    /* set of units that are known to have failed */
    GHashTable *evidences; /* set of helper processes */
    GHashTable *journals;  /* likewise, of those that read for a caller */
    sd_event_source *defer, *watch;
};

/* --- exec.c ------------------------------------------------------------------------------------------------
 */

/* Tells whether the manager can be reached, where that is news. */
void exec_set_up(Exec *e, bool up);

/* --- work.c ------------------------------------------------------------------------------------------------
 */

/* size is that of a structure which begins with an Work. NULL while the Exec is being freed. */
Work *work_new(Exec *e, size_t size, const WorkType *type);
/* Unlinks the operation and drops its calls, so that the answer may start others; then free it. */
void work_end(Work *op);
void work_free(Work *op);
/* Answers r from the loop, not from within the caller's call. */
void work_fail_later(Work *op, int r);
/* Calls type->work from the loop. */
void work_work_later(Work *op);
void work_wait(Work *op);
/* Sends message, which it takes over, when the window has room. fn is called unless the operation ends
 * before. NULL or a failure of the bus ends the operation later. */
void work_call(Work *op, sd_bus_message *message, CallFn fn);
/* The same for a call that makes a job, which is to be finished when the operation ends; one for an operation. */
void work_call_job(Work *op, Jobs *jobs, sd_bus_message *message, CallFn fn);
/* Where its only call was not sent yet: it never will be, and type->work is called from the loop. */
bool work_withdraw(Work *op);
sd_bus_message *work_message(Work *op, const char *path, const char *interface, const char *member);
sd_bus_message *work_manager_message(Work *op, const char *member);
/* Answers r to every operation that lives, from the loop. */
void work_fail_all(Exec *e, int r);
int work_on_defer(sd_event_source *source, void *userdata);
int work_on_watch(sd_event_source *source, uint64_t usec, void *userdata);
void work_check_all(Exec *e);
/* A negative errno for a reply that is an error, 0 for any other. */
int work_reply_errno(sd_bus_message *reply);
bool work_reply_is(sd_bus_message *reply, const char *error_name);
int work_reply_error(sd_bus_message *reply, Error *error);

/* --- start.c, release.c, unit.c: what signals bring --------------------------------------------------------
 */

void start_job_removed(Exec *e, const char *unit, const char *job, const char *result);
void release_unit_removed(Exec *e, const char *unit);
void release_unit_failed(Exec *e, const char *unit);

/* --- files.c -----------------------------------------------------------------------------------------------
 */

/* Writes the credentials of an attempt to DIRECTORY/input/RUN-ATTEMPT/; *ret_directory is that, g_free. */
int files_write_input(const char *directory, const ExecStart *start, char **ret_directory);
/* Removes at most *budget entries below DIRECTORY/name; 1: there is more to do. */
int files_remove_tree(const char *directory, const char *name, unsigned *budget);
/* Where DynamicUser= makes PID 1 put what it leaves a symlink to; g_free. */
char *files_private_directory(const char *output_directory);

/* leftovers.c. How many directories it removed. */
unsigned files_put_away(
    const char *runtime_directory, const char *output_directory, LeftoverFn is_known, void *userdata);

/* output.c. Whether the directory that the manager makes for the attempt of this unit is there. */
bool output_is_left(Exec *e, const char *unit);

void evidence_cancel_all(Exec *e);
void journal_end_all(Exec *e);
