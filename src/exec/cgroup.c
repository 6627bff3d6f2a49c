/* Whether processes are left in a unit's control group. */
#include "exec/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#define DEPTH_MAX 16 /* of groups that a task made in its own */

static int cgroup_read(int directory, const char *name, char *buffer, size_t size)
{
    _cleanup_(util_closep) int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = read(fd, buffer, size - 1);
    if (n < 0)
        return -errno;
    buffer[n] = 0;
    return (int)n;
}

/* The legacy hierarchy has no summary: the groups below are looked at one by one. */
static int cgroup_has_processes(int directory, unsigned depth)
{
    _cleanup_(util_closep) int copy = fcntl(directory, F_DUPFD_CLOEXEC, 3);
    char buffer[32];
    struct dirent *entry;
    DIR *stream;
    int r = cgroup_read(directory, "cgroup.procs", buffer, sizeof(buffer));

    if (r != 0 || depth >= DEPTH_MAX)
        return r > 0 ? 1 : r;
    stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream)
        return -errno;
    copy = -1;
    while (r == 0 && (entry = readdir(stream))) {
        _cleanup_(util_closep) int fd = -1;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        fd = openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = fd < 0 ? 0 : cgroup_has_processes(fd, depth + 1);
        if (r == -ENOENT || r == -ENODEV)
            r = 0;
    }
    closedir(stream);
    return r;
}

int exec_cgroup_populated(Exec *e, const char *control_group)
{
    g_autofree char *path = NULL;
    _cleanup_(util_closep) int fd = -1;
    char buffer[256];
    int r;

    if (control_group[0] != '/')
        return 0;
    path = g_strconcat(e->cgroup_root, control_group, NULL);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!e->cgroup_events) {
        r = cgroup_has_processes(fd, 0);
    } else {
        r = cgroup_read(fd, "cgroup.events", buffer, sizeof(buffer));
        if (r >= 0)
            r = strstr(buffer, "populated 1") != NULL;
    }
    return r == -ENOENT || r == -ENODEV ? 0 : r;
}
