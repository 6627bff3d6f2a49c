/* What every store does with the places of a task: who has one, waits for one, or is over for want of one. */
#include "contract.h"

#define f contract_fixture

static char claimed_token[64];

static uint64_t ask_place(const char *token, unsigned places, const char *overlap, const char **ret_reason)
{
    StoreAsk ask = { .requester = "alice",
        .requester_uid = 1000,
        .token = token,
        .task = "t",
        .revision = 1,
        .queue = "default",
        .places = places,
        .overlap = overlap };
    Asked a;

    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    g_assert_cmpint(a.r, ==, 0);
    g_assert_cmpint(a.asked.run > 0, ==, a.overlaps == NULL);
    if (ret_reason)
        *ret_reason = a.overlaps;
    return a.asked.run;
}

/* The runs that are claimed now, and which of them; they are n. */
static StoreOwner claim_places(unsigned n, uint64_t first)
{
    g_autoptr(GPtrArray) runs = fixture_claim(f, 10, NULL);

    g_assert_cmpuint(runs->len, ==, n);
    if (n == 0)
        return (StoreOwner){ 0 };
    g_assert_cmpuint(((const StoreRun *)runs->pdata[0])->id, ==, first);
    g_snprintf(claimed_token, sizeof claimed_token, "%s", ((const StoreRun *)runs->pdata[0])->token);
    return (StoreOwner){ first, ((const StoreRun *)runs->pdata[0])->attempt, claimed_token };
}

static void end_place(const StoreOwner *o, RunResult result, bool again, RunState state)
{
    StoreEnd e = fixture_ending(o, result);

    e.again = again;
    e.again_in_usec = 0;
    g_assert_cmpint(fixture_end(f, &e).state, ==, state);
}

static void assert_state(uint64_t run, RunState state, RunResult result)
{
    const StoreRun *r = fixture_get(f, run, NULL);

    g_assert_cmpint(r->state, ==, state);
    g_assert_cmpint(r->result, ==, result);
    if (state == RUN_WAITING)
        g_assert_true(*r->reason && r->due != UNSET);
}

/* One after the other, in their order, also through retries; what is cancelled while it waits, or has just been let go on, is in
 * nobody's way. */
static void test_queue(void)
{
    uint64_t next, a = ask_place("q-a", 1, "queue", NULL), b = ask_place("q-b", 1, "queue", NULL);
    uint64_t c = ask_place("q-c", 1, "queue", NULL), d = ask_place("q-d", 1, "queue", NULL);
    g_autoptr(GPtrArray) none = NULL;
    StoreOwner o = claim_places(1, a);

    g_assert_cmpuint(f->changes->len, ==, 3);
    assert_state(b, RUN_WAITING, RUN_RESULT_NONE);
    contract_anew();
    g_assert_cmpuint(f->n_runs, >=, 1);
    end_place(&o, RUN_EXIT_CODE, true, RUN_WAITING);
    o = claim_places(1, a); /* again */
    none = fixture_claim(f, 10, &next);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_cmpuint(next, ==, UNSET); /* what is held is due at no time */
    end_place(&o, RUN_SUCCESS, false, RUN_DONE);
    g_assert_true(fixture_cancel(f, b).c.freed);
    g_assert_cmpint(fixture_cancel(f, d).c.state, ==, RUN_DONE);
    o = claim_places(1, c);
    g_assert_cmpuint(fixture_get(f, c, NULL)->places, ==, 1);
    g_assert_cmpstr(fixture_get(f, c, NULL)->overlap, ==, "queue");
    end_place(&o, RUN_SUCCESS, false, RUN_DONE);
    (void)claim_places(0, 0);
}

static void on_cancelled(int r, const StoreCancelled *c, void *userdata)
{
    unsigned *answered = userdata;

    g_assert_cmpint(r, ==, 0);
    (*answered)++;
}

/* Asked for in one iteration: what an end frees is claimed, though the end has to wait for what is about the same run. */
static void test_in_order(void)
{
    uint64_t a = ask_place("i-a", 1, "queue", NULL), b = ask_place("i-b", 1, "queue", NULL);
    StoreOwner o = claim_places(1, a);
    StoreEnd e = fixture_ending(&o, RUN_SUCCESS);
    Outcome ended = { 0 };
    unsigned answered = 0;

    for (unsigned i = 0; i < 2; i++)
        g_assert_cmpint(store_cancel(f->store, a, "cancelled by bob", on_cancelled, &answered), ==, 0);
    g_assert_cmpint(store_end(f->store, &e, fixture_on_end, &ended), ==, 0);
    o = claim_places(1, b);
    g_assert_true(ended.answered);
    g_assert_cmpuint(answered, ==, 2);
    end_place(&o, RUN_SUCCESS, false, RUN_DONE);
}

/* So many at once, whatever is asked for. */
static void test_concurrent(void)
{
    uint64_t runs[4];
    StoreOwner o;

    for (unsigned i = 0; i < G_N_ELEMENTS(runs); i++) {
        g_autofree char *token = g_strdup_printf("n-%u", i);

        runs[i] = ask_place(token, 2, "allow", NULL);
    }
    o = claim_places(2, runs[0]);
    end_place(&o, RUN_SUCCESS, false, RUN_DONE);
    (void)claim_places(1, runs[2]);
    assert_state(runs[3], RUN_WAITING, RUN_RESULT_NONE);
    g_assert_cmpint(fixture_cancel(f, runs[3]).c.state, ==, RUN_DONE);
    for (unsigned i = 1; i < 3; i++) {
        const StoreRun *r = fixture_get(f, runs[i], NULL);

        o = fixture_owner(r);
        end_place(&o, RUN_SUCCESS, false, RUN_DONE);
    }
}

/* Not asked for, and over where it was to be due later; one may wait, or none. */
static void test_skip(void)
{
    StoreAsk later = { .requester = "alice",
        .requester_uid = 1000,
        .token = "s-later",
        .task = "t",
        .revision = 1,
        .queue = "default",
        .places = 1,
        .overlap = "skip",
        .due = clock_real(f->clock) + 1300 * USEC_PER_MSEC };
    const char *reason;
    uint64_t a, b;
    StoreOwner o;
    Asked asked;

    a = ask_place("s-a", 1, "skip", NULL);
    g_assert_cmpuint(ask_place("s-b", 1, "skip", &reason), ==, 0);
    g_assert_nonnull(reason);
    g_assert_cmpuint(ask_place("s-a", 1, "skip", NULL), ==, a); /* the token's own */
    fixture_ask_plain(f, &later, &asked);
    fixture_until(f, &asked.answered);
    o = claim_places(1, a);
    b = ask_place("s-c", 1, "queue-one", NULL);
    g_assert_cmpuint(ask_place("s-d", 1, "queue-one", &reason), ==, 0);
    while (clock_real(f->clock) < later.due)
        fixture_turn(f);
    (void)claim_places(0, 0);
    assert_state(asked.asked.run, RUN_DONE, RUN_SKIPPED);
    assert_state(b, RUN_WAITING, RUN_RESULT_NONE);
    end_place(&o, RUN_SUCCESS, false, RUN_DONE);
    o = claim_places(1, b);
    end_place(&o, RUN_SUCCESS, false, RUN_DONE);
    a = ask_place("s-e", 1, "skip", NULL);
    o = claim_places(1, a);
    end_place(&o, RUN_EXIT_CODE, true, RUN_WAITING); /* as it waits for its retry it is not over */
    g_assert_cmpuint(ask_place("s-f", 1, "skip", NULL), ==, 0);
    g_assert_true(fixture_cancel(f, a).c.freed);
    a = ask_place("s-g", 1, "skip", NULL);
    g_assert_cmpint(fixture_cancel(f, a).c.state, ==, RUN_DONE);
}

/* The newest is what runs: the older ones are cancelled, and it waits until they are over. */
static void test_cancel_old(void)
{
    uint64_t a = ask_place("o-a", 1, "cancel-old", NULL), b, c;
    StoreOwner o = claim_places(1, a);
    const StoreChange *change;

    g_assert_cmpint(fixture_running(f, &o).r, ==, STORE_RECORDED);
    b = ask_place("o-b", 1, "cancel-old", NULL);
    (void)claim_places(0, 0);
    g_assert_cmpuint(f->changes->len, ==, 2);
    change = &g_array_index(f->changes, StoreChange, 0);
    g_assert_true(change->run == a && change->state == RUN_RUNNING && change->cause_at != UNSET);
    assert_state(b, RUN_WAITING, RUN_RESULT_NONE);
    c = ask_place("o-c", 1, "cancel-old", NULL);
    (void)claim_places(0, 0);
    assert_state(b, RUN_DONE, RUN_CANCELLED);
    end_place(&o, RUN_SIGNAL, true, RUN_DONE);
    assert_state(a, RUN_DONE, RUN_CANCELLED);
    o = claim_places(1, c);
    end_place(&o, RUN_EXIT_CODE, true, RUN_WAITING);
    a = ask_place("o-d", 1, "cancel-old", NULL); /* the other waits for its retry: it is over at once */
    o = claim_places(1, a);
    assert_state(c, RUN_DONE, RUN_CANCELLED);
    end_place(&o, RUN_SUCCESS, false, RUN_DONE);
}

void contract_add_places(void)
{
    g_test_add_func("/store/contract/queue", test_queue);
    g_test_add_func("/store/contract/in-order", test_in_order);
    g_test_add_func("/store/contract/concurrent", test_concurrent);
    g_test_add_func("/store/contract/skip", test_skip);
    g_test_add_func("/store/contract/cancel-old", test_cancel_old);
}
