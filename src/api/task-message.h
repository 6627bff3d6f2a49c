/* Tasks, schedules and faults as the bus shows them. Each append appends a whole a{sv}. */
#pragma once

#include <systemd/sd-bus.h>

#include "api/property.h"
#include "core/manager.h"

extern const PropertyTable task_message_properties;    /* of a TaskEntry */
extern const PropertyTable task_message_of_a_schedule; /* of a ScheduleEntry */

int task_message_append(sd_bus_message *m, const TaskEntry *entry);
int task_message_append_schedule(sd_bus_message *m, const ScheduleEntry *schedule);
int task_message_append_fault(sd_bus_message *m, const char *kind, const Diag *diag);
