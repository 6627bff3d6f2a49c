/* A run's states, results and the one table of what may follow what. */
#pragma once

#include "base/util.h"

typedef enum RunState {
    RUN_WAITING,
    RUN_QUEUED,
    RUN_STARTING,
    RUN_RUNNING,
    RUN_STOPPING,
    RUN_PAUSED, /* workflow runs only */
    RUN_DONE,
    _RUN_STATE_MAX,
    _RUN_STATE_INVALID = -EINVAL,
} RunState;

typedef enum RunResult {
    RUN_RESULT_NONE, /* not done yet; its name is "" */
    RUN_SUCCESS,
    RUN_EXIT_CODE,
    RUN_SIGNAL,
    RUN_CORE_DUMP,
    RUN_OOM_KILL,
    RUN_TIMEOUT,
    RUN_WATCHDOG,
    RUN_RESOURCES,
    RUN_CONDITION,
    RUN_CANCELLED,
    RUN_SKIPPED,
    RUN_EXPIRED,
    RUN_LOST,
    RUN_NOT_FOUND,
    RUN_DEPENDENCY,
    _RUN_RESULT_MAX,
    _RUN_RESULT_INVALID = -EINVAL,
} RunResult;

const char *run_state_to_string(RunState state);
RunState run_state_from_string(const char *s);
/* A node has it in its hands. */
bool run_state_is_under_way(RunState state);
const char *run_result_to_string(RunResult result);
RunResult run_result_from_string(const char *s);

/* May a run go from one state to the other? Staying is not a transition. */
bool run_state_may_follow(RunState from, RunState to);

/* systemd's codes of how a process ended: si_code of SIGCHLD. */
typedef enum RunExitCode {
    RUN_EXITED_UNKNOWN = 0,
    RUN_EXITED = 1,
    RUN_KILLED = 2,
    RUN_DUMPED = 3,
} RunExitCode;

/* "exited", "killed", "dumped"; "" for unknown. */
const char *run_exit_code_to_string(int code);
int run_exit_code_from_string(const char *s);
