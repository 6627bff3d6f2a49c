/* Calendars: named sets of days and hours, from memory. */
#include "api/calendar-methods.h"

#include "api/message.h"
#include "api/property.h"
#include "model/almanac.h"
#include "model/json.h"

#define PAGE_MAX 1000

/* One of them, and now. */
typedef struct CalendarRecord {
    const CalendarEntry *entry;
    bool within;
    uint64_t until;
} CalendarRecord;

static CalendarRecord calendar_record(const CalendarEntry *entry, uint64_t now)
{
    CalendarRecord r = { entry, false, UNSET };

    r.within = manager_calendar_has(entry, now, &r.until);
    return r;
}

static int calendar_name(sd_bus_message *m, const void *record, size_t offset)
{
    return property_append_string(m, ((const CalendarRecord *)record)->entry->name);
}

static int calendar_description(sd_bus_message *m, const void *record, size_t offset)
{
    const Almanac *a = ((const CalendarRecord *)record)->entry->almanac;

    return property_append_string(m, a ? a->description : "");
}

static int calendar_zone(sd_bus_message *m, const void *record, size_t offset)
{
    const Almanac *a = ((const CalendarRecord *)record)->entry->almanac;

    return property_append_string(m, a && a->zone ? a->zone->name : "");
}

static int calendar_path(sd_bus_message *m, const void *record, size_t offset)
{
    const GPtrArray *sources = ((const CalendarRecord *)record)->entry->sources;

    return property_append_string(
        m, sources->len > 0 ? ((const TaskSource *)g_ptr_array_index(sources, 0))->path : "");
}

static int calendar_valid(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "b", ((const CalendarRecord *)record)->entry->almanac != NULL);
}

static int calendar_sources(sd_bus_message *m, const void *record, size_t offset)
{
    g_autofree char *text = task_sources_list_to_json(((const CalendarRecord *)record)->entry->sources);

    return property_append_string(m, text);
}

static const Property calendar_rows[] = {
    { "Name", "s", calendar_name, 0, 0 },
    { "Description", "s", calendar_description, 0, 0 },
    { "Path", "s", calendar_path, 0, 0 },
    { "TimeZone", "s", calendar_zone, 0, 0 },
    { "Valid", "b", calendar_valid, 0, 0 },
    { "Within", "b", property_bool, offsetof(CalendarRecord, within), 0 },
    { "Until", "t", property_number, offsetof(CalendarRecord, until), 0 },
    { "Sources", "s", calendar_sources, 0, PROPERTY_WHOLE },
};
static const PropertyTable calendar_properties = PROPERTY_TABLE(calendar_rows);

int calendar_methods_get(Request *q, Error *error)
{
    const CalendarEntry *entry;
    CalendarRecord record;
    const char *name;
    int r = sd_bus_message_read(q->message, "s", &name);

    if (r < 0)
        return message_read_failed(r, error);
    r = manager_check_tasks(q->manager, error);
    if (r < 0)
        return r;
    entry = manager_find_calendar(q->manager, name);
    if (!entry)
        return message_refuse(error, ERROR_NO_SUCH_CALENDAR, "There is no calendar ", name, ".");
    record = calendar_record(entry, manager_now(q->manager));
    request_answer_properties(q, &calendar_properties, &record);
    return 0;
}

static int calendar_append_page(Request *q, sd_bus_message *reply, const GPtrArray *found, unsigned limit)
{
    const char *last = "";
    int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

    for (guint i = 0; r >= 0 && i < MIN(found->len, limit); i++) {
        CalendarRecord record = calendar_record(g_ptr_array_index(found, i), manager_now(q->manager));

        last = record.entry->name;
        r = property_append_dict(reply, &calendar_properties, &record, false);
    }
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_message_append(reply, "s", found->len > limit ? last : "");
}

int calendar_methods_list(Request *q, Error *error)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    g_autoptr(GPtrArray) found = NULL;
    const char *cursor;
    unsigned limit;
    int r = message_read_dict(q->message, NULL, 0, "filter", NULL, error);

    if (r >= 0)
        r = message_read_page(q->message, PAGE_MAX, &cursor, &limit, error);
    if (r >= 0)
        r = manager_check_tasks(q->manager, error);
    if (r < 0)
        return r;
    found = manager_list_calendars(q->manager, *cursor ? cursor : NULL, limit + 1);
    r = sd_bus_message_new_method_return(q->message, &reply);
    if (r >= 0)
        r = calendar_append_page(q, reply, found, limit);
    if (r >= 0)
        request_answer_message(q, reply);
    return r;
}
