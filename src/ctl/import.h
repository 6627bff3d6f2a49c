/* What other schedulers have written, on its way to task files: what was found, what was made of each, and what could not
 * be carried over. Readers and writers here are pure; import-files.c and import.c do what needs a system. */
#pragma once

#include "model/calendar.h"
#include "model/task.h"

typedef enum ImportKind {
    IMPORT_CRONTAB,        /* of a user */
    IMPORT_SYSTEM_CRONTAB, /* with a column for the user */
    IMPORT_ANACRONTAB,
    IMPORT_TIMER,
    IMPORT_AT,
    _IMPORT_KIND_MAX,
    _IMPORT_KIND_INVALID = -EINVAL,
} ImportKind;

/* A file, as it was read; all borrowed. */
typedef struct ImportSource {
    const char *path; /* for messages and names */
    const char *text; /* length bytes, and NUL behind them */
    size_t length;
    const char *owner; /* IMPORT_CRONTAB: whose it is */
} ImportSource;

typedef struct ImportNote {
    char *file;
    unsigned line; /* 0 is none */
    bool lost;     /* it is not carried over; else it is, but not as it was */
    char *message; /* one printable line */
    char *remedy;
} ImportNote;

/* The five fields of a crontab, as cron itself understands them. */
typedef struct ImportFields {
    uint64_t minutes, hours, days, months, weekdays; /* a bit for each value; Sunday is 0 */
    bool any_day, any_weekday;                       /* begins with a star: the other field of days decides */
    bool wildcard; /* so does the minute or the hour: it follows the clock where that is set */
} ImportFields;

/* When the original fires, said in its own way. */
typedef enum ImportRule {
    IMPORT_RULE_NONE, /* nothing that could be compared */
    IMPORT_RULE_FIELDS,
    IMPORT_RULE_EVENTS,  /* calendar events, of which systemd knows best when they are */
    IMPORT_RULE_INSTANT, /* once */
    IMPORT_RULE_DAYS,    /* a number of days apart, or 0: once in each month */
} ImportRule;

typedef struct ImportTimes {
    ImportRule rule;
    ImportFields fields;
    const Zone *zone;  /* of the fields; NULL: the system's */
    GPtrArray *events; /* of char*, owned */
    uint64_t at;       /* real µs */
    unsigned days;
} ImportTimes;

/* What became of comparing the times of both. */
typedef struct ImportProof {
    bool done, same;
    guint n;               /* how many times of the original were compared */
    uint64_t until;        /* up to here */
    uint64_t theirs, ours; /* the first that differ; USEC_INFINITY: there is none */
    const char *by;        /* how the original's times were had, English; NULL: not at all */
} ImportProof;

typedef struct ImportTask {
    char *name; /* NULL: it was refused, and a note says why */
    char *file;
    unsigned line;
    char *text;   /* the definition */
    bool private; /* the original was not for everybody to read */
    ImportTimes times;
    ImportProof proof;
} ImportTask;

typedef struct Import {
    GPtrArray *tasks; /* of ImportTask*, in the order in which they were found */
    GPtrArray *notes; /* of ImportNote*, likewise */
    GHashTable *names;
    const char *user; /* the instance is that of this user; NULL: the system's. Borrowed */
} Import;

Import *import_new(const char *user);
void import_free(Import *im);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Import, import_free)

/* Entries that are imported, or that are not; the rest of a note as printf(). remedy: a sentence of what helps, "" for
 * none. */
void import_lost(Import *im, const char *file, unsigned line, const char *remedy, const char *format, ...)
    _printf_(5, 6);
void import_changed(Import *im, const char *file, unsigned line, const char *remedy, const char *format, ...)
    _printf_(5, 6);
/* An entry that is not imported; the reason is a note of the caller's. */
void import_refuse(Import *im, const char *file, unsigned line);
/* Likewise one that was. */
void import_withdraw(ImportTask *t);
/* One that is, named after wish, in letters that a name may have, and unlike all others. Both are borrowed from im. */
ImportTask *import_add(Import *im, const char *file, unsigned line, const char *wish);
void import_times_clear(ImportTimes *t);

/* Each adds what it finds. */
void import_crontab(Import *im, const ImportSource *source, bool system);
void import_anacrontab(Import *im, const ImportSource *source);
void import_at(Import *im, const ImportSource *source);
/* The files of a timer and of its service, each followed by its drop-ins; of TaskSource*. instance: what stands behind the
 * "@" of its name, NULL where there is none. */
void import_timer(Import *im, const char *name, const GPtrArray *timer, const GPtrArray *service);
/* What Unit= of a timer's files says, "" if nothing; g_free. */
char *import_timer_unit(const GPtrArray *timer);

/* What was made of an entry is to be a definition: else it is refused after all, with a note. */
void import_check(Import *im);
/* Compares the times of both for a year from now on. For IMPORT_RULE_EVENTS, events has those of the original in ascending
 * order, whatever they were had from; NULL: they could not be had. */
void import_prove(ImportTask *t, uint64_t now, const GArray *events);
/* How many times of the import are to be compared with events, at most; 0 if that cannot be read. */
guint import_prove_count(const ImportTask *t, uint64_t now);
