/* The audit, page by page; see request.h for what it returns. */
#pragma once

#include "api/request.h"

int audit_methods_list(Request *q, Error *error);
