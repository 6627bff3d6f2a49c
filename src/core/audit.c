/* The audit: one row and one line for what was asked for, granted or refused. */
#include "core/internal.h"

#include "base/log.h"

static void manager_audit_log(const Caller *caller, const char *method, const char *object, bool granted)
{
    g_autofree char *uid = g_strdup_printf("TASKSCHEDD_UID=%" G_GUINT64_FORMAT, caller->uid);
    g_autofree char *user = g_strdup_printf("TASKSCHEDD_USER=%s", caller->name);
    g_autofree char *unit = g_strdup_printf("TASKSCHEDD_CALLER_UNIT=%s", util_strempty(caller->unit));
    g_autofree char *called = g_strdup_printf("TASKSCHEDD_METHOD=%s", method);
    g_autofree char *about = g_strdup_printf("TASKSCHEDD_OBJECT=%s", object);
    /* It is the caller's text: on one line, whatever it holds. */
    g_autofree char *shown = g_strescape(object, NULL);
    const char *fields[] = { uid, user, unit, called, about,
        granted ? "TASKSCHEDD_GRANTED=yes" : "TASKSCHEDD_GRANTED=no", NULL };
    LogContext context = { .message_id = granted ? LOG_ID_GRANTED : LOG_ID_REFUSED, .more = fields };

    log_message(granted ? LOG_INFO : LOG_NOTICE, &context, "%s(%s) %s user %s.", method, shown,
        granted ? "granted to" : "refused to", caller->name);
}

void manager_audit(Manager *m, const Caller *caller, const char *method, const char *object, bool granted)
{
    StoreAudit a = { caller->uid, caller->name, util_strempty(caller->unit), method, object, granted };

    manager_audit_log(caller, method, object, granted);
    if (m->store)
        store_audit(m->store, &a);
}

int manager_list_audit(Manager *m, const StoreAuditFilter *f, StoreAuditsFn fn, void *userdata, Error *error)
{
    int r = manager_check_store(m, error);

    return r < 0 ? r : store_list_audit(m->store, f, fn, userdata);
}
