/* anacron's table: jobs that are to run once in a number of days, whenever the host is up. */
#include <stdlib.h>
#include <string.h>

#include "ctl/import-crontab.h"
#include "lib/i18n.h"
#include "model/words.h"

#define ANACRON_HOUR   7 /* Debian starts anacron at 07:30 */
#define ANACRON_MINUTE 30
#define ANACRON_DAYS   366
#define MINUTES_OF_DAY (24 * 60)

typedef struct AnacronJob {
    unsigned days;  /* 0: once a month */
    unsigned delay; /* minutes */
    char *name;
    const char *command;
} AnacronJob;

static bool anacron_refuse(ImportCrontab *r, const char *message)
{
    import_lost(r->im, r->source->path, r->line, _("correct the line"), "%s", message);
    import_refuse(r->im, r->source->path, r->line);
    return false;
}

static bool anacron_number(const char *word, unsigned max, unsigned *ret)
{
    guint64 n;

    if (!g_ascii_string_to_unsigned(word, 10, 0, max, &n, NULL))
        return false;
    *ret = (unsigned)n;
    return true;
}

static bool anacron_period(const char *word, unsigned *ret)
{
    static const struct {
        const char *word;
        unsigned days;
    } names[] = { { "@daily", 1 }, { "@weekly", 7 }, { "@monthly", 0 } };

    ARRAY_FOREACH (n, names)
        if (g_str_equal(n->word, word)) {
            *ret = n->days;
            return true;
        }
    return anacron_number(word, ANACRON_DAYS, ret) && *ret > 0;
}

static char *anacron_word(const char **p)
{
    size_t length = strcspn(*p, " \t");
    char *word = g_strndup(*p, length);

    *p += length;
    *p += strspn(*p, " \t");
    return word;
}

static bool anacron_read(ImportCrontab *r, const char *line, AnacronJob *job)
{
    const char *p = line;
    g_autofree char *period = anacron_word(&p), *delay = anacron_word(&p);

    job->name = anacron_word(&p);
    job->command = p;
    if (!anacron_period(period, &job->days))
        return anacron_refuse(r, _("a number of days is expected first, or @daily, @weekly or @monthly"));
    if (!anacron_number(delay, MINUTES_OF_DAY - 1, &job->delay))
        return anacron_refuse(r, _("a delay in minutes is expected behind the number of days"));
    if (!*job->command)
        return anacron_refuse(r, _("the command is missing"));
    return true;
}

/* Where anacron may begin later than it usually is started, it does. */
static unsigned anacron_begin(const ImportCrontab *r)
{
    const char *range = import_crontab_get(r, "START_HOURS_RANGE");
    unsigned begin = ANACRON_HOUR * 60 + ANACRON_MINUTE, hour = 0;
    g_autofree char *first = range ? g_strndup(range, strcspn(range, "-")) : NULL;

    if (first && anacron_number(g_strstrip(first), 23, &hour) && hour > ANACRON_HOUR)
        return hour * 60;
    return begin;
}

/* Days that no calendar counts are counted from the epoch. */
static void anacron_write_schedule(const AnacronJob *job, unsigned at, GString *out)
{
    static const struct {
        unsigned days;
        const char *date;
    } dates[] = { { 1, "*-*-*" }, { 7, "Mon *-*-*" }, { 0, "*-*-01" } };

    g_string_append(out, "\n[Schedule anacron]\n");
    ARRAY_FOREACH (d, dates)
        if (d->days == job->days) {
            g_string_append_printf(out, "OnCalendar=%s %02u:%02u\n", d->date, at / 60, at % 60);
            return;
        }
    g_string_append_printf(out, "Every=%ud\nFrom=1970-01-01 %02u:%02u UTC\n", job->days, at / 60, at % 60);
}

static void anacron_add(ImportCrontab *r, const char *line, const AnacronJob *job)
{
    unsigned at = (anacron_begin(r) + job->delay) % MINUTES_OF_DAY;
    ImportTask *t = import_add(r->im, r->source->path, r->line, job->name);
    GString *out = g_string_new(NULL);

    import_crontab_tell_mail(r, "root");
    import_changed(r->im, r->source->path, r->line, _("set another time in [Schedule anacron]"), "%s",
        _("anacron runs it on the first occasion after its days have passed; the task has a fixed time"));
    import_crontab_write(r, line, "root", job->command, out);
    anacron_write_schedule(job, at, out);
    g_string_append(out, "CatchUp=last\nCatchUpWindow=infinity\n");
    import_crontab_write_delay(r, out);
    t->text = g_string_free(out, FALSE);
    t->times.rule = IMPORT_RULE_DAYS;
    t->times.days = job->days;
}

static void anacron_line(ImportCrontab *r, const char *line)
{
    const char *p = line + strspn(line, " \t");
    AnacronJob job = { 0 };

    if (!*p || *p == '#')
        return;
    if (r->damaged)
        anacron_refuse(r, _("the line is not UTF-8 text"));
    else if (!import_crontab_variable(r, p)) {
        if (r->im->user && !g_str_equal(r->im->user, "root"))
            anacron_refuse(r, _("it runs as another user, which the instance of a user cannot do"));
        else if (anacron_read(r, p, &job))
            anacron_add(r, line, &job);
        g_free(job.name);
    }
}

/* Where a line ends with a backslash, the next one goes on; the place of the first is told. */
void import_anacrontab(Import *im, const ImportSource *source)
{
    g_autoptr(GString) whole = g_string_new(NULL);
    unsigned first = 0;
    ImportCrontab r;
    const char *p = NULL;
    char *line;

    import_crontab_begin(&r, im, source, true);
    while (import_crontab_line(&r, &p, &line)) {
        unsigned last = r.line;

        first = whole->len > 0 ? first : last;
        g_string_append(whole, line);
        if (g_str_has_suffix(line, "\\") && p < source->text + source->length) {
            whole->str[whole->len - 1] = ' ';
        } else {
            r.line = first;
            anacron_line(&r, whole->str);
            r.line = last;
            g_string_truncate(whole, 0);
        }
        g_free(line);
    }
    import_crontab_end(&r);
}
