/* Task files: what is read, what files of one definition do to each other, and that each fault is told once,
 * at its place. */
#include <signal.h>
#include <string.h>

#include "model/command.h"
#include "model/input.h"
#include "model/schedule.h"
#include "model/task.h"

#define SEC USEC_PER_SEC
/* Half of the seconds are RRule='s, the other half Cron='s: of each minute, and of every second one in turn. */
#define SECONDS "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29"
#define HALVES  ("From=2026-01-01\nRRule=FREQ=MINUTELY;BYSECOND=" SECONDS "\nCron=30-59 * * * * *\n")
#define IN_TURN                                                                                              \
    ("From=2026-01-01\nRRule=FREQ=MINUTELY;INTERVAL=2;BYSECOND=" SECONDS "\nCron=30-59 1-59/2 * * * *\n")
#define RUN "[Service]\nExecStart=/bin/true\n"

typedef struct File {
    const char *path, *text;
} File;

static Task *read_files(const File *files, size_t n, DiagList *diags)
{
    g_autofree TaskSource *sources = g_new0(TaskSource, n);
    Task *t = NULL;
    int r;

    for (size_t i = 0; i < n; i++) {
        sources[i].path = (char *)files[i].path;
        sources[i].text = (char *)files[i].text;
        sources[i].length = strlen(files[i].text);
    }
    r = task_parse("t", sources, n, diags, &t);
    g_assert_cmpint(r, ==, t ? 0 : -EINVAL);
    g_assert_true(t || diags->len > 0);
    return t;
}

static Task *read_good(const char *base, const char *drop_in)
{
    const File files[] = { { "t.task", base }, { "t.task.d/a.conf", drop_in } };
    g_autoptr(GPtrArray) diags = diag_list_new();
    Task *t = read_files(files, drop_in ? 2 : 1, diags);

    if (!t) {
        g_autofree char *faults = diag_list_to_text(diags);

        g_error("%s", faults);
    }
    g_assert_cmpuint(diags->len, ==, 0);
    return t;
}

static char *faults_of(const char *base, const char *drop_in)
{
    const File files[] = { { "t.task", base }, { "t.task.d/a.conf", drop_in } };
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autoptr(Task) t = read_files(files, drop_in ? 2 : 1, diags);

    if (t)
        g_error("no fault in:\n%s%s", base, util_strempty(drop_in));
    return diag_list_to_text(diags);
}

/* The faults in order, each as "FILE:LINE:COLUMN: " and some word of the message. */
static void expect(const char *base, const char *drop_in, ...)
{
    g_autofree char *text = faults_of(base, drop_in);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const char *place;
    unsigned n = 0;
    va_list ap;

    va_start(ap, drop_in);
    while ((place = va_arg(ap, const char *))) {
        const char *word = va_arg(ap, const char *);

        if (!lines[n] || !g_str_has_prefix(lines[n], place) || !strstr(lines[n], word))
            g_error("fault %u is not '%s … %s':\n%s", n + 1, place, word, text);
        n++;
    }
    va_end(ap);
    if (lines[n][0])
        g_error("%u faults expected:\n%s", n, text);
}

static void test_whole(void)
{
    g_autoptr(Task) t =
        read_good("# a comment\n; another\n\n[Task]\nDescription=Nightly dump  of é \n"
                  "Queue=maintenance\nPriority = -10\nRetries=3\nRetryDelay=10s\n"
                  "RetryBackoff=exponential\nRetryDelayMax=1h\nRetryJitter=20%\n"
                  "RetryOn=lost 75\nRetryOn=SIGKILL\nNoRetryOn=timeout\nTimeout=1h\n"
                  "TimeoutWarning=5min\nTimeoutWarningSignal=SIGUSR2\n"
                  "[Input]\ndatabase=string required\nlevel=integer default=3 min=1 max=9\n"
                  "[Output]\nsize=integer\n"
                  "[Service]\nExecStart=/usr/bin/pg_dump --compress ${level} ${database}\n"
                  "User=backup\nMemoryMax=1G\nKillMode=mixed\nKillSignal=SIGINT\n"
                  "TimeoutStopSec=5\nSuccessExitStatus=1 2\nSuccessExitStatus=SIGUSR1\n"
                  "RuntimeDirectory=x\n"
                  "[Schedule nightly]\nEvery=1d\nFrom=2026-01-01 02:30 UTC\nInput.database=shop\n"
                  "[Schedule]\nAt=@20\nAt=@10\nAt=@20\nEnabled=no\nInput.database=x y\n",
            NULL);
    const TaskSetting *setting;
    const Schedule *s;

    g_assert_cmpstr(t->description, ==, "Nightly dump  of é");
    g_assert_cmpstr(t->queue, ==, "maintenance");
    g_assert_cmpint(t->priority, ==, -10);
    g_assert_cmpuint(t->retry.retries, ==, 3);
    g_assert_cmpuint(t->retry.delay_usec, ==, 10 * SEC);
    g_assert_cmpint(t->retry.backoff, ==, RETRY_EXPONENTIAL);
    g_assert_cmpuint(t->retry.delay_max_usec, ==, 3600 * SEC);
    g_assert_cmpfloat_with_epsilon(t->retry.jitter, 0.2, 1e-9);
    g_assert_cmpuint(t->retry.retry_on->len, ==, 3);
    g_assert_cmpuint(t->retry.no_retry_on->len, ==, 1);
    g_assert_cmpuint(t->timeout_usec, ==, 3600 * SEC);
    g_assert_cmpuint(t->timeout_warning_usec, ==, 300 * SEC);
    g_assert_cmpint(t->timeout_warning_signal, ==, SIGUSR2);
    g_assert_true(t->has_input && t->has_output);
    g_assert_cmpuint(t->inputs->len, ==, 2);
    g_assert_cmpuint(t->outputs->len, ==, 1);
    g_assert_cmpuint(t->command->len, ==, 4);
    g_assert_true(t->kill_mixed && t->own_runtime_directory && !t->own_runtime_preserve);
    g_assert_cmpint(t->kill_signal, ==, SIGINT);
    g_assert_cmpuint(t->stop_usec, ==, 5 * SEC);
    g_assert_cmpuint(t->success_status->len, ==, 3);
    g_assert_cmpuint(t->settings->len, ==, 8); /* all but ExecStart= */
    setting = g_ptr_array_index(t->settings, 1);
    g_assert_cmpstr(setting->key, ==, "MemoryMax");
    g_assert_cmpstr(setting->value, ==, "1G");
    g_assert_cmpstr(setting->file, ==, "t.task");
    g_assert_cmpuint(setting->line, ==, 27);
    g_assert_cmpuint(setting->column, ==, 1);
    g_assert_cmpuint(setting->value_line, ==, 27);
    g_assert_cmpuint(setting->value_column, ==, 11);
    g_assert_cmpuint(t->schedules->len, ==, 2);
    s = task_find_schedule(t, "nightly");
    g_assert_cmpuint(s->every_usec, ==, 86400 * SEC);
    g_assert_cmpuint(s->from_usec, ==, UINT64_C(1767234600) * SEC);
    g_assert_cmpstr(g_hash_table_lookup(s->inputs, "database"), ==, "shop");
    s = task_find_schedule(t, "default");
    g_assert_false(s->enabled);
    g_assert_cmpuint(s->at->len, ==, 2);
    g_assert_cmpuint(g_array_index(s->at, uint64_t, 0), ==, 10 * SEC);
    g_assert_null(task_find_schedule(t, "weekly"));
}

static void test_least(void)
{
    g_autoptr(Task) t = read_good(
        "\xef\xbb\xbf[Service]\r\nExecStart=/bin/true\r\nX-Vendor=1\r\n[X-More]\r\nany=thing", NULL);

    g_assert_cmpstr(t->queue, ==, "default");
    g_assert_cmpstr(t->description, ==, "");
    g_assert_cmpuint(t->timeout_usec, ==, USEC_INFINITY);
    g_assert_cmpuint(t->stop_usec, ==, 90 * SEC);
    g_assert_cmpint(t->timeout_warning_signal, ==, SIGUSR1);
    g_assert_cmpuint(t->settings->len, ==, 0);
    g_assert_false(t->has_input || t->has_output);
    g_assert_cmpuint(t->command->len, ==, 1);
    task_ref(t);
    task_unref(t);
}

static void test_calendars(void)
{
    g_autoptr(Task) t =
        read_good(RUN "[Schedule s]\nOnCalendar=daily\nOnCalendar=\nOnCalendar=Mon..Fri 02:30\n"
                      "OnCalendar=*-*-01 06:00 UTC\nTimeZone=Europe/Berlin\nDST=last skip\n",
            "[Schedule s]\nOnCalendar=hourly Asia/Tokyo\nTimeZone=\n");
    const Schedule *s = task_find_schedule(t, "s");
    const ScheduleCalendar *const *calendars = (const ScheduleCalendar *const *)s->calendars->pdata;

    g_assert_cmpuint(s->calendars->len, ==, 3);
    g_assert_null(s->zone);
    g_assert_null(calendars[0]->zone);
    g_assert_true(calendars[1]->zone == zone_utc());
    g_assert_cmpstr(calendars[2]->zone->name, ==, "Asia/Tokyo");
    g_assert_cmpint(s->gap, ==, CALENDAR_GAP_SKIP);
    g_assert_cmpint(s->fold, ==, CALENDAR_FOLD_LAST);
}

static void test_cron(void)
{
    g_autoptr(Task) t =
        read_good(RUN "[Schedule s]\nOnCalendar=daily\nCron=@hourly\nCron=*/5 * * * *\n"
                      "[Schedule fast]\nCron=* * * * * *\nAllowEverySecond=yes\nTimeZone=UTC\n",
            "[Schedule s]\nCron=\nCron=~ 3~5 * * mon-fri\n");
    const Schedule *s = task_find_schedule(t, "s");
    const ScheduleCalendar *const *calendars = (const ScheduleCalendar *const *)s->calendars->pdata;

    g_assert_cmpuint(s->calendars->len, ==, 2);
    g_assert_false(calendars[0]->cron);
    g_assert_true(calendars[1]->cron);
    g_assert_cmpuint(calendars[1]->calendar.weekdays, ==, 0x1f);
    g_assert_true(task_find_schedule(t, "fast")->every_second);
}

static void test_every_second(void)
{
    static const char *const schedules[] = {
        "Cron=* * * * * *\n",
        "Cron=0-59 */5 * * * *\n",
        "Cron=*/2 * * * * *\nCron=1-59/2 * * * * *\n",
        "Cron=0-29 0 12 * * 1\nCron=30-59 * * 29 2 *\nCron=0-29 * * 28-29 2 *\n",
        "OnCalendar=*:*:0/2\nCron=1-59/2 * * * * *\n",
        "OnCalendar=Mon *:*:0..29 Asia/Tokyo\nCron=30-59 5 * * * *\nTimeZone=Europe/Berlin\n",
        "Every=2s\nCron=1-59/2 * * * 2 *\n",
        "From=2026-01-01\nRRule=FREQ=SECONDLY\n",
        HALVES,
        "From=2026-01-01\nRRule=FREQ=SECONDLY;INTERVAL=2\nRRule=FREQ=SECONDLY;COUNT=61\n",
    };

    ARRAY_FOREACH (schedule, schedules) {
        g_autofree char *text = g_strconcat("[Schedule s]\n", *schedule, RUN, NULL);
        g_autofree char *allowed = g_strconcat("[Schedule s]\nAllowEverySecond=yes\n", *schedule, RUN, NULL);
        g_autoptr(Task) t = read_good(allowed, NULL);

        g_assert_true(task_find_schedule(t, "s")->every_second);
        expect(text, NULL, "t.task:", "fires every second", NULL);
    }
}

/* Each second fires, but in no minute all of them do; or it is said outright; or it is systemd's grammar alone. */
static void test_not_every_second(void)
{
    static const char *const schedules[] = {
        "Cron=0-29 */2 * * * *\nCron=30-59 1-59/2 * * * *\n",
        "Cron=0-29 * * * * mon\nCron=30-59 * * * * tue\n",
        "Cron=0-29 * * 30 4 *\nCron=30-59 * * 31 3,5 *\n",
        "Cron=*/2 * * * * *\nCron=3-59/2 * * * * *\n",
        "OnCalendar=Mon *:*:0..29 UTC\nOnCalendar=Tue *:*:30..59 UTC\n",
        "OnCalendar=*:*:0/2.5\n",
        "OnCalendar=*:*:*\n",
        "OnCalendar=*:*:0/2\nOnCalendar=*:*:1.5/2\n",
        "Every=1s\nCron=*/2 * * * * *\n",
        "Every=3s\nCron=1-59/3 * * * * *\n",
        "From=2026-01-01\nRRule=FREQ=SECONDLY;COUNT=59\n",
        "From=2026-01-01\nRRule=FREQ=SECONDLY;INTERVAL=2\nEvery=2s\n",
        IN_TURN,
    };

    ARRAY_FOREACH (schedule, schedules) {
        g_autofree char *text = g_strconcat(RUN "[Schedule s]\n", *schedule, NULL);
        g_autoptr(Task) t = read_good(text, NULL);

        g_assert_false(task_find_schedule(t, "s")->every_second);
    }
}

static void test_catch_up(void)
{
    g_autoptr(Task) t = read_good(RUN "[Schedule s]\nEvery=1h\nCatchUp=all\nCatchUpWindow=infinity\n"
                                      "[Schedule d]\nEvery=1h\n[Schedule w]\nEvery=1h\nCatchUp=last\n",
        "[Schedule w]\nCatchUp=\nCatchUpWindow=90min\n");
    const Schedule *s = task_find_schedule(t, "s"), *w = task_find_schedule(t, "w");

    g_assert_cmpint(s->catch_up, ==, CATCH_UP_ALL);
    g_assert_cmpuint(s->catch_up_window_usec, ==, USEC_INFINITY);
    g_assert_cmpint(task_find_schedule(t, "d")->catch_up, ==, CATCH_UP_DEFAULT);
    g_assert_cmpuint(task_find_schedule(t, "d")->catch_up_window_usec, ==, 0);
    g_assert_cmpint(w->catch_up, ==, CATCH_UP_DEFAULT);
    g_assert_cmpuint(w->catch_up_window_usec, ==, 5400 * USEC_PER_SEC);
}

/* How many may still fire; a number that is taken back is no limit, nor is none. */
static void test_max_runs(void)
{
    g_autoptr(Task) t = read_good(RUN "[Schedule s]\nEvery=1h\nMaxRuns=3\n"
                                      "[Schedule d]\nEvery=1h\n[Schedule w]\nEvery=1h\nMaxRuns=7\n",
        "[Schedule w]\nMaxRuns=\n[Schedule s]\nMaxRuns=2\n");
    const Schedule *s = task_find_schedule(t, "s");

    g_assert_cmpuint(schedule_runs_left(s, 0), ==, 2);
    g_assert_cmpuint(schedule_runs_left(s, 1), ==, 1);
    g_assert_cmpuint(schedule_runs_left(s, 2), ==, 0);
    g_assert_cmpuint(schedule_runs_left(s, 9), ==, 0); /* it was more, once */
    g_assert_cmpuint(schedule_runs_left(task_find_schedule(t, "d"), 9), ==, UNSET);
    g_assert_cmpuint(schedule_runs_left(task_find_schedule(t, "w"), 9), ==, UNSET);
}

static void test_recurrence(void)
{
    g_autoptr(Task) t = read_good(RUN
        "[Schedule s]\nRRule=FREQ=DAILY\nRRule=\nRRule=FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE\n"
        "RRule=rrule:freq=monthly;bymonthday=-1\nFrom=2026-01-07 09:00\nTimeZone=Europe/Berlin\n"
        "RDate=2026-02-01 10:00, 20260201T100000,20260202T090000Z\nExDate=2026-01-31\n"
        "ExDate=20260119T090000,2026-01-31 12:00\nUntil=2026-03-31\nJitter=10min\nFixedJitter=yes\n"
        "[Schedule d]\nAt=2026-07-01 00:00\nTimeZone=Asia/Tokyo\n",
        "[Schedule s]\nFrom=2026-01-08 09:00\n");
    const Schedule *s = task_find_schedule(t, "s");
    const Recurrence *weekly;

    g_assert_cmpuint(s->rules->len, ==, 2);
    weekly = g_ptr_array_index(s->rules, 0);
    g_assert_cmpint(weekly->start, ==, 1767862800); /* 09:00 as its clock shows it */
    g_assert_cmpuint(s->from_usec, ==, UINT64_C(1767859200) * SEC);
    g_assert_cmpuint(s->until_usec, ==, UINT64_C(1774994400) * SEC - 1); /* the end of that day in Berlin */
    g_assert_cmpuint(s->dates->len, ==, 2);
    g_assert_cmpuint(s->excluded->len, ==, 2);
    g_assert_true(s->jitter_fixed && s->jitter_usec == 600 * SEC);
    s = task_find_schedule(t, "d");
    g_assert_cmpuint(g_array_index(s->at, uint64_t, 0), ==, UINT64_C(1782831600) * SEC);
}

static void test_many_rules(void)
{
    g_autoptr(GString) text = g_string_new(RUN "[Schedule s]\nFrom=2026-01-01\n");

    for (unsigned i = 0; i < 65; i++)
        g_string_append(text, "RRule=FREQ=DAILY\n");
    expect(text->str, NULL, "t.task:69:1: ", "64 rules at most", NULL);
}

static void test_drop_in(void)
{
    g_autoptr(Task) t =
        read_good("[Task]\nQueue=a\nPriority=1\nRetryOn=75\n[Input]\na=string\nb=integer\nc=string\n"
                  "[Service]\nExecStart=/bin/old ${b}\nEnvironment=A=1\nKillSignal=SIGINT\n"
                  "[Schedule s]\nAt=@5\nEvery=5s\n[Schedule d]\nAt=@9\n",
            "[Task]\nQueue=b\nPriority=\nRetryOn=76\n[Input]\nb=string required\nc=\nd=json\n"
            "[Service]\nExecStart=\nExecStart=/bin/new ${d}\nEnvironment=\nEnvironment=B=2\nKillSignal=\n"
            "[Schedule s]\nAt=@6\nEvery=\nInput.b=x\n[Schedule d]\nAt=\nEvery=1h\nInput.b=y\n");
    const InputSpec *b = g_ptr_array_index(t->inputs, 1);

    g_assert_cmpstr(t->queue, ==, "b");
    g_assert_cmpint(t->priority, ==, 0);
    g_assert_cmpuint(t->retry.retry_on->len, ==, 2);
    g_assert_cmpuint(t->inputs->len, ==, 3);
    g_assert_cmpstr(b->name, ==, "b");
    g_assert_true(b->type == INPUT_STRING && b->required);
    g_assert_cmpuint(t->command->len, ==, 2);
    g_assert_cmpuint(t->settings->len, ==, 5); /* in their order, resets among them */
    g_assert_cmpint(t->kill_signal, ==, SIGTERM);
    g_assert_cmpuint(task_find_schedule(t, "s")->at->len, ==, 2);
    g_assert_cmpuint(task_find_schedule(t, "s")->every_usec, ==, 0);
    g_assert_cmpuint(task_find_schedule(t, "d")->at->len, ==, 0);
    g_assert_cmpuint(task_find_schedule(t, "d")->every_usec, ==, 3600 * SEC);
}

static void test_ten_faults(void)
{
    expect("Stray=1\n" /*  1: before any section */
           "[Task]\n"
           "Priorty=5\n"    /*  2: unknown key */
           "Timeout=soon\n" /*  3: a value of the wrong type */
           "Queue=a\n"
           "Queue=b\n" /*  4: set twice */
           "[Input]\n"
           "level=integer min=low max=high\n" /*  5, 6: two in one line */
           "[Servce]\n"                       /*  7: unknown section */
           "Anything=1\n"
           "[Service]\n"
           "ExecStart=/bin/x ${levle}\n" /*  8: no such input */
           "this is no assignment\n"     /*  9: syntax */
           "X-Mine=1\n",
        "[Schedule s]\n"
        "Every=1s\n"
        "Enabled=maybe\n",                                    /* 10: in the drop-in */
        "t.task:1:1: ", "before any section",                 /**/
        "t.task:3:1: ", "did you mean 'Priority'",            /**/
        "t.task:4:9: ", "no time span",                       /**/
        "t.task:6:1: ", "first in line 5",                    /**/
        "t.task:8:15: ", "'low' is no limit for integer",     /**/
        "t.task:8:23: ", "'high' is no limit for integer",    /**/
        "t.task:9:1: ", "did you mean 'Service'",             /**/
        "t.task:12:18: ", "levle",                            /**/
        "t.task:13:1: ", "neither a [section] nor KEY=VALUE", /**/
        "t.task.d/a.conf:3:9: ", "neither yes nor no", NULL);
}

static void test_positions(void)
{
    expect("[Task]\n  Priority =\té\n" RUN, NULL, "t.task:2:14: ", "no integer", NULL);
    expect("[Task]\nPriority=\\\n  # comment\n  x\n" RUN, NULL, "t.task:4:3: ", "no integer", NULL);
    expect("[Task]\nDescription=a \\\\\nPriority=x\n" RUN, NULL, "t.task:3:10: ", "no integer", NULL);
    expect("[Input]\né=string\n" RUN, NULL, "t.task:2:1: ", "a name is", NULL);
    expect("[Input]\na=string  min=1  patern=x\n" RUN, NULL, "t.task:2:18: ", "did you mean 'pattern'", NULL);
    expect("[Input]\na=string \\\n min=x\n" RUN, NULL, "t.task:3:2: ", "no limit", NULL);
    expect(RUN "[Schedule s]\nRDate=2026-01-01, noon\nRRule=FREQ=DAILY;BYHOUR=24\nFrom=2026-01-01\n", NULL,
        "t.task:4:19: ", "no instant", "t.task:5:25: ", "24 is no hour from 0 to 23", NULL);
}

static void test_sections(void)
{
    expect("[Task\nQueue=!\n" RUN, NULL, "t.task:1:1: ", "ends in ']'", NULL);
    expect("[]\nQueue=!\n" RUN, NULL, "t.task:1:1: ", "unknown section", NULL);
    expect("=x\n" RUN, NULL, "t.task:1:1: ", "a key is missing", NULL);
    expect("[task]\nQueue=a\n" RUN, NULL, "t.task:1:1: ", "did you mean 'Task'", NULL);
    expect(RUN "[Schedule a b]\nEvery=1s\n", NULL, "t.task:3:1: ", "no name", NULL);
    expect(RUN "[Schedule a]\nEvery=1s\n[Schedule a]\nAt=@1\n", NULL, "t.task:5:1: ", "twice in this file",
        NULL);
    expect(RUN "[Schedule a]\n", NULL, "t.task:3:1: ", "never fires", NULL);
    expect(RUN "[Schedule]\nEvery=1s\n[Schedule default]\nEvery=1s\n", NULL, "t.task:5:1: ", "twice", NULL);
}

/* Where nothing is said any number may run, and one where overlaps matter. */
static void test_task_places(void)
{
    static const struct {
        const char *keys, *overlap;
        unsigned places;
    } cases[] = {
        { "", "allow", 0 },
        { "Overlap=allow\n", "allow", 0 },
        { "MaxConcurrent=3\n", "allow", 3 },
        { "Overlap=skip\n", "skip", 1 },
        { "Overlap=queue\nMaxConcurrent=2\n", "queue", 2 },
        { "Overlap=queue-one\n", "queue-one", 1 },
        { "Overlap=cancel-old\n", "cancel-old", 1 },
        { "Overlap=skip\nOverlap=\nMaxConcurrent=5\nMaxConcurrent=\n", "allow", 0 },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *text = g_strconcat("[Task]\n", c->keys, RUN, NULL);
        g_autoptr(Task) t = read_good(text, NULL);

        g_assert_cmpstr(overlap_to_string(t->overlap), ==, c->overlap);
        g_assert_cmpint((int)overlap_from_string(c->overlap), ==, (int)t->overlap);
        g_assert_cmpuint(task_places(t), ==, c->places);
    }
    g_assert_cmpint((int)overlap_from_string("sometimes"), ==, -EINVAL);
}

/* Nothing is expected of a task that does not say so. */
static void test_task_expected(void)
{
    static const struct {
        const char *keys, *schedule, *on_missed;
        uint64_t every, within;
    } cases[] = {
        { "", "", "", 0, 0 },
        { "ExpectEvery=1d\n", "", "", 86400 * USEC_PER_SEC, 0 },
        { "ExpectEvery=1h\nExpectWithin=5min\nOnMissed=tell.it\n", "", "tell.it", 3600 * USEC_PER_SEC,
            300 * USEC_PER_SEC },
        { "ExpectWithin=90\n", "[Schedule]\nEvery=1h\n", "", 0, 90 * USEC_PER_SEC },
        { "ExpectEvery=1d\nOnMissed=x\nOnMissed=\n", "", "", 86400 * USEC_PER_SEC, 0 },
        { "ExpectWithin=5s\nExpectWithin=\n", "", "", 0, 0 },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *text = g_strconcat("[Task]\n", c->keys, RUN, c->schedule, NULL);
        g_autoptr(Task) t = read_good(text, NULL);

        g_assert_cmpuint(t->expect_every_usec, ==, c->every);
        g_assert_cmpuint(t->expect_within_usec, ==, c->within);
        g_assert_cmpstr(t->on_missed, ==, c->on_missed);
        g_assert_true(task_is_expected(t) == (c->every + c->within > 0));
    }
}

static void test_limit_values(void)
{
    static const File cases[] = {
        { "[Task]\nExpectEvery=0\n", "1s at least" },
        { "[Task]\nExpectEvery=infinity\n", "may not be infinite" },
        { "[Task]\nExpectWithin=1min\n", "neither ExpectEvery= nor a schedule" },
        { "[Task]\nOnMissed=tell\n", "without ExpectEvery=" },
        { "[Task]\nExpectEvery=1d\nOnMissed=a/b\n", "no name" },
        { "[Task]\nMaxConcurrent=0\n", "from 1 to 1000000" },
        { "[Task]\nMaxConcurrent=many\n", "no integer" },
        { "[Task]\nOverlap=yes\n", "'cancel-old'" },
        { "[Schedule s]\nEvery=1h\nStartDeadline=soon\n", "no time span" },
        { "[Schedule s]\nEvery=1h\nStartDeadline=0\n", "has to be 1s at least" },
        { "[Schedule s]\nEvery=1h\nStartDeadline=5min\nJitter=5min\n", "has to be longer than Jitter=" },
        { "[Schedule s]\nStartDeadline=5min\n", "never fires" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *text = g_strconcat(c->path, RUN, NULL);

        expect(text, NULL, "t.task:", c->text, NULL);
    }
}

static void test_values(void)
{
    static const File cases[] = {
        { "[Task]\nPriority=1001\n", "from -1000 to 1000" },
        { "[Task]\nPriority=1.5\n", "no integer" },
        { "[Task]\nRetries=-1\n", "no integer from 0" },
        { "[Task]\nRetries=99999999999999999999\n", "no integer" },
        { "[Task]\nRetryDelay=infinity\n", "infinite" },
        { "[Task]\nRetryBackoff=linear\n", "'constant' or 'exponential'" },
        { "[Task]\nRetryJitter=120%\n", "up to 100%" },
        { "[Task]\nRetryJitter=nan\n", "up to 100%" },
        { "[Task]\nRetryJitter=0.1.2\n", "up to 100%" },
        { "[Task]\nRetryOn=cancelled\n", "'cancelled'" },
        { "[Task]\nRetryOn=exit-code sucess\n", "'sucess'" },
        { "[Task]\nNoRetryOn=256\n", "'256'" },
        { "[Task]\nTimeout=0\n", "at least" },
        { "[Task]\nTimeout=600000y\n", "too long" },
        { "[Task]\nTimeoutWarning=5s\n", "no Timeout=" },
        { "[Task]\nTimeout=5s\nTimeoutWarning=5s\n", "shorter" },
        { "[Task]\nTimeoutWarningSignal=SIGNOT\n", "no signal" },
        { "[Task]\nRetryDelay=10s\nRetryDelayMax=5s\n", "RetryDelay= at least" },
        { "[Task]\nQueue=a/b\n", "no name" },
        { "[Task]\nOverlaps=skip\n", "unknown key" },
        { "[Schedule s]\nEvery=0\n", "100ms at least" },
        { "[Schedule s]\nEvery=infinity\n", "infinite" },
        { "[Schedule s]\nAt=tomorrow 06:00\n", "depends on when it is read" },
        { "[Schedule s]\nAt=noon\n", "no instant" },
        { "[Schedule s]\nAt=1969-01-01 UTC\n", "out of range" },
        { "[Schedule s]\nAt=@1\nFrom=@2\n", "never elapses" },
        { "[Schedule s]\nEvery=1h\nFrom=@2\nUntil=@1\n", "before From=" },
        { "[Schedule s]\nEvery=1h\nFrom=2026-01-01 00:01 UTC\nUntil=soon\n", "no instant" },
        { "[Schedule s]\nOnCalendar=*-06-01\nFrom=2026-07-01\nUntil=2026-12-31\n", "never elapses" },
        { "[Schedule s]\nEvery=1h\nMaxRuns=0\n", "from 1 to 1000000000" },
        { "[Schedule s]\nEvery=1h\nMaxRuns=1.5\n", "no integer" },
        { "[Schedule s]\nMaxRuns=3\n", "never fires" },
        { "[Schedule s]\nEvery=1h\nJitter=soon\n", "no time span" },
        { "[Schedule s]\nEvery=1h\nJitter=2y\n", "a year at most" },
        { "[Schedule s]\nEvery=1h\nFixedJitter=yes\n", "is for Jitter=, which is not set" },
        { "[Schedule s]\nRRule=FREQ=DAILY\n", "needs From=" },
        { "[Schedule s]\nFrom=2026-01-01\nRRule=FREQ=DAYLY\n", "'DAILY'" },
        { "[Schedule s]\nFrom=2026-01-01\nRRule=FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\n", "never elapses" },
        { "[Schedule s]\nFrom=2026-01-01\nRRule=FREQ=DAILY;UNTIL=20251231\n", "never elapses" },
        { "[Schedule s]\nFrom=2026-01-01\nRRule=FREQ=DAILY;COUNT=2\nExDate=2026-01-01, 20260102\n",
            "never elapses" },
        { "[Schedule s]\nFrom=2026-03-29 02:30\nRRule=FREQ=YEARLY;COUNT=1\nTimeZone=Europe/Berlin\nDST=skip\n",
            "never elapses" },
        { "[Schedule s]\nFrom=2026-01-01\nRRule=FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30\n", "never elapses" },
        { "[Schedule s]\nRDate=2026-01-01, tomorrow\n", "depends on when it is read" },
        { "[Schedule s]\nRDate=2026-01-01,\n", "no instant" },
        { "[Schedule s]\nRDate=20260101T0900\n", "no instant" },
        { "[Schedule s]\nOnCalendar=daily\nExDate=2026-01-01\n", "is for RRule=, RDate=, and none" },
        { "[Schedule s]\nOnCalendar=Mon..Fri 25:30\n", "hour 25 is not from 0 to 23" },
        { "[Schedule s]\nOnCalendar=*-02-30\n", "never elapses" },
        { "[Schedule s]\nOnCalendar=*:*:0/0.05\n", "more often" },
        { "[Schedule s]\nOnCalendar=2026-3-29 2:30\nTimeZone=Europe/Berlin\nDST=skip\n", "never elapses" },
        { "[Schedule s]\nOnCalendar=daily Europe/Nowhere\n", "no time zone" },
        { "[Schedule s]\nOnCalendar=daily\nTimeZone=Mars\n", "'Mars' is no time zone" },
        { "[Schedule s]\nOnCalendar=daily\nDST=first last\n", "'first', 'last' or 'both'" },
        { "[Schedule s]\nEvery=1s\nTimeZone=UTC\n", "is for OnCalendar=, Cron=, RRule=, RDate=, At=, From=" },
        { "[Schedule s]\nEvery=1s\nDST=skip\n", "is for OnCalendar=, Cron=, RRule=, RDate=, At=, and none" },
        { "[Schedule s]\nAt=2026-03-29 02:30\nTimeZone=Europe/Berlin\nDST=skip\n", "DST: never elapses" },
        { "[Schedule s]\nEvery=1h\nCatchUp=some\n", "'none', 'last' or 'all'" },
        { "[Schedule s]\nEvery=1h\nCatchUpWindow=10ms\n", "1s" },
        { "[Schedule s]\nEvery=1h\nCatchUpWindow=1h\nCatchUp=none\n", "of no use with CatchUp=none" },
        { "[Schedule s]\nCron=0 25 * * *\n", "25 is no hour" },
        { "[Schedule s]\nCron=0 0 30 2 *\n", "never elapses" },
        { "[Schedule s]\nCron=@daily\nAllowEverySecond=maybe\n", "neither yes nor no" },
        { "[Schedule s]\nEvery=1h\nAllowEverySecond=yes\n", "is for Cron=, RRule=, and none" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *text = g_strconcat(c->path, RUN, NULL);

        expect(text, NULL, "t.task:", c->text, NULL);
    }
}

static void test_schedule_inputs(void)
{
    const char *inputs = "[Input]\nn=integer required max=9\ns=string secret\n";
    g_autofree char *text =
        g_strconcat(inputs, RUN "[Schedule s]\nEvery=1s\nInput.n=10\nInput.s=x\nInput.m=1\n", NULL);
    g_autofree char *lacking = g_strconcat(inputs, RUN "[Schedule s]\nEvery=1s\n", NULL);

    expect(
        text, NULL, "t.task:8:9: ", "9 at most", "t.task:9:9: ", "a secret", "t.task:10:1: ", "no 'm'", NULL);
    expect(lacking, NULL, "t.task:6:1: ", "Input.n= is needed", NULL);
}

static void test_command_count(void)
{
    expect("[Task]\nQueue=a\n", NULL, "t.task: ", "missing", NULL);
    expect("[Task]\n[Service]\nUser=a\n", NULL, "t.task:2:1: ", "missing", NULL);
    expect(RUN "ExecStart=/bin/false\n", NULL, "t.task:3:1: ", "a second command", NULL);
    expect(RUN, "[Service]\nExecStart=/bin/false\n", "t.task.d/a.conf:2:1: ", "a second command", NULL);
    expect(RUN "ExecStart=\n", NULL, "t.task:1:1: ", "missing", NULL);
    expect("", NULL, "t.task: ", "missing", NULL);
}

static void test_specs(void)
{
    static const File cases[] = {
        { "a=strng", "did you mean 'string'" },
        { "a=string min=-1", "length in characters" },
        { "a=string min=3 max=2", "less than min" },
        { "a=string min=3 min=4", "min twice" },
        { "a=string min", "needs a value" },
        { "a=string required=yes", "takes no value" },
        { "a=string required default=x", "has no default" },
        { "a=string secret default=x", "a secret has no default" },
        { "a=boolean min=1", "no meaning for type boolean" },
        { "a=json choices=1", "no meaning for type json" },
        { "a=integer pattern=x", "no meaning for type integer" },
        { "a=file default=x", "no meaning for type file" },
        { "a=string pattern=[", "no regular expression" },
        { "a=string pattern=)(", "no regular expression" },
        { "a=integer default=x", "not an integer" },
        { "a=integer default=9223372036854775808", "is beyond" },
        { "a=integer default=10 max=9", "9 at most" },
        { "a=string choices=x,y default=z", "one of: x, y" },
        { "a=integer choices=1,x", "not an integer" },
        { "a=datetime default=month-strat", "no instant or expression" },
        { "a=duration default=5parsecs", "no time span or expression" },
        { "a=duration max=infinity", "no limit" },
        { "a=number min=nan", "no limit" },
        { "a=string default=\"x", "not closed" },
        { "a=string\na=string", "set twice" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *text = g_strconcat("[Input]\n", c->path, "\n" RUN, NULL);

        expect(text, NULL, "t.task:", c->text, NULL);
    }
    expect("[Output]\na=string secret\nb=string default=x\nc=file\n" RUN, NULL, "t.task:2:10: ", "no secret",
        "t.task:3:10: ", "no default", "t.task:4:3: ", "no file", NULL);
}

static void expect_bytes(const char *text, size_t n, const char *first, const char *second)
{
    TaskSource source = { .path = (char *)"t.task", .text = (char *)text, .length = n };
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autofree char *found = NULL, *expected = g_strconcat(first, "\n", second, second ? "\n" : NULL, NULL);
    Task *t = NULL;

    g_assert_cmpint(task_parse("t", &source, 1, diags, &t), ==, -EINVAL);
    found = diag_list_to_text(diags);
    g_assert_cmpstr(found, ==, expected);
}

#define BYTES(text) (text), sizeof(text) - 1

static void test_bytes(void)
{
    expect_bytes(
        BYTES("[Service]\nExecStart=/bin/x \0\n"), "t.task:2:18: a NUL byte, a task file is text", NULL);
    expect_bytes(BYTES("[Task]\nQueue=é\xff\xff\n" RUN), "t.task:2:8: invalid UTF-8", NULL);
    expect_bytes(BYTES("[Task]\nPriority=\xff x\0\n" RUN), "t.task:2:10: invalid UTF-8",
        "t.task:2:13: a NUL byte, a task file is text");
    expect_bytes(BYTES("# \xff\n" RUN), "t.task:1:3: invalid UTF-8", NULL);
    expect_bytes(BYTES("\0"),
        "t.task: ExecStart: missing: a [Service] section with the command to execute is needed",
        "t.task:1:1: a NUL byte, a task file is text");
}

static void test_size(void)
{
    const size_t limit = (size_t)1024 * 1024;
    g_autofree char *text = g_malloc(limit + 2);
    g_autofree char *faults = NULL;
    g_autoptr(Task) t = NULL;

    /* One line of a comment fills the rest. */
    memset(text, '#', limit + 1);
    memcpy(text, RUN, strlen(RUN));
    text[limit] = 0;
    t = read_good(text, NULL);
    text[limit] = '#';
    text[limit + 1] = 0;
    faults = faults_of(text, NULL);
    g_assert_nonnull(strstr(faults, "the file has 1048577 bytes, the limit is 1048576"));
    memcpy(text, "[Service]\nExecStart=/", 21); /* one argument as long as the file */
    memset(text + 21, 'x', limit - 21);
    text[limit] = 0;
    task_unref(g_steal_pointer(&t));
    t = read_good(text, NULL);
}

/* The number of faults kept is bounded, whatever the file. */
static void test_many_faults(void)
{
    g_autoptr(GString) s = g_string_new(RUN);
    g_autofree char *faults = NULL;
    g_auto(GStrv) lines = NULL;

    for (unsigned i = 0; i < 5000; i++)
        g_string_append(s, "nonsense\n");
    faults = faults_of(s->str, NULL);
    lines = g_strsplit(faults, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 1001);
    g_assert_nonnull(strstr(faults, "there are more faults"));
}

static void test_names(void)
{
    g_autofree char *longest = g_strnfill(64, 'a'), *longer = g_strnfill(65, 'a');

    g_assert_true(task_name_is_valid("a"));
    g_assert_true(task_name_is_valid("9a_b.c-d"));
    g_assert_true(task_name_is_valid(longest));
    g_assert_false(task_name_is_valid(longer));
    g_assert_false(task_name_is_valid(""));
    g_assert_false(task_name_is_valid(NULL));
    g_assert_false(task_name_is_valid(".a"));
    g_assert_false(task_name_is_valid("-a"));
    g_assert_false(task_name_is_valid("a/b"));
    g_assert_false(task_name_is_valid("a b"));
    g_assert_false(task_name_is_valid("é"));
}

/* Whoever asks for what is not there is shown what they asked for, and no terminal is given anything else. */
static void test_missing(void)
{
    static const struct {
        const char *name, *shown;
    } cases[] = {
        { "nightly", "\"nightly\"" },
        { "", "\"\"" },
        { "a\tb\nc", "\"a\\tb\\nc\"" },
        { "\033[2J\xe2\x80\xae\xe2\x80\xac", "\"\\x1b[2J\\u202e\\u202c\"" },
        { "n\xe4", "\"n\\xe4\"" },
        { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef+",
            "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef…\"" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *task = g_strconcat("There is no task ", cases[i].shown, NULL);
        g_autofree char *schedule = g_strconcat("Task \"t\" has no schedule ", cases[i].shown, NULL);
        g_auto(Error) a = { 0 }, b = { 0 };

        g_assert_cmpint(task_missing(&a, cases[i].name), ==, -ENOENT);
        g_assert_cmpstr(a.message, ==, task);
        g_assert_cmpint(task_schedule_missing(&b, "t", cases[i].name), ==, -ENOENT);
        g_assert_cmpstr(b.message, ==, schedule);
    }
}

static void test_sources(void)
{
    g_autoptr(Task) t = read_good(RUN, "[Task]\nDescription=\"q\" \\\\ é");
    g_autoptr(GPtrArray) sources = NULL;
    g_autofree char *json = task_sources_to_json(t), *cat = task_cat(t);
    const TaskSource *second;

    g_assert_cmpint(task_sources_from_json(json, &sources), ==, 0);
    g_assert_cmpuint(sources->len, ==, 2);
    second = g_ptr_array_index(sources, 1);
    g_assert_cmpstr(second->path, ==, "t.task.d/a.conf");
    g_assert_cmpstr(second->text, ==, "[Task]\nDescription=\"q\" \\\\ é");
    g_assert_cmpuint(second->length, ==, strlen(second->text));
    g_assert_cmpstr(cat, ==, "# t.task\n" RUN "\n# t.task.d/a.conf\n[Task]\nDescription=\"q\" \\\\ é\n");
    g_assert_cmpint(task_sources_from_json("{}", &sources), ==, -EINVAL);
    g_assert_cmpint(task_sources_from_json("[{\"Path\":\"a\"}]", &sources), ==, -EINVAL);
    g_assert_cmpint(task_sources_from_json("[{\"Path\":\"a\",\"Text\":1}]", &sources), ==, -EINVAL);
    g_assert_cmpint(task_sources_from_json("[", &sources), ==, -EINVAL);
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/task/whole", test_whole);
    g_test_add_func("/task/least", test_least);
    g_test_add_func("/task/drop-in", test_drop_in);
    g_test_add_func("/task/calendars", test_calendars);
    g_test_add_func("/task/cron", test_cron);
    g_test_add_func("/task/every-second", test_every_second);
    g_test_add_func("/task/not-every-second", test_not_every_second);
    g_test_add_func("/task/catch-up", test_catch_up);
    g_test_add_func("/task/max-runs", test_max_runs);
    g_test_add_func("/task/positions", test_positions);
    g_test_add_func("/task/recurrence", test_recurrence);
    g_test_add_func("/task/many-rules", test_many_rules);
    g_test_add_func("/task/ten-faults", test_ten_faults);
    g_test_add_func("/task/places", test_task_places);
    g_test_add_func("/task/expected", test_task_expected);
    g_test_add_func("/task/sections", test_sections);
    g_test_add_func("/task/values", test_values);
    g_test_add_func("/task/limit-values", test_limit_values);
    g_test_add_func("/task/schedule-inputs", test_schedule_inputs);
    g_test_add_func("/task/command-count", test_command_count);
    g_test_add_func("/task/specs", test_specs);
    g_test_add_func("/task/bytes", test_bytes);
    g_test_add_func("/task/size", test_size);
    g_test_add_func("/task/many-faults", test_many_faults);
    g_test_add_func("/task/names", test_names);
    g_test_add_func("/task/missing", test_missing);
    g_test_add_func("/task/sources", test_sources);
    return g_test_run();
}
