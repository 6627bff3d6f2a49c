/* Text as all parts of the system take it: UTF-8 without NUL and without what Unicode calls noncharacters (U+FFFF and
 * its like). GLib takes those, PostgreSQL does, but sd-bus neither sends nor reads them: one in a run's output would
 * make every list unsendable that this run is in. */
#pragma once

#include "base/util.h"

static inline bool utf8_is_noncharacter(gunichar c)
{
    return (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

bool utf8_is_valid(const char *s);
/* The same of n bytes, which NUL does not end. ret_end may be NULL; it gets where the first wrong character begins, or the
 * end. */
bool utf8_is_valid_len(const char *s, size_t n, const char **ret_end);
/* A copy in which U+FFFD stands for whatever is wrong; g_free. */
char *utf8_make_valid(const char *s);

/* Bytes of a line as it is shown, but for its last character: nobody reads more of a message. */
#define UTF8_LINE_MAX 2000

/* Appends the character at p as it is shown: escaped (\n, \t, \x1b, \u202e) if a terminal would obey it rather than print it,
 * as is a byte that is no UTF-8. Returns what follows it. */
const char *utf8_append_shown(GString *into, const char *p);
/* A copy that is one printable line, at its end "…" where it is cut; g_free. */
char *utf8_show_line(const char *s);
/* The same of each line of a text. */
char *utf8_show_lines(const char *s);
