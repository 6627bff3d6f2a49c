/* Fuzzes the strict JSON reader. What it takes is written, read again and written to the same text; what it
 * takes, json-glib takes as well; what it refuses has a reason that is UTF-8. */
#include <string.h>

#include "base/utf8.h"
#include "model/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(JsonNode) node = NULL, again = NULL;
    g_autoptr(JsonParser) parser = NULL;
    g_autofree char *reason = NULL, *text = NULL, *twice = NULL;

    if (json_read((const char *)data, size, &node, &reason) < 0) {
        g_assert(!node && reason && utf8_is_valid(reason));
        return 0;
    }
    g_assert(!reason);
    text = json_write(node);
    g_assert(json_read(text, strlen(text), &again, NULL) >= 0);
    twice = json_write(again);
    g_assert(g_str_equal(text, twice) && json_node_equal(node, again));
    parser = json_parser_new();
    g_assert(json_parser_load_from_data(parser, text, (gssize)strlen(text), NULL));
    return 0;
}
