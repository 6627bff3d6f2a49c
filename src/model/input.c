/* What is asked for, against what [Input] declares: collected into one answer with every fault. */
#include <inttypes.h>
#include <string.h>

#include "base/suggest.h"
#include "model/input-convert.h"
#include "model/json.h"
#include "model/words.h"

/* Faults beyond this many are counted, not told. */
#define INPUT_FAULTS_MAX 100

void input_clear(Input *i)
{
    g_clear_pointer(&i->json, g_free);
    if (i->secrets)
        explicit_bzero(i->secrets, strlen(i->secrets));
    g_clear_pointer(&i->secrets, g_free);
    g_clear_pointer(&i->raw, g_bytes_unref);
}

void input_fault(GPtrArray *faults, const char *name, const char *format, ...)
{
    g_autofree char *message = NULL, *shown = NULL;
    va_list ap;

    if (faults->len > INPUT_FAULTS_MAX)
        return;
    if (faults->len == INPUT_FAULTS_MAX) {
        g_ptr_array_add(faults, g_strdup("there are more faults, which are not shown"));
        return;
    }
    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    if (!input_name_is_valid(name)) {
        shown = words_show(name);
        name = shown;
    }
    g_ptr_array_add(faults, g_strdup_printf("%s: %s", name, message));
}

int input_fail(GPtrArray *faults, Error *error)
{
    g_autofree char *text = NULL;

    g_ptr_array_add(faults, NULL);
    text = g_strjoinv("\n", (char **)faults->pdata);
    return error_set(error, ERROR_INVALID_INPUT, "%s", text);
}

void input_fault_unknown(GPtrArray *faults, const GPtrArray *specs, const char *name, const char *what)
{
    g_autoptr(GPtrArray) names = input_names(specs);
    g_autofree char *hint = faults->len < INPUT_FAULTS_MAX ? suggest_phrase(name, names) : NULL;

    input_fault(faults, name, "the task has no such %s%s", what, util_strempty(hint));
}

static bool input_has(const InputGiven *g, const char *name, unsigned *ret_times)
{
    *ret_times = 0;
    if (g->typed && json_object_has_member(g->typed, name))
        (*ret_times)++;
    if (g->texts && g_hash_table_contains(g->texts, name))
        (*ret_times)++;
    if (g->files && g_hash_table_contains(g->files, name))
        (*ret_times)++;
    return *ret_times > 0;
}

/* The value of one declared input, NULL where there is none (or a fault). */
static JsonNode *input_take(const InputSpec *s, const InputGiven *g, GPtrArray *faults)
{
    g_autofree char *reason = NULL;
    JsonNode *node = NULL;
    unsigned times;
    int r = 0;

    if (!input_has(g, s->name, &times)) {
        if (s->required)
            input_fault(faults, s->name, "is required");
        else if (s->default_text && !input_default_is_expression(s))
            r = input_convert_text(s, s->default_text, &node, &reason);
    } else if (times > 1)
        input_fault(faults, s->name, "is given twice");
    else if (g->files && g_hash_table_contains(g->files, s->name))
        r = input_convert_bytes(s, g_hash_table_lookup(g->files, s->name), &node, &reason);
    else if (g->typed && json_object_has_member(g->typed, s->name))
        r = input_convert_json(s, json_object_get_member(g->typed, s->name), &node, &reason);
    else if (s->secret)
        input_fault(
            faults, s->name, "is a secret, which a command line would show: give it as %s=@FILE", s->name);
    else
        r = input_convert_text(s, g_hash_table_lookup(g->texts, s->name), &node, &reason);
    if (r < 0)
        input_fault(faults, s->name, "%s", reason);
    return node;
}

static gint input_compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

/* Names of a table in a fixed order, so that one input is always one text; g_list_free. */
static GList *input_sorted_names(GHashTable *table)
{
    return table ? g_list_sort(g_hash_table_get_keys(table), input_compare_names) : NULL;
}

static void input_check_names(const Task *t, const InputGiven *g, GPtrArray *faults)
{
    g_autoptr(GList) typed = g->typed ? json_object_get_members(g->typed) : NULL;
    g_autoptr(GList) texts = input_sorted_names(g->texts), files = input_sorted_names(g->files);
    GList *lists[] = { typed, texts, files };

    ARRAY_FOREACH (list, lists)
        for (GList *i = *list; i; i = i->next)
            if (!input_find(t->inputs, i->data))
                input_fault_unknown(faults, t->inputs, i->data, "input");
}

static void input_validate_declared(
    const Task *t, const InputGiven *g, JsonObject *json, JsonObject *secrets, GPtrArray *faults)
{
    for (guint i = 0; i < t->inputs->len; i++) {
        const InputSpec *s = g_ptr_array_index(t->inputs, i);
        JsonNode *node = input_take(s, g, faults);

        if (node)
            json_object_set_member(s->secret ? secrets : json, s->name, node);
    }
    input_check_names(t, g, faults);
}

/* A task without [Input] takes any name; what is no JSON already is a string. */
static void input_validate_free(const InputGiven *g, JsonObject *json, GPtrArray *faults)
{
    g_autoptr(GList) typed = g->typed ? json_object_get_members(g->typed) : NULL;
    g_autoptr(GList) texts = input_sorted_names(g->texts), files = input_sorted_names(g->files);
    const GList *lists[] = { texts, files };

    for (const GList *i = typed; i; i = i->next)
        json_object_set_member(json, i->data, json_node_copy(json_object_get_member(g->typed, i->data)));
    ARRAY_FOREACH (list, lists)
        for (const GList *i = *list; i; i = i->next) {
            const InputSpec s = { .name = i->data, .type = INPUT_STRING };
            g_autofree char *reason = NULL;
            JsonNode *node = NULL;
            int r;

            if (!input_name_is_valid(i->data))
                input_fault(faults, i->data, "is no name of an input");
            else if (json_object_has_member(json, i->data))
                input_fault(faults, i->data, "is given twice");
            else {
                r = *list == texts
                        ? input_convert_text(&s, g_hash_table_lookup(g->texts, i->data), &node, &reason)
                        : input_convert_bytes(&s, g_hash_table_lookup(g->files, i->data), &node, &reason);
                if (r < 0)
                    input_fault(faults, i->data, "%s", reason);
                else
                    json_object_set_member(json, i->data, node);
            }
        }
}

static bool input_given_names(const InputGiven *g)
{
    return (g->typed && json_object_get_size(g->typed) > 0) ||
           (g->texts && g_hash_table_size(g->texts) > 0) || (g->files && g_hash_table_size(g->files) > 0);
}

/* Bytes are one JSON object, or kept as they are. */
static int input_validate_raw(const Task *t, const InputGiven *g, Input *input, Error *error)
{
    g_autoptr(JsonNode) node = NULL;
    const char *data;
    gsize n;

    if (t->has_input)
        return error_set(error, ERROR_INVALID_INPUT,
            "the task has an [Input] section, so its input is names with values, not raw bytes");
    if (input_given_names(g))
        return error_set(error, ERROR_INVALID_INPUT, "raw input and single values exclude each other");
    data = g_bytes_get_data(g->raw, &n);
    if (json_read(data, n, &node, NULL) >= 0 && JSON_NODE_HOLDS_OBJECT(node))
        input->json = json_write(node);
    else {
        input->json = g_strdup("{}");
        input->raw = g_bytes_ref(g->raw);
    }
    return 0;
}

static int input_check_size(const Input *i, size_t limit, Error *error)
{
    size_t size = i->raw ? g_bytes_get_size(i->raw) : strlen(util_strempty(i->json));

    if (i->secrets)
        size += strlen(i->secrets);
    if (size <= limit)
        return 0;
    return error_set(
        error, ERROR_LIMIT_EXCEEDED, "the input has %zu bytes, the limit (InputMax=) is %zu", size, limit);
}

static int input_validate_names(const Task *t, const InputGiven *g, Input *input, Error *error)
{
    g_autoptr(JsonObject) json = json_object_new(), secrets = json_object_new();
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);

    if (t->has_input)
        input_validate_declared(t, g, json, secrets, faults);
    else
        input_validate_free(g, json, faults);
    if (faults->len > 0)
        return input_fail(faults, error);
    input->json = json_write_object(json);
    if (json_object_get_size(secrets) > 0)
        input->secrets = json_write_object(secrets);
    return 0;
}

int input_validate(const Task *t, const InputGiven *given, size_t limit, Input *ret, Error *error)
{
    _cleanup_(input_clear) Input input = { 0 };
    int r;

    r = given->raw ? input_validate_raw(t, given, &input, error)
                   : input_validate_names(t, given, &input, error);
    if (r < 0)
        return r;
    r = input_check_size(&input, limit, error);
    if (r < 0)
        return r;
    *ret = input;
    input = (Input){ 0 };
    return 0;
}

static int input_read_stored(const char *text, JsonObject *into, Error *error)
{
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *reason = NULL;
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    if (json_read(text, strlen(text), &node, &reason) < 0 || !JSON_NODE_HOLDS_OBJECT(node))
        return error_set(
            error, ERROR_INVALID_INPUT, "the stored input is no JSON object: %s", util_strempty(reason));
    json_object_iter_init_ordered(&iter, json_node_get_object(node));
    while (json_object_iter_next_ordered(&iter, &name, &value))
        json_object_set_member(into, name, json_node_copy(value));
    return 0;
}

/* A file's content goes beside, its path takes its place. */
static void input_resolve_file(
    const InputSpec *s, const char *directory, JsonObject *object, GHashTable *files)
{
    JsonNode *node = json_object_get_member(object, s->name);
    g_autofree char *path = NULL;
    guchar *bytes;
    gsize n;

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
        return;
    bytes = g_base64_decode(json_node_get_string(node), &n);
    g_hash_table_insert(files, g_strdup(s->name), g_bytes_new_take(bytes, n));
    path = g_strdup_printf("%s/input.%s", directory, s->name);
    json_object_set_string_member(object, s->name, path);
}

int input_resolve(const Task *t, const Input *input, uint64_t now, const char *credentials_directory,
    char **ret_json, GHashTable **ret_files, Error *error)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(GHashTable) files =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    int r;

    r = input_read_stored(input->json ? input->json : "{}", object, error);
    if (r >= 0 && input->secrets)
        r = input_read_stored(input->secrets, object, error);
    if (r < 0)
        return r;
    for (guint i = 0; i < t->inputs->len; i++) {
        const InputSpec *s = g_ptr_array_index(t->inputs, i);
        g_autofree char *reason = NULL;
        JsonNode *node;

        if (s->type == INPUT_FILE)
            input_resolve_file(s, credentials_directory, object, files);
        else if (!json_object_has_member(object, s->name) && input_default_is_expression(s)) {
            if (input_eval_default(s, now, &node, &reason) < 0)
                input_fault(faults, s->name, "default: %s", reason);
            else
                json_object_set_member(object, s->name, node);
        }
    }
    if (faults->len > 0)
        return input_fail(faults, error);
    *ret_json = json_write_object(object);
    *ret_files = g_steal_pointer(&files);
    return 0;
}
