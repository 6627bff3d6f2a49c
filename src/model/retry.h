/* Whether an ended attempt is followed by another, and when. */
#pragma once

#include "model/task.h"

/* attempts: how many there have been. ret_delay_usec only where the answer is yes; random is 0..1, drawn by
 * the caller. cancelled and skipped are never retried, lost only where RetryOn= names it. */
bool retry_wanted(const RetryPolicy *p, unsigned attempts, RunResult result, int exit_code, int exit_status,
    double random, uint64_t *ret_delay_usec);
/* Is the word a result, an exit status (0…255, or its name: TEMPFAIL) or a signal's name? */
bool retry_word_is_valid(const char *word);
