/* Properties by tables: a row says what one is called, its type, and how it is read from a record. The same
 * table serves the a{sv} that a method answers, org.freedesktop.DBus.Properties, and introspection. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/util.h"

typedef enum PropertyFlags {
    PROPERTY_CONST = 1 << 0, /* never changes while the object is there */
    PROPERTY_TOLD = 1 << 1, /* PropertiesChanged brings the new value; without either, changes are not told */
    PROPERTY_WHOLE = 1 << 2, /* left out in lists */
} PropertyFlags;

typedef struct Property {
    const char *name;
    const char *type;
    /* Appends one complete value of that type. */
    int (*append)(sd_bus_message *m, const void *record, size_t offset);
    size_t offset; /* into whatever append reads from */
    unsigned flags;
} Property;

typedef struct PropertyTable {
    const Property *rows;
    size_t n;
} PropertyTable;

#define PROPERTY_TABLE(array)                                                                                \
    {                                                                                                        \
        (array), G_N_ELEMENTS(array)                                                                         \
    }

const Property *property_find(const PropertyTable *t, const char *name);
/* One value as a variant. */
int property_append_variant(sd_bus_message *m, const Property *p, const void *record);
/* All, or those of a list, as an a{sv}. */
int property_append_dict(sd_bus_message *m, const PropertyTable *t, const void *record, bool whole);

/* For append: a uint64_t, a char* (NULL is ""), a bool of the record itself. */
int property_number(sd_bus_message *m, const void *record, size_t offset);
int property_string(sd_bus_message *m, const void *record, size_t offset);
int property_bool(sd_bus_message *m, const void *record, size_t offset);
/* A string that need not be fit to be sent. */
int property_append_string(sd_bus_message *m, const char *value);
