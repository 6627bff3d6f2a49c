/* Messages to the journal by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), so that each carries its fields.
 * Not by sd_journal_sendv(), which waits for as long as journald does not read: the event loop would wait with it. */
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
/* A journald that is only slow has made room by then; none is waited for a second time until it has. */
#define WAIT_USEC 50000

static int max_level = LOG_INFO;
static bool to_stderr;
static int journal = -1;
static bool stuck;
static uint64_t n_dropped;

void log_set_max_level(int priority)
{
    max_level = priority;
}

void log_set_stderr(bool on)
{
    to_stderr = on;
}

/* A value that has a line feed in it goes with its length. */
static void log_add(GString *entry, const char *name, const char *value)
{
    uint64_t size;

    if (!value)
        return;
    size = strlen(value);
    g_string_append(entry, name);
    if (strchr(value, '\n')) {
        uint64_t le = GUINT64_TO_LE(size);

        g_string_append_c(entry, '\n');
        g_string_append_len(entry, (const char *)&le, sizeof(le));
    } else {
        g_string_append_c(entry, '=');
    }
    g_string_append_len(entry, value, (gssize)size);
    g_string_append_c(entry, '\n');
}

static void log_add_number(GString *entry, const char *name, uint64_t value)
{
    if (value > 0)
        g_string_append_printf(entry, "%s=%" G_GUINT64_FORMAT "\n", name, value);
}

static int log_open(void)
{
    static const struct timeval wait = { .tv_usec = WAIT_USEC };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Without an errno for one that is dropped: where journald reads nothing, our standard error, which is its as well, would
 * wait next. */
static int log_send_entry(const GString *entry)
{
    static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
    ssize_t n;

    if (journal < 0)
        journal = log_open();
    if (journal < 0)
        return -errno;
    n = sendto(journal, entry->str, entry->len, MSG_NOSIGNAL | (stuck ? MSG_DONTWAIT : 0),
        (const struct sockaddr *)&address, sizeof(address));
    stuck = n < 0 && errno == EAGAIN;
    if (stuck)
        n_dropped++;
    return n < 0 && !stuck ? -errno : 0;
}

static int log_send(int priority, const LogContext *context, const char *text)
{
    g_autoptr(GString) entry = g_string_new(NULL);

    g_string_append_printf(entry, "PRIORITY=%d\n", priority);
    log_add(entry, "SYSLOG_IDENTIFIER", "taskschedd");
    log_add(entry, "MESSAGE", text);
    if (context) {
        log_add(entry, "MESSAGE_ID", context->message_id);
        log_add(entry, "TASKSCHEDD_TASK", context->task);
        log_add(entry, "OBJECT_UNIT", context->unit);
        log_add_number(entry, "TASKSCHEDD_RUN", context->run);
        log_add_number(entry, "TASKSCHEDD_ATTEMPT", context->attempt);
        for (const char *const *more = context->more; more && *more; more++) {
            const char *value = strchr(*more, '=');
            g_autofree char *name = value ? g_strndup(*more, (gsize)(value - *more)) : NULL;

            if (name)
                log_add(entry, name, value + 1);
        }
    }
    return log_send_entry(entry);
}

static void log_tell_dropped(void)
{
    uint64_t n = n_dropped;
    g_autofree char *text = NULL;

    if (n == 0 || stuck)
        return;
    n_dropped = 0;
    text = g_strdup_printf(
        "%" G_GUINT64_FORMAT " messages before this were dropped: journald did not read them.", n);
    (void)log_send(LOG_WARNING, NULL, text);
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
    log_tell_dropped();
    errno = saved;
}
