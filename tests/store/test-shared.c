/* Several nodes with one database: who may use it beside whom, and what each hears of the others. */
#include "fixture.h"

#include <string.h>

#define HOUR (3600 * USEC_PER_SEC)

/* --- who may use it */

static void assert_refused(const char *node, bool beside, const char *reason)
{
    Fixture *f = beside ? fixture_new_beside(node) : fixture_new(node, NULL, NULL);

    fixture_wait(f, STORE_UNUSABLE);
    g_assert_nonnull(strstr(f->reason, reason));
    fixture_free(f);
}

static void on_nodes(int r, GPtrArray *nodes, const Error *error, void *userdata)
{
    GString *text = userdata;

    g_assert_cmpint(r, ==, 0);
    for (guint i = 0; i < nodes->len; i++) {
        const StoreNode *n = g_ptr_array_index(nodes, i);

        g_string_append_printf(text, "%s%s ", n->name, n->up ? "+" : "");
    }
}

/* A session that was closed may go on for a moment. */
static void wait_nodes(Fixture *f, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (int i = 0; i < 3000 && strcmp(text->str, expected) != 0; i++) {
        g_string_truncate(text, 0);
        g_assert_cmpint(store_list_nodes(f->store, NULL, NULL, 10, on_nodes, text), ==, 0);
        for (int n = 0; n < 3000 && text->len == 0; n++)
            fixture_turn(f);
    }
    g_assert_cmpstr(text->str, ==, expected);
}

static void test_beside(void)
{
    Fixture *a, *b, *again;

    fixture_fresh();
    a = fixture_new_beside("a");
    fixture_wait(a, STORE_UP);
    b = fixture_new_beside("b");
    fixture_wait(b, STORE_UP);
    g_assert_cmpuint(a->epoch, ==, 1);
    wait_nodes(a, "a+ b+ ");
    assert_refused("a", true, "under the name of this node, a (server process ");
    assert_refused("c", false, "another taskschedd uses this database (server process ");
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM node"), ==, 2);
    again = fixture_new_beside("a");
    fixture_wait(again, STORE_UNUSABLE);
    fixture_free(a);
    wait_nodes(b, "a b+ ");
    fixture_wait(again, STORE_UP);
    g_assert_cmpuint(again->epoch, ==, 2);
    fixture_free(again);
    fixture_free(b);
}

/* Who has it alone has it so whatever the others are called. */
static void test_alone(void)
{
    Fixture *a;

    fixture_fresh();
    a = fixture_new("a", NULL, NULL);
    fixture_wait(a, STORE_UP);
    assert_refused("b", true, "another taskschedd uses this database (server process ");
    assert_refused("b", false, "another taskschedd uses this database (server process ");
    wait_nodes(a, "a+ ");
    fixture_free(a);
}

/* Nobody works while the schema becomes another; of those that come up at the same time one makes it. */
static void test_migration(void)
{
    Fixture *nodes[3];

    fixture_at_version(n_migrations - 1);
    nodes[0] = fixture_new_beside("0");
    nodes[1] = fixture_new_beside("1");
    for (int i = 0; i < 3000 && !(nodes[0]->state == STORE_UP && nodes[1]->state == STORE_UP); i++) {
        fixture_turn(nodes[0]);
        fixture_turn(nodes[1]);
        g_assert_cmpint(nodes[0]->state, !=, STORE_UNUSABLE);
        g_assert_cmpint(nodes[1]->state, !=, STORE_UNUSABLE);
    }
    fixture_wait(nodes[0], STORE_UP);
    fixture_wait(nodes[1], STORE_UP);
    g_assert_cmpuint(fixture_sql_u64("SELECT max(version) FROM schema_version"), ==, n_migrations);
    /* As if it had not been made. */
    g_free(fixture_sql("DELETE FROM schema_version WHERE version = %u", n_migrations));
    nodes[2] = fixture_new_beside("2");
    fixture_wait(nodes[2], STORE_UNUSABLE);
    g_assert_nonnull(strstr(nodes[2]->reason, "other nodes use it: stop taskschedd there"));
    g_free(fixture_sql("INSERT INTO schema_version VALUES (%u, 'again', now())", n_migrations));
    fixture_wait(nodes[2], STORE_UP);
    for (int i = 0; i < 3; i++)
        fixture_free(nodes[i]);
}

/* --- what is heard of */

static void hear(Fixture *f, const char *what)
{
    for (int i = 0; i < 3000 && !strstr(f->heard->str, what); i++)
        fixture_turn(f);
    if (!strstr(f->heard->str, what))
        g_error("%s is not heard of, but: %s", what, f->heard->str);
}

static void assert_silent(Fixture *f, const char *what)
{
    if (strstr(f->heard->str, what))
        g_error("%s is heard of: %s", what, f->heard->str);
}

static void forget(Fixture *f)
{
    g_string_truncate(f->heard, 0);
}

static void hear_run(Fixture *f, uint64_t run, const char *how)
{
    g_autofree char *what = g_strdup_printf("run %" G_GUINT64_FORMAT " %s;", run, how);

    hear(f, what);
}

static void hear_due(Fixture *f, uint64_t due)
{
    g_autofree char *what = g_strdup_printf("due %" G_GUINT64_FORMAT ";", due);

    hear(f, what);
}

static void test_tasks(Fixture *a, Fixture *b)
{
    static const char *const schedules[] = { "a", NULL };

    fixture_put(a, "bounded", "[\"one\"]", schedules);
    hear(b, "task bounded;");
    forget(b);
    fixture_enable(a, &(StoreEnable){ "bounded", "a", -1, UNSET, 5 });
    hear(b, "task bounded;");
    forget(b);
    fixture_by_hand(a, 1000, "bob", 10);
    hear(b, "task bounded;");
    fixture_delete(b, "bounded");
    hear(a, "task bounded;");
    assert_silent(a, "due ");
}

/* More than fits into one notification. */
static void test_many(Fixture *a, Fixture *b)
{
    static const char *const none[] = { NULL };

    for (unsigned i = 0; i < 200; i++) {
        g_autofree char *name = g_strdup_printf("task-with-a-name-that-is-rather-long-%03u", i);

        fixture_put(a, name, "[]", none);
    }
    hear(b, "task task-with-a-name-that-is-rather-long-199;");
    for (unsigned i = 0; i < 200; i++) {
        g_autofree char *what = g_strdup_printf("task task-with-a-name-that-is-rather-long-%03u;", i);

        hear(b, what);
    }
}

static StoreRun *claim_one(Fixture *f)
{
    g_autoptr(GPtrArray) runs = fixture_claim(f, 10, NULL);
    StoreRun *run;

    g_assert_cmpuint(runs->len, ==, 1);
    run = g_ptr_array_index(runs, 0);
    runs->pdata[0] = NULL;
    return run;
}

static void test_runs(Fixture *a, Fixture *b)
{
    uint64_t later = clock_real(a->clock) + HOUR;
    g_autoptr(StoreRun) run = NULL;
    StoreOwner owner;
    StoreEnd end;
    Asked asked = fixture_ask(a, "later", 0, later);

    hear_due(b, later);
    forget(b);
    /* It is told once when that is. */
    fixture_ask(a, "still later", 0, later + HOUR);
    g_assert_true(fixture_cancel(a, asked.asked.run).c.state == RUN_DONE);
    hear_run(b, asked.asked.run, "done cancelled");
    hear_due(b, later + HOUR);
    assert_silent(b, "due 0");
    forget(b);

    asked = fixture_ask(a, "now", 0, 0);
    hear(b, "due ");
    run = claim_one(b);
    g_assert_cmpuint(run->id, ==, asked.asked.run);
    owner = fixture_owner(run);
    /* Its node is told that it is to end it; others are not. */
    forget(b);
    fixture_cancel(a, run->id);
    hear_run(b, run->id, "starting ");
    forget(a);
    end = fixture_ending(&owner, RUN_CANCELLED);
    g_assert_cmpint(fixture_end(b, &end).r, ==, STORE_RECORDED);
    hear_run(a, run->id, "done cancelled");
    assert_silent(a, "starting");
}

/* What it does itself is nothing new; what is no word of ours is passed by. */
static void test_words(Fixture *a, Fixture *b)
{
    forget(a);
    forget(b);
    g_free(fixture_sql(
        "SELECT pg_notify('taskschedd', 'x r5 r5,done rx,done,success r5,over,success r5,done,well r0,done,success"
        " t d dx bb r7,done,success tlast ')"));
    hear(a, "task last;");
    hear(b, "task last;");
    g_assert_cmpstr(a->heard->str, ==, "run 7 done success;task last;");
    g_assert_cmpstr(b->heard->str, ==, a->heard->str);
}

static void test_heard(void)
{
    Fixture *a, *b;

    fixture_fresh();
    a = fixture_new_beside("a");
    fixture_wait(a, STORE_UP);
    b = fixture_new_beside("b");
    fixture_wait(b, STORE_UP);
    hear(a, "boot;");
    forget(a);
    test_tasks(a, b);
    test_many(a, b);
    test_runs(a, b);
    test_words(a, b);
    fixture_free(a);
    fixture_free(b);
}

/* Where there is one node nothing is told. */
static void test_untold(void)
{
    Fixture *a;
    PGconn *c;
    PGnotify *n;
    Asked asked;

    fixture_fresh();
    a = fixture_new("a", NULL, NULL);
    fixture_wait(a, STORE_UP);
    c = fixture_connect();
    fixture_execute(c, "LISTEN taskschedd");
    asked = fixture_ask(a, "now", 0, 0);
    fixture_cancel(a, asked.asked.run);
    fixture_execute(c, "SELECT 1");
    PQconsumeInput(c);
    n = PQnotifies(c);
    g_assert_null(n);
    PQfinish(c);
    fixture_free(a);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/shared/beside", test_beside);
    g_test_add_func("/store/shared/alone", test_alone);
    g_test_add_func("/store/shared/migration", test_migration);
    g_test_add_func("/store/shared/heard", test_heard);
    g_test_add_func("/store/shared/untold", test_untold);
    return g_test_run();
}
