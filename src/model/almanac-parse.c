/* Calendar files: systemd.syntax(7) with one section, read by name as others want them. */
#include <string.h>

#include "base/suggest.h"
#include "model/almanac.h"
#include "model/civil.h"
#include "model/task-internal.h"
#include "model/words.h"

#define ALMANAC_SECTION      "Calendar"
#define ALMANAC_DAYS_MAX     10000u
#define ALMANAC_PATTERNS_MAX 64u
#define ALMANAC_HOURS_MAX    500u
#define ALMANAC_DEPTH_MAX    64u /* calendars in each other */

struct AlmanacSet {
    GHashTable *sources; /* name, borrowed → GPtrArray* of const TaskSource*, borrowed */
    GHashTable *parsed;  /* name → Almanac*, owned */
    GPtrArray *reading;  /* names of those that are being read, each wanted by the one before it */
};

typedef struct AlmanacParser {
    TaskParser base;
    AlmanacSet *set;
    Almanac *almanac;
    const GPtrArray *sources;
} AlmanacParser;

/* --- days --- */

/* YYYY-MM-DD; *p is moved behind it. */
static bool almanac_read_day(const char **p, int64_t *ret)
{
    int field[3] = { 0 }, widths[3] = { 4, 2, 2 };

    for (unsigned i = 0; i < 3; i++) {
        if (i > 0 && *(*p)++ != '-')
            return false;
        for (int k = 0; k < widths[i]; k++, (*p)++) {
            if (!g_ascii_isdigit(**p))
                return false;
            field[i] = field[i] * 10 + (**p - '0');
        }
    }
    if (field[0] < CALENDAR_YEAR_FIRST || field[0] > CALENDAR_YEAR_LAST || field[1] < 1 || field[1] > 12 ||
        field[2] < 1 || field[2] > civil_month_length(field[0], field[1]))
        return false;
    *ret = civil_to_days(field[0], field[1], field[2]);
    return true;
}

/* Words of a list are divided by space or commas; fn is called with each. */
typedef void (*AlmanacWordFn)(AlmanacParser *p, const TaskFileItem *item, const char *word, unsigned offset);

static void almanac_each_word(AlmanacParser *p, const TaskFileItem *item, AlmanacWordFn fn)
{
    unsigned offset = 0;

    for (const char *at = item->value; *at;) {
        size_t length = strcspn(at, " \t,");
        g_autofree char *word = g_strndup(at, length);

        if (length > 0)
            fn(p, item, word, offset);
        offset += (unsigned)g_utf8_strlen(word, -1) + 1;
        at += length;
        at += *at != 0;
    }
}

static void almanac_add_days(AlmanacParser *p, const TaskFileItem *item, const char *word, unsigned offset)
{
    const char *at = word;
    AlmanacDays d;

    if (!almanac_read_day(&at, &d.first)) {
        g_autofree char *shown = words_show(word);

        task_parser_value_fault(&p->base, item, offset,
            "%s is no day from %d to %d, like '2026-12-24', nor days, like '2026-12-24..2026-12-31'", shown,
            CALENDAR_YEAR_FIRST, CALENDAR_YEAR_LAST);
        return;
    }
    d.last = d.first;
    if (g_str_has_prefix(at, "..")) {
        at += 2;
        if (!almanac_read_day(&at, &d.last)) {
            task_parser_value_fault(&p->base, item, offset + (unsigned)strlen("YYYY-MM-DD.."),
                "a day is expected behind '..', like '2026-12-31'");
            return;
        }
    }
    if (*at)
        task_parser_value_fault(
            &p->base, item, offset + (unsigned)(at - word), "'..' or the end is expected behind a day");
    else if (d.last < d.first)
        task_parser_value_fault(&p->base, item, offset, "the range ends before it begins");
    else if (p->almanac->days->len >= ALMANAC_DAYS_MAX)
        task_parser_value_fault(
            &p->base, item, offset, "a calendar has %u days and ranges at most", ALMANAC_DAYS_MAX);
    else
        g_array_append_val(p->almanac->days, d);
}

static void almanac_set_days(AlmanacParser *p, const TaskFileItem *item)
{
    if (!item->value[0])
        g_array_set_size(p->almanac->days, 0);
    almanac_each_word(p, item, almanac_add_days);
}

static gint almanac_compare_days(gconstpointer a, gconstpointer b)
{
    const AlmanacDays *x = a, *y = b;

    return x->first < y->first ? -1 : x->first > y->first;
}

static void almanac_join_days(GArray *days)
{
    guint kept = 0;

    g_array_sort(days, almanac_compare_days);
    for (guint i = 0; i < days->len; i++) {
        AlmanacDays d = g_array_index(days, AlmanacDays, i),
                    *before = kept > 0 ? &g_array_index(days, AlmanacDays, kept - 1) : NULL;

        if (before && d.first <= before->last + 1)
            before->last = MAX(before->last, d.last);
        else
            g_array_index(days, AlmanacDays, kept++) = d;
    }
    g_array_set_size(days, kept);
}

/* --- patterns of days --- */

static bool almanac_says_time(const CalendarExpression *e)
{
    for (CalendarField f = CALENDAR_HOUR; f < _CALENDAR_FIELD_MAX; f++) {
        const CalendarRange *r =
            e->fields[f] && e->fields[f]->len == 1 ? &g_array_index(e->fields[f], CalendarRange, 0) : NULL;

        if (!r || r->start != 0 || r->stop >= 0 || r->step != 0)
            return true;
    }
    return false;
}

static void almanac_clear_patterns(Almanac *a)
{
    for (guint i = 0; i < a->patterns->len; i++) {
        calendar_clear(g_ptr_array_index(a->patterns, i));
        g_free(g_ptr_array_index(a->patterns, i));
    }
    g_ptr_array_set_size(a->patterns, 0);
}

static void almanac_set_pattern(AlmanacParser *p, const TaskFileItem *item)
{
    g_auto(CalendarExpression) e = { 0 };
    g_auto(CalendarFault) fault = { 0 };
    g_auto(Calendar) c = { 0 };

    if (!item->value[0]) {
        almanac_clear_patterns(p->almanac);
        return;
    }
    if (calendar_expression_parse(item->value, &e, &fault) < 0) {
        task_parser_value_fault(&p->base, item, fault.offset, "%s", fault.message);
        return;
    }
    calendar_expression_compile(&e, &c);
    if (e.zone)
        task_parser_value_fault(&p->base, item, 0, "names a time zone: TimeZone= is for that");
    else if (almanac_says_time(&e))
        task_parser_value_fault(
            &p->base, item, 0, "says a time of the day: whole days are meant here, Hours= is for that");
    else if (calendar_next_local(&c, 0) == CALENDAR_NEVER)
        task_parser_value_fault(&p->base, item, 0, "there is no such day");
    else if (p->almanac->patterns->len >= ALMANAC_PATTERNS_MAX)
        task_parser_key_fault(&p->base, item, "a calendar has %u of these at most", ALMANAC_PATTERNS_MAX);
    else {
        g_ptr_array_add(p->almanac->patterns, g_memdup2(&c, sizeof c));
        c = (Calendar){ 0 };
    }
}

/* --- hours --- */

/* HH:MM[:SS]; 24:00 is the end of a day. */
static bool almanac_read_hour(const char **p, bool end, int64_t *ret)
{
    static const int most[] = { 24, 59, 59 };
    int64_t seconds = 0;

    for (unsigned i = 0; i < 3; i++) {
        int n = 0;

        if (i == 2 && **p != ':') {
            seconds *= 60;
            break;
        }
        if (i > 0 && *(*p)++ != ':')
            return false;
        for (unsigned k = 0; k < 2; k++, (*p)++) {
            if (!g_ascii_isdigit(**p))
                return false;
            n = n * 10 + (**p - '0');
        }
        if (n > most[i])
            return false;
        seconds = seconds * 60 + n;
    }
    *ret = seconds * (int64_t)USEC_PER_SEC;
    return end ? *ret <= ALMANAC_DAY_USEC : *ret < ALMANAC_DAY_USEC;
}

static void almanac_add_hours(AlmanacParser *p, const TaskFileItem *item, const char *word, unsigned offset)
{
    const char *at = word;
    AlmanacHours h;

    if (!almanac_read_hour(&at, false, &h.from) || at[0] != '.' || at[1] != '.') {
        g_autofree char *shown = words_show(word);

        task_parser_value_fault(&p->base, item, offset + (unsigned)(at - word),
            "%s is no range of hours, like '09:00..17:00' or '22:00..06:00'", shown);
        return;
    }
    at += 2;
    if (!almanac_read_hour(&at, true, &h.to) || *at) {
        task_parser_value_fault(&p->base, item, offset + (unsigned)(at - word),
            "a time up to 24:00 and the end are expected behind '..', like '17:00'");
        return;
    }
    if (h.to == h.from)
        task_parser_value_fault(
            &p->base, item, offset, "begins and ends at one time: a whole day is '00:00..24:00'");
    else if (p->almanac->hours->len >= ALMANAC_HOURS_MAX)
        task_parser_value_fault(
            &p->base, item, offset, "a calendar has %u ranges of hours at most", ALMANAC_HOURS_MAX);
    else {
        h.to += h.to < h.from ? ALMANAC_DAY_USEC : 0;
        g_array_append_val(p->almanac->hours, h);
    }
}

static void almanac_set_hours(AlmanacParser *p, const TaskFileItem *item)
{
    if (!item->value[0])
        g_array_set_size(p->almanac->hours, 0);
    almanac_each_word(p, item, almanac_add_hours);
}

/* --- other calendars --- */

static void almanac_add_other(
    AlmanacParser *p, const TaskFileItem *item, const char *word, unsigned offset, bool exclude)
{
    g_autofree char *reason = NULL;
    const Almanac *other = almanac_set_find(p->set, word, NULL, &reason);

    if (!other)
        task_parser_value_fault(&p->base, item, offset, "%s", reason);
    else if (!almanac_add(p->almanac, exclude, other))
        task_parser_value_fault(&p->base, item, offset, "too many calendars are in each other");
}

static void almanac_add_include(AlmanacParser *p, const TaskFileItem *item, const char *word, unsigned offset)
{
    almanac_add_other(p, item, word, offset, false);
}

static void almanac_add_exclude(AlmanacParser *p, const TaskFileItem *item, const char *word, unsigned offset)
{
    almanac_add_other(p, item, word, offset, true);
}

/* The weight of those is kept, which errs on the safe side. */
static void almanac_set_includes(AlmanacParser *p, const TaskFileItem *item)
{
    if (!item->value[0])
        g_ptr_array_set_size(p->almanac->includes, 0);
    almanac_each_word(p, item, almanac_add_include);
}

static void almanac_set_excludes(AlmanacParser *p, const TaskFileItem *item)
{
    if (!item->value[0])
        g_ptr_array_set_size(p->almanac->excludes, 0);
    almanac_each_word(p, item, almanac_add_exclude);
}

/* --- files --- */

/* Beside the file that names it, where that is no absolute path. */
static char *almanac_path(const char *file, const char *value)
{
    g_autofree char *directory = g_path_get_dirname(file);

    return g_path_is_absolute(value) ? g_strdup(value) : g_build_filename(directory, value, NULL);
}

static void almanac_set_file(AlmanacParser *p, const TaskFileItem *item)
{
    g_autofree char *path = almanac_path(item->file, item->value);

    if (!item->value[0]) {
        g_ptr_array_set_size(p->almanac->events, 0);
        return;
    }
    if (!g_str_has_suffix(item->value, ".ics")) {
        task_parser_value_fault(&p->base, item, 0, "has to be a file whose name ends in '.ics'");
        return;
    }
    for (guint i = 0; i < p->sources->len; i++) {
        const TaskSource *s = g_ptr_array_index(p->sources, i);

        if (g_str_equal(s->path, path)) {
            almanac_read_events(p->almanac, s, p->base.diags);
            return;
        }
    }
    task_parser_value_fault(&p->base, item, 0, "%s cannot be read", path);
}

GPtrArray *almanac_files(const TaskSource *source)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) ignored = diag_list_new();
    g_autoptr(GPtrArray) items = task_file_read(source, ignored);

    for (guint i = 0; i < items->len; i++) {
        const TaskFileItem *item = g_ptr_array_index(items, i);

        if (!item->is_section && g_str_equal(item->key, "File") && g_str_has_suffix(item->value, ".ics"))
            g_ptr_array_add(paths, almanac_path(item->file, item->value));
    }
    return paths;
}

/* --- keys --- */

static void almanac_set_description(AlmanacParser *p, const TaskFileItem *item)
{
    g_free(p->almanac->description);
    p->almanac->description = g_strdup(item->value);
}

static void almanac_set_zone(AlmanacParser *p, const TaskFileItem *item)
{
    schedule_keys_set_zone(&p->base, item, &p->almanac->zone);
}

static const struct {
    const char *name;
    bool list;
    void (*set)(AlmanacParser *p, const TaskFileItem *item);
} almanac_keys[] = {
    { "Description", false, almanac_set_description },
    { "TimeZone", false, almanac_set_zone },
    { "Days", true, almanac_set_days },
    { "OnCalendar", true, almanac_set_pattern },
    { "Hours", true, almanac_set_hours },
    { "Include", true, almanac_set_includes },
    { "Exclude", true, almanac_set_excludes },
    { "File", true, almanac_set_file },
};

static void almanac_take(AlmanacParser *p, const TaskFileItem *item)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    ARRAY_FOREACH (key, almanac_keys) {
        if (g_str_equal(key->name, item->key)) {
            if (task_parser_claim(&p->base, item, key->list) && !item->damaged)
                key->set(p, item);
            return;
        }
        g_ptr_array_add(names, (gpointer)key->name);
    }
    task_parser_unknown(&p->base, item, "unknown key", names);
}

static void almanac_parse_source(AlmanacParser *p, const TaskSource *source)
{
    GPtrArray *items = task_file_read(source, p->base.diags);
    bool within = false, known = false;

    g_ptr_array_add(p->base.files, items);
    g_hash_table_remove_all(p->base.seen);
    for (guint i = 0; i < items->len && !diag_list_full(p->base.diags); i++) {
        const TaskFileItem *item = g_ptr_array_index(items, i);

        if (item->is_section) {
            within = true;
            known = g_str_equal(item->key, ALMANAC_SECTION);
            if (!known && !item->damaged && !g_str_has_prefix(item->key, "X-"))
                task_parser_key_fault(
                    &p->base, item, "unknown section [%s]: a calendar has [" ALMANAC_SECTION "]", item->key);
        } else if (!within)
            task_parser_key_fault(&p->base, item, "stands before any section");
        else if (known && !g_str_has_prefix(item->key, "X-"))
            almanac_take(p, item);
    }
}

static void almanac_check(AlmanacParser *p)
{
    Almanac *a = p->almanac;
    const TaskSource *first = g_ptr_array_index(p->sources, 0);

    almanac_join_days(a->days);
    if (a->days->len > 0 || a->patterns->len > 0 || a->events->len > 0)
        return;
    a->every_day = a->hours->len > 0;
    if (!a->every_day && a->includes->len == 0 && a->excludes->len == 0 &&
        !task_parser_where(&p->base, ALMANAC_SECTION, "File"))
        diag_add(p->base.diags, first->path, 0, 0, ALMANAC_SECTION,
            "says nothing: Days=, OnCalendar=, Hours=, File=, Include= or Exclude= is needed");
}

static Almanac *almanac_parse(AlmanacSet *set, const char *name, const GPtrArray *sources, DiagList *diags)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) where = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    AlmanacParser p = {
        .base = { .diags = diags,
            .files = files,
            .seen = seen,
            .where = where,
            .scope = (char *)ALMANAC_SECTION },
        .set = set,
        .almanac = almanac_new(name),
        .sources = sources,
    };
    guint before = diags->len;

    for (guint i = 0; i < sources->len; i++) {
        const TaskSource *s = g_ptr_array_index(sources, i);

        if (!g_str_has_suffix(s->path, ".ics"))
            almanac_parse_source(&p, s);
    }
    if (diags->len == before)
        almanac_check(&p);
    p.almanac->refused = diags->len > before;
    diag_list_sort(diags);
    return p.almanac;
}

/* --- the set --- */

AlmanacSet *almanac_set_new(void)
{
    AlmanacSet *set = g_new0(AlmanacSet, 1);

    set->sources = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    set->parsed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)almanac_free);
    set->reading = g_ptr_array_new();
    return set;
}

void almanac_set_free(AlmanacSet *set)
{
    if (!set)
        return;
    g_hash_table_unref(set->sources);
    g_hash_table_unref(set->parsed);
    g_ptr_array_unref(set->reading);
    g_free(set);
}

void almanac_set_add(AlmanacSet *set, const TaskSource *source)
{
    GPtrArray *list = g_hash_table_lookup(set->sources, source->calendar);

    if (!list) {
        list = g_ptr_array_new();
        g_hash_table_insert(set->sources, source->calendar, list);
    }
    g_ptr_array_add(list, (gpointer)source);
}

void almanac_set_forget(AlmanacSet *set)
{
    g_hash_table_remove_all(set->sources);
}

bool almanac_set_has(const AlmanacSet *set, const char *name)
{
    return g_hash_table_contains(set->sources, name);
}

/* "a → b → a" where the calendar that is asked for is being read; NULL: it is not. */
static char *almanac_set_cycle(const AlmanacSet *set, const char *name)
{
    g_autoptr(GString) s = g_string_new(NULL);

    for (guint i = 0; i < set->reading->len; i++) {
        const char *one = g_ptr_array_index(set->reading, i);

        if (s->len > 0 || g_str_equal(one, name))
            g_string_append_printf(s, "%s → ", one);
    }
    return s->len > 0 ? g_strdup_printf("calendars name each other in a circle: %s%s", s->str, name) : NULL;
}

/* That it cannot be had, before it is looked at. */
static char *almanac_set_refuse(const AlmanacSet *set, const char *name)
{
    g_autofree char *shown = words_show(name), *hint = NULL;
    g_autoptr(GPtrArray) names = NULL;
    char *cycle = almanac_set_cycle(set, name);

    if (cycle)
        return cycle;
    if (set->reading->len >= ALMANAC_DEPTH_MAX)
        return g_strdup_printf("more than %u calendars are in each other", ALMANAC_DEPTH_MAX);
    if (g_hash_table_contains(set->sources, name))
        return NULL;
    names = almanac_set_names(set);
    hint = suggest_phrase(name, names);
    return g_strdup_printf("there is no calendar %s%s", shown, hint);
}

const Almanac *almanac_set_find(AlmanacSet *set, const char *name, DiagList *diags, char **ret_reason)
{
    g_autoptr(GPtrArray) own = diags ? g_ptr_array_ref(diags) : diag_list_new();
    Almanac *a = g_hash_table_lookup(set->parsed, name);
    char *refused = a ? NULL : almanac_set_refuse(set, name);

    if (refused) {
        if (diags)
            diag_add(diags, "", 0, 0, "", "%s", refused);
        if (ret_reason)
            *ret_reason = g_steal_pointer(&refused);
        g_free(refused);
        return NULL;
    }
    if (!a) {
        g_ptr_array_add(set->reading, (gpointer)name);
        a = almanac_parse(set, name, g_hash_table_lookup(set->sources, name), own);
        g_ptr_array_set_size(set->reading, (gint)set->reading->len - 1);
        g_hash_table_insert(set->parsed, g_strdup(name), a);
    }
    if (!a->refused)
        return a;
    if (ret_reason && !diags) {
        g_autofree char *text = NULL;

        g_ptr_array_set_size(own, (gint)MIN(own->len, 1));
        text = diag_list_to_text(own);
        *ret_reason =
            g_strdup_printf("the calendar '%s' is not valid%s%s", name, *text ? ": " : "", g_strchomp(text));
    }
    return NULL;
}

static int almanac_compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *almanac_set_names(const AlmanacSet *set)
{
    GPtrArray *names = g_ptr_array_new();
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, set->sources);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_ptr_array_add(names, name);
    g_ptr_array_sort(names, almanac_compare_names);
    return names;
}

GPtrArray *almanac_set_used(const AlmanacSet *set)
{
    GPtrArray *used = g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free);
    g_autoptr(GPtrArray) names = almanac_set_names(set);

    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        const GPtrArray *list = g_hash_table_lookup(set->sources, name);

        for (guint j = 0; g_hash_table_contains(set->parsed, name) && j < list->len; j++) {
            const TaskSource *s = g_ptr_array_index(list, j);
            TaskSource *copy = task_source_new(s->path, s->text, s->length);

            copy->calendar = g_strdup(name);
            g_ptr_array_add(used, copy);
        }
    }
    return used;
}
