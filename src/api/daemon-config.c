/* Configuration files, read as systemd reads its own: a line that is wrong is named and left out, the rest
 * holds. */
#include "api/daemon-config.h"

#include "base/log.h"
#include "model/timespec.h"

#define HISTORY_AGE_DEFAULT (90 * 86400 * USEC_PER_SEC)
#define HISTORY_RUNS_MAX    1000000000
#define SIZE_DEFAULT        ((size_t)512 * 1024)
/* The service manager takes 1 MiB of credentials for a unit, base64 included. */
#define SIZE_MAX_KIB 768

/* One line on its way into the configuration. */
typedef struct ConfigLine {
    const char *file;
    unsigned number;
    const char *key, *value;
} ConfigLine;

static void config_warn(const ConfigLine *l, const char *problem)
{
    log_message(LOG_WARNING, NULL, "%s:%u: %s", l->file, l->number, problem);
}

static void config_set_conninfo(DaemonConfig *c, const ConfigLine *l)
{
    g_free(c->conninfo);
    c->conninfo = *l->value ? g_strdup(l->value) : NULL;
}

static void config_set_node(DaemonConfig *c, const ConfigLine *l)
{
    if (*l->value && !task_name_is_valid(l->value)) {
        config_warn(l,
            "NodeName= is 1 to 64 of the characters A-Z a-z 0-9 . _ -, the first a letter or digit; "
            "ignored.");
        return;
    }
    g_free(c->node);
    c->node = *l->value ? g_strdup(l->value) : NULL;
}

/* Bytes with an optional K or M. */
static int config_parse_size(const char *text, uint64_t *ret)
{
    static const struct {
        const char *suffix;
        uint64_t factor;
    } units[] = { { "", 1 }, { "K", 1024 }, { "M", 1024 * 1024 } };
    size_t digits = strspn(text, "0123456789");
    g_autofree char *number = g_strndup(text, digits);
    uint64_t value;

    if (!g_ascii_string_to_unsigned(number, 10, 1, G_MAXUINT32, &value, NULL))
        return -EINVAL;
    ARRAY_FOREACH (u, units) {
        if (!g_str_equal(u->suffix, text + digits))
            continue;
        *ret = value * u->factor;
        return 0;
    }
    return -EINVAL;
}

static void config_set_size(const ConfigLine *l, size_t *ret)
{
    uint64_t size = SIZE_DEFAULT;

    if (*l->value && config_parse_size(l->value, &size) < 0) {
        config_warn(l, "A size is a number of bytes, or of KiB or MiB with K or M after it; ignored.");
        return;
    }
    if (size > (uint64_t)SIZE_MAX_KIB * 1024) {
        config_warn(l, "The largest possible value is " G_STRINGIFY(SIZE_MAX_KIB) "K: that is used.");
        size = (uint64_t)SIZE_MAX_KIB * 1024;
    }
    *ret = (size_t)size;
}

static void config_set_input_max(DaemonConfig *c, const ConfigLine *l)
{
    config_set_size(l, &c->input_max);
}

static void config_set_output_max(DaemonConfig *c, const ConfigLine *l)
{
    config_set_size(l, &c->output_max);
}

static void config_set_history_age(DaemonConfig *c, const ConfigLine *l)
{
    uint64_t age = HISTORY_AGE_DEFAULT;

    if (*l->value && (timespec_parse_span(l->value, &age) < 0 || age < USEC_PER_SEC)) {
        config_warn(l, "HistoryMaxAge= is a time span of 1s or more, such as 90d, or infinity; ignored.");
        return;
    }
    c->history_age_usec = age;
}

static void config_set_history_runs(DaemonConfig *c, const ConfigLine *l)
{
    uint64_t runs = USEC_INFINITY;

    if (*l->value && !g_str_equal(l->value, "infinity") &&
        !g_ascii_string_to_unsigned(l->value, 10, 1, HISTORY_RUNS_MAX, &runs, NULL)) {
        config_warn(l,
            "HistoryMaxRuns= is a number from 1 to " G_STRINGIFY(HISTORY_RUNS_MAX) ", or infinity; ignored.");
        return;
    }
    c->history_runs = runs;
}

static const struct {
    const char *key;
    void (*set)(DaemonConfig *c, const ConfigLine *l);
} keys[] = {
    { "ConnInfo", config_set_conninfo },
    { "NodeName", config_set_node },
    { "InputMax", config_set_input_max },
    { "OutputMax", config_set_output_max },
    { "HistoryMaxAge", config_set_history_age },
    { "HistoryMaxRuns", config_set_history_runs },
};

static void config_assign(DaemonConfig *c, const ConfigLine *l)
{
    g_autofree char *problem = NULL;

    ARRAY_FOREACH (k, keys)
        if (g_str_equal(k->key, l->key)) {
            k->set(c, l);
            return;
        }
    problem = g_strdup_printf("There is no key \"%s\" in [Daemon]; ignored.", l->key);
    config_warn(l, problem);
}

/* line is changed. in_daemon is kept from line to line. */
static void config_parse_line(DaemonConfig *c, const char *file, unsigned number, char *line, bool *in_daemon)
{
    ConfigLine l = { .file = file, .number = number };
    char *equals;

    g_strstrip(line);
    if (!*line || *line == '#' || *line == ';')
        return;
    if (*line == '[') {
        *in_daemon = g_str_equal(line, "[Daemon]");
        if (!*in_daemon)
            config_warn(&l, "The only section is [Daemon]; what follows is ignored.");
        return;
    }
    equals = strchr(line, '=');
    if (!equals) {
        config_warn(&l, "This is no line of the form Key=value; ignored.");
        return;
    }
    if (!*in_daemon) {
        config_warn(&l, "This stands outside of [Daemon]; ignored.");
        return;
    }
    *equals = '\0';
    l.key = g_strchomp(line);
    l.value = g_strchug(equals + 1);
    config_assign(c, &l);
}

static int config_read(DaemonConfig *c, const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    bool in_daemon = false;

    if (!g_file_get_contents(file, &text, NULL, &error)) {
        log_message(LOG_WARNING, NULL, "%s", error->message);
        return -ENOENT;
    }
    lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i]; i++)
        config_parse_line(c, file, i + 1, lines[i], &in_daemon);
    return 0;
}

/* --- which files --- */

/* Highest first. */
static char **config_directories(bool user_scope)
{
    char **directories;

    if (!user_scope)
        return g_strsplit("/etc/taskschedd:/run/taskschedd:/usr/lib/taskschedd", ":", -1);
    directories = g_new0(char *, 2);
    directories[0] = g_build_filename(g_get_user_config_dir(), "taskschedd", NULL);
    return directories;
}

/* The drop-ins of one directory, by name; a name that is there already came from a higher one. */
static void config_gather(GTree *files, const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "taskschedd.conf.d", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_suffix(name, ".conf") && !g_tree_lookup(files, name))
            g_tree_insert(files, g_strdup(name), g_build_filename(path, name, NULL));
}

static gboolean config_read_drop_in(void *name, void *path, void *config)
{
    (void)config_read(config, path);
    return FALSE;
}

static int compare_names(const void *a, const void *b, void *userdata)
{
    return strcmp(a, b);
}

static void config_read_all(DaemonConfig *c)
{
    g_autoptr(GTree) files = g_tree_new_full(compare_names, NULL, g_free, g_free);
    g_auto(GStrv) directories = config_directories(c->user_scope);
    bool found = false;

    for (char **d = directories; *d; d++) {
        g_autofree char *file = g_build_filename(*d, "taskschedd.conf", NULL);

        if (!found && g_file_test(file, G_FILE_TEST_EXISTS)) {
            (void)config_read(c, file);
            found = true;
        }
        config_gather(files, *d);
    }
    /* A link to /dev/null reads as an empty file, and so masks its name. */
    g_tree_foreach(files, config_read_drop_in, c);
}

/* --- defaults --- */

/* The service manager may name several directories; the first is ours. */
static char *config_directory(const char *variable, const char *fallback)
{
    const char *value = g_getenv(variable);

    if (!value || *value != '/')
        return g_strdup(fallback);
    return g_strndup(value, strcspn(value, ":"));
}

static void config_default_directories(DaemonConfig *c)
{
    g_autofree char *run = NULL, *state = NULL;

    if (c->user_scope) {
        run = g_build_filename(g_get_user_runtime_dir(), "taskschedd", NULL);
        state = g_build_filename(g_get_home_dir(), ".local", "state", "taskschedd", NULL);
        c->output_directory = g_build_filename(g_get_user_runtime_dir(), "tsched-output", NULL);
    } else {
        run = g_strdup("/run/taskschedd");
        state = g_strdup("/var/lib/taskschedd");
        c->output_directory = g_strdup("/run/tsched-output");
    }
    c->runtime_directory = config_directory("RUNTIME_DIRECTORY", run);
    c->state_directory = config_directory("STATE_DIRECTORY", state);
}

/* What the variable says, else a folder in each of the directories. */
static char **config_folders(const DaemonConfig *c, const char *variable, const char *folder)
{
    const char *path = g_getenv(variable);
    g_auto(GStrv) directories = config_directories(c->user_scope);
    guint n = g_strv_length(directories);
    char **folders;

    if (path && *path)
        return g_strsplit(path, ":", -1);
    folders = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++)
        folders[i] = g_build_filename(directories[i], folder, NULL);
    return folders;
}

/* The host's name, in the characters that a node's name has. */
static char *config_default_node(void)
{
    g_autofree char *name = NULL;
    char *start;

    if (!g_file_get_contents("/proc/sys/kernel/hostname", &name, NULL, NULL))
        return g_strdup("localhost");
    g_strstrip(name);
    g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-", '-');
    start = name + strspn(name, "._-");
    return *start ? g_strndup(start, 64) : g_strdup("localhost");
}

int daemon_config_load(bool user_scope, const char *file, DaemonConfig *ret)
{
    g_auto(DaemonConfig) c = { .user_scope = user_scope };
    int r;

    c.input_max = c.output_max = SIZE_DEFAULT;
    c.history_age_usec = HISTORY_AGE_DEFAULT;
    c.history_runs = USEC_INFINITY;
    config_default_directories(&c);
    c.task_directories = config_folders(&c, "TASKSCHEDD_TASK_PATH", "tasks");
    c.calendar_directories = config_folders(&c, "TASKSCHEDD_CALENDAR_PATH", "calendars");
    if (file) {
        r = config_read(&c, file);
        if (r < 0)
            return r;
    } else {
        config_read_all(&c);
    }
    c.embedded = !c.conninfo;
    if (c.embedded)
        c.conninfo =
            g_strdup_printf("host=%s/postgresql user=taskschedd dbname=taskschedd", c.runtime_directory);
    if (!c.node)
        c.node = config_default_node();
    *ret = c;
    c = (DaemonConfig){ 0 };
    return 0;
}

void daemon_config_clear(DaemonConfig *c)
{
    g_free(c->conninfo);
    g_free(c->node);
    g_free(c->runtime_directory);
    g_free(c->output_directory);
    g_free(c->state_directory);
    g_strfreev(c->task_directories);
    g_strfreev(c->calendar_directories);
    *c = (DaemonConfig){ 0 };
}

ManagerConfig daemon_config_manager(const DaemonConfig *c)
{
    return (ManagerConfig){
        .user_scope = c->user_scope,
        .embedded = c->embedded,
        .conninfo = c->conninfo,
        .node = c->node,
        .runtime_directory = c->runtime_directory,
        .output_directory = c->output_directory,
        .state_directory = c->state_directory,
        .task_directories = (const char *const *)c->task_directories,
        .calendar_directories = (const char *const *)c->calendar_directories,
        .input_max = c->input_max,
        .output_max = c->output_max,
        .history_age_usec = c->history_age_usec,
        .history_runs = c->history_runs,
    };
}
