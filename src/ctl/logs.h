/* The command line of journalctl for a run or a task. Pure. */
#pragma once

#include <json-glib/json-glib.h>

#include "base/util.h"

typedef struct LogsQuery {
    const char *object; /* the run's id or the task's name */
    bool is_run;
    const GPtrArray *units; /* char*: whose PID 1 lines are shown too */
    const GPtrArray
        *invocations; /* char*, of each of these units, "" where it is not known; NULL of a task */
    bool user, quiet, follow, pager;
    bool ask;           /* a person may be asked for a password, where the daemon reads the journal */
    const char *lines;  /* NULL: journalctl's own choice */
    const char *output; /* NULL: likewise */
} LogsQuery;

/* A member of each attempt of the run, "" where it has none; char*, owns them. */
GPtrArray *logs_of_attempts(JsonObject *run, const char *key);
/* NULL-terminated, owns its words. */
GPtrArray *logs_argv(const LogsQuery *q);
