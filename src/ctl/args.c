/* Parsing of the command line by a table; getopt would keep its state in globals and knows no verbs. */
#include "ctl/args.h"

#include <string.h>

typedef enum OptionValue {
    VALUE_NONE,
    VALUE_REQUIRED,
    VALUE_OPTIONAL, /* only after "=" */
} OptionValue;

typedef struct Option {
    const char *name;
    char letter; /* 0 is none */
    OptionValue value;
    const char *verbs; /* which take it, each with a blank around; NULL is all */
} Option;

static const Option table[] = {
    { "help", 'h', VALUE_NONE, NULL },
    { "version", 0, VALUE_NONE, NULL },
    { "user", 0, VALUE_NONE, NULL },
    { "system", 0, VALUE_NONE, NULL },
    { "host", 'H', VALUE_REQUIRED, NULL },
    { "json", 0, VALUE_OPTIONAL, NULL },
    { "no-legend", 0, VALUE_NONE, NULL },
    { "no-pager", 0, VALUE_NONE, NULL },
    { "quiet", 'q', VALUE_NONE, NULL },
    { "property", 'p', VALUE_REQUIRED, " show " },
    { "input", 0, VALUE_REQUIRED, " run " },
    { "at", 0, VALUE_REQUIRED, " run " },
    { "meta", 0, VALUE_REQUIRED, " run list-runs " },
    { "token", 0, VALUE_REQUIRED, " run " },
    { "priority", 0, VALUE_REQUIRED, " run " },
    { "wait", 0, VALUE_NONE, " run " },
    { "follow", 'f', VALUE_NONE, " run logs " },
    { "lines", 'n', VALUE_REQUIRED, " logs next " },
    { "output", 'o', VALUE_REQUIRED, " logs export " },
    { "signal", 's', VALUE_REQUIRED, " kill " },
    { "name", 0, VALUE_REQUIRED, " apply verify " },
    { "task", 0, VALUE_REQUIRED, " list-runs " },
    { "state", 0, VALUE_REQUIRED, " list-runs " },
    { "result", 0, VALUE_REQUIRED, " list-runs " },
    { "since", 0, VALUE_REQUIRED, " list-runs " },
    { "until", 0, VALUE_REQUIRED, " list-runs " },
    { "requester", 0, VALUE_REQUIRED, " list-runs " },
    { "limit", 0, VALUE_REQUIRED, " list-runs " },
};

void args_clear(Args *a)
{
    g_clear_pointer(&a->words, g_ptr_array_unref);
    g_clear_pointer(&a->options, g_hash_table_unref);
}

static const Option *args_find(const char *name, size_t length, char letter)
{
    ARRAY_FOREACH (o, table)
        if (letter ? o->letter == letter : strlen(o->name) == length && memcmp(o->name, name, length) == 0)
            return o;
    return NULL;
}

static void args_add(Args *a, const Option *o, const char *value)
{
    GPtrArray *values = g_hash_table_lookup(a->options, o->name);

    if (!values) {
        values = g_ptr_array_new();
        g_hash_table_insert(a->options, (char *)o->name, values);
    }
    g_ptr_array_add(values, (char *)value);
}

/* *i is at the word; moved on where the value is the next one. */
static int args_parse_long(Args *a, int argc, char *const *argv, int *i, char **ret_message)
{
    const char *name = argv[*i] + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const Option *o = args_find(name, length, 0);
    const char *value = equals ? equals + 1 : NULL;

    if (!o) {
        *ret_message = g_strdup_printf("Unknown option --%.*s", (int)length, name);
        return -EINVAL;
    }
    if (o->value == VALUE_NONE && value) {
        *ret_message = g_strdup_printf("Option --%s takes no value", o->name);
        return -EINVAL;
    }
    if (o->value == VALUE_REQUIRED && !value) {
        if (*i + 1 >= argc) {
            *ret_message = g_strdup_printf("Option --%s needs a value", o->name);
            return -EINVAL;
        }
        value = argv[++*i];
    }
    args_add(a, o, util_strempty(value));
    return 0;
}

/* "-qf", "-n5", "-n 5". */
static int args_parse_short(Args *a, int argc, char *const *argv, int *i, char **ret_message)
{
    for (const char *p = argv[*i] + 1; *p; p++) {
        const Option *o = args_find(NULL, 0, *p);

        if (!o) {
            *ret_message = g_strdup_printf("Unknown option -%c", *p);
            return -EINVAL;
        }
        if (o->value != VALUE_REQUIRED) {
            args_add(a, o, "");
            continue;
        }
        if (!p[1] && *i + 1 >= argc) {
            *ret_message = g_strdup_printf("Option -%c needs a value", *p);
            return -EINVAL;
        }
        args_add(a, o, p[1] ? p + 1 : argv[++*i]);
        return 0;
    }
    return 0;
}

/* An option that the verb would ignore is a mistake of the person's: better said than passed over. */
static int args_check(const Args *a, char **ret_message)
{
    g_autofree char *verb = g_strdup_printf(" %s ", util_strempty(a->verb));

    ARRAY_FOREACH (o, table)
        if (a->verb && o->verbs && args_has(a, o->name) && !strstr(o->verbs, verb)) {
            *ret_message = g_strdup_printf("Option --%s does not go with %s", o->name, a->verb);
            return -EINVAL;
        }
    return 0;
}

int args_parse(int argc, char *const *argv, Args *ret, char **ret_message)
{
    g_auto(Args) a = { 0 };
    bool ended = false;
    int r = 0;

    a.words = g_ptr_array_new();
    a.options = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    for (int i = 0; i < argc && r >= 0; i++) {
        if (!ended && g_str_equal(argv[i], "--"))
            ended = true;
        else if (!ended && g_str_has_prefix(argv[i], "--"))
            r = args_parse_long(&a, argc, argv, &i, ret_message);
        else if (!ended && argv[i][0] == '-' && argv[i][1])
            r = args_parse_short(&a, argc, argv, &i, ret_message);
        else if (!a.verb)
            a.verb = argv[i];
        else
            g_ptr_array_add(a.words, argv[i]);
    }
    if (r >= 0)
        r = args_check(&a, ret_message);
    if (r < 0)
        return r;
    *ret = a;
    a = (Args){ 0 };
    return 0;
}

const GPtrArray *args_all(const Args *a, const char *option)
{
    return g_hash_table_lookup(a->options, option);
}

bool args_has(const Args *a, const char *option)
{
    return args_all(a, option);
}

const char *args_get(const Args *a, const char *option)
{
    const GPtrArray *values = args_all(a, option);

    return values ? g_ptr_array_index(values, values->len - 1) : NULL;
}

int args_split(const char *word, char **ret_key, const char **ret_value)
{
    const char *equals = strchr(word, '=');

    if (!equals || equals == word)
        return -EINVAL;
    *ret_key = g_strndup(word, (size_t)(equals - word));
    *ret_value = equals + 1;
    return 0;
}

int args_number(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    g_autoptr(GError) error = NULL;

    if (g_ascii_string_to_signed(text, 10, min, max, ret, &error))
        return 0;
    return g_error_matches(error, G_NUMBER_PARSER_ERROR, G_NUMBER_PARSER_ERROR_OUT_OF_BOUNDS) ? -ERANGE
                                                                                              : -EINVAL;
}

bool args_is_run(const char *word, uint64_t *ret)
{
    int64_t number;

    if (!g_ascii_isdigit(word[0]) || args_number(word, 1, INT64_MAX, &number) < 0)
        return false;
    if (ret)
        *ret = (uint64_t)number;
    return true;
}
