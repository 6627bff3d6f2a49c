/* What is to be done with schedules, soonest first: a binary heap, in which each knows its place. */
#include "core/internal.h"

typedef struct AgendaItem {
    uint64_t moment;
    ScheduleEntry *schedule; /* borrowed */
} AgendaItem;

struct Agenda {
    GArray *items; /* of AgendaItem; those of i stand at 2i + 1 and 2i + 2 */
};

Agenda *agenda_new(void)
{
    Agenda *a = g_new0(Agenda, 1);

    a->items = g_array_new(FALSE, FALSE, sizeof(AgendaItem));
    return a;
}

void agenda_free(Agenda *a)
{
    if (!a)
        return;
    g_array_unref(a->items);
    g_free(a);
}

static AgendaItem *agenda_at(const Agenda *a, guint i)
{
    return &g_array_index(a->items, AgendaItem, i);
}

/* At one moment in the order of names: whoever looks at what was done finds the same each time. */
static bool agenda_before(const AgendaItem *x, const AgendaItem *y)
{
    int order;

    if (x->moment != y->moment)
        return x->moment < y->moment;
    order = strcmp(x->schedule->entry->task->name, y->schedule->entry->task->name);
    return (order != 0 ? order : strcmp(x->schedule->schedule->name, y->schedule->schedule->name)) < 0;
}

static void agenda_set(Agenda *a, guint i, const AgendaItem *item)
{
    *agenda_at(a, i) = *item;
    item->schedule->place = i + 1;
}

/* Item belongs to i, or nearer to the root. */
static void agenda_rise(Agenda *a, guint i, AgendaItem item)
{
    while (i > 0 && agenda_before(&item, agenda_at(a, (i - 1) / 2))) {
        agenda_set(a, i, agenda_at(a, (i - 1) / 2));
        i = (i - 1) / 2;
    }
    agenda_set(a, i, &item);
}

/* Item belongs to i, or farther from the root. */
static void agenda_sink(Agenda *a, guint i, AgendaItem item)
{
    guint child;

    while ((child = 2 * i + 1) < a->items->len) {
        if (child + 1 < a->items->len && agenda_before(agenda_at(a, child + 1), agenda_at(a, child)))
            child++;
        if (!agenda_before(agenda_at(a, child), &item))
            break;
        agenda_set(a, i, agenda_at(a, child));
        i = child;
    }
    agenda_set(a, i, &item);
}

static void agenda_settle(Agenda *a, guint i, AgendaItem item)
{
    if (i > 0 && agenda_before(&item, agenda_at(a, (i - 1) / 2)))
        agenda_rise(a, i, item);
    else
        agenda_sink(a, i, item);
}

void agenda_put(Agenda *a, ScheduleEntry *se, uint64_t moment)
{
    AgendaItem item = { moment, se };

    if (se->place == 0) {
        g_array_append_val(a->items, item);
        agenda_rise(a, a->items->len - 1, item);
    } else {
        agenda_settle(a, se->place - 1, item);
    }
}

void agenda_remove(Agenda *a, ScheduleEntry *se)
{
    guint i = se->place - 1;
    AgendaItem last;

    if (se->place == 0)
        return;
    se->place = 0;
    last = *agenda_at(a, a->items->len - 1);
    g_array_set_size(a->items, a->items->len - 1);
    if (last.schedule != se)
        agenda_settle(a, i, last);
}

ScheduleEntry *agenda_first(const Agenda *a, uint64_t *ret_moment)
{
    if (a->items->len == 0)
        return NULL;
    *ret_moment = agenda_at(a, 0)->moment;
    return agenda_at(a, 0)->schedule;
}
