/* Which object a word on the command line means. */
#pragma once

#include "lib/client.h"

typedef enum ShowKind {
    SHOW_RUN,
    SHOW_TASK,
    SHOW_SCHEDULE,
} ShowKind;

/* RUN (digits alone), TASK or TASK/SCHEDULE; ret_kind may be NULL. */
int show_get(Client *c, const char *word, JsonObject **ret, ShowKind *ret_kind, ClientError *e);
