/* The objects on the bus, by one table (object-table.c): what path they have, what members, and what is found there.
 * Of these only tasks and schedules lie in memory; a path of a run stands for it whether or not there is one. */
#pragma once

#include "api/property.h"
#include "api/request.h"

typedef struct ObjectMethod {
    const char *name;
    const char *in, *out; /* signatures */
    const char *names;    /* of its arguments, each ended by a NUL */
    RequestFn fn;
} ObjectMethod;

typedef struct ObjectSignal {
    const char *name, *signature, *names;
} ObjectSignal;

#define OBJECT_NEWEST 64

/* What objects are made of. */
struct ObjectWorld {
    Manager *manager;
    const char *node;
    uint64_t newest[OBJECT_NEWEST]; /* ids of the runs that were asked for last, in a ring; 0 is none */
    unsigned next_newest;
};

/* Receives the labels (decoded) of a child; false: that is enough. */
typedef struct ObjectChildren ObjectChildren;
bool object_add_child(ObjectChildren *children, const char *label);

#define OBJECT_DEPTH_MAX 2

struct ObjectKind {
    const char *prefix;     /* objects lie below it */
    unsigned depth;         /* at so many labels; 0: there is one, and this is its path */
    const char *interface;  /* its last part is what members are called by where rights are spoken of */
    bool has_task, has_run; /* the first label names a task, is a run's id: rights depend on it */
    const PropertyTable *properties;
    const ObjectMethod *methods;
    size_t n_methods;
    const ObjectSignal *signals;
    size_t n_signals;
    /* The record that the properties are read from, if it is in memory; NULL: there is none. */
    const void *(*find)(const ObjectWorld *w, const char *const *labels);
    /* Where find is NULL: could there be one?, and how its properties are answered. */
    bool (*is_valid)(const char *const *labels);
    RequestFn get;
    /* For introspection: what lies below so many labels, bounded. */
    void (*list)(const ObjectWorld *w, const char *const *labels, unsigned n, ObjectChildren *children);
};

extern const ObjectKind object_kinds[];
extern const size_t object_n_kinds;

/* One call that came for an object. */
typedef struct ObjectCall {
    const ObjectKind *kind;
    GStrv labels;               /* owned by the call */
    const ObjectMethod *method; /* NULL: properties are asked for, */
    const char *property;       /* this one, "" is all of them; of the message */
} ObjectCall;

typedef struct Objects Objects;
/* call is borrowed; labels may be stolen. */
typedef void (*ObjectCallFn)(sd_bus_message *m, ObjectCall *call, void *userdata);

/* world is borrowed. */
Objects *objects_new(const ObjectWorld *world, ObjectCallFn fn, void *userdata);
void objects_free(Objects *o);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Objects, objects_free)
/* To a connection on which nothing was received yet. o must outlive it. */
int objects_add(Objects *o, sd_bus *bus);

/* The path of an object; g_free (it is libsystemd's, which is the same). NULL without memory. */
char *object_path(const ObjectKind *kind, const char *const *labels);
const ObjectKind *object_kind(const char *interface);
/* PropertiesChanged with all properties that are told. */
int object_emit_changed(sd_bus *bus, const ObjectKind *kind, const char *const *labels);
