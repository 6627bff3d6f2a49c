/* run TASK --help: what the task takes. */
#include "ctl/inputs.h"

#include <stdio.h>

#include "ctl/output.h"
#include "ctl/show.h"
#include "ctl/text.h"
#include "lib/i18n.h"

static bool inputs_flag(JsonObject *input, const char *key)
{
    return json_object_get_boolean_member_with_default(input, key, false);
}

JsonArray *inputs_of(JsonObject *task)
{
    JsonNode *node = json_object_get_member(task, "Inputs");

    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static char *inputs_limits(JsonObject *input)
{
    g_autofree char *min = text_value(input, "Min"), *max = text_value(input, "Max");

    if (min && max)
        return g_strdup_printf(_("%s to %s"), min, max);
    if (min)
        return g_strdup_printf(_("%s at least"), min);
    return max ? g_strdup_printf(_("%s at most"), max) : NULL;
}

static char *inputs_choices(JsonObject *input)
{
    JsonNode *node = json_object_get_member(input, "Choices");
    JsonArray *choices = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    GString *out;

    if (!choices)
        return NULL;
    out = g_string_new(NULL);
    for (guint i = 0; i < json_array_get_length(choices); i++)
        g_string_append_printf(out, "%s%s", i > 0 ? " | " : "", json_array_get_string_element(choices, i));
    return g_string_free(out, FALSE);
}

/* Takes text over. */
static void inputs_add(GString *out, char *text)
{
    if (text && *text)
        g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", text);
    g_free(text);
}

char *inputs_describe(JsonObject *input)
{
    const char *pattern = text_member(input, "Pattern"), *fallback = text_member(input, "Default");
    GString *out = g_string_new(NULL);

    inputs_add(out, g_strdup(text_member(input, "Type")));
    inputs_add(out, g_strdup(inputs_flag(input, "Required") ? _("required") : NULL));
    inputs_add(
        out, g_strdup(inputs_flag(input, "Secret") ? _("secret: give it as NAME=@FILE or NAME=@-") : NULL));
    inputs_add(out, inputs_limits(input));
    inputs_add(out, inputs_choices(input));
    inputs_add(out, *pattern ? g_strdup_printf(_("matches %s"), pattern) : NULL);
    inputs_add(out, json_object_has_member(input, "Default")
                        ? g_strdup_printf(_("default %s"), *fallback ? fallback : "\"\"")
                        : NULL);
    return g_string_free(out, FALSE);
}

/* What somebody could type there: the first choice, the least, the default, or a word that shows the type. */
static char *inputs_sample(JsonObject *input)
{
    static const struct {
        const char *type, *sample;
    } samples[] = { { "string", "TEXT" }, { "integer", "1" }, { "number", "1.5" }, { "boolean", "yes" },
        { "datetime", "2030-01-31" }, { "duration", "5min" }, { "file", "@FILE" }, { "json", "{}" } };
    g_autofree char *choices = inputs_choices(input), *min = text_value(input, "Min");
    const char *type = text_member(input, "Type"), *fallback = text_member(input, "Default");

    if (inputs_flag(input, "Secret"))
        return g_strdup("@-");
    if (choices)
        return g_strdup(json_array_get_string_element(json_object_get_array_member(input, "Choices"), 0));
    if (*fallback)
        return g_strdup(fallback);
    if (min && (g_str_equal(type, "integer") || g_str_equal(type, "number")))
        return g_strdup(min);
    ARRAY_FOREACH (s, samples)
        if (g_str_equal(s->type, type))
            return g_strdup(s->sample);
    return g_strdup("…");
}

/* The required ones, and where there are none the first: a line that shows how it is done. */
char *inputs_example(const char *task, JsonArray *inputs)
{
    GString *out = g_string_new("tschedctl run ");
    guint n = json_array_get_length(inputs), given = 0;

    g_string_append(out, task);
    for (guint pass = 0; pass < 2 && given == 0; pass++)
        for (guint i = 0; i < n && (pass == 0 || given == 0); i++) {
            JsonObject *input = json_array_get_object_element(inputs, i);
            g_autofree char *sample = inputs_sample(input), *quoted = g_shell_quote(sample);

            if (pass == 0 && !inputs_flag(input, "Required"))
                continue;
            g_string_append_printf(out, " %s=%s", text_member(input, "Name"),
                g_strcmp0(sample, "") != 0 && !strpbrk(sample, " \t\n'\"\\$`&|;<>()*?[]{}!#~") ? sample
                                                                                               : quoted);
            given++;
        }
    return g_string_free(out, FALSE);
}

static void inputs_print(JsonObject *input)
{
    g_autofree char *description = inputs_describe(input), *shown = text_safe(description);
    g_autofree char *help = text_safe(text_member(input, "Description"));
    g_autofree char *left = g_strdup_printf("  %s", text_member(input, "Name"));

    printf("%-19s %s\n", left, shown);
    if (*help)
        printf("%-19s %s\n", "", help);
}

int inputs_help(Ctl *ctl)
{
    const char *name = ctl_word(ctl, 0);
    g_autoptr(JsonObject) task = NULL;
    g_auto(ClientError) error = { 0 };
    g_autofree char *example = NULL;
    JsonArray *inputs;

    if (client_call_object(ctl->client, &error, &task, "GetTask", "s", name) < 0)
        return output_fail(ctl, &error);
    if (ctl->json != CTL_JSON_OFF) {
        output_json_object(ctl, task);
        return EXITS_OK;
    }
    inputs = inputs_of(task);
    printf("tschedctl [%s] run %s [KEY=VALUE]…\n", _("OPTION…"), name);
    if (*text_member(task, "Description")) {
        g_autofree char *safe = text_safe(text_member(task, "Description"));

        printf("\n%s\n", safe);
    }
    if (!inputs || json_array_get_length(inputs) == 0) {
        printf("\n%s\n", _("It declares no input."));
        return EXITS_OK;
    }
    printf("\n%s\n", _("Inputs:"));
    for (guint i = 0; i < json_array_get_length(inputs); i++)
        inputs_print(json_array_get_object_element(inputs, i));
    example = inputs_example(name, inputs);
    printf("\n%s\n  %s\n", _("For example:"), example);
    return EXITS_OK;
}
