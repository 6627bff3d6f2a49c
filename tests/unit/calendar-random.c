/* Random expressions of calendars: most of them good, and of each part of the grammar enough. */
#include "calendar-random.h"

#include <stdlib.h>
#include <string.h>

const char *const calendar_random_names[_PRODUCTION_MAX] = {
    [PRODUCTION_WORD] = "word",
    [PRODUCTION_WEEKDAY] = "weekday",
    [PRODUCTION_WEEKDAY_RANGE] = "weekday range",
    [PRODUCTION_WEEKDAY_LIST] = "weekday list",
    [PRODUCTION_YEAR] = "year-month-day",
    [PRODUCTION_MONTH_DAY] = "month-day",
    [PRODUCTION_FROM_END] = "from the month's end",
    [PRODUCTION_NO_DATE] = "no date",
    [PRODUCTION_NO_TIME] = "no time",
    [PRODUCTION_NO_SECONDS] = "no seconds",
    [PRODUCTION_FRACTION] = "fraction",
    [PRODUCTION_ANY] = "any value",
    [PRODUCTION_VALUE] = "one value",
    [PRODUCTION_LIST] = "list",
    [PRODUCTION_RANGE] = "range",
    [PRODUCTION_STEP] = "step",
    [PRODUCTION_RANGE_STEP] = "range and step",
    [PRODUCTION_UTC] = "UTC",
    [PRODUCTION_ZONE] = "zone",
    [PRODUCTION_EPOCH] = "seconds since 1970",
    [PRODUCTION_MUTATION] = "a character changed",
    [PRODUCTION_OUT_OF_RANGE] = "out of range",
};

typedef struct Random {
    GRand *chance;
    GString *s;
    bool *used;
    bool faulty;
} Random;

static int below(Random *r, int n)
{
    return g_rand_int_range(r->chance, 0, n);
}

static bool odds(Random *r, double p)
{
    return g_rand_double(r->chance) < p;
}

static void use(Random *r, Production p)
{
    r->used[p] = true;
}

static const char *one_of(Random *r, const char *const *words, size_t n)
{
    return words[below(r, (int)n)];
}

static void add_value(Random *r, int value, int width, bool part)
{
    g_string_append_printf(r->s, "%0*d", odds(r, 0.7) ? width : 1, value);
    if (part && odds(r, 0.12)) {
        int digits = below(r, 8) + 1;

        use(r, PRODUCTION_FRACTION);
        g_string_append_c(r->s, '.');
        while (digits-- > 0)
            g_string_append_c(r->s, (char)('0' + below(r, 10)));
    }
}

static void add_range(Random *r, int first, int last, int width, bool part)
{
    int span = last - first, value = first + below(r, span + 1), kind = below(r, 10);
    int stop = value + below(r, MAX(last - value, 0) + 1);

    if (r->faulty && odds(r, 0.3)) {
        use(r, PRODUCTION_OUT_OF_RANGE);
        value = odds(r, 0.5) ? last + 1 + below(r, 3) : below(r, 70000);
    }
    add_value(r, value, width, part);
    if (kind < 5 || (stop == value && kind < 9)) {
        use(r, PRODUCTION_VALUE);
        return;
    }
    if (kind < 9) {
        g_string_append(r->s, "..");
        add_value(r, stop, width, part);
        if (kind < 7) {
            use(r, PRODUCTION_RANGE);
            return;
        }
        use(r, PRODUCTION_RANGE_STEP);
        g_string_append_c(r->s, '/');
        add_value(r, 1 + below(r, MAX(stop - value, 1)), 1, part);
        return;
    }
    use(r, PRODUCTION_STEP);
    g_string_append_c(r->s, '/');
    add_value(r, 1 + below(r, MAX(last - value, 1)), 1, part);
}

static void add_field(Random *r, int first, int last, int width, bool part, double any)
{
    int n = odds(r, 0.15) ? 1 + below(r, 4) : 1;

    if (odds(r, any)) {
        use(r, PRODUCTION_ANY);
        g_string_append_c(r->s, '*');
        return;
    }
    if (n > 1)
        use(r, PRODUCTION_LIST);
    for (int i = 0; i < n; i++) {
        if (i > 0)
            g_string_append_c(r->s, ',');
        add_range(r, first, last, width, part);
    }
}

static void add_weekday(Random *r, int day)
{
    static const char *const names[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
        "Sunday" };
    g_autofree char *name = g_strdup(names[day]);

    if (odds(r, 0.7))
        name[3] = 0;
    if (odds(r, 0.2))
        for (char *p = name; *p; p++)
            *p = (char)(odds(r, 0.5) ? g_ascii_tolower(*p) : g_ascii_toupper(*p));
    g_string_append(r->s, name);
}

static void add_weekdays(Random *r)
{
    int n = odds(r, 0.4) ? 2 + below(r, 2) : 1;

    use(r, n > 1 ? PRODUCTION_WEEKDAY_LIST : PRODUCTION_WEEKDAY);
    for (int i = 0; i < n; i++) {
        int day = below(r, 7);

        if (i > 0)
            g_string_append_c(r->s, ',');
        add_weekday(r, day);
        if (odds(r, 0.4)) {
            use(r, PRODUCTION_WEEKDAY_RANGE);
            g_string_append(r->s, odds(r, 0.8) ? ".." : "-");
            add_weekday(r, r->faulty ? below(r, 7) : day + below(r, 7 - day));
        }
    }
    if (odds(r, 0.05))
        g_string_append_c(r->s, ',');
}

static void add_date(Random *r)
{
    bool from_end = odds(r, 0.2), year = odds(r, 0.6);

    use(r, year ? PRODUCTION_YEAR : PRODUCTION_MONTH_DAY);
    if (year) {
        if (odds(r, 0.1))
            add_field(r, 0, 99, 2, false, 0);
        else
            add_field(r, 1970, odds(r, 0.5) ? 2040 : 2199, 4, false, 0.75);
        g_string_append_c(r->s, '-');
    }
    add_field(r, 1, 12, 2, false, 0.5);
    g_string_append_c(r->s, from_end ? '~' : '-');
    if (from_end)
        use(r, PRODUCTION_FROM_END);
    add_field(r, 1, from_end ? 28 : 31, 2, false, 0.4);
}

static void add_time(Random *r)
{
    add_field(r, 0, 23, 2, false, 0.3);
    g_string_append_c(r->s, ':');
    add_field(r, 0, 59, 2, false, 0.3);
    if (odds(r, 0.4)) {
        use(r, PRODUCTION_NO_SECONDS);
        return;
    }
    g_string_append_c(r->s, ':');
    add_field(r, 0, 59, 2, true, 0.15);
}

static void add_zone(Random *r)
{
    static const char *const zones[] = { "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
        "Africa/Cairo", "Asia/Kolkata", "Etc/GMT+5", "Asia/Tehran", "America/Argentina/Buenos_Aires",
        "Europe/Nowhere", "Mars", "../UTC", "Etc/UTC", "zone.tab" };

    g_string_append_c(r->s, ' ');
    if (odds(r, 0.5)) {
        use(r, PRODUCTION_UTC);
        g_string_append(r->s, odds(r, 0.8) ? "UTC" : "utc");
    } else {
        use(r, PRODUCTION_ZONE);
        g_string_append(r->s, one_of(r, zones, r->faulty ? G_N_ELEMENTS(zones) : 8));
    }
}

static void mutate(Random *r)
{
    static const char characters[] = "0123456789**--~~::..,,//  @MonFriUTCx\t+";
    gssize at = below(r, (int)r->s->len + 1);
    char c = characters[below(r, (int)strlen(characters))];

    use(r, PRODUCTION_MUTATION);
    switch (below(r, 3)) {
    case 0:
        g_string_insert_c(r->s, at, c);
        break;
    case 1:
        if (at < (gssize)r->s->len)
            r->s->str[at] = c;
        break;
    case 2:
        if (at < (gssize)r->s->len)
            g_string_erase(r->s, at, 1);
        break;
    }
}

static void add_word(Random *r)
{
    static const char *const words[] = { "minutely", "hourly", "daily", "weekly", "monthly", "quarterly",
        "yearly", "annually", "anually", "biannually", "bi-annually", "semiannually", "semi-annually",
        "secondly", "Daily", "HOURLY" };

    use(r, PRODUCTION_WORD);
    g_string_append(r->s, one_of(r, words, r->faulty ? G_N_ELEMENTS(words) : 13));
}

static void add_expression(Random *r)
{
    if (odds(r, 0.4))
        add_weekdays(r);
    if (odds(r, 0.03)) {
        use(r, PRODUCTION_EPOCH);
        g_string_append_printf(r->s, "%s@%d", r->s->len > 0 ? " " : "", below(r, G_MAXINT));
        return;
    }
    if (odds(r, 0.7)) {
        if (r->s->len > 0)
            g_string_append(r->s, odds(r, 0.9) ? " " : "  ");
        add_date(r);
    } else
        use(r, PRODUCTION_NO_DATE);
    if (r->s->len == 0 || odds(r, 0.75)) {
        if (r->s->len > 0)
            g_string_append(r->s, odds(r, 0.9) ? " " : "  ");
        add_time(r);
    } else
        use(r, PRODUCTION_NO_TIME);
}

char *calendar_random(GRand *chance, bool zones, bool used[_PRODUCTION_MAX])
{
    Random r = { chance, g_string_new(NULL), used, false };

    memset(used, 0, sizeof(bool) * _PRODUCTION_MAX);
    r.faulty = odds(&r, 0.25);
    if (odds(&r, 0.04))
        add_word(&r);
    else
        add_expression(&r);
    if (zones && odds(&r, 0.05))
        add_zone(&r);
    if (r.faulty && odds(&r, 0.8))
        for (int n = 1 + below(&r, 2); n > 0; n--)
            mutate(&r);
    return g_string_free(r.s, FALSE);
}

guint32 calendar_random_seed(void)
{
    const char *text = g_getenv("TASKSCHEDD_SEED");
    guint32 seed = text ? (guint32)strtoul(text, NULL, 10) : g_random_int();

    g_test_message("TASKSCHEDD_SEED=%u makes the same expressions again", seed);
    return seed;
}

bool calendar_random_brief(void)
{
    return util_strempty(g_getenv("TASKSCHEDD_BRIEF"))[0];
}
