/* A timer of systemd and its service, each with its drop-ins, as a task. */
#include <string.h>

#include "ctl/import-command.h"
#include "ctl/import-write.h"
#include "ctl/import.h"
#include "lib/i18n.h"
#include "model/timespec.h"
#include "model/words.h"

#define EVERY_MIN_USEC (100 * USEC_PER_MSEC)
#define DELAY_MAX_USEC (365 * UINT64_C(86400) * USEC_PER_SEC)

typedef struct Timer {
    Import *im;
    char *name;           /* without ".timer" */
    GPtrArray *files;     /* of GPtrArray* of TaskFileItem*: what all below points into */
    GPtrArray *calendars; /* of TaskFileItem*: OnCalendar= */
    const TaskFileItem *boot, *spacing,
        *unit; /* likewise: OnBootSec= and the like; OnUnitActiveSec= and the like */
    const TaskFileItem *persistent, *delay, *fixed, *description, *type, *runtime_max, *timeout;
    ImportCommands commands;
    GString *comments, *settings; /* lines of the task file */
    const TaskFileItem *refused;  /* a note says why */
} Timer;

typedef void (*TimerTake)(Timer *t, const TaskFileItem *item);

typedef struct TimerKey {
    const char *key;
    TimerTake take;
} TimerKey;

/* --- specifiers --- */

/* NULL: one that is not known here. */
static char *timer_specifier(const Timer *t, char c)
{
    static const struct {
        char c;
        const char *path;
    } paths[] = { { 't', "/run" }, { 'S', "/var/lib" }, { 'C', "/var/cache" }, { 'L', "/var/log" },
        { 'E', "/etc" }, { 'T', "/tmp" }, { 'V', "/var/tmp" }, { '%', "%" } };
    const char *at = strchr(t->name, '@');

    ARRAY_FOREACH (p, paths)
        if (p->c == c && (!t->im->user || c == '%'))
            return g_strdup(p->path);
    if (c == 'n')
        return g_strconcat(t->name, ".service", NULL);
    if (c == 'N')
        return g_strdup(t->name);
    if (c == 'p')
        return at ? g_strndup(t->name, (size_t)(at - t->name)) : g_strdup(t->name);
    if (c == 'i' && !strchr(t->name, '\\'))
        return g_strdup(at ? at + 1 : "");
    return NULL;
}

static char *timer_resolve(const char *text, void *userdata)
{
    const Timer *t = userdata;
    GString *s = g_string_new(NULL);

    for (const char *p = text; *p; p++) {
        g_autofree char *meaning = NULL;

        if (*p != '%' || (!g_ascii_isalpha(p[1]) && p[1] != '%')) {
            g_string_append_c(s, *p);
            continue;
        }
        meaning = timer_specifier(t, *++p);
        if (!meaning) {
            g_string_free(s, TRUE);
            return NULL;
        }
        g_string_append(s, meaning);
    }
    return g_string_free(s, FALSE);
}

/* --- notes --- */

static void timer_comment(Timer *t, const TaskFileItem *item)
{
    g_autofree char *line = g_strdup_printf("%s=%s", item->key, item->value);

    import_write_comment(t->comments, line);
}

static void timer_lose(Timer *t, const TaskFileItem *item, const char *remedy, const char *message)
{
    if (!item->value[0])
        return;
    timer_comment(t, item);
    import_lost(t->im, item->file, item->line, remedy, "%s=%s: %s", item->key, item->value, message);
}

static void timer_refuse(Timer *t, const TaskFileItem *item, const char *message)
{
    import_lost(t->im, item->file, item->line, _("leave it to systemd"), "%s=%s: %s", item->key, item->value,
        message);
    t->refused = item;
}

/* --- [Timer] --- */

static void timer_list(GPtrArray *list, const TaskFileItem *item)
{
    if (item->value[0])
        g_ptr_array_add(list, (gpointer)item);
    else
        g_ptr_array_set_size(list, 0);
}

static void timer_take_calendar(Timer *t, const TaskFileItem *item)
{
    timer_list(t->calendars, item);
}

static void timer_take_boot(Timer *t, const TaskFileItem *item)
{
    t->boot = item->value[0] ? item : NULL;
}

static void timer_take_spacing(Timer *t, const TaskFileItem *item)
{
    t->spacing = item->value[0] ? item : NULL;
}

static void timer_take_unit(Timer *t, const TaskFileItem *item)
{
    t->unit = item->value[0] ? item : NULL;
}

static void timer_take_persistent(Timer *t, const TaskFileItem *item)
{
    t->persistent = item;
}

static void timer_take_delay(Timer *t, const TaskFileItem *item)
{
    t->delay = item->value[0] ? item : NULL;
}

static void timer_take_fixed(Timer *t, const TaskFileItem *item)
{
    t->fixed = item;
}

static bool timer_is_yes(const TaskFileItem *item)
{
    bool yes = false;

    return item && words_parse_boolean(item->value, &yes) >= 0 && yes;
}

static void timer_take_wake(Timer *t, const TaskFileItem *item)
{
    if (timer_is_yes(item))
        timer_lose(t, item, "", _("a host that sleeps is not woken up"));
}

static void timer_take_change(Timer *t, const TaskFileItem *item)
{
    if (timer_is_yes(item))
        timer_lose(t, item, "", _("there is no schedule for that"));
}

static void timer_take_other(Timer *t, const TaskFileItem *item)
{
    timer_lose(t, item, "", _("a schedule has no such setting"));
}

static const TimerKey timer_keys[] = {
    { "OnCalendar", timer_take_calendar },
    { "OnActiveSec", timer_take_boot },
    { "OnBootSec", timer_take_boot },
    { "OnStartupSec", timer_take_boot },
    { "OnUnitActiveSec", timer_take_spacing },
    { "OnUnitInactiveSec", timer_take_spacing },
    { "Unit", timer_take_unit },
    { "Persistent", timer_take_persistent },
    { "RandomizedDelaySec", timer_take_delay },
    { "FixedRandomDelay", timer_take_fixed },
    { "WakeSystem", timer_take_wake },
    { "OnClockChange", timer_take_change },
    { "OnTimezoneChange", timer_take_change },
    /* A schedule is exact, and is never unloaded; this is what they ask for, or less. */
    { "AccuracySec", timer_comment },
    { "RemainAfterElapse", timer_comment },
    { NULL, timer_take_other },
};

/* --- [Unit] --- */

static void timer_take_description(Timer *t, const TaskFileItem *item)
{
    t->description = item->value[0] ? item : NULL;
}

static void timer_take_relation(Timer *t, const TaskFileItem *item)
{
    if (g_str_has_prefix(item->key, "Condition") || g_str_has_prefix(item->key, "Assert"))
        timer_lose(t, item, _("let the command ask"), _("a task has no conditions, it runs all the same"));
    else
        timer_lose(t, item, "", _("a run stands in no relation to other units"));
}

static const TimerKey timer_unit_keys[] = {
    { "Description", timer_comment },
    { "Documentation", timer_comment },
    { "DefaultDependencies", timer_comment },
    { NULL, timer_take_relation },
};

static const TimerKey service_unit_keys[] = {
    { "Description", timer_take_description },
    { "Documentation", timer_comment },
    { "DefaultDependencies", timer_comment },
    { NULL, timer_take_relation },
};

/* --- [Service] --- */

static void timer_take_condition(Timer *t, const TaskFileItem *item)
{
    timer_list(t->commands.condition, item);
}

static void timer_take_before(Timer *t, const TaskFileItem *item)
{
    timer_list(t->commands.before, item);
}

static void timer_take_main(Timer *t, const TaskFileItem *item)
{
    timer_list(t->commands.main, item);
}

static void timer_take_after(Timer *t, const TaskFileItem *item)
{
    timer_list(t->commands.after, item);
}

static void timer_take_stop(Timer *t, const TaskFileItem *item)
{
    timer_lose(t, item, _("let the command do it"), _("a task runs one command"));
}

static void timer_take_type(Timer *t, const TaskFileItem *item)
{
    t->type = item;
    if (g_str_equal(item->value, "forking") || g_str_equal(item->value, "dbus"))
        timer_refuse(t, item, _("a run is over when its process is"));
}

static void timer_take_runtime(Timer *t, const TaskFileItem *item)
{
    t->runtime_max = item;
}

static void timer_take_timeout(Timer *t, const TaskFileItem *item)
{
    t->timeout = item;
    if (g_str_equal(item->key, "TimeoutSec") && item->value[0])
        g_string_append_printf(t->settings, "TimeoutStopSec=%s\n", item->value);
}

static void timer_take_restart(Timer *t, const TaskFileItem *item)
{
    if (!g_str_equal(item->value, "no"))
        timer_lose(
            t, item, _("Retries=, RetryDelay= and RetryOn= in [Task] say it"), _("it is not started again"));
}

static void timer_take_kill(Timer *t, const TaskFileItem *item)
{
    if (g_str_equal(item->value, "process") || g_str_equal(item->value, "none"))
        timer_lose(t, item, "", _("a run is ended with all its processes"));
    else
        g_string_append_printf(t->settings, "KillMode=%s\n", item->value);
}

static void timer_take_slice(Timer *t, const TaskFileItem *item)
{
    timer_lose(t, item, _("Queue= in [Task] decides it"), _("a run is in the slice of its queue"));
}

static void timer_take_unknown(Timer *t, const TaskFileItem *item)
{
    timer_lose(t, item, "", _("a task has no such setting"));
}

static void timer_take_setting(Timer *t, const TaskFileItem *item)
{
    g_autofree char *value = timer_resolve(item->value, t);

    if (value)
        g_string_append_printf(t->settings, "%s=%s\n", item->key, value);
    else
        timer_lose(t, item, _("write it out"), _("it has a specifier that only systemd knows"));
}

static const TimerKey service_keys[] = {
    { "ExecCondition", timer_take_condition },
    { "ExecStartPre", timer_take_before },
    { "ExecStart", timer_take_main },
    { "ExecStartPost", timer_take_after },
    { "ExecStop", timer_take_stop },
    { "ExecStopPost", timer_take_stop },
    { "ExecReload", timer_take_stop },
    { "Type", timer_take_type },
    { "RuntimeMaxSec", timer_take_runtime },
    { "TimeoutStartSec", timer_take_timeout },
    { "TimeoutSec", timer_take_timeout },
    { "Restart", timer_take_restart },
    { "RestartSec", timer_take_restart },
    { "RestartForceExitStatus", timer_take_restart },
    { "RestartPreventExitStatus", timer_take_restart },
    { "KillMode", timer_take_kill },
    { "Slice", timer_take_slice },
    { "LogNamespace", timer_take_unknown },
    { "PIDFile", timer_take_unknown },
    { "BusName", timer_take_unknown },
    { "Sockets", timer_take_unknown },
    { "PermissionsStartOnly", timer_take_unknown },
    { "RootDirectoryStartOnly", timer_take_unknown },
    { "NonBlocking", timer_take_unknown },
    { "SuccessAction", timer_take_unknown },
    { "FailureAction", timer_take_unknown },
    /* So it is for every task. */
    { "RemainAfterExit", timer_comment },
    { "NotifyAccess", timer_comment },
    { "CollectMode", timer_comment },
    { "GuessMainPID", timer_comment },
    { NULL, timer_take_setting },
};

/* --- reading --- */

static void timer_take(Timer *t, const TimerKey *keys, const TaskFileItem *item)
{
    for (;; keys++)
        if (!keys->key || g_str_equal(keys->key, item->key)) {
            keys->take(t, item);
            return;
        }
}

typedef struct TimerSection {
    const char *name;
    const TimerKey *keys;
} TimerSection;

static void timer_read_file(Timer *t, const TaskSource *source, const TimerSection *sections)
{
    g_autoptr(GPtrArray) diags = diag_list_new();
    GPtrArray *items = task_file_read(source, diags);
    const TimerKey *keys = NULL;

    g_ptr_array_add(t->files, items);
    for (guint i = 0; i < diags->len; i++) {
        const Diag *d = g_ptr_array_index(diags, i);

        import_lost(t->im, d->file, d->line, _("correct the line"), "%s", d->message);
    }
    for (guint i = 0; i < items->len; i++) {
        const TaskFileItem *item = g_ptr_array_index(items, i);

        if (item->is_section) {
            keys = NULL;
            for (const TimerSection *s = sections; s->name; s++)
                if (g_str_equal(s->name, item->key))
                    keys = s->keys;
        } else if (keys && !item->damaged)
            timer_take(t, keys, item);
    }
}

static void timer_read(Timer *t, const GPtrArray *timer, const GPtrArray *service)
{
    static const TimerSection of_timer[] = { { "Timer", timer_keys }, { "Unit", timer_unit_keys },
        { NULL, NULL } };
    static const TimerSection of_service[] = { { "Service", service_keys }, { "Unit", service_unit_keys },
        { NULL, NULL } };

    for (guint i = 0; i < timer->len; i++)
        timer_read_file(t, g_ptr_array_index(timer, i), of_timer);
    for (guint i = 0; service && i < service->len; i++)
        timer_read_file(t, g_ptr_array_index(service, i), of_service);
}

static void timer_begin(Timer *t, Import *im, const char *name)
{
    *t = (Timer){ .im = im };
    t->name = g_strdup(name);
    if (g_str_has_suffix(t->name, ".timer"))
        t->name[strlen(t->name) - strlen(".timer")] = '\0';
    t->files = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    t->calendars = g_ptr_array_new();
    t->commands.condition = g_ptr_array_new();
    t->commands.before = g_ptr_array_new();
    t->commands.main = g_ptr_array_new();
    t->commands.after = g_ptr_array_new();
    t->comments = g_string_new(NULL);
    t->settings = g_string_new(NULL);
}

static void timer_end(Timer *t)
{
    g_free(t->name);
    g_ptr_array_unref(t->calendars);
    g_ptr_array_unref(t->commands.condition);
    g_ptr_array_unref(t->commands.before);
    g_ptr_array_unref(t->commands.main);
    g_ptr_array_unref(t->commands.after);
    g_string_free(t->comments, TRUE);
    g_string_free(t->settings, TRUE);
    g_ptr_array_unref(t->files);
}

/* --- writing --- */

static void timer_write_timeout(const Timer *t, GString *out)
{
    bool oneshot = t->type && g_str_equal(t->type->value, "oneshot");
    const TaskFileItem *item = t->runtime_max ? t->runtime_max : oneshot ? t->timeout : NULL;
    uint64_t usec;

    if (item && timespec_parse_span(item->value, &usec) >= 0 && usec > 0 && usec != USEC_INFINITY)
        g_string_append_printf(out, "Timeout=%s\n", item->value);
}

/* Minutes that the clock leaves out systemd leaves out as well. */
static bool timer_write_calendars(Timer *t, GString *out, ImportTimes *times)
{
    times->rule = IMPORT_RULE_EVENTS;
    times->events = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < t->calendars->len; i++) {
        const TaskFileItem *item = g_ptr_array_index(t->calendars, i);
        g_autofree char *value = timer_resolve(item->value, t);

        if (!value) {
            timer_refuse(t, item, _("it has a specifier that only systemd knows"));
            return false;
        }
        g_string_append_printf(out, "OnCalendar=%s\n", value);
        g_ptr_array_add(times->events, g_steal_pointer(&value));
    }
    g_string_append(out, "DST=skip\n");
    return true;
}

static bool timer_write_spacing(Timer *t, GString *out)
{
    const TaskFileItem *item = t->spacing;
    uint64_t usec;

    if (timespec_parse_span(item->value, &usec) < 0 || usec < EVERY_MIN_USEC || usec == USEC_INFINITY) {
        timer_refuse(t, item, _("it is no time span from 100 ms on"));
        return false;
    }
    g_string_append_printf(out, "Every=%s\n", item->value);
    if (strcmp(item->key, "OnUnitInactiveSec") == 0) {
        g_string_append(out, "EveryFrom=finish\n");
        return true;
    }
    import_changed(t->im, item->file, item->line, _("From= in [Schedule timer] says where counting begins"),
        _("%s=%s: counted from the epoch and not from the last run"), item->key, item->value);
    return true;
}

static void timer_write_delay(Timer *t, GString *out)
{
    uint64_t usec;

    if (!t->delay)
        return;
    if (timespec_parse_span(t->delay->value, &usec) < 0 || usec > DELAY_MAX_USEC)
        timer_lose(t, t->delay, "", _("it is no time span of a year at most"));
    else if (usec > 0)
        g_string_append_printf(
            out, "Jitter=%s\n%s", t->delay->value, timer_is_yes(t->fixed) ? "FixedJitter=yes\n" : "");
}

static bool timer_write_schedule(Timer *t, const char *path, GString *out, ImportTimes *times)
{
    if (t->calendars->len == 0 && !t->spacing) {
        import_lost(t->im, t->boot ? t->boot->file : path, t->boot ? t->boot->line : 0,
            _("leave it to systemd"), "%s",
            t->boot ? _("it is run once after the host is up, and there is no schedule for that")
                    : _("the timer says no time"));
        return false;
    }
    g_string_append(out, "\n[Schedule timer]\n");
    if (t->boot)
        timer_lose(t, t->boot, "",
            _("there is no run because the host is up; the schedule's next time is the first"));
    timer_write_delay(t, out);
    if (t->calendars->len == 0)
        return timer_write_spacing(t, out);
    if (t->spacing)
        timer_lose(
            t, t->spacing, _("a further [Schedule] with Every= says it"), _("the calendar alone is kept"));
    g_string_append(
        out, timer_is_yes(t->persistent) ? "CatchUp=last\nCatchUpWindow=infinity\n" : "CatchUp=none\n");
    return timer_write_calendars(t, out, times);
}

static bool timer_write(Timer *t, const char *path, GString *out, ImportTimes *times)
{
    g_autoptr(GString) schedule = g_string_new(NULL), command = g_string_new(NULL);
    g_autofree char *message = NULL, *description = NULL;
    const TaskFileItem *item = NULL;

    if (t->refused || !timer_write_schedule(t, path, schedule, times))
        return false;
    if (import_command(&t->commands, timer_resolve, t, command, &item, &message) < 0) {
        timer_refuse(t, item, message);
        return false;
    }
    description = t->description ? timer_resolve(t->description->value, t) : NULL;
    g_string_append(out, t->comments->str);
    g_string_append_printf(out, "[Task]\nDescription=%s\n", description ? description : t->name);
    timer_write_timeout(t, out);
    g_string_append_printf(out, "\n[Service]\n%s%s%s", command->str, t->settings->str, schedule->str);
    return true;
}

static const char *timer_path(const GPtrArray *sources)
{
    return ((const TaskSource *)g_ptr_array_index(sources, 0))->path;
}

void import_timer(Import *im, const char *name, const GPtrArray *timer, const GPtrArray *service)
{
    g_autofree char *path = g_strdup(timer_path(timer));
    g_autoptr(GString) out = g_string_new(NULL);
    ImportTimes times = { 0 };
    ImportTask *task;
    Timer t;

    timer_begin(&t, im, name);
    timer_read(&t, timer, service);
    if (t.commands.main->len == 0 && !t.refused) {
        import_lost(im, service ? timer_path(service) : path, 0, "", "%s",
            service ? _("the service has no command") : _("its service was not found"));
        import_refuse(im, path, 0);
    } else if (!timer_write(&t, path, out, &times)) {
        import_times_clear(&times);
        import_refuse(im, path, 0);
    } else {
        task = import_add(im, path, 0, t.name);
        task->text = g_strdup(out->str);
        task->times = times;
    }
    timer_end(&t);
}

char *import_timer_unit(const GPtrArray *timer)
{
    Import *im = import_new(NULL);
    char *unit;
    Timer t;

    timer_begin(&t, im, "");
    timer_read(&t, timer, NULL);
    unit = t.unit ? timer_resolve(t.unit->value, &t) : NULL;
    timer_end(&t);
    import_free(im);
    return unit ? unit : g_strdup("");
}
