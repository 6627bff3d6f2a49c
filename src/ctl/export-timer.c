/* A task as timers and services of systemd, a pair for each schedule. */
#include <string.h>

#include "ctl/export-other.h"
#include "ctl/import-write.h"
#include "lib/i18n.h"
#include "model/calendar-expression.h"
#include "model/command.h"
#include "model/schedule.h"
#include "model/timespec.h"

static const char *const weekdays[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

/* --- calendars --- */

/* Bits first to last as "1,3..5"; "*" where all are set. */
static void timer_bits(uint64_t bits, int first, int last, GString *out)
{
    uint64_t all = (~UINT64_C(0) >> (63 - last)) & ~UINT64_C(0) << first;
    const char *between = "";

    if ((bits & all) == all) {
        g_string_append_c(out, '*');
        return;
    }
    for (int i = first; i <= last; i++) {
        int end = i;

        if (!(bits >> i & 1))
            continue;
        while (end < last && bits >> (end + 1) & 1)
            end++;
        g_string_append_printf(out, end > i ? "%s%02d..%02d" : "%s%02d", between, i, end);
        between = ",";
        i = end;
    }
}

static void timer_weekdays(uint8_t days, GString *out)
{
    const char *between = "";

    if ((days & CALENDAR_ALL_WEEKDAYS) == CALENDAR_ALL_WEEKDAYS)
        return;
    for (int i = 0; i < 7; i++)
        if (days >> i & 1) {
            g_string_append_printf(out, "%s%s", between, weekdays[i]);
            between = ",";
        }
    g_string_append_c(out, ' ');
}

static void timer_years(const Calendar *c, GString *out)
{
    const char *between = "";

    if (!export_other_has_years(c)) {
        g_string_append_c(out, '*');
        return;
    }
    for (int year = CALENDAR_YEAR_FIRST; year <= CALENDAR_YEAR_LAST; year++) {
        int n = year - CALENDAR_YEAR_FIRST;

        if (!(c->years[n / 8] >> (n % 8) & 1))
            continue;
        g_string_append_printf(out, "%s%d", between, year);
        between = ",";
    }
}

/* One event: these weekdays, and what stands behind the month. */
static void timer_event(const Calendar *c, uint8_t days, const char *day, const char *zone, GPtrArray *events)
{
    GString *out = g_string_new(NULL);

    timer_weekdays(days, out);
    timer_years(c, out);
    g_string_append_c(out, '-');
    timer_bits(c->months, 1, 12, out);
    g_string_append_printf(out, "%s ", day);
    timer_bits(c->hours, 0, 23, out);
    g_string_append_c(out, ':');
    timer_bits(c->minutes, 0, 59, out);
    g_string_append_c(out, ':');
    if (c->parts)
        calendar_format_parts(c->parts, out);
    else
        timer_bits(c->seconds, 0, 59, out);
    if (zone)
        g_string_append_printf(out, " %s", zone);
    g_ptr_array_add(events, g_string_free(out, FALSE));
}

static void timer_day_events(const Calendar *c, uint8_t days, const char *zone, GPtrArray *events)
{
    g_autoptr(GString) day = g_string_new("-");

    if (c->days) {
        timer_bits(c->days, 1, 31, day);
        timer_event(c, days, day->str, zone, events);
    }
    for (int i = 1; i <= 31; i++)
        if (c->last >> i & 1) {
            g_autofree char *last = g_strdup_printf("~%02d", i);

            timer_event(c, days, last, zone, events);
        }
}

/* The n-th Friday is the one among the n-th seven days; the last one is among the last seven. */
static void timer_nth_events(const Calendar *c, const char *zone, GPtrArray *events)
{
    for (int n = 0; n <= 5; n++) {
        g_autofree char *day =
            n == 0 ? g_strdup("~01..07") : g_strdup_printf("-%02d..%02d", 7 * n - 6, MIN(7 * n, 31));

        if (c->nth[n])
            timer_event(c, c->nth[n], day, zone, events);
    }
}

/* False where systemd has no words for it. */
static bool timer_calendar(const ScheduleCalendar *sc, const char *zone, GPtrArray *events)
{
    const Calendar *c = &sc->calendar;
    bool counted = false, all_days = c->days == CALENDAR_ALL_DAYS;

    for (int n = 0; n <= 5; n++)
        counted |= c->nth[n] != 0;
    zone = sc->zone ? sc->zone->name : zone;
    if (c->workdays || (counted && !c->either && !all_days))
        return false;
    if (counted)
        timer_nth_events(c, zone, events);
    if (!c->either) {
        if (c->weekdays)
            timer_day_events(c, c->weekdays, zone, events);
        return true;
    }
    timer_day_events(c, CALENDAR_ALL_WEEKDAYS, zone, events);
    if (c->weekdays)
        timer_event(c, c->weekdays, "-*", zone, events);
    return true;
}

/* "05/15", and where there is but one of these, "05". */
static char *timer_steps(uint64_t first, uint64_t step, uint64_t all)
{
    return step == all ? g_strdup_printf("%02d", (int)first)
                       : g_strdup_printf("%02d/%d", (int)first, (int)step);
}

/* An interval that a minute, an hour or a day is made of, counted from the epoch; NULL: it is another. */
static char *timer_every(const Schedule *s)
{
    uint64_t every = s->every_usec / USEC_PER_SEC, first = s->from_usec / USEC_PER_SEC;
    g_autofree char *steps = NULL;

    if (s->every_usec % USEC_PER_SEC != 0 || s->from_usec % USEC_PER_SEC != 0 || every == 0)
        return NULL;
    first %= every;
    if (60 % every == 0) {
        steps = timer_steps(first, every, 60);
        return g_strdup_printf("*-*-* *:*:%s UTC", steps);
    }
    if (every % 60 == 0 && 3600 % every == 0) {
        steps = timer_steps(first / 60, every / 60, 60);
        return g_strdup_printf("*-*-* *:%s:%02d UTC", steps, (int)(first % 60));
    }
    if (every % 3600 != 0 || 86400 % every != 0)
        return NULL;
    steps = timer_steps(first / 3600, every / 3600, 24);
    return g_strdup_printf("*-*-* %s:%02d:%02d UTC", steps, (int)(first / 60 % 60), (int)(first % 60));
}

static char *timer_instant(uint64_t usec)
{
    g_autofree char *text = timespec_format_instant(usec);

    text[10] = ' ';
    text[strlen(text) - 1] = '\0';
    return g_strconcat(text, " UTC", NULL);
}

/* --- times --- */

/* As systemd reads them: it leaves out what the clock jumps over, and takes the first of two. */
static GArray *timer_event_times(const ExportOther *o, const GPtrArray *events)
{
    g_autoptr(GPtrArray) calendars = g_ptr_array_new_with_free_func((GDestroyNotify)schedule_calendar_free);
    Schedule s = { .calendars = calendars, .gap = CALENDAR_GAP_SKIP, .fold = CALENDAR_FOLD_FIRST };

    for (guint i = 0; i < events->len; i++) {
        g_auto(CalendarExpression) e = { 0 };
        g_auto(CalendarFault) fault = { 0 };
        ScheduleCalendar *c;

        if (calendar_expression_parse(g_ptr_array_index(events, i), &e, &fault) < 0)
            continue;
        c = g_new0(ScheduleCalendar, 1);
        calendar_expression_compile(&e, &c->calendar);
        c->zone = e.zone;
        g_ptr_array_add(calendars, c);
    }
    return export_other_times(o, &s);
}

/* USEC_INFINITY: they are the same. */
static uint64_t timer_difference(const GArray *a, const GArray *b)
{
    for (guint i = 0; i < MAX(a->len, b->len); i++) {
        uint64_t x = i < a->len ? g_array_index(a, uint64_t, i) : USEC_INFINITY;
        uint64_t y = i < b->len ? g_array_index(b, uint64_t, i) : USEC_INFINITY;

        if (x != y)
            return MIN(x, y);
    }
    return USEC_INFINITY;
}

static bool timer_prove(ExportOther *o, const Schedule *s, const GPtrArray *events)
{
    g_autoptr(GArray) ours = export_other_times(o, s), theirs = timer_event_times(o, events),
                      as_theirs = NULL;
    g_autofree char *name = export_other_name(o, s), *instant = NULL;
    uint64_t at = timer_difference(ours, theirs);
    Schedule other = *s;

    if (at == USEC_INFINITY)
        return true;
    other.gap = CALENDAR_GAP_SKIP;
    other.fold = CALENDAR_FOLD_FIRST;
    as_theirs = export_other_times(o, &other);
    if (timer_difference(as_theirs, theirs) != USEC_INFINITY) {
        export_other_refuse(o, s, "", _("systemd would fire at other times within the next year"));
        return false;
    }
    instant = timespec_format_instant(at);
    import_changed(o->notes, name, 0, _("DST=skip first says what systemd does"),
        _("systemd leaves out what the clock jumps over, and fires once what it shows twice: not at %s"),
        instant);
    o->n_other++;
    return true;
}

/* Nothing of it is a time, so that there is nothing to compare. */
static bool timer_write_finish(ExportOther *o, const Schedule *s, GString *out)
{
    if (s->from_usec > 0 || s->until_usec > 0 || s->max_runs > 0 || s->window) {
        export_other_refuse(o, s, "", _("what is counted from the end of the last run has no bounds there"));
        return false;
    }
    g_string_append_printf(out,
        "OnActiveSec=%" G_GUINT64_FORMAT "us\nOnUnitInactiveSec=%" G_GUINT64_FORMAT "us\n", s->every_usec,
        s->every_usec);
    return true;
}

static bool timer_write_times(ExportOther *o, const Schedule *s, GString *out)
{
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *every = s->every_usec > 0 ? timer_every(s) : NULL;

    if (s->at_boot) {
        export_other_refuse(o, s, "", _("a timer for boots elapses when it is enabled as well"));
        return false;
    }
    if (s->after) {
        export_other_refuse(o, s, "", _("a timer does not know when a run ends"));
        return false;
    }
    if (s->from_finish)
        return timer_write_finish(o, s, out);
    if (export_other_has_rules(s)) {
        export_other_refuse(o, s, "", _("there are no recurrence rules, and no exceptions"));
        return false;
    }
    for (guint i = 0; s->calendars && i < s->calendars->len; i++)
        if (!timer_calendar(g_ptr_array_index(s->calendars, i), s->zone ? s->zone->name : NULL, events)) {
            export_other_refuse(o, s, "", _("systemd knows neither working days nor such a day of the week"));
            return false;
        }
    for (guint i = 0; s->at && i < s->at->len; i++)
        g_ptr_array_add(events, timer_instant(g_array_index(s->at, uint64_t, i)));
    if (s->every_usec > 0 && !every) {
        export_other_refuse(
            o, s, "", _("a day is not made of such intervals, and systemd counts others from the last run"));
        return false;
    }
    if (every)
        g_ptr_array_add(events, g_steal_pointer(&every));
    for (guint i = 0; i < events->len; i++)
        g_string_append_printf(out, "OnCalendar=%s\n", (char *)g_ptr_array_index(events, i));
    return timer_prove(o, s, events);
}

/* --- the service --- */

/* "%" begins a specifier where a letter or another follows. */
static void timer_append(const char *text, GString *out)
{
    for (; *text; text++) {
        g_string_append_c(out, *text);
        if (*text == '%' && (g_ascii_isalpha(text[1]) || text[1] == '%'))
            g_string_append_c(out, '%');
    }
}

static void timer_write_command(const Task *t, const char *path, const GPtrArray *argv, GString *out)
{
    static const struct {
        unsigned flag;
        const char *prefix;
    } prefixes[] = { { COMMAND_IGNORE_FAILURE, "-" }, { COMMAND_PRIVILEGED, "+" }, { COMMAND_NO_SETUID, "!" },
        { COMMAND_AMBIENT, "!!" }, { COMMAND_ARGV0, "@" } };
    g_autoptr(GString) words = g_string_new(NULL);

    for (guint i = t->command_flags & COMMAND_ARGV0 ? 0 : 1; i + 1 < argv->len; i++) {
        g_string_append_c(words, ' ');
        import_write_word(words, g_ptr_array_index(argv, i));
    }
    g_string_append(out, "ExecStart=");
    ARRAY_FOREACH (p, prefixes)
        if (t->command_flags & p->flag)
            g_string_append(out, p->prefix);
    timer_append(path, out);
    timer_append(words->str, out);
    g_string_append_c(out, '\n');
}

static void timer_write_service(const Task *t, const char *path, const GPtrArray *argv, GString *out)
{
    g_string_append(out, "[Unit]\nDescription=");
    timer_append(*t->description ? t->description : t->name, out);
    g_string_append(out, "\n\n[Service]\nType=exec\n");
    timer_write_command(t, path, argv, out);
    for (guint i = 0; i < t->settings->len; i++) {
        const TaskSetting *s = g_ptr_array_index(t->settings, i);

        g_string_append_printf(out, "%s=", s->key);
        timer_append(s->value, out);
        g_string_append_c(out, '\n');
    }
    if (t->timeout_usec != USEC_INFINITY)
        g_string_append_printf(out, "RuntimeMaxSec=%" G_GUINT64_FORMAT "us\n", t->timeout_usec);
}

/* --- the whole --- */

static GString *timer_file(GPtrArray *files, const char *name, const char *suffix)
{
    ExportFile *f = export_file_new(files, "");

    g_free(f->path);
    f->path = g_strconcat(name, suffix, NULL);
    return f->text;
}

/* systemd makes up for one time, however many were missed. */
static bool timer_is_persistent(const Schedule *s)
{
    if (s->from_finish) /* systemd has that for OnCalendar= alone */
        return false;
    return s->catch_up == CATCH_UP_DEFAULT ? s->every_usec == 0 : s->catch_up != CATCH_UP_NONE;
}

static void timer_write(ExportOther *o, const Schedule *s, const char *name, GPtrArray *files)
{
    g_autoptr(GString) times = g_string_new(NULL);
    g_autoptr(GPtrArray) argv = NULL;
    g_autofree char *path = NULL;
    GString *timer;

    if (!timer_write_times(o, s, times) || !export_other_command(o, s, &path, &argv))
        return;
    if (s->catch_up == CATCH_UP_ALL) {
        g_autofree char *place = export_other_name(o, s);

        import_changed(
            o->notes, place, 0, "", "%s", _("CatchUp=all: of what was missed the last is caught up"));
    }
    timer = timer_file(files, name, ".timer");
    g_string_append_printf(timer, "[Unit]\nDescription=%s/%s\n\n[Timer]\n%sAccuracySec=1us\n%s",
        o->task->name, s->name, times->str, timer_is_persistent(s) ? "Persistent=yes\n" : "");
    if (s->jitter_usec > 0)
        g_string_append_printf(timer, "RandomizedDelaySec=%" G_GUINT64_FORMAT "us\n%s", s->jitter_usec,
            s->jitter_fixed ? "FixedRandomDelay=yes\n" : "");
    if (s->enabled)
        g_string_append(timer, "\n[Install]\nWantedBy=timers.target\n");
    timer_write_service(o->task, path, argv, timer_file(files, name, ".service"));
}

void export_timer(ExportOther *o, GPtrArray *files)
{
    static const char *const kept[] = { "Description", "Timeout", "Jitter", "FixedJitter", "CatchUp",
        "CatchUpWindow", NULL };
    const GPtrArray *schedules = o->task->schedules;

    export_other_tell(o, kept);
    for (guint i = 0; i < schedules->len; i++) {
        const Schedule *s = g_ptr_array_index(schedules, i);
        g_autofree char *name =
            schedules->len == 1 ? g_strdup(o->task->name) : g_strdup_printf("%s-%s", o->task->name, s->name);

        timer_write(o, s, name, files);
    }
}
