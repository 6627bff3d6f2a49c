/* What a definition that is changed or deleted leaves without an outcome, and what the database gave its own. */
#include "core/internal.h"

#include "base/log.h"
#include "model/schedule.h"
#include "model/slots.h"

static void skip_clear(void *skip)
{
    StoreSkip *k = skip;

    g_free((char *)k->task);
    g_free((char *)k->schedule);
}

/* Of slots from next on and before at, as one range. */
static SlotCause schedule_entry_cause(const ScheduleEntry *se, uint64_t next, uint64_t at)
{
    uint64_t until;

    if (!schedule_has(se->schedule, next, &until) && schedule_same_until(se->schedule, next) >= at)
        return SLOT_CALENDAR;
    if (!se->enabled || !se->entry->enabled || next < se->off_until)
        return SLOT_DISABLED;
    return next < manager_schedule_paused_until(se) ? SLOT_PAUSED : SLOT_CHANGED;
}

GArray *skips_left(const TaskEntry *entry, uint64_t at)
{
    static const char *const reasons[_SLOT_CAUSE_MAX] = {
        [SLOT_CALENDAR] = "they are outside of their calendar (Calendar=, NotCalendar=)",
        [SLOT_DISABLED] = "the schedule or its task was disabled",
        [SLOT_PAUSED] = "the schedule or its task was paused",
        [SLOT_CHANGED] = "the schedule was changed or deleted before it could be acted on",
    };
    GArray *skips = g_array_new(FALSE, FALSE, sizeof(StoreSkip));

    g_array_set_clear_func(skips, skip_clear);
    for (guint i = 0; entry && i < entry->schedules->len; i++) {
        const ScheduleEntry *se = g_ptr_array_index(entry->schedules, i);
        uint64_t next = manager_schedule_slot(se);
        SlotCause cause;
        SlotRange range;
        StoreSkip k;

        if (next >= at)
            continue;
        cause = schedule_entry_cause(se, next, at);
        slots_take(se->schedule, next, at, &range);
        k = (StoreSkip){ g_strdup(entry->task->name), g_strdup(se->schedule->name), entry->revision, se->last,
            range.first, range.last, range.count, slot_cause_to_string(cause), reasons[cause], se->ended };
        g_array_append_val(skips, k);
    }
    return skips;
}

/* --- ends that nobody here knew of --- */

#define REST_MAX 1000

typedef struct Rest {
    Manager *manager;
    GHashTable *known; /* name of a schedule → uint64_t*: its last slot whose outcome is known here */
} Rest;

static void rest_free(Rest *rest)
{
    g_hash_table_unref(rest->known);
    g_free(rest);
}

static void on_rest(int r, GPtrArray *slots, const Error *error, void *userdata)
{
    Rest *rest = userdata;

    if (r < 0 && r != -ENOTCONN && r != -ECANCELED)
        log_warning("Which slots did not fire, since their schedule was changed, cannot be read: %s",
            error && error->message ? error->message : g_strerror(-r));
    for (guint i = r < 0 ? 0 : slots->len; i > 0; i--) { /* the oldest first */
        const StoreSlot *slot = g_ptr_array_index(slots, i - 1);
        const uint64_t *known = g_hash_table_lookup(rest->known, slot->schedule);
        const StoreSkip k = { .task = slot->task,
            .schedule = slot->schedule,
            .first = slot->first,
            .last = slot->nominal,
            .count = slot->count == UNSET ? 0 : slot->count,
            .cause = slot->cause,
            .reason = slot->reason };

        if (!known || slot->nominal <= *known)
            continue;
        manager_slots_skipped(rest->manager, &k);
        scheduler_passed(rest->manager->scheduler, slot->task, slot->schedule, slot->nominal);
    }
    rest_free(rest);
}

static uint64_t rest_known(const ScheduleEntry *se, const GArray *skips)
{
    /* None is from before the definition; what is there of that is of an earlier schedule of this name. */
    uint64_t known = se->last == UNSET ? se->since - MIN(se->since, 1) : se->last;

    for (guint i = 0; skips && i < skips->len; i++) {
        const StoreSkip *k = &g_array_index(skips, StoreSkip, i);

        if (strcmp(k->schedule, se->schedule->name) == 0)
            known = MAX(known, k->last);
    }
    return known;
}

void skips_tell(Manager *m, const TaskEntry *before, const GArray *skips)
{
    StoreSlotFilter filter = { .outcome = "skipped", .cause = "changed", .since = UNSET, .limit = REST_MAX };
    Rest *rest;

    scheduler_skipped(m->scheduler, skips);
    if (!before)
        return;
    rest = g_new(Rest, 1);
    *rest = (Rest){ m, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free) };
    for (guint i = 0; i < before->schedules->len; i++) {
        const ScheduleEntry *se = g_ptr_array_index(before->schedules, i);
        uint64_t known = rest_known(se, skips);

        if (!se->schedule->after)
            continue;
        filter.task = before->task->name;
        filter.since = MIN(filter.since, known + 1);
        g_hash_table_insert(rest->known, g_strdup(se->schedule->name), g_memdup2(&known, sizeof known));
    }
    if (!filter.task || store_list_slots(m->store, &filter, on_rest, rest) < 0)
        rest_free(rest);
}
