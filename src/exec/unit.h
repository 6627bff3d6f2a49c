/* Reading what PID 1 says of a unit. */
#pragma once

#include "exec/exec.h"

/* The program in the file of a unit whose command that file cannot hold: it does not exist (see start.c). */
#define UNIT_NO_PROGRAM "/nonexistent/taskschedd-unit-was-reloaded-before-its-start"

UnitState *unit_state_new(const char *unit);
/* Reads an a{sv} of properties: those it knows are taken over. */
int unit_state_read(UnitState *u, sd_bus_message *m);
/* Reads a variant with an invocation id. */
int unit_state_read_id(UnitState *u, sd_bus_message *m);
/* Reads a variant with the property ExecStart. */
int unit_state_read_command(UnitState *u, sd_bus_message *m);
/* The object path of a unit; g_free. */
char *unit_path(const char *unit);
/* Does the object path belong to a unit of ours? Cheap: it is asked for every signal of every unit. */
bool unit_path_is_ours(const char *path);
