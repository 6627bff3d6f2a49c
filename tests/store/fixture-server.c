/* See fixture.h: the real database, and a plain connection beside the store's. */
#include "fixture.h"

#include <string.h>

#define BOOT_ID "0123456789abcdef0123456789abcdef"

static void on_state(StoreState state, const char *reason, const StoreLoaded *loaded, void *userdata)
{
    Fixture *f = userdata;

    g_assert((state == STORE_LOADING || state == STORE_UP) == (loaded != NULL));
    if (loaded && loaded->first)
        f->n_tasks = f->n_schedules = 0;
    if (loaded) {
        f->n_tasks += loaded->tasks->len;
        f->n_schedules += loaded->schedules->len;
        fixture_load(f, loaded);
    }
    if (state == STORE_LOADING)
        return;
    f->state = state;
    f->told = true;
    g_free(f->reason);
    f->reason = g_strdup(reason);
    if (!loaded)
        return;
    f->n_up++;
    f->epoch = loaded->epoch;
    f->next_due = loaded->next_due;
    f->load_deadline = loaded->next_deadline;
    f->n_waiting = loaded->n_waiting;
    f->n_runs = loaded->runs->len;
}

static void on_heard(const StoreHeard *h, void *userdata)
{
    Fixture *f = userdata;

    g_assert_cmpint(f->state, ==, STORE_UP);
    switch (h->kind) {
    case STORE_HEARD_TASK:
        g_string_append_printf(f->heard, "task %s;", h->task);
        return;
    case STORE_HEARD_RUN:
        g_string_append_printf(f->heard, "run %" G_GUINT64_FORMAT " %s %s;", h->run,
            run_state_to_string(h->state), run_result_to_string(h->result));
        return;
    case STORE_HEARD_DUE:
        g_string_append_printf(f->heard, "due %" G_GUINT64_FORMAT ";", h->due);
        return;
    case STORE_HEARD_BOOT:
        g_string_append(f->heard, "boot;");
        return;
    }
}

static Fixture *fixture_make(const char *node, Clock *clock, const char *dump_directory, StoreHeardFn heard)
{
    Fixture *f = g_new0(Fixture, 1);
    StoreConfig config = {
        .conninfo = "",
        .node = node,
        .heard = heard,
        .boot_id = fixture_boot ? fixture_boot : BOOT_ID,
        .manager_stamp = 42,
        .dump_directory = dump_directory,
    };

    f->heard = heard ? g_string_new(NULL) : NULL;
    g_assert_cmpint(sd_event_new(&f->event), >=, 0);
    if (!clock)
        g_assert_cmpint(clock_new(f->event, &f->clock), >=, 0);
    g_assert_cmpint(store_new(f->event, clock ? clock : f->clock, &config, on_state, f, &f->store), ==, 0);
    g_assert_cmpint(store_start(f->store), >=, 0);
    return f;
}

Fixture *fixture_new(const char *node, Clock *clock, const char *dump_directory)
{
    return fixture_make(node, clock, dump_directory, NULL);
}

Fixture *fixture_new_beside(const char *node)
{
    return fixture_make(node, NULL, NULL, on_heard);
}

void fixture_free(Fixture *f)
{
    store_free(f->store);
    if (f->clock)
        clock_free(f->clock);
    sd_event_unref(f->event);
    if (f->changes)
        g_array_unref(f->changes);
    if (f->heard)
        g_string_free(f->heard, TRUE);
    g_free(f->reason);
    g_free(f);
}

void fixture_turn(Fixture *f)
{
    g_assert_cmpint(sd_event_run(f->event, 20 * USEC_PER_MSEC), >=, 0);
}

/* --- the plain connection */

static char *query(const char *database, const char *sql)
{
    const char *keywords[] = { "dbname", "application_name", NULL };
    const char *values[] = { database, "test", NULL };
    PGconn *c = PQconnectdbParams(keywords, values, 1);
    PGresult *res;
    char *value = NULL;

    if (PQstatus(c) != CONNECTION_OK)
        g_error("%s", PQerrorMessage(c));
    PQsetNoticeProcessor(c, (PQnoticeProcessor)(void (*)(void))getpid, NULL);
    if (!g_str_equal(database, "postgres"))
        PQclear(
            PQexec(c, "SET search_path = taskschedd, pg_catalog; SET default_transaction_read_only = off"));
    res = PQexec(c, sql);
    if (PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK)
        g_error("%s: %s", sql, PQresultErrorMessage(res));
    if (PQntuples(res) > 0)
        value = g_strdup(PQgetvalue(res, 0, 0));
    PQclear(res);
    PQfinish(c);
    return value;
}

PGconn *fixture_connect(void)
{
    PGconn *c = PQconnectdb("");

    g_assert_cmpint(PQstatus(c), ==, CONNECTION_OK);
    fixture_execute(c, "SET search_path = taskschedd, pg_catalog; SET lock_timeout = '60s'");
    return c;
}

void fixture_execute(PGconn *c, const char *sql)
{
    PGresult *res = PQexec(c, sql);

    if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
        g_error("%s: %s", sql, PQerrorMessage(c));
    PQclear(res);
}

char *fixture_sql(const char *format, ...)
{
    g_autofree char *sql = NULL;
    va_list ap;

    va_start(ap, format);
    sql = g_strdup_vprintf(format, ap);
    va_end(ap);
    return query(g_getenv("PGDATABASE"), sql);
}

uint64_t fixture_sql_u64(const char *sql)
{
    g_autofree char *value = query(g_getenv("PGDATABASE"), sql);

    return g_ascii_strtoull(util_strempty(value), NULL, 10);
}

void fixture_fresh(void)
{
    static unsigned n;
    g_autofree char *name = g_strdup_printf("fresh%u", ++n);
    g_autofree char *sql = g_strdup_printf("CREATE DATABASE %s", name);

    g_free(query("postgres", sql));
    g_setenv("PGDATABASE", name, TRUE);
}

void fixture_at_version(unsigned version)
{
    fixture_fresh();
    g_free(fixture_sql("CREATE SCHEMA taskschedd"));
    g_free(fixture_sql("CREATE TABLE schema_version (version integer PRIMARY KEY, name text NOT NULL,"
                       " applied timestamptz NOT NULL)"));
    for (unsigned i = 0; i < version; i++) {
        g_free(query(g_getenv("PGDATABASE"), migrations[i].sql));
        g_free(fixture_sql("INSERT INTO schema_version VALUES (%u, '%s', now())", i + 1, migrations[i].name));
    }
}
