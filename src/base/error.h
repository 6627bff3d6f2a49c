/* The errors people see: one table for the bus, the command line and HTTP. An Error is filled by whoever
 * finds the fault and printed once, at the edge. */
#pragma once

#include "base/util.h"

typedef enum ErrorCode {
    ERROR_NONE,
    ERROR_NO_SUCH_TASK,
    ERROR_NO_SUCH_RUN,
    ERROR_NO_SUCH_SCHEDULE,
    ERROR_NO_SUCH_NODE,
    ERROR_NO_SUCH_CALENDAR,
    ERROR_UNKNOWN_OBJECT, /* where properties of one are asked for */
    ERROR_INVALID_INPUT,
    ERROR_INVALID_TASK,
    ERROR_INVALID_ARGUMENT,
    ERROR_NOT_AVAILABLE,
    ERROR_LIMIT_EXCEEDED,
    ERROR_ALREADY_DONE,
    ERROR_FROM_FILE,
    ERROR_DISABLED,
    ERROR_OVERLAP, /* another run of the task is not over */
    ERROR_ACCESS_DENIED,
    ERROR_AUTHENTICATION_REQUIRED,
    ERROR_FAILED,
    _ERROR_MAX,
} ErrorCode;

typedef struct ErrorInfo {
    ErrorCode code;
    const char *name; /* the D-Bus error name */
    int exit_code;    /* of tschedctl (DESIGN §10) */
    unsigned http_status;
} ErrorInfo;

/* An error on its way to a person. message is one sentence or several lines, owned; hint says what to do,
 * owned, may be NULL. Both are as utf8_show_lines() has them: of what was asked for anything can be cited. */
typedef struct Error {
    ErrorCode code;
    char *message;
    char *hint;
} Error;

const ErrorInfo *error_info(ErrorCode code);
/* NULL where the table has no such D-Bus name. */
const ErrorInfo *error_info_by_name(const char *name);

/* Fill *e, unless it already holds an error; e may be NULL. Returns a negative errno that fits the code. */
int error_set(Error *e, ErrorCode code, const char *format, ...) _printf_(3, 4);
int error_set_hint(Error *e, const char *format, ...) _printf_(2, 3);
void error_clear(Error *e);
/* Does a negative errno say that something is not to be had just now, and may be later? */
bool error_is_shortage(int r);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Error, error_clear)
