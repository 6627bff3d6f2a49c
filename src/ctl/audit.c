/* list-audit: who asked the daemon for what, and whether it was granted. */
#include <stdio.h>

#include "ctl/list.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/i18n.h"

static const TableColumn columns[] = {
    { N_("WHEN"), false, 0 },
    { N_("USER"), false, 0 },
    { N_("METHOD"), false, 0 },
    { N_("OBJECT"), false, 1 },
    { N_("GRANTED"), false, 0 },
    { N_("UNIT"), false, 2 },
};

/* The name; where there is none, the number. */
static char *audit_user(JsonObject *o)
{
    uint64_t uid = text_number(o, "Uid");

    if (*text_member(o, "User"))
        return g_strdup(text_member(o, "User"));
    return uid == UNSET ? g_strdup("-") : g_strdup_printf("%" G_GUINT64_FORMAT, uid);
}

static void audit_row(Table *t, JsonObject *o)
{
    bool granted = json_object_get_boolean_member_with_default(o, "Granted", false);

    table_add(t, text_time(text_instant(o, "At")), TABLE_PLAIN);
    table_add(t, audit_user(o), TABLE_PLAIN);
    table_add(t, g_strdup(text_member(o, "Method")), TABLE_PLAIN);
    table_add(t, g_strdup(text_member(o, "Object")), TABLE_PLAIN);
    table_add(t, g_strdup(granted ? _("yes") : _("no")), granted ? TABLE_PLAIN : TABLE_RED);
    table_add(t, g_strdup(text_member(o, "Unit")), TABLE_PLAIN);
}

static void audit_count(unsigned long n)
{
    printf(ngettext("%lu call listed", "%lu calls listed", n), n);
}

static const List audit = { "ListAudit", columns, G_N_ELEMENTS(columns), audit_row, audit_count };

int list_audit_verb(Ctl *ctl)
{
    bool granted = args_has(&ctl->args, "granted"), refused = args_has(&ctl->args, "refused");
    g_autofree char *requester = NULL;
    ClientFilter filter = {
        .method = args_get(&ctl->args, "method"),
        .has_granted = granted != refused,
        .granted = granted,
    };
    int64_t limit;
    int code = list_options(ctl, &filter.since, &filter.until, &limit, &requester);

    filter.user = requester;
    return code == EXITS_OK ? list_show(ctl, &audit, &filter, (uint64_t)limit) : code;
}
