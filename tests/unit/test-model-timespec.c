/* Spans, instants and expressions; systemd-analyze and date are the oracles where they are installed. */
#include <stdlib.h>
#include <string.h>

#include "model/timespec.h"

#define NOW (UINT64_C(1795473960) * USEC_PER_SEC + 5) /* 2026-11-23 22:46:00.000005 UTC, a Monday */

static const char *const spans[] = { "5min 20s", "1h", "2h30min", "90", "1.5h", "0.000001s", "3 days 4 h",
    "1y 2M", "1month", "2weeks", "1w 1d", "55s500ms", "20usec", "300ms20s 5day", ".5s", "1h 30", "0",
    "1 y 12 month", "00:00", "5", "5 m", "1hr 2hrs", "infinity", "1.s", "x", "5 5 5", "", "-5s", "5 parsecs",
    "1d1d", "1e3" };

static void test_spans(void)
{
    static const struct {
        const char *text;
        uint64_t usec;
    } good[] = { { "5min 20s", 320 * USEC_PER_SEC }, { "90", 90 * USEC_PER_SEC },
        { "1.5h", 5400 * USEC_PER_SEC }, { " 1h  30min ", 5400 * USEC_PER_SEC }, { "0", 0 }, { "1us", 1 },
        { "1\302\265s", 1 }, { "1\316\274s", 1 }, { "1M", 2629800 * USEC_PER_SEC },
        { "1m", 60 * USEC_PER_SEC }, { "infinity", USEC_INFINITY }, { "0.0000001s", 0 },
        { "584542y", UINT64_C(584542) * 31557600 * USEC_PER_SEC } };
    static const char *const invalid[] = { "", " ", "x", "5 parsecs", "-5s", "+5s", "1.", "1.s", "s", "1e3",
        "infinity 1s", "1h,2h", "5\xff" };
    uint64_t usec;

    ARRAY_FOREACH (g, good) {
        g_assert_cmpint(timespec_parse_span(g->text, &usec), ==, 0);
        g_assert_cmpuint(usec, ==, g->usec);
    }
    ARRAY_FOREACH (text, invalid)
        g_assert_cmpint(timespec_parse_span(*text, &usec), ==, -EINVAL);
    g_assert_cmpint(timespec_parse_span("18446744073709551616", &usec), ==, -ERANGE);
    g_assert_cmpint(timespec_parse_span("18446744073709551615us", &usec), ==, -ERANGE);
    g_assert_cmpint(timespec_parse_span("600000y", &usec), ==, -ERANGE);
    g_assert_cmpint(timespec_parse_span("500000y 500000y", &usec), ==, -ERANGE);
}

static void test_format_span(void)
{
    static const struct {
        uint64_t usec;
        const char *text;
    } cases[] = { { 0, "0" }, { 1, "1us" }, { 1500, "1ms 500us" }, { 5400 * USEC_PER_SEC, "1h 30min" },
        { 5401 * USEC_PER_SEC, "1h 30min" }, { 90 * USEC_PER_SEC, "1min 30s" },
        { USEC_INFINITY, "infinity" } };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *text = timespec_format_span(c->usec);

        g_assert_cmpstr(text, ==, c->text);
    }
    for (uint64_t n = 1; n < 200; n++) { /* two units read back exactly */
        g_autofree char *text = timespec_format_span(n * USEC_PER_SEC);
        uint64_t back;

        g_assert_cmpint(timespec_parse_span(text, &back), ==, 0);
        g_assert_cmpuint(back, ==, n * USEC_PER_SEC);
    }
}

/* What a tool printed for an argument, in its UTC; NULL where it refused. */
static char *ask(const char *tool, const char *first, const char *argument)
{
    const char *argv[] = { tool, first, argument, "+%s", NULL };
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "TZ", "UTC", TRUE);
    g_autofree char *out = NULL;
    int status = 1;

    environment = g_environ_setenv(environment, "LC_ALL", "C.UTF-8", TRUE);
    if (!g_str_equal(tool, "date"))
        argv[3] = NULL;
    if (!g_spawn_sync(NULL, (char **)argv, environment, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
            NULL, NULL, &out, NULL, &status, NULL) ||
        status != 0)
        return NULL;
    return g_steal_pointer(&out);
}

static bool have(const char *tool)
{
    g_autofree char *path = g_find_program_in_path(tool);

    return path;
}

static void test_spans_oracle(void)
{
    if (!have("systemd-analyze")) {
        g_test_skip("systemd-analyze is not installed");
        return;
    }
    ARRAY_FOREACH (text, spans) {
        g_autofree char *out = ask("systemd-analyze", "timespan", *text);
        const char *found = out ? strstr(out, "s: ") : NULL;
        uint64_t usec = 0;
        int r = timespec_parse_span(*text, &usec);

        if ((r >= 0) != (out != NULL))
            g_error("'%s': systemd %s it, we answer %d", *text, out ? "takes" : "refuses", r);
        if (out && usec != USEC_INFINITY) {
            g_assert_nonnull(found);
            g_assert_cmpuint(strtoull(found + 3, NULL, 10), ==, usec);
        }
    }
}

static void test_instants(void)
{
    static const struct {
        const char *text, *formatted;
    } good[] = {
        { "2026-11-23T22:46:00.000005Z", "2026-11-23T22:46:00.000005Z" },
        { "2026-11-23T22:46:00.1234567Z", "2026-11-23T22:46:00.123456Z" },
        { "2026-11-23T22:46:00+01:30", "2026-11-23T21:16:00.000000Z" },
        { "2026-11-23 22:46 UTC", "2026-11-23T22:46:00.000000Z" },
        { "2026-07-01 12:00 Europe/Zurich", "2026-07-01T10:00:00.000000Z" },
        { "2026-01-01 12:00:07 Europe/Zurich", "2026-01-01T11:00:07.000000Z" },
        { "Mon 2026-11-23 22:46 UTC", "2026-11-23T22:46:00.000000Z" },
        { "2026-11-23", "2026-11-23T00:00:00.000000Z" },
        { "@0", "1970-01-01T00:00:00.000000Z" },
        { "@1795473960.25", "2026-11-23T22:46:00.250000Z" },
        { "2024-02-29", "2024-02-29T00:00:00.000000Z" },
        { "now", "2026-11-23T22:46:00.000005Z" },
        { "today", "2026-11-23T00:00:00.000000Z" },
        { "yesterday", "2026-11-22T00:00:00.000000Z" },
        { "tomorrow 06:00", "2026-11-24T06:00:00.000000Z" },
        { "06:30", "2026-11-23T06:30:00.000000Z" },
        { "+5min", "2026-11-23T22:51:00.000005Z" },
        { "-1h", "2026-11-23T21:46:00.000005Z" },
        { "1h ago", "2026-11-23T21:46:00.000005Z" },
    };
    static const char *const bad[] = { "", "noon", "2026-02-29", "2026-13-01", "2026-01-32",
        "2026-01-01 24:00", "2026-01-01 10:60", "2026-01-01 10:00:60", "2026-01-01 10:00 Mars/Base",
        "2026-01-01 10:00 ../../etc/passwd", "2026-01-01 10:00 /etc/localtime", "Tue 2026-11-23", "@", "@x",
        "@-1", "@1.", "2026-01-01T10:00+1", "2026-1-1", "2026-01-01 10", "+", "++5min",
        "2026-01-01 10:00 UTC x", "\xff" };
    uint64_t usec;

    ARRAY_FOREACH (g, good) {
        g_autofree char *text = NULL;

        if (timespec_parse_instant(g->text, NOW, &usec) < 0)
            g_error("'%s' is refused", g->text);
        text = timespec_format_instant(usec);
        g_assert_cmpstr(text, ==, g->formatted);
    }
    ARRAY_FOREACH (text, bad)
        if (timespec_parse_instant(*text, NOW, &usec) >= 0)
            g_error("'%s' is taken", *text);
    g_assert_cmpint(timespec_parse_instant("1969-12-31 UTC", NOW, &usec), ==, -ERANGE);
    g_assert_cmpint(timespec_parse_instant("-100y", NOW, &usec), ==, -ERANGE);
    g_assert_cmpint(timespec_parse_instant("@99999999999999999999", NOW, &usec), ==, -ERANGE);
}

static void test_absolute(void)
{
    static const char *const relative[] = { "now", "today", "tomorrow 06:00", "06:00", "+5min", "1h ago",
        "Mon" };
    uint64_t usec;

    g_assert_cmpint(timespec_parse_absolute("2026-11-23 22:46 UTC", &usec), ==, 0);
    g_assert_cmpuint(usec, ==, NOW - 5);
    g_assert_cmpint(timespec_parse_absolute("@7", &usec), ==, 0);
    ARRAY_FOREACH (text, relative)
        g_assert_cmpint(timespec_parse_absolute(*text, &usec), ==, -EINVAL);
}

static void test_instants_oracle(void)
{
    static const char *const texts[] = { "2026-03-29 02:30:00 UTC", "2000-02-29", "2026-11-23 22:46",
        "1999-12-31 23:59:59", "2038-01-19 03:14:08 UTC", "2100-02-28 00:00" };

    if (!have("date")) {
        g_test_skip("date is not installed");
        return;
    }
    ARRAY_FOREACH (text, texts) {
        g_autofree char *out = ask("date", "-d", *text);
        uint64_t usec = 0;

        g_assert_nonnull(out);
        g_assert_cmpint(timespec_parse_instant(*text, NOW, &usec), ==, 0);
        g_assert_cmpuint(strtoull(out, NULL, 10) * USEC_PER_SEC, ==, usec);
    }
}

static void test_expressions(void)
{
    static const struct {
        const char *text, *formatted;
    } good[] = {
        { "today", "2026-11-23T00:00:00.000000Z" },
        { "now", "2026-11-23T22:46:00.000005Z" },
        { "week-start", "2026-11-23T00:00:00.000000Z" },
        { "month-start", "2026-11-01T00:00:00.000000Z" },
        { "year-start", "2026-01-01T00:00:00.000000Z" },
        { "month-start -1day", "2026-10-31T00:00:00.000000Z" },
        { "month-start - 1day", "2026-10-31T00:00:00.000000Z" },
        { "month-start -1month +6h", "2026-10-01T06:00:00.000000Z" },
        { "month-start -1h 30min", "2026-10-31T22:30:00.000000Z" },
        { "year-start -1year", "2025-01-01T00:00:00.000000Z" },
        { "2026-03-31 +1month", "2026-04-30T00:00:00.000000Z" },
        { "2026-03-31 10:00 +01:00 +1week", "2026-04-07T09:00:00.000000Z" },
        { "+1day", "2026-11-24T22:46:00.000005Z" },
        { "today -1.5d", "2026-11-21T12:00:00.000000Z" },
    };
    static const char *const bad[] = { "", "monthstart", "month-start 1day", "month-start -",
        "month-start -1fortnight", "month-start -1day x", "today -100000000day", "century-start" };
    uint64_t usec;

    ARRAY_FOREACH (g, good) {
        g_autofree char *text = NULL;

        if (timespec_eval(g->text, NOW, &usec) < 0)
            g_error("'%s' is refused", g->text);
        text = timespec_format_instant(usec);
        g_assert_cmpstr(text, ==, g->formatted);
    }
    ARRAY_FOREACH (text, bad)
        if (timespec_eval(*text, NOW, &usec) >= 0)
            g_error("'%s' is taken", *text);
}

/* A day is a calendar day where the clock changes, an hour is an hour; a text without zone is the system's.
 */
static void test_zone(void)
{
    static const struct {
        const char *now, *text, *formatted;
    } cases[] = {
        { "2026-03-29T12:00:00+02:00", "today", "2026-03-28T23:00:00.000000Z" },
        { "2026-03-29T12:00:00+02:00", "tomorrow", "2026-03-29T22:00:00.000000Z" },
        { "2026-03-29T12:00:00+02:00", "today +1day", "2026-03-29T22:00:00.000000Z" },
        { "2026-03-29T12:00:00+02:00", "today +24h", "2026-03-29T23:00:00.000000Z" },
        { "2026-10-25T12:00:00+01:00", "today +1day", "2026-10-25T23:00:00.000000Z" },
        { "2026-04-15T12:00:00+02:00", "month-start -1month", "2026-02-28T23:00:00.000000Z" },
        { "2026-04-15T12:00:00+02:00", "week-start", "2026-04-12T22:00:00.000000Z" },
        { "2026-04-15T12:00:00+02:00", "2026-01-01 06:00", "2026-01-01T05:00:00.000000Z" },
        { "2026-04-15T00:30:00+02:00", "today", "2026-04-14T22:00:00.000000Z" },
        { "2026-04-15T00:30:00+02:00", "today UTC", "2026-04-14T00:00:00.000000Z" },
    };

    g_setenv("TZ", "Europe/Zurich", TRUE);
    ARRAY_FOREACH (c, cases) {
        g_autofree char *text = NULL;
        uint64_t now, usec;

        g_assert_cmpint(timespec_parse_absolute(c->now, &now), ==, 0);
        g_assert_cmpint(timespec_eval(c->text, now, &usec), ==, 0);
        text = timespec_format_instant(usec);
        g_assert_cmpstr(text, ==, c->formatted);
    }
    g_setenv("TZ", "UTC", TRUE);
}

int main(int argc, char **argv)
{
    /* The expected instants are written for this zone. */
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/timespec/spans", test_spans);
    g_test_add_func("/timespec/format", test_format_span);
    g_test_add_func("/timespec/spans-oracle", test_spans_oracle);
    g_test_add_func("/timespec/instants", test_instants);
    g_test_add_func("/timespec/absolute", test_absolute);
    g_test_add_func("/timespec/instants-oracle", test_instants_oracle);
    g_test_add_func("/timespec/expressions", test_expressions);
    g_test_add_func("/timespec/zone", test_zone);
    return g_test_run();
}
