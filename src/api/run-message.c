/* StoreRun to a{sv}: every key is always there; what is absent is "" or the largest number. */
#include "api/run-message.h"

#include "api/message.h"
#include "base/utf8.h"
#include "model/json.h"

/* Of larger content a message has none: the limit of a bus is 32 MiB, and the daemon would be thrown out. */
#define CONTENT_MAX (4 * 1024 * 1024)
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

/* What was given as bytes: JSON if it is, else text as a JSON string, else base64 in an object. */
static char *run_message_raw(GBytes *raw)
{
    g_autoptr(JsonNode) node = NULL;
    gsize size;
    const char *data = g_bytes_get_data(raw, &size);

    if (json_read(size > 0 ? data : "", size, &node, NULL) >= 0)
        return json_write(node);
    node = json_node_new(JSON_NODE_VALUE);
    if (size == 0 || utf8_is_valid_len(data, size, NULL)) {
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

char *run_message_input(const StoreRun *run)
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

/* --- attempts --- */

static int attempt_number(sd_bus_message *m, const void *record, size_t offset)
{
    const StoreAttempt *a = record;

    return sd_bus_message_append(m, "t", (uint64_t)a->attempt);
}

static int attempt_result(sd_bus_message *m, const void *record, size_t offset)
{
    const StoreAttempt *a = record;

    return sd_bus_message_append(m, "s", run_result_to_string(a->result));
}

static int attempt_exit_code(sd_bus_message *m, const void *record, size_t offset)
{
    const StoreAttempt *a = record;

    return sd_bus_message_append(m, "s", run_exit_code_to_string(a->exit_code));
}

static int attempt_exit_status(sd_bus_message *m, const void *record, size_t offset)
{
    const StoreAttempt *a = record;

    return sd_bus_message_append(m, "t", a->exit_status < 0 ? UNSET : (uint64_t)a->exit_status);
}

#define ATTEMPT_STRING(name, field)                                                                          \
    {                                                                                                        \
        name, "s", property_string, offsetof(StoreAttempt, field), 0                                         \
    }
#define ATTEMPT_NUMBER(name, field)                                                                          \
    {                                                                                                        \
        name, "t", property_number, offsetof(StoreAttempt, field), 0                                         \
    }

static const Property attempt_rows[] = {
    { "Attempt", "t", attempt_number, 0, 0 },
    { "Result", "s", attempt_result, 0, 0 },
    { "ExitCode", "s", attempt_exit_code, 0, 0 },
    { "ExitStatus", "t", attempt_exit_status, 0, 0 },
    ATTEMPT_STRING("Node", node),
    ATTEMPT_STRING("Unit", unit),
    ATTEMPT_STRING("InvocationId", invocation_id),
    ATTEMPT_STRING("Reason", reason),
    ATTEMPT_NUMBER("Claimed", claimed),
    ATTEMPT_NUMBER("Started", started),
    ATTEMPT_NUMBER("Finished", finished),
};
static const PropertyTable attempt_properties = PROPERTY_TABLE(attempt_rows);

static int run_attempts(sd_bus_message *m, const void *record, size_t offset)
{
    const GPtrArray *attempts = ((const RunRecord *)record)->view->attempts;
    int r = sd_bus_message_open_container(m, 'a', "a{sv}");

    for (guint i = 0; r >= 0 && attempts && i < attempts->len; i++)
        r = property_append_dict(m, &attempt_properties, g_ptr_array_index(attempts, i), true);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

/* --- runs --- */

static const void *run_field(const void *record, size_t offset)
{
    return (const char *)((const RunRecord *)record)->run + offset;
}

static int run_number(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "t", *(const uint64_t *)run_field(record, offset));
}

static int run_string(sd_bus_message *m, const void *record, size_t offset)
{
    return property_append_string(m, *(const char *const *)run_field(record, offset));
}

static int run_state(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "s", run_state_to_string(((const RunRecord *)record)->run->state));
}

static int run_result(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "s", run_result_to_string(((const RunRecord *)record)->run->result));
}

static int run_reason(sd_bus_message *m, const void *record, size_t offset)
{
    const RunRecord *r = record;

    return property_append_string(
        m, r->run->reason && *r->run->reason ? r->run->reason : r->view->live->reason);
}

static int run_exit_code(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(
        m, "s", run_exit_code_to_string(((const RunRecord *)record)->run->exit_code));
}

static int run_exit_status(sd_bus_message *m, const void *record, size_t offset)
{
    int status = ((const RunRecord *)record)->run->exit_status;

    return sd_bus_message_append(m, "t", status < 0 ? UNSET : (uint64_t)status);
}

static int run_attempt(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "t", (uint64_t)((const RunRecord *)record)->run->attempt);
}

static int run_priority(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "i", ((const RunRecord *)record)->run->priority);
}

static int run_progress(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "t", ((const RunRecord *)record)->view->live->progress);
}

static int run_status_text(sd_bus_message *m, const void *record, size_t offset)
{
    return property_append_string(m, ((const RunRecord *)record)->view->live->status_text);
}

static int run_retry_of(sd_bus_message *m, const void *record, size_t offset)
{
    uint64_t of = ((const RunRecord *)record)->run->retry_of;

    return sd_bus_message_append(m, "t", of == 0 ? UNSET : of);
}

static int run_wait(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "t", run_message_wait(((const RunRecord *)record)->run));
}

static int run_wall(sd_bus_message *m, const void *record, size_t offset)
{
    const StoreRun *run = ((const RunRecord *)record)->run;

    return sd_bus_message_append(m, "t", run_message_span(run->started, run->finished));
}

static const char *run_message_bounded(const char *content)
{
    return content && strlen(content) <= CONTENT_MAX ? content : "";
}

static int run_input(sd_bus_message *m, const void *record, size_t offset)
{
    const RunRecord *r = record;
    g_autofree char *input = r->view->content ? run_message_input(r->run) : NULL;

    return property_append_string(m, run_message_bounded(input));
}

static int run_output(sd_bus_message *m, const void *record, size_t offset)
{
    const RunRecord *r = record;

    return property_append_string(m, r->view->content ? run_message_bounded(r->run->output) : NULL);
}

static int run_meta(sd_bus_message *m, const void *record, size_t offset)
{
    const RunRecord *r = record;

    return message_append_strings(m, r->view->content ? r->run->meta : NULL);
}

#define RUN_STRING(name, field)                                                                              \
    {                                                                                                        \
        name, "s", run_string, offsetof(StoreRun, field), 0                                                  \
    }
#define RUN_NUMBER(name, field)                                                                              \
    {                                                                                                        \
        name, "t", run_number, offsetof(StoreRun, field), 0                                                  \
    }

/* The order is the one in which people see them. */
static const Property run_rows[] = {
    RUN_NUMBER("Id", id),
    RUN_STRING("Task", task),
    RUN_NUMBER("Revision", revision),
    { "State", "s", run_state, 0, 0 },
    { "Result", "s", run_result, 0, 0 },
    { "Reason", "s", run_reason, 0, 0 },
    { "ExitCode", "s", run_exit_code, 0, 0 },
    { "ExitStatus", "t", run_exit_status, 0, 0 },
    { "Attempt", "t", run_attempt, 0, 0 },
    { "Progress", "t", run_progress, 0, 0 },
    { "StatusText", "s", run_status_text, 0, 0 },
    RUN_STRING("Node", node),
    RUN_STRING("Unit", unit),
    RUN_STRING("InvocationId", invocation_id),
    RUN_STRING("Queue", queue),
    { "Priority", "i", run_priority, 0, 0 },
    RUN_STRING("Schedule", schedule),
    RUN_NUMBER("Nominal", nominal),
    RUN_STRING("Requester", requester),
    { "RetryOf", "t", run_retry_of, 0, 0 },
    RUN_NUMBER("AfterRun", after_run),
    RUN_NUMBER("Asked", asked),
    RUN_NUMBER("Due", due),
    RUN_NUMBER("Deadline", deadline),
    RUN_NUMBER("Claimed", claimed),
    RUN_NUMBER("Started", started),
    RUN_NUMBER("Finished", finished),
    { "WaitUSec", "t", run_wait, 0, 0 },
    { "WallUSec", "t", run_wall, 0, 0 },
    RUN_NUMBER("CPUUsageNSec", cpu_nsec),
    RUN_NUMBER("MemoryPeak", memory_peak),
    RUN_NUMBER("IOReadBytes", io_read),
    RUN_NUMBER("IOWriteBytes", io_write),
    RUN_NUMBER("IPIngressBytes", ip_in),
    RUN_NUMBER("IPEgressBytes", ip_out),
    { "Input", "s", run_input, 0, PROPERTY_WHOLE },
    { "Output", "s", run_output, 0, 0 },
    { "Meta", "a{ss}", run_meta, 0, 0 },
    { "Attempts", "aa{sv}", run_attempts, 0, PROPERTY_WHOLE },
};
const PropertyTable run_message_properties = PROPERTY_TABLE(run_rows);

int run_message_append(sd_bus_message *m, const StoreRun *run, const RunView *view)
{
    RunRecord record = { .run = run, .view = view };

    return property_append_dict(m, &run_message_properties, &record, view->full);
}

static size_t run_message_length(const char *s)
{
    return s ? strlen(s) : 0;
}

size_t run_message_weight(const StoreRun *run)
{
    /* Each pair of the metadata is aligned to 8 bytes with two lengths before it. */
    return WEIGHT_FIXED + run_message_length(run_message_bounded(run->output)) +
           run_message_length(run->meta) * 6 + run_message_length(run->reason) +
           run_message_length(run->schedule);
}
