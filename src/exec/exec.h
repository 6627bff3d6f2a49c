/* Runs on systemd: transient units are started, watched, killed and released here, over one connection to the
 * manager. At most 64 calls to it are in flight; what comes beyond waits in order. Every call answers once by
 * its callback, never from within the call itself; -ENOTCONN where the bus or the manager went away before
 * the answer: the outcome is unknown, asking again is safe, since each call is idempotent by the unit's name.
 * What a callback is given is borrowed. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/error.h"
#include "model/task.h"

typedef struct Exec Exec;

/* What PID 1 says of a unit of ours: the passive mirror. Numbers are UNSET and strings "" where it does not
 * say. */
typedef struct UnitState {
    char *unit;
    uint64_t run;
    unsigned attempt;
    char *active_state, *sub_state; /* "active" "exited" … */
    char *result;                   /* systemd's, "success" … */
    int main_code;                  /* RunExitCode, 0 while it runs or never ran */
    int main_status;
    uint64_t main_pid;        /* 0: none */
    uint64_t started, exited; /* real µs, of the main process */
    uint64_t started_boot,
        exited_boot;     /* the same in boot µs: spans count on these, however the clock was set */
    char *invocation_id; /* 32 hex digits */
    char *token;         /* of the claim it was started for */
    char *status_text;   /* sd_notify STATUS= */
    char *control_group;
    char *private_pids;        /* PrivatePIDs=; "" before systemd 257, which does not have it */
    uint64_t runtime_max_usec; /* RuntimeMaxUSec= in force */
    bool remain_after_exit;    /* in force: false is a drop-in's doing */
    char *directory_preserve;  /* RuntimeDirectoryPreserve= in force */
    bool never_ran; /* the manager was reloaded between making the unit and its process, and would have
                       mistaken its command: it executed nothing. To be released, and started again */
    uint64_t cpu_nsec, memory_peak, io_read, io_write, ip_in, ip_out;
} UnitState;

/* A unit that has nothing left to wait for: exited, failed, or gone inactive. */
bool unit_state_is_over(const UnitState *u);
void unit_state_free(UnitState *u);
UnitState *unit_state_copy(const UnitState *u);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UnitState, unit_state_free)

/* "tsched-run-RUN-ATTEMPT.service"; g_free. And back: false for any other name. */
char *exec_unit_name(uint64_t run, unsigned attempt);
bool exec_unit_parse(const char *unit, uint64_t *ret_run, unsigned *ret_attempt);
/* "taskschedd-QUEUE.slice", escaped; g_free. */
char *exec_slice_name(const char *queue);

typedef struct ExecEvents {
    /* A unit of ours changed: seen is what this one signal said, all else in it is unset. Ask exec_get() for
     * all of it; but of a unit that somebody stops, its signals are all that is ever told. */
    void (*changed)(const UnitState *seen, void *userdata);
    void (*removed)(const char *unit, void *userdata);
    /* Signals may have been missed (the bus or the manager restarted or reloaded): everything is to be read
     * again. */
    void (*resync)(void *userdata);
    /* up: calls reach the manager. */
    void (*connection)(bool up, void *userdata);
} ExecEvents;

typedef struct ExecConfig {
    bool user_scope;               /* the user's manager */
    const char *runtime_directory; /* /run/taskschedd: input files are kept in its input/ */
    const char
        *output_directory; /* /run/tsched-output: PID 1 makes RUN-ATTEMPT below it by RuntimeDirectory= */
} ExecConfig;

/* bus: a connection to the message bus the manager is on, attached to the loop; kept by reference; replaced
 * by exec_set_bus() after a reconnect (NULL: it is gone). */
int exec_new(sd_event *event, const ExecConfig *config, const ExecEvents *events, void *userdata, Exec **ret);
int exec_set_bus(Exec *e, sd_bus *bus);
void exec_free(Exec *e);
unsigned exec_pending(const Exec *e);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Exec, exec_free)

/* The service manager's UserspaceTimestampMonotonic. */
typedef void (*ExecNumberFn)(int r, uint64_t number, void *userdata);
int exec_manager_stamp(Exec *e, ExecNumberFn fn, void *userdata);

/* What a start needs; borrowed for the call. */
typedef struct ExecStart {
    uint64_t run;
    unsigned attempt;
    const Task *task;  /* settings, flags */
    const char *path;  /* of the program */
    char *const *argv; /* NULL-terminated */
    const char *token;
    uint64_t fence;
    const char *schedule;   /* "" is none */
    uint64_t nominal;       /* UNSET is none */
    uint64_t after_run;     /* whose end it follows; 0 is none */
    uint64_t timeout_usec;  /* RuntimeMaxSec=, USEC_INFINITY is none */
    const char *input_json; /* content of the credential `input`, NULL: none is loaded */
    GBytes *raw;            /* in its place for a task without [Input] */
    GHashTable *files;      /* name → GBytes: credentials input.NAME; may be NULL */
} ExecStart;

typedef enum ExecStarted {
    EXEC_STARTED, /* the unit was made by this call; its process runs or has run (the job is finished) */
    EXEC_EXISTS,  /* a unit of that name is there already: compare its token by exec_get() */
    EXEC_REFUSED, /* PID 1 refuses these properties: never to be tried again as it is; error says why */
    EXEC_SHUTTING_DOWN, /* the host goes down: later */
    EXEC_WITHDRAWN,     /* by exec_withdraw_starts(): it was never asked for */
    EXEC_GONE, /* the unit was made, its job was called off, and it is not there any more: it may have run */
} ExecStarted;

/* r: an ExecStarted or a negative errno (other trouble; may be tried again). -E2BIG: the manager has as many units as it
 * takes, whoever made them; none was made. */
typedef void (*ExecStartFn)(int r, const Error *error, void *userdata);
int exec_start(Exec *e, const ExecStart *start, ExecStartFn fn, void *userdata);
/* Starts that wait here for room are not asked for any more: each answers EXEC_WITHDRAWN. */
void exec_withdraw_starts(Exec *e);
/* Its unit was made, and its job is the manager's, which has not come to an end of it. */
bool exec_start_is_queued(const Exec *e, const char *unit);

typedef void (*ExecDoneFn)(int r, const Error *error, void *userdata);
/* Asks for the start of a unit that is not one of ours. r 0: the manager has taken the job, and will do it. */
int exec_start_unit(Exec *e, const char *unit, ExecDoneFn fn, void *userdata);

/* Everything PID 1 knows of one unit. r -ENOENT: no such unit is loaded. */
typedef void (*ExecStateFn)(int r, const UnitState *u, void *userdata);
int exec_get(Exec *e, const char *unit, ExecStateFn fn, void *userdata);
/* All units of ours that are loaded, in full. */
typedef void (*ExecListFn)(int r, GPtrArray *units /* UnitState* */, void *userdata);
int exec_list(Exec *e, ExecListFn fn, void *userdata);

/* Sends a signal to all processes of the unit, or to its main process alone. -ENOENT: no such unit; -ESRCH:
 * nothing to signal. */
int exec_kill(Exec *e, const char *unit, bool main_only, int signal, ExecDoneFn fn, void *userdata);
/* Lets go of an ended unit after its record is committed: StopUnit, and ResetFailedUnit where it failed;
 * answers once UnitRemoved was seen or the unit is not there. Its input and output files are removed too. */
int exec_release(Exec *e, const char *unit, ExecDoneFn fn, void *userdata);

/* Removes the files of attempts whose unit is_known() does not know: of those that are neither loaded nor to be started.
 * To be called while no start is under way. In memory, and bounded: of very many some may stay until the next time. */
typedef bool (*LeftoverFn)(const char *unit, void *userdata);
void exec_put_away(Exec *e, LeftoverFn is_known, void *userdata);

/* Are processes left in the control group? Reads the cgroup file system (memory only, does not block).
 * -ENOENT counts as no. */
int exec_cgroup_populated(Exec *e, const char *control_group);

/* The task's output file: read as a regular file with one link, no symlink followed, at most limit bytes. 0
 * with *ret NULL: there is none. -E2BIG, -ELOOP, -EMLINK, -EBADF (no regular file) with a sentence in error.
 */
int exec_read_output(Exec *e, uint64_t run, unsigned attempt, size_t limit, GBytes **ret, Error *error);

/* --- the second evidence: PID 1's own lines in the journal, read by a helper process --- */

/* The end of an attempt as it is noted in the journal once it is recorded. That is what is left of it when its unit was
 * released and the database went back to a state from before. */
typedef struct ExecEnd {
    const char *token; /* of its claim */
    RunResult result;
    int code, status;        /* of the main process, a RunExitCode */
    uint64_t started, ended; /* real µs, UNSET if not known */
} ExecEnd;

#define EXEC_END_TOKEN    "TASKSCHEDD_TOKEN"
#define EXEC_END_RESULT   "TASKSCHEDD_RESULT"
#define EXEC_END_STARTED  "TASKSCHEDD_STARTED"
#define EXEC_END_FINISHED "TASKSCHEDD_FINISHED"
/* These, EXIT_CODE= and EXIT_STATUS= (as the manager has them) are the fields of the message, LOG_ID_RUN_ENDED, LOG_ID_RUN_LOST
 * or LOG_ID_RETRY, about its unit; g_strfreev. */
char **exec_end_fields(const ExecEnd *end);

typedef enum EvidenceVerdict {
    EVIDENCE_NEVER,  /* the journal of this boot has no gap since the claim and has never heard of the unit */
    EVIDENCE_NOTED,  /* its end had been recorded, and this is how */
    EVIDENCE_FAILED, /* a logged failure: code and status say how the main process ended */
    EVIDENCE_STOPPED, /* "Deactivated" alone: stopped while nobody watched; how it ended is not known */
    EVIDENCE_STARTED, /* started, its end is not in the journal */
    EVIDENCE_UNKNOWN, /* the journal has a gap, or cannot be compared with the claim */
    EVIDENCE_UNREAD,  /* nobody read it: the helper failed, or did not come to its end in time */
} EvidenceVerdict;

typedef struct EvidenceQuery {
    const char *unit;
    const char *invocation_id; /* "" is not known: by unit name after the claim */
    uint64_t claimed;          /* real µs: for want of something better */
    const char *boot_id;       /* that it was claimed in, as the kernel calls it; "" is not known */
    /* µs of that boot's CLOCK_MONOTONIC, as the journal's entries have them: however the clock was set, what came after
     * the claim is known by it. UNSET is not known: then nothing proves that a unit was never started. */
    uint64_t claimed_monotonic;
    /* Of the claim: of the notes about the unit only this one's counts. NULL: that of any, after the claim. */
    const char *token;
} EvidenceQuery;

typedef struct Evidence {
    EvidenceVerdict verdict;
    RunResult result;           /* with NOTED */
    int main_code, main_status; /* with NOTED and FAILED */
    uint64_t started, ended;    /* real µs, UNSET if not known */
    /* The attempt's directory is in /run: the manager had begun to execute it. It stays when the unit goes, but for a task
     * that says itself what becomes of its RuntimeDirectory=, and goes when the attempt is released. */
    bool left;
} Evidence;

/* evidence[i] belongs to queries[i]. The helper is killed after 20 s: then all are UNREAD. */
typedef void (*EvidenceFn)(const Evidence *evidence, size_t n, void *userdata);
int exec_evidence(Exec *e, const EvidenceQuery *queries, size_t n, EvidenceFn fn, void *userdata);
/* The helper's side: `taskschedd --helper=evidence`, queries as JSON lines on stdin, answers on stdout. Exit
 * status. */
int evidence_helper_main(void);

/* --- a run's journal, for a caller --- */

typedef struct ExecLogUnit {
    const char *unit, *invocation_id; /* "" where it is not known */
} ExecLogUnit;

typedef struct ExecLog {
    uint64_t uid; /* of the caller: there are bounds for each */
    uint64_t run;
    const ExecLogUnit *units;
    size_t n_units;
    uint64_t asked;   /* real µs: what was logged long before is not of this run */
    unsigned attempt; /* the latest; those that come after it are followed too. UINT_MAX: none does */
    bool follow;
    uint64_t lines;     /* the latest so many; UNSET: all */
    const char *format; /* a word that journalctl's --output= takes */
} ExecLog;

/* *ret is the end of a pipe that the lines can be read from, the caller's. What writes them is killed when that is closed
 * everywhere, or after a while. -EBUSY: there are too many of this caller or in all. */
int exec_open_log(Exec *e, const ExecLog *log, int *ret);
