/* Waiting for a run, through restarts of the daemon and of the bus. */
#pragma once

#include "ctl/ctl.h"

/* Answers when the run is done, however long that takes. follow: its output goes to standard output (to
 * standard error with --json), its progress to standard error where that is a terminal. */
int wait_for_run(Ctl *ctl, uint64_t run, bool follow, JsonObject **ret, ClientError *e);
