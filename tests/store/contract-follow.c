/* What every store does with schedules that follow the ends of runs: each end once, and none while what followed it is under way. */
#include "contract.h"

#define f contract_fixture

#define TIME (1760000000 * USEC_PER_SEC)

static uint64_t put_trail(const char *definition, const char *const *follows)
{
    static const char *const schedules[] = { "own", "plain", NULL };
    const StorePutTask t = { "trail", "api", "", "", definition, schedules, TIME, false, NULL, follows };

    return fixture_put_plain(f, &t);
}

static StoreAsked ask_trail(
    const char *token, const char *schedule, uint64_t previous, uint64_t nominal, uint64_t ended)
{
    const StoreAsk ask = { .requester = "alice",
        .requester_uid = 1000,
        .token = token,
        .task = "trail",
        .revision = f->revision,
        .queue = "default",
        .schedule = schedule,
        .previous = previous,
        .nominal = nominal,
        .ended = ended };

    return contract_ask(&ask);
}

static int skip_trail(uint64_t previous, uint64_t nominal, uint64_t ended)
{
    const StoreSkip skip = { "trail", "own", f->revision, previous, nominal, nominal, 1, "host-down",
        "it was down", ended };

    return fixture_skip_plain(f, &skip).r;
}

static void assert_own(uint64_t run, uint64_t ended, uint64_t under_way)
{
    Followers k = fixture_followers(f, run, run > 0 ? NULL : "trail");

    g_assert_cmpint(k.r, ==, 0);
    g_assert_cmpuint(k.n, ==, 1);
    g_assert_cmpstr(k.task, ==, "trail");
    g_assert_cmpstr(k.schedule, ==, "own");
    g_assert_cmpuint(k.ended, ==, ended);
    g_assert_cmpuint(k.under_way, ==, under_way);
}

/* The one run that can be claimed ends then. */
static void end_trail_as(uint64_t run, uint64_t finished, RunResult result)
{
    g_autoptr(GPtrArray) runs = fixture_claim(f, 10, NULL);
    StoreOwner o;
    StoreEnd e;

    g_assert_cmpuint(runs->len, ==, 1);
    g_assert_cmpuint(((const StoreRun *)runs->pdata[0])->id, ==, run);
    o = fixture_owner(runs->pdata[0]);
    e = fixture_ending(&o, result);
    e.finished = finished;
    g_assert_cmpint(fixture_end(f, &e).state, ==, RUN_DONE);
}

static void end_trail(uint64_t run, uint64_t finished)
{
    end_trail_as(run, finished, RUN_SUCCESS);
}

/* From the end that is the last, and not while a run of its own is under way, be that told or not. */
static void test_followed(void)
{
    static const char *const follows[] = { "trail", "", NULL };
    StoreAsked a, plain;
    uint64_t by_hand;

    f->revision = put_trail("[1]", follows);
    assert_own(0, UNSET, UNSET);
    g_assert_cmpuint(ask_trail("f-0", "own", UNSET, TIME, TIME - 1).run, ==, 0);
    a = ask_trail("f-1", "own", UNSET, TIME, UNSET);
    g_assert_true(a.fresh);
    assert_own(a.run, UNSET, TIME);
    g_assert_cmpuint(ask_trail("f-2", "own", TIME, TIME + 1, UNSET).run, ==, 0);
    g_assert_cmpint(skip_trail(TIME, TIME + 1, UNSET), ==, 0);
    end_trail(a.run, TIME + 5);
    assert_own(a.run, TIME + 5, UNSET);
    g_assert_cmpuint(ask_trail("f-2", "own", TIME, TIME + 1, UNSET).run, ==, 0);
    g_assert_cmpint(skip_trail(TIME, TIME + 6, UNSET), ==, 0);
    g_assert_cmpint(skip_trail(TIME, TIME + 6, TIME + 5), ==, 1);
    contract_anew();
    f->revision = 1;
    assert_own(0, TIME + 5, UNSET);
    /* What others ask for counts as well, but for what never began, and what ended before. */
    by_hand = ask_trail("f-3", NULL, UNSET, UNSET, UNSET).run;
    g_assert_cmpint(fixture_cancel(f, by_hand).c.state, ==, RUN_DONE);
    assert_own(by_hand, TIME + 5, UNSET);
    by_hand = ask_trail("f-4", NULL, UNSET, UNSET, UNSET).run;
    end_trail(by_hand, TIME + 4);
    assert_own(by_hand, TIME + 5, UNSET);
    by_hand = ask_trail("f-4b", NULL, UNSET, UNSET, UNSET).run;
    end_trail_as(by_hand, TIME + 7, RUN_EXPIRED);
    assert_own(by_hand, TIME + 5, UNSET);
    plain = ask_trail("f-5", "plain", UNSET, TIME, UNSET);
    end_trail(plain.run, TIME + 8);
    assert_own(plain.run, TIME + 8, UNSET);
    a = ask_trail("f-6", "own", TIME + 6, TIME + 9, TIME + 8);
    g_assert_true(a.fresh);
}

/* Its own run counts however it ends, and alone while it is under way. A new definition changes nothing but where it does not follow. */
static void test_followed_anew(void)
{
    static const char *const follows[] = { "trail", "", NULL };
    uint64_t by_hand = ask_trail("f-7", NULL, UNSET, UNSET, UNSET).run, own = by_hand - 1;
    Followers k;

    assert_own(own, TIME + 8, TIME + 9);
    f->revision = put_trail("[2]", follows);
    assert_own(own, TIME + 8, TIME + 9);
    g_assert_cmpint(fixture_cancel(f, own).c.state, ==, RUN_DONE);
    k = fixture_followers(f, own, NULL);
    g_assert_cmpuint(k.under_way, ==, UNSET);
    g_assert_cmpuint(k.ended, >, TIME + 8);
    end_trail(by_hand, k.ended + 1);
    assert_own(own, k.ended + 1, UNSET);
    f->revision = put_trail("[3]", NULL);
    g_assert_cmpuint(fixture_followers(f, own, NULL).n, ==, 0);
    f->revision = put_trail("[4]", follows);
    assert_own(own, UNSET, UNSET);
    g_assert_cmpint(fixture_delete(f, "trail"), ==, 0);
    g_assert_cmpuint(fixture_followers(f, own, NULL).n, ==, 0);
}

static uint64_t booted(const char *boot)
{
    Followers k;

    fixture_boot = boot;
    contract_anew();
    fixture_boot = NULL;
    k = fixture_followers(f, 0, "@boot");
    g_assert_cmpint(k.r, ==, 0);
    g_assert_cmpuint(k.n, ==, 1);
    g_assert_cmpuint(k.under_way, ==, UNSET);
    return k.ended;
}

/* A boot is followed once, however often the daemon comes back in it, and not by what was added after it. */
static void test_boot(void)
{
    static const char *const follows[] = { "@boot", "", NULL };
    uint64_t revision = put_trail("[5]", follows), first, second;
    StoreAsked a;

    g_assert_cmpuint(booted(NULL), ==, UNSET);
    first = booted("11111111111111111111111111111111");
    g_assert_cmpuint(first, !=, UNSET);
    g_assert_cmpuint(booted("11111111111111111111111111111111"), ==, first);
    f->revision = revision;
    g_assert_cmpuint(ask_trail("f-8", "own", UNSET, first, first - 1).run, ==, 0);
    a = ask_trail("f-8", "own", UNSET, first, first);
    g_assert_true(a.fresh);
    g_assert_cmpuint(booted("11111111111111111111111111111111"), ==, first);
    g_assert_cmpint(fixture_cancel(f, a.run).c.state, ==, RUN_DONE);
    g_assert_cmpuint(booted("11111111111111111111111111111111"), ==, first);
    second = booted("22222222222222222222222222222222");
    g_assert_cmpuint(second, >, first);
    /* The next came before it was followed. */
    g_assert_cmpuint(booted(NULL), >, second);
    f->revision = revision;
    g_assert_cmpuint(ask_trail("f-9", "own", first, second + 1, second).last, ==, second);
    g_assert_cmpint(fixture_delete(f, "trail"), ==, 0);
}

void contract_add_follow(void)
{
    g_test_add_func("/store/contract/followed", test_followed);
    g_test_add_func("/store/contract/followed-anew", test_followed_anew);
    g_test_add_func("/store/contract/boot", test_boot);
}
