/* What became of each line of an import, for people and for programs. */
#include "ctl/import-report.h"

#include <stdio.h>

#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/i18n.h"
#include "model/timespec.h"

/* FILE:LINE */
static char *report_place(const char *file, unsigned line)
{
    g_autofree char *safe = text_safe(file);

    return line > 0 ? g_strdup_printf("%s:%u", safe, line) : g_steal_pointer(&safe);
}

static void report_note(const ImportNote *n)
{
    g_autofree char *place = report_place(n->file, n->line);

    fprintf(stderr, n->lost ? _("%s: not carried over: %s") : _("%s: changed: %s"), place, n->message);
    if (*n->remedy)
        fprintf(stderr, " (%s)", n->remedy);
    fputc('\n', stderr);
}

static char *report_proof(const ImportProof *p)
{
    g_autofree char *until = text_time(p->until), *theirs = text_time(p->theirs), *ours = text_time(p->ours);

    if (!p->done)
        return g_strdup(_("its times were not compared with the original's: nothing here knows these"));
    if (p->same)
        return g_strdup_printf(ngettext("%u time up to %s is that of the original (%s)",
                                   "%u times up to %s are those of the original (%s)", p->n),
            p->n, until, gettext(p->by));
    return g_strdup_printf(
        _("TIMES DIFFER: the original fires at %s, the import at %s (%s)"), theirs, ours, gettext(p->by));
}

static void report_task(const Ctl *ctl, const ImportTask *t)
{
    g_autofree char *place = report_place(t->file, t->line);
    g_autofree char *proof = report_proof(&t->proof);

    if (!t->name)
        fprintf(stderr, _("%s: not imported\n"), place);
    else if (!ctl->quiet || !t->proof.done || !t->proof.same)
        fprintf(stderr, "%s: %s: %s\n", place, t->name, proof);
}

void import_report_notes(const Ctl *ctl, const Import *im)
{
    for (guint i = 0; i < im->notes->len; i++) {
        const ImportNote *n = g_ptr_array_index(im->notes, i);

        if (n->lost || !ctl->quiet)
            report_note(n);
    }
}

void import_report(const Ctl *ctl, const Import *im)
{
    import_report_notes(ctl, im);
    for (guint i = 0; i < im->tasks->len; i++)
        report_task(ctl, g_ptr_array_index(im->tasks, i));
    output_note(ctl, "%s",
        _("What was imported is in force where it came from, too: take it away there once the task is in force."));
}

static void report_instant(JsonObject *o, const char *key, uint64_t usec)
{
    g_autofree char *text = usec != USEC_INFINITY && usec > 0 ? timespec_format_instant(usec) : NULL;

    if (text)
        json_object_set_string_member(o, key, text);
}

static void report_json_proof(JsonObject *o, const ImportProof *p)
{
    JsonObject *times = json_object_new();

    json_object_set_int_member(times, "Compared", p->n);
    json_object_set_boolean_member(times, "Same", p->same);
    json_object_set_string_member(times, "By", p->by);
    report_instant(times, "Until", p->until);
    if (!p->same) {
        report_instant(times, "Original", p->theirs);
        report_instant(times, "Import", p->ours);
    }
    json_object_set_object_member(o, "Times", times);
}

static void report_json_place(JsonObject *o, const char *file, unsigned line)
{
    json_object_set_string_member(o, "File", file);
    if (line > 0)
        json_object_set_int_member(o, "Line", line);
}

static JsonArray *report_json_tasks(const Import *im)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < im->tasks->len; i++) {
        const ImportTask *t = g_ptr_array_index(im->tasks, i);
        JsonObject *o = json_object_new();

        report_json_place(o, t->file, t->line);
        if (t->name) {
            json_object_set_string_member(o, "Name", t->name);
            json_object_set_string_member(o, "Text", t->text);
        }
        if (t->proof.done)
            report_json_proof(o, &t->proof);
        json_array_add_object_element(array, o);
    }
    return array;
}

static JsonArray *report_json_notes(const Import *im)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < im->notes->len; i++) {
        const ImportNote *n = g_ptr_array_index(im->notes, i);
        JsonObject *o = json_object_new();

        report_json_place(o, n->file, n->line);
        json_object_set_boolean_member(o, "Lost", n->lost);
        json_object_set_string_member(o, "Message", n->message);
        if (*n->remedy)
            json_object_set_string_member(o, "Remedy", n->remedy);
        json_array_add_object_element(array, o);
    }
    return array;
}

void import_report_json(const Ctl *ctl, const Import *im)
{
    g_autoptr(JsonObject) o = json_object_new();

    json_object_set_array_member(o, "Tasks", report_json_tasks(im));
    json_object_set_array_member(o, "Notes", report_json_notes(im));
    output_json_object(ctl, o);
}
