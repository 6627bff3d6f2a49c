/* The list of faults that a definition or an input is answered with. */
#include "model/diag.h"

#include "base/utf8.h"

/* A file can hold as many faults as lines; nobody reads more than this, and memory stays bounded. */
#define DIAG_MAX 1000

static void diag_free(gpointer data)
{
    Diag *d = data;

    if (!d)
        return;
    g_free(d->file);
    g_free(d->key);
    g_free(d->message);
    g_free(d);
}

DiagList *diag_list_new(void)
{
    return g_ptr_array_new_with_free_func(diag_free);
}

bool diag_list_full(const DiagList *list)
{
    return list->len >= DIAG_MAX;
}

void diag_add(DiagList *list, const char *file, unsigned line, unsigned column, const char *key,
    const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;
    Diag *d;

    if (diag_list_full(list))
        return;

    d = g_new0(Diag, 1);
    d->file = g_strdup(util_strempty(file));
    d->line = line;
    d->column = column;
    if (list->len == DIAG_MAX - 1) {
        d->key = g_strdup("");
        d->message = g_strdup("there are more faults, which are not shown");
    } else {
        va_start(ap, format);
        text = g_strdup_vprintf(format, ap);
        va_end(ap);
        d->key = utf8_show_line(util_strempty(key));
        d->message = utf8_show_line(text);
    }
    g_ptr_array_add(list, d);
}

static gint diag_compare(gconstpointer a, gconstpointer b, gpointer userdata)
{
    const Diag *x = *(const Diag *const *)a, *y = *(const Diag *const *)b;
    GHashTable *order = userdata;
    guint fx = GPOINTER_TO_UINT(g_hash_table_lookup(order, x->file));
    guint fy = GPOINTER_TO_UINT(g_hash_table_lookup(order, y->file));

    if (fx != fy)
        return fx < fy ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return 0;
}

void diag_list_sort(DiagList *list)
{
    g_autoptr(GHashTable) order = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < list->len; i++) {
        Diag *d = g_ptr_array_index(list, i);

        if (!g_hash_table_contains(order, d->file))
            g_hash_table_insert(order, d->file, GUINT_TO_POINTER(g_hash_table_size(order) + 1));
    }
    g_ptr_array_sort_with_data(list, diag_compare, order);
}

char *diag_list_to_text(const DiagList *list)
{
    GString *s = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++) {
        const Diag *d = g_ptr_array_index(list, i);

        if (d->file[0])
            g_string_append_printf(s, "%s:", d->file);
        if (d->line > 0)
            g_string_append_printf(s, "%u:", d->line);
        if (d->line > 0 && d->column > 0)
            g_string_append_printf(s, "%u:", d->column);
        if (s->len > 0 && s->str[s->len - 1] == ':')
            g_string_append_c(s, ' ');
        if (d->key[0])
            g_string_append_printf(s, "%s: ", d->key);
        g_string_append(s, d->message);
        g_string_append_c(s, '\n');
    }
    return g_string_free(s, FALSE);
}
