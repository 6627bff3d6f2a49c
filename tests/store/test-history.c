/* Old history goes by age, by number, and by partitions; what is not done, and what is within its limits, stays. */
#include "fixture.h"

#include <string.h>

#define DAY (86400 * USEC_PER_SEC)

static Fixture *f;

typedef struct Trimmed {
    int r;
    bool answered;
    uint64_t removed;
    char *error;
} Trimmed;

static void on_trimmed(int r, uint64_t number, const Error *error, void *userdata)
{
    Trimmed *t = userdata;

    t->r = r;
    t->removed = number;
    t->error = g_strdup(error ? error->message : NULL);
    t->answered = true;
}

static GArray *no_tasks(void)
{
    return g_array_new(FALSE, FALSE, sizeof(StoreHistoryTask));
}

static uint64_t trim(uint64_t age, uint64_t runs, const GArray *tasks)
{
    StoreHistory limits = { age, runs, tasks };
    Trimmed t = { 0 };

    g_assert_cmpint(store_trim(f->store, &limits, on_trimmed, &t), ==, 0);
    fixture_until(f, &t.answered);
    g_assert_cmpstr(t.error, ==, NULL);
    g_assert_cmpint(t.r, ==, 0);
    return t.removed;
}

/* A fresh database; then runs first … first + n - 1 of a task that ended that many days ago, each with an attempt and a
 * token. */
static void begin(void)
{
    fixture_fresh();
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
}

static void end(void)
{
    fixture_free(f);
}

static void add(const char *task, unsigned first, unsigned n, const char *state, double days)
{
    bool done = g_str_equal(state, "done");

    g_free(fixture_sql(
        "INSERT INTO run (id, task, revision, state, result, queue, asked, finished, requester, epoch, token)"
        " SELECT i, '%s', 1, '%s', '%s', 'default', now() - interval '1 day' * %f,"
        "  CASE WHEN %s THEN now() - interval '1 day' * %f END, 'alice', 1, gen_random_uuid()"
        " FROM generate_series(%u, %u) i",
        task, state, done ? "success" : "", days, done ? "true" : "false", days, first, first + n - 1));
    g_free(fixture_sql(
        "INSERT INTO attempt (run, attempt, node, epoch, token, fence, boot_id, unit, claimed)"
        " SELECT i, 1, 'here', 1, gen_random_uuid(), 1, 'x', 'u', now() FROM generate_series(%u, %u) i",
        first, first + n - 1));
    g_free(
        fixture_sql("INSERT INTO ask SELECT 'alice', 'token-' || i, i, now() FROM generate_series(%u, %u) i",
            first, first + n - 1));
}

static void assert_runs(const char *task, unsigned n)
{
    g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM run WHERE task = '%s'", task);

    g_assert_cmpuint(fixture_sql_u64(sql), ==, n);
}

/* Nothing is left of a run that went, and everything of one that did not. */
static void assert_whole(void)
{
    static const char *const counts[] = { "SELECT count(*) FROM run",
        "SELECT count(*) FROM run JOIN attempt ON run = id", "SELECT count(*) FROM attempt",
        "SELECT count(*) FROM run JOIN ask ON run = id", "SELECT count(*) FROM ask" };
    uint64_t n = fixture_sql_u64(counts[0]);

    ARRAY_FOREACH (sql, counts)
        g_assert_cmpuint(fixture_sql_u64(*sql), ==, n);
}

static void test_age(void)
{
    g_autoptr(GArray) tasks = no_tasks();

    begin();
    add("old", 1, 2500, "done", 91);
    add("young", 3001, 10, "done", 89);
    add("waits", 3101, 1, "waiting", 400);
    add("queued", 3102, 1, "queued", 400);
    add("runs", 3103, 1, "running", 400);
    g_assert_cmpuint(trim(90 * DAY, USEC_INFINITY, tasks), ==, 2500);
    assert_runs("old", 0);
    assert_runs("young", 10);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM run WHERE state <> 'done'"), ==, 3);
    assert_whole();
    g_assert_cmpuint(trim(90 * DAY, USEC_INFINITY, tasks), ==, 0);
    g_assert_cmpuint(trim(USEC_INFINITY, USEC_INFINITY, tasks), ==, 0);
    /* Asked for long ago, and ended just now: its age counts from its end. */
    g_free(fixture_sql("UPDATE run SET asked = now() - interval '100 days' WHERE task = 'young'"));
    g_assert_cmpuint(trim(90 * DAY, USEC_INFINITY, tasks), ==, 0);
    end();
}

static void test_own_limits(void)
{
    g_autoptr(GArray) tasks = no_tasks();
    const StoreHistoryTask own[] = {
        { "brief", DAY, USEC_INFINITY },
        { "for-ever", USEC_INFINITY, USEC_INFINITY },
        { "few", USEC_INFINITY, 3 },
        { "odd 'name', {\"x\"}", DAY, USEC_INFINITY },
    };

    g_array_append_vals(tasks, own, G_N_ELEMENTS(own));
    begin();
    add("brief", 1, 5, "done", 2);
    add("brief", 11, 5, "done", 0.5);
    add("for-ever", 21, 5, "done", 1000);
    add("few", 31, 10, "done", 1);
    add("few", 41, 1, "running", 1);
    add("other", 51, 5, "done", 100);
    g_assert_cmpuint(trim(90 * DAY, USEC_INFINITY, tasks), ==, 5 + 8 + 5);
    assert_runs("brief", 5);
    assert_runs("for-ever", 5);
    assert_runs("few", 3);
    assert_runs("other", 0);
    g_assert_cmpuint(fixture_sql_u64("SELECT min(id) FROM run WHERE task = 'few'"), ==, 39);
    assert_whole();
    end();
}

static void test_number_in_all(void)
{
    g_autoptr(GArray) tasks = no_tasks();

    begin();
    add("waits", 1, 1, "waiting", 0);
    add("a", 2, 3000, "done", 0);
    g_assert_cmpuint(trim(USEC_INFINITY, 100, tasks), ==, 2900);
    g_assert_cmpuint(fixture_sql_u64("SELECT min(id) FROM run WHERE task = 'a'"), ==, 2902);
    assert_runs("waits", 1);
    assert_whole();
    end();
}

static uint64_t n_tables(const char *name)
{
    g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM pg_class WHERE relname = '%s'", name);

    return fixture_sql_u64(sql);
}

/* As if ids had come to the third million; the fixture's daemon has made the first two. */
static void add_partitions(void)
{
    g_free(fixture_sql("SELECT setval('run_id', 2500000)"));
    g_free(fixture_sql("SELECT runs_ahead()"));
}

static void test_partition(void)
{
    g_autoptr(GArray) tasks = no_tasks();
    const StoreHistoryTask kept = { "for-ever", USEC_INFINITY, USEC_INFINITY };

    begin();
    add_partitions();
    add("old", 1, 1500, "done", 91);
    add("old", 1000000, 10, "done", 91);
    add("waits", 1000010, 1, "waiting", 91);
    add("young", 2000000, 10, "done", 1);
    /* All of the first million may go; of the second it is thinned. */
    g_assert_cmpuint(trim(90 * DAY, USEC_INFINITY, tasks), ==, 1510);
    g_assert_cmpuint(n_tables("run_0") + n_tables("attempt_0"), ==, 0);
    g_assert_cmpuint(n_tables("run_1") + n_tables("attempt_1"), ==, 2);
    assert_runs("waits", 1);
    assert_runs("young", 10);
    assert_whole();
    /* A task that is kept for ever keeps its partition. */
    g_array_append_val(tasks, kept);
    g_free(
        fixture_sql("UPDATE run SET state = 'done', result = 'success', finished = asked, task = 'for-ever'"
                    " WHERE task = 'waits'"));
    g_assert_cmpuint(trim(90 * DAY, USEC_INFINITY, tasks), ==, 0);
    assert_runs("for-ever", 1);
    /* The one that ids are given from stays, whatever is in it. */
    g_assert_cmpuint(trim(USEC_PER_SEC, USEC_INFINITY, tasks), ==, 10);
    g_assert_cmpuint(n_tables("run_2"), ==, 1);
    end();
}

/* So many in all: what is older goes by partitions as well; what is not done stays and counts. */
static void test_number_by_partition(void)
{
    g_autoptr(GArray) tasks = no_tasks();

    begin();
    add_partitions();
    add("old", 1, 1200, "done", 3);
    add("old", 1000000, 1200, "done", 2);
    add("waits", 1001200, 1, "waiting", 2);
    add("young", 2000000, 10, "done", 1);
    g_assert_cmpuint(trim(USEC_INFINITY, 20, tasks), ==, 1200 + 1191);
    g_assert_cmpuint(n_tables("run_0") + n_tables("attempt_0"), ==, 0);
    g_assert_cmpuint(n_tables("run_1"), ==, 1);
    g_assert_cmpuint(fixture_sql_u64("SELECT min(id) FROM run WHERE task = 'old'"), ==, 1001191);
    assert_runs("waits", 1);
    assert_runs("young", 10);
    assert_whole();
    end();
}

/* A reader holds the table: the partition is tried again, nobody waits for long, and it goes in the end. */
static void test_lock(void)
{
    g_autoptr(GArray) tasks = no_tasks();
    StoreHistory limits = { 90 * DAY, USEC_INFINITY, tasks };
    Trimmed t = { 0 }, second = { 0 };
    PGconn *c;
    Asked a;

    begin();
    add_partitions();
    add("old", 1, 5, "done", 91);
    fixture_put(f, "t", "[]", NULL);
    c = PQconnectdb("");
    PQclear(PQexec(c, "BEGIN; SELECT count(*) FROM taskschedd.run"));
    g_assert_cmpint(store_trim(f->store, &limits, on_trimmed, &t), ==, 0);
    g_assert_cmpint(store_trim(f->store, &limits, on_trimmed, &second), ==, -EBUSY);
    for (int i = 0; i < 3; i++) {
        g_autofree char *token = g_strdup_printf("meanwhile%d", i);

        a = fixture_ask(f, token, 0, 0);
        g_assert_cmpint(a.r, ==, 0);
    }
    g_assert_false(t.answered);
    g_assert_cmpuint(n_tables("run_0"), ==, 1);
    PQclear(PQexec(c, "COMMIT"));
    PQfinish(c);
    fixture_until(f, &t.answered);
    g_assert_cmpint(t.r, ==, 0);
    g_assert_cmpuint(t.removed, ==, 5);
    g_assert_cmpuint(n_tables("run_0"), ==, 0);
    end();
}

static void test_months(void)
{
    g_autoptr(GArray) tasks = no_tasks();

    begin();
    g_free(fixture_sql("CREATE TABLE slot_2020_01 PARTITION OF slot FOR VALUES FROM ('2020-01-01 00:00+00')"
                       " TO ('2020-02-01 00:00+00')"));
    g_free(fixture_sql("CREATE TABLE slot_2020_02 PARTITION OF slot FOR VALUES FROM ('2020-02-01 00:00+00')"
                       " TO ('2020-03-01 00:00+00')"));
    g_free(fixture_sql(
        "INSERT INTO slot VALUES ('t', 's', '2020-01-05', 'skipped', NULL, '', '2020-01-05'),"
        " ('t', 's', '2020-02-05', 'skipped', NULL, '', now()),"
        " ('t', 's', '2019-02-05', 'skipped', NULL, '', '2019-02-05'),"
        " ('t', 's', '2019-02-06', 'skipped', NULL, '', now()), ('t', 's', now(), 'skipped', NULL, '', now())"));
    g_free(fixture_sql(
        "INSERT INTO audit VALUES ('2020-01-05', 0, '', 'X', '', true), (now(), 0, '', 'X', '', true)"));
    g_assert_cmpuint(trim(90 * DAY, USEC_INFINITY, tasks), ==, 0);
    g_assert_cmpuint(n_tables("slot_2020_01"), ==, 0);
    g_assert_cmpuint(n_tables("slot_2020_02"), ==, 1);
    /* A slot long past whose outcome is new is history since then. */
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM slot"), ==, 3);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM audit"), ==, 1);
    end();
}

/* The store goes away, or the daemon ends, while it is at work: it is answered once, and what was committed stays. */
static void test_interrupted(void)
{
    g_autoptr(GArray) tasks = no_tasks();
    StoreHistory limits = { 90 * DAY, USEC_INFINITY, tasks };
    Trimmed t = { 0 }, last = { 0 };
    PGconn *c;

    begin();
    add_partitions();
    add("old", 1, 5, "done", 91);
    c = PQconnectdb("");
    PQclear(PQexec(c, "BEGIN; SELECT count(*) FROM taskschedd.run"));
    g_assert_cmpint(store_trim(f->store, &limits, on_trimmed, &t), ==, 0);
    for (int i = 0; i < 20; i++)
        fixture_turn(f);
    g_free(fixture_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                       " WHERE application_name = 'taskschedd' AND datname = current_database()"));
    fixture_until(f, &t.answered);
    g_assert_true(t.r == -ENOTCONN || t.r == -EINVAL);
    while (f->state == STORE_UP)
        fixture_turn(f);
    g_assert_cmpint(store_trim(f->store, &limits, on_trimmed, &last), ==, -ENOTCONN);
    fixture_wait(f, STORE_UP);
    g_assert_cmpint(store_trim(f->store, &limits, on_trimmed, &last), ==, 0);
    end();
    g_assert_true(last.answered);
    g_assert_cmpint(last.r, ==, -ECANCELED);
    PQclear(PQexec(c, "COMMIT"));
    PQfinish(c);
    assert_runs("old", 5);
    g_free(t.error);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/history/age", test_age);
    g_test_add_func("/store/history/own-limits", test_own_limits);
    g_test_add_func("/store/history/number-in-all", test_number_in_all);
    g_test_add_func("/store/history/partition", test_partition);
    g_test_add_func("/store/history/number-by-partition", test_number_by_partition);
    g_test_add_func("/store/history/lock", test_lock);
    g_test_add_func("/store/history/months", test_months);
    g_test_add_func("/store/history/interrupted", test_interrupted);
    return g_test_run();
}
