/* Printing of plans: what goes with "-", what comes with "+". */
#include "ctl/plan-report.h"

#include <stdio.h>

#include "ctl/define.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/i18n.h"
#include "model/timespec.h"

void plan_clear(Plan *p)
{
    g_free(p->name);
    g_clear_pointer(&p->task, json_object_unref);
    g_clear_pointer(&p->faults, json_array_unref);
    g_clear_pointer(&p->keys, g_ptr_array_unref);
    g_clear_pointer(&p->schedules, g_ptr_array_unref);
}

typedef enum Verdict {
    VERDICT_INVALID,
    VERDICT_NEW,
    VERDICT_UNCHANGED,
    VERDICT_CHANGED,
} Verdict;

static const char *const verdicts[] = {
    [VERDICT_INVALID] = N_("invalid"),
    [VERDICT_NEW] = N_("new"),
    [VERDICT_UNCHANGED] = N_("unchanged"),
    [VERDICT_CHANGED] = N_("changed"),
};

static Verdict plan_verdict(const Plan *p)
{
    if (!p->keys)
        return VERDICT_INVALID;
    if (!p->task)
        return VERDICT_NEW;
    return p->same ? VERDICT_UNCHANGED : VERDICT_CHANGED;
}

static bool plan_is_enabled(const Plan *p)
{
    return !p->task || json_object_get_boolean_member_with_default(p->task, "Enabled", true);
}

/* --- for people --- */

/* One line, indented; takes text over. */
static void plan_line(const Ctl *ctl, unsigned indent, bool comes, char *text)
{
    g_autofree char *taken = text, *safe = text_safe(taken);
    const char *colour = ctl->colours ? table_colour(comes ? TABLE_GREEN : TABLE_RED) : "";

    printf("%*s%s%c %s%s\n", (int)indent, "", colour, comes ? '+' : '-', safe, *colour ? "\x1b[0m" : "");
}

static void plan_print_values(const Ctl *ctl, const PlanKey *k, const GPtrArray *values, bool comes)
{
    for (guint i = 0; i < values->len; i++)
        plan_line(ctl, 2, comes,
            g_strdup_printf("[%s] %s=%s", k->section, k->key, (const char *)g_ptr_array_index(values, i)));
}

static uint64_t plan_at(const GArray *times, guint i)
{
    return i < times->len ? g_array_index(times, uint64_t, i) : USEC_INFINITY;
}

static void plan_print_rest(const Ctl *ctl, uint64_t n, guint shown, bool comes)
{
    if (n > shown)
        plan_line(ctl, 4, comes, g_strdup_printf(_("%llu more"), (unsigned long long)(n - shown)));
}

/* Both in the order of time. */
static void plan_print_schedule(const Ctl *ctl, const PlanSchedule *s)
{
    g_autofree char *until = text_time(s->until);
    guint i = 0, j = 0;

    if (s->n_gained == 0 && s->n_lost == 0)
        return;
    printf(_("  %s: fire times up to %s, gained: %llu, lost: %llu\n"), s->name, until,
        (unsigned long long)s->n_gained, (unsigned long long)s->n_lost);
    while (i < s->gained->len || j < s->lost->len) {
        uint64_t gained = plan_at(s->gained, i), lost = plan_at(s->lost, j);

        plan_line(ctl, 4, gained < lost, text_time(MIN(gained, lost)));
        i += gained < lost;
        j += lost < gained;
    }
    plan_print_rest(ctl, s->n_lost, s->lost->len, false);
    plan_print_rest(ctl, s->n_gained, s->gained->len, true);
}

static void plan_print_notes(const Plan *p)
{
    g_autofree char *path = p->task ? text_safe(text_member(p->task, "Path")) : g_strdup("");

    if (plan_verdict(p) == VERDICT_CHANGED && p->keys->len == 0)
        printf("  %s\n", _("In comments or in the order of what stands there, nothing else"));
    if (!plan_is_enabled(p))
        printf("  %s\n", _("The task is disabled: nothing fires"));
    if (p->task && g_str_equal(text_member(p->task, "Origin"), "file"))
        printf(_("  Defined by %s: this file there and reload change it, apply is refused\n"), path);
}

static void plan_print(const Ctl *ctl, const Plan *p)
{
    if (!p->keys)
        define_print_faults(p->faults, stdout);
    printf("%s: %s\n", p->name, gettext(verdicts[plan_verdict(p)]));
    if (!p->keys || plan_verdict(p) == VERDICT_UNCHANGED)
        return;
    for (guint i = 0; i < p->keys->len; i++) {
        const PlanKey *k = g_ptr_array_index(p->keys, i);

        plan_print_values(ctl, k, k->before, false);
        plan_print_values(ctl, k, k->after, true);
    }
    for (guint i = 0; i < p->schedules->len; i++)
        plan_print_schedule(ctl, g_ptr_array_index(p->schedules, i));
    plan_print_notes(p);
}

/* --- for programs --- */

static void plan_set_values(JsonObject *o, const char *member, const GPtrArray *values)
{
    JsonArray *array;

    if (values->len == 0)
        return;
    array = json_array_new();
    for (guint i = 0; i < values->len; i++)
        json_array_add_string_element(array, g_ptr_array_index(values, i));
    json_object_set_array_member(o, member, array);
}

static JsonArray *plan_json_keys(const GPtrArray *keys)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < keys->len; i++) {
        const PlanKey *k = g_ptr_array_index(keys, i);
        JsonObject *o = json_object_new();

        json_object_set_string_member(o, "Section", k->section);
        json_object_set_string_member(o, "Key", k->key);
        plan_set_values(o, "Before", k->before);
        plan_set_values(o, "After", k->after);
        json_array_add_object_element(array, o);
    }
    return array;
}

static void plan_set_times(JsonObject *o, const char *member, const GArray *times)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < times->len; i++) {
        g_autofree char *text = timespec_format_instant(g_array_index(times, uint64_t, i));

        json_array_add_string_element(array, text);
    }
    json_object_set_array_member(o, member, array);
}

static JsonArray *plan_json_schedules(const GPtrArray *schedules)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < schedules->len; i++) {
        const PlanSchedule *s = g_ptr_array_index(schedules, i);
        g_autofree char *until = timespec_format_instant(s->until);
        JsonObject *o = json_object_new();

        json_object_set_string_member(o, "Schedule", s->name);
        json_object_set_int_member(o, "NGained", (gint64)s->n_gained);
        json_object_set_int_member(o, "NLost", (gint64)s->n_lost);
        plan_set_times(o, "Gained", s->gained);
        plan_set_times(o, "Lost", s->lost);
        json_object_set_string_member(o, "Until", until);
        json_array_add_object_element(array, o);
    }
    return array;
}

static void plan_copy(JsonObject *o, JsonObject *from, const char *member)
{
    if (json_object_has_member(from, member))
        json_object_set_member(o, member, json_node_copy(json_object_get_member(from, member)));
}

static JsonNode *plan_json(const Plan *p)
{
    JsonNode *node = json_node_init_object(json_node_alloc(), NULL);
    JsonObject *o = json_object_new();

    json_node_take_object(node, o);
    json_object_set_string_member(o, "Task", p->name);
    json_object_set_string_member(o, "File", p->file);
    json_object_set_string_member(o, "Change", verdicts[plan_verdict(p)]);
    if (p->task) {
        plan_copy(o, p->task, "Revision");
        plan_copy(o, p->task, "Enabled");
        plan_copy(o, p->task, "Origin");
        plan_copy(o, p->task, "Path");
    }
    if (p->keys) {
        json_object_set_array_member(o, "Keys", plan_json_keys(p->keys));
        json_object_set_array_member(o, "Schedules", plan_json_schedules(p->schedules));
    } else {
        json_object_set_array_member(o, "Faults", json_array_ref(p->faults));
    }
    return node;
}

void plan_report(Ctl *ctl, const Plan *p)
{
    if (ctl->json == CTL_JSON_OFF) {
        plan_print(ctl, p);
    } else {
        g_autoptr(JsonNode) node = plan_json(p);

        output_list_add(ctl, node);
    }
}
