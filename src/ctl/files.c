/* Reading of files, bounded, regular or not. */
#include "ctl/files.h"
#include "base/utf8.h"
#include "lib/i18n.h"

#include <fcntl.h>
#include <string.h>

static int files_read_fd(int fd, GByteArray *into)
{
    for (;;) {
        uint8_t buffer[16384];
        ssize_t n = read(fd, buffer, sizeof(buffer));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        if (into->len + (size_t)n > FILES_MAX)
            return -EFBIG;
        g_byte_array_append(into, buffer, (guint)n);
    }
}

/* The message says it all: what a task takes is no remedy for it. */
static int files_fail(const char *path, int error_number, ClientError *e)
{
    int r =
        client_error_set(e, ERROR_INVALID_INPUT, _("%s cannot be read: %s"), path, g_strerror(error_number));

    error_set_hint(&e->error, "%s", "");
    return r;
}

int files_read(const char *path, GBytes **ret, ClientError *e)
{
    bool standard = g_str_equal(path, "-");
    _cleanup_(util_closep) int opened = -1;
    g_autoptr(GByteArray) content = g_byte_array_new();
    int r;

    if (!standard) {
        opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (opened < 0)
            return files_fail(path, errno, e);
    }
    r = files_read_fd(standard ? STDIN_FILENO : opened, content);
    if (r == -EFBIG)
        return client_error_set(e, ERROR_LIMIT_EXCEEDED, _("%s is larger than %zu bytes"), path, FILES_MAX);
    if (r < 0)
        return files_fail(path, -r, e);
    *ret = g_byte_array_free_to_bytes(g_steal_pointer(&content));
    return 0;
}

bool files_find_invalid(const char *text, size_t length, unsigned *ret_line, unsigned *ret_column)
{
    const char *end, *line = text;
    unsigned number = 1;

    if (utf8_is_valid_len(text, length, &end))
        return false;
    for (const char *p = text; p < end; p++)
        if (*p == '\n') {
            line = p + 1;
            number++;
        }
    *ret_line = number;
    *ret_column = (unsigned)g_utf8_strlen(line, end - line) + 1;
    return true;
}

int files_read_text(const char *path, ErrorCode code, char **ret, ClientError *e)
{
    g_autoptr(GBytes) content = NULL;
    const char *data;
    unsigned line, column;
    size_t size;
    int r = files_read(path, &content, e);

    if (r < 0)
        return r;
    data = g_bytes_get_data(content, &size);
    if (files_find_invalid(util_strempty(data), size, &line, &column))
        return client_error_set(
            e, code, _("%s:%u:%u: what stands here is not UTF-8 text"), path, line, column);
    *ret = g_strndup(util_strempty(data), size);
    return 0;
}

char *files_task_name(const char *path)
{
    char *name = g_path_get_basename(path);

    if (g_str_has_suffix(name, ".task"))
        name[strlen(name) - strlen(".task")] = '\0';
    return name;
}
