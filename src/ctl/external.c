/* What stands before the verb is told to the program by its environment, so that it reaches the same daemon. */
#include "ctl/external.h"

#include <string.h>

#include "ctl/args.h"
#include "lib/i18n.h"

#define PREFIX "tschedctl-"

/* A word of letters, digits and dashes: nothing that leads out of the directories of the PATH. */
static bool external_is_name(const char *verb)
{
    return g_ascii_isalnum(verb[0]) &&
           strspn(verb, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(verb);
}

static char **external_environment(const Args *before)
{
    char **environment =
        g_environ_unsetenv(g_environ_unsetenv(g_get_environ(), "TSCHEDCTL_USER"), "TSCHEDCTL_HOST");
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);

    if (args_has(before, "user"))
        environment = g_environ_setenv(environment, "TSCHEDCTL_USER", "1", true);
    if (args_has(before, "host"))
        environment = g_environ_setenv(environment, "TSCHEDCTL_HOST", args_get(before, "host"), true);
    return g_environ_setenv(environment, "TSCHEDCTL", self ? self : "tschedctl", true);
}

int external_exec(int argc, char *const *argv, int index, char **ret_message)
{
    static const char *const known[] = { "user", "system", "host", NULL };
    g_autofree char *program = g_strconcat(PREFIX, argv[index], NULL), *path = NULL;
    g_auto(GStrv) environment = NULL;
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_auto(Args) before = { 0 };
    GHashTableIter i;
    gpointer name;

    if (!external_is_name(argv[index]))
        return -ENOENT;
    path = g_find_program_in_path(program);
    if (!path)
        return -ENOENT;
    if (args_parse(index, argv, &before, ret_message) < 0)
        return -EINVAL;
    g_hash_table_iter_init(&i, before.options);
    while (g_hash_table_iter_next(&i, &name, NULL))
        if (!g_strv_contains(known, name)) {
            *ret_message = g_strdup_printf(_("Option --%s cannot stand before %s, which is the program %s"),
                (char *)name, argv[index], path);
            return -EINVAL;
        }
    environment = external_environment(&before);
    g_ptr_array_add(words, program);
    for (int w = index + 1; w < argc; w++)
        g_ptr_array_add(words, argv[w]);
    g_ptr_array_add(words, NULL);
    execve(path, (char *const *)words->pdata, environment);
    *ret_message = g_strdup_printf(_("%s cannot be started: %s"), path, g_strerror(errno));
    return -EINVAL;
}

static gint external_compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *external_names(void)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) directories = g_strsplit(util_strempty(g_getenv("PATH")), ":", -1);

    for (char **d = directories; *d; d++) {
        g_autoptr(GDir) dir = g_path_is_absolute(*d) ? g_dir_open(*d, 0, NULL) : NULL;
        const char *name;

        while (dir && (name = g_dir_read_name(dir))) {
            g_autofree char *path = g_build_filename(*d, name, NULL);

            if (g_str_has_prefix(name, PREFIX) && external_is_name(name + strlen(PREFIX)) &&
                g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) &&
                !g_ptr_array_find_with_equal_func(names, name + strlen(PREFIX), g_str_equal, NULL))
                g_ptr_array_add(names, g_strdup(name + strlen(PREFIX)));
        }
    }
    g_ptr_array_sort(names, external_compare);
    return names;
}
