/* The slots to come: of all schedules, in the order of their times, or of one that is not defined yet. */
#include "api/next-methods.h"

#include <string.h>

#include "api/message.h"
#include "api/task-methods.h"
#include "model/follow.h"
#include "model/schedule.h"
#include "model/slots.h"

#define SLOTS_MAX 1000
/* Of slots before the first that is asked for, which count for MaxRuns=: of all schedules together so many are counted. */
#define COUNTED_MAX     20000
#define EXPRESSIONS_MAX 100
/* What stands before the expressions where these are read: line n is the first of them. */
#define EXPRESSION_HEAD "[Task]\n[Service]\nExecStart=/bin/true\n[Schedule expression]\n"
#define EXPRESSION_LINE 5

typedef struct NextQuery {
    char *task, *schedule; /* the filter; NULL is all */
    uint64_t since, until;
    GPtrArray *expressions; /* of char*, NULL: what is defined */
    uint32_t count;
    unsigned counted;
} NextQuery;

static void next_query_clear(NextQuery *n)
{
    g_free(n->task);
    g_free(n->schedule);
    if (n->expressions)
        g_ptr_array_unref(n->expressions);
}

static int next_read_expressions(sd_bus_message *m, void *into, Error *error)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    const char *text;
    int r;

    *(GPtrArray **)into = list;
    r = sd_bus_message_enter_container(m, 'a', "s");
    while (r >= 0 && (r = sd_bus_message_read(m, "s", &text)) > 0) {
        if (!strchr(text, '=') || strpbrk(text, "\n\r") || g_str_has_suffix(text, "\\"))
            return message_refuse(error, ERROR_INVALID_ARGUMENT, "", text, " is not of the form KEY=VALUE.");
        if (list->len >= EXPRESSIONS_MAX)
            return error_set(
                error, ERROR_LIMIT_EXCEEDED, "At most %d expressions are taken.", EXPRESSIONS_MAX);
        g_ptr_array_add(list, g_strdup(text));
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static const MessageEntry entries[] = {
    { "task", "s", message_entry_string, offsetof(NextQuery, task) },
    { "schedule", "s", message_entry_string, offsetof(NextQuery, schedule) },
    { "since", "t", message_entry_time, offsetof(NextQuery, since) },
    { "until", "t", message_entry_time, offsetof(NextQuery, until) },
    { "expressions", "as", next_read_expressions, offsetof(NextQuery, expressions) },
};

static int next_query_read(NextQuery *n, Request *q, Error *error)
{
    int r = message_read_dict(q->message, entries, G_N_ELEMENTS(entries), "filter", n, error);

    if (r < 0)
        return r;
    r = sd_bus_message_read(q->message, "u", &n->count);
    if (r < 0)
        return message_read_failed(r, error);
    if (n->count == 0 || n->count > SLOTS_MAX)
        n->count = SLOTS_MAX;
    if (n->expressions && (n->task || n->schedule))
        return error_set(
            error, ERROR_INVALID_ARGUMENT, "A task and expressions cannot be asked about in one call.");
    return n->expressions ? 0 : task_methods_check(q, n->task, n->schedule, error);
}

/* --- the next slot of several schedules, again and again --- */

typedef struct Coming {
    const char *task, *name; /* borrowed */
    const Schedule *schedule;
    const GArray *by_hand; /* that somebody has skipped; NULL is none */
    uint64_t when;         /* UNSET: something has to happen first */
    uint64_t left;         /* slots that may fire, with this one */
} Coming;

static int compare_coming(const void *a, const void *b, void *userdata)
{
    const Coming *x = a, *y = b;
    int r;

    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    r = strcmp(x->task, y->task);
    return r != 0 ? r : strcmp(x->name, y->name);
}

/* Of one that follows something what comes after the next slot is not known. */
static uint64_t next_after(const Coming *c, uint64_t after)
{
    if (follow_is(c->schedule))
        return after < c->when ? c->when : USEC_INFINITY;
    return slots_open(c->schedule, c->by_hand, after);
}

/* Those before what is asked for fire as well. */
static uint64_t next_left(NextQuery *n, const Coming *first)
{
    uint64_t when = first->when, left = first->left;

    for (; left != UNSET && left > 0 && when < n->since && n->counted < COUNTED_MAX; n->counted++, left--)
        when = next_after(first, when);
    return left;
}

/* first: of all its slots; none is before from (0: before that). */
static void next_add(GSequence *coming, NextQuery *n, Coming first, uint64_t from)
{
    Coming *c;

    first.left = next_left(n, &first);
    if (from > 0)
        first.when = next_after(&first, from - 1);
    if (first.when > n->until || first.left == 0 || (first.when == UNSET && !follow_is(first.schedule)))
        return;
    c = g_memdup2(&first, sizeof first);
    g_sequence_insert_sorted(coming, c, compare_coming, NULL);
}

static void next_add_task(GSequence *coming, NextQuery *n, const TaskEntry *entry)
{
    for (guint i = 0; i < entry->schedules->len; i++) {
        const ScheduleEntry *s = g_ptr_array_index(entry->schedules, i);

        if (entry->enabled && s->enabled && (!n->schedule || g_str_equal(n->schedule, s->schedule->name)))
            next_add(coming, n,
                (Coming){ entry->task->name, s->schedule->name, s->schedule, s->by_hand,
                    manager_schedule_next(s), schedule_runs_left(s->schedule, s->fired) },
                n->since > 0 ? MAX(n->since, manager_schedule_paused_until(s)) : 0);
    }
}

static void next_add_defined(GSequence *coming, NextQuery *n, Manager *m)
{
    g_autoptr(GPtrArray) tasks = NULL;
    const TaskEntry *entry;

    if (n->task) {
        entry = manager_find_task(m, n->task);
        if (entry)
            next_add_task(coming, n, entry);
        return;
    }
    tasks = manager_list_tasks(m, NULL, UINT_MAX);
    for (guint i = 0; i < tasks->len; i++)
        next_add_task(coming, n, g_ptr_array_index(tasks, i));
}

/* The first fault, in the words of whoever asked: their expression, and the place in it. */
static int next_fault(const NextQuery *n, const DiagList *diags, Error *error)
{
    const Diag *d = g_ptr_array_index(diags, 0);
    const char *text = d->line >= EXPRESSION_LINE && d->line - EXPRESSION_LINE < n->expressions->len
                           ? g_ptr_array_index(n->expressions, d->line - EXPRESSION_LINE)
                           : NULL;
    g_autofree char *after = NULL;

    if (!text)
        return error_set(error, ERROR_INVALID_ARGUMENT, "%s", d->message);
    after = g_strdup_printf(", column %u: %s", d->column, d->message);
    return message_refuse(error, ERROR_INVALID_ARGUMENT, "", text, after);
}

static int next_parse(const NextQuery *n, Manager *m, Task **ret, Error *error)
{
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autoptr(GString) text = g_string_new(EXPRESSION_HEAD);
    g_autoptr(Task) task = NULL;
    TaskSource source;

    for (guint i = 0; i < n->expressions->len; i++)
        g_string_append_printf(text, "%s\n", (const char *)g_ptr_array_index(n->expressions, i));
    source = (TaskSource){ (char *)"", text->str, text->len, NULL };
    task = manager_read_task(m, "expression", &source, diags);
    if (diags->len > 0)
        return next_fault(n, diags, error);
    if (!task || task->schedules->len != 1)
        return error_set(
            error, ERROR_INVALID_ARGUMENT, "An expression may have keys of one [Schedule] alone.");
    *ret = g_steal_pointer(&task);
    return 0;
}

/* --- the reply --- */

static char *next_note(const Coming *c)
{
    static const char drawn[] = "drawn from the names of task and schedule: it will be another";
    g_autofree char *note = NULL;
    ClockChange change;

    if (c->when == UNSET)
        return follow_tell(c->schedule);
    if (schedule_change_at(c->schedule, c->when, &change))
        note = clock_change_note(&change, c->when);
    /* What is defined has its names. */
    if (*c->task || !schedule_is_drawn(c->schedule, c->when))
        return g_steal_pointer(&note);
    return note ? g_strdup_printf("%s; %s", note, drawn) : g_strdup(drawn);
}

static int next_append_slot(sd_bus_message *reply, const Coming *c)
{
    g_autofree char *note = next_note(c);
    int r = sd_bus_message_open_container(reply, 'a', "{sv}");

    if (r >= 0)
        r = message_put_string(reply, "Task", c->task);
    if (r >= 0)
        r = message_put_string(reply, "Schedule", c->name);
    if (r >= 0 && c->when != UNSET)
        r = message_put_number(reply, "Next", c->when);
    if (r >= 0 && note)
        r = message_put_string(reply, "Note", note);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int next_append(sd_bus_message *reply, GSequence *coming, const NextQuery *n)
{
    int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

    for (unsigned i = 0; r >= 0 && i < n->count && !g_sequence_is_empty(coming); i++) {
        GSequenceIter *first = g_sequence_get_begin_iter(coming);
        Coming *c = g_sequence_get(first);

        r = next_append_slot(reply, c);
        c->when = next_after(c, c->when);
        if (c->left != UNSET)
            c->left--;
        if (c->left == 0 || c->when == USEC_INFINITY || c->when > n->until)
            g_sequence_remove(first);
        else
            g_sequence_sort_changed(first, compare_coming, NULL);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int next_answer(Request *q, GSequence *coming, const NextQuery *n)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(q->message, &reply);

    if (r >= 0)
        r = next_append(reply, coming, n);
    if (r >= 0)
        request_answer_message(q, reply);
    return r;
}

int next_methods_list(Request *q, Error *error)
{
    g_autoptr(GSequence) coming = g_sequence_new(g_free);
    _cleanup_(next_query_clear) NextQuery n = { .until = USEC_INFINITY };
    g_autoptr(Task) task = NULL;
    int r = next_query_read(&n, q, error);

    if (r >= 0 && !n.expressions)
        r = manager_check_tasks(q->manager, error);
    if (r >= 0 && n.expressions)
        r = next_parse(&n, q->manager, &task, error);
    if (r < 0)
        return r;
    if (task) {
        const Schedule *s = g_ptr_array_index(task->schedules, 0);

        n.since = n.since > 0 ? n.since : manager_now(q->manager);
        next_add(coming, &n,
            (Coming){ "", s->name, s, NULL, slots_open(s, NULL, n.since - 1), schedule_runs_left(s, 0) }, 0);
    } else {
        next_add_defined(coming, &n, q->manager);
    }
    return next_answer(q, coming, &n);
}
