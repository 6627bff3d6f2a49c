/* A process that does for the loop what would block it: it is started, what it writes is gathered, it is killed when
 * it takes too long, and it is reaped whenever it ends. */
#pragma once

#include <systemd/sd-event.h>

#include "base/util.h"

/* The same program again, with an option that says what it is to do. */
#define HELPER_PROCESS_SELF "/proc/self/exe"

typedef struct HelperProcess HelperProcess;

/* r: 0; -EPROTO: it ended by a signal or with a status other than 0; -ETIMEDOUT; -E2BIG: it wrote too much; or why its
 * output could not be read. output is what it wrote, with a NUL behind it, borrowed for the call; never NULL. */
typedef void (*HelperProcessFn)(int r, const char *output, size_t length, void *userdata);
/* The next piece of what it writes. A negative return value ends it, with that as r. Must not free the helper. */
typedef int (*HelperProcessDataFn)(const char *data, size_t length, void *userdata);

typedef struct HelperProcessSpec {
    const char *program;
    const char *const *argv;
    const char *const *environment; /* NULL: ours */
    int input;                      /* its standard input; -1: nothing */
    int output;                     /* its standard output; -1: it is gathered here */
    bool quiet;                     /* its standard error is nobody's; else it is ours */
    size_t output_max;
    uint64_t timeout_usec; /* from the start; with data, from the last piece */
    HelperProcessDataFn
        data; /* gets the output piece by piece, of which there may be any number; NULL: fn does */
    HelperProcessFn fn;
    void *userdata;
} HelperProcessSpec;

/* Starts it with the signals as a program expects them. Strings and descriptors are borrowed for the call. fn is called
 * exactly once, from the loop, unless helper_process_free() comes before; what *ret points to is gone by then. */
int helper_process_start(sd_event *event, const HelperProcessSpec *spec, HelperProcess **ret);
/* While it is on hold no output is read, so that it stops writing after a while; nor does its time pass. */
void helper_process_hold(HelperProcess *h, bool hold);
/* Kills it, and fn tells as ever when it has come to its end. */
void helper_process_kill(HelperProcess *h);
/* Kills it, and nobody is told. That it may hang in the kernel holds up nobody: it is reaped from the loop, when it comes to its end. */
void helper_process_free(HelperProcess *h);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HelperProcess, helper_process_free)
