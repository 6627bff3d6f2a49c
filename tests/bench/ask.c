/* Asks the daemon for runs of a task, over one connection and with tokens, and waits until all of them are
 * recorded and their units released.
 *
 *   ask RUNS IN-FLIGHT GAP-USEC TASK
 *   ask RUNS 0 0 TASK UNANSWERED
 *
 * In flight is a run from its RunTask to the signal that it is done; with a gap, each next one waits that
 * long. 0 in flight: all are asked for at once, with at most 64 calls unanswered, and no signal of a run is
 * listened to. Prints "elapsed USEC", from the first call until no unit is left, and for each run "run CALLED
 * ID": real µs. The second form only asks, for runs that are due tomorrow, with so many calls unanswered at the most,
 * and ends with the last answer. */
#include "loop.h"

#define NAME "org.taskschedd1"
#define PATH "/org/taskschedd1"

#define UNANSWERED_MAX 64
#define POLL_USEC      10000
#define TOMORROW_USEC  (UINT64_C(86400) * 1000000)

typedef struct Ask Ask;

typedef struct Run {
    Ask *ask;
    uint64_t called; /* real µs */
    uint64_t id;
} Run;

struct Ask {
    Loop loop;
    const char *task;
    Run *runs;
    unsigned called, answered, done;
    unsigned unanswered; /* at most */
    uint64_t due;        /* real µs; 0: at once, and the runs are waited for */
    uint64_t stamp;      /* makes the tokens of this call its own */
    uint64_t begun;      /* monotonic µs */
};

static void ask_fill(Ask *a);
static int on_poll(sd_event_source *s, uint64_t usec, void *userdata);

static void ask_poll_later(Ask *a)
{
    loop_after(&a->loop, POLL_USEC, on_poll, a);
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Run *run = userdata;
    Ask *a = run->ask;

    loop_check_reply(reply, "RunTask");
    loop_check(sd_bus_message_read(reply, "to", &run->id, NULL), "RunTask");
    if (++a->answered == a->loop.runs && a->due > 0)
        return sd_event_exit(a->loop.event, 0);
    if (a->answered == a->loop.runs && a->loop.in_flight == 0)
        ask_poll_later(a);
    ask_fill(a);
    return 0;
}

static void ask_call(Ask *a)
{
    Run *run = a->runs + a->called++;
    char token[64];

    snprintf(token, sizeof(token), "bench-%llu-%u", (unsigned long long)a->stamp, a->called);
    run->ask = a;
    run->called = loop_clock(CLOCK_REALTIME);
    loop_check(
        sd_bus_call_method_async(a->loop.bus, NULL, NAME, PATH, NAME ".Manager", "RunTask", on_answer, run,
            "sa{sv}a{sv}", a->task, 0, a->due > 0 ? 2 : 1, "token", "s", token, "at", "t", a->due),
        "RunTask");
}

static void ask_fill(Ask *a)
{
    while (a->called < a->loop.runs && a->called - a->answered < a->unanswered &&
           (a->loop.in_flight == 0 || a->called - a->done < a->loop.in_flight))
        ask_call(a);
}

static int on_gap(sd_event_source *s, uint64_t usec, void *userdata)
{
    ask_fill(userdata);
    return 0;
}

static int on_done(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Ask *a = userdata;

    if (!sd_bus_message_is_signal(m, NAME ".Manager", "RunChanged"))
        return 0;
    if (++a->done == a->loop.runs)
        ask_poll_later(a);
    else if (a->loop.gap_usec == 0)
        ask_fill(a);
    else
        loop_after(&a->loop, a->loop.gap_usec, on_gap, a);
    return 0;
}

/* --- until all is recorded, and then until all is released
 * ----------------------------------------------------- */

static int on_units(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Ask *a = userdata;
    int r;

    loop_check_reply(reply, "ListUnitsByPatterns");
    r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
    if (r >= 0)
        r = sd_bus_message_at_end(reply, false);
    loop_check(r, "ListUnitsByPatterns");
    if (r > 0)
        return sd_event_exit(a->loop.event, 0);
    ask_poll_later(a);
    return 0;
}

static bool ask_is_counter(const char *name)
{
    static const char *const counters[] = { "NRunning", "NWaiting", "NUnrecorded" };

    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        if (strcmp(counters[i], name) == 0)
            return true;
    return false;
}

static int on_counters(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Ask *a = userdata;
    uint64_t n, left = 0;
    const char *name;
    int r;

    loop_check_reply(reply, "GetAll");
    r = sd_bus_message_enter_container(reply, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
        n = 0;
        r = sd_bus_message_read(reply, "s", &name);
        if (r >= 0)
            r = ask_is_counter(name) ? sd_bus_message_read(reply, "v", "t", &n)
                                     : sd_bus_message_skip(reply, "v");
        left += n;
        if (r >= 0)
            r = sd_bus_message_exit_container(reply);
    }
    loop_check(r, "GetAll");
    if (left > 0) {
        ask_poll_later(a);
        return 0;
    }
    return sd_bus_call_method_async(a->loop.bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
        "ListUnitsByPatterns", on_units, a, "asas", 0, 1, "tsched-run-*");
}

/* NRunning, NWaiting and NUnrecorded, a few bytes, rather than a signal for each run. */
static int on_poll(sd_event_source *s, uint64_t usec, void *userdata)
{
    Ask *a = userdata;

    loop_check(sd_bus_call_method_async(a->loop.bus, NULL, NAME, PATH, "org.freedesktop.DBus.Properties",
                   "GetAll", on_counters, a, "s", NAME ".Manager"),
        "GetAll");
    return 0;
}

/* By the bus's own filter, so that the other states are not even sent; sd-bus, which would match once more,
 * does not look behind an argument that is no string. */
static void ask_subscribe(Ask *a)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;

    loop_check(sd_bus_add_filter(a->loop.bus, NULL, on_done, a), "filter");
    loop_check(
        sd_bus_call_method(a->loop.bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
            "org.freedesktop.DBus", "AddMatch", &error, NULL, "s",
            "type='signal',interface='" NAME ".Manager',member='RunChanged',path='" PATH "',arg1='done'"),
        "match");
}

int main(int argc, char **argv)
{
    Ask a = { 0 };
    uint64_t elapsed;

    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: ask RUNS IN-FLIGHT GAP-USEC TASK [UNANSWERED]\n");
        return 2;
    }
    loop_open(&a.loop, argv + 1);
    a.task = argv[4];
    a.runs = calloc(a.loop.runs, sizeof(Run));
    loop_check(a.runs ? 0 : -ENOMEM, "runs");
    if (a.loop.in_flight > 0)
        ask_subscribe(&a);
    a.unanswered = argc == 6 ? loop_number(argv[5]) : UNANSWERED_MAX;
    a.stamp = loop_clock(CLOCK_REALTIME);
    a.due = argc == 6 ? a.stamp + TOMORROW_USEC : 0;
    a.begun = loop_clock(CLOCK_MONOTONIC);
    ask_fill(&a);
    loop_check(sd_event_loop(a.loop.event), "loop");
    elapsed = loop_clock(CLOCK_MONOTONIC) - a.begun;
    printf("elapsed %llu\n", (unsigned long long)elapsed);
    for (unsigned i = 0; i < a.loop.runs; i++)
        printf("run %llu %llu\n", (unsigned long long)a.runs[i].called, (unsigned long long)a.runs[i].id);
    sd_bus_flush_close_unref(a.loop.bus);
    sd_event_unref(a.loop.event);
    free(a.runs);
    return 0;
}
