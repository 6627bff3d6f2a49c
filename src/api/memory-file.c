/* Files in memory. Reading one that is sealed copies memory and waits for nothing; of any other file that is not known. */
#include "api/memory-file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEALS_MADE     (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define SEALS_REQUIRED (F_SEAL_SHRINK | F_SEAL_WRITE)

static int memory_file_write(int fd, const char *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, data + done, size - done);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            done += (size_t)n;
    }
    return 0;
}

int memory_file_new(const char *name, const void *data, size_t size, int *ret)
{
    _cleanup_(util_closep) int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int r;

    if (fd < 0)
        return -errno;
    r = memory_file_write(fd, data, size);
    if (r < 0)
        return r;
    if (lseek(fd, 0, SEEK_SET) < 0 || fcntl(fd, F_ADD_SEALS, SEALS_MADE) < 0)
        return -errno;
    *ret = fd;
    fd = -1;
    return 0;
}

static int memory_file_copy(int fd, size_t size, GBytes **ret)
{
    g_autofree char *data = g_malloc(size + 1);

    for (size_t done = 0; done < size;) {
        ssize_t n = pread(fd, data + done, size - done, (off_t)done);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return -EIO;
        if (n > 0)
            done += (size_t)n;
    }
    *ret = g_bytes_new_take(g_steal_pointer(&data), size);
    return 0;
}

int memory_file_read(int fd, size_t max, GBytes **ret, Error *error)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat st;

    if (seals < 0 || (seals & SEALS_REQUIRED) != SEALS_REQUIRED || fstat(fd, &st) < 0 ||
        !S_ISREG(st.st_mode)) {
        error_set_hint(error, "Make it with memfd_create() and seal it with F_SEAL_SHRINK and F_SEAL_WRITE.");
        return error_set(error, ERROR_INVALID_ARGUMENT, "The input's file is none in memory that is sealed.");
    }
    if ((uint64_t)st.st_size > max)
        return error_set(error, ERROR_LIMIT_EXCEEDED,
            "The input is %" G_GINT64_FORMAT " bytes, at most %zu are allowed (InputMax=).",
            (int64_t)st.st_size, max);
    return memory_file_copy(fd, (size_t)st.st_size, ret);
}
