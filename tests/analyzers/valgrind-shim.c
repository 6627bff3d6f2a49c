/* Loaded into the daemon under valgrind 3.19, for what that cannot do: to execute /proc/self/exe would execute its own
 * program, and it knows nothing of pidfds. A pipe does for one, whose other end goes with the process. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT  __attribute__((visibility("default")))
#define FDS_MAX 1024

/* The process that an open pipe stands for. */
static pid_t stands_for[FDS_MAX];

EXPORT int posix_spawn(pid_t *restrict pid, const char *restrict path,
    const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *restrict attributes,
    char *const argv[restrict], char *const envp[restrict])
{
    typeof(&posix_spawn) next = dlsym(RTLD_NEXT, "posix_spawn");
    char own[PATH_MAX] = "";
    int pipes[2], r;

    /* The link itself is read as it should be. */
    if (strcmp(path, "/proc/self/exe") == 0) {
        if (readlink(path, own, sizeof own - 1) < 0)
            return errno;
        path = own;
    }
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return errno;
    (void)fcntl(pipes[1], F_SETFD, 0);
    r = next(pid, path, actions, attributes, argv, envp);
    close(pipes[1]);
    if (r == 0 && pipes[0] < FDS_MAX)
        stands_for[pipes[0]] = *pid;
    else
        close(pipes[0]);
    return r;
}

EXPORT int pidfd_open(pid_t pid, unsigned flags)
{
    for (int fd = 0; fd < FDS_MAX; fd++)
        if (stands_for[fd] == pid)
            return fd;
    errno = ESRCH;
    return -1;
}

EXPORT int pidfd_send_signal(int fd, int number, siginfo_t *info, unsigned flags)
{
    return kill(stands_for[fd], number);
}

EXPORT int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    typeof(&waitid) next = dlsym(RTLD_NEXT, "waitid");

    return type == P_PIDFD ? next(P_PID, (id_t)stands_for[id], info, options) : next(type, id, info, options);
}
