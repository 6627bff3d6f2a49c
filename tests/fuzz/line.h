/* What holds of every line that says what is wrong, whatever is cited in it. */
#pragma once

#include <string.h>

#include "base/utf8.h"

/* A terminal shows it as it is, and it has an end. */
static inline void fuzz_check_line(const char *text)
{
    g_assert(text && *text && utf8_is_valid(text) && strlen(text) < UTF8_LINE_MAX + 16);
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        /* Of what Unicode counts as a format, but for the joiners, nothing is shown; nor what separates lines. */
        g_assert(g_unichar_isprint(c) || c == 0x200c || c == 0x200d);
        g_assert(c != 0x2028 && c != 0x2029);
    }
}

static inline void fuzz_check_lines(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    g_assert(*text);
    for (char **line = lines; *line; line++)
        fuzz_check_line(*line);
}
