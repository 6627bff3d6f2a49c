/* The numbered migrations of data/schema, embedded: a fresh database and an old one take the same path. */
#pragma once

typedef struct Migration {
    const char *name;
    const char *sql; /* any number of statements, run in one transaction */
} Migration;

/* Number N is migrations[N - 1]. */
extern const Migration migrations[];
extern const unsigned n_migrations;
