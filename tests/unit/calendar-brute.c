/* The slow way: it shares no arithmetic with what it judges. */
#include "calendar-brute.h"

#include <time.h>

static bool in_field(const GArray *field, int value)
{
    if (!field)
        return true;
    for (guint i = 0; i < field->len; i++) {
        const CalendarRange *r = &g_array_index(field, CalendarRange, i);

        if (value == r->start)
            return true;
        for (int v = r->start; r->step > 0 && v <= (r->stop >= 0 ? r->stop : value); v += r->step)
            if (v == value)
                return true;
    }
    return false;
}

static int length_of_month(const struct tm *tm)
{
    for (int day = 31;; day--) {
        struct tm t = { .tm_year = tm->tm_year, .tm_mon = tm->tm_mon, .tm_mday = day };

        if (timegm(&t) >= 0 && t.tm_mon == tm->tm_mon)
            return day;
    }
}

/* From the end steps lead towards it; with a range they lead away from its far end. */
static bool in_days(const CalendarExpression *e, const struct tm *tm)
{
    const GArray *days = e->fields[CALENDAR_DAY];
    int length = length_of_month(tm);

    if (!e->from_end || !days)
        return in_field(days, tm->tm_mday);
    for (guint i = 0; i < days->len; i++) {
        const CalendarRange *r = &g_array_index(days, CalendarRange, i);
        int first = length + 1 - (r->stop >= 0 ? r->stop : r->start);
        int last = r->stop >= 0 ? length + 1 - r->start : r->step > 0 ? length : first;

        for (int day = first; day <= last; day += MAX(r->step, 1))
            if (day == tm->tm_mday)
                return true;
    }
    return false;
}

static bool has_every_hour(const CalendarExpression *e)
{
    for (int hour = 0; hour < 24; hour++)
        if (!in_field(e->fields[CALENDAR_HOUR], hour))
            return false;
    return true;
}

static bool same_minute(const struct tm *a, const struct tm *b)
{
    return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
           a->tm_hour == b->tm_hour && a->tm_min == b->tm_min;
}

static bool shown_before(time_t minute, const struct tm *tm)
{
    for (time_t t = minute - 60; t > minute - 26 * 3600; t -= 60) {
        struct tm before;

        if (same_minute(localtime_r(&t, &before), tm))
            return true;
    }
    return false;
}

/* Of one minute, the first µs from `from` on; -1 if there is none. */
static int64_t part_of_minute(const GArray *field, int64_t from)
{
    int64_t best = -1;

    for (guint i = 0; i < field->len; i++) {
        const CalendarRange *r = &g_array_index(field, CalendarRange, i);
        int64_t stop = r->stop >= 0 ? r->stop : r->step > 0 ? 59999999 : r->start;

        for (int64_t v = r->start; v <= stop; v += MAX(r->step, 1))
            if (v >= from && (best < 0 || v < best))
                best = v;
    }
    return best;
}

int64_t calendar_brute(const CalendarExpression *e, uint64_t after_usec, unsigned days, uint64_t *ret_usec)
{
    int64_t from = (int64_t)after_usec + 1, minute_usec = INT64_C(60000000);
    time_t minute = (time_t)(from / minute_usec * 60), end = minute + (time_t)days * 86400;
    bool every = has_every_hour(e), utc = e->zone == zone_utc();

    for (; minute < end; minute += 60) {
        struct tm tm;
        int64_t part;

        if (utc)
            gmtime_r(&minute, &tm);
        else
            localtime_r(&minute, &tm);
        if (!in_field(e->fields[CALENDAR_YEAR], tm.tm_year + 1900) ||
            !in_field(e->fields[CALENDAR_MONTH], tm.tm_mon + 1) ||
            !in_field(e->fields[CALENDAR_HOUR], tm.tm_hour) ||
            !in_field(e->fields[CALENDAR_MINUTE], tm.tm_min) || !(e->weekdays >> (tm.tm_wday + 6) % 7 & 1) ||
            !in_days(e, &tm))
            continue;
        part = part_of_minute(e->fields[CALENDAR_PART], MAX(from - (int64_t)minute * 1000000, 0));
        if (part < 0 || (!every && !utc && shown_before(minute, &tm)))
            continue;
        *ret_usec = (uint64_t)minute * 1000000 + (uint64_t)part;
        return (int64_t)(*ret_usec / 1000000);
    }
    return INT64_MAX;
}
