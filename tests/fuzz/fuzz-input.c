/* Fuzzes typed input: the first line is a specification ("string min=1"), the rest the value. What is taken
 * as text is JSON that is taken again, typed, and changes nothing; so does a whole input of it, by itself and as it is
 * stored. */
#include <string.h>

#include "base/utf8.h"
#include "line.h"
#include "model/input-convert.h"
#include "model/json.h"
#include "model/timespec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_convert(const InputSpec *s, const char *text)
{
    g_autoptr(JsonNode) node = NULL, again = NULL;
    g_autofree char *reason = NULL, *first = NULL, *second = NULL;

    if (input_convert_text(s, text, &node, &reason) < 0) {
        g_assert(reason && utf8_is_valid(reason));
        return;
    }
    g_assert(input_convert_json(s, node, &again, &reason) >= 0);
    first = json_write(node);
    second = json_write(again);
    g_assert(g_str_equal(first, second));
}

/* An instant for somebody with a zone: written in UTC it is the same one, and the clock shows the same where it does so at all. */
static void fuzz_moment(const char *text)
{
    g_autofree char *written = NULL;
    TimespecMoment m, again;
    const Zone *zone;

    if (zone_find("Europe/Berlin", &zone) < 0)
        zone = zone_utc();
    if (timespec_parse_moment(text, zone, &m) < 0)
        return;
    written = timespec_format_instant(m.usec);
    g_assert(timespec_parse_moment(written, zone, &again) >= 0);
    g_assert(again.usec == m.usec && again.local >= m.local);
}

/* The input as an attempt gets it: whole, and with the content of a file beside it. */
static void fuzz_resolve(const Task *t, const Input *input)
{
    g_autofree char *json = NULL, *reason = NULL;
    _cleanup_(error_clear) Error error = { 0 };
    g_autoptr(GHashTable) files = NULL;
    g_autoptr(JsonNode) node = NULL;

    if (input_resolve(t, input, 1764344652000000, "/run/credentials", &json, &files, &error) < 0) {
        fuzz_check_lines(error.message);
        return;
    }
    g_assert(json_read(json, strlen(json), &node, &reason) >= 0);
    if (!input->raw)
        return;
    g_assert(g_hash_table_size(files) == 0);
}

/* What was stored, given once more as typed values, is stored the same. */
static void fuzz_validate_again(const Task *t, const Input *input)
{
    const char *stored = input->secrets ? input->secrets : input->json;
    g_autoptr(JsonNode) node = NULL;
    _cleanup_(input_clear) Input again = { 0 };
    InputGiven given = { 0 };

    g_assert(json_read(stored, strlen(stored), &node, NULL) >= 0 && JSON_NODE_HOLDS_OBJECT(node));
    given.typed = json_node_get_object(node);
    g_assert(input_validate(t, &given, SIZE_MAX, &again, NULL) >= 0);
    g_assert(g_str_equal(again.json, input->json) && g_strcmp0(again.secrets, input->secrets) == 0);
}

static void fuzz_validate(const Task *t, const InputGiven *given)
{
    _cleanup_(error_clear) Error error = { 0 };
    _cleanup_(input_clear) Input input = { 0 };

    if (input_validate(t, given, 65536, &input, &error) < 0) {
        fuzz_check_lines(error.message);
        return;
    }
    if (!input.raw)
        fuzz_validate_again(t, &input);
    fuzz_resolve(t, &input);
}

/* The value as the whole of an input, in each of the ways it may come, for a task that declares it and for one that
 * declares nothing. */
static void fuzz_whole(InputSpec *s, const char *text, GBytes *bytes)
{
    g_autoptr(GHashTable) texts = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) files = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) specs = g_ptr_array_new();
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *json = NULL;
    const Task declared = { .has_input = true, .inputs = specs };
    const Task free = { .inputs = g_ptr_array_new() };
    InputGiven ways[] = { { .texts = texts }, { .files = files }, { .raw = bytes }, { 0 },
        { .texts = texts, .files = files } };

    g_ptr_array_add(specs, s);
    g_hash_table_insert(texts, s->name, (char *)text);
    g_hash_table_insert(files, s->name, bytes);
    if (json_read(text, strlen(text), &node, NULL) >= 0 && JSON_NODE_HOLDS_OBJECT(node))
        ways[3].typed = json_node_get_object(node);
    ARRAY_FOREACH (way, ways) {
        fuzz_validate(&declared, way);
        fuzz_validate(&free, way);
    }
    json = input_specs_to_json(specs);
    g_clear_pointer(&node, json_node_unref);
    g_assert(json_read(json, strlen(json), &node, NULL) >= 0);
    g_ptr_array_unref(free.inputs);
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
    if (!utf8_is_valid(spec_text))
        return -1; /* the file's reader lets no other text come this far */
    if (input_spec_parse("x", spec_text, false, "f", 1, 1, diags, &s) < 0) {
        g_assert(!s && diags->len > 0);
        return 0;
    }
    value = g_strndup((const char *)newline + 1, rest);
    bytes = g_bytes_new(newline + 1, rest);
    fuzz_convert(s, value);
    fuzz_moment(value);
    fuzz_whole(s, value, bytes);
    {
        g_autoptr(JsonNode) node = NULL;
        g_autofree char *reason = NULL;

        g_assert((input_convert_bytes(s, bytes, &node, &reason) < 0) == (node == NULL));
    }
    input_spec_free(s);
    return 0;
}
