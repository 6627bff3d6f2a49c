/* Life and looks of a task; how a definition is read is in task-parse.c. */
#include <signal.h>
#include <string.h>

#include "model/almanac.h"
#include "model/command.h"
#include "model/input.h"
#include "model/json.h"
#include "model/schedule.h"
#include "model/task-internal.h"
#include "model/words.h"

#define TASK_STOP_USEC (90 * USEC_PER_SEC)

bool task_name_is_valid(const char *name)
{
    size_t n = 0;

    if (!name || !g_ascii_isalnum(name[0]))
        return false;
    for (; name[n]; n++)
        if (n >= 64 || (!g_ascii_isalnum(name[n]) && !strchr("_.-", name[n])))
            return false;
    return true;
}

int task_missing(Error *error, const char *task)
{
    g_autofree char *shown = words_quote(task, '"');

    return error_set(error, ERROR_NO_SUCH_TASK, "There is no task %s", shown);
}

int task_schedule_missing(Error *error, const char *task, const char *schedule)
{
    g_autofree char *shown = words_quote(task, '"'), *shown_schedule = words_quote(schedule, '"');

    return error_set(error, ERROR_NO_SUCH_SCHEDULE, "Task %s has no schedule %s", shown, shown_schedule);
}

TaskSource *task_source_new(const char *path, const char *text, size_t length)
{
    TaskSource *s = g_new0(TaskSource, 1);

    s->path = g_strdup(path);
    s->text = g_malloc(length + 1);
    if (length > 0)
        memcpy(s->text, text, length);
    s->text[length] = 0;
    s->length = length;
    return s;
}

void task_source_free(TaskSource *s)
{
    if (!s)
        return;
    g_free(s->path);
    g_free(s->calendar);
    g_free(s->text);
    g_free(s);
}

static void task_setting_free(gpointer data)
{
    TaskSetting *s = data;

    g_free(s->key);
    g_free(s->value);
    g_free(s);
}

Task *task_new(const char *name)
{
    Task *t = g_new0(Task, 1);

    t->refs = 1;
    t->name = g_strdup(name);
    t->sources = g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free);
    t->description = g_strdup("");
    t->queue = g_strdup("default");
    t->on_missed = g_strdup("");
    t->enabled = true;
    t->retry.delay_max_usec = USEC_INFINITY;
    t->timeout_usec = USEC_INFINITY;
    t->timeout_warning_signal = SIGUSR1;
    t->stop_usec = TASK_STOP_USEC;
    t->kill_signal = SIGTERM;
    t->success_status = g_ptr_array_new_with_free_func(g_free);
    t->inputs = g_ptr_array_new_with_free_func((GDestroyNotify)input_spec_free);
    t->outputs = g_ptr_array_new_with_free_func((GDestroyNotify)input_spec_free);
    t->command = g_ptr_array_new_with_free_func((GDestroyNotify)command_word_free);
    t->settings = g_ptr_array_new_with_free_func(task_setting_free);
    t->schedules = g_ptr_array_new_with_free_func((GDestroyNotify)schedule_free);
    return t;
}

Task *task_ref(Task *t)
{
    g_atomic_int_inc(&t->refs);
    return t;
}

void task_unref(Task *t)
{
    if (!t || !g_atomic_int_dec_and_test(&t->refs))
        return;
    g_free(t->name);
    g_free(t->description);
    g_free(t->queue);
    g_free(t->on_missed);
    almanac_free(t->window);
    g_clear_pointer(&t->retry.retry_on, g_ptr_array_unref);
    g_clear_pointer(&t->retry.no_retry_on, g_ptr_array_unref);
    g_ptr_array_unref(t->success_status);
    g_ptr_array_unref(t->inputs);
    g_ptr_array_unref(t->outputs);
    g_ptr_array_unref(t->command);
    g_ptr_array_unref(t->settings);
    g_ptr_array_unref(t->schedules);
    almanac_set_free(t->calendars);
    g_ptr_array_unref(t->sources);
    g_free(t);
}

guint task_own_sources(const Task *t)
{
    guint n = 0;

    while (n < t->sources->len && !((const TaskSource *)g_ptr_array_index(t->sources, n))->calendar)
        n++;
    return n;
}

char *task_cat(const Task *t)
{
    GString *s = g_string_new(NULL);
    guint n = task_own_sources(t);

    for (guint i = 0; i < n; i++) {
        const TaskSource *source = g_ptr_array_index(t->sources, i);

        g_string_append_printf(s, "%s# %s\n%s", i > 0 ? "\n" : "", source->path, source->text);
        if (s->str[s->len - 1] != '\n')
            g_string_append_c(s, '\n');
    }
    return g_string_free(s, FALSE);
}

char *task_sources_list_to_json(const GPtrArray *sources)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_ARRAY);
    g_autoptr(JsonArray) array = json_array_new();

    for (guint i = 0; i < sources->len; i++) {
        const TaskSource *source = g_ptr_array_index(sources, i);
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "Path", source->path);
        json_object_set_string_member(object, "Text", source->text);
        if (source->calendar)
            json_object_set_string_member(object, "Calendar", source->calendar);
        json_array_add_object_element(array, object);
    }
    json_node_set_array(node, array);
    return json_write(node);
}

char *task_sources_to_json(const Task *t)
{
    return task_sources_list_to_json(t->sources);
}

static const char *task_string_member(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

int task_sources_from_json(const char *json, GPtrArray **ret_sources)
{
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free);
    JsonArray *array;

    if (json_read(json, strlen(json), &node, NULL) < 0 || !JSON_NODE_HOLDS_ARRAY(node))
        return -EINVAL;
    array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *element = json_array_get_element(array, i);
        const char *path, *text;
        TaskSource *source;

        if (!JSON_NODE_HOLDS_OBJECT(element))
            return -EINVAL;
        path = task_string_member(json_node_get_object(element), "Path");
        text = task_string_member(json_node_get_object(element), "Text");
        if (!path || !text)
            return -EINVAL;
        source = task_source_new(path, text, strlen(text));
        source->calendar = g_strdup(task_string_member(json_node_get_object(element), "Calendar"));
        g_ptr_array_add(sources, source);
    }
    *ret_sources = g_steal_pointer(&sources);
    return 0;
}

static const char *const overlaps[_OVERLAP_MAX] = {
    [OVERLAP_ALLOW] = "allow",
    [OVERLAP_SKIP] = "skip",
    [OVERLAP_QUEUE] = "queue",
    [OVERLAP_QUEUE_ONE] = "queue-one",
    [OVERLAP_CANCEL_OLD] = "cancel-old",
};

const char *overlap_to_string(Overlap o)
{
    return overlaps[o];
}

Overlap overlap_from_string(const char *s)
{
    for (unsigned i = 0; i < _OVERLAP_MAX; i++)
        if (g_str_equal(overlaps[i], s))
            return (Overlap)i;
    return _OVERLAP_INVALID;
}

unsigned task_places(const Task *t)
{
    if (t->max_concurrent > 0)
        return (unsigned)t->max_concurrent;
    return t->overlap == OVERLAP_ALLOW ? 0 : 1;
}

bool task_is_expected(const Task *t)
{
    return t->expect_every_usec > 0 || t->expect_within_usec > 0;
}

bool task_keeps_directory(const Task *t)
{
    return !t->own_runtime_directory && !t->own_runtime_preserve;
}

const Schedule *task_find_schedule(const Task *t, const char *name)
{
    for (guint i = 0; i < t->schedules->len; i++) {
        const Schedule *s = g_ptr_array_index(t->schedules, i);

        if (g_str_equal(s->name, name))
            return s;
    }
    return NULL;
}
