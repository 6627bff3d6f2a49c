/* list-slots: what became of the times of schedules. */
#include <stdio.h>

#include "ctl/list.h"
#include "ctl/text.h"
#include "lib/i18n.h"

static const TableColumn columns[] = {
    { N_("NOMINAL"), false, 0 },
    { N_("COUNT"), true, 0 },
    { N_("TASK"), false, 1 },
    { N_("SCHEDULE"), false, 1 },
    { N_("OUTCOME"), false, 0 },
    { N_("RUN"), true, 0 },
    { N_("LATE"), true, 0 },
    { N_("REASON"), false, 2 },
};

static char *slots_number(JsonObject *o, const char *key)
{
    uint64_t number = text_number(o, key);

    return number == UNSET ? g_strdup("-") : g_strdup_printf("%" G_GUINT64_FORMAT, number);
}

/* Of several, from when on. */
static char *slots_why(JsonObject *o)
{
    uint64_t first = text_instant(o, "First");
    g_autofree char *from = NULL;

    if (first == text_instant(o, "Nominal"))
        return g_strdup(text_member(o, "Reason"));
    from = text_time(first);
    return g_strdup_printf(_("from %s on: %s"), from, text_member(o, "Reason"));
}

static char *slots_reason(JsonObject *o)
{
    uint64_t backfilled = text_number(o, "Backfilled");
    g_autofree char *why = slots_why(o);

    return backfilled == UNSET
               ? g_steal_pointer(&why)
               : g_strdup_printf(_("%s (%llu run later)"), why, (unsigned long long)backfilled);
}

static void slots_row(Table *t, JsonObject *o)
{
    const char *cause = text_member(o, "Cause");

    table_add(t, text_time(text_instant(o, "Nominal")), TABLE_PLAIN);
    table_add(t, slots_number(o, "Count"), TABLE_PLAIN);
    table_add(t, g_strdup(text_member(o, "Task")), TABLE_PLAIN);
    table_add(t, g_strdup(text_member(o, "Schedule")), TABLE_PLAIN);
    table_add(t, g_strdup(*cause ? cause : text_member(o, "Outcome")), *cause ? TABLE_YELLOW : TABLE_PLAIN);
    table_add(t, slots_number(o, "Run"), TABLE_PLAIN);
    table_add(t, text_span(text_number(o, "LateUSec")), TABLE_PLAIN);
    table_add(t, slots_reason(o), TABLE_PLAIN);
}

static void slots_count(unsigned long n)
{
    printf(ngettext("%lu entry listed", "%lu entries listed", n), n);
}

static const List slots = { "ListSlots", columns, G_N_ELEMENTS(columns), slots_row, slots_count };

int list_slots_verb(Ctl *ctl)
{
    const char *schedule;
    g_autofree char *task = list_object(ctl_word(ctl, 0), &schedule), *requester = NULL;
    ClientFilter filter = {
        .task = task,
        .schedule = schedule,
        .outcome = args_get(&ctl->args, "outcome"),
        .cause = args_get(&ctl->args, "cause"),
    };
    int64_t limit;
    int code = list_options(ctl, &filter.since, &filter.until, &limit, &requester);

    return code == EXITS_OK ? list_show(ctl, &slots, &filter, (uint64_t)limit) : code;
}
