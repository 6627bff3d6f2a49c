/* Recurrence rules: faults, what they come to, how long that takes, and what becomes of it on the clock of a zone. Random
 * ones are in recurrence-oracle.test. */
#include <string.h>
#include <time.h>

#include "model/schedule.h"
#include "model/slots.h"
#include "model/timespec.h"

#define SEC USEC_PER_SEC

static void test_faults(void)
{
    static const struct {
        const char *text;
        unsigned offset;
        const char *message;
    } cases[] = {
        { "", 0, "'FREQ='" },
        { "FREQ", 4, "'=' is expected" },
        { "FREQ=", 5, "'YEARLY'" },
        { "FREQ=FORTNIGHTLY", 5, "'WEEKLY'" },
        { "FREQ=DAILYX", 5, "'DAILY'" },
        { "INTERVAL=2", 10, "FREQ= is missing" },
        { "FREQ=DAILY;INTERVAL=0", 20, "0 is no interval from 1 to 1000000000" },
        { "FREQ=DAILY;INTERVAL=", 20, "a number is expected" },
        { "FREQ=DAILY;INTERVAL=2x", 21, "';' or the end" },
        { "FREQ=DAILY;INTERVAL=1,2", 21, "';' or the end" },
        { "FREQ=DAILY;COUNT=100001", 17, "100001 is no count from 1 to 100000" },
        { "FREQ=DAILY;FREQ=DAILY", 11, "twice" },
        { "FREQ=DAILY;BYWEEK=1", 11, "a part of a rule" },
        { "FREQ=DAILY BYHOUR=1", 10, "';' or the end" },
        { "FREQ=DAILY;;BYHOUR=1", 11, "a part of a rule" },
        { "FREQ=DAILY;BYHOUR=24", 18, "24 is no hour from 0 to 23" },
        { "FREQ=DAILY;BYHOUR=-1", 18, "a number is expected" },
        { "FREQ=DAILY;BYMINUTE=0,60", 22, "60 is no minute from 0 to 59" },
        { "FREQ=DAILY;BYSECOND=61", 20, "61 is no second from 0 to 60" },
        { "FREQ=DAILY;BYMONTH=13", 19, "13 is no month from 1 to 12" },
        { "FREQ=DAILY;BYMONTHDAY=0", 22, "0 is no day from 1 to 31 or from -31 to -1" },
        { "FREQ=DAILY;BYMONTHDAY=1,-32", 24, "-32 is no day" },
        { "FREQ=DAILY;BYMONTHDAY=1,", 24, "a number is expected" },
        { "FREQ=DAILY;BYMONTHDAY=1 2", 23, "',', ';' or the end" },
        { "FREQ=YEARLY;BYYEARDAY=367", 22, "367 is no day of the year" },
        { "FREQ=YEARLY;BYWEEKNO=54", 21, "54 is no week" },
        { "FREQ=YEARLY;BYDAY=54MO", 18, "54 is no number of a weekday" },
        { "FREQ=YEARLY;BYDAY=M", 18, "'MO', 'TU'" },
        { "FREQ=YEARLY;BYDAY=MON", 18, "'MO', 'TU'" },
        { "FREQ=YEARLY;BYDAY=1", 19, "'MO', 'TU'" },
        { "FREQ=WEEKLY;WKST=1", 17, "'MO', 'TU'" },
        { "FREQ=DAILY;UNTIL=2026-12-31", 17, "a date is expected here, like '20261231'" },
        { "FREQ=DAILY;UNTIL=20261231T18", 17, "a date is expected" },
        { "FREQ=DAILY;UNTIL=20260230", 17, "no such day" },
        { "FREQ=DAILY;UNTIL=20260101T240000", 17, "no such day or time" },
        { "FREQ=DAILY;UNTIL=20260101ZZ", 25, "';' or the end" },
        { "FREQ=DAILY;COUNT=1;UNTIL=20260101", 25, "exclude each other" },
        { "FREQ=DAILY;BYWEEKNO=1", 20, "FREQ=YEARLY alone" },
        { "FREQ=MONTHLY;BYYEARDAY=1", 23, "BYYEARDAY= is for" },
        { "FREQ=WEEKLY;BYMONTHDAY=1", 23, "not for FREQ=WEEKLY" },
        { "FREQ=WEEKLY;BYDAY=1MO", 18, "FREQ=MONTHLY and YEARLY alone" },
        { "FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", 29, "have no number" },
        { "FREQ=DAILY;BYSETPOS=1", 20, "there is none" },
        { "RSCALE=GREGORIAN;FREQ=DAILY", 0, "RSCALE= and SKIP= are not taken" },
        { "FREQ=MONTHLY;SKIP=FORWARD", 13, "RSCALE= and SKIP= are not taken" },
    };

    ARRAY_FOREACH (c, cases) {
        g_auto(CalendarFault) fault = { 0 };
        Recurrence r;

        if (recurrence_parse(c->text, &r, &fault) >= 0)
            g_error("'%s' is taken", c->text);
        if (fault.offset != c->offset || !strstr(fault.message, c->message))
            g_error("'%s': %u: %s", c->text, fault.offset, fault.message);
    }
}

static void test_format(void)
{
    static const struct {
        const char *text, *written;
    } cases[] = {
        { "freq=weekly;byday=we,mo,mo;interval=2;", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE" },
        { "RRULE:BYDAY=+2MO,-1FR,TU;FREQ=MONTHLY", "FREQ=MONTHLY;BYDAY=TU,-1FR,2MO" },
        { "FREQ=YEARLY;UNTIL=20261231;BYYEARDAY=1,-1,200", "FREQ=YEARLY;UNTIL=20261231;BYYEARDAY=-1,1,200" },
        { "FREQ=YEARLY;UNTIL=20261231T235960;BYMONTH=12,1",
            "FREQ=YEARLY;UNTIL=20261231T235959;BYMONTH=1,12" },
        { "FREQ=DAILY;UNTIL=20261231t010203z;WKST=SU", "FREQ=DAILY;UNTIL=20261231T010203Z;WKST=SU" },
        { "FREQ=DAILY;COUNT=3;BYSECOND=60,0;BYSETPOS=-1,1",
            "FREQ=DAILY;COUNT=3;BYSECOND=0,59;BYSETPOS=-1,1" },
        { "FREQ=YEARLY;BYWEEKNO=-1,53,1;BYMONTHDAY=-1,1,31",
            "FREQ=YEARLY;BYWEEKNO=1,53,-1;BYMONTHDAY=1,31,-1" },
    };

    ARRAY_FOREACH (c, cases) {
        g_auto(CalendarFault) fault = { 0 };
        g_auto(Recurrence) r = { 0 };
        g_autofree char *written = NULL;

        if (recurrence_parse(c->text, &r, &fault) < 0)
            g_error("'%s': %s", c->text, fault.message);
        written = recurrence_format(&r);
        g_assert_cmpstr(written, ==, c->written);
    }
}

static int64_t local_of(const char *text)
{
    TimespecMoment m;

    g_assert_cmpint(timespec_parse_moment(text, zone_utc(), &m), ==, 0);
    return m.local;
}

static void read_rule(const char *text, const char *start, Recurrence *r)
{
    g_auto(CalendarFault) fault = { 0 };

    if (recurrence_parse(text, r, &fault) < 0)
        g_error("'%s': %s", text, fault.message);
    recurrence_begin(r, local_of(start));
}

static const struct {
    const char *text, *start, *from, *next[4];
} next_cases[] = {
    /* The start is not on the first weekday that is chosen, nor on any; weeks begin where WKST= says. */
    { "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", "2026-01-07 09:00", "2026-01-01",
        { "2026-01-07 09:00", "2026-01-19 09:00", "2026-01-21 09:00", "2026-02-02 09:00" } },
    { "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", "2026-01-08 09:00", "2026-01-01",
        { "2026-01-19 09:00", "2026-01-21 09:00", "2026-02-02 09:00", "2026-02-04 09:00" } },
    { "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", "2026-01-06 09:00", "2026-01-01",
        { "2026-01-06 09:00", "2026-01-11 09:00", "2026-01-20 09:00", "2026-01-25 09:00" } },
    { "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "2026-01-06 09:00", "2026-01-01",
        { "2026-01-06 09:00", "2026-01-18 09:00", "2026-01-20 09:00", "2026-02-01 09:00" } },
    /* The first Monday stays the first Monday, and so do the last working day and every third month. */
    { "FREQ=MONTHLY;BYDAY=1MO", "2026-01-05 06:00", "2026-01-06",
        { "2026-02-02 06:00", "2026-03-02 06:00", "2026-04-06 06:00", "2026-05-04 06:00" } },
    { "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1", "2026-01-05 06:00", "2036-01-06",
        { "2036-01-07 06:00", "2036-02-04 06:00", "2036-03-03 06:00", "2036-04-07 06:00" } },
    { "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-01-01 17:00", "2026-01-01",
        { "2026-01-30 17:00", "2026-02-27 17:00", "2026-03-31 17:00", "2026-04-30 17:00" } },
    { "FREQ=MONTHLY;INTERVAL=3;BYDAY=2TU", "2026-01-13 17:00", "2026-01-14",
        { "2026-04-14 17:00", "2026-07-14 17:00", "2026-10-13 17:00", "2027-01-12 17:00" } },
    /* What a month or a year lacks is left out, and does not move what comes later. */
    { "FREQ=MONTHLY", "2026-01-31 12:00", "2026-01-01",
        { "2026-01-31 12:00", "2026-03-31 12:00", "2026-05-31 12:00", "2026-07-31 12:00" } },
    { "FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31 12:00", "2026-02-01",
        { "2026-02-28 12:00", "2026-03-31 12:00", "2026-04-30 12:00", "2026-05-31 12:00" } },
    { "FREQ=MONTHLY;BYMONTHDAY=30,31,-1;BYSETPOS=1", "2026-01-30 12:00", "2026-01-30",
        { "2026-01-30 12:00", "2026-02-28 12:00", "2026-03-30 12:00", "2026-04-30 12:00" } },
    { "FREQ=YEARLY", "2024-02-29 12:00", "2026-01-01",
        { "2028-02-29 12:00", "2032-02-29 12:00", "2036-02-29 12:00", "2040-02-29 12:00" } },
    { "FREQ=YEARLY;INTERVAL=4", "2024-02-29 12:00", "2095-01-01",
        { "2096-02-29 12:00", "2104-02-29 12:00", "2108-02-29 12:00", "2112-02-29 12:00" } },
    { "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "2026-01-01 12:00", "2027-01-01",
        { "2027-02-28 12:00", "2028-02-29 12:00", "2029-02-28 12:00", "2030-02-28 12:00" } },
    { "FREQ=YEARLY;BYYEARDAY=366", "2026-01-01 12:00", "2026-01-01",
        { "2028-12-31 12:00", "2032-12-31 12:00", "2036-12-31 12:00", "2040-12-31 12:00" } },
    /* Weeks of a year that begin in the one before it. */
    { "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", "2024-01-01 12:00", "2024-12-01",
        { "2024-12-30 12:00", "2025-12-29 12:00", "2027-01-04 12:00", "2028-01-03 12:00" } },
    { "FREQ=YEARLY;BYWEEKNO=53", "2026-12-28 12:00", "2026-01-01",
        { "2026-12-28 12:00", "2032-12-27 12:00", "2037-12-28 12:00", "2043-12-28 12:00" } },
    { "FREQ=YEARLY;BYWEEKNO=20", "2026-01-07 12:00", "2026-01-01",
        { "2026-05-13 12:00", "2027-05-19 12:00", "2028-05-17 12:00", "2029-05-16 12:00" } },
    { "FREQ=YEARLY;BYWEEKNO=10,-1;BYDAY=SU", "2026-01-07 12:00", "2026-01-01",
        { "2026-03-08 12:00", "2027-01-03 12:00", "2027-03-14 12:00", "2028-01-02 12:00" } },
    { "FREQ=YEARLY;BYDAY=20MO", "2026-01-01 12:00", "2026-01-01",
        { "2026-05-18 12:00", "2027-05-17 12:00", "2028-05-15 12:00", "2029-05-14 12:00" } },
    { "FREQ=YEARLY;BYDAY=53TH", "2026-01-01 12:00", "2026-01-01",
        { "2026-12-31 12:00", "2032-12-30 12:00", "2037-12-31 12:00", "2043-12-31 12:00" } },
    { "FREQ=YEARLY;BYWEEKNO=53", "2027-01-01 12:00", "2026-01-01",
        { "2027-01-01 12:00", "2032-12-31 12:00", "2038-01-01 12:00", "2044-01-01 12:00" } },
    { "FREQ=YEARLY;BYDAY=MO,2TU;BYSETPOS=-1,2", "2026-01-01 12:00", "2026-01-01",
        { "2026-01-12 12:00", "2026-12-28 12:00", "2027-01-11 12:00", "2027-12-27 12:00" } },
    { "FREQ=MONTHLY;BYDAY=-1FR,1MO", "2026-01-01 12:00", "2026-01-01",
        { "2026-01-05 12:00", "2026-01-30 12:00", "2026-02-02 12:00", "2026-02-27 12:00" } },
    { "FREQ=YEARLY;BYMONTHDAY=-1,1;BYSETPOS=20", "2026-01-01 12:00", "2026-01-01",
        { "2026-10-31 12:00", "2027-10-31 12:00", "2028-10-31 12:00", "2029-10-31 12:00" } },
    { "FREQ=YEARLY;BYDAY=MO,TU,WE,TH;BYSETPOS=100", "2026-01-01 12:00", "2026-01-01",
        { "2026-06-24 12:00", "2027-06-24 12:00", "2028-06-22 12:00", "2029-06-21 12:00" } },
    /* Friday the 13th, an election day (RFC 5545). */
    { "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2026-01-01 12:00", "2026-01-01",
        { "2026-02-13 12:00", "2026-03-13 12:00", "2026-11-13 12:00", "2027-08-13 12:00" } },
    { "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996-11-05 09:00", "2023-01-01",
        { "2024-11-05 09:00", "2028-11-07 09:00", "2032-11-02 09:00", "2036-11-04 09:00" } },
    /* Days, hours and less. */
    { "FREQ=DAILY;INTERVAL=10;COUNT=3", "2026-01-01 12:00", "2026-01-01",
        { "2026-01-01 12:00", "2026-01-11 12:00", "2026-01-21 12:00", NULL } },
    { "FREQ=DAILY;UNTIL=20260103", "2026-01-02 12:00", "2026-01-01",
        { "2026-01-02 12:00", "2026-01-03 12:00", NULL } },
    { "FREQ=DAILY;UNTIL=20260103T115959", "2026-01-02 12:00", "2026-01-01", { "2026-01-02 12:00", NULL } },
    { "FREQ=DAILY;BYHOUR=6,18;BYSETPOS=2", "2026-01-02 12:30", "2026-01-01",
        { "2026-01-02 18:30", "2026-01-03 18:30", "2026-01-04 18:30", "2026-01-05 18:30" } },
    { "FREQ=HOURLY;INTERVAL=5", "2026-01-01 12:30", "2126-01-01",
        { "2126-01-01 01:30", "2126-01-01 06:30", "2126-01-01 11:30", "2126-01-01 16:30" } },
    { "FREQ=MINUTELY;INTERVAL=90;BYDAY=SA", "2026-01-01 12:30", "2026-01-01",
        { "2026-01-03 00:30", "2026-01-03 02:00", "2026-01-03 03:30", "2026-01-03 05:00" } },
    { "FREQ=SECONDLY;INTERVAL=45;BYHOUR=9;BYMINUTE=0", "2026-01-01 09:00", "2026-01-01 09:00:01",
        { "2026-01-01 09:00:45", "2026-01-02 09:00", "2026-01-02 09:00:45", "2026-01-03 09:00" } },
    /* The start is the first of them only where the rule says so. */
    { "FREQ=DAILY;BYHOUR=6", "2026-01-01 12:00", "2026-01-01", { "2026-01-02 06:00", "2026-01-03 06:00" } },
    { "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-01-01 12:00", "2026-01-01", { NULL } },
    { "FREQ=SECONDLY;INTERVAL=60;BYSECOND=30", "2026-01-01 12:00", "2026-01-01", { NULL } },
    { "FREQ=HOURLY;INTERVAL=2;BYHOUR=3", "2026-01-01 12:00", "2026-01-01", { NULL } },
    { "FREQ=MONTHLY;BYDAY=6MO", "2026-01-01 12:00", "2026-01-01", { NULL } },
    { "FREQ=DAILY", "2026-01-01 12:00", "2200-01-01", { NULL } },
};

static void test_next(void)
{
    ARRAY_FOREACH (c, next_cases) {
        g_auto(Recurrence) r = { 0 };
        int64_t at;

        read_rule(c->text, c->start, &r);
        at = local_of(c->from);
        ARRAY_FOREACH (next, c->next) {
            int64_t found = recurrence_next(&r, at), expected = *next ? local_of(*next) : RECURRENCE_NEVER;

            if (found != expected) {
                g_autofree char *shown = timespec_format_instant((uint64_t)found);

                g_error("'%s' from %s on: %s, not %s", c->text, c->start, shown, util_strempty(*next));
            }
            if (!*next || next == &c->next[G_N_ELEMENTS(c->next) - 1] || !next[1])
                break;
            at = found + 1;
        }
    }
}

/* None of these is walked to, or to its end: some seconds are much longer than the longest takes, and much shorter than
 * walking. */
static void test_bounded(void)
{
    static const struct {
        const char *text;
        bool ever;
    } cases[] = {
        { "FREQ=SECONDLY", true },
        { "FREQ=DAILY;INTERVAL=7", true },
        { "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", true },
        { "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", false },
        { "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", false },
        { "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", false },
        { "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", false },
        { "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", false },
        { "FREQ=SECONDLY;BYYEARDAY=366;BYMONTH=1", false },
        { "FREQ=SECONDLY;INTERVAL=86399;BYHOUR=3;BYMINUTE=7;BYSECOND=11", true },
        { "FREQ=SECONDLY;INTERVAL=86400;BYHOUR=3", false },
        { "FREQ=SECONDLY;INTERVAL=2;BYSECOND=1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33,35,37", false },
        { "FREQ=SECONDLY;INTERVAL=7;BYDAY=TH;BYSECOND=1;BYMINUTE=1;BYHOUR=1;BYMONTH=2;BYMONTHDAY=29", true },
        { "FREQ=SECONDLY;INTERVAL=7;BYDAY=MO;BYSECOND=1;BYMINUTE=1;BYHOUR=1;BYMONTH=2;BYMONTHDAY=29", false },
        { "FREQ=SECONDLY;BYSETPOS=2;BYHOUR=1", false },
        { "FREQ=MINUTELY;INTERVAL=2;BYMINUTE=1,3,5,7", false },
        { "FREQ=DAILY;INTERVAL=1000000000", false },
        { "FREQ=YEARLY;BYDAY=MO;BYSETPOS=366", false },
        { "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6", false },
        { "FREQ=DAILY;COUNT=100000", true },
        { "FREQ=SECONDLY;COUNT=100000", false },
        { "FREQ=YEARLY;BYHOUR=1,2,3;BYMINUTE=1,2,3;BYSECOND=1,2,3;BYSETPOS=1,2,-1;COUNT=100000", true },
    };
    int64_t from = local_of("2150-01-01");

    ARRAY_FOREACH (c, cases) {
        clock_t begin = clock();
        double spent;
        g_auto(Recurrence) r = { 0 };
        bool found;

        read_rule(c->text, "1970-01-01 00:00", &r);
        found = recurrence_next(&r, from) != RECURRENCE_NEVER;
        spent = (double)(clock() - begin) / CLOCKS_PER_SEC;
        g_test_message("%s: %.6f s of the processor", c->text, spent);
        if (found != c->ever)
            g_error("'%s': %s", c->text, found ? "found" : "not found");
        g_assert_cmpfloat(spent, <, 5);
    }
}

/* --- on the clock of a zone --- */

static void add_rule(Schedule *s, const char *text, const char *start)
{
    g_auto(Recurrence) r = { 0 };

    g_assert_cmpint(zone_find("Europe/Berlin", &s->zone), ==, 0);
    read_rule(text, start, &r);
    if (!s->rules)
        s->rules = g_ptr_array_new_with_free_func((GDestroyNotify)schedule_rule_free);
    g_ptr_array_add(s->rules, g_memdup2(&r, sizeof r));
    r = (Recurrence){ 0 };
}

static void check_slots(const Schedule *s, const char *after, const char *const *expected)
{
    uint64_t at, wanted;

    g_assert_cmpint(timespec_parse_absolute(after, &at), ==, 0);
    for (; *expected; expected++) {
        g_assert_cmpint(timespec_parse_absolute(*expected, &wanted), ==, 0);
        at = schedule_next(s, at);
        if (at != wanted) {
            g_autofree char *shown = timespec_format_instant(at);

            g_error("%s, not %s", shown, *expected);
        }
    }
}

static void test_zone(void)
{
    Schedule s = { .name = NULL };

    add_rule(&s, "FREQ=DAILY", "2026-03-27 02:30");
    check_slots(&s, "2026-03-27 12:00 UTC",
        (const char *[]){ "2026-03-28 01:30 UTC", "2026-03-29 01:00 UTC", "2026-03-30 00:30 UTC", NULL });
    s.gap = CALENDAR_GAP_SKIP;
    s.fold = CALENDAR_FOLD_BOTH;
    check_slots(&s, "2026-03-28 12:00 UTC", (const char *[]){ "2026-03-30 00:30 UTC", NULL });
    check_slots(&s, "2026-10-24 12:00 UTC",
        (const char *[]){ "2026-10-25 00:30 UTC", "2026-10-25 01:30 UTC", "2026-10-26 01:30 UTC", NULL });
    s.rules = (g_ptr_array_unref(s.rules), NULL);
    s.fold = CALENDAR_FOLD_FIRST;
    s.gap = CALENDAR_GAP_NEXT;
    /* In every hour of the clock: neither needed nor asked. */
    add_rule(&s, "FREQ=MINUTELY;INTERVAL=30", "2026-03-27 00:00");
    check_slots(
        &s, "2026-03-29 00:30 UTC", (const char *[]){ "2026-03-29 01:00 UTC", "2026-03-29 01:30 UTC", NULL });
    check_slots(&s, "2026-10-25 00:30 UTC",
        (const char *[]){ "2026-10-25 01:00 UTC", "2026-10-25 01:30 UTC", "2026-10-25 02:00 UTC", NULL });
    g_ptr_array_unref(s.rules);
}

static void test_bounds(void)
{
    int64_t dates[] = { local_of("2026-01-03 10:00"), local_of("2026-01-05 10:00") };
    ScheduleExcluded excluded[] = { { local_of("2026-01-02"), local_of("2026-01-03") - 1 },
        { local_of("2026-01-05 09:00"), local_of("2026-01-05 10:00") } };
    Schedule s = { .dates = g_array_new(FALSE, FALSE, sizeof(int64_t)),
        .excluded = g_array_new(FALSE, FALSE, sizeof(ScheduleExcluded)) };

    g_array_append_vals(s.dates, dates, 2);
    g_array_append_vals(s.excluded, excluded, 2);
    add_rule(&s, "FREQ=DAILY;UNTIL=20260106T080000Z", "2026-01-01 09:00");
    check_slots(&s, "2025-01-01 12:00 UTC",
        (const char *[]){ "2026-01-01 08:00 UTC", "2026-01-03 08:00 UTC", "2026-01-03 09:00 UTC",
            "2026-01-04 08:00 UTC", "2026-01-06 08:00 UTC", NULL });
    g_assert_cmpuint(schedule_next(&s, UINT64_C(1767686400) * SEC), ==, USEC_INFINITY);
    /* Both ends are slots. */
    s.from_usec = UINT64_C(1767427200) * SEC;
    s.until_usec = UINT64_C(1767513600) * SEC;
    g_assert_cmpuint(schedule_next(&s, 0), ==, s.from_usec);
    g_assert_cmpuint(schedule_next(&s, s.until_usec - 1), ==, s.until_usec);
    g_assert_cmpuint(schedule_next(&s, s.until_usec), ==, USEC_INFINITY);
    s.every_usec = 3600 * SEC;
    g_assert_cmpuint(schedule_next(&s, 0), ==, s.from_usec);
    g_assert_cmpuint(schedule_next(&s, s.until_usec - 1), ==, s.until_usec);
    g_assert_cmpuint(schedule_next(&s, s.until_usec), ==, USEC_INFINITY);
    g_array_unref(s.dates);
    g_array_unref(s.excluded);
    g_ptr_array_unref(s.rules);
}

/* What is jumped over is left out where a rule still goes on, and where it is not excluded. */
static void test_gaps(void)
{
    static const struct {
        const char *rule;
        bool left_out;
    } rows[] = {
        { "FREQ=DAILY", true },
        { "FREQ=DAILY;UNTIL=20260329T010000Z", true },
        { "FREQ=DAILY;UNTIL=20260329T005959Z", false },
        { "FREQ=WEEKLY", false },
        { "FREQ=HOURLY", false },
    };
    const uint64_t jump = UINT64_C(1774746000) * SEC; /* 29 March 2026, 01:00 UTC */

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        int64_t date = local_of("2026-03-29 02:30");
        ScheduleExcluded excluded = { date, date };
        Schedule s = { .gap = CALENDAR_GAP_SKIP };

        g_assert_cmpint(zone_find("Europe/Berlin", &s.zone), ==, 0);
        add_rule(&s, rows[i].rule, "2026-03-27 02:30");
        g_assert_cmpuint(
            schedule_next_gap(&s, jump - 86400 * SEC, jump), ==, rows[i].left_out ? jump - 1 : UNSET);
        g_assert_cmpint(slots_is_gap(&s, jump - 1), ==, rows[i].left_out);
        s.excluded = g_array_new(FALSE, FALSE, sizeof excluded);
        g_array_append_val(s.excluded, excluded);
        g_assert_false(slots_is_gap(&s, jump - 1));
        g_array_set_size(s.excluded, 0);
        s.dates = g_array_new(FALSE, FALSE, sizeof date);
        g_array_append_val(s.dates, date);
        g_assert_true(slots_is_gap(&s, jump - 1));
        g_array_unref(s.dates);
        g_array_unref(s.excluded);
        g_ptr_array_unref(s.rules);
    }
}

static bool fires(const Schedule *s, uint64_t nominal, uint64_t now)
{
    SlotFate fate;

    slots_decide(s, NULL, nominal, 0, 0, UNSET, now, &fate);
    return fate.fires;
}

/* It stays for a slot, or for a schedule; others have another. */
static void test_jitter(void)
{
    Schedule s = { .name = (char *)"s", .jitter_usec = 600 * SEC },
             other = { .name = (char *)"o", .jitter_usec = 600 * SEC };
    uint64_t sum = 0, fixed;
    unsigned same = 0;

    for (uint64_t slot = 0; slot < 1000; slot++) {
        uint64_t jitter = schedule_jitter(&s, "node", "t", slot * SEC);

        g_assert_cmpuint(jitter, <=, s.jitter_usec);
        g_assert_cmpuint(jitter, ==, schedule_jitter(&s, "node", "t", slot * SEC));
        same += jitter == schedule_jitter(&other, "node", "t", slot * SEC);
        same += jitter == schedule_jitter(&s, "edon", "t", slot * SEC);
        sum += jitter;
    }
    g_assert_cmpuint(same, <, 10);
    g_assert_cmpuint(sum / 1000, >, 250 * SEC);
    g_assert_cmpuint(sum / 1000, <, 350 * SEC);
    s.jitter_fixed = true;
    fixed = schedule_jitter(&s, "node", "t", 0);
    g_assert_cmpuint(schedule_jitter(&s, "node", "t", SEC), ==, fixed);
    g_assert_cmpuint(schedule_jitter(&s, "node", "u", SEC), !=, fixed);
    /* What is moved is in time before its span is over. */
    s.every_usec = 3600 * SEC;
    g_assert_true(fires(&s, 7200 * SEC, 7800 * SEC));
    g_assert_false(fires(&s, 7200 * SEC, 7801 * SEC));
    s.jitter_usec = 0;
    g_assert_cmpuint(schedule_jitter(&s, "node", "t", 0), ==, 0);
    g_assert_false(fires(&s, 7200 * SEC, 7800 * SEC));
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recurrence/faults", test_faults);
    g_test_add_func("/recurrence/format", test_format);
    g_test_add_func("/recurrence/next", test_next);
    g_test_add_func("/recurrence/bounded", test_bounded);
    g_test_add_func("/recurrence/zone", test_zone);
    g_test_add_func("/recurrence/bounds", test_bounds);
    g_test_add_func("/recurrence/gaps", test_gaps);
    g_test_add_func("/recurrence/jitter", test_jitter);
    return g_test_run();
}
