/* A command of a service is taken as it is. Where there are several, or where variables of the environment stand in it,
 * which a task's command has not, a shell puts them together. */
#include "ctl/import-command.h"

#include <string.h>

#include "ctl/import-write.h"
#include "lib/i18n.h"
#include "model/command.h"

#define COMMAND_RIGHTS (COMMAND_PRIVILEGED | COMMAND_NO_SETUID | COMMAND_AMBIENT)

typedef struct CommandPart {
    const TaskFileItem *item;
    char *text;     /* without prefixes */
    bool ignore;    /* - */
    bool expand;    /* no ":" */
    char rights[3]; /* + ! !! */
    bool argv0;     /* @ */
    bool search;    /* the program is looked for, which a shell does */
    bool condition;
    GPtrArray *words; /* of char*, with variables as they are; owned */
} CommandPart;

static void command_part_free(gpointer data)
{
    CommandPart *p = data;

    g_free(p->text);
    g_clear_pointer(&p->words, g_ptr_array_unref);
    g_free(p);
}

static void command_take_prefixes(CommandPart *p)
{
    const char *at = p->text;

    for (; strchr("-:+!@", *at) && *at; at++) {
        size_t n = strlen(p->rights);

        p->ignore |= *at == '-';
        p->argv0 |= *at == '@';
        if (*at == ':')
            p->expand = false;
        if (strchr("+!", *at) && n + 1 < sizeof p->rights)
            p->rights[n] = *at;
    }
    at = g_strdup(at);
    g_free(p->text);
    p->text = (char *)at;
}

/* Split by the rules of systemd, with every "$" still in its place. */
static int command_split(CommandPart *p, char **ret_message)
{
    g_auto(GStrv) pieces = g_strsplit(p->text, "$", -1);
    g_autofree char *joined = g_strjoinv("$$", pieces);
    g_autofree char *doubled = g_strconcat(p->search ? "/" : "", joined, NULL);
    g_autoptr(GPtrArray) diags = diag_list_new();
    GPtrArray *words;
    unsigned flags;

    if (command_parse(doubled, NULL, false, "", 1, 1, diags, &words, &flags) < 0) {
        *ret_message = g_strdup(((Diag *)g_ptr_array_index(diags, 0))->message);
        return -EINVAL;
    }
    p->words = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < words->len; i++) {
        const CommandWord *w = g_ptr_array_index(words, i);

        const char *word =
            w->pieces->len > 0 ? ((CommandPiece *)g_ptr_array_index(w->pieces, 0))->literal : "";

        g_ptr_array_add(p->words, g_strdup(word + (p->search && i == 0)));
    }
    g_ptr_array_unref(words);
    return 0;
}

/* The length of NAME; 0: there is none. */
static size_t command_variable(const char *p)
{
    size_t n = 0;

    if (g_ascii_isdigit(*p))
        return 0;
    while (g_ascii_isalnum(p[n]) || p[n] == '_')
        n++;
    return n;
}

static bool command_has_variable(const CommandPart *p)
{
    const char *at = p->text;

    while (p->expand && (at = strchr(at, '$'))) {
        if (at[1] == '{' || command_variable(at + 1) > 0)
            return true;
        at += at[1] == '$' ? 2 : 1;
    }
    return false;
}

/* --- for a shell --- */

/* Within double quotes. */
static void command_shell_char(const char **p, bool expand, GString *out)
{
    size_t n = expand && (*p)[0] == '$' && (*p)[1] == '{' ? command_variable(*p + 2) : 0;

    if (n > 0 && (*p)[n + 2] == '}') {
        g_string_append_len(out, *p, (gssize)n + 3);
        *p += n + 3;
        return;
    }
    if (expand && (*p)[0] == '$' && (*p)[1] == '$')
        (*p)++;
    if (strchr("\"\\$`", **p))
        g_string_append_c(out, '\\');
    g_string_append_c(out, *(*p)++);
}

static void command_shell_word(const char *word, bool expand, GString *out)
{
    size_t plain = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,@%+-");
    bool variable =
        expand && *word == '$' && command_variable(word + 1) > 0 && !word[1 + command_variable(word + 1)];

    g_string_append_c(out, ' ');
    if ((*word && !word[plain]) || variable) { /* such a variable is split into words there, too */
        g_string_append(out, word);
        return;
    }
    g_string_append_c(out, '"');
    while (*word)
        command_shell_char(&word, expand, out);
    g_string_append_c(out, '"');
}

static void command_shell_part(const CommandPart *p, bool last, GString *out)
{
    bool grouped = p->ignore || p->condition;

    if (grouped)
        g_string_append(out, " {");
    else if (last)
        g_string_append(out, " exec");
    for (guint i = 0; i < p->words->len; i++)
        command_shell_word(g_ptr_array_index(p->words, i), p->expand, out);
    if (grouped)
        g_string_append(out, p->condition ? " || exit 0; }" : " || :; }");
    if (!last)
        g_string_append(out, " &&");
}

static void command_write_shell(const GPtrArray *parts, GString *out)
{
    g_autoptr(GString) script = g_string_new(NULL);
    const CommandPart *first = g_ptr_array_index(parts, 0);

    for (guint i = 0; i < parts->len; i++)
        command_shell_part(g_ptr_array_index(parts, i), i + 1 == parts->len, script);
    g_string_append_printf(out, "ExecStart=%s/bin/sh -fc ", first->rights);
    import_write_word(out, script->str + 1);
    g_string_append_c(out, '\n');
}

/* --- the whole --- */

static int command_add(GPtrArray *parts, const GPtrArray *items, bool condition,
    char *(*resolve)(const char *text, void *userdata), void *userdata, const TaskFileItem **ret_item,
    char **ret_message)
{
    for (guint i = 0; items && i < items->len; i++) {
        CommandPart *p = g_new0(CommandPart, 1);

        g_ptr_array_add(parts, p);
        p->item = *ret_item = g_ptr_array_index(items, i);
        p->expand = true;
        p->condition = condition;
        p->text = resolve(p->item->value, userdata);
        if (!p->text) {
            *ret_message = g_strdup(_("it has a specifier that only systemd knows"));
            return -EINVAL;
        }
        command_take_prefixes(p);
        p->search = g_ascii_isalnum(*p->text);
        if (command_split(p, ret_message) < 0)
            return -EINVAL;
    }
    return 0;
}

static int command_check_shell(const GPtrArray *parts, const TaskFileItem **ret_item, char **ret_message)
{
    for (guint i = 0; i < parts->len; i++) {
        const CommandPart *p = g_ptr_array_index(parts, i), *first = g_ptr_array_index(parts, 0);

        *ret_item = p->item;
        if (strcmp(p->rights, first->rights) != 0) {
            *ret_message = g_strdup(_("of several commands one has other rights than the rest"));
            return -EINVAL;
        }
        if (p->argv0) {
            *ret_message = g_strdup(_("a shell, which is needed here, gives a program no other name"));
            return -EINVAL;
        }
    }
    return 0;
}

static void command_write_plain(const CommandPart *p, GString *out)
{
    g_auto(GStrv) pieces = g_strsplit(p->text, "$", -1);
    g_autofree char *doubled = g_strjoinv("$$", pieces);

    g_string_append_printf(out, "ExecStart=%s%s%s%s\n", p->ignore ? "-" : "", p->argv0 ? "@" : "", p->rights,
        p->expand ? p->text : doubled);
}

/* Only a "$" that stands for a dollar, written twice, is read as it was. */
static bool command_is_plain(const GPtrArray *parts)
{
    const CommandPart *p = g_ptr_array_index(parts, 0);
    const char *at = p->text;

    if (parts->len > 1 || p->search || command_has_variable(p))
        return false;
    while (p->expand && (at = strchr(at, '$'))) {
        if (at[1] != '$')
            return false;
        at += 2;
    }
    return true;
}

int import_command(const ImportCommands *c, char *(*resolve)(const char *text, void *userdata),
    void *userdata, GString *out, const TaskFileItem **ret_item, char **ret_message)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(command_part_free);
    const GPtrArray *const lists[] = { c->condition, c->before, c->main, c->after };
    int r = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(lists) && r >= 0; i++)
        r = command_add(parts, lists[i], i == 0, resolve, userdata, ret_item, ret_message);
    if (r < 0)
        return r;
    if (command_is_plain(parts)) {
        command_write_plain(g_ptr_array_index(parts, 0), out);
        return 0;
    }
    r = command_check_shell(parts, ret_item, ret_message);
    if (r >= 0)
        command_write_shell(parts, out);
    return r;
}
