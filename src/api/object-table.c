/* The table of objects: what busctl introspect shows of each, and who answers it. */
#include "api/object.h"

#include "api/audit-methods.h"
#include "api/database-methods.h"
#include "api/backfill-methods.h"
#include "api/calendar-methods.h"
#include "api/database-info.h"
#include "api/list-methods.h"
#include "api/next-methods.h"
#include "api/node-methods.h"
#include "api/run-files.h"
#include "api/run-message.h"
#include "api/run-methods.h"
#include "api/signals.h"
#include "api/slot-methods.h"
#include "api/task-message.h"
#include "api/task-methods.h"
#include "config.h"

/* Of runs introspection shows so many that have a unit, beside the newest. */
#define LIVE_SHOWN_MAX 200

#define LIST_NAMES "filter\0cursor\0limit\0page\0next\0"

/* --- the Manager --- */

static int manager_version(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "s", PROJECT_VERSION);
}

static int manager_state_name(sd_bus_message *m, const void *record, size_t offset)
{
    const ObjectWorld *w = record;

    return sd_bus_message_append(m, "s", manager_state_to_string(manager_state(w->manager)));
}

static int manager_reason_text(sd_bus_message *m, const void *record, size_t offset)
{
    return property_append_string(m, manager_reason(((const ObjectWorld *)record)->manager));
}

static int manager_running(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "t", manager_n_running(((const ObjectWorld *)record)->manager));
}

static int manager_waiting(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "t", manager_n_waiting(((const ObjectWorld *)record)->manager));
}

static int manager_unrecorded(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "t", manager_n_unrecorded(((const ObjectWorld *)record)->manager));
}

static int manager_overdue(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "t", manager_n_overdue(((const ObjectWorld *)record)->manager));
}

static const Property manager_rows[] = {
    { "Version", "s", manager_version, 0, PROPERTY_CONST },
    { "State", "s", manager_state_name, 0, PROPERTY_TOLD },
    { "Reason", "s", manager_reason_text, 0, PROPERTY_TOLD },
    { "NodeName", "s", property_string, offsetof(ObjectWorld, node), PROPERTY_CONST },
    { "NRunning", "t", manager_running, 0, PROPERTY_TOLD },
    { "NWaiting", "t", manager_waiting, 0, PROPERTY_TOLD },
    { "NUnrecorded", "t", manager_unrecorded, 0, PROPERTY_TOLD },
    { "NOverdue", "t", manager_overdue, 0, PROPERTY_TOLD },
};
static const PropertyTable manager_properties = PROPERTY_TABLE(manager_rows);

static const ObjectMethod manager_methods[] = {
    { "RunTask", "sa{sv}a{sv}", "to", "task\0input\0options\0run\0path\0", run_methods_run },
    { "CancelRun", "t", "", "run\0", run_methods_cancel },
    { "KillRun", "ti", "", "run\0signal\0", run_methods_kill },
    { "RetryRun", "t", "to", "run\0new_run\0path\0", run_methods_retry },
    { "GetRun", "t", "a{sv}", "run\0properties\0", run_methods_get },
    { "ListRuns", "a{sv}su", "aa{sv}s", LIST_NAMES, run_methods_list },
    { "ListTasks", "a{sv}su", "aa{sv}s", LIST_NAMES, list_methods_tasks },
    { "GetTask", "s", "a{sv}", "task\0properties\0", task_methods_get },
    { "GetTaskText", "s", "s", "task\0text\0", task_methods_get_text },
    { "ListSchedules", "a{sv}su", "aa{sv}s", LIST_NAMES, list_methods_schedules },
    { "GetSchedule", "ss", "a{sv}", "task\0schedule\0properties\0", task_methods_get_schedule },
    { "ListSlots", "a{sv}su", "aa{sv}s", LIST_NAMES, slot_methods_list },
    { "ListNext", "a{sv}u", "aa{sv}", "filter\0count\0slots\0", next_methods_list },
    { "ListNodes", "a{sv}su", "aa{sv}s", LIST_NAMES, node_methods_list },
    { "GetNode", "s", "a{sv}", "node\0properties\0", node_methods_get },
    { "ListCalendars", "a{sv}su", "aa{sv}s", LIST_NAMES, calendar_methods_list },
    { "GetCalendar", "s", "a{sv}", "calendar\0properties\0", calendar_methods_get },
    { "VerifyCalendar", "sa(ss)a{sv}", "aa{sv}", "name\0sources\0options\0faults\0",
        task_methods_verify_calendar },
    { "GetDatabase", "", "a{sv}", "properties\0", database_info_get },
    { "ApplyTask", "ssa{sv}", "t", "name\0text\0options\0revision\0", task_methods_apply },
    { "VerifyTask", "sa(ss)a{sv}", "aa{sv}", "name\0sources\0options\0faults\0", task_methods_verify },
    { "DeleteTask", "s", "", "name\0", task_methods_delete },
    { "SetEnabled", "sb", "", "object\0enabled\0", task_methods_set_enabled },
    { "PauseUntil", "st", "", "object\0until\0", task_methods_pause },
    { "SkipSlot", "sst", "", "task\0schedule\0nominal\0", slot_methods_skip },
    { "UnskipSlot", "sst", "", "task\0schedule\0nominal\0", slot_methods_unskip },
    { "Backfill", "sstta{sv}", "aa{sv}", "task\0schedule\0from\0until\0options\0times\0",
        backfill_methods_ask },
    { "Reload", "", "", "", task_methods_reload },
    { "UpgradeDatabase", "a{sv}", "", "options\0", database_methods_upgrade },
    { "Vacuum", "a{sv}", "t", "options\0removed\0", run_methods_vacuum },
    { "ListAudit", "a{sv}su", "aa{sv}s", LIST_NAMES, audit_methods_list },
};

static const ObjectSignal manager_signals[] = {
    { "RunChanged", "tss", "run\0state\0result\0" },
    { "TaskChanged", "s", "task\0" },
    { "SlotSkipped", "sstttss", "task\0schedule\0first\0nominal\0count\0cause\0reason\0" },
    { "TaskOverdue", "sbtt", "task\0overdue\0since\0expected\0" },
};

static const void *find_manager(const ObjectWorld *w, const char *const *labels)
{
    return w;
}

/* --- tasks --- */

static const ObjectMethod task_methods[] = {
    { "Run", "a{sv}a{sv}", "to", "input\0options\0run\0path\0", run_methods_run },
    { "GetText", "", "s", "text\0", task_methods_get_text },
    { "SetEnabled", "b", "", "enabled\0", task_methods_set_enabled },
    { "PauseUntil", "t", "", "until\0", task_methods_pause },
    { "Delete", "", "", "", task_methods_delete },
};

static const void *find_task(const ObjectWorld *w, const char *const *labels)
{
    return manager_find_task(w->manager, labels[0]);
}

static void list_tasks(const ObjectWorld *w, const char *const *labels, unsigned n, ObjectChildren *children)
{
    g_autoptr(GPtrArray) tasks = manager_list_tasks(w->manager, NULL, UINT_MAX);

    for (guint i = 0; i < tasks->len; i++)
        if (!object_add_child(children, ((const TaskEntry *)g_ptr_array_index(tasks, i))->task->name))
            return;
}

/* --- schedules --- */

static const ObjectMethod schedule_methods[] = {
    { "SetEnabled", "b", "", "enabled\0", task_methods_set_enabled },
    { "PauseUntil", "t", "", "until\0", task_methods_pause },
    { "Skip", "t", "", "nominal\0", slot_methods_skip },
    { "Unskip", "t", "", "nominal\0", slot_methods_unskip },
    { "Backfill", "tta{sv}", "aa{sv}", "from\0until\0options\0times\0", backfill_methods_ask },
};

static const void *find_schedule(const ObjectWorld *w, const char *const *labels)
{
    const TaskEntry *entry = manager_find_task(w->manager, labels[0]);

    return entry ? manager_find_schedule(entry, labels[1]) : NULL;
}

static void list_scheduled_tasks(const ObjectWorld *w, ObjectChildren *children)
{
    g_autoptr(GPtrArray) tasks = manager_list_tasks(w->manager, NULL, UINT_MAX);

    for (guint i = 0; i < tasks->len; i++) {
        const TaskEntry *entry = g_ptr_array_index(tasks, i);

        if (entry->schedules->len > 0 && !object_add_child(children, entry->task->name))
            return;
    }
}

static void list_schedules(
    const ObjectWorld *w, const char *const *labels, unsigned n, ObjectChildren *children)
{
    const TaskEntry *entry = n > 0 ? manager_find_task(w->manager, labels[0]) : NULL;

    if (n == 0)
        list_scheduled_tasks(w, children);
    for (guint i = 0; entry && i < entry->schedules->len; i++)
        if (!object_add_child(
                children, ((const ScheduleEntry *)g_ptr_array_index(entry->schedules, i))->schedule->name))
            return;
}

/* --- runs --- */

static const ObjectMethod run_methods[] = {
    { "Cancel", "", "", "", run_methods_cancel },
    { "Kill", "i", "", "signal\0", run_methods_kill },
    { "Retry", "", "to", "new_run\0path\0", run_methods_retry },
    { "OpenLog", "a{sv}", "h", "options\0log\0", run_files_open_log },
    { "OpenInput", "", "h", "input\0", run_files_open_input },
    { "OpenOutput", "", "h", "output\0", run_files_open_output },
};

static bool is_run(const char *const *labels)
{
    uint64_t id;

    return request_parse_run(labels[0], &id);
}

static void list_run(uint64_t id, GHashTable *seen, ObjectChildren *children)
{
    g_autofree char *label = g_strdup_printf("%" G_GUINT64_FORMAT, id);

    if (!g_hash_table_contains(seen, label) && object_add_child(children, label))
        g_hash_table_add(seen, g_steal_pointer(&label));
}

/* A million runs are no list: those that execute here, and those that were asked for last. */
static void list_runs(const ObjectWorld *w, const char *const *labels, unsigned n, ObjectChildren *children)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GArray) live = manager_list_live_runs(w->manager, LIVE_SHOWN_MAX);

    for (guint i = 0; i < live->len; i++)
        list_run(g_array_index(live, uint64_t, i), seen, children);
    for (guint i = 0; i < OBJECT_NEWEST; i++)
        if (w->newest[i] > 0)
            list_run(w->newest[i], seen, children);
}

/* --- nodes --- */

static bool is_node(const char *const *labels)
{
    return *labels[0] != '\0';
}

static void list_nodes(const ObjectWorld *w, const char *const *labels, unsigned n, ObjectChildren *children)
{
    (void)object_add_child(children, w->node);
}

/* ------------------------------------------------------------------------------------------------------ */

#define METHODS(array) .methods = (array), .n_methods = G_N_ELEMENTS(array)

const ObjectKind object_kinds[] = {
    { .prefix = API_PATH,
        .depth = 0,
        .interface = API_INTERFACE,
        .properties = &manager_properties,
        METHODS(manager_methods),
        .signals = manager_signals,
        .n_signals = G_N_ELEMENTS(manager_signals),
        .find = find_manager },
    { .prefix = API_PATH "/task",
        .depth = 1,
        .interface = API_NAME ".Task",
        .has_task = true,
        .properties = &task_message_properties,
        METHODS(task_methods),
        .find = find_task,
        .list = list_tasks },
    { .prefix = API_PATH "/schedule",
        .depth = 2,
        .interface = API_NAME ".Schedule",
        .has_task = true,
        .properties = &task_message_of_a_schedule,
        METHODS(schedule_methods),
        .find = find_schedule,
        .list = list_schedules },
    { .prefix = API_PATH "/run",
        .depth = 1,
        .interface = API_NAME ".Run",
        .has_run = true,
        .properties = &run_message_properties,
        METHODS(run_methods),
        .is_valid = is_run,
        .get = run_methods_get,
        .list = list_runs },
    { .prefix = API_PATH "/node",
        .depth = 1,
        .interface = API_NAME ".Node",
        .properties = &node_methods_properties,
        .is_valid = is_node,
        .get = node_methods_get,
        .list = list_nodes },
};
const size_t object_n_kinds = G_N_ELEMENTS(object_kinds);
