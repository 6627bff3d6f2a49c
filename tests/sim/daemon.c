/* The daemon's life, and what stands around its core: the log, the task directories, and the people who ask. */
#include "sim.h"

#include <string.h>

#include "base/log.h"
#include "core/internal.h"
#include "model/follow.h"
#include "store/op.h"

#define TASKS_MAX 3
#define SKIPS     12 /* slots that people skip, or want back */
#define BACKFILLS 2  /* times that they want after all, at most */

typedef struct Person {
    char token[SIM_TEXT], task[SIM_TEXT];
    uint64_t run, at;
    bool content, waiting; /* has an answer; waits for one */
} Person;

Daemon daemon_twin;

static GPtrArray *people; /* of Person* */
static uint64_t boot_number;
static unsigned n_tokens, n_changes, n_wants_back;
static void (*stopped_fn)(void);

/* --- in place of base/log.c and core/loader.c --- */

void log_message(int priority, const LogContext *context, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    if (!sim.told)
        return;
    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_print("#              <%d> %s\n", priority, text);
}

struct Loader {
    LoaderFileFn file;
    LoaderDoneFn done;
    void *userdata;
    bool busy, hold;
    unsigned next; /* of database.tasks */
    bool fails;
};

static uint64_t loader_number;

Loader *loader_new(Manager *m)
{
    return g_new0(Loader, 1);
}

void loader_free(Loader *l)
{
    loader_number++;
    if (l->busy)
        l->done(-ECANCELED, l->userdata);
    g_free(l);
}

/* Every other half hour, by the clock of UTC. */
static const TaskSource *sim_calendar(void)
{
    static TaskSource source;
    GString *text;

    if (source.path)
        return &source;
    text = g_string_new("[Calendar]\nTimeZone=UTC\nHours=");
    for (unsigned i = 0, at = 0; i < WINDOWS_MAX; i++, at += 2 * WINDOW_SECONDS)
        g_string_append_printf(text, "%02u:%02u:%02u..%02u:%02u:%02u ", at / 3600, at / 60 % 60, at % 60,
            (at + WINDOW_SECONDS) / 3600, (at + WINDOW_SECONDS) / 60 % 60, (at + WINDOW_SECONDS) % 60);
    g_string_append_c(text, '\n');
    source = (TaskSource){ (char *)"window.calendar", text->str, text->len, (char *)"window" };
    g_string_free(text, FALSE);
    return &source;
}

static int loader_give_calendar(const Loader *l)
{
    const TaskSource *source = sim_calendar();
    LoaderFile f = { .name = source->calendar, .calendar = true };
    int r;

    f.sources = g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free);
    f.troubles = g_ptr_array_new();
    g_ptr_array_add(f.sources, task_source_new(source->path, source->text, source->length));
    r = l->file(&f, l->userdata);
    g_ptr_array_unref(f.sources);
    g_ptr_array_unref(f.troubles);
    return r;
}

static int loader_give(const Loader *l, const TaskRow *t)
{
    LoaderFile f = { .name = (char *)t->name };
    int r;

    if (strcmp(t->origin, "file") != 0)
        return 0;
    if (task_sources_from_json(g_ptr_array_index(t->definitions, t->revision - 1), &f.sources) < 0)
        f.sources = g_ptr_array_new();
    /* Its calendar has a file of its own. */
    while (f.sources->len > 1)
        g_ptr_array_remove_index(f.sources, f.sources->len - 1);
    f.troubles = g_ptr_array_new();
    r = l->file(&f, l->userdata);
    g_ptr_array_unref(f.sources);
    g_ptr_array_unref(f.troubles);
    return r;
}

static void on_files(void *data, uint64_t number)
{
    Loader *l = data;
    int r = l->fails ? -ETIMEDOUT : 0;

    if (r >= 0 && l->next == 0)
        r = loader_give_calendar(l);
    while (r >= 0 && !l->hold && l->next < database.tasks->len)
        r = loader_give(l, g_ptr_array_index(database.tasks, l->next++));
    if (r >= 0 && l->next < database.tasks->len)
        return;
    l->busy = false;
    l->done(r, l->userdata);
}

static void loader_turn(Loader *l)
{
    sim_at_if(sim_now() + sim_latency(), on_files, l, 0, &loader_number, NULL);
}

void loader_hold(Loader *l, bool hold)
{
    bool goes_on = l->busy && l->hold && !hold;

    l->hold = hold;
    if (goes_on)
        loader_turn(l);
}

int loader_start(Loader *l, LoaderFileFn file, LoaderDoneFn done, void *userdata)
{
    if (l->busy)
        return -EBUSY;
    *l = (Loader){ file, done, userdata, true, false, 0, !daemon_twin.calm && sim_chance(2) };
    loader_turn(l);
    return 0;
}

/* --- life --- */

static void on_state(void *userdata)
{
}

static void on_run(uint64_t run, RunState state, RunResult result, void *userdata)
{
    sim_trace("told", run, (uint64_t)state, (uint64_t)result);
    check_told(run, state, result);
}

static void on_task(const char *task, void *userdata)
{
}

static void on_skipped(const StoreSkip *skip, void *userdata)
{
    check_told_skipped(skip);
}

static void on_overdue(const char *task, bool overdue, uint64_t since, uint64_t expected, void *userdata)
{
    sim_trace(overdue ? "told overdue" : "told met", expected, since, 0);
    check_told_overdue(task, overdue, expected);
}

void daemon_boot(void)
{
    static const ManagerEvents events = { on_state, on_run, on_task, on_skipped, on_overdue };
    static const char *const none[] = { NULL };
    const ManagerConfig config = {
        .conninfo = "",
        .node = "node",
        .runtime_directory = "/run",
        .output_directory = "/run",
        .state_directory = "/run",
        .task_directories = none,
        .calendar_directories = none,
        .input_max = 1000,
        .output_max = 1000,
        .history_age_usec = USEC_INFINITY,
        .history_runs = USEC_INFINITY,
    };

    if (daemon_twin.manager)
        return;
    sim_trace("daemon begins", ++daemon_twin.n_lives, 0, 0);
    daemon_twin.began = sim_now();
    if (manager_new(sim.loop, sim.clock, &config, &events, NULL, &daemon_twin.manager) < 0 ||
        manager_start(daemon_twin.manager) < 0)
        sim_fail("the daemon does not start");
}

static void on_boot(void *data, uint64_t number)
{
    daemon_boot();
}

static void boot_later(uint64_t in)
{
    boot_number++;
    sim_at_if(sim_now() + in, on_boot, NULL, 0, &boot_number, NULL);
}

static void on_boot_soon(void)
{
    boot_later(sim_between(10, 300) * USEC_PER_MSEC);
}

void daemon_crash(void)
{
    if (daemon_twin.manager)
        sim_trace("daemon ends", 0, 0, 0);
    daemon_twin.stopping = false;
    g_clear_pointer(&daemon_twin.manager, manager_free);
    on_boot_soon();
}

static void on_gone(void *data, uint64_t life)
{
    if (!daemon_twin.stopping || life != daemon_twin.n_lives)
        return;
    daemon_crash();
    if (stopped_fn)
        stopped_fn();
}

static void on_stopped(void *userdata)
{
    sim_at(sim_now(), on_gone, NULL, daemon_twin.n_lives);
}

void daemon_stop(void (*then)(void))
{
    if (!daemon_twin.manager || daemon_twin.stopping)
        return;
    daemon_twin.stopping = true;
    stopped_fn = then;
    manager_stop(daemon_twin.manager, on_stopped, NULL);
}

/* --- people: each asks until there is an answer, with the same token --- */

static void on_turn(void *data, uint64_t number);

static void again(Person *p)
{
    p->waiting = false;
    sim_at(sim_now() + sim_between(50, 2000) * USEC_PER_MSEC, on_turn, p, 0);
}

static void on_answer(int r, uint64_t run, const Error *error, void *userdata)
{
    Person *p = userdata;
    const Row *row = database_find(run);

    p->waiting = false;
    if (r < 0 && error && error->code == ERROR_OVERLAP) {
        p->content = true;
        if (p->run != 0)
            sim_fail("run %" G_GUINT64_FORMAT " is there, and is said to overlap", p->run);
        return;
    }
    if (r < 0) {
        again(p);
        return;
    }
    p->content = true;
    if (!row)
        sim_fail("run %" G_GUINT64_FORMAT " is answered, and is not there", run);
    if (p->run != 0 && p->run != run)
        sim_fail("one token asked for runs %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT, p->run, run);
    p->run = run;
    sim_trace("answered", run, 0, 0);
}

static void on_turn(void *data, uint64_t number)
{
    const Caller caller = { 0, "root", "" };
    g_auto(Error) error = { 0 };
    Person *p = data;
    ManagerAsk ask = { .task = p->task, .token = p->token, .at = p->at };

    if (p->content || p->waiting)
        return;
    if (!daemon_twin.manager) {
        again(p);
        return;
    }
    p->waiting = true;
    if (manager_run_task(daemon_twin.manager, &caller, &ask, on_answer, p, &error) >= 0)
        return;
    if (error.code == ERROR_NOT_AVAILABLE || daemon_twin.stopping || daemon_twin.n_lives == 0) {
        again(p);
        return;
    }
    p->waiting = false;
    p->content = error.code == ERROR_NO_SUCH_TASK || error.code == ERROR_DISABLED;
    if (!p->content)
        sim_fail("%s cannot be asked for: %s", p->task, error.message);
}

static void on_number(int r, uint64_t number, const Error *error, void *userdata)
{
}

static void on_done(int r, const Error *error, void *userdata)
{
}

static void on_cancelled(int r, const Error *error, void *userdata)
{
    const Row *row = database_find(GPOINTER_TO_SIZE(userdata));

    if (r >= 0 && !row->no_more && row->run.state != RUN_DONE)
        sim_fail("run %" G_GUINT64_FORMAT " is said to be cancelled, and is not", row->run.id);
}

void people_cancel(uint64_t run)
{
    const Caller caller = { 0, "root", "" };
    g_auto(Error) error = { 0 };

    if (daemon_twin.manager)
        (void)manager_cancel_run(
            daemon_twin.manager, &caller, run, on_cancelled, GSIZE_TO_POINTER(run), &error);
}

void people_kill(uint64_t run, int signal)
{
    const Caller caller = { 0, "root", "" };
    g_auto(Error) error = { 0 };

    if (daemon_twin.manager)
        (void)manager_kill_run(daemon_twin.manager, &caller, run, signal, on_done, NULL, &error);
}

void people_retry(uint64_t run)
{
    const Caller caller = { 0, "root", "" };
    g_auto(Error) error = { 0 };

    if (daemon_twin.manager)
        (void)manager_retry_run(daemon_twin.manager, &caller, run, on_number, NULL, &error);
}

/* --- slots --- */

typedef struct Skipping {
    char *task;
    uint64_t nominal;
    bool skip;
    unsigned before; /* wants back that came before this */
} Skipping;

static void skipping_free(Skipping *k)
{
    g_free(k->task);
    g_free(k);
}

/* What is answered to be skipped is so from then on, unless somebody wanted one back meanwhile. */
static void on_by_hand(int r, const Error *error, void *userdata)
{
    Skipping *k = userdata;
    ScheduleRow *s = database_schedule(k->task, "s");

    sim_trace("by hand, answered", k->nominal, k->skip, (uint64_t)r);
    if (r >= 0 && k->skip && s && k->before == n_wants_back) {
        check_skipped(s, k->nominal);
        by_hand_set(&s->answered, k->nominal, "");
    }
    skipping_free(k);
}

/* A slot within a minute, or what may be none, or one that has passed. */
void people_skip(void)
{
    const TaskRow *t = g_ptr_array_index(database.tasks, sim_draw(database.tasks->len));
    ScheduleRow *s = database_schedule(t->name, "s");
    Skipping *k = g_new(Skipping, 1);
    const Caller caller = { 0, "root", "" };
    g_auto(Error) error = { 0 };
    ManagerByHand given;

    *k = (Skipping){ g_strdup(t->name), (sim_real() / EVERY_USEC + sim_draw(4)) * EVERY_USEC + sim_chance(5),
        sim_chance(70), n_wants_back };
    given = (ManagerByHand){ k->task, "s", k->nominal, k->skip };
    /* From when somebody wants it back it may fire. */
    n_wants_back += !k->skip;
    if (s && !k->skip)
        by_hand_set(&s->answered, k->nominal, NULL);
    if (!daemon_twin.manager ||
        manager_by_hand(daemon_twin.manager, &caller, &given, on_by_hand, k, &error) < 0)
        skipping_free(k);
}

static void on_skip_turn(void *data, uint64_t number)
{
    if (!daemon_twin.calm)
        people_skip();
}

/* What is answered stands there, and once. */
static void on_backfilled(int r, const GArray *times, const Error *error, void *userdata)
{
    g_autofree char *task = userdata;

    for (guint i = 0; r >= 0 && i < times->len; i++) {
        const StoreBackfilled *b = &g_array_index(times, StoreBackfilled, i);
        const Row *row = b->run == UNSET ? NULL : database_find(b->run);

        if (b->run != UNSET &&
            (!row || row->run.nominal != b->nominal || strcmp(row->run.task, task) != 0 || !*row->schedule))
            sim_fail("run %" G_GUINT64_FORMAT " is answered to be of a time, and is not", b->run);
    }
}

/* Some of the last two minutes, from before the schedule was made too. */
void people_backfill(void)
{
    const TaskRow *t = g_ptr_array_index(database.tasks, sim_draw(database.tasks->len));
    const Caller caller = { 0, "root", "" };
    g_auto(Error) error = { 0 };
    g_autofree char *task = g_strdup(t->name);
    ManagerBackfill given = { task, "s", sim_real() - (1 + sim_draw(8)) * EVERY_USEC, 0, sim_chance(10) };

    given.until = sim_chance(50) ? 0 : MIN(given.from + 2 * EVERY_USEC, sim_real());
    if (daemon_twin.manager &&
        manager_backfill(daemon_twin.manager, &caller, &given, on_backfilled, task, &error) >= 0)
        (void)g_steal_pointer(&task);
}

static void on_backfill_turn(void *data, uint64_t number)
{
    if (!daemon_twin.calm)
        people_backfill();
}

/* --- tasks --- */

#define AFTER      "AfterTask="
#define PLAIN_ONES 10 /* of the templates, the first */

static const struct {
    const char *name, *text;
} templates[] = {
    { "plain", "[Task]\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=2s\n" },
    { "retry", "[Task]\nRetries=2\nRetryDelay=3s\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n" },
    { "limit", "[Task]\nTimeout=10s\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=2s\n" },
    { "limited", "[Task]\nTimeout=4s\nRetries=2\nRetryDelay=1s\nRetryBackoff=exponential\n[Service]\n"
                 "ExecStart=/bin/sim\nTimeoutStopSec=1s\nKillMode=mixed\n" },
    { "lost",
        "[Task]\nRetries=3\nRetryDelay=0\nRetryOn=lost exit-code signal timeout\nTimeout=20s\n[Service]\n"
        "ExecStart=/bin/sim\nTimeoutStopSec=3s\n" },
    { "warned", "[Task]\nTimeout=6s\nTimeoutWarning=2s\n[Service]\nExecStart=/bin/sim\n"
                "TimeoutStopSec=1s\n" },
    { "bad",
        "[Task]\nRetries=1\nRetryDelay=1s\n[Service]\nExecStart=/bin/bad\n[Schedule s]\nCron=@reboot\n" },
    { "every", "[Task]\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n[Schedule s]\nEvery=15s\n" DEADLINE
               "1s\n" },
    { "calendar", "[Task]\n" EXPECTED "7s\n" WITHIN
                  "2s\nOnMissed=calendar\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n"
                  "[Schedule s]\nOnCalendar=*:*:0/15\n" DEADLINE "1s\n" },
    { FEW,
        "[Task]\nTimeout=4s\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n[Schedule s]\nEvery=15s\n" MAX_RUNS
        "2\n" },
    { WINDOWED,
        "[Task]\nRetries=1\nRetryDelay=3s\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n[Schedule s]\nEvery=15s\n"
        "CatchUp=last\nCalendar=window\nStopOutside=yes\n" },
    { ONE_BY_ONE, "[Task]\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n[Schedule s]\nEvery=15s\n"
                  "CatchUp=all\nCatchUpWindow=2min\n" },
    { "queue",
        "[Task]\nOverlap=queue\nRetries=2\nRetryDelay=3s\nTimeout=10s\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n"
        "[Schedule s]\nEvery=15s\nCatchUp=last\n" DEADLINE "1s\n" },
    { "skip",
        "[Task]\nOverlap=skip\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n[Schedule s]\nEvery=15s\n"
        "EveryFrom=finish\n" },
    { "one",
        "[Task]\nOverlap=queue-one\nRetries=1\nRetryDelay=2s\nTimeout=4s\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n"
        "[Schedule s]\nEvery=15s\nStartDeadline=20s\n" },
    { "newest",
        "[Task]\nOverlap=cancel-old\nRetries=1\nRetryDelay=5s\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=2s\n"
        "[Schedule s]\nEvery=15s\n" },
    { "two",
        "[Task]\nMaxConcurrent=2\nRetries=1\nRetryDelay=1s\nTimeout=6s\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n" },
    { "prompt",
        "[Task]\nRetries=1\nRetryDelay=2s\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n[Schedule s]\n"
        "Every=15s\nCatchUp=last\n" DEADLINE "1s\n" },
    { "after",
        "[Task]\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n[Schedule s]\n" AFTER "retry any\n" },
    { "failed", "[Task]\nOverlap=skip\n[Service]\nExecStart=/bin/sim\nTimeoutStopSec=1s\n[Schedule s]\n" AFTER
                "retry failure\nCatchUp=last\n" },
};

static char *definition_of(unsigned i)
{
    static char *cache[G_N_ELEMENTS(templates)];
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autoptr(Task) task = NULL;
    TaskSource sources[] = {
        { (char *)"t.task", (char *)templates[i].text, strlen(templates[i].text), NULL },
        *sim_calendar(),
    };

    if (cache[i])
        return cache[i];
    task = task_read(templates[i].name, sources, G_N_ELEMENTS(sources), diags);
    if (!task || diags->len > 0)
        g_error("%s: %s", templates[i].name, diag_list_to_text(diags));
    cache[i] = task_sources_to_json(task);
    return cache[i];
}

static void define(unsigned i, bool file)
{
    const char *after = strstr(templates[i].text, AFTER);
    TaskRow *t;

    if (database_task(templates[i].name))
        return;
    t = g_new0(TaskRow, 1);
    t->name = g_strdup(templates[i].name);
    t->origin = file ? "file" : "api";
    t->revision = 1;
    t->enabled = true;
    t->paused_until = t->told_paused = UNSET;
    t->expect_since = strstr(templates[i].text, EXPECTED) ? database_now() : UNSET;
    t->expect_success = t->missed = t->missed_run = UNSET;
    t->definitions = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(t->definitions, g_strdup(definition_of(i)));
    g_ptr_array_add(database.tasks, t);
    if (strstr(templates[i].text, "[Schedule s]")) {
        ScheduleRow *s = g_new0(ScheduleRow, 1);

        *s = (ScheduleRow){ "", "s", -1, UNSET, database_now(), UNSET, UNSET, UNSET, 0, .last_fired = UNSET };
        g_strlcpy(s->task, templates[i].name, sizeof s->task);
        s->ended = s->under_way = UNSET;
        if (strstr(templates[i].text, "EveryFrom=finish"))
            database_set_follows(s, s->task);
        if (strstr(templates[i].text, "@reboot"))
            database_set_follows(s, FOLLOW_BOOT);
        if (after) {
            g_autofree char *follows = g_strndup(after + strlen(AFTER), strcspn(after, "\n") - strlen(AFTER));

            database_set_follows(s, follows);
        }
        g_ptr_array_add(database.schedules, s);
    }
    /* What it follows has to be there for anything to end. */
    for (unsigned j = 0; after && j < G_N_ELEMENTS(templates); j++)
        if (g_str_has_prefix(after + strlen(AFTER), templates[j].name))
            define(j, file);
}

/* Beside what else is done to it. */
static void people_pause(const char *task)
{
    g_autofree char *object = sim_chance(50) ? g_strdup(task) : g_strconcat(task, "/s", NULL);
    const Caller caller = { 0, "root", "" };
    g_auto(Error) error = { 0 };

    (void)manager_pause(daemon_twin.manager, &caller, object,
        sim_real() + sim_between(1, 60000) * USEC_PER_MSEC, on_done, NULL, &error);
}

/* By way of another node: the daemon is told of it soon, or not in time, and then the database alone knows. */
static void others_pause(const char *task)
{
    TaskRow *t = database_task(task);
    ScheduleRow *s = database_schedule(task, "s");
    uint64_t until = database_now() + sim_between(1, 60000) * USEC_PER_MSEC;

    sim_trace("paused elsewhere", until, 0, 0);
    if (s && sim_chance(65))
        s->paused_until = until;
    else if (!t->deleted)
        t->paused_until = until;
    if (sim_chance(50))
        store_twin_tell_task(task);
}

void others_cancel(uint64_t run)
{
    DbOp *op = db_op_new(OP_CANCEL, NULL, NULL);

    sim_trace("cancelled elsewhere", run, 0, 0);
    op->run = run;
    g_strlcpy(op->reason, "cancelled by bob", sizeof op->reason);
    database_apply[OP_CANCEL](op);
    db_op_free(op);
    store_twin_tell_run(run);
}

/* Where it is bounded, by another number too. */
static char *changed_text(const char *text)
{
    const char *max = strstr(text, MAX_RUNS);
    int head = max ? (int)(max - text) : (int)strlen(text);

    if (!max)
        return g_strdup_printf("# %u\n%s", ++n_changes, text);
    return g_strdup_printf(
        "# %u\n%.*s" MAX_RUNS "%u\n", ++n_changes, head, text, (unsigned)sim_between(1, 5));
}

void people_change_task(void)
{
    const TaskRow *t = g_ptr_array_index(database.tasks, sim_draw(database.tasks->len));
    const Caller caller = { 0, "root", "" };
    g_autofree char *text = NULL;
    g_auto(Error) error = { 0 };

    if (!daemon_twin.manager || strcmp(t->origin, "api") != 0)
        return;
    /* All slots are computed anew, and are the same. */
    manager_zone_changed(daemon_twin.manager);
    if (sim_chance(40))
        people_pause(t->name);
    if (sim_chance(40)) {
        others_pause(t->name);
        if (sim_chance(70)) /* what else is done to it would be read with it */
            return;
    }
    if (sim_chance(40)) {
        g_autofree char *object = sim_chance(50) ? g_strdup(t->name) : g_strconcat(t->name, "/s", NULL);

        (void)manager_set_enabled(
            daemon_twin.manager, &caller, object, sim_chance(60), on_done, NULL, &error);
        return;
    }
    if (sim_chance(20)) {
        (void)manager_delete_task(daemon_twin.manager, &caller, t->name, on_done, NULL, &error);
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(templates); i++)
        if (strcmp(templates[i].name, t->name) == 0)
            text = changed_text(templates[i].text);
    (void)manager_apply_task(
        daemon_twin.manager, &caller, t->name, text, strlen(text), on_number, NULL, &error);
}

/* The plain ones oftener: what is rare is met soonest with as little as can be beside it. */
static unsigned draw_template(void)
{
    return (unsigned)sim_draw(sim_chance(40) ? PLAIN_ONES : G_N_ELEMENTS(templates));
}

void people_begin(unsigned n_runs)
{
    for (unsigned i = 0; i < TASKS_MAX; i++)
        define(draw_template(), sim_chance(20));
    for (unsigned i = 0; i < n_runs; i++) {
        Person *p = g_new0(Person, 1);
        const TaskRow *t = g_ptr_array_index(database.tasks, sim_draw(database.tasks->len));

        g_snprintf(p->token, sizeof p->token, "ask-%u", ++n_tokens);
        g_strlcpy(p->task, t->name, sizeof p->task);
        p->at = sim_chance(25) ? database_now() + sim_between(1, 30000) * USEC_PER_MSEC : 0;
        g_ptr_array_add(people, p);
        sim_at(sim_now() + sim_between(1, 15000) * USEC_PER_MSEC, on_turn, p, 0);
    }
    for (unsigned i = 0; i < SKIPS; i++)
        sim_at(sim_now() + sim_between(1, 40000) * USEC_PER_MSEC, on_skip_turn, NULL, 0);
    for (uint64_t i = sim_draw(BACKFILLS + 1); i > 0; i--)
        sim_at(sim_now() + sim_between(1, 40000) * USEC_PER_MSEC, on_backfill_turn, NULL, 0);
}

bool people_are_content(void)
{
    for (guint i = 0; i < people->len; i++)
        if (!((Person *)g_ptr_array_index(people, i))->content)
            return false;
    return true;
}

/* Of those that fire by themselves. */
static const char *const ticking[] = { "bad", "every", "calendar", FEW, ONE_BY_ONE, "prompt", "queue", "skip",
    "one", "newest", "after", "failed", WINDOWED };

static bool is_calm(const char *name)
{
    const TaskRow *task = database_task(name);

    return !task || !task->enabled || task->deleted;
}

bool people_are_calm(void)
{
    ARRAY_FOREACH (name, ticking)
        if (!is_calm(*name))
            return false;
    return true;
}

/* Once: what was disabled is enabled again. */
void people_enable(void)
{
    const Caller caller = { 0, "root", "" };
    g_auto(Error) error = { 0 };

    ARRAY_FOREACH (name, ticking) {
        g_autofree char *schedule = g_strconcat(*name, "/s", NULL);

        if (!daemon_twin.manager)
            return;
        (void)manager_set_enabled(daemon_twin.manager, &caller, *name, true, on_done, NULL, &error);
        (void)manager_set_enabled(daemon_twin.manager, &caller, schedule, true, on_done, NULL, &error);
    }
}

/* Schedules end; asked for again until it is so. */
void people_calm(void)
{
    const Caller caller = { 0, "root", "" };
    g_auto(Error) error = { 0 };

    daemon_twin.well = true;
    ARRAY_FOREACH (name, ticking)
        if (daemon_twin.manager && !is_calm(*name))
            (void)manager_set_enabled(daemon_twin.manager, &caller, *name, false, on_done, NULL, &error);
}

void daemon_reset(void)
{
    daemon_clear();
    people = g_ptr_array_new_with_free_func(g_free);
    n_tokens = n_changes = n_wants_back = 0;
    stopped_fn = NULL;
}

void daemon_clear(void)
{
    g_clear_pointer(&daemon_twin.manager, manager_free);
    g_clear_pointer(&people, g_ptr_array_unref);
    daemon_twin = (Daemon){ 0 };
}
