/* Files of attempts that are nobody's: a unit that somebody let go of while there was no daemon leaves what was written
 * for it, and so does a start that was only being prepared when a daemon was killed, where its run is not known any more. */
#include "exec/internal.h"

#include "base/log.h"

#include <dirent.h>

#define PUT_AWAY_ENTRIES (10 * REMOVE_ENTRIES) /* once, before the daemon starts its first run */

/* Names of attempts' directories in this one; there may be none. */
static int leftovers_list(const char *directory, GPtrArray *names)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry;

    if (!stream)
        return errno == ENOENT ? 0 : -errno;
    while ((entry = readdir(stream)))
        if (g_ascii_isdigit(*entry->d_name))
            g_ptr_array_add(names, g_strdup(entry->d_name));
    closedir(stream);
    return 0;
}

static bool leftovers_are_known(const char *name, LeftoverFn is_known, void *userdata)
{
    g_autofree char *unit = g_strdup_printf("tsched-run-%s.service", name);
    unsigned attempt;
    uint64_t run;

    return !exec_unit_parse(unit, &run, &attempt) || is_known(unit, userdata);
}

static int leftovers_remove(
    const char *directory, LeftoverFn is_known, void *userdata, unsigned *budget, unsigned *n)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    int r = leftovers_list(directory, names);

    for (guint i = 0; r == 0 && i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);

        if (leftovers_are_known(name, is_known, userdata))
            continue;
        r = files_remove_tree(directory, name, budget);
        *n += r == 0;
    }
    return r;
}

unsigned files_put_away(
    const char *runtime_directory, const char *output_directory, LeftoverFn is_known, void *userdata)
{
    g_autofree char *input = g_build_filename(runtime_directory, "input", NULL);
    g_autofree char *private = files_private_directory(output_directory);
    const char *const directories[] = { input, output_directory, private };
    unsigned budget = PUT_AWAY_ENTRIES, n = 0;

    ARRAY_FOREACH (directory, directories) {
        int r = leftovers_remove(*directory, is_known, userdata, &budget, &n);

        if (r != 0)
            log_warning("Files of past runs stay in %s: %s", *directory,
                r < 0 ? g_strerror(-r) : "there are very many");
    }
    return n;
}

void exec_put_away(Exec *e, LeftoverFn is_known, void *userdata)
{
    unsigned n = files_put_away(e->runtime_directory, e->output_directory, is_known, userdata);

    if (n > 0)
        log_info("%u directories of runs that are over, and had no unit any more, were removed.", n);
}
