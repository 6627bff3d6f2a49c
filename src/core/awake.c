/* Since when slots are acted on without a break. A real clock that went on otherwise than the monotonic one was set, or the host slept:
 * what was due in between came while nobody was there. */
#include "core/internal.h"

#define BREAK_USEC USEC_PER_SEC

void awake_begin(Awake *a, Clock *clock)
{
    a->since = a->real = clock_real(clock);
    a->monotonic = clock_monotonic(clock);
}

uint64_t awake_since(Awake *a, Clock *clock)
{
    uint64_t real = clock_real(clock), monotonic = clock_monotonic(clock);
    int64_t jumped = (int64_t)(real - a->real) - (int64_t)(monotonic - a->monotonic);

    if (jumped < -(int64_t)BREAK_USEC || jumped > (int64_t)BREAK_USEC)
        a->since = real;
    a->real = real;
    a->monotonic = monotonic;
    return a->since;
}
