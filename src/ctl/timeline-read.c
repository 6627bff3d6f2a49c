/* What the lists know of runs, of slots that did not fire and of times to come, by task. */
#include <string.h>

#include "ctl/list.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/timeline.h"
#include "lib/i18n.h"
#include "lib/value.h"

#define DAY      (86400 * USEC_PER_SEC)
#define ROWS_MAX 10000 /* of each list */
#define NEXT_MAX 1000

void timeline_clear(Timeline *t)
{
    g_clear_pointer(&t->tasks, g_tree_unref);
    g_clear_pointer(&t->ids, g_hash_table_unref);
}

static TimelineTask *timeline_task(Timeline *t, JsonObject *o)
{
    const char *name = text_member(o, "Task");
    TimelineTask *found = g_tree_lookup(t->tasks, name);

    if (!found) {
        found = timeline_task_new(name);
        g_tree_insert(t->tasks, found->name, found);
    }
    return found;
}

static void timeline_add_run(JsonObject *o, void *timeline)
{
    Timeline *t = timeline;
    uint64_t id = text_number(o, "Id");

    if (g_hash_table_add(t->ids, g_memdup2(&id, sizeof(id))))
        json_array_add_object_element(timeline_task(t, o)->runs, json_object_ref(o));
}

static void timeline_add_missed(JsonObject *o, void *timeline)
{
    Timeline *t = timeline;

    json_array_add_object_element(timeline_task(t, o)->missed, json_object_ref(o));
}

static void timeline_add_coming(JsonObject *o, void *timeline)
{
    Timeline *t = timeline;

    json_array_add_object_element(timeline_task(t, o)->coming, json_object_ref(o));
}

static int timeline_list(Timeline *t, const char *method, const ClientFilter *filter,
    void (*add)(JsonObject *o, void *timeline), ClientError *e)
{
    int r = client_list_all(t->ctl->client, e, method, filter, ROWS_MAX, add, t);

    t->cut |= r > 0;
    return r;
}

/* A run may have been asked for long before the time that is shown: what is not done is there whenever that was, what is
 * done if it was asked for as long before as the time that is shown is. */
static int timeline_read_runs(Timeline *t, ClientError *e)
{
    static const char *const states[] = { "waiting", "queued", "starting", "running", "stopping" };
    uint64_t length = t->span.until - t->span.since;
    ClientFilter filter = {
        .task = t->task,
        .since = t->span.since > length ? t->span.since - length : 1,
        .until = t->span.until,
    };
    int r = timeline_list(t, "ListRuns", &filter, timeline_add_run, e);

    ARRAY_FOREACH (state, states) {
        ClientFilter of_state = { .task = t->task, .state = *state };

        if (r >= 0)
            r = timeline_list(t, "ListRuns", &of_state, timeline_add_run, e);
    }
    return r;
}

/* What is not defined and has no slots may have had runs: then it was deleted, and is shown. */
static int timeline_forgive(Timeline *t, int r, ClientError *e)
{
    ClientFilter filter = { .task = t->task };
    g_auto(ClientError) own = { 0 };
    g_autoptr(JsonArray) runs = NULL;
    g_autofree char *next = NULL;

    if (e->error.code != ERROR_NO_SUCH_TASK ||
        client_list(t->ctl->client, &own, "ListRuns", &filter, "", 1, &runs, &next) < 0 ||
        json_array_get_length(runs) == 0)
        return r;
    client_error_clear(e);
    return 0;
}

static int timeline_read_missed(Timeline *t, ClientError *e)
{
    ClientFilter filter = {
        .task = t->task,
        .outcome = "skipped",
        .since = t->span.since,
        .until = t->span.until,
    };
    int r = timeline_list(t, "ListSlots", &filter, timeline_add_missed, e);

    return r < 0 ? timeline_forgive(t, r, e) : r;
}

static int timeline_append_next(sd_bus_message *m, const Timeline *t)
{
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    if (r >= 0 && t->task)
        r = sd_bus_message_append(m, "{sv}", "task", "s", t->task);
    if (r >= 0)
        r = sd_bus_message_append(m, "{sv}", "since", "t", MAX(t->span.now, t->span.since));
    if (r >= 0)
        r = sd_bus_message_append(m, "{sv}", "until", "t", t->span.until);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_append(m, "u", (uint32_t)NEXT_MAX);
}

static int timeline_read_coming(Timeline *t, ClientError *e)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
    g_autoptr(JsonArray) slots = NULL;
    int r;

    if (t->span.until <= t->span.now)
        return 0;
    r = client_message(t->ctl->client, "ListNext", &m, e);
    if (r < 0)
        return r;
    r = timeline_append_next(m, t);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    r = client_send(t->ctl->client, m, &reply, e);
    /* One that was deleted has none to come. */
    if (r < 0 && e->error.code == ERROR_NO_SUCH_TASK) {
        client_error_clear(e);
        return 0;
    }
    if (r < 0)
        return r;
    r = value_read_array(reply, &slots);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    for (guint i = 0; i < json_array_get_length(slots); i++)
        timeline_add_coming(json_array_get_object_element(slots, i), t);
    t->cut |= json_array_get_length(slots) == NEXT_MAX;
    return 0;
}

static int timeline_options(Timeline *t)
{
    int code;

    t->task = ctl_word(t->ctl, 0);
    t->span.now = (uint64_t)g_get_real_time();
    t->span.since = t->span.now - DAY;
    t->span.until = t->span.now + DAY;
    code = list_instant(t->ctl, "since", &t->span.since);
    if (code == EXITS_OK)
        code = list_instant(t->ctl, "until", &t->span.until);
    if (code == EXITS_OK && t->span.since >= t->span.until)
        return output_usage(t->ctl, _("--since is not before --until"));
    return code;
}

static int timeline_compare(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(a, b);
}

int timeline_open(Ctl *ctl, Timeline *t)
{
    g_auto(ClientError) error = { 0 };
    int r, code;

    *t = (Timeline){ .ctl = ctl };
    code = timeline_options(t);
    if (code != EXITS_OK)
        return code;
    t->tasks = g_tree_new_full(timeline_compare, NULL, NULL, timeline_task_free);
    t->ids = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    r = timeline_read_runs(t, &error);
    if (r >= 0)
        r = timeline_read_missed(t, &error);
    if (r >= 0)
        r = timeline_read_coming(t, &error);
    return r < 0 ? output_fail(ctl, &error) : EXITS_OK;
}

void timeline_note(const Timeline *t)
{
    if (t->cut)
        output_note(t->ctl, "%s", _("There is more than is shown: name a task, or a shorter time"));
}

static gboolean timeline_add_json(gpointer key, gpointer data, gpointer ctl)
{
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), NULL);
    JsonObject *o = json_object_new();
    TimelineTask *task = data;

    json_node_take_object(node, o);
    json_object_set_string_member(o, "Task", key);
    json_object_set_array_member(o, "Runs", json_array_ref(task->runs));
    json_object_set_array_member(o, "Missed", json_array_ref(task->missed));
    json_object_set_array_member(o, "Coming", json_array_ref(task->coming));
    output_list_add(ctl, node);
    return FALSE;
}

void timeline_json(const Timeline *t)
{
    output_list_begin(t->ctl);
    g_tree_foreach(t->tasks, timeline_add_json, t->ctl);
    output_list_end(t->ctl);
}
