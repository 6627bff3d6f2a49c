/* Every= from the end of a run, what fires at a boot, and after another task. */
#include "model/follow.h"

#include "model/task-internal.h"
#include "model/timespec.h"
#include "model/words.h"

bool follow_is(const Schedule *s)
{
    return s->from_finish || s->at_boot || s->after;
}

const char *follow_task(const Schedule *s, const char *task)
{
    if (s->after)
        return s->after;
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

void follow_set_ends(Schedule *copy, const char *ends)
{
    g_auto(GStrv) parts = g_strsplit(util_strempty(ends), ",", -1);

    g_array_set_size(copy->at, 0);
    for (char **part = parts; *part && **part; part++) {
        uint64_t at = g_ascii_strtoull(*part, NULL, 10);

        g_array_append_val(copy->at, at);
    }
}

uint64_t follow_next_end(const Schedule *copy, uint64_t after)
{
    for (guint i = 0; i < copy->at->len; i++)
        if (after == UNSET || g_array_index(copy->at, uint64_t, i) > after)
            return g_array_index(copy->at, uint64_t, i);
    return UNSET;
}

uint64_t follow_last_end(const Schedule *copy, uint64_t before)
{
    for (guint i = copy->at->len; i > 0; i--)
        if (g_array_index(copy->at, uint64_t, i - 1) < before)
            return g_array_index(copy->at, uint64_t, i - 1);
    return UNSET;
}

/* What ends count, by the words of AfterTask=, and how that is said. */
static const struct {
    const char *word, *verb;
} results[] = {
    { "any", "ends" },
    { "success", "succeeds" },
    { "failure", "fails" },
};

char *follow_after(const Schedule *s)
{
    return g_strndup(s->after, strcspn(s->after, " "));
}

static char *follow_tell_after(const Schedule *s)
{
    g_autofree char *task = follow_after(s);
    const char *verb = "";

    ARRAY_FOREACH (r, results)
        if (g_str_has_suffix(s->after, r->word))
            verb = r->verb;
    return g_strdup_printf("after task %s %s", task, verb);
}

char *follow_tell(const Schedule *s)
{
    g_autofree char *span = timespec_format_span(s->every_usec);

    if (s->after)
        return follow_tell_after(s);
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

void follow_set_after_key(TaskParser *p, const TaskFileItem *item, void *field)
{
    const char *value = item->value, *end = value + strcspn(value, " \t"), *word = end + strspn(end, " \t");
    g_autofree char *name = g_strndup(value, (size_t)(end - value)), *shown = words_show(name);
    char **after = field;
    bool known = !*word;

    g_clear_pointer(after, g_free);
    if (!*value)
        return;
    ARRAY_FOREACH (r, results)
        known = known || g_str_equal(r->word, word);
    if (!task_name_is_valid(name))
        task_parser_value_fault(p, item, 0, "%s is no name that a task can have", shown);
    else if (!known)
        task_parser_value_fault(p, item, (unsigned)g_utf8_pointer_to_offset(value, word),
            "has to be 'any', 'success' or 'failure', behind the task's name");
    else
        *after = g_strconcat(name, " ", *word ? word : results[0].word, NULL);
}

/* Nor would a slot that is moved be that of one end. */
static void follow_check_after(TaskParser *p, const Schedule *s, const char *scope, const TaskFileItem *item)
{
    const TaskFileItem *excluded = task_parser_where(p, scope, "OnExcluded");
    g_autofree char *task = follow_after(s);

    if (g_str_equal(task, p->task->name))
        task_parser_value_fault(
            p, item, 0, "a task does not follow itself: Every= with EveryFrom=finish is for that");
    if (excluded && s->on_excluded != ON_EXCLUDED_SKIP)
        task_parser_key_fault(
            p, excluded, "does not go with AfterTask=: what ends outside can be skipped alone");
}

/* What says of it that it follows something. */
typedef struct FollowKey {
    const char *key;
    const char *const others[7]; /* which it does not go with */
} FollowKey;

static const FollowKey finish_key = { "EveryFrom", { "OnCalendar", "Cron", "RRule", "RDate", "At", NULL } };
static const FollowKey boot_key = { "Cron", { "OnCalendar", "RRule", "RDate", "At", "Every", NULL } };
static const FollowKey after_key = { "AfterTask",
    { "OnCalendar", "Cron", "RRule", "RDate", "At", "Every", NULL } };

void follow_check(TaskParser *p, const Schedule *s, const char *scope)
{
    const FollowKey *key = s->after ? &after_key : s->at_boot ? &boot_key : &finish_key;
    const TaskFileItem *item = task_parser_where(p, scope, key->key);

    if (!item || !follow_is(s))
        return;
    if (s->after)
        follow_check_after(p, s, scope, item);
    if (key == &boot_key && s->calendars && s->calendars->len > 0)
        task_parser_key_fault(
            p, item, "@reboot does not go with other times: another schedule of the task may have those");
    else if (s->from_finish && s->every_usec == 0)
        task_parser_key_fault(p, task_parser_where(p, scope, "EveryFrom"), "is for Every=, which is not set");
    for (const char *const *other = key->others; *other; other++) {
        const TaskFileItem *set = task_parser_where(p, scope, *other);

        if (!set || !set->value[0])
            continue;
        task_parser_key_fault(
            p, item, "does not go with %s=: another schedule of the task may have that", *other);
        return;
    }
}
