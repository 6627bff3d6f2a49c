/* Is an instant within a named calendar, and how long does it stay so? */
#include "model/almanac.h"

#include <string.h>

#include "model/civil.h"

#define USEC ((int64_t)USEC_PER_SEC)
/* Of one look, those of other almanacs with it. */
#define ALMANAC_WEIGHT_MAX 64u
#define ALMANAC_END        ((uint64_t)civil_to_days(CALENDAR_YEAR_LAST + 1, 1, 1) * (uint64_t)ALMANAC_DAY_USEC)

Almanac *almanac_new(const char *name)
{
    Almanac *a = g_new0(Almanac, 1);

    a->name = g_strdup(name);
    a->description = g_strdup("");
    a->days = g_array_new(false, false, sizeof(AlmanacDays));
    a->patterns = g_ptr_array_new();
    a->events = g_ptr_array_new_with_free_func((GDestroyNotify)almanac_event_free);
    a->hours = g_array_new(false, false, sizeof(AlmanacHours));
    a->includes = g_ptr_array_new();
    a->excludes = g_ptr_array_new();
    a->weight = 1;
    return a;
}

void almanac_free(Almanac *a)
{
    if (!a)
        return;
    for (guint i = 0; i < a->patterns->len; i++) {
        calendar_clear(g_ptr_array_index(a->patterns, i));
        g_free(g_ptr_array_index(a->patterns, i));
    }
    g_free(a->name);
    g_free(a->description);
    g_array_unref(a->days);
    g_ptr_array_unref(a->patterns);
    g_ptr_array_unref(a->events);
    g_array_unref(a->hours);
    g_ptr_array_unref(a->includes);
    g_ptr_array_unref(a->excludes);
    g_free(a);
}

bool almanac_add(Almanac *a, bool exclude, const Almanac *other)
{
    if (a->weight + other->weight > ALMANAC_WEIGHT_MAX)
        return false;
    a->weight += other->weight;
    g_ptr_array_add(exclude ? a->excludes : a->includes, (gpointer)other);
    return true;
}

/* --- days --- */

/* Negative only before the epoch, where nothing is. */
static int64_t almanac_day(int64_t local)
{
    return local < 0 ? -1 : local / ALMANAC_DAY_USEC;
}

static bool almanac_days_before(const void *days, const void *day)
{
    return ((const AlmanacDays *)days)->last < *(const int64_t *)day;
}

static int64_t almanac_next_listed(const GArray *days, int64_t day)
{
    guint i = util_lower_bound(days, almanac_days_before, &day);

    return i < days->len ? MAX(g_array_index(days, AlmanacDays, i).first, day) : CALENDAR_NEVER;
}

/* Of an event of whole days the day asked for, where it lasts, or else that of its next time. */
static int64_t almanac_next_event_day(const AlmanacEvent *e, const Zone *zone, int64_t day)
{
    int64_t begin = day * ALMANAC_DAY_USEC, found = almanac_event_next(e, zone, begin - e->length + 1);

    return found == CALENDAR_NEVER ? CALENDAR_NEVER : MAX(almanac_day(found), day);
}

/* The first day of its own from that one on. */
static int64_t almanac_next_day(const Almanac *a, const Zone *zone, int64_t day)
{
    int64_t next;

    if (a->every_day)
        return day;
    next = almanac_next_listed(a->days, day);
    for (guint i = 0; i < a->patterns->len && next > day; i++) {
        int64_t found =
            calendar_next_local(g_ptr_array_index(a->patterns, i), MAX(day, 0) * ALMANAC_DAY_USEC);

        if (found != CALENDAR_NEVER)
            next = MIN(next, almanac_day(found));
    }
    for (guint i = 0; i < a->events->len && next > day; i++) {
        const AlmanacEvent *e = g_ptr_array_index(a->events, i);

        if (e->whole_day)
            next = MIN(next, almanac_next_event_day(e, zone, day));
    }
    return next;
}

/* --- what a local clock shows --- */

/* Hours of one day: does it have that time of the day? *end is brought to the next time at which that may change. */
static bool almanac_has_hour(const Almanac *a, int64_t time, int64_t *end)
{
    bool within = false;

    for (guint i = 0; i < a->hours->len; i++) {
        const AlmanacHours *h = &g_array_index(a->hours, AlmanacHours, i);

        within |= time >= h->from && time < h->to;
        if (time < h->from)
            *end = MIN(*end, h->from);
        else if (time < h->to)
            *end = MIN(*end, h->to);
    }
    return within;
}

/* Of its own days and hours; until is on the local clock as well. */
static bool almanac_has_local(const Almanac *a, const Zone *zone, int64_t local, int64_t *ret_until)
{
    int64_t day = almanac_day(local), time = local - day * ALMANAC_DAY_USEC, end = ALMANAC_DAY_USEC, next;
    bool today, before, within = false;

    if (local < 0) {
        *ret_until = 0;
        return false;
    }
    next = almanac_next_day(a, zone, day);
    today = next == day;
    if (a->hours->len == 0) {
        *ret_until = today                    ? (day + 1) * ALMANAC_DAY_USEC
                     : next == CALENDAR_NEVER ? CALENDAR_NEVER
                                              : next * ALMANAC_DAY_USEC;
        return today;
    }
    before = day > 0 && almanac_next_day(a, zone, day - 1) == day - 1;
    if (before) {
        int64_t later = end + ALMANAC_DAY_USEC;

        within = almanac_has_hour(a, time + ALMANAC_DAY_USEC, &later);
        end = MIN(end, later - ALMANAC_DAY_USEC);
    }
    if (today && almanac_has_hour(a, time, &end))
        within = true;
    /* Where neither the day nor the one before is one, nothing comes before the next that is. */
    if (!today && !before)
        *ret_until = next == CALENDAR_NEVER ? CALENDAR_NEVER : next * ALMANAC_DAY_USEC;
    else
        *ret_until = day * ALMANAC_DAY_USEC + MIN(end, ALMANAC_DAY_USEC);
    return within;
}

static bool almanac_event_has_local(
    const AlmanacEvent *e, const Zone *zone, int64_t local, int64_t *ret_until)
{
    int64_t found = almanac_event_next(e, zone, MAX(local - e->length + 1, 0));

    *ret_until = found > local ? found : found + e->length;
    return found <= local;
}

/* --- on the clock of a zone --- */

/* When the clock shows this, or is set to something else before. */
static uint64_t almanac_instant(const Zone *zone, uint64_t at, int64_t local)
{
    guint span = zone_span(zone, (int64_t)(at / USEC_PER_SEC));
    int64_t end = zone_span_end(zone, span), offset = zone->spans[span].offset * USEC;

    if (end > INT64_MAX / USEC)
        return local == CALENDAR_NEVER ? USEC_INFINITY : (uint64_t)(local - offset);
    if (local == CALENDAR_NEVER)
        return (uint64_t)(end * USEC);
    return (uint64_t)MIN(local - offset, end * USEC);
}

static int64_t almanac_show(const Zone *zone, uint64_t at)
{
    return (int64_t)at + zone->spans[zone_span(zone, (int64_t)(at / USEC_PER_SEC))].offset * USEC;
}

/* What is known of several of which one is enough: together they stay within as long as one of them does, and outside as
 * long as all do. */
typedef struct AlmanacLook {
    bool within;
    uint64_t until;
} AlmanacLook;

static void almanac_join(AlmanacLook *l, bool within, uint64_t until)
{
    if (within && l->within)
        l->until = MAX(l->until, until);
    else if (within)
        *l = (AlmanacLook){ true, until };
    else if (!l->within)
        l->until = MIN(l->until, until);
}

static AlmanacLook almanac_look_at_all(const GPtrArray *list, const Zone *zone, uint64_t at)
{
    AlmanacLook l = { false, USEC_INFINITY };

    for (guint i = 0; i < list->len; i++) {
        uint64_t until;
        bool within = almanac_has(g_ptr_array_index(list, i), zone, at, &until);

        almanac_join(&l, within, until);
    }
    return l;
}

static AlmanacLook almanac_look_at_events(const Almanac *a, const Zone *zone, uint64_t at)
{
    AlmanacLook l = { false, USEC_INFINITY };

    for (guint i = 0; i < a->events->len; i++) {
        const AlmanacEvent *e = g_ptr_array_index(a->events, i);
        const Zone *own = e->zone ? e->zone : zone;
        int64_t until;
        bool within;

        if (e->whole_day)
            continue;
        within = almanac_event_has_local(e, own, almanac_show(own, at), &until);
        almanac_join(&l, within, almanac_instant(own, at, until));
    }
    return l;
}

static bool almanac_has_own_days(const Almanac *a)
{
    return a->every_day || a->days->len > 0 || a->patterns->len > 0 || a->events->len > 0;
}

bool almanac_has(const Almanac *a, const Zone *own, uint64_t at, uint64_t *ret_until)
{
    const Zone *zone = a->zone ? a->zone : own;
    AlmanacLook l = almanac_look_at_all(a->includes, zone, at), but;

    at = MIN(at, (uint64_t)INT64_MAX / 2);
    if (almanac_has_own_days(a)) {
        AlmanacLook events = almanac_look_at_events(a, zone, at);
        int64_t until;
        bool within = almanac_has_local(a, zone, almanac_show(zone, at), &until);

        almanac_join(&l, within, almanac_instant(zone, at, until));
        almanac_join(&l, events.within, events.until);
    } else if (a->includes->len == 0) {
        l = (AlmanacLook){ true, USEC_INFINITY };
    }
    if (l.within) {
        but = almanac_look_at_all(a->excludes, zone, at);
        l = but.within ? (AlmanacLook){ false, but.until } : (AlmanacLook){ true, MIN(l.until, but.until) };
    }
    *ret_until = l.until;
    return l.within;
}

bool almanac_next(const Almanac *a, const Zone *own, uint64_t at, bool within, unsigned *looks, uint64_t *ret)
{
    uint64_t until;

    for (; *looks >= a->weight && at < ALMANAC_END; *looks -= a->weight, at = until) {
        *ret = at;
        if (almanac_has(a, own, at, &until) == within)
            return true;
    }
    *ret = at < ALMANAC_END ? at : USEC_INFINITY;
    return false;
}

/* --- without a look at any time --- */

/* Each by the zone of who asks: all that is within part is within a. */
static bool almanac_contains(const Almanac *a, const Zone *own, const Almanac *part, const Zone *own_part)
{
    const Zone *zone = a->zone ? a->zone : own;

    if (a == part)
        return a->zone || own == own_part;
    for (guint i = 0; i < a->includes->len && a->excludes->len == 0; i++)
        if (almanac_contains(g_ptr_array_index(a->includes, i), zone, part, own_part))
            return true;
    return false;
}

static bool almanac_is_excluded(
    const GPtrArray *excludes, const Zone *own, const Almanac *part, const Zone *own_part)
{
    const Zone *zone = part->zone ? part->zone : own_part;

    for (guint i = 0; i < excludes->len; i++)
        if (almanac_contains(g_ptr_array_index(excludes, i), own, part, own_part))
            return true;
    for (guint i = 0; i < part->includes->len; i++)
        if (!almanac_is_excluded(excludes, own, g_ptr_array_index(part->includes, i), zone))
            return false;
    return part->includes->len > 0 && !almanac_has_own_days(part);
}

bool almanac_is_void(const Almanac *a, const Zone *own)
{
    return almanac_is_excluded(a->excludes, a->zone ? a->zone : own, a, own);
}

bool almanac_has_day(const Almanac *a, const Zone *own, int64_t day)
{
    uint64_t begin = calendar_instant(day * ALMANAC_DAY_USEC, own),
             end = calendar_instant((day + 1) * ALMANAC_DAY_USEC, own), until;

    while (begin < end) {
        if (almanac_has(a, own, begin, &until))
            return true;
        begin = until;
    }
    return false;
}
