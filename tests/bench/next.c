/* bench-next MSEC: how long it takes to compute the next slot, for common expressions of each kind: for each a line "NS
 * KEYS", in ns of CPU. Each is asked from its last slot on, as the scheduler does, for as long as it has slots before 2100. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/schedule.h"

#define FROM    UINT64_C(1773964800000000) /* 2026-03-20 00:00 UTC */
#define UNTIL   UINT64_C(4102444800000000) /* 2100-01-01 00:00 UTC */
#define AT_ONCE 1000

static const char *const keys[] = {
    "OnCalendar=hourly",
    "OnCalendar=*-*-* 02:30",
    "OnCalendar=*-*-* 02:30\nTimeZone=Europe/Berlin",
    "OnCalendar=Mon..Fri *-*-* 18:30\nTimeZone=America/New_York",
    "OnCalendar=*-*-1/7 00:00\nTimeZone=Asia/Kolkata",
    "OnCalendar=*-*~01 23:00\nTimeZone=UTC",
    "OnCalendar=*:0/15",
    "Cron=30 2 * * *",
    "Cron=*/5 * * * 1-5\nTimeZone=Europe/Berlin",
    "Cron=0 4 1,15 * 1\nTimeZone=Europe/Berlin",
    "RRule=FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE\nFrom=2026-01-05 09:00\nTimeZone=Europe/Berlin",
    "RRule=FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1\nFrom=2026-01-05 09:00\nTimeZone=Europe/Berlin",
    "Every=15min",
};

static uint64_t cpu_nsec(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static Task *parse(const char *schedule)
{
    g_autofree char *text = g_strdup_printf("[Service]\nExecStart=/bin/true\n[Schedule s]\n%s\n", schedule);
    TaskSource source = { (char *)"t.task", text, strlen(text) };
    g_autoptr(GPtrArray) diags = diag_list_new();
    Task *task = NULL;

    if (task_parse("t", &source, 1, diags, &task) < 0) {
        g_autofree char *why = diag_list_to_text(diags);

        fprintf(stderr, "%s: %s\n", schedule, why);
        exit(1);
    }
    return task;
}

int main(int argc, char **argv)
{
    uint64_t limit = argc == 2 ? strtoull(argv[1], NULL, 10) * 1000000 : 0;

    if (limit == 0) {
        fprintf(stderr, "usage: bench-next MSEC\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        g_autoptr(Task) task = parse(keys[i]);
        const Schedule *s = g_ptr_array_index(task->schedules, 0);
        g_auto(GStrv) lines = g_strsplit(keys[i], "\n", -1);
        g_autofree char *line = g_strjoinv(" ", lines);
        uint64_t begin, took, n = 0, at = FROM;

        schedule_next(s, at); /* the zone is read */
        begin = cpu_nsec();
        do {
            for (unsigned k = 0; k < AT_ONCE; k++, n++) {
                at = schedule_next(s, at);
                if (at >= UNTIL)
                    at = FROM;
            }
            took = cpu_nsec() - begin;
        } while (took < limit);
        printf("%.1f %s\n", (double)took / (double)n, line);
    }
    return 0;
}
