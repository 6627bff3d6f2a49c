/* A run from asked to done, and everything that may come between. */
#include "fixture.h"

static Fixture *f;

static StoreRun *claim_one(GPtrArray **ret)
{
    *ret = fixture_claim(f, 1, NULL);
    g_assert_cmpuint((*ret)->len, ==, 1);
    return (*ret)->pdata[0];
}

static void test_whole(void)
{
    g_autoptr(GPtrArray) runs = NULL;
    Asked a = fixture_ask(f, "whole", 0, 0);
    const StoreRun *r;
    StoreOwner o;
    StoreEnd e;
    Outcome out;
    unsigned n;

    g_assert_cmpint(a.r, ==, 0);
    g_assert_true(a.asked.fresh);
    g_assert_cmpint(a.asked.state, ==, RUN_QUEUED);
    r = claim_one(&runs);
    g_assert_cmpuint(r->id, ==, a.asked.run);
    g_assert_cmpint(r->state, ==, RUN_STARTING);
    g_assert_cmpuint(r->attempt, ==, 1);
    g_assert_cmpuint(r->fence, >, 0);
    g_assert_cmpuint(r->manager_stamp, ==, 42);
    g_assert_cmpstr(r->node, ==, "here");
    g_assert_cmpuint(r->epoch, ==, f->epoch);
    g_assert_cmpstr(r->input, ==, "{\"a\": \"quote \\\" backslash \\\\ {brace},\"}");
    g_assert_true(g_str_has_prefix(r->unit, "tsched-run-"));
    o = fixture_owner(r);
    out = fixture_running(f, &o);
    g_assert_cmpint(out.r, ==, STORE_RECORDED);
    out = fixture_running(f, &o);
    g_assert_cmpint(out.r, ==, STORE_RECORDED_BEFORE);
    e = fixture_ending(&o, RUN_EXIT_CODE);
    out = fixture_end(f, &e);
    g_assert_cmpint(out.r, ==, STORE_RECORDED);
    g_assert_cmpint(out.result, ==, RUN_EXIT_CODE);
    g_assert_cmpint(out.state, ==, RUN_DONE);
    out = fixture_end(f, &e);
    g_assert_cmpint(out.r, ==, STORE_RECORDED_BEFORE);
    g_assert_cmpint(out.result, ==, RUN_EXIT_CODE);
    out = fixture_running(f, &o);
    g_assert_cmpint(out.r, ==, STORE_RECORDED_BEFORE);

    r = fixture_get(f, a.asked.run, &n);
    g_assert_cmpint(r->state, ==, RUN_DONE);
    g_assert_cmpint(r->result, ==, RUN_EXIT_CODE);
    g_assert_cmpint(r->exit_code, ==, RUN_EXITED);
    g_assert_cmpint(r->exit_status, ==, 7);
    g_assert_cmpuint(r->cpu_nsec, ==, 123456789);
    g_assert_cmpuint(r->memory_peak, ==, UNSET);
    g_assert_cmpuint(r->io_read, ==, 0);
    g_assert_cmpstr(r->output, ==, "{\"n\": 1}");
    g_assert_cmpstr(r->invocation_id, ==, "aabb");
    g_assert_cmpuint(r->started, <=, r->finished);
    g_assert_cmpuint(r->asked, <=, r->claimed);
    g_assert_cmpuint(n, ==, 1);
    g_assert_null(fixture_get(f, a.asked.run + 1000, NULL));
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
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM ask WHERE token = 'twice'"), ==, 1);
    g_assert_cmpint(fixture_cancel(f, a.asked.run).c.state, ==, RUN_DONE);
}

/* Higher priority first, then who was due first; what is not due is left, and told of to the microsecond. */
static void test_order(void)
{
    uint64_t now = (uint64_t)g_get_real_time(), next;
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

/* A slot fires once, whoever asks and with whatever token; a slot before it never does. */
static void test_slot(void)
{
    static const char *const schedules[] = { "nightly", NULL };
    uint64_t nominal = 1700000000 * USEC_PER_SEC + 123456;
    StoreAsk ask = {
        .requester = "taskschedd",
        .requester_uid = UNSET,
        .token = "slot-1",
        .task = "slots",
        .revision = 1,
        .queue = "default",
        .schedule = "nightly",
        .nominal = nominal,
        .grace_usec = 1,
    };
    Asked a, b, c, again;
    const StoreRun *r;

    fixture_put(f, "slots", "[]", schedules);
    fixture_ask_plain(f, &ask, &a);
    ask.token = "slot-1-by-another";
    fixture_ask_plain(f, &ask, &b);
    ask.nominal = nominal - USEC_PER_SEC;
    ask.token = "slot-0";
    fixture_ask_plain(f, &ask, &c);
    ask.nominal = nominal;
    ask.token = "slot-1";
    fixture_ask_plain(f, &ask, &again);
    fixture_until(f, &a.answered);
    fixture_until(f, &b.answered);
    fixture_until(f, &c.answered);
    fixture_until(f, &again.answered);
    g_assert_cmpuint(a.asked.run, >, 0);
    g_assert_cmpuint(b.asked.run, ==, 0);
    g_assert_cmpuint(c.asked.run, ==, 0);
    g_assert_cmpuint(again.asked.run, ==, a.asked.run);
    r = fixture_get(f, a.asked.run, NULL);
    g_assert_cmpuint(r->nominal, ==, nominal);
    g_assert_cmpuint(r->requester_uid, ==, UNSET);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM slot WHERE task = 'slots'"), ==, 1);
    g_assert_cmpuint(fixture_sql_u64("SELECT time_to_usec(last_nominal) FROM schedule"), ==, nominal);
    g_assert_cmpint(fixture_cancel(f, a.asked.run).c.state, ==, RUN_DONE);
}

static void on_done(int r, const Error *error, void *userdata)
{
    int *left = userdata;

    g_assert_cmpint(r, ==, 0);
    (*left)--;
}

static void test_pass(void)
{
    uint64_t nominal = 1800000000 * USEC_PER_SEC;
    int left = 5;

    for (int i = 0; i < 4; i++)
        store_pass_slot(f->store, "slots", "nightly", nominal + (uint64_t)(3 - i), "passed", on_done, &left);
    store_pass_slot(f->store, "slots", "nightly", nominal, "passed again", on_done, &left);
    for (int i = 0; left > 0 && i < 1000; i++)
        fixture_turn(f);
    g_assert_cmpint(left, ==, 0);
    g_assert_cmpuint(fixture_sql_u64("SELECT time_to_usec(last_nominal) FROM schedule"), ==, nominal + 3);
    g_assert_cmpuint(
        fixture_sql_u64("SELECT count(*) FROM slot WHERE outcome = 'skipped' AND reason = 'passed'"), ==, 4);
}

/* Another node, an earlier epoch, another token or attempt: nothing changes, and a late end is noted. */
static void test_not_yours(void)
{
    static const char *const strange[] = {
        "UPDATE run SET node = 'there' WHERE id = %" G_GUINT64_FORMAT,
        "UPDATE run SET epoch = epoch + 1 WHERE id = %" G_GUINT64_FORMAT,
        "UPDATE run SET token = gen_random_uuid() WHERE id = %" G_GUINT64_FORMAT,
        "UPDATE run SET attempt = attempt + 1 WHERE id = %" G_GUINT64_FORMAT,
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(strange); i++) {
        g_autofree char *token = g_strdup_printf("strange-%u", i);
        g_autofree char *id = NULL, *sql = NULL, *before = NULL, *after = NULL, *late = NULL;
        g_autoptr(GPtrArray) runs = NULL;
        uint64_t run = fixture_ask(f, token, 0, 0).asked.run;
        StoreOwner o = fixture_owner(claim_one(&runs));
        StoreEnd e = fixture_ending(&o, RUN_SUCCESS);
        char **parts = g_strsplit(strange[i], "%", 2);

        id = g_strdup_printf("%" G_GUINT64_FORMAT, run);
        sql = g_strconcat(parts[0], id, NULL);
        g_strfreev(parts);
        g_free(fixture_sql("%s", sql));
        before = fixture_sql("SELECT run::text FROM run WHERE id = %s", id);
        g_assert_cmpint(fixture_running(f, &o).r, ==, STORE_NOT_YOURS);
        g_assert_cmpint(fixture_stopping(f, &o, RUN_TIMEOUT).r, ==, STORE_NOT_YOURS);
        g_assert_cmpint(fixture_requeue(f, &o).r, ==, STORE_NOT_YOURS);
        g_assert_cmpint(fixture_end(f, &e).r, ==, STORE_NOT_YOURS);
        after = fixture_sql("SELECT run::text FROM run WHERE id = %s", id);
        g_assert_cmpstr(before, ==, after);
        late = fixture_sql("SELECT late FROM attempt WHERE run = %s", id);
        g_assert_true(g_str_has_prefix(late, "success, 1/0"));
    }
    g_free(fixture_sql("UPDATE run SET state = 'done', result = 'lost' WHERE state = 'starting'"));
}

static void test_again(void)
{
    g_autoptr(GPtrArray) first = NULL;
    g_autoptr(GPtrArray) second = NULL;
    uint64_t run = fixture_ask(f, "again", 0, 0).asked.run;
    StoreOwner o = fixture_owner(claim_one(&first)), p;
    StoreEnd e = fixture_ending(&o, RUN_EXIT_CODE);
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
    e = fixture_ending(&p, RUN_SUCCESS);
    g_assert_cmpint(fixture_end(f, &e).state, ==, RUN_DONE);
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
    uint64_t far = (uint64_t)g_get_real_time() + 3600 * USEC_PER_SEC;
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

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    fixture_put(f, "t", "[]", NULL);
    g_test_add_func("/store/life/whole", test_whole);
    g_test_add_func("/store/life/token", test_token);
    g_test_add_func("/store/life/order", test_order);
    g_test_add_func("/store/life/slot", test_slot);
    g_test_add_func("/store/life/pass", test_pass);
    g_test_add_func("/store/life/not-yours", test_not_yours);
    g_test_add_func("/store/life/again", test_again);
    g_test_add_func("/store/life/cause", test_cause);
    g_test_add_func("/store/life/cancel", test_cancel);
    g_test_add_func("/store/life/batch-order", test_batch_order);
    r = g_test_run();
    fixture_free(f);
    return r;
}
