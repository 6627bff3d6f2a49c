/* Run.OpenLog answers with a descriptor; what is read from it is journalctl's output. */
#include "ctl/logs-open.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <systemd/sd-id128.h>

#include "ctl/agent.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/i18n.h"

#define TASK_RUNS 20 /* of a task, how many of the caller's latest runs are shown */

/* The journal of system units is in a file that root and some groups may read; where none is, journalctl says so. */
bool logs_may_read(const Ctl *ctl)
{
    static const char *const directories[] = { "/run/log/journal", "/var/log/journal" };
    char machine[SD_ID128_STRING_MAX];
    sd_id128_t id;

    if (ctl->user || ctl->host || geteuid() == 0 || sd_id128_get_machine(&id) < 0)
        return true;
    sd_id128_to_string(id, machine);
    ARRAY_FOREACH (directory, directories) {
        g_autofree char *path = g_build_filename(*directory, machine, "system.journal", NULL);

        if (access(path, R_OK) < 0 && errno == EACCES)
            return false;
    }
    return true;
}

static int logs_append_options(sd_bus_message *m, const LogsQuery *q)
{
    int64_t number;
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    if (r >= 0 && q->follow)
        r = sd_bus_message_append(m, "{sv}", "follow", "b", 1);
    if (r >= 0 && q->lines && args_number(q->lines, 0, INT32_MAX, &number) >= 0)
        r = sd_bus_message_append(m, "{sv}", "lines", "t", (uint64_t)number);
    if (r >= 0 && q->output)
        r = sd_bus_message_append(m, "{sv}", "format", "s", q->output);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int logs_message(sd_bus *bus, uint64_t run, const LogsQuery *q, sd_bus_message **ret)
{
    g_autofree char *id = g_strdup_printf("%" G_GUINT64_FORMAT, run), *path = NULL;
    int r = sd_bus_path_encode(CLIENT_PATH "/run", id, &path);

    if (r >= 0)
        r = sd_bus_message_new_method_call(bus, ret, CLIENT_NAME, path, CLIENT_RUN_INTERFACE, "OpenLog");
    if (r >= 0 && !q->ask)
        r = sd_bus_message_set_allow_interactive_authorization(*ret, 0);
    return r < 0 ? r : logs_append_options(*ret, q);
}

int logs_open(Client *c, uint64_t run, const LogsQuery *q, ClientError *e)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
    sd_bus *bus;
    int fd, r = client_connect(c, &bus, e);

    if (r < 0)
        return r;
    r = logs_message(bus, run, q, &m);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    r = client_send(c, m, &reply, e);
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "h", &fd);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return fd < 0 ? client_error_from_bus(e, NULL, -errno) : fd;
}

/* Until there is something to read; false: nobody reads what we write. */
static bool logs_wait(int fd)
{
    struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = STDOUT_FILENO } };

    while (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
        if (errno != EINTR)
            return false;
    return !(fds[1].revents & (POLLERR | POLLHUP));
}

void logs_copy(int fd)
{
    char buffer[16384];
    ssize_t n;

    while (logs_wait(fd) && (n = read(fd, buffer, sizeof(buffer))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || fwrite(buffer, 1, (size_t)n, stdout) < (size_t)n || fflush(stdout) < 0)
            break;
    }
}

static void logs_hint(ClientError *e)
{
    if (e->error.code == ERROR_ACCESS_DENIED)
        error_set_hint(&e->error, "%s",
            _("Your own runs' logs you may see; all of them as a member of the group systemd-journal"));
}

static int logs_show(Ctl *ctl, uint64_t run, const LogsQuery *q, ClientError *e)
{
    _cleanup_(util_closep) int fd = logs_open(ctl->client, run, q, e);

    if (fd < 0)
        return fd;
    if (!q->follow)
        output_pager_open(ctl);
    logs_copy(fd);
    return 0;
}

int logs_of_run(Ctl *ctl, const LogsQuery *q)
{
    g_auto(ClientError) error = { 0 };
    uint64_t run = 0;
    int r;

    args_is_run(q->object, &run);
    agent_open(ctl);
    r = logs_show(ctl, run, q, &error);
    agent_close(ctl);
    output_pager_close(ctl);
    logs_hint(&error);
    return r < 0 ? output_fail(ctl, &error) : EXITS_OK;
}

int logs_of_own_runs(Ctl *ctl, const LogsQuery *q)
{
    const struct passwd *self = getpwuid(geteuid());
    ClientFilter filter = { .task = q->object, .requester = self ? self->pw_name : NULL };
    g_autoptr(JsonArray) page = NULL;
    g_autofree char *next = NULL;
    g_auto(ClientError) error = { 0 };
    guint n;
    int r = client_list(ctl->client, &error, "ListRuns", &filter, "", TASK_RUNS, &page, &next);

    if (r < 0)
        return output_fail(ctl, &error);
    n = json_array_get_length(page);
    if (n == 0 || q->follow) {
        client_error_set(&error, ERROR_ACCESS_DENIED,
            n == 0 ? _("You may not read the journal, and no run of %s is yours")
                   : _("You may not read the journal, so of %s one run at a time can be followed"),
            q->object);
        logs_hint(&error);
        return output_fail(ctl, &error);
    }
    output_note(ctl, _("You may not read the journal: these are your latest runs of %s."), q->object);
    for (guint i = n; i-- > 0 && r >= 0;)
        r = logs_show(ctl, text_number(json_array_get_object_element(page, i), "Id"), q, &error);
    output_pager_close(ctl);
    return r < 0 ? output_fail(ctl, &error) : EXITS_OK;
}
