/* The slow way, after crontab(5) of Vixie's cron: it shares neither the reading nor the arithmetic with what it judges. */
#include "cron-brute.h"

#include <string.h>
#include <time.h>

#include "base/util.h"

#define BRUTE_YEAR_LAST 2199

static const char *const brute_months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep",
    "oct", "nov", "dec", NULL };
static const char *const brute_days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

static int brute_month_length(int year, int month)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return lengths[month] + (month == 1 && leap);
}

/* "7" or "jul"; -1: neither. */
static int brute_number(const char *word, const char *const *names, int first)
{
    char *end;
    guint64 n = g_ascii_strtoull(word, &end, 10);

    if (end > word && !*end)
        return (int)n;
    for (int i = 0; names && names[i]; i++)
        if (g_ascii_strcasecmp(word, names[i]) == 0)
            return first + i;
    return -1;
}

/* "*", "A" or "A-B", with "/STEP" behind it, of a field that ends at last; *known is cleared where it is none of these. */
static bool brute_item(
    const char *item, const char *const *names, int first, int last, int value, bool *known)
{
    g_auto(GStrv) parts = g_strsplit(item, "/", 2), ends = g_strsplit(parts[0], "-", 2);
    int step = parts[1] ? brute_number(parts[1], NULL, 0) : 1, from = first, to = last;

    if (!g_str_equal(parts[0], "*")) {
        from = brute_number(ends[0], names, first);
        to = ends[1] ? brute_number(ends[1], names, first) : parts[1] ? last : from;
    }
    if (from < first || to < from || to > last || step < 1) {
        *known = false;
        return false;
    }
    return value >= from && value <= to && (value - from) % step == 0;
}

static bool brute_list(
    const char *field, const char *const *names, int first, int last, int value, bool *known)
{
    g_auto(GStrv) items = g_strsplit(field, ",", -1);
    bool found = false;

    for (char **item = items; *item; item++)
        found |= brute_item(*item, names, first, last, value, known);
    return found;
}

/* "L" among them is the last day of the month. */
static bool brute_day(const char *field, const struct tm *tm, bool *known)
{
    g_auto(GStrv) items = g_strsplit(field, ",", -1);
    bool found = false;

    for (char **item = items; *item; item++)
        if (g_str_equal(*item, "L"))
            found |= tm->tm_mday == brute_month_length(tm->tm_year + 1900, tm->tm_mon);
        else
            found |= brute_item(*item, NULL, 1, 31, tm->tm_mday, known);
    return found;
}

/* "5#2" and "L5" are the second and the last Friday; Sunday is 0 and 7. */
static bool brute_weekday(const char *field, const struct tm *tm, bool *known)
{
    g_auto(GStrv) items = g_strsplit(field, ",", -1);
    bool found = false;

    for (char **item = items; *item; item++) {
        char *nth = strchr(*item, '#');

        if (nth || **item == 'L') {
            int day = nth ? **item - '0' : (*item)[1] - '0', left;

            left = brute_month_length(tm->tm_year + 1900, tm->tm_mon) - tm->tm_mday;
            found |= day == tm->tm_wday && (nth ? (tm->tm_mday - 1) / 7 + 1 == nth[1] - '0' : left < 7);
            *known &= nth ? strlen(*item) == 3 : strlen(*item) == 2;
        } else {
            found |= brute_item(*item, brute_days, 0, 7, tm->tm_wday, known) ||
                     (tm->tm_wday == 0 && brute_item(*item, brute_days, 0, 7, 7, known));
        }
    }
    return found;
}

/* Where both fields of days are restricted, either will do; one that begins with a star is not. */
static bool brute_date(char *const *fields, const struct tm *tm, bool *known)
{
    bool day = brute_day(fields[3], tm, known), weekday = brute_weekday(fields[5], tm, known),
         either = *fields[3] != '*' && *fields[5] != '*';

    return brute_list(fields[4], brute_months, 1, 12, tm->tm_mon + 1, known) &&
           (either ? day || weekday : day && weekday);
}

int cron_brute(const char *text, int64_t after, int64_t *ret, int n)
{
    g_autofree char *six = NULL;
    g_auto(GStrv) fields = g_strsplit(text, " ", -1);
    bool times[3][60] = { 0 }, known = true;
    int found = 0;

    if (g_strv_length(fields) == 5) {
        six = g_strconcat("0 ", text, NULL);
        g_strfreev(fields);
        fields = g_strsplit(six, " ", -1);
    }
    if (g_strv_length(fields) != 6)
        return -1;
    for (int field = 0; field < 3; field++)
        for (int value = 0; value < (field == 2 ? 24 : 60); value++)
            times[field][value] = brute_list(fields[field], NULL, 0, field == 2 ? 23 : 59, value, &known);
    for (time_t day = after / 86400 * 86400; found < n && known; day += 86400) {
        struct tm tm;

        gmtime_r(&day, &tm);
        if (tm.tm_year + 1900 > BRUTE_YEAR_LAST)
            break;
        if (!brute_date(fields, &tm, &known))
            continue;
        for (int second = 0; found < n && second < 86400; second++)
            if (times[2][second / 3600] && times[1][second / 60 % 60] && times[0][second % 60] &&
                day + second > after)
                ret[found++] = day + second;
    }
    return known ? found : -1;
}
