/* What tschedctl ends with. Part of the interface: scripts decide by it. */
#pragma once

#include <json-glib/json-glib.h>

#include "base/util.h"

enum {
    EXITS_OK = 0,
    EXITS_FAILED = 1,
    EXITS_USAGE = 2,
    EXITS_NOT_RUNNING = 3,
    EXITS_NO_OBJECT = 4,
    EXITS_REFUSED = 5,
    EXITS_INVALID = 6,
    EXITS_UNAVAILABLE = 7,
    /* `run --wait` only; below them is the task's own status, above 128 the signal that ended it. */
    EXITS_TIMEOUT = 124,
    EXITS_NO_STATUS = 125,
};

/* Of `run --wait` for a run that is done, from its Result, ExitCode and ExitStatus. */
int exits_of_run(JsonObject *run);
