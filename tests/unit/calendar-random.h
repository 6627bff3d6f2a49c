/* Random expressions of calendars, for tests. */
#pragma once

#include "base/util.h"

typedef enum Production {
    PRODUCTION_WORD,
    PRODUCTION_WEEKDAY,
    PRODUCTION_WEEKDAY_RANGE,
    PRODUCTION_WEEKDAY_LIST,
    PRODUCTION_YEAR,
    PRODUCTION_MONTH_DAY,
    PRODUCTION_FROM_END,
    PRODUCTION_NO_DATE,
    PRODUCTION_NO_TIME,
    PRODUCTION_NO_SECONDS,
    PRODUCTION_FRACTION,
    PRODUCTION_ANY,
    PRODUCTION_VALUE,
    PRODUCTION_LIST,
    PRODUCTION_RANGE,
    PRODUCTION_STEP,
    PRODUCTION_RANGE_STEP,
    PRODUCTION_UTC,
    PRODUCTION_ZONE,
    PRODUCTION_EPOCH,
    PRODUCTION_MUTATION,
    PRODUCTION_OUT_OF_RANGE,
    _PRODUCTION_MAX,
} Production;

extern const char *const calendar_random_names[_PRODUCTION_MAX];

/* g_free. Notes in used what it was made of. */
char *calendar_random(GRand *chance, bool zones, bool used[_PRODUCTION_MAX]);
/* A seed from the environment, or any; it is printed. */
guint32 calendar_random_seed(void);
/* Is this a run of what another has been through at length? */
bool calendar_random_brief(void);
