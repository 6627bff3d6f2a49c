/* The lines of the timeline: which sign stands where, and the hours above. */
#include <stdlib.h>

#include "ctl/text.h"
#include "ctl/timeline.h"
#include "model/timespec.h"

#define HOUR  (3600 * USEC_PER_SEC)
#define START UINT64_C(1773964800000000) /* 2026-03-20 00:00 UTC */

/* 24 hours, a sign for each; now is noon. */
static const TimelineSpan span = {
    .since = START, .until = START + 24 * HOUR, .now = START + 12 * HOUR, .columns = 24
};

static void set(JsonObject *o, const char *key, double hour)
{
    g_autofree char *text = timespec_format_instant(START + (uint64_t)(hour * (double)HOUR));

    if (hour >= 0)
        json_object_set_string_member(o, key, text);
}

static JsonObject *run(const char *state, const char *result, double due, double started, double finished)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "State", state);
    json_object_set_string_member(o, "Result", result);
    set(o, "Due", due);
    set(o, "Started", started);
    set(o, "Finished", finished);
    return o;
}

static JsonObject *missed(double first, double last, int count)
{
    JsonObject *o = json_object_new();

    set(o, "First", first);
    set(o, "Nominal", last);
    if (count > 0)
        json_object_set_int_member(o, "Count", count);
    return o;
}

/* The line with runs of one kind; takes r and m over. */
static void assert_line(JsonObject *r, JsonObject *m, const char *want)
{
    TimelineTask *t = timeline_task_new("t");
    g_autofree char *line = NULL;

    if (r)
        json_array_add_object_element(t->runs, r);
    if (m)
        json_array_add_object_element(t->missed, m);
    line = timeline_line(t, &span, false);
    g_assert_cmpstr(line, ==, want);
    g_assert_cmpint(timeline_task_shows(t, &span), ==, !g_str_equal(want, "            |"));
    timeline_task_free(t);
}

static void test_runs(void)
{
    assert_line(NULL, NULL, "            |");
    assert_line(run("done", "success", 2.2, 4.2, 6.5), NULL, "  ░░███     |");
    assert_line(run("done", "exit-code", 2.2, 2.3, 6.5), NULL, "  ████!     |");
    /* It began before, and goes on. */
    assert_line(run("running", "", 0, 0, -1), NULL, "█████████████");
    assert_line(run("queued", "", 9.5, -1, -1), NULL, "         ░░░░");
    assert_line(run("waiting", "", 14.5, -1, -1), NULL, "            | o");
    /* After the end, or without a time at all. */
    assert_line(run("done", "success", 30, 31, 32), NULL, "            |");
    assert_line(run("done", "cancelled", -1, -1, -1), NULL, "            |");
}

static void test_never_started(void)
{
    JsonObject *o = run("done", "cancelled", 3.5, -1, -1);

    json_object_set_int_member(o, "WaitUSec", (gint64)(2 * HOUR));
    assert_line(o, NULL, "   ░░░      |");
}

static void test_missed(void)
{
    assert_line(NULL, missed(5.5, 5.5, 1), "     x      |");
    assert_line(NULL, missed(1.5, 7.5, 3), " x  x  x    |");
    assert_line(NULL, missed(1.5, 7.5, 5000), " xxxxxxx    |");
    assert_line(NULL, missed(1.5, 7.5, 0), " xxxxxxx    |");
    /* What failed to fire is seen whatever else was there. */
    assert_line(run("done", "success", 2.2, 2.2, 9.5), missed(5.5, 5.5, 1), "  ███x████  |");
}

static void test_coming(void)
{
    TimelineTask *t = timeline_task_new("t");
    JsonObject *o = json_object_new();
    g_autofree char *line = NULL;

    set(o, "Next", 23.5);
    json_array_add_object_element(t->coming, o);
    line = timeline_line(t, &span, true);
    g_assert_cmpstr(line, ==, "            \x1b[0;90m|\x1b[0m          \x1b[0;36mo\x1b[0m");
    timeline_task_free(t);
}

static void test_hours(void)
{
    static const struct {
        uint64_t until;
        guint columns;
        const char *want;
    } cases[] = {
        { START + 24 * HOUR, 48, "        04:00   08:00   12:00   16:00   20:00" },
        { START + 24 * HOUR, 24, "            12:00" },
        { START + 3 * 24 * HOUR, 36, "            03-21       03-22" },
        { START + 3 * HOUR, 30, "          01:00     02:00" },
        { START + 24 * HOUR, 1, "" },
    };

    ARRAY_FOREACH (c, cases) {
        const TimelineSpan s = { .since = START, .until = c->until, .now = START, .columns = c->columns };
        g_autofree char *hours = timeline_hours(&s);

        g_assert_cmpstr(hours, ==, c->want);
    }
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", true);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/timeline/runs", test_runs);
    g_test_add_func("/timeline/never-started", test_never_started);
    g_test_add_func("/timeline/missed", test_missed);
    g_test_add_func("/timeline/coming", test_coming);
    g_test_add_func("/timeline/hours", test_hours);
    return g_test_run();
}
