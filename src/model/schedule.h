/* When a schedule fires: nominal times in real µs. Pure. */
#pragma once

#include "model/clock-change.h"
#include "model/task.h"

void schedule_free(Schedule *s);
void schedule_calendar_free(ScheduleCalendar *c);
void schedule_rule_free(Recurrence *r);
/* The first nominal time after `after` (exclusive), from From= to Until=, moved as OnExcluded= says, be it in its window or not; USEC_INFINITY if there is none. Every= is
 * anchored to from_usec, so that a restart changes nothing. */
uint64_t schedule_next(const Schedule *s, uint64_t after);
/* The same before OnExcluded=, From= and Until=. */
uint64_t schedule_next_unbounded(const Schedule *s, uint64_t after);
/* schedule-window.c: the same with OnExcluded=. */
uint64_t schedule_next_moved(const Schedule *s, uint64_t after);
/* Is that instant in its window? It stays so until *ret_until at least. Where it has none it always is. */
bool schedule_has(const Schedule *s, uint64_t at, uint64_t *ret_until);
/* Until when an instant's being in its window, or not, does not change, at least. It has one. */
uint64_t schedule_same_until(const Schedule *s, uint64_t at);
/* The window that is open at `from` closes then; `from` where none is open. What is later than now is to be asked again by then: it
 * closes no earlier. USEC_INFINITY: never. */
uint64_t schedule_window_end(const Schedule *s, uint64_t from, uint64_t now);
/* The first nominal time after `after` that is in its window. Not in sight: USEC_INFINITY, and *ret_never, where that
 * is not NULL, says whether it is certain that there is none, for which it is looked further. */
uint64_t schedule_next_within(const Schedule *s, uint64_t after, bool *ret_never);
/* schedule-seconds.c: is there a minute in each second of which one of its OnCalendar=, Cron=, RRule= and Every= fires? Where it is certain;
 * what is in sight only after many slots counts as none. */
bool schedule_is_secondly(const Schedule *s);
/* How many of its slots may still fire, when so many have; UNSET: there is no limit. */
uint64_t schedule_runs_left(const Schedule *s, uint64_t fired);
/* By when the run of that slot has to be started; UNSET: whenever that is. */
uint64_t schedule_deadline(const Schedule *s, uint64_t nominal);
/* The next change of the clock, after `after` and not after `until`, by which a moment of it comes not at all or twice.
 * Intervals and what has every hour go on evenly: they are not concerned. */
bool schedule_next_change(const Schedule *s, uint64_t after, uint64_t until, ClockChange *ret);
/* The one that makes this slot stand for a moment that does not exist, or be one of two. */
bool schedule_change_at(const Schedule *s, uint64_t slot, ClockChange *ret);
/* It is one of Cron= that is drawn from the names of task and schedule. */
bool schedule_is_drawn(const Schedule *s, uint64_t slot);
/* With DST=skip: where the clock next jumps over moments of it, for which nothing stands. The last instant before the jump that
 * is no slot, which is one microsecond before it; after `after` and not after `until`, and UNSET if there is none. */
uint64_t schedule_next_gap(const Schedule *s, uint64_t after, uint64_t until);
/* In a sentence for people; g_free. */
char *schedule_tell_gap(const Schedule *s, uint64_t gap);
/* How much later than nominal the slot is due: from 0 to Jitter=, drawn from these names and, but for FixedJitter=, the
 * slot's time. The same ones always give the same. */
uint64_t schedule_jitter(const Schedule *s, const char *node, const char *task, uint64_t nominal);
