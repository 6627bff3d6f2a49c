/* Schedules that follow the ends of runs, as run_followed() of the schema and the statements have them; and what must hold of
 * them. */
#include "sim.h"

#include <string.h>

#include "model/follow.h"

bool schedule_row_follows(const ScheduleRow *s)
{
    return *s->follows != 0;
}

bool schedule_row_boots(const ScheduleRow *s)
{
    return strcmp(s->follows, FOLLOW_BOOT) == 0;
}

/* The guard against following an end twice: it is the one that the daemon knows, and nothing that followed it is under way. */
bool database_follows(const ScheduleRow *s, const DbOp *op)
{
    return !schedule_row_follows(s) || (s->under_way == UNSET && s->ended == op->ended);
}

void database_set_follows(ScheduleRow *s, const char *task)
{
    if (strcmp(s->follows, task) == 0)
        return;
    g_strlcpy(s->follows, task, sizeof s->follows);
    s->ended = s->under_way = UNSET;
}

void database_follow(const Row *row)
{
    uint64_t finished = row->run.finished != UNSET ? row->run.finished : database_now();

    for (guint i = 0; i < database.schedules->len; i++) {
        ScheduleRow *s = g_ptr_array_index(database.schedules, i);
        bool own = s->under_way != UNSET;

        if (strcmp(s->follows, row->run.task) != 0)
            continue;
        if (own ? strcmp(s->name, row->schedule) != 0 || s->under_way != row->run.nominal
                : row->run.attempt == 0)
            continue;
        s->ended = own || s->ended == UNSET ? finished : MAX(s->ended, finished);
        s->under_way = UNSET;
        sim_trace("followed", row->run.id, s->ended, own);
    }
}

static void ledger_add_missed(ScheduleRow *s)
{
    SlotRow *slot = g_new0(SlotRow, 1);

    *slot = (SlotRow){ .first = s->ended, .last = s->ended };
    g_snprintf(slot->schedule, sizeof slot->schedule, "%s/%s", s->task, s->name);
    g_ptr_array_add(database.slots, slot);
    s->last_nominal = s->ended;
}

void database_boot(const char *boot)
{
    bool first = !*database.boot, same = strcmp(database.boot, boot) == 0;

    g_strlcpy(database.boot, boot, sizeof database.boot);
    for (guint i = 0; !first && !same && i < database.schedules->len; i++) {
        ScheduleRow *s = g_ptr_array_index(database.schedules, i);
        uint64_t now = database_now();

        if (!schedule_row_boots(s))
            continue;
        if (follow_next(s) != UNSET && s->ended >= s->since)
            ledger_add_missed(s);
        if (s->ended != UNSET)
            now = MAX(now, s->ended + 1);
        if (s->last_nominal != UNSET)
            now = MAX(now, s->last_nominal + 1);
        s->ended = now;
        sim_trace("booted", now, 0, 0);
    }
}

void database_apply_followers(DbOp *op)
{
    const Row *row = *op->task ? NULL : database_find(op->run);
    const char *task = row ? row->run.task : op->task;

    op->followers = g_array_new(FALSE, FALSE, sizeof(DbFollower));
    for (guint i = 0; i < database.schedules->len; i++) {
        const ScheduleRow *s = g_ptr_array_index(database.schedules, i);
        DbFollower f = { "", "", s->ended, s->under_way };

        if (!schedule_row_follows(s) || strcmp(s->follows, task) != 0)
            continue;
        g_strlcpy(f.task, s->task, sizeof f.task);
        g_strlcpy(f.name, s->name, sizeof f.name);
        g_array_append_val(op->followers, f);
    }
}

/* --- what must hold --- */

/* UNSET: it waits for a run to end. */
uint64_t follow_next(const ScheduleRow *s)
{
    uint64_t next = (s->ended == UNSET ? s->since : s->ended) + EVERY_USEC, after = s->since - 1;

    if (s->last_nominal != UNSET && s->last_nominal > after)
        after = s->last_nominal;
    if (schedule_row_boots(s))
        return s->ended != UNSET && s->ended > after ? s->ended : UNSET;
    if (s->under_way != UNSET)
        return UNSET;
    if (next <= after)
        next += ((after - next) / EVERY_USEC + 1) * EVERY_USEC;
    return next;
}

/* Where the clock was set back while it was changed, from when its times are slots is another instant here and there. */
bool follow_is_exact(const ScheduleRow *s)
{
    return schedule_row_follows(s) && s->ended != UNSET && s->since <= s->ended;
}

/* The slot that fires is no sooner than its distance from the end of the run before, which is over. */
void check_follows(const ScheduleRow *s, uint64_t nominal)
{
    const Row *before = NULL;

    if (schedule_row_boots(s)) {
        if (strcmp(s->fired_in, database.boot) == 0)
            sim_fail("%s/%s fires twice in one boot", s->task, s->name);
        return;
    }
    for (guint i = 0; i < database.rows->len; i++) {
        const Row *row = g_ptr_array_index(database.rows, i);

        if (strcmp(row->schedule, s->name) == 0 && strcmp(row->run.task, s->task) == 0 &&
            row->run.nominal == s->last_fired)
            before = row;
    }
    if (before && before->run.state != RUN_DONE)
        sim_fail("%s/%s fires, and run %" G_GUINT64_FORMAT " that it fired is under way", s->task, s->name,
            before->run.id);
    if (before && before->run.finished != UNSET && nominal < before->run.finished + EVERY_USEC)
        sim_fail("%s/%s fires sooner after run %" G_GUINT64_FORMAT " than it may", s->task, s->name,
            before->run.id);
}

/* It has its next time, or that which it fired is under way. */
void check_followers(void)
{
    for (guint i = 0; i < database.schedules->len; i++) {
        const ScheduleRow *s = g_ptr_array_index(database.schedules, i);
        bool found = s->under_way == UNSET;

        for (guint j = 0; !found && j < database.rows->len; j++) {
            const Row *row = g_ptr_array_index(database.rows, j);

            found = row->run.state != RUN_DONE && row->run.nominal == s->under_way &&
                    strcmp(row->schedule, s->name) == 0 && strcmp(row->run.task, s->task) == 0;
        }
        if (!found)
            sim_fail("%s/%s waits for a run that is over", s->task, s->name);
    }
}
