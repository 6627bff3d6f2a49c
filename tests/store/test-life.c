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

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    fixture_put(f, "t", "[]", NULL);
    g_test_add_func("/store/life/whole", test_whole);
    g_test_add_func("/store/life/slot", test_slot);
    g_test_add_func("/store/life/pass", test_pass);
    g_test_add_func("/store/life/not-yours", test_not_yours);
    r = g_test_run();
    fixture_free(f);
    return r;
}
