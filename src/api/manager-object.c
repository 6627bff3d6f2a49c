/* The Manager object: what busctl introspect shows, and the path each call takes. */
#include "api/manager-object.h"

#include "api/list-methods.h"
#include "api/message.h"
#include "api/rights.h"
#include "api/run-methods.h"
#include "api/signals.h"
#include "api/task-methods.h"
#include "base/log.h"
#include "config.h"

struct ManagerObject {
    Manager *manager;
    Auth *auth;
    char *node;
    GHashTable *counts; /* uid → unanswered requests */
};

static const struct {
    const char *name;
    RequestFn fn;
} methods[] = {
    { "RunTask", run_methods_run },
    { "CancelRun", run_methods_cancel },
    { "KillRun", run_methods_kill },
    { "RetryRun", run_methods_retry },
    { "GetRun", run_methods_get },
    { "ListRuns", run_methods_list },
    { "ListTasks", list_methods_tasks },
    { "GetTask", task_methods_get },
    { "GetTaskText", task_methods_get_text },
    { "ListSchedules", list_methods_schedules },
    { "GetSchedule", task_methods_get_schedule },
    { "ListNext", list_methods_next },
    { "ApplyTask", task_methods_apply },
    { "VerifyTask", task_methods_verify },
    { "DeleteTask", task_methods_delete },
    { "SetEnabled", task_methods_set_enabled },
    { "Reload", task_methods_reload },
};

/* --- calls --- */

typedef struct Call {
    ManagerObject *object;
    Request *request;
} Call;

static int manager_object_call(Request *q, Error *error)
{
    const char *member = sd_bus_message_get_member(q->message);

    ARRAY_FOREACH (m, methods)
        if (g_str_equal(m->name, member))
            return rights_enter(q, member, NULL, m->fn, error);
    g_assert_not_reached(); /* the vtable names no other */
}

static void on_identified(int r, const Caller *caller, void *userdata)
{
    g_autofree Call *call = userdata;
    Request *q = call->request;
    g_auto(Error) error = { 0 };

    if (r < 0) {
        error_set(&error, ERROR_ACCESS_DENIED, "The message bus does not say who asks.");
        request_answer_error(q, r, &error);
        return;
    }
    r = request_set_caller(q, caller, auth_is_privileged(call->object->auth, caller), call->object->counts);
    if (r < 0)
        error_set(&error, ERROR_LIMIT_EXCEEDED, "User %s has too many unanswered requests.", caller->name);
    else
        r = manager_object_call(q, &error);
    if (r < 0)
        request_answer_error(q, r, &error);
}

static int on_method(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    ManagerObject *o = userdata;
    Call *call = g_new0(Call, 1);

    call->object = o;
    call->request = request_new(o->manager, o->auth, m);
    auth_identify(o->auth, m, on_identified, call);
    return 1;
}

/* --- properties --- */

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    return sd_bus_message_append(reply, "s", PROJECT_VERSION);
}

static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    ManagerObject *o = userdata;

    return sd_bus_message_append(reply, "s", manager_state_to_string(manager_state(o->manager)));
}

static int get_reason(sd_bus *bus, const char *path, const char *interface, const char *property,
    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    ManagerObject *o = userdata;
    g_autofree char *buffer = NULL;

    return sd_bus_message_append(reply, "s", message_valid(manager_reason(o->manager), &buffer));
}

static int get_node(sd_bus *bus, const char *path, const char *interface, const char *property,
    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    ManagerObject *o = userdata;

    return sd_bus_message_append(reply, "s", o->node);
}

static int get_count(sd_bus *bus, const char *path, const char *interface, const char *property,
    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    static const struct {
        const char *name;
        uint64_t (*get)(const Manager *m);
    } counts[] = {
        { "NRunning", manager_n_running },
        { "NWaiting", manager_n_waiting },
        { "NUnrecorded", manager_n_unrecorded },
    };
    ManagerObject *o = userdata;

    ARRAY_FOREACH (c, counts)
        if (g_str_equal(c->name, property))
            return sd_bus_message_append(reply, "t", c->get(o->manager));
    return -ENOENT;
}

/* Who may call is decided by rights.c, not by sd-bus, whose own check would wait for the bus. */
#define ANYBODY     SD_BUS_VTABLE_UNPRIVILEGED
#define COUNT(name) SD_BUS_PROPERTY(name, "t", get_count, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Reason", "s", get_reason, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("NodeName", "s", get_node, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    COUNT("NRunning"),
    COUNT("NWaiting"),
    COUNT("NUnrecorded"),
    SD_BUS_METHOD_WITH_ARGS("RunTask", SD_BUS_ARGS("s", task, "a{sv}", input, "a{sv}", options),
        SD_BUS_RESULT("t", run, "o", path), on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS("CancelRun", SD_BUS_ARGS("t", run), SD_BUS_NO_RESULT, on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS(
        "KillRun", SD_BUS_ARGS("t", run, "i", signal), SD_BUS_NO_RESULT, on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS(
        "RetryRun", SD_BUS_ARGS("t", run), SD_BUS_RESULT("t", new_run, "o", path), on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS(
        "GetRun", SD_BUS_ARGS("t", run), SD_BUS_RESULT("a{sv}", properties), on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS("ListRuns", SD_BUS_ARGS("a{sv}", filter, "s", cursor, "u", limit),
        SD_BUS_RESULT("aa{sv}", page, "s", next), on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS("ListTasks", SD_BUS_ARGS("a{sv}", filter, "s", cursor, "u", limit),
        SD_BUS_RESULT("aa{sv}", page, "s", next), on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS(
        "GetTask", SD_BUS_ARGS("s", task), SD_BUS_RESULT("a{sv}", properties), on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS(
        "GetTaskText", SD_BUS_ARGS("s", task), SD_BUS_RESULT("s", text), on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS("ListSchedules", SD_BUS_ARGS("a{sv}", filter, "s", cursor, "u", limit),
        SD_BUS_RESULT("aa{sv}", page, "s", next), on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS("GetSchedule", SD_BUS_ARGS("s", task, "s", schedule),
        SD_BUS_RESULT("a{sv}", properties), on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS("ListNext", SD_BUS_ARGS("a{sv}", filter, "u", count),
        SD_BUS_RESULT("a(sst)", slots), on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS("ApplyTask", SD_BUS_ARGS("s", name, "s", text, "a{sv}", options),
        SD_BUS_RESULT("t", revision), on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS("VerifyTask", SD_BUS_ARGS("s", name, "a(ss)", sources, "a{sv}", options),
        SD_BUS_RESULT("aa{sv}", faults), on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS("DeleteTask", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT, on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS(
        "SetEnabled", SD_BUS_ARGS("s", object, "b", enabled), SD_BUS_NO_RESULT, on_method, ANYBODY),
    SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_method, ANYBODY),
    SD_BUS_SIGNAL_WITH_ARGS("RunChanged", SD_BUS_ARGS("t", run, "s", state, "s", result), 0),
    SD_BUS_SIGNAL_WITH_ARGS("TaskChanged", SD_BUS_ARGS("s", task), 0),
    SD_BUS_VTABLE_END,
};

/* ------------------------------------------------------------------------------------------------------ */

int manager_object_new(Manager *m, Auth *auth, const char *node, ManagerObject **ret)
{
    ManagerObject *o = g_new0(ManagerObject, 1);

    o->manager = m;
    o->auth = auth;
    o->node = g_strdup(node);
    o->counts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    *ret = o;
    return 0;
}

void manager_object_free(ManagerObject *o)
{
    if (!o)
        return;
    g_hash_table_unref(o->counts);
    g_free(o->node);
    g_free(o);
}

int manager_object_add(ManagerObject *o, sd_bus *bus)
{
    return sd_bus_add_object_vtable(bus, NULL, API_PATH, API_INTERFACE, vtable, o);
}
