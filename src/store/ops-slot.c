/* The ledger, read back page by page. It is written by what fires and skips: see ops-ask.c and ops-task.c. */
#include "store/row.h"
#include "store/store-internal.h"

#define LIST_MAX 1000u

static void list_slots_answer(Op *op, const OpAnswer *a)
{
    StoreSlotsFn fn = (StoreSlotsFn)op->fn;
    g_autoptr(GPtrArray) slots = NULL;

    if (a->r >= 0)
        slots = row_slots(a->res);
    fn(a->r, slots, a->error, op->userdata);
}

const OpInfo op_list_slots = { .name = "list_slots", .answer = list_slots_answer };

/* What holds of all rows that are listed. Where it can only be one that has a cause that is said in the words of the index. */
static char *list_slots_where(Op *op, const StoreSlotFilter *f)
{
    GString *sql = g_string_new(NULL);
    if (f->task)
        op_where(op, sql, "l.task = ", "", f->task);
    if (f->schedule)
        op_where(op, sql, "l.schedule = ", "", f->schedule);
    if (f->outcome)
        op_where(op, sql, "l.outcome = ", "", f->outcome);
    if (f->outcome && g_str_equal(f->outcome, "skipped"))
        g_string_append(sql, " AND l.outcome = 'skipped'");
    if (f->cause) {
        g_string_append(sql, " AND (l.outcome = 'skipped' OR l.cause <> '')");
        op_where(op, sql, "l.cause = ", "", f->cause);
    }
    if (f->since)
        op_where_u64(op, sql, "l.nominal >= usec_to_time(", "::bigint)", f->since);
    if (f->before > 0) {
        g_autofree char *before = g_strdup_printf(
            "(l.nominal, l.task, l.schedule) < (usec_to_time(%" G_GUINT64_FORMAT "), ", f->before);

        op_where(op, sql, before, "", f->before_task);
        g_string_append(sql, ", ");
        op_set_text(op, op->n_values++, f->before_schedule);
        g_string_append_printf(sql, "$%u)", op->n_values);
    }
    return g_string_free(sql, FALSE);
}

/* Of several slots in one row the first may be until then, and the last not: of a schedule that is one row, so there are
 * few, and they are found apart, since the order of the index is that of the last. */
int store_list_slots(Store *s, const StoreSlotFilter *f, StoreSlotsFn fn, void *userdata)
{
    Op *op = op_new(OP_LIST_SLOTS, (OpFn)fn, userdata);
    g_autofree char *where = list_slots_where(op, f), *order = NULL;

    order = g_strdup_printf(
        " ORDER BY l.nominal DESC, l.task DESC, l.schedule DESC LIMIT %u", CLAMP(f->limit, 1, LIST_MAX));
    if (f->until) {
        g_autofree char *until = g_strdup_printf("usec_to_time(%" G_GUINT64_FORMAT ")", f->until);

        op->sql = g_strdup_printf(
            "SELECT " ROW_LIST(
                ROW_SLOT_FIELDS) " FROM ("
                                 "(SELECT l.* FROM slot l WHERE l.nominal <= %s%s%s) UNION ALL "
                                 "(SELECT l.* FROM slot l WHERE l.nominal > %s AND l.first <= %s"
                                 " AND l.outcome = 'skipped'%s%s)) l%s",
            until, where, order, until, until, where, order, order);
    } else {
        op->sql =
            g_strconcat("SELECT " ROW_LIST(ROW_SLOT_FIELDS) " FROM slot l WHERE true", where, order, NULL);
    }
    return store_enqueue(s, op);
}
