/* What this host knows to have been done with its database, beside it: in a file in memory, so for as long as the host is up. A
 * database that knows less was restored from a backup: what is not done in it may have been executed since. */
#pragma once

#include <libpq-fe.h>

#include "base/util.h"

typedef struct Remembered {
    int fd;              /* -1: nothing is remembered */
    char identity[64];   /* of the database; "" is not known */
    uint64_t fence, run; /* the largest that were given out */
    uint64_t suspect;    /* the largest run of the latest backup that was restored; 0: none was */
    uint64_t claim,
        claim_fence; /* the latest claim that was answered: its run, 0 is none, and what that got */
    uint64_t end,
        end_attempt; /* the latest end whose record was answered: of which run, 0 is none, and attempt */
    uint64_t since;  /* CLOCK_MONOTONIC µs: so long it is remembered of this database; UNSET: it is not */
} Remembered;

/* path NULL: nothing is remembered. */
void remembered_open(Remembered *m, const char *path);
void remembered_close(Remembered *m);
/* One row: identity, fence and run that the database stood at, whether that, or what it has of the latest claim or end, was less
 * than what is remembered, and the largest run that it has. */
extern const char *const remembered_sql;
#define REMEMBERED_VALUES 7
/* The values of that statement, borrowed from texts. */
void remembered_values(
    const Remembered *m, char texts[REMEMBERED_VALUES - 1][24], const char *ret[REMEMBERED_VALUES]);
void remembered_compare(Remembered *m, const PGresult *res);
/* The answer to a claim, before anything is started for it. */
void remembered_claims(Remembered *m, const PGresult *res);
/* That it is recorded is answered, and nothing of it released. */
void remembered_end(Remembered *m, uint64_t run, uint64_t attempt);
