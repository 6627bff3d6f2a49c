/* bench-clock FILE: what a process that is started in its time does: a line "NOW NOMINAL" at the end of a file, in real
 * µs; NOMINAL is what taskschedd says of it, else 0. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *nominal = getenv("TASKSCHEDD_NOMINAL");
    struct timespec t;
    int fd, r;

    clock_gettime(CLOCK_REALTIME, &t);
    fd = argc == 2 ? open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (fd < 0)
        return 2;
    r = dprintf(fd, "%lld%06ld %s\n", (long long)t.tv_sec, t.tv_nsec / 1000, nominal ? nominal : "0");
    close(fd);
    return r > 0 ? 0 : 1;
}
