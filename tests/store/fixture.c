/* See fixture.h: a store, waited for. */
#include "fixture.h"

#include <string.h>

#define LIMIT_USEC (60 * USEC_PER_SEC)

static void turn_until(Fixture *f, const bool *done, StoreState state)
{
    gint64 end = g_get_monotonic_time() + (gint64)LIMIT_USEC;

    while (done ? !*done : !f->told || f->state != state) {
        if (g_get_monotonic_time() > end)
            g_error("not in time; state %d: %s", f->state, util_strempty(f->reason));
        fixture_turn(f);
    }
}

void fixture_wait(Fixture *f, StoreState state)
{
    turn_until(f, NULL, state);
}

void fixture_until(Fixture *f, const bool *answered)
{
    turn_until(f, answered, STORE_UP);
}

/* --- operations */

const char *fixture_boot;

typedef struct Number {
    bool answered;
    uint64_t number;
} Number;

static void on_number(int r, uint64_t number, const Error *error, void *userdata)
{
    Number *n = userdata;

    g_assert_cmpint(r, ==, 0);
    n->answered = true;
    n->number = number;
}

uint64_t fixture_put_plain(Fixture *f, const StorePutTask *t)
{
    Number n = { 0 };

    g_assert_cmpint(store_put_task(f->store, t, on_number, &n), ==, 0);
    g_assert_false(n.answered);
    fixture_until(f, &n.answered);
    return f->revision = n.number;
}

uint64_t fixture_put(Fixture *f, const char *name, const char *definition, const char *const *schedules)
{
    StorePutTask t = {
        .name = name,
        .origin = "api",
        .definition = definition,
        .schedules = schedules,
        .since = clock_real(f->clock),
    };

    return fixture_put_plain(f, &t);
}

typedef struct Done {
    bool answered;
    int r;
} Done;

static void on_done(int r, const Error *error, void *userdata)
{
    Done *d = userdata;

    d->answered = true;
    d->r = r;
}

int fixture_delete_with(Fixture *f, const char *task, const GArray *skips)
{
    Done d = { 0 };

    g_assert_cmpint(store_delete_task(f->store, task, skips, on_done, &d), ==, 0);
    fixture_until(f, &d.answered);
    return d.r;
}

int fixture_enable(Fixture *f, const StoreEnable *e)
{
    Done d = { 0 };

    g_assert_cmpint(store_set_enabled(f->store, e, on_done, &d), ==, 0);
    fixture_until(f, &d.answered);
    return d.r;
}

void fixture_load(Fixture *f, const StoreLoaded *loaded)
{
    for (guint i = 0; i < loaded->tasks->len; i++) {
        const StoreTask *t = g_ptr_array_index(loaded->tasks, i);

        if (!g_str_equal(t->name, "bounded"))
            continue;
        f->task_paused_until = t->paused_until;
        f->expect_since = t->expect_since;
        f->expect_success = t->expect_success;
        f->missed = t->missed;
        f->missed_run = t->missed_run;
    }
    for (guint i = 0; i < loaded->schedules->len; i++) {
        const StoreSchedule *s = g_ptr_array_index(loaded->schedules, i);

        if (g_str_equal(s->task, "tail") && g_str_equal(s->name, "any"))
            g_strlcpy(f->ends, util_strempty(s->ends), sizeof f->ends);
        if (!g_str_equal(s->task, "bounded") || !g_str_equal(s->name, "a"))
            continue;
        f->fired = s->fired;
        f->paused_until = s->paused_until;
        g_strlcpy(f->by_hand, s->by_hand ? s->by_hand : "", sizeof f->by_hand);
    }
}

int fixture_delete(Fixture *f, const char *task)
{
    return fixture_delete_with(f, task, NULL);
}

static void on_by_hand(int r, const StoreByHandSlot *slot, const Error *error, void *userdata)
{
    ByHandAnswer *a = userdata;

    *a = (ByHandAnswer){ true, r, slot->run, "" };
    g_strlcpy(a->cause, slot->cause, sizeof a->cause);
}

void fixture_by_hand_begin(Fixture *f, uint64_t nominal, const char *whom, uint64_t max, ByHandAnswer *a)
{
    const StoreByHand h = { "bounded", "a", f->revision, nominal, whom, max };

    *a = (ByHandAnswer){ 0 };
    g_assert_cmpint(store_by_hand(f->store, &h, on_by_hand, a), ==, 0);
    g_assert_false(a->answered);
}

ByHandAnswer fixture_by_hand(Fixture *f, uint64_t nominal, const char *whom, uint64_t max)
{
    ByHandAnswer a;

    fixture_by_hand_begin(f, nominal, whom, max, &a);
    fixture_until(f, &a.answered);
    return a;
}

static void on_followers(int r, const GArray *followers, void *userdata)
{
    Followers *k = userdata;

    k->answered = true;
    k->r = r;
    k->n = followers ? followers->len : 0;
    for (guint i = 0; i < k->n; i++) {
        const StoreFollower *one = &g_array_index(followers, StoreFollower, i);

        g_strlcpy(k->task, one->task, sizeof k->task);
        g_strlcpy(k->schedule, one->schedule, sizeof k->schedule);
        k->ended = one->ended;
        k->under_way = one->under_way;
        g_strlcpy(k->ends, one->ends, sizeof k->ends);
    }
}

Followers fixture_followers(Fixture *f, uint64_t run, const char *task)
{
    Followers k = { 0 };

    g_assert_cmpint(store_get_followers(f->store, run, task, on_followers, &k), ==, 0);
    fixture_until(f, &k.answered);
    return k;
}

static void on_skipped(int r, uint64_t last, const Error *error, void *userdata)
{
    *(Skipped *)userdata = (Skipped){ true, r, last };
}

Skipped fixture_skip_plain(Fixture *f, const StoreSkip *skip)
{
    Skipped k = { 0 };

    g_assert_cmpint(store_skip(f->store, skip, on_skipped, &k), ==, 0);
    g_assert_false(k.answered);
    fixture_until(f, &k.answered);
    return k;
}

Skipped fixture_skip(Fixture *f, const char *task, const char *schedule, uint64_t previous, uint64_t first,
    uint64_t last, uint64_t count)
{
    const StoreSkip skip = { task, schedule, f->revision, previous, first, last, count, "host-down",
        "it was down" };

    return fixture_skip_plain(f, &skip);
}

static void on_ask(int r, const StoreAsked *asked, const Error *error, void *userdata)
{
    Asked *a = userdata;

    g_assert_false(a->answered);
    a->answered = true;
    a->r = r;
    a->asked = *asked;
    a->overlaps = asked->reason ? g_intern_string(asked->reason) : NULL;
    a->error = error ? g_strdup(error->message) : NULL;
}

void fixture_ask_plain(Fixture *f, const StoreAsk *ask, Asked *a)
{
    *a = (Asked){ 0 };
    g_assert_cmpint(store_ask(f->store, ask, on_ask, a), ==, 0);
    g_assert_false(a->answered);
}

void fixture_ask_begin(Fixture *f, const char *token, int priority, uint64_t due, Asked *a)
{
    StoreAsk ask = {
        .requester = "alice",
        .requester_uid = 1000,
        .token = token,
        .task = "t",
        .revision = 1,
        .queue = "default",
        .priority = priority,
        .input = "{\"a\": \"quote \\\" backslash \\\\ {brace},\"}",
        .due = due,
        .grace_usec = 90 * USEC_PER_SEC,
    };

    fixture_ask_plain(f, &ask, a);
}

Asked fixture_ask(Fixture *f, const char *token, int priority, uint64_t due)
{
    Asked a;

    fixture_ask_begin(f, token, priority, due, &a);
    fixture_until(f, &a.answered);
    return a;
}

typedef struct Claimed {
    bool answered;
    GPtrArray *runs;
    GArray *changes;
    uint64_t next, deadline;
} Claimed;

static void on_claim(int r, const StoreClaimed *claimed, void *userdata)
{
    Claimed *c = userdata;

    g_assert_cmpint(r, ==, 0);
    c->answered = true;
    c->runs = g_ptr_array_ref(claimed->runs);
    c->next = claimed->next_due;
    c->deadline = claimed->next_deadline;
    c->changes = g_array_ref(claimed->changes);
}

GPtrArray *fixture_claim(Fixture *f, unsigned limit, uint64_t *ret_next)
{
    Claimed c = { 0 };

    g_assert_cmpint(store_claim(f->store, limit, on_claim, &c), ==, 0);
    fixture_until(f, &c.answered);
    if (ret_next)
        *ret_next = c.next;
    f->claim_deadline = c.deadline;
    if (f->changes)
        g_array_unref(f->changes);
    f->changes = c.changes;
    return c.runs;
}

StoreOwner fixture_owner(const StoreRun *run)
{
    return (StoreOwner){ .run = run->id, .attempt = run->attempt, .token = run->token };
}

void fixture_on_outcome(int r, RunResult cause, uint64_t cause_at, const Error *error, void *userdata)
{
    Outcome *o = userdata;

    g_assert_false(o->answered);
    *o = (Outcome){ .r = r, .answered = true, .result = cause, .at = cause_at };
}

void fixture_on_end(int r, RunResult result, RunState state, uint64_t due, const Error *error, void *userdata)
{
    Outcome *o = userdata;

    g_assert_false(o->answered);
    *o = (Outcome){ .r = r, .answered = true, .result = result, .state = state, .at = due };
}

Outcome fixture_running(Fixture *f, const StoreOwner *o)
{
    Outcome out = { 0 };

    store_running(f->store, o, "aabb", UNSET, fixture_on_outcome, &out);
    fixture_until(f, &out.answered);
    return out;
}

Outcome fixture_stopping(Fixture *f, const StoreOwner *o, RunResult cause)
{
    Outcome out = { 0 };

    store_stopping(f->store, o, cause, "why it stops", fixture_on_outcome, &out);
    fixture_until(f, &out.answered);
    return out;
}

Outcome fixture_requeue(Fixture *f, const StoreOwner *o)
{
    Outcome out = { 0 };

    store_requeue(f->store, o, "not now", 0, fixture_on_outcome, &out);
    fixture_until(f, &out.answered);
    return out;
}

StoreEnd fixture_ending(const StoreOwner *o, RunResult result)
{
    return (StoreEnd){
        .owner = *o,
        .result = result,
        .reason = "why it ended",
        .exit_code = RUN_EXITED,
        .exit_status = result == RUN_SUCCESS ? 0 : 7,
        .started = UNSET,
        .finished = UNSET,
        .cpu_nsec = 123456789,
        .memory_peak = UNSET,
        .io_read = 0,
        .io_write = UNSET,
        .ip_in = UNSET,
        .ip_out = UNSET,
        .output = "{\"n\": 1}",
    };
}

Outcome fixture_end(Fixture *f, const StoreEnd *e)
{
    Outcome out = { 0 };

    store_end(f->store, e, fixture_on_end, &out);
    fixture_until(f, &out.answered);
    return out;
}

static void on_cancel(int r, const StoreCancelled *c, void *userdata)
{
    Cancelled *out = userdata;

    out->answered = true;
    out->r = r;
    out->c = *c;
}

Cancelled fixture_cancel(Fixture *f, uint64_t run)
{
    Cancelled out = { 0 };

    store_cancel(f->store, run, "cancelled by bob", on_cancel, &out);
    fixture_until(f, &out.answered);
    return out;
}

/* --- reading: what a callback borrows is copied where the tests look at it */

static struct {
    bool answered;
    int r;
    StoreRun run;
    unsigned n_attempts;
    GPtrArray *strings;
} got;

static char *keep(const char *s)
{
    char *copy = g_strdup(s);

    g_ptr_array_add(got.strings, copy);
    return copy;
}

static void on_get(int r, const StoreRun *run, const GPtrArray *attempts, void *userdata)
{
    got.answered = true;
    got.r = r;
    if (!run)
        return;
    got.run = *run;
    got.n_attempts = attempts->len;
    got.run.task = keep(run->task);
    got.run.overlap = keep(run->overlap);
    got.run.reason = keep(run->reason);
    got.run.token = keep(run->token);
    got.run.unit = keep(run->unit);
    got.run.input = keep(run->input);
    got.run.secrets = keep(run->secrets);
    got.run.output = keep(run->output);
    got.run.meta = keep(run->meta);
    got.run.requester = keep(run->requester);
    got.run.invocation_id = keep(run->invocation_id);
}

const StoreRun *fixture_get(Fixture *f, uint64_t run, unsigned *ret_n_attempts)
{
    if (got.strings)
        g_ptr_array_unref(got.strings);
    memset(&got, 0, sizeof(got));
    got.strings = g_ptr_array_new_with_free_func(g_free);
    store_get_run(f->store, run, on_get, NULL);
    fixture_until(f, &got.answered);
    if (ret_n_attempts)
        *ret_n_attempts = got.n_attempts;
    return got.r == 0 ? &got.run : NULL;
}
