/* Verbs that tell the daemon to do one thing to each object named. */
#include <signal.h>
#include <stdio.h>

#include "ctl/list.h"
#include "ctl/output.h"
#include "lib/i18n.h"
#include "model/signals.h"
#include "model/timespec.h"

/* One object: negative with *e filled. */
typedef int (*ChangeFn)(Ctl *ctl, const char *word, ClientError *e);

/* All are tried; the first fault decides the exit code. */
static int change_each(Ctl *ctl, ChangeFn fn)
{
    int code = EXITS_OK;

    for (guint i = 0; i < ctl->args.words->len; i++) {
        g_auto(ClientError) error = { 0 };

        if (fn(ctl, ctl_word(ctl, i), &error) < 0) {
            int failed = output_fail(ctl, &error);

            code = code == EXITS_OK ? failed : code;
        }
    }
    return code;
}

static int change_run_id(const char *word, uint64_t *ret, ClientError *e)
{
    if (args_is_run(word, ret))
        return 0;
    return client_error_set(e, ERROR_INVALID_ARGUMENT, _("\"%s\" is not the id of a run"), word);
}

static int change_cancel(Ctl *ctl, const char *word, ClientError *e)
{
    uint64_t run;
    int r = change_run_id(word, &run, e);

    return r < 0 ? r : client_call(ctl->client, e, NULL, "CancelRun", "t", run);
}

int change_cancel_verb(Ctl *ctl)
{
    return change_each(ctl, change_cancel);
}

static int change_kill(Ctl *ctl, const char *word, ClientError *e)
{
    const char *name = args_get(&ctl->args, "signal");
    uint64_t run;
    int r = change_run_id(word, &run, e);

    if (r < 0)
        return r;
    return client_call(
        ctl->client, e, NULL, "KillRun", "ti", run, name ? signals_from_string(name) : SIGTERM);
}

int change_kill_verb(Ctl *ctl)
{
    const char *name = args_get(&ctl->args, "signal");

    if (name && signals_from_string(name) <= 0)
        return output_usage(ctl, _("--signal: \"%s\" is no signal"), name);
    return change_each(ctl, change_kill);
}

static int change_retry(Ctl *ctl, const char *word, ClientError *e)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    uint64_t run, again;
    const char *path;
    int r = change_run_id(word, &run, e);

    if (r >= 0)
        r = client_call(ctl->client, e, &reply, "RetryRun", "t", run);
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "to", &again, &path);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    if (ctl->json == CTL_JSON_OFF) {
        printf("%" G_GUINT64_FORMAT "\n", again);
    } else {
        g_autoptr(JsonObject) o = json_object_new();

        json_object_set_int_member(o, "Id", (gint64)again);
        json_object_set_int_member(o, "RetryOf", (gint64)run);
        output_json_object(ctl, o);
    }
    return 0;
}

int change_retry_verb(Ctl *ctl)
{
    return change_each(ctl, change_retry);
}

static int change_delete(Ctl *ctl, const char *word, ClientError *e)
{
    return client_call(ctl->client, e, NULL, "DeleteTask", "s", word);
}

int change_delete_verb(Ctl *ctl)
{
    return change_each(ctl, change_delete);
}

static int change_enable(Ctl *ctl, const char *word, ClientError *e)
{
    return client_call(ctl->client, e, NULL, "SetEnabled", "sb", word, 1);
}

int change_enable_verb(Ctl *ctl)
{
    return change_each(ctl, change_enable);
}

static int change_disable(Ctl *ctl, const char *word, ClientError *e)
{
    return client_call(ctl->client, e, NULL, "SetEnabled", "sb", word, 0);
}

static int change_pause(Ctl *ctl, const char *word, ClientError *e)
{
    uint64_t until;
    int code = list_instant(ctl, "until", &until);

    return code != EXITS_OK ? -EINVAL : client_call(ctl->client, e, NULL, "PauseUntil", "st", word, until);
}

int change_disable_verb(Ctl *ctl)
{
    uint64_t until = UNSET;
    int code = list_instant(ctl, "until", &until);

    return code != EXITS_OK ? code : change_each(ctl, until != UNSET ? change_pause : change_disable);
}

/* One slot after the other: of a schedule, at each of the times. */
static int change_slots(Ctl *ctl, const char *method)
{
    g_auto(GStrv) parts = g_strsplit(ctl_word(ctl, 0), "/", 2);
    int code = EXITS_OK;

    if (g_strv_length(parts) != 2)
        return output_usage(ctl, _("\"%s\" is not of the form TASK/SCHEDULE"), ctl_word(ctl, 0));
    for (guint i = 1; i < ctl->args.words->len; i++) {
        g_auto(ClientError) error = { 0 };
        uint64_t at;

        if (timespec_parse_instant(ctl_word(ctl, i), (uint64_t)g_get_real_time(), &at) < 0)
            return output_usage(ctl, _("\"%s\" is no time"), ctl_word(ctl, i));
        if (client_call(ctl->client, &error, NULL, method, "sst", parts[0], parts[1], at) < 0) {
            int failed = output_fail(ctl, &error);

            code = code == EXITS_OK ? failed : code;
        }
    }
    return code;
}

int change_skip_verb(Ctl *ctl)
{
    return change_slots(ctl, "SkipSlot");
}

int change_unskip_verb(Ctl *ctl)
{
    return change_slots(ctl, "UnskipSlot");
}

int change_reload_verb(Ctl *ctl)
{
    g_auto(ClientError) error = { 0 };

    if (client_call(ctl->client, &error, NULL, "Reload", "") < 0)
        return output_fail(ctl, &error);
    return EXITS_OK;
}

int change_vacuum_verb(Ctl *ctl)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    g_auto(ClientError) error = { 0 };
    uint64_t removed = 0;

    client_set_endless(ctl->client);
    if (client_call(ctl->client, &error, &reply, "Vacuum", "a{sv}", 0) < 0)
        return output_fail(ctl, &error);
    (void)sd_bus_message_read(reply, "t", &removed);
    if (ctl->json != CTL_JSON_OFF) {
        g_autoptr(JsonObject) o = json_object_new();

        json_object_set_int_member(o, "Removed", (int64_t)removed);
        output_json_object(ctl, o);
    } else {
        output_note(ctl, ngettext("%llu run removed.", "%llu runs removed.", (unsigned long)removed),
            (unsigned long long)removed);
    }
    return EXITS_OK;
}
