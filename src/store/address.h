/* The hosts' names in a connection string. libpq would look them up in the way of the loop, and a server of names that does not
 * answer would stop everything: so a process does that for each of them, and libpq gets the addresses. */
#pragma once

#include <systemd/sd-event.h>

#include "base/util.h"

typedef struct Addresses Addresses;

/* r 0: conninfo says the same as the one given, with an address for each host; of a name with several there are as many
 * hosts. r < 0: none of the names is known, reason says more. Both are borrowed for the call; what *ret points to is gone
 * by then. */
typedef void (*AddressesFn)(int r, const char *conninfo, const char *reason, void *userdata);

/* 1: fn is called from the loop, once, unless addresses_free() comes before. 0: there is no name to be looked up, and the
 * string serves as it is. */
int addresses_start(sd_event *event, const char *conninfo, AddressesFn fn, void *userdata, Addresses **ret);
void addresses_free(Addresses *a);

/* The helper's side: `taskschedd --helper=addresses NAME` prints a line for each address of it. Exit status. */
int addresses_helper_main(int argc, char **argv);
