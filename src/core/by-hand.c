/* Single slots, skipped and restored by hand before they fire. */
#include "core/internal.h"

#include "model/schedule.h"
#include "model/slots.h"
#include "model/timespec.h"

typedef struct Wish {
    Manager *manager;
    char *task, *schedule, *whom;
    uint64_t nominal;
    bool skip;
    ManagerDoneFn fn;
    void *userdata;
} Wish;

static void wish_free(Wish *w)
{
    g_free(w->task);
    g_free(w->schedule);
    g_free(w->whom);
    g_free(w);
}

/* Its schedule as it is now, NULL with *error filled: there is none. */
static const ScheduleEntry *wish_find(const Wish *w, Error *error)
{
    const TaskEntry *entry = registry_find(w->manager->registry, w->task);
    const ScheduleEntry *se = entry ? manager_find_schedule(entry, w->schedule) : NULL;

    if (!entry)
        task_missing(error, w->task);
    else if (!se)
        task_schedule_missing(error, w->task, w->schedule);
    return se;
}

/* The slots beside a time that is none. */
static void wish_hint(const ScheduleEntry *se, uint64_t nominal, Error *error)
{
    uint64_t before = slots_before(se->schedule, nominal), after = schedule_next(se->schedule, nominal);
    g_autofree char *b = before != UNSET && before >= se->since ? timespec_format_instant(before) : NULL;
    g_autofree char *a = after != USEC_INFINITY ? timespec_format_instant(after) : NULL;

    if (a && b)
        error_set_hint(error, "The slots beside it are %s and %s.", b, a);
    else if (a)
        error_set_hint(error, "The first slot after it is %s.", a);
    else if (b)
        error_set_hint(error, "The last slot before it is %s.", b);
}

/* What has its outcome is judged by the database, which alone knows. */
static int wish_check(const Wish *w, Error *error)
{
    const ScheduleEntry *se = wish_find(w, error);
    g_autofree char *at = timespec_format_instant(w->nominal);
    int r;

    if (!se)
        return -ENOENT;
    if (se->last != UNSET && w->nominal <= se->last)
        return 0;
    if (w->nominal >= se->since && w->nominal > 0 &&
        schedule_next(se->schedule, w->nominal - 1) == w->nominal)
        return 0;
    r = error_set(error, ERROR_INVALID_ARGUMENT, "%s is no slot of %s/%s", at, w->task, w->schedule);
    wish_hint(se, w->nominal, error);
    return r;
}

static int wish_late(const Wish *w, const StoreByHandSlot *slot, Error *error)
{
    const char *verb = w->skip ? "skipped" : "restored";
    g_autofree char *at = timespec_format_instant(w->nominal);

    if (slot->run != UNSET)
        return error_set(error, ERROR_ALREADY_DONE,
            "The slot %s of %s/%s cannot be %s any more: it has fired run %" G_GUINT64_FORMAT, at, w->task,
            w->schedule, verb, slot->run);
    if (*slot->cause)
        return error_set(error, ERROR_ALREADY_DONE,
            "The slot %s of %s/%s cannot be %s any more: it has passed, and did not fire (%s)", at, w->task,
            w->schedule, verb, slot->cause);
    return error_set(error, ERROR_ALREADY_DONE, "The slot %s of %s/%s cannot be %s any more: it has passed",
        at, w->task, w->schedule, verb);
}

static int wish_judge(const Wish *w, int r, const StoreByHandSlot *slot, Error *error)
{
    switch (r) {
    case STORE_BY_HAND_DONE:
        return 0;
    case STORE_BY_HAND_LATE:
        return wish_late(w, slot, error);
    case STORE_BY_HAND_FULL:
        return error_set(error, ERROR_LIMIT_EXCEEDED,
            "Of %s/%s %d slots are skipped already; a pause goes on for as long as one likes", w->task,
            w->schedule, BY_HAND_MAX);
    case -ENOENT: /* it went, or became another, while this was under way */
        return task_schedule_missing(error, w->task, w->schedule);
    case -ENOTCONN:
        return error_set(
            error, ERROR_NOT_AVAILABLE, "The connection to the database was lost before it answered");
    }
    return error_set(error, ERROR_FAILED, "The database refused this: %s", g_strerror(-r));
}

static void wish_answer(Wish *w, int r, const Error *error)
{
    Manager *m = w->manager;
    g_autofree char *task = g_strdup(w->task);

    w->fn(r, error, w->userdata);
    wish_free(w);
    changes_give(m->changes, task);
}

static void on_by_hand(int r, const StoreByHandSlot *slot, const Error *given, void *userdata)
{
    Wish *w = userdata;
    ScheduleEntry *se = (ScheduleEntry *)wish_find(w, NULL);
    g_auto(Error) error = { 0 };

    if (r == STORE_BY_HAND_DONE && se) {
        scheduler_set_by_hand(w->manager->scheduler, se, w->nominal, w->whom);
        manager_task_changed(w->manager, w->task);
    }
    r = wish_judge(w, r, slot, &error);
    wish_answer(w, r, &error);
}

/* It is its turn: by the definition that is in force by now. */
static int wish_send(Wish *w, Error *error)
{
    Manager *m = w->manager;
    StoreByHand h;
    int r = manager_check_store(m, error);

    if (r >= 0)
        r = wish_check(w, error);
    if (r < 0)
        return r;
    h = (StoreByHand){ w->task, w->schedule, registry_find(m->registry, w->task)->revision, w->nominal,
        w->whom, BY_HAND_MAX };
    return store_by_hand(m->store, &h, on_by_hand, w);
}

static void wish_turn(void *userdata)
{
    g_auto(Error) error = { 0 };
    int r = wish_send(userdata, &error);

    if (r < 0)
        wish_answer(userdata, r, &error);
}

int manager_by_hand(Manager *m, const Caller *caller, const ManagerByHand *given, ManagerDoneFn fn,
    void *userdata, Error *error)
{
    Wish *w = g_new(Wish, 1);
    int r;

    *w = (Wish){ m, g_strdup(given->task), g_strdup(given->schedule),
        given->skip ? g_strdup(caller->name) : NULL, given->nominal, given->skip, fn, userdata };
    if (!changes_take(m->changes, w->task, wish_turn, w))
        return 0;
    r = wish_send(w, error);
    if (r < 0) {
        changes_give(m->changes, w->task);
        wish_free(w);
    }
    return r;
}
