/* timeline: what ran, what is to run and what did not, as lines of signs. */
#include "ctl/timeline.h"

#include <stdio.h>

#include "ctl/output.h"
#include "lib/i18n.h"

#define NAME_WIDTH 24 /* columns of a task's name */
#define WIDTH      80 /* where there is no terminal */
#define SIGNS_MIN  20

static gboolean timeline_widest(gpointer key, gpointer task, gpointer width)
{
    *(unsigned *)width = MAX(*(unsigned *)width, table_width(key));
    return FALSE;
}

static void timeline_put(unsigned width, const char *name, const char *line)
{
    g_autofree char *cut = table_ellipsize(name, width);

    printf("%s%*s %s\n", cut, (int)(width - table_width(cut)), "", line);
}

typedef struct TimelinePrint {
    Timeline *t;
    unsigned width; /* of the names */
} TimelinePrint;

static gboolean timeline_print_task(gpointer key, gpointer task, gpointer data)
{
    const TimelinePrint *p = data;
    g_autofree char *line = NULL;

    if (!timeline_task_shows(task, &p->t->span))
        return FALSE;
    line = timeline_line(task, &p->t->span, p->t->ctl->colours);
    timeline_put(p->width, key, line);
    return FALSE;
}

static void timeline_print(Timeline *t)
{
    Ctl *ctl = t->ctl;
    TimelinePrint p = { .t = t };
    unsigned width = ctl->width > 0 ? ctl->width : WIDTH;
    g_autofree char *hours = NULL;

    g_tree_foreach(t->tasks, timeline_widest, &p.width);
    p.width = MIN(p.width, NAME_WIDTH);
    t->span.columns = width > p.width + 1 + SIGNS_MIN ? width - p.width - 1 : SIGNS_MIN;
    output_pager_open(ctl);
    hours = timeline_hours(&t->span);
    if (ctl->legend)
        timeline_put(p.width, "", hours);
    g_tree_foreach(t->tasks, timeline_print_task, &p);
    if (ctl->legend)
        printf("\n%s\n", _("░ waits  █ runs  ! failed  x did not fire  o is to fire  | now"));
    output_pager_close(ctl);
    timeline_note(t);
}

int timeline_verb(Ctl *ctl)
{
    g_auto(Timeline) t = { 0 };
    int code = timeline_open(ctl, &t);

    if (code != EXITS_OK)
        return code;
    if (ctl->json == CTL_JSON_OFF)
        timeline_print(&t);
    else
        timeline_json(&t);
    return EXITS_OK;
}
