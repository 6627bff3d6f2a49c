/* property-start UNIT KEY=VALUE... - asks PID 1 for a transient unit with settings from the table, as a run
 * of a task asks. The unit stands behind property-hold.service, so that it is loaded and need not be
 * executed. Exit status: 0, or 1 with the reason on standard error. */
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

static int append_command(sd_bus_message *m, const char *unit)
{
    g_autofree char *description = g_strdup_printf("property test %s", unit);
    int r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)", "Description", "s", description, "Type", "s",
        "exec", "RemainAfterExit", "b", 1, "After", "as", 1, "property-hold.service", "ExecStart", "a(sasb)",
        1, "/bin/sleep", 2, "/bin/sleep", "1000", 0);

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

int main(int argc, char *argv[])
{
    _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    int r;

    if (argc < 2) {
        fprintf(stderr, "usage: property-start UNIT KEY=VALUE...\n");
        return 2;
    }
    if ((r = sd_bus_open_system(&bus)) < 0 || (r = make_call(bus, argv, &m)) < 0 ||
        (r = sd_bus_call(bus, m, 0, &error, NULL)) < 0) {
        fprintf(stderr, "%s\n", error.message ? error.message : strerror(-r));
        return 1;
    }
    return 0;
}
