/* The editor is divided into words at blanks, as systemctl does it: "emacs -nw" works, quotes do not. */
#include "ctl/editor.h"

#include <signal.h>
#include <sys/wait.h>

#include "lib/i18n.h"

static const char *const known[] = { "editor", "nano", "vim", "vi" };

static const char *editor_chosen(void)
{
    static const char *const variables[] = { "SYSTEMD_EDITOR", "EDITOR", "VISUAL" };

    ARRAY_FOREACH (name, variables)
        if (*util_strempty(g_getenv(*name)))
            return g_getenv(*name);
    return NULL;
}

/* As it is called in what is said of it. */
static const char *editor_name(void)
{
    const char *chosen = editor_chosen();

    ARRAY_FOREACH (name, known) {
        g_autofree char *path = chosen ? NULL : g_find_program_in_path(*name);

        if (path)
            return *name;
    }
    return chosen ? chosen : "vi";
}

static void editor_try(const char *command, const char *path)
{
    g_auto(GStrv) words = g_strsplit_set(command, " \t\n", -1);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();

    for (char **word = words; *word; word++)
        if (**word)
            g_ptr_array_add(argv, *word);
    if (argv->len == 0)
        return;
    g_ptr_array_add(argv, (char *)path);
    g_ptr_array_add(argv, NULL);
    execvp(g_ptr_array_index(argv, 0), (char **)argv->pdata);
}

static void editor_child(const char *path)
{
    const char *chosen = editor_chosen();

    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    if (chosen)
        editor_try(chosen, path);
    else
        ARRAY_FOREACH (name, known)
            editor_try(*name, path);
    _exit(127);
}

int editor_run(const char *path, ClientError *e)
{
    const char *chosen = editor_chosen();
    void (*quit)(int), (*interrupt)(int);
    int status = 0;
    pid_t pid;

    /* ^C is the editor's. */
    interrupt = signal(SIGINT, SIG_IGN);
    quit = signal(SIGQUIT, SIG_IGN);
    pid = fork();
    if (pid == 0)
        editor_child(path);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    signal(SIGINT, interrupt);
    signal(SIGQUIT, quit);
    if (pid < 0)
        return client_error_set(
            e, ERROR_FAILED, _("%s cannot be started: %s"), editor_name(), g_strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        int r =
            client_error_set(e, ERROR_FAILED, _("There is no editor %s"), chosen ? chosen : "nano, vim, vi");

        error_set_hint(&e->error, "%s", _("Name one that is there: EDITOR=… tschedctl edit …"));
        return r;
    }
    return client_error_set(e, ERROR_FAILED, _("The editor %s failed"), editor_name());
}
