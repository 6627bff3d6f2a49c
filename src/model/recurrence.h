/* RRule=: recurrence rules of RFC 5545, in moments of a local clock. Pure.
 *
 * What a rule says of days is a bit for each day of a period (a year, a month, a week), and what it says of the time of day
 * a bit for each hour, minute and second. The period that an instant is in is computed and not walked to, so that
 * a rule is as quick a hundred years behind its start as on its first day. */
#pragma once

#include "model/calendar-expression.h"

#define RECURRENCE_COUNT_MAX    100000 /* they are counted once, when the rule gets its start */
#define RECURRENCE_INTERVAL_MAX 1000000000
#define RECURRENCE_NEVER        CALENDAR_NEVER

typedef enum RecurrenceFrequency {
    RECURRENCE_YEARLY,
    RECURRENCE_MONTHLY,
    RECURRENCE_WEEKLY,
    RECURRENCE_DAILY,
    RECURRENCE_HOURLY,
    RECURRENCE_MINUTELY,
    RECURRENCE_SECONDLY,
    _RECURRENCE_FREQUENCY_MAX,
} RecurrenceFrequency;

/* Parts of a rule, in the order that they are written in. */
typedef enum RecurrencePart {
    RECURRENCE_FREQ,
    RECURRENCE_INTERVAL,
    RECURRENCE_COUNT,
    RECURRENCE_UNTIL,
    RECURRENCE_WKST,
    RECURRENCE_BYMONTH,
    RECURRENCE_BYWEEKNO,
    RECURRENCE_BYYEARDAY,
    RECURRENCE_BYMONTHDAY,
    RECURRENCE_BYDAY,
    RECURRENCE_BYHOUR,
    RECURRENCE_BYMINUTE,
    RECURRENCE_BYSECOND,
    RECURRENCE_BYSETPOS,
    _RECURRENCE_PART_MAX,
} RecurrencePart;

typedef enum RecurrenceUntil {
    RECURRENCE_UNTIL_DAY, /* "20261231": to the end of that day */
    RECURRENCE_UNTIL_LOCAL,
    RECURRENCE_UNTIL_UTC,
} RecurrenceUntil;

typedef struct Recurrence {
    int64_t until;       /* as it is written, in seconds since 1970 of the clock that it speaks of */
    int64_t start;       /* in seconds of the local clock */
    int64_t last;        /* likewise: there is none behind it */
    int64_t first;       /* which year, month or week it begins in */
    uint64_t interval;   /* 1 where it is not written */
    uint64_t count;      /* 0: any number */
    uint64_t months;     /* bit 1 … 12 */
    uint64_t weeks;      /* bit 1 … 53 */
    uint64_t weeks_last; /* likewise: the last week of the year, the one before it … */
    uint64_t days;       /* bit 1 … 31 */
    uint64_t days_last;  /* likewise: the last day of the month … */
    uint64_t hours;      /* bit 0 … 23 */
    uint64_t minutes;    /* bit 0 … 59 */
    uint64_t seconds;    /* likewise */
    GArray *year_days;   /* of int, -366 … 366, ascending; NULL where it has no such part; owned */
    GArray *nth;         /* likewise: 7 × n + weekday, n from -53 to 53 */
    GArray *positions;   /* likewise: -366 … 366 */
    uint16_t parts;      /* bit RecurrencePart: it is written there */
    uint8_t weekdays;    /* bit 0 is Monday */
    uint8_t week_start;  /* 0 is Monday */
    RecurrenceFrequency frequency;
    RecurrenceUntil until_kind;
} Recurrence;

/* -EINVAL with *fault filled; nothing is in *ret then. What was read needs a start before it has moments. */
int recurrence_parse(const char *text, Recurrence *ret, CalendarFault *fault);
/* The same in its shortest form, whose parts stand in one order; reading that gives the same rule. g_free. */
char *recurrence_format(const Recurrence *r);
void recurrence_clear(Recurrence *r);

/* The first moment that it can have, in µs of the local clock: what the rule leaves open it takes from there. */
void recurrence_begin(Recurrence *r, int64_t start);
/* The first moment that is not before `from`, both in µs of the local clock. RECURRENCE_NEVER if there is none. */
int64_t recurrence_next(const Recurrence *r, int64_t from);
/* Is it in every hour of the clock, so that nothing is missed or doubled where that is set? */
bool recurrence_is_hourly(const Recurrence *r);
/* UNTIL= where it is given in UTC, in real µs; else USEC_INFINITY. */
uint64_t recurrence_until(const Recurrence *r);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Recurrence, recurrence_clear)
