/* One attempt: what is known of it, its timer, and what is done for it next on each side. */
#include "core/engine.h"

#include "base/log.h"
#include "base/memory.h"
#include "model/exit-status.h"
#include "model/timespec.h"

/* So many take memory that is worth being given back. */
#define ENDED_MANY 200u

#define POLL_USEC        (100 * USEC_PER_MSEC) /* while stragglers of a control group are being ended */
#define HOLD_USEC        USEC_PER_SEC
#define RETRY_USEC       USEC_PER_SEC       /* after an error of a side that is up */
#define LIMIT_SLACK_USEC (2 * USEC_PER_SEC) /* the manager's own RuntimeMaxSec= comes first */
#define FOREIGN_MAX      1000               /* names that are remembered as reported */

void attempt_free(Attempt *a)
{
    g_clear_pointer(&a->run, store_run_free);
    g_clear_pointer(&a->next, store_run_free);
    g_clear_pointer(&a->task, task_unref);
    g_clear_pointer(&a->state, unit_state_free);
    g_clear_pointer(&a->seen, unit_state_free);
    g_free(a->unit);
    g_free(a->reason);
    g_free(a->output);
    g_free(a->status_text);
    clock_timer_free(a->timer);
    clock_timer_free(a->closing);
    g_free(a);
}
/* --- the one timer of an attempt --- */

static void on_timer(void *userdata)
{
    Attempt *a = userdata;
    uint64_t now = clock_boot(a->engine->manager->clock);

    if (a->grace_at <= now) {
        a->grace_at = UNSET;
        a->view.grace_over = true;
    }
    if (a->poll_at <= now) {
        a->poll_at = UNSET;
        a->view.unit_changed = true;
    }
    if (a->limit_at <= now) {
        a->limit_at = UNSET;
        a->view.timed_out = true;
    }
    if (a->retry_at <= now)
        a->retry_at = UNSET;
    if (a->hold_at <= now)
        a->hold_at = UNSET;
    attempt_act(a);
}

/* Of one that is still to be started. */
static bool attempt_may_expire(const Attempt *a)
{
    return a->expires_at != UNSET && a->view.phase == ATTEMPT_CLAIMED && !a->exec_busy && !a->asked;
}

static void attempt_arm(Attempt *a)
{
    Clock *clock = a->engine->manager->clock;
    uint64_t at =
        MIN(MIN(MIN(a->grace_at, a->poll_at), MIN(a->limit_at, a->retry_at)), MIN(a->warn_at, a->hold_at));

    if (attempt_may_expire(a) && a->expires_at > clock_boot(clock))
        at = MIN(at, a->expires_at);

    if (at == UNSET) {
        if (a->timer)
            clock_timer_disarm(a->timer);
        return;
    }
    if (!a->timer && clock_timer_new(clock, CLOCK_BOOT, on_timer, a, &a->timer) < 0)
        return;
    clock_timer_arm(a->timer, at);
}

void attempt_retry_later(Attempt *a)
{
    a->retry_at = clock_boot(a->engine->manager->clock) + RETRY_USEC;
    attempt_arm(a);
}

void attempt_look_again(Attempt *a)
{
    a->view.unit_changed = true;
    attempt_retry_later(a);
}

/* Claimed ahead of its time: it is started when it is due, by the clock that people set. That is moments away, unless it
 * was set back since; it may be set forward again, so it is looked at now and then. */
static bool attempt_is_held(Attempt *a)
{
    Clock *c = a->engine->manager->clock;
    uint64_t now = clock_real(c);
    bool held = a->view.phase == ATTEMPT_CLAIMED && a->run->due != UNSET && a->run->due > now;

    a->hold_at = held ? clock_boot(c) + MIN(a->run->due - now, HOLD_USEC) : UNSET;
    return held;
}

static void attempt_arm_limits(Attempt *a)
{
    const Task *t = a->task;
    uint64_t started = a->state ? a->state->started_boot : UNSET;

    if (!t || t->timeout_usec == USEC_INFINITY || started == UNSET || a->view.orphan)
        return;
    a->limit_at = started + t->timeout_usec + LIMIT_SLACK_USEC;
    if (t->timeout_warning_usec > 0 && t->timeout_warning_usec < t->timeout_usec && !a->warned)
        a->warn_at = started + t->timeout_usec - t->timeout_warning_usec;
}

static void on_warned(int r, const Error *error, void *userdata)
{
}

static void attempt_warn(Attempt *a)
{
    Manager *m = a->engine->manager;
    g_autofree char *left = NULL;

    if (a->warn_at > clock_boot(m->clock))
        return;
    a->warn_at = UNSET;
    if (a->warned || a->view.phase != ATTEMPT_STARTED || a->view.main_over || !m->exec_up)
        return;
    a->warned = true;
    left = timespec_format_span(a->task->timeout_warning_usec);
    log_message(LOG_WARNING,
        &(LogContext){ LOG_ID_TIMEOUT_NEAR, a->run->task, a->run->id, a->run->attempt, a->unit },
        "Run %" G_GUINT64_FORMAT " of %s reaches its time limit in %s.", a->run->id, a->run->task, left);
    exec_kill(m->exec, a->unit, true, a->task->timeout_warning_signal, on_warned, NULL);
}

/* --- adding and dropping --- */

void attempt_drop(Attempt *a)
{
    Engine *e = a->engine;
    Manager *m = e->manager;
    StoreRun *next = g_steal_pointer(&a->next);

    e->n_orphans -= a->view.orphan;
    if (e->listing && a->view.phase == ATTEMPT_RECORDED)
        g_hash_table_add(e->released, g_strdup(a->unit));
    if (g_hash_table_lookup(e->by_run, &a->run->id) == a)
        g_hash_table_remove(e->by_run, &a->run->id);
    g_hash_table_remove(e->by_unit, a->unit);
    /* After many, when there is none: what they took is not taken again before as many come. */
    if (++e->n_ended >= ENDED_MANY && g_hash_table_size(e->by_unit) == 0) {
        e->n_ended = 0;
        memory_give_back();
    }
    if (next) {
        a = attempt_new(e, next, ATTEMPT_CLAIMED);
        attempt_look_later(a);
        attempt_act(a);
    }
    dispatcher_wake(m->dispatcher);
    manager_update(m);
}

void attempt_set_expiry(Attempt *a, uint64_t real, uint64_t boot)
{
    uint64_t deadline = a->run->deadline;

    a->expires_at = deadline == UNSET ? UNSET : boot + (deadline > real ? deadline - real : 0);
}

Attempt *attempt_new(Engine *e, StoreRun *run, AttemptPhase phase)
{
    Attempt *a = g_new0(Attempt, 1);
    const Attempt *newest = g_hash_table_lookup(e->by_run, &run->id);

    a->engine = e;
    a->run = run;
    a->unit = exec_unit_name(run->id, run->attempt);
    a->touched = phase == ATTEMPT_FOUND;
    a->suspect = run->id <= e->suspect;
    a->view.phase = phase;
    a->view.row = run->state;
    a->view.cause = run->cause;
    a->exit_status = -1;
    a->started = a->finished = a->killed_at = UNSET;
    a->grace_at = a->poll_at = a->limit_at = a->warn_at = a->retry_at = a->hold_at = UNSET;
    attempt_set_expiry(a, clock_real(e->manager->clock), clock_boot(e->manager->clock));
    g_hash_table_insert(e->by_unit, a->unit, a);
    /* replace, not insert: the key lives in the attempt that is entered. A unit of an older attempt may be
     * found after the newest one: who speaks of the run means the newest. */
    if (!newest || newest->run->attempt <= run->attempt)
        g_hash_table_replace(e->by_run, &a->run->id, a);
    return a;
}

static bool attempt_is_altered(const Attempt *a)
{
    const Task *t = a->task;

    if (!t || a->view.orphan)
        return false;
    if (task_keeps_directory(t) && !g_str_equal(a->state->directory_preserve, "yes"))
        return true;
    return !a->state->remain_after_exit || a->state->runtime_max_usec != t->timeout_usec ||
           *a->state->token == '\0';
}

/* What follows from the definition for a unit that was read before it. */
static void attempt_take_task(Attempt *a, Task *task)
{
    a->task = task_ref(task);
    if (!a->state || a->view.phase != ATTEMPT_STARTED)
        return;
    a->view.altered = attempt_is_altered(a);
    attempt_arm_limits(a);
}

typedef struct TaskWait {
    Engine *engine;
    char *unit;
} TaskWait;

static void on_task(int r, Task *task, void *userdata)
{
    TaskWait *w = userdata;
    Attempt *a = engine_find(w->engine, w->unit);

    g_free(w->unit);
    g_free(w);
    if (!a)
        return;
    a->task_wanted = false;
    if (r == -ENOTCONN || r == -ECANCELED)
        return; /* engine_wake() asks again */
    if (task)
        attempt_take_task(a, task);
    else if (r == -ENOENT || r == -EINVAL)
        a->task_absent = true;
    else
        attempt_retry_later(a);
    attempt_act(a);
}

bool attempt_has_task(Attempt *a)
{
    Registry *registry = a->engine->manager->registry;
    TaskWait *w;
    int r;

    if (a->task || a->task_absent || a->view.orphan)
        return true;
    if (a->task_wanted || !a->engine->manager->store_up)
        return false;
    w = g_new(TaskWait, 1);
    *w = (TaskWait){ a->engine, g_strdup(a->unit) };
    r = registry_get_revision(registry, a->run->task, a->run->revision, &a->task, on_task, w);
    if (r == 0) {
        a->task_wanted = true;
        return false;
    }
    g_free(w->unit);
    g_free(w);
    return r > 0;
}
/* --- what the manager says --- */

/* The manager is ending it, by the same signals and with the same grace: ours would come on top, and only
 * SIGKILL is repeated should it have to be. What is over its limit is so from now on, whoever cancels it then. */
static void attempt_take_deactivating(Attempt *a)
{
    a->view.deactivating = g_str_equal(a->state->active_state, "deactivating");
    if (!a->view.deactivating)
        return;
    if (g_str_equal(a->state->sub_state, "stop-sigterm") && g_str_equal(a->state->result, "timeout"))
        a->view.timed_out = true;
    if (a->view.killed == 0) {
        a->view.killed = 1;
        a->grace_at = clock_boot(a->engine->manager->clock) + a->run->grace_usec;
    }
}

void attempt_report_orphan(const Attempt *a)
{
    Engine *e = a->engine;

    if (g_hash_table_size(e->foreign) >= FOREIGN_MAX)
        g_hash_table_remove_all(e->foreign);
    if (g_hash_table_add(e->foreign, g_strdup(a->unit)))
        log_message(LOG_WARNING,
            &(LogContext){ LOG_ID_FOREIGN_UNIT, NULL, a->run->id, a->run->attempt, a->unit },
            "Unit %s is named as ours, but the database knows of no such attempt under way; it is left alone.",
            a->unit);
}

/* Takes over what was read: a is decided on afterwards. */
static void attempt_take_state(Attempt *a, UnitState *state)
{
    Manager *m = a->engine->manager;
    bool first = !a->state || a->state->started_boot == UNSET; /* its limits count from its process's start */
    int left;

    g_clear_pointer(&a->state, unit_state_free);
    a->state = state;
    g_free(a->status_text);
    a->status_text = g_strdup(state->status_text);
    a->asked = a->removed = false;
    a->touched = true;
    if (a->view.phase == ATTEMPT_FOUND || a->view.phase == ATTEMPT_CLAIMED)
        a->view.phase = ATTEMPT_STARTED;
    a->view.never_ran = state->never_ran && !a->view.orphan;
    if (a->view.never_ran)
        return;
    a->view.main_over = unit_state_is_over(state);
    attempt_take_deactivating(a);
    if (a->view.orphan && !a->view.main_over)
        attempt_report_orphan(a);
    if (first) {
        a->view.altered = attempt_is_altered(a);
        attempt_arm_limits(a);
    }
    left = a->view.main_over ? exec_cgroup_populated(m->exec, state->control_group) : 0;
    a->view.leftover = left > 0;
    if (a->view.leftover && a->view.killed > 0)
        a->poll_at = clock_boot(m->clock) + POLL_USEC;
    if (error_is_shortage(left))
        attempt_look_again(a);
    else if (a->view.main_over && !a->view.leftover)
        attempt_finish_from_state(a);
}

/* Whether the unit is that of this claim. It has no token where a drop-in took it away. */
static bool attempt_is_own(const Attempt *a, const UnitState *u)
{
    if (a->view.orphan || strcmp(u->token, a->run->token) == 0)
        return true;
    if (a->suspect) /* of the same run: its number was not given out twice */
        return true;
    if (*u->token)
        return false;
    return a->made || (*u->invocation_id && g_strcmp0(u->invocation_id, a->run->invocation_id) == 0);
}

/* The unit's name is taken by somebody else's claim: the next attempt has the next name. One that had its unit under
 * this name before has lost it: the journal may know how. */
static void attempt_take_other(Attempt *a)
{
    g_clear_pointer(&a->seen, unit_state_free); /* it may have been told of the other */
    if (a->view.row == RUN_STARTING && !a->made) {
        a->touched = a->asked = false; /* nothing of that name is ours, nor was there */
        attempt_requeue(a, "a unit of this attempt's name was there already, started for another claim", 0);
        return;
    }
    a->taken = true;
    a->view.phase = ATTEMPT_GONE;
}

/* What is recorded as running has been read, as its invocation is recorded with it; and it is not about to start: that
 * may still fail in a way that makes the same attempt begin anew, under another invocation. */
static bool attempt_has_process(const Attempt *a)
{
    return a->state && !g_str_equal(a->state->active_state, "activating");
}

bool attempt_may_have_lost_command(const Attempt *a, int code, int status)
{
    return !attempt_has_process(a) && !*util_strempty(a->run->invocation_id) && code == RUN_EXITED &&
           status == EXIT_STATUS_EXEC;
}

void attempt_take_gone(Attempt *a)
{
    a->removed = true;
    if (a->seen && !attempt_may_have_lost_command(a, a->seen->main_code, a->seen->main_status))
        attempt_finish_from_signal(a);
    else
        a->view.phase = ATTEMPT_GONE;
}

static void attempt_take_none(Attempt *a)
{
    a->removed = true;
    if (a->view.phase == ATTEMPT_STARTED)
        attempt_take_gone(a);
    else if (a->view.phase == ATTEMPT_FOUND ||
             a->asked) /* asked for, and not there: it may have come and gone */
        a->view.phase = ATTEMPT_GONE;
}

void attempt_look_later(Attempt *a)
{
    a->view.phase = ATTEMPT_CLAIMED;
    a->view.unit_changed = a->asked = true;
}

void attempt_begin(Attempt *a)
{
    if (a->suspect)
        attempt_look_later(a);
    attempt_act(a);
}

static void on_requeued(int r, RunResult cause, uint64_t cause_at, const Error *error, void *userdata)
{
    Attempt *a = userdata;
    Manager *m = a->engine->manager;

    a->store_busy = false;
    if (r < 0) { /* it stays claimed, and is tried anew from there */
        a->leaving = false;
        if (a->view.phase == ATTEMPT_FOUND)
            attempt_look_later(a); /* no list comes that would decide it */
        attempt_retry_later(a);
        attempt_act(a);
        return;
    }
    if (r == STORE_RECORDED &&
        cause != RUN_RESULT_NONE) { /* cancelled meanwhile: it does not go back, it is done */
        manager_run_changed(m, a->run->id, RUN_DONE, cause);
        if (attempt_makes_way(a))
            dispatcher_asking(m->dispatcher);
    } else if (r == STORE_RECORDED) {
        m->n_waiting++;
        manager_run_changed(m, a->run->id, RUN_QUEUED, RUN_RESULT_NONE);
        dispatcher_deadline(m->dispatcher, a->run->deadline);
        dispatcher_due(m->dispatcher, clock_real(m->clock) + a->requeue_usec);
    }
    attempt_drop(a);
}

void attempt_requeue(Attempt *a, const char *reason, uint64_t in_usec)
{
    StoreOwner owner = { a->run->id, a->run->attempt, a->run->token };

    if (a->leaving) /* a second list of units says the same again */
        return;
    a->store_busy = true;
    a->leaving = true;
    a->requeue_usec = in_usec;
    store_requeue(a->engine->manager->store, &owner, reason, in_usec, on_requeued, a);
}

/* One answer about the unit: what is known of it, or that it is not there. */
void attempt_take_answer(Attempt *a, int r, const UnitState *u)
{
    Expect *expect = a->engine->manager->expect;

    if (r == -ENOENT) {
        attempt_take_none(a);
    } else if (r < 0) {
        a->view.unit_changed = true;
        if (r != -ENOTCONN)
            attempt_retry_later(a);
    } else if (!attempt_is_own(a, u)) {
        attempt_take_other(a);
    } else {
        attempt_take_state(a, unit_state_copy(u));
    }
    expect_wake(expect);
}

static void on_state(int r, const UnitState *u, void *userdata)
{
    Attempt *a = userdata;

    a->exec_busy = false;
    if (a->view.phase == ATTEMPT_FOUND || a->view.phase == ATTEMPT_CLAIMED ||
        a->view.phase == ATTEMPT_STARTED)
        attempt_take_answer(a, r, u);
    attempt_act(a);
}
void attempt_set_status(Attempt *a, const char *text)
{
    if (*text == '\0' || g_strcmp0(text, a->status_text) == 0)
        return;
    g_free(a->status_text);
    a->status_text = g_strdup(text);
    manager_run_changed(a->engine->manager, a->run->id, a->view.row, RUN_RESULT_NONE);
}

/* --- doing what was decided, on the manager's side --- */

static void on_released(int r, const Error *error, void *userdata)
{
    Attempt *a = userdata;

    a->exec_busy = false;
    if (r < 0) {
        attempt_retry_later(a);
        attempt_act(a);
        return;
    }
    if (a->view.never_ran) { /* the same attempt is started anew */
        a->view.never_ran = false;
        a->made = false;
        a->view.phase = ATTEMPT_CLAIMED;
        a->view.unit_changed = false;
        g_clear_pointer(&a->state, unit_state_free);
        g_clear_pointer(&a->seen, unit_state_free);
        attempt_act(a);
        return;
    }
    attempt_drop(a);
}

static void on_kill(int r, const Error *error, void *userdata)
{
    Attempt *a = userdata;

    a->exec_busy = false;
    if (r < 0 && r != -ENOENT && r != -ESRCH) {
        attempt_retry_later(a);
    } else {
        a->view.killed++;
        a->poll_at = clock_boot(a->engine->manager->clock) + POLL_USEC;
        if (a->view.killed == 1)
            a->grace_at = clock_boot(a->engine->manager->clock) + a->run->grace_usec;
    }
    attempt_act(a);
}

static void attempt_kill(Attempt *a, bool hard)
{
    int signal = hard ? SIGKILL : a->task ? a->task->kill_signal : SIGTERM;
    bool main_only = !hard && a->task && a->task->kill_mixed && !a->view.main_over;

    if (a->run->cause != RUN_RESULT_NONE && a->killed_at == UNSET)
        a->killed_at = clock_boot(a->engine->manager->clock);
    a->exec_busy = true;
    if (exec_kill(a->engine->manager->exec, a->unit, main_only, signal, on_kill, a) < 0) {
        a->exec_busy = false;
        attempt_retry_later(a);
    }
}

static void attempt_do_exec(Attempt *a, AttemptExecAction action)
{
    Exec *exec = a->engine->manager->exec;
    int r = 0;

    switch (action) {
    case ATTEMPT_EXEC_NOTHING:
        return;
    case ATTEMPT_EXEC_START:
        attempt_start(a);
        return;
    case ATTEMPT_EXEC_READ:
        a->view.unit_changed = false;
        r = exec_get(exec, a->unit, on_state, a);
        break;
    case ATTEMPT_EXEC_EVIDENCE:
        engine_want_evidence(a);
        return;
    case ATTEMPT_EXEC_KILL:
    case ATTEMPT_EXEC_KILL_HARD:
        attempt_kill(a, action == ATTEMPT_EXEC_KILL_HARD);
        return;
    case ATTEMPT_EXEC_RELEASE:
        r = exec_release(exec, a->unit, on_released, a);
        break;
    }
    a->exec_busy = r >= 0;
    if (r < 0) {
        a->view.unit_changed = true;
        attempt_retry_later(a);
    }
}

/* --- on the store's side --- */

static void on_marked(int r, RunState state, RunResult cause, uint64_t cause_at, Attempt *a)
{
    a->store_busy = false;
    if (r == STORE_RECORDED || r == STORE_RECORDED_BEFORE) {
        a->view.row = state;
        a->run->state = state;
        if (cause != RUN_RESULT_NONE) {
            a->view.cause = cause;
            a->run->cause = cause;
            a->run->cause_at = cause_at;
        }
        if (r == STORE_RECORDED)
            manager_run_changed(a->engine->manager, a->run->id, state, RUN_RESULT_NONE);
    } else if (r == STORE_NOT_YOURS) {
        /* Somebody else decides now; its end is noted all the same, and answered likewise. */
        a->view.row = RUN_STOPPING;
        a->view.timed_out = a->view.closed = a->view.altered = false;
        a->closes_at = UNSET;
    } else if (r != -ENOTCONN) {
        attempt_retry_later(a);
    }
    attempt_act(a);
}

static void on_running(int r, RunResult cause, uint64_t cause_at, const Error *error, void *userdata)
{
    on_marked(r, RUN_RUNNING, cause, cause_at, userdata);
}

static void on_stopping(int r, RunResult cause, uint64_t cause_at, const Error *error, void *userdata)
{
    on_marked(r, RUN_STOPPING, cause, cause_at, userdata);
}

static void attempt_mark_stopping(Attempt *a)
{
    StoreOwner owner = { a->run->id, a->run->attempt, a->run->token };
    RunResult cause = RUN_RESULT_NONE;
    const char *reason = "";

    if (a->view.cause == RUN_RESULT_NONE && a->view.altered) {
        cause = RUN_RESOURCES;
        reason =
            "a drop-in of the administrator's changes RemainAfterExit=, RuntimeMaxSec=, RuntimeDirectoryPreserve= or LogExtraFields= of its "
            "unit, which are taskschedd's own";
    } else if (a->view.cause == RUN_RESULT_NONE && a->view.timed_out) {
        cause = RUN_TIMEOUT;
        reason = "it ran longer than its limit";
    } else if (a->view.cause == RUN_RESULT_NONE && a->view.closed) {
        cause = RUN_CANCELLED;
        reason = WINDOW_CLOSED;
    }
    store_stopping(a->engine->manager->store, &owner, cause, reason, on_stopping, a);
}

static void attempt_do_store(Attempt *a, AttemptStoreAction action)
{
    StoreOwner owner = { a->run->id, a->run->attempt, a->run->token };

    if (action == ATTEMPT_STORE_NOTHING)
        return;
    a->store_busy = true;
    switch (action) {
    case ATTEMPT_STORE_NOTHING:
        break;
    case ATTEMPT_STORE_RUNNING:
        store_running(a->engine->manager->store, &owner, a->state ? a->state->invocation_id : "",
            a->state ? a->state->started : UNSET, on_running, a);
        break;
    case ATTEMPT_STORE_STOPPING:
        attempt_mark_stopping(a);
        break;
    case ATTEMPT_STORE_END:
        attempt_record(a);
        break;
    }
}

/* Nothing is left to be done for it: its end is recorded and no unit is to be released, or it was only looked at and
 * its unit is gone. */
static bool attempt_is_settled(const Attempt *a)
{
    if (a->store_busy || a->exec_busy)
        return false;
    if (a->view.phase == ATTEMPT_RECORDED)
        return a->taken || !a->touched;
    return a->view.orphan &&
           (a->view.phase == ATTEMPT_GONE || (a->view.phase == ATTEMPT_RELEASED && a->removed));
}

/* Not to be started at all. Where its start was asked for and not answered, it may run: that is found out first. */
static void attempt_judge_claimed(Attempt *a)
{
    if (a->view.phase != ATTEMPT_CLAIMED || a->exec_busy || a->asked)
        return;
    if (a->view.cause != RUN_RESULT_NONE)
        attempt_finish(a, a->view.cause, "cancelled before it was started");
    else if (a->view.closed)
        attempt_finish(a, RUN_CANCELLED, WINDOW_CLOSED);
    else if (attempt_may_expire(a) && a->expires_at <= clock_boot(a->engine->manager->clock))
        attempt_finish(a, RUN_EXPIRED, STORE_EXPIRED);
    else if (a->task_absent)
        attempt_finish(a, RUN_NOT_FOUND, "the definition it was made from cannot be read any more");
}

/* Claimed, and we are to end before it was started: with the host it would be lost, so it waits for whoever comes next. */
static bool attempt_is_to_go_back(const Attempt *a)
{
    const Manager *m = a->engine->manager;

    return m->state == MANAGER_STOPPING && m->store_up && a->view.phase == ATTEMPT_CLAIMED && !a->asked &&
           !a->exec_busy && !a->store_busy;
}

/* Somebody else's row has its name, or it has none any more and is not in our hands. */
static bool attempt_is_to_be_forgotten(const Attempt *a)
{
    bool unbegun =
        a->view.phase == ATTEMPT_FOUND || a->view.phase == ATTEMPT_CLAIMED || a->view.phase == ATTEMPT_GONE;

    return !a->exec_busy && !a->store_busy && (a->next || (a->absent && unbegun));
}

void attempt_act(Attempt *a)
{
    Manager *m = a->engine->manager;
    bool held = attempt_is_held(a);
    AttemptStoreAction store;

    if (attempt_is_to_be_forgotten(a)) {
        attempt_drop(a);
        return;
    }
    attempt_warn(a);
    attempt_arm(a);
    if (a->leaving || a->retry_at != UNSET)
        return;
    if (attempt_is_to_go_back(a)) {
        attempt_requeue(a, "taskschedd was stopped before it was started", 0);
        return;
    }
    if (!attempt_has_task(a))
        return;
    if (attempt_is_settled(a)) {
        attempt_drop(a);
        return;
    }
    attempt_watch_window(a);
    attempt_judge_claimed(a);
    store = attempt_decide_store(&a->view);
    if (store == ATTEMPT_STORE_RUNNING && !attempt_has_process(a))
        store = ATTEMPT_STORE_NOTHING;
    if (m->store_up && !a->store_busy)
        attempt_do_store(a, store);
    if (m->exec_up && !a->exec_busy && a->retry_at == UNSET) {
        AttemptExecAction action = attempt_decide_exec(&a->view);

        if (action != ATTEMPT_EXEC_START || (!held && manager_may_start(m)))
            attempt_do_exec(a, action);
    }
}
