/* The fields of a crontab read the way cron does it, and looked at minute by minute: what an imported Cron= is compared
 * with. It shares no line with model/cron.c, on purpose. */
#pragma once

#include "ctl/import.h"

/* The five fields at the start of text; *ret_rest is what stands behind them. -EINVAL with *ret_message, a sentence
 * (g_free). A word like "@daily" stands for all five; -ENOENT: it is "@reboot". */
int import_fields_read(const char *text, ImportFields *ret, const char **ret_rest, char **ret_message);
/* When cron fires them, real µs, ascending, between from (exclusive) and until. */
GArray *import_fields_times(const ImportFields *f, const Zone *zone, uint64_t from, uint64_t until);
