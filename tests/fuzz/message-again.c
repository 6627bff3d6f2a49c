/* What a call was read as, written as a call again and read once more. */
#include "message-again.h"

#include <string.h>

#include "api/ask-message.h"
#include "api/signals.h"
#include "message-twin.h"
#include "model/json.h"

static sd_bus *client;

/* --- what is asked for: read at once --- */

/* The whole input, whichever of both ways it came. */
static JsonNode *ask_json(const ManagerAsk *a)
{
    JsonNode *node;

    if (a->json)
        return json_node_copy(a->json);
    node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, a->given.typed);
    return node;
}

static int format_texts(sd_bus_message *m, GHashTable *texts)
{
    GHashTableIter i;
    void *name, *value;
    int r = sd_bus_message_open_container(m, 'a', "{ss}");

    g_hash_table_iter_init(&i, texts);
    while (r >= 0 && g_hash_table_iter_next(&i, &name, &value))
        r = sd_bus_message_append(m, "{ss}", name, value);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int format_bytes(sd_bus_message *m, GBytes *bytes)
{
    size_t n;
    const void *data = g_bytes_get_data(bytes, &n);

    return sd_bus_message_append_array(m, 'y', data ? data : "", n);
}

static int format_files(sd_bus_message *m, GHashTable *files)
{
    GHashTableIter i;
    void *name, *value;
    int r = sd_bus_message_open_container(m, 'a', "{say}");

    g_hash_table_iter_init(&i, files);
    while (r >= 0 && g_hash_table_iter_next(&i, &name, &value)) {
        r = sd_bus_message_open_container(m, 'e', "say");
        if (r >= 0)
            r = sd_bus_message_append_basic(m, 's', name);
        if (r >= 0)
            r = format_bytes(m, value);
        if (r >= 0)
            r = sd_bus_message_close_container(m);
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static void format_open(sd_bus_message *m, const char *key, const char *type)
{
    g_assert(sd_bus_message_open_container(m, 'e', "sv") >= 0);
    g_assert(sd_bus_message_append_basic(m, 's', key) >= 0);
    g_assert(sd_bus_message_open_container(m, 'v', type) >= 0);
}

static void format_close(sd_bus_message *m, int r)
{
    g_assert(r >= 0 && sd_bus_message_close_container(m) >= 0 && sd_bus_message_close_container(m) >= 0);
}

static void format_meta(sd_bus_message *m, const char *json)
{
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(GHashTable) table = g_hash_table_new(g_str_hash, g_str_equal);
    JsonObjectIter i;
    const char *name;
    JsonNode *value;

    g_assert(json_read(json, strlen(json), &node, NULL) >= 0);
    json_object_iter_init(&i, json_node_get_object(node));
    while (json_object_iter_next(&i, &name, &value))
        g_hash_table_insert(table, (char *)name, (char *)json_node_get_string(value));
    format_open(m, "meta", "a{ss}");
    format_close(m, format_texts(m, table));
}

static void format_options(sd_bus_message *m, const ManagerAsk *a)
{
    g_autoptr(JsonNode) node = ask_json(a);
    g_autofree char *json = json_write(node);

    g_assert(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
    g_assert(sd_bus_message_append(m, "{sv}", "at", "t", a->at) >= 0);
    if (a->token)
        g_assert(sd_bus_message_append(m, "{sv}", "token", "s", a->token) >= 0);
    if (a->priority)
        g_assert(sd_bus_message_append(m, "{sv}", "priority", "i", *a->priority) >= 0);
    if (a->meta)
        format_meta(m, a->meta);
    format_open(m, "files", "a{say}");
    format_close(m, format_files(m, a->given.files));
    format_open(m, "texts", "a{ss}");
    format_close(m, format_texts(m, a->given.texts));
    if (a->raw) {
        format_open(m, "raw", "ay");
        format_close(m, format_bytes(m, a->raw));
    } else {
        g_assert(sd_bus_message_append(m, "{sv}", "json", "s", json) >= 0);
    }
    g_assert(sd_bus_message_close_container(m) >= 0);
}

static gboolean same_text(gpointer name, gpointer value, gpointer other)
{
    return g_strcmp0(value, g_hash_table_lookup(other, name)) != 0;
}

static gboolean same_bytes(gpointer name, gpointer value, gpointer other)
{
    GBytes *there = g_hash_table_lookup(other, name);

    return !there || !g_bytes_equal(value, there);
}

static bool same_meta(const char *a, const char *b)
{
    g_autoptr(JsonNode) x = NULL, y = NULL;

    if (!a || !b)
        return a == b;
    g_assert(json_read(a, strlen(a), &x, NULL) >= 0 && json_read(b, strlen(b), &y, NULL) >= 0);
    return json_node_equal(x, y);
}

static void same_ask(const ManagerAsk *a, const ManagerAsk *b)
{
    g_autoptr(JsonNode) x = ask_json(a), y = ask_json(b);

    g_assert(a->raw ? b->raw && g_bytes_equal(a->raw, b->raw) : !b->raw && json_node_equal(x, y));
    g_assert(g_str_equal(a->task, b->task) && g_strcmp0(a->token, b->token) == 0 && a->at == b->at);
    g_assert(a->priority ? b->priority && *a->priority == *b->priority : !b->priority);
    g_assert(same_meta(a->meta, b->meta));
    g_assert(g_hash_table_size(a->given.texts) == g_hash_table_size(b->given.texts));
    g_assert(!g_hash_table_find(a->given.texts, same_text, b->given.texts));
    g_assert(g_hash_table_size(a->given.files) == g_hash_table_size(b->given.files));
    g_assert(!g_hash_table_find(a->given.files, same_bytes, b->given.files));
}

static void on_asked(const ManagerAsk *ask)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    g_autoptr(AskMessage) again = NULL;
    g_auto(Error) error = { 0 };
    ManagerAsk second;

    g_assert(sd_bus_message_new_method_call(client, &m, NULL, "/x", "x.x", "X") >= 0);
    g_assert(sd_bus_message_append(m, "a{sv}", 0) >= 0);
    format_options(m, ask);
    g_assert(sd_bus_message_seal(m, 1, 0) >= 0 && sd_bus_message_rewind(m, 1) >= 0);
    g_assert(ask_message_read(m, ask->task, MESSAGE_TWIN_INPUT_MAX, &again, &error) >= 0);
    g_assert(sd_bus_message_at_end(m, 1) > 0);
    second = ask_message_ask(again);
    same_ask(ask, &second);
}

/* --- lists and options: read by a second call --- */

static struct {
    char *read[2], *meta[2]; /* in words, of the first call and of the second */
    unsigned turn;
    sd_bus_message *again;
} trip;

#define SHOWN(text) ((text) ? (text) : "(none)")

/* Takes text. Whether the second call is to be made of it: one call of a list may be several of the manager's. */
static bool trip_begin(char *text, const char *path, const char *interface, const char *member)
{
    if (trip.read[trip.turn]) {
        g_free(text);
        return false;
    }
    trip.read[trip.turn] = text;
    if (trip.turn == 1)
        return false;
    g_assert(sd_bus_message_new_method_call(client, &trip.again, NULL, path, interface, member) >= 0);
    return true;
}

static void trip_string(const char *key, const char *value)
{
    g_assert(!value || sd_bus_message_append(trip.again, "{sv}", key, "s", value) >= 0);
}

static void trip_number(const char *key, uint64_t value)
{
    g_assert(value == 0 || sd_bus_message_append(trip.again, "{sv}", key, "t", value) >= 0);
}

static bool trip_begin_list(char *text, const char *member)
{
    return trip_begin(text, API_PATH, API_INTERFACE, member) &&
           sd_bus_message_open_container(trip.again, 'a', "{sv}") >= 0;
}

static void trip_end_list(const char *cursor, unsigned limit)
{
    g_assert(sd_bus_message_close_container(trip.again) >= 0);
    g_assert(sd_bus_message_append(trip.again, "su", util_strempty(cursor), limit) >= 0);
}

static void on_listed(const StoreFilter *f)
{
    char *text =
        g_strdup_printf("%s %d %d %" PRIu64 " %" PRIu64 " %s %" PRIu64 " %s %" PRIu64 " %" PRIu64 " %u",
            SHOWN(f->task), f->state, f->result, f->since, f->until, SHOWN(f->requester), f->requester_uid,
            SHOWN(f->requester_number), f->before, f->after, f->limit);
    g_autofree char *cursor = f->before > 0 ? g_strdup_printf("%" PRIu64, f->before) : NULL;

    if (!trip.meta[trip.turn])
        trip.meta[trip.turn] = g_strdup(f->meta);
    if (!trip_begin_list(text, "ListRuns"))
        return;
    trip_string("task", f->task);
    trip_string("state", f->state < 0 ? NULL : run_state_to_string(f->state));
    trip_string("result", f->result < 0 ? NULL : run_result_to_string(f->result));
    trip_number("since", f->since);
    trip_number("until", f->until);
    trip_string("requester", f->requester);
    if (f->meta)
        format_meta(trip.again, f->meta);
    trip_end_list(cursor, f->limit);
}

static void on_slots(const StoreSlotFilter *f)
{
    char *text = g_strdup_printf("%s %s %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %s %s %u", SHOWN(f->task),
        SHOWN(f->schedule), SHOWN(f->outcome), SHOWN(f->cause), f->since, f->until, f->before,
        SHOWN(f->before_task), SHOWN(f->before_schedule), f->limit);
    g_autofree char *cursor =
        f->before > 0 ? g_strdup_printf("%" PRIu64 "/%s/%s", f->before, f->before_task, f->before_schedule)
                      : NULL;

    if (!trip_begin_list(text, "ListSlots"))
        return;
    trip_string("task", f->task);
    trip_string("schedule", f->schedule);
    trip_string("outcome", f->outcome);
    trip_string("cause", f->cause);
    trip_number("since", f->since);
    trip_number("until", f->until);
    trip_end_list(cursor, f->limit);
}

static void on_audited(const StoreAuditFilter *f)
{
    char *text = g_strdup_printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %s %s %d %" PRIu64 " %" PRIu64 " %u",
        f->since, f->until, f->uid, SHOWN(f->user), SHOWN(f->method), f->granted, f->before_at, f->before_id,
        f->limit);
    g_autofree char *number = f->uid != UNSET ? g_strdup_printf("%" PRIu64, f->uid) : NULL;
    g_autofree char *cursor =
        f->before_id > 0 ? g_strdup_printf("%" PRIu64 "-%" PRIu64, f->before_at, f->before_id) : NULL;

    if (!trip_begin_list(text, "ListAudit"))
        return;
    trip_number("since", f->since);
    trip_number("until", f->until);
    trip_string("user", number ? number : f->user);
    trip_string("method", f->method);
    if (f->granted >= 0)
        g_assert(sd_bus_message_append(trip.again, "{sv}", "granted", "b", f->granted) >= 0);
    trip_end_list(cursor, f->limit);
}

static void on_backfill(const ManagerBackfill *b)
{
    char *text =
        g_strdup_printf("%s %s %" PRIu64 " %" PRIu64 " %d", b->task, b->schedule, b->from, b->until, b->dry);

    if (trip_begin(text, API_PATH, API_INTERFACE, "Backfill"))
        g_assert(sd_bus_message_append(trip.again, "sstta{sv}", b->task, b->schedule, b->from, b->until, 1,
                     "dry-run", "b", (int)b->dry) >= 0);
}

static void on_by_hand(const ManagerByHand *b)
{
    char *text = g_strdup_printf("%s %s %" PRIu64 " %d", b->task, b->schedule, b->nominal, b->skip);

    if (trip_begin(text, API_PATH, API_INTERFACE, b->skip ? "SkipSlot" : "UnskipSlot"))
        g_assert(sd_bus_message_append(trip.again, "sst", b->task, b->schedule, b->nominal) >= 0);
}

static void on_log(const ManagerLog *log)
{
    char *text = g_strdup_printf("%d %" PRIu64 " %s", log->follow, log->lines, log->format);

    if (!trip_begin(text, API_PATH "/run/_31", API_NAME ".Run", "OpenLog"))
        return;
    g_assert(sd_bus_message_open_container(trip.again, 'a', "{sv}") >= 0);
    g_assert(sd_bus_message_append(trip.again, "{sv}", "follow", "b", (int)log->follow) >= 0);
    if (log->lines != UNSET)
        g_assert(sd_bus_message_append(trip.again, "{sv}", "lines", "t", log->lines) >= 0);
    trip_string("format", log->format);
    g_assert(sd_bus_message_close_container(trip.again) >= 0);
}

/* ------------------------------------------------------------------------------------------------------ */

void message_again_begin(sd_bus *bus)
{
    client = bus;
    message_twin =
        (MessageTwin){ on_asked, on_listed, on_audited, on_slots, on_backfill, on_by_hand, on_log };
}

sd_bus_message *message_again_call(void)
{
    trip.turn = 1;
    return g_steal_pointer(&trip.again);
}

void message_again_end(void)
{
    g_assert(!trip.read[0] || (trip.read[1] && g_str_equal(trip.read[0], trip.read[1])));
    g_assert(same_meta(trip.meta[0], trip.meta[1]));
    for (unsigned i = 0; i < 2; i++) {
        g_clear_pointer(&trip.read[i], g_free);
        g_clear_pointer(&trip.meta[i], g_free);
    }
    trip.turn = 0;
}
