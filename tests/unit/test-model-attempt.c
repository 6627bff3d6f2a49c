/* How an attempt ended, and what is to be done for it next. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/attempt.h"
#include "model/ending.h"
#include "model/exit-status.h"

static GPtrArray *words(const char *text)
{
    g_auto(GStrv) v = g_strsplit(text, " ", -1);
    GPtrArray *a = g_ptr_array_new_with_free_func(g_free);

    for (char **w = v; *w; w++)
        g_ptr_array_add(a, g_strdup(*w));
    return a;
}

static void test_ending(void)
{
    const struct {
        int code, status;
        const char *manager, *success;
        RunResult result;
        const char *reason;
    } cases[] = {
        { RUN_EXITED, 0, "success", NULL, RUN_SUCCESS, NULL },
        { RUN_EXITED, 7, "exit-code", NULL, RUN_EXIT_CODE, "exit status 7" },
        { RUN_EXITED, 203, "exit-code", NULL, RUN_EXIT_CODE, "exit status 203/EXEC: " },
        { RUN_EXITED, 75, "exit-code", "75", RUN_SUCCESS, NULL },
        { RUN_EXITED, 75, "exit-code", "1 TEMPFAIL", RUN_SUCCESS, NULL },
        { RUN_EXITED, 9, "exit-code", "SIGKILL", RUN_EXIT_CODE, "exit status 9" },
        { RUN_KILLED, SIGTERM, "success", NULL, RUN_SIGNAL,
            "signal SIGTERM" }, /* the manager calls it clean */
        { RUN_KILLED, SIGTERM, "success", "SIGTERM", RUN_SUCCESS, NULL },
        { RUN_KILLED, SIGTERM, "success", "15", RUN_SIGNAL, "signal SIGTERM" },
        { RUN_KILLED, SIGRTMIN + 3, "signal", "RTMIN+3", RUN_SUCCESS, NULL },
        { RUN_KILLED, SIGRTMIN + 3, "signal", NULL, RUN_SIGNAL, "signal SIGRTMIN+3" },
        { RUN_DUMPED, SIGSEGV, "core-dump", NULL, RUN_CORE_DUMP, "signal SIGSEGV, core dumped" },
        { RUN_KILLED, SIGKILL, "timeout", NULL, RUN_TIMEOUT, "limit" },
        { RUN_EXITED, 0, "oom-kill", NULL, RUN_OOM_KILL, "memory" },
        { RUN_KILLED, SIGABRT, "watchdog", NULL, RUN_WATCHDOG, "WatchdogSec=" },
        { RUN_EXITED_UNKNOWN, 0, "resources", NULL, RUN_RESOURCES, "could not be started" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autoptr(GPtrArray) success = c->success ? words(c->success) : NULL;
        g_autofree char *reason = NULL;

        g_assert_cmpint(ending_classify(c->code, c->status, c->manager, success, &reason), ==, c->result);
        if (c->reason)
            g_assert_nonnull(strstr(reason, c->reason));
        else
            g_assert_null(reason);
    }
}

static void test_exit_names(void)
{
    for (int i = 0; i < 256; i++) {
        g_autofree char *shown = ending_status_name(i);

        g_assert_cmpint(atoi(shown), ==, i);
        if (exit_status_name(i))
            g_assert_cmpint(exit_status_from_string(exit_status_name(i)), ==, i);
    }
    g_assert_cmpint(exit_status_from_string("256"), ==, -EINVAL);
    g_assert_cmpint(exit_status_from_string("tempfail"), ==, -EINVAL);
    g_assert_cmpint(exit_status_from_string(""), ==, -EINVAL);
}

/* The manager's own list is the oracle. A later one may know more names: those we have must be the same. */
static void test_exit_names_oracle(void)
{
    const char *argv[] = { "systemd-analyze", "exit-status", "--no-pager", NULL };
    g_autofree char *tool = g_find_program_in_path(argv[0]), *out = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned known = 0, ours = 0;

    if (!tool || !g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                     NULL, NULL, &out, NULL, NULL, NULL)) {
        g_test_skip("systemd-analyze is not installed");
        return;
    }
    lines = g_strsplit(out, "\n", -1);
    for (unsigned i = 1; lines[i]; i++) {
        char name[64];
        int status;

        if (sscanf(lines[i], "%63s %d", name, &status) != 2 || !exit_status_name(status))
            continue;
        g_assert_cmpstr(exit_status_name(status), ==, name);
        known++;
    }
    for (int i = 0; i < 256; i++)
        ours += exit_status_name(i) != NULL;
    g_assert_cmpuint(known, ==, ours);
}

static void test_store(void)
{
    AttemptView v = { .phase = ATTEMPT_STARTED, .row = RUN_STARTING };

    g_assert_cmpint(attempt_decide_store(&v), ==, ATTEMPT_STORE_RUNNING);
    v.row = RUN_RUNNING;
    g_assert_cmpint(attempt_decide_store(&v), ==, ATTEMPT_STORE_NOTHING);
    v.closed = true;
    g_assert_cmpint(attempt_decide_store(&v), ==, ATTEMPT_STORE_STOPPING);
    v.main_over = true;
    g_assert_cmpint(attempt_decide_store(&v), ==, ATTEMPT_STORE_NOTHING);
    v.closed = v.main_over = false;
    v.timed_out = true;
    g_assert_cmpint(attempt_decide_store(&v), ==, ATTEMPT_STORE_STOPPING);
    v.cause = RUN_TIMEOUT;
    v.row = RUN_STOPPING;
    g_assert_cmpint(attempt_decide_store(&v), ==, ATTEMPT_STORE_NOTHING);
    v.phase = ATTEMPT_OVER;
    g_assert_cmpint(attempt_decide_store(&v), ==, ATTEMPT_STORE_END);
    v = (AttemptView){ .phase = ATTEMPT_STARTED, .row = RUN_STARTING, .deactivating = true };
    g_assert_cmpint(attempt_decide_store(&v), ==, ATTEMPT_STORE_STOPPING);
    v.row = RUN_STOPPING;
    g_assert_cmpint(attempt_decide_store(&v), ==, ATTEMPT_STORE_NOTHING);
    v = (AttemptView){ .phase = ATTEMPT_STARTED, .row = RUN_STARTING, .orphan = true };
    g_assert_cmpint(attempt_decide_store(&v), ==, ATTEMPT_STORE_NOTHING);
}

/* A signal follows only a cause that is committed, or stragglers; SIGKILL only after the grace. */
static void test_exec(void)
{
    AttemptView v = { .phase = ATTEMPT_STARTED, .row = RUN_RUNNING, .timed_out = true };

    g_assert_cmpint(attempt_decide_exec(&v), ==, ATTEMPT_EXEC_NOTHING);
    v.cause = RUN_TIMEOUT;
    g_assert_cmpint(attempt_decide_exec(&v), ==, ATTEMPT_EXEC_KILL);
    v.killed = 1;
    g_assert_cmpint(attempt_decide_exec(&v), ==, ATTEMPT_EXEC_NOTHING);
    v.grace_over = true;
    g_assert_cmpint(attempt_decide_exec(&v), ==, ATTEMPT_EXEC_KILL_HARD);
    v.killed = 2;
    g_assert_cmpint(attempt_decide_exec(&v), ==, ATTEMPT_EXEC_NOTHING);
    v.unit_changed = true;
    g_assert_cmpint(attempt_decide_exec(&v), ==, ATTEMPT_EXEC_READ);
    v = (AttemptView){ .phase = ATTEMPT_CLAIMED };
    g_assert_cmpint(attempt_decide_exec(&v), ==, ATTEMPT_EXEC_START);
    v.phase = ATTEMPT_GONE;
    g_assert_cmpint(attempt_decide_exec(&v), ==, ATTEMPT_EXEC_EVIDENCE);
    v.phase = ATTEMPT_OVER; /* released only once its end is committed */
    g_assert_cmpint(attempt_decide_exec(&v), ==, ATTEMPT_EXEC_NOTHING);
    v.phase = ATTEMPT_RECORDED;
    g_assert_cmpint(attempt_decide_exec(&v), ==, ATTEMPT_EXEC_RELEASE);
    v.phase = ATTEMPT_RELEASED;
    g_assert_cmpint(attempt_decide_exec(&v), ==, ATTEMPT_EXEC_NOTHING);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ending/classify", test_ending);
    g_test_add_func("/ending/exit-names", test_exit_names);
    g_test_add_func("/ending/exit-names-oracle", test_exit_names_oracle);
    g_test_add_func("/attempt/store", test_store);
    g_test_add_func("/attempt/exec", test_exec);
    return g_test_run();
}
