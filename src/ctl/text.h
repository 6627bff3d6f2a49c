/* How a person reads what the bus says: members of a JSON object as text. Pure, but for the zone of local
 * times. */
#pragma once

#include <json-glib/json-glib.h>

#include "base/util.h"

/* A string member, "" where there is none; borrowed. */
const char *text_member(JsonObject *o, const char *key);
/* A number member, UNSET where there is none. */
uint64_t text_number(JsonObject *o, const char *key);
/* An instant member in real µs, UNSET where there is none. */
uint64_t text_instant(JsonObject *o, const char *key);
/* Of a task or a schedule: it is at this instant. */
bool text_is_paused(JsonObject *o, uint64_t now);

/* Any member as one word for `show`: strings as they are, the rest as JSON; NULL where there is none; g_free.
 */
char *text_value(JsonObject *o, const char *key);
/* All of it as utf8_append_shown() has it, so that what a task wrote cannot steer a terminal; g_free. */
char *text_safe(const char *s);

/* All below: "-" where the number is UNSET; g_free. */
/* Local time, "2026-11-23 22:46:00". */
char *text_time(uint64_t usec);
/* "in 5min" or "3h ago". */
char *text_relative(uint64_t usec, uint64_t now);
/* "812ms", "1min 4s". */
char *text_span(uint64_t usec);
/* "512B", "1.5M". */
char *text_bytes(uint64_t bytes);
/* "success", "exit-code (3)", "signal (TERM)"; "" for a run that is not done. */
char *text_result(JsonObject *run);
