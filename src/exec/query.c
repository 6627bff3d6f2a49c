/* Questions to the service manager, and signals to processes: calls without a wait. */
#include "exec/internal.h"

#include <signal.h>

/* --- the manager's own number ------------------------------------------------------------------------------
 */

typedef struct StampOp {
    Work op;
    ExecNumberFn fn;
    void *userdata;
} StampOp;

static void stamp_end(StampOp *s, int r, uint64_t number)
{
    work_end(&s->op);
    s->fn(r, number, s->userdata);
    work_free(&s->op);
}

static void stamp_answer(Work *op, int r)
{
    stamp_end((StampOp *)op, r, UNSET);
}

static const WorkType stamp_type = { .answer = stamp_answer };

static void stamp_on_reply(Work *op, sd_bus_message *reply)
{
    uint64_t number = UNSET;
    int r = work_reply_errno(reply);

    if (r >= 0)
        r = sd_bus_message_read(reply, "v", "t", &number);
    stamp_end((StampOp *)op, r < 0 ? r : 0, number);
}

static void query_get(Work *op, const char *path, const char *interface, const char *property, CallFn fn)
{
    sd_bus_message *m = work_message(op, path, "org.freedesktop.DBus.Properties", "Get");

    if (m && sd_bus_message_append(m, "ss", interface, property) < 0)
        m = sd_bus_message_unref(m);
    work_call(op, m, fn);
}

int exec_manager_stamp(Exec *e, ExecNumberFn fn, void *userdata)
{
    StampOp *s = (StampOp *)work_new(e, sizeof(StampOp), &stamp_type);

    if (!s)
        return -ECANCELED;
    s->fn = fn;
    s->userdata = userdata;
    query_get(&s->op, SYSTEMD_PATH, SYSTEMD_MANAGER, "UserspaceTimestampMonotonic", stamp_on_reply);
    return 0;
}

/* --- one unit ----------------------------------------------------------------------------------------------
 */

/* The states are read before what the process left: where they say that it is over, the rest is final. */
typedef struct GetOp {
    Work op;
    UnitState *state;
    unsigned pending; /* replies */
    int r;
    ExecStateFn fn;
    void *userdata;
} GetOp;

static void get_answer(Work *op, int r)
{
    GetOp *g = (GetOp *)op;

    work_end(op);
    g->fn(r, r < 0 ? NULL : g->state, g->userdata);
    work_free(op);
}

static void get_free(Work *op)
{
    unit_state_free(((GetOp *)op)->state);
}

static const WorkType get_type = { .answer = get_answer, .free = get_free };

/* A unit whose start job waits for another is "inactive", and for us that is over. It is not: it is about to begin. */
static const char *query_active_state(const char *active, uint32_t job)
{
    return job > 0 && g_str_equal(active, "inactive") ? "activating" : active;
}

/* A unit may go between two questions about it: what is told then is that of a unit that nobody made. */
static bool get_found_none(const UnitState *u)
{
    return !*u->token && !*u->invocation_id && !g_str_equal(u->active_state, "activating");
}

static void get_done(GetOp *g, int r)
{
    Exec *e = g->op.exec;

    if (r < 0 && g->r == 0)
        g->r = r;
    if (--g->pending > 0)
        return;
    if (g->r == 0 && get_found_none(g->state))
        g->r = -ENOENT;
    /* Signals tell of a failure before the unit is in that state. */
    if (g->r == 0 && g_str_equal(g->state->active_state, "failed"))
        g_hash_table_add(e->failed, g_strdup(g->state->unit));
    else if (g->r == 0)
        g_hash_table_remove(e->failed, g->state->unit);
    get_answer(&g->op, g->r);
}

/* a(ssssssouso), one entry: name, description, load, active and sub state, … */
static int get_read_states(GetOp *g, sd_bus_message *reply)
{
    const char *load, *active, *sub;
    uint32_t job;
    int r;

    r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
    if (r >= 0)
        r = sd_bus_message_enter_container(reply, 'r', "ssssssouso");
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    r = sd_bus_message_read(reply, "ssssssou", NULL, NULL, &load, &active, &sub, NULL, NULL, &job);
    if (r < 0)
        return r;
    if (g_str_equal(load, "not-found"))
        return -ENOENT;
    g_free(g->state->active_state);
    g_free(g->state->sub_state);
    g->state->active_state = g_strdup(query_active_state(active, job));
    g->state->sub_state = g_strdup(sub);
    return 0;
}

static void get_on_states(Work *op, sd_bus_message *reply)
{
    int r = work_reply_errno(reply);

    get_done((GetOp *)op, r < 0 ? r : get_read_states((GetOp *)op, reply));
}

static void get_on_service(Work *op, sd_bus_message *reply)
{
    GetOp *g = (GetOp *)op;
    int r = work_reply_errno(reply);

    get_done(g, r < 0 ? r : unit_state_read(g->state, reply));
}

static void get_on_invocation(Work *op, sd_bus_message *reply)
{
    GetOp *g = (GetOp *)op;
    int r = work_reply_errno(reply);

    get_done(g, r < 0 ? r : unit_state_read_id(g->state, reply));
}

/* What GetAll() of the Unit interface has beyond these two is much and dear. */
static GetOp *get_start(Exec *e, const char *unit, bool with_states, ExecStateFn fn, void *userdata)
{
    GetOp *g = (GetOp *)work_new(e, sizeof(GetOp), &get_type);
    g_autofree char *path = unit_path(unit);
    sd_bus_message *m;

    if (!g)
        return NULL;
    g->state = unit_state_new(unit);
    g->fn = fn;
    g->userdata = userdata;
    g->pending = with_states ? 3 : 2;
    if (with_states) {
        m = work_manager_message(&g->op, "ListUnitsByNames");
        if (m && sd_bus_message_append(m, "as", 1, unit) < 0)
            m = sd_bus_message_unref(m);
        work_call(&g->op, m, get_on_states);
    }
    m = work_message(&g->op, path, "org.freedesktop.DBus.Properties", "GetAll");
    if (m && sd_bus_message_append(m, "s", SYSTEMD_NAME ".Service") < 0)
        m = sd_bus_message_unref(m);
    work_call(&g->op, m, get_on_service);
    query_get(&g->op, path, SYSTEMD_NAME ".Unit", "InvocationID", get_on_invocation);
    return g;
}

int exec_get(Exec *e, const char *unit, ExecStateFn fn, void *userdata)
{
    unsigned attempt;
    uint64_t run;

    if (!exec_unit_parse(unit, &run, &attempt))
        return -EINVAL;
    return get_start(e, unit, true, fn, userdata) ? 0 : -ECANCELED;
}

/* --- all units ---------------------------------------------------------------------------------------------
 */

typedef struct ListOp {
    Work op;
    GPtrArray *units;
    GHashTable *gets; /* set of GetOp* under way */
    int r;
    ExecListFn fn;
    void *userdata;
} ListOp;

typedef struct ListItem {
    ListOp *list; /* NULL: the list was answered before */
    GetOp *get;
} ListItem;

static void list_answer(Work *op, int r)
{
    ListOp *l = (ListOp *)op;
    GHashTableIter iter;
    gpointer item;

    work_end(op);
    g_hash_table_iter_init(&iter, l->gets);
    while (g_hash_table_iter_next(&iter, &item, NULL))
        ((ListItem *)item)->list = NULL;
    l->fn(r, r < 0 ? NULL : l->units, l->userdata);
    work_free(op);
}

static void list_free(Work *op)
{
    g_ptr_array_unref(((ListOp *)op)->units);
    g_hash_table_unref(((ListOp *)op)->gets);
}

static const WorkType list_type = { .answer = list_answer, .free = list_free };

static void list_on_state(int r, const UnitState *u, void *userdata)
{
    g_autofree ListItem *item = userdata;
    ListOp *l = item->list;
    GetOp *g = item->get;

    if (!l)
        return;
    g_hash_table_remove(l->gets, item);
    if (r >= 0)
        g_ptr_array_add(l->units, g_steal_pointer(&g->state));
    else if (r != -ENOENT && l->r == 0)
        l->r = r;
    if (g_hash_table_size(l->gets) == 0)
        list_answer(&l->op, l->r);
}

static int list_add(ListOp *l, const char *unit, const char *active, const char *sub)
{
    ListItem *item = g_new0(ListItem, 1);

    item->list = l;
    item->get = get_start(l->op.exec, unit, false, list_on_state, item);
    if (!item->get) {
        g_free(item);
        return -ECANCELED;
    }
    g_hash_table_add(l->gets, item);
    g_free(item->get->state->active_state);
    g_free(item->get->state->sub_state);
    item->get->state->active_state = g_strdup(active);
    item->get->state->sub_state = g_strdup(sub);
    return 0;
}

static int list_read(ListOp *l, sd_bus_message *reply)
{
    const char *unit, *load, *active, *sub;
    unsigned attempt;
    uint64_t run;
    uint32_t job;
    int r;

    r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
    if (r < 0)
        return r;
    while ((r = sd_bus_message_enter_container(reply, 'r', "ssssssouso")) > 0) {
        r = sd_bus_message_read(
            reply, "ssssssouso", &unit, NULL, &load, &active, &sub, NULL, NULL, &job, NULL, NULL);
        if (r >= 0 && !g_str_equal(load, "not-found") && exec_unit_parse(unit, &run, &attempt))
            r = list_add(l, unit, query_active_state(active, job), sub);
        if (r >= 0)
            r = sd_bus_message_exit_container(reply);
        if (r < 0)
            return r;
    }
    return r;
}

static void list_on_units(Work *op, sd_bus_message *reply)
{
    ListOp *l = (ListOp *)op;
    int r = work_reply_errno(reply);

    if (r >= 0)
        r = list_read(l, reply);
    if (r < 0 || g_hash_table_size(l->gets) == 0)
        list_answer(op, r);
}

int exec_list(Exec *e, ExecListFn fn, void *userdata)
{
    ListOp *l = (ListOp *)work_new(e, sizeof(ListOp), &list_type);
    sd_bus_message *m;

    if (!l)
        return -ECANCELED;
    l->units = g_ptr_array_new_with_free_func((GDestroyNotify)unit_state_free);
    l->gets = g_hash_table_new(NULL, NULL);
    l->fn = fn;
    l->userdata = userdata;
    m = work_manager_message(&l->op, "ListUnitsByPatterns");
    if (m && sd_bus_message_append(m, "asas", 0, 1, "tsched-run-*.service") < 0)
        m = sd_bus_message_unref(m);
    work_call(&l->op, m, list_on_units);
    return 0;
}

/* --- one call: signals, and units that are not ours -----------------------------------------------------------------------------------------------
 */

typedef struct DoneOp {
    Work op;
    ExecDoneFn fn;
    void *userdata;
} DoneOp;

static void done_end(DoneOp *d, int r, const Error *error)
{
    work_end(&d->op);
    d->fn(r, error, d->userdata);
    work_free(&d->op);
}

static void done_answer(Work *op, int r)
{
    done_end((DoneOp *)op, r, NULL);
}

static const WorkType done_type = { .answer = done_answer };

static void done_on_reply(Work *op, sd_bus_message *reply)
{
    g_auto(Error) error = { 0 };
    int r = work_reply_errno(reply);

    if (r < 0)
        work_reply_error(reply, &error);
    done_end((DoneOp *)op, r, r < 0 ? &error : NULL);
}

static DoneOp *done_new(Exec *e, ExecDoneFn fn, void *userdata)
{
    DoneOp *d = (DoneOp *)work_new(e, sizeof(DoneOp), &done_type);

    if (d) {
        d->fn = fn;
        d->userdata = userdata;
    }
    return d;
}

/* With "-fail" it is told that there was nobody to be signalled. */
int exec_kill(Exec *e, const char *unit, bool main_only, int signal, ExecDoneFn fn, void *userdata)
{
    DoneOp *d;
    sd_bus_message *m;

    if (signal < 1 || signal >= NSIG)
        return -EINVAL;
    d = done_new(e, fn, userdata);
    if (!d)
        return -ECANCELED;
    m = work_manager_message(&d->op, "KillUnit");
    if (m && sd_bus_message_append(m, "ssi", unit, main_only ? "main-fail" : "all-fail", signal) < 0)
        m = sd_bus_message_unref(m);
    work_call(&d->op, m, done_on_reply);
    return 0;
}

int exec_start_unit(Exec *e, const char *unit, ExecDoneFn fn, void *userdata)
{
    DoneOp *d = done_new(e, fn, userdata);
    sd_bus_message *m;

    if (!d)
        return -ECANCELED;
    m = work_manager_message(&d->op, "StartUnit");
    if (m && sd_bus_message_append(m, "ss", unit, "replace") < 0)
        m = sd_bus_message_unref(m);
    work_call(&d->op, m, done_on_reply);
    return 0;
}
