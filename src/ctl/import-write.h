/* Pieces of a task file, written so that they are read as what they were. */
#pragma once

#include "base/util.h"

/* text as one word of ExecStart=, in quotes. */
void import_write_word(GString *out, const char *text);
/* text as one line of a list of words such as Environment=. */
void import_write_quoted(GString *out, const char *key, const char *text);
/* text, which ends in a line break, as what StandardInput=data has to say. */
void import_write_input(GString *out, const char *text);
/* A comment of one line. */
void import_write_comment(GString *out, const char *text);
