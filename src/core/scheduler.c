/* The next slot of every schedule, behind one timer: an agenda has them by when they are to be looked at, so that a wake-up costs what is
 * due, however many there are. A slot is fired by asking for its run; that it is never fired twice is the database's guard, not ours. */
#include "core/internal.h"

#include "base/log.h"
#include "model/schedule.h"
#include "model/slots.h"

/* A slot's run is asked for this long before, so that the dispatcher can claim it in time. */
#define AHEAD_USEC (2 * STORE_CLAIM_AHEAD_MSEC * USEC_PER_MSEC)
/* So many slots are acted on before the loop goes on. */
#define AT_ONCE_MAX 1000
/* After so many refusals in a row it is read anew what is said of a task. */
#define REFUSED_REREAD 2

struct Scheduler {
    Manager *manager;
    ClockTimer *timer;
    Agenda *agenda;    /* each schedule with a next slot, but for those that settle or wait for late runs */
    GPtrArray *doubts; /* of Settling*: skips whose commit was not answered */
    Late *late;
    Awake awake;
    bool follows_runs, follows_boots; /* there was a schedule that does */
};

static void scheduler_act(Scheduler *s);
static void scheduler_look(Scheduler *s, ScheduleEntry *se);
static void settling_free(void *settling);

static void on_slot_due(void *userdata)
{
    scheduler_act(userdata);
}

Scheduler *scheduler_new(Manager *m)
{
    Scheduler *s = g_new0(Scheduler, 1);

    s->manager = m;
    s->doubts = g_ptr_array_new_with_free_func(settling_free);
    s->agenda = agenda_new();
    s->late = late_new();
    if (clock_timer_new(m->clock, CLOCK_REAL, on_slot_due, s, &s->timer) < 0)
        g_clear_pointer(&s, scheduler_free);
    return s;
}

void scheduler_free(Scheduler *s)
{
    if (!s)
        return;
    clock_timer_free(s->timer);
    g_ptr_array_unref(s->doubts);
    agenda_free(s->agenda);
    late_free(s->late);
    g_free(s);
}

/* Its next slot: after the last one with an outcome, none before it was said that it is to fire, and none when as many have
 * fired as may. */
uint64_t manager_schedule_slot(const ScheduleEntry *se)
{
    uint64_t after = se->since > 0 ? se->since - 1 : 0, next;

    if (schedule_runs_left(se->schedule, se->fired) == 0)
        return UNSET;
    if (se->last != UNSET && se->last > after)
        after = se->last;
    next = slots_next(se->schedule, after);
    return next == USEC_INFINITY ? UNSET : next;
}

uint64_t manager_schedule_paused_until(const ScheduleEntry *s)
{
    return MAX(s->paused_until, s->entry->paused_until);
}

static bool schedule_entry_is_on(const ScheduleEntry *se)
{
    return se->enabled && se->entry->enabled;
}

uint64_t manager_schedule_next(const ScheduleEntry *s)
{
    /* Where it is disabled there may be ends that are to be passed. */
    return s->next == UNSET || !schedule_entry_is_on(s)
               ? UNSET
               : slots_open(s->schedule, s->by_hand, MAX(s->next, manager_schedule_paused_until(s)) - 1);
}

char *manager_schedule_awaits(const ScheduleEntry *s)
{
    bool waits = s->moving && s->enabled && s->entry->enabled && s->next == UNSET &&
                 schedule_runs_left(s->schedule, s->fired) > 0;

    return waits ? follow_tell(s->schedule) : NULL;
}

/* When its next slot is acted on: it is asked for ahead of its time, and skipped only when that has come, since it may be
 * enabled or restored, or what it would overlap with be over, until then. What is outside of its window is skipped together with what
 * follows. */
static uint64_t schedule_entry_moment(const ScheduleEntry *se)
{
    bool fires = se->next >= manager_schedule_paused_until(se) && !by_hand_find(se->by_hand, se->next) &&
                 !slots_is_gap(se->schedule, se->next);
    Overlap overlap = se->entry->task->overlap;

    /* It has come, even where the clock was set back since. */
    if (se->schedule->after && se->excluded == UNSET && (fires || !schedule_entry_is_on(se)))
        return 0;
    if (se->excluded != UNSET)
        return se->excluded;
    if (!fires || overlap == OVERLAP_SKIP || overlap == OVERLAP_QUEUE_ONE)
        return se->next;
    return se->next - MIN(se->next, AHEAD_USEC);
}

/* After anything that says when it is to be looked at. */
static void scheduler_place(Scheduler *s, ScheduleEntry *se)
{
    if (se->next == UNSET || se->settling)
        agenda_remove(s->agenda, se);
    else
        agenda_put(s->agenda, se, schedule_entry_moment(se));
}

/* What is in the queue of those that follow another task leaves it, whatever becomes of it. */
static uint64_t schedule_entry_first(const ScheduleEntry *se)
{
    if (se->schedule->after)
        return follow_next_end(se->schedule, se->last);
    return schedule_entry_is_on(se) ? manager_schedule_slot(se) : UNSET;
}

static void scheduler_compute(Scheduler *s, ScheduleEntry *se)
{
    if (se->moving) {
        s->follows_runs = s->follows_runs || !se->schedule->at_boot;
        s->follows_boots = s->follows_boots || se->schedule->at_boot;
        if (!se->schedule->after)
            follow_set(se->moving, se->since, se->ended, se->under_way);
    }
    se->next = schedule_entry_first(se);
    se->excluded = se->next == UNSET ? UNSET : slots_excluded_moment(se->schedule, se->next);
    scheduler_place(s, se);
}

/* --- settling --- */

/* An answer finds its schedule by name: the definition may have changed meanwhile. */
typedef struct Settling {
    Scheduler *scheduler;
    char *task, *schedule;
    uint64_t revision;
    SlotRange range;
    SlotCause cause;
    uint64_t ended;    /* what they follow */
    uint64_t deadline; /* of its run */
    bool late;         /* when it was asked for; the clock may be set back before the answer */
    bool one_by_one;   /* of its schedule */
    char *reason;      /* NULL: it is to fire */
} Settling;

static Settling *settling_new(Scheduler *s, const ScheduleEntry *se, const SlotFate *fate)
{
    Settling *f = g_new(Settling, 1);

    *f = (Settling){ s, g_strdup(se->entry->task->name), g_strdup(se->schedule->name), se->entry->revision,
        fate->range, fate->cause, se->ended, schedule_deadline(se->schedule, fate->range.first),
        clock_real(s->manager->clock) > fate->range.first, slots_one_by_one(se->schedule),
        fate->fires ? NULL : g_strdup(fate->reason) };
    return f;
}

static void settling_free(void *settling)
{
    Settling *f = settling;

    g_free(f->task);
    g_free(f->schedule);
    g_free(f->reason);
    g_free(f);
}

static ScheduleEntry *scheduler_find(Scheduler *s, const char *task, const char *schedule)
{
    const TaskEntry *entry = registry_find(s->manager->registry, task);

    return entry ? (ScheduleEntry *)manager_find_schedule(entry, schedule) : NULL;
}

/* Its schedule; NULL: that has another definition by now, which has slots of its own. */
static ScheduleEntry *settling_find(const Settling *f)
{
    ScheduleEntry *se = scheduler_find(f->scheduler, f->task, f->schedule);

    return se && se->entry->revision == f->revision ? se : NULL;
}

/* The database does not take it, and had come no further than was known. Where another node is just writing of the same slots it has by the
 * next time; else somebody said what is not known here yet. */
static bool settling_is_refused(const Settling *f, ScheduleEntry *se, uint64_t last)
{
    if (se->last != last) {
        se->refused = 0;
        return false;
    }
    se->refused++;
    if (se->refused == REFUSED_REREAD) {
        se->rereading = true;
        manager_reread_task(f->scheduler->manager, f->task);
    } else if (se->refused > REFUSED_REREAD) {
        log_error("The database does not take slots of %s/%s, and says nothing that forbids them.", f->task,
            f->schedule);
        se->settling = false;
        se->next = UNSET;
    }
    return se->refused >= REFUSED_REREAD;
}

/* The database has come to last, be it by this or without it, and so many slots have fired (UNSET: this tells nothing of
 * that): what follows counts. */
static void settling_done(const Settling *f, uint64_t last, uint64_t fired)
{
    ScheduleEntry *se = settling_find(f);

    if (!se || settling_is_refused(f, se, last))
        return;
    se->settling = false;
    se->last = last;
    by_hand_pass(&se->by_hand, last);
    if (fired != UNSET)
        se->fired = fired;
    if (se->schedule->after && se->schedule->at->len >= FOLLOW_ENDS_MAX &&
        follow_next_end(se->schedule, last) == UNSET)
        scheduler_look(f->scheduler, se);
    scheduler_compute(f->scheduler, se);
    scheduler_act(f->scheduler);
}

/* The database has no such schedule. Its definition is another by now, unless it is read to be the same. */
static bool settling_is_unknown(const Settling *f, ScheduleEntry *se)
{
    if (se->refused >= REFUSED_REREAD) {
        log_error(
            "The database has no schedule %s/%s, though its definition is in force.", f->task, f->schedule);
        return false;
    }
    se->refused = REFUSED_REREAD;
    se->rereading = true;
    manager_reread_task(f->scheduler->manager, f->task);
    return true;
}

/* The database does not take it. It is asked again when something changes, or after it was away: not at once and for ever. */
static void settling_failed(const Settling *f, int r, const Error *error)
{
    ScheduleEntry *se = settling_find(f);

    if (r != -ENOENT)
        log_error("The slots of %s/%s cannot be written down: %s", f->task, f->schedule,
            error && error->message ? error->message : g_strerror(-r));
    if (!se || (r == -ENOENT && settling_is_unknown(f, se)))
        return;
    se->settling = false;
    se->next = UNSET;
}

static StoreSkip settling_skip(const Settling *f, uint64_t previous)
{
    return (StoreSkip){ f->task, f->schedule, f->revision, previous, f->range.first, f->range.last,
        f->range.count, slot_cause_to_string(f->cause), f->reason, f->ended };
}

/* When it stands in the ledger. */
static void settling_tell(const Settling *f)
{
    StoreSkip k = settling_skip(f, UNSET);

    if (f->cause == SLOT_NO_CAUSE)
        return;
    manager_slots_skipped(f->scheduler->manager, &k);
}

/* What they follow is another by now. Where that cannot be told the database is away, and tells all when it is back. */
static void on_followers(int r, const GArray *followers, void *userdata)
{
    Scheduler *s = userdata;

    if (r < 0)
        return;
    for (guint i = 0; i < followers->len; i++) {
        const StoreFollower *f = &g_array_index(followers, StoreFollower, i);
        ScheduleEntry *se = scheduler_find(s, f->task, f->schedule);

        if (!se || !se->moving)
            continue;
        se->ended = f->ended;
        se->under_way = f->under_way != UNSET;
        if (se->schedule->after)
            follow_set_ends(se->moving, f->ends);
        scheduler_compute(s, se);
    }
    scheduler_act(s);
}

/* Somebody else knew better; nothing is decided before that is known here too. */
static void scheduler_look(Scheduler *s, ScheduleEntry *se)
{
    if (!se || !se->moving)
        return;
    if (se->schedule->after)
        follow_set_ends(se->moving, NULL);
    se->under_way = true;
    (void)store_get_followers(
        s->manager->store, 0, follow_task(se->schedule, se->entry->task->name), on_followers, s);
}

static void on_skipped(int r, uint64_t last, const Error *error, void *userdata)
{
    Settling *f = userdata;

    if (r == -ENOTCONN) {
        g_ptr_array_add(f->scheduler->doubts, f);
        return;
    }
    if (r > 0)
        settling_tell(f);
    if (r == 0)
        scheduler_look(f->scheduler, settling_find(f));
    if (r >= 0)
        settling_done(f, r > 0 ? f->range.last : last, UNSET);
    else if (r != -ECANCELED)
        settling_failed(f, r, error);
    settling_free(f);
}

static void scheduler_skip(Scheduler *s, ScheduleEntry *se, const SlotFate *fate)
{
    Settling *f = settling_new(s, se, fate);
    StoreSkip k = settling_skip(f, se->last);

    se->settling = true;
    if (store_skip(s->manager->store, &k, on_skipped, f) < 0) {
        se->settling = false;
        settling_free(f);
    }
}

/* Its run cannot be asked for. */
static void scheduler_refuse(Scheduler *s, ScheduleEntry *se, uint64_t nominal, const char *reason)
{
    scheduler_skip(s, se, &(SlotFate){ false, false, { nominal, nominal, 1 }, SLOT_REFUSED, reason });
}

/* There was no place for its run. */
static void settling_tell_overlap(const Settling *f, const char *reason)
{
    const StoreSkip k = { f->task, f->schedule, f->revision, UNSET, f->range.first, f->range.last, 1,
        slot_cause_to_string(SLOT_OVERLAP), reason, UNSET };

    manager_slots_skipped(f->scheduler->manager, &k);
}

static void on_fired(int r, const StoreAsked *asked, const Error *error, void *userdata)
{
    Settling *f = userdata;
    Manager *m = f->scheduler->manager;
    ScheduleEntry *se;

    if (r >= 0) {
        if (asked->reason)
            settling_tell_overlap(f, asked->reason);
        if (asked->run != 0 && asked->fresh) {
            m->n_waiting++;
            manager_run_changed(m, asked->run, asked->state, RUN_RESULT_NONE);
            dispatcher_deadline(m->dispatcher, f->deadline);
            dispatcher_due(m->dispatcher, asked->due);
        }
        se = settling_find(f);
        if (se && asked->fresh)
            se->under_way = true;
        else if (asked->run == 0 && !asked->reason)
            scheduler_look(f->scheduler, se);
        if (se && asked->run != 0 && asked->state != RUN_DONE && f->one_by_one &&
            (f->late || clock_real(m->clock) > f->range.first))
            late_add(f->scheduler->late, f->task, f->schedule, asked->run);
        settling_done(f, asked->last, asked->fired);
    } else if (r == -ENOENT) {
        settling_failed(f, r, error);
    } else if (r != -ENOTCONN && r != -ECANCELED) {
        se = settling_find(f);
        if (se)
            scheduler_refuse(f->scheduler, se, f->range.first,
                error && error->message ? error->message : "the database refused its run");
    }
    if (f->one_by_one)
        late_answered(f->scheduler->late);
    settling_free(f);
}

static void scheduler_fire(Scheduler *s, ScheduleEntry *se, const SlotFate *fate)
{
    Manager *m = s->manager;
    const Task *t = se->entry->task;
    uint64_t nominal = fate->range.first;
    g_autofree char *token =
        g_strdup_printf("%s/%s@%" G_GUINT64_FORMAT, t->name, se->schedule->name, nominal);
    g_auto(Input) input = { 0 };
    g_autofree char *sealed = NULL;
    g_auto(Error) error = { 0 };
    Settling *f;
    StoreAsk ask;

    if (definition_schedule_input(t, se->schedule, m->config.input_max, &input, &error) < 0 ||
        (input.secrets && secrets_seal(m->secrets, input.secrets, &sealed, &error) < 0)) {
        scheduler_refuse(s, se, nominal, error.message);
        return;
    }
    ask = (StoreAsk){
        .requester = "taskschedd",
        .requester_uid = UNSET,
        .token = token,
        .task = t->name,
        .revision = se->entry->revision,
        .queue = t->queue,
        .priority = t->priority,
        .input = input.json,
        .secrets = sealed,
        .due = (se->schedule->after ? MIN(nominal, clock_real(m->clock)) : nominal) +
               schedule_jitter(se->schedule, m->config.node, t->name, nominal),
        .grace_usec = t->stop_usec,
        .schedule = se->schedule->name,
        .nominal = nominal,
        .previous = se->last,
        .max_runs = se->schedule->max_runs,
        .deadline = schedule_deadline(se->schedule, nominal),
        .places = task_places(t),
        .overlap = overlap_to_string(t->overlap),
        .ended = se->ended,
    };
    f = settling_new(s, se, fate);
    se->settling = true;
    if (f->one_by_one)
        late_ask(s->late);
    if (store_ask(m->store, &ask, on_fired, f) < 0) {
        if (f->one_by_one)
            late_answered(s->late);
        se->settling = false;
        settling_free(f);
    }
}

/* Ends that are no slots: before From= or after Until=, or more than MaxRuns=. They pass without an entry. */
static void scheduler_pass(Scheduler *s, ScheduleEntry *se)
{
    uint64_t last = follow_last_end(se->schedule, manager_schedule_slot(se));

    scheduler_skip(s, se, &(SlotFate){ false, false, { se->next, last, 0 }, SLOT_NO_CAUSE, "" });
}

/* It is taken out of the agenda, and comes back when what is written down is answered, or when the late runs that it waits for
 * are done. */
static void scheduler_handle(Scheduler *s, ScheduleEntry *se, uint64_t now)
{
    g_autofree char *reason = NULL;
    SlotFate fate;

    agenda_remove(s->agenda, se);
    if (se->schedule->after && manager_schedule_slot(se) != se->next) {
        scheduler_pass(s, se);
        return;
    }
    slots_decide(se->schedule, se->by_hand, se->next, schedule_entry_is_on(se) ? se->off_until : UNSET,
        manager_schedule_paused_until(se), awake_since(&s->awake, s->manager->clock), now, &fate);
    if (fate.cause == SLOT_BY_HAND)
        fate.reason = reason = g_strdup_printf("%s skipped it by hand", fate.reason);
    else if (fate.cause == SLOT_NOT_EXISTING)
        fate.reason = reason = schedule_tell_gap(se->schedule, se->next);
    if (fate.fires && fate.one_by_one && late_has(s->late, se->entry->task->name, se->schedule->name))
        return;
    if (fate.fires)
        scheduler_fire(s, se, &fate);
    else
        scheduler_skip(s, se, &fate);
}

/* --- what changes --- */

void scheduler_skipped(Scheduler *s, const GArray *skips)
{
    for (guint i = 0; i < skips->len; i++) {
        StoreSkip k = g_array_index(skips, StoreSkip, i);
        const ScheduleEntry *se = scheduler_find(s, k.task, k.schedule);

        if (se && se->last != k.previous) {
            k.first = se->last == UNSET ? k.first : MAX(k.first, se->last + 1);
            k.count = 0;
        }
        if (k.first <= k.last)
            manager_slots_skipped(s->manager, &k);
    }
}

/* --- the timer --- */

static bool scheduler_may_act(const Scheduler *s)
{
    return s->manager->store_up && s->manager->state != MANAGER_STOPPING;
}

static void scheduler_act(Scheduler *s)
{
    uint64_t now = clock_real(s->manager->clock), moment = UNSET;
    ScheduleEntry *se;

    if (!scheduler_may_act(s))
        return;
    /* The rest has its turn when others had theirs. */
    for (guint n = 0; (se = agenda_first(s->agenda, &moment)) && moment <= now && n < AT_ONCE_MAX; n++)
        scheduler_handle(s, se, now);
    if (se)
        clock_timer_arm(s->timer, moment);
    else
        clock_timer_disarm(s->timer);
}

/* --- what is said of schedules --- */

static void scheduler_reset(Scheduler *s, TaskEntry *entry)
{
    for (guint i = 0; i < entry->schedules->len; i++) {
        ScheduleEntry *se = g_ptr_array_index(entry->schedules, i);

        se->settling = se->rereading = false;
        se->refused = 0;
        scheduler_compute(s, se);
    }
}

/* What was under way when the connection was lost: it is committed, or it is decided anew. Where the definition is another
 * by now, it may be that which wrote of these slots: then the ledger alone tells. Before anything is decided anew, since that
 * is told as well. */
static void scheduler_resolve_doubts(Scheduler *s, const ScheduleEntry *se)
{
    for (guint i = s->doubts->len; i > 0; i--) {
        const Settling *f = g_ptr_array_index(s->doubts, i - 1);

        if (settling_find(f) != se)
            continue;
        if (se->last != UNSET && se->last >= f->range.last)
            settling_tell(f);
        g_ptr_array_remove_index(s->doubts, i - 1);
    }
}

static void schedule_entry_load(ScheduleEntry *se, const StoreSchedule *row)
{
    se->said = row->enabled >= 0;
    se->enabled = row->enabled >= 0 ? row->enabled > 0 : se->schedule->enabled;
    se->since = row->since != UNSET ? row->since : 0;
    se->off_until = row->off_until != UNSET ? row->off_until : 0;
    se->paused_until = row->paused_until != UNSET ? row->paused_until : 0;
    g_clear_pointer(&se->by_hand, g_array_unref);
    se->by_hand = by_hand_parse(row->by_hand);
}

static void schedule_entry_load_ledger(ScheduleEntry *se, const StoreSchedule *row)
{
    se->last = row->last_nominal;
    se->fired = row->fired;
    se->ended = row->ended;
    se->under_way = row->under_way != UNSET;
    if (se->schedule->after)
        follow_set_ends(se->moving, row->ends);
}

void scheduler_load(Scheduler *s, const GPtrArray *tasks, const GPtrArray *schedules)
{
    awake_begin(&s->awake, s->manager->clock);
    for (guint i = 0; i < schedules->len; i++) {
        const StoreSchedule *row = g_ptr_array_index(schedules, i);
        ScheduleEntry *se = scheduler_find(s, row->task, row->name);

        if (!se)
            continue;
        schedule_entry_load(se, row);
        schedule_entry_load_ledger(se, row);
        scheduler_resolve_doubts(s, se);
    }
    for (guint i = 0; i < tasks->len; i++) {
        const StoreTask *row = g_ptr_array_index(tasks, i);
        TaskEntry *entry = registry_find(s->manager->registry, row->name);

        if (entry)
            scheduler_reset(s, entry);
    }
}

/* Where its slots are just being written down the answer to that says how far it came; the one that waits for this alone goes on
 * by what it says. */
void scheduler_take(Scheduler *s, const char *task, const GPtrArray *schedules)
{
    for (guint i = 0; schedules && i < schedules->len; i++) {
        const StoreSchedule *row = g_ptr_array_index(schedules, i);
        ScheduleEntry *se = scheduler_find(s, task, row->name);

        if (!se)
            continue;
        schedule_entry_load(se, row);
        if (!se->settling || se->rereading)
            schedule_entry_load_ledger(se, row);
        se->refused = se->rereading ? se->refused : 0;
        if (se->rereading)
            se->settling = se->rereading = false;
        scheduler_compute(s, se);
    }
    scheduler_act(s);
}

void scheduler_give_up(Scheduler *s, const char *task)
{
    const TaskEntry *entry = registry_find(s->manager->registry, task);

    for (guint i = 0; entry && i < entry->schedules->len; i++) {
        ScheduleEntry *se = g_ptr_array_index(entry->schedules, i);

        if (se->rereading)
            se->settling = se->rereading = false;
    }
}

void scheduler_passed(Scheduler *s, const char *task, const char *schedule, uint64_t last)
{
    ScheduleEntry *se = scheduler_find(s, task, schedule);

    if (!se || se->settling || (se->last != UNSET && se->last >= last))
        return;
    se->last = last;
    by_hand_pass(&se->by_hand, last);
    scheduler_compute(s, se);
    scheduler_act(s);
}

void scheduler_put(Scheduler *s, TaskEntry *entry, uint64_t since, const GArray *skips)
{
    /* Where the clock was set back since, this one counts: else nothing would fire until then. */
    since = MIN(since, clock_real(s->manager->clock));
    for (guint i = 0; i < entry->schedules->len; i++) {
        ScheduleEntry *se = g_ptr_array_index(entry->schedules, i);

        if (since > 0)
            se->since = since;
        if (since > 0 && se->schedule->after) /* those of the definition before have their outcome */
            follow_set_ends(se->moving, NULL);
        for (guint j = 0; since > 0 && j < skips->len; j++) {
            const StoreSkip *k = &g_array_index(skips, StoreSkip, j);

            if (strcmp(k->schedule, se->schedule->name) == 0)
                se->last = se->last == UNSET ? k->last : MAX(se->last, k->last);
        }
        by_hand_pass(&se->by_hand, se->last);
        scheduler_compute(s, se);
    }
    scheduler_act(s);
}

/* What is enabled now, is so from now on by the clock as it is now: it may have been set back since that was asked for. */
static void scheduler_set(const StoreEnable *e, uint64_t now, bool *enabled, uint64_t *paused_until)
{
    if (e->enabled >= 0)
        *enabled = e->enabled > 0;
    if (e->paused_until != UNSET)
        *paused_until = e->enabled > 0 ? MIN(e->paused_until, now) : e->paused_until;
}

void scheduler_set_enabled(Scheduler *s, TaskEntry *entry, const StoreEnable *e)
{
    uint64_t now = clock_real(s->manager->clock);

    if (!e->schedule)
        scheduler_set(e, now, &entry->enabled, &entry->paused_until);
    for (guint i = 0; i < entry->schedules->len; i++) {
        ScheduleEntry *se = g_ptr_array_index(entry->schedules, i);

        if (e->schedule && strcmp(se->schedule->name, e->schedule) != 0)
            continue;
        if (e->schedule) {
            scheduler_set(e, now, &se->enabled, &se->paused_until);
            se->said = se->said || e->enabled >= 0;
        }
        if (e->off_until != UNSET)
            se->off_until = MIN(e->off_until, now);
        se->refused = 0;
        scheduler_compute(s, se);
    }
    scheduler_act(s);
}

void scheduler_forget(Scheduler *s, TaskEntry *entry)
{
    for (guint i = 0; i < entry->schedules->len; i++)
        agenda_remove(s->agenda, g_ptr_array_index(entry->schedules, i));
}

/* Nothing that it waited for is left. */
static void scheduler_release(Scheduler *s, const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, "/", 2);
    ScheduleEntry *se = scheduler_find(s, parts[0], parts[1]);

    if (se)
        scheduler_place(s, se);
}

void scheduler_set_by_hand(Scheduler *s, ScheduleEntry *se, uint64_t nominal, const char *whom)
{
    by_hand_set(&se->by_hand, nominal, whom);
    scheduler_place(s, se);
    scheduler_act(s);
}

void scheduler_load_late(Scheduler *s, const GArray *late)
{
    g_auto(GStrv) waited = late_clear(s->late);

    for (guint i = 0; i < late->len; i++) {
        const StoreLateRun *l = &g_array_index(late, StoreLateRun, i);

        late_add(s->late, l->task, l->schedule, l->run);
    }
    for (char **name = waited; *name; name++)
        scheduler_release(s, *name);
}

void scheduler_run_done(Scheduler *s, uint64_t run)
{
    g_autofree char *name = late_done(s->late, run);

    if (s->follows_runs && s->manager->store_up)
        (void)store_get_followers(s->manager->store, run, NULL, on_followers, s);
    if (!name)
        return;
    scheduler_release(s, name);
    scheduler_act(s);
}

void scheduler_boot(Scheduler *s)
{
    if (s->manager->store_up && s->follows_boots)
        (void)store_get_followers(s->manager->store, 0, FOLLOW_BOOT, on_followers, s);
}

void scheduler_wake(Scheduler *s)
{
    if (s->manager->store_up)
        g_ptr_array_set_size(s->doubts, 0); /* of what has another definition by now */
    scheduler_boot(s);                      /* that was noticed only after they were loaded */
    scheduler_act(s);
}

/* What is being settled was a slot before, and stays one. */
static void scheduler_compute_entry(TaskEntry *entry, void *scheduler)
{
    for (guint i = 0; i < entry->schedules->len; i++)
        scheduler_compute(scheduler, g_ptr_array_index(entry->schedules, i));
}

void scheduler_zone_changed(Scheduler *s)
{
    registry_foreach(s->manager->registry, scheduler_compute_entry, s);
    scheduler_act(s);
}
