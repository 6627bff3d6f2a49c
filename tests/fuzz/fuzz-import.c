/* Fuzzes what is imported: the first byte says what the rest is, a crontab of a user or of the system, anacron's table, a
 * job of at, or a timer with its service behind a 0x1e byte. What is imported is a definition, and fires when cron would
 * fire it; what is not has a note of one printable line. */
#include <string.h>

#include "ctl/import-fields.h"
#include "line.h"
#include "model/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FROM UINT64_C(1774000000000000)
#define DAY  (UINT64_C(86400) * USEC_PER_SEC)

static void fuzz_crontab(Import *im, const ImportSource *source)
{
    import_crontab(im, source, false);
}

static void fuzz_system_crontab(Import *im, const ImportSource *source)
{
    import_crontab(im, source, true);
}

static void fuzz_add(GPtrArray *sources, const char *path, const char *text, size_t length)
{
    g_ptr_array_add(sources, task_source_new(path, text, length));
}

static void fuzz_timer(Import *im, const ImportSource *source)
{
    g_autoptr(GPtrArray) timer = g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free);
    g_autoptr(GPtrArray) service = g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free);
    const char *cut = memchr(source->text, 0x1e, source->length);
    size_t first = cut ? (size_t)(cut - source->text) : source->length;
    g_autofree char *unit = NULL;

    fuzz_add(timer, "a@b.timer", source->text, first);
    if (cut)
        fuzz_add(service, "a@.service", cut + 1, source->length - first - 1);
    unit = import_timer_unit(timer);
    import_timer(im, "a@b.timer", timer, cut ? service : NULL);
}

static const struct {
    char kind;
    void (*import)(Import *im, const ImportSource *source);
} kinds[] = {
    { 'u', fuzz_crontab },
    { 's', fuzz_system_crontab },
    { 'a', import_anacrontab },
    { '@', import_at },
    { 't', fuzz_timer },
};

/* Two days, between which clocks of Europe are set. */
static void fuzz_check_zone(const ImportTask *t)
{
    g_autoptr(GArray) times =
        import_fields_times(&t->times.fields, t->times.zone, FROM + 8 * DAY, FROM + 10 * DAY);

    for (guint i = 1; i < times->len; i++)
        g_assert(g_array_index(times, uint64_t, i) > g_array_index(times, uint64_t, i - 1));
}

/* One day, another for each length of the text. */
static void fuzz_check_times(const ImportTask *t, const Task *task)
{
    g_autoptr(GArray) theirs = NULL;
    uint64_t from = FROM + strlen(t->text) * DAY, at = from;

    if (t->times.rule != IMPORT_RULE_FIELDS)
        return;
    if (t->times.zone) {
        fuzz_check_zone(t);
        return;
    }
    theirs = import_fields_times(&t->times.fields, zone_utc(), from, from + DAY);
    for (guint i = 0; i < theirs->len; i++) {
        at = schedule_next(g_ptr_array_index(task->schedules, 0), at);
        g_assert(at == g_array_index(theirs, uint64_t, i));
    }
    g_assert(schedule_next(g_ptr_array_index(task->schedules, 0), at) > from + DAY);
}

/* The times of one task are looked at, which takes most of the time. */
static void fuzz_check(Import *im, size_t size)
{
    import_check(im);
    for (guint i = 0; i < im->notes->len; i++) {
        const ImportNote *n = g_ptr_array_index(im->notes, i);

        fuzz_check_line(n->message);
        g_assert(utf8_is_valid(n->remedy));
    }
    for (guint i = 0; i < im->tasks->len; i++) {
        const ImportTask *t = g_ptr_array_index(im->tasks, i);
        g_autoptr(GPtrArray) diags = diag_list_new();
        g_autoptr(Task) task = NULL;
        TaskSource source;

        if (!t->name) {
            g_assert(im->notes->len > 0);
            continue;
        }
        source = (TaskSource){ .path = t->name, .text = t->text, .length = strlen(t->text) };
        g_assert(task_parse(t->name, &source, 1, diags, &task) >= 0);
        if (i == size % im->tasks->len)
            fuzz_check_times(t, task);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Import) im = NULL;
    g_autofree char *text = NULL;
    ImportSource source = { .path = "/var/spool/cron/atjobs/a0000101b2c3d4", .owner = "alice" };

    g_setenv("TZ", "UTC", true);
    if (size == 0)
        return 0;
    text = g_malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    source.text = text;
    source.length = size - 1;
    im = import_new(size % 2 ? NULL : "alice");
    ARRAY_FOREACH (k, kinds)
        if (k->kind == (char)data[0])
            k->import(im, &source);
    fuzz_check(im, size);
    return 0;
}
