/* Time zones: the tz database as it is installed, read in the process. A zone is a row of spans of equal offset from
 * UTC, up to ZONE_YEAR_END, so that whoever asks needs no rule of any zone. Zones live as long as the process: one that
 * was found once is neither read again nor freed, and a pointer to it stays good. */
#pragma once

#include "base/util.h"

#define ZONE_YEAR_END 2200 /* rules are written out until then; behind it the last offset goes on */
/* No two offsets of a zone are further apart. */
#define ZONE_SHIFT_MAX (26 * 3600)

typedef struct ZoneSpan {
    int64_t start;  /* seconds since the epoch, UTC; INT64_MIN for the first */
    int32_t offset; /* what has to be added to UTC, in seconds */
} ZoneSpan;

typedef struct Zone {
    char *name;
    ZoneSpan *spans; /* ascending; no two neighbours have the same offset */
    guint n;         /* 1 at least */
} Zone;

/* A name of the database ("Europe/Berlin"). -EINVAL: it is no name that a zone can have; -ENOENT: there is none of that
 * name; -ENOTSUP: it counts leap seconds; -EBADMSG: its file cannot be understood. */
int zone_find(const char *name, const Zone **ret);
const Zone *zone_utc(void);
/* The system's: what TZ= says, else /etc/localtime, else UTC. As it was when asked for first, or refreshed. */
const Zone *zone_local(void);
/* Looks again; true where the system's zone is another now. */
bool zone_refresh(void);

/* What a file of the database holds. -EBADMSG, -ENOTSUP. zone_free() is for what came from here alone. */
int zone_parse(const char *name, const void *data, size_t size, Zone **ret);
/* "CET-1CEST,M3.5.0,M10.5.0/3", as POSIX and the files' last line have it. -EINVAL. */
int zone_parse_rule(const char *name, const char *rule, Zone **ret);
void zone_free(Zone *z);

/* Which span an instant is in. */
guint zone_span(const Zone *z, int64_t utc);
/* Where a span ends; INT64_MAX for the last. */
static inline int64_t zone_span_end(const Zone *z, guint i)
{
    return i + 1 < z->n ? z->spans[i + 1].start : INT64_MAX;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Zone, zone_free)
