/* db: how the daemon's database is, and its move to a newer server, which a unit of its own does. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/i18n.h"

#define UPGRADE_UNIT "taskschedd-postgresql-upgrade.service"
#define ASK_AGAIN    (500 * USEC_PER_MSEC)
#define TAKES        (24 * 60 * 60 * USEC_PER_SEC)
#define COMES_BACK   (2 * 60 * USEC_PER_SEC)
#define SYSTEMD      "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"

static char *database_schema(JsonObject *o)
{
    uint64_t schema = text_number(o, "Schema"), newest = text_number(o, "SchemaNewest");

    if (schema == UNSET)
        return NULL;
    if (newest == UNSET || newest == schema)
        return g_strdup_printf("%" G_GUINT64_FORMAT, schema);
    return g_strdup_printf(
        _("%llu; this version's is %llu"), (unsigned long long)schema, (unsigned long long)newest);
}

/* Of one that does not answer the daemon knows why. */
static void database_print_server(const Ctl *ctl, JsonObject *o)
{
    g_autoptr(JsonObject) manager = NULL;
    g_auto(ClientError) ignored = { 0 };

    if (*text_member(o, "Server")) {
        output_line(_("Server"), g_strdup_printf("PostgreSQL %s", text_member(o, "Server")));
        return;
    }
    output_line(_("Server"), g_strdup(_("does not answer")));
    if (client_manager(ctl->client, &ignored, &manager) >= 0)
        output_line(_("Reason"), g_strdup(text_member(manager, "Reason")));
}

static void database_print(const Ctl *ctl, JsonObject *o)
{
    bool embedded = json_object_get_boolean_member_with_default(o, "Embedded", false);
    const char *upgrade = text_member(o, "UpgradeTo");

    output_line(_("Database"), g_strdup(embedded ? _("private, of this service alone") : _("of ConnInfo=")));
    database_print_server(ctl, o);
    output_line(_("Schema"), database_schema(o));
    output_line(_("Size"), text_bytes(text_number(o, "Size")));
    output_line(_("Directory"), g_strdup(text_member(o, "DataDirectory")));
    if (*upgrade)
        output_line(
            _("Upgrade"), g_strdup_printf(_("PostgreSQL %s is installed: tschedctl db upgrade"), upgrade));
}

static int database_status(Ctl *ctl)
{
    g_autoptr(JsonObject) o = NULL;
    g_auto(ClientError) error = { 0 };

    if (client_call_object(ctl->client, &error, &o, "GetDatabase", "") < 0)
        return output_fail(ctl, &error);
    if (ctl->json != CTL_JSON_OFF)
        output_json_object(ctl, o);
    else
        database_print(ctl, o);
    return *text_member(o, "Server") ? EXITS_OK : EXITS_UNAVAILABLE;
}

static int database_fail(Ctl *ctl, ClientError *e)
{
    if (!e->error.hint)
        error_set_hint(&e->error, _("What happened: journalctl -u %s"), UPGRADE_UNIT);
    return output_fail(ctl, e);
}

/* 1: it is over, 0: not yet. What the service manager does not say now, it says later. */
static int database_unit_is_over(Ctl *ctl, bool *ret_failed)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *unit = NULL, *job = NULL;
    g_autofree char *state = NULL;
    g_auto(ClientError) ignored = { 0 };
    const char *path, *job_path;
    uint32_t number;
    sd_bus *bus;

    if (client_connect(ctl->client, &bus, &ignored) < 0 ||
        sd_bus_call_method(
            bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD ".Manager", "LoadUnit", NULL, &unit, "s", UPGRADE_UNIT) < 0 ||
        sd_bus_message_read(unit, "o", &path) < 0 ||
        sd_bus_get_property_string(bus, SYSTEMD, path, SYSTEMD ".Unit", "ActiveState", NULL, &state) < 0 ||
        sd_bus_get_property(bus, SYSTEMD, path, SYSTEMD ".Unit", "Job", NULL, &job, "(uo)") < 0 ||
        sd_bus_message_read(job, "(uo)", &number, &job_path) < 0)
        return 0;
    *ret_failed = g_str_equal(state, "failed");
    return number == 0 && (*ret_failed || g_str_equal(state, "inactive"));
}

/* What the unit writes goes to standard error, where the journal can be read. */
static pid_t database_follow(const Ctl *ctl)
{
    char *argv[] = { (char *)"journalctl", (char *)"--follow", (char *)"--lines=0", (char *)"--quiet",
        (char *)"--output=cat", (char *)"--unit=" UPGRADE_UNIT, NULL };
    GPid pid;

    if (ctl->quiet || ctl->host || ctl->json != CTL_JSON_OFF)
        return 0;
    if (!g_spawn_async_with_fds(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
            &pid, -1, STDERR_FILENO, -1, NULL))
        return 0;
    return pid;
}

static void database_unfollow(pid_t pid)
{
    if (pid <= 0)
        return;
    g_usleep(ASK_AGAIN); /* the last lines are on their way */
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

static int database_wait(Ctl *ctl, bool *ret_failed)
{
    uint64_t begin = (uint64_t)g_get_monotonic_time();
    pid_t journal = database_follow(ctl);
    int r = 0;

    while (!database_unit_is_over(ctl, ret_failed)) {
        if ((uint64_t)g_get_monotonic_time() - begin > TAKES) {
            r = -ETIMEDOUT;
            break;
        }
        g_usleep(ASK_AGAIN);
    }
    database_unfollow(journal);
    return r;
}

/* The daemon has lost its database for a while, and finds it again. */
static int database_back(Ctl *ctl, JsonObject **ret, ClientError *e)
{
    uint64_t begin = (uint64_t)g_get_monotonic_time();

    for (;;) {
        g_autoptr(JsonObject) manager = NULL;
        int r = client_manager(ctl->client, e, &manager);
        bool over = (uint64_t)g_get_monotonic_time() - begin > COMES_BACK;

        if (r >= 0 && g_str_equal(text_member(manager, "State"), "running"))
            return client_call_object(ctl->client, e, ret, "GetDatabase", "");
        if (r >= 0 && over)
            return client_error_set(
                e, ERROR_NOT_AVAILABLE, _("The database is not back: %s"), text_member(manager, "Reason"));
        if (r < 0 && (over || !e->again))
            return r;
        client_error_clear(e);
        g_usleep(ASK_AGAIN);
    }
}

static int database_upgrade(Ctl *ctl)
{
    g_autoptr(JsonObject) after = NULL;
    g_auto(ClientError) error = { 0 };
    bool failed = false;
    int r;

    if (client_call(ctl->client, &error, NULL, "UpgradeDatabase", "a{sv}", 0) < 0)
        return output_fail(ctl, &error);
    output_note(ctl, "%s", _("The upgrade has begun. Runs go on; nothing new starts until it is done."));
    if (database_wait(ctl, &failed) < 0)
        r = client_error_set(&error, ERROR_NOT_AVAILABLE, "%s", _("The upgrade is not done after a day"));
    else if (failed)
        r = client_error_set(&error, ERROR_FAILED, "%s", _("The upgrade failed; the database is as it was"));
    else
        r = database_back(ctl, &after, &error);
    if (r < 0)
        return database_fail(ctl, &error);
    if (ctl->json != CTL_JSON_OFF)
        output_json_object(ctl, after);
    else if (!ctl->quiet)
        printf(_("The database is of PostgreSQL %s now.\n"), text_member(after, "Server"));
    return EXITS_OK;
}

int database_verb(Ctl *ctl)
{
    static const struct {
        const char *word;
        CtlVerb run;
    } words[] = { { "status", database_status }, { "upgrade", database_upgrade } };

    ARRAY_FOREACH (w, words)
        if (g_strcmp0(w->word, ctl_word(ctl, 0)) == 0)
            return w->run(ctl);
    return output_usage(ctl, _("db takes status or upgrade, not \"%s\""), ctl_word(ctl, 0));
}
