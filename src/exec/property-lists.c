/* Settings that are sets and lists: words, masks, devices, addresses. */
#include "exec/property-encode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <string.h>

#include "base/util.h"
#include "exec/property-names.h"
#include "exec/property-parse.h"

/* The highest number of a CPU or node that systemd takes, and the size its masks grow by. */
#define CPU_MAX  8191
#define CPU_STEP sizeof(unsigned long)

static GVariant *empty(const char *type)
{
    return g_variant_new_array(G_VARIANT_TYPE(type), NULL, 0);
}

static GVariant *strings(char **words)
{
    return g_variant_new_strv((const gchar *const *)words, -1);
}

/* The words of value, each as p->check wants it; NULL: refused. */
static char **read_words(const Property *p, const char *value, const char *text, PropertyOut *out)
{
    unsigned flags = PROPERTY_WORD_UNQUOTE | (p->flags & PROPERTY_UNESCAPE ? PROPERTY_WORD_UNESCAPE : 0);
    g_auto(GStrv) words = NULL;

    if (property_parse_words(text, PROPERTY_SPACE, flags, &words) < 0) {
        (void)property_out_refuse_syntax(out, p);
        return NULL;
    }
    for (char **w = words; *w; w++)
        if (p->check && !p->check(*w)) {
            (void)property_out_refuse(out, p, *w, "absolute paths");
            return NULL;
        }
    return g_steal_pointer(&words);
}

int property_lists_words(const Property *p, const char *value, PropertyOut *out)
{
    g_auto(GStrv) words = read_words(p, value, value, out);

    if (!words)
        return -EINVAL;
    property_out_add(out, p, NULL, strings(words));
    return 0;
}

int property_lists_one(const Property *p, const char *value, PropertyOut *out)
{
    const char *list[] = { value, NULL };

    if (*value && p->check && !p->check(value))
        return property_out_refuse(out, p, value, "an absolute path");
    property_out_add(out, p, NULL, g_variant_new_strv(list, *value ? 1 : 0));
    return 0;
}

int property_lists_filter(const Property *p, const char *value, PropertyOut *out)
{
    bool allow = *value != '~';
    g_auto(GStrv) words = read_words(p, value, value + !allow, out);

    if (!words)
        return -EINVAL;
    property_out_add(out, p, NULL, g_variant_new("(b@as)", allow, strings(words)));
    return 0;
}

static int find_capability(const char *word, int64_t *ret)
{
    g_autofree char *lower = g_ascii_strdown(word, -1);

    if (property_names_find(property_names_capability, lower, ret) == 0)
        return 0;
    return property_parse_i64(word, ret) == 0 && *ret >= 0 && *ret < 63 ? 0 : -EINVAL;
}

/* systemd-run drops a capability it does not know; that would grant or keep less than was written. */
int property_lists_capabilities(const Property *p, const char *value, PropertyOut *out)
{
    bool invert = *value == '~';
    uint64_t mask = 0;
    g_auto(GStrv) words = read_words(p, value, value + invert, out);

    if (!words)
        return -EINVAL;
    for (char **w = words; *w; w++) {
        int64_t bit;

        if (find_capability(*w, &bit) < 0)
            return property_out_refuse(out, p, *w, "capabilities such as CAP_NET_RAW");
        mask |= UINT64_C(1) << bit;
    }
    property_out_add(out, p, NULL, g_variant_new_uint64(invert ? ~mask : mask));
    return 0;
}

int property_lists_flags(const Property *p, const char *value, PropertyOut *out)
{
    int64_t mask = 0;
    g_auto(GStrv) words = read_words(p, value, value, out);

    if (!words)
        return -EINVAL;
    for (char **w = words; *w; w++) {
        g_autofree char *list = property_names_list(p->names);
        int64_t flag;

        if (property_names_find(p->names, *w, &flag) < 0)
            return property_out_refuse(out, p, *w, list);
        mask |= flag;
    }
    property_out_add(out, p, NULL, g_variant_new_int32((gint32)mask));
    return 0;
}

int property_lists_core_filter(const Property *p, const char *value, PropertyOut *out)
{
    uint64_t mask = 0;
    g_auto(GStrv) words = read_words(p, value, value, out);

    if (!words)
        return -EINVAL;
    for (char **w = words; *w; w++) {
        g_autofree char *list = property_names_list(p->names);
        int64_t named;
        uint64_t number;

        if (property_names_find(p->names, *w, &named) == 0)
            number = (uint64_t)named;
        else if (property_parse_u64(*w, 16, &number) < 0)
            return property_out_refuse(out, p, *w, list);
        mask |= number;
    }
    property_out_add(out, p, NULL, g_variant_new_uint64(mask));
    return 0;
}

/* What the unit may still make: "yes" forbids all of them. */
int property_lists_namespaces(const Property *p, const char *value, PropertyOut *out)
{
    bool restricted, invert = *value == '~';
    g_auto(GStrv) words = NULL;
    uint64_t all = 0, mask = 0;

    for (const PropertyName *n = property_names_namespace; n->name; n++)
        all |= (uint64_t)n->value;
    if (property_parse_boolean(value, &restricted) == 0) {
        property_out_add(out, p, NULL, g_variant_new_uint64(restricted ? 0 : all));
        return 0;
    }
    words = read_words(p, value, value + invert, out);
    if (!words)
        return -EINVAL;
    for (char **w = words; *w; w++) {
        g_autofree char *list = property_names_list(property_names_namespace);
        g_autofree char *takes = g_strconcat("yes, no, or some of ", list, NULL);
        int64_t flag;

        if (property_names_find(property_names_namespace, *w, &flag) < 0)
            return property_out_refuse(out, p, *w, takes);
        mask |= (uint64_t)flag;
    }
    property_out_add(out, p, NULL, g_variant_new_uint64(invert ? all & ~mask : mask));
    return 0;
}

static void mask_add(GByteArray *mask, uint64_t bit)
{
    guint old = mask->len, size = (guint)((bit / (8 * CPU_STEP) + 1) * CPU_STEP);

    if (size > old) {
        g_byte_array_set_size(mask, size);
        memset(mask->data + old, 0, size - old);
    }
    mask->data[bit / 8] |= (guint8)(1U << (bit % 8));
}

static int parse_cpus(const char *value, GByteArray *mask)
{
    g_auto(GStrv) words = NULL;
    int r = property_parse_words(value, PROPERTY_SPACE ",", PROPERTY_WORD_UNQUOTE, &words);

    if (r < 0)
        return r;
    for (char **w = words; *w; w++) {
        uint64_t low, high;

        r = property_parse_range(*w, &low, &high);
        if (r < 0)
            return r;
        if (low > high || high > CPU_MAX)
            return -ERANGE;
        for (uint64_t i = low; i <= high; i++)
            mask_add(mask, i);
    }
    return 0;
}

static void add_mask(const Property *p, const GByteArray *mask, PropertyOut *out)
{
    property_out_add(out, p, NULL, g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, mask->data, mask->len, 1));
}

int property_lists_cpus(const Property *p, const char *value, PropertyOut *out)
{
    g_autoptr(GByteArray) mask = g_byte_array_new();

    if (strcmp(p->key, "CPUAffinity") == 0 && strcmp(value, "numa") == 0) {
        property_out_add(out, p, "CPUAffinityFromNUMA", g_variant_new_boolean(TRUE));
        return 0;
    }
    if (parse_cpus(value, mask) < 0)
        return property_out_refuse(out, p, value, "numbers and ranges such as 0 2-3");
    add_mask(p, mask, out);
    return 0;
}

/* Every node there is: PID 1 takes none that the kernel does not have. */
static void add_all_nodes(GByteArray *mask)
{
    g_autoptr(GDir) dir = g_dir_open("/sys/devices/system/node", 0, NULL);
    const char *name;
    uint64_t node, last = 0;

    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_prefix(name, "node") && property_parse_u64(name + 4, 10, &node) == 0 && node <= CPU_MAX)
            last = MAX(last, node);
    for (node = 0; node <= (dir ? last : 1023); node++)
        mask_add(mask, node);
}

int property_lists_numa_nodes(const Property *p, const char *value, PropertyOut *out)
{
    g_autoptr(GByteArray) mask = g_byte_array_new();

    if (strcmp(value, "all") == 0)
        add_all_nodes(mask);
    else if (parse_cpus(value, mask) < 0)
        return property_out_refuse(out, p, value, "all, or numbers and ranges such as 0-1");
    add_mask(p, mask, out);
    return 0;
}

int property_lists_delegate(const Property *p, const char *value, PropertyOut *out)
{
    g_auto(GStrv) words = NULL;
    bool all;

    if (property_parse_boolean(value, &all) == 0) {
        property_out_add(out, p, NULL, g_variant_new_boolean(all));
        return 0;
    }
    words = read_words(p, value, value, out);
    if (!words)
        return -EINVAL;
    property_out_add(out, p, "DelegateControllers", strings(words));
    return 0;
}

/* A number is an exit status, never a signal. */
int property_lists_statuses(const Property *p, const char *value, PropertyOut *out)
{
    g_auto(GVariantBuilder) statuses = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("ai"));
    g_auto(GVariantBuilder) signals = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("ai"));
    g_auto(GStrv) words = read_words(p, value, value, out);

    if (!words)
        return -EINVAL;
    for (char **w = words; *w; w++) {
        int64_t status;
        uint64_t number;
        int signal;

        if (property_names_find(property_names_exit_status, *w, &status) == 0)
            g_variant_builder_add(&statuses, "i", (gint32)status);
        else if (property_parse_u64(*w, 0, &number) == 0 && number <= 255)
            g_variant_builder_add(&statuses, "i", (gint32)number);
        else if (property_names_signal(*w, &signal) == 0)
            g_variant_builder_add(&signals, "i", signal);
        else
            return property_out_refuse(
                out, p, *w, "exit statuses such as 75 or TEMPFAIL, and signals such as SIGTERM");
    }
    property_out_add(out, p, NULL, g_variant_new("(aiai)", &statuses, &signals));
    return 0;
}

static void add_prefix(GVariantBuilder *list, int family, const void *address, uint32_t length)
{
    gsize size = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

    g_variant_builder_add(
        list, "(i@ayu)", family, g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, address, size, 1), length);
}

static int add_address(GVariantBuilder *list, const char *word)
{
    const char *slash = strchr(word, '/');
    g_autofree char *address = slash ? g_strndup(word, (gsize)(slash - word)) : g_strdup(word);
    int family = strchr(address, ':') ? AF_INET6 : AF_INET;
    uint64_t bits = family == AF_INET ? 32 : 128, length = bits;
    struct in6_addr buffer;

    if (inet_pton(family, address, &buffer) <= 0)
        return -EINVAL;
    if (slash && (property_parse_u64(slash + 1, 0, &length) < 0 || length > bits))
        return -EINVAL;
    add_prefix(list, family, &buffer, (uint32_t)length);
    return 0;
}

/* The words that stand for a network of each family. */
static const struct {
    const char *word, *ipv4, *ipv6;
} networks[] = {
    { "any", "0.0.0.0/0", "::/0" },
    { "localhost", "127.0.0.0/8", "::1/128" },
    { "link-local", "169.254.0.0/16", "fe80::/64" },
    { "multicast", "224.0.0.0/4", "ff00::/8" },
};

int property_lists_addresses(const Property *p, const char *value, PropertyOut *out)
{
    g_auto(GVariantBuilder) list = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(iayu)"));
    g_auto(GStrv) words = NULL;

    if (property_parse_words(value, PROPERTY_SPACE, 0, &words) < 0)
        return property_out_refuse_syntax(out, p);
    for (char **w = words; *w; w++) {
        bool known = false;

        ARRAY_FOREACH (n, networks)
            if (strcmp(*w, n->word) == 0) {
                known = true;
                add_address(&list, n->ipv4);
                add_address(&list, n->ipv6);
            }
        if (!known && add_address(&list, *w) < 0)
            return property_out_refuse(
                out, p, *w, "addresses such as 10.0.0.0/8, and any, localhost, link-local, multicast");
    }
    property_out_add(out, p, NULL, g_variant_builder_end(&list));
    return 0;
}

/* [ipv4:|ipv6:][tcp:|udp:]PORTS, each part once and in this order; 0 is "any". */
static int parse_bind_rule(const char *value, int *family, int *protocol, uint64_t *low, uint64_t *n)
{
    static const PropertyName families[] = { { "ipv4", AF_INET }, { "ipv6", AF_INET6 }, { NULL, 0 } };
    static const PropertyName protocols[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { NULL, 0 } };
    g_auto(GStrv) parts = g_strsplit(value, ":", -1);
    char **part = parts;
    uint64_t high;
    int64_t number;

    *family = *protocol = 0;
    *low = *n = 0;
    if (*part && property_names_find(families, *part, &number) == 0) {
        *family = (int)number;
        part++;
    }
    if (*part && property_names_find(protocols, *part, &number) == 0) {
        *protocol = (int)number;
        part++;
    }
    if (!*part)
        return part == parts ? -EINVAL : 0;
    if (part[1])
        return -EINVAL;
    if (strcmp(*part, "any") == 0)
        return 0;
    if (property_parse_range(*part, low, &high) < 0 || *low == 0 || high > UINT16_MAX || high < *low)
        return -EINVAL;
    *n = high - *low + 1;
    return 0;
}

int property_lists_bind_rule(const Property *p, const char *value, PropertyOut *out)
{
    GVariant *rule;
    uint64_t low, n;
    int family, protocol;

    if (!*value) {
        property_out_add(out, p, NULL, empty("(iiqq)"));
        return 0;
    }
    if (parse_bind_rule(value, &family, &protocol, &low, &n) < 0)
        return property_out_refuse(out, p, value, "a rule such as any, tcp:80 or ipv6:udp:5000-5010");
    rule = g_variant_new("(iiqq)", family, protocol, (guint16)n, (guint16)low);
    property_out_add(out, p, NULL, g_variant_new_array(NULL, &rule, 1));
    return 0;
}

static bool is_nft_identifier(const char *s)
{
    if (!g_ascii_isalpha(*s) || strlen(s) > 31)
        return false;
    for (; *s; s++)
        if (!g_ascii_isalnum(*s) && !strchr("/\\_.", *s))
            return false;
    return true;
}

int property_lists_nft_sets(const Property *p, const char *value, PropertyOut *out)
{
    g_auto(GVariantBuilder) list = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(iiss)"));
    g_auto(GStrv) words = read_words(p, value, value, out);

    if (!words)
        return -EINVAL;
    for (char **w = words; *w; w++) {
        g_auto(GStrv) parts = g_strsplit(*w, ":", -1);
        int64_t source, protocol;

        if (g_strv_length(parts) != 4 ||
            property_names_find(property_names_nft_source, parts[0], &source) < 0 ||
            property_names_find(property_names_nft_protocol, parts[1], &protocol) < 0 ||
            !is_nft_identifier(parts[2]) || !is_nft_identifier(parts[3]))
            return property_out_refuse(out, p, *w, "sets such as cgroup:inet:TABLE:SET");
        g_variant_builder_add(&list, "(iiss)", (gint32)source, (gint32)protocol, parts[2], parts[3]);
    }
    property_out_add(out, p, NULL, g_variant_builder_end(&list));
    return 0;
}

/* "PATH REST" at the first blank; rest is NULL without one. */
static char *split_device(const char *value, const char **ret_rest)
{
    const char *space = strchr(value, ' ');

    *ret_rest = space ? space + 1 : NULL;
    return space ? g_strndup(value, (gsize)(space - value)) : g_strdup(value);
}

int property_lists_device(const Property *p, const char *value, PropertyOut *out)
{
    const char *access;
    g_autofree char *path = split_device(value, &access);
    GVariant *entry;

    if (!*value) {
        property_out_add(out, p, NULL, empty("(ss)"));
        return 0;
    }
    if (access && access[strspn(access, "rwm")])
        return property_out_refuse(out, p, value, "a device and its access, such as /dev/null rw");
    entry = g_variant_new("(ss)", path, util_strempty(access));
    property_out_add(out, p, NULL, g_variant_new_array(NULL, &entry, 1));
    return 0;
}

/* One "DEVICE NUMBER", or the empty list. */
static int add_device_number(const Property *p, const char *name, const char *value, PropertyOut *out,
    int (*parse)(const char *s, uint64_t *ret), const char *takes)
{
    const char *rest;
    g_autofree char *path = split_device(value, &rest);
    GVariant *entry;
    uint64_t number;

    if (!*value) {
        property_out_add(out, p, name, empty("(st)"));
        return 0;
    }
    if (!rest || parse(rest, &number) < 0)
        return property_out_refuse(out, p, value, takes);
    entry = g_variant_new("(st)", path, number);
    property_out_add(out, p, name, g_variant_new_array(NULL, &entry, 1));
    return 0;
}

static int parse_rate(const char *s, uint64_t *ret)
{
    *ret = UINT64_MAX;
    return strcmp(s, "infinity") == 0 ? 0 : property_parse_size(s, 1000, ret);
}

static int parse_number(const char *s, uint64_t *ret)
{
    return property_parse_u64(s, 0, ret);
}

static int parse_seconds(const char *s, uint64_t *ret)
{
    return property_parse_span(s, false, USEC_PER_SEC, ret);
}

int property_lists_device_rate(const Property *p, const char *value, PropertyOut *out)
{
    return add_device_number(p, NULL, value, out, parse_rate, "a device and a rate, such as /dev/sda 5M");
}

int property_lists_device_weight(const Property *p, const char *value, PropertyOut *out)
{
    return add_device_number(
        p, NULL, value, out, parse_number, "a device and a weight, such as /dev/sda 200");
}

int property_lists_device_latency(const Property *p, const char *value, PropertyOut *out)
{
    return add_device_number(p, "IODeviceLatencyTargetUSec", value, out, parse_seconds,
        "a device and a time span, such as /dev/sda 25ms");
}

int property_lists_program(const Property *p, const char *value, PropertyOut *out)
{
    const char *colon = strchr(value, ':');
    g_autofree char *type = NULL;
    GVariant *entry;

    if (!*value) {
        property_out_add(out, p, NULL, empty("(ss)"));
        return 0;
    }
    if (!colon || !property_parse_is_path(colon + 1))
        return property_out_refuse(out, p, value, "a type and a path, such as egress:/sys/fs/bpf/PROGRAM");
    type = g_strndup(value, (gsize)(colon - value));
    entry = g_variant_new("(ss)", type, colon + 1);
    property_out_add(out, p, NULL, g_variant_new_array(NULL, &entry, 1));
    return 0;
}
