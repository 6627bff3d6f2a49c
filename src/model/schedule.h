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
