/* The definitions in force, by name, and the old revisions that unfinished runs were made from. */
#include "core/internal.h"

#include "base/log.h"

#define CACHE_MAX 256

struct Registry {
    Manager *manager;
    GTree *entries;    /* name → TaskEntry*, owned */
    GHashTable *cache; /* "NAME@REVISION" → Task*, owned */
    uint64_t load;     /* how often the database was loaded */
};

static void task_entry_free(TaskEntry *entry)
{
    task_unref(entry->task);
    g_free(entry->origin);
    g_free(entry->path);
    g_free(entry->node);
    g_ptr_array_unref(entry->schedules);
    g_free(entry->expect);
    g_free(entry);
}

static int registry_compare(gconstpointer a, gconstpointer b, gpointer userdata)
{
    return strcmp(a, b);
}

Registry *registry_new(Manager *m)
{
    Registry *r = g_new0(Registry, 1);

    r->manager = m;
    r->entries = g_tree_new_full(registry_compare, NULL, g_free, (GDestroyNotify)task_entry_free);
    r->cache = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)task_unref);
    return r;
}

void registry_free(Registry *r)
{
    if (!r)
        return;
    g_tree_unref(r->entries);
    g_hash_table_unref(r->cache);
    g_free(r);
}

TaskEntry *registry_find(Registry *r, const char *name)
{
    return g_tree_lookup(r->entries, name);
}

GPtrArray *registry_list(Registry *r, const char *after, unsigned limit)
{
    GPtrArray *list = g_ptr_array_new();
    GTreeNode *node = after ? g_tree_upper_bound(r->entries, after) : g_tree_node_first(r->entries);

    for (; node && list->len < limit; node = g_tree_node_next(node))
        g_ptr_array_add(list, g_tree_node_value(node));
    return list;
}

void registry_foreach(Registry *r, RegistryFn fn, void *userdata)
{
    for (GTreeNode *node = g_tree_node_first(r->entries); node; node = g_tree_node_next(node))
        fn(g_tree_node_value(node), userdata);
}

static void registry_cache(Registry *r, const char *name, uint64_t revision, Task *task)
{
    if (g_hash_table_size(r->cache) >= CACHE_MAX)
        g_hash_table_remove_all(r->cache);
    g_hash_table_replace(r->cache, g_strdup_printf("%s@%" G_GUINT64_FORMAT, name, revision), task_ref(task));
}

static void schedule_entry_free(void *entry)
{
    ScheduleEntry *se = entry;

    if (se->by_hand)
        g_array_unref(se->by_hand);
    follow_copy_free(se->moving);
    g_free(se);
}

/* What is known of what it follows is so still. */
static bool same_followed(const ScheduleEntry *a, const ScheduleEntry *b)
{
    return strcmp(follow_task(a->schedule, ""), follow_task(b->schedule, "")) == 0;
}

static GPtrArray *task_entry_make_schedules(const TaskEntry *entry, const TaskEntry *old)
{
    GPtrArray *schedules = g_ptr_array_new_with_free_func(schedule_entry_free);

    for (guint i = 0; i < entry->task->schedules->len; i++) {
        const Schedule *s = g_ptr_array_index(entry->task->schedules, i);
        ScheduleEntry *se = g_new0(ScheduleEntry, 1);

        *se = (ScheduleEntry){ .entry = entry,
            .schedule = s,
            .enabled = s->enabled,
            .last = UNSET,
            .next = UNSET,
            .ended = UNSET,
            .moving = follow_copy(s),
            .excluded = UNSET };
        se->schedule = se->moving ? se->moving : s;
        for (guint j = 0; old && j < old->schedules->len; j++) {
            const ScheduleEntry *before = g_ptr_array_index(old->schedules, j);

            if (strcmp(before->schedule->name, s->name) == 0) {
                se->last = before->last;
                se->since = before->since;
                se->fired = before->fired;
                if (se->moving && before->moving && same_followed(se, before)) {
                    se->ended = before->ended;
                    se->under_way = before->under_way;
                    g_array_append_vals(se->moving->at, before->moving->at->data, before->moving->at->len);
                }
                se->off_until = before->off_until;
                se->paused_until = before->paused_until;
                se->by_hand = by_hand_copy(before->by_hand);
                se->enabled = before->said ? before->enabled : s->enabled;
                se->said = before->said;
            }
        }
        g_ptr_array_add(schedules, se);
    }
    return schedules;
}

TaskEntry *registry_put(Registry *r, Task *task, const TaskOwner *owner, uint64_t revision, uint64_t since)
{
    TaskEntry *old = registry_find(r, task->name);
    TaskEntry *entry = g_new0(TaskEntry, 1);

    entry->task = task_ref(task);
    entry->origin = g_strdup(owner->origin);
    entry->path = g_strdup(owner->path);
    entry->node = g_strdup(owner->node);
    entry->revision = revision;
    entry->enabled = old ? old->enabled : true;
    entry->paused_until = old ? old->paused_until : 0;
    entry->reload = r->manager->reload; /* it is not for this one to say that its file is gone */
    entry->schedules = task_entry_make_schedules(entry, old);
    expect_put(entry, old, since);
    if (old) {
        registry_cache(r, task->name, old->revision, old->task);
        scheduler_forget(r->manager->scheduler, old);
        expect_forget(r->manager->expect, old);
    }
    g_tree_replace(r->entries, g_strdup(task->name), entry);
    return entry;
}

bool registry_is_own(const Registry *r, const TaskEntry *entry)
{
    const ManagerConfig *c = &r->manager->config;

    return c->embedded || *entry->node == '\0' || strcmp(entry->node, c->node) == 0;
}

void registry_remove(Registry *r, const char *name)
{
    TaskEntry *entry = registry_find(r, name);

    if (!entry)
        return;
    registry_cache(r, name, entry->revision, entry->task);
    scheduler_forget(r->manager->scheduler, entry);
    expect_forget(r->manager->expect, entry);
    g_tree_remove(r->entries, name);
}

static int registry_parse(Registry *r, const char *name, const char *definition, DiagList *diags, Task **ret)
{
    g_autoptr(GPtrArray) sources = NULL;
    g_autofree TaskSource *flat = NULL;
    int k = task_sources_from_json(definition, &sources);

    if (k < 0)
        return k;
    flat = g_new0(TaskSource, sources->len);
    for (guint i = 0; i < sources->len; i++)
        flat[i] = *(const TaskSource *)g_ptr_array_index(sources, i);
    return definition_parse(name, flat, sources->len, &r->manager->config, diags, ret);
}

static void registry_set(char **text, const char *value)
{
    if (strcmp(*text, value) == 0)
        return;
    g_free(*text);
    *text = g_strdup(value);
}

/* What may be another though the definition is the same. */
static void registry_load_switch(TaskEntry *entry, const StoreTask *row)
{
    registry_set(&entry->origin, row->origin);
    registry_set(&entry->path, row->path);
    registry_set(&entry->node, row->node);
    entry->enabled = row->enabled;
    entry->paused_until = row->paused_until != UNSET ? row->paused_until : 0;
}

static void registry_load_task(Registry *r, const StoreTask *row)
{
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autoptr(Task) task = NULL;
    TaskEntry *entry = registry_find(r, row->name);

    if (entry)
        entry->load = r->load;
    if (entry && entry->revision == row->revision) {
        registry_load_switch(entry, row);
        return;
    }
    if (registry_parse(r, row->name, row->definition, diags, &task) < 0) {
        g_autofree char *text = diag_list_to_text(diags);

        log_message(LOG_ERR, &(LogContext){ LOG_ID_TASK_INVALID, row->name, 0, 0, NULL },
            "The definition of %s in the database is not valid any more, it is left out: %s", row->name,
            text);
        return;
    }
    entry = registry_put(r, task, &(TaskOwner){ row->origin, row->path, row->node }, row->revision, 0);
    registry_load_switch(entry, row);
    entry->load = r->load;
}

void registry_take(Registry *r, const StoreTask *row)
{
    registry_load_task(r, row);
}

/* What is known, and the database does not have any more. */
static void registry_remove_others(Registry *r)
{
    g_autoptr(GPtrArray) gone = g_ptr_array_new_with_free_func(g_free);

    for (GTreeNode *node = g_tree_node_first(r->entries); node; node = g_tree_node_next(node)) {
        const TaskEntry *entry = g_tree_node_value(node);

        if (entry->load != r->load)
            g_ptr_array_add(gone, g_strdup(entry->task->name));
    }
    for (guint i = 0; i < gone->len; i++)
        registry_remove(r, g_ptr_array_index(gone, i));
}

void registry_load(Registry *r, StoreState state, const StoreLoaded *loaded)
{
    r->load += loaded->first;
    for (guint i = 0; i < loaded->tasks->len; i++)
        registry_load_task(r, g_ptr_array_index(loaded->tasks, i));
    if (state == STORE_UP)
        registry_remove_others(r);
}

typedef struct RevisionWait {
    Registry *registry;
    char *name;
    uint64_t revision;
    RegistryTaskFn fn;
    void *userdata;
} RevisionWait;

static void on_revision(int r, const char *text, void *userdata)
{
    RevisionWait *w = userdata;
    g_autoptr(Task) task = NULL;
    g_autoptr(GPtrArray) diags = diag_list_new();

    if (r >= 0) {
        r = registry_parse(w->registry, w->name, text, diags, &task);
        if (task)
            registry_cache(w->registry, w->name, w->revision, task);
    }
    w->fn(r < 0 ? r : 0, task, w->userdata);
    g_free(w->name);
    g_free(w);
}

int registry_get_revision(
    Registry *r, const char *name, uint64_t revision, Task **ret, RegistryTaskFn fn, void *userdata)
{
    const TaskEntry *entry = registry_find(r, name);
    g_autofree char *key = g_strdup_printf("%s@%" G_GUINT64_FORMAT, name, revision);
    Task *task = entry && entry->revision == revision ? entry->task : g_hash_table_lookup(r->cache, key);
    RevisionWait *w;
    int k;

    if (task) {
        *ret = task_ref(task);
        return 1;
    }
    w = g_new(RevisionWait, 1);
    *w = (RevisionWait){ r, g_strdup(name), revision, fn, userdata };
    k = store_get_revision(r->manager->store, name, revision, on_revision, w);
    if (k < 0) {
        g_free(w->name);
        g_free(w);
    }
    return k;
}
