/* Calendars by brute force: every minute is looked at, with the C library's own local time. */
#pragma once

#include "model/calendar-expression.h"

/* The first second after `after` (in seconds since 1970; where from_usec is not 0, after that µs) at which the clock of
 * $TZ, or UTC, shows what the expression says; INT64_MAX if there is none within `days`. What it shows twice counts the
 * first time, unless the expression has every hour. Moments that it jumps over do not count. */
int64_t calendar_brute(const CalendarExpression *e, uint64_t after_usec, unsigned days, uint64_t *ret_usec);
