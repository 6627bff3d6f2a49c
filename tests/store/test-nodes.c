/* Two nodes and one database: each slot is fired once, whoever asks for it, and by nobody once somebody has said otherwise. Each of
 * two connections sends the statements of the store as a daemon does, whole batches of them, the other's in another order. */
#include "fixture.h"

#include <stdlib.h>

#include "store/op.h"

#define SCHEDULES 20u
#define ROUNDS    (g_test_slow() ? 500u : 25u)
#define FIRST     (UINT64_C(1750000000) * USEC_PER_SEC)

static Fixture *f;

/* As a planner with statistics would have it. */
static PGconn *other(void)
{
    PGconn *c = fixture_connect();

    fixture_execute(c, "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off");
    return c;
}

static void set_ask(Op *op, const char *task, unsigned schedule, uint64_t previous, uint64_t nominal)
{
    g_autofree char *name = g_strdup_printf("s%02u", schedule);
    g_autofree char *token = g_strdup_printf("%s/%s@%" G_GUINT64_FORMAT, task, name, nominal);

    op_set_text(op, 0, "taskschedd");
    op_set_text(op, 2, token);
    op_set_text(op, 3, task);
    op_set_u64(op, 4, 1);
    op_set_text(op, 5, "default");
    op_set_int(op, 6, 0);
    op_set_u64(op, 11, nominal);
    op_set_u64(op, 13, 1);
    op_set_text(op, 14, name);
    op_set_u64(op, 15, nominal);
    op_set_u64(op, 16, previous);
    op_set_text(op, 20, "allow");
}

/* Asks for the same slot of schedules 0 to n - 1, or in the other order; the answer is to be read. */
static void send_asks(
    PGconn *c, const char *task, unsigned n, bool backwards, uint64_t previous, uint64_t nominal)
{
    const OpInfo *info = op_info(OP_ASK);
    g_autoptr(GPtrArray) ops = g_ptr_array_new_with_free_func((GDestroyNotify)op_free);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < n; i++) {
        Op *op = op_new(OP_ASK, NULL, NULL);

        set_ask(op, task, backwards ? n - 1 - i : i, previous, nominal);
        g_ptr_array_add(ops, op);
    }
    for (unsigned i = 0; i < info->n_values; i++)
        g_ptr_array_add(values, op_array((Op *const *)ops->pdata, n, i));
    g_assert_cmpint(PQsendQueryParams(c, info->sql, (int)info->n_values, NULL,
                        (const char *const *)values->pdata, NULL, NULL, 0),
        ==, 1);
}

/* Of the answer: how many were fired by it. */
static unsigned take_asks(PGconn *c)
{
    unsigned n = 0;
    PGresult *res;

    while ((res = PQgetResult(c))) {
        if (PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK)
            g_error("%s", PQerrorMessage(c));
        for (int row = 0; row < PQntuples(res); row++)
            n += *PQgetvalue(res, row, 2) == 't';
        PQclear(res);
    }
    return n;
}

static void put(const char *task)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < SCHEDULES; i++)
        g_ptr_array_add(names, g_strdup_printf("s%02u", i));
    g_ptr_array_add(names, NULL);
    fixture_put(f, task, "[]", (const char *const *)names->pdata);
}

/* What one wrote is seen by the other with its next statement, and none of the two waits for the other in a ring. */
static void test_race(void)
{
    PGconn *nodes[2] = { other(), other() };
    unsigned fired[2] = { 0, 0 };

    put("race");
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t nominal = FIRST + round, previous = round > 0 ? nominal - 1 : UNSET;

        for (unsigned i = 0; i < 2; i++)
            send_asks(nodes[(i + round) % 2], "race", SCHEDULES, i > 0, previous, nominal);
        for (unsigned i = 0; i < 2; i++)
            fired[i] += take_asks(nodes[i]);
    }
    g_test_message("%u slots fired by one, %u by the other", fired[0], fired[1]);
    g_assert_cmpuint(fired[0] + fired[1], ==, SCHEDULES * ROUNDS);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM run WHERE task = 'race'"), ==, SCHEDULES * ROUNDS);
    g_assert_cmpuint(
        fixture_sql_u64("SELECT count(DISTINCT (schedule, nominal)) FROM run WHERE task = 'race'"), ==,
        SCHEDULES * ROUNDS);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM slot WHERE task = 'race' AND outcome = 'fired'"),
        ==, SCHEDULES * ROUNDS);
    for (unsigned i = 0; i < 2; i++)
        PQfinish(nodes[i]);
}

static void assert_waits(PGconn *c)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = %d AND wait_event_type = 'Lock'", PQbackendPID(c));

    for (int i = 0; i < 6000 && fixture_sql_u64(sql) == 0; i++)
        g_usleep(10000);
    g_assert_cmpuint(fixture_sql_u64(sql), ==, 1);
}

/* In one transaction something is said of the task, while the other asks for a slot: that waits, and is judged by it. */
static void says_and_asks(const char *task, OpKind kind, const char *const *values)
{
    const OpInfo *info = op_info(kind);
    PGconn *a = other(), *b = other();
    PGresult *res;

    put(task);
    fixture_execute(a, "BEGIN");
    res = PQexecParams(a, info->sql, (int)info->n_values, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        g_error("%s: %s", task, PQerrorMessage(a));
    PQclear(res);
    send_asks(b, task, SCHEDULES, false, UNSET, FIRST);
    assert_waits(b);
    fixture_execute(a, "COMMIT");
    g_assert_cmpuint(take_asks(b), ==, 0);
    PQfinish(a);
    PQfinish(b);
}

static void test_said_meanwhile(void)
{
    static const char twenty[] =
        "{s00,s01,s02,s03,s04,s05,s06,s07,s08,s09,s10,s11,s12,s13,s14,s15,s16,s17,s18,s19}";

    says_and_asks("disabled", OP_ENABLE_TASK, (const char *const[]){ "disabled", "f", NULL, NULL });
    says_and_asks(
        "paused", OP_ENABLE_TASK, (const char *const[]){ "paused", NULL, NULL, "1750000000000001" });
    says_and_asks("deleted", OP_DELETE_TASK, (const char *const[]){ "deleted", "[]" });
    says_and_asks("changed", OP_PUT_TASK,
        (const char *const[]){
            "changed", "api", "", "", "[1]", twenty, "1740000000000000", "[]", "{}", "f", "" });
}

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    g_test_add_func("/store/nodes/race", test_race);
    g_test_add_func("/store/nodes/said-meanwhile", test_said_meanwhile);
    r = g_test_run();
    fixture_free(f);
    return r;
}
