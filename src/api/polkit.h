/* The client of polkit: asks whether a caller may take an action. Nothing waits for it, what hangs is given up on, and
 * whatever is not a plain yes is a no.
 *
 * A bus lets one connection wait for 128 answers at once, most of which are kept for the service manager. Questions
 * beyond the share of polkit wait for their turn; those that may bring up a prompt have a share of their own, since
 * they stay open as long as somebody thinks about a password. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/clock.h"

typedef struct Polkit Polkit;

typedef enum PolkitAnswer {
    POLKIT_NO,
    POLKIT_YES,
    POLKIT_CHALLENGE, /* yes, if somebody authenticated */
} PolkitAnswer;

typedef struct PolkitQuestion {
    sd_bus *bus;        /* borrowed until the answer or polkit_reset() */
    const char *sender; /* the caller's unique name */
    uint64_t uid;       /* and user: nobody has more than a few prompts open */
    const char *action;
    const char *task, *run; /* details; "" where there is none */
    bool interactive;       /* polkit may ask for a password */
} PolkitQuestion;

/* r: a PolkitAnswer; or -ETIMEDOUT, -EIO (polkit cannot be asked, what says why), -ECONNRESET (the caller or the
 * connection is gone: nobody waits for an answer any more). what is borrowed, "" where there is nothing to say. */
typedef void (*PolkitFn)(int r, const char *what, void *userdata);

int polkit_new(Clock *clock, Polkit **ret);
void polkit_free(Polkit *p);
/* The connection is gone. */
void polkit_reset(Polkit *p);
/* fn is called once: later, or at once where the connection is gone. */
void polkit_ask(Polkit *p, const PolkitQuestion *q, PolkitFn fn, void *userdata);
