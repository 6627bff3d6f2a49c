/* The audit: written with every batch, and read back page by page. */
#include "store/row.h"
#include "store/store-internal.h"

#define LIST_MAX 1000u

/* Nobody waits for it. */
static void audit_answer(Op *op, const OpAnswer *a)
{
}

const OpInfo op_audit = {
    .name = "audit",
    .sql =
        "INSERT INTO audit (at, uid, user_name, unit, method, object, granted)"
        " SELECT usec_to_time(at), uid, user_name, unit, method, object, granted"
        " FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])"
        "  AS q(at, uid, user_name, unit, method, object, granted)",
    .n_values = 7,
    .shared = true,
    .answer = audit_answer,
};

int store_audit(Store *s, const StoreAudit *a)
{
    Op *op = op_new(OP_AUDIT, NULL, NULL);

    op_set_u64(op, 0, clock_real(s->clock));
    op_set_u64(op, 1, a->uid);
    op_set_text(op, 2, util_strempty(a->user));
    op_set_text(op, 3, util_strempty(a->unit));
    op_set_text(op, 4, a->method);
    op_set_text(op, 5, util_strempty(a->object));
    op_set_bool(op, 6, a->granted);
    return store_enqueue(s, op);
}

static void list_audit_answer(Op *op, const OpAnswer *a)
{
    StoreAuditsFn fn = (StoreAuditsFn)op->fn;
    g_autoptr(GPtrArray) entries = NULL;

    if (a->r >= 0)
        entries = row_audits(a->res);
    fn(a->r, entries, a->error, op->userdata);
}

const OpInfo op_list_audit = { .name = "list_audit", .answer = list_audit_answer };

/* In the order of an index. Where the statement is planned with what is asked for, it is seen that uid, method and
 * granted are in one of the partial ones; of a name that has to be said. */
int store_list_audit(Store *s, const StoreAuditFilter *f, StoreAuditsFn fn, void *userdata)
{
    Op *op = op_new(OP_LIST_AUDIT, (OpFn)fn, userdata);
    GString *sql = g_string_new("SELECT " ROW_LIST(ROW_AUDIT_FIELDS) " FROM audit a WHERE true");

    if (f->since)
        op_where_u64(op, sql, "a.at >= usec_to_time(", "::bigint)", f->since);
    if (f->until)
        op_where_u64(op, sql, "a.at <= usec_to_time(", "::bigint)", f->until);
    if (f->uid != UNSET)
        op_where_u64(op, sql, "a.uid = ", "::bigint", f->uid);
    if (f->user)
        op_where(op, sql, "a.user_name = ", g_str_equal(f->user, "root") ? "" : " AND a.uid <> 0", f->user);
    if (f->method)
        op_where(op, sql, "a.method = ", "", f->method);
    if (f->granted >= 0)
        g_string_append(sql, f->granted ? " AND a.granted" : " AND NOT a.granted");
    if (f->before_id > 0) {
        g_autofree char *before =
            g_strdup_printf("(a.at, a.id) < (usec_to_time(%" G_GUINT64_FORMAT "), ", f->before_at);

        op_where_u64(op, sql, before, "::bigint)", f->before_id);
    }
    g_string_append_printf(sql, " ORDER BY a.at DESC, a.id DESC LIMIT %u", CLAMP(f->limit, 1, LIST_MAX));
    op->sql = g_string_free(sql, FALSE);
    return store_enqueue(s, op);
}
