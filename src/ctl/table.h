/* Columns of text that fit a width. Pure. */
#pragma once

#include "base/util.h"

typedef enum TableColour {
    TABLE_PLAIN,
    TABLE_GREEN,
    TABLE_RED,
    TABLE_YELLOW,
    TABLE_GREY,
    TABLE_CYAN,
} TableColour;

typedef struct TableColumn {
    const char *header; /* English */
    bool right;         /* aligned */
    unsigned shrink;    /* how readily it is cut where the width does not do: 0 never, higher first */
} TableColumn;

typedef struct Table Table;

/* columns is borrowed, n of them. */
Table *table_new(const TableColumn *columns, size_t n);
void table_free(Table *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* Adds a row cell by cell; text is taken over (NULL is ""), made safe for a terminal. */
void table_add(Table *t, char *text, TableColour colour);
size_t table_rows(const Table *t);
/* The lines, and forgets the rows; widths are kept, so that pages that follow line up. width 0 is unlimited;
 * header: the first line; colours: escape sequences. g_free. */
char *table_render(Table *t, unsigned width, bool header, bool colours);

/* Columns a text takes on a terminal. */
unsigned table_width(const char *text);
/* text cut to width columns with "…" at its end; g_free. */
char *table_ellipsize(const char *text, unsigned width);
/* The escape sequence that begins a colour. */
const char *table_colour(TableColour c);
/* Of a run. */
TableColour table_run_colour(const char *state, const char *result);
