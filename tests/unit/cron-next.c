/* For cron-oracle.test: reads lines "SECONDS EXPRESSION", prints the three next moments in UTC, fewer if there are none, "|", and
 * the same by brute force, "?" where that does not know what it says; or "refused". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cron-brute.h"
#include "model/cron.h"

static void answer(const char *text, uint64_t at)
{
    g_auto(CalendarFault) fault = { 0 };
    int64_t brute[3];
    Calendar c;
    int n = cron_brute(text, (int64_t)(at / USEC_PER_SEC), brute, G_N_ELEMENTS(brute));

    if (cron_parse(text, "", &c, &fault) < 0) {
        puts("refused");
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(brute); i++) {
        at = calendar_next(&c, zone_utc(), CALENDAR_GAP_NEXT, CALENDAR_FOLD_FIRST, at);
        if (at == USEC_INFINITY)
            break;
        printf("%" G_GUINT64_FORMAT " ", at / USEC_PER_SEC);
    }
    putchar('|');
    for (int i = 0; i < n; i++)
        printf(" %" G_GINT64_FORMAT, brute[i]);
    puts(n < 0 ? "?" : "");
}

int main(void)
{
    char line[1024];

    while (fgets(line, sizeof line, stdin)) {
        char *text;
        uint64_t seconds = strtoull(line, &text, 10);

        text[strcspn(text, "\n")] = 0;
        answer(text + strspn(text, " "), seconds * USEC_PER_SEC);
    }
    return EXIT_SUCCESS;
}
