/* Reading and writing D-Bus dictionaries, strictly and safely: an unknown, doubled or wrongly typed entry is
 * refused by name, and no text can make a reply unsendable. */
#pragma once

#include <json-glib/json-glib.h>
#include <systemd/sd-bus.h>

#include "base/error.h"

/* One entry that an a{sv} may have. read is called inside the variant, whose type is checked; into is that many bytes
 * behind the beginning of what the dictionary is read into: all of it, or the member that the entry is for. */
typedef struct MessageEntry {
    const char *key;
    const char *type;
    int (*read)(sd_bus_message *m, void *into, Error *error);
    size_t offset;
} MessageEntry;

/* Members of usual kinds: char *, owned; uint64_t, µs; int; char *, a{ss} as a JSON object, NULL where it is empty. */
int message_entry_string(sd_bus_message *m, void *into, Error *error);
int message_entry_time(sd_bus_message *m, void *into, Error *error);
int message_entry_bool(sd_bus_message *m, void *into, Error *error);
int message_entry_metadata(sd_bus_message *m, void *into, Error *error);

/* Reads a whole a{sv} by a table (at most 32 entries; n may be 0: then it must be empty). what names the
 * dictionary for people: "option". */
int message_read_dict(
    sd_bus_message *m, const MessageEntry *entries, size_t n, const char *what, void *into, Error *error);
/* Cursor and limit of a list: 0 is as many as there may be. The cursor is the message's. */
int message_read_page(
    sd_bus_message *m, unsigned max, const char **ret_cursor, unsigned *ret_limit, Error *error);
/* A negative errno of sd-bus's readers as an error for the caller; others pass. */
int message_read_failed(int r, Error *error);
/* Says what is wrong with a text of the caller's, which may be any: it is shown as words_quote() does. The code's negative errno. */
int message_refuse(Error *error, ErrorCode code, const char *before, const char *text, const char *after);
/* Reads an a{ss} into a table of owned strings; a key twice is refused. */
int message_read_strings(sd_bus_message *m, GHashTable **ret, Error *error);

/* Append one entry to an a{sv} that is open. NULL is "". */
int message_put_string(sd_bus_message *m, const char *key, const char *value);
int message_put_number(sd_bus_message *m, const char *key, uint64_t value);
/* A JSON object of strings (NULL: none) as a{ss}, which is no entry yet. */
int message_append_strings(sd_bus_message *m, const char *json);

/* The text itself if it is UTF-8, otherwise *buffer, which gets a copy that is (g_free). */
const char *message_valid(const char *text, char **buffer);
