/* The timeline as a picture. Pure, but for the zone of local times and the language. */
#pragma once

#include "ctl/timeline.h"

/* An SVG document that needs nothing else; tasks as in a Timeline; g_free. */
char *plot_svg(GTree *tasks, const TimelineSpan *span);
