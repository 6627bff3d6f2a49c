/* list-calendars, and what a definition needs of calendars when it is read here. */
#include "ctl/calendars.h"

#include <stdio.h>
#include <string.h>

#include "ctl/list.h"
#include "ctl/text.h"
#include "lib/i18n.h"
#include "model/task.h"

static const TableColumn columns[] = {
    { N_("CALENDAR"), false, 1 },
    { N_("NOW"), false, 0 },
    { N_("UNTIL"), false, 0 },
    { N_("LEFT"), false, 0 },
    { N_("TIME ZONE"), false, 0 },
    { N_("DESCRIPTION"), false, 2 },
};

static void calendars_row(Table *t, JsonObject *o)
{
    bool valid = json_object_get_boolean_member_with_default(o, "Valid", false);
    bool within = json_object_get_boolean_member_with_default(o, "Within", false);
    uint64_t until = text_instant(o, "Until");
    const char *zone = text_member(o, "TimeZone");

    table_add(t, g_strdup(text_member(o, "Name")), TABLE_PLAIN);
    table_add(t,
        g_strdup(!valid   ? "invalid"
                 : within ? "within"
                          : "outside"),
        !valid   ? TABLE_RED
        : within ? TABLE_GREEN
                 : TABLE_PLAIN);
    table_add(t, text_time(until), TABLE_PLAIN);
    table_add(t, text_relative(until, (uint64_t)g_get_real_time()), TABLE_PLAIN);
    table_add(t, g_strdup(*zone ? zone : "-"), TABLE_PLAIN);
    table_add(t, g_strdup(text_member(o, "Description")), TABLE_PLAIN);
}

static void calendars_count(unsigned long n)
{
    printf(ngettext("%lu calendar listed", "%lu calendars listed", n), n);
}

static const List calendars = { "ListCalendars", columns, G_N_ELEMENTS(columns), calendars_row,
    calendars_count };

int list_calendars_verb(Ctl *ctl)
{
    return list_show(ctl, &calendars, &(ClientFilter){ 0 }, 0);
}

static void calendars_add_name(JsonObject *o, void *names)
{
    g_ptr_array_add(names, g_strdup(text_member(o, "Name")));
}

/* What is in force of one; none, where it is gone by now. */
static int calendars_fetch_one(Ctl *ctl, const char *name, GPtrArray *sources, ClientError *e)
{
    g_autoptr(JsonObject) o = NULL;
    g_autoptr(GPtrArray) own = NULL;
    int r = client_call_object(ctl->client, e, &o, "GetCalendar", "s", name);

    if (r < 0 && e->error.code == ERROR_NO_SUCH_CALENDAR) {
        client_error_clear(e);
        return 0;
    }
    if (r < 0)
        return r;
    r = task_sources_from_json(text_member(o, "Sources"), &own);
    if (r < 0)
        return client_error_set(e, ERROR_FAILED, _("The answer of the daemon cannot be understood"));
    g_ptr_array_set_free_func(own, NULL);
    for (guint i = 0; i < own->len; i++)
        g_ptr_array_add(sources, g_ptr_array_index(own, i));
    return 0;
}

static bool calendars_are_named(const GPtrArray *sources)
{
    for (guint i = 0; i < sources->len; i++)
        if (strstr(((const TaskSource *)g_ptr_array_index(sources, i))->text, "Calendar"))
            return true;
    return false;
}

int calendars_fetch(Ctl *ctl, const GPtrArray *sources, GPtrArray *into, ClientError *e)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    int r = 0;

    if (calendars_are_named(sources))
        r = client_list_all(
            ctl->client, e, "ListCalendars", &(ClientFilter){ 0 }, G_MAXUINT, calendars_add_name, names);
    for (guint i = 0; r >= 0 && i < names->len; i++)
        r = calendars_fetch_one(ctl, g_ptr_array_index(names, i), into, e);
    return r;
}
