/* A run from asked to done, and everything that may come between. */
#include "fixture.h"
#include "store/remembered.h"

#define TURNS_MAX 3000

static Fixture *f;

static StoreRun *claim_one(GPtrArray **ret)
{
    *ret = fixture_claim(f, 1, NULL);
    g_assert_cmpuint((*ret)->len, ==, 1);
    return (*ret)->pdata[0];
}

static void test_whole(void)
{
    g_autoptr(GPtrArray) runs = NULL;
    Asked a = fixture_ask(f, "whole", 0, 0);
    const StoreRun *r;
    StoreOwner o;
    StoreEnd e;
    Outcome out;
    unsigned n;

    g_assert_cmpint(a.r, ==, 0);
    g_assert_true(a.asked.fresh);
    g_assert_cmpint(a.asked.state, ==, RUN_QUEUED);
    r = claim_one(&runs);
    g_assert_cmpuint(r->id, ==, a.asked.run);
    g_assert_cmpint(r->state, ==, RUN_STARTING);
    g_assert_cmpuint(r->attempt, ==, 1);
    g_assert_cmpuint(r->fence, >, 0);
    g_assert_cmpuint(r->manager_stamp, ==, 42);
    g_assert_cmpstr(r->node, ==, "here");
    g_assert_cmpuint(r->epoch, ==, f->epoch);
    g_assert_cmpstr(r->input, ==, "{\"a\": \"quote \\\" backslash \\\\ {brace},\"}");
    g_assert_true(g_str_has_prefix(r->unit, "tsched-run-"));
    o = fixture_owner(r);
    out = fixture_running(f, &o);
    g_assert_cmpint(out.r, ==, STORE_RECORDED);
    out = fixture_running(f, &o);
    g_assert_cmpint(out.r, ==, STORE_RECORDED_BEFORE);
    e = fixture_ending(&o, RUN_EXIT_CODE);
    out = fixture_end(f, &e);
    g_assert_cmpint(out.r, ==, STORE_RECORDED);
    g_assert_cmpint(out.result, ==, RUN_EXIT_CODE);
    g_assert_cmpint(out.state, ==, RUN_DONE);
    out = fixture_end(f, &e);
    g_assert_cmpint(out.r, ==, STORE_RECORDED_BEFORE);
    g_assert_cmpint(out.result, ==, RUN_EXIT_CODE);
    out = fixture_running(f, &o);
    g_assert_cmpint(out.r, ==, STORE_RECORDED_BEFORE);

    r = fixture_get(f, a.asked.run, &n);
    g_assert_cmpint(r->state, ==, RUN_DONE);
    g_assert_cmpint(r->result, ==, RUN_EXIT_CODE);
    g_assert_cmpint(r->exit_code, ==, RUN_EXITED);
    g_assert_cmpint(r->exit_status, ==, 7);
    g_assert_cmpuint(r->cpu_nsec, ==, 123456789);
    g_assert_cmpuint(r->memory_peak, ==, UNSET);
    g_assert_cmpuint(r->io_read, ==, 0);
    g_assert_cmpstr(r->output, ==, "{\"n\": 1}");
    g_assert_cmpstr(r->invocation_id, ==, "aabb");
    g_assert_cmpuint(r->started, <=, r->finished);
    g_assert_cmpuint(r->asked, <=, r->claimed);
    g_assert_cmpuint(n, ==, 1);
    g_assert_null(fixture_get(f, a.asked.run + 1000, NULL));
}

/* A slot fires once, whoever asks and with whatever token; a slot before it never does. */
static void test_slot(void)
{
    static const char *const schedules[] = { "nightly", NULL };
    uint64_t nominal = 1700000000 * USEC_PER_SEC + 123456;
    StoreAsk ask = {
        .requester = "taskschedd",
        .requester_uid = UNSET,
        .token = "slot-1",
        .task = "slots",
        .revision = 1,
        .queue = "default",
        .schedule = "nightly",
        .nominal = nominal,
        .previous = UNSET,
        .grace_usec = 1,
    };
    Asked a, b, c, again;
    const StoreRun *r;

    fixture_put(f, "slots", "[]", schedules);
    fixture_ask_plain(f, &ask, &a);
    ask.token = "slot-1-by-another";
    fixture_ask_plain(f, &ask, &b);
    ask.nominal = nominal - USEC_PER_SEC;
    ask.token = "slot-0";
    fixture_ask_plain(f, &ask, &c);
    ask.nominal = nominal;
    ask.token = "slot-1";
    fixture_ask_plain(f, &ask, &again);
    fixture_until(f, &a.answered);
    fixture_until(f, &b.answered);
    fixture_until(f, &c.answered);
    fixture_until(f, &again.answered);
    g_assert_cmpuint(a.asked.run, >, 0);
    g_assert_cmpuint(b.asked.run, ==, 0);
    g_assert_cmpuint(c.asked.run, ==, 0);
    g_assert_cmpuint(again.asked.run, ==, a.asked.run);
    r = fixture_get(f, a.asked.run, NULL);
    g_assert_cmpuint(r->nominal, ==, nominal);
    g_assert_cmpuint(r->requester_uid, ==, UNSET);
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM slot WHERE task = 'slots'"), ==, 1);
    g_assert_cmpuint(fixture_sql_u64("SELECT time_to_usec(last_nominal) FROM schedule"), ==, nominal);
    g_assert_cmpint(fixture_cancel(f, a.asked.run).c.state, ==, RUN_DONE);
}

/* The ledger keeps that a slot fired, and says that its run was not executed: as the run does, be it that it waited, and for what,
 * or that its node did not start it. */
static void test_expired(void)
{
    static const char *const schedules[] = { "nightly", NULL };
    uint64_t nominal = 1700000100 * USEC_PER_SEC, now = clock_real(f->clock);
    StoreAsk ask = {
        .requester = "taskschedd",
        .requester_uid = UNSET,
        .token = "expired-1",
        .task = "expired",
        .queue = "default",
        .schedule = "nightly",
        .nominal = nominal,
        .previous = UNSET,
        .deadline = now + 3600 * USEC_PER_SEC,
    };
    g_autofree char *ledger = NULL;
    g_autoptr(GPtrArray) runs = NULL, none = NULL;
    StoreOwner o;
    StoreEnd e;
    Asked a;

    ask.revision = fixture_put(f, "expired", "[]", schedules);
    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    runs = fixture_claim(f, 1, NULL);
    g_assert_cmpuint(runs->len, ==, 1);
    o = fixture_owner(runs->pdata[0]);
    e = fixture_ending(&o, RUN_EXPIRED);
    e.again = true;
    e.reason = "too late";
    e.exit_code = RUN_EXITED_UNKNOWN;
    g_assert_cmpint(fixture_end(f, &e).state, ==, RUN_DONE);
    ask.token = "expired-2";
    ask.previous = ask.nominal;
    ask.nominal++;
    ask.deadline = now - 1;
    fixture_ask_plain(f, &ask, &a);
    fixture_until(f, &a.answered);
    g_free(fixture_sql(
        "UPDATE run SET reason = 'it was given back' WHERE id = %" G_GUINT64_FORMAT, a.asked.run));
    none = fixture_claim(f, 1, NULL);
    g_assert_cmpuint(none->len, ==, 0);
    ledger = fixture_sql(
        "SELECT string_agg(concat_ws(' ', outcome, cause, run IS NOT NULL, reason), ', ' ORDER BY nominal)"
        " FROM slot WHERE task = 'expired'");
    g_assert_cmpstr(ledger, ==,
        "fired deadline-passed t too late, fired deadline-passed t " STORE_EXPIRED ": it was given back");
    g_assert_cmpstr(fixture_get(f, a.asked.run, NULL)->reason, ==, STORE_EXPIRED ": it was given back");
    g_assert_cmpint(fixture_delete(f, "expired"), ==, 0);
}

#define LEDGER                                                                                                         \
    "SELECT string_agg(format('%%s-%%s %%s %%s %%s', coalesce(time_to_usec(first) - 1800000000000000, 0),"             \
    " time_to_usec(nominal) - 1800000000000000, coalesce(count, 0), outcome, cause), ', ' ORDER BY nominal) FROM slot" \
    " WHERE task = 'slots' AND nominal >= '2027-01-01'"

static StoreSkip skip_of(uint64_t previous, uint64_t first, uint64_t last)
{
    const uint64_t base = 1800000000 * USEC_PER_SEC;

    return (StoreSkip){ "slots", "nightly", 0, base + previous, base + first, base + last, last - first + 1,
        "changed", "it was changed" };
}

/* What a definition leaves without an outcome gets it when that ends; what has one meanwhile keeps it. */
static void put_with(const char *definition, StoreSkip skip)
{
    static const char *const schedules[] = { "nightly", NULL };
    g_autoptr(GArray) skips = g_array_new(FALSE, FALSE, sizeof(StoreSkip));
    StorePutTask put = { "slots", "api", "", "", definition, schedules, 1900000000 * USEC_PER_SEC, false,
        skips };

    g_array_append_val(skips, skip);
    fixture_put_plain(f, &put);
}

static void test_ledger(void)
{
    uint64_t base = 1800000000 * USEC_PER_SEC,
             before = fixture_sql_u64("SELECT time_to_usec(last_nominal) FROM schedule");
    g_autofree char *ledger = NULL, *unchanged = NULL, *changed = NULL, *deleted = NULL;
    g_autoptr(GArray) skips = g_array_new(FALSE, FALSE, sizeof(StoreSkip));
    StoreSkip rest = skip_of(30, 31, 35);

    g_assert_cmpint(fixture_skip(f, "slots", "nightly", before, base + 1, base + 4, 4).r, ==, 1);
    g_assert_cmpint(fixture_skip(f, "slots", "nightly", base + 4, base + 5, base + 5, 1).r, ==, 1);
    g_assert_cmpint(fixture_skip(f, "slots", "nightly", base + 4, base + 5, base + 6, 2).r, ==, 0);
    ledger = fixture_sql(LEDGER);
    g_assert_cmpstr(ledger, ==, "1-4 4 skipped host-down, 0-5 1 skipped host-down");
    put_with("[]", skip_of(5, 6, 9));
    unchanged = fixture_sql(LEDGER);
    g_assert_cmpstr(unchanged, ==, ledger);
    put_with("[1]", skip_of(5, 6, 9));
    put_with("[2]", skip_of(7, 8, 20)); /* is wrong by two */
    put_with("[3]", skip_of(7, 8, 19)); /* all have theirs */
    put_with("[4]", skip_of(20, 21, 21));
    changed = fixture_sql(LEDGER);
    g_assert_cmpstr(changed, ==,
        "1-4 4 skipped host-down, 0-5 1 skipped host-down, 6-9 4 skipped changed, 10-20 0 skipped changed, 0-21 1 skipped changed");
    g_assert_cmpuint(fixture_sql_u64("SELECT time_to_usec(last_nominal) FROM schedule"), ==, base + 21);
    g_assert_cmpuint(
        fixture_sql_u64("SELECT time_to_usec(since) FROM schedule"), ==, 1900000000 * USEC_PER_SEC);
    g_assert_cmpint(fixture_skip(f, "slots", "nightly", base + 21, base + 30, base + 30, 1).r, ==, 1);
    g_array_append_val(skips, rest);
    g_assert_cmpint(fixture_delete_with(f, "slots", skips), ==, 0);
    deleted = fixture_sql(LEDGER);
    g_assert_true(g_str_has_suffix(deleted, "0-30 1 skipped host-down, 31-35 5 skipped changed"));
    g_assert_cmpuint(fixture_sql_u64("SELECT count(*) FROM schedule"), ==, 0);
}

/* Ends that nobody had looked at when their schedule was changed, and when it was deleted: what is skipped with it by who did that is
 * not among them. */
static void test_ends(void)
{
    static const char *const schedules[] = { "nightly", NULL }, *const follows[] = { "x any", NULL };
    StorePutTask put = { "slots", "api", "", "", "[5]", schedules, 1900000000 * USEC_PER_SEC, false, NULL,
        follows };
    g_autoptr(GArray) skips = g_array_new(FALSE, FALSE, sizeof(StoreSkip));
    StoreSkip first = skip_of(50, 51, 51);
    g_autofree char *ledger = NULL;

    fixture_put_plain(f, &put);
    g_free(fixture_sql("UPDATE schedule SET last_nominal = usec_to_time(1800000000000040),"
                       " ends = ARRAY[usec_to_time(1800000000000041), usec_to_time(1800000000000042)],"
                       " end_runs = '{1, 2}'"));
    put.definition = "[6]";
    fixture_put_plain(f, &put);
    g_assert_cmpuint(
        fixture_sql_u64(
            "SELECT time_to_usec(last_nominal) FROM schedule WHERE ends = '{}' AND end_runs = '{}'"),
        ==, 1800000000000042);
    g_free(fixture_sql("UPDATE schedule SET last_nominal = usec_to_time(1800000000000050),"
                       " ends = ARRAY[usec_to_time(1800000000000051), usec_to_time(1800000000000052)],"
                       " end_runs = '{3, 4}'"));
    g_array_append_val(skips, first);
    g_assert_cmpint(fixture_delete_with(f, "slots", skips), ==, 0);
    ledger = fixture_sql(LEDGER);
    g_assert_true(
        g_str_has_suffix(ledger, "41-42 2 skipped changed, 0-51 1 skipped changed, 0-52 1 skipped changed"));
}

/* Another node, an earlier epoch, another token or attempt: nothing changes, and a late end is noted. */
static void test_not_yours(void)
{
    static const char *const strange[] = {
        "UPDATE run SET node = 'there' WHERE id = %" G_GUINT64_FORMAT,
        "UPDATE run SET epoch = epoch + 1 WHERE id = %" G_GUINT64_FORMAT,
        "UPDATE run SET token = gen_random_uuid() WHERE id = %" G_GUINT64_FORMAT,
        "UPDATE run SET attempt = attempt + 1 WHERE id = %" G_GUINT64_FORMAT,
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(strange); i++) {
        g_autofree char *token = g_strdup_printf("strange-%u", i);
        g_autofree char *id = NULL, *sql = NULL, *before = NULL, *after = NULL, *late = NULL;
        g_autoptr(GPtrArray) runs = NULL;
        uint64_t run = fixture_ask(f, token, 0, 0).asked.run;
        StoreOwner o = fixture_owner(claim_one(&runs));
        StoreEnd e = fixture_ending(&o, RUN_SUCCESS);
        char **parts = g_strsplit(strange[i], "%", 2);

        id = g_strdup_printf("%" G_GUINT64_FORMAT, run);
        sql = g_strconcat(parts[0], id, NULL);
        g_strfreev(parts);
        g_free(fixture_sql("%s", sql));
        before = fixture_sql("SELECT run::text FROM run WHERE id = %s", id);
        g_assert_cmpint(fixture_running(f, &o).r, ==, STORE_NOT_YOURS);
        g_assert_cmpint(fixture_stopping(f, &o, RUN_TIMEOUT).r, ==, STORE_NOT_YOURS);
        g_assert_cmpint(fixture_requeue(f, &o).r, ==, STORE_NOT_YOURS);
        g_assert_cmpint(fixture_end(f, &e).r, ==, STORE_NOT_YOURS);
        after = fixture_sql("SELECT run::text FROM run WHERE id = %s", id);
        g_assert_cmpstr(before, ==, after);
        late = fixture_sql("SELECT late FROM attempt WHERE run = %s", id);
        g_assert_true(g_str_has_prefix(late, "success, 1/0"));
    }
    g_free(fixture_sql("UPDATE run SET state = 'done', result = 'lost' WHERE state = 'starting'"));
}

/* --- what is read beside runs --- */

typedef struct Read {
    int r;
    bool answered;
    GPtrArray *list;
    char *server;
    uint64_t schema, newest, size;
} Read;

static void on_list(int r, GPtrArray *list, const Error *error, void *userdata)
{
    Read *read = userdata;

    *read = (Read){ .r = r, .answered = true, .list = list ? g_ptr_array_ref(list) : NULL };
}

static void on_database(int r, const StoreDatabase *d, const Error *error, void *userdata)
{
    Read *read = userdata;

    *read = (Read){ .r = r,
        .answered = true,
        .server = g_strdup(d->server),
        .schema = d->schema,
        .newest = d->schema_newest,
        .size = d->size };
}

static void read_clear(Read *read)
{
    g_clear_pointer(&read->list, g_ptr_array_unref);
    g_free(read->server);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Read, read_clear)

static void test_database(void)
{
    g_autofree char *server = fixture_sql("SHOW server_version");
    g_auto(Read) read = { 0 };

    g_assert_cmpint(store_get_database(f->store, on_database, &read), ==, 0);
    fixture_until(f, &read.answered);
    g_assert_cmpint(read.r, ==, 0);
    g_assert_true(g_str_has_prefix(server, read.server));
    g_assert_cmpuint(read.schema, ==, n_migrations);
    g_assert_cmpuint(read.newest, ==, n_migrations);
    g_assert_cmpuint(read.size, >, 0);
}

/* Names of the nodes, with a + where one is up. */
static char *nodes(const char *name, const char *after, unsigned limit)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(Read) read = { 0 };

    g_assert_cmpint(store_list_nodes(f->store, name, after, limit, on_list, &read), ==, 0);
    fixture_until(f, &read.answered);
    g_assert_cmpint(read.r, ==, 0);
    for (guint i = 0; i < read.list->len; i++) {
        const StoreNode *n = g_ptr_array_index(read.list, i);

        g_string_append_printf(text, "%s%s ", n->name, n->up ? "+" : "");
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_nodes(void)
{
    static const struct {
        const char *name, *after;
        unsigned limit;
        const char *expected;
    } cases[] = {
        { NULL, NULL, 10, "elsewhere here+ z " },
        { NULL, NULL, 1, "elsewhere " },
        { NULL, "elsewhere", 1, "here+ " },
        { NULL, "z", 10, "" },
        { "z", NULL, 10, "z " },
        { "nowhere", NULL, 10, "" },
    };

    g_free(
        fixture_sql("INSERT INTO node (name, epoch, boot_id, last_seen) VALUES ('elsewhere', 3, 'b', now()),"
                    " ('z', 1, 'b', now())"));
    ARRAY_FOREACH (c, cases) {
        g_autofree char *found = nodes(c->name, c->after, c->limit);

        g_assert_cmpstr(found, ==, c->expected);
    }
    g_free(fixture_sql("DELETE FROM node WHERE name <> 'here'"));
}

/* Whether the database is behind what is remembered of it. */
static bool is_behind(const Remembered *m)
{
    char texts[REMEMBERED_VALUES - 1][24];
    const char *values[REMEMBERED_VALUES];
    PGconn *c = fixture_connect();
    PGresult *res;
    bool behind;

    remembered_values(m, texts, values);
    res = PQexecParams(c, remembered_sql, REMEMBERED_VALUES, NULL, values, NULL, NULL, 0);
    g_assert_cmpint(PQntuples(res), ==, 1);
    behind = *PQgetvalue(res, 0, 3) == 't';
    PQclear(res);
    PQfinish(c);
    return behind;
}

/* A backup's sequence may know of a claim that its rows do not know of. */
static void test_remembered(void)
{
    Asked a = fixture_ask(f, "remembered", 0, 0);
    g_autoptr(GPtrArray) runs = NULL;
    const StoreRun *r = claim_one(&runs);
    g_autofree char *identity = fixture_sql("SELECT applied FROM schema_version WHERE version = 1");
    Remembered m = { .fd = -1, .fence = r->fence, .run = r->id, .claim = r->id, .claim_fence = r->fence };
    StoreOwner owner = fixture_owner(r);
    StoreEnd e = fixture_ending(&owner, RUN_SUCCESS);

    g_assert_cmpuint(r->id, ==, a.asked.run);
    g_strlcpy(m.identity, identity, sizeof(m.identity));
    g_assert_false(is_behind(&m));
    m.claim_fence++;
    g_assert_true(is_behind(&m));
    g_strlcpy(m.identity, "another", sizeof(m.identity));
    g_assert_false(is_behind(&m));
    g_strlcpy(m.identity, identity, sizeof(m.identity));
    m.claim += 1000; /* its row went with the history, for all that is known */
    g_assert_false(is_behind(&m));
    m.fence += 5;
    g_assert_true(is_behind(&m));
    g_assert_cmpuint(fixture_sql_u64("SELECT last_value FROM fence"), ==, m.fence);
    g_assert_false(is_behind(&m));
    g_assert_cmpint(fixture_end(f, &e).r, ==, STORE_RECORDED);
}

/* Objects of the entries that a filter leaves, newest first. */
static char *audited(const StoreAuditFilter *filter)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(Read) read = { 0 };

    g_assert_cmpint(store_list_audit(f->store, filter, on_list, &read), ==, 0);
    fixture_until(f, &read.answered);
    g_assert_cmpint(read.r, ==, 0);
    for (guint i = 0; i < read.list->len; i++)
        g_string_append(text, ((const StoreAuditEntry *)g_ptr_array_index(read.list, i))->object);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_audit(void)
{
    static const StoreAudit entries[] = {
        { 0, "root", "a.service", "RunTask", "1", true },
        { 1000, "alice", "", "RunTask", "2", false },
        { 1001, "root", "", "Reload", "3", true }, /* who took the name of another */
        { 1000, "alice", "", "Reload", "4", true },
    };
    /* Instants are those of the third entry. */
    static struct {
        StoreAuditFilter filter;
        bool since, until, before;
        const char *expected;
    } cases[] = {
        { { .uid = UNSET, .granted = -1, .limit = 10 }, false, false, false, "4321" },
        { { .uid = UNSET, .granted = -1, .limit = 2 }, false, false, false, "43" },
        { { .uid = 1000, .granted = -1, .limit = 10 }, false, false, false, "42" },
        { { .uid = UNSET, .user = "alice", .granted = -1, .limit = 10 }, false, false, false, "42" },
        { { .uid = UNSET, .user = "root", .granted = -1, .limit = 10 }, false, false, false, "31" },
        { { .uid = UNSET, .method = "Reload", .granted = -1, .limit = 10 }, false, false, false, "43" },
        { { .uid = UNSET, .granted = 0, .limit = 10 }, false, false, false, "2" },
        { { .uid = UNSET, .granted = 1, .limit = 10 }, false, false, false, "431" },
        { { .uid = UNSET, .granted = -1, .limit = 10 }, true, false, false, "43" },
        { { .uid = UNSET, .granted = -1, .limit = 10 }, false, true, false, "321" },
        { { .uid = UNSET, .granted = -1, .limit = 10 }, false, false, true, "21" },
    };
    StoreAuditFilter third = { .uid = 1001, .granted = -1, .limit = 1 };
    const StoreAuditEntry *e;
    g_auto(Read) read = { 0 };

    ARRAY_FOREACH (a, entries) {
        g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM audit WHERE object = '%s'", a->object);

        /* Each at an instant of its own. */
        g_assert_cmpint(store_audit(f->store, a), ==, 0);
        for (int i = 0; i < TURNS_MAX && fixture_sql_u64(sql) == 0; i++)
            fixture_turn(f);
    }
    g_assert_cmpint(store_list_audit(f->store, &third, on_list, &read), ==, 0);
    fixture_until(f, &read.answered);
    g_assert_cmpuint(read.list->len, ==, 1);
    e = g_ptr_array_index(read.list, 0);
    ARRAY_FOREACH (c, cases) {
        g_autofree char *found = NULL;

        c->filter.since = c->since ? e->at : 0;
        c->filter.until = c->until ? e->at : 0;
        c->filter.before_at = c->before ? e->at : 0;
        c->filter.before_id = c->before ? e->id : 0;
        found = audited(&c->filter);
        g_assert_cmpstr(found, ==, c->expected);
    }
}

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    f = fixture_new("here", NULL, NULL);
    fixture_wait(f, STORE_UP);
    fixture_put(f, "t", "[]", NULL);
    g_test_add_func("/store/life/whole", test_whole);
    g_test_add_func("/store/life/slot", test_slot);
    g_test_add_func("/store/life/expired", test_expired);
    g_test_add_func("/store/life/ledger", test_ledger);
    g_test_add_func("/store/life/ends", test_ends);
    g_test_add_func("/store/life/not-yours", test_not_yours);
    g_test_add_func("/store/life/database", test_database);
    g_test_add_func("/store/life/nodes", test_nodes);
    g_test_add_func("/store/life/remembered", test_remembered);
    g_test_add_func("/store/life/audit", test_audit);
    r = g_test_run();
    fixture_free(f);
    return r;
}
