/* The private database's servers: which major versions of PostgreSQL are installed, and which one made the
 * cluster. The same rules as in data/taskschedd-postgresql. */
#include "core/internal.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#define SERVERS_DIRECTORY "/usr/lib/postgresql"
#define UPGRADE_UNIT      "taskschedd-postgresql-upgrade.service"
#define LOOK_USEC         (10 * USEC_PER_SEC)

/* One helper under way. What it writes fits into a pipe, so it is read when the helper has ended. */
typedef struct Look {
    Manager *manager;
    ManagerServersFn fn;
    void *userdata;
    pid_t pid;
    int fd;
    bool ended;
    sd_event_source *child;
    ClockTimer *timer;
} Look;

static void look_free(Look *l)
{
    l->manager->looks = g_list_remove(l->manager->looks, l);
    l->child = sd_event_source_disable_unref(l->child);
    if (l->pid > 0 && !l->ended) {
        kill(l->pid, SIGKILL);
        waitpid(l->pid, NULL, WNOHANG);
    }
    util_closep(&l->fd);
    clock_timer_free(l->timer);
    g_free(l);
}

static void look_end(Look *l, int r, const DatabaseServers *servers)
{
    ManagerServersFn fn = l->fn;
    void *userdata = l->userdata;

    look_free(l);
    fn(r, servers, userdata);
}

void database_cancel_all(Manager *m)
{
    while (m->looks)
        look_end(m->looks->data, -ECANCELED, NULL);
}

static void on_look_timeout(void *userdata)
{
    look_end(userdata, -ETIMEDOUT, NULL);
}

static int look_read(const Look *l, DatabaseServers *ret)
{
    unsigned installed;
    char line[64];
    ssize_t n = read(l->fd, line, sizeof line - 1);

    if (n < 0)
        return -errno;
    line[n] = '\0';
    if (sscanf(line, "%u %u %u", &ret->cluster, &ret->newest, &installed) != 3)
        return -EBADMSG;
    ret->installed = installed > 0;
    return 0;
}

static int on_look_exit(sd_event_source *source, const siginfo_t *si, void *userdata)
{
    DatabaseServers servers = { 0 };
    Look *l = userdata;
    int r = look_read(l, &servers);

    l->ended = true;
    look_end(l, r, &servers);
    return 0;
}

static int look_spawn(Look *l, int output)
{
    const char *argv[] = { "taskschedd", "--helper=database", l->manager->data_directory, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int r;

    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    r = -posix_spawn(&l->pid, "/proc/self/exe", &actions, &attributes, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return r;
}

static int look_start(Look *l)
{
    _cleanup_(util_closep) int output = -1;
    int pipes[2], r;

    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    l->fd = pipes[0];
    output = pipes[1];
    r = clock_timer_new(l->manager->clock, CLOCK_BOOT, on_look_timeout, l, &l->timer);
    if (r >= 0)
        r = look_spawn(l, output);
    if (r >= 0)
        r = sd_event_add_child(l->manager->event, &l->child, l->pid, WEXITED, on_look_exit, l);
    if (r >= 0)
        r = clock_timer_arm(l->timer, clock_boot(l->manager->clock) + LOOK_USEC);
    return r;
}

int manager_look_for_servers(Manager *m, ManagerServersFn fn, void *userdata)
{
    Look *l = g_new0(Look, 1);
    int r;

    if (!m->data_directory) {
        g_free(l);
        return -EOPNOTSUPP;
    }
    l->manager = m;
    l->fn = fn;
    l->userdata = userdata;
    l->fd = -1;
    m->looks = g_list_prepend(m->looks, l);
    r = look_start(l);
    if (r < 0)
        look_free(l);
    return r;
}

/* --- upgrading --- */

typedef struct Upgrade {
    Manager *manager;
    ManagerDoneFn fn;
    void *userdata;
} Upgrade;

static void upgrade_end(Upgrade *u, int r, const Error *error)
{
    u->fn(r, error, u->userdata);
    g_free(u);
}

static void on_upgrade_asked(int r, const Error *asked, void *userdata)
{
    g_auto(Error) error = { 0 };

    if (r < 0)
        r = error_set(&error, ERROR_FAILED, "The service manager does not start %s: %s", UPGRADE_UNIT,
            asked && asked->message ? asked->message : g_strerror(-r));
    upgrade_end(userdata, r, &error);
}

/* Why there is nothing to be done; what the script would find out too, but nobody would be told. */
static int upgrade_judge(const Manager *m, const DatabaseServers *s, Error *error)
{
    if (s->cluster == 0)
        return error_set(error, ERROR_NOT_AVAILABLE, "There is no database in %s yet: %s", m->data_directory,
            *m->reason ? m->reason : "it is being made");
    if (!s->installed) {
        error_set_hint(error, "Install the package postgresql-%u.", s->cluster);
        return error_set(error, ERROR_NOT_AVAILABLE,
            "The database was made by PostgreSQL %u, which has to be installed for the upgrade, and is not.",
            s->cluster);
    }
    if (s->newest <= s->cluster) {
        error_set_hint(error, "Install a newer server first, on Debian a package such as postgresql-%u.",
            s->cluster + 1);
        return error_set(error, ERROR_FAILED,
            "The database is of PostgreSQL %u, and no newer server is installed: there is nothing to do.",
            s->cluster);
    }
    return 0;
}

static void on_upgrade_servers(int r, const DatabaseServers *servers, void *userdata)
{
    g_auto(Error) error = { 0 };
    Upgrade *u = userdata;

    if (r < 0)
        r = error_set(
            &error, ERROR_FAILED, "It cannot be found out which servers are installed: %s", g_strerror(-r));
    else
        r = upgrade_judge(u->manager, servers, &error);
    if (r >= 0)
        r = exec_start_unit(u->manager->exec, UPGRADE_UNIT, on_upgrade_asked, u);
    if (r < 0)
        upgrade_end(u, r, &error);
}

int manager_upgrade_database(Manager *m, ManagerDoneFn fn, void *userdata, Error *error)
{
    Upgrade *u;
    int r;

    if (!m->data_directory)
        return error_set(error, ERROR_FAILED,
            "The database is the one that ConnInfo= names, not taskschedd's own: it is upgraded where it is.");
    u = g_new0(Upgrade, 1);
    u->manager = m;
    u->fn = fn;
    u->userdata = userdata;
    r = manager_look_for_servers(m, on_upgrade_servers, u);
    if (r < 0) {
        g_free(u);
        return r;
    }
    return 0;
}

/* --- the helper --- */

static bool helper_has_program(const char *servers, unsigned version, const char *program)
{
    g_autofree char *path = g_strdup_printf("%s/%u/bin/%s", servers, version, program);

    return access(path, X_OK) == 0;
}

static unsigned helper_newest(const char *servers)
{
    g_autoptr(GDir) dir = g_dir_open(servers, 0, NULL);
    unsigned newest = 0;
    const char *name;
    uint64_t version;

    while (dir && (name = g_dir_read_name(dir)))
        if (g_ascii_string_to_unsigned(name, 10, 1, 999, &version, NULL) && version > newest &&
            helper_has_program(servers, (unsigned)version, "initdb"))
            newest = (unsigned)version;
    return newest;
}

static unsigned helper_cluster(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "PG_VERSION", NULL), *text = NULL;
    uint64_t version;

    if (!g_file_get_contents(path, &text, NULL, NULL) ||
        !g_ascii_string_to_unsigned(g_strchomp(text), 10, 1, 999, &version, NULL))
        return 0;
    return (unsigned)version;
}

int database_helper_main(int argc, char **argv)
{
    const char *servers = g_getenv("TASKSCHEDD_POSTGRESQL_SERVERS");
    unsigned cluster;

    if (argc != 1)
        return 2;
    if (!servers)
        servers = SERVERS_DIRECTORY;
    cluster = helper_cluster(argv[0]);
    printf("%u %u %u\n", cluster, helper_newest(servers),
        cluster > 0 && helper_has_program(servers, cluster, "postgres"));
    return 0;
}
