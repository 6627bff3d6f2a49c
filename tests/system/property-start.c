/* property-start UNIT KEY=VALUE... - starts /bin/sleep as a transient unit with settings from the table, as a
 * run of a task is started, and waits for the job. Exit status: 0, or 1 with the reason on standard error. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "exec/properties.h"

static int append_settings(sd_bus_message *m, char **settings)
{
    for (; *settings; settings++) {
        const char *equals = strchr(*settings, '=');
        g_autofree char *key = equals ? g_strndup(*settings, (gsize)(equals - *settings)) : NULL;
        g_autofree char *reason = NULL;
        int r;

        if (!key) {
            fprintf(stderr, "\"%s\" is not KEY=VALUE.\n", *settings);
            return -EINVAL;
        }
        if (properties_check(key, equals + 1, &reason) != PROPERTY_OK)
            fprintf(stderr, "%s\n", reason);
        r = properties_append(m, key, equals + 1);
        if (r < 0)
            return r;
    }
    return 0;
}

/* What systemd-run makes of `systemd-run --service-type=exec --remain-after-exit /bin/sleep 1000`. */
static int append_command(sd_bus_message *m, const char *unit)
{
    g_autofree char *description = g_strdup_printf("property test %s", unit);
    int r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "Description", "s", description, "Type", "s", "exec",
        "RemainAfterExit", "b", 1, "ExecStart", "a(sasb)", 1, "/bin/sleep", 2, "/bin/sleep", "1000", 0);

    return r < 0 ? r : 0;
}

static int make_call(sd_bus *bus, char *argv[], sd_bus_message **ret)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r = sd_bus_message_new_method_call(bus, &m, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
        "org.freedesktop.systemd1.Manager", "StartTransientUnit");

    if (r < 0 || (r = sd_bus_message_append(m, "ss", argv[1], "fail")) < 0 ||
        (r = sd_bus_message_open_container(m, 'a', "(sv)")) < 0 || (r = append_command(m, argv[1])) < 0 ||
        (r = append_settings(m, argv + 2)) < 0 || (r = sd_bus_message_close_container(m)) < 0 ||
        (r = sd_bus_message_append(m, "a(sa(sv))", 0)) < 0)
        return r;
    *ret = g_steal_pointer(&m);
    return 0;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const char *unit, **ended = userdata;

    if (sd_bus_message_read(m, "uos", NULL, NULL, &unit) >= 0 && *ended && strcmp(unit, *ended) == 0)
        *ended = NULL;
    return 0;
}

int main(int argc, char *argv[])
{
    _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    const char *unit = argc > 1 ? argv[1] : NULL;
    int r;

    if (!unit) {
        fprintf(stderr, "usage: property-start UNIT KEY=VALUE...\n");
        return 2;
    }
    if ((r = sd_bus_open_system(&bus)) < 0 ||
        (r = sd_bus_match_signal(bus, NULL, "org.freedesktop.systemd1", NULL,
             "org.freedesktop.systemd1.Manager", "JobRemoved", on_job_removed, &unit)) < 0 ||
        (r = make_call(bus, argv, &m)) < 0 || (r = sd_bus_call(bus, m, 0, &error, &reply)) < 0) {
        fprintf(stderr, "%s\n", error.message ? error.message : strerror(-r));
        return 1;
    }
    while (unit && r >= 0) {
        r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, 30 * USEC_PER_SEC);
        if (r == 0)
            r = -ETIMEDOUT;
    }
    if (r < 0)
        fprintf(stderr, "%s: %s\n", argv[1], strerror(-r));
    return r < 0;
}
