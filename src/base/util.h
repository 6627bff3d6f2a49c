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

/* Whether an item of an array stands before what is looked for. */
typedef bool (*UtilBeforeFn)(const void *item, const void *key);

/* The index of the first item that does not, their number if all do; those that do come first. NULL is no items. */
static inline guint util_lower_bound(const GArray *a, UtilBeforeFn before, const void *key)
{
    guint low = 0, high = a ? a->len : 0;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (before(a->data + (size_t)middle * g_array_get_element_size((GArray *)a), key))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static inline const char *util_strempty(const char *s)
{
    return s ? s : "";
}
