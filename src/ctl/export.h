/* The text of a definition, divided again into the files it was put together from. Pure. */
#pragma once

#include "base/util.h"

typedef struct ExportFile {
    char *path; /* relative: "NAME.task" or "NAME.task.d/X.conf" */
    GString *text;
} ExportFile;

/* text: as `cat` shows it, each source below a line "# PATH". Of ExportFile*, owned; the task's own file
 * first. */
GPtrArray *export_split(const char *name, const char *text);
