/* RunTask's arguments, strictly: every value keeps its exact number and type, or is refused by name. */
#include "api/ask-message.h"

#include <math.h>

#include "api/memory-file.h"
#include "api/message.h"
#include "model/json.h"

#define TOKEN_MAX    128
#define PRIORITY_MAX 1000

struct AskMessage {
    char *task;
    JsonObject *typed;
    GHashTable *texts, *files;
    JsonNode *json;
    GBytes *raw;
    char *token;
    uint64_t at;
    int priority;
    bool has_priority;
    char *meta;
    size_t input_max;
};

/* --- values of the input --- */

static int ask_add_integer(AskMessage *a, sd_bus_message *m, const char *name, char type)
{
    union {
        uint8_t y;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
    } v;
    int64_t value;
    int r = sd_bus_message_read_basic(m, type, &v);

    if (r < 0)
        return r;
    switch (type) {
    case 'y':
        value = v.y;
        break;
    case 'n':
        value = v.n;
        break;
    case 'q':
        value = v.q;
        break;
    case 'i':
        value = v.i;
        break;
    case 'u':
        value = v.u;
        break;
    case 'x':
        value = v.x;
        break;
    default:
        if (v.t > INT64_MAX)
            return -ERANGE;
        value = (int64_t)v.t;
    }
    json_object_set_int_member(a->typed, name, value);
    return 0;
}

static int ask_add_double(AskMessage *a, sd_bus_message *m, const char *name, char type)
{
    double value;
    int r = sd_bus_message_read_basic(m, type, &value);

    if (r < 0)
        return r;
    if (!isfinite(value))
        return -ERANGE;
    json_object_set_double_member(a->typed, name, value);
    return 0;
}

static int ask_add_bool(AskMessage *a, sd_bus_message *m, const char *name, char type)
{
    int value;
    int r = sd_bus_message_read_basic(m, type, &value);

    if (r >= 0)
        json_object_set_boolean_member(a->typed, name, value != 0);
    return r;
}

static int ask_add_string(AskMessage *a, sd_bus_message *m, const char *name, char type)
{
    const char *value;
    int r = sd_bus_message_read_basic(m, type, &value);

    if (r >= 0)
        json_object_set_string_member(a->typed, name, value);
    return r;
}

static int ask_read_bytes(sd_bus_message *m, GBytes **ret)
{
    const void *data;
    size_t size;
    int r = sd_bus_message_read_array(m, 'y', &data, &size);

    if (r >= 0)
        *ret = g_bytes_new(data, size);
    return r;
}

static int ask_add_file(AskMessage *a, sd_bus_message *m, const char *name, char type)
{
    GBytes *content;
    int r = ask_read_bytes(m, &content);

    if (r >= 0)
        g_hash_table_insert(a->files, g_strdup(name), content);
    return r;
}

static const struct {
    const char *contents;
    int (*add)(AskMessage *a, sd_bus_message *m, const char *name, char type);
} input_types[] = {
    { "s", ask_add_string },
    { "b", ask_add_bool },
    { "y", ask_add_integer },
    { "n", ask_add_integer },
    { "q", ask_add_integer },
    { "i", ask_add_integer },
    { "u", ask_add_integer },
    { "x", ask_add_integer },
    { "t", ask_add_integer },
    { "d", ask_add_double },
    { "ay", ask_add_file },
};

/* A name may come in one way and once. */
static int ask_check_name(const AskMessage *a, const char *name, Error *error)
{
    if (json_object_has_member(a->typed, name) || g_hash_table_contains(a->texts, name) ||
        g_hash_table_contains(a->files, name))
        return message_refuse(error, ERROR_INVALID_INPUT, "", name, " is given twice.");
    return 0;
}

static int ask_read_value(AskMessage *a, sd_bus_message *m, const char *name, Error *error)
{
    g_autofree char *after = NULL;
    const char *contents;
    char type;
    int r = sd_bus_message_peek_type(m, &type, &contents);

    if (r < 0)
        return r;
    ARRAY_FOREACH (t, input_types) {
        if (!g_str_equal(t->contents, contents))
            continue;
        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r >= 0)
            r = t->add(a, m, name, contents[0]);
        if (r == -ERANGE)
            return message_refuse(error, ERROR_INVALID_INPUT, "", name, ": the number is out of range.");
        return r < 0 ? r : sd_bus_message_exit_container(m);
    }
    after = g_strdup_printf(": a value of D-Bus type %s is not taken.", contents);
    return message_refuse(error, ERROR_INVALID_INPUT, "", name, after);
}

static int ask_read_input(AskMessage *a, sd_bus_message *m, Error *error)
{
    const char *name;
    int r = sd_bus_message_enter_container(m, 'a', "{sv}");

    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        r = sd_bus_message_read(m, "s", &name);
        if (r >= 0)
            r = ask_check_name(a, name, error);
        if (r >= 0)
            r = ask_read_value(a, m, name, error);
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    return message_read_failed(r, error);
}

/* --- options --- */

static int ask_read_token(sd_bus_message *m, void *userdata, Error *error)
{
    AskMessage *a = userdata;
    const char *token;
    int r = sd_bus_message_read(m, "s", &token);

    if (r < 0)
        return r;
    if (!*token || strlen(token) > TOKEN_MAX)
        return error_set(error, ERROR_INVALID_ARGUMENT, "A token has 1 to %d bytes.", TOKEN_MAX);
    a->token = g_strdup(token);
    return 0;
}

static int ask_read_priority(sd_bus_message *m, void *userdata, Error *error)
{
    AskMessage *a = userdata;
    int r = sd_bus_message_read(m, "i", &a->priority);

    if (r >= 0 && (a->priority < -PRIORITY_MAX || a->priority > PRIORITY_MAX))
        return error_set(
            error, ERROR_INVALID_ARGUMENT, "A priority is between %d and %d.", -PRIORITY_MAX, PRIORITY_MAX);
    a->has_priority = true;
    return r;
}

static int ask_read_texts(sd_bus_message *m, void *userdata, Error *error)
{
    g_autoptr(GHashTable) texts = NULL;
    AskMessage *a = userdata;
    GHashTableIter iter;
    void *key, *value;
    int r = message_read_strings(m, &texts, error);

    if (r < 0)
        return r;
    g_hash_table_iter_init(&iter, texts);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        r = ask_check_name(a, key, error);
        if (r < 0)
            return r;
        g_hash_table_insert(a->texts, g_strdup(key), g_strdup(value));
    }
    return 0;
}

static int ask_read_files(sd_bus_message *m, void *userdata, Error *error)
{
    AskMessage *a = userdata;
    const char *name;
    int r = sd_bus_message_enter_container(m, 'a', "{say}");

    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "say")) > 0) {
        r = sd_bus_message_read(m, "s", &name);
        if (r >= 0)
            r = ask_check_name(a, name, error);
        if (r >= 0)
            r = ask_add_file(a, m, name, 'a');
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int ask_take_json(AskMessage *a, const char *text, size_t size, Error *error)
{
    g_autofree char *reason = NULL;

    if (a->json)
        return error_set(error, ERROR_INVALID_ARGUMENT, "The input is given as JSON twice.");
    if (json_read(text, size, &a->json, &reason) < 0)
        return error_set(error, ERROR_INVALID_INPUT, "The input is not JSON: %s", util_strempty(reason));
    return 0;
}

static int ask_read_json(sd_bus_message *m, void *userdata, Error *error)
{
    const char *text;
    int r = sd_bus_message_read(m, "s", &text);

    return r < 0 ? r : ask_take_json(userdata, text, strlen(text), error);
}

static int ask_read_input_fd(sd_bus_message *m, void *userdata, Error *error)
{
    g_autoptr(GBytes) content = NULL;
    AskMessage *a = userdata;
    const char *text;
    size_t size;
    int fd; /* the message's */
    int r = sd_bus_message_read(m, "h", &fd);

    if (r >= 0)
        r = memory_file_read(fd, a->input_max, &content, error);
    if (r < 0)
        return r;
    text = g_bytes_get_data(content, &size);
    return ask_take_json(a, size > 0 ? text : "", size, error);
}

static int ask_read_raw(sd_bus_message *m, void *userdata, Error *error)
{
    AskMessage *a = userdata;

    return ask_read_bytes(m, &a->raw);
}

static const MessageEntry options[] = {
    { "token", "s", ask_read_token, 0 },
    { "at", "t", message_entry_time, offsetof(AskMessage, at) },
    { "priority", "i", ask_read_priority, 0 },
    { "meta", "a{ss}", message_entry_metadata, offsetof(AskMessage, meta) },
    { "texts", "a{ss}", ask_read_texts, 0 },
    { "files", "a{say}", ask_read_files, 0 },
    { "json", "s", ask_read_json, 0 },
    { "raw", "ay", ask_read_raw, 0 },
    { "input-fd", "h", ask_read_input_fd, 0 },
};

static bool ask_has_values(const AskMessage *a)
{
    return json_object_get_size(a->typed) > 0 || g_hash_table_size(a->texts) > 0 ||
           g_hash_table_size(a->files) > 0;
}

/* A whole input and single values go together only where the whole is an object: then both are its members.
 */
static int ask_combine(AskMessage *a, Error *error)
{
    g_autoptr(JsonObject) object = NULL;
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;
    int r;

    if (a->json && a->raw)
        return error_set(error, ERROR_INVALID_ARGUMENT, "The input is given as JSON and as bytes.");
    if (!ask_has_values(a) || (!a->json && !a->raw))
        return 0;
    if (a->raw || !JSON_NODE_HOLDS_OBJECT(a->json))
        return error_set(error, ERROR_INVALID_ARGUMENT,
            "Single values can be added to an input that is a JSON object only.");
    object = json_object_ref(json_node_get_object(a->json));
    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &name, &node)) {
        r = ask_check_name(a, name, error);
        if (r < 0)
            return r;
        json_object_set_member(a->typed, name, json_node_copy(node));
    }
    g_clear_pointer(&a->json, json_node_unref);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ */

int ask_message_read(sd_bus_message *m, const char *task, size_t input_max, AskMessage **ret, Error *error)
{
    g_autoptr(AskMessage) a = g_new0(AskMessage, 1);
    int r;

    a->typed = json_object_new();
    a->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    a->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    a->task = g_strdup(task);
    a->input_max = input_max;
    r = ask_read_input(a, m, error);
    if (r >= 0)
        r = message_read_dict(m, options, G_N_ELEMENTS(options), "option", a, error);
    if (r >= 0)
        r = ask_combine(a, error);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&a);
    return 0;
}

void ask_message_free(AskMessage *a)
{
    if (!a)
        return;
    json_object_unref(a->typed);
    g_hash_table_unref(a->texts);
    g_hash_table_unref(a->files);
    g_clear_pointer(&a->json, json_node_unref);
    g_clear_pointer(&a->raw, g_bytes_unref);
    g_free(a->task);
    g_free(a->token);
    g_free(a->meta);
    g_free(a);
}

ManagerAsk ask_message_ask(const AskMessage *a)
{
    return (ManagerAsk){
        .task = a->task,
        .given = { .typed = a->typed, .texts = a->texts, .files = a->files },
        .json = a->json,
        .raw = a->raw,
        .token = a->token,
        .at = a->at,
        .priority = a->has_priority ? &a->priority : NULL,
        .meta = a->meta,
    };
}
