/* What changes a task comes one after the other: each is computed from what the one before it left. */
#include "core/internal.h"

typedef struct Turn {
    ChangesFn fn;
    void *userdata;
} Turn;

struct Changes {
    GHashTable *under_way; /* task → GQueue* of Turn*, those that wait */
};

static void turns_free(gpointer turns)
{
    g_queue_free_full(turns, g_free);
}

Changes *changes_new(void)
{
    Changes *c = g_new0(Changes, 1);

    c->under_way = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, turns_free);
    return c;
}

void changes_free(Changes *c)
{
    if (!c)
        return;
    g_hash_table_unref(c->under_way);
    g_free(c);
}

bool changes_take(Changes *c, const char *task, ChangesFn fn, void *userdata)
{
    GQueue *turns = g_hash_table_lookup(c->under_way, task);
    Turn *turn;

    if (!turns) {
        g_hash_table_insert(c->under_way, g_strdup(task), g_queue_new());
        return true;
    }
    turn = g_new(Turn, 1);
    *turn = (Turn){ fn, userdata };
    g_queue_push_tail(turns, turn);
    return false;
}

bool changes_has(const Changes *c, const char *task)
{
    return g_hash_table_contains(c->under_way, task);
}

void changes_give(Changes *c, const char *task)
{
    GQueue *turns = g_hash_table_lookup(c->under_way, task);
    g_autofree Turn *next = turns ? g_queue_pop_head(turns) : NULL;

    if (next)
        next->fn(next->userdata);
    else
        g_hash_table_remove(c->under_way, task);
}
