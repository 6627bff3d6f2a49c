/* How an attempt ended: systemd's words about a unit turned into a result and a sentence. Pure. */
#pragma once

#include "model/run.h"

/* code and status: of the main process (RunExitCode; status or signal number). manager_result: the unit's
 * Result=. success_status: words of SuccessExitStatus= (numbers, signal names), may be NULL. What ended it
 * for a cause of the manager's own (timeout, watchdog, oom-kill) wins; then the process's own end; a death by
 * a signal is never success unless SuccessExitStatus= names it, though the manager calls some of them clean.
 * ret_reason: g_free, NULL with success. */
RunResult ending_classify(
    int code, int status, const char *manager_result, const GPtrArray *success_status, char **ret_reason);
/* "203/EXEC" for the exit statuses by which the manager says why a program could not be executed
 * (systemd.exec(5)), the bare number for others; g_free. */
char *ending_status_name(int status);
