/* Which slots fire late, and which are skipped. */
#include "model/slots.h"

#include <string.h>

#include "model/schedule.h"

#define WINDOW_USEC   (24 * 3600 * USEC_PER_SEC)
#define LATENESS_USEC USEC_PER_SEC
#define MINUTE_USEC   (60 * USEC_PER_SEC)
/* Slots that are counted one by one where a definition ends: a minute's for almost two years, in some tenths of a second. */
#define COUNTED_MAX 1000000

static const char *const causes[] = {
    [SLOT_NO_CAUSE] = "",
    [SLOT_BY_HAND] = "by-hand",
    [SLOT_OVERLAP] = "overlap",
    [SLOT_CALENDAR] = "calendar",
    [SLOT_PAUSED] = "paused",
    [SLOT_DISABLED] = "disabled",
    [SLOT_HOST_DOWN] = "host-down",
    [SLOT_WINDOW_PASSED] = "window-passed",
    [SLOT_DEADLINE_PASSED] = "deadline-passed",
    [SLOT_NOT_EXISTING] = "not-existing",
    [SLOT_CHANGED] = "changed",
    [SLOT_REFUSED] = "refused",
};
G_STATIC_ASSERT(G_N_ELEMENTS(causes) == _SLOT_CAUSE_MAX);

const char *slot_cause_to_string(SlotCause c)
{
    return causes[c];
}

SlotCause slot_cause_from_string(const char *s)
{
    for (size_t i = 0; i < G_N_ELEMENTS(causes); i++)
        if (strcmp(causes[i], s) == 0)
            return (SlotCause)i;
    return _SLOT_CAUSE_INVALID;
}

/* The next slot of an interval is as good as the one that passed; instants that were named are all meant. */
static CatchUp slots_catch_up(const Schedule *s)
{
    if (s->catch_up != CATCH_UP_DEFAULT)
        return s->catch_up;
    if (s->every_usec > 0)
        return CATCH_UP_NONE;
    return (s->calendars && s->calendars->len > 0) || s->rules || s->dates ? CATCH_UP_LAST : CATCH_UP_ALL;
}

/* Ends come when they come, and are always past: Overlap= says what is done where they come too fast. */
bool slots_one_by_one(const Schedule *s)
{
    return slots_catch_up(s) == CATCH_UP_ALL && !s->after;
}

/* The newest slot that is not before first (which is one) and not after last. */
static uint64_t slots_newest(const Schedule *s, uint64_t first, uint64_t last)
{
    uint64_t low = first, high = last;

    /* low is a slot, and none is after high */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2, found = schedule_next(s, middle);

        if (found <= high)
            low = found;
        else
            high = middle;
    }
    return low;
}

/* next and those after it, so many at most. What the first that is left out is, USEC_INFINITY where there is none. */
static uint64_t slots_walk(const Schedule *s, uint64_t next, uint64_t end, uint64_t max, SlotRange *ret)
{
    *ret = (SlotRange){ next, next, 1 };
    while ((next = schedule_next(s, next)) < end) {
        if (ret->count >= max)
            return next;
        ret->last = next;
        ret->count++;
    }
    return USEC_INFINITY;
}

/* Seconds of each minute there is, by whatever clock: how many come from first to last, which are such. */
static uint64_t slots_count_seconds(uint64_t seconds, uint64_t first, uint64_t last)
{
    int from = (int)(first / USEC_PER_SEC % 60), to = (int)(last / USEC_PER_SEC % 60);
    uint64_t minutes = last / MINUTE_USEC - first / MINUTE_USEC;
    uint64_t before_first = seconds & ((UINT64_C(1) << from) - 1),
             until_last = seconds & ((UINT64_C(2) << to) - 1);

    return minutes * (uint64_t)__builtin_popcountll(seconds) + (uint64_t)__builtin_popcountll(until_last) -
           (uint64_t)__builtin_popcountll(before_first);
}

/* So that a minute begins where one of UTC does. */
static bool slots_whole_minutes(const Zone *zone, uint64_t first, uint64_t last)
{
    unsigned i = zone_span(zone, (int64_t)(first / USEC_PER_SEC)),
             end = zone_span(zone, (int64_t)(last / USEC_PER_SEC));

    while (i <= end && zone->spans[i].offset % 60 == 0)
        i++;
    return i > end;
}

static bool slots_every_minute(const Calendar *c)
{
    for (int i = 0; i <= CALENDAR_YEAR_LAST - CALENDAR_YEAR_FIRST; i++)
        if (!(c->years[i / 8] >> i % 8 & 1))
            return false;
    return !c->parts && !c->either && c->minutes == CALENDAR_ALL_MINUTES && c->hours == CALENDAR_ALL_HOURS &&
           c->days == CALENDAR_ALL_DAYS && c->months == CALENDAR_ALL_MONTHS &&
           c->weekdays == CALENDAR_ALL_WEEKDAYS;
}

/* How many slots there are from first to last, which are such, where that can be said without looking at each; 0: it cannot. */
static uint64_t slots_count(const Schedule *s, uint64_t first, uint64_t last)
{
    guint calendars = s->calendars ? s->calendars->len : 0;

    if (s->rules || s->dates || (s->at && s->at->len > 0) || s->from_finish ||
        (s->window && s->on_excluded != ON_EXCLUDED_SKIP))
        return 0;
    if (s->every_usec > 0 && calendars == 0)
        return (last - first) / s->every_usec + 1;
    if (s->every_usec == 0 && calendars == 1) {
        const ScheduleCalendar *sc = g_ptr_array_index(s->calendars, 0);
        const Zone *zone = sc->zone ? sc->zone : s->zone ? s->zone : zone_local();

        if (slots_every_minute(&sc->calendar) && slots_whole_minutes(zone, first, last))
            return slots_count_seconds(sc->calendar.seconds, first, last);
    }
    return 0;
}

/* So many are looked at that it takes no longer with many entries; a rule takes longer, and most of all what is moved by days. */
static uint64_t slots_counted(const Schedule *s)
{
    guint entries = (s->calendars ? s->calendars->len : 0) + (s->rules ? 4 * s->rules->len : 0);

    if (s->window && s->on_excluded != ON_EXCLUDED_SKIP)
        return 0;
    return COUNTED_MAX / MAX(entries, 1);
}

void slots_take(const Schedule *s, uint64_t next, uint64_t end, SlotRange *ret)
{
    uint64_t last, rest = slots_walk(s, next, end, SLOTS_RANGE_MAX, ret), n;

    if (rest == USEC_INFINITY)
        return;
    last = slots_newest(s, rest, end - 1);
    n = slots_count(s, next, last);
    if (n == 0 && slots_walk(s, next, end, slots_counted(s), ret) == USEC_INFINITY)
        return;
    *ret = (SlotRange){ next, last, n };
}

uint64_t slots_next(const Schedule *s, uint64_t after)
{
    uint64_t next = schedule_next(s, after);

    return MIN(next, schedule_next_gap(s, after, next));
}

bool slots_is_gap(const Schedule *s, uint64_t next)
{
    return next > 0 && schedule_next_gap(s, next - 1, next) == next;
}

uint64_t slots_open(const Schedule *s, const GArray *by_hand, uint64_t after)
{
    do
        after = schedule_next_within(s, after, NULL);
    while (by_hand_find(by_hand, after));
    return after;
}

uint64_t slots_before(const Schedule *s, uint64_t before)
{
    uint64_t first = UNSET;

    for (uint64_t back = USEC_PER_SEC; before > 0 && first >= before; back *= 2) {
        first = schedule_next(s, before > back ? before - back - 1 : 0);
        if (back >= before)
            break;
    }
    return first < before ? slots_newest(s, first, before - 1) : UNSET;
}

/* The newest that is not after last and that nobody has skipped; next, which is one, if there is none after it. */
static uint64_t slots_newest_open(const Schedule *s, const GArray *by_hand, uint64_t next, uint64_t last)
{
    uint64_t newest = slots_newest(s, next, last);

    while (newest > next && by_hand_find(by_hand, newest))
        newest = slots_newest(s, next, newest - 1);
    return newest;
}

/* All of them are skipped for that cause, up to one that somebody has skipped, or the clock over others, and while they are in the
 * schedule's window, or outside of it, as the first is. */
static void slots_skip(const Schedule *s, const GArray *by_hand, uint64_t next, uint64_t end, SlotCause cause,
    const char *reason, SlotFate *ret)
{
    *ret = (SlotFate){ .cause = cause, .reason = reason };
    end = MIN(end, by_hand_next(by_hand, next + 1));
    end = MIN(end, schedule_next_gap(s, next, end));
    if (s->window)
        end = MIN(end, schedule_same_until(s, next));
    (void)slots_walk(s, next, end, SLOTS_RANGE_MAX, &ret->range);
}

uint64_t slots_excluded_moment(const Schedule *s, uint64_t next)
{
    uint64_t until;

    if (schedule_has(s, next, &until))
        return UNSET;
    until = schedule_same_until(s, next);
    return MIN(until - SLOTS_AHEAD_USEC, next + SLOTS_TOGETHER_USEC);
}

/* It is outside. Those of a window that is about to open are skipped ahead of their time, so that what comes then is not late. */
static void slots_decide_excluded(
    const Schedule *s, const GArray *by_hand, uint64_t next, uint64_t now, SlotFate *ret)
{
    uint64_t until = schedule_same_until(s, next);

    slots_skip(s, by_hand, next, now + SLOTS_AHEAD_USEC >= until ? until : now + 1, SLOT_CALENDAR,
        "it is outside of its calendar (Calendar=, NotCalendar=)", ret);
}

/* Of those that are late and in the window the newest, or, where some come after this window closes, that moment. */
static uint64_t slots_newest_within(const Schedule *s, const GArray *by_hand, uint64_t next, uint64_t now)
{
    uint64_t closes = s->window ? schedule_same_until(s, next) : USEC_INFINITY;

    if (closes <= now && slots_open(s, by_hand, closes - 1) <= now)
        return closes;
    return slots_newest_open(s, by_hand, next, MIN(now, closes - 1));
}

/* Those that came while nobody could act on them have another reason than those that were come to too late. */
static void slots_skip_late(const Schedule *s, const GArray *by_hand, uint64_t next, uint64_t end,
    uint64_t awake_since, SlotCause cause, const char *const reasons[2], SlotFate *ret)
{
    bool awake = next >= awake_since;

    slots_skip(s, by_hand, next, awake ? end : MIN(end, awake_since), cause, reasons[awake], ret);
}

/* It is too late to start it. */
static bool slots_pass_deadline(const Schedule *s, const GArray *by_hand, uint64_t next, uint64_t awake_since,
    uint64_t now, SlotFate *ret)
{
    static const char *const reasons[] = {
        "the host, taskschedd or its database was down, and it was too late to start it (StartDeadline=)",
        "taskschedd came to it when it was too late to start it (StartDeadline=)",
    };

    if (schedule_deadline(s, next) >= now)
        return false;
    slots_skip_late(
        s, by_hand, next, now - s->start_deadline_usec, awake_since, SLOT_DEADLINE_PASSED, reasons, ret);
    return true;
}

/* It is late, be it that it came before awake_since or that the next has come meanwhile. */
static void slots_decide_late(const Schedule *s, const GArray *by_hand, uint64_t next, uint64_t on_time,
    uint64_t awake_since, uint64_t now, SlotFate *ret)
{
    static const char *const nones[] = {
        "the host, taskschedd or its database was down, and it is not caught up (CatchUp=none)",
        "taskschedd came to it when the next one was due, and it is not caught up (CatchUp=none)",
    };
    static const char *const lasts[] = {
        "the host, taskschedd or its database was down, and only the last slot is caught up (CatchUp=last)",
        "taskschedd came to it when the next one was due, and only the last slot is caught up (CatchUp=last)",
    };
    uint64_t window = s->catch_up_window_usec > 0 ? s->catch_up_window_usec : WINDOW_USEC;
    uint64_t oldest = now > window ? now - window : 0, newest, until;
    CatchUp catch_up = slots_catch_up(s);

    if (catch_up == CATCH_UP_NONE) {
        slots_skip_late(s, by_hand, next, on_time, awake_since, SLOT_HOST_DOWN, nones, ret);
        return;
    }
    if (s->start_deadline_usec <= window && slots_pass_deadline(s, by_hand, next, awake_since, now, ret))
        return;
    if (next < oldest) {
        slots_skip(s, by_hand, next, MIN(oldest, on_time), SLOT_WINDOW_PASSED,
            "it is too late to catch it up (CatchUpWindow=)", ret);
        return;
    }
    if (!schedule_has(s, now, &until)) {
        slots_skip(s, by_hand, next, on_time, SLOT_CALENDAR,
            "it was not fired in time, and by now that is outside of its calendar (Calendar=, NotCalendar=)",
            ret);
        return;
    }
    ret->one_by_one = slots_one_by_one(s);
    newest = catch_up == CATCH_UP_LAST ? slots_newest_within(s, by_hand, next, now) : next;
    if (newest > next)
        slots_skip_late(s, by_hand, next, newest, awake_since, SLOT_HOST_DOWN, lasts, ret);
}

/* Slots from here on are not late. What Jitter= moves is not before that is over; and the newest one that came while somebody could
 * act on it is not at all. */
static uint64_t slots_on_time(const Schedule *s, uint64_t next, uint64_t awake_since, uint64_t now)
{
    uint64_t lateness = LATENESS_USEC + s->jitter_usec, on_time = now >= lateness ? now - lateness + 1 : 0,
             newest;

    if (next >= on_time)
        return on_time;
    newest = slots_newest(s, next, now);
    return newest >= awake_since ? MIN(on_time, newest) : on_time;
}

void slots_decide(const Schedule *s, const GArray *by_hand, uint64_t next, uint64_t off_until,
    uint64_t paused_until, uint64_t awake_since, uint64_t now, SlotFate *ret)
{
    uint64_t on_time = slots_on_time(s, next, awake_since, now);
    const ByHand *skipped = by_hand_find(by_hand, next);
    uint64_t until;

    *ret = (SlotFate){ true, false, { next, next, 1 }, SLOT_NO_CAUSE, "" };
    if (skipped)
        *ret = (SlotFate){ false, false, { next, next, 1 }, SLOT_BY_HAND, skipped->whom };
    else if (slots_is_gap(s, next))
        *ret = (SlotFate){ false, false, { next, next, 1 }, SLOT_NOT_EXISTING, "the clock jumped over it" };
    else if (!schedule_has(s, next, &until)) /* whatever else is said of it: it would not have fired */
        slots_decide_excluded(s, by_hand, next, now, ret);
    else if (next < off_until)
        slots_skip(s, by_hand, next, off_until, SLOT_DISABLED, "the schedule or its task was disabled", ret);
    else if (next < paused_until)
        slots_skip(s, by_hand, next, MIN(paused_until, now + 1), SLOT_PAUSED,
            "the schedule or its task was paused", ret);
    else if (next < on_time)
        slots_decide_late(s, by_hand, next, on_time, awake_since, now, ret);
    else if (!slots_pass_deadline(s, by_hand, next, awake_since, now, ret))
        ret->one_by_one = slots_one_by_one(s) && now - next >= LATENESS_USEC + s->jitter_usec;
}
