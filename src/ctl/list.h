/* Lists in pages, as a table or a JSON array. */
#pragma once

#include "ctl/ctl.h"
#include "ctl/table.h"

typedef struct List {
    const char *method;
    const TableColumn *columns;
    size_t n_columns;
    void (*row)(Table *t, JsonObject *o);
    void (*count)(unsigned long n); /* prints "N things listed" */
} List;

/* limit 0 is all. */
int list_show(Ctl *ctl, const List *list, const ClientFilter *filter, uint64_t limit);
/* A word that is TASK or TASK/SCHEDULE; NULL is all. The task, g_free; *ret_schedule is of the word, NULL if it names none. */
char *list_object(const char *word, const char **ret_schedule);
/* An instant of an option; absent leaves *ret. An exit code. */
int list_instant(Ctl *ctl, const char *option, uint64_t *ret);
/* What several lists take: --since, --until, --limit, --requester. An exit code; requester is g_free. */
int list_options(
    Ctl *ctl, uint64_t *ret_since, uint64_t *ret_until, int64_t *ret_limit, char **ret_requester);
