/* What the files that read expressions of calendars share among themselves. */
#pragma once

#include "model/calendar-expression.h"

#define CALENDAR_SECOND 1000000

typedef struct CalendarWeekday {
    const char *whole, *abbreviated;
} CalendarWeekday;

extern const CalendarWeekday calendar_weekday_names[7];

/* Sorted, each range once, as far as its steps lead. */
void calendar_expression_normalize(CalendarExpression *e);
/* False with the fault filled where a value or a range cannot be; at what stands in the text. */
bool calendar_expression_check(const CalendarExpression *e, const char *text, CalendarFault *fault);
