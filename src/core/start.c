/* From a claimed run to a start: its input is resolved, its command filled in, and the manager asked. */
#include "core/engine.h"

#include "base/log.h"
#include "model/command.h"
#include "model/json.h"

#define SHUTDOWN_RETRY_USEC (5 * USEC_PER_SEC)
#define FULL_USEC           USEC_PER_SEC
#define FULL_SAID_USEC      (60 * USEC_PER_SEC)

static void attempt_start_later(Attempt *a, int r, const Error *error)
{
    log_warning("Starting %s failed, trying again: %s", a->unit,
        error && error->message ? error->message : g_strerror(-r));
    attempt_retry_later(a);
}

/* The manager is asked again in a while, by as many as may ask at once, and this is said once a minute. */
static void attempt_wait_for_room(Attempt *a, const Error *error)
{
    Engine *e = a->engine;
    uint64_t now = clock_boot(e->manager->clock);

    e->full_until = now + FULL_USEC;
    if (now >= e->full_said) {
        log_warning(
            "The service manager takes no more units, what is due is started when others are gone: %s",
            error && error->message ? error->message : g_strerror(E2BIG));
        e->full_said = now + FULL_SAID_USEC;
    }
    attempt_retry_later(a);
}

/* No unit was made: one of that name is somebody else's, and so is what was told of it. */
static void attempt_has_none(Attempt *a)
{
    a->touched = false;
    g_clear_pointer(&a->seen, unit_state_free);
}

static void on_started(int r, const Error *error, void *userdata)
{
    Attempt *a = userdata;

    a->exec_busy = false;
    /* A name that is there already may be ours, of a start whose answer was lost. */
    a->asked = r == EXEC_EXISTS || r == -ENOTCONN || r == -ETIMEDOUT;
    switch (r) {
    case EXEC_STARTED:
        a->engine->full_until = 0;
        a->made = true;
        a->view.phase = ATTEMPT_STARTED;
        a->view.unit_changed = true;
        break;
    case EXEC_EXISTS:
        a->view.unit_changed = true; /* read it: ours by its token, or somebody else's */
        break;
    case EXEC_REFUSED:
        attempt_has_none(a);
        attempt_finish(a, RUN_RESOURCES, error->message);
        break;
    case EXEC_SHUTTING_DOWN:
        attempt_has_none(a);
        attempt_requeue(a, "the host is shutting down", SHUTDOWN_RETRY_USEC);
        return;
    case EXEC_WITHDRAWN: /* we are to end: it goes back */
        attempt_has_none(a);
        break;
    case EXEC_GONE: /* it was there: where its end cannot be taken in now, it is not started again for that */
        a->view.phase = ATTEMPT_STARTED;
        attempt_take_gone(a);
        break;
    case -E2BIG: /* the service manager is full; others will be gone */
        attempt_has_none(a);
        attempt_wait_for_room(a, error);
        break;
    default:
        /* Unknown outcome: the unit may be there, or was. It is looked for before it is started again. */
        a->view.unit_changed = a->view.unit_changed || a->asked;
        if (r == -EAGAIN) { /* a reload took its command line away before it was executed */
            g_clear_pointer(&a->seen, unit_state_free);
            attempt_retry_later(a);
        } else if (r != -ENOTCONN) {
            attempt_start_later(a, r, error);
        }
        break;
    }
    attempt_act(a);
}

static char *attempt_credentials_directory(const Attempt *a)
{
    const Manager *m = a->engine->manager;

    if (m->config.user_scope)
        return g_strdup_printf("%s/credentials/%s", g_get_user_runtime_dir(), a->unit);
    return g_strdup_printf("/run/credentials/%s", a->unit);
}

/* What the attempt is given; ret's pointers are owned by the other out-parameters. */
typedef struct StartInput {
    char *json;
    GHashTable *files;
    char *path;
    GPtrArray *argv;
} StartInput;

static void start_input_clear(StartInput *s)
{
    g_clear_pointer(&s->json, secrets_erase);
    g_clear_pointer(&s->files, g_hash_table_unref);
    g_clear_pointer(&s->path, g_free);
    g_clear_pointer(&s->argv, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StartInput, start_input_clear)

static int attempt_resolve(const Attempt *a, StartInput *ret, Error *error)
{
    g_autofree char *directory = attempt_credentials_directory(a);
    Input input = { a->run->input, NULL, a->run->raw };
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *reason = NULL;
    Manager *m = a->engine->manager;
    int r = 0;

    if (a->run->secrets)
        r = secrets_open(m->secrets, a->run->secrets, &input.secrets, error);
    if (r >= 0)
        r = input_resolve(a->task, &input, clock_real(m->clock), directory, &ret->json, &ret->files, error);
    secrets_erase(input.secrets);
    if (r < 0)
        return r;
    r = json_read(ret->json, strlen(ret->json), &node, &reason);
    if (r < 0)
        return error_set(error, ERROR_INVALID_INPUT, "its input is not valid JSON: %s", reason);
    return command_expand(a->task, JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL,
        &ret->path, &ret->argv, error);
}

/* A task that declares no input and was given none has no credential: the file system that PID 1 mounts for
 * one costs as much as a quarter of the whole start. */
static bool attempt_has_input(const Attempt *a, const StartInput *input)
{
    return a->task->has_input || strcmp(input->json, "{}") != 0;
}

void attempt_start(Attempt *a)
{
    Manager *m = a->engine->manager;
    const StoreRun *run = a->run;
    g_auto(StartInput) input = { 0 };
    g_auto(Error) error = { 0 };
    ExecStart start;
    int r;

    if (clock_boot(m->clock) < a->engine->full_until) {
        attempt_retry_later(a);
        return;
    }
    r = attempt_resolve(a, &input, &error);
    if (r >= 0) {
        start = (ExecStart){
            .run = run->id,
            .attempt = run->attempt,
            .task = a->task,
            .path = input.path,
            .argv = (char *const *)input.argv->pdata,
            .token = run->token,
            .fence = run->fence,
            .schedule = run->schedule,
            .nominal = run->nominal,
            .after_run = run->after_run != UNSET ? run->after_run : 0,
            .timeout_usec = a->task->timeout_usec,
            .input_json = attempt_has_input(a, &input) ? input.json : NULL,
            .raw = run->raw,
            .files = input.files && g_hash_table_size(input.files) > 0 ? input.files : NULL,
        };
        a->exec_busy = a->asked = a->touched = true;
        g_clear_pointer(&a->seen, unit_state_free); /* of a unit of this name that had lost its command */
        r = exec_start(m->exec, &start, on_started, a);
        if (r < 0) {
            a->exec_busy = a->asked = false;
            if (r != -ENOTCONN)
                error_set(&error, ERROR_FAILED, "the unit could not be asked for: %s", g_strerror(-r));
        }
    }
    if (error.code != ERROR_NONE) {
        attempt_finish(a, RUN_RESOURCES, error.message);
        attempt_act(a);
    }
}
