/* Small things every folder uses: cleanup helpers and time units. */
#pragma once

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#define USEC_PER_MSEC ((uint64_t)1000)
#define USEC_PER_SEC  ((uint64_t)1000000)
#define USEC_INFINITY UINT64_MAX

/* ids of runs and revisions are 1 and up; 0 is "none". Numbers that are not known are UINT64_MAX. */
#define UNSET UINT64_MAX

#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _warn_unused_  __attribute__((warn_unused_result))

/* NOLINTNEXTLINE(bugprone-macro-parentheses): what is declared cannot stand in parentheses. */
#define ARRAY_FOREACH(p, array) for (typeof(&(array)[0]) p = (array); p < (array) + G_N_ELEMENTS(array); p++)

/* Closes *fd unless it is negative; errno is left as it was. */
static inline void util_closep(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

static inline const char *util_strempty(const char *s)
{
    return s ? s : "";
}
