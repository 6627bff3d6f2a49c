/* The command line: quoting is undone once, here, and inputs are put in as whole pieces, so that nothing in a
 * value is ever split, expanded or taken for syntax. */
#include <string.h>

#include "model/command.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "model/input.h"
#include "model/json.h"
#include "model/words.h"

typedef struct CommandReader {
    const char *start, *p;
    const GPtrArray *inputs;
    bool has_input;
    const char *file;
    unsigned line, column;
    DiagList *diags;
    GPtrArray *words;
    CommandWord *word; /* being read */
    GString *literal;  /* the piece being read */
} CommandReader;

static void command_piece_free(gpointer data)
{
    CommandPiece *piece = data;

    g_free(piece->literal);
    g_free(piece->input);
    g_free(piece);
}

static CommandWord *command_word_new(void)
{
    CommandWord *w = g_new(CommandWord, 1);

    w->pieces = g_ptr_array_new_with_free_func(command_piece_free);
    return w;
}

void command_word_free(CommandWord *w)
{
    if (!w)
        return;
    g_ptr_array_unref(w->pieces);
    g_free(w);
}

static void command_fault(CommandReader *r, const char *at, const char *format, ...) _printf_(3, 4);

static void command_fault(CommandReader *r, const char *at, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list ap;

    if (diag_list_full(r->diags))
        return;
    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    diag_add(r->diags, r->file, r->line, r->column + (unsigned)g_utf8_strlen(r->start, at - r->start),
        "ExecStart", "%s", message);
}

static void command_add_piece(CommandReader *r, char *literal, char *input)
{
    CommandPiece *piece = g_new(CommandPiece, 1);

    piece->literal = literal;
    piece->input = input;
    g_ptr_array_add(r->word->pieces, piece);
}

static void command_flush_literal(CommandReader *r, const char *at)
{
    if (r->literal->len == 0)
        return;
    if (!utf8_is_valid_len(r->literal->str, r->literal->len, NULL))
        command_fault(r, at, "escapes here make no valid UTF-8");
    command_add_piece(r, g_strdup(r->literal->str), NULL);
    g_string_truncate(r->literal, 0);
}

static void command_check_input(CommandReader *r, const char *at, const char *name)
{
    const InputSpec *spec = input_find(r->inputs, name);
    g_autoptr(GPtrArray) names = NULL;
    g_autofree char *hint = NULL;

    if (spec && spec->secret)
        command_fault(r, at,
            "'%s' is a secret, which a command line would show: the task reads it from its credential", name);
    else if (spec && r->words->len == 0)
        command_fault(r, at, "the program's path is fixed, an input can not be part of it");
    else if (!spec && !r->has_input)
        command_fault(
            r, at, "'%s' is no input: the task has no [Input] section (a dollar is written $$)", name);
    else if (!spec && !diag_list_full(r->diags)) {
        names = input_names(r->inputs);
        hint = suggest_phrase(name, names);
        command_fault(r, at, "[Input] has no '%s'%s (a dollar is written $$)", name, hint);
    }
}

/* r->p at the '$'. */
static void command_read_dollar(CommandReader *r, const char *word_at)
{
    const char *at = r->p, *end;
    char *name;

    if (at[1] == '$') {
        g_string_append_c(r->literal, '$');
        r->p += 2;
        return;
    }
    end = at[1] == '{' ? at + 2 + strcspn(at + 2, "} \t'\"$") : NULL;
    name = end && *end == '}' ? g_strndup(at + 2, (gsize)(end - at - 2)) : NULL;
    if (!name || !input_name_is_valid(name)) {
        command_fault(r, at, "a '$' stands for an input, ${name}, or is written $$");
        g_free(name);
        r->p++;
        return;
    }
    command_check_input(r, at, name);
    command_flush_literal(r, word_at);
    command_add_piece(r, NULL, name);
    r->p = end + 1;
}

/* The digits of \xHH, \NNN, \uXXXX, \UXXXXXXXX; false where they are not all there. */
static bool command_digits(const char *p, unsigned n, unsigned base, gunichar *ret)
{
    gunichar c = 0;

    for (unsigned i = 0; i < n; i++) {
        int digit = g_ascii_xdigit_value(p[i]);

        if (digit < 0 || (unsigned)digit >= base || c > 0xfffffff)
            return false;
        c = c * base + (gunichar)digit;
    }
    *ret = c;
    return true;
}

static bool command_read_numeric(CommandReader *r, char kind)
{
    static const struct {
        char kind;
        unsigned digits, base;
    } forms[] = { { 'x', 2, 16 }, { 'u', 4, 16 }, { 'U', 8, 16 }, { 'o', 3, 8 } };
    gunichar c;

    ARRAY_FOREACH (f, forms) {
        if (f->kind != kind || !command_digits(r->p, f->digits, f->base, &c))
            continue;
        if (c == 0 || (f->digits < 4 ? c > 0xff : !g_unichar_validate(c)))
            return false;
        r->p += f->digits;
        if (f->digits < 4)
            g_string_append_c(r->literal, (char)c);
        else
            g_string_append_unichar(r->literal, c);
        return true;
    }
    return false;
}

/* r->p at the backslash. */
static void command_read_escape(CommandReader *r)
{
    static const char escapes[] = "abfnrtv\\\"'s;", meanings[] = "\a\b\f\n\r\t\v\\\"' ;";
    const char *at = r->p++, *found;
    char c = *r->p;
    bool ok = true;

    found = c ? strchr(escapes, c) : NULL;
    if (found) {
        r->p++;
        g_string_append_c(r->literal, meanings[found - escapes]);
        return;
    }
    if (c >= '0' && c <= '7')
        ok = command_read_numeric(r, 'o');
    else if (c) {
        r->p++;
        ok = command_read_numeric(r, c);
    } else
        ok = false;
    if (!ok)
        command_fault(r, at, "no escape that is known (a backslash is written \\\\)");
}

/* One word, r->p at its first character; false where a quote has no end. */
static bool command_read_word(CommandReader *r)
{
    const char *word_at = r->p, *quote_at = NULL;
    char quote = 0;

    r->word = command_word_new();
    while (*r->p && (quote || !g_ascii_isspace(*r->p))) {
        char c = *r->p;

        if (quote ? c == quote : c == '"' || c == '\'') {
            quote = (char)(quote ? '\0' : c);
            quote_at = r->p++;
        } else if (c == '\\')
            command_read_escape(r);
        else if (c == '$')
            command_read_dollar(r, word_at);
        else {
            g_string_append_c(r->literal, c);
            r->p++;
        }
    }
    command_flush_literal(r, word_at);
    g_ptr_array_add(r->words, g_steal_pointer(&r->word));
    if (quote)
        command_fault(r, quote_at, "a quote that is not closed");
    return !quote;
}

static void command_read_prefixes(CommandReader *r, unsigned *ret_flags)
{
    static const struct {
        const char *prefix;
        unsigned flag;
    } prefixes[] = {
        { "!!", COMMAND_AMBIENT }, { "!", COMMAND_NO_SETUID }, { "+", COMMAND_PRIVILEGED },
        { "-", COMMAND_IGNORE_FAILURE }, { "@", COMMAND_ARGV0 },
        { ":", 0 }, /* no expansion of variables: always so */
    };
    const unsigned exclusive = COMMAND_AMBIENT | COMMAND_NO_SETUID | COMMAND_PRIVILEGED;
    unsigned flags = 0;
    bool more = true;

    while (more) {
        more = false;
        for (size_t i = 0; i < G_N_ELEMENTS(prefixes) && !more; i++) {
            if (!g_str_has_prefix(r->p, prefixes[i].prefix))
                continue;
            if (prefixes[i].flag & flags)
                command_fault(r, r->p, "the prefix '%s' twice", prefixes[i].prefix);
            else if ((prefixes[i].flag & exclusive) && (flags & exclusive))
                command_fault(r, r->p, "of the prefixes '+', '!' and '!!' only one can be used");
            flags |= prefixes[i].flag;
            r->p += strlen(prefixes[i].prefix);
            more = true;
        }
    }
    *ret_flags = flags;
}

static void command_check_path(CommandReader *r, const char *at)
{
    const CommandWord *w;
    const CommandPiece *piece;

    if (r->words->len == 0)
        return;
    w = g_ptr_array_index(r->words, 0);
    piece = w->pieces->len > 0 ? g_ptr_array_index(w->pieces, 0) : NULL;
    if (!piece)
        command_fault(r, at, "the program's path is empty");
    else if (piece->literal && piece->literal[0] != '/') {
        g_autofree char *shown = words_show(piece->literal);

        command_fault(r, at, "%s is no absolute path", shown);
    } else if (piece->literal && g_str_has_suffix(piece->literal, "/"))
        command_fault(r, at, "the program's path is a directory");
}

static bool command_skip_space(CommandReader *r)
{
    while (g_ascii_isspace(*r->p))
        r->p++;
    return *r->p;
}

int command_parse(const char *text, const GPtrArray *inputs, bool has_input, const char *file, unsigned line,
    unsigned column, DiagList *diags, GPtrArray **ret_words, unsigned *ret_flags)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func((GDestroyNotify)command_word_free);
    g_autoptr(GString) literal = g_string_new(NULL);
    CommandReader r = { .start = text,
        .p = text,
        .inputs = inputs,
        .has_input = has_input,
        .file = file,
        .line = line,
        .column = column,
        .diags = diags,
        .words = words,
        .literal = literal };
    guint before = diags->len;
    const char *path_at;
    unsigned flags = 0;

    command_skip_space(&r);
    command_read_prefixes(&r, &flags);
    path_at = r.p;
    if (!*r.p || g_ascii_isspace(*r.p))
        command_fault(&r, r.p, "the program's path is missing");
    while (command_skip_space(&r)) {
        if (*r.p == ';' && (!r.p[1] || g_ascii_isspace(r.p[1]))) {
            command_fault(&r, r.p, "a task has one command (a ';' of its own is written \\;)");
            break;
        }
        if (!command_read_word(&r))
            break;
    }
    if (diags->len == before)
        command_check_path(&r, path_at);
    if ((flags & COMMAND_ARGV0) && words->len < 2 && diags->len == before)
        command_fault(&r, path_at, "'@' needs the name of the process after the path");
    if (diags->len > before)
        return -EINVAL;
    *ret_words = g_steal_pointer(&words);
    *ret_flags = flags;
    return 0;
}

/* A value as an argument: strings as they are, everything else as in JSON. */
static char *command_value(JsonNode *node)
{
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
        return g_strdup(json_node_get_string(node));
    return json_write(node);
}

/* NULL where the word is nothing but an input that is absent. */
static char *command_expand_word(const CommandWord *w, JsonObject *input)
{
    GString *s = g_string_new(NULL);

    for (guint i = 0; i < w->pieces->len; i++) {
        const CommandPiece *piece = g_ptr_array_index(w->pieces, i);
        JsonNode *node = piece->input && input ? json_object_get_member(input, piece->input) : NULL;
        g_autofree char *value = node ? command_value(node) : NULL;

        if (piece->input && !value && w->pieces->len == 1) {
            g_string_free(s, TRUE);
            return NULL;
        }
        g_string_append(s, piece->literal ? piece->literal : util_strempty(value));
    }
    return g_string_free(s, FALSE);
}

int command_expand(const Task *t, JsonObject *input, char **ret_path, GPtrArray **ret_argv, Error *error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *path = NULL;
    guint first = t->command_flags & COMMAND_ARGV0 ? 1 : 0;

    if (t->command->len <= first)
        return error_set(error, ERROR_INVALID_TASK, "the task has no command");
    path = command_expand_word(g_ptr_array_index(t->command, 0), input);
    if (!path || path[0] != '/')
        return error_set(error, ERROR_INVALID_TASK, "the program's path is not absolute");
    for (guint i = first; i < t->command->len; i++) {
        char *argument = command_expand_word(g_ptr_array_index(t->command, i), input);

        if (!argument && i == first)
            argument = g_strdup(""); /* argv[0] is always there */
        if (argument)
            g_ptr_array_add(argv, argument);
    }
    g_ptr_array_add(argv, NULL);
    *ret_path = g_steal_pointer(&path);
    *ret_argv = g_steal_pointer(&argv);
    return 0;
}
