/* The one table of errors: name on the bus, exit code of the command line, status of HTTP. */
#include "base/error.h"

#include "base/utf8.h"

#define NAME(x) "org.taskschedd1.Error." x

static const struct {
    ErrorInfo info;
    int negative_errno;
} table[_ERROR_MAX] = {
    [ERROR_NONE] = { { ERROR_NONE, "", 0, 200 }, 0 },
    [ERROR_NO_SUCH_TASK] = { { ERROR_NO_SUCH_TASK, NAME("NoSuchTask"), 4, 404 }, -ENOENT },
    [ERROR_NO_SUCH_RUN] = { { ERROR_NO_SUCH_RUN, NAME("NoSuchRun"), 4, 404 }, -ENOENT },
    [ERROR_NO_SUCH_SCHEDULE] = { { ERROR_NO_SUCH_SCHEDULE, NAME("NoSuchSchedule"), 4, 404 }, -ENOENT },
    [ERROR_NO_SUCH_NODE] = { { ERROR_NO_SUCH_NODE, NAME("NoSuchNode"), 4, 404 }, -ENOENT },
    [ERROR_NO_SUCH_CALENDAR] = { { ERROR_NO_SUCH_CALENDAR, NAME("NoSuchCalendar"), 4, 404 }, -ENOENT },
    [ERROR_UNKNOWN_OBJECT] = { { ERROR_UNKNOWN_OBJECT, "org.freedesktop.DBus.Error.UnknownObject", 4, 404 },
        -ENOENT },
    [ERROR_INVALID_INPUT] = { { ERROR_INVALID_INPUT, NAME("InvalidInput"), 6, 422 }, -EINVAL },
    [ERROR_INVALID_TASK] = { { ERROR_INVALID_TASK, NAME("InvalidTask"), 6, 422 }, -EINVAL },
    [ERROR_INVALID_ARGUMENT] = { { ERROR_INVALID_ARGUMENT, "org.freedesktop.DBus.Error.InvalidArgs", 2, 400 },
        -EINVAL },
    [ERROR_NOT_AVAILABLE] = { { ERROR_NOT_AVAILABLE, NAME("NotAvailable"), 7, 503 }, -ENOTCONN },
    [ERROR_LIMIT_EXCEEDED] = { { ERROR_LIMIT_EXCEEDED, NAME("LimitExceeded"), 6, 413 }, -E2BIG },
    [ERROR_ALREADY_DONE] = { { ERROR_ALREADY_DONE, NAME("AlreadyDone"), 1, 409 }, -EALREADY },
    [ERROR_FROM_FILE] = { { ERROR_FROM_FILE, NAME("FromFile"), 5, 409 }, -EEXIST },
    [ERROR_DISABLED] = { { ERROR_DISABLED, NAME("Disabled"), 1, 409 }, -ECANCELED },
    [ERROR_OVERLAP] = { { ERROR_OVERLAP, NAME("Overlap"), 1, 409 }, -EBUSY },
    [ERROR_ACCESS_DENIED] = { { ERROR_ACCESS_DENIED, "org.freedesktop.DBus.Error.AccessDenied", 5, 403 },
        -EACCES },
    [ERROR_AUTHENTICATION_REQUIRED] = { { ERROR_AUTHENTICATION_REQUIRED,
                                            "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", 5,
                                            403 },
        -EACCES },
    [ERROR_FAILED] = { { ERROR_FAILED, "org.freedesktop.DBus.Error.Failed", 1, 500 }, -EIO },
};

const ErrorInfo *error_info(ErrorCode code)
{
    g_assert(code < _ERROR_MAX);
    return &table[code].info;
}

const ErrorInfo *error_info_by_name(const char *name)
{
    for (size_t i = 1; i < _ERROR_MAX; i++)
        if (g_strcmp0(table[i].info.name, name) == 0)
            return &table[i].info;
    return NULL;
}

/* Whatever is cited in it, no terminal obeys it. */
static char *error_shown(char *text)
{
    g_autofree char *taken = text;

    return utf8_show_lines(taken);
}

int error_set(Error *e, ErrorCode code, const char *format, ...)
{
    g_assert(code > ERROR_NONE && code < _ERROR_MAX);
    if (e && e->code == ERROR_NONE) {
        va_list ap;

        va_start(ap, format);
        e->code = code;
        e->message = error_shown(g_strdup_vprintf(format, ap));
        va_end(ap);
    }
    return table[code].negative_errno;
}

int error_set_hint(Error *e, const char *format, ...)
{
    va_list ap;

    if (!e)
        return 0;
    va_start(ap, format);
    g_free(e->hint);
    e->hint = error_shown(g_strdup_vprintf(format, ap));
    va_end(ap);
    return 0;
}

void error_clear(Error *e)
{
    g_clear_pointer(&e->message, g_free);
    g_clear_pointer(&e->hint, g_free);
    e->code = ERROR_NONE;
}

bool error_is_shortage(int r)
{
    static const int shortages[] = { -EMFILE, -ENFILE, -ENOMEM, -ENOSPC, -EDQUOT };

    ARRAY_FOREACH (shortage, shortages)
        if (*shortage == r)
            return true;
    return false;
}
