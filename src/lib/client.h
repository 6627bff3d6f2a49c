/* The client's side of org.taskschedd1: a connection to the bus, calls that wait for their answer, and what
 * comes back as JSON. Nothing here prints. */
#pragma once

#include <json-glib/json-glib.h>
#include <systemd/sd-bus.h>

#include "base/error.h"

#define CLIENT_NAME          "org.taskschedd1"
#define CLIENT_PATH          "/org/taskschedd1"
#define CLIENT_INTERFACE     "org.taskschedd1.Manager"
#define CLIENT_RUN_INTERFACE "org.taskschedd1.Run"

typedef struct Client Client;

/* Why a call failed. name is the D-Bus error's (owned; NULL if there is no error), error its text with the
 * daemon's hint split off. */
typedef struct ClientError {
    Error error;
    char *name;
    bool again;       /* nobody answered, or not now: the same call may be answered later */
    bool not_running; /* the bus is there, the daemon is not on it */
} ClientError;

void client_error_clear(ClientError *e);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ClientError, client_error_clear)
/* Fill e from a bus error, or from a negative errno where bus_error is NULL or not set. Returns r. */
int client_error_from_bus(ClientError *e, const sd_bus_error *bus_error, int r);
/* A fault found on this side. Returns a negative errno. */
int client_error_set(ClientError *e, ErrorCode code, const char *format, ...) _printf_(3, 4);

/* user: the session's bus. host: the system bus of another machine over ssh, NULL is this one. Connects at
 * the first call, and again after a connection was lost. */
int client_new(bool user, const char *host, Client **ret);
void client_free(Client *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, client_free)

/* Whether the daemon may have a person asked for a password. To be said before the first call. */
void client_set_interactive(Client *c, bool interactive);
/* Calls wait as long as a person may take for that. */
void client_set_patient(Client *c);
/* Calls wait as long as the daemon is there: for what takes as long as it takes. */
void client_set_endless(Client *c);

/* The connection, made where there is none; borrowed, and valid until the next call that fails with again. */
int client_connect(Client *c, sd_bus **ret_bus, ClientError *e);
void client_disconnect(Client *c);

/* A method call of the Manager to be filled in by the caller, for client_send(). */
int client_message(Client *c, const char *method, sd_bus_message **ret, ClientError *e);
/* Sends m and waits for the answer. ret_reply may be NULL. */
int client_send(Client *c, sd_bus_message *m, sd_bus_message **ret_reply, ClientError *e);
/* Both in one, for arguments of basic types; types "" takes none. */
int client_call(
    Client *c, ClientError *e, sd_bus_message **ret_reply, const char *method, const char *types, ...);
/* Likewise, for a method that answers an a{sv}. */
int client_call_object(
    Client *c, ClientError *e, JsonObject **ret, const char *method, const char *types, ...);
/* All properties of the Manager. */
int client_manager(Client *c, ClientError *e, JsonObject **ret);

/* What lists are narrowed down by; unset members are NULL or 0. All borrowed. */
typedef struct ClientFilter {
    const char *task, *state, *result, *requester;
    const char *user, *method;              /* of ListAudit */
    const char *schedule, *outcome, *cause; /* of ListSlots, which takes task too */
    bool has_granted, granted;              /* likewise */
    uint64_t since, until;                  /* real µs */
    const GHashTable *meta;                 /* char* → char* */
} ClientFilter;

/* One page of ListRuns, ListTasks and the like. cursor "" begins; *ret_next is "" after the last page. */
int client_list(Client *c, ClientError *e, const char *method, const ClientFilter *filter, const char *cursor,
    uint32_t limit, JsonArray **ret, char **ret_next);
/* Page after page until there is no more, or max rows were met (the last page is finished): each, with its object lent and
 * userdata. 1: there is more than that. */
int client_list_all(Client *c, ClientError *e, const char *method, const ClientFilter *filter, guint max,
    void (*each)(JsonObject *o, void *userdata), void *userdata);
