/* A short sorted list of slots, searched by halves. */
#include "model/by-hand.h"

static void by_hand_clear(void *entry)
{
    g_free(((ByHand *)entry)->whom);
}

static GArray *by_hand_new(void)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(ByHand));

    g_array_set_clear_func(list, by_hand_clear);
    return list;
}

static bool by_hand_before(const void *entry, const void *from)
{
    return ((const ByHand *)entry)->nominal < *(const uint64_t *)from;
}

/* The index of the first that is not before it; their number if there is none. */
static guint by_hand_index(const GArray *list, uint64_t from)
{
    return util_lower_bound(list, by_hand_before, &from);
}

GArray *by_hand_parse(const char *text)
{
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
    GArray *list = NULL;

    for (char **line = lines; line && *line; line++) {
        char *whom;
        uint64_t nominal = g_ascii_strtoull(*line, &whom, 10);

        by_hand_set(&list, nominal, *whom ? whom + 1 : whom);
    }
    return list;
}

GArray *by_hand_copy(const GArray *list)
{
    GArray *copy = NULL;

    for (guint i = 0; list && i < list->len; i++) {
        const ByHand *h = &g_array_index(list, ByHand, i);

        by_hand_set(&copy, h->nominal, h->whom);
    }
    return copy;
}

const ByHand *by_hand_find(const GArray *list, uint64_t nominal)
{
    guint i = by_hand_index(list, nominal);

    return list && i < list->len && g_array_index(list, ByHand, i).nominal == nominal
               ? &g_array_index(list, ByHand, i)
               : NULL;
}

uint64_t by_hand_next(const GArray *list, uint64_t from)
{
    guint i = by_hand_index(list, from);

    return list && i < list->len ? g_array_index(list, ByHand, i).nominal : UNSET;
}

void by_hand_pass(GArray **list, uint64_t last)
{
    guint n = last != UNSET ? by_hand_index(*list, last + 1) : 0;

    if (n > 0)
        g_array_remove_range(*list, 0, n);
    if (n > 0 && (*list)->len == 0)
        g_clear_pointer(list, g_array_unref);
}

void by_hand_set(GArray **list, uint64_t nominal, const char *whom)
{
    guint i = by_hand_index(*list, nominal);
    ByHand entry = { nominal, g_strdup(whom) };

    if (by_hand_find(*list, nominal))
        g_array_remove_index(*list, i);
    if (whom) {
        *list = *list ? *list : by_hand_new();
        g_array_insert_val(*list, i, entry);
    } else if (*list && (*list)->len == 0) {
        g_clear_pointer(list, g_array_unref);
    }
}
