/* A method call on its way: from the message that came to the one answer that goes back, perhaps much later.
 * The caller may be gone by then; nothing depends on it. */
#pragma once

#include <systemd/sd-bus.h>

#include "api/auth.h"

typedef struct Request Request;

/* Answers later, or freed it already: 0. Negative errno with *error: the request is answered with that. */
typedef int (*RequestFn)(Request *q, Error *error);

struct Request {
    Manager *manager;
    Auth *auth;
    sd_bus_message *message; /* owned; the handler reads from it */
    Caller caller;           /* its strings are the request's */
    bool privileged;
    bool
        control; /* rights.c: input, output and metadata of what it is about are shown, whoever asked for it */
    GHashTable *counts; /* uid → unanswered requests of callers without privilege, shared */
    bool counted;
    void *data; /* of the handler */
    GDestroyNotify free_data;
};

Request *request_new(Manager *m, Auth *auth, sd_bus_message *message);
void request_free(Request *q);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Request, request_free)

/* Takes the caller over. counts as above; -EBUSY where this user has too many unanswered requests. */
int request_set_caller(Request *q, const Caller *caller, bool privileged, GHashTable *counts);

/* Each answers and frees the request. */
void request_answer(Request *q, const char *types, ...);
void request_answer_message(Request *q, sd_bus_message *reply);
/* error may be NULL or empty: then r says what it was. */
void request_answer_error(Request *q, int r, const Error *error);

/* A reply that is to be filled; NULL if that cannot be (the connection is gone): the request is freed. */
sd_bus_message *request_new_reply(Request *q);
