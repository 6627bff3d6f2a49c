/* Lines of [Input] and [Output]. */
#include <math.h>
#include <string.h>

#include "base/suggest.h"
#include "model/input-convert.h"
#include "model/json.h"
#include "model/timespec.h"
#include "model/words.h"

static const char *const input_type_names[_INPUT_TYPE_MAX] = {
    [INPUT_STRING] = "string",
    [INPUT_INTEGER] = "integer",
    [INPUT_NUMBER] = "number",
    [INPUT_BOOLEAN] = "boolean",
    [INPUT_DATETIME] = "datetime",
    [INPUT_DURATION] = "duration",
    [INPUT_FILE] = "file",
    [INPUT_JSON] = "json",
};

#define TYPE(t) (1u << (t))

/* Where a line is read to. */
typedef struct SpecReader {
    InputSpec *spec;
    bool is_output;
    const char *file;
    unsigned line, column;
    DiagList *diags;

    unsigned max_at, default_at, choices_at;
} SpecReader;

typedef struct SpecWord {
    const char *name;
    bool has_value;
    unsigned types; /* that may have it */
    bool outputs;   /* may an output have it */
    void (*set)(SpecReader *r, const char *value, unsigned at);
} SpecWord;

static void spec_fault(SpecReader *r, unsigned at, const char *format, ...) _printf_(3, 4);

static void spec_fault(SpecReader *r, unsigned at, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    diag_add(r->diags, r->file, r->line, r->column + at, r->spec->name, "%s", message);
}

static void spec_set_required(SpecReader *r, const char *value, unsigned at)
{
    r->spec->required = true;
}

static void spec_set_secret(SpecReader *r, const char *value, unsigned at)
{
    r->spec->secret = true;
}

static void spec_set_default(SpecReader *r, const char *value, unsigned at)
{
    r->spec->default_text = g_strdup(value);
    r->default_at = at;
}

static void spec_set_help(SpecReader *r, const char *value, unsigned at)
{
    r->spec->description = g_strdup(value);
}

/* A limit as the type counts: exactly for integers and spans, characters and bytes for what has a length. */
static bool spec_read_limit(SpecReader *r, const char *value, unsigned at, int64_t *ret_int, double *ret)
{
    g_autofree char *shown = NULL;
    uint64_t usec;
    gint64 n;

    if (r->spec->type == INPUT_NUMBER) {
        const InputSpec plain = { .type = INPUT_NUMBER };
        g_autoptr(JsonNode) node = NULL;
        g_autofree char *reason = NULL;

        if (input_convert_text(&plain, value, &node, &reason) >= 0) {
            *ret = g_ascii_strtod(value, NULL);
            return true;
        }
    } else if (r->spec->type == INPUT_DURATION) {
        if (timespec_parse_span(value, &usec) >= 0 && usec <= INT64_MAX) {
            *ret_int = (int64_t)usec;
            *ret = (double)usec;
            return true;
        }
    } else if (g_ascii_string_to_signed(
                   value, 10, r->spec->type == INPUT_INTEGER ? G_MININT64 : 0, G_MAXINT64, &n, NULL)) {
        *ret_int = n;
        *ret = (double)n;
        return true;
    }
    shown = words_show(value);
    spec_fault(r, at, "%s is no limit for %s", shown,
        r->spec->type == INPUT_STRING ? "a length in characters"
        : r->spec->type == INPUT_FILE ? "a length in bytes"
                                      : input_type_names[r->spec->type]);
    return false;
}

static void spec_set_min(SpecReader *r, const char *value, unsigned at)
{
    r->spec->has_min = spec_read_limit(r, value, at, &r->spec->min_int, &r->spec->min);
}

static void spec_set_max(SpecReader *r, const char *value, unsigned at)
{
    r->spec->has_max = spec_read_limit(r, value, at, &r->spec->max_int, &r->spec->max);
    r->max_at = at;
}

static void spec_set_choices(SpecReader *r, const char *value, unsigned at)
{
    r->choices_at = at;
    if (words_split_commas(value, &r->spec->choices) < 0)
        spec_fault(r, at, "a quote that is not closed");
}

static void spec_set_pattern(SpecReader *r, const char *value, unsigned at)
{
    g_autofree char *whole = g_strconcat("(?:", value, ")\\z", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GRegex) alone = g_regex_new(value, 0, 0, &error);
    g_autoptr(GRegex) wrapped = alone ? g_regex_new(whole, G_REGEX_ANCHORED, 0, &error) : NULL;

    if (wrapped)
        r->spec->pattern = g_strdup(value);
    else
        spec_fault(r, at, "no regular expression: %s", error->message);
}

#define COUNTED                                                                                              \
    (TYPE(INPUT_STRING) | TYPE(INPUT_INTEGER) | TYPE(INPUT_NUMBER) | TYPE(INPUT_DURATION) | TYPE(INPUT_FILE))
#define LISTED (TYPE(INPUT_STRING) | TYPE(INPUT_INTEGER) | TYPE(INPUT_NUMBER) | TYPE(INPUT_DURATION))

static const SpecWord spec_words[] = {
    { "required", false, UINT_MAX, true, spec_set_required },
    { "secret", false, UINT_MAX, false, spec_set_secret },
    { "default", true, UINT_MAX & ~TYPE(INPUT_FILE), false, spec_set_default },
    { "min", true, COUNTED, true, spec_set_min },
    { "max", true, COUNTED, true, spec_set_max },
    { "choices", true, LISTED, true, spec_set_choices },
    { "pattern", true, TYPE(INPUT_STRING), true, spec_set_pattern },
    { "help", true, UINT_MAX, true, spec_set_help },
};

static InputType spec_type_from_string(const char *s)
{
    for (int i = 0; i < _INPUT_TYPE_MAX; i++)
        if (g_str_equal(input_type_names[i], s))
            return (InputType)i;
    return _INPUT_TYPE_INVALID;
}

const char *input_type_to_string(InputType t)
{
    return (int)t >= 0 && t < _INPUT_TYPE_MAX ? input_type_names[t] : NULL;
}

static void spec_unknown_word(SpecReader *r, const char *name, unsigned at)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *hint = NULL, *shown = words_show(name);

    ARRAY_FOREACH (w, spec_words)
        g_ptr_array_add(names, (gpointer)w->name);
    hint = suggest_phrase(name, names);
    spec_fault(r, at, "unknown word %s%s", shown, hint);
}

static void spec_read_word(SpecReader *r, const Word *word, unsigned *seen)
{
    const char *equals = strchr(word->text, '=');
    g_autofree char *name = g_strndup(word->text, equals ? (gsize)(equals - word->text) : strlen(word->text));

    for (size_t i = 0; i < G_N_ELEMENTS(spec_words); i++) {
        const SpecWord *w = &spec_words[i];

        if (!g_str_equal(w->name, name))
            continue;
        if (*seen & 1u << i)
            spec_fault(r, word->offset, "%s twice", name);
        else if (r->is_output && !w->outputs)
            spec_fault(r, word->offset, "an output has no %s", name);
        else if (w->has_value != (bool)equals)
            spec_fault(
                r, word->offset, w->has_value ? "%s needs a value: %s=…" : "%s takes no value", name, name);
        else if (!(w->types & TYPE(r->spec->type)))
            spec_fault(
                r, word->offset, "%s has no meaning for type %s", name, input_type_names[r->spec->type]);
        else
            w->set(r, equals ? equals + 1 : NULL, word->offset);
        *seen |= 1u << i;
        return;
    }
    spec_unknown_word(r, name, word->offset);
}

/* What only the whole line can tell: does the default fit, do the limits, do the choices. */
static void spec_check(SpecReader *r)
{
    InputSpec *s = r->spec;
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *reason = NULL;

    if (s->has_min && s->has_max && (s->type == INPUT_NUMBER ? s->min > s->max : s->min_int > s->max_int))
        spec_fault(r, r->max_at, "max is less than min");
    for (guint i = 0; s->choices && i < s->choices->len; i++) {
        const InputSpec plain = { .name = s->name, .type = s->type };
        g_autoptr(JsonNode) choice = NULL;
        g_autofree char *why = NULL;

        if (input_convert_text(&plain, g_ptr_array_index(s->choices, i), &choice, &why) < 0)
            spec_fault(r, r->choices_at, "choices: %s", why);
    }
    if (!s->default_text)
        return;
    if (s->required)
        spec_fault(r, r->default_at, "what is required has no default");
    else if (s->secret)
        spec_fault(r, r->default_at, "a secret has no default, it would be readable here");
    else if (input_default_is_expression(s)) {
        uint64_t usec;

        if (timespec_eval(s->default_text, USEC_PER_SEC * 1000000000, &usec) < 0) {
            g_autofree char *shown = words_show(s->default_text);

            spec_fault(r, r->default_at, "default: %s is no %s or expression, like 'month-start -1day'",
                shown, s->type == INPUT_DATETIME ? "instant" : "time span");
        }
    } else if (input_convert_text(s, s->default_text, &node, &reason) < 0)
        spec_fault(r, r->default_at, "default: %s", reason);
}

static void spec_unknown_type(SpecReader *r, const Word *word)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *hint = NULL, *shown = words_show(word->text);

    ARRAY_FOREACH (name, input_type_names)
        g_ptr_array_add(names, (gpointer)*name);
    hint = suggest_phrase(word->text, names);
    spec_fault(r, word->offset, "%s is no type (string integer number boolean datetime duration file json)%s",
        shown, hint);
}

void input_spec_free(InputSpec *s)
{
    if (!s)
        return;
    g_free(s->name);
    g_free(s->default_text);
    g_clear_pointer(&s->choices, g_ptr_array_unref);
    g_free(s->pattern);
    g_free(s->description);
    g_free(s);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(InputSpec, input_spec_free)

int input_spec_parse(const char *name, const char *text, bool is_output, const char *file, unsigned line,
    unsigned column, DiagList *diags, InputSpec **ret)
{
    g_autoptr(InputSpec) spec = g_new0(InputSpec, 1);
    g_autoptr(GPtrArray) words = NULL;
    SpecReader r = {
        .spec = spec, .is_output = is_output, .file = file, .line = line, .column = column, .diags = diags
    };
    guint before = diags->len;
    unsigned seen = 0, at = 0;

    spec->name = g_strdup(name);
    if (words_split(text, &words, &at) < 0) {
        spec_fault(&r, at, "a quote that is not closed");
        return -EINVAL;
    }
    if (words->len == 0) {
        spec_fault(&r, 0, "a type is missing (string integer number boolean datetime duration file json)");
        return -EINVAL;
    }
    spec->type = spec_type_from_string(((Word *)g_ptr_array_index(words, 0))->text);
    if ((int)spec->type < 0) {
        spec_unknown_type(&r, g_ptr_array_index(words, 0));
        return -EINVAL;
    }
    if (is_output && spec->type == INPUT_FILE)
        spec_fault(&r, 0, "an output is no file");
    for (guint i = 1; i < words->len; i++)
        spec_read_word(&r, g_ptr_array_index(words, i), &seen);
    if (diags->len == before)
        spec_check(&r);
    if (diags->len > before)
        return -EINVAL;
    *ret = g_steal_pointer(&spec);
    return 0;
}

bool input_name_is_valid(const char *name)
{
    size_t n = 0;

    if (!g_ascii_isalpha(name[0]) && name[0] != '_')
        return false;
    for (; name[n]; n++)
        if (n >= 64 || (!g_ascii_isalnum(name[n]) && name[n] != '_' && name[n] != '-'))
            return false;
    return true;
}

const InputSpec *input_find(const GPtrArray *specs, const char *name)
{
    for (guint i = 0; i < specs->len; i++) {
        const InputSpec *s = g_ptr_array_index(specs, i);

        if (g_str_equal(s->name, name))
            return s;
    }
    return NULL;
}

GPtrArray *input_names(const GPtrArray *specs)
{
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; i < specs->len; i++)
        g_ptr_array_add(names, ((InputSpec *)g_ptr_array_index(specs, i))->name);
    return names;
}

static void spec_add_limit(const InputSpec *s, JsonObject *object, const char *name, int64_t exact, double d)
{
    if (s->type == INPUT_NUMBER)
        json_object_set_double_member(object, name, d);
    else
        json_object_set_int_member(object, name, exact);
}

static JsonObject *spec_to_object(const InputSpec *s)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "Name", s->name);
    json_object_set_string_member(object, "Type", input_type_names[s->type]);
    json_object_set_boolean_member(object, "Required", s->required);
    json_object_set_boolean_member(object, "Secret", s->secret);
    if (s->default_text)
        json_object_set_string_member(object, "Default", s->default_text);
    if (s->has_min)
        spec_add_limit(s, object, "Min", s->min_int, s->min);
    if (s->has_max)
        spec_add_limit(s, object, "Max", s->max_int, s->max);
    if (s->choices) {
        JsonArray *choices = json_array_new();

        for (guint i = 0; i < s->choices->len; i++)
            json_array_add_string_element(choices, g_ptr_array_index(s->choices, i));
        json_object_set_array_member(object, "Choices", choices);
    }
    if (s->pattern)
        json_object_set_string_member(object, "Pattern", s->pattern);
    if (s->description)
        json_object_set_string_member(object, "Description", s->description);
    return object;
}

char *input_specs_to_json(const GPtrArray *specs)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_ARRAY);
    JsonArray *array = json_array_new();

    for (guint i = 0; i < specs->len; i++)
        json_array_add_object_element(array, spec_to_object(g_ptr_array_index(specs, i)));
    json_node_take_array(node, array);
    return json_write(node);
}
