/* What a definition that is changed or deleted leaves without an outcome. */
#include "core/internal.h"

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
