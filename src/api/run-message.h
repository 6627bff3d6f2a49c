/* A run as the bus shows it. */
#pragma once

#include <systemd/sd-bus.h>

#include "api/property.h"
#include "core/manager.h"

typedef struct RunView {
    bool full;    /* with Input and Attempts */
    bool content; /* this caller may see input, output and metadata */
    const RunLive *live;
    const GPtrArray *attempts; /* of StoreAttempt*, with full */
} RunView;

/* What the properties are read from. */
typedef struct RunRecord {
    const StoreRun *run;
    const RunView *view;
} RunRecord;

extern const PropertyTable run_message_properties;

/* Appends the whole a{sv}. */
int run_message_append(sd_bus_message *m, const StoreRun *run, const RunView *view);
/* About how many bytes that takes, never fewer. */
size_t run_message_weight(const StoreRun *run);
/* The input as JSON text, with "[secret]" in the place of each secret; what was given as bytes: JSON if it is, else
 * text as a JSON string, else base64 in an object. g_free. */
char *run_message_input(const StoreRun *run);
