/* ExecStart=: split once when the definition is read, filled in for each attempt. */
#pragma once

#include "base/error.h"
#include "model/diag.h"
#include "model/task.h"

typedef enum CommandFlags {
    COMMAND_IGNORE_FAILURE = 1 << 0, /* - */
    COMMAND_PRIVILEGED = 1 << 1,     /* + */
    COMMAND_NO_SETUID = 1 << 2,      /* ! */
    COMMAND_AMBIENT = 1 << 3,        /* !! */
    COMMAND_ARGV0 = 1 << 4,          /* @: the word after the path is argv[0] */
} CommandFlags;

/* A word is a list of pieces: literal text, or the name of an input. */
typedef struct CommandPiece {
    char *literal; /* one of both is NULL */
    char *input;
} CommandPiece;

typedef struct CommandWord {
    GPtrArray *pieces; /* of CommandPiece* */
} CommandWord;

void command_word_free(CommandWord *w);
/* Splits by the quoting rules of systemd.service(5). `$$` is a dollar; `${name}` must be declared and not
 * secret (the caller passes the inputs); a `$` otherwise is a fault; an input in the first word (the path) is
 * a fault; the path is absolute. Faults go to diags at the column where they stand. */
int command_parse(const char *text, const GPtrArray *inputs, bool has_input, const char *file, unsigned line,
    unsigned column, DiagList *diags, GPtrArray **ret_words, unsigned *ret_flags);
/* The argument vector for a resolved input (input_resolve()). An argument that is nothing but an absent
 * optional input is dropped; within a longer word it is empty. argv[0] is set as the flags say; *ret_path is
 * the program. */
int command_expand(const Task *t, JsonObject *input, char **ret_path,
    GPtrArray **ret_argv /* of char*, NULL-terminated */, Error *error);
