/* Crontabs of users and of the system, and what they have in common with anacron's. */
#include "ctl/import-crontab.h"

#include <string.h>

#include "base/utf8.h"
#include "ctl/import-fields.h"
#include "ctl/import-write.h"
#include "lib/i18n.h"
#include "model/words.h"

#define NAME_WORDS 16
#define DELAY_MAX  (24 * 60)
#define WHOLE_FILE _("correct the line, for which cron passes over the whole file")

/* --- environment --- */

/* A name or a value: in quotes of either kind, or up to one of stop. Moves *p behind it; NULL: a quote is not closed. */
static char *crontab_part(const char **p, const char *stop)
{
    const char *begin = *p;
    size_t length;

    if (*begin == '"' || *begin == '\'') {
        const char *end = strchr(begin + 1, *begin);

        if (!end)
            return NULL;
        *p = end + 1;
        return g_strndup(begin + 1, (size_t)(end - begin) - 1);
    }
    length = strcspn(begin, stop);
    *p += length;
    return g_strchomp(g_strndup(begin, length));
}

static const char *crontab_skip(const char *p)
{
    return p + strspn(p, " \t");
}

bool import_crontab_assignment(const char *line, char **ret_name, char **ret_value)
{
    const char *p = crontab_skip(line);
    g_autofree char *name = crontab_part(&p, " \t="), *value = NULL;

    p = crontab_skip(p);
    if (!name || !*name || *p != '=')
        return false;
    p = crontab_skip(p + 1);
    value = crontab_part(&p, "");
    if (!value || *crontab_skip(p))
        return false;
    *ret_name = g_steal_pointer(&name);
    *ret_value = g_steal_pointer(&value);
    return true;
}

static bool crontab_is_variable(const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    return n > 0 && !name[n] && !g_ascii_isdigit(*name);
}

/* What cron sets itself; anacron's jobs have what it was started with. */
void import_crontab_begin(ImportCrontab *r, Import *im, const ImportSource *source, bool anacron)
{
    *r = (ImportCrontab){ .im = im, .source = source, .anacron = anacron };
    r->environment = g_ptr_array_new_with_free_func(g_free);
    import_crontab_set(r, "SHELL", "/bin/sh");
    if (!anacron)
        import_crontab_set(r, "PATH", "/usr/bin:/bin");
}

void import_crontab_end(ImportCrontab *r)
{
    g_ptr_array_unref(r->environment);
    g_free(r->mail);
    g_free(r->zone);
}

const char *import_crontab_get(const ImportCrontab *r, const char *name)
{
    size_t n = strlen(name);

    for (guint i = 0; i < r->environment->len; i++) {
        const char *one = g_ptr_array_index(r->environment, i);

        if (strncmp(one, name, n) == 0 && one[n] == '=')
            return one + n + 1;
    }
    return NULL;
}

void import_crontab_set(ImportCrontab *r, const char *name, const char *value)
{
    char *one = g_strdup_printf("%s=%s", name, value);
    const char *before = import_crontab_get(r, name);

    for (guint i = 0; before && i < r->environment->len; i++)
        if ((const char *)g_ptr_array_index(r->environment, i) + strlen(name) + 1 == before) {
            g_free(g_ptr_array_index(r->environment, i));
            g_ptr_array_index(r->environment, i) = one;
            return;
        }
    g_ptr_array_add(r->environment, one);
}

static void crontab_take_mail(ImportCrontab *r, const char *value)
{
    g_free(r->mail);
    r->mail = g_strdup(value);
    r->mail_line = r->line;
    r->mail_told = false;
}

static void crontab_take_zone(ImportCrontab *r, const char *value)
{
    g_autofree char *shown = words_show(value);

    g_clear_pointer(&r->zone, g_free);
    if (!*value)
        return;
    r->zone = g_strdup(value);
    import_changed(r->im, r->source->path, r->line, _("delete TimeZone= where cron did not heed it"),
        _("CRON_TZ is taken as cronie does, TimeZone=%s; Debian's cron does not heed it"), shown);
}

static void crontab_take_delay(ImportCrontab *r, const char *value)
{
    g_autofree char *shown = words_show(value);
    guint64 minutes = 0;

    if (*value && !g_ascii_string_to_unsigned(value, 10, 0, DELAY_MAX, &minutes, NULL))
        import_lost(r->im, r->source->path, r->line, _("correct the line"),
            _("RANDOM_DELAY=%s: it is no number of minutes"), shown);
    r->delay = (unsigned)minutes;
    if (r->delay > 0 && !r->anacron)
        import_changed(r->im, r->source->path, r->line, _("delete Jitter= where cron did not heed it"),
            _("RANDOM_DELAY is taken as cronie does, Jitter=%umin; Debian's cron does not heed it"),
            r->delay);
}

void import_crontab_write_delay(const ImportCrontab *r, GString *out)
{
    if (r->delay > 0)
        g_string_append_printf(out, "Jitter=%umin\n%s", r->delay, r->anacron ? "" : "FixedJitter=yes\n");
}

bool import_crontab_variable(ImportCrontab *r, const char *line)
{
    static const struct {
        const char *name;
        void (*take)(ImportCrontab *r, const char *value);
        bool keep; /* it is in the environment as well */
    } special[] = {
        { "MAILTO", crontab_take_mail, true },
        { "CRON_TZ", crontab_take_zone, true },
        { "RANDOM_DELAY", crontab_take_delay, true },
    };
    g_autofree char *name = NULL, *value = NULL;

    if (!import_crontab_assignment(line, &name, &value))
        return false;
    if (!crontab_is_variable(name)) {
        g_autofree char *shown = words_show(name);

        import_lost(r->im, r->source->path, r->line, "", _("%s is no name that a variable can have"), shown);
        return true;
    }
    ARRAY_FOREACH (s, special)
        if (g_str_equal(s->name, name))
            s->take(r, value);
    import_crontab_set(r, name, value);
    return true;
}

/* --- lines --- */

bool import_crontab_line(ImportCrontab *r, const char **p, char **ret)
{
    const char *end = r->source->text + r->source->length;
    const char *newline;

    if (!*p)
        *p = r->source->text;
    if (*p >= end)
        return false;
    newline = memchr(*p, '\n', (size_t)(end - *p));
    *ret = g_strndup(*p, (size_t)((newline ? newline : end) - *p));
    r->line++;
    r->damaged = strlen(*ret) < (size_t)((newline ? newline : end) - *p) || !utf8_is_valid(*ret);
    if (!newline)
        import_changed(r->im, r->source->path, r->line, "",
            _("the last line has no line break, for which cron passes over it, or the file"));
    *p = newline ? newline + 1 : end;
    return true;
}

/* --- what is written --- */

/* The name of the first program in a command, where that can be seen. */
static char *crontab_program(const char *command)
{
    static const char *const passed[] = { "test", "[", "cd", "if", "command", "exec", "nice", "ionice", "env",
        "sudo", "root", "then", "{", "(", "!", "-x", "-f", "-e", "-d", "-n", "-z", "]", "&&", "||", "sh",
        "bash", "-c", NULL };
    g_auto(GStrv) words = g_strsplit_set(command, " \t;\"'", NAME_WORDS);
    bool tested = false;

    for (char **word = words; *word; word++) {
        bool pass = !**word || **word == '-' || **word == '$' || strchr(*word, '=') || tested;

        tested = g_str_equal(*word, "-x") || g_str_equal(*word, "-f") || g_str_equal(*word, "-e") ||
                 g_str_equal(*word, "-d") || g_str_equal(*word, "cd");
        if (!pass && !g_strv_contains((const char *const *)passed, *word))
            return g_path_get_basename(*word);
    }
    return g_strdup("");
}

/* "a" of /etc/cron.d/a, else who owns it, with the program. */
char *import_crontab_name(const ImportCrontab *r, const char *prefix, const char *command)
{
    g_autofree char *program = crontab_program(command);

    if (!*program || g_str_equal(program, prefix))
        return g_strdup(prefix);
    return g_strdup_printf("%s-%s", prefix, program);
}

/* The first "%" that is not escaped ends a command, further ones are line breaks of its input. NULL: it has none. */
char *import_crontab_split(const char *text, char **ret_command)
{
    GString *command = g_string_new(NULL), *input;
    const char *p = text;

    for (bool escaped = false; *p && (escaped || *p != '%'); p++) {
        if (escaped && *p == '%')
            g_string_truncate(command, command->len - 1);
        g_string_append_c(command, *p);
        escaped = !escaped && *p == '\\';
    }
    *ret_command = g_string_free(command, FALSE);
    if (!*p || !p[1])
        return NULL;
    input = g_string_new(NULL);
    for (p++; *p; p++)
        if (*p == '\\' && p[1] == '%')
            g_string_append_c(input, *++p);
        else
            g_string_append_c(input, (char)(*p == '%' ? '\n' : *p));
    if (input->str[input->len - 1] != '\n')
        g_string_append_c(input, '\n');
    return g_string_free(input, FALSE);
}

static void crontab_write_place(const ImportCrontab *r, const char *user, GString *out)
{
    const char *home = import_crontab_get(r, "HOME");

    if (!r->im->user)
        g_string_append_printf(out, "User=%s\n", user);
    g_string_append_printf(out, "WorkingDirectory=%s\n", home && *home == '/' ? home : "~");
    for (guint i = 0; i < r->environment->len; i++)
        import_write_quoted(out, "Environment", g_ptr_array_index(r->environment, i));
}

void import_crontab_write(
    const ImportCrontab *r, const char *line, const char *user, const char *text, GString *out)
{
    g_autofree char *command = NULL, *input = NULL;
    const char *shell = import_crontab_get(r, "SHELL");

    if (r->anacron) /* "%" is nothing special to it */
        command = g_strdup(text);
    else
        input = import_crontab_split(text, &command);
    import_write_comment(out, line);
    g_string_append_printf(out, "[Task]\nDescription=%s, line %u\n\n[Service]\nExecStart=%s -c ",
        r->source->path, r->line, *shell == '/' ? shell : "/bin/sh");
    import_write_word(out, command);
    g_string_append_c(out, '\n');
    crontab_write_place(r, user, out);
    if (input)
        import_write_input(out, input);
}

/* What is written goes to the journal; said once for each MAILTO. */
void import_crontab_tell_mail(ImportCrontab *r, const char *user)
{
    bool named = r->mail;
    const char *to = named ? r->mail : user;
    g_autofree char *shown = words_show(to);

    if (r->mail_told || !*to)
        return;
    r->mail_told = true;
    import_lost(r->im, r->source->path, named ? r->mail_line : r->line,
        _("tschedctl logs TASK shows it, tschedctl list-runs --result=exit-code what failed"),
        _("what commands write is not mailed to %s: it is in the journal"), shown);
}

/* --- entries --- */

typedef struct CrontabEntry {
    ImportFields fields;
    bool boot;
    char *expression, *user, *text; /* owned */
} CrontabEntry;

static void crontab_entry_clear(CrontabEntry *e)
{
    g_free(e->expression);
    g_free(e->user);
    g_free(e->text);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CrontabEntry, crontab_entry_clear)

static bool crontab_refuse(ImportCrontab *r, const char *remedy, const char *message)
{
    import_lost(r->im, r->source->path, r->line, remedy, "%s", message);
    import_refuse(r->im, r->source->path, r->line);
    return false;
}

static bool crontab_take_fields(ImportCrontab *r, const char *line, CrontabEntry *e, const char **ret_rest)
{
    g_autofree char *message = NULL;
    int k = import_fields_read(line, &e->fields, ret_rest, &message);

    e->boot = k == -ENOENT;
    if (k < 0 && !e->boot)
        return crontab_refuse(r, WHOLE_FILE, message);
    e->expression = g_strchomp(g_strndup(line, (size_t)(*ret_rest - line)));
    *ret_rest = crontab_skip(*ret_rest);
    return true;
}

static bool crontab_take_user(ImportCrontab *r, CrontabEntry *e, const char **p)
{
    size_t length = strcspn(*p, " \t");

    e->user = g_strndup(*p, length);
    *p = crontab_skip(*p + length);
    if (!*e->user)
        return crontab_refuse(r, WHOLE_FILE, _("the user is missing"));
    return true;
}

static bool crontab_check_user(ImportCrontab *r, const CrontabEntry *e)
{
    if (!r->im->user || g_str_equal(e->user, r->im->user))
        return true;
    return crontab_refuse(r, _("import it without --user, as root"),
        _("it runs as another user, which the instance of a user cannot do"));
}

static bool crontab_take_entry(ImportCrontab *r, const char *line, bool system, CrontabEntry *e)
{
    const char *p;
    const Zone *zone;

    if (!crontab_take_fields(r, line, e, &p))
        return false;
    if (system && !crontab_take_user(r, e, &p))
        return false;
    if (!system)
        e->user = g_strdup(r->source->owner);
    if (!crontab_check_user(r, e))
        return false;
    if (!*p)
        return crontab_refuse(r, WHOLE_FILE, _("the command is missing"));
    if (r->zone && zone_find(r->zone, &zone) < 0)
        return crontab_refuse(
            r, _("correct CRON_TZ"), _("this system has no such time zone as CRON_TZ names"));
    e->text = g_strdup(p);
    return true;
}

static void crontab_write_schedule(ImportCrontab *r, const CrontabEntry *e, ImportTask *t, GString *out)
{
    bool every_hour = (e->fields.hours & 0xffffff) == 0xffffff;

    g_string_append_printf(out, "\n[Schedule cron]\nCron=%s\n", e->expression);
    if (e->boot) {
        import_crontab_write_delay(r, out);
        return; /* that is no time, and nothing is compared */
    }
    if (r->zone)
        g_string_append_printf(out, "TimeZone=%s\n", r->zone);
    g_string_append(out, "CatchUp=none\n"); /* as cron does, which makes up for nothing */
    import_crontab_write_delay(r, out);
    /* cron lets these follow the clock, and makes up for the others where it jumps. */
    if (e->fields.wildcard && !every_hour)
        g_string_append(out, "DST=skip both\n");
    t->times.rule = IMPORT_RULE_FIELDS;
    t->times.fields = e->fields;
    if (r->zone)
        (void)zone_find(r->zone, &t->times.zone);
}

static void crontab_add(ImportCrontab *r, const char *line, const char *prefix, const CrontabEntry *e)
{
    g_autofree char *wish = import_crontab_name(r, prefix, e->text);
    ImportTask *t = import_add(r->im, r->source->path, r->line, wish);
    GString *out = g_string_new(NULL);

    import_crontab_tell_mail(r, e->user);
    import_crontab_write(r, line, e->user, e->text, out);
    crontab_write_schedule(r, e, t, out);
    t->text = g_string_free(out, FALSE);
}

static void crontab_line(ImportCrontab *r, const char *line, bool system, const char *prefix)
{
    g_auto(CrontabEntry) e = { 0 };
    const char *p = crontab_skip(line);

    if (!*p || *p == '#')
        return;
    if (r->damaged)
        crontab_refuse(r, _("correct the line"), _("the line is not UTF-8 text"));
    else if (!import_crontab_variable(r, p) && crontab_take_entry(r, p, system, &e))
        crontab_add(r, line, prefix, &e);
}

void import_crontab(Import *im, const ImportSource *source, bool system)
{
    g_autofree char *base = g_path_get_basename(source->path);
    ImportCrontab r;
    const char *p = NULL;
    char *line;

    import_crontab_begin(&r, im, source, false);
    while (import_crontab_line(&r, &p, &line)) {
        crontab_line(&r, line, system, system ? base : source->owner);
        g_free(line);
    }
    import_crontab_end(&r);
}
