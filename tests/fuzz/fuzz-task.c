/* Fuzzes definitions: a file, and behind a 0x1e byte a drop-in. What is good is the same after its way
 * through the database's form; what is not has a fault, each in UTF-8 and at a place that exists. */
#include <string.h>

#include "faults.h"
#include "model/command.h"
#include "model/input.h"
#include "model/schedule.h"
#include "model/timespec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The settings, written down as a file, are read as the same settings. */
static void fuzz_check_settings(const Task *t)
{
    g_autoptr(GString) text = g_string_new("[Service]\nExecStart=/bin/true\n");
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autoptr(Task) again = NULL;
    TaskSource source = { .path = (char *)"c" };

    for (guint i = 0; i < t->settings->len; i++) {
        const TaskSetting *s = g_ptr_array_index(t->settings, i);

        g_string_append_printf(text, "%s=%s\n", s->key, s->value);
    }
    source.text = text->str;
    source.length = text->len;
    g_assert(task_parse(t->name, &source, 1, diags, &again) >= 0);
    g_assert(again->settings->len == t->settings->len);
    for (guint i = 0; i < t->settings->len; i++) {
        const TaskSetting *a = g_ptr_array_index(t->settings, i), *b = g_ptr_array_index(again->settings, i);

        g_assert(g_str_equal(a->key, b->key) && g_str_equal(a->value, b->value));
    }
}

/* An instant, formatted, is read as the same instant; a span is, once it was rounded. */
static void fuzz_check_times(const Task *t)
{
    g_autofree char *span = timespec_format_span(t->timeout_usec), *rounded = NULL;
    uint64_t usec;

    g_assert(timespec_parse_span(span, &usec) >= 0);
    rounded = timespec_format_span(usec);
    g_assert(g_str_equal(span, rounded));
    for (guint i = 0; i < t->schedules->len; i++) {
        const Schedule *s = g_ptr_array_index(t->schedules, i);

        for (guint n = 0; s->at && n < s->at->len; n++) {
            g_autofree char *at = timespec_format_instant(g_array_index(s->at, uint64_t, n));

            g_assert(timespec_parse_absolute(at, &usec) >= 0 && usec == g_array_index(s->at, uint64_t, n));
        }
    }
}

/* What a schedule follows, written down as it is kept, is read as the same. */
static void fuzz_check_after(const Task *t)
{
    g_autoptr(GString) text = g_string_new("[Service]\nExecStart=/bin/true\n");
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autoptr(Task) again = NULL;
    TaskSource source = { .path = (char *)"c" };
    guint n = 0;

    for (guint i = 0; i < t->schedules->len; i++) {
        const Schedule *s = g_ptr_array_index(t->schedules, i);

        if (s->after)
            g_string_append_printf(text, "[Schedule %s]\nAfterTask=%s\n", s->name, s->after);
    }
    source.text = text->str;
    source.length = text->len;
    g_assert(task_parse(t->name, &source, 1, diags, &again) >= 0);
    for (guint i = 0; i < t->schedules->len; i++) {
        const Schedule *s = g_ptr_array_index(t->schedules, i);

        if (s->after)
            g_assert(g_str_equal(((Schedule *)g_ptr_array_index(again->schedules, n++))->after, s->after));
    }
}

static void fuzz_check_task(const Task *t)
{
    g_autofree char *json = task_sources_to_json(t), *again = NULL, *specs = input_specs_to_json(t->inputs),
                    *path = NULL;
    g_autoptr(GPtrArray) sources = NULL, diags = diag_list_new(), argv = NULL;
    g_autofree TaskSource *copies = NULL;
    g_autoptr(Task) second = NULL;

    g_assert(specs[0] == '[');
    g_assert(task_sources_from_json(json, &sources) >= 0);
    copies = g_new0(TaskSource, sources->len);
    for (guint i = 0; i < sources->len; i++)
        copies[i] = *(TaskSource *)g_ptr_array_index(sources, i);
    g_assert(task_parse(t->name, copies, sources->len, diags, &second) >= 0);
    again = task_sources_to_json(second);
    g_assert(g_str_equal(json, again));
    g_assert(second->settings->len == t->settings->len && second->command->len == t->command->len &&
             second->schedules->len == t->schedules->len);
    fuzz_check_settings(t);
    fuzz_check_times(t);
    fuzz_check_after(t);
    g_assert(command_expand(t, NULL, &path, &argv, NULL) >= 0 && path[0] == '/');
    for (guint i = 0; i < t->schedules->len; i++) {
        const Schedule *s = g_ptr_array_index(t->schedules, i),
                       *same = g_ptr_array_index(second->schedules, i);
        uint64_t at = 1000;

        for (unsigned n = 0; n < 20 && at != USEC_INFINITY; n++) {
            uint64_t next = schedule_next(s, at);

            g_assert(next > at && next == schedule_next(same, at));
            at = next;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = memchr(data, 0x1e, size);
    size_t first = cut ? (size_t)(cut - data) : size;
    g_autofree char *base = first > 0 ? g_memdup2(data, first) : NULL, *drop_in = NULL;
    TaskSource sources[2] = { { .path = (char *)"a", .length = first }, { .path = (char *)"b" } };
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autoptr(Task) t = NULL;

    sources[0].text = first > 0 ? base : (char *)"";
    if (cut) {
        sources[1].length = size - first - 1;
        drop_in = g_memdup2(cut + 1, sources[1].length);
        sources[1].text = drop_in ? drop_in : (char *)"";
    }
    if (task_parse("t", sources, cut ? 2 : 1, diags, &t) < 0)
        fuzz_check_faults(sources, cut ? 2 : 1, diags);
    else
        fuzz_check_task(t);
    return 0;
}
