/* Input, output and log of a run, which may be too large for a message, as file descriptors. */
#include "api/run-files.h"

#include <string.h>

#include "api/memory-file.h"
#include "api/message.h"
#include "api/run-message.h"

static void run_files_answer(Request *q, int fd)
{
    request_answer(q, "h", fd);
}

/* Reads the run and its attempts for fn. */
static int run_files_get(Request *q, StoreRunFn fn, Error *error)
{
    uint64_t run;
    int r = request_read_run(q, &run, error);

    return r < 0 ? r : manager_get_run(q->manager, run, fn, q, error);
}

static void run_files_refuse(Request *q, int r, Error *error)
{
    if (r == -ENOENT)
        error_set(error, ERROR_NO_SUCH_RUN, "There is no such run.");
    request_answer_error(q, r, error);
}

/* --- content --- */

static void run_files_answer_content(Request *q, const char *name, const void *data, size_t size)
{
    _cleanup_(util_closep) int fd = -1;
    int r = memory_file_new(name, size > 0 ? data : "", size, &fd);

    if (r < 0)
        request_answer_error(q, r, NULL);
    else
        run_files_answer(q, fd);
}

static void on_input(int r, const StoreRun *run, const GPtrArray *attempts, void *userdata)
{
    g_auto(Error) error = { 0 };
    Request *q = userdata;

    if (r < 0) {
        run_files_refuse(q, r, &error);
    } else if (run->raw) {
        run_files_answer_content(q, "input", g_bytes_get_data(run->raw, NULL), g_bytes_get_size(run->raw));
    } else {
        g_autofree char *text = run_message_input(run);

        run_files_answer_content(q, "input", text, strlen(text));
    }
}

int run_files_open_input(Request *q, Error *error)
{
    return run_files_get(q, on_input, error);
}

static void on_output(int r, const StoreRun *run, const GPtrArray *attempts, void *userdata)
{
    g_auto(Error) error = { 0 };
    Request *q = userdata;

    if (r < 0)
        run_files_refuse(q, r, &error);
    else
        run_files_answer_content(q, "output", util_strempty(run->output), strlen(util_strempty(run->output)));
}

int run_files_open_output(Request *q, Error *error)
{
    return run_files_get(q, on_output, error);
}

/* --- log --- */

static int option_follow(sd_bus_message *m, void *userdata, Error *error)
{
    ManagerLog *log = userdata;
    int follow;
    int r = sd_bus_message_read(m, "b", &follow);

    if (r >= 0)
        log->follow = follow != 0;
    return r;
}

static int option_lines(sd_bus_message *m, void *userdata, Error *error)
{
    ManagerLog *log = userdata;
    int r = sd_bus_message_read(m, "t", &log->lines);

    if (r >= 0 && log->lines > INT32_MAX)
        return error_set(error, ERROR_INVALID_ARGUMENT, "The number of lines is out of range.");
    return r;
}

/* Those of journalctl's that both say everything and are the same everywhere. */
static const char *const formats[] = { "short", "short-precise", "short-iso", "short-iso-precise",
    "short-full", "short-monotonic", "short-unix", "verbose", "export", "json", "json-pretty", "json-seq",
    "cat", "with-unit" };

static int option_format(sd_bus_message *m, void *userdata, Error *error)
{
    ManagerLog *log = userdata;
    const char *format;
    int r = sd_bus_message_read(m, "s", &format);

    if (r < 0)
        return r;
    ARRAY_FOREACH (f, formats)
        if (g_str_equal(*f, format)) {
            log->format = *f;
            return 0;
        }
    return message_refuse(error, ERROR_INVALID_ARGUMENT, "There is no format ", format, ".");
}

static const MessageEntry log_options[] = {
    { "follow", "b", option_follow, 0 },
    { "lines", "t", option_lines, 0 },
    { "format", "s", option_format, 0 },
};

static void on_log(int r, const StoreRun *run, const GPtrArray *attempts, void *userdata)
{
    _cleanup_(util_closep) int fd = -1;
    g_auto(Error) error = { 0 };
    Request *q = userdata;

    if (r >= 0)
        r = manager_open_log(q->manager, &q->caller, run, attempts, q->data, &fd, &error);
    if (r < 0)
        run_files_refuse(q, r, &error);
    else
        run_files_answer(q, fd);
}

int run_files_open_log(Request *q, Error *error)
{
    ManagerLog *log = g_new0(ManagerLog, 1);
    int r;

    log->lines = UNSET;
    log->format = "short";
    q->data = log;
    q->free_data = g_free;
    r = message_read_dict(q->message, log_options, G_N_ELEMENTS(log_options), "option", log, error);
    return r < 0 ? r : run_files_get(q, on_log, error);
}
