/* What the parts of core see of one another. Nothing outside this folder includes it. */
#pragma once

#include "core/manager.h"
#include "core/secrets.h"
#include "model/follow.h"

typedef struct Registry Registry;
typedef struct Engine Engine;
typedef struct Dispatcher Dispatcher;
typedef struct Scheduler Scheduler;
typedef struct Changes Changes;
typedef struct Loader Loader;
typedef struct History History;
typedef struct Calendars Calendars;
typedef struct Expect Expect;
typedef struct Rereads Rereads;

struct Manager {
    sd_event *event;
    Clock *clock;
    ManagerConfig config; /* strings owned */
    ManagerEvents events;
    void *userdata;

    Store *store;
    Exec *exec;
    Registry *registry;
    Engine *engine;
    Dispatcher *dispatcher;
    Scheduler *scheduler;
    Expect *expect;
    Changes *changes;
    Loader *loader;
    History *history;
    Calendars *calendars;
    Secrets *secrets;
    Rereads *rereads;

    char *data_directory;   /* of the private database; NULL where it is another */
    GList *looks;           /* helpers that look for database servers */
    char *boot_id;          /* of the kernel */
    uint64_t manager_stamp; /* of the service manager; 0 while it has not said */
    bool stamp_asked;
    bool store_started;
    ClockTimer *start_timer;

    ManagerState state;
    char *reason;
    bool store_up;    /* and what stands there is loaded */
    bool tasks_known; /* what is defined was loaded once, and is kept while the database is away */
    bool exec_up;     /* the service manager answers */
    bool files_loading;
    uint64_t reload; /* the number of the latest */
    struct Batch *reloading;
    GQueue reloads;    /* that were asked for meanwhile; see tasks.c */
    bool files_loaded; /* the task directories were read once */
    uint64_t n_waiting;
    uint64_t n_counted;      /* as it was when it was begun to be counted anew */
    ClockTimer *count_timer; /* where others claim as well that is done, a while after they did something */
    ClockTimer *stop_timer;
    uint64_t stop_until; /* boot µs */
    bool stop_heard;     /* what the service manager sent before we were asked to stop is read */
    ClockFn stop_fn;
    void *stop_userdata;
};

/* Tells the world, and nobody else does. */
void manager_run_changed(Manager *m, uint64_t run, RunState state, RunResult result);
void manager_task_changed(Manager *m, const char *task);
/* ledger.c: and the journal. */
void manager_slots_skipped(Manager *m, const StoreSkip *skip);
/* Something changed that State, Reason or whether work may go on depends on. */
void manager_update(Manager *m);
/* Claims and starts may be made now. */
bool manager_may_start(const Manager *m);

/* tasks.c: reloads that wait for their turn are answered -ECANCELED. */
void manager_cancel_reloads(Manager *m);

/* -ENOTCONN with a sentence while the database is away. */
int manager_check_store(const Manager *m, Error *error);

/* registry.c: the definitions in force, and old revisions that runs still refer to */
Registry *registry_new(Manager *m);
void registry_free(Registry *r);
/* Takes what the database has, of which this may be a part; the last brings the state STORE_UP, and what was in none of
 * them goes. Definitions that can no longer be parsed are logged and left out. */
void registry_load(Registry *r, StoreState state, const StoreLoaded *loaded);
/* Likewise one task of it. */
void registry_take(Registry *r, const StoreTask *row);
TaskEntry *registry_find(Registry *r, const char *name);
GPtrArray *registry_list(Registry *r, const char *after, unsigned limit);
/* Whose task it is. */
typedef struct TaskOwner {
    const char *origin, *path, *node; /* as of TaskEntry */
} TaskOwner;
/* Puts task (reference taken) in force as revision, at since (real µs; 0: it stood in the database). */
TaskEntry *registry_put(Registry *r, Task *task, const TaskOwner *owner, uint64_t revision, uint64_t since);
void registry_remove(Registry *r, const char *name);
/* Its file, if it is of one, is among those here: it is for this node to find that it is gone. */
bool registry_is_own(const Registry *r, const TaskEntry *entry);
/* Calls fn for each entry, in the order of names. */
typedef void (*RegistryFn)(TaskEntry *entry, void *userdata);
void registry_foreach(Registry *r, RegistryFn fn, void *userdata);
/* The task of a run. In force or cached: *ret at once and 1. Else 0, and fn is called later with it, or with
 * NULL where that revision cannot be had (r -ENOENT, -EINVAL) or the store went away (-ENOTCONN). */
typedef void (*RegistryTaskFn)(int r, Task *task, void *userdata);
int registry_get_revision(
    Registry *r, const char *name, uint64_t revision, Task **ret, RegistryTaskFn fn, void *userdata);

/* reread.c: a task is read anew from the database, with all that is said of it */
Rereads *rereads_new(void);
void rereads_free(Rereads *r);
void manager_reread_task(Manager *m, const char *task);

/* heard.c: what another node did; userdata is the manager */
void manager_heard(const StoreHeard *h, void *userdata);
/* The count timer's; userdata likewise. */
void manager_count_waiting(void *userdata);

/* changes.c: one change of a task after the other. */
typedef void (*ChangesFn)(void *userdata);
Changes *changes_new(void);
void changes_free(Changes *c);
/* True: it is its turn at once. False: fn is called when it is. */
bool changes_take(Changes *c, const char *task, ChangesFn fn, void *userdata);
/* It is answered; to be called once for each turn. */
void changes_give(Changes *c, const char *task);
/* Is one under way? */
bool changes_has(const Changes *c, const char *task);

/* calendars.c: those in force */
Calendars *calendars_new(void);
void calendars_free(Calendars *c);
typedef struct LoaderFile LoaderFile;
/* Files are read: each is given, and what was not is gone at the end. faults gets a line for each that is found. */
void calendars_begin(Calendars *c);
void calendars_take(Calendars *c, const LoaderFile *f);
void calendars_end(Calendars *c, GString *faults);
/* These sources, and those of all calendars, which are borrowed; the array is g_free's. */
TaskSource *calendars_join(const Calendars *c, const TaskSource *sources, size_t n, size_t *ret_n);
/* Are those that the task was read with still the same? */
bool calendars_are_same(const Calendars *c, const Task *task);

/* definition.c: a definition judged as a whole */
int definition_parse(const char *name, const TaskSource *sources, size_t n, const ManagerConfig *config,
    DiagList *diags, Task **ret);
/* What is worth knowing about a definition that is good: what changes of the clock do to it within a year from now. */
void definition_note(const Task *t, uint64_t now, DiagList *notes);
/* after.c: that, and what other tasks do to it. */
void after_note(Manager *m, const Task *t, DiagList *notes);
/* The input of a slot of this schedule. */
int definition_schedule_input(const Task *t, const Schedule *s, size_t limit, Input *ret, Error *error);

/* loader: the directories of calendars and tasks, read by a helper process (core/loader.h), a file at a time */
Loader *loader_new(Manager *m);
void loader_free(Loader *l);
struct LoaderFile {
    char *name;
    bool calendar;       /* of one, else of a task; these come first */
    GPtrArray *sources;  /* TaskSource* */
    GPtrArray *troubles; /* LoaderTrouble* */
};
/* A file of the definition that is there and cannot be read. */
typedef struct LoaderTrouble {
    char *path, *reason;
} LoaderTrouble;
/* A negative return value ends the reading, with that. */
typedef int (*LoaderFileFn)(const LoaderFile *file, void *userdata);
/* All were read, or r says why not. */
typedef void (*LoaderDoneFn)(int r, void *userdata);
/* One at a time; that which is under way is answered -ECANCELED by loader_free(). */
int loader_start(Loader *l, LoaderFileFn file, LoaderDoneFn done, void *userdata);
/* Reading pauses, or goes on, some files later. */
void loader_hold(Loader *l, bool hold);

/* database.c: what is installed to serve the private database */
void database_cancel_all(Manager *m);

/* engine.c: the attempts that this node owns */
Engine *engine_new(Manager *m);
void engine_free(Engine *e);
/* A run that was just claimed, which was asked for at that boot instant (a copy is not made: *run is taken and set to NULL). */
void engine_claimed(Engine *e, StoreRun **run, uint64_t asked);
/* What the database says is ours, after each time it came up; the runs are taken out of the array. */
void engine_load(Engine *e, const StoreLoaded *loaded);
/* The units the manager has are to be compared with what we own. */
void engine_resync(Engine *e);
/* Units and rows were compared since both sides came up: what is ours is known. */
bool engine_is_reconciled(const Engine *e);
/* A cancel of a claimed run is committed. */
void engine_cancelled(Engine *e, uint64_t run, uint64_t cause_at);
/* Everything is looked at again: the store or the manager came back. */
void engine_wake(Engine *e);
/* Units of that task's runs are read once more. */
void engine_look(Engine *e, const char *task);
/* A run of that task has ended, or may have, and that is not recorded yet. */
bool engine_awaits_end(const Engine *e, const char *task);
unsigned engine_n_attempts(const Engine *e);
unsigned engine_n_running(const Engine *e);
unsigned engine_n_unrecorded(const Engine *e);
/* The service manager was asked to start them, or their units are gone, and whether they began is not known yet. */
unsigned engine_n_in_doubt(const Engine *e);
/* Of those the service manager has told the end, and their units are being read. */
unsigned engine_n_ending(const Engine *e);
bool engine_has(const Engine *e, uint64_t run);
/* Ids of their runs, at most limit; owned. */
GArray *engine_list(Engine *e, unsigned limit);
void engine_live(Engine *e, uint64_t run, RunLive *ret);
/* -ENOENT: no unit of that run is here. */
int engine_kill(Engine *e, uint64_t run, int signal, ExecDoneFn fn, void *userdata);
void engine_unit_changed(Engine *e, const UnitState *seen);
void engine_unit_removed(Engine *e, const char *unit);
/* The zone of the system changed, and with it windows. */
void engine_zone_changed(Engine *e);

/* dispatcher.c: claims what is due */
Dispatcher *dispatcher_new(Manager *m);
void dispatcher_free(Dispatcher *d);
/* Something may be due from this instant on (real µs; UNSET: nothing known). */
void dispatcher_due(Dispatcher *d, uint64_t due);
/* A run that is due now is just being asked for, or one is over that another waits for: the claim stands behind that in the same
 * transaction. */
void dispatcher_asking(Dispatcher *d);
/* A run was asked for, which is due then. A claim that is under way came after it, and says what it left. */
void dispatcher_asked(Dispatcher *d, uint64_t due);
/* No run waits that has to be started before this instant, but for those known of (real µs; UNSET: none does). */
void dispatcher_deadline(Dispatcher *d, uint64_t deadline);
/* There may be room, or the store or the manager came back. */
void dispatcher_wake(Dispatcher *d);

/* agenda.c: what is to be done with schedules, soonest first */
typedef struct Agenda Agenda;
Agenda *agenda_new(void);
void agenda_free(Agenda *a);
/* It is to be looked at at this moment, and at no other; borrowed until it is removed. */
void agenda_put(Agenda *a, ScheduleEntry *se, uint64_t moment);
/* Nothing where it is not in it. */
void agenda_remove(Agenda *a, ScheduleEntry *se);
/* NULL: there is nothing to do. */
ScheduleEntry *agenda_first(const Agenda *a, uint64_t *ret_moment);

/* late.c: runs that were asked for after their time and are not done */
typedef struct Late Late;
Late *late_new(void);
void late_free(Late *l);
/* One that others may have to wait for is asked for; and the answer was taken in, of one that is late by late_add() before this. */
void late_ask(Late *l);
void late_answered(Late *l);
void late_add(Late *l, const char *task, const char *schedule, uint64_t run);
bool late_has(const Late *l, const char *task, const char *schedule);
/* "TASK/SCHEDULE" where that has none any more, g_free; else NULL. */
char *late_done(Late *l, uint64_t run);
/* Forgets all; those that had some, g_strfreev. */
char **late_clear(Late *l);

/* awake.c: since when slots are acted on without a break */
typedef struct Awake {
    uint64_t since;           /* real µs */
    uint64_t real, monotonic; /* µs, when that was last asked for */
} Awake;
/* There was a break up to now. */
void awake_begin(Awake *a, Clock *clock);
uint64_t awake_since(Awake *a, Clock *clock);

/* skips.c: what a definition that is changed or deleted at that instant leaves without an outcome: of StoreSkip, for the statement
 * that does it. entry may be NULL. */
GArray *skips_left(const TaskEntry *entry, uint64_t at);
/* They are in the ledger now, and the definition is still in force here. Ends may have come in (AfterTask=) that are not among
 * them: the database has given these their outcome itself; that is read, and told as well. before may be NULL. */
void skips_tell(Manager *m, const TaskEntry *before, const GArray *skips);

/* scheduler.c: the next slots behind one timer */
Scheduler *scheduler_new(Manager *m);
void scheduler_free(Scheduler *s);
/* The first slot without an outcome, be it in its window or not, and the schedule enabled or not; UNSET: there is none. */
uint64_t manager_schedule_slot(const ScheduleEntry *s);
/* Of these tasks, what was said of their schedules in the database; also forgets what was under way. */
void scheduler_load(Scheduler *s, const GPtrArray *tasks, const GPtrArray *schedules);
/* Of one task, that was read anew; what is being written down meanwhile goes on. */
void scheduler_take(Scheduler *s, const char *task, const GPtrArray *schedules);
/* It cannot be read. */
void scheduler_give_up(Scheduler *s, const char *task);
/* They are in the ledger, but for what had its outcome before; the definition is still in force here. */
void scheduler_skipped(Scheduler *s, const GArray *skips);
/* The database has come to last without this. */
void scheduler_passed(Scheduler *s, const char *task, const char *schedule, uint64_t last);
/* An entry is new, or, where since (real µs) is not 0, has another definition: its slots are computed anew, none before
 * since, those of skips having their outcome. */
void scheduler_put(Scheduler *s, TaskEntry *entry, uint64_t since, const GArray *skips);
/* backfill.c: whether others may wait for this run to be over, which is another's than a slot's */
bool run_is_backfilled(const StoreRun *run);

/* It is in the database. */
void scheduler_set_enabled(Scheduler *s, TaskEntry *entry, const StoreEnable *e);
/* It goes, and its schedules with it. */
void scheduler_forget(Scheduler *s, TaskEntry *entry);
/* In the database it is skipped by hand, by whom, or, where that is NULL, is not. */
void scheduler_set_by_hand(Scheduler *s, ScheduleEntry *se, uint64_t nominal, const char *whom);
void scheduler_wake(Scheduler *s);
/* What follows boots may have another one to follow. */
void scheduler_boot(Scheduler *s);
/* Runs that were asked for after their time and are not done: of StoreLateRun. */
void scheduler_load_late(Scheduler *s, const GArray *late);
/* What waits until it is done goes on, and what follows it. */
void scheduler_run_done(Scheduler *s, uint64_t run);
/* The system's time zone is another: every slot is computed anew. */
void scheduler_zone_changed(Scheduler *s);

/* expect.c: tasks that are expected to succeed every so often */
Expect *expect_new(Manager *m);
void expect_free(Expect *x);
/* Of these tasks, of StoreTask, what stands in the database; they and their schedules are in force. */
void expect_load(Expect *x, const GPtrArray *tasks);
/* Likewise of one, which was read again. */
void expect_reread(Expect *x, const StoreTask *row);
/* An entry is made, of a definition that comes after that of old (NULL: none), at since (0: the database told of it). To be
 * followed by expect_load() or expect_changed(). */
void expect_put(TaskEntry *entry, const TaskEntry *old, uint64_t since);
/* Of the task or its schedules something is another. */
void expect_changed(Expect *x, TaskEntry *entry);
/* Likewise; it was enabled at that instant, UNSET: it was not. */
void expect_enabled(Expect *x, TaskEntry *entry, uint64_t at);
/* It goes. */
void expect_forget(Expect *x, TaskEntry *entry);
/* The end of a run of it is recorded, real µs (UNSET: just now). */
void expect_ended(Expect *x, const char *task, bool success, uint64_t finished);
/* Work begins. */
void expect_begin(Expect *x);
/* What was to be known first may be known now. */
void expect_wake(Expect *x);
void expect_zone_changed(Expect *x);

/* history.c: what is beyond the limits is removed, once a day */
History *history_new(Manager *m);
void history_free(History *h);
/* The store is up. */
void history_wake(History *h);
