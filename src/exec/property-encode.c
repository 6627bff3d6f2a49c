/* Settings of one value. */
#include "exec/property-encode.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>

#include "base/util.h"
#include "exec/property-names.h"
#include "exec/property-parse.h"

/* What PID 1 takes for "kill the process" where an error number is expected. */
#define ERRNO_KILL (INT_MAX - 1)

static GVariant *bytes_new(const GByteArray *bytes)
{
    return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes->data, bytes->len, 1);
}

int property_encode_boolean(const Property *p, const char *value, PropertyOut *out)
{
    bool b;

    if (property_parse_boolean(value, &b) < 0)
        return property_out_refuse(out, p, value, "yes or no");
    property_out_add(out, p, NULL, g_variant_new_boolean(b));
    return 0;
}

static int refuse_choice(const Property *p, const char *value, PropertyOut *out)
{
    g_autofree char *list = property_names_list(p->names);
    g_autofree char *takes = g_strconcat(p->flags & PROPERTY_BOOLEAN_TOO ? "yes, no, " : "", list, NULL);

    return property_out_refuse(out, p, value, takes);
}

int property_encode_boolean_ex(const Property *p, const char *value, PropertyOut *out)
{
    g_autofree char *name = g_strconcat(p->key, "Ex", NULL);
    int64_t unused;
    bool b;

    if (property_parse_boolean(value, &b) == 0)
        property_out_add(out, p, NULL, g_variant_new_boolean(b));
    else if (property_names_find(p->names, value, &unused) == 0)
        property_out_add(out, p, name, g_variant_new_string(value));
    else
        return refuse_choice(p, value, out);
    return 0;
}

int property_encode_string(const Property *p, const char *value, PropertyOut *out)
{
    if (*value && p->check && !p->check(value))
        return property_out_refuse(out, p, value, "an absolute path");
    property_out_add(out, p, NULL, g_variant_new_string(value));
    return 0;
}

int property_encode_choice(const Property *p, const char *value, PropertyOut *out)
{
    int64_t unused;
    bool b;

    if (property_names_find(p->names, value, &unused) < 0 &&
        !(p->flags & PROPERTY_BOOLEAN_TOO && property_parse_boolean(value, &b) == 0))
        return refuse_choice(p, value, out);
    property_out_add(out, p, NULL, g_variant_new_string(value));
    return 0;
}

static int refuse_range(const Property *p, const char *value, PropertyOut *out)
{
    g_autofree char *takes =
        g_strdup_printf("a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, p->min, p->max);

    return property_out_refuse(out, p, value, takes);
}

int property_encode_number(const Property *p, const char *value, PropertyOut *out)
{
    int64_t number;

    if (property_parse_i64(value, &number) < 0 || number < p->min || number > p->max)
        return refuse_range(p, value, out);
    property_out_add(out, p, NULL, g_variant_new_int32((gint32)number));
    return 0;
}

int property_encode_count(const Property *p, const char *value, PropertyOut *out)
{
    uint64_t number;

    if (property_parse_u64(value, 0, &number) < 0 || number > (uint64_t)p->max)
        return refuse_range(p, value, out);
    property_out_add(out, p, NULL, g_variant_new_uint32((guint32)number));
    return 0;
}

int property_encode_mode(const Property *p, const char *value, PropertyOut *out)
{
    const char *digits = value + strspn(value, PROPERTY_SPACE);
    uint64_t mode;

    if (*digits == '+' || *digits == '-' || property_parse_u64(digits, 8, &mode) < 0 || mode > 07777)
        return property_out_refuse(out, p, value, "an octal access mode such as 0755");
    property_out_add(out, p, NULL, g_variant_new_uint32((guint32)mode));
    return 0;
}

int property_encode_named(const Property *p, const char *value, PropertyOut *out)
{
    int64_t number;

    if (property_names_find(p->names, value, &number) < 0 &&
        (property_parse_i64(value, &number) < 0 || number < 0 || number > p->max))
        return refuse_choice(p, value, out);
    property_out_add(out, p, NULL, g_variant_new_int32((gint32)number));
    return 0;
}

int property_encode_named_flag(const Property *p, const char *value, PropertyOut *out)
{
    int64_t flag;

    if (property_names_find(p->names, value, &flag) < 0)
        return refuse_choice(p, value, out);
    property_out_add(out, p, NULL, g_variant_new_uint64((guint64)flag));
    return 0;
}

int property_encode_signal(const Property *p, const char *value, PropertyOut *out)
{
    int signal;

    if (property_names_signal(value, &signal) < 0)
        return property_out_refuse(out, p, value, "a signal such as SIGTERM or 15");
    property_out_add(out, p, NULL, g_variant_new_int32(signal));
    return 0;
}

int property_encode_errno(const Property *p, const char *value, PropertyOut *out)
{
    int number = ERRNO_KILL;

    if (strcmp(value, "kill") != 0 && property_names_errno(value, &number) < 0)
        return property_out_refuse(out, p, value, "an error such as EPERM, or kill");
    property_out_add(out, p, NULL, g_variant_new_int32(number));
    return 0;
}

int property_encode_span(const Property *p, const char *value, PropertyOut *out)
{
    g_autofree char *name = g_strdup_printf("%.*sUSec", (int)strlen(p->key) - 3, p->key);
    uint64_t usec = USEC_INFINITY;

    if (!(p->flags & PROPERTY_EMPTY_IS_INFINITE && !value[strspn(value, PROPERTY_SPACE)]) &&
        property_parse_span(value, false, USEC_PER_SEC, &usec) < 0)
        return property_out_refuse(out, p, value, "a time span such as 90, 1min 30s or infinity");
    property_out_add(out, p, name, g_variant_new_uint64(usec));
    return 0;
}

int property_encode_nsec(const Property *p, const char *value, PropertyOut *out)
{
    uint64_t nsec;

    if (property_parse_span(value, true, 1, &nsec) < 0)
        return property_out_refuse(
            out, p, value, "a time span such as 50us; a bare number is in nanoseconds");
    property_out_add(out, p, NULL, g_variant_new_uint64(nsec));
    return 0;
}

int property_encode_weight(const Property *p, const char *value, PropertyOut *out)
{
    uint64_t weight = UINT64_MAX; /* unset */

    if (p->flags & PROPERTY_IDLE_TOO && strcmp(value, "idle") == 0)
        weight = 0;
    else if (*value && (property_parse_u64(value, 0, &weight) < 0 || weight < (uint64_t)p->min ||
                           weight > (uint64_t)p->max))
        return refuse_range(p, value, out);
    property_out_add(out, p, NULL, g_variant_new_uint64(weight));
    return 0;
}

static uint32_t scale(uint64_t permyriad)
{
    return (uint32_t)((permyriad * UINT32_MAX + 5000) / 10000);
}

static const char *limit_takes(const Property *p)
{
    if (p->flags & PROPERTY_PLAIN_NUMBER)
        return "a number, a percentage or infinity";
    if (p->flags & PROPERTY_NO_SHARE)
        return "a size such as 512M, or infinity; no percentage, as a transient unit cannot have it";
    return "a size such as 512M, a percentage or infinity";
}

int property_encode_limit(const Property *p, const char *value, PropertyOut *out)
{
    g_autofree char *scaled = g_strconcat(p->key, "Scale", NULL);
    bool count = p->flags & PROPERTY_PLAIN_NUMBER;
    uint64_t limit = UINT64_MAX, share;
    int r = 0;

    if (!(p->flags & PROPERTY_NO_SHARE) && property_parse_permyriad(value, &share) == 0 && share <= 10000) {
        property_out_add(out, p, scaled, g_variant_new_uint32(scale(share)));
        return 0;
    }
    if (!*value)
        limit = p->flags & PROPERTY_EMPTY_IS_ZERO ? 0 : UINT64_MAX;
    else if (strcmp(value, "infinity") != 0)
        r = count ? property_parse_u64(value, 0, &limit) : property_parse_size(value, 1024, &limit);
    if (r < 0)
        return property_out_refuse(out, p, value, limit_takes(p));
    property_out_add(out, p, NULL, g_variant_new_uint64(limit));
    return 0;
}

int property_encode_share(const Property *p, const char *value, PropertyOut *out)
{
    uint64_t share;

    if (property_parse_permyriad(value, &share) < 0 || share > 10000)
        return property_out_refuse(out, p, value, "a percentage from 0% to 100%");
    property_out_add(out, p, NULL, g_variant_new_uint32(scale(share)));
    return 0;
}

int property_encode_quota(const Property *p, const char *value, PropertyOut *out)
{
    uint64_t share, usec = USEC_INFINITY;

    if (*value) {
        if (property_parse_permyriad(value, &share) < 0 || share == 0)
            return property_out_refuse(out, p, value, "a percentage of one CPU such as 50% or 200%");
        usec = share * (USEC_PER_SEC / 10000);
    }
    property_out_add(out, p, "CPUQuotaPerSecUSec", g_variant_new_uint64(usec));
    return 0;
}

/* As a nice level with a sign, or the kernel's own number, 20 minus the level. */
static int parse_nice_limit(const char *s, uint64_t *ret)
{
    bool sign = *s == '+' || *s == '-';
    uint64_t v;
    int r = property_parse_u64(s + sign, 0, &v);

    if (r < 0)
        return r;
    if (v > (*s == '+' ? PRIO_MAX - 1 : *s == '-' ? -PRIO_MIN : 20 - PRIO_MIN))
        return -ERANGE;
    *ret = *s == '+' ? 20 - v : *s == '-' ? 20 + v : v;
    return 0;
}

static int parse_rlimit(PropertyLimit unit, const char *s, uint64_t *ret)
{
    int r = -EINVAL;

    *ret = UINT64_MAX;
    if (strcmp(s, "infinity") == 0 && unit != PROPERTY_LIMIT_NICE)
        return 0;
    switch (unit) {
    case PROPERTY_LIMIT_COUNT:
        r = property_parse_u64(s, 0, ret);
        break;
    case PROPERTY_LIMIT_SIZE:
        r = property_parse_size(s, 1024, ret);
        break;
    case PROPERTY_LIMIT_SEC:
        r = property_parse_span(s, false, USEC_PER_SEC, ret);
        if (r == 0 && *ret != UINT64_MAX)
            *ret = *ret / USEC_PER_SEC + (*ret % USEC_PER_SEC > 0);
        return r;
    case PROPERTY_LIMIT_USEC:
        return property_parse_span(s, false, 1, ret);
    case PROPERTY_LIMIT_NICE:
        return parse_nice_limit(s, ret);
    }
    return r == 0 && *ret == UINT64_MAX ? -ERANGE : r;
}

int property_encode_rlimit(const Property *p, const char *value, PropertyOut *out)
{
    static const char *const takes[] = {
        [PROPERTY_LIMIT_COUNT] = "a number or infinity, or soft:hard",
        [PROPERTY_LIMIT_SIZE] = "a size such as 64M or infinity, or soft:hard",
        [PROPERTY_LIMIT_SEC] = "a time span such as 10min or infinity, or soft:hard",
        [PROPERTY_LIMIT_USEC] = "a time span such as 500ms or infinity, or soft:hard; a bare number is in µs",
        [PROPERTY_LIMIT_NICE] = "a nice level with its sign or a number from 0 to 40, or soft:hard",
    };
    g_autofree char *soft_name = g_strconcat(p->key, "Soft", NULL);
    g_auto(GStrv) parts = g_strsplit(value, ":", -1);
    guint n = g_strv_length(parts);
    uint64_t soft, hard;

    if (n < 1 || n > 2 || parse_rlimit(p->limit, parts[0], &soft) < 0 ||
        parse_rlimit(p->limit, parts[n - 1], &hard) < 0 || soft > hard)
        return property_out_refuse(out, p, value, takes[p->limit]);
    property_out_add(out, p, NULL, g_variant_new_uint64(hard));
    property_out_add(out, p, soft_name, g_variant_new_uint64(soft));
    return 0;
}

int property_encode_label(const Property *p, const char *value, PropertyOut *out)
{
    bool ignore = *value == '-';

    property_out_add(out, p, NULL, g_variant_new("(bs)", ignore, value + ignore));
    return 0;
}

int property_encode_stream(const Property *p, const char *value, PropertyOut *out)
{
    static const struct {
        const char *prefix, *suffix;
        bool path, output_only;
    } sources[] = {
        { "fd:", "FileDescriptorName", false, false },
        { "file:", "File", true, false },
        { "append:", "FileToAppend", true, true },
        { "truncate:", "FileToTruncate", true, true },
    };
    int64_t unused;

    ARRAY_FOREACH (s, sources) {
        g_autofree char *name = g_strconcat(p->key, s->suffix, NULL);
        const char *rest = value + strlen(s->prefix);

        if (!g_str_has_prefix(value, s->prefix) || (s->output_only && strcmp(p->key, "StandardInput") == 0))
            continue;
        if (s->path && !property_parse_is_path(rest))
            return property_out_refuse(out, p, value, "an absolute path behind the colon");
        property_out_add(out, p, name, g_variant_new_string(rest));
        return 0;
    }
    if (*value && property_names_find(p->names, value, &unused) < 0)
        return refuse_choice(p, value, out);
    property_out_add(out, p, NULL, g_variant_new_string(value));
    return 0;
}

int property_encode_text(const Property *p, const char *value, PropertyOut *out)
{
    g_autoptr(GByteArray) bytes = NULL;

    if (property_parse_unescape(value, &bytes) < 0)
        return property_out_refuse(out, p, value, "text with C escapes; write \\\\ for a backslash");
    if (*value)
        g_byte_array_append(bytes, (const guint8 *)"\n", 1);
    property_out_add(out, p, "StandardInputData", bytes_new(bytes));
    return 0;
}

int property_encode_data(const Property *p, const char *value, PropertyOut *out)
{
    g_autoptr(GByteArray) bytes = NULL;

    if (property_parse_base64(value, &bytes) < 0)
        return property_out_refuse(out, p, value, "data in Base64");
    property_out_add(out, p, NULL, bytes_new(bytes));
    return 0;
}

int property_encode_hash(const Property *p, const char *value, PropertyOut *out)
{
    g_autoptr(GByteArray) bytes = NULL;

    if (property_parse_is_path(value))
        property_out_add(out, p, "RootHashPath", g_variant_new_string(value));
    else if (property_parse_hex(value, &bytes) == 0 && (bytes->len == 0 || bytes->len >= 16))
        property_out_add(out, p, NULL, bytes_new(bytes));
    else
        return property_out_refuse(
            out, p, value, "an absolute path, or a hash of 32 hexadecimal digits or more");
    return 0;
}

int property_encode_hash_signature(const Property *p, const char *value, PropertyOut *out)
{
    static const char prefix[] = "base64:";
    const char *data = strncmp(value, prefix, strlen(prefix)) == 0 ? value + strlen(prefix) : NULL;
    g_autoptr(GByteArray) bytes = NULL;

    if (property_parse_is_path(value))
        property_out_add(out, p, "RootHashSignaturePath", g_variant_new_string(value));
    else if ((data || !*value) && property_parse_base64(util_strempty(data), &bytes) == 0)
        property_out_add(out, p, NULL, bytes_new(bytes));
    else
        return property_out_refuse(out, p, value, "an absolute path, or base64: and the signature");
    return 0;
}
