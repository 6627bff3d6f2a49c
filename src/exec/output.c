/* Reading what a task left in its output file. The directory belongs to the task's user, who may have put
 * anything there: it is looked at before it is opened for reading. */
#include "exec/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define PATH_FLAGS (O_PATH | O_NOFOLLOW | O_CLOEXEC)

/* With DynamicUser= the directory lies in private/, and PID 1 leaves a symlink in its place. */
static int output_open_directory(Exec *e, uint64_t run, unsigned attempt)
{
    g_autofree char *name = g_strdup_printf("%" G_GUINT64_FORMAT "-%u", run, attempt);
    g_autofree char *private = files_private_directory(e->output_directory);
    g_autofree char *plain_path = g_build_filename(e->output_directory, name, NULL);
    g_autofree char *private_path = g_build_filename(private, name, NULL);
    int fd;

    fd = open(plain_path, PATH_FLAGS | O_DIRECTORY);
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
        fd = open(private_path, PATH_FLAGS | O_DIRECTORY);
    return fd < 0 ? -errno : fd;
}

/* Not there is what is known not to be: what cannot be looked for may be. */
static bool output_may_be_in(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    struct stat st;

    return fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) >= 0 || errno != ENOENT;
}

bool output_is_left(Exec *e, const char *unit)
{
    g_autofree char *private = files_private_directory(e->output_directory);
    g_autofree char *name = NULL;
    unsigned attempt;
    uint64_t run;

    if (!exec_unit_parse(unit, &run, &attempt))
        return true;
    name = g_strdup_printf("%" G_GUINT64_FORMAT "-%u", run, attempt);
    return output_may_be_in(e->output_directory, name) || output_may_be_in(private, name);
}

static int output_check(const struct stat *st, size_t limit, Error *error)
{
    if (S_ISLNK(st->st_mode)) {
        error_set(error, ERROR_INVALID_INPUT, "The output file is a symbolic link.");
        return -ELOOP;
    }
    if (!S_ISREG(st->st_mode)) {
        error_set(error, ERROR_INVALID_INPUT, "The output file is not a regular file.");
        return -EBADF;
    }
    if (st->st_nlink != 1) {
        error_set(error, ERROR_INVALID_INPUT, "The output file has %ju links, where one is expected.",
            (uintmax_t)st->st_nlink);
        return -EMLINK;
    }
    if (st->st_size < 0 || (uint64_t)st->st_size > limit) {
        error_set(error, ERROR_LIMIT_EXCEEDED, "The output is %jd bytes long, and at most %zu are taken.",
            (intmax_t)st->st_size, limit);
        return -E2BIG;
    }
    return 0;
}

static int output_read_all(int fd, size_t limit, GBytes **ret, Error *error)
{
    g_autofree char *data = g_malloc(limit + 1);
    size_t size = 0;

    while (size <= limit) {
        ssize_t n = read(fd, data + size, limit + 1 - size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0) {
            *ret = g_bytes_new(data, size);
            return 0;
        }
        size += (size_t)n;
    }
    error_set(error, ERROR_LIMIT_EXCEEDED, "The output is longer than the %zu bytes that are taken.", limit);
    return -E2BIG;
}

int exec_read_output(Exec *e, uint64_t run, unsigned attempt, size_t limit, GBytes **ret, Error *error)
{
    _cleanup_(util_closep) int directory = -1, found = -1, file = -1;
    char path[64];
    struct stat st;
    int r;

    *ret = NULL;
    directory = output_open_directory(e, run, attempt);
    if (directory < 0)
        return directory == -ENOENT ? 0 : directory;
    found = openat(directory, "output", PATH_FLAGS);
    if (found < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(found, &st) < 0)
        return -errno;
    r = output_check(&st, limit, error);
    if (r < 0)
        return r;
    /* The very file that was looked at, whatever stands under its name by now. */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", found);
    file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0)
        return -errno;
    return output_read_all(file, limit, ret, error);
}
