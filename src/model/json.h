/* JSON from outside, read strictly: RFC 8259, UTF-8, bounded depth, no name twice, numbers that fit. */
#pragma once

#include <json-glib/json-glib.h>

#include "base/util.h"

#define JSON_DEPTH_MAX 64

/* Parses text (not NUL-terminated, may hold anything). Refused, each with a sentence and the byte offset in
 * ret_reason (g_free): invalid UTF-8, NUL (raw or \u0000), a depth beyond JSON_DEPTH_MAX, a name twice in an
 * object, an integer beyond int64, a number that is not finite, anything after the value. -EINVAL. */
int json_read(const char *text, size_t length, JsonNode **ret, char **ret_reason);
/* Compact text, g_free. */
char *json_write(JsonNode *node);
char *json_write_object(JsonObject *object);
/* The shortest text that reads back as the same (finite) number, always with a point or an exponent; g_free.
 */
char *json_format_double(double d);
