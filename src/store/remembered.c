/* A few numbers in a file, written over in place: a claim is not to wait for more. */
#include "store/remembered.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "store/row.h"

/* A database is told from others by when it was made, to the microsecond: a backup has that too. What it stands behind is
 * made up for, so that neither a fence nor a run's number is given out twice. What a backup knows of is asked of its rows:
 * pg_dump reads a sequence a while after the moment that it keeps the rows of. So the sequence may know of the latest claim
 * where the claimed run's row does not; and a backup that has the latest claim may lack an end, and then it lacks the latest. That
 * a row is missing says nothing: history goes. */
const char *const remembered_sql =
    "SELECT v.applied::text, i.fence, i.run, v.applied::text = $1::text"
    "  AND (i.fence < $2::bigint OR EXISTS (SELECT FROM run WHERE id = $4::bigint AND coalesce(fence, 0) < $5::bigint)"
    "   OR EXISTS (SELECT FROM run WHERE id = $6::bigint AND (attempt < $7::bigint"
    "    OR attempt = $7::bigint AND state IN ('starting', 'running', 'stopping'))))"
    "  AND setval('fence', greatest(i.fence, $2::bigint)) IS NOT NULL"
    "  AND setval('run_id', greatest(i.run, $3::bigint)) IS NOT NULL, (SELECT coalesce(max(id), 0) FROM run)"
    " FROM schema_version v, (SELECT (SELECT last_value FROM fence) AS fence, (SELECT last_value FROM run_id) AS run) i"
    " WHERE v.version = 1";

/* Earlier versions wrote the first five: of what these kept, nothing is known. */
#define NUMBERS_AT_LEAST 5

static bool remembered_parse(Remembered *m, const char *text)
{
    uint64_t *const numbers[] = { &m->fence, &m->run, &m->suspect, &m->claim, &m->claim_fence, &m->end,
        &m->end_attempt, &m->since };
    size_t length;
    char *end;

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        uint64_t number = g_ascii_strtoull(text, &end, 10);

        if (end == text || *end != ' ') {
            if (i != NUMBERS_AT_LEAST)
                return false;
            break;
        }
        *numbers[i] = number;
        text = end + 1;
    }
    length = strcspn(text, "\n");
    if (length == 0 || length >= sizeof(m->identity))
        return false;
    memcpy(m->identity, text, length);
    return true;
}

void remembered_open(Remembered *m, const char *path)
{
    char text[256] = "";

    *m = (Remembered){ .since = path ? (uint64_t)g_get_monotonic_time() : UNSET,
        .fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1 };
    if (path && m->fd < 0)
        log_warning("%s cannot be used: %s", path, g_strerror(errno));
    if (m->fd < 0 || read(m->fd, text, sizeof(text) - 1) <= 0)
        return;
    if (!remembered_parse(m, text))
        *m = (Remembered){ .fd = m->fd, .since = (uint64_t)g_get_monotonic_time() };
}

void remembered_close(Remembered *m)
{
    util_closep(&m->fd);
}

/* Each number has its width: what is written is as long as what was there. */
static void remembered_write(const Remembered *m)
{
    char text[256];
    int n = snprintf(text, sizeof(text),
        "%020" PRIu64 " %020" PRIu64 " %020" PRIu64 " %020" PRIu64 " %020" PRIu64 " %020" PRIu64
        " %020" PRIu64 " %020" PRIu64 " %s\n",
        m->fence, m->run, m->suspect, m->claim, m->claim_fence, m->end, m->end_attempt, m->since,
        m->identity);

    if (m->fd >= 0 && pwrite(m->fd, text, (size_t)n, 0) != n)
        log_warning("What was claimed cannot be remembered beside the database: %s", g_strerror(errno));
}

void remembered_values(
    const Remembered *m, char texts[REMEMBERED_VALUES - 1][24], const char *ret[REMEMBERED_VALUES])
{
    const uint64_t numbers[REMEMBERED_VALUES - 1] = { m->fence, m->run, m->claim, m->claim_fence, m->end,
        m->end_attempt };

    ret[0] = m->identity;
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        snprintf(texts[i], sizeof(texts[i]), "%" PRIu64, numbers[i]);
        ret[i + 1] = texts[i];
    }
}

void remembered_compare(Remembered *m, const PGresult *res)
{
    uint64_t fence, run;

    if (PQntuples(res) != 1)
        return;
    fence = row_u64(res, 0, 1);
    run = row_u64(res, 0, 2);
    if (*PQgetvalue(res, 0, 3) == 't') {
        m->suspect = row_u64(res, 0, 4);
        m->claim = m->claim_fence = m->end = m->end_attempt = 0;
        log_warning(
            "The database was restored from a backup: some of what was done with it since is not in it (%" PRIu64
            " claims were made in all). What is not done in it is executed only where the journal has never heard of that.",
            m->fence);
    } else if (strcmp(m->identity, PQgetvalue(res, 0, 0)) != 0) {
        *m = (Remembered){ .fd = m->fd, .since = (uint64_t)g_get_monotonic_time() };
        g_strlcpy(m->identity, PQgetvalue(res, 0, 0), sizeof(m->identity));
        if (m->fd >= 0 && ftruncate(m->fd, 0) < 0)
            log_warning("%s", g_strerror(errno));
    }
    m->fence = MAX(m->fence, fence);
    m->run = MAX(m->run, run);
    remembered_write(m);
}

void remembered_claims(Remembered *m, const PGresult *res)
{
    int id = PQfnumber(res, "id"), fence = PQfnumber(res, "fence");

    if (id < 0 || fence < 0 || PQntuples(res) == 0)
        return;
    for (int row = 0; row < PQntuples(res); row++) {
        uint64_t run = row_u64(res, row, id), own = row_u64(res, row, fence);

        if (own > m->claim_fence) {
            m->claim = run;
            m->claim_fence = own;
        }
        m->fence = MAX(m->fence, own);
        m->run = MAX(m->run, run);
    }
    remembered_write(m);
}

void remembered_end(Remembered *m, uint64_t run, uint64_t attempt)
{
    m->end = run;
    m->end_attempt = attempt;
    remembered_write(m);
}
