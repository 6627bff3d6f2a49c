/* Days as lines of signs, one for each task. Pure, but for the zone of local times. */
#pragma once

#include <json-glib/json-glib.h>

#include "base/util.h"

/* What there is of a task; members as on the bus. Owned. */
typedef struct TimelineTask {
    char *name;
    JsonArray *runs;   /* of ListRuns */
    JsonArray *missed; /* of ListSlots */
    JsonArray *coming; /* of ListNext */
} TimelineTask;

typedef struct TimelineSpan {
    uint64_t since, until, now; /* real µs; since is before until */
    guint columns;              /* signs in a line, 1 and up */
} TimelineSpan;

TimelineTask *timeline_task_new(const char *name);
void timeline_task_free(void *task);
/* Has it anything to show in this time? */
bool timeline_task_shows(const TimelineTask *t, const TimelineSpan *span);
/* Its line, without the name; g_free. */
char *timeline_line(const TimelineTask *t, const TimelineSpan *span, bool colours);
/* The hours above the lines; g_free. */
char *timeline_hours(const TimelineSpan *span);
