/* The life of the connection to the message bus: connect, ask for the name, notice the end, begin again. */
#include "api/bus.h"

#include "base/log.h"

#define DELAY_MIN (100 * USEC_PER_MSEC)
#define DELAY_MAX (5 * USEC_PER_SEC)

/* What RequestName answers. */
enum {
    NAME_PRIMARY_OWNER = 1,
    NAME_ALREADY_OWNER = 4,
};

struct Bus {
    sd_event *event;
    Clock *clock;
    bool user_scope;
    char *name;
    BusEvents events;
    void *userdata;
    sd_bus *bus; /* NULL between two attempts */
    sd_bus_slot *disconnected, *name_slot;
    ClockTimer *timer;
    uint64_t delay;
    char *complaint; /* as last logged: one line for a series of equal failures; NULL while all is well */
};

static void bus_close(Bus *b)
{
    b->disconnected = sd_bus_slot_unref(b->disconnected);
    b->name_slot = sd_bus_slot_unref(b->name_slot);
    b->bus = sd_bus_close_unref(b->bus);
}

static void bus_try_later(Bus *b, const char *what, int error)
{
    g_autofree char *complaint = g_strdup_printf("%s: %s", what, g_strerror(-error));

    if (g_strcmp0(complaint, b->complaint) != 0)
        log_message(LOG_WARNING, NULL, "%s. Trying again; running tasks are not affected.", complaint);
    g_free(b->complaint);
    b->complaint = g_steal_pointer(&complaint);
    if (b->bus) {
        b->events.down(b->userdata);
        bus_close(b);
    }
    clock_timer_arm(b->timer, clock_boot(b->clock) + b->delay);
    b->delay = MIN(b->delay * 2, DELAY_MAX);
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    bus_try_later(userdata, "The connection to the message bus is lost", -ECONNRESET);
    return 0;
}

static int bus_name_answer(sd_bus_message *m)
{
    uint32_t answer;
    int r;

    if (sd_bus_message_is_method_error(m, NULL))
        return -sd_bus_message_get_errno(m);
    r = sd_bus_message_read(m, "u", &answer);
    if (r < 0)
        return r;
    return answer == NAME_PRIMARY_OWNER || answer == NAME_ALREADY_OWNER ? 0 : -EEXIST;
}

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Bus *b = userdata;
    int r = bus_name_answer(m);

    if (r < 0) {
        g_autofree char *what = g_strdup_printf("The name %s cannot be had on the message bus", b->name);

        bus_try_later(b, what, r);
        return 0;
    }
    if (b->complaint)
        log_message(LOG_INFO, NULL, "Connected to the message bus.");
    g_clear_pointer(&b->complaint, g_free);
    b->delay = DELAY_MIN;
    b->events.up(b->bus, b->userdata);
    return 0;
}

static int bus_connect(Bus *b)
{
    int r = b->user_scope ? sd_bus_open_user_with_description(&b->bus, "api")
                          : sd_bus_open_system_with_description(&b->bus, "api");
    if (r < 0)
        return r;
    /* The kernel closes the socket at exit; a flush there could wait for a bus that hangs. */
    r = sd_bus_set_close_on_exit(b->bus, 0);
    if (r >= 0)
        r = sd_bus_set_exit_on_disconnect(b->bus, 0);
    if (r >= 0)
        r = sd_bus_attach_event(b->bus, b->event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_bus_match_signal_async(b->bus, &b->disconnected, "org.freedesktop.DBus.Local",
            "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local", "Disconnected", on_disconnected,
            NULL, b);
    if (r >= 0)
        r = b->events.made(b->bus, b->userdata);
    if (r >= 0)
        r = sd_bus_request_name_async(b->bus, &b->name_slot, b->name, 0, on_name, b);
    return r;
}

static void bus_try(void *userdata)
{
    Bus *b = userdata;
    int r = bus_connect(b);

    if (r < 0)
        bus_try_later(b, "The message bus cannot be reached", r);
}

int bus_new(sd_event *event, Clock *clock, bool user_scope, const char *name, const BusEvents *events,
    void *userdata, Bus **ret)
{
    g_autoptr(Bus) b = g_new0(Bus, 1);
    int r;

    b->event = sd_event_ref(event);
    b->clock = clock;
    b->user_scope = user_scope;
    b->name = g_strdup(name);
    b->events = *events;
    b->userdata = userdata;
    b->delay = DELAY_MIN;
    r = clock_timer_new(clock, CLOCK_BOOT, bus_try, b, &b->timer);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&b);
    return 0;
}

void bus_start(Bus *b)
{
    bus_try(b);
}

void bus_free(Bus *b)
{
    if (!b)
        return;
    bus_close(b);
    clock_timer_free(b->timer);
    sd_event_unref(b->event);
    g_free(b->name);
    g_free(b->complaint);
    g_free(b);
}
