/* What a story does not ask of the store. */
#include "store/store.h"

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

/* Once a day; the stories are shorter. */
int store_trim(Store *s, const StoreHistory *limits, StoreNumberFn fn, void *userdata)
{
    return -ENOTCONN;
}

int store_audit(Store *s, const StoreAudit *a)
{
    return 0;
}
