/* Backfill: a range of a schedule's times in, each of them with its run out. */
#include "api/backfill-methods.h"

#include "api/message.h"
#include "api/property.h"

typedef struct Options {
    int dry;
} Options;

static const MessageEntry options[] = {
    { "dry-run", "b", message_entry_bool, offsetof(Options, dry) },
};

static int backfill_outcome(sd_bus_message *m, const void *record, size_t offset)
{
    static const char *const outcomes[] = {
        [STORE_BACKFILL_ASKED] = "asked",
        [STORE_BACKFILL_HAS_RUN] = "has-run",
        [STORE_BACKFILL_TO_COME] = "to-come",
    };

    return sd_bus_message_append(m, "s", outcomes[((const StoreBackfilled *)record)->outcome]);
}

static const Property backfill_rows[] = {
    { "Nominal", "t", property_number, offsetof(StoreBackfilled, nominal), 0 },
    { "Outcome", "s", backfill_outcome, 0, 0 },
    { "Run", "t", property_number, offsetof(StoreBackfilled, run), 0 },
};
static const PropertyTable backfill_properties = PROPERTY_TABLE(backfill_rows);

static int backfill_fill(const Request *q, sd_bus_message *reply, const void *found)
{
    const GArray *times = found;
    int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

    for (guint i = 0; r >= 0 && i < times->len; i++)
        r = property_append_dict(
            reply, &backfill_properties, &g_array_index(times, StoreBackfilled, i), true);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void on_backfilled(int r, const GArray *times, const Error *error, void *userdata)
{
    request_answer_filled(userdata, r, error, backfill_fill, times);
}

int backfill_methods_ask(Request *q, Error *error)
{
    ManagerBackfill given = { 0 };
    Options o = { 0 };
    int r = request_read_label(q, 0, &given.task, error);

    if (r >= 0)
        r = request_read_label(q, 1, &given.schedule, error);
    if (r < 0)
        return r;
    r = sd_bus_message_read(q->message, "tt", &given.from, &given.until);
    if (r < 0)
        return message_read_failed(r, error);
    r = message_read_dict(q->message, options, G_N_ELEMENTS(options), "option", &o, error);
    if (r < 0)
        return r;
    if (MAX(given.from, given.until) > INT64_MAX)
        return error_set(error, ERROR_INVALID_ARGUMENT, "An instant is less than 2^63 microseconds.");
    given.dry = o.dry != 0;
    return manager_backfill(q->manager, &q->caller, &given, on_backfilled, q, error);
}
