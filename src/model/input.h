/* Typed input and output: from what a person or a program gives to JSON that is known to fit, and on to the
 * command line of an attempt. */
#pragma once

#include "base/error.h"
#include "model/task.h"

struct InputSpec {
    char *name; /* [A-Za-z_][A-Za-z0-9_-]{0,63} */
    InputType type;
    bool required;
    bool secret;        /* inputs only */
    char *default_text; /* raw text, NULL is none; for datetime and duration also an expression that is
                           evaluated when the run starts (today, month-start -1day) */
    bool has_min, has_max;
    double min, max;          /* integer, number; for strings their length in characters; files: bytes */
    int64_t min_int, max_int; /* integer exactly; duration in µs */
    GPtrArray *choices;       /* of char*, raw text; NULL is any */
    char *pattern;     /* a regular expression (GRegex, PCRE) the whole string must match; NULL is any */
    char *description; /* help="…"; NULL is none */
};

void input_spec_free(InputSpec *s);
bool input_name_is_valid(const char *name);
/* NULL where specs (of InputSpec*) has no such name. */
const InputSpec *input_find(const GPtrArray *specs, const char *name);
/* The names, borrowed from specs; for suggest_nearest(). */
GPtrArray *input_names(const GPtrArray *specs);
const char *input_type_to_string(InputType t);
/* One line "name=type [required] [default=…] [min=…] [max=…] [choices=a,b] [pattern=…] [secret]". */
int input_spec_parse(const char *name, const char *text, bool is_output, const char *file, unsigned line,
    unsigned column, DiagList *diags, InputSpec **ret);

/* What is asked for, as it came. All borrowed, each may be NULL. */
typedef struct InputGiven {
    JsonObject *typed; /* values with a JSON type of their own (from --input or the bus) */
    GHashTable *texts; /* name → raw text to be converted by the declared type (key=value); no secrets */
    GHashTable *files; /* name → GBytes: content of key=@FILE */
    GBytes *raw;       /* the whole input as bytes, for a task without [Input]: it stands alone. A JSON object
                          among them is taken as one */
} InputGiven;

/* A validated input. json and secrets are compact JSON objects, owned ("{}" if empty; NULL secrets if none).
 * raw is the input of a task without [Input] that is not a JSON object, NULL otherwise. */
typedef struct Input {
    char *json;
    char *secrets;
    GBytes *raw;
} Input;

void input_clear(Input *i);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Input, input_clear)

/* Validates what is given against [Input]; all faults in one error (a line each), unknown names refused with
 * the nearest known one. Defaults that are fixed are filled in; expressions wait for input_resolve(). limit:
 * bytes of json + secrets + raw together; beyond it ERROR_LIMIT_EXCEEDED. */
int input_validate(const Task *t, const InputGiven *given, size_t limit, Input *ret, Error *error);

/* What an attempt gets: expressions evaluated against now (real µs) in the system's zone. One JSON object of
 * everything, secrets included (g_free). In it a file input is the path of its credential:
 * directory/input.NAME. Where input->raw is set it is "{}": the credential `input` is then raw itself. */
int input_resolve(const Task *t, const Input *input, uint64_t now, const char *credentials_directory,
    char **ret_json, GHashTable **ret_files /* name → GBytes, owned */, Error *error);

/* Evaluates [Output]: text is what the task wrote to its output file: key=value lines or one JSON object. All
 * faults in one error. *ret_json is a compact object, NULL if the file was empty and nothing is required. */
int input_validate_output(
    const Task *t, const char *text, size_t length, size_t limit, char **ret_json, Error *error);
/* "[Input]" as JSON for Task.Inputs:
 * [{"Name","Type","Required","Secret","Default","Min","Max","Choices","Pattern"}]. */
char *input_specs_to_json(const GPtrArray *specs);
