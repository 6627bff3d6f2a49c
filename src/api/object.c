/* Objects on the bus: what the table says becomes vtables, and what is asked for is found by its path.
 *
 * Properties of a run are in the database and whoever asks may have to be asked for by polkit first, so they cannot be
 * answered by sd-bus's getters, which answer at once: Get and GetAll are taken before sd-bus sees them. The getters
 * serve PropertiesChanged of what lies in memory; the vtables also introspection and everything that is wrong. */
#include "api/object.h"

#include <systemd/sd-id128.h>

#include "api/message.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define PEER       "org.freedesktop.DBus.Peer"

/* One kind on one daemon's bus. */
typedef struct Binding {
    Objects *objects;
    const ObjectKind *kind;
    GArray *vtable; /* of sd_bus_vtable */
} Binding;

struct Objects {
    const ObjectWorld *world;
    ObjectCallFn fn;
    void *userdata;
    Binding *bindings; /* object_n_kinds of them */
};

struct ObjectChildren {
    const char *path; /* of the parent */
    GPtrArray *paths;
};

/* Of one folder introspection shows no more than this. */
#define CHILDREN_MAX 2000
/* No name on a bus is longer, and no path of ours. */
#define NAME_LENGTH_MAX 255
#define PATH_LENGTH_MAX 1024

/* --- paths --- */

static char *object_format(const ObjectKind *kind)
{
    GString *format = g_string_new(kind->prefix);

    for (unsigned i = 0; i < kind->depth; i++)
        g_string_append(format, "/%");
    return g_string_free(format, FALSE);
}

char *object_path(const ObjectKind *kind, const char *const *labels)
{
    g_autofree char *format = object_format(kind);
    char *path = NULL;

    if (kind->depth == 0)
        return g_strdup(kind->prefix);
    G_STATIC_ASSERT(OBJECT_DEPTH_MAX == 2);
    /* An argument too many does no harm. */
    if (sd_bus_path_encode_many(&path, format, labels[0], kind->depth > 1 ? labels[1] : NULL) < 0)
        return NULL;
    return path;
}

/* The labels of a path, if it is one of this kind as we write it: there is one path for each object. */
static GStrv object_labels(const ObjectKind *kind, const char *path)
{
    g_autofree char *format = NULL, *again = NULL;
    g_auto(GStrv) labels = NULL;

    if (kind->depth == 0)
        return g_str_equal(path, kind->prefix) ? g_new0(char *, 1) : NULL;
    if (!g_str_has_prefix(path, kind->prefix))
        return NULL;
    format = object_format(kind);
    labels = g_new0(char *, OBJECT_DEPTH_MAX + 1);
    if (sd_bus_path_decode_many(path, format, &labels[0], &labels[1]) <= 0)
        return NULL;
    again = object_path(kind, (const char *const *)labels);
    return again && g_str_equal(again, path) ? g_steal_pointer(&labels) : NULL;
}

const ObjectKind *object_kind(const char *interface)
{
    for (size_t i = 0; i < object_n_kinds; i++)
        if (g_str_equal(object_kinds[i].interface, interface))
            return &object_kinds[i];
    return NULL;
}

/* Is there one, as far as memory knows? */
static bool object_exists(const Objects *o, const ObjectKind *kind, GStrv labels)
{
    const char *const *names = (const char *const *)labels;

    return kind->find ? kind->find(o->world, names) != NULL : kind->is_valid(names);
}

/* --- calls --- */

static const ObjectMethod *object_find_method(const ObjectKind *kind, const char *name)
{
    for (size_t i = 0; i < kind->n_methods; i++)
        if (g_str_equal(kind->methods[i].name, name))
            return &kind->methods[i];
    return NULL;
}

static int on_method(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Binding *b = userdata;
    g_auto(GStrv) labels = object_labels(b->kind, sd_bus_message_get_path(m));
    ObjectCall call = {
        .kind = b->kind,
        .labels = labels,
        .method = object_find_method(b->kind, sd_bus_message_get_member(m)),
    };

    if (!labels || !call.method)
        return 0;
    b->objects->fn(m, &call, b->objects->userdata);
    labels = call.labels;
    return 1;
}

/* sd-bus would take an argument too many, and answer by its getters. */
static int object_refuse_get(sd_bus_message *m, const char *signature)
{
    (void)sd_bus_reply_method_errorf(m, SD_BUS_ERROR_INVALID_ARGS, "The arguments of %s are \"%s\".",
        sd_bus_message_get_member(m), signature);
    return 1;
}

static int object_take_get(Objects *o, sd_bus_message *m, const ObjectKind *kind, GStrv *labels)
{
    bool one = sd_bus_message_is_method_call(m, NULL, "Get") > 0;
    const char *signature = one ? "ss" : "s", *interface, *property = "";
    ObjectCall call = { .kind = kind, .labels = *labels };

    if (!one && sd_bus_message_is_method_call(m, NULL, "GetAll") <= 0)
        return 0;
    if (sd_bus_message_has_signature(m, signature) <= 0 ||
        sd_bus_message_read(m, signature, &interface, &property) < 0)
        return object_refuse_get(m, signature);
    /* Whatever names nothing of ours is told so by sd-bus, by the same vtable. */
    if ((*interface && !g_str_equal(interface, kind->interface)) || !object_exists(o, kind, *labels) ||
        (one && !property_find(kind->properties, property))) {
        (void)sd_bus_message_rewind(m, 1);
        return 0;
    }
    call.property = property;
    o->fn(m, &call, o->userdata);
    *labels = call.labels;
    return 1;
}

/* sd-bus quotes what it does not know, and with a name of 10 MB the answer would have as much. */
static int object_refuse_long(sd_bus_message *m)
{
    const char *path = sd_bus_message_get_path(m), *interface = "", *property = "", *what = NULL;

    if (sd_bus_message_is_method_call(m, NULL, NULL) <= 0)
        return 0;
    if (path && strlen(path) > PATH_LENGTH_MAX)
        what = SD_BUS_ERROR_UNKNOWN_OBJECT;
    if (sd_bus_message_is_method_call(m, PROPERTIES, NULL) > 0) {
        if (sd_bus_message_read(m, "s", &interface) > 0 && strlen(interface) > NAME_LENGTH_MAX)
            what = SD_BUS_ERROR_UNKNOWN_INTERFACE;
        else if (sd_bus_message_read(m, "s", &property) > 0 && strlen(property) > NAME_LENGTH_MAX)
            what = SD_BUS_ERROR_UNKNOWN_PROPERTY;
        (void)sd_bus_message_rewind(m, 1);
    }
    if (!what)
        return 0;
    (void)sd_bus_reply_method_errorf(m, what, "There is none with so long a name.");
    return 1;
}

/* sd-bus closes the connection when it cannot read the id, be it that the machine has none or that all descriptors are
 * in use: then anybody could take the name from us with one call. */
static int object_take_machine_id(sd_bus_message *m)
{
    char text[SD_ID128_STRING_MAX];
    sd_id128_t id;
    int r;

    if (sd_bus_message_is_method_call(m, PEER, "GetMachineId") <= 0)
        return 0;
    r = sd_id128_get_machine(&id);
    if (r < 0)
        (void)sd_bus_reply_method_errorf(m, SD_BUS_ERROR_FILE_NOT_FOUND,
            "The id of this machine, /etc/machine-id, cannot be read: %s.", g_strerror(-r));
    else
        (void)sd_bus_reply_method_return(m, "s", sd_id128_to_string(id, text));
    return 1;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Objects *o = userdata;
    const char *path;

    if (object_refuse_long(m) > 0 || object_take_machine_id(m) > 0)
        return 1;
    if (sd_bus_message_is_method_call(m, PROPERTIES, NULL) <= 0)
        return 0;
    path = sd_bus_message_get_path(m);
    for (size_t i = 0; path && i < object_n_kinds; i++) {
        g_auto(GStrv) labels = object_labels(&object_kinds[i], path);

        if (labels)
            return object_take_get(o, m, &object_kinds[i], &labels);
    }
    return 0;
}

static int on_find(
    sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret, sd_bus_error *error)
{
    Binding *b = userdata;
    g_auto(GStrv) labels = object_labels(b->kind, path);

    if (!labels || !object_exists(b->objects, b->kind, labels))
        return 0;
    *ret = b;
    return 1;
}

/* For PropertiesChanged alone. */
static int on_get(sd_bus *bus, const char *path, const char *interface, const char *property,
    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Binding *b = userdata;
    g_auto(GStrv) labels = object_labels(b->kind, path);
    const Property *p = property_find(b->kind->properties, property);
    const void *record = NULL;

    if (labels && b->kind->find)
        record = b->kind->find(b->objects->world, (const char *const *)labels);
    return record && p ? p->append(reply, record, p->offset) : -ENOENT;
}

/* --- introspection --- */

bool object_add_child(ObjectChildren *children, const char *label)
{
    g_autofree char *path = NULL;

    if (children->paths->len >= CHILDREN_MAX || sd_bus_path_encode(children->path, label, &path) < 0)
        return false;
    g_ptr_array_add(children->paths, g_steal_pointer(&path));
    return true;
}

/* The labels of a folder, which are fewer than an object's. */
static GStrv object_folder(const ObjectKind *kind, const char *path, unsigned *ret_n)
{
    ObjectKind folder = *kind;

    for (folder.depth = 0; folder.depth < kind->depth; folder.depth++) {
        GStrv labels = object_labels(&folder, path);

        *ret_n = folder.depth;
        if (labels)
            return labels;
    }
    return NULL;
}

static int on_enumerate(sd_bus *bus, const char *path, void *userdata, char ***ret, sd_bus_error *error)
{
    Binding *b = userdata;
    unsigned n = 0;
    g_auto(GStrv) labels = object_folder(b->kind, path, &n);
    ObjectChildren children = { .path = path, .paths = g_ptr_array_new() };

    if (labels)
        b->kind->list(b->objects->world, (const char *const *)labels, n, &children);
    g_ptr_array_add(children.paths, NULL);
    *ret = (char **)g_ptr_array_free(children.paths, FALSE);
    return 0;
}

/* --- vtables --- */

static void binding_add_properties(GArray *vtable, const PropertyTable *properties)
{
    for (size_t i = 0; i < properties->n; i++) {
        const Property *p = &properties->rows[i];
        sd_bus_vtable row = SD_BUS_PROPERTY(p->name, p->type, on_get, 0, 0);

        if (p->flags & PROPERTY_CONST)
            row.flags = SD_BUS_VTABLE_PROPERTY_CONST;
        else if (p->flags & PROPERTY_TOLD)
            row.flags = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
        g_array_append_val(vtable, row);
    }
}

/* Who may call is decided in rights.c, not by sd-bus, whose own check would wait for the bus. */
static GArray *binding_vtable(const ObjectKind *kind)
{
    GArray *vtable = g_array_new(FALSE, FALSE, sizeof(sd_bus_vtable));
    const sd_bus_vtable start = SD_BUS_VTABLE_START(0), end = SD_BUS_VTABLE_END;

    g_array_append_val(vtable, start);
    binding_add_properties(vtable, kind->properties);
    for (size_t i = 0; i < kind->n_methods; i++) {
        const ObjectMethod *m = &kind->methods[i];
        sd_bus_vtable row = SD_BUS_METHOD(m->name, m->in, m->out, on_method, SD_BUS_VTABLE_UNPRIVILEGED);

        row.x.method.names = m->names;
        g_array_append_val(vtable, row);
    }
    for (size_t i = 0; i < kind->n_signals; i++) {
        const ObjectSignal *s = &kind->signals[i];
        sd_bus_vtable row = SD_BUS_SIGNAL(s->name, s->signature, 0);

        row.x.signal.names = s->names;
        g_array_append_val(vtable, row);
    }
    g_array_append_val(vtable, end);
    return vtable;
}

Objects *objects_new(const ObjectWorld *world, ObjectCallFn fn, void *userdata)
{
    Objects *o = g_new0(Objects, 1);

    o->world = world;
    o->fn = fn;
    o->userdata = userdata;
    o->bindings = g_new0(Binding, object_n_kinds);
    for (size_t i = 0; i < object_n_kinds; i++)
        o->bindings[i] = (Binding){ o, &object_kinds[i], binding_vtable(&object_kinds[i]) };
    return o;
}

void objects_free(Objects *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < object_n_kinds; i++)
        g_array_unref(o->bindings[i].vtable);
    g_free(o->bindings);
    g_free(o);
}

static int binding_add(Binding *b, sd_bus *bus)
{
    const sd_bus_vtable *vtable = (const sd_bus_vtable *)(const void *)b->vtable->data;
    int r;

    if (b->kind->depth == 0)
        return sd_bus_add_object_vtable(bus, NULL, b->kind->prefix, b->kind->interface, vtable, b);
    r = sd_bus_add_fallback_vtable(bus, NULL, b->kind->prefix, b->kind->interface, vtable, on_find, b);
    return r < 0 ? r : sd_bus_add_node_enumerator(bus, NULL, b->kind->prefix, on_enumerate, b);
}

int objects_add(Objects *o, sd_bus *bus)
{
    int r = sd_bus_add_filter(bus, NULL, on_message, o);

    for (size_t i = 0; r >= 0 && i < object_n_kinds; i++)
        r = binding_add(&o->bindings[i], bus);
    return r;
}

/* --- signals --- */

int object_emit_changed(sd_bus *bus, const ObjectKind *kind, const char *const *labels)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *path = object_path(kind, labels);

    for (size_t i = 0; i < kind->properties->n; i++)
        if (kind->properties->rows[i].flags & PROPERTY_TOLD)
            g_ptr_array_add(names, (char *)kind->properties->rows[i].name);
    g_ptr_array_add(names, NULL);
    if (!path)
        return -ENOMEM;
    return sd_bus_emit_properties_changed_strv(bus, path, kind->interface, (char **)names->pdata);
}
