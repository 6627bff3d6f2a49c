/* The helper that reads the journal. It is a process of its own and may block; whoever asked ends it after a
 * while. Only lines that the service manager wrote itself count, for whose _PID the kernel vouches, and the daemon's notes of
 * ends. */
#include <json-glib/json-glib.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-journal.h>

#include "base/log.h"
#include "exec/exec.h"

#define MESSAGE_STARTING   "7d4958e842da4a758f6c1cdc7b36dcc5"
#define MESSAGE_STARTED    "39f53479d3a045ac8e11786248231fbf"
#define MESSAGE_EXITED     "98e322203f7a4ed290d09fe03c09fe15"
#define MESSAGE_FAILED     "d9b373ed55a64feb8242e02dbe79a49c"
#define MESSAGE_STOPPED    "7ad2d189f7e94e70a38c781354912448"
#define MESSAGE_JOURNALD   "f77379a8490b408bbe5f6940505a777b"
#define MESSAGE_SUPPRESSED "a596d6fe7bfa4994828e72309e95d61e"
#define SYNC_SOCKET        "/run/systemd/journal/io.systemd.journal"
#define SYNC_REQUEST       "{\"method\":\"io.systemd.Journal.Synchronize\"}"

typedef struct Query {
    const char *unit, *invocation, *token; /* token NULL: any */
    uint64_t claimed;                      /* real µs */
    sd_id128_t boot;    /* that it was claimed in, as the kernel calls it; null is not known */
    uint64_t monotonic; /* µs in that boot, likewise; UNSET is not known */
    bool user;
} Query;

/* The boot that is now. */
typedef struct Now {
    sd_id128_t kernel; /* what the kernel calls it; null where it does not say */
    sd_id128_t boot;   /* what journald calls it; null is not known */
    uint64_t whole;    /* monotonic µs: since then no line of the manager's is missing; UNSET: not known */
} Now;

/* What is logged may still be on its way: journald answers when it has written all that came before. */
static void helper_synchronize(void)
{
    static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SYNC_SOCKET };
    _cleanup_(util_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd p = { .fd = fd, .events = POLLIN };

    /* With the NUL that ends a message. */
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) >= 0 &&
        write(fd, SYNC_REQUEST, sizeof(SYNC_REQUEST)) == (ssize_t)sizeof(SYNC_REQUEST) &&
        poll(&p, 1, 5000) > 0)
        return;
    poll(NULL, 0, 1000);
}

/* A field of the current entry without its name; NULL where it has none. g_free. */
static char *helper_field(sd_journal *j, const char *name)
{
    const void *data;
    size_t size, stem = strlen(name) + 1;

    if (sd_journal_get_data(j, name, &data, &size) < 0 || size < stem)
        return NULL;
    return g_strndup((const char *)data + stem, size - stem);
}

static int helper_match(sd_journal *j, const char *name, const char *value)
{
    g_autofree char *match = g_strdup_printf("%s=%s", name, value);

    return sd_journal_add_match(j, match, 0);
}

static int helper_match_boot(sd_journal *j, sd_id128_t boot)
{
    char name[SD_ID128_STRING_MAX];

    sd_journal_flush_matches(j);
    return helper_match(j, "_BOOT_ID", sd_id128_to_string(boot, name));
}

/* The manager's own lines. */
static int helper_match_manager(sd_journal *j, const Query *q)
{
    g_autofree char *unit = g_strdup_printf("user@%u.service", (unsigned)getuid());
    int r = 0;

    if (!q->user)
        r = helper_match(j, "_PID", "1");
    if (r >= 0 && q->user)
        r = helper_match(j, "_SYSTEMD_UNIT", unit);
    if (r >= 0 && q->user)
        r = helper_match(j, "_SYSTEMD_USER_UNIT", "init.scope");
    return r;
}

static bool helper_first(sd_journal *j)
{
    return sd_journal_seek_head(j) >= 0 && sd_journal_next(j) > 0;
}

/* The clock that nobody sets. UNSET where it cannot be had, which is after everything. */
static uint64_t helper_monotonic(sd_journal *j, sd_id128_t *ret_boot)
{
    uint64_t usec = 0;

    return sd_journal_get_monotonic_usec(j, &usec, ret_boot) < 0 ? UNSET : usec;
}

static uint64_t helper_time(sd_journal *j)
{
    uint64_t usec = 0;

    return sd_journal_get_realtime_usec(j, &usec) < 0 ? 0 : usec;
}

/* One line about the unit; later lines add to what earlier ones said. */
static void helper_judge_line(sd_journal *j, Evidence *e)
{
    g_autofree char *id = helper_field(j, "MESSAGE_ID");
    g_autofree char *code = helper_field(j, "EXIT_CODE");
    g_autofree char *status = helper_field(j, "EXIT_STATUS");
    int how = run_exit_code_from_string(util_strempty(code));

    if (g_strcmp0(id, MESSAGE_EXITED) == 0 && how > RUN_EXITED_UNKNOWN && status) {
        e->verdict = EVIDENCE_FAILED;
        e->main_code = how;
        e->main_status = (int)g_ascii_strtoll(status, NULL, 10);
        e->ended = helper_time(j);
    } else if (g_strcmp0(id, MESSAGE_STOPPED) == 0 || g_strcmp0(id, MESSAGE_FAILED) == 0) {
        if (e->verdict == EVIDENCE_FAILED)
            return;
        e->verdict = EVIDENCE_STOPPED;
        e->ended = helper_time(j);
    } else if (e->verdict == EVIDENCE_NEVER) {
        e->verdict = EVIDENCE_STARTED;
    }
    /* The second of these stands behind the first once its program was executed, and may come after its end. */
    if ((g_strcmp0(id, MESSAGE_STARTING) == 0 || g_strcmp0(id, MESSAGE_STARTED) == 0) && e->ended == UNSET)
        e->started = helper_time(j);
}

/* What journald calls this boot. In a container's unit that has a /proc of its own, the kernel's word is the host's and
 * journald has another: there it is the boot in which the manager started our own unit. Not that of the newest entry:
 * which that is depends on the clock, if only older boots are left of a journal. */
static sd_id128_t helper_find_boot(sd_journal *j, const Query *q, sd_id128_t kernel)
{
    const char *own = getenv("INVOCATION_ID");
    sd_id128_t boot = SD_ID128_NULL;

    if (!sd_id128_is_null(kernel) && helper_match_boot(j, kernel) >= 0 && helper_first(j))
        return kernel;
    sd_journal_flush_matches(j);
    if (own && helper_match_manager(j, q) >= 0 &&
        helper_match(j, q->user ? "USER_INVOCATION_ID" : "INVOCATION_ID", own) >= 0 && helper_first(j))
        (void)helper_monotonic(j, &boot);
    return boot;
}

/* Raises *since to the time of the latest entry that matches and says word, if any. */
static int helper_raise(sd_journal *j, const char *word, uint64_t *since)
{
    int r = sd_journal_seek_head(j);

    while (r >= 0 && (r = sd_journal_next(j)) > 0) {
        g_autofree char *message = helper_field(j, "MESSAGE");
        sd_id128_t boot;

        if (strstr(util_strempty(message), word))
            *since = MAX(*since, helper_monotonic(j, &boot));
    }
    return r;
}

/* Lines of the manager may be missing from before journald was started, or had too much of them; from before the manager
 * could not reach it and wrote to the kernel instead; and from before the oldest of them that is there, since of the
 * files that they are in the oldest is removed first. Other lines are in other files, and may be older. */
static uint64_t helper_whole_since(sd_journal *j, const Query *q, const Now *now)
{
    g_autofree char *manager =
        q->user ? g_strdup_printf("user@%u.service", (unsigned)getuid()) : g_strdup("init.scope");
    sd_id128_t boot;
    uint64_t since;

    if (sd_id128_is_null(now->boot) || helper_match_boot(j, now->boot) < 0 ||
        helper_match_manager(j, q) < 0 || !helper_first(j))
        return UNSET;
    since = helper_monotonic(j, &boot);
    /* The line that a start leaves is kept here at all: our own start left one, if no other unit's. Of a
     * start since the claim there need be none: the database may have been away while nothing was started. */
    if (helper_match(j, "MESSAGE_ID", MESSAGE_STARTING) < 0 || !helper_first(j))
        return UNSET;
    if (helper_match_boot(j, now->boot) < 0 || helper_match(j, "MESSAGE_ID", MESSAGE_JOURNALD) < 0 ||
        helper_raise(j, "", &since) < 0)
        return UNSET;
    if (helper_match_boot(j, now->boot) < 0 || helper_match(j, "MESSAGE_ID", MESSAGE_SUPPRESSED) < 0 ||
        helper_raise(j, manager, &since) < 0)
        return UNSET;
    if (helper_match_boot(j, now->boot) < 0 || helper_match(j, "_TRANSPORT", "kernel") < 0 ||
        helper_match(j, "SYSLOG_IDENTIFIER", "systemd") < 0 || helper_raise(j, "", &since) < 0)
        return UNSET;
    return since;
}

static void helper_look(sd_journal *j, const Query *q, Now *ret)
{
    Now now = { .kernel = SD_ID128_NULL };

    if (sd_id128_get_boot(&now.kernel) < 0)
        now.kernel = SD_ID128_NULL;
    now.boot = helper_find_boot(j, q, now.kernel);
    now.whole = helper_whole_since(j, q, &now);
    *ret = now;
}

/* Claimed in this boot: whatever the kernel calls it, we are told the same. */
static bool helper_is_of_now(const Query *q, const Now *now)
{
    return q->monotonic != UNSET && !sd_id128_is_null(q->boot) && sd_id128_equal(q->boot, now->kernel);
}

/* Was this line written since the claim? By the time of day where boots have other names than the kernel's, and where
 * the claim has no stamp. */
static bool helper_is_since(sd_journal *j, const Query *q, const Now *now)
{
    sd_id128_t claimed = helper_is_of_now(q, now) ? now->boot : q->boot, boot;
    uint64_t usec = helper_monotonic(j, &boot);

    if (q->monotonic != UNSET && usec != UNSET && sd_id128_equal(boot, claimed))
        return usec >= q->monotonic;
    if (q->monotonic != UNSET && !sd_id128_is_null(now->boot) && sd_id128_equal(now->boot, now->kernel))
        return false; /* a unit has no lines in another boot than its claim */
    return helper_time(j) >= q->claimed;
}

static uint64_t helper_number(sd_journal *j, const char *name)
{
    g_autofree char *text = helper_field(j, name);
    uint64_t value = UNSET;

    if (text && !g_ascii_string_to_unsigned(text, 10, 0, INT64_MAX, &value, NULL))
        return UNSET;
    return value;
}

static bool helper_read_note(sd_journal *j, Evidence *e)
{
    g_autofree char *result = helper_field(j, EXEC_END_RESULT);
    g_autofree char *code = helper_field(j, "EXIT_CODE");
    g_autofree char *status = helper_field(j, "EXIT_STATUS");
    RunResult known = run_result_from_string(util_strempty(result));

    if (known <= RUN_RESULT_NONE)
        return false;
    *e = (Evidence){ .verdict = EVIDENCE_NOTED,
        .result = known,
        .main_code = MAX(run_exit_code_from_string(util_strempty(code)), RUN_EXITED_UNKNOWN),
        .main_status = status ? (int)g_ascii_strtoll(status, NULL, 10) : -1,
        .started = helper_number(j, EXEC_END_STARTED),
        .ended = helper_number(j, EXEC_END_FINISHED) };
    return true;
}

/* The daemon's own message of the end, which says it all. The kernel vouches for whose process wrote it. 1: there is one. */
static int helper_judge_note(sd_journal *j, const Query *q, const Now *now, Evidence *e)
{
    g_autofree char *uid = g_strdup_printf("%u", (unsigned)getuid());
    int r;

    sd_journal_flush_matches(j);
    r = helper_match(j, "OBJECT_SYSTEMD_UNIT", q->unit);
    if (r >= 0)
        r = helper_match(j, "_UID", uid);
    if (r >= 0)
        r = helper_match(j, "MESSAGE_ID", LOG_ID_RUN_ENDED);
    if (r >= 0)
        r = helper_match(j, "MESSAGE_ID", LOG_ID_RUN_LOST);
    if (r >= 0)
        r = helper_match(j, "MESSAGE_ID", LOG_ID_RETRY);
    if (r >= 0 && q->token)
        r = helper_match(j, EXEC_END_TOKEN, q->token);
    if (r >= 0)
        r = sd_journal_seek_head(j);
    while (r >= 0 && (r = sd_journal_next(j)) > 0)
        if (helper_is_since(j, q, now) && helper_read_note(j, e))
            return 1;
    return r;
}

static void helper_judge(sd_journal *j, const Query *q, const Now *now, Evidence *e)
{
    const bool by_invocation = q->invocation[0] != 0;
    bool before = false, whole;
    int r;

    *e = (Evidence){ .verdict = EVIDENCE_NEVER, .started = UNSET, .ended = UNSET };
    sd_journal_flush_matches(j);
    r = helper_match_manager(j, q);
    if (r >= 0 && by_invocation)
        r = helper_match(j, q->user ? "USER_INVOCATION_ID" : "INVOCATION_ID", q->invocation);
    else if (r >= 0)
        r = helper_match(j, q->user ? "USER_UNIT" : "UNIT", q->unit);
    if (r >= 0)
        r = sd_journal_seek_head(j);
    while (r >= 0 && (r = sd_journal_next(j)) > 0) {
        if (by_invocation || helper_is_since(j, q, now))
            helper_judge_line(j, e);
        else
            before = true;
    }
    /* A failure says how it ended. Of all else there may be a note that does. */
    if (r >= 0 && e->verdict != EVIDENCE_FAILED)
        r = helper_judge_note(j, q, now, e);
    whole = helper_is_of_now(q, now) && now->whole <= q->monotonic;
    /* What was found stays, though not all was read. A line of that name from before the claim is of another run of that
     * number. */
    if (e->verdict == EVIDENCE_NEVER && (r < 0 || by_invocation || before || !whole))
        e->verdict = EVIDENCE_UNKNOWN;
}

static bool helper_parse(JsonParser *parser, const char *line, Query *q)
{
    JsonNode *root;
    JsonObject *o;

    if (!json_parser_load_from_data(parser, line, -1, NULL))
        return false;
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return false;
    o = json_node_get_object(root);
    q->unit = json_object_get_string_member_with_default(o, "unit", "");
    q->invocation = json_object_get_string_member_with_default(o, "invocation", "");
    q->token = json_object_get_string_member_with_default(o, "token", NULL);
    q->claimed = (uint64_t)json_object_get_int_member_with_default(o, "claimed", 0);
    q->user = json_object_get_boolean_member_with_default(o, "user", FALSE);
    q->monotonic = (uint64_t)json_object_get_int_member_with_default(o, "monotonic", -1);
    if (sd_id128_from_string(json_object_get_string_member_with_default(o, "boot", ""), &q->boot) < 0)
        q->boot = SD_ID128_NULL;
    return q->unit[0] != 0;
}

int evidence_helper_main(void)
{
    g_autofree char *line = NULL;
    sd_journal *j = NULL;
    Now now = { 0 };
    bool looked = false;
    size_t size = 0;
    int r = 0;

    helper_synchronize();
    if (sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY) < 0)
        return 1;
    while (r == 0 && getline(&line, &size, stdin) > 0) {
        g_autoptr(JsonParser) parser = json_parser_new();
        Query q = { 0 };
        Evidence e;

        if (!helper_parse(parser, line, &q)) {
            r = 1;
            break;
        }
        if (!looked) /* it is the same manager, and moment, for all */
            helper_look(j, &q, &now);
        looked = true;
        helper_judge(j, &q, &now, &e);
        printf("{\"result\":\"%s\",\"verdict\":%d,\"code\":%d,\"status\":%d", run_result_to_string(e.result),
            (int)e.verdict, e.main_code, e.main_status);
        if (e.started != UNSET)
            printf(",\"started\":%" G_GUINT64_FORMAT, e.started);
        if (e.ended != UNSET)
            printf(",\"ended\":%" G_GUINT64_FORMAT, e.ended);
        printf("}\n");
    }
    sd_journal_close(j);
    return fflush(stdout) == 0 ? r : 1;
}
