/* A text in the person's editor. */
#pragma once

#include "lib/client.h"

/* Opens the file and waits for the editor's end. $SYSTEMD_EDITOR, $EDITOR, $VISUAL, else the first of editor, nano, vim
 * and vi that is there. */
int editor_run(const char *path, ClientError *e);
