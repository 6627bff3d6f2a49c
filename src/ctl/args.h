/* The command line: options from one table, anywhere among the words, until "--". Pure. */
#pragma once

#include "base/util.h"

/* What is done, and which options go, where no verb is given. */
#define ARGS_DEFAULT_VERB "status"

typedef enum ArgsValue {
    ARGS_NONE,
    ARGS_REQUIRED,
    ARGS_OPTIONAL, /* only after "=" */
} ArgsValue;

typedef struct ArgsOption {
    const char *name;
    char letter; /* 0 is none */
    ArgsValue value;
    const char *placeholder; /* of the value; NULL where there is none */
    const char *verbs;       /* which take it, each with a blank around; NULL is all */
    const char *help;        /* English */
    const char *complete;    /* words, or one of complete.c's "@kind"; NULL where there is no value */
    const char *fallback;    /* what holds without it, NULL: nothing to name */
} ArgsOption;

/* The table. */
const ArgsOption *args_options(size_t *ret_n);
bool args_option_goes(const ArgsOption *o, const char *verb);
/* The row of the verb; NULL where it takes no such option. */
const ArgsOption *args_option(const char *name, const char *verb);

typedef struct Args {
    const char *verb;    /* NULL: none was given; borrowed from argv, as all values are */
    GPtrArray *words;    /* of const char*: what follows the verb */
    GHashTable *options; /* long name → GPtrArray of const char*, in the order given; "" for a flag */
} Args;

void args_clear(Args *a);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Args, args_clear)

/* argv without the program's name. On a fault -EINVAL and a sentence in ret_message (g_free). */
int args_parse(int argc, char *const *argv, Args *ret, char **ret_message);

/* Where the verb stands, before anything is judged; -1: nowhere. */
int args_find_verb(int argc, char *const *argv);

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
