/* The decision after an attempt ended: again, or not. */
#include "model/exit-status.h"
#include "model/retry.h"
#include "model/signals.h"

static bool retry_word_matches(const char *word, RunResult result, int exit_code, int exit_status)
{
    if (g_strcmp0(word, run_result_to_string(result)) == 0)
        return true;
    if (exit_code == RUN_EXITED)
        return exit_status_from_string(word) == exit_status;
    return (exit_code == RUN_KILLED || exit_code == RUN_DUMPED) && signals_from_name(word) == exit_status;
}

static bool retry_list_matches(const GPtrArray *words, RunResult result, int exit_code, int exit_status)
{
    for (guint i = 0; words && i < words->len; i++)
        if (retry_word_matches(g_ptr_array_index(words, i), result, exit_code, exit_status))
            return true;
    return false;
}

static uint64_t retry_delay(const RetryPolicy *p, unsigned attempts, double random)
{
    uint64_t delay = p->delay_usec;
    double drawn;

    if (p->backoff == RETRY_EXPONENTIAL)
        for (unsigned i = 1; i < attempts && delay > 0 && delay < p->delay_max_usec; i++)
            if (__builtin_mul_overflow(delay, 2, &delay)) {
                delay = USEC_INFINITY - 1;
                break;
            }
    delay = MIN(delay, p->delay_max_usec);
    if (p->jitter > 0) {
        drawn = (double)delay * (1 + p->jitter * (2 * CLAMP(random, 0, 1) - 1));
        delay = drawn >= (double)(USEC_INFINITY - 1) ? USEC_INFINITY - 1 : (uint64_t)drawn;
        delay = MIN(delay, p->delay_max_usec);
    }
    return MIN(delay, USEC_INFINITY - 1);
}

bool retry_wanted(const RetryPolicy *p, unsigned attempts, RunResult result, int exit_code, int exit_status,
    double random, uint64_t *ret_delay_usec)
{
    if (result == RUN_RESULT_NONE || result == RUN_SUCCESS || result == RUN_CANCELLED ||
        result == RUN_SKIPPED || result == RUN_EXPIRED || attempts > p->retries)
        return false;
    if (retry_list_matches(p->no_retry_on, result, exit_code, exit_status))
        return false;
    if (result == RUN_LOST && !retry_list_matches(p->retry_on, result, RUN_EXITED_UNKNOWN, 0))
        return false;
    if (p->retry_on && !retry_list_matches(p->retry_on, result, exit_code, exit_status))
        return false;
    if (ret_delay_usec)
        *ret_delay_usec = retry_delay(p, attempts, random);
    return true;
}

bool retry_word_is_valid(const char *word)
{
    RunResult result = run_result_from_string(word);

    if ((int)result >= 0)
        return result != RUN_RESULT_NONE && result != RUN_SUCCESS && result != RUN_CANCELLED &&
               result != RUN_SKIPPED && result != RUN_EXPIRED;
    return exit_status_from_string(word) >= 0 || signals_from_name(word) > 0;
}
