/* What goes wrong on the way: connections that end, servers that stop answering, operations that the database
 * refuses, a database that takes no writes; and what many at once cost. */
#include "fixture.h"

#include <signal.h>
#include <string.h>

#define MANY 10000

static Fixture *f;

static void kill_backend(void)
{
    g_free(fixture_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                       " WHERE application_name = 'taskschedd' AND datname = current_database()"));
}

/* The server's end goes away while a batch is held up: the answer is "not connected", the connection comes
 * back with a new epoch, and asking again finds out what happened. */
static void test_terminated(void)
{
    uint64_t epoch = f->epoch;
    unsigned n_up = f->n_up;
    g_autoptr(GPtrArray) runs = NULL;
    Asked before = fixture_ask(f, "terminated-before", 0, 0), during, again;
    StoreOwner o;
    PGconn *c;

    runs = fixture_claim(f, 1, NULL);
    g_assert_cmpuint(runs->len, ==, 1);
    o = fixture_owner(runs->pdata[0]);

    c = PQconnectdb("");
    PQclear(PQexec(c, "BEGIN; LOCK TABLE taskschedd.ask IN EXCLUSIVE MODE"));
    fixture_ask_begin(f, "terminated", 0, 0, &during);
    for (int i = 0; i < 20; i++)
        fixture_turn(f);
    g_assert_false(during.answered);
    kill_backend();
    fixture_until(f, &during.answered);
    g_assert_cmpint(during.r, ==, -ENOTCONN);
    PQfinish(c);
    g_assert_cmpuint(store_pending(f->store), ==, 0);
    fixture_wait(f, STORE_UP);
    g_assert_cmpuint(f->n_up, ==, n_up + 1);
    g_assert_cmpuint(f->epoch, ==, epoch + 1);
    g_assert_cmpuint(f->n_runs, ==, 1);
    again = fixture_ask(f, "terminated-before", 0, 0);
    g_assert_false(again.asked.fresh);
    g_assert_cmpuint(again.asked.run, ==, before.asked.run);
    again = fixture_ask(f, "terminated", 0, 0);
    g_assert_true(again.asked.fresh);
    /* The claim of the epoch before was taken along. */
    g_assert_cmpint(fixture_running(f, &o).r, ==, STORE_RECORDED);
    fixture_cancel(f, again.asked.run);
}

/* While it is not up, everything is answered at once, but never from within the call. */
static void test_down(void)
{
    Asked a;
    unsigned n_up = f->n_up;

    kill_backend();
    while (f->state == STORE_UP)
        fixture_turn(f);
    fixture_ask_begin(f, "down", 0, 0, &a);
    g_assert_false(a.answered);
    fixture_until(f, &a.answered);
    g_assert_cmpint(a.r, ==, -ENOTCONN);
    store_audit(f->store, &(StoreAudit){ .uid = 7, .method = "RunTask", .object = "down", .granted = true });
    fixture_wait(f, STORE_UP);
    g_assert_cmpuint(f->n_up, ==, n_up + 1);
    a = fixture_ask(f, "down", 0, 0);
    g_assert_true(a.asked.fresh);
    fixture_cancel(f, a.asked.run);
    /* The audit of that time was kept. */
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM audit WHERE object = 'down' AND uid = 7"), ==, 1);
}

/* One operation that the database refuses, among many. */
static void test_poison(void)
{
    Asked asked[9];
    StoreAsk bad = {
        .requester = "alice",
        .token = "poison",
        .task = "t",
        .revision = 1,
        .queue = "default",
        .input = "{\"not\": json}",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(asked); i++) {
        g_autofree char *token = g_strdup_printf("poison-%u", i);

        if (i == 4)
            fixture_ask_plain(f, &bad, &asked[i]);
        else
            fixture_ask_begin(f, token, 0, 0, &asked[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(asked); i++) {
        fixture_until(f, &asked[i].answered);
        g_assert_cmpint(asked[i].r, ==, i == 4 ? -EINVAL : 0);
        g_assert_cmpint(asked[i].asked.fresh, ==, i != 4);
        if (i == 4)
            g_assert_nonnull(strstr(asked[i].error, "invalid input syntax for type json"));
        else
            fixture_cancel(f, asked[i].asked.run);
        g_free(asked[i].error);
    }
    g_assert_cmpint(f->state, ==, STORE_UP);
}

/* A database that has become read-only: nothing is dropped, the state says why, and it is tried again. */
static void test_read_only(void)
{
    Asked a;

    g_free(fixture_sql("ALTER DATABASE %s SET default_transaction_read_only = on", g_getenv("PGDATABASE")));
    kill_backend();
    fixture_wait(f, STORE_UNUSABLE);
    g_assert_cmpstr(f->reason, ==, "the database is read-only");
    fixture_ask_begin(f, "read-only", 0, 0, &a);
    fixture_until(f, &a.answered);
    g_assert_cmpint(a.r, ==, -ENOTCONN);
    g_free(fixture_sql("ALTER DATABASE %s RESET default_transaction_read_only", g_getenv("PGDATABASE")));
    fixture_wait(f, STORE_UP);
    fixture_cancel(f, fixture_ask(f, "read-only", 0, 0).asked.run);
}

/* A trigger stands for what a disk or a lock would say: the first `times` inserts fail with that code. */
static void fail_asks(const char *code, int times)
{
    g_free(fixture_sql("DROP SEQUENCE IF EXISTS failed; CREATE SEQUENCE failed"));
    g_free(fixture_sql("CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $f$"
                       " BEGIN IF nextval('failed') <= %d THEN RAISE EXCEPTION 'as if' USING ERRCODE = '%s';"
                       " END IF; RETURN new; END $f$",
        times, code));
    g_free(fixture_sql(
        "CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON ask FOR EACH ROW EXECUTE FUNCTION fail()"));
}

/* What may succeed when repeated is repeated, and nobody hears of it. */
static void test_again(void)
{
    unsigned n_up = f->n_up;
    Asked a;

    fail_asks("40001", 3);
    a = fixture_ask(f, "serialization", 0, 0);
    g_assert_cmpint(a.r, ==, 0);
    g_assert_true(a.asked.fresh);
    g_assert_cmpuint(f->n_up, ==, n_up);
    fixture_cancel(f, a.asked.run);
    /* But not for ever. */
    fail_asks("40001", 7);
    a = fixture_ask(f, "deadlock", 0, 0);
    g_assert_cmpint(a.r, ==, -ENOTCONN);
    fixture_wait(f, STORE_UP);
    g_free(fixture_sql("DROP TRIGGER fail ON ask"));
}

static void test_disk_full(void)
{
    Asked a;

    fail_asks("53100", 1);
    a = fixture_ask(f, "full", 0, 0);
    g_assert_cmpint(a.r, ==, -ENOTCONN);
    g_assert_cmpint(f->state, ==, STORE_UNUSABLE);
    g_assert_nonnull(strstr(f->reason, "disk is full"));
    fixture_wait(f, STORE_UP);
    a = fixture_ask(f, "full", 0, 0);
    g_assert_true(a.asked.fresh);
    fixture_cancel(f, a.asked.run);
    g_free(fixture_sql("DROP TRIGGER fail ON ask"));
}

/* The server is there and does not answer: after the time for an answer the connection is given up. The clock
 * is the test's, so that nobody waits for it. */
static void test_stalled(void)
{
    g_autoptr(Clock) clock = NULL;
    Fixture *g;
    int backend;
    Asked a;

    fixture_fresh();
    g_assert_cmpint(clock_new_fake((uint64_t)g_get_real_time(), &clock), ==, 0);
    g = fixture_new("here", clock, NULL);
    clock_fake_advance(clock, 1);
    fixture_wait(g, STORE_UP);
    backend = (int)fixture_sql_u64("SELECT pid FROM pg_stat_activity WHERE application_name = 'taskschedd'"
                                   " AND datname = current_database()");
    g_assert_cmpint(backend, >, 1);
    g_assert_cmpint(kill(backend, SIGSTOP), ==, 0);
    fixture_ask_begin(g, "stalled", 0, 0, &a);
    for (int i = 0; i < 5; i++)
        fixture_turn(g);
    clock_fake_advance(clock, 29 * USEC_PER_SEC);
    for (int i = 0; i < 5; i++)
        fixture_turn(g);
    g_assert_false(a.answered);
    g_assert_cmpint(g->state, ==, STORE_UP);
    clock_fake_advance(clock, 2 * USEC_PER_SEC);
    fixture_until(g, &a.answered);
    g_assert_cmpint(a.r, ==, -ENOTCONN);
    g_assert_cmpint(g->state, ==, STORE_CONNECTING);
    g_assert_nonnull(strstr(g->reason, "stalled"));
    /* The frozen session still holds the database: we say so, and come up when it is gone. */
    clock_fake_advance(clock, USEC_PER_SEC);
    fixture_wait(g, STORE_UNUSABLE);
    g_assert_cmpint(kill(backend, SIGCONT), ==, 0);
    for (int i = 0; i < 500 && g->state != STORE_UP; i++) {
        clock_fake_advance(clock, USEC_PER_SEC);
        fixture_turn(g);
    }
    g_assert_cmpint(g->state, ==, STORE_UP);
    /* The batch that was on its way may have been committed: the token tells. */
    a = fixture_ask(g, "stalled", 0, 0);
    g_assert_cmpuint(a.asked.run, ==, 1);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM run"), ==, 1);
    fixture_free(g);
}

static Asked many[MANY];
static Outcome ends[MANY];

static void test_many(void)
{
    uint64_t before = fixture_sql_u64("SELECT pg_current_xact_id()"), after;
    gint64 begin = g_get_monotonic_time(), asked, claimed;
    unsigned n = 0;

    for (unsigned i = 0; i < MANY; i++) {
        g_autofree char *token = g_strdup_printf("many-%u", i);

        fixture_ask_begin(f, token, 0, 0, &many[i]);
    }
    for (unsigned i = 0; i < MANY; i++) {
        fixture_until(f, &many[i].answered);
        g_assert_cmpint(many[i].r, ==, 0);
    }
    asked = g_get_monotonic_time();
    claimed = asked;
    while (n < MANY) {
        g_autoptr(GPtrArray) runs = fixture_claim(f, 500, NULL);
        unsigned first = n;

        g_assert_cmpuint(runs->len, >, 0);
        for (unsigned i = 0; i < runs->len; i++) {
            StoreOwner o = fixture_owner(runs->pdata[i]);
            StoreEnd e = fixture_ending(&o, RUN_SUCCESS);

            store_end(f->store, &e, fixture_on_end, &ends[n++]);
        }
        for (unsigned i = first; i < n; i++) {
            fixture_until(f, &ends[i].answered);
            g_assert_cmpint(ends[i].r, ==, STORE_RECORDED);
            g_assert_cmpint(ends[i].state, ==, RUN_DONE);
        }
    }
    claimed = g_get_monotonic_time() - claimed;
    after = fixture_sql_u64("SELECT pg_current_xact_id()");
    g_test_message("%d runs: %" G_GUINT64_FORMAT " transactions, asked in %" G_GINT64_FORMAT
                   " ms, claimed and ended in %" G_GINT64_FORMAT " ms",
        MANY, after - before, (asked - begin) / 1000, claimed / 1000);
    g_assert_cmpuint(after - before, <, MANY / 20);
    g_assert_cmpuint(
        fixture_sql_u64("SELECT count(*) FROM run r JOIN ask a ON a.run = r.id JOIN attempt t ON t.run = r.id"
                        " WHERE a.token LIKE 'many-%%' AND r.state = 'done' AND r.result = 'success'"
                        "  AND t.result = 'success'"),
        ==, MANY);
}

static void on_runs(int r, GPtrArray *runs, const Error *error, void *userdata)
{
    GPtrArray **out = userdata;

    g_assert_cmpint(r, ==, 0);
    *out = g_ptr_array_ref(runs);
}

static GPtrArray *list(StoreFilter filter)
{
    GPtrArray *runs = NULL;

    store_list_runs(f->store, &filter, on_runs, &runs);
    for (int i = 0; i < 1000 && !runs; i++)
        fixture_turn(f);
    g_assert_nonnull(runs);
    return runs;
}

/* Pages of the newest first, and each filter. */
static void test_list(void)
{
    StoreFilter any = { .state = -1, .result = -1, .limit = 3 };
    StoreFilter x = any;
    g_autoptr(GPtrArray) page = list(any);
    g_autoptr(GPtrArray) next = NULL;
    g_autoptr(GPtrArray) meta = NULL;
    g_autoptr(GPtrArray) none = NULL;
    uint64_t last = ((StoreRun *)page->pdata[2])->id;
    StoreAsk ask = {
        .requester = "carol",
        .requester_uid = 1,
        .token = "meta",
        .task = "t",
        .revision = 1,
        .queue = "default",
        .meta = "{\"order\": \"7\", \"x\": \"y\"}",
        .secrets = "{\"password\": \"p\"}",
    };
    Asked a;

    g_assert_cmpuint(page->len, ==, 3);
    g_assert_null(((StoreRun *)page->pdata[0])->input);
    x.before = last;
    x.with_input = true;
    next = list(x);
    g_assert_cmpuint(((StoreRun *)next->pdata[0])->id, ==, last - 1);
    g_assert_nonnull(((StoreRun *)next->pdata[0])->input);

    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    x = any;
    x.meta = "{\"order\": \"7\"}";
    x.requester = "carol";
    x.requester_uid = 1;
    x.task = "t";
    x.state = RUN_QUEUED;
    x.since = (uint64_t)g_get_real_time() - 60 * USEC_PER_SEC;
    x.until = (uint64_t)g_get_real_time() + 60 * USEC_PER_SEC;
    x.with_input = true;
    meta = list(x);
    g_assert_cmpuint(meta->len, ==, 1);
    g_assert_cmpuint(((StoreRun *)meta->pdata[0])->id, ==, a.asked.run);
    g_assert_null(((StoreRun *)meta->pdata[0])->secrets);
    g_assert_cmpstr(fixture_get(f, a.asked.run, NULL)->secrets, ==, "{\"password\": \"p\"}");
    x.result = RUN_SUCCESS;
    none = list(x);
    g_assert_cmpuint(none->len, ==, 0);
}

/* Nothing asked for: nothing wakes us. */
static void test_idle(void)
{
    for (int i = 0; i < 10; i++)
        fixture_turn(f);
    g_assert_cmpuint(store_pending(f->store), ==, 0);
    g_assert_cmpint(sd_event_run(f->event, 2 * USEC_PER_SEC), ==, 0);
}

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    fixture_fresh();
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    fixture_put(f, "t", "[]", NULL);
    g_test_add_func("/store/faults/terminated", test_terminated);
    g_test_add_func("/store/faults/down", test_down);
    g_test_add_func("/store/faults/poison", test_poison);
    g_test_add_func("/store/faults/read-only", test_read_only);
    g_test_add_func("/store/faults/again", test_again);
    g_test_add_func("/store/faults/disk-full", test_disk_full);
    g_test_add_func("/store/faults/many", test_many);
    g_test_add_func("/store/faults/list", test_list);
    g_test_add_func("/store/faults/idle", test_idle);
    g_test_add_func("/store/faults/stalled", test_stalled);
    r = g_test_run();
    fixture_free(f);
    return r;
}
