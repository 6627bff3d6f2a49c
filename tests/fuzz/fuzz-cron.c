/* Fuzzes crontab fields. What is taken is written, which reads as the same; moments come one after the other; what is
 * refused has a reason and a place. */
#include <string.h>

#include "base/utf8.h"
#include "model/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool fuzz_is_same(const Calendar *a, const Calendar *b)
{
    return a->seconds == b->seconds && a->minutes == b->minutes && a->hours == b->hours &&
           a->days == b->days && a->last == b->last && a->workdays == b->workdays && a->months == b->months &&
           a->weekdays == b->weekdays && memcmp(a->nth, b->nth, sizeof a->nth) == 0 &&
           a->either == b->either && memcmp(a->years, b->years, sizeof a->years) == 0 && !a->parts &&
           !b->parts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_auto(CalendarFault) fault = { 0 };
    g_autofree char *text = g_strndup((const char *)data, size), *written = NULL, *twice = NULL;
    uint64_t at = UINT64_C(1774000000000000);
    Calendar c, again;

    if (cron_parse(text, "salt", &c, &fault) < 0) {
        g_assert(fault.message && utf8_is_valid(fault.message) && fault.offset <= size);
        return 0;
    }
    written = cron_format(&c);
    g_assert(cron_parse(written, "pepper", &again, &fault) >= 0);
    twice = cron_format(&again);
    g_assert(g_str_equal(written, twice) && fuzz_is_same(&c, &again));
    for (unsigned i = 0; i < 30; i++) {
        uint64_t next = calendar_next(&c, zone_utc(), CALENDAR_GAP_NEXT, CALENDAR_FOLD_FIRST, at);

        if (next == USEC_INFINITY)
            break;
        g_assert(next > at && next % USEC_PER_SEC == 0);
        g_assert(calendar_next(&c, zone_utc(), CALENDAR_GAP_NEXT, CALENDAR_FOLD_FIRST, next - 1) == next);
        at = next;
    }
    return 0;
}
