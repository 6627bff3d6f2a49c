/* One loop over the bus, the journal and the clock, until the run is done. Signals make it quick, asking
 * makes it sure: whatever connection or daemon went away, the run is asked for anew. */
#include "ctl/wait.h"

#include <poll.h>

#include "ctl/follow.h"
#include "ctl/logs-open.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/i18n.h"

#define ASK_AGAIN    (2 * USEC_PER_SEC)    /* while nobody answers */
#define ASK_PROGRESS (500 * USEC_PER_MSEC) /* while the progress is drawn */
#define ASK_ANYWAY   (15 * USEC_PER_SEC)

typedef struct Wait {
    Ctl *ctl;
    uint64_t run;
    sd_bus *bus; /* of the slots, which hold it; only compared */
    sd_bus_slot *run_slot, *owner_slot;
    Follow *follow; /* NULL: not wanted, or no journal */
    bool ask;       /* now */
    bool told;
} Wait;

static int on_run_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Wait *w = userdata;
    uint64_t run;

    if (sd_bus_message_read(m, "t", &run) >= 0 && run == w->run)
        w->ask = true;
    return 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Wait *w = userdata;

    w->ask = true;
    return 0;
}

static void wait_detach(Wait *w)
{
    w->run_slot = sd_bus_slot_unref(w->run_slot);
    w->owner_slot = sd_bus_slot_unref(w->owner_slot);
    w->bus = NULL;
}

/* Watching begins before asking: a change in between is not missed. */
static int wait_attach(Wait *w, ClientError *e)
{
    sd_bus *bus;
    int r = client_connect(w->ctl->client, &bus, e);

    if (r < 0 || bus == w->bus)
        return r;
    wait_detach(w);
    r = sd_bus_match_signal(
        bus, &w->run_slot, CLIENT_NAME, CLIENT_PATH, CLIENT_INTERFACE, "RunChanged", on_run_changed, w);
    if (r >= 0)
        r = sd_bus_add_match(bus, &w->owner_slot,
            "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
            "member='NameOwnerChanged',arg0='" CLIENT_NAME "'",
            on_owner_changed, w);
    if (r < 0) {
        client_error_from_bus(e, NULL, r);
        e->again = true;
        wait_detach(w);
        client_disconnect(w->ctl->client);
        return r;
    }
    w->bus = bus;
    return 0;
}

static int wait_open_log(const Wait *w, bool follow, ClientError *e)
{
    return logs_open(w->ctl->client, w->run, &(LogsQuery){ .follow = follow, .output = "json" }, e);
}

/* A daemon that was restarted reads it anew. */
static void wait_follow_again(Wait *w)
{
    g_auto(ClientError) ignored = { 0 };
    int fd;

    if (!w->follow || !follow_is_cut(w->follow))
        return;
    fd = wait_open_log(w, true, &ignored);
    if (fd >= 0)
        follow_set_fd(w->follow, fd, false);
}

/* 1 and *ret: it is done. 0: not yet, and *ret_delay until it is to be asked again. */
static int wait_ask(Wait *w, JsonObject **ret, uint64_t *ret_delay, ClientError *e)
{
    g_autoptr(JsonObject) run = NULL;
    int r = wait_attach(w, e);

    w->ask = false;
    if (r >= 0)
        r = client_call_object(w->ctl->client, e, &run, "GetRun", "t", w->run);
    if (r < 0) {
        if (!e->again)
            return r;
        if (!w->told)
            output_note(w->ctl, _("%s; waiting until there is an answer"), e->error.message);
        w->told = true;
        client_error_clear(e);
        *ret_delay = ASK_AGAIN;
        return 0;
    }
    w->told = false;
    wait_follow_again(w);
    if (g_str_equal(text_member(run, "State"), "done")) {
        *ret = g_steal_pointer(&run);
        return 1;
    }
    if (w->follow)
        follow_progress(w->follow, run);
    *ret_delay = w->follow ? ASK_PROGRESS : ASK_ANYWAY;
    return 0;
}

static void wait_process_bus(Wait *w)
{
    int r = 1;

    while (w->bus && r > 0)
        r = sd_bus_process(w->bus, NULL);
    if (r < 0) {
        wait_detach(w);
        client_disconnect(w->ctl->client);
        w->ask = true;
    }
}

static void wait_poll(Wait *w, uint64_t until)
{
    struct pollfd fds[2] = { { .fd = -1 }, { .fd = -1, .events = POLLIN } };
    uint64_t now = (uint64_t)g_get_monotonic_time();
    uint64_t left = until > now ? until - now : 0;

    if (w->bus) {
        int events = sd_bus_get_events(w->bus);

        fds[0].fd = sd_bus_get_fd(w->bus);
        fds[0].events = (short)(events < 0 ? POLLIN : events);
    }
    if (w->follow)
        fds[1].fd = follow_fd(w->follow);
    poll(fds, G_N_ELEMENTS(fds), (int)((left + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
    if (w->follow && fds[1].revents)
        follow_process(w->follow);
}

static int wait_loop(Wait *w, JsonObject **ret, ClientError *e)
{
    for (;;) {
        uint64_t delay = 0, until;
        int r = wait_ask(w, ret, &delay, e);

        if (r != 0)
            return r;
        until = (uint64_t)g_get_monotonic_time() + delay;
        wait_process_bus(w);
        while (!w->ask && (uint64_t)g_get_monotonic_time() < until) {
            wait_poll(w, until);
            wait_process_bus(w);
        }
        /* A bus that is gone is not to be asked for in a busy loop. */
        if (!w->bus)
            g_usleep(100 * USEC_PER_MSEC);
    }
}

/* Who may not read the journal has it read by the daemon. */
static void wait_follow(Wait *w)
{
    FILE *out = w->ctl->json == CTL_JSON_OFF ? stdout : stderr;
    g_autoptr(JsonObject) run = NULL;
    g_auto(ClientError) ignored = { 0 }, error = { 0 };
    int r;

    if (logs_may_read(w->ctl)) {
        r = client_call_object(w->ctl->client, &ignored, &run, "GetRun", "t", w->run);
        r = follow_new(w->run, w->ctl->user, r < 0 ? UNSET : text_instant(run, "Asked"), out, &w->follow);
        if (r < 0)
            output_note(w->ctl, _("The journal cannot be read: %s"), g_strerror(-r));
        return;
    }
    r = wait_open_log(w, true, &error);
    if (r >= 0)
        w->follow = follow_new_fd(w->run, r, out);
    else
        output_note(w->ctl, _("The journal cannot be read: %s"), error.error.message);
}

/* The daemon's reader may be behind: one that reads what there is and ends has it all. */
static void wait_finish(Wait *w)
{
    g_auto(ClientError) ignored = { 0 };
    int fd;

    follow_settle();
    fd = logs_may_read(w->ctl) ? -1 : wait_open_log(w, false, &ignored);
    follow_process(w->follow);
    if (fd >= 0)
        follow_set_fd(w->follow, fd, true);
    follow_finish(w->follow);
    if (follow_is_blind(w->follow))
        output_note(w->ctl, _("The journal cannot be read: %s"), g_strerror(EACCES));
}

int wait_for_run(Ctl *ctl, uint64_t run, bool follow, JsonObject **ret, ClientError *e)
{
    Wait w = { .ctl = ctl, .run = run };
    int r;

    if (follow)
        wait_follow(&w);
    r = wait_loop(&w, ret, e);
    if (w.follow)
        wait_finish(&w);
    follow_free(w.follow);
    wait_detach(&w);
    return r < 0 ? r : 0;
}
