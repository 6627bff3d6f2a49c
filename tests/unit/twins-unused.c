/* Of store and exec what no test of core asks for yet. */
#include "twins.h"

int store_put_task(Store *s, const StorePutTask *t, StoreNumberFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_delete_task(Store *s, const char *name, StoreDoneFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_set_enabled(
    Store *s, const char *task, const char *schedule, bool enabled, StoreDoneFn fn, void *userdata)
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
