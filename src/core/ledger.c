/* What is told of the ledger: slots that did not fire, and what stands there. */
#include "core/internal.h"

#include "base/log.h"
#include "model/timespec.h"

static void manager_log_skipped(const StoreSkip *k)
{
    g_autofree char *first = timespec_format_instant(k->first), *last = timespec_format_instant(k->last),
                    *schedule = g_strconcat("TASKSCHEDD_SCHEDULE=", k->schedule, NULL),
                    *nominal = g_strconcat("TASKSCHEDD_NOMINAL=", last, NULL),
                    *cause = g_strconcat("TASKSCHEDD_CAUSE=", k->cause, NULL), *count = NULL;
    const char *more[] = { schedule, nominal, cause, NULL };
    const LogContext context = { LOG_ID_SLOT_MISSED, k->task, 0, 0, NULL, more };

    if (k->first == k->last) {
        log_message(LOG_NOTICE, &context, "The slot %s of %s/%s did not fire: %s", last, k->task, k->schedule,
            k->reason);
        return;
    }
    if (k->count > 0)
        count = g_strdup_printf("%" G_GUINT64_FORMAT " ", k->count);
    log_message(LOG_NOTICE, &context, "%sslots of %s/%s from %s to %s did not fire: %s", util_strempty(count),
        k->task, k->schedule, first, last, k->reason);
}

void manager_slots_skipped(Manager *m, const StoreSkip *skip)
{
    manager_log_skipped(skip);
    m->events.slots_skipped(skip, m->userdata);
}

int manager_list_slots(Manager *m, const StoreSlotFilter *f, StoreSlotsFn fn, void *userdata, Error *error)
{
    int r = manager_check_store(m, error);

    return r < 0 ? r : store_list_slots(m->store, f, fn, userdata);
}
