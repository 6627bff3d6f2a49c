/* What crontabs and timers have in common when a task is written for them. */
#include "ctl/export-other.h"

#include <string.h>

#include "lib/i18n.h"
#include "model/command.h"
#include "model/input.h"
#include "model/schedule.h"
#include "model/task-file.h"

#define YEAR_USEC (365 * UINT64_C(86400) * USEC_PER_SEC)
#define INPUT_MAX ((size_t)1024 * 1024)
#define TIMES_MAX 600000u

char *export_other_name(const ExportOther *o, const Schedule *s)
{
    return g_strdup_printf("%s/%s", o->task->name, s->name);
}

void export_other_refuse(ExportOther *o, const Schedule *s, const char *remedy, const char *message)
{
    g_autofree char *name = export_other_name(o, s);

    import_lost(o->notes, name, 0, remedy, "%s", message);
    o->n_refused++;
}

static bool other_is_named(const GPtrArray *words, const char *input)
{
    for (guint i = 0; i < words->len; i++) {
        const CommandWord *w = g_ptr_array_index(words, i);

        for (guint n = 0; n < w->pieces->len; n++)
            if (g_strcmp0(((CommandPiece *)g_ptr_array_index(w->pieces, n))->input, input) == 0)
                return true;
    }
    return false;
}

/* What is evaluated when a run starts cannot stand in a line that is written now. */
static const char *other_find_evaluated(const Task *t, const Schedule *s)
{
    for (guint i = 0; i < t->inputs->len; i++) {
        const InputSpec *spec = g_ptr_array_index(t->inputs, i);

        if ((spec->type == INPUT_DATETIME || spec->type == INPUT_DURATION || spec->type == INPUT_FILE) &&
            other_is_named(t->command, spec->name) &&
            (spec->type == INPUT_FILE || !g_hash_table_contains(s->inputs, spec->name)))
            return spec->name;
    }
    return NULL;
}

bool export_other_command(ExportOther *o, const Schedule *s, char **ret_path, GPtrArray **ret_argv)
{
    InputGiven given = { .texts = s->inputs };
    g_auto(Input) input = { 0 };
    g_auto(Error) error = { 0 };
    g_autoptr(JsonNode) node = NULL;
    const char *evaluated = other_find_evaluated(o->task, s);
    g_autofree char *message = NULL;

    if (s->max_runs > 0) {
        export_other_refuse(o, s, "", _("how often it has fired is not counted there (MaxRuns=)"));
        return false;
    }
    if (s->window) {
        export_other_refuse(o, s, "", _("there are no calendars (Calendar=, NotCalendar=)"));
        return false;
    }
    if (evaluated) {
        message = g_strdup_printf(_("the input %s is known only when a run begins"), evaluated);
        export_other_refuse(o, s, "", message);
        return false;
    }
    if (input_validate(o->task, &given, INPUT_MAX, &input, &error) < 0 ||
        !(node = json_from_string(util_strempty(input.json), NULL)) ||
        command_expand(o->task, json_node_get_object(node), ret_path, ret_argv, &error) < 0) {
        export_other_refuse(o, s, "", util_strempty(error.message));
        return false;
    }
    return true;
}

/* What [Schedule] says of times, which are compared or refused, and of inputs, which stand in the command. */
static bool other_is_time(const char *key)
{
    static const char *const keys[] = { "OnCalendar", "Cron", "Every", "EveryFrom", "AfterTask", "At", "From",
        "TimeZone", "DST", "Enabled", "AllowEverySecond", "RRule", "RDate", "ExDate", "MaxRuns", "Calendar",
        "NotCalendar", "OnExcluded", NULL };

    return g_strv_contains(keys, key) || g_str_has_prefix(key, "Input.");
}

/* One file: what is set and is neither kept nor compared. */
static void other_tell_file(ExportOther *o, const TaskSource *source, const char *const *kept)
{
    g_autoptr(GPtrArray) ignored = diag_list_new();
    g_autoptr(GPtrArray) items = task_file_read(source, ignored);
    const char *section = "";

    for (guint i = 0; i < items->len; i++) {
        const TaskFileItem *item = g_ptr_array_index(items, i);
        bool of_task = g_str_equal(section, "Task"), of_schedule = g_str_has_prefix(section, "Schedule");

        if (item->is_section)
            section = item->key;
        else if (item->value[0] &&
                 ((of_task && !g_strv_contains(kept, item->key)) ||
                     (of_schedule && !other_is_time(item->key) && !g_strv_contains(kept, item->key))))
            import_lost(o->notes, o->task->name, 0, "", _("[%s] %s=%s: there is no such thing"), section,
                item->key, item->value);
    }
}

void export_other_tell(ExportOther *o, const char *const *kept)
{
    const Task *t = o->task;

    for (guint i = 0; i < task_own_sources(t); i++)
        other_tell_file(o, g_ptr_array_index(t->sources, i), kept);
    if (t->inputs->len > 0)
        import_lost(o->notes, t->name, 0, "", "%s",
            _("its input stands in the command alone: there are no credentials that hold it"));
}

bool export_other_has_rules(const Schedule *s)
{
    return (s->rules && s->rules->len > 0) || (s->dates && s->dates->len > 0) ||
           (s->excluded && s->excluded->len > 0);
}

bool export_other_has_years(const Calendar *c)
{
    for (int n = 0; n <= CALENDAR_YEAR_LAST - CALENDAR_YEAR_FIRST; n++)
        if (!(c->years[n / 8] >> (n % 8) & 1))
            return true;
    return false;
}

GArray *export_other_times(const ExportOther *o, const Schedule *s)
{
    GArray *times = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    uint64_t at = schedule_next(s, o->now);

    for (; at <= o->now + YEAR_USEC && times->len < TIMES_MAX; at = schedule_next(s, at))
        g_array_append_val(times, at);
    return times;
}
