/* Recurrence rules the slow way, for tests. */
#pragma once

#include "model/recurrence.h"

/* The first n moments of a rule that has begun which are behind `after`, in seconds of the local clock, as far as
 * they are before `end`; how many there are. Every day from the start on is looked at, and of rules of hours and less every second.
 * -1: it would take too long. */
int recurrence_brute(const Recurrence *r, int64_t after, int64_t end, int64_t *ret, int n);
