/* Widths are counted in terminal columns, so that wide and combining characters line up too. */
#include "ctl/table.h"

#include "ctl/text.h"
#include "lib/i18n.h"

#define GAP     2u
#define MINIMUM 3u /* a column is not cut below this */

typedef struct Cell {
    char *text;
    TableColour colour;
} Cell;

struct Table {
    const TableColumn *columns;
    size_t n;
    unsigned *widths; /* of what was rendered so far */
    GArray *cells;    /* of Cell, row by row */
};

static void cell_clear(void *cell)
{
    g_free(((Cell *)cell)->text);
}

Table *table_new(const TableColumn *columns, size_t n)
{
    Table *t = g_new0(Table, 1);

    t->columns = columns;
    t->n = n;
    t->widths = g_new0(unsigned, n);
    t->cells = g_array_new(false, false, sizeof(Cell));
    g_array_set_clear_func(t->cells, cell_clear);
    return t;
}

void table_free(Table *t)
{
    if (!t)
        return;
    g_array_unref(t->cells);
    g_free(t->widths);
    g_free(t);
}

void table_add(Table *t, char *text, TableColour colour)
{
    g_autofree char *taken = text;
    Cell cell = { text_safe(util_strempty(taken)), colour };

    g_array_append_val(t->cells, cell);
}

size_t table_rows(const Table *t)
{
    return t->n > 0 ? t->cells->len / t->n : 0;
}

const char *table_colour(TableColour c)
{
    static const char *const sequences[] = {
        [TABLE_PLAIN] = "",
        [TABLE_GREEN] = "\x1b[0;32m",
        [TABLE_RED] = "\x1b[0;1;31m",
        [TABLE_YELLOW] = "\x1b[0;33m",
        [TABLE_GREY] = "\x1b[0;90m",
        [TABLE_CYAN] = "\x1b[0;36m",
    };

    return sequences[c];
}

/* What went well, went wrong, was not to be, goes on, or has not begun. */
TableColour table_run_colour(const char *state, const char *result)
{
    static const char *const unwanted[] = { "cancelled", "skipped", "expired", NULL };

    if (g_str_equal(result, "success"))
        return TABLE_GREEN;
    if (*result)
        return g_strv_contains(unwanted, result) ? TABLE_YELLOW : TABLE_RED;
    return g_str_equal(state, "waiting") || g_str_equal(state, "queued") ? TABLE_GREY : TABLE_CYAN;
}

static unsigned table_char_width(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

unsigned table_width(const char *text)
{
    unsigned width = 0;

    for (const char *p = text; *p; p = g_utf8_next_char(p))
        width += table_char_width(g_utf8_get_char(p));
    return width;
}

char *table_ellipsize(const char *text, unsigned width)
{
    unsigned used = 0;
    const char *p;

    if (table_width(text) <= width)
        return g_strdup(text);
    for (p = text; *p; p = g_utf8_next_char(p)) {
        unsigned w = table_char_width(g_utf8_get_char(p));

        if (used + w + 1 > width)
            break;
        used += w;
    }
    return g_strdup_printf("%.*s%s", (int)(p - text), text, width > 0 ? "…" : "");
}

static Cell *table_cell(const Table *t, size_t row, size_t column)
{
    return &g_array_index(t->cells, Cell, row * t->n + column);
}

static const char *table_header(const Table *t, size_t column)
{
    return gettext(t->columns[column].header);
}

static void table_measure(Table *t, bool header)
{
    for (size_t c = 0; c < t->n; c++) {
        if (header)
            t->widths[c] = MAX(t->widths[c], table_width(table_header(t, c)));
        for (size_t row = 0; row < table_rows(t); row++)
            t->widths[c] = MAX(t->widths[c], table_width(table_cell(t, row, c)->text));
    }
}

static size_t table_total(const Table *t)
{
    size_t total = (t->n - 1) * GAP;

    for (size_t c = 0; c < t->n; c++)
        total += t->widths[c];
    return total;
}

/* Takes from the readiest columns first, from the widest of them. */
static void table_fit(Table *t, unsigned width)
{
    while (table_total(t) > width) {
        size_t best = t->n;

        for (size_t c = 0; c < t->n; c++) {
            const TableColumn *column = &t->columns[c];

            if (column->shrink == 0 || t->widths[c] <= MINIMUM)
                continue;
            if (best == t->n || column->shrink > t->columns[best].shrink ||
                (column->shrink == t->columns[best].shrink && t->widths[c] > t->widths[best]))
                best = c;
        }
        if (best == t->n)
            return;
        t->widths[best]--;
    }
}

static void table_append(
    const Table *t, GString *out, size_t column, const char *text, TableColour colour, bool colours)
{
    g_autofree char *cut = table_ellipsize(text, t->widths[column]);
    unsigned pad = t->widths[column] - MIN(t->widths[column], table_width(cut));
    bool last = column + 1 == t->n;
    bool coloured = colours && colour != TABLE_PLAIN;

    if (t->columns[column].right)
        g_string_append_printf(out, "%*s", (int)pad, "");
    g_string_append_printf(
        out, "%s%s%s", coloured ? table_colour(colour) : "", cut, coloured ? "\x1b[0m" : "");
    if (!last)
        g_string_append_printf(out, "%*s", (int)(GAP + (t->columns[column].right ? 0 : pad)), "");
}

static void table_trim(GString *line)
{
    while (line->len > 0 && line->str[line->len - 1] == ' ')
        g_string_truncate(line, line->len - 1);
}

char *table_render(Table *t, unsigned width, bool header, bool colours)
{
    GString *out = g_string_new(NULL);

    table_measure(t, header);
    if (width > 0)
        table_fit(t, width);
    if (header) {
        for (size_t c = 0; c < t->n; c++)
            table_append(t, out, c, table_header(t, c), TABLE_PLAIN, false);
        table_trim(out);
        g_string_append_c(out, '\n');
    }
    for (size_t row = 0; row < table_rows(t); row++) {
        for (size_t c = 0; c < t->n; c++) {
            const Cell *cell = table_cell(t, row, c);

            table_append(t, out, c, cell->text, cell->colour, colours);
        }
        table_trim(out);
        g_string_append_c(out, '\n');
    }
    g_array_set_size(t->cells, 0);
    return g_string_free(out, FALSE);
}
