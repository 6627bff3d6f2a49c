/* What every store does, be it the one on PostgreSQL or the twin that the simulation has in its place. */
#include "contract.h"

Fixture *contract_fixture;
#define f contract_fixture

static StoreRun *claim_one(GPtrArray **ret)
{
    *ret = fixture_claim(f, 1, NULL);
    g_assert_cmpuint((*ret)->len, ==, 1);
    return (*ret)->pdata[0];
}

/* A token asks once, whether the second asking comes later or in the same batch. */
static void test_token(void)
{
    Asked a, b, c;

    fixture_ask_begin(f, "twice", 0, 0, &a);
    fixture_ask_begin(f, "twice", 0, 0, &b);
    fixture_until(f, &a.answered);
    fixture_until(f, &b.answered);
    g_assert_true(a.asked.fresh);
    g_assert_false(b.asked.fresh);
    g_assert_cmpuint(a.asked.run, ==, b.asked.run);
    c = fixture_ask(f, "twice", 5, 0);
    g_assert_false(c.asked.fresh);
    g_assert_cmpuint(a.asked.run, ==, c.asked.run);
    g_assert_cmpint(fixture_cancel(f, a.asked.run).c.state, ==, RUN_DONE);
}

/* Higher priority first, then who was due first; what is not due is left, and told of to the microsecond. */
static void test_order(void)
{
    uint64_t now = clock_real(f->clock), next;
    uint64_t later = now + 3600 * USEC_PER_SEC + 7;
    uint64_t low = fixture_ask(f, "low", -1, now - 5 * USEC_PER_SEC).asked.run;
    uint64_t second = fixture_ask(f, "second", 0, now - 1 * USEC_PER_SEC).asked.run;
    uint64_t first = fixture_ask(f, "first", 0, now - 2 * USEC_PER_SEC).asked.run;
    Asked waits = fixture_ask(f, "later", 100, later);
    g_autoptr(GPtrArray) runs = fixture_claim(f, 2, &next);
    g_autoptr(GPtrArray) rest = NULL;
    g_autoptr(GPtrArray) none = NULL;

    g_assert_cmpint(waits.asked.state, ==, RUN_WAITING);
    g_assert_cmpuint(waits.asked.due, ==, later);
    g_assert_cmpuint(runs->len, ==, 2);
    g_assert_cmpuint(((StoreRun *)runs->pdata[0])->id, ==, first);
    g_assert_cmpuint(((StoreRun *)runs->pdata[1])->id, ==, second);
    g_assert_cmpuint(((StoreRun *)runs->pdata[0])->fence, !=, ((StoreRun *)runs->pdata[1])->fence);
    g_assert_cmpuint(next, ==, now - 5 * USEC_PER_SEC);
    rest = fixture_claim(f, 10, &next);
    g_assert_cmpuint(rest->len, ==, 1);
    g_assert_cmpuint(((StoreRun *)rest->pdata[0])->id, ==, low);
    g_assert_cmpuint(next, ==, later);
    g_assert_cmpint(fixture_cancel(f, waits.asked.run).c.state, ==, RUN_DONE);
    none = fixture_claim(f, 10, &next);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_cmpuint(next, ==, UNSET);
}

static void test_again(void)
{
    g_autoptr(GPtrArray) first = NULL;
    g_autoptr(GPtrArray) second = NULL;
    uint64_t run = fixture_ask(f, "again", 0, 0).asked.run;
    StoreOwner o = fixture_owner(claim_one(&first)), p;
    StoreEnd e = fixture_ending(&o, RUN_EXIT_CODE), last;
    const StoreRun *r;
    Outcome out;
    unsigned n;

    e.again = true;
    e.again_in_usec = 0;
    out = fixture_end(f, &e);
    g_assert_cmpint(out.r, ==, STORE_RECORDED);
    g_assert_cmpint(out.result, ==, RUN_EXIT_CODE);
    g_assert_cmpint(out.state, ==, RUN_WAITING);
    g_assert_cmpint(fixture_end(f, &e).r, ==, STORE_RECORDED_BEFORE);
    p = fixture_owner(claim_one(&second));
    g_assert_cmpuint(p.run, ==, run);
    g_assert_cmpuint(p.attempt, ==, 2);
    g_assert_cmpstr(p.token, !=, o.token);
    g_assert_cmpint(fixture_end(f, &e).r, ==, STORE_RECORDED_BEFORE);
    g_assert_cmpint(fixture_requeue(f, &p).r, ==, STORE_RECORDED);
    g_assert_cmpint(fixture_requeue(f, &p).r, ==, STORE_RECORDED_BEFORE);
    g_assert_cmpint(fixture_running(f, &p).r, ==, STORE_NOT_YOURS);
    g_ptr_array_unref(g_steal_pointer(&second));
    p = fixture_owner(claim_one(&second));
    g_assert_cmpuint(p.attempt, ==, 3);
    last = fixture_ending(&p, RUN_SUCCESS);
    g_assert_cmpint(fixture_end(f, &last).state, ==, RUN_DONE);
    /* It is told how the run ended, not how that attempt did. */
    out = fixture_end(f, &e);
    g_assert_cmpint(out.r, ==, STORE_RECORDED_BEFORE);
    g_assert_cmpint(out.state, ==, RUN_DONE);
    g_assert_cmpint(out.result, ==, RUN_SUCCESS);
    r = fixture_get(f, run, &n);
    g_assert_cmpint(r->result, ==, RUN_SUCCESS);
    g_assert_cmpuint(n, ==, 3);
}

typedef struct Cause {
    RunResult cause;  /* recorded by stopping, NONE for none */
    bool cancel;      /* and cancelled */
    bool earlier;     /* the process had ended before that */
    RunResult expect; /* of an end by signal that asks for another attempt */
    RunState state;
    bool killed; /* by us, for the cause */
} Cause;

static void test_cause(void)
{
    static const Cause causes[] = {
        { RUN_RESULT_NONE, false, false, RUN_SIGNAL, RUN_WAITING },
        { RUN_TIMEOUT, false, false, RUN_TIMEOUT, RUN_WAITING },
        { RUN_TIMEOUT, false, true, RUN_SIGNAL, RUN_WAITING },
        { RUN_TIMEOUT, true, false, RUN_TIMEOUT, RUN_DONE },
        { RUN_RESULT_NONE, true, false, RUN_CANCELLED, RUN_DONE },
        { RUN_RESULT_NONE, true, true, RUN_SIGNAL, RUN_DONE },
        /* The clock was set back meanwhile. */
        { RUN_RESULT_NONE, true, true, RUN_CANCELLED, RUN_DONE, .killed = true },
        { RUN_TIMEOUT, false, true, RUN_TIMEOUT, RUN_WAITING, .killed = true },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(causes); i++) {
        const Cause *c = &causes[i];
        g_autofree char *token = g_strdup_printf("cause-%u", i);
        g_autoptr(GPtrArray) runs = NULL;
        uint64_t run = fixture_ask(f, token, 0, 0).asked.run, at = UNSET;
        StoreOwner o = fixture_owner(claim_one(&runs));
        StoreEnd e = fixture_ending(&o, RUN_SIGNAL);
        Outcome out = fixture_running(f, &o);

        if (c->cause != RUN_RESULT_NONE) {
            out = fixture_stopping(f, &o, c->cause);
            g_assert_cmpint(out.r, ==, STORE_RECORDED);
            g_assert_cmpint(out.result, ==, c->cause);
            at = out.at;
            g_assert_cmpint(fixture_stopping(f, &o, RUN_CANCELLED).result, ==, c->cause);
        }
        if (c->cancel) {
            Cancelled x = fixture_cancel(f, run);

            g_assert_cmpint(x.c.state, ==, c->cause == RUN_RESULT_NONE ? RUN_RUNNING : RUN_STOPPING);
            g_assert_cmpuint(x.c.cause_at, !=, UNSET);
            at = x.c.cause_at;
        }
        e.again = true;
        e.again_in_usec = 3600 * USEC_PER_SEC;
        e.killed = c->killed;
        e.finished = at == UNSET ? UNSET : at + (uint64_t)(c->earlier ? -1 : 0);
        out = fixture_end(f, &e);
        g_assert_cmpint(out.r, ==, STORE_RECORDED);
        g_assert_cmpint(out.result, ==, c->expect);
        g_assert_cmpint(out.state, ==, c->state);
        fixture_cancel(f, run);
    }
}

/* In each state. */
static void test_cancel(void)
{
    g_autoptr(GPtrArray) runs = NULL;
    uint64_t far = clock_real(f->clock) + 3600 * USEC_PER_SEC;
    uint64_t waiting = fixture_ask(f, "c-waiting", 0, far).asked.run;
    uint64_t queued = fixture_ask(f, "c-queued", 0, 0).asked.run;
    uint64_t live;
    StoreOwner o;
    Cancelled c = fixture_cancel(f, waiting);

    g_assert_cmpint(c.c.state, ==, RUN_DONE);
    g_assert_cmpint(c.c.result, ==, RUN_CANCELLED);
    g_assert_false(c.c.before);
    c = fixture_cancel(f, queued);
    g_assert_cmpint(c.c.state, ==, RUN_DONE);
    g_assert_false(c.c.before);
    c = fixture_cancel(f, queued);
    g_assert_true(c.c.before);
    g_assert_cmpint(c.c.result, ==, RUN_CANCELLED);
    g_assert_cmpstr(fixture_get(f, queued, NULL)->reason, ==, "cancelled by bob");
    g_assert_cmpint(fixture_cancel(f, 999999).r, ==, -ENOENT);

    live = fixture_ask(f, "c-starting", 0, 0).asked.run;
    o = fixture_owner(claim_one(&runs));
    c = fixture_cancel(f, live);
    g_assert_cmpint(c.c.state, ==, RUN_STARTING);
    g_assert_false(c.c.before);
    /* Given back, it does not wait again: it is done. */
    g_assert_cmpint(fixture_requeue(f, &o).result, ==, RUN_CANCELLED);
    g_assert_cmpint(fixture_get(f, live, NULL)->state, ==, RUN_DONE);
    g_assert_cmpint(fixture_get(f, live, NULL)->result, ==, RUN_CANCELLED);
}

/* What is asked for in the order of a run's life is one transaction; against it, it is several, in that
 * order.
 */
static void test_batch_order(void)
{
    g_autoptr(GPtrArray) runs = NULL;
    uint64_t run = fixture_ask(f, "order", 0, 0).asked.run;
    StoreOwner o = fixture_owner(claim_one(&runs));
    StoreEnd e = fixture_ending(&o, RUN_SUCCESS);
    Outcome running = { 0 }, stopping = { 0 }, end = { 0 }, late = { 0 };

    store_running(f->store, &o, "aabb", UNSET, fixture_on_outcome, &running);
    store_stopping(f->store, &o, RUN_TIMEOUT, "too long", fixture_on_outcome, &stopping);
    store_end(f->store, &e, fixture_on_end, &end);
    store_running(f->store, &o, "aabb", UNSET, fixture_on_outcome, &late);
    g_assert_cmpuint(store_pending(f->store), ==, 4);
    fixture_until(f, &late.answered);
    g_assert_cmpuint(store_pending(f->store), ==, 0);
    g_assert_cmpint(running.r, ==, STORE_RECORDED);
    g_assert_cmpint(stopping.r, ==, STORE_RECORDED);
    g_assert_cmpint(end.r, ==, STORE_RECORDED);
    g_assert_cmpint(end.result, ==, RUN_TIMEOUT);
    g_assert_cmpint(late.r, ==, STORE_RECORDED_BEFORE);
    g_assert_cmpstr(fixture_get(f, run, NULL)->reason, ==, "too long");
}

static StoreAsk slot_ask(const char *token, uint64_t previous, uint64_t nominal)
{
    return (StoreAsk){
        .requester = "taskschedd",
        .requester_uid = UNSET,
        .token = token,
        .task = "slots",
        .revision = f->revision,
        .queue = "default",
        .schedule = "nightly",
        .nominal = nominal,
        .previous = previous,
        .grace_usec = 1,
    };
}

static StoreAsked fire(const char *token, uint64_t previous, uint64_t nominal)
{
    StoreAsk ask = slot_ask(token, previous, nominal);
    Asked a;

    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    g_assert_cmpint(a.r, ==, 0);
    if (a.asked.fresh)
        g_assert_cmpint(fixture_cancel(f, a.asked.run).c.state, ==, RUN_DONE);
    return a.asked;
}

/* A slot fires once, whoever asks and with whatever token, and only from where the ledger has come to; so with those that are
 * skipped. Whoever is wrong about that is told. */
static void test_slot(void)
{
    static const char *const schedules[] = { "nightly", NULL };
    uint64_t nominal = 1700000000 * USEC_PER_SEC + 123456;
    StoreAsk ask = slot_ask("slot-1", UNSET, nominal);
    StoreAsked asked;
    Asked a, b, again;
    Skipped k;

    fixture_put(f, "slots", "[]", schedules);
    fixture_ask_plain(f, &ask, &a);
    ask.token = "slot-1-by-another";
    fixture_ask_plain(f, &ask, &b);
    ask.token = "slot-1";
    fixture_ask_plain(f, &ask, &again);
    fixture_until(f, &a.answered);
    fixture_until(f, &b.answered);
    fixture_until(f, &again.answered);
    g_assert_cmpuint(a.asked.run, >, 0);
    g_assert_true(a.asked.fresh);
    g_assert_cmpuint(a.asked.last, ==, nominal);
    g_assert_cmpuint(b.asked.run, ==, 0);
    g_assert_false(b.asked.fresh);
    g_assert_cmpuint(b.asked.last, ==, nominal);
    g_assert_cmpuint(again.asked.run, ==, a.asked.run);
    g_assert_cmpuint(fixture_get(f, a.asked.run, NULL)->nominal, ==, nominal);
    g_assert_cmpint(fixture_cancel(f, a.asked.run).c.state, ==, RUN_DONE);
    k = fixture_skip(f, "slots", "nightly", nominal - 1, nominal + 1, nominal + 2, 2);
    g_assert_cmpint(k.r, ==, 0);
    g_assert_cmpuint(k.last, ==, nominal);
    k = fixture_skip(f, "slots", "nightly", nominal, nominal + 1, nominal + 2, 2);
    g_assert_cmpint(k.r, ==, 1);
    k = fixture_skip(f, "slots", "nightly", nominal, nominal + 1, nominal + 2, 2);
    g_assert_cmpint(k.r, ==, 0);
    g_assert_cmpuint(k.last, ==, nominal + 2);
    asked = fire("slot-2", nominal, nominal + 3);
    g_assert_cmpuint(asked.run, ==, 0);
    g_assert_cmpuint(asked.last, ==, nominal + 2);
    g_assert_true(fire("slot-2", nominal + 2, nominal + 3).fresh);
    g_assert_cmpint(fixture_skip(f, "slots", "weekly", UNSET, nominal, nominal, 1).r, ==, -ENOENT);
    ask.token = "slot-of-before";
    ask.revision++;
    fixture_ask_plain(f, &ask, &b);
    fixture_until(f, &b.answered);
    g_assert_cmpint(b.r, ==, -ENOENT);
    ask.revision--;
    ask.schedule = "weekly";
    ask.token = "slot-of-none";
    fixture_ask_plain(f, &ask, &b);
    fixture_until(f, &b.answered);
    g_assert_cmpint(b.r, ==, -ENOENT);
}

/* A schedule that is made anew under the name of another passes the slots that the other fired. */
static void test_slot_anew(void)
{
    static const char *const schedules[] = { "nightly", NULL };
    uint64_t nominal = 1710000000 * USEC_PER_SEC;
    StoreAsked first, again;

    g_assert_cmpint(fixture_delete(f, "slots"), ==, 0);
    fixture_put(f, "slots", "[]", schedules);
    first = fire("anew", UNSET, nominal);
    g_assert_true(first.fresh);
    g_assert_cmpint(fixture_delete(f, "slots"), ==, 0);
    fixture_put(f, "slots", "[]", schedules);
    again = fire("anew", UNSET, nominal);
    g_assert_false(again.fresh);
    g_assert_cmpuint(again.run, ==, first.run);
    g_assert_cmpuint(again.last, ==, nominal);
    g_assert_true(fire("anew-2", nominal, nominal + 1).fresh);
}

StoreAsked contract_ask(const StoreAsk *ask)
{
    Asked a;

    fixture_ask_plain(f, ask, &a);
    fixture_until(f, &a.answered);
    g_assert_cmpint(a.r, ==, 0);
    return a.asked;
}

Asked contract_fire_bounded(const char *token, uint64_t previous, uint64_t nominal, uint64_t max_runs)
{
    StoreAsk ask = slot_ask(token, previous, nominal);
    Asked a;

    ask.task = "bounded";
    ask.schedule = "a";
    ask.max_runs = max_runs;
    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    if (a.asked.fresh)
        g_assert_cmpint(fixture_cancel(f, a.asked.run).c.state, ==, RUN_DONE);
    return a;
}

void contract_assert_fired(Asked a, bool fresh, uint64_t last, uint64_t fired)
{
    if (a.r != 0)
        g_error("%s", a.error);
    g_assert_cmpint(a.r, ==, 0);
    g_assert_cmpint(a.asked.fresh, ==, fresh);
    g_assert_cmpuint(a.asked.last, ==, last);
    g_assert_cmpuint(a.asked.fired, ==, fired);
}

void contract_anew(void)
{
    fixture_free(f);
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
}

/* What fires is counted, and not beyond the greatest number: neither what was skipped nor what was asked for twice, nor what
 * another schedule of the name had fired. A new definition goes on counting, a schedule that is made anew begins. */
static void test_bounded(void)
{
    static const char *const schedules[] = { "a", "b", NULL };
    uint64_t t = 1720000000 * USEC_PER_SEC;

    fixture_put(f, "bounded", "[1]", schedules);
    contract_assert_fired(contract_fire_bounded("b-1", UNSET, t, 2), true, t, 1);
    contract_assert_fired(contract_fire_bounded("b-1", UNSET, t, 2), false, t, 1);
    contract_assert_fired(contract_fire_bounded("b-1-by-another", UNSET, t, 2), false, t, 1);
    g_assert_cmpint(fixture_skip(f, "bounded", "a", t, t + 1, t + 3, 3).r, ==, 1);
    contract_assert_fired(contract_fire_bounded("b-2", t + 3, t + 4, 2), true, t + 4, 2);
    contract_assert_fired(contract_fire_bounded("b-3", t + 4, t + 5, 2), false, t + 4, 2);
    g_assert_cmpuint(contract_fire_bounded("b-3", t + 4, t + 5, 2).asked.run, ==, 0);
    contract_anew();
    g_assert_cmpuint(f->fired, ==, 2);
    fixture_put(f, "bounded", "[2]", schedules);
    contract_assert_fired(contract_fire_bounded("b-3", t + 4, t + 5, 2), false, t + 4, 2);
    contract_assert_fired(contract_fire_bounded("b-3", t + 4, t + 5, 3), true, t + 5, 3);
    contract_assert_fired(contract_fire_bounded("b-4", t + 5, t + 6, 0), true, t + 6, 4);
    g_assert_cmpint(fixture_delete(f, "bounded"), ==, 0);
    fixture_put(f, "bounded", "[2]", schedules);
    contract_assert_fired(contract_fire_bounded("b-1", UNSET, t, 1), false, t, 0);
    contract_assert_fired(contract_fire_bounded("b-5", t, t + 7, 1), true, t + 7, 1);
    contract_assert_fired(contract_fire_bounded("b-6", t + 7, t + 8, 1), false, t + 7, 1);
}

static void assert_paused(uint64_t task, uint64_t schedule)
{
    contract_anew();
    g_assert_cmpuint(f->task_paused_until, ==, task);
    g_assert_cmpuint(f->paused_until, ==, schedule);
}

/* Until when a task or a schedule is paused stays, whatever is put, enabled or disabled, and goes with what is deleted. */
static void test_paused(void)
{
    static const char *const schedules[] = { "a", "b", NULL };
    uint64_t t = 4000000000 * USEC_PER_SEC + 7;

    fixture_put(f, "bounded", "[3]", schedules);
    assert_paused(UNSET, UNSET);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", "a", -1, UNSET, t }), ==, 0);
    assert_paused(UNSET, t);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", NULL, -1, UNSET, t + 1 }), ==, 0);
    assert_paused(t + 1, t);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", NULL, 0, UNSET, UNSET }), ==, 0);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", "a", 0, UNSET, UNSET }), ==, 0);
    fixture_put(f, "bounded", "[4]", schedules);
    assert_paused(t + 1, t);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", "a", 1, 1, 2 }), ==, 0);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", NULL, 1, 1, 3 }), ==, 0);
    assert_paused(3, 2);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", "c", -1, UNSET, t }), ==, -ENOENT);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "unbounded", NULL, -1, UNSET, t }), ==, -ENOENT);
    g_assert_cmpint(fixture_delete(f, "bounded"), ==, 0);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", NULL, -1, UNSET, t }), ==, -ENOENT);
    fixture_put(f, "bounded", "[4]", schedules);
    assert_paused(UNSET, UNSET);
}

static Skipped skip_slots(uint64_t previous, uint64_t first, uint64_t last, const char *cause)
{
    const StoreSkip skip = { "bounded", "a", f->revision, previous, first, last, last - first + 1, cause,
        "why" };

    return fixture_skip_plain(f, &skip);
}

static void assert_by_hand(const char *format, uint64_t base)
{
    g_auto(GStrv) parts = g_strsplit(format, " ", -1);
    GString *text = g_string_new(NULL);
    g_autofree char *want = NULL;
    uint64_t revision = f->revision;

    for (char **part = parts; *part; part++)
        g_string_append_printf(text, "%s%" G_GUINT64_FORMAT " %s", text->len > 0 ? "\n" : "",
            base + (uint64_t)(*part)[0] - '0', *part + 1);
    want = g_string_free(text, FALSE);
    contract_anew();
    f->revision = revision;
    g_assert_cmpstr(f->by_hand, ==, want);
}

/* What is answered to be skipped does not fire, whoever asks, and is not skipped with others; what is restored fires. It stays
 * through new definitions, and goes when its time has come, or with the schedule. */
static void test_by_hand(void)
{
    static const char *const schedules[] = { "a", "b", NULL };
    uint64_t t = 1730000000 * USEC_PER_SEC;
    ByHandAnswer a, b;
    StoreAsk ask;
    Asked fired;

    g_assert_cmpint(fixture_delete(f, "bounded"), ==, 0);
    fixture_put(f, "bounded", "[1]", schedules);
    contract_assert_fired(contract_fire_bounded("h-0", UNSET, t, 0), true, t, 1);
    a = fixture_by_hand(f, t, "alice", 9);
    g_assert_cmpint(a.r, ==, STORE_BY_HAND_LATE);
    g_assert_cmpuint(a.run, !=, UNSET);
    g_assert_cmpint(fixture_by_hand(f, t + 3, "alice", 2).r, ==, STORE_BY_HAND_DONE);
    g_assert_cmpint(fixture_by_hand(f, t + 1, "bob", 2).r, ==, STORE_BY_HAND_DONE);
    g_assert_cmpint(fixture_by_hand(f, t + 1, "carol", 2).r, ==, STORE_BY_HAND_DONE);
    g_assert_cmpint(fixture_by_hand(f, t + 2, "carol", 2).r, ==, STORE_BY_HAND_FULL);
    g_assert_cmpint(fixture_by_hand(f, t + 2, NULL, 2).r, ==, STORE_BY_HAND_DONE);
    assert_by_hand("1bob 3alice", t);
    contract_assert_fired(contract_fire_bounded("h-1", t, t + 1, 0), false, t, 1);
    g_assert_cmpint(skip_slots(t, t + 1, t + 1, "host-down").r, ==, 0);
    g_assert_cmpint(skip_slots(t, t + 2, t + 2, "by-hand").r, ==, 0);
    g_assert_cmpint(skip_slots(t, t + 1, t + 1, "by-hand").r, ==, 1);
    a = fixture_by_hand(f, t + 1, NULL, 2);
    g_assert_cmpint(a.r, ==, STORE_BY_HAND_LATE);
    g_assert_cmpuint(a.run, ==, UNSET);
    g_assert_cmpstr(a.cause, ==, "by-hand");
    g_assert_cmpint(skip_slots(t + 1, t + 2, t + 4, "host-down").r, ==, 0);
    fixture_put(f, "bounded", "[2]", schedules);
    assert_by_hand("3alice", t);
    g_assert_cmpint(fixture_by_hand(f, t + 3, NULL, 2).r, ==, STORE_BY_HAND_DONE);
    contract_assert_fired(contract_fire_bounded("h-3", t + 1, t + 3, 0), true, t + 3, 2);
    g_assert_cmpint(fixture_by_hand(f, t + 5, "alice", 2).r, ==, STORE_BY_HAND_DONE);
    g_assert_cmpint(fixture_by_hand(f, t + 6, "alice", 2).r, ==, STORE_BY_HAND_DONE);
    /* One that is no slot passes with the next. */
    contract_assert_fired(contract_fire_bounded("h-7", t + 3, t + 7, 0), true, t + 7, 3);
    assert_by_hand("", t);
    g_assert_cmpint(skip_slots(t + 7, t + 8, t + 8, "host-down").r, ==, 1);
    /* Both at once: the one that comes first. */
    fixture_by_hand_begin(f, t + 9, "alice", 9, &a);
    ask = slot_ask("h-9", t + 8, t + 9);
    ask.task = "bounded";
    ask.schedule = "a";
    fixture_ask_plain(f, &ask, &fired);
    fixture_until(f, &a.answered);
    fixture_until(f, &fired.answered);
    g_assert_cmpint(a.r, ==, STORE_BY_HAND_DONE);
    g_assert_cmpuint(fired.asked.run, ==, 0);
    g_assert_cmpint(skip_slots(t + 8, t + 9, t + 9, "by-hand").r, ==, 1);
    ask = slot_ask("h-10", t + 9, t + 10);
    ask.task = "bounded";
    ask.schedule = "a";
    fixture_ask_plain(f, &ask, &fired);
    fixture_by_hand_begin(f, t + 10, "alice", 9, &b);
    fixture_until(f, &fired.answered);
    fixture_until(f, &b.answered);
    g_assert_true(fired.asked.fresh);
    g_assert_cmpint(fixture_cancel(f, fired.asked.run).c.state, ==, RUN_DONE);
    g_assert_cmpint(b.r, ==, STORE_BY_HAND_LATE);
    g_assert_cmpuint(b.run, ==, fired.asked.run);
    g_assert_cmpint(fixture_by_hand(f, t + 11, "alice", 9).r, ==, STORE_BY_HAND_DONE);
    f->revision++;
    g_assert_cmpint(fixture_by_hand(f, t + 12, "alice", 9).r, ==, -ENOENT);
    f->revision--;
    g_assert_cmpint(fixture_delete(f, "bounded"), ==, 0);
    g_assert_cmpint(fixture_by_hand(f, t + 12, "alice", 9).r, ==, -ENOENT);
    fixture_put(f, "bounded", "[2]", schedules);
    assert_by_hand("", t);
}

/* Each claim has the time at which it was asked for, by the clock that nobody sets, and the boot that it is of. */
static void test_stamp(void)
{
    g_autoptr(GPtrArray) first = NULL, second = NULL;
    uint64_t run = fixture_ask(f, "stamp", 0, 0).asked.run, before = clock_monotonic(f->clock), stamp;
    StoreOwner o = fixture_owner(claim_one(&first));
    StoreEnd e;

    stamp = ((StoreRun *)first->pdata[0])->claimed_monotonic;
    g_assert_cmpuint(stamp, >=, before);
    g_assert_cmpuint(stamp, <=, clock_monotonic(f->clock));
    g_assert_cmpint(fixture_running(f, &o).r, ==, STORE_RECORDED);
    g_assert_cmpuint(fixture_get(f, run, NULL)->claimed_monotonic, ==, stamp);
    g_assert_cmpstr(((StoreRun *)first->pdata[0])->boot_id, !=, "");
    e = fixture_ending(&o, RUN_EXIT_CODE);
    e.again = true;
    g_assert_cmpint(fixture_end(f, &e).r, ==, STORE_RECORDED);
    before = clock_monotonic(f->clock);
    o = fixture_owner(claim_one(&second));
    g_assert_cmpuint(o.run, ==, run);
    g_assert_cmpuint(fixture_get(f, run, NULL)->claimed_monotonic, >=, before);
    e = fixture_ending(&o, RUN_SUCCESS);
    g_assert_cmpint(fixture_end(f, &e).r, ==, STORE_RECORDED);
}

/* Another token, or another attempt: nothing changes, and the owner goes on. */
static void test_owner(void)
{
    g_autoptr(GPtrArray) runs = NULL;
    uint64_t run = fixture_ask(f, "owner", 0, 0).asked.run;
    StoreOwner o = fixture_owner(claim_one(&runs));
    StoreOwner strange[] = { { run, 1, "11111111-2222-3333-4444-555555555555" }, { run, 2, o.token },
        { run + 1000, 1, o.token } };
    StoreEnd e;

    for (unsigned i = 0; i < G_N_ELEMENTS(strange); i++) {
        e = fixture_ending(&strange[i], RUN_SUCCESS);
        g_assert_cmpint(fixture_running(f, &strange[i]).r, ==, STORE_NOT_YOURS);
        g_assert_cmpint(fixture_stopping(f, &strange[i], RUN_TIMEOUT).r, ==, STORE_NOT_YOURS);
        g_assert_cmpint(fixture_requeue(f, &strange[i]).r, ==, STORE_NOT_YOURS);
        g_assert_cmpint(fixture_end(f, &e).r, ==, STORE_NOT_YOURS);
        g_assert_cmpint(fixture_get(f, run, NULL)->state, ==, RUN_STARTING);
    }
    e = fixture_ending(&o, RUN_SUCCESS);
    g_assert_cmpint(fixture_running(f, &o).r, ==, STORE_RECORDED);
    g_assert_cmpint(fixture_requeue(f, &o).r, ==, STORE_NOT_YOURS);
    g_assert_cmpint(fixture_end(f, &e).r, ==, STORE_RECORDED);
    g_assert_cmpint(fixture_stopping(f, &o, RUN_TIMEOUT).r, ==, STORE_RECORDED_BEFORE);
}

/* The same definition is the same revision; another is the next, also after the task was deleted. */
static void test_task(void)
{
    g_assert_cmpuint(fixture_put(f, "contract", "[1]", NULL), ==, 1);
    g_assert_cmpuint(fixture_put(f, "contract", "[1]", NULL), ==, 1);
    g_assert_cmpuint(fixture_put(f, "contract", "[2]", NULL), ==, 2);
    g_assert_cmpint(fixture_delete(f, "contract"), ==, 0);
    g_assert_cmpint(fixture_delete(f, "contract"), ==, -ENOENT);
    g_assert_cmpint(fixture_delete(f, "there-is-none"), ==, -ENOENT);
    g_assert_cmpuint(fixture_put(f, "contract", "[1]", NULL), ==, 3);
}

/* Another life of the daemon: it finds what it had in its hands, and goes on with the same tokens. */
static void test_restart(void)
{
    g_autoptr(GPtrArray) runs = NULL;
    uint64_t run = fixture_ask(f, "restart", 0, 0).asked.run, epoch = f->epoch;
    StoreOwner o = fixture_owner(claim_one(&runs));
    StoreEnd e = fixture_ending(&o, RUN_SUCCESS);

    g_assert_cmpint(fixture_running(f, &o).r, ==, STORE_RECORDED);
    fixture_free(f);
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    g_assert_cmpuint(f->epoch, ==, epoch + 1);
    g_assert_cmpuint(f->n_runs, >=, 1);
    g_assert_cmpint(fixture_running(f, &o).r, ==, STORE_RECORDED_BEFORE);
    g_assert_cmpint(fixture_end(f, &e).r, ==, STORE_RECORDED);
    g_assert_cmpint(fixture_get(f, run, NULL)->state, ==, RUN_DONE);
}

/* Until its deadline a run is claimed, and then it is over: whether it waited, was given back, or is claimed just now. Once it has
 * an attempt behind it there is none. */
static void test_deadline(void)
{
    uint64_t now = clock_real(f->clock), in_time, given_back, late, next;
    StoreAsk ask = { .requester = "alice",
        .requester_uid = 1000,
        .token = "d-1",
        .task = "t",
        .revision = 1,
        .queue = "default" };
    g_autoptr(GPtrArray) runs = NULL, none = NULL, again = NULL;
    const StoreChange *c;
    StoreOwner o;
    StoreEnd e;
    Asked a;

    ask.deadline = now + 3600 * USEC_PER_SEC;
    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    in_time = a.asked.run;
    ask.token = "d-2";
    ask.deadline = now - USEC_PER_SEC;
    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    late = a.asked.run;
    contract_anew();
    g_assert_cmpuint(f->load_deadline, ==, now - USEC_PER_SEC);
    none = fixture_claim(f, 0, &next);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_cmpuint(f->changes->len, ==, 1);
    c = &g_array_index(f->changes, StoreChange, 0);
    g_assert_true(c->run == late && c->state == RUN_DONE && c->result == RUN_EXPIRED);
    g_assert_cmpuint(f->claim_deadline, ==, now + 3600 * USEC_PER_SEC);
    g_assert_cmpint(fixture_get(f, late, NULL)->result, ==, RUN_EXPIRED);
    g_assert_cmpstr(fixture_get(f, late, NULL)->reason, ==, STORE_EXPIRED);
    runs = fixture_claim(f, 10, &next);
    g_assert_cmpuint(runs->len, ==, 1);
    g_assert_cmpuint(f->changes->len, ==, 0);
    g_assert_cmpuint(f->claim_deadline, ==, UNSET);
    o = fixture_owner(runs->pdata[0]);
    g_assert_cmpuint(o.run, ==, in_time);
    g_assert_cmpuint(((const StoreRun *)runs->pdata[0])->deadline, ==, now + 3600 * USEC_PER_SEC);
    e = fixture_ending(&o, RUN_EXIT_CODE);
    e.again = true;
    g_assert_cmpint(fixture_end(f, &e).state, ==, RUN_WAITING);
    g_assert_cmpuint(fixture_get(f, in_time, NULL)->deadline, ==, UNSET);
    g_assert_cmpint(fixture_cancel(f, in_time).c.state, ==, RUN_DONE);

    ask.token = "d-3";
    ask.deadline = clock_real(f->clock) + 300 * USEC_PER_MSEC;
    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    given_back = a.asked.run;
    again = fixture_claim(f, 1, NULL);
    if (again->len == 1) { /* it was in time */
        o = fixture_owner(again->pdata[0]);
        g_assert_cmpint(fixture_requeue(f, &o).r, ==, STORE_RECORDED);
    }
    while (clock_real(f->clock) <= ask.deadline)
        fixture_turn(f);
    g_ptr_array_unref(g_steal_pointer(&again));
    again = fixture_claim(f, 1, &next);
    g_assert_cmpuint(again->len, ==, 0);
    g_assert_cmpuint(next, ==, UNSET);
    g_assert_cmpint(fixture_get(f, given_back, NULL)->result, ==, RUN_EXPIRED);
}

/* A slot that finds no place has its outcome, and counts as none that fired. */
static void test_slot_overlaps(void)
{
    static const char *const schedules[] = { "a", NULL };
    uint64_t t = 1730000000 * USEC_PER_SEC;
    StoreAsk ask = slot_ask("overlaps-1", UNSET, t);
    Asked a, b;

    fixture_put(f, "overlaps", "[]", schedules);
    ask.task = "overlaps";
    ask.schedule = "a";
    ask.places = 1;
    ask.overlap = "skip";
    ask.revision = f->revision;
    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    g_assert_true(a.asked.fresh);
    ask.token = "overlaps-2";
    ask.previous = t;
    ask.nominal = t + 1;
    fixture_ask_plain(f, &ask, &b);
    fixture_until(f, &b.answered);
    g_assert_nonnull(b.overlaps);
    contract_assert_fired(b, false, t + 1, 1);
    fixture_ask_plain(f, &ask, &b); /* somebody else, or the answer was lost */
    fixture_until(f, &b.answered);
    g_assert_null(b.overlaps);
    contract_assert_fired(b, false, t + 1, 1);
    g_assert_cmpint(fixture_cancel(f, a.asked.run).c.state, ==, RUN_DONE);
    ask.token = "overlaps-3";
    ask.previous = t + 1;
    ask.nominal = t + 2;
    fixture_ask_plain(f, &ask, &b);
    fixture_until(f, &b.answered);
    contract_assert_fired(b, true, t + 2, 2);
    g_assert_cmpint(fixture_cancel(f, b.asked.run).c.state, ==, RUN_DONE);
}

int contract_run(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    fixture_put(f, "t", "[]", NULL);
    g_test_add_func("/store/contract/token", test_token);
    g_test_add_func("/store/contract/order", test_order);
    g_test_add_func("/store/contract/again", test_again);
    g_test_add_func("/store/contract/cause", test_cause);
    g_test_add_func("/store/contract/cancel", test_cancel);
    g_test_add_func("/store/contract/batch-order", test_batch_order);
    g_test_add_func("/store/contract/slot", test_slot);
    g_test_add_func("/store/contract/slot-anew", test_slot_anew);
    g_test_add_func("/store/contract/bounded", test_bounded);
    g_test_add_func("/store/contract/paused", test_paused);
    g_test_add_func("/store/contract/deadline", test_deadline);
    g_test_add_func("/store/contract/by-hand", test_by_hand);
    contract_add_off();
    contract_add_places();
    contract_add_follow();
    contract_add_after();
    contract_add_expect();
    contract_add_backfill();
    g_test_add_func("/store/contract/slot-overlaps", test_slot_overlaps);
    g_test_add_func("/store/contract/owner", test_owner);
    g_test_add_func("/store/contract/stamp", test_stamp);
    g_test_add_func("/store/contract/task", test_task);
    g_test_add_func("/store/contract/restart", test_restart);
    r = g_test_run();
    fixture_free(f);
    return r;
}
