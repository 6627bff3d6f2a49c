/* The slow way: it shares no arithmetic with what it judges. What it wants of a rule is how that was read, and nothing of what
 * is made of it later: what comes from the start is taken from there once more. */
#include "recurrence-brute.h"

#include <time.h>

#define BRUTE_SECONDS_MAX 100000000 /* of rules of hours and less */

typedef struct Brute {
    const Recurrence *rule;
    struct tm start;
    int64_t after, end;
    int64_t *found;
    int n, wanted;
    uint64_t seen;   /* of COUNT= */
    GArray *moments; /* of int64_t: of the period that is looked at */
    bool over;
} Brute;

static struct tm brute_tm(int64_t at)
{
    time_t t = at;
    struct tm tm;

    gmtime_r(&t, &tm);
    return tm;
}

static bool brute_has(const Recurrence *r, RecurrencePart part)
{
    return r->parts & 1 << part;
}

static int brute_month_length(int year, int month)
{
    for (int day = 31;; day--) {
        struct tm tm = { .tm_year = year, .tm_mon = month, .tm_mday = day, .tm_hour = 12 };

        timegm(&tm);
        if (tm.tm_mon == month)
            return day;
    }
}

static int brute_year_length(int year)
{
    return brute_month_length(year, 1) == 29 ? 366 : 365;
}

/* The week that a day is in: in which year, which one, and of how many. A week is of the year that has four of its days. */
static void brute_week(const Recurrence *r, int64_t at, int *year, int *number, int *of)
{
    int64_t begin = at, fourth;
    struct tm tm;

    while ((brute_tm(begin).tm_wday + 6) % 7 != r->week_start)
        begin -= 86400;
    fourth = begin + 3 * 86400;
    tm = brute_tm(fourth);
    *year = tm.tm_year;
    *number = tm.tm_yday / 7 + 1;
    *of = (tm.tm_yday + (brute_year_length(tm.tm_year) - 1 - tm.tm_yday) / 7 * 7) / 7 + 1;
}

static bool brute_in_list(const GArray *list, int a, int b)
{
    for (guint i = 0; i < list->len; i++)
        if (g_array_index(list, int, i) == a || g_array_index(list, int, i) == b)
            return true;
    return false;
}

/* BYDAY=: any such weekday, or the nth from either end of the year or the month. */
static bool brute_weekday(const Recurrence *r, const struct tm *tm)
{
    int weekday = (tm->tm_wday + 6) % 7, length = brute_month_length(tm->tm_year, tm->tm_mon),
        day = tm->tm_mday - 1;

    if (r->frequency == RECURRENCE_YEARLY && !brute_has(r, RECURRENCE_BYMONTH)) {
        length = brute_year_length(tm->tm_year);
        day = tm->tm_yday;
    }
    if (r->weekdays >> weekday & 1 && brute_has(r, RECURRENCE_BYDAY))
        return true;
    return r->nth &&
           brute_in_list(r->nth, (day / 7 + 1) * 7 + weekday, -((length - 1 - day) / 7 + 1) * 7 + weekday);
}

static bool brute_day(const Brute *b, int64_t at, const struct tm *tm)
{
    const Recurrence *r = b->rule;
    int length = brute_month_length(tm->tm_year, tm->tm_mon), year_length = brute_year_length(tm->tm_year),
        week_year, week, weeks;
    bool chosen = brute_has(r, RECURRENCE_BYDAY) || brute_has(r, RECURRENCE_BYMONTHDAY) ||
                  brute_has(r, RECURRENCE_BYYEARDAY),
         weekly = r->frequency == RECURRENCE_WEEKLY || brute_has(r, RECURRENCE_BYWEEKNO);

    if (brute_has(r, RECURRENCE_BYMONTH) && !(r->months >> (tm->tm_mon + 1) & 1))
        return false;
    if (brute_has(r, RECURRENCE_BYMONTHDAY) && !(r->days >> tm->tm_mday & 1) &&
        !(r->days_last >> (length + 1 - tm->tm_mday) & 1))
        return false;
    if (brute_has(r, RECURRENCE_BYYEARDAY) &&
        !brute_in_list(r->year_days, tm->tm_yday + 1, tm->tm_yday - year_length))
        return false;
    if (brute_has(r, RECURRENCE_BYDAY) && !brute_weekday(r, tm))
        return false;
    if (brute_has(r, RECURRENCE_BYWEEKNO)) {
        brute_week(r, at, &week_year, &week, &weeks);
        if (!(r->weeks >> week & 1) && !(r->weeks_last >> (weeks + 1 - week) & 1))
            return false;
    }
    if (!chosen && weekly)
        return tm->tm_wday == b->start.tm_wday;
    if (!chosen && r->frequency <= RECURRENCE_MONTHLY)
        return tm->tm_mday == b->start.tm_mday &&
               (r->frequency == RECURRENCE_MONTHLY || brute_has(r, RECURRENCE_BYMONTH) ||
                   tm->tm_mon == b->start.tm_mon);
    return true;
}

/* Each field of the time: named, or as at the start, or any. */
static bool brute_hour(const Brute *b, int hour)
{
    if (brute_has(b->rule, RECURRENCE_BYHOUR))
        return b->rule->hours >> hour & 1;
    return b->rule->frequency >= RECURRENCE_HOURLY || hour == b->start.tm_hour;
}

static bool brute_minute(const Brute *b, int minute)
{
    if (brute_has(b->rule, RECURRENCE_BYMINUTE))
        return b->rule->minutes >> minute & 1;
    return b->rule->frequency >= RECURRENCE_MINUTELY || minute == b->start.tm_min;
}

static bool brute_second(const Brute *b, int second)
{
    if (brute_has(b->rule, RECURRENCE_BYSECOND))
        return b->rule->seconds >> second & 1;
    return b->rule->frequency == RECURRENCE_SECONDLY || second == b->start.tm_sec;
}

/* Which period it is in: any two numbers are as far apart as the periods are. */
static int64_t brute_period(const Recurrence *r, int64_t at)
{
    struct tm tm = brute_tm(at);
    int year, week, weeks;

    switch (r->frequency) {
    case RECURRENCE_YEARLY:
        if (!brute_has(r, RECURRENCE_BYWEEKNO))
            return tm.tm_year;
        brute_week(r, at, &year, &week, &weeks);
        return year;
    case RECURRENCE_MONTHLY:
        return tm.tm_year * 12 + tm.tm_mon;
    case RECURRENCE_WEEKLY:
        while ((brute_tm(at).tm_wday + 6) % 7 != r->week_start)
            at -= 86400;
        return at / 86400 / 7;
    case RECURRENCE_DAILY:
        return at / 86400;
    case RECURRENCE_HOURLY:
        return at / 3600;
    case RECURRENCE_MINUTELY:
        return at / 60;
    case RECURRENCE_SECONDLY:
    case _RECURRENCE_FREQUENCY_MAX:
        break;
    }
    return at;
}

static void brute_take(Brute *b, int64_t at)
{
    const Recurrence *r = b->rule;
    bool until = brute_has(r, RECURRENCE_UNTIL);

    if (b->over || at < r->start)
        return;
    b->over = at >= b->end || (brute_has(r, RECURRENCE_COUNT) && b->seen++ >= r->count) ||
              (until && at > r->until + (r->until_kind == RECURRENCE_UNTIL_DAY ? 86399 : 0));
    if (!b->over && at > b->after) {
        b->found[b->n++] = at;
        b->over = b->n == b->wanted;
    }
}

/* All of a period are known: those that BYSETPOS= chooses. */
static void brute_end_period(Brute *b)
{
    const GArray *positions = b->rule->positions;
    int n = (int)b->moments->len;

    for (int i = 0; i < n && !b->over; i++)
        if (!positions || brute_in_list(positions, i + 1, i - n))
            brute_take(b, g_array_index(b->moments, int64_t, i));
    g_array_set_size(b->moments, 0);
}

static void brute_look_at_second(Brute *b, int64_t at, int64_t first, int64_t *period)
{
    int64_t now = brute_period(b->rule, at);

    if (now != *period)
        brute_end_period(b);
    *period = now;
    if ((now - first) % (int64_t)b->rule->interval == 0)
        g_array_append_val(b->moments, at);
}

static void brute_look_at_day(Brute *b, int64_t day, int64_t first, int64_t *period)
{
    for (int hour = 0; hour < 24; hour++)
        for (int minute = 0; brute_hour(b, hour) && minute < 60; minute++)
            for (int second = 0; brute_minute(b, minute) && second < 60 && !b->over; second++)
                if (brute_second(b, second))
                    brute_look_at_second(b, day + hour * 3600 + minute * 60 + second, first, period);
}

int recurrence_brute(const Recurrence *r, int64_t after, int64_t end, int64_t *ret, int n)
{
    g_autoptr(GArray) moments = g_array_new(FALSE, FALSE, sizeof(int64_t));
    Brute b = {
        .rule = r, .start = brute_tm(r->start), .after = after, .end = end, .wanted = n, .moments = moments
    };
    int64_t first = brute_period(r, r->start), period = first, looked = 0;
    bool days = r->frequency <= RECURRENCE_DAILY;

    b.found = ret;
    /* The period that it begins in is looked at from its own beginning. */
    for (int64_t day = r->start / 86400 * 86400 - (r->frequency < RECURRENCE_DAILY ? 380 * 86400 : 0);
         day < end + 380 * 86400 && !b.over; day += 86400) {
        struct tm tm = brute_tm(day);

        if (brute_period(r, day) < first && days)
            continue;
        if (!brute_day(&b, day, &tm))
            continue;
        if (days && (brute_period(r, day) - first) % (int64_t)r->interval != 0)
            continue;
        brute_look_at_day(&b, day, first, &period);
        looked += days ? 0 : 86400;
        if (looked > BRUTE_SECONDS_MAX)
            return -1;
    }
    brute_end_period(&b);
    return b.n;
}
