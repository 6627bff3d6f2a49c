/* The daemon's one object: what is up, what state that makes, and who is woken by it. */
#include "core/internal.h"

#include "base/log.h"

#define STAMP_WAIT_USEC (3 * USEC_PER_SEC)
#define STOP_WAIT_USEC  (10 * USEC_PER_SEC)
#define STOP_TICK_USEC  (50 * USEC_PER_MSEC)

static const char *const state_names[_MANAGER_STATE_MAX] = {
    [MANAGER_WAITING_FOR_DATABASE] = "waiting-for-database",
    [MANAGER_RUNNING] = "running",
    [MANAGER_STOPPING] = "stopping",
};

const char *manager_state_to_string(ManagerState s)
{
    return state_names[s];
}

/* --- telling --- */

void manager_run_changed(Manager *m, uint64_t run, RunState state, RunResult result)
{
    m->events.run_changed(run, state, result, m->userdata);
    if (state == RUN_DONE && m->scheduler)
        scheduler_run_done(m->scheduler, run);
}

void manager_task_changed(Manager *m, const char *task)
{
    m->events.task_changed(task, m->userdata);
}

static void manager_set_state(Manager *m, ManagerState state, const char *reason)
{
    if (m->state == MANAGER_STOPPING)
        state = MANAGER_STOPPING;
    if (m->state == state && g_strcmp0(m->reason, reason) == 0)
        return;
    m->state = state;
    g_free(m->reason);
    m->reason = g_strdup(reason);
    log_message(*reason ? LOG_NOTICE : LOG_INFO, &(LogContext){ .message_id = LOG_ID_STATE }, "State: %s%s%s",
        manager_state_to_string(state), *reason ? ": " : "", reason);
}

bool manager_may_start(const Manager *m)
{
    return m->state == MANAGER_RUNNING && m->store_up && m->exec_up && m->manager_stamp > 0;
}

static void manager_finish_stop(Manager *m)
{
    ClockFn fn = m->stop_fn;

    m->stop_fn = NULL;
    if (m->stop_timer)
        clock_timer_disarm(m->stop_timer);
    if (fn)
        fn(m->stop_userdata);
}

/* What can be found out and recorded now is not left for later: after a shutdown of the host nobody could tell any more
 * that a start which it called off had not begun. */
static bool manager_is_settled(const Manager *m)
{
    const Engine *e = m->engine;

    if (!m->store_up)
        return true;
    if (m->exec_up && (!m->stop_heard || engine_n_in_doubt(e) > 0 || engine_n_ending(e) > 0))
        return false;
    return engine_n_unrecorded(e) == 0 && store_pending(m->store) == 0;
}

void manager_update(Manager *m)
{
    if (m->stop_fn && manager_is_settled(m))
        manager_finish_stop(m);
    m->events.state_changed(m->userdata);
}

/* --- the database --- */

static void manager_load_files(Manager *m);

static void on_files(int r, const Error *error, void *userdata)
{
    Manager *m = userdata;

    m->files_loading = false;
    if (r == -ECANCELED) /* we are being freed */
        return;
    if (r == -ENOTCONN) { /* not all of them are in the database */
        if (m->store_up)
            manager_load_files(m);
        return;
    }
    /* Tasks from files are in force, or were reported: work begins. */
    m->files_loaded = true;
    manager_set_state(
        m, MANAGER_RUNNING, m->exec_up ? "" : "the service manager cannot be reached over the bus");
    /* Told first: the daemon counts as started before it starts anything. */
    manager_update(m);
    scheduler_wake(m->scheduler);
    expect_begin(m->expect);
    engine_wake(m->engine);
    dispatcher_wake(m->dispatcher);
}

/* Once; where the database went away meanwhile, again. */
static void manager_load_files(Manager *m)
{
    if (m->files_loading)
        return;
    m->files_loading = !m->files_loaded;
    if (m->files_loaded || manager_reload(m, NULL, on_files, m, NULL) < 0)
        on_files(0, NULL, m);
}

static void manager_database_up(Manager *m, const StoreLoaded *loaded)
{
    m->store_up = true;
    m->n_waiting = loaded->n_waiting;
    m->tasks_known = true;
    if (loaded->late)
        scheduler_load_late(m->scheduler, loaded->late);
    engine_load(m->engine, loaded);
    engine_wake(m->engine);
    history_wake(m->history);
    dispatcher_deadline(m->dispatcher, loaded->next_deadline);
    if (loaded->next_due != UNSET)
        dispatcher_due(m->dispatcher, loaded->next_due);
    manager_load_files(m);
}

static void on_store(StoreState state, const char *reason, const StoreLoaded *loaded, void *userdata)
{
    Manager *m = userdata;

    if (loaded) {
        registry_load(m->registry, state, loaded);
        scheduler_load(m->scheduler, loaded->tasks, loaded->schedules);
        expect_load(m->expect, loaded->tasks);
        if (state == STORE_UP)
            manager_database_up(m, loaded);
        return;
    }
    m->store_up = false;
    manager_set_state(m, MANAGER_WAITING_FOR_DATABASE, util_strempty(reason));
    manager_update(m);
}

static int manager_start_store(Manager *m)
{
    g_autofree char *dumps = g_build_filename(m->config.state_directory, "dumps", NULL);
    g_autofree char *why = m->config.embedded
                               ? g_build_filename(m->config.runtime_directory, "postgresql", "reason", NULL)
                               : NULL;
    g_autofree char *memory = g_build_filename(m->config.runtime_directory, "database", NULL);
    StoreConfig config = {
        .conninfo = m->config.conninfo,
        .node = m->config.node,
        .heard = m->config.embedded ? NULL : manager_heard,
        .boot_id = m->boot_id,
        .manager_stamp = m->manager_stamp,
        .dump_directory = dumps,
        .reason_file = why,
        .memory_file = memory,
    };
    int r;

    if (m->store_started)
        return 0;
    m->store_started = true;
    r = store_new(m->event, m->clock, &config, on_store, m, &m->store);
    return r < 0 ? r : store_start(m->store);
}

static void manager_ask_stamp(Manager *m);

/* The stamp is not to be had: the store does without, and nothing is claimed. */
static void on_start_timer(void *userdata)
{
    Manager *m = userdata;

    manager_start_store(m);
    manager_ask_stamp(m);
}

/* --- the service manager --- */

static void on_unit_changed(const UnitState *seen, void *userdata)
{
    engine_unit_changed(((Manager *)userdata)->engine, seen);
}

static void on_unit_removed(const char *unit, void *userdata)
{
    engine_unit_removed(((Manager *)userdata)->engine, unit);
}

static void on_resync(void *userdata)
{
    engine_resync(((Manager *)userdata)->engine);
}

static void on_stamp(int r, uint64_t number, void *userdata)
{
    Manager *m = userdata;

    m->stamp_asked = false;
    if (r == -ENOTCONN || r == -ECANCELED)
        return; /* asked again with the next connection; the timer has enough of it */
    if (r < 0) {
        clock_timer_arm(m->start_timer, clock_boot(m->clock) + STAMP_WAIT_USEC);
        return;
    }
    m->manager_stamp = number;
    clock_timer_disarm(m->start_timer);
    if (m->store)
        store_set_manager_stamp(m->store, number);
    manager_start_store(m);
    engine_wake(m->engine);
    dispatcher_wake(m->dispatcher);
}

static void manager_ask_stamp(Manager *m)
{
    if (!m->exec_up || m->stamp_asked || m->manager_stamp > 0)
        return;
    m->stamp_asked = exec_manager_stamp(m->exec, on_stamp, m) >= 0;
    if (!m->stamp_asked)
        clock_timer_arm(m->start_timer, clock_boot(m->clock) + STAMP_WAIT_USEC);
}

static void on_exec_connection(bool up, void *userdata)
{
    Manager *m = userdata;

    m->exec_up = up;
    manager_ask_stamp(m);
    if (m->state == MANAGER_RUNNING)
        manager_set_state(m, MANAGER_RUNNING, up ? "" : "the service manager cannot be reached over the bus");
    if (up) {
        engine_resync(m->engine);
        engine_wake(m->engine);
        dispatcher_wake(m->dispatcher);
    }
    manager_update(m);
}

int manager_set_bus(Manager *m, sd_bus *bus)
{
    return exec_set_bus(m->exec, bus);
}

/* --- life --- */

static void manager_copy_config(Manager *m, const ManagerConfig *c)
{
    m->config = *c;
    m->config.conninfo = g_strdup(c->conninfo);
    m->config.node = g_strdup(c->node);
    m->config.runtime_directory = g_strdup(c->runtime_directory);
    m->config.output_directory = g_strdup(c->output_directory);
    m->config.state_directory = g_strdup(c->state_directory);
    m->config.task_directories = (const char *const *)g_strdupv((char **)c->task_directories);
    m->config.calendar_directories = (const char *const *)g_strdupv((char **)c->calendar_directories);
    if (c->embedded)
        m->data_directory = g_build_filename(c->state_directory, "postgresql", "data", NULL);
}

int manager_new(sd_event *event, Clock *clock, const ManagerConfig *config, const ManagerEvents *events,
    void *userdata, Manager **ret)
{
    static const ExecEvents exec_events = { on_unit_changed, on_unit_removed, on_resync, on_exec_connection };
    g_autoptr(Manager) m = g_new0(Manager, 1);
    ExecConfig exec_config;
    int r;

    m->event = sd_event_ref(event);
    m->clock = clock;
    manager_copy_config(m, config);
    m->events = *events;
    m->userdata = userdata;
    m->boot_id = g_strdup(clock_boot_id(clock));
    m->state = MANAGER_WAITING_FOR_DATABASE;
    m->reason = g_strdup("starting");
    exec_config =
        (ExecConfig){ m->config.user_scope, m->config.runtime_directory, m->config.output_directory };
    r = exec_new(event, &exec_config, &exec_events, m, &m->exec);
    if (r < 0)
        return r;
    m->secrets = secrets_new(m->config.state_directory);
    m->registry = registry_new(m);
    m->engine = engine_new(m);
    m->dispatcher = dispatcher_new(m);
    m->scheduler = scheduler_new(m);
    m->expect = expect_new(m);
    m->changes = changes_new();
    m->rereads = rereads_new();
    m->calendars = calendars_new();
    m->loader = loader_new(m);
    m->history = history_new(m);
    if (!m->dispatcher || !m->scheduler || !m->expect || !m->loader || !m->history ||
        clock_timer_new(clock, CLOCK_BOOT, on_start_timer, m, &m->start_timer) < 0 ||
        clock_timer_new(clock, CLOCK_BOOT, manager_count_waiting, m, &m->count_timer) < 0)
        return -ENOMEM;
    *ret = g_steal_pointer(&m);
    return 0;
}

int manager_start(Manager *m)
{
    /* The store wants to know the service manager's identity first; without a bus it does without after a
     * while. */
    return clock_timer_arm(m->start_timer, clock_boot(m->clock) + STAMP_WAIT_USEC);
}

/* Not every answer leads to manager_update(): what is awaited is looked at now and then. */
static void on_stop_timer(void *userdata)
{
    Manager *m = userdata;
    uint64_t now = clock_boot(m->clock);

    if (!m->stop_fn)
        return;
    if (!manager_is_settled(m) && now < m->stop_until) {
        clock_timer_arm(m->stop_timer, now + STOP_TICK_USEC);
        return;
    }
    if (engine_n_in_doubt(m->engine) > 0 && m->exec_up && m->store_up)
        log_notice(
            "Stopping with %u runs of which it is not known whether they began; whoever comes next finds out.",
            engine_n_in_doubt(m->engine));
    if (engine_n_unrecorded(m->engine) > 0)
        log_warning("Stopping with %u ended runs not recorded yet; their units keep what is to be recorded.",
            engine_n_unrecorded(m->engine));
    manager_finish_stop(m);
}

static void on_last_word(int r, uint64_t number, void *userdata)
{
    Manager *m = userdata;

    m->stop_heard = true;
    if (r != -ECANCELED) /* we are being freed */
        manager_update(m);
}

/* When the machine is switched off, our turn comes right after the last run's end, and how it ended is nowhere but in
 * what the service manager has sent before its signal: that is read first. Its answer comes after all of that. */
static void manager_ask_last_word(Manager *m)
{
    m->stop_heard = false;
    if (!m->exec_up || exec_manager_stamp(m->exec, on_last_word, m) < 0)
        m->stop_heard = true;
}

void manager_zone_changed(Manager *m)
{
    scheduler_zone_changed(m->scheduler);
    engine_zone_changed(m->engine);
    expect_zone_changed(m->expect);
}

void manager_stop(Manager *m, ClockFn fn, void *userdata)
{
    manager_set_state(m, MANAGER_STOPPING, "");
    m->stop_fn = fn;
    m->stop_userdata = userdata;
    if (!m->store || !m->store_up) {
        manager_finish_stop(m);
        return;
    }
    if (!m->stop_timer && clock_timer_new(m->clock, CLOCK_BOOT, on_stop_timer, m, &m->stop_timer) < 0) {
        manager_finish_stop(m);
        return;
    }
    exec_withdraw_starts(m->exec);
    manager_ask_last_word(m);
    m->stop_until = clock_boot(m->clock) + STOP_WAIT_USEC;
    clock_timer_arm(m->stop_timer, clock_boot(m->clock) + STOP_TICK_USEC);
    engine_wake(m->engine); /* what is claimed and not started goes back */
    manager_update(m);
}

void manager_free(Manager *m)
{
    if (!m)
        return;
    /* All answer what is under way: nothing new follows from that. */
    m->store_up = m->exec_up = false;
    m->state = MANAGER_STOPPING;
    m->stop_fn = NULL;
    manager_cancel_reloads(m);
    g_clear_pointer(&m->store, store_free);
    g_clear_pointer(&m->rereads, rereads_free);
    exec_free(m->exec);
    database_cancel_all(m);
    loader_free(m->loader);
    history_free(m->history);
    scheduler_free(m->scheduler);
    changes_free(m->changes);
    dispatcher_free(m->dispatcher);
    engine_free(m->engine);
    registry_free(m->registry);
    expect_free(m->expect);
    calendars_free(m->calendars);
    secrets_free(m->secrets);
    clock_timer_free(m->start_timer);
    clock_timer_free(m->stop_timer);
    clock_timer_free(m->count_timer);
    g_free((char *)m->config.conninfo);
    g_free((char *)m->config.node);
    g_free((char *)m->config.runtime_directory);
    g_free((char *)m->config.output_directory);
    g_free((char *)m->config.state_directory);
    g_strfreev((char **)m->config.task_directories);
    g_strfreev((char **)m->config.calendar_directories);
    g_free(m->data_directory);
    g_free(m->boot_id);
    g_free(m->reason);
    sd_event_unref(m->event);
    g_free(m);
}

uint64_t manager_now(const Manager *m)
{
    return clock_real(m->clock);
}

ManagerState manager_state(const Manager *m)
{
    return m->state;
}

const char *manager_reason(const Manager *m)
{
    return m->reason;
}

const char *manager_data_directory(const Manager *m)
{
    return m->data_directory;
}

uint64_t manager_n_running(const Manager *m)
{
    return engine_n_running(m->engine);
}

uint64_t manager_n_waiting(const Manager *m)
{
    return m->n_waiting;
}

uint64_t manager_n_unrecorded(const Manager *m)
{
    return engine_n_unrecorded(m->engine);
}
