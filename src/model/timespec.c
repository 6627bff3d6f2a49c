/* Instants of systemd.time(7) and RFC 3339, and the expressions that defaults may use. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/calendar.h"
#include "model/timespec-span.h"
#include "model/timespec.h"

typedef struct Stamp {
    bool has_date, has_time;
    int year, month, day;
    int hour, minute, second;
    uint64_t fraction; /* µs */
    int weekday;       /* 1 is Monday, 0 is any */
    int day_offset;    /* of today, where there is no date */
    bool has_zone;
    GTimeZone *zone; /* owned */
} Stamp;

static void timespec_stamp_clear(Stamp *s)
{
    g_clear_pointer(&s->zone, g_time_zone_unref);
}

static const char *timespec_skip(const char *p)
{
    return p + strspn(p, " \t");
}

/* Exactly `digits` digits. */
static bool timespec_digits(const char **p, unsigned digits, int *ret)
{
    int n = 0;

    for (unsigned i = 0; i < digits; i++) {
        if (!g_ascii_isdigit((*p)[i]))
            return false;
        n = n * 10 + ((*p)[i] - '0');
    }
    *p += digits;
    *ret = n;
    return true;
}

/* A point and digits; what is finer than a µs is dropped. */
static bool timespec_fraction(const char **p, uint64_t *ret)
{
    uint64_t f = 0, scale = USEC_PER_SEC;

    *ret = 0;
    if (**p != '.')
        return true;
    (*p)++;
    if (!g_ascii_isdigit(**p))
        return false;
    for (; g_ascii_isdigit(**p); (*p)++) {
        scale /= 10;
        f += (uint64_t)(**p - '0') * scale;
    }
    *ret = f;
    return true;
}

static bool timespec_read_date(const char **p, Stamp *s)
{
    const char *q = *p;

    if (!timespec_digits(&q, 4, &s->year) || *q++ != '-' || !timespec_digits(&q, 2, &s->month) ||
        *q++ != '-' || !timespec_digits(&q, 2, &s->day))
        return false;
    s->has_date = true;
    *p = q;
    return true;
}

static bool timespec_read_time(const char **p, Stamp *s)
{
    const char *q = *p;

    if (!timespec_digits(&q, 2, &s->hour) || *q++ != ':' || !timespec_digits(&q, 2, &s->minute))
        return false;
    if (*q == ':') {
        q++;
        if (!timespec_digits(&q, 2, &s->second) || !timespec_fraction(&q, &s->fraction))
            return false;
    }
    s->has_time = true;
    *p = q;
    return s->hour < 24 && s->minute < 60 && s->second < 60;
}

/* "Z", "UTC", "+02:00", "Europe/Zurich": the rest of the text. A name is looked up below the system's zones
 * and may not leave that directory. */
static bool timespec_read_zone(const char *p, Stamp *s)
{
    s->has_zone = *p;
    if (!*p || g_str_equal(p, "Z") || g_str_equal(p, "z") || g_str_equal(p, "UTC")) {
        s->zone = *p ? g_time_zone_new_utc() : g_time_zone_new_local();
        return true;
    }
    if (*p == '+' || *p == '-') {
        int hours, minutes;
        const char *q = p + 1;

        if (!timespec_digits(&q, 2, &hours))
            return false;
        if (*q == ':')
            q++;
        if (!timespec_digits(&q, 2, &minutes) || *q || hours > 23 || minutes > 59)
            return false;
        s->zone = g_time_zone_new_offset((*p == '-' ? -1 : 1) * (hours * 3600 + minutes * 60));
        return true;
    }
    if (!g_ascii_isalpha(*p) || strstr(p, "..") ||
        p[strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789_+-/")])
        return false;
    s->zone = g_time_zone_new_identifier(p);
    return s->zone;
}

static bool timespec_take_word(const char **p, const char *word)
{
    size_t n = strlen(word);

    if (g_ascii_strncasecmp(*p, word, n) != 0 || g_ascii_isalnum((*p)[n]))
        return false;
    *p += n;
    return true;
}

static void timespec_read_weekday(const char **p, Stamp *s)
{
    static const char *const names[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
        "Sunday" };

    for (int i = 0; i < 7; i++) {
        char abbreviated[4];

        g_strlcpy(abbreviated, names[i], sizeof abbreviated);
        if (timespec_take_word(p, names[i]) || timespec_take_word(p, abbreviated)) {
            if (**p == ',')
                (*p)++;
            *p = timespec_skip(*p);
            s->weekday = i + 1;
            return;
        }
    }
}

static int timespec_from_datetime(GDateTime *dt, uint64_t fraction, uint64_t *ret)
{
    gint64 seconds;

    if (!dt)
        return -EINVAL;
    seconds = g_date_time_to_unix(dt);
    if (seconds < 0)
        return -ERANGE;
    *ret = (uint64_t)seconds * USEC_PER_SEC + fraction;
    return 0;
}

static GDateTime *timespec_to_datetime(uint64_t usec, GTimeZone *zone)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc((gint64)(usec / USEC_PER_SEC));

    return utc ? g_date_time_to_timezone(utc, zone) : NULL;
}

/* The parts of a stamp, all read: *now is for words and bare times, NULL refuses them. */
static int timespec_from_stamp(Stamp *s, const uint64_t *now, uint64_t *ret)
{
    g_autoptr(GDateTime) dt = NULL;

    if (!s->has_date) {
        g_autoptr(GDateTime) today = NULL, day = NULL;

        if (!now)
            return -EINVAL;
        today = timespec_to_datetime(*now, s->zone);
        if (!today)
            return -ERANGE;
        day = g_date_time_add_days(today, s->day_offset);
        if (!day)
            return -ERANGE;
        g_date_time_get_ymd(day, &s->year, &s->month, &s->day);
    }
    dt = g_date_time_new(s->zone, s->year, s->month, s->day, s->hour, s->minute, s->second);
    if (dt && s->weekday > 0 && g_date_time_get_day_of_week(dt) != s->weekday)
        return -EINVAL;
    return timespec_from_datetime(dt, s->fraction, ret);
}

static int timespec_parse_epoch(const char *p, uint64_t *ret)
{
    uint64_t seconds = 0, fraction;

    if (!g_ascii_isdigit(*p))
        return -EINVAL;
    for (; g_ascii_isdigit(*p); p++)
        if (__builtin_mul_overflow(seconds, 10, &seconds) ||
            __builtin_add_overflow(seconds, (uint64_t)(*p - '0'), &seconds))
            return -ERANGE;
    if (!timespec_fraction(&p, &fraction) || *p)
        return -EINVAL;
    if (__builtin_mul_overflow(seconds, USEC_PER_SEC, &seconds) ||
        __builtin_add_overflow(seconds, fraction, ret) || *ret > INT64_MAX)
        return -ERANGE;
    return 0;
}

static int timespec_shift(uint64_t base, bool back, uint64_t span, uint64_t *ret)
{
    if (span == USEC_INFINITY)
        return -ERANGE;
    if (back ? __builtin_sub_overflow(base, span, ret) : __builtin_add_overflow(base, span, ret))
        return -ERANGE;
    return *ret > INT64_MAX ? -ERANGE : 0;
}

/* "+5min", "-1h", "5min ago", "5min left"; -ENOENT where the text is none of these. */
static int timespec_parse_relative(const char *p, uint64_t now, uint64_t *ret)
{
    g_autofree char *copy = NULL;
    uint64_t span;
    bool back = *p == '-';
    int r;

    if (*p == '+' || *p == '-')
        copy = g_strdup(p + 1);
    else if (g_str_has_suffix(p, " ago") || g_str_has_suffix(p, " left")) {
        back = g_str_has_suffix(p, " ago");
        copy = g_strndup(p, strlen(p) - (back ? 4 : 5));
    } else
        return -ENOENT;
    r = timespec_parse_span(copy, &span);
    return r < 0 ? r : timespec_shift(now, back, span, ret);
}

static int timespec_read_stamp(const char *p, Stamp *s)
{
    static const struct {
        const char *word;
        int offset;
    } days[] = { { "today", 0 }, { "yesterday", -1 }, { "tomorrow", 1 } };
    bool word = false;

    timespec_read_weekday(&p, s);
    for (size_t i = 0; i < G_N_ELEMENTS(days) && !word; i++)
        if (timespec_take_word(&p, days[i].word)) {
            s->day_offset = days[i].offset;
            word = true;
        }
    if (!word)
        timespec_read_date(&p, s);
    if (s->has_date && (*p == 'T' || *p == 't'))
        p++;
    else
        p = timespec_skip(p);
    if (g_ascii_isdigit(*p) && !timespec_read_time(&p, s))
        return -EINVAL;
    if (!s->has_date && !s->has_time && !word)
        return -EINVAL;
    if (!timespec_read_zone(timespec_skip(p), s))
        return -EINVAL;
    return 0;
}

static int timespec_parse_stamp(const char *p, const uint64_t *now, uint64_t *ret)
{
    _cleanup_(timespec_stamp_clear) Stamp s = { 0 };
    int r = timespec_read_stamp(p, &s);

    return r < 0 ? r : timespec_from_stamp(&s, now, ret);
}

int timespec_parse_absolute(const char *text, uint64_t *ret_usec)
{
    g_autofree char *copy = g_strstrip(g_strdup(text));

    if (copy[0] == '@')
        return timespec_parse_epoch(copy + 1, ret_usec);
    return timespec_parse_stamp(copy, NULL, ret_usec);
}

/* "20300131T060000Z" as "2030-01-31T06:00:00Z"; NULL: it is none of these. g_free. */
static char *timespec_extend(const char *p)
{
    static const char digits[] = "0123456789";

    if (strspn(p, digits) != 8)
        return NULL;
    if (!p[8])
        return g_strdup_printf("%.4s-%.2s-%.2s", p, p + 4, p + 6);
    if ((p[8] != 'T' && p[8] != 't') || strspn(p + 9, digits) != 6 || (p[15] && !g_str_equal(p + 15, "Z")))
        return NULL;
    return g_strdup_printf("%.4s-%.2s-%.2sT%.2s:%.2s:%.2s%s", p, p + 4, p + 6, p + 9, p + 11, p + 13, p + 15);
}

int timespec_parse_moment(const char *text, const Zone *zone, TimespecMoment *ret)
{
    g_autofree char *copy = g_strstrip(g_strdup(text)), *extended = timespec_extend(copy);
    _cleanup_(timespec_stamp_clear) Stamp s = { 0 };
    uint64_t shown = 0;
    int r;

    *ret = (TimespecMoment){ 0 };
    if (copy[0] == '@')
        r = timespec_parse_epoch(copy + 1, &ret->usec);
    else {
        r = timespec_read_stamp(extended ? extended : copy, &s);
        if (r >= 0 && !s.has_zone) {
            g_clear_pointer(&s.zone, g_time_zone_unref);
            s.zone = g_time_zone_new_utc();
        }
        r = r < 0 ? r : timespec_from_stamp(&s, NULL, s.has_zone ? &ret->usec : &shown);
        ret->whole_day = !s.has_time;
    }
    if (r < 0)
        return r;
    ret->zoned = copy[0] == '@' || s.has_zone;
    if (ret->zoned)
        ret->local = calendar_show(ret->usec, zone);
    else {
        ret->local = (int64_t)shown;
        ret->usec = calendar_instant(ret->local, zone);
    }
    return ret->usec > INT64_MAX ? -ERANGE : 0;
}

int timespec_parse_instant(const char *text, uint64_t now_usec, uint64_t *ret_usec)
{
    g_autofree char *copy = g_strstrip(g_strdup(text));
    int r;

    if (g_str_equal(copy, "now")) {
        *ret_usec = now_usec;
        return 0;
    }
    if (copy[0] == '@')
        return timespec_parse_epoch(copy + 1, ret_usec);
    r = timespec_parse_relative(copy, now_usec, ret_usec);
    return r == -ENOENT ? timespec_parse_stamp(copy, &now_usec, ret_usec) : r;
}

/* One calendar step in the system's zone, so that a day is a day when the clock changes. */
static int timespec_step(uint64_t *usec, const SpanTerm *term, bool back)
{
    g_autoptr(GTimeZone) zone = NULL;
    g_autoptr(GDateTime) dt = NULL, moved = NULL;
    int n;

    if (term->step == SPAN_FIXED || term->has_fraction)
        return timespec_shift(*usec, back, term->usec, usec);
    if (term->whole > 1000000)
        return -ERANGE;
    zone = g_time_zone_new_local();
    dt = timespec_to_datetime(*usec, zone);
    if (!dt)
        return -ERANGE;
    n = back ? -(int)term->whole : (int)term->whole;
    switch (term->step) {
    case SPAN_DAYS:
        moved = g_date_time_add_days(dt, n);
        break;
    case SPAN_WEEKS:
        moved = g_date_time_add_weeks(dt, n);
        break;
    case SPAN_MONTHS:
        moved = g_date_time_add_months(dt, n);
        break;
    case SPAN_YEARS:
        moved = g_date_time_add_years(dt, n);
        break;
    case SPAN_FIXED:
        break;
    }
    return moved ? timespec_from_datetime(moved, *usec % USEC_PER_SEC, usec) : -ERANGE;
}

/* Midnight of the first day of this week, month or year; -ENOENT for another word. */
static int timespec_start_of(const char *word, uint64_t now, uint64_t *ret)
{
    g_autoptr(GTimeZone) zone = NULL;
    g_autoptr(GDateTime) dt = NULL, monday = NULL, start = NULL;
    int y, m, d;

    if (!g_str_has_suffix(word, "-start"))
        return -ENOENT;
    zone = g_time_zone_new_local();
    dt = timespec_to_datetime(now, zone);
    if (!dt)
        return -ERANGE;
    g_date_time_get_ymd(dt, &y, &m, &d);
    if (g_str_equal(word, "week-start")) {
        monday = g_date_time_add_days(dt, 1 - g_date_time_get_day_of_week(dt));
        if (!monday)
            return -ERANGE;
        g_date_time_get_ymd(monday, &y, &m, &d);
    } else if (g_str_equal(word, "month-start"))
        d = 1;
    else if (g_str_equal(word, "year-start"))
        m = d = 1;
    else
        return -ENOENT;
    start = g_date_time_new(zone, y, m, d, 0, 0, 0);
    return timespec_from_datetime(start, 0, ret);
}

/* The first sign that begins a word and is no zone ("+01:00"), or the end. */
static const char *timespec_find_terms(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (p > text && !g_ascii_isspace(p[-1]))
            continue;
        if ((*p == '+' || *p == '-') && p[1 + strspn(p + 1, " \t0123456789.")] != ':')
            return p;
    }
    return text + strlen(text);
}

int timespec_eval(const char *text, uint64_t now_usec, uint64_t *ret_usec)
{
    g_autofree char *copy = g_strstrip(g_strdup(text)), *base = NULL;
    const char *p = timespec_find_terms(copy);
    uint64_t t = now_usec;
    int r = 0;

    base = g_strstrip(g_strndup(copy, (size_t)(p - copy)));
    if (base[0]) {
        r = timespec_start_of(base, now_usec, &t);
        if (r == -ENOENT)
            r = timespec_parse_instant(base, now_usec, &t);
    } else if (!*p)
        r = -EINVAL;
    while (r >= 0 && *p) {
        bool back = *p == '-';
        SpanTerm term;

        if (*p != '+' && *p != '-')
            return -EINVAL;
        p++;
        do {
            r = timespec_next_term(&p, &term);
            if (r >= 0)
                r = timespec_step(&t, &term, back);
        } while (r >= 0 && *p && *p != '+' && *p != '-');
    }
    if (r < 0)
        return r;
    *ret_usec = t;
    return 0;
}

char *timespec_format_instant(uint64_t usec)
{
    g_autoptr(GDateTime) dt = g_date_time_new_from_unix_utc((gint64)(usec / USEC_PER_SEC));
    g_autofree char *head = dt ? g_date_time_format(dt, "%Y-%m-%dT%H:%M:%S") : NULL;

    if (!head) /* beyond the year 9999 */
        return g_strdup_printf("@%" PRIu64 ".%06u", usec / USEC_PER_SEC, (unsigned)(usec % USEC_PER_SEC));
    return g_strdup_printf("%s.%06uZ", head, (unsigned)(usec % USEC_PER_SEC));
}
