/* The names of states and results, and the table of legal transitions. */
#include "model/run.h"

static const char *const run_state_names[_RUN_STATE_MAX] = {
    [RUN_WAITING] = "waiting",
    [RUN_QUEUED] = "queued",
    [RUN_STARTING] = "starting",
    [RUN_RUNNING] = "running",
    [RUN_STOPPING] = "stopping",
    [RUN_PAUSED] = "paused",
    [RUN_DONE] = "done",
};

static const char *const run_result_names[_RUN_RESULT_MAX] = {
    [RUN_RESULT_NONE] = "",
    [RUN_SUCCESS] = "success",
    [RUN_EXIT_CODE] = "exit-code",
    [RUN_SIGNAL] = "signal",
    [RUN_CORE_DUMP] = "core-dump",
    [RUN_OOM_KILL] = "oom-kill",
    [RUN_TIMEOUT] = "timeout",
    [RUN_WATCHDOG] = "watchdog",
    [RUN_RESOURCES] = "resources",
    [RUN_CONDITION] = "condition",
    [RUN_CANCELLED] = "cancelled",
    [RUN_SKIPPED] = "skipped",
    [RUN_EXPIRED] = "expired",
    [RUN_LOST] = "lost",
    [RUN_NOT_FOUND] = "not-found",
    [RUN_DEPENDENCY] = "dependency",
};

static const char *const run_exit_code_names[] = {
    [RUN_EXITED_UNKNOWN] = "",
    [RUN_EXITED] = "exited",
    [RUN_KILLED] = "killed",
    [RUN_DUMPED] = "dumped",
};

#define TO(state) (1u << (state))

/* A retry goes back to waiting, with a later due time; a start that PID 1 refused goes back to queued. */
static const unsigned run_transitions[_RUN_STATE_MAX] = {
    [RUN_WAITING] = TO(RUN_QUEUED) | TO(RUN_DONE),
    [RUN_QUEUED] = TO(RUN_WAITING) | TO(RUN_STARTING) | TO(RUN_PAUSED) | TO(RUN_DONE),
    [RUN_STARTING] = TO(RUN_QUEUED) | TO(RUN_WAITING) | TO(RUN_RUNNING) | TO(RUN_STOPPING) | TO(RUN_DONE),
    [RUN_RUNNING] = TO(RUN_STOPPING) | TO(RUN_QUEUED) | TO(RUN_WAITING) | TO(RUN_DONE),
    [RUN_STOPPING] = TO(RUN_QUEUED) | TO(RUN_WAITING) | TO(RUN_DONE),
    [RUN_PAUSED] = TO(RUN_QUEUED) | TO(RUN_DONE),
    [RUN_DONE] = 0,
};

static int run_lookup(const char *const *names, size_t n, const char *s)
{
    if (!s)
        return -EINVAL;
    for (size_t i = 0; i < n; i++)
        if (g_str_equal(names[i], s))
            return (int)i;
    return -EINVAL;
}

const char *run_state_to_string(RunState state)
{
    return (unsigned)state < _RUN_STATE_MAX ? run_state_names[state] : NULL;
}

RunState run_state_from_string(const char *s)
{
    return (RunState)run_lookup(run_state_names, G_N_ELEMENTS(run_state_names), s);
}

bool run_state_is_under_way(RunState state)
{
    return state == RUN_STARTING || state == RUN_RUNNING || state == RUN_STOPPING;
}

const char *run_result_to_string(RunResult result)
{
    return (unsigned)result < _RUN_RESULT_MAX ? run_result_names[result] : NULL;
}

RunResult run_result_from_string(const char *s)
{
    return (RunResult)run_lookup(run_result_names, G_N_ELEMENTS(run_result_names), s);
}

bool run_state_may_follow(RunState from, RunState to)
{
    if ((unsigned)from >= _RUN_STATE_MAX || (unsigned)to >= _RUN_STATE_MAX)
        return false;
    return run_transitions[from] & TO(to);
}

const char *run_exit_code_to_string(int code)
{
    return code >= 0 && code < (int)G_N_ELEMENTS(run_exit_code_names) ? run_exit_code_names[code] : "";
}

int run_exit_code_from_string(const char *s)
{
    return run_lookup(run_exit_code_names, G_N_ELEMENTS(run_exit_code_names), s);
}
