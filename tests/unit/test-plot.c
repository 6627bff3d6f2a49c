/* The picture of the timeline: that it is XML whatever the names, and where bars and marks stand. */
#include <stdlib.h>
#include <string.h>

#include "ctl/plot.h"
#include "model/timespec.h"

#define HOUR  (3600 * USEC_PER_SEC)
#define START UINT64_C(1773964800000000) /* 2026-03-20 00:00 UTC */
#define WIDTH 1200.0

static const TimelineSpan span = { .since = START, .until = START + 24 * HOUR, .now = START + 12 * HOUR };

/* --- what is drawn --- */

static void set(JsonObject *o, const char *key, double hour)
{
    g_autofree char *text = timespec_format_instant(START + (uint64_t)(hour * (double)HOUR));

    if (hour >= 0)
        json_object_set_string_member(o, key, text);
}

static void add_run(
    TimelineTask *t, const char *state, const char *result, double due, double started, double finished)
{
    JsonObject *o = json_object_new();

    json_object_set_int_member(o, "Id", 1 + json_array_get_length(t->runs));
    json_object_set_string_member(o, "State", state);
    json_object_set_string_member(o, "Result", result);
    set(o, "Due", due);
    set(o, "Started", started);
    set(o, "Finished", finished);
    json_array_add_object_element(t->runs, o);
}

static void add_missed(TimelineTask *t, const char *reason, double first, double last, int count)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "Schedule", "nightly");
    json_object_set_string_member(o, "Reason", reason);
    set(o, "First", first);
    set(o, "Nominal", last);
    json_object_set_int_member(o, "Count", count);
    json_array_add_object_element(t->missed, o);
}

static void add_coming(TimelineTask *t, double at)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "Schedule", "nightly");
    set(o, "Next", at);
    json_array_add_object_element(t->coming, o);
}

static gint compare(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(a, b);
}

/* --- what is seen: a line for each thing with a class, "CLASS X Y WIDTH", and one for each text --- */

typedef struct Seen {
    GString *lines, *texts;
    double left;
} Seen;

static void on_element(GMarkupParseContext *context, const char *name, const char **names,
    const char **values, void *seen, GError **error)
{
    const char *class = "", *x = NULL, *y = NULL, *width = "0", *d = NULL;
    Seen *s = seen;

    for (guint i = 0; names[i]; i++) {
        const char **to = g_str_equal(names[i], "class")                              ? &class
                          : g_str_equal(names[i], "x") || g_str_equal(names[i], "cx") ? &x
                          : g_str_equal(names[i], "y") || g_str_equal(names[i], "cy") ? &y
                          : g_str_equal(names[i], "width")                            ? &width
                          : g_str_equal(names[i], "d")                                ? &d
                                                                                      : NULL;

        if (to)
            *to = values[i];
    }
    if (g_str_equal(name, "path") && *class)
        g_string_append_printf(s->lines, "%s %s\n", class, d);
    else if (!g_str_equal(name, "text") && *class && x)
        g_string_append_printf(s->lines, "%s %.1f %.1f %.1f\n", class, g_ascii_strtod(x, NULL) - s->left,
            g_ascii_strtod(y, NULL), g_ascii_strtod(width, NULL));
}

static void on_text(GMarkupParseContext *context, const char *text, gsize length, void *seen, GError **error)
{
    g_string_append_len(((Seen *)seen)->texts, text, (gssize)length);
    g_string_append_c(((Seen *)seen)->texts, '\n');
}

static void see(TimelineTask *t, Seen *s)
{
    static const GMarkupParser parser = { .start_element = on_element, .text = on_text };
    g_autoptr(GTree) tasks = g_tree_new_full(compare, NULL, NULL, timeline_task_free);
    g_autofree char *svg = NULL;
    g_autoptr(GMarkupParseContext) context = NULL;
    GError *error = NULL;

    *s = (Seen){ g_string_new(NULL), g_string_new(NULL), 24 + 7.0 * (double)strlen(t->name) };
    g_tree_insert(tasks, t->name, t);
    svg = plot_svg(tasks, &span);
    for (const char *c = svg; *c; c++)
        g_assert_true((unsigned char)*c >= ' ' || *c == '\n');
    context = g_markup_parse_context_new(&parser, 0, s, NULL);
    g_markup_parse_context_parse(context, svg, -1, &error);
    g_assert_no_error(error);
    g_markup_parse_context_end_parse(context, &error);
    g_assert_no_error(error);
}

static void seen_clear(Seen *s)
{
    g_string_free(s->lines, TRUE);
    g_string_free(s->texts, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Seen, seen_clear)

static void assert_has(const GString *where, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void assert_has(const GString *where, const char *format, ...)
{
    g_autofree char *line = NULL;
    va_list ap;

    va_start(ap, format);
    line = g_strdup_vprintf(format, ap);
    va_end(ap);
    if (!strstr(where->str, line))
        g_test_message("no \"%s\" in\n%s", line, where->str);
    g_assert_nonnull(strstr(where->str, line));
}

static guint count(const GString *where, const char *what)
{
    g_auto(GStrv) parts = g_strsplit(where->str, what, -1);

    return g_strv_length(parts) - 1;
}

/* --- the tests --- */

static void test_runs(void)
{
    TimelineTask *t = timeline_task_new("t");
    g_auto(Seen) s = { 0 };

    add_run(t, "done", "success", 2, 4, 6);
    add_run(t, "done", "exit-code", 8, 8, 9);
    add_run(t, "running", "", 11, 11.5, -1);
    add_run(t, "waiting", "", 18, -1, -1);
    see(t, &s);
    assert_has(s.lines, "waits %.1f 72.5 %.1f\n", WIDTH * 2 / 24, WIDTH * 2 / 24);
    assert_has(s.lines, "runs %.1f 70.0 %.1f\n", WIDTH * 4 / 24, WIDTH * 2 / 24);
    assert_has(s.lines, "runs failed %.1f 70.0 %.1f\n", WIDTH * 8 / 24, WIDTH / 24);
    assert_has(s.lines, "runs %.1f 70.0 %.1f\n", WIDTH * 11.5 / 24, WIDTH * .5 / 24);
    assert_has(s.lines, "coming %.1f 74.0 0.0\n", WIDTH * 18 / 24);
    assert_has(s.texts, "Run 1, success: due 2026-03-20 02:00:00, waited 2h, ran 2h\n");
    assert_has(s.texts, "Run 2, exit-code");
    assert_has(s.texts, "Run 3, running: due 2026-03-20 11:00:00, waited 30min, ran 30min\n");
    assert_has(s.texts, "Run 4, waiting: due 2026-03-20 18:00:00, waited -, ran -\n");
    assert_has(s.texts, "now\n");
}

/* Runs at one time lie beneath each other; what is after them goes up again. What is over before or begins after the time that
 * is shown is not drawn, and what reaches into it is cut. */
static void test_lanes(void)
{
    TimelineTask *t = timeline_task_new("t");
    g_auto(Seen) s = { 0 };

    add_run(t, "done", "success", 5, 5, 6);
    add_run(t, "done", "success", 2, 2, 4);
    add_run(t, "done", "success", 1, 1, 4);
    add_run(t, "done", "success", 23, 23, 30);
    add_run(t, "done", "success", 30, 30, 31);
    see(t, &s);
    assert_has(s.lines, "runs %.1f 70.0 %.1f\n", WIDTH / 24, WIDTH * 3 / 24);
    assert_has(s.lines, "runs %.1f 84.0 %.1f\n", WIDTH * 2 / 24, WIDTH * 2 / 24);
    assert_has(s.lines, "runs %.1f 70.0 %.1f\n", WIDTH * 5 / 24, WIDTH / 24);
    assert_has(s.lines, "runs %.1f 70.0 %.1f\n", WIDTH * 23 / 24, WIDTH / 24);
    g_assert_cmpint(count(s.texts, "Run "), ==, 4);
}

/* However many run at once, the picture does not grow without end. */
static void test_many(void)
{
    TimelineTask *t = timeline_task_new("t");
    g_auto(Seen) s = { 0 };

    for (guint i = 0; i < 100; i++)
        add_run(t, "done", "success", 2, 2, 4);
    see(t, &s);
    g_assert_cmpint(count(s.lines, "\nruns "), ==, 100 + 2); /* two in the legend */
    assert_has(s.lines, "runs %.1f %.1f %.1f\n", WIDTH * 2 / 24, 70 + 23 * 14.0, WIDTH * 2 / 24);
    g_assert_cmpint(count(s.lines, "406.0"), ==, 0); /* where a lane more would be */
}

static void test_slots(void)
{
    TimelineTask *t = timeline_task_new("t");
    g_auto(Seen) s = { 0 };
    double left = 24 + 7;

    add_missed(t, "host <down> & \"out\"\x01\xef\xbf\xbe", 2, 6, 3);
    add_missed(t, "overlap", 8, 9, 5000);
    add_missed(t, "overlap", 30, 30, 1);
    add_coming(t, 18);
    add_coming(t, 30);
    see(t, &s);
    for (guint hour = 2; hour <= 6; hour += 2)
        assert_has(s.lines, "missed M%.2f 70.50", left + WIDTH * hour / 24 - 3.5);
    assert_has(s.lines, "missed M%.2f 74.00H%.2f\n", left + WIDTH * 8 / 24, left + WIDTH * 9 / 24);
    assert_has(s.texts, "nightly did not fire at 2026-03-20 04:00:00: host <down> & \"out\"\\x01\\ufffe\n");
    assert_has(s.texts, "nightly did not fire from 2026-03-20 08:00:00 to 2026-03-20 09:00:00: overlap\n");
    assert_has(s.lines, "coming %.1f 74.0 0.0\n", WIDTH * 18 / 24);
    assert_has(s.texts, "nightly is to fire at 2026-03-20 18:00:00\n");
    g_assert_cmpint(count(s.texts, "nightly"), ==, 5);
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", true);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plot/runs", test_runs);
    g_test_add_func("/plot/lanes", test_lanes);
    g_test_add_func("/plot/many", test_many);
    g_test_add_func("/plot/slots", test_slots);
    return g_test_run();
}
