/* Keys of [Schedule] that name calendars, and what these do to its slots. */
#include <string.h>

#include "model/almanac.h"
#include "model/schedule.h"
#include "model/task-internal.h"
#include "model/words.h"

#define WINDOW_MOVED_MAX 31     /* days, by which a slot is moved at most */
#define WINDOW_MOVES     10000u /* days that a search for those may look at */
#define WINDOW_CERTAIN                                                                                       \
    3000000u /* what it may cost to know that there is nothing: three looks at each day there is, with a dozen almanacs */

static const Zone *schedule_own_zone(const Schedule *s)
{
    return s->zone ? s->zone : zone_local();
}

/* --- keys --- */

static void schedule_keys_add_window(TaskParser *p, const TaskFileItem *item, Almanac **window, bool never)
{
    g_autoptr(GPtrArray) words = NULL;
    unsigned offset;

    if (!*window)
        *window = almanac_new("");
    if (words_split(item->value, &words, &offset) < 0) {
        task_parser_value_fault(p, item, offset, "a quote that is not closed");
        return;
    }
    if (words->len == 0)
        g_ptr_array_set_size(never ? (*window)->excludes : (*window)->includes, 0);
    for (guint i = 0; i < words->len; i++) {
        const Word *w = g_ptr_array_index(words, i);
        g_autofree char *reason = NULL;
        const Almanac *a = almanac_set_find(p->task->calendars, w->text, NULL, &reason);

        if (!a)
            task_parser_value_fault(p, item, w->offset, "%s", reason);
        else if (!almanac_add(*window, never, a))
            task_parser_value_fault(p, item, w->offset, "too many calendars are in each other");
    }
    if ((*window)->includes->len == 0 && (*window)->excludes->len == 0)
        g_clear_pointer(window, almanac_free);
}

void schedule_keys_set_within(TaskParser *p, const TaskFileItem *item, void *field)
{
    schedule_keys_add_window(p, item, field, false);
}

void schedule_keys_set_never(TaskParser *p, const TaskFileItem *item, void *field)
{
    schedule_keys_add_window(p, item, field, true);
}

void schedule_keys_set_on_excluded(TaskParser *p, const TaskFileItem *item, void *field)
{
    static const char *const words[_ON_EXCLUDED_MAX] = {
        [ON_EXCLUDED_SKIP] = "skip",
        [ON_EXCLUDED_NEXT] = "next",
        [ON_EXCLUDED_PREVIOUS] = "previous",
    };
    OnExcluded *into = field;

    *into = ON_EXCLUDED_SKIP;
    if (!item->value[0])
        return;
    for (unsigned i = 0; i < _ON_EXCLUDED_MAX; i++)
        if (g_str_equal(words[i], item->value)) {
            *into = (OnExcluded)i;
            return;
        }
    task_parser_value_fault(p, item, 0, "has to be 'skip', 'next' or 'previous'");
}

void schedule_keys_check_window(
    TaskParser *p, const Schedule *s, const char *scope, const TaskFileItem *header)
{
    const TaskFileItem *item = task_parser_where(p, scope, "Calendar");
    bool never;

    if (!item)
        item = task_parser_where(p, scope, "NotCalendar");
    if (!s->window || !item || schedule_next(s, 0) == USEC_INFINITY)
        return;
    if (almanac_is_void(s->window, schedule_own_zone(s)) ||
        (schedule_next_within(s, 0, &never) == USEC_INFINITY && never))
        task_parser_key_fault(p, item, "never elapses: no time of this schedule is within");
}

static void schedule_keys_exclude(TaskParser *p, Schedule *s, const Almanac *a, const TaskFileItem *header)
{
    if (!s->window)
        s->window = almanac_new("");
    if (!almanac_add(s->window, true, a))
        diag_add(p->diags, header->file, header->line, header->column, header->key,
            "too many calendars are in each other");
}

void schedule_keys_join_window(TaskParser *p, Schedule *s, const TaskFileItem *header)
{
    const Task *t = p->task;
    const Almanac *maintenance = NULL;

    for (guint i = 0; t->window && i < t->window->excludes->len; i++)
        schedule_keys_exclude(p, s, g_ptr_array_index(t->window->excludes, i), header);
    /* Where it is not valid, nobody is kept from firing. */
    if (!s->in_maintenance && almanac_set_has(t->calendars, ALMANAC_MAINTENANCE))
        maintenance = almanac_set_find(t->calendars, ALMANAC_MAINTENANCE, NULL, NULL);
    if (maintenance)
        schedule_keys_exclude(p, s, maintenance, header);
}

/* --- the window --- */

bool schedule_has(const Schedule *s, uint64_t at, uint64_t *ret_until)
{
    *ret_until = USEC_INFINITY;
    return !s->window || almanac_has(s->window, schedule_own_zone(s), at, ret_until);
}

uint64_t schedule_same_until(const Schedule *s, uint64_t at)
{
    unsigned looks = ALMANAC_LOOKS;
    uint64_t until;
    bool within = schedule_has(s, at, &until);

    (void)almanac_next(s->window, schedule_own_zone(s), at, !within, &looks, &until);
    return until;
}

uint64_t schedule_window_end(const Schedule *s, uint64_t from, uint64_t now)
{
    uint64_t end = from, until;

    while (end <= MAX(now, from) && schedule_has(s, end, &until))
        end = s->window ? schedule_same_until(s, end) : USEC_INFINITY;
    return end;
}

uint64_t schedule_next_within(const Schedule *s, uint64_t after, bool *ret_never)
{
    unsigned looks = ret_never ? WINDOW_CERTAIN : ALMANAC_LOOKS;
    uint64_t next = schedule_next(s, after), open = USEC_INFINITY;

    if (!s->window)
        return next;
    while (next != USEC_INFINITY) {
        bool found = almanac_next(s->window, schedule_own_zone(s), next, true, &looks, &open);

        if (found && open == next)
            return next;
        next = found ? schedule_next(s, open - 1) : USEC_INFINITY;
    }
    if (ret_never)
        *ret_never = open == USEC_INFINITY || looks >= s->window->weight;
    return USEC_INFINITY;
}

/* --- slots that are moved --- */

/* Days of which the slots come on one: itself, and those that are not in the window at all next to it. */
typedef struct WindowDays {
    int64_t first, last, target;
} WindowDays;

static bool window_has_day(const Schedule *s, int64_t day)
{
    return almanac_has_day(s->window, schedule_own_zone(s), day);
}

/* How many days next to that one, in this direction, are not in it. */
static int64_t window_closed_days(const Schedule *s, int64_t day, int direction)
{
    int64_t n = 0;

    while (n < WINDOW_MOVED_MAX && day + direction * (n + 1) >= 0 &&
           !window_has_day(s, day + direction * (n + 1)))
        n++;
    return n;
}

/* Of the slots of a day: those that cannot be moved stay where they are. */
static WindowDays window_days(const Schedule *s, int64_t day)
{
    int direction = s->on_excluded == ON_EXCLUDED_NEXT ? 1 : -1;
    WindowDays d = { day, day, day };
    int64_t n;

    if (!window_has_day(s, day)) {
        n = window_closed_days(s, day, direction) + 1;
        if (n > WINDOW_MOVED_MAX || day + direction * n < 0)
            return d;
        d.target = day + direction * n;
    }
    n = window_closed_days(s, d.target, -direction);
    d.first = direction > 0 ? d.target - n : d.target;
    d.last = direction > 0 ? d.target : d.target + n;
    return d;
}

/* The first slot of a day that comes after `after` when it is moved so many days. Where the clock is set, several may come at one
 * instant. */
static uint64_t window_find(const Schedule *s, int64_t day, int64_t days, uint64_t after)
{
    const Zone *zone = schedule_own_zone(s);
    int64_t delta = days * ALMANAC_DAY_USEC, begin = day * ALMANAC_DAY_USEC, local;
    uint64_t from = calendar_instant(MAX(calendar_show(after, zone) - delta, begin), zone), next;

    for (next = schedule_next_unbounded(s, from > 0 ? from - 1 : 0); next != USEC_INFINITY;
         next = schedule_next_unbounded(s, next)) {
        uint64_t moved;

        local = calendar_show(next, zone);
        if (local >= begin + ALMANAC_DAY_USEC)
            break;
        if (local < begin)
            continue;
        moved = days == 0 ? next : calendar_instant(local + delta, zone);
        if (moved > after)
            return moved;
    }
    return USEC_INFINITY;
}

uint64_t schedule_next_moved(const Schedule *s, uint64_t after)
{
    const Zone *zone = schedule_own_zone(s);
    int64_t day = calendar_show(after, zone) / ALMANAC_DAY_USEC;

    for (unsigned looks = WINDOW_MOVES / s->window->weight; looks > 0; looks--) {
        WindowDays d = window_days(s, MAX(day, 0));
        uint64_t found = USEC_INFINITY, next;

        for (int64_t source = d.first; source <= d.last; source++)
            found = MIN(found, window_find(s, source, d.target - source, after));
        if (found != USEC_INFINITY)
            return found;
        next = schedule_next_unbounded(s, calendar_instant((d.last + 1) * ALMANAC_DAY_USEC, zone) - 1);
        if (next == USEC_INFINITY)
            return USEC_INFINITY;
        day = calendar_show(next, zone) / ALMANAC_DAY_USEC;
    }
    return USEC_INFINITY;
}
