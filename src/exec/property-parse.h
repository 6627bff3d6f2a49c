/* The small languages that values of unit settings are written in: words, numbers, sizes, time spans, as
 * systemd.syntax(7) and systemd.time(7) define them. Pure. All return 0, or -EINVAL or -ERANGE. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define PROPERTY_SPACE " \t\n\r"

typedef enum PropertyWordFlags {
    PROPERTY_WORD_UNQUOTE = 1 << 0,    /* quotes are removed, and what is in them is not split */
    PROPERTY_WORD_UNESCAPE = 1 << 1,   /* C escapes are undone */
    PROPERTY_WORD_SEPARATORS = 1 << 2, /* an escaped separator is part of the word */
    PROPERTY_WORD_KEEP_ESCAPES = 1 << 3,
    PROPERTY_WORD_EXACT = 1 << 4, /* every separator ends a word, so words may be empty */
} PropertyWordFlags;

/* Takes the next word from *p: 1 and the word (g_free), 0 at the end, -EINVAL where quotes or escapes are
 * broken or the word is not UTF-8. *p is NULL once the text has ended, else just behind a separator. */
int property_parse_word(const char **p, const char *separators, unsigned flags, char **ret);

/* All of them: NULL-terminated (g_strfreev). */
int property_parse_words(const char *s, const char *separators, unsigned flags, char ***ret);

int property_parse_unescape(const char *s, GByteArray **ret);
int property_parse_base64(const char *s, GByteArray **ret);
int property_parse_hex(const char *s, GByteArray **ret);

int property_parse_boolean(const char *s, bool *ret);
/* Decimal, or 0x, 0o, 0b; a leading zero is octal where base is 0. */
int property_parse_u64(const char *s, int base, uint64_t *ret);
int property_parse_i64(const char *s, int64_t *ret);
int property_parse_range(const char *s, uint64_t *ret_low, uint64_t *ret_high);
/* K M G T P E as powers of base, 1000 or 1024. */
int property_parse_size(const char *s, uint64_t base, uint64_t *ret);
/* In µs, or in ns where nsec; a number without a unit counts as `unit` of them. "infinity" is UINT64_MAX. */
int property_parse_span(const char *s, bool nsec, uint64_t unit, uint64_t *ret);
/* 12.5%, 3‰, 7‱: in ten-thousandths. */
int property_parse_permyriad(const char *s, uint64_t *ret);

/* Checks of words and strings. */
bool property_parse_is_path(const char *s);          /* absolute */
bool property_parse_is_prefixed_path(const char *s); /* the same after - and + */
bool property_parse_is_subdirectory(const char *s);  /* relative, and stays inside */
bool property_parse_is_variable(const char *s);      /* the name of an environment variable */
bool property_parse_is_assignment(const char *s);    /* NAME=VALUE */
bool property_parse_is_unset(const char *s);         /* either */
bool property_parse_is_home_path(const char *s);     /* of WorkingDirectory= */
bool property_parse_is_credential(const char *s);    /* the name of a credential */
