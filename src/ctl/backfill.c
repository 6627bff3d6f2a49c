/* backfill: times of a schedule that have passed, and are run after all. */
#include <stdio.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/i18n.h"
#include "lib/value.h"
#include "model/timespec.h"

static const TableColumn columns[] = {
    { N_("NOMINAL"), false, 0 },
    { N_("RUN"), true, 0 },
    { N_("OUTCOME"), false, 1 },
};

typedef struct Backfill {
    char *task, *schedule;
    uint64_t from, until; /* until 0: now, by the daemon's clock */
} Backfill;

static void backfill_clear(Backfill *b)
{
    g_free(b->task);
    g_free(b->schedule);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Backfill, backfill_clear)

static int backfill_words(Ctl *ctl, Backfill *b)
{
    const char *object = util_strempty(ctl_word(ctl, 0)), *slash = strchr(object, '/');
    const char *range = util_strempty(ctl_word(ctl, 1)), *dots = strstr(range, "..");
    g_autofree char *from = dots ? g_strndup(range, (gsize)(dots - range)) : NULL;
    const char *until = dots ? dots + 2 : "";
    uint64_t now = (uint64_t)g_get_real_time();

    if (!slash)
        return output_usage(ctl, _("\"%s\" is not of the form TASK/SCHEDULE"), object);
    if (!dots)
        return output_usage(ctl, _("\"%s\" is not of the form FROM..TO, or FROM.. until now"), range);
    if (timespec_parse_instant(from, now, &b->from) < 0)
        return output_usage(ctl, _("\"%s\" is no time"), from);
    if (*until && timespec_parse_instant(until, now, &b->until) < 0)
        return output_usage(ctl, _("\"%s\" is no time"), until);
    b->task = g_strndup(object, (gsize)(slash - object));
    b->schedule = g_strdup(slash + 1);
    return EXITS_OK;
}

static int backfill_call(Ctl *ctl, const Backfill *b, JsonArray **ret, ClientError *e)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    bool dry = args_has(&ctl->args, "dry-run");
    int r = client_call(ctl->client, e, &reply, "Backfill", "sstta{sv}", b->task, b->schedule, b->from,
        b->until, 1, "dry-run", "b", (int)dry);

    if (r < 0)
        return r;
    r = value_read_array(reply, ret);
    return r < 0 ? client_error_from_bus(e, NULL, r) : 0;
}

static char *backfill_outcome(const char *outcome, bool dry)
{
    static const char *const outcomes[][3] = {
        { "asked", N_("asked for"), N_("would be asked for") },
        { "has-run", N_("has its run"), N_("has its run") },
        { "to-come", N_("is still the schedule's to decide"), N_("is still the schedule's to decide") },
    };

    ARRAY_FOREACH (o, outcomes)
        if (g_str_equal((*o)[0], outcome))
            return g_strdup(gettext((*o)[dry ? 2 : 1]));
    return g_strdup(outcome);
}

static void backfill_row(Table *t, JsonObject *o, bool dry)
{
    const char *outcome = text_member(o, "Outcome");
    uint64_t run = text_number(o, "Run");

    table_add(t, text_time(text_instant(o, "Nominal")), TABLE_PLAIN);
    table_add(t, run == UNSET ? g_strdup("-") : g_strdup_printf("%" G_GUINT64_FORMAT, run), TABLE_PLAIN);
    table_add(t, backfill_outcome(outcome, dry), g_str_equal(outcome, "asked") ? TABLE_PLAIN : TABLE_GREY);
}

static void backfill_print(Ctl *ctl, JsonArray *times)
{
    g_autoptr(Table) table = table_new(columns, G_N_ELEMENTS(columns));
    bool dry = args_has(&ctl->args, "dry-run");
    unsigned long asked = 0;

    for (guint i = 0; i < json_array_get_length(times); i++) {
        JsonObject *o = json_array_get_object_element(times, i);

        asked += g_str_equal(text_member(o, "Outcome"), "asked");
        backfill_row(table, o, dry);
    }
    if (json_array_get_length(times) > 0)
        output_table(ctl, table, true);
    if (dry)
        output_note(
            ctl, ngettext("%lu run would be asked for.", "%lu runs would be asked for.", asked), asked);
    else
        output_note(ctl, ngettext("%lu run asked for.", "%lu runs asked for.", asked), asked);
}

int backfill_verb(Ctl *ctl)
{
    g_auto(Backfill) b = { 0 };
    g_autoptr(JsonArray) times = NULL;
    g_auto(ClientError) error = { 0 };
    int code = backfill_words(ctl, &b);

    if (code != EXITS_OK)
        return code;
    if (backfill_call(ctl, &b, &times, &error) < 0)
        return output_fail(ctl, &error);
    if (ctl->json == CTL_JSON_OFF) {
        backfill_print(ctl, times);
        return EXITS_OK;
    }
    output_list_begin(ctl);
    for (guint i = 0; i < json_array_get_length(times); i++)
        output_list_add(ctl, json_array_get_element(times, i));
    output_list_end(ctl);
    return EXITS_OK;
}
