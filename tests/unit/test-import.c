/* What other schedulers write, read and written again as tasks, and the proof that both mean the same times. */
#include <string.h>

#include "ctl/import-crontab.h"
#include "ctl/import-fields.h"
#include "ctl/import-write.h"
#include "model/command.h"
#include "model/timespec.h"

#define NOW UINT64_C(1774000000000000) /* 2026-03-20 09:46:40 UTC */

static ImportTask *task_at(const Import *im, guint i)
{
    g_assert_cmpuint(i, <, im->tasks->len);
    return g_ptr_array_index(im->tasks, i);
}

static void assert_has(const ImportTask *t, const char *line)
{
    g_autofree char *whole = g_strdup_printf("\n%s\n", line);

    g_assert_nonnull(t->text);
    if (!strstr(t->text, whole))
        g_error("\"%s\" is missing in:\n%s", line, t->text);
}

static void assert_note(const Import *im, unsigned line, bool lost, const char *part)
{
    for (guint i = 0; i < im->notes->len; i++) {
        const ImportNote *n = g_ptr_array_index(im->notes, i);

        if (n->line == line && n->lost == lost && strstr(n->message, part))
            return;
    }
    g_error("no note of line %u says \"%s\"", line, part);
}

static Task *parse(const ImportTask *t)
{
    g_autoptr(GPtrArray) diags = diag_list_new();
    TaskSource source = { .path = t->name, .text = t->text, .length = strlen(t->text) };
    Task *task;

    if (task_parse(t->name, &source, 1, diags, &task) < 0)
        g_error("%s", diag_list_to_text(diags));
    return task;
}

/* The command as it would be started, its n-th word. */
static char *argument(const ImportTask *t, guint n)
{
    g_autoptr(Task) task = parse(t);
    g_autoptr(GPtrArray) argv = NULL;
    g_autofree char *path = NULL;

    g_assert_cmpint(command_expand(task, NULL, &path, &argv, NULL), >=, 0);
    g_assert_cmpuint(n + 1, <, argv->len);
    return g_strdup(g_ptr_array_index(argv, n));
}

static Import *crontab(const char *text, bool system)
{
    Import *im = import_new(NULL);
    ImportSource source = { .path = "/etc/cron.d/x", .text = text, .length = strlen(text), .owner = "alice" };

    import_crontab(im, &source, system);
    import_check(im);
    return im;
}

/* --- crontabs --- */

static void test_assignment(void)
{
    static const struct {
        const char *line, *name, *value;
    } cases[] = {
        { "A=b", "A", "b" },
        { "  A  =  b c  ", "A", "b c" },
        { "A=", "A", "" },
        { "A=\" b \"", "A", " b " },
        { "'A'='b\"c'  ", "A", "b\"c" },
        { "A=\"b", NULL, NULL },
        { "A='b' c", NULL, NULL },
        { "=b", NULL, NULL },
        { "* * * * * A=b", NULL, NULL },
        { "@daily A=b", NULL, NULL },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *name = NULL, *value = NULL;

        g_assert_cmpint(import_crontab_assignment(c->line, &name, &value), ==, c->name != NULL);
        g_assert_cmpstr(name, ==, c->name);
        g_assert_cmpstr(value, ==, c->value);
    }
}

static void test_split(void)
{
    static const struct {
        const char *text, *command, *input;
    } cases[] = {
        { "a b", "a b", NULL },
        { "date +\\%F", "date +%F", NULL },
        { "cat%", "cat", NULL },
        { "cat%a%b", "cat", "a\nb\n" },
        { "cat%a%", "cat", "a\n" },
        { "cat%%", "cat", "\n" },
        { "cat%a\\%b\\c", "cat", "a%b\\c\n" },
        { "a\\\\%b", "a\\\\", "b\n" },
        { "a\\n", "a\\n", NULL },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *command = NULL, *input = import_crontab_split(c->text, &command);

        g_assert_cmpstr(command, ==, c->command);
        g_assert_cmpstr(input, ==, c->input);
    }
}

static void test_input(void)
{
    static const struct {
        const char *text, *written;
    } cases[] = {
        { "a\n", "StandardInputText=a\n" },
        { " a \nb\n", "StandardInputText=\\x20a\\x20\nStandardInputText=b\n" },
        { "a\n\n\nb\n", "StandardInputText=a\\n\\n\nStandardInputText=b\n" },
        { "\n", "StandardInputData=Cg==\n" },
        { "\n\n", "StandardInputText=\\n\n" },
        { "\na\\\t\x01\n", "StandardInputText=\\na\\\\\\t\\x01\n" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autoptr(GString) out = g_string_new(NULL);
        g_autofree char *whole = g_strconcat("StandardInput=data\n", c->written, NULL);

        import_write_input(out, c->text);
        g_assert_cmpstr(out->str, ==, whole);
    }
}

static void test_system(void)
{
    g_autoptr(Import) im = crontab("# comment\n"
                                   "MAILTO=ops\n"
                                   "PATH=/opt/bin\n"
                                   "30 2 * * 1-5 root echo \"it's $A\" 'x'\n"
                                   "\n"
                                   "@daily bob /usr/bin/check%in\n"
                                   "@reboot root x\n"
                                   "0 */2 * * * root x\n"
                                   "0 0 30 2 * root x\n"
                                   "MAILTO=\"\"\n"
                                   "* * * * *\n"
                                   "* * * * * root\n",
        true);
    g_autofree char *command = argument(task_at(im, 0), 2);

    g_assert_cmpuint(im->tasks->len, ==, 7);
    g_assert_cmpstr(command, ==, "echo \"it's $A\" 'x'");
    assert_has(task_at(im, 0), "User=root");
    assert_has(task_at(im, 0), "WorkingDirectory=~");
    assert_has(task_at(im, 0), "Environment=\"PATH=/opt/bin\"");
    assert_has(task_at(im, 0), "Environment=\"SHELL=/bin/sh\"");
    assert_has(task_at(im, 0), "Cron=30 2 * * 1-5");
    assert_has(task_at(im, 0), "CatchUp=none");
    assert_has(task_at(im, 1), "User=bob");
    assert_has(task_at(im, 1), "Cron=@daily");
    assert_has(task_at(im, 1), "StandardInputText=in");
    assert_has(task_at(im, 2), "[Schedule cron]\nCron=@reboot");
    g_assert_null(strstr(task_at(im, 2)->text, "CatchUp"));
    assert_has(task_at(im, 3), "DST=skip both");
    assert_note(im, 2, true, "ops");
    g_assert_null(task_at(im, 4)->name);
    assert_note(im, 9, true, "never elapses");
    assert_note(im, 11, true, "user is missing");
    assert_note(im, 12, true, "command is missing");
    g_assert_cmpuint(im->notes->len, ==, 4);
}

static void test_user(void)
{
    g_autoptr(Import) im = crontab("SHELL=/bin/bash\nHOME=/srv\nCRON_TZ=Europe/Berlin\nRANDOM_DELAY=5\n"
                                   "*/5 * * * * cd /tmp && /usr/bin/a b\n"
                                   "1 1 * * * /usr/bin/a c\n"
                                   "x\xff\n"
                                   "61 * * * * z\n"
                                   "CRON_TZ=No/Where\n"
                                   "1 1 * * * z\n"
                                   "2 2 * * * last",
        false);

    g_assert_cmpuint(im->tasks->len, ==, 6);
    g_assert_cmpstr(task_at(im, 0)->name, ==, "alice-a");
    g_assert_cmpstr(task_at(im, 1)->name, ==, "alice-a-2");
    assert_has(task_at(im, 0), "User=alice");
    assert_has(task_at(im, 0), "ExecStart=/bin/bash -c 'cd /tmp && /usr/bin/a b'");
    assert_has(task_at(im, 0), "WorkingDirectory=/srv");
    assert_has(task_at(im, 0), "TimeZone=Europe/Berlin");
    assert_note(im, 3, false, "CRON_TZ");
    assert_note(im, 4, false, "RANDOM_DELAY");
    assert_has(task_at(im, 0), "Jitter=5min");
    assert_has(task_at(im, 0), "FixedJitter=yes");
    assert_note(im, 5, true, "alice");
    assert_note(im, 7, true, "UTF-8");
    assert_note(im, 8, true, "'61'");
    assert_note(im, 10, true, "time zone");
    assert_note(im, 11, false, "line break");
}

/* The instance of a user runs nothing as somebody else. */
static void test_user_instance(void)
{
    static const char text[] = "1 1 * * * alice x\n1 1 * * * root y\n";
    g_autoptr(Import) im = import_new("alice");
    ImportSource source = { .path = "x", .text = text, .length = strlen(text) };

    import_crontab(im, &source, true);
    g_assert_null(strstr(task_at(im, 0)->text, "User="));
    g_assert_null(task_at(im, 1)->name);
}

/* --- times --- */

static char *times(const char *fields, const char *zone_name, const char *from, const char *until)
{
    GString *s = g_string_new(NULL);
    g_autoptr(GArray) found = NULL;
    g_autofree char *message = NULL;
    const Zone *zone;
    const char *rest;
    ImportFields f;
    uint64_t a, b;

    g_assert_cmpint(import_fields_read(fields, &f, &rest, &message), ==, 0);
    g_assert_cmpint(zone_find(zone_name, &zone), ==, 0);
    g_assert_cmpint(timespec_parse_absolute(from, &a), ==, 0);
    g_assert_cmpint(timespec_parse_absolute(until, &b), ==, 0);
    found = import_fields_times(&f, zone, a, b);
    for (guint i = 0; i < found->len; i++) {
        g_autofree char *text = timespec_format_instant(g_array_index(found, uint64_t, i));

        g_string_append_printf(s, "%s%.16s", i > 0 ? " " : "", text);
    }
    return g_string_free(s, FALSE);
}

/* As the manual of Debian's cron has it: jobs at fixed times run once, those with a star by the clock. */
static void test_clock_changes(void)
{
    static const struct {
        const char *fields, *from, *until, *times;
    } cases[] = {
        { "30 2 * * *", "2026-03-28 12:00 UTC", "2026-03-30 12:00 UTC", "2026-03-29T01:00 2026-03-30T00:30" },
        { "30 * * * *", "2026-03-28 23:50 UTC", "2026-03-29 02:50 UTC",
            "2026-03-29T00:30 2026-03-29T01:30 2026-03-29T02:30" },
        { "30 */2 * * *", "2026-03-28 22:50 UTC", "2026-03-29 02:50 UTC",
            "2026-03-28T23:30 2026-03-29T02:30" },
        { "30 2 * * *", "2026-10-24 12:00 UTC", "2026-10-26 12:00 UTC", "2026-10-25T00:30 2026-10-26T01:30" },
        { "30 */2 * * *", "2026-10-24 23:00 UTC", "2026-10-25 03:00 UTC",
            "2026-10-25T00:30 2026-10-25T01:30" },
        { "0 3 * * *", "2026-03-28 12:00 UTC", "2026-03-29 12:00 UTC", "2026-03-29T01:00" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *found = times(c->fields, "Europe/Berlin", c->from, c->until);

        g_assert_cmpstr(found, ==, c->times);
    }
}

static void test_fields(void)
{
    static const char *const refused[] = { "", "* * * *", "* * * * foo", "60 * * * *", "5/15 * * * *",
        "* * 1,5/2 * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-3 * * * *", "*/0 * * * *",
        "1,,2 * * * *", "L * * * *", "* * L * *", "* * * * fri-sun", "1-2-3 * * * *", "@never",
        "* * * * monday" };
    g_autofree char *either = times("0 0 13 * 5", "UTC", "2026-01-31 12:00 UTC", "2026-02-14 12:00 UTC");
    g_autofree char *both = times("0 0 */13 * 5", "UTC", "2026-01-31 12:00 UTC", "2026-04-30 12:00 UTC");
    g_autofree char *named = times("0 0 * feb sun", "UTC", "2026-01-31 12:00 UTC", "2026-02-09 12:00 UTC");

    ARRAY_FOREACH (text, refused) {
        g_autofree char *message = NULL;
        const char *rest;
        ImportFields f;

        g_assert_cmpint(import_fields_read(*text, &f, &rest, &message), ==, -EINVAL);
        g_assert_nonnull(message);
    }
    g_assert_cmpstr(either, ==, "2026-02-06T00:00 2026-02-13T00:00");
    g_assert_cmpstr(both, ==, "2026-02-27T00:00 2026-03-27T00:00");
    g_assert_cmpstr(named, ==, "2026-02-01T00:00 2026-02-08T00:00");
}

static void test_proof(void)
{
    g_autoptr(Import) im =
        crontab("CRON_TZ=Europe/Berlin\n15 2 * * * x\n0 */3 * * * x\n0 0-23 * * * x\n", false);
    g_autofree char *shifted = NULL;
    g_auto(GStrv) pieces = NULL;
    ImportTask *t;

    for (guint i = 0; i < 3; i++)
        import_prove(task_at(im, i), NOW, NULL);
    t = task_at(im, 0);
    g_assert_true(t->proof.done && t->proof.same);
    g_assert_cmpuint(t->proof.n, ==, 365);
    g_assert_true(task_at(im, 1)->proof.same);
    /* cron does not run it again in the hour that comes twice. */
    g_assert_true(task_at(im, 2)->proof.done && !task_at(im, 2)->proof.same);
    pieces = g_strsplit(t->text, "Cron=15", 2);
    shifted = g_strjoinv("Cron=16", pieces);
    g_free(t->text);
    t->text = g_steal_pointer(&shifted);
    import_prove(t, NOW, NULL);
    g_assert_true(t->proof.done && !t->proof.same);
    g_assert_cmpuint(t->proof.ours - t->proof.theirs, ==, 60 * USEC_PER_SEC);
}

/* --- anacron and at --- */

static void test_anacron(void)
{
    static const char text[] =
        "START_HOURS_RANGE=9-22\nRANDOM_DELAY=45\n1 5 cron.daily run-parts --report /etc/cron.daily\n"
        "7 10 w w \\\nmore 100%\n@monthly 15 m m\n3 0 three t\n30 5 x x\n31 5 y y\n"
        "x 1 a b\n1 x a b\n1 1 a\n";
    g_autoptr(Import) im = import_new(NULL);
    ImportSource source = { .path = "/etc/anacrontab", .text = text, .length = strlen(text) };

    import_anacrontab(im, &source);
    import_check(im);
    g_assert_cmpuint(im->tasks->len, ==, 9);
    g_assert_cmpstr(task_at(im, 0)->name, ==, "cron.daily");
    assert_has(task_at(im, 0), "OnCalendar=*-*-* 09:05");
    assert_has(task_at(im, 0), "Jitter=45min");
    assert_has(task_at(im, 0), "CatchUp=last");
    assert_has(task_at(im, 1), "OnCalendar=Mon *-*-* 09:10");
    assert_has(task_at(im, 1), "ExecStart=/bin/sh -c 'w  more 100%'");
    g_assert_cmpuint(task_at(im, 1)->line, ==, 4);
    g_assert_null(strstr(task_at(im, 0)->text, "PATH="));
    assert_has(task_at(im, 2), "OnCalendar=*-*-01 09:15");
    assert_has(task_at(im, 3), "Every=3d");
    /* So many days are no month. */
    assert_has(task_at(im, 4), "Every=30d");
    assert_has(task_at(im, 5), "Every=31d");
    for (guint i = 0; i < 6; i++) {
        import_prove(task_at(im, i), NOW, NULL);
        g_assert_true(task_at(im, i)->proof.same);
        g_assert_cmpuint(task_at(im, i)->proof.n, >=, 11);
    }
    for (guint i = 6; i < 9; i++)
        g_assert_null(task_at(im, i)->name);
    assert_note(im, 10, true, "number of days");
    assert_note(im, 11, true, "delay");
    assert_note(im, 12, true, "command");
}

static Import *at(const char *path, const char *text)
{
    Import *im = import_new(NULL);
    ImportSource source = { .path = path, .text = text, .length = strlen(text) };

    import_at(im, &source);
    import_check(im);
    return im;
}

static void test_at(void)
{
    static const char script[] =
        "#!/bin/sh\n# atrun uid=1000 gid=1001\n# mail alice 0\numask 22\n\necho 'a $B'\n";
    static const struct {
        const char *path, *text;
    } refused[] = {
        { "atjobs/=0000101c3d2a0", script },
        { "atjobs/.SEQ", script },
        { "atjobs/a0000101c3d2a0", "echo\n" },
        { "atjobs/a0000101c3d2a0", "#!/bin/sh\n# atrun uid=1 gid=1\n# mail a\xff 0\n" },
    };
    g_autoptr(Import) im = at("/var/spool/cron/atjobs/b0002a01c3d2a0", script);
    ImportTask *t = task_at(im, 0);
    g_autofree char *instant = timespec_format_instant(UINT64_C(0x01c3d2a0) * 60 * USEC_PER_SEC);
    g_autofree char *line = g_strconcat("At=", instant, NULL);

    g_assert_cmpstr(t->name, ==, "at-42");
    assert_has(t, "User=1000");
    assert_has(t, "Group=1001");
    assert_has(t, "Nice=4");
    assert_has(t, "StandardInputText=umask 22\\n");
    assert_has(t, "StandardInputText=echo 'a $B'");
    assert_has(t, line);
    assert_has(t, "CatchUpWindow=infinity");
    assert_note(im, 0, true, "alice");
    assert_note(im, 0, true, "load");
    import_prove(t, NOW, NULL);
    g_assert_true(t->proof.done && t->proof.same && t->private);
    ARRAY_FOREACH (c, refused) {
        g_autoptr(Import) other = at(c->path, c->text);

        g_assert_null(task_at(other, 0)->name);
        g_assert_cmpuint(other->notes->len, ==, 1);
    }
}

/* --- timers --- */

static GPtrArray *sources(const char *path, const char *text)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free);

    g_ptr_array_add(list, task_source_new(path, text, strlen(text)));
    return list;
}

static Import *timer(const char *name, const char *timer_text, const char *service_text)
{
    g_autoptr(GPtrArray) timer_sources = sources("t.timer", timer_text);
    g_autoptr(GPtrArray) service_sources = service_text ? sources("t.service", service_text) : NULL;
    Import *im = import_new(NULL);

    import_timer(im, name, timer_sources, service_sources);
    import_check(im);
    return im;
}

static void test_timer(void)
{
    g_autoptr(Import) im = timer("t.timer",
        "[Unit]\nDescription=When\n[Timer]\nOnCalendar=weekly\nOnCalendar=\nOnCalendar=daily\nOnCalendar=Mon 12:00\n"
        "RandomizedDelaySec=5min\nPersistent=true\nAccuracySec=1h\nWakeSystem=yes\n[Install]\nWantedBy=timers.target\n",
        "[Unit]\nDescription=What %p is\nConditionACPower=true\nAfter=network.target\n[Service]\nType=oneshot\n"
        "ExecStart=/usr/bin/a 100%% \"b c\" $$x\nUser=man\nTimeoutStartSec=5min\nEnvironment=A=%t\nRestart=on-failure\n"
        "Slice=a.slice\nCPUQuota=20%\nBindPaths=%h/x\n");
    ImportTask *t = task_at(im, 0);
    g_autofree char *first = argument(t, 1), *second = argument(t, 2), *third = argument(t, 3);

    g_assert_cmpstr(t->name, ==, "t");
    g_assert_cmpstr(first, ==, "100%");
    g_assert_cmpstr(second, ==, "b c");
    g_assert_cmpstr(third, ==, "$x");
    assert_has(t, "Description=What t is");
    assert_has(t, "Timeout=5min");
    assert_has(t, "User=man");
    assert_has(t, "Environment=A=/run");
    assert_has(t, "CPUQuota=20%");
    assert_has(t, "OnCalendar=daily");
    assert_has(t, "OnCalendar=Mon 12:00");
    g_assert_null(strstr(t->text, "OnCalendar=weekly"));
    g_assert_cmpuint(t->times.events->len, ==, 2);
    assert_has(t, "Jitter=5min");
    g_assert_null(strstr(t->text, "FixedJitter"));
    assert_has(t, "CatchUp=last");
    assert_has(t, "CatchUpWindow=infinity");
    assert_note(im, 11, true, "woken");
    assert_note(im, 3, true, "ConditionACPower");
    assert_note(im, 4, true, "network.target");
    assert_note(im, 11, true, "Restart");
    assert_note(im, 12, true, "Slice");
    assert_note(im, 14, true, "BindPaths");
}

/* What a shell has to put together. */
static void test_timer_commands(void)
{
    static const struct {
        const char *service, *script;
    } cases[] = {
        { "ExecStart=/a $OPTS ${X}y 'q \"' $$z\n", "exec /a $OPTS \"${X}y\" \"q \\\"\" \"\\$z\"" },
        { "ExecStart=/a 1\nExecStart=-/b *\n", "/a 1 && { /b \"*\" || :; }" },
        { "ExecStartPre=/p\nExecStart=/a\nExecStartPost=/z\n", "/p && /a && exec /z" },
        { "ExecCondition=/c\nExecStart=/a\n", "{ /c || exit 0; } && exec /a" },
        { "ExecStart=name --x\n", "exec name --x" },
        { "ExecStart=/a $1 cost$ \"\"\n", "exec /a \"\\$1\" \"cost\\$\" \"\"" },
        { "ExecStart=/a %i\nExecStart=:/b $X\n", "/a in && exec /b \"\\$X\"" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *service = g_strconcat("[Service]\nType=oneshot\n", c->service, NULL), *script = NULL;
        g_autoptr(Import) im = timer("t@in.timer", "[Timer]\nOnCalendar=daily\n", service);

        script = argument(task_at(im, 0), 2);
        g_assert_cmpstr(script, ==, c->script);
    }
}

static void test_timer_refused(void)
{
    static const struct {
        const char *timer, *service, *part;
    } cases[] = {
        { "OnCalendar=daily\n", NULL, "not found" },
        { "OnCalendar=daily\n", "User=a\n", "no command" },
        { "OnCalendar=daily\n", "Type=forking\nExecStart=/a\n", "forking" },
        { "OnCalendar=daily\n", "ExecStart=/a %H\n", "specifier" },
        { "OnCalendar=daily\n", "ExecStart=+/a\nExecStart=/b\n", "rights" },
        { "OnCalendar=daily\n", "ExecStart=/a 'b\n", "quote" },
        { "OnCalendar=never ever\n", "ExecStart=/a\n", "OnCalendar" },
        { "OnBootSec=5min\n", "ExecStart=/a\n", "once" },
        { "OnUnitActiveSec=x\n", "ExecStart=/a\n", "span" },
        { "Persistent=yes\n", "ExecStart=/a\n", "no time" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *one = g_strconcat("[Timer]\n", c->timer, NULL);
        g_autofree char *two = c->service ? g_strconcat("[Service]\n", c->service, NULL) : NULL;
        g_autoptr(Import) im = timer("t.timer", one, two);
        bool told = false;

        g_assert_null(task_at(im, 0)->name);
        for (guint i = 0; i < im->notes->len; i++)
            told |= strstr(((ImportNote *)g_ptr_array_index(im->notes, i))->message, c->part) != NULL;
        if (!told)
            g_error("nothing says \"%s\"", c->part);
    }
}

static void test_timer_spacing(void)
{
    g_autoptr(Import) im = timer("t.timer", "[Timer]\nOnBootSec=15min\nOnUnitActiveSec=1d\nUnit=u.service\n",
        "[Service]\nExecStart=/a\nRuntimeMaxSec=1h\nKillMode=process\nTimeoutSec=10s\n");
    g_autoptr(GPtrArray) files = sources("t.timer", "[Timer]\nUnit=x\nUnit=u.service\n");
    g_autofree char *unit = import_timer_unit(files);

    g_assert_cmpstr(unit, ==, "u.service");
    assert_has(task_at(im, 0), "Every=1d");
    assert_has(task_at(im, 0), "Timeout=1h");
    assert_has(task_at(im, 0), "TimeoutStopSec=10s");
    assert_note(im, 2, true, "OnBootSec");
    assert_note(im, 3, false, "epoch");
    assert_note(im, 4, true, "KillMode");
}

static void test_timer_inactive(void)
{
    g_autoptr(Import) im = timer("t.timer", "[Timer]\nOnUnitInactiveSec=1d\n", "[Service]\nExecStart=/a\n");

    assert_has(task_at(im, 0), "Every=1d\nEveryFrom=finish");
    g_assert_cmpuint(im->notes->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", true);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/import/crontab/assignment", test_assignment);
    g_test_add_func("/import/crontab/split", test_split);
    g_test_add_func("/import/crontab/input", test_input);
    g_test_add_func("/import/crontab/system", test_system);
    g_test_add_func("/import/crontab/user", test_user);
    g_test_add_func("/import/crontab/user-instance", test_user_instance);
    g_test_add_func("/import/times/clock-changes", test_clock_changes);
    g_test_add_func("/import/times/fields", test_fields);
    g_test_add_func("/import/times/proof", test_proof);
    g_test_add_func("/import/anacron", test_anacron);
    g_test_add_func("/import/at", test_at);
    g_test_add_func("/import/timer", test_timer);
    g_test_add_func("/import/timer/commands", test_timer_commands);
    g_test_add_func("/import/timer/refused", test_timer_refused);
    g_test_add_func("/import/timer/spacing", test_timer_spacing);
    g_test_add_func("/import/timer/inactive", test_timer_inactive);
    return g_test_run();
}
