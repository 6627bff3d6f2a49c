/* What the files that read zones share among themselves. */
#pragma once

#include "base/zone.h"

/* Ends the spans at hand with what a rule says from `from` on. -EINVAL: it is none, nothing was added. */
int zone_rule_extend(const char *rule, int64_t from, GArray *spans);
/* Puts a span at the end; one that begins with the last replaces it, one with its offset adds nothing. */
void zone_spans_add(GArray *spans, int64_t start, int32_t offset);
