/* Loaded into the daemon under valgrind 3.19, for what that cannot do: to execute /proc/self/exe would execute its own
 * program, and it knows nothing of pidfds. A pipe does for one, whose other end goes with the process. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT  __attribute__((visibility("default")))
#define FDS_MAX 1024

/* The process that an open pipe stands for. */
static pid_t stands_for[FDS_MAX];

/* Of a child: its end of the pipe. */
static int own_end = -1;

EXPORT pid_t fork(void)
{
    typeof(&fork) next = dlsym(RTLD_NEXT, "fork");
    int pipes[2];
    pid_t pid;

    if (pipe2(pipes, O_CLOEXEC) < 0)
        return -1;
    pid = next();
    if (pid == 0) {
        (void)fcntl(pipes[1], F_SETFD, 0);
        own_end = pipes[1];
        return 0;
    }
    close(pipes[1]);
    if (pid > 0 && pipes[0] < FDS_MAX)
        stands_for[pipes[0]] = pid;
    else
        close(pipes[0]);
    return pid;
}

/* One by one: what is valgrind's own stays, and the pipe's end. */
EXPORT int close_range(unsigned first, unsigned last, int flags)
{
    for (int fd = (int)first; fd < FDS_MAX; fd++)
        if (fd != own_end)
            close(fd);
    return 0;
}

/* The link itself is read as it should be. */
EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
    typeof(&execve) next = dlsym(RTLD_NEXT, "execve");
    char own[PATH_MAX] = "";

    if (strcmp(path, "/proc/self/exe") == 0 && readlink(path, own, sizeof own - 1) < 0)
        return -1;
    return next(*own ? own : path, argv, envp);
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
