/* Who asks, as the bus knows it, and what polkit says of that. What a method needs stands in rights.c. */
#pragma once

#include <systemd/sd-bus.h>

#include "api/users.h"
#include "core/manager.h"

/* polkit's actions, org.taskschedd1.*; data/polkit explains them. */
typedef enum AuthAction {
    AUTH_VIEW,
    AUTH_RUN,
    AUTH_CONTROL,
    AUTH_MANAGE_TASKS,
    AUTH_MANAGE_DAEMON,
    _AUTH_ACTION_MAX,
} AuthAction;

typedef struct Auth Auth;

int auth_new(sd_event *event, Clock *clock, bool user_scope, Auth **ret);
void auth_free(Auth *a);
/* The connection is gone: callers are forgotten, and who waits for an answer is told so. */
void auth_reset(Auth *a);

/* r: 0, or a negative errno where the caller is gone. caller is borrowed for the call. */
typedef void (*AuthFn)(int r, const Caller *caller, void *userdata);
/* Who sent m? fn is called later, or at once where that is known. */
void auth_identify(Auth *a, sd_bus_message *m, AuthFn fn, void *userdata);
/* Is this caller allowed everything, and polkit not asked? Root, or the user itself where the daemon is a user's. */
bool auth_is_privileged(const Auth *a, const Caller *caller);

/* By its name or number; see users.h. */
void auth_find_user(Auth *a, const char *word, UsersFn fn, void *userdata);

typedef struct AuthQuestion {
    sd_bus_message *message; /* the call: of whom, and whether it may bring up a prompt */
    const Caller *caller;
    AuthAction action;
    const char *task; /* what it is about; NULL or "" is none. Anything that is no task's name is left out */
    uint64_t run;     /* 0 is none */
    bool quiet;       /* no prompt in any case */
} AuthQuestion;

/* r: 0, allowed; -EACCES with why in error; -ECONNRESET where nobody waits for the answer any more. */
typedef void (*AuthAskFn)(int r, const Error *error, void *userdata);
/* Of a caller without privilege. fn is called once: later, or at once. The message must live until then. */
void auth_ask(Auth *a, const AuthQuestion *question, AuthAskFn fn, void *userdata);

/* May one more refusal be written down now? Whoever is refused can otherwise fill the audit and the journal at will. */
bool auth_may_audit(Auth *a);
