/* The kernel's clocks on sd-event, and a fake one with the same face. */
#include "base/clock.h"

#include <time.h>

struct Clock {
    sd_event *event; /* NULL in a fake clock */
    uint64_t fake[2];
    uint64_t fake_unseen; /* by the monotonic clock: earlier boots, and sleep */
    unsigned fake_boots;
    char boot_id[33];
    GPtrArray *timers; /* of a fake clock: the armed ones, not owned */
};

struct ClockTimer {
    Clock *clock;
    ClockBase base;
    ClockFn fn;
    void *userdata;
    sd_event_source *source;
    bool armed;
    uint64_t when;
};

static void clock_read_boot_id(Clock *c)
{
    g_autofree char *text = NULL;
    size_t n = 0;

    if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &text, NULL, NULL))
        return;
    for (const char *p = text; *p && n < sizeof c->boot_id - 1; p++)
        if (g_ascii_isxdigit(*p))
            c->boot_id[n++] = *p;
}

int clock_new(sd_event *event, Clock **ret)
{
    Clock *c = g_new0(Clock, 1);

    c->event = sd_event_ref(event);
    clock_read_boot_id(c);
    *ret = c;
    return 0;
}

int clock_new_fake(uint64_t real_usec, Clock **ret)
{
    Clock *c = g_new0(Clock, 1);

    c->fake[CLOCK_REAL] = real_usec;
    c->fake[CLOCK_BOOT] = USEC_PER_SEC;
    c->timers = g_ptr_array_new();
    clock_fake_reboot(c);
    *ret = c;
    return 0;
}

void clock_free(Clock *c)
{
    if (!c)
        return;
    sd_event_unref(c->event);
    g_clear_pointer(&c->timers, g_ptr_array_unref);
    g_free(c);
}

static uint64_t clock_read(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_real(Clock *c)
{
    return c->event ? clock_read(CLOCK_REALTIME) : c->fake[CLOCK_REAL];
}

uint64_t clock_boot(Clock *c)
{
    return c->event ? clock_read(CLOCK_BOOTTIME) : c->fake[CLOCK_BOOT];
}

uint64_t clock_monotonic(Clock *c)
{
    return c->event ? clock_read(CLOCK_MONOTONIC) : c->fake[CLOCK_BOOT] - c->fake_unseen;
}

const char *clock_boot_id(const Clock *c)
{
    return c->boot_id;
}

int clock_timer_new(Clock *c, ClockBase base, ClockFn fn, void *userdata, ClockTimer **ret)
{
    ClockTimer *t = g_new0(ClockTimer, 1);

    t->clock = c;
    t->base = base;
    t->fn = fn;
    t->userdata = userdata;
    *ret = t;
    return 0;
}

static int on_source(sd_event_source *source, uint64_t usec, void *userdata)
{
    ClockTimer *t = userdata;

    t->armed = false;
    t->fn(t->userdata);
    return 0;
}

int clock_timer_arm(ClockTimer *t, uint64_t usec)
{
    Clock *c = t->clock;
    int r;

    t->when = usec;
    if (!c->event) {
        if (!t->armed)
            g_ptr_array_add(c->timers, t);
        t->armed = true;
        return 0;
    }
    if (t->source) {
        r = sd_event_source_set_time(t->source, usec);
        if (r >= 0)
            r = sd_event_source_set_enabled(t->source, SD_EVENT_ONESHOT);
    } else {
        /* 1 ms of slack: what is due together wakes the loop once. */
        r = sd_event_add_time(c->event, &t->source, t->base == CLOCK_REAL ? CLOCK_REALTIME : CLOCK_BOOTTIME,
            usec, USEC_PER_MSEC, on_source, t);
    }
    if (r < 0)
        return r;
    t->armed = true;
    return 0;
}

void clock_timer_disarm(ClockTimer *t)
{
    if (!t->armed)
        return;
    t->armed = false;
    if (t->source)
        sd_event_source_set_enabled(t->source, SD_EVENT_OFF);
    else
        g_ptr_array_remove(t->clock->timers, t);
}

bool clock_timer_armed(const ClockTimer *t)
{
    return t->armed;
}

void clock_timer_free(ClockTimer *t)
{
    if (!t)
        return;
    clock_timer_disarm(t);
    sd_event_source_disable_unref(t->source);
    g_free(t);
}

/* The armed timer that is due first, counted from now on its own base; NULL if none is due within limit µs.
 */
static ClockTimer *clock_fake_next(Clock *c, uint64_t limit, uint64_t *ret_in)
{
    ClockTimer *best = NULL;

    for (guint i = 0; i < c->timers->len; i++) {
        ClockTimer *t = g_ptr_array_index(c->timers, i);
        uint64_t now = c->fake[t->base];
        uint64_t in = t->when > now ? t->when - now : 0;

        if (in <= limit) {
            limit = in;
            best = t;
            *ret_in = in;
        }
    }
    return best;
}

void clock_fake_advance(Clock *c, uint64_t usec)
{
    ClockTimer *t;
    uint64_t in = 0;

    g_assert(!c->event);
    while ((t = clock_fake_next(c, usec, &in))) {
        c->fake[CLOCK_REAL] += in;
        c->fake[CLOCK_BOOT] += in;
        usec -= in;
        clock_timer_disarm(t);
        t->fn(t->userdata);
    }
    c->fake[CLOCK_REAL] += usec;
    c->fake[CLOCK_BOOT] += usec;
}

void clock_fake_step(Clock *c, int64_t usec)
{
    g_assert(!c->event);
    c->fake[CLOCK_REAL] += (uint64_t)usec;
}

void clock_fake_sleep(Clock *c, uint64_t usec)
{
    g_assert(!c->event);
    c->fake[CLOCK_REAL] += usec;
    c->fake[CLOCK_BOOT] += usec;
    c->fake_unseen += usec;
}

void clock_fake_reboot(Clock *c)
{
    g_assert(!c->event);
    c->fake_unseen = c->fake[CLOCK_BOOT] - USEC_PER_SEC;
    g_snprintf(c->boot_id, sizeof c->boot_id, "%032x", ++c->fake_boots);
}

uint64_t clock_fake_due_in(Clock *c)
{
    uint64_t in = UNSET;

    g_assert(!c->event);
    return clock_fake_next(c, UNSET, &in) ? in : UNSET;
}
