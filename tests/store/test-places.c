/* Places of a task between two connections that claim, ask and end at the same moment: never more have one than there are, and what
 * is held is let go on. Each does what a claim of the daemon does, with the statements of the store, in transactions that
 * are kept open as long as it takes. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "store/op.h"

static Fixture *f;

/* What a claim has to do before it, and the claim; so many runs. */
static int claim(PGconn *c)
{
    static const char *const values[] = { "10", "boot", "1", "1", "here", "1" };
    const OpInfo *info = op_info(OP_CLAIM);
    PGresult *res;
    int n;

    fixture_execute(c, info->before_sql);
    res = PQexecParams(c, info->sql, 6, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        g_error("claim: %s", PQerrorMessage(c));
    n = PQntuples(res);
    PQclear(res);
    return n;
}

/* c has sent a statement: it waits for a lock that somebody holds, and nothing else. */
static void assert_waits(PGconn *c)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = %d AND wait_event_type = 'Lock'", PQbackendPID(c));

    for (int i = 0; i < 6000 && fixture_sql_u64(sql) == 0; i++)
        g_usleep(10000);
    g_assert_cmpuint(fixture_sql_u64(sql), ==, 1);
}

static void send_sql(PGconn *c, const char *sql)
{
    g_assert_cmpint(PQsendQuery(c, sql), ==, 1);
}

static void finish(PGconn *c)
{
    PGresult *res;

    while ((res = PQgetResult(c))) {
        if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
            g_error("%s", PQerrorMessage(c));
        PQclear(res);
    }
}

static void ask(const char *task, unsigned n, unsigned places, const char *overlap)
{
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *token = g_strdup_printf("%s-%u-%u", task, i, g_random_int());
        StoreAsk a = { .requester = "alice",
            .requester_uid = 1000,
            .token = token,
            .task = task,
            .revision = 1,
            .queue = "default",
            .grace_usec = 1,
            .places = places,
            .overlap = overlap };
        Asked asked;

        fixture_ask_plain(f, &a, &asked);
        fixture_until(f, &asked.answered);
        g_assert_cmpint(asked.r, ==, 0);
    }
}

/* "STATE/PLACE N, …" of a task. */
static char *rows(const char *task)
{
    return fixture_sql(
        "SELECT coalesce(string_agg(format('%%s/%%s %%s', state, place, n), ', ' ORDER BY state), '') FROM"
        " (SELECT state, place, count(*) AS n FROM run WHERE task = '%s' GROUP BY 1, 2) s",
        task);
}

static void assert_rows(const char *task, const char *want)
{
    g_autofree char *is = rows(task);

    g_assert_cmpstr(is, ==, want);
}

static void end_one(PGconn *c, const char *task)
{
    g_autofree char *sql = g_strdup_printf(
        "UPDATE run SET state = 'done', result = 'success' WHERE task = '%s' AND state = 'starting'", task);

    fixture_execute(c, sql);
}

/* The second claim waits until the first is committed, and sees what has a place then. */
static void test_claims(void)
{
    PGconn *a = fixture_connect(), *b = fixture_connect();

    fixture_put(f, "claims", "[]", NULL);
    ask("claims", 5, 2, "queue");
    fixture_execute(a, "BEGIN");
    g_assert_cmpint(claim(a), ==, 2);
    fixture_execute(b, "BEGIN");
    ask("claims", 1, 2, "queue");
    send_sql(b, op_info(OP_CLAIM)->before_sql);
    assert_waits(b);
    fixture_execute(a, "COMMIT");
    finish(b);
    g_assert_cmpint(claim(b), ==, 0);
    fixture_execute(b, "COMMIT");
    assert_rows("claims", "starting/taken 2, waiting/held 4");
    PQfinish(a);
    PQfinish(b);
}

/* One ends while another is held for it: whoever is first, the held one goes on. */
static void test_end_and_hold(void)
{
    PGconn *a = fixture_connect(), *b = fixture_connect();

    fixture_put(f, "first", "[]", NULL);
    ask("first", 1, 1, "queue");
    g_assert_cmpint(claim(a), ==, 1);
    ask("first", 1, 1, "queue");
    fixture_execute(a, "BEGIN");
    end_one(a, "first");
    fixture_execute(b, "BEGIN");
    send_sql(b, op_info(OP_CLAIM)->before_sql);
    assert_waits(b);
    fixture_execute(a, "COMMIT");
    finish(b);
    g_assert_cmpint(claim(b), ==, 1);
    fixture_execute(b, "COMMIT");
    assert_rows("first", "done/taken 1, starting/taken 1");

    ask("first", 1, 1, "queue");
    fixture_execute(b, "BEGIN");
    g_assert_cmpint(claim(b), ==, 0);
    fixture_execute(a, "BEGIN");
    send_sql(
        a, "UPDATE run SET state = 'done', result = 'success' WHERE task = 'first' AND state = 'starting'");
    assert_waits(a);
    fixture_execute(b, "COMMIT");
    finish(a);
    fixture_execute(a, "COMMIT");
    assert_rows("first", "done/taken 2, queued/wanted 1");
    g_assert_cmpint(claim(a), ==, 1);
    assert_rows("first", "done/taken 2, starting/taken 1");
    end_one(a, "first");
    PQfinish(a);
    PQfinish(b);
}

typedef struct Racer {
    const char *task;
    unsigned claimed, ended;
    int *left; /* runs that are not done, of both */
} Racer;

/* Claims, and ends what it has, until all is done; after each claim the other's are counted with its own. */
static void *race(void *data)
{
    Racer *r = data;
    PGconn *c = fixture_connect();
    g_autofree char *end = g_strdup_printf(
        "UPDATE run SET state = 'done', result = 'success' WHERE id = (SELECT id FROM run"
        " WHERE task = '%s' AND state = 'starting' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)",
        r->task);

    while (g_atomic_int_get(r->left) > 0) {
        PGresult *res;
        int n;

        fixture_execute(c, "BEGIN");
        r->claimed += (unsigned)claim(c);
        fixture_execute(c, "COMMIT");
        res = PQexec(c, end);
        if (PQresultStatus(res) != PGRES_COMMAND_OK)
            g_error("%s", PQerrorMessage(c));
        n = atoi(PQcmdTuples(res));
        r->ended += (unsigned)n;
        g_atomic_int_add(r->left, -n);
        PQclear(res);
    }
    PQfinish(c);
    return NULL;
}

/* Beside a watch that never sees more of them under way than there are places, and at the end nothing is held. */
static void test_race(void)
{
    static const char too_many[] = "SELECT count(*) FROM run WHERE task = 'race' AND state = 'starting'";
    int left = 200;
    Racer racers[2] = { { "race", 0, 0, &left }, { "race", 0, 0, &left } };
    GThread *threads[2];

    fixture_put(f, "race", "[]", NULL);
    ask("race", 200, 3, "queue");
    for (unsigned i = 0; i < 2; i++)
        threads[i] = g_thread_new("racer", race, &racers[i]);
    while (g_atomic_int_get(&left) > 0)
        g_assert_cmpuint(fixture_sql_u64(too_many), <=, 3);
    for (unsigned i = 0; i < 2; i++)
        g_thread_join(threads[i]);
    g_assert_cmpuint(racers[0].claimed + racers[1].claimed, ==, 200);
    assert_rows("race", "done/taken 200");
}

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    g_test_add_func("/store/places/claims", test_claims);
    g_test_add_func("/store/places/end-and-hold", test_end_and_hold);
    g_test_add_func("/store/places/race", test_race);
    r = g_test_run();
    fixture_free(f);
    return r;
}
