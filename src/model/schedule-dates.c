/* Keys of [Schedule] that speak of instants: bounds, single ones, and recurrence rules, which count from one. */
#include <string.h>

#include "model/schedule.h"
#include "model/task-internal.h"
#include "model/timespec.h"
#include "model/words.h"

#define SCHEDULE_RULES_MAX 64
#define SCHEDULE_DAY_USEC  (INT64_C(24) * 3600 * (int64_t)USEC_PER_SEC)

/* --- kept --- */

static void schedule_dates_forget(TaskParser *p, const char *key)
{
    for (guint i = p->later->len; i > 0; i--) {
        const TaskLater *l = &g_array_index(p->later, TaskLater, i - 1);

        if (l->schedule == p->schedule && g_str_equal(l->item->key, key))
            g_array_remove_index(p->later, i - 1);
    }
}

void schedule_dates_set(TaskParser *p, const TaskFileItem *item, void *field)
{
    TaskLater later = { p->schedule, item };

    if (item->value[0])
        g_array_append_val(p->later, later);
    else
        schedule_dates_forget(p, item->key);
}

void schedule_dates_set_single(TaskParser *p, const TaskFileItem *item, void *field)
{
    schedule_dates_forget(p, item->key);
    schedule_dates_set(p, item, field);
}

/* --- read --- */

static const Zone *schedule_dates_zone(const Schedule *s)
{
    return s->zone ? s->zone : zone_local();
}

/* An instant of a definition means the same whenever it is read: no "tomorrow". */
static bool schedule_dates_read_part(TaskParser *p, const Schedule *s, const TaskFileItem *item,
    const char *text, unsigned offset, TimespecMoment *ret)
{
    g_autofree char *shown = NULL;
    uint64_t some;
    int r = timespec_parse_moment(text, schedule_dates_zone(s), ret);

    if (r >= 0)
        return true;
    shown = words_show(text);
    if (r == -ERANGE)
        task_parser_value_fault(p, item, offset, "%s is out of range", shown);
    else if (timespec_eval(text, USEC_PER_SEC * 1000000000, &some) >= 0)
        task_parser_value_fault(p, item, offset,
            "%s depends on when it is read; a date is needed, like '2030-01-31 06:00'", shown);
    else
        task_parser_value_fault(p, item, offset, "%s is no instant, like '2030-01-31 06:00 UTC'", shown);
    return false;
}

static bool schedule_dates_read_moment(
    TaskParser *p, const Schedule *s, const TaskFileItem *item, TimespecMoment *ret)
{
    return schedule_dates_read_part(p, s, item, item->value, 0, ret);
}

static void schedule_dates_read_from(TaskParser *p, Schedule *s, const TaskFileItem *item)
{
    TimespecMoment m;

    if (schedule_dates_read_moment(p, s, item, &m))
        s->from_usec = m.usec;
}

/* To the end of the day where a date stands there alone. */
static void schedule_dates_read_until(TaskParser *p, Schedule *s, const TaskFileItem *item)
{
    TimespecMoment m;

    if (!schedule_dates_read_moment(p, s, item, &m))
        return;
    if (m.whole_day)
        m.usec = calendar_instant(m.local + SCHEDULE_DAY_USEC, schedule_dates_zone(s)) - 1;
    s->until_usec = m.usec;
    if (m.usec == 0 || m.usec < s->from_usec)
        task_parser_value_fault(p, item, 0, "is before From=, which leaves nothing");
}

static int64_t schedule_dates_moment(const void *moments, int64_t from)
{
    return calendar_next_listed(moments, from);
}

/* The clock of the schedule shows it once, never, or twice. */
static void schedule_dates_keep_at(Schedule *s, const TimespecMoment *m)
{
    g_autoptr(GArray) only = g_array_new(false, false, sizeof(int64_t));
    const Zone *zone = schedule_dates_zone(s);
    ClockChange change;
    uint64_t at;

    g_array_append_val(only, m->local);
    if (m->zoned || !clock_change_at(schedule_dates_moment, only, zone, m->usec, &change)) {
        g_array_append_val(s->at, m->usec);
        return;
    }
    if (!s->at_changes)
        s->at_changes = g_array_new(false, false, sizeof(int64_t));
    g_array_append_val(s->at_changes, m->local);
    for (at = m->usec - 1; (at = calendar_next_of(schedule_dates_moment, only, false, zone, s->gap, s->fold,
                                at)) != USEC_INFINITY;)
        g_array_append_val(s->at, at);
}

static void schedule_dates_read_at(TaskParser *p, Schedule *s, const TaskFileItem *item)
{
    TimespecMoment m;

    if (schedule_dates_read_moment(p, s, item, &m))
        schedule_dates_keep_at(s, &m);
}

/* RDate= and ExDate= are lists, as in iCalendar. */
static void schedule_dates_read_list(
    TaskParser *p, Schedule *s, const TaskFileItem *item, void (*keep)(Schedule *s, const TimespecMoment *m))
{
    g_auto(GStrv) parts = g_strsplit(item->value, ",", -1);
    glong offset = 0;

    for (char **part = parts; *part; part++) {
        const char *text = *part + strspn(*part, " \t");
        TimespecMoment m;

        if (schedule_dates_read_part(
                p, s, item, text, (unsigned)(offset + g_utf8_pointer_to_offset(*part, text)), &m))
            keep(s, &m);
        offset += g_utf8_strlen(*part, -1) + 1;
    }
}

static void schedule_dates_keep_date(Schedule *s, const TimespecMoment *m)
{
    if (!s->dates)
        s->dates = g_array_new(false, false, sizeof(int64_t));
    g_array_append_val(s->dates, m->local);
}

static void schedule_dates_read_dates(TaskParser *p, Schedule *s, const TaskFileItem *item)
{
    schedule_dates_read_list(p, s, item, schedule_dates_keep_date);
}

static void schedule_dates_keep_excluded(Schedule *s, const TimespecMoment *m)
{
    ScheduleExcluded e = { m->local, m->local + (m->whole_day ? SCHEDULE_DAY_USEC - 1 : 0) };

    if (!s->excluded)
        s->excluded = g_array_new(false, false, sizeof(ScheduleExcluded));
    g_array_append_val(s->excluded, e);
}

static void schedule_dates_read_excluded(TaskParser *p, Schedule *s, const TaskFileItem *item)
{
    schedule_dates_read_list(p, s, item, schedule_dates_keep_excluded);
}

/* Its start is what the clock shows at From=, so that it stays there when the system's zone is another. */
static void schedule_dates_read_rule(TaskParser *p, Schedule *s, const TaskFileItem *item)
{
    g_auto(CalendarFault) fault = { 0 };
    g_auto(Recurrence) rule = { 0 };
    g_autofree char *scope = g_strconcat("Schedule ", s->name, NULL);
    const TaskFileItem *from = task_parser_where(p, scope, "From");
    TimespecMoment m;

    if (recurrence_parse(item->value, &rule, &fault) < 0) {
        task_parser_value_fault(p, item, fault.offset, "%s", fault.message);
        return;
    }
    if (!from)
        task_parser_key_fault(p, item, "needs From=, the first time that it can be");
    if (!from || from->damaged || timespec_parse_moment(from->value, schedule_dates_zone(s), &m) < 0)
        return;
    recurrence_begin(&rule, m.local);
    if (recurrence_next(&rule, 0) == RECURRENCE_NEVER)
        task_parser_value_fault(p, item, 0, "never elapses: there is no such time from From= on");
    else if (s->rules && s->rules->len >= SCHEDULE_RULES_MAX)
        task_parser_key_fault(p, item, "a schedule has %d rules at most", SCHEDULE_RULES_MAX);
    else {
        if (!s->rules)
            s->rules = g_ptr_array_new_with_free_func((GDestroyNotify)schedule_rule_free);
        g_ptr_array_add(s->rules, g_memdup2(&rule, sizeof rule));
        rule = (Recurrence){ 0 };
    }
}

/* --- in order --- */

static gint schedule_dates_compare(gconstpointer a, gconstpointer b)
{
    const int64_t *x = a, *y = b; /* what is excluded begins with one, and instants are no larger */

    return *x < *y ? -1 : *x > *y;
}

/* Ascending, and one slot for an instant however often it is named. */
static void schedule_dates_sort(GArray *list)
{
    guint kept = 0;

    g_array_sort(list, schedule_dates_compare);
    for (guint i = 0; i < list->len; i++)
        if (i == 0 || g_array_index(list, int64_t, i) != g_array_index(list, int64_t, kept - 1))
            g_array_index(list, int64_t, kept++) = g_array_index(list, int64_t, i);
    g_array_set_size(list, kept);
}

/* Those that touch are one, so that none is within another. */
static void schedule_dates_join(GArray *list)
{
    guint kept = 0;

    g_array_sort(list, schedule_dates_compare);
    for (guint i = 0; i < list->len; i++) {
        const ScheduleExcluded *e = &g_array_index(list, ScheduleExcluded, i);
        ScheduleExcluded *before = kept > 0 ? &g_array_index(list, ScheduleExcluded, kept - 1) : NULL;

        if (before && e->from <= before->to)
            before->to = MAX(before->to, e->to);
        else
            g_array_index(list, ScheduleExcluded, kept++) = *e;
    }
    g_array_set_size(list, kept);
}

void schedule_dates_read(TaskParser *p, Schedule *s, const char *scope)
{
    static const struct {
        const char *key;
        void (*take)(TaskParser *p, Schedule *s, const TaskFileItem *item);
    } readers[] = {
        { "From", schedule_dates_read_from },
        { "Until", schedule_dates_read_until },
        { "At", schedule_dates_read_at },
        { "RDate", schedule_dates_read_dates },
        { "ExDate", schedule_dates_read_excluded },
        { "RRule", schedule_dates_read_rule },
    };

    ARRAY_FOREACH (reader, readers)
        for (guint i = 0; i < p->later->len; i++) {
            const TaskLater *l = &g_array_index(p->later, TaskLater, i);

            if (l->schedule == s && g_str_equal(l->item->key, reader->key))
                reader->take(p, s, l->item);
        }
    schedule_dates_sort(s->at);
    if (s->at_changes)
        schedule_dates_sort(s->at_changes);
    if (s->dates)
        schedule_dates_sort(s->dates);
    if (s->excluded)
        schedule_dates_join(s->excluded);
}

/* What several keys say together is a fault of the last of them; OnCalendar= alone is taken as systemd takes it. */
static void schedule_dates_check_seconds(TaskParser *p, const Schedule *s, const char *scope)
{
    static const char *const keys[] = { "Cron", "RRule" };
    const TaskFileItem *last = NULL;

    if (s->every_second || !schedule_is_secondly(s))
        return;
    ARRAY_FOREACH (key, keys) {
        const TaskFileItem *item = task_parser_where(p, scope, *key);

        if (item && (!last || item->line > last->line))
            last = item;
    }
    if (last)
        task_parser_key_fault(p, last, "fires every second: AllowEverySecond=yes says that this is meant");
}

void schedule_dates_check(TaskParser *p, const Schedule *s, const char *scope)
{
    static const char *const keys[] = { "Until", "ExDate", "DST", "From" };
    bool recurs = s->rules || s->dates || s->at_changes,
         any = s->every_usec > 0 || s->at->len > 0 || s->calendars || recurs;
    bool bounded =
        s->from_usec > 0 || s->until_usec > 0 || s->excluded || (recurs && s->gap == CALENDAR_GAP_SKIP);

    schedule_dates_check_seconds(p, s, scope);
    if (!any || !bounded || s->from_finish || (s->until_usec > 0 && s->until_usec < s->from_usec) ||
        schedule_next(s, 0) != USEC_INFINITY)
        return;
    ARRAY_FOREACH (key, keys) {
        const TaskFileItem *item = task_parser_where(p, scope, *key);

        /* What DST= leaves of each calendar was said already. */
        if (item && !(s->calendars && g_str_equal(*key, "DST"))) {
            task_parser_key_fault(p, item, "never elapses: of what the schedule says, nothing is left");
            return;
        }
    }
}
