/* The simulated world around a real core: one database, one service manager with its journal, one clock, some people,
 * and whatever may go wrong with them. Everything that happens is an event at an instant of the fake clock, drawn from
 * one seed: the same seed is the same story.
 *
 * The daemon is a Manager that is made and freed at will. What it holds in memory goes with it; what its twins of store
 * (store-twin.c, database.c) and exec (exec-twin.c, systemd.c) have written into the world stays. */
#pragma once

#include "core/manager.h"

#define SIM_TEXT 40

/* --- world.c: chance, the trace, events in time --- */

typedef struct Sim {
    uint64_t seed, chance;
    uint64_t hash;     /* of the trace so far */
    bool told;         /* print the trace */
    uint64_t seq;      /* of events */
    GPtrArray *events; /* a heap, of Event* */
    sd_event *loop;    /* never turned: the manager wants one */
    Clock *clock;
    uint64_t life; /* of the daemon: events of an earlier one do not happen */
    bool broken;   /* an invariant does not hold: the story ends */
    char *why;
    unsigned steps, timers, faults;
    uint64_t slow_until;     /* messages take long till then */
    uint64_t well_since;     /* the daemon works, and the host was awake */
    uint64_t latest;         /* real µs: what it said before it was set back */
    uint64_t database_ahead; /* µs that the server's clock is ahead of ours, as a signed number */
} Sim;

extern Sim sim;

void sim_reset(uint64_t seed);
void sim_clear(void);
/* Below n. */
uint64_t sim_draw(uint64_t n);
bool sim_chance(unsigned percent);
uint64_t sim_between(uint64_t low, uint64_t high);
/* How long a message is under way. */
uint64_t sim_latency(void);
uint64_t sim_now(void); /* boot µs */
uint64_t sim_real(void);
uint64_t sim_monotonic(void);
/* One line of the trace: what, and up to three numbers. */
void sim_trace(const char *what, uint64_t a, uint64_t b, uint64_t c);
/* The story is wrong; the first reason stays. */
void sim_fail(const char *format, ...) _printf_(1, 2);

typedef void (*SimFn)(void *data, uint64_t number);
/* fn at that boot instant; data is freed by the world where free is given and the event does not happen. */
void sim_at(uint64_t when, SimFn fn, void *data, uint64_t number);
/* Likewise, unless *generation is another number by then. */
void sim_at_if(
    uint64_t when, SimFn fn, void *data, uint64_t number, const uint64_t *generation, GDestroyNotify free);
/* The next thing that happens, or nothing: false where none is due before limit (boot µs). */
bool sim_step(uint64_t limit);

/* --- an attempt as it really was (check.c) --- */

/* What its process left in its file. */
typedef enum Output {
    OUTPUT_NONE,
    OUTPUT_LINES,
    OUTPUT_OBJECT,
    OUTPUT_LINK, /* which is not followed: what was successful is not, then */
} Output;

typedef struct Truth {
    uint64_t run;
    unsigned attempt;
    char token[SIM_TEXT];
    bool made;            /* its unit was */
    unsigned executed;    /* processes that came to be */
    bool alive;           /* the main one is */
    unsigned rest;        /* others in its control group */
    bool recorded;        /* its end is committed */
    RunResult record;     /* as what */
    bool claimed_by_dead; /* the manager that it was claimed under is gone */
    bool given_back;      /* or it is closed without one */
    bool destroyed;       /* something of the world took evidence of it away */
    bool cancelled_ok;    /* somebody who cancelled was told that it is */
    int code, status;     /* of the main process */
    const char *result;   /* systemd's word */
    uint64_t timeout;     /* in force, USEC_INFINITY is none */
    uint64_t started_boot, started, ended_boot, ended;
    bool refused; /* the service manager did not take what was asked for */
    Output output;
    bool output_refused; /* the database did not take its end: it may be recorded without its output */
} Truth;

/* --- database.c: the rows, and what each operation of the store does to them --- */

/* Of those that a task has. */
typedef enum Place {
    PLACE_NONE, /* it has any number */
    PLACE_WANTED,
    PLACE_HELD,
    PLACE_TAKEN,
} Place;

/* Of runs of times that had passed when somebody asked for them. */
typedef enum Chain {
    CHAIN_NONE,
    CHAIN_WAITS, /* for those before it */
    CHAIN_GOES,  /* or went */
} Chain;

typedef struct Row {
    StoreRun run; /* its strings are borrowed from here and from constants */
    char token[SIM_TEXT], invocation[SIM_TEXT], boot[SIM_TEXT], requester[SIM_TEXT], schedule[SIM_TEXT];
    char reason[2 * SIM_TEXT];
    bool no_more;
    bool began; /* an attempt was started, or ended in another way than by not being started */
    Place place;
    Chain chain;
    uint64_t late_since;    /* boot µs: its deadline has passed, and it waits; 0: not so */
    uint64_t outside_since; /* likewise: its window has closed, and it is under way */
    bool very_late;         /* it was decided long after its slot's time to ask for it */
    bool shared_name;  /* a unit of somebody else had the name of an attempt: the journal tells of both */
    unsigned n_done;   /* how often it became done */
    RunResult first;   /* cause of this attempt, as first committed */
    GPtrArray *truths; /* of Truth*, by attempt */
} Row;

typedef struct SlotRow {
    char schedule[2 * SIM_TEXT]; /* TASK/NAME */
    uint64_t first, last;
    uint64_t run;    /* 0: skipped */
    bool told;       /* as skipped */
    bool by_hand;    /* for that */
    bool backfilled; /* its run is none that it fired */
} SlotRow;

typedef struct TaskRow {
    const char *name, *origin;
    char node[SIM_TEXT];
    uint64_t revision;
    bool enabled, deleted;
    uint64_t paused_until, told_paused; /* as the daemon was told last */
    /* What is expected of it; UNSET is none. */
    uint64_t expect_since, expect_success, missed, missed_run;
    uint64_t told_missed;   /* what the daemon told of last as missed; 0: nothing */
    GPtrArray *definitions; /* of char*, by revision */
} TaskRow;

typedef struct ScheduleRow {
    char task[SIM_TEXT], name[SIM_TEXT];
    int enabled;
    uint64_t last_nominal, since, off_until, paused_until, told_paused, fired;
    char follows[SIM_TEXT]; /* "": it has times of its own */
    uint64_t ended, under_way;
    uint64_t last_fired;     /* slot; UNSET is none */
    char fired_in[SIM_TEXT]; /* the boot; "" is none */
    GArray *by_hand;         /* of ByHand; NULL is none */
    GArray *answered;        /* likewise: what people were told is skipped */
    GArray *ends;            /* of DbEnd, those of another task's runs that it is to follow */
    GArray *seen;            /* likewise: all that ever were */
} ScheduleRow;

/* An end that is a slot of its own. */
typedef struct DbEnd {
    uint64_t at, run;
} DbEnd;

struct DbOp;

typedef struct Database {
    GPtrArray *rows;      /* of Row*; id is the index + 1 */
    GPtrArray *tasks;     /* of TaskRow* */
    GPtrArray *schedules; /* of ScheduleRow* */
    GPtrArray *slots;     /* of SlotRow* */
    GHashTable *asks;     /* "REQUESTER\nTOKEN" → id */
    uint64_t epoch, fence;
    unsigned n_tokens;
    char boot[SIM_TEXT]; /* of the node */
    unsigned operations; /* that were ever asked for */
    unsigned in_vain;    /* claims in a row that found nothing */
} Database;

extern Database database;

void database_reset(void);
void database_clear(void);
uint64_t database_now(void); /* its own real µs */
Row *database_find(uint64_t run);
Truth *database_truth(uint64_t run, unsigned attempt, const char *token);
TaskRow *database_task(const char *name);
ScheduleRow *database_schedule(const char *task, const char *name);
/* database-by-hand.c: a schedule's list as text, NULL is none, g_free; whether what is to be skipped is so by hand as far as
 * it is said to be; and what OP_BY_HAND does. */
void schedule_row_free(void *row);
char *database_by_hand_text(const GArray *list);
bool database_is_by_hand(const ScheduleRow *s, const struct DbOp *op);
void database_apply_by_hand(struct DbOp *op);
/* follow.c: it follows runs; what it follows is what the operation says it is; it follows that task from now on ("" is none); that
 * run is over; and what OP_FOLLOWERS does. */
bool schedule_row_follows(const ScheduleRow *s);
bool schedule_row_boots(const ScheduleRow *s);
bool schedule_row_queues(const ScheduleRow *s);
bool database_follows(const ScheduleRow *s, const struct DbOp *op);
void database_set_follows(ScheduleRow *s, const char *task);
void database_follow(const Row *row);
void database_apply_followers(struct DbOp *op);
/* Of one whose slots are ends: a list of them as text, NULL is none, g_free; those with an outcome go; the run that ended then,
 * UNSET is none. */
char *database_ends_text(const ScheduleRow *s);
void database_pass_ends(ScheduleRow *s);
uint64_t database_end_run(const ScheduleRow *s, uint64_t at);
/* The node is taken in that boot. */
void database_boot(const char *boot);
/* database-backfill.c: what OP_BACKFILL does, and what a run that is over lets go. */
void database_apply_backfill(struct DbOp *op);
void database_backfill_over(const Row *row);
/* A run as the operation asks for it, without its token. */
Row *database_add(const struct DbOp *op);
/* MaxRuns= of the definition in force, or of one so many revisions before; UNSET: it has none. */
uint64_t database_max_runs(const ScheduleRow *s, unsigned before);
/* StartDeadline= of the definition in force, in µs; UNSET: it has none. */
uint64_t database_start_deadline(const char *task);
/* How long the definition in force may go without a success, in µs; UNSET: it says nothing of that. */
uint64_t database_expected(const char *task);
/* database-expect.c: what OP_MISSED does. */
void database_apply_missed(struct DbOp *op);
/* A run of it succeeded. */
void database_succeeded(const Row *row);
/* Everything as it stands; taking the node, in that boot, moves the epoch. */
void database_load(StoreLoaded *ret, const char *boot);
void database_unload(StoreLoaded *loaded);

/* A StoreSkip of a definition that ends. */
typedef struct DbSkip {
    char name[SIM_TEXT];
    uint64_t previous, first, last, count;
} DbSkip;

/* A StoreFollower. */
typedef struct DbFollower {
    char task[SIM_TEXT], name[SIM_TEXT];
    uint64_t ended, under_way;
    char *ends;
} DbFollower;

/* One operation between the daemon and the database. */
typedef struct DbOp {
    int kind; /* OpKind */
    uint64_t keys[2];
    void (*apply)(struct DbOp *op);
    void (*answer)(struct DbOp *op);
    void (*fn)(void);
    void *userdata;
    int r;

    uint64_t run, nominal, previous, first, count, since, off_until, paused_until, max_runs, due, in_usec,
        revision, grace, retry_of, finished, started, epoch, stamp, monotonic, deadline, places, ended;
    unsigned attempt, limit;
    int priority, enabled, overlap;
    char token[SIM_TEXT], task[SIM_TEXT], name[SIM_TEXT], invocation[SIM_TEXT], requester[SIM_TEXT],
        boot[SIM_TEXT];
    char reason[2 * SIM_TEXT];
    char *text;
    GPtrArray *names, *follows; /* of char* */
    GArray *followers;          /* of DbFollower */
    GArray *skips;              /* of DbSkip */
    GArray *times;              /* of StoreBackfilled */
    RunResult result, cause;
    RunState state;
    int code, status;
    bool again, killed, flag, dry, very_late, passes;
    uint64_t cause_at;
    StoreAsked asked;
    StoreCancelled cancelled;
    StoreByHandSlot slot;
    GPtrArray *runs;
    GArray *changes; /* of StoreChange */
} DbOp;

DbOp *db_op_new(int kind, void (*fn)(void), void *userdata);
void db_op_free(DbOp *op);
StoreRun *database_copy(const Row *row);
void database_set_done(Row *row, RunResult result);
void database_clear_cause(Row *row);
void database_set_cause(Row *row, RunResult cause);
/* A run of the task gave its place back: one that is held wants it. */
void database_release(const char *task);
/* There is no place for what is asked for, and it is not to wait: why; NULL: there is, or it may. */
const char *database_blocked(const DbOp *op);
/* claim.c: that of a claim. */
void database_claim(DbOp *op);
/* database-task.c: what is told of tasks and their schedules. */
GPtrArray *database_schedules_new(void);
StoreTask database_task_of(TaskRow *t);
void database_add_schedule(GPtrArray *schedules, ScheduleRow *s);
bool database_is_on(const ScheduleRow *s, uint64_t nominal);
void database_get_task(DbOp *op);
/* store-read.c */
void database_get_revision(DbOp *op);
void database_get_run(DbOp *op);
void database_answer_task(DbOp *op);
/* What the operations do, by kind. */
extern void (*const database_apply[])(DbOp *op);

/* --- store-twin.c: the daemon's end of the connection --- */

/* The connection goes: what is under way is committed or not. False: there was none. */
bool store_twin_lose(bool committed, bool unusable);
/* It goes before the next write of some kind is committed; or when that, or the next run that is given back, was committed and
 * not answered. */
void store_twin_lose_write(void);
void store_twin_lose_answer(void);
void store_twin_lose_given_back(void);
/* No connection is had before this boot instant. */
void store_twin_down_until(uint64_t when);
/* What is about a schedule and its task goes out with the next batch. */
int store_twin_send(DbOp *op);
/* The next write that reaches the database is refused by it. */
void store_twin_refuse(uint64_t run);
/* The next claim is. */
void store_twin_refuse_claim(void);
/* Another node tells that it has changed a task, or ended a run or wants it ended. */
void store_twin_tell_task(const char *task);
void store_twin_tell_run(uint64_t run);
extern bool store_twin_telling; /* just now: what is read is read for that */
bool store_twin_idle(void);
void store_twin_forget(void);

/* --- systemd.c: units, processes, the journal --- */

typedef enum Stage {
    STAGE_QUEUED, /* its start job waits */
    STAGE_RUNNING,
    STAGE_STOPPING,
    STAGE_EXITED,
    STAGE_FAILED,
} Stage;

/* What a process of a task does; written as the arguments of its command. */
typedef struct Behaviour {
    uint64_t usec; /* it lives so long; UNSET: until it is ended */
    int code, status;
    bool oom, stubborn, refused;
    unsigned rest; /* processes that it leaves behind */
    Output output;
} Behaviour;

typedef struct Unit {
    char name[48], token[SIM_TEXT], invocation[SIM_TEXT];
    uint64_t run;
    unsigned attempt;
    Stage stage;
    bool by_admin; /* it is being stopped by somebody */
    bool foreign;  /* nothing of ours made it */
    bool lost_command, exact;
    bool unconfirmed; /* its process is executed, and its start job not over */
    bool late_limit;  /* the manager's own limit does not come in time */
    bool altered;
    Truth *truth; /* NULL of a foreign one */
    Behaviour behaviour;
    const char *result;
    int code, status;
    uint64_t started, started_boot, exited, exited_boot, timeout, stop_usec, serial;
} Unit;

typedef struct Systemd {
    GHashTable *units;       /* name → Unit* */
    GPtrArray *journal;      /* of Line* */
    GHashTable *directories; /* of attempts that began to be executed, by unit, until these are released */
    uint64_t stamp;
    uint64_t
        whole_since; /* monotonic µs of this boot: the journal's beginning, or its last gap that it tells of */
    uint64_t gap;    /* or its last gap */
    bool shutting_down;
    bool full; /* it has as many units as it takes */
    bool helper_fails;
    unsigned n_invocations;
    uint64_t serial;
} Systemd;

extern Systemd systemd;

void systemd_reset(void);
void systemd_clear(void);
Unit *systemd_find(const char *name);
/* An ExecStarted, or -E2BIG. */
int systemd_start(const ExecStart *start, Unit **ret);
int systemd_kill(const char *name, bool main_only, int signal);
/* Lets go of it; true where it is gone at once. */
bool systemd_release(const char *name);
UnitState *systemd_read(const Unit *u);
/* What the journal says. */
void systemd_judge(const EvidenceQuery *q, Evidence *ret);
void systemd_stop_by_admin(Unit *u);
void systemd_reset_failed(Unit *u);
void systemd_plant_foreign(uint64_t run, unsigned attempt);
void systemd_reload(void);
/* All units go: the host (power: what is not synced goes too) or the user's manager. */
void systemd_reboot(bool power, bool host);
void systemd_lose_journal(void);
unsigned systemd_n_units(bool foreign);

/* --- exec-twin.c: the daemon's end of the bus --- */

/* False: there is no connection. */
bool exec_twin_lose(void);
void exec_twin_down_until(uint64_t when);
bool exec_twin_repeat(void); /* the last signals come again, and everything is to be read again; likewise */
/* From the service manager: a unit changed, or is gone. */
void exec_twin_changed(const Unit *u, bool states);
void exec_twin_removed(const char *name);
void exec_twin_resync(void);
/* A start's job is finished: r is an ExecStarted or an errno. */
void exec_twin_started(const char *name, int r);
void exec_twin_gone(const char *name);
void exec_twin_lose_start(void); /* the next start has no answer in time */
bool exec_twin_idle(void);
void exec_twin_forget(void);

/* --- check.c: what must hold --- */

void check_begin(void);
void check_executed(Truth *t);
void check_end(const Row *row, Truth *t, const DbOp *op);
void check_given_back(const Row *row, Truth *t);
void check_stopping(const Row *row, const Truth *t, const DbOp *op);
void check_start(uint64_t run);
void check_claimed(const Row *row);
/* It has a place, and may. */
void check_place(const Row *row);
void check_told_to_end(uint64_t run);
/* Another run is in its way. */
void check_overlap(const char *task, const Row *row);
/* It is said to be too late for it. */
void check_expired(const Row *row);
void check_released(const Unit *u);
void check_kept(const ScheduleRow *s);
/* first to last get their outcome now; count 0: they were not counted. */
void check_slots(const ScheduleRow *s, uint64_t first, uint64_t last, uint64_t count, bool fires);
/* first to last get their outcome now, as slots that somebody has skipped or for another reason. */
void check_by_hand(const ScheduleRow *s, uint64_t first, uint64_t last, bool by_hand);
/* Somebody is told that a slot is skipped. */
void check_skipped(const ScheduleRow *s, uint64_t nominal);
/* A run of a time that had passed is made: no other run has that time. */
/* No other run of its schedule has this number, which stands there in a StoreRun. */
void check_only(const Row *row, size_t offset, const char *what);
/* It holds, and has for so long while all was well. *begun is boot µs, 0: it does not hold. */
bool check_lasts(uint64_t *begun, bool holds, uint64_t usec);
void check_backfilled(const Row *row);
/* So many have fired with this one. */
void check_fired(const ScheduleRow *s);
/* The daemon asks for a slot that fires, or is skipped for that cause. */
void check_pause(const char *task, const char *schedule, uint64_t last, const char *cause);
void check_on(const ScheduleRow *s, uint64_t nominal);
/* Likewise, by when its run has to be started. */
void check_deadline(const char *task, uint64_t last, const char *cause);
/* Likewise, by the calendar. */
/* check-window.c */
bool window_is_open(uint64_t at);
void check_window(const char *task, uint64_t first, uint64_t last, const char *cause);
/* It is ended if it does not end by itself. */
bool window_ends(uint64_t run);
/* No run goes on for long where its window is closed. */
void check_outside(Row *row);
/* Its end is said to be for that reason. */
void check_cut(const Row *row, const char *reason);
/* It is said to be missed that it succeeds by then, by a daemon that was told of that pause when it said so; it is not expected any more, all being well; and what is told of that. */
void check_missed(const TaskRow *t, uint64_t missed, uint64_t told_paused);
void check_expected(const TaskRow *t);
void check_told_overdue(const char *task, bool overdue, uint64_t expected);
/* A slot fires that was very late when that was decided. */
void check_one_by_one(const ScheduleRow *s);
/* Its definition is another from that instant on. */
void check_closed(const ScheduleRow *s, uint64_t since);
/* follow.c: of schedules that follow runs. The next slot, UNSET: a run has to end first. */
uint64_t follow_next(const ScheduleRow *s);
bool follow_is_exact(const ScheduleRow *s);
void check_follows(const ScheduleRow *s, uint64_t nominal);
void check_followers(void);
/* Of those whose slots are ends: these get their outcome now, or pass without one; that run fires for one; all ends of it have
 * an outcome, but for those that are still to come; and so have all. */
void check_ends(const ScheduleRow *s, uint64_t first, uint64_t last, uint64_t count);
void check_passed(const ScheduleRow *s, uint64_t first, uint64_t last);
void check_after(const Row *row);
void check_began(const Row *row);
void check_ends_closed(const ScheduleRow *s);
void check_all_ends(void);
void check_every_event(void);
void check_told(uint64_t run, RunState state, RunResult result);
void check_told_skipped(const StoreSkip *skip);
void check_settled(void);

#define EVERY_USEC     (15 * USEC_PER_SEC) /* of the one schedule there is */
#define ONE_BY_ONE     "all"               /* the task whose slots are all caught up */
#define FEW            "few"               /* that which is bounded */
#define MAX_RUNS       "MaxRuns="
#define DEADLINE       "StartDeadline="
#define EXPECTED       "ExpectEvery="
#define WITHIN         "ExpectWithin="
#define WINDOW_SECONDS 30u
#define WINDOW_USEC    (WINDOW_SECONDS * USEC_PER_SEC)
#define WINDOWS_MAX    90u        /* of a day: none of them is open after that */
#define WINDOWED       "windowed" /* that whose slots fire in every other window, and whose runs end with it */

/* --- daemon.c: the daemon's life, and the people who ask it --- */

typedef struct Daemon {
    Manager *manager; /* NULL: it is not running */
    bool stopping;
    unsigned n_lives;
    uint64_t began; /* boot µs: this life of it */
    bool calm;      /* no faults any more, and nobody asks for anything new */
    bool well;      /* for some time now */
} Daemon;

extern Daemon daemon_twin;

void daemon_reset(void);
void daemon_clear(void);
void daemon_boot(void);
void daemon_crash(void);
/* As its unit is stopped and started again. */
void daemon_stop(void (*then)(void));
void people_begin(unsigned n_runs);
void people_cancel(uint64_t run);
/* By way of another node. */
void others_cancel(uint64_t run);
void people_kill(uint64_t run, int signal);
void people_retry(uint64_t run);
void people_change_task(void);
void people_skip(void);
void people_backfill(void);
void people_enable(void);
void people_calm(void);
bool people_are_calm(void);
/* Everybody has an answer. */
bool people_are_content(void);

/* --- faults.c --- */

/* Those that are made ready, and come when it comes to that. */
typedef enum Readied {
    READIED_NOT,
    READIED_LOST_WRITE,
    READIED_LOST_ANSWER,
    READIED_REFUSED_CLAIM,
    READIED_REFUSED_WRITE,
    READIED_REFUSED_START,
    READIED_NO_ROOM,
    READIED_LATE_START,
    READIED_NO_HELPER,
} Readied;

void faults_begin(void);
/* Perhaps one, at this step. */
void faults_maybe(void);
void faults_end(void);
/* It came: everybody has met it, or that run has (0: everybody). */
void faults_came(Readied what, uint64_t run);
/* The table of state × fault; false where a legal cell was hit too seldom. */
bool faults_report(unsigned least);

/* --- scenario.c: one story --- */

typedef struct Story {
    uint64_t hash;
    unsigned runs, faults, steps;
    char *why; /* NULL: all is well; g_free */
} Story;

Story scenario_run(uint64_t seed, bool told);
