/* When a schedule fires: nominal times in real µs. Pure. */
#pragma once

#include "model/task.h"

void schedule_free(Schedule *s);
void schedule_calendar_free(ScheduleCalendar *c);
void schedule_rule_free(Recurrence *r);
/* The first nominal time after `after` (exclusive), from From= to Until=; USEC_INFINITY if there is none. Every= is
 * anchored to from_usec, so that a restart changes nothing. */
uint64_t schedule_next(const Schedule *s, uint64_t after);
/* How much later than nominal the slot is due: from 0 to Jitter=, drawn from these names and, but for FixedJitter=, the
 * slot's time. The same ones always give the same. */
uint64_t schedule_jitter(const Schedule *s, const char *node, const char *task, uint64_t nominal);
/* A slot that was due at nominal and is handled at now: still to be fired? Instants (At=) are caught up within a day, of a
 * calendar the last slot that passed is, intervals are not caught up. lateness below 1 s (of scheduling itself), and
 * below Jitter=, always fires. */
bool schedule_catches_up(const Schedule *s, uint64_t nominal, uint64_t now);
/* The slot nominal does not catch up at now: the newest one up to which none is. *ret_reason says why. */
uint64_t schedule_last_missed(const Schedule *s, uint64_t nominal, uint64_t now, const char **ret_reason);
