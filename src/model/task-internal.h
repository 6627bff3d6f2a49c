/* What the files that read a definition share among themselves. */
#pragma once

#include "model/task-file.h"
#include "model/task.h"

typedef struct TaskSection TaskSection;

/* A definition while it is read. */
typedef struct TaskParser {
    Task *task;
    DiagList *diags;
    GPtrArray *files;  /* of GPtrArray* of TaskFileItem*: kept until the end, other fields point into them */
    GHashTable *seen;  /* what the current file has set: "section\nkey"; owned strings */
    GHashTable *where; /* "section\nkey" → the TaskFileItem that set it last; owned strings */
    GPtrArray *schedule_items;   /* of TaskFileItem*: header of each of task->schedules */
    const TaskFileItem *service; /* the first [Service] header */
    const TaskFileItem *command; /* ExecStart= */
    const TaskSection *section;  /* of the line being read; NULL: unknown, its lines are passed over */
    const TaskFileItem *header;  /* its header; NULL before the first of a file */
    char *scope;                 /* what its keys are noted under: its name, "Schedule NAME"; owned */
    Schedule *schedule;          /* where the section is one */
    GArray *later;               /* of TaskLater: what is read only once all of its section is known */
} TaskParser;

typedef struct TaskLater {
    const Schedule *schedule;
    const TaskFileItem *item;
} TaskLater;

Task *task_new(const char *name);

/* A fault at the value of an assignment, offset characters into it, or at its key. */
void task_parser_value_fault(
    TaskParser *p, const TaskFileItem *item, unsigned offset, const char *format, ...) _printf_(4, 5);
void task_parser_key_fault(TaskParser *p, const TaskFileItem *item, const char *format, ...) _printf_(3, 4);
/* Notes that the file sets this; false, with the fault reported, where it did so before and it is no list. */
bool task_parser_claim(TaskParser *p, const TaskFileItem *item, bool list);
/* Takes "did you mean" from these names. */
void task_parser_unknown(TaskParser *p, const TaskFileItem *item, const char *what, const GPtrArray *names);
/* The item that set a key last, NULL if none did or it was reset. */
const TaskFileItem *task_parser_where(TaskParser *p, const char *section, const char *key);

/* One assignment each; the value may be empty, which resets. */
void task_keys_task(TaskParser *p, const TaskFileItem *item);
void task_keys_schedule(TaskParser *p, const TaskFileItem *item);
void task_keys_service(TaskParser *p, const TaskFileItem *item);
/* Of [Schedule], what speaks of calendars; field as the table of its keys says. */
void schedule_keys_set_calendar(TaskParser *p, const TaskFileItem *item, void *field);
void schedule_keys_set_cron(TaskParser *p, const TaskFileItem *item, void *field);
void schedule_keys_set_flag(TaskParser *p, const TaskFileItem *item, void *field);
void schedule_keys_set_zone(TaskParser *p, const TaskFileItem *item, void *field);
void schedule_keys_set_catch_up(TaskParser *p, const TaskFileItem *item, void *field);
void schedule_keys_set_within(TaskParser *p, const TaskFileItem *item, void *field);
void schedule_keys_set_never(TaskParser *p, const TaskFileItem *item, void *field);
void schedule_keys_check_window(
    TaskParser *p, const Schedule *s, const char *scope, const TaskFileItem *header);
/* With what is excluded for all schedules of the task, and of the node. */
void schedule_keys_join_window(TaskParser *p, Schedule *s, const TaskFileItem *header);
void schedule_keys_set_on_excluded(TaskParser *p, const TaskFileItem *item, void *field);
void schedule_keys_set_dst(TaskParser *p, const TaskFileItem *item, void *field);
void schedule_keys_check(TaskParser *p, const Schedule *s, const char *scope);
/* Of it, what speaks of instants and is in the schedule's zone: TimeZone= may stand behind it. */
void schedule_dates_set(TaskParser *p, const TaskFileItem *item, void *field);
void schedule_dates_set_single(TaskParser *p, const TaskFileItem *item, void *field);
/* Reads all that; has to come before anything is asked of the schedule. */
void schedule_dates_read(TaskParser *p, Schedule *s, const char *scope);
/* Is there anything within these bounds? */
void schedule_dates_check(TaskParser *p, const Schedule *s, const char *scope);
/* follow.c: what happens before a schedule has a time. */
void follow_set_every_from(TaskParser *p, const TaskFileItem *item, void *field);
/* A value of Cron=: it is taken here. */
bool follow_set_boot_key(TaskParser *p, const TaskFileItem *item);
void follow_set_after_key(TaskParser *p, const TaskFileItem *item, void *field);
void follow_check(TaskParser *p, const Schedule *s, const char *scope);
/* What can be judged only once every file was read. */
void task_keys_check_task(TaskParser *p);
void task_keys_check_service(TaskParser *p);
void task_keys_check_schedules(TaskParser *p);
