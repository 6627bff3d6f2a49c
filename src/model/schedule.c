/* Nominal times of a schedule. Everything follows from its definition and an instant given. */
#include "model/schedule.h"

#include "model/almanac.h"

#include <string.h>

void schedule_free(Schedule *s)
{
    if (!s)
        return;
    g_free(s->name);
    g_free(s->after);
    g_clear_pointer(&s->at, g_array_unref);
    g_clear_pointer(&s->at_changes, g_array_unref);
    g_clear_pointer(&s->calendars, g_ptr_array_unref);
    g_clear_pointer(&s->rules, g_ptr_array_unref);
    g_clear_pointer(&s->dates, g_array_unref);
    g_clear_pointer(&s->excluded, g_array_unref);
    almanac_free(s->window);
    g_clear_pointer(&s->inputs, g_hash_table_unref);
    g_free(s);
}

void schedule_calendar_free(ScheduleCalendar *c)
{
    calendar_clear(&c->calendar);
    g_free(c);
}

void schedule_rule_free(Recurrence *r)
{
    recurrence_clear(r);
    g_free(r);
}

static bool schedule_is_passed(const void *instant, const void *after)
{
    return *(const uint64_t *)instant <= *(const uint64_t *)after;
}

/* The index of the first instant after `after`, the length if there is none. */
static guint schedule_find_at(const Schedule *s, uint64_t after)
{
    return util_lower_bound(s->at, schedule_is_passed, &after);
}

static uint64_t schedule_next_every(const Schedule *s, uint64_t after)
{
    uint64_t anchor = s->from_finish ? s->anchor_usec : s->from_usec, step;

    if (s->every_usec == 0)
        return USEC_INFINITY;
    if (after < anchor)
        return anchor;
    if (__builtin_mul_overflow((after - anchor) / s->every_usec + 1, s->every_usec, &step) ||
        __builtin_add_overflow(anchor, step, &step))
        return USEC_INFINITY;
    return step;
}

static uint64_t schedule_next_at(const Schedule *s, uint64_t after)
{
    guint i = schedule_find_at(s, after);

    return s->at && i < s->at->len ? g_array_index(s->at, uint64_t, i) : USEC_INFINITY;
}

/* --- recurrence --- */

/* One rule, or the dates, without what is excluded. */
typedef struct ScheduleMoments {
    const Recurrence *rule;
    const GArray *dates;
    const GArray *excluded;
} ScheduleMoments;

static bool schedule_excluded_before(const void *excluded, const void *local)
{
    return ((const ScheduleExcluded *)excluded)->to < *(const int64_t *)local;
}

/* What it is excluded by; NULL: it is not. */
static const ScheduleExcluded *schedule_find_excluded(const GArray *excluded, int64_t local)
{
    guint i = util_lower_bound(excluded, schedule_excluded_before, &local);
    const ScheduleExcluded *e =
        excluded && i < excluded->len ? &g_array_index(excluded, ScheduleExcluded, i) : NULL;

    return e && local >= e->from ? e : NULL;
}

static int64_t schedule_next_moment(const void *set, int64_t from)
{
    const ScheduleMoments *m = set;
    const ScheduleExcluded *e;
    int64_t next;

    /* Each turn is behind one more of what is excluded. */
    do {
        next = m->rule ? recurrence_next(m->rule, from) : calendar_next_listed(m->dates, from);
        e = next == CALENDAR_NEVER ? NULL : schedule_find_excluded(m->excluded, next);
        from = e ? e->to + 1 : 0;
    } while (e);
    return next;
}

static uint64_t schedule_next_recurrence(const Schedule *s, const Zone *zone, uint64_t after)
{
    ScheduleMoments m = { NULL, s->dates, s->excluded };
    uint64_t next = USEC_INFINITY;

    if (s->dates)
        next = calendar_next_of(schedule_next_moment, &m, false, zone, s->gap, s->fold, after);
    for (guint i = 0; s->rules && i < s->rules->len; i++) {
        uint64_t found;

        m.rule = g_ptr_array_index(s->rules, i);
        found = calendar_next_of(
            schedule_next_moment, &m, recurrence_is_hourly(m.rule), zone, s->gap, s->fold, after);
        if (found <= recurrence_until(m.rule))
            next = MIN(next, found);
    }
    return next;
}

/* --- all kinds --- */

static uint64_t schedule_next_clock(const Schedule *s, uint64_t after)
{
    const Zone *own = s->zone ? s->zone : zone_local();
    uint64_t next = schedule_next_recurrence(s, own, after);

    for (guint i = 0; s->calendars && i < s->calendars->len; i++) {
        const ScheduleCalendar *c = g_ptr_array_index(s->calendars, i);

        next = MIN(next, calendar_next(&c->calendar, c->zone ? c->zone : own, s->gap, s->fold, after));
    }
    return next;
}

uint64_t schedule_next_unbounded(const Schedule *s, uint64_t after)
{
    uint64_t next = schedule_next_every(s, after);

    next = MIN(next, schedule_next_at(s, after));
    return MIN(next, schedule_next_clock(s, after));
}

/* From= and Until= are slots themselves where there is one. */
uint64_t schedule_next(const Schedule *s, uint64_t after)
{
    uint64_t found;

    if (after == USEC_INFINITY)
        return USEC_INFINITY;
    if (s->from_usec > 0)
        after = MAX(after, s->from_usec - 1);
    found = s->window && s->on_excluded != ON_EXCLUDED_SKIP ? schedule_next_moved(s, after)
                                                            : schedule_next_unbounded(s, after);
    return s->until_usec > 0 && found > s->until_usec ? USEC_INFINITY : found;
}

uint64_t schedule_runs_left(const Schedule *s, uint64_t fired)
{
    if (s->max_runs == 0)
        return UNSET;
    return s->max_runs > fired ? s->max_runs - fired : 0;
}

uint64_t schedule_deadline(const Schedule *s, uint64_t nominal)
{
    if (s->start_deadline_usec == 0 || s->start_deadline_usec >= USEC_INFINITY - nominal)
        return UNSET;
    return nominal + s->start_deadline_usec;
}

/* --- what changes of the clock do to it --- */

typedef struct ScheduleChanges {
    uint64_t after, until; /* those of this time, or */
    uint64_t slot;         /* UNSET, or that which concerns this slot */
    bool gaps;             /* only those by which a moment does not come at all */
    ClockChange first;
    bool found;
} ScheduleChanges;

static void schedule_look(ScheduleChanges *c, CalendarMoments moments, const void *set, const Zone *zone)
{
    ClockChange change;
    bool there = c->slot != UNSET ? clock_change_at(moments, set, zone, c->slot, &change)
                                  : clock_change_next(moments, set, zone, c->after, c->until, &change);

    while (there && c->gaps && change.twice)
        there = clock_change_next(moments, set, zone, change.again, c->until, &change);
    if (!there || (c->found && c->first.at <= change.at))
        return;
    c->first = change;
    c->found = true;
}

/* Of each set of moments; those with every hour run on elapsed time, as intervals do. */
static bool schedule_look_at_all(const Schedule *s, ScheduleChanges *c)
{
    const Zone *own = s->zone ? s->zone : zone_local();
    ScheduleMoments m = { NULL, s->dates, s->excluded };

    for (guint i = 0; s->calendars && i < s->calendars->len; i++) {
        const ScheduleCalendar *sc = g_ptr_array_index(s->calendars, i);

        if (sc->calendar.hours != CALENDAR_ALL_HOURS)
            schedule_look(c, calendar_moments, &sc->calendar, sc->zone ? sc->zone : own);
    }
    if (s->dates)
        schedule_look(c, schedule_next_moment, &m, own);
    m = (ScheduleMoments){ NULL, s->at_changes, NULL };
    if (s->at_changes)
        schedule_look(c, schedule_next_moment, &m, own);
    m = (ScheduleMoments){ NULL, NULL, s->excluded };
    for (guint i = 0; s->rules && i < s->rules->len; i++) {
        uint64_t until = c->until;

        m.rule = g_ptr_array_index(s->rules, i);
        if (c->gaps)
            c->until = MIN(c->until, recurrence_until(m.rule));
        if (!recurrence_is_hourly(m.rule))
            schedule_look(c, schedule_next_moment, &m, own);
        c->until = until;
    }
    return c->found;
}

bool schedule_next_change(const Schedule *s, uint64_t after, uint64_t until, ClockChange *ret)
{
    ScheduleChanges c = { .after = after, .until = until, .slot = UNSET };

    if (schedule_look_at_all(s, &c))
        *ret = c.first;
    return c.found;
}

uint64_t schedule_next_gap(const Schedule *s, uint64_t after, uint64_t until)
{
    ScheduleChanges c = {
        .until = s->until_usec > 0 ? MIN(until, s->until_usec - 1) : until, .slot = UNSET, .gaps = true
    };
    uint64_t gap;

    if (s->gap != CALENDAR_GAP_SKIP || until == 0)
        return UNSET;
    c.after = MAX(after + 1, s->from_usec > 0 ? s->from_usec - 1 : 0);
    c.until = MIN(c.until, (uint64_t)INT64_MAX) + 1;
    while (schedule_look_at_all(s, &c)) {
        for (gap = c.first.at - 1; schedule_next(s, gap - 1) == gap; gap--)
            ;
        if (gap > after)
            return gap;
        c.after = c.first.at;
        c.found = false;
    }
    return UNSET;
}

char *schedule_tell_gap(const Schedule *s, uint64_t gap)
{
    ScheduleChanges c = { .after = gap, .until = INT64_MAX, .slot = UNSET, .gaps = true };

    return schedule_look_at_all(s, &c) ? clock_change_tell(&c.first, s->gap, s->fold) : g_strdup("");
}

bool schedule_change_at(const Schedule *s, uint64_t slot, ClockChange *ret)
{
    ScheduleChanges c = { .slot = slot };

    if (schedule_look_at_all(s, &c))
        *ret = c.first;
    return c.found;
}

bool schedule_is_drawn(const Schedule *s, uint64_t slot)
{
    const Zone *own = s->zone ? s->zone : zone_local();

    for (guint i = 0; slot > 0 && s->calendars && i < s->calendars->len; i++) {
        const ScheduleCalendar *c = g_ptr_array_index(s->calendars, i);

        if (c->drawn &&
            calendar_next(&c->calendar, c->zone ? c->zone : own, s->gap, s->fold, slot - 1) == slot)
            return true;
    }
    return false;
}

uint64_t schedule_jitter(const Schedule *s, const char *node, const char *task, uint64_t nominal)
{
    g_autofree char *seed = NULL, *digest = NULL;

    if (s->jitter_usec == 0)
        return 0;
    seed =
        g_strdup_printf("%s\n%s/%s\n%" G_GUINT64_FORMAT, node, task, s->name, s->jitter_fixed ? 0 : nominal);
    digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, seed, -1);
    digest[16] = 0;
    return g_ascii_strtoull(digest, NULL, 16) % (s->jitter_usec + 1);
}
