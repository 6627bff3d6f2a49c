/* Names of users and their numbers. Looking one up may wait for a server on the network: getent(1) does it, as a process of
 * its own that is killed after a while. What it found is kept for some minutes. */
#pragma once

#include "base/clock.h"

typedef struct Users Users;

int users_new(sd_event *event, Clock *clock, Users **ret);
/* Who still waits is told: name NULL. */
void users_free(Users *u);

/* uid is UNSET where no user of that name was found; name is the number where it has none. Borrowed. */
typedef void (*UsersFn)(uint64_t uid, const char *name, void *userdata);
/* word: a name, or a number. fn is called once: at once where it is known, else within two seconds. */
void users_find(Users *u, const char *word, UsersFn fn, void *userdata);
/* What was asked with this userdata is not answered any more. */
void users_cancel(Users *u, void *userdata);
