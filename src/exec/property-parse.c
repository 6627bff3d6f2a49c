/* Reads words, numbers, sizes and spans the way unit files have them. */
#include "exec/property-parse.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"

/* Undoes the escape that follows a backslash: the number of characters it takes, or -EINVAL. */
static int unescape_one(const char *s, bool nul, GString *out)
{
    static const char from[] = "abfnrtvs\\\"'", to[] = "\a\b\f\n\r\t\v \\\"'";
    static const struct {
        char lead;
        int digits, base;
        bool byte;
    } numbers[] = { { 'x', 2, 16, true }, { 'u', 4, 16, false }, { 'U', 8, 16, false }, { 0, 3, 8, true } };
    const char *simple = *s ? strchr(from, *s) : NULL;

    if (simple) {
        g_string_append_c(out, to[simple - from]);
        return 1;
    }
    ARRAY_FOREACH (n, numbers) {
        const char *digits = n->lead ? s + 1 : s;
        uint64_t v = 0;

        if (n->lead && *s != n->lead)
            continue;
        for (int i = 0; i < n->digits; i++) {
            int d = g_ascii_xdigit_value(digits[i]);

            if (d < 0 || d >= n->base)
                return -EINVAL;
            v = v * (uint64_t)n->base + (uint64_t)d;
        }
        if ((v == 0 && !nul) || (n->byte ? v > 255 : !g_unichar_validate((gunichar)v)))
            return -EINVAL;
        if (n->byte)
            g_string_append_c(out, (char)v);
        else if (v == 0)
            g_string_append_c(out, 0);
        else
            g_string_append_unichar(out, (gunichar)v);
        return n->digits + (n->lead ? 1 : 0);
    }
    return -EINVAL;
}

/* *s stands on a backslash and is left on the last character of the escape. */
static int unescape_in_word(const char **s, const char *separators, unsigned flags, GString *word)
{
    const char *c = *s + 1;
    int n;

    if (!*c)
        return -EINVAL;
    *s = c;
    if (!(flags & (PROPERTY_WORD_UNESCAPE | PROPERTY_WORD_SEPARATORS))) {
        g_string_append_c(word, *c);
        return 0;
    }
    if (flags & PROPERTY_WORD_UNESCAPE) {
        n = unescape_one(c, false, word);
        if (n > 0) {
            *s = c + n - 1;
            return 0;
        }
    }
    if (!(flags & PROPERTY_WORD_SEPARATORS) || !(strchr(separators, *c) || *c == '\\'))
        return -EINVAL;
    g_string_append_c(word, *c);
    return 0;
}

static const char *behind_separator(const char *s, const char *separators, unsigned flags)
{
    if (!*s)
        return NULL;
    s++;
    if (flags & PROPERTY_WORD_EXACT)
        return s;
    s += strspn(s, separators);
    return *s ? s : NULL;
}

int property_parse_word(const char **p, const char *separators, unsigned flags, char **ret)
{
    const char *s = *p;
    g_autoptr(GString) word = NULL;
    char quote = 0;

    *ret = NULL;
    if (!s)
        return 0;
    if (!(flags & PROPERTY_WORD_EXACT)) {
        s += strspn(s, separators);
        if (!*s) {
            *p = NULL;
            return 0;
        }
    }
    word = g_string_new(NULL);
    for (; *s; s++) {
        if (*s == '\\' && !(flags & PROPERTY_WORD_KEEP_ESCAPES)) {
            if (unescape_in_word(&s, separators, flags, word) < 0)
                return -EINVAL;
        } else if (quote && *s == quote)
            quote = 0;
        else if (!quote && (flags & PROPERTY_WORD_UNQUOTE) && (*s == '"' || *s == '\''))
            quote = *s;
        else if (!quote && strchr(separators, *s))
            break;
        else
            g_string_append_c(word, *s);
    }
    if (quote || !utf8_is_valid(word->str))
        return -EINVAL;
    *p = behind_separator(s, separators, flags);
    *ret = g_string_free(g_steal_pointer(&word), FALSE);
    return 1;
}

int property_parse_words(const char *s, const char *separators, unsigned flags, char ***ret)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    char *word;
    int r;

    while ((r = property_parse_word(&s, separators, flags, &word)) > 0)
        g_ptr_array_add(words, word);
    if (r < 0)
        return r;
    g_ptr_array_add(words, NULL);
    *ret = (char **)g_ptr_array_steal(words, NULL);
    return 0;
}

int property_parse_unescape(const char *s, GByteArray **ret)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (; *s; s++) {
        int n;

        if (*s != '\\') {
            g_string_append_c(out, *s);
            continue;
        }
        n = unescape_one(s + 1, true, out);
        if (n < 0)
            return n;
        s += n;
    }
    *ret = g_byte_array_new();
    g_byte_array_append(*ret, (const guint8 *)out->str, (guint)out->len);
    return 0;
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(digits, c) : NULL;

    return found ? (int)(found - digits) : -EINVAL;
}

/* Strict where g_base64_decode() skips what it does not know: whole groups, padding at the end alone, and no
 * bits behind the last byte. White space is skipped. */
int property_parse_base64(const char *s, GByteArray **ret)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    uint32_t bits = 0;
    int n = 0, padding = 0;

    for (; *s; s++) {
        int d;

        if (strchr(PROPERTY_SPACE, *s))
            continue;
        if (*s == '=') {
            padding++;
            d = 0;
        } else
            d = padding ? -EINVAL : base64_digit(*s);
        if (d < 0)
            return d;
        bits = bits << 6 | (uint32_t)d;
        if (++n % 4)
            continue;
        for (int i = 2; i >= padding; i--) {
            guint8 byte = (guint8)(bits >> (8 * i));

            g_byte_array_append(out, &byte, 1);
        }
        if (padding > 2 || (bits & ((1U << (8 * padding)) - 1)) != 0)
            return -EINVAL;
        bits = 0;
    }
    if (n % 4 != 0)
        return -EINVAL;
    *ret = g_steal_pointer(&out);
    return 0;
}

int property_parse_hex(const char *s, GByteArray **ret)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    int high = -1;

    for (; *s; s++) {
        int d = g_ascii_xdigit_value(*s);
        guint8 byte;

        if (strchr(PROPERTY_SPACE, *s))
            continue;
        if (d < 0)
            return -EINVAL;
        if (high < 0) {
            high = d;
            continue;
        }
        byte = (guint8)(high << 4 | d);
        g_byte_array_append(out, &byte, 1);
        high = -1;
    }
    if (high >= 0)
        return -EINVAL;
    *ret = g_steal_pointer(&out);
    return 0;
}

int property_parse_boolean(const char *s, bool *ret)
{
    static const char *const words[] = { "1", "yes", "y", "true", "t", "on", "0", "no", "n", "false", "f",
        "off" };

    ARRAY_FOREACH (w, words)
        if (g_ascii_strcasecmp(s, *w) == 0) {
            *ret = w < words + G_N_ELEMENTS(words) / 2;
            return 0;
        }
    return -EINVAL;
}

/* strtoull() does not know 0b and 0o. */
static const char *skip_base(const char *s, int *base)
{
    if (*base == 0 && s[0] == '0' && s[1] && strchr("bBoO", s[1])) {
        *base = s[1] == 'b' || s[1] == 'B' ? 2 : 8;
        return s + 2;
    }
    return s;
}

int property_parse_u64(const char *s, int base, uint64_t *ret)
{
    char *end;

    s += strspn(s, PROPERTY_SPACE);
    s = skip_base(s, &base);
    errno = 0;
    *ret = strtoull(s, &end, base);
    if (errno > 0)
        return -errno;
    if (end == s || *end)
        return -EINVAL;
    return *ret != 0 && *s == '-' ? -ERANGE : 0;
}

int property_parse_i64(const char *s, int64_t *ret)
{
    int base = 0;
    char *end;

    s += strspn(s, PROPERTY_SPACE);
    s = skip_base(s, &base);
    errno = 0;
    *ret = strtoll(s, &end, base);
    if (errno > 0)
        return -errno;
    return end == s || *end ? -EINVAL : 0;
}

int property_parse_range(const char *s, uint64_t *ret_low, uint64_t *ret_high)
{
    const char *dash = strchr(s, '-');
    g_autofree char *low = dash ? g_strndup(s, (gsize)(dash - s)) : g_strdup(s);
    int r = property_parse_u64(low, 0, ret_low);

    if (r < 0)
        return r;
    *ret_high = *ret_low;
    r = dash ? property_parse_u64(dash + 1, 0, ret_high) : 0;
    if (r < 0)
        return r;
    return *ret_low > UINT_MAX || *ret_high > UINT_MAX ? -ERANGE : 0;
}

/* The fraction behind a point, of `factor`; *p is left behind its digits. */
static uint64_t fraction(const char **p, uint64_t factor)
{
    double part = 0, place = 1;

    for (; g_ascii_isdigit(**p); (*p)++) {
        place /= 10;
        part += place * (**p - '0');
    }
    return (uint64_t)(part * (double)factor);
}

int property_parse_size(const char *s, uint64_t base, uint64_t *ret)
{
    static const char suffixes[] = "EPTGMKB";
    size_t from = 0; /* "1G 5M" is a sum, the larger unit first */
    uint64_t sum = 0;

    do {
        uint64_t number, factor = 1, part = 0;
        const char *suffix;
        char *end;
        const char *p;

        s += strspn(s, PROPERTY_SPACE);
        if (*s == '-')
            return -ERANGE;
        errno = 0;
        number = strtoull(s, &end, 10);
        if (errno > 0)
            return -errno;
        if (end == s || from > strlen(suffixes))
            return -EINVAL;
        p = *end == '.' ? end + 1 : end;
        p += strspn(p, "0123456789");
        p += strspn(p, PROPERTY_SPACE);
        suffix = *p ? strchr(suffixes + from, *p) : suffixes + sizeof(suffixes) - 1;
        if (!suffix)
            suffix = suffixes + sizeof(suffixes) - 1;
        for (const char *c = suffix; c < suffixes + sizeof(suffixes) - 2; c++)
            factor *= base;
        if (*end == '.') {
            const char *f = end + 1;

            part = fraction(&f, factor);
        }
        if (number + (part > 0) > UINT64_MAX / factor || number * factor + part > UINT64_MAX - sum)
            return -ERANGE;
        sum += number * factor + part;
        s = *suffix ? p + 1 : p;
        from = (size_t)(suffix - suffixes) + 1;
    } while (*s);
    *ret = sum;
    return 0;
}

static const struct {
    const char *suffix;
    uint64_t usec; /* 0: nanoseconds */
} span_units[] = {
    { "y", 31557600000000 },
    { "year", 31557600000000 },
    { "years", 31557600000000 },
    { "M", 2629800000000 },
    { "month", 2629800000000 },
    { "months", 2629800000000 },
    { "w", 604800000000 },
    { "week", 604800000000 },
    { "weeks", 604800000000 },
    { "d", 86400000000 },
    { "day", 86400000000 },
    { "days", 86400000000 },
    { "h", 3600000000 },
    { "hr", 3600000000 },
    { "hour", 3600000000 },
    { "hours", 3600000000 },
    { "m", 60000000 },
    { "min", 60000000 },
    { "minute", 60000000 },
    { "minutes", 60000000 },
    { "s", 1000000 },
    { "sec", 1000000 },
    { "second", 1000000 },
    { "seconds", 1000000 },
    { "ms", 1000 },
    { "msec", 1000 },
    { "us", 1 },
    { "usec", 1 },
    { "μs", 1 },
    { "µs", 1 },
    { "ns", 0 },
    { "nsec", 0 },
};

/* The longest unit that stands at p, and how long it is. */
static size_t span_unit(const char *p, bool nsec, uint64_t *unit)
{
    size_t longest = 0;

    ARRAY_FOREACH (u, span_units) {
        size_t n = strlen(u->suffix);

        if (n <= longest || strncmp(p, u->suffix, n) != 0 || (u->usec == 0 && !nsec))
            continue;
        longest = n;
        *unit = u->usec == 0 ? 1 : u->usec * (nsec ? 1000 : 1);
    }
    return longest;
}

int property_parse_span(const char *s, bool nsec, uint64_t unit, uint64_t *ret)
{
    uint64_t sum = 0;

    s += strspn(s, PROPERTY_SPACE);
    if (g_str_has_prefix(s, "infinity")) {
        s += strlen("infinity");
        *ret = UINT64_MAX;
        return s[strspn(s, PROPERTY_SPACE)] ? -EINVAL : 0;
    }
    if (!*s)
        return -EINVAL;
    do {
        uint64_t factor = unit, part = 0;
        const char *p, *point = NULL;
        size_t spaces, length;
        long long number;
        char *end;

        if (*s == '-')
            return -ERANGE;
        errno = 0;
        number = strtoll(s, &end, 10);
        if (errno > 0)
            return -errno;
        if (number < 0)
            return -ERANGE;
        if (end == s && *end != '.')
            return -EINVAL;
        p = end;
        if (*p == '.') {
            point = p + 1;
            p = point + strspn(point, "0123456789");
            if (p == point)
                return -EINVAL;
        }
        spaces = strspn(p, PROPERTY_SPACE);
        length = span_unit(p + spaces, nsec, &factor);
        if (spaces + length == 0 && *p)
            return -EINVAL;
        for (uint64_t place = factor / 10; point && g_ascii_isdigit(*point); point++, place /= 10)
            part += (uint64_t)(*point - '0') * place;
        if ((uint64_t)number >= UINT64_MAX / factor)
            return -ERANGE;
        if ((uint64_t)number * factor >= UINT64_MAX - sum - part)
            return -ERANGE;
        sum += (uint64_t)number * factor + part;
        s = p + spaces + length;
        s += strspn(s, PROPERTY_SPACE);
    } while (*s);
    *ret = sum;
    return 0;
}

int property_parse_permyriad(const char *s, uint64_t *ret)
{
    static const struct {
        const char *suffix;
        int places;
    } units[] = { { "%", 2 }, { "‰", 1 }, { "‱", 0 } };

    ARRAY_FOREACH (u, units) {
        g_autofree char *number = NULL;
        char *point;
        int64_t v;
        size_t decimals = 0;

        if (!g_str_has_suffix(s, u->suffix))
            continue;
        number = g_strndup(s, strlen(s) - strlen(u->suffix));
        point = strchr(number, '.');
        if (point) {
            decimals = strspn(point + 1, "0123456789");
            if (decimals == 0 || decimals > (size_t)u->places || point[1 + decimals])
                return -EINVAL;
            *point = 0;
        }
        if (property_parse_i64(number, &v) < 0 || v < 0 || v > INT_MAX)
            return -EINVAL;
        for (size_t i = 0; i < (size_t)u->places; i++)
            v = v * 10 + (i < decimals ? point[1 + i] - '0' : 0);
        *ret = (uint64_t)v;
        return v > INT_MAX ? -ERANGE : 0;
    }
    return -EINVAL;
}

bool property_parse_is_path(const char *s)
{
    return s[0] == '/' && strlen(s) < PATH_MAX;
}

bool property_parse_is_prefixed_path(const char *s)
{
    if (*s == '-')
        s++;
    if (*s == '+')
        s++;
    return property_parse_is_path(s);
}

bool property_parse_is_subdirectory(const char *s)
{
    g_auto(GStrv) parts = g_strsplit(s, "/", -1);

    if (!*s || *s == '/')
        return false;
    for (char **p = parts; *p; p++)
        if (strcmp(*p, "..") == 0 || strcmp(*p, ".") == 0 || (p == parts && strcmp(*p, "private") == 0))
            return false;
    return true;
}

static size_t variable_length(const char *s)
{
    size_t n = 0;

    while (g_ascii_isalpha(s[n]) || s[n] == '_' || (n > 0 && g_ascii_isdigit(s[n])))
        n++;
    return n;
}

bool property_parse_is_variable(const char *s)
{
    size_t n = variable_length(s);

    return n > 0 && !s[n];
}

bool property_parse_is_assignment(const char *s)
{
    size_t n = variable_length(s);

    return n > 0 && s[n] == '=';
}

bool property_parse_is_unset(const char *s)
{
    return property_parse_is_variable(s) || property_parse_is_assignment(s);
}

bool property_parse_is_home_path(const char *s)
{
    if (*s == '-')
        s++;
    return !*s || strcmp(s, "~") == 0 || property_parse_is_path(s);
}

bool property_parse_is_credential(const char *s)
{
    if (!*s || strlen(s) > NAME_MAX || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
        return false;
    for (; *s; s++)
        if (*s == '/' || *s == ':' || *s < ' ' || *s > '~')
            return false;
    return true;
}
