/* The daemon's face on the message bus: org.taskschedd1 with its one object. No decisions are made here but
 * who may ask for what; everything else is the manager's. */
#pragma once

#include "core/manager.h"

typedef struct Api Api;

/* ready is called each time the name has become ours, before the manager is given the bus. */
int api_new(sd_event *event, Clock *clock, bool user_scope, ClockFn ready, void *userdata, Api **ret);
/* Connects. The manager is borrowed; it is told of the bus by manager_set_bus(), and freed before the API. */
int api_start(Api *a, Manager *m, const char *node);
void api_free(Api *a);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Api, api_free)

/* What the manager's events are to be passed to; they go out together, once in an iteration of the loop. */
void api_state_changed(Api *a);
void api_run_changed(Api *a, uint64_t run, RunState state, RunResult result);
void api_task_changed(Api *a, const char *task);
void api_slots_skipped(Api *a, const StoreSkip *skip);
void api_task_overdue(Api *a, const char *task, bool overdue, uint64_t since, uint64_t expected);
