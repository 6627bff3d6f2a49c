/* Fuzzes the settings of a run's unit: text up to the first '=' is the key, the rest the value. What is
 * judged good can be sent, what is not has a reason that is UTF-8 and leaves the message as it was. Where a kind of
 * setting has a plain way to write down what it was read as, that is read as the same. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/utf8.h"
#include "base/util.h"
#include "exec/properties.h"
#include "exec/property-encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sd_bus *bus_new(void)
{
    sd_bus *bus = NULL;
    int fds[2];

    /* The other end stays open, and silent, for as long as the program runs. */
    g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    g_assert(sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, fds[0], fds[0]) >= 0 && sd_bus_start(bus) >= 0);
    return bus;
}

/* --- values written down --- */

/* NULL: this value has no plain form. */
typedef char *(*Format)(const Property *p, GVariant *first, GVariant *second);

static char *format_boolean(const Property *p, GVariant *v, GVariant *unused)
{
    return g_strdup(g_variant_get_boolean(v) ? "yes" : "no");
}

static char *format_int(const Property *p, GVariant *v, GVariant *unused)
{
    return g_strdup_printf("%d", g_variant_get_int32(v));
}

/* Some are taken by name only. */
static char *format_named(const Property *p, GVariant *v, GVariant *unused)
{
    return g_variant_get_int32(v) > p->max ? NULL : format_int(p, v, NULL);
}

static char *format_uint(const Property *p, GVariant *v, GVariant *unused)
{
    return g_strdup_printf("%u", g_variant_get_uint32(v));
}

static char *format_octal(const Property *p, GVariant *v, GVariant *unused)
{
    return g_strdup_printf("%o", g_variant_get_uint32(v));
}

static char *format_number(GVariant *v, const char *unit, const char *largest)
{
    uint64_t number = g_variant_get_uint64(v);

    /* Before a unit of time no larger number is read, as in systemd. */
    if (number > INT64_MAX && number < UINT64_MAX && g_str_equal(unit, "us"))
        return g_strdup_printf(
            "%" G_GUINT64_FORMAT "s%uus", number / USEC_PER_SEC, (unsigned)(number % USEC_PER_SEC));
    return number == UINT64_MAX ? g_strdup(largest)
                                : g_strdup_printf("%" G_GUINT64_FORMAT "%s", number, unit);
}

static char *format_usec(const Property *p, GVariant *v, GVariant *unused)
{
    return format_number(v, "us", "infinity");
}

static char *format_nsec(const Property *p, GVariant *v, GVariant *unused)
{
    return format_number(v, "ns", "infinity");
}

static char *format_weight(const Property *p, GVariant *v, GVariant *unused)
{
    return g_variant_get_uint64(v) == 0 ? g_strdup("idle") : format_number(v, "", "");
}

/* A share became another property. */
static char *format_limit(const Property *p, GVariant *v, GVariant *unused)
{
    return g_variant_is_of_type(v, G_VARIANT_TYPE_UINT64) ? format_number(v, "", "infinity") : NULL;
}

static char *format_rlimit(const Property *p, GVariant *hard, GVariant *soft)
{
    static const char *const units[] = {
        [PROPERTY_LIMIT_COUNT] = "",
        [PROPERTY_LIMIT_SIZE] = "",
        [PROPERTY_LIMIT_SEC] = "s",
        [PROPERTY_LIMIT_USEC] = "us",
        [PROPERTY_LIMIT_NICE] = "",
    };
    g_autofree char *high = format_number(hard, units[p->limit], "infinity");
    g_autofree char *low = format_number(soft, units[p->limit], "infinity");

    return g_strdup_printf("%s:%s", low, high);
}

static char *format_string(const Property *p, GVariant *v, GVariant *unused)
{
    return g_variant_dup_string(v, NULL);
}

static char *format_base64(const Property *p, GVariant *v, GVariant *unused)
{
    gsize n;
    const void *data = g_variant_get_fixed_array(v, &n, 1);

    return g_base64_encode(n > 0 ? data : (const void *)"", n);
}

/* Words of nothing that means something else in a list. */
static char *format_words(const Property *p, GVariant *v, GVariant *unused)
{
    g_autofree const char **words = g_variant_get_strv(v, NULL);
    g_autofree char *text = g_strjoinv(" ", (char **)words);

    for (size_t i = 0; words[i]; i++)
        if (!*words[i] || strpbrk(words[i], "\"'\\ \t\n\r"))
            return NULL;
    return g_steal_pointer(&text);
}

static const struct {
    PropertyEncode encode;
    Format format;
} formats[] = {
    { property_encode_boolean, format_boolean },
    { property_encode_number, format_int },
    { property_encode_named, format_named },
    { property_encode_signal, format_int },
    { property_encode_count, format_uint },
    { property_encode_mode, format_octal },
    { property_encode_span, format_usec },
    { property_encode_nsec, format_nsec },
    { property_encode_weight, format_weight },
    { property_encode_limit, format_limit },
    { property_encode_rlimit, format_rlimit },
    { property_encode_string, format_string },
    { property_encode_choice, format_string },
    { property_encode_data, format_base64 },
    { property_lists_words, format_words },
};

/* The value of an assignment, (sv). */
static GVariant *assigned(const PropertyOut *out, guint i)
{
    g_autoptr(GVariant) boxed = NULL;

    if (i >= out->assignments->len)
        return NULL;
    boxed = g_variant_get_child_value(g_ptr_array_index(out->assignments, i), 1);
    return g_variant_get_variant(boxed);
}

static void check_same(const PropertyOut *a, const PropertyOut *b)
{
    g_assert(a->assignments->len == b->assignments->len);
    for (guint i = 0; i < a->assignments->len; i++)
        g_assert(g_variant_equal(g_ptr_array_index(a->assignments, i), g_ptr_array_index(b->assignments, i)));
}

static void check_format(const Property *p, const char *value, Format format)
{
    g_auto(PropertyOut) out = { 0 }, again = { 0 };
    g_autoptr(GVariant) first = NULL, second = NULL;
    g_autofree char *text = NULL;

    property_out_init(&out);
    property_out_init(&again);
    g_assert(p->encode(p, value, &out) >= 0);
    first = assigned(&out, 0);
    second = assigned(&out, 1);
    text = format(p, first, second);
    if (!text)
        return;
    g_assert(p->encode(p, text, &again) >= 0);
    check_same(&out, &again);
}

static void check_formats(const char *key, const char *value)
{
    const Property *p = property_table_find(key);

    g_assert(g_strv_contains(properties_keys(), key));
    ARRAY_FOREACH (f, formats)
        if (p->encode == f->encode)
            check_format(p, value, f->format);
}

/* ------------------------------------------------------------------------------------------------------ */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sd_bus *bus;
    g_autofree char *key = g_strndup((const char *)data, size), *reason = NULL;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    char *value = strchr(key, '=');
    PropertyVerdict verdict;
    int r;

    if (!value)
        return -1;
    *value++ = 0;
    if (!bus)
        bus = bus_new();
    g_assert(sd_bus_message_new_method_call(bus, &m, "a.b", "/a", "a.b", "C") >= 0);
    g_assert(sd_bus_message_open_container(m, 'a', "(sv)") >= 0);
    verdict = properties_check(key, value, &reason);
    r = properties_append(m, key, value);
    g_assert((verdict == PROPERTY_OK) == (r == 0));
    g_assert((verdict == PROPERTY_OK) == !reason);
    g_assert(!reason || utf8_is_valid(reason));
    g_assert(sd_bus_message_close_container(m) >= 0 && sd_bus_message_seal(m, 1, 0) >= 0);
    g_assert(r == 0 || sd_bus_message_is_empty(m) == 0);
    if (r == 0)
        check_formats(key, value);
    if (r < 0) {
        g_assert(sd_bus_message_enter_container(m, 'a', "(sv)") >= 0);
        g_assert(sd_bus_message_at_end(m, 0) > 0);
    }
    return 0;
}
