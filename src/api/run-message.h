/* A run as the bus shows it. */
#pragma once

#include <systemd/sd-bus.h>

#include "core/manager.h"

typedef struct RunView {
    bool full;    /* with Input and Attempts */
    bool content; /* this caller may see input, output and metadata */
    const RunLive *live;
    const GPtrArray *attempts; /* of StoreAttempt*, with full */
} RunView;

/* Appends the whole a{sv}. */
int run_message_append(sd_bus_message *m, const StoreRun *run, const RunView *view);
/* About how many bytes that takes, never fewer. */
size_t run_message_weight(const StoreRun *run);
