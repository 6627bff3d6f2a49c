/* What a plan says, for people and for programs. */
#pragma once

#include "ctl/ctl.h"
#include "ctl/plan.h"

typedef struct Plan {
    const char *file; /* borrowed */
    char *name;
    JsonObject *task;     /* GetTask of what is in force; NULL: nothing is */
    JsonArray *faults;    /* of the new definition: with any there is nothing below */
    bool same;            /* word for word */
    GPtrArray *keys;      /* of PlanKey */
    GPtrArray *schedules; /* of PlanSchedule */
} Plan;

void plan_clear(Plan *p);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Plan, plan_clear)

void plan_report(Ctl *ctl, const Plan *p);
