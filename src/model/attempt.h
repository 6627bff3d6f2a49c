/* What is to be done next for an attempt: a pure decision from what is known of it. Core does it through
 * store and exec, each of which has at most one operation of an attempt under way, and asks again after every
 * answer and every event. */
#pragma once

#include "model/run.h"

typedef enum AttemptPhase {
    ATTEMPT_FOUND,    /* unfinished after a restart, or seen with the manager: the list of units decides */
    ATTEMPT_CLAIMED,  /* committed as ours; its unit is to be made, or compared if the name is there */
    ATTEMPT_STARTED,  /* the unit is there */
    ATTEMPT_GONE,     /* the unit is not there, and we do not know why */
    ATTEMPT_OVER,     /* nothing of it runs any more; its end is known */
    ATTEMPT_RECORDED, /* the end is committed */
    ATTEMPT_RELEASED, /* the unit is gone too: nothing is left to do */
} AttemptPhase;

typedef struct AttemptView {
    AttemptPhase phase;
    RunState row;      /* the state in the database */
    RunResult cause;   /* committed cause of an end, NONE if there is none */
    bool orphan;       /* a unit with no unfinished row: released if its end was recorded, else left alone */
    bool unit_changed; /* the manager said that something changed since it was last read */
    bool main_over;    /* the main process has ended */
    bool leftover;     /* and others of its control group live on */
    bool deactivating; /* the manager is ending it, by itself or since somebody stopped it */
    bool timed_out;    /* over its limit by our own clock */
    bool closed;       /* the window that it may run in has closed */
    bool never_ran;    /* the manager lost its command line in a reload: nothing was executed */
    bool altered;      /* a drop-in changed what is the daemon's own */
    unsigned killed;   /* 0: no signal sent, 1: KillSignal=, 2: SIGKILL */
    bool grace_over;   /* the time between both has passed */
} AttemptView;

typedef enum AttemptStoreAction {
    ATTEMPT_STORE_NOTHING,
    ATTEMPT_STORE_RUNNING,
    ATTEMPT_STORE_STOPPING,
    ATTEMPT_STORE_END,
} AttemptStoreAction;

typedef enum AttemptExecAction {
    ATTEMPT_EXEC_NOTHING,
    ATTEMPT_EXEC_START,
    ATTEMPT_EXEC_READ,
    ATTEMPT_EXEC_EVIDENCE,
    ATTEMPT_EXEC_KILL,      /* KillSignal= */
    ATTEMPT_EXEC_KILL_HARD, /* SIGKILL */
    ATTEMPT_EXEC_RELEASE,
} AttemptExecAction;

AttemptStoreAction attempt_decide_store(const AttemptView *v);
AttemptExecAction attempt_decide_exec(const AttemptView *v);
