/* The rule at the end of a zone's file, in the words of POSIX: it says what holds after the last change that the file
 * names. It is written out, two changes a year. */
#include <string.h>

#include "base/zone-internal.h"

#define ZONE_YEAR_FIRST 1970
#define ZONE_HOURS_MAX  167 /* of a change, before or after the day's beginning */
#define ZONE_OFFSET_MAX (25 * 3600)

typedef enum ZoneDayKind {
    ZONE_DAY_OF_WEEK,    /* M3.5.0 */
    ZONE_DAY_WITHOUT_29, /* J60: February 29 has no number */
    ZONE_DAY_FROM_0,     /* 59 */
} ZoneDayKind;

typedef struct ZoneDay {
    ZoneDayKind kind;
    int month, week, day; /* week 5 is the last; day: of the week from Sunday, or of the year */
    int seconds;          /* of the local clock before the change */
} ZoneDay;

typedef struct ZoneRule {
    int32_t standard, summer;
    bool changes;
    ZoneDay to_summer, to_standard;
} ZoneRule;

/* Letters, or anything between "<" and ">": nobody needs it. */
static bool zone_rule_skip_name(const char **p)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t n;

    if (**p == '<') {
        n = strspn(*p + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-");
        if (n < 3 || (*p)[n + 1] != '>')
            return false;
        *p += n + 2;
        return true;
    }
    n = strspn(*p, letters);
    *p += n;
    return n >= 3;
}

static bool zone_rule_number(const char **p, int max, int *ret)
{
    int n = 0;

    if (!g_ascii_isdigit(**p))
        return false;
    for (; g_ascii_isdigit(**p); (*p)++) {
        n = n * 10 + (**p - '0');
        if (n > max)
            return false;
    }
    *ret = n;
    return true;
}

/* [+-]H[:MM[:SS]] */
static bool zone_rule_seconds(const char **p, int *ret)
{
    int sign = **p == '-' ? -1 : 1, hours, minutes = 0, seconds = 0;

    if (**p == '-' || **p == '+')
        (*p)++;
    if (!zone_rule_number(p, ZONE_HOURS_MAX, &hours))
        return false;
    if (**p == ':') {
        (*p)++;
        if (!zone_rule_number(p, 59, &minutes))
            return false;
    }
    if (**p == ':') {
        (*p)++;
        if (!zone_rule_number(p, 59, &seconds))
            return false;
    }
    *ret = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

/* POSIX counts to the west. */
static bool zone_rule_offset(const char **p, int32_t *ret)
{
    int seconds;

    if (!zone_rule_seconds(p, &seconds) || ABS(seconds) > ZONE_OFFSET_MAX)
        return false;
    *ret = -seconds;
    return true;
}

static bool zone_rule_day(const char **p, ZoneDay *ret)
{
    *ret = (ZoneDay){ .kind = ZONE_DAY_FROM_0, .seconds = 2 * 3600 };
    if (*(*p)++ != ',')
        return false;
    if (**p == 'M') {
        ret->kind = ZONE_DAY_OF_WEEK;
        (*p)++;
        if (!zone_rule_number(p, 12, &ret->month) || ret->month < 1 || *(*p)++ != '.' ||
            !zone_rule_number(p, 5, &ret->week) || ret->week < 1 || *(*p)++ != '.' ||
            !zone_rule_number(p, 6, &ret->day))
            return false;
    } else if (**p == 'J') {
        ret->kind = ZONE_DAY_WITHOUT_29;
        (*p)++;
        if (!zone_rule_number(p, 365, &ret->day) || ret->day < 1)
            return false;
    } else if (!zone_rule_number(p, 365, &ret->day))
        return false;
    if (**p != '/')
        return true;
    (*p)++;
    return zone_rule_seconds(p, &ret->seconds);
}

static bool zone_rule_read(const char *p, ZoneRule *ret)
{
    *ret = (ZoneRule){ 0 };
    if (!zone_rule_skip_name(&p) || !zone_rule_offset(&p, &ret->standard))
        return false;
    if (!*p)
        return true;
    ret->changes = true;
    if (!zone_rule_skip_name(&p))
        return false;
    ret->summer = ret->standard + 3600;
    if (*p && *p != ',' && !zone_rule_offset(&p, &ret->summer))
        return false;
    return zone_rule_day(&p, &ret->to_summer) && zone_rule_day(&p, &ret->to_standard) && !*p;
}

static bool zone_rule_is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from the epoch to January 1. */
static int64_t zone_rule_year_start(int64_t year)
{
    int64_t y = year - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static int64_t zone_rule_day_of_week(const ZoneDay *d, int64_t year)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };
    bool leap = zone_rule_is_leap(year);
    int64_t first = zone_rule_year_start(year) + before[d->month - 1] + (leap && d->month > 2);
    int length = before[d->month] - before[d->month - 1] + (leap && d->month == 2);
    int weekday = (int)((first + 4) % 7); /* the epoch was a Thursday */
    int day = (d->day - weekday + 7) % 7 + (d->week - 1) * 7;

    return first + (day < length ? day : day - 7);
}

/* Seconds since the epoch, on the local clock before the change. */
static int64_t zone_rule_moment(const ZoneDay *d, int64_t year)
{
    int64_t day = 0;

    switch (d->kind) {
    case ZONE_DAY_OF_WEEK:
        day = zone_rule_day_of_week(d, year);
        break;
    case ZONE_DAY_WITHOUT_29:
        day = zone_rule_year_start(year) + d->day - 1 + (zone_rule_is_leap(year) && d->day > 59);
        break;
    case ZONE_DAY_FROM_0:
        day = zone_rule_year_start(year) + d->day;
        break;
    }
    return day * 86400 + d->seconds;
}

static gint zone_rule_compare(gconstpointer a, gconstpointer b)
{
    const ZoneSpan *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

int zone_rule_extend(const char *rule, int64_t from, GArray *spans)
{
    g_autoptr(GArray) changes = g_array_new(false, false, sizeof(ZoneSpan));
    ZoneRule r;

    if (!zone_rule_read(rule, &r))
        return -EINVAL;
    if (!r.changes) {
        zone_spans_add(spans, from, r.standard);
        return 0;
    }
    for (int64_t year = ZONE_YEAR_FIRST - 1; year <= ZONE_YEAR_END; year++) {
        ZoneSpan two[] = {
            { zone_rule_moment(&r.to_summer, year) - r.standard, r.summer },
            { zone_rule_moment(&r.to_standard, year) - r.summer, r.standard },
        };

        g_array_append_vals(changes, two, G_N_ELEMENTS(two));
    }
    g_array_sort(changes, zone_rule_compare);
    for (guint i = 0; i < changes->len; i++) {
        const ZoneSpan *s = &g_array_index(changes, ZoneSpan, i);

        if (s->start > from)
            zone_spans_add(spans, s->start, s->offset);
    }
    return 0;
}
