/* What every store does with schedules that follow another task: each end that matches has one slot, in the order in which they are
 * recorded. */
#include "contract.h"

#define f contract_fixture

#define TIME (1770000000 * USEC_PER_SEC)

static uint64_t tail_revision;

static void put_head(void)
{
    static const char *const none[] = { NULL };
    const StorePutTask t = { "head", "api", "", "", "[1]", none, TIME, false, NULL, NULL };

    f->revision = fixture_put_plain(f, &t);
}

static void put_tail(const char *definition, uint64_t since, const char *const *follows)
{
    static const char *const schedules[] = { "any", "ok", "bad", NULL };
    const StorePutTask t = { "tail", "api", "", "", definition, schedules, since, false, NULL, follows };

    tail_revision = fixture_put_plain(f, &t);
}

static const char *const by_result[] = { "head any", "head success", "head failure", NULL };

static uint64_t ask_head(const char *token)
{
    const StoreAsk ask = { .requester = "alice",
        .requester_uid = 1000,
        .token = token,
        .task = "head",
        .revision = f->revision,
        .queue = "default" };
    Asked a;

    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    g_assert_true(a.asked.fresh);
    return a.asked.run;
}

static void end_head(RunResult result, uint64_t finished, bool again)
{
    g_autoptr(GPtrArray) runs = fixture_claim(f, 10, NULL);
    StoreOwner o;
    StoreEnd e;

    g_assert_cmpuint(runs->len, ==, 1);
    o = fixture_owner(runs->pdata[0]);
    e = fixture_ending(&o, result);
    e.finished = finished;
    e.again = again;
    g_assert_cmpint(fixture_end(f, &e).state, ==, again ? RUN_WAITING : RUN_DONE);
    g_assert_cmpint(fixture_end(f, &e).r, ==, STORE_RECORDED_BEFORE);
}

static StoreAsked ask_tail(const char *schedule, uint64_t previous, uint64_t nominal, const char *token)
{
    const StoreAsk ask = { .requester = "taskschedd",
        .requester_uid = UNSET,
        .token = token,
        .task = "tail",
        .revision = tail_revision,
        .queue = "default",
        .schedule = schedule,
        .previous = previous,
        .nominal = nominal,
        .ended = UNSET };

    return contract_ask(&ask);
}

static int skip_tail(const char *schedule, uint64_t previous, uint64_t nominal, const char *cause)
{
    const StoreSkip skip = { "tail", schedule, tail_revision, previous, nominal, nominal, 1, cause, "",
        UNSET };

    return fixture_skip_plain(f, &skip).r;
}

/* 0 ends the list. */
static void assert_ends(const char *follows, uint64_t first, uint64_t second)
{
    Followers k = fixture_followers(f, 0, follows);
    g_autofree char *two = g_strdup_printf("%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT, first, second);
    g_autofree char *one = g_strdup_printf("%" G_GUINT64_FORMAT, first);

    g_assert_cmpint(k.r, ==, 0);
    g_assert_cmpuint(k.n, ==, 1);
    g_assert_cmpstr(k.task, ==, "tail");
    g_assert_cmpuint(k.ended, ==, UNSET);
    g_assert_cmpuint(k.under_way, ==, UNSET);
    g_assert_cmpstr(k.ends, ==, second > 0 ? two : first > 0 ? one : "");
}

/* Final ends alone, of what began; none takes the place of another. */
static void test_queued(void)
{
    uint64_t run;

    put_head();
    put_tail("[1]", TIME, by_result);
    assert_ends("head any", 0, 0);
    run = ask_head("h-1");
    g_assert_cmpint(fixture_cancel(f, run).c.state, ==, RUN_DONE);
    assert_ends("head any", 0, 0);
    run = ask_head("h-2");
    end_head(RUN_EXIT_CODE, TIME + 3, true);
    assert_ends("head any", 0, 0);
    end_head(RUN_SUCCESS, TIME + 5, false);
    g_assert_cmpuint(fixture_followers(f, run, NULL).n, ==, 3);
    assert_ends("head any", TIME + 5, 0);
    assert_ends("head success", TIME + 5, 0);
    assert_ends("head failure", 0, 0);
    /* It ended before the other, and is recorded after it. */
    (void)ask_head("h-3");
    end_head(RUN_TIMEOUT, TIME + 4, false);
    assert_ends("head any", TIME + 5, TIME + 6);
    assert_ends("head success", TIME + 5, 0);
    assert_ends("head failure", TIME + 4, 0);
    contract_anew();
    g_assert_cmpstr(f->ends, ==, "1770000000000005,1770000000000006");
}

/* Each once, the run being told which, and no time before that of the schedule. */
static void test_queue_passes(void)
{
    uint64_t head;
    StoreAsked a = ask_tail("any", UNSET, TIME + 5, "tail/any@5");
    unsigned n;

    g_assert_true(a.fresh);
    head = fixture_get(f, a.run, &n)->after_run;
    g_assert_cmpstr(fixture_get(f, head, &n)->task, ==, "head");
    g_assert_cmpint(fixture_get(f, head, &n)->result, ==, RUN_SUCCESS);
    g_assert_cmpuint(fixture_get(f, head, &n)->after_run, ==, UNSET);
    g_assert_cmpuint(ask_tail("any", UNSET, TIME + 5, "tail/any@5 again").run, ==, 0);
    assert_ends("head any", TIME + 6, 0);
    g_assert_cmpint(fixture_cancel(f, a.run).c.state, ==, RUN_DONE);
    g_assert_cmpint(skip_tail("any", UNSET, TIME + 6, "host-down"), ==, 0);
    g_assert_cmpint(skip_tail("any", TIME + 5, TIME + 6, "host-down"), ==, 1);
    assert_ends("head any", 0, 0);
    g_assert_cmpint(skip_tail("bad", UNSET, TIME + 4, ""), ==, 1);
    assert_ends("head failure", 0, 0);
    (void)ask_head("h-4");
    end_head(RUN_EXIT_CODE, TIME + 1, false);
    assert_ends("head any", TIME + 7, 0);
    assert_ends("head failure", TIME + 5, 0);
}

/* What is left of a definition has its outcome with it; where that does not change, nothing does. */
static void test_queue_anew(void)
{
    static const char *const others[] = { "head success", "head success", "head failure", NULL };

    put_tail("[1]", TIME + 50, by_result);
    assert_ends("head any", TIME + 7, 0);
    put_tail("[2]", TIME + 100, by_result);
    assert_ends("head any", 0, 0);
    assert_ends("head success", 0, 0);
    assert_ends("head failure", 0, 0);
    g_assert_cmpuint(ask_tail("any", TIME + 6, TIME + 7, "tail/any@7").last, ==, TIME + 7);
    (void)ask_head("h-5");
    end_head(RUN_SUCCESS, TIME + 60, false);
    assert_ends("head any", TIME + 100, 0);
    put_tail("[3]", TIME + 100, others);
    g_assert_cmpuint(fixture_followers(f, 0, "head any").n, ==, 0);
    g_assert_cmpuint(fixture_followers(f, 0, "head success").n, ==, 2);
    (void)ask_head("h-6");
    end_head(RUN_SUCCESS, TIME + 60, false);
    g_assert_cmpint(fixture_delete(f, "tail"), ==, 0);
    g_assert_cmpuint(fixture_followers(f, 0, "head success").n, ==, 0);
    g_assert_cmpint(fixture_delete(f, "head"), ==, 0);
}

/* A run that was claimed, and whose attempt neither was started nor ended for another reason, did not begin. */
static void test_not_begun(void)
{
    static const RunResult unbegun[] = { RUN_EXPIRED, RUN_CANCELLED };
    g_autoptr(GPtrArray) runs = NULL, started = NULL;
    StoreOwner o;
    StoreEnd e;

    put_head();
    put_tail("[4]", TIME, by_result);
    for (unsigned i = 0; i < G_N_ELEMENTS(unbegun); i++) {
        (void)ask_head(i > 0 ? "h-8" : "h-7");
        end_head(unbegun[i], UNSET, false);
    }
    (void)ask_head("h-9");
    runs = fixture_claim(f, 10, NULL);
    o = fixture_owner(runs->pdata[0]);
    g_assert_cmpint(fixture_requeue(f, &o).r, ==, STORE_RECORDED);
    g_assert_cmpint(fixture_cancel(f, o.run).c.state, ==, RUN_DONE);
    assert_ends("head any", 0, 0);
    assert_ends("head failure", 0, 0);
    /* That it was started is known, or another attempt ended. */
    (void)ask_head("h-10");
    started = fixture_claim(f, 10, NULL);
    o = fixture_owner(started->pdata[0]);
    g_assert_cmpint(fixture_running(f, &o).r, ==, STORE_RECORDED);
    e = fixture_ending(&o, RUN_CANCELLED);
    e.finished = TIME + 2;
    g_assert_cmpint(fixture_end(f, &e).state, ==, RUN_DONE);
    (void)ask_head("h-11");
    end_head(RUN_RESOURCES, UNSET, true);
    end_head(RUN_EXPIRED, TIME + 9, false);
    assert_ends("head any", TIME + 2, TIME + 9);
    assert_ends("head failure", TIME + 9, 0);
    g_assert_cmpint(fixture_delete(f, "tail"), ==, 0);
    g_assert_cmpint(fixture_delete(f, "head"), ==, 0);
}

void contract_add_after(void)
{
    g_test_add_func("/store/contract/queued", test_queued);
    g_test_add_func("/store/contract/queue-passes", test_queue_passes);
    g_test_add_func("/store/contract/queue-anew", test_queue_anew);
    g_test_add_func("/store/contract/not-begun", test_not_begun);
}
