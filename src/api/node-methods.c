/* Nodes: the hosts that run taskschedd against this database. */
#include "api/node-methods.h"

#include "api/message.h"

#define PAGE_MAX 1000

static int node_state(sd_bus_message *m, const void *record, size_t offset)
{
    return sd_bus_message_append(m, "s", ((const StoreNode *)record)->up ? "up" : "down");
}

static const Property node_rows[] = {
    { "Name", "s", property_string, offsetof(StoreNode, name), PROPERTY_CONST },
    { "State", "s", node_state, 0, 0 },
    { "Epoch", "t", property_number, offsetof(StoreNode, epoch), 0 },
    { "BootId", "s", property_string, offsetof(StoreNode, boot_id), 0 },
    { "LastSeen", "t", property_number, offsetof(StoreNode, last_seen), 0 },
};
const PropertyTable node_methods_properties = PROPERTY_TABLE(node_rows);

/* --- one --- */

static void on_node(int r, GPtrArray *nodes, const Error *error, void *userdata)
{
    Request *q = userdata;
    g_auto(Error) own = { 0 };

    if (r >= 0 && nodes->len == 0) {
        r = error_set(&own, ERROR_NO_SUCH_NODE, "There is no such node.");
        error = &own;
    }
    if (r < 0)
        request_answer_error(q, r, error);
    else
        request_answer_properties(q, &node_methods_properties, g_ptr_array_index(nodes, 0));
}

int node_methods_get(Request *q, Error *error)
{
    const char *name;
    int r = request_read_label(q, 0, &name, error);

    return r < 0 ? r : manager_list_nodes(q->manager, name, NULL, 1, on_node, q, error);
}

/* --- all --- */

typedef struct NodePage {
    unsigned limit;
    int state; /* of those that are wanted: -1 is any, 1 is up */
} NodePage;

static int filter_state(sd_bus_message *m, void *into, Error *error)
{
    NodePage *p = into;
    const char *state;
    int r = sd_bus_message_read(m, "s", &state);

    if (r < 0)
        return r;
    p->state = g_str_equal(state, "up") ? 1 : 0;
    if (p->state == 0 && !g_str_equal(state, "down"))
        return message_refuse(
            error, ERROR_INVALID_ARGUMENT, "A node is \"up\" or \"down\", not ", state, ".");
    return 0;
}

static const MessageEntry filters[] = {
    { "state", "s", filter_state, 0 },
};

static int node_page_fill(const Request *q, sd_bus_message *reply, const void *found)
{
    const NodePage *p = q->data;
    const GPtrArray *nodes = found;
    bool more = nodes->len > p->limit;
    const char *last = "";
    int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

    for (guint i = 0; r >= 0 && i < nodes->len - more; i++) {
        const StoreNode *n = g_ptr_array_index(nodes, i);

        last = n->name;
        if (p->state < 0 || p->state == n->up)
            r = property_append_dict(reply, &node_methods_properties, n, true);
    }
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_message_append(reply, "s", more ? last : "");
}

static void on_nodes(int r, GPtrArray *nodes, const Error *error, void *userdata)
{
    request_answer_filled(userdata, r, error, node_page_fill, nodes);
}

int node_methods_list(Request *q, Error *error)
{
    NodePage *p = g_new0(NodePage, 1);
    const char *cursor;
    int r;

    q->data = p;
    q->free_data = g_free;
    p->state = -1;
    r = message_read_dict(q->message, filters, G_N_ELEMENTS(filters), "filter", p, error);
    if (r >= 0)
        r = message_read_page(q->message, PAGE_MAX, &cursor, &p->limit, error);
    if (r < 0)
        return r;
    return manager_list_nodes(q->manager, NULL, *cursor ? cursor : NULL, p->limit + 1, on_nodes, q, error);
}
