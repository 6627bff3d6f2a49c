/* Does a schedule fire every second? Its entries are judged together, by what they come to. */
#include "model/schedule.h"

#define MINUTE_USEC (60 * USEC_PER_SEC)
#define SECONDS_ALL 60
#define SECONDS_LOOKS                                                                                        \
    10000 /* slots that a search looks at: it is for definitions, which are read while others wait */

/* What says each of its instants is not judged, nor an interval of a second, which says it outright. */
static Schedule seconds_judged(const Schedule *s)
{
    Schedule judged = *s;

    judged.at = NULL;
    judged.dates = NULL;
    if (s->from_finish || s->every_usec <= USEC_PER_SEC)
        judged.every_usec = 0;
    return judged;
}

/* How many seconds of a minute there are at most: most schedules need no search. */
static uint64_t seconds_most(const Schedule *s)
{
    uint64_t n = s->every_usec > 0 ? MINUTE_USEC / s->every_usec + 1 : 0;

    for (guint i = 0; s->calendars && i < s->calendars->len; i++) {
        const ScheduleCalendar *c = g_ptr_array_index(s->calendars, i);

        n += (uint64_t)__builtin_popcountll(calendar_seconds(&c->calendar));
    }
    for (guint i = 0; s->rules && i < s->rules->len; i++) {
        const Recurrence *r = g_ptr_array_index(s->rules, i);

        n += r->frequency < RECURRENCE_SECONDLY ? (uint64_t)__builtin_popcountll(r->seconds)
                                                : SECONDS_ALL / MIN(r->interval, SECONDS_ALL);
    }
    return n;
}

/* The first second of a minute in which nothing fires; SECONDS_ALL: there is none. */
static unsigned seconds_gap(const Schedule *s, uint64_t minute, unsigned *looks)
{
    unsigned second = 0;

    for (; second<SECONDS_ALL && * looks> 0; (*looks)--, second++) {
        uint64_t at = minute + second * USEC_PER_SEC;

        if (schedule_next_unbounded(s, at - 1) >= at + USEC_PER_SEC)
            break;
    }
    return second;
}

/* Of intervals and rules, by looking at them for a minute's worth of slots. */
static uint64_t seconds_next_other(const Schedule *s, unsigned second, uint64_t after, unsigned *looks)
{
    Schedule others = *s;
    uint64_t at = after;

    others.calendars = NULL;
    for (unsigned i = 0; i <= SECONDS_ALL && *looks > 0; i++, (*looks)--) {
        at = schedule_next_unbounded(&others, at);
        if (at == USEC_INFINITY || at / USEC_PER_SEC % SECONDS_ALL == second)
            return at;
    }
    return USEC_INFINITY;
}

/* When something fires in that second of a minute again. */
static uint64_t seconds_next(const Schedule *s, unsigned second, uint64_t after, unsigned *looks)
{
    uint64_t next = seconds_next_other(s, second, after, looks);

    for (guint i = 0; s->calendars && i < s->calendars->len; i++) {
        const ScheduleCalendar *sc = g_ptr_array_index(s->calendars, i);
        const Zone *own = s->zone ? s->zone : zone_local();
        Calendar c = sc->calendar; /* its parts are lent */

        c.seconds = calendar_seconds(&c) & UINT64_C(1) << second;
        c.parts = NULL;
        if (c.seconds)
            next = MIN(next, calendar_next(&c, sc->zone ? sc->zone : own, s->gap, s->fold, after));
    }
    return next;
}

/* From a minute in which a second is missing to the next in which that one is there, until none is missing. */
bool schedule_is_secondly(const Schedule *s)
{
    Schedule judged = seconds_judged(s);
    unsigned looks = SECONDS_LOOKS, gap;
    uint64_t at;

    if (seconds_most(&judged) < SECONDS_ALL)
        return false;
    for (at = schedule_next_unbounded(&judged, MINUTE_USEC); at != USEC_INFINITY && looks > 0;) {
        uint64_t minute = at - at % MINUTE_USEC;

        gap = seconds_gap(&judged, minute, &looks);
        if (gap == SECONDS_ALL)
            return true;
        at = seconds_next(&judged, gap, minute + MINUTE_USEC - 1, &looks);
    }
    return false;
}
