/* Crontab fields read into a calendar, and written. Beside what Vixie's cron has: seconds, days from the end and working
 * days of a month, the nth and the last of its weekdays, and cronie's values that are drawn by chance. */
#include "model/cron.h"

#include <string.h>

typedef enum CronField {
    CRON_SECOND,
    CRON_MINUTE,
    CRON_HOUR,
    CRON_DAY,
    CRON_MONTH,
    CRON_WEEKDAY,
    _CRON_FIELD_MAX,
} CronField;

static const struct {
    const char *name;
    int first, last;
    const char *names[13]; /* from first on */
} cron_fields[_CRON_FIELD_MAX] = {
    [CRON_SECOND] = { "second", 0, 59, { NULL } },
    [CRON_MINUTE] = { "minute", 0, 59, { NULL } },
    [CRON_HOUR] = { "hour", 0, 23, { NULL } },
    [CRON_DAY] = { "day", 1, 31, { NULL } },
    [CRON_MONTH] = { "month", 1, 12,
        { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec" } },
    [CRON_WEEKDAY] = { "day of the week", 0, 7, { "sun", "mon", "tue", "wed", "thu", "fri", "sat" } },
};

static const struct {
    const char *word, *meaning;
} cron_words[] = {
    { "@yearly", "0 0 1 1 *" },
    { "@annually", "0 0 1 1 *" },
    { "@monthly", "0 0 1 * *" },
    { "@weekly", "0 0 * * 0" },
    { "@daily", "0 0 * * *" },
    { "@midnight", "0 0 * * *" },
    { "@hourly", "0 * * * *" },
};

typedef struct CronReader {
    const char *text, *p;
    const char *salt;
    unsigned n_drawn;
    CronField field;
    bool star[_CRON_FIELD_MAX]; /* it begins with "*": then the other field of days alone decides */
    uint64_t bits[_CRON_FIELD_MAX];
    Calendar calendar;
    CalendarFault *fault;
} CronReader;

static int cron_refuse(CronReader *r, const char *at, const char *message)
{
    calendar_fault_set(r->fault, r->text, at, "%s", message);
    return -EINVAL;
}

static bool cron_at_end(const CronReader *r)
{
    return !*r->p || *r->p == ' ' || *r->p == '\t';
}

static bool cron_take(CronReader *r, char c)
{
    if (*r->p != c)
        return false;
    r->p++;
    return true;
}

/* --- values --- */

static int cron_read_name(CronReader *r, int *ret)
{
    const char *const *names = cron_fields[r->field].names;

    for (int i = 0; names[i]; i++)
        if (g_ascii_strncasecmp(r->p, names[i], 3) == 0) {
            r->p += 3;
            *ret = cron_fields[r->field].first + i;
            return 0;
        }
    return cron_refuse(r, r->p, cron_at_end(r) ? "a value is expected here" : "a number is expected here");
}

static int cron_read_digits(CronReader *r, int max, int *ret)
{
    int n = 0;

    for (; g_ascii_isdigit(*r->p); r->p++)
        n = MIN(n * 10 + (*r->p - '0'), max + 1);
    *ret = n;
    return 0;
}

static int cron_read_value(CronReader *r, int *ret)
{
    const char *begin = r->p;
    int first = cron_fields[r->field].first, last = cron_fields[r->field].last;

    if (!g_ascii_isdigit(*r->p))
        return cron_read_name(r, ret);
    cron_read_digits(r, last, ret);
    if (*ret >= first && *ret <= last)
        return 0;
    calendar_fault_set(r->fault, r->text, begin, "%.*s is no %s from %d to %d", (int)MIN(r->p - begin, 20),
        begin, cron_fields[r->field].name, first, last);
    return -EINVAL;
}

static int cron_read_step(CronReader *r, int *ret)
{
    const char *begin = r->p;

    *ret = 1;
    if (!cron_take(r, '/'))
        return 0;
    if (!g_ascii_isdigit(*r->p))
        return cron_refuse(r, r->p, "the number of steps is expected behind '/'");
    cron_read_digits(r, 99999, ret);
    return *ret > 0 ? 0 : cron_refuse(r, begin + 1, "a step has to be larger than 0");
}

static void cron_set(CronReader *r, int from, int to, int step)
{
    for (int i = from; i <= to; i += step)
        r->bits[r->field] |= UINT64_C(1) << i;
}

/* Both ends are in the field; either may be left out. */
static int cron_read_drawn(CronReader *r, int from)
{
    const char *begin = r->p;
    g_autofree char *seed = NULL, *digest = NULL;
    int to = r->field == CRON_WEEKDAY ? 6 : cron_fields[r->field].last, e;

    if (!cron_at_end(r) && *r->p != ',') {
        e = cron_read_value(r, &to);
        if (e < 0)
            return e;
    }
    if (to < from)
        return cron_refuse(r, begin, "the range ends before it begins");
    seed = g_strdup_printf("%s %u", r->salt, r->n_drawn++);
    digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, seed, -1);
    digest[12] = 0;
    from += (int)(g_ascii_strtoull(digest, NULL, 16) % (guint64)(to - from + 1));
    cron_set(r, from, from, 1);
    return 0;
}

/* Behind a first value: "-B[/STEP]", "/STEP", "~[B]", or nothing. */
static int cron_read_range(CronReader *r, int from)
{
    const char *begin = r->p;
    int to = from, step, e;

    if (cron_take(r, '~'))
        return cron_read_drawn(r, from);
    if (cron_take(r, '-')) {
        e = cron_read_value(r, &to);
        if (e < 0)
            return e;
        if (r->field == CRON_WEEKDAY && to == 0 && from > 0)
            to = 7; /* fri-sun */
        if (to < from)
            return cron_refuse(r, begin + 1, "the range ends before it begins");
    } else if (*r->p == '/')
        to = cron_fields[r->field].last; /* 7 is a day as well */
    e = cron_read_step(r, &step);
    if (e >= 0)
        cron_set(r, from, to, step);
    return e;
}

/* --- days that need a month --- */

static uint8_t cron_weekday(int value)
{
    return (uint8_t)(1 << (value + 6) % 7);
}

/* "L" and "LW"; the last day, and the last working day. */
static int cron_read_last_day(CronReader *r)
{
    r->p++;
    if (cron_take(r, 'W') || cron_take(r, 'w'))
        r->calendar.workdays |= 1;
    else
        r->calendar.last |= 1 << 1;
    return 0;
}

/* "5L", "L5" and "5#2": the last, and the second, Friday. 1: it is none of these. */
static int cron_read_nth(CronReader *r, int weekday)
{
    const char *begin = r->p;
    int n;

    if (cron_take(r, 'L') || cron_take(r, 'l')) {
        r->calendar.nth[0] |= cron_weekday(weekday);
        return 0;
    }
    if (!cron_take(r, '#'))
        return 1;
    if (!g_ascii_isdigit(*r->p))
        return cron_refuse(r, r->p, "a number from 1 to 5 is expected behind '#'");
    cron_read_digits(r, 9, &n);
    if (n < 1 || n > 5)
        return cron_refuse(r, begin + 1, "a month has each day of the week 4 or 5 times: 1 to 5 is expected");
    r->calendar.nth[n] |= cron_weekday(weekday);
    return 0;
}

/* One item of a list. */
static int cron_read_item(CronReader *r)
{
    bool days = r->field == CRON_DAY, weekdays = r->field == CRON_WEEKDAY,
         last = *r->p == 'L' || *r->p == 'l';
    int value, step, e;

    if (*r->p == '*' || ((days || weekdays) && *r->p == '?')) {
        r->p++;
        e = cron_read_step(r, &step);
        if (e >= 0)
            cron_set(r, cron_fields[r->field].first, weekdays ? 6 : cron_fields[r->field].last, step);
        return e;
    }
    if (cron_take(r, '~'))
        return cron_read_drawn(r, cron_fields[r->field].first);
    if (days && last)
        return cron_read_last_day(r);
    if (weekdays && last) {
        r->p++;
        e = cron_read_value(r, &value);
        if (e >= 0)
            r->calendar.nth[0] |= cron_weekday(value);
        return e;
    }
    e = cron_read_value(r, &value);
    if (e < 0)
        return e;
    if (days && (cron_take(r, 'W') || cron_take(r, 'w'))) {
        r->calendar.workdays |= UINT32_C(1) << value;
        return 0;
    }
    e = weekdays ? cron_read_nth(r, value) : 1;
    return e == 1 ? cron_read_range(r, value) : e;
}

static int cron_read_field(CronReader *r)
{
    int e;

    r->star[r->field] = *r->p == '*' || *r->p == '?';
    do {
        e = cron_read_item(r);
        if (e < 0)
            return e;
    } while (cron_take(r, ','));
    return cron_at_end(r) ? 0 : cron_refuse(r, r->p, "',' or a space is expected behind a value");
}

/* --- the whole --- */

static int cron_count_fields(const char *p)
{
    int n = 0;

    for (p += strspn(p, " \t"); *p; p += strspn(p, " \t")) {
        p += strcspn(p, " \t");
        n++;
    }
    return n;
}

static void cron_fill(CronReader *r)
{
    Calendar *c = &r->calendar;
    uint64_t weekdays = r->bits[CRON_WEEKDAY];

    c->seconds = r->bits[CRON_SECOND];
    c->minutes = r->bits[CRON_MINUTE];
    c->hours = (uint32_t)r->bits[CRON_HOUR];
    c->days = (uint32_t)r->bits[CRON_DAY];
    c->months = (uint16_t)r->bits[CRON_MONTH];
    for (int i = 0; i <= 7; i++)
        if (weekdays >> i & 1)
            c->weekdays |= cron_weekday(i);
    c->either = !r->star[CRON_DAY] && !r->star[CRON_WEEKDAY];
    memset(c->years, 0xff, sizeof c->years);
}

int cron_parse(const char *text, const char *salt, Calendar *ret, CalendarFault *fault)
{
    CronReader r = { .text = text, .p = text, .salt = salt, .fault = fault };
    int n, e;

    if (*text == '@') {
        ARRAY_FOREACH (w, cron_words)
            if (g_ascii_strcasecmp(text, w->word) == 0)
                r.text = r.p = w->meaning;
        if (r.text == text)
            return cron_refuse(
                &r, text, "'@hourly', '@daily', '@weekly', '@monthly' or '@yearly' is expected");
    }
    n = cron_count_fields(r.text);
    if (n != 5 && n != 6)
        return cron_refuse(&r, text + strlen(text),
            "five fields are expected (minute, hour, day, month, day of the week), "
            "or six with the second before them");
    if (n == 5)
        r.bits[CRON_SECOND] = 1;
    for (r.field = n == 5 ? CRON_MINUTE : CRON_SECOND; r.field < _CRON_FIELD_MAX; r.field++) {
        r.p += strspn(r.p, " \t");
        e = cron_read_field(&r);
        if (e < 0)
            return e;
    }
    cron_fill(&r);
    *ret = r.calendar;
    return 0;
}

/* --- written --- */

/* Bits first to last as ranges. */
static void cron_format_bits(uint64_t bits, int first, int last, GString *s)
{
    for (int i = first; i <= last; i++) {
        int end = i;

        if (!(bits >> i & 1))
            continue;
        while (end < last && bits >> (end + 1) & 1)
            end++;
        g_string_append_printf(s, end > i ? "%d-%d," : "%d,", i, end);
        i = end;
    }
}

/* star: it has to begin with one, so that both fields of days decide together; it holds the first value then. */
static void cron_format_field(uint64_t bits, CronField f, bool star, GString *s)
{
    int first = cron_fields[f].first, last = f == CRON_WEEKDAY ? 6 : cron_fields[f].last;
    uint64_t all = (~UINT64_C(0) >> (63 - last)) & ~UINT64_C(0) << first;

    if (bits == all && star)
        g_string_append(s, "*,");
    else if (star) {
        g_string_append(s, "*/99,");
        cron_format_bits(bits & ~(UINT64_C(1) << first), first, last, s);
    } else
        cron_format_bits(bits, first, last, s);
}

static void cron_end_field(GString *s)
{
    if (s->len > 0 && s->str[s->len - 1] == ',')
        s->str[s->len - 1] = ' ';
}

static uint64_t cron_from_weekdays(uint8_t weekdays)
{
    return (weekdays << 1 & 0x7e) | weekdays >> 6;
}

static void cron_format_days(const Calendar *c, bool star, GString *s)
{
    cron_format_field(c->days, CRON_DAY, star, s);
    if (c->last)
        g_string_append(s, "L,");
    if (c->workdays & 1)
        g_string_append(s, "LW,");
    for (int i = 1; i <= 31; i++)
        if (c->workdays >> i & 1)
            g_string_append_printf(s, "%dW,", i);
    cron_end_field(s);
}

static void cron_format_weekdays(const Calendar *c, bool star, GString *s)
{
    cron_format_field(cron_from_weekdays(c->weekdays), CRON_WEEKDAY, star, s);
    for (int day = 0; day < 7; day++)
        for (int n = 0; n <= 5; n++)
            if (c->nth[n] & cron_weekday(day))
                g_string_append_printf(s, n > 0 ? "%d#%d," : "%dL,", day, n);
    cron_end_field(s);
}

char *cron_format(const Calendar *c)
{
    GString *s = g_string_new(NULL);
    bool all_days = c->days == CALENDAR_ALL_DAYS, all_weekdays = c->weekdays == CALENDAR_ALL_WEEKDAYS;
    /* Where the two decide together one has to begin with a star. A star always stands for the first value as well, which
     * tells which one can. */
    bool star_days = !c->either && (all_days || (!all_weekdays && c->days & 2));
    bool star_weekdays = !c->either && (all_weekdays || !star_days);

    if (c->seconds != 1) {
        cron_format_field(c->seconds, CRON_SECOND, c->seconds == CALENDAR_ALL_MINUTES, s);
        cron_end_field(s);
    }
    cron_format_field(c->minutes, CRON_MINUTE, c->minutes == CALENDAR_ALL_MINUTES, s);
    cron_end_field(s);
    cron_format_field(c->hours, CRON_HOUR, c->hours == CALENDAR_ALL_HOURS, s);
    cron_end_field(s);
    cron_format_days(c, star_days, s);
    cron_format_field(c->months, CRON_MONTH, c->months == CALENDAR_ALL_MONTHS, s);
    cron_end_field(s);
    cron_format_weekdays(c, star_weekdays, s);
    g_string_set_size(s, s->len - 1);
    return g_string_free(s, FALSE);
}
