/* Nothing here fails: what cannot be found out is not offered. */
#include "ctl/complete.h"

#include <stdio.h>
#include <string.h>

#include "ctl/external.h"
#include "ctl/inputs.h"
#include "ctl/text.h"
#include "ctl/verbs.h"
#include "lib/i18n.h"

#define RUNS  50 /* the newest; who wants an older one knows its number */
#define NAMES 1000

typedef struct Complete {
    Client *client;
    Args args;           /* of the words before */
    const Verb *verb;    /* NULL: none yet */
    const char *current; /* the word that is typed */
} Complete;

static void complete_offer(const char *word, const char *help)
{
    g_autofree char *safe = text_safe(util_strempty(help));

    printf("%s\t%s\n", word, safe);
}

/* The shell knows better; prefix stands before the name in the current word. */
static void complete_leave(const char *what, const char *prefix)
{
    printf("\t%s\t%s\n", what, prefix);
}

static JsonArray *complete_list(const Complete *c, const char *method, const char *state, uint32_t limit)
{
    g_auto(ClientError) ignored = { 0 };
    g_autofree char *next = NULL;
    JsonArray *page = NULL;

    client_list(c->client, &ignored, method, &(ClientFilter){ .state = state }, "", limit, &page, &next);
    return page;
}

typedef void (*CompleteRow)(JsonObject *o, const char *prefix);

static void complete_rows(const Complete *c, const char *method, const char *state, uint32_t limit,
    CompleteRow row, const char *prefix)
{
    g_autoptr(JsonArray) page = complete_list(c, method, state, limit);

    for (guint i = 0; page && i < json_array_get_length(page); i++)
        row(json_array_get_object_element(page, i), prefix);
}

static void complete_task_row(JsonObject *o, const char *prefix)
{
    g_autofree char *word = g_strconcat(prefix, text_member(o, "Name"), NULL);

    complete_offer(word, text_member(o, "Description"));
}

static void complete_schedule_row(JsonObject *o, const char *prefix)
{
    g_autofree char *word =
        g_strdup_printf("%s%s/%s", prefix, text_member(o, "Task"), text_member(o, "Name"));

    complete_offer(word, NULL);
}

static void complete_calendar_row(JsonObject *o, const char *prefix)
{
    g_autofree char *word = g_strdup_printf("%scalendar:%s", prefix, text_member(o, "Name"));

    complete_offer(word, text_member(o, "Description"));
}

static void complete_node_row(JsonObject *o, const char *prefix)
{
    g_autofree char *word = g_strdup_printf("%snode:%s", prefix, text_member(o, "Name"));

    complete_offer(word, text_member(o, "State"));
}

static void complete_run_row(JsonObject *o, const char *prefix)
{
    g_autofree char *word = g_strdup_printf("%s%" G_GUINT64_FORMAT, prefix, text_number(o, "Id"));
    g_autofree char *result = text_result(o);
    g_autofree char *help =
        g_strdup_printf("%s, %s", text_member(o, "Task"), *result ? result : text_member(o, "State"));

    complete_offer(word, help);
}

static void complete_tasks(const Complete *c, const char *prefix)
{
    complete_rows(c, "ListTasks", NULL, NAMES, complete_task_row, prefix);
}

/* Names with a slash alone where the slash is typed: two schedules of each task would bury the tasks. */
static void complete_schedules(const Complete *c, const char *prefix)
{
    complete_rows(c, "ListSchedules", NULL, NAMES, complete_schedule_row, prefix);
}

static void complete_nodes(const Complete *c, const char *prefix)
{
    complete_rows(c, "ListNodes", NULL, NAMES, complete_node_row, prefix);
}

static void complete_calendars(const Complete *c, const char *prefix)
{
    complete_rows(c, "ListCalendars", NULL, NAMES, complete_calendar_row, prefix);
}

static void complete_runs(const Complete *c, const char *prefix)
{
    complete_rows(c, "ListRuns", NULL, RUNS, complete_run_row, prefix);
}

static void complete_going(const Complete *c, const char *prefix)
{
    static const char *const states[] = { "running", "starting", "stopping", "queued", "waiting" };

    ARRAY_FOREACH (state, states)
        complete_rows(c, "ListRuns", *state, RUNS, complete_run_row, prefix);
}

static void complete_done(const Complete *c, const char *prefix)
{
    complete_rows(c, "ListRuns", "done", RUNS, complete_run_row, prefix);
}

static void complete_methods(const Complete *c, const char *prefix)
{
    static const char *const methods[] = { "ApplyTask", "Backfill", "CancelRun", "DeleteTask", "KillRun",
        "ListAudit", "OpenInput", "OpenLog", "OpenOutput", "PauseUntil", "Reload", "RetryRun", "RunTask",
        "SetEnabled", "Skip", "SkipSlot", "Unskip", "UnskipSlot", "UpgradeDatabase" };

    ARRAY_FOREACH (method, methods) {
        g_autofree char *word = g_strconcat(prefix, *method, NULL);

        complete_offer(word, NULL);
    }
}

static void complete_files(const Complete *c, const char *prefix)
{
    complete_leave("file", prefix);
}

static void complete_directories(const Complete *c, const char *prefix)
{
    complete_leave("directory", prefix);
}

static void complete_users(const Complete *c, const char *prefix)
{
    complete_leave("user", prefix);
}

static void complete_hosts(const Complete *c, const char *prefix)
{
    complete_leave("host", prefix);
}

static const struct {
    const char *name;
    void (*offer)(const Complete *c, const char *prefix);
} kinds[] = {
    { "@task", complete_tasks },
    { "@schedule", complete_schedules },
    { "@node", complete_nodes },
    { "@calendar", complete_calendars },
    { "@run", complete_runs },
    { "@going", complete_going },
    { "@done", complete_done },
    { "@method", complete_methods },
    { "@file", complete_files },
    { "@directory", complete_directories },
    { "@user", complete_users },
    { "@host", complete_hosts },
};

/* what: words, or kinds of things; "@" is free text. */
static void complete_what(const Complete *c, const char *what, const char *prefix)
{
    g_auto(GStrv) words = g_strsplit(util_strempty(what), " ", -1);

    for (char **word = words; *word; word++) {
        if (**word != '@') {
            g_autofree char *whole = g_strconcat(prefix, *word, NULL);

            complete_offer(whole, NULL);
            continue;
        }
        ARRAY_FOREACH (kind, kinds)
            if (g_str_equal(kind->name, *word))
                kind->offer(c, prefix);
    }
}

static void complete_verbs(void)
{
    g_autoptr(GPtrArray) external = external_names();
    size_t n;
    const Verb *verbs = verbs_all(&n);

    for (size_t i = 0; i < n; i++)
        complete_offer(verbs[i].name, gettext(verbs[i].help));
    for (guint i = 0; i < external->len; i++)
        complete_offer(g_ptr_array_index(external, i), NULL);
}

static void complete_options(const Complete *c)
{
    size_t n;
    const ArgsOption *options = args_options(&n);

    for (size_t i = 0; i < n; i++) {
        const ArgsOption *o = &options[i];
        g_autofree char *word = g_strdup_printf("--%s%s", o->name, o->value == ARGS_REQUIRED ? "=" : "");

        if (!o->verbs || (c->verb && args_option_goes(o, c->verb->name)))
            complete_offer(word, gettext(o->help));
    }
}

/* Of a value that the word itself begins: "--option=". False where it is no such word. */
static bool complete_option_value(const Complete *c)
{
    const char *equals = strchr(c->current, '=');
    g_autofree char *name = NULL, *prefix = NULL;
    const ArgsOption *o;

    if (!g_str_has_prefix(c->current, "--") || !equals)
        return false;
    name = g_strndup(c->current + 2, (size_t)(equals - c->current - 2));
    prefix = g_strndup(c->current, (size_t)(equals - c->current + 1));
    o = args_option(name, c->verb ? c->verb->name : "");
    if (o && o->value != ARGS_NONE)
        complete_what(c, o->complete, prefix);
    return true;
}

/* ---- inputs ---- */

static JsonArray *complete_inputs_of(const Complete *c, JsonObject **ret_task)
{
    g_auto(ClientError) ignored = { 0 };

    if (client_call_object(
            c->client, &ignored, ret_task, "GetTask", "s", g_ptr_array_index(c->args.words, 0)) < 0)
        return NULL;
    return inputs_of(*ret_task);
}

static void complete_input_names(const Complete *c, JsonArray *inputs)
{
    for (guint i = 0; i < json_array_get_length(inputs); i++) {
        JsonObject *input = json_array_get_object_element(inputs, i);
        g_autofree char *word = g_strconcat(text_member(input, "Name"), "=", NULL);
        const char *help = text_member(input, "Description");
        g_autofree char *description = inputs_describe(input);
        bool given = false;

        for (guint w = 1; w < c->args.words->len; w++)
            given = given || g_str_has_prefix(g_ptr_array_index(c->args.words, w), word);
        if (!given)
            complete_offer(word, *help ? help : description);
    }
}

static void complete_input_value(JsonObject *input, const char *prefix)
{
    JsonNode *node = json_object_get_member(input, "Choices");
    JsonArray *choices = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    g_autofree char *yes = g_strconcat(prefix, "yes", NULL), *no = g_strconcat(prefix, "no", NULL);

    for (guint i = 0; choices && i < json_array_get_length(choices); i++) {
        g_autofree char *word = g_strconcat(prefix, json_array_get_string_element(choices, i), NULL);

        complete_offer(word, NULL);
    }
    if (g_str_equal(text_member(input, "Type"), "boolean")) {
        complete_offer(yes, NULL);
        complete_offer(no, NULL);
    }
}

static void complete_inputs(const Complete *c)
{
    g_autoptr(JsonObject) task = NULL;
    JsonArray *inputs = complete_inputs_of(c, &task);
    const char *equals = strchr(c->current, '=');
    g_autofree char *prefix = equals ? g_strndup(c->current, (size_t)(equals - c->current + 1)) : NULL;

    /* NAME=@FILE is of any input. */
    if (equals && equals[1] == '@') {
        g_autofree char *at = g_strconcat(prefix, "@", NULL);

        complete_leave("file", at);
        return;
    }
    if (!inputs)
        return;
    if (!equals) {
        complete_input_names(c, inputs);
        return;
    }
    for (guint i = 0; i < json_array_get_length(inputs); i++) {
        JsonObject *input = json_array_get_object_element(inputs, i);
        g_autofree char *own = g_strconcat(text_member(input, "Name"), "=", NULL);

        if (g_str_equal(own, prefix))
            complete_input_value(input, prefix);
    }
}

/* ---- slots ---- */

/* Of a schedule the next one, to be skipped, or those that are. */
static void complete_slots(const Complete *c)
{
    g_auto(GStrv) parts = g_strsplit(g_ptr_array_index(c->args.words, 0), "/", 2);
    g_autoptr(JsonObject) o = NULL;
    g_auto(ClientError) ignored = { 0 };
    JsonArray *skipped;

    if (g_strv_length(parts) != 2 ||
        client_call_object(c->client, &ignored, &o, "GetSchedule", "ss", parts[0], parts[1]) < 0)
        return;
    skipped = json_object_get_array_member(o, "Skipped");
    if (c->verb->run == change_skip_verb && *text_member(o, "Next"))
        complete_offer(text_member(o, "Next"), NULL);
    for (guint i = 0; c->verb->run == change_unskip_verb && i < json_array_get_length(skipped); i++)
        complete_offer(json_array_get_string_element(skipped, i), NULL);
}

/* ---- where we are ---- */

/* A word such as "--limit" or "-n" before the current one, whose value that is. */
static const ArgsOption *complete_pending(const char *last, const Verb *verb)
{
    size_t n, length = strlen(last);
    const ArgsOption *options = args_options(&n);

    for (size_t i = 0; i < n; i++) {
        const ArgsOption *o = &options[i];
        bool is = last[0] == '-' && last[1] == '-'
                      ? g_str_equal(last + 2, o->name)
                      : last[0] == '-' && length > 1 && last[length - 1] == o->letter;

        if (is && o->value == ARGS_REQUIRED && (!o->verbs || (verb && args_option_goes(o, verb->name))))
            return o;
    }
    return NULL;
}

static void complete_place(Complete *c, int argc, char *const *argv)
{
    g_autofree char *message = NULL;
    const ArgsOption *pending;
    int at = args_find_verb(argc, argv);

    c->verb = at >= 0 ? verbs_find(argv[at]) : NULL;
    pending = argc > 0 ? complete_pending(argv[argc - 1], c->verb) : NULL;
    if (args_parse(pending ? argc - 1 : argc, argv, &c->args, &message) < 0)
        return;
    client_new(args_has(&c->args, "user"), args_get(&c->args, "host"), &c->client);
    if (pending)
        complete_what(c, pending->complete, "");
    else if (complete_option_value(c))
        return;
    else if (c->current[0] == '-')
        complete_options(c);
    else if (at < 0)
        complete_verbs();
    else if (c->verb && c->verb->run == ask_verb && c->args.words->len > 0)
        complete_inputs(c);
    else if (c->verb && c->verb->complete && g_str_equal(c->verb->complete, "@schedule") &&
             c->args.words->len > 0)
        complete_slots(c);
    else if (c->verb && c->args.words->len < c->verb->max)
        complete_what(c, c->verb->complete, "");
}

int complete_main(int argc, char *const *argv)
{
    Complete c = { .current = argc > 0 ? argv[argc - 1] : "" };

    complete_place(&c, MAX(argc - 1, 0), argv);
    client_free(c.client);
    args_clear(&c.args);
    return EXITS_OK;
}
