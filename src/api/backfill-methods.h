/* Times that have passed, run after all; see request.h for what it returns. */
#pragma once

#include "api/request.h"

int backfill_methods_ask(Request *q, Error *error);
