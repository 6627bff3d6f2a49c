/* What the two programs of the measurements share: one loop, one connection to the system bus, the clock, and
 * an end at the first thing that goes wrong. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define SYSTEMD_NAME    "org.freedesktop.systemd1"
#define SYSTEMD_PATH    "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER SYSTEMD_NAME ".Manager"

#define LOOP_NUMBER_MAX 1000000000u

typedef struct Loop {
    sd_event *event;
    sd_bus *bus;
    unsigned runs;      /* in all */
    unsigned in_flight; /* at most */
    uint64_t gap_usec;  /* between one run's end and the next one's call */
} Loop;

/* A measurement that met an error is none. */
static inline void loop_check(int r, const char *what)
{
    if (r >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(-r));
    exit(1);
}

static inline void loop_check_reply(sd_bus_message *reply, const char *what)
{
    const sd_bus_error *error = sd_bus_message_get_error(reply);

    if (!error)
        return;
    fprintf(stderr, "%s: %s\n", what, error->message ? error->message : error->name);
    exit(1);
}

static inline uint64_t loop_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static inline unsigned loop_number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    loop_check(*text == 0 || *end != 0 || n > LOOP_NUMBER_MAX ? -EINVAL : 0, text);
    return (unsigned)n;
}

static inline void loop_open(Loop *l, char **argv)
{
    l->runs = loop_number(argv[0]);
    l->in_flight = loop_number(argv[1]);
    l->gap_usec = loop_number(argv[2]);
    loop_check(l->runs == 0 ? -EINVAL : sd_event_new(&l->event), "loop");
    loop_check(sd_bus_open_system(&l->bus), "system bus");
    loop_check(sd_bus_attach_event(l->bus, l->event, SD_EVENT_PRIORITY_NORMAL), "system bus");
}

static inline void loop_after(Loop *l, uint64_t usec, sd_event_time_handler_t fn, void *userdata)
{
    loop_check(sd_event_add_time_relative(l->event, NULL, CLOCK_MONOTONIC, usec, 1, fn, userdata), "timer");
}
