/* Jobs of at: a script each, in a file whose name says when. */
#include <string.h>

#include "base/utf8.h"
#include "ctl/import-write.h"
#include "ctl/import.h"
#include "lib/i18n.h"
#include "model/timespec.h"

#define AT_NAME 14u /* "a", five digits of the job, eight of the minute */

typedef struct AtJob {
    char queue;
    unsigned number;
    uint64_t at; /* real µs */
    unsigned uid, gid;
    char *mail;
    bool mail_always;
} AtJob;

static void at_refuse(Import *im, const char *path, const char *remedy, const char *message)
{
    import_lost(im, path, 0, remedy, "%s", message);
    import_refuse(im, path, 0);
}

static bool at_digits(const char *text, size_t n, uint64_t *ret)
{
    uint64_t number = 0;

    for (size_t i = 0; i < n; i++) {
        int digit = g_ascii_xdigit_value(text[i]);

        if (digit < 0)
            return false;
        number = number * 16 + (uint64_t)digit;
    }
    *ret = number;
    return true;
}

static bool at_read_name(const char *name, AtJob *job)
{
    uint64_t number, minutes;

    if (strlen(name) != AT_NAME || !g_ascii_isalpha(name[0]) || !at_digits(name + 1, 5, &number) ||
        !at_digits(name + 6, 8, &minutes))
        return false;
    job->queue = name[0];
    job->number = (unsigned)number;
    job->at = minutes * 60 * USEC_PER_SEC;
    return true;
}

/* "# atrun uid=1000 gid=1000" and "# mail alice 0", which at writes at the top. */
static bool at_read_head(const char *text, AtJob *job)
{
    static const char head[] = "#!/bin/sh\n# atrun uid=";
    g_auto(GStrv) words = NULL;
    const char *p = text;
    char *end;

    if (!g_str_has_prefix(p, head))
        return false;
    job->uid = (unsigned)g_ascii_strtoull(p + strlen(head), &end, 10);
    if (!g_str_has_prefix(end, " gid="))
        return false;
    job->gid = (unsigned)g_ascii_strtoull(end + strlen(" gid="), &end, 10);
    if (!g_str_has_prefix(end, "\n# mail "))
        return false;
    p = end + strlen("\n# mail ");
    words = g_strsplit_set(p, " \n", 3);
    if (!words[0] || !words[1])
        return false;
    job->mail = g_strdup(words[0]);
    job->mail_always = g_str_equal(words[1], "1");
    return true;
}

/* atd's: the later the letter, the nicer. */
static int at_nice(char queue)
{
    return MIN((g_ascii_tolower(queue) - 'a' + 1) * 2, 19);
}

static void at_write(Import *im, const ImportSource *source, const AtJob *job, ImportTask *t)
{
    GString *out = g_string_new(NULL);
    g_autofree char *instant = timespec_format_instant(job->at), *script = NULL;

    script =
        g_str_has_suffix(source->text, "\n") ? g_strdup(source->text) : g_strconcat(source->text, "\n", NULL);
    g_string_append_printf(out, "[Task]\nDescription=%s\n\n[Service]\nExecStart=/bin/sh\n", source->path);
    if (!im->user)
        g_string_append_printf(out, "User=%u\nGroup=%u\n", job->uid, job->gid);
    g_string_append_printf(out, "Nice=%d\n", at_nice(job->queue));
    import_write_input(out, script);
    g_string_append_printf(out, "\n[Schedule at]\nAt=%s\nCatchUp=all\nCatchUpWindow=infinity\n", instant);
    t->text = g_string_free(out, FALSE);
    t->private = true;
    t->times.rule = IMPORT_RULE_INSTANT;
    t->times.at = job->at;
}

static void at_tell(Import *im, const ImportSource *source, const AtJob *job)
{
    import_lost(im, source->path, 0,
        _("tschedctl logs TASK shows it, tschedctl list-runs --result=exit-code what failed"),
        job->mail_always ? _("%s is not mailed what it writes, nor that it ran: it is in the journal")
                         : _("%s is not mailed what it writes: it is in the journal"),
        job->mail);
    if (job->queue == 'b' || g_ascii_isupper(job->queue))
        import_lost(im, source->path, 0, "",
            _("batch waits until the load is low; the task begins at its time, with the same Nice="));
}

static void at_add(Import *im, const ImportSource *source, AtJob *job)
{
    g_autofree char *wish = g_strdup_printf("at-%u", job->number);

    at_tell(im, source, job);
    at_write(im, source, job, import_add(im, source->path, 0, wish));
}

void import_at(Import *im, const ImportSource *source)
{
    g_autofree char *name = g_path_get_basename(source->path);
    AtJob job = { 0 };

    if (name[0] == '=')
        at_refuse(im, source->path, "", _("the job is running"));
    else if (!at_read_name(name, &job))
        at_refuse(im, source->path, _("give the file as it lies in /var/spool/cron/atjobs"),
            _("its name is none that at gives to a job, which says when it is"));
    else if (strlen(source->text) < source->length || !utf8_is_valid(source->text))
        at_refuse(im, source->path, "", _("the script is not UTF-8 text"));
    else if (!at_read_head(source->text, &job))
        at_refuse(im, source->path, "", _("the script does not begin as at begins it"));
    else
        at_add(im, source, &job);
    g_free(job.mail);
}
