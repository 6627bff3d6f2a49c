/* sd_bus_open_system_remote() does the same, but knows $SYSTEMD_SSH only in later versions of systemd. */
#include "lib/remote.h"

#include <string.h>

typedef struct RemoteName {
    char *host, *port, *container; /* the last two may be NULL */
} RemoteName;

static void remote_name_clear(RemoteName *n)
{
    g_free(n->host);
    g_free(n->port);
    g_free(n->container);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RemoteName, remote_name_clear)

/* [USER@][ADDRESS]… as [USER@]ADDRESS…; *ret_rest is what follows. NULL where host has no brackets. */
static char *remote_brackets(const char *host, const char **ret_rest)
{
    const char *open = strchr(host, '['), *close = open ? strchr(open, ']') : NULL;

    if (!close || (open != host && open[-1] != '@'))
        return NULL;
    *ret_rest = close + 1;
    return g_strdup_printf("%.*s%.*s", (int)(open - host), host, (int)(close - open - 1), open + 1);
}

static bool remote_parse(const char *host, RemoteName *ret)
{
    g_auto(RemoteName) n = { 0 };
    const char *rest = NULL;
    size_t length;

    n.host = remote_brackets(host, &rest);
    if (!n.host) {
        length = strcspn(host, ":/");
        n.host = g_strndup(host, length);
        rest = host + length;
    }
    if (*rest == ':') {
        length = strspn(rest + 1, "0123456789");
        n.port = g_strndup(rest + 1, length);
        rest += 1 + length;
    }
    if (*rest == '/') {
        n.container = g_strdup(rest + 1);
        rest += strlen(rest);
    }
    if (!*n.host || n.host[0] == '-' || *rest || (n.port && !*n.port) || (n.container && !*n.container))
        return false;
    *ret = n;
    n = (RemoteName){ 0 };
    return true;
}

GPtrArray *remote_ssh(const char *host, char **ret_container)
{
    g_auto(RemoteName) n = { 0 };
    const char *program = g_getenv("SYSTEMD_SSH");
    GPtrArray *argv;

    if (!remote_parse(host, &n))
        return NULL;
    argv = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(argv, g_strdup(program && *program ? program : "ssh"));
    g_ptr_array_add(argv, g_strdup("-xT"));
    if (n.port) {
        g_ptr_array_add(argv, g_strdup("-p"));
        g_ptr_array_add(argv, g_strdup(n.port));
    }
    g_ptr_array_add(argv, g_strdup("--"));
    g_ptr_array_add(argv, g_strdup(n.host));
    *ret_container = g_steal_pointer(&n.container);
    return argv;
}

/* As the specification of D-Bus has it: all but these bytes as %XX. */
static void remote_append_escaped(GString *out, const char *text)
{
    for (; *text; text++)
        if (g_ascii_isalnum(*text) || strchr("-_/.\\*", *text))
            g_string_append_c(out, *text);
        else
            g_string_append_printf(out, "%%%02x", (unsigned char)*text);
}

char *remote_bus_address(const char *host)
{
    g_autofree char *container = NULL;
    g_autoptr(GPtrArray) argv = remote_ssh(host, &container);
    GString *out;

    if (!argv)
        return NULL;
    g_ptr_array_add(argv, g_strdup("systemd-stdio-bridge"));
    if (container)
        g_ptr_array_add(argv, g_strconcat("--machine=", container, NULL));
    out = g_string_new("unixexec:path=");
    remote_append_escaped(out, g_ptr_array_index(argv, 0));
    for (guint i = 1; i < argv->len; i++) {
        g_string_append_printf(out, ",argv%u=", i);
        remote_append_escaped(out, g_ptr_array_index(argv, i));
    }
    return g_string_free(out, FALSE);
}
