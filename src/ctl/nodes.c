/* list-nodes: the hosts that share the database. */
#include <stdio.h>

#include "ctl/list.h"
#include "ctl/text.h"
#include "lib/i18n.h"

static const TableColumn columns[] = {
    { N_("NODE"), false, 1 },
    { N_("STATE"), false, 0 },
    { N_("EPOCH"), true, 0 },
    { N_("LAST SEEN"), false, 0 },
    { N_("BOOT ID"), false, 2 },
};

static void nodes_row(Table *t, JsonObject *o)
{
    bool up = g_str_equal(text_member(o, "State"), "up");
    uint64_t epoch = text_number(o, "Epoch");

    table_add(t, g_strdup(text_member(o, "Name")), TABLE_PLAIN);
    table_add(t, g_strdup(text_member(o, "State")), up ? TABLE_GREEN : TABLE_RED);
    table_add(t, epoch == UNSET ? g_strdup("-") : g_strdup_printf("%" G_GUINT64_FORMAT, epoch), TABLE_PLAIN);
    table_add(t, text_time(text_instant(o, "LastSeen")), TABLE_PLAIN);
    table_add(t, g_strdup(text_member(o, "BootId")), TABLE_PLAIN);
}

static void nodes_count(unsigned long n)
{
    printf(ngettext("%lu node listed", "%lu nodes listed", n), n);
}

static const List nodes = { "ListNodes", columns, G_N_ELEMENTS(columns), nodes_row, nodes_count };

int list_nodes_verb(Ctl *ctl)
{
    return list_show(ctl, &nodes, &(ClientFilter){ 0 }, 0);
}
