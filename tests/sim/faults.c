/* What goes wrong, and how often each of it met a run in each state. */
#include "sim.h"

#include <stdio.h>

#include "core/internal.h"

typedef enum Where {
    WHERE_WAITING,
    WHERE_QUEUED,
    WHERE_STARTING,
    WHERE_RUNNING,
    WHERE_STOPPING,
    WHERE_ENDED, /* recorded, its unit is still there */
    WHERE_DONE,
    _WHERE_MAX,
} Where;

static const char *const where_names[_WHERE_MAX] = { "waiting", "queued", "starting", "running", "stopping",
    "unreleased", "done" };

#define ALL     ((1u << _WHERE_MAX) - 1)
#define AT(w)   (1u << WHERE_##w)
#define CLAIMED (AT(STARTING) | AT(RUNNING) | AT(STOPPING))
#define UNITS   (CLAIMED | AT(ENDED))

typedef struct FaultInfo {
    const char *name;
    unsigned weight;
    unsigned legal;        /* where it can meet a run */
    bool (*all)(void);     /* meets everybody; false: not now */
    bool (*one)(Row *row); /* meets one */
    Readied readied;       /* it meets nobody, or not always, before it comes */
} FaultInfo;

static uint64_t stories;

/* --- meeting everybody --- */

static void on_more(void *data, uint64_t number);
static void later(uint64_t when, SimFn fn);
static Row *draw_row(unsigned legal, Where wanted);

/* While the daemon does not see it, somebody does something with a unit. */
static void meddle(uint64_t within)
{
    for (uint64_t n = sim_draw(8); n > 0; n--)
        later(sim_now() + sim_draw(within), on_more);
}

static bool crash(void)
{
    if (!daemon_twin.manager)
        return false;
    daemon_crash();
    if (sim_chance(20))
        meddle(300 * USEC_PER_MSEC);
    return true;
}

static bool stop(void)
{
    if (!daemon_twin.manager || daemon_twin.stopping)
        return false;
    daemon_stop(NULL);
    return true;
}

static bool lose_before(void)
{
    if (sim_chance(50))
        return store_twin_lose(false, false);
    store_twin_lose_write();
    return false;
}

static bool lose_after(void)
{
    return store_twin_lose(true, false);
}

static bool lose_answer(void)
{
    store_twin_lose_answer();
    return false;
}

static bool database_away(void)
{
    store_twin_down_until(sim_now() + sim_between(1, 40) * USEC_PER_SEC);
    (void)store_twin_lose(sim_chance(50), sim_chance(50));
    return daemon_twin.manager != NULL;
}

static bool refuse_claim(void)
{
    store_twin_refuse_claim();
    return false;
}

static bool lose_bus(void)
{
    return exec_twin_lose();
}

static bool bus_away(void)
{
    uint64_t span = sim_between(1, 20) * USEC_PER_SEC;

    exec_twin_down_until(sim_now() + span);
    (void)exec_twin_lose();
    meddle(span);
    return daemon_twin.manager != NULL;
}

static bool reload(void)
{
    systemd_reload();
    return true;
}

static bool power(void)
{
    daemon_crash();
    systemd_reboot(true, true);
    return true;
}

static bool reboot(void)
{
    daemon_crash();
    systemd_reboot(false, true);
    return true;
}

static bool manager_restart(void)
{
    daemon_crash();
    systemd_reboot(false, false);
    return true;
}

/* What a fault has begun, and goes on later; with the faults it ends. */
static void later(uint64_t when, SimFn fn)
{
    sim_at_if(when, fn, NULL, 0, &stories, NULL);
}

static void on_halt(void *data, uint64_t number)
{
    if (systemd.shutting_down)
        reboot();
}

static void on_stop_daemon(void *data, uint64_t number)
{
    daemon_stop(NULL);
}

/* In order: units are stopped, then the daemon, then the host goes. */
static bool shut_down(void)
{
    g_autoptr(GList) units = g_hash_table_get_values(systemd.units);

    if (systemd.shutting_down)
        return false;
    systemd.shutting_down = true;
    for (GList *l = units; l; l = l->next)
        systemd_stop_by_admin(l->data);
    later(sim_now() + sim_between(1, 3000) * USEC_PER_MSEC, on_stop_daemon);
    later(sim_now() + sim_between(3000, 15000) * USEC_PER_MSEC, on_halt);
    return true;
}

static void on_no_shutdown(void *data, uint64_t number)
{
    systemd.shutting_down = false;
}

/* What is refused is given back, and the answer to that may be lost. */
static bool refuse_starts(void)
{
    if (systemd.shutting_down)
        return false;
    systemd.shutting_down = true;
    if (sim_chance(75))
        store_twin_lose_given_back();
    later(sim_now() + sim_between(1, 8000) * USEC_PER_MSEC, on_no_shutdown);
    return false;
}

static void on_room(void *data, uint64_t number)
{
    systemd.full = false;
}

static bool fill(void)
{
    systemd.full = true;
    later(sim_now() + sim_between(1, 15000) * USEC_PER_MSEC, on_room);
    return false;
}

static void set_clock(int64_t usec)
{
    sim.latest = MAX(sim.latest, sim_real());
    clock_fake_step(sim.clock, usec);
}

/* All of it or its end; often while the clock stands behind where it was when a run was claimed: what begins anew then seems
 * to have begun before that. */
static bool lose_journal(void)
{
    const Row *row = draw_row(AT(STARTING), WHERE_STARTING);

    if (row && row->run.claimed < sim_real() && sim_chance(80))
        set_clock(-(int64_t)(sim_real() - row->run.claimed + sim_draw(300 * USEC_PER_MSEC)));
    systemd_lose_journal();
    return true;
}

static void on_crash(void *data, uint64_t number)
{
    (void)crash();
}

/* Of slots that have just passed nothing is written yet. */
static void change_what_is_late(void)
{
    if (sim_chance(40))
        people_change_task();
}

static bool step(bool forward)
{
    static const uint64_t spans[] = { USEC_PER_SEC, 20 * USEC_PER_SEC, 20 * USEC_PER_SEC,
        3600 * USEC_PER_SEC };
    int64_t span = (int64_t)sim_between(1, spans[sim_draw(G_N_ELEMENTS(spans))]);

    if (sim_chance(70))
        later(sim_now() + sim_draw(USEC_PER_SEC), on_crash);
    set_clock(forward ? span : -span);
    change_what_is_late();
    return true;
}

static bool step_forward(void)
{
    return step(true);
}

static bool step_back(void)
{
    return step(false);
}

static bool sleep_host(void)
{
    clock_fake_sleep(sim.clock, sim_between(1, 600) * USEC_PER_SEC);
    sim.well_since = sim_now();
    change_what_is_late();
    return true;
}

static bool slow(void)
{
    sim.slow_until = sim_now() + sim_between(1, 10) * USEC_PER_SEC;
    return true;
}

static bool repeat(void)
{
    return exec_twin_repeat();
}

static bool lose_start(void)
{
    exec_twin_lose_start();
    return false;
}

static bool helper_fails(void)
{
    systemd.helper_fails = true;
    return false;
}

static bool change_task(void)
{
    if (sim_chance(30))
        people_skip();
    people_change_task();
    return daemon_twin.manager != NULL;
}

/* --- meeting one --- */

static Unit *unit_of(const Row *row)
{
    g_autofree char *name = exec_unit_name(row->run.id, row->run.attempt);
    Unit *u = systemd_find(name);

    return u && !u->foreign ? u : NULL;
}

static bool stop_unit(Row *row)
{
    Unit *u = unit_of(row);

    if (u)
        systemd_stop_by_admin(u);
    return u != NULL;
}

static bool kill_unit(Row *row)
{
    const Unit *u = unit_of(row);

    return u && systemd_kill(u->name, false, sim_chance(50) ? 9 : 15) >= 0;
}

static bool reset_failed(Row *row)
{
    Unit *u = unit_of(row);

    if (!u || u->stage != STAGE_FAILED)
        return false;
    systemd_reset_failed(u);
    return true;
}

static bool foreign(Row *row)
{
    systemd_plant_foreign(row->run.id, row->run.attempt + 1);
    return true;
}

static bool cancel(Row *row)
{
    if (sim_chance(20)) {
        others_cancel(row->run.id);
        return true;
    }
    people_cancel(row->run.id);
    return daemon_twin.manager != NULL;
}

static bool kill_run(Row *row)
{
    people_kill(row->run.id, sim_chance(50) ? 15 : 10);
    return daemon_twin.manager != NULL;
}

static bool retry(Row *row)
{
    if (database.rows->len > 20)
        return false;
    people_retry(row->run.id);
    return daemon_twin.manager != NULL;
}

static bool refuse(Row *row)
{
    store_twin_refuse(row->run.id);
    return false;
}

static const FaultInfo faults[] = {
    { "daemon killed", 11, ALL, crash, NULL },
    { "daemon stopped", 5, ALL, stop, NULL },
    { "database lost, not committed", 9, ALL, lose_before, NULL, READIED_LOST_WRITE },
    { "database lost, committed", 6, ALL, lose_after, NULL },
    { "answer of a write lost", 7, ALL, lose_answer, NULL, READIED_LOST_ANSWER },
    { "database away", 5, ALL, database_away, NULL },
    { "claim refused", 6, ALL, refuse_claim, NULL, READIED_REFUSED_CLAIM },
    { "bus lost", 8, ALL, lose_bus, NULL },
    { "bus away", 18, ALL, bus_away, NULL },
    { "daemon-reload", 4, ALL, reload, NULL },
    { "power lost", 4, ALL, power, NULL },
    { "reboot", 4, ALL, reboot, NULL },
    { "user manager restarted", 4, ALL, manager_restart, NULL },
    { "shutdown", 5, ALL, shut_down, NULL },
    { "starts refused", 12, ALL, refuse_starts, NULL, READIED_REFUSED_START },
    { "no room for units", 14, ALL, fill, NULL, READIED_NO_ROOM },
    { "journal lost", 7, ALL, lose_journal, NULL },
    { "clock set forward", 8, ALL, step_forward, NULL },
    { "clock set back", 8, ALL, step_back, NULL },
    { "host asleep", 6, ALL, sleep_host, NULL },
    { "messages slow", 4, ALL, slow, NULL },
    { "signals repeated", 4, ALL, repeat, NULL },
    { "answer of a start late", 26, ALL, lose_start, NULL, READIED_LATE_START },
    { "helper not started", 26, ALL, helper_fails, NULL, READIED_NO_HELPER },
    { "task changed", 10, ALL, change_task, NULL },
    { "unit stopped", 6, UNITS, NULL, stop_unit },
    { "unit killed", 9, CLAIMED, NULL, kill_unit },
    { "unit reset", 30, UNITS, NULL, reset_failed },
    { "name taken", 5, ALL & ~(AT(ENDED) | AT(DONE)), NULL, foreign },
    { "cancelled", 24, ALL, NULL, cancel },
    { "signal sent", 7, ALL, NULL, kill_run },
    { "retried by hand", 7, ALL, NULL, retry },
    { "write refused", 7, CLAIMED, NULL, refuse, READIED_REFUSED_WRITE },
};

static uint64_t hits[G_N_ELEMENTS(faults)][_WHERE_MAX];
static unsigned rate; /* of 1000 steps */
/* What a story has of each, and the sum of that. Some are rife in it: what takes three of a kind, one after the other, is met
 * in such stories, and hardly in those that have a little of everything. */
static unsigned weights[G_N_ELEMENTS(faults)], weight;
/* Comes when a run is there: its end is recorded and its unit is there, or it is being executed. */
static const FaultInfo *awaiting;
static Where awaited;

static Where where_is(const Row *row)
{
    static const Where of_state[_RUN_STATE_MAX] = {
        [RUN_WAITING] = WHERE_WAITING,
        [RUN_QUEUED] = WHERE_QUEUED,
        [RUN_STARTING] = WHERE_STARTING,
        [RUN_RUNNING] = WHERE_RUNNING,
        [RUN_STOPPING] = WHERE_STOPPING,
        [RUN_PAUSED] = WHERE_WAITING,
        [RUN_DONE] = WHERE_DONE,
    };

    return row->run.state == RUN_DONE && unit_of(row) ? WHERE_ENDED : of_state[row->run.state];
}

void faults_begin(void)
{
    static const unsigned rates[] = { 10, 50, 130, 190, 290, 450 };
    static const unsigned times[] = { 1, 1, 1, 10 };

    rate = rates[sim_draw(G_N_ELEMENTS(rates))];
    weight = 0;
    awaiting = NULL;
    for (unsigned f = 0; f < G_N_ELEMENTS(faults); f++) {
        weights[f] = faults[f].weight * times[sim_draw(G_N_ELEMENTS(times))];
        weight += weights[f];
    }
}

static void meet_all(const FaultInfo *f)
{
    Where where[64];
    guint n = MIN(database.rows->len, G_N_ELEMENTS(where));

    for (guint i = 0; i < n; i++)
        where[i] = where_is(g_ptr_array_index(database.rows, i));
    sim_trace(f->name, 0, 0, 0);
    if (!f->all())
        return;
    sim.faults++;
    for (guint i = 0; i < n; i++)
        hits[f - faults][where[i]]++;
}

void faults_came(Readied what, uint64_t run)
{
    ARRAY_FOREACH (f, faults) {
        if (f->readied != what)
            continue;
        sim.faults++;
        sim_trace(f->name, run, 0, 1);
        for (guint i = 0; i < database.rows->len; i++) {
            const Row *row = g_ptr_array_index(database.rows, i);

            if (run == 0 || row->run.id == run)
                hits[f - faults][where_is(row)]++;
        }
    }
}

/* A run in the state that is wanted, or, where there is none, in another that is legal. */
static Row *draw_row(unsigned legal, Where wanted)
{
    guint n = database.rows->len, first = (guint)sim_draw(n);
    Row *other = NULL;

    for (guint i = 0; i < n; i++) {
        Row *row = g_ptr_array_index(database.rows, (first + i) % n);
        Where where = where_is(row);

        if (!(legal & (1u << where)))
            continue;
        if (where == wanted)
            return row;
        other = row;
    }
    return other;
}

static Where draw_where(void)
{
    return (Where)sim_draw(_WHERE_MAX);
}

static void meet_one(const FaultInfo *f, Where wanted)
{
    Row *row = draw_row(f->legal, wanted);
    Where where;

    if (!row)
        return;
    where = where_is(row);
    sim_trace(f->name, row->run.id, row->run.attempt, 0);
    if (!f->one(row))
        return;
    sim.faults++;
    hits[f - faults][where]++;
}

/* What had been seen to run is missed by nobody but by who is told that it is gone; and what was just starting, may have run
 * or not. */
static Where draw_under_way(void)
{
    if (sim_chance(30))
        return draw_where();
    return sim_chance(50) ? WHERE_RUNNING : WHERE_STARTING;
}

static void on_more(void *data, uint64_t number)
{
    static bool (*const what[])(Row *) = { stop_unit, stop_unit, stop_unit, kill_unit, reset_failed };
    unsigned drawn = (unsigned)sim_draw(G_N_ELEMENTS(what));
    bool all = sim_chance(20); /* and what tells of it goes as well */

    ARRAY_FOREACH (f, faults)
        if (f->one == what[drawn])
            meet_one(f, draw_under_way());
    ARRAY_FOREACH (f, faults)
        if (all && f->all == lose_journal)
            meet_all(f);
}

static bool somebody_is(Where where)
{
    for (guint i = 0; i < database.rows->len; i++)
        if (where_is(g_ptr_array_index(database.rows, i)) == where)
            return true;
    return false;
}

static void meet(const FaultInfo *f)
{
    bool rare = f->one == cancel && sim_chance(80); /* two causes of an end for one run */

    if (f->all)
        meet_all(f);
    else
        meet_one(f, rare ? WHERE_STOPPING : draw_where());
}

static const FaultInfo *faults_draw(void)
{
    unsigned drawn = (unsigned)sim_draw(weight), f = 0;

    while (drawn >= weights[f])
        drawn -= weights[f++];
    return &faults[f];
}

/* Nothing much is done to those that are not executed just then. */
static bool wants_running(const FaultInfo *f)
{
    return f->all == bus_away || f->all == step_forward || f->all == step_back;
}

/* What is seldom and soon over is waited for now and then. */
void faults_maybe(void)
{
    const FaultInfo *f;
    bool running;

    if (awaiting && somebody_is(awaited)) {
        meet(awaiting);
        awaiting = NULL;
    }
    if (sim_draw(1000) >= rate)
        return;
    f = faults_draw();
    running = wants_running(f) && !somebody_is(WHERE_RUNNING);
    if (!awaiting && sim_chance(running ? 50 : 10)) {
        awaiting = f;
        awaited = running ? WHERE_RUNNING : WHERE_ENDED;
    } else {
        meet(f);
    }
}

void faults_end(void)
{
    stories++;
    if (systemd.shutting_down)
        reboot();
    store_twin_forget();
    exec_twin_forget();
    sim.slow_until = 0;
    systemd.helper_fails = systemd.full = false;
}

bool faults_report(unsigned least)
{
    bool enough = true;

    printf("# %-29s", "");
    for (unsigned w = 0; w < _WHERE_MAX; w++)
        printf("%11s", where_names[w]);
    printf("\n");
    for (unsigned f = 0; f < G_N_ELEMENTS(faults); f++) {
        printf("# %-29s", faults[f].name);
        for (unsigned w = 0; w < _WHERE_MAX; w++) {
            bool legal = faults[f].legal & (1u << w);

            if (legal)
                printf("%11" G_GUINT64_FORMAT, hits[f][w]);
            else
                printf("%11s", "-");
            enough = enough && (!legal || hits[f][w] >= least);
        }
        printf("\n");
    }
    return enough;
}
