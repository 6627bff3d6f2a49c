/* The command line: quoting as in a unit file, and values that arrive as they were given. */
#include <string.h>

#include "model/command.h"
#include "model/input.h"
#include "model/json.h"

static Task *parse(const char *command, const char *inputs)
{
    g_autofree char *text = g_strdup_printf("%s[Service]\nExecStart=%s\n", inputs, command);
    g_autoptr(GPtrArray) diags = diag_list_new();
    TaskSource source = { .path = (char *)"t.task", .text = text, .length = strlen(text) };
    Task *t = NULL;

    if (task_parse("t", &source, 1, diags, &t) < 0) {
        g_autofree char *faults = diag_list_to_text(diags);

        g_error("'%s' is refused: %s", command, faults);
    }
    return t;
}

/* Arguments in brackets, so that their borders show. */
static char *expand(const char *command, const char *inputs, JsonObject *input)
{
    g_autoptr(Task) t = parse(command, inputs);
    g_autoptr(GPtrArray) argv = NULL;
    g_autofree char *path = NULL;
    GString *s = g_string_new(NULL);

    g_assert_cmpint(command_expand(t, input, &path, &argv, NULL), >=, 0);
    g_assert_null(g_ptr_array_index(argv, argv->len - 1));
    for (guint i = 0; i + 1 < argv->len; i++)
        g_string_append_printf(s, "[%s]", (char *)g_ptr_array_index(argv, i));
    return g_string_free(s, FALSE);
}

static void test_quoting(void)
{
    static const struct {
        const char *command, *argv;
    } cases[] = {
        { "/bin/true", "[/bin/true]" },
        { "/bin/x  a\tb ", "[/bin/x][a][b]" },
        { "/bin/x \"a b\" 'c d'", "[/bin/x][a b][c d]" },
        { "/bin/x a\"b c\"d", "[/bin/x][ab cd]" },
        { "/bin/x \"\" ''", "[/bin/x][][]" },
        { "/bin/x a\\sb \\t\\n \\\\ \\x41\\101 \\u00e9 \\xc3\\xa9", "[/bin/x][a b][\t\n][\\][AA][é][é]" },
        { "/bin/x '\\n' \"\\\"\"", "[/bin/x][\n][\"]" },
        { "/bin/x $$ $$HOME '$$' \\x24{HOME}", "[/bin/x][$][$HOME][$][${HOME}]" },
        { "/bin/x %n %% \\; a;b", "[/bin/x][%n][%%][;][a;b]" },
        { "\"/bin/a b\" c", "[/bin/a b][c]" },
        { "@/bin/sh -sh -c", "[-sh][-c]" },
        { "/bin/x é", "[/bin/x][é]" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *argv = NULL;

        argv = expand(c->command, "", NULL);
        g_assert_cmpstr(argv, ==, c->argv);
    }
}

static void test_prefixes(void)
{
    static const struct {
        const char *command;
        unsigned flags;
    } cases[] = { { "-/bin/x", COMMAND_IGNORE_FAILURE }, { "+/bin/x", COMMAND_PRIVILEGED },
        { "!/bin/x", COMMAND_NO_SETUID }, { "!!/bin/x", COMMAND_AMBIENT }, { ":/bin/x", 0 },
        { "@-:+/bin/x y", COMMAND_ARGV0 | COMMAND_IGNORE_FAILURE | COMMAND_PRIVILEGED } };

    ARRAY_FOREACH (c, cases) {
        g_autoptr(Task) t = parse(c->command, "");

        g_assert_cmpuint(t->command_flags, ==, c->flags);
    }
}

#define INPUTS                                                                                               \
    "[Input]\na=string\nb=string\nn=integer\nd=number\nyes=boolean\nwhen=datetime\nspan=duration\nj=json\n"  \
    "s=string secret\n"

static void test_faults(void)
{
    static const struct {
        const char *command;
        unsigned column;
        const char *part;
    } cases[] = {
        { "bin/x", 1, "no absolute path" },
        { "-", 2, "path is missing" },
        { "- /bin/x", 2, "path is missing" },
        { "--/bin/x", 2, "the prefix '-' twice" },
        { "+!/bin/x", 2, "only one can be used" },
        { "@/bin/x", 2, "needs the name" },
        { "/bin/x \"a", 8, "not closed" },
        { "/bin/x a\\qb", 9, "no escape" },
        { "/bin/x a\\ b", 9, "no escape" },
        { "/bin/x \\x00", 8, "no escape" },
        { "/bin/x \\400", 8, "no escape" },
        { "/bin/x \\ud800", 8, "no escape" },
        { "/bin/x \\xff", 8, "no valid UTF-8" },
        { "/bin/x ; /bin/y", 8, "one command" },
        { "/bin/x $HOME", 8, "stands for an input" },
        { "/bin/x ${", 8, "stands for an input" },
        { "/bin/x ${}", 8, "stands for an input" },
        { "/bin/x ${a", 8, "stands for an input" },
        { "/bin/x é$", 9, "stands for an input" },
        { "/bin/x ${c}", 8, "no 'c'" },
        { "/bin/x ${whem}", 8, "did you mean 'when'" },
        { "/bin/x ${s}", 8, "is a secret" },
        { "/bin/${a}", 6, "the program's path is fixed" },
        { "${a}", 1, "the program's path is fixed" },
        { "/bin/", 1, "is a directory" },
        { "\"\"", 1, "path is empty" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autofree char *text = g_strdup_printf(INPUTS "[Service]\nExecStart=%s\n", c->command);
        g_autoptr(GPtrArray) diags = diag_list_new();
        TaskSource source = { .path = (char *)"t.task", .text = text, .length = strlen(text) };
        Task *t = NULL;
        const Diag *d;

        g_assert_cmpint(task_parse("t", &source, 1, diags, &t), ==, -EINVAL);
        g_assert_null(t);
        d = g_ptr_array_index(diags, 0);
        if (diags->len != 1 || !strstr(d->message, c->part) ||
            d->column != c->column + strlen("ExecStart=")) {
            g_autofree char *faults = diag_list_to_text(diags);

            g_error("'%s', column %u expected: %s", c->command, c->column, faults);
        }
        g_assert_cmpuint(d->line, ==, 12);
    }
}

/* Whatever a value holds, it is one argument, byte for byte. */
static void test_hostile(void)
{
    static const char *const values[] = { "$HOME", "${PATH}", "$$", "$", "%n", "%%", "-x", "--", "", "\n",
        "\t", " ", "a b", "\"", "'", "\"a", ";", "\\", "\\n", "\\x41", "${a}", "${b}", "*", "~", "`id`",
        "$(id)", "|", "&", "#", "é€😀", "\x01\x7f", "a\nExecStart=/bin/false" };

    ARRAY_FOREACH (value, values) {
        g_autoptr(JsonObject) input = json_object_new();
        g_autofree char *argv = NULL, *expected = NULL;

        json_object_set_string_member(input, "a", *value);
        argv = expand("/bin/x ${a} \"${a}\" pre${a}post", INPUTS, input);
        expected = g_strdup_printf("[/bin/x][%s][%s][pre%spost]", *value, *value, *value);
        g_assert_cmpstr(argv, ==, expected);
    }
}

static void test_values(void)
{
    const char *text = "{\"a\":\"x\",\"n\":-9223372036854775808,\"d\":0.1,\"yes\":true,"
                       "\"when\":\"2026-11-23T22:46:00.000000Z\",\"span\":5000000,\"j\":{\"k\":[1,\"v\"]}}";
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *argv = NULL;

    g_assert_cmpint(json_read(text, strlen(text), &node, NULL), >=, 0);
    argv = expand("/bin/x ${a}-${n} ${d} ${yes} ${when} ${span} ${j}", INPUTS, json_node_get_object(node));
    g_assert_cmpstr(argv, ==,
        "[/bin/x][x--9223372036854775808][0.1][true][2026-11-23T22:46:00.000000Z][5000000][{\"k\":[1,\"v\"]}]");
}

static void test_absent(void)
{
    g_autoptr(JsonObject) input = json_object_new();
    g_autofree char *argv = NULL, *argv0 = NULL, *quoted = NULL;

    json_object_set_string_member(input, "b", "B");
    argv = expand("/bin/x ${a} --a=${a} ${a}${b} ${b} ${a}", INPUTS, input);
    g_assert_cmpstr(argv, ==, "[/bin/x][--a=][B][B]");
    argv0 = expand("@/bin/x ${a} 1", INPUTS, input);
    g_assert_cmpstr(argv0, ==, "[][1]");
    quoted = expand("/bin/x ${a} 1", INPUTS, NULL);
    g_assert_cmpstr(quoted, ==, "[/bin/x][1]");
}

/* A continuation keeps lines and columns right, and its words apart. */
static void test_continuation(void)
{
    const char *text = "[Service]\nExecStart=/bin/x a \\\n# a comment between\n   ${b} \\\n  c$\n";
    g_autoptr(GPtrArray) diags = diag_list_new();
    TaskSource source = { .path = (char *)"t.task", .text = (char *)text, .length = strlen(text) };
    const Diag *first, *second;
    Task *t = NULL;

    g_assert_cmpint(task_parse("t", &source, 1, diags, &t), ==, -EINVAL);
    g_assert_cmpuint(diags->len, ==, 2);
    first = g_ptr_array_index(diags, 0);
    second = g_ptr_array_index(diags, 1);
    g_assert_cmpuint(first->line, ==, 4);
    g_assert_cmpuint(first->column, ==, 4);
    g_assert_cmpuint(second->line, ==, 5);
    g_assert_cmpuint(second->column, ==, 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/command/quoting", test_quoting);
    g_test_add_func("/command/prefixes", test_prefixes);
    g_test_add_func("/command/faults", test_faults);
    g_test_add_func("/command/hostile", test_hostile);
    g_test_add_func("/command/values", test_values);
    g_test_add_func("/command/absent", test_absent);
    g_test_add_func("/command/continuation", test_continuation);
    return g_test_run();
}
