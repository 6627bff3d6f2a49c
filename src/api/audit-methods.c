/* The audit, page by page. An entry is small and bounded, so a page is limited by their number alone. */
#include "api/audit-methods.h"

#include "api/message.h"
#include "api/property.h"

#define PAGE_MAX 1000

typedef struct AuditPage {
    StoreAuditFilter filter;
    char *user, *method;
} AuditPage;

static void audit_page_free(void *userdata)
{
    AuditPage *p = userdata;

    g_free(p->user);
    g_free(p->method);
    g_free(p);
}

/* A name, or a number. */
static int filter_user(sd_bus_message *m, void *into, Error *error)
{
    AuditPage *p = into;
    const char *text;
    int r = sd_bus_message_read(m, "s", &text);

    if (r >= 0 && !g_ascii_string_to_unsigned(text, 10, 0, UINT32_MAX, &p->filter.uid, NULL))
        p->user = g_strdup(text);
    return r;
}

static const MessageEntry filters[] = {
    { "since", "t", message_entry_time, offsetof(AuditPage, filter.since) },
    { "until", "t", message_entry_time, offsetof(AuditPage, filter.until) },
    { "user", "s", filter_user, 0 },
    { "method", "s", message_entry_string, offsetof(AuditPage, method) },
    { "granted", "b", message_entry_bool, offsetof(AuditPage, filter.granted) },
};

/* The cursor is the time and the number of the last entry: "AT-ID". */
static int audit_page_read_cursor(AuditPage *p, sd_bus_message *m, Error *error)
{
    g_auto(GStrv) parts = NULL;
    const char *cursor;
    int r = message_read_page(m, PAGE_MAX, &cursor, &p->filter.limit, error);

    if (r < 0 || !*cursor)
        return r;
    parts = g_strsplit(cursor, "-", 3);
    if (g_strv_length(parts) != 2 ||
        !g_ascii_string_to_unsigned(parts[0], 10, 0, INT64_MAX, &p->filter.before_at, NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 10, 1, INT64_MAX, &p->filter.before_id, NULL))
        return message_refuse(error, ERROR_INVALID_ARGUMENT, "", cursor, " is no cursor of this list.");
    return 0;
}

/* Of old entries only the number is known. */
static int audit_user(sd_bus_message *m, const void *record, size_t offset)
{
    const StoreAuditEntry *a = record;
    g_autofree char *number = NULL;

    if (!*a->user && a->uid != UNSET)
        number = g_strdup_printf("%" G_GUINT64_FORMAT, a->uid);
    return property_append_string(m, number ? number : a->user);
}

static const Property entry_rows[] = {
    { "At", "t", property_number, offsetof(StoreAuditEntry, at), 0 },
    { "Uid", "t", property_number, offsetof(StoreAuditEntry, uid), 0 },
    { "User", "s", audit_user, 0, 0 },
    { "Unit", "s", property_string, offsetof(StoreAuditEntry, unit), 0 },
    { "Method", "s", property_string, offsetof(StoreAuditEntry, method), 0 },
    { "Object", "s", property_string, offsetof(StoreAuditEntry, object), 0 },
    { "Granted", "b", property_bool, offsetof(StoreAuditEntry, granted), 0 },
};
static const PropertyTable entry_properties = PROPERTY_TABLE(entry_rows);

static int audit_page_fill(const Request *q, sd_bus_message *reply, const void *found)
{
    const AuditPage *p = q->data;
    const GPtrArray *entries = found;
    g_autofree char *next = NULL;
    int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

    for (guint i = 0; r >= 0 && i < entries->len; i++)
        r = property_append_dict(reply, &entry_properties, g_ptr_array_index(entries, i), true);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    if (entries->len == p->filter.limit) {
        const StoreAuditEntry *last = g_ptr_array_index(entries, entries->len - 1);

        next = g_strdup_printf("%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, last->at, last->id);
    }
    return r < 0 ? r : sd_bus_message_append(reply, "s", util_strempty(next));
}

static void on_entries(int r, GPtrArray *entries, const Error *error, void *userdata)
{
    request_answer_filled(userdata, r, error, audit_page_fill, entries);
}

int audit_methods_list(Request *q, Error *error)
{
    AuditPage *p = g_new0(AuditPage, 1);
    int r;

    q->data = p;
    q->free_data = audit_page_free;
    p->filter.uid = UNSET;
    p->filter.granted = -1;
    r = message_read_dict(q->message, filters, G_N_ELEMENTS(filters), "filter", p, error);
    if (r >= 0)
        r = audit_page_read_cursor(p, q->message, error);
    if (r < 0)
        return r;
    p->filter.user = p->user;
    p->filter.method = p->method;
    return manager_list_audit(q->manager, &p->filter, on_entries, q, error);
}
