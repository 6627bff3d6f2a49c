/* What must hold of tasks that are expected to succeed. */
#include "sim.h"

#include <string.h>

#define KNOWN_USEC (5 * USEC_PER_SEC)
#define ALARM_USEC (10 * USEC_PER_SEC) /* of the daemon, and of an end that it is still to hear of */

/* A success has to come after this, as the database has it, and the daemon was told: of a pause, UNSET is none. */
static uint64_t base_of(const TaskRow *t, uint64_t told_paused)
{
    uint64_t base = t->expect_since;

    if (t->expect_success != UNSET)
        base = MAX(base, t->expect_success);
    return told_paused != UNSET ? MAX(base, told_paused) : base;
}

/* One that succeeded between these two, and not a moment ago: the daemon had the time to hear of it, or knows that it was not
 * there. */
static bool has_succeeded(const TaskRow *t, uint64_t base, uint64_t missed)
{
    for (guint i = 0; i < database.rows->len; i++) {
        const Row *row = g_ptr_array_index(database.rows, i);
        const Truth *truth =
            row->truths->len > 0 ? g_ptr_array_index(row->truths, row->truths->len - 1) : NULL;

        if (!truth || strcmp(row->run.task, t->name) != 0 || truth->recorded || truth->destroyed)
            continue;
        if (truth->executed > 0 && !truth->alive && truth->rest == 0 && row->run.cause == RUN_RESULT_NONE &&
            truth->code == RUN_EXITED && truth->status == 0 && truth->ended > base &&
            truth->ended <= missed &&
            (truth->ended_boot < daemon_twin.began || truth->ended_boot + KNOWN_USEC < sim_now()))
            return true;
    }
    return false;
}

/* Nothing is missed before its time, nor while that is not counted. The clock may have been set back. */
void check_missed(const TaskRow *t, uint64_t missed, uint64_t told_paused)
{
    uint64_t expected = database_expected(t->name), base = base_of(t, told_paused);

    if (t->deleted || expected == UNSET)
        sim_fail("nothing is expected of %s, and it is missed", t->name);
    else if (sim.latest == 0 && missed < base + expected)
        sim_fail("%s is said to be overdue %" G_GUINT64_FORMAT " ms before it is", t->name,
            (base + expected - missed) / USEC_PER_MSEC);
    else if (sim.latest == 0 && missed > sim_real())
        sim_fail("%s is said to be overdue, and will be", t->name);
    else if (sim.latest == 0 && has_succeeded(t, base, missed))
        sim_fail("%s is said to be overdue, and a run of it has succeeded", t->name);
}

/* All has been well for some time. */
void check_expected(const TaskRow *t)
{
    uint64_t expected = database_expected(t->name),
             late = expected == UNSET ? UNSET : base_of(t, t->told_paused) + expected;
    bool overdue = t->missed != UNSET && t->missed >= late;

    if (expected == UNSET || t->deleted || sim.latest != 0)
        return;
    if (!overdue && late + ALARM_USEC < sim_real())
        sim_fail("%s is overdue since %" G_GUINT64_FORMAT " ms, and there is no alarm", t->name,
            (sim_real() - late) / USEC_PER_MSEC);
    if (overdue && t->missed_run == UNSET && t->missed + 2 * ALARM_USEC < sim_real())
        sim_fail("%s is overdue, and the task that it names for that is not run", t->name);
}

/* It is committed before, and told once. */
void check_told_overdue(const char *task, bool overdue, uint64_t expected)
{
    TaskRow *t = database_task(task);

    if (!t)
        sim_fail("%s is told of, and is not there", task);
    else if (overdue && expected == t->told_missed)
        sim_fail("it is told twice that %s is overdue", task);
    else if (overdue && t->missed < expected)
        sim_fail("it is told that %s is overdue, and is not written down", task);
    else if (!overdue && !t->deleted && t->expect_success == UNSET)
        sim_fail("it is told that %s has succeeded, and it has not", task);
    if (t && overdue)
        t->told_missed = expected;
}
