/* The methods of the Run object that answer a file descriptor; see request.h for what they return. */
#pragma once

#include "api/request.h"

int run_files_open_log(Request *q, Error *error);
int run_files_open_input(Request *q, Error *error);
int run_files_open_output(Request *q, Error *error);
