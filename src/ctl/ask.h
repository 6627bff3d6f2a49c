/* What `run` asks for, from the words of its command line. */
#pragma once

#include "ctl/ctl.h"

typedef struct Ask {
    const char *task;
    GHashTable *texts; /* char* (owned) → char* (borrowed): key=value */
    GHashTable *files; /* char* (owned) → GBytes: key=@FILE */
    GHashTable *meta;  /* char* (owned) → char* (borrowed) */
    char *json;        /* --input as JSON text, NULL if not given so */
    GBytes *raw;       /* --input as bytes, likewise */
    char *not_json;    /* why raw is not JSON */
    const char *token; /* borrowed; one is made where none is given */
    char made_token[33];
    uint64_t at; /* real µs, 0 is now */
    int priority;
    bool has_priority;
} Ask;

void ask_clear(Ask *a);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ask, ask_clear)

/* Reads the files that are named. now is for --at. */
int ask_from_args(const Args *args, uint64_t now, Ask *ret, ClientError *e);
