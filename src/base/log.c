/* Messages to the journal by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), so that each carries its fields.
 * Not by sd_journal_sendv(), which waits for as long as journald does not read: the event loop would wait with it. */
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
/* For room in its socket a journald is waited for so long, and then not again until twenty times that has passed: it is slow,
 * or it hangs. */
#define WAIT_USEC   50000
#define WAIT_SHARE  20
#define SEND_BUFFER (8 * 1024 * 1024) /* the kernel makes less of it */
#define TEXT_MAX    (64 * 1024)       /* longer ones are cut: an entry has to fit into one datagram */

static int max_level = LOG_INFO;
static bool to_stderr;
static int journal = -1;
static int64_t waits_from; /* monotonic µs */
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
    static const int buffer = SEND_BUFFER;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
        util_closep(&fd);
    return fd;
}

static ssize_t log_send_datagram(const GString *entry, bool waits)
{
    static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
    int64_t begin = g_get_monotonic_time(), end;
    int flags = MSG_NOSIGNAL | (waits && begin >= waits_from ? 0 : MSG_DONTWAIT);
    ssize_t n =
        sendto(journal, entry->str, entry->len, flags, (const struct sockaddr *)&address, sizeof(address));

    end = g_get_monotonic_time();
    if (end - begin > WAIT_USEC / WAIT_SHARE)
        waits_from = end + WAIT_SHARE * (end - begin);
    return n;
}

/* 0 also of one that is dropped: where journald takes nothing, our standard error, which is its as well, would wait next. */
static int log_send_entry(const GString *entry)
{
    if (journal < 0)
        journal = log_open();
    if (journal < 0)
        return -errno;
    if (log_send_datagram(entry, true) >= 0)
        return 0;
    if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS && errno != EMSGSIZE)
        return -errno;
    n_dropped++;
    return 0;
}

static void log_add_text(GString *entry, const char *text)
{
    size_t size = strlen(text);
    g_autofree char *cut = NULL;

    if (size > TEXT_MAX) {
        for (size = TEXT_MAX; size > 0 && (text[size] & 0xc0) == 0x80; size--)
            ; /* not within a character */
        cut = g_strdup_printf("%.*s...", (int)size, text);
    }
    log_add(entry, "MESSAGE", cut ? cut : text);
}

static GString *log_entry(int priority, const LogContext *context, const char *text)
{
    GString *entry = g_string_new(NULL);

    g_string_append_printf(entry, "PRIORITY=%d\n", priority);
    log_add(entry, "SYSLOG_IDENTIFIER", "taskschedd");
    log_add_text(entry, text);
    if (context) {
        log_add(entry, "MESSAGE_ID", context->message_id);
        log_add(entry, "TASKSCHEDD_TASK", context->task);
        log_add(entry, "OBJECT_SYSTEMD_UNIT", context->unit);
        log_add_number(entry, "TASKSCHEDD_RUN", context->run);
        log_add_number(entry, "TASKSCHEDD_ATTEMPT", context->attempt);
        for (const char *const *more = context->more; more && *more; more++) {
            const char *value = strchr(*more, '=');
            g_autofree char *name = value ? g_strndup(*more, (gsize)(value - *more)) : NULL;

            if (name)
                log_add(entry, name, value + 1);
        }
    }
    return entry;
}

/* They stay counted where this is dropped too. */
static void log_tell_dropped(void)
{
    g_autoptr(GString) entry = NULL;
    g_autofree char *text = NULL;

    if (n_dropped == 0)
        return;
    text = g_strdup_printf(
        "%" G_GUINT64_FORMAT " messages before this were dropped: journald did not take them.", n_dropped);
    entry = log_entry(LOG_WARNING, NULL, text);
    if (log_send_datagram(entry, false) >= 0)
        n_dropped = 0;
}

static int log_send(int priority, const LogContext *context, const char *text)
{
    g_autoptr(GString) entry = log_entry(priority, context, text);
    uint64_t before = n_dropped;
    int r = log_send_entry(entry);

    if (r >= 0 && n_dropped == before) /* there was room just now */
        log_tell_dropped();
    return r;
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
