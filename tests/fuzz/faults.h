/* What holds of the faults of every kind of file. */
#pragma once

#include "line.h"
#include "model/task.h"

static inline unsigned fuzz_lines(const TaskSource *s)
{
    unsigned n = 1;

    for (size_t i = 0; i < s->length; i++)
        n += s->text[i] == '\n';
    return n;
}

/* There are some, each of one line that is printable, in a line that one of these files has. */
static inline void fuzz_check_faults(const TaskSource *sources, size_t n, const DiagList *diags)
{
    g_autofree char *text = diag_list_to_text(diags);
    g_autofree unsigned *lines = g_new(unsigned, n);

    g_assert(diags->len > 0 && utf8_is_valid(text));
    for (size_t k = 0; k < n; k++)
        lines[k] = fuzz_lines(&sources[k]);
    for (guint i = 0; i < diags->len; i++) {
        const Diag *d = g_ptr_array_index(diags, i);
        size_t k = 0;

        while (k < n && !g_str_equal(d->file, sources[k].path))
            k++;
        g_assert(k < n && d->line <= lines[k]);
        fuzz_check_line(d->message);
        if (*d->key)
            fuzz_check_line(d->key);
    }
}
