/* Exit statuses by name: the C library's, LSB's, those of sysexits.h, and the manager's own. */
#include "model/exit-status.h"

static const struct {
    int status;
    const char *name;
    const char *meaning; /* of the manager's own */
} exit_statuses[] = {
    { 0, "SUCCESS", NULL },
    { 1, "FAILURE", NULL },
    { 2, "INVALIDARGUMENT", NULL },
    { 3, "NOTIMPLEMENTED", NULL },
    { 4, "NOPERMISSION", NULL },
    { 5, "NOTINSTALLED", NULL },
    { 6, "NOTCONFIGURED", NULL },
    { 7, "NOTRUNNING", NULL },
    { 64, "USAGE", NULL },
    { 65, "DATAERR", NULL },
    { 66, "NOINPUT", NULL },
    { 67, "NOUSER", NULL },
    { 68, "NOHOST", NULL },
    { 69, "UNAVAILABLE", NULL },
    { 70, "SOFTWARE", NULL },
    { 71, "OSERR", NULL },
    { 72, "OSFILE", NULL },
    { 73, "CANTCREAT", NULL },
    { 74, "IOERR", NULL },
    { 75, "TEMPFAIL", NULL },
    { 76, "PROTOCOL", NULL },
    { 77, "NOPERM", NULL },
    { 78, "CONFIG", NULL },
    { 200, "CHDIR", "the working directory cannot be entered" },
    { 201, "NICE", "Nice= cannot be set" },
    { 202, "FDS", "file descriptors cannot be set up" },
    { 203, "EXEC", "the program cannot be executed" },
    { 204, "MEMORY", "there was not enough memory to start it" },
    { 205, "LIMITS", "a resource limit cannot be set" },
    { 206, "OOM_ADJUST", "OOMScoreAdjust= cannot be set" },
    { 207, "SIGNAL_MASK", "the signal mask cannot be set" },
    { 208, "STDIN", "standard input cannot be set up" },
    { 209, "STDOUT", "standard output cannot be set up" },
    { 210, "CHROOT", "the root directory cannot be changed" },
    { 211, "IOPRIO", "the I/O priority cannot be set" },
    { 212, "TIMERSLACK", "TimerSlackNSec= cannot be set" },
    { 213, "SECUREBITS", "SecureBits= cannot be set" },
    { 214, "SETSCHEDULER", "the CPU scheduler cannot be set" },
    { 215, "CPUAFFINITY", "CPUAffinity= cannot be set" },
    { 216, "GROUP", "Group= or SupplementaryGroups= cannot be taken" },
    { 217, "USER", "User= is not known or cannot be taken" },
    { 218, "CAPABILITIES", "capabilities cannot be set" },
    { 219, "CGROUP", "the control group cannot be set up" },
    { 220, "SETSID", "a new session cannot be made" },
    { 221, "CONFIRM", "its start was refused at the console" },
    { 222, "STDERR", "standard error cannot be set up" },
    { 224, "PAM", "the PAM session cannot be opened" },
    { 225, "NETWORK", "the network namespace cannot be set up" },
    { 226, "NAMESPACE", "the mount, UTS or IPC namespace cannot be set up" },
    { 227, "NO_NEW_PRIVILEGES", "NoNewPrivileges= cannot be set" },
    { 228, "SECCOMP", "the system call filter cannot be set" },
    { 229, "SELINUX_CONTEXT", "the SELinux context cannot be set" },
    { 230, "PERSONALITY", "Personality= cannot be set" },
    { 231, "APPARMOR", "the AppArmor profile cannot be set" },
    { 232, "ADDRESS_FAMILIES", "RestrictAddressFamilies= cannot be set" },
    { 233, "RUNTIME_DIRECTORY", "RuntimeDirectory= cannot be made" },
    { 235, "CHOWN", "a socket's owner cannot be changed" },
    { 236, "SMACK_PROCESS_LABEL", "the SMACK label cannot be set" },
    { 237, "KEYRING", "the kernel keyring cannot be set up" },
    { 238, "STATE_DIRECTORY", "StateDirectory= cannot be made" },
    { 239, "CACHE_DIRECTORY", "CacheDirectory= cannot be made" },
    { 240, "LOGS_DIRECTORY", "LogsDirectory= cannot be made" },
    { 241, "CONFIGURATION_DIRECTORY", "ConfigurationDirectory= cannot be made" },
    { 242, "NUMA_POLICY", "the NUMA policy cannot be set" },
    { 243, "CREDENTIALS", "a credential cannot be loaded" },
    { 244, "BPF", "a BPF restriction cannot be set" },
    { 255, "EXCEPTION", NULL },
};

int exit_status_from_string(const char *s)
{
    guint64 n;

    if (g_ascii_string_to_unsigned(s, 10, 0, 255, &n, NULL))
        return (int)n;
    ARRAY_FOREACH (e, exit_statuses)
        if (g_str_equal(e->name, s))
            return e->status;
    return -EINVAL;
}

const char *exit_status_name(int status)
{
    ARRAY_FOREACH (e, exit_statuses)
        if (e->status == status)
            return e->name;
    return NULL;
}

const char *exit_status_meaning(int status)
{
    ARRAY_FOREACH (e, exit_statuses)
        if (e->status == status)
            return e->meaning;
    return NULL;
}
