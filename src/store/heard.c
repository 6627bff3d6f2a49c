/* What nodes tell one another beside the facts: that there are new ones. The words are those of data/schema; one that is not known, of a
 * later version, is passed by. */
#include "store/op.h"
#include "store/store-internal.h"

#include <string.h>

/* Notifications that are kept while the node comes up. Where there are more it begins anew. */
#define EARLY_MAX 1000u

/* --- hearing */

static bool heard_read_run(const char *text, StoreHeard *ret)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", 3);

    if (g_strv_length(parts) != 3 || !g_ascii_string_to_unsigned(parts[0], 10, 1, INT64_MAX, &ret->run, NULL))
        return false;
    ret->state = run_state_from_string(parts[1]);
    ret->result = run_result_from_string(parts[2]);
    return ret->state >= 0 && ret->result >= 0;
}

static bool heard_read(const char *word, StoreHeard *ret)
{
    switch (*word) {
    case 't':
        *ret = (StoreHeard){ .kind = STORE_HEARD_TASK, .task = word + 1 };
        return word[1] != '\0';
    case 'r':
        *ret = (StoreHeard){ .kind = STORE_HEARD_RUN };
        return heard_read_run(word + 1, ret);
    case 'd':
        *ret = (StoreHeard){ .kind = STORE_HEARD_DUE };
        return g_ascii_string_to_unsigned(word + 1, 10, 0, INT64_MAX, &ret->due, NULL);
    case 'b':
        *ret = (StoreHeard){ .kind = STORE_HEARD_BOOT };
        return word[1] == '\0';
    }
    return false;
}

static void heard_tell_words(const Store *s, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (char **word = words; *word; word++) {
        StoreHeard heard;

        if (heard_read(*word, &heard))
            s->heard(&heard, s->userdata);
    }
}

void heard_take(Store *s, const char *words)
{
    if (s->state == STORE_UP)
        heard_tell_words(s, words);
    else if (g_queue_get_length(&s->early) < EARLY_MAX)
        g_queue_push_tail(&s->early, g_strdup(words));
    else
        store_disconnect(s, STORE_CONNECTING, "other nodes change more than can be read meanwhile");
}

void heard_release(Store *s)
{
    char *words;

    while ((words = g_queue_pop_head(&s->early))) {
        heard_tell_words(s, words);
        g_free(words);
    }
}

void heard_forget(Store *s)
{
    g_queue_clear_full(&s->early, g_free);
}

/* --- telling */

/* Runs come to wait, or to be queued, or do not any more. */
static bool heard_moves_runs(OpKind kind)
{
    return kind == OP_BACKFILL || kind == OP_ASK || kind == OP_REQUEUE || kind == OP_CANCEL ||
           kind == OP_END || kind == OP_CLAIM;
}

bool heard_tell(const GPtrArray *ops, char **ret_tasks, bool *ret_dues)
{
    g_autoptr(GPtrArray) tasks = g_ptr_array_new();
    bool tells = false;

    *ret_dues = false;
    for (guint i = 0; i < ops->len; i++) {
        const Op *op = g_ptr_array_index(ops, i);

        /* Each of these says first which task it is about. */
        if (op->kind <= OP_BY_HAND)
            g_ptr_array_add(tasks, op->values[0]);
        *ret_dues = *ret_dues || heard_moves_runs(op->kind);
        tells = tells || op->kind == OP_MISSED;
    }
    tells = tells || tasks->len > 0 || *ret_dues;
    g_ptr_array_add(tasks, NULL);
    *ret_tasks = tells ? op_array_of((const char *const *)tasks->pdata) : NULL;
    return tells;
}
