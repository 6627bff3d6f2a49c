/* What becomes another where one definition takes the place of another. Pure. */
#pragma once

#include "model/by-hand.h"

/* So many slots of a schedule are looked at; where it has more until the end, the end is nearer. */
#define PLAN_SLOTS_MAX 1000000u

/* A key that is not what it was. */
typedef struct PlanKey {
    char *section; /* "Schedule default" for a bare [Schedule] */
    char *key;
    GPtrArray *before; /* of char*: the values as written, drop-ins last; none: the key is not there */
    GPtrArray *after;
} PlanKey;

/* A schedule that is not what it was. */
typedef struct PlanSchedule {
    char *name;
    uint64_t n_gained, n_lost;
    GArray *gained; /* of uint64_t, real µs, ascending: the first of them */
    GArray *lost;
    uint64_t until; /* slots were compared up to here, it included */
} PlanSchedule;

typedef struct PlanSpan {
    uint64_t after, until; /* real µs: later than the one, not later than the other */
    guint count;           /* so many gained, and so many lost, are kept of each schedule */
} PlanSpan;

/* What holds in the daemon, beside the definition, of a schedule. */
typedef struct PlanSwitch {
    bool enabled;
    uint64_t fired;        /* slots, as MaxRuns= counts them */
    uint64_t paused_until; /* real µs; 0: it is not */
    GArray *by_hand;       /* of ByHand, owned: single slots that are skipped; NULL: none */
} PlanSwitch;

void plan_switch_free(PlanSwitch *w);

/* And of its task. */
typedef struct PlanState {
    bool enabled;
    uint64_t paused_until;
    GHashTable *schedules; /* name → PlanSwitch*; NULL: there is none */
} PlanState;

/* Of PlanKey*, owned, in the order of after, then those that only before has. before may be NULL. */
GPtrArray *plan_keys(const Task *before, const Task *after);
/* Of PlanSchedule*, owned: those of which keys say something, and those that came or went. before may be NULL. */
GPtrArray *plan_schedules(const Task *before, const Task *after, const GPtrArray *keys,
    const PlanState *state, const PlanSpan *span);
