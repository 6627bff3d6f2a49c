/* The comparison of two definitions, key by key and slot by slot. */
#include <string.h>

#include "ctl/plan.h"
#include "model/schedule.h"
#include "model/slots.h"
#include "model/task-file.h"

#define SCHEDULE "Schedule "

/* --- keys --- */

static void plan_key_free(gpointer data)
{
    PlanKey *k = data;

    g_free(k->section);
    g_free(k->key);
    g_ptr_array_unref(k->before);
    g_ptr_array_unref(k->after);
    g_free(k);
}

/* The sections have their names as the parser understands them. */
static char *plan_section(const char *header)
{
    g_auto(GStrv) words = g_strsplit_set(header, " \t", -1);
    GString *section = g_string_new(NULL);

    for (char **word = words; *word; word++)
        if (**word)
            g_string_append_printf(section, "%s%s", section->len > 0 ? " " : "", *word);
    if (g_str_equal(section->str, "Schedule"))
        g_string_append(section, " default");
    return g_string_free(section, FALSE);
}

static PlanKey *plan_key(GPtrArray *keys, GHashTable *by_id, const char *section, const char *key)
{
    g_autofree char *id = g_strdup_printf("%s\n%s", section, key);
    PlanKey *k = g_hash_table_lookup(by_id, id);

    if (k)
        return k;
    k = g_new0(PlanKey, 1);
    k->section = g_strdup(section);
    k->key = g_strdup(key);
    k->before = g_ptr_array_new_with_free_func(g_free);
    k->after = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(keys, k);
    g_hash_table_insert(by_id, g_steal_pointer(&id), k);
    return k;
}

static void plan_read_source(const TaskSource *source, bool after, GPtrArray *keys, GHashTable *by_id)
{
    g_autoptr(GPtrArray) ignored = diag_list_new(), items = task_file_read(source, ignored);
    g_autofree char *section = g_strdup("");

    for (guint i = 0; i < items->len; i++) {
        const TaskFileItem *item = g_ptr_array_index(items, i);
        GPtrArray *values;
        PlanKey *k;

        if (item->is_section) {
            g_free(section);
            section = plan_section(item->key);
            continue;
        }
        k = plan_key(keys, by_id, section, item->key);
        values = after ? k->after : k->before;
        if (*item->value)
            g_ptr_array_add(values, g_strdup(item->value));
        else
            g_ptr_array_set_size(values, 0);
    }
}

static void plan_read(const Task *task, bool after, GPtrArray *keys, GHashTable *by_id)
{
    for (guint i = 0; task && i < task_own_sources(task); i++)
        plan_read_source(g_ptr_array_index(task->sources, i), after, keys, by_id);
}

static bool plan_key_is_same(const PlanKey *k)
{
    if (k->before->len != k->after->len)
        return false;
    for (guint i = 0; i < k->before->len; i++)
        if (!g_str_equal(g_ptr_array_index(k->before, i), g_ptr_array_index(k->after, i)))
            return false;
    return true;
}

GPtrArray *plan_keys(const Task *before, const Task *after)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(plan_key_free);
    g_autoptr(GHashTable) by_id = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint kept = 0;

    plan_read(after, true, keys, by_id);
    plan_read(before, false, keys, by_id);
    for (guint i = 0; i < keys->len; i++) {
        PlanKey *k = g_ptr_array_index(keys, i);

        if (plan_key_is_same(k))
            plan_key_free(k);
        else
            g_ptr_array_index(keys, kept++) = k;
    }
    /* What stands behind them was moved or is gone. */
    g_ptr_array_set_free_func(keys, NULL);
    g_ptr_array_set_size(keys, (gint)kept);
    g_ptr_array_set_free_func(keys, plan_key_free);
    return keys;
}

/* --- slots --- */

static void plan_schedule_free(gpointer data)
{
    PlanSchedule *p = data;

    g_free(p->name);
    g_array_unref(p->gained);
    g_array_unref(p->lost);
    g_free(p);
}

/* One of the two that are compared; NULL never fires. */
typedef struct PlanSide {
    const Schedule *schedule;
    const GArray *by_hand;
    uint64_t left; /* so many may fire */
    uint64_t next;
} PlanSide;

void plan_switch_free(PlanSwitch *w)
{
    if (w->by_hand)
        g_array_unref(w->by_hand);
    g_free(w);
}

static void plan_step(PlanSide *p, uint64_t after)
{
    p->next = p->schedule && p->left > 0 ? slots_open(p->schedule, p->by_hand, after) : USEC_INFINITY;
    if (p->left > 0 && p->left != UNSET)
        p->left--;
}

static const PlanSwitch *plan_switch(const PlanState *state, const char *name)
{
    return state->schedules ? g_hash_table_lookup(state->schedules, name) : NULL;
}

/* fires: it is not disabled. */
static PlanSide plan_begin(const Schedule *s, bool fires, const PlanState *state, const PlanSpan *span)
{
    const PlanSwitch *w = s ? plan_switch(state, s->name) : NULL;
    uint64_t paused_until = MAX(state->paused_until, w ? w->paused_until : 0);
    PlanSide p = { fires ? s : NULL, w ? w->by_hand : NULL, s ? schedule_runs_left(s, w ? w->fired : 0) : 0,
        0 };

    plan_step(&p, MAX(span->after, paused_until > 0 ? paused_until - 1 : 0));
    return p;
}

static void plan_note(GArray *times, uint64_t *n, uint64_t at, guint count)
{
    if (times->len < count)
        g_array_append_val(times, at);
    (*n)++;
}

/* Both in step, each slot of either once. */
static PlanSchedule *plan_compare(const char *name, PlanSide x, PlanSide y, const PlanSpan *span)
{
    PlanSchedule *p = g_new0(PlanSchedule, 1);

    p->name = g_strdup(name);
    p->gained = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    p->lost = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    p->until = span->until;
    for (guint looked = 0; MIN(x.next, y.next) <= span->until; looked++) {
        uint64_t at = MIN(x.next, y.next);

        if (looked == PLAN_SLOTS_MAX) {
            p->until = at - 1;
            break;
        }
        if (x.next < y.next)
            plan_note(p->lost, &p->n_lost, at, span->count);
        else if (y.next < x.next)
            plan_note(p->gained, &p->n_gained, at, span->count);
        if (x.next == at)
            plan_step(&x, at);
        if (y.next == at)
            plan_step(&y, at);
    }
    return p;
}

static bool plan_enabled(const Schedule *s, const PlanState *state)
{
    const PlanSwitch *w = plan_switch(state, s->name);

    return w ? w->enabled : s->enabled;
}

/* What somebody said of a schedule outlasts its definition. Where that says the same, it is taken to be what decides. */
static bool plan_enabled_after(const Schedule *before, const Schedule *after, const PlanState *state)
{
    bool now = before && plan_enabled(before, state);

    return before && now != before->enabled ? now : after->enabled;
}

static bool plan_has_changed(const GPtrArray *keys, const char *name)
{
    g_autofree char *section = g_strconcat(SCHEDULE, name, NULL);

    for (guint i = 0; i < keys->len; i++)
        if (g_str_equal(((const PlanKey *)g_ptr_array_index(keys, i))->section, section))
            return true;
    return false;
}

GPtrArray *plan_schedules(const Task *before, const Task *after, const GPtrArray *keys,
    const PlanState *state, const PlanSpan *span)
{
    GPtrArray *schedules = g_ptr_array_new_with_free_func(plan_schedule_free);

    for (guint i = 0; i < after->schedules->len; i++) {
        const Schedule *new = g_ptr_array_index(after->schedules, i);
        const Schedule *old = before ? task_find_schedule(before, new->name) : NULL;
        bool fired = old && state->enabled && plan_enabled(old, state);
        bool fires = state->enabled && plan_enabled_after(old, new, state);

        if (!old || plan_has_changed(keys, new->name))
            g_ptr_array_add(schedules, plan_compare(new->name, plan_begin(old, fired, state, span),
                                           plan_begin(new, fires, state, span), span));
    }
    for (guint i = 0; before && i < before->schedules->len; i++) {
        const Schedule *old = g_ptr_array_index(before->schedules, i);

        if (!task_find_schedule(after, old->name))
            g_ptr_array_add(
                schedules, plan_compare(old->name,
                               plan_begin(old, state->enabled && plan_enabled(old, state), state, span),
                               plan_begin(NULL, false, state, span), span));
    }
    return schedules;
}
