/* taskschedd: the daemon. Reads its configuration, puts the layers together, and turns the loop. */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-event.h>

#include "api/api.h"
#include "api/daemon-config.h"
#include "api/daemon-status.h"
#include "base/log.h"
#include "base/zone.h"
#include "config.h"
#include "core/loader.h"
#include "store/address.h"

#define LARGE      (256 * 1024)
#define READY_USEC (2 * USEC_PER_SEC) /* so long a start waits for the database */

typedef struct Daemon {
    sd_event *event;
    Clock *clock;
    Api *api;
    Manager *manager;
    DaemonStatus *status;
    ClockTimer *ready_timer;
    bool named;    /* the bus name is ours */
    bool ready;    /* READY=1 was sent */
    bool stopping; /* asked to */
} Daemon;

/* --- events --- */

/* Units are ordered after the daemon's, so it must count as started before it starts any. */
static void daemon_set_ready(Daemon *d)
{
    if (!d->ready)
        daemon_status_ready(d->status);
    d->ready = true;
    clock_timer_disarm(d->ready_timer);
}

static void on_state_changed(void *userdata)
{
    Daemon *d = userdata;

    /* Whoever waits for `systemctl start` finds it answering; without a database it is ready to say so. */
    if (d->named && manager_state(d->manager) == MANAGER_RUNNING)
        daemon_set_ready(d);
    if (d->status)
        daemon_status_changed(d->status);
    api_state_changed(d->api);
}

static void on_run_changed(uint64_t run, RunState state, RunResult result, void *userdata)
{
    Daemon *d = userdata;

    if (d->status)
        daemon_status_changed(d->status);
    api_run_changed(d->api, run, state, result);
}

static void on_task_changed(const char *task, void *userdata)
{
    Daemon *d = userdata;

    api_task_changed(d->api, task);
}

static void on_slots_skipped(const StoreSkip *skip, void *userdata)
{
    Daemon *d = userdata;

    api_slots_skipped(d->api, skip);
}

static void on_task_overdue(const char *task, bool overdue, uint64_t since, uint64_t expected, void *userdata)
{
    Daemon *d = userdata;

    api_task_overdue(d->api, task, overdue, since, expected);
}

static void on_ready_timer(void *userdata)
{
    daemon_set_ready(userdata);
}

static void on_named(void *userdata)
{
    Daemon *d = userdata;

    if (!d->named && !d->ready)
        clock_timer_arm(d->ready_timer, clock_boot(d->clock) + READY_USEC);
    d->named = true;
}

/* --- signals --- */

static void on_stopped(void *userdata)
{
    Daemon *d = userdata;

    (void)sd_event_exit(d->event, EXIT_SUCCESS);
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
    Daemon *d = userdata;

    if (d->stopping)
        return 0;
    d->stopping = true;
    manager_stop(d->manager, on_stopped, d);
    daemon_status_stopping(d->status);
    return 0;
}

static void on_reloaded(int r, const Error *error, void *userdata)
{
    Daemon *d = userdata;

    if (r == -ECANCELED) /* the manager is being freed */
        return;
    if (r < 0)
        log_message(LOG_ERR, NULL, "Not everything could be loaded: %s",
            error && error->message ? error->message : g_strerror(-r));
    if (d->ready)
        daemon_status_ready(d->status);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
    Caller caller = { .uid = geteuid(), .name = "root", .unit = "" };
    g_auto(Error) error = { 0 };
    Daemon *d = userdata;
    int r;

    if (d->stopping)
        return 0;
    if (d->ready)
        daemon_status_reloading(d->status);
    manager_audit(d->manager, &caller, "Reload", "", true);
    r = manager_reload(d->manager, &caller, on_reloaded, d, &error);
    if (r < 0)
        on_reloaded(r, &error, d);
    return 0;
}

/* --- the system's time zone --- */

static int on_etc_changed(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
    Daemon *d = userdata;

    /* Without a name: something may have been missed. */
    if (event->len > 0 && !g_str_equal(event->name, "localtime"))
        return 0;
    if (!zone_refresh())
        return 0;
    log_message(LOG_INFO, NULL, "The system's time zone is %s now.", zone_local()->name);
    manager_zone_changed(d->manager);
    return 0;
}

/* Whoever changes it puts another link in place of the first. */
static void daemon_watch_zone(Daemon *d)
{
    int r = sd_event_add_inotify(d->event, NULL, "/etc",
        IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR, on_etc_changed, d);

    if (r < 0)
        log_warning("A change of the system's time zone would not be noticed: %s.", g_strerror(-r));
    (void)zone_refresh();
}

/* Before anything can start a thread or a child: signals are read from the loop alone. */
static int daemon_block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -errno : 0;
}

/* --- start --- */

static void daemon_raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void daemon_clear(Daemon *d)
{
    daemon_status_free(d->status);
    d->status = NULL;
    manager_free(d->manager);
    api_free(d->api);
    clock_timer_free(d->ready_timer);
    clock_free(d->clock);
    sd_event_unref(d->event);
}

static int daemon_new_loop(Daemon *d)
{
    int r = sd_event_default(&d->event);

    if (r >= 0)
        r = sd_event_add_signal(d->event, NULL, SIGTERM, on_stop, d);
    if (r >= 0)
        r = sd_event_add_signal(d->event, NULL, SIGINT, on_stop, d);
    if (r >= 0)
        r = sd_event_add_signal(d->event, NULL, SIGHUP, on_reload, d);
    if (r >= 0)
        r = sd_event_set_watchdog(d->event, true);
    if (r >= 0)
        r = clock_new(d->event, &d->clock);
    if (r >= 0)
        r = clock_timer_new(d->clock, CLOCK_BOOT, on_ready_timer, d, &d->ready_timer);
    return r;
}

static int daemon_new_parts(Daemon *d, const DaemonConfig *config)
{
    static const ManagerEvents events = {
        .state_changed = on_state_changed,
        .run_changed = on_run_changed,
        .task_changed = on_task_changed,
        .slots_skipped = on_slots_skipped,
        .task_overdue = on_task_overdue,
    };
    ManagerConfig manager = daemon_config_manager(config);
    int r = api_new(d->event, d->clock, config->user_scope, on_named, d, &d->api);

    if (r >= 0)
        r = manager_new(d->event, d->clock, &manager, &events, d, &d->manager);
    if (r >= 0)
        r = daemon_status_new(d->event, d->clock, d->manager, &d->status);
    if (r >= 0)
        r = manager_start(d->manager);
    if (r >= 0)
        r = api_start(d->api, d->manager, config->node);
    return r;
}

static int daemon_run(const DaemonConfig *config)
{
    _cleanup_(daemon_clear) Daemon d = { 0 };
    int r = daemon_block_signals();

    if (r >= 0)
        r = daemon_new_loop(&d);
    if (r >= 0)
        r = daemon_new_parts(&d, config);
    if (r >= 0)
        daemon_watch_zone(&d);
    if (r >= 0)
        r = sd_event_loop(d.event);
    if (r < 0)
        log_message(LOG_ERR, NULL, "The daemon cannot go on: %s.", g_strerror(-r));
    return r;
}

/* --- the command line --- */

typedef struct Options {
    bool user_scope;
    const char *config;
    const char *helper;
} Options;

static int help(void)
{
    puts("taskschedd [OPTION...]\n\n"
         "Task scheduler and queue.\n\n"
         "  -h --help           Show this help\n"
         "     --version        Show the version\n"
         "     --user           Serve the user rather than the system\n"
         "     --config=FILE    Read FILE instead of the usual configuration files\n\n"
         "It is controlled with tschedctl(1), and meant to be started by taskschedd.service.");
    return EXIT_SUCCESS;
}

static int version(void)
{
    puts("taskschedd " PROJECT_VERSION);
    return EXIT_SUCCESS;
}

/* 1: go on; else the exit status is in *ret_status. */
static int parse_options(int argc, char **argv, Options *ret, int *ret_status)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'v' },
        { "user", no_argument, NULL, 'u' },
        { "config", required_argument, NULL, 'c' },
        { "helper", required_argument, NULL, 'H' }, /* what the daemon starts itself */
        { 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        switch (c) {
        case 'h':
            *ret_status = help();
            return 0;
        case 'v':
            *ret_status = version();
            return 0;
        case 'u':
            ret->user_scope = true;
            break;
        case 'c':
            ret->config = optarg;
            break;
        case 'H':
            ret->helper = optarg;
            break;
        default:
            *ret_status = 2;
            return 0;
        }
    }
    if (optind < argc && !ret->helper) {
        fprintf(stderr, "taskschedd: takes no arguments.\n");
        *ret_status = 2;
        return 0;
    }
    return 1;
}

/* Work that would block the loop is done by the same program in a process of its own. */
static int run_helper(const char *helper, int argc, char **argv)
{
    if (g_str_equal(helper, "evidence"))
        return evidence_helper_main();
    if (g_str_equal(helper, "addresses"))
        return addresses_helper_main(argc, argv);
    if (g_str_equal(helper, "database"))
        return database_helper_main(argc, argv);
    if (g_str_equal(helper, "load-tasks"))
        return loader_helper_main(argc, argv);
    fprintf(stderr, "taskschedd: there is no helper \"%s\".\n", helper);
    return 2;
}

/* What is large goes back to the kernel as soon as it is freed. Left alone, glibc takes the largest block that was
 * ever freed for what is usual, keeps as much, and one large message costs its memory for good. */
static void limit_heap(void)
{
#ifdef M_MMAP_THRESHOLD
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
    (void)mallopt(M_TRIM_THRESHOLD, LARGE);
#endif
}

/* Memory holds secret inputs, the key that they are sealed with, and what others may not see: none of it is to lie in a core
 * file, whatever handler the host has for them and whatever LimitCORE= says. Nor can a process of the same user look
 * into it. */
static void forbid_dumps(void)
{
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        log_warning("A crash of this process might leave a core file: %s.", g_strerror(errno));
}

int main(int argc, char **argv)
{
    g_auto(DaemonConfig) config = { 0 };
    Options options = { 0 };
    int status;

    if (parse_options(argc, argv, &options, &status) <= 0)
        return status;
    log_set_stderr(!g_getenv("JOURNAL_STREAM"));
    if (options.helper)
        return run_helper(options.helper, argc - optind, argv + optind);
    forbid_dumps();
    if (daemon_config_load(options.user_scope, options.config, &config) < 0)
        return EXIT_FAILURE;
    daemon_raise_limits();
    limit_heap();
    return daemon_run(&config) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
