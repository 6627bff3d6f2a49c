/* Users by name and number: a process for each that is not known. */
#include "api/users.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/utf8.h"

#define GETENT      "/usr/bin/getent"
#define HELPERS_MAX 4
#define KNOWN_MAX   1024
#define HELPER_USEC (2 * USEC_PER_SEC)
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
    uint64_t until;      /* boot µs: kept so long */
    GQueue waiting;      /* of Waiting*; empty once it is known */
    int stream, process; /* of its helper; -1: none */
    sd_event_source *on_exit;
    ClockTimer *timer;
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

/* A helper that still runs may hang in the kernel: it is killed, and not waited for. */
static void user_stop(User *x)
{
    siginfo_t info;

    x->on_exit = sd_event_source_disable_unref(x->on_exit);
    clock_timer_disarm(x->timer);
    if (x->process >= 0) {
        pidfd_send_signal(x->process, SIGKILL, NULL, 0);
        waitid(P_PIDFD, (id_t)x->process, &info, WEXITED | WNOHANG);
        x->users->helpers--;
    }
    util_closep(&x->process);
    util_closep(&x->stream);
}

static void user_free(User *x)
{
    user_stop(x);
    clock_timer_free(x->timer);
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

    user_stop(x);
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

/* "NAME:PASSWORD:UID:...". What follows may be long, and what does not fit into the pipe is never read. */
static bool user_read(const User *x, uint64_t *ret_uid, char **ret_name)
{
    g_auto(GStrv) fields = NULL;
    char line[1024];
    ssize_t n = read(x->stream, line, sizeof(line) - 1);

    if (n <= 0)
        return false;
    line[n] = '\0';
    fields = g_strsplit(line, ":", 4);
    if (g_strv_length(fields) != 4 || !*fields[0] || !utf8_is_valid(fields[0]) ||
        !user_is_number(fields[2], ret_uid))
        return false;
    *ret_name = g_strdup(fields[0]);
    return true;
}

static int on_exit_of_helper(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    g_autofree char *name = NULL;
    siginfo_t info = { 0 };
    User *x = userdata;
    uint64_t uid;

    if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) >= 0 && info.si_pid == 0)
        return 0;
    x->users->helpers--;
    util_closep(&x->process);
    if (user_read(x, &uid, &name))
        user_found(x, uid, name);
    else
        user_not_found(x);
    return 0;
}

static void on_timeout(void *userdata)
{
    User *x = userdata;

    log_warning("User %s could not be looked up within %" G_GUINT64_FORMAT " s.", x->word,
        HELPER_USEC / USEC_PER_SEC);
    user_not_found(x);
}

/* The helper has the signals as a program expects them, whatever the daemon does with its own. */
static int user_spawn(const char *word, int output, pid_t *ret)
{
    char *argv[] = { (char *)"getent", (char *)"passwd", (char *)"--", (char *)word, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int r;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn(ret, GETENT, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

static int user_ask(User *x)
{
    _cleanup_(util_closep) int output = -1;
    int pipes[2], r;
    pid_t pid;

    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    x->stream = pipes[0];
    output = pipes[1];
    r = user_spawn(x->word, output, &pid);
    if (r < 0)
        return r;
    x->process = pidfd_open(pid, 0);
    if (x->process < 0) {
        r = -errno;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, WNOHANG);
        return r;
    }
    x->users->helpers++;
    r = sd_event_add_io(x->users->event, &x->on_exit, x->process, EPOLLIN, on_exit_of_helper, x);
    return r < 0 ? r : clock_timer_arm(x->timer, clock_boot(x->users->clock) + HELPER_USEC);
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
    x->stream = x->process = -1;
    if (clock_timer_new(u->clock, CLOCK_BOOT, on_timeout, x, &x->timer) < 0) {
        user_free(x);
        return NULL;
    }
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
    if (!x) {
        fn(UNSET, word, userdata);
        return;
    }
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
