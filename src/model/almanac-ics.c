/* Events of an iCalendar file (RFC 5545): when they are, and no more. */
#include <string.h>

#include "base/utf8.h"
#include "model/almanac.h"
#include "model/civil.h"
#include "model/words.h"

#define USEC             ((int64_t)USEC_PER_SEC)
#define ICS_EVENTS_MAX   10000
#define ICS_DATES_MAX    10000 /* of one event */
#define ICS_LENGTH_MAX   (INT64_C(366) * ALMANAC_DAY_USEC)
#define ICS_DEPTH_MAX    16u
#define ICS_DURATION_MAX INT64_C(1000000)

void almanac_event_free(AlmanacEvent *e)
{
    if (!e)
        return;
    recurrence_clear(&e->rule);
    g_array_unref(e->dates);
    g_array_unref(e->excluded);
    g_free(e);
}

/* --- when it is --- */

int64_t almanac_event_next(const AlmanacEvent *e, const Zone *zone, int64_t from)
{
    const Zone *own = e->zone ? e->zone : zone;
    int64_t next, found;

    for (;; from = next + 1) {
        next = calendar_next_listed(e->dates, from);
        if (e->recurs && (found = recurrence_next(&e->rule, from)) < next &&
            calendar_instant(found, own) <= recurrence_until(&e->rule))
            next = found;
        if (next == CALENDAR_NEVER || calendar_next_listed(e->excluded, next) != next)
            return next;
    }
}

/* --- lines --- */

typedef struct IcsReader {
    const char *file;
    DiagList *diags;
    Almanac *almanac;
    GPtrArray *open;     /* of char*: components that have not ended */
    AlmanacEvent *event; /* NULL: none is open, or it is not to be taken */
    bool begun;          /* a component was */
    bool has_start, has_end, dropped;
    int64_t end; /* DTEND; on the event's clock */
    unsigned line;
    const char *text; /* of the line, unfolded */
    char *name;       /* of its property, in capitals */
    const char *parameters, *value;
} IcsReader;

static void ics_fault(IcsReader *r, const char *at, const char *format, ...) _printf_(3, 4);

/* at: in text; where a line was folded the column counts on. */
static void ics_fault(IcsReader *r, const char *at, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    diag_add(r->diags, r->file, r->line, (unsigned)g_utf8_strlen(r->text, at - r->text) + 1, r->name, "%s",
        message);
}

/* NAME[;PARAMETER=VALUE]…:VALUE; a parameter may be in quotes, and have a colon there. */
static bool ics_split(IcsReader *r)
{
    const char *p = r->text + strcspn(r->text, ";:"), *begin = p;
    bool quoted = false;

    g_free(r->name);
    r->name = g_ascii_strup(r->text, p - r->text);
    for (; *p && (quoted || *p != ':'); p++)
        quoted ^= *p == '"';
    if (!*p || !*r->name) {
        ics_fault(r, r->text, "neither NAME:VALUE nor a part of the line before");
        return false;
    }
    r->parameters = begin;
    r->value = p + 1;
    return true;
}

/* ";NAME=VALUE", quotes taken off; NULL where there is none. */
static char *ics_parameter(const IcsReader *r, const char *name)
{
    size_t length = strlen(name);

    for (const char *p = r->parameters; *p == ';';) {
        const char *begin = p + 1, *equals = begin + strcspn(begin, "=:;"), *end;
        bool quoted = *equals == '=' && equals[1] == '"';

        if (*equals != '=')
            return NULL;
        end = equals + 1 + quoted;
        end += strcspn(end, quoted ? "\"" : ";:");
        if ((size_t)(equals - begin) == length && g_ascii_strncasecmp(begin, name, length) == 0)
            return g_strndup(equals + 1 + quoted, (gsize)(end - equals - 1 - quoted));
        p = end + (quoted && *end);
    }
    return NULL;
}

/* --- values --- */

static int ics_number(const char **p, unsigned digits)
{
    int n = 0;

    for (unsigned i = 0; i < digits; i++, (*p)++) {
        if (!g_ascii_isdigit(**p))
            return -1;
        n = n * 10 + (**p - '0');
    }
    return n;
}

/* 20261224 or 20261224T180000[Z], of which *p is moved to the end. */
static bool ics_read_time(const char **p, int64_t *ret, bool *ret_day, bool *ret_utc)
{
    int year = ics_number(p, 4), month = year < 0 ? -1 : ics_number(p, 2),
        day = month < 0 ? -1 : ics_number(p, 2);
    int hour = 0, minute = 0, second = 0;

    *ret_day = *ret_utc = false;
    if (year < CALENDAR_YEAR_FIRST || year > CALENDAR_YEAR_LAST || month < 1 || month > 12 || day < 1 ||
        day > civil_month_length(year, month))
        return false;
    *ret_day = **p != 'T';
    if (!*ret_day) {
        (*p)++;
        hour = ics_number(p, 2);
        minute = hour < 0 ? -1 : ics_number(p, 2);
        second = minute < 0 ? -1 : ics_number(p, 2);
        *ret_utc = **p == 'Z';
        *p += *ret_utc;
    }
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    *ret = civil_to_days(year, month, day) * ALMANAC_DAY_USEC +
           ((hour * INT64_C(60) + minute) * 60 + MIN(second, 59)) * USEC;
    return true;
}

static const Zone *ics_zone(const AlmanacEvent *e, const Almanac *a)
{
    return e->zone ? e->zone : a->zone ? a->zone : zone_local();
}

/* A property that names times, as the clock of the event shows them. */
typedef struct IcsTimes {
    const char *p;
    const Zone *zone; /* TZID=; NULL: none is named */
} IcsTimes;

static bool ics_begin_times(IcsReader *r, IcsTimes *t)
{
    g_autofree char *tzid = ics_parameter(r, "TZID"), *shown = NULL;

    *t = (IcsTimes){ r->value, NULL };
    if (!tzid || zone_find(tzid, &t->zone) >= 0)
        return true;
    shown = words_show(tzid);
    ics_fault(r, r->parameters, "TZID: %s is no time zone of this system, like 'Europe/Berlin'", shown);
    return false;
}

static bool ics_next_time(IcsReader *r, IcsTimes *t, int64_t *ret, bool *ret_day, const Zone **ret_zone)
{
    const char *begin = t->p;
    bool utc;

    if (!ics_read_time(&t->p, ret, ret_day, &utc) || (*t->p && *t->p != ',')) {
        ics_fault(r, begin, "a date from %d to %d is expected, like '20261224' or '20261224T180000Z'",
            CALENDAR_YEAR_FIRST, CALENDAR_YEAR_LAST);
        return false;
    }
    *ret_zone = utc ? zone_utc() : t->zone;
    return true;
}

static void ics_take_start(IcsReader *r)
{
    IcsTimes t;

    if (!ics_begin_times(r, &t) ||
        !ics_next_time(r, &t, &r->event->start, &r->event->whole_day, &r->event->zone))
        return;
    if (*t.p)
        ics_fault(r, t.p, "the end is expected behind one date");
    else if (r->has_start)
        ics_fault(r, r->text, "stands twice in this event");
    r->has_start = true;
}

/* What is written for another clock, as that of the event shows it. */
static bool ics_take_time(IcsReader *r, IcsTimes *t, int64_t *ret)
{
    const char *begin = t->p;
    const Zone *zone, *own = ics_zone(r->event, r->almanac);
    bool day;

    if (!ics_next_time(r, t, ret, &day, &zone))
        return false;
    if (!r->has_start || day != r->event->whole_day) {
        ics_fault(r, begin,
            r->has_start ? "is a day where DTSTART is a time, or the other way round"
                         : "DTSTART has to stand before it");
        return false;
    }
    if (!day && zone && zone != own)
        *ret = calendar_show(calendar_instant(*ret, zone), own);
    return true;
}

static void ics_take_end(IcsReader *r)
{
    IcsTimes t;

    if (!ics_begin_times(r, &t) || !ics_take_time(r, &t, &r->end))
        return;
    r->has_end = true;
    if (*t.p)
        ics_fault(r, t.p, "the end is expected behind one date");
    else if (r->end < r->event->start)
        ics_fault(r, r->value, "is before DTSTART");
}

static void ics_take_dates(IcsReader *r, GArray *into)
{
    int64_t at;
    IcsTimes t;

    if (!ics_begin_times(r, &t))
        return;
    while (ics_take_time(r, &t, &at)) {
        if (into->len >= ICS_DATES_MAX) {
            ics_fault(r, r->text, "an event has %d dates of this kind at most", ICS_DATES_MAX);
            return;
        }
        g_array_append_val(into, at);
        if (!*t.p)
            return;
        t.p++;
    }
}

static void ics_take_more(IcsReader *r)
{
    ics_take_dates(r, r->event->dates);
}

static void ics_take_excluded(IcsReader *r)
{
    ics_take_dates(r, r->event->excluded);
}

/* P1W, P2D, PT1H30M … */
static void ics_take_duration(IcsReader *r)
{
    static const struct {
        char unit;
        bool of_time;
        int64_t usec;
    } units[] = {
        { 'W', false, 7 * ALMANAC_DAY_USEC },
        { 'D', false, ALMANAC_DAY_USEC },
        { 'H', true, 3600 * USEC },
        { 'M', true, 60 * USEC },
        { 'S', true, USEC },
    };
    const char *p = r->value + (*r->value == '+');
    bool of_time = false, good = *p++ == 'P' && *p;
    int64_t length = 0;

    while (good && *p) {
        char *end;
        uint64_t n;

        if (*p == 'T' && !of_time) {
            of_time = true;
            p++;
        }
        n = g_ascii_strtoull(p, &end, 10);
        good = g_ascii_isdigit(*p) && n <= (uint64_t)ICS_DURATION_MAX;
        p = end;
        if (good) {
            good = false;
            ARRAY_FOREACH (u, units)
                if (u->unit == *p && u->of_time == of_time) {
                    length += (int64_t)n * u->usec;
                    good = length <= ICS_LENGTH_MAX * 2;
                }
            p++;
        }
    }
    if (!good)
        ics_fault(r, r->value, "a duration is expected, like 'P1D' or 'PT1H30M'");
    else if (!r->has_start)
        ics_fault(r, r->text, "DTSTART has to stand before it");
    else {
        r->has_end = true;
        r->end = r->event->start + length;
    }
}

static void ics_take_rule(IcsReader *r)
{
    g_auto(CalendarFault) fault = { 0 };

    if (r->event->recurs) {
        ics_fault(r, r->text, "stands twice in this event");
        return;
    }
    if (recurrence_parse(r->value, &r->event->rule, &fault) < 0)
        ics_fault(r, g_utf8_offset_to_pointer(r->value, fault.offset), "%s", fault.message);
    else
        r->event->recurs = true;
}

static void ics_take_status(IcsReader *r)
{
    r->dropped |= g_ascii_strcasecmp(r->value, "CANCELLED") == 0;
}

static void ics_refuse(IcsReader *r)
{
    ics_fault(r, r->text, "is not understood: one time of a series that was moved needs an event of its own");
}

/* --- components --- */

static void ics_begin(IcsReader *r)
{
    AlmanacEvent *e;

    if (r->open->len >= ICS_DEPTH_MAX) {
        ics_fault(r, r->text, "components are in each other %u times at most", ICS_DEPTH_MAX);
        return;
    }
    if (r->open->len == 0 && g_ascii_strcasecmp(r->value, "VCALENDAR") != 0)
        ics_fault(r, r->value, "'BEGIN:VCALENDAR' is expected first");
    g_ptr_array_add(r->open, g_strdup(r->value));
    r->begun = true;
    if (r->open->len != 2 || g_ascii_strcasecmp(r->value, "VEVENT") != 0)
        return;
    e = g_new0(AlmanacEvent, 1);
    e->dates = g_array_new(false, false, sizeof(int64_t));
    e->excluded = g_array_new(false, false, sizeof(int64_t));
    r->event = e;
    r->has_start = r->has_end = r->dropped = false;
}

static gint ics_compare(gconstpointer a, gconstpointer b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Its length, from DTEND or DURATION, or else what the standard says. False: there is none, or it takes no time. */
static bool ics_measure(IcsReader *r, AlmanacEvent *e)
{
    e->length = r->has_end ? r->end - e->start : e->whole_day ? ALMANAC_DAY_USEC : 0;
    if (!r->has_start)
        ics_fault(r, r->text, "the event that ends here has no DTSTART");
    else if (e->length > ICS_LENGTH_MAX)
        ics_fault(r, r->text, "the event that ends here lasts longer than a year");
    else
        return e->length > 0;
    return false;
}

static void ics_end_event(IcsReader *r)
{
    g_autoptr(AlmanacEvent) e = g_steal_pointer(&r->event);

    if (!ics_measure(r, e) || r->dropped)
        return;
    if (r->almanac->events->len >= ICS_EVENTS_MAX) {
        ics_fault(r, r->text, "a calendar has %d events at most", ICS_EVENTS_MAX);
        return;
    }
    if (e->recurs)
        recurrence_begin(&e->rule, e->start);
    g_array_append_val(e->dates, e->start);
    g_array_sort(e->dates, ics_compare);
    g_array_sort(e->excluded, ics_compare);
    g_ptr_array_add(r->almanac->events, g_steal_pointer(&e));
}

static void ics_end(IcsReader *r)
{
    const char *open = r->open->len > 0 ? g_ptr_array_index(r->open, r->open->len - 1) : NULL;

    if (!open || g_ascii_strcasecmp(open, r->value) != 0) {
        ics_fault(r, r->value, open ? "'END:%s' is expected first" : "%s'BEGIN:VCALENDAR' is expected first",
            util_strempty(open));
        return;
    }
    if (r->event && r->open->len == 2)
        ics_end_event(r);
    g_ptr_array_set_size(r->open, (gint)r->open->len - 1);
}

static const struct {
    const char *name;
    bool anywhere; /* else in an event alone */
    void (*take)(IcsReader *r);
} ics_properties[] = {
    { "BEGIN", true, ics_begin },
    { "END", true, ics_end },
    { "DTSTART", false, ics_take_start },
    { "DTEND", false, ics_take_end },
    { "DURATION", false, ics_take_duration },
    { "RRULE", false, ics_take_rule },
    { "RDATE", false, ics_take_more },
    { "EXDATE", false, ics_take_excluded },
    { "STATUS", false, ics_take_status },
    { "RECURRENCE-ID", false, ics_refuse },
};

static void ics_take_line(IcsReader *r)
{
    if (!*r->text || !ics_split(r))
        return;
    if (r->open->len == 0 && strcmp(r->name, "BEGIN") != 0 && strcmp(r->name, "END") != 0)
        ics_fault(r, r->text, "'BEGIN:VCALENDAR' is expected first");
    ARRAY_FOREACH (p, ics_properties)
        if (strcmp(p->name, r->name) == 0 && (p->anywhere || (r->event && r->open->len == 2)))
            p->take(r);
}

/* A line that begins with a space goes on with the one before it. */
static void ics_take_lines(IcsReader *r, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GString) whole = g_string_new(NULL);

    for (unsigned i = 0; lines[i] && !diag_list_full(r->diags); i++) {
        const char *next = lines[i + 1];

        g_string_append(whole, lines[i] + (whole->len > 0));
        if (whole->len > 0 && whole->str[whole->len - 1] == '\r')
            g_string_truncate(whole, whole->len - 1);
        if (next && (*next == ' ' || *next == '\t') && whole->len > 0)
            continue;
        r->text = whole->str;
        ics_take_line(r);
        g_string_truncate(whole, 0);
        if (next)
            r->line = i + 2;
    }
}

void almanac_read_events(Almanac *a, const TaskSource *source, DiagList *diags)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new_with_free_func(g_free);
    IcsReader r = { .file = source->path, .diags = diags, .almanac = a, .open = open, .line = 1, .text = "" };

    if (!utf8_is_valid_len(source->text, source->length, NULL) || memchr(source->text, 0, source->length)) {
        diag_add(diags, source->path, 0, 0, "", "an iCalendar file is UTF-8 text");
        return;
    }
    ics_take_lines(&r, source->text + (g_str_has_prefix(source->text, "\357\273\277") ? 3 : 0));
    if (open->len > 0 || !r.begun)
        diag_add(diags, source->path, r.line, 0, "", "'END:%s' is expected at the end",
            open->len > 0 ? (const char *)g_ptr_array_index(open, open->len - 1) : "VCALENDAR");
    almanac_event_free(r.event);
    g_free(r.name);
}
