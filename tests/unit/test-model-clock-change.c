/* What is said of times that do not exist or come twice: of schedules in some zones, word for word. */
#include "model/schedule.h"

#include <string.h>

#include "model/timespec.h"

static Schedule *schedule(const char *lines, Task **ret)
{
    g_autofree char *text = g_strdup_printf("[Service]\nExecStart=/bin/true\n[Schedule]\n%s", lines);
    g_autoptr(GPtrArray) diags = diag_list_new();
    TaskSource source = { (char *)"t", text, strlen(text) };

    if (task_parse("t", &source, 1, diags, ret) < 0) {
        g_autofree char *why = diag_list_to_text(diags);

        g_error("%s", why);
    }
    return g_ptr_array_index((*ret)->schedules, 0);
}

static uint64_t at(const char *text)
{
    uint64_t usec = 0;

    g_assert_cmpint(timespec_parse_instant(text, 0, &usec), >=, 0);
    return usec;
}

typedef struct Case {
    const char *lines, *after, *until;
    const char *said[4]; /* in their order, NULL: no more */
} Case;

#define BERLIN "TimeZone=Europe/Berlin\n"
#define YEAR   "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"

static const Case cases[] = {
    { "Cron=30 2 * * *\n" BERLIN, YEAR,
        { "on 29 March 2026 this fires at 03:00, for 02:30 does not exist",
            "on 25 October 2026 02:30 comes twice, and this fires the first time" } },
    { "OnCalendar=02:30:15\nDST=skip last\n" BERLIN, YEAR,
        { "on 29 March 2026 this does not fire, for 02:30:15 does not exist",
            "on 25 October 2026 02:30:15 comes twice, and this fires the last time" } },
    { "Cron=0 2,3 * * *\nDST=both\n" BERLIN, YEAR,
        { "on 29 March 2026 this fires at 03:00, for 02:00 does not exist",
            "on 25 October 2026 02:00 comes twice, and this fires both times" } },
    { "Cron=30 2 * * 1-5\n" BERLIN, YEAR, { NULL } },
    { "Cron=30 * * * *\n" BERLIN, YEAR, { NULL } },
    { "Every=1h\n", YEAR, { NULL } },
    { "At=2026-03-29 02:30\n" BERLIN, YEAR,
        { "on 29 March 2026 this fires at 03:00, for 02:30 does not exist" } },
    { "At=2026-03-29 02:30\nAt=2026-10-25 02:30\nAt=2026-10-25 03:00\nDST=skip both\n" BERLIN, YEAR,
        { "on 29 March 2026 this does not fire, for 02:30 does not exist",
            "on 25 October 2026 02:30 comes twice, and this fires both times" } },
    { "At=2026-03-29 01:30 UTC\nAt=2026-10-25 00:30 UTC\nAt=@1792890000\n" BERLIN, YEAR, { NULL } },
    { "Cron=30 2 * * *\nTimeZone=UTC\n", YEAR, { NULL } },
    { "OnCalendar=*-*-* 02:30:00 Europe/Berlin\nTimeZone=UTC\n", YEAR,
        { "on 29 March 2026 this fires at 03:00, for 02:30 does not exist",
            "on 25 October 2026 02:30 comes twice, and this fires the first time" } },
    { "RRule=FREQ=DAILY;BYHOUR=2;BYMINUTE=15;BYSECOND=0\nFrom=2026-01-01 00:00\nTimeZone=Australia/Lord_Howe\n",
        YEAR, { "on 4 October 2026 this fires at 02:30, for 02:15 does not exist" } },
    { "RDate=2026-03-29 02:30\n" BERLIN, YEAR,
        { "on 29 March 2026 this fires at 03:00, for 02:30 does not exist" } },
    { "Cron=30 2 * * *\n" BERLIN, "2026-06-01T00:00:00Z", "2026-06-01T00:00:00Z", { NULL } },
    { "OnCalendar=00:15\nTimeZone=Africa/Cairo\n", "2024-01-01T00:00:00Z", "2024-12-31T00:00:00Z",
        { "on 26 April 2024 this fires at 01:00, for 00:15 does not exist" } },
    { "OnCalendar=12:00\nTimeZone=Pacific/Apia\n", "2011-12-01T00:00:00Z", "2012-01-31T00:00:00Z",
        { "on 30 December 2011 this fires at 00:00, for 12:00 does not exist" } },
};

static void test_told(void)
{
    ARRAY_FOREACH (c, cases) {
        g_autoptr(Task) task = NULL;
        Schedule *s = schedule(c->lines, &task);
        uint64_t after = at(c->after), until = at(c->until);
        ClockChange change;
        unsigned n = 0;

        g_test_message("%s", c->lines);
        for (; schedule_next_change(s, after, until, &change); n++) {
            g_autofree char *said = clock_change_tell(&change, s->gap, s->fold);

            g_assert_cmpuint(n, <, G_N_ELEMENTS(c->said));
            g_assert_cmpstr(said, ==, c->said[n]);
            after = change.twice ? change.again : change.at;
        }
        g_assert_null(c->said[n]);
    }
}

static char *note(const Schedule *s, const char *slot)
{
    ClockChange change;

    /* What is asked about is a slot of it. */
    g_assert_cmpuint(schedule_next(s, at(slot) - 1), ==, at(slot));
    return schedule_change_at(s, at(slot), &change) ? clock_change_note(&change, at(slot)) : NULL;
}

static void check_note(const char *lines, const char *slot, const char *expected)
{
    g_autoptr(Task) task = NULL;
    Schedule *s = schedule(lines, &task);
    g_autofree char *found = note(s, slot);

    g_assert_cmpstr(found, ==, expected);
}

static void test_noted(void)
{
    check_note("Cron=30 2 * * *\n" BERLIN, "2026-03-28T01:30:00Z", NULL);
    check_note("Cron=30 2 * * *\n" BERLIN, "2026-03-29T01:00:00Z", "for 02:30, which does not exist");
    check_note("Cron=30 2 * * *\n" BERLIN, "2026-10-25T00:30:00Z", "the first 02:30 of two");
    check_note("Cron=30 2 * * *\nDST=last\n" BERLIN, "2026-10-25T01:30:00Z", "the second 02:30 of two");
    check_note("Cron=*/10 2 * * *\n" BERLIN, "2026-10-25T00:40:00Z", "the first 02:40 of two");
    check_note("Cron=30 2 * * *\nAt=2026-10-25 02:45\n" BERLIN, "2026-10-26T01:30:00Z", NULL);
    check_note("Cron=0 3 * * *\n" BERLIN, "2026-03-29T01:00:00Z", NULL);
    check_note("Every=1h\n", "2026-10-25T01:00:00Z", NULL);
    check_note("At=2026-03-29 02:30\nAt=2026-03-30 02:30\n" BERLIN, "2026-03-29T01:00:00Z",
        "for 02:30, which does not exist");
    check_note("At=2026-03-29 02:30\nAt=2026-03-30 02:30\n" BERLIN, "2026-03-30T00:30:00Z", NULL);
    check_note("At=2026-10-25 02:30\nDST=last\n" BERLIN, "2026-10-25T01:30:00Z", "the second 02:30 of two");
}

/* Of an instant that has no zone of its own; one that has is that instant. */
static void test_at(void)
{
    static const struct {
        const char *lines, *slots[3];
    } rows[] = {
        { "At=2026-03-29 02:30\n", { "2026-03-29T01:00:00Z" } },
        { "At=2026-03-29 02:30\nAt=2026-03-29 03:30\nDST=skip\n", { "2026-03-29T01:30:00Z" } },
        { "At=2026-10-25 02:30\n", { "2026-10-25T00:30:00Z" } },
        { "At=2026-10-25 02:30\nDST=last\n", { "2026-10-25T01:30:00Z" } },
        { "At=2026-10-25 02:30\nDST=both\n", { "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z" } },
        { "At=2026-10-25 00:30 UTC\nDST=last\n", { "2026-10-25T00:30:00Z" } },
        { "At=2026-10-25 12:00\nDST=last\n", { "2026-10-25T11:00:00Z" } },
    };

    ARRAY_FOREACH (row, rows) {
        g_autofree char *lines = g_strconcat(row->lines, BERLIN, NULL);
        g_autoptr(Task) task = NULL;
        Schedule *s = schedule(lines, &task);
        uint64_t slot = 0;

        for (unsigned i = 0; i < G_N_ELEMENTS(row->slots) && row->slots[i]; i++) {
            slot = schedule_next(s, slot);
            g_assert_cmpuint(slot, ==, at(row->slots[i]));
        }
        g_assert_cmpuint(schedule_next(s, slot), ==, USEC_INFINITY);
    }
    {
        g_autoptr(Task) task = NULL;
        Schedule *s = schedule("At=2026-03-29 02:30\nAt=2026-05-01\nDST=skip\n" BERLIN, &task);

        g_assert_cmpuint(schedule_next_gap(s, 0, UNSET), ==, at("2026-03-29T01:00:00Z") - 1);
    }
}

/* A rule goes by what the clock shows, whatever its unit. */
static void test_rule(void)
{
    static const char *const slots[] = { "2026-10-24T22:30:00Z", "2026-10-24T23:15:00Z",
        "2026-10-25T00:00:00Z", "2026-10-25T00:45:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:45:00Z",
        "2026-10-25T02:30:00Z" };
    g_autoptr(Task) task = NULL;
    Schedule *s = schedule("RRule=FREQ=MINUTELY;INTERVAL=45\nFrom=2026-10-25 00:30\n" BERLIN, &task);
    uint64_t slot = 0;

    ARRAY_FOREACH (expected, slots) {
        slot = schedule_next(s, slot);
        g_assert_cmpuint(slot, ==, at(*expected));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model-clock-change/told", test_told);
    g_test_add_func("/model-clock-change/noted", test_noted);
    g_test_add_func("/model-clock-change/at", test_at);
    g_test_add_func("/model-clock-change/rule", test_rule);
    return g_test_run();
}
