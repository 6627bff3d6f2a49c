/* What an import has found so far: tasks with names of their own, and notes. */
#include <stdarg.h>
#include <string.h>

#include "base/utf8.h"
#include "ctl/import.h"

#define IMPORT_NAME_MAX 60u /* with a number behind it, it is a name still */

static void import_note_free(gpointer data)
{
    ImportNote *n = data;

    g_free(n->file);
    g_free(n->message);
    g_free(n->remedy);
    g_free(n);
}

void import_times_clear(ImportTimes *t)
{
    g_clear_pointer(&t->events, g_ptr_array_unref);
}

static void import_task_free(gpointer data)
{
    ImportTask *t = data;

    g_free(t->name);
    g_free(t->file);
    g_free(t->text);
    import_times_clear(&t->times);
    g_free(t);
}

Import *import_new(const char *user)
{
    Import *im = g_new0(Import, 1);

    im->tasks = g_ptr_array_new_with_free_func(import_task_free);
    im->notes = g_ptr_array_new_with_free_func(import_note_free);
    im->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    im->user = user;
    return im;
}

void import_free(Import *im)
{
    if (!im)
        return;
    g_ptr_array_unref(im->tasks);
    g_ptr_array_unref(im->notes);
    g_hash_table_unref(im->names);
    g_free(im);
}

static void import_note(
    Import *im, const char *file, unsigned line, bool lost, const char *remedy, char *message)
{
    g_autofree char *taken = message;
    ImportNote *n = g_new0(ImportNote, 1);

    n->file = g_strdup(file);
    n->line = line;
    n->lost = lost;
    n->message = utf8_show_line(taken);
    n->remedy = g_strdup(remedy);
    g_ptr_array_add(im->notes, n);
}

void import_lost(Import *im, const char *file, unsigned line, const char *remedy, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    import_note(im, file, line, true, remedy, g_strdup_vprintf(format, ap));
    va_end(ap);
}

void import_changed(Import *im, const char *file, unsigned line, const char *remedy, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    import_note(im, file, line, false, remedy, g_strdup_vprintf(format, ap));
    va_end(ap);
}

static ImportTask *import_append(Import *im, const char *file, unsigned line)
{
    ImportTask *t = g_new0(ImportTask, 1);

    t->file = g_strdup(file);
    t->line = line;
    g_ptr_array_add(im->tasks, t);
    return t;
}

void import_refuse(Import *im, const char *file, unsigned line)
{
    (void)import_append(im, file, line);
}

void import_withdraw(ImportTask *t)
{
    g_clear_pointer(&t->name, g_free);
    g_clear_pointer(&t->text, g_free);
    import_times_clear(&t->times);
    t->times = (ImportTimes){ .rule = IMPORT_RULE_NONE };
}

/* What of it can stand in a name. */
static char *import_name(const char *wish)
{
    GString *s = g_string_new(NULL);

    for (const char *p = wish; *p && s->len < IMPORT_NAME_MAX; p++) {
        bool good = g_ascii_isalnum(*p) || (s->len > 0 && strchr("_.-", *p));

        if (good)
            g_string_append_c(s, *p);
        else if (s->len > 0 && s->str[s->len - 1] != '-')
            g_string_append_c(s, '-');
    }
    while (s->len > 0 && s->str[s->len - 1] == '-')
        g_string_truncate(s, s->len - 1);
    if (s->len == 0)
        g_string_append(s, "imported");
    return g_string_free(s, FALSE);
}

ImportTask *import_add(Import *im, const char *file, unsigned line, const char *wish)
{
    g_autofree char *base = import_name(wish);
    ImportTask *t = import_append(im, file, line);

    t->name = g_strdup(base);
    for (unsigned n = 2; g_hash_table_contains(im->names, t->name); n++) {
        g_free(t->name);
        t->name = g_strdup_printf("%s-%u", base, n);
    }
    g_hash_table_add(im->names, g_strdup(t->name));
    return t;
}
