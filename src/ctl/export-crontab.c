/* A task as lines of a crontab. What is written is read again by cron's own rules, and fires when the schedule does, or it
 * is not written. */
#include <string.h>

#include "base/utf8.h"
#include "ctl/export-other.h"
#include "ctl/import-fields.h"
#include "lib/i18n.h"
#include "model/cron.h"
#include "model/words.h"

#define YEAR_USEC    (365 * UINT64_C(86400) * USEC_PER_SEC)
#define SYSTEMD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

typedef struct Crontab {
    ExportOther *o;
    char *user, *directory, *nice; /* owned; NULL: not said */
    GPtrArray *environment;        /* of char*, NAME=VALUE; owned */
    GString *input;                /* owned; NULL: none */
    const char *refused;           /* what cannot be said; NULL: nothing */
} Crontab;

/* --- settings --- */

static void crontab_set(char **field, const char *value)
{
    g_free(*field);
    *field = *value ? g_strdup(value) : NULL;
}

static void crontab_take_user(Crontab *c, const char *value)
{
    crontab_set(&c->user, value);
}

static void crontab_take_directory(Crontab *c, const char *value)
{
    crontab_set(&c->directory, value);
}

static void crontab_take_nice(Crontab *c, const char *value)
{
    crontab_set(&c->nice, value);
}

static void crontab_take_environment(Crontab *c, const char *value)
{
    g_autoptr(GPtrArray) words = NULL;
    unsigned offset;

    if (!*value)
        g_ptr_array_set_size(c->environment, 0);
    else if (words_split(value, &words, &offset) >= 0)
        for (guint i = 0; i < words->len; i++) {
            const char *word = ((Word *)g_ptr_array_index(words, i))->text;

            if (strchr(word, '\\') || strchr(word, '\n'))
                c->refused = _("a variable of its environment is more than a line of a crontab can say");
            g_ptr_array_add(c->environment, g_strdup(word));
        }
}

/* Text with the escapes that are written for StandardInputText=. */
static bool crontab_unescape(const char *text, GString *out)
{
    static const char letters[] = "\\ntr", meanings[] = "\\\n\t\r";

    for (const char *p = text; *p; p++) {
        const char *letter = *p == '\\' && p[1] ? strchr(letters, p[1]) : NULL;

        if (*p != '\\') {
            g_string_append_c(out, *p);
        } else if (letter) {
            g_string_append_c(out, meanings[letter - letters]);
            p++;
        } else if (p[1] == 'x' && g_ascii_isxdigit(p[2]) && g_ascii_isxdigit(p[3])) {
            g_string_append_c(out, (char)(g_ascii_xdigit_value(p[2]) * 16 + g_ascii_xdigit_value(p[3])));
            p += 3;
        } else
            return false;
    }
    return true;
}

static void crontab_take_text(Crontab *c, const char *value)
{
    if (!c->input)
        c->input = g_string_new(NULL);
    if (!*value)
        g_string_truncate(c->input, 0);
    else if (crontab_unescape(value, c->input))
        g_string_append_c(c->input, '\n');
    else
        c->refused = _("its standard input has bytes that a crontab cannot say");
}

static void crontab_take_data(Crontab *c, const char *value)
{
    size_t size = 0;
    g_autofree guchar *data = *value ? g_base64_decode(value, &size) : NULL;

    if (!c->input)
        c->input = g_string_new(NULL);
    if (!*value)
        g_string_truncate(c->input, 0);
    if (data)
        g_string_append_len(c->input, (const char *)data, (gssize)size);
}

static void crontab_take_nothing(Crontab *c, const char *value)
{
}

/* What ends with a line break, and has no backslash that would take away another one. */
static bool crontab_takes_input(const GString *s)
{
    return strlen(s->str) == s->len && utf8_is_valid(s->str) && s->str[s->len - 1] == '\n' &&
           !strstr(s->str, "\\\n") && !strstr(s->str, "\\%");
}

static void crontab_take_settings(Crontab *c)
{
    static const struct {
        const char *key;
        void (*take)(Crontab *c, const char *value);
    } keys[] = {
        { "User", crontab_take_user },
        { "WorkingDirectory", crontab_take_directory },
        { "Nice", crontab_take_nice },
        { "Environment", crontab_take_environment },
        { "StandardInput", crontab_take_nothing },
        { "StandardInputText", crontab_take_text },
        { "StandardInputData", crontab_take_data },
    };
    const Task *t = c->o->task;

    for (guint i = 0; i < t->settings->len; i++) {
        const TaskSetting *s = g_ptr_array_index(t->settings, i);
        bool known = false;

        ARRAY_FOREACH (k, keys)
            if (g_str_equal(k->key, s->key)) {
                k->take(c, s->value);
                known = true;
            }
        if (!known && s->value[0])
            import_lost(c->o->notes, t->name, 0, "", _("[%s] %s=%s: there is no such thing"), "Service",
                s->key, s->value);
    }
    if (c->input && c->input->len > 0 && !crontab_takes_input(c->input))
        c->refused = _("its standard input has bytes that a crontab cannot say");
}

static const char *crontab_get(const Crontab *c, const char *name)
{
    size_t n = strlen(name);

    for (guint i = c->environment->len; i > 0; i--) {
        const char *one = g_ptr_array_index(c->environment, i - 1);

        if (strncmp(one, name, n) == 0 && one[n] == '=')
            return one + n + 1;
    }
    return NULL;
}

/* --- times --- */

/* On the local clock, which is the one that cron knows. */
static int64_t crontab_offset(const ExportOther *o)
{
    const Zone *zone = zone_local();

    return zone->spans[zone_span(zone, (int64_t)(o->now / USEC_PER_SEC))].offset;
}

/* "0 *", of minutes; NULL where an interval is none that an hour or a day is made of. */
static char *crontab_every(const ExportOther *o, const Schedule *s)
{
    uint64_t minute = 60 * USEC_PER_SEC, every = s->every_usec / minute;
    uint64_t first = s->from_usec / minute + (uint64_t)(crontab_offset(o) / 60 + 24 * 60);
    unsigned in_hour, in_day;

    if (s->every_usec % minute != 0 || s->from_usec % minute != 0 || every == 0)
        return NULL;
    in_hour = (unsigned)(first % MIN(every, 60));
    in_day = (unsigned)(first / 60 % MAX(every / 60, 1));
    if (every <= 60 && 60 % every == 0)
        return every == 60    ? g_strdup_printf("%u * * * *", in_hour)
               : in_hour == 0 ? g_strdup_printf("*/%u * * * *", (unsigned)every)
                              : g_strdup_printf("%u-59/%u * * * *", in_hour, (unsigned)every);
    if (every % 60 == 0 && (24 * 60) % every == 0)
        return every == 24 * 60 ? g_strdup_printf("%u %u * * *", in_hour, in_day)
                                : g_strdup_printf("%u %u-23/%u * * *", in_hour, in_day, (unsigned)every / 60);
    return NULL;
}

/* NULL, with the reason in *ret_reason. */
static char *crontab_fields(const ScheduleCalendar *c, const char **ret_reason)
{
    g_autofree char *text = NULL;
    g_autofree char *message = NULL;
    const char *rest;
    ImportFields f;

    *ret_reason = _("cron knows whole minutes alone");
    if (c->calendar.parts || c->calendar.seconds != 1)
        return NULL;
    *ret_reason = _("cron knows no year");
    if (export_other_has_years(&c->calendar))
        return NULL;
    *ret_reason = _("cron knows the system's time zone alone");
    if (c->zone && c->zone != zone_local())
        return NULL;
    text = cron_format(&c->calendar);
    *ret_reason =
        _("cron takes a day that either field names, and knows none that are counted from the month's end");
    if (strstr(text, "/99") || import_fields_read(text, &f, &rest, &message) < 0 || *rest)
        return NULL;
    return g_steal_pointer(&text);
}

/* 5 for "0,5,10…": 0 where it is no such row. */
static int crontab_step(uint64_t bits, int last)
{
    for (int step = 2; step <= last; step++) {
        uint64_t row = 0;

        for (int i = 0; i <= last; i += step)
            row |= UINT64_C(1) << i;
        if (row == bits)
            return step;
    }
    return 0;
}

/* Minutes and hours in steps, which cron lets follow the clock where that is set; as lists it makes up for them. */
static char *crontab_with_steps(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_autofree char *message = NULL;
    const char *rest;
    ImportFields f;
    int minutes, hours;

    if (import_fields_read(line, &f, &rest, &message) < 0)
        return g_strdup(line);
    minutes = crontab_step(f.minutes, 59);
    hours = crontab_step(f.hours, 23);
    if (minutes > 0) {
        g_free(words[0]);
        words[0] = g_strdup_printf("*/%d", minutes);
    }
    if (hours > 0) {
        g_free(words[1]);
        words[1] = g_strdup_printf("*/%d", hours);
    }
    return g_strjoinv(" ", words);
}

static gint crontab_compare(gconstpointer a, gconstpointer b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Would cron fire these lines when the schedule fires? */
static bool crontab_prove(Crontab *c, const Schedule *s, const GPtrArray *lines)
{
    g_autoptr(GArray) ours = export_other_times(c->o, s),
                      theirs = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autofree char *message = NULL;
    const char *rest;
    ImportFields f;

    for (guint i = 0; i < lines->len; i++) {
        g_autoptr(GArray) times = NULL;

        if (import_fields_read(g_ptr_array_index(lines, i), &f, &rest, &message) < 0)
            return false;
        times = import_fields_times(&f, zone_local(), c->o->now, c->o->now + YEAR_USEC);
        g_array_append_vals(theirs, times->data, times->len);
    }
    g_array_sort(theirs, crontab_compare);
    return theirs->len == ours->len &&
           (ours->len == 0 || memcmp(theirs->data, ours->data, ours->len * 8) == 0);
}

/* The fields of all lines a schedule needs; NULL, with a note, where they cannot be said. */
static GPtrArray *crontab_lines(Crontab *c, const Schedule *s)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free);
    const char *reason = NULL;

    if (export_other_has_rules(s))
        reason = _("there are no recurrence rules, and no exceptions");
    else if (s->from_finish || s->after)
        reason = _("cron does not know when a run ends");
    else if (s->at && s->at->len > 0)
        reason = _("cron knows no year");
    else if (s->zone && s->zone != zone_local())
        reason = _("cron knows the system's time zone alone");
    for (guint i = 0; !reason && s->calendars && i < s->calendars->len; i++) {
        const char *why;
        char *line = crontab_fields(g_ptr_array_index(s->calendars, i), &why);

        if (line)
            g_ptr_array_add(lines, line);
        else
            reason = why;
    }
    if (!reason && s->every_usec > 0) {
        char *line = crontab_every(c->o, s);

        if (line)
            g_ptr_array_add(lines, line);
        else
            reason = _("an hour or a day is not made of such intervals");
    }
    if (!reason && s->at_boot && (s->from_usec > 0 || s->until_usec > 0 || s->max_runs > 0 || s->window))
        reason = _("for cron a boot has no bounds");
    if (!reason && s->at_boot) {
        g_ptr_array_add(steps, g_strdup("@reboot"));
        return g_steal_pointer(&steps);
    }
    for (guint i = 0; !reason && i < lines->len; i++)
        g_ptr_array_add(steps, crontab_with_steps(g_ptr_array_index(lines, i)));
    if (!reason && crontab_prove(c, s, steps))
        return g_steal_pointer(&steps);
    if (!reason && crontab_prove(c, s, lines))
        return g_steal_pointer(&lines);
    if (!reason)
        reason = _("cron would fire at other times within the next year");
    export_other_refuse(c->o, s, _("--format=timer may be able to say it"), reason);
    return NULL;
}

/* --- the command --- */

/* "%" is a line break, unless it is escaped. */
static void crontab_escape(const char *text, char line_break, GString *out)
{
    for (; *text; text++)
        if (*text == '%')
            g_string_append(out, "\\%");
        else
            g_string_append_c(out, *text == '\n' ? line_break : *text);
}

/* cron starts the command by a shell anyway: one that is told it by "-c" may be that. */
static bool crontab_is_shell(const Crontab *c, const char *path, const GPtrArray *argv)
{
    return argv->len == 4 && !c->nice && g_str_equal(g_ptr_array_index(argv, 1), "-c") &&
           (g_str_has_suffix(path, "/sh") || g_str_has_suffix(path, "/bash"));
}

static char *crontab_quote(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,@+-=";

    return *word && !word[strspn(word, plain)] ? g_strdup(word) : g_shell_quote(word);
}

static char *crontab_command(const Crontab *c, const char *path, const GPtrArray *argv)
{
    GString *s = g_string_new(NULL);

    if (crontab_is_shell(c, path, argv)) {
        g_string_append(s, g_ptr_array_index(argv, 2));
        return g_string_free(s, FALSE);
    }
    if (c->nice)
        g_string_append_printf(s, "nice -n %s ", c->nice);
    for (guint i = 0; i + 1 < argv->len; i++) {
        g_autofree char *quoted = crontab_quote(i == 0 ? path : g_ptr_array_index(argv, i));

        g_string_append_printf(s, "%s%s", i > 0 ? " " : "", quoted);
    }
    return g_string_free(s, FALSE);
}

static void crontab_write_variable(Crontab *c, const char *name, const char *value, GString *out)
{
    const char *quote = strchr(value, '"') ? "'" : "\"";
    bool plain = *value && !value[strcspn(value, " \t\"'#")];

    if (c->o->leaked)
        g_hash_table_add(c->o->leaked, g_strdup(name));
    g_string_append_printf(out, "%s=%s%s%s\n", name, plain ? "" : quote, value, plain ? "" : quote);
}

/* What lines above have set, and this task has not, stays set. */
static void crontab_write_leaked(Crontab *c, GString *out)
{
    GHashTableIter i;
    gpointer name;

    if (!c->o->leaked)
        return;
    g_hash_table_iter_init(&i, c->o->leaked);
    while (g_hash_table_iter_next(&i, &name, NULL))
        if (!g_str_equal(name, "SHELL") && !g_str_equal(name, "PATH") && !crontab_get(c, name))
            g_string_append_printf(out, "%s=\"\"\n", (char *)name);
}

static void crontab_write_environment(Crontab *c, const char *shell, GString *out)
{
    const char *path = crontab_get(c, "PATH");

    crontab_write_leaked(c, out);
    crontab_write_variable(c, "SHELL", shell, out);
    crontab_write_variable(c, "PATH", path ? path : SYSTEMD_PATH, out);
    for (guint i = 0; i < c->environment->len; i++) {
        g_auto(GStrv) parts = g_strsplit(g_ptr_array_index(c->environment, i), "=", 2);

        if (!g_str_equal(parts[0], "SHELL") && !g_str_equal(parts[0], "PATH"))
            crontab_write_variable(c, parts[0], parts[1] ? parts[1] : "", out);
    }
}

static void crontab_write_input(const Crontab *c, GString *out)
{
    /* Where it does not end with a line break, cron adds one. */
    size_t length = c->input ? c->input->len : 0;
    bool added = length > 1 && c->input->str[length - 2] != '\n';
    g_autofree char *text = length > 0 ? g_strndup(c->input->str, length - added) : NULL;

    if (!text)
        return;
    g_string_append_c(out, '%');
    crontab_escape(text, '%', out);
}

static void crontab_write_line(Crontab *c, const char *fields, const char *command, GString *out)
{
    const char *home = crontab_get(c, "HOME"), *directory = c->directory ? c->directory : "/";

    g_string_append_printf(out, "%s ", fields);
    if (!c->o->user)
        g_string_append_printf(out, "%s ", c->user ? c->user : "root");
    if (!g_str_equal(directory, "~") && g_strcmp0(home, directory) != 0) {
        g_autofree char *quoted = crontab_quote(directory);

        g_string_append(out, "cd ");
        crontab_escape(quoted, ' ', out);
        g_string_append(out, " && ");
    }
    crontab_escape(command, ' ', out);
    crontab_write_input(c, out);
    g_string_append_c(out, '\n');
}

/* What would be read as something else. */
static const char *crontab_judge(const Crontab *c, const char *command)
{
    if (c->refused)
        return c->refused;
    if (strchr(command, '\n') || strstr(command, "\\%"))
        return _("its command is none that a line of a crontab can hold");
    if (c->o->task->command_flags != 0)
        return _("its command has a prefix, of which cron knows nothing");
    return NULL;
}

static void crontab_write(Crontab *c, const Schedule *s, GString *out)
{
    g_autoptr(GPtrArray) lines = crontab_lines(c, s), argv = NULL;
    g_autofree char *path = NULL, *command = NULL;
    const char *refused;

    if (!lines || !export_other_command(c->o, s, &path, &argv))
        return;
    command = crontab_command(c, path, argv);
    refused = crontab_judge(c, command);
    if (refused) {
        export_other_refuse(c->o, s, "", refused);
        return;
    }
    if (s->catch_up != CATCH_UP_NONE && !s->at_boot)
        import_changed(
            c->o->notes, c->o->task->name, 0, "", "%s", _("cron catches up nothing that was missed"));
    g_string_append_printf(out, "# %s/%s\n", c->o->task->name, s->name);
    crontab_write_environment(c, crontab_is_shell(c, path, argv) ? path : "/bin/sh", out);
    for (guint i = 0; i < lines->len; i++)
        crontab_write_line(c, g_ptr_array_index(lines, i), command, out);
}

void export_crontab(ExportOther *o, GString *out)
{
    static const char *const kept[] = { "Description", "CatchUp", "CatchUpWindow", NULL };
    Crontab c = { .o = o, .environment = g_ptr_array_new_with_free_func(g_free) };

    export_other_tell(o, kept);
    crontab_take_settings(&c);
    for (guint i = 0; i < o->task->schedules->len; i++) {
        const Schedule *s = g_ptr_array_index(o->task->schedules, i);

        if (s->enabled)
            crontab_write(&c, s, out);
        else
            export_other_refuse(o, s, "", _("it is not enabled"));
    }
    g_ptr_array_unref(c.environment);
    g_free(c.user);
    g_free(c.directory);
    g_free(c.nice);
    if (c.input)
        g_string_free(c.input, TRUE);
}
