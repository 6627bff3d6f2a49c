/* Definitions: read from memory, changed through the manager. */
#include "api/task-methods.h"

#include "api/message.h"
#include "api/task-message.h"

/* One definition, and all the sources given for a check. */
#define TEXT_MAX (1024 * 1024)
/* Each fault says its file's path once more. */
#define PATH_LENGTH_MAX 4096
#define SOURCES_MAX     1000
/* Faults that are told of; a definition with more is not going to be read to the end. */
#define FAULTS_MAX 1000

static void on_revision(int r, uint64_t revision, const Error *error, void *userdata)
{
    if (r < 0)
        request_answer_error(userdata, r, error);
    else
        request_answer(userdata, "t", revision);
}

static void on_done(int r, const Error *error, void *userdata)
{
    if (r < 0)
        request_answer_error(userdata, r, error);
    else
        request_answer(userdata, "");
}

/* --- changes --- */

static int task_methods_check_size(size_t length, Error *error)
{
    if (length > TEXT_MAX)
        return error_set(
            error, ERROR_LIMIT_EXCEEDED, "The definition is larger than %d KiB.", TEXT_MAX / 1024);
    return 0;
}

int task_methods_apply(Request *q, Error *error)
{
    const char *name, *text;
    int r = sd_bus_message_read(q->message, "ss", &name, &text);

    if (r < 0)
        return message_read_failed(r, error);
    r = message_read_dict(q->message, NULL, 0, "option", NULL, error);
    if (r >= 0)
        r = task_methods_check_size(strlen(text), error);
    if (r < 0)
        return r;
    return manager_apply_task(q->manager, &q->caller, name, text, strlen(text), on_revision, q, error);
}

int task_methods_delete(Request *q, Error *error)
{
    const char *name;
    int r = request_read_label(q, 0, &name, error);

    if (r < 0)
        return r;
    return manager_delete_task(q->manager, &q->caller, name, on_done, q, error);
}

/* What is switched: of the Manager's method its first argument, else the path. */
static int task_methods_read_object(Request *q, char **ret, Error *error)
{
    const char *object;
    int r;

    if (q->labels) {
        *ret = g_strjoinv("/", q->labels);
        return 0;
    }
    r = sd_bus_message_read(q->message, "s", &object);
    if (r < 0)
        return message_read_failed(r, error);
    *ret = g_strdup(object);
    return 0;
}

int task_methods_set_enabled(Request *q, Error *error)
{
    g_autofree char *object = NULL;
    int enabled;
    int r = task_methods_read_object(q, &object, error);

    if (r < 0)
        return r;
    r = sd_bus_message_read(q->message, "b", &enabled);
    if (r < 0)
        return message_read_failed(r, error);
    return manager_set_enabled(q->manager, &q->caller, object, enabled != 0, on_done, q, error);
}

int task_methods_pause(Request *q, Error *error)
{
    g_autofree char *object = NULL;
    uint64_t until;
    int r = task_methods_read_object(q, &object, error);

    if (r < 0)
        return r;
    r = sd_bus_message_read(q->message, "t", &until);
    if (r < 0)
        return message_read_failed(r, error);
    if (until > INT64_MAX)
        return error_set(error, ERROR_INVALID_ARGUMENT, "An instant is less than 2^63 microseconds.");
    return manager_pause(q->manager, &q->caller, object, until, on_done, q, error);
}

int task_methods_reload(Request *q, Error *error)
{
    return manager_reload(q->manager, &q->caller, on_done, q, error);
}

/* --- check --- */

static int task_methods_read_sources(sd_bus_message *m, GArray *sources, Error *error)
{
    size_t size = 0;
    TaskSource s = { 0 };
    int r = sd_bus_message_enter_container(m, 'a', "(ss)");

    if (r < 0)
        return message_read_failed(r, error);
    /* The manager only reads them: the message can keep the texts. */
    while ((r = sd_bus_message_read(m, "(ss)", &s.path, &s.text)) > 0) {
        s.length = strlen(s.text);
        size += s.length;
        if (strlen(s.path) > PATH_LENGTH_MAX || sources->len >= SOURCES_MAX)
            return error_set(error, ERROR_LIMIT_EXCEEDED,
                "There are more than %d sources, or a path has more than %d bytes.", SOURCES_MAX,
                PATH_LENGTH_MAX);
        r = task_methods_check_size(size, error);
        if (r < 0)
            return r;
        g_array_append_val(sources, s);
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    return message_read_failed(r, error);
}

typedef struct VerifyOptions {
    int notes;
} VerifyOptions;

static const MessageEntry verify_options[] = {
    { "notes", "b", message_entry_bool, offsetof(VerifyOptions, notes) },
};

static int task_methods_append_faults(sd_bus_message *reply, const DiagList *diags, const DiagList *notes)
{
    int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

    for (guint i = 0; r >= 0 && i < MIN(diags->len, FAULTS_MAX); i++)
        r = task_message_append_fault(reply, "fault", g_ptr_array_index(diags, i));
    for (guint i = 0; r >= 0 && i < MIN(notes->len, FAULTS_MAX); i++)
        r = task_message_append_fault(reply, "note", g_ptr_array_index(notes, i));
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int task_methods_verify_now(Request *q, bool calendar, Error *error)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    g_autoptr(GArray) sources = g_array_new(FALSE, FALSE, sizeof(TaskSource));
    g_autoptr(GPtrArray) diags = diag_list_new(), notes = diag_list_new();
    VerifyOptions options = { false };
    const char *name;
    int r = sd_bus_message_read(q->message, "s", &name);

    if (r < 0)
        return message_read_failed(r, error);
    r = task_methods_read_sources(q->message, sources, error);
    if (r >= 0)
        r = message_read_dict(
            q->message, verify_options, G_N_ELEMENTS(verify_options), "option", &options, error);
    if (r >= 0 && sources->len == 0)
        r = error_set(error, ERROR_INVALID_ARGUMENT, "There is no source to check.");
    if (r < 0)
        return r;
    if (calendar)
        manager_verify_calendar(
            q->manager, name, (const TaskSource *)(const void *)sources->data, sources->len, diags);
    else /* what it returns is said by the faults too */
        (void)manager_verify(
            q->manager, name, (const TaskSource *)(const void *)sources->data, sources->len, diags, notes);
    if (!options.notes)
        g_ptr_array_set_size(notes, 0);
    r = sd_bus_message_new_method_return(q->message, &reply);
    if (r >= 0)
        r = task_methods_append_faults(reply, diags, notes);
    if (r < 0)
        return r;
    request_answer_message(q, reply);
    return 0;
}

static void task_methods_on_turn(int r, Request *q, bool calendar)
{
    g_auto(Error) error = { 0 };

    if (r < 0) {
        request_free(q);
        return;
    }
    r = task_methods_verify_now(q, calendar, &error);
    if (r < 0)
        request_answer_error(q, r, &error);
}

static void on_verify(int r, void *userdata)
{
    task_methods_on_turn(r, userdata, false);
}

static void on_verify_calendar(int r, void *userdata)
{
    task_methods_on_turn(r, userdata, true);
}

/* A large one takes a while, and anybody may ask for any number of them. */
int task_methods_verify(Request *q, Error *error)
{
    turns_work(q->turn, on_verify, q);
    return 0;
}

int task_methods_verify_calendar(Request *q, Error *error)
{
    turns_work(q->turn, on_verify_calendar, q);
    return 0;
}

/* --- looking --- */

const TaskEntry *task_methods_find(Request *q, const char *name, Error *error)
{
    const TaskEntry *entry = NULL;

    if (manager_check_tasks(q->manager, error) < 0)
        return NULL;
    entry = manager_find_task(q->manager, name);
    if (!entry)
        task_missing(error, name);
    return entry;
}

const ScheduleEntry *task_methods_find_schedule(Request *q, const char *task, const char *name, Error *error)
{
    const TaskEntry *entry = task_methods_find(q, task, error);
    const ScheduleEntry *schedule = entry ? manager_find_schedule(entry, name) : NULL;

    if (entry && !schedule)
        task_schedule_missing(error, task, name);
    return schedule;
}

int task_methods_check(Request *q, const char *task, const char *schedule, Error *error)
{
    bool known = !task      ? true
                 : schedule ? task_methods_find_schedule(q, task, schedule, error) != NULL
                            : task_methods_find(q, task, error) != NULL;

    return known ? 0 : -ENOENT;
}

int task_methods_get(Request *q, Error *error)
{
    const TaskEntry *entry;
    const char *name;
    int r = request_read_label(q, 0, &name, error);

    if (r < 0)
        return r;
    entry = task_methods_find(q, name, error);
    if (!entry)
        return -ENOENT;
    request_answer_properties(q, &task_message_properties, entry);
    return 0;
}

int task_methods_get_text(Request *q, Error *error)
{
    g_autofree char *text = NULL, *buffer = NULL;
    const TaskEntry *entry;
    const char *name;
    int r = request_read_label(q, 0, &name, error);

    if (r < 0)
        return r;
    entry = task_methods_find(q, name, error);
    if (!entry)
        return -ENOENT;
    text = task_cat(entry->task);
    request_answer(q, "s", message_valid(text, &buffer));
    return 0;
}

int task_methods_get_schedule(Request *q, Error *error)
{
    const ScheduleEntry *schedule;
    const char *task, *name;
    int r = request_read_label(q, 0, &task, error);

    if (r >= 0)
        r = request_read_label(q, 1, &name, error);
    if (r < 0)
        return r;
    schedule = task_methods_find_schedule(q, task, name, error);
    if (!schedule)
        return -ENOENT;
    request_answer_properties(q, &task_message_of_a_schedule, schedule);
    return 0;
}
