/* What every store does with tasks that are expected to succeed: from when on they are, when they did, and what was missed. */
#include "contract.h"

#define f contract_fixture

static void assert_expected(uint64_t since, uint64_t success, uint64_t missed, uint64_t run)
{
    contract_anew();
    g_assert_cmpuint(f->expect_since, ==, since);
    g_assert_cmpuint(f->expect_success, ==, success);
    g_assert_cmpuint(f->missed, ==, missed);
    g_assert_cmpuint(f->missed_run, ==, run);
}

static void put(uint64_t since, bool expects, const char *definition)
{
    static const char *const schedules[] = { "a", NULL };
    StorePutTask t = { .name = "bounded",
        .origin = "api",
        .definition = definition,
        .schedules = schedules,
        .since = since,
        .expects = expects };

    fixture_put_plain(f, &t);
}

typedef struct MissedAnswer {
    bool answered;
    int r;
    StoreExpectation there;
} MissedAnswer;

static void on_missed(int r, const StoreExpectation *there, const Error *error, void *userdata)
{
    *(MissedAnswer *)userdata = (MissedAnswer){ true, r, there ? *there : (StoreExpectation){ 0 } };
}

static uint64_t known_since; /* of who says that it is missed */

static int miss(uint64_t success, uint64_t missed, uint64_t run, MissedAnswer *a)
{
    const StoreMissed m = { "bounded", known_since, success, missed, run };
    MissedAnswer own = { 0 };

    a = a ? a : &own;
    *a = (MissedAnswer){ 0 };
    g_assert_cmpint(store_missed(f->store, &m, on_missed, a), ==, 0);
    g_assert_false(a->answered);
    fixture_until(f, &a->answered);
    return a->r;
}

/* A run of it that ends so, then. */
static void run_ends(const char *token, RunResult result, uint64_t finished, bool again)
{
    StoreAsk ask = { .requester = "alice",
        .requester_uid = 1000,
        .token = token,
        .task = "bounded",
        .revision = f->revision,
        .queue = "default" };
    g_autoptr(GPtrArray) runs = NULL;
    StoreOwner o;
    StoreEnd e;
    Asked a;

    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    runs = fixture_claim(f, 1, NULL);
    g_assert_cmpuint(runs->len, ==, 1);
    o = fixture_owner(runs->pdata[0]);
    e = fixture_ending(&o, result);
    e.finished = finished;
    e.again = again;
    e.again_in_usec = 3600 * USEC_PER_SEC;
    g_assert_cmpint(fixture_end(f, &e).r, ==, STORE_RECORDED);
}

/* It begins once, whatever is put, and goes with what says so. */
static void test_since(void)
{
    uint64_t t = 1700000000 * USEC_PER_SEC;
    MissedAnswer a;

    known_since = t + 4;
    put(t, false, "[]");
    assert_expected(UNSET, UNSET, UNSET, UNSET);
    g_assert_cmpint(miss(UNSET, t, 0, NULL), ==, -ENOENT);
    put(t + 1, true, "[]");
    put(t + 2, true, "[1]");
    assert_expected(t + 1, UNSET, UNSET, UNSET);
    put(t + 3, false, "[1]");
    assert_expected(UNSET, UNSET, UNSET, UNSET);
    put(t + 4, true, "[1]");
    g_assert_cmpint(miss(UNSET, t + 5, 0, &a), ==, 1);
    assert_expected(t + 4, UNSET, t + 5, UNSET);
    /* What is enabled already does not begin anew. */
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", NULL, 1, t + 6, UNSET }), ==, 0);
    assert_expected(t + 4, UNSET, t + 5, UNSET);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", NULL, 0, UNSET, UNSET }), ==, 0);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", NULL, 1, t + 7, UNSET }), ==, 0);
    assert_expected(t + 7, UNSET, UNSET, UNSET);
    g_assert_cmpint(miss(UNSET, t + 9, 0, &a), ==, 0);
    g_assert_true(a.there.since == t + 7 && a.there.missed == UNSET);
    known_since = t + 7;
    g_assert_cmpint(miss(UNSET, t + 9, 0, &a), ==, 1);
    assert_expected(t + 7, UNSET, t + 9, UNSET);
    g_assert_cmpint(fixture_delete(f, "bounded"), ==, 0);
    put(t + 8, true, "[1]");
    assert_expected(t + 8, UNSET, UNSET, UNSET);
    g_assert_cmpint(fixture_delete(f, "bounded"), ==, 0);
}

/* Each is missed once; what succeeded meanwhile is known. */
static void test_missed(void)
{
    uint64_t t = 1700000000 * USEC_PER_SEC;
    MissedAnswer a;

    known_since = t;
    put(t, true, "[2]");
    g_assert_cmpint(miss(UNSET, t + 10, 0, &a), ==, 1);
    g_assert_cmpint(miss(UNSET, t + 10, 0, &a), ==, 0);
    g_assert_true(a.there.success == UNSET && a.there.missed == t + 10);
    g_assert_cmpint(miss(UNSET, t + 9, 0, &a), ==, 0);
    g_assert_cmpint(miss(UNSET, t + 11, 77, &a), ==, 0);
    g_assert_cmpint(miss(UNSET, t + 10, 77, &a), ==, 1);
    assert_expected(t, UNSET, t + 10, 77);
    /* Of a pause since: that is another silence. */
    g_assert_cmpint(miss(UNSET, t + 20, 0, &a), ==, 1);
    assert_expected(t, UNSET, t + 20, UNSET);

    run_ends("fails", RUN_EXIT_CODE, t + 21, false);
    run_ends("is tried again", RUN_EXIT_CODE, t + 21, true);
    assert_expected(t, UNSET, t + 20, UNSET);
    run_ends("succeeds", RUN_SUCCESS, t + 22, false);
    assert_expected(t, t + 22, t + 20, UNSET);
    g_assert_cmpint(miss(UNSET, t + 30, 0, &a), ==, 0);
    g_assert_true(a.there.success == t + 22 && a.there.missed == t + 20);
    g_assert_cmpint(miss(t + 22, t + 30, 0, &a), ==, 1);
    g_assert_cmpint(miss(t + 22, t + 30, 78, &a), ==, 1);
    assert_expected(t, t + 22, t + 30, 78);
    /* The latest counts, whichever is heard of last. */
    run_ends("succeeded before", RUN_SUCCESS, t + 21, false);
    assert_expected(t, t + 22, t + 30, 78);
    g_assert_cmpint(fixture_delete(f, "bounded"), ==, 0);
}

void contract_add_expect(void)
{
    g_test_add_func("/store/contract/expected-since", test_since);
    g_test_add_func("/store/contract/missed", test_missed);
}
