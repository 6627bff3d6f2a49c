/* Calendars that have a name: sets of days and hours which schedules share. Called almanacs here, since what expressions of
 * calendars mean is a calendar already. Pure.
 *
 * Within or not follows from what the clock of a zone shows. Nothing is written out beforehand: one looks at an instant, and
 * learns how long it stays so at least. */
#pragma once

#include "model/diag.h"
#include "model/recurrence.h"
#include "model/task.h"

/* The name of that in which no schedule of the node fires. */
#define ALMANAC_MAINTENANCE "maintenance"
#define ALMANAC_DAY_USEC    (INT64_C(24) * 3600 * (int64_t)USEC_PER_SEC)

/* Numbers of days since 1970, both ends with it. */
typedef struct AlmanacDays {
    int64_t first, last;
} AlmanacDays;

/* From so many µs behind a day's begin until that many, which may be on the next day. */
typedef struct AlmanacHours {
    int64_t from, to;
} AlmanacHours;

/* VEVENT of an iCalendar file: a time, or several, of one length. */
typedef struct AlmanacEvent {
    const Zone *zone; /* NULL: as the almanac */
    bool whole_day;   /* the times are the begin of days */
    bool recurs;
    int64_t start, length; /* µs of the local clock; more than 0 */
    Recurrence rule;       /* where it recurs */
    GArray *dates;         /* of int64_t: times beside the rule, ascending */
    GArray *excluded;      /* of int64_t: likewise what is none */
} AlmanacEvent;

struct Almanac {
    char *name; /* "" for the window of a schedule */
    char *description;
    const Zone *zone;    /* NULL: that of who asks */
    bool every_day;      /* no days are named */
    GArray *days;        /* of AlmanacDays, ascending, none in another */
    GPtrArray *patterns; /* of Calendar*, owned: of their moments the days */
    GPtrArray *events;   /* of AlmanacEvent*, owned */
    GArray *hours;       /* of AlmanacHours; none: the whole day */
    GPtrArray *includes; /* of const Almanac* */
    GPtrArray *excludes; /* likewise */
    unsigned weight;     /* how many almanacs are asked when this one is */
    bool refused;        /* it has faults */
};

Almanac *almanac_new(const char *name);
void almanac_free(Almanac *a);
/* Adds one to includes or excludes; it has to live as long. False: too many would be asked. */
bool almanac_add(Almanac *a, bool exclude, const Almanac *other);
/* At that instant; it is the same until *ret_until at least (exclusive, later than at; USEC_INFINITY: for ever). own: the zone of who
 * asks. */
bool almanac_has(const Almanac *a, const Zone *own, uint64_t at, uint64_t *ret_until);
/* So many looks a search may have that is made often. */
#define ALMANAC_LOOKS 20000u
/* True: *ret is the first instant from at on that is within, or is not. False: it is not before *ret, which is years away, and
 * USEC_INFINITY where there is none at all, to the last year of calendars. *looks is what it may cost, and then what is left; one look
 * costs as much as there are almanacs in it. */
bool almanac_next(
    const Almanac *a, const Zone *own, uint64_t at, bool within, unsigned *looks, uint64_t *ret);
/* Nothing is within, which is certain without a look at any time: all that it includes it excludes. */
bool almanac_is_void(const Almanac *a, const Zone *own);
/* Is anything of that day of the clock of `own` within? */
bool almanac_has_day(const Almanac *a, const Zone *own, int64_t day);

/* --- files --- */

/* What is known of calendars while a definition is read: an AlmanacSet. */
AlmanacSet *almanac_set_new(void);
void almanac_set_free(AlmanacSet *set);
/* A source of the almanac that it names: its file first, then drop-ins, and the iCalendar files that these name. Borrowed. */
void almanac_set_add(AlmanacSet *set, const TaskSource *source);
bool almanac_set_has(const AlmanacSet *set, const char *name);
/* Parses it, and those that it includes. NULL: there is none, or it has faults; all of these are in diags, or, where that is NULL, the
 * first is in *ret_reason. It belongs to the set. */
const Almanac *almanac_set_find(AlmanacSet *set, const char *name, DiagList *diags, char **ret_reason);
/* Sources of all that were parsed, by name; of TaskSource*, owned. */
GPtrArray *almanac_set_used(const AlmanacSet *set);
/* The sources may go now; what was parsed stays. */
void almanac_set_forget(AlmanacSet *set);
/* Names of all it has; of const char*, sorted. */
GPtrArray *almanac_set_names(const AlmanacSet *set);
/* Paths of iCalendar files that a source of a calendar names; of char*, owned. */
GPtrArray *almanac_files(const TaskSource *source);

/* almanac-ics.c: events of an iCalendar file, added to a. */
void almanac_read_events(Almanac *a, const TaskSource *source, DiagList *diags);
void almanac_event_free(AlmanacEvent *e);
/* The first time of the event that is not before from, both in µs of its clock; CALENDAR_NEVER if there is none. */
int64_t almanac_event_next(const AlmanacEvent *e, const Zone *zone, int64_t from);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Almanac, almanac_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AlmanacEvent, almanac_event_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AlmanacSet, almanac_set_free)
