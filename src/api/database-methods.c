/* The private database's upgrade is asked for here; a unit of its own does it. */
#include "api/database-methods.h"

#include "api/message.h"

static void on_done(int r, const Error *error, void *userdata)
{
    if (r < 0)
        request_answer_error(userdata, r, error);
    else
        request_answer(userdata, "");
}

int database_methods_upgrade(Request *q, Error *error)
{
    int r = message_read_dict(q->message, NULL, 0, "option", NULL, error);

    if (r < 0)
        return r;
    return manager_upgrade_database(q->manager, on_done, q, error);
}
