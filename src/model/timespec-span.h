/* One term of a span ("5min"), for the two files that read spans. */
#pragma once

#include "base/util.h"

typedef enum SpanStep {
    SPAN_FIXED,
    SPAN_DAYS, /* calendar steps where an expression asks for them */
    SPAN_WEEKS,
    SPAN_MONTHS,
    SPAN_YEARS,
} SpanStep;

typedef struct SpanTerm {
    uint64_t usec;  /* number × unit */
    uint64_t whole; /* the number, if it has no fraction */
    bool has_fraction;
    SpanStep step;
} SpanTerm;

/* Reads a number and its unit (none is seconds) with the white space around, and moves *p behind it. -EINVAL,
 * -ERANGE. */
int timespec_next_term(const char **p, SpanTerm *ret);
