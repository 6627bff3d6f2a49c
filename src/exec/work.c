/* Operations and their method calls: a window of calls in flight, those beyond it in order behind. */
#include "exec/internal.h"

#include "base/log.h"

static uint64_t work_now(Exec *e)
{
    uint64_t usec = 0;

    sd_event_now(e->event, CLOCK_BOOTTIME, &usec);
    return usec;
}

Work *work_new(Exec *e, size_t size, const WorkType *type)
{
    Work *op;

    if (e->freeing)
        return NULL;
    op = g_malloc0(size);
    op->exec = e;
    op->type = type;
    op->link.data = op->later.data = op;
    g_queue_push_tail_link(&e->ops, &op->link);
    return op;
}

/* A source of this kind counts as waiting since it was made, so one that is enabled from within itself again and
 * again would come before all others of the loop: each time it is another one. */
static void work_arm(Exec *e)
{
    int enabled = SD_EVENT_OFF;

    if (e->defer)
        sd_event_source_get_enabled(e->defer, &enabled);
    if (enabled != SD_EVENT_OFF)
        return;
    e->defer = sd_event_source_disable_unref(e->defer);
    if (sd_event_add_defer(e->event, &e->defer, work_on_defer, e) < 0)
        log_warning("%s", g_strerror(ENOMEM));
}

/* It closes before it tells so, and takes nothing more from then on. */
static bool work_bus_is_gone(Exec *e)
{
    if (e->bus && sd_bus_is_open(e->bus) <= 0)
        e->away = true;
    return !e->bus || e->away;
}

static void work_end_call(Call *c)
{
    Exec *e = c->op->exec;

    g_queue_unlink(&c->op->calls, &c->link);
    if (c->slot) {
        sd_bus_slot_unref(c->slot);
        e->in_flight--;
    } else {
        g_queue_unlink(c->queue, &c->queued);
    }
    sd_bus_message_unref(c->message);
    g_free(c);
}

static void work_drop_calls(Work *op)
{
    while (op->calls.head)
        work_end_call(op->calls.head->data);
}

static void work_defer(Work *op)
{
    Exec *e = op->exec;

    if (op->deferred)
        return;
    op->deferred = true;
    g_queue_push_tail_link(&e->deferred, &op->later);
    work_arm(e);
}

void work_end(Work *op)
{
    Exec *e = op->exec;

    work_drop_calls(op);
    if (op->deferred)
        g_queue_unlink(&e->deferred, &op->later);
    op->deferred = false;
    g_queue_unlink(&e->ops, &op->link);
    if (op->jobs)
        op->jobs->n--;
    op->jobs = NULL;
    /* The room that its calls and its job left goes to those that wait. */
    if (e->queue.length + e->starting.queue.length + e->stopping.queue.length > 0 && !e->freeing)
        work_arm(e);
}

void work_free(Work *op)
{
    if (op->type->free)
        op->type->free(op);
    g_free(op);
}

void work_fail_later(Work *op, int r)
{
    work_drop_calls(op);
    op->failed = r;
    work_defer(op);
}

void work_work_later(Work *op)
{
    work_defer(op);
}

void work_fail_all(Exec *e, int r)
{
    for (GList *l = e->ops.head; l; l = l->next)
        work_fail_later(l->data, r);
}

static void work_send_queued(Exec *e);

static int work_on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Call *c = userdata;
    Work *op = c->op;
    Exec *e = op->exec;
    CallFn fn = c->fn;

    work_end_call(c);
    work_send_queued(e);
    fn(op, reply);
    return 0;
}

static void work_send(Call *c)
{
    Exec *e = c->op->exec;
    int r;

    r = sd_bus_call_async(e->bus, &c->slot, c->message, work_on_reply, c, CALL_USEC);
    if (r < 0) {
        work_bus_is_gone(e);
        c->slot = NULL;
        g_queue_push_tail_link(c->queue, &c->queued);
        work_fail_later(c->op, r);
        return;
    }
    e->in_flight++;
    g_clear_pointer(&c->message, sd_bus_message_unref);
}

/* Questions and signals before jobs, and what gives room before what takes it. */
static Call *work_next(Exec *e)
{
    Jobs *const kinds[] = { &e->stopping, &e->starting };

    if (e->queue.head)
        return e->queue.head->data;
    ARRAY_FOREACH (kind, kinds) {
        Jobs *jobs = *kind;

        if (jobs->queue.head && jobs->n < JOBS_MAX) {
            Call *c = jobs->queue.head->data;

            jobs->n++;
            c->op->jobs = jobs;
            return c;
        }
    }
    return NULL;
}

static void work_send_queued(Exec *e)
{
    Call *c;

    while (e->bus && e->in_flight < CALLS_MAX && (c = work_next(e))) {
        g_queue_unlink(c->queue, &c->queued);
        work_send(c);
    }
}

static void work_queue(Work *op, GQueue *queue, sd_bus_message *message, CallFn fn)
{
    Exec *e = op->exec;
    Call *c;

    if (op->failed < 0) {
        sd_bus_message_unref(message);
        return;
    }
    if (!message || work_bus_is_gone(e)) {
        sd_bus_message_unref(message);
        work_fail_later(op, -ENOTCONN);
        return;
    }
    c = g_new0(Call, 1);
    c->op = op;
    c->message = message;
    c->fn = fn;
    c->queue = queue;
    c->link.data = c->queued.data = c;
    g_queue_push_tail_link(&op->calls, &c->link);
    g_queue_push_tail_link(queue, &c->queued);
    work_send_queued(e);
}

void work_call(Work *op, sd_bus_message *message, CallFn fn)
{
    work_queue(op, &op->exec->queue, message, fn);
}

void work_call_job(Work *op, Jobs *jobs, sd_bus_message *message, CallFn fn)
{
    work_queue(op, &jobs->queue, message, fn);
}

bool work_withdraw(Work *op)
{
    const Call *first = op->calls.head ? op->calls.head->data : NULL;

    if (!first || first->slot || op->calls.length > 1 || op->jobs || op->failed < 0)
        return false;
    work_drop_calls(op);
    work_work_later(op);
    return true;
}

sd_bus_message *work_message(Work *op, const char *path, const char *interface, const char *member)
{
    sd_bus_message *m = NULL;

    if (!op->exec->bus || !path)
        return NULL;
    if (sd_bus_message_new_method_call(op->exec->bus, &m, SYSTEMD_NAME, path, interface, member) < 0)
        return NULL;
    return m;
}

sd_bus_message *work_manager_message(Work *op, const char *member)
{
    return work_message(op, SYSTEMD_PATH, SYSTEMD_MANAGER, member);
}

/* What is deferred meanwhile waits for the next iteration of the loop. */
int work_on_defer(sd_event_source *source, void *userdata)
{
    Exec *e = userdata;

    work_send_queued(e);
    /* Known before they are answered: whose question failed for that would ask again at once. */
    if (e->away)
        exec_set_up(e, false);
    for (guint n = e->deferred.length; n > 0 && e->deferred.head; n--) {
        Work *op = e->deferred.head->data;

        g_queue_unlink(&e->deferred, &op->later);
        op->deferred = false;
        if (op->failed < 0)
            op->type->answer(op, op->failed);
        else if (op->type->work)
            op->type->work(op);
    }
    if (e->deferred.head)
        work_arm(e);
    return 0;
}

void work_wait(Work *op)
{
    Exec *e = op->exec;
    int enabled = SD_EVENT_OFF;

    op->since = work_now(e);
    sd_event_source_get_enabled(e->watch, &enabled);
    if (enabled != SD_EVENT_OFF)
        return;
    sd_event_source_set_time(e->watch, op->since + CHECK_USEC);
    sd_event_source_set_enabled(e->watch, SD_EVENT_ONESHOT);
}

/* Only what has no call under way: its reply will tell. */
static bool work_is_waiting(const Work *op)
{
    return op->since > 0 && op->failed == 0 && op->calls.length == 0 && op->type->check;
}

void work_check_all(Exec *e)
{
    for (GList *l = e->ops.head; l; l = l->next)
        if (work_is_waiting(l->data))
            ((Work *)l->data)->type->check(l->data);
}

int work_on_watch(sd_event_source *source, uint64_t usec, void *userdata)
{
    Exec *e = userdata;
    uint64_t now = work_now(e);
    bool more = false;

    for (GList *l = e->ops.head; l; l = l->next) {
        Work *op = l->data;

        if (op->since == 0 || op->failed < 0)
            continue;
        more = true;
        if (now - op->since >= JOB_USEC)
            work_fail_later(op, -ETIMEDOUT);
        else if (work_is_waiting(op) && now - op->since >= CHECK_USEC)
            op->type->check(op);
    }
    if (more) {
        sd_event_source_set_time(source, now + CHECK_USEC);
        sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    }
    return 0;
}

int work_reply_errno(sd_bus_message *reply)
{
    static const char *const gone[] = { SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
        SD_BUS_ERROR_DISCONNECTED };
    static const struct {
        const char *name;
        int r;
    } known[] = {
        { SYSTEMD_NAME ".NoSuchUnit", -ENOENT },
        { SYSTEMD_NAME ".NoSuchProcess", -ESRCH },
    };
    int r;

    if (!sd_bus_message_is_method_error(reply, NULL))
        return 0;
    ARRAY_FOREACH (name, gone)
        if (sd_bus_message_is_method_error(reply, *name))
            return -ENOTCONN;
    ARRAY_FOREACH (k, known)
        if (sd_bus_message_is_method_error(reply, k->name))
            return k->r;
    r = sd_bus_message_get_errno(reply);
    if (r == ECONNRESET || r == EHOSTUNREACH)
        return -ENOTCONN;
    return r > 0 ? -r : -EIO;
}

bool work_reply_is(sd_bus_message *reply, const char *error_name)
{
    return sd_bus_message_is_method_error(reply, error_name) > 0;
}

int work_reply_error(sd_bus_message *reply, Error *error)
{
    const sd_bus_error *e = sd_bus_message_get_error(reply);

    error_set(error, ERROR_FAILED, "%s", e && e->message ? e->message : "The service manager refused.");
    return work_reply_errno(reply);
}
