/* Puts the parts together: the connection, the object on it, the signals, and the manager behind. */
#include "api/api.h"

#include "api/bus.h"
#include "api/manager-object.h"
#include "api/signals.h"
#include "base/log.h"

struct Api {
    sd_event *event; /* borrowed */
    Bus *bus;
    Auth *auth;
    Signals *signals;
    ManagerObject *object;
    Manager *manager; /* borrowed */
    ClockFn ready;
    void *userdata;
};

static int on_made(sd_bus *bus, void *userdata)
{
    Api *a = userdata;

    return manager_object_add(a->object, bus);
}

static void on_up(sd_bus *bus, void *userdata)
{
    Api *a = userdata;
    int r;

    a->ready(a->userdata);
    r = manager_set_bus(a->manager, bus);
    if (r < 0)
        log_message(LOG_ERR, NULL, "The service manager cannot be followed: %s.", g_strerror(-r));
    signals_set_bus(a->signals, bus, a->manager);
}

static void on_down(void *userdata)
{
    Api *a = userdata;

    signals_set_bus(a->signals, NULL, a->manager);
    (void)manager_set_bus(a->manager, NULL);
    auth_reset(a->auth);
    manager_object_reset(a->object);
}

int api_new(sd_event *event, Clock *clock, bool user_scope, ClockFn ready, void *userdata, Api **ret)
{
    static const BusEvents events = { .made = on_made, .up = on_up, .down = on_down };
    g_autoptr(Api) a = g_new0(Api, 1);
    int r;

    a->event = event;
    a->ready = ready;
    a->userdata = userdata;
    r = auth_new(event, clock, user_scope, &a->auth);
    if (r >= 0)
        r = signals_new(event, clock, &a->signals);
    if (r >= 0)
        r = bus_new(event, clock, user_scope, API_NAME, &events, a, &a->bus);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&a);
    return 0;
}

int api_start(Api *a, Manager *m, const char *node)
{
    int r = manager_object_new(a->event, m, a->auth, node, &a->object);

    if (r < 0)
        return r;
    a->manager = m;
    bus_start(a->bus);
    return 0;
}

void api_free(Api *a)
{
    if (!a)
        return;
    bus_free(a->bus);
    auth_free(a->auth);
    signals_free(a->signals);
    manager_object_free(a->object);
    g_free(a);
}

void api_state_changed(Api *a)
{
    signals_state_changed(a->signals);
}

void api_run_changed(Api *a, uint64_t run, RunState state, RunResult result)
{
    signals_run_changed(a->signals, run, state, result);
    if (a->object)
        manager_object_run_changed(a->object, run);
    signals_state_changed(a->signals);
}

void api_task_changed(Api *a, const char *task)
{
    signals_task_changed(a->signals, task);
}

void api_slots_skipped(Api *a, const StoreSkip *skip)
{
    signals_slots_skipped(a->signals, skip);
}

void api_task_overdue(Api *a, const char *task, bool overdue, uint64_t since, uint64_t expected)
{
    signals_task_overdue(a->signals, task, overdue, since, expected);
}
