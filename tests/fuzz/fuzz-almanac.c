/* Fuzzes named calendars: a file, behind a 0x1e byte the iCalendar file that it may name (x.ics), and behind another one a
 * calendar that it may name (other). What is taken stays within, or is not, for as long as it says; its days and hours, written
 * anew, are the same; what is refused has a fault, each in UTF-8 and at a place that exists. */
#include <string.h>

#include "faults.h"
#include "model/almanac.h"
#include "model/civil.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define START (UINT64_C(1790000000) * USEC_PER_SEC)
#define STEPS 4
#define LOOKS 100u

static bool fuzz_has(const Almanac *a, uint64_t at)
{
    uint64_t until;

    return almanac_has(a, zone_utc(), at, &until);
}

/* One stay after the other: what it says of its begin holds in its middle and at its last moment. */
static void fuzz_check_stays(const Almanac *a)
{
    uint64_t at = START;

    for (unsigned i = 0; i < STEPS; i++) {
        unsigned looks = LOOKS;
        uint64_t until, next;
        bool within = almanac_has(a, zone_utc(), at, &until);

        g_assert(until > at);
        g_assert(almanac_next(a, zone_utc(), at, within, &looks, &next) && next == at);
        if (until == USEC_INFINITY)
            break;
        g_assert(fuzz_has(a, until - 1) == within && fuzz_has(a, at + (until - at) / 2) == within);
        looks = LOOKS;
        if (!almanac_next(a, zone_utc(), at, !within, &looks, &next))
            break;
        g_assert(next >= until && fuzz_has(a, next) != within && fuzz_has(a, next - 1) == within);
        at = next;
    }
}

/* Where it is said, without a look at any time, that nothing is within, nothing is. */
static void fuzz_check_void(const Almanac *a)
{
    unsigned looks = LOOKS;
    uint64_t next;

    if (almanac_is_void(a, zone_utc()))
        g_assert(!fuzz_has(a, START) && !almanac_next(a, zone_utc(), START, true, &looks, &next));
}

static void fuzz_write_day(GString *s, int64_t day)
{
    CivilDate d = civil_from_days(day);

    g_string_append_printf(s, "%04d-%02d-%02d", d.year, d.month, d.day);
}

static void fuzz_write_hour(GString *s, int64_t usec)
{
    int64_t seconds = usec / (int64_t)USEC_PER_SEC;

    g_string_append_printf(
        s, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
}

static char *fuzz_write(const Almanac *a)
{
    GString *s = g_string_new("[Calendar]\n");

    for (guint i = 0; i < a->days->len; i++) {
        const AlmanacDays *d = &g_array_index(a->days, AlmanacDays, i);

        g_string_append(s, "Days=");
        fuzz_write_day(s, d->first);
        g_string_append(s, "..");
        fuzz_write_day(s, d->last);
        g_string_append_c(s, '\n');
    }
    for (guint i = 0; i < a->hours->len; i++) {
        const AlmanacHours *h = &g_array_index(a->hours, AlmanacHours, i);

        g_string_append(s, "Hours=");
        fuzz_write_hour(s, h->from);
        g_string_append(s, "..");
        fuzz_write_hour(s, h->to > ALMANAC_DAY_USEC ? h->to - ALMANAC_DAY_USEC : h->to);
        g_string_append_c(s, '\n');
    }
    return g_string_free(s, false);
}

/* Where there are days or hours, and nothing else. */
static void fuzz_check_written(const Almanac *a)
{
    g_autofree char *text = fuzz_write(a), *twice = NULL;
    g_autoptr(AlmanacSet) set = almanac_set_new();
    TaskSource source = { (char *)"/w.calendar", text, strlen(text), (char *)"w" };
    const Almanac *again;

    if (a->patterns->len + a->events->len + a->includes->len + a->excludes->len > 0 ||
        a->days->len + a->hours->len == 0)
        return;
    almanac_set_add(set, &source);
    again = almanac_set_find(set, "w", NULL, NULL);
    g_assert(again && again->every_day == a->every_day);
    twice = fuzz_write(again);
    g_assert(g_str_equal(text, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *all = g_malloc(size + 1);
    TaskSource sources[] = {
        { .path = (char *)"/c.calendar", .calendar = (char *)"c" },
        { .path = (char *)"/x.ics", .calendar = (char *)"c" },
        { .path = (char *)"/other.calendar", .calendar = (char *)"other" },
    };
    g_autoptr(GPtrArray) diags = diag_list_new(), files = NULL;
    g_autoptr(AlmanacSet) set = almanac_set_new();
    const Almanac *a;
    size_t n = 0;

    if (size > 0)
        memcpy(all, data, size);
    for (size_t begin = 0; n < G_N_ELEMENTS(sources) && begin <= size; n++) {
        char *cut = n + 1 < G_N_ELEMENTS(sources) ? memchr(all + begin, 0x1e, size - begin) : NULL;
        size_t end = cut ? (size_t)(cut - all) : size;

        all[end] = 0;
        sources[n].text = all + begin;
        sources[n].length = end - begin;
        almanac_set_add(set, &sources[n]);
        begin = end + 1;
    }
    files = almanac_files(&sources[0]);
    a = almanac_set_find(set, "c", diags, NULL);
    if (!a) {
        fuzz_check_faults(sources, n, diags);
        return 0;
    }
    fuzz_check_stays(a);
    fuzz_check_void(a);
    fuzz_check_written(a);
    return 0;
}
