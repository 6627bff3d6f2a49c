/* Fuzzes expressions of calendars. What is taken is written in its normal form, which reads as the same; moments come one
 * after the other, on any clock; what is refused has a reason and a place. */
#include <string.h>

#include "base/utf8.h"
#include "model/calendar-expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool fuzz_is_same(const CalendarExpression *a, const CalendarExpression *b)
{
    for (unsigned f = 0; f < _CALENDAR_FIELD_MAX; f++) {
        const GArray *x = a->fields[f], *y = b->fields[f];

        if (!x != !y || (x && x->len != y->len))
            return false;
        for (guint i = 0; x && i < x->len; i++) {
            const CalendarRange *r = &g_array_index(x, CalendarRange, i),
                                *s = &g_array_index(y, CalendarRange, i);

            if (r->start != s->start || r->stop != s->stop || r->step != s->step)
                return false;
        }
    }
    return a->weekdays == b->weekdays && a->from_end == b->from_end && a->zone == b->zone;
}

static void try_moments(const Calendar *c, const Zone *zone, CalendarGap gap, CalendarFold fold)
{
    uint64_t at = UINT64_C(1774000000000000); /* days before a clock is set forward */

    for (unsigned i = 0; i < 50; i++) {
        uint64_t next = calendar_next(c, zone, gap, fold, at);

        if (next == USEC_INFINITY)
            break;
        g_assert(next > at);
        /* None between. */
        g_assert(calendar_next(c, zone, gap, fold, at + (next - at - 1) / 2) == next);
        g_assert(calendar_next(c, zone, gap, fold, next - 1) == next);
        at = i == 20 ? UINT64_C(1792800000000000) : next; /* and back */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_auto(CalendarExpression) e = { 0 }, again = { 0 };
    g_auto(CalendarFault) fault = { 0 };
    g_auto(Calendar) c = { 0 };
    g_autofree char *text = g_strndup((const char *)data, size), *normal = NULL, *twice = NULL;
    const Zone *berlin;

    if (calendar_expression_parse(text, &e, &fault) < 0) {
        g_assert(fault.message && utf8_is_valid(fault.message) && fault.offset <= size);
        return 0;
    }
    normal = calendar_expression_format(&e);
    g_assert(calendar_expression_parse(normal, &again, &fault) >= 0);
    twice = calendar_expression_format(&again);
    g_assert(g_str_equal(normal, twice) && fuzz_is_same(&e, &again));
    calendar_expression_compile(&e, &c);
    g_assert(calendar_distance(&c) > 0);
    if (zone_find("Europe/Berlin", &berlin) < 0)
        berlin = zone_utc();
    try_moments(&c, zone_utc(), CALENDAR_GAP_NEXT, CALENDAR_FOLD_FIRST);
    try_moments(&c, berlin, CALENDAR_GAP_NEXT, CALENDAR_FOLD_LAST);
    try_moments(&c, berlin, CALENDAR_GAP_SKIP, CALENDAR_FOLD_BOTH);
    try_moments(&c, e.zone ? e.zone : berlin, CALENDAR_GAP_NEXT, CALENDAR_FOLD_FIRST);
    return 0;
}
