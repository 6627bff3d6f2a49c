/* Splitting and showing of values. */
#include <string.h>

#include "base/utf8.h"
#include "model/words.h"

#define WORDS_SHOWN_MAX 64

int words_parse_boolean(const char *s, bool *ret)
{
    static const char *const yes[] = { "1", "yes", "y", "true", "t", "on" };
    static const char *const no[] = { "0", "no", "n", "false", "f", "off" };

    for (size_t i = 0; i < G_N_ELEMENTS(yes); i++) {
        if (g_ascii_strcasecmp(s, yes[i]) == 0) {
            *ret = true;
            return 0;
        }
        if (g_ascii_strcasecmp(s, no[i]) == 0) {
            *ret = false;
            return 0;
        }
    }
    return -EINVAL;
}

static void word_free(gpointer data)
{
    Word *w = data;

    g_free(w->text);
    g_free(w);
}

/* One quoted stretch, *p behind its opening quote; false where it has no end. */
static bool words_quoted(const char **p, char quote, GString *into)
{
    for (; **p && **p != quote; (*p)++) {
        if (quote == '"' && **p == '\\' && ((*p)[1] == '"' || (*p)[1] == '\\'))
            (*p)++;
        g_string_append_c(into, **p);
    }
    if (!**p)
        return false;
    (*p)++;
    return true;
}

int words_split(const char *s, GPtrArray **ret, unsigned *ret_offset)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(word_free);
    g_autoptr(GString) text = g_string_new(NULL);
    const char *p = s, *counted = s;
    unsigned offset = 0;

    for (;;) {
        Word *w;

        while (g_ascii_isspace(*p))
            p++;
        if (!*p)
            break;
        offset += (unsigned)g_utf8_strlen(counted, p - counted);
        counted = p;
        g_string_truncate(text, 0);
        while (*p && !g_ascii_isspace(*p)) {
            char c = *p++;

            if (c != '"' && c != '\'')
                g_string_append_c(text, c);
            else if (!words_quoted(&p, c, text)) {
                *ret_offset = offset;
                return -EINVAL;
            }
        }
        w = g_new(Word, 1);
        w->text = g_strdup(text->str);
        w->offset = offset;
        g_ptr_array_add(words, w);
    }
    *ret = g_steal_pointer(&words);
    return 0;
}

int words_split_commas(const char *s, GPtrArray **ret)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_free);
    const char *p = s;

    for (;;) {
        g_autoptr(GString) item = g_string_new(NULL);
        gsize keep = 0; /* what quotes hold is not stripped */

        while (g_ascii_isspace(*p))
            p++;
        while (*p && *p != ',') {
            char c = *p++;

            if (c != '"' && c != '\'') {
                g_string_append_c(item, c);
                continue;
            }
            if (!words_quoted(&p, c, item))
                return -EINVAL;
            keep = item->len;
        }
        while (item->len > keep && g_ascii_isspace(item->str[item->len - 1]))
            g_string_truncate(item, item->len - 1);
        g_ptr_array_add(items, g_strdup(item->str));
        if (!*p)
            break;
        p++;
    }
    *ret = g_steal_pointer(&items);
    return 0;
}

char *words_quote(const char *text, char quote)
{
    GString *s = g_string_new_len(&quote, 1);
    unsigned n = 0;

    for (const char *p = text; *p; n++) {
        if (n >= WORDS_SHOWN_MAX) {
            g_string_append(s, "…");
            break;
        }
        p = utf8_append_shown(s, p);
    }
    g_string_append_c(s, quote);
    return g_string_free(s, FALSE);
}

char *words_show(const char *text)
{
    return words_quote(text, '\'');
}
