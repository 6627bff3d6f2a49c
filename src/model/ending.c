/* From ExecMainCode, ExecMainStatus and Result to what is recorded. */
#include "model/ending.h"

#include <string.h>

#include "model/exit-status.h"
#include "model/signals.h"

static const struct {
    const char *manager;
    RunResult result;
    const char *reason;
} manager_results[] = {
    { "timeout", RUN_TIMEOUT, "it ran longer than its limit" },
    { "watchdog", RUN_WATCHDOG, "it did not report within WatchdogSec=" },
    { "oom-kill", RUN_OOM_KILL, "the kernel killed it for lack of memory" },
    { "exec-condition", RUN_CONDITION, "its condition did not hold" },
};

char *ending_status_name(int status)
{
    if (!exit_status_meaning(status))
        return g_strdup_printf("%d", status);
    return g_strdup_printf("%d/%s", status, exit_status_name(status));
}

static char *ending_exit_reason(int status)
{
    g_autofree char *name = ending_status_name(status);
    const char *meaning = exit_status_meaning(status);

    return g_strdup_printf("exit status %s%s%s", name, meaning ? ": " : "", util_strempty(meaning));
}

/* Does a word of SuccessExitStatus= name this end? */
static bool ending_word_matches(const char *word, int code, int status)
{
    if (code == RUN_EXITED)
        return exit_status_from_string(word) == status;
    return signals_from_name(word) == status;
}

static bool ending_is_named_success(const GPtrArray *words, int code, int status)
{
    for (guint i = 0; words && i < words->len; i++)
        if (ending_word_matches(g_ptr_array_index(words, i), code, status))
            return true;
    return false;
}

static RunResult ending_of_process(int code, int status, const GPtrArray *success_status, char **ret_reason)
{
    g_autofree char *name = NULL;

    if (ending_is_named_success(success_status, code, status) || (code == RUN_EXITED && status == 0))
        return RUN_SUCCESS;
    if (code == RUN_EXITED) {
        *ret_reason = ending_exit_reason(status);
        return RUN_EXIT_CODE;
    }
    name = signals_to_string(status);
    *ret_reason = g_strdup_printf("signal %s%s", name, code == RUN_DUMPED ? ", core dumped" : "");
    return code == RUN_DUMPED ? RUN_CORE_DUMP : RUN_SIGNAL;
}

RunResult ending_classify(
    int code, int status, const char *manager_result, const GPtrArray *success_status, char **ret_reason)
{
    *ret_reason = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(manager_results); i++)
        if (strcmp(manager_results[i].manager, manager_result) == 0) {
            *ret_reason = g_strdup(manager_results[i].reason);
            return manager_results[i].result;
        }
    if (code != RUN_EXITED_UNKNOWN)
        return ending_of_process(code, status, success_status, ret_reason);
    /* No process of it ever ended: it could not be started. */
    *ret_reason = g_strdup_printf("it could not be started (%s); see its log", manager_result);
    return RUN_RESOURCES;
}
