/* Names of units and slices: what is written is read back, and nothing else is taken for ours. */
#include "exec/exec.h"
#include "exec/unit.h"

static void test_unit_names(void)
{
    static const struct {
        uint64_t run;
        unsigned attempt;
        const char *name;
    } cases[] = {
        { 1, 1, "tsched-run-1-1.service" },
        { 42, 7, "tsched-run-42-7.service" },
        { INT64_MAX, UINT32_MAX, "tsched-run-9223372036854775807-4294967295.service" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *name = exec_unit_name(c->run, c->attempt);
        g_autofree char *path = unit_path(name);
        uint64_t run = 0;
        unsigned attempt = 0;

        g_assert_cmpstr(name, ==, c->name);
        g_assert_true(exec_unit_parse(name, &run, &attempt));
        g_assert_cmpuint(run, ==, c->run);
        g_assert_cmpuint(attempt, ==, c->attempt);
        g_assert_true(unit_path_is_ours(path));
    }
}

static void test_foreign_names(void)
{
    static const char *const names[] = { "", "tsched-run-", "tsched-run-1.service", "tsched-run-1-.service",
        "tsched-run--1.service", "tsched-run-0-1.service", "tsched-run-1-0.service",
        "tsched-run-01-1.service", "tsched-run-1-01.service", "tsched-run-+1-1.service",
        "tsched-run- 1-1.service", "tsched-run-1-1.servic", "tsched-run-1-1.service ", "tsched-run-1-1.scope",
        "tsched-run-1-1-1.service", "tsched-run-18446744073709551616-1.service",
        "tsched-run-18446744073709551615-1.service", "tsched-run-1-4294967296.service",
        "Tsched-run-1-1.service", "x-tsched-run-1-1.service" };
    uint64_t run = 77;
    unsigned attempt = 78;

    ARRAY_FOREACH (name, names)
        if (exec_unit_parse(*name, &run, &attempt))
            g_error("%s is taken for ours", *name);
    g_assert_cmpuint(run, ==, 77);
    g_assert_cmpuint(attempt, ==, 78);
    g_assert_false(unit_path_is_ours(NULL));
    g_assert_false(unit_path_is_ours("/org/freedesktop/systemd1/unit/dbus_2eservice"));
}

static void test_slices(void)
{
    static const char *const cases[][2] = {
        { "default", "taskschedd-default.slice" },
        { "low-prio", "taskschedd-low\\x2dprio.slice" },
        { "a.b_c:d", "taskschedd-a.b_c:d.slice" },
        { ".hidden", "taskschedd-\\x2ehidden.slice" },
        { "a/b c\\", "taskschedd-a\\x2fb\\x20c\\x5c.slice" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *slice = exec_slice_name((*c)[0]);

        g_assert_cmpstr(slice, ==, (*c)[1]);
    }
}

static void test_over(void)
{
    static const struct {
        const char *active, *sub;
        bool over;
    } cases[] = {
        { "", "", false },
        { "activating", "start", false },
        { "active", "running", false },
        { "active", "exited", true },
        { "deactivating", "stop-sigterm", false },
        { "failed", "failed", true },
        { "inactive", "dead", true },
    };

    ARRAY_FOREACH (c, cases) {
        UnitState u = { .active_state = (char *)c->active, .sub_state = (char *)c->sub };

        g_assert_cmpint(unit_state_is_over(&u), ==, c->over);
    }
}

static void test_copy(void)
{
    g_autoptr(UnitState) u = unit_state_new("tsched-run-5-2.service");
    g_autoptr(UnitState) copy = unit_state_copy(u);

    g_assert_cmpuint(copy->run, ==, 5);
    g_assert_cmpuint(copy->attempt, ==, 2);
    g_assert_cmpstr(copy->unit, ==, u->unit);
    g_assert_true(copy->unit != u->unit && copy->token != u->token);
    g_assert_cmpstr(copy->result, ==, "");
    g_assert_cmpuint(copy->cpu_nsec, ==, UNSET);
    g_assert_cmpuint(copy->exited, ==, UNSET);
    g_assert_cmpuint(copy->main_pid, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exec/unit-names", test_unit_names);
    g_test_add_func("/exec/foreign-names", test_foreign_names);
    g_test_add_func("/exec/slices", test_slices);
    g_test_add_func("/exec/over", test_over);
    g_test_add_func("/exec/copy", test_copy);
    return g_test_run();
}
