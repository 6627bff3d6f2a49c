/* Does the import fire when the original does? The definition is read as the daemon reads it, and its times for a year are
 * held against those that the original's own rule gives, by other means than the schedule's. */
#include <string.h>

#include "ctl/import-fields.h"
#include "ctl/import.h"
#include "lib/i18n.h"
#include "model/civil.h"
#include "model/schedule.h"

#define PROOF_SPAN_USEC   (365 * UINT64_C(86400) * USEC_PER_SEC)
#define PROOF_EVENTS_MAX  2000u
#define PROOF_SECONDS_DAY 86400

static Task *proof_read(const ImportTask *t, GPtrArray *diags)
{
    TaskSource source = { .path = t->name, .text = t->text, .length = strlen(t->text) };
    Task *task;

    if (task_parse(t->name, &source, 1, diags, &task) < 0)
        return NULL;
    return task;
}

void import_check(Import *im)
{
    for (guint i = 0; i < im->tasks->len; i++) {
        ImportTask *t = g_ptr_array_index(im->tasks, i);
        g_autoptr(GPtrArray) diags = diag_list_new();
        g_autoptr(Task) task = t->text ? proof_read(t, diags) : NULL;
        const Diag *d;

        if (!t->text || task)
            continue;
        d = g_ptr_array_index(diags, 0);
        import_lost(im, t->file, t->line, "", "%s=: %s", d->key, d->message);
        import_withdraw(t);
    }
}

/* At most max, 0 is no limit. */
static GArray *proof_times(const Task *task, uint64_t from, uint64_t until, guint max)
{
    GArray *times = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    const Schedule *s = g_ptr_array_index(task->schedules, 0);
    uint64_t at = schedule_next(s, from);

    for (; at <= until && (max == 0 || times->len < max); at = schedule_next(s, at))
        g_array_append_val(times, at);
    return times;
}

static uint64_t proof_at(const GArray *times, guint i)
{
    return i < times->len ? g_array_index(times, uint64_t, i) : USEC_INFINITY;
}

static void proof_compare(ImportProof *p, const GArray *theirs, const GArray *ours, uint64_t until)
{
    p->done = p->same = true;
    p->n = theirs->len;
    p->until = until;
    for (guint i = 0; i < MAX(theirs->len, ours->len) && p->same; i++) {
        p->theirs = proof_at(theirs, i);
        p->ours = proof_at(ours, i);
        p->same = p->theirs == p->ours;
    }
}

static void proof_fields(ImportTask *t, const Task *task, uint64_t now)
{
    uint64_t until = now + PROOF_SPAN_USEC;
    g_autoptr(GArray) ours = proof_times(task, now, until, 0), theirs = NULL;

    theirs = import_fields_times(&t->times.fields, t->times.zone ? t->times.zone : zone_local(), now, until);
    t->proof.by = N_("each minute of the year looked at by cron's own rules");
    proof_compare(&t->proof, theirs, ours, until);
}

static void proof_instant(ImportTask *t, const Task *task)
{
    g_autoptr(GArray) ours = proof_times(task, 0, USEC_INFINITY - 1, 2);
    g_autoptr(GArray) theirs = g_array_new(FALSE, FALSE, sizeof(uint64_t));

    g_array_append_val(theirs, t->times.at);
    t->proof.by = N_("the minute in the name of its file");
    proof_compare(&t->proof, theirs, ours, t->times.at);
}

/* Which day, or month, it is on the local clock. */
static int64_t proof_day(uint64_t usec, bool month)
{
    const Zone *zone = zone_local();
    int64_t utc = (int64_t)(usec / USEC_PER_SEC);
    int64_t day = (utc + zone->spans[zone_span(zone, utc)].offset) / PROOF_SECONDS_DAY;
    CivilDate date = civil_from_days(day);

    return month ? (int64_t)date.year * 12 + date.month : day;
}

static void proof_days(ImportTask *t, const Task *task, uint64_t now)
{
    uint64_t until = now + PROOF_SPAN_USEC;
    g_autoptr(GArray) ours = proof_times(task, now, until, 0);
    unsigned days = t->times.days;
    ImportProof *p = &t->proof;

    p->by = N_("the days from one time to the next");
    p->done = p->same = true;
    p->n = ours->len;
    p->until = until;
    for (guint i = 1; i < ours->len && p->same; i++) {
        int64_t before = proof_day(proof_at(ours, i - 1), days == 0);

        p->ours = proof_at(ours, i);
        p->theirs = proof_at(ours, i - 1) + days * UINT64_C(86400) * USEC_PER_SEC;
        p->same = proof_day(p->ours, days == 0) - before == (days == 0 ? 1 : (int64_t)days);
    }
}

static void proof_events(ImportTask *t, const Task *task, uint64_t now, const GArray *events)
{
    g_autoptr(GArray) ours = NULL;
    uint64_t until;

    if (!events || events->len == 0)
        return;
    until = g_array_index(events, uint64_t, events->len - 1);
    ours = proof_times(task, now, until, 0);
    t->proof.by = N_("asked of systemd-analyze calendar");
    proof_compare(&t->proof, events, ours, until);
}

void import_prove(ImportTask *t, uint64_t now, const GArray *events)
{
    g_autoptr(GPtrArray) ignored = diag_list_new();
    g_autoptr(Task) task = t->text ? proof_read(t, ignored) : NULL;

    if (!task || task->schedules->len == 0)
        return;
    switch (t->times.rule) {
    case IMPORT_RULE_NONE:
        break;
    case IMPORT_RULE_FIELDS:
        proof_fields(t, task, now);
        break;
    case IMPORT_RULE_EVENTS:
        proof_events(t, task, now, events);
        break;
    case IMPORT_RULE_INSTANT:
        proof_instant(t, task);
        break;
    case IMPORT_RULE_DAYS:
        proof_days(t, task, now);
        break;
    }
}

guint import_prove_count(const ImportTask *t, uint64_t now)
{
    g_autoptr(GPtrArray) ignored = diag_list_new();
    g_autoptr(Task) task = t->text ? proof_read(t, ignored) : NULL;
    g_autoptr(GArray) ours = NULL;

    if (!task || task->schedules->len == 0)
        return 0;
    ours = proof_times(task, now, now + PROOF_SPAN_USEC, PROOF_EVENTS_MAX);
    return MAX(ours->len, 1);
}
