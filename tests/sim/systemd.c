/* The service manager's twin: units with their processes, and what the journal keeps of them. It lives as long as the
 * host does, whatever becomes of the daemon. */
#include "sim.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

typedef enum LineKind {
    LINE_STARTED,
    LINE_EXITED, /* with code and status; of an end that is not clean */
    LINE_STOPPED,
    LINE_FAILED,
} LineKind;

typedef struct Line {
    char unit[48], invocation[SIM_TEXT];
    LineKind kind;
    int code, status;
    uint64_t real, monotonic;
    char boot[SIM_TEXT];
} Line;

Systemd systemd;

void systemd_clear(void)
{
    g_clear_pointer(&systemd.units, g_hash_table_unref);
    g_clear_pointer(&systemd.journal, g_ptr_array_unref);
    g_clear_pointer(&systemd.directories, g_hash_table_unref);
    systemd = (Systemd){ 0 };
}

void systemd_reset(void)
{
    systemd_clear();
    systemd.units = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    systemd.journal = g_ptr_array_new_with_free_func(g_free);
    systemd.directories = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    systemd.stamp = 1;
    systemd.gap = systemd.whole_since = sim_monotonic() / 2;
}

Unit *systemd_find(const char *name)
{
    return g_hash_table_lookup(systemd.units, name);
}

static Unit *by_serial(uint64_t serial)
{
    GHashTableIter i;
    gpointer u;

    g_hash_table_iter_init(&i, systemd.units);
    while (g_hash_table_iter_next(&i, NULL, &u))
        if (((Unit *)u)->serial == serial)
            return u;
    return NULL;
}

unsigned systemd_n_units(bool foreign)
{
    GHashTableIter i;
    gpointer u;
    unsigned n = 0;

    g_hash_table_iter_init(&i, systemd.units);
    while (g_hash_table_iter_next(&i, NULL, &u))
        n += ((Unit *)u)->foreign == foreign;
    return n;
}

/* --- the journal --- */

static void journal_write(const Unit *u, LineKind kind)
{
    Line *l = g_new0(Line, 1);

    g_strlcpy(l->unit, u->name, sizeof l->unit);
    g_strlcpy(l->invocation, u->invocation, sizeof l->invocation);
    l->kind = kind;
    l->code = u->code;
    l->status = u->status;
    l->real = sim_real();
    l->monotonic = sim_monotonic();
    g_strlcpy(l->boot, clock_boot_id(sim.clock), sizeof l->boot);
    g_ptr_array_add(systemd.journal, l);
}

static void judge_line(const Line *l, Evidence *e)
{
    if (l->kind == LINE_EXITED) {
        e->verdict = EVIDENCE_FAILED;
        e->main_code = l->code;
        e->main_status = l->status;
        e->ended = l->real;
    } else if (l->kind == LINE_STOPPED || l->kind == LINE_FAILED) {
        if (e->verdict == EVIDENCE_FAILED)
            return;
        e->verdict = EVIDENCE_STOPPED;
        e->ended = l->real;
    } else if (e->verdict == EVIDENCE_NEVER) {
        e->verdict = EVIDENCE_STARTED;
        e->started = l->real;
    }
}

static bool line_is_since(const Line *l, const EvidenceQuery *q)
{
    if (q->claimed_monotonic == UNSET)
        return l->real >= q->claimed;
    return strcmp(l->boot, q->boot_id) == 0 && l->monotonic >= q->claimed_monotonic;
}

static bool journal_is_whole(const EvidenceQuery *q)
{
    bool this_boot = strcmp(q->boot_id, clock_boot_id(sim.clock)) == 0;
    bool whole = q->claimed_monotonic != UNSET && systemd.whole_since <= q->claimed_monotonic;

    return this_boot && whole;
}

/* As exec/evidence-helper.c reads the real one. */
void systemd_judge(const EvidenceQuery *q, Evidence *ret)
{
    bool by_invocation = *q->invocation_id != 0, before = false;

    *ret = (Evidence){ .verdict = EVIDENCE_NEVER, .started = UNSET, .ended = UNSET };
    ret->left = g_hash_table_contains(systemd.directories, q->unit);
    for (guint i = 0; i < systemd.journal->len; i++) {
        const Line *l = g_ptr_array_index(systemd.journal, i);

        if (strcmp(by_invocation ? l->invocation : l->unit, by_invocation ? q->invocation_id : q->unit) != 0)
            continue;
        if (by_invocation || line_is_since(l, q))
            judge_line(l, ret);
        else
            before = true;
    }
    if (ret->verdict == EVIDENCE_NEVER && (by_invocation || before || !journal_is_whole(q)))
        ret->verdict = EVIDENCE_UNKNOWN;
}

void systemd_lose_journal(void)
{
    guint left = systemd.journal->len;

    if (sim_chance(30))
        left = 0;
    else if (left > 0 && sim_chance(50))
        left--;
    systemd.gap = sim_monotonic();
    if (!sim_chance(60)) /* of what it could not write it may say nothing */
        systemd.whole_since = systemd.gap;
    g_ptr_array_set_size(systemd.journal, (gint)left);
}

/* --- stages --- */

static bool is_clean(const Unit *u)
{
    if (u->code == RUN_EXITED)
        return u->status == 0;
    return u->code == RUN_KILLED &&
           (u->status == SIGTERM || u->status == SIGHUP || u->status == SIGINT || u->status == SIGPIPE);
}

static void tell(const Unit *u)
{
    bool states_first = sim_chance(50);

    exec_twin_changed(u, states_first);
    exec_twin_changed(u, !states_first);
}

static void unit_gone(Unit *u)
{
    char name[48];

    g_strlcpy(name, u->name, sizeof name);
    sim_trace("unit gone", u->run, u->attempt, 0);
    if (u->unconfirmed)
        exec_twin_started(name, EXEC_GONE);
    g_hash_table_remove(systemd.units, u->name);
    exec_twin_removed(name);
}

static void set_result(Unit *u, const char *result)
{
    if (strcmp(u->result, "success") == 0)
        u->result = result;
    if (u->truth)
        u->truth->result = u->result;
}

/* The start job is over: whoever asked for it is answered. */
static void on_confirmed(void *data, uint64_t serial)
{
    Unit *u = by_serial(serial);

    if (!u || !u->unconfirmed)
        return;
    u->unconfirmed = false;
    exec_twin_started(u->name, EXEC_STARTED);
}

/* Nothing of it runs any more. */
static void settle(Unit *u)
{
    bool good = strcmp(u->result, "success") == 0;

    u->stage = good ? STAGE_EXITED : STAGE_FAILED;
    if (!good) {
        journal_write(u, LINE_FAILED);
        tell(u);
    } else if (u->by_admin) {
        journal_write(u, LINE_STOPPED);
        tell(u);
        unit_gone(u);
    } else {
        tell(u);
    }
}

static unsigned rest_of(const Unit *u)
{
    return u->truth ? u->truth->rest : 0;
}

static void on_signal(void *data, uint64_t number);

static void send_signal(const Unit *u, bool main_only, int signal, uint64_t in)
{
    sim_at(sim_now() + in, on_signal, NULL, u->serial << 8 | (uint64_t)main_only << 7 | (uint64_t)signal);
}

static void begin_stop(Unit *u)
{
    u->stage = STAGE_STOPPING;
    if (u->unconfirmed) /* the job is called off; what is there of the unit when that is heard is what counts */
        sim_at(sim_now() + sim_between(10, 3000), on_confirmed, NULL, u->serial);
    send_signal(u, false, SIGTERM, sim_between(10, 2000));
    send_signal(u, false, SIGKILL, u->stop_usec + sim_between(10, 2000));
    tell(u);
}

static void main_ended(Unit *u, int code, int status)
{
    Truth *t = u->truth;

    u->code = code;
    u->status = status;
    u->exited = sim_real();
    u->exited_boot = sim_now();
    if (t) {
        t->alive = false;
        t->code = code;
        t->status = status;
        t->ended = sim_real();
        t->ended_boot = sim_now();
        t->rest = u->behaviour.rest;
        t->output = u->behaviour.output;
    }
    sim_trace("process ended", u->run, (uint64_t)code, (uint64_t)status);
    if (!is_clean(u)) {
        journal_write(u, LINE_EXITED);
        set_result(u, u->behaviour.oom     ? "oom-kill"
                      : code == RUN_EXITED ? "exit-code"
                      : code == RUN_DUMPED ? "core-dump"
                                           : "signal");
    } else {
        set_result(u, "success");
    }
    if (u->stage == STAGE_RUNNING)
        on_confirmed(NULL, u->serial);
    if (u->stage == STAGE_RUNNING && is_clean(u)) {
        u->stage = STAGE_EXITED;
        tell(u);
    } else if (rest_of(u) == 0) {
        settle(u);
    } else if (u->stage == STAGE_RUNNING) {
        begin_stop(u);
    }
}

static bool is_alive(const Unit *u)
{
    return u->truth && u->truth->alive;
}

/* The stubborn do not mind any but SIGKILL. */
static void on_signal(void *data, uint64_t number)
{
    int signal = (int)(number & 127);
    bool main_only = (number & 128) != 0;
    Unit *u = by_serial(number >> 8);

    if (!u || !u->truth || (u->behaviour.stubborn && signal != SIGKILL))
        return;
    if (signal == SIGKILL && u->stage == STAGE_STOPPING && is_alive(u))
        set_result(u, "timeout");
    if (!main_only && !is_alive(u) && u->truth->rest > 0) {
        u->truth->rest = 0;
        if (u->stage == STAGE_STOPPING)
            settle(u);
        return;
    }
    if (!is_alive(u))
        return;
    if (!main_only)
        u->behaviour.rest = 0;
    main_ended(u, RUN_KILLED, signal);
}

static void on_exit_of_process(void *data, uint64_t serial)
{
    Unit *u = by_serial(serial);

    if (u && is_alive(u))
        main_ended(u, u->behaviour.code, u->behaviour.status);
}

static void on_limit(void *data, uint64_t serial)
{
    Unit *u = by_serial(serial);

    if (!u || u->stage != STAGE_RUNNING || !is_alive(u))
        return;
    set_result(u, "timeout");
    begin_stop(u);
}

/* --- starting --- */

static void unit_execute(Unit *u)
{
    Truth *t = u->truth;

    u->stage = STAGE_RUNNING;
    g_snprintf(u->invocation, sizeof u->invocation, "%032x", ++systemd.n_invocations);
    u->started = sim_real();
    u->started_boot = sim_now();
    t->executed++;
    t->alive = true;
    t->started = u->started;
    t->started_boot = u->started_boot;
    t->timeout = u->timeout;
    check_executed(t);
    if (u->behaviour.usec != UNSET)
        sim_at(sim_now() + u->behaviour.usec, on_exit_of_process, NULL, u->serial);
    if (u->timeout != USEC_INFINITY && !u->late_limit)
        sim_at(sim_now() + u->timeout, on_limit, NULL, u->serial);
}

static void on_job(void *data, uint64_t serial)
{
    Unit *u = by_serial(serial);

    if (!u || u->stage != STAGE_QUEUED)
        return;
    sim_trace("execute", u->run, u->attempt, u->lost_command);
    journal_write(u, LINE_STARTED);
    g_hash_table_add(systemd.directories, g_strdup(u->name));
    if (u->lost_command) {
        u->code = RUN_EXITED;
        u->status = 203;
        u->started = u->exited = sim_real();
        u->result = "exit-code";
        u->truth->destroyed = true;
        journal_write(u, LINE_EXITED);
        settle(u);
        exec_twin_started(u->name, -EAGAIN);
        return;
    }
    unit_execute(u);
    u->unconfirmed = true;
    if (!daemon_twin.calm && sim_chance(10))
        sim_at(sim_now() + sim_between(1, 500) * USEC_PER_MSEC, on_confirmed, NULL, u->serial);
    else
        on_confirmed(NULL, u->serial);
    tell(u);
}

static void behave_by_chance(Behaviour *b, bool limited)
{
    static const struct {
        unsigned until;
        int code, status;
        bool oom;
    } ends[] = { { 65, RUN_EXITED, 0, false }, { 80, RUN_EXITED, 3, false },
        { 85, RUN_KILLED, SIGSEGV, false }, { 90, RUN_KILLED, SIGTERM, false },
        { 95, RUN_DUMPED, SIGABRT, false }, { 98, RUN_KILLED, SIGKILL, true },
        { 100, RUN_KILLED, SIGKILL, false } };
    unsigned n = (unsigned)sim_draw(100);

    b->usec = sim_chance(70) ? sim_between(100, 200000) : sim_between(1, 20) * USEC_PER_SEC;
    if (limited && sim_chance(60))
        b->usec = UNSET;
    ARRAY_FOREACH (e, ends)
        if (n < e->until) {
            *b = (Behaviour){ b->usec, e->code, e->status, e->oom, sim_chance(30), false,
                sim_chance(15) ? 2 : 0, b->output };
            return;
        }
}

/* By run and attempt alone. */
static Output output_of(uint64_t run, unsigned attempt)
{
    static const Output outputs[] = { OUTPUT_LINES, OUTPUT_NONE, OUTPUT_OBJECT, OUTPUT_LINES, OUTPUT_NONE,
        OUTPUT_LINES, OUTPUT_LINK, OUTPUT_NONE, OUTPUT_OBJECT, OUTPUT_NONE };

    return outputs[(run * 3 + attempt) % G_N_ELEMENTS(outputs)];
}

/* The words of a command that mean the same to the real one. */
static void behave_as_told(Behaviour *b, char *const *argv)
{
    const char *script = argv[1] && argv[2] ? argv[2] : "";

    *b = (Behaviour){ .usec = 1000, .code = RUN_EXITED };
    if (g_str_has_suffix(argv[0], "sleep")) {
        b->usec = (uint64_t)atoi(argv[1]) * USEC_PER_SEC;
    } else if (g_str_has_prefix(script, "exit ")) {
        b->status = atoi(script + 5);
    } else if (g_str_has_prefix(script, "kill -")) {
        b->code = RUN_KILLED;
        b->status = atoi(script + 6);
    } else if (g_str_has_prefix(script, "trap")) {
        b->usec = 60 * USEC_PER_SEC;
        b->stubborn = true;
    } else if (g_str_has_prefix(script, "echo ")) {
        b->output = OUTPUT_LINES;
    } else if (g_str_has_prefix(script, "ln ")) {
        b->output = OUTPUT_LINK;
    } else if (strstr(script, "&")) {
        b->rest = 2;
    }
    b->refused = *argv[0] == 0;
}

int systemd_start(const ExecStart *start, Unit **ret)
{
    g_autofree char *name = exec_unit_name(start->run, start->attempt);
    Truth *t = database_truth(start->run, start->attempt, start->token);
    Behaviour b = { .output = output_of(start->run, start->attempt) };
    Unit *u;

    if (strcmp(start->path, "/bin/sim") == 0)
        behave_by_chance(&b, start->timeout_usec != USEC_INFINITY);
    else
        behave_as_told(&b, start->argv);
    /* Until a clock that was set back shows that again, it may last. */
    if (window_ends(start->run) && sim_chance(60))
        b.usec = sim_between(WINDOW_USEC / 2, 4 * WINDOW_USEC);
    if (systemd.shutting_down)
        return EXEC_SHUTTING_DOWN;
    if (systemd.full && !systemd_find(name))
        return -E2BIG;
    if (b.refused || strcmp(start->path, "/bin/bad") == 0) {
        if (t)
            t->refused = true;
        return EXEC_REFUSED;
    }
    if (systemd_find(name))
        return EXEC_EXISTS;
    u = g_new0(Unit, 1);
    *u = (Unit){ .run = start->run,
        .attempt = start->attempt,
        .behaviour = b,
        .result = "success",
        .started = UNSET,
        .exited = UNSET,
        .timeout = start->timeout_usec,
        .stop_usec = start->task->stop_usec,
        .late_limit = !daemon_twin.calm && sim_chance(50),
        .exact = sim_chance(50),
        .truth = t,
        .serial = ++systemd.serial };
    g_strlcpy(u->name, name, sizeof u->name);
    g_strlcpy(u->token, start->token, sizeof u->token);
    g_hash_table_insert(systemd.units, u->name, u);
    if (!u->truth)
        sim_fail("unit %s is started for a claim that is in no row", name);
    if (u->truth)
        u->truth->made = true;
    sim_trace("unit made", u->run, u->attempt, 0);
    sim_at(sim_now() + (sim_chance(10) ? sim_between(1, 500) * USEC_PER_MSEC : sim_between(100, 3000)),
        on_job, NULL, u->serial);
    *ret = u;
    return EXEC_STARTED;
}

/* --- what is asked of a unit --- */

int systemd_kill(const char *name, bool main_only, int signal)
{
    const Unit *u = systemd_find(name);

    if (!u)
        return -ENOENT;
    if (!is_alive(u) && (main_only || rest_of(u) == 0))
        return -ESRCH;
    send_signal(u, main_only, signal, sim_between(10, 2000));
    return 0;
}

static void let_go(Unit *u)
{
    if (u->stage == STAGE_EXITED)
        journal_write(u, LINE_STOPPED);
    unit_gone(u);
}

static void on_let_go(void *data, uint64_t serial)
{
    Unit *u = by_serial(serial);

    if (u)
        let_go(u);
}

/* Its job may wait, as that of a start may. */
bool systemd_release(const char *name)
{
    Unit *u = systemd_find(name);

    g_hash_table_remove(systemd.directories, name);
    if (!u)
        return true;
    check_released(u);
    if (u->truth)
        u->truth->output = OUTPUT_NONE;
    if (!daemon_twin.calm && !u->lost_command && sim_chance(25))
        sim_at(sim_now() + sim_between(1, 1500) * USEC_PER_MSEC, on_let_go, NULL, u->serial);
    else
        let_go(u);
    return false;
}

void systemd_stop_by_admin(Unit *u)
{
    if (u->stage == STAGE_FAILED || u->stage == STAGE_STOPPING)
        return;
    if (u->stage == STAGE_QUEUED) {
        exec_twin_started(u->name, sim_chance(50)          ? EXEC_GONE
                                   : systemd.shutting_down ? EXEC_SHUTTING_DOWN
                                                           : -EBUSY);
        unit_gone(u);
        return;
    }
    if (u->truth)
        u->truth->destroyed = true;
    u->by_admin = true;
    if (u->stage == STAGE_EXITED && rest_of(u) == 0) {
        settle(u);
    } else {
        begin_stop(u);
    }
}

void systemd_reset_failed(Unit *u)
{
    if (u->stage != STAGE_FAILED)
        return;
    if (u->truth && is_clean(u)) /* no line says how its process ended */
        u->truth->destroyed = true;
    unit_gone(u);
}

/* A unit that somebody else made under the name that an attempt will have. */
void systemd_plant_foreign(uint64_t run, unsigned attempt)
{
    g_autofree char *name = exec_unit_name(run, attempt);
    Row *row = database_find(run);
    Unit *u;

    if (systemd_find(name))
        return;
    if (row)
        row->shared_name = true;
    u = g_new0(Unit, 1);
    *u = (Unit){ .run = run,
        .attempt = attempt,
        .foreign = true,
        .stage = sim_chance(50) ? STAGE_RUNNING : STAGE_EXITED,
        .result = "success",
        .started = sim_real(),
        .exited = UNSET,
        .timeout = USEC_INFINITY,
        .serial = ++systemd.serial };
    if (u->stage == STAGE_EXITED) {
        u->code = RUN_EXITED;
        u->exited = sim_real();
    }
    g_strlcpy(u->name, name, sizeof u->name);
    g_strlcpy(u->token, "of-another", sizeof u->token);
    g_snprintf(u->invocation, sizeof u->invocation, "%032x", ++systemd.n_invocations);
    g_hash_table_insert(systemd.units, u->name, u);
}

/* Units whose process is not made yet lose a command that their file cannot hold. */
void systemd_reload(void)
{
    GHashTableIter i;
    gpointer value;

    g_hash_table_iter_init(&i, systemd.units);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        Unit *u = value;

        if (u->stage == STAGE_QUEUED && u->exact && !u->foreign)
            u->lost_command = true;
    }
    exec_twin_resync();
}

/* Of a host that is booted anew no file is left. */
static void truths_destroyed(bool host)
{
    for (guint i = 0; i < database.rows->len; i++) {
        const Row *row = g_ptr_array_index(database.rows, i);

        for (guint j = 0; j < row->truths->len; j++) {
            Truth *t = g_ptr_array_index(row->truths, j);

            t->claimed_by_dead = true;
            if (!t->recorded && !t->given_back)
                t->destroyed = true;
            t->alive = false;
            t->rest = 0;
            t->output = host ? OUTPUT_NONE : t->output;
        }
    }
}

void systemd_reboot(bool power, bool host)
{
    g_hash_table_remove_all(systemd.units);
    truths_destroyed(host);
    systemd.stamp++;
    systemd.shutting_down = systemd.full = false;
    if (!host)
        return;
    clock_fake_reboot(sim.clock);
    g_hash_table_remove_all(systemd.directories);
    systemd.gap = systemd.whole_since = sim_monotonic();
    while (power && systemd.journal->len > 0 && sim_chance(60))
        g_ptr_array_set_size(systemd.journal, (gint)systemd.journal->len - 1);
}

/* --- what it tells --- */

UnitState *systemd_read(const Unit *u)
{
    static const struct {
        const char *active, *sub;
    } words[] = {
        [STAGE_QUEUED] = { "activating", "start" },
        [STAGE_RUNNING] = { "active", "running" },
        [STAGE_STOPPING] = { "deactivating", "stop-sigterm" },
        [STAGE_EXITED] = { "active", "exited" },
        [STAGE_FAILED] = { "failed", "failed" },
    };
    UnitState *s = g_new0(UnitState, 1);

    s->unit = g_strdup(u->name);
    s->run = u->run;
    s->attempt = u->attempt;
    s->active_state = g_strdup(words[u->stage].active);
    s->sub_state = g_strdup(words[u->stage].sub);
    s->result = g_strdup(u->result);
    s->main_code = u->code;
    s->main_status = u->status;
    s->started = u->started;
    s->exited = u->exited;
    s->started_boot = u->started == UNSET ? UNSET : u->started_boot;
    s->exited_boot = u->exited == UNSET ? UNSET : u->exited_boot;
    s->invocation_id = g_strdup(u->invocation);
    s->token = g_strdup(u->token);
    s->status_text = g_strdup("");
    s->control_group = g_strdup(u->name);
    s->runtime_max_usec = u->timeout;
    s->remain_after_exit = true;
    s->directory_preserve = g_strdup("yes");
    s->never_ran = u->lost_command && u->stage == STAGE_FAILED;
    s->cpu_nsec = s->memory_peak = s->io_read = s->io_write = s->ip_in = s->ip_out = UNSET;
    return s;
}
