/* plan: what would be another if definitions were applied. Nothing is changed by it. */
#include <string.h>

#include "ctl/calendars.h"
#include "ctl/define.h"
#include "ctl/export.h"
#include "ctl/files.h"
#include "ctl/output.h"
#include "ctl/plan-report.h"
#include "ctl/text.h"
#include "lib/i18n.h"
#include "model/timespec.h"

#define DAYS      7 /* where --days= does not say it */
#define DAYS_MAX  366
#define COUNT     10
#define COUNT_MAX 100000

#define USEC_PER_DAY (86400 * USEC_PER_SEC)

static uint64_t plan_paused_until(JsonObject *o)
{
    uint64_t until = text_instant(o, "PausedUntil");

    return until != UNSET ? until : 0;
}

static GArray *plan_skipped(JsonObject *o)
{
    JsonArray *times =
        json_object_has_member(o, "Skipped") ? json_object_get_array_member(o, "Skipped") : NULL;
    GArray *list = NULL;
    uint64_t at;

    for (guint i = 0; times && i < json_array_get_length(times); i++)
        if (timespec_parse_instant(json_array_get_string_element(times, i), 0, &at) >= 0)
            by_hand_set(&list, at, "");
    return list;
}

static PlanSwitch *plan_switch(JsonObject *o)
{
    uint64_t fired = text_number(o, "Fired");
    PlanSwitch *w = g_new(PlanSwitch, 1);

    *w = (PlanSwitch){ json_object_get_boolean_member_with_default(o, "Enabled", true),
        fired != UNSET ? fired : 0, plan_paused_until(o), plan_skipped(o) };
    return w;
}

static void plan_add_switch(JsonObject *schedule, void *schedules)
{
    g_hash_table_insert(schedules, g_strdup(text_member(schedule, "Name")), plan_switch(schedule));
}

/* Of the schedules of a task, how they are now. */
static int plan_read_enabled(Ctl *ctl, const char *task, GHashTable *schedules, ClientError *e)
{
    ClientFilter filter = { .task = task };

    return client_list_all(ctl->client, e, "ListSchedules", &filter, G_MAXUINT, plan_add_switch, schedules);
}

/* What is in force: *ret_task and *ret_sources, of TaskSource*, NULL where nothing is. */
static int plan_read_force(Ctl *ctl, const char *name, JsonObject **ret_task, GPtrArray **ret_sources,
    GHashTable *schedules, ClientError *e)
{
    g_autoptr(GPtrArray) parts = NULL;
    g_autofree char *text = NULL;
    int r = client_call_object(ctl->client, e, ret_task, "GetTask", "s", name);

    if (r < 0 && e->error.code == ERROR_NO_SUCH_TASK) {
        client_error_clear(e);
        return 0;
    }
    if (r >= 0)
        r = export_text(ctl, name, &text, e);
    if (r >= 0)
        r = plan_read_enabled(ctl, name, schedules, e);
    if (r < 0)
        return r;
    parts = export_split(name, util_strempty(text));
    *ret_sources = define_sources_new();
    for (guint i = 0; i < parts->len; i++) {
        const ExportFile *f = g_ptr_array_index(parts, i);

        define_add(*ret_sources, f->source ? f->source : f->path, export_part_text(f));
    }
    return 0;
}

/* Is path the file that defines the task? */
static bool plan_is_origin(const Ctl *ctl, const char *path, JsonObject *task)
{
    g_autofree char *given = g_canonicalize_filename(path, NULL);

    return !ctl->host && g_str_equal(given, text_member(task, "Path"));
}

static int plan_add_dropins(GPtrArray *sources, const char *path, ClientError *e)
{
    g_autoptr(GPtrArray) paths = define_dropins(path);
    int r = 0;

    for (guint i = 0; i < paths->len && r >= 0; i++) {
        const char *dropin = g_ptr_array_index(paths, i);
        g_autofree char *text = NULL;

        r = files_read_text(dropin, ERROR_INVALID_TASK, &text, e);
        if (r >= 0)
            define_add(sources, dropin, text);
    }
    return r;
}

/* A definition of the database is one text. One of a file keeps its drop-ins: if it is this very file, those that lie beside
 * it, else those in force. */
static int plan_read_new(
    Ctl *ctl, const char *path, JsonObject *task, const GPtrArray *before, GPtrArray *sources, ClientError *e)
{
    g_autofree char *text = NULL;
    int r = files_read_text(path, ERROR_INVALID_TASK, &text, e);

    if (r < 0)
        return r;
    define_add(sources, path, text);
    if (!task || !before || !g_str_equal(text_member(task, "Origin"), "file"))
        return 0;
    if (plan_is_origin(ctl, path, task))
        return plan_add_dropins(sources, path, e);
    for (guint i = 1; i < before->len; i++) {
        const TaskSource *s = g_ptr_array_index(before, i);

        define_add(sources, s->path, s->text);
    }
    return 0;
}

/* What was put together from several files has an empty line between them, and its end is not known. */
static bool plan_same_text(const char *a, const char *b)
{
    g_autofree char *x = g_strchomp(g_strdup(a)), *y = g_strchomp(g_strdup(b));

    return g_str_equal(x, y);
}

static bool plan_same(const GPtrArray *before, const GPtrArray *after)
{
    if (!before || before->len != after->len)
        return false;
    for (guint i = 0; i < before->len; i++)
        if (!plan_same_text(((const TaskSource *)g_ptr_array_index(before, i))->text,
                ((const TaskSource *)g_ptr_array_index(after, i))->text))
            return false;
    return true;
}

static Task *plan_parse(
    const char *name, const GPtrArray *sources, const GPtrArray *calendars, DiagList *diags)
{
    g_autofree TaskSource *copy = g_new0(TaskSource, sources->len + calendars->len);

    for (guint i = 0; i < sources->len; i++)
        copy[i] = *(const TaskSource *)g_ptr_array_index(sources, i);
    for (guint i = 0; i < calendars->len; i++)
        copy[sources->len + i] = *(const TaskSource *)g_ptr_array_index(calendars, i);
    return task_read(name, copy, sources->len + calendars->len, diags);
}

/* The daemon has found no fault; a tschedctl of another version may. */
static int plan_compare_tasks(Plan *p, const GPtrArray *before, const GPtrArray *after,
    const GPtrArray *calendars, GHashTable *schedules, const PlanSpan *span, ClientError *e)
{
    g_autoptr(GPtrArray) ignored = diag_list_new(), diags = diag_list_new();
    g_autoptr(Task) old = before ? plan_parse(p->name, before, calendars, ignored) : NULL;
    g_autoptr(Task) new = plan_parse(p->name, after, calendars, diags);
    PlanState state = { .enabled = true, .schedules = schedules };

    if (diags->len > 0) {
        const Diag *d = g_ptr_array_index(diags, 0);

        return client_error_set(e, ERROR_INVALID_TASK, "%s: %s: %s", p->name, d->key, d->message);
    }
    if (p->task) {
        state.enabled = json_object_get_boolean_member_with_default(p->task, "Enabled", true);
        state.paused_until = plan_paused_until(p->task);
    }
    p->same = plan_same(before, after);
    p->keys = plan_keys(old, new);
    p->schedules = plan_schedules(old, new, p->keys, &state, span);
    return 0;
}

/* As they are in force: of both sides. */
static int plan_fetch_calendars(
    Ctl *ctl, const GPtrArray *before, const GPtrArray *after, GPtrArray *calendars, ClientError *e)
{
    int r = calendars_fetch(ctl, after, calendars, e);

    return r >= 0 && before && calendars->len == 0 ? calendars_fetch(ctl, before, calendars, e) : r;
}

static int plan_make(Ctl *ctl, Plan *p, const PlanSpan *span, ClientError *e)
{
    g_autoptr(GPtrArray) before = NULL, after = define_sources_new(), calendars = define_sources_new();
    g_autoptr(GHashTable) schedules =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)plan_switch_free);
    int r;

    p->name = define_name(ctl, p->file, e);
    if (!p->name)
        return -EINVAL;
    r = plan_read_force(ctl, p->name, &p->task, &before, schedules, e);
    if (r >= 0)
        r = plan_read_new(ctl, p->file, p->task, before, after, e);
    if (r >= 0)
        r = define_verify_sources(ctl, p->name, after, p->faults, e);
    if (r < 0 || json_array_get_length(p->faults) > 0)
        return r;
    r = plan_fetch_calendars(ctl, before, after, calendars, e);
    return r < 0 ? r : plan_compare_tasks(p, before, after, calendars, schedules, span, e);
}

static int plan_one(Ctl *ctl, const char *file, const PlanSpan *span)
{
    g_auto(ClientError) error = { 0 };
    g_auto(Plan) p = { .file = file, .faults = json_array_new() };

    if (plan_make(ctl, &p, span, &error) < 0)
        return output_fail(ctl, &error);
    plan_report(ctl, &p);
    return p.keys ? EXITS_OK : EXITS_INVALID;
}

static int plan_options(Ctl *ctl, PlanSpan *span)
{
    const char *days = args_get(&ctl->args, "days"), *count = args_get(&ctl->args, "count");
    int64_t n_days = DAYS, n = COUNT;

    if (args_has(&ctl->args, "name") && ctl->args.words->len > 1)
        return output_usage(ctl, _("--name goes with one file"));
    if (days && args_number(days, 1, DAYS_MAX, &n_days) < 0)
        return output_usage(ctl, _("--days: \"%s\" is no number from 1 to %d"), days, DAYS_MAX);
    if (count && args_number(count, 0, COUNT_MAX, &n) < 0)
        return output_usage(ctl, _("--count: \"%s\" is no number from 0 to %d"), count, COUNT_MAX);
    span->after = (uint64_t)g_get_real_time();
    span->until = span->after + (uint64_t)n_days * USEC_PER_DAY;
    span->count = (guint)n;
    return EXITS_OK;
}

int plan_verb(Ctl *ctl)
{
    PlanSpan span;
    int code = plan_options(ctl, &span);

    if (code != EXITS_OK)
        return code;
    if (ctl->json != CTL_JSON_OFF)
        output_list_begin(ctl);
    for (guint i = 0; i < ctl->args.words->len; i++) {
        int failed = plan_one(ctl, ctl_word(ctl, i), &span);

        code = code == EXITS_OK ? failed : code;
    }
    if (ctl->json != CTL_JSON_OFF)
        output_list_end(ctl);
    return code;
}
