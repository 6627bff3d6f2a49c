/* Typed input and output: what is asked for becomes JSON that fits, or one answer with every fault. */
#include <string.h>

#include "model/input.h"
#include "model/json.h"

#define LIMIT ((size_t)512 * 1024)
#define NOW   (UINT64_C(1795473960) * USEC_PER_SEC) /* 2026-11-23 22:46:00 UTC */

static Task *task_of(const char *sections)
{
    g_autofree char *text = g_strdup_printf("%s\n[Service]\nExecStart=/bin/true\n", sections);
    g_autoptr(GPtrArray) diags = diag_list_new();
    TaskSource source = { .path = (char *)"t.task", .text = text, .length = strlen(text) };
    Task *t = NULL;

    if (task_parse("t", &source, 1, diags, &t) < 0) {
        g_autofree char *faults = diag_list_to_text(diags);

        g_error("%s", faults);
    }
    return t;
}

/* One name from text; the JSON, or the message of the error in *ret_message. */
static char *from_text(const Task *t, const char *name, const char *value, char **ret_message)
{
    g_autoptr(GHashTable) texts = g_hash_table_new(g_str_hash, g_str_equal);
    InputGiven given = { .texts = texts };
    _cleanup_(input_clear) Input input = { 0 };
    _cleanup_(error_clear) Error error = { 0 };

    g_hash_table_insert(texts, (gpointer)name, (gpointer)value);
    if (input_validate(t, &given, LIMIT, &input, &error) < 0) {
        g_assert_cmpint(error.code, ==, ERROR_INVALID_INPUT);
        g_assert_null(input.json);
        if (ret_message)
            *ret_message = g_strdup(error.message);
        return NULL;
    }
    g_assert_null(input.raw);
    return g_strdup(input.json);
}

static int validate(const Task *t, const char *json, Input *ret, Error *error)
{
    g_autoptr(JsonNode) node = NULL;
    InputGiven given = { 0 };

    g_assert_cmpint(json_read(json, strlen(json), &node, NULL), >=, 0);
    given.typed = json_node_get_object(node);
    return input_validate(t, &given, LIMIT, ret, error);
}

static char *from_json(const Task *t, const char *json, char **ret_message)
{
    _cleanup_(input_clear) Input input = { 0 };
    _cleanup_(error_clear) Error error = { 0 };

    if (validate(t, json, &input, &error) < 0) {
        if (ret_message)
            *ret_message = g_strdup(error.message);
        return NULL;
    }
    return g_strdup(input.json);
}

typedef struct Conversion {
    const char *spec, *text, *json; /* json NULL: refused */
} Conversion;

static void test_texts(void)
{
    static const Conversion cases[] = {
        { "string", "", "{\"x\":\"\"}" },
        { "string", "$HOME ${PATH} $$ %n -x --", "{\"x\":\"$HOME ${PATH} $$ %n -x --\"}" },
        { "string", "\n\t\"';\\", "{\"x\":\"\\n\\t\\\"';\\\\\"}" },
        { "string", "\xff\xfe", NULL },
        { "string", "NaN", "{\"x\":\"NaN\"}" },
        { "integer", "9223372036854775807", "{\"x\":9223372036854775807}" },
        { "integer", "-9223372036854775808", "{\"x\":-9223372036854775808}" },
        { "integer", "9223372036854775808", NULL },
        { "integer", "+7", "{\"x\":7}" },
        { "integer", "007", "{\"x\":7}" },
        { "integer", "", NULL },
        { "integer", "-", NULL },
        { "integer", "+-7", NULL },
        { "integer", " 7", NULL },
        { "integer", "7\n", NULL },
        { "integer", "0x10", NULL },
        { "integer", "1.0", NULL },
        { "integer", "1e3", NULL },
        { "number", "0.1", "{\"x\":0.1}" },
        { "number", "12", "{\"x\":12}" },
        { "number", "-1e3", "{\"x\":-1000.0}" },
        { "number", "9223372036854775808", "{\"x\":9.223372036854776e+18}" },
        { "number", "1e400", NULL },
        { "number", "-1e400", NULL },
        { "number", "NaN", NULL },
        { "number", "inf", NULL },
        { "number", "Infinity", NULL },
        { "number", "0x1p3", NULL },
        { "number", "1,5", NULL },
        { "number", ".", NULL },
        { "boolean", "yes", "{\"x\":true}" },
        { "boolean", "Off", "{\"x\":false}" },
        { "boolean", "1", "{\"x\":true}" },
        { "boolean", "2", NULL },
        { "boolean", "", NULL },
        { "datetime", "2026-11-23 23:46 +01:00", "{\"x\":\"2026-11-23T22:46:00.000000Z\"}" },
        { "datetime", "tomorrow", NULL },
        { "datetime", "", NULL },
        { "duration", "5min", "{\"x\":300000000}" },
        { "duration", "1.5", "{\"x\":1500000}" },
        { "duration", "infinity", NULL },
        { "duration", "-5s", NULL },
        { "json", "{\"a\":[1,2]}", "{\"x\":{\"a\":[1,2]}}" },
        { "json", "null", "{\"x\":null}" },
        { "json", "{\"a\":1,\"a\":2}", NULL },
        { "json", "{", NULL },
        { "file", "/etc/passwd", NULL },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *sections = g_strdup_printf("[Input]\nx=%s", c->spec), *json = NULL, *message = NULL;
        g_autoptr(Task) t = task_of(sections);

        json = from_text(t, "x", c->text, &message);
        if (g_strcmp0(json, c->json) != 0)
            g_error("%s from '%s': %s (%s)", c->spec, c->text, json, message);
        g_assert_true(json || g_utf8_validate(message, -1, NULL));
    }
}

static void test_typed(void)
{
    static const Conversion cases[] = {
        { "string", "\"a\"", "{\"x\":\"a\"}" },
        { "string", "1", NULL },
        { "string", "null", NULL },
        { "integer", "1", "{\"x\":1}" },
        { "integer", "1.0", NULL },
        { "integer", "\"1\"", NULL },
        { "integer", "true", NULL },
        { "number", "1", "{\"x\":1}" },
        { "number", "1.5", "{\"x\":1.5}" },
        { "number", "[]", NULL },
        { "boolean", "true", "{\"x\":true}" },
        { "boolean", "1", NULL },
        { "datetime", "\"2026-11-23T22:46:00Z\"", "{\"x\":\"2026-11-23T22:46:00.000000Z\"}" },
        { "datetime", "0", NULL },
        { "duration", "1500000", "{\"x\":1500000}" },
        { "duration", "\"5min\"", "{\"x\":300000000}" },
        { "duration", "-1", NULL },
        { "duration", "1.5", NULL },
        { "file", "\"aGk=\"", "{\"x\":\"aGk=\"}" },
        { "file", "\"aGk\"", NULL },
        { "file", "\"no base64!\"", NULL },
        { "json", "{\"k\":[null]}", "{\"x\":{\"k\":[null]}}" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *sections = g_strdup_printf("[Input]\nx=%s", c->spec);
        g_autofree char *given = g_strdup_printf("{\"x\":%s}", c->text), *json = NULL, *message = NULL;
        g_autoptr(Task) t = task_of(sections);

        json = from_json(t, given, &message);
        if (g_strcmp0(json, c->json) != 0)
            g_error("%s from %s: %s (%s)", c->spec, c->text, json, message);
    }
}

static void test_limits(void)
{
    static const Conversion cases[] = {
        { "integer min=1 max=9", "0", NULL },
        { "integer min=1 max=9", "9", "{\"x\":9}" },
        { "integer min=1 max=9", "10", NULL },
        { "integer max=9223372036854775806", "9223372036854775807", NULL },
        { "integer max=9223372036854775806", "9223372036854775806", "{\"x\":9223372036854775806}" },
        { "number min=-0.5 max=0.5", "0.5", "{\"x\":0.5}" },
        { "number min=-0.5 max=0.5", "0.51", NULL },
        { "string min=2 max=3", "é", NULL },
        { "string min=2 max=3", "ééé", "{\"x\":\"ééé\"}" },
        { "string min=2 max=3", "éééé", NULL },
        { "duration min=1s max=1h", "999ms", NULL },
        { "duration min=1s max=1h", "60min", "{\"x\":3600000000}" },
        { "string choices=red,green", "red", "{\"x\":\"red\"}" },
        { "string choices=red,green", "Red", NULL },
        { "string choices=\"'light blue',a\"", "light blue", "{\"x\":\"light blue\"}" },
        { "integer choices=1,2", "2", "{\"x\":2}" },
        { "integer choices=1,2", "3", NULL },
        { "string pattern=[a-z]+", "abc", "{\"x\":\"abc\"}" },
        { "string pattern=[a-z]+", "abc\n", NULL },
        { "string pattern=[a-z]+", "1abc", NULL },
        { "string pattern=a|b", "ab", NULL },
        { "string pattern=\\d{2}", "42", "{\"x\":\"42\"}" },
        { "string pattern=(a+)+b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", NULL },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *sections = g_strdup_printf("[Input]\nx=%s", c->spec), *json = NULL, *message = NULL;
        g_autoptr(Task) t = task_of(sections);

        json = from_text(t, "x", c->text, &message);
        if (g_strcmp0(json, c->json) != 0)
            g_error("%s from '%s': %s (%s)", c->spec, c->text, json, message);
    }
}

static void test_all_faults(void)
{
    g_autoptr(Task) t =
        task_of("[Input]\nlevel=integer required\nwhen=datetime\nname=string required\nquiet=boolean");
    g_autofree char *message = NULL;
    g_auto(GStrv) lines = NULL;

    g_assert_null(from_json(t, "{\"level\":\"x\",\"when\":true,\"quite\":false}", &message));
    lines = g_strsplit(message, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 4);
    g_assert_true(g_str_has_prefix(lines[0], "level: an integer is expected"));
    g_assert_true(g_str_has_prefix(lines[1], "when: "));
    g_assert_cmpstr(lines[2], ==, "name: is required");
    g_assert_cmpstr(lines[3], ==, "quite: the task has no such input, did you mean 'quiet'?");
}

static void test_defaults(void)
{
    g_autoptr(Task) t = task_of("[Input]\na=string default=\"x y\"\nb=integer default=3 min=1\nc=string\n"
                                "day=datetime default=\"month-start -1day\"\nspan=duration default=today");
    g_autofree char *json = from_json(t, "{}", NULL), *given = from_json(t, "{\"b\":5,\"a\":\"\"}", NULL);
    Input input = { .json = json };
    g_autoptr(GHashTable) files = NULL;
    g_autofree char *resolved = NULL;

    g_assert_cmpstr(json, ==, "{\"a\":\"x y\",\"b\":3}");
    g_assert_cmpstr(given, ==, "{\"a\":\"\",\"b\":5}");
    g_assert_cmpint(input_resolve(t, &input, NOW, "/c", &resolved, &files, NULL), >=, 0);
    g_assert_cmpstr(
        resolved, ==, "{\"a\":\"x y\",\"b\":3,\"day\":\"2026-10-31T00:00:00.000000Z\",\"span\":81960000000}");
    g_assert_cmpuint(g_hash_table_size(files), ==, 0);
}

static void add_file(GHashTable *files, const char *name, const char *bytes, gsize n)
{
    g_hash_table_insert(files, (gpointer)name, g_bytes_new(bytes, n));
}

static void test_files(void)
{
    g_autoptr(Task) t = task_of("[Input]\nf=file max=4\ns=string\nn=integer\n");
    g_autoptr(GHashTable) files =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_bytes_unref);
    g_autoptr(GHashTable) contents = NULL;
    InputGiven given = { .files = files };
    _cleanup_(input_clear) Input input = { 0 };
    _cleanup_(error_clear) Error error = { 0 };
    g_autofree char *resolved = NULL;
    g_autoptr(GBytes) content = g_bytes_new_static("\0\xff\n", 3);

    add_file(files, "f", "\0\xff\n", 3);
    add_file(files, "s", "a\n\n", 3);
    add_file(files, "n", "7\n", 2);
    g_assert_cmpint(input_validate(t, &given, LIMIT, &input, NULL), >=, 0);
    g_assert_cmpstr(input.json, ==, "{\"f\":\"AP8K\",\"s\":\"a\\n\",\"n\":7}");
    g_assert_cmpint(input_resolve(t, &input, NOW, "/c", &resolved, &contents, NULL), >=, 0);
    g_assert_cmpstr(resolved, ==, "{\"f\":\"/c/input.f\",\"s\":\"a\\n\",\"n\":7}");
    g_assert_true(g_bytes_equal(g_hash_table_lookup(contents, "f"), content));

    input_clear(&input);
    add_file(files, "f", "12345", 5);
    add_file(files, "s", "a\0b", 3);
    add_file(files, "n", "\xff", 1);
    g_assert_cmpint(input_validate(t, &given, LIMIT, &input, &error), <, 0);
    g_assert_cmpstr(error.message, ==,
        "f: has 5 bytes, 4 at most are wanted\n"
        "s: the file holds a NUL byte, only an input of type file may\n"
        "n: the file is not valid UTF-8, only an input of type file may be other bytes");
    add_file(files, "f", "", 0);
    add_file(files, "s", "", 0);
    g_hash_table_remove(files, "n");
    g_assert_cmpint(input_validate(t, &given, LIMIT, &input, NULL), >=, 0);
    g_assert_cmpstr(input.json, ==, "{\"f\":\"\",\"s\":\"\"}");
}

static void test_secret(void)
{
    g_autoptr(Task) t =
        task_of("[Input]\nuser=string\ntoken=string secret pattern=[a-f]+\nkey=json secret\n");
    g_autoptr(GHashTable) files =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_bytes_unref);
    g_autoptr(GHashTable) contents = NULL;
    InputGiven given = { .files = files };
    _cleanup_(input_clear) Input input = { 0 };
    _cleanup_(error_clear) Error error = { 0 };
    g_autofree char *message = NULL, *resolved = NULL;

    g_assert_null(from_text(t, "token", "deadbeef", &message));
    g_assert_nonnull(strstr(message, "give it as token=@FILE"));
    g_assert_null(strstr(message, "deadbeef"));
    add_file(files, "token", "deadbeef", 8);
    add_file(files, "user", "u", 1);
    g_assert_cmpint(input_validate(t, &given, LIMIT, &input, NULL), >=, 0);
    g_assert_cmpstr(input.json, ==, "{\"user\":\"u\"}");
    g_assert_cmpstr(input.secrets, ==, "{\"token\":\"deadbeef\"}");
    g_assert_cmpint(input_resolve(t, &input, NOW, "/c", &resolved, &contents, NULL), >=, 0);
    g_assert_cmpstr(resolved, ==, "{\"user\":\"u\",\"token\":\"deadbeef\"}");

    input_clear(&input);
    add_file(files, "token", "hunter2", 7);
    add_file(files, "key", "{\"hunter2\":1,\"hunter2\":2}", 25);
    g_assert_cmpint(input_validate(t, &given, LIMIT, &input, &error), <, 0);
    g_assert_nonnull(strstr(error.message, "token: "));
    g_assert_nonnull(strstr(error.message, "key: "));
    g_assert_null(strstr(error.message, "hunter2"));
}

static void test_without_section(void)
{
    g_autoptr(Task) t = task_of("[Task]\nDescription=x");
    g_autofree char *json = NULL;
    _cleanup_(input_clear) Input input = { 0 };

    g_assert_false(t->has_input);
    json = from_text(t, "n", "5", NULL);
    g_assert_cmpstr(json, ==, "{\"n\":\"5\"}");
    g_assert_cmpint(validate(t, "{\"b\":{\"c\":1.0},\"a\":null}", &input, NULL), >=, 0);
    g_assert_cmpstr(input.json, ==, "{\"b\":{\"c\":1.0},\"a\":null}");
}

static void check_raw(const Task *t, const char *bytes, gsize n, const char *json, bool raw)
{
    g_autoptr(GBytes) given_bytes = g_bytes_new(bytes, n);
    InputGiven given = { .raw = given_bytes };
    _cleanup_(input_clear) Input input = { 0 };

    g_assert_cmpint(input_validate(t, &given, LIMIT, &input, NULL), >=, 0);
    g_assert_cmpstr(input.json, ==, json);
    g_assert_true((input.raw != NULL) == raw);
    if (raw)
        g_assert_true(g_bytes_equal(input.raw, given_bytes));
}

static void test_raw(void)
{
    g_autoptr(Task) t = task_of(""), declared = task_of("[Input]");
    g_autoptr(GBytes) bytes = g_bytes_new_static("{}", 2);
    g_autoptr(GHashTable) texts = g_hash_table_new(g_str_hash, g_str_equal);
    InputGiven given = { .raw = bytes };
    _cleanup_(input_clear) Input input = { 0 };
    _cleanup_(error_clear) Error error = { 0 };

    check_raw(t, "{ \"a\": 1 }", 10, "{\"a\":1}", false);
    check_raw(t, "[1,2]", 5, "{}", true);
    check_raw(t, "\0\xff", 2, "{}", true);
    check_raw(t, "", 0, "{}", true);
    check_raw(t, "{\"a\":1,\"a\":2}", 13, "{}", true);
    g_assert_cmpint(input_validate(declared, &given, LIMIT, &input, &error), <, 0);
    g_assert_cmpint(error.code, ==, ERROR_INVALID_INPUT);
    g_hash_table_insert(texts, (gpointer) "a", (gpointer) "b");
    given.texts = texts;
    g_assert_cmpint(input_validate(t, &given, LIMIT, &input, NULL), <, 0);
}

static int validate_sized(const Task *t, size_t size, bool raw, Error *error)
{
    g_autofree char *value = g_strnfill(size - (raw ? 0 : strlen("{\"s\":\"\"}")), 'x');
    g_autoptr(GBytes) bytes = g_bytes_new(value, strlen(value));
    g_autoptr(GHashTable) texts = g_hash_table_new(g_str_hash, g_str_equal);
    InputGiven given = { 0 };
    _cleanup_(input_clear) Input input = { 0 };

    g_hash_table_insert(texts, (gpointer) "s", value);
    given.texts = raw ? NULL : texts;
    given.raw = raw ? bytes : NULL;
    return input_validate(t, &given, LIMIT, &input, error);
}

static void test_size(void)
{
    g_autoptr(Task) t = task_of("");

    for (int raw = 0; raw < 2; raw++) {
        _cleanup_(error_clear) Error error = { 0 };

        g_assert_cmpint(validate_sized(t, LIMIT - 1, raw, NULL), >=, 0);
        g_assert_cmpint(validate_sized(t, LIMIT, raw, NULL), >=, 0);
        g_assert_cmpint(validate_sized(t, LIMIT + 1, raw, &error), <, 0);
        g_assert_cmpint(error.code, ==, ERROR_LIMIT_EXCEEDED);
        g_assert_nonnull(strstr(error.message, "524289"));
    }
}

static char *output_of(const Task *t, const char *text, gsize n, char **ret_message)
{
    _cleanup_(error_clear) Error error = { 0 };
    char *json = NULL;

    if (input_validate_output(t, text, n, LIMIT, &json, &error) < 0) {
        *ret_message = g_strdup(error.message);
        return NULL;
    }
    return json ? json : g_strdup("");
}

static void test_output(void)
{
    g_autoptr(Task) t = task_of("[Output]\nsize=integer required min=1\nname=string\nat=datetime");
    static const struct {
        const char *text, *json, *message;
    } cases[] = {
        { "size=12\nname= a=b \n\n", "{\"size\":12,\"name\":\" a=b \"}", NULL },
        { "size=1", "{\"size\":1}", NULL },
        { " {\"size\":3,\"at\":\"2026-11-23T22:46:00Z\"}\n",
            "{\"size\":3,\"at\":\"2026-11-23T22:46:00.000000Z\"}", NULL },
        { "", NULL, "size: is required, and the task did not write it" },
        { "size=0\nnome=x\n", NULL,
            "size: has to be 1 at least\nnome: the task has no such output, did you mean 'name'?" },
        { "size=1\nsize=2", NULL, "size: is given twice" },
        { "size=1\nnonsense\n=x", NULL,
            "nonsense: is not the start of a NAME=VALUE line\n'': is not the start of a NAME=VALUE line" },
        { "{\"size\":\"1\"}", NULL, "size: an integer is expected, not a string" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *message = NULL, *json = output_of(t, c->text, strlen(c->text), &message);

        g_assert_cmpstr(json, ==, c->json);
        g_assert_cmpstr(message, ==, c->message);
    }
}

static void test_output_free(void)
{
    g_autoptr(Task) t = task_of("");
    g_autofree char *big = g_strnfill(LIMIT + 1, '\n'), *m1 = NULL, *m2 = NULL, *m3 = NULL, *m4 = NULL;
    g_autofree char *lines = output_of(t, "a=1\nb=x y\n", 10, &m1), *none = output_of(t, " \n", 2, &m1);
    g_autofree char *object = output_of(t, "{\"a\":[1]}", 9, &m1), *full = output_of(t, big, LIMIT, &m1);

    g_assert_cmpstr(lines, ==, "{\"a\":\"1\",\"b\":\"x y\"}");
    g_assert_cmpstr(none, ==, "");
    g_assert_cmpstr(object, ==, "{\"a\":[1]}");
    g_assert_cmpstr(full, ==, "");
    g_assert_null(m1);
    g_assert_null(output_of(t, big, LIMIT + 1, &m1));
    g_assert_nonnull(strstr(m1, "524289"));
    g_assert_null(output_of(t, "a=\0", 3, &m2));
    g_assert_null(output_of(t, "a=\xff", 3, &m3));
    g_assert_null(output_of(t, "{\"a\":1,\"a\":2}", 13, &m4));
    g_assert_nonnull(strstr(m4, "twice"));
}

static void test_specs_json(void)
{
    g_autoptr(Task) t = task_of("[Input]\na=integer default=3 min=1 max=9\nb=string required choices=x,y\n"
                                "c=string secret help=\"a key\"");
    g_autofree char *json = input_specs_to_json(t->inputs);

    g_assert_cmpstr(json, ==,
        "[{\"Name\":\"a\",\"Type\":\"integer\",\"Required\":false,\"Secret\":false,\"Default\":\"3\",\"Min\":1,"
        "\"Max\":9},"
        "{\"Name\":\"b\",\"Type\":\"string\",\"Required\":true,\"Secret\":false,\"Choices\":[\"x\",\"y\"]},"
        "{\"Name\":\"c\",\"Type\":\"string\",\"Required\":false,\"Secret\":true,\"Description\":\"a key\"}]");
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/input/texts", test_texts);
    g_test_add_func("/input/typed", test_typed);
    g_test_add_func("/input/limits", test_limits);
    g_test_add_func("/input/all-faults", test_all_faults);
    g_test_add_func("/input/defaults", test_defaults);
    g_test_add_func("/input/files", test_files);
    g_test_add_func("/input/secret", test_secret);
    g_test_add_func("/input/without-section", test_without_section);
    g_test_add_func("/input/raw", test_raw);
    g_test_add_func("/input/size", test_size);
    g_test_add_func("/input/output", test_output);
    g_test_add_func("/input/output-free", test_output_free);
    g_test_add_func("/input/specs-json", test_specs_json);
    return g_test_run();
}
