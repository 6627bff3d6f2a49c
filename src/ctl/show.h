/* Which object a word on the command line means. */
#pragma once

#include "lib/client.h"

/* No task has a name with a colon. */
#define SHOW_NODE_PREFIX     "node:"
#define SHOW_CALENDAR_PREFIX "calendar:"

typedef enum ShowKind {
    SHOW_RUN,
    SHOW_TASK,
    SHOW_SCHEDULE,
    SHOW_NODE,
    SHOW_CALENDAR,
} ShowKind;

/* RUN (digits alone), TASK, TASK/SCHEDULE, node:NODE or calendar:NAME; ret_kind may be NULL. */
int show_get(Client *c, const char *word, JsonObject **ret, ShowKind *ret_kind, ClientError *e);
