/* A row for each task: its runs as bars, thin while they wait and thick while they run, beneath each other where they
 * overlap; crosses where a schedule did not fire, rings where one is to. Colours are never all that tells two apart. */
#include <string.h>

#include "ctl/plot.h"
#include "ctl/text.h"
#include "lib/i18n.h"

/* All in px. */
#define MARGIN    12.0
#define WIDTH     1200 /* of the time that is shown */
#define TOP       64.0 /* above the rows */
#define LANE      14.0
#define ROW_GAP   6.0
#define LANES_MAX 24  /* what overlaps more than that shares the last */
#define BAR       8.0 /* of what runs */
#define BAR_WAITS 3.0
#define BAR_MIN   1.5 /* what is shorter is still seen */
#define MARK      3.5 /* radius */
#define LETTER    7.0 /* of a name, about */
#define HOUR_GAP  56  /* from one hour to the next, at least */
#define LEGEND    150.0
#define BOTTOM    40.0

static const char style[] =
    "text { font: 12px system-ui, sans-serif; fill: #222 }\n"
    ".head { font-size: 15px; font-weight: 600 } .hour text { font-size: 11px; fill: #555 } .day text { font-weight: 600 }\n"
    ".paper { fill: #fff } .odd { fill: #888; fill-opacity: .1 } .hour path { stroke: #ddd } .day path { stroke: #aaa }\n"
    ".waits { fill: #b7791f } .runs { fill: #2f855a } .failed { fill: #c53030; stroke: #c53030 }\n"
    ".missed { fill: none; stroke: #97266d; stroke-width: 2 } .coming { fill: none; stroke: #2b6cb0; stroke-width: 1.5 }\n"
    ".now path { stroke: #222; stroke-dasharray: 4 3 } .now text { font-size: 11px; text-anchor: middle }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "text { fill: #e5e7eb } .hour text { fill: #a3a8b0 } .paper { fill: #17191d }\n"
    ".hour path { stroke: #33373f } .day path { stroke: #5b616c } .now path { stroke: #e5e7eb }\n"
    ".waits { fill: #ecc94b } .runs { fill: #48bb78 } .failed { fill: #fc8181; stroke: #fc8181 }\n"
    ".missed { stroke: #f687b3 } .coming { stroke: #63b3ed }\n"
    "}\n";

typedef struct Plot {
    GString *out;
    const TimelineSpan *span;
    double left; /* where the time begins, beside the names */
    double y;    /* of what comes next */
    guint rows;
} Plot;

/* A number as XML has it, whatever the language. */
typedef struct PlotNumber {
    char text[G_ASCII_DTOSTR_BUF_SIZE];
} PlotNumber;

static PlotNumber plot_number(double value)
{
    PlotNumber n;

    g_ascii_formatd(n.text, sizeof n.text, "%.2f", value);
    return n;
}

#define N(value) (plot_number(value).text)

/* Text that may be anything: what XML has no sign for does not print, and is shown by its number. */
static void plot_text(GString *out, const char *text)
{
    g_autofree char *safe = text_safe(text), *escaped = g_markup_escape_text(safe, -1);

    g_string_append(out, escaped);
}

static void plot_title(GString *out, const char *text)
{
    g_string_append(out, "<title>");
    plot_text(out, text);
    g_string_append(out, "</title>");
}

static void plot_label(GString *out, const char *class, double x, double y, const char *text)
{
    g_string_append_printf(out, "<text class=\"%s\" x=\"%s\" y=\"%s\">", class, N(x), N(y));
    plot_text(out, text);
    g_string_append(out, "</text>\n");
}

static void plot_rect(GString *out, const char *class, double x, double y, double width, double height)
{
    g_string_append_printf(out, "<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/>", class,
        N(x), N(y), N(width), N(height));
}

static void plot_upright(GString *out, double x, double from, double to)
{
    g_string_append_printf(out, "<path d=\"M%s %sV%s\"/>", N(x), N(from), N(to));
}

static void plot_ring(GString *out, double x, double y)
{
    g_string_append_printf(
        out, "<circle class=\"coming\" cx=\"%s\" cy=\"%s\" r=\"%s\"/>", N(x), N(y), N(MARK));
}

static void plot_cross(GString *out, const char *class, double x, double y)
{
    g_string_append_printf(out, "<path class=\"%s\" d=\"M%s %sL%s %sM%s %sL%s %s\"/>", class, N(x - MARK),
        N(y - MARK), N(x + MARK), N(y + MARK), N(x - MARK), N(y + MARK), N(x + MARK), N(y - MARK));
}

static bool plot_shows(const TimelineSpan *span, uint64_t from, uint64_t to)
{
    return from != UNSET && to != UNSET && to >= from && to >= span->since && from <= span->until;
}

/* What lies outside is at the edge. */
static double plot_x(const Plot *p, uint64_t at)
{
    const TimelineSpan *s = p->span;

    return p->left +
           (double)(CLAMP(at, s->since, s->until) - s->since) * WIDTH / (double)(s->until - s->since);
}

/* --- runs --- */

typedef struct PlotRun {
    JsonObject *run; /* borrowed */
    TimelineRun times;
    guint lane;
} PlotRun;

static uint64_t plot_run_begin(const TimelineRun *r)
{
    return r->due != UNSET ? MIN(r->due, r->started) : r->started;
}

static gint plot_run_compare(gconstpointer a, gconstpointer b)
{
    uint64_t x = plot_run_begin(&((const PlotRun *)a)->times),
             y = plot_run_begin(&((const PlotRun *)b)->times);

    return x < y ? -1 : x > y;
}

/* Each into the first lane that is free; how many there are. */
static guint plot_lanes(const Plot *p, GArray *runs)
{
    double ends[LANES_MAX] = { 0 };
    guint n = 0;

    for (guint i = 0; i < runs->len; i++) {
        PlotRun *r = &g_array_index(runs, PlotRun, i);
        double x = plot_x(p, plot_run_begin(&r->times));

        while (r->lane < n && r->lane + 1 < LANES_MAX && ends[r->lane] > x)
            r->lane++;
        n = MAX(n, r->lane + 1);
        ends[r->lane] = MAX(plot_x(p, r->times.coming ? r->times.due : r->times.finished), x) + BAR_MIN;
    }
    return n;
}

/* Those that are seen, by when they begin. */
static GArray *plot_runs(const Plot *p, const TimelineTask *t)
{
    GArray *runs = g_array_new(FALSE, FALSE, sizeof(PlotRun));

    for (guint i = 0; i < json_array_get_length(t->runs); i++) {
        PlotRun r = { .run = json_array_get_object_element(t->runs, i) };

        r.times = timeline_run(r.run, p->span->now);
        if (plot_shows(p->span, plot_run_begin(&r.times), r.times.coming ? r.times.due : r.times.finished))
            g_array_append_val(runs, r);
    }
    g_array_sort(runs, plot_run_compare);
    return runs;
}

static uint64_t plot_length(uint64_t from, uint64_t to)
{
    return from == UNSET || to == UNSET || to < from ? UNSET : to - from;
}

static void plot_run_title(GString *out, const PlotRun *r)
{
    g_autofree char *id = text_value(r->run, "Id"), *result = text_result(r->run),
                    *due = text_time(r->times.due),
                    *waited = text_span(plot_length(r->times.due, r->times.waited)),
                    *ran = text_span(plot_length(r->times.started, r->times.finished)),
                    *title = g_strdup_printf(_("Run %s, %s: due %s, waited %s, ran %s"), id ? id : "-",
                        *result ? result : text_member(r->run, "State"), due, waited, ran);

    plot_title(out, title);
}

static void plot_bar(
    const Plot *p, const char *class, uint64_t from, uint64_t to, double middle, double height)
{
    double x;

    if (!plot_shows(p->span, from, to))
        return;
    x = plot_x(p, from);
    plot_rect(p->out, class, x, middle - height / 2, MAX(plot_x(p, to) - x, BAR_MIN), height);
}

static void plot_run(const Plot *p, const PlotRun *r)
{
    double middle = p->y + r->lane * LANE + LANE / 2;
    g_autofree char *id = text_value(r->run, "Id");
    const TimelineRun *t = &r->times;

    g_string_append_printf(p->out, "<g class=\"run\" data-run=\"%s\">", id ? id : "");
    plot_run_title(p->out, r);
    if (t->coming)
        plot_ring(p->out, plot_x(p, t->due), middle);
    plot_bar(p, "waits", t->due, t->waited, middle, BAR_WAITS);
    plot_bar(p, t->failed ? "runs failed" : "runs", t->started, t->finished, middle, BAR);
    if (t->failed && t->started == UNSET)
        plot_cross(p->out, "failed", plot_x(p, t->finished), middle);
    g_string_append(p->out, "</g>\n");
}

/* --- slots --- */

typedef struct PlotMissed {
    const Plot *p;
    JsonObject *slot;
} PlotMissed;

static void plot_missed_title(GString *out, JsonObject *slot, uint64_t from, uint64_t to)
{
    g_autofree char *first = text_time(from), *last = text_time(to), *title = NULL;
    const char *schedule = text_member(slot, "Schedule"), *reason = text_member(slot, "Reason");

    title = from == to
                ? g_strdup_printf(_("%s did not fire at %s: %s"), schedule, first, reason)
                : g_strdup_printf(_("%s did not fire from %s to %s: %s"), schedule, first, last, reason);
    plot_title(out, title);
}

static void plot_missed_stretch(uint64_t from, uint64_t to, void *missed)
{
    const PlotMissed *m = missed;
    const Plot *p = m->p;
    double middle = p->y + LANE / 2;

    if (!plot_shows(p->span, from, to))
        return;
    g_string_append(p->out, "<g class=\"slot\">");
    plot_missed_title(p->out, m->slot, from, to);
    plot_cross(p->out, "missed", plot_x(p, from), middle);
    if (to > from) {
        g_string_append_printf(p->out, "<path class=\"missed\" d=\"M%s %sH%s\"/>", N(plot_x(p, from)),
            N(middle), N(plot_x(p, to)));
        plot_cross(p->out, "missed", plot_x(p, to), middle);
    }
    g_string_append(p->out, "</g>\n");
}

/* Crosses that would run into each other are one stretch. */
static void plot_missed(const Plot *p, JsonObject *slot)
{
    uint64_t last = text_instant(slot, "Nominal"), first = text_instant(slot, "First");
    PlotMissed m = { p, slot };
    double room = last != UNSET && first < last ? plot_x(p, last) - plot_x(p, first) : 0;

    timeline_missed(slot, (uint64_t)(room / (3 * MARK)) + 1, plot_missed_stretch, &m);
}

static void plot_coming(const Plot *p, JsonObject *slot)
{
    uint64_t at = text_instant(slot, "Next");
    g_autofree char *when = text_time(at), *title = NULL;

    if (!plot_shows(p->span, at, at))
        return;
    title = g_strdup_printf(_("%s is to fire at %s"), text_member(slot, "Schedule"), when);
    g_string_append(p->out, "<g class=\"slot\">");
    plot_title(p->out, title);
    plot_ring(p->out, plot_x(p, at), p->y + LANE / 2);
    g_string_append(p->out, "</g>\n");
}

/* --- the whole --- */

static gboolean plot_task(gpointer key, gpointer task, gpointer plot)
{
    const TimelineTask *t = task;
    Plot *p = plot;
    g_autoptr(GArray) runs = NULL;
    double height;

    if (!timeline_task_shows(t, p->span))
        return FALSE;
    runs = plot_runs(p, t);
    height = LANE * MAX(plot_lanes(p, runs), 1u) + ROW_GAP;
    g_string_append(p->out, "<g class=\"task\">");
    if (p->rows++ % 2 == 1)
        plot_rect(p->out, "odd", 0, p->y, p->left + WIDTH + MARGIN, height);
    plot_label(p->out, "name", MARGIN, p->y + LANE / 2 + 7, t->name);
    p->y += ROW_GAP / 2;
    for (guint i = 0; i < runs->len; i++)
        plot_run(p, &g_array_index(runs, PlotRun, i));
    for (guint i = 0; i < json_array_get_length(t->missed); i++)
        plot_missed(p, json_array_get_object_element(t->missed, i));
    for (guint i = 0; i < json_array_get_length(t->coming); i++)
        plot_coming(p, json_array_get_object_element(t->coming, i));
    g_string_append(p->out, "</g>\n");
    p->y += height - ROW_GAP / 2;
    return FALSE;
}

static void plot_hour(guint column, const char *label, void *plot)
{
    Plot *p = plot;
    double x = p->left + column;

    g_string_append_printf(p->out, "<g class=\"hour%s\">", strchr(label, ':') ? "" : " day");
    plot_upright(p->out, x, TOP - 8, p->y);
    plot_label(p->out, "at", x + 3, TOP - 8, label);
    g_string_append(p->out, "</g>\n");
}

static void plot_now(const Plot *p)
{
    uint64_t now = p->span->now;

    if (!plot_shows(p->span, now, now))
        return;
    g_string_append(p->out, "<g class=\"now\">");
    plot_upright(p->out, plot_x(p, now), TOP - 20, p->y);
    plot_label(p->out, "at", plot_x(p, now), TOP - 23, _("now"));
    g_string_append(p->out, "</g>\n");
}

static void plot_legend(const Plot *p)
{
    static const char *const words[] = { N_("waits"), N_("runs"), N_("failed"), N_("did not fire"),
        N_("is to fire") };
    double y = p->y + BOTTOM / 2, x = p->left;

    g_string_append(p->out, "<g class=\"legend\">");
    plot_rect(p->out, "waits", x, y - BAR_WAITS / 2, 2 * LANE, BAR_WAITS);
    plot_rect(p->out, "runs", x + LEGEND, y - BAR / 2, 2 * LANE, BAR);
    plot_rect(p->out, "runs failed", x + 2 * LEGEND, y - BAR / 2, 2 * LANE, BAR);
    plot_cross(p->out, "missed", x + 3 * LEGEND + LANE, y);
    plot_ring(p->out, x + 4 * LEGEND + LANE, y);
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        plot_label(p->out, "what", x + i * LEGEND + 2 * LANE + 6, y + 4, _(words[i]));
    g_string_append(p->out, "</g>\n");
}

static gboolean plot_widest(gpointer key, gpointer task, gpointer letters)
{
    *(glong *)letters = MAX(*(glong *)letters, g_utf8_strlen(key, -1));
    return FALSE;
}

/* Before the rows, which tell how high it is. */
static char *plot_head(const Plot *p)
{
    g_autofree char *since = text_time(p->span->since), *until = text_time(p->span->until),
                    *title = g_strdup_printf(_("Runs and times of schedules from %s to %s"), since, until);
    double width = p->left + WIDTH + MARGIN, height = p->y + BOTTOM;
    GString *out = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");

    g_string_append_printf(out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%s\" height=\"%s\" viewBox=\"0 0 %s %s\">\n",
        N(width), N(height), N(width), N(height));
    plot_title(out, title);
    g_string_append_printf(out, "\n<style>\n%s</style>\n", style);
    plot_rect(out, "paper", 0, 0, width, height);
    plot_label(out, "head", MARGIN, 2 * MARGIN, title);
    return g_string_free(out, FALSE);
}

char *plot_svg(GTree *tasks, const TimelineSpan *span)
{
    TimelineSpan columns = *span;
    Plot p = { .out = g_string_new(NULL), .span = &columns, .y = TOP };
    g_autoptr(GString) rows = p.out;
    g_autofree char *head = NULL;
    glong letters = 0;

    columns.columns = WIDTH;
    g_tree_foreach(tasks, plot_widest, &letters);
    p.left = 2 * MARGIN + LETTER * (double)letters;
    g_tree_foreach(tasks, plot_task, &p);
    p.out = g_string_new(NULL);
    timeline_labels(&columns, HOUR_GAP, plot_hour, &p);
    head = plot_head(&p);
    g_string_prepend(p.out, head);
    /* The hours lie below the rows' bars, now above them. */
    g_string_append_len(p.out, rows->str, (gssize)rows->len);
    plot_now(&p);
    plot_legend(&p);
    g_string_append(p.out, "</svg>\n");
    return g_string_free(p.out, FALSE);
}
