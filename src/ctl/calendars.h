/* Calendars as the daemon has them. */
#pragma once

#include "ctl/ctl.h"

/* Adds to into (of TaskSource*) the sources of all calendars, where one of a definition's may name one: it is read with
 * them. */
int calendars_fetch(Ctl *ctl, const GPtrArray *sources, GPtrArray *into, ClientError *e);
