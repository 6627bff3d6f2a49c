/* When a schedule fires: nominal times in real µs. Pure. */
#pragma once

#include "model/task.h"

void schedule_free(Schedule *s);
void schedule_calendar_free(ScheduleCalendar *c);
/* The first nominal time after `after` (exclusive); USEC_INFINITY if there is none. Every= is anchored to
 * from_usec, so that a restart changes nothing. */
uint64_t schedule_next(const Schedule *s, uint64_t after);
/* A slot that was due at nominal and is handled at now: still to be fired? Instants (At=) are caught up within a day, of a
 * calendar the last slot that passed is, intervals are not caught up. lateness below 1 s (of scheduling itself) always
 * fires. */
bool schedule_catches_up(const Schedule *s, uint64_t nominal, uint64_t now);
/* The slot nominal does not catch up at now: the newest one up to which none is. *ret_reason says why. */
uint64_t schedule_last_missed(const Schedule *s, uint64_t nominal, uint64_t now, const char **ret_reason);
