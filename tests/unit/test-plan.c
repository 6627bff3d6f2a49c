/* What a plan says of two definitions: the keys that differ, and the slots that come and go. */
#include <string.h>

#include "ctl/plan.h"

#define NOW UINT64_C(1774000000000000) /* 2026-03-20 09:46:40 UTC */
#define DAY (86400 * USEC_PER_SEC)

/* Parts of a definition, a drop-in each but the first; NULL ends them. */
static Task *parse(const char *first, const char *dropin)
{
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autofree char *text = g_strconcat("[Service]\nExecStart=/bin/true\n", first, NULL);
    TaskSource sources[] = {
        { .path = (char *)"t.task", .text = text, .length = strlen(text) },
        { .path = (char *)"t.task.d/x.conf", .text = (char *)dropin, .length = dropin ? strlen(dropin) : 0 },
    };
    Task *task;

    if (task_parse("t", sources, dropin ? 2 : 1, diags, &task) < 0)
        g_error("%s", diag_list_to_text(diags));
    return task;
}

static void append_values(GString *out, const PlanKey *k, const GPtrArray *values, char sign)
{
    for (guint i = 0; i < values->len; i++)
        g_string_append_printf(
            out, "%c[%s]%s=%s\n", sign, k->section, k->key, (const char *)g_ptr_array_index(values, i));
}

static void assert_keys(const Task *before, const Task *after, const char *want)
{
    g_autoptr(GPtrArray) keys = plan_keys(before, after);
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint i = 0; i < keys->len; i++) {
        const PlanKey *k = g_ptr_array_index(keys, i);

        append_values(out, k, k->before, '-');
        append_values(out, k, k->after, '+');
    }
    g_assert_cmpstr(out->str, ==, want);
}

static void test_keys(void)
{
    g_autoptr(Task) one =
        parse("MemoryMax=32M\nEnvironment=A=1\nEnvironment=B=2\n[Schedule]\nEvery=1h\n", NULL);
    g_autoptr(Task) same = parse(
        "# Said otherwise.\nEnvironment=A=1\nEnvironment=B=\\\n2\nMemoryMax= 32M\n[Schedule default]\nEvery=1h\n",
        NULL);
    g_autoptr(Task) other = parse("Environment=A=1\n[Task]\nRetries=3\n[Schedule]\nEvery=2h\n", NULL);

    assert_keys(one, one, "");
    /* The line that goes on has a blank between its parts. */
    assert_keys(one, same,
        "-[Service]Environment=A=1\n-[Service]Environment=B=2\n+[Service]Environment=A=1\n+[Service]Environment=B= 2\n");
    assert_keys(one, other,
        "-[Service]Environment=A=1\n-[Service]Environment=B=2\n+[Service]Environment=A=1\n"
        "+[Task]Retries=3\n-[Schedule default]Every=1h\n+[Schedule default]Every=2h\n-[Service]MemoryMax=32M\n");
    assert_keys(NULL, other,
        "+[Service]ExecStart=/bin/true\n+[Service]Environment=A=1\n+[Task]Retries=3\n+[Schedule default]Every=2h\n");
}

static void test_dropins(void)
{
    g_autoptr(Task) bare = parse("Environment=A=1\n", NULL);
    g_autoptr(Task) more = parse("Environment=A=1\n", "[Service]\nEnvironment=B=2\n");
    g_autoptr(Task) reset = parse("Environment=A=1\n", "[Service]\nEnvironment=\nEnvironment=B=2\n");

    assert_keys(
        bare, more, "-[Service]Environment=A=1\n+[Service]Environment=A=1\n+[Service]Environment=B=2\n");
    assert_keys(bare, reset, "-[Service]Environment=A=1\n+[Service]Environment=B=2\n");
}

/* "NAME +GAINED -LOST" of each schedule, from NOW on for three days. */
static char *slots(const Task *before, const Task *after, const PlanState *state)
{
    const PlanSpan span = { .after = NOW, .until = NOW + 3 * DAY, .count = 2 };
    g_autoptr(GPtrArray) keys = plan_keys(before, after);
    g_autoptr(GPtrArray) schedules = plan_schedules(before, after, keys, state, &span);
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint i = 0; i < schedules->len; i++) {
        const PlanSchedule *s = g_ptr_array_index(schedules, i);

        g_assert_cmpuint(s->until, ==, span.until);
        g_assert_cmpuint(s->gained->len, ==, MIN(s->n_gained, 2));
        g_assert_cmpuint(s->lost->len, ==, MIN(s->n_lost, 2));
        g_string_append_printf(
            out, "%s%s +%u -%u", i > 0 ? ", " : "", s->name, (unsigned)s->n_gained, (unsigned)s->n_lost);
    }
    return g_strdup(out->str);
}

static void test_slots(void)
{
    static const struct {
        const char *before, *after, *want;
    } cases[] = {
        { "[Schedule a]\nEvery=1d\n", "[Schedule a]\nEvery=1d\n", "" },
        { "[Schedule a]\nEvery=1d\n", "[Schedule a]\nEvery=12h\n", "a +3 -0" },
        { "[Schedule a]\nEvery=12h\n", "[Schedule a]\nEvery=8h\n", "a +6 -3" },
        { "[Schedule a]\nEvery=1d\n", "[Schedule a]\nEvery=1d\nJitter=1h\n", "a +0 -0" },
        { "[Schedule a]\nEvery=1d\n", "[Schedule b]\nEvery=1d\n", "b +3 -0, a +0 -3" },
        { "[Schedule a]\nEvery=1d\n", "[Schedule a]\nEvery=1d\nEnabled=no\n", "a +0 -3" },
        { "[Schedule a]\nEvery=1d\nEnabled=no\n", "[Schedule a]\nEvery=1d\n", "a +3 -0" },
        { "[Schedule a]\nOnCalendar=02:00\nTimeZone=UTC\n", "[Schedule a]\nOnCalendar=03:00\nTimeZone=UTC\n",
            "a +3 -3" },
        { "[Schedule a]\nAt=2026-03-19 12:00 UTC\n", "[Schedule a]\nAt=2026-03-20 12:00 UTC\n", "a +1 -0" },
    };
    const PlanState state = { .enabled = true };

    ARRAY_FOREACH (c, cases) {
        g_autoptr(Task) before = parse(c->before, NULL), after = parse(c->after, NULL);
        g_autofree char *got = slots(before, after, &state);

        g_assert_cmpstr(got, ==, c->want);
    }
}

/* What somebody said of a schedule, or of its task, holds on. */
static void test_disabled(void)
{
    g_autoptr(Task) before = parse("[Schedule a]\nEvery=1d\n[Schedule b]\nEvery=1d\n", NULL);
    g_autoptr(Task) after = parse("[Schedule a]\nEvery=8h\n[Schedule b]\nEvery=8h\n", NULL);
    g_autoptr(GHashTable) schedules = g_hash_table_new(g_str_hash, g_str_equal);
    PlanState state = { .enabled = true, .schedules = schedules };
    g_autofree char *one = NULL, *none = NULL, *first = NULL;

    g_hash_table_insert(schedules, (gpointer) "a", &(PlanSwitch){ .enabled = false });
    g_hash_table_insert(schedules, (gpointer) "b", &(PlanSwitch){ .enabled = true });
    one = slots(before, after, &state);
    g_assert_cmpstr(one, ==, "a +0 -0, b +6 -0");
    state.enabled = false;
    none = slots(before, after, &state);
    g_assert_cmpstr(none, ==, "a +0 -0, b +0 -0");
    first = slots(NULL, after, &(PlanState){ .enabled = true });
    g_assert_cmpstr(first, ==, "a +9 -0, b +9 -0");
}

/* What has fired counts, but for a schedule that is new; a pause is of both. */
static void test_bounded(void)
{
    g_autoptr(Task) three = parse("[Schedule a]\nEvery=12h\nMaxRuns=3\n", NULL);
    g_autoptr(Task) more_runs =
        parse("[Schedule a]\nEvery=12h\nMaxRuns=5\n[Schedule b]\nEvery=12h\nMaxRuns=1\n", NULL);
    g_autoptr(Task) unbounded = parse("[Schedule a]\nEvery=12h\n", NULL);
    g_autoptr(GHashTable) schedules = g_hash_table_new(g_str_hash, g_str_equal);
    PlanState state = { .enabled = true, .schedules = schedules };
    PlanSwitch a = { .enabled = true, .fired = 1 };
    g_autofree char *more = NULL, *all = NULL, *done = NULL, *paused = NULL, *task = NULL;

    g_hash_table_insert(schedules, (gpointer) "a", &a);
    more = slots(three, more_runs, &state);
    g_assert_cmpstr(more, ==, "a +2 -0, b +1 -0");
    all = slots(three, unbounded, &state);
    g_assert_cmpstr(all, ==, "a +4 -0");
    a.fired = 3;
    done = slots(unbounded, three, &state);
    g_assert_cmpstr(done, ==, "a +0 -6");
    a.paused_until = NOW + 2 * DAY;
    paused = slots(unbounded, three, &state);
    g_assert_cmpstr(paused, ==, "a +0 -2");
    state.paused_until = NOW + 3 * DAY + 1;
    task = slots(unbounded, three, &state);
    g_assert_cmpstr(task, ==, "a +0 -0");
}

/* Where there are very many the end comes nearer, and no slot before it is missed. */
static void test_many(void)
{
    const PlanSpan span = { .after = NOW, .until = NOW + 366 * DAY, .count = 1 };
    const PlanState state = { .enabled = true };
    g_autoptr(Task) before = parse("[Schedule a]\nEvery=1d\n", NULL);
    g_autoptr(Task) after = parse("[Schedule a]\nEvery=1s\n", NULL);
    g_autoptr(GPtrArray) keys = plan_keys(before, after);
    g_autoptr(GPtrArray) schedules = plan_schedules(before, after, keys, &state, &span);
    const PlanSchedule *s = g_ptr_array_index(schedules, 0);
    uint64_t days = (NOW + PLAN_SLOTS_MAX * USEC_PER_SEC) / DAY - NOW / DAY;

    g_assert_cmpuint(s->until, ==, NOW + (PLAN_SLOTS_MAX + 1) * USEC_PER_SEC - 1);
    g_assert_cmpuint(s->n_gained, ==, PLAN_SLOTS_MAX - days);
    g_assert_cmpuint(s->n_lost, ==, 0);
    g_assert_cmpuint(g_array_index(s->gained, uint64_t, 0), ==, NOW + USEC_PER_SEC);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/keys", test_keys);
    g_test_add_func("/plan/drop-ins", test_dropins);
    g_test_add_func("/plan/slots", test_slots);
    g_test_add_func("/plan/disabled", test_disabled);
    g_test_add_func("/plan/bounded", test_bounded);
    g_test_add_func("/plan/many", test_many);
    return g_test_run();
}
