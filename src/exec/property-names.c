/* Tables of names, as systemd, the kernel and libc have them. */
#include "exec/property-names.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <syslog.h>

#include "exec/property-parse.h"

const PropertyName property_names_capability[] = {
    { "cap_chown", CAP_CHOWN },
    { "cap_dac_override", CAP_DAC_OVERRIDE },
    { "cap_dac_read_search", CAP_DAC_READ_SEARCH },
    { "cap_fowner", CAP_FOWNER },
    { "cap_fsetid", CAP_FSETID },
    { "cap_kill", CAP_KILL },
    { "cap_setgid", CAP_SETGID },
    { "cap_setuid", CAP_SETUID },
    { "cap_setpcap", CAP_SETPCAP },
    { "cap_linux_immutable", CAP_LINUX_IMMUTABLE },
    { "cap_net_bind_service", CAP_NET_BIND_SERVICE },
    { "cap_net_broadcast", CAP_NET_BROADCAST },
    { "cap_net_admin", CAP_NET_ADMIN },
    { "cap_net_raw", CAP_NET_RAW },
    { "cap_ipc_lock", CAP_IPC_LOCK },
    { "cap_ipc_owner", CAP_IPC_OWNER },
    { "cap_sys_module", CAP_SYS_MODULE },
    { "cap_sys_rawio", CAP_SYS_RAWIO },
    { "cap_sys_chroot", CAP_SYS_CHROOT },
    { "cap_sys_ptrace", CAP_SYS_PTRACE },
    { "cap_sys_pacct", CAP_SYS_PACCT },
    { "cap_sys_admin", CAP_SYS_ADMIN },
    { "cap_sys_boot", CAP_SYS_BOOT },
    { "cap_sys_nice", CAP_SYS_NICE },
    { "cap_sys_resource", CAP_SYS_RESOURCE },
    { "cap_sys_time", CAP_SYS_TIME },
    { "cap_sys_tty_config", CAP_SYS_TTY_CONFIG },
    { "cap_mknod", CAP_MKNOD },
    { "cap_lease", CAP_LEASE },
    { "cap_audit_write", CAP_AUDIT_WRITE },
    { "cap_audit_control", CAP_AUDIT_CONTROL },
    { "cap_setfcap", CAP_SETFCAP },
    { "cap_mac_override", CAP_MAC_OVERRIDE },
    { "cap_mac_admin", CAP_MAC_ADMIN },
    { "cap_syslog", CAP_SYSLOG },
    { "cap_wake_alarm", CAP_WAKE_ALARM },
    { "cap_block_suspend", CAP_BLOCK_SUSPEND },
    { "cap_audit_read", CAP_AUDIT_READ },
    { "cap_perfmon", CAP_PERFMON },
    { "cap_bpf", CAP_BPF },
    { "cap_checkpoint_restore", CAP_CHECKPOINT_RESTORE },
    { NULL, 0 },
};

/* systemd.exec(5), "Process Exit Codes". */
const PropertyName property_names_exit_status[] = {
    { "SUCCESS", 0 },
    { "FAILURE", 1 },
    { "INVALIDARGUMENT", 2 },
    { "NOTIMPLEMENTED", 3 },
    { "NOPERMISSION", 4 },
    { "NOTINSTALLED", 5 },
    { "NOTCONFIGURED", 6 },
    { "NOTRUNNING", 7 },
    { "USAGE", 64 },
    { "DATAERR", 65 },
    { "NOINPUT", 66 },
    { "NOUSER", 67 },
    { "NOHOST", 68 },
    { "UNAVAILABLE", 69 },
    { "SOFTWARE", 70 },
    { "OSERR", 71 },
    { "OSFILE", 72 },
    { "CANTCREAT", 73 },
    { "IOERR", 74 },
    { "TEMPFAIL", 75 },
    { "PROTOCOL", 76 },
    { "NOPERM", 77 },
    { "CONFIG", 78 },
    { "CHDIR", 200 },
    { "NICE", 201 },
    { "FDS", 202 },
    { "EXEC", 203 },
    { "MEMORY", 204 },
    { "LIMITS", 205 },
    { "OOM_ADJUST", 206 },
    { "SIGNAL_MASK", 207 },
    { "STDIN", 208 },
    { "STDOUT", 209 },
    { "CHROOT", 210 },
    { "IOPRIO", 211 },
    { "TIMERSLACK", 212 },
    { "SECUREBITS", 213 },
    { "SETSCHEDULER", 214 },
    { "CPUAFFINITY", 215 },
    { "GROUP", 216 },
    { "USER", 217 },
    { "CAPABILITIES", 218 },
    { "CGROUP", 219 },
    { "SETSID", 220 },
    { "CONFIRM", 221 },
    { "STDERR", 222 },
    { "PAM", 224 },
    { "NETWORK", 225 },
    { "NAMESPACE", 226 },
    { "NO_NEW_PRIVILEGES", 227 },
    { "SECCOMP", 228 },
    { "SELINUX_CONTEXT", 229 },
    { "PERSONALITY", 230 },
    { "APPARMOR", 231 },
    { "ADDRESS_FAMILIES", 232 },
    { "RUNTIME_DIRECTORY", 233 },
    { "CHOWN", 235 },
    { "SMACK_PROCESS_LABEL", 236 },
    { "KEYRING", 237 },
    { "STATE_DIRECTORY", 238 },
    { "CACHE_DIRECTORY", 239 },
    { "LOGS_DIRECTORY", 240 },
    { "CONFIGURATION_DIRECTORY", 241 },
    { "NUMA_POLICY", 242 },
    { "CREDENTIALS", 243 },
    { "BPF", 245 },
    { "KSM", 246 },
    { "EXCEPTION", 255 },
    { NULL, 0 },
};

const PropertyName property_names_cpu_policy[] = {
    { "other", SCHED_OTHER },
    { "batch", SCHED_BATCH },
    { "idle", SCHED_IDLE },
    { "fifo", SCHED_FIFO },
    { "rr", SCHED_RR },
    { NULL, 0 },
};

const PropertyName property_names_io_class[] = {
    { "none", IOPRIO_CLASS_NONE },
    { "realtime", IOPRIO_CLASS_RT },
    { "best-effort", IOPRIO_CLASS_BE },
    { "idle", IOPRIO_CLASS_IDLE },
    { NULL, 0 },
};

const PropertyName property_names_numa_policy[] = {
    { "default", MPOL_DEFAULT },
    { "preferred", MPOL_PREFERRED },
    { "bind", MPOL_BIND },
    { "interleave", MPOL_INTERLEAVE },
    { "local", MPOL_LOCAL },
    { NULL, 0 },
};

const PropertyName property_names_log_level[] = {
    { "emerg", LOG_EMERG },
    { "alert", LOG_ALERT },
    { "crit", LOG_CRIT },
    { "err", LOG_ERR },
    { "warning", LOG_WARNING },
    { "notice", LOG_NOTICE },
    { "info", LOG_INFO },
    { "debug", LOG_DEBUG },
    { NULL, 0 },
};

const PropertyName property_names_log_facility[] = {
    { "kern", LOG_FAC(LOG_KERN) },
    { "user", LOG_FAC(LOG_USER) },
    { "mail", LOG_FAC(LOG_MAIL) },
    { "daemon", LOG_FAC(LOG_DAEMON) },
    { "auth", LOG_FAC(LOG_AUTH) },
    { "syslog", LOG_FAC(LOG_SYSLOG) },
    { "lpr", LOG_FAC(LOG_LPR) },
    { "news", LOG_FAC(LOG_NEWS) },
    { "uucp", LOG_FAC(LOG_UUCP) },
    { "cron", LOG_FAC(LOG_CRON) },
    { "authpriv", LOG_FAC(LOG_AUTHPRIV) },
    { "ftp", LOG_FAC(LOG_FTP) },
    { "local0", LOG_FAC(LOG_LOCAL0) },
    { "local1", LOG_FAC(LOG_LOCAL1) },
    { "local2", LOG_FAC(LOG_LOCAL2) },
    { "local3", LOG_FAC(LOG_LOCAL3) },
    { "local4", LOG_FAC(LOG_LOCAL4) },
    { "local5", LOG_FAC(LOG_LOCAL5) },
    { "local6", LOG_FAC(LOG_LOCAL6) },
    { "local7", LOG_FAC(LOG_LOCAL7) },
    { NULL, 0 },
};

const PropertyName property_names_secure_bit[] = {
    { "noroot", SECBIT_NOROOT },
    { "noroot-locked", SECBIT_NOROOT_LOCKED },
    { "no-setuid-fixup", SECBIT_NO_SETUID_FIXUP },
    { "no-setuid-fixup-locked", SECBIT_NO_SETUID_FIXUP_LOCKED },
    { "keep-caps", SECBIT_KEEP_CAPS },
    { "keep-caps-locked", SECBIT_KEEP_CAPS_LOCKED },
    { NULL, 0 },
};

const PropertyName property_names_namespace[] = {
    { "cgroup", CLONE_NEWCGROUP },
    { "ipc", CLONE_NEWIPC },
    { "net", CLONE_NEWNET },
    { "mnt", CLONE_NEWNS },
    { "pid", CLONE_NEWPID },
    { "user", CLONE_NEWUSER },
    { "uts", CLONE_NEWUTS },
    { NULL, 0 },
};

/* core(5), "Controlling which mappings are written". */
const PropertyName property_names_core_filter[] = {
    { "private-anonymous", 1 << 0 },
    { "shared-anonymous", 1 << 1 },
    { "private-file-backed", 1 << 2 },
    { "shared-file-backed", 1 << 3 },
    { "elf-headers", 1 << 4 },
    { "private-huge", 1 << 5 },
    { "shared-huge", 1 << 6 },
    { "private-dax", 1 << 7 },
    { "shared-dax", 1 << 8 },
    { "default", 1 << 0 | 1 << 1 | 1 << 4 | 1 << 5 },
    { "all", UINT32_MAX },
    { NULL, 0 },
};

const PropertyName property_names_propagation[] = {
    { "", 0 },
    { "shared", MS_SHARED },
    { "slave", MS_SLAVE },
    { "private", MS_PRIVATE },
    { NULL, 0 },
};

/* The numbers of both are systemd's own and the kernel's NFPROTO_*. */
const PropertyName property_names_nft_source[] = {
    { "cgroup", 3 },
    { "user", 4 },
    { "group", 5 },
    { NULL, 0 },
};

const PropertyName property_names_nft_protocol[] = {
    { "inet", 1 },
    { "ip", 2 },
    { "arp", 3 },
    { "netdev", 5 },
    { "bridge", 7 },
    { "ip6", 10 },
    { NULL, 0 },
};

int property_names_find(const PropertyName *names, const char *name, int64_t *ret)
{
    for (; names->name; names++)
        if (strcmp(names->name, name) == 0) {
            *ret = names->value;
            return 0;
        }
    return -EINVAL;
}

char *property_names_list(const PropertyName *names)
{
    GString *s = g_string_new(NULL);

    for (const PropertyName *n = names; n->name; n++) {
        if (!*n->name)
            continue;
        if (s->len > 0)
            g_string_append(s, n[1].name ? ", " : " or ");
        g_string_append(s, n->name);
    }
    return g_string_free(s, FALSE);
}

static int find_realtime_signal(const char *s, int *ret)
{
    bool min = g_str_has_prefix(s, "RTMIN");
    int64_t offset = 0;

    if (!min && !g_str_has_prefix(s, "RTMAX"))
        return -EINVAL;
    s += strlen("RTMIN");
    if (*s && (*s != (min ? '+' : '-') || property_parse_i64(s, &offset) < 0))
        return -EINVAL;
    if (min ? offset > SIGRTMAX - SIGRTMIN : offset < SIGRTMIN - SIGRTMAX)
        return -ERANGE;
    *ret = (min ? SIGRTMIN : SIGRTMAX) + (int)offset;
    return 0;
}

int property_names_signal(const char *s, int *ret)
{
    int64_t number;

    if (property_parse_i64(s, &number) == 0) {
        *ret = (int)number;
        return number > 0 && number < NSIG ? 0 : -ERANGE;
    }
    if (g_str_has_prefix(s, "SIG"))
        s += 3;
    if (strcmp(s, "IO") == 0) { /* libc calls it POLL */
        *ret = SIGIO;
        return 0;
    }
    for (int i = 1; i < NSIG; i++) {
        const char *name = sigabbrev_np(i);

        if (name && strcmp(name, s) == 0) {
            *ret = i;
            return 0;
        }
    }
    return find_realtime_signal(s, ret);
}

int property_names_errno(const char *s, int *ret)
{
    int64_t number;

    for (int i = 1; i <= 133; i++) {
        const char *name = strerrorname_np(i);

        if (name && strcmp(name, s) == 0) {
            *ret = i;
            return 0;
        }
    }
    if (property_parse_i64(s, &number) < 0 || number < 0 || number > 4095)
        return -EINVAL;
    *ret = (int)number;
    return 0;
}
