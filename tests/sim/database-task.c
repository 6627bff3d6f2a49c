/* What the twin of the database says of a task and its schedules. */
#include "sim.h"

#include <string.h>

#include "store/op.h"

static void schedule_copy_free(void *copy)
{
    g_free(((StoreSchedule *)copy)->by_hand);
    g_free(((StoreSchedule *)copy)->ends);
    g_free(copy);
}

GPtrArray *database_schedules_new(void)
{
    return g_ptr_array_new_with_free_func(schedule_copy_free);
}

StoreTask database_task_of(TaskRow *t)
{
    t->told_paused = t->paused_until;
    return (StoreTask){ (char *)t->name, (char *)t->origin, (char *)"", t->node, t->revision, t->enabled,
        false, t->paused_until, g_ptr_array_index(t->definitions, t->revision - 1), t->expect_since,
        t->expect_success, t->missed, t->missed_run };
}

void database_add_schedule(GPtrArray *schedules, ScheduleRow *s)
{
    StoreSchedule *copy = g_new0(StoreSchedule, 1);

    *copy = (StoreSchedule){ s->task, s->name, s->enabled, s->last_nominal, s->since, s->off_until,
        s->paused_until, s->fired, s->ended, s->under_way, database_by_hand_text(s->by_hand),
        database_ends_text(s) };
    s->told_paused = s->paused_until;
    g_ptr_array_add(schedules, copy);
}

/* Neither the schedule nor its task is disabled, or paused until after it. */
bool database_is_on(const ScheduleRow *s, uint64_t nominal)
{
    const TaskRow *t = database_task(s->task);

    return s->enabled != 0 && t->enabled && (s->paused_until == UNSET || nominal >= s->paused_until) &&
           (t->paused_until == UNSET || nominal >= t->paused_until);
}

void database_get_task(DbOp *op)
{
}

/* What was read is as old as the answer: what is written meanwhile is answered after it. */
void database_answer_task(DbOp *op)
{
    g_autoptr(GPtrArray) schedules = database_schedules_new();
    TaskRow *t = database_task(op->task);
    StoreTask task = { 0 };

    if (op->r >= 0 && (!t || t->deleted))
        op->r = -ENOENT;
    if (op->r < 0) {
        ((StoreTaskFn)op->fn)(op->r, NULL, NULL, op->userdata);
        return;
    }
    task = database_task_of(t);
    for (guint i = 0; i < database.schedules->len; i++) {
        ScheduleRow *s = g_ptr_array_index(database.schedules, i);

        if (strcmp(s->task, op->task) == 0)
            database_add_schedule(schedules, s);
    }
    ((StoreTaskFn)op->fn)(0, &task, schedules, op->userdata);
}
