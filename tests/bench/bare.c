/* The bare loop that the daemon is measured against: transient units of /bin/true, described as the daemon
 * describes them, retained until their exit status was seen and then released; nothing is stored, nobody
 * asks.
 *
 *   bare RUNS IN-FLIGHT GAP-USEC
 *
 * In flight is a run from its StartTransientUnit to its UnitRemoved. With a gap, each next call waits that
 * long. Prints "elapsed USEC", from the first call to the last UnitRemoved, and for each run "run CALLED
 * STARTED": real µs of the call, and PID 1's own of its process. */
#include "loop.h"

#define STEM      "bench-bare-"
#define PATH_STEM SYSTEMD_PATH "/unit/bench_2dbare_2d"
#define OUTPUT    "bench-bare"

typedef struct Run {
    uint64_t called, started; /* real µs */
    int code, status;
    bool stopping;
} Run;

typedef struct Bare {
    Loop loop;
    Run *runs;
    unsigned called, removed;
    uint64_t begun; /* monotonic µs */
} Bare;

static void bare_name(unsigned i, char name[static 64])
{
    snprintf(name, 64, STEM "%u-1.service", i + 1);
}

static int bare_append_command(sd_bus_message *m)
{
    return sd_bus_message_append(
        m, "(sv)", "ExecStart", "a(sasb)", 1, "/bin/true", 1, "/bin/true", (int)false);
}

static int bare_append_environment(sd_bus_message *m, unsigned i)
{
    char run[64], output[96];

    snprintf(run, sizeof(run), "TASKSCHEDD_RUN=%u", i + 1);
    snprintf(output, sizeof(output), "TASKSCHEDD_OUTPUT=/run/" OUTPUT "/%u-1/output", i + 1);
    return sd_bus_message_append(m, "(sv)", "Environment", "as", 5, "TASKSCHEDD_TASK=true", run,
        "TASKSCHEDD_ATTEMPT=1", "TASKSCHEDD_FENCE=1", output);
}

static int bare_append_log_fields(sd_bus_message *m, unsigned i)
{
    static const char token[] = "TASKSCHEDD_TOKEN=00000000-0000-4000-8000-000000000000";
    char run[64];
    const char *const fields[] = { "TASKSCHEDD_TASK=true", run, "TASKSCHEDD_ATTEMPT=1", token };
    int r;

    snprintf(run, sizeof(run), "TASKSCHEDD_RUN=%u", i + 1);
    r = sd_bus_message_open_container(m, 'r', "sv");
    if (r >= 0)
        r = sd_bus_message_append(m, "s", "LogExtraFields");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', "aay");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "ay");
    for (size_t n = 0; n < sizeof(fields) / sizeof(fields[0]) && r >= 0; n++)
        r = sd_bus_message_append_array(m, 'y', fields[n], strlen(fields[n]));
    for (unsigned depth = 0; depth < 3 && r >= 0; depth++)
        r = sd_bus_message_close_container(m);
    return r;
}

/* All that the daemon says of a task which has nothing but its command. */
static int bare_append_properties(sd_bus_message *m, unsigned i)
{
    static const char *const strings[][2] = {
        { "Type", "exec" },
        { "CollectMode", "inactive" },
        { "NotifyAccess", "all" },
        { "Slice", "taskschedd-default.slice" },
        { "KillMode", "control-group" },
        { "RuntimeDirectoryPreserve", "yes" },
    };
    static const char *const on[] = { "RemainAfterExit", "SendSIGKILL", "CPUAccounting", "MemoryAccounting",
        "IOAccounting" };
    char text[64];
    int r;

    snprintf(text, sizeof(text), "true: run %u", i + 1);
    r = sd_bus_message_append(m, "(sv)", "Description", "s", text);
    for (size_t n = 0; n < sizeof(strings) / sizeof(strings[0]) && r >= 0; n++)
        r = sd_bus_message_append(m, "(sv)", strings[n][0], "s", strings[n][1]);
    for (size_t n = 0; n < sizeof(on) / sizeof(on[0]) && r >= 0; n++)
        r = sd_bus_message_append(m, "(sv)", on[n], "b", (int)true);
    if (r >= 0)
        r = sd_bus_message_append(
            m, "(sv)(sv)", "RuntimeMaxUSec", "t", UINT64_MAX, "After", "as", 1, "taskschedd.service");
    if (r >= 0)
        r = bare_append_command(m);
    if (r >= 0)
        r = bare_append_environment(m, i);
    if (r >= 0)
        r = bare_append_log_fields(m, i);
    snprintf(text, sizeof(text), OUTPUT "/%u-1", i + 1);
    return r < 0 ? r : sd_bus_message_append(m, "(sv)", "RuntimeDirectory", "as", 1, text);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    loop_check_reply(reply, userdata);
    return 0;
}

static void bare_call(Bare *b)
{
    unsigned i = b->called++;
    sd_bus_message *m = NULL;
    char name[64];
    int r;

    bare_name(i, name);
    b->runs[i].called = loop_clock(CLOCK_REALTIME);
    r = sd_bus_message_new_method_call(
        b->loop.bus, &m, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StartTransientUnit");
    if (r >= 0)
        r = sd_bus_message_append(m, "ss", name, "fail");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "(sv)");
    if (r >= 0)
        r = bare_append_properties(m, i);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    if (r >= 0)
        r = sd_bus_message_append(m, "a(sa(sv))", 0);
    if (r >= 0)
        r = sd_bus_call_async(b->loop.bus, NULL, m, on_reply, (void *)"StartTransientUnit", 0);
    sd_bus_message_unref(m);
    loop_check(r, "StartTransientUnit");
}

static void bare_fill(Bare *b)
{
    while (b->called < b->loop.runs && b->called - b->removed < b->loop.in_flight)
        bare_call(b);
}

static int on_gap(sd_event_source *s, uint64_t usec, void *userdata)
{
    bare_fill(userdata);
    return 0;
}

/* The exit status was seen: the unit may go, its directory first. */
static void bare_stop(Bare *b, unsigned i)
{
    char name[64], directory[64];

    b->runs[i].stopping = true;
    bare_name(i, name);
    snprintf(directory, sizeof(directory), "/run/" OUTPUT "/%u-1", i + 1);
    loop_check(rmdir(directory) < 0 ? -errno : 0, directory);
    loop_check(sd_bus_call_method_async(b->loop.bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                   "StopUnit", on_reply, (void *)"StopUnit", "ss", name, "replace"),
        "StopUnit");
}

static int bare_read_property(Run *run, sd_bus_message *m, const char *name)
{
    if (strcmp(name, "ExecMainStartTimestamp") == 0)
        return sd_bus_message_read(m, "v", "t", &run->started);
    if (strcmp(name, "ExecMainCode") == 0)
        return sd_bus_message_read(m, "v", "i", &run->code);
    if (strcmp(name, "ExecMainStatus") == 0)
        return sd_bus_message_read(m, "v", "i", &run->status);
    return sd_bus_message_skip(m, "v");
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Bare *b = userdata;
    unsigned number;
    const char *name;
    Run *run;
    int r;

    if (sscanf(sd_bus_message_get_path(m), PATH_STEM "%u_", &number) != 1 || number - 1 >= b->called)
        return 0;
    run = b->runs + number - 1;
    r = sd_bus_message_skip(m, "s");
    if (r >= 0)
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        r = sd_bus_message_read(m, "s", &name);
        if (r >= 0)
            r = bare_read_property(run, m, name);
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
    }
    loop_check(r, "PropertiesChanged");
    if (run->code == 0 || run->stopping)
        return 0;
    loop_check(run->code != 1 || run->status != 0 || run->started == 0 ? -EPROTO : 0, "exit status");
    bare_stop(b, number - 1);
    return 0;
}

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Bare *b = userdata;
    const char *unit;
    unsigned number;

    loop_check(sd_bus_message_read(m, "so", &unit, NULL), "UnitRemoved");
    if (sscanf(unit, STEM "%u-", &number) != 1 || number - 1 >= b->called)
        return 0;
    loop_check(b->runs[number - 1].stopping ? 0 : -EPROTO, "UnitRemoved before its end");
    if (++b->removed == b->loop.runs)
        return sd_event_exit(b->loop.event, 0);
    if (b->loop.gap_usec == 0)
        bare_fill(b);
    else
        loop_after(&b->loop, b->loop.gap_usec, on_gap, b);
    return 0;
}

/* The two signals without which no end and no release is seen. */
static void bare_subscribe(Bare *b)
{
#define FROM_MANAGER "type='signal',sender='" SYSTEMD_NAME "',"
    sd_bus *bus = b->loop.bus;
    sd_bus_error error = SD_BUS_ERROR_NULL;

    loop_check(sd_bus_add_match(bus, NULL,
                   FROM_MANAGER "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
                                "path_namespace='" SYSTEMD_PATH "/unit',arg0='" SYSTEMD_NAME ".Service'",
                   on_properties, b),
        "match");
    loop_check(
        sd_bus_add_match(bus, NULL,
            FROM_MANAGER "interface='" SYSTEMD_MANAGER "',member='UnitRemoved',path='" SYSTEMD_PATH "'",
            on_removed, b),
        "match");
    loop_check(
        sd_bus_call_method(bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", &error, NULL, NULL),
        "Subscribe");
}

int main(int argc, char **argv)
{
    Bare b = { 0 };
    uint64_t elapsed;

    if (argc != 4) {
        fprintf(stderr, "usage: bare RUNS IN-FLIGHT GAP-USEC\n");
        return 2;
    }
    loop_open(&b.loop, argv + 1);
    b.runs = calloc(b.loop.runs, sizeof(Run));
    loop_check(b.runs ? 0 : -ENOMEM, "runs");
    bare_subscribe(&b);
    b.begun = loop_clock(CLOCK_MONOTONIC);
    bare_fill(&b);
    loop_check(sd_event_loop(b.loop.event), "loop");
    elapsed = loop_clock(CLOCK_MONOTONIC) - b.begun;
    printf("elapsed %llu\n", (unsigned long long)elapsed);
    for (unsigned i = 0; i < b.loop.runs; i++)
        printf(
            "run %llu %llu\n", (unsigned long long)b.runs[i].called, (unsigned long long)b.runs[i].started);
    sd_bus_flush_close_unref(b.loop.bus);
    sd_event_unref(b.loop.event);
    free(b.runs);
    return 0;
}
