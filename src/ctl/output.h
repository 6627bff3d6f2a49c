/* Everything that is printed goes through here, so that --json, --quiet, colours and the pager are decided
 * once. */
#pragma once

#include "ctl/ctl.h"
#include "ctl/table.h"

/* How standard output is to be written, from options, environment and what it is connected to. -EINVAL for a
 * bad --json, with a sentence in ret_message. */
int output_setup(Ctl *ctl, char **ret_message);

/* Print an error to standard error, as text or JSON; returns its exit code. */
int output_fail(const Ctl *ctl, const ClientError *e);
/* The same for a wrong command line. */
int output_usage(const Ctl *ctl, const char *format, ...) _printf_(2, 3);
/* A line on standard error that --quiet suppresses. */
void output_note(const Ctl *ctl, const char *format, ...) _printf_(2, 3);

/* "label: value" to standard output, labels aligned; takes value over; nothing where that is "" or "-". */
void output_line(const char *label, char *value);

/* One JSON object or array as a line, or pretty. */
void output_json(const Ctl *ctl, JsonNode *node);
void output_json_object(const Ctl *ctl, JsonObject *o);
/* An array written as its elements come, so that no list has to fit in memory. */
void output_list_begin(Ctl *ctl);
void output_list_add(Ctl *ctl, JsonNode *element);
void output_list_end(Ctl *ctl);

/* Rows so far to standard output; header with the first page of a list. */
void output_table(const Ctl *ctl, Table *t, bool header);

/* Standard output goes through a pager until the end, where it is a terminal. */
void output_pager_open(Ctl *ctl);
void output_pager_close(Ctl *ctl);
