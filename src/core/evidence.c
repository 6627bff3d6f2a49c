/* Units that are gone: what the journal says of them, asked for all of one iteration at once. */
#include "core/engine.h"

/* What is asked now; the names, since attempts may go meanwhile. */
typedef struct EvidenceBatch {
    Engine *engine;
    GPtrArray *units;
} EvidenceBatch;

static void on_evidence(const Evidence *evidence, size_t n, void *userdata)
{
    EvidenceBatch *b = userdata;
    Engine *e = b->engine;
    g_autoptr(GPtrArray) units = b->units;

    g_free(b);
    e->evidence_busy = false;
    for (size_t i = 0; i < n; i++) {
        Attempt *a = engine_find(e, g_ptr_array_index(units, i));

        if (!a)
            continue;
        a->exec_busy = false;
        if (a->view.phase == ATTEMPT_GONE)
            attempt_finish_from_evidence(a, &evidence[i]);
        attempt_act(a);
    }
    if (e->evidence->len > 0)
        clock_timer_arm(e->evidence_timer, 0);
}

/* What may have been executed under a claim that the database does not know of any more is looked for since it was asked
 * for. */
static void evidence_since_asked(const Attempt *a, EvidenceQuery *q)
{
    uint64_t ago = a->run->claimed > a->run->asked ? a->run->claimed - a->run->asked : 0;

    if (!a->suspect)
        return;
    q->claimed -= ago;
    if (q->claimed_monotonic != UNSET)
        q->claimed_monotonic -= MIN(ago, q->claimed_monotonic);
}

static void evidence_query(const Attempt *a, EvidenceQuery *ret)
{
    *ret = (EvidenceQuery){
        .unit = a->unit,
        .invocation_id = a->state ? a->state->invocation_id : util_strempty(a->run->invocation_id),
        .claimed = a->run->claimed,
        .boot_id = util_strempty(a->run->boot_id),
        .claimed_monotonic = a->run->claimed_monotonic,
        .token = a->suspect ? NULL : util_strempty(a->run->token),
    };
    evidence_since_asked(a, ret);
}

/* No helper could be started: that says nothing of what became of the units, so it is tried again. */
static void evidence_not_asked(EvidenceBatch *b)
{
    Engine *e = b->engine;
    g_autoptr(GPtrArray) units = b->units;

    g_free(b);
    e->evidence_busy = false;
    for (guint i = 0; i < units->len; i++) {
        Attempt *a = engine_find(e, g_ptr_array_index(units, i));

        if (!a)
            continue;
        a->exec_busy = false;
        attempt_retry_later(a);
        attempt_act(a);
    }
}

static void on_evidence_timer(void *userdata)
{
    Engine *e = userdata;
    g_autoptr(GArray) queries = g_array_new(FALSE, TRUE, sizeof(EvidenceQuery));
    EvidenceBatch *b;

    if (e->evidence_busy || e->evidence->len == 0)
        return;
    b = g_new0(EvidenceBatch, 1);
    b->engine = e;
    b->units = g_steal_pointer(&e->evidence);
    e->evidence = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < b->units->len; i++) {
        const char *unit = g_ptr_array_index(b->units, i);
        const Attempt *a = engine_find(e, unit);
        EvidenceQuery q = { unit, "", 0, "", UNSET, "" };

        if (a)
            evidence_query(a, &q);
        g_array_append_val(queries, q);
    }
    e->evidence_busy = true;
    if (exec_evidence(e->manager->exec, (const EvidenceQuery *)(void *)queries->data, queries->len,
            on_evidence, b) < 0) {
        evidence_not_asked(b);
    }
}

void engine_want_evidence(Attempt *a)
{
    Engine *e = a->engine;
    Manager *m = e->manager;

    a->exec_busy = true;
    g_ptr_array_add(e->evidence, g_strdup(a->unit));
    if (!e->evidence_timer &&
        clock_timer_new(m->clock, CLOCK_BOOT, on_evidence_timer, e, &e->evidence_timer) < 0)
        return;
    clock_timer_arm(e->evidence_timer, 0);
}
