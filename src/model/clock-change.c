/* Around each change of a zone's clock, which moments are affected. */
#include "model/clock-change.h"

#include "model/civil.h"

#define SHIFT_USEC      ((uint64_t)ZONE_SHIFT_MAX * USEC_PER_SEC)
#define USEC_PER_MINUTE (60 * (int64_t)USEC_PER_SEC)
#define USEC_PER_DAY    (24 * 60 * USEC_PER_MINUTE)

static int64_t clock_change_show(const Zone *z, guint span, int64_t utc)
{
    return utc + z->spans[span].offset * (int64_t)USEC_PER_SEC;
}

static uint64_t clock_change_instant(const Zone *z, guint span, int64_t local)
{
    return (uint64_t)(local - z->spans[span].offset * (int64_t)USEC_PER_SEC);
}

/* What the clock shows twice because it is set back when this span begins. */
static bool clock_change_back(
    CalendarMoments moments, const void *set, const Zone *z, guint span, int64_t start, ClockChange *ret)
{
    int64_t local = moments(set, clock_change_show(z, span, start));

    if (local >= clock_change_show(z, span - 1, start))
        return false;
    *ret = (ClockChange){ local, true, clock_change_instant(z, span - 1, local),
        clock_change_instant(z, span, local), z };
    return true;
}

/* What it does not show because it is set forward then; where another change makes that good, it is shown after all. */
static bool clock_change_forward(
    CalendarMoments moments, const void *set, const Zone *z, guint span, int64_t start, ClockChange *ret)
{
    int64_t end = clock_change_show(z, span, start), local = clock_change_show(z, span - 1, start);

    for (local = moments(set, local); local < end; local = moments(set, local + 1)) {
        if (calendar_show(calendar_instant(local, z), z) == local)
            continue;
        *ret = (ClockChange){ local, false, (uint64_t)start, UNSET, z };
        return true;
    }
    return false;
}

static bool clock_change_of(
    CalendarMoments moments, const void *set, const Zone *z, guint span, int64_t start, ClockChange *ret)
{
    return z->spans[span].offset > z->spans[span - 1].offset
               ? clock_change_forward(moments, set, z, span, start, ret)
               : clock_change_back(moments, set, z, span, start, ret);
}

bool clock_change_next(CalendarMoments moments, const void *set, const Zone *zone, uint64_t after,
    uint64_t until, ClockChange *ret)
{
    until = MIN(until, (uint64_t)INT64_MAX);
    if (after >= until)
        return false;
    for (guint i = zone_span(zone, (int64_t)(after / USEC_PER_SEC)) + 1; i < zone->n; i++) {
        int64_t start = zone->spans[i].start * (int64_t)USEC_PER_SEC;

        if (start > (int64_t)until)
            return false;
        if (start > (int64_t)after && clock_change_of(moments, set, zone, i, start, ret))
            return true;
    }
    return false;
}

/* --- a single one --- */

static int64_t clock_change_only(const void *set, int64_t from)
{
    const int64_t *only = set;

    return from <= *only ? *only : CALENDAR_NEVER;
}

bool clock_change_at(
    CalendarMoments moments, const void *set, const Zone *zone, uint64_t slot, ClockChange *ret)
{
    int64_t local = calendar_show(slot, zone);
    uint64_t after = slot > SHIFT_USEC ? slot - SHIFT_USEC : 0;

    if (moments(set, local) != local) /* it stands for another */
        return slot > 0 && clock_change_next(moments, set, zone, slot - 1, slot, ret) && !ret->twice;
    while (clock_change_next(clock_change_only, &local, zone, after, slot + SHIFT_USEC, ret)) {
        if (ret->twice && (ret->at == slot || ret->again == slot))
            return true;
        after = ret->again != UNSET ? ret->again : ret->at;
    }
    return false;
}

/* --- for people --- */

/* "02:30", with seconds where there are any. */
static char *clock_change_time(int64_t local)
{
    int64_t minutes = local % USEC_PER_DAY / USEC_PER_MINUTE,
            seconds = local % USEC_PER_MINUTE / (int64_t)USEC_PER_SEC;

    return seconds ? g_strdup_printf("%02d:%02d:%02d", (int)(minutes / 60), (int)(minutes % 60), (int)seconds)
                   : g_strdup_printf("%02d:%02d", (int)(minutes / 60), (int)(minutes % 60));
}

static char *clock_change_date(int64_t local)
{
    static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July",
        "August", "September", "October", "November", "December" };
    CivilDate d = civil_from_days(local / USEC_PER_DAY);

    return g_strdup_printf("%d %s %d", d.day, months[d.month - 1], d.year);
}

char *clock_change_tell(const ClockChange *c, CalendarGap gap, CalendarFold fold)
{
    static const char *const times[] = { [CALENDAR_FOLD_FIRST] = "the first time",
        [CALENDAR_FOLD_LAST] = "the last time",
        [CALENDAR_FOLD_BOTH] = "both times" };
    g_autofree char *date = clock_change_date(c->local), *time = clock_change_time(c->local);
    g_autofree char *instead = clock_change_time(calendar_show(c->at, c->zone));

    if (c->twice)
        return g_strdup_printf("on %s %s comes twice, and this fires %s", date, time, times[fold]);
    if (gap == CALENDAR_GAP_SKIP)
        return g_strdup_printf("on %s this does not fire, for %s does not exist", date, time);
    return g_strdup_printf("on %s this fires at %s, for %s does not exist", date, instead, time);
}

char *clock_change_note(const ClockChange *c, uint64_t slot)
{
    g_autofree char *time = clock_change_time(c->local);

    if (!c->twice)
        return g_strdup_printf("for %s, which does not exist", time);
    return g_strdup_printf("the %s %s of two", c->at == slot ? "first" : "second", time);
}
