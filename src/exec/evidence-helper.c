/* The helper that reads the journal. It is a process of its own and may block; whoever asked ends it after a
 * while. Only lines that the service manager wrote itself count: the kernel vouches for their _PID. */
#include <json-glib/json-glib.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-journal.h>

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
    const char *unit, *invocation;
    uint64_t claimed;
    bool user;
    const char *boot; /* the current one */
} Query;

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

/* The boot of the newest entry is this one. Not /proc's word for it: in a container's unit with
 * ProtectKernelTunables= that is the host's, and not what journald writes. "" where there is none; g_free. */
static char *helper_current_boot(sd_journal *j)
{
    sd_journal_flush_matches(j);
    if (sd_journal_seek_tail(j) < 0 || sd_journal_previous(j) <= 0)
        return g_strdup("");
    return helper_field(j, "_BOOT_ID");
}

static int helper_match_boot(sd_journal *j, const Query *q)
{
    sd_journal_flush_matches(j);
    return helper_match(j, "_BOOT_ID", q->boot);
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

static uint64_t helper_time(sd_journal *j)
{
    uint64_t usec = 0;

    return sd_journal_get_realtime_usec(j, &usec) < 0 ? 0 : usec;
}

static int helper_code(const char *word)
{
    static const char *const words[] = { "", "exited", "killed", "dumped" };

    for (int i = 1; i < (int)G_N_ELEMENTS(words); i++)
        if (g_strcmp0(word, words[i]) == 0)
            return i;
    return 0;
}

/* One line about the unit; later lines add to what earlier ones said. */
static void helper_judge_line(sd_journal *j, Evidence *e)
{
    g_autofree char *id = helper_field(j, "MESSAGE_ID");
    g_autofree char *code = helper_field(j, "EXIT_CODE");
    g_autofree char *status = helper_field(j, "EXIT_STATUS");

    if (g_strcmp0(id, MESSAGE_EXITED) == 0 && helper_code(code) > 0 && status) {
        e->verdict = EVIDENCE_FAILED;
        e->main_code = helper_code(code);
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

/* Is there any entry that matches, and was written at or after usec? */
static int helper_any_since(sd_journal *j, uint64_t usec)
{
    int r = sd_journal_seek_realtime_usec(j, usec);

    return r < 0 ? r : sd_journal_next(j);
}

static int helper_find_suppressed(sd_journal *j, const Query *q)
{
    g_autofree char *own =
        q->user ? g_strdup_printf("user@%u.service", (unsigned)getuid()) : g_strdup("init.scope");
    int r = helper_match_boot(j, q);

    if (r >= 0)
        r = helper_match(j, "MESSAGE_ID", MESSAGE_SUPPRESSED);
    if (r >= 0)
        r = helper_any_since(j, q->claimed);
    for (; r > 0; r = sd_journal_next(j)) {
        g_autofree char *message = helper_field(j, "MESSAGE");

        if (message && strstr(message, own))
            return 1;
    }
    return r;
}

/* May lines of the manager since the claim be missing? They are if the journal of this boot begins after the
 * claim, journald was started since, or had too much of them; if the manager could not reach it and wrote to
 * the kernel instead; or if what is logged at all leaves out what we look for. */
static bool helper_has_gap(sd_journal *j, const Query *q)
{
    if (q->claimed > (uint64_t)g_get_real_time()) /* the clock was set back: times say nothing */
        return true;
    if (helper_match_boot(j, q) < 0 || sd_journal_seek_head(j) < 0 || sd_journal_next(j) <= 0 ||
        helper_time(j) > q->claimed)
        return true;
    if (helper_match(j, "MESSAGE_ID", MESSAGE_JOURNALD) < 0 || helper_any_since(j, q->claimed) != 0)
        return true;
    if (helper_find_suppressed(j, q) != 0)
        return true;
    if (helper_match_boot(j, q) < 0 || helper_match(j, "_TRANSPORT", "kernel") < 0 ||
        helper_match(j, "SYSLOG_IDENTIFIER", "systemd") < 0 || helper_any_since(j, q->claimed) != 0)
        return true;
    /* The line that a start leaves is kept here at all: our own start left one, if no other unit's. Of a
     * start since the claim there need be none: the database may have been away while nothing was started. */
    return helper_match_boot(j, q) < 0 || helper_match_manager(j, q) < 0 ||
           helper_match(j, "MESSAGE_ID", MESSAGE_STARTING) < 0 || helper_any_since(j, 0) <= 0;
}

static void helper_judge(sd_journal *j, const Query *q, Evidence *e)
{
    const bool by_invocation = q->invocation[0] != 0;
    bool before = false;
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
        if (by_invocation || helper_time(j) >= q->claimed)
            helper_judge_line(j, e);
        else
            before = true;
    }
    /* A line of that name from before the claim: of another run of that number, or the clock was set. */
    if (r < 0 || (e->verdict == EVIDENCE_NEVER && (by_invocation || before || helper_has_gap(j, q))))
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
    q->claimed = (uint64_t)json_object_get_int_member_with_default(o, "claimed", 0);
    q->user = json_object_get_boolean_member_with_default(o, "user", FALSE);
    return q->unit[0] != 0;
}

int evidence_helper_main(void)
{
    g_autofree char *line = NULL;
    g_autofree char *boot = NULL;
    sd_journal *j = NULL;
    size_t size = 0;
    int r = 0;

    helper_synchronize();
    if (sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY) < 0)
        return 1;
    boot = helper_current_boot(j);
    while (r == 0 && boot && getline(&line, &size, stdin) > 0) {
        g_autoptr(JsonParser) parser = json_parser_new();
        Query q = { .boot = boot };
        Evidence e;

        if (!helper_parse(parser, line, &q)) {
            r = 1;
            break;
        }
        helper_judge(j, &q, &e);
        printf("{\"verdict\":%d,\"code\":%d,\"status\":%d", (int)e.verdict, e.main_code, e.main_status);
        if (e.started != UNSET)
            printf(",\"started\":%" G_GUINT64_FORMAT, e.started);
        if (e.ended != UNSET)
            printf(",\"ended\":%" G_GUINT64_FORMAT, e.ended);
        printf("}\n");
    }
    sd_journal_close(j);
    return fflush(stdout) == 0 && boot ? r : 1;
}
