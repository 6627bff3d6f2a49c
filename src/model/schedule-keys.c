/* Keys of [Schedule] that speak of calendars. */
#include <string.h>

#include "model/cron.h"
#include "model/schedule.h"
#include "model/task-internal.h"
#include "model/words.h"

#define SCHEDULE_CALENDARS_MAX 64
#define SCHEDULE_JITTER_MAX    (366 * 24 * 3600 * USEC_PER_SEC)
#define SCHEDULE_DISTANCE_USEC (100 * USEC_PER_MSEC) /* as for Every= */

typedef int (*ScheduleRead)(TaskParser *p, const char *text, ScheduleCalendar *ret, CalendarFault *fault);

static int schedule_keys_read_calendar(
    TaskParser *p, const char *text, ScheduleCalendar *ret, CalendarFault *fault)
{
    g_auto(CalendarExpression) e = { 0 };
    int r = calendar_expression_parse(text, &e, fault);

    if (r < 0)
        return r;
    calendar_expression_compile(&e, &ret->calendar);
    ret->zone = e.zone;
    return 0;
}

/* What "~" draws is the schedule's own, and stays. */
static int schedule_keys_read_cron(
    TaskParser *p, const char *text, ScheduleCalendar *ret, CalendarFault *fault)
{
    g_autofree char *salt = g_strconcat(p->task->name, "/", p->schedule->name, NULL);

    ret->cron = true;
    ret->drawn = strchr(text, '~') != NULL;
    return cron_parse(text, salt, &ret->calendar, fault);
}

static bool schedule_keys_compile(
    TaskParser *p, const TaskFileItem *item, ScheduleRead reader, ScheduleCalendar *ret)
{
    g_auto(CalendarFault) fault = { 0 };

    if (reader(p, item->value, ret, &fault) < 0) {
        task_parser_value_fault(p, item, fault.offset, "%s", fault.message);
        return false;
    }
    if (calendar_next_local(&ret->calendar, 0) == CALENDAR_NEVER)
        task_parser_value_fault(p, item, 0, "never elapses: there is no such day");
    else if (calendar_distance(&ret->calendar) < SCHEDULE_DISTANCE_USEC)
        task_parser_value_fault(p, item, 0, "elapses more often than every 100 ms");
    else
        return true;
    calendar_clear(&ret->calendar);
    return false;
}

/* An empty value takes back those of its own key. */
static void schedule_keys_reset(GPtrArray *list, bool cron)
{
    for (guint i = list ? list->len : 0; i > 0; i--)
        if (((ScheduleCalendar *)g_ptr_array_index(list, i - 1))->cron == cron)
            g_ptr_array_remove_index(list, i - 1);
}

static void schedule_keys_add(TaskParser *p, const TaskFileItem *item, GPtrArray **list, ScheduleRead reader)
{
    ScheduleCalendar c = { .zone = NULL };

    if (!item->value[0]) {
        schedule_keys_reset(*list, reader == schedule_keys_read_cron);
        return;
    }
    if (*list && (*list)->len >= SCHEDULE_CALENDARS_MAX) {
        task_parser_key_fault(p, item, "a schedule has %d calendars at most", SCHEDULE_CALENDARS_MAX);
        return;
    }
    if (!schedule_keys_compile(p, item, reader, &c))
        return;
    if (!*list)
        *list = g_ptr_array_new_with_free_func((GDestroyNotify)schedule_calendar_free);
    g_ptr_array_add(*list, g_memdup2(&c, sizeof c));
}

void schedule_keys_set_calendar(TaskParser *p, const TaskFileItem *item, void *field)
{
    schedule_keys_add(p, item, field, schedule_keys_read_calendar);
}

void schedule_keys_set_cron(TaskParser *p, const TaskFileItem *item, void *field)
{
    if (!follow_set_boot_key(p, item))
        schedule_keys_add(p, item, field, schedule_keys_read_cron);
}

void schedule_keys_set_flag(TaskParser *p, const TaskFileItem *item, void *field)
{
    g_autofree char *shown = NULL;

    *(bool *)field = false;
    if (!item->value[0] || words_parse_boolean(item->value, field) >= 0)
        return;
    shown = words_show(item->value);
    task_parser_value_fault(p, item, 0, "%s is neither yes nor no", shown);
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

void schedule_keys_set_catch_up(TaskParser *p, const TaskFileItem *item, void *field)
{
    static const char *const words[_CATCH_UP_MAX] = {
        [CATCH_UP_NONE] = "none",
        [CATCH_UP_LAST] = "last",
        [CATCH_UP_ALL] = "all",
    };
    CatchUp *into = field;

    *into = CATCH_UP_DEFAULT;
    if (!item->value[0])
        return;
    for (unsigned i = CATCH_UP_NONE; i < _CATCH_UP_MAX; i++)
        if (g_str_equal(words[i], item->value))
            *into = (CatchUp)i;
    if (*into == CATCH_UP_DEFAULT)
        task_parser_value_fault(p, item, 0, "has to be 'none', 'last' or 'all'");
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
    Schedule *s = p->schedule; /* two fields of it */
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

static void schedule_keys_check_calendar(
    TaskParser *p, const Schedule *s, const ScheduleCalendar *c, const TaskFileItem *item)
{
    const Zone *zone = c->zone ? c->zone : s->zone;

    if (zone && calendar_next(&c->calendar, zone, s->gap, s->fold, 0) == USEC_INFINITY)
        task_parser_key_fault(
            p, item, "never elapses: %s has no such time, and it is to be skipped", zone->name);
}

/* A key that is for others, none of which is set. */
static void schedule_keys_check_use(
    TaskParser *p, const char *scope, const char *key, const char *const *users)
{
    const TaskFileItem *item = task_parser_where(p, scope, key);
    g_autofree char *names = NULL;

    if (!item)
        return;
    for (const char *const *user = users; *user; user++)
        if (task_parser_where(p, scope, *user))
            return;
    names = g_strjoinv("=, ", (char **)users);
    task_parser_key_fault(
        p, item, "is for %s=, %s set", names, users[1] ? "and none of them is" : "which is not");
}

static void schedule_keys_check_uses(TaskParser *p, const char *scope)
{
    static const struct {
        const char *key;
        const char *const users[10];
    } uses[] = {
        { "TimeZone", { "OnCalendar", "Cron", "RRule", "RDate", "At", "From", "Until", "Calendar",
                          "NotCalendar", NULL } },
        { "DST", { "OnCalendar", "Cron", "RRule", "RDate", "At", NULL } },
        { "AllowEverySecond", { "Cron", "RRule", NULL } },
        { "ExDate", { "RRule", "RDate", NULL } },
        { "FixedJitter", { "Jitter", NULL } },
        { "OnExcluded", { "Calendar", "NotCalendar", NULL } },
    };

    ARRAY_FOREACH (use, uses)
        schedule_keys_check_use(p, scope, use->key, use->users);
}

/* What Jitter= moves is to be due before it is too late. */
static void schedule_keys_check_deadline(TaskParser *p, const Schedule *s, const char *scope)
{
    const TaskFileItem *deadline = task_parser_where(p, scope, "StartDeadline");

    if (deadline && s->start_deadline_usec > 0 && s->start_deadline_usec <= s->jitter_usec)
        task_parser_value_fault(p, deadline, 0, "has to be longer than Jitter=");
}

static void schedule_keys_check_catch_up(TaskParser *p, const Schedule *s, const char *scope)
{
    const TaskFileItem *window = task_parser_where(p, scope, "CatchUpWindow");

    if (window && s->catch_up == CATCH_UP_NONE)
        task_parser_key_fault(p, window, "is of no use with CatchUp=none");
}

void schedule_keys_check(TaskParser *p, const Schedule *s, const char *scope)
{
    const TaskFileItem *calendar = task_parser_where(p, scope, "OnCalendar"),
                       *cron = task_parser_where(p, scope, "Cron"),
                       *jitter = task_parser_where(p, scope, "Jitter");

    schedule_keys_check_uses(p, scope);
    schedule_keys_check_catch_up(p, s, scope);
    schedule_keys_check_deadline(p, s, scope);
    if (jitter && s->jitter_usec > SCHEDULE_JITTER_MAX)
        task_parser_value_fault(p, jitter, 0, "has to be a year at most");
    for (guint i = 0; s->calendars && i < s->calendars->len; i++) {
        const ScheduleCalendar *c = g_ptr_array_index(s->calendars, i);
        const TaskFileItem *item = c->cron ? cron : calendar;

        if (item)
            schedule_keys_check_calendar(p, s, c, item);
    }
}
