/* tschedctl: the command line of the task scheduler. Verbs stand in one table. */
#include <locale.h>
#include <stdio.h>

#include "config.h"
#include "ctl/ctl.h"
#include "ctl/output.h"
#include "lib/i18n.h"

typedef struct Verb {
    const char *name;
    guint min, max; /* words after it */
    CtlVerb run;
    const char *words; /* in the help */
    const char *help;
} Verb;

static const Verb verbs[] = {
    { "status", 0, 1, status_verb, "[RUN|TASK|TASK/SCHEDULE]", N_("How the daemon, a run or a task is") },
    { "list-tasks", 0, 0, list_tasks_verb, "", N_("Tasks") },
    { "list-runs", 0, 0, list_runs_verb, "", N_("Runs, newest first") },
    { "list-schedules", 0, 1, list_schedules_verb, "[TASK]", N_("Schedules and when they fire next") },
    { "next", 0, 1, list_next_verb, "[TASK]", N_("What fires when, soonest first") },
    { "show", 0, G_MAXUINT, show_verb, "[RUN|TASK|TASK/SCHEDULE…]",
        N_("All that is known of it, as KEY=VALUE") },
    { "cat", 1, G_MAXUINT, export_cat_verb, "TASK…", N_("The definition in force") },
    { "logs", 1, 1, logs_verb, "RUN|TASK", N_("What it wrote, and what happened to it") },
    { "run", 1, G_MAXUINT, ask_verb, "TASK [KEY=VALUE…]", N_("Ask for a run; prints its id") },
    { "cancel", 1, G_MAXUINT, change_cancel_verb, "RUN…", N_("End runs, without retry") },
    { "kill", 1, G_MAXUINT, change_kill_verb, "RUN…", N_("Send a signal to the processes of runs") },
    { "retry", 1, G_MAXUINT, change_retry_verb, "RUN…", N_("New runs with the same input and revision") },
    { "apply", 1, G_MAXUINT, define_apply_verb, "FILE…", N_("Keep definitions in the database") },
    { "verify", 1, G_MAXUINT, define_verify_verb, "FILE…", N_("Judge definitions without keeping them") },
    { "delete", 1, G_MAXUINT, change_delete_verb, "TASK…", N_("Delete definitions; runs go on") },
    { "enable", 1, G_MAXUINT, change_enable_verb, "TASK[/SCHEDULE]…", N_("Let it run") },
    { "disable", 1, G_MAXUINT, change_disable_verb, "TASK[/SCHEDULE]…", N_("Do not let it run") },
    { "reload", 0, 0, change_reload_verb, "", N_("Read the task files again") },
    { "export", 0, G_MAXUINT, export_verb, "[TASK…]", N_("Definitions as text, or as files with -o DIR") },
};

static const char options_help[] =
    "     --user              The instance of this user rather than the system's\n"
    "  -H --host=[USER@]HOST  The one on another machine, over ssh\n"
    "     --json=MODE         pretty, short or off\n"
    "     --no-legend         No headers and footers\n"
    "     --no-pager          No pager\n"
    "  -q --quiet             No messages but errors\n"
    "  -h --help              This text\n"
    "     --version           The version\n"
    "\nrun:\n"
    "     --input=JSON|@FILE  The whole input at once\n"
    "     --at=TIME           Not before TIME\n"
    "     --meta=KEY=VALUE    Metadata kept with the run\n"
    "     --token=TOKEN       The same token again returns the same run\n"
    "     --priority=N        -1000 to 1000, higher first\n"
    "     --wait              Wait for the end; exit with the task's status\n"
    "  -f --follow            Likewise, and show output and progress\n"
    "\nlist-runs:\n"
    "     --task=TASK --state=STATE --result=RESULT --since=TIME --until=TIME\n"
    "     --requester=USER --meta=KEY=VALUE\n"
    "     --limit=N           At most N, 100 by default; 0 is all\n"
    "\nOther verbs:\n"
    "  -p --property=KEY,…    show: these keys alone\n"
    "  -f --follow            logs: go on with what comes\n"
    "  -n --lines=N           logs, next: how many\n"
    "  -o --output=MODE|DIR   logs: as journalctl's; export: files in DIR\n"
    "  -s --signal=SIGNAL     kill: default TERM\n"
    "     --name=NAME         apply, verify: the task's name\n";

static int tschedctl_help(void)
{
    printf("tschedctl [OPTION…] VERB [WORD…]\n\nControl the task scheduler.\n\nVerbs:\n");
    ARRAY_FOREACH (v, verbs) {
        g_autofree char *left = g_strdup_printf("%s %s", v->name, v->words);

        printf("  %-34s %s\n", left, gettext(v->help));
    }
    printf("\nOptions:\n%s\nSee tschedctl(1), taskschedd.task(5).\n", options_help);
    return EXITS_OK;
}

static int tschedctl_dispatch(Ctl *ctl)
{
    guint n = ctl->args.words->len;

    ARRAY_FOREACH (v, verbs) {
        if (!g_str_equal(v->name, ctl->args.verb))
            continue;
        if (n < v->min)
            return output_usage(ctl, _("Too few words: tschedctl %s %s"), v->name, v->words);
        if (n > v->max)
            return output_usage(ctl, _("Too many words: tschedctl %s %s"), v->name, v->words);
        return v->run(ctl);
    }
    return output_usage(ctl, _("Unknown verb \"%s\""), ctl->args.verb);
}

int main(int argc, char **argv)
{
    g_autofree char *message = NULL;
    g_autoptr(Client) client = NULL;
    g_auto(Args) args = { 0 };
    Ctl ctl = { 0 };
    int code;

    setlocale(LC_ALL, "");
    bindtextdomain(I18N_DOMAIN, LOCALEDIR);
    textdomain(I18N_DOMAIN);
    if (args_parse(argc - 1, argv + 1, &args, &message) < 0)
        return output_usage(&ctl, "%s", message);
    ctl.args = args;
    if (output_setup(&ctl, &message) < 0)
        return output_usage(&ctl, "%s", message);
    if (args_has(&args, "help"))
        return tschedctl_help();
    if (args_has(&args, "version")) {
        printf("tschedctl %s\n", PROJECT_VERSION);
        return EXITS_OK;
    }
    if (!args.verb)
        return output_usage(&ctl, "A verb is missing");
    ctl.host = args_get(&args, "host");
    ctl.user = args_has(&args, "user");
    if (ctl.host && ctl.user)
        return output_usage(&ctl, "--user and --host do not go together");
    client_new(ctl.user, ctl.host, &client);
    ctl.client = client;
    code = tschedctl_dispatch(&ctl);
    if (fflush(stdout) < 0 && errno != EPIPE && errno != EBADF && code == EXITS_OK) {
        fprintf(stderr, "tschedctl: Standard output: %s\n", g_strerror(errno));
        code = EXITS_FAILED;
    }
    return code;
}
