/* Crontab fields: faults, what they come to, and every second looked at. */
#include <string.h>
#include <time.h>

#include "calendar-random.h"
#include "model/civil.h"
#include "model/cron.h"
#include "model/timespec.h"

static void test_faults(void)
{
    static const struct {
        const char *text;
        unsigned offset;
        const char *message;
    } cases[] = {
        { "", 0, "five fields" },
        { "* * * *", 7, "five fields" },
        { "* * * * * * *", 13, "five fields" },
        { "60 * * * *", 0, "60 is no minute from 0 to 59" },
        { "0 24 * * *", 2, "no hour from 0 to 23" },
        { "0 0 0 * *", 4, "no day from 1 to 31" },
        { "0 0 * 13 *", 6, "no month from 1 to 12" },
        { "0 0 * * 8", 8, "no day of the week from 0 to 7" },
        { "*/0 * * * *", 2, "larger than 0" },
        { "*/ * * * *", 2, "behind '/'" },
        { "5-3 * * * *", 2, "ends before it begins" },
        { "0 0 * * fri-tue", 12, "ends before it begins" },
        { "1, * * * *", 2, "a value is expected" },
        { "x * * * *", 0, "a number is expected" },
        { "0 0 * foo *", 6, "a number is expected" },
        { "0 0 * * monday", 11, "',' or a space" },
        { "0 0 * * 5#6", 10, "1 to 5" },
        { "0 0 * * 5#", 10, "behind '#'" },
        { "0 0 * * L", 9, "a value is expected" },
        { "9~3 * * * *", 2, "ends before it begins" },
        { "@fortnightly", 0, "'@hourly'" },
        { "@reboot", 0, "'@hourly'" },
        { "0 0 W * *", 4, "a number is expected" },
    };

    ARRAY_FOREACH (c, cases) {
        g_auto(CalendarFault) fault = { 0 };
        Calendar calendar;

        g_assert_cmpint(cron_parse(c->text, "", &calendar, &fault), ==, -EINVAL);
        if (fault.offset != c->offset || !strstr(fault.message, c->message))
            g_error("'%s': %u: %s", c->text, fault.offset, fault.message);
    }
}

static void test_next(void)
{
    static const struct {
        const char *text, *after, *next[3];
    } cases[] = {
        { "30 2 * * mon-fri", "2026-11-27 12:00",
            { "2026-11-30 02:30", "2026-12-01 02:30", "2026-12-02 02:30" } },
        { "0 0 13 * 5", "2026-11-01 12:00", { "2026-11-06 00:00", "2026-11-13 00:00", "2026-11-20 00:00" } },
        { "0 0 */2 * mon", "2026-11-01 12:00",
            { "2026-11-09 00:00", "2026-11-23 00:00", "2026-12-07 00:00" } },
        { "0 9 L * *", "2026-01-30 12:00", { "2026-01-31 09:00", "2026-02-28 09:00", "2026-03-31 09:00" } },
        { "0 9 LW * *", "2026-01-01 12:00", { "2026-01-30 09:00", "2026-02-27 09:00", "2026-03-31 09:00" } },
        { "0 9 15W * *", "2026-02-01 00:00", { "2026-02-16 09:00", "2026-03-16 09:00", "2026-04-15 09:00" } },
        { "0 9 1W * *", "2026-07-31 12:00", { "2026-08-03 09:00", "2026-09-01 09:00", "2026-10-01 09:00" } },
        { "0 9 31W * *", "2026-05-01 12:00", { "2026-05-29 09:00", "2026-07-31 09:00", "2026-08-31 09:00" } },
        { "0 9 * * 1#1", "2026-01-31 12:00", { "2026-02-02 09:00", "2026-03-02 09:00", "2026-04-06 09:00" } },
        { "0 9 * * fri#5", "2026-01-31 12:00",
            { "2026-05-29 09:00", "2026-07-31 09:00", "2026-10-30 09:00" } },
        { "0 9 * * 5L", "2026-01-01 12:00", { "2026-01-30 09:00", "2026-02-27 09:00", "2026-03-27 09:00" } },
        { "0 9 1 * L5", "2026-01-01 12:00", { "2026-01-30 09:00", "2026-02-01 09:00", "2026-02-27 09:00" } },
        { "0 0 * * fri-sun", "2026-11-27 12:00",
            { "2026-11-28 00:00", "2026-11-29 00:00", "2026-12-04 00:00" } },
        { "15 30 6 * * 7", "2026-11-27 12:00",
            { "2026-11-29 06:30:15", "2026-12-06 06:30:15", "2026-12-13 06:30:15" } },
        { "*/40 * * * *", "2026-11-27 12:00",
            { "2026-11-27 12:40", "2026-11-27 13:00", "2026-11-27 13:40" } },
        { "0 0 29 feb *", "2096-03-01 00:00",
            { "2104-02-29 00:00", "2108-02-29 00:00", "2112-02-29 00:00" } },
        { "@monthly", "2026-11-27 12:00", { "2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00" } },
        { "0 0 30 2 *", "2026-11-27 12:00", { NULL } },
    };

    ARRAY_FOREACH (c, cases) {
        g_auto(CalendarFault) fault = { 0 };
        Calendar calendar;
        uint64_t at;

        if (cron_parse(c->text, "", &calendar, &fault) < 0)
            g_error("'%s': %s", c->text, fault.message);
        g_assert_cmpint(timespec_parse_absolute(c->after, &at), ==, 0);
        for (unsigned i = 0; i < 3; i++) {
            uint64_t expected = USEC_INFINITY;

            if (c->next[i])
                g_assert_cmpint(timespec_parse_absolute(c->next[i], &expected), ==, 0);
            at = calendar_next(&calendar, zone_utc(), CALENDAR_GAP_NEXT, CALENDAR_FOLD_FIRST, at);
            if (at != expected) {
                g_autofree char *found = timespec_format_instant(at);

                g_error("'%s' after %s: %s, not %s", c->text, c->after, found, util_strempty(c->next[i]));
            }
            if (!c->next[i])
                break;
        }
    }
}

/* What is drawn stays within its range, comes anew for another schedule, and not for the same. */
static void test_drawn(void)
{
    uint64_t minutes = 0;
    uint32_t hours = 0;

    for (unsigned i = 0; i < 2000; i++) {
        g_autofree char *salt = g_strdup_printf("task/%u", i);
        g_auto(CalendarFault) fault = { 0 };
        Calendar c, again;

        g_assert_cmpint(cron_parse("~ 3~7 * * *", salt, &c, &fault), ==, 0);
        g_assert_cmpint(cron_parse("~ 3~7 * * *", salt, &again, &fault), ==, 0);
        g_assert_true(c.minutes == again.minutes && c.hours == again.hours);
        g_assert_true(__builtin_popcountll(c.minutes) == 1 && __builtin_popcount(c.hours) == 1);
        minutes |= c.minutes;
        hours |= c.hours;
    }
    g_assert_cmpuint(minutes, ==, CALENDAR_ALL_MINUTES);
    g_assert_cmpuint(hours, ==, 0xf8);
}

/* --- by brute force --- */

/* Items of a field as they were drawn: what they mean is said here once more, value by value. */
typedef struct Item {
    int from, to, step;
    char special; /* 'W', 'L' and '#' as in crontabs; 'l': LW */
} Item;

typedef struct Field {
    int first, last;
    bool star;
    unsigned n;
    Item items[3];
} Field;

static void draw_field(Field *f, GRand *chance, int first, int last, bool days, bool weekdays, GString *s)
{
    *f = (Field){ .first = first, .last = last, .n = 1, .star = g_rand_int_range(chance, 0, 3) == 0 };
    if (f->star) {
        f->items[0] = (Item){ first, last, g_rand_boolean(chance) ? 1 : g_rand_int_range(chance, 1, 9), 0 };
        g_string_append_printf(s, f->items[0].step > 1 ? "*/%d " : "* ", f->items[0].step);
        return;
    }
    f->n = (unsigned)g_rand_int_range(chance, 1, 4);
    for (unsigned i = 0; i < f->n; i++) {
        Item *item = &f->items[i];
        int kind = g_rand_int_range(chance, 0, 8);

        item->from = item->to = g_rand_int_range(chance, first, last + 1);
        item->step = 1;
        if (days && kind == 0) {
            item->special = 'W';
            g_string_append_printf(s, "%dW", item->from);
        } else if (days && kind == 1) {
            item->special = g_rand_boolean(chance) ? 'L' : 'l';
            g_string_append(s, item->special == 'L' ? "L" : "LW");
        } else if (weekdays && kind == 0) {
            item->special = 'L';
            g_string_append_printf(s, "%dL", item->from);
        } else if (weekdays && kind == 1) {
            item->special = '#';
            item->step = g_rand_int_range(chance, 1, 6);
            g_string_append_printf(s, "%d#%d", item->from, item->step);
        } else if (kind < 5) {
            g_string_append_printf(s, "%d", item->from);
        } else {
            item->to = g_rand_int_range(chance, item->from, last + 1);
            item->step = g_rand_int_range(chance, 1, 6);
            g_string_append_printf(s, "%d-%d/%d", item->from, item->to, item->step);
        }
        g_string_append_c(s, i + 1 < f->n ? ',' : ' ');
    }
}

static bool in_field(const Field *f, int value)
{
    for (unsigned i = 0; i < f->n; i++)
        for (int v = f->items[i].from; !f->items[i].special && v <= f->items[i].to; v += f->items[i].step)
            if (v == value)
                return true;
    return false;
}

static int weekday_of(const struct tm *tm, int day)
{
    return (tm->tm_wday + day - tm->tm_mday + 70) % 7; /* 0 is Sunday */
}

static bool is_nearest_workday(const struct tm *tm, int day, int length)
{
    int best = 0;

    if (day > length)
        return false;
    for (int distance = 0; distance < 7 && !best; distance++)
        for (int sign = -1; sign <= 1 && !best; sign += 2) {
            int d = day + sign * distance;

            if (d >= 1 && d <= length && weekday_of(tm, d) % 6 != 0)
                best = d;
        }
    return best == tm->tm_mday;
}

static bool in_days(const Field *f, const struct tm *tm, int length)
{
    int workday = length;

    while (weekday_of(tm, workday) % 6 == 0)
        workday--;
    for (unsigned i = 0; i < f->n; i++) {
        const Item *item = &f->items[i];

        if ((item->special == 'W' && is_nearest_workday(tm, item->from, length)) ||
            (item->special == 'L' && tm->tm_mday == length) ||
            (item->special == 'l' && tm->tm_mday == workday))
            return true;
    }
    return in_field(f, tm->tm_mday);
}

static bool in_weekdays(const Field *f, const struct tm *tm, int length)
{
    for (unsigned i = 0; i < f->n; i++) {
        const Item *item = &f->items[i];

        if (item->special && item->from % 7 == tm->tm_wday &&
            (item->special == 'L' ? tm->tm_mday + 7 > length : (tm->tm_mday + 6) / 7 == item->step))
            return true;
    }
    return in_field(f, tm->tm_wday) || (tm->tm_wday == 0 && in_field(f, 7));
}

/* Second by second of each day that is in it. */
static int64_t brute(const Field f[6], int64_t after, int days)
{
    for (int64_t at = after + 1, end = after + days * INT64_C(86400); at < end;) {
        time_t t = at;
        struct tm tm;
        int length;
        bool day, weekday;

        gmtime_r(&t, &tm);
        length = civil_month_length(tm.tm_year + 1900, tm.tm_mon + 1);
        day = in_days(&f[3], &tm, length);
        weekday = in_weekdays(&f[5], &tm, length);
        if (in_field(&f[4], tm.tm_mon + 1) && (f[3].star || f[5].star ? day && weekday : day || weekday))
            for (int s = tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec; s < 86400; s++, at++)
                if (in_field(&f[2], s / 3600) && in_field(&f[1], s / 60 % 60) && in_field(&f[0], s % 60))
                    return at;
        at = (int64_t)(t / 86400 + 1) * 86400;
    }
    return INT64_MAX;
}

static bool is_same(const Calendar *a, const Calendar *b)
{
    return a->seconds == b->seconds && a->minutes == b->minutes && a->hours == b->hours &&
           a->days == b->days && a->last == b->last && a->workdays == b->workdays && a->months == b->months &&
           a->weekdays == b->weekdays && a->either == b->either && memcmp(a->nth, b->nth, sizeof a->nth) == 0;
}

static void check_round(const char *text, const Calendar *c)
{
    g_auto(CalendarFault) fault = { 0 };
    g_autofree char *written = cron_format(c), *twice = NULL;
    Calendar again;

    if (cron_parse(written, "", &again, &fault) < 0)
        g_error("'%s' is written as '%s': %s", text, written, fault.message);
    twice = cron_format(&again);
    if (!is_same(c, &again))
        g_error("'%s' is written as '%s', which is '%s'", text, written, twice);
}

static void test_brute(void)
{
    static const int first[] = { 0, 0, 0, 1, 1, 0 }, last[] = { 59, 59, 23, 31, 12, 7 };
    g_autoptr(GRand) chance = g_rand_new_with_seed(calendar_random_seed());
    unsigned n = calendar_random_brief() ? 1000 : 20000, fired = 0;

    for (unsigned i = 0; i < n; i++) {
        g_autoptr(GString) s = g_string_new(NULL);
        g_auto(CalendarFault) fault = { 0 };
        int64_t at = g_rand_int_range(chance, 0, G_MAXINT32), expected;
        Field fields[6];
        Calendar c;

        for (int k = 0; k < 6; k++)
            draw_field(&fields[k], chance, first[k], last[k], k == 3, k == 5, s);
        if (cron_parse(s->str, "", &c, &fault) < 0)
            g_error("'%s': %s", s->str, fault.message);
        check_round(s->str, &c);
        for (unsigned k = 0; k < 2; k++) {
            uint64_t usec = calendar_next(
                &c, zone_utc(), CALENDAR_GAP_NEXT, CALENDAR_FOLD_FIRST, (uint64_t)at * USEC_PER_SEC);

            expected = brute(fields, at, 3000);
            if (expected == INT64_MAX) {
                g_assert_true(
                    usec == USEC_INFINITY || (int64_t)(usec / USEC_PER_SEC) > at + 2999 * INT64_C(86400));
                break;
            }
            if (usec != (uint64_t)expected * USEC_PER_SEC)
                g_error("'%s' after %" G_GINT64_FORMAT ": brute force says %" G_GINT64_FORMAT
                        ", we %" G_GUINT64_FORMAT,
                    s->str, at, expected, usec / USEC_PER_SEC);
            at = expected;
            fired++;
        }
    }
    g_test_message("%u expressions, %u moments", n, fired);
    g_assert_cmpuint(fired, >, n);
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cron/faults", test_faults);
    g_test_add_func("/cron/next", test_next);
    g_test_add_func("/cron/drawn", test_drawn);
    g_test_add_func("/cron/brute", test_brute);
    return g_test_run();
}
