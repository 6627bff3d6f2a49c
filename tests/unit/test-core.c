/* The life of a run with the store or the service manager going away at each step, before or after it did what it was
 * asked for: whatever happens, the run is recorded once, its process was executed as often as its record says, and no
 * unit is left. Store and exec are twins in memory. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/manager.h"
#include "model/schedule.h"
#include "twins.h"

#define NOW    (1800000000 * USEC_PER_SEC)
#define ROUNDS 200

static sd_event *event;
static Clock *fake;
static Manager *manager;
static unsigned n_done;

static void on_state(void *userdata)
{
}

static void on_run(uint64_t run, RunState state, RunResult result, void *userdata)
{
    n_done += state == RUN_DONE;
}

static void on_skipped(const StoreSkip *skip, void *userdata)
{
}

static void on_task(const char *task, void *userdata)
{
}

static void define(const char *extra)
{
    g_autofree char *text = g_strdup_printf("[Task]\n%s\n[Service]\nExecStart=/bin/true\n", extra);
    g_autoptr(GPtrArray) diags = diag_list_new();
    TaskSource source = { (char *)"t.task", text, strlen(text) };
    g_autoptr(Task) task = task_read("t", &source, 1, diags);

    g_assert_nonnull(task);
    twins.task = (char *)"t";
    twins.definition = task_sources_to_json(task);
}

/* embedded: the private database, below directory. */
static void boot_in(const char *directory, bool embedded)
{
    static const ManagerEvents events = { on_state, on_run, on_task, on_skipped };
    static const char *const none[] = { NULL };
    const ManagerConfig config = { false, embedded, "", "node", directory, directory, directory, none, none,
        1000, 1000 };

    g_assert_cmpint(manager_new(event, fake, &config, &events, NULL, &manager), >=, 0);
    g_assert_cmpint(manager_start(manager), >=, 0);
    twins_heal(); /* the bus, and with it the manager's stamp: the store is asked for */
    twins_heal();
    for (int i = 0; i < ROUNDS && manager_state(manager) != MANAGER_RUNNING; i++)
        g_assert_cmpint(sd_event_run(event, 100 * USEC_PER_MSEC), >=, 0);
    g_assert_cmpint(manager_state(manager), ==, MANAGER_RUNNING);
}

static void boot(void)
{
    boot_in("/run", false);
}

static void begin(const char *extra)
{
    g_assert_cmpint(sd_event_new(&event), >=, 0);
    g_assert_cmpint(clock_new_fake(NOW, &fake), >=, 0);
    twins_reset(fake);
    define(extra);
    n_done = 0;
}

static void end(void)
{
    g_clear_pointer(&manager, manager_free);
    g_clear_pointer(&fake, clock_free);
    event = sd_event_unref(event);
    g_clear_pointer(&twins.definition, g_free);
}

static bool all_done(void)
{
    for (guint i = 0; i < twins.rows->len; i++)
        if (((TwinRow *)g_ptr_array_index(twins.rows, i))->run.state != RUN_DONE)
            return false;
    return true;
}

static unsigned n_foreign(void)
{
    GHashTableIter i;
    gpointer unit;
    unsigned n = 0;

    g_hash_table_iter_init(&i, twins.units);
    while (g_hash_table_iter_next(&i, &unit, NULL))
        n += g_str_equal(unit, "tsched-run-1-1.service");
    return n;
}

/* Until nothing is left to be done; what went away comes back when all else stands still. */
static void live(unsigned foreign_left)
{
    for (int i = 0; i < ROUNDS; i++) {
        for (int n = 0; n < ROUNDS && twins_step(); n++)
            ;
        clock_fake_advance(fake, 0);
        twins_heal();
        for (int n = 0; n < ROUNDS && twins_step(); n++)
            ;
        if (all_done() && g_hash_table_size(twins.units) == foreign_left && manager_n_running(manager) == 0 &&
            manager_n_unrecorded(manager) == 0)
            return;
        clock_fake_advance(fake, USEC_PER_SEC + USEC_PER_SEC / 2);
        twins_end_processes();
    }
    g_error("it hangs: fault %d at %d, run is %s", (int)twins.fault, (int)twins.fault_at,
        run_state_to_string(((TwinRow *)g_ptr_array_index(twins.rows, 0))->run.state));
}

static void check_once(unsigned starts_max, unsigned foreign_left)
{
    for (guint i = 0; i < twins.rows->len; i++) {
        const TwinRow *w = g_ptr_array_index(twins.rows, i);

        g_assert_cmpuint(w->n_recorded, ==, 1);
        g_assert_cmpuint(w->n_starts, <=, starts_max);
        if (w->run.result == RUN_SUCCESS)
            g_assert_cmpuint(w->n_starts, ==, 1);
    }
    g_assert_cmpuint(n_foreign(), ==, foreign_left);
    g_assert_cmpuint(manager_n_waiting(manager), ==, 0);
}

static void on_cancelled(int r, const Error *error, void *userdata)
{
}

static void cancel_at_step(void)
{
    const Caller caller = { 0, "root", "" };
    g_auto(Error) error = { 0 };

    (void)manager_cancel_run(manager, &caller, 1, on_cancelled, NULL, &error);
}

static void with_each_fault(void (*scenario)(TwinKind at, TwinFault fault))
{
    for (TwinKind at = 0; at < _TWIN_KIND_MAX; at++)
        for (TwinFault fault = TWIN_FAULT_NONE; fault <= TWIN_FAULT_AFTER; fault++)
            scenario(at, fault);
}

static void plain(TwinKind at, TwinFault fault)
{
    begin("");
    twins.fault_at = at;
    twins.fault = fault;
    twins_add_run();
    boot();
    live(0);
    check_once(1, 0);
    g_assert_cmpint(((TwinRow *)g_ptr_array_index(twins.rows, 0))->run.result, ==, RUN_SUCCESS);
    g_assert_cmpuint(n_done, ==, 1);
    end();
}

/* What cannot be looked at now is not taken for absent. */
static void short_of_descriptors(TwinKind at, TwinFault fault)
{
    begin("");
    twins.fault_at = at;
    twins.fault = fault;
    twins.no_group = twins.no_output = 3;
    twins_add_run();
    boot();
    live(0);
    check_once(1, 0);
    g_assert_cmpint(((TwinRow *)g_ptr_array_index(twins.rows, 0))->run.result, ==, RUN_SUCCESS);
    g_assert_cmpuint(twins.no_group + twins.no_output, ==, 0);
    end();
}

static void test_short_of_descriptors(void)
{
    with_each_fault(short_of_descriptors);
}

static void test_plain(void)
{
    with_each_fault(plain);
}

/* Schedules, old definitions and other units have stories of their own. */
static bool is_of_runs(TwinKind kind)
{
    return kind != TWIN_ASK && kind != TWIN_PASS && kind != TWIN_REVISION && kind != TWIN_START_UNIT;
}

static void cancelled(TwinKind at, TwinFault fault)
{
    for (TwinKind when = 0; when < _TWIN_KIND_MAX; when++) {
        if (when == TWIN_CANCEL || !is_of_runs(when) || !is_of_runs(at))
            continue;
        begin("");
        twins.fault_at = at;
        twins.fault = fault;
        twins.cancel_at = when;
        twins.cancel = cancel_at_step;
        twins_add_run();
        boot();
        live(0);
        check_once(1, 0);
        end();
    }
}

static void test_cancelled(void)
{
    with_each_fault(cancelled);
}

static void foreign(TwinKind at, TwinFault fault)
{
    begin("");
    twins.fault_at = at;
    twins.fault = fault;
    twins.foreign = "of-another-time";
    twins_add_run();
    boot();
    live(1);
    check_once(1, 1);
    g_assert_cmpint(((TwinRow *)g_ptr_array_index(twins.rows, 0))->run.result, ==, RUN_SUCCESS);
    end();
}

static void test_foreign(void)
{
    with_each_fault(foreign);
}

/* --- what the simulation (tests/sim) found, each told as briefly as it can be --- */

/* The unit of that name was known as somebody else's before the run was claimed: its claim was taken for one that is
 * answered twice, and the run stayed `starting` for ever. */
static void name_known(TwinKind at, TwinFault fault)
{
    begin("");
    twins.fault_at = at;
    twins.fault = fault;
    twins_add_foreign(1, 1);
    boot();
    for (int n = 0; n < ROUNDS && twins_step(); n++)
        ;
    twins_add_run();
    twins_lose_store();
    live(1);
    check_once(1, 1);
    g_assert_cmpint(((TwinRow *)g_ptr_array_index(twins.rows, 0))->run.result, ==, RUN_SUCCESS);
    end();
}

static void test_name_known(void)
{
    with_each_fault(name_known);
}

/* And cancelled before it was started: nothing of that name is its own to let go of. */
static void name_known_cancelled(TwinKind at, TwinFault fault)
{
    begin("");
    twins.fault_at = at;
    twins.fault = fault;
    twins_add_foreign(1, 1);
    boot();
    for (int n = 0; n < ROUNDS && twins_step(); n++)
        ;
    twins.cancel_at = TWIN_GET;
    twins.cancel = cancel_at_step;
    twins_add_run();
    twins_lose_store();
    live(1);
    twins_heal(); /* what waits is counted anew */
    check_once(1, 1);
    end();
}

static void test_name_known_cancelled(void)
{
    with_each_fault(name_known_cancelled);
}

/* The units were listed, and one of them that has no row under way came to its end before the list arrived: nobody heard
 * of it, and the unit stayed. */
static void test_end_while_listed(void)
{
    begin("");
    twins_add_recorded(twins_add_run());
    twins.end_while_listed = true;
    boot();
    for (int n = 0; n < ROUNDS && twins_step(); n++)
        ;
    g_assert_cmpuint(g_hash_table_size(twins.units), ==, 0);
    end();
}

/* A definition was put, and the answer was lost: its entry is replaced when the database is back. */
static void test_changed_while_away(void)
{
    begin("");
    twins_add_run();
    boot();
    twins_lose_store();
    twins.revision++;
    live(0);
    check_once(1, 0);
    end();
}

/* What is due by our clock is not yet by the database's: it is not asked again and again. */
static void test_clock_behind(void)
{
    begin("");
    twins.behind = 3 * USEC_PER_SEC;
    twins_add_run();
    boot();
    live(0);
    check_once(1, 0);
    g_assert_cmpuint(twins.n_claims, <, 20);
    end();
}

static void refused(TwinKind at, TwinFault fault)
{
    begin("");
    twins.fault_at = at;
    twins.fault = fault;
    twins.start_answer = EXEC_REFUSED;
    twins_add_run();
    boot();
    live(0);
    check_once(1, 0);
    end();
}

static void test_refused(void)
{
    with_each_fault(refused);
}

static void shutting_down(TwinKind at, TwinFault fault)
{
    begin("");
    twins.fault_at = at;
    twins.fault = fault;
    twins.start_answer = EXEC_SHUTTING_DOWN;
    twins_add_run();
    boot();
    live(0);
    check_once(1, 0);
    end();
}

static void test_shutting_down(void)
{
    with_each_fault(shutting_down);
}

static void retried(TwinKind at, TwinFault fault)
{
    const TwinRow *w;

    begin("Retries=2");
    twins.fault_at = at;
    twins.fault = fault;
    twins.exit_status = 3;
    w = twins_add_run();
    boot();
    live(0);
    g_assert_cmpuint(w->n_starts, ==, 3);
    g_assert_cmpuint(w->n_recorded, ==, 1);
    g_assert_cmpint(w->run.result, ==, RUN_EXIT_CODE);
    end();
}

static void test_retried(void)
{
    with_each_fault(retried);
}

/* The manager was reloaded between the making of a unit and its execution, and lost the command: nothing was executed. */
static void never_ran(TwinKind at, TwinFault fault)
{
    begin("");
    twins.fault_at = at;
    twins.fault = fault;
    twins.never_ran = true;
    twins_add_run();
    boot();
    live(0);
    check_once(1, 0);
    g_assert_cmpint(((TwinRow *)g_ptr_array_index(twins.rows, 0))->run.result, ==, RUN_SUCCESS);
    end();
}

static void test_never_ran(void)
{
    with_each_fault(never_ran);
}

/* A drop-in of the administrator's changed what a run's unit stands on: it is ended, and says so. */
static void alter(TwinKind at, TwinFault fault, bool unkept)
{
    begin("");
    twins.fault_at = at;
    twins.fault = fault;
    twins.altered = !unkept;
    twins.unkept = unkept;
    twins_add_run();
    boot();
    live(0);
    check_once(1, 0);
    g_assert_cmpint(((TwinRow *)g_ptr_array_index(twins.rows, 0))->run.result, ==, RUN_RESOURCES);
    end();
}

static void altered(TwinKind at, TwinFault fault)
{
    alter(at, fault, false);
}

static void unkept(TwinKind at, TwinFault fault)
{
    alter(at, fault, true);
}

static void test_altered(void)
{
    with_each_fault(altered);
    with_each_fault(unkept);
}

/* The definition that the run was made from is in force no more: it is read, or the run cannot be. */
static void old_revision(TwinKind at, TwinFault fault)
{
    for (int absent = 0; absent <= 1; absent++) {
        const TwinRow *w;

        begin("");
        twins.fault_at = at;
        twins.fault = fault;
        twins.revision = 2;
        twins.no_revision = absent > 0;
        w = twins_add_run();
        boot();
        live(0);
        check_once(1, 0);
        g_assert_cmpint(w->run.result, ==, absent > 0 ? RUN_NOT_FOUND : RUN_SUCCESS);
        g_assert_cmpuint(w->n_starts, ==, absent > 0 ? 0 : 1);
        end();
    }
}

static void test_old_revision(void)
{
    with_each_fault(old_revision);
}

/* Each slot has one outcome: of three that were missed the two that are too old are passed, the third is fired; or, where
 * the database refuses its run, passed as well. */
static void slots(TwinKind at, TwinFault fault)
{
    const uint64_t day = 86400, now = NOW / USEC_PER_SEC;
    g_autofree char *schedule =
        g_strdup_printf("[Schedule s]\nAt=@%" PRIu64 "\nAt=@%" PRIu64 "\nAt=@%" PRIu64, now - 5 * day,
            now - 4 * day, now - day / 2);

    for (int refused = 0; refused <= 1; refused++) {
        begin(schedule);
        twins.fault_at = at;
        twins.fault = fault;
        twins.last_nominal = (now - 6 * day) * USEC_PER_SEC;
        twins.ask_answer = refused > 0 ? -EINVAL : 0;
        boot();
        for (int i = 0; i < 3; i++) {
            live(0);
            clock_fake_advance(fake, USEC_PER_SEC);
        }
        live(0);
        check_once(1, 0);
        g_assert_cmpuint(twins.last_nominal, ==, (now - day / 2) * USEC_PER_SEC);
        g_assert_cmpuint(twins.n_passed, ==, refused > 0 ? 3 : 2);
        g_assert_cmpuint(twins.n_slots, ==, refused > 0 ? 0 : 1);
        end();
    }
}

static void test_slots(void)
{
    with_each_fault(slots);
}

/* A slot's run is due as much later as Jitter= says, and waits until then. */
static void test_jitter(void)
{
    const uint64_t nominal = NOW / USEC_PER_SEC * USEC_PER_SEC + 100 * USEC_PER_SEC;
    const Schedule s = { .name = (char *)"s", .jitter_usec = 300 * USEC_PER_SEC };
    g_autofree char *schedule =
        g_strdup_printf("[Schedule s]\nAt=@%" PRIu64 "\nJitter=5min", nominal / USEC_PER_SEC);
    const TwinRow *w;
    uint64_t due = nominal + schedule_jitter(&s, "node", "t", nominal);

    g_assert_cmpuint(due, >, nominal + 2 * USEC_PER_SEC);
    begin(schedule);
    boot();
    while (clock_real(fake) <= nominal + USEC_PER_SEC) {
        clock_fake_advance(fake, USEC_PER_SEC);
        while (twins_step())
            ;
    }
    g_assert_cmpuint(twins.rows->len, ==, 1);
    w = g_ptr_array_index(twins.rows, 0);
    g_assert_cmpuint(w->run.due, ==, due);
    g_assert_cmpint(w->run.state, <=, RUN_QUEUED);
    live(0);
    g_assert_cmpuint(clock_real(fake), >=, due);
    check_once(1, 0);
    end();
}

/* The daemon ends with something under way at each moment, and begins again on the same rows and units. */
static void test_restarted(void)
{
    for (int steps = 0; steps < 30; steps++) {
        begin("");
        twins_add_run();
        boot();
        for (int i = 0; i < steps; i++) {
            if (twins_step())
                continue;
            clock_fake_advance(fake, USEC_PER_SEC);
            twins_end_processes();
        }
        g_clear_pointer(&manager, manager_free);
        boot();
        live(0);
        check_once(1, 0);
        end();
    }
}

/* --- the private database's server --- */

typedef struct Told {
    unsigned n;
    int r;
    DatabaseServers servers;
    char *text, *hint;
} Told;

static void on_servers(int r, const DatabaseServers *servers, void *userdata)
{
    Told *t = userdata;

    t->n++;
    t->r = r;
    t->servers = servers ? *servers : (DatabaseServers){ 0 };
}

static void on_upgraded(int r, const Error *error, void *userdata)
{
    Told *t = userdata;

    t->n++;
    t->r = r;
    t->text = g_strdup(error && error->message ? error->message : "");
    t->hint = g_strdup(error && error->hint ? error->hint : "");
}

/* A helper process is waited for. */
static void wait_told(const Told *t)
{
    for (int i = 0; i < 600 && t->n == 0; i++) {
        g_assert_cmpint(sd_event_run(event, 100 * USEC_PER_MSEC), >=, 0);
        while (twins_step())
            ;
    }
    g_assert_cmpuint(t->n, ==, 1);
}

static void write_file(const char *directory, const char *name, const char *text, int mode)
{
    g_autofree char *path = g_build_filename(directory, name, NULL), *folder = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, mode, NULL));
}

static void remove_tree(const char *path)
{
    const char *const words[] = { "rm", "-rf", "--", path, NULL };

    g_assert_true(
        g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
}

/* What is on the host, and what becomes of an upgrade that is asked for. */
static void test_servers(void)
{
    static const struct {
        const char *cluster; /* contents of its PG_VERSION; NULL: none */
        const char *files[5];
        int unit_answer;
        unsigned version, newest;
        bool installed;
        unsigned n_units; /* that were asked for */
        const char *text, *hint;
    } cases[] = {
        { NULL, { "15/bin/initdb", "15/bin/postgres" }, 0, 0, 15, false, 0, "There is no database", "" },
        { "nonsense\n", { "15/bin/initdb" }, 0, 0, 15, false, 0, "There is no database", "" },
        { "15\n", { "17/bin/initdb", "17/bin/postgres" }, 0, 15, 17, false, 0, "has to be installed",
            "postgresql-15" },
        { "15\n", { NULL }, 0, 15, 0, false, 0, "has to be installed", "postgresql-15" },
        { "15\n", { "15/bin/initdb", "15/bin/postgres", "other/bin/initdb", "16/bin/psql" }, 0, 15, 15, true,
            0, "nothing to do", "postgresql-16" },
        { "15\n", { "15/bin/initdb", "15/bin/postgres", "17/bin/initdb" }, 0, 15, 17, true, 1, "", "" },
        { "15\n", { "15/bin/initdb", "15/bin/postgres", "17/bin/initdb" }, -EACCES, 15, 17, true, 1,
            "does not start", "" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *directory = g_dir_make_tmp("test-core-XXXXXX", NULL);
        g_autofree char *servers = g_build_filename(directory, "servers", NULL);
        g_auto(Error) error = { 0 };
        Told seen = { 0 }, told = { 0 };

        begin("");
        twins.unit_answer = c->unit_answer;
        boot_in(directory, true);
        g_setenv("TASKSCHEDD_POSTGRESQL_SERVERS", servers, true);
        for (const char *const *file = c->files; *file; file++)
            write_file(servers, *file, "#!/bin/true\n", 0755);
        if (c->cluster)
            write_file(manager_data_directory(manager), "PG_VERSION", c->cluster, 0600);
        g_assert_cmpint(manager_look_for_servers(manager, on_servers, &seen), >=, 0);
        wait_told(&seen);
        g_assert_cmpint(seen.r, ==, 0);
        g_assert_cmpuint(seen.servers.cluster, ==, c->version);
        g_assert_cmpuint(seen.servers.newest, ==, c->newest);
        g_assert_cmpint(seen.servers.installed, ==, c->installed);
        g_assert_cmpint(manager_upgrade_database(manager, on_upgraded, &told, &error), >=, 0);
        wait_told(&told);
        g_assert_cmpint(told.r < 0, ==, *c->text != 0);
        g_assert_nonnull(strstr(told.text, c->text));
        g_assert_nonnull(strstr(told.hint, c->hint));
        g_assert_cmpuint(twins.n_units, ==, c->n_units);
        end();
        g_free(told.text);
        g_free(told.hint);
        remove_tree(directory);
    }
}

/* Where the database is another, there is nothing to look at; and who still waits is told when the manager goes. */
static void test_servers_not_told(void)
{
    g_auto(Error) error = { 0 };
    Told told = { 0 };

    begin("");
    boot();
    g_assert_cmpint(manager_look_for_servers(manager, on_servers, &told), ==, -EOPNOTSUPP);
    g_assert_cmpint(manager_upgrade_database(manager, on_upgraded, &told, &error), <, 0);
    g_assert_nonnull(strstr(error.message, "ConnInfo="));
    end();
    begin("");
    boot_in("/nonexistent", true);
    g_assert_cmpint(manager_look_for_servers(manager, on_servers, &told), >=, 0);
    g_assert_cmpuint(told.n, ==, 0);
    end();
    g_assert_cmpuint(told.n, ==, 1);
    g_assert_cmpint(told.r, ==, -ECANCELED);
}

int main(int argc, char **argv)
{
    /* The manager's helpers are this program. For the task directories: there are no files. */
    if (argc > 2 && g_str_equal(argv[1], "--helper=database"))
        return database_helper_main(argc - 2, argv + 2);
    if (argc > 1 && g_str_has_prefix(argv[1], "--helper="))
        return 0;
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/core/plain", test_plain);
    g_test_add_func("/core/cancelled", test_cancelled);
    g_test_add_func("/core/foreign", test_foreign);
    g_test_add_func("/core/end-while-listed", test_end_while_listed);
    g_test_add_func("/core/refused", test_refused);
    g_test_add_func("/core/shutting-down", test_shutting_down);
    g_test_add_func("/core/retried", test_retried);
    g_test_add_func("/core/never-ran", test_never_ran);
    g_test_add_func("/core/altered", test_altered);
    g_test_add_func("/core/old-revision", test_old_revision);
    g_test_add_func("/core/slots", test_slots);
    g_test_add_func("/core/jitter", test_jitter);
    g_test_add_func("/core/restarted", test_restarted);
    g_test_add_func("/core/short-of-descriptors", test_short_of_descriptors);
    g_test_add_func("/core/name-known", test_name_known);
    g_test_add_func("/core/name-known-cancelled", test_name_known_cancelled);
    g_test_add_func("/core/changed-while-away", test_changed_while_away);
    g_test_add_func("/core/clock-behind", test_clock_behind);
    g_test_add_func("/core/servers", test_servers);
    g_test_add_func("/core/servers-not-told", test_servers_not_told);
    return g_test_run();
}
