/* Verbs that other programs bring: tschedctl-NAME on the PATH. */
#pragma once

#include "base/util.h"

/* argv without the program's name, the verb at index. Does not return where there is such a program: it takes this
 * process's place, with the words behind the verb. -ENOENT where there is none; -EINVAL for an option before the verb
 * that it could not be given, with a sentence in ret_message. */
int external_exec(int argc, char *const *argv, int index, char **ret_message);
/* Names on the PATH, sorted, of char*, owned. */
GPtrArray *external_names(void);
