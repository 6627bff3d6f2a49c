/* Start jobs that end before there is a process: where a unit that it requires fails, and where an administrator stops what
 * has not begun. That is no start, and nothing is left. Of a real service manager alone. */
#include <glib/gstdio.h>

#include "exec-contract.h"

#define WAIT_USEC (60 * USEC_PER_SEC)
#define UNITS     "/run/systemd/system/"
#define GATE      UNITS "exec-jobs-gate.service"
#define DROP_IN   UNITS "tsched-run-.service.d"
#define RAN       "/run/exec-jobs-ran"
#define GO        "/run/exec-jobs-go" /* the gate fails as soon as it is there */

typedef struct Told {
    bool come;
    int r;
} Told;

static const ExecContract *c;

static void on_done(int r, const Error *error, void *userdata)
{
    *(Told *)userdata = (Told){ true, r };
}

static void on_state(int r, const UnitState *u, void *userdata)
{
    *(Told *)userdata = (Told){ true, r };
}

static bool await(const Told *t)
{
    uint64_t end = c->now() + WAIT_USEC;

    while (!t->come && c->now() < end)
        c->turn();
    return t->come;
}

static void command(const char *line)
{
    int status = -1;

    c->check(
        g_spawn_command_line_sync(line, NULL, NULL, &status, NULL) && status == 0, "%s: %d", line, status);
}

static void start(uint64_t run, Told *t)
{
    static const char *const argv[] = { "/bin/touch", RAN, NULL };
    g_autoptr(GPtrArray) settings = g_ptr_array_new();
    Task task = { .name = (char *)"jobs", .queue = (char *)"test", .settings = settings };
    ExecStart s = { .run = run,
        .attempt = 1,
        .task = &task,
        .path = argv[0],
        .argv = (char *const *)argv,
        .token = "token",
        .nominal = UNSET,
        .input_json = "{}",
        .timeout_usec = USEC_INFINITY };

    c->check(exec_start(c->exec, &s, on_done, t) >= 0, "its start is asked for");
}

static bool is_there(const char *unit)
{
    Told t = { 0 };

    return exec_get(c->exec, unit, on_state, &t) >= 0 && await(&t) && t.r != -ENOENT;
}

static bool is_released(const char *unit)
{
    Told t = { 0 };

    return exec_release(c->exec, unit, on_done, &t) >= 0 && await(&t) && t.r >= 0 && !is_there(unit);
}

static void check_job(uint64_t run, bool stopped)
{
    g_autofree char *unit = exec_unit_name(run, 1), *stop = g_strconcat("systemctl stop ", unit, NULL);
    Told t = { 0 };

    start(run, &t);
    if (stopped) {
        while (!t.come && !is_there(unit))
            c->turn();
        command(stop);
    }
    /* Told by the job, or found by whoever looks at the unit then. */
    c->check(await(&t) && (t.r < 0 || t.r == EXEC_GONE || (t.r == EXEC_STARTED && !is_there(unit))),
        "what it waits for %s: it has not begun (%d)", stopped ? "goes on, and it is stopped" : "fails", t.r);
    c->check(is_released(unit) && g_access(RAN, F_OK) < 0, "nothing was executed, and nothing is left");
}

void exec_jobs(const ExecContract *contract)
{
    c = contract;
    g_mkdir_with_parents(DROP_IN, 0755);
    g_file_set_contents(DROP_IN "/gate.conf",
        "[Unit]\nRequires=exec-jobs-gate.service\nAfter=exec-jobs-gate.service\n", -1, NULL);
    g_file_set_contents(GATE,
        "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'until [ -e " GO " ]; do sleep 0.1; done; exit 1'\n",
        -1, NULL);
    command("systemctl daemon-reload");
    check_job(contract->run + 900, true);
    command("systemctl stop exec-jobs-gate.service");
    g_file_set_contents(GO, "", -1, NULL);
    check_job(contract->run + 901, false);
    g_unlink(GO);
    g_unlink(GATE);
    g_unlink(DROP_IN "/gate.conf");
    g_rmdir(DROP_IN);
    command("systemctl daemon-reload");
}
