/* What people ask of runs: run, retry, cancel, kill, look. */
#include "core/internal.h"

#include "base/log.h"
#include "base/utf8.h"

/* What is done cannot be done while the database is away: said at once, with the reason. */
int manager_check_store(const Manager *m, Error *error)
{
    const char *scope = m->config.user_scope ? " --user" : "";

    if (m->store_up)
        return 0;
    error_set(error, ERROR_NOT_AVAILABLE, "The database is not available: %s", util_strempty(m->reason));
    if (m->config.embedded)
        error_set_hint(error,
            "Look at `systemctl%1$s status taskschedd-postgresql` and `journalctl%1$s -u taskschedd`.",
            scope);
    else
        error_set_hint(
            error, "Look at `journalctl%s -u taskschedd`, and at the server that ConnInfo= names.", scope);
    return -ENOTCONN;
}

/* One request on its way to the store and back. */
typedef struct Request {
    Manager *manager;
    ManagerNumberFn number_fn;
    ManagerDoneFn done_fn;
    void *userdata;
    uint64_t run;
    char *requester;
    uint64_t uid;
} Request;

static Request *request_new(Manager *m, const Caller *caller, uint64_t run, void *userdata)
{
    Request *q = g_new0(Request, 1);

    q->manager = m;
    q->run = run;
    q->requester = g_strdup(caller->name);
    q->uid = caller->uid;
    q->userdata = userdata;
    return q;
}

static void request_free(Request *q)
{
    g_free(q->requester);
    g_free(q);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Request, request_free)

/* An errno of the store as a sentence, where it did not give one itself. */
static const Error *request_error(int r, const Error *given, Error *own)
{
    if (given && given->code != ERROR_NONE)
        return given;
    if (r == -ENOTCONN)
        error_set(own, ERROR_NOT_AVAILABLE,
            "The connection to the database was lost before it answered; asking again with the same token is safe");
    else
        error_set(own, ERROR_FAILED, "The database refused this: %s", g_strerror(-r));
    return own;
}

static void on_asked(int r, const StoreAsked *asked, const Error *error, void *userdata)
{
    g_autoptr(Request) q = userdata;
    g_auto(Error) own = { 0 };

    if (r < 0) {
        q->number_fn(r, 0, request_error(r, error, &own), q->userdata);
        return;
    }
    if (asked->reason) {
        error_set(&own, ERROR_OVERLAP, "It is not asked for: %s", asked->reason);
        error_set_hint(&own,
            "`tschedctl list-runs --task TASK` shows what is under way, and `tschedctl cancel RUN` ends it.");
        q->number_fn(-EBUSY, 0, &own, q->userdata);
        return;
    }
    if (asked->fresh) {
        q->manager->n_waiting++;
        manager_run_changed(q->manager, asked->run, asked->state, RUN_RESULT_NONE);
        dispatcher_asked(q->manager->dispatcher, asked->due);
    }
    q->number_fn(0, asked->run, NULL, q->userdata);
}

static int ask_check_token(const char *token, Error *error)
{
    if (token && (*token == '\0' || strlen(token) > 128 || !utf8_is_valid(token)))
        return error_set(error, ERROR_INVALID_ARGUMENT, "A token is 1 to 128 bytes of UTF-8");
    return 0;
}

/* The input, however it was given, as it is kept. */
static int ask_input(Manager *m, const Task *t, const ManagerAsk *ask, Input *ret, Error *error)
{
    InputGiven given = ask->given;
    g_autofree char *text = NULL;

    if (ask->raw || (ask->json && !JSON_NODE_HOLDS_OBJECT(ask->json))) {
        if (t->has_input)
            return error_set(error, ERROR_INVALID_INPUT,
                "Task %s declares its inputs: they are given as a JSON object or as name=value", t->name);
        if (ask->raw) {
            ret->raw = g_bytes_ref(ask->raw);
        } else {
            text = json_to_string(ask->json, FALSE);
            ret->raw = g_bytes_new(text, strlen(text));
        }
        if (g_bytes_get_size(ret->raw) > m->config.input_max)
            return error_set(error, ERROR_LIMIT_EXCEEDED,
                "The input is %zu bytes, at most %zu are allowed (InputMax=)", g_bytes_get_size(ret->raw),
                m->config.input_max);
        return 0;
    }
    if (ask->json)
        given.typed = json_node_get_object(ask->json);
    return input_validate(t, &given, m->config.input_max, ret, error);
}

static int ask_check(Manager *m, const ManagerAsk *ask, const TaskEntry **ret, Error *error)
{
    const TaskEntry *entry;
    int r = manager_check_store(m, error);

    if (r < 0)
        return r;
    entry = registry_find(m->registry, ask->task);
    if (!entry) {
        task_missing(error, ask->task);
        error_set_hint(
            error, "`tschedctl list-tasks` shows all; a new file counts from `tschedctl reload` on.");
        return -ENOENT;
    }
    if (!entry->enabled) {
        error_set(error, ERROR_DISABLED, "Task %s is disabled", ask->task);
        error_set_hint(error, "`tschedctl enable %s` enables it.", ask->task);
        return -ECANCELED;
    }
    *ret = entry;
    return ask_check_token(ask->token, error);
}

int manager_run_task(
    Manager *m, const Caller *caller, const ManagerAsk *ask, ManagerNumberFn fn, void *userdata, Error *error)
{
    g_autofree char *token = g_uuid_string_random();
    g_auto(Input) input = { 0 };
    const TaskEntry *entry = NULL;
    g_autofree char *sealed = NULL;
    StoreAsk row;
    Request *q;
    int r;

    r = ask_check(m, ask, &entry, error);
    if (r >= 0)
        r = ask_input(m, entry->task, ask, &input, error);
    if (r >= 0 && input.secrets)
        r = secrets_seal(m->secrets, input.secrets, &sealed, error);
    if (r < 0)
        return r;
    row = (StoreAsk){
        .requester = caller->name,
        .requester_uid = caller->uid,
        .token = ask->token ? ask->token : token,
        .task = entry->task->name,
        .revision = entry->revision,
        .queue = entry->task->queue,
        .priority = ask->priority ? *ask->priority : entry->task->priority,
        .input = input.json,
        .secrets = sealed,
        .raw = input.raw,
        .meta = ask->meta,
        .due = ask->at,
        .grace_usec = entry->task->stop_usec,
        .places = task_places(entry->task),
        .overlap = overlap_to_string(entry->task->overlap),
    };
    q = request_new(m, caller, 0, userdata);
    q->number_fn = fn;
    r = store_ask(m->store, &row, on_asked, q);
    if (r < 0) {
        request_free(q);
        return error_set(error, ERROR_NOT_AVAILABLE, "The database is not available");
    }
    if (ask->at == 0)
        dispatcher_asking(m->dispatcher);
    return 0;
}

/* --- retry --- */

static int retry_ask(Request *q, const StoreRun *run, Error *error)
{
    g_autofree char *token = g_uuid_string_random();
    StoreAsk row = {
        .requester = q->requester,
        .requester_uid = q->uid,
        .token = token,
        .task = run->task,
        .revision = run->revision,
        .queue = run->queue,
        .priority = run->priority,
        .input = run->input,
        .secrets = run->secrets,
        .raw = run->raw,
        .meta = run->meta,
        .retry_of = run->id,
        .grace_usec = run->grace_usec,
        .places = run->places,
        .overlap = run->overlap,
    };

    if (run->state != RUN_DONE)
        return error_set(error, ERROR_INVALID_ARGUMENT,
            "Run %" G_GUINT64_FORMAT " is not done yet (%s): only what is done is retried", run->id,
            run_state_to_string(run->state));
    return store_ask(q->manager->store, &row, on_asked, q);
}

static void on_retry_read(int r, const StoreRun *run, const GPtrArray *attempts, void *userdata)
{
    g_autoptr(Request) q = userdata;
    g_auto(Error) error = { 0 };

    if (r == -ENOENT)
        error_set(&error, ERROR_NO_SUCH_RUN, "There is no run %" G_GUINT64_FORMAT, q->run);
    else if (r >= 0)
        r = retry_ask(q, run, &error);
    if (r < 0)
        q->number_fn(r, 0, request_error(r, &error, &error), q->userdata);
    else
        q = NULL; /* on its way */
}

int manager_retry_run(
    Manager *m, const Caller *caller, uint64_t run, ManagerNumberFn fn, void *userdata, Error *error)
{
    Request *q;
    int r = manager_check_store(m, error);

    if (r < 0)
        return r;
    q = request_new(m, caller, run, userdata);
    q->number_fn = fn;
    r = store_get_run(m->store, run, on_retry_read, q);
    if (r < 0) {
        request_free(q);
        return error_set(error, ERROR_NOT_AVAILABLE, "The database is not available");
    }
    return 0;
}

/* --- cancel, kill --- */

static void on_cancelled(int r, const StoreCancelled *c, void *userdata)
{
    g_autoptr(Request) q = userdata;
    Manager *m = q->manager;
    g_auto(Error) error = { 0 };

    if (r == -ENOENT)
        error_set(&error, ERROR_NO_SUCH_RUN, "There is no run %" G_GUINT64_FORMAT, q->run);
    else if (r >= 0 && c->before)
        r = error_set(&error, ERROR_ALREADY_DONE, "Run %" G_GUINT64_FORMAT " is done already (%s)", q->run,
            run_result_to_string(c->result));
    if (r < 0) {
        q->done_fn(r, request_error(r, &error, &error), q->userdata);
        return;
    }
    if (c->state == RUN_DONE) {
        m->n_waiting -= MIN(m->n_waiting, 1);
        manager_run_changed(m, q->run, RUN_DONE, c->result);
        if (c->freed)
            dispatcher_asking(m->dispatcher);
        manager_update(m);
    } else {
        engine_cancelled(m->engine, q->run, c->cause_at);
    }
    q->done_fn(0, NULL, q->userdata);
}

int manager_cancel_run(
    Manager *m, const Caller *caller, uint64_t run, ManagerDoneFn fn, void *userdata, Error *error)
{
    g_autofree char *reason = g_strdup_printf("cancelled by %s", caller->name);
    Request *q;
    int r = manager_check_store(m, error);

    if (r < 0)
        return r;
    q = request_new(m, caller, run, userdata);
    q->done_fn = fn;
    r = store_cancel(m->store, run, reason, on_cancelled, q);
    if (r < 0) {
        request_free(q);
        return error_set(error, ERROR_NOT_AVAILABLE, "The database is not available");
    }
    return 0;
}

static void on_killed(int r, const Error *error, void *userdata)
{
    g_autoptr(Request) q = userdata;
    g_auto(Error) own = { 0 };

    if (r < 0 && (!error || error->code == ERROR_NONE)) {
        error_set(&own, ERROR_FAILED, "No process of run %" G_GUINT64_FORMAT " could be sent a signal: %s",
            q->run, g_strerror(-r));
        error = &own;
    }
    q->done_fn(MIN(r, 0), error, q->userdata);
}

static bool run_is_elsewhere(const Manager *m, const char *node)
{
    return !m->config.embedded && *util_strempty(node) && strcmp(node, m->config.node) != 0;
}

/* There is no unit of it here: is there such a run at all? */
static void on_kill_read(int r, const StoreRun *run, const GPtrArray *attempts, void *userdata)
{
    g_autoptr(Request) q = userdata;
    g_auto(Error) error = { 0 };

    if (r == -ENOENT)
        error_set(&error, ERROR_NO_SUCH_RUN, "There is no run %" G_GUINT64_FORMAT, q->run);
    else if (r >= 0 && run->state == RUN_DONE)
        r = error_set(&error, ERROR_ALREADY_DONE, "Run %" G_GUINT64_FORMAT " is done already (%s)", q->run,
            run_result_to_string(run->result));
    else if (r >= 0 && run_state_is_under_way(run->state) && run_is_elsewhere(q->manager, run->node))
        r = error_set(&error, ERROR_FAILED,
            "Run %" G_GUINT64_FORMAT " is executed by node %s: it can be sent a signal there", q->run,
            run->node);
    else if (r >= 0)
        r = error_set(&error, ERROR_FAILED,
            "Run %" G_GUINT64_FORMAT " is %s: it has no process to send a signal to", q->run,
            run_state_to_string(run->state));
    q->done_fn(r, request_error(r, &error, &error), q->userdata);
}

int manager_kill_run(Manager *m, const Caller *caller, uint64_t run, int signal, ManagerDoneFn fn,
    void *userdata, Error *error)
{
    Request *q;
    int r;

    if (signal < 1 || signal > 64)
        return error_set(error, ERROR_INVALID_ARGUMENT, "%d is no signal's number", signal);
    q = request_new(m, caller, run, userdata);
    q->done_fn = fn;
    r = engine_kill(m->engine, run, signal, on_killed, q);
    if (r == -ENOENT) {
        r = manager_check_store(m, error);
        if (r >= 0)
            r = store_get_run(m->store, run, on_kill_read, q);
    }
    if (r < 0) {
        request_free(q);
        error_set(error, ERROR_NOT_AVAILABLE, "The service manager cannot be reached");
        return r;
    }
    return 0;
}

/* --- looking --- */

void manager_run_live(Manager *m, const StoreRun *run, RunLive *ret)
{
    engine_live(m->engine, run->id, ret);
    if ((run->state != RUN_WAITING && run->state != RUN_QUEUED) || *run->reason)
        return;
    if (run->state == RUN_WAITING && run->due > clock_real(m->clock))
        ret->reason = "it is not due yet";
    else if (!m->exec_up)
        ret->reason = "the service manager cannot be reached over the bus";
    else if (m->state != MANAGER_RUNNING)
        ret->reason = "taskschedd starts nothing now";
    else
        ret->reason = "it is about to be claimed";
}

int manager_get_run(Manager *m, uint64_t run, StoreRunFn fn, void *userdata, Error *error)
{
    int r = manager_check_store(m, error);

    return r < 0 ? r : store_get_run(m->store, run, fn, userdata);
}

uint64_t manager_newest_run(const Manager *m)
{
    return m->store ? store_newest_run(m->store) : 0;
}

int manager_list_runs(Manager *m, const StoreFilter *f, StoreRunsFn fn, void *userdata, Error *error)
{
    int r = manager_check_store(m, error);

    return r < 0 ? r : store_list_runs(m->store, f, fn, userdata);
}

GArray *manager_list_live_runs(Manager *m, unsigned limit)
{
    return engine_list(m->engine, limit);
}

size_t manager_input_max(const Manager *m)
{
    return m->config.input_max;
}

int manager_open_log(Manager *m, const Caller *caller, const StoreRun *run, const GPtrArray *attempts,
    const ManagerLog *log, int *ret, Error *error)
{
    g_autofree ExecLogUnit *units = g_new0(ExecLogUnit, attempts->len);
    ExecLog l = {
        .uid = caller->uid,
        .run = run->id,
        .units = units,
        .asked = run->asked,
        .attempt = run->state == RUN_DONE ? UINT_MAX : run->attempt,
        .follow = log->follow,
        .lines = log->lines,
        .format = log->format,
    };
    int r;

    for (guint i = 0; i < attempts->len; i++) {
        const StoreAttempt *a = g_ptr_array_index(attempts, i);

        if (!run_is_elsewhere(m, a->node))
            units[l.n_units++] = (ExecLogUnit){ a->unit, a->invocation_id };
    }
    if (l.n_units == 0 && attempts->len > 0)
        return error_set(error, ERROR_FAILED,
            "Run %" G_GUINT64_FORMAT " is of node %s: its log is in the journal there", run->id, run->node);
    r = exec_open_log(m->exec, &l, ret);
    if (r == -EBUSY)
        return error_set(error, ERROR_LIMIT_EXCEEDED, "Too many logs are being read already");
    if (r < 0)
        return error_set(error, ERROR_FAILED, "The journal cannot be read: %s", g_strerror(-r));
    return 0;
}

int manager_get_database(Manager *m, StoreDatabaseFn fn, void *userdata)
{
    return m->store ? store_get_database(m->store, fn, userdata) : -ENOTCONN;
}

int manager_list_nodes(Manager *m, const char *name, const char *after, unsigned limit, StoreNodesFn fn,
    void *userdata, Error *error)
{
    int r = manager_check_store(m, error);

    return r < 0 ? r : store_list_nodes(m->store, name, after, limit, fn, userdata);
}
