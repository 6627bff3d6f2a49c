/* Turns. What waits of different users goes on one by one, round and round, an iteration of the loop apart. */
#include "api/turn.h"

#include <string.h>

/* At work at once: of a user, and of whoever is privileged. The database takes them in batches, so that more of them
 * cost less each; but what others ask for stands behind these. */
#define AT_WORK_MAX            32
#define AT_WORK_PRIVILEGED_MAX 256
/* Waiting, of one user. Who reaches this is not served slowly but wrong. */
#define WAITING_MAX       10000
#define WAITING_BYTES_MAX (32 * 1024 * 1024)
/* Callers that are watched: a bus gives one connection some hundreds of matches. What those beyond had asked for is done
 * for nobody. */
#define WATCHES_MAX 64

struct TurnUser {
    Turns *turns;
    uint64_t uid;
    unsigned at_work, max;
    GQueue waiting; /* of Turn* */
    size_t bytes;   /* of their messages */
    bool listed;    /* stands in Turns.next */
    GQueue work;    /* of Turn*: what takes long; each is of one that is at work */
};

/* Somebody of whom requests wait. */
typedef struct Watch {
    Turns *turns;
    char *name;
    unsigned waiting;
    sd_bus_slot *slot;
} Watch;

typedef struct Turn {
    char *sender;
    size_t bytes;
    TurnFn fn;
    void *userdata;
} Turn;

struct Turns {
    GHashTable *users;   /* uid → TurnUser*, of those with anything at work or waiting */
    GHashTable *watches; /* sender → Watch* */
    GQueue next;         /* of TurnUser* with room and something waiting */
    sd_event_source *defer;
    GQueue workers; /* of TurnUser* with work, each once */
    uint64_t rest;  /* monotonic µs: no work before */
    sd_event_source *work;
};

/* --- who is gone --- */

static void watch_free(Watch *w)
{
    sd_bus_slot_unref(w->slot);
    g_free(w->name);
    g_free(w);
}

static void turn_free(Turns *t, Turn *turn)
{
    Watch *w = g_hash_table_lookup(t->watches, turn->sender);

    if (w && --w->waiting == 0)
        g_hash_table_remove(t->watches, turn->sender);
    g_free(turn->sender);
    g_free(turn);
}

/* Tells those of one sender, or (NULL) all. */
static void user_forget(TurnUser *u, const char *sender)
{
    GQueue kept = G_QUEUE_INIT;
    Turn *turn;

    while ((turn = g_queue_pop_head(&u->waiting))) {
        if (sender && !g_str_equal(turn->sender, sender)) {
            g_queue_push_tail(&kept, turn);
            continue;
        }
        u->bytes -= turn->bytes;
        turn->fn(-ECONNRESET, turn->userdata);
        turn_free(u->turns, turn);
    }
    u->waiting = kept;
}

static void turns_forget(Turns *t, const char *sender)
{
    g_autoptr(GList) users = g_hash_table_get_values(t->users);

    for (GList *l = users; l; l = l->next) {
        TurnUser *u = l->data;

        /* It may be the last that keeps the user here. */
        u->at_work++;
        user_forget(u, sender);
        turns_leave(u);
    }
}

static int on_gone(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Watch *w = userdata;
    g_autofree char *name = g_strdup(w->name);

    turns_forget(w->turns, name);
    return 0;
}

static void turns_watch(Turns *t, sd_bus_message *m, const char *sender)
{
    Watch *w = g_hash_table_lookup(t->watches, sender);
    g_autofree char *match = NULL;

    if (w) {
        w->waiting++;
        return;
    }
    if (g_hash_table_size(t->watches) >= WATCHES_MAX)
        return;
    w = g_new0(Watch, 1);
    w->turns = t;
    w->name = g_strdup(sender);
    w->waiting = 1;
    match = g_strdup_printf("type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                            "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s',arg2=''",
        sender);
    if (sd_bus_add_match_async(sd_bus_message_get_bus(m), &w->slot, match, on_gone, NULL, w) < 0)
        watch_free(w);
    else
        g_hash_table_insert(t->watches, w->name, w);
}

/* --- whose turn it is --- */

static bool user_has_room(const TurnUser *u)
{
    return u->at_work < u->max;
}

static void turns_list(Turns *t, TurnUser *u)
{
    if (u->listed || !user_has_room(u) || g_queue_is_empty(&u->waiting))
        return;
    u->listed = true;
    g_queue_push_tail(&t->next, u);
    (void)sd_event_source_set_enabled(t->defer, SD_EVENT_ONESHOT);
}

static int on_defer(sd_event_source *source, void *userdata)
{
    Turns *t = userdata;
    TurnUser *u = g_queue_pop_head(&t->next);
    Turn *turn = NULL;

    if (!u)
        return 0;
    u->listed = false;
    if (user_has_room(u))
        turn = g_queue_pop_head(&u->waiting);
    if (turn) {
        u->bytes -= turn->bytes;
        u->at_work += 2; /* one of them is ours, so that u stays */
        turn->fn(0, turn->userdata);
        turn_free(t, turn);
        turns_leave(u);
    }
    if (!g_queue_is_empty(&t->next))
        (void)sd_event_source_set_enabled(t->defer, SD_EVENT_ONESHOT);
    return 0;
}

void turns_leave(TurnUser *u)
{
    Turns *t = u->turns;

    u->at_work--;
    if (u->at_work > 0 || !g_queue_is_empty(&u->waiting)) {
        turns_list(t, u);
        return;
    }
    if (u->listed)
        g_queue_remove(&t->next, u);
    g_hash_table_remove(t->users, &u->uid);
}

/* --- what takes long --- */

static void turns_arm_work(Turns *t)
{
    if (g_queue_is_empty(&t->workers))
        return;
    (void)sd_event_source_set_time(t->work, t->rest);
    (void)sd_event_source_set_enabled(t->work, SD_EVENT_ONESHOT);
}

static void turns_work_next(Turns *t, int r)
{
    TurnUser *u = g_queue_pop_head(&t->workers);
    Turn *work = g_queue_pop_head(&u->work);

    if (!g_queue_is_empty(&u->work))
        g_queue_push_tail(&t->workers, u);
    work->fn(r, work->userdata);
    g_free(work);
}

static int on_work(sd_event_source *source, uint64_t usec, void *userdata)
{
    Turns *t = userdata;
    uint64_t begun = (uint64_t)g_get_monotonic_time(), now;

    if (g_queue_is_empty(&t->workers))
        return 0;
    turns_work_next(t, 0);
    now = (uint64_t)g_get_monotonic_time();
    t->rest = now + (now - begun);
    turns_arm_work(t);
    return 0;
}

void turns_work(TurnUser *u, TurnFn fn, void *userdata)
{
    Turns *t = u->turns;
    Turn *work = g_new0(Turn, 1);

    work->fn = fn;
    work->userdata = userdata;
    if (g_queue_is_empty(&u->work))
        g_queue_push_tail(&t->workers, u);
    g_queue_push_tail(&u->work, work);
    turns_arm_work(t);
}

/* --- coming --- */

/* About how much memory a message takes: its strings and arrays of bytes, and something for each other value. */
static int turn_weigh(sd_bus_message *m, size_t *bytes)
{
    const char *contents, *text;
    const void *data;
    size_t size;
    char type;
    int r;

    while ((r = sd_bus_message_peek_type(m, &type, &contents)) > 0) {
        *bytes += 16;
        if (strchr("sog", type)) {
            r = sd_bus_message_read_basic(m, type, &text);
            *bytes += r > 0 ? strlen(text) : 0;
        } else if (type == 'a' && g_str_equal(contents, "y")) {
            r = sd_bus_message_read_array(m, 'y', &data, &size);
            *bytes += r > 0 ? size : 0;
        } else if (strchr("arev", type)) {
            r = sd_bus_message_enter_container(m, type, contents);
            if (r >= 0)
                r = turn_weigh(m, bytes);
            if (r >= 0)
                r = sd_bus_message_exit_container(m);
        } else {
            r = sd_bus_message_skip(m, (const char[]){ type, 0 });
        }
        if (r < 0)
            return r;
    }
    return r;
}

static int user_wait(TurnUser *u, sd_bus_message *m, TurnFn fn, void *userdata)
{
    const char *sender = util_strempty(sd_bus_message_get_sender(m));
    size_t bytes = 0;
    Turn *turn;

    /* What is malformed is told so in its turn. */
    (void)turn_weigh(m, &bytes);
    (void)sd_bus_message_rewind(m, 1);
    if (g_queue_get_length(&u->waiting) >= WAITING_MAX || u->bytes + bytes > WAITING_BYTES_MAX)
        return -EBUSY;
    turn = g_new0(Turn, 1);
    *turn = (Turn){ g_strdup(sender), bytes, fn, userdata };
    u->bytes += bytes;
    g_queue_push_tail(&u->waiting, turn);
    turns_watch(u->turns, m, sender);
    return 0;
}

static TurnUser *turns_user(Turns *t, uint64_t uid, bool privileged)
{
    TurnUser *u = g_hash_table_lookup(t->users, &uid);

    if (u)
        return u;
    u = g_new0(TurnUser, 1);
    u->turns = t;
    u->uid = uid;
    u->max = privileged ? AT_WORK_PRIVILEGED_MAX : AT_WORK_MAX;
    g_hash_table_insert(t->users, &u->uid, u);
    return u;
}

int turns_enter(
    Turns *t, uint64_t uid, bool privileged, sd_bus_message *m, TurnFn fn, void *userdata, TurnUser **ret)
{
    TurnUser *u = turns_user(t, uid, privileged);

    *ret = u;
    if (!user_has_room(u) || !g_queue_is_empty(&u->waiting))
        return user_wait(u, m, fn, userdata);
    u->at_work++;
    fn(0, userdata);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ */

int turns_new(sd_event *event, Turns **ret)
{
    Turns *t = g_new0(Turns, 1);
    int r = sd_event_add_defer(event, &t->defer, on_defer, t);

    if (r >= 0)
        r = sd_event_source_set_enabled(t->defer, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time(event, &t->work, CLOCK_MONOTONIC, 0, 1, on_work, t);
    if (r >= 0)
        r = sd_event_source_set_enabled(t->work, SD_EVENT_OFF);
    if (r < 0) {
        sd_event_source_disable_unref(t->defer);
        sd_event_source_disable_unref(t->work);
        g_free(t);
        return r;
    }
    t->users = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    t->watches = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)watch_free);
    *ret = t;
    return 0;
}

void turns_reset(Turns *t)
{
    while (!g_queue_is_empty(&t->workers))
        turns_work_next(t, -ECONNRESET);
    turns_forget(t, NULL);
}

void turns_free(Turns *t)
{
    if (!t)
        return;
    turns_reset(t);
    sd_event_source_disable_unref(t->defer);
    sd_event_source_disable_unref(t->work);
    g_queue_clear(&t->next);
    g_hash_table_unref(t->watches);
    g_hash_table_unref(t->users);
    g_free(t);
}
