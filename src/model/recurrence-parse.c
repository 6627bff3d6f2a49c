/* Recurrence rules read, and written: parts NAME=VALUE with semicolons between them. */
#include <stddef.h>
#include <string.h>

#include "model/civil.h"
#include "model/recurrence.h"

static const char *const recurrence_frequencies[_RECURRENCE_FREQUENCY_MAX] = {
    [RECURRENCE_YEARLY] = "YEARLY",
    [RECURRENCE_MONTHLY] = "MONTHLY",
    [RECURRENCE_WEEKLY] = "WEEKLY",
    [RECURRENCE_DAILY] = "DAILY",
    [RECURRENCE_HOURLY] = "HOURLY",
    [RECURRENCE_MINUTELY] = "MINUTELY",
    [RECURRENCE_SECONDLY] = "SECONDLY",
};

static const char *const recurrence_weekdays[7] = { "MO", "TU", "WE", "TH", "FR", "SA", "SU" };

typedef struct RecurrenceReader {
    const char *text, *p;
    const char *value[_RECURRENCE_PART_MAX]; /* where it begins; NULL: the part is not there */
    RecurrencePart part;
    Recurrence *rule;
    CalendarFault *fault;
} RecurrenceReader;

/* A part of a rule: what reads its value, and what writes it. */
typedef struct RecurrenceKind {
    const char *name;
    int (*take)(RecurrenceReader *r, const struct RecurrenceKind *kind);
    void (*put)(const Recurrence *r, const struct RecurrenceKind *kind, GString *s);
    const char *what;           /* for messages */
    int first, last;            /* of its values; first < 0: counted from either end, and never 0 */
    int most;                   /* what the last one is taken for */
    size_t offset, last_offset; /* where values go in a Recurrence; those from the end */
} RecurrenceKind;

static int recurrence_refuse(RecurrenceReader *r, const char *at, const char *message)
{
    calendar_fault_set(r->fault, r->text, at, "%s", message);
    return -EINVAL;
}

static bool recurrence_take(RecurrenceReader *r, char c)
{
    if (*r->p != c)
        return false;
    r->p++;
    return true;
}

static bool recurrence_at_end(const RecurrenceReader *r)
{
    return !*r->p || *r->p == ';';
}

/* One of some words; its index, -1 if none stands there. */
static int recurrence_take_word(RecurrenceReader *r, const char *const *words, int n)
{
    for (int i = 0; i < n; i++) {
        size_t length = strlen(words[i]);

        if (g_ascii_strncasecmp(r->p, words[i], length) == 0 && !g_ascii_isalnum(r->p[length])) {
            r->p += length;
            return i;
        }
    }
    return -1;
}

static uint64_t *recurrence_field(Recurrence *r, size_t offset)
{
    return (uint64_t *)(void *)((char *)r + offset);
}

/* --- numbers --- */

static int recurrence_read_digits(RecurrenceReader *r, int *ret)
{
    int64_t n = 0;

    if (!g_ascii_isdigit(*r->p))
        return recurrence_refuse(r, r->p, "a number is expected here");
    for (; g_ascii_isdigit(*r->p); r->p++)
        n = MIN(n * 10 + (*r->p - '0'), INT32_MAX);
    *ret = (int)n;
    return 0;
}

static int recurrence_read_number(RecurrenceReader *r, const RecurrenceKind *kind, int *ret)
{
    const char *begin = r->p;
    bool minus = kind->first < 0 && *begin == '-';
    int e;

    r->p += minus || (kind->first < 0 && *begin == '+');
    e = recurrence_read_digits(r, ret);
    if (e < 0)
        return e;
    if (*ret <= kind->last && *ret >= (kind->first < 0 ? 1 : kind->first)) {
        *ret = minus ? -*ret : *ret;
        return 0;
    }
    if (kind->first < 0)
        calendar_fault_set(r->fault, r->text, begin, "%.*s is no %s from 1 to %d or from -%d to -1",
            (int)MIN(r->p - begin, 20), begin, kind->what, kind->last, kind->last);
    else
        calendar_fault_set(r->fault, r->text, begin, "%.*s is no %s from %d to %d",
            (int)MIN(r->p - begin, 20), begin, kind->what, kind->first, kind->last);
    return -EINVAL;
}

static int recurrence_read_single(RecurrenceReader *r, const RecurrenceKind *kind)
{
    int value, e = recurrence_read_number(r, kind, &value);

    if (e >= 0)
        *recurrence_field(r->rule, kind->offset) = (uint64_t)value;
    return e;
}

/* Ascending, and each once. */
static void recurrence_insert(GArray **list, int value)
{
    guint i = 0;

    if (!*list)
        *list = g_array_new(false, false, sizeof(int));
    while (i < (*list)->len && g_array_index(*list, int, i) < value)
        i++;
    if (i == (*list)->len || g_array_index(*list, int, i) != value)
        g_array_insert_val(*list, i, value);
}

static int recurrence_read_bits(RecurrenceReader *r, const RecurrenceKind *kind)
{
    do {
        int value, e = recurrence_read_number(r, kind, &value);

        if (e < 0)
            return e;
        *recurrence_field(r->rule, value < 0 ? kind->last_offset : kind->offset) |=
            UINT64_C(1) << MIN(ABS(value), kind->most);
    } while (recurrence_take(r, ','));
    return 0;
}

static int recurrence_read_list(RecurrenceReader *r, const RecurrenceKind *kind)
{
    do {
        int value, e = recurrence_read_number(r, kind, &value);

        if (e < 0)
            return e;
        recurrence_insert((GArray **)(void *)((char *)r->rule + kind->offset), value);
    } while (recurrence_take(r, ','));
    return 0;
}

/* --- words, days of the week, UNTIL= --- */

static int recurrence_read_frequency(RecurrenceReader *r, const RecurrenceKind *kind)
{
    int i = recurrence_take_word(r, recurrence_frequencies, _RECURRENCE_FREQUENCY_MAX);

    if (i < 0)
        return recurrence_refuse(r, r->p,
            "'YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY' or 'SECONDLY' is expected here");
    r->rule->frequency = (RecurrenceFrequency)i;
    return 0;
}

static int recurrence_read_weekday(RecurrenceReader *r, int *ret)
{
    *ret = recurrence_take_word(r, recurrence_weekdays, 7);
    return *ret >= 0
               ? 0
               : recurrence_refuse(r, r->p, "'MO', 'TU', 'WE', 'TH', 'FR', 'SA' or 'SU' is expected here");
}

static int recurrence_read_week_start(RecurrenceReader *r, const RecurrenceKind *kind)
{
    int weekday, e = recurrence_read_weekday(r, &weekday);

    if (e >= 0)
        r->rule->week_start = (uint8_t)weekday;
    return e;
}

/* "MO", "2MO", "-1FR" */
static int recurrence_read_days(RecurrenceReader *r, const RecurrenceKind *kind)
{
    do {
        bool counted = *r->p == '+' || *r->p == '-' || g_ascii_isdigit(*r->p);
        int n = 0, weekday, e = counted ? recurrence_read_number(r, kind, &n) : 0;

        if (e >= 0)
            e = recurrence_read_weekday(r, &weekday);
        if (e < 0)
            return e;
        if (counted)
            recurrence_insert(&r->rule->nth, n * 7 + weekday);
        else
            r->rule->weekdays |= (uint8_t)(1 << weekday);
    } while (recurrence_take(r, ','));
    return 0;
}

/* Exactly so many digits, as a number; -1 otherwise. */
static int recurrence_take_digits(RecurrenceReader *r, unsigned n)
{
    int value = 0;

    for (; n > 0; n--, r->p++) {
        if (!g_ascii_isdigit(*r->p))
            return -1;
        value = value * 10 + (*r->p - '0');
    }
    return value;
}

static int recurrence_read_until(RecurrenceReader *r, const RecurrenceKind *kind)
{
    const char *begin = r->p;
    int year = recurrence_take_digits(r, 4), month = recurrence_take_digits(r, 2),
        day = recurrence_take_digits(r, 2), hour = 0, minute = 0, second = 0;
    bool time = *r->p == 'T' || *r->p == 't';

    if (time) {
        r->p++;
        hour = recurrence_take_digits(r, 2);
        minute = recurrence_take_digits(r, 2);
        second = recurrence_take_digits(r, 2);
    }
    if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0)
        return recurrence_refuse(r, begin,
            "a date is expected here, like '20261231', with a time '20261231T180000' or '20261231T170000Z'");
    if (year < CALENDAR_YEAR_FIRST || month < 1 || month > 12 || day < 1 ||
        day > civil_month_length(year, month) || hour > 23 || minute > 59 || second > 60)
        return recurrence_refuse(r, begin, "there is no such day or time from 1970 on");
    r->rule->until = civil_to_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + MIN(second, 59);
    r->rule->until_kind = !time ? RECURRENCE_UNTIL_DAY : RECURRENCE_UNTIL_LOCAL;
    if (time && (recurrence_take(r, 'Z') || recurrence_take(r, 'z')))
        r->rule->until_kind = RECURRENCE_UNTIL_UTC;
    return 0;
}

/* --- values written, each with a comma behind it --- */

static void recurrence_write_frequency(const Recurrence *r, const RecurrenceKind *kind, GString *s)
{
    g_string_append(s, recurrence_frequencies[r->frequency]);
}

static void recurrence_write_week_start(const Recurrence *r, const RecurrenceKind *kind, GString *s)
{
    g_string_append(s, recurrence_weekdays[r->week_start]);
}

static void recurrence_write_single(const Recurrence *r, const RecurrenceKind *kind, GString *s)
{
    g_string_append_printf(s, "%" G_GUINT64_FORMAT, *recurrence_field((Recurrence *)r, kind->offset));
}

static void recurrence_write_bits(const Recurrence *r, const RecurrenceKind *kind, GString *s)
{
    const size_t offsets[] = { kind->offset, kind->last_offset };

    for (unsigned i = 0; i < (kind->first < 0 ? 2 : 1); i++)
        for (uint64_t bits = *recurrence_field((Recurrence *)r, offsets[i]); bits; bits &= bits - 1)
            g_string_append_printf(s, "%s%d,", i > 0 ? "-" : "", __builtin_ctzll(bits));
}

static void recurrence_write_list(const Recurrence *r, const RecurrenceKind *kind, GString *s)
{
    const GArray *list = *(GArray *const *)(const void *)((const char *)r + kind->offset);

    for (guint i = 0; i < list->len; i++)
        g_string_append_printf(s, "%d,", g_array_index(list, int, i));
}

static void recurrence_write_days(const Recurrence *r, const RecurrenceKind *kind, GString *s)
{
    for (int i = 0; i < 7; i++)
        if (r->weekdays >> i & 1)
            g_string_append_printf(s, "%s,", recurrence_weekdays[i]);
    for (guint i = 0; r->nth && i < r->nth->len; i++) {
        int value = g_array_index(r->nth, int, i), weekday = (value % 7 + 7) % 7;

        g_string_append_printf(s, "%d%s,", (value - weekday) / 7, recurrence_weekdays[weekday]);
    }
}

static void recurrence_write_until(const Recurrence *r, const RecurrenceKind *kind, GString *s)
{
    CivilDate date = civil_from_days(r->until / 86400);
    int time = (int)(r->until % 86400);

    g_string_append_printf(s, "%04d%02d%02d", date.year, date.month, date.day);
    if (r->until_kind != RECURRENCE_UNTIL_DAY)
        g_string_append_printf(s, "T%02d%02d%02d%s", time / 3600, time / 60 % 60, time % 60,
            r->until_kind == RECURRENCE_UNTIL_UTC ? "Z" : "");
}

/* --- the whole --- */

static const RecurrenceKind recurrence_kinds[_RECURRENCE_PART_MAX] = {
    [RECURRENCE_FREQ] = { "FREQ", recurrence_read_frequency, recurrence_write_frequency, NULL },
    [RECURRENCE_INTERVAL] = { "INTERVAL", recurrence_read_single, recurrence_write_single, "interval", 1,
        RECURRENCE_INTERVAL_MAX, 0, offsetof(Recurrence, interval), 0 },
    [RECURRENCE_COUNT] = { "COUNT", recurrence_read_single, recurrence_write_single, "count", 1,
        RECURRENCE_COUNT_MAX, 0, offsetof(Recurrence, count), 0 },
    [RECURRENCE_UNTIL] = { "UNTIL", recurrence_read_until, recurrence_write_until, NULL },
    [RECURRENCE_WKST] = { "WKST", recurrence_read_week_start, recurrence_write_week_start, NULL },
    [RECURRENCE_BYMONTH] = { "BYMONTH", recurrence_read_bits, recurrence_write_bits, "month", 1, 12, 12,
        offsetof(Recurrence, months), 0 },
    [RECURRENCE_BYWEEKNO] = { "BYWEEKNO", recurrence_read_bits, recurrence_write_bits, "week", -53, 53, 53,
        offsetof(Recurrence, weeks), offsetof(Recurrence, weeks_last) },
    [RECURRENCE_BYYEARDAY] = { "BYYEARDAY", recurrence_read_list, recurrence_write_list, "day of the year",
        -366, 366, 0, offsetof(Recurrence, year_days), 0 },
    [RECURRENCE_BYMONTHDAY] = { "BYMONTHDAY", recurrence_read_bits, recurrence_write_bits, "day", -31, 31, 31,
        offsetof(Recurrence, days), offsetof(Recurrence, days_last) },
    [RECURRENCE_BYDAY] = { "BYDAY", recurrence_read_days, recurrence_write_days, "number of a weekday", -53,
        53, 0, 0, 0 },
    [RECURRENCE_BYHOUR] = { "BYHOUR", recurrence_read_bits, recurrence_write_bits, "hour", 0, 23, 23,
        offsetof(Recurrence, hours), 0 },
    [RECURRENCE_BYMINUTE] = { "BYMINUTE", recurrence_read_bits, recurrence_write_bits, "minute", 0, 59, 59,
        offsetof(Recurrence, minutes), 0 },
    /* No clock here has leap seconds: RFC 5545 wants the second 60 to be the one before it. */
    [RECURRENCE_BYSECOND] = { "BYSECOND", recurrence_read_bits, recurrence_write_bits, "second", 0, 60, 59,
        offsetof(Recurrence, seconds), 0 },
    [RECURRENCE_BYSETPOS] = { "BYSETPOS", recurrence_read_list, recurrence_write_list, "position", -366, 366,
        0, offsetof(Recurrence, positions), 0 },
};

static int recurrence_read_name(RecurrenceReader *r)
{
    static const char *const others[] = { "RSCALE", "SKIP" };
    const char *names[_RECURRENCE_PART_MAX], *begin = r->p;
    int i;

    for (i = 0; i < _RECURRENCE_PART_MAX; i++)
        names[i] = recurrence_kinds[i].name;
    if (recurrence_take_word(r, others, G_N_ELEMENTS(others)) >= 0)
        return recurrence_refuse(r, begin,
            "RSCALE= and SKIP= are not taken: months are Gregorian, and a day that one lacks is left out");
    i = recurrence_take_word(r, names, _RECURRENCE_PART_MAX);
    if (i < 0)
        return recurrence_refuse(r, r->p,
            "a part of a rule is expected here: 'FREQ=', 'INTERVAL=', 'COUNT=', 'UNTIL=', 'WKST=' or 'BY...='");
    if (!recurrence_take(r, '='))
        return recurrence_refuse(r, r->p, "'=' is expected here");
    if (r->value[i])
        return recurrence_refuse(r, begin, "this part stands there twice");
    r->part = (RecurrencePart)i;
    r->value[i] = r->p;
    r->rule->parts |= (uint16_t)(1 << i);
    return 0;
}

static int recurrence_read(RecurrenceReader *r)
{
    int e;

    if (g_ascii_strncasecmp(r->p, "RRULE:", strlen("RRULE:")) == 0)
        r->p += strlen("RRULE:");
    do {
        e = recurrence_read_name(r);
        if (e >= 0)
            e = recurrence_kinds[r->part].take(r, &recurrence_kinds[r->part]);
        if (e < 0)
            return e;
        if (!recurrence_at_end(r))
            return recurrence_refuse(r, r->p,
                r->part >= RECURRENCE_BYMONTH ? "',', ';' or the end is expected here"
                                              : "';' or the end is expected here");
    } while (recurrence_take(r, ';') && *r->p); /* one too many does no harm */
    return 0;
}

/* What RFC 5545 forbids, for it would mean nothing. */
static int recurrence_check(RecurrenceReader *r)
{
    RecurrenceFrequency f = r->rule->frequency;
    bool yearly = f == RECURRENCE_YEARLY, monthly = f == RECURRENCE_MONTHLY;
    const struct {
        RecurrencePart part;
        bool wrong;
        const char *message;
    } rules[] = {
        { RECURRENCE_UNTIL, r->value[RECURRENCE_COUNT], "COUNT= and UNTIL= exclude each other" },
        { RECURRENCE_BYWEEKNO, !yearly, "BYWEEKNO= is for FREQ=YEARLY alone" },
        { RECURRENCE_BYYEARDAY, f > RECURRENCE_YEARLY && f < RECURRENCE_HOURLY,
            "BYYEARDAY= is for FREQ=YEARLY, HOURLY, MINUTELY and SECONDLY" },
        { RECURRENCE_BYMONTHDAY, f == RECURRENCE_WEEKLY, "BYMONTHDAY= is not for FREQ=WEEKLY" },
        { RECURRENCE_BYDAY, r->rule->nth && !yearly && !monthly,
            "days of the week have a number with FREQ=MONTHLY and YEARLY alone" },
        { RECURRENCE_BYDAY, r->rule->nth && r->value[RECURRENCE_BYWEEKNO],
            "days of the week have no number where BYWEEKNO= names the week" },
        { RECURRENCE_BYSETPOS,
            r->rule->parts >> RECURRENCE_BYMONTH == 1 << (RECURRENCE_BYSETPOS - RECURRENCE_BYMONTH),
            "BYSETPOS= chooses from what another part BY...= names, and there is none" },
    };

    if (!r->value[RECURRENCE_FREQ])
        return recurrence_refuse(r, r->p, "FREQ= is missing, like 'FREQ=WEEKLY'");
    ARRAY_FOREACH (rule, rules)
        if (r->value[rule->part] && rule->wrong)
            return recurrence_refuse(r, r->value[rule->part], rule->message);
    return 0;
}

int recurrence_parse(const char *text, Recurrence *ret, CalendarFault *fault)
{
    g_auto(Recurrence) rule = { .interval = 1 };
    RecurrenceReader r = { .text = text, .p = text, .rule = &rule, .fault = fault };
    int e = recurrence_read(&r);

    if (e >= 0)
        e = recurrence_check(&r);
    if (e < 0)
        return e;
    *ret = rule;
    rule = (Recurrence){ 0 };
    return 0;
}

char *recurrence_format(const Recurrence *r)
{
    GString *s = g_string_new(NULL);

    for (RecurrencePart part = 0; part < _RECURRENCE_PART_MAX; part++) {
        const RecurrenceKind *kind = &recurrence_kinds[part];

        if (!(r->parts >> part & 1))
            continue;
        g_string_append_printf(s, "%s%s=", s->len > 0 ? ";" : "", kind->name);
        kind->put(r, kind, s);
        if (s->str[s->len - 1] == ',')
            g_string_truncate(s, s->len - 1);
    }
    return g_string_free(s, FALSE);
}
