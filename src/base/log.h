/* Structured messages to the journal, or to standard error where no journal listens. One line per failure,
 * written where the failure is handled. What journald does not take is dropped, and how many were is said once it does; a
 * twentieth of the time is waited for it at most. */
#pragma once

#include <syslog.h>

#include "base/util.h"

/* What a message is about; all optional. The strings are borrowed for the call. */
typedef struct LogContext {
    const char *message_id;  /* one of the LOG_ID_ below, explained in the message catalog */
    const char *task;        /* TASKSCHEDD_TASK= */
    uint64_t run;            /* TASKSCHEDD_RUN=, 0 is none */
    uint64_t attempt;        /* TASKSCHEDD_ATTEMPT=, 0 is none */
    const char *unit;        /* OBJECT_SYSTEMD_UNIT=, by which journalctl -u finds it */
    const char *const *more; /* "FIELD=value", NULL-terminated; other fields than these */
} LogContext;

/* Each has an entry in data/taskschedd.catalog. */
#define LOG_ID_STATE         "5e0f2b6c1c9a4d0f9a53b1f3b7e6a101" /* the daemon's state changed */
#define LOG_ID_DATABASE_LOST "5e0f2b6c1c9a4d0f9a53b1f3b7e6a102"
#define LOG_ID_DATABASE_BACK "5e0f2b6c1c9a4d0f9a53b1f3b7e6a103"
#define LOG_ID_TASK_INVALID  "5e0f2b6c1c9a4d0f9a53b1f3b7e6a104"
#define LOG_ID_RUN_ENDED     "5e0f2b6c1c9a4d0f9a53b1f3b7e6a105"
#define LOG_ID_RUN_LOST      "5e0f2b6c1c9a4d0f9a53b1f3b7e6a106"
#define LOG_ID_FOREIGN_UNIT  "5e0f2b6c1c9a4d0f9a53b1f3b7e6a107" /* a unit of our name without a row */
#define LOG_ID_SLOT_MISSED   "5e0f2b6c1c9a4d0f9a53b1f3b7e6a108"
#define LOG_ID_UNIT_CHANGED                                                                                  \
    "5e0f2b6c1c9a4d0f9a53b1f3b7e6a109" /* a drop-in overrides what is the daemon's own */
#define LOG_ID_TIMEOUT_NEAR "5e0f2b6c1c9a4d0f9a53b1f3b7e6a10a"
#define LOG_ID_RETRY        "5e0f2b6c1c9a4d0f9a53b1f3b7e6a10b"
#define LOG_ID_GRANTED      "5e0f2b6c1c9a4d0f9a53b1f3b7e6a10c"
#define LOG_ID_REFUSED      "5e0f2b6c1c9a4d0f9a53b1f3b7e6a10d"
#define LOG_ID_TASK_OVERDUE                                                                                  \
    "5e0f2b6c1c9a4d0f9a53b1f3b7e6a10e"                     /* it did not succeed when it was expected to */
#define LOG_ID_TASK_MET "5e0f2b6c1c9a4d0f9a53b1f3b7e6a10f" /* that is over */

/* Messages of a lower priority (a larger number) are dropped. Default LOG_INFO. */
void log_set_max_level(int priority);
/* Write to standard error rather than to the journal (tests, the command line). */
void log_set_stderr(bool on);

void log_message(int priority, const LogContext *context, const char *format, ...) _printf_(3, 4);

#define log_debug(...)   log_message(LOG_DEBUG, NULL, __VA_ARGS__)
#define log_info(...)    log_message(LOG_INFO, NULL, __VA_ARGS__)
#define log_notice(...)  log_message(LOG_NOTICE, NULL, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, NULL, __VA_ARGS__)
#define log_error(...)   log_message(LOG_ERR, NULL, __VA_ARGS__)
