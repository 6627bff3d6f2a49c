/* Calendars: what is known of their files. */
#pragma once

#include "api/request.h"

int calendar_methods_list(Request *q, Error *error);
int calendar_methods_get(Request *q, Error *error);
