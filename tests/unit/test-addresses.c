/* Connection strings with names of hosts: what libpq is given instead, whatever the helper says of them. This program is its
 * own helper. */
#include "store/address.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct Told {
    unsigned n;
    int r;
    char *conninfo, *reason;
} Told;

static void on_told(int r, const char *conninfo, const char *reason, void *userdata)
{
    Told *t = userdata;

    t->n++;
    t->r = r;
    t->conninfo = g_strdup(conninfo);
    t->reason = g_strdup(reason);
}

static void test_names(void)
{
    static const struct {
        const char *given, *made;
    } cases[] = {
        { "host=one dbname=d", "dbname='d' host='one' hostaddr='192.0.2.1' port=''" },
        { "host=two port=5433", "host='two,two' hostaddr='192.0.2.1,2001:db8::1' port='5433,5433'" },
        { "host=one,two,none port=1,2,3 password='a\\'b'",
            "password='a\\'b' host='one,two,two' hostaddr='192.0.2.1,192.0.2.1,2001:db8::1' port='1,2,2'" },
        { "host=/run/pg,one", "host='/run/pg,one' hostaddr=',192.0.2.1' port=','" },
        { "postgresql://u@one,none/d?sslmode=require",
            "user='u' dbname='d' sslmode='require' host='one' hostaddr='192.0.2.1' port=''" },
        { "host=none", NULL },
        { "host=none,none", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        sd_event *event = NULL;
        Addresses *a = NULL;
        Told t = { 0 };

        g_assert_cmpint(sd_event_new(&event), >=, 0);
        g_assert_cmpint(addresses_start(event, cases[i].given, on_told, &t, &a), ==, 1);
        g_assert_cmpuint(t.n, ==, 0);
        while (t.n == 0)
            g_assert_cmpint(sd_event_run(event, UINT64_MAX), >=, 0);
        g_assert_cmpstr(t.conninfo, ==, cases[i].made);
        g_assert_cmpint(t.r, ==, cases[i].made ? 0 : -EHOSTUNREACH);
        g_assert_nonnull(strstr(t.reason, "is known"));
        g_free(t.conninfo);
        g_free(t.reason);
        sd_event_unref(event);
    }
}

/* What names no host, or is not understood, is libpq's. */
static void test_no_names(void)
{
    static const char *const cases[] = { "", "host=/run/pg user=u", "host=@abstract",
        "host=one hostaddr=192.0.2.1", "dbname", "host=one,two port=1,2,3", "host='unfinished" };
    Addresses *a = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(addresses_start(NULL, cases[i], on_told, NULL, &a), ==, 0);
}

/* Given up while it hangs: nobody is told. */
static void test_given_up(void)
{
    sd_event *event = NULL;
    Addresses *a = NULL;
    Told t = { 0 };

    g_assert_cmpint(sd_event_new(&event), >=, 0);
    g_assert_cmpint(addresses_start(event, "host=one,hangs", on_told, &t, &a), ==, 1);
    for (int i = 0; i < 20; i++)
        g_assert_cmpint(sd_event_run(event, 10 * USEC_PER_MSEC), >=, 0);
    addresses_free(a);
    sd_event_unref(event);
    g_assert_cmpuint(t.n, ==, 0);
}

static int help_with(const char *name)
{
    if (g_str_equal(name, "hangs"))
        pause();
    if (g_str_equal(name, "none"))
        return 1;
    puts("192.0.2.1");
    if (g_str_equal(name, "two"))
        puts("2001:db8::1");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && g_str_equal(argv[1], "--helper=addresses"))
        return help_with(argv[2]);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/addresses/names", test_names);
    g_test_add_func("/addresses/no-names", test_no_names);
    g_test_add_func("/addresses/given-up", test_given_up);
    return g_test_run();
}
