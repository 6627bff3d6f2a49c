/* A task: the parsed form of a definition. Immutable once made, shared by reference. */
#pragma once

#include <json-glib/json-glib.h>

#include "base/error.h"
#include "model/calendar.h"
#include "model/diag.h"
#include "model/recurrence.h"
#include "model/run.h"

/* One file of a definition: the task file first, then its drop-ins in their order, then those of the calendars that its schedules
 * name, so that a definition means the same wherever it is read. */
typedef struct TaskSource {
    char *path;
    char *text; /* NUL-terminated; length says more, a file may hold NUL (a fault) */
    size_t length;
    char *calendar; /* the calendar that it is of; NULL: the task's own */
} TaskSource;

/* One assignment of [Service], in the order written; an empty value resets a list. */
typedef struct TaskSetting {
    char *key;
    char *value;
    const char *file; /* borrowed from the task */
    unsigned line;    /* of the key */
    unsigned column;
    unsigned value_line;
    unsigned value_column;
} TaskSetting;

typedef enum InputType {
    INPUT_STRING,
    INPUT_INTEGER,
    INPUT_NUMBER,
    INPUT_BOOLEAN,
    INPUT_DATETIME, /* in JSON an RFC 3339 string */
    INPUT_DURATION, /* in JSON an integer of µs */
    INPUT_FILE,     /* in JSON, as stored, a base64 string of the content */
    INPUT_JSON,
    _INPUT_TYPE_MAX,
    _INPUT_TYPE_INVALID = -EINVAL,
} InputType;

typedef struct InputSpec InputSpec; /* one line of [Input] or [Output]; see model/input.h */

typedef enum RetryDelay {
    RETRY_CONSTANT,
    RETRY_EXPONENTIAL,
} RetryDelay;

typedef struct RetryPolicy {
    unsigned retries;        /* attempts after the first; 0 is none */
    uint64_t delay_usec;     /* before the first retry */
    RetryDelay backoff;      /* exponential doubles it each time */
    uint64_t delay_max_usec; /* cap, USEC_INFINITY is none */
    double jitter;           /* 0..1: the delay is drawn from ±jitter around it */
    GPtrArray *retry_on; /* of char*: result names, exit statuses, signal names; NULL is any failure but lost,
                            cancelled, skipped */
    GPtrArray *no_retry_on; /* likewise; wins */
} RetryPolicy;

typedef struct ScheduleCalendar {
    Calendar calendar;
    const Zone *zone; /* named in the expression; NULL: the schedule's */
    bool cron;        /* of Cron=, else of OnCalendar= */
    bool drawn;       /* some of it is drawn from the names of task and schedule ("~") */
} ScheduleCalendar;

/* What ExDate= takes away, in µs of the local clock, both ends with it. */
typedef struct ScheduleExcluded {
    int64_t from, to;
} ScheduleExcluded;

/* What is done with slots that are outside of the schedule's window. */
typedef enum OnExcluded {
    ON_EXCLUDED_SKIP,
    ON_EXCLUDED_NEXT,
    ON_EXCLUDED_PREVIOUS,
    _ON_EXCLUDED_MAX,
} OnExcluded;

typedef struct Almanac Almanac; /* see model/almanac.h */
typedef struct AlmanacSet AlmanacSet;

/* What is done with slots that passed. */
typedef enum CatchUp {
    CATCH_UP_DEFAULT, /* as the kind of schedule wants it */
    CATCH_UP_NONE,
    CATCH_UP_LAST,
    CATCH_UP_ALL,
    _CATCH_UP_MAX,
} CatchUp;

typedef struct Schedule {
    char *name;   /* of [Schedule NAME]; "default" for a bare [Schedule] */
    bool enabled; /* Enabled=, as defined; SetEnabled() may say otherwise, in the database */
    GArray *at;   /* of uint64_t, real µs, ascending; At= */
    GArray *
        at_changes; /* of int64_t, µs of the local clock, ascending: those of At= that it shows never or twice; NULL is none */
    uint64_t every_usec;           /* Every=; 0 is none */
    bool from_finish;              /* EveryFrom=finish; see model/follow.h */
    bool at_boot;                  /* Cron=@reboot; likewise, the boot that is known of stands in at */
    char *after;                   /* AfterTask=: "TASK RESULT"; likewise, in at stand ends; NULL is none */
    uint64_t anchor_usec;          /* EveryFrom=: the first slot that is known; UNSET: a run ends first */
    uint64_t from_usec;            /* From=: no slot before it, and the anchor of Every=; 0 is the epoch */
    uint64_t until_usec;           /* Until=: no slot after it; 0 is none */
    uint64_t max_runs;             /* MaxRuns=: so many slots are fired; 0 is no limit */
    uint64_t jitter_usec;          /* Jitter=; 0 is none */
    bool jitter_fixed;             /* FixedJitter= */
    GPtrArray *calendars;          /* of ScheduleCalendar*, owned; OnCalendar=, Cron=; NULL is none */
    GPtrArray *rules;              /* of Recurrence*, owned; RRule=; likewise */
    GArray *dates;                 /* of int64_t, µs of the local clock, ascending; RDate=; likewise */
    GArray *excluded;              /* of ScheduleExcluded, ascending; ExDate=; likewise */
    const Zone *zone;              /* TimeZone=; NULL is the system's */
    CalendarGap gap;               /* DST= */
    CalendarFold fold;             /* likewise */
    bool every_second;             /* AllowEverySecond= */
    Almanac *window;               /* Calendar=, NotCalendar=: where slots fire; NULL: anywhere; owned */
    OnExcluded on_excluded;        /* OnExcluded= */
    bool stop_outside;             /* StopOutside=: its runs end with the window */
    bool in_maintenance;           /* DuringMaintenance=: the calendar of that name is not for it */
    CatchUp catch_up;              /* CatchUp= */
    uint64_t catch_up_window_usec; /* CatchUpWindow=; 0 is a day */
    uint64_t start_deadline_usec;  /* StartDeadline=; 0 is none */
    GHashTable *inputs;            /* Input.NAME=VALUE: name → raw text, as on the command line */
} Schedule;

/* What becomes of a run for which there is no place. */
typedef enum Overlap {
    OVERLAP_ALLOW, /* it waits, where MaxConcurrent= says so */
    OVERLAP_SKIP,
    OVERLAP_QUEUE,
    OVERLAP_QUEUE_ONE,
    OVERLAP_CANCEL_OLD,
    _OVERLAP_MAX,
    _OVERLAP_INVALID = -EINVAL,
} Overlap;

typedef struct Task {
    gint refs;
    char *name;
    GPtrArray *sources;          /* of TaskSource*, owned */
    char *description;           /* "" where there is none */
    char *queue;                 /* "default" */
    int priority;                /* -1000 … 1000, higher first */
    uint64_t history_age_usec;   /* HistoryMaxAge=: USEC_INFINITY is for ever, 0 the daemon's */
    uint64_t history_runs;       /* HistoryMaxRuns=: 0 is no limit of its own */
    bool enabled;                /* [Task] has no such key; kept for symmetry with schedules: true */
    uint64_t max_concurrent;     /* MaxConcurrent=: 0 is no limit of its own; see task_places() */
    Overlap overlap;             /* Overlap= */
    uint64_t expect_every_usec;  /* ExpectEvery=: 0 is none */
    uint64_t expect_within_usec; /* ExpectWithin=: likewise */
    char *on_missed;             /* OnMissed=: a task's name; "" is none */
    Almanac *window;             /* NotCalendar=: where none of its schedules fires; NULL: none; owned */
    RetryPolicy retry;
    uint64_t timeout_usec;         /* USEC_INFINITY is none */
    uint64_t timeout_warning_usec; /* how long before the limit; 0 is none */
    int timeout_warning_signal;    /* default SIGUSR1 */
    uint64_t stop_usec;         /* TimeoutStopSec=: the grace between KillSignal= and SIGKILL; default 90 s */
    int kill_signal;            /* KillSignal=, default SIGTERM */
    bool kill_mixed;            /* KillMode=mixed */
    bool own_runtime_directory; /* RuntimeDirectory= is among the settings */
    bool own_runtime_preserve;  /* RuntimeDirectoryPreserve= is among the settings */
    GPtrArray *success_status;  /* of char*: words of SuccessExitStatus= */
    bool has_input;             /* an [Input] section stands there, be it empty */
    bool has_output;
    GPtrArray *inputs;      /* of InputSpec*, in their order */
    GPtrArray *outputs;     /* of InputSpec* */
    GPtrArray *command;     /* of CommandWord*, see model/command.h; the program's path first */
    unsigned command_flags; /* CommandFlags: the prefixes - : + ! !! @ */
    GPtrArray *settings;    /* of TaskSetting*: [Service] but for ExecStart= */
    GPtrArray *schedules;   /* of Schedule* */
    AlmanacSet *calendars;  /* that were read, which windows of schedules refer to; owned, may be NULL */
} Task;

/* [A-Za-z0-9][A-Za-z0-9_.-]{0,63} */
bool task_name_is_valid(const char *name);
/* The errors that say that there is none of that name, which may be any text: -ENOENT. */
int task_missing(Error *error, const char *task);
int task_schedule_missing(Error *error, const char *task, const char *schedule);

/* Parses a definition. Every fault of every source goes into diags; on any fault -EINVAL and no task. sources
 * is copied; those of calendars may be any, and the ones that are named are kept. [Service] keys are only split here, judged by exec (core/definition.c puts both together), which
 * also reports bad values of those whose meaning is taken from them (KillSignal=, TimeoutStopSec= …): here
 * the default stays. Instants (At=, From=) name a date, so that reading again gives the same. */
int task_parse(const char *name, const TaskSource *sources, size_t n, DiagList *diags, Task **ret);
/* Likewise, but a faulty definition is returned as far as it could be read: to be judged further, so that all
 * its faults are told at once, and never to be put in force. */
Task *task_read(const char *name, const TaskSource *sources, size_t n, DiagList *diags);
Task *task_ref(Task *t);
void task_unref(Task *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Task, task_unref)

/* How many of its sources are its own; they come first. */
guint task_own_sources(const Task *t);
TaskSource *task_source_new(const char *path, const char *text, size_t length);
void task_source_free(TaskSource *s);

/* As `systemctl cat` shows: each source under a line "# PATH"; g_free. */
char *task_cat(const Task *t);
/* Sources as JSON [{"Path":…,"Text":…,"Calendar":…}] and back, as the database keeps a definition. */
char *task_sources_to_json(const Task *t);
char *task_sources_list_to_json(const GPtrArray *sources);
int task_sources_from_json(const char *json, GPtrArray **ret_sources);
const char *overlap_to_string(Overlap o);
Overlap overlap_from_string(const char *s);
/* How many runs of it are under way at once; 0: however many. */
unsigned task_places(const Task *t);
/* To succeed every so often. */
bool task_is_expected(const Task *t);
/* Nothing in its settings says what becomes of directories in /run: that of an attempt's output stays until it is released. */
bool task_keeps_directory(const Task *t);
const Schedule *task_find_schedule(const Task *t, const char *name);
