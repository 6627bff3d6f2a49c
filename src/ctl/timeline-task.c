/* What is drawn of a task: the stretches of its runs, the slots that did not fire, and the hours they stand at. */
#include <string.h>

#include "ctl/text.h"
#include "ctl/timeline.h"

#define HOUR 3600

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

TimelineRun timeline_run(JsonObject *run, uint64_t now)
{
    static const char *const wanted[] = { "", "success", "cancelled", "skipped", "expired", NULL };
    uint64_t waited = text_number(run, "WaitUSec");
    bool done = g_str_equal(text_member(run, "State"), "done");
    TimelineRun r = {
        .due = text_instant(run, "Due"),
        .started = text_instant(run, "Started"),
        .finished = text_instant(run, "Finished"),
        .failed = !g_strv_contains(wanted, text_member(run, "Result")),
    };

    if (r.due == UNSET)
        r.due = text_instant(run, "Asked");
    r.coming = !done && r.due != UNSET && r.due > now;
    r.waited = r.started;
    if (r.waited == UNSET)
        r.waited = !done ? now : waited != UNSET ? r.due + waited : r.due;
    if (r.finished == UNSET)
        r.finished = done ? r.waited : now;
    return r;
}

void timeline_missed(JsonObject *slot, uint64_t max, TimelineStretchFn fn, void *userdata)
{
    uint64_t last = text_instant(slot, "Nominal"), first = text_instant(slot, "First");
    uint64_t count = text_number(slot, "Count");

    if (last == UNSET)
        return;
    if (first == UNSET || first > last)
        first = last;
    /* No more than can be told apart, or how many there are is not known. */
    if (count == UNSET || count > max) {
        fn(first, last, userdata);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = count > 1 ? first + (last - first) / (count - 1) * i : last;

        fn(at, at, userdata);
    }
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
static guint timeline_step(const TimelineSpan *span, guint width)
{
    static const guint steps[] = { 1, 2, 3, 4, 6, 12, 24, 48, 96, 192 };
    double hours = (double)(span->until - span->since) / (HOUR * (double)USEC_PER_SEC);

    ARRAY_FOREACH (step, steps)
        if (span->columns * *step / hours >= width)
            return *step;
    return steps[G_N_ELEMENTS(steps) - 1];
}

/* A day's first hour is written as the day. */
static char *timeline_label(gint64 stretch, guint step)
{
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_utc(stretch * (gint64)step * HOUR);

    return t ? g_date_time_format(t, g_date_time_get_hour(t) == 0 ? "%m-%d" : "%H:%M") : g_strdup("");
}

void timeline_labels(const TimelineSpan *span, guint width, TimelineLabelFn fn, void *userdata)
{
    guint step = timeline_step(span, width);
    gint64 before = timeline_stretch(span, 0, step);

    for (guint i = 1; i < span->columns; i++) {
        gint64 stretch = timeline_stretch(span, i, step);
        g_autofree char *label = stretch != before ? timeline_label(stretch, step) : NULL;

        if (label)
            fn(i, label, userdata);
        before = stretch;
    }
}
