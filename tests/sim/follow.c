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

/* "TASK RESULT" */
bool schedule_row_queues(const ScheduleRow *s)
{
    return strchr(s->follows, ' ') != NULL;
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

/* Ends of that task's runs are slots of it, or some are. */
static bool queues_after(const ScheduleRow *s, const char *task)
{
    return schedule_row_queues(s) && g_str_has_prefix(s->follows, task) && s->follows[strlen(task)] == ' ';
}

/* This one is. */
static bool queues_end(const ScheduleRow *s, const Row *row)
{
    bool success = row->run.result == RUN_SUCCESS;

    if (!queues_after(s, row->run.task) || !row->began)
        return false;
    if (g_str_has_suffix(s->follows, " success"))
        return success;
    return g_str_has_suffix(s->follows, " any") || (!success && row->run.result != RUN_CANCELLED);
}

static void database_queue(ScheduleRow *s, const Row *row, uint64_t finished)
{
    DbEnd end = { MAX(finished, s->since), row->run.id };

    if (!queues_end(s, row))
        return;
    check_began(row);
    if (!s->ends)
        s->ends = g_array_new(FALSE, FALSE, sizeof(DbEnd));
    if (!s->seen)
        s->seen = g_array_new(FALSE, FALSE, sizeof(DbEnd));
    if (s->last_nominal != UNSET)
        end.at = MAX(end.at, s->last_nominal + 1);
    if (s->ends->len > 0)
        end.at = MAX(end.at, g_array_index(s->ends, DbEnd, s->ends->len - 1).at + 1);
    g_array_append_val(s->ends, end);
    g_array_append_val(s->seen, end);
    sim_trace("queued", end.run, end.at, s->ends->len);
}

void database_pass_ends(ScheduleRow *s)
{
    while (s->ends && s->ends->len > 0 && s->last_nominal != UNSET &&
           g_array_index(s->ends, DbEnd, 0).at <= s->last_nominal)
        g_array_remove_index(s->ends, 0);
}

uint64_t database_end_run(const ScheduleRow *s, uint64_t at)
{
    for (guint i = 0; s->ends && i < s->ends->len; i++)
        if (g_array_index(s->ends, DbEnd, i).at == at)
            return g_array_index(s->ends, DbEnd, i).run;
    return UNSET;
}

char *database_ends_text(const ScheduleRow *s)
{
    GString *text = s->ends && s->ends->len > 0 ? g_string_new(NULL) : NULL;

    for (guint i = 0; text && i < s->ends->len; i++)
        g_string_append_printf(
            text, "%s%" G_GUINT64_FORMAT, i > 0 ? "," : "", g_array_index(s->ends, DbEnd, i).at);
    return text ? g_string_free(text, FALSE) : NULL;
}

void database_follow(const Row *row)
{
    uint64_t finished = row->run.finished != UNSET ? row->run.finished : database_now();

    for (guint i = 0; i < database.schedules->len; i++)
        database_queue(g_ptr_array_index(database.schedules, i), row, finished);
    for (guint i = 0; i < database.schedules->len; i++) {
        ScheduleRow *s = g_ptr_array_index(database.schedules, i);
        bool own = s->under_way != UNSET;

        if (strcmp(s->follows, row->run.task) != 0)
            continue;
        if (own ? strcmp(s->name, row->schedule) != 0 || s->under_way != row->run.nominal : !row->began)
            continue;
        if (!own)
            check_began(row);
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

static void follower_clear(void *follower)
{
    g_free(((DbFollower *)follower)->ends);
}

void database_apply_followers(DbOp *op)
{
    const Row *row = *op->task ? NULL : database_find(op->run);
    const char *task = row ? row->run.task : op->task;

    op->followers = g_array_new(FALSE, FALSE, sizeof(DbFollower));
    g_array_set_clear_func(op->followers, follower_clear);
    for (guint i = 0; i < database.schedules->len; i++) {
        const ScheduleRow *s = g_ptr_array_index(database.schedules, i);
        DbFollower f = { "", "", s->ended, s->under_way, NULL };

        if (!schedule_row_follows(s) || (strcmp(s->follows, task) != 0 && !queues_after(s, task)))
            continue;
        f.ends = database_ends_text(s);
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
    if (schedule_row_queues(s))
        return s->ends && s->ends->len > 0 ? g_array_index(s->ends, DbEnd, 0).at : UNSET;
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

    if (schedule_row_queues(s))
        return;
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

/* The oldest ones, in a row. */
void check_ends(const ScheduleRow *s, uint64_t first, uint64_t last, uint64_t count)
{
    uint64_t n = 0;

    for (guint i = 0; s->ends && i < s->ends->len; i++)
        n += g_array_index(s->ends, DbEnd, i).at <= last;
    if (first != follow_next(s) || database_end_run(s, last) == UNSET)
        sim_fail("%s/%s gets an outcome for what is not the next end", s->task, s->name);
    if (count > 0 && count != n)
        sim_fail("%" G_GUINT64_FORMAT " ends are counted as %" G_GUINT64_FORMAT " slots of %s/%s", n, count,
            s->task, s->name);
}

void check_passed(const ScheduleRow *s, uint64_t first, uint64_t last)
{
    check_ends(s, first, last, 0);
    if (database_max_runs(s, 0) == UNSET || s->fired < database_max_runs(s, 0))
        sim_fail("ends that are slots of %s/%s pass without an outcome", s->task, s->name);
}

void check_after(const Row *row)
{
    const Row *before = row->run.after_run == UNSET ? NULL : database_find(row->run.after_run);

    if (!before || before->run.state != RUN_DONE)
        sim_fail("run %" G_GUINT64_FORMAT " follows one that is not over", row->run.id);
    check_only(row, offsetof(StoreRun, after_run), "follow one end");
}

static bool truth_began(const Truth *t)
{
    return t->made || (t->recorded && t->record != RUN_CANCELLED && t->record != RUN_EXPIRED);
}

/* The service manager had an attempt of what is followed, or it ended in another way than by not being started. */
void check_began(const Row *row)
{
    for (guint i = 0; i < row->truths->len; i++)
        if (truth_began(g_ptr_array_index(row->truths, i)))
            return;
    sim_fail("the end of run %" G_GUINT64_FORMAT " is followed, and it never began", row->run.id);
}

void check_ends_closed(const ScheduleRow *s)
{
    g_autofree char *name = g_strdup_printf("%s/%s", s->task, s->name);

    for (guint i = 0; s->seen && i < s->seen->len; i++) {
        const DbEnd *end = &g_array_index(s->seen, DbEnd, i);
        unsigned n = 0;

        for (guint j = 0; j < database.slots->len; j++) {
            const SlotRow *slot = g_ptr_array_index(database.slots, j);

            n += slot->first <= end->at && slot->last >= end->at && strcmp(slot->schedule, name) == 0;
        }
        if (n != 1 && !(n == 0 && database_end_run(s, end->at) != UNSET && end->at > sim_real()))
            sim_fail("the end of run %" G_GUINT64_FORMAT " has %u outcomes of %s", end->run, n, name);
    }
}

void check_all_ends(void)
{
    for (guint i = 0; i < database.schedules->len; i++)
        check_ends_closed(g_ptr_array_index(database.schedules, i));
}
