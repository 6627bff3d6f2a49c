/* Windows that leave a schedule nothing are found out, and others are not taken for such. */
#include <string.h>

#include "model/almanac.h"
#include "model/task.h"

static const struct {
    const char *name, *text;
} calendars[] = {
    { "office", "[Calendar]\nOnCalendar=Mon..Fri\nHours=08:00..18:00\n" },
    { "bureau", "[Calendar]\nOnCalendar=Mon..Fri\nHours=08:00..18:00\n" },
    { "tokyo", "[Calendar]\nInclude=office\nTimeZone=Asia/Tokyo\n" },
    { "mondays", "[Calendar]\nOnCalendar=Mon\n" },
    { "many", "[Calendar]\nInclude=office mondays\n" },
    { "most", "[Calendar]\nInclude=office\nExclude=mondays\n" },
};

static const struct {
    const char *keys;
    bool never;
} cases[] = {
    { "OnCalendar=09:00\nCalendar=office\nNotCalendar=office\n", true },
    { "OnCalendar=09:00\nCalendar=office\nNotCalendar=many\nOnExcluded=next\n", true },
    { "OnCalendar=09:00\nCalendar=most\nNotCalendar=office\n", true },
    { "OnCalendar=09:00\nCalendar=most mondays\nNotCalendar=many\n", true },
    { "OnCalendar=09:00\nCalendar=office\nNotCalendar=bureau\n", true },
    { "OnCalendar=20:00\nCalendar=many\nNotCalendar=office\n", false },
    { "OnCalendar=09:00\nCalendar=office\nNotCalendar=most\n", false },
    { "OnCalendar=20:00\nCalendar=office mondays\nNotCalendar=office\n", false },
    { "OnCalendar=16:00\nCalendar=office\nNotCalendar=tokyo\nTimeZone=UTC\n", false },
    { "OnCalendar=02:00\nCalendar=tokyo\nNotCalendar=office\nTimeZone=UTC\n", false },
};

static void test_window(void)
{
    ARRAY_FOREACH (c, cases) {
        TaskSource sources[G_N_ELEMENTS(calendars) + 1] = { 0 };
        g_autoptr(GPtrArray) diags = diag_list_new();
        g_autoptr(Task) t = NULL;
        g_autofree char *told = NULL,
                        *text = g_strconcat("[Service]\nExecStart=/a\n[Schedule s]\n", c->keys, NULL);

        sources[0] = (TaskSource){ (char *)"t.task", text, strlen(text), NULL };
        for (size_t i = 0; i < G_N_ELEMENTS(calendars); i++)
            sources[i + 1] = (TaskSource){ (char *)"calendar", (char *)calendars[i].text,
                strlen(calendars[i].text), (char *)calendars[i].name };
        (void)task_parse("t", sources, G_N_ELEMENTS(sources), diags, &t);
        told = diag_list_to_text(diags);
        if (c->never ? !strstr(told, "never elapses") : *told)
            g_error("%s: %s", c->keys, told);
    }
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", true);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/window/void", test_window);
    return g_test_run();
}
