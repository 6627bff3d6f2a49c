/* The attempts this node owns, by unit and by run: each event is passed to the one it is about, and what the database and
 * the service manager have is compared with them. Nothing here waits. */
#include "core/engine.h"

#include "base/log.h"

Engine *engine_new(Manager *m)
{
    Engine *e = g_new0(Engine, 1);

    e->manager = m;
    e->by_unit = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)attempt_free);
    e->by_run = g_hash_table_new(g_int64_hash, g_int64_equal);
    e->foreign = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    e->released = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    e->evidence = g_ptr_array_new_with_free_func(g_free);
    return e;
}

void engine_free(Engine *e)
{
    if (!e)
        return;
    g_hash_table_unref(e->by_run);
    g_hash_table_unref(e->by_unit);
    g_hash_table_unref(e->foreign);
    g_hash_table_unref(e->released);
    g_ptr_array_unref(e->evidence);
    clock_timer_free(e->evidence_timer);
    g_free(e);
}

Attempt *engine_find(Engine *e, const char *unit)
{
    return g_hash_table_lookup(e->by_unit, unit);
}
void engine_claimed(Engine *e, StoreRun **run, uint64_t asked)
{
    StoreRun *taken = g_steal_pointer(run);
    Attempt *a;

    g_autofree char *unit = exec_unit_name(taken->id, taken->attempt);

    a = engine_find(e, unit);
    manager_run_changed(e->manager, taken->id, RUN_STARTING, RUN_RESULT_NONE);
    if (a && a->view.orphan) { /* its name is taken: whose the unit is, is found out */
        engine_take_row(a, taken, ATTEMPT_CLAIMED);
        return;
    }
    if (a) { /* a claim that was answered twice: the first one goes on */
        store_run_free(taken);
        return;
    }
    a = attempt_new(e, taken, ATTEMPT_CLAIMED);
    attempt_set_expiry(a, taken->claimed, asked); /* it was in time by the database's clock */
    attempt_begin(a);
}

/* Nothing was asked for: no unit of its name is its own. */
static bool attempt_has_no_unit(const Attempt *a)
{
    return a->view.phase == ATTEMPT_CLAIMED && !a->asked && !a->made;
}

/* A signal names no claim. What comes when the end is known may be of somebody else's. */
static bool attempt_may_be_meant(const Attempt *a)
{
    return a->view.phase < ATTEMPT_OVER && !attempt_has_no_unit(a);
}

void engine_unit_changed(Engine *e, const UnitState *seen)
{
    Attempt *a = engine_find(e, seen->unit);

    if (!a)
        return;
    attempt_set_status(a, seen->status_text);
    if (seen->main_code != RUN_EXITED_UNKNOWN && attempt_may_be_meant(a)) {
        g_clear_pointer(&a->seen, unit_state_free);
        a->seen = unit_state_copy(seen);
    }
    a->view.unit_changed = true;
    attempt_act(a);
}

void engine_unit_removed(Engine *e, const char *unit)
{
    Attempt *a = engine_find(e, unit);

    if (!a)
        return;
    if (a->view.orphan && !a->exec_busy && !a->store_busy) {
        attempt_drop(a);
        return;
    }
    a->removed = true;
    /* To ask about one that is not there makes the manager load and remove it, and tell of that: whoever asked again on
     * hearing so would never come to an end. */
    if (attempt_has_no_unit(a))
        return;
    a->view.unit_changed = true;
    attempt_act(a);
}
/* --- the rest of the world --- */

void engine_cancelled(Engine *e, uint64_t run, uint64_t cause_at)
{
    Attempt *a = g_hash_table_lookup(e->by_run, &run);

    if (!a)
        return;
    a->view.cause = RUN_CANCELLED;
    a->run->cause = RUN_CANCELLED;
    a->run->cause_at = cause_at;
    attempt_act(a);
}

static GPtrArray *engine_units(Engine *e)
{
    GPtrArray *units = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter i;
    gpointer unit;

    g_hash_table_iter_init(&i, e->by_unit);
    while (g_hash_table_iter_next(&i, &unit, NULL))
        g_ptr_array_add(units, g_strdup(unit));
    return units;
}

void engine_wake(Engine *e)
{
    g_autoptr(GPtrArray) units = engine_units(e);

    for (guint i = 0; i < units->len; i++) {
        Attempt *a = engine_find(e, g_ptr_array_index(units, i));

        if (!a)
            continue;
        a->retry_at = UNSET;
        attempt_act(a);
    }
}

void engine_take_row(Attempt *a, StoreRun *run, AttemptPhase phase)
{
    Engine *e = a->engine;

    if (a->exec_busy || a->store_busy) {
        store_run_free(a->next);
        a->next = run;
        return;
    }
    attempt_drop(a);
    a = attempt_new(e, run, phase);
    a->view.unit_changed = true;
    attempt_act(a);
}

/* What is not among the rows any more is not ours to start: it was given back, and the answer to that was lost. What has
 * a unit or an end goes on: recording it tells. */
static void engine_forget_absent(Engine *e, GHashTable *there)
{
    g_autoptr(GPtrArray) units = engine_units(e);

    for (guint i = 0; i < units->len; i++) {
        Attempt *a = engine_find(e, g_ptr_array_index(units, i));

        if (!a)
            continue;
        a->absent = !a->view.orphan && !g_hash_table_contains(there, a->unit);
        attempt_act(a);
    }
}

void engine_load(Engine *e, const StoreLoaded *loaded)
{
    g_autoptr(GHashTable) there = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GPtrArray *runs = loaded->runs;

    e->suspect = loaded->suspect;
    e->remembered_since = loaded->remembered_since;
    for (guint i = 0; i < runs->len; i++) {
        StoreRun *run = g_ptr_array_index(runs, i);
        char *unit = exec_unit_name(run->id, run->attempt);
        Attempt *known = engine_find(e, unit);

        g_hash_table_add(there, unit);
        if (known && known->view.orphan) {
            engine_take_row(known, run, ATTEMPT_FOUND);
            runs->pdata[i] = NULL;
            continue;
        }
        if (known) {
            if (run->cause != RUN_RESULT_NONE) {
                known->view.cause = known->run->cause = run->cause;
                known->run->cause_at = run->cause_at;
            }
            known->view.row = run->state;
            continue;
        }
        attempt_new(e, run, ATTEMPT_FOUND);
        runs->pdata[i] = NULL;
    }
    engine_forget_absent(e, there);
    e->reconciled = false;
    engine_resync(e);
}

/* A unit of our name that is in no row we own: it may have been recorded before we were killed. */
static Attempt *engine_adopt_orphan(Engine *e, const UnitState *u)
{
    StoreRun *run = g_new0(StoreRun, 1);
    Attempt *a;

    run->id = u->run;
    run->attempt = u->attempt;
    run->task = g_strdup("");
    run->token = g_strdup(u->token);
    run->state = RUN_RUNNING;
    run->deadline = UNSET;
    a = attempt_new(e, run, ATTEMPT_FOUND);
    a->view.orphan = true;
    a->view.unit_changed = true; /* since it was listed, for all we know: nobody listened for it before */
    e->n_orphans++;
    return a;
}

/* Every unit that is there meets its attempt; what was unfinished and has no unit is gone. */
static void engine_compare(Engine *e, const GPtrArray *units)
{
    g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter i;
    gpointer value;

    for (guint n = 0; n < units->len; n++) {
        const UnitState *u = g_ptr_array_index(units, n);
        Attempt *a = engine_find(e, u->unit);

        g_hash_table_add(there, u->unit);
        if (!a && g_hash_table_contains(e->released, u->unit))
            continue; /* the list is older than its end */
        if (!a)
            a = engine_adopt_orphan(e, u);
        if (a->view.phase == ATTEMPT_FOUND && attempt_has_task(a))
            attempt_take_answer(a, 0, u);
        else if (a->view.phase == ATTEMPT_FOUND)
            attempt_look_later(a);
        else
            a->view.unit_changed = true;
    }
    g_hash_table_iter_init(&i, e->by_unit);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        Attempt *a = value;

        if (a->view.phase == ATTEMPT_FOUND && !a->leaving)
            a->view.phase = ATTEMPT_GONE;
        if (a->view.orphan && !g_hash_table_contains(there, a->unit))
            a->removed = true;
    }
}

static bool engine_knows(const char *unit, void *userdata)
{
    return engine_find(userdata, unit);
}

static void on_list(int r, GPtrArray *units, void *userdata)
{
    Engine *e = userdata;

    e->listing = false;
    if (e->list_again || r < 0) {
        e->list_again = false;
        if (e->manager->exec_up)
            engine_resync(e);
        return;
    }
    engine_compare(e, units);
    exec_put_away(e->manager->exec, engine_knows, e);
    g_hash_table_remove_all(e->released);
    e->reconciled = true;
    engine_wake(e);
    dispatcher_wake(e->manager->dispatcher);
    expect_wake(e->manager->expect);
}

void engine_resync(Engine *e)
{
    GHashTableIter i;
    gpointer a;

    e->reconciled = e->reconciled && e->manager->exec_up;
    if (!e->manager->exec_up || !e->manager->store_up)
        return;
    g_hash_table_iter_init(&i, e->by_unit);
    while (g_hash_table_iter_next(&i, NULL, &a))
        ((Attempt *)a)->view.unit_changed = true;
    if (e->listing) {
        e->list_again = true;
        return;
    }
    g_hash_table_remove_all(e->released);
    e->listing = exec_list(e->manager->exec, on_list, e) >= 0;
}

void engine_look(Engine *e, const char *task)
{
    g_autoptr(GPtrArray) units = engine_units(e);

    for (guint i = 0; i < units->len; i++) {
        Attempt *a = engine_find(e, g_ptr_array_index(units, i));

        if (!a || a->view.orphan || a->view.phase != ATTEMPT_STARTED || !g_str_equal(a->run->task, task))
            continue;
        a->view.unit_changed = true;
        attempt_act(a);
    }
}

/* What is known of it may not be all: something is to be read first, or recorded. */
static bool attempt_may_have_ended(const Attempt *a)
{
    const AttemptView *v = &a->view;

    if (v->orphan || v->phase >= ATTEMPT_RECORDED)
        return false;
    return v->phase == ATTEMPT_FOUND || v->phase == ATTEMPT_GONE || v->phase == ATTEMPT_OVER ||
           v->main_over || v->unit_changed || a->exec_busy;
}

bool engine_awaits_end(const Engine *e, const char *task)
{
    bool known = e->reconciled && e->manager->exec_up;
    GHashTableIter i;
    gpointer value;

    g_hash_table_iter_init(&i, e->by_unit);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        const Attempt *a = value;

        if (g_str_equal(a->run->task, task) && (!known || attempt_may_have_ended(a)))
            return true;
    }
    return false;
}

unsigned engine_n_attempts(const Engine *e)
{
    return g_hash_table_size(e->by_unit) - e->n_orphans;
}

bool engine_is_reconciled(const Engine *e)
{
    return e->reconciled;
}

static unsigned engine_count(const Engine *e, bool (*counts)(const Attempt *a))
{
    unsigned n = 0;
    GHashTableIter i;
    gpointer value;

    g_hash_table_iter_init(&i, e->by_unit);
    while (g_hash_table_iter_next(&i, NULL, &value))
        n += !((const Attempt *)value)->view.orphan && counts(value);
    return n;
}

static bool attempt_is_under_way(const Attempt *a)
{
    return a->view.phase >= ATTEMPT_FOUND && a->view.phase <= ATTEMPT_GONE;
}

/* What the manager has taken, and is yet to begin, is found by whoever comes after us; and it may wait for our end: what
 * is ordered after us starts when we have stopped. */
static bool attempt_is_queued(const Attempt *a)
{
    return a->exec_busy && exec_start_is_queued(a->engine->manager->exec, a->unit);
}

static bool attempt_is_in_doubt(const Attempt *a)
{
    return (a->view.phase == ATTEMPT_CLAIMED && (a->exec_busy || a->asked) && !attempt_is_queued(a)) ||
           a->view.phase == ATTEMPT_GONE;
}

static bool attempt_is_ending(const Attempt *a)
{
    return a->view.phase == ATTEMPT_STARTED && (a->seen || a->removed) && !a->view.leftover &&
           (a->view.unit_changed || a->exec_busy);
}

static bool attempt_is_unrecorded(const Attempt *a)
{
    return a->view.phase == ATTEMPT_OVER;
}

unsigned engine_n_running(const Engine *e)
{
    return engine_count(e, attempt_is_under_way);
}

unsigned engine_n_in_doubt(const Engine *e)
{
    return engine_count(e, attempt_is_in_doubt);
}

unsigned engine_n_ending(const Engine *e)
{
    return engine_count(e, attempt_is_ending);
}

unsigned engine_n_unrecorded(const Engine *e)
{
    return engine_count(e, attempt_is_unrecorded);
}

bool engine_has(const Engine *e, uint64_t run)
{
    return g_hash_table_contains(e->by_run, &run);
}

GArray *engine_list(Engine *e, unsigned limit)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    GHashTableIter iter;
    void *run;

    g_hash_table_iter_init(&iter, e->by_run);
    while (list->len < limit && g_hash_table_iter_next(&iter, &run, NULL))
        g_array_append_vals(list, run, 1);
    return list;
}

void engine_live(Engine *e, uint64_t run, RunLive *ret)
{
    const Attempt *a = g_hash_table_lookup(e->by_run, &run);
    double percent;
    char *end;

    *ret = (RunLive){ "", UNSET, NULL };
    if (!a || !a->status_text || a->view.phase > ATTEMPT_GONE)
        return;
    ret->status_text = a->status_text;
    percent = g_ascii_strtod(a->status_text, &end);
    if (end != a->status_text && *end == '%' && percent >= 0 && percent <= 100)
        ret->progress = (uint64_t)percent;
}

int engine_kill(Engine *e, uint64_t run, int signal, ExecDoneFn fn, void *userdata)
{
    const Attempt *a = g_hash_table_lookup(e->by_run, &run);

    if (!a || a->view.phase != ATTEMPT_STARTED)
        return -ENOENT;
    return exec_kill(e->manager->exec, a->unit, false, signal, fn, userdata);
}
