/* What text is. */
#include "base/utf8.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* The first noncharacter of UTF-8 text, NULL if it has none. */
static const char *utf8_find_noncharacter(const char *s, const char *end)
{
    while (s < end) {
        if ((*s & 0x80) && utf8_is_noncharacter(g_utf8_get_char(s)))
            return s;
        s = g_utf8_next_char(s);
    }
    return NULL;
}

bool utf8_is_valid_len(const char *s, size_t n, const char **ret_end)
{
    const char *end, *bad;
    bool valid = g_utf8_validate_len(s, n, &end);

    bad = utf8_find_noncharacter(s, end);
    if (ret_end)
        *ret_end = bad ? bad : end;
    return valid && !bad;
}

bool utf8_is_valid(const char *s)
{
    return utf8_is_valid_len(s, strlen(s), NULL);
}

char *utf8_make_valid(const char *s)
{
    g_autofree char *utf8 = g_utf8_make_valid(s, -1);
    const char *p = utf8, *end = utf8 + strlen(utf8), *bad;
    GString *made = g_string_new(NULL);

    while ((bad = utf8_find_noncharacter(p, end))) {
        g_string_append_len(made, p, bad - p);
        g_string_append(made, REPLACEMENT);
        p = g_utf8_next_char(bad);
    }
    g_string_append(made, p);
    return g_string_free(made, FALSE);
}
