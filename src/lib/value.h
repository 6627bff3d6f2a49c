/* Values of the bus as JSON, the way tschedctl shows them: what is absent (UINT64_MAX, "") has no key, times
 * are RFC 3339, and members that carry JSON text are JSON themselves. */
#pragma once

#include <json-glib/json-glib.h>
#include <systemd/sd-bus.h>

#include "base/util.h"

/* Reads the next complete value, which must be an a{sv} or a{ss}. */
int value_read_object(sd_bus_message *m, JsonObject **ret);
/* Reads the next complete value, which must be an array, such as aa{sv}. */
int value_read_array(sd_bus_message *m, JsonArray **ret);

/* Is the member of that name an instant? */
bool value_is_time(const char *key);
