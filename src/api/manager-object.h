/* All calls for all objects, from the bus through identification and authorisation to their methods. */
#pragma once

#include "api/auth.h"
#include "api/request.h"

typedef struct ManagerObject ManagerObject;

/* m and auth are borrowed, node is kept. */
int manager_object_new(sd_event *event, Manager *m, Auth *auth, const char *node, ManagerObject **ret);
void manager_object_free(ManagerObject *o);
int manager_object_add(ManagerObject *o, sd_bus *bus);
/* The connection is gone: requests that wait for their turn are forgotten. */
void manager_object_reset(ManagerObject *o);
/* The newest runs are shown by introspection. */
void manager_object_run_changed(ManagerObject *o, uint64_t run);
