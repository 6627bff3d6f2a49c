/* What every store does with times that are run after they have passed: each once, and one after the other. */
#include "contract.h"

#define f contract_fixture

#define FIRST (1600000000 * USEC_PER_SEC)

typedef struct Answer {
    bool answered;
    int r;
    GArray *times; /* of StoreBackfilled */
} Answer;

static void on_backfilled(int r, const GArray *times, const Error *error, void *userdata)
{
    Answer *a = userdata;

    *a = (Answer){ true, r, g_array_new(FALSE, FALSE, sizeof(StoreBackfilled)) };
    if (times)
        g_array_append_vals(a->times, times->data, times->len);
}

/* n times from that one on, a second apart. */
static StoreBackfill backfill_of(unsigned first, unsigned n)
{
    GArray *times = g_array_new(FALSE, FALSE, sizeof(uint64_t));

    for (uint64_t i = first; i < first + n; i++) {
        uint64_t at = FIRST + i * USEC_PER_SEC;

        g_array_append_val(times, at);
    }
    return (StoreBackfill){ .task = "bounded",
        .schedule = "a",
        .revision = f->revision,
        .times = times,
        .requester = "alice",
        .requester_uid = 1000,
        .queue = "default",
        .grace_usec = USEC_PER_SEC,
        .overlap = "queue" };
}

static Answer backfill(const StoreBackfill *b)
{
    Answer a = { 0 };

    g_assert_cmpint(store_backfill(f->store, b, on_backfilled, &a), ==, 0);
    g_assert_false(a.answered);
    fixture_until(f, &a.answered);
    g_array_unref((GArray *)b->times);
    return a;
}

/* What became of each time, as a letter: "A" it is asked for and goes, "a" and waits, "h" has a run, "c" is to come. */
static uint64_t assert_backfilled(const StoreBackfill *b, const char *want)
{
    static const char letters[] = { 'a', 'h', 'c' };
    g_autoptr(GString) got = g_string_new(NULL);
    Answer a = backfill(b);
    uint64_t first = UNSET;

    g_assert_cmpint(a.r, ==, 0);
    for (guint i = 0; i < a.times->len; i++) {
        const StoreBackfilled *t = &g_array_index(a.times, StoreBackfilled, i);

        g_string_append_c(got, t->goes ? 'A' : letters[t->outcome]);
        g_assert_cmpint(t->run == UNSET, ==,
            b->dry ? t->outcome != STORE_BACKFILL_HAS_RUN : t->outcome == STORE_BACKFILL_TO_COME);
        if (i == 0)
            first = t->run;
    }
    g_array_unref(a.times);
    g_assert_cmpstr(got->str, ==, want);
    return first;
}

/* The one run that is claimed now is this one, of that time; then it ends. */
static void run_one(uint64_t run, unsigned second)
{
    g_autoptr(GPtrArray) runs = fixture_claim(f, 10, NULL), none = NULL;
    const StoreRun *r;
    StoreOwner o;
    StoreEnd e;

    g_assert_cmpuint(runs->len, ==, 1);
    r = g_ptr_array_index(runs, 0);
    g_assert_cmpuint(r->id, ==, run);
    g_assert_cmpuint(r->nominal, ==, FIRST + second * USEC_PER_SEC);
    g_assert_cmpstr(r->schedule, ==, "a");
    g_assert_true(r->requester_uid != UNSET);
    o = fixture_owner(r);
    none = fixture_claim(f, 10, NULL);
    g_assert_cmpuint(none->len, ==, 0);
    e = fixture_ending(&o, RUN_SUCCESS);
    g_assert_cmpint(fixture_end(f, &e).state, ==, RUN_DONE);
}

static void begin(void)
{
    static const char *const schedules[] = { "a", NULL };

    (void)fixture_delete(f, "bounded");
    fixture_put(f, "bounded", "[1]", schedules);
}

/* In their order, one after the other, whoever asks when; again is nothing. What is cancelled is passed by. */
static void test_in_order(void)
{
    StoreBackfill b;
    uint64_t run, early, revision;

    begin();
    revision = f->revision;
    b = backfill_of(4, 4);
    b.dry = true;
    (void)assert_backfilled(&b, "aaaa");
    b = backfill_of(4, 4);
    run = assert_backfilled(&b, "Aaaa");
    b = backfill_of(2, 4);
    early = assert_backfilled(&b, "aahh");
    g_assert_cmpstr(fixture_get(f, early, NULL)->requester, ==, "alice");
    g_assert_cmpint(fixture_get(f, early, NULL)->state, ==, RUN_WAITING);
    g_assert_true(*fixture_get(f, early, NULL)->reason);
    b = backfill_of(2, 7);
    b.dry = true;
    (void)assert_backfilled(&b, "hhhhhha");
    contract_anew();
    f->revision = revision;
    run_one(run, 4);
    g_assert_cmpint(fixture_cancel(f, early + 1).c.state, ==, RUN_DONE);
    run_one(early, 2);
    run_one(run + 1, 5);
    /* The one that goes gives way to the next. */
    g_assert_true(fixture_cancel(f, run + 2).c.freed);
    run_one(run + 3, 7);
    b = backfill_of(2, 6);
    (void)assert_backfilled(&b, "hhhhhh");
    b = backfill_of(8, 1);
    run = assert_backfilled(&b, "A");
    run_one(run, 8);
}

static Asked fire(uint64_t previous, unsigned second)
{
    uint64_t at = FIRST + second * USEC_PER_SEC;
    g_autofree char *token = g_strdup_printf("bounded/a@%" G_GUINT64_FORMAT, at);
    StoreAsk ask = { .requester = "taskschedd",
        .requester_uid = UNSET,
        .token = token,
        .task = "bounded",
        .revision = f->revision,
        .queue = "default",
        .schedule = "a",
        .nominal = at,
        .previous = previous };
    Asked a;

    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    g_assert_cmpint(a.r, ==, 0);
    return a;
}

/* A slot that fired has its run; one that was skipped has none; what has no outcome yet is the schedule's, unless that is said to
 * decide nothing; and then its slot is that run. */
static void test_slots(void)
{
    static const char *const schedules[] = { "a", NULL };
    const StorePutTask put = { .name = "bounded",
        .origin = "api",
        .definition = "[2]",
        .schedules = schedules,
        .since = FIRST + 20 * USEC_PER_SEC };
    uint64_t fired, run;
    StoreBackfill b;
    Asked a;

    (void)fixture_delete(f, "bounded");
    fixture_put_plain(f, &put);
    a = fire(UNSET, 21);
    fired = a.asked.run;
    g_assert_true(a.asked.fresh);
    g_assert_cmpint(fixture_skip(f, "bounded", "a", FIRST + 21 * USEC_PER_SEC, FIRST + 22 * USEC_PER_SEC,
                        FIRST + 23 * USEC_PER_SEC, 2)
                        .r,
        ==, 1);
    g_assert_cmpint(fixture_cancel(f, fired).c.state, ==, RUN_DONE);
    b = backfill_of(19, 7);
    run = assert_backfilled(&b, "Aahaacc");
    g_assert_cmpuint(run, >, fired);
    b = backfill_of(24, 1);
    b.unsettled = true;
    g_assert_cmpuint(assert_backfilled(&b, "a"), ==, run + 4);
    a = fire(FIRST + 23 * USEC_PER_SEC, 24);
    g_assert_false(a.asked.fresh);
    g_assert_cmpuint(a.asked.run, ==, run + 4);
    g_assert_cmpuint(a.asked.last, ==, FIRST + 24 * USEC_PER_SEC);
    g_assert_cmpuint(a.asked.fired, ==, 1);
    a = fire(FIRST + 24 * USEC_PER_SEC, 25);
    g_assert_true(a.asked.fresh);
    g_assert_cmpuint(a.asked.fired, ==, 2);
    g_assert_cmpint(fixture_cancel(f, a.asked.run).c.state, ==, RUN_DONE);
    /* One that was made anew under its name knows them. */
    begin();
    b = backfill_of(19, 7);
    (void)assert_backfilled(&b, "hhhhhhh");
    for (unsigned i = 0; i < 4; i++)
        g_assert_cmpint(fixture_cancel(f, run + i).c.state, ==, RUN_DONE);
    run_one(run + 4, 24);
}

/* Each by its own schedule; none where there is no such schedule, or another revision is in force, and then nothing is made. */
static void test_none(void)
{
    StoreBackfill b;
    Answer a;

    begin();
    b = backfill_of(30, 2);
    b.schedule = "b";
    a = backfill(&b);
    g_assert_cmpint(a.r, ==, -ENOENT);
    g_array_unref(a.times);
    b = backfill_of(30, 2);
    b.revision++;
    a = backfill(&b);
    g_assert_cmpint(a.r, ==, -ENOENT);
    g_array_unref(a.times);
    b = backfill_of(30, 0);
    (void)assert_backfilled(&b, "");
    g_assert_cmpint(fixture_delete(f, "bounded"), ==, 0);
    b = backfill_of(30, 2);
    a = backfill(&b);
    g_assert_cmpint(a.r, ==, -ENOENT);
    g_array_unref(a.times);
    begin();
    b = backfill_of(30, 2);
    b.dry = true;
    (void)assert_backfilled(&b, "aa");
}

/* They take places of their task as others do. */
static void test_place(void)
{
    StoreBackfill b;
    uint64_t run;

    begin();
    b = backfill_of(40, 2);
    b.places = 1;
    run = assert_backfilled(&b, "Aa");
    g_assert_cmpuint(fixture_get(f, run, NULL)->places, ==, 1);
    g_assert_cmpstr(fixture_get(f, run, NULL)->overlap, ==, "queue");
    run_one(run, 40);
    run_one(run + 1, 41);
}

void contract_add_backfill(void)
{
    g_test_add_func("/store/contract/backfill", test_in_order);
    g_test_add_func("/store/contract/backfill-slots", test_slots);
    g_test_add_func("/store/contract/backfill-none", test_none);
    g_test_add_func("/store/contract/backfill-place", test_place);
}
