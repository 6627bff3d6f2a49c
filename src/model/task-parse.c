/* From files to a task: which section, which key, and what files of one definition do to each other. The
 * keys themselves are in task-keys.c. */
#include <string.h>

#include "base/suggest.h"
#include "model/almanac.h"
#include "model/input.h"
#include "model/task-internal.h"

#define TASK_SPECS_MAX     1000
#define TASK_SCHEDULES_MAX 1000

struct TaskSection {
    const char *name;
    void (*assign)(TaskParser *p, const TaskFileItem *item);
};

static void task_parse_input(TaskParser *p, const TaskFileItem *item);
static void task_parse_output(TaskParser *p, const TaskFileItem *item);

static const TaskSection task_sections[] = {
    { "Task", task_keys_task },
    { "Input", task_parse_input },
    { "Output", task_parse_output },
    { "Service", task_keys_service },
    { "Schedule", task_keys_schedule },
};

void task_parser_value_fault(
    TaskParser *p, const TaskFileItem *item, unsigned offset, const char *format, ...)
{
    g_autofree char *message = NULL;
    unsigned line, column;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    task_file_position(item, offset, &line, &column);
    diag_add(p->diags, item->file, line, column, item->key, "%s", message);
}

void task_parser_key_fault(TaskParser *p, const TaskFileItem *item, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    diag_add(p->diags, item->file, item->line, item->column, item->key, "%s", message);
}

bool task_parser_claim(TaskParser *p, const TaskFileItem *item, bool list)
{
    g_autofree char *id = g_strconcat(p->scope, "\n", item->key, NULL);

    if (!item->value[0] && !item->damaged) {
        g_hash_table_remove(p->seen, id);
        g_hash_table_remove(p->where, id);
        return true;
    }
    if (!list && g_hash_table_contains(p->seen, id)) {
        const TaskFileItem *first = g_hash_table_lookup(p->where, id);

        task_parser_key_fault(p, item, "set twice in this file, first in line %u", first->line);
        return false;
    }
    g_hash_table_add(p->seen, g_strdup(id));
    g_hash_table_insert(p->where, g_steal_pointer(&id), (gpointer)item);
    return true;
}

const TaskFileItem *task_parser_where(TaskParser *p, const char *section, const char *key)
{
    g_autofree char *id = g_strconcat(section, "\n", key, NULL);

    return g_hash_table_lookup(p->where, id);
}

void task_parser_unknown(TaskParser *p, const TaskFileItem *item, const char *what, const GPtrArray *names)
{
    g_autofree char *hint = suggest_phrase(item->key, names);

    task_parser_key_fault(p, item, "%s%s", what, hint);
}

/* A later file replaces an input, in its place; an empty value takes it away. */
static void task_parse_spec(TaskParser *p, const TaskFileItem *item, GPtrArray *specs, bool is_output)
{
    InputSpec *spec = NULL;
    guint first = p->diags->len, i;

    if (!task_parser_claim(p, item, false) || item->damaged)
        return;
    for (i = 0; i < specs->len; i++)
        if (g_str_equal(((InputSpec *)g_ptr_array_index(specs, i))->name, item->key))
            break;
    if (!item->value[0]) {
        if (i < specs->len)
            g_ptr_array_remove_index(specs, i);
        return;
    }
    if (!input_name_is_valid(item->key)) {
        task_parser_key_fault(
            p, item, "a name is a letter or '_', then up to 63 of letters, digits, '_', '-'");
        return;
    }
    if (input_spec_parse(item->key, item->value, is_output, item->file, item->line, 1, p->diags, &spec) < 0) {
        task_file_place(item, p->diags, first);
        return;
    }
    if (i < specs->len) {
        input_spec_free(g_ptr_array_index(specs, i));
        g_ptr_array_index(specs, i) = spec;
    } else if (specs->len < TASK_SPECS_MAX)
        g_ptr_array_add(specs, spec);
    else {
        input_spec_free(spec);
        task_parser_key_fault(p, item, "a section like this has %d names at most", TASK_SPECS_MAX);
    }
}

static void task_parse_input(TaskParser *p, const TaskFileItem *item)
{
    task_parse_spec(p, item, p->task->inputs, false);
}

static void task_parse_output(TaskParser *p, const TaskFileItem *item)
{
    task_parse_spec(p, item, p->task->outputs, true);
}

/* [Schedule NAME]: a second one in the same file is a fault, in another it amends. */
static void task_parse_schedule(TaskParser *p, const TaskFileItem *item, const char *name)
{
    g_autofree char *id = g_strconcat("Schedule\n", name, NULL);
    Schedule *s;

    p->section = NULL;
    if (!task_name_is_valid(name)) {
        task_parser_key_fault(
            p, item, "'%s' is no name: a letter or digit, then up to 63 of those and '_.-'", name);
        return;
    }
    if (!g_hash_table_add(p->seen, g_steal_pointer(&id))) {
        task_parser_key_fault(p, item, "the schedule '%s' stands twice in this file", name);
        return;
    }
    g_free(p->scope);
    p->scope = g_strconcat("Schedule ", name, NULL);
    p->section = &task_sections[G_N_ELEMENTS(task_sections) - 1];
    p->schedule = (Schedule *)task_find_schedule(p->task, name);
    if (p->schedule)
        return;
    if (p->task->schedules->len >= TASK_SCHEDULES_MAX) {
        task_parser_key_fault(p, item, "a task has %d schedules at most", TASK_SCHEDULES_MAX);
        p->section = NULL;
        return;
    }
    s = g_new0(Schedule, 1);
    s->name = g_strdup(name);
    s->enabled = true;
    s->at = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    s->inputs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    p->schedule = s;
    g_ptr_array_add(p->task->schedules, s);
    g_ptr_array_add(p->schedule_items, (gpointer)item);
}

static void task_parse_section(TaskParser *p, const TaskFileItem *item)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    p->section = NULL;
    p->header = item;
    g_free(p->scope);
    p->scope = g_strdup(item->key);
    if (item->damaged || g_str_has_prefix(item->key, "X-"))
        return;
    if (g_str_equal(item->key, "Schedule")) {
        task_parse_schedule(p, item, "default");
        return;
    }
    if (g_str_has_prefix(item->key, "Schedule ") || g_str_has_prefix(item->key, "Schedule\t")) {
        const char *name = item->key + strlen("Schedule");

        task_parse_schedule(p, item, name + strspn(name, " \t"));
        return;
    }
    ARRAY_FOREACH (s, task_sections) {
        if (g_str_equal(s->name, item->key))
            p->section = s;
        g_ptr_array_add(names, (gpointer)s->name);
    }
    if (!p->section) {
        g_autofree char *hint = suggest_phrase(item->key, names);

        task_parser_key_fault(p, item, "unknown section [%s]%s", item->key, hint);
    } else if (p->section->assign == task_parse_input)
        p->task->has_input = true;
    else if (p->section->assign == task_parse_output)
        p->task->has_output = true;
    else if (p->section->assign == task_keys_service && !p->service)
        p->service = item;
}

static void task_parse_source(TaskParser *p, const TaskSource *source)
{
    GPtrArray *items = task_file_read(source, p->diags);

    g_ptr_array_add(p->files, items);
    g_hash_table_remove_all(p->seen);
    p->section = NULL;
    p->header = NULL;
    /* What can add nothing to the list is not looked at. */
    for (guint i = 0; i < items->len && !diag_list_full(p->diags); i++) {
        const TaskFileItem *item = g_ptr_array_index(items, i);

        if (item->is_section)
            task_parse_section(p, item);
        else if (!p->header)
            task_parser_key_fault(p, item, "stands before any section");
        else if (p->section && !g_str_has_prefix(item->key, "X-"))
            p->section->assign(p, item);
    }
}

/* Sources are forgotten but for those that were read: what they were borrowed from is not the task's. */
static void task_keep_calendars(Task *t)
{
    g_autoptr(GPtrArray) used = almanac_set_used(t->calendars);

    almanac_set_forget(t->calendars);
    if (used->len == 0)
        g_clear_pointer(&t->calendars, almanac_set_free);
    g_ptr_array_set_free_func(used, NULL);
    for (guint i = 0; i < used->len; i++)
        g_ptr_array_add(t->sources, g_ptr_array_index(used, i));
}

Task *task_read(const char *name, const TaskSource *sources, size_t n, DiagList *diags)
{
    g_autoptr(Task) t = task_new(name);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) where = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) schedule_items = g_ptr_array_new();
    g_autoptr(GArray) later = g_array_new(false, false, sizeof(TaskLater));
    TaskParser p = {
        .task = t,
        .diags = diags,
        .files = files,
        .seen = seen,
        .where = where,
        .schedule_items = schedule_items,
        .later = later,
    };

    if (!task_name_is_valid(name))
        diag_add(diags, n > 0 ? sources[0].path : "", 0, 0, "",
            "'%s' is no task name: a letter or digit, then up to 63 of those and '_.-'", name);
    t->calendars = almanac_set_new();
    for (size_t i = 0; i < n; i++)
        if (sources[i].calendar)
            almanac_set_add(t->calendars, &sources[i]);
        else
            g_ptr_array_add(t->sources, task_source_new(sources[i].path, sources[i].text, sources[i].length));
    for (guint i = 0; i < t->sources->len; i++)
        task_parse_source(&p, g_ptr_array_index(t->sources, i));
    task_keys_check_task(&p);
    task_keys_check_service(&p);
    task_keys_check_schedules(&p);
    task_keep_calendars(t);
    g_free(p.scope);
    diag_list_sort(diags);
    return g_steal_pointer(&t);
}

int task_parse(const char *name, const TaskSource *sources, size_t n, DiagList *diags, Task **ret)
{
    guint before = diags->len;
    g_autoptr(Task) t = task_read(name, sources, n, diags);

    if (diags->len > before)
        return -EINVAL;
    *ret = g_steal_pointer(&t);
    return 0;
}
