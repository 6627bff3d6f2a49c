/* What schedules follow, read back: it is written where runs end (see data/schema) and slots fire (ops-ask.c). */
#include "store/row.h"
#include "store/store-internal.h"

/* Lines of "TASK NAME ENDED UNDER_WAY ENDS", numbers or "-". */
static GArray *followers_read(const char *text, GStrv *ret_words)
{
    GArray *followers = g_array_new(FALSE, FALSE, sizeof(StoreFollower));
    char **words = g_strsplit_set(text, " \n", -1);

    for (char **word = words; *word && **word; word += 5) {
        StoreFollower f = { word[0], word[1], UNSET, UNSET, "" };

        if (*word[2] != '-')
            f.ended = g_ascii_strtoull(word[2], NULL, 10);
        if (*word[3] != '-')
            f.under_way = g_ascii_strtoull(word[3], NULL, 10);
        if (*word[4] != '-')
            f.ends = word[4];
        g_array_append_val(followers, f);
    }
    *ret_words = words;
    return followers;
}

static void followers_answer(Op *op, const OpAnswer *a)
{
    StoreFollowersFn fn = (StoreFollowersFn)op->fn;
    g_autoptr(GArray) followers = NULL;
    g_auto(GStrv) words = NULL;

    if (a->r >= 0)
        followers = followers_read(PQgetvalue(a->res, a->row, 1), &words);
    fn(a->r, followers, op->userdata);
}

const OpInfo op_followers = {
    .name = "followers",
    .sql =
        "WITH q AS MATERIALIZED ("
        "  SELECT * FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS q(run, task, ord))"
        "SELECT t.ord, coalesce((SELECT string_agg(format('%s %s %s %s %s', s.task, s.name,"
        "   coalesce(time_to_usec(s.ended)::text, '-'), coalesce(time_to_usec(s.under_way)::text, '-'),"
        "   coalesce(" ROW_ENDS ", '-')), E'\\n')"
        "  FROM schedule s WHERE s.follows IN (t.task, t.task || ' any', t.task || ' success', t.task || ' failure')), '')"
        " FROM (SELECT ord, coalesce(task, (SELECT r.task FROM run r WHERE r.id = q.run)) AS task FROM q) t",
    .n_values = 2,
    .shared = true,
    .answer = followers_answer,
};

int store_get_followers(Store *s, uint64_t run, const char *task, StoreFollowersFn fn, void *userdata)
{
    Op *op = op_new(OP_FOLLOWERS, (OpFn)fn, userdata);

    op_set_u64(op, 0, task ? UNSET : run);
    op_set_text(op, 1, task);
    return store_enqueue(s, op);
}
