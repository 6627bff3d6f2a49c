/* Named calendars: faults, minutes within by brute force, events of iCalendar files, and what becomes of the slots of a schedule
 * that names them. */
#include <stdlib.h>
#include <string.h>

#include "model/almanac.h"
#include "model/civil.h"
#include "model/schedule.h"
#include "model/slots.h"
#include "model/timespec.h"

#define SEC  USEC_PER_SEC
#define MIN_ (60 * SEC)
#define DAY  (24 * 3600 * SEC)

static unsigned seed(void)
{
    const char *given = g_getenv("TASKSCHEDD_SEED");

    return given ? (unsigned)strtoul(given, NULL, 10) : 5;
}

static uint64_t at(const char *text)
{
    uint64_t usec = 0;

    g_assert_cmpint(timespec_parse_absolute(text, &usec), >=, 0);
    return usec;
}

static const Zone *zone_of(const char *name)
{
    const Zone *zone = NULL;

    g_assert_cmpint(zone_find(name, &zone), >=, 0);
    return zone;
}

/* --- sources --- */

typedef struct Sources {
    TaskSource list[16];
    size_t n;
} Sources;

static void sources_clear(Sources *s)
{
    for (size_t i = 0; i < s->n; i++) {
        g_free(s->list[i].path);
        g_free(s->list[i].text);
        g_free(s->list[i].calendar);
    }
    s->n = 0;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sources, sources_clear)

static void sources_add(Sources *s, const char *path, const char *calendar, const char *text)
{
    g_assert_cmpuint(s->n, <, G_N_ELEMENTS(s->list));
    s->list[s->n++] = (TaskSource){ g_strdup(path), g_strdup(text), strlen(text), g_strdup(calendar) };
}

static void sources_add_calendar(Sources *s, const char *name, const char *text)
{
    g_autofree char *path = g_strconcat("/c/", name, ".calendar", NULL);

    sources_add(s, path, name, text);
}

static AlmanacSet *sources_set(const Sources *s)
{
    AlmanacSet *set = almanac_set_new();

    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].calendar)
            almanac_set_add(set, &s->list[i]);
    return set;
}

static const Almanac *good(AlmanacSet *set, const char *name)
{
    g_autoptr(GPtrArray) diags = diag_list_new();
    const Almanac *a = almanac_set_find(set, name, diags, NULL);

    if (!a)
        g_error("%s: %s", name, diag_list_to_text(diags));
    return a;
}

static Task *task_of(const Sources *s)
{
    g_autoptr(GPtrArray) diags = diag_list_new();
    Task *t = NULL;

    if (task_parse("t", s->list, s->n, diags, &t) < 0)
        g_error("%s", diag_list_to_text(diags));
    return t;
}

/* --- faults --- */

static void test_faults(void)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        { "", "/c/c.calendar: Calendar: says nothing" },
        { "[Calendar]\nDescription=x\n", "says nothing" },
        { "Days=2026-01-01\n", ":1:1: Days: stands before any section" },
        { "[Days]\nDays=2026-01-01\n", ":1:1: Days: unknown section [Days]: a calendar has [Calendar]" },
        { "[Calendar]\nDay=2026-01-01\n", ":2:1: Day: unknown key, did you mean 'Days'?" },
        { "[Calendar]\nTimeZone=Mars\nHours=09:00..17:00\n", ":2:10: TimeZone: 'Mars' is no time zone" },
        { "[Calendar]\nTimeZone=UTC\nTimeZone=UTC\n", "set twice" },
        { "[Calendar]\nDays=2026-01-01 2026-1-2\n", ":2:17: Days: '2026-1-2' is no day from 1970 to 2199" },
        { "[Calendar]\nDays=2026-02-29\n", ":2:6: Days: '2026-02-29' is no day" },
        { "[Calendar]\nDays=2026-01-01..\n", ":2:18: Days: a day is expected behind '..'" },
        { "[Calendar]\nDays=2026-01-01..2025-01-01\n", ":2:6: Days: the range ends before it begins" },
        { "[Calendar]\nDays=2026-01-01-02\n", ":2:16: Days: '..' or the end is expected" },
        { "[Calendar]\nOnCalendar=Mon..Foo\n", ":2:17: OnCalendar: " },
        { "[Calendar]\nOnCalendar=Mon 10:00\n", ":2:12: OnCalendar: says a time of the day" },
        { "[Calendar]\nOnCalendar=Mon UTC\n", "names a time zone" },
        { "[Calendar]\nOnCalendar=*-02-30\n", "there is no such day" },
        { "[Calendar]\nHours=09:00-17:00\n", ":2:12: Hours: '09:00-17:00' is no range of hours" },
        { "[Calendar]\nHours=9:00..17:00\n", ":2:8: Hours: " },
        { "[Calendar]\nHours=09:00..24:01\n", "a time up to 24:00" },
        { "[Calendar]\nHours=09:00..17:00x\n", ":2:19: Hours: " },
        { "[Calendar]\nHours=09:00..09:00\n", "begins and ends at one time" },
        { "[Calendar]\nInclude=other\n", ":2:9: Include: there is no calendar 'other'" },
        { "[Calendar]\nInclude=goad\n", "there is no calendar 'goad', did you mean 'good'?" },
        { "[Calendar]\nInclude=good bad\n",
            ":2:14: Include: the calendar 'bad' is not valid: /c/bad.calendar:2:6: " },
        { "[Calendar]\nExclude=c\n", ":2:9: Exclude: calendars name each other in a circle: c → c" },
        { "[Calendar]\nInclude=ring\n",
            "/c/ring.calendar:2:9: Exclude: calendars name each other in a circle: c → ring → c" },
        { "[Calendar]\nFile=holidays.txt\n", ":2:6: File: has to be a file whose name ends in '.ics'" },
        { "[Calendar]\nFile=holidays.ics\n", ":2:6: File: /c/holidays.ics cannot be read" },
        { "[Calendar]\nFile=bad.ics\n", "/c/bad.ics:3:9: DTSTART: a date from 1970 to 2199 is expected" },
    };

    ARRAY_FOREACH (c, cases) {
        g_auto(Sources) s = { 0 };
        g_autoptr(AlmanacSet) set = NULL;
        g_autoptr(GPtrArray) diags = diag_list_new();
        g_autofree char *text = NULL;

        sources_add_calendar(&s, "c", c->text);
        sources_add_calendar(&s, "good", "[Calendar]\nOnCalendar=Mon\n");
        sources_add_calendar(&s, "bad", "[Calendar]\nDays=never\n");
        sources_add_calendar(&s, "ring", "[Calendar]\nExclude=c\n");
        sources_add(&s, "/c/bad.ics", "c",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:2026\nEND:VEVENT\nEND:VCALENDAR\n");
        set = sources_set(&s);
        if (almanac_set_find(set, "c", diags, NULL))
            g_error("taken: %s", c->text);
        text = diag_list_to_text(diags);
        if (!strstr(text, c->fault))
            g_error("%s: '%s' is not in: %s", c->text, c->fault, text);
    }
}

static void test_events_faults(void)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        { "", "/c/x.ics:1: 'END:VCALENDAR' is expected at the end" },
        { "X:1\n", ":1:1: X: 'BEGIN:VCALENDAR' is expected first" },
        { "BEGIN:VEVENT\nEND:VEVENT\n", ":1:7: BEGIN: 'BEGIN:VCALENDAR' is expected first" },
        { "BEGIN:VCALENDAR\nnonsense\nEND:VCALENDAR\n", ":2:1: NONSENSE: neither NAME:VALUE" },
        { "BEGIN:VCALENDAR\nEND:VEVENT\nEND:VCALENDAR\n", ":2:5: END: 'END:VCALENDAR' is expected first" },
        { "END:VCALENDAR\n", "'BEGIN:VCALENDAR' is expected first" },
        { "BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "/c/x.ics:3: 'END:VEVENT' is expected at the end" },
        { "E\nEND:VEVENT\nF", ":3:1: END: the event that ends here has no DTSTART" },
        { "E\nDTSTART:20260101T250000\nF", "a date from 1970 to 2199 is expected" },
        { "E\nDTSTART:20260101,20260102\nF", ":3:17: DTSTART: the end is expected behind one date" },
        { "E\nDTSTART;TZID=Mars/Base:20260101T000000\nF", "TZID: 'Mars/Base' is no time zone" },
        { "E\nDTSTART:20260101\nDTSTART:20260101\nF", ":4:1: DTSTART: stands twice" },
        { "E\nDTEND:20260101\nF", "DTSTART has to stand before it" },
        { "E\nDTSTART:20260102\nDTEND:20260101\nF", "is before DTSTART" },
        { "E\nDTSTART:20260102\nDTEND:20260103T000000\nF", "is a day where DTSTART is a time" },
        { "E\nDTSTART:20260102\nDTEND:20280103\nF", "lasts longer than a year" },
        { "E\nDTSTART:20260102\nDURATION:1D\nF", ":4:10: DURATION: a duration is expected" },
        { "E\nDTSTART:20260102\nDURATION:P1H\nF", "a duration is expected" },
        { "E\nDTSTART:20260102\nRRULE:FREQ=NEVER\nF", ":4:12: RRULE: " },
        { "E\nDTSTART:20260102\nRRULE:FREQ=DAILY\nRRULE:FREQ=DAILY\nF", "stands twice" },
        { "E\nDTSTART:20260102\nRECURRENCE-ID:20260102\nF", "is not understood" },
        { "E\nDTSTART:20260102\nEXDATE:20260103,\nF", "a date from 1970" },
    };

    ARRAY_FOREACH (c, cases) {
        g_auto(GStrv) begun = g_strsplit(c->text, "E\n", 2);
        g_autofree char *text = g_str_has_prefix(c->text, "E\n")
                                    ? g_strconcat("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", begun[1], NULL)
                                    : g_strdup(c->text),
                        *told = NULL;
        g_autoptr(Almanac) a = almanac_new("a");
        g_autoptr(GPtrArray) diags = diag_list_new();
        TaskSource source = { (char *)"/c/x.ics", text, 0, NULL };

        if (g_str_has_suffix(text, "\nF")) {
            text[strlen(text) - 1] = 0;
            g_free(g_steal_pointer(&told));
            told = text;
            text = g_strconcat(told, "END:VEVENT\nEND:VCALENDAR\n", NULL);
            g_free(g_steal_pointer(&told));
        }
        source.text = text;
        source.length = strlen(text);
        almanac_read_events(a, &source, diags);
        told = diag_list_to_text(diags);
        if (!strstr(told, c->fault))
            g_error("%s: '%s' is not in: %s", c->text, c->fault, told);
    }
}

/* --- brute force --- */

/* What a random calendar is made of, looked at as plainly as can be. */
typedef struct Brute {
    int64_t first, last; /* Days=; last < first: none */
    unsigned weekdays;   /* OnCalendar=; 0: none */
    int from, to;        /* Hours=, in minutes; from < 0: none */
    const struct Brute *include, *exclude;
    int64_t event;     /* day of an event of File=, each week from then on; -1: none */
    int64_t timed;     /* likewise of one of some hours */
    int timed_minutes; /* from 20:00 on */
    char *text, *ics;
} Brute;

static void brute_clear(Brute *b)
{
    g_free(b->text);
    g_free(b->ics);
}

static bool brute_has_day(const Brute *b, int64_t day)
{
    bool none = b->last < b->first && b->weekdays == 0 && b->event < 0 && b->timed < 0;

    if (day < 0)
        return false;
    return (none && b->from >= 0) || (day >= b->first && day <= b->last) ||
           (b->weekdays >> civil_weekday(day) & 1) ||
           (b->event >= 0 && day >= b->event && (day - b->event) % 7 == 0);
}

static bool brute_has(const Brute *b, int64_t minute)
{
    int64_t day = minute / 1440, time = minute % 1440;
    bool own = b->last >= b->first || b->weekdays || b->from >= 0 || b->event >= 0 || b->timed >= 0;
    bool within = !own && !b->include, wraps = b->to <= b->from;

    if (b->from < 0)
        within |= own && brute_has_day(b, day);
    else
        within |= (brute_has_day(b, day) && time >= b->from && (wraps || time < b->to)) ||
                  (brute_has_day(b, day - 1) && wraps && time < b->to);
    for (int64_t d = day - 2; b->timed >= 0 && d <= day; d++)
        if (d >= b->timed && (d - b->timed) % 7 == 0)
            within |= minute >= d * 1440 + 1200 && minute < d * 1440 + 1200 + b->timed_minutes;
    within |= b->include && brute_has(b->include, minute);
    return within && !(b->exclude && brute_has(b->exclude, minute));
}

static void brute_write_day(GString *s, const char *before, int64_t day, const char *behind)
{
    CivilDate d = civil_from_days(day);

    g_string_append_printf(s, "%s%04d-%02d-%02d%s", before, d.year, d.month, d.day, behind);
}

static void brute_write_event(GString *s, int64_t day, const char *kind, const char *rest)
{
    CivilDate d = civil_from_days(day);

    g_string_append_printf(s,
        "BEGIN:VEVENT\r\nDTSTART%s:%04d%02d%02d%s\r\nRRULE:FREQ=WEEK\r\n LY\r\nEND:VEVENT\r\n", kind, d.year,
        d.month, d.day, rest);
}

/* Around that day; others are what it may include and exclude. */
static void brute_draw(Brute *b, GRand *chance, int64_t day, const Brute *include, const Brute *exclude)
{
    static const char *const names[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    GString *s = g_string_new("[Calendar]\n"), *ics = g_string_new("BEGIN:VCALENDAR\r\n");

    *b = (Brute){
        .first = 0, .last = -1, .from = -1, .event = -1, .timed = -1, .include = include, .exclude = exclude
    };
    if (g_rand_int_range(chance, 0, 3) == 0) {
        b->first = day + g_rand_int_range(chance, -5, 5);
        b->last = b->first + g_rand_int_range(chance, 0, 4);
        brute_write_day(s, "Days=", b->first, "");
        brute_write_day(s, "..", b->last, "\n");
    }
    if (g_rand_int_range(chance, 0, 2) == 0) {
        b->weekdays = (unsigned)g_rand_int_range(chance, 1, 128);
        for (unsigned i = 0; i < 7; i++)
            if (b->weekdays >> i & 1)
                g_string_append_printf(s, "OnCalendar=%s\n", names[i]);
    }
    if (g_rand_int_range(chance, 0, 2) == 0) {
        b->from = g_rand_int_range(chance, 0, 1440);
        b->to = g_rand_int_range(chance, 1, 1441);
        b->to = b->to == b->from ? b->to % 1440 + 1 : b->to;
        g_string_append_printf(
            s, "Hours=%02d:%02d..%02d:%02d\n", b->from / 60, b->from % 60, b->to / 60, b->to % 60);
    }
    if (g_rand_int_range(chance, 0, 4) == 0) {
        b->event = day + g_rand_int_range(chance, -9, 9);
        brute_write_event(ics, b->event, ";VALUE=DATE", "");
    }
    if (g_rand_int_range(chance, 0, 4) == 0) {
        g_autofree char *rest = NULL;

        b->timed = day + g_rand_int_range(chance, -9, 9);
        b->timed_minutes = g_rand_int_range(chance, 1, 1700);
        rest = g_strdup_printf("T200000\r\nDURATION:PT%dM", b->timed_minutes);
        brute_write_event(ics, b->timed, "", rest);
    }
    g_string_append(ics, "END:VCALENDAR\r\n");
    if (b->event >= 0 || b->timed >= 0)
        b->ics = g_string_free(ics, FALSE);
    else
        g_string_free(ics, TRUE);
    b->text = g_string_free(s, FALSE);
}

/* Three, of which the last has the others. */
static void brute_set(Brute b[3], GRand *chance, int64_t day, Sources *s)
{
    static const char *const names[] = { "a", "b", "c" };

    brute_draw(&b[0], chance, day, NULL, NULL);
    brute_draw(&b[1], chance, day, NULL, NULL);
    brute_draw(&b[2], chance, day, g_rand_int_range(chance, 0, 2) ? &b[0] : NULL,
        g_rand_int_range(chance, 0, 2) ? &b[1] : NULL);
    for (unsigned i = 0; i < 3; i++) {
        g_autofree char *ics = g_strdup_printf("/c/%s.ics", names[i]);
        g_autofree char *text = g_strdup_printf("%s%s%s%s%s%s%s", b[i].text,
            b[i].include ? "Include=a\n" : "", b[i].exclude ? "Exclude=b\n" : "", b[i].ics ? "File=" : "",
            b[i].ics ? names[i] : "", b[i].ics ? ".ics\n" : "", "Description=x\n");

        if (strcmp(text, "[Calendar]\nDescription=x\n") == 0) { /* it may not say nothing */
            b[i].from = 0;
            b[i].to = 1440;
            g_free(g_steal_pointer(&b[i].text));
            b[i].text = g_strdup("[Calendar]\nHours=00:00..24:00\n");
            sources_add_calendar(s, names[i], b[i].text);
            continue;
        }
        sources_add_calendar(s, names[i], text);
        if (b[i].ics)
            sources_add(s, ics, names[i], b[i].ics);
    }
}

static void check_minutes(const Almanac *a, const Brute *b, const Zone *zone, uint64_t begin, uint64_t end)
{
    uint64_t sure = 0, until, next;
    unsigned looks;
    bool before = false;

    for (uint64_t t = begin; t < end; t += MIN_) {
        bool expected = brute_has(b, calendar_show(t, zone) / (int64_t)MIN_),
             within = almanac_has(a, zone, t, &until);

        if (within != expected || until <= t || (t < sure && within != before))
            g_error("%s: minute %" G_GINT64_FORMAT " of %s: %d, and has to be %d", b->text,
                calendar_show(t, zone) / (int64_t)MIN_, zone->name, within, expected);
        if (t > begin && within != before)
            g_assert_cmpuint(sure, <=, t);
        before = within;
        sure = until;
        if (t / MIN_ % 487 == 0 &&
            (looks = ALMANAC_LOOKS, almanac_next(a, zone, t, !within, &looks, &next)) && next < end) {
            g_assert_cmpint(brute_has(b, calendar_show(next, zone) / (int64_t)MIN_), ==, !expected);
            g_assert_cmpint(brute_has(b, calendar_show(next - 1, zone) / (int64_t)MIN_), ==, expected);
        }
    }
}

static void test_minutes(void)
{
    static const struct {
        const char *zone, *around;
    } places[] = {
        { "UTC", "2026-05-04 00:00:00 UTC" },
        { "Europe/Berlin", "2026-03-29 00:00:00 UTC" },
        { "Europe/Berlin", "2026-10-25 00:00:00 UTC" },
        { "Australia/Lord_Howe", "2026-04-04 00:00:00 UTC" },
        { "Africa/Cairo", "2026-04-23 00:00:00 UTC" },
        { "Pacific/Apia", "2011-12-29 00:00:00 UTC" },
    };
    g_autoptr(GRand) chance = g_rand_new_with_seed(seed());

    g_test_message("seed %u", seed());
    for (unsigned n = 0; n < 48; n++) {
        const Zone *zone = zone_of(places[n % G_N_ELEMENTS(places)].zone);
        uint64_t middle = at(places[n % G_N_ELEMENTS(places)].around);
        g_auto(Sources) s = { 0 };
        g_autoptr(AlmanacSet) set = NULL;
        Brute b[3];

        brute_set(b, chance, calendar_show(middle, zone) / ALMANAC_DAY_USEC, &s);
        set = sources_set(&s);
        check_minutes(good(set, "c"), &b[2], zone, middle - 4 * DAY, middle + 4 * DAY);
        for (unsigned i = 0; i < 3; i++)
            brute_clear(&b[i]);
    }
}

static bool find(
    AlmanacSet *set, const char *name, const Zone *zone, uint64_t from, bool within, uint64_t *ret)
{
    unsigned looks = ALMANAC_LOOKS;

    return almanac_next(good(set, name), zone, from, within, &looks, ret);
}

static void test_far(void)
{
    g_auto(Sources) s = { 0 };
    g_autoptr(AlmanacSet) set = NULL;
    uint64_t next;

    sources_add_calendar(&s, "past", "[Calendar]\nDays=1999-12-31,2001-01-01..2001-01-03\n");
    sources_add_calendar(&s, "but", "[Calendar]\nExclude=past\n");
    sources_add_calendar(&s, "feast", "[Calendar]\nTimeZone=UTC\nOnCalendar=*-12-25\nHours=22:00..02:00\n");
    sources_add_calendar(&s, "never", "[Calendar]\nInclude=hours\nExclude=hours\n");
    sources_add_calendar(&s, "hours", "[Calendar]\nHours=01:00..02:00 03:00..04:00\n");
    set = sources_set(&s);
    g_assert_false(find(set, "past", zone_utc(), at("2026-01-01"), true, &next));
    g_assert_cmpuint(next, ==, USEC_INFINITY);
    g_assert_true(find(set, "past", zone_utc(), at("2000-01-01 UTC"), true, &next));
    g_assert_cmpuint(next, ==, at("2001-01-01 UTC"));
    g_assert_true(find(set, "but", zone_utc(), at("2001-01-02 12:00 UTC"), true, &next));
    g_assert_cmpuint(next, ==, at("2001-01-04 UTC"));
    g_assert_false(find(set, "but", zone_utc(), next, false, &next));
    g_assert_cmpuint(next, ==, USEC_INFINITY);
    g_assert_true(find(set, "feast", zone_of("Asia/Tokyo"), at("2026-01-01 UTC"), true, &next));
    g_assert_cmpuint(next, ==, at("2026-12-25 22:00 UTC"));
    g_assert_true(find(set, "feast", zone_utc(), next, false, &next));
    g_assert_cmpuint(next, ==, at("2026-12-26 02:00 UTC"));
    /* The search ends, and does not say what it has not seen. */
    g_assert_false(find(set, "never", zone_utc(), at("2026-01-01 UTC"), true, &next));
    g_assert_cmpuint(next, >, at("2028-01-01 UTC"));
}

static void test_events(void)
{
    static const char ics[] =
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nDTSTART:19700101\r\nEND:VTIMEZONE\r\n"
        "BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Christmas\r\n"
        "BEGIN:VALARM\r\nDURATION:nonsense\r\nEND:VALARM\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20200501\r\nRRULE:FREQ=YEARLY;UNTIL=20300501\r\nEXDATE;VALUE=DATE:20270501\r\n"
        "END:VEVENT\r\n"
        "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260101\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nDTSTART;TZID=\"America/New_York\":20260703T180000\r\nDTEND:20260704T020000Z\r\nRDATE:20260710T220000Z\r\n"
        "END:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART:20260801T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    static const struct {
        const char *at;
        bool within;
    } cases[] = {
        { "2026-12-24 00:00 UTC", true },
        { "2026-12-26 23:59 UTC", true },
        { "2026-12-27 00:00 UTC", false },
        { "2026-05-01 12:00 UTC", true },
        { "2027-05-01 12:00 UTC", false },
        { "2030-05-01 12:00 UTC", true },
        { "2031-05-01 12:00 UTC", false },
        { "2026-01-01 12:00 UTC", false },
        { "2026-07-03 21:59 UTC", false },
        { "2026-07-03 22:00 UTC", true },
        { "2026-07-04 01:59 UTC", true },
        { "2026-07-04 02:00 UTC", false },
        { "2026-07-10 23:00 UTC", true },
        { "2026-08-01 10:00 UTC", false },
    };
    g_auto(Sources) s = { 0 };
    g_autoptr(AlmanacSet) set = NULL;
    uint64_t until;

    sources_add_calendar(&s, "c", "[Calendar]\nFile=/etc/holidays.ics\n");
    sources_add(&s, "/etc/holidays.ics", "c", ics);
    set = sources_set(&s);
    ARRAY_FOREACH (c, cases)
        if (almanac_has(good(set, "c"), zone_utc(), at(c->at), &until) != c->within)
            g_error("%s: it has to be %d", c->at, c->within);
}

/* --- schedules --- */

/* A definition holds what its calendars were made of, and no others. */
static void test_definition(void)
{
    g_auto(Sources) s = { 0 };
    g_autoptr(Task) t = NULL, again = NULL;
    g_autoptr(GPtrArray) sources = NULL, diags = diag_list_new();
    g_autofree char *json = NULL, *twice = NULL, *cat = NULL;
    TaskSource copies[8];

    sources_add_calendar(&s, "unused", "[Calendar]\nDays=never\n");
    sources_add_calendar(&s, "workdays", "[Calendar]\nOnCalendar=Mon..Fri\nExclude=holidays\n");
    sources_add_calendar(&s, "holidays", "[Calendar]\nFile=h.ics\n");
    sources_add(&s, "/c/h.ics", "holidays",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260525\nEND:VEVENT\nEND:VCALENDAR\n");
    sources_add(&s, "t.task", NULL,
        "[Service]\nExecStart=/bin/true\n[Schedule s]\nOnCalendar=10:00 UTC\nCalendar=workdays\nTimeZone=UTC\n");
    t = task_of(&s);
    g_assert_cmpuint(t->sources->len, ==, 4);
    g_assert_cmpuint(task_own_sources(t), ==, 1);
    cat = task_cat(t);
    g_assert_null(strstr(cat, "Mon..Fri"));
    json = task_sources_to_json(t);
    g_assert_null(strstr(json, "never"));
    g_assert_cmpint(task_sources_from_json(json, &sources), >=, 0);
    for (guint i = 0; i < sources->len; i++)
        copies[i] = *(const TaskSource *)g_ptr_array_index(sources, i);
    g_assert_cmpint(task_parse("t", copies, sources->len, diags, &again), >=, 0);
    twice = task_sources_to_json(again);
    g_assert_cmpstr(json, ==, twice);
    g_assert_cmpuint(schedule_next_within(task_find_schedule(again, "s"), at("2026-05-22 10:00 UTC"), NULL),
        ==, at("2026-05-26 10:00 UTC"));
}

static void test_keys(void)
{
    static const struct {
        const char *keys, *fault;
    } cases[] = {
        { "Every=1h\nCalendar=other\n", "t.task:5:10: Calendar: there is no calendar 'other'" },
        { "Every=1h\nNotCalendar=good bad\n", "t.task:5:18: NotCalendar: the calendar 'bad' is not valid" },
        { "Every=1h\nCalendar=\"good\n", "a quote that is not closed" },
        { "Every=1h\nOnExcluded=next\n", "OnExcluded: is for Calendar=, NotCalendar=" },
        { "Every=1h\nCalendar=good\nOnExcluded=later\n", "has to be 'skip', 'next' or 'previous'" },
        { "OnCalendar=Tue 10:00\nCalendar=good\n",
            "Calendar: never elapses: no time of this schedule is within" },
        { "OnCalendar=10:00\nNotCalendar=all\n", "NotCalendar: never elapses" },
        { "OnCalendar=Tue 10:00\nCalendar=good\nOnExcluded=next\n", NULL },
        { "OnCalendar=Tue 10:00\nCalendar=good\nCalendar=\n", NULL },
    };

    ARRAY_FOREACH (c, cases) {
        g_auto(Sources) s = { 0 };
        g_autoptr(GPtrArray) diags = diag_list_new();
        g_autoptr(Task) t = NULL;
        g_autofree char *told = NULL,
                        *text = g_strconcat("[Service]\nExecStart=/bin/true\n[Schedule s]\n", c->keys, NULL);

        sources_add_calendar(&s, "good", "[Calendar]\nOnCalendar=Mon\n");
        sources_add_calendar(&s, "bad", "[Calendar]\nDays=never\n");
        sources_add_calendar(&s, "all", "[Calendar]\nHours=00:00..24:00\n");
        sources_add(&s, "t.task", NULL, text);
        (void)task_parse("t", s.list, s.n, diags, &t);
        told = diag_list_to_text(diags);
        if (c->fault ? !strstr(told, c->fault) : *told)
            g_error("%s: '%s' is not in: %s", c->keys, c->fault, told);
    }
}

static gint compare_times(gconstpointer a, gconstpointer b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static bool brute_look_at_day(const Brute *b, int64_t day)
{
    for (int64_t minute = day * 1440; minute < (day + 1) * 1440; minute++)
        if (brute_has(b, minute))
            return true;
    return false;
}

/* Found out once for each day. */
static bool brute_has_any(const Brute *b, int64_t day)
{
    static const Brute *of;
    static int64_t first;
    static signed char known[400];
    signed char *one;

    if (!b) { /* another will be at that place */
        of = NULL;
        return false;
    }
    if (of != b) {
        of = b;
        first = day - 200;
        memset(known, -1, sizeof known);
    }
    g_assert_true(day >= first && day < first + 400);
    one = &known[day - first];
    if (*one < 0)
        *one = brute_look_at_day(b, day) ? 1 : 0;
    return *one;
}

/* Where a slot of this day is moved to. */
static int64_t brute_move(const Brute *b, int64_t day, int direction)
{
    for (int64_t n = 0; n <= 31; n++)
        if (brute_has_any(b, day + n * direction))
            return day + n * direction;
    return day;
}

/* Each slot is moved by itself; those that come at one moment are one. */
static void check_moved(const Schedule *s, const Brute *b, uint64_t begin, uint64_t end)
{
    int direction = s->on_excluded == ON_EXCLUDED_NEXT ? 1 : -1;
    g_autoptr(GArray) expected = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    guint i = 0;
    uint64_t last = 0, next = begin;

    for (uint64_t t = schedule_next_unbounded(s, begin - 40 * DAY); t < end + 40 * DAY;
         t = schedule_next_unbounded(s, t)) {
        int64_t day = (int64_t)(t / DAY), to = brute_move(b, day, direction);
        uint64_t moved = (uint64_t)((int64_t)t + (to - day) * (int64_t)DAY);

        g_array_append_val(expected, moved);
    }
    g_array_sort(expected, compare_times);
    for (; i < expected->len && g_array_index(expected, uint64_t, i) <= end; i++) {
        uint64_t one = g_array_index(expected, uint64_t, i);

        if (one <= begin || one == last)
            continue;
        next = schedule_next(s, next);
        g_assert_cmpuint(next, ==, one);
        last = one;
    }
    g_assert_cmpuint(schedule_next(s, next), >, end);
}

static void test_moved(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(seed());
    static const char *const kinds[] = { "OnCalendar=10:00",
        "OnCalendar=Sat 10:00\nOnCalendar=Sun 09:00,21:30", "Every=7h",
        "RRule=FREQ=MONTHLY;BYMONTHDAY=-1\nFrom=2020-01-31 08:00" };

    for (unsigned n = 0; n < 40; n++) {
        g_auto(Sources) s = { 0 };
        g_autoptr(Task) t = NULL;
        uint64_t middle = at("2026-05-04 UTC");
        g_autofree char *text = g_strdup_printf(
            "[Service]\nExecStart=/bin/true\n[Schedule s]\n%s\nTimeZone=UTC\nCalendar=c\nOnExcluded=%s\n",
            kinds[n / 2 % 4], n % 2 ? "next" : "previous");
        g_autoptr(GPtrArray) diags = diag_list_new();
        Brute b[3];

        brute_set(b, chance, (int64_t)(middle / DAY), &s);
        sources_add(&s, "t.task", NULL, text);
        brute_has_any(NULL, 0);
        if (task_parse("t", s.list, s.n, diags, &t) >= 0)
            check_moved(task_find_schedule(t, "s"), &b[2], middle - 20 * DAY, middle + 20 * DAY);
        for (unsigned i = 0; i < 3; i++)
            brute_clear(&b[i]);
    }
}

/* A Saturday's is on Monday beside Monday's own, those of one time are one; and the clock's jump is no trap. */
static void test_moved_days(void)
{
    static const struct {
        const char *keys, *after, *next;
    } cases[] = {
        { "OnCalendar=10:00\nOnExcluded=next", "2026-05-01 10:00 UTC", "2026-05-04 10:00 UTC" },
        { "OnCalendar=10:00\nOnExcluded=next", "2026-05-02 11:00 UTC", "2026-05-04 10:00 UTC" },
        { "OnCalendar=Sat 09:00\nOnCalendar=Sun 08:00\nOnExcluded=next", "2026-05-01 12:00 UTC",
            "2026-05-04 08:00 UTC" },
        { "OnCalendar=Sat 09:00\nOnCalendar=Sun 08:00\nOnExcluded=next", "2026-05-04 08:00 UTC",
            "2026-05-04 09:00 UTC" },
        { "OnCalendar=Sat 09:00\nOnCalendar=Sun 08:00\nOnExcluded=previous", "2026-05-01 08:00 UTC",
            "2026-05-01 09:00 UTC" },
        { "OnCalendar=*-*~1 18:00\nOnExcluded=previous", "2026-05-01 08:00 UTC", "2026-05-29 18:00 UTC" },
        { "OnCalendar=*-*~1 18:00\nOnExcluded=previous", "2026-05-29 18:00 UTC", "2026-06-30 18:00 UTC" },
        { "OnCalendar=*-*~1 18:00\nOnExcluded=next\nUntil=2026-05-31", "2026-05-29 18:00 UTC", NULL },
    };

    ARRAY_FOREACH (c, cases) {
        g_auto(Sources) s = { 0 };
        g_autoptr(Task) t = NULL;
        g_autofree char *text =
            g_strconcat("[Service]\nExecStart=/bin/true\n[Schedule s]\nTimeZone=UTC\nCalendar=work\n",
                c->keys, "\n", NULL);

        sources_add_calendar(&s, "work", "[Calendar]\nOnCalendar=Mon..Fri\n");
        sources_add(&s, "t.task", NULL, text);
        t = task_of(&s);
        g_assert_cmpuint(schedule_next(task_find_schedule(t, "s"), at(c->after)), ==,
            c->next ? at(c->next) : USEC_INFINITY);
    }
}

/* Step by step each slot has one outcome, in order; outside nothing fires, and inside all that is in time. */
static void test_slots(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(seed());
    unsigned fired = 0, excluded = 0;

    for (unsigned n = 0; n < 48; n++) {
        g_auto(Sources) s = { 0 };
        g_autoptr(Task) t = NULL;
        g_autoptr(GPtrArray) diags = diag_list_new();
        uint64_t middle = at("2026-05-04 UTC"), next, now = middle;
        const Schedule *schedule;
        Brute b[3];

        brute_set(b, chance, (int64_t)(middle / DAY), &s);
        sources_add(&s, "t.task", NULL,
            n % 2
                ? "[Service]\nExecStart=/bin/true\n[Schedule s]\nEvery=11min\nCalendar=c\n"
                : "[Service]\nExecStart=/bin/true\n[Schedule s]\nOnCalendar=*:0/17 UTC\nTimeZone=UTC\nCalendar=c\nCatchUp=all\n");
        if (task_parse("t", s.list, s.n, diags, &t) < 0)
            goto next;
        schedule = task_find_schedule(t, "s");
        next = schedule_next(schedule, middle);
        while (now < middle + 5 * DAY) {
            uint64_t excluded_at = slots_excluded_moment(schedule, next), slot = next;
            SlotFate fate;

            now = MAX(now, excluded_at == UNSET ? next : excluded_at);
            now += g_rand_int_range(chance, 0, 20) == 0 ? (uint64_t)g_rand_int_range(chance, 0, 100000) * SEC
                                                        : 0;
            slots_decide(schedule, NULL, next, 0, 0, UNSET, now, &fate);
            g_assert_cmpuint(fate.range.first, ==, next);
            for (uint64_t count = 1;; count++, slot = schedule_next(schedule, slot)) {
                bool has = brute_has(&b[2], (int64_t)(slot / MIN_)),
                     has_now = brute_has(&b[2], (int64_t)(now / MIN_));

                g_assert_true(slot <= now + SLOTS_AHEAD_USEC);
                if (fate.fires)
                    g_assert_true(has && (has_now || now < slot + SEC));
                else if (fate.cause == SLOT_CALENDAR)
                    g_assert_true(!has || (!has_now && now >= slot + SEC));
                else
                    g_assert_true(has && now >= slot + SEC);
                if (slot == fate.range.last) {
                    g_assert_cmpuint(count, ==, fate.range.count);
                    break;
                }
            }
            fired += fate.fires;
            excluded += fate.cause == SLOT_CALENDAR ? (unsigned)fate.range.count : 0;
            next = schedule_next(schedule, fate.range.last);
        }
    next:
        for (unsigned i = 0; i < 3; i++)
            brute_clear(&b[i]);
    }
    g_assert_cmpuint(fired, >, 1000);
    g_assert_cmpuint(excluded, >, 1000);
}

/* A closed day of a schedule that fires each second is few rows. */
static void test_few_rows(void)
{
    g_auto(Sources) s = { 0 };
    g_autoptr(Task) t = NULL;
    const Schedule *schedule;
    uint64_t now = at("2026-05-02 UTC"), next;
    unsigned rows = 0;
    SlotFate fate;

    sources_add_calendar(&s, "work", "[Calendar]\nTimeZone=UTC\nOnCalendar=Mon..Fri\n");
    sources_add(
        &s, "t.task", NULL, "[Service]\nExecStart=/bin/true\n[Schedule s]\nEvery=1s\nCalendar=work\n");
    t = task_of(&s);
    schedule = task_find_schedule(t, "s");
    for (next = now; next < at("2026-05-04 UTC"); next = schedule_next(schedule, fate.range.last), rows++) {
        now = MAX(now, slots_excluded_moment(schedule, next));
        slots_decide(schedule, NULL, next, 0, 0, UNSET, now, &fate);
        g_assert_cmpint(fate.cause, ==, SLOT_CALENDAR);
    }
    g_assert_cmpuint(next, ==, at("2026-05-04 UTC"));
    g_assert_cmpuint(slots_excluded_moment(schedule, next), ==, UNSET);
    g_assert_cmpuint(rows, <=, 49);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/almanac/faults", test_faults);
    g_test_add_func("/almanac/events/faults", test_events_faults);
    g_test_add_func("/almanac/minutes", test_minutes);
    g_test_add_func("/almanac/far", test_far);
    g_test_add_func("/almanac/events", test_events);
    g_test_add_func("/almanac/definition", test_definition);
    g_test_add_func("/almanac/keys", test_keys);
    g_test_add_func("/almanac/moved", test_moved);
    g_test_add_func("/almanac/moved/days", test_moved_days);
    g_test_add_func("/almanac/slots", test_slots);
    g_test_add_func("/almanac/few-rows", test_few_rows);
    return g_test_run();
}
