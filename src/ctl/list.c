/* Lists: pages from the daemon to a table or a JSON array. */
#include "ctl/list.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/i18n.h"
#include "model/timespec.h"

#define PAGE_MAX 1000
#define LIMIT    100 /* of list-runs, where none is given */

static uint64_t list_now(void)
{
    return (uint64_t)g_get_real_time();
}

static const TableColumn run_columns[] = {
    { N_("ID"), true, 0 },
    { N_("TASK"), false, 2 },
    { N_("STATE"), false, 0 },
    { N_("RESULT"), false, 0 },
    { N_("STARTED"), false, 0 },
    { N_("WALL"), true, 0 },
    { N_("CPU"), true, 0 },
    { N_("MEMORY"), true, 0 },
    { N_("REASON"), false, 3 },
};

/* Of one that waits for a time, for how long. */
static char *list_run_reason(JsonObject *o)
{
    uint64_t due = text_instant(o, "Due"), now = list_now();
    const char *reason = text_member(o, "Reason");
    g_autofree char *when = NULL;

    if (due == UNSET || due <= now || !g_str_equal(text_member(o, "State"), "waiting"))
        return g_strdup(reason);
    when = text_relative(due, now);
    return g_strdup_printf("%s (%s)", reason, when);
}

static void list_run_row(Table *t, JsonObject *o)
{
    uint64_t wall = text_number(o, "WallUSec"), started = text_instant(o, "Started");
    uint64_t cpu = text_number(o, "CPUUsageNSec"), id = text_number(o, "Id");
    g_autofree char *result = text_result(o);
    TableColour colour = table_run_colour(text_member(o, "State"), text_member(o, "Result"));

    if (wall == UNSET && started != UNSET && !g_str_equal(text_member(o, "State"), "done"))
        wall = list_now() - MIN(started, list_now());
    table_add(t, g_strdup_printf("%" G_GUINT64_FORMAT, id), TABLE_PLAIN);
    table_add(t, g_strdup(text_member(o, "Task")), TABLE_PLAIN);
    table_add(t, g_strdup(text_member(o, "State")), colour);
    table_add(t, g_strdup(*result ? result : "-"), colour);
    table_add(t, text_time(started), TABLE_PLAIN);
    table_add(t, text_span(wall), TABLE_PLAIN);
    table_add(t, text_span(cpu == UNSET ? UNSET : cpu / 1000), TABLE_PLAIN);
    table_add(t, text_bytes(text_number(o, "MemoryPeak")), TABLE_PLAIN);
    table_add(t, list_run_reason(o), TABLE_PLAIN);
}

static const TableColumn task_columns[] = {
    { N_("NAME"), false, 1 },
    { N_("ENABLED"), false, 0 },
    { N_("ORIGIN"), false, 0 },
    { N_("REVISION"), true, 0 },
    { N_("DESCRIPTION"), false, 2 },
};

/* What is disabled is so after a pause as well. */
static void list_add_enabled(Table *t, JsonObject *o)
{
    bool enabled = json_object_get_boolean_member_with_default(o, "Enabled", false);

    if (json_object_get_boolean_member_with_default(o, "Overdue", false))
        table_add(t, g_strdup("overdue"), TABLE_RED);
    else if (enabled && text_is_paused(o, list_now()))
        table_add(t, g_strdup("paused"), TABLE_YELLOW);
    else
        table_add(t, g_strdup(enabled ? "yes" : "no"), enabled ? TABLE_PLAIN : TABLE_YELLOW);
}

static void list_task_row(Table *t, JsonObject *o)
{
    uint64_t revision = text_number(o, "Revision");

    table_add(t, g_strdup(text_member(o, "Name")), TABLE_PLAIN);
    list_add_enabled(t, o);
    table_add(t, g_strdup(text_member(o, "Origin")), TABLE_PLAIN);
    table_add(
        t, revision == UNSET ? g_strdup("-") : g_strdup_printf("%" G_GUINT64_FORMAT, revision), TABLE_PLAIN);
    table_add(t, g_strdup(text_member(o, "Description")), TABLE_PLAIN);
}

static const TableColumn schedule_columns[] = {
    { N_("TASK"), false, 1 },
    { N_("SCHEDULE"), false, 1 },
    { N_("ENABLED"), false, 0 },
    { N_("NEXT"), false, 0 },
    { N_("LEFT"), false, 0 },
    { N_("LAST"), false, 0 },
};

static void list_schedule_row(Table *t, JsonObject *o)
{
    uint64_t next = text_instant(o, "Next");

    table_add(t, g_strdup(text_member(o, "Task")), TABLE_PLAIN);
    table_add(t, g_strdup(text_member(o, "Name")), TABLE_PLAIN);
    list_add_enabled(t, o);
    if (next == UNSET && *text_member(o, "Awaits"))
        table_add(t, g_strdup(text_member(o, "Awaits")), TABLE_PLAIN);
    else
        table_add(t, text_time(next), TABLE_PLAIN);
    table_add(t, text_relative(next, list_now()), TABLE_PLAIN);
    table_add(t, text_time(text_instant(o, "Last")), TABLE_PLAIN);
}

static void list_count_runs(unsigned long n)
{
    printf(ngettext("%lu run listed", "%lu runs listed", n), n);
}

static void list_count_tasks(unsigned long n)
{
    printf(ngettext("%lu task listed", "%lu tasks listed", n), n);
}

static void list_count_schedules(unsigned long n)
{
    printf(ngettext("%lu schedule listed", "%lu schedules listed", n), n);
}

static const List runs = { "ListRuns", run_columns, G_N_ELEMENTS(run_columns), list_run_row,
    list_count_runs };
static const List tasks = { "ListTasks", task_columns, G_N_ELEMENTS(task_columns), list_task_row,
    list_count_tasks };
static const List schedules = { "ListSchedules", schedule_columns, G_N_ELEMENTS(schedule_columns),
    list_schedule_row, list_count_schedules };

static void list_print(Ctl *ctl, const List *list, Table *t, JsonArray *page, bool first)
{
    for (guint i = 0; i < json_array_get_length(page); i++) {
        if (ctl->json == CTL_JSON_OFF)
            list->row(t, json_array_get_object_element(page, i));
        else
            output_list_add(ctl, json_array_get_element(page, i));
    }
    if (ctl->json == CTL_JSON_OFF && (table_rows(t) > 0 || first))
        output_table(ctl, t, first);
}

static void list_footer(const Ctl *ctl, const List *list, uint64_t n, bool more)
{
    if (ctl->json != CTL_JSON_OFF || !ctl->legend || ctl->quiet)
        return;
    fputc('\n', stdout);
    list->count((unsigned long)n);
    printf("%s.\n", more ? _("; there are more, --limit=0 lists all") : "");
}

int list_show(Ctl *ctl, const List *list, const ClientFilter *filter, uint64_t limit)
{
    g_autoptr(Table) table = table_new(list->columns, list->n_columns);
    g_autofree char *cursor = g_strdup("");
    g_auto(ClientError) error = { 0 };
    uint64_t n = 0;
    bool first = true;

    do {
        g_autoptr(JsonArray) page = NULL;
        g_autofree char *next = NULL;
        uint64_t want = limit == 0 ? PAGE_MAX : MIN(limit - n, PAGE_MAX);

        if (client_list(ctl->client, &error, list->method, filter, cursor, (uint32_t)want, &page, &next) < 0)
            break;
        if (first)
            output_pager_open(ctl);
        if (first && ctl->json != CTL_JSON_OFF)
            output_list_begin(ctl);
        list_print(ctl, list, table, page, first);
        n += json_array_get_length(page);
        g_free(cursor);
        cursor = g_steal_pointer(&next);
        first = false;
    } while (*cursor && (limit == 0 || n < limit) && !ferror(stdout));
    if (!first && ctl->json != CTL_JSON_OFF)
        output_list_end(ctl);
    if (error.error.code == ERROR_NONE)
        list_footer(ctl, list, n, *cursor);
    output_pager_close(ctl);
    return error.error.code == ERROR_NONE ? EXITS_OK : output_fail(ctl, &error);
}

char *list_object(const char *word, const char **ret_schedule)
{
    const char *slash = word ? strchr(word, '/') : NULL;

    *ret_schedule = slash ? slash + 1 : NULL;
    return slash ? g_strndup(word, (gsize)(slash - word)) : g_strdup(word);
}

int list_instant(Ctl *ctl, const char *option, uint64_t *ret)
{
    const char *text = args_get(&ctl->args, option);

    if (text && timespec_parse_instant(text, list_now(), ret) < 0)
        return output_usage(ctl, _("--%s: \"%s\" is no time"), option, text);
    return EXITS_OK;
}

/* A number is a user of this machine; what another host calls it, that host knows. */
static char *list_user(const Ctl *ctl, const char *word)
{
    const struct passwd *p = NULL;
    int64_t uid;

    if (!ctl->host && args_number(word, 0, UINT32_MAX - 1, &uid) >= 0)
        p = getpwuid((uid_t)uid);
    return g_strdup(p ? p->pw_name : word);
}

int list_options(Ctl *ctl, uint64_t *ret_since, uint64_t *ret_until, int64_t *ret_limit, char **ret_requester)
{
    const char *limit = args_get(&ctl->args, "limit"), *requester = args_get(&ctl->args, "requester");
    int code;

    *ret_limit = LIMIT;
    if (limit && args_number(limit, 0, INT64_MAX, ret_limit) < 0)
        return output_usage(ctl, _("--limit: \"%s\" is no number from 0"), limit);
    code = list_instant(ctl, "since", ret_since);
    if (code == EXITS_OK)
        code = list_instant(ctl, "until", ret_until);
    if (code == EXITS_OK && requester)
        *ret_requester = list_user(ctl, requester);
    return code;
}

static int list_meta(Ctl *ctl, GHashTable *meta)
{
    const GPtrArray *given = args_all(&ctl->args, "meta");

    for (guint i = 0; given && i < given->len; i++) {
        const char *value;
        char *key;

        if (args_split(g_ptr_array_index(given, i), &key, &value) < 0)
            return output_usage(ctl, _("--%s: \"%s\" is not of the form key=value"), "meta",
                (const char *)g_ptr_array_index(given, i));
        g_hash_table_insert(meta, key, (char *)value);
    }
    return EXITS_OK;
}

int list_runs_verb(Ctl *ctl)
{
    g_autoptr(GHashTable) meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *requester = NULL;
    ClientFilter filter = {
        .task = args_get(&ctl->args, "task"),
        .state = args_get(&ctl->args, "state"),
        .result = args_get(&ctl->args, "result"),
        .meta = meta,
    };
    int64_t limit;
    int code = list_options(ctl, &filter.since, &filter.until, &limit, &requester);

    filter.requester = requester;
    if (code == EXITS_OK)
        code = list_meta(ctl, meta);
    return code == EXITS_OK ? list_show(ctl, &runs, &filter, (uint64_t)limit) : code;
}

int list_tasks_verb(Ctl *ctl)
{
    return list_show(ctl, &tasks, &(ClientFilter){ 0 }, 0);
}

int list_schedules_verb(Ctl *ctl)
{
    ClientFilter filter = { 0 };
    g_autofree char *task = list_object(ctl_word(ctl, 0), &filter.schedule);

    filter.task = task;
    return list_show(ctl, &schedules, &filter, 0);
}
