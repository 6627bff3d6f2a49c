/* What the service manager answers to a start that it has no room for, or that is too long, and what is made of that: a manager
 * that answers as it is told to, at the other end of a socket. */
#include "exec/exec.h"

#include <string.h>
#include <sys/socket.h>

#define FULL     131072u /* its MANAGER_MAX_NAMES */
#define TOO_LONG "System.Error.E2BIG"
#define EXISTS   "org.freedesktop.systemd1.UnitExists"

typedef struct Fixture {
    sd_event *event;
    sd_bus *ours, *its;
    Exec *exec;
    const char *const *errors; /* to a start, one after the other */
    unsigned starts, names;    /* names: 0, it does not say how many */
    char *asked;               /* unit and properties of the last start */
    bool answered;
    int r;
    char *text;
} Fixture;

/* As far as its types are known to differ; the rest is compared by its size. */
static char *describe(sd_bus_message *m)
{
    const char *unit = "", *mode = "";
    GString *text;

    g_assert_cmpint(sd_bus_message_read(m, "ss", &unit, &mode), >=, 0);
    text = g_string_new(unit);
    g_string_append_printf(text, " %s", mode);
    g_assert_cmpint(sd_bus_message_enter_container(m, 'a', "(sv)"), >=, 0);
    while (sd_bus_message_enter_container(m, 'r', "sv") > 0) {
        const char *name = "", *contents = "";
        char type;

        g_assert_cmpint(sd_bus_message_read(m, "s", &name), >=, 0);
        g_assert_cmpint(sd_bus_message_peek_type(m, &type, &contents), >, 0);
        g_string_append_printf(text, " %s:%s", name, contents);
        g_assert_cmpint(sd_bus_message_skip(m, "v"), >=, 0);
        g_assert_cmpint(sd_bus_message_exit_container(m), >=, 0);
    }
    return g_string_free(text, FALSE);
}

static int answer_start(Fixture *f, sd_bus_message *m)
{
    g_autofree char *before = g_steal_pointer(&f->asked);

    f->asked = describe(m);
    if (before)
        g_assert_cmpstr(f->asked, ==, before);
    return sd_bus_reply_method_errorf(m, f->errors[f->starts++], "it is so");
}

static int answer_names(const Fixture *f, sd_bus_message *m)
{
    const char *interface, *property;

    g_assert_cmpint(sd_bus_message_read(m, "ss", &interface, &property), >=, 0);
    g_assert_cmpstr(interface, ==, "org.freedesktop.systemd1.Manager");
    g_assert_cmpstr(property, ==, "NNames");
    if (f->names == 0)
        return sd_bus_reply_method_errorf(m, "System.Error.ETIMEDOUT", "busy");
    return sd_bus_reply_method_return(m, "v", "u", f->names);
}

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Fixture *f = userdata;
    const char *member = sd_bus_message_get_member(m);
    int r;

    if (g_str_equal(member, "StartTransientUnit"))
        r = answer_start(f, m);
    else if (g_str_equal(member, "Get"))
        r = answer_names(f, m);
    else
        r = sd_bus_reply_method_return(m, NULL);
    g_assert_cmpint(r, >=, 0);
    return 1;
}

static void on_started(int r, const Error *error, void *userdata)
{
    Fixture *f = userdata;

    g_assert_false(f->answered);
    f->answered = true;
    f->r = r;
    f->text = g_strdup(error ? error->message : NULL);
}

static void connect_both(Fixture *f)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), >=, 0);
    g_assert_cmpint(sd_bus_new(&f->its), >=, 0);
    g_assert_cmpint(sd_bus_set_fd(f->its, fds[0], fds[0]), >=, 0);
    g_assert_cmpint(sd_bus_set_server(f->its, true, (sd_id128_t){ { 1 } }), >=, 0);
    g_assert_cmpint(sd_bus_add_filter(f->its, NULL, on_call, f), >=, 0);
    g_assert_cmpint(sd_bus_start(f->its), >=, 0);
    g_assert_cmpint(sd_bus_attach_event(f->its, f->event, 0), >=, 0);
    g_assert_cmpint(sd_bus_new(&f->ours), >=, 0);
    g_assert_cmpint(sd_bus_set_fd(f->ours, fds[1], fds[1]), >=, 0);
    g_assert_cmpint(sd_bus_start(f->ours), >=, 0);
    g_assert_cmpint(sd_bus_attach_event(f->ours, f->event, 0), >=, 0);
}

static void fixture_begin(Fixture *f, const void *data)
{
    static const ExecEvents events = { 0 };
    const ExecConfig config = { .runtime_directory = "/run/taskschedd",
        .output_directory = "/run/tsched-output" };

    *f = (Fixture){ 0 };
    g_assert_cmpint(sd_event_new(&f->event), >=, 0);
    connect_both(f);
    g_assert_cmpint(exec_new(f->event, &config, &events, f, &f->exec), >=, 0);
    g_assert_cmpint(exec_set_bus(f->exec, f->ours), >=, 0);
}

static void fixture_end(Fixture *f, const void *data)
{
    exec_free(f->exec);
    sd_bus_flush_close_unref(f->ours);
    sd_bus_flush_close_unref(f->its);
    sd_event_unref(f->event);
    g_free(f->asked);
    g_free(f->text);
}

static void start(Fixture *f, const char *const *errors, unsigned names)
{
    const char *const argv[] = { "/bin/true", "an argument", NULL };
    g_autoptr(GPtrArray) settings = g_ptr_array_new();
    Task task = { .refs = 1, .name = (char *)"full", .queue = (char *)"test", .settings = settings };
    const ExecStart s = { .run = 1,
        .attempt = 1,
        .task = &task,
        .path = argv[0],
        .argv = (char *const *)argv,
        .token = "token",
        .nominal = UNSET,
        .timeout_usec = USEC_INFINITY };

    f->errors = errors;
    f->names = names;
    g_assert_cmpint(exec_start(f->exec, &s, on_started, f), >=, 0);
    while (!f->answered)
        g_assert_cmpint(sd_event_run(f->event, UINT64_MAX), >=, 0);
}

static void test_full(Fixture *f, const void *data)
{
    static const char *const errors[] = { TOO_LONG };

    start(f, errors, FULL);
    g_assert_cmpint(f->r, ==, -E2BIG);
    g_assert_nonnull(strstr(f->text, "131072 units"));
    g_assert_cmpuint(f->starts, ==, 1);
}

/* Its own name was the last, and that of its slice one too many; since then it is gone. */
static void test_nearly_full(Fixture *f, const void *data)
{
    static const char *const errors[] = { TOO_LONG };

    start(f, errors, FULL - 2);
    g_assert_cmpint(f->r, ==, -E2BIG);
}

static void test_too_long(Fixture *f, const void *data)
{
    static const char *const errors[] = { TOO_LONG, TOO_LONG };

    start(f, errors, 300);
    g_assert_cmpint(f->r, ==, EXEC_REFUSED);
    g_assert_cmpstr(f->text, ==, "it is so");
    g_assert_cmpuint(f->starts, ==, 2);
}

/* Somebody let go of all that had failed. */
static void test_no_longer_full(Fixture *f, const void *data)
{
    static const char *const errors[] = { TOO_LONG, EXISTS };

    start(f, errors, 300);
    g_assert_cmpint(f->r, ==, EXEC_EXISTS);
    g_assert_cmpuint(f->starts, ==, 2);
}

static void test_busy(Fixture *f, const void *data)
{
    static const char *const errors[] = { TOO_LONG };

    start(f, errors, 0);
    g_assert_cmpint(f->r, ==, -ETIMEDOUT);
}

#define ADD(name, fn) g_test_add("/exec-start/" name, Fixture, NULL, fixture_begin, fn, fixture_end)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("full", test_full);
    ADD("nearly-full", test_nearly_full);
    ADD("too-long", test_too_long);
    ADD("no-longer-full", test_no_longer_full);
    ADD("busy", test_busy);
    return g_test_run();
}
