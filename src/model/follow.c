/* Every= from the end of a run. */
#include "model/follow.h"

#include "model/task-internal.h"
#include "model/timespec.h"

bool follow_is(const Schedule *s)
{
    return s->from_finish;
}

const char *follow_task(const Schedule *s, const char *task)
{
    return s->from_finish ? task : NULL;
}

Schedule *follow_copy(const Schedule *s)
{
    return follow_is(s) ? g_memdup2(s, sizeof *s) : NULL;
}

/* Where nothing has ended yet it is counted from where it begins. */
void follow_set(Schedule *copy, uint64_t since, uint64_t ended, bool under_way)
{
    if (under_way)
        copy->anchor_usec = UNSET;
    else if (ended == UNSET && copy->from_usec > since)
        copy->anchor_usec = copy->from_usec;
    else if (__builtin_add_overflow(ended == UNSET ? since : ended, copy->every_usec, &copy->anchor_usec))
        copy->anchor_usec = UNSET;
}

char *follow_tell(const Schedule *s)
{
    g_autofree char *span = timespec_format_span(s->every_usec);

    return g_strdup_printf("%s after the end of its run", span);
}

/* --- keys --- */

void follow_set_every_from(TaskParser *p, const TaskFileItem *item, void *field)
{
    p->schedule->anchor_usec = UNSET;
    *(bool *)field = g_str_equal(item->value, "finish");
    if (item->value[0] && !p->schedule->from_finish)
        task_parser_value_fault(p, item, 0, "has to be 'finish'");
}

void follow_check(TaskParser *p, const Schedule *s, const char *scope)
{
    static const char *const others[] = { "OnCalendar", "Cron", "RRule", "RDate", "At" };
    const TaskFileItem *item = task_parser_where(p, scope, "EveryFrom");

    if (!item || !s->from_finish)
        return;
    if (s->every_usec == 0) {
        task_parser_key_fault(p, item, "is for Every=, which is not set");
        return;
    }
    ARRAY_FOREACH (other, others) {
        const TaskFileItem *set = task_parser_where(p, scope, *other);

        if (set && set->value[0]) {
            task_parser_key_fault(
                p, item, "does not go with %s=: another schedule of the task may have that", *other);
            return;
        }
    }
}
