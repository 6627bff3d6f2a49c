/* logs: the journal's own tool with the matches of a run or a task. */
#include "ctl/logs.h"

#include <stdio.h>
#include <unistd.h>

#include "ctl/logs-open.h"
#include "ctl/output.h"
#include "ctl/show.h"
#include "ctl/text.h"
#include "lib/i18n.h"
#include "lib/remote.h"

#define TASK_RUNS 100 /* of a task, how many of its latest runs' units are looked at for PID 1's lines */

static void logs_add(GPtrArray *argv, const char *field, const char *value)
{
    g_ptr_array_add(argv, g_strconcat(field, value, NULL));
}

/* PID 1 says of a unit that it was started and how it ended. "_PID=1" is journald's word. */
static void logs_add_unit(GPtrArray *argv, const char *unit, bool user)
{
    if (*unit)
        logs_add(argv, user ? "USER_UNIT=" : "UNIT=", unit);
}

/* By fields that journald adds itself: anybody may write a line that claims to be of a run, and a database that was made
 * anew begins to count anew. What is to come is found by the field all the same, since it has no invocation yet. */
static void logs_add_run(GPtrArray *argv, const LogsQuery *q)
{
    for (guint i = 0; i < q->units->len; i++) {
        const char *unit = g_ptr_array_index(q->units, i), *invocation = g_ptr_array_index(q->invocations, i);
        bool known = *invocation;

        if (!*unit)
            continue;
        logs_add(argv, known ? "_SYSTEMD_INVOCATION_ID=" : "_SYSTEMD_UNIT=", known ? invocation : unit);
        g_ptr_array_add(argv, g_strdup("+"));
        logs_add(argv, known ? "INVOCATION_ID=" : "UNIT=", known ? invocation : unit);
        g_ptr_array_add(argv, g_strdup("_PID=1"));
        g_ptr_array_add(argv, g_strdup("+"));
    }
    logs_add(argv, "TASKSCHEDD_RUN=", q->object);
    if (!q->follow)
        g_ptr_array_add(argv, g_strdup("_SYSTEMD_UNIT=taskschedd.service"));
}

/* journald adds the fields of a run to what a system unit writes; to a user's it does not, so there the unit tells. */
static void logs_add_output(GPtrArray *argv, const GPtrArray *units)
{
    for (guint i = 0; i < units->len; i++) {
        if (i == 0)
            g_ptr_array_add(argv, g_strdup("+"));
        logs_add(argv, "_SYSTEMD_USER_UNIT=", g_ptr_array_index(units, i));
    }
}

static GPtrArray *logs_task_units(Client *c, const char *task, ClientError *e)
{
    g_autoptr(GPtrArray) units = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(JsonArray) page = NULL;
    g_autofree char *next = NULL;

    if (client_list(c, e, "ListRuns", &(ClientFilter){ .task = task }, "", TASK_RUNS, &page, &next) < 0)
        return NULL;
    for (guint i = 0; i < json_array_get_length(page); i++)
        g_ptr_array_add(units, g_strdup(text_member(json_array_get_object_element(page, i), "Unit")));
    return g_steal_pointer(&units);
}

GPtrArray *logs_of_attempts(JsonObject *run, const char *key)
{
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    JsonNode *node = json_object_get_member(run, "Attempts");
    JsonArray *attempts = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    for (guint i = 0; attempts && i < json_array_get_length(attempts); i++)
        g_ptr_array_add(values, g_strdup(text_member(json_array_get_object_element(attempts, i), key)));
    if (values->len == 0)
        g_ptr_array_add(values, g_strdup(text_member(run, key)));
    return values;
}

/* Of a task, and of what a user's manager runs, by what the lines say of themselves. */
static void logs_add_claimed(GPtrArray *argv, const LogsQuery *q)
{
    size_t begin;

    logs_add(argv, q->is_run ? "TASKSCHEDD_RUN=" : "TASKSCHEDD_TASK=", q->object);
    g_ptr_array_add(argv, g_strdup("+"));
    begin = argv->len;
    for (guint i = 0; i < q->units->len; i++)
        logs_add_unit(argv, g_ptr_array_index(q->units, i), q->user);
    if (argv->len == begin)
        g_ptr_array_remove_index(argv, argv->len - 1);
    else if (!q->user)
        g_ptr_array_add(argv, g_strdup("_PID=1"));
    if (q->user)
        logs_add_output(argv, q->units);
}

GPtrArray *logs_argv(const LogsQuery *q)
{
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, g_strdup("journalctl"));
    if (q->user)
        g_ptr_array_add(argv, g_strdup("--user"));
    if (q->quiet)
        g_ptr_array_add(argv, g_strdup("--quiet"));
    if (!q->pager || q->follow)
        g_ptr_array_add(argv, g_strdup("--no-pager"));
    if (q->follow)
        g_ptr_array_add(argv, g_strdup("--follow"));
    /* Following shows the last lines of a journal; of one run all are wanted. */
    if (q->lines)
        logs_add(argv, "--lines=", q->lines);
    else if (q->follow && q->is_run)
        g_ptr_array_add(argv, g_strdup("--no-tail"));
    if (q->output)
        logs_add(argv, "--output=", q->output);
    if (q->is_run && !q->user)
        logs_add_run(argv, q);
    else
        logs_add_claimed(argv, q);
    g_ptr_array_add(argv, NULL);
    return argv;
}

/* ssh gives its words to a shell: each is quoted. NULL where host is none. */
static GPtrArray *logs_remote(const GPtrArray *argv, const char *host)
{
    g_autofree char *container = NULL;
    GPtrArray *remote = remote_ssh(host, &container);

    if (!remote)
        return NULL;
    for (guint i = 0; i + 1 < argv->len; i++) {
        g_ptr_array_add(remote, g_shell_quote(g_ptr_array_index(argv, i)));
        if (i == 0 && container) {
            g_autofree char *machine = g_strconcat("--machine=", container, NULL);

            g_ptr_array_add(remote, g_shell_quote(machine));
        }
    }
    g_ptr_array_add(remote, NULL);
    return remote;
}

static int logs_exec(Ctl *ctl, const LogsQuery *q)
{
    g_autoptr(GPtrArray) local = logs_argv(q);
    g_autoptr(GPtrArray) argv = ctl->host ? logs_remote(local, ctl->host) : g_ptr_array_ref(local);
    g_auto(ClientError) error = { 0 };

    if (!argv)
        return output_usage(ctl, _("--host: \"%s\" is no name of a host"), ctl->host);
    fflush(stdout);
    execvp(g_ptr_array_index(argv, 0), (char **)argv->pdata);
    client_error_set(&error, ERROR_FAILED, _("%s cannot be started: %s"),
        (const char *)g_ptr_array_index(argv, 0), g_strerror(errno));
    return output_fail(ctl, &error);
}

static int logs_verb_task(Ctl *ctl, LogsQuery *q)
{
    g_autoptr(GPtrArray) units = NULL;
    g_auto(ClientError) error = { 0 };

    if (!logs_may_read(ctl))
        return logs_of_own_runs(ctl, q);
    units = logs_task_units(ctl->client, q->object, &error);
    if (!units)
        return output_fail(ctl, &error);
    q->units = units;
    return logs_exec(ctl, q);
}

/* The journal here knows nothing of what another node executes: the daemon says whose it is, and whether that is so. */
static bool logs_are_elsewhere(Ctl *ctl, JsonObject *run, ClientError *e)
{
    const LogsQuery nothing = { .lines = "0" };
    g_autoptr(JsonObject) manager = NULL;
    g_auto(ClientError) ignored = { 0 };
    const char *node = text_member(run, "Node");
    int fd;

    if (!*node || client_manager(ctl->client, &ignored, &manager) < 0 ||
        g_str_equal(node, text_member(manager, "NodeName")))
        return false;
    fd = logs_open(ctl->client, text_number(run, "Id"), &nothing, e);
    if (fd >= 0)
        close(fd);
    return fd < 0 && e->error.code == ERROR_FAILED;
}

static int logs_verb_run(Ctl *ctl, LogsQuery *q, JsonObject *run)
{
    g_autoptr(GPtrArray) units = logs_of_attempts(run, "Unit");
    g_autoptr(GPtrArray) invocations = logs_of_attempts(run, "InvocationId");
    g_auto(ClientError) error = { 0 };

    if (!logs_may_read(ctl))
        return logs_of_run(ctl, q);
    if (logs_are_elsewhere(ctl, run, &error))
        return output_fail(ctl, &error);
    q->units = units;
    q->invocations = invocations;
    return logs_exec(ctl, q);
}

int logs_verb(Ctl *ctl)
{
    const char *word = ctl_word(ctl, 0), *lines = args_get(&ctl->args, "lines");
    g_autoptr(JsonObject) object = NULL;
    g_auto(ClientError) error = { 0 };
    int64_t number;
    ShowKind kind;
    LogsQuery q = {
        .object = word,
        .user = ctl->user,
        .quiet = ctl->quiet,
        .follow = args_has(&ctl->args, "follow"),
        .pager = ctl->pager,
        .ask = true,
        .lines = lines,
        .output = args_get(&ctl->args, "output"),
    };

    if (lines && !g_str_equal(lines, "all") && args_number(lines, 0, INT32_MAX, &number) < 0)
        return output_usage(ctl, _("--lines: \"%s\" is no number"), lines);
    if (show_get(ctl->client, word, &object, &kind, &error) < 0)
        return output_fail(ctl, &error);
    if (kind != SHOW_RUN && kind != SHOW_TASK)
        return output_usage(ctl, _("logs takes a run or a task"));
    q.is_run = kind == SHOW_RUN;
    return q.is_run ? logs_verb_run(ctl, &q, object) : logs_verb_task(ctl, &q);
}
