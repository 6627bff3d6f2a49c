/* The daemon's side of the loader: starts the helper, gathers what it writes, and gives up on it after a
 * while, since a directory may lie on a file system that hangs. */
#include "core/loader.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "base/log.h"
#include "core/internal.h"

#define LOADER_TIMEOUT_USEC (30 * USEC_PER_SEC)
#define LOADER_OUTPUT_MAX   (256u * 1024 * 1024)

struct Loader {
    Manager *manager;
    LoaderFn fn;
    void *userdata;
    pid_t pid; /* 0: none is under way */
    int fd;
    GString *output;
    sd_event_source *io, *child;
    ClockTimer *timer;
    bool eof;
    int status; /* of the helper, -1 while it runs */
};

static void loader_trouble_free(LoaderTrouble *t)
{
    g_free(t->path);
    g_free(t->reason);
    g_free(t);
}

static void loader_file_free(LoaderFile *f)
{
    g_free(f->name);
    g_ptr_array_unref(f->sources);
    g_ptr_array_unref(f->troubles);
    g_free(f);
}

static void on_timeout(void *userdata);

Loader *loader_new(Manager *m)
{
    Loader *l = g_new0(Loader, 1);

    l->manager = m;
    l->fd = -1;
    if (clock_timer_new(m->clock, CLOCK_BOOT, on_timeout, l, &l->timer) < 0)
        g_clear_pointer(&l, g_free);
    return l;
}

/* Lets go of the helper; a running one is killed, and reaped by the child source's successor: the kernel. */
static void loader_reset(Loader *l)
{
    l->io = sd_event_source_disable_unref(l->io);
    l->child = sd_event_source_disable_unref(l->child);
    if (l->pid > 0 && l->status < 0) {
        kill(l->pid, SIGKILL);
        waitpid(l->pid, NULL, WNOHANG);
    }
    util_closep(&l->fd);
    clock_timer_disarm(l->timer);
    l->pid = 0;
}

void loader_free(Loader *l)
{
    bool under_way;

    if (!l)
        return;
    under_way = l->pid > 0;
    loader_reset(l);
    if (under_way)
        l->fn(-ECANCELED, NULL, l->userdata);
    clock_timer_free(l->timer);
    if (l->output)
        g_string_free(l->output, TRUE);
    g_free(l);
}

static void loader_read_source(LoaderFile *f, JsonObject *o)
{
    const char *path = json_object_get_string_member_with_default(o, "Path", "");
    const char *data = json_object_get_string_member_with_default(o, "Data", NULL);
    const char *reason = json_object_get_string_member_with_default(o, "Error", "unknown error");
    g_autofree guchar *bytes = NULL;
    LoaderTrouble *t;
    gsize length = 0;

    if (data) {
        bytes = g_base64_decode(data, &length);
        g_ptr_array_add(f->sources, task_source_new(path, (const char *)bytes, length));
        return;
    }
    t = g_new(LoaderTrouble, 1);
    *t = (LoaderTrouble){ g_strdup(path), g_strdup(reason) };
    g_ptr_array_add(f->troubles, t);
}

static LoaderFile *loader_read_file(JsonObject *o)
{
    LoaderFile *f = g_new0(LoaderFile, 1);
    JsonArray *sources = json_object_get_array_member(o, "Sources");

    f->name = g_strdup(json_object_get_string_member(o, "Name"));
    f->sources = g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free);
    f->troubles = g_ptr_array_new_with_free_func((GDestroyNotify)loader_trouble_free);
    for (guint i = 0; i < json_array_get_length(sources); i++)
        loader_read_source(f, json_array_get_object_element(sources, i));
    return f;
}

static void loader_finish(Loader *l, int r)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)loader_file_free);
    g_autoptr(JsonParser) parser = json_parser_new();

    loader_reset(l);
    if (r >= 0 && !json_parser_load_from_data(parser, l->output->str, (gssize)l->output->len, NULL))
        r = -EBADMSG;
    if (r >= 0) {
        JsonArray *list = json_node_get_array(json_parser_get_root(parser));

        for (guint i = 0; i < json_array_get_length(list); i++)
            g_ptr_array_add(files, loader_read_file(json_array_get_object_element(list, i)));
    }
    g_string_free(g_steal_pointer(&l->output), TRUE);
    l->fn(r, files, l->userdata);
}

static void on_timeout(void *userdata)
{
    log_error("The task directories could not be read within %" G_GUINT64_FORMAT
              " s; what was in force stays.",
        LOADER_TIMEOUT_USEC / USEC_PER_SEC);
    loader_finish(userdata, -ETIMEDOUT);
}

static void loader_check(Loader *l)
{
    if (l->eof && l->status >= 0)
        loader_finish(l, l->status == 0 ? 0 : -EIO);
}

static int on_output(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Loader *l = userdata;
    char buffer[65536];
    ssize_t n = read(fd, buffer, sizeof buffer);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n > 0 && l->output->len + (size_t)n <= LOADER_OUTPUT_MAX) {
        g_string_append_len(l->output, buffer, n);
        return 0;
    }
    l->io = sd_event_source_disable_unref(l->io);
    l->eof = true;
    if (n > 0) {
        log_error("The task files are larger than %u MiB together; what was in force stays.",
            LOADER_OUTPUT_MAX / 1024 / 1024);
        loader_finish(l, -E2BIG);
        return 0;
    }
    loader_check(l);
    return 0;
}

static int on_helper_exit(sd_event_source *source, const siginfo_t *si, void *userdata)
{
    Loader *l = userdata;

    l->status = si->si_code == CLD_EXITED ? si->si_status : 255;
    loader_check(l);
    return 0;
}

static int loader_spawn(const Loader *l, int output, pid_t *ret)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int r;

    g_ptr_array_add(argv, (gpointer) "taskschedd");
    g_ptr_array_add(argv, (gpointer) "--helper=load-tasks");
    for (const char *const *d = l->manager->config.task_directories; *d; d++)
        g_ptr_array_add(argv, (gpointer)*d);
    g_ptr_array_add(argv, NULL);

    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    r = -posix_spawn(ret, "/proc/self/exe", &actions, &attributes, (char *const *)argv->pdata, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return r;
}

int loader_start(Loader *l, LoaderFn fn, void *userdata)
{
    _cleanup_(util_closep) int output = -1;
    int pipes[2], r;

    if (l->pid > 0)
        return -EBUSY;
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return -errno;
    l->fd = pipes[0];
    output = pipes[1];
    if (fcntl(l->fd, F_SETFL, O_NONBLOCK) < 0) {
        util_closep(&l->fd);
        return -errno;
    }
    r = loader_spawn(l, output, &l->pid);
    if (r < 0) {
        l->pid = 0;
        util_closep(&l->fd);
        return r;
    }
    l->fn = fn;
    l->userdata = userdata;
    l->eof = false;
    l->status = -1;
    l->output = g_string_new(NULL);
    r = sd_event_add_io(l->manager->event, &l->io, l->fd, EPOLLIN, on_output, l);
    if (r >= 0)
        r = sd_event_add_child(l->manager->event, &l->child, l->pid, WEXITED, on_helper_exit, l);
    if (r < 0) {
        loader_reset(l);
        g_string_free(g_steal_pointer(&l->output), TRUE);
        return r;
    }
    clock_timer_arm(l->timer, clock_boot(l->manager->clock) + LOADER_TIMEOUT_USEC);
    return 0;
}
