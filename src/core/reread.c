/* What another node did to a task is read from the database: it told of it, or the database does not take what we decide. */
#include "core/internal.h"

typedef struct Reread {
    Manager *manager;
    char *task;
    bool again; /* it changed since it was asked for */
} Reread;

static void reread_free(void *reread)
{
    g_free(((Reread *)reread)->task);
    g_free(reread);
}

GHashTable *rereads_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, reread_free);
}

static void reread_take(Manager *m, const char *name, const StoreTask *task, const GPtrArray *schedules)
{
    if (task)
        registry_take(m->registry, task);
    else
        registry_remove(m->registry, name);
    scheduler_take(m->scheduler, name, schedules);
    if (task)
        expect_reread(m->expect, task);
    manager_task_changed(m, name);
}

static void on_reread(int r, const StoreTask *task, const GPtrArray *schedules, void *userdata)
{
    Reread *q = userdata;
    Manager *m = q->manager;
    g_autofree char *name = g_strdup(q->task);
    bool again = q->again;

    g_hash_table_remove(m->rereads, name);
    if (r == -ENOTCONN || r == -ECANCELED)
        return; /* all of them are read when it is back */
    if (r == 0 || r == -ENOENT)
        reread_take(m, name, task, schedules);
    else
        scheduler_give_up(m->scheduler, name);
    if (again)
        manager_reread_task(m, name);
}

void manager_reread_task(Manager *m, const char *task)
{
    Reread *q = g_hash_table_lookup(m->rereads, task);

    if (q) {
        q->again = true;
        return;
    }
    q = g_new(Reread, 1);
    *q = (Reread){ m, g_strdup(task), false };
    g_hash_table_insert(m->rereads, q->task, q);
    if (store_get_task(m->store, task, on_reread, q) < 0)
        g_hash_table_remove(m->rereads, q->task);
}
