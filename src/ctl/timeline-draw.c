/* Signs for stretches of time: of what falls into the same one, the one that says most is shown. */
#include <string.h>

#include "ctl/table.h"
#include "ctl/text.h"
#include "ctl/timeline.h"

#define LABEL 5u /* columns of "06:00" */

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

static void timeline_paint_run(uint8_t *cells, const TimelineSpan *span, JsonObject *run)
{
    TimelineRun r = timeline_run(run, span->now);

    if (r.coming)
        timeline_paint(cells, span, r.due, r.due, MARK_COMING);
    timeline_paint(cells, span, r.due, r.waited, MARK_WAITING);
    timeline_paint(cells, span, r.started, r.finished, MARK_RUNNING);
    if (r.failed)
        timeline_paint(cells, span, r.finished, r.finished, MARK_FAILED);
}

typedef struct TimelinePaint {
    uint8_t *cells;
    const TimelineSpan *span;
} TimelinePaint;

static void timeline_paint_missed(uint64_t from, uint64_t to, void *paint)
{
    const TimelinePaint *p = paint;

    timeline_paint(p->cells, p->span, from, to, MARK_MISSED);
}

static uint8_t *timeline_cells(const TimelineTask *t, const TimelineSpan *span)
{
    uint8_t *cells = g_new0(uint8_t, span->columns);
    TimelinePaint paint = { cells, span };

    for (guint i = 0; i < json_array_get_length(t->coming); i++) {
        uint64_t at = text_instant(json_array_get_object_element(t->coming, i), "Next");

        timeline_paint(cells, span, at, at, MARK_COMING);
    }
    for (guint i = 0; i < json_array_get_length(t->runs); i++)
        timeline_paint_run(cells, span, json_array_get_object_element(t->runs, i));
    for (guint i = 0; i < json_array_get_length(t->missed); i++)
        timeline_missed(
            json_array_get_object_element(t->missed, i), span->columns, timeline_paint_missed, &paint);
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

typedef struct TimelineHours {
    GString *out;
    guint columns;
} TimelineHours;

static void timeline_put_hour(guint column, const char *label, void *hours)
{
    GString *out = ((TimelineHours *)hours)->out;

    if (column + LABEL <= ((TimelineHours *)hours)->columns && (out->len == 0 || out->len < column))
        g_string_append_printf(out, "%*s%s", (int)(column - out->len), "", label);
}

/* So many hours from one label to the next that there is a blank between them. */
char *timeline_hours(const TimelineSpan *span)
{
    TimelineHours h = { g_string_new(NULL), span->columns };

    timeline_labels(span, LABEL + 2, timeline_put_hour, &h);
    return g_string_free(h.out, FALSE);
}
