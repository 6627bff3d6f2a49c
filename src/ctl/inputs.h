/* The inputs of a task, from its definition in force. */
#pragma once

#include <json-glib/json-glib.h>

#include "ctl/ctl.h"

/* `run TASK --help`; an exit code. */
int inputs_help(Ctl *ctl);
/* Of the task that GetTask described, objects with Name, Type and so on; NULL where it declares none. Borrowed. */
JsonArray *inputs_of(JsonObject *task);
/* What stands behind the name: "integer, required, 1 to 9, default 3"; g_free. Pure. */
char *inputs_describe(JsonObject *input);
/* A command line that would do: values that fit as far as the definition tells them; g_free. Pure. */
char *inputs_example(const char *task, JsonArray *inputs);
