/* store-up - brings the database of the environment up as the daemon does, migrations included, and says how that went:
 * "up", or "unusable: REASON". Exit status 0 and 1. */
#include "fixture.h"

#include <stdio.h>

#define WAIT_USEC (60 * USEC_PER_SEC)

int main(void)
{
    Fixture *f = fixture_new("here", NULL, NULL);
    gint64 end = g_get_monotonic_time() + (gint64)WAIT_USEC;
    bool up;

    while (f->state == STORE_CONNECTING && g_get_monotonic_time() < end)
        fixture_turn(f);
    up = f->state == STORE_UP;
    printf("%s%s\n", up ? "up" : "unusable: ", up ? "" : util_strempty(f->reason));
    fixture_free(f);
    return up ? 0 : 1;
}
