/* The table of settings, and the small services around it. */
#include "exec/property-table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exec/property-encode.h"
#include "exec/property-names.h"
#include "exec/property-parse.h"

/* Choices that stay words on D-Bus; their numbers mean nothing. */
static const PropertyName private_tmp[] = { { "connected", 0 }, { "disconnected", 0 }, { NULL, 0 } };
static const PropertyName private_users[] = { { "self", 0 }, { "identity", 0 }, { NULL, 0 } };
static const PropertyName protect_control_groups[] = { { "private", 0 }, { "strict", 0 }, { NULL, 0 } };
static const PropertyName device_policy[] = { { "auto", 0 }, { "closed", 0 }, { "strict", 0 }, { NULL, 0 } };
static const PropertyName oomd[] = { { "auto", 0 }, { "kill", 0 }, { NULL, 0 } };
static const PropertyName oomd_preference[] = { { "none", 0 }, { "avoid", 0 }, { "omit", 0 }, { NULL, 0 } };
static const PropertyName pressure_watch[] = { { "", 0 }, { "auto", 0 }, { "skip", 0 }, { NULL, 0 } };
static const PropertyName utmp_mode[] = { { "init", 0 }, { "login", 0 }, { "user", 0 }, { NULL, 0 } };
static const PropertyName protect_system[] = { { "full", 0 }, { "strict", 0 }, { NULL, 0 } };
static const PropertyName protect_home[] = { { "read-only", 0 }, { "tmpfs", 0 }, { NULL, 0 } };
static const PropertyName preserve[] = { { "restart", 0 }, { NULL, 0 } };
static const PropertyName keyring[] = { { "inherit", 0 }, { "private", 0 }, { "shared", 0 }, { NULL, 0 } };
static const PropertyName protect_proc[] = { { "default", 0 }, { "noaccess", 0 }, { "invisible", 0 },
    { "ptraceable", 0 }, { NULL, 0 } };
static const PropertyName proc_subset[] = { { "all", 0 }, { "pid", 0 }, { NULL, 0 } };
static const PropertyName yes_no[] = { { "yes", 0 }, { "no", 0 }, { NULL, 0 } };
static const PropertyName kill_mode[] = { { "control-group", 0 }, { "mixed", 0 }, { "process", 0 },
    { "none", 0 }, { NULL, 0 } };
static const PropertyName oom_policy[] = { { "continue", 0 }, { "stop", 0 }, { "kill", 0 }, { NULL, 0 } };
static const PropertyName inputs[] = { { "null", 0 }, { "tty", 0 }, { "tty-force", 0 }, { "tty-fail", 0 },
    { "data", 0 }, { "fd", 0 }, { "socket", 0 }, { NULL, 0 } };
static const PropertyName outputs[] = { { "inherit", 0 }, { "null", 0 }, { "tty", 0 }, { "journal", 0 },
    { "kmsg", 0 }, { "journal+console", 0 }, { "kmsg+console", 0 }, { "fd", 0 }, { "socket", 0 },
    { NULL, 0 } };

const Property property_table[] = {
    { "AllowedCPUs", property_lists_cpus },
    { "AllowedMemoryNodes", property_lists_cpus },
    { "AmbientCapabilities", property_lists_capabilities },
    { "AppArmorProfile", property_encode_label },
    { "BPFProgram", property_lists_program },
    { "BindLogSockets", property_encode_boolean },
    { "BindPaths", property_files_bind },
    { "BindReadOnlyPaths", property_files_bind },
    { "BlockIOAccounting", property_encode_boolean },
    { "BlockIODeviceWeight", property_lists_device_weight },
    { "BlockIOReadBandwidth", property_lists_device_rate },
    { "BlockIOWeight", property_encode_weight, .min = 10, .max = 1000 },
    { "BlockIOWriteBandwidth", property_lists_device_rate },
    { "CPUAccounting", property_encode_boolean },
    { "CPUAffinity", property_lists_cpus },
    { "CPUQuota", property_encode_quota },
    { "CPUQuotaPeriodSec", property_encode_span, .flags = PROPERTY_EMPTY_IS_INFINITE },
    { "CPUSchedulingPolicy", property_encode_named, .names = property_names_cpu_policy, .max = INT32_MAX },
    { "CPUSchedulingPriority", property_encode_number, .min = 0, .max = 99 },
    { "CPUSchedulingResetOnFork", property_encode_boolean },
    { "CPUShares", property_encode_weight, .min = 2, .max = 262144 },
    { "CPUWeight", property_encode_weight, .min = 1, .max = 10000, .flags = PROPERTY_IDLE_TOO,
        .takes = "a number from 1 to 10000, or idle" },
    { "CacheDirectory", property_files_directories },
    { "CacheDirectoryMode", property_encode_mode },
    { "CapabilityBoundingSet", property_lists_capabilities },
    { "ConfigurationDirectory", property_lists_words, .check = property_parse_is_subdirectory,
        .takes = "relative paths" },
    { "ConfigurationDirectoryMode", property_encode_mode },
    { "CoredumpFilter", property_lists_core_filter, .names = property_names_core_filter },
    { "CoredumpReceive", property_encode_boolean },
    { "DefaultMemoryLow", property_encode_limit, .flags = PROPERTY_EMPTY_IS_ZERO },
    { "DefaultMemoryMin", property_encode_limit, .flags = PROPERTY_EMPTY_IS_ZERO },
    { "DefaultStartupMemoryLow", property_encode_limit, .flags = PROPERTY_EMPTY_IS_ZERO | PROPERTY_NO_SHARE },
    { "Delegate", property_lists_delegate },
    { "DelegateSubgroup", property_encode_string },
    { "DeviceAllow", property_lists_device },
    { "DevicePolicy", property_encode_choice, .names = device_policy },
    { "DisableControllers", property_lists_words },
    { "DynamicUser", property_encode_boolean },
    { "Environment", property_lists_words, .flags = PROPERTY_UNESCAPE, .check = property_parse_is_assignment,
        .takes = "assignments such as NAME=value, quoted as a whole" },
    { "EnvironmentFile", property_files_environment_file },
    { "ExecPaths", property_lists_words, .check = property_parse_is_prefixed_path },
    { "ExecSearchPath", property_lists_words, .check = property_parse_is_path },
    { "ExtensionDirectories", property_lists_words, .check = property_parse_is_prefixed_path },
    { "ExtensionImagePolicy", property_encode_string },
    { "ExtensionImages", property_files_extensions },
    { "FinalKillSignal", property_encode_signal },
    { "Group", property_encode_string },
    { "IOAccounting", property_encode_boolean },
    { "IODeviceLatencyTargetSec", property_lists_device_latency },
    { "IODeviceWeight", property_lists_device_weight },
    { "IOReadBandwidthMax", property_lists_device_rate },
    { "IOReadIOPSMax", property_lists_device_rate },
    { "IOSchedulingClass", property_encode_named, .names = property_names_io_class, .max = 7 },
    { "IOSchedulingPriority", property_encode_number, .min = 0, .max = 7 },
    { "IOWeight", property_encode_weight, .min = 1, .max = 10000 },
    { "IOWriteBandwidthMax", property_lists_device_rate },
    { "IOWriteIOPSMax", property_lists_device_rate },
    { "IPAccounting", property_encode_boolean },
    { "IPAddressAllow", property_lists_addresses },
    { "IPAddressDeny", property_lists_addresses },
    { "IPCNamespacePath", property_encode_string, .check = property_parse_is_path },
    { "IPEgressFilterPath", property_lists_one, .check = property_parse_is_path },
    { "IPIngressFilterPath", property_lists_one, .check = property_parse_is_path },
    { "IgnoreSIGPIPE", property_encode_boolean },
    { "ImportCredential", property_files_import_credential },
    { "InaccessiblePaths", property_lists_words, .check = property_parse_is_prefixed_path },
    { "KeyringMode", property_encode_choice, .names = keyring },
    { "KillMode", property_encode_choice, .names = kill_mode },
    { "KillSignal", property_encode_signal },
    { "LimitAS", property_encode_rlimit, .limit = PROPERTY_LIMIT_SIZE },
    { "LimitCORE", property_encode_rlimit, .limit = PROPERTY_LIMIT_SIZE },
    { "LimitCPU", property_encode_rlimit, .limit = PROPERTY_LIMIT_SEC },
    { "LimitDATA", property_encode_rlimit, .limit = PROPERTY_LIMIT_SIZE },
    { "LimitFSIZE", property_encode_rlimit, .limit = PROPERTY_LIMIT_SIZE },
    { "LimitLOCKS", property_encode_rlimit, .limit = PROPERTY_LIMIT_COUNT },
    { "LimitMEMLOCK", property_encode_rlimit, .limit = PROPERTY_LIMIT_SIZE },
    { "LimitMSGQUEUE", property_encode_rlimit, .limit = PROPERTY_LIMIT_SIZE },
    { "LimitNICE", property_encode_rlimit, .limit = PROPERTY_LIMIT_NICE },
    { "LimitNOFILE", property_encode_rlimit, .limit = PROPERTY_LIMIT_COUNT },
    { "LimitNPROC", property_encode_rlimit, .limit = PROPERTY_LIMIT_COUNT },
    { "LimitRSS", property_encode_rlimit, .limit = PROPERTY_LIMIT_SIZE },
    { "LimitRTPRIO", property_encode_rlimit, .limit = PROPERTY_LIMIT_COUNT },
    { "LimitRTTIME", property_encode_rlimit, .limit = PROPERTY_LIMIT_USEC },
    { "LimitSIGPENDING", property_encode_rlimit, .limit = PROPERTY_LIMIT_COUNT },
    { "LimitSTACK", property_encode_rlimit, .limit = PROPERTY_LIMIT_SIZE },
    { "LoadCredential", property_files_load_credential },
    { "LoadCredentialEncrypted", property_files_load_credential },
    { "LockPersonality", property_encode_boolean },
    { "LogExtraFields", property_files_log_field },
    { "LogFilterPatterns", property_files_log_pattern },
    { "LogLevelMax", property_encode_named, .names = property_names_log_level, .max = 7 },
    { "LogRateLimitBurst", property_encode_count, .max = UINT32_MAX },
    { "LogRateLimitIntervalSec", property_encode_span },
    { "LogsDirectory", property_files_directories },
    { "LogsDirectoryMode", property_encode_mode },
    { "ManagedOOMMemoryPressure", property_encode_choice, .names = oomd },
    { "ManagedOOMMemoryPressureDurationSec", property_encode_span, .flags = PROPERTY_EMPTY_IS_INFINITE },
    { "ManagedOOMMemoryPressureLimit", property_encode_share },
    { "ManagedOOMPreference", property_encode_choice, .names = oomd_preference },
    { "ManagedOOMSwap", property_encode_choice, .names = oomd },
    { "MemoryAccounting", property_encode_boolean },
    { "MemoryDenyWriteExecute", property_encode_boolean },
    { "MemoryHigh", property_encode_limit },
    { "MemoryKSM", property_encode_boolean },
    { "MemoryLimit", property_encode_limit },
    { "MemoryLow", property_encode_limit, .flags = PROPERTY_EMPTY_IS_ZERO },
    { "MemoryMax", property_encode_limit },
    { "MemoryMin", property_encode_limit, .flags = PROPERTY_EMPTY_IS_ZERO },
    { "MemoryPressureThresholdSec", property_encode_span },
    { "MemoryPressureWatch", property_encode_choice, .names = pressure_watch, .flags = PROPERTY_BOOLEAN_TOO },
    { "MemorySwapMax", property_encode_limit },
    { "MemoryZSwapMax", property_encode_limit },
    { "MemoryZSwapWriteback", property_encode_boolean },
    { "MountAPIVFS", property_encode_boolean },
    { "MountFlags", property_encode_named_flag, .names = property_names_propagation },
    { "MountImagePolicy", property_encode_string },
    { "MountImages", property_files_images },
    { "NFTSet", property_lists_nft_sets },
    { "NUMAMask", property_lists_numa_nodes },
    { "NUMAPolicy", property_encode_named, .names = property_names_numa_policy, .max = -1 },
    { "NetworkNamespacePath", property_encode_string, .check = property_parse_is_path },
    { "Nice", property_encode_number, .min = -20, .max = 19 },
    { "NoExecPaths", property_lists_words, .check = property_parse_is_prefixed_path },
    { "NoNewPrivileges", property_encode_boolean },
    { "OOMPolicy", property_encode_choice, .names = oom_policy },
    { "OOMScoreAdjust", property_encode_number, .min = -1000, .max = 1000 },
    { "PAMName", property_encode_string },
    { "PassEnvironment", property_lists_words, .flags = PROPERTY_UNESCAPE,
        .check = property_parse_is_variable, .takes = "names of variables" },
    { "Personality", property_encode_string },
    { "PrivateDevices", property_encode_boolean },
    { "PrivateIPC", property_encode_boolean },
    { "PrivateMounts", property_encode_boolean },
    { "PrivateNetwork", property_encode_boolean },
    { "PrivatePIDs", property_encode_choice, .names = yes_no, .flags = PROPERTY_BOOLEAN_TOO },
    { "PrivateTmp", property_encode_boolean_ex, .names = private_tmp },
    { "PrivateUsers", property_encode_boolean_ex, .names = private_users },
    { "ProcSubset", property_encode_choice, .names = proc_subset },
    { "ProtectClock", property_encode_boolean },
    { "ProtectControlGroups", property_encode_boolean_ex, .names = protect_control_groups },
    { "ProtectHome", property_encode_choice, .names = protect_home, .flags = PROPERTY_BOOLEAN_TOO },
    { "ProtectHostname", property_encode_boolean },
    { "ProtectKernelLogs", property_encode_boolean },
    { "ProtectKernelModules", property_encode_boolean },
    { "ProtectKernelTunables", property_encode_boolean },
    { "ProtectProc", property_encode_choice, .names = protect_proc },
    { "ProtectSystem", property_encode_choice, .names = protect_system, .flags = PROPERTY_BOOLEAN_TOO },
    { "ReadOnlyPaths", property_lists_words, .check = property_parse_is_prefixed_path },
    { "ReadWritePaths", property_lists_words, .check = property_parse_is_prefixed_path },
    { "RemoveIPC", property_encode_boolean },
    { "RestartKillSignal", property_encode_signal },
    { "RestrictAddressFamilies", property_lists_filter },
    { "RestrictFileSystems", property_lists_filter },
    { "RestrictNamespaces", property_lists_namespaces },
    { "RestrictNetworkInterfaces", property_lists_filter },
    { "RestrictRealtime", property_encode_boolean },
    { "RestrictSUIDSGID", property_encode_boolean },
    { "RootDirectory", property_encode_string, .check = property_parse_is_path },
    { "RootEphemeral", property_encode_boolean },
    { "RootHash", property_encode_hash },
    { "RootHashSignature", property_encode_hash_signature },
    { "RootImage", property_encode_string, .check = property_parse_is_path },
    { "RootImageOptions", property_files_image_options },
    { "RootImagePolicy", property_encode_string },
    { "RootVerity", property_encode_string, .check = property_parse_is_path },
    { "RuntimeDirectory", property_files_directories },
    { "RuntimeDirectoryMode", property_encode_mode },
    { "RuntimeDirectoryPreserve", property_encode_choice, .names = preserve, .flags = PROPERTY_BOOLEAN_TOO },
    { "SELinuxContext", property_encode_string },
    { "SecureBits", property_lists_flags, .names = property_names_secure_bit },
    { "SendSIGHUP", property_encode_boolean },
    { "SendSIGKILL", property_encode_boolean },
    { "SetCredential", property_files_set_credential },
    { "SetCredentialEncrypted", property_files_set_credential, .flags = PROPERTY_ENCRYPTED },
    { "SetLoginEnvironment", property_encode_boolean },
    { "SmackProcessLabel", property_encode_label },
    { "SocketBindAllow", property_lists_bind_rule },
    { "SocketBindDeny", property_lists_bind_rule },
    { "StandardError", property_encode_stream, .names = outputs },
    { "StandardInput", property_encode_stream, .names = inputs },
    { "StandardInputData", property_encode_data },
    { "StandardInputText", property_encode_text },
    { "StandardOutput", property_encode_stream, .names = outputs },
    { "StartupAllowedCPUs", property_lists_cpus },
    { "StartupAllowedMemoryNodes", property_lists_cpus },
    { "StartupBlockIOWeight", property_encode_weight, .min = 10, .max = 1000 },
    { "StartupCPUShares", property_encode_weight, .min = 2, .max = 262144 },
    { "StartupCPUWeight", property_encode_weight, .min = 1, .max = 10000, .flags = PROPERTY_IDLE_TOO,
        .takes = "a number from 1 to 10000, or idle" },
    { "StartupIOWeight", property_encode_weight, .min = 1, .max = 10000 },
    { "StartupMemoryHigh", property_encode_limit, .flags = PROPERTY_NO_SHARE },
    { "StartupMemoryLow", property_encode_limit, .flags = PROPERTY_EMPTY_IS_ZERO | PROPERTY_NO_SHARE },
    { "StartupMemoryMax", property_encode_limit, .flags = PROPERTY_NO_SHARE },
    { "StartupMemorySwapMax", property_encode_limit, .flags = PROPERTY_NO_SHARE },
    { "StartupMemoryZSwapMax", property_encode_limit, .flags = PROPERTY_NO_SHARE },
    { "StateDirectory", property_files_directories },
    { "StateDirectoryMode", property_encode_mode },
    { "SuccessExitStatus", property_lists_statuses },
    { "SupplementaryGroups", property_lists_words },
    { "SyslogFacility", property_encode_named, .names = property_names_log_facility, .max = 127 },
    { "SyslogIdentifier", property_encode_string },
    { "SyslogLevel", property_encode_named, .names = property_names_log_level, .max = 7 },
    { "SyslogLevelPrefix", property_encode_boolean },
    { "SystemCallArchitectures", property_lists_words },
    { "SystemCallErrorNumber", property_encode_errno },
    { "SystemCallFilter", property_lists_filter },
    { "SystemCallLog", property_lists_filter },
    { "TTYColumns", property_encode_count, .max = UINT32_MAX },
    { "TTYPath", property_encode_string, .check = property_parse_is_path },
    { "TTYReset", property_encode_boolean },
    { "TTYRows", property_encode_count, .max = UINT32_MAX },
    { "TTYVHangup", property_encode_boolean },
    { "TTYVTDisallocate", property_encode_boolean },
    { "TasksAccounting", property_encode_boolean },
    { "TasksMax", property_encode_limit, .flags = PROPERTY_PLAIN_NUMBER },
    { "TemporaryFileSystem", property_files_tmpfs },
    { "TimeoutStopSec", property_encode_span },
    { "TimerSlackNSec", property_encode_nsec },
    { "UMask", property_encode_mode },
    { "UnsetEnvironment", property_lists_words, .flags = PROPERTY_UNESCAPE, .check = property_parse_is_unset,
        .takes = "names of variables, or assignments NAME=value" },
    { "User", property_encode_string },
    { "UtmpIdentifier", property_encode_string },
    { "UtmpMode", property_encode_choice, .names = utmp_mode },
    { "WatchdogSec", property_encode_span },
    { "WatchdogSignal", property_encode_signal },
    { "WorkingDirectory", property_encode_string, .check = property_parse_is_home_path,
        .takes = "~ or an absolute path, with - before it if it may be missing" },
};

const size_t property_table_n = G_N_ELEMENTS(property_table);

static int compare_key(const void *key, const void *entry)
{
    return strcmp(key, ((const Property *)entry)->key);
}

const Property *property_table_find(const char *key)
{
    return bsearch(key, property_table, property_table_n, sizeof(Property), compare_key);
}

static void assignment_free(gpointer assignment)
{
    g_variant_unref(assignment);
}

void property_out_init(PropertyOut *out)
{
    out->assignments = g_ptr_array_new_with_free_func(assignment_free);
    out->reason = NULL;
}

void property_out_clear(PropertyOut *out)
{
    g_clear_pointer(&out->assignments, g_ptr_array_unref);
    g_clear_pointer(&out->reason, g_free);
}

void property_out_add(PropertyOut *out, const Property *p, const char *name, GVariant *value)
{
    GVariant *assignment = g_variant_new("(sv)", name ? name : p->key, value);

    g_ptr_array_add(out->assignments, g_variant_ref_sink(assignment));
}

int property_out_refuse(PropertyOut *out, const Property *p, const char *value, const char *takes)
{
    if (p->takes)
        takes = p->takes;
    if (out->reason)
        return -EINVAL;
    out->reason = value ? g_strdup_printf("%s= takes %s, not \"%s\".", p->key, takes, value)
                        : g_strdup_printf("%s= takes %s.", p->key, takes);
    return -EINVAL;
}

int property_out_refuse_syntax(PropertyOut *out, const Property *p)
{
    out->reason = g_strdup_printf(
        "%s= has a quote that is not closed or an escape that is not known; write \\\\ for a backslash.",
        p->key);
    return -EINVAL;
}
