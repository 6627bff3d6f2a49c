/* The lexical layer of a task file: systemd.syntax(7) into sections and assignments that know where they
 * stand. */
#pragma once

#include "model/diag.h"
#include "model/task.h"

#define TASK_FILE_MAX ((size_t)1024 * 1024)

/* From this character of the logical line on, the text stands at line and column. */
typedef struct TaskFileSpan {
    unsigned offset; /* in characters */
    unsigned line;
    unsigned column;
} TaskFileSpan;

typedef struct TaskFileItem {
    bool is_section;  /* then key is what stands between the brackets */
    bool damaged;     /* its line is no text or a header lacks its end (reported): the value means nothing */
    const char *file; /* borrowed from the source */
    char *key;
    char *value;   /* stripped; "" resets */
    unsigned line; /* of the key */
    unsigned column;
    unsigned value_offset; /* of the value in the logical line, in characters */
    GArray *spans;         /* of TaskFileSpan */
} TaskFileItem;

/* Everything that can be read of a source, in order; its faults go to diags. items: of TaskFileItem*, owned
 * by the array, which borrows from source. */
GPtrArray *task_file_read(const TaskSource *source, DiagList *diags);
/* Where a character of the value stands. */
void task_file_position(const TaskFileItem *item, unsigned offset, unsigned *ret_line, unsigned *ret_column);
/* Faults of the list from index first on carry a column that counts within the value, from 1: put them where
 * that stands in the file. */
void task_file_place(const TaskFileItem *item, DiagList *diags, guint first);
