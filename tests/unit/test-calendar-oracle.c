/* Random expressions of calendars: do we take, write and compute what systemd-analyze does? systemd 257 and later. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calendar-brute.h"
#include "calendar-random.h"
#include "model/calendar-expression.h"
#include "model/civil.h"

#define ITERATIONS     3
#define BATCH          1000
#define BRUTE_DAYS     (40 * 366)
#define NEAR_DAYS      2 /* so long before a moment of parts of seconds others are looked for */
#define IN_UTC         200000
#define IN_UTC_BRIEF   4000
#define IN_ZONES       5000
#define IN_ZONES_BRIEF 400

/* What one side says of an expression. */
typedef struct Verdict {
    char *normal;             /* NULL: refused */
    int64_t next[ITERATIONS]; /* seconds since 1970 */
    bool local[ITERATIONS];   /* that one is as the clock shows it: no UTC is told beside it */
    unsigned n;
    bool failed; /* taken, and then given up */
} Verdict;

typedef struct Batch {
    const char *tz;
    int64_t base;
    GPtrArray *texts; /* one more is NULL */
    Verdict theirs[BATCH], ours[BATCH];
} Batch;

static const char *analyze = "systemd-analyze";
static unsigned histogram[_PRODUCTION_MAX], n_expressions, n_refused, n_differences, n_parts;

/* Where systemd is known to be wrong. What differs has to be one of these, and brute force to say what we say; each has
 * its examples in the list below. */
typedef enum Known {
    KNOWN_CARRY,
    KNOWN_STUCK,
    KNOWN_FOLD,
    _KNOWN_MAX,
} Known;

static const struct {
    const char *name, *upstream, *theirs, *ours;
} known_classes[_KNOWN_MAX] = {
    [KNOWN_CARRY] = { "carry", "systemd issue 40260, mended there for years alone",
        "where a step leads beyond the end of two fields at once (23:50 and 24 minutes), the lower one is not begun "
        "anew, and its first values are passed over",
        "systemd.time(7): START/STEP is START and what is a multiple of STEP after it, in each hour, day and month" },
    [KNOWN_STUCK] = { "stuck", "systemd issue 32039 and its like",
        "behind a change of the clock the same moment is told again and again, or the search is given up and it is "
        "'never'",
        "the clock shows what the expression says, before and after it changes" },
    [KNOWN_FOLD] = { "fold", "systemd pull request 36897, with more to it",
        "which of the two times that a clock shows the same is taken is forgotten on the way, and of an hour that "
        "comes twice all is passed over the second time, or a time in it is told twice",
        "with every hour both times count, as taskschedd.task(5) says; else the first one (DST=first)" },
};
static unsigned known_seen[_KNOWN_MAX];

static void verdict_clear(Verdict *v)
{
    g_free(v->normal);
    *v = (Verdict){ 0 };
}

/* "Thu 2024-02-29 01:00:00 UTC" */
static bool read_stamp(const char *text, int64_t *ret)
{
    int y, mo, d, h, mi, s;

    if (sscanf(text, "%*3s %d-%d-%d %d:%d:%d", &y, &mo, &d, &h, &mi, &s) != 6)
        return false;
    *ret = civil_to_days(y, mo, d) * 86400 + h * 3600 + mi * 60 + s;
    return true;
}

/* Lines are "LABEL: VALUE"; what is in UTC beside a local time is the better. */
static void read_answers(Batch *b, const char *out, GHashTable *refused)
{
    g_auto(GStrv) lines = g_strsplit(out, "\n", -1);
    int at = -1;
    Verdict *v = NULL;

    for (char **line = lines; *line; line++) {
        char *value = strstr(*line, ": ");
        int64_t stamp;

        if (!value)
            continue;
        value += 2;
        if (strstr(*line, "Normalized form: ")) {
            do
                at++;
            while (at < (int)b->texts->len - 1 && g_hash_table_contains(refused, b->texts->pdata[at]));
            g_assert_cmpint(at, <, b->texts->len - 1);
            v = &b->theirs[at];
            v->normal = g_strdup(value);
        } else if (v && (strstr(*line, "Next elapse: ") || strstr(*line, "Iteration #"))) {
            if (read_stamp(value, &stamp) && v->n < ITERATIONS) {
                v->local[v->n] = !g_str_equal(b->tz, "UTC");
                v->next[v->n++] = stamp;
            }
        } else if (v && v->n > 0 && strstr(*line, "(in UTC): ") && read_stamp(value, &stamp)) {
            v->local[v->n - 1] = false;
            v->next[v->n - 1] = stamp;
        }
    }
}

static void ask_systemd(Batch *b)
{
    g_autoptr(GHashTable) refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *out = NULL, *err = NULL,
                    *base = g_strdup_printf("--base-time=@%" G_GINT64_FORMAT, b->base);
    g_autofree char *iterations = g_strdup_printf("--iterations=%d", ITERATIONS);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "TZ", b->tz, TRUE), lines = NULL;
    const char *const words[] = { analyze, "calendar", iterations, base, "--" };
    static const char *const failures[] = { "Failed to parse calendar specification '",
        "Failed to determine next elapse for '" };

    environment = g_environ_setenv(environment, "LC_ALL", "C.UTF-8", TRUE);
    ARRAY_FOREACH (word, words)
        g_ptr_array_add(argv, (gpointer)*word);
    for (guint i = 0; i < b->texts->len; i++)
        g_ptr_array_add(argv, b->texts->pdata[i]);
    g_assert_true(g_spawn_sync(
        NULL, (char **)argv->pdata, environment, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, NULL, NULL));
    lines = g_strsplit(err, "\n", -1);
    for (char **line = lines; *line; line++) {
        char *end = strrchr(*line, '\'');

        ARRAY_FOREACH (failure, failures)
            if (g_str_has_prefix(*line, *failure))
                g_hash_table_replace(refused,
                    g_strndup(*line + strlen(*failure), (size_t)(end - *line) - strlen(*failure)),
                    (gpointer)*failure);
    }
    read_answers(b, out, refused);
    for (guint i = 0; i + 1 < b->texts->len; i++)
        b->theirs[i].failed = g_hash_table_lookup(refused, b->texts->pdata[i]) == failures[1];
}

/* Does it name a moment between two seconds? */
static bool has_parts(const CalendarExpression *e)
{
    const GArray *field = e->fields[CALENDAR_PART];

    for (guint i = 0; field && i < field->len; i++) {
        const CalendarRange *r = &g_array_index(field, CalendarRange, i);

        if (r->start % 1000000 != 0 || r->step % 1000000 != 0)
            return true;
    }
    return false;
}

static void set_zone(const char *name)
{
    g_setenv("TZ", name, TRUE);
    tzset();
}

/* Of systemd only seconds are told: to the µs brute force says what is right, from so long before each moment that it is not at it for
 * hours. */
static void check_parts(
    const Batch *b, const char *text, const CalendarExpression *e, const uint64_t *moments, unsigned n)
{
    uint64_t after = (uint64_t)b->base * USEC_PER_SEC, near = NEAR_DAYS * UINT64_C(86400) * USEC_PER_SEC;

    /* Before 1973 not every offset was of whole minutes. */
    if (!has_parts(e) || (b->base < 100000000 && e->zone && e->zone != zone_utc()))
        return;
    n_parts++;
    set_zone(e->zone ? e->zone->name : b->tz);
    for (unsigned i = 0; i < ITERATIONS; i++) {
        uint64_t expected;

        if (i < n && moments[i] > after + near)
            after = moments[i] - near;
        if (calendar_brute(e, after, NEAR_DAYS + 1, &expected) == INT64_MAX)
            expected = USEC_INFINITY;
        if (i < n ? expected != moments[i] : expected != USEC_INFINITY)
            g_error("TZ=%s '%s' after %" G_GUINT64_FORMAT " µs: brute force says %" G_GUINT64_FORMAT
                    ", we %" G_GUINT64_FORMAT,
                b->tz, text, after, expected, i < n ? moments[i] : USEC_INFINITY);
        if (i >= n)
            break;
        after = moments[i];
    }
    set_zone("UTC");
}

static void ask_ourselves(const Batch *b, const char *text, Verdict *v)
{
    g_auto(CalendarExpression) e = { 0 };
    g_auto(CalendarFault) fault = { 0 };
    g_auto(Calendar) c = { 0 };
    const Zone *zone;
    uint64_t usec = (uint64_t)b->base * USEC_PER_SEC, moments[ITERATIONS];

    if (calendar_expression_parse(text, &e, &fault) < 0) {
        g_assert_cmpuint(fault.offset, <=, strlen(text));
        g_assert_nonnull(fault.message);
        return;
    }
    v->normal = calendar_expression_format(&e);
    calendar_expression_compile(&e, &c);
    g_assert_cmpint(zone_find(b->tz, &zone), >=, 0);
    for (v->n = 0; v->n < ITERATIONS; v->n++) {
        usec = calendar_next(&c, e.zone ? e.zone : zone, CALENDAR_GAP_SKIP, CALENDAR_FOLD_FIRST, usec);
        if (usec == USEC_INFINITY)
            break;
        moments[v->n] = usec;
        v->next[v->n] = (int64_t)(usec / USEC_PER_SEC);
    }
    check_parts(b, text, &e, moments, v->n);
}

/* What is written and read again is the same. */
static void check_round(const char *text, const char *normal)
{
    g_auto(CalendarExpression) e = { 0 };
    g_auto(CalendarFault) fault = { 0 };
    g_autofree char *again = NULL;

    if (calendar_expression_parse(normal, &e, &fault) < 0)
        g_error("'%s' becomes '%s', which is refused: %s", text, normal, fault.message);
    again = calendar_expression_format(&e);
    g_assert_cmpstr(again, ==, normal);
}

/* Does anything of this step over the end of its field? */
static bool has_open_step(const CalendarExpression *e)
{
    ARRAY_FOREACH (field, e->fields)
        for (guint i = 0; *field && i < (*field)->len; i++) {
            const CalendarRange *r = &g_array_index(*field, CalendarRange, i);

            if (r->step > 1 && r->stop < 0)
                return true;
        }
    return false;
}

/* Does the zone's clock change within a day of any of these? */
static bool is_near_change(const Zone *z, const Verdict *v, int64_t base)
{
    for (unsigned i = 0; i <= v->n; i++) {
        int64_t at = i < v->n ? v->next[i] : base;

        if (zone_span(z, at - 86400) != zone_span(z, at + 86400))
            return true;
    }
    return false;
}

/* Does it change before the last of these? */
static bool is_beyond_change(const Zone *z, const Verdict *v, int64_t base)
{
    return v->n > 0 && zone_span(z, base - 86400) != zone_span(z, v->next[v->n - 1]);
}

static void check_brute(const Batch *b, const char *text, const CalendarExpression *e, const Verdict *ours)
{
    uint64_t usec = (uint64_t)b->base * USEC_PER_SEC;

    set_zone(e->zone ? e->zone->name : b->tz);
    for (unsigned i = 0; i < ITERATIONS; i++) {
        int64_t expected = calendar_brute(e, usec, BRUTE_DAYS, &usec);

        if (expected == INT64_MAX && (i >= ours->n || ours->next[i] > b->base + BRUTE_DAYS * INT64_C(86400)))
            break;
        if (i >= ours->n || expected != ours->next[i])
            g_error("TZ=%s '%s' after %" G_GINT64_FORMAT ": brute force says %" G_GINT64_FORMAT
                    ", we %" G_GINT64_FORMAT,
                b->tz, text, b->base, expected, i < ours->n ? ours->next[i] : -1);
    }
    set_zone("UTC");
}

static void tell(
    const Batch *b, const char *what, const char *text, const Verdict *theirs, const Verdict *ours)
{
    g_test_message("%s, to be kept in tests/unit/kept/calendar.tsv: %s\t%" G_GINT64_FORMAT
                   "\t%s: they '%s' %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                   " (%u), we '%s' %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " (%u)",
        what, b->tz, b->base, text, theirs->normal, theirs->next[0], theirs->next[1], theirs->next[2],
        theirs->n, ours->normal, ours->next[0], ours->next[1], ours->next[2], ours->n);
}

/* A difference that brute force decides for us, and of which class it is; _KNOWN_MAX: none. */
static Known classify(const Batch *b, const char *text, const Verdict *theirs, const Verdict *ours)
{
    g_auto(CalendarExpression) e = { 0 };
    g_auto(CalendarFault) fault = { 0 };
    const Zone *zone;

    if (!ours->normal || (!theirs->failed && g_strcmp0(theirs->normal, ours->normal) != 0))
        return _KNOWN_MAX;
    g_assert_cmpint(calendar_expression_parse(text, &e, &fault), >=, 0);
    g_assert_cmpint(zone_find(b->tz, &zone), >=, 0);
    zone = e.zone ? e.zone : zone;
    check_brute(b, text, &e, ours);
    /* Beyond a change it says "never". */
    if (theirs->failed || (theirs->n > 1 && theirs->next[0] == theirs->next[1]) ||
        (theirs->n < ours->n && is_beyond_change(zone, ours, b->base)))
        return KNOWN_STUCK;
    if (is_near_change(zone, theirs, b->base) || is_near_change(zone, ours, b->base))
        return KNOWN_FOLD;
    return has_open_step(&e) ? KNOWN_CARRY : _KNOWN_MAX;
}

/* Each that is let pass is told. */
static bool is_known(const Batch *b, const char *text, const Verdict *theirs, const Verdict *ours)
{
    Known known = classify(b, text, theirs, ours);

    if (known == _KNOWN_MAX)
        return false;
    known_seen[known]++;
    tell(b, known_classes[known].name, text, theirs, ours);
    return true;
}

static void tell_known(void)
{
    for (unsigned i = 0; i < _KNOWN_MAX; i++)
        g_test_message("%s: %u differences (%s): %s. We are right: %s", known_classes[i].name, known_seen[i],
            known_classes[i].upstream, known_classes[i].theirs, known_classes[i].ours);
}

/* A local time is the same where the clock shows it at our instant. */
static void make_utc(const Batch *b, Verdict *theirs, const Verdict *ours)
{
    const Zone *zone;

    g_assert_cmpint(zone_find(b->tz, &zone), >=, 0);
    for (unsigned i = 0; i < theirs->n; i++)
        if (theirs->local[i])
            theirs->next[i] -= zone->spans[zone_span(zone, ours->next[i])].offset;
}

static void compare(Batch *b)
{
    ask_systemd(b);
    for (guint i = 0; i + 1 < b->texts->len; i++) {
        const char *text = b->texts->pdata[i];
        Verdict *theirs = &b->theirs[i], *ours = &b->ours[i];

        ask_ourselves(b, text, ours);
        make_utc(b, theirs, ours);
        n_refused += !theirs->normal;
        if (ours->normal)
            check_round(text, ours->normal);
        if (g_strcmp0(theirs->normal, ours->normal) != 0 || theirs->n != ours->n ||
            memcmp(theirs->next, ours->next, ours->n * sizeof ours->next[0]) != 0 || theirs->failed) {
            if (!is_known(b, text, theirs, ours)) {
                n_differences++;
                tell(b, "DIFFERENCE", text, theirs, ours);
            }
        }
        verdict_clear(theirs);
        verdict_clear(ours);
    }
}

static const struct {
    Known known;
    const char *tz;
    int64_t base;
    const char *text;
    int64_t theirs[ITERATIONS], ours[ITERATIONS]; /* 0: none */
} differences[] = {
    { KNOWN_CARRY, "UTC", 431394000, "*:02/24", { 431394600, 431396760, 431398200 },
        { 431394600, 431395320, 431396760 } },
    { KNOWN_CARRY, "UTC", 1583018888, "02/18:23/17", { 1583094180, 1583095200, 1583096220 },
        { 1583029380, 1583030400, 1583031420 } },
    { KNOWN_CARRY, "UTC", 418143597, "*:*:27/32", { 418143599, 418143659, 418143687 },
        { 418143599, 418143627, 418143659 } },
    { KNOWN_CARRY, "UTC", 370696863, "08/14:52", { 370738320, 370824720, 370860720 },
        { 370738320, 370774320, 370824720 } },
    { KNOWN_STUCK, "Africa/Cairo", 767691549, "Sat,Mon,Tue *-6/19 21..22/1:43/7", { 0 },
        { 770928180, 770928600, 770929020 } },
    { KNOWN_STUCK, "Europe/Berlin", 1017514700, "10/8:00", { 0 }, { 1017561600, 1017590400, 1017648000 } },
    { KNOWN_FOLD, "Atlantic/Azores", 1319840959, "Sunday *:53..54", { 1319935980, 1319936040, 1319943180 },
        { 1319935980, 1319936040, 1319939580 } },
};

/* The list: what they answer is so still where their version is this one, and what we answer is right. */
static void test_list(void)
{
    bool held[_KNOWN_MAX] = { 0 };

    ARRAY_FOREACH (d, differences) {
        Batch b = { .tz = d->tz, .base = d->base, .texts = g_ptr_array_new_with_free_func(g_free) };
        Verdict *ours = &b.ours[0], *theirs = &b.theirs[0];

        g_ptr_array_add(b.texts, g_strdup(d->text));
        g_ptr_array_add(b.texts, NULL);
        ask_ourselves(&b, d->text, ours);
        if (memcmp(ours->next, d->ours, sizeof d->ours) != 0)
            tell(&b, "LIST", d->text, theirs, ours);
        g_assert_true(memcmp(ours->next, d->ours, sizeof d->ours) == 0);
        ask_systemd(&b);
        if (memcmp(theirs->next, d->theirs, sizeof d->theirs) != 0)
            tell(&b, "systemd has changed", d->text, theirs, ours);
        else
            g_assert_cmpint(classify(&b, d->text, theirs, ours), ==, d->known);
        held[d->known] = true;
        verdict_clear(ours);
        verdict_clear(theirs);
        g_ptr_array_unref(b.texts);
    }
    ARRAY_FOREACH (class, held)
        g_assert_true(*class);
}

/* Cases that told something once: zone, seconds, expression. */
static void test_kept(void)
{
    const char *source = g_getenv("SRC");
    g_autofree char *path = g_build_filename(source ? source : "..", "tests/unit/kept/calendar.tsv", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    n_differences = 0;
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, "\t", 3);
        Batch b = { .tz = words[0], .texts = g_ptr_array_new() };

        if (g_strv_length(words) == 3 && **line != '#') {
            b.base = g_ascii_strtoll(words[1], NULL, 10);
            g_ptr_array_add(b.texts, words[2]);
            g_ptr_array_add(b.texts, NULL);
            compare(&b);
        }
        g_ptr_array_unref(b.texts);
    }
    g_assert_cmpuint(n_differences, ==, 0);
}

static void fill(Batch *b, GRand *chance, bool zones, unsigned n)
{
    g_ptr_array_set_size(b->texts, 0);
    while (b->texts->len < n) {
        bool used[_PRODUCTION_MAX];
        char *text = calendar_random(chance, zones, used);

        for (unsigned p = 0; p < _PRODUCTION_MAX; p++)
            histogram[p] += used[p];
        n_expressions++;
        g_ptr_array_add(b->texts, text);
    }
    g_ptr_array_add(b->texts, NULL);
}

static void test_utc(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(calendar_random_seed());
    Batch b = { .tz = "UTC", .texts = g_ptr_array_new_with_free_func(g_free) };
    unsigned n = calendar_random_brief() ? IN_UTC_BRIEF : IN_UTC;

    memset(histogram, 0, sizeof histogram);
    memset(known_seen, 0, sizeof known_seen);
    n_expressions = n_refused = n_differences = n_parts = 0;
    while (n_expressions < n) {
        b.base = g_rand_int_range(chance, 0, 2) ? g_rand_int_range(chance, 0, G_MAXINT32)
                                                : g_rand_int_range(chance, 1500000000, 2000000000);
        fill(&b, chance, true, BATCH);
        compare(&b);
    }
    g_ptr_array_unref(b.texts);
    for (unsigned p = 0; p < _PRODUCTION_MAX; p++)
        g_test_message("%-22s %6.2f %%", calendar_random_names[p], 100.0 * histogram[p] / n_expressions);
    g_test_message("%-22s %6.2f %%", "refused", 100.0 * n_refused / n_expressions);
    g_test_message("%u with parts of seconds, compared to the µs", n_parts);
    tell_known();
    g_assert_cmpuint(n_differences, ==, 0);
    for (unsigned p = 0; p < _PRODUCTION_MAX; p++)
        g_assert_cmpuint(histogram[p] * 100, >=, n_expressions);
    g_assert_cmpuint(n_refused * 5, >=, n_expressions);
    g_assert_cmpuint(n_parts * 100, >=, n_expressions);
}

static void test_zones(void)
{
    static const char *const zones[] = { "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
        "Africa/Cairo", "Asia/Kolkata", "Europe/Dublin", "America/Sao_Paulo", "Pacific/Apia", "Asia/Tehran",
        "Africa/Casablanca", "America/Santiago", "Pacific/Auckland", "Asia/Beirut", "Atlantic/Azores",
        "America/St_Johns", "Asia/Gaza" };
    g_autoptr(GRand) chance = g_rand_new_with_seed(calendar_random_seed());
    Batch b = { .texts = g_ptr_array_new_with_free_func(g_free) };
    unsigned n = calendar_random_brief() ? IN_ZONES_BRIEF : IN_ZONES;

    memset(known_seen, 0, sizeof known_seen);
    n_expressions = n_refused = n_differences = n_parts = 0;
    while (n_expressions < n) {
        const Zone *zone;

        b.tz = zones[g_rand_int_range(chance, 0, G_N_ELEMENTS(zones))];
        g_assert_cmpint(zone_find(b.tz, &zone), >=, 0);
        /* Before 1973 not every offset was of whole minutes. */
        b.base = g_rand_int_range(chance, 100000000, 2145000000);
        if (g_rand_boolean(chance)) {
            guint span = zone_span(zone, b.base);

            if (span > 0 && zone->spans[span].start > 100000000)
                b.base = zone->spans[span].start - g_rand_int_range(chance, -7200, 200000);
        }
        fill(&b, chance, false, 25);
        compare(&b);
    }
    g_ptr_array_unref(b.texts);
    tell_known();
    g_assert_cmpuint(n_differences, ==, 0);
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    if (g_getenv("SYSTEMD_ANALYZE"))
        analyze = g_getenv("SYSTEMD_ANALYZE");
    g_test_add_func("/calendar-oracle/list", test_list);
    g_test_add_func("/calendar-oracle/kept", test_kept);
    g_test_add_func("/calendar-oracle/utc", test_utc);
    g_test_add_func("/calendar-oracle/zones", test_zones);
    return g_test_run();
}
