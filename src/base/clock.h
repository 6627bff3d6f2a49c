/* Time and timers as the daemon sees them, so that a test can put a clock of its own in place of the
 * kernel's. All times are µs. "Real" is CLOCK_REALTIME since the epoch, for instants that people name; "boot"
 * is CLOCK_BOOTTIME, for spans: it runs on through suspend and no one can set it. "Monotonic" is CLOCK_MONOTONIC, which
 * no one can set either and which stands still in suspend: for what is compared with entries of the journal, since
 * these have it. */
#pragma once

#include <systemd/sd-event.h>

#include "base/util.h"

typedef struct Clock Clock;
typedef struct ClockTimer ClockTimer;

typedef enum ClockBase {
    CLOCK_REAL,
    CLOCK_BOOT,
} ClockBase;

typedef void (*ClockFn)(void *userdata);

/* The kernel's clocks, timers on the loop. The clock keeps a reference on event. */
int clock_new(sd_event *event, Clock **ret);
/* A clock that stands still until clock_fake_advance() moves it; needs no loop. */
int clock_new_fake(uint64_t real_usec, Clock **ret);
void clock_free(Clock *c);

uint64_t clock_real(Clock *c);
uint64_t clock_boot(Clock *c);
uint64_t clock_monotonic(Clock *c);
/* Which boot of the host these two count in: 32 hex digits, "" where the kernel does not say. */
const char *clock_boot_id(const Clock *c);

/* A timer that calls fn once each time it is armed. It is not armed at first. Freed by clock_timer_free(),
 * also from within fn. All timers of a clock are freed before it. */
int clock_timer_new(Clock *c, ClockBase base, ClockFn fn, void *userdata, ClockTimer **ret);
/* Fire at this instant of the timer's base, or in this iteration where it is past; replaces an earlier
 * instant. */
int clock_timer_arm(ClockTimer *t, uint64_t usec);
void clock_timer_disarm(ClockTimer *t);
bool clock_timer_armed(const ClockTimer *t);
void clock_timer_free(ClockTimer *t);

/* Fake clocks only: both clocks move by usec, and due timers fire in their order, each at its own instant. */
void clock_fake_advance(Clock *c, uint64_t usec);
/* Fake clocks only: the real clock is set, as by an administrator; spans are not touched. */
void clock_fake_step(Clock *c, int64_t usec);
/* Fake clocks only: the host sleeps so long; what becomes due meanwhile is late. */
void clock_fake_sleep(Clock *c, uint64_t usec);
/* Fake clocks only: another boot, whose monotonic clock begins anew. Timers are of the daemon, and with it gone before. */
void clock_fake_reboot(Clock *c);
/* Fake clocks only: µs until the first armed timer is due, 0 where one is past; UNSET: none is armed. */
uint64_t clock_fake_due_in(Clock *c);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Clock, clock_free)
