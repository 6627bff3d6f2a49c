/* The calendars in force, as the last reading of their files left them. A task keeps what it needs of them among its own
 * sources, so that it goes on as it was wherever its definition is read; here is what it is compared with. */
#include "core/internal.h"

#include "base/log.h"
#include "model/almanac.h"

struct Calendars {
    GTree *entries; /* name → CalendarEntry*, owned */
    GTree *fresh;   /* likewise, while files are read */
};

static gint calendars_compare(gconstpointer a, gconstpointer b, gpointer userdata)
{
    return strcmp(a, b);
}

static void calendar_entry_free(gpointer data)
{
    CalendarEntry *e = data;

    g_free(e->name);
    g_ptr_array_unref(e->sources);
    g_clear_pointer(&e->set, almanac_set_free);
    if (e->faults)
        g_string_free(e->faults, TRUE);
    g_free(e);
}

static GTree *calendars_tree(void)
{
    return g_tree_new_full(calendars_compare, NULL, NULL, calendar_entry_free);
}

Calendars *calendars_new(void)
{
    Calendars *c = g_new0(Calendars, 1);

    c->entries = calendars_tree();
    c->fresh = calendars_tree();
    return c;
}

void calendars_free(Calendars *c)
{
    if (!c)
        return;
    g_tree_unref(c->entries);
    g_tree_unref(c->fresh);
    g_free(c);
}

static CalendarEntry *calendar_entry_new(const char *name, GPtrArray *sources)
{
    CalendarEntry *e = g_new0(CalendarEntry, 1);

    e->name = g_strdup(name);
    e->sources = g_ptr_array_ref(sources);
    return e;
}

/* --- files --- */

void calendars_begin(Calendars *c)
{
    g_tree_unref(c->fresh);
    c->fresh = calendars_tree();
}

/* A calendar without its drop-in, or without a file that it names, is not the one that was meant. */
void calendars_take(Calendars *c, const LoaderFile *f)
{
    CalendarEntry *e = calendar_entry_new(f->name, f->sources);

    e->faults = g_string_new(NULL);
    for (guint i = 0; i < f->troubles->len; i++) {
        const LoaderTrouble *t = g_ptr_array_index(f->troubles, i);

        g_string_append_printf(e->faults, "%s: cannot be read: %s\n", t->path, t->reason);
    }
    for (guint i = 0; i < e->sources->len; i++) {
        TaskSource *s = g_ptr_array_index(e->sources, i);

        g_free(s->calendar);
        s->calendar = g_strdup(f->name);
    }
    g_tree_replace(c->fresh, e->name, e);
}

static void calendars_add_to(GTree *entries, AlmanacSet *set)
{
    for (GTreeNode *n = g_tree_node_first(entries); n; n = g_tree_node_next(n)) {
        const CalendarEntry *e = g_tree_node_value(n);

        for (guint i = 0; i < e->sources->len; i++)
            almanac_set_add(set, g_ptr_array_index(e->sources, i));
    }
}

static void calendars_complain(CalendarEntry *e, GString *faults)
{
    g_autofree char *first = g_strndup(e->faults->str, strcspn(e->faults->str, "\n"));

    log_message(LOG_ERR, &(LogContext){ LOG_ID_TASK_INVALID, NULL, 0, 0, NULL },
        "The calendar %s is not valid; where it was, it stays as it was: %s", e->name, first);
    g_string_append(faults, e->faults->str);
}

/* What is not valid stays as it was; where it was not, it is known, and refused to whoever wants it. */
static CalendarEntry *calendars_settle(Calendars *c, AlmanacSet *set, CalendarEntry *fresh, GString *faults)
{
    const CalendarEntry *before = g_tree_lookup(c->entries, fresh->name);
    g_autoptr(GPtrArray) diags = diag_list_new();

    if (fresh->faults->len == 0 && !almanac_set_find(set, fresh->name, diags, NULL)) {
        g_autofree char *text = diag_list_to_text(diags), *reason = NULL;

        (void)almanac_set_find(set, fresh->name, NULL, &reason);
        g_string_append(fresh->faults, diags->len > 0 ? text : reason);
    }
    if (fresh->faults->len == 0)
        return calendar_entry_new(fresh->name, fresh->sources);
    calendars_complain(fresh, faults);
    return calendar_entry_new(fresh->name, before ? before->sources : fresh->sources);
}

void calendars_end(Calendars *c, GString *faults)
{
    g_autoptr(AlmanacSet) set = almanac_set_new();
    GTree *settled = calendars_tree();

    calendars_add_to(c->fresh, set);
    for (GTreeNode *n = g_tree_node_first(c->fresh); n; n = g_tree_node_next(n)) {
        CalendarEntry *e = calendars_settle(c, set, g_tree_node_value(n), faults);

        g_tree_replace(settled, e->name, e);
    }
    g_tree_unref(c->entries);
    c->entries = settled;
    calendars_begin(c);
}

/* --- what tasks have of them --- */

TaskSource *calendars_join(const Calendars *c, const TaskSource *sources, size_t n, size_t *ret_n)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(TaskSource));

    g_array_append_vals(all, sources, (guint)n);
    for (GTreeNode *node = g_tree_node_first(c->entries); node; node = g_tree_node_next(node)) {
        const CalendarEntry *e = g_tree_node_value(node);

        for (guint i = 0; i < e->sources->len; i++)
            g_array_append_val(all, *(const TaskSource *)g_ptr_array_index(e->sources, i));
    }
    *ret_n = all->len;
    return (TaskSource *)(void *)g_array_free(all, FALSE);
}

static bool calendars_is_same(const TaskSource *a, const TaskSource *b)
{
    return a->length == b->length && strcmp(a->path, b->path) == 0 &&
           memcmp(a->text, b->text, a->length) == 0;
}

/* It is there for those schedules that do not name it, and they do not have it yet. */
static bool calendars_lack_maintenance(const Calendars *c, const Task *task)
{
    bool concerned = false;

    if (!g_tree_lookup(c->entries, ALMANAC_MAINTENANCE))
        return false;
    for (guint i = 0; i < task->schedules->len; i++)
        concerned = concerned || !((const Schedule *)g_ptr_array_index(task->schedules, i))->in_maintenance;
    for (guint i = task_own_sources(task); i < task->sources->len; i++)
        if (g_str_equal(
                ((const TaskSource *)g_ptr_array_index(task->sources, i))->calendar, ALMANAC_MAINTENANCE))
            return false;
    return concerned;
}

/* They stand in the order of names, as they do here. */
bool calendars_are_same(const Calendars *c, const Task *task)
{
    guint i = task_own_sources(task);

    if (calendars_lack_maintenance(c, task))
        return false;
    while (i < task->sources->len) {
        const TaskSource *own = g_ptr_array_index(task->sources, i);
        const CalendarEntry *e = g_tree_lookup(c->entries, own->calendar);

        for (guint j = 0; e && j < e->sources->len; j++, i++)
            if (i >= task->sources->len ||
                !calendars_is_same(g_ptr_array_index(task->sources, i), g_ptr_array_index(e->sources, j)))
                return false;
        if (!e ||
            (i < task->sources->len &&
                strcmp(((const TaskSource *)g_ptr_array_index(task->sources, i))->calendar, e->name) == 0))
            return false;
    }
    return true;
}

/* --- looking --- */

/* Parsed when it is looked at first, with what it includes. */
static const CalendarEntry *calendars_open(Calendars *c, CalendarEntry *e)
{
    if (e && !e->set) {
        e->set = almanac_set_new();
        calendars_add_to(c->entries, e->set);
        e->almanac = almanac_set_find(e->set, e->name, NULL, NULL);
        almanac_set_forget(e->set);
    }
    return e;
}

const CalendarEntry *manager_find_calendar(Manager *m, const char *name)
{
    return calendars_open(m->calendars, g_tree_lookup(m->calendars->entries, name));
}

GPtrArray *manager_list_calendars(Manager *m, const char *after, unsigned limit)
{
    GTree *entries = m->calendars->entries;
    GPtrArray *list = g_ptr_array_new();
    GTreeNode *node = after ? g_tree_upper_bound(entries, after) : g_tree_node_first(entries);

    for (; node && list->len < limit; node = g_tree_node_next(node))
        g_ptr_array_add(list, (gpointer)calendars_open(m->calendars, g_tree_node_value(node)));
    return list;
}

bool manager_calendar_has(const CalendarEntry *e, uint64_t now, uint64_t *ret_until)
{
    unsigned looks = ALMANAC_LOOKS;
    bool within;

    *ret_until = USEC_INFINITY;
    if (!e->almanac)
        return false;
    within = almanac_has(e->almanac, zone_local(), now, ret_until);
    if (!almanac_next(e->almanac, zone_local(), now, !within, &looks, ret_until))
        *ret_until = USEC_INFINITY;
    return within;
}

void manager_verify_calendar(
    Manager *m, const char *name, const TaskSource *sources, size_t n, DiagList *diags)
{
    g_autoptr(AlmanacSet) set = almanac_set_new();
    g_autofree TaskSource *own = g_new0(TaskSource, n);

    if (!task_name_is_valid(name)) {
        diag_add(diags, sources[0].path, 0, 0, "",
            "the file's name is no calendar's name: a letter or digit and up to 63 more of letters, digits, '_', '.', '-'");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        own[i] = sources[i];
        own[i].calendar = (char *)name;
        almanac_set_add(set, &own[i]);
    }
    for (GTreeNode *node = g_tree_node_first(m->calendars->entries); node; node = g_tree_node_next(node)) {
        const CalendarEntry *e = g_tree_node_value(node);

        for (guint i = 0; strcmp(e->name, name) != 0 && i < e->sources->len; i++)
            almanac_set_add(set, g_ptr_array_index(e->sources, i));
    }
    (void)almanac_set_find(set, name, diags, NULL);
}

Task *manager_read_task(Manager *m, const char *name, const TaskSource *source, DiagList *diags)
{
    size_t n;
    g_autofree TaskSource *all = calendars_join(m->calendars, source, 1, &n);

    return task_read(name, all, n, diags);
}
