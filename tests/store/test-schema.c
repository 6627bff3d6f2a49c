/* Coming up: a fresh database, the same again, one that is newer than we, one that is older, one in use. */
#include "fixture.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>

static void test_fresh(void)
{
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    g_autofree char *bare = NULL;
    Fixture *f;

    fixture_fresh();
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    g_assert_cmpuint(f->epoch, ==, 1);
    g_assert_cmpuint(f->n_tasks, ==, 0);
    g_assert_cmpuint(f->next_due, ==, UNSET);
    g_assert_cmpuint(f->n_waiting, ==, 0);
    fixture_free(f);
    first = fixture_sql(
        "SELECT string_agg(version || name || applied, ' ' ORDER BY version) FROM schema_version");

    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    g_assert_cmpuint(f->epoch, ==, 2);
    fixture_free(f);
    second = fixture_sql(
        "SELECT string_agg(version || name || applied, ' ' ORDER BY version) FROM schema_version");
    g_assert_cmpstr(first, ==, second);
    /* Nothing in it is without a word of what it is for. */
    bare = fixture_sql("SELECT string_agg(relname, ' ') FROM pg_class WHERE relkind IN ('r', 'p')"
                       " AND NOT relispartition AND relnamespace = 'taskschedd'::regnamespace"
                       " AND obj_description(oid, 'pg_class') IS NULL");
    g_assert_cmpstr(bare, ==, "");
}

/* Ids of two partitions, slots of any time, and instants to the microsecond. */
static void test_partitions(void)
{
    static const uint64_t instants[] = { 0, 1, 1700000000123456, 4102444800999999, 9007199254740993 };
    Fixture *f;
    Asked a;

    fixture_fresh();
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    fixture_put(f, "t", "[]", NULL);
    g_free(fixture_sql("SELECT setval('run_id', 999998)"));
    for (int i = 0; i < 4; i++) {
        g_autofree char *token = g_strdup_printf("p%d", i);

        a = fixture_ask(f, token, 0, 0);
        g_assert_cmpint(a.r, ==, 0);
        g_assert_cmpuint(a.asked.run, ==, 999999 + (uint64_t)i);
    }
    /* Having come so far, the store makes the next ones by itself. */
    for (int i = 0;
         i < 200 && fixture_sql_u64("SELECT count(*) FROM pg_class WHERE relname = 'attempt_2'") == 0; i++)
        fixture_turn(f);
    g_assert_cmpuint(
        fixture_sql_u64("SELECT count(*) FROM pg_class WHERE relname IN ('run_2', 'attempt_2')"), ==, 2);
    g_assert_cmpuint(
        fixture_sql_u64("SELECT count(*) FROM pg_inherits WHERE inhparent = 'slot'::regclass"), ==, 4);
    for (unsigned i = 0; i < G_N_ELEMENTS(instants); i++) {
        g_autofree char *sql =
            g_strdup_printf("SELECT time_to_usec(usec_to_time(%" G_GUINT64_FORMAT "))", instants[i]);

        g_assert_cmpuint(fixture_sql_u64(sql), ==, instants[i]);
    }
    fixture_free(f);
}

static void test_newer(void)
{
    g_autofree char *state = NULL;
    Fixture *f;
    Asked a;

    fixture_fresh();
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    fixture_put(f, "t", "[]", NULL);
    a = fixture_ask(f, "newer", 0, 0);
    fixture_free(f);
    g_free(fixture_sql("INSERT INTO schema_version VALUES (999, '0999-future.sql', now())"));

    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UNUSABLE);
    g_assert_nonnull(strstr(f->reason, "version 999"));
    g_assert_nonnull(strstr(f->reason, "upgrade taskschedd"));
    fixture_ask_begin(f, "refused", 0, 0, &a);
    fixture_until(f, &a.answered);
    g_assert_cmpint(a.r, ==, -ENOTCONN);
    state = fixture_sql("SELECT r.state || ' ' || n.epoch FROM run r, node n");
    g_assert_cmpstr(state, ==, "queued 1");

    /* Repaired, it comes up by itself. */
    g_free(fixture_sql("DELETE FROM schema_version WHERE version = 999"));
    fixture_wait(f, STORE_UP);
    g_assert_cmpuint(f->epoch, ==, 2);
    g_assert_cmpuint(f->n_waiting, ==, 1);
    fixture_free(f);
}

static char *only_file(const char *directory)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name = g_dir_read_name(dir);

    g_assert_nonnull(name);
    g_assert_null(g_dir_read_name(dir));
    return g_build_filename(directory, name, NULL);
}

/* One migration back: what is there is kept in a file, then the migration is made. */
static void test_dump(void)
{
    g_autofree char *directory = g_dir_make_tmp("test-store.XXXXXX", NULL);
    g_autofree char *path = NULL, *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned n_runs = 0;
    struct stat st;
    Fixture *f;

    fixture_at_version(1);
    g_free(fixture_sql(
        "INSERT INTO task VALUES ('t', 'api', '', 1, true, false, now());"
        " INSERT INTO task_revision VALUES ('t', 1, '', '[{\"Path\": \"x\", \"Text\": \"a\\nb\"}]', now());"
        " INSERT INTO schedule VALUES ('t', 's', NULL, NULL, now())"));
    g_free(fixture_sql("SELECT runs_ahead()"));
    g_free(fixture_sql(
        "INSERT INTO run (task, revision, state, result, queue, asked, requester)"
        " SELECT 't', 1, CASE i WHEN 1 THEN 'done' ELSE 'queued' END, CASE i WHEN 1 THEN 'cancelled' ELSE '' END,"
        "  'default', now(), 'alice' FROM generate_series(1, 1203) i"));

    f = fixture_new("here", NULL, directory);
    fixture_wait(f, STORE_UP);
    fixture_free(f);
    g_assert_cmpuint(fixture_sql_u64("SELECT max(version) FROM schema_version"), ==, n_migrations);
    path = only_file(directory);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
    g_assert_true(g_str_has_suffix(path, ".jsonl"));
    g_assert_nonnull(strstr(path, "/before-migration-1-to-"));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(g_strchomp(text), "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        g_autoptr(JsonNode) node = json_from_string(lines[i], NULL);

        g_assert_nonnull(node);
        n_runs += g_str_equal(json_object_get_string_member(json_node_get_object(node), "table"), "run");
    }
    g_assert_cmpuint(n_runs, ==, 1202);
    g_assert_cmpuint(g_strv_length(lines), ==, 1202 + 3);
    g_assert_cmpint(g_unlink(path), ==, 0);

    /* A dump that cannot be kept: no migration. */
    g_assert_cmpint(g_rmdir(directory), ==, 0);
    fixture_at_version(1);
    f = fixture_new("here", NULL, directory);
    fixture_wait(f, STORE_UNUSABLE);
    g_assert_nonnull(strstr(f->reason, directory));
    fixture_free(f);
    g_assert_cmpuint(fixture_sql_u64("SELECT max(version) FROM schema_version"), ==, 1);
}

/* Two daemons on one database: the second says who is there, and takes over when it is gone. */
static void test_second(void)
{
    Fixture *f, *g;

    fixture_fresh();
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    g = fixture_new("there", NULL, NULL);
    fixture_wait(g, STORE_UNUSABLE);
    g_assert_nonnull(strstr(g->reason, "another taskschedd uses this database (server process "));
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM node"), ==, 1);
    fixture_free(f);
    fixture_wait(g, STORE_UP);
    fixture_free(g);
}

typedef struct Done {
    bool answered;
    int r;
    char *text;
} Done;

static void on_done(int r, const Error *error, void *userdata)
{
    Done *d = userdata;

    *d = (Done){ .answered = true, .r = r, .text = error ? g_strdup(error->message) : NULL };
}

static void on_text(int r, const char *text, void *userdata)
{
    Done *d = userdata;

    *d = (Done){ .answered = true, .r = r, .text = g_strdup(text) };
}

static int enable(Fixture *f, const char *task, const char *schedule, bool on)
{
    Done d = { 0 };

    store_set_enabled(f->store, &(StoreEnable){ task, schedule, on, on ? 1 : UNSET, UNSET }, on_done, &d);
    fixture_until(f, &d.answered);
    g_free(d.text);
    return d.r;
}

/* Of slots that pass while a task or a schedule is disabled it is known until when; saying it twice changes nothing. */
static void test_enabled(void)
{
    static const char *const schedules[] = { "a", NULL };
    static const char off[] = "SELECT count(*) FROM schedule WHERE time_to_usec(off_until) = 1";
    Done d = { 0 };
    Fixture *f;

    fixture_fresh();
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    fixture_put(f, "x", "[\"one\"]", schedules);
    fixture_put(f, "x", "[\"two\"]", schedules);
    g_assert_cmpint(enable(f, "x", NULL, true), ==, 0);
    g_assert_cmpint(enable(f, "x", NULL, false), ==, 0);
    g_assert_cmpuint(fixture_sql_u64(off), ==, 0);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM task WHERE NOT enabled"), ==, 1);
    g_assert_cmpint(enable(f, "x", NULL, true), ==, 0);
    g_assert_cmpuint(fixture_sql_u64(off), ==, 1);
    g_free(fixture_sql("UPDATE schedule SET off_until = NULL"));
    g_assert_cmpint(enable(f, "x", "a", false), ==, 0);
    g_assert_cmpuint(fixture_sql_u64(off), ==, 0);
    g_assert_cmpint(enable(f, "x", "a", true), ==, 0);
    g_assert_cmpuint(fixture_sql_u64(off), ==, 1);
    g_free(fixture_sql("UPDATE schedule SET off_until = NULL"));
    g_assert_cmpint(enable(f, "x", "a", true), ==, 0);
    g_assert_cmpuint(fixture_sql_u64(off), ==, 0);
    g_assert_cmpint(enable(f, "x", "b", true), ==, -ENOENT);
    g_assert_cmpint(enable(f, "y", NULL, true), ==, -ENOENT);

    store_get_revision(f->store, "x", 1, on_text, &d);
    fixture_until(f, &d.answered);
    g_assert_cmpstr(d.text, ==, "[\"one\"]");
    g_free(d.text);
    d = (Done){ 0 };
    store_get_revision(f->store, "x", 3, on_text, &d);
    fixture_until(f, &d.answered);
    g_assert_cmpint(d.r, ==, -ENOENT);

    for (int i = 0; i < 2; i++) {
        d = (Done){ 0 };
        store_delete_task(f->store, "x", NULL, on_done, &d);
        fixture_until(f, &d.answered);
        g_assert_cmpint(d.r, ==, i ? -ENOENT : 0);
        g_free(d.text);
    }
    /* Defined again, its history goes on. */
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM schedule"), ==, 0);
    g_assert_cmpuint(fixture_put(f, "x", "[\"three\"]", schedules), ==, 3);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM task WHERE enabled AND NOT deleted"), ==, 1);
    fixture_free(f);
}

static void test_tasks(void)
{
    static const char *const two[] = { "a", "b", NULL };
    static const char *const one[] = { "b", NULL };
    g_autofree char *before = NULL, *after = NULL;
    Fixture *f;

    fixture_fresh();
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    g_assert_cmpuint(fixture_put(f, "x", "[{\"Path\":\"\",\"Text\":\"1\"}]", two), ==, 1);
    g_free(fixture_sql("UPDATE schedule SET since = 'epoch', last_nominal = 'epoch'"));
    before = fixture_sql("SELECT string_agg(xmin || task || name, ',') FROM schedule");
    g_assert_cmpuint(fixture_put(f, "x", "[{\"Text\":\"1\", \"Path\":\"\"}]", two), ==, 1);
    after = fixture_sql("SELECT string_agg(xmin || task || name, ',') FROM schedule");
    g_assert_cmpstr(before, ==, after);
    g_assert_cmpuint(fixture_put(f, "x", "[{\"Path\":\"\",\"Text\":\"2\"}]", one), ==, 2);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM schedule WHERE name = 'b' AND since > 'epoch'"
                                     " AND last_nominal = 'epoch'"),
        ==, 1);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM schedule"), ==, 1);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM task_revision"), ==, 2);
    fixture_free(f);
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    g_assert_cmpuint(f->n_tasks, ==, 1);
    g_assert_cmpuint(f->n_schedules, ==, 1);
    fixture_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/schema/fresh", test_fresh);
    g_test_add_func("/store/schema/partitions", test_partitions);
    g_test_add_func("/store/schema/newer", test_newer);
    g_test_add_func("/store/schema/dump", test_dump);
    g_test_add_func("/store/schema/second", test_second);
    g_test_add_func("/store/schema/tasks", test_tasks);
    g_test_add_func("/store/schema/enabled", test_enabled);
    return g_test_run();
}
