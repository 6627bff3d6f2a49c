/* The dump before a migration: rows come in pages from the loop, lines go to a file. */
#include "store/dump.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define PAGE 500

struct Dump {
    Connection *connection;
    DumpFn fn;
    void *userdata;
    int fd;
    char *path, *partial;
};

#define ROWS_OF(table, order)                                                                                \
    "SELECT json_build_object('table', '" table "', 'row', to_jsonb(t)) FROM " table " t ORDER BY " order

static const char *const definitions_sql[] = {
    ROWS_OF("task", "name"),
    ROWS_OF("task_revision", "task, revision"),
    ROWS_OF("schedule", "task, name"),
};

static const char runs_sql[] =
    "SELECT json_build_object('table', 'run', 'row', to_jsonb(r)), id FROM run r"
    " WHERE id > $1::bigint AND state <> 'done' ORDER BY id LIMIT " G_STRINGIFY(PAGE);

void dump_free(Dump *d)
{
    if (!d)
        return;
    if (d->fd >= 0)
        unlink(d->partial);
    util_closep(&d->fd);
    g_free(d->path);
    g_free(d->partial);
    g_free(d);
}

static int write_rows(Dump *d, const PGresult *res)
{
    g_autoptr(GString) lines = g_string_new(NULL);

    for (int row = 0; row < PQntuples(res); row++) {
        g_string_append(lines, PQgetvalue(res, row, 0));
        g_string_append_c(lines, '\n');
    }
    for (size_t done = 0; done < lines->len;) {
        ssize_t n = write(d->fd, lines->str + done, lines->len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    return 0;
}

/* Written back from now on, without waiting for the disk: the migration's own commit does not depend on it.
 */
static int finish(Dump *d)
{
    sync_file_range(d->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    if (rename(d->partial, d->path) < 0)
        return -errno;
    util_closep(&d->fd);
    return 0;
}

static void end(Dump *d, int r, const char *why)
{
    g_autofree char *reason =
        r < 0 ? g_strdup_printf("the dump before the migration could not be written to %s: %s", d->path, why)
              : NULL;

    d->fn(r, reason, d->userdata);
}

static void send_page(Dump *d, const char *after);

static void on_rows(const ExchangeResult *result, void *userdata)
{
    Dump *d = userdata;
    const PGresult *last = NULL;
    int r = 0;

    if (result->lost)
        return;
    if (result->error) {
        end(d, -EIO, util_strempty(PQresultErrorField(result->error, PG_DIAG_MESSAGE_PRIMARY)));
        return;
    }
    for (unsigned i = 0; i < result->n && r >= 0; i++) {
        last = result->result[i];
        r = write_rows(d, last);
    }
    if (r >= 0 && last && PQnfields(last) == 2 && PQntuples(last) < PAGE) {
        r = finish(d);
        if (r >= 0) {
            end(d, 0, NULL);
            return;
        }
    }
    if (r < 0)
        end(d, r, g_strerror(-r));
    else
        send_page(d, last && PQnfields(last) == 2 ? PQgetvalue(last, PQntuples(last) - 1, 1) : "0");
}

static void send_page(Dump *d, const char *after)
{
    Exchange *x = connection_begin(d->connection, 0, on_rows, d);

    exchange_add(x, runs_sql, &after, 1);
    exchange_end(x);
}

int dump_start(Connection *c, Clock *clock, const char *directory, unsigned from, unsigned to, DumpFn fn,
    void *userdata, Dump **ret)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc((gint64)(clock_real(clock) / USEC_PER_SEC));
    g_autofree char *stamp = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
    Dump *d = g_new0(Dump, 1);
    Exchange *x;

    d->connection = c;
    d->fn = fn;
    d->userdata = userdata;
    d->path = g_strdup_printf("%s/before-migration-%u-to-%u-%s.jsonl", directory, from, to, stamp);
    d->partial = g_strconcat(d->path, ".partial", NULL);
    d->fd = open(d->partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (d->fd < 0) {
        int r = -errno;

        dump_free(d);
        return r;
    }
    *ret = d;
    x = connection_begin(c, 0, on_rows, d);
    ARRAY_FOREACH (sql, definitions_sql)
        exchange_add(x, *sql, NULL, 0);
    exchange_end(x);
    return 0;
}
