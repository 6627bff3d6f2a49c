/* plot: the timeline as SVG on standard output. */
#include "ctl/plot.h"

#include <stdio.h>

#include "ctl/output.h"

int plot_verb(Ctl *ctl)
{
    g_auto(Timeline) t = { 0 };
    g_autofree char *svg = NULL;
    int code = timeline_open(ctl, &t);

    if (code != EXITS_OK)
        return code;
    if (ctl->json != CTL_JSON_OFF) {
        timeline_json(&t);
        return EXITS_OK;
    }
    svg = plot_svg(t.tasks, &t.span);
    fputs(svg, stdout);
    timeline_note(&t);
    return EXITS_OK;
}
