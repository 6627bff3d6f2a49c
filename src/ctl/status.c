/* status: the daemon, a run or a task as a person wants to see it. */
#include <stdio.h>

#include "ctl/logs.h"
#include "ctl/output.h"
#include "ctl/show.h"
#include "ctl/text.h"

#define LOG_LINES "10"
#define LAST_RUNS 5
#define LABEL     12

static void status_dot(const Ctl *ctl, TableColour colour)
{
    printf("%s●%s ", ctl->colours ? table_colour(colour) : "", ctl->colours ? "\x1b[0m" : "");
}

/* Takes value over; nothing is printed where it says nothing. */
static void status_line(const char *label, char *value)
{
    g_autofree char *taken = value, *safe = text_safe(util_strempty(taken));

    if (*safe && !g_str_equal(safe, "-"))
        printf("%*s%s %s\n", LABEL, label, *label ? ":" : " ", safe);
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
        status_line(label, g_strdup_printf("%" G_GUINT64_FORMAT, n));
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
        status_line("State", g_strdup(state));
        status_line("Reason", g_strdup(text_member(o, "Reason")));
        status_line("Node", g_strdup(text_member(o, "NodeName")));
        status_number("Running", o, "NRunning");
        status_number("Waiting", o, "NWaiting");
        status_number("Unrecorded", o, "NUnrecorded");
    }
    return code;
}

/* The last lines of the log, where there are any and we may read them. Never a failure of status. */
static void status_log(const Ctl *ctl, JsonObject *run)
{
    g_autofree char *id = g_strdup_printf("%" G_GUINT64_FORMAT, text_number(run, "Id"));
    g_autoptr(GPtrArray) units = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) argv = NULL;
    LogsQuery q = {
        .object = id, .is_run = true, .units = units, .user = ctl->user, .quiet = true, .lines = LOG_LINES
    };

    if (ctl->host)
        return;
    g_ptr_array_add(units, g_strdup(text_member(run, "Unit")));
    argv = logs_argv(&q);
    fputc('\n', stdout);
    fflush(stdout);
    g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL,
        NULL, NULL, NULL, NULL, NULL);
}

static TableColour status_run_colour(JsonObject *run)
{
    const char *result = text_member(run, "Result");

    if (g_str_equal(result, "success"))
        return TABLE_GREEN;
    return *result ? TABLE_RED : TABLE_YELLOW;
}

static void status_resources(JsonObject *run)
{
    uint64_t cpu = text_number(run, "CPUUsageNSec");

    status_line("Wall", text_span(text_number(run, "WallUSec")));
    status_line("Waited", text_span(text_number(run, "WaitUSec")));
    status_line("CPU", text_span(cpu == UNSET ? UNSET : cpu / 1000));
    status_line("Memory", text_bytes(text_number(run, "MemoryPeak")));
    status_line("Read", text_bytes(text_number(run, "IOReadBytes")));
    status_line("Written", text_bytes(text_number(run, "IOWriteBytes")));
    status_line("Received", text_bytes(text_number(run, "IPIngressBytes")));
    status_line("Sent", text_bytes(text_number(run, "IPEgressBytes")));
}

static void status_run(Ctl *ctl, JsonObject *run)
{
    g_autofree char *result = text_result(run);
    uint64_t progress = text_number(run, "Progress");

    status_dot(ctl, status_run_colour(run));
    printf("run %" G_GUINT64_FORMAT " of %s\n", text_number(run, "Id"), text_member(run, "Task"));
    status_line("State", *result ? g_strdup_printf("%s, %s", text_member(run, "State"), result)
                                 : g_strdup(text_member(run, "State")));
    status_line("Reason", g_strdup(text_member(run, "Reason")));
    if (progress != UNSET)
        status_line("Progress", g_strdup_printf("%" G_GUINT64_FORMAT "%%", progress));
    status_line("Status", g_strdup(text_member(run, "StatusText")));
    status_line("Requester", g_strdup(text_member(run, "Requester")));
    status_line("Schedule", g_strdup(text_member(run, "Schedule")));
    status_line("Slot", status_time(run, "Nominal"));
    status_line("Asked", status_time(run, "Asked"));
    status_line("Due", status_time(run, "Due"));
    status_line("Started", status_time(run, "Started"));
    status_line("Finished", status_time(run, "Finished"));
    status_number("Attempt", run, "Attempt");
    status_line("Unit", g_strdup(text_member(run, "Unit")));
    status_line("Node", g_strdup(text_member(run, "Node")));
    status_resources(run);
    status_line("Input", text_value(run, "Input"));
    status_line("Output", text_value(run, "Output"));
    if (*text_member(run, "Unit"))
        status_log(ctl, run);
}

static void status_schedule(Ctl *ctl, JsonObject *o)
{
    bool enabled = json_object_get_boolean_member_with_default(o, "Enabled", false);

    status_dot(ctl, enabled ? TABLE_GREEN : TABLE_GREY);
    printf("schedule %s of %s\n", text_member(o, "Name"), text_member(o, "Task"));
    status_line("Enabled", g_strdup(enabled ? "yes" : "no"));
    status_line("Next", status_time(o, "Next"));
    status_line("Last", status_time(o, "Last"));
}

static void status_last_runs(JsonArray *runs)
{
    for (guint i = 0; i < json_array_get_length(runs); i++) {
        JsonObject *run = json_array_get_object_element(runs, i);
        g_autofree char *result = text_result(run);
        g_autofree char *asked = status_time(run, "Asked");

        status_line(i == 0 ? "Last runs" : "",
            g_strdup_printf("%" G_GUINT64_FORMAT " %s%s%s; asked %s", text_number(run, "Id"),
                text_member(run, "State"), *result ? ", " : "", result, asked ? asked : "-"));
    }
}

static int status_task(Ctl *ctl, JsonObject *o, ClientError *e)
{
    bool enabled = json_object_get_boolean_member_with_default(o, "Enabled", false);
    const char *name = text_member(o, "Name");
    ClientFilter filter = { .task = name };
    g_autoptr(JsonArray) runs = NULL, schedules = NULL;
    g_autofree char *next = NULL, *next_schedule = NULL;
    int r = client_list(ctl->client, e, "ListRuns", &filter, "", LAST_RUNS, &runs, &next);

    if (r >= 0)
        r = client_list(ctl->client, e, "ListSchedules", &filter, "", 1000, &schedules, &next_schedule);
    if (r < 0)
        return r;
    status_dot(ctl, enabled ? TABLE_GREEN : TABLE_GREY);
    printf("task %s%s%s\n", name, *text_member(o, "Description") ? " - " : "", text_member(o, "Description"));
    status_line("Enabled", g_strdup(enabled ? "yes" : "no"));
    status_line("Origin", g_strdup(text_member(o, "Origin")));
    status_line("Path", g_strdup(text_member(o, "Path")));
    status_number("Revision", o, "Revision");
    for (guint i = 0; i < json_array_get_length(schedules); i++) {
        JsonObject *schedule = json_array_get_object_element(schedules, i);
        g_autofree char *when = status_time(schedule, "Next");

        status_line(i == 0 ? "Schedules" : "",
            g_strdup_printf("%s: %s", text_member(schedule, "Name"), when ? when : "no next slot"));
    }
    status_last_runs(runs);
    return 0;
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
    case SHOW_TASK:
        r = status_task(ctl, o, &error);
        break;
    }
    return r < 0 ? output_fail(ctl, &error) : EXITS_OK;
}
