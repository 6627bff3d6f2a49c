/* Files of an attempt in /run: its input, written here and read by PID 1, and what is left to be removed.
 * They lie in memory: nothing here waits for a disk. */
#include "exec/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX                                                                                            \
    32 /* directories below are moved up before they are looked into: each level holds a file open */

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* --- input -------------------------------------------------------------------------------------------------
 */

static int files_open_directory(int parent, const char *name)
{
    int fd;

    if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
        return -errno;
    fd = openat(parent, name, DIRECTORY_FLAGS);
    return fd < 0 ? -errno : fd;
}

static int files_write_all(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, (const char *)data + done, size - done);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            done += (size_t)n;
    }
    return 0;
}

/* A file of the same name, from an attempt to start this attempt, is replaced as a whole: PID 1 may read it.
 */
static int files_write(int directory, const char *name, const void *data, size_t size)
{
    static const char temporary[] = ".new";
    _cleanup_(util_closep) int fd = -1;
    int r;

    if (unlinkat(directory, temporary, 0) < 0 && errno != ENOENT)
        return -errno;
    fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = files_write_all(fd, data, size);
    if (r < 0)
        return r;
    return renameat(directory, temporary, directory, name) < 0 ? -errno : 0;
}

static int files_write_each(int directory, GHashTable *files)
{
    GHashTableIter iter;
    const char *name;
    GBytes *bytes;
    int r = 0;

    g_hash_table_iter_init(&iter, files);
    while (r >= 0 && g_hash_table_iter_next(&iter, (gpointer *)&name, (gpointer *)&bytes)) {
        g_autofree char *credential = g_strdup_printf("input.%s", name);
        size_t size;
        const void *data = g_bytes_get_data(bytes, &size);

        r = strchr(name, '/') ? -EINVAL : files_write(directory, credential, data, size);
    }
    return r;
}

int files_write_input(const char *directory, const ExecStart *start, char **ret_directory)
{
    _cleanup_(util_closep) int top = -1, input = -1, own = -1;
    g_autofree char *name = g_strdup_printf("%" G_GUINT64_FORMAT "-%u", start->run, start->attempt);
    int r = 0;

    top = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return -errno;
    input = files_open_directory(top, "input");
    if (input < 0)
        return input;
    own = files_open_directory(input, name);
    if (own < 0)
        return own;
    if (start->raw) {
        size_t size;
        const void *data = g_bytes_get_data(start->raw, &size);

        r = files_write(own, "input", data, size);
    } else if (start->input_json) {
        r = files_write(own, "input", start->input_json, strlen(start->input_json));
    }
    if (r >= 0 && start->files)
        r = files_write_each(own, start->files);
    if (r >= 0)
        *ret_directory = g_build_filename(directory, "input", name, NULL);
    return r;
}

/* --- removal -----------------------------------------------------------------------------------------------
 */

typedef struct Removal {
    int top;
    unsigned *budget;
    unsigned moved;
} Removal;

static int files_remove_entry(Removal *p, int directory, const char *name, unsigned depth);

/* 1: the budget is spent and entries may be left. */
static int files_empty(Removal *p, int directory, unsigned depth)
{
    _cleanup_(util_closep) int copy = fcntl(directory, F_DUPFD_CLOEXEC, 3);
    struct dirent *entry;
    DIR *stream;
    int r = 0;

    stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream)
        return -errno;
    copy = -1;
    while (r == 0 && (entry = readdir(stream)))
        if (!g_str_equal(entry->d_name, ".") && !g_str_equal(entry->d_name, ".."))
            r = files_remove_entry(p, directory, entry->d_name, depth);
    closedir(stream);
    return r;
}

/* A directory too deep goes up to the top under a name of its own, and is found there again. */
static int files_move_up(Removal *p, int directory, const char *name)
{
    char up[32];

    for (unsigned i = 0; i < REMOVE_ENTRIES; i++) {
        snprintf(up, sizeof(up), ".moved-%u", p->moved++);
        if (renameat2(directory, name, p->top, up, RENAME_NOREPLACE) >= 0)
            return 0;
        if (errno != EEXIST)
            return -errno;
    }
    return 1;
}

static int files_remove_directory(Removal *p, int directory, const char *name, unsigned depth)
{
    _cleanup_(util_closep) int fd = -1;
    int r;

    if (depth >= DEPTH_MAX)
        return files_move_up(p, directory, name);
    fd = openat(directory, name, DIRECTORY_FLAGS);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    r = files_empty(p, fd, depth + 1);
    if (r != 0)
        return r;
    if (unlinkat(directory, name, AT_REMOVEDIR) >= 0 || errno == ENOENT)
        return 0;
    /* Something was moved into it, or it was made after it was read. */
    return errno == ENOTEMPTY ? 1 : -errno;
}

static int files_remove_entry(Removal *p, int directory, const char *name, unsigned depth)
{
    if (*p->budget == 0)
        return 1;
    --*p->budget;
    if (unlinkat(directory, name, 0) >= 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    return files_remove_directory(p, directory, name, depth);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it goes down, by way of the structure. */
int files_remove_tree(const char *directory, const char *name, unsigned *budget)
{
    _cleanup_(util_closep) int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(util_closep) int top = -1;
    Removal removal = { .budget = budget };
    int r;

    if (parent < 0)
        return errno == ENOENT ? 0 : -errno;
    top = openat(parent, name, DIRECTORY_FLAGS);
    if (top < 0) {
        /* Nothing, or a symlink that PID 1 made. */
        if (errno != ENOENT && unlinkat(parent, name, 0) < 0 && errno != ENOENT)
            return -errno;
        return 0;
    }
    removal.top = top;
    r = files_empty(&removal, top, 0);
    if (r != 0)
        return r;
    if (unlinkat(parent, name, AT_REMOVEDIR) >= 0 || errno == ENOENT)
        return 0;
    return errno == ENOTEMPTY ? 1 : -errno;
}

char *files_private_directory(const char *output_directory)
{
    g_autofree char *parent = g_path_get_dirname(output_directory);
    g_autofree char *name = g_path_get_basename(output_directory);

    return g_build_filename(parent, "private", name, NULL);
}
