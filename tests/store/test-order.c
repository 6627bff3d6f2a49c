/* Two nodes that change what belongs to the same tasks at the same moment: neither overwrites what it has not seen, and they do not
 * wait for one another in a ring. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#define TIME     (1770000000 * USEC_PER_SEC)
#define TASKS    10u
#define RUNS     (g_test_slow() ? 200u : 20u) /* of each */
#define PATIENCE (120 * USEC_PER_SEC)

typedef struct Node {
    Fixture *f;
    GPtrArray *runs; /* claimed, and not ended */
    bool claiming;
    unsigned *left;
} Node;

static Node nodes[2];

static void start(void)
{
    fixture_fresh();
    for (unsigned i = 0; i < 2; i++) {
        nodes[i] = (Node){ .f = fixture_new_beside(i > 0 ? "b" : "a"),
            .runs = g_ptr_array_new_with_free_func((GDestroyNotify)store_run_free) };
        fixture_wait(nodes[i].f, STORE_UP);
    }
}

static void stop(void)
{
    for (unsigned i = 0; i < 2; i++) {
        fixture_free(nodes[i].f);
        g_ptr_array_unref(nodes[i].runs);
    }
}

static void turn(void)
{
    for (unsigned i = 0; i < 2; i++)
        g_assert_cmpint(sd_event_run(nodes[i].f->event, USEC_PER_MSEC), >=, 0);
}

static void on_put(int r, uint64_t revision, const Error *error, void *userdata)
{
    int *left = userdata;

    if (r < 0)
        g_error("%d: %s", r, error && error->message ? error->message : "");
    (*left)--;
}

static void on_deleted(int r, const Error *error, void *userdata)
{
    int *left = userdata;

    g_assert_cmpint(r, ==, 0);
    (*left)--;
}

static void until_answered(const int *left)
{
    uint64_t end = clock_boot(nodes[0].f->clock) + PATIENCE;

    while (*left > 0 && clock_boot(nodes[0].f->clock) < end)
        turn();
    g_assert_cmpint(*left, ==, 0);
}

/* So many of the nodes' sessions wait for what somebody holds. */
static void until_waiting(unsigned n)
{
    static const char sql[] = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'taskschedd'"
                              " AND datname = current_database() AND wait_event_type = 'Lock'";
    uint64_t end = clock_boot(nodes[0].f->clock) + PATIENCE;

    while (fixture_sql_u64(sql) < n && clock_boot(nodes[0].f->clock) < end)
        turn();
    g_assert_cmpuint(fixture_sql_u64(sql), ==, n);
}

static const char *const plain[] = { "s", NULL };

static StorePutTask task_x(const char *definition)
{
    return (StorePutTask){ "x", "api", "", "", definition, plain, TIME, false, NULL, NULL, "" };
}

/* The task's, the schedule's and the last one that there is. */
static void assert_revisions(const char *task, const char *want)
{
    g_autofree char *is = fixture_sql(
        "SELECT concat_ws(' ', t.revision, s.revision, (SELECT max(v.revision) FROM task_revision v"
        " WHERE v.task = t.name)) FROM task t JOIN schedule s ON s.task = t.name WHERE t.name = '%s'",
        task);

    g_assert_cmpstr(is, ==, want);
}

/* One puts another text, and before that is committed the other puts the old one. */
static void test_put(void)
{
    const StorePutTask old = task_x("[\"old\"]"), new = task_x("[\"new\"]"), next = task_x("[\"next\"]");
    PGconn *c;
    int left = 2;

    start();
    fixture_put_plain(nodes[0].f, &old);
    c = fixture_connect();
    fixture_execute(c, "BEGIN");
    fixture_execute(c, "SELECT FROM task WHERE name = 'x' FOR UPDATE");
    g_assert_cmpint(store_put_task(nodes[1].f->store, &new, on_put, &left), ==, 0);
    until_waiting(1);
    g_assert_cmpint(store_put_task(nodes[0].f->store, &old, on_put, &left), ==, 0);
    until_waiting(2);
    fixture_execute(c, "COMMIT");
    PQfinish(c);
    until_answered(&left);
    assert_revisions("x", "3 3 3");
    g_assert_cmpuint(fixture_put_plain(nodes[1].f, &next), ==, 4);
    assert_revisions("x", "4 4 4");
    stop();
}

/* What was left so before is mended by whoever puts it. */
static void test_mended(void)
{
    const StorePutTask one = task_x("[1]"), two = task_x("[2]");

    start();
    fixture_put_plain(nodes[0].f, &one);
    fixture_put_plain(nodes[0].f, &two);
    g_free(fixture_sql("UPDATE task SET revision = 1"));
    g_assert_cmpuint(fixture_put_plain(nodes[0].f, &one), ==, 1);
    assert_revisions("x", "1 1 2");
    g_assert_cmpuint(fixture_put_plain(nodes[0].f, &two), ==, 3);
    assert_revisions("x", "3 3 3");
    stop();
}

static bool refused(const char *why)
{
    g_autofree char *path = g_build_filename(g_getenv("PRIVATE_POSTGRES_DIR"), "log", NULL), *log = NULL;

    g_assert_true(g_file_get_contents(path, &log, NULL, NULL));
    return strstr(log, why) != NULL;
}

/* Both read the same new files: the second finds what the first put, and none of them is refused. */
static void test_new(void)
{
    PGconn *c;
    int left = 2 * TASKS;

    start();
    c = fixture_connect();
    fixture_execute(c, "BEGIN");
    fixture_execute(c, "LOCK TABLE task_revision IN SHARE MODE");
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned n = 0; n < TASKS; n++) {
            g_autofree char *name = g_strdup_printf("new-%u", i > 0 ? TASKS - 1 - n : n);
            const StorePutTask t = { name, "api", "", "", "[]", plain, TIME, false, NULL, NULL, "" };

            g_assert_cmpint(store_put_task(nodes[i].f->store, &t, on_put, &left), ==, 0);
        }
        until_waiting(i + 1);
    }
    fixture_execute(c, "COMMIT");
    PQfinish(c);
    until_answered(&left);
    assert_revisions("new-0", "1 1 1");
    g_assert_cmpuint(
        fixture_sql_u64("SELECT count(*) FROM task WHERE NOT deleted AND revision = 1"), ==, TASKS);
    g_assert_false(refused("duplicate key") || refused("deadlock detected"));
    stop();
}

/* One puts it with another schedule while the other deletes it: whoever is last, no schedule is left of what is deleted. */
static void test_delete(void)
{
    static const char *const more[] = { "s", "t", NULL };
    const StorePutTask one = task_x("[1]");
    StorePutTask two = task_x("[2]");
    PGconn *c;
    int left = 2;

    start();
    fixture_put_plain(nodes[0].f, &one);
    two.schedules = more;
    c = fixture_connect();
    fixture_execute(c, "BEGIN");
    fixture_execute(c, "SELECT FROM task WHERE name = 'x' FOR UPDATE");
    g_assert_cmpint(store_put_task(nodes[1].f->store, &two, on_put, &left), ==, 0);
    until_waiting(1);
    g_assert_cmpint(store_delete_task(nodes[0].f->store, "x", NULL, on_deleted, &left), ==, 0);
    until_waiting(2);
    fixture_execute(c, "COMMIT");
    PQfinish(c);
    until_answered(&left);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM task WHERE deleted"), ==, 1);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM schedule"), ==, 0);
    stop();
}

/* --- a race --- */

static void put_tasks(void)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) follows = g_ptr_array_new_with_free_func(g_free);
    StorePutTask tail = { "tail", "api", "", "", "[]", NULL, TIME, false, NULL, NULL, "" };

    for (unsigned i = 0; i < TASKS; i++) {
        g_autofree char *name = g_strdup_printf("race-%u", i);
        const StorePutTask t = { name, "api", "", "", "[]", plain + 1, TIME, true, NULL, NULL, "" };

        fixture_put_plain(nodes[0].f, &t);
        g_ptr_array_add(names, g_strdup_printf("after-%u", TASKS - i));
        g_ptr_array_add(follows, g_strdup_printf("%s any", name));
    }
    g_ptr_array_add(names, NULL);
    g_ptr_array_add(follows, NULL);
    tail.schedules = (const char *const *)names->pdata;
    tail.follows = (const char *const *)follows->pdata;
    fixture_put_plain(nodes[0].f, &tail);
}

static void on_asked(int r, const StoreAsked *asked, const Error *error, void *userdata)
{
    g_assert_cmpint(r, ==, 0);
    g_assert_true(asked->fresh);
}

static void ask_all(unsigned round)
{
    for (unsigned i = 0; i < TASKS; i++) {
        g_autofree char *task = g_strdup_printf("race-%u", i), *token = g_strdup_printf("%u-%u", i, round);
        const StoreAsk ask = { .requester = "alice",
            .requester_uid = 1000,
            .token = token,
            .task = task,
            .revision = 1,
            .queue = "default",
            .places = 1 + i % 2,
            .overlap = "queue" };

        g_assert_cmpint(store_ask(nodes[(i + round) % 2].f->store, &ask, on_asked, NULL), ==, 0);
    }
}

static void on_claimed(int r, const StoreClaimed *c, void *userdata)
{
    Node *n = userdata;

    if (r == -ECANCELED)
        return; /* nothing is left, and it is over */
    g_assert_cmpint(r, ==, 0);
    n->claiming = false;
    for (guint i = 0; i < c->runs->len; i++) {
        g_ptr_array_add(n->runs, c->runs->pdata[i]);
        c->runs->pdata[i] = NULL;
    }
}

static void on_ended(
    int r, RunResult result, RunState state, uint64_t due, const Error *error, void *userdata)
{
    Node *n = userdata;

    g_assert_cmpint(r, ==, STORE_RECORDED);
    (*n->left)--;
}

static void on_cancelled(int r, const StoreCancelled *c, void *userdata)
{
    if (r != -ECANCELED)
        g_assert_cmpint(r, ==, 0);
}

/* Some of its runs end, in any order, and others claim their places in the same transaction, as the daemon has it. */
static void act(Node *n)
{
    while (n->runs->len > 0 && g_test_rand_int_range(0, 3) > 0) {
        guint i = (guint)g_test_rand_int_range(0, (gint32)n->runs->len);
        StoreRun *run = n->runs->pdata[i];
        StoreOwner o = fixture_owner(run);
        StoreEnd e = fixture_ending(&o, RUN_SUCCESS);

        g_assert_cmpint(store_end(n->f->store, &e, on_ended, n), ==, 0);
        g_ptr_array_remove_index_fast(n->runs, i);
    }
    /* People may do so anywhere. */
    if (n->runs->len > 0 && g_test_rand_int_range(0, 4) == 0) {
        const StoreRun *run = n->runs->pdata[0];

        g_assert_cmpint(store_cancel(nodes[0].f->store, run->id, "", on_cancelled, NULL), ==, 0);
    }
    if (!n->claiming) {
        n->claiming = true;
        g_assert_cmpint(store_claim(n->f->store, 256, on_claimed, n), ==, 0);
    }
}

static void test_race(void)
{
    uint64_t end;
    unsigned left = TASKS * RUNS, rounds = 0;

    start();
    put_tasks();
    end = clock_boot(nodes[0].f->clock) + (g_test_slow() ? 10 : 1) * PATIENCE;
    for (unsigned n = 0; left > 0 && clock_boot(nodes[0].f->clock) < end; n++) {
        if (n % 10 == 0 && rounds < RUNS)
            ask_all(rounds++);
        for (unsigned i = 0; i < 2; i++) {
            nodes[i].left = &left;
            act(&nodes[i]);
        }
        turn();
    }
    g_assert_cmpuint(left, ==, 0);
    stop();
    g_assert_false(refused("deadlock detected"));
    g_assert_cmpuint(
        fixture_sql_u64(
            "SELECT count(*) FROM run WHERE state = 'done' AND result IN ('success', 'cancelled')"),
        ==, TASKS * RUNS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/order/put", test_put);
    g_test_add_func("/store/order/mended", test_mended);
    g_test_add_func("/store/order/new", test_new);
    g_test_add_func("/store/order/delete", test_delete);
    g_test_add_func("/store/order/race", test_race);
    return g_test_run();
}
