/* Tasks written as crontabs and timers: what comes of each kind of schedule, what cannot be said, and that what was imported
 * comes back as it was. */
#include <string.h>

#include "ctl/export-other.h"
#include "model/schedule.h"

#define NOW UINT64_C(1774000000000000) /* 2026-03-20 09:46:40 UTC */

static Task *parse(const char *text)
{
    g_autoptr(GPtrArray) diags = diag_list_new();
    TaskSource source = { .path = (char *)"t.task", .text = (char *)text, .length = strlen(text) };
    Task *task;

    if (task_parse("t", &source, 1, diags, &task) < 0)
        g_error("%s", diag_list_to_text(diags));
    return task;
}

/* One schedule's lines, as one text: the crontab without its variables. "" where it was refused. */
static char *crontab(const char *head, const char *schedule)
{
    g_autofree char *text = g_strdup_printf("%s\n[Schedule s]\n%s", head, schedule);
    g_autoptr(Task) task = parse(text);
    g_autoptr(Import) notes = import_new(NULL);
    ExportOther o = { .task = task, .notes = notes, .now = NOW };
    g_autoptr(GString) out = g_string_new(NULL), kept = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;

    export_crontab(&o, out);
    lines = g_strsplit(out->str, "\n", -1);
    for (char **line = lines; *line; line++)
        if (**line == '*' || **line == '@' || g_ascii_isdigit(**line))
            g_string_append_printf(kept, "%s%s", kept->len > 0 ? "|" : "", *line);
    g_assert_cmpint(kept->len == 0, ==, o.n_refused == 1);
    g_assert_true(kept->len > 0 || notes->notes->len > 0);
    return g_strdup(kept->str);
}

static void test_crontab_schedules(void)
{
    static const struct {
        const char *schedule, *line;
    } cases[] = {
        { "Cron=30 2 * * 1-5\n", "30 2 * * 1-5 root /a" }, { "Cron=@daily\n", "0 0 * * * root /a" },
        { "OnCalendar=Mon..Fri 02:30\n", "30 2 * * 1-5 root /a" },
        { "OnCalendar=*:0/15\n", "*/15 * * * * root /a" }, { "OnCalendar=monthly\n", "0 0 1 * * root /a" },
        { "Cron=0 0 13 * 5\n", "0 0 13 * 5 root /a" },
        { "Cron=1 1 * * *\nCron=2 2 * * *\n", "1 1 * * * root /a|2 2 * * * root /a" },
        { "Every=15min\n", "*/15 * * * * root /a" },
        { "Every=1h\nFrom=1970-01-01 00:20 UTC\n", "20 * * * * root /a" },
        { "Every=6h\nFrom=1970-01-01 01:05 UTC\n", "5 1-23/6 * * * root /a" },
        { "Every=1d\n", "0 0 * * * root /a" }, { "TimeZone=UTC\nCron=1 1 * * *\n", "1 1 * * * root /a" },
        { "Every=7min\n", "" }, { "Every=15min\nEveryFrom=finish\n", "" }, { "Every=30s\n", "" },
        { "Cron=@reboot\n", "@reboot root /a" }, { "Cron=@reboot\nMaxRuns=3\n", "" },
        { "At=2030-01-01 00:00 UTC\n", "" }, { "Cron=1 1 * * *\nMaxRuns=3\n", "" },
        { "Cron=0 0 L * *\n", "" }, { "Cron=30 0 0 * * *\n", "" }, { "OnCalendar=2027-01-01\n", "" },
        { "OnCalendar=Mon *-*-01\n", "" }, { "OnCalendar=Mon *-*-02..08\n", "" },
        { "TimeZone=Europe/Berlin\nCron=1 1 * * *\n", "" }, { "OnCalendar=daily Europe/Berlin\n", "" },
        { "Cron=1 1 * * *\nEnabled=no\n", "" },
        { "Cron=1 1 * * *\nCron=1 1,2 * * *\n", "" }, /* cron would run it twice */
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *line = crontab("[Service]\nExecStart=/a\nWorkingDirectory=~\n", c->schedule);

        g_assert_cmpstr(line, ==, c->line);
    }
}

static void test_crontab_commands(void)
{
    static const struct {
        const char *head, *line;
    } cases[] = {
        { "[Service]\nExecStart=/bin/sh -c 'a | b'\nUser=bob\nWorkingDirectory=~\n", "1 1 * * * bob a | b" },
        { "[Service]\nExecStart=/a 'b c' $$x 100%\n", "1 1 * * * root cd / && /a 'b c' '$x' '100\\%'" },
        { "[Service]\nExecStart=/a\nWorkingDirectory=/srv/x\n", "1 1 * * * root cd /srv/x && /a" },
        { "[Service]\nExecStart=/a\nWorkingDirectory=/srv\nEnvironment=HOME=/srv\n", "1 1 * * * root /a" },
        { "[Service]\nExecStart=/bin/sh -c a\nWorkingDirectory=~\nNice=5\n",
            "1 1 * * * root nice -n 5 /bin/sh -c a" },
        { "[Service]\nExecStart=/a\nWorkingDirectory=~\nStandardInput=data\nStandardInputText=x\\ny%\n",
            "1 1 * * * root /a%x%y\\%" },
        { "[Service]\nExecStart=/a\nWorkingDirectory=~\nStandardInput=data\nStandardInputData=Cg==\n",
            "1 1 * * * root /a%%" },
        { "[Input]\nn=integer default=3\n[Service]\nExecStart=/a ${n}\nWorkingDirectory=~\n",
            "1 1 * * * root /a 3" },
        { "[Input]\nd=datetime default=today\n[Service]\nExecStart=/a ${d}\n", "" },
        { "[Service]\nExecStart=/bin/sh -c 'a\\nb'\n", "" },
        { "[Service]\nExecStart=-/a\n", "" },
        { "[Service]\nExecStart=/a\nStandardInput=data\nStandardInputData=AAA=\n", "" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *line = crontab(c->head, "Cron=1 1 * * *\n");

        g_assert_cmpstr(line, ==, c->line);
    }
}

/* A crontab that is imported and exported again has the lines that it had. */
static void test_round_trip(void)
{
    static const char *const lines[] = {
        "30 2 * * 1-5 root echo \"it's $A\" 'x'",
        "*/5 * * * * bob cd /tmp && tar cf x.tar . >/dev/null 2>&1",
        "0 0 1 1 0 root date +\\%F",
        "1 1 * * * root cat%a%b\\%c",
        "1 1 * * * root cat%%",
        "1 1 * * * root cat%a%%",
        "0 4 1,15 * 5 root test -x /usr/bin/a || b",
    };

    ARRAY_FOREACH (line, lines) {
        g_autofree char *text = g_strconcat("A=b c\n", *line, "\n", NULL), *back = NULL;
        g_autoptr(Import) im = import_new(NULL);
        ImportSource source = { .path = "/etc/cron.d/x", .text = text, .length = strlen(text) };
        g_autoptr(GString) out = g_string_new(NULL);
        g_autoptr(Task) task = NULL;
        ExportOther o = { .notes = im, .now = NOW };

        import_crontab(im, &source, true);
        task = parse(((ImportTask *)g_ptr_array_index(im->tasks, 0))->text);
        o.task = task;
        export_crontab(&o, out);
        back = g_strdup_printf("# t/cron\nSHELL=/bin/sh\nPATH=/usr/bin:/bin\nA=\"b c\"\n%s\n", *line);
        g_assert_cmpstr(out->str, ==, back);
    }
}

/* What a task before has set is empty for one that has not. */
static void test_leaked(void)
{
    g_autoptr(GHashTable) leaked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(Task) a = parse("[Service]\nExecStart=/a\nEnvironment=X=1\n[Schedule s]\nCron=1 1 * * *\n");
    g_autoptr(Task) b = parse("[Service]\nExecStart=/b\n[Schedule s]\nCron=1 1 * * *\n");
    g_autoptr(Import) notes = import_new(NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    ExportOther o = { .task = a, .notes = notes, .now = NOW, .leaked = leaked };

    export_crontab(&o, out);
    g_string_truncate(out, 0);
    o.task = b;
    export_crontab(&o, out);
    g_assert_nonnull(strstr(out->str, "X=\"\"\n"));
}

/* --- timers --- */

/* "" where it is not written. */
static char *timer(const char *schedule, guint *ret_notes, guint *ret_other)
{
    g_autofree char *text = g_strdup_printf("[Service]\nExecStart=/a\n[Schedule s]\n%s", schedule);
    g_autoptr(Task) task = parse(text);
    g_autoptr(Import) notes = import_new(NULL);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(export_file_free);
    ExportOther o = { .task = task, .notes = notes, .now = NOW };
    g_autoptr(GString) kept = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;

    export_timer(&o, files);
    *ret_notes = notes->notes->len;
    *ret_other = o.n_other;
    g_assert_cmpuint(files->len, ==, o.n_refused == 1 ? 0 : 2);
    if (files->len == 0)
        return g_strdup("");
    lines = g_strsplit(((ExportFile *)g_ptr_array_index(files, 0))->text->str, "\n", -1);
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, "OnCalendar="))
            g_string_append_printf(kept, "%s%s", kept->len > 0 ? "|" : "", *line + strlen("OnCalendar="));
    return g_strdup(kept->str);
}

static void test_timer_schedules(void)
{
    static const struct {
        const char *schedule, *events;
        guint notes, other;
    } cases[] = {
        { "OnCalendar=Mon..Fri 02:30\n", "Mon,Tue,Wed,Thu,Fri *-*-* 02:30:00", 0, 0 },
        { "OnCalendar=*-*~01 20:00 UTC\n", "*-*~01 20:00:00 UTC", 0, 0 },
        { "OnCalendar=2027,2028-02-01\n", "2027,2028-02-01 00:00:00", 0, 0 },
        { "Cron=*/15 * * * *\n", "*-*-* *:00,15,30,45:00", 0, 0 },
        { "Cron=1 1 * * *\nCatchUp=all\n", "*-*-* 01:01:00", 1, 0 },
        { "Cron=0 0 13 * 5\n", "*-*-13 00:00:00|Fri *-*-* 00:00:00", 0, 0 },
        { "Cron=0 0 * * fri#2\n", "Fri *-*-08..14 00:00:00", 0, 0 },
        { "Cron=0 0 * * 5L\n", "Fri *-*~01..07 00:00:00", 0, 0 },
        { "Cron=0 0 L * *\n", "*-*~01 00:00:00", 0, 0 },
        { "Every=15min\n", "*-*-* *:00/15:00 UTC", 0, 0 },
        { "Every=20s\nFrom=1970-01-01 00:00:05 UTC\n", "*-*-* *:*:05/20 UTC", 0, 0 },
        { "Every=6h\nFrom=1970-01-01 01:05 UTC\n", "*-*-* 01/6:05:00 UTC", 0, 0 },
        { "Every=1d\n", "*-*-* 00:00:00 UTC", 0, 0 },
        { "Every=1h\nFrom=1970-01-01 00:05:06 UTC\n", "*-*-* *:05:06 UTC", 0, 0 },
        { "Every=1min\n", "*-*-* *:*:00 UTC", 0, 0 },
        { "At=2030-01-01 00:00 UTC\n", "2030-01-01 00:00:00.000000 UTC", 0, 0 },
        { "Cron=30 2 * * *\nTimeZone=Europe/Berlin\n", "*-*-* 02:30:00 Europe/Berlin", 1, 1 },
        { "OnCalendar=*-*-* 02:30\nTimeZone=Europe/Berlin\nDST=skip last\n", "*-*-* 02:30:00 Europe/Berlin",
            1, 1 },
        { "Cron=30 2 * * *\nTimeZone=Europe/Berlin\nDST=skip\n", "*-*-* 02:30:00 Europe/Berlin", 0, 0 },
        { "Cron=0 0 15W * *\n", "", 1, 0 },
        { "OnCalendar=*:0:0.5\n", "*-*-* *:00:00.500000", 0, 0 },
        { "OnCalendar=Mon *:*:00/0.5\n", "Mon *-*-* *:*:00/0.500000", 0, 0 },
        { "OnCalendar=12:00:01.5..3.5/0.25,10\n", "*-*-* 12:00:01.500000..03.500000/0.250000,10", 0, 0 },
        { "Every=7h\n", "", 1, 0 },
        { "Cron=1 1 * * *\nMaxRuns=3\n", "", 1, 0 },
        { "RRule=FREQ=DAILY\nFrom=2026-01-01 06:00\n", "", 1, 0 },
        { "Cron=@reboot\n", "", 1, 0 },
    };

    ARRAY_FOREACH (c, cases) {
        guint notes, other;
        g_autofree char *events = timer(c->schedule, &notes, &other);

        g_assert_cmpstr(events, ==, c->events);
        g_assert_cmpuint(notes, ==, c->notes);
        g_assert_cmpuint(other, ==, c->other);
    }
}

static void test_timer_service(void)
{
    g_autoptr(Task) task = parse(
        "[Task]\nDescription=100%n\nTimeout=5min\nRetries=3\n[Service]\n"
        "ExecStart=-/a 'b c' $$x %h 5%\nUser=bob\nCPUQuota=20%\n"
        "[Schedule a]\nCron=1 1 * * *\nCatchUp=last\nJitter=5min\nFixedJitter=yes\n[Schedule b]\nEvery=1h\n");
    g_autoptr(Import) notes = import_new(NULL);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(export_file_free);
    ExportOther o = { .task = task, .notes = notes, .now = NOW };
    const ExportFile *one, *two, *last;

    export_timer(&o, files);
    g_assert_cmpuint(files->len, ==, 4);
    one = g_ptr_array_index(files, 0);
    two = g_ptr_array_index(files, 1);
    last = g_ptr_array_index(files, 2);
    g_assert_cmpstr(one->path, ==, "t-a.timer");
    g_assert_cmpstr(one->text->str, ==,
        "[Unit]\nDescription=t/a\n\n[Timer]\nOnCalendar=*-*-* 01:01:00\nAccuracySec=1us\nPersistent=yes\nRandomizedDelaySec=300000000us\nFixedRandomDelay=yes\n\n"
        "[Install]\nWantedBy=timers.target\n");
    g_assert_cmpstr(two->path, ==, "t-a.service");
    g_assert_cmpstr(two->text->str, ==,
        "[Unit]\nDescription=100%%n\n\n[Service]\nType=exec\nExecStart=-/a 'b c' '$$x' '%%h' '5%'\nUser=bob\n"
        "CPUQuota=20%\nRuntimeMaxSec=300000000us\n");
    g_assert_null(strstr(last->text->str, "Persistent"));
    g_assert_cmpuint(notes->notes->len, ==, 1);
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", true);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/export/crontab/schedules", test_crontab_schedules);
    g_test_add_func("/export/crontab/commands", test_crontab_commands);
    g_test_add_func("/export/crontab/round-trip", test_round_trip);
    g_test_add_func("/export/crontab/leaked", test_leaked);
    g_test_add_func("/export/timer/schedules", test_timer_schedules);
    g_test_add_func("/export/timer/service", test_timer_service);
    return g_test_run();
}
