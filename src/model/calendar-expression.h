/* OnCalendar=: calendar events of systemd.time(7), as systemd 257 takes them. */
#pragma once

#include "model/calendar.h"

typedef enum CalendarField {
    CALENDAR_YEAR,
    CALENDAR_MONTH,
    CALENDAR_DAY,
    CALENDAR_HOUR,
    CALENDAR_MINUTE,
    CALENDAR_PART, /* of a minute, in µs */
    _CALENDAR_FIELD_MAX,
} CalendarField;

typedef struct CalendarExpression {
    uint8_t weekdays;                    /* bit 0 is Monday; all of them where none is named */
    bool from_end;                       /* days count from the month's end */
    const Zone *zone;                    /* NULL where none is named */
    GArray *fields[_CALENDAR_FIELD_MAX]; /* of CalendarRange, sorted; NULL is every value; owned */
} CalendarExpression;

/* What is wrong with an expression, and what would be right. */
typedef struct CalendarFault {
    unsigned offset; /* in characters */
    char *message;   /* owned */
} CalendarFault;

/* -EINVAL with *fault filled. Nothing is in *ret then. */
int calendar_expression_parse(const char *text, CalendarExpression *ret, CalendarFault *fault);
void calendar_expression_clear(CalendarExpression *e);
/* The normal form, as systemd writes it; reading that gives the same expression. g_free. */
char *calendar_expression_format(const CalendarExpression *e);
/* Seconds that are not whole, as an expression says them: Calendar.parts. */
void calendar_format_parts(const GArray *parts, GString *s);
/* What it means. */
void calendar_expression_compile(const CalendarExpression *e, Calendar *ret);

void calendar_fault_set(CalendarFault *f, const char *text, const char *at, const char *format, ...)
    _printf_(4, 5);
void calendar_fault_clear(CalendarFault *f);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CalendarExpression, calendar_expression_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CalendarFault, calendar_fault_clear)
