/* TaskEntry, ScheduleEntry and Diag to a{sv}. */
#include "api/task-message.h"

#include "api/message.h"
#include "model/input.h"

int task_message_append(sd_bus_message *m, const TaskEntry *entry)
{
    g_autofree char *inputs = input_specs_to_json(entry->task->inputs);
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    /* A message that could not be filled stays unfit: what is done last says so too. */
    if (r < 0)
        return r;
    message_put_string(m, "Name", entry->task->name);
    message_put_string(m, "Origin", entry->origin);
    message_put_string(m, "Path", entry->path);
    message_put_number(m, "Revision", entry->revision);
    message_put_bool(m, "Enabled", entry->enabled);
    message_put_string(m, "Description", entry->task->description);
    message_put_string(m, "Inputs", inputs);
    return sd_bus_message_close_container(m);
}

int task_message_append_schedule(sd_bus_message *m, const ScheduleEntry *schedule)
{
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    if (r < 0)
        return r;
    message_put_string(m, "Task", schedule->entry->task->name);
    message_put_string(m, "Name", schedule->schedule->name);
    message_put_bool(m, "Enabled", schedule->enabled);
    message_put_number(m, "Next", schedule->next);
    message_put_number(m, "Last", schedule->last);
    return sd_bus_message_close_container(m);
}

int task_message_append_fault(sd_bus_message *m, const Diag *diag)
{
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    if (r < 0)
        return r;
    message_put_string(m, "File", diag->file);
    message_put_number(m, "Line", diag->line);
    message_put_number(m, "Column", diag->column);
    message_put_string(m, "Key", diag->key);
    message_put_string(m, "Message", diag->message);
    return sd_bus_message_close_container(m);
}
