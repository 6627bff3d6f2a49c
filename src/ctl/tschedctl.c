/* tschedctl: the command line of the task scheduler. */
#include <locale.h>
#include <stdio.h>

#include "config.h"
#include "ctl/agent.h"
#include "ctl/complete.h"
#include "ctl/external.h"
#include "ctl/inputs.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
#include "lib/i18n.h"

static int tschedctl_help(Ctl *ctl, const Verb *verb)
{
    g_autofree char *text = NULL;

    if (verb && verb->run == ask_verb && ctl->args.words->len > 0)
        return inputs_help(ctl);
    if (ctl->json != CTL_JSON_OFF) {
        g_autoptr(JsonObject) o = verbs_help_json();

        output_json_object(ctl, o);
        return EXITS_OK;
    }
    text = verb ? verbs_help_of(verb) : verbs_help();
    output_pager_open(ctl);
    fputs(text, stdout);
    output_pager_close(ctl);
    return EXITS_OK;
}

static int tschedctl_dispatch(Ctl *ctl, const Verb *verb)
{
    guint n = ctl->args.words->len;
    int code;

    if (n < verb->min)
        return output_usage(ctl, _("Too few words: tschedctl %s %s"), verb->name, verb->words);
    if (n > verb->max)
        return output_usage(ctl, _("Too many words: tschedctl %s %s"), verb->name, verb->words);
    if (verb->authorises)
        agent_open(ctl);
    code = verb->run(ctl);
    agent_close(ctl);
    return code;
}

static int tschedctl_unknown(const Ctl *ctl, const char *name)
{
    const char *near = verbs_near(name);

    return near ? output_usage(ctl, _("Unknown verb \"%s\", did you mean %s?"), name, near)
                : output_usage(ctl, _("Unknown verb \"%s\""), name);
}

/* Before anything is judged: what is wrong with the command line is told in JSON too. */
static CtlJson tschedctl_find_json(int argc, char *const *argv)
{
    CtlJson json = CTL_JSON_OFF;

    for (int i = 0; i < argc && !g_str_equal(argv[i], "--"); i++)
        if (g_str_equal(argv[i], "--json=pretty"))
            json = CTL_JSON_PRETTY;
        else if (g_str_equal(argv[i], "--json") || g_str_equal(argv[i], "--json=short"))
            json = CTL_JSON_SHORT;
        else if (g_str_has_prefix(argv[i], "--json="))
            json = CTL_JSON_OFF; /* by that name, or by none that there is */
    return json;
}

/* What programs read has one language. */
static void tschedctl_set_language(CtlJson json)
{
    setlocale(LC_ALL, "");
    bindtextdomain(I18N_DOMAIN, LOCALEDIR);
    if (json == CTL_JSON_OFF)
        textdomain(I18N_DOMAIN);
}

static int tschedctl_setup(Ctl *ctl, int argc, char *const *argv, char **ret_message)
{
    int r = args_parse(argc, argv, &ctl->args, ret_message);

    if (r >= 0)
        r = output_setup(ctl, ret_message);
    if (r < 0)
        return r;
    ctl->host = args_get(&ctl->args, "host");
    ctl->user = args_has(&ctl->args, "user");
    ctl->ask_password = !args_has(&ctl->args, "no-ask-password");
    if (ctl->host && ctl->user) {
        *ret_message = g_strdup(_("--user and --host do not go together"));
        return -EINVAL;
    }
    return 0;
}

static int tschedctl_run(Ctl *ctl, const Verb *verb)
{
    if (args_has(&ctl->args, "help"))
        return tschedctl_help(ctl, verb);
    if (args_has(&ctl->args, "version")) {
        printf("tschedctl %s\n", PROJECT_VERSION);
        return EXITS_OK;
    }
    return tschedctl_dispatch(ctl, verb ? verb : verbs_find(ARGS_DEFAULT_VERB));
}

int main(int argc, char **argv)
{
    g_autofree char *message = NULL;
    g_autoptr(Client) client = NULL;
    const Verb *verb = NULL;
    Ctl ctl = { 0 };
    int code, at = args_find_verb(argc - 1, argv + 1);

    ctl.json = tschedctl_find_json(argc - 1, argv + 1);
    tschedctl_set_language(ctl.json);
    if (at >= 0 && g_str_equal(argv[at + 1], COMPLETE_VERB))
        return complete_main(argc - at - 2, argv + at + 2);
    if (at >= 0) {
        verb = verbs_find(argv[at + 1]);
        if (!verb && external_exec(argc - 1, argv + 1, at, &message) == -ENOENT)
            return tschedctl_unknown(&ctl, argv[at + 1]);
        if (!verb)
            return output_usage(&ctl, "%s", message);
    }
    code = tschedctl_setup(&ctl, argc - 1, argv + 1, &message);
    if (code < 0) {
        code = output_usage(&ctl, "%s", message);
    } else {
        client_new(ctl.user, ctl.host, &client);
        client_set_interactive(client, ctl.ask_password);
        ctl.client = client;
        code = tschedctl_run(&ctl, verb);
    }
    if (fflush(stdout) < 0 && errno != EPIPE && errno != EBADF && code == EXITS_OK) {
        fprintf(stderr, "tschedctl: %s: %s\n", _("Standard output"), g_strerror(errno));
        code = EXITS_FAILED;
    }
    args_clear(&ctl.args);
    return code;
}
