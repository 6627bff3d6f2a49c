/* Lines, comments, continuations, sections and assignments of a task file. A bad line is reported and the
 * next one read, so that a person sees every fault at once. */
#include <string.h>

#include "model/task-file.h"

#include "base/utf8.h"

typedef struct TaskFileReader {
    const TaskSource *source;
    DiagList *diags;
    GPtrArray *items;
    GString *logical; /* the line so far, with its continuations */
    GArray *spans;
    unsigned characters; /* in logical */
    bool damaged;
    bool open; /* logical waits for its continuation */
} TaskFileReader;

static void task_file_item_free(gpointer data)
{
    TaskFileItem *item = data;

    if (!item)
        return;
    g_free(item->key);
    g_free(item->value);
    g_clear_pointer(&item->spans, g_array_unref);
    g_free(item);
}

static unsigned task_file_characters(const char *s, size_t bytes)
{
    return (unsigned)g_utf8_strlen(s, (gssize)bytes);
}

static void task_file_locate(const GArray *spans, unsigned offset, unsigned *ret_line, unsigned *ret_column)
{
    const TaskFileSpan *found = &g_array_index(spans, TaskFileSpan, 0);

    for (guint i = 1; i < spans->len && g_array_index(spans, TaskFileSpan, i).offset <= offset; i++)
        found = &g_array_index(spans, TaskFileSpan, i);
    *ret_line = found->line;
    *ret_column = found->column + (offset - found->offset);
}

void task_file_position(const TaskFileItem *item, unsigned offset, unsigned *ret_line, unsigned *ret_column)
{
    task_file_locate(item->spans, item->value_offset + offset, ret_line, ret_column);
}

void task_file_place(const TaskFileItem *item, DiagList *diags, guint first)
{
    for (guint i = first; i < diags->len; i++) {
        Diag *d = g_ptr_array_index(diags, i);

        task_file_position(item, d->column > 0 ? d->column - 1 : 0, &d->line, &d->column);
    }
}

/* A physical line with every byte that is no text replaced, each kind of fault reported once. */
static char *task_file_clean(TaskFileReader *r, const char *text, size_t length, unsigned line)
{
    GString *clean = g_string_sized_new(length + 1);
    bool nul = false, invalid = false;

    while (length > 0) {
        const char *end;
        unsigned column;

        (void)utf8_is_valid_len(text, length, &end);
        g_string_append_len(clean, text, end - text);
        length -= (size_t)(end - text);
        text = end;
        if (length == 0)
            break;
        column = task_file_characters(clean->str, clean->len) + 1;
        if (*text == 0 && !nul)
            diag_add(r->diags, r->source->path, line, column, "", "a NUL byte, a task file is text");
        else if (*text != 0 && !invalid)
            diag_add(r->diags, r->source->path, line, column, "", "invalid UTF-8");
        nul |= *text == 0;
        invalid |= *text != 0;
        r->damaged = true;
        g_string_append_c(clean, '?');
        text++;
        length--;
        if (nul && invalid) { /* nothing more to say about this line */
            break;
        }
    }
    return g_string_free(clean, FALSE);
}

static void task_file_add(
    TaskFileReader *r, bool is_section, char *key, size_t key_at, char *value, size_t value_at)
{
    TaskFileItem *item = g_new0(TaskFileItem, 1);

    item->is_section = is_section;
    item->damaged = r->damaged;
    item->file = r->source->path;
    item->key = key;
    item->value = value;
    item->value_offset = task_file_characters(r->logical->str, value_at);
    item->spans = g_array_ref(r->spans);
    task_file_locate(r->spans, task_file_characters(r->logical->str, key_at), &item->line, &item->column);
    g_ptr_array_add(r->items, item);
}

static void task_file_complain(TaskFileReader *r, size_t at, const char *message)
{
    unsigned line, column;

    if (r->damaged)
        return; /* said already what is wrong with this line */
    task_file_locate(r->spans, task_file_characters(r->logical->str, at), &line, &column);
    diag_add(r->diags, r->source->path, line, column, "", "%s", message);
}

/* One logical line: a section or an assignment. */
static void task_file_parse(TaskFileReader *r)
{
    char *text = r->logical->str, *equals;
    size_t start, end = r->logical->len, value_at;

    while (end > 0 && g_ascii_isspace(text[end - 1]))
        end--;
    for (start = 0; start < end && g_ascii_isspace(text[start]); start++)
        ;
    if (start == end)
        return;
    if (text[start] == '[') {
        bool whole = text[end - 1] == ']';

        if (!whole) {
            task_file_complain(r, start, "a section header ends in ']'");
            r->damaged = true; /* it still ends the section before */
        }
        task_file_add(
            r, true, g_strndup(text + start + 1, whole ? end - start - 2 : 0), start, g_strdup(""), start);
        return;
    }
    equals = memchr(text + start, '=', end - start);
    if (!equals) {
        task_file_complain(r, start, "neither a [section] nor KEY=VALUE");
        return;
    }
    if (equals == text + start) {
        task_file_complain(r, start, "a key is missing before '='");
        return;
    }
    for (value_at = (size_t)(equals - text) + 1; value_at < end && g_ascii_isspace(text[value_at]);
         value_at++)
        ;
    task_file_add(r, false, g_strchomp(g_strndup(text + start, (size_t)(equals - text) - start)), start,
        g_strndup(text + value_at, end - value_at), value_at);
}

static void task_file_flush(TaskFileReader *r)
{
    if (r->spans->len > 0)
        task_file_parse(r);
    g_string_truncate(r->logical, 0);
    g_array_unref(r->spans);
    r->spans = g_array_new(FALSE, FALSE, sizeof(TaskFileSpan));
    r->characters = 0;
    r->damaged = r->open = false;
}

static bool task_file_ends_in_backslash(const char *s)
{
    bool escaped = false;

    for (; *s; s++)
        escaped = !escaped && *s == '\\';
    return escaped;
}

static void task_file_line(TaskFileReader *r, const char *text, size_t length, unsigned line)
{
    TaskFileSpan span = { .offset = r->characters, .line = line, .column = 1 };
    bool damaged = r->damaged;
    g_autofree char *clean = NULL;
    const char *p;

    if (length > 0 && text[length - 1] == '\r')
        length--;
    clean = task_file_clean(r, text, length, line);
    p = clean + strspn(clean, " \t");
    if (*p == '#' || *p == ';') {
        r->damaged = damaged; /* a comment harms nothing but itself */
        return;
    }
    g_array_append_val(r->spans, span);
    g_string_append(r->logical, clean);
    r->characters += task_file_characters(clean, strlen(clean));
    r->open = task_file_ends_in_backslash(clean);
    if (r->open)
        r->logical->str[r->logical->len - 1] = ' ';
    else
        task_file_flush(r);
}

GPtrArray *task_file_read(const TaskSource *source, DiagList *diags)
{
    TaskFileReader r = {
        .source = source,
        .diags = diags,
        .items = g_ptr_array_new_with_free_func(task_file_item_free),
        .logical = g_string_new(NULL),
        .spans = g_array_new(FALSE, FALSE, sizeof(TaskFileSpan)),
    };
    const char *p = source->text, *end = source->text + source->length;
    unsigned line = 1;

    if (source->length > TASK_FILE_MAX) {
        diag_add(diags, source->path, 0, 0, "", "the file has %zu bytes, the limit is %zu", source->length,
            TASK_FILE_MAX);
        p = end;
    }
    if (end - p >= 3 && memcmp(p, "\357\273\277", 3) == 0)
        p += 3; /* a byte order mark */
    for (; p < end; line++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline ? newline : end;

        task_file_line(&r, p, (size_t)(stop - p), line);
        p = newline ? newline + 1 : end;
    }
    if (r.open)
        task_file_flush(&r);
    g_string_free(r.logical, TRUE);
    g_array_unref(r.spans);
    return r.items;
}
