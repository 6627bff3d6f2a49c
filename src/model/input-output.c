/* What a task wrote to its output file, against what [Output] declares. */
#include <string.h>

#include "model/input-convert.h"
#include "base/utf8.h"
#include "model/json.h"
#include "model/words.h"

/* One name=value line; the value is taken as it stands. */
static void output_read_line(
    const Task *t, const char *line, size_t length, JsonObject *into, GPtrArray *faults)
{
    const InputSpec plain = { .type = INPUT_STRING };
    const InputSpec *s = &plain;
    g_autofree char *name = NULL, *value = NULL, *reason = NULL;
    const char *equals;
    JsonNode *node;

    if (length == 0)
        return;
    equals = memchr(line, '=', length);
    name = g_strstrip(g_strndup(line, equals ? (gsize)(equals - line) : length));
    if (!equals || !input_name_is_valid(name)) {
        input_fault(faults, name, "is not the start of a NAME=VALUE line");
        return;
    }
    if (t->has_output)
        s = input_find(t->outputs, name);
    if (!s) {
        input_fault_unknown(faults, t->outputs, name, "output");
        return;
    }
    if (json_object_has_member(into, name)) {
        input_fault(faults, name, "is given twice");
        return;
    }
    value = g_strndup(equals + 1, length - (gsize)(equals + 1 - line));
    if (input_convert_text(s, value, &node, &reason) < 0) {
        input_fault(faults, name, "%s", reason);
        node = json_node_init_null(json_node_alloc()); /* so that it is not said to be missing as well */
    }
    json_object_set_member(into, name, node);
}

static void output_read_lines(
    const Task *t, const char *text, size_t length, JsonObject *into, GPtrArray *faults)
{
    const char *end = text + length;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;

        output_read_line(t, text, (size_t)(stop - text), into, faults);
        text = stop + 1;
    }
}

static void output_read_member(
    const Task *t, const char *name, JsonNode *value, JsonObject *into, GPtrArray *faults)
{
    const InputSpec *s = input_find(t->outputs, name);
    g_autofree char *reason = NULL;
    JsonNode *node;

    if (!t->has_output) {
        json_object_set_member(into, name, json_node_copy(value));
        return;
    }
    if (!s) {
        input_fault_unknown(faults, t->outputs, name, "output");
        return;
    }
    if (input_convert_json(s, value, &node, &reason) < 0) {
        input_fault(faults, name, "%s", reason);
        node = json_node_init_null(json_node_alloc());
    }
    json_object_set_member(into, name, node);
}

static int output_read_object(
    const Task *t, const char *text, size_t length, JsonObject *into, GPtrArray *faults, Error *error)
{
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *reason = NULL;
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    if (json_read(text, length, &node, &reason) < 0)
        return error_set(error, ERROR_INVALID_INPUT, "the output begins like JSON, and is none: %s", reason);
    json_object_iter_init_ordered(&iter, json_node_get_object(node));
    while (json_object_iter_next_ordered(&iter, &name, &value))
        output_read_member(t, name, value, into, faults);
    return 0;
}

int input_validate_output(
    const Task *t, const char *text, size_t length, size_t limit, char **ret_json, Error *error)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    size_t start = 0;
    int r;

    if (length > limit)
        return error_set(error, ERROR_LIMIT_EXCEEDED,
            "the output has %zu bytes, the limit (OutputMax=) is %zu", length, limit);
    if (length > 0 && memchr(text, 0, length))
        return error_set(error, ERROR_INVALID_INPUT, "the output holds a NUL byte");
    if (length > 0 && !utf8_is_valid_len(text, length, NULL))
        return error_set(error, ERROR_INVALID_INPUT, "the output is not valid UTF-8");
    while (start < length && g_ascii_isspace(text[start]))
        start++;
    if (start < length && text[start] == '{') {
        r = output_read_object(t, text, length, object, faults, error);
        if (r < 0)
            return r;
    } else if (start < length)
        output_read_lines(t, text, length, object, faults);
    for (guint i = 0; i < t->outputs->len; i++) {
        const InputSpec *s = g_ptr_array_index(t->outputs, i);

        if (s->required && !json_object_has_member(object, s->name))
            input_fault(faults, s->name, "is required, and the task did not write it");
    }
    if (faults->len > 0)
        return input_fail(faults, error);
    *ret_json = start < length ? json_write_object(object) : NULL;
    return 0;
}
