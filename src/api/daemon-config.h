/* The daemon's configuration: [Daemon] of taskschedd.conf and its drop-ins, and the directories that the
 * service manager names. */
#pragma once

#include "core/manager.h"

typedef struct DaemonConfig {
    bool user_scope, embedded;
    char *conninfo, *node;
    uint64_t history_age_usec, history_runs; /* USEC_INFINITY is no limit */
    char *runtime_directory, *output_directory, *state_directory;
    char **task_directories;
    char **calendar_directories;
    size_t input_max, output_max;
} DaemonConfig;

/* file: read instead of the usual ones; NULL: taskschedd.conf and taskschedd.conf.d of /etc over /run over
 * /usr/lib. What cannot be used is named in a warning with its line, and the default is used. Reads files, so
 * it is called before the loop runs. Negative errno where file cannot be read. */
int daemon_config_load(bool user_scope, const char *file, DaemonConfig *ret);
void daemon_config_clear(DaemonConfig *c);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DaemonConfig, daemon_config_clear)

/* Borrows from c. */
ManagerConfig daemon_config_manager(const DaemonConfig *c);
