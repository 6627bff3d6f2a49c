/* The rest of store and exec: what is answered at once, and what no test of core asks for. */
#include "twins.h"

int store_put_task(Store *s, const StorePutTask *t, StoreNumberFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_delete_task(Store *s, const char *name, const GArray *skips, StoreDoneFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_set_enabled(Store *s, const StoreEnable *e, StoreDoneFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_get_followers(Store *s, uint64_t run, const char *task, StoreFollowersFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_missed(Store *s, const StoreMissed *m, StoreMissedFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_by_hand(Store *s, const StoreByHand *h, StoreByHandFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_backfill(Store *s, const StoreBackfill *b, StoreBackfillFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_count_waiting(Store *s, StoreNumberFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_get_run(Store *s, uint64_t run, StoreRunFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_list_runs(Store *s, const StoreFilter *f, StoreRunsFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_list_nodes(
    Store *s, const char *name, const char *after, unsigned limit, StoreNodesFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_list_slots(Store *s, const StoreSlotFilter *f, StoreSlotsFn fn, void *userdata)
{
    return -ENOTCONN;
}

uint64_t store_newest_run(const Store *s)
{
    return 0;
}

int store_get_database(Store *s, StoreDatabaseFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_audit(Store *s, const StoreAudit *a)
{
    return 0;
}

int store_list_audit(Store *s, const StoreAuditFilter *f, StoreAuditsFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_trim(Store *s, const StoreHistory *limits, StoreNumberFn fn, void *userdata)
{
    return -ENOTCONN;
}

int exec_open_log(Exec *e, const ExecLog *log, int *ret)
{
    return -ECANCELED;
}

void exec_withdraw_starts(Exec *e)
{
}

bool exec_start_is_queued(const Exec *e, const char *unit)
{
    return false;
}

void exec_put_away(Exec *e, LeftoverFn is_known, void *userdata)
{
}

int exec_cgroup_populated(Exec *e, const char *control_group)
{
    return twins.no_group > 0 ? twins.no_group--, -EMFILE : 0;
}

int exec_read_output(Exec *e, uint64_t run, unsigned attempt, size_t limit, GBytes **ret, Error *error)
{
    return twins.no_output > 0 ? twins.no_output--, -EMFILE : 0;
}

/* The journal knows which units had a process. */
int exec_evidence(Exec *e, const EvidenceQuery *queries, size_t n, EvidenceFn fn, void *userdata)
{
    g_autofree Evidence *all = g_new0(Evidence, n);

    for (size_t i = 0; i < n; i++) {
        all[i].verdict =
            g_hash_table_contains(twins.started, queries[i].unit) ? EVIDENCE_STARTED : EVIDENCE_NEVER;
        all[i].left = all[i].verdict == EVIDENCE_STARTED;
        all[i].started = all[i].ended = UNSET;
    }
    fn(all, n, userdata);
    return 0;
}
