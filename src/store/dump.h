/* What people would miss most, kept as lines of JSON before a migration touches it: definitions with their
 * history, schedules, and runs that are not done. */
#pragma once

#include "store/connection.h"

typedef struct Dump Dump;

/* r: 0 or a negative errno, with a sentence. Not called where the connection is lost. */
typedef void (*DumpFn)(int r, const char *reason, void *userdata);

/* Writes DIRECTORY/before-migration-FROM-to-TO-TIME.jsonl, under another name until it is whole. */
int dump_start(Connection *c, Clock *clock, const char *directory, unsigned from, unsigned to, DumpFn fn,
    void *userdata, Dump **ret);
/* The file of a dump that did not end is removed. After its connection was closed, or from fn. */
void dump_free(Dump *d);
