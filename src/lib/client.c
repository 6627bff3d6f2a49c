/* A connection that is made when it is needed, and calls over it. */
#include "lib/client.h"

#include <stdarg.h>

#include "lib/i18n.h"
#include "lib/remote.h"
#include "lib/value.h"

/* Longer than the daemon takes for anything: it answers NotAvailable itself where its database is away. */
#define CALL_TIMEOUT (60 * USEC_PER_SEC)

/* While a person may be asked for a password. */
#define PATIENT_TIMEOUT (5 * 60 * USEC_PER_SEC)

#define PAGE_MAX 1000 /* rows asked for at once where all are wanted */

struct Client {
    bool user;
    bool interactive;
    uint64_t timeout; /* of a call */
    char *host;
    sd_bus *bus;
};

/* Errors that are not the daemon's, as people are to see them. */
static const struct {
    const char *name;
    ErrorCode code;
    bool again, not_running;
    const char *message; /* NULL keeps the bus's */
} bus_errors[] = {
    { SD_BUS_ERROR_SERVICE_UNKNOWN, ERROR_NOT_AVAILABLE, true, true,
        N_("The daemon taskschedd is not running") },
    { SD_BUS_ERROR_NAME_HAS_NO_OWNER, ERROR_NOT_AVAILABLE, true, true,
        N_("The daemon taskschedd is not running") },
    { SD_BUS_ERROR_NO_REPLY, ERROR_NOT_AVAILABLE, true, false, N_("The daemon taskschedd did not answer") },
    { SD_BUS_ERROR_TIMEOUT, ERROR_NOT_AVAILABLE, true, false, N_("The daemon taskschedd did not answer") },
    { SD_BUS_ERROR_DISCONNECTED, ERROR_NOT_AVAILABLE, true, false,
        N_("The connection to the message bus was lost") },
    { SD_BUS_ERROR_NO_SERVER, ERROR_NOT_AVAILABLE, true, false, NULL },
    { SD_BUS_ERROR_LIMITS_EXCEEDED, ERROR_NOT_AVAILABLE, true, false, NULL },
    { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, ERROR_ACCESS_DENIED, false, false, NULL },
    { SD_BUS_ERROR_UNKNOWN_METHOD, ERROR_FAILED, false, false,
        N_("The running daemon is of a version that does not know this call") },
};

void client_error_clear(ClientError *e)
{
    error_clear(&e->error);
    g_clear_pointer(&e->name, g_free);
    e->again = false;
    e->not_running = false;
}

int client_error_set(ClientError *e, ErrorCode code, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    if (!e->name)
        e->name = g_strdup(error_info(code)->name);
    return error_set(&e->error, code, "%s", message);
}

/* The daemon's message ends with "\nHint: …" where it has one. */
static void client_error_take(ClientError *e, ErrorCode code, const char *name, const char *message)
{
    const char *hint = g_strrstr(message, "\nHint: ");

    client_error_clear(e);
    e->name = g_strdup(name);
    error_set(&e->error, code, "%.*s", hint ? (int)(hint - message) : (int)strlen(message), message);
    if (hint)
        error_set_hint(&e->error, "%s", hint + strlen("\nHint: "));
}

int client_error_from_bus(ClientError *e, const sd_bus_error *bus_error, int r)
{
    _cleanup_(sd_bus_error_free) sd_bus_error made = SD_BUS_ERROR_NULL;
    const ErrorInfo *info;

    if (!bus_error || !sd_bus_error_is_set(bus_error)) {
        sd_bus_error_set_errno(&made, r);
        bus_error = &made;
    }
    ARRAY_FOREACH (row, bus_errors) {
        if (!g_str_equal(row->name, bus_error->name))
            continue;
        client_error_take(e, row->code, row->name,
            row->message ? gettext(row->message) : util_strempty(bus_error->message));
        e->again = row->again;
        e->not_running = row->not_running;
        return r;
    }
    info = error_info_by_name(bus_error->name);
    client_error_take(
        e, info ? info->code : ERROR_FAILED, bus_error->name, util_strempty(bus_error->message));
    e->again = e->error.code == ERROR_NOT_AVAILABLE;
    return r;
}

int client_new(bool user, const char *host, Client **ret)
{
    Client *c = g_new0(Client, 1);

    c->user = user;
    c->timeout = CALL_TIMEOUT;
    c->host = g_strdup(host);
    *ret = c;
    return 0;
}

void client_disconnect(Client *c)
{
    c->bus = sd_bus_flush_close_unref(c->bus);
}

void client_free(Client *c)
{
    if (!c)
        return;
    client_disconnect(c);
    g_free(c->host);
    g_free(c);
}

void client_set_interactive(Client *c, bool interactive)
{
    c->interactive = interactive;
}

void client_set_patient(Client *c)
{
    c->timeout = PATIENT_TIMEOUT;
}

void client_set_endless(Client *c)
{
    c->timeout = UINT64_MAX;
}

static int client_open_remote(Client *c)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    g_autofree char *address = remote_bus_address(c->host);
    int r = address ? sd_bus_new(&bus) : -EINVAL;

    if (r >= 0)
        r = sd_bus_set_address(bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, true);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r >= 0)
        c->bus = g_steal_pointer(&bus);
    return r;
}

static int client_open(Client *c)
{
    int r;

    if (c->host)
        r = client_open_remote(c);
    else if (c->user)
        r = sd_bus_open_user(&c->bus);
    else
        r = sd_bus_open_system(&c->bus);
    return r < 0 ? r : sd_bus_set_allow_interactive_authorization(c->bus, c->interactive);
}

int client_connect(Client *c, sd_bus **ret_bus, ClientError *e)
{
    int r = 0;

    if (c->bus && sd_bus_is_open(c->bus) <= 0)
        client_disconnect(c);
    if (!c->bus)
        r = client_open(c);
    if (r < 0) {
        client_error_clear(e);
        client_error_set(e, ERROR_NOT_AVAILABLE, _("The message bus cannot be reached: %s"), g_strerror(-r));
        if (c->host)
            error_set_hint(&e->error, _("Does this work: ssh %s systemd-stdio-bridge --version"), c->host);
        else if (c->user)
            error_set_hint(
                &e->error, "%s", _("It is there in a session of the user: loginctl enable-linger makes one"));
        e->again = true;
        return r;
    }
    if (ret_bus)
        *ret_bus = c->bus;
    return 0;
}

int client_message(Client *c, const char *method, sd_bus_message **ret, ClientError *e)
{
    sd_bus *bus;
    int r = client_connect(c, &bus, e);

    if (r < 0)
        return r;
    r = sd_bus_message_new_method_call(bus, ret, CLIENT_NAME, CLIENT_PATH, CLIENT_INTERFACE, method);
    return r < 0 ? client_error_from_bus(e, NULL, r) : 0;
}

static bool client_is_connection_error(int r)
{
    return r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE || r == -ESHUTDOWN || r == -ECONNREFUSED;
}

int client_send(Client *c, sd_bus_message *m, sd_bus_message **ret_reply, ClientError *e)
{
    _cleanup_(sd_bus_error_free) sd_bus_error bus_error = SD_BUS_ERROR_NULL;
    /* An administrator who has stopped the daemon does not want it back because somebody looks. */
    int r = sd_bus_message_set_auto_start(m, 0);

    if (r >= 0)
        r = sd_bus_call(c->bus, m, c->timeout, &bus_error, ret_reply);
    if (r >= 0)
        return 0;
    client_error_from_bus(e, &bus_error, r);
    if (g_strcmp0(e->name, SD_BUS_ERROR_UNKNOWN_METHOD) == 0)
        error_set_hint(
            &e->error, _("After an upgrade: systemctl%s restart taskschedd"), c->user ? " --user" : "");
    if (e->not_running)
        error_set_hint(&e->error, _("Start it with: systemctl%s start taskschedd"), c->user ? " --user" : "");
    /* sd-bus names a lost connection by its errno alone. */
    if (client_is_connection_error(r) && !e->again) {
        client_error_clear(e);
        client_error_set(e, ERROR_NOT_AVAILABLE, "%s", _("The connection to the message bus was lost"));
        e->again = true;
    }
    if (sd_bus_is_open(c->bus) <= 0)
        client_disconnect(c);
    return r;
}

static int client_callv(
    Client *c, ClientError *e, sd_bus_message **ret_reply, const char *method, const char *types, va_list ap)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r = client_message(c, method, &m, e);

    if (r < 0)
        return r;
    if (*types) {
        r = sd_bus_message_appendv(m, types, ap);
        if (r < 0)
            return client_error_from_bus(e, NULL, r);
    }
    return client_send(c, m, ret_reply, e);
}

int client_call(
    Client *c, ClientError *e, sd_bus_message **ret_reply, const char *method, const char *types, ...)
{
    va_list ap;
    int r;

    va_start(ap, types);
    r = client_callv(c, e, ret_reply, method, types, ap);
    va_end(ap);
    return r;
}

int client_call_object(
    Client *c, ClientError *e, JsonObject **ret, const char *method, const char *types, ...)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    va_list ap;
    int r;

    va_start(ap, types);
    r = client_callv(c, e, &reply, method, types, ap);
    va_end(ap);
    if (r < 0)
        return r;
    r = value_read_object(reply, ret);
    return r < 0 ? client_error_from_bus(e, NULL, r) : 0;
}

int client_manager(Client *c, ClientError *e, JsonObject **ret)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
    sd_bus *bus;
    int r = client_connect(c, &bus, e);

    if (r < 0)
        return r;
    r = sd_bus_message_new_method_call(
        bus, &m, CLIENT_NAME, CLIENT_PATH, "org.freedesktop.DBus.Properties", "GetAll");
    if (r >= 0)
        r = sd_bus_message_append(m, "s", CLIENT_INTERFACE);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    r = client_send(c, m, &reply, e);
    if (r < 0)
        return r;
    r = value_read_object(reply, ret);
    return r < 0 ? client_error_from_bus(e, NULL, r) : 0;
}

static int client_append_meta(sd_bus_message *m, const GHashTable *meta)
{
    GHashTableIter i;
    gpointer key, value;
    int r = sd_bus_message_open_container(m, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append(m, "s", "meta");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', "a{ss}");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "{ss}");
    g_hash_table_iter_init(&i, (GHashTable *)meta);
    while (r >= 0 && g_hash_table_iter_next(&i, &key, &value))
        r = sd_bus_message_append(m, "{ss}", key, value);
    for (int level = 0; level < 3 && r >= 0; level++)
        r = sd_bus_message_close_container(m);
    return r;
}

static int client_append_filter(sd_bus_message *m, const ClientFilter *f)
{
    const struct {
        const char *key, *value;
    } strings[] = { { "task", f->task }, { "state", f->state }, { "result", f->result },
        { "requester", f->requester }, { "user", f->user }, { "method", f->method },
        { "schedule", f->schedule }, { "outcome", f->outcome }, { "cause", f->cause } };
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    ARRAY_FOREACH (s, strings)
        if (r >= 0 && s->value)
            r = sd_bus_message_append(m, "{sv}", s->key, "s", s->value);
    if (r >= 0 && f->since)
        r = sd_bus_message_append(m, "{sv}", "since", "t", f->since);
    if (r >= 0 && f->until)
        r = sd_bus_message_append(m, "{sv}", "until", "t", f->until);
    if (r >= 0 && f->has_granted)
        r = sd_bus_message_append(m, "{sv}", "granted", "b", (int)f->granted);
    if (r >= 0 && f->meta && g_hash_table_size((GHashTable *)f->meta) > 0)
        r = client_append_meta(m, f->meta);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int client_list(Client *c, ClientError *e, const char *method, const ClientFilter *filter, const char *cursor,
    uint32_t limit, JsonArray **ret, char **ret_next)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
    g_autoptr(JsonArray) array = NULL;
    const char *next;
    int r = client_message(c, method, &m, e);

    if (r < 0)
        return r;
    r = client_append_filter(m, filter);
    if (r >= 0)
        r = sd_bus_message_append(m, "su", cursor, limit);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    r = client_send(c, m, &reply, e);
    if (r < 0)
        return r;
    r = value_read_array(reply, &array);
    if (r >= 0)
        r = sd_bus_message_read(reply, "s", &next);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    *ret = g_steal_pointer(&array);
    *ret_next = g_strdup(next);
    return 0;
}

int client_list_all(Client *c, ClientError *e, const char *method, const ClientFilter *filter, guint max,
    void (*each)(JsonObject *o, void *userdata), void *userdata)
{
    g_autofree char *cursor = g_strdup("");
    guint n = 0;

    do {
        g_autoptr(JsonArray) page = NULL;
        g_autofree char *next = NULL;
        int r = client_list(c, e, method, filter, cursor, PAGE_MAX, &page, &next);

        if (r < 0)
            return r;
        for (guint i = 0; i < json_array_get_length(page); i++)
            each(json_array_get_object_element(page, i), userdata);
        n += json_array_get_length(page);
        g_free(cursor);
        cursor = g_steal_pointer(&next);
    } while (*cursor && n < max);
    return *cursor != 0;
}
