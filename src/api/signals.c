/* Signals of one iteration of the loop go out together: the latest state of each run, but never without its
 * end. Counters, which change with every run, are told at most ten times a second. */
#include "api/signals.h"

#include "api/message.h"
#include "api/object.h"
#include "base/log.h"

#define COUNTERS_USEC (100 * USEC_PER_MSEC)

typedef struct RunSignal {
    uint64_t run;
    RunState state;
    RunResult result;
} RunSignal;

/* Properties as last told. */
typedef struct Told {
    ManagerState state;
    char *reason;
    uint64_t n_running, n_waiting, n_unrecorded, n_overdue;
} Told;

struct Signals {
    Clock *clock;
    sd_bus *bus; /* borrowed; NULL: nothing is gathered */
    Manager *manager;
    sd_event_source *flush; /* fires in the next iteration, where something was gathered */
    ClockTimer *counters;
    uint64_t counters_told; /* boot µs */
    GArray *runs;           /* of RunSignal, in order */
    GHashTable *latest;     /* run → its place in runs + 1 */
    GHashTable *tasks;      /* a set of names */
    GPtrArray *messages;    /* of sd_bus_message*, in order */
    Told told;
};

static void signals_take(Signals *s, Told *ret)
{
    g_free(ret->reason);
    ret->state = manager_state(s->manager);
    ret->reason = g_strdup(manager_reason(s->manager));
    ret->n_running = manager_n_running(s->manager);
    ret->n_waiting = manager_n_waiting(s->manager);
    ret->n_unrecorded = manager_n_unrecorded(s->manager);
    ret->n_overdue = manager_n_overdue(s->manager);
}

static void signals_schedule(Signals *s)
{
    (void)sd_event_source_set_enabled(s->flush, SD_EVENT_ONESHOT);
}

static void signals_flush_runs(Signals *s)
{
    for (guint i = 0; i < s->runs->len; i++) {
        const RunSignal *g = &g_array_index(s->runs, RunSignal, i);

        (void)sd_bus_emit_signal(s->bus, API_PATH, API_INTERFACE, "RunChanged", "tss", g->run,
            run_state_to_string(g->state), run_result_to_string(g->result));
    }
    g_array_set_size(s->runs, 0);
    g_hash_table_remove_all(s->latest);
}

/* What was told of last is not kept: such changes are rare, and all of them is few. */
static void signals_emit_task(Signals *s, const TaskEntry *entry)
{
    const char *labels[] = { entry->task->name, NULL, NULL };

    (void)object_emit_changed(s->bus, object_kind(API_NAME ".Task"), labels);
    for (guint i = 0; i < entry->schedules->len; i++) {
        labels[1] = ((const ScheduleEntry *)g_ptr_array_index(entry->schedules, i))->schedule->name;
        (void)object_emit_changed(s->bus, object_kind(API_NAME ".Schedule"), labels);
    }
}

static void signals_flush_tasks(Signals *s)
{
    const TaskEntry *entry;
    GHashTableIter iter;
    void *name;

    g_hash_table_iter_init(&iter, s->tasks);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        (void)sd_bus_emit_signal(s->bus, API_PATH, API_INTERFACE, "TaskChanged", "s", name);
        entry = manager_find_task(s->manager, name);
        if (entry)
            signals_emit_task(s, entry);
    }
    g_hash_table_remove_all(s->tasks);
}

static void signals_flush_messages(Signals *s)
{
    for (guint i = 0; i < s->messages->len; i++)
        (void)sd_bus_send(s->bus, g_ptr_array_index(s->messages, i), NULL);
    g_ptr_array_set_size(s->messages, 0);
}

static void signals_flush_properties(Signals *s)
{
    uint64_t now = clock_boot(s->clock);
    const char *changed[7] = { NULL };
    Told is = { 0 };
    size_t n = 0;

    signals_take(s, &is);
    if (is.state != s->told.state)
        changed[n++] = "State";
    if (g_strcmp0(is.reason, s->told.reason) != 0)
        changed[n++] = "Reason";
    if (n == 0 && now < s->counters_told + COUNTERS_USEC) {
        clock_timer_arm(s->counters, s->counters_told + COUNTERS_USEC);
        g_free(is.reason);
        return;
    }
    if (is.n_running != s->told.n_running)
        changed[n++] = "NRunning";
    if (is.n_waiting != s->told.n_waiting)
        changed[n++] = "NWaiting";
    if (is.n_unrecorded != s->told.n_unrecorded)
        changed[n++] = "NUnrecorded";
    if (is.n_overdue != s->told.n_overdue)
        changed[n++] = "NOverdue";
    if (n > 0) {
        (void)sd_bus_emit_properties_changed_strv(s->bus, API_PATH, API_INTERFACE, (char **)changed);
        s->counters_told = now;
    }
    g_free(s->told.reason);
    s->told = is;
}

static int on_flush(sd_event_source *source, void *userdata)
{
    Signals *s = userdata;

    if (!s->bus)
        return 0;
    signals_flush_runs(s);
    signals_flush_tasks(s);
    signals_flush_messages(s);
    signals_flush_properties(s);
    return 0;
}

static void on_counters(void *userdata)
{
    Signals *s = userdata;

    if (s->bus)
        signals_flush_properties(s);
}

static void message_free(void *m)
{
    sd_bus_message_unref(m);
}

int signals_new(sd_event *event, Clock *clock, Signals **ret)
{
    Signals *s = g_new0(Signals, 1);
    int r;

    s->clock = clock;
    s->runs = g_array_new(FALSE, FALSE, sizeof(RunSignal));
    s->latest = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    s->tasks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    s->messages = g_ptr_array_new_with_free_func(message_free);
    r = sd_event_add_defer(event, &s->flush, on_flush, s);
    if (r >= 0)
        r = sd_event_source_set_enabled(s->flush, SD_EVENT_OFF);
    if (r >= 0)
        r = clock_timer_new(clock, CLOCK_BOOT, on_counters, s, &s->counters);
    if (r < 0) {
        signals_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void signals_free(Signals *s)
{
    if (!s)
        return;
    sd_event_source_disable_unref(s->flush);
    clock_timer_free(s->counters);
    g_array_unref(s->runs);
    g_hash_table_unref(s->latest);
    g_hash_table_unref(s->tasks);
    g_ptr_array_unref(s->messages);
    g_free(s->told.reason);
    g_free(s);
}

void signals_set_bus(Signals *s, sd_bus *bus, Manager *m)
{
    s->bus = bus;
    s->manager = m;
    g_array_set_size(s->runs, 0);
    g_hash_table_remove_all(s->latest);
    g_hash_table_remove_all(s->tasks);
    g_ptr_array_set_size(s->messages, 0);
    clock_timer_disarm(s->counters);
    if (bus)
        signals_take(s, &s->told);
}

void signals_state_changed(Signals *s)
{
    if (s->bus)
        signals_schedule(s);
}

void signals_run_changed(Signals *s, uint64_t run, RunState state, RunResult result)
{
    RunSignal signal = { .run = run, .state = state, .result = result };
    guint place;

    if (!s->bus)
        return;
    signals_schedule(s);
    place = GPOINTER_TO_UINT(g_hash_table_lookup(s->latest, &run));
    if (place > 0) {
        RunSignal *before = &g_array_index(s->runs, RunSignal, place - 1);

        if (before->state != RUN_DONE) {
            *before = signal;
            return;
        }
    }
    g_array_append_val(s->runs, signal);
    g_hash_table_insert(s->latest, g_memdup2(&run, sizeof(run)), GUINT_TO_POINTER(s->runs->len));
}

void signals_task_changed(Signals *s, const char *task)
{
    if (!s->bus)
        return;
    signals_schedule(s);
    g_hash_table_add(s->tasks, g_strdup(task));
}

void signals_slots_skipped(Signals *s, const StoreSkip *skip)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    g_autofree char *reason = NULL;

    if (!s->bus || sd_bus_message_new_signal(s->bus, &m, API_PATH, API_INTERFACE, "SlotSkipped") < 0)
        return;
    if (sd_bus_message_append(m, "sstttss", skip->task, skip->schedule, skip->first, skip->last,
            skip->count > 0 ? skip->count : UNSET, skip->cause, message_valid(skip->reason, &reason)) < 0)
        return;
    signals_schedule(s);
    g_ptr_array_add(s->messages, g_steal_pointer(&m));
}

void signals_task_overdue(Signals *s, const char *task, bool overdue, uint64_t since, uint64_t expected)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

    if (!s->bus || sd_bus_message_new_signal(s->bus, &m, API_PATH, API_INTERFACE, "TaskOverdue") < 0)
        return;
    if (sd_bus_message_append(m, "sbtt", task, (int)overdue, since, expected) < 0)
        return;
    signals_schedule(s);
    g_ptr_array_add(s->messages, g_steal_pointer(&m));
}
