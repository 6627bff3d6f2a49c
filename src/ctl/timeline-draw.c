/* Signs for stretches of time: of what falls into the same one, the one that says most is shown. */
#include <string.h>

#include "ctl/table.h"
#include "ctl/text.h"
#include "ctl/timeline.h"

#define LABEL 5u /* columns of "06:00" */
#define HOUR  3600

/* Later ones win. */
typedef enum TimelineMark {
    MARK_NOTHING,
    MARK_NOW,
    MARK_COMING,
    MARK_WAITING,
    MARK_RUNNING,
    MARK_FAILED,
    MARK_MISSED,
} TimelineMark;

static const struct {
    const char *sign;
    TableColour colour;
} marks[] = {
    [MARK_NOTHING] = { " ", TABLE_PLAIN },
    [MARK_NOW] = { "|", TABLE_GREY },
    [MARK_COMING] = { "o", TABLE_CYAN },
    [MARK_WAITING] = { "░", TABLE_YELLOW },
    [MARK_RUNNING] = { "█", TABLE_GREEN },
    [MARK_FAILED] = { "!", TABLE_RED },
    [MARK_MISSED] = { "x", TABLE_RED },
};

TimelineTask *timeline_task_new(const char *name)
{
    TimelineTask *t = g_new0(TimelineTask, 1);

    t->name = g_strdup(name);
    t->runs = json_array_new();
    t->missed = json_array_new();
    t->coming = json_array_new();
    return t;
}

void timeline_task_free(void *task)
{
    TimelineTask *t = task;

    g_free(t->name);
    json_array_unref(t->runs);
    json_array_unref(t->missed);
    json_array_unref(t->coming);
    g_free(t);
}

static guint timeline_column(const TimelineSpan *span, uint64_t at)
{
    double part = (double)(at - span->since) / (double)(span->until - span->since);

    return MIN((guint)(part * span->columns), span->columns - 1);
}

/* From the one to the other, both with it; what lies outside is cut off. */
static void timeline_paint(
    uint8_t *cells, const TimelineSpan *span, uint64_t from, uint64_t to, TimelineMark mark)
{
    guint last;

    if (from == UNSET || to == UNSET || to < from || to < span->since || from > span->until)
        return;
    last = timeline_column(span, MIN(to, span->until));
    for (guint i = timeline_column(span, MAX(from, span->since)); i <= last; i++)
        cells[i] = MAX(cells[i], (uint8_t)mark);
}

/* It waited from when it was due until it was started, or until its end if it never was. */
static void timeline_paint_run(uint8_t *cells, const TimelineSpan *span, JsonObject *run)
{
    static const char *const wanted[] = { "", "success", "cancelled", "skipped", "expired", NULL };
    uint64_t due = text_instant(run, "Due"), started = text_instant(run, "Started");
    uint64_t finished = text_instant(run, "Finished"), waited = text_number(run, "WaitUSec");
    bool done = g_str_equal(text_member(run, "State"), "done");
    uint64_t end = started;

    if (due == UNSET)
        due = text_instant(run, "Asked");
    if (end == UNSET)
        end = !done ? span->now : waited != UNSET ? due + waited : due;
    if (!done && due != UNSET && due > span->now)
        timeline_paint(cells, span, due, due, MARK_COMING);
    timeline_paint(cells, span, due, end, MARK_WAITING);
    if (finished == UNSET && !done)
        finished = span->now;
    timeline_paint(cells, span, started, finished, MARK_RUNNING);
    if (finished == UNSET)
        finished = end;
    if (!g_strv_contains(wanted, text_member(run, "Result")))
        timeline_paint(cells, span, finished, finished, MARK_FAILED);
}

/* Of several in a row only the first and the last are known: the others are taken to lie evenly between them. */
static void timeline_paint_missed(uint8_t *cells, const TimelineSpan *span, JsonObject *slot)
{
    uint64_t last = text_instant(slot, "Nominal"), first = text_instant(slot, "First");
    uint64_t count = text_number(slot, "Count");

    if (first == UNSET || first > last)
        first = last;
    /* No more than there are signs, or how many there are is not known. */
    if (last != UNSET && (count == UNSET || count > span->columns)) {
        timeline_paint(cells, span, first, last, MARK_MISSED);
        return;
    }
    for (uint64_t i = 0; last != UNSET && i < count; i++) {
        uint64_t at = count > 1 ? first + (last - first) / (count - 1) * i : last;

        timeline_paint(cells, span, at, at, MARK_MISSED);
    }
}

static uint8_t *timeline_cells(const TimelineTask *t, const TimelineSpan *span)
{
    uint8_t *cells = g_new0(uint8_t, span->columns);

    for (guint i = 0; i < json_array_get_length(t->coming); i++) {
        uint64_t at = text_instant(json_array_get_object_element(t->coming, i), "Next");

        timeline_paint(cells, span, at, at, MARK_COMING);
    }
    for (guint i = 0; i < json_array_get_length(t->runs); i++)
        timeline_paint_run(cells, span, json_array_get_object_element(t->runs, i));
    for (guint i = 0; i < json_array_get_length(t->missed); i++)
        timeline_paint_missed(cells, span, json_array_get_object_element(t->missed, i));
    return cells;
}

bool timeline_task_shows(const TimelineTask *t, const TimelineSpan *span)
{
    g_autofree uint8_t *cells = timeline_cells(t, span);

    for (guint i = 0; i < span->columns; i++)
        if (cells[i] != MARK_NOTHING)
            return true;
    return false;
}

char *timeline_line(const TimelineTask *t, const TimelineSpan *span, bool colours)
{
    g_autofree uint8_t *cells = timeline_cells(t, span);
    GString *out = g_string_new(NULL);
    guint n = span->columns;
    TableColour before = TABLE_PLAIN;

    timeline_paint(cells, span, span->now, span->now, MARK_NOW);
    while (n > 0 && cells[n - 1] == MARK_NOTHING)
        n--;
    for (guint i = 0; i < n; i++) {
        TableColour colour = colours ? marks[cells[i]].colour : TABLE_PLAIN;

        if (colour != before)
            g_string_append(out, colour == TABLE_PLAIN ? "\x1b[0m" : table_colour(colour));
        g_string_append(out, marks[cells[i]].sign);
        before = colour;
    }
    if (before != TABLE_PLAIN)
        g_string_append(out, "\x1b[0m");
    return g_string_free(out, FALSE);
}

/* Which stretch of step hours the clock shows where a column begins, counted as if that were UTC. */
static gint64 timeline_stretch(const TimelineSpan *span, guint column, guint step)
{
    uint64_t at = span->since + (uint64_t)((double)(span->until - span->since) / span->columns * column);
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_local((gint64)(at / USEC_PER_SEC));

    return t ? (g_date_time_to_unix(t) + g_date_time_get_utc_offset(t) / G_USEC_PER_SEC) /
                   ((gint64)step * HOUR)
             : 0;
}

/* So many hours from one label to the next that there is a blank between them. */
static guint timeline_step(const TimelineSpan *span)
{
    static const guint steps[] = { 1, 2, 3, 4, 6, 12, 24, 48, 96, 192 };
    double hours = (double)(span->until - span->since) / (HOUR * (double)USEC_PER_SEC);

    ARRAY_FOREACH (step, steps)
        if (span->columns * *step / hours >= LABEL + 2)
            return *step;
    return steps[G_N_ELEMENTS(steps) - 1];
}

/* A day's first hour is written as the day. */
static char *timeline_label(gint64 stretch, guint step)
{
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_utc(stretch * (gint64)step * HOUR);

    return t ? g_date_time_format(t, g_date_time_get_hour(t) == 0 ? "%m-%d" : "%H:%M") : g_strdup("");
}

char *timeline_hours(const TimelineSpan *span)
{
    GString *out = g_string_new(NULL);
    guint step = timeline_step(span);
    gint64 before = timeline_stretch(span, 0, step);

    for (guint i = 1; i + LABEL <= span->columns; i++) {
        gint64 stretch = timeline_stretch(span, i, step);
        g_autofree char *label = stretch != before ? timeline_label(stretch, step) : NULL;

        if (label && (out->len == 0 || out->len < i))
            g_string_append_printf(out, "%*s%s", (int)(i - out->len), "", label);
        before = stretch;
    }
    return g_string_free(out, FALSE);
}
