/* The pure parts of tschedctl: its command line, columns, texts and exit codes. */
#include <string.h>

#include "ctl/args.h"
#include "ctl/ask.h"
#include "ctl/exits.h"
#include "ctl/export.h"
#include "ctl/files.h"
#include "ctl/follow.h"
#include "ctl/inputs.h"
#include "ctl/logs.h"
#include "ctl/table.h"
#include "ctl/text.h"
#include "lib/remote.h"

static int parse(Args *ret, char **ret_message, const char *const *words)
{
    return args_parse((int)g_strv_length((char **)words), (char *const *)words, ret, ret_message);
}

static void test_args_order(void)
{
    const char *const words[] = { "--json=short", "run", "backup", "-f", "level=-3", "--meta", "a=1",
        "--meta=b=2", "--", "--odd", NULL };
    g_autofree char *message = NULL;
    g_auto(Args) a = { 0 };

    g_assert_cmpint(parse(&a, &message, words), ==, 0);
    g_assert_cmpstr(a.verb, ==, "run");
    g_assert_cmpuint(a.words->len, ==, 3);
    g_assert_cmpstr(g_ptr_array_index(a.words, 1), ==, "level=-3");
    g_assert_cmpstr(g_ptr_array_index(a.words, 2), ==, "--odd");
    g_assert_cmpstr(args_get(&a, "json"), ==, "short");
    g_assert_true(args_has(&a, "follow"));
    g_assert_false(args_has(&a, "wait"));
    g_assert_cmpuint(args_all(&a, "meta")->len, ==, 2);
    g_assert_cmpstr(args_get(&a, "meta"), ==, "b=2");
}

static void test_args_short(void)
{
    const char *const words[] = { "logs", "-qfn5", "7", "-o", "cat", NULL };
    g_autofree char *message = NULL;
    g_auto(Args) a = { 0 };

    g_assert_cmpint(parse(&a, &message, words), ==, 0);
    g_assert_true(args_has(&a, "quiet") && args_has(&a, "follow"));
    g_assert_cmpstr(args_get(&a, "lines"), ==, "5");
    g_assert_cmpstr(args_get(&a, "output"), ==, "cat");
    g_assert_cmpuint(a.words->len, ==, 1);
}

static void test_args_refused(void)
{
    static const char *const bad[][4] = {
        { "status", "--nonsense" },
        { "status", "-Z" },
        { "status", "--quiet=yes" },
        { "run", "x", "--at" },
        { "logs", "1", "-n" },
        { "cancel", "1", "--wait" },
        { "status", "--limit=3" },
    };

    ARRAY_FOREACH (words, bad) {
        g_autofree char *message = NULL;
        g_auto(Args) a = { 0 };

        g_assert_cmpint(parse(&a, &message, *words), ==, -EINVAL);
        g_assert_nonnull(message);
    }
}

static void test_args_values(void)
{
    g_autofree char *key = NULL;
    const char *value;
    int64_t n;
    uint64_t run;

    g_assert_cmpint(args_split("a=b=c", &key, &value), ==, 0);
    g_assert_cmpstr(key, ==, "a");
    g_assert_cmpstr(value, ==, "b=c");
    g_assert_cmpint(args_split("=b", &key, &value), ==, -EINVAL);
    g_assert_cmpint(args_split("ab", &key, &value), ==, -EINVAL);
    g_assert_cmpint(args_number("-7", -10, 10, &n), ==, 0);
    g_assert_cmpint(n, ==, -7);
    g_assert_cmpint(args_number("11", -10, 10, &n), ==, -ERANGE);
    g_assert_cmpint(args_number("7x", -10, 10, &n), ==, -EINVAL);
    g_assert_true(args_is_run("9223372036854775807", &run));
    g_assert_cmpuint(run, ==, INT64_MAX);
    g_assert_false(args_is_run("0", &run));
    g_assert_false(args_is_run("+1", &run));
    g_assert_false(args_is_run("9223372036854775808", &run));
    g_assert_false(args_is_run("12a", &run));
}

static JsonObject *object(const char *text)
{
    g_autoptr(JsonNode) node = json_from_string(text, NULL);

    g_assert_nonnull(node);
    return json_node_dup_object(node);
}

static void test_exits(void)
{
    static const struct {
        const char *run;
        int code;
        const char *text;
    } cases[] = {
        { "{\"Result\":\"success\",\"ExitCode\":\"exited\",\"ExitStatus\":0}", 0, "success" },
        { "{\"Result\":\"success\",\"ExitCode\":\"exited\",\"ExitStatus\":3}", 0, "success" },
        { "{\"Result\":\"exit-code\",\"ExitCode\":\"exited\",\"ExitStatus\":3}", 3, "exit-code (3)" },
        { "{\"Result\":\"signal\",\"ExitCode\":\"killed\",\"ExitStatus\":15}", 143, "signal (TERM)" },
        { "{\"Result\":\"core-dump\",\"ExitCode\":\"dumped\",\"ExitStatus\":11}", 139, "core-dump (SEGV)" },
        { "{\"Result\":\"oom-kill\",\"ExitCode\":\"killed\",\"ExitStatus\":9}", 137, "oom-kill" },
        { "{\"Result\":\"timeout\",\"ExitCode\":\"killed\",\"ExitStatus\":15}", 124, "timeout" },
        { "{\"Result\":\"cancelled\",\"ExitCode\":\"killed\",\"ExitStatus\":15}", 125, "cancelled" },
        { "{\"Result\":\"cancelled\"}", 125, "cancelled" },
        { "{\"Result\":\"lost\"}", 125, "lost" },
        { "{\"Result\":\"exit-code\"}", 125, "exit-code" },
        { "{}", 125, "" },
    };

    ARRAY_FOREACH (c, cases) {
        g_autoptr(JsonObject) run = object(c->run);
        g_autofree char *text = text_result(run);

        g_assert_cmpint(exits_of_run(run), ==, c->code);
        g_assert_cmpstr(text, ==, c->text);
    }
}

static void assert_text(char *taken, const char *expected)
{
    g_autofree char *text = taken;

    g_assert_cmpstr(text, ==, expected);
}

static void test_text(void)
{
    assert_text(text_safe("a\033[31m\tb\x7f\xff\xc2\x9b€"), "a\\x1b[31m\\tb\\x7f\\xff\\x9b€");
    assert_text(text_span(UNSET), "-");
    assert_text(text_span(999), "999us");
    assert_text(text_span(812000), "812ms");
    assert_text(text_span(1250000), "1.2s");
    assert_text(text_span(64900000), "1min 4s");
    assert_text(text_bytes(UNSET), "-");
    assert_text(text_bytes(0), "0B");
    assert_text(text_bytes(1536), "1.5K");
    assert_text(text_bytes(UINT64_C(3) << 40), "3.0T");
    assert_text(text_relative(10 * USEC_PER_SEC, 5 * USEC_PER_SEC), "in 5s");
    assert_text(text_relative(5 * USEC_PER_SEC, 10 * USEC_PER_SEC), "5s ago");
    assert_text(follow_bar(42, "copying", 80), "[########------------]  42% copying");
    assert_text(follow_bar(50, "50.5% copying", 80), "[##########----------]  50% copying");
    assert_text(follow_bar(250, "", 80), "[####################] 100%");
    assert_text(follow_bar(UNSET, "a long text", 6), "a lon…");
}

static const TableColumn columns[] = {
    { "ID", true, 0 },
    { "TASK", false, 2 },
    { "REASON", false, 1 },
};

static void add_row(Table *t, const char *id, const char *task, const char *reason)
{
    table_add(t, g_strdup(id), TABLE_PLAIN);
    table_add(t, g_strdup(task), TABLE_RED);
    table_add(t, g_strdup(reason), TABLE_PLAIN);
}

static void test_table(void)
{
    g_autoptr(Table) t = table_new(columns, G_N_ELEMENTS(columns));

    add_row(t, "7", "日本", "");
    add_row(t, "123", "x", "why\nnot");
    assert_text(table_render(t, 0, true, false), " ID  TASK  REASON\n"
                                                 "  7  日本\n"
                                                 "123  x     why\\nnot\n");
    g_assert_cmpuint(table_rows(t), ==, 0);
    add_row(t, "8", "x", "");
    assert_text(table_render(t, 0, false, true), "  8  \x1b[0;1;31mx\x1b[0m\n");
}

/* Every line fits, the readiest column is cut first, and what is never to be cut stands whole. */
static void test_table_fit(void)
{
    for (unsigned width = 20; width < 60; width++) {
        g_autoptr(Table) t = table_new(columns, G_N_ELEMENTS(columns));
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;

        add_row(t, "1234", "a-task-with-a-long-name", "a reason that is long as well");
        text = table_render(t, width, true, false);
        lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++)
            g_assert_cmpuint(table_width(*line), <=, width);
        g_assert_true(g_str_has_prefix(lines[1], "1234  a-"));
        if (width > 42)
            g_assert_nonnull(strstr(lines[1], "a reason that is long as well"));
    }
}

static void test_ellipsize(void)
{
    assert_text(table_ellipsize("abc", 3), "abc");
    assert_text(table_ellipsize("abcd", 3), "ab…");
    assert_text(table_ellipsize("日本語", 4), "日…");
    assert_text(table_ellipsize("abc", 0), "");
}

static int ask(Ask *ret, ClientError *e, const char *const *words)
{
    g_autofree char *message = NULL;
    g_auto(Args) a = { 0 };

    g_assert_cmpint(parse(&a, &message, words), ==, 0);
    return ask_from_args(&a, 1000 * USEC_PER_SEC, ret, e);
}

static void test_ask(void)
{
    const char *const words[] = { "run", "t", "a=1", "empty=", "lit=@@x", "--at=@2000", "--priority=-5",
        "--input={\"x\":1e400}", NULL };
    g_auto(ClientError) error = { 0 };
    g_auto(Ask) a = { 0 };

    g_assert_cmpint(ask(&a, &error, words), ==, 0);
    g_assert_cmpstr(g_hash_table_lookup(a.texts, "a"), ==, "1");
    g_assert_cmpstr(g_hash_table_lookup(a.texts, "empty"), ==, "");
    g_assert_cmpstr(g_hash_table_lookup(a.texts, "lit"), ==, "@x");
    g_assert_cmpuint(a.at, ==, 2000 * USEC_PER_SEC);
    g_assert_cmpint(a.priority, ==, -5);
    /* What is wrong with JSON that stands on the command line, the daemon says. */
    g_assert_cmpstr(a.json, ==, "{\"x\":1e400}");
    g_assert_null(a.token);
    g_assert_cmpuint(strlen(a.made_token), ==, 32);
}

static void test_ask_files(void)
{
    g_autofree char *directory = g_dir_make_tmp(NULL, NULL);
    g_autofree char *path = g_build_filename(directory, "input", NULL);
    g_autofree char *word = g_strconcat("f=@", path, NULL);
    g_autofree char *input = g_strconcat("--input=@", path, NULL);
    const char *const words[] = { "run", "t", word, input, NULL };
    g_auto(ClientError) error = { 0 };
    g_auto(Ask) a = { 0 }, b = { 0 };
    size_t size;

    g_assert_true(g_file_set_contents(path, "\xff\0b", 3, NULL));
    g_assert_cmpint(ask(&a, &error, words), ==, 0);
    g_assert_cmpint(memcmp(g_bytes_get_data(g_hash_table_lookup(a.files, "f"), &size), "\xff\0b", 3), ==, 0);
    g_assert_cmpuint(size, ==, 3);
    g_assert_cmpuint(g_bytes_get_size(a.raw), ==, 3);
    g_assert_nonnull(a.not_json);
    g_assert_true(g_file_set_contents(path, "[1, 2]\n", -1, NULL));
    g_assert_cmpint(ask(&b, &error, words), ==, 0);
    g_assert_cmpstr(b.json, ==, "[1, 2]\n");
    g_assert_null(b.raw);
    g_assert_cmpint(unlink(path), ==, 0);
    g_assert_cmpint(rmdir(directory), ==, 0);
}

static void test_ask_refused(void)
{
    static const struct {
        const char *const words[6];
        ErrorCode code;
    } cases[] = {
        { { "run", "t", "a" }, ERROR_INVALID_ARGUMENT },
        { { "run", "t", "a=1", "a=2" }, ERROR_INVALID_INPUT },
        { { "run", "t", "a=\xff" }, ERROR_INVALID_INPUT },
        { { "run", "t", "a=@/nonexistent/file" }, ERROR_INVALID_INPUT },
        { { "run", "t", "--at=never" }, ERROR_INVALID_ARGUMENT },
        { { "run", "t", "--priority=1001" }, ERROR_INVALID_ARGUMENT },
        { { "run", "t", "--token=" }, ERROR_INVALID_ARGUMENT },
        { { "run", "t", "--meta=x" }, ERROR_INVALID_ARGUMENT },
    };

    ARRAY_FOREACH (c, cases) {
        g_auto(ClientError) error = { 0 };
        g_auto(Ask) a = { 0 };

        g_assert_cmpint(ask(&a, &error, c->words), <, 0);
        g_assert_cmpint((int)error.error.code, ==, (int)c->code);
        g_assert_nonnull(error.error.message);
    }
}

static void test_find_verb(void)
{
    static const struct {
        const char *const words[6];
        int at;
    } cases[] = {
        { { "status" }, 0 },
        { { "--limit", "5", "list-runs" }, 2 },
        { { "-qn", "5", "logs" }, 2 },
        { { "--host=h", "--user", "x" }, 2 },
        { { "-q", "--", "-odd" }, 2 },
        { { "--nonsense", "x" }, 1 },
        { { "--help" }, -1 },
    };

    ARRAY_FOREACH (c, cases)
        g_assert_cmpint(
            args_find_verb((int)g_strv_length((char **)c->words), (char *const *)c->words), ==, c->at);
}

static void test_remote(void)
{
    static const struct {
        const char *host, *address;
    } cases[] = {
        { "h", "unixexec:path=ssh,argv1=-xT,argv2=--,argv3=h,argv4=systemd-stdio-bridge" },
        { "u@h:22/c",
            "unixexec:path=ssh,argv1=-xT,argv2=-p,argv3=22,argv4=--,argv5=u%40h,argv6=systemd-stdio-bridge,"
            "argv7=--machine%3dc" },
        { "[::1]:22",
            "unixexec:path=ssh,argv1=-xT,argv2=-p,argv3=22,argv4=--,argv5=%3a%3a1,argv6=systemd-stdio-bridge" },
        { "-oProxyCommand=x", NULL },
        { "h:", NULL },
        { "h:x", NULL },
        { "h/", NULL },
        { "", NULL },
    };

    g_unsetenv("SYSTEMD_SSH");
    ARRAY_FOREACH (c, cases)
        assert_text(remote_bus_address(c->host), c->address);
}

static void test_inputs(void)
{
    g_autoptr(JsonObject) task =
        object("{\"Inputs\":[{\"Name\":\"a\",\"Type\":\"integer\",\"Required\":true,"
               "\"Min\":1,\"Max\":9},{\"Name\":\"b\",\"Type\":\"string\","
               "\"Default\":\"two words\",\"Choices\":[\"x\",\"y z\"]},"
               "{\"Name\":\"c\",\"Type\":\"string\",\"Secret\":true,\"Required\":true}]}");
    JsonArray *inputs = inputs_of(task);

    g_assert_nonnull(inputs);
    assert_text(inputs_describe(json_array_get_object_element(inputs, 0)), "integer, required, 1 to 9");
    assert_text(
        inputs_describe(json_array_get_object_element(inputs, 1)), "string, x | y z, default two words");
    assert_text(inputs_example("t", inputs), "tschedctl run t a=1 c=@-");
    json_array_remove_element(inputs, 2);
    json_array_remove_element(inputs, 0);
    assert_text(inputs_example("t", inputs), "tschedctl run t b=x");
}

static void test_files(void)
{
    unsigned line = 0, column = 0;

    assert_text(files_task_name("/etc/taskschedd/tasks/backup.task"), "backup");
    assert_text(files_task_name("backup"), "backup");
    g_assert_false(files_find_invalid("a\nü", 4, &line, &column));
    g_assert_true(files_find_invalid("a\nüx\xff", 6, &line, &column));
    g_assert_cmpuint(line, ==, 2);
    g_assert_cmpuint(column, ==, 3);
    g_assert_true(files_find_invalid("a\0b", 3, &line, &column));
    g_assert_cmpuint(column, ==, 2);
}

static void test_export(void)
{
    g_autoptr(GPtrArray) files =
        export_split("t", "# /etc/taskschedd/tasks/t.task\n[Task]\nDescription=# /x/t.task.d/no.conf\n"
                          "# /run/taskschedd/tasks/t.task.d/10-a.conf\n[Task]\nPriority=3");
    const ExportFile *own, *dropin;

    g_assert_cmpuint(files->len, ==, 2);
    own = g_ptr_array_index(files, 0);
    dropin = g_ptr_array_index(files, 1);
    g_assert_cmpstr(own->path, ==, "t.task");
    g_assert_true(g_str_has_suffix(own->text->str, "no.conf\n"));
    g_assert_cmpstr(dropin->path, ==, "t.task.d/10-a.conf");
    g_assert_cmpstr(dropin->text->str, ==, "[Task]\nPriority=3\n");
}

static void test_logs(void)
{
    g_autoptr(GPtrArray) units = g_ptr_array_new(), invocations = g_ptr_array_new();
    LogsQuery q = {
        .object = "5", .is_run = true, .units = units, .invocations = invocations, .follow = true
    };
    g_autoptr(GPtrArray) bare = logs_argv(&q), full = NULL, user = NULL;
    g_autofree char *text = g_strjoinv(" ", (char **)bare->pdata), *with = NULL, *of_user = NULL;

    g_assert_cmpstr(text, ==, "journalctl --no-pager --follow --no-tail TASKSCHEDD_RUN=5");
    g_ptr_array_add(units, (char *)"tsched-run-5-1.service");
    g_ptr_array_add(units, (char *)"tsched-run-5-2.service");
    g_ptr_array_add(invocations, (char *)"aa");
    g_ptr_array_add(invocations, (char *)"");
    q.follow = false;
    q.lines = "9";
    q.output = "json";
    full = logs_argv(&q);
    with = g_strjoinv(" ", (char **)full->pdata);
    g_assert_cmpstr(with, ==,
        "journalctl --no-pager --lines=9 --output=json _SYSTEMD_INVOCATION_ID=aa + INVOCATION_ID=aa _PID=1 + "
        "_SYSTEMD_UNIT=tsched-run-5-2.service + UNIT=tsched-run-5-2.service _PID=1 + "
        "TASKSCHEDD_RUN=5 _SYSTEMD_UNIT=taskschedd.service");
    q = (LogsQuery){ .object = "5", .is_run = true, .units = units, .user = true };
    user = logs_argv(&q);
    of_user = g_strjoinv(" ", (char **)user->pdata);
    g_assert_cmpstr(of_user, ==,
        "journalctl --user --no-pager TASKSCHEDD_RUN=5 + USER_UNIT=tsched-run-5-1.service "
        "USER_UNIT=tsched-run-5-2.service + _SYSTEMD_USER_UNIT=tsched-run-5-1.service "
        "_SYSTEMD_USER_UNIT=tsched-run-5-2.service");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ctl/args/order", test_args_order);
    g_test_add_func("/ctl/args/short", test_args_short);
    g_test_add_func("/ctl/args/refused", test_args_refused);
    g_test_add_func("/ctl/args/values", test_args_values);
    g_test_add_func("/ctl/args/find-verb", test_find_verb);
    g_test_add_func("/ctl/remote", test_remote);
    g_test_add_func("/ctl/inputs", test_inputs);
    g_test_add_func("/ctl/exits", test_exits);
    g_test_add_func("/ctl/text", test_text);
    g_test_add_func("/ctl/table", test_table);
    g_test_add_func("/ctl/table/fit", test_table_fit);
    g_test_add_func("/ctl/table/ellipsize", test_ellipsize);
    g_test_add_func("/ctl/ask", test_ask);
    g_test_add_func("/ctl/ask/files", test_ask_files);
    g_test_add_func("/ctl/ask/refused", test_ask_refused);
    g_test_add_func("/ctl/files", test_files);
    g_test_add_func("/ctl/export", test_export);
    g_test_add_func("/ctl/logs", test_logs);
    return g_test_run();
}
