/* The path each call takes: whose is it, may he, and then to whoever answers. */
#include "api/manager-object.h"

#include "api/object.h"
#include "api/rights.h"

struct ManagerObject {
    ObjectWorld world;
    Objects *objects;
    Auth *auth;
    char *node;
    Turns *turns;
};

/* --- calls --- */

typedef struct Call {
    ManagerObject *object;
    Request *request;
    const ObjectKind *kind;
    const ObjectMethod *method;
    TurnUser *turn;
    char *member; /* as it is spoken of: "RunTask", "Run.Cancel", "Properties" */
} Call;

static void call_free(Call *c)
{
    g_free(c->member);
    g_free(c);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Call, call_free)

/* The properties of what lies in memory. */
static int manager_object_get(Request *q, Error *error)
{
    const char *const *labels = (const char *const *)q->labels;
    const void *record = q->kind->find(q->world, labels);

    /* It was there when the call came. */
    if (!record)
        return error_set(error, ERROR_UNKNOWN_OBJECT, "There is no such object any more.");
    request_answer_properties(q, q->kind->properties, record);
    return 0;
}

/* What a path says that it is about. */
static int manager_object_enter(const Call *c, RequestFn fn, Error *error)
{
    Request *q = c->request;
    g_autofree char *name = q->labels ? g_strjoinv("/", q->labels) : NULL;
    RightsObject object = { .name = name };

    if (!q->labels)
        return rights_enter(q, c->member, c->method ? NULL : &object, fn, error);
    if (c->kind->has_task)
        object.task = q->labels[0];
    if (c->kind->has_run)
        (void)request_parse_run(q->labels[0], &object.run);
    return rights_enter(q, c->member, &object, fn, error);
}

static int manager_object_call(const Call *c, Error *error)
{
    RequestFn get = c->kind->find ? manager_object_get : c->kind->get;

    return manager_object_enter(c, c->method ? c->method->fn : get, error);
}

static void on_turn(int r, void *userdata)
{
    g_autoptr(Call) call = userdata;
    Request *q = call->request;
    g_auto(Error) error = { 0 };

    if (r < 0) {
        request_free(q);
        return;
    }
    q->turn = call->turn;
    r = manager_object_call(call, &error);
    if (r < 0)
        request_answer_error(q, r, &error);
}

static void on_identified(int r, const Caller *caller, void *userdata)
{
    Call *call = userdata;
    Request *q = call->request;
    g_auto(Error) error = { 0 };

    if (r < 0) {
        error_set(&error, ERROR_ACCESS_DENIED, "The message bus does not say who asks.");
    } else {
        request_set_caller(q, caller, auth_is_privileged(call->object->auth, caller));
        r = turns_enter(
            call->object->turns, caller->uid, q->privileged, q->message, on_turn, call, &call->turn);
        if (r >= 0)
            return;
        error_set(&error, ERROR_LIMIT_EXCEEDED, "User %s has too many unanswered requests.", caller->name);
    }
    request_answer_error(q, r, &error);
    call_free(call);
}

static char *manager_object_member(const ObjectCall *c)
{
    if (!c->method)
        return g_strdup("Properties");
    if (c->kind->depth == 0)
        return g_strdup(c->method->name);
    return g_strdup_printf("%s.%s", strrchr(c->kind->interface, '.') + 1, c->method->name);
}

static void on_call(sd_bus_message *m, ObjectCall *c, void *userdata)
{
    ManagerObject *o = userdata;
    Call *call = g_new0(Call, 1);
    Request *q = request_new(o->world.manager, o->auth, m);

    q->kind = c->kind;
    q->world = &o->world;
    q->property = c->property;
    q->labels = c->kind->depth > 0 ? g_steal_pointer(&c->labels) : NULL;
    call->object = o;
    call->request = q;
    call->kind = c->kind;
    call->method = c->method;
    call->member = manager_object_member(c);
    auth_identify(o->auth, m, on_identified, call);
}

/* ------------------------------------------------------------------------------------------------------ */

int manager_object_new(sd_event *event, Manager *m, Auth *auth, const char *node, ManagerObject **ret)
{
    ManagerObject *o = g_new0(ManagerObject, 1);
    int r = turns_new(event, &o->turns);

    if (r < 0) {
        g_free(o);
        return r;
    }

    o->auth = auth;
    o->node = g_strdup(node);
    o->world = (ObjectWorld){ .manager = m, .node = o->node };
    o->objects = objects_new(&o->world, on_call, o);
    *ret = o;
    return 0;
}

void manager_object_free(ManagerObject *o)
{
    if (!o)
        return;
    objects_free(o->objects);
    turns_free(o->turns);
    g_free(o->node);
    g_free(o);
}

int manager_object_add(ManagerObject *o, sd_bus *bus)
{
    return objects_add(o->objects, bus);
}

void manager_object_reset(ManagerObject *o)
{
    turns_reset(o->turns);
}

void manager_object_run_changed(ManagerObject *o, uint64_t run)
{
    ObjectWorld *w = &o->world;

    /* Of each run that is asked for the first change is a new id. */
    if (run <= w->newest[(w->next_newest + OBJECT_NEWEST - 1) % OBJECT_NEWEST])
        return;
    w->newest[w->next_newest] = run;
    w->next_newest = (w->next_newest + 1) % OBJECT_NEWEST;
}
