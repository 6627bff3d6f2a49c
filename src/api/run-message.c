/* StoreRun to a{sv}: every key is always there; what is absent is "" or the largest number. */
#include "api/run-message.h"

#include "api/message.h"
#include "model/json.h"

/* Keys, short strings and numbers of one run; its long strings are counted. */
#define WEIGHT_FIXED 4096

static uint64_t run_message_span(uint64_t from, uint64_t to)
{
    if (from == UNSET || to == UNSET)
        return UNSET;
    return to > from ? to - from : 0;
}

/* From the moment it was due to its start, or to the end of a run that never started. */
static uint64_t run_message_wait(const StoreRun *run)
{
    return run_message_span(run->due, run->started != UNSET ? run->started : run->finished);
}

static uint64_t run_message_number_or_unset(uint64_t value)
{
    return value == 0 ? UNSET : value;
}

/* What was given as bytes: JSON if it is, else text as a JSON string, else base64 in an object. */
static char *run_message_raw(GBytes *raw)
{
    g_autoptr(JsonNode) node = NULL;
    gsize size;
    const char *data = g_bytes_get_data(raw, &size);

    if (json_read(size > 0 ? data : "", size, &node, NULL) >= 0)
        return json_write(node);
    node = json_node_new(JSON_NODE_VALUE);
    if (size == 0 || g_utf8_validate(data, (gssize)size, NULL)) {
        g_autofree char *text = g_strndup(size > 0 ? data : "", size);

        json_node_set_string(node, text);
    } else {
        g_autofree char *base64 = g_base64_encode((const guchar *)data, size);
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "base64", base64);
        json_node_unref(node);
        node = json_node_new(JSON_NODE_OBJECT);
        json_node_take_object(node, object);
    }
    return json_write(node);
}

/* The input with "[secret]" in the place of each secret. */
static char *run_message_input(const StoreRun *run)
{
    g_autoptr(JsonNode) input = NULL, secrets = NULL;
    JsonObjectIter iter;
    const char *name;

    if (run->raw)
        return run_message_raw(run->raw);
    if (!run->secrets || !run->input)
        return g_strdup(util_strempty(run->input));
    if (json_read(run->input, strlen(run->input), &input, NULL) < 0 || !JSON_NODE_HOLDS_OBJECT(input) ||
        json_read(run->secrets, strlen(run->secrets), &secrets, NULL) < 0 || !JSON_NODE_HOLDS_OBJECT(secrets))
        return g_strdup(run->input);
    json_object_iter_init(&iter, json_node_get_object(secrets));
    while (json_object_iter_next(&iter, &name, NULL))
        json_object_set_string_member(json_node_get_object(input), name, "[secret]");
    return json_write(input);
}

static int run_message_append_attempt(sd_bus_message *m, const StoreAttempt *a)
{
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    if (r < 0)
        return r;
    message_put_number(m, "Attempt", a->attempt);
    message_put_string(m, "Result", run_result_to_string(a->result));
    message_put_string(m, "ExitCode", run_exit_code_to_string(a->exit_code));
    message_put_number(m, "ExitStatus", a->exit_status < 0 ? UNSET : (uint64_t)a->exit_status);
    message_put_string(m, "Node", a->node);
    message_put_string(m, "Unit", a->unit);
    message_put_string(m, "InvocationId", a->invocation_id);
    message_put_string(m, "Reason", a->reason);
    message_put_number(m, "Claimed", a->claimed);
    message_put_number(m, "Started", a->started);
    message_put_number(m, "Finished", a->finished);
    return sd_bus_message_close_container(m);
}

static int run_message_put_attempts(sd_bus_message *m, const GPtrArray *attempts)
{
    int r = sd_bus_message_open_container(m, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append(m, "s", "Attempts");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', "aa{sv}");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "a{sv}");
    for (guint i = 0; r >= 0 && attempts && i < attempts->len; i++)
        r = run_message_append_attempt(m, g_ptr_array_index(attempts, i));
    for (int i = 0; i < 3 && r >= 0; i++)
        r = sd_bus_message_close_container(m);
    return r;
}

/* The order is the one in which people see them. */
static void run_message_put_outcome(sd_bus_message *m, const StoreRun *run, const RunLive *live)
{
    message_put_number(m, "Id", run->id);
    message_put_string(m, "Task", run->task);
    message_put_number(m, "Revision", run->revision);
    message_put_string(m, "State", run_state_to_string(run->state));
    message_put_string(m, "Result", run_result_to_string(run->result));
    message_put_string(m, "Reason", run->reason && *run->reason ? run->reason : live->reason);
    message_put_string(m, "ExitCode", run_exit_code_to_string(run->exit_code));
    message_put_number(m, "ExitStatus", run->exit_status < 0 ? UNSET : (uint64_t)run->exit_status);
    message_put_number(m, "Attempt", run->attempt);
    message_put_number(m, "Progress", live->progress);
    message_put_string(m, "StatusText", live->status_text);
}

static void run_message_put_place(sd_bus_message *m, const StoreRun *run)
{
    message_put_string(m, "Node", run->node);
    message_put_string(m, "Unit", run->unit);
    message_put_string(m, "InvocationId", run->invocation_id);
    message_put_string(m, "Queue", run->queue);
    message_put_int(m, "Priority", run->priority);
    message_put_string(m, "Schedule", run->schedule);
    message_put_number(m, "Nominal", run->nominal);
    message_put_string(m, "Requester", run->requester);
    message_put_number(m, "RetryOf", run_message_number_or_unset(run->retry_of));
}

static void run_message_put_times(sd_bus_message *m, const StoreRun *run)
{
    message_put_number(m, "Asked", run->asked);
    message_put_number(m, "Due", run->due);
    message_put_number(m, "Claimed", run->claimed);
    message_put_number(m, "Started", run->started);
    message_put_number(m, "Finished", run->finished);
    message_put_number(m, "WaitUSec", run_message_wait(run));
    message_put_number(m, "WallUSec", run_message_span(run->started, run->finished));
}

static void run_message_put_usage(sd_bus_message *m, const StoreRun *run)
{
    message_put_number(m, "CPUUsageNSec", run->cpu_nsec);
    message_put_number(m, "MemoryPeak", run->memory_peak);
    message_put_number(m, "IOReadBytes", run->io_read);
    message_put_number(m, "IOWriteBytes", run->io_write);
    message_put_number(m, "IPIngressBytes", run->ip_in);
    message_put_number(m, "IPEgressBytes", run->ip_out);
}

int run_message_append(sd_bus_message *m, const StoreRun *run, const RunView *view)
{
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    /* A message that could not be filled stays unfit: what is done last says so too. */
    if (r < 0)
        return r;
    run_message_put_outcome(m, run, view->live);
    run_message_put_place(m, run);
    run_message_put_times(m, run);
    run_message_put_usage(m, run);
    if (view->full) {
        g_autofree char *input = view->content ? run_message_input(run) : NULL;

        message_put_string(m, "Input", input);
    }
    message_put_string(m, "Output", view->content ? run->output : NULL);
    r = message_put_strings(m, "Meta", view->content ? run->meta : NULL);
    if (r >= 0 && view->full)
        r = run_message_put_attempts(m, view->attempts);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static size_t run_message_length(const char *s)
{
    return s ? strlen(s) : 0;
}

size_t run_message_weight(const StoreRun *run)
{
    /* Each pair of the metadata is aligned to 8 bytes with two lengths before it. */
    return WEIGHT_FIXED + run_message_length(run->output) + run_message_length(run->meta) * 6 +
           run_message_length(run->reason) + run_message_length(run->schedule);
}
