/* The methods of the Manager object that are about definitions; see request.h for what they return. */
#pragma once

#include "api/request.h"

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
