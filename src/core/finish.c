/* From an ended unit to a record: result, reason, output and whether another attempt follows. */
#include "core/engine.h"

#include "base/log.h"
#include "base/utf8.h"
#include "model/ending.h"
#include "model/retry.h"

#define UNREAD_MAX 10

static void attempt_fail_output(Attempt *a, const char *why)
{
    if (a->result == RUN_SUCCESS) {
        a->result = RUN_RESOURCES;
        g_free(a->reason);
        a->reason = g_strdup_printf("its output was not accepted: %s", why);
    }
}

/* What the task wrote to its output file; a violation of [Output] fails a run that was successful. Where it cannot be read
 * for want of something, such as a descriptor, the attempt is where it was before, and its end is looked at anew. */
static void attempt_read_output(Attempt *a, AttemptPhase before)
{
    Manager *m = a->engine->manager;
    g_autoptr(GBytes) bytes = NULL;
    g_auto(Error) error = { 0 };
    const char *text = "";
    size_t length = 0;
    int r;

    r = exec_read_output(m->exec, a->run->id, a->run->attempt, m->config.output_max, &bytes, &error);
    if (error_is_shortage(r)) {
        a->view.phase = before;
        attempt_look_again(a);
        return;
    }
    if (r >= 0 && bytes)
        text = g_bytes_get_data(bytes, &length);
    if (r >= 0 && a->task && (bytes || a->task->has_output))
        r = input_validate_output(
            a->task, text ? text : "", length, m->config.output_max, &a->output, &error);
    if (r < 0)
        attempt_fail_output(a, error.message ? error.message : g_strerror(-r));
}

void attempt_finish(Attempt *a, RunResult result, const char *reason)
{
    a->view.phase = ATTEMPT_OVER;
    a->result = result;
    g_free(a->reason);
    a->reason = g_strdup(reason);
}

static void attempt_set_stopped_reason(Attempt *a)
{
    g_autofree char *own = a->reason;

    a->reason =
        g_strdup_printf("its unit was stopped by somebody else%s%s", own ? ": " : "", util_strempty(own));
}

/* The manager also says "timeout" of a unit that somebody stopped and that outlived TimeoutStopSec=: that is
 * no limit of the run's. A thousandth is for a clock that was slewed meanwhile. */
static bool attempt_outlived_a_stop(const Attempt *a)
{
    const UnitState *u = a->state;
    uint64_t limit = a->task ? a->task->timeout_usec : USEC_INFINITY;

    if (!g_str_equal(u->result, "timeout") || u->started_boot == UNSET || u->exited_boot == UNSET)
        return false;
    return limit == USEC_INFINITY || u->exited_boot + limit / 1000 < u->started_boot + limit;
}

void attempt_finish_from_state(Attempt *a)
{
    const UnitState *u = a->state;
    AttemptPhase before = a->view.phase;
    bool stopped = attempt_outlived_a_stop(a);

    g_clear_pointer(&a->reason, g_free);
    a->view.phase = ATTEMPT_OVER;
    a->exit_code = u->main_code;
    a->exit_status = u->main_code ? u->main_status : -1;
    a->finished = u->exited;
    a->result = ending_classify(u->main_code, u->main_status, stopped ? "" : u->result,
        a->task ? a->task->success_status : NULL, &a->reason);
    if (stopped)
        attempt_set_stopped_reason(a);
    if (!a->view.orphan)
        attempt_read_output(a, before);
}

void attempt_finish_from_signal(Attempt *a)
{
    const UnitState *seen = a->seen;
    AttemptPhase before = a->view.phase;
    const GPtrArray *success = a->task ? a->task->success_status : NULL;
    g_autofree char *reason = NULL;
    RunResult result = ending_classify(seen->main_code, seen->main_status, seen->result, success, &reason);

    a->exit_code = seen->main_code;
    a->exit_status = seen->main_status;
    a->finished = seen->exited;
    attempt_finish(a, result, reason);
    attempt_set_stopped_reason(a);
    if (!a->view.orphan)
        attempt_read_output(a, before);
}

/* There is no trace of it; that is proof only for the same life of the service manager. */
static bool attempt_was_never_started(const Attempt *a)
{
    const Manager *m = a->engine->manager;
    bool unbegun =
        a->view.row == RUN_STARTING || (a->view.row == RUN_STOPPING && a->view.cause != RUN_RESULT_NONE);

    return unbegun && !a->made && a->run->manager_stamp == m->manager_stamp &&
           g_strcmp0(a->run->boot_id, m->boot_id) == 0;
}

/* Directories that were there when it was claimed were not removed but by a release. */
static bool attempt_is_remembered(const Attempt *a)
{
    return a->run->claimed_monotonic != UNSET && a->run->claimed_monotonic >= a->engine->remembered_since;
}

/* No trace of it in either place: not in the journal, which may have a gap, and no directory. That would be there still, unless
 * it was released, which only a database that was restored can have forgotten. */
static bool attempt_left_nothing(const Attempt *a, const Evidence *e)
{
    bool kept = a->task && task_keeps_directory(a->task);

    if (a->suspect || (a->state && *a->state->invocation_id) || !attempt_was_never_started(a))
        return false;
    if (e->started != UNSET || e->ended != UNSET || a->seen || !attempt_is_remembered(a))
        return false;
    return kept && !e->left;
}

static void attempt_claim_stands(Attempt *a)
{
    a->view.phase = ATTEMPT_CLAIMED;
    a->view.unit_changed = a->asked = a->suspect = false;
    a->unread = 0;
    expect_wake(a->engine->manager->expect);
}

/* The journal has heard of nothing, and says that it would have. */
static void attempt_finish_unheard(Attempt *a, const Evidence *e)
{
    /* Which life of the manager this is may not be known yet. */
    if (a->engine->manager->manager_stamp == 0)
        attempt_retry_later(a);
    else if (e->left)
        attempt_finish(
            a, RUN_LOST, "its unit is gone, and left a directory that the journal does not know of");
    else if (attempt_was_never_started(a))
        attempt_claim_stands(a);
    else
        attempt_finish(a, RUN_LOST, "its unit is gone with the service manager that it was claimed under");
}

static void attempt_finish_unknown(Attempt *a, const Evidence *e, const char *reason)
{
    if (a->engine->manager->manager_stamp == 0) {
        attempt_retry_later(a);
    } else if (attempt_left_nothing(a, e)) {
        attempt_claim_stands(a);
        attempt_retry_later(a); /* what becomes of it may be the same once more */
    } else {
        attempt_finish(a, RUN_LOST, reason);
    }
}

void attempt_finish_from_evidence(Attempt *a, const Evidence *e)
{
    const GPtrArray *success = a->task ? a->task->success_status : NULL;
    g_autofree char *reason = NULL;
    RunResult result;

    a->started = e->started;
    a->finished = e->ended;
    switch (e->verdict) {
    case EVIDENCE_NOTED:
        a->exit_code = e->main_code;
        a->exit_status = e->main_status;
        attempt_finish(a, e->result,
            "its end was recorded before, and the database has forgotten that: this is how the journal has it, and its output "
            "is not known");
        return;
    case EVIDENCE_NEVER:
        attempt_finish_unheard(a, e);
        return;
    case EVIDENCE_FAILED:
        if (attempt_may_have_lost_command(a, e->main_code, e->main_status)) {
            attempt_finish(a, RUN_LOST,
                "its unit is gone, and it is not known whether its program could not be executed, or its command was lost "
                "when the service manager was reloaded");
            return;
        }
        a->exit_code = e->main_code;
        a->exit_status = e->main_status;
        result = ending_classify(e->main_code, e->main_status, "", success, &reason);
        attempt_finish(a, result, reason);
        attempt_read_output(a, ATTEMPT_GONE);
        return;
    case EVIDENCE_STOPPED:
        attempt_finish(a, RUN_LOST, "its unit was stopped while nobody watched: how it ended is not known");
        return;
    case EVIDENCE_STARTED:
        attempt_finish(a, RUN_LOST, "its unit is gone, and the journal does not say how it ended");
        return;
    case EVIDENCE_UNKNOWN:
        attempt_finish_unknown(a, e, "its unit is gone, and the journal has a gap since it was claimed");
        return;
    case EVIDENCE_UNREAD: /* which says nothing of what it holds, but nobody is to wait for ever either */
        if (++a->unread < UNREAD_MAX)
            attempt_retry_later(a);
        else
            attempt_finish_unknown(a, e, "its unit is gone, and the journal cannot be read");
        return;
    }
}

/* As it was read, or where the unit went before that, as the last signal about it told. */
static uint64_t attempt_started(const Attempt *a)
{
    if (a->state && a->state->started != UNSET)
        return a->state->started;
    return a->seen ? a->seen->started : a->started;
}

/* For people, and for whoever has to know it when the database has forgotten it. */
static void attempt_log_end(const Attempt *a, RunResult result, RunState state)
{
    const ExecEnd end = { a->run->token, result, a->exit_code, a->exit_status, attempt_started(a),
        a->finished };
    const char *id = result == RUN_LOST  ? LOG_ID_RUN_LOST
                     : state == RUN_DONE ? LOG_ID_RUN_ENDED
                                         : LOG_ID_RETRY;
    g_auto(GStrv) fields = exec_end_fields(&end);
    const LogContext context = { .message_id = id,
        .task = a->run->task,
        .run = a->run->id,
        .attempt = a->run->attempt,
        .unit = a->unit,
        .more = (const char *const *)fields };

    log_message(result == RUN_SUCCESS ? LOG_INFO : LOG_NOTICE, &context,
        "Run %" G_GUINT64_FORMAT " of %s ended: %s%s%s%s", a->run->id, a->run->task,
        run_result_to_string(result), a->reason ? ", " : "", util_strempty(a->reason),
        state == RUN_DONE ? "" : "; it is tried again");
}

/* Of a run that a restored database does not know of: nobody will ever ask for it. How it ended is in the log. */
static void attempt_give_up_orphan(Attempt *a)
{
    log_message(LOG_WARNING, &(LogContext){ LOG_ID_FOREIGN_UNIT, NULL, a->run->id, a->run->attempt, a->unit },
        "Unit %s, of a run that was asked for after the backup that the database was restored from, ended: %s%s%s",
        a->unit, run_result_to_string(a->result), a->reason ? ", " : "", util_strempty(a->reason));
    a->view.phase = ATTEMPT_RECORDED;
    attempt_act(a);
}

static void attempt_leave_orphan(Attempt *a)
{
    if (a->engine->suspect > 0 && a->run->id > a->engine->suspect) {
        attempt_give_up_orphan(a);
        return;
    }
    attempt_report_orphan(a);
    a->view.phase = ATTEMPT_RELEASED;
    attempt_act(a); /* its unit may be gone by now */
}

static void attempt_clean_reason(Attempt *a)
{
    char *valid = a->reason ? utf8_make_valid(a->reason) : NULL;

    g_free(a->reason);
    a->reason = valid;
}

static void on_ended(
    int r, RunResult result, RunState state, uint64_t due, const Error *error, void *userdata)
{
    Attempt *a = userdata;
    Manager *m = a->engine->manager;

    a->store_busy = false;
    if (r < 0) {
        if (r != -ENOTCONN) {
            log_error("The end of run %" G_GUINT64_FORMAT " cannot be recorded, trying again: %s", a->run->id,
                error && error->message ? error->message : g_strerror(-r));
            /* What the database refuses is most likely the output: the end itself must not be lost for it. */
            g_clear_pointer(&a->output, g_free);
            attempt_clean_reason(a);
            attempt_retry_later(a);
        }
        attempt_act(a);
        return;
    }
    if (a->view.orphan && r == STORE_NOT_YOURS) {
        attempt_leave_orphan(a);
        return;
    }
    a->view.phase = ATTEMPT_RECORDED;
    if (r == STORE_RECORDED) {
        attempt_log_end(a, result, state);
        manager_run_changed(m, a->run->id, state, state == RUN_DONE ? result : RUN_RESULT_NONE);
        if (state != RUN_DONE) {
            m->n_waiting++;
            dispatcher_due(m->dispatcher, due);
        }
    } else if (r == STORE_RECORDED_BEFORE && !a->view.orphan) {
        /* By us: the answer was lost, and nobody was told. */
        attempt_log_end(a, result, state);
        if (state == RUN_DONE)
            manager_run_changed(m, a->run->id, state, result);
    }
    expect_ended(m->expect, a->run->task, r != STORE_NOT_YOURS && state == RUN_DONE && result == RUN_SUCCESS,
        a->finished);
    attempt_act(a);
    manager_update(m);
}

bool attempt_makes_way(const Attempt *a)
{
    if (a->run->places > 0)
        return true;
    return run_is_backfilled(a->run);
}

void attempt_record(Attempt *a)
{
    Manager *m = a->engine->manager;
    const UnitState *u = a->state;
    RunResult result = a->run->cause != RUN_RESULT_NONE ? a->run->cause : a->result;
    StoreEnd end = {
        .owner = { a->run->id, a->run->attempt, a->run->token },
        .result = a->result,
        .reason = util_strempty(a->reason),
        .exit_code = a->exit_code,
        .exit_status = a->exit_status,
        .invocation_id = u ? u->invocation_id : "",
        .started = attempt_started(a),
        .finished = a->finished,
        .cpu_nsec = u ? u->cpu_nsec : UNSET,
        .memory_peak = u ? u->memory_peak : UNSET,
        .io_read = u ? u->io_read : UNSET,
        .io_write = u ? u->io_write : UNSET,
        .ip_in = u ? u->ip_in : UNSET,
        .ip_out = u ? u->ip_out : UNSET,
        .output = a->output,
        .killed = u && u->exited_boot != UNSET && a->killed_at <= u->exited_boot,
    };

    if (a->task && !a->view.orphan)
        end.again = retry_wanted(&a->task->retry, a->run->attempt, result, a->exit_code, a->exit_status,
                        g_random_double(), &end.again_in_usec) &&
                    !attempt_closes_within(a, end.again_in_usec);
    if (store_end(m->store, &end, on_ended, a) < 0) {
        a->store_busy = false;
        attempt_retry_later(a);
    } else if (attempt_makes_way(a)) {
        dispatcher_asking(m->dispatcher); /* for whom is claimed in the same transaction */
    }
}
