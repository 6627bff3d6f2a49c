/* "Did you mean": the known word that is nearest to a mistyped one. */
#pragma once

#include "base/util.h"

/* candidates: of const char*; the result is one of them, NULL where none is near. */
const char *suggest_nearest(const char *word, const GPtrArray *candidates);
/* ", did you mean 'X'?" or "", g_free. Long or strange words get "". */
char *suggest_phrase(const char *word, const GPtrArray *candidates);
