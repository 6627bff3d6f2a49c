/* What the daemon noted of an end in the journal, of a unit of which the manager has said nothing: it counts for that claim, and
 * after it. */
#include "base/log.h"
#include "exec-contract.h"

#define WAIT_USEC (60 * USEC_PER_SEC)
#define STARTED   1750000000000001
#define ENDED     1750000000000002

typedef struct Told {
    bool come;
    Evidence evidence;
} Told;

static void on_evidence(const Evidence *evidence, size_t n, void *userdata)
{
    *(Told *)userdata = (Told){ true, evidence[0] };
}

static Evidence judge(const ExecContract *c, const char *unit, const char *token, EvidenceQuery query)
{
    Told t = { .evidence = { .verdict = EVIDENCE_UNREAD } };
    uint64_t end = c->now() + WAIT_USEC;

    query.unit = unit;
    query.token = token;
    c->check(exec_evidence(c->exec, &query, 1, on_evidence, &t) >= 0, "the journal is asked");
    while (!t.come && c->now() < end)
        c->turn();
    return t.evidence;
}

static void note(const char *unit, const char *token)
{
    const ExecEnd end = { token, RUN_TIMEOUT, RUN_KILLED, 15, STARTED, ENDED };
    g_auto(GStrv) fields = exec_end_fields(&end);

    log_message(LOG_INFO,
        &(LogContext){ .message_id = LOG_ID_RETRY, .unit = unit, .more = (const char *const *)fields },
        "Noted\nin two lines");
}

void exec_notes(const ExecContract *c)
{
    g_autofree char *unit = exec_unit_name(c->run + 950, 1), *other = exec_unit_name(c->run + 951, 1);
    const EvidenceQuery claimed = { "", "", c->now(), c->boot_id, c->monotonic(), "" };
    EvidenceQuery later;
    Evidence e;

    c->check(judge(c, unit, "one", claimed).verdict == EVIDENCE_NEVER, "nothing is noted");
    note(unit, "one");
    e = judge(c, unit, "one", claimed);
    c->check(e.verdict == EVIDENCE_NOTED && e.result == RUN_TIMEOUT && e.main_code == RUN_KILLED &&
                 e.main_status == 15 && e.started == STARTED && e.ended == ENDED && !e.left,
        "an end is noted (%d)", (int)e.verdict);
    c->check(judge(c, unit, NULL, claimed).verdict == EVIDENCE_NOTED, "it is one of any claim");
    c->check(judge(c, unit, "other", claimed).verdict == EVIDENCE_NEVER, "not that of another");
    c->check(judge(c, other, NULL, claimed).verdict == EVIDENCE_NEVER, "nor that of another unit");
    later = (EvidenceQuery){ "", "", c->now(), c->boot_id, c->monotonic(), "" };
    c->check(judge(c, unit, "one", later).verdict == EVIDENCE_NEVER, "nor does it count for a later claim");
}
