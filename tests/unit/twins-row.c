/* A row of the twins as the store gives it out. */
#include "twins.h"

StoreRun *twins_copy_run(const TwinRow *w)
{
    StoreRun *r = g_memdup2(&w->run, sizeof w->run);

    r->task = g_strdup(twins.task);
    r->revision = 1;
    r->reason = g_strdup("");
    r->queue = g_strdup("default");
    r->node = g_strdup("node");
    r->token = g_strdup(util_strempty(w->run.token));
    r->unit = exec_unit_name(r->id, r->attempt);
    r->invocation_id = g_strdup(util_strempty(w->run.invocation_id));
    r->schedule = g_strdup("");
    r->requester = g_strdup("root");
    r->overlap = g_strdup("allow");
    r->boot_id = g_strdup(util_strempty(w->run.boot_id));
    r->nominal = r->deadline = UNSET;
    return r;
}
