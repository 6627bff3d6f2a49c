/* run: asks for a run, and again with the same token until there is an answer; then waits for it if wanted.
 */
#include "ctl/ask.h"

#include <stdio.h>

#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/wait.h"
#include "lib/i18n.h"

#define REPEAT_FIRST (100 * USEC_PER_MSEC)
#define REPEAT_MAX   (2 * USEC_PER_SEC)
#define REPEAT_LIMIT (60 * USEC_PER_SEC)

static int ask_append_strings(sd_bus_message *m, const char *key, GHashTable *strings)
{
    GHashTableIter i;
    gpointer name, value;
    int r = sd_bus_message_open_container(m, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append(m, "s", key);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', "a{ss}");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "{ss}");
    g_hash_table_iter_init(&i, strings);
    while (r >= 0 && g_hash_table_iter_next(&i, &name, &value))
        r = sd_bus_message_append(m, "{ss}", name, value);
    for (int level = 0; level < 3 && r >= 0; level++)
        r = sd_bus_message_close_container(m);
    return r;
}

static int ask_append_bytes(sd_bus_message *m, GBytes *bytes)
{
    size_t size;
    const void *data = g_bytes_get_data(bytes, &size);

    return sd_bus_message_append_array(m, 'y', data, size);
}

static int ask_append_files(sd_bus_message *m, GHashTable *files)
{
    GHashTableIter i;
    gpointer name, content;
    int r = sd_bus_message_open_container(m, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append(m, "s", "files");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', "a{say}");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "{say}");
    g_hash_table_iter_init(&i, files);
    while (r >= 0 && g_hash_table_iter_next(&i, &name, &content)) {
        r = sd_bus_message_open_container(m, 'e', "say");
        if (r >= 0)
            r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
            r = ask_append_bytes(m, content);
        if (r >= 0)
            r = sd_bus_message_close_container(m);
    }
    for (int level = 0; level < 3 && r >= 0; level++)
        r = sd_bus_message_close_container(m);
    return r;
}

static int ask_append_raw(sd_bus_message *m, GBytes *raw)
{
    int r = sd_bus_message_open_container(m, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append(m, "s", "raw");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', "ay");
    if (r >= 0)
        r = ask_append_bytes(m, raw);
    for (int level = 0; level < 2 && r >= 0; level++)
        r = sd_bus_message_close_container(m);
    return r;
}

static int ask_append_options(sd_bus_message *m, const Ask *a)
{
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    if (r >= 0)
        r = sd_bus_message_append(m, "{sv}", "token", "s", a->token ? a->token : a->made_token);
    if (r >= 0 && a->at)
        r = sd_bus_message_append(m, "{sv}", "at", "t", a->at);
    if (r >= 0 && a->has_priority)
        r = sd_bus_message_append(m, "{sv}", "priority", "i", a->priority);
    if (r >= 0 && a->json)
        r = sd_bus_message_append(m, "{sv}", "json", "s", a->json);
    if (r >= 0 && a->raw)
        r = ask_append_raw(m, a->raw);
    if (r >= 0 && g_hash_table_size(a->meta) > 0)
        r = ask_append_strings(m, "meta", a->meta);
    if (r >= 0 && g_hash_table_size(a->texts) > 0)
        r = ask_append_strings(m, "texts", a->texts);
    if (r >= 0 && g_hash_table_size(a->files) > 0)
        r = ask_append_files(m, a->files);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int ask_once(Ctl *ctl, const Ask *a, uint64_t *ret, ClientError *e)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
    const char *path;
    int r = client_message(ctl->client, "RunTask", &m, e);

    if (r < 0)
        return r;
    r = sd_bus_message_append(m, "sa{sv}", a->task, 0);
    if (r >= 0)
        r = ask_append_options(m, a);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    r = client_send(ctl->client, m, &reply, e);
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "to", ret, &path);
    return r < 0 ? client_error_from_bus(e, NULL, r) : 0;
}

/* The token makes asking again harmless: the daemon answers with the run of the first time. */
static int ask_until_answered(Ctl *ctl, const Ask *a, bool forever, uint64_t *ret, ClientError *e)
{
    uint64_t begin = (uint64_t)g_get_monotonic_time(), delay = REPEAT_FIRST;
    bool told = false;

    for (;;) {
        int r = ask_once(ctl, a, ret, e);

        if (r >= 0 || !e->again)
            return r;
        if (!forever && (uint64_t)g_get_monotonic_time() - begin >= REPEAT_LIMIT)
            return r;
        if (!told)
            output_note(ctl, _("%s; asking again until there is an answer"), e->error.message);
        told = true;
        client_error_clear(e);
        g_usleep(delay);
        delay = MIN(delay * 2, REPEAT_MAX);
    }
}

static void ask_print_id(const Ctl *ctl, const Ask *a, uint64_t run)
{
    if (ctl->json == CTL_JSON_OFF) {
        printf("%" G_GUINT64_FORMAT "\n", run);
    } else {
        g_autoptr(JsonObject) o = json_object_new();

        json_object_set_int_member(o, "Id", (gint64)run);
        json_object_set_string_member(o, "Task", a->task);
        output_json_object(ctl, o);
    }
    fflush(stdout);
}

static int ask_wait(Ctl *ctl, uint64_t run, bool follow, ClientError *e)
{
    g_autoptr(JsonObject) done = NULL;

    if (wait_for_run(ctl, run, follow, &done, e) < 0)
        return output_fail(ctl, e);
    if (ctl->json != CTL_JSON_OFF) {
        output_json_object(ctl, done);
    } else if (!g_str_equal(text_member(done, "Result"), "success")) {
        g_autofree char *result = text_result(done);
        const char *reason = text_member(done, "Reason");

        output_note(
            ctl, _("Run %llu ended: %s%s%s"), (unsigned long long)run, result, *reason ? ": " : "", reason);
    }
    return exits_of_run(done);
}

int ask_verb(Ctl *ctl)
{
    bool follow = args_has(&ctl->args, "follow");
    bool wait = follow || args_has(&ctl->args, "wait");
    g_auto(ClientError) error = { 0 };
    g_auto(Ask) ask = { 0 };
    uint64_t run = 0;

    if (follow && ctl->host)
        return output_usage(ctl, _("--follow reads this machine's journal and does not go with --host"));
    if (ask_from_args(&ctl->args, (uint64_t)g_get_real_time(), &ask, &error) < 0)
        return output_fail(ctl, &error);
    if (ask_until_answered(ctl, &ask, wait, &run, &error) < 0) {
        if (error.error.code == ERROR_INVALID_INPUT && ask.not_json && !error.error.hint)
            error_set_hint(
                &error.error, _("The input was sent as bytes, since it is not JSON: %s"), ask.not_json);
        return output_fail(ctl, &error);
    }
    if (!wait || ctl->json == CTL_JSON_OFF)
        ask_print_id(ctl, &ask, run);
    return wait ? ask_wait(ctl, run, follow, &error) : EXITS_OK;
}
