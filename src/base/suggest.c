/* Nearness of words: the number of letters changed, added, dropped or swapped, case aside. */
#include <string.h>

#include "base/suggest.h"

#define SUGGEST_WORD_MAX 64

/* Or limit, where it is that or more, as it is for any two parts whose lengths differ by so many: only what lies near the
 * diagonal is looked at. */
static unsigned suggest_distance(const char *a, const char *b, unsigned limit)
{
    size_t n = strlen(a), m = strlen(b);
    unsigned row[3][SUGGEST_WORD_MAX + 1] = { 0 };
    unsigned *before = row[0], *previous = row[1], *current = row[2], least = 0, last = 0;

    for (size_t j = 0; j <= m; j++)
        previous[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        size_t from = i >= limit ? i - limit + 1 : 1, to = MIN(m, i + limit - 1);
        unsigned *spare = before;

        /* No way to the end is shorter than what two rows have. */
        if (MIN(least, last) >= limit)
            return limit;
        last = least;
        least = current[from - 1] = from == 1 ? (unsigned)i : limit;
        for (size_t j = from; j <= to; j++) {
            char x = g_ascii_tolower(a[i - 1]), y = g_ascii_tolower(b[j - 1]);
            unsigned d = previous[j - 1] + (x != y);

            d = MIN(d, MIN(previous[j], current[j - 1]) + 1);
            if (i > 1 && j > 1 && x == g_ascii_tolower(b[j - 2]) && g_ascii_tolower(a[i - 2]) == y)
                d = MIN(d, before[j - 2] + 1);
            current[j] = d;
            least = MIN(least, d);
        }
        if (to < m)
            current[to + 1] = limit;
        before = previous;
        previous = current;
        current = spare;
    }
    return previous[m];
}

const char *suggest_nearest(const char *word, const GPtrArray *candidates)
{
    size_t length = strlen(word);
    unsigned best = length < 4 ? 2 : length < 8 ? 3 : 4; /* what is this far away is another word */
    const char *nearest = NULL;

    if (length < 2 || length > SUGGEST_WORD_MAX)
        return NULL;
    for (guint i = 0; i < candidates->len; i++) {
        const char *c = g_ptr_array_index(candidates, i);
        unsigned d;

        if (strlen(c) > SUGGEST_WORD_MAX || strlen(c) >= length + best || length >= strlen(c) + best)
            continue;
        d = suggest_distance(word, c, best);
        if (d < best) {
            best = d;
            nearest = c;
        }
    }
    return nearest;
}

char *suggest_phrase(const char *word, const GPtrArray *candidates)
{
    const char *nearest = suggest_nearest(word, candidates);

    return nearest ? g_strdup_printf(", did you mean '%s'?", nearest) : g_strdup("");
}
