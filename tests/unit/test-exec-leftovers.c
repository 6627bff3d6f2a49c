/* Which files of past runs are put away: directories that look like those of attempts. */
#include "exec/internal.h"

#include <string.h>
#include <unistd.h>

static char *top, *run, *output;

static void make(const char *directory, const char *file)
{
    g_autofree char *folder = g_build_filename(top, directory, NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, "x", -1, NULL));
}

static bool is_there(const char *name)
{
    g_autofree char *path = g_build_filename(top, name, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS) || g_file_test(path, G_FILE_TEST_IS_SYMLINK);
}

static void begin(void)
{
    top = g_dir_make_tmp("test-exec-leftovers-XXXXXX", NULL);
    run = g_build_filename(top, "taskschedd", NULL);
    output = g_build_filename(top, "tsched-output", NULL);
}

static void end(void)
{
    const char *words[] = { "rm", "-rf", "--", top, NULL };

    g_assert_true(
        g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
    g_clear_pointer(&top, g_free);
    g_clear_pointer(&run, g_free);
    g_clear_pointer(&output, g_free);
}

static bool is_seventh(const char *unit, void *userdata)
{
    unsigned *n_asked = userdata;

    ++*n_asked;
    return g_str_equal(unit, "tsched-run-7-1.service");
}

static void test_nothing(void)
{
    unsigned n_asked = 0;

    begin();
    g_assert_cmpuint(files_put_away(run, output, is_seventh, &n_asked), ==, 0);
    g_assert_cmpuint(n_asked, ==, 0);
    end();
}

static void test_leftovers(void)
{
    g_autofree char *link = NULL;
    unsigned n_asked = 0;

    begin();
    make("taskschedd/input/6-1", "input");
    make("taskschedd/input/7-1", "input");
    make("taskschedd/input/8-12", "input.dump");
    make("taskschedd/input/9-x", "input");
    make("taskschedd/input/other", "input");
    make("tsched-output/6-1/deep/deeper", "file");
    make("tsched-output/7-1", "output");
    make("private/tsched-output/10-1", "output");
    link = g_build_filename(output, "10-1", NULL);
    g_assert_cmpint(symlink("../private/tsched-output/10-1", link), ==, 0);

    g_assert_cmpuint(files_put_away(run, output, is_seventh, &n_asked), ==, 5);
    g_assert_cmpuint(n_asked, ==, 7);
    g_assert_false(is_there("taskschedd/input/6-1"));
    g_assert_true(is_there("taskschedd/input/7-1/input"));
    g_assert_false(is_there("taskschedd/input/8-12"));
    g_assert_true(is_there("taskschedd/input/9-x/input"));
    g_assert_true(is_there("taskschedd/input/other/input"));
    g_assert_false(is_there("tsched-output/6-1"));
    g_assert_true(is_there("tsched-output/7-1/output"));
    g_assert_false(is_there("tsched-output/10-1"));
    g_assert_false(is_there("private/tsched-output/10-1"));
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exec-leftovers/nothing", test_nothing);
    g_test_add_func("/exec-leftovers/leftovers", test_leftovers);
    return g_test_run();
}
