/* Whether anything is left in a control group, by both sorts of hierarchy: directories and files that look like them. */
#include "exec/internal.h"

#include <string.h>

typedef struct File {
    const char *name, *text;
} File;

static const struct {
    const char *what;
    bool events;
    const char *group;
    File files[4];
    int expected;
} cases[] = {
    { "no group at all", false, "", { { NULL } }, 0 },
    { "a group that is gone", false, "/gone", { { NULL } }, 0 },
    { "an empty one", false, "/a", { { "a/cgroup.procs", "" } }, 0 },
    { "a process in it", false, "/a", { { "a/cgroup.procs", "12\n" } }, 1 },
    { "a process below it", false, "/a",
        { { "a/cgroup.procs", "" }, { "a/b/cgroup.procs", "" }, { "a/b/c/cgroup.procs", "12\n" } }, 1 },
    { "groups below it that are empty", false, "/a",
        { { "a/cgroup.procs", "" }, { "a/b/cgroup.procs", "" }, { "a/c/cgroup.procs", "" } }, 0 },
    { "one below it that is just going", false, "/a", { { "a/cgroup.procs", "" }, { "a/b/tasks", "" } }, 0 },
    { "another's process", false, "/a", { { "a/cgroup.procs", "" }, { "b/cgroup.procs", "12\n" } }, 0 },
    { "populated", true, "/a", { { "a/cgroup.events", "populated 1\nfrozen 0\n" } }, 1 },
    { "not populated", true, "/a", { { "a/cgroup.events", "populated 0\nfrozen 1\n" } }, 0 },
    { "one that is just going", true, "/a", { { "a/tasks", "" } }, 0 },
};

static void write_file(const char *directory, const File *file)
{
    g_autofree char *path = g_build_filename(directory, file->name, NULL), *folder = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, file->text, -1, NULL));
}

static void remove_tree(const char *path)
{
    const char *words[] = { "rm", "-rf", "--", path, NULL };

    g_assert_true(
        g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
}

static void test_populated(void)
{
    ARRAY_FOREACH (c, cases) {
        g_autofree char *directory = g_dir_make_tmp("test-exec-cgroup-XXXXXX", NULL);
        Exec e = { .cgroup_root = directory, .cgroup_events = c->events };

        g_test_message("%s", c->what);
        for (const File *file = c->files; file < c->files + G_N_ELEMENTS(c->files) && file->name; file++)
            write_file(directory, file);
        g_assert_cmpint(exec_cgroup_populated(&e, c->group), ==, c->expected);
        remove_tree(directory);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exec-cgroup/populated", test_populated);
    return g_test_run();
}
