/* States, retries and slots: what may follow what, and when. */
#include <signal.h>

#include "model/retry.h"
#include "model/run.h"
#include "model/calendar-expression.h"
#include "model/schedule.h"
#include "model/slots.h"
#include "model/signals.h"

#define SEC USEC_PER_SEC
#define DAY (86400 * SEC)

static void test_names(void)
{
    for (int i = 0; i < _RUN_STATE_MAX; i++) {
        g_assert_nonnull(run_state_to_string((RunState)i));
        g_assert_cmpint(run_state_from_string(run_state_to_string((RunState)i)), ==, i);
    }
    for (int i = 0; i < _RUN_RESULT_MAX; i++) {
        g_assert_nonnull(run_result_to_string((RunResult)i));
        g_assert_cmpint(run_result_from_string(run_result_to_string((RunResult)i)), ==, i);
    }
    g_assert_cmpint(run_state_from_string("Done"), ==, -EINVAL);
    g_assert_cmpint(run_state_from_string(NULL), ==, -EINVAL);
    g_assert_cmpint(run_result_from_string("failed"), ==, -EINVAL);
    g_assert_cmpstr(run_exit_code_to_string(RUN_DUMPED), ==, "dumped");
    g_assert_cmpstr(run_exit_code_to_string(77), ==, "");
    g_assert_cmpint(run_exit_code_from_string("killed"), ==, RUN_KILLED);
}

/* The table, written down a second time the way a person reads it. */
static void test_transitions(void)
{
    static const char *const allowed[_RUN_STATE_MAX] = {
        [RUN_WAITING] = "queued done",
        [RUN_QUEUED] = "waiting starting paused done",
        [RUN_STARTING] = "queued waiting running stopping done",
        [RUN_RUNNING] = "stopping queued waiting done",
        [RUN_STOPPING] = "queued waiting done",
        [RUN_PAUSED] = "queued done",
        [RUN_DONE] = "",
    };

    for (int from = 0; from < _RUN_STATE_MAX; from++) {
        g_auto(GStrv) words = g_strsplit(allowed[from], " ", -1);

        for (int to = 0; to < _RUN_STATE_MAX; to++)
            g_assert_cmpint(run_state_may_follow((RunState)from, (RunState)to), ==,
                g_strv_contains((const char *const *)words, run_state_to_string((RunState)to)));
    }
    g_assert_false(run_state_may_follow(_RUN_STATE_INVALID, RUN_DONE));
    g_assert_false(run_state_may_follow(RUN_DONE, _RUN_STATE_MAX));
}

static GPtrArray *words(const char *text)
{
    g_auto(GStrv) v = g_strsplit(text, " ", -1);
    GPtrArray *a = g_ptr_array_new_with_free_func(g_free);

    for (char **w = v; *w; w++)
        g_ptr_array_add(a, g_strdup(*w));
    return a;
}

static void test_retry_default(void)
{
    const RetryPolicy none = { .delay_max_usec = USEC_INFINITY };
    const RetryPolicy two = { .retries = 2, .delay_usec = 5 * SEC, .delay_max_usec = USEC_INFINITY };
    uint64_t delay = 0;

    g_assert_false(retry_wanted(&none, 1, RUN_EXIT_CODE, RUN_EXITED, 1, 0.5, &delay));
    g_assert_true(retry_wanted(&two, 1, RUN_EXIT_CODE, RUN_EXITED, 1, 0.5, &delay));
    g_assert_cmpuint(delay, ==, 5 * SEC);
    g_assert_true(retry_wanted(&two, 2, RUN_TIMEOUT, RUN_KILLED, SIGTERM, 0.5, NULL));
    g_assert_false(retry_wanted(&two, 3, RUN_EXIT_CODE, RUN_EXITED, 1, 0.5, &delay));
    g_assert_false(retry_wanted(&two, 1, RUN_SUCCESS, RUN_EXITED, 0, 0.5, &delay));
    g_assert_false(retry_wanted(&two, 1, RUN_CANCELLED, RUN_KILLED, SIGTERM, 0.5, &delay));
    g_assert_false(retry_wanted(&two, 1, RUN_SKIPPED, 0, 0, 0.5, &delay));
    g_assert_false(retry_wanted(&two, 1, RUN_EXPIRED, 0, 0, 0.5, &delay));
    g_assert_false(retry_wanted(&two, 1, RUN_LOST, 0, 0, 0.5, &delay));
}

static void test_retry_words(void)
{
    g_autoptr(GPtrArray) on = words("lost 75 SIGKILL"), all = words("cancelled skipped lost"),
                         no = words("75"), named = words("TEMPFAIL");
    RetryPolicy p = { .retries = 9, .delay_max_usec = USEC_INFINITY, .retry_on = on };

    g_assert_true(retry_wanted(&p, 1, RUN_LOST, 0, 0, 0, NULL));
    g_assert_true(retry_wanted(&p, 1, RUN_EXIT_CODE, RUN_EXITED, 75, 0, NULL));
    g_assert_false(retry_wanted(&p, 1, RUN_EXIT_CODE, RUN_EXITED, 76, 0, NULL));
    g_assert_true(retry_wanted(&p, 1, RUN_SIGNAL, RUN_KILLED, SIGKILL, 0, NULL));
    g_assert_false(retry_wanted(&p, 1, RUN_EXIT_CODE, RUN_EXITED, SIGKILL, 0, NULL));
    g_assert_false(retry_wanted(&p, 1, RUN_SIGNAL, RUN_KILLED, 75, 0, NULL));
    p.retry_on = named;
    g_assert_true(retry_wanted(&p, 1, RUN_EXIT_CODE, RUN_EXITED, 75, 0, NULL));
    g_assert_false(retry_wanted(&p, 1, RUN_EXIT_CODE, RUN_EXITED, 74, 0, NULL));
    g_assert_false(retry_wanted(&p, 1, RUN_SIGNAL, RUN_KILLED, SIGTERM, 0, NULL));
    p.retry_on = on;
    p.no_retry_on = no;
    g_assert_false(retry_wanted(&p, 1, RUN_EXIT_CODE, RUN_EXITED, 75, 0, NULL));
    p.retry_on = all;
    g_assert_false(retry_wanted(&p, 1, RUN_CANCELLED, 0, 0, 0, NULL));
    g_assert_false(retry_wanted(&p, 1, RUN_SKIPPED, 0, 0, 0, NULL));

    g_assert_true(retry_word_is_valid("oom-kill"));
    g_assert_true(retry_word_is_valid("255"));
    g_assert_true(retry_word_is_valid("TERM"));
    g_assert_true(retry_word_is_valid("SIGRTMIN+2"));
    g_assert_false(retry_word_is_valid("256"));
    g_assert_false(retry_word_is_valid("-1"));
    g_assert_false(retry_word_is_valid(""));
    g_assert_false(retry_word_is_valid("success"));
    g_assert_false(retry_word_is_valid("cancelled"));
    g_assert_false(retry_word_is_valid("SIGFOO"));
}

static uint64_t delay_of(const RetryPolicy *p, unsigned attempts, double random)
{
    uint64_t delay = UNSET;

    g_assert_true(retry_wanted(p, attempts, RUN_EXIT_CODE, RUN_EXITED, 1, random, &delay));
    return delay;
}

static void test_retry_delay(void)
{
    RetryPolicy p = {
        .retries = UINT_MAX, .delay_usec = SEC, .backoff = RETRY_EXPONENTIAL, .delay_max_usec = 10 * SEC
    };

    g_assert_cmpuint(delay_of(&p, 1, 0.5), ==, SEC);
    g_assert_cmpuint(delay_of(&p, 2, 0.5), ==, 2 * SEC);
    g_assert_cmpuint(delay_of(&p, 4, 0.5), ==, 8 * SEC);
    g_assert_cmpuint(delay_of(&p, 5, 0.5), ==, 10 * SEC);
    g_assert_cmpuint(delay_of(&p, 4000000000u, 0.5), ==, 10 * SEC);
    p.delay_max_usec = USEC_INFINITY;
    g_assert_cmpuint(delay_of(&p, 1000, 0.5), ==, USEC_INFINITY - 1);
    p.backoff = RETRY_CONSTANT;
    p.jitter = 0.25;
    g_assert_cmpuint(delay_of(&p, 3, 0), ==, SEC * 3 / 4);
    g_assert_cmpuint(delay_of(&p, 3, 0.5), ==, SEC);
    g_assert_cmpuint(delay_of(&p, 3, 1), ==, SEC * 5 / 4);
    p.delay_max_usec = SEC;
    g_assert_cmpuint(delay_of(&p, 3, 1), ==, SEC);
    p.delay_usec = 0;
    g_assert_cmpuint(delay_of(&p, 3, 1), ==, 0);
}

static void test_schedule_every(void)
{
    Schedule s = { .every_usec = 10 * SEC };

    g_assert_cmpuint(schedule_next(&s, 0), ==, 10 * SEC);
    g_assert_cmpuint(schedule_next(&s, 10 * SEC - 1), ==, 10 * SEC);
    g_assert_cmpuint(schedule_next(&s, 10 * SEC), ==, 20 * SEC);
    s.from_usec = 1003 * SEC;
    g_assert_cmpuint(schedule_next(&s, 5), ==, 1003 * SEC);
    g_assert_cmpuint(schedule_next(&s, 1003 * SEC), ==, 1013 * SEC);
    g_assert_cmpuint(schedule_next(&s, 2000 * SEC), ==, 2003 * SEC);
    g_assert_cmpuint(schedule_next(&s, USEC_INFINITY - 1), ==, USEC_INFINITY);
    g_assert_cmpuint(schedule_next(&s, USEC_INFINITY), ==, USEC_INFINITY);
}

/* Asking for one slot after the other gives the arithmetic series, whatever the step. */
static void test_schedule_series(void)
{
    Schedule s = { .every_usec = 7 * SEC + 3, .from_usec = 11 };
    uint64_t t = 0;

    for (uint64_t i = 0; i < 10000; i++) {
        t = schedule_next(&s, t);
        g_assert_cmpuint(t, ==, 11 + i * s.every_usec);
    }
}

static void test_schedule_at(void)
{
    static const uint64_t instants[] = { 5 * SEC, 9 * SEC, 40 * SEC };
    Schedule s = { .at = g_array_new(FALSE, FALSE, sizeof(uint64_t)) };

    g_assert_cmpuint(schedule_next(&s, 0), ==, USEC_INFINITY);
    g_array_append_vals(s.at, instants, G_N_ELEMENTS(instants));
    g_assert_cmpuint(schedule_next(&s, 0), ==, 5 * SEC);
    g_assert_cmpuint(schedule_next(&s, 5 * SEC), ==, 9 * SEC);
    g_assert_cmpuint(schedule_next(&s, 39 * SEC), ==, 40 * SEC);
    g_assert_cmpuint(schedule_next(&s, 40 * SEC), ==, USEC_INFINITY);
    s.every_usec = 6 * SEC;
    g_assert_cmpuint(schedule_next(&s, 5 * SEC), ==, 6 * SEC);
    g_array_unref(s.at);
}

/* A schedule with these calendars in Berlin. */
static void add_calendar(Schedule *s, const char *text)
{
    g_auto(CalendarExpression) e = { 0 };
    g_auto(CalendarFault) fault = { 0 };
    ScheduleCalendar *c = g_new0(ScheduleCalendar, 1);

    g_assert_cmpint(calendar_expression_parse(text, &e, &fault), ==, 0);
    calendar_expression_compile(&e, &c->calendar);
    c->zone = e.zone;
    if (!s->calendars)
        s->calendars = g_ptr_array_new_with_free_func((GDestroyNotify)schedule_calendar_free);
    g_ptr_array_add(s->calendars, c);
    g_assert_cmpint(zone_find("Europe/Berlin", &s->zone), ==, 0);
}

static void test_schedule_calendar(void)
{
    const uint64_t noon = UINT64_C(1793358000) * SEC; /* Friday, 30 October 2026, 12:00 in Berlin */
    Schedule s = { .name = NULL };

    add_calendar(&s, "Mon..Fri 12:00");
    add_calendar(&s, "12:00 UTC"); /* 13:00 in Berlin */
    g_assert_cmpuint(schedule_next(&s, noon - 1), ==, noon);
    g_assert_cmpuint(schedule_next(&s, noon), ==, noon + 3600 * SEC);
    g_assert_cmpuint(schedule_next(&s, noon + 3600 * SEC), ==, noon + DAY + 3600 * SEC);
    g_ptr_array_unref(s.calendars);
}

typedef struct Fate {
    uint64_t next, off_until, now;
    uint64_t last, count; /* count 0: it fires */
    SlotCause cause;
    uint64_t paused_until;
} Fate;

static void check_fates(const Schedule *s, const Fate *fates, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t last = fates[i].count == 0 ? fates[i].next : fates[i].last;
        SlotFate fate;

        slots_decide(
            s, NULL, fates[i].next, fates[i].off_until, fates[i].paused_until, UNSET, fates[i].now, &fate);
        g_assert_cmpint(fate.fires, ==, fates[i].count == 0);
        g_assert_cmpuint(fate.range.first, ==, fates[i].next);
        g_assert_cmpuint(fate.range.last, ==, last);
        g_assert_cmpuint(fate.range.count, ==, MAX(fates[i].count, 1));
        g_assert_cmpint(fate.cause, ==, fates[i].cause);
        g_assert_cmpint(*fate.reason == 0, ==, fates[i].count == 0);
    }
}

/* Of an interval nothing is caught up. */
static void test_slots_every(void)
{
    const Schedule s = { .every_usec = 10 * SEC };
    const Fate fates[] = {
        { 20 * SEC, 0, 19 * SEC, 0, 0, SLOT_NO_CAUSE },
        { 20 * SEC, 0, 21 * SEC - 1, 0, 0, SLOT_NO_CAUSE },
        { 20 * SEC, 0, 21 * SEC, 20 * SEC, 1, SLOT_HOST_DOWN },
        { 20 * SEC, 0, 50 * SEC, 40 * SEC, 3, SLOT_HOST_DOWN },
        { 20 * SEC, 0, 51 * SEC, 50 * SEC, 4, SLOT_HOST_DOWN },
        { 20 * SEC, 45 * SEC, 90 * SEC, 40 * SEC, 3, SLOT_DISABLED },
        { 20 * SEC, 20 * SEC, 20 * SEC, 0, 0, SLOT_NO_CAUSE },
        { 20 * SEC, 0, 20 * SEC + 10 * SLOTS_RANGE_MAX * SEC, 10 * (SLOTS_RANGE_MAX + 1) * SEC,
            SLOTS_RANGE_MAX, SLOT_HOST_DOWN },
        /* While it is paused, and when that was over while it was down. */
        { 20 * SEC, 0, 20 * SEC, 20 * SEC, 1, SLOT_PAUSED, 3000 * SEC },
        { 20 * SEC, 0, 50 * SEC, 50 * SEC, 4, SLOT_PAUSED, 3000 * SEC },
        { 20 * SEC, 0, 90 * SEC, 40 * SEC, 3, SLOT_PAUSED, 50 * SEC },
        { 50 * SEC, 0, 90 * SEC, 80 * SEC, 4, SLOT_HOST_DOWN, 50 * SEC },
        { 50 * SEC, 0, 50 * SEC, 0, 0, SLOT_NO_CAUSE, 50 * SEC },
        { 20 * SEC, 45 * SEC, 90 * SEC, 40 * SEC, 3, SLOT_DISABLED, 70 * SEC },
    };

    check_fates(&s, fates, G_N_ELEMENTS(fates));
}

/* Instants are caught up within a day, each. */
static void test_slots_at(void)
{
    static const uint64_t instants[] = { 5 * SEC, 9 * SEC, 40 * SEC };
    Schedule s = { .at = g_array_new(FALSE, FALSE, sizeof(uint64_t)) };
    const Fate fates[] = {
        { 9 * SEC, 0, 9 * SEC + DAY, 0, 0, SLOT_NO_CAUSE },
        { 9 * SEC, 0, 9 * SEC + DAY + 1, 9 * SEC, 1, SLOT_WINDOW_PASSED },
        { 5 * SEC, 0, 30 * SEC + DAY, 9 * SEC, 2, SLOT_WINDOW_PASSED },
        { 5 * SEC, 0, 50 * SEC, 0, 0, SLOT_NO_CAUSE },
        { 5 * SEC, 0, 50 * SEC + DAY, 40 * SEC, 3, SLOT_WINDOW_PASSED },
    };

    g_array_append_vals(s.at, instants, G_N_ELEMENTS(instants));
    check_fates(&s, fates, G_N_ELEMENTS(fates));
    g_array_unref(s.at);
}

/* CatchUp= and CatchUpWindow= go before what the kind of schedule wants. */
static void test_slots_catch_up(void)
{
    Schedule s = { .every_usec = 10 * SEC, .catch_up = CATCH_UP_ALL, .catch_up_window_usec = 60 * SEC };
    const Fate all[] = {
        { 20 * SEC, 0, 80 * SEC, 0, 0, SLOT_NO_CAUSE },
        { 20 * SEC, 0, 81 * SEC, 20 * SEC, 1, SLOT_WINDOW_PASSED },
        { 20 * SEC, 0, 200 * SEC, 130 * SEC, 12, SLOT_WINDOW_PASSED },
        { 140 * SEC, 0, 200 * SEC, 0, 0, SLOT_NO_CAUSE },
    };
    const Fate last[] = {
        { 20 * SEC, 0, 29 * SEC, 0, 0, SLOT_NO_CAUSE },
        { 20 * SEC, 0, 55 * SEC, 40 * SEC, 3, SLOT_HOST_DOWN },
        { 20 * SEC, 0, 200 * SEC, 130 * SEC, 12, SLOT_WINDOW_PASSED },
    };
    const Fate none[] = { { 20 * SEC, 0, 200 * SEC, 190 * SEC, 18, SLOT_HOST_DOWN } };
    SlotFate fate;

    check_fates(&s, all, G_N_ELEMENTS(all));
    slots_decide(&s, NULL, 140 * SEC, 0, 0, UNSET, 200 * SEC, &fate);
    g_assert_true(fate.one_by_one && slots_one_by_one(&s));
    slots_decide(&s, NULL, 200 * SEC, 0, 0, UNSET, 200 * SEC, &fate);
    g_assert_false(fate.one_by_one);
    s.catch_up = CATCH_UP_LAST;
    check_fates(&s, last, G_N_ELEMENTS(last));
    slots_decide(&s, NULL, 20 * SEC, 0, 0, UNSET, 29 * SEC, &fate);
    g_assert_false(fate.one_by_one || slots_one_by_one(&s));
    s.catch_up = CATCH_UP_NONE;
    check_fates(&s, none, G_N_ELEMENTS(none));
    s.catch_up = CATCH_UP_ALL;
    s.catch_up_window_usec = USEC_INFINITY;
    slots_decide(&s, NULL, 20 * SEC, 0, 0, UNSET, 500 * DAY, &fate);
    g_assert_true(fate.fires);
}

/* One that came while somebody could act on it fires until the next has come, however late; the others are skipped for another
 * reason than those that came before. */
static void test_slots_awake(void)
{
    static const struct {
        uint64_t next, awake_since, now, last; /* s; last 0: it fires */
        bool slow;
    } rows[] = {
        { 20, 20, 29, 0, false },
        { 20, 21, 29, 20, false },
        { 20, 0, 30, 20, true },
        { 30, 0, 39, 0, false },
        { 20, 0, 59, 40, true },
        { 20, 35, 59, 30, false },
        { 40, 35, 59, 40, true },
        { 50, 35, 59, 0, false },
        { 20, 51, 59, 50, false },
    };
    Schedule s = { .every_usec = 10 * SEC };
    SlotFate fate;

    for (guint i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        guint r = i / 2;

        s.catch_up = i % 2 ? CATCH_UP_LAST : CATCH_UP_NONE;
        if (s.catch_up == CATCH_UP_LAST && rows[r].last >= rows[r].now / 10 * 10)
            continue; /* that one is caught up */
        slots_decide(&s, NULL, rows[r].next * SEC, 0, 0, rows[r].awake_since * SEC, rows[r].now * SEC, &fate);
        g_assert_cmpint(fate.fires, ==, rows[r].last == 0);
        g_assert_false(fate.one_by_one);
        if (fate.fires)
            continue;
        g_assert_cmpint(fate.cause, ==, SLOT_HOST_DOWN);
        g_assert_cmpuint(fate.range.last, ==, rows[r].last * SEC);
        g_assert_cmpint(strstr(fate.reason, "when the next one was due") != NULL, ==, rows[r].slow);
    }
    s.start_deadline_usec = 5 * SEC;
    slots_decide(&s, NULL, 20 * SEC, 0, 0, 0, 25 * SEC, &fate);
    g_assert_true(fate.fires);
    slots_decide(&s, NULL, 20 * SEC, 0, 0, 0, 26 * SEC, &fate);
    g_assert_cmpint(fate.cause, ==, SLOT_DEADLINE_PASSED);
    g_assert_nonnull(strstr(fate.reason, "came to it"));
    s.start_deadline_usec = 0;
    s.catch_up = CATCH_UP_ALL;
    slots_decide(&s, NULL, 20 * SEC, 0, 0, 0, 29 * SEC, &fate);
    g_assert_true(fate.fires && fate.one_by_one);
    s.catch_up_window_usec = SEC;
    slots_decide(&s, NULL, 20 * SEC, 0, 0, 0, 29 * SEC, &fate);
    g_assert_true(fate.fires);
    slots_decide(&s, NULL, 20 * SEC, 0, 0, 0, 35 * SEC, &fate);
    g_assert_cmpint(fate.cause, ==, SLOT_WINDOW_PASSED);
}

/* Of a calendar the last that passed within a day is caught up, and no other. */
/* Whatever is caught up, not what is too late. */
static void test_slots_deadline(void)
{
    Schedule s = { .every_usec = 10 * SEC,
        .catch_up = CATCH_UP_ALL,
        .catch_up_window_usec = 60 * SEC,
        .start_deadline_usec = 30 * SEC };
    const Fate all[] = {
        { 20 * SEC, 0, 50 * SEC, 0, 0, SLOT_NO_CAUSE },
        { 20 * SEC, 0, 50 * SEC + 1, 20 * SEC, 1, SLOT_DEADLINE_PASSED },
        { 20 * SEC, 0, 200 * SEC, 160 * SEC, 15, SLOT_DEADLINE_PASSED },
        { 170 * SEC, 0, 200 * SEC, 0, 0, SLOT_NO_CAUSE },
        { 20 * SEC, 45 * SEC, 90 * SEC, 40 * SEC, 3, SLOT_DISABLED },
    };
    const Fate last[] = {
        { 20 * SEC, 0, 200 * SEC, 160 * SEC, 15, SLOT_DEADLINE_PASSED },
        { 170 * SEC, 0, 200 * SEC, 190 * SEC, 3, SLOT_HOST_DOWN },
    };
    const Fate none[] = { { 20 * SEC, 0, 200 * SEC, 190 * SEC, 18, SLOT_HOST_DOWN } };
    const Fate longer[] = { { 20 * SEC, 0, 200 * SEC, 130 * SEC, 12, SLOT_WINDOW_PASSED } };
    const Fate jitter[] = {
        { 20 * SEC, 0, 22 * SEC, 0, 0, SLOT_NO_CAUSE },
        { 20 * SEC, 0, 22 * SEC + 1, 20 * SEC, 1, SLOT_DEADLINE_PASSED },
    };

    g_assert_cmpuint(schedule_deadline(&s, 20 * SEC), ==, 50 * SEC);
    check_fates(&s, all, G_N_ELEMENTS(all));
    s.catch_up = CATCH_UP_LAST;
    check_fates(&s, last, G_N_ELEMENTS(last));
    s.catch_up = CATCH_UP_NONE;
    check_fates(&s, none, G_N_ELEMENTS(none));
    s.catch_up = CATCH_UP_ALL;
    s.start_deadline_usec = 90 * SEC;
    check_fates(&s, longer, G_N_ELEMENTS(longer));
    s.start_deadline_usec = USEC_INFINITY;
    g_assert_cmpuint(schedule_deadline(&s, 20 * SEC), ==, UNSET);
    check_fates(&s, longer, G_N_ELEMENTS(longer));
    /* Not late before Jitter= is over, and too late all the same. */
    s.start_deadline_usec = 2 * SEC;
    s.jitter_usec = 15 * SEC / 10;
    check_fates(&s, jitter, G_N_ELEMENTS(jitter));
}
static void test_slots_calendar(void)
{
    const uint64_t noon = UINT64_C(1793358000) * SEC, one = noon + 3600 * SEC; /* Friday in Berlin */
    Schedule s = { .name = NULL };
    const Fate fates[] = {
        { noon, 0, noon + SEC - 1, 0, 0, SLOT_NO_CAUSE },
        { noon, 0, one - 1, 0, 0, SLOT_NO_CAUSE },
        { noon, 0, one, noon, 1, SLOT_HOST_DOWN },
        { one, 0, noon + DAY, 0, 0, SLOT_NO_CAUSE },
        { one, 0, one + DAY - 1, 0, 0, SLOT_NO_CAUSE },
        { one, 0, one + DAY, one, 1, SLOT_HOST_DOWN },
        /* Saturday, Sunday and Monday passed: the last of these is left. */
        { one, 0, noon + 3 * DAY + 7200 * SEC, one + 2 * DAY, 3, SLOT_WINDOW_PASSED },
        { one, noon + DAY, noon + 3 * DAY, one, 1, SLOT_DISABLED },
    };

    add_calendar(&s, "Mon..Fri 12:00");
    add_calendar(&s, "12:00 UTC"); /* 13:00 in Berlin */
    check_fates(&s, fates, G_N_ELEMENTS(fates));
    g_ptr_array_unref(s.calendars);
}

/* What somebody has skipped is found, kept in order, and goes when its time has passed. */
static void test_by_hand(void)
{
    GArray *list = by_hand_parse(NULL), *copy;

    g_assert_null(list);
    g_assert_null(by_hand_copy(NULL));
    g_assert_null(by_hand_find(NULL, 1));
    g_assert_cmpuint(by_hand_next(NULL, 0), ==, UNSET);
    by_hand_pass(&list, 7);
    by_hand_set(&list, 5, NULL);
    g_assert_null(list);
    list = by_hand_parse("30 bob\n10 alice\n20 the other\n10 carol");
    g_assert_cmpuint(list->len, ==, 3);
    g_assert_cmpstr(by_hand_find(list, 10)->whom, ==, "carol");
    g_assert_cmpstr(by_hand_find(list, 20)->whom, ==, "the other");
    g_assert_null(by_hand_find(list, 11));
    g_assert_cmpuint(by_hand_next(list, 11), ==, 20);
    g_assert_cmpuint(by_hand_next(list, 31), ==, UNSET);
    by_hand_set(&list, 20, NULL);
    copy = by_hand_copy(list);
    by_hand_pass(&list, 9);
    by_hand_pass(&list, UNSET);
    g_assert_cmpuint(list->len, ==, 2);
    by_hand_pass(&list, 10);
    g_assert_cmpuint(by_hand_next(list, 0), ==, 30);
    by_hand_pass(&list, 30);
    g_assert_null(list);
    g_assert_cmpuint(by_hand_next(copy, 0), ==, 10);
    by_hand_set(&copy, 10, NULL);
    by_hand_set(&copy, 30, NULL);
    g_assert_null(copy);
}

/* Those have their own entries, whatever becomes of the ones around them, and another is the last that is caught up. */
static void test_slots_by_hand(void)
{
    Schedule s = { .every_usec = 10 * SEC, .until_usec = 500 * SEC };
    GArray *list = by_hand_parse("40000000 alice\n90000000 bob");
    static const struct {
        uint64_t next, off_until, paused_until, now, last;
        CatchUp catch_up;
        SlotCause cause; /* NO_CAUSE: it fires */
    } rows[] = {
        { 20 * SEC, 0, 0, 99 * SEC, 30 * SEC, CATCH_UP_NONE, SLOT_HOST_DOWN },
        { 40 * SEC, 0, 0, 99 * SEC, 40 * SEC, CATCH_UP_NONE, SLOT_BY_HAND },
        { 50 * SEC, 0, 0, 99 * SEC, 80 * SEC, CATCH_UP_NONE, SLOT_HOST_DOWN },
        { 20 * SEC, 0, 0, 99 * SEC, 30 * SEC, CATCH_UP_LAST, SLOT_HOST_DOWN },
        { 50 * SEC, 0, 0, 99 * SEC, 70 * SEC, CATCH_UP_LAST, SLOT_HOST_DOWN },
        { 80 * SEC, 0, 0, 99 * SEC, 80 * SEC, CATCH_UP_LAST, SLOT_NO_CAUSE },
        { 20 * SEC, 300 * SEC, 0, 400 * SEC, 30 * SEC, CATCH_UP_LAST, SLOT_DISABLED },
        { 40 * SEC, 300 * SEC, 300 * SEC, 400 * SEC, 40 * SEC, CATCH_UP_LAST, SLOT_BY_HAND },
        { 50 * SEC, 0, 300 * SEC, 400 * SEC, 80 * SEC, CATCH_UP_LAST, SLOT_PAUSED },
        { 90 * SEC, 0, 0, 90 * SEC, 90 * SEC, CATCH_UP_ALL, SLOT_BY_HAND },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        SlotFate fate;

        s.catch_up = rows[i].catch_up;
        slots_decide(
            &s, list, rows[i].next, rows[i].off_until, rows[i].paused_until, UNSET, rows[i].now, &fate);
        g_assert_cmpint(fate.cause, ==, rows[i].cause);
        g_assert_cmpint(fate.fires, ==, rows[i].cause == SLOT_NO_CAUSE);
        g_assert_cmpuint(fate.range.last, ==, rows[i].last);
    }
    g_assert_cmpuint(slots_open(&s, list, 30 * SEC), ==, 50 * SEC);
    g_assert_cmpuint(slots_open(&s, NULL, 30 * SEC), ==, 40 * SEC);
    g_assert_cmpuint(slots_open(&s, list, 500 * SEC), ==, USEC_INFINITY);
    g_assert_cmpuint(slots_before(&s, 41 * SEC), ==, 40 * SEC);
    g_assert_cmpuint(slots_before(&s, 40 * SEC), ==, 30 * SEC);
    g_assert_cmpuint(slots_before(&s, 90000 * SEC), ==, 500 * SEC);
    s.from_usec = 40 * SEC;
    g_assert_cmpuint(slots_before(&s, 40 * SEC), ==, UNSET);
    g_assert_cmpuint(slots_before(&s, 0), ==, UNSET);
    g_array_unref(list);
}

/* 02:30 and 03:00 every day in Berlin: on 29 March 2026 the one does not exist, and the other is at the very jump. */
static void test_slots_not_existing(void)
{
    const uint64_t day = 1774656000 * SEC,
                   jump = 1774746000 * SEC; /* 28 March 00:00, 29 March 01:00, both UTC */
    Schedule s = { .gap = CALENDAR_GAP_SKIP, .catch_up = CATCH_UP_NONE };
    g_autofree char *told = NULL;
    uint64_t next = day - 1;
    static const uint64_t times[] = { 5400, 7200, 89999, 90000 };
    SlotFate fate;

    s.calendars = g_ptr_array_new_with_free_func((GDestroyNotify)schedule_calendar_free);
    g_assert_cmpint(zone_find("Europe/Berlin", &s.zone), ==, 0);
    add_calendar(&s, "02:30");
    add_calendar(&s, "03:00");
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
        next = slots_next(&s, next);
        g_assert_cmpuint(next, ==, day + times[i] * SEC + (times[i] == 89999 ? SEC - 1 : 0));
        g_assert_cmpint(slots_is_gap(&s, next), ==, times[i] == 89999);
    }
    g_assert_cmpuint(next, ==, jump);
    /* Whatever else is the case, it has its own entry, and others have theirs. */
    slots_decide(&s, NULL, day + 5400 * SEC, 0, 0, UNSET, day + 30 * DAY, &fate);
    g_assert_cmpint(fate.cause, ==, SLOT_HOST_DOWN);
    g_assert_cmpuint(fate.range.last, ==, day + 7200 * SEC);
    slots_decide(&s, NULL, jump - 1, day + 9 * DAY, 0, UNSET, day + 30 * DAY, &fate);
    g_assert_cmpint(fate.cause, ==, SLOT_NOT_EXISTING);
    g_assert_false(fate.fires);
    g_assert_cmpuint(fate.range.last, ==, jump - 1);
    g_assert_cmpuint(fate.range.count, ==, 1);
    told = schedule_tell_gap(&s, jump - 1);
    g_assert_cmpstr(told, ==, "on 29 March 2026 this does not fire, for 02:30 does not exist");
    slots_decide(&s, NULL, jump, 0, 0, UNSET, jump, &fate);
    g_assert_true(fate.fires);
    /* Not beyond its bounds, nor where the jump itself stands for them, nor where the clock is set back. */
    g_assert_cmpuint(schedule_next_gap(&s, jump - 2, jump - 2), ==, UNSET);
    g_assert_cmpuint(schedule_next_gap(&s, jump - 2, jump - 1), ==, jump - 1);
    g_assert_cmpuint(schedule_next_gap(&s, jump - 1, jump + 200 * DAY), ==, UNSET);
    s.from_usec = jump;
    g_assert_cmpuint(schedule_next_gap(&s, 0, UNSET), ==, jump - 1);
    s.from_usec = jump + 1;
    g_assert_cmpuint(schedule_next_gap(&s, 0, jump + 100 * DAY), ==, UNSET);
    s.from_usec = 0;
    s.until_usec = jump;
    g_assert_cmpuint(schedule_next_gap(&s, jump - DAY, UNSET), ==, jump - 1);
    s.until_usec = jump - 1;
    g_assert_cmpuint(schedule_next_gap(&s, jump - DAY, UNSET), ==, UNSET);
    s.until_usec = 0;
    s.gap = CALENDAR_GAP_NEXT;
    g_assert_cmpuint(schedule_next_gap(&s, jump - DAY, UNSET), ==, UNSET);
    g_assert_cmpuint(slots_next(&s, jump - 2), ==, jump);
    /* A slot of the last microsecond keeps its place. */
    s.gap = CALENDAR_GAP_SKIP;
    add_calendar(&s, "01:59:59.999999");
    g_assert_cmpuint(schedule_next_gap(&s, jump - DAY, UNSET), ==, jump - 2);
    g_assert_cmpuint(slots_next(&s, jump - 2), ==, jump - 1);
    g_ptr_array_unref(s.calendars);
}

/* Step by step each slot has one outcome, in order, and what fires is what is told by looking at each alone. */
static void test_slots_all(void)
{
    static const uint64_t instants[] = { 100 * SEC, 90000 * SEC, 170000 * SEC, 260000 * SEC };
    Schedule s = { .at = g_array_new(FALSE, FALSE, sizeof(uint64_t)) };
    g_autoptr(GRand) chance = g_rand_new_with_seed(7);
    unsigned fired = 0, skipped = 0;

    g_array_append_vals(s.at, instants, G_N_ELEMENTS(instants));
    for (unsigned n = 0; n < 900; n++) {
        uint64_t after = (uint64_t)g_rand_int_range(chance, 0, 200000) * SEC, next, slot;
        uint64_t now = after + (uint64_t)g_rand_int_range(chance, 0, n % 2 ? 6000 : 300000) * SEC;
        uint64_t off_until = n % 3 ? 0 : after + (uint64_t)g_rand_int_range(chance, 0, 3000) * SEC;
        uint64_t paused_until = n % 5 ? 0 : after + (uint64_t)g_rand_int_range(chance, 0, 400000) * SEC;
        uint64_t still = MAX(off_until, paused_until);

        if (n == 300)
            add_calendar(&s, "*:0/7");
        if (n == 600)
            s.every_usec = 1000 * SEC;
        next = schedule_next(&s, after);
        while (next <= now) {
            SlotFate fate;
            uint64_t count = 0;

            slots_decide(&s, NULL, next, off_until, paused_until, UNSET, now, &fate);
            g_assert_cmpuint(fate.range.first, ==, next);
            for (slot = next; slot <= fate.range.last; slot = schedule_next(&s, slot), count++) {
                uint64_t late = now - slot;
                bool caught = n >= 600  ? false
                              : n < 300 ? late <= DAY
                                        : late <= DAY && schedule_next(&s, slot) > now;

                g_assert_cmpint(fate.fires, ==, slot >= still && (late < SEC || caught));
            }
            g_assert_cmpuint(count, ==, fate.range.count);
            g_assert_true(!fate.fires || count == 1);
            fired += fate.fires;
            skipped += !fate.fires;
            next = schedule_next(&s, fate.range.last);
        }
    }
    g_assert_cmpuint(fired, >, 200);
    g_assert_cmpuint(skipped, >, 200);
    g_array_unref(s.at);
    g_ptr_array_unref(s.calendars);
}

/* How many there are before end, one after the other. */
static uint64_t count_slots(const Schedule *s, uint64_t next, uint64_t end)
{
    uint64_t n = 0;

    for (; next < end; next = schedule_next(s, next))
        n++;
    return n;
}

static void take(const char *keys, uint64_t days, bool counted)
{
    const uint64_t after = UINT64_C(1773500000) * SEC + 123456; /* two weeks before Berlin's summer begins */
    g_autofree char *text = g_strconcat("[Service]\nExecStart=/a\n[Schedule s]\n", keys, NULL);
    TaskSource source = { .path = (char *)"t", .text = text, .length = strlen(text) };
    g_autoptr(GPtrArray) diags = diag_list_new();
    g_autoptr(Task) task = NULL;
    const Schedule *s;
    uint64_t next, end = after + days * DAY;
    SlotRange range;

    g_assert_cmpint(task_parse("t", &source, 1, diags, &task), >=, 0);
    s = task_find_schedule(task, "s");
    next = schedule_next(s, after);
    slots_take(s, next, end, &range);
    g_assert_cmpuint(range.first, ==, next);
    g_assert_cmpuint(range.last, <, end);
    g_assert_cmpuint(schedule_next(s, range.last), >=, end);
    g_assert_cmpuint(range.count, ==, counted ? count_slots(s, next, end) : 0);
}

/* A definition that ends takes all at once, and says how many they are. */
static void test_slots_take(void)
{
    take("Every=1h\n", 1, true);
    take("Every=1s\n", 20, true);
    take("Every=7s\nFrom=2026-03-20\n", 30, true);
    take("Cron=* * * * * *\nAllowEverySecond=yes\nTimeZone=Europe/Berlin\n", 20, true);
    take("Cron=0-4,7,50-59 * * * * *\nTimeZone=Asia/Kathmandu\n", 5, true);
    take("Cron=59 * * * * *\n", 40, true);
    take("Cron=*/5 * * * *\nTimeZone=Europe/Berlin\n", 100, true);
    take("OnCalendar=Mon *:*:00\nTimeZone=Europe/Berlin\n", 150, true);
    take("OnCalendar=*:*:00/0.5\n", 1, true);
    take("RRule=FREQ=MINUTELY\nFrom=2026-01-01\nTimeZone=Europe/Berlin\n", 60, true);
    /* What it would take too long to count. */
    take("RRule=FREQ=SECONDLY\nFrom=2026-01-01\nAllowEverySecond=yes\n", 4, false);
    take("Cron=* * * * * *\nEvery=1h30s\nAllowEverySecond=yes\n", 20, false);
    for (int c = 0; c < _SLOT_CAUSE_MAX; c++)
        g_assert_cmpint(slot_cause_from_string(slot_cause_to_string((SlotCause)c)), ==, c);
    g_assert_cmpint(slot_cause_from_string("weather"), ==, _SLOT_CAUSE_INVALID);
}

static void test_signals(void)
{
    for (int i = 1; i <= SIGRTMAX; i++) {
        g_autofree char *name = signals_to_string(i);

        g_assert_cmpint(signals_from_string(name), ==, i);
    }
    g_assert_cmpint(signals_from_string("TERM"), ==, SIGTERM);
    g_assert_cmpint(signals_from_string("9"), ==, SIGKILL);
    g_assert_cmpint(signals_from_name("9"), ==, -EINVAL);
    g_assert_cmpint(signals_from_string("SIGRTMAX-1"), ==, SIGRTMAX - 1);
    g_assert_cmpint(signals_from_string("SIGRTMAX+1"), ==, -EINVAL);
    g_assert_cmpint(signals_from_string("0"), ==, -EINVAL);
    g_assert_cmpint(signals_from_string(""), ==, -EINVAL);
    g_assert_cmpint(signals_from_string("SIG"), ==, -EINVAL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/run/names", test_names);
    g_test_add_func("/run/transitions", test_transitions);
    g_test_add_func("/retry/default", test_retry_default);
    g_test_add_func("/retry/words", test_retry_words);
    g_test_add_func("/retry/delay", test_retry_delay);
    g_test_add_func("/schedule/every", test_schedule_every);
    g_test_add_func("/schedule/series", test_schedule_series);
    g_test_add_func("/schedule/at", test_schedule_at);
    g_test_add_func("/schedule/calendar", test_schedule_calendar);
    g_test_add_func("/slots/every", test_slots_every);
    g_test_add_func("/slots/at", test_slots_at);
    g_test_add_func("/slots/calendar", test_slots_calendar);
    g_test_add_func("/slots/catch-up", test_slots_catch_up);
    g_test_add_func("/slots/awake", test_slots_awake);
    g_test_add_func("/slots/deadline", test_slots_deadline);
    g_test_add_func("/slots/by-hand", test_slots_by_hand);
    g_test_add_func("/slots/not-existing", test_slots_not_existing);
    g_test_add_func("/by-hand", test_by_hand);
    g_test_add_func("/slots/all", test_slots_all);
    g_test_add_func("/slots/take", test_slots_take);
    g_test_add_func("/signals/names", test_signals);
    return g_test_run();
}
