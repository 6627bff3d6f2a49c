/* sd_notify(3), and no more often than a person can read. */
#include "api/daemon-status.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#define INTERVAL_USEC USEC_PER_SEC

struct DaemonStatus {
    Clock *clock;
    Manager *manager;
    ClockTimer *timer;
    uint64_t told; /* boot µs */
    char *line;    /* as last sent */
};

static char *daemon_status_line(Manager *m)
{
    const char *reason = manager_reason(m);
    uint64_t running = manager_n_running(m), unrecorded = manager_n_unrecorded(m);
    GString *line = g_string_new(NULL);

    switch (manager_state(m)) {
    case MANAGER_WAITING_FOR_DATABASE:
        g_string_append(line, "Waiting for the database");
        break;
    case MANAGER_STOPPING:
        g_string_append(line, "Stopping");
        break;
    case MANAGER_RUNNING:
    case _MANAGER_STATE_MAX:
        g_string_append(line, "Running");
        break;
    }
    g_string_append_printf(line, ", %" G_GUINT64_FORMAT " run%s executing", running, running == 1 ? "" : "s");
    if (unrecorded > 0)
        g_string_append_printf(line, ", %" G_GUINT64_FORMAT " not recorded yet", unrecorded);
    if (*reason)
        g_string_append_printf(line, ": %s", reason);
    /* Fields are told apart by line ends. */
    return g_strdelimit(g_string_free(line, FALSE), "\r\n", ' ');
}

static void daemon_status_send(void *userdata)
{
    DaemonStatus *s = userdata;
    char *line = daemon_status_line(s->manager);

    if (g_strcmp0(line, s->line) == 0) {
        g_free(line);
        return;
    }
    g_free(s->line);
    s->line = line;
    s->told = clock_boot(s->clock);
    (void)sd_notifyf(0, "STATUS=%s", line);
}

int daemon_status_new(sd_event *event, Clock *clock, Manager *m, DaemonStatus **ret)
{
    DaemonStatus *s = g_new0(DaemonStatus, 1);
    int r = clock_timer_new(clock, CLOCK_BOOT, daemon_status_send, s, &s->timer);

    if (r < 0) {
        g_free(s);
        return r;
    }
    s->clock = clock;
    s->manager = m;
    *ret = s;
    return 0;
}

void daemon_status_free(DaemonStatus *s)
{
    if (!s)
        return;
    clock_timer_free(s->timer);
    g_free(s->line);
    g_free(s);
}

void daemon_status_ready(DaemonStatus *s)
{
    (void)sd_notify(0, "READY=1");
    daemon_status_send(s);
}

void daemon_status_reloading(DaemonStatus *s)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" G_GUINT64_FORMAT,
        (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000);
}

void daemon_status_stopping(DaemonStatus *s)
{
    (void)sd_notify(0, "STOPPING=1");
    daemon_status_send(s);
}

void daemon_status_changed(DaemonStatus *s)
{
    if (clock_timer_armed(s->timer))
        return;
    /* Not at once even when it may be: what changes now may change again in this iteration. */
    clock_timer_arm(s->timer, MAX(clock_boot(s->clock), s->told + INTERVAL_USEC));
}
