/* Asking for runs, ending them, and reading them page by page. */
#include "api/run-methods.h"

#include <signal.h>

#include "api/ask-message.h"
#include "api/message.h"
#include "api/rights.h"
#include "api/run-message.h"

#define PAGE_MAX 1000
/* Rows that are held in memory at a time while a page is put together. */
#define BATCH 50
/* Ids that one statement looks through, so that nobody waits behind it for long: where no index finds what is wanted, and
 * where one finds it, but not in the order of the ids, or only a part of the conditions; and how many such statements
 * one page is worth. */
#define WINDOW      20000
#define WINDOW_WIDE 1000000
#define WINDOWS_MAX 50
/* Of a whole reply: a bus throws out a connection that sends more than 32 MiB at once. */
#define REPLY_MAX (6 * 1024 * 1024)

static void on_run(int r, uint64_t run, const Error *error, void *userdata)
{
    g_autofree char *id = NULL, *path = NULL;
    Request *q = userdata;

    if (r < 0) {
        request_answer_error(q, r, error);
        return;
    }
    id = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    r = sd_bus_path_encode("/org/taskschedd1/run", id, &path);
    if (r < 0)
        request_answer_error(q, r, NULL);
    else
        request_answer(q, "to", run, path);
}

static void on_done(int r, const Error *error, void *userdata)
{
    if (r < 0)
        request_answer_error(userdata, r, error);
    else
        request_answer(userdata, "");
}

int run_methods_run(Request *q, Error *error)
{
    g_autoptr(AskMessage) message = NULL;
    const char *task;
    ManagerAsk ask;
    int r = request_read_label(q, 0, &task, error);

    if (r >= 0)
        r = ask_message_read(q->message, task, manager_input_max(q->manager), &message, error);
    if (r < 0)
        return r;
    ask = ask_message_ask(message);
    return manager_run_task(q->manager, &q->caller, &ask, on_run, q, error);
}

int run_methods_cancel(Request *q, Error *error)
{
    uint64_t run;
    int r = request_read_run(q, &run, error);

    if (r < 0)
        return r;
    return manager_cancel_run(q->manager, &q->caller, run, on_done, q, error);
}

int run_methods_kill(Request *q, Error *error)
{
    uint64_t run;
    int number;
    int r = request_read_run(q, &run, error);

    if (r >= 0)
        r = message_read_failed(sd_bus_message_read(q->message, "i", &number), error);
    if (r < 0)
        return r;
    if (number < 1 || number > SIGRTMAX)
        return error_set(error, ERROR_INVALID_ARGUMENT, "There is no signal %d.", number);
    return manager_kill_run(q->manager, &q->caller, run, number, on_done, q, error);
}

int run_methods_retry(Request *q, Error *error)
{
    uint64_t run;
    int r = request_read_run(q, &run, error);

    if (r < 0)
        return r;
    return manager_retry_run(q->manager, &q->caller, run, on_run, q, error);
}

/* Whoever asked for a run sees what belongs to it. */
static bool run_methods_may_read(const Request *q, const StoreRun *run)
{
    return q->control || run->requester_uid == q->caller.uid;
}

static void run_methods_view(
    Request *q, const StoreRun *run, bool full, const GPtrArray *attempts, RunLive *live, RunView *ret)
{
    *live = (RunLive){ .progress = UNSET };
    manager_run_live(q->manager, run, live);
    *ret = (RunView){
        .full = full,
        .content = run_methods_may_read(q, run),
        .live = live,
        .attempts = attempts,
    };
}

static void on_get(int r, const StoreRun *run, const GPtrArray *attempts, void *userdata)
{
    Request *q = userdata;
    g_auto(Error) error = { 0 };
    RunLive live;
    RunView view;
    RunRecord record = { .run = run, .view = &view };

    if (r == -ENOENT)
        error_set(&error, ERROR_NO_SUCH_RUN, "There is no such run.");
    if (r < 0) {
        request_answer_error(q, r, &error);
        return;
    }
    run_methods_view(q, run, true, attempts, &live, &view);
    request_answer_properties(q, &run_message_properties, &record);
}

int run_methods_get(Request *q, Error *error)
{
    uint64_t run;
    int r = request_read_run(q, &run, error);

    if (r < 0)
        return r;
    return manager_get_run(q->manager, run, on_get, q, error);
}

/* --- lists --- */

typedef struct RunPage {
    StoreFilter filter;
    char *task, *requester, *requester_number, *meta;
    unsigned wanted; /* still */
    size_t weight;
    uint64_t last; /* id of the last run in the reply, or the lowest that was looked at */
    unsigned windows;
    sd_bus_message *reply;
} RunPage;

static void run_page_free(void *userdata)
{
    RunPage *p = userdata;

    g_free(p->task);
    g_free(p->requester);
    g_free(p->requester_number);
    g_free(p->meta);
    sd_bus_message_unref(p->reply);
    g_free(p);
}

static int filter_state(sd_bus_message *m, void *into, Error *error)
{
    RunPage *p = into;
    const char *text;
    int r = sd_bus_message_read(m, "s", &text);

    if (r < 0)
        return r;
    p->filter.state = run_state_from_string(text);
    if (p->filter.state < 0)
        return message_refuse(error, ERROR_INVALID_ARGUMENT, "There is no state ", text, ".");
    return 0;
}

static int filter_result(sd_bus_message *m, void *into, Error *error)
{
    RunPage *p = into;
    const char *text;
    int r = sd_bus_message_read(m, "s", &text);

    if (r < 0)
        return r;
    p->filter.result = run_result_from_string(text);
    if (p->filter.result <= RUN_RESULT_NONE)
        return message_refuse(error, ERROR_INVALID_ARGUMENT, "There is no result ", text, ".");
    return 0;
}

static const MessageEntry filters[] = {
    { "task", "s", message_entry_string, offsetof(RunPage, task) },
    { "state", "s", filter_state, 0 },
    { "result", "s", filter_result, 0 },
    { "since", "t", message_entry_time, offsetof(RunPage, filter.since) },
    { "until", "t", message_entry_time, offsetof(RunPage, filter.until) },
    { "requester", "s", message_entry_string, offsetof(RunPage, requester) },
    { "meta", "a{ss}", message_entry_metadata, offsetof(RunPage, meta) },
};

static int run_page_read_cursor(RunPage *p, sd_bus_message *m, Error *error)
{
    const char *cursor;
    int r = message_read_page(m, PAGE_MAX, &cursor, &p->wanted, error);

    if (r < 0)
        return r;
    if (*cursor && !g_ascii_string_to_unsigned(cursor, 10, 1, INT64_MAX, &p->filter.before, NULL))
        return message_refuse(error, ERROR_INVALID_ARGUMENT, "", cursor, " is no cursor of this list.");
    return 0;
}

static void run_page_set_requester(RunPage *p, uint64_t uid, const char *name)
{
    /* It may be the word that was looked up. */
    char *found = g_strdup(name);

    g_free(p->requester);
    g_free(p->requester_number);
    p->requester = found;
    /* root is never without its name, and of a name that is no user's the row knows more than we do. */
    p->requester_number = uid == 0 || uid == UNSET ? NULL : g_strdup_printf("%" G_GUINT64_FORMAT, uid);
    p->filter.requester_uid = uid;
}

/* What is found by metadata tells the metadata: others' runs are not searched for those who may not see it.
 */
static int run_page_restrict(RunPage *p, const Request *q, Error *error)
{
    if (!p->meta || q->control)
        return 0;
    if (p->requester && p->filter.requester_uid != q->caller.uid)
        return error_set(error, ERROR_ACCESS_DENIED, "The metadata of others' runs is not yours to see.");
    run_page_set_requester(p, q->caller.uid, q->caller.name);
    return 0;
}

static int run_page_read(RunPage *p, Request *q, Error *error)
{
    int r;

    p->filter.state = -1;
    p->filter.result = -1;
    /* With the input comes the output, which a list shows. */
    p->filter.with_input = true;
    r = message_read_dict(q->message, filters, G_N_ELEMENTS(filters), "filter", p, error);
    if (r >= 0)
        r = run_page_read_cursor(p, q->message, error);
    if (r < 0)
        return r;
    r = sd_bus_message_new_method_return(q->message, &p->reply);
    return r < 0 ? r : sd_bus_message_open_container(p->reply, 'a', "a{sv}");
}

static void run_page_finish(Request *q, bool more)
{
    g_autofree char *next = NULL;
    RunPage *p = q->data;
    int r = sd_bus_message_close_container(p->reply);

    next = more ? g_strdup_printf("%" G_GUINT64_FORMAT, p->last) : g_strdup("");
    if (r >= 0)
        r = sd_bus_message_append(p->reply, "s", next);
    if (r < 0)
        request_answer_error(q, r, NULL);
    else
        request_answer_message(q, p->reply);
}

static int run_page_ask(Request *q, Error *error);

/* 1: the reply is full. */
static int run_page_add(Request *q, const GPtrArray *runs)
{
    RunPage *p = q->data;

    for (guint i = 0; i < runs->len; i++) {
        const StoreRun *run = g_ptr_array_index(runs, i);
        size_t weight = run_message_weight(run);
        RunLive live;
        RunView view;
        int r;

        if (p->weight > 0 && p->weight + weight > REPLY_MAX)
            return 1;
        run_methods_view(q, run, false, NULL, &live, &view);
        r = run_message_append(p->reply, run, &view);
        if (r < 0)
            return r;
        p->weight += weight;
        p->last = run->id;
        p->wanted--;
    }
    return 0;
}

/* How many ids, 0 for all: task, requester, every state but the last and every result but success have an index that is in
 * their order. */
static uint64_t run_page_window(const RunPage *p)
{
    bool by_result = p->filter.result >= 0 && p->filter.result != RUN_SUCCESS;
    int n = (p->task != NULL) + (p->requester != NULL) + by_result;

    if (p->filter.since > 0 || p->filter.until > 0 || p->filter.result == RUN_SUCCESS ||
        (p->filter.state == RUN_DONE && !by_result))
        return WINDOW;
    return n > 1 || p->meta || p->requester_number ? WINDOW_WIDE : 0;
}

/* The ids of the next statement: those below the last run, down to the end of a window. */
static void run_page_set_range(RunPage *p, Manager *m)
{
    uint64_t window = run_page_window(p), top;

    if (p->last > 0)
        p->filter.before = p->last;
    top = p->filter.before > 0 ? p->filter.before : manager_newest_run(m) + 1;
    p->filter.after = window > 0 && top > window ? top - window : 0;
}

/* Fewer were found than were wanted: was it all, or is there more below the window? */
static bool run_page_is_last(RunPage *p, const GPtrArray *runs)
{
    if (runs->len >= p->filter.limit)
        return false;
    if (p->filter.after == 0)
        return true;
    p->last = p->filter.after + 1;
    p->windows++;
    return false;
}

static void on_runs(int r, GPtrArray *runs, const Error *error, void *userdata)
{
    Request *q = userdata;
    RunPage *p = q->data;
    g_auto(Error) own = { 0 };
    bool last;

    if (r < 0) {
        request_answer_error(q, r, error);
        return;
    }
    r = run_page_add(q, runs);
    last = r == 0 && run_page_is_last(p, runs);
    if (r > 0 || (r == 0 && (last || p->wanted == 0 || p->windows >= WINDOWS_MAX))) {
        run_page_finish(q, r > 0 || !last);
        return;
    }
    if (r == 0)
        r = run_page_ask(q, &own);
    if (r < 0)
        request_answer_error(q, r, &own);
}

static int run_page_ask(Request *q, Error *error)
{
    RunPage *p = q->data;

    p->filter.limit = MIN(p->wanted, BATCH);
    run_page_set_range(p, q->manager);
    return manager_list_runs(q->manager, &p->filter, on_runs, q, error);
}

static int run_page_begin(Request *q, Error *error)
{
    RunPage *p = q->data;
    int r = run_page_restrict(p, q, error);

    if (r < 0)
        return r;
    p->filter.task = p->task;
    p->filter.requester = p->requester;
    p->filter.requester_number = p->requester_number;
    p->filter.meta = p->meta;
    return run_page_ask(q, error);
}

static void on_requester(uint64_t uid, const char *name, void *userdata)
{
    Request *q = userdata;
    RunPage *p = q->data;
    g_auto(Error) error = { 0 };
    int r;

    if (name) {
        run_page_set_requester(p, uid, name);
        r = rights_ask_control(q, p->task, 0, run_page_begin, &error);
    } else {
        r = error_set(&error, ERROR_NOT_AVAILABLE, "The daemon stops.");
    }
    if (r < 0)
        request_answer_error(q, r, &error);
}

int run_methods_list(Request *q, Error *error)
{
    RunPage *p = g_new0(RunPage, 1);
    int r;

    q->data = p;
    q->free_data = run_page_free;
    p->filter.requester_uid = UNSET;
    r = run_page_read(p, q, error);
    if (r < 0)
        return r;
    if (!p->requester)
        return rights_ask_control(q, p->task, 0, run_page_begin, error);
    auth_find_user(q->auth, p->requester, on_requester, q);
    return 0;
}

/* --- history --- */

static void on_vacuumed(int r, uint64_t removed, const Error *error, void *userdata)
{
    if (r < 0)
        request_answer_error(userdata, r, error);
    else
        request_answer(userdata, "t", removed);
}

int run_methods_vacuum(Request *q, Error *error)
{
    int r = message_read_dict(q->message, NULL, 0, "option", NULL, error);

    return r < 0 ? r : manager_vacuum(q->manager, on_vacuumed, q, error);
}
