/* The text of a definition, divided again into the files it was put together from. */
#pragma once

#include "ctl/ctl.h"

typedef struct ExportFile {
    char *source; /* the path that the text itself names; NULL where it names none */
    char *path;   /* relative: "NAME.task" or "NAME.task.d/X.conf" */
    GString *text;
} ExportFile;

/* Adds an empty one to files, of ExportFile*. */
ExportFile *export_file_new(GPtrArray *files, const char *path);
void export_file_free(void *file);
/* The text of a definition in force; g_free. */
int export_text(Ctl *ctl, const char *task, char **ret, ClientError *e);
/* text: as `cat` shows it, each source below a line "# PATH". Of ExportFile*, owned; the task's own file
 * first. Pure. */
GPtrArray *export_split(const char *name, const char *text);
/* Such a part without the line that names it; borrowed. */
const char *export_part_text(const ExportFile *f);
