/* The exec's twin: the functions of exec/exec.h over the service manager in memory. Calls reach it in the order they
 * were made, answers and signals come back in the order it gave them; a bus that goes takes with it what is under way. */
#include "sim.h"

#include <limits.h>
#include <string.h>

#include "exec/unit.h"

#define NOT_RECEIVED INT_MIN /* yet, by the service manager */

typedef enum CallKind {
    CALL_STAMP,
    CALL_START,
    CALL_GET,
    CALL_LIST,
    CALL_KILL,
    CALL_RELEASE,
} CallKind;

static const char *const call_names[] = { "ask stamp", "ask start", "ask get", "ask list", "ask kill",
    "ask release" };

/* One call: the service manager's half of it, and the daemon's. */
typedef struct Call {
    CallKind kind;
    char name[48];
    void (*fn)(void);
    void *userdata;
    int r, signal;
    bool main_only, arrived, withdrawn;
    uint64_t number;
    GPtrArray *units;
    /* of a start */
    ExecStart start;
    Task *task;
    char *path, **argv, *token;
} Call;

typedef struct Signal {
    UnitState *seen; /* NULL: */
    char removed[48];
} Signal;

struct Exec {
    ExecEvents events;
    void *userdata;
    bool up, failing;
    GPtrArray *calls;  /* of Call*, not answered yet */
    GPtrArray *failed; /* of Call*, to be answered -ENOTCONN */
    uint64_t in_at, out_at;
};

typedef struct EvidenceCall {
    EvidenceFn fn;
    void *userdata;
    size_t n;
    Evidence all[];
} EvidenceCall;

static struct Exec *exec;
static uint64_t lives, connection, down_until;
static bool lose_start;
static GPtrArray *evidence; /* of EvidenceCall* */

static void call_free(Call *c)
{
    if (c->units)
        g_ptr_array_unref(c->units);
    if (c->task)
        task_unref(c->task);
    g_strfreev(c->argv);
    g_free(c->path);
    g_free(c->token);
    g_free(c);
}

static void call_answer(Call *c, int r)
{
    g_auto(Error) error = { 0 };
    const UnitState *u = c->units && c->units->len > 0 ? g_ptr_array_index(c->units, 0) : NULL;

    if (r < 0 || r == EXEC_REFUSED)
        error_set(&error, ERROR_FAILED, "refused");
    switch (c->kind) {
    case CALL_STAMP:
        ((ExecNumberFn)c->fn)(r, c->number, c->userdata);
        break;
    case CALL_START:
        ((ExecStartFn)c->fn)(r, &error, c->userdata);
        break;
    case CALL_GET:
        ((ExecStateFn)c->fn)(r, r < 0 ? NULL : u, c->userdata);
        break;
    case CALL_LIST:
        ((ExecListFn)c->fn)(r, r < 0 ? NULL : c->units, c->userdata);
        break;
    case CALL_KILL:
    case CALL_RELEASE:
        ((ExecDoneFn)c->fn)(r, &error, c->userdata);
        break;
    }
    call_free(c);
}

static uint64_t travel(uint64_t *last)
{
    *last = MAX(*last, sim_now() + sim_latency() / 2);
    return *last;
}

/* --- from the service manager --- */

static void on_answer(void *data, uint64_t number)
{
    Call *c = data;

    g_ptr_array_remove(exec->calls, c);
    sim_trace("answer", (uint64_t)c->kind, (uint64_t)c->r, 0);
    call_answer(c, c->r);
}

static void reply(Call *c, int r)
{
    c->r = r;
    sim_at_if(travel(&exec->out_at), on_answer, c, 0, &connection, NULL);
}

static Call *find_call(CallKind kind, const char *name)
{
    for (guint i = 0; exec && i < exec->calls->len; i++) {
        Call *c = g_ptr_array_index(exec->calls, i);

        if (c->kind == kind && c->arrived && strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

void exec_twin_started(const char *name, int r)
{
    Call *c = find_call(CALL_START, name);

    if (!c)
        return;
    c->arrived = false; /* answered once */
    if (r == -EAGAIN)   /* it lets go of it first */
        systemd_release(name);
    if (lose_start && r == EXEC_STARTED) {
        lose_start = false;
        faults_came(READIED_LATE_START, 0);
        r = -ETIMEDOUT;
    }
    reply(c, r);
}

static void signal_free(void *data)
{
    Signal *s = data;

    unit_state_free(s->seen);
    g_free(s);
}

static void on_signal(void *data, uint64_t number)
{
    Signal *s = data;

    sim_trace("signal", s->seen ? s->seen->run : 0, s->seen ? (uint64_t)s->seen->main_code : 0, 0);
    if (s->seen)
        exec->events.changed(s->seen, exec->userdata);
    else
        exec->events.removed(s->removed, exec->userdata);
    signal_free(s);
}

static void send_signal(Signal *s)
{
    if (exec && exec->up)
        sim_at_if(travel(&exec->out_at), on_signal, s, 0, &connection, signal_free);
    else
        signal_free(s);
}

void exec_twin_changed(const Unit *u, bool states)
{
    Signal *s;

    if (!exec || !exec->up)
        return;
    s = g_new0(Signal, 1);
    s->seen = unit_state_new(u->name);
    if (states) {
        g_autoptr(UnitState) whole = systemd_read(u);

        g_free(s->seen->active_state);
        g_free(s->seen->sub_state);
        s->seen->active_state = g_strdup(whole->active_state);
        s->seen->sub_state = g_strdup(whole->sub_state);
    } else {
        s->seen->main_code = u->code;
        s->seen->main_status = u->status;
        s->seen->exited = u->exited;
        s->seen->started = u->started;
        g_free(s->seen->result);
        s->seen->result = g_strdup(u->result);
    }
    send_signal(s);
}

void exec_twin_removed(const char *name)
{
    Call *c = find_call(CALL_RELEASE, name);
    Signal *s;

    if (exec && exec->up) {
        s = g_new0(Signal, 1);
        g_strlcpy(s->removed, name, sizeof s->removed);
        send_signal(s);
    }
    if (!c)
        return;
    c->arrived = false;
    reply(c, 0);
}

static void on_resync(void *data, uint64_t number)
{
    sim_trace("resync", 0, 0, 0);
    exec->events.resync(exec->userdata);
}

void exec_twin_resync(void)
{
    if (exec && exec->up)
        sim_at_if(travel(&exec->out_at), on_resync, NULL, 0, &connection, NULL);
}

static void repeat_unit(gpointer key, gpointer value, gpointer userdata)
{
    exec_twin_changed(value, true);
    exec_twin_changed(value, false);
}

bool exec_twin_repeat(void)
{
    g_hash_table_foreach(systemd.units, repeat_unit, NULL);
    if (sim_chance(50))
        exec_twin_resync();
    return exec && exec->up;
}

/* --- to the service manager --- */

static void add_unit(gpointer key, gpointer value, gpointer userdata)
{
    g_ptr_array_add(userdata, systemd_read(value));
}

static void arrive_get(Call *c)
{
    const Unit *u = systemd_find(c->name);

    c->units = g_ptr_array_new_with_free_func((GDestroyNotify)unit_state_free);
    if (u)
        add_unit(NULL, (gpointer)u, c->units);
    else if (!systemd.full)
        exec_twin_removed(c->name); /* it is loaded for the answer, and gone again */
    reply(c, u ? 0 : systemd.full ? -E2BIG : -ENOENT);
}

static void arrive_list(Call *c)
{
    c->units = g_ptr_array_new_with_free_func((GDestroyNotify)unit_state_free);
    g_hash_table_foreach(systemd.units, add_unit, c->units);
    reply(c, 0);
}

static void arrive_start(Call *c)
{
    Unit *u = NULL;
    int r = systemd_start(&c->start, &u);

    if (r == EXEC_SHUTTING_DOWN)
        faults_came(READIED_REFUSED_START, 0);
    else if (r == -E2BIG)
        faults_came(READIED_NO_ROOM, 0);
    c->arrived = r == EXEC_STARTED; /* answered when its job is finished */
    if (r != EXEC_STARTED)
        reply(c, r);
}

static void arrive_release(Call *c)
{
    c->arrived = true;
    if (!systemd_release(c->name))
        return; /* answered by its removal */
    c->arrived = false;
    reply(c, 0);
}

static void arrive(Call *c)
{
    c->r = 0;
    sim_trace(call_names[c->kind], c->start.run, c->start.attempt, 0);
    switch (c->kind) {
    case CALL_STAMP:
        c->number = systemd.stamp;
        reply(c, !daemon_twin.calm && sim_chance(3) ? -ETIMEDOUT : 0);
        return;
    case CALL_START:
        arrive_start(c);
        return;
    case CALL_GET:
        arrive_get(c);
        return;
    case CALL_LIST:
        arrive_list(c);
        return;
    case CALL_KILL:
        reply(c, systemd_kill(c->name, c->main_only, c->signal));
        return;
    case CALL_RELEASE:
        arrive_release(c);
        return;
    }
}

static void on_arrival(void *data, uint64_t number)
{
    Call *c = data;

    if (c->withdrawn)
        reply(c, EXEC_WITHDRAWN);
    else
        arrive(c);
}

static void on_fail(void *data, uint64_t number)
{
    g_autoptr(GPtrArray) failed = g_steal_pointer(&exec->failed);

    exec->failed = g_ptr_array_new();
    exec->failing = false;
    for (guint i = 0; i < failed->len; i++)
        call_answer(g_ptr_array_index(failed, i), -ENOTCONN);
}

static void fail_later(Call *c)
{
    g_ptr_array_add(exec->failed, c);
    if (!exec->failing)
        sim_at_if(sim_now(), on_fail, NULL, 0, &lives, NULL);
    exec->failing = true;
}

static int call_send(Call *c)
{
    database.operations++;
    if (!exec->up) {
        fail_later(c);
        return 0;
    }
    g_ptr_array_add(exec->calls, c);
    sim_at_if(travel(&exec->in_at), on_arrival, c, 0, &connection, NULL);
    return 0;
}

static Call *call_new(CallKind kind, const char *name, void (*fn)(void), void *userdata)
{
    Call *c = g_new0(Call, 1);

    c->kind = kind;
    c->r = NOT_RECEIVED;
    g_strlcpy(c->name, name, sizeof c->name);
    exec_unit_parse(name, &c->start.run, &c->start.attempt);
    c->fn = fn;
    c->userdata = userdata;
    return c;
}

/* --- the connection --- */

static void on_connect(void *data, uint64_t number)
{
    if (sim_now() < down_until) {
        sim_at_if(down_until, on_connect, NULL, 0, &lives, NULL);
        return;
    }
    exec->in_at = exec->out_at = 0;
    exec->up = true;
    sim_trace("bus up", 0, 0, 0);
    exec->events.connection(true, exec->userdata);
    exec->events.resync(exec->userdata);
}

static void half_call(const Call *c)
{
    Unit *u = NULL;

    if (c->kind == CALL_START && !c->withdrawn)
        (void)systemd_start(&c->start, &u);
    else if (c->kind == CALL_KILL)
        (void)systemd_kill(c->name, c->main_only, c->signal);
    else if (c->kind == CALL_RELEASE)
        (void)systemd_release(c->name);
}

/* Of what is under way, the first so many were received. Takes what is not answered out of the daemon's hands. */
static GPtrArray *cut(void)
{
    GPtrArray *calls = exec->calls;
    guint received = (guint)sim_draw(calls->len + 1);

    exec->calls = g_ptr_array_new();
    exec->up = false;
    connection++;
    for (guint i = 0; i < received; i++) {
        Call *c = g_ptr_array_index(calls, i);

        /* What had arrived before was done then; its answer is what is lost. */
        if (c->r == NOT_RECEIVED)
            half_call(c);
    }
    return calls;
}

bool exec_twin_lose(void)
{
    g_autoptr(GPtrArray) calls = NULL;

    if (!exec || !exec->up)
        return false;
    calls = cut();
    exec->events.connection(false, exec->userdata);
    for (guint i = 0; i < calls->len; i++)
        fail_later(g_ptr_array_index(calls, i));
    sim_at_if(sim_now() + sim_latency(), on_connect, NULL, 0, &lives, NULL);
    return true;
}

void exec_twin_down_until(uint64_t when)
{
    down_until = MAX(down_until, when);
}

void exec_twin_lose_start(void)
{
    lose_start = true;
}

bool exec_twin_idle(void)
{
    return !exec || (exec->up && exec->calls->len == 0 && exec->failed->len == 0 && evidence->len == 0);
}

void exec_twin_forget(void)
{
    down_until = 0;
    lose_start = false;
}

/* --- exec.h --- */

int exec_new(sd_event *event, const ExecConfig *config, const ExecEvents *events, void *userdata, Exec **ret)
{
    exec = g_new0(struct Exec, 1);
    exec->events = *events;
    exec->userdata = userdata;
    exec->calls = g_ptr_array_new();
    exec->failed = g_ptr_array_new();
    evidence = g_ptr_array_new();
    sim_at_if(sim_now() + sim_latency(), on_connect, NULL, 0, &lives, NULL);
    *ret = exec;
    return 0;
}

int exec_set_bus(Exec *e, sd_bus *bus)
{
    return 0;
}

void exec_free(Exec *e)
{
    g_autoptr(GPtrArray) calls = NULL;

    if (!e)
        return;
    calls = cut();
    for (guint i = 0; i < calls->len; i++)
        call_answer(g_ptr_array_index(calls, i), -ECANCELED);
    for (guint i = 0; i < e->failed->len; i++)
        call_answer(g_ptr_array_index(e->failed, i), -ECANCELED);
    for (guint i = 0; i < evidence->len; i++) {
        EvidenceCall *c = g_ptr_array_index(evidence, i);

        for (size_t k = 0; k < c->n; k++)
            c->all[k] = (Evidence){ .verdict = EVIDENCE_UNREAD, .started = UNSET, .ended = UNSET };
        c->fn(c->all, c->n, c->userdata);
        g_free(c);
    }
    g_clear_pointer(&evidence, g_ptr_array_unref);
    g_ptr_array_unref(e->calls);
    g_ptr_array_unref(e->failed);
    lives++;
    g_free(e);
    exec = NULL;
}

unsigned exec_pending(const Exec *e)
{
    return e->calls->len;
}

int exec_manager_stamp(Exec *e, ExecNumberFn fn, void *userdata)
{
    return call_send(call_new(CALL_STAMP, "", (void (*)(void))fn, userdata));
}

int exec_start(Exec *e, const ExecStart *start, ExecStartFn fn, void *userdata)
{
    g_autofree char *name = exec_unit_name(start->run, start->attempt);
    Call *c;

    for (guint i = 0; i < e->calls->len; i++) {
        const Call *other = g_ptr_array_index(e->calls, i);

        if (other->kind == CALL_START && strcmp(other->name, name) == 0)
            return -EBUSY;
    }
    check_start(start->run);
    c = call_new(CALL_START, name, (void (*)(void))fn, userdata);
    c->start = *start;
    c->path = g_strdup(start->path);
    c->argv = g_strdupv((char **)start->argv);
    c->token = g_strdup(start->token);
    c->task = task_ref((Task *)start->task);
    c->start.task = c->task;
    c->start.path = c->path;
    c->start.argv = c->argv;
    c->start.token = c->token;
    return call_send(c);
}

int exec_get(Exec *e, const char *unit, ExecStateFn fn, void *userdata)
{
    return call_send(call_new(CALL_GET, unit, (void (*)(void))fn, userdata));
}

int exec_list(Exec *e, ExecListFn fn, void *userdata)
{
    return call_send(call_new(CALL_LIST, "", (void (*)(void))fn, userdata));
}

int exec_kill(Exec *e, const char *unit, bool main_only, int signal, ExecDoneFn fn, void *userdata)
{
    Call *c = call_new(CALL_KILL, unit, (void (*)(void))fn, userdata);

    c->main_only = main_only;
    c->signal = signal;
    return call_send(c);
}

int exec_release(Exec *e, const char *unit, ExecDoneFn fn, void *userdata)
{
    return call_send(call_new(CALL_RELEASE, unit, (void (*)(void))fn, userdata));
}

int exec_start_unit(Exec *e, const char *unit, ExecDoneFn fn, void *userdata)
{
    return -ENOTCONN;
}

/* Of those that have not arrived some are on their way, and some wait for room. */
void exec_withdraw_starts(Exec *e)
{
    for (guint i = 0; i < e->calls->len; i++) {
        Call *c = g_ptr_array_index(e->calls, i);

        c->withdrawn |= c->kind == CALL_START && c->r == NOT_RECEIVED && sim_chance(50);
    }
}

bool exec_start_is_queued(const Exec *e, const char *unit)
{
    return find_call(CALL_START, unit) != NULL;
}

void exec_put_away(Exec *e, LeftoverFn is_known, void *userdata)
{
}

int exec_cgroup_populated(Exec *e, const char *control_group)
{
    const Unit *u = systemd_find(control_group);

    return u && u->truth && (u->truth->alive || u->truth->rest > 0);
}

/* Now and then there is no descriptor left to read it by. */
int exec_read_output(Exec *e, uint64_t run, unsigned attempt, size_t limit, GBytes **ret, Error *error)
{
    const Row *row = database_find(run);
    const Truth *t = row && attempt <= row->truths->len ? g_ptr_array_index(row->truths, attempt - 1) : NULL;
    char *text;

    *ret = NULL;
    if (!daemon_twin.calm && sim_chance(3))
        return -EMFILE;
    if (!t || t->output == OUTPUT_NONE)
        return 0;
    if (t->output == OUTPUT_LINK) {
        error_set(error, ERROR_INVALID_INPUT, "The output file is a symbolic link.");
        return -ELOOP;
    }
    text = g_strdup_printf(t->output == OUTPUT_LINES ? "n=%" G_GUINT64_FORMAT "-%u\n"
                                                     : " { \"n\": \"%" G_GUINT64_FORMAT "-%u\" }",
        run, attempt);
    *ret = g_bytes_new_take(text, strlen(text));
    return 0;
}

/* --- the journal: asked of a helper, whatever the bus does --- */

static void on_evidence(void *data, uint64_t number)
{
    EvidenceCall *c = data;

    sim_trace("evidence", c->n, (uint64_t)c->all[0].verdict, 0);
    g_ptr_array_remove(evidence, c);
    c->fn(c->all, c->n, c->userdata);
    g_free(c);
}

int exec_evidence(Exec *e, const EvidenceQuery *queries, size_t n, EvidenceFn fn, void *userdata)
{
    EvidenceCall *c;

    database.operations++;
    if (systemd.helper_fails && sim_chance(70)) {
        faults_came(READIED_NO_HELPER, 0);
        return -EAGAIN;
    }
    c = g_malloc0(sizeof *c + n * sizeof(Evidence));
    c->fn = fn;
    c->userdata = userdata;
    c->n = n;
    for (size_t i = 0; i < n; i++)
        systemd_judge(&queries[i], &c->all[i]);
    g_ptr_array_add(evidence, c);
    sim_at_if(sim_now() + sim_between(1, 300) * USEC_PER_MSEC, on_evidence, c, 0, &lives, NULL);
    return 0;
}
