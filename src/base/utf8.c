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

/* For GLib the separators of lines and paragraphs print, which end a line for some, and the two joiners do not, which some
 * scripts need and no terminal obeys. */
static bool utf8_is_printable(gunichar c)
{
    bool separator = c == 0x2028 || c == 0x2029, joiner = c == 0x200c || c == 0x200d;

    return joiner || (g_unichar_isprint(c) && !separator);
}

const char *utf8_append_shown(GString *into, const char *p)
{
    gunichar c = g_utf8_get_char_validated(p, -1);

    if (c == (gunichar)-1 || c == (gunichar)-2) {
        g_string_append_printf(into, "\\x%02x", (unsigned char)*p);
        return p + 1;
    }
    if (c == '\n')
        g_string_append(into, "\\n");
    else if (c == '\t')
        g_string_append(into, "\\t");
    else if (utf8_is_printable(c))
        g_string_append_unichar(into, c);
    else
        g_string_append_printf(into, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
    return g_utf8_next_char(p);
}

/* Stops at the character that ends it, or at the end. */
static const char *utf8_append_line(GString *into, const char *p, char end)
{
    gsize begin = into->len;

    while (*p && *p != end)
        if (into->len - begin < UTF8_LINE_MAX) {
            p = utf8_append_shown(into, p);
        } else {
            g_string_append(into, "…");
            p += strcspn(p, (char[]){ end, '\0' });
        }
    return p;
}

char *utf8_show_line(const char *s)
{
    GString *shown = g_string_new(NULL);

    utf8_append_line(shown, s, '\0');
    return g_string_free(shown, FALSE);
}

char *utf8_show_lines(const char *s)
{
    GString *shown = g_string_new(NULL);

    for (s = utf8_append_line(shown, s, '\n'); *s; s = utf8_append_line(shown, s + 1, '\n'))
        g_string_append_c(shown, '\n');
    return g_string_free(shown, FALSE);
}
