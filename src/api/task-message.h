/* Tasks, schedules and faults as the bus shows them. Each appends a whole a{sv}. */
#pragma once

#include <systemd/sd-bus.h>

#include "core/manager.h"

int task_message_append(sd_bus_message *m, const TaskEntry *entry);
int task_message_append_schedule(sd_bus_message *m, const ScheduleEntry *schedule);
int task_message_append_fault(sd_bus_message *m, const Diag *diag);
