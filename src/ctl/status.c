/* status: the daemon, a run or a task as a person wants to see it. */
#include <stdio.h>

#include "ctl/follow.h"
#include "ctl/logs-open.h"
#include "ctl/logs.h"
#include "ctl/output.h"
#include "ctl/show.h"
#include "ctl/text.h"
#include "lib/i18n.h"
#include "model/timespec.h"

#define LOG_LINES "10"
#define LAST_RUNS 5

static void status_dot(const Ctl *ctl, TableColour colour)
{
    printf("%s●%s ", ctl->colours ? table_colour(colour) : "", ctl->colours ? "\x1b[0m" : "");
}

static char *status_time(JsonObject *o, const char *key)
{
    uint64_t usec = text_instant(o, key);
    g_autofree char *time = NULL, *relative = NULL;

    if (usec == UNSET)
        return NULL;
    time = text_time(usec);
    relative = text_relative(usec, (uint64_t)g_get_real_time());
    return g_strdup_printf("%s; %s", time, relative);
}

static void status_number(const char *label, JsonObject *o, const char *key)
{
    uint64_t n = text_number(o, key);

    if (n != UNSET)
        output_line(label, g_strdup_printf("%" G_GUINT64_FORMAT, n));
}

static int status_manager(Ctl *ctl)
{
    g_autoptr(JsonObject) o = NULL;
    g_auto(ClientError) error = { 0 };
    const char *state;
    int code;

    if (client_manager(ctl->client, &error, &o) < 0) {
        code = output_fail(ctl, &error);
        return error.not_running ? EXITS_NOT_RUNNING : code;
    }
    state = text_member(o, "State");
    code = g_str_equal(state, "waiting-for-database") ? EXITS_UNAVAILABLE : EXITS_OK;
    if (ctl->json != CTL_JSON_OFF) {
        output_json_object(ctl, o);
    } else if (!ctl->quiet) {
        status_dot(ctl, g_str_equal(state, "running") ? TABLE_GREEN : TABLE_YELLOW);
        printf("taskschedd %s\n", text_member(o, "Version"));
        output_line(_("State"), g_strdup(state));
        output_line(_("Reason"), g_strdup(text_member(o, "Reason")));
        output_line(_("Node"), g_strdup(text_member(o, "NodeName")));
        status_number(_("Running"), o, "NRunning");
        status_number(_("Waiting"), o, "NWaiting");
        status_number(_("Unrecorded"), o, "NUnrecorded");
        if (text_number(o, "NOverdue") != 0)
            status_number(_("Overdue"), o, "NOverdue");
    }
    return code;
}

/* By way of the daemon, which shows everybody their own runs. Whose it is not is not asked for a password here. */
static void status_log_open(const Ctl *ctl, uint64_t run)
{
    g_auto(ClientError) ignored = { 0 };
    _cleanup_(util_closep) int fd = logs_open(ctl->client, run, &(LogsQuery){ .lines = LOG_LINES }, &ignored);

    if (fd < 0)
        return;
    fputc('\n', stdout);
    logs_copy(fd);
}

/* The last lines of the log, where there are any and we may read them. Never a failure of status. */
static void status_log(const Ctl *ctl, JsonObject *run)
{
    g_autofree char *id = g_strdup_printf("%" G_GUINT64_FORMAT, text_number(run, "Id"));
    g_autoptr(GPtrArray) units = logs_of_attempts(run, "Unit");
    g_autoptr(GPtrArray) invocations = logs_of_attempts(run, "InvocationId");
    g_autoptr(GPtrArray) argv = NULL;
    LogsQuery q = { .object = id,
        .is_run = true,
        .units = units,
        .invocations = invocations,
        .user = ctl->user,
        .quiet = true,
        .lines = LOG_LINES };

    if (ctl->host)
        return;
    if (!logs_may_read(ctl)) {
        status_log_open(ctl, text_number(run, "Id"));
        return;
    }
    argv = logs_argv(&q);
    fputc('\n', stdout);
    fflush(stdout);
    g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL,
        NULL, NULL, NULL, NULL, NULL);
}

static void status_resources(JsonObject *run)
{
    uint64_t cpu = text_number(run, "CPUUsageNSec");

    output_line(_("Wall"), text_span(text_number(run, "WallUSec")));
    output_line(_("Waited"), text_span(text_number(run, "WaitUSec")));
    output_line(_("CPU"), text_span(cpu == UNSET ? UNSET : cpu / 1000));
    output_line(_("Memory"), text_bytes(text_number(run, "MemoryPeak")));
    output_line(_("Read"), text_bytes(text_number(run, "IOReadBytes")));
    output_line(_("Written"), text_bytes(text_number(run, "IOWriteBytes")));
    output_line(_("Received"), text_bytes(text_number(run, "IPIngressBytes")));
    output_line(_("Sent"), text_bytes(text_number(run, "IPEgressBytes")));
}

static void status_run(Ctl *ctl, JsonObject *run)
{
    g_autofree char *result = text_result(run);
    bool done = *text_member(run, "Result");

    status_dot(ctl, table_run_colour(text_member(run, "State"), text_member(run, "Result")));
    printf(_("run %llu of %s\n"), (unsigned long long)text_number(run, "Id"), text_member(run, "Task"));
    output_line(_("State"), *result ? g_strdup_printf("%s, %s", text_member(run, "State"), result)
                                    : g_strdup(text_member(run, "State")));
    output_line(_("Reason"), g_strdup(text_member(run, "Reason")));
    if (!done && text_number(run, "Progress") != UNSET)
        output_line(_("Progress"), follow_bar(text_number(run, "Progress"), text_member(run, "StatusText"),
                                       ctl->width > 16 ? ctl->width - 16 : 80));
    else
        output_line(_("Status"), g_strdup(text_member(run, "StatusText")));
    output_line(_("Requester"), g_strdup(text_member(run, "Requester")));
    output_line(_("Schedule"), g_strdup(text_member(run, "Schedule")));
    output_line(_("Slot"), status_time(run, "Nominal"));
    output_line(_("Asked"), status_time(run, "Asked"));
    output_line(_("Due"), status_time(run, "Due"));
    output_line(_("Started"), status_time(run, "Started"));
    output_line(_("Finished"), status_time(run, "Finished"));
    status_number(_("Attempt"), run, "Attempt");
    output_line(_("Unit"), g_strdup(text_member(run, "Unit")));
    output_line(_("Node"), g_strdup(text_member(run, "Node")));
    status_resources(run);
    output_line(_("Input"), text_value(run, "Input"));
    output_line(_("Output"), text_value(run, "Output"));
    if (*text_member(run, "Unit"))
        status_log(ctl, run);
}

static void status_paused(JsonObject *o)
{
    if (text_is_paused(o, (uint64_t)g_get_real_time()))
        output_line(_("Paused until"), status_time(o, "PausedUntil"));
}

/* How many of how many, where that is bounded. */
static char *status_fired(JsonObject *o)
{
    uint64_t fired = text_number(o, "Fired"), max = text_number(o, "MaxRuns");

    if (fired == UNSET || max == UNSET)
        return NULL;
    return g_strdup_printf(_("%llu of %llu slots"), (unsigned long long)fired, (unsigned long long)max);
}

/* The first of them, and how many more. */
static char *status_skipped(JsonObject *o)
{
    JsonArray *times =
        json_object_has_member(o, "Skipped") ? json_object_get_array_member(o, "Skipped") : NULL;
    guint n = times ? json_array_get_length(times) : 0;
    g_autofree char *first = NULL;
    uint64_t at;

    if (n == 0 || timespec_parse_instant(json_array_get_string_element(times, 0), 0, &at) < 0)
        return NULL;
    first = text_time(at);
    return n == 1 ? g_steal_pointer(&first) : g_strdup_printf(_("%s and %u more"), first, n - 1);
}

static void status_schedule(Ctl *ctl, JsonObject *o)
{
    bool enabled = json_object_get_boolean_member_with_default(o, "Enabled", false);

    status_dot(ctl, enabled ? TABLE_GREEN : TABLE_GREY);
    printf(_("schedule %s of %s\n"), text_member(o, "Name"), text_member(o, "Task"));
    output_line(_("Enabled"), g_strdup(enabled ? _("yes") : _("no")));
    status_paused(o);
    output_line(_("Skipped"), status_skipped(o));
    output_line(_("Next"), status_time(o, "Next"));
    output_line(_("Last"), status_time(o, "Last"));
    output_line(_("Fired"), status_fired(o));
}

static void status_node(Ctl *ctl, JsonObject *o)
{
    status_dot(ctl, g_str_equal(text_member(o, "State"), "up") ? TABLE_GREEN : TABLE_RED);
    printf(_("node %s\n"), text_member(o, "Name"));
    output_line(_("State"), g_strdup(text_member(o, "State")));
    output_line(_("Last seen"), status_time(o, "LastSeen"));
    status_number(_("Epoch"), o, "Epoch");
    output_line(_("Boot id"), g_strdup(text_member(o, "BootId")));
}

static void status_last_runs(JsonArray *runs)
{
    for (guint i = 0; i < json_array_get_length(runs); i++) {
        JsonObject *run = json_array_get_object_element(runs, i);
        g_autofree char *result = text_result(run);
        g_autofree char *asked = status_time(run, "Asked");

        output_line(i == 0 ? _("Last runs") : "",
            g_strdup_printf(_("%llu %s%s%s; asked %s"), (unsigned long long)text_number(run, "Id"),
                text_member(run, "State"), *result ? ", " : "", result, asked ? asked : "-"));
    }
}

/* By when it is, or was, expected to succeed. */
static void status_expected(JsonObject *o)
{
    bool overdue = json_object_get_boolean_member_with_default(o, "Overdue", false);

    output_line(_("Last success"), status_time(o, "LastSuccess"));
    output_line(overdue ? _("Overdue since") : _("Expected by"), status_time(o, "Expected"));
    if (text_number(o, "MissedRun") != UNSET)
        status_number(_("OnMissed run"), o, "MissedRun");
}

static int status_task(Ctl *ctl, JsonObject *o, ClientError *e)
{
    bool enabled = json_object_get_boolean_member_with_default(o, "Enabled", false), overdue;
    const char *name = text_member(o, "Name");
    ClientFilter filter = { .task = name };
    g_autoptr(JsonArray) runs = NULL, schedules = NULL;
    g_autofree char *next = NULL, *next_schedule = NULL;
    int r = client_list(ctl->client, e, "ListRuns", &filter, "", LAST_RUNS, &runs, &next);

    if (r >= 0)
        r = client_list(ctl->client, e, "ListSchedules", &filter, "", 1000, &schedules, &next_schedule);
    if (r < 0)
        return r;
    overdue = json_object_get_boolean_member_with_default(o, "Overdue", false);
    status_dot(ctl, overdue ? TABLE_RED : enabled ? TABLE_GREEN : TABLE_GREY);
    printf(
        _("task %s%s%s\n"), name, *text_member(o, "Description") ? " - " : "", text_member(o, "Description"));
    output_line(_("Enabled"), g_strdup(enabled ? _("yes") : _("no")));
    status_paused(o);
    status_expected(o);
    output_line(_("Origin"), g_strdup(text_member(o, "Origin")));
    output_line(_("Path"), g_strdup(text_member(o, "Path")));
    status_number(_("Revision"), o, "Revision");
    for (guint i = 0; i < json_array_get_length(schedules); i++) {
        JsonObject *schedule = json_array_get_object_element(schedules, i);
        g_autofree char *when = status_time(schedule, "Next");

        output_line(i == 0 ? _("Schedules") : "",
            g_strdup_printf("%s: %s", text_member(schedule, "Name"), when ? when : _("no next slot")));
    }
    status_last_runs(runs);
    return 0;
}

static void status_calendar(JsonObject *o)
{
    bool valid = json_object_get_boolean_member_with_default(o, "Valid", false);
    bool within = json_object_get_boolean_member_with_default(o, "Within", false);

    output_line(_("Description"), g_strdup(text_member(o, "Description")));
    output_line(_("Path"), g_strdup(text_member(o, "Path")));
    output_line(_("Now"), g_strdup(!valid ? _("not valid") : within ? _("within") : _("outside")));
    output_line(_("Until"), text_time(text_instant(o, "Until")));
}

int status_verb(Ctl *ctl)
{
    g_autoptr(JsonObject) o = NULL;
    g_auto(ClientError) error = { 0 };
    ShowKind kind;
    int r = 0;

    if (!ctl_word(ctl, 0))
        return status_manager(ctl);
    if (show_get(ctl->client, ctl_word(ctl, 0), &o, &kind, &error) < 0)
        return output_fail(ctl, &error);
    if (ctl->json != CTL_JSON_OFF) {
        output_json_object(ctl, o);
        return EXITS_OK;
    }
    switch (kind) {
    case SHOW_RUN:
        status_run(ctl, o);
        break;
    case SHOW_SCHEDULE:
        status_schedule(ctl, o);
        break;
    case SHOW_NODE:
        status_node(ctl, o);
        break;
    case SHOW_CALENDAR:
        status_calendar(o);
        break;
    case SHOW_TASK:
        r = status_task(ctl, o, &error);
        break;
    }
    return r < 0 ? output_fail(ctl, &error) : EXITS_OK;
}
