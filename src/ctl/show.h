/* Which object a word on the command line means. */
#pragma once

#include "lib/client.h"

/* No task has a name with a colon. */
#define SHOW_NODE_PREFIX "node:"

typedef enum ShowKind {
    SHOW_RUN,
    SHOW_TASK,
    SHOW_SCHEDULE,
    SHOW_NODE,
} ShowKind;

/* RUN (digits alone), TASK, TASK/SCHEDULE or node:NODE; ret_kind may be NULL. */
int show_get(Client *c, const char *word, JsonObject **ret, ShowKind *ret_kind, ClientError *e);
