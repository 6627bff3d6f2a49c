/* Small pieces of values: booleans and lists of words that know their place. */
#pragma once

#include "base/util.h"

typedef struct Word {
    char *text;      /* quotes removed */
    unsigned offset; /* in characters, where it begins */
} Word;

/* systemd's: 1 yes y true t on, 0 no n false f off, case aside. -EINVAL. */
int words_parse_boolean(const char *s, bool *ret);
/* Splits at white space. Quotes of both kinds keep text together, also within a word (a="b c"); in double
 * quotes a backslash takes a quote or a backslash after it literally, everywhere else it is one itself.
 * -EINVAL for a quote that is not closed, *ret_offset says where. *ret of Word*, owned. */
int words_split(const char *s, GPtrArray **ret, unsigned *ret_offset);
/* Splits at commas by the same rules, items stripped. *ret of char*, owned, never empty. */
int words_split_commas(const char *s, GPtrArray **ret);
/* For messages: text as one printable line, cut where it is long; between two of quote, words_show() between single quotes. g_free. */
char *words_quote(const char *text, char quote);
char *words_show(const char *text);
