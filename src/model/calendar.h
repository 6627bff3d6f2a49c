/* Sets of moments on a local clock: what expressions of calendars mean once they are read. Pure.
 *
 * A moment belongs to the set when year, month, day and time of day do. A field is a bit for each of its values, so
 * that the next moment is found by looking at bits, whatever the expression looked like. */
#pragma once

#include "base/zone.h"

#define CALENDAR_YEAR_FIRST 1970
#define CALENDAR_YEAR_LAST  2199
#define CALENDAR_NEVER      INT64_MAX

#define CALENDAR_ALL_WEEKDAYS UINT8_C(0x7f)
#define CALENDAR_ALL_MONTHS   UINT16_C(0x1ffe)
#define CALENDAR_ALL_DAYS     UINT32_C(0xfffffffe)
#define CALENDAR_ALL_HOURS    UINT32_C(0xffffff)
#define CALENDAR_ALL_MINUTES  UINT64_C(0xfffffffffffffff)

/* Some values of one field: start, start + step … up to stop. */
typedef struct CalendarRange {
    int start;
    int stop;    /* -1: as far as the field goes */
    int step;    /* 0: start alone */
    unsigned at; /* where it stands in the text, in bytes */
} CalendarRange;

typedef struct Calendar {
    uint64_t minutes; /* bit 0 … 59 */
    uint64_t seconds; /* likewise */
    GArray
        *parts; /* of CalendarRange, in µs: in place of seconds where these are not whole; else NULL. Owned */
    uint32_t hours; /* bit 0 … 23 */
    uint32_t days;  /* bit 1 … 31 */
    uint32_t last;  /* bit 1 … 31: the last day of the month, the one before it … */
    uint32_t
        workdays; /* bit 1 … 31: the day from Monday to Friday that is nearest to that one, of the same month; bit 0:
                          the last of them */
    uint16_t months;  /* bit 1 … 12 */
    uint8_t weekdays; /* bit 0 is Monday */
    uint8_t nth[6];   /* likewise: the first of these in a month, the second …; [0]: the last */
    bool either; /* a day has to be one of days, last and workdays, or one of weekdays and nth; else both */
    uint8_t years[(CALENDAR_YEAR_LAST - CALENDAR_YEAR_FIRST) / 8 + 1];
} Calendar;

typedef enum CalendarGap {
    CALENDAR_GAP_NEXT, /* a moment that the clock jumps over: the instant of the jump stands for it */
    CALENDAR_GAP_SKIP, /* nothing does */
} CalendarGap;

typedef enum CalendarFold {
    CALENDAR_FOLD_FIRST, /* a moment that the clock shows twice: the first time counts */
    CALENDAR_FOLD_LAST,
    CALENDAR_FOLD_BOTH,
} CalendarFold;

/* The first moment of a set that is not before `from`, both in µs of the local clock, counted as if that were UTC.
 * CALENDAR_NEVER if there is none. */
typedef int64_t (*CalendarMoments)(const void *set, int64_t from);

/* Likewise of a list of them, of int64_t and in order. */
int64_t calendar_next_listed(const GArray *moments, int64_t from);

void calendar_clear(Calendar *c);
int64_t calendar_next_local(const Calendar *c, int64_t from);
/* The same as a CalendarMoments. */
int64_t calendar_moments(const void *calendar, int64_t from);
/* The seconds of a minute that have a moment, bit 0 … 59. */
uint64_t calendar_seconds(const Calendar *c);
/* How long it is at least from one moment of a minute to the next, in µs; a minute where there are none. */
uint64_t calendar_distance(const Calendar *c);
/* The first instant after `after` (real µs, exclusive) at which the clock of this zone shows a moment of the set.
 * USEC_INFINITY if there is none. gap and fold say what becomes of moments that it shows never or twice. They are for
 * calendars that name hours: one with every hour fires whenever the clock shows it, which is evenly. */
uint64_t calendar_next(
    const Calendar *c, const Zone *zone, CalendarGap gap, CalendarFold fold, uint64_t after);
/* The same of any set; every: it has a moment in every hour. */
uint64_t calendar_next_of(CalendarMoments moments, const void *set, bool every, const Zone *zone,
    CalendarGap gap, CalendarFold fold, uint64_t after);
/* When the clock of a zone shows this: for the first time, or, if it is jumped over, the moment of the jump.
 * USEC_INFINITY: before the epoch. */
uint64_t calendar_instant(int64_t local, const Zone *zone);
/* What the clock of a zone shows at an instant. */
int64_t calendar_show(uint64_t usec, const Zone *zone);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Calendar, calendar_clear)
