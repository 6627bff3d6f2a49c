/* Twins of store and exec for tests of core: the same functions, with rows and units in memory. Nothing is done before
 * twin_step() does it, one operation at a time and in the order asked, so that a fault can be put at any of them. */
#pragma once

#include "exec/exec.h"
#include "store/store.h"

typedef enum TwinKind {
    TWIN_CLAIM,
    TWIN_RUNNING,
    TWIN_STOPPING,
    TWIN_END,
    TWIN_REQUEUE,
    TWIN_CANCEL,
    TWIN_ASK,
    TWIN_PASS,
    TWIN_REVISION,
    TWIN_START,
    TWIN_GET,
    TWIN_LIST,
    TWIN_KILL,
    TWIN_RELEASE,
    TWIN_START_UNIT,
    _TWIN_KIND_MAX,
} TwinKind;

typedef enum TwinFault {
    TWIN_FAULT_NONE,
    TWIN_FAULT_BEFORE, /* its side goes away before it is done */
    TWIN_FAULT_AFTER,  /* it is done, and its side goes away before the answer */
} TwinFault;

typedef struct TwinRow {
    StoreRun run;
    bool no_more;
    unsigned n_starts;   /* processes that were executed */
    unsigned n_recorded; /* ends that made it done */
    unsigned last_ended; /* number of the attempt whose end is recorded */
    char *ended[16];     /* tokens of ended or closed attempts */
} TwinRow;

typedef struct Twins {
    /* What the test says beforehand. */
    Clock *clock;
    char *task, *definition;
    TwinKind fault_at;
    TwinFault fault;
    TwinKind cancel_at; /* a cancel is committed just before the first of these; _TWIN_KIND_MAX: none */
    void (*cancel)(void);
    int exit_status;       /* of every process */
    const char *foreign;   /* token of a unit that is there before the first start */
    uint64_t revision;     /* of the task */
    uint64_t behind;       /* µs that the database's clock is behind ours */
    int start_answer;      /* an ExecStarted, if not that a unit is made */
    unsigned no_group;     /* times that the processes of a unit cannot be counted for want of a descriptor */
    unsigned no_output;    /* and its output not read */
    bool never_ran;        /* the first unit that is made loses its command, and nothing is executed */
    bool altered;          /* units are made with another time-out than was asked for */
    bool unkept;           /* and their directories go with them */
    bool no_revision;      /* definitions that are in force no more are not there either */
    bool end_while_listed; /* processes end after the units were listed, before the list is answered */
    int ask_answer;        /* of every slot */
    int unit_answer;       /* of the start of a unit that is no run's */

    /* What came of it. */
    GPtrArray *rows; /* of TwinRow* */
    GHashTable *units;
    GHashTable *started; /* set of names of units that had a process */
    uint64_t last_nominal;
    uint64_t due; /* of the slot that was asked for last */
    unsigned n_slots, n_passed, n_units;
    unsigned n_claims; /* that were asked for */
    bool faulted;
} Twins;

extern Twins twins;

void twins_reset(Clock *clock);
TwinRow *twins_add_run(void);
StoreRun *twins_copy_run(const TwinRow *w);
/* Does and answers the oldest operation; false if there is none. */
bool twins_step(void);
/* The unit of an attempt whose end is recorded, with a process yet: its row was made by another copy of the database. */
void twins_add_recorded(TwinRow *w);
/* A unit of somebody else under the name of that attempt. */
void twins_add_foreign(uint64_t run, unsigned attempt);
void twins_lose_store(void);
/* What went away is back. */
void twins_heal(void);
/* Processes that run come to their end. */
void twins_end_processes(void);
