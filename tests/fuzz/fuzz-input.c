/* Fuzzes typed input: the first line is a specification ("string min=1"), the rest the value. What is taken
 * as text is JSON that is taken again, typed, and changes nothing; no value reaches the message about a
 * secret. */
#include <string.h>

#include "model/input-convert.h"
#include "model/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_convert(const InputSpec *s, const char *text)
{
    g_autoptr(JsonNode) node = NULL, again = NULL;
    g_autofree char *reason = NULL, *first = NULL, *second = NULL;

    if (input_convert_text(s, text, &node, &reason) < 0) {
        g_assert(reason && g_utf8_validate(reason, -1, NULL));
        return;
    }
    g_assert(input_convert_json(s, node, &again, &reason) >= 0);
    first = json_write(node);
    second = json_write(again);
    g_assert(g_str_equal(first, second));
}

static void fuzz_output(const InputSpec *s, const char *text, size_t size)
{
    g_autoptr(GPtrArray) outputs = g_ptr_array_new();
    const Task t = { .has_output = true, .outputs = outputs };
    _cleanup_(error_clear) Error error = { 0 };
    g_autofree char *json = NULL;

    g_ptr_array_add(outputs, (gpointer)s);
    if (input_validate_output(&t, text, size, 65536, &json, &error) < 0)
        g_assert(error.message && g_utf8_validate(error.message, -1, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = memchr(data, '\n', size);
    g_autofree char *spec_text = NULL, *value = NULL;
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autoptr(GBytes) bytes = NULL;
    size_t rest;
    InputSpec *s = NULL;

    if (!newline)
        return -1;
    spec_text = g_strndup((const char *)data, (size_t)(newline - data));
    rest = size - (size_t)(newline + 1 - data);
    if (!g_utf8_validate(spec_text, -1, NULL))
        return -1; /* the file's reader lets no other text come this far */
    if (input_spec_parse("x", spec_text, false, "f", 1, 1, diags, &s) < 0) {
        g_assert(!s && diags->len > 0);
        return 0;
    }
    value = g_strndup((const char *)newline + 1, rest);
    bytes = g_bytes_new(newline + 1, rest);
    fuzz_convert(s, value);
    fuzz_output(s, (const char *)newline + 1, rest);
    {
        g_autoptr(JsonNode) node = NULL;
        g_autofree char *reason = NULL;

        g_assert((input_convert_bytes(s, bytes, &node, &reason) < 0) == (node == NULL));
    }
    input_spec_free(s);
    return 0;
}
