/* Parsing of the command line by a table; getopt would keep its state in globals and knows no verbs. The same table is
 * the help of options and what shells complete. */
#include "ctl/args.h"

#include <string.h>

#include "base/suggest.h"
#include "lib/i18n.h"

#define RESULTS                                                                                              \
    "success exit-code signal core-dump oom-kill timeout watchdog resources condition cancelled skipped "    \
    "expired lost not-found dependency"

#define CAUSES                                                                                               \
    "by-hand overlap calendar paused disabled host-down window-passed deadline-passed not-existing changed refused"

/* A name may have several rows, for verbs that mean different things by it; letter and kind of value are the same in
 * all of them. */
static const ArgsOption table[] = {
    { "user", 0, ARGS_NONE, NULL, NULL, N_("The instance of this user rather than the system's") },
    { "system", 0, ARGS_NONE, NULL, NULL, N_("The system's instance, which is the default") },
    { "host", 'H', ARGS_REQUIRED, "[USER@]HOST", NULL, N_("The one on another machine, over ssh"), "@host" },
    { "json", 0, ARGS_OPTIONAL, "MODE", NULL, N_("pretty, short or off"), "pretty short off", "off" },
    { "no-legend", 0, ARGS_NONE, NULL, NULL, N_("No headers and footers") },
    { "no-pager", 0, ARGS_NONE, NULL, NULL, N_("No pager") },
    { "no-ask-password", 0, ARGS_NONE, NULL, NULL, N_("Do not ask for passwords") },
    { "quiet", 'q', ARGS_NONE, NULL, NULL, N_("No messages but errors") },
    { "help", 'h', ARGS_NONE, NULL, NULL, N_("This text; with a verb, its help alone") },
    { "version", 0, ARGS_NONE, NULL, NULL, N_("The version") },

    { "input", 0, ARGS_REQUIRED, "JSON|@FILE", " run ", N_("The whole input at once"), "@" },
    { "at", 0, ARGS_REQUIRED, "TIME", " run ", N_("Not before TIME"), "@", "now" },
    { "meta", 0, ARGS_REQUIRED, "KEY=VALUE", " run ", N_("Metadata kept with the run"), "@" },
    { "token", 0, ARGS_REQUIRED, "TOKEN", " run ", N_("The same token again returns the same run"), "@" },
    { "priority", 0, ARGS_REQUIRED, "N", " run ", N_("-1000 to 1000, higher first, instead of the task's"),
        "@" },
    { "wait", 0, ARGS_NONE, NULL, " run ", N_("Wait for the end; exit with the task's status") },
    { "follow", 'f', ARGS_NONE, NULL, " run ", N_("Likewise, and show output and progress") },

    { "task", 0, ARGS_REQUIRED, "TASK", " list-runs ", N_("Of this task"), "@task" },
    { "state", 0, ARGS_REQUIRED, "STATE", " list-runs ", N_("In this state"),
        "waiting queued starting running stopping paused done" },
    { "result", 0, ARGS_REQUIRED, "RESULT", " list-runs ", N_("Done, with this result"), RESULTS },
    { "requester", 0, ARGS_REQUIRED, "USER", " list-runs ", N_("Asked for by this user, name or number"),
        "@user" },
    { "meta", 0, ARGS_REQUIRED, "KEY=VALUE", " list-runs ", N_("With this metadata; may be repeated"), "@" },
    { "since", 0, ARGS_REQUIRED, "TIME", " list-runs ", N_("Asked for at TIME or later"), "@" },
    { "until", 0, ARGS_REQUIRED, "TIME", " list-runs ", N_("Asked for at TIME or before"), "@" },
    { "limit", 0, ARGS_REQUIRED, "N", " list-runs ", N_("At most N; 0 is all"), "@", "100" },

    { "outcome", 0, ARGS_REQUIRED, "OUTCOME", " list-slots ", N_("Only slots with this outcome"),
        "fired skipped" },
    { "cause", 0, ARGS_REQUIRED, "CAUSE", " list-slots ", N_("Only slots that were skipped for it"), CAUSES },
    { "since", 0, ARGS_REQUIRED, "TIME", " list-slots ", N_("Slots of TIME or later"), "@" },
    { "until", 0, ARGS_REQUIRED, "TIME", " list-slots ", N_("Slots of TIME or before"), "@" },
    { "limit", 0, ARGS_REQUIRED, "N", " list-slots ", N_("At most N; 0 is all"), "@", "100" },

    { "requester", 0, ARGS_REQUIRED, "USER", " list-audit ", N_("Calls of this user, name or number"),
        "@user" },
    { "method", 0, ARGS_REQUIRED, "METHOD", " list-audit ", N_("Calls of this method, as on the bus"),
        "@method" },
    { "granted", 0, ARGS_NONE, NULL, " list-audit ", N_("Only what was granted") },
    { "refused", 0, ARGS_NONE, NULL, " list-audit ", N_("Only what was refused") },
    { "since", 0, ARGS_REQUIRED, "TIME", " list-audit ", N_("At TIME or later"), "@" },
    { "until", 0, ARGS_REQUIRED, "TIME", " list-audit ", N_("At TIME or before"), "@" },
    { "limit", 0, ARGS_REQUIRED, "N", " list-audit ", N_("At most N; 0 is all"), "@", "100" },

    { "property", 'p', ARGS_REQUIRED, "KEY[,KEY…]", " show ", N_("These keys alone; may be repeated"), "@" },

    { "follow", 'f', ARGS_NONE, NULL, " logs ", N_("Go on with what comes") },
    { "lines", 'n', ARGS_REQUIRED, "N", " logs ", N_("The last N lines"), "@", "all" },
    { "output", 'o', ARGS_REQUIRED, "MODE", " logs ", N_("One of journalctl's"),
        "short short-iso short-precise short-monotonic verbose export json json-pretty cat with-unit",
        "short" },

    { "after", 0, ARGS_REQUIRED, "TIME", " next ", N_("Only what fires later than TIME"), "@", "now" },
    { "until", 0, ARGS_REQUIRED, "TIME", " next ", N_("Only what fires at TIME or before"), "@" },
    { "count", 0, ARGS_REQUIRED, "N", " next ", N_("How many, up to 1000"), "@", "20" },
    { "expression", 0, ARGS_REQUIRED, "KEY=VALUE", " next ",
        N_("Of a schedule with these keys, which is not defined; may be repeated"), "@" },
    { "since", 0, ARGS_REQUIRED, "TIME", " timeline plot ", N_("Begin at TIME"), "@", "-1d" },
    { "until", 0, ARGS_REQUIRED, "TIME", " timeline plot ", N_("End at TIME"), "@", "+1d" },
    { "days", 0, ARGS_REQUIRED, "N", " plan ", N_("Compare the fire times of N days, up to 366"), "@", "7" },
    { "count", 0, ARGS_REQUIRED, "N", " plan ", N_("Of each schedule show N times gained and N lost"), "@",
        "10" },
    { "output", 'o', ARGS_REQUIRED, "DIR", " export import ", N_("As files in DIR"), "@directory" },
    { "format", 0, ARGS_REQUIRED, "FORMAT", " export ", N_("As task files, for cron or for systemd"),
        "task crontab timer", "task" },
    { "kind", 0, ARGS_REQUIRED, "KIND", " import ", N_("What the files are, where their place does not tell"),
        "crontab system-crontab anacrontab timer at" },
    { "owner", 0, ARGS_REQUIRED, "USER", " import ", N_("Whose crontab it is"), "@user" },
    { "apply", 0, ARGS_NONE, NULL, " import ", N_("Keep the definitions in the database") },
    { "force", 0, ARGS_NONE, NULL, " import ", N_("Write over tasks of the same name") },
    { "signal", 's', ARGS_REQUIRED, "SIGNAL", " kill ", N_("Name or number"),
        "HUP INT QUIT KILL USR1 USR2 TERM CONT STOP", "TERM" },
    { "until", 0, ARGS_REQUIRED, "TIME", " disable ", N_("Pause it, and go on by itself at TIME"), "@" },
    { "dry-run", 0, ARGS_NONE, NULL, " backfill ", N_("Only say for which times") },
    { "name", 0, ARGS_REQUIRED, "NAME", " apply verify plan ", N_("The task's name instead of the file's"),
        "@" },
    { "full", 0, ARGS_NONE, NULL, " edit ", N_("The task's file itself, not a drop-in") },
};

void args_clear(Args *a)
{
    g_clear_pointer(&a->words, g_ptr_array_unref);
    g_clear_pointer(&a->options, g_hash_table_unref);
}

static const ArgsOption *args_find(const char *name, size_t length, char letter)
{
    ARRAY_FOREACH (o, table)
        if (letter ? o->letter == letter
                   : name && strlen(o->name) == length && memcmp(o->name, name, length) == 0)
            return o;
    return NULL;
}

static void args_add(Args *a, const ArgsOption *o, const char *value)
{
    GPtrArray *values = g_hash_table_lookup(a->options, o->name);

    if (!values) {
        values = g_ptr_array_new();
        g_hash_table_insert(a->options, (char *)o->name, values);
    }
    g_ptr_array_add(values, (char *)value);
}

/* Which of the names is near to a mistyped one; NULL: none is. */
static const char *args_near(const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    ARRAY_FOREACH (o, table)
        g_ptr_array_add(names, (char *)o->name);
    return suggest_nearest(name, names);
}

static char *args_unknown(const char *name, size_t length)
{
    g_autofree char *given = g_strndup(name, length);
    const char *near = args_near(given);

    return near ? g_strdup_printf(_("Unknown option --%s, did you mean --%s?"), given, near)
                : g_strdup_printf(_("Unknown option --%s"), given);
}

/* *i is at the word; moved on where the value is the next one. */
static int args_parse_long(Args *a, int argc, char *const *argv, int *i, char **ret_message)
{
    const char *name = argv[*i] + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const ArgsOption *o = args_find(name, length, 0);
    const char *value = equals ? equals + 1 : NULL;

    if (!o) {
        *ret_message = args_unknown(name, length);
        return -EINVAL;
    }
    if (o->value == ARGS_NONE && value) {
        *ret_message = g_strdup_printf(_("Option --%s takes no value"), o->name);
        return -EINVAL;
    }
    if (o->value == ARGS_REQUIRED && !value) {
        if (*i + 1 >= argc) {
            *ret_message = g_strdup_printf(_("Option --%s needs a value"), o->name);
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
        const ArgsOption *o = args_find(NULL, 0, *p);

        if (!o) {
            *ret_message = g_strdup_printf(_("Unknown option -%c"), *p);
            return -EINVAL;
        }
        if (o->value != ARGS_REQUIRED) {
            args_add(a, o, "");
            continue;
        }
        if (!p[1] && *i + 1 >= argc) {
            *ret_message = g_strdup_printf(_("Option -%c needs a value"), *p);
            return -EINVAL;
        }
        args_add(a, o, p[1] ? p + 1 : argv[++*i]);
        return 0;
    }
    return 0;
}

int args_find_verb(int argc, char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        const ArgsOption *o;

        if (g_str_equal(word, "--"))
            return i + 1 < argc ? i + 1 : -1;
        if (word[0] != '-' || !word[1])
            return i;
        /* Of letters in one word the last may take the next word. */
        o = word[1] == '-' ? args_find(word + 2, strlen(word + 2), 0)
                           : args_find(NULL, 0, word[strlen(word) - 1]);
        if (o && o->value == ARGS_REQUIRED)
            i++;
    }
    return -1;
}

bool args_option_goes(const ArgsOption *o, const char *verb)
{
    g_autofree char *word = g_strdup_printf(" %s ", verb);

    return !o->verbs || strstr(o->verbs, word);
}

const ArgsOption *args_options(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(table);
    return table;
}

const ArgsOption *args_option(const char *name, const char *verb)
{
    ARRAY_FOREACH (o, table)
        if (g_str_equal(o->name, name) && args_option_goes(o, verb))
            return o;
    return NULL;
}

/* An option that the verb would ignore is a mistake of the person's: better said than passed over. */
static int args_check(const Args *a, char **ret_message)
{
    const char *verb = a->verb ? a->verb : ARGS_DEFAULT_VERB;
    GHashTableIter i;
    gpointer name;

    g_hash_table_iter_init(&i, a->options);
    while (g_hash_table_iter_next(&i, &name, NULL))
        if (!args_option(name, verb)) {
            *ret_message = g_strdup_printf(_("Option --%s does not go with %s"), (const char *)name, verb);
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
