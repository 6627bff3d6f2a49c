/* The journal of a run for somebody who may not read the journal itself: journalctl writes what it finds into a pipe,
 * and is killed when nobody reads there any more, or after a while. */
#include "exec/internal.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <systemd/sd-id128.h>

#define PROGRAM "/usr/bin/journalctl"
/* Of all callers together, and of one. */
#define READERS_MAX     32
#define READERS_OF_USER 8
/* A reader that does not read holds a process. */
#define READ_USEC   (10 * 60 * USEC_PER_SEC)
#define FOLLOW_USEC (12 * 3600 * USEC_PER_SEC)
/* Attempts that are still to come when one begins to follow. */
#define ATTEMPTS_TO_COME 20
/* By how much the clocks of the database and of the journal may differ. */
#define SLACK_USEC (600 * USEC_PER_SEC)

typedef struct JournalReader {
    Exec *exec;
    uint64_t uid;
    int process;  /* pidfd */
    int writable; /* our end of the pipe, which tells when nobody reads; closed when the process has ended */
    sd_event_source *on_hangup, *on_exit, *on_timeout;
} JournalReader;

static void journal_free(JournalReader *j)
{
    siginfo_t info;

    sd_event_source_disable_unref(j->on_hangup);
    sd_event_source_disable_unref(j->on_exit);
    sd_event_source_disable_unref(j->on_timeout);
    if (j->process >= 0) {
        /* Not waited for: it may hang in the kernel. */
        pidfd_send_signal(j->process, SIGKILL, NULL, 0);
        waitid(P_PIDFD, (id_t)j->process, &info, WEXITED | WNOHANG);
        close(j->process);
    }
    util_closep(&j->writable);
    g_free(j);
}

static void journal_end(JournalReader *j)
{
    g_hash_table_remove(j->exec->journals, j);
    journal_free(j);
}

void journal_end_all(Exec *e)
{
    GHashTableIter iter;
    gpointer j;

    g_hash_table_iter_init(&iter, e->journals);
    while (g_hash_table_iter_next(&iter, &j, NULL)) {
        g_hash_table_iter_remove(&iter);
        journal_free(j);
    }
}

/* Killed here, reaped by on_exit. */
static void journal_kill(JournalReader *j)
{
    j->on_hangup = sd_event_source_disable_unref(j->on_hangup);
    pidfd_send_signal(j->process, SIGKILL, NULL, 0);
}

static int on_hangup(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    journal_kill(userdata);
    return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
    journal_kill(userdata);
    return 0;
}

static int on_exit_of_reader(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    journal_end(userdata);
    return 0;
}

static void journal_match(GPtrArray *argv, const char *field, const char *value)
{
    g_ptr_array_add(argv, g_strconcat(field, value, NULL));
}

/* What the processes of a unit wrote, and what the service manager said of it, by fields that nobody else can write.
 * Where the manager is a user's, journald knows neither the invocation nor that the lines are the manager's. */
static void journal_match_unit(GPtrArray *argv, const ExecLogUnit *u, bool user)
{
    bool by_invocation = !user && *u->invocation_id;
    const char *value = by_invocation ? u->invocation_id : u->unit;

    if (!*value)
        return;
    journal_match(argv,
        user            ? "_SYSTEMD_USER_UNIT="
        : by_invocation ? "_SYSTEMD_INVOCATION_ID="
                        : "_SYSTEMD_UNIT=",
        value);
    g_ptr_array_add(argv, g_strdup("+"));
    journal_match(argv, user ? "USER_UNIT=" : by_invocation ? "INVOCATION_ID=" : "UNIT=", value);
    if (!user)
        g_ptr_array_add(argv, g_strdup("_PID=1"));
    g_ptr_array_add(argv, g_strdup("+"));
}

/* Their units have names already, and no invocation yet. In another life of the database these may have been others'. */
static void journal_match_to_come(GPtrArray *argv, const Exec *e, const ExecLog *log)
{
    uint64_t since = log->asked > SLACK_USEC ? (log->asked - SLACK_USEC) / USEC_PER_SEC : 0;

    g_ptr_array_add(argv, g_strdup_printf("--since=@%" G_GUINT64_FORMAT, since));
    for (unsigned i = 1; i <= ATTEMPTS_TO_COME && log->attempt < UINT_MAX - i; i++) {
        g_autofree char *unit = exec_unit_name(log->run, log->attempt + i);

        journal_match_unit(argv, &(ExecLogUnit){ unit, "" }, e->user_scope);
    }
}

static GPtrArray *journal_argv(const Exec *e, const ExecLog *log)
{
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
    sd_id128_t machine;

    g_ptr_array_add(argv, g_strdup("journalctl"));
    g_ptr_array_add(argv, g_strdup("--quiet"));
    g_ptr_array_add(argv, g_strdup("--no-pager"));
    journal_match(argv, "--output=", log->format);
    if (log->lines != UNSET)
        g_ptr_array_add(argv, g_strdup_printf("--lines=%" G_GUINT64_FORMAT, log->lines));
    else
        g_ptr_array_add(argv, g_strdup("--lines=all"));
    /* What is followed would be of this boot alone, by an id that is another in a container, if not for --merge: */
    if (log->follow) {
        g_ptr_array_add(argv, g_strdup("--follow"));
        g_ptr_array_add(argv, g_strdup("--merge"));
    }
    for (size_t i = 0; i < log->n_units; i++)
        journal_match_unit(argv, &log->units[i], e->user_scope);
    if (log->follow)
        journal_match_to_come(argv, e, log);
    /* What the daemon itself says of the run. */
    g_ptr_array_add(argv, g_strdup_printf("TASKSCHEDD_RUN=%" G_GUINT64_FORMAT, log->run));
    /* that takes other hosts' lines too, if any lie here, and they number their runs likewise. */
    if (sd_id128_get_machine(&machine) >= 0)
        g_ptr_array_add(
            argv, g_strdup_printf("_MACHINE_ID=" SD_ID128_FORMAT_STR, SD_ID128_FORMAT_VAL(machine)));
    g_ptr_array_add(argv, g_strdup(e->user_scope ? "_SYSTEMD_USER_UNIT=taskschedd.service"
                                                 : "_SYSTEMD_UNIT=taskschedd.service"));
    g_ptr_array_add(argv, NULL);
    return argv;
}

static int journal_spawn(const Exec *e, const ExecLog *log, int output, pid_t *ret)
{
    char *environment[] = { (char *)"LANG=C.UTF-8", (char *)"PATH=/usr/bin:/bin", (char *)"SYSTEMD_COLORS=0",
        NULL };
    g_autoptr(GPtrArray) argv = journal_argv(e, log);
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
    r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (r == 0)
        r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn(ret, PROGRAM, &actions, &attributes, (char *const *)argv->pdata, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

static int journal_start(JournalReader *j, const ExecLog *log)
{
    sd_event *event = j->exec->event;
    pid_t pid;
    int r = journal_spawn(j->exec, log, j->writable, &pid);

    if (r < 0)
        return r;
    j->process = pidfd_open(pid, 0);
    if (j->process < 0) {
        r = -errno;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, WNOHANG);
        return r;
    }
    /* Of the end that is written to, only that nobody reads is of interest, and that is always told. */
    r = sd_event_add_io(event, &j->on_hangup, j->writable, 0, on_hangup, j);
    if (r >= 0)
        r = sd_event_add_io(event, &j->on_exit, j->process, EPOLLIN, on_exit_of_reader, j);
    if (r >= 0)
        r = sd_event_add_time_relative(event, &j->on_timeout, CLOCK_BOOTTIME,
            log->follow ? FOLLOW_USEC : READ_USEC, USEC_PER_SEC, on_timeout, j);
    return r;
}

static bool journal_has_room(const Exec *e, uint64_t uid)
{
    unsigned of_user = 0;
    GHashTableIter iter;
    gpointer j;

    g_hash_table_iter_init(&iter, e->journals);
    while (g_hash_table_iter_next(&iter, &j, NULL))
        of_user += ((JournalReader *)j)->uid == uid;
    return g_hash_table_size(e->journals) < READERS_MAX && of_user < READERS_OF_USER;
}

int exec_open_log(Exec *e, const ExecLog *log, int *ret)
{
    _cleanup_(util_closep) int readable = -1;
    JournalReader *j;
    int pipes[2], r;

    if (e->freeing)
        return -ECANCELED;
    if (!journal_has_room(e, log->uid))
        return -EBUSY;
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return -errno;
    readable = pipes[0];
    j = g_new0(JournalReader, 1);
    j->exec = e;
    j->uid = log->uid;
    j->process = -1;
    j->writable = pipes[1];
    r = journal_start(j, log);
    if (r < 0) {
        journal_free(j);
        return r;
    }
    g_hash_table_add(e->journals, j);
    *ret = readable;
    readable = -1;
    return 0;
}
