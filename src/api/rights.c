/* The table of rights, and what stands between a call and its handler. */
#include "api/rights.h"

#include "base/log.h"
#include "model/task.h"
#include "model/timespec.h"

/* The longest object that the audit shows: two names of tasks, or a schedule's, with two times, and more than any id. */
#define OBJECT_MAX 200

/* Where a method of the Manager says what it is about. */
typedef enum RightsAbout {
    ABOUT_NOTHING,
    ABOUT_TASK,     /* s */
    ABOUT_SCHEDULE, /* ss: a task and a schedule of it */
    ABOUT_SWITCH,   /* sb: "TASK" or "TASK/SCHEDULE", on or off */
    ABOUT_PAUSE,    /* st: likewise, and until when */
    ABOUT_SLOT,     /* sst: a task, a schedule of it, and a time of that */
    ABOUT_RANGE,    /* sstt: likewise, from when until when */
    ABOUT_RUN,      /* t */
    ABOUT_FILTER,   /* a{sv} with a task or without */
} RightsAbout;

typedef struct RightsRow {
    const char *member;
    AuthAction action;
    RightsAbout about;
    bool changes;      /* the audit has it when it is granted, too */
    AuthAction of_own; /* of a run, for whoever asked for it; view is always granted */
} RightsRow;

#define LOOK(member, about)                                                                                  \
    {                                                                                                        \
        member, AUTH_VIEW, about, false, AUTH_VIEW                                                           \
    }
#define CHANGE(member, action, about)                                                                        \
    {                                                                                                        \
        member, action, about, true, action                                                                  \
    }
#define OF_RUN(member, of_own)                                                                               \
    {                                                                                                        \
        member, AUTH_CONTROL, ABOUT_RUN, true, of_own                                                        \
    }

static const RightsRow rows[] = {
    CHANGE("RunTask", AUTH_RUN, ABOUT_TASK),
    OF_RUN("CancelRun", AUTH_VIEW),
    OF_RUN("KillRun", AUTH_VIEW),
    OF_RUN("RetryRun", AUTH_RUN),
    LOOK("GetRun", ABOUT_RUN),
    LOOK("ListRuns", ABOUT_FILTER),
    LOOK("ListTasks", ABOUT_FILTER),
    LOOK("GetTask", ABOUT_TASK),
    LOOK("GetTaskText", ABOUT_TASK),
    LOOK("ListSchedules", ABOUT_FILTER),
    LOOK("GetSchedule", ABOUT_SCHEDULE),
    LOOK("ListSlots", ABOUT_FILTER),
    LOOK("ListNext", ABOUT_FILTER),
    LOOK("VerifyTask", ABOUT_TASK),
    CHANGE("ApplyTask", AUTH_MANAGE_TASKS, ABOUT_TASK),
    CHANGE("DeleteTask", AUTH_MANAGE_TASKS, ABOUT_TASK),
    CHANGE("SetEnabled", AUTH_MANAGE_TASKS, ABOUT_SWITCH),
    CHANGE("PauseUntil", AUTH_MANAGE_TASKS, ABOUT_PAUSE),
    CHANGE("SkipSlot", AUTH_MANAGE_TASKS, ABOUT_SLOT),
    CHANGE("UnskipSlot", AUTH_MANAGE_TASKS, ABOUT_SLOT),
    CHANGE("Backfill", AUTH_RUN, ABOUT_RANGE),
    CHANGE("Reload", AUTH_MANAGE_DAEMON, ABOUT_NOTHING),
    CHANGE("UpgradeDatabase", AUTH_MANAGE_DAEMON, ABOUT_NOTHING),
    CHANGE("Vacuum", AUTH_MANAGE_DAEMON, ABOUT_NOTHING),
    LOOK("ListNodes", ABOUT_NOTHING),
    LOOK("GetNode", ABOUT_NOTHING),
    { "ListAudit", AUTH_MANAGE_DAEMON, ABOUT_NOTHING, false, AUTH_MANAGE_DAEMON },
    LOOK("ListCalendars", ABOUT_NOTHING),
    LOOK("GetCalendar", ABOUT_NOTHING),
    LOOK("VerifyCalendar", ABOUT_NOTHING),
    LOOK("GetDatabase", ABOUT_NOTHING),
    LOOK("Properties", ABOUT_NOTHING),
    /* Of these the path says what they are about. */
    CHANGE("Task.Run", AUTH_RUN, ABOUT_NOTHING),
    LOOK("Task.GetText", ABOUT_NOTHING),
    CHANGE("Task.SetEnabled", AUTH_MANAGE_TASKS, ABOUT_SWITCH),
    CHANGE("Task.PauseUntil", AUTH_MANAGE_TASKS, ABOUT_PAUSE),
    CHANGE("Task.Delete", AUTH_MANAGE_TASKS, ABOUT_NOTHING),
    CHANGE("Schedule.SetEnabled", AUTH_MANAGE_TASKS, ABOUT_SWITCH),
    CHANGE("Schedule.PauseUntil", AUTH_MANAGE_TASKS, ABOUT_PAUSE),
    CHANGE("Schedule.Skip", AUTH_MANAGE_TASKS, ABOUT_SLOT),
    CHANGE("Schedule.Unskip", AUTH_MANAGE_TASKS, ABOUT_SLOT),
    CHANGE("Schedule.Backfill", AUTH_RUN, ABOUT_RANGE),
    OF_RUN("Run.Cancel", AUTH_VIEW),
    OF_RUN("Run.Kill", AUTH_VIEW),
    OF_RUN("Run.Retry", AUTH_RUN),
    /* Content of a run: looking, but not for everybody. */
    { "Run.OpenLog", AUTH_CONTROL, ABOUT_RUN, false, AUTH_VIEW },
    { "Run.OpenInput", AUTH_CONTROL, ABOUT_RUN, false, AUTH_VIEW },
    { "Run.OpenOutput", AUTH_CONTROL, ABOUT_RUN, false, AUTH_VIEW },
};

typedef struct Rights {
    Request *request;
    const RightsRow *row;
    RequestFn then;
    char *name, *task;
    uint64_t run;
    AuthAction action; /* of the row, or of_own */
    bool missing;      /* there is no such run: told to whoever may look */
} Rights;

static void rights_free(Rights *x)
{
    g_free(x->name);
    g_free(x->task);
    g_free(x);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rights, rights_free)

static const RightsRow *rights_find(const char *member)
{
    ARRAY_FOREACH (row, rows)
        if (g_strcmp0(row->member, member) == 0)
            return row;
    return NULL;
}

/* --- what a call is about --- */

static void about_nothing(Rights *x, sd_bus_message *m)
{
}

static void about_task(Rights *x, sd_bus_message *m)
{
    const char *task;

    if (sd_bus_message_read(m, "s", &task) <= 0)
        return;
    x->task = g_strdup(task);
    x->name = g_strdup(task);
}

static void about_schedule(Rights *x, sd_bus_message *m)
{
    const char *task, *schedule;

    if (sd_bus_message_read(m, "ss", &task, &schedule) <= 0)
        return;
    x->task = g_strdup(task);
    x->name = g_strdup_printf("%s/%s", task, schedule);
}

static void about_switch(Rights *x, sd_bus_message *m)
{
    const char *object;
    int on;

    if (sd_bus_message_read(m, "sb", &object, &on) <= 0)
        return;
    x->task = g_strndup(object, strcspn(object, "/"));
    x->name = g_strdup_printf("%s=%s", object, on ? "true" : "false");
}

static void about_pause(Rights *x, sd_bus_message *m)
{
    const char *object;
    g_autofree char *until = NULL;
    uint64_t at;

    if (sd_bus_message_read(m, "st", &object, &at) <= 0)
        return;
    until = timespec_format_instant(at);
    x->task = g_strndup(object, strcspn(object, "/"));
    x->name = g_strdup_printf("%s=%s", object, until);
}

static void about_slot(Rights *x, sd_bus_message *m)
{
    const char *task, *schedule;
    g_autofree char *nominal = NULL;
    uint64_t at;

    if (sd_bus_message_read(m, "sst", &task, &schedule, &at) <= 0)
        return;
    nominal = timespec_format_instant(at);
    x->task = g_strdup(task);
    x->name = g_strdup_printf("%s/%s=%s", task, schedule, nominal);
}

/* "FROM..UNTIL", which has no end where it goes until now; g_free. */
static char *range_text(uint64_t from, uint64_t until)
{
    g_autofree char *f = timespec_format_instant(from);
    g_autofree char *u = until > 0 ? timespec_format_instant(until) : g_strdup("");

    return g_strconcat(f, "..", u, NULL);
}

static void about_range(Rights *x, sd_bus_message *m)
{
    const char *task, *schedule;
    g_autofree char *range = NULL;
    uint64_t from, until;

    if (sd_bus_message_read(m, "sstt", &task, &schedule, &from, &until) <= 0)
        return;
    range = range_text(from, until);
    x->task = g_strdup(task);
    x->name = g_strdup_printf("%s/%s=%s", task, schedule, range);
}

static void about_run(Rights *x, sd_bus_message *m)
{
    if (sd_bus_message_read(m, "t", &x->run) > 0)
        x->name = g_strdup_printf("%" G_GUINT64_FORMAT, x->run);
}

static void about_filter(Rights *x, sd_bus_message *m)
{
    const char *key, *task;
    int r = sd_bus_message_enter_container(m, 'a', "{sv}");

    while (r >= 0 && !x->task && sd_bus_message_enter_container(m, 'e', "sv") > 0) {
        r = sd_bus_message_read(m, "s", &key);
        if (r >= 0 && g_str_equal(key, "task") && sd_bus_message_read(m, "v", "s", &task) >= 0) {
            x->task = g_strdup(task);
            x->name = g_strdup(task);
        } else if (r >= 0) {
            r = sd_bus_message_skip(m, "v");
        }
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
    }
}

/* A path says it all, but for which way a switch goes, until when, and which slots. */
static void rights_read_object(Rights *x, const RightsObject *object)
{
    sd_bus_message *m = x->request->message;
    g_autofree char *until = NULL;
    uint64_t at, end;
    int on;

    x->task = g_strdup(object->task);
    x->run = object->run;
    if (x->row->about == ABOUT_SWITCH && sd_bus_message_read(m, "b", &on) > 0)
        x->name = g_strdup_printf("%s=%s", object->name, on ? "true" : "false");
    else if ((x->row->about == ABOUT_PAUSE || x->row->about == ABOUT_SLOT) &&
             sd_bus_message_read(m, "t", &at) > 0)
        x->name = g_strdup_printf("%s=%s", object->name, until = timespec_format_instant(at));
    else if (x->row->about == ABOUT_RANGE && sd_bus_message_read(m, "tt", &at, &end) > 0)
        x->name = g_strdup_printf("%s=%s", object->name, until = range_text(at, end));
    else
        x->name = g_strdup(object->name);
    (void)sd_bus_message_rewind(m, 1);
}

/* What cannot be read is about nothing, and the handler says what is wrong with it to whoever may. */
static void rights_read(Rights *x, const RightsObject *object)
{
    static void (*const readers[])(Rights *, sd_bus_message *) = {
        [ABOUT_NOTHING] = about_nothing,
        [ABOUT_TASK] = about_task,
        [ABOUT_SCHEDULE] = about_schedule,
        [ABOUT_SWITCH] = about_switch,
        [ABOUT_PAUSE] = about_pause,
        [ABOUT_SLOT] = about_slot,
        [ABOUT_RANGE] = about_range,
        [ABOUT_RUN] = about_run,
        [ABOUT_FILTER] = about_filter,
    };
    sd_bus_message *m = x->request->message;

    if (object) {
        rights_read_object(x, object);
        return;
    }
    readers[x->row->about](x, m);
    (void)sd_bus_message_rewind(m, 1);
}

/* --- audit --- */

static void rights_audit(const Rights *x, bool granted)
{
    Request *q = x->request;
    g_autofree char *name = NULL;

    if (!granted && !auth_may_audit(q->auth))
        return;
    name = g_utf8_substring(
        util_strempty(x->name), 0, MIN(OBJECT_MAX, g_utf8_strlen(util_strempty(x->name), -1)));
    manager_audit(q->manager, &q->caller, x->row->member, name, granted);
}

/* --- the way through --- */

static int rights_missing(const Rights *x, Error *error)
{
    return error_set(error, ERROR_NO_SUCH_RUN, "There is no run %" G_GUINT64_FORMAT ".", x->run);
}

static int rights_pass(Rights *x, Error *error)
{
    Request *q = x->request;

    if (x->missing)
        return rights_missing(x, error);
    if (x->row->changes)
        rights_audit(x, true);
    /* Others' runs that are looked at: with their content? */
    if (x->run > 0 && x->row->action == AUTH_VIEW && !q->control)
        return rights_ask_control(q, x->task, x->run, x->then, error);
    return x->then(q, error);
}

static void on_answer(int r, const Error *why, void *userdata)
{
    g_autoptr(Rights) x = userdata;
    g_auto(Error) error = { 0 };
    Request *q = x->request;

    if (r == -ECONNRESET)
        error_set(&error, ERROR_ACCESS_DENIED, "The caller is gone.");
    else if (r < 0)
        rights_audit(x, false);
    else
        r = rights_pass(x, &error);
    if (r < 0)
        request_answer_error(q, r, error.code == ERROR_NONE ? why : &error);
}

static void rights_ask(Rights *x)
{
    AuthQuestion question = {
        .message = x->request->message,
        .caller = &x->request->caller,
        .action = x->action,
        .task = x->task,
        .run = x->missing ? 0 : x->run,
    };

    auth_ask(x->request->auth, &question, on_answer, x);
}

static void rights_ask_of_own(Rights *x)
{
    x->action = x->row->of_own;
    x->request->control = true;
    if (x->action == AUTH_VIEW)
        on_answer(0, NULL, x);
    else
        rights_ask(x);
}

static void on_row(int r, const StoreRun *run, const GPtrArray *attempts, void *userdata)
{
    Rights *x = userdata;
    Request *q = x->request;
    g_auto(Error) error = { 0 };

    if (r < 0 && r != -ENOENT) {
        error_set(&error, ERROR_NOT_AVAILABLE,
            "The database is not available: who asked for the run is not known.");
        request_answer_error(q, r, &error);
        rights_free(x);
        return;
    }
    x->missing = r == -ENOENT;
    if (x->missing) {
        x->action = AUTH_VIEW;
        rights_ask(x);
        return;
    }
    g_free(x->task);
    x->task = g_strdup(run->task);
    if (run->requester_uid == q->caller.uid)
        rights_ask_of_own(x);
    else
        rights_ask(x);
}

/* Its requester and task first. */
static int rights_ask_of_run(Rights *x, Error *error)
{
    /* No id is larger than what a bigint holds. */
    if (x->run <= INT64_MAX)
        return manager_get_run(x->request->manager, x->run, on_row, x, error);
    x->missing = true;
    x->action = AUTH_VIEW;
    rights_ask(x);
    return 0;
}

int rights_enter(Request *q, const char *member, const RightsObject *object, RequestFn then, Error *error)
{
    g_autoptr(Rights) x = g_new0(Rights, 1);
    int r = 0;

    x->request = q;
    x->row = rights_find(member);
    x->then = then;
    if (!x->row)
        return error_set(error, ERROR_ACCESS_DENIED, "%s is not in the table of rights.", member);
    x->action = x->row->action;
    rights_read(x, object);
    if (q->privileged) {
        q->control = true;
        return rights_pass(x, error);
    }
    if (x->run == 0)
        rights_ask(g_steal_pointer(&x));
    else
        r = rights_ask_of_run(x, error);
    if (r >= 0)
        (void)g_steal_pointer(&x);
    return r;
}

/* --- content --- */

typedef struct Control {
    Request *request;
    RequestFn then;
} Control;

static void on_control(int r, const Error *why, void *userdata)
{
    g_autofree Control *c = userdata;
    g_auto(Error) error = { 0 };
    Request *q = c->request;

    q->control = r >= 0;
    r = c->then(q, &error);
    if (r < 0)
        request_answer_error(q, r, &error);
}

int rights_ask_control(Request *q, const char *task, uint64_t run, RequestFn then, Error *error)
{
    AuthQuestion question = {
        .message = q->message,
        .caller = &q->caller,
        .action = AUTH_CONTROL,
        .task = task,
        .run = run,
        .quiet = true,
    };
    Control *c;

    if (q->privileged) {
        q->control = true;
        return then(q, error);
    }
    c = g_new0(Control, 1);
    c->request = q;
    c->then = then;
    auth_ask(q->auth, &question, on_control, c);
    return 0;
}
