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

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    fixture_put(f, "t", "[]", NULL);
    g_test_add_func("/store/life/whole", test_whole);
    g_test_add_func("/store/life/token", test_token);
    r = g_test_run();
    fixture_free(f);
    return r;
}
