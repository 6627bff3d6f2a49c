/* The next moment of a calendar on the local clock, and when that is. */
#include "model/calendar.h"

#include "model/civil.h"

#define USEC_PER_MINUTE ((int64_t)60 * 1000000)
#define USEC_PER_HOUR   (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY    (24 * USEC_PER_HOUR)

void calendar_clear(Calendar *c)
{
    g_clear_pointer(&c->parts, g_array_unref);
}

/* The first bit from `from` on, -1 if there is none. */
static int calendar_bit(uint64_t bits, int from)
{
    if (from > 63)
        return -1;
    bits &= ~UINT64_C(0) << from;
    return bits ? __builtin_ctzll(bits) : -1;
}

/* --- time of day, in µs --- */

/* Of one minute, from `from` on; -1 if there is none. */
static int64_t calendar_next_part(const GArray *parts, int64_t from)
{
    int64_t best = -1;

    for (guint i = 0; i < parts->len; i++) {
        const CalendarRange *r = &g_array_index(parts, CalendarRange, i);
        int64_t stop = r->stop >= 0 ? r->stop : USEC_PER_MINUTE - 1, at = r->start;

        if (at < from) {
            if (r->step == 0)
                continue;
            at += (from - at + r->step - 1) / r->step * r->step;
            if (at > stop)
                continue;
        }
        if (best < 0 || at < best)
            best = at;
    }
    return best;
}

static int64_t calendar_next_second(const Calendar *c, int64_t from)
{
    int second;

    if (c->parts)
        return calendar_next_part(c->parts, from);
    second = calendar_bit(c->seconds, (int)((from + (int64_t)USEC_PER_SEC - 1) / (int64_t)USEC_PER_SEC));
    return second >= 0 ? second * (int64_t)USEC_PER_SEC : -1;
}

uint64_t calendar_seconds(const Calendar *c)
{
    const int64_t second = (int64_t)USEC_PER_SEC;
    uint64_t bits = 0;

    if (!c->parts)
        return c->seconds;
    for (int64_t at = calendar_next_part(c->parts, 0); at >= 0;
         at = calendar_next_part(c->parts, (at / second + 1) * second))
        bits |= UINT64_C(1) << at / second;
    return bits;
}

uint64_t calendar_distance(const Calendar *c)
{
    int64_t least = USEC_PER_MINUTE, at, next;

    /* Whole seconds are a second apart; of parts no more is looked at than it takes to know that they are close. */
    if (!c->parts)
        return c->seconds & (c->seconds - 1) ? USEC_PER_SEC : (uint64_t)least;
    for (at = calendar_next_part(c->parts, 0); at >= 0 && least >= 100 * (int64_t)USEC_PER_MSEC; at = next) {
        next = calendar_next_part(c->parts, at + 1);
        if (next >= 0)
            least = MIN(least, next - at);
    }
    return (uint64_t)least;
}

/* -1 if there is none left of that day. */
static int64_t calendar_next_time(const Calendar *c, int64_t from)
{
    int hour = calendar_bit(c->hours, (int)(from / USEC_PER_HOUR)), minute;
    int64_t second;

    if (hour < 0)
        return -1;
    if (hour == from / USEC_PER_HOUR) {
        int first = (int)(from % USEC_PER_HOUR / USEC_PER_MINUTE);

        minute = calendar_bit(c->minutes, first);
        if (minute == first) {
            second = calendar_next_second(c, from % USEC_PER_MINUTE);
            if (second >= 0)
                return hour * USEC_PER_HOUR + minute * USEC_PER_MINUTE + second;
            minute = calendar_bit(c->minutes, first + 1);
        }
        if (minute < 0)
            hour = calendar_bit(c->hours, hour + 1);
        if (hour < 0)
            return -1;
    } else
        minute = -1;
    if (minute < 0)
        minute = calendar_bit(c->minutes, 0);
    return hour * USEC_PER_HOUR + minute * USEC_PER_MINUTE + calendar_next_second(c, 0);
}

/* --- days --- */

/* Bit d: is day d of a month one of these days of the week? first: that of day 1. */
static uint32_t calendar_weekday_days(uint8_t weekdays, int first)
{
    uint64_t week = (uint64_t)(weekdays >> first | weekdays << (7 - first)) & CALENDAR_ALL_WEEKDAYS;

    return (uint32_t)((week | week << 7 | week << 14 | week << 21 | week << 28) << 1);
}

/* The day from Monday to Friday that is nearest; 0 if there is no such day in the month. first: the weekday of its day 1. */
static int calendar_workday(int day, int length, int first)
{
    int weekday = (first + day - 1) % 7;

    if (day > length)
        return 0;
    if (weekday == 5)
        return day > 1 ? day - 1 : day + 2;
    if (weekday == 6)
        return day < length ? day + 1 : day - 2;
    return day;
}

static uint32_t calendar_workday_days(uint32_t workdays, int length, int first)
{
    int weekday = (first + length - 1) % 7;
    uint32_t days = workdays & 1 ? UINT32_C(1) << (length - MAX(weekday - 4, 0)) : 0;

    for (workdays &= ~UINT32_C(1); workdays; workdays &= workdays - 1)
        days |= UINT32_C(1) << calendar_workday(__builtin_ctz(workdays), length, first);
    return days;
}

static uint32_t calendar_nth_days(const uint8_t nth[6], int length, int first)
{
    uint32_t days = calendar_weekday_days(nth[0], first) & ~UINT32_C(0) << (length - 6);

    for (int n = 1; n <= 5; n++)
        if (nth[n])
            days |= calendar_weekday_days(nth[n], first) & UINT32_C(0x7f) << ((n - 1) * 7 + 1);
    return days;
}

/* Bit d: is day d of this month in the set? */
static uint32_t calendar_days(const Calendar *c, int year, int month)
{
    int length = civil_month_length(year, month), first = civil_weekday(civil_to_days(year, month, 1));
    uint32_t days = c->days, weekdays = calendar_weekday_days(c->weekdays, first);

    for (uint32_t last = c->last; last; last &= last - 1) {
        int n = __builtin_ctz(last);

        if (n <= length)
            days |= UINT32_C(1) << (length - n + 1);
    }
    if (c->workdays)
        days |= calendar_workday_days(c->workdays, length, first);
    weekdays |= calendar_nth_days(c->nth, length, first);
    days = c->either ? days | weekdays : days & weekdays;
    return days & (uint32_t)((UINT64_C(1) << (length + 1)) - 2);
}

static bool calendar_has_year(const Calendar *c, int year)
{
    unsigned i = (unsigned)(year - CALENDAR_YEAR_FIRST);

    return c->years[i / 8] >> i % 8 & 1;
}

/* The first day from `from` on, as a number; -1 if there is none. */
static int64_t calendar_next_day(const Calendar *c, CivilDate from)
{
    for (; from.year <= CALENDAR_YEAR_LAST; from = (CivilDate){ from.year + 1, 1, 1 }) {
        int month = from.month;

        if (!calendar_has_year(c, from.year))
            continue;
        for (month = calendar_bit(c->months, month); month > 0; month = calendar_bit(c->months, month + 1)) {
            uint32_t days = calendar_days(c, from.year, month);
            int day = calendar_bit(days, month == from.month ? from.day : 1);

            if (day > 0)
                return civil_to_days(from.year, month, day);
        }
    }
    return -1;
}

int64_t calendar_next_local(const Calendar *c, int64_t from)
{
    int64_t day, time, found;

    from = MAX(from, 0); /* its first year is the epoch's */
    day = from / USEC_PER_DAY;
    if (day >= civil_to_days(CALENDAR_YEAR_LAST + 1, 1, 1))
        return CALENDAR_NEVER;
    found = calendar_next_day(c, civil_from_days(day));
    if (found == day) {
        time = calendar_next_time(c, from % USEC_PER_DAY);
        if (time >= 0)
            return day * USEC_PER_DAY + time;
        found = calendar_next_day(c, civil_from_days(day + 1));
    }
    if (found < 0)
        return CALENDAR_NEVER;
    time = calendar_next_time(c, 0);
    return time < 0 ? CALENDAR_NEVER : found * USEC_PER_DAY + time;
}

/* --- on the clock of a zone --- */

/* A search in one span of a zone after the other. */
typedef struct CalendarSearch {
    CalendarMoments moments;
    const void *set;
    const Zone *zone;
    CalendarFold fold;
    guint span;
    int64_t beyond; /* no moment before this one on the local clock, as far as the last span goes to tell */
} CalendarSearch;

static int64_t calendar_to_local(const Zone *z, guint span, int64_t utc)
{
    return utc + z->spans[span].offset * (int64_t)USEC_PER_SEC;
}

static int64_t calendar_from_local(const Zone *z, guint span, int64_t local)
{
    return local - z->spans[span].offset * (int64_t)USEC_PER_SEC;
}

/* Ends of spans in µs; what is before the epoch or behind the last year need not be exact. */
static int64_t calendar_span_start(const Zone *z, guint span)
{
    return CLAMP(z->spans[span].start, -ZONE_SHIFT_MAX, INT64_C(1) << 40) * (int64_t)USEC_PER_SEC;
}

static int64_t calendar_span_end(const Zone *z, guint span)
{
    return CLAMP(zone_span_end(z, span), -ZONE_SHIFT_MAX, INT64_C(1) << 40) * (int64_t)USEC_PER_SEC;
}

/* Does the local clock show this in that span? */
static bool calendar_span_shows(const Zone *z, guint span, int64_t local)
{
    int64_t utc = calendar_from_local(z, span, local);

    return utc >= calendar_span_start(z, span) && utc < calendar_span_end(z, span);
}

/* How far around a span others can show the same. */
static bool calendar_is_near(const Zone *z, guint span, guint other)
{
    int64_t reach = 2 * ZONE_SHIFT_MAX * (int64_t)USEC_PER_SEC;

    return other < span ? calendar_span_end(z, other) + reach > calendar_span_start(z, span)
                        : calendar_span_start(z, other) - reach < calendar_span_end(z, span);
}

static bool calendar_shown_before(const Zone *z, guint span, int64_t local)
{
    for (guint i = span; i-- > 0 && calendar_is_near(z, span, i);)
        if (calendar_span_shows(z, i, local))
            return true;
    return false;
}

static bool calendar_shown_after(const Zone *z, guint span, int64_t local)
{
    for (guint i = span + 1; i < z->n && calendar_is_near(z, span, i); i++)
        if (calendar_span_shows(z, i, local))
            return true;
    return false;
}

/* Is there a moment that was jumped over when this span began? */
static bool calendar_jumped_over(const CalendarSearch *s)
{
    const Zone *z = s->zone;
    int64_t start = calendar_span_start(z, s->span), local, end = calendar_to_local(z, s->span, start);

    for (local = s->moments(s->set, calendar_to_local(z, s->span - 1, start)); local < end;
         local = s->moments(s->set, local + 1))
        if (!calendar_shown_before(z, s->span, local) && !calendar_shown_after(z, s->span, local))
            return true;
    return false;
}

/* The first moment of the span from this instant on, of those that count; USEC_INFINITY if there is none. */
static uint64_t calendar_search_span(CalendarSearch *s, int64_t from)
{
    const Zone *z = s->zone;
    int64_t end = calendar_span_end(z, s->span), first = calendar_to_local(z, s->span, from), local, utc;
    bool passed = false;

    for (local = first;; local++, passed = true) {
        local = s->moments(s->set, local);
        utc = local == CALENDAR_NEVER ? local : calendar_from_local(z, s->span, local);
        if (utc >= end) {
            /* The clock may be set back to before where the search began: what it shows then was not looked at. */
            bool whole = !passed && s->span + 1 < z->n && calendar_to_local(z, s->span + 1, end) >= first;

            s->beyond = whole ? local : 0;
            return USEC_INFINITY;
        }
        if ((s->fold == CALENDAR_FOLD_FIRST && calendar_shown_before(z, s->span, local)) ||
            (s->fold == CALENDAR_FOLD_LAST && calendar_shown_after(z, s->span, local)))
            continue;
        return (uint64_t)utc;
    }
}

/* The next span that can hold a moment: where there is none for years, not each of them. */
static guint calendar_search_further(const CalendarSearch *s)
{
    if (s->beyond == CALENDAR_NEVER)
        return s->zone->n;
    return MAX(s->span + 1, zone_span(s->zone, s->beyond / (int64_t)USEC_PER_SEC - ZONE_SHIFT_MAX));
}

uint64_t calendar_next_of(CalendarMoments moments, const void *set, bool every, const Zone *zone,
    CalendarGap gap, CalendarFold fold, uint64_t after)
{
    CalendarSearch s = { moments, set, zone, every ? CALENDAR_FOLD_BOTH : fold, 0, 0 };
    int64_t from;
    uint64_t found;

    if (after >= (uint64_t)civil_to_days(CALENDAR_YEAR_LAST + 2, 1, 1) * (uint64_t)USEC_PER_DAY)
        return USEC_INFINITY;
    from = (int64_t)after + 1;
    for (s.span = zone_span(zone, from / (int64_t)USEC_PER_SEC); s.span < zone->n;
         s.span = calendar_search_further(&s)) {
        int64_t start = calendar_span_start(zone, s.span);

        if (start >= from) {
            from = start;
            if (!every && gap == CALENDAR_GAP_NEXT &&
                zone->spans[s.span].offset > zone->spans[s.span - 1].offset && calendar_jumped_over(&s))
                return (uint64_t)start;
        }
        found = calendar_search_span(&s, from);
        if (found != USEC_INFINITY)
            return found;
    }
    return USEC_INFINITY;
}

int64_t calendar_moments(const void *calendar, int64_t from)
{
    return calendar_next_local(calendar, from);
}

uint64_t calendar_next(
    const Calendar *c, const Zone *zone, CalendarGap gap, CalendarFold fold, uint64_t after)
{
    return calendar_next_of(calendar_moments, c, c->hours == CALENDAR_ALL_HOURS, zone, gap, fold, after);
}

/* --- single moments --- */

static bool calendar_is_before(const void *moment, const void *from)
{
    return *(const int64_t *)moment < *(const int64_t *)from;
}

int64_t calendar_next_listed(const GArray *moments, int64_t from)
{
    guint i = util_lower_bound(moments, calendar_is_before, &from);

    return i < moments->len ? g_array_index(moments, int64_t, i) : CALENDAR_NEVER;
}

uint64_t calendar_instant(int64_t local, const Zone *zone)
{
    guint i = zone_span(zone, local / (int64_t)USEC_PER_SEC - ZONE_SHIFT_MAX);
    int64_t utc;

    /* The first span that does not end before it: it shows it, or begins behind it. */
    while (i + 1 < zone->n && calendar_from_local(zone, i, local) >= calendar_span_end(zone, i))
        i++;
    utc = MAX(calendar_from_local(zone, i, local), calendar_span_start(zone, i));
    return utc < 0 ? USEC_INFINITY : (uint64_t)utc;
}

int64_t calendar_show(uint64_t usec, const Zone *zone)
{
    int64_t utc = (int64_t)MIN(usec, (uint64_t)INT64_MAX / 2);

    return calendar_to_local(zone, zone_span(zone, utc / (int64_t)USEC_PER_SEC), utc);
}
