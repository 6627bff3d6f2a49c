/* Helper processes that do what they should not, and what is told of them: each exactly once. */
#include "base/helper-process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* Nothing here takes as long, were the machine ever so slow. */
#define LONG_USEC (120 * USEC_PER_SEC)

typedef struct Told {
    sd_event *event;
    HelperProcess *process;
    unsigned ends, pieces;
    int r;
    GString *output;
    bool hold;    /* after the first piece */
    int data_ret; /* what is said to each piece */
} Told;

static int on_data(const char *data, size_t length, void *userdata)
{
    Told *t = userdata;

    g_assert_cmpuint(t->ends, ==, 0);
    g_assert_cmpuint(length, >, 0);
    t->pieces++;
    g_string_append_len(t->output, data, (gssize)length);
    if (t->hold)
        helper_process_hold(t->process, true);
    return t->data_ret;
}

static void on_end(int r, const char *output, size_t length, void *userdata)
{
    Told *t = userdata;

    t->ends++;
    t->r = r;
    t->process = NULL;
    g_assert_true(output[length] == '\0');
    g_string_append_len(t->output, output, (gssize)length);
}

static void told_begin(Told *t, const void *data)
{
    *t = (Told){ .output = g_string_new(NULL) };
    g_assert_cmpint(sd_event_new(&t->event), >=, 0);
}

static void told_end(Told *t, const void *data)
{
    helper_process_free(t->process);
    sd_event_unref(t->event);
    g_string_free(t->output, TRUE);
}

static HelperProcessSpec spec_of(Told *t)
{
    return (HelperProcessSpec){
        .input = -1,
        .output = -1,
        .output_max = 100000,
        .timeout_usec = LONG_USEC,
        .fn = on_end,
        .userdata = t,
    };
}

static void start(Told *t, HelperProcessSpec spec, const char *script)
{
    const char *const argv[] = { "sh", "-c", script, NULL };

    spec.program = "/bin/sh";
    spec.argv = argv;
    g_assert_cmpint(helper_process_start(t->event, &spec, &t->process), ==, 0);
    g_assert_nonnull(t->process);
    g_assert_cmpuint(t->ends, ==, 0);
}

static void turn_until_end(Told *t)
{
    while (t->ends == 0)
        g_assert_cmpint(sd_event_run(t->event, LONG_USEC), >, 0);
    /* And never again. */
    for (int i = 0; i < 5; i++)
        (void)sd_event_run(t->event, 1000);
    g_assert_cmpuint(t->ends, ==, 1);
}

/* No child is left, not even dead, once the loop has turned a while. */
static void turn_until_reaped(Told *t)
{
    while (waitpid(-1, NULL, WNOHANG) == 0)
        (void)sd_event_run(t->event, 10000);
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
    g_assert_cmpint(errno, ==, ECHILD);
}

static void told_is(const Told *t, int r, const char *output)
{
    g_assert_cmpint(t->r, ==, r);
    g_assert_cmpstr(t->output->str, ==, output);
}

static void test_plain(Told *t, const void *data)
{
    start(t, spec_of(t), "echo one; echo two; read x || echo nothing");
    turn_until_end(t);
    told_is(t, 0, "one\ntwo\nnothing\n");
    turn_until_reaped(t);
}

static void test_input(Told *t, const void *data)
{
    HelperProcessSpec spec = spec_of(t);
    int pipes[2];

    g_assert_cmpint(pipe2(pipes, O_CLOEXEC), ==, 0);
    g_assert_cmpint(write(pipes[1], "given\n", 6), ==, 6);
    close(pipes[1]);
    spec.input = pipes[0];
    start(t, spec, "read x; echo $x");
    close(pipes[0]);
    turn_until_end(t);
    told_is(t, 0, "given\n");
}

/* What the daemon does with its signals is none of a program's business. */
static void test_signals(Told *t, const void *data)
{
    guint64 blocked = 0, ignored = 0;
    sigset_t term, before;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    g_assert_cmpint(sigprocmask(SIG_BLOCK, &term, &before), ==, 0);
    g_assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    start(t, spec_of(t), "exec grep -E '^Sig(Blk|Ign)' /proc/self/status");
    turn_until_end(t);
    g_assert_cmpint(t->r, ==, 0);
    g_assert_cmpint(sscanf(t->output->str, "SigBlk: %" G_GINT64_MODIFIER "x SigIgn: %" G_GINT64_MODIFIER "x",
                        &blocked, &ignored),
        ==, 2);
    g_assert_cmphex((blocked | ignored) & (1 << (SIGTERM - 1) | 1 << (SIGPIPE - 1)), ==, 0);
    g_assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    g_assert_cmpint(sigprocmask(SIG_SETMASK, &before, NULL), ==, 0);
}

static void test_not_there(Told *t, const void *data)
{
    const char *const argv[] = { "none", NULL };
    HelperProcessSpec spec = spec_of(t);

    spec.program = "/nonexistent/none";
    spec.argv = argv;
    g_assert_cmpint(helper_process_start(t->event, &spec, &t->process), ==, -ENOENT);
    g_assert_null(t->process);
    turn_until_reaped(t);
    g_assert_cmpuint(t->ends, ==, 0);
}

static void test_status(Told *t, const void *data)
{
    start(t, spec_of(t), "echo before; exit 3");
    turn_until_end(t);
    told_is(t, -EPROTO, "before\n");
}

static void test_signal(Told *t, const void *data)
{
    start(t, spec_of(t), "echo before; kill -SEGV $$");
    turn_until_end(t);
    told_is(t, -EPROTO, "before\n");
}

static void test_hangs(Told *t, const void *data)
{
    HelperProcessSpec spec = spec_of(t);

    spec.timeout_usec = USEC_PER_SEC / 5;
    start(t, spec, "echo before; trap '' TERM; exec sleep 1000");
    turn_until_end(t);
    g_assert_cmpint(t->r, ==, -ETIMEDOUT);
    turn_until_reaped(t);
}

static void test_stopped(Told *t, const void *data)
{
    HelperProcessSpec spec = spec_of(t);

    spec.timeout_usec = USEC_PER_SEC / 5;
    start(t, spec, "kill -STOP $$; echo never");
    turn_until_end(t);
    told_is(t, -ETIMEDOUT, "");
    turn_until_reaped(t);
}

/* The loop turns while one is stopped: another is served. */
static void test_beside_stopped(Told *t, const void *data)
{
    Told other;

    told_begin(&other, NULL);
    sd_event_unref(other.event);
    other.event = sd_event_ref(t->event);
    start(t, spec_of(t), "kill -STOP $$");
    start(&other, spec_of(&other), "echo served");
    turn_until_end(&other);
    told_is(&other, 0, "served\n");
    told_end(&other, NULL);
    g_assert_cmpuint(t->ends, ==, 0);
    helper_process_kill(t->process);
    turn_until_end(t);
    told_is(t, -EPROTO, "");
    turn_until_reaped(t);
}

static void test_flood(Told *t, const void *data)
{
    start(t, spec_of(t), "exec yes");
    turn_until_end(t);
    g_assert_cmpint(t->r, ==, -E2BIG);
    g_assert_cmpuint(t->output->len, <=, 100000);
    turn_until_reaped(t);
}

static void test_up_to_the_limit(Told *t, const void *data)
{
    start(t, spec_of(t), "head -c 100000 /dev/zero");
    turn_until_end(t);
    g_assert_cmpint(t->r, ==, 0);
    g_assert_cmpuint(t->output->len, ==, 100000);
}

static void test_closes_and_lives(Told *t, const void *data)
{
    HelperProcessSpec spec = spec_of(t);

    spec.timeout_usec = USEC_PER_SEC / 5;
    start(t, spec, "echo before; exec >&-; exec sleep 1000");
    turn_until_end(t);
    g_assert_cmpint(t->r, ==, -ETIMEDOUT);
    turn_until_reaped(t);
}

static void test_closes_and_ends(Told *t, const void *data)
{
    start(t, spec_of(t), "echo before; exec >&-; sleep 0.2");
    turn_until_end(t);
    told_is(t, 0, "before\n");
}

/* A process of its own that keeps the pipe is not waited for; all that was written before is there. */
static void test_leaves_one_behind(Told *t, const void *data)
{
    start(t, spec_of(t), "sleep 1000 & echo $!; head -c 50000 /dev/zero | tr '\\0' x");
    turn_until_end(t);
    g_assert_cmpint(t->r, ==, 0);
    g_assert_nonnull(strchr(t->output->str, '\n'));
    g_assert_cmpuint(strlen(strchr(t->output->str, '\n') + 1), ==, 50000);
    g_assert_cmpint(kill((pid_t)g_ascii_strtoll(t->output->str, NULL, 10), SIGKILL), ==, 0);
}

#define MANY     2000
#define TOGETHER 8

static unsigned n_started, n_ended;

static void on_one_of_many(int r, const char *output, size_t length, void *userdata);

static void start_one_of_many(Told *t)
{
    static const char *const argv[] = { "true", NULL };
    HelperProcessSpec spec = spec_of(t);
    HelperProcess *h;

    spec.program = "/bin/true";
    spec.argv = argv;
    spec.fn = on_one_of_many;
    n_started++;
    g_assert_cmpint(helper_process_start(t->event, &spec, &h), ==, 0);
}

static void on_one_of_many(int r, const char *output, size_t length, void *userdata)
{
    g_assert_cmpint(r, ==, 0);
    n_ended++;
    if (n_started < MANY)
        start_one_of_many(userdata);
}

/* While one is executed it has the descriptors of the others for a moment: what ends then is not heard of twice. */
static void test_many(Told *t, const void *data)
{
    for (unsigned i = 0; i < TOGETHER; i++)
        start_one_of_many(t);
    while (n_ended < MANY)
        g_assert_cmpint(sd_event_run(t->event, LONG_USEC), >, 0);
}

static void test_freed(Told *t, const void *data)
{
    start(t, spec_of(t), "trap '' TERM; exec sleep 1000");
    g_clear_pointer(&t->process, helper_process_free);
    turn_until_reaped(t);
    g_assert_cmpuint(t->ends, ==, 0);
}

static void test_freed_when_stopped(Told *t, const void *data)
{
    start(t, spec_of(t), "echo here; kill -STOP $$");
    g_clear_pointer(&t->process, helper_process_free);
    turn_until_reaped(t);
    g_assert_cmpuint(t->ends, ==, 0);
}

static void test_freed_when_ended(Told *t, const void *data)
{
    siginfo_t info;

    start(t, spec_of(t), "echo here");
    g_assert_cmpint(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), ==, 0);
    g_clear_pointer(&t->process, helper_process_free);
    turn_until_reaped(t);
    g_assert_cmpuint(t->ends, ==, 0);
}

/* The loop goes before what it was to reap has ended. */
static void test_loop_freed(Told *t, const void *data)
{
    start(t, spec_of(t), "exec sleep 1000");
    g_clear_pointer(&t->process, helper_process_free);
    g_clear_pointer(&t->event, sd_event_unref);
    g_assert_cmpint(waitpid(-1, NULL, 0), >, 0);
    g_assert_cmpuint(t->ends, ==, 0);
}

static void test_pieces(Told *t, const void *data)
{
    HelperProcessSpec spec = spec_of(t);

    spec.data = on_data;
    start(t, spec, "head -c 300000 /dev/zero | tr '\\0' x");
    turn_until_end(t);
    g_assert_cmpint(t->r, ==, 0);
    g_assert_cmpuint(t->pieces, >, 1);
    g_assert_cmpuint(t->output->len, ==, 300000);
}

static void test_pieces_refused(Told *t, const void *data)
{
    HelperProcessSpec spec = spec_of(t);

    spec.data = on_data;
    t->data_ret = -EBADMSG;
    start(t, spec, "exec yes");
    turn_until_end(t);
    g_assert_cmpint(t->r, ==, -EBADMSG);
    g_assert_cmpuint(t->pieces, ==, 1);
    turn_until_reaped(t);
}

/* On hold nothing comes, though its time would be over, and afterwards all of it does. */
static void test_hold(Told *t, const void *data)
{
    HelperProcessSpec spec = spec_of(t);

    spec.data = on_data;
    spec.timeout_usec = 2 * USEC_PER_SEC;
    t->hold = true;
    start(t, spec, "head -c 300000 /dev/zero | tr '\\0' x");
    while (t->pieces == 0)
        g_assert_cmpint(sd_event_run(t->event, LONG_USEC), >, 0);
    for (int64_t end = g_get_monotonic_time() + (int64_t)(3 * USEC_PER_SEC); g_get_monotonic_time() < end;)
        (void)sd_event_run(t->event, USEC_PER_SEC / 10);
    g_assert_cmpuint(t->pieces, ==, 1);
    g_assert_cmpuint(t->ends, ==, 0);
    while (t->ends == 0) {
        helper_process_hold(t->process, false);
        g_assert_cmpint(sd_event_run(t->event, LONG_USEC), >, 0);
    }
    g_assert_cmpint(t->r, ==, 0);
    g_assert_cmpuint(t->output->len, ==, 300000);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fn)(Told *t, const void *data);
    } tests[] = {
        { "plain", test_plain },
        { "input", test_input },
        { "signals", test_signals },
        { "not-there", test_not_there },
        { "status", test_status },
        { "signal", test_signal },
        { "hangs", test_hangs },
        { "stopped", test_stopped },
        { "beside-stopped", test_beside_stopped },
        { "flood", test_flood },
        { "up-to-the-limit", test_up_to_the_limit },
        { "closes-and-lives", test_closes_and_lives },
        { "closes-and-ends", test_closes_and_ends },
        { "leaves-one-behind", test_leaves_one_behind },
        { "many", test_many },
        { "freed", test_freed },
        { "freed-when-stopped", test_freed_when_stopped },
        { "freed-when-ended", test_freed_when_ended },
        { "loop-freed", test_loop_freed },
        { "pieces", test_pieces },
        { "pieces-refused", test_pieces_refused },
        { "hold", test_hold },
    };

    g_test_init(&argc, &argv, NULL);
    ARRAY_FOREACH (t, tests) {
        g_autofree char *path = g_strconcat("/helper-process/", t->name, NULL);

        g_test_add(path, Told, NULL, told_begin, t->fn, told_end);
    }
    return g_test_run();
}
