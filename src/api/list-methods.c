/* Lists from memory, bounded: a page ends early rather than with a reply that is too large to be sent. */
#include "api/list-methods.h"

#include "api/message.h"
#include "api/task-message.h"
#include "api/task-methods.h"
#include "model/input.h"

#define PAGE_MAX  1000
#define BATCH     100
#define REPLY_MAX (6 * 1024 * 1024)
/* Keys, short strings and numbers of one entry. */
#define WEIGHT_FIXED 2048

/* A page under way. */
typedef struct Page {
    sd_bus_message *reply;
    char *task, *schedule; /* the filter; NULL is all */
    const char *cursor;
    unsigned wanted;
    size_t weight;
    char *last; /* cursor of the last entry in it */
    bool full;
} Page;

static void page_clear(Page *p)
{
    sd_bus_message_unref(p->reply);
    g_free(p->task);
    g_free(p->schedule);
    g_free(p->last);
}

static const MessageEntry filters[] = {
    { "task", "s", message_entry_string, offsetof(Page, task) },
    { "schedule", "s", message_entry_string, offsetof(Page, schedule) }, /* not of tasks */
};

static int page_read(Page *p, Request *q, size_t n_filters, Error *error)
{
    int r = message_read_dict(q->message, filters, n_filters, "filter", p, error);

    if (r >= 0)
        r = message_read_page(q->message, PAGE_MAX, &p->cursor, &p->wanted, error);
    if (r >= 0)
        r = manager_check_tasks(q->manager, error);
    if (r < 0)
        return r;
    r = sd_bus_message_new_method_return(q->message, &p->reply);
    return r < 0 ? r : sd_bus_message_open_container(p->reply, 'a', "a{sv}");
}

/* Is there room for one more of this weight? Otherwise the page is full. */
static bool page_take(Page *p, size_t weight)
{
    if (p->wanted == 0 || (p->weight > 0 && p->weight + weight > REPLY_MAX)) {
        p->full = true;
        return false;
    }
    p->wanted--;
    p->weight += weight;
    return true;
}

static void page_set_last(Page *p, char *cursor)
{
    g_free(p->last);
    p->last = cursor;
}

static int page_finish(Page *p, Request *q)
{
    int r = sd_bus_message_close_container(p->reply);

    if (r >= 0)
        r = sd_bus_message_append(p->reply, "s", p->full ? p->last : "");
    if (r < 0)
        return r;
    request_answer_message(q, p->reply);
    return 0;
}

/* --- tasks --- */

static int page_add_task(Page *p, const TaskEntry *entry)
{
    g_autofree char *inputs = input_specs_to_json(entry->task->inputs);

    if (!page_take(p, WEIGHT_FIXED + strlen(inputs) + strlen(entry->task->description)))
        return 0;
    page_set_last(p, g_strdup(entry->task->name));
    return task_message_append(p->reply, entry);
}

/* Calls add for the tasks after `after` until the page is full. */
static int page_walk(Page *p, Manager *m, const char *after, int (*add)(Page *p, const TaskEntry *entry))
{
    g_autofree char *from = g_strdup(after);
    bool more = true;
    int r = 0;

    while (r >= 0 && more && !p->full) {
        g_autoptr(GPtrArray) tasks = manager_list_tasks(m, from, BATCH);

        for (guint i = 0; r >= 0 && !p->full && i < tasks->len; i++)
            r = add(p, g_ptr_array_index(tasks, i));
        more = tasks->len == BATCH;
        if (more) {
            const TaskEntry *last = g_ptr_array_index(tasks, tasks->len - 1);

            g_free(from);
            from = g_strdup(last->task->name);
        }
    }
    return r;
}

static int list_methods_refuse_cursor(const char *cursor, Error *error)
{
    return message_refuse(error, ERROR_INVALID_ARGUMENT, "", cursor, " is no cursor of this list.");
}

int list_methods_tasks(Request *q, Error *error)
{
    _cleanup_(page_clear) Page p = { 0 };
    int r = page_read(&p, q, G_N_ELEMENTS(filters) - 1, error);

    if (r < 0)
        return r;
    if (*p.cursor && !task_name_is_valid(p.cursor))
        return list_methods_refuse_cursor(p.cursor, error);
    if (p.task) {
        const TaskEntry *entry = manager_find_task(q->manager, p.task);

        r = entry && !*p.cursor ? page_add_task(&p, entry) : 0;
    } else {
        r = page_walk(&p, q->manager, *p.cursor ? p.cursor : NULL, page_add_task);
    }
    return r < 0 ? r : page_finish(&p, q);
}

/* --- schedules --- */

static int compare_schedules(const void *a, const void *b)
{
    const ScheduleEntry *const *x = a, *const *y = b;

    return strcmp((*x)->schedule->name, (*y)->schedule->name);
}

static int page_add_schedules_after(Page *p, const TaskEntry *entry, const char *after)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_copy(entry->schedules, NULL, NULL);
    int r = 0;

    g_ptr_array_set_free_func(sorted, NULL);
    g_ptr_array_sort(sorted, compare_schedules);
    for (guint i = 0; r >= 0 && i < sorted->len; i++) {
        const ScheduleEntry *s = g_ptr_array_index(sorted, i);

        if ((after && strcmp(s->schedule->name, after) <= 0) ||
            (p->schedule && !g_str_equal(p->schedule, s->schedule->name)))
            continue;
        if (!page_take(p, WEIGHT_FIXED))
            break;
        page_set_last(p, g_strdup_printf("%s/%s", entry->task->name, s->schedule->name));
        r = task_message_append_schedule(p->reply, s);
    }
    return r;
}

static int page_add_schedules(Page *p, const TaskEntry *entry)
{
    return page_add_schedules_after(p, entry, NULL);
}

int list_methods_schedules(Request *q, Error *error)
{
    _cleanup_(page_clear) Page p = { 0 };
    g_autofree char *task = NULL;
    const TaskEntry *entry;
    const char *slash;
    int r = page_read(&p, q, G_N_ELEMENTS(filters), error);

    if (r >= 0 && !*p.cursor)
        r = task_methods_check(q, p.task, p.schedule, error);
    if (r < 0)
        return r;
    slash = strchr(p.cursor, '/');
    task = slash ? g_strndup(p.cursor, (gsize)(slash - p.cursor)) : g_strdup(p.task);
    if (*p.cursor && (!slash || !task_name_is_valid(task) || (p.task && !g_str_equal(p.task, task))))
        return list_methods_refuse_cursor(p.cursor, error);
    entry = task ? manager_find_task(q->manager, task) : NULL;
    if (entry)
        r = page_add_schedules_after(&p, entry, slash ? slash + 1 : NULL);
    if (r >= 0 && !p.task)
        r = page_walk(&p, q->manager, task, page_add_schedules);
    return r < 0 ? r : page_finish(&p, q);
}
