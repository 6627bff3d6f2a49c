/* What tschedctl reads from files and standard input. */
#pragma once

#include "lib/client.h"

/* More is never taken by the daemon, nor carried over the bus in one message for it. */
#define FILES_MAX ((size_t)4 * 1024 * 1024)

/* The whole content; path "-" is standard input. Beyond FILES_MAX ERROR_LIMIT_EXCEEDED. */
int files_read(const char *path, GBytes **ret, ClientError *e);
/* Likewise for text: valid UTF-8 without NUL, else code, naming line and column. g_free. */
int files_read_text(const char *path, ErrorCode code, char **ret, ClientError *e);
/* The name a definition has by its file: the last part without ".task"; g_free. */
char *files_task_name(const char *path);
/* Where a text stops being valid UTF-8 without NUL. False if it nowhere does. */
bool files_find_invalid(const char *text, size_t length, unsigned *ret_line, unsigned *ret_column);
