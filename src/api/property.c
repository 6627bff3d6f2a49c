/* Properties by tables. */
#include "api/property.h"

#include "api/message.h"

const Property *property_find(const PropertyTable *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (g_str_equal(t->rows[i].name, name))
            return &t->rows[i];
    return NULL;
}

int property_append_variant(sd_bus_message *m, const Property *p, const void *record)
{
    int r = sd_bus_message_open_container(m, 'v', p->type);

    if (r >= 0)
        r = p->append(m, record, p->offset);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int property_append_entry(sd_bus_message *m, const Property *p, const void *record)
{
    int r = sd_bus_message_open_container(m, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append(m, "s", p->name);
    if (r >= 0)
        r = property_append_variant(m, p, record);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int property_append_dict(sd_bus_message *m, const PropertyTable *t, const void *record, bool whole)
{
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    for (size_t i = 0; r >= 0 && i < t->n; i++)
        if (whole || !(t->rows[i].flags & PROPERTY_WHOLE))
            r = property_append_entry(m, &t->rows[i], record);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int property_append_string(sd_bus_message *m, const char *value)
{
    g_autofree char *buffer = NULL;

    return sd_bus_message_append(m, "s", message_valid(value, &buffer));
}

int property_number(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "t", *(const uint64_t *)(const void *)((const char *)record + offset));
}

int property_string(sd_bus_message *m, const void *record, size_t offset)
{
    return property_append_string(m, *(const char *const *)(const void *)((const char *)record + offset));
}

int property_bool(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "b", (int)*(const bool *)(const void *)((const char *)record + offset));
}
