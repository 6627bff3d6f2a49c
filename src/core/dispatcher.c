/* Claims what is due, as much as there is room for. What is due next is known from the last claim and from
 * what was asked since; one timer stands for it, so nothing due means no query. Another stands for the first deadline of
 * what waits: a claim for which there may be no room ends what is too late. */
#include "core/internal.h"

#include "base/log.h"

#define CLAIM_MAX  256
#define AHEAD_USEC (STORE_CLAIM_AHEAD_MSEC * USEC_PER_MSEC)
/* Units of ours, running or ended: the manager's cost for each grows with their number. */
#define LOADED_MAX  1000
#define IN_VAIN_MAX 6 /* 3.2 s between claims, at most */
#define AT_ONCE     0 /* whatever the clock says by then: it may be set back before a claim is possible */

struct Dispatcher {
    Manager *manager;
    uint64_t due;      /* real µs from which a claim is worth while; UNSET: nothing waits */
    uint64_t deadline; /* the first of a run that waits; likewise */
    bool claiming;
    unsigned room;    /* of the claim that is under way */
    uint64_t asked;   /* boot µs: when it was asked for */
    unsigned in_vain; /* claims in a row that found nothing, though something was due by our clock */
    ClockTimer *timer;
    ClockTimer *deadlines;
    bool again_deadline; /* it is repeated for the sake of one */
    ClockTimer *again;   /* of the clock that nobody sets: a claim is repeated */
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
    if (d->again_deadline)
        d->deadline = AT_ONCE;
    d->again_deadline = false;
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
    d->due = d->deadline = UNSET;
    if (clock_timer_new(m->clock, CLOCK_REAL, on_due, d, &d->timer) < 0 ||
        clock_timer_new(m->clock, CLOCK_REAL, on_due, d, &d->deadlines) < 0 ||
        clock_timer_new(m->clock, CLOCK_BOOT, on_again, d, &d->again) < 0)
        g_clear_pointer(&d, dispatcher_free);
    return d;
}

void dispatcher_free(Dispatcher *d)
{
    if (!d)
        return;
    clock_timer_free(d->timer);
    clock_timer_free(d->deadlines);
    clock_timer_free(d->again);
    g_free(d);
}

/* What is due, and what too late, is the database's to say. Where its clock is behind ours, what we think so is not yet: it is
 * asked for again after a while, and not at once and again. */
static void dispatcher_take_next(Dispatcher *d, const StoreClaimed *c)
{
    uint64_t now = clock_real(d->manager->clock);
    bool due = d->room > 0 && c->runs->len == 0 && c->next_due != UNSET && c->next_due <= now + AHEAD_USEC;
    bool late = c->next_deadline < now;

    d->deadline = late ? UNSET : c->next_deadline;
    if (!due)
        d->due = MIN(d->due, c->next_due);
    if (!due && !late) {
        d->in_vain = 0;
        return;
    }
    d->in_vain = MIN(d->in_vain + 1, IN_VAIN_MAX);
    d->again_deadline = late;
    claim_again(d, AHEAD_USEC << d->in_vain);
}

/* It is over, is held, or has to give way and has a unit here. */
static void dispatcher_take_change(Dispatcher *d, const StoreChange *c)
{
    Manager *m = d->manager;

    if (run_state_is_under_way(c->state)) {
        engine_cancelled(m->engine, c->run, c->cause_at);
        return;
    }
    if (c->state == RUN_DONE) {
        m->n_waiting -= MIN(m->n_waiting, 1);
        log_message(LOG_NOTICE, &(LogContext){ .message_id = LOG_ID_RUN_ENDED, .run = c->run },
            "Run %" G_GUINT64_FORMAT " ended: %s, %s", c->run, run_result_to_string(c->result), c->reason);
    }
    manager_run_changed(m, c->run, c->state, c->result);
}

static void on_claimed(int r, const StoreClaimed *c, void *userdata)
{
    Dispatcher *d = userdata;
    Manager *m = d->manager;
    uint64_t asked = d->asked; /* what follows may claim again */

    d->claiming = false;
    if (r < 0) {
        if (r == -ENOTCONN)
            return; /* asked again when the store is back */
        d->again_deadline = true;
        claim_again(d, USEC_PER_SEC);
    } else {
        dispatcher_take_next(d, c);
        for (guint i = 0; i < c->runs->len; i++) {
            StoreRun *run = g_ptr_array_index(c->runs, i);

            c->runs->pdata[i] = NULL;
            engine_claimed(m->engine, &run, asked);
        }
        m->n_waiting -= MIN(m->n_waiting, c->runs->len);
        for (guint i = 0; i < c->changes->len; i++)
            dispatcher_take_change(d, &g_array_index(c->changes, StoreChange, i));
        manager_update(m);
    }
    dispatcher_act(d);
}

/* How many may be claimed now. */
static unsigned dispatcher_room(const Dispatcher *d)
{
    const Manager *m = d->manager;
    unsigned loaded = engine_n_attempts(m->engine);

    if (!manager_may_start(m) || !engine_is_reconciled(m->engine) || loaded >= LOADED_MAX)
        return 0; /* who changes that wakes us, be it the next release */
    return MIN(CLAIM_MAX, LOADED_MAX - loaded);
}

static void dispatcher_claim(Dispatcher *d, unsigned room)
{
    if (room > 0)
        d->due = UNSET;
    d->deadline = UNSET;
    d->room = room;
    d->asked = clock_boot(d->manager->clock);
    clock_timer_disarm(d->again);
    d->again_deadline = false;
    d->claiming = store_claim(d->manager->store, room, on_claimed, d) >= 0;
    if (!d->claiming)
        d->due = d->deadline = AT_ONCE;
}

static void dispatcher_arm(ClockTimer *timer, uint64_t at)
{
    if (at == UNSET)
        clock_timer_disarm(timer);
    else
        clock_timer_arm(timer, at);
}

static void dispatcher_act(Dispatcher *d)
{
    const Manager *m = d->manager;
    uint64_t now = clock_real(m->clock);
    unsigned room;

    if (d->claiming || !m->store_up || m->state != MANAGER_RUNNING)
        return;
    room = dispatcher_room(d);
    if (d->deadline < now || (room > 0 && d->due != UNSET && d->due <= now + AHEAD_USEC)) {
        dispatcher_claim(d, room);
        return;
    }
    dispatcher_arm(d->timer, room == 0 || d->due == UNSET ? UNSET : d->due - AHEAD_USEC);
    dispatcher_arm(d->deadlines, d->deadline == UNSET ? UNSET : d->deadline + 1);
}

void dispatcher_deadline(Dispatcher *d, uint64_t deadline)
{
    d->deadline = MIN(d->deadline, deadline);
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
