/* Slots to come that somebody has skipped: they do not fire when their time has come. In the order of their times. Pure. */
#pragma once

#include "model/task.h"

/* Of one schedule, at a time. */
#define BY_HAND_MAX 366

typedef struct ByHand {
    uint64_t nominal;
    char *whom; /* who has skipped it */
} ByHand;

/* Of ByHand, g_array_unref(). text: a line for each, its time in real µs, a blank and who it was; NULL: NULL, which is none for
 * all that follows. */
GArray *by_hand_parse(const char *text);
GArray *by_hand_copy(const GArray *list);
/* NULL: that one is not among them. */
const ByHand *by_hand_find(const GArray *list, uint64_t nominal);
/* The first of them that is not before it; UNSET if there is none. */
uint64_t by_hand_next(const GArray *list, uint64_t from);
/* Those up to that slot have their outcome; UNSET: none has. */
void by_hand_pass(GArray **list, uint64_t last);
/* Adds it, for whom, or, where that is NULL, takes it away. What it was before need not be known. */
void by_hand_set(GArray **list, uint64_t nominal, const char *whom);
