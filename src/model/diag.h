/* Faults found in a definition or an input: collected, so that a person sees all of them at once. */
#pragma once

#include "base/util.h"

typedef struct Diag {
    char *file;      /* path as given; "" where there is none */
    unsigned line;   /* from 1; 0 is none */
    unsigned column; /* from 1, in characters; 0 is none */
    char *key;       /* the key, input or section concerned; "" where there is none */
    char *message;   /* what is wrong and what would be right, one printable line (utf8_show_line()) */
} Diag;

typedef GPtrArray DiagList; /* of Diag*, owned */

DiagList *diag_list_new(void);
/* Nothing more is taken: a list is bounded, whatever it is about. Spares looking for words nobody will read.
 */
bool diag_list_full(const DiagList *list);
void diag_add(DiagList *list, const char *file, unsigned line, unsigned column, const char *key,
    const char *format, ...) _printf_(6, 7);
/* Stable order: by file as first seen, then line, then column. */
void diag_list_sort(DiagList *list);
/* "FILE:LINE:COLUMN: KEY: MESSAGE" a line, g_free. */
char *diag_list_to_text(const DiagList *list);
