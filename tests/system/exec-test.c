/* The client of the service manager against a real one: started as root on a booted systemd. Each case starts
 * transient units of its own, and leaves none. Prints TAP. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "exec-contract.h"
#include "exec/internal.h"

#define WAIT_USEC         (60 * USEC_PER_SEC)
#define RUNTIME_DIRECTORY "/run/taskschedd"
#define OUTPUT_DIRECTORY  "/run/tsched-output"

typedef struct Answer {
    bool come;
    int r;
    char *text;
    UnitState *state; /* a copy */
    guint units;
    uint64_t number;
    Evidence evidence[4];
} Answer;

static sd_event *event;
static sd_bus *bus;
static Exec *exec;
static unsigned n_tests, n_failed, n_resync, n_changed, n_removed;
static bool up, wanted; /* wanted: a bus is to be opened again when it is lost */
static uint64_t next_run;
static Clock *kernel_clock;

static void check(bool ok, const char *format, ...) _printf_(2, 3);
static void check(bool ok, const char *format, ...)
{
    va_list ap;

    printf("%s %u - ", ok ? "ok" : "not ok", ++n_tests);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    printf("\n");
    fflush(stdout);
    n_failed += !ok;
}

/* --- the loop --- */

static uint64_t now_usec(void)
{
    return (uint64_t)g_get_monotonic_time();
}

static void turn(void)
{
    if (wanted && (!bus || sd_bus_is_open(bus) <= 0)) {
        exec_set_bus(exec, NULL);
        bus = sd_bus_flush_close_unref(bus);
        if (sd_bus_open_system(&bus) >= 0) {
            sd_bus_attach_event(bus, event, 0);
            exec_set_bus(exec, bus);
        }
    }
    sd_event_run(event, 20 * USEC_PER_MSEC);
}

static bool wait_flag(const bool *flag)
{
    uint64_t end = now_usec() + WAIT_USEC;

    while (!*flag && now_usec() < end)
        turn();
    return *flag;
}

static void pause_msec(unsigned msec)
{
    uint64_t end = now_usec() + msec * USEC_PER_MSEC;

    while (now_usec() < end)
        turn();
}

static void on_changed(const UnitState *seen, void *userdata)
{
    n_changed++;
    exec_contract_changed(seen);
}

static void on_removed(const char *unit, void *userdata)
{
    n_removed++;
    exec_contract_removed(unit);
}

static void on_resync(void *userdata)
{
    n_resync++;
}

static void on_connection(bool is_up, void *userdata)
{
    up = is_up;
}

/* --- calls that wait --- */

static void on_done(int r, const Error *error, void *userdata)
{
    Answer *a = userdata;

    a->come = true;
    a->r = r;
    a->text = g_strdup(error ? error->message : NULL);
}

static void on_state(int r, const UnitState *u, void *userdata)
{
    Answer *a = userdata;

    a->come = true;
    a->r = r;
    if (r < 0)
        return;
    a->state = unit_state_copy(u);
}

static void on_units(int r, GPtrArray *units, void *userdata)
{
    Answer *a = userdata;

    a->come = true;
    a->r = r;
    a->units = units ? units->len : 0;
}

static void on_number(int r, uint64_t number, void *userdata)
{
    Answer *a = userdata;

    a->come = true;
    a->r = r;
    a->number = number;
}

static void answer_clear(Answer *a)
{
    g_free(a->text);
    unit_state_free(a->state);
    *a = (Answer){ 0 };
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

/* --- tasks --- */

typedef struct Plan {
    const char *argv[5];
    const char *settings[6]; /* KEY=VALUE */
    const char *token, *input;
    uint64_t timeout_usec;
    uint64_t run; /* 0: the next */
} Plan;

static uint64_t last_run;

static void start(const Plan *plan, Answer *a)
{
    static const char token[] = "token-1";
    g_autoptr(GPtrArray) settings = g_ptr_array_new();
    TaskSetting items[G_N_ELEMENTS(plan->settings)];
    Task task = { .name = (char *)"exec-test", .queue = (char *)"test", .settings = settings };
    ExecStart s = { .attempt = 1,
        .task = &task,
        .path = plan->argv[0],
        .argv = (char *const *)plan->argv,
        .token = plan->token ? plan->token : token,
        .fence = 7,
        .schedule = "nightly",
        .nominal = 1700000000000042,
        .input_json = plan->input };
    int r;

    for (size_t i = 0; i < G_N_ELEMENTS(items) && plan->settings[i]; i++) {
        const char *value = strchr(plan->settings[i], '=');

        items[i] = (TaskSetting){ .key = g_strndup(plan->settings[i], (gsize)(value - plan->settings[i])),
            .value = g_strdup(value + 1) };
        g_ptr_array_add(settings, &items[i]);
        task.own_runtime_directory |= g_str_equal(items[i].key, "RuntimeDirectory");
    }
    s.timeout_usec = plan->timeout_usec ? plan->timeout_usec : USEC_INFINITY;
    last_run = s.run = plan->run ? plan->run : next_run++;
    answer_clear(a);
    r = exec_start(exec, &s, on_done, a);
    for (guint i = 0; i < settings->len; i++) {
        g_free(items[i].key);
        g_free(items[i].value);
    }
    if (r < 0)
        on_done(r, NULL, a);
}

static int start_and_wait(const Plan *plan, Answer *a)
{
    start(plan, a);
    return wait_flag(&a->come) ? a->r : -ETIME;
}

static int get(uint64_t run, Answer *a)
{
    g_autofree char *unit = exec_unit_name(run, 1);

    answer_clear(a);
    if (exec_get(exec, unit, on_state, a) < 0)
        return -EINVAL;
    return wait_flag(&a->come) ? a->r : -ETIME;
}

/* Asks again while the bus is away, and until the unit is over. */
static bool get_over(uint64_t run, Answer *a)
{
    uint64_t end = now_usec() + WAIT_USEC;

    while (now_usec() < end) {
        int r = get(run, a);

        if (r == -ENOENT || (r >= 0 && unit_state_is_over(a->state)))
            return r >= 0;
        pause_msec(20);
    }
    return false;
}

static int release(uint64_t run)
{
    g_autofree char *unit = exec_unit_name(run, 1);
    uint64_t end = now_usec() + WAIT_USEC;

    for (;;) {
        g_auto(Answer) a = { 0 };

        if (exec_release(exec, unit, on_done, &a) < 0 || !wait_flag(&a.come))
            return -EIO;
        if (a.r >= 0 || now_usec() > end)
            return a.r;
        pause_msec(50);
    }
}

static int send_signal(uint64_t run, bool main_only, int signal)
{
    g_autofree char *unit = exec_unit_name(run, 1);
    g_auto(Answer) a = { 0 };

    if (exec_kill(exec, unit, main_only, signal, on_done, &a) < 0)
        return -EINVAL;
    return wait_flag(&a.come) ? a.r : -ETIME;
}

static bool path_exists(const char *format, ...) _printf_(1, 2);
static bool path_exists(const char *format, ...)
{
    g_autofree char *path = NULL;
    struct stat st;
    va_list ap;

    va_start(ap, format);
    path = g_strdup_vprintf(format, ap);
    va_end(ap);
    return lstat(path, &st) >= 0;
}

/* Asks again while the bus is away. */
static bool left_nothing(uint64_t run)
{
    g_auto(Answer) a = { 0 };
    int r = get(run, &a);

    for (uint64_t end = now_usec() + WAIT_USEC; r < 0 && r != -ENOENT && now_usec() < end; r = get(run, &a))
        pause_msec(20);
    return r == -ENOENT && !path_exists(OUTPUT_DIRECTORY "/%" G_GUINT64_FORMAT "-1", run) &&
           !path_exists("/run/private/tsched-output/%" G_GUINT64_FORMAT "-1", run) &&
           !path_exists(RUNTIME_DIRECTORY "/input/%" G_GUINT64_FORMAT "-1", run);
}

static void command(const char *line)
{
    g_autofree char *err = NULL;
    int status = -1;

    if (!g_spawn_command_line_sync(line, NULL, &err, &status, NULL) || status != 0)
        printf("# %s: status %d %s\n", line, status, util_strempty(err));
}

/* --- cases --- */

static void check_end(
    const char *what, uint64_t run, const char *active, const char *result, int code, int status)
{
    g_auto(Answer) a = { 0 };

    if (!get_over(run, &a)) {
        check(false, "%s: there is no end", what);
        return;
    }
    check(g_str_equal(a.state->active_state, active) && g_str_equal(a.state->result, result) &&
              a.state->main_code == code && a.state->main_status == status,
        "%s: %s, %s, %d, %d", what, a.state->active_state, a.state->result, a.state->main_code,
        a.state->main_status);
}

static void test_ends(void)
{
    static const struct {
        const char *what;
        Plan plan;
        const char *active, *result;
        int code, status;
    } cases[] = {
        { "exit 0", { .argv = { "/bin/sh", "-c", "exit 0" } }, "active", "success", 1, 0 },
        { "exit 1", { .argv = { "/bin/sh", "-c", "exit 1" } }, "failed", "exit-code", 1, 1 },
        { "exit 2", { .argv = { "/bin/sh", "-c", "exit 2" } }, "failed", "exit-code", 1, 2 },
        { "exit 3", { .argv = { "/bin/sh", "-c", "exit 3" } }, "failed", "exit-code", 1, 3 },
        { "death by SIGKILL", { .argv = { "/bin/sh", "-c", "kill -9 $$" } }, "failed", "signal", 2, 9 },
        { "death by SIGTERM", { .argv = { "/bin/sh", "-c", "kill -15 $$" } }, "active", "success", 2, 15 },
        { "a missing program", { .argv = { "/nonexistent" } }, "failed", "exit-code", 1, 203 },
        { "an unknown user", { .argv = { "/bin/true" }, .settings = { "User=nobody-at-all" } }, "failed",
            "exit-code", 1, 217 },
        { "a timeout", { .argv = { "/bin/sleep", "99" }, .timeout_usec = 300 * USEC_PER_MSEC }, "failed",
            "timeout", 2, 15 },
    };

    ARRAY_FOREACH (c, cases) {
        g_auto(Answer) a = { 0 };
        int r = start_and_wait(&c->plan, &a);

        check(r == EXEC_STARTED, "%s: started (%d %s)", c->what, r, util_strempty(a.text));
        check_end(c->what, last_run, c->active, c->result, c->code, c->status);
        check(release(last_run) == 0 && left_nothing(last_run), "%s: released, and nothing is left", c->what);
    }
}

static void test_properties(void)
{
    const Plan plan = { .argv = { "/bin/sh", "-c",
                            "env >$TASKSCHEDD_OUTPUT; cat $CREDENTIALS_DIRECTORY/input >>$TASKSCHEDD_OUTPUT;"
                            "printf '%s|%s' \"$0\" '$HOME'  >>$TASKSCHEDD_OUTPUT",
                            "${PATH} $$ %n" },
        .settings = { "DynamicUser=yes", "Environment=OWN=1", "Environment=" },
        .token = "secret-claim",
        .input = "{\"a\":1}",
        .timeout_usec = 5 * USEC_PER_SEC };
    const char *const expected[] = { "TASKSCHEDD_TASK=exec-test\n", "TASKSCHEDD_ATTEMPT=1\n",
        "TASKSCHEDD_SCHEDULE=nightly\n", "TASKSCHEDD_NOMINAL=2023-11-14T22:13:20.000042Z\n",
        "TASKSCHEDD_FENCE=7\n", "{\"a\":1}", "${PATH} $$ %n|$HOME" };
    g_auto(Answer) a = { 0 };
    g_auto(Error) error = { 0 };
    g_autoptr(GBytes) output = NULL;
    int r = start_and_wait(&plan, &a);

    check(r == EXEC_STARTED && get_over(last_run, &a), "the dynamic user's task runs (%d %s)", r,
        util_strempty(a.text));
    check(a.state && g_str_equal(a.state->token, "secret-claim") && strlen(a.state->invocation_id) == 32 &&
              a.state->remain_after_exit && a.state->runtime_max_usec == plan.timeout_usec &&
              a.state->started != UNSET && a.state->exited >= a.state->started && a.state->run == last_run,
        "the unit tells its claim, its times and what is in force");
    r = exec_read_output(exec, last_run, 1, 65536, &output, &error);
    check(r == 0 && output, "its output is read (%d %s)", r, util_strempty(error.message));
    ARRAY_FOREACH (text, expected) {
        g_autofree char *shown = g_strescape(*text, NULL);
        size_t size = 0;
        const char *data = output ? g_bytes_get_data(output, &size) : "";

        check(g_strstr_len(data, (gssize)size, *text) != NULL, "the task was given %s", shown);
    }
    check(release(last_run) == 0 && left_nothing(last_run), "released, and nothing is left");
}

static void test_refusals(void)
{
    static const char latin1[] = { 'n', (char)0xe4, 0 };
    const Plan plans[] = {
        { .argv = { "" } },
        { .argv = { "/bin/true" }, .settings = { "CPUQuotaPeriodSec=nonsense" } },
        { .argv = { "/bin/echo", latin1 } },
    };

    ARRAY_FOREACH (plan, plans) {
        g_auto(Answer) a = { 0 };
        int r = start_and_wait(plan, &a);

        check(r == EXEC_REFUSED && a.text, "refused: %s (%d)", util_strempty(a.text), r);
        check(left_nothing(last_run), "and nothing is left");
    }
}

static void test_exists(void)
{
    Plan plan = { .argv = { "/bin/sleep", "60" }, .token = "first" };
    g_auto(Answer) a = { 0 };
    int r = start_and_wait(&plan, &a);

    plan.run = last_run;
    plan.token = "second";
    check(r == EXEC_STARTED && start_and_wait(&plan, &a) == EXEC_EXISTS, "the same name again: it exists");
    check(get(last_run, &a) == 0 && g_str_equal(a.state->token, "first"), "and is the first claim's");
    answer_clear(&a);
    r = exec_list(exec, on_units, &a);
    wait_flag(&a.come);
    check(r == 0 && a.r == 0 && a.units == 1, "it is the one unit of the list (%d, %u)", a.r, a.units);
    check(send_signal(last_run, true, SIGUSR1) == 0, "a signal reaches its main process");
    check(get_over(last_run, &a) && a.state->main_code == 2 && a.state->main_status == SIGUSR1,
        "which ends of it");
    check(send_signal(last_run, true, SIGUSR1) == -ESRCH, "then nobody is there to be signalled");
    check(release(last_run) == 0 && left_nothing(last_run), "released");
    check(send_signal(last_run, true, SIGUSR1) == -ENOENT && release(last_run) == 0,
        "then there is no unit to be signalled, and it is released already");
}

/* What proves that an attempt began stays when its unit goes, whatever the task sees of the file system. */
static void test_directories(void)
{
    static const char *const settings[][2] = { { "DynamicUser=yes" }, { "TemporaryFileSystem=/run" },
        { "RootDirectory=/srv/exec-root", "BindReadOnlyPaths=/usr /bin /lib -/lib64" } };

    command("mkdir -p /srv/exec-root/run");
    ARRAY_FOREACH (s, settings) {
        Plan plan = { .argv = { "/bin/sleep", "60" }, .settings = { (*s)[0], (*s)[1] } };
        g_auto(Answer) a = { 0 };
        int r = start_and_wait(&plan, &a);
        g_autofree char *unit = exec_unit_name(last_run, 1),
                        *stop = g_strdup_printf("systemctl stop %s", unit);

        command(stop);
        for (unsigned i = 0; i < 500 && get(last_run, &a) != -ENOENT; i++)
            pause_msec(20);
        check(r == EXEC_STARTED && a.r == -ENOENT && output_is_left(exec, unit), "%s: it has one", **s);
        check(release(last_run) == 0 && !output_is_left(exec, unit), "%s: until it is released", **s);
    }
}

static void test_left_behind(void)
{
    const Plan plan = { .argv = { "/bin/sh", "-c", "sleep 60 & sleep 60 & exit 0" } };
    g_auto(Answer) a = { 0 };
    int r = start_and_wait(&plan, &a);
    g_autofree char *group = NULL;

    check(r == EXEC_STARTED && get_over(last_run, &a), "main ends, others stay");
    group = g_strdup(a.state ? a.state->control_group : "");
    check(exec_cgroup_populated(exec, group) == 1, "the control group is populated: %s", group);
    check(send_signal(last_run, false, SIGKILL) == 0, "all are killed");
    for (unsigned i = 0; i < 200 && exec_cgroup_populated(exec, group) != 0; i++)
        pause_msec(10);
    check(exec_cgroup_populated(exec, group) == 0, "the control group is empty");
    check(get(last_run, &a) == 0 && a.state->main_code == 1 && a.state->main_status == 0,
        "the end of main is still told");
    check(release(last_run) == 0 && left_nothing(last_run), "released");
}

static void test_hostile_output(void)
{
    static const struct {
        const char *script;
        int r;
    } cases[] = {
        { "ln -s /etc/shadow $TASKSCHEDD_OUTPUT", -ELOOP },
        { "echo a >$TASKSCHEDD_OUTPUT; ln $TASKSCHEDD_OUTPUT $TASKSCHEDD_OUTPUT.2", -EMLINK },
        { "mkfifo $TASKSCHEDD_OUTPUT", -EBADF },
        { "mkdir $TASKSCHEDD_OUTPUT", -EBADF },
        { "head -c 1001 /dev/zero >$TASKSCHEDD_OUTPUT", -E2BIG },
        { "truncate -s 1T $TASKSCHEDD_OUTPUT", -E2BIG },
        { "head -c 1000 /dev/zero >$TASKSCHEDD_OUTPUT", 0 },
        { "true", 0 },
        { "cd ${TASKSCHEDD_OUTPUT%/*}; for i in $(seq 200); do mkdir d; cd d; done; echo >f", 0 },
        { "cd ${TASKSCHEDD_OUTPUT%/*}; seq 3000 | xargs touch; mkdir .moved-0; ln -s / link", 0 },
    };

    ARRAY_FOREACH (c, cases) {
        const Plan plan = { .argv = { "/bin/sh", "-c", c->script }, .settings = { "User=nobody" } };
        g_auto(Answer) a = { 0 };
        g_auto(Error) error = { 0 };
        g_autoptr(GBytes) output = NULL;
        int r = start_and_wait(&plan, &a);

        get_over(last_run, &a);
        check(r == EXEC_STARTED && a.state && a.state->main_status == 0, "%s", c->script);
        r = exec_read_output(exec, last_run, 1, 1000, &output, &error);
        check(r == c->r && (r == 0 || error.message), "its output: %d %s", r, util_strempty(error.message));
        check(release(last_run) == 0 && left_nothing(last_run), "released, and nothing is left");
    }
    check(path_exists("/etc/shadow"), "what a link named is still there");
}

/* Several runs under way, and their manager or its bus disturbed in the middle. */
static void test_disturbed(const char *line)
{
    enum { N = 12 };
    Answer answers[N] = { 0 };
    uint64_t runs[N];
    unsigned right = 0, released = 0, before = n_resync;
    bool disturbed = false, over = false;
    int started = -1;

    for (unsigned i = 0; i < N; i++) {
        g_autofree char *script = g_strdup_printf("sleep 0.%u; exit %u", i % 10, i % 4);
        const Plan plan = { .argv = { "/bin/sh", "-c", script } };

        start(&plan, &answers[i]);
        runs[i] = last_run;
        if (i == N / 2) {
            g_auto(GStrv) words = g_strsplit(line, " ", -1);

            disturbed = g_spawn_async(NULL, words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL);
            pause_msec(30);
        }
    }
    for (unsigned i = 0; i < N; i++)
        wait_flag(&answers[i].come);
    for (unsigned i = 0; i < N; i++) {
        g_autofree char *script = g_strdup_printf("sleep 0.%u; exit %u", i % 10, i % 4);
        const Plan plan = { .argv = { "/bin/sh", "-c", script }, .run = runs[i] };

        for (unsigned n = 0; n < 200; n++) {
            if (answers[i].r == EXEC_STARTED || answers[i].r == EXEC_EXISTS) {
                started = answers[i].r;
                over = get_over(runs[i], &answers[i]);
                if (!over || !answers[i].state->never_ran)
                    break;
                printf("# run %u: nothing was executed, again\n", i);
                release(runs[i]);
            }
            pause_msec(50);
            start_and_wait(&plan, &answers[i]);
        }
        if (over && answers[i].state->main_code == 1 && answers[i].state->main_status == (int)(i % 4))
            right++;
        else
            printf("# run %u of %u: started %d, over %d, state %s, main %d %d\n", i, N, started, over,
                over ? answers[i].state->active_state : "", over ? answers[i].state->main_code : -1,
                over ? answers[i].state->main_status : -1);
        released += release(runs[i]) == 0 && left_nothing(runs[i]);
        answer_clear(&answers[i]);
    }
    check(disturbed && right == N, "%s: %u of %u ends are right", line, right, N);
    check(released == N, "%s: %u of %u are released", line, released, N);
    for (unsigned i = 0; i < 200 && (n_resync == before || !up); i++)
        pause_msec(50);
    check(up && n_resync > before, "%s: connected, and told to read again %u times", line, n_resync - before);
}

/* More starts, and then more stops, than PID 1 can have unfinished without losing its bus. */
static void test_many(void)
{
    enum { N = 700 };
    static Answer answers[N];
    const Plan plan = { .argv = { "/bin/true" } };
    unsigned before = n_resync, right = 0, released = 0;
    uint64_t first = 0;

    for (unsigned i = 0; i < N; i++) {
        start(&plan, &answers[i]);
        first = i == 0 ? last_run : first;
    }
    for (unsigned i = 0; i < N; i++)
        right += wait_flag(&answers[i].come) && answers[i].r == EXEC_STARTED;
    for (unsigned i = 0; i < N; i++) {
        g_autofree char *unit = exec_unit_name(first + i, 1);

        answer_clear(&answers[i]);
        if (exec_release(exec, unit, on_done, &answers[i]) < 0)
            answers[i] = (Answer){ .come = true, .r = -EIO };
    }
    for (unsigned i = 0; i < N; i++)
        released += wait_flag(&answers[i].come) && answers[i].r >= 0;
    check(right == N && released == N, "many at once: %u of %u are started, %u released", right, N, released);
    check(up && n_resync == before, "and the manager kept its bus: read again %u times", n_resync - before);
}

static void test_cancelled(void)
{
    const Plan plan = { .argv = { "/bin/true" } };
    g_auto(Answer) a = { 0 }, b = { 0 };

    start(&plan, &a);
    wanted = false;
    exec_set_bus(exec, NULL);
    check(!a.come, "an answer does not come from within a call");
    check(wait_flag(&a.come) && a.r == -ENOTCONN, "without a bus a start has no answer (%d)", a.r);
    start(&plan, &b);
    exec_free(exec);
    exec = NULL;
    check(b.come && b.r == -ECANCELED, "what is under way when all is freed is cancelled (%d)", b.r);
}

static void on_evidence(const Evidence *evidence, size_t n, void *userdata)
{
    Answer *a = userdata;

    a->come = true;
    a->units = (guint)n;
    for (size_t i = 0; i < n && i < G_N_ELEMENTS(a->evidence); i++)
        a->evidence[i] = evidence[i];
}

static uint64_t now_real(void)
{
    return clock_real(kernel_clock);
}

static uint64_t now_monotonic(void)
{
    return clock_monotonic(kernel_clock);
}

/* What a claim that is made now is stamped with. */
static EvidenceQuery claim_now(void)
{
    return (EvidenceQuery){ "", "", now_real(), clock_boot_id(kernel_clock), now_monotonic() };
}

static Evidence ask_evidence(const char *unit, EvidenceQuery query)
{
    const Evidence none = { .verdict = (EvidenceVerdict)-1 };
    g_auto(Answer) a = { 0 };

    query.unit = unit;
    if (exec_evidence(exec, &query, 1, on_evidence, &a) < 0 || !wait_flag(&a.come) || a.units != 1)
        return none;
    return a.evidence[0];
}

/* The journal of a unit that ran and is gone is removed: of that claim nothing is known any more, and of those since then
 * all, once the manager has written a line that says so. */
static void test_lost_journal(const EvidenceQuery *claimed)
{
    const Plan plan = { .argv = { "/bin/sh", "-c", "exit 3" } };
    g_autofree char *unit = NULL;
    g_auto(Answer) a = { 0 }, b = { 0 };
    EvidenceQuery behind = *claimed;
    Evidence e;

    start_and_wait(&plan, &a);
    get_over(last_run, &a);
    unit = exec_unit_name(last_run, 1);
    release(last_run);
    command("journalctl --quiet --sync --rotate");
    command("journalctl --quiet --vacuum-size=1");
    e = ask_evidence(unit, *claimed);
    check(e.verdict == EVIDENCE_UNKNOWN, "of a unit whose journal was removed nothing is known (%d)",
        (int)e.verdict);
    start_and_wait(&plan, &b);
    get_over(last_run, &b);
    release(last_run);
    behind.claimed = now_real();
    e = ask_evidence(unit, behind);
    check(e.verdict == EVIDENCE_UNKNOWN,
        "nor from a new journal, which began before the claim by a clock that was set back (%d)",
        (int)e.verdict);
    e = ask_evidence("tsched-run-1-1.service", claim_now());
    check(e.verdict == EVIDENCE_NEVER, "what is claimed since then is known again (%d)", (int)e.verdict);
}

/* What the journal says of units that are gone. */
static void test_evidence(void)
{
    const EvidenceQuery claimed = claim_now();
    EvidenceQuery early = claimed;
    Evidence e;

    e = ask_evidence("tsched-run-1-1.service", claimed);
    check(e.verdict == EVIDENCE_NEVER, "of a unit that never was it has never heard (%d)", (int)e.verdict);
    early.claimed_monotonic = 1;
    e = ask_evidence("tsched-run-1-1.service", early);
    check(e.verdict == EVIDENCE_UNKNOWN, "but not of a time before its journal began (%d)", (int)e.verdict);
    test_lost_journal(&claimed);
    command("systemctl kill -s KILL systemd-journald.service");
    pause_msec(500);
    e = ask_evidence("tsched-run-1-1.service", claimed);
    check(e.verdict == EVIDENCE_UNKNOWN, "nor where journald was started since (%d)", (int)e.verdict);
}

static void test_manager_stamp(void)
{
    g_auto(Answer) a = { 0 };

    exec_manager_stamp(exec, on_number, &a);
    wait_flag(&a.come);
    check(a.come && a.r == 0 && a.number > 0 && a.number != UNSET,
        "the manager's stamp is %" G_GUINT64_FORMAT, a.number);
}

/* The unit is ordered after the daemon's, whose own start is under way: its job waits, and nothing of it is over. */
static void test_waiting(void)
{
    static const char drop_in[] = "[Service]\nType=oneshot\nRestart=no\nExecStart=\nExecStart=/bin/sleep 3\n";
    const Plan plan = { .argv = { "/bin/sleep", "60" } };
    g_auto(Answer) a = { 0 }, state = { 0 };
    unsigned seen = 0, over = 0;

    g_mkdir_with_parents("/run/systemd/system/taskschedd.service.d", 0755);
    g_file_set_contents("/run/systemd/system/taskschedd.service.d/slow.conf", drop_in, -1, NULL);
    command("systemctl daemon-reload");
    command("systemctl start --no-block taskschedd.service");
    start(&plan, &a);
    for (unsigned i = 0; i < 100 && !a.come; i++) {
        if (get(last_run, &state) == 0 && !a.come) {
            seen++;
            over += unit_state_is_over(state.state);
        }
        pause_msec(50);
    }
    check(seen > 10 && over == 0, "while its start waits it is seen %u times, and %u times as over", seen,
        over);
    check(wait_flag(&a.come) && a.r == EXEC_STARTED, "then it is started (%d)", a.r);
    check(send_signal(last_run, false, SIGKILL) == 0 && get_over(last_run, &state) && release(last_run) == 0,
        "ended, and released");
    unlink("/run/systemd/system/taskschedd.service.d/slow.conf");
    rmdir("/run/systemd/system/taskschedd.service.d");
    command("systemctl daemon-reload");
}

static void stop_by_hand(const char *unit)
{
    g_autofree char *line = g_strdup_printf("systemctl stop %s", unit);

    command(line);
}

static void test_contract(void)
{
    const ExecContract contract = { exec, next_run, now_real, now_monotonic, clock_boot_id(kernel_clock),
        turn, NULL, stop_by_hand, check };

    exec_contract(&contract);
    exec_jobs(&contract);
    exec_notes(&contract);
    next_run += 1000;
}

/* Run by itself, while the machine goes down and the bus is still there. */
static int test_shutting_down(void)
{
    const Plan plan = { .argv = { "/bin/true" }, .input = "{}" };
    g_auto(Answer) a = { 0 };

    wait_flag(&up);
    start_and_wait(&plan, &a);
    check(a.r == EXEC_SHUTTING_DOWN && left_nothing(last_run), "not now: %d %s", a.r, util_strempty(a.text));
    printf("1..%u\n", n_tests);
    return n_failed > 0;
}

static void make_exec(void)
{
    const ExecConfig config = { .runtime_directory = RUNTIME_DIRECTORY,
        .output_directory = OUTPUT_DIRECTORY };
    const ExecEvents events = { on_changed, on_removed, on_resync, on_connection };

    g_mkdir_with_parents(RUNTIME_DIRECTORY, 0755);
    if (exec_new(event, &config, &events, NULL, &exec) < 0)
        g_error("no client");
    wanted = true;
    turn();
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && g_str_equal(argv[1], "--helper=evidence"))
        return evidence_helper_main();
    next_run = (uint64_t)g_get_real_time() * 10;
    sd_event_default(&event);
    clock_new(event, &kernel_clock);
    make_exec();
    if (argc == 2 && g_str_equal(argv[1], "shutting-down"))
        return test_shutting_down();
    check(wait_flag(&up), "connected to the service manager");
    test_manager_stamp();
    test_contract();
    test_waiting();
    test_ends();
    test_properties();
    test_refusals();
    test_exists();
    test_directories();
    test_left_behind();
    test_hostile_output();
    test_evidence();
    test_many();
    test_disturbed("systemctl daemon-reload");
    test_disturbed("systemctl daemon-reexec");
    command("systemctl reset-failed dbus.service dbus.socket");
    test_disturbed("systemctl kill -s KILL dbus.service");
    check(n_changed > 0 && n_removed > 0, "%u changes and %u removals were told", n_changed, n_removed);
    test_cancelled();
    printf("1..%u\n", n_tests);
    return n_failed > 0;
}
