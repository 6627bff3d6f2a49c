/* What the files of the engine share: engine.c (all attempts), attempt.c (one), start.c (how it starts),
 * finish.c (how it ends), evidence.c (what the journal says of it). */
#pragma once

#include "core/internal.h"
#include "model/attempt.h"

typedef struct Attempt {
    Engine *engine;
    StoreRun *run;
    StoreRun *next; /* of an orphan that is busy: the row that turned up for its name; NULL: none */
    Task *task;     /* NULL while it is looked up, and where its revision cannot be had */
    bool task_wanted;
    bool task_absent; /* its revision cannot be had: that is settled */
    char *unit;
    AttemptView view;
    UnitState *state; /* as last read, NULL before */
    /* The end as a signal told it, NULL before: all there is of a unit that somebody stopped. */
    UnitState *seen;
    bool store_busy, exec_busy;
    bool touched;          /* a unit of it, or files, may be there: it is to be released */
    bool asked;            /* its start was asked for, and what came of it is not known */
    bool made;             /* its unit was made by us: it did run, whatever the journal says */
    bool taken;            /* its name is that of somebody else's unit, which is not to be touched */
    bool removed;          /* the manager has let its unit go */
    bool absent;           /* its row is ours no more: it is forgotten, once nothing is under way for it */
    bool leaving;          /* handed back to the queue: nothing more is done here */
    uint64_t requeue_usec; /* and it is due again after this */
    bool suspect;          /* of a restored backup: it may have been executed since, under another claim */
    bool warned;           /* TimeoutWarning= */
    uint64_t killed_at; /* boot µs: its row's cause was first acted on; UNSET: not yet, or nobody remembers */
    char *status_text;

    /* the end, once view.phase is ATTEMPT_OVER */
    RunResult result;
    char *reason;
    char *output;
    int exit_code, exit_status;
    uint64_t started, finished; /* started: by the journal, where it had to be asked */
    unsigned unread;            /* times that the journal could not be read */

    ClockTimer *timer; /* one for all of these, CLOCK_BOOTTIME µs, UNSET: not wanted */
    uint64_t grace_at, poll_at, limit_at, warn_at, retry_at, hold_at;
    uint64_t expires_at; /* likewise: from then on it is not started any more */
    /* StopOutside=: real µs, when its window closes or is to be looked at again, and a timer for that; 0: not known; UNSET: never */
    uint64_t closes_at;
    ClockTimer *closing;
} Attempt;

struct Engine {
    Manager *manager;
    GHashTable *by_unit;       /* char* (the attempt's) → Attempt*, owned */
    GHashTable *by_run;        /* &run->id → Attempt*: the newest of a run */
    unsigned n_orphans;        /* of them, those without a row */
    uint64_t suspect;          /* of StoreLoaded, */
    uint64_t remembered_since; /* and this */
    unsigned n_ended;          /* since memory was given back */
    uint64_t full_until; /* boot µs: the manager had no room for another unit, and is not asked before that */
    uint64_t full_said;  /* likewise: until then it is not said again */
    GHashTable *foreign;  /* set of char*: units without a row that were reported, gone or not */
    bool listing;         /* an exec_list() is under way */
    GHashTable *released; /* set of char*: units that were let go since it was asked for */
    bool list_again;
    bool reconciled;     /* units and rows were compared since both came up */
    GPtrArray *evidence; /* Attempt names (char*) that wait for the journal's word */
    bool evidence_busy;
    ClockTimer *evidence_timer; /* gathers what is asked for in one iteration */
};

/* window.c. Why one is ended whose schedule says StopOutside=. */
#define WINDOW_CLOSED "the window of its schedule closed (StopOutside=)"
/* Its definition is known: whether its window has closed, and else when that is to be looked at. */
void attempt_watch_window(Attempt *a);
/* Its window is closed by then. */
bool attempt_closes_within(const Attempt *a, uint64_t usec);

/* engine.c. The attempt of that unit, NULL if there is none. */
Attempt *engine_find(Engine *e, const char *unit);
/* a was taken for the unit of nobody, and has a row now (taken over): it is looked at anew, as soon as nothing is under
 * way for it. a is gone then. */
void engine_take_row(Attempt *a, StoreRun *run, AttemptPhase phase);

/* attempt.c. run is taken over; the engine owns the attempt. */
Attempt *attempt_new(Engine *e, StoreRun *run, AttemptPhase phase);
/* How long it may still be started is counted from this instant on, by a clock that nobody sets. */
void attempt_set_expiry(Attempt *a, uint64_t real, uint64_t boot);
void attempt_free(Attempt *a);
/* Takes it out of the engine and frees it. */
void attempt_drop(Attempt *a);
/* Decides and does, on both sides; safe to call whenever anything changed. The attempt may be freed by it. */
void attempt_act(Attempt *a);
/* One answer about the unit: what is known of it, or (-ENOENT) that it is not there. To be followed by attempt_act(). */
void attempt_take_answer(Attempt *a, int r, const UnitState *u);
/* A unit whose command was lost in a reload is let go of, and started again under the same name. Such an end, told by that
 * name alone, may be of the first, whose program was not executed for want of a command, or of the other. */
bool attempt_may_have_lost_command(const Attempt *a, int code, int status);
/* Its unit, which this claim made, is there no more: what the last signal told of its process counts, else the journal. */
void attempt_take_gone(Attempt *a);
/* For one that a list would have decided on: its unit is looked at by itself, as soon as that may be. */
void attempt_look_later(Attempt *a);
/* True once it is settled whether the attempt's task can be had: how it ended is not judged before. */
bool attempt_has_task(Attempt *a);
void attempt_set_status(Attempt *a, const char *text);
/* Neither side is asked for anything for a second. */
void attempt_retry_later(Attempt *a);
/* What was read of its unit could not be taken in now: it is read once more, after a second. */
void attempt_look_again(Attempt *a);
/* Back to the queue, closed with reason; due again after in_usec. The attempt is dropped once that is committed. */
void attempt_requeue(Attempt *a, const char *reason, uint64_t in_usec);
/* A unit without a row: said once, however often the manager forgets it and tells of it anew. */
void attempt_report_orphan(const Attempt *a);
/* Claimed: what was restored from a backup is looked for before it is started. */
void attempt_begin(Attempt *a);
/* start.c */
void attempt_start(Attempt *a);
/* finish.c: the end is known: fills in result, reason, output and sets the phase to OVER. */
void attempt_finish_from_state(Attempt *a);
/* The unit is gone, but its last signals told how its process ended: somebody stopped it. */
void attempt_finish_from_signal(Attempt *a);
void attempt_finish(Attempt *a, RunResult result, const char *reason);
void attempt_finish_from_evidence(Attempt *a, const Evidence *e);
void attempt_record(Attempt *a);
/* When its run is done another may have its place, or comes after it: a claim is to be asked for. */
bool attempt_makes_way(const Attempt *a);
/* evidence.c */
void engine_want_evidence(Attempt *a);
