/* The command line of journalctl for a run or a task. Pure. */
#pragma once

#include "base/util.h"

typedef struct LogsQuery {
    const char *object; /* the run's id or the task's name */
    bool is_run;
    const GPtrArray *units; /* char*: whose PID 1 lines are shown too */
    bool user, quiet, follow, pager;
    bool ask;           /* a person may be asked for a password, where the daemon reads the journal */
    const char *lines;  /* NULL: journalctl's own choice */
    const char *output; /* NULL: likewise */
} LogsQuery;

/* NULL-terminated, owns its words. */
GPtrArray *logs_argv(const LogsQuery *q);
