/* D-Bus dictionaries by tables, and strings that are always fit to be sent. */
#include "api/message.h"

#include "base/utf8.h"
#include "model/json.h"
#include "model/words.h"

/* More no run has. */
#define METADATA_MAX (64 * 1024)

int message_read_failed(int r, Error *error)
{
    /* What sd-bus says of a message that is not what its signature promises. */
    if (r == -EBADMSG || r == -ENXIO || r == -EINVAL || r == -EBUSY)
        return error_set(error, ERROR_INVALID_ARGUMENT, "The message is malformed.");
    return r;
}

int message_refuse(Error *error, ErrorCode code, const char *before, const char *text, const char *after)
{
    g_autofree char *shown = words_quote(text, '"');

    return error_set(error, code, "%s%s%s", before, shown, after);
}

static int message_refuse_key(
    const char *key, const char *what, const MessageEntry *entries, size_t n, Error *error)
{
    g_autofree char *before = g_strdup_printf("Unknown %s ", what);
    g_autoptr(GString) known = g_string_new(NULL);
    int r = message_refuse(error, ERROR_INVALID_ARGUMENT, before, key, ".");

    for (size_t i = 0; i < n; i++)
        g_string_append_printf(known, "%s%s", i > 0 ? ", " : "", entries[i].key);
    error_set_hint(error, "%s%s.", n > 0 ? "Known are: " : "None is known", known->str);
    return r;
}

static int message_read_entry(
    sd_bus_message *m, const MessageEntry *e, const char *what, void *into, Error *error)
{
    const char *contents;
    char type;
    int r = sd_bus_message_peek_type(m, &type, &contents);

    if (r < 0)
        return message_read_failed(r, error);
    if (g_strcmp0(contents, e->type) != 0)
        return error_set(error, ERROR_INVALID_ARGUMENT, "The %s \"%s\" must have the type %s, not %s.", what,
            e->key, e->type, util_strempty(contents));
    r = sd_bus_message_enter_container(m, 'v', e->type);
    if (r >= 0)
        r = e->read(m, (char *)into + e->offset, error);
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    return message_read_failed(r, error);
}

static const MessageEntry *message_find(const MessageEntry *entries, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (g_str_equal(entries[i].key, key))
            return &entries[i];
    return NULL;
}

static int message_read_pair(sd_bus_message *m, const MessageEntry *entries, size_t n, const char *what,
    uint32_t *seen, void *into, Error *error)
{
    const MessageEntry *e;
    const char *key;
    int r = sd_bus_message_read(m, "s", &key);

    if (r < 0)
        return message_read_failed(r, error);
    e = message_find(entries, n, key);
    if (!e)
        return message_refuse_key(key, what, entries, n, error);
    if (*seen & (1U << (e - entries)))
        return error_set(error, ERROR_INVALID_ARGUMENT, "The %s \"%s\" is given twice.", what, key);
    *seen |= 1U << (e - entries);
    return message_read_entry(m, e, what, into, error);
}

int message_read_dict(
    sd_bus_message *m, const MessageEntry *entries, size_t n, const char *what, void *into, Error *error)
{
    uint32_t seen = 0;
    int r = sd_bus_message_enter_container(m, 'a', "{sv}");

    g_assert(n <= 32);
    if (r < 0)
        return message_read_failed(r, error);
    while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        r = message_read_pair(m, entries, n, what, &seen, into, error);
        if (r < 0)
            return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
            break;
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    return message_read_failed(r, error);
}

int message_read_strings(sd_bus_message *m, GHashTable **ret, Error *error)
{
    g_autoptr(GHashTable) table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const char *key, *value;
    int r = sd_bus_message_enter_container(m, 'a', "{ss}");

    if (r < 0)
        return message_read_failed(r, error);
    while ((r = sd_bus_message_read(m, "{ss}", &key, &value)) > 0)
        if (!g_hash_table_insert(table, g_strdup(key), g_strdup(value)))
            return message_refuse(error, ERROR_INVALID_ARGUMENT, "", key, " is given twice.");
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    if (r < 0)
        return message_read_failed(r, error);
    *ret = g_steal_pointer(&table);
    return 0;
}

int message_entry_string(sd_bus_message *m, void *into, Error *error)
{
    const char *text;
    int r = sd_bus_message_read(m, "s", &text);

    if (r >= 0)
        *(char **)into = g_strdup(text);
    return r;
}

int message_entry_time(sd_bus_message *m, void *into, Error *error)
{
    uint64_t *usec = into;
    int r = sd_bus_message_read(m, "t", usec);

    if (r >= 0 && *usec > INT64_MAX)
        return error_set(error, ERROR_INVALID_ARGUMENT, "The time is out of range.");
    return r;
}

int message_entry_bool(sd_bus_message *m, void *into, Error *error)
{
    return sd_bus_message_read(m, "b", into);
}

int message_entry_metadata(sd_bus_message *m, void *into, Error *error)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(GHashTable) strings = NULL;
    g_autofree char *text = NULL;
    GHashTableIter iter;
    void *key, *value;
    int r = message_read_strings(m, &strings, error);

    if (r < 0 || g_hash_table_size(strings) == 0)
        return r;
    g_hash_table_iter_init(&iter, strings);
    while (g_hash_table_iter_next(&iter, &key, &value))
        json_object_set_string_member(object, key, value);
    text = json_write_object(object);
    if (strlen(text) > METADATA_MAX)
        return error_set(error, ERROR_LIMIT_EXCEEDED, "The metadata is larger than %d bytes.", METADATA_MAX);
    *(char **)into = g_steal_pointer(&text);
    return 0;
}

int message_read_page(
    sd_bus_message *m, unsigned max, const char **ret_cursor, unsigned *ret_limit, Error *error)
{
    uint32_t limit;
    int r = sd_bus_message_read(m, "su", ret_cursor, &limit);

    if (r < 0)
        return message_read_failed(r, error);
    *ret_limit = limit == 0 || limit > max ? max : limit;
    return 0;
}

const char *message_valid(const char *text, char **buffer)
{
    if (!text)
        return "";
    if (utf8_is_valid(text))
        return text;
    *buffer = utf8_make_valid(text);
    return *buffer;
}

int message_put_string(sd_bus_message *m, const char *key, const char *value)
{
    g_autofree char *buffer = NULL;

    return sd_bus_message_append(m, "{sv}", key, "s", message_valid(value, &buffer));
}

int message_put_number(sd_bus_message *m, const char *key, uint64_t value)
{
    return sd_bus_message_append(m, "{sv}", key, "t", value);
}

static int message_append_members(sd_bus_message *m, JsonObject *object)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;
    int r = 0;

    if (!object)
        return 0;
    json_object_iter_init_ordered(&iter, object);
    while (r >= 0 && json_object_iter_next_ordered(&iter, &name, &node)) {
        g_autofree char *key = NULL, *value = NULL;

        if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
            r = sd_bus_message_append(
                m, "{ss}", message_valid(name, &key), message_valid(json_node_get_string(node), &value));
    }
    return r;
}

int message_append_strings(sd_bus_message *m, const char *json)
{
    g_autoptr(JsonNode) node = NULL;
    JsonObject *object = NULL;
    int r;

    if (json && json_read(json, strlen(json), &node, NULL) >= 0 && JSON_NODE_HOLDS_OBJECT(node))
        object = json_node_get_object(node);
    r = sd_bus_message_open_container(m, 'a', "{ss}");
    if (r >= 0)
        r = message_append_members(m, object);
    return r < 0 ? r : sd_bus_message_close_container(m);
}
