/* The arguments of RunTask, from the message to what the manager takes. */
#pragma once

#include <systemd/sd-bus.h>

#include "core/manager.h"

/* Owns what the ManagerAsk made from it points to. */
typedef struct AskMessage AskMessage;

/* What follows the task in them. input_max: bytes that are read from a file. */
int ask_message_read(sd_bus_message *m, const char *task, size_t input_max, AskMessage **ret, Error *error);
void ask_message_free(AskMessage *a);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AskMessage, ask_message_free)

/* Borrows from a. */
ManagerAsk ask_message_ask(const AskMessage *a);
