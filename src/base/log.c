/* Messages to the journal by its native protocol, so that each carries its fields. */
#include "base/log.h"

#include <stdio.h>

/* The place of the message is not here, where all are sent. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

static int max_level = LOG_INFO;
static bool to_stderr;

void log_set_max_level(int priority)
{
    max_level = priority;
}

void log_set_stderr(bool on)
{
    to_stderr = on;
}

static void log_add(GPtrArray *fields, const char *name, const char *value)
{
    if (value)
        g_ptr_array_add(fields, g_strdup_printf("%s=%s", name, value));
}

static void log_add_number(GPtrArray *fields, const char *name, uint64_t value)
{
    if (value > 0)
        g_ptr_array_add(fields, g_strdup_printf("%s=%" G_GUINT64_FORMAT, name, value));
}

static int log_send(int priority, const LogContext *context, const char *text)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    g_autofree struct iovec *iov = NULL;

    g_ptr_array_add(fields, g_strdup_printf("PRIORITY=%d", priority));
    log_add(fields, "SYSLOG_IDENTIFIER", "taskschedd");
    log_add(fields, "MESSAGE", text);
    if (context) {
        log_add(fields, "MESSAGE_ID", context->message_id);
        log_add(fields, "TASKSCHEDD_TASK", context->task);
        log_add(fields, "OBJECT_UNIT", context->unit);
        log_add_number(fields, "TASKSCHEDD_RUN", context->run);
        log_add_number(fields, "TASKSCHEDD_ATTEMPT", context->attempt);
        for (const char *const *more = context->more; more && *more; more++)
            g_ptr_array_add(fields, g_strdup(*more));
    }
    iov = g_new0(struct iovec, fields->len);
    for (guint i = 0; i < fields->len; i++) {
        iov[i].iov_base = g_ptr_array_index(fields, i);
        iov[i].iov_len = strlen(iov[i].iov_base);
    }
    return sd_journal_sendv(iov, (int)fields->len);
}

void log_message(int priority, const LogContext *context, const char *format, ...)
{
    int saved = errno;
    g_autofree char *text = NULL;
    va_list ap;

    if (priority > max_level)
        return;
    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    if (to_stderr || log_send(priority, context, text) < 0)
        fprintf(stderr, "<%d>%s\n", priority, text);
    errno = saved;
}
