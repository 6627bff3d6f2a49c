/* Claims what is due, as much as there is room for. What is due next is known from the last claim and from
 * what was asked since; one timer stands for it, so nothing due means no query. */
#include "core/internal.h"

#define CLAIM_MAX  256
#define AHEAD_USEC (STORE_CLAIM_AHEAD_MSEC * USEC_PER_MSEC)
/* Units of ours, running or ended: the manager's cost for each grows with their number. */
#define LOADED_MAX  1000
#define IN_VAIN_MAX 6 /* 3.2 s between claims, at most */
#define AT_ONCE     0 /* whatever the clock says by then: it may be set back before a claim is possible */

struct Dispatcher {
    Manager *manager;
    uint64_t due; /* real µs from which a claim is worth while; UNSET: nothing waits */
    bool claiming;
    unsigned in_vain; /* claims in a row that found nothing, though something was due by our clock */
    ClockTimer *timer;
    ClockTimer *again; /* of the clock that nobody sets: a claim is repeated */
};

static void dispatcher_act(Dispatcher *d);

static void on_due(void *userdata)
{
    dispatcher_act(userdata);
}

static void on_again(void *userdata)
{
    Dispatcher *d = userdata;

    d->due = AT_ONCE;
    dispatcher_act(d);
}

static void claim_again(Dispatcher *d, uint64_t in_usec)
{
    clock_timer_arm(d->again, clock_boot(d->manager->clock) + in_usec);
}

Dispatcher *dispatcher_new(Manager *m)
{
    Dispatcher *d = g_new0(Dispatcher, 1);

    d->manager = m;
    d->due = UNSET;
    if (clock_timer_new(m->clock, CLOCK_REAL, on_due, d, &d->timer) < 0 ||
        clock_timer_new(m->clock, CLOCK_BOOT, on_again, d, &d->again) < 0)
        g_clear_pointer(&d, dispatcher_free);
    return d;
}

void dispatcher_free(Dispatcher *d)
{
    if (!d)
        return;
    clock_timer_free(d->timer);
    clock_timer_free(d->again);
    g_free(d);
}

/* What is due is the database's to say. Where its clock is behind ours, what we think due is not yet: it is asked for
 * again after a while, and not at once and again. */
static uint64_t dispatcher_next(Dispatcher *d, unsigned found, uint64_t next_due)
{
    uint64_t now = clock_real(d->manager->clock);

    if (found > 0 || next_due == UNSET || next_due > now + AHEAD_USEC) {
        d->in_vain = 0;
        return next_due;
    }
    d->in_vain = MIN(d->in_vain + 1, IN_VAIN_MAX);
    claim_again(d, AHEAD_USEC << d->in_vain);
    return UNSET;
}

static void on_claimed(int r, GPtrArray *runs, uint64_t next_due, void *userdata)
{
    Dispatcher *d = userdata;
    Manager *m = d->manager;

    d->claiming = false;
    if (r < 0) {
        if (r == -ENOTCONN)
            return; /* asked again when the store is back */
        claim_again(d, USEC_PER_SEC);
    } else {
        d->due = MIN(d->due, dispatcher_next(d, runs->len, next_due));
        for (guint i = 0; i < runs->len; i++) {
            StoreRun *run = g_ptr_array_index(runs, i);

            runs->pdata[i] = NULL;
            engine_claimed(m->engine, &run);
        }
        m->n_waiting -= MIN(m->n_waiting, runs->len);
        manager_update(m);
    }
    dispatcher_act(d);
}

static void dispatcher_act(Dispatcher *d)
{
    Manager *m = d->manager;
    unsigned loaded = engine_n_attempts(m->engine);
    uint64_t now = clock_real(m->clock);

    if (d->claiming || !manager_may_start(m) || !engine_is_reconciled(m->engine))
        return;
    if (d->due == UNSET) {
        clock_timer_disarm(d->timer);
        return;
    }
    if (d->due > now + AHEAD_USEC) {
        clock_timer_arm(d->timer, d->due - AHEAD_USEC);
        return;
    }
    if (loaded >= LOADED_MAX)
        return; /* the next release wakes us */
    d->due = UNSET;
    clock_timer_disarm(d->again);
    d->claiming = store_claim(m->store, MIN(CLAIM_MAX, LOADED_MAX - loaded), on_claimed, d) >= 0;
    if (!d->claiming)
        d->due = AT_ONCE;
}

void dispatcher_due(Dispatcher *d, uint64_t due)
{
    if (due != UNSET)
        d->due = MIN(d->due, due);
    dispatcher_act(d);
}

void dispatcher_asking(Dispatcher *d)
{
    dispatcher_due(d, AT_ONCE);
}

void dispatcher_asked(Dispatcher *d, uint64_t due)
{
    if (!d->claiming)
        dispatcher_due(d, due);
}

void dispatcher_wake(Dispatcher *d)
{
    dispatcher_act(d);
}
