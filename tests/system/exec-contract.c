/* What every client of a service manager does, be it that of systemd or the twin that the simulation has in its place. */
#include "exec-contract.h"

#include <signal.h>
#include <string.h>

#define WAIT_USEC (60 * USEC_PER_SEC)

typedef struct Told {
    bool come;
    int r;
    UnitState *state;
    guint units;
    Evidence evidence;
} Told;

static const ExecContract *c;
static uint64_t run;
static unsigned n_ends, n_removed;

void exec_contract_changed(const UnitState *seen)
{
    n_ends += seen->main_code != RUN_EXITED_UNKNOWN;
}

void exec_contract_removed(const char *unit)
{
    n_removed++;
}

/* --- calls that wait --- */

static void on_done(int r, const Error *error, void *userdata)
{
    Told *t = userdata;

    t->come = true;
    t->r = r;
}

static void on_state(int r, const UnitState *u, void *userdata)
{
    Told *t = userdata;

    t->come = true;
    t->r = r;
    t->state = r < 0 ? NULL : unit_state_copy(u);
}

static void on_list(int r, GPtrArray *units, void *userdata)
{
    Told *t = userdata;

    t->come = true;
    t->r = r;
    for (guint i = 0; units && i < units->len; i++)
        t->units += ((UnitState *)g_ptr_array_index(units, i))->run == run;
}

static void on_evidence(const Evidence *evidence, size_t n, void *userdata)
{
    Told *t = userdata;

    t->come = true;
    t->evidence = evidence[0];
}

static void told_clear(Told *t)
{
    unit_state_free(t->state);
    *t = (Told){ 0 };
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Told, told_clear)

static void await(const Told *t)
{
    uint64_t end = c->now() + WAIT_USEC;

    while (!t->come && c->now() < end)
        c->turn();
}

static void pause_msec(unsigned msec)
{
    uint64_t end = c->now() + msec * USEC_PER_MSEC;

    while (c->now() < end)
        c->turn();
}

static int start(const char *const *argv, const char *token, uint64_t timeout)
{
    g_autoptr(GPtrArray) settings = g_ptr_array_new();
    Task task = { .refs = 1,
        .name = (char *)"contract",
        .queue = (char *)"test",
        .stop_usec = USEC_PER_SEC,
        .settings = settings };
    ExecStart s = { .run = run,
        .attempt = 1,
        .task = &task,
        .path = argv[0],
        .argv = (char *const *)argv,
        .token = token,
        .nominal = UNSET,
        .timeout_usec = timeout };
    g_auto(Told) t = { 0 };

    if (c->prepare)
        c->prepare(run, token);
    if (exec_start(c->exec, &s, on_done, &t) < 0)
        return -EINVAL;
    await(&t);
    return t.r;
}

static int get(Told *t)
{
    g_autofree char *unit = exec_unit_name(run, 1);

    told_clear(t);
    if (exec_get(c->exec, unit, on_state, t) < 0)
        return -EINVAL;
    await(t);
    return t->r;
}

static bool get_over(Told *t)
{
    for (unsigned i = 0; i < 3000; i++) {
        if (get(t) < 0)
            return false;
        if (unit_state_is_over(t->state))
            return true;
        pause_msec(20);
    }
    return false;
}

static int send_signal(bool main_only, int signal)
{
    g_autofree char *unit = exec_unit_name(run, 1);
    g_auto(Told) t = { 0 };

    if (exec_kill(c->exec, unit, main_only, signal, on_done, &t) < 0)
        return -EINVAL;
    await(&t);
    return t.r;
}

static int release(void)
{
    g_autofree char *unit = exec_unit_name(run, 1);
    g_auto(Told) t = { 0 };

    if (exec_release(c->exec, unit, on_done, &t) < 0)
        return -EINVAL;
    await(&t);
    return t.r;
}

/* What a claim that is made now is stamped with. */
static EvidenceQuery claim(void)
{
    return (EvidenceQuery){ "", "", c->now(), c->boot_id, c->monotonic() };
}

static Evidence ask_evidence(uint64_t of, EvidenceQuery query)
{
    g_autofree char *unit = exec_unit_name(of, 1);
    g_auto(Told) t = { 0 };

    query.unit = unit;
    if (exec_evidence(c->exec, &query, 1, on_evidence, &t) >= 0)
        await(&t);
    return t.evidence;
}

static void check_released(const char *what)
{
    g_auto(Told) t = { 0 };

    c->check(release() == 0 && get(&t) == -ENOENT && release() == 0,
        "%s: released, not there any more, and released again all the same", what);
}

/* --- cases --- */

/* How it ended, what the unit tells of it, and what the journal does when the unit is gone. */
static void test_ends(void)
{
    static const struct {
        const char *what, *argv[4];
        uint64_t timeout;
        const char *active, *result;
        int code, status;
        EvidenceVerdict verdict;
    } ends[] = {
        { "exit 0", { "/bin/sh", "-c", "exit 0" }, USEC_INFINITY, "active", "success", 1, 0,
            EVIDENCE_STOPPED },
        { "exit 3", { "/bin/sh", "-c", "exit 3" }, USEC_INFINITY, "failed", "exit-code", 1, 3,
            EVIDENCE_FAILED },
        { "SIGKILL", { "/bin/sh", "-c", "kill -9 $$" }, USEC_INFINITY, "failed", "signal", 2, 9,
            EVIDENCE_FAILED },
        { "SIGTERM", { "/bin/sh", "-c", "kill -15 $$" }, USEC_INFINITY, "active", "success", 2, 15,
            EVIDENCE_STOPPED },
        { "a limit", { "/bin/sleep", "60" }, 300 * USEC_PER_MSEC, "failed", "timeout", 2, 15,
            EVIDENCE_STOPPED },
    };

    ARRAY_FOREACH (e, ends) {
        EvidenceQuery claimed = claim();
        g_auto(Told) t = { 0 };
        Evidence evidence;
        int r = start(e->argv, "token", e->timeout);

        c->check(r == EXEC_STARTED && get_over(&t), "%s: started, and over (%d)", e->what, r);
        if (!t.state)
            continue;
        c->check(g_str_equal(t.state->active_state, e->active) && g_str_equal(t.state->result, e->result) &&
                     t.state->main_code == e->code && t.state->main_status == e->status,
            "%s: %s, %s, %d/%d", e->what, t.state->active_state, t.state->result, t.state->main_code,
            t.state->main_status);
        c->check(g_str_equal(t.state->token, "token") && strlen(t.state->invocation_id) == 32 &&
                     t.state->remain_after_exit && t.state->runtime_max_usec == e->timeout &&
                     t.state->started >= claimed.claimed && t.state->exited >= t.state->started &&
                     t.state->exited_boot >= t.state->started_boot && t.state->exited_boot != UNSET,
            "%s: its claim, its times and its limit are told", e->what);
        c->check(ask_evidence(run, claimed).left, "%s: it has a directory", e->what);
        check_released(e->what);
        evidence = ask_evidence(run, claimed);
        c->check(!evidence.left, "%s: which goes with it", e->what);
        c->check(evidence.verdict == e->verdict &&
                     (e->verdict != EVIDENCE_FAILED ||
                         (evidence.main_code == e->code && evidence.main_status == e->status)),
            "%s: the journal says %d, %d/%d", e->what, (int)evidence.verdict, evidence.main_code,
            evidence.main_status);
        c->check(evidence.started >= claimed.claimed && evidence.started <= evidence.ended,
            "%s: and that it was started", e->what);
        claimed.invocation_id = t.state->invocation_id;
        c->check(ask_evidence(run, claimed).verdict == e->verdict, "%s: and so by its invocation", e->what);
        claimed.invocation_id = "";
        claimed.claimed += 3600 * USEC_PER_SEC;
        c->check(ask_evidence(run, claimed).verdict == e->verdict,
            "%s: and so if the clock was set back since", e->what);
        evidence = ask_evidence(run, claim());
        c->check(evidence.verdict == EVIDENCE_UNKNOWN, "%s: of a later claim it says nothing (%d)", e->what,
            (int)evidence.verdict);
        run++;
    }
}

/* What somebody else let go of. */
static void test_stopped(void)
{
    const char *const argv[] = { "/bin/sleep", "60", NULL };
    g_autofree char *unit = exec_unit_name(run, 1);
    EvidenceQuery claimed = claim();
    g_auto(Told) t = { 0 };

    c->check(start(argv, "token", USEC_INFINITY) == EXEC_STARTED, "one that somebody stops");
    c->stop(unit);
    for (unsigned i = 0; i < 500 && get(&t) != -ENOENT; i++)
        pause_msec(20);
    c->check(get(&t) == -ENOENT && ask_evidence(run, claimed).left, "is gone, and left its directory");
    c->check(release() == 0 && !ask_evidence(run, claimed).left, "until it is released");
    run++;
}

static void test_name(void)
{
    const char *const argv[] = { "/bin/sleep", "60", NULL };
    g_auto(Told) t = { 0 }, list = { 0 };

    c->check(start(argv, "first", USEC_INFINITY) == EXEC_STARTED, "a name is taken");
    c->check(start(argv, "second", USEC_INFINITY) == EXEC_EXISTS, "it exists for whoever comes next");
    c->check(get(&t) == 0 && g_str_equal(t.state->token, "first") && !unit_state_is_over(t.state),
        "and is that of the first claim");
    if (exec_list(c->exec, on_list, &list) >= 0)
        await(&list);
    c->check(list.r == 0 && list.units == 1, "it stands in the list once (%u)", list.units);
    c->check(send_signal(true, SIGUSR1) == 0 && get_over(&t) && t.state->main_code == RUN_KILLED &&
                 t.state->main_status == SIGUSR1,
        "its main process ends of a signal");
    c->check(send_signal(true, SIGUSR1) == -ESRCH, "then there is nobody to be signalled");
    check_released("the name");
    c->check(send_signal(true, SIGUSR1) == -ENOENT, "then there is no unit");
    run++;
}

static void test_stubborn(void)
{
    const char *const argv[] = { "/bin/sh", "-c", "trap '' TERM; sleep 60", NULL };
    g_auto(Told) t = { 0 };

    c->check(start(argv, "token", USEC_INFINITY) == EXEC_STARTED, "one that does not mind SIGTERM");
    pause_msec(500);
    c->check(send_signal(false, SIGTERM) == 0, "is sent it");
    pause_msec(500);
    c->check(get(&t) == 0 && !unit_state_is_over(t.state), "and lives on");
    c->check(send_signal(false, SIGKILL) == 0 && get_over(&t) && t.state->main_status == SIGKILL,
        "until it is killed");
    check_released("the stubborn");
    run++;
}

static void test_rest(void)
{
    const char *const argv[] = { "/bin/sh", "-c", "sleep 60 & sleep 60 & exit 0", NULL };
    g_auto(Told) t = { 0 };

    c->check(start(argv, "token", USEC_INFINITY) == EXEC_STARTED && get_over(&t), "main ends, others stay");
    c->check(
        t.state && exec_cgroup_populated(c->exec, t.state->control_group) == 1, "its group is populated");
    c->check(send_signal(false, SIGKILL) == 0, "they are killed");
    for (unsigned i = 0; i < 100 && t.state && exec_cgroup_populated(c->exec, t.state->control_group); i++)
        pause_msec(20);
    c->check(t.state && exec_cgroup_populated(c->exec, t.state->control_group) == 0, "and it is empty");
    c->check(get(&t) == 0 && t.state->main_code == RUN_EXITED && t.state->main_status == 0,
        "the end of main is still told");
    check_released("the rest");
    run++;
}

static bool is_text(GBytes *bytes, const char *text)
{
    gsize size = 0;
    const void *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

    return text ? data && size == strlen(text) && memcmp(data, text, size) == 0 : !bytes;
}

static void check_output(const char *script, int wanted, const char *text)
{
    const char *const argv[] = { "/bin/sh", "-c", script, NULL };
    g_autoptr(GBytes) output = NULL, later = NULL;
    g_auto(Told) t = { 0 };
    g_auto(Error) error = { 0 };
    int r;

    c->check(start(argv, "token", USEC_INFINITY) == EXEC_STARTED && get_over(&t), "%s", script);
    r = exec_read_output(c->exec, run, 1, 1000, &output, &error);
    c->check(r == wanted && (r == 0 || error.message), "its output is read (%d)", r);
    c->check(is_text(output, text), "as it was written");
    check_released("what has an output");
    c->check(exec_read_output(c->exec, run, 1, 1000, &later, NULL) == 0 && !later, "that is gone as well");
    run++;
}

static void test_output(void)
{
    g_autofree char *text = g_strdup_printf("n=%" G_GUINT64_FORMAT "-1\n", run);

    check_output("echo n=$TASKSCHEDD_RUN-$TASKSCHEDD_ATTEMPT >$TASKSCHEDD_OUTPUT", 0, text);
    check_output("ln -s /etc/passwd $TASKSCHEDD_OUTPUT", -ELOOP, NULL);
    check_output("true", 0, NULL);
}

static void test_refused(void)
{
    const char *const argv[] = { "", NULL };
    g_auto(Told) t = { 0 };

    c->check(start(argv, "token", USEC_INFINITY) == EXEC_REFUSED && get(&t) == -ENOENT,
        "what cannot be started is refused, and no unit is left");
    run++;
}

/* Only where the journal is whole since the claim, by the clock that nobody sets, is a unit known never to have been. */
static void test_never(void)
{
    static const char elsewhere[] = "0123456789abcdef0123456789abcdef";
    const uint64_t hour = 3600 * USEC_PER_SEC;
    const EvidenceQuery now = claim();
    const struct {
        const char *what;
        EvidenceQuery claim;
        EvidenceVerdict verdict;
    } cases[] = {
        { "is known never to have been", now, EVIDENCE_NEVER },
        { "and so if the clock was set back",
            { "", "", now.claimed + hour, now.boot_id, now.claimed_monotonic }, EVIDENCE_NEVER },
        { "or forward", { "", "", now.claimed - hour, now.boot_id, now.claimed_monotonic }, EVIDENCE_NEVER },
        { "not if the journal began after the claim", { "", "", now.claimed, now.boot_id, 1 },
            EVIDENCE_UNKNOWN },
        { "whatever the clock said", { "", "", now.claimed + hour, now.boot_id, 1 }, EVIDENCE_UNKNOWN },
        { "nor if the claim was made in another boot",
            { "", "", now.claimed, elsewhere, now.claimed_monotonic }, EVIDENCE_UNKNOWN },
        { "or has no stamp", { "", "", now.claimed, now.boot_id, UNSET }, EVIDENCE_UNKNOWN },
    };

    ARRAY_FOREACH (x, cases) {
        Evidence e = ask_evidence(run, x->claim);

        c->check(
            e.verdict == x->verdict && !e.left, "a unit that never was: %s (%d)", x->what, (int)e.verdict);
    }
}

void exec_contract(const ExecContract *contract)
{
    c = contract;
    run = c->run;
    test_ends();
    test_stopped();
    test_name();
    test_stubborn();
    test_rest();
    test_output();
    test_refused();
    test_never();
    pause_msec(200);
    c->check(
        n_ends >= 8 && n_removed >= 8, "%u ends and %u removals were told by signals", n_ends, n_removed);
}
