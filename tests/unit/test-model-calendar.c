/* Expressions of calendars: what is wrong with them and where, what they come to, and how fast. */
#include <string.h>

#include "model/calendar-expression.h"
#include "model/timespec.h"

static void test_faults(void)
{
    static const struct {
        const char *text;
        unsigned offset;
        const char *message; /* a part of it */
    } cases[] = {
        { "", 0, "expected" },
        { "Mon..Fri 25:00", 9, "hour 25 is not from 0 to 23" },
        { "*-13-01", 2, "month 13 is not from 1 to 12" },
        { "*-*-32", 4, "day 32 is not from 1 to 31" },
        { "*-*~29", 4, "day 29 is not from 1 to 28, counted from the month's end" },
        { "2200-01-01", 0, "year 2200 is not from 1970 to 2199" },
        { "1:60", 2, "minute 60 is not from 0 to 59" },
        { "1:00:60", 5, "second 60 is not from 0 to 59.999999" },
        { "1:00:0/0", 7, "larger than 0" },
        { "5..3:00", 0, "ends before it begins" },
        { "20/5:00", 0, "no second hour" },
        { "1:00:1..1.5", 5, "a second long" },
        { "Mon..", 5, "no end" },
        { "Sat..Mon", 5, "beyond Sunday" },
        { "Mon,Foo", 4, "a day of the week is expected" },
        { "Monx", 3, "'..', ',' or a space" },
        { "*/5:00", 1, "'-', '~' or ':'" },
        { "10", 2, "':' is expected" },
        { "*-*-*-*", 5, "a space or the end" },
        { "*~*-*", 3, "only the day" },
        { "1:2:3:4", 5, "the end" },
        { "1:x", 2, "a number" },
        { "1:", 2, "a number is expected at the end" },
        { "1:00:00.", 8, "digits" },
        { "99999999999:00", 0, "too large" },
        { "@", 1, "seconds since 1970" },
        { "@5 10:00", 2, "nothing may stand" },
        { "@99999999999", 0, "1970 to 2199" },
        { "daily Europe/Nowhere", 6, "no time zone" },
        { "10:00 CET5", 6, "no time zone" },
        { "\xc3\xa4:00", 0, "a number" },
        { "1:\xc3\xa4", 2, "a number" },
    };

    ARRAY_FOREACH (c, cases) {
        g_auto(CalendarExpression) e = { 0 };
        g_auto(CalendarFault) fault = { 0 };

        g_assert_cmpint(calendar_expression_parse(c->text, &e, &fault), ==, -EINVAL);
        if (fault.offset != c->offset || !strstr(fault.message, c->message))
            g_error("'%s': %u: %s", c->text, fault.offset, fault.message);
    }
}

static void test_format(void)
{
    static const struct {
        const char *text, *normal;
    } cases[] = {
        { "Mon..Fri 02:30", "Mon..Fri *-*-* 02:30:00" },
        { "sat,THU,mon-wed,Saturday-sunday", "Mon..Thu,Sat,Sun *-*-* 00:00:00" },
        { "Mon,Sun 12-*-* 2,1:23", "Mon,Sun 2012-*-* 01,02:23:00" },
        { "Wed *-1", "Wed *-*-01 00:00:00" },
        { "10-15", "*-10-15 00:00:00" },
        { "*-02~03", "*-02~03 00:00:00" },
        { "*-*~*", "*-*-* 00:00:00" },
        { "2003-02..04-05 1..5/2:3", "2003-02..04-05 01..05/2:03:00" },
        { "5..6/2:00", "*-*-* 05:00:00" },
        { "*:*:0..30", "*-*-* *:*:00..30" },
        { "*:*:55,0/1", "*-*-* *:*:*" },
        { "*:*:3.33/10.05", "*-*-* *:*:03.330000/10.050000" },
        { "08:05:40.1234567", "*-*-* 08:05:40.123457" },
        { "weekly Pacific/Auckland", "Mon *-*-* 00:00:00 Pacific/Auckland" },
        { "quarterly", "*-01,04,07,10-01 00:00:00" },
        { "@1395716396", "2014-03-25 02:59:56 UTC" },
        { "Mon,", "Mon *-*-* 00:00:00" },
        { "Mon..Sun", "*-*-* 00:00:00" },
        { "hourly utc", "*-*-* *:00:00 UTC" },
    };

    ARRAY_FOREACH (c, cases) {
        const char *text = c->text;

        for (unsigned again = 0; again < 2; again++, text = c->normal) {
            g_auto(CalendarExpression) e = { 0 };
            g_auto(CalendarFault) fault = { 0 };
            g_autofree char *normal = NULL;

            if (calendar_expression_parse(text, &e, &fault) < 0)
                g_error("'%s': %u: %s", text, fault.offset, fault.message);
            normal = calendar_expression_format(&e);
            g_assert_cmpstr(normal, ==, c->normal);
        }
    }
}

static void compile(const char *text, Calendar *ret, const Zone **ret_zone)
{
    g_auto(CalendarExpression) e = { 0 };
    g_auto(CalendarFault) fault = { 0 };

    if (calendar_expression_parse(text, &e, &fault) < 0)
        g_error("'%s': %u: %s", text, fault.offset, fault.message);
    calendar_expression_compile(&e, ret);
    *ret_zone = e.zone ? e.zone : zone_utc();
}

/* What others have had wrong, and what is easily so. */
static void test_next(void)
{
    static const struct {
        const char *text, *after, *next[3];
        CalendarGap gap;
        CalendarFold fold;
    } cases[] = {
        { "*-*-1/5 04:00", "2022-02-28 01:00 UTC",
            { "2022-03-01 04:00", "2022-03-06 04:00", "2022-03-11 04:00" } },
        { "*-*-1/11 23:00", "2025-12-20 UTC",
            { "2025-12-23 23:00", "2026-01-01 23:00", "2026-01-12 23:00" } },
        { "*-02-29", "2024-02-29 UTC", { "2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00" } },
        { "*-02-29", "2096-02-29 UTC", { "2104-02-29 00:00", "2108-02-29 00:00", "2112-02-29 00:00" } },
        { "*-02~01", "2099-12-31 UTC", { "2100-02-28 00:00", "2101-02-28 00:00", "2102-02-28 00:00" } },
        { "*-02-30", "2020-01-01 UTC", { NULL } },
        { "Tue 2027-01-01", "2020-01-01 UTC", { NULL } },
        { "Mon *-*-1..7 09:00", "2026-01-31 UTC",
            { "2026-02-02 09:00", "2026-03-02 09:00", "2026-04-06 09:00" } },
        { "*-*-* 00:00 Africa/Cairo", "2023-04-26 22:30 UTC",
            { "2023-04-27 22:00", "2023-04-28 21:00", "2023-04-29 21:00" } },
        { "*-*-* 00:00 Africa/Cairo", "2023-04-26 22:30 UTC",
            { "2023-04-28 21:00", "2023-04-29 21:00", "2023-04-30 21:00" }, CALENDAR_GAP_SKIP },
        { "*-*-* 00:15 Asia/Beirut", "2022-03-26 12:00 UTC",
            { "2022-03-26 22:00", "2022-03-27 21:15", "2022-03-28 21:15" } },
        { "*-*-* 02:15 Australia/Lord_Howe", "2026-10-03 00:00 UTC",
            { "2026-10-03 15:30", "2026-10-04 15:15", "2026-10-05 15:15" } },
        { "*-*-* 01:45 Australia/Lord_Howe", "2026-04-03 20:00 UTC",
            { "2026-04-04 14:45", "2026-04-05 15:15", "2026-04-06 15:15" } },
        { "*-*-* 01:45 Australia/Lord_Howe", "2026-04-03 20:00 UTC",
            { "2026-04-04 15:15", "2026-04-05 15:15", "2026-04-06 15:15" }, CALENDAR_GAP_NEXT,
            CALENDAR_FOLD_LAST },
        { "*-*-* 01:45 Australia/Lord_Howe", "2026-04-03 20:00 UTC",
            { "2026-04-04 14:45", "2026-04-04 15:15", "2026-04-05 15:15" }, CALENDAR_GAP_NEXT,
            CALENDAR_FOLD_BOTH },
        { "*-*-* 10:00 Pacific/Apia", "2011-12-29 12:00 UTC",
            { "2011-12-29 20:00", "2011-12-30 10:00", "2011-12-30 20:00" } },
        { "*-*-* 10:00 Pacific/Apia", "2011-12-29 12:00 UTC",
            { "2011-12-29 20:00", "2011-12-30 20:00", "2011-12-31 20:00" }, CALENDAR_GAP_SKIP },
        { "Sat,Sun 02:30 Europe/Berlin", "2026-03-28 12:00 UTC",
            { "2026-03-29 01:00", "2026-04-04 00:30", "2026-04-05 00:30" } },
        { "*:0/30 Europe/Berlin", "2026-03-29 00:15 UTC",
            { "2026-03-29 00:30", "2026-03-29 01:00", "2026-03-29 01:30" } },
        { "*:0/30 Europe/Berlin", "2026-10-25 00:15 UTC",
            { "2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30" } },
        { "2026-10-25 2:30 Europe/Berlin", "2026-10-25 00:45 UTC", { "2026-10-25 01:30", NULL },
            CALENDAR_GAP_NEXT, CALENDAR_FOLD_BOTH },
        { "2..3:00 Europe/Berlin", "2026-03-29 00:00 UTC",
            { "2026-03-29 01:00", "2026-03-30 00:00", "2026-03-30 01:00" } },
        { "*-*-* 12:00 Europe/Berlin", "2150-07-01 12:00 UTC",
            { "2150-07-02 10:00", "2150-07-03 10:00", "2150-07-04 10:00" } },
        { "2199-12-31 23:59:59", "1970-01-02 UTC", { "2199-12-31 23:59:59", NULL } },
        { "*-*-* 00:00:00.25/0.5", "2026-01-01 00:00:59.75 UTC",
            { "2026-01-02 00:00:00.25", "2026-01-02 00:00:00.75", "2026-01-02 00:00:01.25" } },
    };

    ARRAY_FOREACH (c, cases) {
        g_auto(Calendar) calendar = { 0 };
        const Zone *zone;
        uint64_t at;

        compile(c->text, &calendar, &zone);
        g_assert_cmpint(timespec_parse_absolute(c->after, &at), ==, 0);
        for (unsigned i = 0; i < 3; i++) {
            g_autofree char *text = c->next[i] ? g_strconcat(c->next[i], " UTC", NULL) : NULL, *found = NULL;
            uint64_t expected = USEC_INFINITY;

            if (text)
                g_assert_cmpint(timespec_parse_absolute(text, &expected), ==, 0);
            at = calendar_next(&calendar, zone, c->gap, c->fold, at);
            found = timespec_format_instant(at);
            if (at != expected)
                g_error("'%s' after %s: %s, not %s", c->text, c->after, found, text);
            if (!text)
                break;
        }
    }
}

/* Not a judgement: figures, as they are on this machine. */
static void test_speed(void)
{
    static const char *const texts[] = { "*:0/15", "hourly", "*-*-* 02:30 Europe/Berlin",
        "Mon..Fri 08:00 America/New_York", "*-*-01 00:00", "Sun *-*-1..7 03:00 Europe/Berlin",
        "*-02-29 Europe/Berlin", "*-02-30" };

    ARRAY_FOREACH (text, texts) {
        g_auto(Calendar) c = { 0 };
        const Zone *zone;
        const unsigned n = 20000;
        gint64 begin, end;
        uint64_t sum = 0;

        compile(*text, &c, &zone);
        begin = g_get_monotonic_time();
        for (unsigned i = 0; i < n; i++)
            sum += calendar_next(&c, zone, CALENDAR_GAP_NEXT, CALENDAR_FOLD_FIRST,
                UINT64_C(1600000000000000) + i * UINT64_C(12345678901));
        end = g_get_monotonic_time();
        g_test_message("%-36s %6.0f ns, %zu bytes (%x)", *text, (double)(end - begin) * 1000 / n, sizeof c,
            (unsigned)sum & 15);
    }
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/calendar/faults", test_faults);
    g_test_add_func("/calendar/format", test_format);
    g_test_add_func("/calendar/next", test_next);
    g_test_add_func("/calendar/speed", test_speed);
    return g_test_run();
}
