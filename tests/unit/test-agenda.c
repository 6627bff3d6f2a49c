/* The scheduler's agenda beside a list that is looked through: whatever is put in, moved and taken out, the first is the same;
 * the late runs by which schedules wait; and since when there was no break. */
#include <stdlib.h>

#include "core/internal.h"

#define ENTRIES 500
#define STEPS   200000

static Task tasks[3] = { { .name = (char *)"a" }, { .name = (char *)"b" }, { .name = (char *)"c" } };
static TaskEntry entries[3] = { { .task = &tasks[0] }, { .task = &tasks[1] }, { .task = &tasks[2] } };
static Schedule schedules[ENTRIES];
static ScheduleEntry of[ENTRIES];
static uint64_t moments[ENTRIES]; /* UNSET: it is not in */

static void make(void)
{
    for (guint i = 0; i < ENTRIES; i++) {
        schedules[i].name = g_strdup_printf("s%u", i);
        of[i] = (ScheduleEntry){ .entry = &entries[i % G_N_ELEMENTS(entries)], .schedule = &schedules[i] };
        moments[i] = UNSET;
    }
}

static void forget(void)
{
    for (guint i = 0; i < ENTRIES; i++)
        g_free(schedules[i].name);
}

static bool before(guint i, guint j)
{
    int order = strcmp(of[i].entry->task->name, of[j].entry->task->name);

    if (moments[i] != moments[j])
        return moments[i] < moments[j];
    return (order != 0 ? order : strcmp(schedules[i].name, schedules[j].name)) < 0;
}

static void assert_first(const Agenda *a)
{
    uint64_t moment = 0;
    ScheduleEntry *first = agenda_first(a, &moment);
    guint best = ENTRIES;

    for (guint i = 0; i < ENTRIES; i++)
        if (moments[i] != UNSET && (best == ENTRIES || before(i, best)))
            best = i;
    g_assert_true(first == (best == ENTRIES ? NULL : &of[best]));
    g_assert_true(!first || moment == moments[best]);
}

/* So few moments that many come at one. */
static void test_order(void)
{
    Agenda *a = agenda_new();
    GRand *random = g_rand_new_with_seed(7);

    make();
    assert_first(a);
    for (guint n = 0; n < STEPS; n++) {
        guint i = (guint)g_rand_int_range(random, 0, ENTRIES);

        if (g_rand_int_range(random, 0, 3) > 0) {
            moments[i] = (uint64_t)g_rand_int_range(random, 0, 100);
            agenda_put(a, &of[i], moments[i]);
        } else {
            moments[i] = UNSET;
            agenda_remove(a, &of[i]);
        }
        g_assert_cmpint(of[i].place != 0, ==, moments[i] != UNSET);
        if (n % 100 == 0)
            assert_first(a);
    }
    for (uint64_t moment; agenda_first(a, &moment);) {
        ScheduleEntry *first = agenda_first(a, &moment);

        assert_first(a);
        agenda_remove(a, first);
        moments[first - of] = UNSET;
    }
    assert_first(a);
    agenda_free(a);
    agenda_free(NULL);
    g_rand_free(random);
    forget();
}

static void test_late(void)
{
    Late *l = late_new();
    g_auto(GStrv) names = NULL;

    g_assert_false(late_has(l, "a", "s"));
    for (uint64_t run = 1; run <= 3; run++)
        late_add(l, "a", "s", run);
    late_add(l, "a", "s", 3); /* said twice, it is one */
    late_add(l, "a", "other", 4);
    g_assert_true(late_has(l, "a", "s"));
    g_assert_false(late_has(l, "a", ""));
    g_assert_null(late_done(l, 1));
    g_assert_null(late_done(l, 1));
    g_assert_null(late_done(l, 2));
    for (guint i = 0; i < 2; i++) {
        g_autofree char *name = late_done(l, 3);

        g_assert_cmpstr(name, ==, i == 0 ? "a/s" : NULL);
        g_assert_false(late_has(l, "a", "s"));
    }
    names = late_clear(l);
    g_assert_cmpint(g_strv_length(names), ==, 1);
    g_assert_cmpstr(names[0], ==, "a/other");
    g_assert_false(late_has(l, "a", "other"));
    g_assert_null(late_done(l, 4));
    late_free(l);
    late_free(NULL);
}

/* The clock that is set, or a host that sleeps, is a break; time that passes is none, however much. */
static void test_awake(void)
{
    static const int64_t little = USEC_PER_SEC * 9 / 10, much = 3600 * (int64_t)USEC_PER_SEC;
    uint64_t begun = 1700000000 * USEC_PER_SEC;
    g_autoptr(Clock) clock = NULL;
    Awake awake;

    g_assert_cmpint(clock_new_fake(begun, &clock), >=, 0);
    awake_begin(&awake, clock);
    clock_fake_advance(clock, (uint64_t)much);
    g_assert_cmpuint(awake_since(&awake, clock), ==, begun);
    clock_fake_step(clock, little);
    g_assert_cmpuint(awake_since(&awake, clock), ==, begun);
    clock_fake_step(clock, -little);
    g_assert_cmpuint(awake_since(&awake, clock), ==, begun);
    clock_fake_step(clock, much);
    g_assert_cmpuint(awake_since(&awake, clock), ==, begun + 2 * (uint64_t)much);
    clock_fake_step(clock, -much);
    g_assert_cmpuint(awake_since(&awake, clock), ==, begun + (uint64_t)much);
    clock_fake_sleep(clock, 60 * USEC_PER_SEC);
    g_assert_cmpuint(awake_since(&awake, clock), ==, clock_real(clock));
    clock_fake_advance(clock, (uint64_t)much);
    awake_begin(&awake, clock);
    begun = clock_real(clock);
    clock_fake_advance(clock, (uint64_t)much);
    g_assert_cmpuint(awake_since(&awake, clock), ==, begun);
}

/* Its end is told before the answer that names it, while another is asked for as well. */
static void test_done_before(void)
{
    Late *l = late_new();

    late_ask(l);
    late_ask(l);
    g_assert_null(late_done(l, 7));
    late_answered(l);
    late_add(l, "task", "s", 7);
    g_assert_false(late_has(l, "task", "s"));
    late_answered(l);
    late_add(l, "task", "s", 9);
    g_assert_true(late_has(l, "task", "s"));
    late_free(l);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agenda/order", test_order);
    g_test_add_func("/agenda/late", test_late);
    g_test_add_func("/agenda/late-done-before", test_done_before);
    g_test_add_func("/awake", test_awake);
    return g_test_run();
}
