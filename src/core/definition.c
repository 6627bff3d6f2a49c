/* A definition judged as a whole: what the model can say of its text, and what the property table says of
 * [Service]. */
#include "core/internal.h"

#include "exec/properties.h"
#include "model/schedule.h"

#define DEFINITION_MAX (4 * 1024 * 1024)
#define NOTED_USEC     (366 * 24 * 3600 * USEC_PER_SEC) /* what happens in so long is told beforehand */

/* A user's manager cannot make a process another user's, and says so of some group that nobody wrote down. */
static bool definition_is_privileged(const char *key)
{
    static const char *const keys[] = { "User", "Group", "SupplementaryGroups", "DynamicUser" };

    ARRAY_FOREACH (k, keys)
        if (g_str_equal(*k, key))
            return true;
    return false;
}

static void definition_check_settings(const Task *t, bool user_scope, DiagList *diags)
{
    for (guint i = 0; i < t->settings->len && !diag_list_full(diags); i++) {
        const TaskSetting *s = g_ptr_array_index(t->settings, i);
        g_autofree char *reason = NULL;

        PropertyVerdict verdict = properties_check(s->key, s->value, &reason);

        if (verdict == PROPERTY_INVALID)
            diag_add(diags, s->file, s->value_line, s->value_column, s->key, "%s", reason);
        else if (verdict != PROPERTY_OK)
            diag_add(diags, s->file, s->line, s->column, s->key, "%s", reason);
        else if (user_scope && definition_is_privileged(s->key))
            diag_add(diags, s->file, s->line, s->column, s->key,
                "not possible with --user: everything runs as the user that the service manager belongs to");
    }
}

int definition_schedule_input(const Task *t, const Schedule *s, size_t limit, Input *ret, Error *error)
{
    InputGiven given = { .texts = s->inputs };

    return input_validate(t, &given, limit, ret, error);
}

static void definition_check_schedules(const Task *t, size_t input_max, DiagList *diags)
{
    for (guint i = 0; i < t->schedules->len; i++) {
        const Schedule *s = g_ptr_array_index(t->schedules, i);
        const TaskSource *source = g_ptr_array_index(t->sources, 0);
        g_auto(Input) input = { 0 };
        g_auto(Error) error = { 0 };

        if (definition_schedule_input(t, s, input_max, &input, &error) < 0)
            diag_add(diags, source->path, 0, 0, "Schedule", "[Schedule %s] does not fit [Input]: %s", s->name,
                error.message);
    }
}

/* A task is shown whole in one message of the bus. */
static bool definition_fits(const TaskSource *sources, size_t n, DiagList *diags)
{
    size_t size = 0;

    /* The calendars are those that it names: what was offered beside them is not of it. */
    for (size_t i = 0; i < n; i++)
        size += sources[i].calendar ? 0 : sources[i].length;
    if (size > DEFINITION_MAX)
        diag_add(diags, sources[0].path, 0, 0, "", "with its drop-ins it is larger than %d MiB",
            DEFINITION_MAX / 1024 / 1024);
    return size <= DEFINITION_MAX;
}

static void definition_check_calendars(const Task *t, DiagList *diags)
{
    size_t size = 0;

    for (guint i = 0; i < t->sources->len; i++)
        size += ((const TaskSource *)g_ptr_array_index(t->sources, i))->length;
    if (size > DEFINITION_MAX)
        diag_add(diags, ((const TaskSource *)g_ptr_array_index(t->sources, 0))->path, 0, 0, "Schedule",
            "with its calendars it is larger than %d MiB", DEFINITION_MAX / 1024 / 1024);
}

int definition_parse(const char *name, const TaskSource *sources, size_t n, const ManagerConfig *config,
    DiagList *diags, Task **ret)
{
    guint before = diags->len;
    g_autoptr(Task) t = NULL;

    if (!definition_fits(sources, n, diags))
        return -EINVAL;
    t = task_read(name, sources, n, diags);
    definition_check_calendars(t, diags);
    definition_check_settings(t, config->user_scope, diags);
    if (diags->len == before)
        definition_check_schedules(t, config->input_max, diags);
    diag_list_sort(diags);
    if (diags->len > before)
        return -EINVAL;
    *ret = g_steal_pointer(&t);
    return 0;
}

static void definition_note_awaited(const Schedule *s, const char *path, DiagList *notes)
{
    g_autofree char *awaited = follow_is(s) ? follow_tell(s) : NULL;
    g_autofree char *section = g_strdup_printf("[Schedule %s]", s->name);

    if (awaited)
        diag_add(notes, path, 0, 0, section, "fires %s", awaited);
}

/* What the clock does to it in the year to come, and what it waits for. */
void definition_note(const Task *t, uint64_t now, DiagList *notes)
{
    const TaskSource *source = g_ptr_array_index(t->sources, 0);

    for (guint i = 0; i < t->schedules->len && !diag_list_full(notes); i++) {
        const Schedule *s = g_ptr_array_index(t->schedules, i);
        uint64_t after = MAX(now, s->from_usec),
                 until = MIN(now + NOTED_USEC, s->until_usec ? s->until_usec : UNSET);
        ClockChange change;

        definition_note_awaited(s, source->path, notes);
        while (schedule_next_change(s, after, until, &change)) {
            g_autofree char *text = clock_change_tell(&change, s->gap, s->fold);
            g_autofree char *section = g_strdup_printf("[Schedule %s]", s->name);

            diag_add(notes, source->path, 0, 0, section, "%s", text);
            after = change.twice ? change.again : change.at;
        }
    }
}
