/* What is prepared is planned once, for whatever values come: each table is looked at by an index then, too. */
#include "fixture.h"

#include <string.h>

#include "store/op.h"
#include "store/setup.h"

/* Of these there are few rows. */
static bool is_small(const char *table)
{
    return g_str_has_prefix(table, "node") || g_str_has_prefix(table, "schema_version");
}

/* A table read from one end to the other, be it along an index of all of its rows. */
static const char *whole_table(const PGresult *res, int row)
{
    const char *line = PQgetvalue(res, row, 0), *table = strstr(line, " on "), *next = "";

    if (!table || is_small(table += strlen(" on ")))
        return NULL;
    if (row + 1 < PQntuples(res))
        next = PQgetvalue(res, row + 1, 0);
    return strstr(line, "Seq Scan") || (strstr(line, "_pkey on ") && !strstr(next, "Index Cond:")) ? table
                                                                                                   : NULL;
}

static void check_plan(PGconn *c, const char *name, const char *sql)
{
    g_autoptr(GString) text = g_string_new(NULL);
    PGresult *res = PQprepare(c, name, sql, 0, NULL);
    int n;

    if (PQresultStatus(res) != PGRES_COMMAND_OK)
        g_error("%s: %s", name, PQerrorMessage(c));
    PQclear(res);
    res = PQdescribePrepared(c, name);
    n = PQnparams(res);
    PQclear(res);
    g_string_printf(text, "EXPLAIN (COSTS off) EXECUTE \"%s\"%s", name, n > 0 ? "(" : "");
    for (int i = 0; i < n; i++)
        g_string_append(text, i + 1 < n ? "NULL, " : "NULL)");
    res = PQexec(c, text->str);
    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        g_error("%s: %s", name, PQerrorMessage(c));
    for (int row = 0; row < PQntuples(res); row++)
        if (whole_table(res, row))
            g_error("%s reads the whole of %s", name, whole_table(res, row));
    PQclear(res);
}

static void test_indexes(void)
{
    PGconn *c;
    Fixture *f;
    unsigned n = 0;

    fixture_fresh();
    f = fixture_new("n", NULL, NULL);
    fixture_wait(f, STORE_UP);
    c = fixture_connect();
    fixture_execute(c, setup_settings_sql);
    for (unsigned kind = 0; kind < _OP_KIND_MAX; kind++) {
        const OpInfo *info = op_info((OpKind)kind);

        if (info->before_sql)
            check_plan(c, info->before_name, info->before_sql);
        if (info->sql)
            check_plan(c, info->name, info->sql);
        if (info->second_sql)
            check_plan(c, info->second_name, info->second_sql);
        n += info->sql != NULL;
    }
    g_assert_cmpuint(n, >, 15);
    PQfinish(c);
    fixture_free(f);
}

/* The session is one in which it is so. */
static void test_session(void)
{
    g_autofree char *mode = NULL;
    Fixture *f;

    fixture_fresh();
    f = fixture_new("n", NULL, NULL);
    fixture_wait(f, STORE_UP);
    g_free(fixture_sql(
        "CREATE TABLE seen (mode text); CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO seen VALUES (current_setting('plan_cache_mode')); RETURN NULL; END $$;"
        " CREATE TRIGGER see AFTER INSERT ON ask EXECUTE FUNCTION see(); SELECT 1"));
    g_assert_true(fixture_ask(f, "a", 0, 0).asked.fresh);
    mode = fixture_sql("SELECT string_agg(mode, ' ') FROM seen");
    g_assert_cmpstr(mode, ==, "force_generic_plan");
    fixture_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/plans/indexes", test_indexes);
    g_test_add_func("/store/plans/session", test_session);
    return g_test_run();
}
