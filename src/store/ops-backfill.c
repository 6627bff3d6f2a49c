/* Times of schedules that have passed, and are run after all. */
#include "store/row.h"
#include "store/store-internal.h"

static GArray *backfill_times(const PGresult *res)
{
    GArray *times = g_array_new(FALSE, FALSE, sizeof(StoreBackfilled));

    for (int row = 0; row < PQntuples(res); row++) {
        StoreBackfilled b = { row_u64(res, row, 0), (StoreBackfillOutcome)row_u64(res, row, 1),
            row_u64(res, row, 2), *PQgetvalue(res, row, 3) == 't' };

        g_array_append_val(times, b);
    }
    return times;
}

/* Where times were named and none is answered, there is no such schedule. */
static void backfill_answer(Op *op, const OpAnswer *a)
{
    StoreBackfillFn fn = (StoreBackfillFn)op->fn;
    g_autoptr(GArray) times = NULL;
    int r = a->r;

    if (r >= 0) {
        times = backfill_times(a->res);
        if (times->len == 0 && !g_str_equal(op->values[3], "{}"))
            r = -ENOENT;
    }
    fn(r, r < 0 ? NULL : times, a->error, op->userdata);
}

const OpInfo op_backfill = {
    .name = "backfill",
    .sql =
        "SELECT * FROM backfill_ask($1::text, $2::text, $3::bigint, $4::bigint[], $5::boolean, $6::boolean, $7::text,"
        " $8::bigint, $9::text, $10::int, $11::json, $12::json, $13::bigint, $14::int, $15::text)",
    .n_values = 15,
    .answer = backfill_answer,
};

static char *backfill_array(const GArray *times)
{
    GString *array = g_string_new("{");

    for (guint i = 0; i < times->len; i++)
        g_string_append_printf(
            array, "%s%" G_GUINT64_FORMAT, i > 0 ? "," : "", g_array_index(times, uint64_t, i));
    g_string_append_c(array, '}');
    return g_string_free(array, FALSE);
}

int store_backfill(Store *s, const StoreBackfill *b, StoreBackfillFn fn, void *userdata)
{
    Op *op = op_new(OP_BACKFILL, (OpFn)fn, userdata);
    g_autofree char *times = backfill_array(b->times);

    op_set_text(op, 0, b->task);
    op_set_text(op, 1, b->schedule);
    op_set_u64(op, 2, b->revision);
    op_set_text(op, 3, times);
    op_set_bool(op, 4, b->unsettled);
    op_set_bool(op, 5, b->dry);
    op_set_text(op, 6, b->requester);
    op_set_u64(op, 7, b->requester_uid);
    op_set_text(op, 8, b->queue);
    op_set_int(op, 9, b->priority);
    op_set_text(op, 10, b->input);
    op_set_text(op, 11, b->secrets);
    op_set_u64(op, 12, b->grace_usec);
    op_set_u64(op, 13, b->places ? b->places : UNSET);
    op_set_text(op, 14, b->overlap);
    op_set_key(op, 0, "s%s/%s", b->task, b->schedule);
    op_set_key(op, 1, "t%s", b->task);
    return store_enqueue(s, op);
}
