/* Chance, the trace, and events in the order of the fake clock. */
#include "sim.h"

#include <stdio.h>
#include <string.h>

/* While there are windows: ten minutes after midnight, or in the hour after that. */
#define BEGIN_REAL    (1799971800 * USEC_PER_SEC)
#define BEGIN_SECONDS 3600

typedef struct Event {
    uint64_t when, seq, number, wanted;
    const uint64_t *generation;
    SimFn fn;
    void *data;
    GDestroyNotify free;
} Event;

Sim sim;

/* --- chance: splitmix64 --- */

static uint64_t next_chance(void)
{
    uint64_t z = (sim.chance += 0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

uint64_t sim_draw(uint64_t n)
{
    return n > 0 ? next_chance() % n : 0;
}

bool sim_chance(unsigned percent)
{
    return sim_draw(100) < percent;
}

uint64_t sim_between(uint64_t low, uint64_t high)
{
    return low + sim_draw(high - low + 1);
}

uint64_t sim_latency(void)
{
    uint64_t usec = sim_between(50, 2000);

    if (sim_now() < sim.slow_until || sim_chance(2))
        usec += sim_between(1, 3000) * USEC_PER_MSEC;
    return usec;
}

uint64_t sim_now(void)
{
    return clock_boot(sim.clock);
}

uint64_t sim_real(void)
{
    return clock_real(sim.clock);
}

uint64_t sim_monotonic(void)
{
    return clock_monotonic(sim.clock);
}

/* --- the trace --- */

static void mix(uint64_t n)
{
    sim.hash = (sim.hash ^ n) * 0x100000001b3;
    sim.hash ^= sim.hash >> 29;
}

void sim_trace(const char *what, uint64_t a, uint64_t b, uint64_t c)
{
    for (const char *p = what; *p; p++)
        mix((unsigned char)*p);
    mix(sim_now());
    mix(a);
    mix(b);
    mix(c);
    if (sim.told)
        printf("# %12.6f %-28s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n",
            (double)sim_now() / (double)USEC_PER_SEC, what, (gint64)a, (gint64)b, (gint64)c);
}

void sim_fail(const char *format, ...)
{
    va_list ap;

    if (sim.broken)
        return;
    sim.broken = true;
    va_start(ap, format);
    sim.why = g_strdup_vprintf(format, ap);
    va_end(ap);
    sim_trace("BROKEN", 0, 0, 0);
    if (sim.told)
        printf("# %s\n", sim.why);
}

/* --- events: a binary heap --- */

static bool event_before(const Event *a, const Event *b)
{
    return a->when < b->when || (a->when == b->when && a->seq < b->seq);
}

static Event *event_get(guint i)
{
    return g_ptr_array_index(sim.events, i);
}

static void event_swap(guint i, guint j)
{
    gpointer e = sim.events->pdata[i];

    sim.events->pdata[i] = sim.events->pdata[j];
    sim.events->pdata[j] = e;
}

static void event_push(Event *e)
{
    guint i = sim.events->len;

    g_ptr_array_add(sim.events, e);
    for (; i > 0 && event_before(event_get(i), event_get((i - 1) / 2)); i = (i - 1) / 2)
        event_swap(i, (i - 1) / 2);
}

static Event *event_pop(void)
{
    Event *first = event_get(0);
    guint i = 0, least;

    event_swap(0, sim.events->len - 1);
    g_ptr_array_set_size(sim.events, (gint)sim.events->len - 1);
    for (;;) {
        least = i;
        for (guint child = 2 * i + 1; child <= 2 * i + 2 && child < sim.events->len; child++)
            if (event_before(event_get(child), event_get(least)))
                least = child;
        if (least == i)
            return first;
        event_swap(i, least);
        i = least;
    }
}

static bool event_is_stale(const Event *e)
{
    return e->generation && *e->generation != e->wanted;
}

static void event_drop(Event *e)
{
    if (e->free)
        e->free(e->data);
    g_free(e);
}

void sim_at_if(
    uint64_t when, SimFn fn, void *data, uint64_t number, const uint64_t *generation, GDestroyNotify free)
{
    Event *e = g_new(Event, 1);

    *e = (Event){ MAX(when, sim_now()), sim.seq++, number, generation ? *generation : 0, generation, fn, data,
        free };
    event_push(e);
}

void sim_at(uint64_t when, SimFn fn, void *data, uint64_t number)
{
    sim_at_if(when, fn, data, number, NULL, NULL);
}

/* A timer of the daemon's that is due together with an event comes first. */
bool sim_step(uint64_t limit)
{
    uint64_t in, now = sim_now(), when = UNSET;
    Event *e;

    while (sim.events->len > 0 && event_is_stale(event_get(0)))
        event_drop(event_pop());
    if (sim.events->len > 0)
        when = event_get(0)->when;
    in = clock_fake_due_in(sim.clock);
    if (in != UNSET && now + in <= MIN(when, limit)) {
        sim_trace("timer", in, 0, 0);
        clock_fake_advance(sim.clock, in);
        sim.steps++;
        sim.timers++;
        return true;
    }
    if (sim.events->len == 0 || when > limit) {
        if (limit != UNSET && limit > now)
            clock_fake_advance(sim.clock, limit - now);
        return false;
    }
    if (when > now)
        clock_fake_advance(sim.clock, when - now);
    e = event_pop();
    e->fn(e->data, e->number);
    g_free(e);
    sim.steps++;
    return true;
}

void sim_reset(uint64_t seed)
{
    sim_clear();
    sim.seed = sim.chance = seed;
    sim.hash = 0xcbf29ce484222325;
    sim.events = g_ptr_array_new();
    clock_new_fake(BEGIN_REAL + sim_draw(BEGIN_SECONDS) * USEC_PER_SEC, &sim.clock);
    g_random_set_seed((guint32)sim_draw(UINT32_MAX));
    if (!sim.loop)
        sd_event_new(&sim.loop);
}

void sim_clear(void)
{
    bool told = sim.told;
    sd_event *loop = sim.loop;

    for (guint i = 0; sim.events && i < sim.events->len; i++)
        event_drop(event_get(i));
    g_clear_pointer(&sim.events, g_ptr_array_unref);
    g_clear_pointer(&sim.clock, clock_free);
    g_free(sim.why);
    sim = (Sim){ .told = told, .loop = loop };
}
