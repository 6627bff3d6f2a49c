/* The command line: options from one table, anywhere among the words, until "--". Pure. */
#pragma once

#include "base/util.h"

typedef struct Args {
    const char *verb;    /* NULL: none was given; borrowed from argv, as all values are */
    GPtrArray *words;    /* of const char*: what follows the verb */
    GHashTable *options; /* long name → GPtrArray of const char*, in the order given; "" for a flag */
} Args;

void args_clear(Args *a);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Args, args_clear)

/* argv without the program's name. On a fault -EINVAL and a sentence in ret_message (g_free). */
int args_parse(int argc, char *const *argv, Args *ret, char **ret_message);

bool args_has(const Args *a, const char *option);
/* The last value given, NULL if none. */
const char *args_get(const Args *a, const char *option);
/* All values; NULL if none. */
const GPtrArray *args_all(const Args *a, const char *option);

/* key=value, split at the first "=". *ret_key g_free, *ret_value within word. -EINVAL without "=" or key. */
int args_split(const char *word, char **ret_key, const char **ret_value);
/* A decimal number within the range and nothing else; -EINVAL, -ERANGE. */
int args_number(const char *text, int64_t min, int64_t max, int64_t *ret);
/* The id of a run: digits alone, 1 and up. */
bool args_is_run(const char *word, uint64_t *ret);
