/* What the journal keeps of a recorded end. */
#include "exec/internal.h"

static void end_add_time(GPtrArray *fields, const char *name, uint64_t usec)
{
    if (usec != UNSET)
        g_ptr_array_add(fields, g_strdup_printf("%s=%" G_GUINT64_FORMAT, name, usec));
}

char **exec_end_fields(const ExecEnd *end)
{
    GPtrArray *fields = g_ptr_array_new();

    g_ptr_array_add(fields, g_strdup_printf(EXEC_END_TOKEN "=%s", util_strempty(end->token)));
    g_ptr_array_add(fields, g_strdup_printf(EXEC_END_RESULT "=%s", run_result_to_string(end->result)));
    if (end->code != RUN_EXITED_UNKNOWN) {
        g_ptr_array_add(fields, g_strdup_printf("EXIT_CODE=%s", run_exit_code_to_string(end->code)));
        g_ptr_array_add(fields, g_strdup_printf("EXIT_STATUS=%d", end->status));
    }
    end_add_time(fields, EXEC_END_STARTED, end->started);
    end_add_time(fields, EXEC_END_FINISHED, end->ended);
    g_ptr_array_add(fields, NULL);
    return (char **)g_ptr_array_free(fields, FALSE);
}
