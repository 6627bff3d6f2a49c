/* From a run's result to an exit code. */
#include "ctl/exits.h"

#include "ctl/text.h"

int exits_of_run(JsonObject *run)
{
    const char *result = text_member(run, "Result");
    const char *code = text_member(run, "ExitCode");
    int64_t status = json_object_get_int_member_with_default(run, "ExitStatus", -1);
    /* The process alone decides these; any other result is somebody's decision about the run. */
    static const char *const own[] = { "exit-code", "signal", "core-dump", "oom-kill", NULL };

    /* What SuccessExitStatus= declares a success is one here too. */
    if (g_str_equal(result, "success"))
        return EXITS_OK;
    if (g_str_equal(result, "timeout"))
        return EXITS_TIMEOUT;
    if (!g_strv_contains(own, result))
        return EXITS_NO_STATUS;
    if (g_str_equal(code, "exited") && status > 0 && status <= 255)
        return (int)status;
    if ((g_str_equal(code, "killed") || g_str_equal(code, "dumped")) && status > 0 && status < 127)
        return 128 + (int)status;
    return EXITS_NO_STATUS;
}
