/* Runs that were asked for after their time and are not done, by run and by schedule: the next slot that is caught up waits
 * for them. Schedules are known by name: one that was deleted and made anew waits as well. */
#include "core/internal.h"

typedef struct LateName {
    char *name; /* "TASK/SCHEDULE" */
    guint n;    /* how many runs, never 0 */
} LateName;

struct Late {
    GHashTable *runs;  /* of uint64_t, run → LateName, borrowed from names */
    GHashTable *names; /* name → LateName */
    unsigned asking;   /* runs that are being asked for */
    GHashTable
        *done; /* set of uint64_t: runs that were done meanwhile, which may be told before the answer */
};

static void late_name_free(void *name)
{
    g_free(((LateName *)name)->name);
    g_free(name);
}

Late *late_new(void)
{
    Late *l = g_new0(Late, 1);

    l->runs = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    l->names = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, late_name_free);
    l->done = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    return l;
}

void late_free(Late *l)
{
    if (!l)
        return;
    g_hash_table_unref(l->runs);
    g_hash_table_unref(l->names);
    g_hash_table_unref(l->done);
    g_free(l);
}

void late_ask(Late *l)
{
    l->asking++;
}

void late_answered(Late *l)
{
    if (--l->asking == 0)
        g_hash_table_remove_all(l->done);
}

void late_add(Late *l, const char *task, const char *schedule, uint64_t run)
{
    g_autofree char *text = g_strconcat(task, "/", schedule, NULL);
    LateName *name = g_hash_table_lookup(l->names, text);

    if (g_hash_table_contains(l->runs, &run) || g_hash_table_contains(l->done, &run))
        return;
    if (!name) {
        name = g_new0(LateName, 1);
        name->name = g_steal_pointer(&text);
        g_hash_table_insert(l->names, name->name, name);
    }
    name->n++;
    g_hash_table_insert(l->runs, g_memdup2(&run, sizeof run), name);
}

bool late_has(const Late *l, const char *task, const char *schedule)
{
    g_autofree char *text = NULL;

    if (g_hash_table_size(l->names) == 0)
        return false;
    text = g_strconcat(task, "/", schedule, NULL);
    return g_hash_table_contains(l->names, text);
}

char *late_done(Late *l, uint64_t run)
{
    LateName *name = g_hash_table_lookup(l->runs, &run);
    char *text = NULL;

    if (l->asking > 0)
        g_hash_table_add(l->done, g_memdup2(&run, sizeof run));
    if (!name)
        return NULL;
    g_hash_table_remove(l->runs, &run);
    if (--name->n > 0)
        return NULL;
    text = g_strdup(name->name);
    g_hash_table_remove(l->names, name->name);
    return text;
}

char **late_clear(Late *l)
{
    char **names = (char **)g_hash_table_get_keys_as_array(l->names, NULL);

    for (char **name = names; *name; name++)
        *name = g_strdup(*name);
    g_hash_table_remove_all(l->runs);
    g_hash_table_remove_all(l->names);
    return names;
}
