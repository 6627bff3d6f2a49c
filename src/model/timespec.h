/* systemd.time(7) spans and instants, shared by definitions, inputs and the command line. */
#pragma once

#include "base/zone.h"

/* "5min 20s", "1h", "infinity", a bare number is seconds; *ret in µs. -EINVAL, -ERANGE. */
int timespec_parse_span(const char *text, uint64_t *ret_usec);
/* "1h 30min", at most two units; g_free. */
char *timespec_format_span(uint64_t usec);
/* An instant: RFC 3339, "YYYY-MM-DD HH:MM[:SS[.ffffff]] [UTC|ZONE]", "HH:MM", "now", "today", "yesterday",
 * "tomorrow", "tomorrow 06:00", "+5min", "-1h", "5min ago", "@SECONDS[.fff]"; without zone the system's.
 * *ret real µs. -EINVAL; -ERANGE before the epoch or too far away. */
int timespec_parse_instant(const char *text, uint64_t now_usec, uint64_t *ret_usec);
/* An instant that means the same whenever it is read: one of the above with a date, or "@SECONDS". */
int timespec_parse_absolute(const char *text, uint64_t *ret_usec);
/* The same for somebody who has a zone, which counts where the text names none. Also as iCalendar writes it,
 * "20300131T060000Z". */
typedef struct TimespecMoment {
    uint64_t usec; /* real µs */
    int64_t
        local; /* what the clock of the zone shows then, in µs, counted as if that were UTC; as it is written where it
                       shows that never */
    bool whole_day; /* a date alone: its first moment */
    bool zoned;     /* it says by itself which instant it is */
} TimespecMoment;

int timespec_parse_moment(const char *text, const Zone *zone, TimespecMoment *ret);
/* A default expression: an instant word above, or today | week-start | month-start | year-start | now
 * followed by any number of signed spans ("month-start -1day"); calendar units (day, week, month, year) are
 * calendar steps in the system's zone. */
int timespec_eval(const char *text, uint64_t now_usec, uint64_t *ret_usec);
/* RFC 3339, UTC, microseconds: "2026-11-23T22:46:00.000000Z"; g_free. */
char *timespec_format_instant(uint64_t usec);
