/* The ledger, page by page; see request.h for what it returns. */
#pragma once

#include "api/request.h"

int slot_methods_list(Request *q, Error *error);
int slot_methods_skip(Request *q, Error *error);
int slot_methods_unskip(Request *q, Error *error);
