/* What an import reads from the system: files, where units lie, and what systemd says of calendar events. */
#pragma once

#include "ctl/import.h"
#include "lib/client.h"

/* "crontab", "system-crontab" and so on. _IMPORT_KIND_INVALID. */
ImportKind import_files_kind(const char *word);
/* Takes up a file, a directory of such, or a timer by its name. kind: _IMPORT_KIND_INVALID where the path is to tell.
 * owner: of a user's crontab, NULL where the path is to tell. */
int import_files(Import *im, const char *word, ImportKind kind, const char *owner, ClientError *e);
/* When calendar events elapse next after now, n times, as systemd-analyze has it; NULL where it cannot be asked. */
GArray *import_files_events(const GPtrArray *events, guint n, uint64_t now);
