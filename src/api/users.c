/* Users by name and number: a process for each that is not known. */
#include "api/users.h"

#include <string.h>

#include "base/helper-process.h"
#include "base/log.h"
#include "base/utf8.h"

#define GETENT      "/usr/bin/getent"
#define HELPERS_MAX 4
#define KNOWN_MAX   1024
#define HELPER_USEC (2 * USEC_PER_SEC)
/* The line of a user: what stands in it is the administrator's to say. */
#define OUTPUT_MAX 65536
/* What was found, and what was not: a server that hangs is not asked for the same name at every call. */
#define KEEP_USEC      (300 * USEC_PER_SEC)
#define KEEP_NONE_USEC (30 * USEC_PER_SEC)

typedef struct Waiting {
    UsersFn fn;
    void *userdata;
} Waiting;

typedef struct User {
    Users *users;
    char *word;
    bool known;
    uint64_t uid;
    char *name;
    uint64_t until; /* boot µs: kept so long */
    GQueue waiting; /* of Waiting*; empty once it is known */
    HelperProcess *process;
} User;

struct Users {
    sd_event *event;
    Clock *clock;
    GHashTable *all; /* word → User* */
    GQueue unasked;  /* of User*: beyond what may be asked at once */
    GQueue known;    /* of User*, the oldest first */
    unsigned helpers;
};

static bool user_is_number(const char *word, uint64_t *ret)
{
    return g_ascii_string_to_unsigned(word, 10, 0, UINT32_MAX, ret, NULL);
}

static void user_free(User *x)
{
    helper_process_free(x->process);
    g_queue_clear_full(&x->waiting, g_free);
    g_free(x->word);
    g_free(x->name);
    g_free(x);
}

static void user_tell(User *x, const char *name)
{
    Waiting *w;

    while ((w = g_queue_pop_head(&x->waiting))) {
        w->fn(x->uid, name, w->userdata);
        g_free(w);
    }
}

int users_new(sd_event *event, Clock *clock, Users **ret)
{
    Users *u = g_new0(Users, 1);

    u->event = sd_event_ref(event);
    u->clock = clock;
    u->all = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)user_free);
    *ret = u;
    return 0;
}

void users_free(Users *u)
{
    GHashTableIter iter;
    User *x;

    if (!u)
        return;
    g_hash_table_iter_init(&iter, u->all);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&x))
        user_tell(x, NULL);
    g_hash_table_unref(u->all);
    g_queue_clear(&u->unasked);
    g_queue_clear(&u->known);
    sd_event_unref(u->event);
    g_free(u);
}

static void users_ask_next(Users *u);

/* name NULL: nothing was found. The number of a user without a name is its name. */
static void user_found(User *x, uint64_t uid, const char *name)
{
    Users *u = x->users;

    x->known = true;
    x->uid = uid;
    x->name = g_strdup(name ? name : x->word);
    x->until = clock_boot(u->clock) + (name ? KEEP_USEC : KEEP_NONE_USEC);
    g_queue_push_tail(&u->known, x);
    user_tell(x, x->name);
    /* Not before all were told: the one that goes may be this one. */
    if (g_queue_get_length(&u->known) > KNOWN_MAX) {
        User *oldest = g_queue_pop_head(&u->known);

        g_hash_table_remove(u->all, oldest->word);
    }
    users_ask_next(u);
}

static void user_not_found(User *x)
{
    uint64_t uid = UNSET;

    (void)user_is_number(x->word, &uid);
    user_found(x, uid, NULL);
}

/* "NAME:PASSWORD:UID:...". */
static bool user_read(const char *line, uint64_t *ret_uid, char **ret_name)
{
    g_auto(GStrv) fields = g_strsplit(line, ":", 4);

    if (g_strv_length(fields) != 4 || !*fields[0] || !utf8_is_valid(fields[0]) ||
        !user_is_number(fields[2], ret_uid))
        return false;
    *ret_name = g_strdup(fields[0]);
    return true;
}

/* Where nobody is found the status is not 0, and that is no failure. */
static void on_looked_up(int r, const char *output, size_t length, void *userdata)
{
    g_autofree char *name = NULL;
    User *x = userdata;
    uint64_t uid;

    x->process = NULL;
    x->users->helpers--;
    if (r < 0 && r != -EPROTO)
        log_warning("User %s could not be looked up: %s", x->word, g_strerror(-r));
    if (r >= 0 && user_read(output, &uid, &name))
        user_found(x, uid, name);
    else
        user_not_found(x);
}

static int user_ask(User *x)
{
    const char *const argv[] = { "getent", "passwd", "--", x->word, NULL };
    HelperProcessSpec spec = {
        .program = GETENT,
        .argv = argv,
        .input = -1,
        .output = -1,
        .output_max = OUTPUT_MAX,
        .timeout_usec = HELPER_USEC,
        .fn = on_looked_up,
        .userdata = x,
    };
    int r = helper_process_start(x->users->event, &spec, &x->process);

    if (r >= 0)
        x->users->helpers++;
    return r;
}

static void users_ask_next(Users *u)
{
    User *x;
    int r;

    while (u->helpers < HELPERS_MAX && (x = g_queue_pop_head(&u->unasked))) {
        r = user_ask(x);
        if (r < 0) {
            log_warning("User %s could not be looked up: %s", x->word, g_strerror(-r));
            user_not_found(x);
        }
    }
}

static User *users_add(Users *u, const char *word)
{
    User *x = g_new0(User, 1);

    x->users = u;
    x->word = g_strdup(word);
    x->uid = UNSET;
    g_hash_table_insert(u->all, x->word, x);
    g_queue_push_tail(&u->unasked, x);
    return x;
}

void users_find(Users *u, const char *word, UsersFn fn, void *userdata)
{
    User *x = g_hash_table_lookup(u->all, word);
    Waiting *w;

    if (g_str_equal(word, "root") || g_str_equal(word, "0")) {
        fn(0, "root", userdata);
        return;
    }
    if (x && x->known && x->until <= clock_boot(u->clock)) {
        g_queue_remove(&u->known, x);
        g_hash_table_remove(u->all, word);
        x = NULL;
    }
    if (x && x->known) {
        fn(x->uid, x->name, userdata);
        return;
    }
    if (!x)
        x = users_add(u, word);
    w = g_new0(Waiting, 1);
    w->fn = fn;
    w->userdata = userdata;
    g_queue_push_tail(&x->waiting, w);
    users_ask_next(u);
}

void users_cancel(Users *u, void *userdata)
{
    GHashTableIter iter;
    User *x;

    g_hash_table_iter_init(&iter, u->all);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&x)) {
        for (GList *i = x->waiting.head, *next; i; i = next) {
            next = i->next;
            if (((Waiting *)i->data)->userdata == userdata) {
                g_free(i->data);
                g_queue_delete_link(&x->waiting, i);
            }
        }
    }
}
