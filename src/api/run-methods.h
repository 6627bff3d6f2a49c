/* The methods of the Manager object that are about runs; see request.h for what they return. */
#pragma once

#include "api/request.h"

int run_methods_run(Request *q, Error *error);
int run_methods_cancel(Request *q, Error *error);
int run_methods_kill(Request *q, Error *error);
int run_methods_retry(Request *q, Error *error);
int run_methods_get(Request *q, Error *error);
int run_methods_list(Request *q, Error *error);
int run_methods_vacuum(Request *q, Error *error);
