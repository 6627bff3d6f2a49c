/* What every store does not fire, whoever asks for it, and how whoever did not know of that comes to know. */
#include "contract.h"

#define f contract_fixture

static void assert_refused(uint64_t previous, uint64_t nominal)
{
    Asked a = contract_fire_bounded("refused", previous, nominal, 0);

    g_assert_cmpint(a.r, ==, 0);
    g_assert_cmpuint(a.asked.run, ==, 0);
    g_assert_cmpuint(a.asked.last, ==, previous);
    g_assert_null(a.overlaps);
}

/* Whoever does not know that a schedule or its task is paused or disabled does not fire it either. */
static void test_off(void)
{
    static const char *const schedules[] = { "a", NULL };
    uint64_t t = 1731000000 * USEC_PER_SEC;

    fixture_delete(f, "bounded");
    fixture_put(f, "bounded", "[5]", schedules);
    contract_assert_fired(contract_fire_bounded("o-1", UNSET, t, 0), true, t, 1);
    for (unsigned i = 0; i < 2; i++) {
        const char *schedule = i ? "a" : NULL;
        g_autofree char *token = g_strdup_printf("o-2-%u", i);

        g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", schedule, -1, UNSET, t + 9 }), ==, 0);
        assert_refused(t, t + 8);
        g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", schedule, 0, UNSET, UNSET }), ==, 0);
        assert_refused(t, t + 9);
        g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", schedule, 1, t, UNSET }), ==, 0);
        assert_refused(t, t + 8);
        contract_assert_fired(contract_fire_bounded(token, t, t + 9, 0), true, t + 9, i + 2);
        t += 9;
    }
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", NULL, 0, UNSET, UNSET }), ==, 0);
    fixture_put(f, "bounded", "[6]", (const char *const[]){ "a", "b", NULL });
    assert_refused(t, t + 1);
    g_assert_cmpint(fixture_delete(f, "bounded"), ==, 0);
    fixture_put(f, "bounded", "[6]", schedules);
    contract_assert_fired(contract_fire_bounded("o-3", UNSET, t + 1, 0), true, t + 1, 1);
    g_assert_cmpint(fixture_delete(f, "bounded"), ==, 0);
}

typedef struct Read {
    bool answered;
    int r;
    char text[100];
} Read;

static void on_task(int r, const StoreTask *task, const GPtrArray *schedules, void *userdata)
{
    Read *read = userdata;

    *read = (Read){ true, r, "" };
    for (guint i = 0; task && i < schedules->len; i++) {
        const StoreSchedule *s = g_ptr_array_index(schedules, i);
        g_autofree char *text = g_strdup_printf(
            "%s/%s %d %" G_GUINT64_FORMAT " %d, ", s->task, s->name, s->enabled, s->fired, task->enabled);

        g_strlcat(read->text, text, sizeof read->text);
    }
}

static Read read_task(const char *name)
{
    Read read = { 0 };

    g_assert_cmpint(store_get_task(f->store, name, on_task, &read), ==, 0);
    g_assert_false(read.answered);
    fixture_until(f, &read.answered);
    return read;
}

/* As it stands there, with its schedules. */
static void test_read(void)
{
    static const char *const schedules[] = { "a", "b", NULL };
    uint64_t t = 1740000000 * USEC_PER_SEC;

    fixture_put(f, "bounded", "[7]", schedules);
    contract_assert_fired(contract_fire_bounded("read-1", UNSET, t, 0), true, t, 1);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", "b", 0, UNSET, UNSET }), ==, 0);
    g_assert_cmpint(fixture_enable(f, &(StoreEnable){ "bounded", NULL, 0, UNSET, UNSET }), ==, 0);
    g_assert_cmpstr(read_task("bounded").text, ==, "bounded/a -1 1 0, bounded/b 0 0 0, ");
    g_assert_cmpint(fixture_delete(f, "bounded"), ==, 0);
    g_assert_cmpint(read_task("bounded").r, ==, -ENOENT);
    g_assert_cmpint(read_task("nobody").r, ==, -ENOENT);
}

void contract_add_off(void)
{
    g_test_add_func("/store/contract/off", test_off);
    g_test_add_func("/store/contract/read", test_read);
}
