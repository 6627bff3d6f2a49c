/* show: everything the daemon knows of one thing, as key=value lines or JSON. */
#include "ctl/show.h"

#include <stdio.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/text.h"

int show_get(Client *c, const char *word, JsonObject **ret, ShowKind *ret_kind, ClientError *e)
{
    g_auto(GStrv) parts = g_strsplit(word, "/", 2);
    ShowKind kind;
    uint64_t run;
    int r;

    if (args_is_run(word, &run)) {
        kind = SHOW_RUN;
        r = client_call_object(c, e, ret, "GetRun", "t", run);
    } else if (g_str_has_prefix(word, SHOW_NODE_PREFIX)) {
        kind = SHOW_NODE;
        r = client_call_object(c, e, ret, "GetNode", "s", word + strlen(SHOW_NODE_PREFIX));
    } else if (g_str_has_prefix(word, SHOW_CALENDAR_PREFIX)) {
        kind = SHOW_CALENDAR;
        r = client_call_object(c, e, ret, "GetCalendar", "s", word + strlen(SHOW_CALENDAR_PREFIX));
    } else if (parts[0] && parts[1]) {
        kind = SHOW_SCHEDULE;
        r = client_call_object(c, e, ret, "GetSchedule", "ss", parts[0], parts[1]);
    } else {
        kind = SHOW_TASK;
        r = client_call_object(c, e, ret, "GetTask", "s", word);
    }
    if (r >= 0 && ret_kind)
        *ret_kind = kind;
    return r;
}

/* -p may be repeated and hold several, divided by commas. NULL: all are wanted. */
static GHashTable *show_wanted(const Ctl *ctl)
{
    const GPtrArray *given = args_all(&ctl->args, "property");
    GHashTable *wanted;

    if (!given)
        return NULL;
    wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < given->len; i++) {
        g_auto(GStrv) keys = g_strsplit(g_ptr_array_index(given, i), ",", -1);

        for (char **key = keys; *key; key++)
            g_hash_table_add(wanted, g_strdup(*key));
    }
    return wanted;
}

static void show_print(Ctl *ctl, JsonObject *o)
{
    g_autoptr(GList) keys = json_object_get_members(o);
    g_autoptr(GHashTable) wanted = show_wanted(ctl);

    for (GList *l = keys; l; l = l->next) {
        g_autofree char *value = NULL;

        if (wanted && !g_hash_table_contains(wanted, l->data)) {
            json_object_remove_member(o, l->data);
        } else if (ctl->json == CTL_JSON_OFF) {
            value = text_value(o, l->data);
            printf("%s=%s\n", (const char *)l->data, util_strempty(value));
        }
    }
}

static int show_manager(Ctl *ctl)
{
    g_autoptr(JsonObject) o = NULL;
    g_auto(ClientError) error = { 0 };

    if (client_manager(ctl->client, &error, &o) < 0)
        return output_fail(ctl, &error);
    show_print(ctl, o);
    if (ctl->json != CTL_JSON_OFF)
        output_json_object(ctl, o);
    return EXITS_OK;
}

int show_verb(Ctl *ctl)
{
    bool list = ctl->args.words->len > 1 && ctl->json != CTL_JSON_OFF;
    int code = EXITS_OK;

    if (ctl->args.words->len == 0)
        return show_manager(ctl);
    if (list)
        output_list_begin(ctl);
    for (guint i = 0; i < ctl->args.words->len; i++) {
        g_autoptr(JsonObject) o = NULL;
        g_auto(ClientError) error = { 0 };

        if (show_get(ctl->client, ctl_word(ctl, i), &o, NULL, &error) < 0) {
            int failed = output_fail(ctl, &error);

            code = code == EXITS_OK ? failed : code;
            continue;
        }
        if (i > 0 && ctl->json == CTL_JSON_OFF)
            fputc('\n', stdout);
        show_print(ctl, o);
        if (list) {
            g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), o);

            output_list_add(ctl, node);
        } else if (ctl->json != CTL_JSON_OFF) {
            output_json_object(ctl, o);
        }
    }
    if (list)
        output_list_end(ctl);
    return code;
}
