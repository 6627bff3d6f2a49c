/* A time that is backfilled at the very moment when its schedule fires it: one run, whoever is first, and the ledger has it. And
 * what is kept of it when the history is trimmed. */
#include "fixture.h"

#define NOMINAL "1700000000000000"

static Fixture *f;

/* As of a schedule that decides nothing. */
static char *backfill_sql(const char *task)
{
    return g_strdup_printf("SELECT outcome FROM backfill_ask('%s', 's', 1, '{" NOMINAL
                           "}', true, false, 'alice', 1000, 'default', 0,"
                           " '{}', NULL, 1, NULL, 'queue')",
        task);
}

static void begin(const char *task)
{
    static const char *const schedules[] = { "s", NULL };
    const StorePutTask put = { .name = task,
        .origin = "api",
        .definition = "[]",
        .schedules = schedules,
        .since = 1600000000 * USEC_PER_SEC };

    fixture_put_plain(f, &put);
}

static StoreAsk slot_of(const char *task, const char *token)
{
    return (StoreAsk){ .requester = "taskschedd",
        .requester_uid = UNSET,
        .token = token,
        .task = task,
        .revision = 1,
        .queue = "default",
        .schedule = "s",
        .nominal = 1700000000 * USEC_PER_SEC,
        .previous = UNSET };
}

static void assert_one(const char *task, const char *backfilled)
{
    g_autofree char *is = fixture_sql(
        "SELECT (SELECT count(*) FROM run WHERE task = '%1$s') || ' ' || (SELECT string_agg(outcome || ' ' || (run ="
        " (SELECT id FROM run WHERE task = '%1$s')), ',') FROM slot WHERE task = '%1$s') || ' '"
        " || (SELECT count(*) FROM backfill WHERE task = '%1$s')",
        task);
    g_autofree char *want = g_strdup_printf("1 fired true %s", backfilled);

    g_assert_cmpstr(is, ==, want);
}

/* The slot waits for the other, and is that run then. */
static void test_backfill_first(void)
{
    g_autofree char *sql = backfill_sql("first");
    StoreAsk ask = slot_of("first", "first/s@" NOMINAL);
    PGconn *c = fixture_connect();
    Asked a;

    begin("first");
    fixture_execute(c, "BEGIN");
    fixture_execute(c, sql);
    fixture_ask_plain(f, &ask, &a);
    for (int i = 0;
         i < 6000 &&
         fixture_sql_u64("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == 0;
         i++)
        fixture_turn(f);
    g_assert_false(a.answered);
    fixture_execute(c, "COMMIT");
    fixture_until(f, &a.answered);
    g_assert_cmpint(a.r, ==, 0);
    g_assert_false(a.asked.fresh);
    g_assert_cmpuint(a.asked.run, >, 0);
    g_assert_cmpuint(a.asked.last, ==, 1700000000 * USEC_PER_SEC);
    assert_one("first", "1");
    PQfinish(c);
}

static void test_slot_first(void)
{
    g_autofree char *sql = backfill_sql("second"), *outcome = NULL;
    StoreAsk ask = slot_of("second", "second/s@" NOMINAL);
    Asked a;

    begin("second");
    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    g_assert_true(a.asked.fresh);
    outcome = fixture_sql("%s", sql);
    g_assert_cmpstr(outcome, ==, "1");
    assert_one("second", "0");
    /* Nor where the ledger does not reach so far back, but the run is still there. */
    g_free(fixture_sql("DELETE FROM slot WHERE task = 'second'"));
    g_free(outcome);
    outcome = fixture_sql("%s", sql);
    g_assert_cmpstr(outcome, ==, "1");
}

/* The guard outlives the run; it goes when the history is to have nothing so old, and not while its run is not over. */
static void test_trimmed(void)
{
    static const char trim[] =
        "SELECT history_trim(86400000000, NULL, '{}', '{}', '{}', 1000, phase, 0, 0) FROM generate_series(0, 1) phase";
    g_autofree char *sql = backfill_sql("third"), *outcome = NULL;

    begin("third");
    g_free(fixture_sql("%s", sql));
    g_free(fixture_sql("UPDATE backfill SET at = at - interval '2 days' WHERE task = 'third'"));
    g_free(fixture_sql(trim));
    g_assert_cmpuint(
        fixture_sql_u64("SELECT count(*) FROM backfill WHERE task = 'third' AND state = 'goes'"), ==, 1);
    g_free(fixture_sql("UPDATE run SET state = 'done', result = 'success' WHERE task = 'third'"));
    g_assert_cmpuint(
        fixture_sql_u64("SELECT count(*) FROM backfill WHERE task = 'third' AND state = 'over'"), ==, 1);
    g_free(fixture_sql("SELECT history_delete(array_agg(id)) FROM run WHERE task = 'third'"));
    outcome = fixture_sql("%s", sql);
    g_assert_cmpstr(outcome, ==, "1");
    g_free(fixture_sql(trim));
    g_free(outcome);
    outcome = fixture_sql("%s", sql);
    g_assert_cmpstr(outcome, ==, "0");
}

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    g_test_add_func("/store/backfill/backfill-first", test_backfill_first);
    g_test_add_func("/store/backfill/slot-first", test_slot_first);
    g_test_add_func("/store/backfill/trimmed", test_trimmed);
    r = g_test_run();
    fixture_free(f);
    return r;
}
