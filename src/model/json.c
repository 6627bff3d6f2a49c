/* A strict reader and a compact writer. The reader builds the tree while it judges, so that nothing is
 * understood in two ways; it descends JSON_DEPTH_MAX levels at most, whatever it is given. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/json.h"

#include "base/utf8.h"

typedef struct JsonScan {
    const char *start, *p, *end;
    unsigned depth;
    char *reason; /* the first fault, owned */
} JsonScan;

static bool json_fail(JsonScan *r, const char *at, const char *format, ...) _printf_(3, 4);

static bool json_fail(JsonScan *r, const char *at, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list ap;

    if (!r->reason) {
        va_start(ap, format);
        what = g_strdup_vprintf(format, ap);
        va_end(ap);
        r->reason = g_strdup_printf("%s at byte %zu", what, (size_t)(at - r->start));
    }
    return false;
}

static void json_skip_space(JsonScan *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

static bool json_take(JsonScan *r, char c)
{
    if (r->p >= r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool json_read_hex(JsonScan *r, gunichar *ret)
{
    gunichar c = 0;

    if (r->end - r->p < 4)
        return json_fail(r, r->p, "an escape that is cut off");
    for (unsigned i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(r->p[i]);

        if (digit < 0)
            return json_fail(r, r->p, "an escape that is not four hexadecimal digits");
        c = c << 4 | (gunichar)digit;
    }
    r->p += 4;
    *ret = c;
    return true;
}

static bool json_read_unicode(JsonScan *r, GString *into)
{
    const char *at = r->p - 2;
    gunichar c = 0, low = 0;

    if (!json_read_hex(r, &c))
        return false;
    if (c == 0)
        return json_fail(r, at, "a NUL in a string");
    if (c >= 0xd800 && c < 0xdc00) {
        if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
            return json_fail(r, at, "half a surrogate pair");
        r->p += 2;
        if (!json_read_hex(r, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return json_fail(r, at, "half a surrogate pair");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c >= 0xdc00 && c <= 0xdfff)
        return json_fail(r, at, "half a surrogate pair");
    if (utf8_is_noncharacter(c))
        return json_fail(r, at, "no character (U+%04X)", c);
    g_string_append_unichar(into, c);
    return true;
}

static bool json_read_string(JsonScan *r, GString *into)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *at = r->p;

    if (!json_take(r, '"'))
        return json_fail(r, at, "a string is expected");
    while (r->p < r->end) {
        char c = *r->p++;
        const char *escape;

        if (c == '"')
            return true;
        if ((unsigned char)c < 0x20)
            return json_fail(r, r->p - 1, "a control character in a string");
        if (c != '\\') {
            g_string_append_c(into, c);
            continue;
        }
        if (r->p >= r->end)
            break;
        c = *r->p++;
        escape = strchr(escapes, c);
        if (c == 'u') {
            if (!json_read_unicode(r, into))
                return false;
        } else if (c && escape)
            g_string_append_c(into, meanings[escape - escapes]);
        else
            return json_fail(r, r->p - 2, "an unknown escape");
    }
    return json_fail(r, at, "a string without an end");
}

static void json_skip_digits(JsonScan *r)
{
    while (r->p < r->end && g_ascii_isdigit(*r->p))
        r->p++;
}

static bool json_read_number(JsonScan *r, JsonNode *into)
{
    const char *at = r->p;
    g_autofree char *text = NULL;
    bool whole = true;
    gint64 n;
    double d;

    json_take(r, '-');
    if (r->p >= r->end || !g_ascii_isdigit(*r->p))
        return json_fail(r, at, "neither a value nor a number");
    if (!json_take(r, '0'))
        json_skip_digits(r);
    if (json_take(r, '.')) {
        whole = false;
        if (r->p >= r->end || !g_ascii_isdigit(*r->p))
            return json_fail(r, at, "a number without digits behind its point");
        json_skip_digits(r);
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        whole = false;
        r->p++;
        if (!json_take(r, '+'))
            json_take(r, '-');
        if (r->p >= r->end || !g_ascii_isdigit(*r->p))
            return json_fail(r, at, "a number without digits in its exponent");
        json_skip_digits(r);
    }
    if (r->p < r->end && (g_ascii_isalnum(*r->p) || *r->p == '.' || *r->p == '_'))
        return json_fail(r, at, "a malformed number");
    text = g_strndup(at, (size_t)(r->p - at));
    if (whole) {
        if (!g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &n, NULL))
            return json_fail(r, at, "an integer beyond %" PRId64 " … %" PRId64, INT64_MIN, INT64_MAX);
        json_node_init_int(into, n);
        return true;
    }
    d = g_ascii_strtod(text, NULL);
    if (!isfinite(d))
        return json_fail(r, at, "a number too large");
    json_node_init_double(into, d);
    return true;
}

static bool json_read_value(JsonScan *r, JsonNode *into);

static bool json_read_object(JsonScan *r, JsonNode *into)
{
    JsonObject *object = json_object_new();

    json_node_init_object(into, object);
    json_object_unref(object);
    json_skip_space(r);
    if (json_take(r, '}'))
        return true;
    for (;;) {
        g_autoptr(GString) name = g_string_new(NULL);
        g_autoptr(JsonNode) value = json_node_alloc();
        const char *at;

        json_skip_space(r);
        at = r->p;
        if (!json_read_string(r, name))
            return false;
        if (json_object_has_member(object, name->str)) {
            g_autofree char *shown = g_utf8_substring(name->str, 0, MIN(g_utf8_strlen(name->str, -1), 64));

            return json_fail(r, at, "the name \"%s\" twice in one object", shown);
        }
        json_skip_space(r);
        if (!json_take(r, ':'))
            return json_fail(r, r->p, "a ':' is expected");
        if (!json_read_value(r, value))
            return false;
        json_object_set_member(object, name->str, g_steal_pointer(&value));
        json_skip_space(r);
        if (json_take(r, '}'))
            return true;
        if (!json_take(r, ','))
            return json_fail(r, r->p, "a ',' or '}' is expected");
    }
}

static bool json_read_array(JsonScan *r, JsonNode *into)
{
    JsonArray *array = json_array_new();

    json_node_init_array(into, array);
    json_array_unref(array);
    json_skip_space(r);
    if (json_take(r, ']'))
        return true;
    for (;;) {
        g_autoptr(JsonNode) value = json_node_alloc();

        if (!json_read_value(r, value))
            return false;
        json_array_add_element(array, g_steal_pointer(&value));
        json_skip_space(r);
        if (json_take(r, ']'))
            return true;
        if (!json_take(r, ','))
            return json_fail(r, r->p, "a ',' or ']' is expected");
    }
}

static bool json_read_word(JsonScan *r, JsonNode *into)
{
    static const char *const words[] = { "null", "true", "false" };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        size_t n = strlen(words[i]);

        if ((size_t)(r->end - r->p) < n || memcmp(r->p, words[i], n) != 0)
            continue;
        r->p += n;
        if (i == 0)
            json_node_init_null(into);
        else
            json_node_init_boolean(into, i == 1);
        return true;
    }
    return json_read_number(r, into);
}

static bool json_read_value(JsonScan *r, JsonNode *into)
{
    bool ok;

    /* An initialised node can be freed whatever happens next. */
    json_node_init_null(into);
    json_skip_space(r);
    if (r->p >= r->end)
        return json_fail(r, r->p, "a value is expected");
    if (*r->p == '"') {
        g_autoptr(GString) s = g_string_new(NULL);

        ok = json_read_string(r, s);
        json_node_init_string(into, s->str);
        return ok;
    }
    if (*r->p != '{' && *r->p != '[')
        return json_read_word(r, into);
    if (r->depth >= JSON_DEPTH_MAX)
        return json_fail(r, r->p, "deeper than %d levels", JSON_DEPTH_MAX);
    r->depth++;
    ok = *r->p++ == '{' ? json_read_object(r, into) : json_read_array(r, into);
    r->depth--;
    return ok;
}

static bool json_check_text(JsonScan *r)
{
    const char *bad = memchr(r->start, 0, (size_t)(r->end - r->start));

    if (bad)
        return json_fail(r, bad, "a NUL");
    if (!utf8_is_valid_len(r->start, (gsize)(r->end - r->start), &bad))
        return json_fail(r, bad, "invalid UTF-8");
    return true;
}

int json_read(const char *text, size_t length, JsonNode **ret, char **ret_reason)
{
    JsonScan r = { .start = util_strempty(text) };
    g_autoptr(JsonNode) node = json_node_alloc();
    bool ok;

    r.p = r.start;
    r.end = r.start + length;
    json_node_init_null(node);
    ok = json_check_text(&r) && json_read_value(&r, node);
    if (ok) {
        json_skip_space(&r);
        if (r.p < r.end)
            ok = json_fail(&r, r.p, "something after the value");
    }
    if (!ok) {
        if (ret_reason)
            *ret_reason = g_steal_pointer(&r.reason);
        g_free(r.reason);
        return -EINVAL;
    }
    *ret = g_steal_pointer(&node);
    return 0;
}

static void json_write_string(GString *s, const char *text)
{
    g_string_append_c(s, '"');
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '"':
        case '\\':
            g_string_append_c(s, '\\');
            g_string_append_c(s, *p);
            break;
        case '\n':
            g_string_append(s, "\\n");
            break;
        case '\r':
            g_string_append(s, "\\r");
            break;
        case '\t':
            g_string_append(s, "\\t");
            break;
        default:
            if ((unsigned char)*p < 0x20 || *p == 0x7f)
                g_string_append_printf(s, "\\u%04x", (unsigned char)*p);
            else
                g_string_append_c(s, *p);
        }
    }
    g_string_append_c(s, '"');
}

char *json_format_double(double d)
{
    static const char *const formats[] = { "%.15g", "%.16g", "%.17g" };
    char text[G_ASCII_DTOSTR_BUF_SIZE] = "0";

    /* The shortest that reads back as the same number. */
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(text, sizeof text, formats[i], d);
        if (!(g_ascii_strtod(text, NULL) < d) && !(g_ascii_strtod(text, NULL) > d))
            break;
    }
    /* A number that came with a point stays one. */
    return strpbrk(text, ".en") ? g_strdup(text) : g_strconcat(text, ".0", NULL);
}

static void json_write_node(GString *s, JsonNode *node);

static void json_write_members(GString *s, JsonObject *object)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;
    bool first = true;

    g_string_append_c(s, '{');
    json_object_iter_init_ordered(&iter, object);
    while (json_object_iter_next_ordered(&iter, &name, &value)) {
        if (!first)
            g_string_append_c(s, ',');
        first = false;
        json_write_string(s, name);
        g_string_append_c(s, ':');
        json_write_node(s, value);
    }
    g_string_append_c(s, '}');
}

static void json_write_array(GString *s, JsonArray *array)
{
    g_string_append_c(s, '[');
    for (guint i = 0; i < json_array_get_length(array); i++) {
        if (i > 0)
            g_string_append_c(s, ',');
        json_write_node(s, json_array_get_element(array, i));
    }
    g_string_append_c(s, ']');
}

static void json_write_scalar(GString *s, JsonNode *node)
{
    GType type = json_node_get_value_type(node);

    if (type == G_TYPE_STRING)
        json_write_string(s, json_node_get_string(node));
    else if (type == G_TYPE_BOOLEAN)
        g_string_append(s, json_node_get_boolean(node) ? "true" : "false");
    else if (type == G_TYPE_DOUBLE) {
        g_autofree char *text = json_format_double(json_node_get_double(node));

        g_string_append(s, text);
    } else
        g_string_append_printf(s, "%" G_GINT64_FORMAT, json_node_get_int(node));
}

static void json_write_node(GString *s, JsonNode *node)
{
    switch (json_node_get_node_type(node)) {
    case JSON_NODE_OBJECT:
        json_write_members(s, json_node_get_object(node));
        break;
    case JSON_NODE_ARRAY:
        json_write_array(s, json_node_get_array(node));
        break;
    case JSON_NODE_VALUE:
        json_write_scalar(s, node);
        break;
    case JSON_NODE_NULL:
        g_string_append(s, "null");
        break;
    }
}

char *json_write(JsonNode *node)
{
    GString *s = g_string_new(NULL);

    json_write_node(s, node);
    return g_string_free(s, FALSE);
}

char *json_write_object(JsonObject *object)
{
    GString *s = g_string_new(NULL);

    json_write_members(s, object);
    return g_string_free(s, FALSE);
}
