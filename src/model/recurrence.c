/* The moments of a recurrence rule. */
#include "model/recurrence.h"

#include "model/civil.h"

#define SECONDS_PER_DAY  INT64_C(86400)
#define SECONDS_PER_HOUR INT64_C(3600)
#define RECURRENCE_END   (civil_to_days(CALENDAR_YEAR_LAST + 1, 1, 1) * SECONDS_PER_DAY)
#define RECURRENCE_WORDS 6 /* a year of 53 weeks has 371 days */
/* More than any search takes: a step of a day leads to the end in 84,000, and shorter ones that a rule never wants are found
 * out before (recurrence_is_reached(), recurrence_is_chosen()). */
#define RECURRENCE_STEPS_MAX 2000000

/* Some days in a row, and at which times of each of them. */
typedef struct RecurrencePeriod {
    int64_t start; /* of its first day, in seconds */
    uint64_t days[RECURRENCE_WORDS];
    unsigned n_days;
} RecurrencePeriod;

/* Hours, minutes and seconds within a day, an hour or a minute. */
typedef struct RecurrenceTimes {
    uint64_t hours, minutes, seconds;
} RecurrenceTimes;

void recurrence_clear(Recurrence *r)
{
    g_clear_pointer(&r->year_days, g_array_unref);
    g_clear_pointer(&r->nth, g_array_unref);
    g_clear_pointer(&r->positions, g_array_unref);
}

static bool recurrence_has(const Recurrence *r, RecurrencePart part)
{
    return r->parts >> part & 1;
}

/* --- numbers --- */

static int64_t recurrence_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* 0 is Monday; also before the epoch, where a local clock can be. */
static int recurrence_weekday(int64_t day)
{
    return (int)(day + 3 - recurrence_divide(day + 3, 7) * 7);
}

/* The first bit from `from` on, which is below 64; -1 if there is none. */
static int recurrence_bit(uint64_t bits, int from)
{
    bits &= ~UINT64_C(0) << from;
    return bits ? __builtin_ctzll(bits) : -1;
}

/* The bit that has n others before it. */
static int recurrence_nth_bit(uint64_t bits, int n)
{
    for (; n > 0; n--)
        bits &= bits - 1;
    return __builtin_ctzll(bits);
}

/* --- times of a period's day --- */

static RecurrenceTimes recurrence_times(const Recurrence *r)
{
    return (RecurrenceTimes){
        r->frequency <= RECURRENCE_DAILY ? r->hours : 1,
        r->frequency <= RECURRENCE_HOURLY ? r->minutes : 1,
        r->frequency <= RECURRENCE_MINUTELY ? r->seconds : 1,
    };
}

static int64_t recurrence_count_times(const RecurrenceTimes *t)
{
    return (int64_t)__builtin_popcountll(t->hours) * __builtin_popcountll(t->minutes) *
           __builtin_popcountll(t->seconds);
}

/* -1 if there is none from `from` on. */
static int64_t recurrence_next_time(const RecurrenceTimes *t, int64_t from)
{
    int hour = recurrence_bit(t->hours, (int)(from / SECONDS_PER_HOUR)), minute = 0, second = 0;

    if (hour < 0)
        return -1;
    if (hour == from / SECONDS_PER_HOUR) {
        int first = (int)(from % SECONDS_PER_HOUR / 60);

        minute = recurrence_bit(t->minutes, first);
        second = minute == first ? recurrence_bit(t->seconds, (int)(from % 60)) : 0;
        if (second < 0) {
            minute = recurrence_bit(t->minutes, first + 1);
            second = 0;
        }
        if (minute < 0)
            hour = recurrence_bit(t->hours, hour + 1);
        if (hour < 0)
            return -1;
    } else
        minute = -1;
    if (minute < 0) {
        minute = recurrence_bit(t->minutes, 0);
        second = 0;
    }
    if (second == 0)
        second = recurrence_bit(t->seconds, 0);
    return hour * SECONDS_PER_HOUR + minute * 60 + second;
}

static int64_t recurrence_nth_time(const RecurrenceTimes *t, int64_t n)
{
    int minutes = __builtin_popcountll(t->minutes), seconds = __builtin_popcountll(t->seconds);

    return recurrence_nth_bit(t->hours, (int)(n / seconds / minutes)) * SECONDS_PER_HOUR +
           recurrence_nth_bit(t->minutes, (int)(n / seconds % minutes)) * INT64_C(60) +
           recurrence_nth_bit(t->seconds, (int)(n % seconds));
}

/* --- days of a period --- */

static int recurrence_next_day(const RecurrencePeriod *p, int64_t from)
{
    for (int64_t word = from / 64; word < RECURRENCE_WORDS; word++) {
        int bit = recurrence_bit(p->days[word], word == from / 64 ? (int)(from % 64) : 0);

        if (bit >= 0)
            return (int)word * 64 + bit;
    }
    return -1;
}

static int64_t recurrence_count_days(const RecurrencePeriod *p)
{
    int n = 0;

    for (unsigned word = 0; word < RECURRENCE_WORDS; word++)
        n += __builtin_popcountll(p->days[word]);
    return n;
}

static int recurrence_nth_day(const RecurrencePeriod *p, int64_t n)
{
    for (int word = 0;; word++) {
        int held = __builtin_popcountll(p->days[word]);

        if (n < held)
            return word * 64 + recurrence_nth_bit(p->days[word], (int)n);
        n -= held;
    }
}

/* BYSETPOS=: of all moments of the period, those at these places. */
static int64_t recurrence_next_position(const Recurrence *r, const RecurrencePeriod *p, int64_t from)
{
    RecurrenceTimes times = recurrence_times(r);
    int64_t n_times = recurrence_count_times(&times), n = n_times * recurrence_count_days(p), best = -1;

    for (guint i = 0; i < r->positions->len; i++) {
        int64_t position = g_array_index(r->positions, int, i), at;

        position = position > 0 ? position - 1 : n + position;
        if (position < 0 || position >= n)
            continue;
        at = p->start + recurrence_nth_day(p, position / n_times) * SECONDS_PER_DAY +
             recurrence_nth_time(&times, position % n_times);
        if (at >= from && (best < 0 || at < best))
            best = at;
    }
    return best;
}

/* The first moment of the period that is not before `from`; RECURRENCE_NEVER if there is none. */
static int64_t recurrence_next_in(const Recurrence *r, const RecurrencePeriod *p, int64_t from)
{
    RecurrenceTimes times = recurrence_times(r);
    int64_t first = MAX(from - p->start, 0), time;
    int day;

    if (r->positions) {
        int64_t at = recurrence_next_position(r, p, p->start + first);

        return at < p->start ? RECURRENCE_NEVER : at;
    }
    day = recurrence_next_day(p, first / SECONDS_PER_DAY);
    if (day >= 0 && day == first / SECONDS_PER_DAY) {
        time = recurrence_next_time(&times, first % SECONDS_PER_DAY);
        if (time >= 0)
            return p->start + day * SECONDS_PER_DAY + time;
        day = recurrence_next_day(p, day + 1);
    }
    return day < 0 ? RECURRENCE_NEVER : p->start + day * SECONDS_PER_DAY + recurrence_next_time(&times, 0);
}

/* --- which days --- */

/* Does BYDAY= count within the year, and not within the month? */
static bool recurrence_counts_in_year(const Recurrence *r)
{
    return r->nth && r->frequency == RECURRENCE_YEARLY && !recurrence_has(r, RECURRENCE_BYMONTH);
}

/* The weekdays that BYDAY= counts, in a row of days whose first is such a weekday. -1: the row has not as many. */
static int recurrence_find_nth(int value, int first, int length)
{
    int n = (int)recurrence_divide(value, 7), weekday = value - n * 7;
    int begin = (weekday - first + 7) % 7, day = begin + (n - 1) * 7;

    if (n < 0)
        day = begin + ((length - 1 - begin) / 7 + 1 + n) * 7;
    return day >= 0 && day < length ? day : -1;
}

static uint32_t recurrence_month_weekdays(const Recurrence *r, int first, int length)
{
    uint64_t week = (uint64_t)(r->weekdays >> first | r->weekdays << (7 - first)) & CALENDAR_ALL_WEEKDAYS;
    uint32_t days = (uint32_t)((week | week << 7 | week << 14 | week << 21 | week << 28) << 1);

    for (guint i = 0; r->nth && i < r->nth->len; i++) {
        int day = recurrence_find_nth(g_array_index(r->nth, int, i), first, length);

        if (day >= 0)
            days |= UINT32_C(2) << day;
    }
    return days;
}

static uint32_t recurrence_month_year_days(const Recurrence *r, int year, int month, int length)
{
    int before = (int)(civil_to_days(year, month, 1) - civil_to_days(year, 1, 1));
    int year_length = 365 + civil_is_leap(year);
    uint32_t days = 0;

    for (guint i = 0; i < r->year_days->len; i++) {
        int day = g_array_index(r->year_days, int, i);

        day = (day > 0 ? day : year_length + day + 1) - before;
        if (day >= 1 && day <= length)
            days |= UINT32_C(1) << day;
    }
    return days;
}

/* Bit d: is it day d of this month? What counts within a year, and weeks, are not looked at. */
static uint32_t recurrence_month(const Recurrence *r, int year, int month)
{
    int length = civil_month_length(year, month);
    uint32_t days = (uint32_t)((UINT64_C(1) << (length + 1)) - 2);

    if (!(r->months >> month & 1))
        return 0;
    if (r->days | r->days_last) {
        uint64_t wanted = r->days;

        for (uint64_t last = r->days_last; last; last &= last - 1)
            if (__builtin_ctzll(last) <= length)
                wanted |= UINT64_C(1) << (length + 1 - __builtin_ctzll(last));
        days &= (uint32_t)wanted;
    }
    if ((r->weekdays || r->nth) && !recurrence_counts_in_year(r))
        days &= recurrence_month_weekdays(r, recurrence_weekday(civil_to_days(year, month, 1)), length);
    if (r->year_days)
        days &= recurrence_month_year_days(r, year, month, length);
    return days;
}

static void recurrence_put(RecurrencePeriod *p, int64_t at, uint32_t days)
{
    for (; days; days &= days - 1) {
        int64_t i = at + __builtin_ctz(days) - 1;

        if (i >= 0 && i < p->n_days)
            p->days[i / 64] |= UINT64_C(1) << i % 64;
    }
}

/* --- years --- */

/* The first day of the first week that has four days in this year. */
static int64_t recurrence_first_week(const Recurrence *r, int64_t year)
{
    int64_t fourth = civil_to_days((int)year, 1, 4);

    return fourth - (recurrence_weekday(fourth) - r->week_start + 7) % 7;
}

/* A rule of weeks has years of weeks. */
static int64_t recurrence_year_start(const Recurrence *r, int64_t year)
{
    return recurrence_has(r, RECURRENCE_BYWEEKNO) ? recurrence_first_week(r, year)
                                                  : civil_to_days((int)year, 1, 1);
}

static int64_t recurrence_year_of(const Recurrence *r, int64_t day)
{
    int64_t year = civil_from_days(day).year;

    if (recurrence_year_start(r, year) > day)
        return year - 1;
    return recurrence_year_start(r, year + 1) <= day ? year + 1 : year;
}

static void recurrence_keep(RecurrencePeriod *p, const uint64_t *kept)
{
    for (unsigned word = 0; word < RECURRENCE_WORDS; word++)
        p->days[word] &= kept[word];
}

static void recurrence_keep_weeks(const Recurrence *r, RecurrencePeriod *p)
{
    uint64_t kept[RECURRENCE_WORDS + 1] = { 0 }, weeks = r->weeks;
    int n = (int)p->n_days / 7;

    for (uint64_t last = r->weeks_last; last; last &= last - 1)
        if (__builtin_ctzll(last) <= n)
            weeks |= UINT64_C(1) << (n + 1 - __builtin_ctzll(last));
    for (; weeks; weeks &= weeks - 1) {
        int first = (__builtin_ctzll(weeks) - 1) * 7, bit = first % 64;

        if (first >= (int)p->n_days)
            break;
        kept[first / 64] |= UINT64_C(0x7f) << bit;
        if (bit > 57)
            kept[first / 64 + 1] |= UINT64_C(0x7f) >> (64 - bit);
    }
    recurrence_keep(p, kept);
}

static void recurrence_keep_weekdays_of_year(const Recurrence *r, RecurrencePeriod *p)
{
    uint64_t kept[RECURRENCE_WORDS] = { 0 };
    int first = recurrence_weekday(p->start / SECONDS_PER_DAY), n = (int)p->n_days;

    for (int i = 0; i < n; i++)
        if (r->weekdays >> (first + i) % 7 & 1)
            kept[i / 64] |= UINT64_C(1) << i % 64;
    for (guint i = 0; i < r->nth->len; i++) {
        int day = recurrence_find_nth(g_array_index(r->nth, int, i), first, n);

        if (day >= 0)
            kept[day / 64] |= UINT64_C(1) << day % 64;
    }
    recurrence_keep(p, kept);
}

/* --- periods --- */

static int64_t recurrence_index_of(const Recurrence *r, int64_t day)
{
    CivilDate date = civil_from_days(day);

    if (r->frequency == RECURRENCE_YEARLY)
        return recurrence_year_of(r, day);
    if (r->frequency == RECURRENCE_MONTHLY)
        return date.year * INT64_C(12) + date.month - 1;
    return recurrence_divide(day + 3 - r->week_start, 7); /* the epoch is a Thursday */
}

static int64_t recurrence_index_start(const Recurrence *r, int64_t index)
{
    if (r->frequency == RECURRENCE_YEARLY)
        return recurrence_year_start(r, index);
    if (r->frequency == RECURRENCE_MONTHLY)
        return civil_to_days((int)(index / 12), (int)(index % 12) + 1, 1);
    return index * 7 - 3 + r->week_start;
}

static void recurrence_fill(const Recurrence *r, int64_t index, RecurrencePeriod *p)
{
    int64_t start = recurrence_index_start(r, index), end = recurrence_index_start(r, index + 1);

    *p = (RecurrencePeriod){ .start = start * SECONDS_PER_DAY, .n_days = (unsigned)(end - start) };
    for (int64_t day = start; day < end;) {
        CivilDate date = civil_from_days(day);
        int64_t first = day - date.day + 1;

        recurrence_put(p, first - start, recurrence_month(r, date.year, date.month));
        day = first + civil_month_length(date.year, date.month);
    }
    if (recurrence_has(r, RECURRENCE_BYWEEKNO))
        recurrence_keep_weeks(r, p);
    if (recurrence_counts_in_year(r))
        recurrence_keep_weekdays_of_year(r, p);
}

/* No period behind this one begins before the end. */
static int64_t recurrence_last_index(RecurrenceFrequency frequency)
{
    if (frequency == RECURRENCE_YEARLY)
        return CALENDAR_YEAR_LAST + 1;
    if (frequency == RECURRENCE_MONTHLY)
        return CALENDAR_YEAR_LAST * INT64_C(12) + 11;
    return RECURRENCE_END / SECONDS_PER_DAY / 7 + 1;
}

/* Rules of years, months and weeks: one period after the other, interval by interval. */
static int64_t recurrence_search_periods(const Recurrence *r, int64_t from)
{
    int64_t first = r->first, at = recurrence_index_of(r, recurrence_divide(from, SECONDS_PER_DAY)),
            step = (int64_t)r->interval, last = recurrence_last_index(r->frequency);

    for (at = first + (at - first + step - 1) / step * step; at <= last; at += step) {
        RecurrencePeriod p;
        int64_t found;

        recurrence_fill(r, at, &p);
        found = recurrence_next_in(r, &p, from);
        if (found != RECURRENCE_NEVER)
            return found < RECURRENCE_END ? found : RECURRENCE_NEVER;
    }
    return RECURRENCE_NEVER;
}

/* --- units --- */

/* Rules of days, hours, minutes and seconds: units of equal length, each interval-th of them. */
typedef struct RecurrenceWalk {
    const Recurrence *rule;
    int64_t unit;  /* in seconds */
    int64_t month; /* the first day of the month that was looked at last, in seconds; its end */
    int64_t month_end;
    uint32_t days; /* of that month */
} RecurrenceWalk;

static const int64_t recurrence_units[_RECURRENCE_FREQUENCY_MAX] = {
    [RECURRENCE_DAILY] = 86400,
    [RECURRENCE_HOURLY] = 3600,
    [RECURRENCE_MINUTELY] = 60,
    [RECURRENCE_SECONDLY] = 1,
};

/* The first unit of the rule that does not begin before `at`. */
static int64_t recurrence_align(const RecurrenceWalk *w, int64_t at)
{
    int64_t first = recurrence_divide(w->rule->start, w->unit) * w->unit,
            step = w->unit * (int64_t)w->rule->interval;

    return at <= first ? first : first + (at - first + step - 1) / step * step;
}

static void recurrence_look_at_month(RecurrenceWalk *w, int64_t at)
{
    CivilDate date = civil_from_days(recurrence_divide(at, SECONDS_PER_DAY));

    if (at >= w->month && at < w->month_end)
        return;
    w->month = civil_to_days(date.year, date.month, 1) * SECONDS_PER_DAY;
    w->month_end = w->month + civil_month_length(date.year, date.month) * SECONDS_PER_DAY;
    w->days = recurrence_month(w->rule, date.year, date.month);
}

/* The first instant from here on that is on one of its days; RECURRENCE_END at most. */
static int64_t recurrence_skip_days(RecurrenceWalk *w, int64_t at)
{
    while (at < RECURRENCE_END) {
        int day, found;

        recurrence_look_at_month(w, at);
        day = (int)((at - w->month) / SECONDS_PER_DAY) + 1;
        found = recurrence_bit(w->days, day);
        if (found == day)
            return at;
        if (found > 0)
            return w->month + (found - 1) * SECONDS_PER_DAY;
        at = w->month_end;
    }
    return RECURRENCE_END;
}

/* The same where its hour, minute or second is none of the rule's: the next that is, or the end of what it is part of. */
static int64_t recurrence_skip_field(uint64_t bits, int64_t at, int64_t unit, int64_t n)
{
    int64_t whole = recurrence_divide(at, unit * n) * unit * n, value = (at - whole) / unit;
    int found = recurrence_bit(bits, (int)value);

    if (found == value)
        return at;
    return whole + (found >= 0 ? found : n) * unit;
}

static int64_t recurrence_skip(RecurrenceWalk *w, int64_t at)
{
    const Recurrence *r = w->rule;
    int64_t to = recurrence_skip_days(w, at);

    if (to == at && r->frequency >= RECURRENCE_HOURLY)
        to = recurrence_skip_field(r->hours, at, 3600, 24);
    if (to == at && r->frequency >= RECURRENCE_MINUTELY)
        to = recurrence_skip_field(r->minutes, at, 60, 60);
    if (to == at && r->frequency == RECURRENCE_SECONDLY)
        to = recurrence_skip_field(r->seconds, at, 1, 60);
    return to;
}

static int64_t recurrence_search_units(const Recurrence *r, int64_t from)
{
    RecurrenceWalk w = { .rule = r, .unit = recurrence_units[r->frequency] };
    int64_t at = recurrence_align(&w, from - w.unit + 1), to;

    for (unsigned steps = 0; at < RECURRENCE_END && steps < RECURRENCE_STEPS_MAX; steps++) {
        to = recurrence_skip(&w, at);
        if (to == at) {
            RecurrencePeriod p = { .start = at, .days = { 1 }, .n_days = 1 };
            int64_t found = recurrence_next_in(r, &p, from);

            if (found != RECURRENCE_NEVER)
                return found;
            to = at + 1;
        }
        at = recurrence_align(&w, to);
    }
    return RECURRENCE_NEVER;
}

static int64_t recurrence_search(const Recurrence *r, int64_t from)
{
    from = MAX(from, r->start);
    if (from >= RECURRENCE_END)
        return RECURRENCE_NEVER;
    return r->frequency < RECURRENCE_DAILY ? recurrence_search_periods(r, from)
                                           : recurrence_search_units(r, from);
}

int64_t recurrence_next(const Recurrence *r, int64_t from)
{
    int64_t second = (int64_t)USEC_PER_SEC, found;

    if (r->last < r->start)
        return RECURRENCE_NEVER;
    found = recurrence_search(r, recurrence_divide(from + second - 1, second));
    return found == RECURRENCE_NEVER || found > r->last ? RECURRENCE_NEVER : found * second;
}

/* --- from the start on --- */

/* RFC 5545: what a rule does not say of the day and its time it has from its start. */
static void recurrence_take_from_start(Recurrence *r)
{
    int64_t day = recurrence_divide(r->start, SECONDS_PER_DAY), time = r->start - day * SECONDS_PER_DAY;
    CivilDate date = civil_from_days(day);
    bool has_days = recurrence_has(r, RECURRENCE_BYYEARDAY) || recurrence_has(r, RECURRENCE_BYMONTHDAY) ||
                    recurrence_has(r, RECURRENCE_BYDAY);
    bool by_weekday = r->frequency == RECURRENCE_WEEKLY || recurrence_has(r, RECURRENCE_BYWEEKNO);

    if (!recurrence_has(r, RECURRENCE_BYMONTH))
        r->months = r->frequency == RECURRENCE_YEARLY && !has_days && !by_weekday ? UINT64_C(1) << date.month
                                                                                  : CALENDAR_ALL_MONTHS;
    if (!has_days && by_weekday)
        r->weekdays = (uint8_t)(1 << recurrence_weekday(day));
    else if (!has_days && r->frequency <= RECURRENCE_MONTHLY)
        r->days = UINT64_C(1) << date.day;
    if (!recurrence_has(r, RECURRENCE_BYHOUR))
        r->hours =
            r->frequency < RECURRENCE_HOURLY ? UINT64_C(1) << time / SECONDS_PER_HOUR : CALENDAR_ALL_HOURS;
    if (!recurrence_has(r, RECURRENCE_BYMINUTE))
        r->minutes = r->frequency < RECURRENCE_MINUTELY ? UINT64_C(1) << time % SECONDS_PER_HOUR / 60
                                                        : CALENDAR_ALL_MINUTES;
    if (!recurrence_has(r, RECURRENCE_BYSECOND))
        r->seconds = r->frequency < RECURRENCE_SECONDLY ? UINT64_C(1) << time % 60 : CALENDAR_ALL_MINUTES;
}

/* Of hours, minutes or seconds with an interval: is there a time of day that the rule wants and the steps come to, on whatever
 * day? They come to those that are as many units from the start as their common divisor with a day's has. */
static bool recurrence_is_reached(const Recurrence *r)
{
    int64_t unit = recurrence_units[r->frequency], a = SECONDS_PER_DAY / unit, b = (int64_t)r->interval;

    while (b > 0) {
        int64_t rest = a % b;

        a = b;
        b = rest;
    }
    for (int64_t at = (r->start - recurrence_divide(r->start, a * unit) * a * unit) / unit * unit;
         at < SECONDS_PER_DAY; at += a * unit)
        if (r->hours >> at / SECONDS_PER_HOUR & 1 &&
            (unit >= SECONDS_PER_HOUR || r->minutes >> at / 60 % 60 & 1) &&
            (unit >= 60 || r->seconds >> at % 60 & 1))
            return true;
    return false;
}

/* Of days and less BYSETPOS= chooses from as many moments each time: is there one at any of its places? */
static bool recurrence_is_chosen(const Recurrence *r)
{
    RecurrenceTimes times = recurrence_times(r);

    for (guint i = 0; r->positions && i < r->positions->len; i++)
        if (ABS(g_array_index(r->positions, int, i)) <= recurrence_count_times(&times))
            return true;
    return !r->positions;
}

/* COUNT= is as good as the last moment that it leads to. */
static void recurrence_count(Recurrence *r)
{
    int64_t at = r->start - 1;

    for (uint64_t i = 0; i < r->count; i++) {
        int64_t next = recurrence_search(r, at + 1);

        if (next == RECURRENCE_NEVER)
            break;
        at = next;
    }
    r->last = at;
}

void recurrence_begin(Recurrence *r, int64_t start)
{
    int64_t second = (int64_t)USEC_PER_SEC;

    r->start = recurrence_divide(start + second - 1, second);
    r->last = RECURRENCE_NEVER;
    recurrence_take_from_start(r);
    if (r->frequency < RECURRENCE_DAILY)
        r->first = recurrence_index_of(r, recurrence_divide(r->start, SECONDS_PER_DAY));
    if ((r->frequency >= RECURRENCE_DAILY && !recurrence_is_chosen(r)) ||
        (r->frequency >= RECURRENCE_HOURLY && !recurrence_is_reached(r)))
        r->last = r->start - 1;
    else if (recurrence_has(r, RECURRENCE_COUNT))
        recurrence_count(r);
    else if (recurrence_has(r, RECURRENCE_UNTIL) && r->until_kind != RECURRENCE_UNTIL_UTC)
        r->last = r->until + (r->until_kind == RECURRENCE_UNTIL_DAY ? SECONDS_PER_DAY - 1 : 0);
}

uint64_t recurrence_until(const Recurrence *r)
{
    bool utc = recurrence_has(r, RECURRENCE_UNTIL) && r->until_kind == RECURRENCE_UNTIL_UTC;

    return utc ? (uint64_t)MAX(r->until, 0) * USEC_PER_SEC : USEC_INFINITY;
}

bool recurrence_is_hourly(const Recurrence *r)
{
    int64_t distance = recurrence_units[r->frequency] * (int64_t)r->interval;

    return r->hours == CALENDAR_ALL_HOURS && !r->positions &&
           (r->frequency <= RECURRENCE_DAILY || distance <= SECONDS_PER_HOUR);
}
