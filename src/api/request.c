/* Requests and their answers. */
#include "api/request.h"

#include "api/message.h"
#include "base/log.h"

/* An error's text: enough for every fault of a long definition, far below what a bus carries. */
#define ERROR_TEXT_MAX (256 * 1024)

Request *request_new(Manager *m, Auth *auth, sd_bus_message *message)
{
    Request *q = g_new0(Request, 1);

    q->manager = m;
    q->auth = auth;
    q->message = sd_bus_message_ref(message);
    return q;
}

void request_free(Request *q)
{
    if (!q)
        return;
    if (q->free_data)
        q->free_data(q->data);
    sd_bus_message_unref(q->message);
    g_free((char *)q->caller.name);
    g_free((char *)q->caller.unit);
    g_strfreev(q->labels);
    if (q->turn)
        turns_leave(q->turn);
    g_free(q);
}

void request_set_caller(Request *q, const Caller *caller, bool privileged)
{
    q->caller.uid = caller->uid;
    q->caller.name = g_strdup(caller->name);
    q->caller.unit = g_strdup(caller->unit);
    q->privileged = privileged;
}

/* --- arguments --- */

int request_read_label(Request *q, unsigned i, const char **ret, Error *error)
{
    if (!q->labels)
        return message_read_failed(sd_bus_message_read(q->message, "s", ret), error);
    *ret = q->labels[i];
    return 0;
}

bool request_parse_run(const char *text, uint64_t *ret)
{
    /* No id is larger than what a bigint holds. */
    return text[0] != '0' && g_ascii_string_to_unsigned(text, 10, 1, INT64_MAX, ret, NULL);
}

int request_read_run(Request *q, uint64_t *ret, Error *error)
{
    int r;

    if (q->labels)
        return request_parse_run(q->labels[0], ret)
                   ? 0
                   : message_refuse(error, ERROR_NO_SUCH_RUN, "There is no run ", q->labels[0], ".");
    r = message_read_failed(sd_bus_message_read(q->message, "t", ret), error);
    if (r >= 0 && (*ret == 0 || *ret > INT64_MAX))
        r = error_set(error, ERROR_NO_SUCH_RUN, "There is no run %" G_GUINT64_FORMAT ".", *ret);
    return r;
}

/* --- answers --- */

/* A caller that is gone, or a bus that is, is none of our failures. */
static void request_sent(Request *q, int r)
{
    if (r < 0 && r != -ENOTCONN && r != -ECONNRESET && r != -EPIPE && r != -ESHUTDOWN)
        log_message(LOG_WARNING, NULL, "The answer to %s could not be sent: %s.",
            util_strempty(sd_bus_message_get_member(q->message)), g_strerror(-r));
    request_free(q);
}

void request_answer(Request *q, const char *types, ...)
{
    va_list ap;
    int r;

    va_start(ap, types);
    r = sd_bus_reply_method_returnv(q->message, types, ap);
    va_end(ap);
    request_sent(q, r);
}

void request_answer_message(Request *q, sd_bus_message *reply)
{
    request_sent(q, sd_bus_send(NULL, reply, NULL));
}

sd_bus_message *request_new_reply(Request *q)
{
    sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(q->message, &reply);

    if (r < 0)
        request_sent(q, r);
    return reply;
}

void request_answer_filled(Request *q, int r, const Error *error, RequestFillFn fill, const void *found)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

    if (r < 0) {
        request_answer_error(q, r, error);
        return;
    }
    reply = request_new_reply(q);
    if (!reply)
        return;
    r = fill(q, reply, found);
    if (r < 0)
        request_answer_error(q, r, NULL);
    else
        request_answer_message(q, reply);
}

static int request_append_properties(
    const Request *q, sd_bus_message *reply, const PropertyTable *t, const void *record)
{
    const Property *p = q->property && *q->property ? property_find(t, q->property) : NULL;

    return p ? property_append_variant(reply, p, record) : property_append_dict(reply, t, record, true);
}

void request_answer_properties(Request *q, const PropertyTable *t, const void *record)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = request_new_reply(q);
    int r;

    if (!reply)
        return;
    r = request_append_properties(q, reply, t, record);
    if (r < 0)
        request_answer_error(q, r, NULL);
    else
        request_answer_message(q, reply);
}

/* An object's properties know one name for what is not there. */
static const char *request_error_name(const Request *q, ErrorCode code)
{
    static const ErrorCode missing[] = { ERROR_NO_SUCH_TASK, ERROR_NO_SUCH_SCHEDULE, ERROR_NO_SUCH_RUN,
        ERROR_NO_SUCH_NODE };

    ARRAY_FOREACH (m, missing)
        if (q->property && *m == code)
            code = ERROR_UNKNOWN_OBJECT;
    return error_info(code)->name;
}

/* Where a callback brought no more than a number. */
static ErrorCode request_code(int r)
{
    switch (-r) {
    case ENOENT:
        return ERROR_NO_SUCH_RUN;
    case ENOTCONN:
    case ECANCELED:
    case ECONNRESET:
    case EAGAIN:
        return ERROR_NOT_AVAILABLE;
    case EINVAL:
        return ERROR_INVALID_ARGUMENT;
    case E2BIG:
    case EBUSY:
        return ERROR_LIMIT_EXCEEDED;
    default:
        return ERROR_FAILED;
    }
}

static void request_describe(Request *q, int r, Error *e)
{
    ErrorCode code = request_code(r);
    const char *reason = manager_reason(q->manager);

    if (code == ERROR_NOT_AVAILABLE)
        error_set(e, code, "%s", *reason ? reason : "The database is not available.");
    else
        error_set(e, code, "The request failed: %s.", g_strerror(-r));
}

void request_answer_error(Request *q, int r, const Error *error)
{
    g_auto(Error) own = { 0 };
    g_autofree char *text = NULL, *valid = NULL;

    if (!error || error->code == ERROR_NONE) {
        request_describe(q, r, &own);
        error = &own;
    }
    text = error->hint && *error->hint ? g_strdup_printf("%s\nHint: %s", error->message, error->hint)
                                       : g_strdup(util_strempty(error->message));
    if (strlen(text) > ERROR_TEXT_MAX)
        text[ERROR_TEXT_MAX] = '\0';
    request_sent(q, sd_bus_reply_method_errorf(
                        q->message, request_error_name(q, error->code), "%s", message_valid(text, &valid)));
}
