/* edit: a definition in an editor; judged before it takes the place of the one in force. What was typed is never
 * lost: where it cannot be taken, the file with it stays. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "ctl/agent.h"
#include "ctl/define.h"
#include "ctl/editor.h"
#include "ctl/export.h"
#include "ctl/files.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/i18n.h"

#define BEGIN "### What stands between here and the next line with ### becomes the drop-in\n"
#define END   "### What follows is the definition in force, to look at: it is left out\n"

typedef struct Edit {
    Ctl *ctl;
    const char *task;
    bool from_file, full;
    GPtrArray *parts; /* of ExportFile: the definition in force */
    char *target;     /* the file that is written; NULL: the text is applied */
    char *path;       /* of the text in the editor */
    char *before;     /* that text as it was */
    char *text;       /* what becomes of it: without the guiding lines */
} Edit;

static void edit_clear(Edit *d)
{
    g_clear_pointer(&d->parts, g_ptr_array_unref);
    g_free(d->target);
    g_free(d->path);
    g_free(d->before);
    g_free(d->text);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Edit, edit_clear)

static int edit_read_task(Edit *d, ClientError *e)
{
    g_autoptr(JsonObject) task = NULL;
    g_autofree char *text = NULL;
    int r = client_call_object(d->ctl->client, e, &task, "GetTask", "s", d->task);

    if (r >= 0)
        r = export_text(d->ctl, d->task, &text, e);
    if (r < 0)
        return r;
    d->from_file = g_str_equal(text_member(task, "Origin"), "file");
    d->parts = export_split(d->task, util_strempty(text));
    if (d->full && !d->from_file)
        return client_error_set(e, ERROR_INVALID_ARGUMENT,
            _("--full is for tasks of files; %s is kept in the database"), d->task);
    if (d->from_file && d->ctl->host) {
        r = client_error_set(
            e, ERROR_INVALID_ARGUMENT, _("%s is a file of the machine %s"), d->task, d->ctl->host);
        error_set_hint(&e->error, _("Edit it there: ssh -t %s tschedctl edit %s"), d->ctl->host, d->task);
        return r;
    }
    return 0;
}

/* The nearest directory that is there has to let us in. */
static int edit_check_rights(const Edit *d, ClientError *e)
{
    g_autofree char *at = g_strdup(d->target);
    int r;

    while (access(at, F_OK) < 0 && !g_str_equal(at, "/") && !g_str_equal(at, ".")) {
        char *parent = g_path_get_dirname(at);

        g_free(at);
        at = parent;
    }
    if (access(at, W_OK) >= 0)
        return 0;
    r = client_error_set(e, ERROR_ACCESS_DENIED, _("%s cannot be written: %s"), d->target, g_strerror(errno));
    error_set_hint(&e->error, _("As root: sudo tschedctl edit %s"), d->task);
    return r;
}

static char *edit_target(const Edit *d)
{
    g_autofree char *own = g_strconcat(d->task, ".task", NULL), *dropins = g_strconcat(own, ".d", NULL);
    g_autofree char *base = d->ctl->user ? g_build_filename(g_get_user_config_dir(), "taskschedd", NULL)
                                         : g_strdup("/etc/taskschedd");

    return d->full ? g_build_filename(base, "tasks", own, NULL)
                   : g_build_filename(base, "tasks", dropins, "override.conf", NULL);
}

/* The drop-in as it is, and below it all that it changes. */
static char *edit_compose(const Edit *d, const char *content)
{
    GString *out = g_string_new(BEGIN);

    g_string_append_printf(out, "### %s\n\n%s\n\n" END, d->target, content);
    for (guint i = 0; i < d->parts->len; i++) {
        const ExportFile *f = g_ptr_array_index(d->parts, i);
        g_auto(GStrv) lines = g_strsplit(export_part_text(f), "\n", -1);

        g_string_append_printf(out, "\n### %s\n", util_strempty(f->source));
        for (char **line = lines; *line; line++)
            g_string_append_printf(out, "# %s\n", *line);
    }
    return g_string_free(out, FALSE);
}

/* What is put into the editor. */
static int edit_prepare(Edit *d, ClientError *e)
{
    const ExportFile *own = g_ptr_array_index(d->parts, 0);
    g_autofree char *content = NULL;
    int r;

    if (!d->from_file) {
        d->before = g_strdup(export_part_text(own));
        return 0;
    }
    d->target = edit_target(d);
    r = edit_check_rights(d, e);
    if (r < 0)
        return r;
    if (d->full) {
        /* The file as it stands, whether or not it is the one in force. */
        return files_read_text(
            access(d->target, F_OK) == 0 ? d->target : own->source, ERROR_INVALID_TASK, &d->before, e);
    }
    if (access(d->target, F_OK) == 0)
        r = files_read_text(d->target, ERROR_INVALID_TASK, &content, e);
    if (r >= 0)
        d->before = edit_compose(d, content ? g_strchomp(content) : "");
    return r;
}

static int edit_write_temporary(Edit *d, ClientError *e)
{
    g_autofree char *directory = g_dir_make_tmp("tschedctl-edit-XXXXXX", NULL);
    g_autofree char *name = g_strconcat(d->task, ".task", NULL);
    g_autoptr(GError) error = NULL;

    if (!directory)
        return client_error_set(
            e, ERROR_FAILED, _("%s cannot be made: %s"), g_get_tmp_dir(), g_strerror(errno));
    d->path = g_build_filename(directory, name, NULL);
    if (!g_file_set_contents(d->path, d->before, -1, &error))
        return client_error_set(e, ERROR_FAILED, "%s", error->message);
    return 0;
}

static void edit_remove_temporary(Edit *d)
{
    g_autofree char *directory = d->path ? g_path_get_dirname(d->path) : NULL;

    if (!d->path)
        return;
    unlink(d->path);
    rmdir(directory);
    g_clear_pointer(&d->path, g_free);
}

static bool edit_is_guide(const char *line, const char *guide)
{
    size_t length = strlen(guide) - 1; /* without its line break */

    return strlen(line) == length && strncmp(line, guide, length) == 0;
}

/* Lines that are left out become empty ones: what the daemon says of a line is true of the text in the editor. */
static char *edit_extract(const Edit *d, const char *text)
{
    GString *out;
    g_auto(GStrv) lines = NULL;
    g_autofree char *name = g_strconcat("### ", d->target, NULL);
    bool within = false, over = false;

    if (!d->target || d->full || !strstr(text, BEGIN))
        return g_strdup(text);
    out = g_string_new(NULL);
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line && !over; line++) {
        bool begins = edit_is_guide(*line, BEGIN);

        over = within && edit_is_guide(*line, END);
        within = within || begins;
        g_string_append_printf(
            out, "%s\n", within && !begins && !over && !g_str_equal(*line, name) ? *line : "");
    }
    return g_string_free(out, FALSE);
}

/* As the daemon would put the files together: the drop-ins by their names, the edited one in its place. */
static GPtrArray *edit_sources(const Edit *d)
{
    GPtrArray *sources = define_sources_new();
    bool placed = false;

    for (guint i = 0; i < d->parts->len; i++) {
        const ExportFile *f = g_ptr_array_index(d->parts, i);
        g_autofree char *name = g_path_get_basename(f->path);
        bool replaced = d->full || !d->from_file ? i == 0 : g_str_equal(name, "override.conf");

        if (!placed &&
            (replaced || (i > 0 && d->from_file && !d->full && strcmp(name, "override.conf") > 0))) {
            define_add(sources, d->path, d->text);
            placed = true;
        }
        if (replaced)
            continue;
        define_add(sources, f->source ? f->source : f->path, export_part_text(f));
    }
    if (!placed)
        define_add(sources, d->path, d->text);
    return sources;
}

static int edit_install(Edit *d, ClientError *e)
{
    g_autofree char *parent = NULL, *bare = NULL;
    g_autoptr(GError) error = NULL;
    uint64_t revision;

    agent_open(d->ctl);
    if (!d->target)
        return define_apply_text(d->ctl, d->task, d->text, &revision, e);
    parent = g_path_get_dirname(d->target);
    bare = d->full ? g_strdup(d->text) : g_strdup_printf("%s\n", g_strstrip(d->text));
    if (g_mkdir_with_parents(parent, 0755) < 0)
        return client_error_set(e, ERROR_FAILED, _("%s cannot be made: %s"), parent, g_strerror(errno));
    if (!g_file_set_contents_full(d->target, bare, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, &error))
        return client_error_set(e, ERROR_FAILED, "%s", error->message);
    edit_remove_temporary(d);
    output_note(d->ctl, _("Written: %s"), d->target);
    return client_call(d->ctl->client, e, NULL, "Reload", "");
}

static bool edit_is_empty(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* The text that came back from the editor: an exit code. */
static int edit_take(Edit *d)
{
    g_autoptr(JsonArray) faults = json_array_new();
    g_autoptr(GPtrArray) sources = NULL;
    g_auto(ClientError) error = { 0 };
    g_autofree char *after = NULL;

    if (files_read_text(d->path, ERROR_INVALID_TASK, &after, &error) < 0)
        return output_fail(d->ctl, &error);
    d->text = edit_extract(d, after);
    if (g_str_equal(after, d->before) || edit_is_empty(d->text)) {
        output_note(d->ctl, _("%s is left as it is"), d->task);
        edit_remove_temporary(d);
        return EXITS_OK;
    }
    sources = edit_sources(d);
    if (define_verify_sources(d->ctl, d->task, sources, faults, &error) < 0)
        return output_fail(d->ctl, &error);
    if (json_array_get_length(faults) > 0) {
        define_print_faults(faults, stderr);
        client_error_set(&error, ERROR_INVALID_TASK, _("The definition has faults and is not taken"));
        return output_fail(d->ctl, &error);
    }
    if (edit_install(d, &error) < 0)
        return output_fail(d->ctl, &error);
    edit_remove_temporary(d);
    return EXITS_OK;
}

int edit_verb(Ctl *ctl)
{
    g_auto(ClientError) error = { 0 };
    g_auto(Edit) d = { .ctl = ctl, .task = ctl_word(ctl, 0), .full = args_has(&ctl->args, "full") };
    int code, r = edit_read_task(&d, &error);

    if (r >= 0)
        r = edit_prepare(&d, &error);
    if (r >= 0)
        r = edit_write_temporary(&d, &error);
    if (r >= 0)
        r = editor_run(d.path, &error);
    if (r < 0) {
        edit_remove_temporary(&d);
        return output_fail(ctl, &error);
    }
    code = edit_take(&d);
    if (d.path)
        output_note(ctl, _("What you wrote is kept in %s"), d.path);
    return code;
}
