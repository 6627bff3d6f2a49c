/* Cron=: what crontabs say, as a calendar. */
#pragma once

#include "model/calendar-expression.h"

/* Five fields, six with seconds before them, or a word like "@daily". salt decides what "~" draws: the same one always
 * gives the same. -EINVAL with *fault filled; nothing is in *ret then. */
int cron_parse(const char *text, const char *salt, Calendar *ret, CalendarFault *fault);
/* The same in its shortest form, which reads as the same calendar again; only of what came from cron_parse(). g_free. */
char *cron_format(const Calendar *c);
