/* The life of an attempt as two small decisions, one for each side that can act. */
#include "model/attempt.h"

/* Ending it is wanted: somebody said so and it is committed, or only stragglers are left. */
static bool attempt_is_ending(const AttemptView *v)
{
    return v->cause != RUN_RESULT_NONE || v->leftover;
}

AttemptStoreAction attempt_decide_store(const AttemptView *v)
{
    if (v->phase == ATTEMPT_OVER)
        return ATTEMPT_STORE_END;
    if (v->phase != ATTEMPT_STARTED || v->orphan || v->never_ran)
        return ATTEMPT_STORE_NOTHING;
    if (v->row == RUN_STARTING && !v->main_over && !v->deactivating && !attempt_is_ending(v))
        return ATTEMPT_STORE_RUNNING;
    /* The cause goes into the row before the first signal is sent, so that it stays the cause whatever
     * follows. */
    if ((v->timed_out || v->closed || v->altered) && v->cause == RUN_RESULT_NONE && !v->main_over)
        return ATTEMPT_STORE_STOPPING;
    if ((attempt_is_ending(v) || v->deactivating) && v->row != RUN_STOPPING)
        return ATTEMPT_STORE_STOPPING;
    return ATTEMPT_STORE_NOTHING;
}

static AttemptExecAction attempt_decide_started(const AttemptView *v)
{
    if (v->never_ran)
        return ATTEMPT_EXEC_RELEASE;
    if (v->unit_changed)
        return ATTEMPT_EXEC_READ;
    if (v->orphan || !attempt_is_ending(v))
        return ATTEMPT_EXEC_NOTHING;
    if (v->killed == 0)
        return ATTEMPT_EXEC_KILL;
    if (v->killed == 1 && v->grace_over)
        return ATTEMPT_EXEC_KILL_HARD;
    return ATTEMPT_EXEC_NOTHING;
}

AttemptExecAction attempt_decide_exec(const AttemptView *v)
{
    switch (v->phase) {
    case ATTEMPT_CLAIMED:
        return v->unit_changed ? ATTEMPT_EXEC_READ : ATTEMPT_EXEC_START;
    case ATTEMPT_STARTED:
        return attempt_decide_started(v);
    case ATTEMPT_GONE:
        return v->orphan ? ATTEMPT_EXEC_NOTHING : ATTEMPT_EXEC_EVIDENCE;
    case ATTEMPT_RECORDED:
        return ATTEMPT_EXEC_RELEASE;
    case ATTEMPT_FOUND: /* the list of all units says it */
    case ATTEMPT_OVER:
    case ATTEMPT_RELEASED:
        return ATTEMPT_EXEC_NOTHING;
    }
    return ATTEMPT_EXEC_NOTHING;
}
