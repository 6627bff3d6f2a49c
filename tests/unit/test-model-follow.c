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

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", true);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/follow/refused", test_refused);
    g_test_add_func("/model/follow/taken-back", test_taken_back);
    g_test_add_func("/model/follow/finish", test_finish);
    g_test_add_func("/model/follow/from", test_from);
    g_test_add_func("/model/follow/boot", test_boot);
    return g_test_run();
}
