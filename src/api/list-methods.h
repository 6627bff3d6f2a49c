/* Pages of tasks and of schedules; see request.h for what they return. */
#pragma once

#include "api/request.h"

int list_methods_tasks(Request *q, Error *error);
int list_methods_schedules(Request *q, Error *error);
