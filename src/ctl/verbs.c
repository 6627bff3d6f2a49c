/* One table of verbs: the dispatcher, the help, the shells' completions and the test of the manual read it. */
#include "ctl/verbs.h"

#include <string.h>

#include "base/suggest.h"
#include "ctl/external.h"
#include "ctl/table.h"
#include "lib/i18n.h"

#define WIDTH  79u /* of the help */
#define INDENT 29u /* where the words of explanation begin */
#define ANY    G_MAXUINT

static const Verb table[] = {
    { "status", 0, 1, status_verb, false, "[RUN|TASK|TASK/SCHEDULE|node:NODE|calendar:NAME]",
        "@run @task @schedule @node @calendar",
        N_("How the daemon, a run, a task, a node or a calendar is") },
    { "list-tasks", 0, 0, list_tasks_verb, false, "", NULL, N_("Tasks") },
    { "list-runs", 0, 0, list_runs_verb, false, "", NULL, N_("Runs, newest first") },
    { "list-schedules", 0, 1, list_schedules_verb, false, "[TASK|TASK/SCHEDULE]", "@task @schedule",
        N_("Schedules and when they fire next") },
    { "list-slots", 0, 1, list_slots_verb, false, "[TASK|TASK/SCHEDULE]", "@task @schedule",
        N_("What became of the times of schedules, newest first") },
    { "list-calendars", 0, 0, list_calendars_verb, false, "", NULL,
        N_("Named sets of days and hours, and whether it is one of them now") },
    { "list-nodes", 0, 0, list_nodes_verb, false, "", NULL, N_("Hosts that share the database") },
    { "next", 0, 1, next_verb, false, "[TASK|TASK/SCHEDULE]", "@task @schedule",
        N_("What fires when, soonest first") },
    { "timeline", 0, 1, timeline_verb, false, "[TASK]", "@task",
        N_("The past and the coming day, a line for each task") },
    { "plot", 0, 1, plot_verb, false, "[TASK]", "@task",
        N_("The same as a picture, SVG on standard output") },
    { "show", 0, ANY, show_verb, false, "[RUN|TASK|TASK/SCHEDULE|node:NODE|calendar:NAME]…",
        "@run @task @schedule @node @calendar", N_("All that is known of it, as KEY=VALUE") },
    { "cat", 1, ANY, export_cat_verb, false, "TASK…", "@task", N_("The definition in force") },
    { "logs", 1, 1, logs_verb, false, "RUN|TASK", "@run @task",
        N_("What it wrote, and what happened to it") },
    { "run", 1, ANY, ask_verb, true, "TASK [KEY=VALUE]…", "@task",
        N_("Ask for a run; prints its id. With --help: the task's inputs") },
    { "cancel", 1, ANY, change_cancel_verb, true, "RUN…", "@going", N_("End runs, without retry") },
    { "kill", 1, ANY, change_kill_verb, true, "RUN…", "@going",
        N_("Send a signal to the processes of runs") },
    { "retry", 1, ANY, change_retry_verb, true, "RUN…", "@done",
        N_("New runs with the same input and revision") },
    { "apply", 1, ANY, define_apply_verb, true, "FILE…", "@file", N_("Keep definitions in the database") },
    { "edit", 1, 1, edit_verb, false, "TASK", "@task", N_("Change a definition in an editor") },
    { "verify", 1, ANY, define_verify_verb, false, "FILE…", "@file",
        N_("Judge definitions and calendars without keeping them") },
    { "plan", 1, ANY, plan_verb, false, "FILE…", "@file",
        N_("What applying definitions would change, as keys and fire times") },
    { "delete", 1, ANY, change_delete_verb, true, "TASK…", "@task", N_("Delete definitions; runs go on") },
    { "enable", 1, ANY, change_enable_verb, true, "TASK[/SCHEDULE]…", "@task @schedule", N_("Let it run") },
    { "disable", 1, ANY, change_disable_verb, true, "TASK[/SCHEDULE]…", "@task @schedule",
        N_("Do not let it run") },
    { "skip", 2, ANY, change_skip_verb, true, "TASK/SCHEDULE TIME…", "@schedule",
        N_("Do not let it run at these times to come") },
    { "unskip", 2, ANY, change_unskip_verb, true, "TASK/SCHEDULE TIME…", "@schedule",
        N_("Let it run at these times after all") },
    { "backfill", 2, 2, backfill_verb, true, "TASK/SCHEDULE FROM..[TO]", "@schedule",
        N_("Run it for those times that have passed and have no run") },
    { "reload", 0, 0, change_reload_verb, true, "", NULL, N_("Read the files of tasks and calendars again") },
    { "export", 0, ANY, export_verb, false, "[TASK…]", "@task",
        N_("Definitions as text, or as files with -o DIR") },
    { "import", 1, ANY, import_verb, true, "FILE…", "@file",
        N_("Tasks of crontabs, timers and jobs of at, as text, or as files with -o DIR") },
    { "list-audit", 0, 0, list_audit_verb, true, "", NULL,
        N_("Who asked for what, and whether it was granted") },
    { "vacuum", 0, 0, change_vacuum_verb, true, "", NULL, N_("Remove old history now, rather than today") },
    { "db", 1, 1, database_verb, true, "status|upgrade", "status upgrade",
        N_("How the database is; move it to a newer server") },
};

const Verb *verbs_all(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(table);
    return table;
}

const Verb *verbs_find(const char *name)
{
    ARRAY_FOREACH (v, table)
        if (g_str_equal(v->name, name))
            return v;
    return NULL;
}

const char *verbs_near(const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    ARRAY_FOREACH (v, table)
        g_ptr_array_add(names, (char *)v->name);
    return suggest_nearest(name, names);
}

/* ---- help ---- */

/* left, and from INDENT on text, in lines of WIDTH: a language with longer words has more lines, not longer ones. */
static void help_line(GString *out, const char *left, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    unsigned column = table_width(left);

    g_string_append(out, left);
    if (column + 1 > INDENT) {
        g_string_append_c(out, '\n');
        column = 0;
    }
    g_string_append_printf(out, "%*s", (int)(INDENT - column), "");
    column = INDENT;
    for (char **word = words; *word; word++) {
        unsigned width = table_width(*word);

        if (column > INDENT && column + 1 + width > WIDTH) {
            g_string_append_printf(out, "\n%*s", (int)INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            g_string_append_c(out, ' ');
            column++;
        }
        g_string_append(out, *word);
        column += width;
    }
    g_string_append_c(out, '\n');
}

static void help_option(GString *out, const ArgsOption *o)
{
    g_autofree char *letter = o->letter ? g_strdup_printf("-%c", o->letter) : g_strdup("  ");
    const char *placeholder = util_strempty(o->placeholder);
    g_autofree char *value = g_strdup_printf(o->value == ARGS_OPTIONAL ? "[=%s]" : "=%s", placeholder);
    g_autofree char *left =
        g_strdup_printf("  %s --%s%s", letter, o->name, o->value == ARGS_NONE ? "" : value);
    g_autofree char *text = o->fallback
                                ? g_strdup_printf(_("%s (default: %s)"), gettext(o->help), o->fallback)
                                : g_strdup(gettext(o->help));

    help_line(out, left, text);
}

/* " apply verify " as "apply, verify". */
static char *help_section(const char *verbs)
{
    g_autofree char *trimmed = g_strstrip(g_strdup(verbs));
    g_auto(GStrv) words = g_strsplit(trimmed, " ", -1);

    return g_strjoinv(", ", words);
}

static void help_options(GString *out)
{
    const char *section = NULL;
    size_t n;
    const ArgsOption *options = args_options(&n);

    g_string_append_printf(out, "\n%s\n", _("Options:"));
    for (size_t i = 0; i < n; i++) {
        const ArgsOption *o = &options[i];

        if (o->verbs && g_strcmp0(o->verbs, section) != 0) {
            g_autofree char *heading = help_section(o->verbs);

            g_string_append_printf(out, _("\nOptions of %s:\n"), heading);
            section = o->verbs;
        }
        help_option(out, o);
    }
}

static void help_verb(GString *out, const Verb *v)
{
    g_autofree char *left = g_strdup_printf("  %s %s", v->name, v->words);

    help_line(out, left, gettext(v->help));
}

/* Verbs that programs on the PATH bring. */
static void help_external(GString *out)
{
    g_autoptr(GPtrArray) names = external_names();
    g_autofree char *joined = NULL;

    if (names->len == 0)
        return;
    g_ptr_array_add(names, NULL);
    joined = g_strjoinv(", ", (char **)names->pdata);
    g_string_append_printf(out, _("Here: %s."), joined);
    g_string_append_c(out, '\n');
}

char *verbs_help(void)
{
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "tschedctl [%s] %s\n\n%s\n\n%s\n", _("OPTION…"), _("VERB [WORD…]"),
        _("Control the task scheduler."), _("Verbs:"));
    ARRAY_FOREACH (v, table)
        help_verb(out, v);
    help_options(out);
    g_string_append_printf(out, "\n%s\n", _("A program tschedctl-NAME on the PATH is a verb NAME too."));
    help_external(out);
    g_string_append_printf(out, "%s\n", _("See tschedctl(1), taskschedd.task(5)."));
    return g_string_free(out, FALSE);
}

char *verbs_help_of(const Verb *v)
{
    GString *out = g_string_new(NULL);
    bool first = true;
    size_t n;
    const ArgsOption *options = args_options(&n);

    g_string_append_printf(out, "tschedctl [%s] %s%s%s\n\n%s.\n", _("OPTION…"), v->name, *v->words ? " " : "",
        v->words, gettext(v->help));
    for (size_t i = 0; i < n; i++) {
        if (!options[i].verbs || !args_option_goes(&options[i], v->name))
            continue;
        if (first)
            g_string_append_printf(out, "\n%s\n", _("Options:"));
        first = false;
        help_option(out, &options[i]);
    }
    g_string_append_printf(
        out, "\n%s\n%s\n", _("Options of all verbs: tschedctl --help."), _("See tschedctl(1)."));
    return g_string_free(out, FALSE);
}

/* ---- for programs ---- */

static void help_json_member(JsonObject *o, const char *key, const char *value)
{
    if (value && *value)
        json_object_set_string_member(o, key, value);
}

static JsonArray *help_json_verbs(void)
{
    JsonArray *verbs = json_array_new();

    ARRAY_FOREACH (v, table) {
        JsonObject *o = json_object_new();

        json_object_set_string_member(o, "Name", v->name);
        help_json_member(o, "Words", v->words);
        json_object_set_string_member(o, "Help", v->help);
        json_array_add_object_element(verbs, o);
    }
    return verbs;
}

static JsonArray *help_json_options(void)
{
    JsonArray *array = json_array_new();
    size_t n;
    const ArgsOption *options = args_options(&n);

    for (size_t i = 0; i < n; i++) {
        JsonObject *o = json_object_new();
        char letter[2] = { options[i].letter, 0 };
        g_autofree char *verbs = g_strstrip(g_strdup(util_strempty(options[i].verbs)));

        json_object_set_string_member(o, "Name", options[i].name);
        help_json_member(o, "Letter", letter);
        help_json_member(o, "Value", options[i].placeholder);
        help_json_member(o, "Verbs", verbs);
        help_json_member(o, "Default", options[i].fallback);
        json_object_set_string_member(o, "Help", options[i].help);
        json_array_add_object_element(array, o);
    }
    return array;
}

JsonObject *verbs_help_json(void)
{
    JsonObject *o = json_object_new();

    json_object_set_array_member(o, "Verbs", help_json_verbs());
    json_object_set_array_member(o, "Options", help_json_options());
    return o;
}
