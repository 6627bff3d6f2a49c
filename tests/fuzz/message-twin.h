/* What stands behind the daemon's bus objects in fuzz-message: a manager that knows one task, one run, one node, and
 * answers at once; and whoever calls is root. It keeps what was asked last. */
#pragma once

#include "core/manager.h"

typedef struct MessageTwin {
    void (*asked)(const ManagerAsk *ask);      /* for each RunTask; borrowed for the call */
    void (*listed)(const StoreFilter *filter); /* for each ListRuns */
    void (*audited)(const StoreAuditFilter *filter);
    void (*slots)(const StoreSlotFilter *filter);
    void (*backfilled)(const ManagerBackfill *given);
    void (*by_hand)(const ManagerByHand *given);
    void (*opened)(const ManagerLog *log);
} MessageTwin;

extern MessageTwin message_twin;

#define MESSAGE_TWIN_INPUT_MAX 65536

Manager *message_twin_new(void);
