/* Schedules without times of their own: what is refused of them, and which slots they have once it is known what they follow. */
#include <string.h>

#include "model/follow.h"
#include "model/schedule.h"
#include "model/slots.h"

#define SEC  USEC_PER_SEC
#define HEAD "[Service]\nExecStart=/bin/true\n[Schedule s]\n"

/* Both files at their places; NULL: it has faults, which are in *ret_faults. */
static Task *read_task(const char *keys, const char *drop_in, char **ret_faults)
{
    g_autofree char *text = g_strconcat(HEAD, keys, NULL);
    const TaskSource sources[] = {
        { (char *)"t.task", text, strlen(text), NULL },
        { (char *)"a.conf", (char *)drop_in, drop_in ? strlen(drop_in) : 0, NULL },
    };
    g_autoptr(GPtrArray) diags = diag_list_new();
    Task *t = NULL;

    (void)task_parse("t", sources, drop_in ? 2 : 1, diags, &t);
    *ret_faults = diag_list_to_text(diags);
    return t;
}

static Task *read_good(const char *keys, const char *drop_in)
{
    g_autofree char *faults = NULL;
    Task *t = read_task(keys, drop_in, &faults);

    if (!t)
        g_error("%s", faults);
    return t;
}

static void test_refused(void)
{
    static const struct {
        const char *keys, *place, *word;
    } cases[] = {
        { "Every=1h\nEveryFrom=start\n", "t.task:5:11: ", "has to be 'finish'" },
        { "EveryFrom=finish\nCron=@daily\n", "t.task:4:1: ", "Every=" },
        { "Every=1h\nEveryFrom=finish\nOnCalendar=daily\n", "t.task:5:1: ", "OnCalendar=" },
        { "Every=1h\nEveryFrom=finish\nAt=2030-01-01\n", "t.task:5:1: ", "At=" },
        { "EveryFrom=finish\n", "t.task:", "never fires" },
        { "Cron=@reboot\nCron=@daily\n", "t.task:", "does not go with other times" },
        { "Cron=@Reboot\nEvery=1h\n", "t.task:4:1: ", "Every=" },
        { "Cron=@reboots\n", "t.task:4:6: ", "" },
        { "AfterTask=a b\n", "t.task:4:13: ", "'any', 'success' or 'failure'" },
        { "AfterTask=a  success any\n", "t.task:4:14: ", "'any', 'success' or 'failure'" },
        { "AfterTask=a/b\n", "t.task:4:11: ", "no name that a task can have" },
        { "AfterTask=t failure\n", "t.task:4:11: ", "does not follow itself" },
        { "AfterTask=a\nAfterTask=b\n", "t.task:5:1: ", "" },
        { "AfterTask=a\nCron=@daily\n", "t.task:4:1: ", "Cron=" },
        { "AfterTask=a\nCron=@reboot\n", "t.task:4:1: ", "Cron=" },
        { "AfterTask=a\nEvery=1h\n", "t.task:4:1: ", "Every=" },
        { "AfterTask=a\nEvery=1h\nEveryFrom=finish\n", "t.task:4:1: ", "Every=" },
        { "AfterTask=a\nEveryFrom=finish\n", "t.task:5:1: ", "Every=, which is not set" },
        { "AfterTask=a\nAt=2030-01-01\n", "t.task:4:1: ", "At=" },
        { "AfterTask=\n", "t.task:", "never fires" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *faults = NULL;
        g_autoptr(Task) t = read_task(c->keys, NULL, &faults);

        if (t || !strstr(faults, c->place) || !strstr(faults, c->word))
            g_error("%s: %s", c->keys, faults);
    }
}

static void test_taken_back(void)
{
    g_autoptr(Task) t = read_good("Every=1h\nEveryFrom=finish\n", "[Schedule s]\nEveryFrom=\nCron=@daily\n");
    const Schedule *s = task_find_schedule(t, "s");

    g_assert_false(follow_is(s));
    g_assert_null(follow_copy(s));
    g_assert_null(follow_task(s, "t"));
    g_assert_cmpuint(schedule_next(s, 0), ==, 3600 * SEC);
}

/* Nothing is known of a definition alone; of a copy what it is told. */
static void test_finish(void)
{
    g_autoptr(Task) t = read_good("Every=1h\nEveryFrom=finish\nUntil=1970-01-01 08:00 UTC\n", NULL);
    const Schedule *s = task_find_schedule(t, "s");
    g_autoptr(Schedule) copy = follow_copy(s);
    g_autofree char *told = follow_tell(s);

    g_assert_cmpstr(follow_task(s, "t"), ==, "t");
    g_assert_cmpstr(told, ==, "1h after the end of its run");
    g_assert_cmpuint(slots_next(s, 0), ==, USEC_INFINITY);
    follow_set(copy, 100 * SEC, UNSET, false);
    g_assert_cmpuint(slots_next(copy, 0), ==, 3700 * SEC);
    follow_set(copy, 100 * SEC, 4000 * SEC + 1, false);
    g_assert_cmpuint(slots_next(copy, 4000 * SEC), ==, 7600 * SEC + 1);
    g_assert_cmpuint(slots_next(copy, 7600 * SEC + 1), ==, 11200 * SEC + 1);
    g_assert_cmpuint(slots_next(copy, 28000 * SEC), ==, USEC_INFINITY);
    follow_set(copy, 100 * SEC, 4000 * SEC, true);
    g_assert_cmpuint(slots_next(copy, 0), ==, USEC_INFINITY);
    follow_set(copy, 100 * SEC, UNSET - 5, false);
    g_assert_cmpuint(slots_next(copy, 0), ==, USEC_INFINITY);
}

/* The first slot, and none before it whatever ends. */
static void test_from(void)
{
    g_autoptr(Task) t = read_good("Every=1h\nEveryFrom=finish\nFrom=1970-01-01 10:00 UTC\n", NULL);
    g_autoptr(Schedule) copy = follow_copy(task_find_schedule(t, "s"));

    follow_set(copy, 100 * SEC, UNSET, false);
    g_assert_cmpuint(slots_next(copy, 0), ==, 36000 * SEC);
    follow_set(copy, 40000 * SEC, UNSET, false);
    g_assert_cmpuint(slots_next(copy, 0), ==, 43600 * SEC);
    follow_set(copy, 100 * SEC, 200 * SEC, false);
    g_assert_cmpuint(slots_next(copy, 0), ==, 200 * SEC + 10 * 3600 * SEC);
}

static void test_boot(void)
{
    g_autoptr(Task) t = read_good("Cron=@reboot\n", NULL),
                    back = read_good("Cron=@reboot\nCron=\nCron=@daily\n", NULL);
    const Schedule *s = task_find_schedule(t, "s");
    g_autoptr(Schedule) copy = follow_copy(s);
    g_autofree char *told = follow_tell(s);

    g_assert_false(follow_is(task_find_schedule(back, "s")));
    g_assert_cmpstr(follow_task(s, "t"), ==, FOLLOW_BOOT);
    g_assert_cmpstr(told, ==, "at the next boot");
    follow_set(copy, 100 * SEC, UNSET, false);
    g_assert_cmpuint(slots_next(copy, 0), ==, USEC_INFINITY);
    follow_set(copy, 100 * SEC, 200 * SEC, false);
    g_assert_cmpuint(slots_next(copy, 0), ==, 200 * SEC);
    g_assert_cmpuint(slots_next(copy, 200 * SEC), ==, USEC_INFINITY);
    follow_set(copy, 100 * SEC, 300 * SEC, true);
    g_assert_cmpuint(slots_next(copy, 0), ==, USEC_INFINITY);
}

static void assert_after(const char *keys, const char *drop_in, const char *after, const char *told)
{
    g_autoptr(Task) t = read_good(keys, drop_in);
    const Schedule *s = task_find_schedule(t, "s");
    g_autofree char *task = s->after ? follow_after(s) : NULL, *says = s->after ? follow_tell(s) : NULL;

    g_assert_cmpstr(s->after, ==, after);
    g_assert_cmpstr(says, ==, told);
    g_assert_cmpstr(task, ==, after ? "build" : NULL);
    g_assert_cmpstr(follow_task(s, "t"), ==, after);
}

static void test_after(void)
{
    assert_after("AfterTask=build\n", NULL, "build any", "after task build ends");
    assert_after("AfterTask=build any\n", NULL, "build any", "after task build ends");
    assert_after("AfterTask=build \t success\n", NULL, "build success", "after task build succeeds");
    assert_after("AfterTask=build failure\nMaxRuns=3\nUntil=2030-01-01\n", NULL, "build failure",
        "after task build fails");
    assert_after("AfterTask=x\n", "[Schedule s]\nAfterTask=build\n", "build any", "after task build ends");
    assert_after("AfterTask=build\n", "[Schedule s]\nAfterTask=\nCron=@daily\n", NULL, NULL);
}

/* Each end has a slot, within the schedule's bounds. */
static void test_ends(void)
{
    g_autoptr(Task) t =
        read_good("AfterTask=build\nFrom=1970-01-01 00:01:00 UTC\nUntil=1970-01-01 00:05:00 UTC\n", NULL);
    g_autoptr(Schedule) copy = follow_copy(task_find_schedule(t, "s"));

    g_assert_cmpuint(slots_next(copy, 0), ==, USEC_INFINITY);
    g_assert_cmpuint(follow_next_end(copy, UNSET), ==, UNSET);
    g_assert_cmpuint(follow_last_end(copy, UNSET), ==, UNSET);
    follow_set_ends(copy, "30000000,90000000,90000001,400000000");
    g_assert_cmpuint(follow_next_end(copy, UNSET), ==, 30 * SEC);
    g_assert_cmpuint(follow_next_end(copy, 90 * SEC), ==, 90 * SEC + 1);
    g_assert_cmpuint(follow_next_end(copy, 400 * SEC), ==, UNSET);
    g_assert_cmpuint(follow_last_end(copy, 90 * SEC), ==, 30 * SEC);
    g_assert_cmpuint(follow_last_end(copy, UNSET), ==, 400 * SEC);
    g_assert_cmpuint(slots_next(copy, 0), ==, 90 * SEC);
    g_assert_cmpuint(slots_next(copy, 90 * SEC), ==, 90 * SEC + 1);
    g_assert_cmpuint(slots_next(copy, 90 * SEC + 1), ==, USEC_INFINITY);
    follow_set_ends(copy, "");
    g_assert_cmpuint(slots_next(copy, 0), ==, USEC_INFINITY);
}

/* What ended while nobody looked is caught up; none waits for the run of another. */
static void test_late_ends(void)
{
    g_autoptr(Task) t = read_good("AfterTask=build\n", NULL),
                    none = read_good("AfterTask=build\nCatchUp=none\n", NULL);
    g_autoptr(Schedule) copy = follow_copy(task_find_schedule(t, "s")),
                        other = follow_copy(task_find_schedule(none, "s"));
    SlotFate fate;

    follow_set_ends(copy, "100000000,101000000");
    follow_set_ends(other, "100000000,101000000");
    slots_decide(copy, NULL, 100 * SEC, 0, 0, UNSET, 200 * SEC, &fate);
    g_assert_true(fate.fires && !fate.one_by_one && !slots_one_by_one(copy));
    slots_decide(other, NULL, 100 * SEC, 0, 0, UNSET, 200 * SEC, &fate);
    g_assert_false(fate.fires);
    g_assert_cmpint(fate.cause, ==, SLOT_HOST_DOWN);
    g_assert_cmpuint(fate.range.count, ==, 2);
    slots_decide(copy, NULL, 100 * SEC, UNSET, 0, UNSET, 100 * SEC, &fate);
    g_assert_cmpint(fate.cause, ==, SLOT_DISABLED);
    g_assert_cmpuint(fate.range.last, ==, 101 * SEC);
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", true);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/follow/refused", test_refused);
    g_test_add_func("/model/follow/taken-back", test_taken_back);
    g_test_add_func("/model/follow/finish", test_finish);
    g_test_add_func("/model/follow/from", test_from);
    g_test_add_func("/model/follow/boot", test_boot);
    g_test_add_func("/model/follow/after", test_after);
    g_test_add_func("/model/follow/ends", test_ends);
    g_test_add_func("/model/follow/late-ends", test_late_ends);
    return g_test_run();
}
