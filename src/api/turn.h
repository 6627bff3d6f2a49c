/* Turns: of each user so many requests are at work, and the rest waits in its order. However much one user asks for, it
 * is answered all of it, and nobody else waits for that. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/util.h"

typedef struct Turns Turns;
typedef struct TurnUser TurnUser;

int turns_new(sd_event *event, Turns **ret);
/* Nobody is at work or waits any more. */
void turns_free(Turns *t);
/* The connection is gone: who waits is told so. */
void turns_reset(Turns *t);

/* r: 0, it is your turn, until turns_leave(); -ECONNRESET: the caller is gone, there is nobody to answer. */
typedef void (*TurnFn)(int r, void *userdata);
/* fn is called at once where there is room, else later, in the order of the calls. -EBUSY: so much waits already that it
 * would only cost memory; fn is not called then. The message is borrowed until then. *ret is for turns_leave(), and is
 * there before fn is called. */
int turns_enter(
    Turns *t, uint64_t uid, bool privileged, sd_bus_message *m, TurnFn fn, void *userdata, TurnUser **ret);
void turns_leave(TurnUser *u);
/* For one who is at work, what takes the loop long: fn is called later, for one at a time, round and round the users, and
 * so that as much time is left for all else. */
void turns_work(TurnUser *u, TurnFn fn, void *userdata);
