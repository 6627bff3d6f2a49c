/* The nearest word, against a distance that is computed in full. */
#include <string.h>

#include "base/suggest.h"

#define WORD 20

static char lower(const char *s, size_t i)
{
    return g_ascii_tolower(s[i - 1]);
}

/* Letters changed, added, dropped, or swapped with their neighbour, by the book. */
static unsigned distance(const char *a, const char *b)
{
    unsigned d[WORD + 1][WORD + 1];

    for (size_t i = 0; i <= strlen(a); i++)
        for (size_t j = 0; j <= strlen(b); j++) {
            if (i == 0 || j == 0) {
                d[i][j] = (unsigned)(i + j);
                continue;
            }
            d[i][j] = MIN(d[i - 1][j - 1] + (lower(a, i) != lower(b, j)), MIN(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a, i) == lower(b, j - 1) && lower(a, i - 1) == lower(b, j))
                d[i][j] = MIN(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[strlen(a)][strlen(b)];
}

/* Letters by chance, three of four being those of the original, if there is one. */
static void fill(GRand *rand, char *made, size_t length, const char *original)
{
    static const char letters[] = "abC";

    for (size_t i = 0; i < length; i++) {
        made[i] = letters[g_rand_int_range(rand, 0, 3)];
        if (original && i < strlen(original) && g_rand_int_range(rand, 0, 4) > 0)
            made[i] = original[i];
    }
    made[length] = 0;
}

static void test_distance(void)
{
    const char *text = g_getenv("TASKSCHEDD_SEED");
    uint64_t seed = text ? g_ascii_strtoull(text, NULL, 10) : 1;
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)seed);
    unsigned n_near = 0;

    g_test_message("seed %" G_GUINT64_FORMAT, seed);
    for (unsigned n = 0; n < 200000; n++) {
        g_autoptr(GPtrArray) candidates = g_ptr_array_new();
        char word[WORD + 1], mistyped[WORD + 1];
        size_t length = (size_t)g_rand_int_range(rand, 2, 14);
        unsigned limit = length < 4 ? 2 : length < 8 ? 3 : 4;
        bool near;

        fill(rand, word, length, NULL);
        fill(rand, mistyped,
            (size_t)g_rand_int_range(rand, length > 4 ? (gint32)length - 4 : 1, (gint32)length + 5), word);
        g_ptr_array_add(candidates, mistyped);
        near = distance(word, mistyped) < limit;
        n_near += near;
        if (near != (suggest_nearest(word, candidates) != NULL))
            g_error("%s and %s are %u apart", word, mistyped, distance(word, mistyped));
    }
    g_assert_cmpuint(n_near, >, 20000);
    g_assert_cmpuint(n_near, <, 180000);
}

static void test_nearest(void)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    g_autofree char *near = NULL, *far = NULL;

    g_ptr_array_add(known, (char *)"MemoryMax");
    g_ptr_array_add(known, (char *)"MemoryMin");
    g_ptr_array_add(known, (char *)"MemoryHigh");
    g_assert_cmpstr(suggest_nearest("memorymix", known), ==, "MemoryMax");
    g_assert_cmpstr(suggest_nearest("MemroyMin", known), ==, "MemoryMin");
    g_assert_null(suggest_nearest("CPUQuota", known));
    g_assert_null(suggest_nearest("M", known));
    near = suggest_phrase("MemoryHihg", known);
    far = suggest_phrase("", known);
    g_assert_cmpstr(near, ==, ", did you mean 'MemoryHigh'?");
    g_assert_cmpstr(far, ==, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/suggest/distance", test_distance);
    g_test_add_func("/suggest/nearest", test_nearest);
    return g_test_run();
}
