/* Helper processes: a pidfd tells of the end, a pipe brings the output. Who was told of the end, or does not want to be,
 * is done with it: what is left is a corpse to be, which the loop owns and reaps. */
#include "base/helper-process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

/* Read in one iteration of the loop. */
#define PIECE 16384

struct HelperProcess {
    HelperProcessDataFn data;
    HelperProcessFn fn;
    void *userdata;
    size_t output_max;
    uint64_t timeout_usec;
    GString *output;
    int process, stream; /* -1: it has ended, its output has */
    bool hold;
    int r;
    sd_event_source *on_exit, *on_stream, *on_rest, *on_timeout;
};

/* --- starting --- */

/* Of the child, between its beginning and the program's: only what is safe there. What else is the daemon's goes before the
 * program is executed, however long that takes: the loop would hear of what is closed and lives on here. */
static int helper_set_files(const HelperProcessSpec *spec, int output)
{
    int input = spec->input >= 0 ? spec->input : open("/dev/null", O_RDONLY);
    int errors = spec->quiet ? open("/dev/null", O_WRONLY) : STDERR_FILENO;

    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0)
        return -errno;
    (void)close_range(STDERR_FILENO + 1, ~0U, 0);
    return 0;
}

static void helper_execute(const HelperProcessSpec *spec, int output) __attribute__((noreturn));
static void helper_execute(const HelperProcessSpec *spec, int output)
{
    const char *const *environment = spec->environment ? spec->environment : (const char *const *)environ;
    struct sigaction usual = { .sa_handler = SIG_DFL };
    sigset_t none;

    sigemptyset(&none);
    for (int i = 1; i < _NSIG; i++)
        (void)sigaction(i, &usual, NULL);
    if (helper_set_files(spec, output) >= 0 && sigprocmask(SIG_SETMASK, &none, NULL) >= 0)
        execve(spec->program, (char **)spec->argv, (char **)environment);
    _exit(127);
}

/* A fork, and not posix_spawn(): that waits until the program is executed, which is for the disk, or for whoever stops the
 * child just then, to say. */
static int helper_spawn(const HelperProcessSpec *spec, int output, pid_t *ret)
{
    if (access(spec->program, X_OK) < 0)
        return -errno;
    *ret = fork();
    if (*ret == 0)
        helper_execute(spec, output);
    return *ret < 0 ? -errno : 0;
}

/* *ret is a pidfd. */
static int helper_spawn_watched(const HelperProcessSpec *spec, int output, int *ret)
{
    pid_t pid = 0;
    int r = helper_spawn(spec, output, &pid);

    if (r < 0)
        return r;
    *ret = pidfd_open(pid, 0);
    if (*ret >= 0)
        return 0;
    r = -errno;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, WNOHANG);
    return r;
}

static int helper_start(HelperProcess *h, const HelperProcessSpec *spec)
{
    _cleanup_(util_closep) int output = -1;
    int pipes[2];

    if (spec->output >= 0)
        return helper_spawn_watched(spec, spec->output, &h->process);
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return -errno;
    h->stream = pipes[0];
    output = pipes[1];
    /* Our end alone: a program expects to write to a pipe that blocks. */
    if (fcntl(h->stream, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    return helper_spawn_watched(spec, output, &h->process);
}

/* --- ending --- */

static void helper_drop_output(HelperProcess *h)
{
    h->on_stream = sd_event_source_disable_unref(h->on_stream);
    h->on_rest = sd_event_source_disable_unref(h->on_rest);
    h->on_timeout = sd_event_source_disable_unref(h->on_timeout);
    util_closep(&h->stream);
}

/* Also what the loop calls for one that it had to give up, when it is freed itself. */
static void helper_destroy(HelperProcess *h)
{
    helper_drop_output(h);
    h->on_exit = sd_event_source_disable_unref(h->on_exit);
    util_closep(&h->process);
    g_string_free(h->output, TRUE);
    g_free(h);
}

static void on_loop_freed(void *userdata)
{
    HelperProcess *h = userdata;

    h->on_exit = NULL;
    helper_destroy(h);
}

/* True where it has ended, and then *ret says how. */
static bool helper_reap(HelperProcess *h, int *ret)
{
    siginfo_t info = { 0 };

    if (waitid(P_PIDFD, (id_t)h->process, &info, WEXITED | WNOHANG) < 0)
        *ret = -errno;
    else if (info.si_pid == 0)
        return false;
    else
        *ret = info.si_code == CLD_EXITED && info.si_status == 0 ? 0 : -EPROTO;
    return true;
}

void helper_process_kill(HelperProcess *h)
{
    if (h->process >= 0)
        pidfd_send_signal(h->process, SIGKILL, NULL, 0);
}

void helper_process_free(HelperProcess *h)
{
    int r;

    if (!h)
        return;
    h->fn = NULL;
    helper_drop_output(h);
    helper_process_kill(h);
    if (h->process < 0 || !h->on_exit || helper_reap(h, &r)) {
        helper_destroy(h);
        return;
    }
    (void)sd_event_source_set_destroy_callback(h->on_exit, on_loop_freed);
    (void)sd_event_source_set_floating(h->on_exit, true);
    sd_event_source_unref(h->on_exit);
}

static void helper_end(HelperProcess *h, int r)
{
    g_autoptr(GString) output = h->output;
    HelperProcessFn fn = h->fn;
    void *userdata = h->userdata;

    h->output = g_string_new(NULL);
    helper_process_free(h);
    fn(r, output->str, output->len, userdata);
}

/* --- what happens to it --- */

/* What it wrote before its end is read to the end, but not waited for: another process may have the pipe too. */
static void helper_read_rest(HelperProcess *h)
{
    h->on_stream = sd_event_source_disable_unref(h->on_stream);
    if (h->stream < 0)
        helper_end(h, h->r);
    else if (!h->hold)
        (void)sd_event_source_set_enabled(h->on_rest, SD_EVENT_ONESHOT);
}

static int on_exit_of_helper(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    HelperProcess *h = userdata;

    if (!helper_reap(h, &h->r))
        return 0;
    /* Before the descriptor goes: another helper that is just being executed has it for a moment too, so that the loop would
     * hear of it even after it is closed. */
    (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
    util_closep(&h->process);
    if (!h->fn) { /* it was given up before: this source is the loop's */
        (void)sd_event_source_set_destroy_callback(h->on_exit, NULL);
        (void)sd_event_source_set_floating(sd_event_source_ref(h->on_exit), false);
        helper_destroy(h);
        return 0;
    }
    h->on_exit = sd_event_source_disable_unref(h->on_exit);
    helper_read_rest(h);
    return 0;
}

/* 1: there was something, 0: there is nothing now, -ENODATA: nor will there be. */
static int helper_read(HelperProcess *h)
{
    char piece[PIECE];
    ssize_t n = read(h->stream, piece, sizeof(piece));
    int r;

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n == 0)
        return -ENODATA;
    if (h->data) {
        r = h->data(piece, (size_t)n, h->userdata);
        return r < 0 ? r : 1;
    }
    if (h->output->len + (size_t)n > h->output_max)
        return -E2BIG;
    g_string_append_len(h->output, piece, n);
    return 1;
}

static int on_stream(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    HelperProcess *h = userdata;
    int r;

    r = helper_read(h);
    if (r > 0 && h->data)
        (void)sd_event_source_set_time_relative(h->on_timeout, h->timeout_usec);
    if (r == -ENODATA) {
        h->on_stream = sd_event_source_disable_unref(h->on_stream);
        util_closep(&h->stream);
    } else if (r < 0) {
        helper_end(h, r);
    }
    return 0;
}

static int on_rest(sd_event_source *source, void *userdata)
{
    HelperProcess *h = userdata;
    int r = helper_read(h);

    if (r <= 0)
        helper_end(h, r == 0 || r == -ENODATA ? h->r : r);
    else if (!h->hold)
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
    helper_end(userdata, -ETIMEDOUT);
    return 0;
}

void helper_process_hold(HelperProcess *h, bool hold)
{
    if (h->hold == hold)
        return;
    h->hold = hold;
    if (!hold)
        (void)sd_event_source_set_time_relative(h->on_timeout, h->timeout_usec);
    (void)sd_event_source_set_enabled(h->on_timeout, hold ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
    if (h->on_stream)
        (void)sd_event_source_set_enabled(h->on_stream, hold ? SD_EVENT_OFF : SD_EVENT_ON);
    else if (h->process < 0)
        (void)sd_event_source_set_enabled(h->on_rest, hold ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static int helper_watch(HelperProcess *h, sd_event *event)
{
    int r = sd_event_add_io(event, &h->on_exit, h->process, EPOLLIN, on_exit_of_helper, h);

    if (r >= 0 && h->stream >= 0)
        r = sd_event_add_io(event, &h->on_stream, h->stream, EPOLLIN, on_stream, h);
    if (r >= 0)
        r = sd_event_add_defer(event, &h->on_rest, on_rest, h);
    if (r >= 0)
        r = sd_event_source_set_enabled(h->on_rest, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time_relative(
            event, &h->on_timeout, CLOCK_BOOTTIME, h->timeout_usec, USEC_PER_SEC / 4, on_timeout, h);
    return r;
}

int helper_process_start(sd_event *event, const HelperProcessSpec *spec, HelperProcess **ret)
{
    g_autoptr(HelperProcess) h = g_new0(HelperProcess, 1);
    int r;

    *h = (HelperProcess){
        .data = spec->data,
        .fn = spec->fn,
        .userdata = spec->userdata,
        .output_max = spec->output_max,
        .timeout_usec = spec->timeout_usec,
        .output = g_string_new(NULL),
        .process = -1,
        .stream = -1,
    };
    r = helper_start(h, spec);
    if (r >= 0)
        r = helper_watch(h, event);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&h);
    return 0;
}
