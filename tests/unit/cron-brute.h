/* Crontab fields the slow way, for tests. */
#pragma once

#include <stdint.h>

/* The first n moments in UTC behind `after`, in seconds since 1970, at which every field says yes, up to the year 2199; how many
 * there are. The fields are read here anew, each value for itself. -1: they have something that is not known here. */
int cron_brute(const char *text, int64_t after, int64_t *ret, int n);
