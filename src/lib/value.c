/* From D-Bus containers to json-glib, by the type that the message itself carries. */
#include "lib/value.h"

#include <string.h>

#include "model/json.h"
#include "model/timespec.h"

static const char *const time_keys[] = { "Nominal", "Asked", "Due", "Claimed", "Started", "Finished", "Next",
    "Last", "At", "First", "LastSeen", "PausedUntil", "Deadline", "Skipped", "Expected", "LastSuccess",
    NULL };
static const char *const json_keys[] = { "Input", "Output", "Inputs", NULL };

static int value_read(sd_bus_message *m, const char *key, JsonNode **ret);

bool value_is_time(const char *key)
{
    return key && g_strv_contains(time_keys, key);
}

static JsonNode *value_from_text(const char *key, const char *text)
{
    JsonNode *node = NULL;

    if (!*text)
        return NULL;
    if (key && g_strv_contains(json_keys, key)) {
        g_autofree char *reason = NULL;

        if (json_read(text, strlen(text), &node, &reason) >= 0)
            return node;
    }
    return json_node_init_string(json_node_alloc(), text);
}

/* Numbers beyond what JSON readers hold as an integer mean "not known" here. */
static JsonNode *value_from_unsigned(const char *key, uint64_t number)
{
    if (number > INT64_MAX)
        return NULL;
    if (value_is_time(key)) {
        g_autofree char *text = timespec_format_instant(number);

        return json_node_init_string(json_node_alloc(), text);
    }
    return json_node_init_int(json_node_alloc(), (gint64)number);
}

static int value_read_basic(sd_bus_message *m, char type, const char *key, JsonNode **ret)
{
    union {
        const char *s;
        int b;
        uint8_t y;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
    } v = { 0 };
    int r = sd_bus_message_read_basic(m, type, &v);

    if (r < 0)
        return r;
    switch (type) {
    case 's':
    case 'o':
    case 'g':
        *ret = value_from_text(key, v.s);
        return 0;
    case 'b':
        *ret = json_node_init_boolean(json_node_alloc(), v.b);
        return 0;
    case 'd':
        *ret = json_node_init_double(json_node_alloc(), v.d);
        return 0;
    case 't':
        *ret = value_from_unsigned(key, v.t);
        return 0;
    case 'y':
        *ret = json_node_init_int(json_node_alloc(), v.y);
        return 0;
    case 'n':
        *ret = json_node_init_int(json_node_alloc(), v.n);
        return 0;
    case 'q':
        *ret = json_node_init_int(json_node_alloc(), v.q);
        return 0;
    case 'i':
        *ret = json_node_init_int(json_node_alloc(), v.i);
        return 0;
    case 'u':
        *ret = json_node_init_int(json_node_alloc(), v.u);
        return 0;
    case 'x':
        *ret = json_node_init_int(json_node_alloc(), v.x);
        return 0;
    }
    return -EBADMSG;
}

/* contents: of one member, "sv" or "ss". */
static int value_read_members(sd_bus_message *m, const char *contents, JsonObject *object)
{
    int r;

    while ((r = sd_bus_message_enter_container(m, 'e', contents)) > 0) {
        JsonNode *node = NULL;
        const char *key;

        r = sd_bus_message_read_basic(m, 's', &key);
        if (r >= 0)
            r = value_read(m, key, &node);
        if (r >= 0 && node)
            json_object_set_member(object, key, node);
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
        if (r < 0)
            return r;
    }
    return r;
}

/* key: of the array. */
static int value_read_elements(sd_bus_message *m, const char *key, JsonArray *array)
{
    int r;

    while ((r = sd_bus_message_at_end(m, false)) == 0) {
        JsonNode *node = NULL;

        r = value_read(m, key, &node);
        if (r < 0)
            return r;
        json_array_add_element(array, node ? node : json_node_init_null(json_node_alloc()));
    }
    return r;
}

static int value_read_container(
    sd_bus_message *m, char type, const char *contents, const char *key, JsonNode **ret)
{
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *member = NULL;
    int r = sd_bus_message_enter_container(m, type, contents);

    if (r < 0)
        return r;
    if (type == 'v') {
        r = value_read(m, key, &node);
    } else if (contents[0] == '{') {
        node = json_node_init_object(json_node_alloc(), NULL);
        json_node_take_object(node, json_object_new());
        member = g_strndup(contents + 1, strlen(contents) - 2); /* without the braces */
        r = value_read_members(m, member, json_node_get_object(node));
    } else {
        node = json_node_init_array(json_node_alloc(), NULL);
        json_node_take_array(node, json_array_new());
        r = value_read_elements(m, key, json_node_get_array(node));
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&node);
    return 0;
}

/* *ret stays NULL where the value says "absent". */
static int value_read(sd_bus_message *m, const char *key, JsonNode **ret)
{
    const char *contents;
    char type;
    int r = sd_bus_message_peek_type(m, &type, &contents);

    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    if (type == 'a' || type == 'v' || type == 'r')
        return value_read_container(m, type, contents, key, ret);
    return value_read_basic(m, type, key, ret);
}

int value_read_object(sd_bus_message *m, JsonObject **ret)
{
    g_autoptr(JsonNode) node = NULL;
    int r = value_read(m, NULL, &node);

    if (r < 0)
        return r;
    if (!node || !JSON_NODE_HOLDS_OBJECT(node))
        return -EBADMSG;
    *ret = json_node_dup_object(node);
    return 0;
}

int value_read_array(sd_bus_message *m, JsonArray **ret)
{
    g_autoptr(JsonNode) node = NULL;
    int r = value_read(m, NULL, &node);

    if (r < 0)
        return r;
    if (!node || !JSON_NODE_HOLDS_ARRAY(node))
        return -EBADMSG;
    *ret = json_node_dup_array(node);
    return 0;
}
