/* import: tasks made of what other schedulers have, with a report of what became of each line. Nothing of theirs is
 * changed, and nothing is in force unless that is asked for. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/define.h"
#include "ctl/export.h"
#include "ctl/import-files.h"
#include "ctl/import-report.h"
#include "ctl/output.h"
#include "lib/i18n.h"

static void import_prove_all(Import *im, uint64_t now)
{
    for (guint i = 0; i < im->tasks->len; i++) {
        ImportTask *t = g_ptr_array_index(im->tasks, i);
        g_autoptr(GArray) events = NULL;
        guint n = t->times.rule == IMPORT_RULE_EVENTS ? import_prove_count(t, now) : 0;

        if (n > 0)
            events = import_files_events(t->times.events, n, now);
        import_prove(t, now, events);
    }
}

/* --- where it goes --- */

/* What is there is left alone, unless it is to be written over. 0: it is to be written, 1: it is there already. */
static int import_compare(const Ctl *ctl, const char *there, const ImportTask *t, ClientError *e)
{
    if (!there)
        return 0;
    if (g_str_equal(there, t->text))
        return 1;
    if (args_has(&ctl->args, "force"))
        return 0;
    return client_error_set(
        e, ERROR_FAILED, _("The task %s is there already, and is another: --force writes over it"), t->name);
}

static int import_write(Ctl *ctl, const ImportTask *t, ClientError *e)
{
    const char *directory = args_get(&ctl->args, "output");
    g_autofree char *name = g_strconcat(t->name, ".task", NULL),
                    *path = g_build_filename(directory, name, NULL);
    g_autofree char *there = NULL;
    g_autoptr(GError) error = NULL;
    int r;

    if (g_mkdir_with_parents(directory, 0755) < 0)
        return client_error_set(e, ERROR_FAILED, _("%s cannot be made: %s"), directory, g_strerror(errno));
    if (!g_file_get_contents(path, &there, NULL, &error) &&
        !g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return client_error_set(e, ERROR_FAILED, "%s", error->message);
    g_clear_error(&error);
    r = import_compare(ctl, there, t, e);
    if (r != 0)
        return MIN(r, 0);
    if (!g_file_set_contents_full(
            path, t->text, -1, G_FILE_SET_CONTENTS_CONSISTENT, t->private ? 0600 : 0644, &error))
        return client_error_set(e, ERROR_FAILED, "%s", error->message);
    if (ctl->json == CTL_JSON_OFF && !ctl->quiet)
        printf("%s\n", path);
    return 0;
}

/* The daemon names the file of each source above it. */
static const char *import_skip_source(const char *text)
{
    const char *newline = g_str_has_prefix(text, "# ") ? strchr(text, '\n') : NULL;

    return newline ? newline + 1 : text;
}

static int import_apply(Ctl *ctl, const ImportTask *t, ClientError *e)
{
    g_auto(ClientError) none = { 0 };
    g_autofree char *there = NULL;
    uint64_t revision;
    int r = export_text(ctl, t->name, &there, &none);

    if (r < 0 && none.error.code != ERROR_NO_SUCH_TASK)
        return client_error_set(e, none.error.code, "%s", none.error.message);
    r = import_compare(ctl, there ? import_skip_source(there) : NULL, t, e);
    if (r == 0)
        r = define_apply_text(ctl, t->name, t->text, &revision, e);
    return MIN(r, 0);
}

static void import_print(const ImportTask *t, bool first)
{
    printf("%s# %s.task\n%s", first ? "" : "\n", t->name, t->text);
}

/* All are tried; the first fault decides the exit code. */
static int import_put(Ctl *ctl, const Import *im)
{
    bool write = args_has(&ctl->args, "output"), apply = args_has(&ctl->args, "apply"), first = true;
    int code = EXITS_OK;

    for (guint i = 0; i < im->tasks->len; i++) {
        const ImportTask *t = g_ptr_array_index(im->tasks, i);
        g_auto(ClientError) error = { 0 };

        if (!t->name)
            continue;
        if ((write && import_write(ctl, t, &error) < 0) || (apply && import_apply(ctl, t, &error) < 0)) {
            int failed = output_fail(ctl, &error);

            code = code == EXITS_OK ? failed : code;
        }
        if (!write && !apply && ctl->json == CTL_JSON_OFF)
            import_print(t, first);
        first = false;
    }
    return code;
}

/* --- judged by the daemon --- */

/* Settings of [Service] it alone knows. That it cannot be asked is no fault of the import. */
static int import_judge(Ctl *ctl, const Import *im)
{
    g_autoptr(JsonArray) faults = json_array_new();

    for (guint i = 0; i < im->tasks->len; i++) {
        const ImportTask *t = g_ptr_array_index(im->tasks, i);
        g_autofree char *file = t->name ? g_strconcat(t->name, ".task", NULL) : NULL;
        g_auto(ClientError) error = { 0 };

        if (!t->name || define_verify_text(ctl, t->name, file, t->text, faults, &error) >= 0)
            continue;
        output_note(ctl, _("The daemon did not judge the tasks (%s): tschedctl verify does it later"),
            util_strempty(error.error.message));
        break;
    }
    define_print_faults(faults, stderr);
    return json_array_get_length(faults) > 0 ? EXITS_INVALID : EXITS_OK;
}

static bool import_is_whole(const Import *im)
{
    for (guint i = 0; i < im->tasks->len; i++) {
        const ImportTask *t = g_ptr_array_index(im->tasks, i);

        if (!t->name || (t->proof.done && !t->proof.same))
            return false;
    }
    return true;
}

static int import_read(Ctl *ctl, Import *im, ClientError *e)
{
    const char *word = args_get(&ctl->args, "kind");
    ImportKind kind = word ? import_files_kind(word) : _IMPORT_KIND_INVALID;

    if (word && kind == _IMPORT_KIND_INVALID)
        return client_error_set(e, ERROR_INVALID_ARGUMENT,
            _("--kind= is crontab, system-crontab, anacrontab, timer or at, not \"%s\""), word);
    for (guint i = 0; i < ctl->args.words->len; i++) {
        int r = import_files(im, ctl_word(ctl, i), kind, args_get(&ctl->args, "owner"), e);

        if (r < 0)
            return r;
    }
    return 0;
}

int import_verb(Ctl *ctl)
{
    g_autoptr(Import) im = import_new(ctl->user ? g_get_user_name() : NULL);
    g_auto(ClientError) error = { 0 };
    int judged, code;

    if (import_read(ctl, im, &error) < 0)
        return output_fail(ctl, &error);
    import_check(im);
    import_prove_all(im, (uint64_t)g_get_real_time());
    if (ctl->json == CTL_JSON_OFF)
        import_report(ctl, im);
    else
        import_report_json(ctl, im);
    judged = import_judge(ctl, im);
    code = import_put(ctl, im);
    if (code != EXITS_OK)
        return code;
    return judged == EXITS_OK && import_is_whole(im) ? EXITS_OK : EXITS_INVALID;
}
