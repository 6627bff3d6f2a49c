/* What is remembered of a database beside it, and what is made of a file that holds something else. */
#include "store/remembered.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static char *directory, *path;

/* A row of texts, as a server would send it. */
static PGresult *row(const char *const *names, const char *const *values, int n)
{
    PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc columns[5] = { 0 };

    for (int i = 0; i < n; i++)
        columns[i].name = (char *)names[i];
    g_assert_true(PQsetResultAttrs(res, n, columns));
    for (int i = 0; i < n; i++)
        g_assert_true(PQsetvalue(res, 0, i, (char *)values[i], (int)strlen(values[i])));
    return res;
}

/* has: its largest run where it is behind, which its sequence may be ahead of. */
static void compare(Remembered *m, const char *identity, const char *fence, const char *run, const char *has)
{
    static const char *const names[] = { "applied", "fence", "run", "behind", "has" };
    PGresult *res = row(names, (const char *[]){ identity, fence, run, has ? "t" : "f", has ? has : run }, 5);

    remembered_compare(m, res);
    PQclear(res);
}

static void claim(Remembered *m, const char *run, const char *fence)
{
    PGresult *res = row((const char *[]){ "id", "fence" }, (const char *[]){ run, fence }, 2);

    remembered_claims(m, res);
    PQclear(res);
}

/* It is read anew: what is in memory is what the next daemon finds. */
static void check(Remembered *m, const char *identity, uint64_t fence, uint64_t run, uint64_t suspect)
{
    for (int again = 0; again < 2; again++) {
        g_assert_cmpstr(m->identity, ==, identity);
        g_assert_cmpuint(m->fence, ==, fence);
        g_assert_cmpuint(m->run, ==, run);
        g_assert_cmpuint(m->suspect, ==, suspect);
        remembered_close(m);
        remembered_open(m, path);
    }
}

static void begin(Remembered *m)
{
    directory = g_dir_make_tmp("test-store-remembered-XXXXXX", NULL);
    path = g_build_filename(directory, "database", NULL);
    remembered_open(m, path);
}

static void end(Remembered *m)
{
    remembered_close(m);
    g_unlink(path);
    g_rmdir(directory);
    g_clear_pointer(&path, g_free);
    g_clear_pointer(&directory, g_free);
}

static void test_life(void)
{
    Remembered m;

    begin(&m);
    check(&m, "", 0, 0, 0);
    compare(&m, "2026-01-01 00:00:00.123456+00", "5", "7", NULL);
    check(&m, "2026-01-01 00:00:00.123456+00", 5, 7, 0);
    claim(&m, "9", "6");
    check(&m, "2026-01-01 00:00:00.123456+00", 6, 9, 0);
    claim(&m, "8", "7"); /* a retry of an older run */
    check(&m, "2026-01-01 00:00:00.123456+00", 7, 9, 0);
    end(&m);
}

/* The latest claim is that of the greatest fence, until a backup was restored that does not know of it. */
static void check_claim(const Remembered *m, uint64_t run, uint64_t fence)
{
    g_assert_cmpuint(m->claim, ==, run);
    g_assert_cmpuint(m->claim_fence, ==, fence);
}

static void test_claims(void)
{
    Remembered m;

    begin(&m);
    compare(&m, "one", "50", "70", NULL);
    check_claim(&m, 0, 0);
    claim(&m, "70", "51");
    claim(&m, "60", "52");
    check(&m, "one", 52, 70, 0);
    check_claim(&m, 60, 52);
    compare(&m, "one", "52", "70", "69");
    check(&m, "one", 52, 70, 69);
    check_claim(&m, 0, 0);
    end(&m);
}

/* Of a database that has the latest claim, and not its end, that end tells. */
static void test_ends(void)
{
    Remembered m;

    begin(&m);
    compare(&m, "one", "50", "70", NULL);
    claim(&m, "71", "51");
    remembered_end(&m, 71, 3);
    check(&m, "one", 51, 71, 0);
    g_assert_cmpuint(m.end, ==, 71);
    g_assert_cmpuint(m.end_attempt, ==, 3);
    compare(&m, "one", "51", "71", "71");
    check(&m, "one", 51, 71, 71);
    g_assert_cmpuint(m.end, ==, 0);
    end(&m);
}

/* As long as the file is there, and of one database. */
static void test_since(void)
{
    static const char old[] =
        "00000000000000000005 00000000000000000007 00000000000000000000 00000000000000000007 "
        "00000000000000000005 2026-01-01 00:00:00.123456+00\n";
    Remembered m;
    uint64_t first;

    begin(&m);
    first = m.since;
    g_assert_cmpuint(first, >, 0);
    g_usleep(2);
    compare(&m, "one", "50", "70", NULL);
    g_assert_cmpuint(m.since, >, first);
    first = m.since;
    compare(&m, "one", "51", "71", NULL);
    check(&m, "one", 51, 71, 0);
    g_assert_cmpuint(m.since, ==, first);
    g_usleep(2);
    compare(&m, "two", "51", "71", NULL);
    g_assert_cmpuint(m.since, >, first);
    first = m.since;
    remembered_close(&m);
    g_assert_true(g_file_set_contents(path, old, -1, NULL));
    g_usleep(2);
    remembered_open(&m, path); /* as an earlier version left it */
    g_assert_cmpstr(m.identity, ==, "2026-01-01 00:00:00.123456+00");
    g_assert_cmpuint(m.claim, ==, 7);
    g_assert_cmpuint(m.end, ==, 0);
    g_assert_cmpuint(m.since, >, first);
    end(&m);
    remembered_open(&m, NULL);
    g_assert_cmpuint(m.since, ==, UNSET);
}

static void test_restored(void)
{
    Remembered m;

    begin(&m);
    compare(&m, "one", "50", "70", NULL);
    compare(&m, "one", "20", "33", "30");
    check(&m, "one", 50, 70, 30); /* numbers that were given out stay so */
    compare(&m, "one", "50", "70", NULL);
    check(&m, "one", 50, 70, 30);
    end(&m);
}

static void test_another(void)
{
    Remembered m;

    begin(&m);
    compare(&m, "one", "50", "70", NULL);
    compare(&m, "one", "20", "33", "30");
    compare(&m, "another, and its name is longer", "2", "3", NULL);
    check(&m, "another, and its name is longer", 2, 3, 0);
    compare(&m, "one", "50", "70", NULL);
    check(&m, "one", 50, 70, 0);
    end(&m);
}

static void test_rubbish(void)
{
    static const char *const texts[] = {
        "", "\n", "x", "1 2 3 4 5", "1 2 3 4 5 \n", "1 2 3 one\n", "1 2 3 4 x one\n", "1\n2\n3\n4\n5\none\n",
        "1 2 3 4 5 a name that is so long that it cannot be that of a database, since there is a limit to these\n"
    };

    ARRAY_FOREACH (text, texts) {
        Remembered m;

        begin(&m);
        remembered_close(&m);
        g_assert_true(g_file_set_contents(path, *text, -1, NULL));
        remembered_open(&m, path);
        check(&m, "", 0, 0, 0);
        compare(&m, "one", "5", "7", NULL);
        check(&m, "one", 5, 7, 0);
        end(&m);
    }
}

static void test_nothing(void)
{
    char texts[REMEMBERED_VALUES - 1][24];
    const char *values[REMEMBERED_VALUES];
    Remembered m;

    remembered_open(&m, NULL);
    compare(&m, "one", "5", "7", NULL);
    claim(&m, "9", "6");
    remembered_values(&m, texts, values);
    g_assert_cmpstr(values[0], ==, "one");
    g_assert_cmpstr(values[1], ==, "6");
    g_assert_cmpstr(values[2], ==, "9");
    g_assert_cmpstr(values[3], ==, "9");
    g_assert_cmpstr(values[4], ==, "6");
    remembered_close(&m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store-remembered/life", test_life);
    g_test_add_func("/store-remembered/claims", test_claims);
    g_test_add_func("/store-remembered/ends", test_ends);
    g_test_add_func("/store-remembered/since", test_since);
    g_test_add_func("/store-remembered/restored", test_restored);
    g_test_add_func("/store-remembered/another", test_another);
    g_test_add_func("/store-remembered/rubbish", test_rubbish);
    g_test_add_func("/store-remembered/nothing", test_nothing);
    return g_test_run();
}
