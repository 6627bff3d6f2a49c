/* What the manager's events become on the bus: gathered, and sent together. */
#pragma once

#include <systemd/sd-bus.h>

#include "core/manager.h"

#define API_NAME      "org.taskschedd1"
#define API_PATH      "/org/taskschedd1"
#define API_INTERFACE "org.taskschedd1.Manager"

typedef struct Signals Signals;

int signals_new(sd_event *event, Clock *clock, Signals **ret);
void signals_free(Signals *s);
/* What was gathered before there was a bus is forgotten: nobody could have heard it. NULL: it is gone. */
void signals_set_bus(Signals *s, sd_bus *bus, Manager *m);

void signals_state_changed(Signals *s);
void signals_run_changed(Signals *s, uint64_t run, RunState state, RunResult result);
void signals_task_changed(Signals *s, const char *task);
void signals_slots_skipped(Signals *s, const StoreSkip *skip);
void signals_task_overdue(Signals *s, const char *task, bool overdue, uint64_t since, uint64_t expected);
