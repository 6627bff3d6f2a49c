/* next: what is to fire, of what is defined or would be. */
#include <stdio.h>

#include "ctl/list.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/i18n.h"
#include "lib/value.h"

#define SLOTS_MAX 1000
#define SLOTS     20 /* where neither count nor end is given */

typedef struct Next {
    char *task; /* NULL: all */
    const char *schedule;
    const GPtrArray *expressions; /* of char*, NULL: none */
    uint64_t after, until;
    int64_t count;
} Next;

static const TableColumn columns[] = {
    { N_("NEXT"), false, 0 },
    { N_("LEFT"), false, 0 },
    { N_("TASK"), false, 1 },
    { N_("SCHEDULE"), false, 1 },
    { N_("NOTE"), false, 2 },
};
/* An expression has no name. */
static const TableColumn expression_columns[] = {
    { N_("NEXT"), false, 0 },
    { N_("LEFT"), false, 0 },
    { N_("NOTE"), false, 1 },
};

static void next_clear(Next *n)
{
    g_free(n->task);
}

static int next_options(Ctl *ctl, Next *n)
{
    const char *count = args_get(&ctl->args, "count");
    int code;

    n->task = list_object(ctl_word(ctl, 0), &n->schedule);
    n->expressions = args_all(&ctl->args, "expression");
    if (n->task && n->expressions)
        return output_usage(ctl, _("Either a task or --expression is wanted, not both"));
    code = list_instant(ctl, "after", &n->after);
    if (code == EXITS_OK)
        code = list_instant(ctl, "until", &n->until);
    if (code != EXITS_OK)
        return code;
    n->count = n->until == UNSET ? SLOTS : SLOTS_MAX;
    if (count && args_number(count, 1, SLOTS_MAX, &n->count) < 0)
        return output_usage(ctl, _("--count: \"%s\" is no number from 1 to %d"), count, SLOTS_MAX);
    return EXITS_OK;
}

static int next_append_expressions(sd_bus_message *m, const GPtrArray *expressions)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    int r;

    for (guint i = 0; i < expressions->len; i++)
        g_ptr_array_add(words, g_ptr_array_index(expressions, i));
    g_ptr_array_add(words, NULL);
    r = sd_bus_message_open_container(m, 'e', "sv");
    if (r >= 0)
        r = sd_bus_message_append(m, "s", "expressions");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', "as");
    if (r >= 0)
        r = sd_bus_message_append_strv(m, (char **)words->pdata);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int next_append(sd_bus_message *m, const Next *n)
{
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    if (r >= 0 && n->task)
        r = sd_bus_message_append(m, "{sv}", "task", "s", n->task);
    if (r >= 0 && n->schedule)
        r = sd_bus_message_append(m, "{sv}", "schedule", "s", n->schedule);
    /* The slot at that very moment is no later one. */
    if (r >= 0 && n->after != UNSET)
        r = sd_bus_message_append(m, "{sv}", "since", "t", n->after + 1);
    if (r >= 0 && n->until != UNSET)
        r = sd_bus_message_append(m, "{sv}", "until", "t", n->until);
    if (r >= 0 && n->expressions)
        r = next_append_expressions(m, n->expressions);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_append(m, "u", (uint32_t)n->count);
}

static int next_call(Ctl *ctl, const Next *n, JsonArray **ret, ClientError *e)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
    int r = client_message(ctl->client, "ListNext", &m, e);

    if (r < 0)
        return r;
    r = next_append(m, n);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    r = client_send(ctl->client, m, &reply, e);
    if (r < 0)
        return r;
    r = value_read_array(reply, ret);
    return r < 0 ? client_error_from_bus(e, NULL, r) : 0;
}

static void next_add(Ctl *ctl, const Next *n, Table *t, JsonObject *o)
{
    uint64_t when = text_instant(o, "Next"); /* UNSET: the note says what has to happen first */

    table_add(t, text_time(when), TABLE_PLAIN);
    table_add(t, text_relative(when, (uint64_t)g_get_real_time()), TABLE_PLAIN);
    if (!n->expressions) {
        table_add(t, g_strdup(text_member(o, "Task")), TABLE_PLAIN);
        table_add(t, g_strdup(text_member(o, "Schedule")), TABLE_PLAIN);
    }
    table_add(t, g_strdup(text_member(o, "Note")), TABLE_YELLOW);
}

static void next_print(Ctl *ctl, const Next *n, JsonArray *slots)
{
    g_autoptr(Table) table = n->expressions ? table_new(expression_columns, G_N_ELEMENTS(expression_columns))
                                            : table_new(columns, G_N_ELEMENTS(columns));

    if (ctl->json != CTL_JSON_OFF)
        output_list_begin(ctl);
    for (guint i = 0; i < json_array_get_length(slots); i++) {
        if (ctl->json == CTL_JSON_OFF)
            next_add(ctl, n, table, json_array_get_object_element(slots, i));
        else
            output_list_add(ctl, json_array_get_element(slots, i));
    }
    if (ctl->json != CTL_JSON_OFF)
        output_list_end(ctl);
    else
        output_table(ctl, table, true);
}

int next_verb(Ctl *ctl)
{
    g_autoptr(JsonArray) slots = NULL;
    g_auto(ClientError) error = { 0 };
    _cleanup_(next_clear) Next n = { .after = UNSET, .until = UNSET };
    int code = next_options(ctl, &n);

    if (code != EXITS_OK)
        return code;
    if (next_call(ctl, &n, &slots, &error) < 0)
        return output_fail(ctl, &error);
    next_print(ctl, &n, slots);
    return EXITS_OK;
}
