/* One connection to the message bus that is made again whenever it is lost, and the daemon's name on it.
 * Nothing here waits: connecting, authentication and the name are all answered through the loop. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/clock.h"

typedef struct Bus Bus;

typedef struct BusEvents {
    /* A new connection, on which nothing was received yet: objects are added to it here. */
    int (*made)(sd_bus *bus, void *userdata);
    /* The name is ours: who calls it reaches us. */
    void (*up)(sd_bus *bus, void *userdata);
    /* The connection that was made is gone, whether or not it was ever up; the last moment to use it. */
    void (*down)(void *userdata);
} BusEvents;

/* user_scope: the user's bus instead of the system's. name is kept. */
int bus_new(sd_event *event, Clock *clock, bool user_scope, const char *name, const BusEvents *events,
    void *userdata, Bus **ret);
/* Connects, and keeps trying from 0.1 s to 5 s apart. */
void bus_start(Bus *b);
/* Closes the connection without a word to the events. */
void bus_free(Bus *b);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bus, bus_free)
