/* pkttyagent as a child, without --fallback: with it, it does nothing for a caller that has no session of logind's,
 * such as one under sudo, su or runuser. */
#include "ctl/agent.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define READY_MSEC 5000 /* an agent that takes longer is waited for no more: the call says what is missing */

static bool agent_is_wanted(const Ctl *ctl)
{
    return ctl->ask_password && !ctl->user && !ctl->host && geteuid() != 0 && isatty(STDIN_FILENO) &&
           isatty(STDERR_FILENO);
}

static void agent_child(int notify, pid_t parent)
{
    char process[32], fd[16];
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    fcntl(notify, F_SETFD, 0);
    snprintf(process, sizeof(process), "%d", (int)parent);
    snprintf(fd, sizeof(fd), "%d", notify);
    execlp("pkttyagent", "pkttyagent", "--process", process, "--notify-fd", fd, NULL);
    _exit(127);
}

void agent_open(Ctl *ctl)
{
    pid_t self = getpid();
    int fds[2];

    /* A desktop has an agent of its own. */
    if (ctl->ask_password && geteuid() != 0)
        client_set_patient(ctl->client);
    if (ctl->agent_pid > 0 || !agent_is_wanted(ctl) || pipe2(fds, O_CLOEXEC) < 0)
        return;
    fflush(NULL);
    ctl->agent_pid = fork();
    if (ctl->agent_pid == 0)
        agent_child(fds[1], self);
    close(fds[1]);
    /* It closes its end when it is registered; so does one that ended. */
    if (ctl->agent_pid > 0)
        poll(&(struct pollfd){ .fd = fds[0] }, 1, READY_MSEC);
    close(fds[0]);
}

void agent_close(Ctl *ctl)
{
    if (ctl->agent_pid <= 0)
        return;
    kill(ctl->agent_pid, SIGTERM);
    kill(ctl->agent_pid, SIGCONT);
    waitpid(ctl->agent_pid, NULL, 0);
    ctl->agent_pid = 0;
}
