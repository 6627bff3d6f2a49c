/* Who may do what: one table of methods, and the credentials of callers as the bus knows them. */
#pragma once

#include <systemd/sd-bus.h>

#include "core/manager.h"

typedef enum AuthAccess {
    AUTH_LOOK, /* anybody; what belongs to others is left out */
    AUTH_ACT,  /* root, or the user itself where the daemon is the user's */
    AUTH_DENY, /* not in the table */
} AuthAccess;

AuthAccess auth_access(const char *method);

typedef struct Auth Auth;

int auth_new(bool user_scope, Auth **ret);
void auth_free(Auth *a);
/* The connection is gone: callers are forgotten, and who waits for an answer is told so. */
void auth_reset(Auth *a);

/* r: 0, or a negative errno where the caller is gone. caller is borrowed for the call. */
typedef void (*AuthFn)(int r, const Caller *caller, void *userdata);
/* Who sent m? fn is called later, or at once where that is known. */
void auth_identify(Auth *a, sd_bus_message *m, AuthFn fn, void *userdata);
/* Is this caller allowed everything? */
bool auth_is_privileged(const Auth *a, const Caller *caller);
/* May one more refusal be written down now? Whoever is refused can otherwise fill the audit at will. */
bool auth_may_audit(Auth *a);
