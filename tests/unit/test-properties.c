/* Tests: the settings of a run's unit, read back from the message they were appended to. */
#include "exec/properties.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "exec/property-table.h"

/* A bus whose other end, *ret_peer, never answers: enough to build messages with. */
static sd_bus *bus_new(int *ret_peer)
{
    sd_bus *bus = NULL;
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    *ret_peer = fds[1];
    g_assert_cmpint(sd_bus_new(&bus), >=, 0);
    g_assert_cmpint(sd_bus_set_fd(bus, fds[0], fds[0]), >=, 0);
    g_assert_cmpint(sd_bus_start(bus), >=, 0);
    return bus;
}

static sd_bus_message *message_new(sd_bus *bus)
{
    sd_bus_message *m = NULL;

    g_assert_cmpint(sd_bus_message_new_method_call(bus, &m, "a.b", "/a", "a.b", "C"), >=, 0);
    g_assert_cmpint(sd_bus_message_open_container(m, 'a', "(sv)"), >=, 0);
    return m;
}

static void print_number(sd_bus_message *m, char type, GString *out)
{
    union {
        uint8_t y;
        int b;
        int32_t i;
        uint16_t q;
        uint32_t u;
        uint64_t t;
    } v;

    g_assert_cmpint(sd_bus_message_read_basic(m, type, &v), >, 0);
    if (type == 'y')
        g_string_append_printf(out, "%02x", v.y);
    else if (type == 'b')
        g_string_append(out, v.b ? "true" : "false");
    else if (type == 'i')
        g_string_append_printf(out, "%" G_GINT32_FORMAT, v.i);
    else if (type == 'q')
        g_string_append_printf(out, "%" G_GUINT16_FORMAT, v.q);
    else if (type == 'u')
        g_string_append_printf(out, "%" G_GUINT32_FORMAT, v.u);
    else
        g_string_append_printf(out, "%" G_GUINT64_FORMAT, v.t);
}

/* Prints all that is left of the open container: "TYPE:VALUE" for a variant, [a b] and (a b) else. */
static void print_rest(sd_bus_message *m, GString *out)
{
    const char *contents, *text;
    char type;
    gsize start = out->len;

    while (sd_bus_message_peek_type(m, &type, &contents) > 0) {
        if (out->len > start)
            g_string_append_c(out, ' ');
        if (type == 's') {
            g_assert_cmpint(sd_bus_message_read_basic(m, 's', &text), >, 0);
            g_string_append_printf(out, "'%s'", text);
        } else if (strchr("arv", type)) {
            if (type == 'v')
                g_string_append_printf(out, "%s:", contents);
            else
                g_string_append_c(out, type == 'a' ? '[' : '(');
            g_assert_cmpint(sd_bus_message_enter_container(m, type, contents), >, 0);
            print_rest(m, out);
            g_assert_cmpint(sd_bus_message_exit_container(m), >=, 0);
            if (type != 'v')
                g_string_append_c(out, type == 'a' ? ']' : ')');
        } else
            print_number(m, type, out);
    }
}

static char *message_text(sd_bus_message *m)
{
    GString *out = g_string_new(NULL);

    g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
    g_assert_cmpint(sd_bus_message_seal(m, 1, 0), >=, 0);
    g_assert_cmpint(sd_bus_message_enter_container(m, 'a', "(sv)"), >, 0);
    print_rest(m, out);
    return g_string_free(out, FALSE);
}

static const struct {
    const char *key, *value, *expected;
} accepted[] = {
    { "CPUAccounting", "on", "('CPUAccounting' b:true)" },
    { "PrivateTmp", "0", "('PrivateTmp' b:false)" },
    { "PrivateTmp", "disconnected", "('PrivateTmpEx' s:'disconnected')" },
    { "User", "alice", "('User' s:'alice')" },
    { "User", "", "('User' s:'')" },
    { "WorkingDirectory", "-/srv", "('WorkingDirectory' s:'-/srv')" },
    { "WorkingDirectory", "~", "('WorkingDirectory' s:'~')" },
    { "ProtectSystem", "strict", "('ProtectSystem' s:'strict')" },
    { "ProtectSystem", "yes", "('ProtectSystem' s:'yes')" },
    { "KillMode", "mixed", "('KillMode' s:'mixed')" },
    { "MemoryMax", "1G", "('MemoryMax' t:1073741824)" },
    { "MemoryMax", "1.5K", "('MemoryMax' t:1536)" },
    { "MemoryMax", "1G 5M", "('MemoryMax' t:1078984704)" },
    { "MemoryMax", "infinity", "('MemoryMax' t:18446744073709551615)" },
    { "MemoryMax", "", "('MemoryMax' t:18446744073709551615)" },
    { "MemoryLow", "", "('MemoryLow' t:0)" },
    { "StartupMemoryMax", "1K", "('StartupMemoryMax' t:1024)" },
    { "MemoryPressureWatch", "", "('MemoryPressureWatch' s:'')" },
    { "MemoryMax", "10%", "('MemoryMaxScale' u:429496730)" },
    { "MemoryMax", "100%", "('MemoryMaxScale' u:4294967295)" },
    { "TasksMax", "0x20", "('TasksMax' t:32)" },
    { "TasksMax", "12.5%", "('TasksMaxScale' u:536870912)" },
    { "ManagedOOMMemoryPressureLimit", "50%", "('ManagedOOMMemoryPressureLimit' u:2147483648)" },
    { "CPUQuota", "150%", "('CPUQuotaPerSecUSec' t:1500000)" },
    { "CPUQuota", "", "('CPUQuotaPerSecUSec' t:18446744073709551615)" },
    { "CPUQuotaPeriodSec", "10ms", "('CPUQuotaPeriodUSec' t:10000)" },
    { "CPUQuotaPeriodSec", "", "('CPUQuotaPeriodUSec' t:18446744073709551615)" },
    { "TimeoutStopSec", "1min 30s", "('TimeoutStopUSec' t:90000000)" },
    { "TimeoutStopSec", "2.5", "('TimeoutStopUSec' t:2500000)" },
    { "TimeoutStopSec", "1h30m5ms", "('TimeoutStopUSec' t:5400005000)" },
    { "TimeoutStopSec", "infinity", "('TimeoutStopUSec' t:18446744073709551615)" },
    { "TimeoutStopSec", "1y 1M 1w 1d", "('TimeoutStopUSec' t:34878600000000)" },
    { "WatchdogSec", "0", "('WatchdogUSec' t:0)" },
    { "TimerSlackNSec", "1us", "('TimerSlackNSec' t:1000)" },
    { "TimerSlackNSec", "77", "('TimerSlackNSec' t:77)" },
    { "CPUWeight", "idle", "('CPUWeight' t:0)" },
    { "CPUWeight", "10000", "('CPUWeight' t:10000)" },
    { "IOWeight", "", "('IOWeight' t:18446744073709551615)" },
    { "LimitNOFILE", "1024:4096", "('LimitNOFILE' t:4096) ('LimitNOFILESoft' t:1024)" },
    { "LimitCORE", "1M", "('LimitCORE' t:1048576) ('LimitCORESoft' t:1048576)" },
    { "LimitCPU", "1500ms", "('LimitCPU' t:2) ('LimitCPUSoft' t:2)" },
    { "LimitRTTIME", "500", "('LimitRTTIME' t:500) ('LimitRTTIMESoft' t:500)" },
    { "LimitNICE", "+5", "('LimitNICE' t:15) ('LimitNICESoft' t:15)" },
    { "LimitNICE", "-20", "('LimitNICE' t:40) ('LimitNICESoft' t:40)" },
    { "Nice", "-20", "('Nice' i:-20)" },
    { "UMask", "0027", "('UMask' u:23)" },
    { "KillSignal", "SIGUSR1", "('KillSignal' i:10)" },
    { "KillSignal", "RTMIN+1", "('KillSignal' i:35)" },
    { "KillSignal", "SIGRTMAX-1", "('KillSignal' i:63)" },
    { "KillSignal", "IO", "('KillSignal' i:29)" },
    { "SuccessExitStatus", "TEMPFAIL 250 SIGUSR1", "('SuccessExitStatus' (aiai):([75 250] [10]))" },
    { "SuccessExitStatus", "", "('SuccessExitStatus' (aiai):([] []))" },
    { "SystemCallErrorNumber", "EPERM", "('SystemCallErrorNumber' i:1)" },
    { "SystemCallErrorNumber", "kill", "('SystemCallErrorNumber' i:2147483646)" },
    { "SyslogFacility", "local7", "('SyslogFacility' i:23)" },
    { "LogLevelMax", "7", "('LogLevelMax' i:7)" },
    { "IOSchedulingClass", "best-effort", "('IOSchedulingClass' i:2)" },
    { "NUMAPolicy", "interleave", "('NUMAPolicy' i:3)" },
    { "AllowedCPUs", "0 2-3", "('AllowedCPUs' ay:[0d 00 00 00 00 00 00 00])" },
    { "AllowedCPUs", "64", "('AllowedCPUs' ay:[00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00])" },
    { "AllowedCPUs", "", "('AllowedCPUs' ay:[])" },
    { "CPUAffinity", "numa", "('CPUAffinityFromNUMA' b:true)" },
    { "CapabilityBoundingSet", "CAP_CHOWN cap_kill", "('CapabilityBoundingSet' t:33)" },
    { "CapabilityBoundingSet", "~CAP_CHOWN", "('CapabilityBoundingSet' t:18446744073709551614)" },
    { "SecureBits", "noroot keep-caps", "('SecureBits' i:17)" },
    { "CoredumpFilter", "default", "('CoredumpFilter' t:51)" },
    { "CoredumpFilter", "elf-headers 3", "('CoredumpFilter' t:19)" },
    { "RestrictNamespaces", "yes", "('RestrictNamespaces' t:0)" },
    { "RestrictNamespaces", "no", "('RestrictNamespaces' t:2114060288)" },
    { "RestrictNamespaces", "~net", "('RestrictNamespaces' t:1040318464)" },
    { "MountFlags", "slave", "('MountFlags' t:524288)" },
    { "SystemCallFilter", "~@mount ptrace", "('SystemCallFilter' (bas):(false ['@mount' 'ptrace']))" },
    { "RestrictAddressFamilies", "none", "('RestrictAddressFamilies' (bas):(true ['none']))" },
    { "Environment", "A=1 \"B=2 3\" 'C=\\x41\\n'", "('Environment' as:['A=1' 'B=2 3' 'C=A\n'])" },
    { "Environment", "", "('Environment' as:[])" },
    { "PassEnvironment", "PATH HOME", "('PassEnvironment' as:['PATH' 'HOME'])" },
    { "EnvironmentFile", "-/etc/default/x", "('EnvironmentFiles' a(sb):[('/etc/default/x' true)])" },
    { "EnvironmentFile", "", "('EnvironmentFiles' a(sb):[])" },
    { "ReadWritePaths", "/a -+/b", "('ReadWritePaths' as:['/a' '-+/b'])" },
    { "BindPaths", "/a:/b:norbind -/c",
        "('BindPaths' a(ssbt):[('/a' '/b' false 0) ('/c' '/c' true 16384)])" },
    { "TemporaryFileSystem", "/a /b:ro,size=1M",
        "('TemporaryFileSystem' a(ss):[('/a' '') ('/b' 'ro,size=1M')])" },
    { "RootImageOptions", "ro usr:nodev", "('RootImageOptions' a(ss):[('root' 'ro') ('usr' 'nodev')])" },
    { "MountImages", "-/a\\:b.raw:/m:root:ro:nodev",
        "('MountImages' a(ssba(ss)):[('/a:b.raw' '/m' true [('root' 'ro') ('root' 'nodev')])])" },
    { "ExtensionImages", "/e.raw", "('ExtensionImages' a(sba(ss)):[('/e.raw' false [])])" },
    { "StateDirectory", "a b//c/ d:e",
        "('StateDirectory' as:['a' 'b/c']) ('StateDirectorySymlink' a(sst):[('d' 'e' 0)])" },
    { "StateDirectory", "", "('StateDirectory' as:[])" },
    { "StateDirectory", "a::ro", "('StateDirectorySymlink' a(sst):[('a' '' 1)])" },
    { "StandardOutput", "append:/x", "('StandardOutputFileToAppend' s:'/x')" },
    { "StandardInput", "file:/x", "('StandardInputFile' s:'/x')" },
    { "StandardError", "fd:name", "('StandardErrorFileDescriptorName' s:'name')" },
    { "StandardInputText", "a\\tb", "('StandardInputData' ay:[61 09 62 0a])" },
    { "StandardInputText", "", "('StandardInputData' ay:[])" },
    { "StandardInputData", "YQ==", "('StandardInputData' ay:[61])" },
    { "LogExtraFields", "A=b c", "('LogExtraFields' aay:[[41 3d 62 20 63]])" },
    { "LogFilterPatterns", "~x", "('LogFilterPatterns' a(bs):[(false 'x')])" },
    { "SetCredential", "a:b\\x00:c", "('SetCredential' a(say):[('a' [62 00 3a 63])])" },
    { "SetCredentialEncrypted", "a:YWI=", "('SetCredentialEncrypted' a(say):[('a' [61 62])])" },
    { "LoadCredential", "inputs:/x:y", "('LoadCredential' a(ss):[('inputs' '/x:y')])" },
    { "LoadCredential", "a", "('LoadCredential' a(ss):[('a' 'a')])" },
    { "ImportCredential", "a*:b.", "('ImportCredentialEx' a(ss):[('a*' 'b.')])" },
    { "DeviceAllow", "/dev/null rw", "('DeviceAllow' a(ss):[('/dev/null' 'rw')])" },
    { "DeviceAllow", "char-pts", "('DeviceAllow' a(ss):[('char-pts' '')])" },
    { "IOReadBandwidthMax", "/dev/sda 5M", "('IOReadBandwidthMax' a(st):[('/dev/sda' 5000000)])" },
    { "IODeviceWeight", "/dev/sda 200", "('IODeviceWeight' a(st):[('/dev/sda' 200)])" },
    { "IODeviceLatencyTargetSec", "/dev/sda 25ms",
        "('IODeviceLatencyTargetUSec' a(st):[('/dev/sda' 25000)])" },
    { "IPAddressAllow", "localhost",
        "('IPAddressAllow' a(iayu):[(2 [7f 00 00 00] 8) (10 [00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01] 128)])" },
    { "IPAddressDeny", "10.1.2.3 192.168.0.0/16",
        "('IPAddressDeny' a(iayu):[(2 [0a 01 02 03] 32) (2 [c0 a8 00 00] 16)])" },
    { "SocketBindAllow", "ipv6:tcp:80-89", "('SocketBindAllow' a(iiqq):[(10 6 10 80)])" },
    { "SocketBindDeny", "any", "('SocketBindDeny' a(iiqq):[(0 0 0 0)])" },
    { "NFTSet", "cgroup:inet:t:s", "('NFTSet' a(iiss):[(3 1 't' 's')])" },
    { "BPFProgram", "egress:/sys/fs/bpf/p", "('BPFProgram' a(ss):[('egress' '/sys/fs/bpf/p')])" },
    { "Delegate", "yes", "('Delegate' b:true)" },
    { "Delegate", "cpu memory", "('DelegateControllers' as:['cpu' 'memory'])" },
    { "AppArmorProfile", "-x", "('AppArmorProfile' (bs):(true 'x'))" },
    { "RootHash", "/x", "('RootHashPath' s:'/x')" },
    { "RootHashSignature", "base64:YWI=", "('RootHashSignature' ay:[61 62])" },
    { "LogRateLimitBurst", "100", "('LogRateLimitBurst' u:100)" },
    { "IPIngressFilterPath", "/sys/fs/bpf/x", "('IPIngressFilterPath' as:['/sys/fs/bpf/x'])" },
    { "IPIngressFilterPath", "", "('IPIngressFilterPath' as:[])" },
    { "NUMAMask", "0-1 3", "('NUMAMask' ay:[0b 00 00 00 00 00 00 00])" },
    { "SetCredential", "", "('SetCredential' a(say):[])" },
    { "LoadCredential", "", "('LoadCredential' a(ss):[])" },
    { "ImportCredential", "", "('ImportCredential' as:[])" },
    { "ImportCredential", "a*", "('ImportCredential' as:['a*'])" },
    { "SocketBindAllow", "", "('SocketBindAllow' a(iiqq):[])" },
    { "DeviceAllow", "", "('DeviceAllow' a(ss):[])" },
    { "IOReadBandwidthMax", "", "('IOReadBandwidthMax' a(st):[])" },
    { "BPFProgram", "", "('BPFProgram' a(ss):[])" },
    { "RootHash", "00112233 445566778899aabbccddeeff",
        "('RootHash' ay:[00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff])" },
    { "RootHashSignature", "/x", "('RootHashSignaturePath' s:'/x')" },
    { "StandardOutput", "journal", "('StandardOutput' s:'journal')" },
    { "SystemCallErrorNumber", "5", "('SystemCallErrorNumber' i:5)" },
    { "Environment", "A=\\u00e9\\U0001F600\\101", "('Environment' as:['A=é😀A'])" },
    { "TasksMax", "0b101", "('TasksMax' t:5)" },
    { "TasksMax", "0o17", "('TasksMax' t:15)" },
    { "StandardInputText", "a\\000b", "('StandardInputData' ay:[61 00 62 0a])" },
    { "StandardInputData", "Y Q ==", "('StandardInputData' ay:[61])" },
    { "PrivateUsers", "identity", "('PrivateUsersEx' s:'identity')" },
};

static void test_accepted(void)
{
    _cleanup_(util_closep) int peer = -1;
    _cleanup_(sd_bus_unrefp) sd_bus *bus = bus_new(&peer);

    ARRAY_FOREACH (a, accepted) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_new(bus);
        g_autofree char *text = NULL, *reason = NULL;

        g_test_message("%s=%s", a->key, a->value);
        g_assert_cmpint(properties_check(a->key, a->value, &reason), ==, PROPERTY_OK);
        g_assert_null(reason);
        g_assert_cmpint(properties_append(m, a->key, a->value), ==, 0);
        text = message_text(m);
        g_assert_cmpstr(text, ==, a->expected);
    }
}

/* The machine's own: at least the first is there. */
static void test_all_nodes(void)
{
    _cleanup_(util_closep) int peer = -1;
    _cleanup_(sd_bus_unrefp) sd_bus *bus = bus_new(&peer);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_new(bus);
    g_autofree char *text = NULL;

    g_assert_cmpint(properties_append(m, "NUMAMask", "all"), ==, 0);
    text = message_text(m);
    g_assert_true(g_str_has_prefix(text, "('NUMAMask' ay:["));
    g_assert_cmpint(g_ascii_xdigit_value(text[strlen("('NUMAMask' ay:[0")]) & 1, ==, 1);
}

static const struct {
    PropertyVerdict verdict;
    const char *key, *value, *reason; /* what the reason must contain */
} rejected[] = {
    { PROPERTY_UNKNOWN, "MemoryMaks", "1G", "did you mean MemoryMax=?" },
    { PROPERTY_UNKNOWN, "memorymax", "1G", "did you mean MemoryMax=?" },
    { PROPERTY_UNKNOWN, "EnvironmentFiles", "/x", "did you mean EnvironmentFile=?" },
    { PROPERTY_UNKNOWN, "Frobnicate", "1", "systemd.exec(5)" },
    { PROPERTY_UNKNOWN, "", "", "systemd.exec(5)" },
    { PROPERTY_UNKNOWN, "TimeoutCleanSec", "1", "transient" },
    { PROPERTY_OWN, "Type", "oneshot", "exec" },
    { PROPERTY_OWN, "Restart", "always", "Retries=" },
    { PROPERTY_OWN, "RestartSec", "1", "RetryDelay=" },
    { PROPERTY_OWN, "RuntimeMaxSec", "1", "Timeout=" },
    { PROPERTY_OWN, "TimeoutStartSec", "1", "Timeout=" },
    { PROPERTY_OWN, "Slice", "a.slice", "Queue=" },
    { PROPERTY_OWN, "ExecStartPre", "/bin/true", "ExecStart=" },
    { PROPERTY_OWN, "KillMode", "process", "control-group or mixed" },
    { PROPERTY_OWN, "KillMode", "none", "control-group or mixed" },
    { PROPERTY_OWN, "SendSIGKILL", "off", "takes yes" },
    { PROPERTY_OWN, "LogLevelMax", "notice", "info" },
    { PROPERTY_OWN, "LogLevelMax", "3", "info" },
    { PROPERTY_OWN, "LogNamespace", "x", "journal" },
    { PROPERTY_OWN, "SetCredential", "input:x", "input" },
    { PROPERTY_OWN, "SetCredential", "in\\put.a:x", "input" },
    { PROPERTY_OWN, "SetCredentialEncrypted", "input.a:YQ==", "input" },
    { PROPERTY_OWN, "LoadCredential", "input", "input" },
    { PROPERTY_OWN, "LoadCredentialEncrypted", "input.:/x", "input" },
    { PROPERTY_OWN, "ImportCredential", "a:input", "input" },
    { PROPERTY_INVALID, "KillMode", "all", "control-group" },
    { PROPERTY_INVALID, "LogLevelMax", "loud", "info or debug" },
    { PROPERTY_INVALID, "SendSIGHUP", "perhaps", "yes or no, not \"perhaps\"" },
    { PROPERTY_INVALID, "ProtectSystem", "stric", "full or strict" },
    { PROPERTY_INVALID, "MemoryMax", "12x", "512M" },
    { PROPERTY_INVALID, "MemoryMax", "-1", "512M" },
    { PROPERTY_INVALID, "MemoryMax", "1M 1G", "512M" },
    { PROPERTY_INVALID, "MemoryMax", "20E", "512M" },
    { PROPERTY_INVALID, "MemoryMax", "101%", "512M" },
    { PROPERTY_INVALID, "StartupMemoryMax", "10%", "no percentage" },
    { PROPERTY_INVALID, "CPUQuota", "0%", "50%" },
    { PROPERTY_INVALID, "CPUWeight", "0", "10000" },
    { PROPERTY_INVALID, "CPUWeight", "99999999999999999999", "10000" },
    { PROPERTY_INVALID, "Nice", "20", "-20 to 19" },
    { PROPERTY_INVALID, "Nice", "", "-20 to 19" },
    { PROPERTY_INVALID, "UMask", "088", "octal" },
    { PROPERTY_INVALID, "UMask", "-1", "octal" },
    { PROPERTY_INVALID, "TimeoutStopSec", "", "infinity" },
    { PROPERTY_INVALID, "TimeoutStopSec", "5 parsecs", "infinity" },
    { PROPERTY_INVALID, "TimeoutStopSec", "-5", "infinity" },
    { PROPERTY_INVALID, "TimeoutStopSec", "600000y", "infinity" },
    { PROPERTY_INVALID, "TimeoutStopSec", "1.", "infinity" },
    { PROPERTY_INVALID, "LimitNOFILE", "2:1", "soft:hard" },
    { PROPERTY_INVALID, "LimitNOFILE", "1:2:3", "soft:hard" },
    { PROPERTY_INVALID, "LimitNICE", "-21", "nice level" },
    { PROPERTY_INVALID, "KillSignal", "SIGTERMINATE", "SIGTERM" },
    { PROPERTY_INVALID, "KillSignal", "65", "SIGTERM" },
    { PROPERTY_INVALID, "SuccessExitStatus", "256", "TEMPFAIL" },
    { PROPERTY_INVALID, "SystemCallErrorNumber", "ENONSENSE", "EPERM" },
    { PROPERTY_INVALID, "CapabilityBoundingSet", "CAP_CHOWN CAP_NONE", "not \"CAP_NONE\"" },
    { PROPERTY_INVALID, "SecureBits", "root", "noroot" },
    { PROPERTY_INVALID, "Environment", "=x", "NAME=value" },
    { PROPERTY_INVALID, "Environment", "A=\"x", "quote" },
    { PROPERTY_INVALID, "Environment", "A=\\q", "escape" },
    { PROPERTY_INVALID, "Environment", "A=\\xff", "escape" },
    { PROPERTY_INVALID, "ReadWritePaths", "/a b", "absolute paths, not \"b\"" },
    { PROPERTY_INVALID, "BindPaths", "/a:/b:maybe", "/from:/to" },
    { PROPERTY_INVALID, "BindPaths", "/a:", "/from:/to" },
    { PROPERTY_INVALID, "StateDirectory", "/abs", "relative" },
    { PROPERTY_INVALID, "StateDirectory", "a/../b", "relative" },
    { PROPERTY_INVALID, "StandardInput", "append:/x", "null" },
    { PROPERTY_INVALID, "StandardOutput", "file:x", "absolute" },
    { PROPERTY_INVALID, "StandardInputData", "YQ=", "Base64" },
    { PROPERTY_INVALID, "StandardInputData", "YR==", "Base64" },
    { PROPERTY_INVALID, "LogExtraFields", "lower=1", "capitals" },
    { PROPERTY_INVALID, "LoadCredential", "a/b:/x", "a name" },
    { PROPERTY_INVALID, "DeviceAllow", "/dev/null rx", "/dev/null rw" },
    { PROPERTY_INVALID, "IOReadBandwidthMax", "/dev/sda", "/dev/sda 5M" },
    { PROPERTY_INVALID, "IPAddressAllow", "10.0.0.0/33", "10.0.0.0/8" },
    { PROPERTY_INVALID, "IPAddressAllow", "10.0.0", "10.0.0.0/8" },
    { PROPERTY_INVALID, "SocketBindAllow", "tcp:ipv4:80", "tcp:80" },
    { PROPERTY_INVALID, "SocketBindAllow", "tcp:0", "tcp:80" },
    { PROPERTY_INVALID, "AllowedCPUs", "1-", "ranges" },
    { PROPERTY_INVALID, "AllowedCPUs", "99999", "ranges" },
    { PROPERTY_INVALID, "User", "\xff", "UTF-8" },
    { PROPERTY_INVALID, "IOReadBandwidthMax", "/dev/sda", "a device and a" },
    { PROPERTY_INVALID, "LimitNICE", "infinity", "a nice level with" },
    { PROPERTY_INVALID, "PrivateTmp", "perhaps", "connected or disconnected" },
    { PROPERTY_INVALID, "RootDirectory", "x", "an absolute path" },
    { PROPERTY_INVALID, "LogRateLimitBurst", "-1", "a number from 0 to 4294967295" },
    { PROPERTY_INVALID, "LogRateLimitBurst", "4294967296", "a number from 0 to 4294967295" },
    { PROPERTY_INVALID, "MountFlags", "sideways", "shared, slave or private" },
    { PROPERTY_INVALID, "TimerSlackNSec", "x", "a time span such" },
    { PROPERTY_INVALID, "ManagedOOMMemoryPressureLimit", "101%", "a percentage from 0% to 100%" },
    { PROPERTY_INVALID, "ManagedOOMMemoryPressureLimit", "x%", "a percentage from 0% to 100%" },
    { PROPERTY_INVALID, "ManagedOOMMemoryPressureLimit", "1.234%", "a percentage from 0% to 100%" },
    { PROPERTY_INVALID, "LimitNICE", "x", "a nice level with" },
    { PROPERTY_INVALID, "StandardInputText", "a\\q", "text with C escapes" },
    { PROPERTY_INVALID, "RootHash", "xyz", "an absolute path, or" },
    { PROPERTY_INVALID, "RootHash", "abc", "an absolute path, or" },
    { PROPERTY_INVALID, "RootHash", "00", "an absolute path, or" },
    { PROPERTY_INVALID, "RootHashSignature", "x", "an absolute path, or" },
    { PROPERTY_INVALID, "EnvironmentFile", "x", "an absolute path, with" },
    { PROPERTY_INVALID, "SetCredential", "nocolon", "a name, a colon and the credential" },
    { PROPERTY_INVALID, "SetCredential", ":x", "a name, a colon and the credential" },
    { PROPERTY_INVALID, "ImportCredential", "a/b", "the name of a" },
    { PROPERTY_INVALID, "BindPaths", "\"/a", "absolute paths such as" },
    { PROPERTY_INVALID, "BindPaths", "a:/b", "absolute paths such as" },
    { PROPERTY_INVALID, "TemporaryFileSystem", "x", "absolute paths such as" },
    { PROPERTY_INVALID, "TemporaryFileSystem", "\"/a", "write \\" },
    { PROPERTY_INVALID, "RootImageOptions", "\"x", "write \\" },
    { PROPERTY_INVALID, "MountImages", "x", "images and where they" },
    { PROPERTY_INVALID, "MountImages", "\"x", "write \\" },
    { PROPERTY_INVALID, "ExtensionImages", "x", "absolute paths of images" },
    { PROPERTY_INVALID, "StateDirectory", "\"a", "write \\" },
    { PROPERTY_INVALID, "SystemCallFilter", "\"x", "write \\" },
    { PROPERTY_INVALID, "RestrictNamespaces", "nothing", "yes, no, or some" },
    { PROPERTY_INVALID, "RestrictNamespaces", "\"x", "write \\" },
    { PROPERTY_INVALID, "CoredumpFilter", "nothing",
        "private-anonymous, shared-anonymous, private-file-backed, shared-file-backed" },
    { PROPERTY_INVALID, "CoredumpFilter", "\"x", "write \\" },
    { PROPERTY_INVALID, "Delegate", "\"x", "write \\" },
    { PROPERTY_INVALID, "SuccessExitStatus", "\"x", "write \\" },
    { PROPERTY_INVALID, "IPAddressAllow", "\"x", "addresses such as 10.0.0.0/8" },
    { PROPERTY_INVALID, "CapabilityBoundingSet", "\"x", "write \\" },
    { PROPERTY_INVALID, "SecureBits", "\"x", "write \\" },
    { PROPERTY_INVALID, "NFTSet", "\"x", "write \\" },
    { PROPERTY_INVALID, "NFTSet", "cgroup:inet:t", "sets such as cgroup:inet:TABLE:SET" },
    { PROPERTY_INVALID, "NFTSet", "cgroup:inet:1t:s", "sets such as cgroup:inet:TABLE:SET" },
    { PROPERTY_INVALID, "NFTSet", "cgroup:inet:t-t:s", "sets such as cgroup:inet:TABLE:SET" },
    { PROPERTY_INVALID, "SocketBindAllow", "ipv4:tcp:80:90", "a rule such as" },
    { PROPERTY_INVALID, "BPFProgram", "nothing", "a type and a" },
    { PROPERTY_INVALID, "IPIngressFilterPath", "x", "an absolute path" },
    { PROPERTY_INVALID, "NUMAMask", "x", "all, or numbers and ranges such as 0-1" },
    { PROPERTY_INVALID, "KillSignal", "RTMIN+99", "a signal such as SIGTERM or 15" },
    { PROPERTY_INVALID, "KillSignal", "RTMIN+x", "a signal such as SIGTERM or 15" },
    { PROPERTY_INVALID, "Environment", "A=\\400", "write \\" },
    { PROPERTY_INVALID, "Environment", "A=\\u0000", "write \\" },
    { PROPERTY_INVALID, "Environment", "A=\\ud800", "write \\" },
    { PROPERTY_INVALID, "CPUQuota", "x%", "a percentage of one" },
    { PROPERTY_INVALID, "TimeoutStopSec", "99999999999999999999", "a time span such" },
    { PROPERTY_INVALID, "TimeoutStopSec", "1.5.5", "a time span such" },
    { PROPERTY_INVALID, "MemoryMax", "99999999999999999999999", "a size such as" },
    { PROPERTY_INVALID, "Nice", "99999999999999999999", "a number from -20 to 19" },
    { PROPERTY_INVALID, "Nice", "x", "a number from -20 to 19" },
    { PROPERTY_INVALID, "AllowedCPUs", "x", "numbers and ranges such as 0 2-3" },
};

static void test_rejected(void)
{
    static const int errors[] = { 0, -ENOENT, -EPERM, -EINVAL };
    _cleanup_(util_closep) int peer = -1;
    _cleanup_(sd_bus_unrefp) sd_bus *bus = bus_new(&peer);

    ARRAY_FOREACH (t, rejected) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_new(bus);
        g_autofree char *text = NULL, *reason = NULL;

        g_test_message("%s=%s", t->key, t->value);
        g_assert_cmpint(properties_check(t->key, t->value, &reason), ==, t->verdict);
        g_assert_nonnull(reason);
        if (!strstr(reason, t->reason))
            g_error("\"%s\" does not say \"%s\"", reason, t->reason);
        g_assert_cmpint(properties_append(m, t->key, t->value), ==, errors[t->verdict]);
        text = message_text(m);
        g_assert_cmpstr(text, ==, "");
    }
}

/* What may be a secret is in no reason. */
static void test_secret(void)
{
    g_autofree char *reason = NULL;

    g_assert_cmpint(properties_check("SetCredential", "a:hush\\q", &reason), ==, PROPERTY_INVALID);
    g_assert_null(strstr(reason, "hush"));
}

/* Assignments stand in the message in the order in which they were made. */
static void test_order(void)
{
    _cleanup_(util_closep) int peer = -1;
    _cleanup_(sd_bus_unrefp) sd_bus *bus = bus_new(&peer);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_new(bus);
    g_autofree char *text = NULL;

    g_assert_cmpint(properties_append(m, "Environment", "A=1"), ==, 0);
    g_assert_cmpint(properties_append(m, "Environment", ""), ==, 0);
    g_assert_cmpint(properties_append(m, "Type", "simple"), ==, -EPERM);
    g_assert_cmpint(properties_append(m, "Environment", "B=2"), ==, 0);
    text = message_text(m);
    g_assert_cmpstr(text, ==, "('Environment' as:['A=1']) ('Environment' as:[]) ('Environment' as:['B=2'])");
}

/* The search is a bisection, and people read the list. */
static void test_keys(void)
{
    const char *const *keys = properties_keys();
    size_t n = 0;

    for (; keys[n]; n++) {
        g_assert_nonnull(property_table_find(keys[n]));
        if (n > 0)
            g_assert_cmpstr(keys[n - 1], <, keys[n]);
    }
    g_assert_cmpuint(n, ==, property_table_n);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/properties/accepted", test_accepted);
    g_test_add_func("/properties/all-nodes", test_all_nodes);
    g_test_add_func("/properties/rejected", test_rejected);
    g_test_add_func("/properties/secret", test_secret);
    g_test_add_func("/properties/order", test_order);
    g_test_add_func("/properties/keys", test_keys);
    return g_test_run();
}
