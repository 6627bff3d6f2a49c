"""What property-oracle.test tries for each setting: at least two values, as they stand behind the '='.

A tuple is one unit with several assignments of the setting; an assignment with another key in it is written out as
"KEY=VALUE" behind a '@'. Each list is also tried with its first two values appended, reset, and begun anew.
"""

BOOLEAN = ("yes", "no", "on", "0", "TRUE", "maybe")
SWITCHES = """BlockIOAccounting BindLogSockets CPUAccounting CPUSchedulingResetOnFork CoredumpReceive DynamicUser
    IOAccounting IPAccounting IgnoreSIGPIPE LockPersonality MemoryAccounting MemoryDenyWriteExecute MemoryKSM
    MemoryZSwapWriteback MountAPIVFS NoNewPrivileges PrivateDevices PrivateIPC PrivateMounts PrivateNetwork ProtectClock
    ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables RemoveIPC RestrictRealtime
    RestrictSUIDSGID RootEphemeral SendSIGHUP SetLoginEnvironment SyslogLevelPrefix TTYReset TTYVHangup
    TTYVTDisallocate TasksAccounting""".split()

SIZES = ("512M", "1.5G", "4096", "10%", "0.5%", "infinity", "1G 5M", "1T", "12x", "-1", "101%")
SPANS = ("90", "1min 30s", "2.5", "1h30m5ms", "infinity", "0", "1 parsec", "-5", "1.", "1y 2M 3w 4d")
SIGNALS = ("SIGUSR1", "TERM", "9", "RTMIN+3", "SIGRTMAX-2", "SIGIO", "SIGNOTHING", "65")
CPUS = ("0", "0-1", "0,1", "0 1", "64-65", "1-", "9999", "a")
STREAM = ("null", "inherit", "tty", "journal", "kmsg+console", "socket", "fd", "fd:stdout", "file:/tmp/a b",
          "append:/tmp/a", "truncate:/tmp/a", "file:relative", "carrier-pigeon")
MODES = ("0750", "755", "7777", "10000", "+1", "9")
RATES = ("/dev/null 5M", "/dev/zero 1000", "/dev/null infinity", "/dev/null", "/dev/null x")
PATHS = ("/usr", "/tmp -/nonexistent", "-+/var/tmp", '"/with space"', "relative", '"/open')
RLIMIT_COUNT = ("1024", "512:1024", "infinity", "10:infinity", "0x10", "2:1", "1:2:3", "1K")
RLIMIT_SIZE = ("64M", "1G:2G", "infinity", "4096", "1.5M", "8M:4M", "x")
LABELS = ("name", "-name")
DIRECTORIES = ("a b", "a/b//c/", "a:b", "a:b c", "a::ro", "/absolute", "../up", "private", "a:/b")
IMAGES = ("/a.raw", "-/a.raw", "/a.raw:ro", "/a\\:b.raw", "relative.raw")
CREDENTIALS = ("a:text", "b:\\x00\\n\\tx", "c:a:b", "d", "a/b:c", "e:", ":f")
ADDRESSES = ("10.0.0.0/8", "10.1.2.3 ::1", "any", "localhost", "link-local", "multicast", "2001:db8::/32", "10.0.0.0/33",
             "10.0", "example.org")
BINDS = ("/usr", "/usr:/mnt", "-/nonexistent:/mnt:norbind", "/usr:/mnt:rbind /tmp", "relative", "/usr:/mnt:maybe",
         '"/with space:/mnt"')
PORTS = ("any", "tcp:80", "ipv6:udp:5000-5010", "ipv4:1-65535", "udp", "8080", "0", "tcp:ipv4:80", "ipv4:", "70000")
ENVIRONMENT = ("A=1", 'B=2 "C=3 4"', "D=\\x41\\n", "E=", "'F=\"g\"'", "NOVALUE", "1=2", '"G=1', "H=\\q", "I=$HOME %n")

# Settings that PID 1 takes and systemd-run does not know: they show what it can make of the ones beside them.
AHEAD = {
    "DefaultStartupMemoryLow": "DefaultMemoryLow",
    **{"Startup" + key: key for key in ("MemoryHigh", "MemoryLow", "MemoryMax", "MemorySwapMax", "MemoryZSwapMax")},
}

VALUES = {
    **{key: BOOLEAN for key in SWITCHES},
    "AllowedCPUs": CPUS,
    "AllowedMemoryNodes": CPUS,
    "AmbientCapabilities": ("CAP_NET_RAW", "CAP_CHOWN cap_kill", "~CAP_SYS_ADMIN", "12"),
    "AppArmorProfile": LABELS,
    "BPFProgram": ("egress:/sys/fs/bpf/a", "ingress:/sys/fs/bpf/b", "egress:relative", "bogus:/sys/fs/bpf/a"),
    "BindPaths": BINDS,
    "BindReadOnlyPaths": BINDS,
    "BlockIODeviceWeight": ("/dev/null 500", "/dev/zero 10", "/dev/null"),
    "BlockIOReadBandwidth": RATES,
    "BlockIOWriteBandwidth": RATES,
    "BlockIOWeight": ("10", "1000", "9", "1001"),
    "CPUAffinity": CPUS + ("numa",),
    "CPUQuota": ("50%", "200%", "12.5%", "5‰", "7‱", "0%", "50"),
    "CPUQuotaPeriodSec": ("10ms", "500ms", "1", "x"),
    "CPUSchedulingPolicy": ("batch", "idle", "rr", "0", "fast"),
    "CPUSchedulingPriority": (("@CPUSchedulingPolicy=rr", "50"), ("@CPUSchedulingPolicy=fifo", "1"), "0", "100"),
    "CPUShares": ("2", "262144", "1"),
    "CPUWeight": ("100", "10000", "idle", "0", "10001", "0x10"),
    "CacheDirectory": DIRECTORIES,
    "CacheDirectoryMode": MODES,
    "CapabilityBoundingSet": ("CAP_NET_RAW", "CAP_CHOWN cap_kill", "~CAP_SYS_ADMIN", "12", '"CAP_KILL"'),
    "ConfigurationDirectory": ("a", "b c/d", "/absolute", "../up"),
    "ConfigurationDirectoryMode": MODES,
    "CoredumpFilter": ("default", "all", "private-anonymous elf-headers", "0x33", "1ff", "everything"),
    "DefaultMemoryLow": SIZES,
    "DefaultMemoryMin": SIZES,
    "Delegate": ("yes", "no", "cpu memory", "pids", "bogus"),
    "DelegateSubgroup": ("main", "a-b", "a/b"),
    "DeviceAllow": ("/dev/null rw", "/dev/zero", "char-pts r", "block-* rwm", "/dev/null x", "/etc/passwd r"),
    "DevicePolicy": ("auto", "closed", "strict", "open"),
    "DisableControllers": ("cpu", "memory pids", "bogus"),
    "Environment": ENVIRONMENT,
    "EnvironmentFile": ("/etc/default/a", "-/etc/default/b", "relative"),
    "ExecPaths": PATHS,
    "ExecSearchPath": ("/usr/bin", "/bin /sbin", "relative"),
    "ExtensionDirectories": PATHS,
    "ExtensionImagePolicy": ("*", "root=signed+encrypted", "root=bogus"),
    "ExtensionImages": IMAGES + ("/a.raw:root:ro",),
    "FinalKillSignal": SIGNALS,
    "Group": ("daemon", "0", "a group"),
    "IODeviceLatencyTargetSec": ("/dev/null 25ms", "/dev/zero 1", "/dev/null", "/dev/null x"),
    "IODeviceWeight": ("/dev/null 500", "/dev/zero 1", "/dev/null", "/dev/null 10001"),
    "IOReadBandwidthMax": RATES,
    "IOReadIOPSMax": RATES,
    "IOSchedulingClass": ("realtime", "best-effort", "idle", "0", "none", "fast", "8"),
    "IOSchedulingPriority": ("0", "7", "8", "-1"),
    "IOWeight": ("1", "10000", "0", "idle"),
    "IOWriteBandwidthMax": RATES,
    "IOWriteIOPSMax": RATES,
    "IPAddressAllow": ADDRESSES,
    "IPAddressDeny": ADDRESSES,
    "IPCNamespacePath": ("/proc/1/ns/ipc", "/a b", "relative"),
    "IPEgressFilterPath": ("/sys/fs/bpf/a", "/sys/fs/bpf/b", "relative"),
    "IPIngressFilterPath": ("/sys/fs/bpf/a", "/sys/fs/bpf/b", "relative"),
    "ImportCredential": ("a", "b.*", "a*b", "a/b"),
    "InaccessiblePaths": PATHS,
    "KeyringMode": ("inherit", "private", "shared", "none"),
    "KillMode": ("control-group", "mixed", "bogus"),
    "KillSignal": SIGNALS,
    **{"Limit" + key: RLIMIT_SIZE for key in ("AS", "CORE", "DATA", "FSIZE", "MEMLOCK", "MSGQUEUE", "RSS", "STACK")},
    **{"Limit" + key: RLIMIT_COUNT for key in ("LOCKS", "NOFILE", "NPROC", "RTPRIO", "SIGPENDING")},
    "LimitCPU": ("10min", "1:2", "1500ms", "infinity", "2:1", "x"),
    "LimitNICE": ("+5", "-20", "40", "+19", "0", "-5:-10", "+20", "-21", "41", "infinity"),
    "LimitRTTIME": ("500", "10ms:1s", "infinity", "2s:1s", "x"),
    "LoadCredential": ("a:/etc/hostname", "b:/a:b", "c", "a/b:/x", ":/x"),
    "LoadCredentialEncrypted": ("a:/etc/hostname", "b", "a/b:/x"),
    "LogExtraFields": ("A=1", "B_2=with space", "lower=1", "_PRIVATE=1", "NOVALUE", "1A=2"),
    "LogFilterPatterns": ("allowed.*", "~denied", "[open"),
    "LogLevelMax": ("info", "debug", "7", "8", "loud"),
    "LogRateLimitBurst": ("100", "0", "-1", "x"),
    "LogRateLimitIntervalSec": SPANS,
    "LogsDirectory": DIRECTORIES,
    "LogsDirectoryMode": MODES,
    "ManagedOOMMemoryPressure": ("auto", "kill", "bogus"),
    "ManagedOOMMemoryPressureDurationSec": ("10s", "1min", "x"),
    "ManagedOOMMemoryPressureLimit": ("50%", "12.34%", "101%", "1"),
    "ManagedOOMPreference": ("none", "avoid", "omit", "bogus"),
    "ManagedOOMSwap": ("auto", "kill", "bogus"),
    **{key: SIZES for key in ("MemoryHigh", "MemoryLimit", "MemoryLow", "MemoryMax", "MemoryMin", "MemorySwapMax",
                              "MemoryZSwapMax")},
    **{key: ("512M", "1.5G", "infinity", "", "x") for key in AHEAD},
    "MemoryPressureThresholdSec": SPANS,
    "MemoryPressureWatch": ("auto", "on", "off", "skip", "bogus"),
    "MountFlags": ("shared", "slave", "private", "bogus"),
    "MountImagePolicy": ("*", "root=signed", "root=bogus"),
    "MountImages": ("/a.raw:/mnt", "-/a.raw:/mnt:ro", "/a.raw:/mnt:root:ro:home:nodev", "/a.raw", "relative:/mnt"),
    "NFTSet": ("cgroup:inet:filter:a", "user:ip6:t:b group:netdev:t:c", "bogus:inet:t:s", "cgroup:inet:t"),
    "NUMAMask": (("@NUMAPolicy=bind", "0"), ("@NUMAPolicy=interleave", "0-1"), "all", "0", "a"),
    "NUMAPolicy": ("default", "local", ("bind", "@NUMAMask=0"), "bogus"),
    "NetworkNamespacePath": ("/proc/1/ns/net", "/a b", "relative"),
    "Nice": ("-20", "19", "5", "20", "-21", "x"),
    "NoExecPaths": PATHS,
    "OOMPolicy": ("continue", "stop", "kill", "bogus"),
    "OOMScoreAdjust": ("-1000", "500", "1001", "x"),
    "PAMName": ("login", "a b"),
    "PassEnvironment": ("PATH", "HOME LANG", "A=1", "1A", '"open'),
    "Personality": ("x86-64", "x86", "vax"),
    "PrivatePIDs": ("yes", "no", "bogus"),
    "PrivateTmp": BOOLEAN,
    "PrivateUsers": BOOLEAN,
    "ProcSubset": ("all", "pid", "bogus"),
    "ProtectControlGroups": BOOLEAN,
    "ProtectHome": ("yes", "no", "read-only", "tmpfs", "1", "bogus"),
    "ProtectProc": ("default", "noaccess", "invisible", "ptraceable", "bogus"),
    "ProtectSystem": ("yes", "no", "full", "strict", "off", "bogus"),
    "ReadOnlyPaths": PATHS,
    "ReadWritePaths": PATHS,
    "RestartKillSignal": SIGNALS,
    "RestrictAddressFamilies": ("AF_UNIX", "AF_INET AF_INET6", "~AF_PACKET", "none", "AF_BOGUS"),
    "RestrictFileSystems": ("ext4", "~tmpfs proc", "@basic-api"),
    "RestrictNamespaces": ("yes", "no", "net", "~user mnt", "cgroup ipc pid uts", "bogus"),
    "RestrictNetworkInterfaces": ("lo", "~eth0 eth1", "a/b"),
    "RootDirectory": ("/srv", "/a b", "relative"),
    "RootHash": ("/srv/a.roothash", "00112233445566778899aabbccddeeff", "0011", "xyz"),
    "RootHashSignature": ("/srv/a.p7s", "base64:YWJj", "YWJj", "base64:YW"),
    "RootImage": ("/srv/a.raw", "/a b", "relative"),
    "RootImageOptions": ("ro", "root:ro home:nodev", '"usr:a b"', "bogus:ro", "root:ro:x"),
    "RootImagePolicy": ("*", "root=signed", "root=bogus"),
    "RootVerity": ("/srv/a.verity", "/a b", "relative"),
    "RuntimeDirectory": DIRECTORIES,
    "RuntimeDirectoryMode": MODES,
    "RuntimeDirectoryPreserve": ("yes", "no", "restart", "bogus"),
    "SELinuxContext": LABELS,
    "SecureBits": ("noroot", "keep-caps no-setuid-fixup-locked"),
    "SendSIGKILL": ("yes", "1", "maybe"),
    "SetCredential": CREDENTIALS,
    "SetCredentialEncrypted": ("a:YWJj", "b:YQ==", "c:YQ=", "d", "a/b:YWJj"),
    "SmackProcessLabel": LABELS,
    "SocketBindAllow": PORTS,
    "SocketBindDeny": PORTS,
    "StandardError": STREAM,
    "StandardInput": STREAM + ("data", "tty-force"),
    "StandardInputData": ("YWJj", "YQ==", "Y Q = =", "YQ=", "YR==", "*"),
    "StandardInputText": ("abc", "a\\tb", "\\q"),
    "StandardOutput": STREAM,
    "StartupAllowedCPUs": CPUS,
    "StartupAllowedMemoryNodes": CPUS,
    "StartupBlockIOWeight": ("10", "1000", "9"),
    "StartupCPUShares": ("2", "262144", "1"),
    "StartupCPUWeight": ("100", "10000", "idle", "0"),
    "StartupIOWeight": ("1", "10000", "0"),
    "StateDirectory": DIRECTORIES,
    "StateDirectoryMode": MODES,
    "SuccessExitStatus": ("75", "TEMPFAIL 250 SIGUSR1", "SIGKILL", "9", "0 255", "256", "BOGUS", '"1 2"'),
    "SupplementaryGroups": ("daemon", "adm 4", "a/b"),
    "SyslogFacility": ("daemon", "local7", "3", "bogus", "128"),
    "SyslogIdentifier": ("name", "with space"),
    "SyslogLevel": ("err", "debug", "0", "bogus", "8"),
    "SystemCallArchitectures": ("native", "x86 x86-64", "vax"),
    "SystemCallErrorNumber": ("EPERM", "13", "kill", "EBOGUS", "5000"),
    "SystemCallFilter": ("@system-service", "~@mount ptrace", "read write:EPERM", "~kill:kill", "bogus_call"),
    "SystemCallLog": ("@mount", "~read", "bogus_call"),
    "TTYColumns": ("80", "0", "x"),
    "TTYPath": ("/dev/tty1", "/dev/a b", "relative"),
    "TTYRows": ("25", "0", "x"),
    "TasksMax": ("100", "10%", "infinity", "0x10", "0", "1K"),
    "TemporaryFileSystem": ("/mnt", "/mnt:ro,size=10M /srv", '"/a b"', "relative", "/mnt:"),
    "TimeoutStopSec": SPANS,
    "TimerSlackNSec": ("50", "1us", "1ms", "infinity", "x"),
    "UMask": MODES,
    "UnsetEnvironment": ("A", "B C=1", "1A", "=x"),
    "User": ("daemon", "0", "nobody", "a user"),
    "UtmpIdentifier": ("tty1", "abcd"),
    "UtmpMode": ("init", "login", "user", "bogus"),
    "WatchdogSec": SPANS,
    "WatchdogSignal": SIGNALS,
    "WorkingDirectory": ("/srv", "~", "-/nonexistent", "-~", "/a b", "relative"),
}

LISTS = """AllowedCPUs AllowedMemoryNodes AmbientCapabilities BPFProgram BindPaths BindReadOnlyPaths BlockIODeviceWeight
    BlockIOReadBandwidth BlockIOWriteBandwidth CPUAffinity CacheDirectory CapabilityBoundingSet ConfigurationDirectory
    DeviceAllow DisableControllers Environment EnvironmentFile ExecPaths ExecSearchPath ExtensionDirectories
    ExtensionImages IODeviceLatencyTargetSec IODeviceWeight IOReadBandwidthMax IOReadIOPSMax IOWriteBandwidthMax
    IOWriteIOPSMax IPAddressAllow IPAddressDeny IPEgressFilterPath IPIngressFilterPath ImportCredential
    InaccessiblePaths LoadCredential LoadCredentialEncrypted LogExtraFields LogFilterPatterns LogsDirectory
    MountImages NFTSet NoExecPaths PassEnvironment ReadOnlyPaths ReadWritePaths RestrictAddressFamilies
    RestrictFileSystems RestrictNamespaces RestrictNetworkInterfaces RootImageOptions RuntimeDirectory SecureBits
    SetCredential SetCredentialEncrypted SocketBindAllow SocketBindDeny StandardInputData StandardInputText
    StartupAllowedCPUs StartupAllowedMemoryNodes StateDirectory SuccessExitStatus SupplementaryGroups
    SystemCallArchitectures SystemCallFilter SystemCallLog TemporaryFileSystem UnsetEnvironment""".split()

# What is the daemon's own, or not a unit's at all: each must be refused, with a reason.
REFUSED = {
    "LogNamespace": ("a", ""),
    "Slice": ("a.slice", ""),
    "TimeoutCleanSec": ("1", "infinity"),
    "TimeoutSec": ("1", "infinity"),
}
REFUSED_TOO = (
    "Type=simple", "Restart=always", "RestartSec=1", "RestartForceExitStatus=1", "RestartPreventExitStatus=1",
    "RestartSteps=1", "RestartMode=direct", "RestartMaxDelaySec=1", "RemainAfterExit=no", "CollectMode=inactive",
    "NotifyAccess=none", "RuntimeMaxSec=1", "TimeoutStartSec=1", "ExecStart=/bin/true", "ExecStartPre=/bin/true",
    "ExecStartPost=/bin/true", "ExecCondition=/bin/true", "ExecReload=/bin/true", "ExecStop=/bin/true",
    "ExecStopPost=/bin/true", "KillMode=process", "KillMode=none", "SendSIGKILL=no", "LogLevelMax=notice",
    "LogLevelMax=0", "SetCredential=input:a", "SetCredential=input.a:a", "SetCredentialEncrypted=input:YQ==",
    "LoadCredential=input:/etc/hostname", "LoadCredential=input.a", "LoadCredentialEncrypted=input:/etc/hostname",
    "NoSuchSetting=1",
)
