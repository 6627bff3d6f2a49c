/* When a schedule fires: nominal times in real µs. Pure. */
#pragma once

#include "model/task.h"

void schedule_free(Schedule *s);
/* The first nominal time after `after` (exclusive); USEC_INFINITY if there is none. Every= is anchored to
 * from_usec, so that a restart changes nothing. */
uint64_t schedule_next(const Schedule *s, uint64_t after);
/* A slot that was due at nominal and is handled at now: still to be fired? Calendar-like schedules (At=) are
 * caught up within a day, intervals are not caught up. lateness below 1 s (of scheduling itself) always
 * fires. */
bool schedule_catches_up(const Schedule *s, uint64_t nominal, uint64_t now);
