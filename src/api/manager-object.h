/* The object /org/taskschedd1: its vtable, and the way of a call through authorisation to its method. */
#pragma once

#include "api/auth.h"
#include "api/request.h"

typedef struct ManagerObject ManagerObject;

/* m and auth are borrowed, node is kept. */
int manager_object_new(Manager *m, Auth *auth, const char *node, ManagerObject **ret);
void manager_object_free(ManagerObject *o);
int manager_object_add(ManagerObject *o, sd_bus *bus);
