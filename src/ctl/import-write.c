/* Quoting for task files. */
#include "ctl/import-write.h"

#include <string.h>

/* A character that can not stand as it is, as a C escape. */
static bool import_write_escape(GString *out, char c)
{
    static const char escaped[] = "\\\n\t\r", letters[] = "\\ntr";
    const char *at = strchr(escaped, c);

    if (at)
        g_string_append_printf(out, "\\%c", letters[at - escaped]);
    else if (g_ascii_iscntrl(c))
        g_string_append_printf(out, "\\x%02x", (unsigned char)c);
    else
        return false;
    return true;
}

static void import_write_escaped(GString *out, const char *text, char quote, bool dollars)
{
    for (const char *p = text; *p; p++) {
        if (import_write_escape(out, *p))
            continue;
        if (*p == quote)
            g_string_append_c(out, '\\');
        if (*p == '$' && dollars)
            g_string_append_c(out, '$');
        g_string_append_c(out, *p);
    }
}

void import_write_word(GString *out, const char *text)
{
    char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';

    g_string_append_c(out, quote);
    import_write_escaped(out, text, quote, true);
    g_string_append_c(out, quote);
}

void import_write_quoted(GString *out, const char *key, const char *text)
{
    g_string_append_printf(out, "%s=\"", key);
    import_write_escaped(out, text, '"', false);
    g_string_append(out, "\"\n");
}

/* One line of the input. What is empty would take back those before it, and blanks at both ends are not read. */
static void import_write_input_line(GString *out, const char *text, size_t length)
{
    g_string_append(out, "StandardInputText=");
    for (size_t i = 0; i < length; i++) {
        bool blank = text[i] == ' ' && (i == 0 || i + 1 == length);

        if (blank)
            g_string_append(out, "\\x20");
        else if (!import_write_escape(out, text[i]))
            g_string_append_c(out, text[i]);
    }
    g_string_append_c(out, '\n');
}

void import_write_input(GString *out, const char *text)
{
    g_string_append(out, "StandardInput=data\n");
    while (*text) {
        /* Empty lines go with what stands before them. */
        size_t length = strspn(text, "\n");

        length += strcspn(text + length, "\n");
        if (!text[length]) { /* nothing but empty lines: each but the last is one of them */
            if (length == 1)
                g_string_append(out, "StandardInputData=Cg==\n");
            else
                import_write_input_line(out, text, length - 1);
            return;
        }
        while (text[length + 1] == '\n')
            length++;
        import_write_input_line(out, text, length);
        text += length + 1;
    }
}

void import_write_comment(GString *out, const char *text)
{
    g_string_append(out, "# ");
    for (const char *p = text; *p; p++)
        if (!import_write_escape(out, *p))
            g_string_append_c(out, *p);
    g_string_append_c(out, '\n');
}
