/* What an expression of a calendar holds: checked, in its normal form, and as a set. */
#include <string.h>

#include "model/calendar-internal.h"

static const struct {
    const char *name, *unit;
    int first, last, width;
} calendar_fields[_CALENDAR_FIELD_MAX] = {
    [CALENDAR_YEAR] = { "year", "years", CALENDAR_YEAR_FIRST, CALENDAR_YEAR_LAST, 4 },
    [CALENDAR_MONTH] = { "month", "months", 1, 12, 2 },
    [CALENDAR_DAY] = { "day", "days", 1, 31, 2 },
    [CALENDAR_HOUR] = { "hour", "hours", 0, 23, 2 },
    [CALENDAR_MINUTE] = { "minute", "minutes", 0, 59, 2 },
    [CALENDAR_PART] = { "second", "seconds", 0, 60 * CALENDAR_SECOND - 1, 2 },
};

void calendar_expression_clear(CalendarExpression *e)
{
    ARRAY_FOREACH (field, e->fields)
        g_clear_pointer(field, g_array_unref);
}

void calendar_fault_clear(CalendarFault *f)
{
    g_clear_pointer(&f->message, g_free);
}

void calendar_fault_set(CalendarFault *f, const char *text, const char *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_free(f->message);
    f->message = g_strdup_vprintf(format, args);
    va_end(args);
    f->offset = 0;
    for (const char *p = text; p < at; p++)
        f->offset += ((unsigned char)*p & 0xc0) != 0x80;
}

/* --- what an expression may say --- */

static char *calendar_show_value(CalendarField field, int value)
{
    if (field != CALENDAR_PART)
        return g_strdup_printf("%d", value);
    if (value % CALENDAR_SECOND == 0)
        return g_strdup_printf("%d", value / CALENDAR_SECOND);
    return g_strdup_printf("%d.%06d", value / CALENDAR_SECOND, value % CALENDAR_SECOND);
}

static bool calendar_check_value(
    const CalendarRange *r, CalendarField field, int value, int last, const char *text, CalendarFault *fault)
{
    g_autofree char *shown = NULL, *most = NULL;

    if (value >= calendar_fields[field].first && value <= last)
        return true;
    shown = calendar_show_value(field, value);
    most = calendar_show_value(field, last);
    calendar_fault_set(fault, text, text + r->at, "%s %s is not from %d to %s%s", calendar_fields[field].name,
        shown, calendar_fields[field].first, most,
        last == calendar_fields[field].last ? "" : ", counted from the month's end");
    return false;
}

/* Nothing may be said that changes nothing: a step has to lead to a second value. last: what the field goes to. */
static bool calendar_check_range(
    const CalendarRange *r, CalendarField field, int last, const char *text, CalendarFault *fault)
{
    int first = calendar_fields[field].first;
    bool from_end = last != calendar_fields[field].last, once;

    if (!calendar_check_value(r, field, r->start, last, text, fault) ||
        (r->stop >= 0 && !calendar_check_value(r, field, r->stop, last, text, fault)))
        return false;
    if (r->stop >= 0 && r->stop < r->start) {
        calendar_fault_set(fault, text, text + r->at, "the range ends before it begins");
        return false;
    }
    once = r->step > last - first;
    if (!once && r->stop >= 0)
        once = r->start + r->step > r->stop;
    else if (!once)
        once = from_end ? r->start - r->step < first : r->start + r->step > last;
    if (once)
        calendar_fault_set(fault, text, text + r->at,
            "no second %s is reached by these steps: a single one is wanted", calendar_fields[field].name);
    return !once;
}

bool calendar_expression_check(const CalendarExpression *e, const char *text, CalendarFault *fault)
{
    for (CalendarField f = 0; f < _CALENDAR_FIELD_MAX; f++) {
        int last = calendar_fields[f].last;

        for (guint i = 0; e->fields[f] && i < e->fields[f]->len; i++) {
            /* The shortest month has 28 days; systemd takes 3 off again for each further value of a list. */
            if (f == CALENDAR_DAY && e->from_end)
                last -= 3;
            if (!calendar_check_range(&g_array_index(e->fields[f], CalendarRange, i), f, last, text, fault))
                return false;
        }
    }
    return true;
}

static gint calendar_compare_ranges(gconstpointer a, gconstpointer b)
{
    const CalendarRange *x = a, *y = b;

    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->stop != y->stop)
        return x->stop < y->stop ? -1 : 1;
    return x->step < y->step ? -1 : x->step > y->step;
}

/* Two digits are of 1970 to 2069. */
static int calendar_whole_year(int year)
{
    return year < 0 || year >= 100 ? year : year + (year < 70 ? 2000 : 1900);
}

static bool calendar_is_every_second(const CalendarRange *r)
{
    return r->start == 0 && r->stop < 0 && r->step == CALENDAR_SECOND;
}

/* Every second in a list: systemd hears nothing else then, were it a part of one. */
static void calendar_absorb_seconds(GArray *field)
{
    for (guint i = 0; i < field->len; i++) {
        CalendarRange r = g_array_index(field, CalendarRange, i);

        if (calendar_is_every_second(&r)) {
            g_array_set_size(field, 0);
            g_array_append_val(field, r);
            return;
        }
    }
}

static void calendar_normalize_field(GArray *field, bool year)
{
    guint kept = 0;

    for (guint i = 0; i < field->len; i++) {
        CalendarRange *r = &g_array_index(field, CalendarRange, i);

        if (year) {
            r->start = calendar_whole_year(r->start);
            r->stop = calendar_whole_year(r->stop);
        }
        if (r->stop > r->start && r->step > 0)
            r->stop -= (r->stop - r->start) % r->step;
        if (r->stop == r->start) { /* the steps lead nowhere */
            r->stop = -1;
            r->step = 0;
        }
    }
    g_array_sort(field, calendar_compare_ranges);
    for (guint i = 0; i < field->len; i++) {
        const CalendarRange *r = &g_array_index(field, CalendarRange, i);

        if (kept == 0 || calendar_compare_ranges(r, &g_array_index(field, CalendarRange, kept - 1)) != 0)
            g_array_index(field, CalendarRange, kept++) = *r;
    }
    g_array_set_size(field, kept);
}

void calendar_expression_normalize(CalendarExpression *e)
{
    if (e->weekdays == 0)
        e->weekdays = CALENDAR_ALL_WEEKDAYS;
    if (!e->fields[CALENDAR_DAY])
        e->from_end = false;
    for (CalendarField f = 0; f < _CALENDAR_FIELD_MAX; f++)
        if (e->fields[f])
            calendar_normalize_field(e->fields[f], f == CALENDAR_YEAR);
    if (e->fields[CALENDAR_PART])
        calendar_absorb_seconds(e->fields[CALENDAR_PART]);
}

/* --- its normal form --- */

static void calendar_format_weekdays(uint8_t weekdays, GString *s)
{
    for (int i = 0; i < 7; i++) {
        int end = i;

        if (!(weekdays >> i & 1))
            continue;
        while (end < 6 && weekdays >> (end + 1) & 1)
            end++;
        if (s->len > 0)
            g_string_append_c(s, ',');
        g_string_append(s, calendar_weekday_names[i].abbreviated);
        if (end > i)
            g_string_append_printf(
                s, "%s%s", end > i + 1 ? ".." : ",", calendar_weekday_names[end].abbreviated);
        i = end;
    }
    g_string_append_c(s, ' ');
}

static void calendar_format_value(int value, int width, bool part, GString *s)
{
    int unit = part ? CALENDAR_SECOND : 1;

    g_string_append_printf(s, "%0*d", width, value / unit);
    if (value % unit > 0)
        g_string_append_printf(s, ".%06d", value % unit);
}

static void calendar_format_field(const GArray *field, CalendarField f, GString *s)
{
    bool part = f == CALENDAR_PART;
    int unit = part ? CALENDAR_SECOND : 1;

    for (guint i = 0; field && i < field->len; i++) {
        const CalendarRange *r = &g_array_index(field, CalendarRange, i);

        if (part && calendar_is_every_second(r))
            break;
        if (i > 0)
            g_string_append_c(s, ',');
        calendar_format_value(r->start, calendar_fields[f].width, part, s);
        if (r->stop > 0) {
            g_string_append(s, "..");
            calendar_format_value(r->stop, calendar_fields[f].width, part, s);
        }
        if (r->step > 0 && !(r->stop > 0 && r->step == unit)) {
            g_string_append_c(s, '/');
            calendar_format_value(r->step, 1, part, s);
        }
        if (i + 1 == field->len)
            return;
    }
    g_string_append_c(s, '*');
}

void calendar_format_parts(const GArray *parts, GString *s)
{
    calendar_format_field(parts, CALENDAR_PART, s);
}

char *calendar_expression_format(const CalendarExpression *e)
{
    /* What stands behind each field. */
    static const char ends[_CALENDAR_FIELD_MAX + 1] = "-- ::";
    GString *s = g_string_new(NULL);

    if (e->weekdays != CALENDAR_ALL_WEEKDAYS)
        calendar_format_weekdays(e->weekdays, s);
    for (CalendarField f = 0; f < _CALENDAR_FIELD_MAX; f++) {
        calendar_format_field(e->fields[f], f, s);
        if (ends[f])
            g_string_append_c(s, f == CALENDAR_MONTH && e->from_end ? '~' : ends[f]);
    }
    if (e->zone)
        g_string_append_printf(s, " %s", e->zone->name);
    return g_string_free(s, FALSE);
}

/* --- what it means --- */

/* A bit for each value, times unit. */
static uint64_t calendar_bits(const GArray *field, CalendarField f, int unit)
{
    uint64_t bits = 0;

    for (guint i = 0; i < field->len; i++) {
        const CalendarRange *r = &g_array_index(field, CalendarRange, i);
        int stop = r->stop >= 0 ? r->stop : r->step > 0 ? calendar_fields[f].last : r->start;

        for (int v = r->start; v <= stop; v += MAX(r->step, 1))
            bits |= UINT64_C(1) << v / unit;
    }
    return bits;
}

/* Days from the end: without an end steps lead to the last day, from one they lead away from it. */
static uint32_t calendar_last_bits(const GArray *field)
{
    uint32_t bits = 0;

    for (guint i = 0; i < field->len; i++) {
        const CalendarRange *r = &g_array_index(field, CalendarRange, i);
        int from = r->stop >= 0 ? r->stop : r->start, to = r->stop >= 0  ? r->start
                                                           : r->step > 0 ? 1
                                                                         : r->start;

        for (int v = from; v >= to; v -= MAX(r->step, 1))
            bits |= UINT32_C(1) << v;
    }
    return bits;
}

static void calendar_compile_years(const GArray *field, Calendar *c)
{
    if (!field) {
        memset(c->years, 0xff, sizeof c->years);
        return;
    }
    for (guint i = 0; i < field->len; i++) {
        const CalendarRange *r = &g_array_index(field, CalendarRange, i);
        int stop = r->stop >= 0 ? r->stop : r->step > 0 ? CALENDAR_YEAR_LAST : r->start;

        for (int year = r->start; year <= stop; year += MAX(r->step, 1)) {
            unsigned n = (unsigned)(year - CALENDAR_YEAR_FIRST);

            c->years[n / 8] |= (uint8_t)(1 << n % 8);
        }
    }
}

static bool calendar_is_whole(const GArray *field)
{
    for (guint i = 0; i < field->len; i++) {
        const CalendarRange *r = &g_array_index(field, CalendarRange, i);

        if (r->start % CALENDAR_SECOND != 0 || r->step % CALENDAR_SECOND != 0)
            return false;
    }
    return true;
}

void calendar_expression_compile(const CalendarExpression *e, Calendar *ret)
{
    GArray *const *fields = e->fields;
    const GArray *days = fields[CALENDAR_DAY], *parts = fields[CALENDAR_PART];

    *ret = (Calendar){
        .weekdays = e->weekdays,
        .months = CALENDAR_ALL_MONTHS,
        .days = CALENDAR_ALL_DAYS,
        .hours = CALENDAR_ALL_HOURS,
        .minutes = CALENDAR_ALL_MINUTES,
        .seconds = CALENDAR_ALL_MINUTES,
    };
    calendar_compile_years(fields[CALENDAR_YEAR], ret);
    if (fields[CALENDAR_MONTH])
        ret->months = (uint16_t)calendar_bits(fields[CALENDAR_MONTH], CALENDAR_MONTH, 1);
    if (days) {
        ret->days = e->from_end ? 0 : (uint32_t)calendar_bits(days, CALENDAR_DAY, 1);
        ret->last = e->from_end ? calendar_last_bits(days) : 0;
    }
    if (fields[CALENDAR_HOUR])
        ret->hours = (uint32_t)calendar_bits(fields[CALENDAR_HOUR], CALENDAR_HOUR, 1);
    if (fields[CALENDAR_MINUTE])
        ret->minutes = calendar_bits(fields[CALENDAR_MINUTE], CALENDAR_MINUTE, 1);
    if (parts && calendar_is_whole(parts))
        ret->seconds = calendar_bits(parts, CALENDAR_PART, CALENDAR_SECOND);
    else if (parts)
        ret->parts = g_array_copy((GArray *)parts);
}
