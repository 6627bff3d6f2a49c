/* What the twin of the database has of slots that are skipped by hand. */
#include "sim.h"

#include <string.h>

#include "store/op.h"

void schedule_row_free(void *row)
{
    ScheduleRow *s = row;

    if (s->by_hand)
        g_array_unref(s->by_hand);
    if (s->answered)
        g_array_unref(s->answered);
    if (s->ends)
        g_array_unref(s->ends);
    if (s->seen)
        g_array_unref(s->seen);
    g_free(s);
}

char *database_by_hand_text(const GArray *list)
{
    GString *text = list ? g_string_new(NULL) : NULL;

    for (guint i = 0; list && i < list->len; i++) {
        const ByHand *h = &g_array_index(list, ByHand, i);

        g_string_append_printf(text, "%s%" G_GUINT64_FORMAT " %s", i > 0 ? "\n" : "", h->nominal, h->whom);
    }
    return text ? g_string_free(text, FALSE) : NULL;
}

/* They are skipped by hand as far as they are said to be. */
bool database_is_by_hand(const ScheduleRow *s, const DbOp *op)
{
    return op->flag ? by_hand_find(s->by_hand, op->nominal) != NULL
                    : by_hand_next(s->by_hand, op->first) > op->nominal;
}

/* What the ledger says of a slot that has its outcome. */
static void slot_is_late(const ScheduleRow *s, DbOp *op)
{
    g_autofree char *name = g_strdup_printf("%s/%s", s->task, s->name);

    for (guint i = 0; i < database.slots->len; i++) {
        const SlotRow *slot = g_ptr_array_index(database.slots, i);

        if (strcmp(slot->schedule, name) != 0 || op->nominal < slot->first || op->nominal > slot->last)
            continue;
        op->slot.run = slot->run > 0 ? slot->run : UNSET;
        op->slot.cause = slot->run > 0 ? "" : slot->by_hand ? "by-hand" : "host-down";
    }
    op->r = STORE_BY_HAND_LATE;
}

void database_apply_by_hand(DbOp *op)
{
    ScheduleRow *s = database_schedule(op->task, op->name);
    const TaskRow *t = database_task(op->task);
    const char *whom = *op->requester ? op->requester : NULL;

    op->r = STORE_BY_HAND_DONE;
    if (!s || !t || t->deleted || t->revision != op->revision)
        op->r = -ENOENT;
    else if (s->last_nominal != UNSET && s->last_nominal >= op->nominal)
        slot_is_late(s, op);
    else if (!whom)
        by_hand_set(&s->by_hand, op->nominal, NULL);
    else if (s->by_hand && s->by_hand->len >= op->count && !by_hand_find(s->by_hand, op->nominal))
        op->r = STORE_BY_HAND_FULL;
    else if (!by_hand_find(s->by_hand, op->nominal))
        by_hand_set(&s->by_hand, op->nominal, whom);
    sim_trace("by hand", op->nominal, whom != NULL, (uint64_t)op->r);
}

/* --- the daemon's end --- */

static void answer_by_hand(DbOp *op)
{
    ((StoreByHandFn)op->fn)(op->r, &op->slot, NULL, op->userdata);
}

int store_by_hand(Store *s, const StoreByHand *h, StoreByHandFn fn, void *userdata)
{
    DbOp *op = db_op_new(OP_BY_HAND, (void (*)(void))fn, userdata);

    op->answer = answer_by_hand;
    op->slot = (StoreByHandSlot){ UNSET, "" };
    g_strlcpy(op->task, h->task, sizeof op->task);
    g_strlcpy(op->name, h->schedule, sizeof op->name);
    g_strlcpy(op->requester, util_strempty(h->whom), sizeof op->requester);
    op->revision = h->revision;
    op->nominal = h->nominal;
    op->count = h->max;
    return store_twin_send(op);
}
