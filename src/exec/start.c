/* Starting an attempt: the message that describes its unit, and the wait for the start job. */
#include "exec/internal.h"

#include <string.h>

#include "base/utf8.h"
#include "exec/properties.h"
#include "model/command.h"

typedef struct StartOp {
    Work op;
    char *unit;
    char *input_directory; /* NULL: no input */
    char *job;             /* NULL: not answered yet */
    char *removed_job, *removed_result;
    bool withdrawn; /* before it was asked for */
    bool exact;     /* its command is not what its file says */
    Error error;    /* kept over a second question */
    /* What was asked for, while it is not answered: it may be asked for once more. */
    sd_bus_message *message;
    ExecStartFn fn;
    void *userdata;
} StartOp;

static void start_end(StartOp *s, int r, const Error *error)
{
    Exec *e = s->op.exec;

    g_hash_table_remove(e->starts, s->unit);
    work_end(&s->op);
    s->fn(r, error, s->userdata);
    work_free(&s->op);
}

static void start_answer(Work *op, int r)
{
    start_end((StartOp *)op, r, NULL);
}

static void start_free(Work *op)
{
    StartOp *s = (StartOp *)op;

    g_free(s->unit);
    g_free(s->input_directory);
    g_free(s->job);
    g_free(s->removed_job);
    g_free(s->removed_result);
    sd_bus_message_unref(s->message);
    error_clear(&s->error);
}

/* No unit was made: nobody would come for its input. */
static void start_end_unmade(StartOp *s, int r, const Error *error)
{
    unsigned budget = REMOVE_ENTRIES;

    if (s->input_directory) {
        g_autofree char *parent = g_path_get_dirname(s->input_directory);
        g_autofree char *name = g_path_get_basename(s->input_directory);

        files_remove_tree(parent, name, &budget);
    }
    start_end(s, r, error);
}

/* --- the unit's description --------------------------------------------------------------------------------
 */

static int start_append_string(sd_bus_message *m, const char *name, const char *value)
{
    return sd_bus_message_append(m, "(sv)", name, "s", value);
}

static int start_append_bool(sd_bus_message *m, const char *name, bool value)
{
    return sd_bus_message_append(m, "(sv)", name, "b", (int)value);
}

/* What a task's own settings may override comes before them. */
static int start_append_base(sd_bus_message *m, Exec *e, const ExecStart *start)
{
    static const char *const on[] = { "RemainAfterExit", "SendSIGKILL", "CPUAccounting", "MemoryAccounting",
        "IOAccounting" };
    g_autofree char *description =
        g_strdup_printf("%s: run %" G_GUINT64_FORMAT, start->task->name, start->run);
    g_autofree char *slice = exec_slice_name(start->task->queue);
    const struct {
        const char *name, *value;
    } strings[] = {
        { "Description", description },
        { "Type", "exec" },
        { "CollectMode", "inactive" },
        { "NotifyAccess", "all" },
        { "Slice", slice },
        { "KillMode", start->task->kill_mixed ? "mixed" : "control-group" },
    };
    int r = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(strings) && r >= 0; i++)
        r = start_append_string(m, strings[i].name, strings[i].value);
    for (size_t i = 0; i < G_N_ELEMENTS(on) && r >= 0; i++)
        r = start_append_bool(m, on[i], true);
    if (r >= 0)
        r = sd_bus_message_append(m, "(sv)", "RuntimeMaxUSec", "t", start->timeout_usec);
    /* At shutdown what is ordered after the daemon ends before it, and is recorded. */
    if (r >= 0 && !e->user_scope)
        r = sd_bus_message_append(m, "(sv)", "After", "as", 1, "taskschedd.service");
    return r;
}

/* A string that is no UTF-8 would make the message bus end our connection. */
static int start_check_text(const char *what, const char *text, Error *error)
{
    if (utf8_is_valid(text))
        return 0;
    return error_set(
        error, ERROR_INVALID_INPUT, "%s is not valid UTF-8, which the service manager does not take.", what);
}

static int start_append_settings(sd_bus_message *m, const Task *task, Error *error)
{
    for (guint i = 0; task->settings && i < task->settings->len; i++) {
        const TaskSetting *s = g_ptr_array_index(task->settings, i);
        int r = start_check_text(s->key, s->value, error);

        if (r >= 0)
            r = properties_append(m, s->key, s->value);
        if (r < 0) {
            error_set(
                error, ERROR_INVALID_TASK, "%s=%s cannot be used: %s", s->key, s->value, g_strerror(-r));
            return r;
        }
    }
    return 0;
}

/* Opens name as an array of commands, each described by signature. */
static int start_open_commands(sd_bus_message *m, const char *name, const char *type, const char *signature)
{
    int r;

    r = sd_bus_message_open_container(m, 'r', "sv");
    if (r >= 0)
        r = sd_bus_message_append_basic(m, 's', name);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', type);
    return r < 0 ? r : sd_bus_message_open_container(m, 'a', signature);
}

static int start_close(sd_bus_message *m, unsigned depth)
{
    int r = 0;

    while (depth-- > 0 && r >= 0)
        r = sd_bus_message_close_container(m);
    return r;
}

/* In the way that can say everything: every argument as it is, and the prefixes + ! !!. */
static int start_append_exact(sd_bus_message *m, const ExecStart *start)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {
        { COMMAND_IGNORE_FAILURE, "ignore-failure" },
        { COMMAND_PRIVILEGED, "privileged" },
        { COMMAND_NO_SETUID, "no-setuid" },
        { COMMAND_AMBIENT, "ambient" },
    };
    const char *flags[G_N_ELEMENTS(names) + 2] = { "no-env-expand" };
    size_t n = 1;
    int r;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (start->task->command_flags & names[i].flag)
            flags[n++] = names[i].name;
    r = sd_bus_message_append(m, "(sv)", "ExecStartEx", "a(sasas)", 0);
    if (r >= 0)
        r = start_open_commands(m, "ExecStartEx", "a(sasas)", "(sasas)");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'r', "sasas");
    if (r >= 0)
        r = sd_bus_message_append_basic(m, 's', start->path);
    if (r >= 0)
        r = sd_bus_message_append_strv(m, (char **)start->argv);
    if (r >= 0)
        r = sd_bus_message_append_strv(m, (char **)flags);
    return r < 0 ? r : start_close(m, 4);
}

static int start_append_plain(sd_bus_message *m, const char *path, char *const *argv, bool ignore_failure)
{
    int r;

    r = start_open_commands(m, "ExecStart", "a(sasb)", "(sasb)");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'r', "sasb");
    if (r >= 0)
        r = sd_bus_message_append_basic(m, 's', path);
    if (r >= 0)
        r = sd_bus_message_append_strv(m, (char **)argv);
    if (r >= 0)
        r = sd_bus_message_append(m, "b", (int)ignore_failure);
    return r < 0 ? r : start_close(m, 4);
}

/* Does the command come back from the unit's file as it was sent? A dollar and a semicolon do not (systemd
 * 252 escapes them as nothing reads them), and with ExecStart they would be expanded. */
static bool start_is_plain(const ExecStart *start)
{
    static const unsigned flagged = COMMAND_PRIVILEGED | COMMAND_NO_SETUID | COMMAND_AMBIENT;

    if ((start->task->command_flags & flagged) || strpbrk(start->path, "$;"))
        return false;
    for (char *const *arg = start->argv; *arg; arg++)
        if (strpbrk(*arg, "$;"))
            return false;
    return true;
}

/* PID 1 keeps a transient unit in a file, and reads that again when it is reloaded. systemd 252 writes what
 * is sent as ExecStartEx under that name, which is no setting: read again, the unit has no command, counts as
 * bad, and its exit status is lost as soon as it ends. So what ExecStart can say is said by it alone. All
 * else is preceded by an ExecStart which names a program that does not exist: the unit stays good, and where
 * the reload comes between the unit and its process, nothing is executed rather than something else. That is
 * seen by UnitState.never_ran. */
static int start_append_command(sd_bus_message *m, StartOp *s, const ExecStart *start)
{
    char *const none[] = { (char *)UNIT_NO_PROGRAM, NULL };
    bool ignore_failure = (start->task->command_flags & COMMAND_IGNORE_FAILURE) != 0;
    int r = start_check_text("The program's path", start->path, &s->error);

    for (char *const *arg = start->argv; *arg && r >= 0; arg++)
        r = start_check_text("An argument", *arg, &s->error);
    if (r < 0)
        return r;
    s->exact = !start_is_plain(start);
    if (!s->exact)
        return start_append_plain(m, start->path, start->argv, ignore_failure);
    r = start_append_plain(m, UNIT_NO_PROGRAM, none, false);
    return r < 0 ? r : start_append_exact(m, start);
}

/* One (sv) with a list of strings. */
static int start_append_list(sd_bus_message *m, const char *name, GPtrArray *strings)
{
    int r;

    g_ptr_array_add(strings, NULL);
    r = sd_bus_message_open_container(m, 'r', "sv");
    if (r >= 0)
        r = sd_bus_message_append_basic(m, 's', name);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', "as");
    if (r >= 0)
        r = sd_bus_message_append_strv(m, (char **)strings->pdata);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static void start_add(GPtrArray *list, const char *format, ...) _printf_(2, 3);
static void start_add(GPtrArray *list, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_ptr_array_add(list, g_strdup_vprintf(format, ap));
    va_end(ap);
}

/* RFC 3339 in UTC with µs, whatever the year. */
static char *start_format_time(uint64_t usec)
{
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_utc((int64_t)(usec / USEC_PER_SEC));
    g_autofree char *seconds = t ? g_date_time_format(t, "%Y-%m-%dT%H:%M:%S") : NULL;

    return seconds ? g_strdup_printf("%s.%06uZ", seconds, (unsigned)(usec % USEC_PER_SEC)) : g_strdup("");
}

static int start_append_environment(sd_bus_message *m, Exec *e, const ExecStart *start)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

    start_add(list, "TASKSCHEDD_TASK=%s", start->task->name);
    start_add(list, "TASKSCHEDD_RUN=%" G_GUINT64_FORMAT, start->run);
    start_add(list, "TASKSCHEDD_ATTEMPT=%u", start->attempt);
    start_add(list, "TASKSCHEDD_FENCE=%" G_GUINT64_FORMAT, start->fence);
    start_add(list, "TASKSCHEDD_OUTPUT=%s/%" G_GUINT64_FORMAT "-%u/output", e->output_directory, start->run,
        start->attempt);
    if (start->schedule && start->schedule[0])
        start_add(list, "TASKSCHEDD_SCHEDULE=%s", start->schedule);
    if (start->nominal != UNSET) {
        g_autofree char *nominal = start_format_time(start->nominal);

        start_add(list, "TASKSCHEDD_NOMINAL=%s", nominal);
    }
    if (start->after_run > 0)
        start_add(list, "TASKSCHEDD_AFTER_RUN=%" G_GUINT64_FORMAT, start->after_run);
    return start_append_list(m, "Environment", list);
}

/* The fields of every line that the unit logs. The token is how the unit carries its claim: PID 1 keeps it as
 * long as the unit, and tells it to whoever asks. */
static int start_append_log_fields(sd_bus_message *m, const ExecStart *start)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    int r;

    start_add(list, "TASKSCHEDD_TASK=%s", start->task->name);
    start_add(list, "TASKSCHEDD_RUN=%" G_GUINT64_FORMAT, start->run);
    start_add(list, "TASKSCHEDD_ATTEMPT=%u", start->attempt);
    start_add(list, "TASKSCHEDD_TOKEN=%s", start->token);
    r = sd_bus_message_open_container(m, 'r', "sv");
    if (r >= 0)
        r = sd_bus_message_append_basic(m, 's', "LogExtraFields");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', "aay");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "ay");
    for (guint i = 0; i < list->len && r >= 0; i++) {
        const char *field = g_ptr_array_index(list, i);

        r = sd_bus_message_append_array(m, 'y', field, strlen(field));
    }
    return r < 0 ? r : start_close(m, 3);
}

static int start_append_credential(sd_bus_message *m, const char *directory, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/%s", directory, name);

    return sd_bus_message_append(m, "(sv)", "LoadCredential", "a(ss)", 1, name, path);
}

static int start_append_credentials(sd_bus_message *m, const ExecStart *start, const char *directory)
{
    GHashTableIter iter;
    const char *name;
    int r = 0;

    if (start->raw || start->input_json)
        r = start_append_credential(m, directory, "input");
    if (!start->files)
        return r;
    g_hash_table_iter_init(&iter, start->files);
    while (r >= 0 && g_hash_table_iter_next(&iter, (gpointer *)&name, NULL)) {
        g_autofree char *credential = g_strdup_printf("input.%s", name);

        r = start_append_credential(m, directory, credential);
    }
    return r;
}

/* PID 1 makes the directory for the output, for the unit's user, and keeps it until its content was read. A
 * task that has a RuntimeDirectory= of its own and does not say Preserve means it to go with the process:
 * then PID 1 removes the output too if the process fails, which is the price of that setting. */
static int start_append_output(sd_bus_message *m, Exec *e, const ExecStart *start)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *name = g_path_get_basename(e->output_directory);
    int r;

    start_add(list, "%s/%" G_GUINT64_FORMAT "-%u", name, start->run, start->attempt);
    r = start_append_list(m, "RuntimeDirectory", list);
    if (r >= 0 && task_keeps_directory(start->task))
        r = start_append_string(m, "RuntimeDirectoryPreserve", "yes");
    return r;
}

/* Lists of ours come last: a task's setting that empties a list does not reach them. */
static int start_fill(sd_bus_message *m, StartOp *s, const ExecStart *start)
{
    Exec *e = s->op.exec;
    int r;

    r = sd_bus_message_append(m, "ss", s->unit, "fail");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "(sv)");
    if (r >= 0)
        r = start_append_base(m, e, start);
    if (r >= 0)
        r = start_append_settings(m, start->task, &s->error);
    if (r >= 0)
        r = start_append_command(m, s, start);
    if (r >= 0)
        r = start_append_environment(m, e, start);
    if (r >= 0)
        r = start_append_log_fields(m, start);
    if (r >= 0 && s->input_directory)
        r = start_append_credentials(m, start, s->input_directory);
    if (r >= 0)
        r = start_append_output(m, e, start);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_append(m, "a(sa(sv))", 0);
}

/* --- what PID 1 answers ------------------------------------------------------------------------------------
 */

/* E2BIG is what it says of a setting that is too long, StandardInputData= for one; and of any unit when it has 131,072
 * names, its MANAGER_MAX_NAMES, whoever made them: then it is the moment that is at fault. Half as many are no accident. */
#define NAMES_MANY 65536u

/* The errors that no repetition would cure: what the message says is at fault, not the moment. */
static bool start_is_refusal(sd_bus_message *reply)
{
    static const char *const names[] = {
        SD_BUS_ERROR_INVALID_ARGS,
        SD_BUS_ERROR_PROPERTY_READ_ONLY,
        SD_BUS_ERROR_UNKNOWN_PROPERTY,
        SD_BUS_ERROR_INVALID_SIGNATURE,
        SD_BUS_ERROR_INCONSISTENT_MESSAGE,
        SD_BUS_ERROR_NOT_SUPPORTED,
        SD_BUS_ERROR_ACCESS_DENIED,
        /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): these three are put together on purpose. */
        SYSTEMD_NAME ".BadUnitSetting",
        SYSTEMD_NAME ".LoadFailed",
        SYSTEMD_NAME ".UnitMasked",
        "System.Error.EINVAL",
        "System.Error.ENXIO",
        "System.Error.EBADMSG",
        "System.Error.ERANGE",
        "System.Error.EOPNOTSUPP",
        "System.Error.ENAMETOOLONG",
    };

    ARRAY_FOREACH (name, names)
        if (work_reply_is(reply, *name))
            return true;
    return false;
}

/* A job that contradicts one which may not be replaced: at shutdown, that is the one which ends everything.
 */
static void start_on_system_state(Work *op, sd_bus_message *reply)
{
    StartOp *s = (StartOp *)op;
    const char *state = "";
    int r = work_reply_errno(reply);

    if (r >= 0)
        r = sd_bus_message_read(reply, "v", "s", &state);
    if (r >= 0 && g_str_equal(state, "stopping"))
        start_end_unmade(s, EXEC_SHUTTING_DOWN, &s->error);
    else
        start_end_unmade(s, r < 0 ? r : -EBUSY, &s->error);
}

static void start_ask(StartOp *s, const char *path, const char *interface, const char *property, CallFn fn)
{
    sd_bus_message *m = work_message(&s->op, path, "org.freedesktop.DBus.Properties", "Get");

    if (m && sd_bus_message_append(m, "ss", interface, property) < 0)
        m = sd_bus_message_unref(m);
    work_call(&s->op, m, fn);
}

static void start_on_reply(Work *op, sd_bus_message *reply);

static void start_ask_again(StartOp *s)
{
    sd_bus_message *m = work_manager_message(&s->op, "StartTransientUnit"),
                   *old = g_steal_pointer(&s->message);

    if (m && (sd_bus_message_rewind(old, true) < 0 || sd_bus_message_copy(m, old, true) < 0))
        m = sd_bus_message_unref(m);
    sd_bus_message_unref(old);
    error_clear(&s->error);
    work_call(&s->op, m, start_on_reply);
}

/* Some may be gone since it answered, and where nearly all are, it is asked once more. */
static void start_on_names(Work *op, sd_bus_message *reply)
{
    StartOp *s = (StartOp *)op;
    uint32_t names = 0;
    int r = work_reply_errno(reply);

    if (r >= 0)
        r = sd_bus_message_read(reply, "v", "u", &names);
    if (r < 0) {
        start_end_unmade(s, r, &s->error);
    } else if (names >= NAMES_MANY) {
        error_clear(&s->error);
        error_set(
            &s->error, ERROR_FAILED, "the service manager has %" PRIu32 " units, and takes no more", names);
        start_end_unmade(s, -E2BIG, &s->error);
    } else if (s->message) {
        start_ask_again(s);
    } else {
        start_end_unmade(s, EXEC_REFUSED, &s->error);
    }
}

static void start_on_error(StartOp *s, sd_bus_message *reply)
{
    int r = work_reply_error(reply, &s->error);

    if (work_reply_is(reply, SYSTEMD_NAME ".UnitExists"))
        start_end(s, EXEC_EXISTS, &s->error);
    else if (work_reply_is(reply, SYSTEMD_NAME ".ShuttingDown"))
        start_end_unmade(s, EXEC_SHUTTING_DOWN, &s->error);
    else if (work_reply_is(reply, SYSTEMD_NAME ".TransactionIsDestructive"))
        start_ask(s, SYSTEMD_PATH, SYSTEMD_MANAGER, "SystemState", start_on_system_state);
    else if (r == -E2BIG)
        start_ask(s, SYSTEMD_PATH, SYSTEMD_MANAGER, "NNames", start_on_names);
    else if (start_is_refusal(reply))
        start_end_unmade(s, EXEC_REFUSED, &s->error);
    else
        start_end(s, r, &s->error);
}

/* Of a unit that is gone the manager tells what it would tell of any that nobody made. */
static void start_on_invocation(Work *op, sd_bus_message *reply)
{
    StartOp *s = (StartOp *)op;
    const void *id;
    size_t size = 0;
    int r = work_reply_errno(reply);

    if (r >= 0)
        r = sd_bus_message_enter_container(reply, 'v', "ay");
    if (r >= 0)
        r = sd_bus_message_read_array(reply, 'y', &id, &size);
    if (r >= 0 && size > 0)
        start_ask(s, SYSTEMD_PATH, SYSTEMD_MANAGER, "SystemState", start_on_system_state);
    else
        start_end(s, r < 0 ? r : EXEC_GONE, &s->error);
}

/* A job that did not come to its end may have got as far as the process: 0 says that it did not. */
static void start_on_main_start(Work *op, sd_bus_message *reply)
{
    StartOp *s = (StartOp *)op;
    g_autofree char *path = unit_path(s->unit);
    uint64_t started = UNSET;
    int r = work_reply_errno(reply);

    if (r >= 0)
        r = sd_bus_message_read(reply, "v", "t", &started);
    if (r >= 0 && started == 0)
        start_ask(s, path, SYSTEMD_NAME ".Unit", "InvocationID", start_on_invocation);
    else
        start_end(s, r < 0 ? r : EXEC_STARTED, NULL);
}

typedef struct StartAgain {
    ExecStartFn fn;
    void *userdata;
} StartAgain;

static void start_on_released(int r, const Error *error, void *userdata)
{
    g_autofree StartAgain *a = userdata;

    a->fn(r < 0 ? r : -EAGAIN, error, a->userdata);
}

/* Nothing was executed: the unit is let go of, so that its name is free. */
static void start_again(StartOp *s)
{
    Exec *e = s->op.exec;
    StartAgain *a = g_new0(StartAgain, 1);
    int r;

    a->fn = s->fn;
    a->userdata = s->userdata;
    g_hash_table_remove(e->starts, s->unit);
    work_end(&s->op);
    r = exec_release(e, s->unit, start_on_released, a);
    if (r < 0)
        start_on_released(r, NULL, a);
    work_free(&s->op);
}

static void start_on_command(Work *op, sd_bus_message *reply)
{
    StartOp *s = (StartOp *)op;
    g_autoptr(UnitState) u = unit_state_new(s->unit);

    if (work_reply_errno(reply) >= 0 && unit_state_read_command(u, reply) >= 0 && u->never_ran)
        start_again(s);
    else
        start_end(s, EXEC_STARTED, NULL);
}

/* "done", "failed" and "timeout" are told by the unit itself; the others end the job before. A unit that is
 * gone by then may have run: it is for the caller to look for it. */
static void start_job_finished(StartOp *s, const char *result)
{
    g_autofree char *path = unit_path(s->unit);

    if (g_str_equal(result, "canceled") || g_str_equal(result, "dependency") ||
        g_str_equal(result, "skipped")) {
        error_set(&s->error, ERROR_FAILED, "The start job ended as \"%s\".", result);
        start_ask(s, path, SYSTEMD_NAME ".Service", "ExecMainStartTimestamp", start_on_main_start);
        return;
    }
    if (s->exact && g_str_equal(result, "failed"))
        start_ask(s, path, SYSTEMD_NAME ".Service", "ExecStart", start_on_command);
    else
        start_end(s, EXEC_STARTED, NULL);
}

void start_job_removed(Exec *e, const char *unit, const char *job, const char *result)
{
    StartOp *s = g_hash_table_lookup(e->starts, unit);

    if (!s || s->op.failed < 0)
        return;
    if (!s->job) {
        g_free(s->removed_job);
        g_free(s->removed_result);
        s->removed_job = g_strdup(job);
        s->removed_result = g_strdup(result);
    } else if (g_str_equal(s->job, job) && s->op.calls.length == 0) {
        start_job_finished(s, result);
    }
}

static void start_on_reply(Work *op, sd_bus_message *reply)
{
    StartOp *s = (StartOp *)op;
    const char *job;

    if (sd_bus_message_is_method_error(reply, NULL)) {
        start_on_error(s, reply);
        return;
    }
    s->message = sd_bus_message_unref(s->message);
    if (sd_bus_message_read(reply, "o", &job) < 0) {
        start_end(s, -EBADMSG, NULL);
        return;
    }
    s->job = g_strdup(job);
    if (s->removed_job && g_str_equal(s->removed_job, job)) {
        start_job_finished(s, s->removed_result);
        return;
    }
    work_wait(op);
}

/* (uo): the unit's job; id 0 is none. */
static void start_on_job(Work *op, sd_bus_message *reply)
{
    StartOp *s = (StartOp *)op;
    uint32_t id = 0;
    int r = work_reply_errno(reply);

    if (r >= 0)
        r = sd_bus_message_read(reply, "v", "(uo)", &id, NULL);
    if (r >= 0 && id > 0)
        return;
    start_end(s, r < 0 ? r : EXEC_STARTED, NULL);
}

static void start_check(Work *op)
{
    StartOp *s = (StartOp *)op;
    g_autofree char *path = unit_path(s->unit);

    start_ask(s, path, SYSTEMD_NAME ".Unit", "Job", start_on_job);
}

/* What cannot be described is refused without PID 1's help. */
static void start_work(Work *op)
{
    StartOp *s = (StartOp *)op;

    start_end_unmade(s, s->withdrawn ? EXEC_WITHDRAWN : EXEC_REFUSED, &s->error);
}

void exec_withdraw_starts(Exec *e)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, e->starts);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        StartOp *s = value;

        s->withdrawn = s->withdrawn || work_withdraw(&s->op);
    }
}

bool exec_start_is_queued(const Exec *e, const char *unit)
{
    const StartOp *s = g_hash_table_lookup(e->starts, unit);

    return s && s->job && s->op.calls.length == 0 && s->op.failed == 0;
}

static const WorkType start_type = {
    .answer = start_answer, .free = start_free, .check = start_check, .work = start_work
};

int exec_start(Exec *e, const ExecStart *start, ExecStartFn fn, void *userdata)
{
    g_autofree char *unit = exec_unit_name(start->run, start->attempt);
    sd_bus_message *m;
    StartOp *s;
    int r = 0;

    if (g_hash_table_contains(e->starts, unit))
        return -EBUSY;
    s = (StartOp *)work_new(e, sizeof(StartOp), &start_type);
    if (!s)
        return -ECANCELED;
    s->unit = g_steal_pointer(&unit);
    s->fn = fn;
    s->userdata = userdata;
    g_hash_table_insert(e->starts, s->unit, s);
    /* What may be secret is not written for nothing. */
    if (!e->bus || e->away)
        r = -ENOTCONN;
    else if (start->input_json || start->raw || start->files)
        r = files_write_input(e->runtime_directory, start, &s->input_directory);
    m = r < 0 ? NULL : work_manager_message(&s->op, "StartTransientUnit");
    if (m)
        r = start_fill(m, s, start);
    if (r >= 0) {
        s->message = sd_bus_message_ref(m);
        work_call_job(&s->op, &e->starting, m, start_on_reply);
        return 0;
    }
    sd_bus_message_unref(m);
    if (s->error.message)
        work_work_later(&s->op);
    else
        work_fail_later(&s->op, r);
    return 0;
}
