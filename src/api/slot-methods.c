/* Slots: the ledger, page by page, and single ones that are skipped by hand. An entry is small and bounded, so a page is
 * limited by their number alone. */
#include "api/slot-methods.h"

#include <string.h>

#include "api/message.h"
#include "api/property.h"
#include "api/task-methods.h"
#include "model/slots.h"

#define PAGE_MAX 1000

typedef struct SlotPage {
    StoreSlotFilter filter;
    char *task, *schedule, *outcome, *cause;
    char *cursor; /* in pieces */
} SlotPage;

static void slot_page_free(void *userdata)
{
    SlotPage *p = userdata;

    g_free(p->task);
    g_free(p->schedule);
    g_free(p->outcome);
    g_free(p->cause);
    g_free(p->cursor);
    g_free(p);
}

static int filter_outcome(sd_bus_message *m, void *into, Error *error)
{
    const char *text;
    int r = sd_bus_message_read(m, "s", &text);

    if (r < 0)
        return r;
    if (!g_str_equal(text, "fired") && !g_str_equal(text, "skipped"))
        return message_refuse(
            error, ERROR_INVALID_ARGUMENT, "", text, " is no outcome: \"fired\" or \"skipped\".");
    *(char **)into = g_strdup(text);
    return 0;
}

static int filter_cause(sd_bus_message *m, void *into, Error *error)
{
    const char *text;
    int r = sd_bus_message_read(m, "s", &text);

    if (r < 0)
        return r;
    if (slot_cause_from_string(text) <= SLOT_NO_CAUSE)
        return message_refuse(
            error, ERROR_INVALID_ARGUMENT, "", text, " is no cause of a slot that was skipped.");
    *(char **)into = g_strdup(text);
    return 0;
}

static const MessageEntry filters[] = {
    { "task", "s", message_entry_string, offsetof(SlotPage, task) },
    { "schedule", "s", message_entry_string, offsetof(SlotPage, schedule) },
    { "outcome", "s", filter_outcome, offsetof(SlotPage, outcome) },
    { "cause", "s", filter_cause, offsetof(SlotPage, cause) },
    { "since", "t", message_entry_time, offsetof(SlotPage, filter.since) },
    { "until", "t", message_entry_time, offsetof(SlotPage, filter.until) },
};

/* The cursor is the last entry, "NOMINAL/TASK/SCHEDULE": no name has a slash. */
static int slot_page_read_cursor(SlotPage *p, sd_bus_message *m, Error *error)
{
    const char *cursor;
    char *task, *schedule = NULL;
    int r = message_read_page(m, PAGE_MAX, &cursor, &p->filter.limit, error);

    if (r < 0 || !*cursor)
        return r;
    p->cursor = g_strdup(cursor);
    task = strchr(p->cursor, '/');
    if (task) {
        *task++ = 0;
        schedule = strchr(task, '/');
    }
    if (schedule)
        *schedule++ = 0;
    if (!schedule || !g_ascii_string_to_unsigned(p->cursor, 10, 1, INT64_MAX, &p->filter.before, NULL) ||
        !task_name_is_valid(task) || !task_name_is_valid(schedule))
        return message_refuse(error, ERROR_INVALID_ARGUMENT, "", cursor, " is no cursor of this list.");
    p->filter.before_task = task;
    p->filter.before_schedule = schedule;
    return 0;
}

/* Of what is asked for ahead of its time nothing is late. */
static int slot_late(sd_bus_message *m, const void *record, size_t offset)
{
    const StoreSlot *s = record;

    return sd_bus_message_append(m, "t", s->at > s->nominal ? s->at - s->nominal : 0);
}

static const Property slot_rows[] = {
    { "Task", "s", property_string, offsetof(StoreSlot, task), 0 },
    { "Schedule", "s", property_string, offsetof(StoreSlot, schedule), 0 },
    { "Nominal", "t", property_number, offsetof(StoreSlot, nominal), 0 },
    { "First", "t", property_number, offsetof(StoreSlot, first), 0 },
    { "Count", "t", property_number, offsetof(StoreSlot, count), 0 },
    { "Outcome", "s", property_string, offsetof(StoreSlot, outcome), 0 },
    { "Cause", "s", property_string, offsetof(StoreSlot, cause), 0 },
    { "Reason", "s", property_string, offsetof(StoreSlot, reason), 0 },
    { "Run", "t", property_number, offsetof(StoreSlot, run), 0 },
    { "At", "t", property_number, offsetof(StoreSlot, at), 0 },
    { "LateUSec", "t", slot_late, 0, 0 },
    { "Backfilled", "t", property_number, offsetof(StoreSlot, backfilled), 0 },
};
static const PropertyTable slot_properties = PROPERTY_TABLE(slot_rows);

static int slot_page_fill(const Request *q, sd_bus_message *reply, const void *found)
{
    const SlotPage *p = q->data;
    const GPtrArray *slots = found;
    g_autofree char *next = NULL;
    int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

    for (guint i = 0; r >= 0 && i < slots->len; i++)
        r = property_append_dict(reply, &slot_properties, g_ptr_array_index(slots, i), true);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    if (slots->len == p->filter.limit) {
        const StoreSlot *last = g_ptr_array_index(slots, slots->len - 1);

        next = g_strdup_printf("%" G_GUINT64_FORMAT "/%s/%s", last->nominal, last->task, last->schedule);
    }
    return r < 0 ? r : sd_bus_message_append(reply, "s", util_strempty(next));
}

/* Nothing in the ledger, and nothing defined. */
static void on_known(int r, GPtrArray *slots, const Error *error, void *userdata)
{
    Request *q = userdata;
    const SlotPage *p = q->data;
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    g_auto(Error) unknown = { 0 };

    if (r >= 0 && slots->len == 0) {
        r = task_methods_check(q, p->task, p->schedule, &unknown);
        error = &unknown;
    }
    request_answer_filled(q, r, error, slot_page_fill, none);
}

/* A task that was deleted has its ledger still: one of which nothing was found is known if there is anything in there. */
static void on_slots(int r, GPtrArray *slots, const Error *error, void *userdata)
{
    Request *q = userdata;
    const SlotPage *p = q->data;
    const StoreSlotFilter any = { .task = p->task, .schedule = p->schedule, .limit = 1 };
    g_auto(Error) own = { 0 };

    if (r < 0 || slots->len > 0 || p->cursor || task_methods_check(q, p->task, p->schedule, NULL) >= 0) {
        request_answer_filled(q, r, error, slot_page_fill, slots);
        return;
    }
    r = manager_list_slots(q->manager, &any, on_known, q, &own);
    if (r < 0)
        request_answer_error(q, r, &own);
}

int slot_methods_list(Request *q, Error *error)
{
    SlotPage *p = g_new0(SlotPage, 1);
    int r;

    q->data = p;
    q->free_data = slot_page_free;
    r = message_read_dict(q->message, filters, G_N_ELEMENTS(filters), "filter", p, error);
    if (r >= 0)
        r = slot_page_read_cursor(p, q->message, error);
    if (r < 0)
        return r;
    p->filter.task = p->task;
    p->filter.schedule = p->schedule;
    p->filter.outcome = p->outcome;
    p->filter.cause = p->cause;
    return manager_list_slots(q->manager, &p->filter, on_slots, q, error);
}

/* --- by hand --- */

static void on_by_hand(int r, const Error *error, void *userdata)
{
    if (r < 0)
        request_answer_error(userdata, r, error);
    else
        request_answer(userdata, "");
}

static int slot_methods_by_hand(Request *q, bool skip, Error *error)
{
    ManagerByHand given = { .skip = skip };
    int r = request_read_label(q, 0, &given.task, error);

    if (r >= 0)
        r = request_read_label(q, 1, &given.schedule, error);
    if (r < 0)
        return r;
    r = sd_bus_message_read(q->message, "t", &given.nominal);
    if (r < 0)
        return message_read_failed(r, error);
    if (given.nominal > INT64_MAX)
        return error_set(error, ERROR_INVALID_ARGUMENT, "An instant is less than 2^63 microseconds.");
    return manager_by_hand(q->manager, &q->caller, &given, on_by_hand, q, error);
}

int slot_methods_skip(Request *q, Error *error)
{
    return slot_methods_by_hand(q, true, error);
}

int slot_methods_unskip(Request *q, Error *error)
{
    return slot_methods_by_hand(q, false, error);
}
