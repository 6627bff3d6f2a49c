/* Letting go of an ended unit. Its files go first: whoever is killed between finds the unit again, and with
 * it what is left to be done. */
#include "exec/internal.h"

#include "base/log.h"

#define PASSES_MAX 1000 /* a process that goes on making files does not hold up its unit's end */

typedef struct ReleaseOp {
    Work op;
    char *unit;
    char *name; /* of the directories: RUN-ATTEMPT */
    bool stopped;
    unsigned passes; /* over the files */
    ExecDoneFn fn;
    void *userdata;
} ReleaseOp;

static void release_end(ReleaseOp *p, int r, const Error *error)
{
    Exec *e = p->op.exec;

    g_hash_table_remove(e->releases, p->unit);
    work_end(&p->op);
    p->fn(r, error, p->userdata);
    work_free(&p->op);
}

static void release_answer(Work *op, int r)
{
    release_end((ReleaseOp *)op, r, NULL);
}

static void release_free(Work *op)
{
    ReleaseOp *p = (ReleaseOp *)op;

    g_free(p->unit);
    g_free(p->name);
}

static void release_on_reply(Work *op, sd_bus_message *reply)
{
    ReleaseOp *p = (ReleaseOp *)op;
    g_auto(Error) error = { 0 };
    int r = work_reply_errno(reply);

    if (r == -ENOENT) {
        release_end(p, 0, NULL);
    } else if (r < 0) {
        work_reply_error(reply, &error);
        release_end(p, r, &error);
    }
}

static sd_bus_message *release_message(ReleaseOp *p, const char *method, const char *mode)
{
    sd_bus_message *m = work_manager_message(&p->op, method);
    int r = m ? sd_bus_message_append(m, "s", p->unit) : 0;

    if (m && r >= 0 && mode)
        r = sd_bus_message_append(m, "s", mode);
    return r < 0 ? sd_bus_message_unref(m) : m;
}

static void release_call(ReleaseOp *p, const char *method, const char *mode)
{
    work_call(&p->op, release_message(p, method, mode), release_on_reply);
}

/* A failed unit has nothing to be stopped: it stays until its failure is reset. Any other goes by being
 * stopped; where that makes it fail, a signal says so. */
static void release_stop(ReleaseOp *p)
{
    p->stopped = true;
    work_wait(&p->op);
    if (g_hash_table_contains(p->op.exec->failed, p->unit))
        release_call(p, "ResetFailedUnit", NULL);
    else
        work_call_job(
            &p->op, &p->op.exec->stopping, release_message(p, "StopUnit", "replace"), release_on_reply);
}

/* What a large tree has beyond one iteration's share waits for the next. */
static void release_work(Work *op)
{
    ReleaseOp *p = (ReleaseOp *)op;
    Exec *e = op->exec;
    g_autofree char *input = g_build_filename(e->runtime_directory, "input", NULL);
    g_autofree char *private = files_private_directory(e->output_directory);
    const char *const directories[] = { input, e->output_directory, private };
    unsigned budget = REMOVE_ENTRIES;

    ARRAY_FOREACH (directory, directories) {
        int r = files_remove_tree(*directory, p->name, &budget);

        if (r > 0 && p->passes++ < PASSES_MAX) {
            work_work_later(op);
            return;
        }
        if (error_is_shortage(r)) {
            release_end(p, r, NULL);
            return;
        }
        if (r != 0)
            log_warning("%s/%s stays behind: %s", *directory, p->name, g_strerror(r < 0 ? -r : EBUSY));
    }
    release_stop(p);
}

void release_unit_removed(Exec *e, const char *unit)
{
    ReleaseOp *p = g_hash_table_lookup(e->releases, unit);

    if (p && p->stopped && p->op.failed == 0)
        release_end(p, 0, NULL);
}

void release_unit_failed(Exec *e, const char *unit)
{
    ReleaseOp *p = g_hash_table_lookup(e->releases, unit);

    if (p && p->stopped)
        release_call(p, "ResetFailedUnit", NULL);
}

/* Both, whatever was known of it: the unit is not there if the first says so. */
static void release_check(Work *op)
{
    ReleaseOp *p = (ReleaseOp *)op;

    if (!p->stopped)
        return;
    release_call(p, "StopUnit", "replace");
    release_call(p, "ResetFailedUnit", NULL);
}

static const WorkType release_type = {
    .answer = release_answer, .free = release_free, .check = release_check, .work = release_work
};

int exec_release(Exec *e, const char *unit, ExecDoneFn fn, void *userdata)
{
    unsigned attempt;
    uint64_t run;
    ReleaseOp *p;

    if (!exec_unit_parse(unit, &run, &attempt))
        return -EINVAL;
    if (g_hash_table_contains(e->releases, unit))
        return -EBUSY;
    p = (ReleaseOp *)work_new(e, sizeof(ReleaseOp), &release_type);
    if (!p)
        return -ECANCELED;
    p->unit = g_strdup(unit);
    p->name = g_strdup_printf("%" G_GUINT64_FORMAT "-%u", run, attempt);
    p->fn = fn;
    p->userdata = userdata;
    g_hash_table_insert(e->releases, p->unit, p);
    work_work_later(&p->op);
    return 0;
}
