/* What must hold of slots that fire in a window alone, and of their runs, which end with it. */
#include "sim.h"

#include <string.h>

#include "core/engine.h"

/* Whoever ends a run has to hear of it, and its process may take its time. */
#define OUTSIDE_USEC (8 * USEC_PER_SEC)
#define DAY_USEC     (86400 * USEC_PER_SEC)

bool window_is_open(uint64_t at)
{
    return at / WINDOW_USEC % 2 == 0 && at % DAY_USEC < WINDOWS_MAX * 2 * WINDOW_USEC;
}

/* By the plainest look at the clock: nothing is fired outside, nor caught up there, and what is skipped for that is outside, or
 * was late there. No cause: it is to fire. */
void check_window(const char *task, uint64_t first, uint64_t last, const char *cause)
{
    uint64_t now = sim_real();
    bool by_calendar = strcmp(cause, "calendar") == 0, by_hand = strcmp(cause, "by-hand") == 0;
    bool within = window_is_open(first);

    if (first == UNSET || last == UNSET)
        sim_fail("what is settled of %s is no slot", task);
    if (strcmp(task, WINDOWED) != 0 || sim.broken)
        return;
    for (uint64_t slot = first; slot <= last; slot += EVERY_USEC)
        if (window_is_open(slot) != within)
            sim_fail("slots of %s are skipped together, some of them outside", task);
    if (!*cause && (!within || (now >= first + USEC_PER_SEC && !window_is_open(now))))
        sim_fail("%s fires outside", task);
    if (by_calendar && within && (window_is_open(now) || last + USEC_PER_SEC > now))
        sim_fail("%s skips what is within", task);
    if (*cause && !by_calendar && !by_hand && !within)
        sim_fail("%s skips what is outside for another cause: %s", task, cause);
    if (*cause && last > MAX(now, sim.latest) + USEC_PER_SEC)
        sim_fail("%s skips what is still to come", task);
}

/* That in which the run was fired; UNSET: it has none. */
static uint64_t window_end(const Row *row)
{
    uint64_t at = MAX(row->run.nominal, row->run.asked);

    if (g_strcmp0(row->run.task, WINDOWED) != 0 || !*row->schedule || row->chain != CHAIN_NONE)
        return UNSET;
    return window_is_open(at) ? (at / WINDOW_USEC + 1) * WINDOW_USEC : at;
}

bool window_ends(uint64_t run)
{
    const Row *row = database.rows ? database_find(run) : NULL; /* the contract of exec has no database */

    return row && window_end(row) != UNSET;
}

void check_outside(Row *row)
{
    const Manager *m = daemon_twin.manager;
    uint64_t end = window_end(row);
    bool alive = false;

    for (guint i = 0; end != UNSET && i < row->truths->len; i++)
        alive = alive || ((const Truth *)g_ptr_array_index(row->truths, i))->alive;
    if (check_lasts(&row->outside_since, alive && sim_real() > end && m && m->exec_up, OUTSIDE_USEC))
        sim_fail("run %" G_GUINT64_FORMAT " goes on, and its window is closed for long", row->run.id);
}

void check_cut(const Row *row, const char *reason)
{
    uint64_t end = window_end(row);

    if (strcmp(reason, WINDOW_CLOSED) == 0 && (end == UNSET || MAX(sim.latest, sim_real()) < end))
        sim_fail("run %" G_GUINT64_FORMAT " is ended for its window, and that is open", row->run.id);
}
