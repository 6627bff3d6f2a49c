/* cat and export: definitions back as text. */
#include "ctl/export.h"

#include <stdio.h>
#include <string.h>

#include "ctl/calendars.h"
#include "ctl/define.h"
#include "ctl/export-other.h"
#include "ctl/import-report.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/i18n.h"

int export_text(Ctl *ctl, const char *task, char **ret, ClientError *e)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    const char *text = NULL;
    int r = client_call(ctl->client, e, &reply, "GetTaskText", "s", task);

    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "s", &text);
    if (r < 0) {
        client_error_from_bus(e, NULL, r);
        return r;
    }
    *ret = g_strdup(text);
    return 0;
}

static void export_print(const char *text)
{
    fputs(text, stdout);
    if (*text && !g_str_has_suffix(text, "\n"))
        fputc('\n', stdout);
}

int export_cat_verb(Ctl *ctl)
{
    g_auto(ClientError) error = { 0 };

    for (guint i = 0; i < ctl->args.words->len; i++) {
        g_autofree char *text = NULL;

        if (export_text(ctl, ctl_word(ctl, i), &text, &error) < 0) {
            output_pager_close(ctl);
            return output_fail(ctl, &error);
        }
        output_pager_open(ctl);
        if (i > 0)
            fputc('\n', stdout);
        export_print(text);
    }
    output_pager_close(ctl);
    return EXITS_OK;
}

void export_file_free(void *file)
{
    ExportFile *f = file;

    g_free(f->source);
    g_free(f->path);
    g_string_free(f->text, TRUE);
    g_free(f);
}

ExportFile *export_file_new(GPtrArray *files, const char *path)
{
    ExportFile *f = g_new0(ExportFile, 1);

    f->path = g_strdup(path);
    f->text = g_string_new(NULL);
    g_ptr_array_add(files, f);
    return f;
}

/* "# /etc/taskschedd/tasks/NAME.task.d/X.conf" begins a drop-in: its name, NULL for any other line. */
static const char *export_dropin(const char *line, const char *marker)
{
    const char *at = g_str_has_prefix(line, "# /") ? strstr(line, marker) : NULL;
    const char *name = at ? at + strlen(marker) : NULL;

    return name && g_str_has_suffix(name, ".conf") && !strchr(name, '/') ? name : NULL;
}

GPtrArray *export_split(const char *name, const char *text)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(export_file_free);
    g_autofree char *marker = g_strdup_printf("/%s.task.d/", name);
    g_autofree char *own = g_strconcat(name, ".task", NULL);
    ExportFile *f = export_file_new(files, own);

    if (text[0] == '#' && text[1] == ' ')
        f->source = g_strndup(text + 2, strcspn(text + 2, "\n"));
    while (*text) {
        const char *newline = strchr(text, '\n');
        size_t length = newline ? (size_t)(newline - text) : strlen(text);
        g_autofree char *line = g_strndup(text, length);
        const char *dropin = export_dropin(line, marker);

        if (dropin) {
            g_autofree char *path = g_strdup_printf("%s.d/%s", own, dropin);

            f = export_file_new(files, path);
            f->source = g_strdup(line + 2);
        } else {
            g_string_append_printf(f->text, "%s\n", line);
        }
        text += length + (newline ? 1 : 0);
    }
    return files;
}

const char *export_part_text(const ExportFile *f)
{
    const char *text = f->text->str, *newline = strchr(text, '\n');

    return f->source && g_str_has_prefix(text, "# ") && newline &&
                   strncmp(text + 2, f->source, strlen(f->source)) == 0
               ? newline + 1
               : text;
}

static int export_write(const char *directory, const ExportFile *f, ClientError *e)
{
    g_autofree char *path = g_build_filename(directory, f->path, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;

    if (g_mkdir_with_parents(parent, 0755) < 0)
        return client_error_set(e, ERROR_FAILED, _("%s cannot be made: %s"), parent, g_strerror(errno));
    if (!g_file_set_contents(path, f->text->str, (gssize)f->text->len, &error))
        return client_error_set(e, ERROR_FAILED, "%s", error->message);
    return 0;
}

static int export_task(Ctl *ctl, const char *task, bool first, ClientError *e)
{
    const char *directory = args_get(&ctl->args, "output");
    g_autofree char *text = NULL;
    g_autoptr(GPtrArray) files = NULL;
    int r = export_text(ctl, task, &text, e);

    if (r < 0)
        return r;
    if (!directory) {
        if (!first)
            fputc('\n', stdout);
        export_print(util_strempty(text));
        return 0;
    }
    files = export_split(task, util_strempty(text));
    for (guint i = 0; r >= 0 && i < files->len; i++)
        r = export_write(directory, g_ptr_array_index(files, i), e);
    return r;
}

static void export_add_name(JsonObject *task, void *names)
{
    g_ptr_array_add(names, g_strdup(text_member(task, "Name")));
}

static int export_all_names(Ctl *ctl, GPtrArray *names, ClientError *e)
{
    return client_list_all(
        ctl->client, e, "ListTasks", &(ClientFilter){ 0 }, G_MAXUINT, export_add_name, names);
}

/* --- for other schedulers --- */

static int export_parse(Ctl *ctl, const char *name, const char *text, Task **ret, ClientError *e)
{
    g_autoptr(GPtrArray) parts = export_split(name, text), diags = diag_list_new();
    g_autoptr(GPtrArray) sources = define_sources_new();
    g_autofree TaskSource *flat = NULL;
    int r;

    for (guint i = 0; i < parts->len; i++) {
        const ExportFile *f = g_ptr_array_index(parts, i);

        define_add(sources, f->path, f->text->str);
    }
    r = calendars_fetch(ctl, sources, sources, e);
    if (r < 0)
        return r;
    flat = g_new0(TaskSource, sources->len);
    for (guint i = 0; i < sources->len; i++)
        flat[i] = *(const TaskSource *)g_ptr_array_index(sources, i);
    if (task_parse(name, flat, sources->len, diags, ret) < 0) {
        const Diag *d = g_ptr_array_index(diags, 0);

        return client_error_set(e, ERROR_INVALID_TASK, "%s: %s: %s", name, d->key, d->message);
    }
    return 0;
}

/* A file of cron.d has no dot in its name. */
static void export_add_crontab(ExportOther *o, GPtrArray *files)
{
    g_autofree char *name = g_strdelimit(g_strdup(o->task->name), ".", '-');

    export_crontab(o, export_file_new(files, name)->text);
}

static int export_put(const char *directory, const GPtrArray *files, bool headings, ClientError *e)
{
    int r = 0;

    for (guint i = 0; i < files->len && r >= 0; i++) {
        const ExportFile *f = g_ptr_array_index(files, i);

        if (f->text->len == 0)
            continue;
        if (directory)
            r = export_write(directory, f, e);
        else if (headings)
            printf("# %s\n%s\n", f->path, f->text->str);
        else
            fputs(f->text->str, stdout);
    }
    return r;
}

static int export_foreign(Ctl *ctl, const char *name, bool crontab, ExportOther *o, ClientError *e)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(export_file_free);
    g_autofree char *text = NULL;
    g_autoptr(Task) task = NULL;
    int r = export_text(ctl, name, &text, e);

    if (r >= 0)
        r = export_parse(ctl, name, util_strempty(text), &task, e);
    if (r < 0)
        return r;
    o->task = task;
    if (crontab)
        export_add_crontab(o, files);
    else
        export_timer(o, files);
    return export_put(args_get(&ctl->args, "output"), files, !crontab, e);
}

static int export_foreign_all(Ctl *ctl, const GPtrArray *names, bool crontab)
{
    g_autoptr(Import) notes = import_new(NULL);
    g_autoptr(GHashTable) leaked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    ExportOther o = { .notes = notes, .now = (uint64_t)g_get_real_time(), .user = ctl->user };
    g_auto(ClientError) error = { 0 };

    o.leaked = args_has(&ctl->args, "output") ? NULL : leaked;
    for (guint i = 0; i < names->len; i++)
        if (export_foreign(ctl, g_ptr_array_index(names, i), crontab, &o, &error) < 0)
            return output_fail(ctl, &error);
    import_report_notes(ctl, notes);
    return o.n_refused > 0 || o.n_other > 0 ? EXITS_INVALID : EXITS_OK;
}

int export_verb(Ctl *ctl)
{
    const char *format = args_get(&ctl->args, "format");
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_auto(ClientError) error = { 0 };

    if (format && !g_str_equal(format, "task") && !g_str_equal(format, "crontab") &&
        !g_str_equal(format, "timer"))
        return output_usage(ctl, _("--format= is task, crontab or timer, not \"%s\""), format);
    for (guint i = 0; i < ctl->args.words->len; i++)
        g_ptr_array_add(names, g_strdup(ctl_word(ctl, i)));
    if (names->len == 0 && export_all_names(ctl, names, &error) < 0)
        return output_fail(ctl, &error);
    if (format && !g_str_equal(format, "task"))
        return export_foreign_all(ctl, names, g_str_equal(format, "crontab"));
    for (guint i = 0; i < names->len; i++)
        if (export_task(ctl, g_ptr_array_index(names, i), i == 0, &error) < 0)
            return output_fail(ctl, &error);
    return EXITS_OK;
}
