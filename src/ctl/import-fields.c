/* Debian's cron, as it judges each minute; see import-fields.h. */
#include "ctl/import-fields.h"

#include <string.h>

#include "lib/i18n.h"
#include "model/civil.h"
#include "model/words.h"

#define MINUTE 60

static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct",
    "nov", "dec", NULL };
static const char *const weekdays[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

static const struct {
    const char *name;
    int first, last;
    const char *const *names;
} kinds[] = {
    { N_("minute"), 0, 59, NULL },
    { N_("hour"), 0, 23, NULL },
    { N_("day of the month"), 1, 31, NULL },
    { N_("month"), 1, 12, months },
    { N_("day of the week"), 0, 7, weekdays },
};

static const struct {
    const char *word, *fields;
} nicknames[] = {
    { "@yearly", "0 0 1 1 *" },
    { "@annually", "0 0 1 1 *" },
    { "@monthly", "0 0 1 * *" },
    { "@weekly", "0 0 * * 0" },
    { "@daily", "0 0 * * *" },
    { "@midnight", "0 0 * * *" },
    { "@hourly", "0 * * * *" },
};

/* A number or a name; moves *p behind it. */
static bool fields_value(size_t kind, const char **p, int *ret)
{
    const char *const *names = kinds[kind].names;
    size_t letters = 0;
    int n = 0;

    if (g_ascii_isdigit(**p)) {
        for (; g_ascii_isdigit(**p); (*p)++)
            n = MIN(n * 10 + (**p - '0'), 1000);
        *ret = n;
        return n >= kinds[kind].first && n <= kinds[kind].last;
    }
    while (g_ascii_isalpha((*p)[letters]))
        letters++;
    for (int i = 0; names && names[i]; i++)
        if (letters == 3 && g_ascii_strncasecmp(*p, names[i], 3) == 0) {
            *p += 3;
            *ret = kinds[kind].first + i;
            return true;
        }
    return false;
}

static bool fields_step(const char **p, int *ret)
{
    *ret = 1;
    if (**p != '/')
        return true;
    (*p)++;
    if (!g_ascii_isdigit(**p))
        return false;
    for (*ret = 0; g_ascii_isdigit(**p); (*p)++)
        *ret = MIN(*ret * 10 + (**p - '0'), 1000);
    return *ret > 0;
}

/* "*", "3", "3-7", the first and the last with a step or none. */
static bool fields_item(size_t kind, const char **p, uint64_t *bits)
{
    int from = kinds[kind].first, to = kinds[kind].last, step;

    if (**p == '*') {
        (*p)++;
    } else {
        if (!fields_value(kind, p, &from))
            return false;
        if (**p == '-') {
            (*p)++;
            if (!fields_value(kind, p, &to) || to < from)
                return false;
        } else {
            if (**p == '/')
                return false;
            to = from;
        }
    }
    if (!fields_step(p, &step))
        return false;
    for (int i = from; i <= to; i += step)
        *bits |= UINT64_C(1) << i;
    return true;
}

static bool fields_list(size_t kind, const char **p, uint64_t *bits)
{
    for (;;) {
        if (!fields_item(kind, p, bits))
            return false;
        if (**p != ',')
            return !**p || **p == ' ' || **p == '\t';
        (*p)++;
    }
}

static int fields_refuse(size_t kind, const char *begin, char **ret_message)
{
    g_autofree char *word = g_strndup(begin, strcspn(begin, " \t")), *shown = words_show(word);

    *ret_message = *word ? g_strdup_printf(_("cron does not take %s in the field \"%s\""), shown,
                               gettext(kinds[kind].name))
                         : g_strdup_printf(_("the field \"%s\" is missing"), gettext(kinds[kind].name));
    return -EINVAL;
}

static int fields_nickname(const char *text, ImportFields *ret, const char **ret_rest, char **ret_message)
{
    g_autofree char *word = g_strndup(text, strcspn(text, " \t")), *shown = NULL;
    const char *ignored;

    ARRAY_FOREACH (n, nicknames)
        if (g_ascii_strcasecmp(word, n->word) == 0) {
            *ret_rest = text + strlen(word);
            return import_fields_read(n->fields, ret, &ignored, ret_message);
        }
    if (g_ascii_strcasecmp(word, "@reboot") == 0) {
        *ret_rest = text + strlen(word);
        return -ENOENT;
    }
    shown = words_show(word);
    *ret_message = g_strdup_printf(_("cron has no %s"), shown);
    return -EINVAL;
}

int import_fields_read(const char *text, ImportFields *ret, const char **ret_rest, char **ret_message)
{
    ImportFields f = { 0 };
    uint64_t *const into[] = { &f.minutes, &f.hours, &f.days, &f.months, &f.weekdays };
    bool star[G_N_ELEMENTS(into)];
    const char *p = text;

    if (*text == '@')
        return fields_nickname(text, ret, ret_rest, ret_message);
    for (size_t kind = 0; kind < G_N_ELEMENTS(into); kind++) {
        const char *begin;

        p += strspn(p, " \t");
        begin = p;
        star[kind] = *p == '*';
        if (!fields_list(kind, &p, into[kind]))
            return fields_refuse(kind, begin, ret_message);
    }
    if (f.weekdays >> 7 & 1)
        f.weekdays |= 1;
    f.wildcard = star[0] || star[1];
    f.any_day = star[2];
    f.any_weekday = star[4];
    *ret = f;
    *ret_rest = p;
    return 0;
}

/* --- minute by minute --- */

/* local: seconds of the local clock, as if that were UTC. */
static bool fields_match(const ImportFields *f, int64_t local)
{
    int64_t day = local / 86400;
    int seconds = (int)(local % 86400);
    bool of_month, of_week;
    CivilDate date;

    if (!(f->minutes >> (seconds / MINUTE % 60) & 1) || !(f->hours >> (seconds / 3600) & 1))
        return false;
    date = civil_from_days(day);
    of_month = f->days >> date.day & 1;
    of_week = f->weekdays >> ((day + 4) % 7) & 1;
    if (!(f->months >> date.month & 1))
        return false;
    return f->any_day || f->any_weekday ? of_month && of_week : of_month || of_week;
}

/* Where the clock jumps forward cron makes up for the minutes that it left out, at once. */
static bool fields_match_gap(const ImportFields *f, int64_t from, int64_t to)
{
    for (int64_t local = from; local < to; local += MINUTE)
        if (fields_match(f, local))
            return true;
    return false;
}

static bool fields_fire(const ImportFields *f, const Zone *zone, int64_t utc, guint *span)
{
    int64_t offset, before;

    while (utc >= zone_span_end(zone, *span))
        (*span)++;
    offset = zone->spans[*span].offset;
    if (f->wildcard || *span == 0)
        return fields_match(f, utc + offset);
    before = zone->spans[*span - 1].offset;
    if (utc == zone->spans[*span].start && offset > before && fields_match_gap(f, utc + before, utc + offset))
        return true;
    /* What the clock shows for the second time was done. */
    return utc - zone->spans[*span].start >= before - offset && fields_match(f, utc + offset);
}

GArray *import_fields_times(const ImportFields *f, const Zone *zone, uint64_t from, uint64_t until)
{
    GArray *times = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    int64_t utc = (int64_t)(from / USEC_PER_SEC) / MINUTE * MINUTE + MINUTE;
    guint span = zone_span(zone, utc);

    for (; (uint64_t)utc * USEC_PER_SEC <= until; utc += MINUTE)
        if (fields_fire(f, zone, utc, &span)) {
            uint64_t usec = (uint64_t)utc * USEC_PER_SEC;

            g_array_append_val(times, usec);
        }
    return times;
}
