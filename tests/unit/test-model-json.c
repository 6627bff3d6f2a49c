/* The strict reader and the writer: what is refused and why, what survives a round trip, what is bounded. */
#include <string.h>

#include "base/utf8.h"
#include "model/json.h"

static char *reason_of(const char *text, size_t length)
{
    JsonNode *node = NULL;
    char *reason = NULL;

    g_assert_cmpint(json_read(text, length, &node, &reason), ==, -EINVAL);
    g_assert_null(node);
    g_assert_nonnull(reason);
    return reason;
}

static void refuse(const char *text, const char *part)
{
    g_autofree char *reason = reason_of(text, strlen(text));

    if (!strstr(reason, part))
        g_error("'%s' was refused with \"%s\", not with \"%s\"", text, reason, part);
}

/* Reads, writes, compares. */
static void keep(const char *text, const char *written)
{
    g_autoptr(JsonNode) node = NULL, again = NULL;
    g_autofree char *reason = NULL, *out = NULL, *twice = NULL;

    if (json_read(text, strlen(text), &node, &reason) < 0)
        g_error("'%s': %s", text, reason);
    out = json_write(node);
    g_assert_cmpstr(out, ==, written);
    g_assert_cmpint(json_read(out, strlen(out), &again, NULL), >=, 0);
    twice = json_write(again);
    g_assert_cmpstr(twice, ==, out);
}

static void test_values(void)
{
    keep(" null ", "null");
    keep("true", "true");
    keep("\t[ ]\r\n", "[]");
    keep("{}", "{}");
    keep("{\"b\":1,\"a\":[2,{\"c\":false}]}", "{\"b\":1,\"a\":[2,{\"c\":false}]}");
    keep("9223372036854775807", "9223372036854775807");
    keep("-9223372036854775808", "-9223372036854775808");
    keep("-0", "0");
    keep("0.1", "0.1");
    keep("1.0", "1.0");
    keep("1e2", "100.0");
    keep("1E+2", "100.0");
    keep("1.7976931348623157e308", "1.7976931348623157e+308");
    keep("5e-324", "4.94065645841247e-324");
    keep("0.30000000000000004", "0.30000000000000004");
    keep("\"\"", "\"\"");
    keep("\"\\u00e9\\ud83d\\ude00\\/\"", "\"é😀/\"");
    keep("\"\\n\\t\\r\\b\\f\\\"\\\\\"", "\"\\n\\t\\r\\u0008\\u000c\\\"\\\\\"");
}

/* No other part of the system takes more than this, sd-bus above all. */
static void test_text(void)
{
    static const struct {
        const char *text, *made;
        size_t valid; /* bytes from the start */
    } texts[] = {
        { "", "", 0 },
        { "aé😀\xef\xb7\x8f\xef\xbf\xbd", "aé😀\xef\xb7\x8f\xef\xbf\xbd", 13 },
        { "a\xef\xbf\xbf"
          "b",
            "a\xef\xbf\xbd"
            "b",
            1 },
        { "\xef\xb7\x90\xef\xb7\xaf", "\xef\xbf\xbd\xef\xbf\xbd", 0 },
        { "é\xf0\x9f\xbf\xbe\xff", "é\xef\xbf\xbd\xef\xbf\xbd", 2 },
    };

    ARRAY_FOREACH (t, texts) {
        g_autofree char *made = utf8_make_valid(t->text);
        const char *end;

        g_assert_cmpint(utf8_is_valid(t->text), ==, t->valid == strlen(t->text));
        g_assert_cmpint(utf8_is_valid_len(t->text, strlen(t->text), &end), ==, utf8_is_valid(t->text));
        g_assert_cmpuint((size_t)(end - t->text), ==, t->valid);
        g_assert_cmpstr(made, ==, t->made);
    }
}

/* As a terminal shows it, and it obeys none of it; of text that is long the end is left out, line by line. */
static void test_shown(void)
{
    static const struct {
        const char *text, *line, *lines;
    } texts[] = {
        { "", "", "" },
        { "a \\ é ☃ \xf0\x9f\x98\x80", "a \\ é ☃ \xf0\x9f\x98\x80", NULL },
        { "\033[2J\r\x7f\xc2\x9b", "\\x1b[2J\\x0d\\x7f\\x9b", NULL },
        { "\xff\xc3", "\\xff\\xc3", NULL },
        { "a\tb\n\nc\n", "a\\tb\\n\\nc\\n", "a\\tb\n\nc\n" },
        { "\xe2\x80\xae\xe2\x80\xac\xef\xbb\xbf", "\\u202e\\u202c\\ufeff", NULL },
        { "a\xe2\x80\xa8\xe2\x80\xa9", "a\\u2028\\u2029", NULL },
        { "\xe2\x80\x8c\xe2\x80\x8d", "\xe2\x80\x8c\xe2\x80\x8d", NULL },
    };
    g_autofree char *most = g_strnfill(UTF8_LINE_MAX, 'x'), *two = g_strconcat(most, "\n", most, NULL),
                    *longer = g_strconcat(most, "y\n", most, "z", NULL),
                    *cut = g_strconcat(most, "…\n", most, "…", NULL), *line = g_strconcat(most, "…", NULL),
                    *shown_most = utf8_show_line(most), *shown_two = utf8_show_lines(two),
                    *shown_longer = utf8_show_lines(longer), *shown_line = utf8_show_line(longer);

    ARRAY_FOREACH (t, texts) {
        g_autofree char *one = utf8_show_line(t->text), *lines = utf8_show_lines(t->text);

        g_assert_cmpstr(one, ==, t->line);
        g_assert_cmpstr(lines, ==, t->lines ? t->lines : t->line);
    }
    g_assert_cmpstr(shown_most, ==, most);
    g_assert_cmpstr(shown_two, ==, two);
    g_assert_cmpstr(shown_longer, ==, cut);
    g_assert_cmpstr(shown_line, ==, line);
}

static void test_refused(void)
{
    static const char *const malformed[] = { "", " ", "tru", "nul", "[", "[1", "[1,", "[1,]", "[,1]", "{",
        "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{a:1}", "{1:1}", "'a'", "\"a", "\"\\x41\"",
        "\"\\u12\"", "\"\\u12g4\"", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x10", "1_000", "NaN",
        "Infinity", "-Infinity", "nan", "1 2", "{} {}", "[1]]", "/* c */ 1", "\"a\nb\"", "1.5.2" };

    ARRAY_FOREACH (text, malformed) {
        g_autofree char *reason = reason_of(*text, strlen(*text));

        g_assert_nonnull(strstr(reason, "at byte "));
    }
    refuse("9223372036854775808", "an integer beyond");
    refuse("-9223372036854775809", "an integer beyond");
    refuse("1e400", "a number too large");
    refuse("[1,-1e400]", "at byte 3");
    refuse("{\"a\":1,\"b\":{\"a\":2,\"a\":3}}", "the name \"a\" twice");
    refuse("{\"a\":1,\"\\u0061\":2}", "the name \"a\" twice");
    refuse("\"\\u0000\"", "a NUL in a string");
    refuse("\"\\uffff\"", "no character (U+FFFF)");
    refuse("\"\\ud83f\\udffe\"", "no character (U+1FFFE)");
    refuse("\"\\ufdd0\"", "no character (U+FDD0)");
    refuse("\"\xef\xbf\xbf\"", "invalid UTF-8");
    refuse("\"\\ud800\"", "half a surrogate pair");
    refuse("\"\\ud800\\u0041\"", "half a surrogate pair");
    refuse("\"\\udc00\"", "half a surrogate pair");
    refuse("\"\xff\"", "invalid UTF-8 at byte 1");
    refuse("\"\xc0\x80\"", "invalid UTF-8");
    refuse("\"\xed\xa0\x80\"", "invalid UTF-8");
}

static void test_nul(void)
{
    static const char text[] = "{\"a\":1}\0{}";
    g_autofree char *reason = reason_of(text, sizeof text - 1);

    g_assert_cmpstr(reason, ==, "a NUL at byte 7");
}

static void test_not_terminated(void)
{
    const char text[] = { '1', '2', '3' };
    g_autoptr(JsonNode) node = NULL;

    g_assert_cmpint(json_read(text, 2, &node, NULL), >=, 0);
    g_assert_cmpint(json_node_get_int(node), ==, 12);
}

static char *nested(unsigned depth, const char *open, const char *close)
{
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < depth; i++)
        g_string_append(s, open);
    g_string_append(s, "1");
    for (unsigned i = 0; i < depth; i++)
        g_string_append(s, close);
    return g_string_free(s, FALSE);
}

static void test_depth(void)
{
    g_autofree char *deepest = nested(JSON_DEPTH_MAX, "[", "]"),
                    *too_deep = nested(JSON_DEPTH_MAX + 1, "[", "]");
    g_autofree char *objects = nested(10000, "{\"a\":", "}"), *open = g_strnfill(500000, '[');

    keep(deepest, deepest);
    refuse(too_deep, "deeper than 64 levels at byte 64");
    refuse(objects, "deeper than 64 levels");
    refuse(open, "deeper than 64 levels");
}

/* Against json-glib's own writer and reader: what we read, it reads to the same. */
static void test_oracle(void)
{
    const char *text = "{\"i\":-42,\"s\":\"a\\u00e9\\n\\\"\",\"d\":2.5,\"l\":[null,true,{\"x\":[]}]}";
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(JsonNode) node = NULL;

    g_assert_true(json_parser_load_from_data(parser, text, -1, NULL));
    g_assert_cmpint(json_read(text, strlen(text), &node, NULL), >=, 0);
    g_assert_true(json_node_equal(node, json_parser_get_root(parser)));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/values", test_values);
    g_test_add_func("/json/text", test_text);
    g_test_add_func("/json/shown", test_shown);
    g_test_add_func("/json/refused", test_refused);
    g_test_add_func("/json/nul", test_nul);
    g_test_add_func("/json/not-terminated", test_not_terminated);
    g_test_add_func("/json/depth", test_depth);
    g_test_add_func("/json/oracle", test_oracle);
    return g_test_run();
}
