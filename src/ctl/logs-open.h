/* Logs by way of the daemon, for whom the journal does not let in. */
#pragma once

#include "ctl/ctl.h"
#include "ctl/logs.h"

/* Whether what runs write can be read with the caller's own rights. */
bool logs_may_read(const Ctl *ctl);
/* A descriptor of what OpenLog shows of the run; negative with *e filled. */
int logs_open(Client *c, uint64_t run, const LogsQuery *q, ClientError *e);

/* All that comes from fd to standard output. */
void logs_copy(int fd);

/* One run, through the pager where it is not followed; an exit code. */
int logs_of_run(Ctl *ctl, const LogsQuery *q);
/* The caller's own runs of a task, the oldest first. */
int logs_of_own_runs(Ctl *ctl, const LogsQuery *q);
