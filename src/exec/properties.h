/* The [Service] settings a task may use, and how each becomes a property of a transient unit: one table of
 * the settings of systemd.exec(5), systemd.kill(5) and systemd.resource-control(5), and SuccessExitStatus=,
 * TimeoutStopSec=, WatchdogSec= and OOMPolicy= of systemd.service(5), as they stand in systemd 252 to 257.
 * What a running systemd does not know, PID 1 refuses itself. ExecStart= is not a property here.
 *
 * Nothing here blocks or keeps state. Keys are matched exactly; values are NUL-terminated bytes, as they
 * stand to the right of the '='. */
#pragma once

#include <glib.h>
#include <systemd/sd-bus.h>

typedef enum PropertyVerdict {
    PROPERTY_OK = 0,
    PROPERTY_UNKNOWN = 1, /* no such setting, or none that a transient unit can have */
    PROPERTY_OWN = 2,     /* the setting, or this value of it, is the daemon's own */
    PROPERTY_INVALID = 3, /* the value is not one the setting takes */
} PropertyVerdict;

/* Judges one setting without sending it. ret_reason: a sentence for people that says what is wrong and what
 * would be right (g_free), NULL for PROPERTY_OK. ret_reason may be NULL. */
PropertyVerdict properties_check(const char *key, const char *value, char **ret_reason);

/* Appends KEY=VALUE as one or more (sv) to an open a(sv) container: 0, or -ENOENT (unknown), -EPERM (the
 * daemon's own), -EINVAL, or what sd-bus says, -ENOMEM mostly. What is refused leaves the message as it was.
 * The order of calls is the order of assignment: lists append, an empty value resets a list. */
int properties_append(sd_bus_message *m, const char *key, const char *value);

/* The table's keys in alphabetical order, NULL-terminated, static. */
const char *const *properties_keys(void);
