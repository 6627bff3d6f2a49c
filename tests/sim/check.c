/* What must hold: asked after every event, and where the world itself sees that something is done that must not be. */
#include "sim.h"

#include <string.h>

#include "core/engine.h"

#define LATE_USEC (6 * USEC_PER_SEC) /* clocks differ by half of that */
#define CLOSED(t) ((t)->recorded || (t)->given_back)

#define LATE_START_USEC (100 * USEC_PER_MSEC)
#define EXPIRE_USEC                                                                                          \
    (12 * USEC_PER_SEC) /* the answers of a claim that is under way, and of the one that ends it */

/* How an attempt may be recorded that ended like this, and was seen by its unit or by the journal alone. */
static const struct {
    const char *word;
    int code;
    RunResult result, by_journal;
} results[] = {
    { "oom-kill", RUN_KILLED, RUN_OOM_KILL, RUN_SIGNAL },
    { "timeout", RUN_KILLED, RUN_TIMEOUT, RUN_SIGNAL },
    { "timeout", RUN_EXITED, RUN_TIMEOUT, RUN_EXIT_CODE },
    { "timeout", RUN_DUMPED, RUN_TIMEOUT, RUN_CORE_DUMP },
    { "core-dump", RUN_DUMPED, RUN_CORE_DUMP, RUN_CORE_DUMP },
    { "signal", RUN_KILLED, RUN_SIGNAL, RUN_SIGNAL },
    { "exit-code", RUN_EXITED, RUN_EXIT_CODE, RUN_EXIT_CODE },
    { "success", RUN_KILLED, RUN_SIGNAL, RUN_SIGNAL },
    { "success", RUN_EXITED, RUN_SUCCESS, RUN_SUCCESS },
};

/* --- at the moment itself --- */

static bool is_alive(const Row *row)
{
    for (guint i = 0; i < row->truths->len; i++) {
        const Truth *t = g_ptr_array_index(row->truths, i);

        if (t->alive || t->rest > 0)
            return true;
    }
    return false;
}

/* Runs of its task for which this is so. */
static unsigned count_runs(const char *task, bool (*is)(const Row *row))
{
    unsigned n = 0;

    for (guint i = 0; i < database.rows->len; i++) {
        const Row *row = g_ptr_array_index(database.rows, i);

        n += strcmp(row->run.task, task) == 0 && is(row);
    }
    return n;
}

/* As things really are, not as the database has them. */
static void check_together(const Row *row)
{
    unsigned n = row->run.places > 0 ? count_runs(row->run.task, is_alive) : 0;

    if (n > row->run.places)
        sim_fail("%u runs of %s are executed at once", n, row->run.task);
}

static bool is_open_and_has_place(const Row *row)
{
    return row->run.state != RUN_DONE && row->place == PLACE_TAKEN;
}

static bool is_open(const Row *row)
{
    return row->run.state != RUN_DONE;
}

static bool is_held_back(const Row *row)
{
    return row->run.state == RUN_WAITING && row->place == PLACE_HELD;
}

/* Or is about to. */
static bool is_in_the_way(const Row *row)
{
    return is_open_and_has_place(row) || (row->run.state == RUN_QUEUED && row->place == PLACE_WANTED);
}

void check_place(const Row *row)
{
    unsigned n = row->run.places > 0 ? count_runs(row->run.task, is_open_and_has_place) : 0;

    if (n > row->run.places || (row->run.places > 0 && row->place != PLACE_TAKEN))
        sim_fail("run %" G_GUINT64_FORMAT " is claimed, and %u of its task have a place", row->run.id, n);
}

void check_overlap(const char *task, const Row *row)
{
    if (count_runs(task, is_open) <= (row != NULL))
        sim_fail("%s is skipped, and no other run of it is under way", task);
}

/* What is backfilled, and what repeats that, waits whatever its task says. */
static bool is_patient(const Row *row)
{
    return strcmp(row->run.overlap, "queue") == 0;
}

static bool is_left_alone(const Row *row)
{
    return is_open_and_has_place(row) && !row->no_more && !is_patient(row);
}

static bool is_held_by_itself(const Row *row)
{
    return is_held_back(row) && !is_patient(row);
}

/* What is held has a reason, and something to wait for. */
static void check_held(const Row *row)
{
    unsigned n;

    if (!is_held_back(row))
        return;
    n = count_runs(row->run.task, is_held_by_itself);
    if (strcmp(row->run.overlap, "cancel-old") == 0 && count_runs(row->run.task, is_left_alone) > 0)
        sim_fail("run %" G_GUINT64_FORMAT " is held, and the older one does not give way", row->run.id);
    if (!*row->reason || count_runs(row->run.task, is_in_the_way) == 0)
        sim_fail("run %" G_GUINT64_FORMAT " is held back by nothing", row->run.id);
    if (n > 1 && (strcmp(row->run.overlap, "queue-one") == 0 || strcmp(row->run.overlap, "cancel-old") == 0))
        sim_fail("%u runs of %s are held", n, row->run.task);
}

/* The daemon was told that this run is to give way: it ends it, if it has it. */
void check_told_to_end(uint64_t run)
{
    const Manager *m = daemon_twin.manager;
    const Attempt *a = m ? g_hash_table_lookup(m->engine->by_run, &run) : NULL;

    if (a && a->view.cause == RUN_RESULT_NONE && a->view.phase < ATTEMPT_OVER)
        sim_fail("run %" G_GUINT64_FORMAT " is to give way, and goes on", run);
}

/* A process comes to be: the only one of its run, once for its claim, and the claim stands. */
void check_executed(Truth *t)
{
    const Row *row = database_find(t->run);

    if (t->executed > 1)
        sim_fail(
            "attempt %u of run %" G_GUINT64_FORMAT " is executed %u times", t->attempt, t->run, t->executed);
    if (CLOSED(t))
        sim_fail(
            "attempt %u of run %" G_GUINT64_FORMAT " is executed after it was closed", t->attempt, t->run);
    check_together(row);
    for (guint i = 0; i < row->truths->len; i++) {
        const Truth *other = g_ptr_array_index(row->truths, i);

        if (other != t && (other->alive || other->rest > 0))
            sim_fail("attempts %u and %u of run %" G_GUINT64_FORMAT " live at once", other->attempt,
                t->attempt, t->run);
    }
}

static bool is_lost_rightly(const Row *row, const Truth *t)
{
    const EvidenceQuery q = { "", t->executed ? row->invocation : "", row->run.claimed, row->boot,
        row->run.claimed_monotonic };
    Evidence e;

    systemd_judge(&q, &e);
    if (*row->invocation && e.verdict == EVIDENCE_FAILED)
        return false;
    return t->destroyed || row->shared_name || (t->executed && systemd.gap >= row->run.claimed_monotonic);
}

/* What left an output that is not taken is no success. */
static RunResult with_output(const Truth *t, RunResult result)
{
    return result == RUN_SUCCESS && t->output == OUTPUT_LINK ? RUN_RESOURCES : result;
}

static bool is_true(const Truth *t, RunResult result)
{
    ARRAY_FOREACH (r, results)
        if (strcmp(r->word, t->result) == 0 && r->code == t->code &&
            (with_output(t, r->result) == result || r->by_journal == result))
            return true;
    /* Over its limit for the manager, and still not for us: somebody else stopped it. */
    return t->destroyed && strcmp(t->result, "timeout") == 0 && result == RUN_SIGNAL;
}

static void check_output(const Truth *t, const DbOp *op)
{
    bool read = t->executed && op->result != RUN_LOST && op->code != RUN_EXITED_UNKNOWN;
    g_autofree char *left = NULL;

    if (read && (t->output == OUTPUT_LINES || t->output == OUTPUT_OBJECT))
        left = g_strdup_printf("{\"n\":\"%" G_GUINT64_FORMAT "-%u\"}", t->run, t->attempt);
    if (g_strcmp0(op->text, left) != 0 && (op->text || !t->output_refused))
        sim_fail("run %" G_GUINT64_FORMAT " is recorded with the output %s, and left %s", t->run,
            op->text ? op->text : "none", left ? left : "none");
}

/* As the last to tell has it, or as it was told before; nobody may know where the journal has lost its beginning. */
static void check_started(const Row *row, const Truth *t, const DbOp *op)
{
    uint64_t started = op->started != UNSET ? op->started : row->run.started;
    bool untold = started == UNSET && systemd.gap >= row->run.claimed_monotonic;

    if (op->result == RUN_LOST || t->destroyed)
        return;
    if (!t->executed && op->started != UNSET)
        sim_fail("run %" G_GUINT64_FORMAT " is recorded as started, and was not executed", row->run.id);
    if (t->executed && started != t->started && !untold)
        sim_fail("run %" G_GUINT64_FORMAT " is recorded with another time of its start", row->run.id);
}

/* What is about to be recorded as the attempt's own end. */
void check_end(const Row *row, Truth *t, const DbOp *op)
{
    uint64_t run = row->run.id;

    if (!t) {
        sim_fail("run %" G_GUINT64_FORMAT " is recorded for another attempt than its own", run);
        return;
    }
    if (CLOSED(t))
        sim_fail("attempt %u of run %" G_GUINT64_FORMAT " is recorded twice", t->attempt, run);
    if (t->alive || t->rest > 0)
        sim_fail("run %" G_GUINT64_FORMAT " is recorded as %s while it lives", run,
            run_result_to_string(op->result));
    if (op->result == RUN_LOST) {
        if (!is_lost_rightly(row, t))
            sim_fail("run %" G_GUINT64_FORMAT " is recorded as lost, and evidence was there", run);
    } else if (op->code == RUN_EXITED_UNKNOWN) {
        if (t->executed)
            sim_fail("run %" G_GUINT64_FORMAT " is recorded as %s, and was executed", run,
                run_result_to_string(op->result));
        if (op->result == RUN_RESOURCES && !t->refused)
            sim_fail("run %" G_GUINT64_FORMAT " is recorded as resources, and was not refused", run);
    } else if (!t->executed || op->code != t->code || op->status != t->status || !is_true(t, op->result)) {
        sim_fail("run %" G_GUINT64_FORMAT " is recorded as %s %d/%d, and was %s %d/%d", run,
            run_result_to_string(op->result), op->code, op->status, util_strempty(t->result), t->code,
            t->status);
    }
    if (row->first != row->run.cause)
        sim_fail("the cause of run %" G_GUINT64_FORMAT " was changed", run);
    if (op->result != RUN_LOST && t->executed && op->finished != t->ended && !t->destroyed)
        sim_fail("run %" G_GUINT64_FORMAT " is recorded with another time of its end", run);
    check_started(row, t, op);
    check_output(t, op);
}

void check_given_back(const Row *row, Truth *t)
{
    if (t && (t->executed || CLOSED(t)) && !t->claimed_by_dead)
        sim_fail("attempt %u of run %" G_GUINT64_FORMAT " is given back, and was executed", t->attempt,
            row->run.id);
}

/* Nobody is said to be over a limit before it is, by the clock that counts spans. */
void check_stopping(const Row *row, const Truth *t, const DbOp *op)
{
    if (op->cause != RUN_TIMEOUT || !t || !t->alive)
        return;
    if (t->timeout == USEC_INFINITY || sim_now() < t->started_boot + t->timeout)
        sim_fail("run %" G_GUINT64_FORMAT " is said to be over its limit after %" G_GUINT64_FORMAT " ms",
            row->run.id, (sim_now() - t->started_boot) / USEC_PER_MSEC);
}

/* The daemon asks for its unit. */
void check_start(uint64_t run)
{
    const Row *row = database_find(run);

    if (row && row->run.deadline != UNSET && sim_real() > row->run.deadline + LATE_START_USEC &&
        sim.latest == 0 && sim.database_ahead == 0)
        sim_fail("run %" G_GUINT64_FORMAT " is started %" G_GUINT64_FORMAT " ms after its deadline", run,
            (sim_real() - row->run.deadline) / USEC_PER_MSEC);
}

/* Those that are backfilled come one after the other. */
static void check_alone(const Row *row)
{
    for (guint i = 0; row->chain != CHAIN_NONE && i < database.rows->len; i++) {
        const Row *other = g_ptr_array_index(database.rows, i);

        if (other != row && other->chain != CHAIN_NONE && other->run.state >= RUN_STARTING &&
            other->run.state <= RUN_STOPPING && strcmp(other->run.task, row->run.task) == 0)
            sim_fail("run %" G_GUINT64_FORMAT " is backfilled while run %" G_GUINT64_FORMAT " is",
                row->run.id, other->run.id);
    }
}

/* By the database's clock. */
void check_claimed(const Row *row)
{
    check_alone(row);
    if (row->run.deadline < database_now())
        sim_fail("run %" G_GUINT64_FORMAT " is claimed after its deadline", row->run.id);
}

void check_expired(const Row *row)
{
    if (row->run.deadline >= database_now())
        sim_fail("run %" G_GUINT64_FORMAT " expired before its deadline", row->run.id);
    for (guint i = 0; i < row->truths->len; i++)
        if (((const Truth *)g_ptr_array_index(row->truths, i))->executed > 0)
            sim_fail("run %" G_GUINT64_FORMAT " expired, and was executed", row->run.id);
}

/* No unit goes before its end is committed, and none of somebody else. */
void check_released(const Unit *u)
{
    if (u->foreign)
        sim_fail("unit %s of somebody else is released", u->name);
    else if (u->truth && !u->truth->recorded && !u->lost_command)
        sim_fail("unit %s is released before its end is recorded", u->name);
    else if (u->truth && (u->truth->alive || u->truth->rest > 0))
        sim_fail("unit %s is released while it lives", u->name);
}

static uint64_t next_slot(const ScheduleRow *s)
{
    uint64_t after = s->since - 1;

    if (schedule_row_follows(s))
        return follow_next(s);
    if (s->last_nominal != UNSET && s->last_nominal > after)
        after = s->last_nominal;
    return (after / EVERY_USEC + 1) * EVERY_USEC;
}

/* By the ledger, and not by what is counted beside it. */
static uint64_t count_fired(const ScheduleRow *s)
{
    g_autofree char *name = g_strdup_printf("%s/%s", s->task, s->name);
    uint64_t n = 0;

    for (guint i = 0; i < database.slots->len; i++) {
        const SlotRow *slot = g_ptr_array_index(database.slots, i);

        n += slot->run > 0 && !slot->backfilled && strcmp(slot->schedule, name) == 0;
    }
    return n;
}

void check_only(const Row *row, size_t offset, const char *what)
{
    uint64_t own = G_STRUCT_MEMBER(uint64_t, &row->run, offset);

    for (guint i = 0; i < database.rows->len; i++) {
        const Row *other = g_ptr_array_index(database.rows, i);

        if (other != row && G_STRUCT_MEMBER(uint64_t, &other->run, offset) == own &&
            strcmp(other->run.task, row->run.task) == 0 && strcmp(other->schedule, row->schedule) == 0)
            sim_fail("runs %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT " of %s %s", other->run.id,
                row->run.id, row->run.task, what);
    }
}

/* By a slot or by hand, whatever becomes of the schedule meanwhile. */
void check_backfilled(const Row *row)
{
    check_only(row, offsetof(StoreRun, nominal), "have one time");
}

/* No more than its definition wants. */
void check_fired(const ScheduleRow *s)
{
    uint64_t max = database_max_runs(s, 0), n = count_fired(s);

    if (n != s->fired)
        sim_fail("%s/%s fired %" G_GUINT64_FORMAT " slots, and %" G_GUINT64_FORMAT " are counted", s->task,
            s->name, n, s->fired);
    if (max != UNSET && n > max)
        sim_fail(
            "%s/%s fired %" G_GUINT64_FORMAT " slots, and may %" G_GUINT64_FORMAT, s->task, s->name, n, max);
}

/* What somebody was told is skipped does not fire, nor is it skipped for anything else; what is restored is not skipped by
 * hand. */
void check_by_hand(const ScheduleRow *s, uint64_t first, uint64_t last, bool by_hand)
{
    uint64_t skipped = by_hand_next(s->by_hand, first), answered = by_hand_next(s->answered, first);

    if (by_hand && (first != last || skipped != first))
        sim_fail("%s/%s skips a slot by hand, and nobody did", s->task, s->name);
    if (!by_hand && (skipped <= last || answered <= last))
        sim_fail("a slot of %s/%s was skipped by hand, and is not", s->task, s->name);
}

void check_skipped(const ScheduleRow *s, uint64_t nominal)
{
    g_autofree char *name = g_strdup_printf("%s/%s", s->task, s->name);

    for (guint i = 0; i < database.slots->len; i++) {
        const SlotRow *slot = g_ptr_array_index(database.slots, i);

        if (slot->run > 0 && slot->first == nominal && strcmp(slot->schedule, name) == 0)
            sim_fail("a slot of %s is said to be skipped, and has fired", name);
    }
}

/* Nothing fires that the daemon knows to be paused, and nothing else is skipped for that; nor anything before its time. */
void check_pause(const char *task, const char *schedule, uint64_t last, const char *cause)
{
    const TaskRow *t = database_task(task);
    const ScheduleRow *s = database_schedule(task, schedule);
    uint64_t of_task = t && t->told_paused != UNSET ? t->told_paused : 0;
    uint64_t until = s && s->told_paused != UNSET ? MAX(of_task, s->told_paused) : of_task;

    if (!s)
        return;
    if (!*cause && last < until)
        sim_fail("%s/%s fires while it is paused", task, schedule);
    if (strcmp(cause, "paused") == 0 && (last >= until || last > sim_real()))
        sim_fail("%s/%s skips what is after its pause, or is still to come", task, schedule);
}

/* Nor what the database has as paused, or as disabled, whoever said so. */
void check_on(const ScheduleRow *s, uint64_t nominal)
{
    const TaskRow *t = database_task(s->task);
    bool paused = (s->paused_until != UNSET && nominal < s->paused_until) ||
                  (t->paused_until != UNSET && nominal < t->paused_until);

    if (paused || !t->enabled || s->enabled == 0)
        sim_fail("%s/%s fires, and is %s", s->task, s->name, paused ? "paused" : "disabled");
}

/* By the daemon's clock. */
void check_deadline(const char *task, uint64_t last, const char *cause)
{
    uint64_t span = database_start_deadline(task);
    bool late = span != UNSET && last + span < sim_real();

    if (late && !*cause)
        sim_fail("a slot of %s fires too late", task);
    if (!late && strcmp(cause, "deadline-passed") == 0)
        sim_fail("a slot of %s is said to be too late", task);
}

/* Nothing is left to be fired, by the definition in force or the one before. */
static bool is_exhausted(const ScheduleRow *s, unsigned before)
{
    return count_fired(s) >= database_max_runs(s, before);
}

/* What is caught up does not come as a flood: the run of the one before is done. */
void check_one_by_one(const ScheduleRow *s)
{
    /* By the database's clock no run is late that was asked for before its time. */
    if (strcmp(s->task, ONE_BY_ONE) != 0 || sim.database_ahead != 0)
        return;
    /* The last is its own. */
    for (guint i = 0; i + 1 < database.rows->len; i++) {
        const Row *row = g_ptr_array_index(database.rows, i);

        if (row->run.state != RUN_DONE && *row->schedule && strcmp(row->run.task, s->task) == 0 &&
            row->very_late)
            sim_fail("a slot of %s is caught up while run %" G_GUINT64_FORMAT " is not done", s->task,
                row->run.id);
    }
}

void check_closed(const ScheduleRow *s, uint64_t since)
{
    if (!schedule_row_follows(s) && next_slot(s) < since && !is_exhausted(s, 1))
        sim_fail("slots of %s/%s were before it was changed, and have no outcome", s->task, s->name);
}

/* Each slot has its outcome, and one: those that get theirs are the next ones after those that have it, and as many as is
 * said. */
void check_slots(const ScheduleRow *s, uint64_t first, uint64_t last, uint64_t count, bool fires)
{
    if (s->last_nominal != UNSET && first <= s->last_nominal)
        sim_fail("a slot of %s/%s gets a second outcome", s->task, s->name);
    if (schedule_row_queues(s)) {
        check_ends(s, first, last, count);
        return;
    }
    if (schedule_row_follows(s) ? follow_is_exact(s) && first != next_slot(s) : first > next_slot(s))
        sim_fail("slots of %s/%s have no outcome", s->task, s->name);
    if (last < first ||
        (count > 0 && count != (schedule_row_follows(s) ? (last - first) / EVERY_USEC + 1
                                                        : last / EVERY_USEC - (first - 1) / EVERY_USEC)))
        sim_fail("slots of %s/%s are counted as %" G_GUINT64_FORMAT, s->task, s->name, count);
    /* Where the clock was set back while it was asked for, what is due is not waited for until the clock is there again. */
    if (fires && first < s->since && sim.latest == 0)
        sim_fail("%s/%s fires what was before it", s->task, s->name);
}

/* A slot that is caught up may wait for one of its runs, or did until just now; that of a boot always is one, and so may be one
 * that follows another task. */
static bool waits_for_run(const ScheduleRow *s)
{
    bool one_by_one = strcmp(s->task, ONE_BY_ONE) == 0 || schedule_row_boots(s) || schedule_row_queues(s);

    for (guint i = 0; one_by_one && i < database.rows->len; i++) {
        const Row *row = g_ptr_array_index(database.rows, i);

        if (*row->schedule && row->chain == CHAIN_NONE && strcmp(row->run.task, s->task) == 0 &&
            (row->run.state != RUN_DONE || row->run.finished + LATE_USEC > database_now()))
            return true;
    }
    return false;
}

/* All has been well for some time: no slot is overdue. */
void check_kept(const ScheduleRow *s)
{
    uint64_t newest = (database_now() - LATE_USEC) / EVERY_USEC * EVERY_USEC;

    if (schedule_row_follows(s)) {
        if (s->enabled != 0 && !is_exhausted(s, 0) && !waits_for_run(s) &&
            follow_next(s) < database_now() - LATE_USEC)
            sim_fail("%s/%s has gone silent", s->task, s->name);
        return;
    }

    while (strcmp(s->task, WINDOWED) == 0 && !window_is_open(newest))
        newest -= EVERY_USEC;
    if (s->enabled != 0 && !waits_for_run(s) && s->since < newest && !is_exhausted(s, 0) &&
        (s->last_nominal == UNSET || s->last_nominal < newest))
        sim_fail("%s/%s has gone silent", s->task, s->name);
}

/* What the world is told is committed. */
void check_told(uint64_t run, RunState state, RunResult result)
{
    const Row *row = database_find(run);

    if (!row || (state == RUN_DONE && (row->run.state != RUN_DONE || row->run.result != result)))
        sim_fail("run %" G_GUINT64_FORMAT " is told as %s %s, and is not", run, run_state_to_string(state),
            run_result_to_string(result));
}

/* What did not fire is told when the ledger has it, and once. A schedule that was deleted and made anew may have the same
 * slot again. */
void check_told_skipped(const StoreSkip *skip)
{
    g_autofree char *name = g_strdup_printf("%s/%s", skip->task, skip->schedule);
    bool told = false;

    for (guint i = 0; i < database.slots->len; i++) {
        SlotRow *row = g_ptr_array_index(database.slots, i);

        if (row->run > 0 || row->last != skip->last || !g_str_has_prefix(row->schedule, name))
            continue;
        if (!row->told) {
            row->told = true;
            return;
        }
        told = true;
    }
    sim_fail(told ? "slots of %s are told as skipped twice" : "slots of %s are told as skipped, and are not",
        name);
}

/* --- after every event --- */

bool check_lasts(uint64_t *begun, bool holds, uint64_t usec)
{
    uint64_t since;

    if (!holds)
        *begun = 0;
    else if (*begun == 0)
        *begun = sim_now();
    since = MAX(*begun, MAX(sim.well_since, sim.slow_until));
    return *begun > 0 && sim_now() > since && sim_now() - since > usec;
}

/* What waits and is too late is over soon, be there room for it or not. */
static void check_late(Row *row)
{
    bool late = row->run.state <= RUN_QUEUED && row->run.deadline < database_now();

    if (check_lasts(&row->late_since, late, EXPIRE_USEC))
        sim_fail("run %" G_GUINT64_FORMAT " is too late for long, and waits", row->run.id);
}

static void check_row(Row *row)
{
    unsigned alive = 0, open = 0;

    check_late(row);
    check_held(row);
    check_outside(row);
    for (guint i = 0; i < row->truths->len; i++) {
        const Truth *t = g_ptr_array_index(row->truths, i);

        alive += t->alive || t->rest > 0;
        open += !CLOSED(t);
    }
    if (alive > 1)
        sim_fail("run %" G_GUINT64_FORMAT " has %u live attempts", row->run.id, alive);
    if (row->n_done > 1)
        sim_fail("run %" G_GUINT64_FORMAT " ended %u times", row->run.id, row->n_done);
    if (open > (row->run.state >= RUN_STARTING && row->run.state <= RUN_STOPPING))
        sim_fail("run %" G_GUINT64_FORMAT " is %s with %u open attempts", row->run.id,
            run_state_to_string(row->run.state), open);
}

/* Memory holds no more than the rows and units there are. */
static void check_memory(void)
{
    const Engine *e = daemon_twin.manager ? daemon_twin.manager->engine : NULL;

    if (e && g_hash_table_size(e->by_unit) > database.rows->len * 4 + 100)
        sim_fail("the engine remembers %u attempts", g_hash_table_size(e->by_unit));
}

void check_every_event(void)
{
    const Manager *m = daemon_twin.manager;

    if (!m || !m->store_up || m->state != MANAGER_RUNNING)
        sim.well_since = sim_now();
    for (guint i = 0; i < database.rows->len; i++)
        check_row(g_ptr_array_index(database.rows, i));
    check_memory();
    check_followers();
}

/* --- when all is quiet --- */

static void check_ledger(void)
{
    for (guint i = 0; i < database.slots->len; i++) {
        const SlotRow *a = g_ptr_array_index(database.slots, i);

        for (guint j = 0; j < i; j++) {
            const SlotRow *b = g_ptr_array_index(database.slots, j);

            if (a->first <= b->last && b->first <= a->last && strcmp(a->schedule, b->schedule) == 0)
                sim_fail("a slot of %s has two outcomes", a->schedule);
        }
        if (a->run > database.rows->len)
            sim_fail("a slot of %s fired run %" G_GUINT64_FORMAT ", which is not there", a->schedule, a->run);
    }
}

static void check_nothing_kept(void)
{
    const Manager *m = daemon_twin.manager;
    unsigned foreign = systemd_n_units(true);

    if (systemd_n_units(false) > 0)
        sim_fail("%u units are left", systemd_n_units(false));
    if (g_hash_table_size(m->engine->by_unit) > foreign || g_hash_table_size(m->engine->by_run) > foreign)
        sim_fail("the engine still remembers %u attempts", g_hash_table_size(m->engine->by_unit));
    if (manager_n_running(m) || manager_n_unrecorded(m) || manager_n_waiting(m))
        sim_fail("%u running, %u unrecorded, %u waiting are counted, and all is done",
            (unsigned)manager_n_running(m), (unsigned)manager_n_unrecorded(m),
            (unsigned)manager_n_waiting(m));
    if (manager_state(m) != MANAGER_RUNNING || *manager_reason(m))
        sim_fail("all is well, and the state is %s: %s", manager_state_to_string(manager_state(m)),
            manager_reason(m));
}

void check_settled(void)
{
    for (guint i = 0; i < database.rows->len; i++) {
        const Row *row = g_ptr_array_index(database.rows, i);

        if (row->n_done != 1 || row->run.state != RUN_DONE)
            sim_fail("run %" G_GUINT64_FORMAT " ended %u times and is %s", row->run.id, row->n_done,
                run_state_to_string(row->run.state));
    }
    check_ledger();
    check_all_ends();
    check_nothing_kept();
}
