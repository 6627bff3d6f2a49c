/* Names of hosts become addresses, before libpq sees them. */
#include "store/address.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/helper-process.h"

#define HELPER_USEC   (10 * USEC_PER_SEC)
#define OUTPUT_MAX    65536
#define NAMES_MAX     32u
#define ADDRESSES_MAX 256u /* of all names */

typedef struct Name {
    Addresses *addresses;
    char *host, *port;
    bool path; /* of a socket: not looked up */
    GStrv found;
    HelperProcess *process;
} Name;

struct Addresses {
    AddressesFn fn;
    void *userdata;
    PQconninfoOption *options;
    GPtrArray *names; /* of Name* */
    unsigned n_waiting;
};

static void name_free(Name *n)
{
    helper_process_free(n->process);
    g_strfreev(n->found);
    g_free(n->host);
    g_free(n->port);
    g_free(n);
}

void addresses_free(Addresses *a)
{
    if (!a)
        return;
    g_ptr_array_unref(a->names);
    PQconninfoFree(a->options);
    g_free(a);
}

/* "" where it is not given. */
static const char *addresses_option(const Addresses *a, const char *keyword)
{
    for (const PQconninfoOption *o = a->options; o->keyword; o++)
        if (g_str_equal(o->keyword, keyword))
            return util_strempty(o->val);
    return "";
}

/* --- the new string --- */

static void addresses_append(GString *s, const char *keyword, const char *value)
{
    g_string_append_printf(s, "%s%s='", s->len ? " " : "", keyword);
    for (const char *c = value; *c; c++) {
        if (*c == '\'' || *c == '\\')
            g_string_append_c(s, '\\');
        g_string_append_c(s, *c);
    }
    g_string_append_c(s, '\'');
}

typedef struct Hosts {
    GString *host, *hostaddr, *port;
    unsigned n;
} Hosts;

static void hosts_add(Hosts *h, const Name *n, const char *address)
{
    const char *comma = h->n++ ? "," : "";

    g_string_append_printf(h->host, "%s%s", comma, n->host);
    g_string_append_printf(h->hostaddr, "%s%s", comma, address);
    g_string_append_printf(h->port, "%s%s", comma, n->port);
}

/* NULL where nothing was found. g_free. */
static char *addresses_format(const Addresses *a)
{
    Hosts h = { g_string_new(NULL), g_string_new(NULL), g_string_new(NULL), 0 };
    GString *all = g_string_new(NULL);

    for (guint i = 0; i < a->names->len; i++) {
        const Name *n = g_ptr_array_index(a->names, i);

        if (n->path)
            hosts_add(&h, n, "");
        for (char **address = n->found; address && *address && h.n < ADDRESSES_MAX; address++)
            if (**address)
                hosts_add(&h, n, *address);
    }
    for (const PQconninfoOption *o = a->options; o->keyword; o++)
        if (o->val && !g_str_equal(o->keyword, "host") && !g_str_equal(o->keyword, "hostaddr") &&
            !g_str_equal(o->keyword, "port"))
            addresses_append(all, o->keyword, o->val);
    addresses_append(all, "host", h.host->str);
    addresses_append(all, "hostaddr", h.hostaddr->str);
    addresses_append(all, "port", h.port->str);
    g_string_free(h.host, TRUE);
    g_string_free(h.hostaddr, TRUE);
    g_string_free(h.port, TRUE);
    return g_string_free(all, h.n == 0);
}

static void addresses_end(Addresses *a)
{
    g_autofree char *conninfo = addresses_format(a);
    g_autofree char *reason = g_strdup_printf("no address of %s is known", addresses_option(a, "host"));
    AddressesFn fn = a->fn;
    void *userdata = a->userdata;

    addresses_free(a);
    fn(conninfo ? 0 : -EHOSTUNREACH, conninfo, reason, userdata);
}

/* --- looking up --- */

static void on_address(int r, const char *output, size_t length, void *userdata)
{
    Name *n = userdata;

    n->process = NULL;
    if (r >= 0)
        n->found = g_strsplit(output, "\n", -1);
    if (--n->addresses->n_waiting == 0)
        addresses_end(n->addresses);
}

static int name_look_up(Name *n, sd_event *event)
{
    const char *const argv[] = { "taskschedd", "--helper=addresses", n->host, NULL };
    HelperProcessSpec spec = {
        .program = HELPER_PROCESS_SELF,
        .argv = argv,
        .input = -1,
        .output = -1,
        .quiet = true,
        .output_max = OUTPUT_MAX,
        .timeout_usec = HELPER_USEC,
        .fn = on_address,
        .userdata = n,
    };
    int r = helper_process_start(event, &spec, &n->process);

    n->addresses->n_waiting += r >= 0;
    return r;
}

/* As libpq has it: one port for all, or one for each; none is the usual one. False where their numbers do not fit. */
static bool addresses_read(Addresses *a)
{
    g_auto(GStrv) hosts = g_strsplit(addresses_option(a, "host"), ",", -1);
    g_auto(GStrv) ports = g_strsplit(addresses_option(a, "port"), ",", -1);
    guint n_hosts = g_strv_length(hosts), n_ports = g_strv_length(ports);

    if (n_hosts > NAMES_MAX || (n_ports > 1 && n_ports != n_hosts))
        return false;
    for (guint i = 0; i < n_hosts; i++) {
        Name *n = g_new0(Name, 1);

        n->addresses = a;
        n->host = g_strdup(hosts[i]);
        n->port = g_strdup(n_ports == 0 ? "" : ports[n_ports > 1 ? i : 0]);
        n->path = *n->host == '\0' || *n->host == '/' || *n->host == '@';
        g_ptr_array_add(a->names, n);
    }
    return true;
}

static bool addresses_has_name(const Addresses *a)
{
    for (guint i = 0; i < a->names->len; i++)
        if (!((const Name *)g_ptr_array_index(a->names, i))->path)
            return true;
    return false;
}

static int addresses_look_up(Addresses *a, sd_event *event)
{
    int r = 0;

    for (guint i = 0; i < a->names->len && r >= 0; i++) {
        Name *n = g_ptr_array_index(a->names, i);

        r = n->path ? 0 : name_look_up(n, event);
    }
    return r;
}

int addresses_start(sd_event *event, const char *conninfo, AddressesFn fn, void *userdata, Addresses **ret)
{
    Addresses *a;
    int r;

    a = g_new0(Addresses, 1);
    a->fn = fn;
    a->userdata = userdata;
    a->names = g_ptr_array_new_with_free_func((GDestroyNotify)name_free);
    a->options = PQconninfoParse(util_strempty(conninfo), NULL);
    /* What is wrong with it libpq says itself, when it gets it. */
    if (!a->options || *addresses_option(a, "hostaddr") || !addresses_read(a) || !addresses_has_name(a)) {
        addresses_free(a);
        return 0;
    }
    r = addresses_look_up(a, event);
    if (r < 0) {
        addresses_free(a);
        return r;
    }
    *ret = a;
    return 1;
}
