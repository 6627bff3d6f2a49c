/* What the service manager is told of the daemon: READY=, RELOADING=, STOPPING=, and a STATUS= line that says
 * what it is doing. */
#pragma once

#include "core/manager.h"

typedef struct DaemonStatus DaemonStatus;

int daemon_status_new(sd_event *event, Clock *clock, Manager *m, DaemonStatus **ret);
void daemon_status_free(DaemonStatus *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DaemonStatus, daemon_status_free)

/* Each is sent at once. */
void daemon_status_ready(DaemonStatus *s);
void daemon_status_reloading(DaemonStatus *s);
void daemon_status_stopping(DaemonStatus *s);
/* Something changed that the line may speak of: it is sent if it reads differently, once a second at most. */
void daemon_status_changed(DaemonStatus *s);
