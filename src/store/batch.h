/* Operations that write, collected into transactions: one in flight at a time, the next one forms meanwhile.
 */
#pragma once

#include "store/store-internal.h"

/* Sends what is queued, unless a batch is in flight. */
void batch_send(Store *s);
/* Sends what is to be read, as many as may be in flight. */
void batch_send_reads(Store *s);

/* What an error of the server means for the operations that met it. */
typedef enum BatchTrouble {
    BATCH_GUILTY,   /* one of the operations cannot be done */
    BATCH_AGAIN,    /* the same may succeed when repeated */
    BATCH_UNUSABLE, /* the database takes no writes now */
    BATCH_LOST,     /* the session is of no use */
} BatchTrouble;

BatchTrouble batch_trouble(const PGresult *error);
