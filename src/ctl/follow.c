/* The journal of one run, line by line, and a progress bar below it. */
#include "ctl/follow.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <systemd/sd-journal.h>

#include "ctl/table.h"
#include "ctl/text.h"

/* How long a line may take from the task to the journal's files where we may not ask journald to be done. */
#define SETTLE (300 * USEC_PER_MSEC)
/* By how much the clocks of the database and of the journal may differ. */
#define SLACK    (600 * USEC_PER_SEC)
#define BAR      20
#define ATTEMPTS 100

struct Follow {
    sd_journal *journal; /* NULL: the daemon reads it for us, and tells by fd */
    int fd;              /* a line of JSON for each of the journal's entries; -1 when there are no more */
    GString *pending;    /* the beginning of a line */
    uint64_t printed;    /* lines of that, which are not printed again when it is read anew */
    uint64_t known;      /* that are still to be passed over */
    char *unit_prefix;   /* of the attempts' units */
    const char *unit_field;
    FILE *out;
    bool bar;    /* standard error is a terminal */
    char *drawn; /* what stands there now */
};

/* journald adds the run's number to what a system unit writes. To a user's unit it does not: there the units' names
 * are asked for, of as many attempts as a run is likely to have. */
static int follow_match(Follow *f, uint64_t run, bool user)
{
    g_autofree char *match = g_strdup_printf("TASKSCHEDD_RUN=%" G_GUINT64_FORMAT, run);
    int r = 0;

    if (!user)
        return sd_journal_add_match(f->journal, match, 0);
    for (unsigned attempt = 1; attempt <= ATTEMPTS && r >= 0; attempt++) {
        g_autofree char *unit =
            g_strdup_printf("_SYSTEMD_USER_UNIT=tsched-run-%" G_GUINT64_FORMAT "-%u.service", run, attempt);

        r = sd_journal_add_match(f->journal, unit, 0);
    }
    return r;
}

static int follow_open(Follow *f, uint64_t run, bool user, uint64_t asked)
{
    int r = sd_journal_open(&f->journal, SD_JOURNAL_LOCAL_ONLY);

    if (r >= 0)
        r = sd_journal_set_data_threshold(f->journal, 0);
    if (r >= 0)
        r = follow_match(f, run, user);
    if (r >= 0)
        r = sd_journal_get_fd(f->journal);
    if (r >= 0)
        r = asked == UNSET || asked < SLACK ? sd_journal_seek_head(f->journal)
                                            : sd_journal_seek_realtime_usec(f->journal, asked - SLACK);
    return r;
}

static Follow *follow_make(uint64_t run, bool user, FILE *out)
{
    Follow *f = g_new0(Follow, 1);

    f->fd = -1;
    f->pending = g_string_new(NULL);
    f->out = out;
    f->unit_prefix = g_strdup_printf("tsched-run-%" G_GUINT64_FORMAT "-", run);
    f->unit_field = user ? "_SYSTEMD_USER_UNIT" : "_SYSTEMD_UNIT";
    f->bar = isatty(STDERR_FILENO);
    return f;
}

int follow_new(uint64_t run, bool user, uint64_t asked, FILE *out, Follow **ret)
{
    g_autoptr(Follow) f = follow_make(run, user, out);
    int r = follow_open(f, run, user, asked);

    if (r < 0)
        return r;
    *ret = g_steal_pointer(&f);
    return 0;
}

void follow_set_fd(Follow *f, int fd, bool wait)
{
    util_closep(&f->fd);
    f->fd = fd;
    f->known = f->printed;
    f->printed = 0;
    g_string_truncate(f->pending, 0);
    if (!wait)
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

Follow *follow_new_fd(uint64_t run, int fd, FILE *out)
{
    Follow *f = follow_make(run, false, out);

    follow_set_fd(f, fd, false);
    return f;
}

bool follow_is_cut(const Follow *f)
{
    return !f->journal && f->fd < 0;
}

bool follow_is_blind(const Follow *f)
{
    return f->journal && sd_journal_has_runtime_files(f->journal) <= 0 &&
           sd_journal_has_persistent_files(f->journal) <= 0;
}

void follow_free(Follow *f)
{
    if (!f)
        return;
    sd_journal_close(f->journal);
    util_closep(&f->fd);
    g_string_free(f->pending, TRUE);
    g_free(f->unit_prefix);
    g_free(f->drawn);
    g_free(f);
}

int follow_fd(const Follow *f)
{
    return f->journal ? sd_journal_get_fd(f->journal) : f->fd;
}

static void follow_clear(Follow *f)
{
    if (f->drawn)
        fputs("\r\x1b[K", stderr);
    g_clear_pointer(&f->drawn, g_free);
}

/* The daemon's own lines carry the run too, and anybody may write a line that claims to: the unit is
 * journald's word. */
static bool follow_is_output(Follow *f)
{
    g_autofree char *unit = NULL;
    const char *data, *value;
    size_t size;

    if (sd_journal_get_data(f->journal, f->unit_field, (const void **)&data, &size) < 0)
        return false;
    value = memchr(data, '=', size);
    unit = value ? g_strndup(value + 1, size - (size_t)(value + 1 - data)) : NULL;
    return unit && g_str_has_prefix(unit, f->unit_prefix);
}

static void follow_print(Follow *f)
{
    const char *data;
    size_t size;

    if (!follow_is_output(f) || sd_journal_get_data(f->journal, "MESSAGE", (const void **)&data, &size) < 0)
        return;
    follow_clear(f);
    fwrite(data + strlen("MESSAGE="), 1, size - strlen("MESSAGE="), f->out);
    fputc('\n', f->out);
}

/* What is no UTF-8 is an array of numbers there. */
static void follow_print_bytes(Follow *f, JsonArray *bytes)
{
    for (guint i = 0; i < json_array_get_length(bytes); i++)
        fputc((int)json_array_get_int_element(bytes, i), f->out);
    fputc('\n', f->out);
}

static void follow_print_line(Follow *f, const char *line)
{
    g_autoptr(JsonNode) node = json_from_string(line, NULL);
    JsonObject *o = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonNode *message = o ? json_object_get_member(o, "MESSAGE") : NULL;

    if (!message || !g_str_has_prefix(text_member(o, f->unit_field), f->unit_prefix) ||
        f->printed++ < f->known)
        return;
    follow_clear(f);
    if (JSON_NODE_HOLDS_ARRAY(message))
        follow_print_bytes(f, json_node_get_array(message));
    else
        fprintf(f->out, "%s\n", text_member(o, "MESSAGE"));
}

static void follow_process_fd(Follow *f)
{
    char buffer[16384], *newline;
    ssize_t n = -1;

    while (f->fd >= 0 && (n = read(f->fd, buffer, sizeof(buffer))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        g_string_append_len(f->pending, buffer, n);
        while ((newline = memchr(f->pending->str, '\n', f->pending->len))) {
            *newline = '\0';
            follow_print_line(f, f->pending->str);
            g_string_erase(f->pending, 0, newline - f->pending->str + 1);
        }
    }
    if (f->fd >= 0 && n == 0)
        util_closep(&f->fd);
    fflush(f->out);
}

void follow_process(Follow *f)
{
    if (!f->journal) {
        follow_process_fd(f);
        return;
    }
    sd_journal_process(f->journal);
    while (sd_journal_next(f->journal) > 0)
        follow_print(f);
    fflush(f->out);
}

/* The status without the percentage at its beginning, which stands beside the bar already. */
static const char *follow_words(const char *status)
{
    size_t digits = strspn(status, "0123456789.");

    if (digits == 0 || status[digits] != '%')
        return status;
    status += digits + 1;
    return status + strspn(status, " ");
}

char *follow_bar(uint64_t percent, const char *status, unsigned width)
{
    g_autofree char *safe = text_safe(percent == UNSET ? status : follow_words(status));
    g_autoptr(GString) line = g_string_new(NULL);

    if (percent != UNSET) {
        unsigned full = (unsigned)(MIN(percent, 100) * BAR / 100);

        g_string_append_c(line, '[');
        for (unsigned i = 0; i < BAR; i++)
            g_string_append_c(line, i < full ? '#' : '-');
        g_string_append_printf(line, "] %3u%%", (unsigned)MIN(percent, 100));
    }
    if (*safe)
        g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", safe);
    return table_ellipsize(line->str, width);
}

void follow_progress(Follow *f, JsonObject *run)
{
    struct winsize size = { 0 };
    g_autofree char *line = NULL;

    if (!f->bar)
        return;
    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    line = follow_bar(text_number(run, "Progress"), text_member(run, "StatusText"),
        size.ws_col > 1 ? size.ws_col - 1u : 79u);
    if (!*line || g_strcmp0(line, f->drawn) == 0)
        return;
    fprintf(stderr, "\r\x1b[K%s", line);
    g_free(f->drawn);
    f->drawn = g_steal_pointer(&line);
}

/* The record of the end can be faster than the last line's way to the journal's files. root may ask journald
 * to finish what it has received; everybody else waits a moment. */
void follow_settle(void)
{
    char *argv[] = { (char *)"journalctl", (char *)"--sync", NULL };
    int status;

    if (geteuid() == 0 &&
        g_spawn_sync(NULL, argv, NULL,
            G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
            NULL, &status, NULL) &&
        g_spawn_check_wait_status(status, NULL))
        return;
    g_usleep(SETTLE);
}

void follow_finish(Follow *f)
{
    follow_process(f);
    follow_clear(f);
}
