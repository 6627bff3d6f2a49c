/* Names of units, and the mirror of a unit's properties. */
#include "exec/unit.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#define UNIT_PATH_PREFIX "/org/freedesktop/systemd1/unit"
#define UNIT_PREFIX      "tsched-run-"
#define UNIT_SUFFIX      ".service"
#define TOKEN_FIELD      "TASKSCHEDD_TOKEN="

typedef struct UnitProperty {
    const char *name;
    char
        type; /* of the bus; A: the invocation id, C: the command, L: the extra fields of the log, M: a time on CLOCK_MONOTONIC,
                  T: a time, 0 is none */
    size_t offset;
} UnitProperty;

#define FIELD(member) offsetof(UnitState, member)

static const UnitProperty properties[] = {
    { "ActiveState", 's', FIELD(active_state) },
    { "CPUUsageNSec", 't', FIELD(cpu_nsec) },
    { "ControlGroup", 's', FIELD(control_group) },
    { "ExecMainCode", 'i', FIELD(main_code) },
    { "ExecMainExitTimestamp", 'T', FIELD(exited) },
    { "ExecMainExitTimestampMonotonic", 'M', FIELD(exited_boot) },
    { "ExecMainStartTimestamp", 'T', FIELD(started) },
    { "ExecMainStartTimestampMonotonic", 'M', FIELD(started_boot) },
    { "ExecMainStatus", 'i', FIELD(main_status) },
    { "ExecStart", 'C', FIELD(never_ran) },
    { "IOReadBytes", 't', FIELD(io_read) },
    { "IOWriteBytes", 't', FIELD(io_write) },
    { "IPEgressBytes", 't', FIELD(ip_out) },
    { "IPIngressBytes", 't', FIELD(ip_in) },
    { "InvocationID", 'A', FIELD(invocation_id) },
    { "LogExtraFields", 'L', FIELD(token) },
    { "MainPID", 'u', FIELD(main_pid) },
    { "MemoryPeak", 't', FIELD(memory_peak) },
    { "PrivatePIDs", 's', FIELD(private_pids) },
    { "RemainAfterExit", 'b', FIELD(remain_after_exit) },
    { "Result", 's', FIELD(result) },
    { "RuntimeDirectoryPreserve", 's', FIELD(directory_preserve) },
    { "RuntimeMaxUSec", 't', FIELD(runtime_max_usec) },
    { "StatusText", 's', FIELD(status_text) },
    { "SubState", 's', FIELD(sub_state) },
};

static void *unit_field(UnitState *u, const UnitProperty *p)
{
    return (char *)u + p->offset;
}

static bool unit_property_is_string(const UnitProperty *p)
{
    return strchr("sAL", p->type) != NULL;
}

bool unit_state_is_over(const UnitState *u)
{
    if (g_str_equal(u->active_state, "active"))
        return g_str_equal(u->sub_state, "exited");
    return g_str_equal(u->active_state, "failed") || g_str_equal(u->active_state, "inactive");
}

UnitState *unit_state_new(const char *unit)
{
    UnitState *u = g_new0(UnitState, 1);

    u->unit = g_strdup(unit);
    exec_unit_parse(unit, &u->run, &u->attempt);
    ARRAY_FOREACH (p, properties)
        if (unit_property_is_string(p))
            *(char **)unit_field(u, p) = g_strdup("");
        else if (strchr("tTM", p->type))
            *(uint64_t *)unit_field(u, p) = UNSET;
    return u;
}

void unit_state_free(UnitState *u)
{
    if (!u)
        return;
    ARRAY_FOREACH (p, properties)
        if (unit_property_is_string(p))
            g_free(*(char **)unit_field(u, p));
    g_free(u->unit);
    g_free(u);
}

UnitState *unit_state_copy(const UnitState *u)
{
    UnitState *copy = g_memdup2(u, sizeof(*u));

    copy->unit = g_strdup(u->unit);
    ARRAY_FOREACH (p, properties)
        if (unit_property_is_string(p))
            *(char **)unit_field(copy, p) = g_strdup(*(char **)unit_field(copy, p));
    return copy;
}

static void unit_take_string(char **field, char *value)
{
    g_free(*field);
    *field = value;
}

/* The variant holds an ay of 16 bytes, or of none. */
static int unit_read_id(char **field, sd_bus_message *m)
{
    g_autoptr(GString) hex = g_string_new(NULL);
    const void *data;
    size_t size;
    int r;

    r = sd_bus_message_read_array(m, 'y', &data, &size);
    if (r < 0)
        return r;
    for (size_t i = 0; i < size; i++)
        g_string_append_printf(hex, "%02x", ((const uint8_t *)data)[i]);
    unit_take_string(field, g_strdup(hex->str));
    return 0;
}

/* The variant holds an aay: fields NAME=VALUE of every line that the unit logs. The claim's token is one. */
static int unit_read_token(char **field, sd_bus_message *m)
{
    const size_t stem = strlen(TOKEN_FIELD);
    const void *data;
    size_t size;
    int r;

    r = sd_bus_message_enter_container(m, 'a', "ay");
    if (r < 0)
        return r;
    while ((r = sd_bus_message_read_array(m, 'y', &data, &size)) > 0)
        if (size > stem && memcmp(data, TOKEN_FIELD, stem) == 0)
            unit_take_string(field, g_strndup((const char *)data + stem, size - stem));
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* The variant holds an a(sasbttttuii): path, arguments, flag, when it was started, … Read again from its file
 * the command has no times, until it is executed. */
static int unit_read_command(bool *field, sd_bus_message *m)
{
    const char *path;
    uint64_t started;
    int r;

    r = sd_bus_message_enter_container(m, 'a', "(sasbttttuii)");
    if (r < 0)
        return r;
    while ((r = sd_bus_message_enter_container(m, 'r', "sasbttttuii")) > 0) {
        r = sd_bus_message_read_basic(m, 's', &path);
        if (r >= 0)
            r = sd_bus_message_skip(m, "asb");
        if (r >= 0)
            r = sd_bus_message_read_basic(m, 't', &started);
        if (r >= 0)
            r = sd_bus_message_skip(m, "tttuii");
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
        if (r < 0)
            return r;
        *field = started > 0 && g_str_equal(path, UNIT_NO_PROGRAM);
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int unit_read_string(char **field, sd_bus_message *m)
{
    const char *s;
    int r;

    r = sd_bus_message_read_basic(m, 's', &s);
    if (r >= 0)
        unit_take_string(field, g_strdup(s));
    return r;
}

static uint64_t unit_now(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

/* The manager's clock stands still while the host sleeps: an instant before that counts as so much later, as it does for
 * the manager's own limits. */
static uint64_t unit_boot_time(uint64_t monotonic)
{
    return monotonic + (unit_now(CLOCK_BOOTTIME) - unit_now(CLOCK_MONOTONIC));
}

static int unit_read_number(uint64_t *field, sd_bus_message *m, char type)
{
    uint32_t small;
    uint64_t big;
    int r;

    if (type == 'u') {
        r = sd_bus_message_read_basic(m, 'u', &small);
        big = small;
    } else {
        r = sd_bus_message_read_basic(m, 't', &big);
    }
    if (r >= 0 && strchr("TM", type) && big == 0)
        *field = UNSET;
    else if (r >= 0)
        *field = type == 'M' ? unit_boot_time(big) : big;
    return r;
}

static int unit_read_property(UnitState *u, const UnitProperty *p, sd_bus_message *m)
{
    static const struct {
        char type;
        const char *signature;
    } signatures[] = { { 'A', "ay" }, { 'C', "a(sasbttttuii)" }, { 'L', "aay" }, { 'M', "t" }, { 'T', "t" } };
    void *field = unit_field(u, p);
    char plain[2] = { p->type, 0 };
    const char *signature = plain;
    int r, flag;

    ARRAY_FOREACH (s, signatures)
        if (s->type == p->type)
            signature = s->signature;
    r = sd_bus_message_enter_container(m, 'v', signature);
    if (r < 0)
        return r;
    if (p->type == 'A') {
        r = unit_read_id(field, m);
    } else if (p->type == 'C') {
        r = unit_read_command(field, m);
    } else if (p->type == 'L') {
        r = unit_read_token(field, m);
    } else if (p->type == 's') {
        r = unit_read_string(field, m);
    } else if (p->type == 'i') {
        r = sd_bus_message_read_basic(m, 'i', field);
    } else if (p->type == 'b') {
        r = sd_bus_message_read_basic(m, 'b', &flag);
        *(bool *)field = r >= 0 && flag;
    } else {
        r = unit_read_number(field, m, p->type);
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

int unit_state_read_id(UnitState *u, sd_bus_message *m)
{
    static const UnitProperty id = { "InvocationID", 'A', FIELD(invocation_id) };

    return unit_read_property(u, &id, m);
}

int unit_state_read_command(UnitState *u, sd_bus_message *m)
{
    static const UnitProperty command = { "ExecStart", 'C', FIELD(never_ran) };

    return unit_read_property(u, &command, m);
}

int unit_state_read(UnitState *u, sd_bus_message *m)
{
    const char *name;
    int r;

    r = sd_bus_message_enter_container(m, 'a', "{sv}");
    if (r < 0)
        return r;
    while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        const UnitProperty *found = NULL;

        r = sd_bus_message_read_basic(m, 's', &name);
        if (r < 0)
            return r;
        for (size_t i = 0; i < G_N_ELEMENTS(properties) && !found; i++)
            if (properties[i].name[0] == name[0] && g_str_equal(properties[i].name, name))
                found = &properties[i];
        r = found ? unit_read_property(u, found, m) : sd_bus_message_skip(m, "v");
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
        if (r < 0)
            return r;
    }
    /* Before systemd 257, of a group that is gone what is told is what somebody read at some time before. */
    if (u->private_pids[0] == 0)
        u->io_read = u->io_write = UNSET;
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

char *exec_unit_name(uint64_t run, unsigned attempt)
{
    return g_strdup_printf(UNIT_PREFIX "%" G_GUINT64_FORMAT "-%u" UNIT_SUFFIX, run, attempt);
}

/* A number as exec_unit_name() writes it: digits alone, the first of them not 0. */
static bool unit_parse_number(const char **p, uint64_t max, uint64_t *ret)
{
    char *end;

    if (**p < '1' || **p > '9')
        return false;
    errno = 0;
    *ret = g_ascii_strtoull(*p, &end, 10);
    *p = end;
    return errno == 0 && *ret <= max;
}

bool exec_unit_parse(const char *unit, uint64_t *ret_run, unsigned *ret_attempt)
{
    const char *p = unit + strlen(UNIT_PREFIX);
    uint64_t run, attempt;

    if (!g_str_has_prefix(unit, UNIT_PREFIX) || !unit_parse_number(&p, UINT64_MAX - 1, &run))
        return false;
    if (*p++ != '-' || !unit_parse_number(&p, UINT32_MAX, &attempt) || !g_str_equal(p, UNIT_SUFFIX))
        return false;
    *ret_run = run;
    *ret_attempt = (unsigned)attempt;
    return true;
}

/* As systemd-escape does: a dash in a slice's name would make it a child of another slice. */
char *exec_slice_name(const char *queue)
{
    g_autoptr(GString) s = g_string_new("taskschedd-");

    for (const char *p = queue; *p; p++)
        if (g_ascii_isalnum(*p) || *p == '_' || *p == ':' || (*p == '.' && p != queue))
            g_string_append_c(s, *p);
        else
            g_string_append_printf(s, "\\x%02x", (unsigned char)*p);
    g_string_append(s, ".slice");
    return g_strdup(s->str);
}

char *unit_path(const char *unit)
{
    char *path = NULL;

    return sd_bus_path_encode(UNIT_PATH_PREFIX, unit, &path) < 0 ? NULL : path;
}

bool unit_path_is_ours(const char *path)
{
    return path && g_str_has_prefix(path, UNIT_PATH_PREFIX "/tsched_2drun_2d");
}
