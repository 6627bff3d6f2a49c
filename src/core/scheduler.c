/* The next slot of every schedule, behind one timer. A slot is fired by asking for its run; that the same
 * slot is never fired twice is the database's guard, not ours. */
#include "core/internal.h"

#include "base/log.h"
#include "model/schedule.h"
#include "model/timespec.h"

/* A slot's run is asked for this long before, so that the dispatcher can claim it in time. */
#define AHEAD_USEC (2 * STORE_CLAIM_AHEAD_MSEC * USEC_PER_MSEC)

struct Scheduler {
    Manager *manager;
    ClockTimer *timer;
    uint64_t earliest; /* the next slot that the timer is armed for */
    GHashTable *since; /* "TASK/SCHEDULE" → uint64_t*: no slot before it */
};

static void scheduler_act(Scheduler *s);
static void scheduler_act_on(Scheduler *s, TaskEntry *entry);

static void on_slot_due(void *userdata)
{
    scheduler_act(userdata);
}

Scheduler *scheduler_new(Manager *m)
{
    Scheduler *s = g_new0(Scheduler, 1);

    s->manager = m;
    s->since = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (clock_timer_new(m->clock, CLOCK_REAL, on_slot_due, s, &s->timer) < 0) {
        g_hash_table_unref(s->since);
        g_clear_pointer(&s, g_free);
    }
    return s;
}

void scheduler_free(Scheduler *s)
{
    if (!s)
        return;
    clock_timer_free(s->timer);
    g_hash_table_unref(s->since);
    g_free(s);
}

static char *scheduler_key(const ScheduleEntry *se)
{
    return g_strdup_printf("%s/%s", se->entry->task->name, se->schedule->name);
}

static uint64_t scheduler_since(Scheduler *s, const ScheduleEntry *se)
{
    g_autofree char *key = scheduler_key(se);
    const uint64_t *since = g_hash_table_lookup(s->since, key);

    return since ? *since : 0;
}

static void scheduler_set_since(Scheduler *s, const ScheduleEntry *se, uint64_t since)
{
    g_hash_table_replace(s->since, scheduler_key(se), g_memdup2(&since, sizeof since));
}

/* It was said at that instant. Where the clock was set back since, this one counts: else nothing would fire until then. */
static void scheduler_set_said(Scheduler *s, const ScheduleEntry *se, uint64_t at)
{
    scheduler_set_since(s, se, MIN(at, clock_real(s->manager->clock)));
}

/* Its next nominal time: after the last one, and none before it was said that it is to fire. */
static void scheduler_compute(Scheduler *s, ScheduleEntry *se)
{
    uint64_t since = scheduler_since(s, se);
    uint64_t after = since > 0 ? since - 1 : 0;

    if (se->last != UNSET && se->last > after)
        after = se->last;
    se->next = se->enabled && se->entry->enabled ? schedule_next(se->schedule, after) : UNSET;
    if (se->next == USEC_INFINITY)
        se->next = UNSET;
}

/* --- firing --- */

/* An answer finds its schedule by name: the definition may have changed meanwhile. */
typedef struct Firing {
    Scheduler *scheduler;
    char *task, *schedule;
    uint64_t nominal;
} Firing;

static Firing *firing_new(Scheduler *s, const ScheduleEntry *se, uint64_t nominal)
{
    Firing *f = g_new(Firing, 1);

    *f = (Firing){ s, g_strdup(se->entry->task->name), g_strdup(se->schedule->name), nominal };
    return f;
}

static void firing_free(Firing *f)
{
    g_free(f->task);
    g_free(f->schedule);
    g_free(f);
}

static ScheduleEntry *scheduler_find(Scheduler *s, const char *task, const char *schedule)
{
    TaskEntry *entry = registry_find(s->manager->registry, task);

    for (guint i = 0; entry && i < entry->schedules->len; i++) {
        ScheduleEntry *se = g_ptr_array_index(entry->schedules, i);

        if (strcmp(se->schedule->name, schedule) == 0)
            return se;
    }
    return NULL;
}

/* The slot is settled: the next one counts. */
static void firing_settled(const Firing *f)
{
    ScheduleEntry *se = scheduler_find(f->scheduler, f->task, f->schedule);

    if (!se)
        return;
    se->firing = false;
    se->last = se->last == UNSET ? f->nominal : MAX(se->last, f->nominal);
    scheduler_compute(f->scheduler, se);
    scheduler_act_on(f->scheduler, registry_find(f->scheduler->manager->registry, f->task));
}

static void on_passed(int r, const Error *error, void *userdata)
{
    Firing *f = userdata;

    if (r != -ENOTCONN && r != -ECANCELED)
        firing_settled(f);
    firing_free(f);
}

static void scheduler_pass(Scheduler *s, ScheduleEntry *se, uint64_t nominal, const char *reason)
{
    Firing *f = firing_new(s, se, nominal);
    g_autofree char *when = timespec_format_instant(nominal);

    log_message(LOG_NOTICE, &(LogContext){ LOG_ID_SLOT_MISSED, se->entry->task->name, 0, 0, NULL },
        "The slot %s of %s/%s did not fire: %s", when, se->entry->task->name, se->schedule->name, reason);
    se->firing = true;
    if (store_pass_slot(s->manager->store, se->entry->task->name, se->schedule->name, nominal, reason,
            on_passed, f) < 0) {
        se->firing = false;
        firing_free(f);
    }
}

static void on_fired(int r, const StoreAsked *asked, const Error *error, void *userdata)
{
    Firing *f = userdata;
    Manager *m = f->scheduler->manager;
    ScheduleEntry *se;

    if (r >= 0) {
        if (asked->run != 0 && asked->fresh) {
            m->n_waiting++;
            manager_run_changed(m, asked->run, asked->state, RUN_RESULT_NONE);
            dispatcher_due(m->dispatcher, asked->due);
        }
        firing_settled(f);
    } else if (r != -ENOTCONN && r != -ECANCELED) {
        se = scheduler_find(f->scheduler, f->task, f->schedule);
        if (se)
            scheduler_pass(f->scheduler, se, f->nominal,
                error && error->message ? error->message : "the database refused its run");
    }
    firing_free(f);
}

static void scheduler_fire(Scheduler *s, ScheduleEntry *se, uint64_t nominal)
{
    Manager *m = s->manager;
    const Task *t = se->entry->task;
    g_autofree char *token =
        g_strdup_printf("%s/%s@%" G_GUINT64_FORMAT, t->name, se->schedule->name, nominal);
    g_auto(Input) input = { 0 };
    g_autofree char *sealed = NULL;
    g_auto(Error) error = { 0 };
    Firing *f;
    StoreAsk ask;

    if (definition_schedule_input(t, se->schedule, m->config.input_max, &input, &error) < 0 ||
        (input.secrets && secrets_seal(m->secrets, input.secrets, &sealed, &error) < 0)) {
        scheduler_pass(s, se, nominal, error.message);
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
        .due = nominal + schedule_jitter(se->schedule, m->config.node, t->name, nominal),
        .grace_usec = t->stop_usec,
        .schedule = se->schedule->name,
        .nominal = nominal,
    };
    f = firing_new(s, se, nominal);
    se->firing = true;
    if (store_ask(m->store, &ask, on_fired, f) < 0) {
        se->firing = false;
        firing_free(f);
    }
}

/* One that is due: fired, or, where it is too late for it, passed up to the newest one that is too. */
static void scheduler_handle(Scheduler *s, ScheduleEntry *se, uint64_t now)
{
    const char *reason;

    if (se->next >= now || schedule_catches_up(se->schedule, se->next, now))
        scheduler_fire(s, se, se->next);
    else {
        uint64_t missed = schedule_last_missed(se->schedule, se->next, now, &reason);

        scheduler_pass(s, se, missed, reason);
    }
}

typedef struct SchedulerPass {
    Scheduler *scheduler;
    uint64_t now, earliest;
} SchedulerPass;

static void scheduler_visit(TaskEntry *entry, void *userdata)
{
    SchedulerPass *p = userdata;

    for (guint i = 0; i < entry->schedules->len; i++) {
        ScheduleEntry *se = g_ptr_array_index(entry->schedules, i);

        if (se->next == UNSET || se->firing)
            continue;
        if (se->next <= p->now + AHEAD_USEC)
            scheduler_handle(p->scheduler, se, p->now);
        else
            p->earliest = MIN(p->earliest, se->next);
    }
}

static void scheduler_arm(Scheduler *s, uint64_t earliest)
{
    s->earliest = earliest;
    if (earliest == UNSET)
        clock_timer_disarm(s->timer);
    else
        clock_timer_arm(s->timer, earliest - AHEAD_USEC);
}

static bool scheduler_may_act(const Scheduler *s)
{
    return s->manager->store_up && s->manager->state != MANAGER_STOPPING;
}

static void scheduler_act(Scheduler *s)
{
    SchedulerPass p = { s, clock_real(s->manager->clock), UNSET };

    if (!scheduler_may_act(s))
        return;
    registry_foreach(s->manager->registry, scheduler_visit, &p);
    scheduler_arm(s, p.earliest);
}

/* The same where one task has changed: there may be very many, and what changes may be all of them. The timer may come
 * too early then, and looks at all. */
static void scheduler_act_on(Scheduler *s, TaskEntry *entry)
{
    SchedulerPass p = { s, clock_real(s->manager->clock), UNSET };

    if (!scheduler_may_act(s))
        return;
    scheduler_visit(entry, &p);
    if (!clock_timer_armed(s->timer) || p.earliest < s->earliest)
        scheduler_arm(s, p.earliest);
}

/* --- what is said of schedules --- */

static void scheduler_reset(Scheduler *s, TaskEntry *entry)
{
    for (guint i = 0; i < entry->schedules->len; i++) {
        ScheduleEntry *se = g_ptr_array_index(entry->schedules, i);

        se->firing = false;
        scheduler_compute(s, se);
    }
}

void scheduler_load(Scheduler *s, const GPtrArray *tasks, const GPtrArray *schedules)
{
    for (guint i = 0; i < schedules->len; i++) {
        const StoreSchedule *row = g_ptr_array_index(schedules, i);
        ScheduleEntry *se = scheduler_find(s, row->task, row->name);

        if (!se)
            continue;
        se->last = row->last_nominal;
        se->said = row->enabled >= 0;
        se->enabled = row->enabled >= 0 ? row->enabled > 0 : se->schedule->enabled;
        if (row->since != UNSET)
            scheduler_set_since(s, se, row->since);
    }
    for (guint i = 0; i < tasks->len; i++) {
        const StoreTask *row = g_ptr_array_index(tasks, i);
        TaskEntry *entry = registry_find(s->manager->registry, row->name);

        if (entry)
            scheduler_reset(s, entry);
    }
}

void scheduler_put(Scheduler *s, TaskEntry *entry, uint64_t since)
{
    for (guint i = 0; i < entry->schedules->len; i++) {
        ScheduleEntry *se = g_ptr_array_index(entry->schedules, i);

        scheduler_set_said(s, se, since);
        scheduler_compute(s, se);
    }
    scheduler_act_on(s, entry);
}

void scheduler_remove(Scheduler *s, const TaskEntry *entry)
{
    for (guint i = 0; i < entry->schedules->len; i++) {
        g_autofree char *key = scheduler_key(g_ptr_array_index(entry->schedules, i));

        g_hash_table_remove(s->since, key);
    }
}

void scheduler_set_enabled(Scheduler *s, TaskEntry *entry, const char *schedule, bool enabled, uint64_t since)
{
    if (!schedule)
        entry->enabled = enabled;
    for (guint i = 0; i < entry->schedules->len; i++) {
        ScheduleEntry *se = g_ptr_array_index(entry->schedules, i);

        if (schedule && strcmp(se->schedule->name, schedule) != 0)
            continue;
        if (schedule) {
            se->enabled = enabled;
            se->said = true;
        }
        if (enabled)
            scheduler_set_said(s, se, since);
        scheduler_compute(s, se);
    }
    scheduler_act_on(s, entry);
}

void scheduler_wake(Scheduler *s)
{
    scheduler_act(s);
}

/* What is being settled was a slot before, and stays one. */
static void scheduler_compute_entry(TaskEntry *entry, void *userdata)
{
    for (guint i = 0; i < entry->schedules->len; i++)
        scheduler_compute(userdata, g_ptr_array_index(entry->schedules, i));
}

void scheduler_zone_changed(Scheduler *s)
{
    registry_foreach(s->manager->registry, scheduler_compute_entry, s);
    scheduler_act(s);
}
