/* Spans of systemd.time(7): "1h 30min". */
#include <inttypes.h>
#include <string.h>

#include "model/timespec-span.h"
#include "model/timespec.h"

#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR   (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY    (24 * USEC_PER_HOUR)
#define USEC_PER_WEEK   (7 * USEC_PER_DAY)
#define USEC_PER_MONTH  (2629800 * USEC_PER_SEC)  /* a twelfth of a year */
#define USEC_PER_YEAR   (31557600 * USEC_PER_SEC) /* 365.25 days */

static const struct {
    const char *suffix;
    uint64_t usec;
    SpanStep step;
} timespec_units[] = {
    { "s", USEC_PER_SEC, SPAN_FIXED },
    { "sec", USEC_PER_SEC, SPAN_FIXED },
    { "second", USEC_PER_SEC, SPAN_FIXED },
    { "seconds", USEC_PER_SEC, SPAN_FIXED },
    { "ms", USEC_PER_MSEC, SPAN_FIXED },
    { "msec", USEC_PER_MSEC, SPAN_FIXED },
    { "us", 1, SPAN_FIXED },
    { "usec", 1, SPAN_FIXED },
    { "\302\265s", 1, SPAN_FIXED }, /* micro sign */
    { "\316\274s", 1, SPAN_FIXED }, /* Greek letter mu */
    { "m", USEC_PER_MINUTE, SPAN_FIXED },
    { "min", USEC_PER_MINUTE, SPAN_FIXED },
    { "minute", USEC_PER_MINUTE, SPAN_FIXED },
    { "minutes", USEC_PER_MINUTE, SPAN_FIXED },
    { "h", USEC_PER_HOUR, SPAN_FIXED },
    { "hr", USEC_PER_HOUR, SPAN_FIXED },
    { "hour", USEC_PER_HOUR, SPAN_FIXED },
    { "hours", USEC_PER_HOUR, SPAN_FIXED },
    { "d", USEC_PER_DAY, SPAN_DAYS },
    { "day", USEC_PER_DAY, SPAN_DAYS },
    { "days", USEC_PER_DAY, SPAN_DAYS },
    { "w", USEC_PER_WEEK, SPAN_WEEKS },
    { "week", USEC_PER_WEEK, SPAN_WEEKS },
    { "weeks", USEC_PER_WEEK, SPAN_WEEKS },
    { "M", USEC_PER_MONTH, SPAN_MONTHS },
    { "month", USEC_PER_MONTH, SPAN_MONTHS },
    { "months", USEC_PER_MONTH, SPAN_MONTHS },
    { "y", USEC_PER_YEAR, SPAN_YEARS },
    { "year", USEC_PER_YEAR, SPAN_YEARS },
    { "years", USEC_PER_YEAR, SPAN_YEARS },
};

static const char *timespec_skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* Digits, a fraction: whole and what stands behind the point, the latter left as text. */
static int timespec_read_number(
    const char **p, uint64_t *ret_whole, const char **ret_fraction, size_t *ret_digits)
{
    const char *s = *p;
    uint64_t whole = 0;
    bool some = false;

    for (; g_ascii_isdigit(*s); s++, some = true)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(*s - '0'), &whole))
            return -ERANGE;
    *ret_fraction = NULL;
    *ret_digits = 0;
    if (*s == '.') {
        s++;
        *ret_fraction = s;
        *ret_digits = strspn(s, "0123456789");
        if (*ret_digits == 0)
            return -EINVAL;
        s += *ret_digits;
        some = true;
    }
    if (!some)
        return -EINVAL;
    *ret_whole = whole;
    *p = s;
    return 0;
}

int timespec_next_term(const char **p, SpanTerm *ret)
{
    const char *s = timespec_skip_space(*p), *fraction, *suffix;
    size_t digits, length = 0;
    uint64_t unit = USEC_PER_SEC, part;
    SpanTerm t = { .step = SPAN_FIXED };
    int r;

    r = timespec_read_number(&s, &t.whole, &fraction, &digits);
    if (r < 0)
        return r;
    suffix = timespec_skip_space(s);
    while (g_ascii_isalpha(suffix[length]) || (unsigned char)suffix[length] >= 0x80)
        length++;
    if (length > 0) {
        unit = 0;
        ARRAY_FOREACH (u, timespec_units)
            if (strlen(u->suffix) == length && strncmp(u->suffix, suffix, length) == 0) {
                unit = u->usec;
                t.step = u->step;
            }
        if (unit == 0)
            return -EINVAL;
        s = suffix + length;
    }
    t.has_fraction = fraction;
    if (__builtin_mul_overflow(t.whole, unit, &t.usec))
        return -ERANGE;
    part = unit;
    for (size_t i = 0; i < digits && part > 0; i++) {
        part /= 10;
        if (__builtin_add_overflow(t.usec, part * (uint64_t)(fraction[i] - '0'), &t.usec))
            return -ERANGE;
    }
    *p = timespec_skip_space(s);
    *ret = t;
    return 0;
}

int timespec_parse_span(const char *text, uint64_t *ret_usec)
{
    const char *p = timespec_skip_space(text);
    uint64_t sum = 0;
    SpanTerm term;
    int r;

    if (g_str_has_prefix(p, "infinity") && !*timespec_skip_space(p + strlen("infinity"))) {
        *ret_usec = USEC_INFINITY;
        return 0;
    }
    do {
        r = timespec_next_term(&p, &term);
        if (r < 0)
            return r;
        if (__builtin_add_overflow(sum, term.usec, &sum) || sum == USEC_INFINITY)
            return -ERANGE;
    } while (*p);
    *ret_usec = sum;
    return 0;
}

char *timespec_format_span(uint64_t usec)
{
    static const struct {
        const char *suffix;
        uint64_t usec;
    } steps[] = {
        { "y", USEC_PER_YEAR },
        { "month", USEC_PER_MONTH },
        { "w", USEC_PER_WEEK },
        { "d", USEC_PER_DAY },
        { "h", USEC_PER_HOUR },
        { "min", USEC_PER_MINUTE },
        { "s", USEC_PER_SEC },
        { "ms", USEC_PER_MSEC },
        { "us", 1 },
    };
    GString *s;
    unsigned n = 0;

    if (usec == USEC_INFINITY)
        return g_strdup("infinity");
    if (usec == 0)
        return g_strdup("0");
    s = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(steps) && n < 2 && usec > 0; i++) {
        if (usec < steps[i].usec)
            continue;
        g_string_append_printf(s, "%s%" PRIu64 "%s", n ? " " : "", usec / steps[i].usec, steps[i].suffix);
        usec %= steps[i].usec;
        n++;
    }
    return g_string_free(s, FALSE);
}
