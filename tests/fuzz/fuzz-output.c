/* Fuzzes a run's output: lines NAME=SPECIFICATION up to an empty one declare it (none: the task declares nothing), the
 * rest is what the task wrote. What is taken is JSON that is taken as output again and changes nothing. */
#include <string.h>

#include "base/utf8.h"
#include "line.h"
#include "model/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUTPUT_MAX 65536

/* The text behind the empty line; NULL: a line that is no specification. */
static const char *output_declare(Task *t, const char *text, const char *end, DiagList *diags)
{
    unsigned line = 0;

    while (text < end && *text != '\n') {
        const char *newline = memchr(text, '\n', (size_t)(end - text)), *stop = newline ? newline : end;
        g_autofree char *spec = g_strndup(text, (size_t)(stop - text));
        char *equals = strchr(spec, '=');
        InputSpec *s;

        if (!equals || !utf8_is_valid(spec))
            return NULL;
        *equals = '\0';
        if (!input_name_is_valid(spec) || input_find(t->outputs, spec) ||
            input_spec_parse(spec, equals + 1, true, "f", ++line, 1, diags, &s) < 0)
            return NULL;
        g_ptr_array_add(t->outputs, s);
        text = stop + (newline != NULL);
    }
    t->has_output = line > 0;
    return text < end ? text + 1 : text;
}

static void output_check(const Task *t, const char *text, size_t length)
{
    _cleanup_(error_clear) Error error = { 0 };
    g_autofree char *json = NULL, *again = NULL;

    if (input_validate_output(t, text, length, OUTPUT_MAX, &json, &error) < 0) {
        g_assert(!json);
        fuzz_check_lines(error.message);
        return;
    }
    if (!json)
        return;
    g_assert(utf8_is_valid(json));
    g_assert(input_validate_output(t, json, strlen(json), SIZE_MAX, &again, &error) >= 0);
    g_assert(g_str_equal(json, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GPtrArray) outputs = g_ptr_array_new_with_free_func((GDestroyNotify)input_spec_free);
    g_autoptr(GPtrArray) diags = diag_list_new();
    /* A copy, so that a byte too many is found out. */
    g_autofree char *copy = g_memdup2(size > 0 ? (const void *)data : "", MAX(size, 1));
    Task t = { .outputs = outputs };
    const char *text = output_declare(&t, copy, copy + size, diags);

    if (text)
        output_check(&t, text, size - (size_t)(text - copy));
    return 0;
}
