/* The methods of the Manager object that are about definitions; see request.h for what they return. */
#pragma once

#include "api/request.h"

/* NULL with *error: there is none, or it is not known what there is. */
const TaskEntry *task_methods_find(Request *q, const char *name, Error *error);
const ScheduleEntry *task_methods_find_schedule(Request *q, const char *task, const char *name, Error *error);
/* What a list is to be of: task and schedule, of which NULL is any. */
int task_methods_check(Request *q, const char *task, const char *schedule, Error *error);

int task_methods_get(Request *q, Error *error);
int task_methods_get_text(Request *q, Error *error);
int task_methods_get_schedule(Request *q, Error *error);
int task_methods_apply(Request *q, Error *error);
int task_methods_verify(Request *q, Error *error);
int task_methods_verify_calendar(Request *q, Error *error);
int task_methods_delete(Request *q, Error *error);
int task_methods_set_enabled(Request *q, Error *error);
int task_methods_pause(Request *q, Error *error);
int task_methods_reload(Request *q, Error *error);
