/* The commands of a service as the one command of a task. */
#pragma once

#include "model/task-file.h"

typedef struct ImportCommands {
    GPtrArray *condition, *before, *main, *after; /* of TaskFileItem*, borrowed: ExecCondition= and so on */
} ImportCommands;

/* ExecStart= with all of them, specifiers resolved by resolve(): it gives the text, or NULL where it does not know one
 * (g_free). -EINVAL with *ret_item, the line that stands in the way, and *ret_message, the reason (g_free). */
int import_command(const ImportCommands *c, char *(*resolve)(const char *text, void *userdata),
    void *userdata, GString *out, const TaskFileItem **ret_item, char **ret_message);
