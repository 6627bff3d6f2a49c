/* The manager's functions, and those of authorisation, as the bus objects call them. */
#include "message-twin.h"

#include <fcntl.h>
#include <string.h>

#include "api/auth.h"
#include "base/utf8.h"
#include "model/almanac.h"

#define DEFINITION                                                                                           \
    "[Input]\na=string default=x choices=x,y\nb=integer min=1 max=9 help=\"Some\"\nc=file secret\n"          \
    "[Service]\nExecStart=/bin/true ${a}\n[Schedule s]\nEvery=1h\n[Schedule t]\nEvery=1d\n"

struct Manager {
    TaskEntry entry;
};

MessageTwin message_twin;
static const Error none;

Manager *message_twin_new(void)
{
    static const TaskSource source = { (char *)"/etc/t.task", (char *)DEFINITION, sizeof DEFINITION - 1 };
    g_autoptr(GPtrArray) diags = diag_list_new();
    Manager *m = g_new0(Manager, 1);

    g_assert(task_parse("t", &source, 1, diags, &m->entry.task) >= 0);
    m->entry.origin = g_strdup("file");
    m->entry.path = g_strdup(source.path);
    m->entry.revision = 1;
    m->entry.enabled = true;
    m->entry.schedules = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < m->entry.task->schedules->len; i++) {
        ScheduleEntry *s = g_new0(ScheduleEntry, 1);

        *s = (ScheduleEntry){ .entry = &m->entry,
            .schedule = g_ptr_array_index(m->entry.task->schedules, i),
            .enabled = true,
            .last = UNSET,
            .next = 3600 * USEC_PER_SEC };
        g_ptr_array_add(m->entry.schedules, s);
    }
    return m;
}

/* --- runs --- */

static StoreRun *run_new(void)
{
    StoreRun *run = g_new0(StoreRun, 1);

    run->id = run->revision = run->attempt = 1;
    run->state = RUN_DONE;
    run->result = RUN_EXIT_CODE;
    run->exit_code = RUN_EXITED;
    run->exit_status = 1;
    run->task = g_strdup("t");
    run->reason = g_strdup("\xff\xef\xbf\xbf it failed");
    run->input = g_strdup("{\"a\":\"x\"}");
    run->secrets = g_strdup("{\"c\":\"sealed\"}");
    run->output = g_strdup("{\"n\":\"\xef\xbf\xbf\"}");
    run->meta = g_strdup("{\"k\":\"v\"}");
    run->requester = g_strdup("root");
    run->nominal = UNSET;
    run->asked = run->due = run->started = 1;
    run->finished = 2;
    return run;
}

/* What comes as bytes is shown in three ways. */
static GBytes *run_raw(uint64_t run)
{
    static const char *const raw[] = { "[1]", "text", "\xff" };

    return run < 2 || run > 4 ? NULL : g_bytes_new_static(raw[run - 2], strlen(raw[run - 2]));
}

int manager_get_run(Manager *m, uint64_t id, StoreRunFn fn, void *userdata, Error *error)
{
    g_autoptr(StoreRun) run = run_new();
    StoreAttempt attempt = { .attempt = 1, .result = RUN_EXIT_CODE, .exit_status = -1 };
    g_autoptr(GPtrArray) attempts = g_ptr_array_new();

    g_ptr_array_add(attempts, &attempt);
    run->id = id;
    run->raw = run_raw(id);
    if (id > 4)
        fn(-ENOENT, NULL, NULL, userdata);
    else
        fn(0, run, attempts, userdata);
    return 0;
}

int manager_list_runs(Manager *m, const StoreFilter *f, StoreRunsFn fn, void *userdata, Error *error)
{
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func((GDestroyNotify)store_run_free);

    g_assert(f->limit >= 1 && f->limit <= 1000 && f->since <= INT64_MAX && f->until <= INT64_MAX);
    if (message_twin.listed)
        message_twin.listed(f);
    if (f->after == 0)
        g_ptr_array_add(runs, run_new());
    fn(0, runs, &none, userdata);
    return 0;
}

int manager_run_task(
    Manager *m, const Caller *caller, const ManagerAsk *ask, ManagerNumberFn fn, void *userdata, Error *error)
{
    if (message_twin.asked)
        message_twin.asked(ask);
    fn(0, 1, &none, userdata);
    return 0;
}

int manager_retry_run(
    Manager *m, const Caller *caller, uint64_t run, ManagerNumberFn fn, void *userdata, Error *error)
{
    fn(0, run, &none, userdata);
    return 0;
}

int manager_cancel_run(
    Manager *m, const Caller *caller, uint64_t run, ManagerDoneFn fn, void *userdata, Error *error)
{
    g_assert(run > 0 && run <= INT64_MAX);
    fn(0, &none, userdata);
    return 0;
}

int manager_kill_run(Manager *m, const Caller *caller, uint64_t run, int signal, ManagerDoneFn fn,
    void *userdata, Error *error)
{
    g_assert(signal > 0 && signal < 65);
    fn(0, &none, userdata);
    return 0;
}

int manager_open_log(Manager *m, const Caller *caller, const StoreRun *run, const GPtrArray *attempts,
    const ManagerLog *log, int *ret, Error *error)
{
    g_assert(log->format && (log->lines == UNSET || log->lines <= INT32_MAX));
    if (message_twin.opened)
        message_twin.opened(log);
    *ret = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return 0;
}

void manager_run_live(Manager *m, const StoreRun *run, RunLive *ret)
{
    ret->status_text = "\xfe";
}

uint64_t manager_newest_run(const Manager *m)
{
    return 50000;
}

GArray *manager_list_live_runs(Manager *m, unsigned limit)
{
    return g_array_new(FALSE, FALSE, sizeof(uint64_t));
}

size_t manager_input_max(const Manager *m)
{
    return MESSAGE_TWIN_INPUT_MAX;
}

int manager_vacuum(Manager *m, ManagerNumberFn fn, void *userdata, Error *error)
{
    fn(0, 0, &none, userdata);
    return 0;
}

/* --- tasks --- */

int manager_check_tasks(const Manager *m, Error *error)
{
    return 0;
}

const TaskEntry *manager_find_task(Manager *m, const char *name)
{
    return g_str_equal(name, "t") ? &m->entry : NULL;
}

const ScheduleEntry *manager_find_schedule(const TaskEntry *entry, const char *name)
{
    for (guint i = 0; i < entry->schedules->len; i++) {
        const ScheduleEntry *s = g_ptr_array_index(entry->schedules, i);

        if (g_str_equal(s->schedule->name, name))
            return s;
    }
    return NULL;
}

GPtrArray *manager_list_tasks(Manager *m, const char *after, unsigned limit)
{
    GPtrArray *tasks = g_ptr_array_new();

    if (limit > 0 && (!after || strcmp(after, "t") < 0))
        g_ptr_array_add(tasks, &m->entry);
    return tasks;
}

int manager_apply_task(Manager *m, const Caller *caller, const char *name, const char *text, size_t length,
    ManagerNumberFn fn, void *userdata, Error *error)
{
    const TaskSource source = { (char *)"x", (char *)text, length };
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autofree char *faults = NULL;
    g_autoptr(Task) t = NULL;

    if (!task_name_is_valid(name))
        return error_set(error, ERROR_INVALID_TASK, "It is no name.");
    if (task_parse(name, &source, 1, diags, &t) < 0) {
        faults = diag_list_to_text(diags);
        return error_set(error, ERROR_INVALID_TASK, "%s", g_strchomp(faults));
    }
    fn(0, 2, &none, userdata);
    return 0;
}

int manager_delete_task(
    Manager *m, const Caller *caller, const char *name, ManagerDoneFn fn, void *userdata, Error *error)
{
    fn(0, &none, userdata);
    return 0;
}

int manager_set_enabled(Manager *m, const Caller *caller, const char *object, bool enabled, ManagerDoneFn fn,
    void *userdata, Error *error)
{
    fn(0, &none, userdata);
    return 0;
}

uint64_t manager_schedule_paused_until(const ScheduleEntry *s)
{
    return s->paused_until;
}

char *manager_schedule_awaits(const ScheduleEntry *s)
{
    return NULL;
}

uint64_t manager_schedule_next(const ScheduleEntry *s)
{
    return s->next;
}

int manager_pause(Manager *m, const Caller *caller, const char *object, uint64_t until, ManagerDoneFn fn,
    void *userdata, Error *error)
{
    fn(0, &none, userdata);
    return 0;
}

int manager_by_hand(Manager *m, const Caller *caller, const ManagerByHand *given, ManagerDoneFn fn,
    void *userdata, Error *error)
{
    g_assert(given->nominal <= INT64_MAX);
    if (message_twin.by_hand)
        message_twin.by_hand(given);
    fn(0, &none, userdata);
    return 0;
}

int manager_backfill(Manager *m, const Caller *caller, const ManagerBackfill *given, ManagerBackfillFn fn,
    void *userdata, Error *error)
{
    const StoreBackfilled each[] = { { 1, STORE_BACKFILL_ASKED, 7, true },
        { 2, STORE_BACKFILL_HAS_RUN, 3, false }, { 3, STORE_BACKFILL_TO_COME, UNSET, false } };
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(StoreBackfilled));

    g_assert(given->from <= INT64_MAX && given->until <= INT64_MAX);
    if (message_twin.backfilled)
        message_twin.backfilled(given);
    if (given->dry)
        return error_set(error, ERROR_LIMIT_EXCEEDED, "too many");
    g_array_append_vals(times, each, G_N_ELEMENTS(each));
    fn(0, times, &none, userdata);
    return 0;
}

int manager_reload(Manager *m, const Caller *caller, ManagerDoneFn fn, void *userdata, Error *error)
{
    fn(-EINVAL, &none, userdata);
    return 0;
}

int manager_verify(
    Manager *m, const char *name, const TaskSource *sources, size_t n, DiagList *diags, DiagList *notes)
{
    g_autoptr(Task) t = NULL;

    return task_parse(name, sources, n, diags, &t);
}

void manager_verify_calendar(
    Manager *m, const char *name, const TaskSource *sources, size_t n, DiagList *diags)
{
    g_autoptr(AlmanacSet) set = almanac_set_new();
    g_autofree TaskSource *own = g_memdup2(sources, n * sizeof *sources);

    for (size_t i = 0; i < n; i++) {
        own[i].calendar = (char *)name;
        almanac_set_add(set, &own[i]);
    }
    (void)almanac_set_find(set, name, diags, NULL);
}

Task *manager_read_task(Manager *m, const char *name, const TaskSource *source, DiagList *diags)
{
    return task_read(name, source, 1, diags);
}

static const CalendarEntry *twin_calendar(void)
{
    static CalendarEntry entry = { .name = (char *)"c" };

    if (!entry.sources)
        entry.sources = g_ptr_array_new();
    return &entry;
}

const CalendarEntry *manager_find_calendar(Manager *m, const char *name)
{
    return g_str_equal(name, "c") ? twin_calendar() : NULL;
}

GPtrArray *manager_list_calendars(Manager *m, const char *after, unsigned limit)
{
    GPtrArray *found = g_ptr_array_new();

    if (limit > 0 && (!after || strcmp(after, "c") < 0))
        g_ptr_array_add(found, (gpointer)twin_calendar());
    return found;
}

bool manager_calendar_has(const CalendarEntry *e, uint64_t now, uint64_t *ret_until)
{
    *ret_until = now + 1;
    return false;
}

/* --- the rest --- */

int manager_list_nodes(Manager *m, const char *name, const char *after, unsigned limit, StoreNodesFn fn,
    void *userdata, Error *error)
{
    StoreNode nodes[] = { { .name = (char *)"n", .up = true, .boot_id = (char *)"" },
        { .name = (char *)"o", .boot_id = (char *)"" } };
    g_autoptr(GPtrArray) found = g_ptr_array_new();

    ARRAY_FOREACH (node, nodes)
        if (found->len < limit && (!name || g_str_equal(name, node->name)) &&
            (!after || strcmp(after, node->name) < 0))
            g_ptr_array_add(found, node);
    fn(0, found, &none, userdata);
    return 0;
}

int manager_list_slots(Manager *m, const StoreSlotFilter *f, StoreSlotsFn fn, void *userdata, Error *error)
{
    StoreSlot slot = { .task = (char *)"t",
        .schedule = (char *)"s",
        .nominal = 2,
        .first = 1,
        .count = 2,
        .outcome = (char *)"skipped",
        .cause = (char *)"disabled",
        .reason = (char *)"",
        .run = UNSET,
        .at = 3,
        .backfilled = 1 };
    g_autoptr(GPtrArray) slots = g_ptr_array_new();

    g_assert(f->limit >= 1 && f->limit <= 1000 && f->since <= INT64_MAX && f->until <= INT64_MAX);
    if (message_twin.slots)
        message_twin.slots(f);
    if (f->before == 0 && (!f->task || g_str_equal(f->task, slot.task)))
        g_ptr_array_add(slots, &slot);
    fn(0, slots, &none, userdata);
    return 0;
}

int manager_list_audit(Manager *m, const StoreAuditFilter *f, StoreAuditsFn fn, void *userdata, Error *error)
{
    StoreAuditEntry entry = { 1, 1, 0, (char *)"", (char *)"", (char *)"RunTask", (char *)"t", true };
    g_autoptr(GPtrArray) entries = g_ptr_array_new();

    g_assert(f->limit >= 1 && f->limit <= 1000 && f->since <= INT64_MAX && f->until <= INT64_MAX);
    if (message_twin.audited)
        message_twin.audited(f);
    g_ptr_array_add(entries, &entry);
    fn(0, entries, &none, userdata);
    return 0;
}

int manager_get_database(Manager *m, StoreDatabaseFn fn, void *userdata)
{
    const StoreDatabase d = { "15.0", 1, 1, 1, "" };

    fn(0, &d, &none, userdata);
    return 0;
}

const char *manager_data_directory(const Manager *m)
{
    return NULL;
}

int manager_look_for_servers(Manager *m, ManagerServersFn fn, void *userdata)
{
    return -ENOENT;
}

int manager_upgrade_database(Manager *m, ManagerDoneFn fn, void *userdata, Error *error)
{
    return error_set(error, ERROR_NOT_AVAILABLE, "It is no database of ours.");
}

void manager_audit(Manager *m, const Caller *caller, const char *method, const char *object, bool granted)
{
    g_assert(utf8_is_valid(object) && strlen(object) <= 1024);
}

uint64_t manager_now(const Manager *m)
{
    return UINT64_C(1800000000) * USEC_PER_SEC;
}

ManagerState manager_state(const Manager *m)
{
    return MANAGER_RUNNING;
}

const char *manager_state_to_string(ManagerState s)
{
    return "running";
}

const char *manager_reason(const Manager *m)
{
    return "";
}

uint64_t manager_n_running(const Manager *m)
{
    return 0;
}

uint64_t manager_n_waiting(const Manager *m)
{
    return 0;
}

uint64_t manager_n_unrecorded(const Manager *m)
{
    return 0;
}

uint64_t manager_n_overdue(const Manager *m)
{
    return 0;
}

bool manager_task_is_overdue(const TaskEntry *entry)
{
    return false;
}

/* --- who calls --- */

void auth_identify(Auth *a, sd_bus_message *m, AuthFn fn, void *userdata)
{
    static const Caller root = { 0, "root", "" };

    fn(0, &root, userdata);
}

bool auth_is_privileged(const Auth *a, const Caller *caller)
{
    return true;
}

void auth_find_user(Auth *a, const char *word, UsersFn fn, void *userdata)
{
    uint64_t uid;

    fn(g_ascii_string_to_unsigned(word, 10, 0, UINT32_MAX, &uid, NULL) ? uid : UNSET, word, userdata);
}

void auth_ask(Auth *a, const AuthQuestion *question, AuthAskFn fn, void *userdata)
{
    fn(0, &none, userdata);
}

bool auth_may_audit(Auth *a)
{
    return true;
}
