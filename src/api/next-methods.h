/* ListNext; see request.h for what it returns. */
#pragma once

#include "api/request.h"

int next_methods_list(Request *q, Error *error);
