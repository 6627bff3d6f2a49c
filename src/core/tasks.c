/* What people ask of definitions: apply, delete, enable, reload, verify. */
#include "core/internal.h"

#include "base/log.h"
#include "base/memory.h"

#define RELOADS_MAX 16 /* waiting for their turn */
/* Of one reload, under way to the database at a time: reading pauses when it is reached. What is answered in one
 * iteration of the loop are so many. */
#define RELOAD_WINDOW 100u
/* Tasks of which it is seen in one iteration whether their files are gone. */
#define RELOAD_LOOKS 1000u
/* Faults beyond are counted; the journal has all. */
#define FAULTS_TEXT_MAX (192 * 1024)

int manager_check_tasks(const Manager *m, Error *error)
{
    return m->tasks_known ? 0 : manager_check_store(m, error);
}

const TaskEntry *manager_find_task(Manager *m, const char *name)
{
    return registry_find(m->registry, name);
}

const ScheduleEntry *manager_find_schedule(const TaskEntry *entry, const char *name)
{
    for (guint i = 0; i < entry->schedules->len; i++) {
        const ScheduleEntry *s = g_ptr_array_index(entry->schedules, i);

        if (g_str_equal(s->schedule->name, name))
            return s;
    }
    return NULL;
}

GPtrArray *manager_list_tasks(Manager *m, const char *after, unsigned limit)
{
    return registry_list(m->registry, after, limit);
}

/* With the calendars in force. */
static int tasks_parse(
    Manager *m, const char *name, const TaskSource *sources, size_t n, DiagList *diags, Task **ret)
{
    size_t n_all;
    g_autofree TaskSource *all = calendars_join(m->calendars, sources, n, &n_all);

    return definition_parse(name, all, n_all, &m->config, diags, ret);
}

int manager_verify(
    Manager *m, const char *name, const TaskSource *sources, size_t n, DiagList *diags, DiagList *notes)
{
    g_autoptr(Task) task = NULL;
    int r = tasks_parse(m, name, sources, n, diags, &task);

    if (r >= 0)
        after_note(m, task, notes);
    return r;
}

/* --- putting a definition in force --- */

/* Several files of one reload share one of these; apply has one of its own. */
typedef struct Batch {
    Manager *manager;
    unsigned pending;
    bool sealed; /* no more are added */
    int r;
    GString *faults;
    unsigned untold;   /* faults that are not in there */
    uint64_t reload;   /* its number; 0: it is none */
    bool calendars;    /* of one: they were read, */
    bool looking;      /* of one that is sealed: whether tasks have a file yet, */
    char *looked;      /* up to this one */
    ClockTimer *timer; /* for the next of them */
    ManagerDoneFn done_fn;
    ManagerNumberFn number_fn;
    uint64_t revision;
    void *userdata;
} Batch;

static Batch *batch_new(Manager *m, void *userdata)
{
    Batch *b = g_new0(Batch, 1);

    b->manager = m;
    b->faults = g_string_new(NULL);
    b->userdata = userdata;
    return b;
}

static void batch_free(Batch *b)
{
    g_string_free(b->faults, TRUE);
    clock_timer_free(b->timer);
    g_free(b->looked);
    g_free(b);
}

/* That the database went away outweighs what else is wrong: all of it is to be done again. */
static void batch_fault(Batch *b, int r, const char *text)
{
    if (b->r != -ENOTCONN)
        b->r = r;
    if (b->faults->len + strlen(text) > FAULTS_TEXT_MAX && b->faults->len > 0) {
        b->untold++;
        return;
    }
    g_string_append(b->faults, text);
    if (b->faults->len > 0 && b->faults->str[b->faults->len - 1] != '\n')
        g_string_append_c(b->faults, '\n');
}

static void batch_end(Batch *b)
{
    g_auto(Error) error = { 0 };

    if (b->untold > 0)
        g_string_append_printf(b->faults, "and %u more; the journal has all\n", b->untold);
    if (b->faults->len > 0)
        g_string_truncate(b->faults, b->faults->len - 1);
    if (b->r == -ENOTCONN)
        error_set(&error, ERROR_NOT_AVAILABLE, "The connection to the database was lost before it answered");
    else if (b->r < 0)
        error_set(&error, ERROR_INVALID_TASK, "%s", b->faults->str);
    if (b->number_fn)
        b->number_fn(b->r, b->revision, &error, b->userdata);
    else if (b->done_fn)
        b->done_fn(b->r, &error, b->userdata);
    batch_free(b);
}

static void reload_go_on(Batch *b);

/* One that was under way is answered. */
static void batch_check(Batch *b)
{
    if (b->reload > 0)
        reload_go_on(b);
    else if (b->sealed && b->pending == 0)
        batch_end(b);
}

typedef struct Putting {
    Batch *batch;
    Task *task;
    const char *origin, *node;
    char *path;
    uint64_t since; /* when the database was asked: slots from then on are its own */
    GArray *skips;  /* of the definition before; see skips_left() */
} Putting;

static void putting_free(Putting *p)
{
    task_unref(p->task);
    if (p->skips)
        g_array_unref(p->skips);
    g_free(p->path);
    g_free(p);
}

/* It is committed. Where only the origin is another its slots are what they were. */
static void putting_done(Putting *p, uint64_t revision, const TaskEntry *before)
{
    Manager *m = p->batch->manager;
    bool changed = !before || before->revision != revision;
    TaskEntry *entry;

    if (changed)
        skips_tell(m, before, p->skips);
    entry =
        registry_put(m->registry, p->task, &(TaskOwner){ p->origin, p->path, p->node }, revision, p->since);
    scheduler_put(m->scheduler, entry, changed ? p->since : 0, p->skips);
    expect_changed(m->expect, entry);
    manager_task_changed(m, p->task->name);
}

static void on_put(int r, uint64_t revision, const Error *error, void *userdata)
{
    Putting *p = userdata;
    Manager *m = p->batch->manager;
    g_autofree char *name = g_strdup(p->task->name);
    TaskEntry *before = registry_find(m->registry, p->task->name);

    p->batch->pending--;
    if (r < 0) {
        batch_fault(p->batch, r, error && error->message ? error->message : "");
    } else if (!before || before->revision != revision || strcmp(before->origin, p->origin) != 0 ||
               strcmp(before->node, p->node) != 0) {
        putting_done(p, revision, before);
    }
    p->batch->revision = revision;
    batch_check(p->batch);
    putting_free(p);
    changes_give(m->changes, name);
}

static int putting_send(Putting *p)
{
    Manager *m = p->batch->manager;
    const Task *task = p->task;
    g_autofree char *definition = task_sources_to_json(task);
    g_autoptr(GPtrArray) names = g_ptr_array_new(), follows = g_ptr_array_new();
    StorePutTask put;

    for (guint i = 0; i < task->schedules->len; i++) {
        const Schedule *s = g_ptr_array_index(task->schedules, i);

        g_ptr_array_add(names, s->name);
        g_ptr_array_add(follows, (gpointer)util_strempty(follow_task(s, task->name)));
    }
    g_ptr_array_add(names, NULL);
    g_ptr_array_add(follows, NULL);
    p->since = clock_real(m->clock);
    p->skips = skips_left(registry_find(m->registry, task->name), p->since);
    put = (StorePutTask){ task->name, p->origin, p->path, task->description, definition,
        (const char *const *)names->pdata, p->since, task_is_expected(task), p->skips,
        (const char *const *)follows->pdata, p->node };
    return m->store_up ? store_put_task(m->store, &put, on_put, p) : -ENOTCONN;
}

static void putting_turn(void *userdata)
{
    int r = putting_send(userdata);

    if (r < 0)
        on_put(r, 0, NULL, userdata);
}

static int batch_put(Batch *b, Task *task, const char *origin, const char *path)
{
    Manager *m = b->manager;
    Putting *p = g_new(Putting, 1);
    int r;

    *p = (Putting){ b, task_ref(task), origin, strcmp(origin, "file") == 0 ? m->config.node : "",
        g_strdup(path), 0, NULL };
    b->pending++;
    if (!changes_take(m->changes, task->name, putting_turn, p))
        return 0;
    r = putting_send(p);
    if (r < 0) {
        b->pending--;
        changes_give(m->changes, task->name);
        putting_free(p);
    }
    return r;
}

int manager_apply_task(Manager *m, const Caller *caller, const char *name, const char *text, size_t length,
    ManagerNumberFn fn, void *userdata, Error *error)
{
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autofree char *path = g_strconcat(name, ".task", NULL);
    TaskSource source = { path, (char *)text, length, NULL };
    g_autoptr(Task) task = NULL;
    const TaskEntry *entry;
    Batch *b;
    int r = manager_check_store(m, error);

    if (r < 0)
        return r;
    if (!task_name_is_valid(name))
        return error_set(error, ERROR_INVALID_TASK,
            "A task's name is a letter or digit and up to 63 more of letters, digits, '_', '.' and '-'");
    entry = registry_find(m->registry, name);
    if (entry && strcmp(entry->origin, "file") == 0) {
        error_set(error, ERROR_FROM_FILE, "Task %s is defined by the file %s%s%s", name, entry->path,
            registry_is_own(m->registry, entry) ? "" : " of node ",
            registry_is_own(m->registry, entry) ? "" : entry->node);
        error_set_hint(error, "Change the file, or put a drop-in beside it, and run `tschedctl reload`.");
        return -EEXIST;
    }
    r = tasks_parse(m, name, &source, 1, diags, &task);
    if (r < 0) {
        g_autofree char *faults = diag_list_to_text(diags);

        return error_set(error, ERROR_INVALID_TASK, "%s", g_strchomp(faults));
    }
    b = batch_new(m, userdata);
    b->number_fn = fn;
    b->sealed = true;
    r = batch_put(b, task, "api", "");
    if (r < 0) {
        batch_free(b);
        return error_set(error, ERROR_NOT_AVAILABLE, "The database is not available");
    }
    return 0;
}

/* --- delete, enable --- */

typedef struct Change {
    Manager *manager;
    Batch *batch; /* of a reload; else NULL */
    char *task, *schedule;
    StoreEnable enable; /* of these two */
    GArray *skips;      /* of what is deleted */
    int (*send)(struct Change *c);
    ManagerDoneFn fn;
    void *userdata;
} Change;

static Change *change_new(
    Manager *m, const char *task, const char *schedule, ManagerDoneFn fn, void *userdata)
{
    Change *c = g_new0(Change, 1);

    *c = (Change){ m, NULL, g_strdup(task), g_strdup(schedule), { 0 }, NULL, NULL, fn, userdata };
    c->enable = (StoreEnable){ c->task, c->schedule, -1, UNSET, UNSET };
    return c;
}

static void change_free(Change *c)
{
    g_free(c->task);
    g_free(c->schedule);
    if (c->skips)
        g_array_unref(c->skips);
    g_free(c);
}

static void change_answer(Change *c, int r, const Error *given)
{
    Manager *m = c->manager;
    g_autofree char *task = g_strdup(c->task);
    g_auto(Error) own = { 0 };

    if (r < 0 && (!given || given->code == ERROR_NONE)) {
        if (r == -ENOTCONN)
            error_set(
                &own, ERROR_NOT_AVAILABLE, "The connection to the database was lost before it answered");
        else if (r == -ENOENT) /* it went while this waited for its turn */
            task_missing(&own, task);
        else
            error_set(&own, ERROR_FAILED, "The database refused this: %s", g_strerror(-r));
        given = &own;
    }
    if (c->batch) {
        c->batch->pending--;
        if (r < 0)
            batch_fault(c->batch, r, given->message);
        batch_check(c->batch);
    } else {
        c->fn(r, given, c->userdata);
    }
    change_free(c);
    changes_give(m->changes, task);
}

static void change_turn(void *userdata)
{
    Change *c = userdata;
    int r = c->send(c);

    if (r < 0)
        change_answer(c, r, NULL);
}

/* When it is its turn. A failure is that of the very call; c is gone then. */
static int change_begin(Change *c, int (*send)(Change *c))
{
    Manager *m = c->manager;
    int r;

    c->send = send;
    if (!changes_take(m->changes, c->task, change_turn, c))
        return 0;
    r = send(c);
    if (r < 0) {
        changes_give(m->changes, c->task);
        change_free(c);
    }
    return r;
}

static void on_deleted(int r, const Error *error, void *userdata)
{
    Change *c = userdata;

    if (r >= 0) {
        skips_tell(c->manager, registry_find(c->manager->registry, c->task), c->skips);
        registry_remove(c->manager->registry, c->task);
        manager_task_changed(c->manager, c->task);
    }
    change_answer(c, r, error);
}

static int change_delete(Change *c)
{
    Manager *m = c->manager;

    c->skips = skips_left(registry_find(m->registry, c->task), clock_real(m->clock));
    return m->store_up ? store_delete_task(m->store, c->task, c->skips, on_deleted, c) : -ENOTCONN;
}

int manager_delete_task(
    Manager *m, const Caller *caller, const char *name, ManagerDoneFn fn, void *userdata, Error *error)
{
    const TaskEntry *entry;
    Change *c;
    int r = manager_check_store(m, error);

    if (r < 0)
        return r;
    entry = registry_find(m->registry, name);
    if (!entry)
        return task_missing(error, name);
    /* That of another node comes back with that node's next reload, if it is there still. */
    if (strcmp(entry->origin, "file") == 0 && registry_is_own(m->registry, entry)) {
        error_set(error, ERROR_FROM_FILE, "Task %s is defined by the file %s", name, entry->path);
        error_set_hint(error, "Remove or mask the file and run `tschedctl reload`.");
        return -EEXIST;
    }
    c = change_new(m, name, NULL, fn, userdata);
    r = change_begin(c, change_delete);
    return r < 0 ? error_set(error, ERROR_NOT_AVAILABLE, "The database is not available") : 0;
}

static void on_enabled(int r, const Error *error, void *userdata)
{
    Change *c = userdata;
    TaskEntry *entry = registry_find(c->manager->registry, c->task);

    if (r >= 0 && entry) {
        scheduler_set_enabled(c->manager->scheduler, entry, &c->enable);
        expect_enabled(c->manager->expect, entry, c->schedule ? UNSET : c->enable.off_until);
        manager_task_changed(c->manager, c->task);
    }
    change_answer(c, r, error);
}

/* What is on already does not begin anew; what is paused goes on from now. */
static void change_resume(Change *c, const TaskEntry *entry)
{
    const ScheduleEntry *se = c->schedule ? manager_find_schedule(entry, c->schedule) : NULL;
    uint64_t now = clock_real(c->manager->clock);

    if (!(se ? se->enabled : entry->enabled))
        c->enable.off_until = now;
    if ((se ? se->paused_until : entry->paused_until) > now)
        c->enable.paused_until = now;
}

static int change_enable(Change *c)
{
    Manager *m = c->manager;
    const TaskEntry *entry = registry_find(m->registry, c->task);

    if (c->enable.enabled > 0 && entry)
        change_resume(c, entry);
    return m->store_up ? store_set_enabled(m->store, &c->enable, on_enabled, c) : -ENOTCONN;
}

/* A change of "TASK" or "TASK/SCHEDULE", which is there. */
static int change_of(
    Manager *m, const char *object, ManagerDoneFn fn, void *userdata, Change **ret, Error *error)
{
    g_auto(GStrv) parts = g_strsplit(object, "/", 2);
    const TaskEntry *entry;
    int r = manager_check_store(m, error);

    if (r < 0)
        return r;
    entry = *parts ? registry_find(m->registry, parts[0]) : NULL;
    if (!entry)
        return task_missing(error, util_strempty(parts[0]));
    if (parts[1] && !manager_find_schedule(entry, parts[1]))
        return task_schedule_missing(error, parts[0], parts[1]);
    *ret = change_new(m, parts[0], parts[1], fn, userdata);
    return 0;
}

static int change_switch(Change *c, Error *error)
{
    int r = change_begin(c, change_enable);

    return r < 0 ? error_set(error, ERROR_NOT_AVAILABLE, "The database is not available") : 0;
}

int manager_set_enabled(Manager *m, const Caller *caller, const char *object, bool enabled, ManagerDoneFn fn,
    void *userdata, Error *error)
{
    Change *c = NULL;
    int r = change_of(m, object, fn, userdata, &c, error);

    if (r < 0)
        return r;
    c->enable.enabled = enabled;
    return change_switch(c, error);
}

int manager_pause(Manager *m, const Caller *caller, const char *object, uint64_t until, ManagerDoneFn fn,
    void *userdata, Error *error)
{
    Change *c = NULL;
    int r;

    if (until <= clock_real(m->clock))
        return error_set(error, ERROR_INVALID_ARGUMENT, "That instant has passed already");
    r = change_of(m, object, fn, userdata, &c, error);
    if (r < 0)
        return r;
    c->enable.paused_until = until;
    return change_switch(c, error);
}

/* --- reload --- */

static int reload_parse(Manager *m, const LoaderFile *f, DiagList *diags, Task **ret)
{
    g_autofree TaskSource *sources = g_new0(TaskSource, f->sources->len);
    const TaskEntry *entry = registry_find(m->registry, f->name);

    /* A drop-in alone is no definition, and a definition without its drop-in not the one that was meant. */
    for (guint i = 0; i < f->troubles->len; i++) {
        const LoaderTrouble *t = g_ptr_array_index(f->troubles, i);

        diag_add(diags, t->path, 0, 0, "", "cannot be read: %s", t->reason);
    }
    if (f->troubles->len > 0)
        return -EIO;
    for (guint i = 0; i < f->sources->len; i++)
        sources[i] = *(const TaskSource *)g_ptr_array_index(f->sources, i);
    if (!task_name_is_valid(f->name)) {
        diag_add(diags, sources[0].path, 0, 0, "",
            "the file's name is no task's name: a letter or digit and up to 63 more of letters, digits, '_', '.', '-'");
        return -EINVAL;
    }
    /* Neither silently replaces the other: what was applied would be gone when the file goes. */
    if (entry && strcmp(entry->origin, "api") == 0) {
        diag_add(diags, sources[0].path, 0, 0, "",
            "a task of this name was applied and is kept in the database: rename the file, or run `tschedctl delete %s`",
            f->name);
        return -EEXIST;
    }
    return tasks_parse(m, f->name, sources, f->sources->len, diags, ret);
}

/* One line: who wants all asks for them. What has a place in the file says more than what is missing. */
static void reload_log_faults(Manager *m, const char *name, const DiagList *diags)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    g_autofree char *text = NULL, *more = NULL;
    guint i = 0;

    while (i + 1 < diags->len && ((const Diag *)g_ptr_array_index(diags, i))->line == 0)
        i++;
    g_ptr_array_add(one, g_ptr_array_index(diags, i));
    text = diag_list_to_text(one);
    if (diags->len > 1)
        more = g_strdup_printf(" (and %u more, which `tschedctl verify` shows)", diags->len - 1);
    log_message(LOG_ERR, &(LogContext){ LOG_ID_TASK_INVALID, name, 0, 0, NULL },
        registry_find(m->registry, name)
            ? "The file of task %s is not valid, its last good definition stays in force: %s%s"
            : "The file of task %s is not valid, it is left out: %s%s",
        name, g_strchomp(text), util_strempty(more));
}

/* Is it what is in force already, and ours? What others write while we are connected is told of. */
static bool reload_is_known(const Manager *m, const LoaderFile *f)
{
    const TaskEntry *entry = registry_find(m->registry, f->name);
    const GPtrArray *known = entry ? entry->task->sources : NULL;
    bool same = entry && f->troubles->len == 0 && strcmp(entry->origin, "file") == 0 &&
                registry_is_own(m->registry, entry) && task_own_sources(entry->task) == f->sources->len &&
                calendars_are_same(m->calendars, entry->task);

    for (guint i = 0; same && i < f->sources->len; i++) {
        const TaskSource *a = g_ptr_array_index(known, i), *b = g_ptr_array_index(f->sources, i);

        same = a->length == b->length && strcmp(a->path, b->path) == 0 &&
               memcmp(a->text, b->text, a->length) == 0;
    }
    return same;
}

static void reload_file(Batch *b, const LoaderFile *f)
{
    Manager *m = b->manager;
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autoptr(Task) task = NULL;
    int r;

    if ((f->sources->len == 0 && f->troubles->len == 0) || reload_is_known(m, f))
        return;
    r = reload_parse(m, f, diags, &task);
    if (r < 0) {
        g_autofree char *text = diag_list_to_text(diags);

        reload_log_faults(m, f->name, diags);
        batch_fault(b, -EINVAL, text);
        return;
    }
    r = batch_put(b, task, "file", ((const TaskSource *)g_ptr_array_index(f->sources, 0))->path);
    if (r < 0)
        batch_fault(b, r, "");
}

static void reload_delete(Batch *b, const char *name)
{
    Change *c = change_new(b->manager, name, NULL, NULL, NULL);

    c->batch = b;
    b->pending++;
    if (change_begin(c, change_delete) < 0)
        b->pending--;
}

/* What is kept in the database follows its calendars. */
static void reload_refresh(Batch *b, const TaskEntry *entry)
{
    Manager *m = b->manager;
    guint n = task_own_sources(entry->task);
    g_autofree TaskSource *sources = NULL;
    g_autoptr(GPtrArray) diags = NULL;
    g_autoptr(Task) task = NULL;
    int r;

    if (calendars_are_same(m->calendars, entry->task))
        return;
    sources = g_new0(TaskSource, n);
    diags = diag_list_new();
    for (guint i = 0; i < n; i++)
        sources[i] = *(const TaskSource *)g_ptr_array_index(entry->task->sources, i);
    if (tasks_parse(m, entry->task->name, sources, n, diags, &task) < 0) {
        g_autofree char *text = diag_list_to_text(diags);

        reload_log_faults(m, entry->task->name, diags);
        batch_fault(b, -EINVAL, text);
        return;
    }
    r = batch_put(b, task, entry->origin, entry->path);
    if (r < 0)
        batch_fault(b, r, "");
}

static void reload_next(Manager *m);

/* Deletes, among some more tasks, what is known of a file that is no more. False: there are no more tasks. */
static bool reload_look_for_gone(Batch *b)
{
    Manager *m = b->manager;
    g_autoptr(GPtrArray) entries = registry_list(m->registry, b->looked, RELOAD_LOOKS);

    guint i = 0;

    for (; i < entries->len && b->pending < RELOAD_WINDOW; i++) {
        const TaskEntry *entry = g_ptr_array_index(entries, i);

        g_free(b->looked);
        b->looked = g_strdup(entry->task->name);
        if (strcmp(entry->origin, "file") != 0)
            reload_refresh(b, entry);
        else if (entry->reload != b->reload && registry_is_own(m->registry, entry))
            reload_delete(b, entry->task->name);
    }
    return i < entries->len || i == RELOAD_LOOKS;
}

static void reload_end(Batch *b)
{
    Manager *m = b->manager;

    m->reloading = NULL;
    batch_end(b);
    memory_give_back();
    reload_next(m);
}

/* All files were read; what is to be deleted is found step by step. */
static void reload_look(Batch *b)
{
    if (!b->manager->store_up)
        batch_fault(b, -ENOTCONN, "");
    b->looking = b->r != -ENOTCONN && reload_look_for_gone(b);
    reload_go_on(b);
}

/* Brings as much under way as there may be, and comes to an end when there is nothing. */
static void reload_go_on(Batch *b)
{
    if (!b->sealed)
        loader_hold(b->manager->loader, b->pending >= RELOAD_WINDOW);
    else if (b->looking && b->pending < RELOAD_WINDOW)
        clock_timer_arm(b->timer, 0);
    else if (!b->looking && b->pending == 0)
        reload_end(b);
}

static void on_reload_timer(void *userdata)
{
    reload_look(userdata);
}

/* All calendars are there before the first task is. */
static void reload_end_calendars(Batch *b)
{
    g_autoptr(GString) faults = g_string_new(NULL);

    if (b->calendars)
        return;
    b->calendars = true;
    calendars_end(b->manager->calendars, faults);
    if (faults->len > 0)
        batch_fault(b, -EINVAL, faults->str);
}

static int on_file(const LoaderFile *f, void *userdata)
{
    Batch *b = userdata;
    TaskEntry *entry;

    if (!b->manager->store_up)
        return -ENOTCONN;
    if (b->manager->state == MANAGER_STOPPING)
        return -ECANCELED;
    if (f->calendar) {
        calendars_take(b->manager->calendars, f);
        return 0;
    }
    reload_end_calendars(b);
    entry = registry_find(b->manager->registry, f->name);
    if (entry)
        entry->reload = b->reload;
    reload_file(b, f);
    loader_hold(b->manager->loader, b->pending >= RELOAD_WINDOW);
    return 0;
}

static void on_files_read(int r, void *userdata)
{
    Batch *b = userdata;

    /* Only who knows all that was read can say what is gone. */
    if (r >= 0 && (!b->manager->store_up || b->r == -ENOTCONN))
        r = -ENOTCONN;
    if (r < 0)
        batch_fault(b, r, r == -ENOTCONN ? "" : "the task directories could not be read to the end");
    b->sealed = true;
    if (r >= 0) {
        reload_end_calendars(b);
        reload_look(b);
    } else {
        reload_go_on(b);
    }
}

static void reload_next(Manager *m)
{
    Batch *b = m->reloading ? NULL : g_queue_pop_head(&m->reloads);
    int r;

    if (!b)
        return;
    m->reloading = b;
    b->reload = ++m->reload;
    calendars_begin(m->calendars);
    r = clock_timer_new(m->clock, CLOCK_BOOT, on_reload_timer, b, &b->timer);
    if (r >= 0)
        r = loader_start(m->loader, on_file, on_files_read, b);
    if (r < 0)
        on_files_read(r, b);
}

void manager_cancel_reloads(Manager *m)
{
    Batch *b;

    while ((b = g_queue_pop_head(&m->reloads))) {
        batch_fault(b, -ECANCELED, "");
        batch_end(b);
    }
    /* Of what is under way loader and store answer all, but not what waits for its next step. */
    if (!m->reloading || !m->reloading->looking)
        return;
    m->reloading->looking = false;
    batch_fault(m->reloading, -ECANCELED, "");
    reload_go_on(m->reloading);
}

int manager_reload(Manager *m, const Caller *caller, ManagerDoneFn fn, void *userdata, Error *error)
{
    Batch *b;
    int r = manager_check_store(m, error);

    if (r < 0)
        return r;
    if (g_queue_get_length(&m->reloads) >= RELOADS_MAX)
        return error_set(error, ERROR_FAILED, "Too many reloads are under way already");
    b = batch_new(m, userdata);
    b->done_fn = fn;
    /* What is under way may have passed by what was changed since. */
    g_queue_push_tail(&m->reloads, b);
    reload_next(m);
    return 0;
}
