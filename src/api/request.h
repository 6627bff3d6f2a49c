/* A method call on its way: from the message that came to the one answer that goes back, perhaps much later.
 * The caller may be gone by then; nothing depends on it. */
#pragma once

#include <systemd/sd-bus.h>

#include "api/auth.h"
#include "api/property.h"
#include "api/turn.h"

typedef struct Request Request;
typedef struct ObjectKind ObjectKind; /* see object.h */
typedef struct ObjectWorld ObjectWorld;

/* Answers later, or freed it already: 0. Negative errno with *error: the request is answered with that. */
typedef int (*RequestFn)(Request *q, Error *error);

struct Request {
    Manager *manager;
    Auth *auth;
    sd_bus_message *message; /* owned; the handler reads from it */
    Caller caller;           /* its strings are the request's */
    bool privileged;
    /* Input, output and metadata of what it is about are shown, whoever asked for it; see rights.h. */
    bool control;
    /* Where it is for an object other than the Manager: the labels of its path, owned. */
    GStrv labels;
    /* Where it reads properties: of what, and which, "" being all of them; of the message. */
    const ObjectKind *kind;
    const ObjectWorld *world;
    const char *property; /* NULL: it is a method */
    TurnUser *turn;       /* it is at work; NULL before and where nobody counts */
    void *data;           /* of the handler */
    GDestroyNotify free_data;
};

Request *request_new(Manager *m, Auth *auth, sd_bus_message *message);
void request_free(Request *q);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Request, request_free)

/* Keeps a copy of the caller. */
void request_set_caller(Request *q, const Caller *caller, bool privileged);

/* What a method is about, label i of the object's path, or for the Manager the next argument: a string, a run's id.
 */
int request_read_label(Request *q, unsigned i, const char **ret, Error *error);
int request_read_run(Request *q, uint64_t *ret, Error *error);
/* An id in decimal digits as we write it. */
bool request_parse_run(const char *text, uint64_t *ret);

/* Each answers and frees the request. */
void request_answer(Request *q, const char *types, ...);
void request_answer_message(Request *q, sd_bus_message *reply);
/* error may be NULL or empty: then r says what it was. */
void request_answer_error(Request *q, int r, const Error *error);

/* All properties of a record, or the one that was asked for. */
void request_answer_properties(Request *q, const PropertyTable *t, const void *record);

/* Appends what was found; negative errno: that cannot be. */
typedef int (*RequestFillFn)(const Request *q, sd_bus_message *reply, const void *found);
/* The answer to a question of the store or the manager: what fill makes of it, or where r is one, the error. */
void request_answer_filled(Request *q, int r, const Error *error, RequestFillFn fill, const void *found);

/* A reply that is to be filled; NULL if that cannot be (the connection is gone): the request is freed. */
sd_bus_message *request_new_reply(Request *q);
