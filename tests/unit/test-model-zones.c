/* Every zone of the tz database as it is installed, against the C library: offsets, and what becomes of moments that the
 * clock shows never or twice. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calendar-random.h"
#include "model/calendar-expression.h"

#define FROM    INT64_C(0)          /* 1970 */
#define UNTIL   INT64_C(2208988800) /* 2040 */
#define QUARTER 900
#define BEFORE  (36 * 3600)
#define AROUND  (4 * 86400) /* what is looked at around a change */

static GPtrArray *names; /* of zones that are not the same file as another */

static void find_zones(const char *directory, const char *prefix, GHashTable *seen)
{
    GDir *dir = g_dir_open(directory, 0, NULL);
    const char *entry;

    while (dir && (entry = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(directory, entry, NULL), *text = NULL;
        g_autofree char *name = g_strconcat(prefix, entry, NULL), *below = g_strconcat(name, "/", NULL);
        gsize size;

        if (g_str_equal(name, "right") || g_str_equal(name, "posix") || g_str_equal(name, "localtime"))
            continue;
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            find_zones(path, below, seen);
        else if (g_file_get_contents(path, &text, &size, NULL) && size > 4 && memcmp(text, "TZif", 4) == 0 &&
                 g_hash_table_add(seen, g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)text, size)))
            g_ptr_array_add(names, g_steal_pointer(&name));
    }
    if (dir)
        g_dir_close(dir);
}

static void set_zone(const char *name)
{
    g_autofree char *tz = g_strconcat(":", name, NULL);

    g_setenv("TZ", tz, TRUE);
    tzset();
}

static int64_t offset_of(time_t at)
{
    struct tm tm;

    localtime_r(&at, &tm);
    return tm.tm_gmtoff;
}

static void test_offsets(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(calendar_random_seed());
    unsigned changes = 0;

    for (guint i = 0; i < names->len; i++) {
        const Zone *z;

        g_assert_cmpint(zone_find(names->pdata[i], &z), >=, 0);
        set_zone(names->pdata[i]);
        for (guint s = 0; s < z->n; s++) {
            int64_t start = z->spans[s].start;

            if (start < FROM || start > INT64_C(7200000000))
                continue;
            changes++;
            g_assert_cmpint(offset_of(start - 1), ==, z->spans[s - 1].offset);
            g_assert_cmpint(offset_of(start), ==, z->spans[s].offset);
        }
        for (unsigned n = 0; n < 500; n++) { /* up to 2199 */
            int64_t at = (int64_t)(g_rand_double(chance) * 7258118400.0);

            g_assert_cmpint(offset_of(at), ==, z->spans[zone_span(z, at)].offset);
        }
    }
    g_test_message("%u zones, %u changes", names->len, changes);
    g_assert_cmpuint(names->len, >, 200);
}

/* --- around a change --- */

typedef struct Around {
    int64_t *utc, *local; /* every quarter of an hour or less, and what the clock shows */
    int n, step;
    bool hours[24], minutes[60];
    bool every;
    int64_t day; /* the only one that counts; -1: each */
} Around;

static bool wanted(const Around *a, int64_t local)
{
    return local >= 0 && (a->day < 0 || local / 86400 == a->day) && local % 60 == 0 &&
           a->hours[local / 3600 % 24] && a->minutes[local / 60 % 60];
}

static gint compare_instants(gconstpointer a, gconstpointer b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* The first second at which the clock shows `local` or more, where it jumps over that between two steps. */
static int64_t jump(const Around *a, int step)
{
    int64_t low = a->utc[step], high = a->utc[step + 1], before = offset_of(low);

    while (high - low > 1) {
        int64_t middle = (low + high) / 2;

        if (offset_of(middle) == before)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static void add_once(GArray *fires, int64_t at)
{
    for (guint i = 0; i < fires->len; i++)
        if (g_array_index(fires, int64_t, i) == at)
            return;
    g_array_append_val(fires, at);
}

/* What a moment that is wanted comes to. */
static void add_moment(const Around *a, int64_t local, CalendarGap gap, CalendarFold fold, GArray *fires)
{
    int first = -1, last = -1;

    for (int i = 0; i < a->n; i++)
        if (a->local[i] == local) {
            if (a->every || fold == CALENDAR_FOLD_BOTH)
                add_once(fires, a->utc[i]);
            first = first < 0 ? i : first;
            last = i;
        }
    if (first >= 0 && !a->every && fold != CALENDAR_FOLD_BOTH)
        add_once(fires, a->utc[fold == CALENDAR_FOLD_FIRST ? first : last]);
    if (first >= 0 || a->every || gap == CALENDAR_GAP_SKIP)
        return;
    for (int i = 0; i + 1 < a->n; i++)
        if (a->local[i] < local && a->local[i + 1] > local) {
            add_once(fires, jump(a, i));
            return;
        }
}

static char *make_expression(Around *a, GRand *chance, int64_t local)
{
    GString *s = g_string_new("*-*-* ");

    a->day = g_rand_boolean(chance) ? local / 86400 : -1;
    if (a->day >= 0) { /* the next one is years away */
        time_t day = a->day * 86400;
        struct tm tm;

        gmtime_r(&day, &tm);
        g_string_printf(s, "*-%d-%d ", tm.tm_mon + 1, tm.tm_mday);
    }
    memset(a->hours, a->every, sizeof a->hours);
    memset(a->minutes, 0, sizeof a->minutes);
    if (a->every)
        g_string_append_c(s, '*');
    for (int i = 0; !a->every && i < 3; i++) {
        int hour = (int)((local / 3600 + g_rand_int_range(chance, 0, 4) + 22) % 24);

        a->hours[hour] = true;
        g_string_append_printf(s, "%s%d", i > 0 ? "," : "", hour);
    }
    for (int i = 0; i < 2; i++) {
        int minute = g_rand_int_range(chance, 0, 4) * 15;

        a->minutes[minute] = true;
        g_string_append_printf(s, "%c%d", i > 0 ? ',' : ':', minute);
    }
    return g_string_free(s, FALSE);
}

static void compare(
    const Around *a, const Calendar *c, const Zone *z, const char *text, CalendarGap gap, CalendarFold fold)
{
    g_autoptr(GArray) fires = g_array_new(false, false, sizeof(int64_t));
    int64_t low = INT64_MAX, high = INT64_MIN;
    /* What the edges show may be shown once more outside. */
    int64_t from = MAX(a->utc[0] + 26 * 3600, 1), until = a->utc[a->n - 1] - 26 * 3600;
    uint64_t at = (uint64_t)from * USEC_PER_SEC - 1;

    for (int i = 0; i < a->n; i++) {
        low = MIN(low, a->local[i]);
        high = MAX(high, a->local[i]);
    }
    for (int64_t local = low; local <= high; local += a->step)
        if (wanted(a, local))
            add_moment(a, local, gap, fold, fires);
    g_array_sort(fires, compare_instants);
    for (guint i = 0; i < fires->len; i++) {
        int64_t expected = g_array_index(fires, int64_t, i);

        if (expected < from || expected > until)
            continue;
        at = calendar_next(c, z, gap, fold, at);
        if ((int64_t)(at / USEC_PER_SEC) != expected || at % USEC_PER_SEC != 0)
            g_error("%s '%s' gap %d fold %d: brute force says %" G_GINT64_FORMAT ", we %" G_GUINT64_FORMAT,
                z->name, text, gap, fold, expected, at);
    }
    g_assert_cmpuint(calendar_next(c, z, gap, fold, at), >, (uint64_t)until * USEC_PER_SEC);
}

static void check_expression(Around *a, const Zone *z, int64_t local, GRand *chance)
{
    g_auto(CalendarExpression) e = { 0 };
    g_auto(CalendarFault) fault = { 0 };
    g_auto(Calendar) c = { 0 };
    g_autofree char *text = make_expression(a, chance, local);

    g_assert_cmpint(calendar_expression_parse(text, &e, &fault), >=, 0);
    calendar_expression_compile(&e, &c);
    if (a->every) {
        compare(a, &c, z, text, CALENDAR_GAP_NEXT, CALENDAR_FOLD_FIRST);
        return;
    }
    for (CalendarGap gap = CALENDAR_GAP_NEXT; gap <= CALENDAR_GAP_SKIP; gap++)
        for (CalendarFold fold = CALENDAR_FOLD_FIRST; fold <= CALENDAR_FOLD_BOTH; fold++)
            compare(a, &c, z, text, gap, fold);
}

/* Offsets are of whole quarters of an hour but for a few, before 1980: there what the clock shows is met at smaller steps. */
static int find_step(int64_t begin)
{
    int64_t step = QUARTER;

    for (int64_t at = begin; at < begin + AROUND; at += QUARTER)
        for (int64_t rest = ABS(offset_of(at)), divisor = step; rest != 0; divisor = step) {
            step = rest;
            rest = divisor % rest;
        }
    return (int)step;
}

static int check_change(const Zone *z, int64_t start, int64_t before, GRand *chance)
{
    int64_t begin = (start - BEFORE) / QUARTER * QUARTER;
    Around a = { .step = find_step(begin) };

    a.n = AROUND / a.step;
    a.utc = g_new(int64_t, (gsize)a.n);
    a.local = g_new(int64_t, (gsize)a.n);
    for (int i = 0; i < a.n; i++) {
        a.utc[i] = begin + i * a.step;
        a.local[i] = a.utc[i] + offset_of(a.utc[i]);
    }
    a.every = false;
    check_expression(&a, z, start + before, chance);
    a.every = true;
    check_expression(&a, z, start + before, chance);
    g_free(a.utc);
    g_free(a.local);
    return a.step;
}

static void test_changes(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(calendar_random_seed());
    bool brief = calendar_random_brief();
    unsigned n = 0, n_fine = 0;

    for (guint i = 0; i < names->len; i++) {
        const Zone *z;

        g_assert_cmpint(zone_find(names->pdata[i], &z), >=, 0);
        set_zone(names->pdata[i]);
        for (guint s = 1; s < z->n; s++) {
            int64_t start = z->spans[s].start;

            if (start < FROM || start > UNTIL || (brief && g_rand_int_range(chance, 0, 20) > 0))
                continue;
            n++;
            n_fine += check_change(z, start, z->spans[s - 1].offset, chance) < QUARTER;
        }
    }
    g_test_message(
        "%u changes from 1970 to 2040, %u of them to or from what is no quarter of an hour", n, n_fine);
    g_assert_cmpuint(n, >, brief ? 100 : 10000);
    g_assert_cmpuint(n_fine, >=, brief ? 0 : 2); /* Monrovia in 1972, Kiritimati in 1979 */
}

static void test_refused(void)
{
    static const char *const bad[] = { "", "/etc/passwd", "../zoneinfo/UTC", "Europe//Berlin", "Europe/",
        "Europe", "zone.tab", "Europe/Nowhere", "Europe/Berlin ", "a\nb", "\xff" };
    static const char *const rules[] = { "CET-1CEST,M3.5.0,M10.5.0/3", "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
        "EST5", "XXX3EDT4,0/0,J365/23", "IST-1GMT0,M10.5.0,M3.5.0/1" };
    static const char *const no_rules[] = { "", "CET", "CE-1", "CET-1CEST", "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M1.1.1", "CET-1CEST,M3.5.0,M10.5.0/3x", "CET-26", "<CET-1", "CET-1CEST,J0,J1",
        "CET-1CEST,366,1" };
    const Zone *found;
    Zone *z;

    ARRAY_FOREACH (name, bad)
        g_assert_cmpint(zone_find(*name, &found), <, 0);
    ARRAY_FOREACH (rule, rules) {
        g_assert_cmpint(zone_parse_rule(*rule, *rule, &z), ==, 0);
        zone_free(z);
    }
    ARRAY_FOREACH (rule, no_rules)
        g_assert_cmpint(zone_parse_rule(*rule, *rule, &z), ==, -EINVAL);
    g_assert_true(zone_find("UTC", &found) == 0 && found == zone_utc());
}

static void test_local(void)
{
    const Zone *z;

    g_setenv("TZ", ":Europe/Berlin", TRUE);
    g_assert_cmpint(zone_find("Europe/Berlin", &z), ==, 0);
    g_assert_true(zone_local() == z);
    g_assert_false(zone_refresh());
}

int main(int argc, char **argv)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    int r;

    g_test_init(&argc, &argv, NULL);
    names = g_ptr_array_new_with_free_func(g_free);
    find_zones("/usr/share/zoneinfo", "", seen);
    g_test_add_func("/zones/local", test_local);
    g_test_add_func("/zones/refused", test_refused);
    g_test_add_func("/zones/offsets", test_offsets);
    g_test_add_func("/zones/changes", test_changes);
    r = g_test_run();
    g_ptr_array_unref(names);
    return r;
}
