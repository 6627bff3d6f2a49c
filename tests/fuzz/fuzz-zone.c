/* Fuzzes files of the tz database, and the rules at their end. What is taken is a row of spans that go on from each
 * other, and every instant is in the one that it belongs to. */
#include <string.h>

#include "base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_zone(const Zone *z)
{
    g_assert(z->n > 0 && z->spans[0].start == INT64_MIN);
    for (guint i = 0; i < z->n; i++) {
        g_assert(ABS(z->spans[i].offset) <= ZONE_SHIFT_MAX);
        g_assert(zone_span(z, z->spans[i].start) == i);
        g_assert(zone_span(z, zone_span_end(z, i) - 1) == i || zone_span_end(z, i) == INT64_MAX);
        if (i > 0)
            g_assert(
                z->spans[i].start > z->spans[i - 1].start && z->spans[i].offset != z->spans[i - 1].offset);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Zone) file = NULL, rule = NULL;
    g_autofree char *text = g_strndup((const char *)data, size);

    if (zone_parse("file", data, size, &file) >= 0)
        try_zone(file);
    if (zone_parse_rule("rule", text, &rule) >= 0)
        try_zone(rule);
    return 0;
}
