/* The second evidence: asked of a helper process, since reading the journal waits for the disk. The queries
 * go to it in a file in memory, the answers come back through a pipe, a line of JSON each. */
#include "exec/internal.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/helper-process.h"
#include "base/log.h"

#define HELPER_USEC (20 * USEC_PER_SEC)
#define OUTPUT_MAX  (256 * 1024 * 1024)

typedef struct EvidenceHelper {
    Exec *exec;
    size_t n;
    bool *left; /* for each, whether its directory was there when it was asked for */
    HelperProcess *process;
    EvidenceFn fn;
    void *userdata;
} EvidenceHelper;

static void evidence_helper_free(EvidenceHelper *h)
{
    g_free(h->left);
    g_free(h);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EvidenceHelper, evidence_helper_free)

/* One answer: false where it is not understood. */
static bool evidence_parse_line(const char *line, Evidence *e)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root;
    JsonObject *o;
    int64_t verdict, started, ended;

    if (!json_parser_load_from_data(parser, line, -1, NULL))
        return false;
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return false;
    o = json_node_get_object(root);
    verdict = json_object_get_int_member_with_default(o, "verdict", -1);
    started = json_object_get_int_member_with_default(o, "started", -1);
    ended = json_object_get_int_member_with_default(o, "ended", -1);
    if (verdict < EVIDENCE_NEVER || verdict > EVIDENCE_UNKNOWN)
        return false;
    e->verdict = (EvidenceVerdict)verdict;
    e->result = run_result_from_string(json_object_get_string_member_with_default(o, "result", ""));
    if (e->verdict == EVIDENCE_NOTED && e->result <= RUN_RESULT_NONE)
        return false;
    e->main_code = (int)json_object_get_int_member_with_default(o, "code", 0);
    e->main_status = (int)json_object_get_int_member_with_default(o, "status", 0);
    e->started = started < 0 ? UNSET : (uint64_t)started;
    e->ended = ended < 0 ? UNSET : (uint64_t)ended;
    return true;
}

/* Fewer answers than queries, or a word that is not understood: then nothing is known of any. */
static void evidence_parse(const EvidenceHelper *h, int r, const char *output, Evidence *all)
{
    g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
    size_t good = 0;

    if (r >= 0 && g_strv_length(lines) >= h->n)
        while (good < h->n && evidence_parse_line(lines[good], &all[good]))
            good++;
    if (good == h->n)
        return;
    for (size_t i = 0; i < h->n; i++)
        all[i] = (Evidence){ .verdict = EVIDENCE_UNREAD, .started = UNSET, .ended = UNSET };
}

static void on_answers(int r, const char *output, size_t length, void *userdata)
{
    g_autoptr(EvidenceHelper) h = userdata;
    g_autofree Evidence *all = g_new0(Evidence, h->n);

    evidence_parse(h, r, output, all);
    for (size_t i = 0; i < h->n; i++)
        all[i].left = h->left[i];
    if (r < 0 && !h->exec->freeing)
        log_warning("The journal could not be asked what became of %zu units: %s", h->n, g_strerror(-r));
    g_hash_table_remove(h->exec->evidences, h);
    h->fn(all, h->n, h->userdata);
}

void evidence_cancel_all(Exec *e)
{
    GHashTableIter iter;
    gpointer key;

    for (;;) {
        EvidenceHelper *h;

        g_hash_table_iter_init(&iter, e->evidences);
        if (!g_hash_table_iter_next(&iter, &key, NULL))
            return;
        h = key;
        helper_process_free(h->process);
        on_answers(-ECANCELED, "", 0, h);
    }
}

static void evidence_add(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, util_strempty(value));
}

static char *evidence_format(Exec *e, const EvidenceQuery *q)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonNode) node = NULL;

    json_builder_begin_object(b);
    evidence_add(b, "unit", q->unit);
    evidence_add(b, "invocation", q->invocation_id);
    json_builder_set_member_name(b, "claimed");
    json_builder_add_int_value(b, (int64_t)q->claimed);
    evidence_add(b, "boot", q->boot_id);
    if (q->token)
        evidence_add(b, "token", q->token);
    if (q->claimed_monotonic != UNSET) {
        json_builder_set_member_name(b, "monotonic");
        json_builder_add_int_value(b, (int64_t)q->claimed_monotonic);
    }
    json_builder_set_member_name(b, "user");
    json_builder_add_boolean_value(b, e->user_scope);
    json_builder_end_object(b);
    node = json_builder_get_root(b);
    return json_to_string(node, FALSE);
}

static int evidence_write_queries(Exec *e, const EvidenceQuery *queries, size_t n)
{
    _cleanup_(util_closep) int fd = memfd_create("taskschedd-queries", MFD_CLOEXEC);
    int r;

    if (fd < 0)
        return -errno;
    for (size_t i = 0; i < n; i++) {
        g_autofree char *line = evidence_format(e, &queries[i]);
        g_autofree char *text = g_strconcat(line, "\n", NULL);
        size_t size = strlen(text);

        for (size_t done = 0; done < size; done += (size_t)r) {
            r = (int)write(fd, text + done, size - done);
            if (r < 0)
                return -errno;
        }
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    r = fd;
    fd = -1;
    return r;
}

static int evidence_start(EvidenceHelper *h, const EvidenceQuery *queries)
{
    static const char *const argv[] = { "taskschedd", "--helper=evidence", NULL };
    _cleanup_(util_closep) int input = evidence_write_queries(h->exec, queries, h->n);
    HelperProcessSpec spec = {
        .program = HELPER_PROCESS_SELF,
        .argv = argv,
        .input = input,
        .output = -1,
        .output_max = OUTPUT_MAX,
        .timeout_usec = HELPER_USEC,
        .fn = on_answers,
        .userdata = h,
    };

    return input < 0 ? input : helper_process_start(h->exec->event, &spec, &h->process);
}

int exec_evidence(Exec *e, const EvidenceQuery *queries, size_t n, EvidenceFn fn, void *userdata)
{
    EvidenceHelper *h;
    int r;

    if (e->freeing)
        return -ECANCELED;
    if (n == 0)
        return -EINVAL;
    h = g_new0(EvidenceHelper, 1);
    h->exec = e;
    h->n = n;
    h->left = g_new(bool, n);
    for (size_t i = 0; i < n; i++)
        h->left[i] = output_is_left(e, queries[i].unit);
    h->fn = fn;
    h->userdata = userdata;
    r = evidence_start(h, queries);
    if (r < 0) {
        evidence_helper_free(h);
        return r;
    }
    g_hash_table_add(e->evidences, h);
    return 0;
}
