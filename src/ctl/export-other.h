/* A task written for other schedulers, as far as they can say it. Pure, but for the system's time zone. */
#pragma once

#include "ctl/export.h"
#include "ctl/import.h"

typedef struct ExportOther {
    const Task *task;
    Import *notes;   /* what could not be said, and why; "TASK/SCHEDULE" stands for the file */
    uint64_t now;    /* real µs */
    bool user;       /* of the instance of a user: nothing says who */
    guint n_refused; /* schedules that are not written */
    guint n_other;   /* that are, and do not always fire at the same times there */
    GHashTable
        *leaked; /* names of variables that lines before have set in the same crontab; NULL: there are none */
} ExportOther;

/* Lines of a crontab, with the variables they need above them; a column for the user unless it is the user's own. */
void export_crontab(ExportOther *o, GString *out);
/* A timer and a service for each schedule; of ExportFile*, see export.h. */
void export_timer(ExportOther *o, GPtrArray *files);

/* "TASK/SCHEDULE"; g_free. */
char *export_other_name(const ExportOther *o, const Schedule *s);
void export_other_refuse(ExportOther *o, const Schedule *s, const char *remedy, const char *message);
/* The command for the inputs that the schedule gives; false, with a note, where it depends on when it is run. */
bool export_other_command(ExportOther *o, const Schedule *s, char **ret_path, GPtrArray **ret_argv);
/* Notes on what [Task] and [Schedule] say and others have not; kept: keys that they have. */
void export_other_tell(ExportOther *o, const char *const *kept);
/* Whether a schedule says more than calendars, intervals and instants. */
bool export_other_has_rules(const Schedule *s);
/* Whether some years only count. */
bool export_other_has_years(const Calendar *c);
/* The task's times for a year, real µs. */
GArray *export_other_times(const ExportOther *o, const Schedule *s);
