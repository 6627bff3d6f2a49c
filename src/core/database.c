/* The private database's servers: which major versions of PostgreSQL are installed, and which one made the
 * cluster. The same rules as in data/taskschedd-postgresql. */
#include "core/internal.h"

#include <stdio.h>

#include "base/helper-process.h"

#define SERVERS_DIRECTORY "/usr/lib/postgresql"
#define UPGRADE_UNIT      "taskschedd-postgresql-upgrade.service"
#define LOOK_USEC         (10 * USEC_PER_SEC)
#define LOOK_MAX          4096

typedef struct Look {
    Manager *manager;
    ManagerServersFn fn;
    void *userdata;
    HelperProcess *process;
} Look;

static void look_end(Look *l, int r, const DatabaseServers *servers)
{
    ManagerServersFn fn = l->fn;
    void *userdata = l->userdata;

    l->manager->looks = g_list_remove(l->manager->looks, l);
    g_free(l);
    fn(r, servers, userdata);
}

void database_cancel_all(Manager *m)
{
    while (m->looks) {
        Look *l = m->looks->data;

        helper_process_free(l->process);
        look_end(l, -ECANCELED, NULL);
    }
}

/* Three numbers: the cluster's version, the newest, and whether the cluster's own is installed. */
static int look_parse(const char *output, DatabaseServers *ret)
{
    g_auto(GStrv) words = g_strsplit(output, " ", -1);
    guint64 numbers[3] = { 0 };

    if (g_strv_length(words) != G_N_ELEMENTS(numbers))
        return -EBADMSG;
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (!g_ascii_string_to_unsigned(g_strstrip(words[i]), 10, 0, UINT_MAX, &numbers[i], NULL))
            return -EBADMSG;
    *ret = (DatabaseServers){
        .cluster = (unsigned)numbers[0], .newest = (unsigned)numbers[1], .installed = numbers[2] > 0
    };
    return 0;
}

static void on_looked(int r, const char *output, size_t length, void *userdata)
{
    DatabaseServers servers = { 0 };

    if (r >= 0)
        r = look_parse(output, &servers);
    look_end(userdata, r, r < 0 ? NULL : &servers);
}

int manager_look_for_servers(Manager *m, ManagerServersFn fn, void *userdata)
{
    const char *const argv[] = { "taskschedd", "--helper=database", m->data_directory, NULL };
    Look *l;
    HelperProcessSpec spec = {
        .program = HELPER_PROCESS_SELF,
        .argv = argv,
        .input = -1,
        .output = -1,
        .output_max = LOOK_MAX,
        .timeout_usec = LOOK_USEC,
        .fn = on_looked,
    };
    int r;

    if (!m->data_directory)
        return -EOPNOTSUPP;
    spec.userdata = l = g_new0(Look, 1);
    *l = (Look){ m, fn, userdata, NULL };
    r = helper_process_start(m->event, &spec, &l->process);
    if (r < 0) {
        g_free(l);
        return r;
    }
    m->looks = g_list_prepend(m->looks, l);
    return 0;
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
