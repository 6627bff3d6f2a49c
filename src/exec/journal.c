/* The journal of a run for somebody who may not read the journal itself: journalctl writes what it finds into a pipe,
 * and is killed when nobody reads there any more, or after a while. */
#include "exec/internal.h"

#include <fcntl.h>
#include <systemd/sd-id128.h>

#include "base/helper-process.h"

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
    HelperProcess *process;
    int writable; /* our end of the pipe, which tells when nobody reads */
    sd_event_source *on_hangup;
} JournalReader;

static void journal_free(JournalReader *j)
{
    sd_event_source_disable_unref(j->on_hangup);
    helper_process_free(j->process);
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

/* It counts until it is gone, which a disk that hangs can put off. */
static int on_hangup(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    JournalReader *j = userdata;

    j->on_hangup = sd_event_source_disable_unref(j->on_hangup);
    helper_process_kill(j->process);
    return 0;
}

/* By itself, or because its time was over. */
static void on_end(int r, const char *output, size_t length, void *userdata)
{
    JournalReader *j = userdata;

    j->process = NULL;
    journal_end(j);
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

static int journal_start(JournalReader *j, const ExecLog *log)
{
    static const char *const environment[] = { "LANG=C.UTF-8", "PATH=/usr/bin:/bin", "SYSTEMD_COLORS=0",
        NULL };
    g_autoptr(GPtrArray) argv = journal_argv(j->exec, log);
    HelperProcessSpec spec = {
        .program = PROGRAM,
        .argv = (const char *const *)argv->pdata,
        .environment = environment,
        .input = -1,
        .output = j->writable,
        .quiet = true,
        .timeout_usec = log->follow ? FOLLOW_USEC : READ_USEC,
        .fn = on_end,
        .userdata = j,
    };
    int r = helper_process_start(j->exec->event, &spec, &j->process);

    /* Of the end that is written to, only that nobody reads is of interest, and that is always told. */
    return r < 0 ? r : sd_event_add_io(j->exec->event, &j->on_hangup, j->writable, 0, on_hangup, j);
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
