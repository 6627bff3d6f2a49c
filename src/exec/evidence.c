/* The second evidence: asked of a helper process, since reading the journal waits for the disk. The queries
 * go to it in a file in memory, the answers come back through a pipe, a line of JSON each. */
#include "exec/internal.h"

#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/log.h"

#define HELPER_USEC (20 * USEC_PER_SEC)
#define OUTPUT_MAX  (256 * 1024 * 1024)

typedef struct EvidenceHelper {
    Exec *exec;
    size_t n;
    GString *output;
    int stream, process;
    bool at_end; /* of the stream */
    int r;
    sd_event_source *on_stream, *on_exit, *on_timeout;
    EvidenceFn fn;
    void *userdata;
} EvidenceHelper;

static void evidence_free(EvidenceHelper *h)
{
    siginfo_t info;

    sd_event_source_disable_unref(h->on_stream);
    sd_event_source_disable_unref(h->on_exit);
    sd_event_source_disable_unref(h->on_timeout);
    if (h->process >= 0) {
        /* Only a process that still runs: one that has ended was reaped. It may hang in the kernel, so it is
         * not waited for: a zombie until we end is the lesser evil. */
        pidfd_send_signal(h->process, SIGKILL, NULL, 0);
        waitid(P_PIDFD, (id_t)h->process, &info, WEXITED | WNOHANG);
        close(h->process);
    }
    if (h->stream >= 0)
        close(h->stream);
    g_string_free(h->output, TRUE);
    g_free(h);
}

/* One answer: false where it is not understood. */
static bool evidence_parse_line(const char *line, Evidence *e)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root;
    JsonObject *o;
    int64_t verdict, ended;

    if (!json_parser_load_from_data(parser, line, -1, NULL))
        return false;
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return false;
    o = json_node_get_object(root);
    verdict = json_object_get_int_member_with_default(o, "verdict", -1);
    ended = json_object_get_int_member_with_default(o, "ended", -1);
    if (verdict < EVIDENCE_NEVER || verdict > EVIDENCE_UNKNOWN)
        return false;
    e->verdict = (EvidenceVerdict)verdict;
    e->main_code = (int)json_object_get_int_member_with_default(o, "code", 0);
    e->main_status = (int)json_object_get_int_member_with_default(o, "status", 0);
    e->ended = ended < 0 ? UNSET : (uint64_t)ended;
    return true;
}

/* Fewer answers than queries, or a word that is not understood: then nothing is known of any. */
static void evidence_parse(EvidenceHelper *h, Evidence *all)
{
    g_auto(GStrv) lines = g_strsplit(h->output->str, "\n", -1);
    size_t good = 0;

    if (h->r >= 0 && g_strv_length(lines) >= h->n)
        while (good < h->n && evidence_parse_line(lines[good], &all[good]))
            good++;
    if (good == h->n)
        return;
    for (size_t i = 0; i < h->n; i++)
        all[i] = (Evidence){ .verdict = EVIDENCE_UNKNOWN, .ended = UNSET };
}

static void evidence_end(EvidenceHelper *h, int r)
{
    g_autofree Evidence *all = g_new0(Evidence, h->n);
    EvidenceFn fn = h->fn;
    void *userdata = h->userdata;
    size_t n = h->n;

    if (r < 0)
        h->r = r;
    evidence_parse(h, all);
    if (h->r < 0 && !h->exec->freeing)
        log_warning("The journal could not be asked what became of %zu units: %s", n, g_strerror(-h->r));
    g_hash_table_remove(h->exec->evidences, h);
    evidence_free(h);
    fn(all, n, userdata);
}

void evidence_cancel_all(Exec *e)
{
    GHashTableIter iter;
    gpointer h;

    for (;;) {
        g_hash_table_iter_init(&iter, e->evidences);
        if (!g_hash_table_iter_next(&iter, &h, NULL))
            return;
        evidence_end(h, -ECANCELED);
    }
}

static void evidence_maybe_end(EvidenceHelper *h)
{
    if (h->at_end && h->process < 0)
        evidence_end(h, 0);
}

static int on_stream(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    EvidenceHelper *h = userdata;
    char buffer[16384];
    ssize_t n = read(fd, buffer, sizeof(buffer));

    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            evidence_end(h, -errno);
        return 0;
    }
    g_string_append_len(h->output, buffer, n);
    if (h->output->len > OUTPUT_MAX) {
        evidence_end(h, -E2BIG);
        return 0;
    }
    if (n == 0) {
        h->at_end = true;
        h->on_stream = sd_event_source_disable_unref(h->on_stream);
        evidence_maybe_end(h);
    }
    return 0;
}

static int on_exit_of_helper(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    EvidenceHelper *h = userdata;
    siginfo_t info = { 0 };

    if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) < 0)
        h->r = -errno;
    else if (info.si_pid == 0)
        return 0;
    else if (info.si_code != CLD_EXITED || info.si_status != 0)
        h->r = -EPROTO;
    h->on_exit = sd_event_source_disable_unref(h->on_exit);
    close(h->process);
    h->process = -1;
    evidence_maybe_end(h);
    return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
    evidence_end(userdata, -ETIMEDOUT);
    return 0;
}

static void evidence_add(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, util_strempty(value));
}

static char *evidence_format(Exec *e, const EvidenceQuery *q)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonNode) node = NULL;

    json_builder_begin_object(b);
    evidence_add(b, "unit", q->unit);
    evidence_add(b, "invocation", q->invocation_id);
    json_builder_set_member_name(b, "claimed");
    json_builder_add_int_value(b, (int64_t)q->claimed);
    json_builder_set_member_name(b, "user");
    json_builder_add_boolean_value(b, e->user_scope);
    json_builder_end_object(b);
    node = json_builder_get_root(b);
    return json_to_string(node, FALSE);
}

static int evidence_write_queries(Exec *e, const EvidenceQuery *queries, size_t n)
{
    _cleanup_(util_closep) int fd = memfd_create("taskschedd-queries", MFD_CLOEXEC);
    int r;

    if (fd < 0)
        return -errno;
    for (size_t i = 0; i < n; i++) {
        g_autofree char *line = evidence_format(e, &queries[i]);
        g_autofree char *text = g_strconcat(line, "\n", NULL);
        size_t size = strlen(text);

        for (size_t done = 0; done < size; done += (size_t)r) {
            r = (int)write(fd, text + done, size - done);
            if (r < 0)
                return -errno;
        }
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    r = fd;
    fd = -1;
    return r;
}

/* The helper has the signals as a program expects them, whatever the daemon does with its own. */
static int evidence_spawn(int input, int output, pid_t *ret)
{
    char *argv[] = { (char *)"taskschedd", (char *)"--helper=evidence", NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int r;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    r = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn(ret, "/proc/self/exe", &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

static int evidence_start(EvidenceHelper *h, const EvidenceQuery *queries)
{
    _cleanup_(util_closep) int input = evidence_write_queries(h->exec, queries, h->n), output = -1;
    sd_event *event = h->exec->event;
    int pipes[2], r;
    pid_t pid;

    if (input < 0)
        return input;
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return -errno;
    h->stream = pipes[0];
    output = pipes[1];
    if (fcntl(h->stream, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    r = evidence_spawn(input, output, &pid);
    if (r < 0)
        return r;
    h->process = pidfd_open(pid, 0);
    if (h->process < 0) {
        r = -errno;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, WNOHANG);
        return r;
    }
    r = sd_event_add_io(event, &h->on_stream, h->stream, EPOLLIN, on_stream, h);
    if (r >= 0)
        r = sd_event_add_io(event, &h->on_exit, h->process, EPOLLIN, on_exit_of_helper, h);
    if (r >= 0)
        r = sd_event_add_time_relative(
            event, &h->on_timeout, CLOCK_BOOTTIME, HELPER_USEC, USEC_PER_SEC, on_timeout, h);
    return r;
}

int exec_evidence(Exec *e, const EvidenceQuery *queries, size_t n, EvidenceFn fn, void *userdata)
{
    EvidenceHelper *h;
    int r;

    if (e->freeing)
        return -ECANCELED;
    if (n == 0)
        return -EINVAL;
    h = g_new0(EvidenceHelper, 1);
    h->exec = e;
    h->n = n;
    h->output = g_string_new(NULL);
    h->stream = h->process = -1;
    h->fn = fn;
    h->userdata = userdata;
    r = evidence_start(h, queries);
    if (r < 0) {
        evidence_free(h);
        return r;
    }
    g_hash_table_add(e->evidences, h);
    return 0;
}
