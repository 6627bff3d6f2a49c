/* The past and the coming day, by task: read from the lists, and drawn as lines of signs or as a picture. */
#pragma once

#include <json-glib/json-glib.h>

#include "ctl/ctl.h"

/* What there is of a task; members as on the bus. Owned. */
typedef struct TimelineTask {
    char *name;
    JsonArray *runs;   /* of ListRuns */
    JsonArray *missed; /* of ListSlots */
    JsonArray *coming; /* of ListNext */
} TimelineTask;

typedef struct TimelineSpan {
    uint64_t since, until, now; /* real µs; since is before until */
    guint columns;              /* signs in a line, or the like; 1 and up */
} TimelineSpan;

typedef struct Timeline {
    Ctl *ctl;
    const char *task; /* NULL: all */
    TimelineSpan span;
    GTree *tasks;    /* name → TimelineTask */
    GHashTable *ids; /* of runs that are there already */
    bool cut;        /* a list was longer than is read */
} Timeline;

/* Reads what the command line asks for, into t, which is cleared whatever comes; an exit code, with what is wrong said. */
int timeline_open(Ctl *ctl, Timeline *t);
void timeline_clear(Timeline *t);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Timeline, timeline_clear)
/* All of it, as --json wants it. */
void timeline_json(const Timeline *t);
/* Says if not all was read. */
void timeline_note(const Timeline *t);

/* --- pure, but for the zone of local times --- */

TimelineTask *timeline_task_new(const char *name);
void timeline_task_free(void *task);

/* It waited from when it was due until it was started, or until its end or now if it never was; then it ran, until its end or
 * now. Real µs, UNSET where not known. */
typedef struct TimelineRun {
    uint64_t due, waited, started, finished;
    bool coming; /* due is to come */
    bool failed; /* at its end */
} TimelineRun;

TimelineRun timeline_run(JsonObject *run, uint64_t now);

typedef void (*TimelineStretchFn)(uint64_t from, uint64_t to, void *userdata);
/* When those of a row of ListSlots would have been. Of several in a row only the first and the last are known: the others are
 * taken to lie evenly between them; more than max are one stretch. */
void timeline_missed(JsonObject *slot, uint64_t max, TimelineStretchFn fn, void *userdata);

typedef void (*TimelineLabelFn)(guint column, const char *label, void *userdata);
/* The hours of the clock here, with width columns or more from one to the next. */
void timeline_labels(const TimelineSpan *span, guint width, TimelineLabelFn fn, void *userdata);

/* Has it anything to show in this time? */
bool timeline_task_shows(const TimelineTask *t, const TimelineSpan *span);
/* Its line, without the name; g_free. */
char *timeline_line(const TimelineTask *t, const TimelineSpan *span, bool colours);
/* The hours above the lines; g_free. */
char *timeline_hours(const TimelineSpan *span);
