/* The daemon's one object: owns the store, exec and the parts of core, and is what the API calls. No bus
 * message and no SQL is seen here.
 *
 * Calls that take a callback answer once, later: 0 from the call means the callback will come; a negative
 * errno with *error filled means it will not. What a callback is given is borrowed. */
#pragma once

#include "exec/exec.h"
#include "model/by-hand.h"
#include "model/input.h"
#include "store/store.h"

typedef struct Manager Manager;

typedef enum ManagerState {
    MANAGER_WAITING_FOR_DATABASE,
    MANAGER_RUNNING,
    MANAGER_STOPPING,
    _MANAGER_STATE_MAX,
} ManagerState;

const char *manager_state_to_string(ManagerState s);

typedef struct ManagerConfig {
    bool user_scope;
    bool embedded; /* conninfo names the private database of taskschedd-postgresql.service */
    const char *conninfo;
    const char *node;
    const char *runtime_directory;           /* /run/taskschedd */
    const char *output_directory;            /* /run/tsched-output */
    const char *state_directory;             /* /var/lib/taskschedd */
    const char *const *task_directories;     /* highest precedence first, NULL-terminated */
    const char *const *calendar_directories; /* likewise */
    size_t input_max, output_max;            /* bytes */
    uint64_t history_age_usec; /* how long runs are kept after their end; USEC_INFINITY is for ever */
    uint64_t history_runs;     /* how many are kept in all; USEC_INFINITY is no limit */
} ManagerConfig;

typedef struct ManagerEvents {
    void (*state_changed)(void *userdata);
    void (*run_changed)(uint64_t run, RunState state, RunResult result, void *userdata);
    void (*task_changed)(const char *task, void *userdata);
    /* Of slots that did not fire; it stands in the ledger. */
    void (*slots_skipped)(const StoreSkip *skip, void *userdata);
    /* A task did not succeed when it was expected to, its latest success, or what it is counted from, being since; or it has
     * succeeded again, at since. */
    void (*task_overdue)(const char *task, bool overdue, uint64_t since, uint64_t expected, void *userdata);
} ManagerEvents;

int manager_new(sd_event *event, Clock *clock, const ManagerConfig *config, const ManagerEvents *events,
    void *userdata, Manager **ret);
int manager_start(Manager *m);
/* The bus the service manager is on; NULL while it is away. */
int manager_set_bus(Manager *m, sd_bus *bus);
/* Nothing new is started; what ended and is not recorded yet is recorded; then fn is called, after 10 s at
 * the latest. */
void manager_stop(Manager *m, ClockFn fn, void *userdata);
void manager_free(Manager *m);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Manager, manager_free)

ManagerState manager_state(const Manager *m);
uint64_t manager_now(const Manager *m);       /* real µs, by the clock that all of it goes by */
const char *manager_reason(const Manager *m); /* "" while all is well */
uint64_t manager_n_running(const Manager *m);
uint64_t manager_n_waiting(const Manager *m);    /* waiting and queued, as last counted */
uint64_t manager_n_unrecorded(const Manager *m); /* ended, and not in the database yet */

/* Who asks: from the bus's credentials. */
typedef struct Caller {
    uint64_t uid;
    const char *name; /* of the user, or its number; the requester */
    const char *unit; /* "" if unknown */
} Caller;

/* --- runs --- */

typedef struct ManagerAsk {
    const char *task;
    InputGiven given;
    JsonNode *json;      /* the whole input as JSON of any kind; NULL if given otherwise */
    GBytes *raw;         /* the whole input as bytes; NULL likewise */
    const char *token;   /* NULL: one is made */
    uint64_t at;         /* real µs; 0 is now */
    const int *priority; /* NULL: the task's */
    const char *meta;    /* JSON object of strings, NULL is none */
} ManagerAsk;

typedef void (*ManagerNumberFn)(int r, uint64_t number, const Error *error, void *userdata);
typedef void (*ManagerDoneFn)(int r, const Error *error, void *userdata);

int manager_run_task(Manager *m, const Caller *caller, const ManagerAsk *ask, ManagerNumberFn fn,
    void *userdata, Error *error);
/* A new run with the same input and revision; only of a run that is done. */
int manager_retry_run(
    Manager *m, const Caller *caller, uint64_t run, ManagerNumberFn fn, void *userdata, Error *error);
int manager_cancel_run(
    Manager *m, const Caller *caller, uint64_t run, ManagerDoneFn fn, void *userdata, Error *error);
int manager_kill_run(Manager *m, const Caller *caller, uint64_t run, int signal, ManagerDoneFn fn,
    void *userdata, Error *error);

/* What only the daemon's memory knows of a run that executes here. */
typedef struct RunLive {
    const char *status_text; /* "" is none */
    uint64_t progress;       /* percent, UNSET is none */
    const char *reason;      /* why it waits, where the row does not say; NULL is none */
} RunLive;

void manager_run_live(Manager *m, const StoreRun *run, RunLive *ret);
int manager_get_run(Manager *m, uint64_t run, StoreRunFn fn, void *userdata, Error *error);
/* The largest id that is known to be given out. */
uint64_t manager_newest_run(const Manager *m);
int manager_list_runs(Manager *m, const StoreFilter *f, StoreRunsFn fn, void *userdata, Error *error);

/* Ids of runs that have a unit here or are about to, in no order; at most limit. Of uint64_t; owned. */
GArray *manager_list_live_runs(Manager *m, unsigned limit);

/* Bytes that an input may have (InputMax=). */
size_t manager_input_max(const Manager *m);
/* A run's journal for a caller who may read it; see exec_open_log() for the options and *ret. Answers at once. */
typedef struct ManagerLog {
    bool follow;
    uint64_t lines;
    const char *format;
} ManagerLog;
int manager_open_log(Manager *m, const Caller *caller, const StoreRun *run, const GPtrArray *attempts,
    const ManagerLog *log, int *ret, Error *error);

/* --- slots --- */

int manager_list_slots(Manager *m, const StoreSlotFilter *f, StoreSlotsFn fn, void *userdata, Error *error);

/* Times of a schedule that have passed, and are run after all, one after the other. */
typedef struct ManagerBackfill {
    const char *task, *schedule;
    uint64_t from, until; /* real µs, both inclusive; until 0 is now */
    bool dry;             /* only says what would be run */
} ManagerBackfill;

/* So many times are taken at once. */
#define MANAGER_BACKFILL_MAX 1000u

/* times: of StoreBackfilled, in order; NULL where r is negative. */
typedef void (*ManagerBackfillFn)(int r, const GArray *times, const Error *error, void *userdata);
/* As often as one likes: no time has two runs, be it a slot that fired or not. Once it is answered it is kept, whatever is
 * killed. */
int manager_backfill(Manager *m, const Caller *caller, const ManagerBackfill *given, ManagerBackfillFn fn,
    void *userdata, Error *error);

/* --- nodes --- */

int manager_list_nodes(Manager *m, const char *name, const char *after, unsigned limit, StoreNodesFn fn,
    void *userdata, Error *error);

/* --- tasks --- */

/* What is expected of a task; real µs. */
typedef struct TaskExpect {
    uint64_t since;   /* nothing is expected before */
    uint64_t success; /* end of the latest run that succeeded; 0: none since */
    uint64_t
        missed; /* by when it was to succeed, has not, and that was told; it may be over: see manager_task_is_overdue() */
    uint64_t run;      /* that was asked for because of it; 0 is none yet */
    uint64_t deadline; /* by when the next success is expected; UNSET: none is */
    uint64_t turn;     /* when it is to be looked at, UNSET: it is not */
    uint64_t looked;   /* the deadline at which the units of its runs were read once more */
    uint64_t doubt;    /* likewise is being written down as missed; 0: nothing is */
    bool busy;         /* something of it is under way */
    bool given_up;     /* the task that OnMissed= names cannot be run */
    bool counted;      /* as overdue */
} TaskExpect;

/* A definition in force, from memory. */
typedef struct TaskEntry {
    Task *task;
    char *origin; /* "file" or "api" */
    char *path;
    char *node; /* whose file it is; "": none's, or anybody's */
    uint64_t revision;
    bool enabled;
    uint64_t paused_until; /* slots of its schedules before it do not fire; real µs, 0 is none */
    TaskExpect *expect;    /* NULL: nothing is expected of it; owned */
    uint64_t load;         /* of the database, the latest that it was in */
    uint64_t reload;       /* the latest that found its file */
    GPtrArray *schedules;  /* of ScheduleEntry*, owned */
} TaskEntry;

typedef struct ScheduleEntry {
    const TaskEntry *entry;
    const Schedule *schedule; /* of entry->task, or moving */
    Schedule *
        moving; /* told what its slots follow: see model/follow.h; NULL: they have times of their own; owned */
    uint64_t last;         /* last slot with an outcome, as the database has it; UNSET if none */
    uint64_t since;        /* no time before it is a slot; real µs */
    uint64_t fired;        /* how many of its slots have */
    uint64_t ended;        /* what its slots follow: the end of the last run that counts; UNSET is none */
    uint64_t off_until;    /* slots before it passed while it was disabled; real µs, 0 is none */
    uint64_t paused_until; /* likewise do not fire, beside those of the task's own */
    GArray *by_hand;       /* of ByHand: slots to come that somebody has skipped, NULL is none; owned */
    uint64_t next;         /* next slot, UNSET if none; it may be one that does not fire */
    uint64_t excluded;     /* when it is skipped, being outside of the schedule's window; UNSET: it is not */
    guint place;           /* in the scheduler's agenda; 0: it is not in it */
    bool enabled;          /* of its own; it fires only where the task is enabled too */
    bool said;             /* enabled was set by a person, not by the definition */
    bool settling;         /* its next slots are being written down, */
    bool rereading;        /* or it is found out why the database does not take them */
    unsigned refused;      /* how often in a row it did not, and had come no further */
    bool under_way;        /* of one that follows runs: that which it fired last */
} ScheduleEntry;

/* -ENOTCONN: a daemon that never had its database does not know what is defined. Else there is what is found below. */
int manager_check_tasks(const Manager *m, Error *error);
/* NULL if there is none. */
const TaskEntry *manager_find_task(Manager *m, const char *name);
/* NULL if it has none of that name. */
const ScheduleEntry *manager_find_schedule(const TaskEntry *entry, const char *name);
/* It was expected to succeed by expect.missed, and has not. */
bool manager_task_is_overdue(const TaskEntry *entry);
uint64_t manager_n_overdue(const Manager *m);
/* Slots before it do not fire: of the schedule and its task the later; 0 is none. */
uint64_t manager_schedule_paused_until(const ScheduleEntry *s);
/* The next slot that is to fire; UNSET if there is none. */
uint64_t manager_schedule_next(const ScheduleEntry *s);
/* What has to happen before it has one, as a part of a sentence, g_free; NULL: nothing. */
char *manager_schedule_awaits(const ScheduleEntry *s);
/* In the order of names, those after `after` (NULL: from the first); of const TaskEntry*, container owned. */
GPtrArray *manager_list_tasks(Manager *m, const char *after, unsigned limit);
/* Adds or changes a definition kept in the database; answers its revision. */
int manager_apply_task(Manager *m, const Caller *caller, const char *name, const char *text, size_t length,
    ManagerNumberFn fn, void *userdata, Error *error);
int manager_delete_task(
    Manager *m, const Caller *caller, const char *name, ManagerDoneFn fn, void *userdata, Error *error);
/* object: "TASK" or "TASK/SCHEDULE". */
int manager_set_enabled(Manager *m, const Caller *caller, const char *object, bool enabled, ManagerDoneFn fn,
    void *userdata, Error *error);
/* No slot before until (real µs, to come) is fired; from then on it is as before, or earlier where it is enabled. */
int manager_pause(Manager *m, const Caller *caller, const char *object, uint64_t until, ManagerDoneFn fn,
    void *userdata, Error *error);
/* Skips one slot that is to come, or wants it to fire after all; as often as one likes. Once that is answered it holds, whatever
 * is killed. */
typedef struct ManagerByHand {
    const char *task, *schedule;
    uint64_t nominal; /* real µs */
    bool skip;
} ManagerByHand;

int manager_by_hand(Manager *m, const Caller *caller, const ManagerByHand *given, ManagerDoneFn fn,
    void *userdata, Error *error);
/* Reads the task directories again; answers when what was found is in force. Faults are logged, and named in
 * error with r -EINVAL while everything else is in force. */
int manager_reload(Manager *m, const Caller *caller, ManagerDoneFn fn, void *userdata, Error *error);
/* The system's time zone is another: schedules without one of their own follow it. */
void manager_zone_changed(Manager *m);
/* Judges a definition without keeping it; of a good one notes gets what is worth knowing about its schedules. */
int manager_verify(
    Manager *m, const char *name, const TaskSource *sources, size_t n, DiagList *diags, DiagList *notes);

/* --- calendars --- */

/* Of its files; tasks have what they need of it in their own sources. */
typedef struct CalendarEntry {
    char *name;
    GPtrArray *sources;     /* of TaskSource* */
    GString *faults;        /* while files are read; else NULL */
    AlmanacSet *set;        /* of it and what it includes; NULL until somebody looks */
    const Almanac *almanac; /* in there; NULL: it is not valid */
} CalendarEntry;

/* NULL if there is none. */
const CalendarEntry *manager_find_calendar(Manager *m, const char *name);
/* As manager_list_tasks(); of const CalendarEntry*. */
GPtrArray *manager_list_calendars(Manager *m, const char *after, unsigned limit);
/* By the system's time zone where it has none of its own. *ret_until: when that changes; USEC_INFINITY: that is not in
 * sight. */
bool manager_calendar_has(const CalendarEntry *e, uint64_t now, uint64_t *ret_until);
/* Judges a calendar's file, its drop-ins and the iCalendar files that they name, beside the other calendars in force. */
void manager_verify_calendar(
    Manager *m, const char *name, const TaskSource *sources, size_t n, DiagList *diags);
/* As task_read(), with the calendars in force. */
Task *manager_read_task(Manager *m, const char *name, const TaskSource *source, DiagList *diags);

/* --- the database --- */

/* fn is called whether or not the database answers; a negative errno: it will not be. */
int manager_get_database(Manager *m, StoreDatabaseFn fn, void *userdata);
/* Directory of the private database's cluster; NULL where the database is another. */
const char *manager_data_directory(const Manager *m);

/* Major versions of PostgreSQL on this host; 0 is none. */
typedef struct DatabaseServers {
    unsigned cluster; /* that made the private database, and alone can serve it */
    unsigned newest;  /* the newest that is installed */
    bool installed;   /* that of the cluster is */
} DatabaseServers;

/* r: 0, or a negative errno where it could not be found out. */
typedef void (*ManagerServersFn)(int r, const DatabaseServers *servers, void *userdata);
/* Found out by a helper process, since directories may lie on a file system that hangs. */
int manager_look_for_servers(Manager *m, ManagerServersFn fn, void *userdata);
/* Brings the private database to the newest server that is installed: a unit of its own does that, and the
 * database is away meanwhile. Answers when the service manager has taken the job. */
int manager_upgrade_database(Manager *m, ManagerDoneFn fn, void *userdata, Error *error);
/* The helper's side: argv is the cluster's directory. Exit status. */
int database_helper_main(int argc, char **argv);

/* --- audit --- */

/* Who asked for what, whether it was granted: written to the database, and to the journal. object holds no more than
 * names and numbers. */
void manager_audit(Manager *m, const Caller *caller, const char *method, const char *object, bool granted);
int manager_list_audit(Manager *m, const StoreAuditFilter *f, StoreAuditsFn fn, void *userdata, Error *error);
/* Removes old history now; answers how many runs went. */
int manager_vacuum(Manager *m, ManagerNumberFn fn, void *userdata, Error *error);
