/* Fuzzes recurrence rules. What is taken is written, which reads as the same rule with the same moments; these come one after the
 * other; what is refused has a reason and a place. */
#include <string.h>

#include "base/utf8.h"
#include "model/recurrence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define START (INT64_C(1774000000) * (int64_t)USEC_PER_SEC)

static void fuzz_check_moments(const Recurrence *r, const Recurrence *again)
{
    int64_t at = START;

    for (unsigned i = 0; i < 20; i++) {
        int64_t next = recurrence_next(r, at);

        g_assert(next == recurrence_next(again, at));
        if (next == RECURRENCE_NEVER)
            break;
        g_assert(next >= at && next % (int64_t)USEC_PER_SEC == 0 && recurrence_next(r, next) == next);
        at = next + 1;
    }
    (void)recurrence_next(r, START + INT64_C(100) * 365 * 86400 * (int64_t)USEC_PER_SEC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_auto(CalendarFault) fault = { 0 };
    g_autofree char *text = g_strndup((const char *)data, size), *written = NULL, *twice = NULL;
    g_auto(Recurrence) r = { 0 }, again = { 0 };

    if (recurrence_parse(text, &r, &fault) < 0) {
        g_assert(fault.message && utf8_is_valid(fault.message) && fault.offset <= size);
        return 0;
    }
    written = recurrence_format(&r);
    g_assert(recurrence_parse(written, &again, &fault) >= 0);
    twice = recurrence_format(&again);
    g_assert(g_str_equal(written, twice) && r.parts == again.parts);
    recurrence_begin(&r, START);
    recurrence_begin(&again, START);
    g_assert(recurrence_until(&r) == recurrence_until(&again));
    g_assert(recurrence_is_hourly(&r) == recurrence_is_hourly(&again));
    fuzz_check_moments(&r, &again);
    return 0;
}
