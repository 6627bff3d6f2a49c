/* The Gregorian calendar, for years from 1970 on: days are counted from the epoch. */
#pragma once

#include "base/util.h"

typedef struct CivilDate {
    int year, month, day; /* from 1 */
} CivilDate;

static inline bool civil_is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline int civil_month_length(int year, int month)
{
    static const uint8_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return lengths[month - 1] + (month == 2 && civil_is_leap(year));
}

/* Days before a date. Years are taken to begin in March: then a leap day is the last of its year. */
static inline int64_t civil_to_days(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;

    return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static inline CivilDate civil_from_days(int64_t days)
{
    uint32_t n = (uint32_t)(days + 719468), century = (4 * n + 3) / 146097;
    uint32_t in_century = n - century * 146097 / 4, y = (4 * in_century + 3) / 1461;
    uint32_t in_year = in_century - y * 1461 / 4, m = (5 * in_year + 2) / 153;

    return (CivilDate){
        .year = (int)(century * 100 + y) + (m >= 10),
        .month = (int)(m < 10 ? m + 3 : m - 9),
        .day = (int)(in_year - (m * 153 + 2) / 5) + 1,
    };
}

/* 0 is Monday. */
static inline int civil_weekday(int64_t days)
{
    return (int)((days + 3) % 7);
}
