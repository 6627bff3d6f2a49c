/* What another node did to a task is read from the database: it told of it, or the database does not take what we decide. However many
 * tasks that are, some are read at a time. */
#include "core/internal.h"

#define AT_ONCE_MAX 32u

struct Rereads {
    GHashTable *tasks; /* name → Reread*, owned */
    GQueue waiting;    /* of Reread* in tasks */
    unsigned under_way;
};

typedef struct Reread {
    Manager *manager;
    char *task;
    bool waits;
    bool again; /* it changed since it was asked for */
} Reread;

static void reread_free(void *reread)
{
    g_free(((Reread *)reread)->task);
    g_free(reread);
}

Rereads *rereads_new(void)
{
    Rereads *r = g_new0(Rereads, 1);

    r->tasks = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, reread_free);
    g_queue_init(&r->waiting);
    return r;
}

void rereads_free(Rereads *r)
{
    if (!r)
        return;
    g_queue_clear(&r->waiting);
    g_hash_table_unref(r->tasks);
    g_free(r);
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

static void on_reread(int r, const StoreTask *task, const GPtrArray *schedules, void *userdata);

static void rereads_begin(Manager *m)
{
    Rereads *r = m->rereads;
    Reread *q;

    while (r->under_way < AT_ONCE_MAX && (q = g_queue_pop_head(&r->waiting))) {
        q->waits = false;
        if (store_get_task(m->store, q->task, on_reread, q) < 0)
            g_hash_table_remove(r->tasks, q->task);
        else
            r->under_way++;
    }
}

/* All of them are read when the database is back. */
static void rereads_drop(Rereads *r)
{
    Reread *q;

    while ((q = g_queue_pop_head(&r->waiting)))
        g_hash_table_remove(r->tasks, q->task);
}

static void on_reread(int r, const StoreTask *task, const GPtrArray *schedules, void *userdata)
{
    Reread *q = userdata;
    Manager *m = q->manager;
    g_autofree char *name = g_strdup(q->task);
    /* It may be we who delete it, and are yet to hear that it is done: what has passed of it is told of then. */
    bool ours = r == -ENOENT && changes_has(m->changes, name);
    bool again = q->again || r == -EAGAIN || ours;

    m->rereads->under_way--;
    g_hash_table_remove(m->rereads->tasks, name);
    if (r == -ENOTCONN || r == -ECANCELED) {
        rereads_drop(m->rereads);
        return;
    }
    if (r == 0 || (r == -ENOENT && !ours))
        reread_take(m, name, task, schedules);
    else if (!again)
        scheduler_give_up(m->scheduler, name);
    if (again)
        manager_reread_task(m, name);
    rereads_begin(m);
}

void manager_reread_task(Manager *m, const char *task)
{
    Rereads *r = m->rereads;
    Reread *q = g_hash_table_lookup(r->tasks, task);

    if (q) {
        q->again = !q->waits;
        return;
    }
    q = g_new(Reread, 1);
    *q = (Reread){ m, g_strdup(task), true, false };
    g_hash_table_insert(r->tasks, q->task, q);
    g_queue_push_tail(&r->waiting, q);
    rereads_begin(m);
}
