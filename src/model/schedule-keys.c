/* Keys of [Schedule] that speak of calendars. */
#include <string.h>

#include "model/calendar-expression.h"
#include "model/schedule.h"
#include "model/task-internal.h"
#include "model/words.h"

#define SCHEDULE_CALENDARS_MAX 64
#define SCHEDULE_DISTANCE_USEC (100 * USEC_PER_MSEC) /* as for Every= */

static bool schedule_keys_compile(TaskParser *p, const TaskFileItem *item, ScheduleCalendar *ret)
{
    g_auto(CalendarExpression) e = { 0 };
    g_auto(CalendarFault) fault = { 0 };

    if (calendar_expression_parse(item->value, &e, &fault) < 0) {
        task_parser_value_fault(p, item, fault.offset, "%s", fault.message);
        return false;
    }
    calendar_expression_compile(&e, &ret->calendar);
    ret->zone = e.zone;
    if (calendar_next_local(&ret->calendar, 0) == CALENDAR_NEVER)
        task_parser_value_fault(p, item, 0, "never elapses: there is no such day");
    else if (calendar_distance(&ret->calendar) < SCHEDULE_DISTANCE_USEC)
        task_parser_value_fault(p, item, 0, "elapses more often than every 100 ms");
    else
        return true;
    calendar_clear(&ret->calendar);
    return false;
}

void schedule_keys_set_calendar(TaskParser *p, const TaskFileItem *item, void *field)
{
    GPtrArray **list = field;
    ScheduleCalendar c;

    if (!item->value[0]) {
        g_clear_pointer(list, g_ptr_array_unref);
        return;
    }
    if (*list && (*list)->len >= SCHEDULE_CALENDARS_MAX) {
        task_parser_key_fault(p, item, "a schedule has %d calendars at most", SCHEDULE_CALENDARS_MAX);
        return;
    }
    if (!schedule_keys_compile(p, item, &c))
        return;
    if (!*list)
        *list = g_ptr_array_new_with_free_func((GDestroyNotify)schedule_calendar_free);
    g_ptr_array_add(*list, g_memdup2(&c, sizeof c));
}

void schedule_keys_set_zone(TaskParser *p, const TaskFileItem *item, void *field)
{
    const Zone **zone = field;
    g_autofree char *shown = NULL;
    int r;

    *zone = NULL;
    if (!item->value[0])
        return;
    r = zone_find(item->value, zone);
    if (r >= 0)
        return;
    shown = words_show(item->value);
    task_parser_value_fault(p, item, 0,
        r == -ENOTSUP   ? "%s counts leap seconds, which no clock here does"
        : r == -EBADMSG ? "%s cannot be read: its file is damaged"
                        : "%s is no time zone of this system, like 'Europe/Berlin' or 'UTC'",
        shown);
}

/* One word for what the clock jumps over, one for what it shows twice, or one of the two. */
void schedule_keys_set_dst(TaskParser *p, const TaskFileItem *item, void *field)
{
    static const struct {
        const char *word;
        bool of_gap;
        int value;
    } choices[] = {
        { "next", true, CALENDAR_GAP_NEXT },
        { "skip", true, CALENDAR_GAP_SKIP },
        { "first", false, CALENDAR_FOLD_FIRST },
        { "last", false, CALENDAR_FOLD_LAST },
        { "both", false, CALENDAR_FOLD_BOTH },
    };
    Schedule *s = (Schedule *)((char *)field - offsetof(Schedule, gap));
    g_auto(GStrv) words = g_strsplit_set(item->value, " \t", -1);
    int chosen[2] = { -1, -1 };

    for (char **word = words; *word; word++) {
        bool known = !**word;

        ARRAY_FOREACH (c, choices)
            if (g_str_equal(c->word, *word) && chosen[c->of_gap] < 0) {
                chosen[c->of_gap] = c->value;
                known = true;
            }
        if (!known) {
            task_parser_value_fault(p, item, 0,
                "has to be 'next' or 'skip', and 'first', 'last' or 'both', or one of these words");
            return;
        }
    }
    s->gap = chosen[true] < 0 ? CALENDAR_GAP_NEXT : (CalendarGap)chosen[true];
    s->fold = chosen[false] < 0 ? CALENDAR_FOLD_FIRST : (CalendarFold)chosen[false];
}

void schedule_keys_check(TaskParser *p, const Schedule *s, const char *scope)
{
    static const char *const keys[] = { "TimeZone", "DST" };
    const TaskFileItem *calendar = task_parser_where(p, scope, "OnCalendar");

    ARRAY_FOREACH (key, keys) {
        const TaskFileItem *item = task_parser_where(p, scope, *key);

        if (item && !calendar)
            task_parser_key_fault(p, item, "is for OnCalendar=, which is not set");
    }
    for (guint i = 0; calendar && s->calendars && i < s->calendars->len; i++) {
        const ScheduleCalendar *c = g_ptr_array_index(s->calendars, i);
        const Zone *zone = c->zone ? c->zone : s->zone;

        if (zone && calendar_next(&c->calendar, zone, s->gap, s->fold, 0) == USEC_INFINITY)
            task_parser_key_fault(
                p, calendar, "never elapses: %s has no such time, and it is to be skipped", zone->name);
    }
}
