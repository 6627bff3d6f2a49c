/* Schedules without times of their own: each of their slots follows something that happens, which the database keeps in the
 * schedule's row. What is known of it stands in a copy of the schedule, so that its slots are found like any others. Pure. */
#pragma once

#include "model/task.h"

/* It has such slots. */
bool follow_is(const Schedule *s);
/* In place of a task: boots of the node. No task has such a name. */
#define FOLLOW_BOOT "@boot"
/* The task whose runs' ends it follows, or FOLLOW_BOOT, or "TASK RESULT" (AfterTask=, where each end has a slot), borrowed; NULL:
 * none. task has the schedule. */
const char *follow_task(const Schedule *s, const char *task);
/* To be told what happens, and freed before the schedule goes; NULL: it has times of its own. */
Schedule *follow_copy(const Schedule *s);
void follow_copy_free(Schedule *copy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Schedule, follow_copy_free)
/* The last run that counts ended then, or the node was booted (UNSET: neither since the schedule was added, which was at since);
 * or that which the schedule fired last is under way. */
void follow_set(Schedule *copy, uint64_t since, uint64_t ended, bool under_way);
/* Likewise where each end has a slot: those that are known and have no outcome yet, as the database lists them; "" or NULL is
 * none. Where there are FOLLOW_ENDS_MAX there may be more. */
#define FOLLOW_ENDS_MAX 1000
void follow_set_ends(Schedule *copy, const char *ends);
/* The first of them after `after`, and the last before `before`; UNSET if there is none. */
uint64_t follow_next_end(const Schedule *copy, uint64_t after);
uint64_t follow_last_end(const Schedule *copy, uint64_t before);
/* The task that AfterTask= names, g_free. */
char *follow_after(const Schedule *s);
/* What has to happen before its next slot has a time, as a part of a sentence; g_free. */
char *follow_tell(const Schedule *s);
