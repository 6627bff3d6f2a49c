/* Authorisation. A connection's user never changes and its unique name is never given again, so what the bus
 * says of a sender is kept, within bounds, as long as our own connection lives. */
#include "api/auth.h"

#include "api/polkit.h"
#include "base/log.h"
#include "model/task.h"

/* Of the 128 answers that a bus lets one connection wait for, most are kept for the service manager. */
#define IN_FLIGHT_MAX 16
#define PEERS_MAX     256
#define AUDIT_BURST   50
#define AUDIT_RATE    10 /* a second */

typedef struct Waiting {
    AuthFn fn;
    void *userdata;
} Waiting;

typedef struct Peer {
    Auth *auth;
    char *name;
    bool known;
    uint64_t uid, pid;
    char *user, *unit;
    GQueue waiting; /* of Waiting*; empty once it is known */
    sd_bus_slot *slot;
    sd_bus *bus; /* borrowed: auth_reset() comes before it goes */
} Peer;

struct Auth {
    bool user_scope;
    Polkit *polkit;
    Users *users;
    GHashTable *peers; /* name → Peer* */
    GQueue order;      /* of Peer*, known ones, the oldest first */
    GQueue unasked;    /* of Peer*: beyond what may be in flight */
    unsigned in_flight;
    double audit_tokens;
    int64_t audit_filled; /* monotonic µs */
};

static void peer_free(Peer *p)
{
    if (p->auth->users)
        users_cancel(p->auth->users, p);
    sd_bus_slot_unref(p->slot);
    g_queue_clear_full(&p->waiting, g_free);
    g_free(p->name);
    g_free(p->user);
    g_free(p->unit);
    g_free(p);
}

int auth_new(sd_event *event, Clock *clock, bool user_scope, Auth **ret)
{
    Auth *a = g_new0(Auth, 1);
    int r;

    a->user_scope = user_scope;
    a->peers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)peer_free);
    a->audit_tokens = AUDIT_BURST;
    a->audit_filled = g_get_monotonic_time();
    r = polkit_new(clock, &a->polkit);
    if (r >= 0)
        r = users_new(event, clock, &a->users);
    if (r < 0) {
        auth_free(a);
        return r;
    }
    *ret = a;
    return 0;
}

void auth_free(Auth *a)
{
    if (!a)
        return;
    auth_reset(a);
    polkit_free(a->polkit);
    users_free(a->users);
    g_hash_table_unref(a->peers);
    g_free(a);
}

/* The peer is not in any list any more; all who wait for it are told. */
static void peer_tell(Peer *p, int r)
{
    Caller caller = { .uid = p->uid, .name = util_strempty(p->user), .unit = util_strempty(p->unit) };
    Waiting *w;

    while ((w = g_queue_pop_head(&p->waiting))) {
        w->fn(r, &caller, w->userdata);
        g_free(w);
    }
}

void auth_reset(Auth *a)
{
    g_autoptr(GHashTable) gone = g_steal_pointer(&a->peers);
    GHashTableIter iter;
    Peer *p;

    a->peers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)peer_free);
    a->in_flight = 0;
    g_queue_clear(&a->order);
    g_queue_clear(&a->unasked);
    g_hash_table_iter_init(&iter, gone);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&p))
        peer_tell(p, -ECONNRESET);
    if (a->polkit)
        polkit_reset(a->polkit);
}

/* Who it was is kept for the audit alone, so a process that is gone already, or another one with its number,
 * does no harm. Reads /proc only. */
static char *auth_unit_of(uint64_t pid)
{
    sd_bus_creds *creds = NULL;
    const char *unit = NULL;
    char *copy;

    if (pid == 0 || pid > G_MAXINT32 || sd_bus_creds_new_from_pid(&creds, (pid_t)pid, SD_BUS_CREDS_UNIT) < 0)
        return g_strdup("");
    (void)sd_bus_creds_get_unit(creds, &unit);
    copy = g_strdup(util_strempty(unit));
    sd_bus_creds_unref(creds);
    return copy;
}

static int peer_read_credential(Peer *p, sd_bus_message *m)
{
    const char *key;
    uint32_t value;
    int r = sd_bus_message_read(m, "s", &key);

    if (r < 0)
        return r;
    if (!g_str_equal(key, "UnixUserID") && !g_str_equal(key, "ProcessID"))
        return sd_bus_message_skip(m, "v");
    r = sd_bus_message_read(m, "v", "u", &value);
    if (r >= 0)
        *(g_str_equal(key, "UnixUserID") ? &p->uid : &p->pid) = value;
    return r;
}

static int peer_read_credentials(Peer *p, sd_bus_message *m)
{
    int r;

    if (sd_bus_message_is_method_error(m, NULL))
        return -sd_bus_message_get_errno(m);
    r = sd_bus_message_enter_container(m, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        r = peer_read_credential(p, m);
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
    }
    return r < 0 ? r : p->uid == UNSET ? -ENODATA : 0;
}

static void auth_ask_next(Auth *a);

/* All is known of it. */
static void on_user(uint64_t uid, const char *name, void *userdata)
{
    Peer *p = userdata;
    Auth *a = p->auth;

    p->user = name ? g_strdup(name) : g_strdup_printf("%" G_GUINT64_FORMAT, p->uid);
    p->known = true;
    g_queue_push_tail(&a->order, p);
    peer_tell(p, 0);
    /* Not before all were told: the one that goes may be this one. */
    if (g_queue_get_length(&a->order) > PEERS_MAX) {
        Peer *oldest = g_queue_pop_head(&a->order);

        g_hash_table_remove(a->peers, oldest->name);
    }
}

static void peer_answered(Peer *p, int r)
{
    Auth *a = p->auth;
    char number[24];

    p->slot = sd_bus_slot_unref(p->slot);
    if (r < 0) {
        g_hash_table_steal(a->peers, p->name);
        peer_tell(p, r);
        peer_free(p);
        return;
    }
    p->unit = auth_unit_of(p->pid);
    g_snprintf(number, sizeof(number), "%" G_GUINT64_FORMAT, p->uid);
    users_find(a->users, number, on_user, p);
}

static int on_credentials(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Peer *p = userdata;
    Auth *a = p->auth;

    a->in_flight--;
    peer_answered(p, peer_read_credentials(p, m));
    auth_ask_next(a);
    return 0;
}

static void auth_ask_next(Auth *a)
{
    Peer *p;
    int r;

    while (a->in_flight < IN_FLIGHT_MAX && (p = g_queue_pop_head(&a->unasked))) {
        r = sd_bus_call_method_async(p->bus, &p->slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
            "org.freedesktop.DBus", "GetConnectionCredentials", on_credentials, p, "s", p->name);
        if (r < 0)
            peer_answered(p, r);
        else
            a->in_flight++;
    }
}

static Peer *auth_add_peer(Auth *a, sd_bus_message *m, const char *name)
{
    Peer *p = g_new0(Peer, 1);

    p->auth = a;
    p->name = g_strdup(name);
    p->uid = UNSET;
    p->bus = sd_bus_message_get_bus(m);
    g_queue_init(&p->waiting);
    g_hash_table_insert(a->peers, p->name, p);
    g_queue_push_tail(&a->unasked, p);
    return p;
}

void auth_identify(Auth *a, sd_bus_message *m, AuthFn fn, void *userdata)
{
    const char *sender = sd_bus_message_get_sender(m);
    Peer *p = sender ? g_hash_table_lookup(a->peers, sender) : NULL;
    Waiting *w;

    if (!sender) {
        fn(-ENODATA, NULL, userdata);
        return;
    }
    if (p && p->known) {
        Caller caller = { .uid = p->uid, .name = p->user, .unit = p->unit };

        fn(0, &caller, userdata);
        return;
    }
    if (!p)
        p = auth_add_peer(a, m, sender);
    w = g_new0(Waiting, 1);
    w->fn = fn;
    w->userdata = userdata;
    g_queue_push_tail(&p->waiting, w);
    auth_ask_next(a);
}

bool auth_is_privileged(const Auth *a, const Caller *caller)
{
    return caller->uid == (a->user_scope ? geteuid() : 0);
}

void auth_find_user(Auth *a, const char *word, UsersFn fn, void *userdata)
{
    users_find(a->users, word, fn, userdata);
}

/* --- polkit --- */

static const char *const actions[] = {
    [AUTH_VIEW] = "org.taskschedd1.view",
    [AUTH_RUN] = "org.taskschedd1.run",
    [AUTH_CONTROL] = "org.taskschedd1.control",
    [AUTH_MANAGE_TASKS] = "org.taskschedd1.manage-tasks",
    [AUTH_MANAGE_DAEMON] = "org.taskschedd1.manage-daemon",
};
G_STATIC_ASSERT(G_N_ELEMENTS(actions) == _AUTH_ACTION_MAX);

typedef struct Asked {
    AuthAskFn fn;
    void *userdata;
    const char *action;
} Asked;

static int auth_explain(int r, const char *what, const char *action, Error *error)
{
    switch (r) {
    case POLKIT_YES:
        return 0;
    case POLKIT_CHALLENGE:
        error_set_hint(error, "Ask where polkit can ask for a password, or as root.");
        return error_set(error, ERROR_AUTHENTICATION_REQUIRED, "This needs authentication (%s).", action);
    case POLKIT_NO:
        error_set_hint(
            error, "Ask as root. A file in /etc/polkit-1/rules.d can allow it, see taskschedd(8).");
        return error_set(error, ERROR_ACCESS_DENIED, "polkit does not allow this (%s).", action);
    case -ECONNRESET:
        return r;
    default:
        error_set_hint(error, "Ask as root, or look at `systemctl status polkit.service`.");
        return error_set(error, ERROR_ACCESS_DENIED, "This is not allowed (%s): polkit cannot be asked (%s).",
            action, what);
    }
}

static void on_polkit(int r, const char *what, void *userdata)
{
    g_autofree Asked *asked = userdata;
    g_auto(Error) error = { 0 };

    r = auth_explain(r, what, asked->action, &error);
    asked->fn(r, &error, asked->userdata);
}

void auth_ask(Auth *a, const AuthQuestion *question, AuthAskFn fn, void *userdata)
{
    const char *task = question->task && task_name_is_valid(question->task) ? question->task : "";
    g_autofree char *run =
        question->run > 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, question->run) : g_strdup("");
    PolkitQuestion q = {
        .bus = sd_bus_message_get_bus(question->message),
        .sender = sd_bus_message_get_sender(question->message),
        .uid = question->caller->uid,
        .action = actions[question->action],
        .task = task,
        .run = run,
        .interactive =
            !question->quiet && sd_bus_message_get_allow_interactive_authorization(question->message) > 0,
    };
    Asked *asked;

    /* Without a polkit nobody but the user itself: see auth_is_privileged(). */
    if (a->user_scope) {
        g_auto(Error) error = { 0 };
        int r = error_set(&error, ERROR_ACCESS_DENIED, "This is another user's task scheduler.");

        fn(r, &error, userdata);
        return;
    }
    asked = g_new0(Asked, 1);
    asked->fn = fn;
    asked->userdata = userdata;
    asked->action = q.action;
    polkit_ask(a->polkit, &q, on_polkit, asked);
}

/* --- audit --- */

bool auth_may_audit(Auth *a)
{
    int64_t now = g_get_monotonic_time();

    a->audit_tokens += (double)(now - a->audit_filled) * AUDIT_RATE / (double)USEC_PER_SEC;
    a->audit_tokens = MIN(a->audit_tokens, AUDIT_BURST);
    a->audit_filled = now;
    if (a->audit_tokens < 1)
        return false;
    a->audit_tokens -= 1;
    return true;
}
