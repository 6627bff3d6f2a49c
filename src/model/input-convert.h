/* One value of an input or output: from text, bytes or JSON to a node that is known to fit its
 * specification. */
#pragma once

#include "model/input.h"

/* Each -EINVAL with a sentence in *ret_reason (g_free), which never holds the value of a secret. */
int input_convert_text(const InputSpec *s, const char *text, JsonNode **ret, char **ret_reason);
int input_convert_bytes(const InputSpec *s, GBytes *bytes, JsonNode **ret, char **ret_reason);
int input_convert_json(const InputSpec *s, JsonNode *node, JsonNode **ret, char **ret_reason);

/* A default that is no fixed value but is evaluated when the run starts. */
bool input_default_is_expression(const InputSpec *s);
/* Its value at now. A duration is the span between the instant and now. */
int input_eval_default(const InputSpec *s, uint64_t now, JsonNode **ret, char **ret_reason);

/* Faults, collected as "name: message" each (of char*, owned by the array). */
void input_fault(GPtrArray *faults, const char *name, const char *format, ...) _printf_(3, 4);
void input_fault_unknown(GPtrArray *faults, const GPtrArray *specs, const char *name, const char *what);
/* Puts them into one error; the array is used up. */
int input_fail(GPtrArray *faults, Error *error);
