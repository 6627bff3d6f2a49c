/* The first program of the emulated machine: loads what its disk and its port need, and makes the disk the root. Its
 * arguments are systemd's; the modules lie in /modules, in the order of their names. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void load_modules(void)
{
    struct dirent **modules;
    int n = scandir("/modules", &modules, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char path[512];
        int fd;

        if (modules[i]->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/modules/%s", modules[i]->d_name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
            perror(path);
        close(fd);
    }
}

static int wait_for(const char *path)
{
    for (int i = 0; i < 600; i++) {
        if (access(path, F_OK) == 0)
            return 0;
        usleep(100000);
    }
    return -1;
}

int main(int argc, char **argv)
{
    (void)argc;
    mkdir("/dev", 0755);
    mkdir("/disk", 0755);
    if (mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755") < 0)
        perror("/dev");
    load_modules();
    if (wait_for("/dev/vda") < 0 || mount("/dev/vda", "/disk", "ext4", MS_NOATIME, NULL) < 0)
        perror("/dev/vda");
    if (mount("/dev", "/disk/dev", NULL, MS_MOVE, NULL) < 0 || chdir("/disk") < 0 ||
        mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
        perror("/disk");
    execv("/lib/systemd/systemd", argv);
    perror("systemd");
    return 1;
}
