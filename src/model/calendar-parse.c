/* Expressions of calendars read: [WEEKDAYS] [[[YEAR-]MONTH-]DAY] [HOUR:MINUTE[:SECOND]] [ZONE], or a word. */
#include <limits.h>
#include <string.h>

#include "model/calendar-internal.h"
#include "model/words.h"

#define CALENDAR_RANGES_MAX 241 /* of one field, as in systemd */

const CalendarWeekday calendar_weekday_names[7] = {
    { "Monday", "Mon" },
    { "Tuesday", "Tue" },
    { "Wednesday", "Wed" },
    { "Thursday", "Thu" },
    { "Friday", "Fri" },
    { "Saturday", "Sat" },
    { "Sunday", "Sun" },
};

/* Words, and what they stand for. */
static const struct {
    const char *word, *meaning;
} calendar_words[] = {
    { "minutely", "*-*-* *:*:00" },
    { "hourly", "*-*-* *:00:00" },
    { "daily", "*-*-* 00:00:00" },
    { "weekly", "Mon *-*-* 00:00:00" },
    { "monthly", "*-*-01 00:00:00" },
    { "quarterly", "*-01,04,07,10-01 00:00:00" },
    { "biannually", "*-01,07-01 00:00:00" },
    { "bi-annually", "*-01,07-01 00:00:00" },
    { "semiannually", "*-01,07-01 00:00:00" },
    { "semi-annually", "*-01,07-01 00:00:00" },
    { "annually", "*-01-01 00:00:00" },
    { "anually", "*-01-01 00:00:00" }, /* misspelled, and systemd takes it */
    { "yearly", "*-01-01 00:00:00" },
};

typedef struct CalendarReader {
    const char *text; /* without the zone */
    const char *p;
    CalendarExpression *expression;
    CalendarFault *fault;
} CalendarReader;

static int calendar_refuse(CalendarReader *r, const char *at, const char *message)
{
    calendar_fault_set(r->fault, r->text, at, "%s", message);
    return -EINVAL;
}

/* --- numbers and ranges --- */

/* Digits; of seconds with a fraction, rounded to a µs. */
static int calendar_read_number(CalendarReader *r, bool part, int *ret)
{
    const char *begin = r->p;
    int64_t value = 0, scale = part ? CALENDAR_SECOND : 1;

    if (!g_ascii_isdigit(*r->p))
        return calendar_refuse(
            r, r->p, *r->p ? "a number is expected here" : "a number is expected at the end");
    for (; g_ascii_isdigit(*r->p); r->p++)
        value = MIN(value * 10 + (*r->p - '0'), INT64_C(1) << 31);
    value *= scale;
    if (part && r->p[0] == '.' && r->p[1] != '.') {
        r->p++;
        if (!g_ascii_isdigit(*r->p))
            return calendar_refuse(r, r->p, "digits are expected behind the point");
        while (g_ascii_isdigit(*r->p) && scale > 1) {
            scale /= 10;
            value += (*r->p++ - '0') * scale;
        }
        value += *r->p >= '5' && *r->p <= '9';
        r->p += strspn(r->p, "0123456789");
    }
    if (value > INT_MAX)
        return calendar_refuse(r, begin, "the number is too large");
    *ret = (int)value;
    return 0;
}

/* START[..STOP][/STEP] */
static int calendar_read_range(CalendarReader *r, bool part, CalendarRange *ret)
{
    const char *step;
    int e;

    *ret = (CalendarRange){ .stop = -1, .at = (unsigned)(r->p - r->text) };
    e = calendar_read_number(r, part, &ret->start);
    if (e < 0)
        return e;
    if (r->p[0] == '.' && r->p[1] == '.') {
        r->p += 2;
        e = calendar_read_number(r, part, &ret->stop);
        if (e < 0)
            return e;
        ret->step = part ? CALENDAR_SECOND : 1;
    }
    if (*r->p == '/') {
        step = ++r->p;
        e = calendar_read_number(r, part, &ret->step);
        if (e < 0)
            return e;
        if (ret->step == 0)
            return calendar_refuse(r, step, "a step has to be larger than 0");
    } else if (part && ret->stop >= 0 && ret->start > ret->stop - CALENDAR_SECOND)
        return calendar_refuse(
            r, r->text + ret->at, "a range of seconds has to be a second long, or needs a step");
    if (*r->p && !strchr(" ,-~:", *r->p))
        return calendar_refuse(
            r, r->p, "'..', '/', ',', '-', '~', ':' or the end is expected behind a number");
    return 0;
}

/* "*" or ranges with commas; *ret stays NULL for every value. */
static int calendar_read_field(CalendarReader *r, bool part, GArray **ret)
{
    g_autoptr(GArray) ranges = g_array_new(false, false, sizeof(CalendarRange));
    CalendarRange range = { .stop = -1, .step = CALENDAR_SECOND };
    int e;

    if (*r->p == '*') {
        r->p++;
        if (part) { /* every second, not every µs */
            g_array_append_val(ranges, range);
            *ret = g_steal_pointer(&ranges);
        }
        return 0;
    }
    for (;;) {
        const char *begin = r->p;

        e = calendar_read_range(r, part, &range);
        if (e < 0)
            return e;
        if (ranges->len >= CALENDAR_RANGES_MAX)
            return calendar_refuse(r, begin, "too many values for one field");
        g_array_append_val(ranges, range);
        if (*r->p != ',')
            break;
        r->p++;
    }
    *ret = g_steal_pointer(&ranges);
    return 0;
}

static void calendar_set_single(CalendarExpression *e, CalendarField f, int value)
{
    CalendarRange range = { .start = value, .stop = -1 };

    g_clear_pointer(&e->fields[f], g_array_unref);
    e->fields[f] = g_array_new(false, false, sizeof(CalendarRange));
    g_array_append_val(e->fields[f], range);
}

/* --- days of the week --- */

/* -1: there is none. */
static int calendar_take_weekday(CalendarReader *r)
{
    for (int i = 0; i < 7; i++) {
        const char *names[] = { calendar_weekday_names[i].whole, calendar_weekday_names[i].abbreviated };

        ARRAY_FOREACH (name, names) {
            size_t n = strlen(*name);

            if (g_ascii_strncasecmp(r->p, *name, n) == 0) {
                r->p += n;
                return i;
            }
        }
    }
    return -1;
}

static void calendar_skip_spaces(CalendarReader *r)
{
    r->p += strspn(r->p, " ");
}

/* What stands behind a day: a range, a list, or their end. *range: the day that a range begins with, -1: none. */
static int calendar_read_weekday_sign(CalendarReader *r, int day, int *range)
{
    bool dots = r->p[0] == '.' && r->p[1] == '.';

    if (*r->p == ',') {
        *range = -1;
        r->p++;
        return 0;
    }
    if (!dots && *r->p != '-')
        return calendar_refuse(r, r->p, "'..', ',' or a space is expected behind a day of the week");
    if (*range >= 0)
        return calendar_refuse(r, r->p, "a range of days has one beginning and one end");
    *range = day;
    r->p += dots ? 2 : 1;
    return 0;
}

static int calendar_read_weekdays(CalendarReader *r)
{
    int range = -1, day, e;

    for (bool first = true;; first = false) {
        const char *begin = r->p;

        day = calendar_take_weekday(r);
        if (day < 0)
            return first ? 0 : calendar_refuse(r, r->p, "a day of the week is expected here, like 'Mon'");
        if (range > day)
            return calendar_refuse(r, begin, "a range of days may not go beyond Sunday");
        for (int i = range >= 0 ? range : day; i <= day; i++)
            r->expression->weekdays |= (uint8_t)(1 << i);
        if (!*r->p || *r->p == ' ')
            break;
        e = calendar_read_weekday_sign(r, day, &range);
        if (e < 0)
            return e;
        if (!*r->p || *r->p == ' ') {
            if (range >= 0)
                return calendar_refuse(r, r->p, "the range of days has no end");
            break; /* a comma too many */
        }
    }
    calendar_skip_spaces(r);
    return 0;
}

/* --- date and time --- */

/* @SECONDS since the epoch: the numbers of strtoul(3), which takes spaces and a sign. */
static int calendar_read_epoch(CalendarReader *r)
{
    const char *begin = r->p++;
    g_autoptr(GDateTime) at = NULL;
    guint64 seconds;
    char *end;
    CalendarExpression *e = r->expression;

    errno = 0;
    seconds = g_ascii_strtoull(r->p, &end, 10);
    if (errno > 0 || end == r->p)
        return calendar_refuse(r, r->p, "seconds since 1970 are expected behind '@'");
    if (seconds <= INT64_MAX)
        at = g_date_time_new_from_unix_utc((gint64)seconds);
    if (!at || g_date_time_get_year(at) > CALENDAR_YEAR_LAST)
        return calendar_refuse(r, begin, "the time is not from 1970 to " G_STRINGIFY(CALENDAR_YEAR_LAST));
    calendar_set_single(e, CALENDAR_YEAR, g_date_time_get_year(at));
    calendar_set_single(e, CALENDAR_MONTH, g_date_time_get_month(at));
    calendar_set_single(e, CALENDAR_DAY, g_date_time_get_day_of_month(at));
    calendar_set_single(e, CALENDAR_HOUR, g_date_time_get_hour(at));
    calendar_set_single(e, CALENDAR_MINUTE, g_date_time_get_minute(at));
    calendar_set_single(e, CALENDAR_PART, g_date_time_get_second(at) * CALENDAR_SECOND);
    e->zone = zone_utc();
    r->p = end;
    return *end ? calendar_refuse(r, end, "nothing may stand behind seconds since 1970") : 0;
}

/* [[YEAR-]MONTH-]DAY, the last sign '~' to count days from the end. What turns out to be a time is left. */
static int calendar_read_date(CalendarReader *r)
{
    CalendarExpression *e = r->expression;
    GArray *parts[3] = { NULL };
    const char *begin = r->p;
    unsigned n = 0;
    int result;

    do {
        r->p += n > 0;
        result = calendar_read_field(r, false, &parts[n]);
        if (result >= 0 && n == 0 && (!*r->p || *r->p == ':')) {
            r->p = begin;
            g_clear_pointer(&parts[0], g_array_unref);
            return 0;
        }
        n++;
        if (result >= 0 && n == 1 && *r->p != '-' && *r->p != '~')
            result = calendar_refuse(r, r->p, "'-', '~' or ':' is expected behind the first number");
        else if (result >= 0 && e->from_end && *r->p && *r->p != ' ')
            result = calendar_refuse(r, r->p, "only the day may stand behind '~'");
        else if (result >= 0 && *r->p == '~')
            e->from_end = true;
    } while (result >= 0 && n < 3 && (*r->p == '-' || *r->p == '~'));
    if (result >= 0 && *r->p && *r->p != ' ')
        result = calendar_refuse(r, r->p, "a space or the end is expected behind a date");
    for (unsigned i = 0; i < n; i++)
        e->fields[CALENDAR_DAY + 1 - n + i] = parts[i];
    calendar_skip_spaces(r);
    return result;
}

/* HOUR:MINUTE[:SECOND]; nothing is midnight. */
static int calendar_read_time(CalendarReader *r)
{
    CalendarExpression *e = r->expression;
    int result;

    for (CalendarField f = CALENDAR_HOUR; f < _CALENDAR_FIELD_MAX; f++)
        calendar_set_single(e, f, 0);
    if (!*r->p)
        return 0;
    for (CalendarField f = CALENDAR_HOUR; f < _CALENDAR_FIELD_MAX; f++) {
        g_clear_pointer(&e->fields[f], g_array_unref);
        result = calendar_read_field(r, f == CALENDAR_PART, &e->fields[f]);
        if (result < 0)
            return result;
        if (!*r->p && f == CALENDAR_MINUTE)
            return 0;
        if (f < CALENDAR_PART && *r->p++ != ':')
            return calendar_refuse(
                r, r->p - 1, "':' is expected here: a time is HOUR:MINUTE or HOUR:MINUTE:SECOND");
    }
    return *r->p ? calendar_refuse(r, r->p, "the end is expected behind a time") : 0;
}

/* --- the whole --- */

static int calendar_read(CalendarReader *r)
{
    int e;

    if (!*r->text)
        return calendar_refuse(r, r->text, "an expression like 'Mon..Fri 02:30' is expected");
    ARRAY_FOREACH (w, calendar_words)
        if (g_ascii_strcasecmp(r->text, w->word) == 0) {
            r->text = r->p = w->meaning;
            break;
        }
    e = calendar_read_weekdays(r);
    if (e < 0)
        return e;
    if (*r->p == '@')
        return calendar_read_epoch(r);
    if (*r->p) {
        e = calendar_read_date(r);
        if (e < 0)
            return e;
    }
    return calendar_read_time(r);
}

/* The last word may be a zone. NULL: it is none; else where the expression ends. */
static const char *calendar_find_zone(const char *text, const Zone **ret, int *ret_error)
{
    const char *space = strrchr(text, ' ');

    *ret_error = 0;
    if (!space)
        return NULL;
    if (g_ascii_strcasecmp(space + 1, "UTC") == 0) {
        *ret = zone_utc();
        return space;
    }
    *ret_error = zone_find(space + 1, ret);
    return *ret_error < 0 ? NULL : space;
}

/* Letters at the end are nothing but a zone: where there is none of that name, this is the fault. */
static void calendar_blame_zone(const char *text, int error, CalendarFault *fault)
{
    const char *space = strrchr(text, ' ');
    g_autofree char *shown = NULL;

    if (!space || !g_ascii_isalpha(space[1]))
        return;
    shown = words_show(space + 1);
    if (error == -ENOTSUP)
        calendar_fault_set(fault, text, space + 1, "%s counts leap seconds, which no clock here does", shown);
    else
        calendar_fault_set(fault, text, space + 1,
            "%s is no time zone of this system, like 'Europe/Berlin' or 'UTC'", shown);
}

int calendar_expression_parse(const char *text, CalendarExpression *ret, CalendarFault *fault)
{
    g_auto(CalendarExpression) e = { 0 };
    g_autofree char *head = NULL;
    int zone_error, r;
    const char *end = calendar_find_zone(text, &e.zone, &zone_error);
    CalendarReader reader = { .expression = &e, .fault = fault };

    head = end ? g_strndup(text, (size_t)(end - text)) : g_strdup(text);
    reader.text = reader.p = head;
    r = calendar_read(&reader);
    if (r < 0) {
        if (zone_error < 0)
            calendar_blame_zone(text, zone_error, fault);
        return r;
    }
    calendar_expression_normalize(&e);
    if (!calendar_expression_check(&e, reader.text, fault))
        return -EINVAL;
    *ret = e;
    e = (CalendarExpression){ 0 };
    return 0;
}
