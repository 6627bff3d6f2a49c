/* The keys of [Task], [Service] and [Schedule], a table for each. */
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "base/suggest.h"
#include "model/command.h"
#include "model/input-convert.h"
#include "model/retry.h"
#include "model/schedule.h"
#include "model/signals.h"
#include "model/task-internal.h"
#include "model/timespec.h"
#include "model/words.h"

#define TASK_RETRIES_MAX        1000000
#define TASK_PRIORITY_MAX       1000
#define TASK_CONCURRENT_MAX     1000000
#define TASK_HISTORY_MAX        INT64_C(1000000000)
#define SCHEDULE_EVERY_MIN_USEC (100 * USEC_PER_MSEC)

typedef struct TaskKey {
    const char *name;
    bool list;
    /* base is the Task or the Schedule. An empty value puts the default back. */
    void (*set)(TaskParser *p, const TaskFileItem *item, void *field);
    size_t offset;
} TaskKey;

/* ---- kinds of values ---- */

static void task_set_text(TaskParser *p, const TaskFileItem *item, void *field)
{
    char **text = field;

    g_free(*text);
    *text = g_strdup(item->value);
}

static void task_read_name(TaskParser *p, const TaskFileItem *item, const char *otherwise, char **ret)
{
    if (item->value[0] && !task_name_is_valid(item->value)) {
        g_autofree char *shown = words_show(item->value);

        task_parser_value_fault(
            p, item, 0, "%s is no name: a letter or digit, then up to 63 of those and '_.-'", shown);
        return;
    }
    g_free(*ret);
    *ret = g_strdup(item->value[0] ? item->value : otherwise);
}

static void task_set_queue(TaskParser *p, const TaskFileItem *item, void *field)
{
    task_read_name(p, item, "default", field);
}

static void task_set_on_missed(TaskParser *p, const TaskFileItem *item, void *field)
{
    task_read_name(p, item, "", field);
}

static bool task_read_integer(TaskParser *p, const TaskFileItem *item, gint64 min, gint64 max, gint64 *ret)
{
    const char *digits = item->value + (item->value[0] == '+');

    *ret = 0;
    if (!item->value[0])
        return true;
    if (!g_ascii_string_to_signed(digits, 10, min, max, ret, NULL)) {
        g_autofree char *shown = words_show(item->value);

        task_parser_value_fault(
            p, item, 0, "%s is no integer from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, shown, min, max);
        return false;
    }
    return true;
}

static void task_set_priority(TaskParser *p, const TaskFileItem *item, void *field)
{
    gint64 n;

    if (task_read_integer(p, item, -TASK_PRIORITY_MAX, TASK_PRIORITY_MAX, &n))
        *(int *)field = (int)n;
}

static void task_set_retries(TaskParser *p, const TaskFileItem *item, void *field)
{
    gint64 n;

    if (task_read_integer(p, item, 0, TASK_RETRIES_MAX, &n))
        *(unsigned *)field = (unsigned)n;
}

static void task_read_span(
    TaskParser *p, const TaskFileItem *item, uint64_t otherwise, uint64_t min, bool infinite, uint64_t *ret)
{
    uint64_t usec;
    int r;

    if (!item->value[0]) {
        *ret = otherwise;
        return;
    }
    r = timespec_parse_span(item->value, &usec);
    if (r < 0) {
        g_autofree char *shown = words_show(item->value);

        task_parser_value_fault(p, item, 0, "%s is %s time span, like '90s' or '1h 30min'", shown,
            r == -ERANGE ? "too long a" : "no");
    } else if (usec == USEC_INFINITY && !infinite)
        task_parser_value_fault(p, item, 0, "may not be infinite");
    else if (usec < min) {
        g_autofree char *least = timespec_format_span(min);

        task_parser_value_fault(p, item, 0, "has to be %s at least", least);
    } else
        *ret = usec;
}

static void task_set_span(TaskParser *p, const TaskFileItem *item, void *field)
{
    task_read_span(p, item, 0, 0, false, field);
}

static void task_set_limit(TaskParser *p, const TaskFileItem *item, void *field)
{
    task_read_span(p, item, USEC_INFINITY, 1, true, field);
}

/* Less is no lateness: see slots.h. */
static void task_set_window(TaskParser *p, const TaskFileItem *item, void *field)
{
    task_read_span(p, item, 0, USEC_PER_SEC, true, field);
}

static void task_set_expected(TaskParser *p, const TaskFileItem *item, void *field)
{
    task_read_span(p, item, 0, USEC_PER_SEC, false, field);
}

static void task_set_age(TaskParser *p, const TaskFileItem *item, void *field)
{
    task_read_span(p, item, 0, USEC_PER_SEC, true, field);
}

static void task_set_runs(TaskParser *p, const TaskFileItem *item, void *field)
{
    gint64 n;

    if (task_read_integer(p, item, 1, TASK_HISTORY_MAX, &n))
        *(uint64_t *)field = (uint64_t)n;
}

static void task_set_concurrent(TaskParser *p, const TaskFileItem *item, void *field)
{
    gint64 n;

    if (task_read_integer(p, item, 1, TASK_CONCURRENT_MAX, &n))
        *(uint64_t *)field = (uint64_t)n;
}

static void task_set_overlap(TaskParser *p, const TaskFileItem *item, void *field)
{
    Overlap o = item->value[0] ? overlap_from_string(item->value) : OVERLAP_ALLOW;

    if ((int)o < 0)
        task_parser_value_fault(
            p, item, 0, "has to be 'allow', 'skip', 'queue', 'queue-one' or 'cancel-old'");
    else
        *(Overlap *)field = o;
}

static void task_set_every(TaskParser *p, const TaskFileItem *item, void *field)
{
    task_read_span(p, item, 0, SCHEDULE_EVERY_MIN_USEC, false, field);
}

static void task_set_backoff(TaskParser *p, const TaskFileItem *item, void *field)
{
    RetryDelay *backoff = field;

    if (!item->value[0] || g_str_equal(item->value, "constant"))
        *backoff = RETRY_CONSTANT;
    else if (g_str_equal(item->value, "exponential"))
        *backoff = RETRY_EXPONENTIAL;
    else
        task_parser_value_fault(p, item, 0, "has to be 'constant' or 'exponential'");
}

/* "20%" or "0.2" */
static void task_set_jitter(TaskParser *p, const TaskFileItem *item, void *field)
{
    size_t plain = strspn(item->value, "0123456789.");
    bool percent = item->value[plain] == '%';
    char *end = NULL;
    double d;

    if (!item->value[0]) {
        *(double *)field = 0;
        return;
    }
    d = g_ascii_strtod(item->value, &end);
    if (percent)
        d /= 100;
    if (plain == 0 || end != item->value + plain || item->value[plain + percent] || !(d >= 0 && d <= 1))
        task_parser_value_fault(p, item, 0, "has to be a percentage up to 100%%, or a fraction from 0 to 1");
    else
        *(double *)field = d;
}

static void task_set_retry_words(TaskParser *p, const TaskFileItem *item, void *field)
{
    GPtrArray **list = field, *words = NULL;
    unsigned offset;

    if (!item->value[0]) {
        g_clear_pointer(list, g_ptr_array_unref);
        return;
    }
    if (words_split(item->value, &words, &offset) < 0) {
        task_parser_value_fault(p, item, offset, "a quote that is not closed");
        return;
    }
    if (!*list)
        *list = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < words->len; i++) {
        const Word *w = g_ptr_array_index(words, i);

        if (!retry_word_is_valid(w->text)) {
            g_autofree char *shown = words_show(w->text);

            task_parser_value_fault(p, item, w->offset,
                "%s is no failed result, exit status or signal that a retry may follow", shown);
        }
        g_ptr_array_add(*list, g_strdup(w->text));
    }
    g_ptr_array_unref(words);
}

static void task_set_signal(TaskParser *p, const TaskFileItem *item, void *field)
{
    int signo = item->value[0] ? signals_from_string(item->value) : SIGUSR1;

    if (signo < 0) {
        g_autofree char *shown = words_show(item->value);

        task_parser_value_fault(p, item, 0, "%s is no signal", shown);
    } else
        *(int *)field = signo;
}

static void task_set_boolean(TaskParser *p, const TaskFileItem *item, void *field)
{
    if (!item->value[0])
        *(bool *)field = true;
    else if (words_parse_boolean(item->value, field) < 0) {
        g_autofree char *shown = words_show(item->value);

        task_parser_value_fault(p, item, 0, "%s is neither yes nor no", shown);
    }
}

/* ---- tables ---- */

static const TaskKey task_keys[] = {
    { "Description", false, task_set_text, offsetof(Task, description) },
    { "Queue", false, task_set_queue, offsetof(Task, queue) },
    { "Priority", false, task_set_priority, offsetof(Task, priority) },
    { "MaxConcurrent", false, task_set_concurrent, offsetof(Task, max_concurrent) },
    { "Overlap", false, task_set_overlap, offsetof(Task, overlap) },
    { "ExpectEvery", false, task_set_expected, offsetof(Task, expect_every_usec) },
    { "ExpectWithin", false, task_set_expected, offsetof(Task, expect_within_usec) },
    { "OnMissed", false, task_set_on_missed, offsetof(Task, on_missed) },
    { "NotCalendar", true, schedule_keys_set_never, offsetof(Task, window) },
    { "Retries", false, task_set_retries, offsetof(Task, retry.retries) },
    { "RetryDelay", false, task_set_span, offsetof(Task, retry.delay_usec) },
    { "RetryBackoff", false, task_set_backoff, offsetof(Task, retry.backoff) },
    { "RetryDelayMax", false, task_set_limit, offsetof(Task, retry.delay_max_usec) },
    { "RetryJitter", false, task_set_jitter, offsetof(Task, retry.jitter) },
    { "RetryOn", true, task_set_retry_words, offsetof(Task, retry.retry_on) },
    { "NoRetryOn", true, task_set_retry_words, offsetof(Task, retry.no_retry_on) },
    { "Timeout", false, task_set_limit, offsetof(Task, timeout_usec) },
    { "TimeoutWarning", false, task_set_span, offsetof(Task, timeout_warning_usec) },
    { "TimeoutWarningSignal", false, task_set_signal, offsetof(Task, timeout_warning_signal) },
    { "HistoryMaxAge", false, task_set_age, offsetof(Task, history_age_usec) },
    { "HistoryMaxRuns", false, task_set_runs, offsetof(Task, history_runs) },
};

static const TaskKey schedule_keys[] = {
    { "OnCalendar", true, schedule_keys_set_calendar, offsetof(Schedule, calendars) },
    { "Cron", true, schedule_keys_set_cron, offsetof(Schedule, calendars) },
    { "RRule", true, schedule_dates_set, 0 },
    { "RDate", true, schedule_dates_set, 0 },
    { "ExDate", true, schedule_dates_set, 0 },
    { "AllowEverySecond", false, schedule_keys_set_flag, offsetof(Schedule, every_second) },
    { "TimeZone", false, schedule_keys_set_zone, offsetof(Schedule, zone) },
    { "DST", false, schedule_keys_set_dst, offsetof(Schedule, gap) },
    { "At", true, schedule_dates_set, 0 },
    { "Every", false, task_set_every, offsetof(Schedule, every_usec) },
    { "EveryFrom", false, follow_set_every_from, offsetof(Schedule, from_finish) },
    { "AfterTask", false, follow_set_after_key, offsetof(Schedule, after) },
    { "From", false, schedule_dates_set_single, 0 },
    { "Until", false, schedule_dates_set_single, 0 },
    { "MaxRuns", false, task_set_runs, offsetof(Schedule, max_runs) },
    { "Jitter", false, task_set_span, offsetof(Schedule, jitter_usec) },
    { "FixedJitter", false, schedule_keys_set_flag, offsetof(Schedule, jitter_fixed) },
    { "Calendar", true, schedule_keys_set_within, offsetof(Schedule, window) },
    { "NotCalendar", true, schedule_keys_set_never, offsetof(Schedule, window) },
    { "OnExcluded", false, schedule_keys_set_on_excluded, offsetof(Schedule, on_excluded) },
    { "StopOutside", false, schedule_keys_set_flag, offsetof(Schedule, stop_outside) },
    { "DuringMaintenance", false, schedule_keys_set_flag, offsetof(Schedule, in_maintenance) },
    { "CatchUp", false, schedule_keys_set_catch_up, offsetof(Schedule, catch_up) },
    { "CatchUpWindow", false, task_set_window, offsetof(Schedule, catch_up_window_usec) },
    { "StartDeadline", false, task_set_window, offsetof(Schedule, start_deadline_usec) },
    { "Enabled", false, task_set_boolean, offsetof(Schedule, enabled) },
};

static void task_keys_assign(
    TaskParser *p, const TaskFileItem *item, const TaskKey *keys, size_t n, const char *section, void *base)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (size_t i = 0; i < n; i++) {
        const TaskKey *key = &keys[i];

        g_ptr_array_add(names, (gpointer)key->name);
        if (!g_str_equal(key->name, item->key))
            continue;
        if (task_parser_claim(p, item, key->list) && !item->damaged)
            key->set(p, item, (char *)base + key->offset);
        return;
    }
    task_parser_unknown(p, item, section, names);
}

void task_keys_task(TaskParser *p, const TaskFileItem *item)
{
    task_keys_assign(p, item, task_keys, G_N_ELEMENTS(task_keys), "unknown key in [Task]", p->task);
}

void task_keys_schedule(TaskParser *p, const TaskFileItem *item)
{
    if (!g_str_has_prefix(item->key, "Input.")) {
        task_keys_assign(
            p, item, schedule_keys, G_N_ELEMENTS(schedule_keys), "unknown key in [Schedule]", p->schedule);
        return;
    }
    if (!task_parser_claim(p, item, false) || item->damaged)
        return;
    if (item->value[0])
        g_hash_table_insert(
            p->schedule->inputs, g_strdup(item->key + strlen("Input.")), g_strdup(item->value));
    else
        g_hash_table_remove(p->schedule->inputs, item->key + strlen("Input."));
}

void task_keys_service(TaskParser *p, const TaskFileItem *item)
{
    TaskSetting *s;

    if (g_str_equal(item->key, "ExecStart")) {
        if (item->damaged)
            p->command = p->command ? p->command : item;
        else if (!item->value[0])
            p->command = NULL;
        else if (p->command)
            task_parser_key_fault(p, item,
                "a second command, the first is in %s line %u; a task has one (an empty ExecStart= takes "
                "back the first)",
                p->command->file, p->command->line);
        else
            p->command = item;
        return;
    }
    if (item->damaged)
        return;
    s = g_new0(TaskSetting, 1);
    s->key = g_strdup(item->key);
    s->value = g_strdup(item->value);
    s->file = item->file;
    s->line = item->line;
    s->column = item->column;
    task_file_position(item, 0, &s->value_line, &s->value_column);
    g_ptr_array_add(p->task->settings, s);
}

/* ---- what needs the whole definition ---- */

static void task_check_expected(TaskParser *p)
{
    const Task *t = p->task;
    const TaskFileItem *within = task_parser_where(p, "Task", "ExpectWithin");
    const TaskFileItem *missed = task_parser_where(p, "Task", "OnMissed");

    if (within && t->expect_within_usec > 0 && t->expect_every_usec == 0 && t->schedules->len == 0)
        task_parser_key_fault(p, within, "there is neither ExpectEvery= nor a schedule to count from");
    if (missed && *t->on_missed && !task_is_expected(t))
        task_parser_key_fault(p, missed, "nothing can be missed without ExpectEvery= or ExpectWithin=");
}

void task_keys_check_task(TaskParser *p)
{
    const Task *t = p->task;
    const TaskFileItem *warning = task_parser_where(p, "Task", "TimeoutWarning");
    const TaskFileItem *max = task_parser_where(p, "Task", "RetryDelayMax");

    if (warning && t->timeout_warning_usec > 0) {
        if (!task_parser_where(p, "Task", "Timeout"))
            task_parser_key_fault(p, warning, "there is no Timeout= to warn of");
        else if (t->timeout_warning_usec >= t->timeout_usec)
            task_parser_value_fault(p, warning, 0, "has to be shorter than Timeout=");
    }
    if (max && t->retry.delay_max_usec < t->retry.delay_usec)
        task_parser_value_fault(p, max, 0, "has to be RetryDelay= at least");
    task_check_expected(p);
}

static void task_take_words(GPtrArray *into, const char *value)
{
    g_autoptr(GPtrArray) words = NULL;
    unsigned offset;

    if (!value[0])
        g_ptr_array_set_size(into, 0);
    else if (words_split(value, &words, &offset) >= 0)
        for (guint i = 0; i < words->len; i++)
            g_ptr_array_add(into, g_strdup(((Word *)g_ptr_array_index(words, i))->text));
}

/* Settings whose meaning the daemon needs as well. A bad value is passed over here: the table of unit
 * properties reports it, once. */
static void task_take_setting(Task *t, const TaskSetting *s)
{
    uint64_t usec;
    int signo;

    if (g_str_equal(s->key, "KillSignal")) {
        signo = s->value[0] ? signals_from_string(s->value) : SIGTERM;
        t->kill_signal = signo > 0 ? signo : t->kill_signal;
    } else if (g_str_equal(s->key, "KillMode"))
        t->kill_mixed = g_str_equal(s->value, "mixed");
    else if (g_str_equal(s->key, "TimeoutStopSec")) {
        if (s->value[0] && timespec_parse_span(s->value, &usec) >= 0)
            t->stop_usec = usec > 0 ? usec : USEC_INFINITY; /* 0 is none, as in systemd */
    } else if (g_str_equal(s->key, "SuccessExitStatus"))
        task_take_words(t->success_status, s->value);
    else if (g_str_equal(s->key, "RuntimeDirectory"))
        t->own_runtime_directory = s->value[0];
    else if (g_str_equal(s->key, "RuntimeDirectoryPreserve"))
        t->own_runtime_preserve = s->value[0];
}

void task_keys_check_service(TaskParser *p)
{
    Task *t = p->task;
    GPtrArray *words = NULL;
    guint first = p->diags->len;

    for (guint i = 0; i < t->settings->len; i++)
        task_take_setting(t, g_ptr_array_index(t->settings, i));
    if (!p->command) {
        const TaskSource *source = t->sources->len > 0 ? g_ptr_array_index(t->sources, 0) : NULL;

        if (p->service)
            diag_add(p->diags, p->service->file, p->service->line, p->service->column, "ExecStart",
                "missing: [Service] needs the command to execute");
        else
            diag_add(p->diags, source ? source->path : "", 0, 0, "ExecStart",
                "missing: a [Service] section with the command to execute is needed");
        return;
    }
    if (p->command->damaged)
        return;
    if (command_parse(p->command->value, t->inputs, t->has_input, p->command->file, p->command->line, 1,
            p->diags, &words, &t->command_flags) < 0) {
        task_file_place(p->command, p->diags, first);
        return;
    }
    g_ptr_array_unref(t->command);
    t->command = words;
}

static void task_check_schedule_input(TaskParser *p, const char *section, const char *name, const char *text)
{
    g_autofree char *key = g_strconcat("Input.", name, NULL), *reason = NULL;
    g_autoptr(JsonNode) node = NULL;
    const TaskFileItem *item = task_parser_where(p, section, key);
    const InputSpec *spec = input_find(p->task->inputs, name);

    if (!item || !p->task->has_input || diag_list_full(p->diags))
        return;
    if (!spec) {
        g_autoptr(GPtrArray) names = input_names(p->task->inputs);
        g_autofree char *hint = suggest_phrase(name, names);

        task_parser_key_fault(p, item, "[Input] has no '%s'%s", name, hint);
    } else if (spec->secret)
        task_parser_value_fault(p, item, 0, "a secret can not stand in a task file");
    else if (input_convert_text(spec, text, &node, &reason) < 0)
        task_parser_value_fault(p, item, 0, "%s", reason);
}

static void task_check_schedule_required(TaskParser *p, const Schedule *s, const TaskFileItem *header)
{
    for (guint i = 0; i < p->task->inputs->len; i++) {
        const InputSpec *spec = g_ptr_array_index(p->task->inputs, i);

        if (spec->required && !g_hash_table_contains(s->inputs, spec->name))
            diag_add(p->diags, header->file, header->line, header->column, header->key,
                "every run of this schedule would lack '%s': Input.%s= is needed", spec->name, spec->name);
    }
}

static bool task_schedule_fires(TaskParser *p, const char *scope)
{
    static const char *const keys[] = { "OnCalendar", "Cron", "RRule", "RDate", "Every", "At", "AfterTask" };

    ARRAY_FOREACH (key, keys)
        if (task_parser_where(p, scope, *key))
            return true;
    return false;
}

void task_keys_check_schedules(TaskParser *p)
{
    for (guint i = 0; i < p->task->schedules->len; i++) {
        Schedule *s = g_ptr_array_index(p->task->schedules, i);
        const TaskFileItem *header = g_ptr_array_index(p->schedule_items, i);
        g_autofree char *scope = g_strconcat("Schedule ", s->name, NULL);
        GHashTableIter iter;
        gpointer name, text;

        if (!task_schedule_fires(p, scope))
            diag_add(p->diags, header->file, header->line, header->column, header->key,
                "never fires: OnCalendar=, Cron=, RRule=, RDate=, Every=, At= or AfterTask= is needed");
        schedule_dates_read(p, s, scope);
        schedule_keys_check(p, s, scope);
        follow_check(p, s, scope);
        schedule_dates_check(p, s, scope);
        schedule_keys_check_window(p, s, scope, header);
        schedule_keys_join_window(p, s, header);
        g_hash_table_iter_init(&iter, s->inputs);
        while (g_hash_table_iter_next(&iter, &name, &text))
            task_check_schedule_input(p, scope, name, text);
        task_check_schedule_required(p, s, header);
    }
}
