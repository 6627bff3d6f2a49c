/* The connection to the service manager: its signals, and what a change of it means. */
#include "exec/internal.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/log.h"

/* Under the unified hierarchy PID 1 tracks processes at the mount's root; in the hybrid layout in a hierarchy
 * of its own, with the same files, beside the controllers; in the legacy one in a named one without events.
 */
static void exec_find_cgroup_root(Exec *e)
{
    struct statfs fs;

    e->cgroup_events = true;
    if (statfs("/sys/fs/cgroup", &fs) >= 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
        e->cgroup_root = g_strdup("/sys/fs/cgroup");
    } else if (statfs("/sys/fs/cgroup/unified", &fs) >= 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
        e->cgroup_root = g_strdup("/sys/fs/cgroup/unified");
    } else {
        e->cgroup_root = g_strdup("/sys/fs/cgroup/systemd");
        e->cgroup_events = false;
    }
}

static void exec_slot_free(gpointer slot)
{
    sd_bus_slot_unref(slot);
}

int exec_new(sd_event *event, const ExecConfig *config, const ExecEvents *events, void *userdata, Exec **ret)
{
    g_autoptr(Exec) e = g_new0(Exec, 1);
    int r;

    e->event = sd_event_ref(event);
    e->events = *events;
    e->userdata = userdata;
    e->user_scope = config->user_scope;
    e->runtime_directory = g_strdup(config->runtime_directory);
    e->output_directory = g_strdup(config->output_directory);
    e->slots = g_ptr_array_new_with_free_func(exec_slot_free);
    e->starts = g_hash_table_new(g_str_hash, g_str_equal);
    e->releases = g_hash_table_new(g_str_hash, g_str_equal);
    e->failed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    e->evidences = g_hash_table_new(NULL, NULL);
    e->journals = g_hash_table_new(NULL, NULL);
    exec_find_cgroup_root(e);
    r = sd_event_add_time(event, &e->watch, CLOCK_BOOTTIME, 0, USEC_PER_SEC, work_on_watch, e);
    if (r >= 0)
        r = sd_event_source_set_enabled(e->watch, SD_EVENT_OFF);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&e);
    return 0;
}

void exec_free(Exec *e)
{
    if (!e)
        return;
    e->freeing = true;
    while (e->ops.head) {
        Work *op = e->ops.head->data;

        op->type->answer(op, -ECANCELED);
    }
    evidence_cancel_all(e);
    journal_end_all(e);
    g_ptr_array_unref(e->slots);
    sd_bus_unref(e->bus);
    g_hash_table_unref(e->starts);
    g_hash_table_unref(e->releases);
    g_hash_table_unref(e->failed);
    g_hash_table_unref(e->evidences);
    g_hash_table_unref(e->journals);
    sd_event_source_disable_unref(e->defer);
    sd_event_source_disable_unref(e->watch);
    sd_event_unref(e->event);
    g_free(e->runtime_directory);
    g_free(e->output_directory);
    g_free(e->cgroup_root);
    g_free(e);
}

unsigned exec_pending(const Exec *e)
{
    return e->ops.length + g_hash_table_size(e->evidences);
}

void exec_set_up(Exec *e, bool up)
{
    if (e->up == up)
        return;
    e->up = up;
    if (e->events.connection)
        e->events.connection(up, e->userdata);
}

static void exec_resync(Exec *e)
{
    work_check_all(e);
    if (e->events.resync)
        e->events.resync(e->userdata);
}

static int exec_subscribe(Exec *e);

static int on_subscribed(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Exec *e = userdata;
    int r = work_reply_errno(reply);

    if (r < 0 && !work_reply_is(reply, SYSTEMD_NAME ".AlreadySubscribed")) {
        /* Absent: it is asked again when its name has an owner. Busy: now. */
        if (r == -ETIMEDOUT && !e->away)
            return exec_subscribe(e);
        log_warning("The service manager does not send its signals: %s", g_strerror(-r));
        return 0;
    }
    exec_set_up(e, true);
    exec_resync(e);
    return 0;
}

static int exec_subscribe(Exec *e)
{
    sd_bus_slot *slot = NULL;
    int r;

    r = sd_bus_call_method_async(
        e->bus, &slot, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", on_subscribed, e, NULL);
    if (r >= 0)
        g_ptr_array_add(e->slots, slot);
    return r;
}

/* Each change has a signal for the Unit interface and one for the Service interface: the second is enough, and
 * the bus is spared the first, which also goes out for every slice and target that a new unit is tied to. The
 * states are read, then; that it failed is seen by its result. */
static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Exec *e = userdata;
    g_autofree char *unit = NULL;
    g_autoptr(UnitState) state = NULL;
    const char *path = sd_bus_message_get_path(m);

    if (!unit_path_is_ours(path) || sd_bus_path_decode(path, SYSTEMD_PATH "/unit", &unit) <= 0)
        return 0;
    state = unit_state_new(unit);
    if (state->run == 0 || sd_bus_message_skip(m, "s") < 0 || unit_state_read(state, m) < 0)
        return 0;
    if (*state->result && !g_str_equal(state->result, "success")) {
        g_hash_table_add(e->failed, g_strdup(unit));
        release_unit_failed(e, unit);
    }
    if (e->events.changed)
        e->events.changed(state, e->userdata);
    return 0;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const char *job, *unit, *result;

    if (sd_bus_message_read(m, "uoss", NULL, &job, &unit, &result) >= 0)
        start_job_removed(userdata, unit, job, result);
    return 0;
}

static int on_unit_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Exec *e = userdata;
    const char *unit;
    unsigned attempt;
    uint64_t run;

    if (sd_bus_message_read(m, "so", &unit, NULL) < 0 || !exec_unit_parse(unit, &run, &attempt))
        return 0;
    g_hash_table_remove(e->failed, unit);
    if (e->events.removed)
        e->events.removed(unit, e->userdata);
    release_unit_removed(e, unit);
    return 0;
}

static int on_reloading(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    int active;

    if (sd_bus_message_read(m, "b", &active) >= 0 && !active)
        exec_resync(userdata);
    return 0;
}

/* The manager was executed again, or the bus lost it: what was under way has no answer, and its signals go
 * only to those who ask it again. */
static int on_name_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Exec *e = userdata;
    const char *name, *old, *new;

    if (sd_bus_message_read(m, "sss", &name, &old, &new) < 0 || !g_str_equal(name, SYSTEMD_NAME))
        return 0;
    g_hash_table_remove_all(e->failed);
    work_fail_all(e, -ENOTCONN);
    e->away = new[0] == 0;
    exec_set_up(e, false);
    return e->away ? 0 : exec_subscribe(e);
}

static int exec_add_matches(Exec *e)
{
#define FROM_MANAGER "type='signal',sender='" SYSTEMD_NAME "',"
    static const struct {
        const char *rule;
        sd_bus_message_handler_t fn;
    } matches[] = {
        { "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
          "member='NameOwnerChanged',arg0='" SYSTEMD_NAME "'",
            on_name_owner },
        { FROM_MANAGER "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
                       "path_namespace='" SYSTEMD_PATH "/unit',arg0='" SYSTEMD_NAME ".Service'",
            on_properties },
        { FROM_MANAGER "interface='" SYSTEMD_MANAGER "',member='JobRemoved',path='" SYSTEMD_PATH "'",
            on_job_removed },
        { FROM_MANAGER "interface='" SYSTEMD_MANAGER "',member='UnitRemoved',path='" SYSTEMD_PATH "'",
            on_unit_removed },
        { FROM_MANAGER "interface='" SYSTEMD_MANAGER "',member='Reloading',path='" SYSTEMD_PATH "'",
            on_reloading },
    };

    ARRAY_FOREACH (m, matches) {
        sd_bus_slot *slot = NULL;
        int r = sd_bus_add_match_async(e->bus, &slot, m->rule, m->fn, NULL, e);

        if (r < 0)
            return r;
        g_ptr_array_add(e->slots, slot);
    }
    return 0;
}

int exec_set_bus(Exec *e, sd_bus *bus)
{
    int r;

    if (e->bus) {
        work_fail_all(e, -ENOTCONN);
        g_ptr_array_set_size(e->slots, 0);
        g_hash_table_remove_all(e->failed);
        g_clear_pointer(&e->bus, sd_bus_unref);
        exec_set_up(e, false);
    }
    e->away = false;
    if (!bus)
        return 0;
    e->bus = sd_bus_ref(bus);
    r = exec_add_matches(e);
    return r < 0 ? r : exec_subscribe(e);
}
