/* What the database is, for people; see request.h for what it returns. */
#pragma once

#include "api/request.h"

int database_info_get(Request *q, Error *error);
