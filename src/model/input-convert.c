/* Conversion by type, a table of one row each, and the limits a specification sets. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/input-convert.h"
#include "base/utf8.h"
#include "model/json.h"
#include "model/timespec.h"
#include "model/words.h"

/* A pattern is the administrator's, the value may be anybody's: matching is given up after this many steps.
 */
#define INPUT_PATTERN_PREFIX "(*LIMIT_MATCH=200000)"

typedef struct InputTypeRow {
    JsonNode *(*from_text)(const InputSpec *s, const char *text, char **ret_reason);
    JsonNode *(*from_json)(const InputSpec *s, JsonNode *node, char **ret_reason);
} InputTypeRow;

static char *input_show(const InputSpec *s, const char *text)
{
    return s->secret ? g_strdup("the value") : words_show(text);
}

static JsonNode *input_refuse(const InputSpec *s, const char *text, const char *what, char **ret_reason)
{
    g_autofree char *shown = input_show(s, text);

    *ret_reason = g_strdup_printf("%s %s", shown, what);
    return NULL;
}

static JsonNode *input_refuse_json(
    const InputSpec *s, JsonNode *node, const char *expected, char **ret_reason)
{
    *ret_reason = g_strdup_printf("%s is expected, not %s", expected,
        JSON_NODE_HOLDS_NULL(node)                         ? "null"
        : JSON_NODE_HOLDS_OBJECT(node)                     ? "an object"
        : JSON_NODE_HOLDS_ARRAY(node)                      ? "an array"
        : json_node_get_value_type(node) == G_TYPE_STRING  ? "a string"
        : json_node_get_value_type(node) == G_TYPE_BOOLEAN ? "a boolean"
        : json_node_get_value_type(node) == G_TYPE_DOUBLE  ? "a number with a fraction"
                                                           : "an integer");
    return NULL;
}

static JsonNode *input_node_string(const char *text)
{
    return json_node_init_string(json_node_alloc(), text);
}

static JsonNode *input_node_int(gint64 n)
{
    return json_node_init_int(json_node_alloc(), n);
}

static bool input_json_is(JsonNode *node, GType type)
{
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type;
}

/* ---- string ---- */

static JsonNode *input_string_from_text(const InputSpec *s, const char *text, char **ret_reason)
{
    if (!utf8_is_valid(text))
        return input_refuse(s, text, "is not valid UTF-8", ret_reason);
    return input_node_string(text);
}

static JsonNode *input_string_from_json(const InputSpec *s, JsonNode *node, char **ret_reason)
{
    if (!input_json_is(node, G_TYPE_STRING))
        return input_refuse_json(s, node, "a string", ret_reason);
    return input_string_from_text(s, json_node_get_string(node), ret_reason);
}

/* ---- integer, number ---- */

static JsonNode *input_integer_from_text(const InputSpec *s, const char *text, char **ret_reason)
{
    const char *digits = text + (*text == '+' || *text == '-');
    gint64 n;

    if (!*digits || digits[strspn(digits, "0123456789")])
        return input_refuse(s, text, "is not an integer", ret_reason);
    if (!g_ascii_string_to_signed(*text == '+' ? digits : text, 10, G_MININT64, G_MAXINT64, &n, NULL))
        return input_refuse(s, text, "is beyond -9223372036854775808 … 9223372036854775807", ret_reason);
    return input_node_int(n);
}

static JsonNode *input_integer_from_json(const InputSpec *s, JsonNode *node, char **ret_reason)
{
    if (!input_json_is(node, G_TYPE_INT64))
        return input_refuse_json(s, node, "an integer", ret_reason);
    return input_node_int(json_node_get_int(node));
}

static bool input_is_number(const char *p)
{
    size_t before, after = 0;

    p += *p == '+' || *p == '-';
    before = strspn(p, "0123456789");
    p += before;
    if (*p == '.') {
        after = strspn(p + 1, "0123456789");
        p += 1 + after;
    }
    if (before + after == 0)
        return false;
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '+' || *p == '-';
        if (!g_ascii_isdigit(*p))
            return false;
        p += strspn(p, "0123456789");
    }
    return !*p;
}

static JsonNode *input_number_from_text(const InputSpec *s, const char *text, char **ret_reason)
{
    gint64 n;
    double d;

    if (!input_is_number(text))
        return input_refuse(s, text, "is not a number", ret_reason);
    if (g_ascii_string_to_signed(*text == '+' ? text + 1 : text, 10, G_MININT64, G_MAXINT64, &n, NULL))
        return input_node_int(n);
    d = g_ascii_strtod(text, NULL);
    if (!isfinite(d))
        return input_refuse(s, text, "is too large a number", ret_reason);
    return json_node_init_double(json_node_alloc(), d);
}

static JsonNode *input_number_from_json(const InputSpec *s, JsonNode *node, char **ret_reason)
{
    if (input_json_is(node, G_TYPE_INT64))
        return input_node_int(json_node_get_int(node));
    if (!input_json_is(node, G_TYPE_DOUBLE))
        return input_refuse_json(s, node, "a number", ret_reason);
    if (!isfinite(json_node_get_double(node))) {
        *ret_reason = g_strdup("is not a finite number");
        return NULL;
    }
    return json_node_init_double(json_node_alloc(), json_node_get_double(node));
}

/* ---- boolean ---- */

static JsonNode *input_boolean_from_text(const InputSpec *s, const char *text, char **ret_reason)
{
    bool b;

    if (words_parse_boolean(text, &b) < 0)
        return input_refuse(s, text, "is neither yes nor no", ret_reason);
    return json_node_init_boolean(json_node_alloc(), b);
}

static JsonNode *input_boolean_from_json(const InputSpec *s, JsonNode *node, char **ret_reason)
{
    if (!input_json_is(node, G_TYPE_BOOLEAN))
        return input_refuse_json(s, node, "a boolean", ret_reason);
    return json_node_init_boolean(json_node_alloc(), json_node_get_boolean(node));
}

/* ---- datetime, duration ---- */

static JsonNode *input_datetime_node(uint64_t usec)
{
    g_autofree char *text = timespec_format_instant(usec);

    return input_node_string(text);
}

static JsonNode *input_datetime_from_text(const InputSpec *s, const char *text, char **ret_reason)
{
    uint64_t usec;
    int r = timespec_parse_absolute(text, &usec);

    if (r == -ERANGE)
        return input_refuse(s, text, "is out of range", ret_reason);
    if (r < 0)
        return input_refuse(s, text, "is no instant with a date, like 2030-01-31T06:00:00Z", ret_reason);
    return input_datetime_node(usec);
}

static JsonNode *input_datetime_from_json(const InputSpec *s, JsonNode *node, char **ret_reason)
{
    if (!input_json_is(node, G_TYPE_STRING))
        return input_refuse_json(s, node, "an instant as a string", ret_reason);
    return input_datetime_from_text(s, json_node_get_string(node), ret_reason);
}

static JsonNode *input_duration_from_text(const InputSpec *s, const char *text, char **ret_reason)
{
    uint64_t usec;
    int r = timespec_parse_span(text, &usec);

    if (r == -ERANGE || (r >= 0 && usec > INT64_MAX))
        return input_refuse(s, text, "is too long a time span", ret_reason);
    if (r < 0)
        return input_refuse(s, text, "is no time span, like '90s' or '1h 30min'", ret_reason);
    return input_node_int((gint64)usec);
}

static JsonNode *input_duration_from_json(const InputSpec *s, JsonNode *node, char **ret_reason)
{
    if (input_json_is(node, G_TYPE_STRING))
        return input_duration_from_text(s, json_node_get_string(node), ret_reason);
    if (!input_json_is(node, G_TYPE_INT64))
        return input_refuse_json(s, node, "an integer of µs or a time span as a string", ret_reason);
    if (json_node_get_int(node) < 0) {
        *ret_reason = g_strdup("a time span is not negative");
        return NULL;
    }
    return input_node_int(json_node_get_int(node));
}

/* ---- file ---- */

static JsonNode *input_file_from_text(const InputSpec *s, const char *text, char **ret_reason)
{
    *ret_reason = g_strdup_printf("is a file, given as %s=@FILE", s->name);
    return NULL;
}

/* Base64 and nothing else: what decodes to bytes that encode to it again. */
static JsonNode *input_file_from_json(const InputSpec *s, JsonNode *node, char **ret_reason)
{
    g_autofree guchar *bytes = NULL;
    g_autofree char *again = NULL;
    const char *text;
    gsize n = 0;

    if (!input_json_is(node, G_TYPE_STRING))
        return input_refuse_json(s, node, "a file's content in base64", ret_reason);
    text = json_node_get_string(node);
    bytes = g_base64_decode(text, &n);
    again = g_base64_encode(bytes, n);
    if (!g_str_equal(text, again)) {
        *ret_reason = g_strdup("is not base64");
        return NULL;
    }
    return input_node_string(text);
}

/* ---- json ---- */

static JsonNode *input_json_from_text(const InputSpec *s, const char *text, char **ret_reason)
{
    g_autofree char *reason = NULL;
    JsonNode *node = NULL;

    if (json_read(text, strlen(text), &node, &reason) >= 0)
        return node;
    /* a name given twice would be quoted */
    *ret_reason = s->secret ? g_strdup("is not JSON") : g_strdup_printf("is not JSON: %s", reason);
    return NULL;
}

static JsonNode *input_json_from_json(const InputSpec *s, JsonNode *node, char **ret_reason)
{
    return json_node_copy(node);
}

static const InputTypeRow input_rows[_INPUT_TYPE_MAX] = {
    [INPUT_STRING] = { input_string_from_text, input_string_from_json },
    [INPUT_INTEGER] = { input_integer_from_text, input_integer_from_json },
    [INPUT_NUMBER] = { input_number_from_text, input_number_from_json },
    [INPUT_BOOLEAN] = { input_boolean_from_text, input_boolean_from_json },
    [INPUT_DATETIME] = { input_datetime_from_text, input_datetime_from_json },
    [INPUT_DURATION] = { input_duration_from_text, input_duration_from_json },
    [INPUT_FILE] = { input_file_from_text, input_file_from_json },
    [INPUT_JSON] = { input_json_from_text, input_json_from_json },
};

/* ---- limits ---- */

static int input_check_integer(const InputSpec *s, gint64 n, char **ret_reason)
{
    bool small = s->has_min && n < s->min_int, large = s->has_max && n > s->max_int;
    gint64 limit = small ? s->min_int : s->max_int;
    g_autofree char *shown = NULL;

    if (!small && !large)
        return 0;
    shown = s->type == INPUT_DURATION ? timespec_format_span((uint64_t)limit)
                                      : g_strdup_printf("%" G_GINT64_FORMAT, limit);
    *ret_reason = g_strdup_printf("has to be %s at %s", shown, small ? "least" : "most");
    return -EINVAL;
}

static int input_check_number(const InputSpec *s, double d, char **ret_reason)
{
    bool small = s->has_min && d < s->min, large = s->has_max && d > s->max;

    if (!small && !large)
        return 0;
    *ret_reason = g_strdup_printf("has to be %.15g at %s", small ? s->min : s->max, small ? "least" : "most");
    return -EINVAL;
}

static int input_check_length(const InputSpec *s, gint64 n, const char *unit, char **ret_reason)
{
    bool small = s->has_min && n < s->min_int, large = s->has_max && n > s->max_int;

    if (!small && !large)
        return 0;
    *ret_reason = g_strdup_printf("has %" G_GINT64_FORMAT " %s, %" G_GINT64_FORMAT " at %s are wanted", n,
        unit, small ? s->min_int : s->max_int, small ? "least" : "most");
    return -EINVAL;
}

static int input_check_pattern(const InputSpec *s, const char *text, char **ret_reason)
{
    g_autofree char *whole = g_strconcat(INPUT_PATTERN_PREFIX "(?:", s->pattern, ")\\z", NULL);
    g_autofree char *shown = NULL;
    g_autoptr(GRegex) regex = g_regex_new(whole, G_REGEX_ANCHORED, 0, NULL);

    if (regex && g_regex_match(regex, text, 0, NULL))
        return 0;
    shown = input_show(s, text);
    *ret_reason = g_strdup_printf("%s does not match the pattern '%s'", shown, s->pattern);
    return -EINVAL;
}

static int input_check_choices(const InputSpec *s, JsonNode *node, char **ret_reason)
{
    g_autofree char *value = json_write(node);
    g_autoptr(GString) list = g_string_new(NULL);

    for (guint i = 0; i < s->choices->len; i++) {
        const char *choice = g_ptr_array_index(s->choices, i);
        g_autoptr(JsonNode) other = NULL;
        g_autofree char *text = NULL, *reason = NULL;

        other = input_rows[s->type].from_text(s, choice, &reason);
        text = other ? json_write(other) : NULL;
        if (text && g_str_equal(text, value))
            return 0;
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", choice);
    }
    *ret_reason = g_strdup_printf("has to be one of: %s", list->str);
    return -EINVAL;
}

static int input_check(const InputSpec *s, JsonNode *node, char **ret_reason)
{
    const char *text;
    int r = 0;

    switch (s->type) {
    case INPUT_STRING:
        text = json_node_get_string(node);
        r = input_check_length(s, g_utf8_strlen(text, -1), "characters", ret_reason);
        if (r >= 0 && s->pattern)
            r = input_check_pattern(s, text, ret_reason);
        break;
    case INPUT_INTEGER:
    case INPUT_DURATION:
        r = input_check_integer(s, json_node_get_int(node), ret_reason);
        break;
    case INPUT_NUMBER:
        r = input_check_number(s,
            input_json_is(node, G_TYPE_INT64) ? (double)json_node_get_int(node) : json_node_get_double(node),
            ret_reason);
        break;
    case INPUT_FILE:
        text = json_node_get_string(node);
        r = input_check_length(s,
            (gint64)(strlen(text) / 4 * 3) - g_str_has_suffix(text, "=") - g_str_has_suffix(text, "=="),
            "bytes", ret_reason);
        break;
    case INPUT_BOOLEAN:
    case INPUT_DATETIME:
    case INPUT_JSON:
    case _INPUT_TYPE_MAX:
    case _INPUT_TYPE_INVALID:
        break;
    }
    if (r >= 0 && s->choices)
        r = input_check_choices(s, node, ret_reason);
    return r;
}

static int input_finish(const InputSpec *s, JsonNode *node, JsonNode **ret, char **ret_reason)
{
    g_autoptr(JsonNode) owned = node;

    if (!owned || input_check(s, owned, ret_reason) < 0)
        return -EINVAL;
    *ret = g_steal_pointer(&owned);
    return 0;
}

int input_convert_text(const InputSpec *s, const char *text, JsonNode **ret, char **ret_reason)
{
    return input_finish(s, input_rows[s->type].from_text(s, text, ret_reason), ret, ret_reason);
}

int input_convert_json(const InputSpec *s, JsonNode *node, JsonNode **ret, char **ret_reason)
{
    return input_finish(s, input_rows[s->type].from_json(s, node, ret_reason), ret, ret_reason);
}

int input_convert_bytes(const InputSpec *s, GBytes *bytes, JsonNode **ret, char **ret_reason)
{
    gsize n;
    const char *data = g_bytes_get_data(bytes, &n);
    g_autofree char *text = NULL;

    if (s->type == INPUT_FILE) {
        text = g_base64_encode((const guchar *)(data ? data : ""), n);
        return input_finish(s, input_node_string(text), ret, ret_reason);
    }
    if (n > 0 && memchr(data, 0, n)) {
        *ret_reason = g_strdup("the file holds a NUL byte, only an input of type file may");
        return -EINVAL;
    }
    if (n > 0 && !utf8_is_valid_len(data, n, NULL)) {
        *ret_reason = g_strdup("the file is not valid UTF-8, only an input of type file may be other bytes");
        return -EINVAL;
    }
    /* A file made by an editor ends in a newline, which is no part of the value. */
    if (s->type == INPUT_STRING && n > 0 && data[n - 1] == '\n')
        n--;
    text = g_strndup(data ? data : "", n);
    return input_convert_text(s, s->type == INPUT_STRING ? text : g_strstrip(text), ret, ret_reason);
}

/* ---- defaults ---- */

bool input_default_is_expression(const InputSpec *s)
{
    uint64_t usec;

    if (!s->default_text)
        return false;
    if (s->type == INPUT_DATETIME)
        return timespec_parse_absolute(s->default_text, &usec) < 0;
    return s->type == INPUT_DURATION && timespec_parse_span(s->default_text, &usec) < 0;
}

int input_eval_default(const InputSpec *s, uint64_t now, JsonNode **ret, char **ret_reason)
{
    JsonNode *node;
    uint64_t usec;

    if (timespec_eval(s->default_text, now, &usec) < 0) {
        input_refuse(s, s->default_text, "is no instant or expression, like 'month-start -1day'", ret_reason);
        return -EINVAL;
    }
    if (s->type == INPUT_DURATION)
        node = input_node_int((gint64)(usec > now ? usec - now : now - usec));
    else
        node = input_datetime_node(usec);
    return input_finish(s, node, ret, ret_reason);
}
