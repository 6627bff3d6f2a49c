/* From ExecMainCode, ExecMainStatus and Result to what is recorded. */
#include "model/ending.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* systemd.exec(5), "Process Exit Codes": set by the manager's child before the program is executed. */
static const struct {
    int status;
    const char *name;
    const char *meaning;
} manager_statuses[] = {
    { 200, "CHDIR", "the working directory cannot be entered" },
    { 203, "EXEC", "the program cannot be executed" },
    { 206, "FDS", "file descriptors cannot be set up" },
    { 207, "LIMITS", "a resource limit cannot be set" },
    { 208, "OOM_ADJUST", "OOMScoreAdjust= cannot be set" },
    { 209, "STDIN", "standard input cannot be set up" },
    { 214, "SETSCHEDULER", "the CPU scheduler cannot be set" },
    { 215, "CPUAFFINITY", "CPUAffinity= cannot be set" },
    { 216, "GROUP", "Group= or SupplementaryGroups= cannot be taken" },
    { 217, "USER", "User= is not known or cannot be taken" },
    { 218, "CAPABILITIES", "capabilities cannot be set" },
    { 219, "CGROUP", "the control group cannot be set up" },
    { 222, "STDOUT", "standard output cannot be set up" },
    { 224, "PAM", "the PAM session cannot be opened" },
    { 225, "NETWORK", "the network namespace cannot be set up" },
    { 226, "NAMESPACE", "the mount, UTS or IPC namespace cannot be set up" },
    { 228, "SECCOMP", "the system call filter cannot be set" },
    { 233, "RUNTIME_DIRECTORY", "RuntimeDirectory= cannot be made" },
    { 238, "STATE_DIRECTORY", "StateDirectory= cannot be made" },
    { 239, "CACHE_DIRECTORY", "CacheDirectory= cannot be made" },
    { 240, "LOGS_DIRECTORY", "LogsDirectory= cannot be made" },
    { 241, "CONFIGURATION_DIRECTORY", "ConfigurationDirectory= cannot be made" },
    { 243, "CREDENTIALS", "a credential cannot be loaded" },
};

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
    for (size_t i = 0; i < G_N_ELEMENTS(manager_statuses); i++)
        if (manager_statuses[i].status == status)
            return g_strdup_printf("%d/%s", status, manager_statuses[i].name);
    return g_strdup_printf("%d", status);
}

static char *ending_exit_reason(int status)
{
    for (size_t i = 0; i < G_N_ELEMENTS(manager_statuses); i++)
        if (manager_statuses[i].status == status)
            return g_strdup_printf(
                "exit status %d/%s: %s", status, manager_statuses[i].name, manager_statuses[i].meaning);
    return g_strdup_printf("exit status %d", status);
}

static const char *ending_signal_name(int signo)
{
    const char *name = sigabbrev_np(signo);

    return name ? name : "?";
}

/* Does a word of SuccessExitStatus= name this end? */
static bool ending_word_matches(const char *word, int code, int status)
{
    char *end;
    long number = strtol(word, &end, 10);

    if (end != word && *end == '\0')
        return code == RUN_EXITED && number == status;
    if (code == RUN_EXITED)
        return false;
    if (g_str_has_prefix(word, "SIG"))
        word += 3;
    return strcmp(word, ending_signal_name(status)) == 0;
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
    if (ending_is_named_success(success_status, code, status) || (code == RUN_EXITED && status == 0))
        return RUN_SUCCESS;
    if (code == RUN_EXITED) {
        *ret_reason = ending_exit_reason(status);
        return RUN_EXIT_CODE;
    }
    *ret_reason = g_strdup_printf(
        "signal SIG%s%s", ending_signal_name(status), code == RUN_DUMPED ? ", core dumped" : "");
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
