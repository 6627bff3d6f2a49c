/* What a change of the clock does to moments of a set: it jumps over them, or shows them twice. Pure. */
#pragma once

#include "model/calendar.h"

typedef struct ClockChange {
    int64_t local;  /* the moment, µs of the local clock */
    bool twice;     /* else the clock jumps over it */
    uint64_t at;    /* the instant of the jump; of a moment that comes twice, the first of them */
    uint64_t again; /* the second; UNSET */
    const Zone *zone;
} ClockChange;

/* The next moment of the set that this happens to, where the clock is changed after `after` (exclusive) and not after
 * `until`; of several that one change concerns, the first. False: there is none. */
bool clock_change_next(CalendarMoments moments, const void *set, const Zone *zone, uint64_t after,
    uint64_t until, ClockChange *ret);
/* Likewise for the one moment that the clock shows, or jumped over, at the instant of a slot. */
bool clock_change_at(
    CalendarMoments moments, const void *set, const Zone *zone, uint64_t slot, ClockChange *ret);

/* For people, g_free. A sentence without its end: "on 29 March 2026 this fires at 03:00, for 02:30 does not exist". */
char *clock_change_tell(const ClockChange *c, CalendarGap gap, CalendarFold fold);
/* And a few words about one slot: "for 02:30, which does not exist", "the first 02:30 of two". */
char *clock_change_note(const ClockChange *c, uint64_t slot);
