/* TaskEntry, ScheduleEntry and Diag to a{sv}. */
#include "api/task-message.h"

#include "api/message.h"
#include "model/input.h"

/* --- tasks --- */

static int task_string(sd_bus_message *m, const void *record, size_t offset)
{
    return property_string(m, ((const TaskEntry *)record)->task, offset);
}

static int task_inputs(sd_bus_message *m, const void *record, size_t offset)
{
    g_autofree char *inputs = input_specs_to_json(((const TaskEntry *)record)->task->inputs);

    return property_append_string(m, inputs);
}

static int task_paused_until(sd_bus_message *m, const void *record, size_t offset)
{
    uint64_t until = ((const TaskEntry *)record)->paused_until;

    return sd_bus_message_append(m, "t", until > 0 ? until : UNSET);
}

static int task_max_concurrent(sd_bus_message *m, const void *record, size_t offset)
{
    unsigned places = task_places(((const TaskEntry *)record)->task);

    return sd_bus_message_append(m, "t", places > 0 ? (uint64_t)places : UNSET);
}

static int task_overlap(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "s", overlap_to_string(((const TaskEntry *)record)->task->overlap));
}

/* UNSET stands for 0, which is none. */
static int task_number(sd_bus_message *m, uint64_t n)
{
    return sd_bus_message_append(m, "t", n > 0 ? n : UNSET);
}

static int task_expect_every(sd_bus_message *m, const void *record, size_t offset)
{
    return task_number(m, ((const TaskEntry *)record)->task->expect_every_usec);
}

static int task_expect_within(sd_bus_message *m, const void *record, size_t offset)
{
    return task_number(m, ((const TaskEntry *)record)->task->expect_within_usec);
}

static int task_overdue(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "b", (int)manager_task_is_overdue(record));
}

static int task_expected(sd_bus_message *m, const void *record, size_t offset)
{
    const TaskEntry *entry = record;

    if (manager_task_is_overdue(entry))
        return task_number(m, entry->expect->missed);
    return task_number(m, entry->expect ? entry->expect->deadline : UNSET);
}

static int task_last_success(sd_bus_message *m, const void *record, size_t offset)
{
    const TaskExpect *e = ((const TaskEntry *)record)->expect;

    return task_number(m, e ? e->success : UNSET);
}

static int task_missed_run(sd_bus_message *m, const void *record, size_t offset)
{
    const TaskEntry *entry = record;

    return task_number(m, manager_task_is_overdue(entry) ? entry->expect->run : UNSET);
}

static const Property task_rows[] = {
    { "Name", "s", task_string, offsetof(Task, name), PROPERTY_CONST },
    { "Origin", "s", property_string, offsetof(TaskEntry, origin), PROPERTY_TOLD },
    { "Path", "s", property_string, offsetof(TaskEntry, path), PROPERTY_TOLD },
    { "Revision", "t", property_number, offsetof(TaskEntry, revision), PROPERTY_TOLD },
    { "Enabled", "b", property_bool, offsetof(TaskEntry, enabled), PROPERTY_TOLD },
    { "PausedUntil", "t", task_paused_until, 0, PROPERTY_TOLD },
    { "Description", "s", task_string, offsetof(Task, description), PROPERTY_TOLD },
    { "Inputs", "s", task_inputs, 0, PROPERTY_TOLD },
    { "MaxConcurrent", "t", task_max_concurrent, 0, PROPERTY_TOLD },
    { "Overlap", "s", task_overlap, 0, PROPERTY_TOLD },
    { "ExpectEveryUSec", "t", task_expect_every, 0, PROPERTY_TOLD },
    { "ExpectWithinUSec", "t", task_expect_within, 0, PROPERTY_TOLD },
    { "OnMissed", "s", task_string, offsetof(Task, on_missed), PROPERTY_TOLD },
    { "Overdue", "b", task_overdue, 0, PROPERTY_TOLD },
    /* With each run that succeeds. */
    { "Expected", "t", task_expected, 0, 0 },
    { "LastSuccess", "t", task_last_success, 0, 0 },
    { "MissedRun", "t", task_missed_run, 0, 0 },
};
const PropertyTable task_message_properties = PROPERTY_TABLE(task_rows);

int task_message_append(sd_bus_message *m, const TaskEntry *entry)
{
    return property_append_dict(m, &task_message_properties, entry, true);
}

/* --- schedules --- */

static int schedule_task(sd_bus_message *m, const void *record, size_t offset)
{
    return property_append_string(m, ((const ScheduleEntry *)record)->entry->task->name);
}

static int schedule_name(sd_bus_message *m, const void *record, size_t offset)
{
    return property_append_string(m, ((const ScheduleEntry *)record)->schedule->name);
}

static int schedule_max_runs(sd_bus_message *m, const void *record, size_t offset)
{
    const Schedule *s = ((const ScheduleEntry *)record)->schedule;

    return sd_bus_message_append(m, "t", s->max_runs > 0 ? s->max_runs : UNSET);
}

static int schedule_paused_until(sd_bus_message *m, const void *record, size_t offset)
{
    uint64_t until = ((const ScheduleEntry *)record)->paused_until;

    return sd_bus_message_append(m, "t", until > 0 ? until : UNSET);
}

static int schedule_skipped(sd_bus_message *m, const void *record, size_t offset)
{
    const GArray *list = ((const ScheduleEntry *)record)->by_hand;
    int r = sd_bus_message_open_container(m, 'a', "t");

    for (guint i = 0; r >= 0 && list && i < list->len; i++)
        r = sd_bus_message_append(m, "t", g_array_index(list, ByHand, i).nominal);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int schedule_next_slot(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "t", manager_schedule_next(record));
}

/* While it has no time. */
static int schedule_awaits(sd_bus_message *m, const void *record, size_t offset)
{
    const ScheduleEntry *se = record;
    g_autofree char *text = manager_schedule_awaits(se);

    return property_append_string(m, util_strempty(text));
}

static int schedule_start_deadline(sd_bus_message *m, const void *record, size_t offset)
{
    const Schedule *s = ((const ScheduleEntry *)record)->schedule;

    return sd_bus_message_append(m, "t", s->start_deadline_usec > 0 ? s->start_deadline_usec : UNSET);
}

static const Property schedule_rows[] = {
    { "Task", "s", schedule_task, 0, PROPERTY_CONST },
    { "Name", "s", schedule_name, 0, PROPERTY_CONST },
    { "Enabled", "b", property_bool, offsetof(ScheduleEntry, enabled), PROPERTY_TOLD },
    { "PausedUntil", "t", schedule_paused_until, 0, PROPERTY_TOLD },
    { "Skipped", "at", schedule_skipped, 0, PROPERTY_TOLD },
    /* With each slot: a signal more for every run that a schedule makes. */
    { "Next", "t", schedule_next_slot, 0, 0 },
    { "Awaits", "s", schedule_awaits, 0, 0 },
    { "Last", "t", property_number, offsetof(ScheduleEntry, last), 0 },
    { "Fired", "t", property_number, offsetof(ScheduleEntry, fired), 0 },
    { "MaxRuns", "t", schedule_max_runs, 0, PROPERTY_TOLD },
    { "StartDeadlineUSec", "t", schedule_start_deadline, 0, PROPERTY_TOLD },
};
const PropertyTable task_message_of_a_schedule = PROPERTY_TABLE(schedule_rows);

int task_message_append_schedule(sd_bus_message *m, const ScheduleEntry *schedule)
{
    return property_append_dict(m, &task_message_of_a_schedule, schedule, true);
}

/* --- faults --- */

int task_message_append_fault(sd_bus_message *m, const char *kind, const Diag *diag)
{
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    if (r < 0)
        return r;
    message_put_string(m, "Kind", kind);
    message_put_string(m, "File", diag->file);
    message_put_number(m, "Line", diag->line);
    message_put_number(m, "Column", diag->column);
    message_put_string(m, "Key", diag->key);
    message_put_string(m, "Message", diag->message);
    return sd_bus_message_close_container(m);
}
