/* Printing: errors, JSON, tables, the pager. */
#include "ctl/output.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-login.h>

#include "base/utf8.h"
#include "ctl/text.h"
#include "lib/i18n.h"

#define LABEL 14u /* columns of the labels of status */

static unsigned output_terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size = { 0 };
    int64_t number;

    if (columns && args_number(columns, 1, 10000, &number) >= 0)
        return (unsigned)number;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) >= 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static bool output_is_dumb(void)
{
    const char *term = util_strempty(getenv("TERM"));

    return !*term || g_str_equal(term, "dumb");
}

/* SYSTEMD_COLORS says it outright: a boolean, a number of colours, or "auto-" and such a number, which leaves it to the
 * terminal as no variable does. */
static bool output_wants_colours(bool tty)
{
    static const char *const off[] = { "0", "no", "n", "false", "f", "off", NULL };
    const char *colours = util_strempty(getenv("SYSTEMD_COLORS"));

    if (*colours && !g_str_has_prefix(colours, "auto-"))
        return !g_strv_contains(off, colours);
    return tty && !*util_strempty(getenv("NO_COLOR")) && !output_is_dumb();
}

int output_setup(Ctl *ctl, char **ret_message)
{
    const char *json = args_get(&ctl->args, "json");
    bool tty = isatty(STDOUT_FILENO);

    ctl->quiet = args_has(&ctl->args, "quiet");
    ctl->legend = !args_has(&ctl->args, "no-legend");
    ctl->width = tty ? output_terminal_width() : 0;
    ctl->colours = output_wants_colours(tty);
    /* Where less cannot move, it asks for a key. */
    ctl->pager = tty && !output_is_dumb() && !args_has(&ctl->args, "no-pager");
    if (!json || g_str_equal(json, "off")) {
        ctl->json = CTL_JSON_OFF;
    } else if (g_str_equal(json, "pretty") || (!*json && tty)) {
        ctl->json = CTL_JSON_PRETTY;
    } else if (g_str_equal(json, "short") || !*json) {
        ctl->json = CTL_JSON_SHORT;
    } else {
        *ret_message = g_strdup_printf(_("--json= is pretty, short or off, not \"%s\""), json);
        return -EINVAL;
    }
    return 0;
}

static void output_error(const Ctl *ctl, const char *name, const char *message, const char *hint)
{
    if (ctl->json == CTL_JSON_OFF) {
        g_autofree char *safe = utf8_show_lines(message);

        fprintf(stderr, "tschedctl: %s\n", safe);
        if (hint && *hint) {
            g_autofree char *safe_hint = utf8_show_lines(hint);

            fprintf(stderr, _("Hint: %s\n"), safe_hint);
        }
    } else {
        g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), NULL);
        JsonObject *o = json_object_new();
        g_autofree char *text = NULL;

        json_node_take_object(node, o);
        json_object_set_string_member(o, "Error", name);
        json_object_set_string_member(o, "Message", message);
        if (hint && *hint)
            json_object_set_string_member(o, "Hint", hint);
        text = json_to_string(node, ctl->json == CTL_JSON_PRETTY);
        fprintf(stderr, "%s\n", text);
    }
}

/* What helps, where the daemon has not said it. */
static const char *output_remedy(const Ctl *ctl, ErrorCode code)
{
    static const struct {
        ErrorCode code;
        const char *hint;
    } remedies[] = {
        { ERROR_NO_SUCH_TASK, N_("tschedctl list-tasks shows what there is") },
        { ERROR_NO_SUCH_RUN, N_("tschedctl list-runs --limit=0 shows what there is") },
        { ERROR_NO_SUCH_SCHEDULE, N_("tschedctl list-schedules shows what there is") },
        { ERROR_INVALID_INPUT, N_("tschedctl run TASK --help shows what a task takes") },
        { ERROR_INVALID_TASK, N_("taskschedd.task(5) has every key") },
        { ERROR_NOT_AVAILABLE, N_("tschedctl status says what the daemon waits for") },
        { ERROR_FROM_FILE, N_("tschedctl edit TASK changes what a file defines") },
        { ERROR_DISABLED, N_("tschedctl enable TASK lets it run") },
        { ERROR_ACCESS_DENIED, N_("As root (sudo tschedctl …), or by a rule of polkit, see tschedctl(1)") },
    };

    if (code == ERROR_ACCESS_DENIED && ctl->user)
        return NULL;
    ARRAY_FOREACH (r, remedies)
        if (r->code == code)
            return gettext(r->hint);
    return NULL;
}

int output_fail(const Ctl *ctl, const ClientError *e)
{
    fflush(stdout);
    output_error(ctl, util_strempty(e->name), util_strempty(e->error.message),
        e->error.hint ? e->error.hint : output_remedy(ctl, e->error.code));
    return error_info(e->error.code)->exit_code;
}

int output_usage(const Ctl *ctl, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    output_error(ctl, error_info(ERROR_INVALID_ARGUMENT)->name, message,
        _("tschedctl --help lists verbs and options"));
    return EXITS_USAGE;
}

void output_note(const Ctl *ctl, const char *format, ...)
{
    g_autofree char *message = NULL, *safe = NULL;
    va_list ap;

    if (ctl->quiet)
        return;
    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    safe = utf8_show_lines(message);
    fprintf(stderr, "%s\n", safe);
}

void output_line(const char *label, char *value)
{
    g_autofree char *taken = value, *safe = text_safe(util_strempty(taken));
    unsigned width = table_width(label);

    if (*safe && !g_str_equal(safe, "-"))
        printf("%*s%s%s %s\n", (int)(LABEL - MIN(width, LABEL)), "", label, *label ? ":" : " ", safe);
}

void output_json(const Ctl *ctl, JsonNode *node)
{
    g_autofree char *text = json_to_string(node, ctl->json == CTL_JSON_PRETTY);

    printf("%s\n", text);
}

void output_json_object(const Ctl *ctl, JsonObject *o)
{
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), o);

    output_json(ctl, node);
}

void output_list_begin(Ctl *ctl)
{
    ctl->list_open = false;
    fputc('[', stdout);
}

void output_list_add(Ctl *ctl, JsonNode *element)
{
    bool pretty = ctl->json == CTL_JSON_PRETTY;
    g_autofree char *text = json_to_string(element, pretty);

    if (ctl->list_open)
        fputc(',', stdout);
    ctl->list_open = true;
    if (pretty) {
        /* Strings have no line breaks in JSON: each one here is the writer's own. */
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

        for (char **line = lines; *line; line++)
            printf("\n  %s", *line);
    } else {
        fputs(text, stdout);
    }
}

void output_list_end(Ctl *ctl)
{
    fputs(ctl->list_open && ctl->json == CTL_JSON_PRETTY ? "\n]\n" : "]\n", stdout);
}

void output_table(const Ctl *ctl, Table *t, bool header)
{
    g_autofree char *text = table_render(t, ctl->width, header && ctl->legend, ctl->colours);

    fputs(text, stdout);
}

/* The pagers that are tried in turn where none is named. */
static void output_pager_child(int fd, const char *pager, char **environment)
{
    static const char *const known[] = { "less", "more", "cat" };

    dup2(fd, STDIN_FILENO);
    signal(SIGINT, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (pager)
        execle("/bin/sh", "sh", "-c", pager, NULL, environment);
    else
        ARRAY_FOREACH (name, known)
            execvpe(*name, (char *const[]){ (char *)*name, NULL }, environment);
    _exit(127);
}

/* $SYSTEMD_PAGER, else $PAGER; NULL where neither is set. */
static const char *output_pager(void)
{
    const char *pager = getenv("SYSTEMD_PAGER");

    return pager ? pager : getenv("PAGER");
}

/* less quits where one screen does, keeps colours, leaves the text standing. In a session of another user it is told to
 * offer no shell. */
static char **output_pager_environment(void)
{
    const char *options = getenv("SYSTEMD_LESS"), *charset = getenv("SYSTEMD_LESSCHARSET");
    char **environment = g_environ_setenv(g_get_environ(), "LESS", options ? options : "FRSXMK", true);
    uid_t owner;

    if (charset)
        environment = g_environ_setenv(environment, "LESSCHARSET", charset, true);
    if (sd_pid_get_owner_uid(0, &owner) >= 0 && owner != geteuid())
        environment = g_environ_setenv(environment, "LESSSECURE", "1", true);
    return environment;
}

void output_pager_open(Ctl *ctl)
{
    const char *pager = output_pager();
    g_auto(GStrv) environment = NULL;
    int fds[2];

    if (!ctl->pager || ctl->pager_pid > 0 || (pager && (!*pager || g_str_equal(pager, "cat"))))
        return;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return;
    environment = output_pager_environment();
    fflush(stdout);
    ctl->pager_pid = fork();
    if (ctl->pager_pid == 0)
        output_pager_child(fds[0], pager, environment);
    if (ctl->pager_pid > 0) {
        dup2(fds[1], STDOUT_FILENO);
        /* Leaving the pager early is no failure of ours. */
        signal(SIGPIPE, SIG_IGN);
        signal(SIGINT, SIG_IGN);
    }
    close(fds[0]);
    close(fds[1]);
}

void output_pager_close(Ctl *ctl)
{
    fflush(stdout);
    if (ctl->pager_pid <= 0)
        return;
    fclose(stdout);
    waitpid(ctl->pager_pid, NULL, 0);
    ctl->pager_pid = 0;
}
