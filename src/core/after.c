/* What is worth knowing about tasks that others name: of AfterTask= whether they are there, and whether they go round; of OnMissed=
 * whether it is there. */
#include "core/internal.h"

/* Tasks that t follows and that were not looked at yet. */
static void after_add(const Task *t, GHashTable *seen, GQueue *queue)
{
    for (guint i = 0; i < t->schedules->len; i++) {
        const Schedule *s = g_ptr_array_index(t->schedules, i);
        g_autofree char *name = s->after ? follow_after(s) : NULL;

        if (!name || g_hash_table_contains(seen, name))
            continue;
        g_queue_push_tail(queue, name);
        g_hash_table_add(seen, g_steal_pointer(&name));
    }
}

/* From what s follows on, does one follow the other until one follows t itself? */
static bool after_goes_round(Manager *m, const Task *t, const Schedule *s)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GQueue) queue = g_queue_new();
    char *name = follow_after(s);

    g_hash_table_add(seen, name);
    for (; name; name = g_queue_pop_head(queue)) {
        const TaskEntry *entry = registry_find(m->registry, name);

        if (entry)
            after_add(entry->task, seen, queue);
    }
    return g_hash_table_contains(seen, t->name);
}

void after_note(Manager *m, const Task *t, DiagList *notes)
{
    const TaskSource *source = g_ptr_array_index(t->sources, 0);

    definition_note(t, clock_real(m->clock), notes);
    if (*t->on_missed && !g_str_equal(t->on_missed, t->name) && !registry_find(m->registry, t->on_missed))
        diag_add(notes, source->path, 0, 0, "OnMissed", "there is no task %s yet", t->on_missed);
    for (guint i = 0; i < t->schedules->len && !diag_list_full(notes); i++) {
        const Schedule *s = g_ptr_array_index(t->schedules, i);
        g_autofree char *section = g_strdup_printf("[Schedule %s]", s->name);
        g_autofree char *name = s->after ? follow_after(s) : NULL;

        if (!name)
            continue;
        if (!registry_find(m->registry, name))
            diag_add(notes, source->path, 0, 0, section, "there is no task %s yet", name);
        else if (after_goes_round(m, t, s))
            diag_add(notes, source->path, 0, 0, section,
                "task %s comes after this one in turn: where each end matches their runs go on without end",
                name);
    }
}
