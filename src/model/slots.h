/* What becomes of the slots of a schedule: whether one that is due fires, and which of those that passed are skipped.
 * Everything follows from the schedule, from where its ledger has come to, and from the time. Pure. */
#pragma once

#include "model/by-hand.h"

typedef enum SlotCause {
    SLOT_NO_CAUSE,
    SLOT_BY_HAND,
    SLOT_OVERLAP,
    SLOT_CALENDAR,
    SLOT_PAUSED,
    SLOT_DISABLED, /* it, or its task, was disabled at the time */
    SLOT_HOST_DOWN,
    SLOT_WINDOW_PASSED,
    SLOT_DEADLINE_PASSED,
    SLOT_NOT_EXISTING, /* the clock jumped over it */
    SLOT_CHANGED,      /* before it could be settled the schedule became another, or was deleted */
    SLOT_REFUSED,      /* its run could not be asked for */
    _SLOT_CAUSE_MAX,
    _SLOT_CAUSE_INVALID = -EINVAL,
} SlotCause;

const char *slot_cause_to_string(SlotCause c);
SlotCause slot_cause_from_string(const char *s);

/* Slots in a row with one cause: so many at most are one range, the rest is the next one. */
#define SLOTS_RANGE_MAX 20000

typedef struct SlotRange {
    uint64_t first, last;
    uint64_t count; /* 0: not counted */
} SlotRange;

typedef struct SlotFate {
    bool fires;      /* the first one, alone */
    bool one_by_one; /* it is caught up, and not before the run of the one before it is done */
    SlotRange range; /* else these are skipped */
    SlotCause cause;
    const char *reason; /* a sentence without its end; of SLOT_BY_HAND who it was */
} SlotFate;

/* Slots outside of a window are skipped together, so long behind the first of them at the latest; and so long before it opens. */
#define SLOTS_TOGETHER_USEC (3600 * USEC_PER_SEC)
#define SLOTS_AHEAD_USEC    (USEC_PER_SEC / 5)

/* When a slot that is outside of its schedule's window is skipped; UNSET: it is not outside. */
uint64_t slots_excluded_moment(const Schedule *s, uint64_t next);
/* Of next, which is a slot and due, and of as many after it as are skipped for the same cause. Slots before off_until passed
 * while it was disabled; those before paused_until do not fire either, and are skipped as they come: none after now. Those that
 * somebody has skipped (of ByHand, NULL is none) are so for that, whatever else is the case; then those outside of the schedule's window are, and what is late while that is
 * closed is not caught up. Lateness below 1 s (of scheduling
 * itself) always fires, and so does, however late, one that came since slots are acted on without a break (awake_since; UNSET: they are
 * not) until the next has come: it is only we who are slow. */
void slots_decide(const Schedule *s, const GArray *by_hand, uint64_t next, uint64_t off_until,
    uint64_t paused_until, uint64_t awake_since, uint64_t now, SlotFate *ret);
/* Its slots are caught up one by one. */
bool slots_one_by_one(const Schedule *s);
/* next and all slots after it that are before end. They are not counted where they are more than a million (of one entry; less of
 * several and of rules), and neither an interval's alone nor seconds of every minute. */
void slots_take(const Schedule *s, uint64_t next, uint64_t end, SlotRange *ret);
/* The first time after `after` that gets an entry of the ledger: a slot, or where DST=skip leaves out what the clock jumps over;
 * USEC_INFINITY if there is none. */
uint64_t slots_next(const Schedule *s, uint64_t after);
/* It is such a jump. */
bool slots_is_gap(const Schedule *s, uint64_t next);
/* The first slot after `after` that is in the window and that nobody has skipped; USEC_INFINITY if there is none. */
uint64_t slots_open(const Schedule *s, const GArray *by_hand, uint64_t after);
/* The last slot before it; UNSET if there is none. */
uint64_t slots_before(const Schedule *s, uint64_t before);
