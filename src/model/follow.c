/* Every= from the end of a run, and what fires at a boot. */
#include "model/follow.h"

#include "model/task-internal.h"
#include "model/timespec.h"

bool follow_is(const Schedule *s)
{
    return s->from_finish || s->at_boot;
}

const char *follow_task(const Schedule *s, const char *task)
{
    return s->from_finish ? task : s->at_boot ? FOLLOW_BOOT : NULL;
}

Schedule *follow_copy(const Schedule *s)
{
    Schedule *copy = follow_is(s) ? g_memdup2(s, sizeof *s) : NULL;

    if (copy)
        copy->at = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    return copy;
}

void follow_copy_free(Schedule *copy)
{
    if (copy)
        g_array_unref(copy->at);
    g_free(copy);
}

static void follow_set_boot(Schedule *copy, uint64_t booted)
{
    g_array_set_size(copy->at, 0);
    if (booted != UNSET)
        g_array_append_val(copy->at, booted);
}

/* Where nothing has ended yet it is counted from where it begins. */
void follow_set(Schedule *copy, uint64_t since, uint64_t ended, bool under_way)
{
    copy->anchor_usec = UNSET;
    if (copy->at_boot)
        follow_set_boot(copy, under_way ? UNSET : ended);
    else if (under_way)
        return;
    else if (ended == UNSET && copy->from_usec > since)
        copy->anchor_usec = copy->from_usec;
    else if (__builtin_add_overflow(ended == UNSET ? since : ended, copy->every_usec, &copy->anchor_usec))
        copy->anchor_usec = UNSET;
}

char *follow_tell(const Schedule *s)
{
    g_autofree char *span = timespec_format_span(s->every_usec);

    if (s->at_boot)
        return g_strdup("at the next boot");
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

bool follow_set_boot_key(TaskParser *p, const TaskFileItem *item)
{
    bool boot = g_ascii_strcasecmp(item->value, "@reboot") == 0;

    if (boot || !item->value[0])
        p->schedule->at_boot = boot;
    return boot;
}

void follow_check(TaskParser *p, const Schedule *s, const char *scope)
{
    static const char *const others[][6] = {
        { "OnCalendar", "Cron", "RRule", "RDate", "At", NULL },
        { "OnCalendar", "RRule", "RDate", "At", "Every", NULL },
    };
    const TaskFileItem *item = task_parser_where(p, scope, s->at_boot ? "Cron" : "EveryFrom");

    if (!item || !follow_is(s))
        return;
    if (s->at_boot && s->calendars && s->calendars->len > 0)
        task_parser_key_fault(
            p, item, "@reboot does not go with other times: another schedule of the task may have those");
    else if (s->from_finish && s->every_usec == 0)
        task_parser_key_fault(p, item, "is for Every=, which is not set");
    for (const char *const *other = others[s->at_boot]; *other; other++) {
        const TaskFileItem *set = task_parser_where(p, scope, *other);

        if (!set || !set->value[0])
            continue;
        task_parser_key_fault(
            p, item, "does not go with %s=: another schedule of the task may have that", *other);
        return;
    }
}
