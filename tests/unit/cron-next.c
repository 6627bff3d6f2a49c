/* For cron-oracle.test: reads lines "SECONDS EXPRESSION", prints the three next moments in UTC, fewer if there are none,
 * or "refused". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/cron.h"

static void answer(const char *text, uint64_t at)
{
    g_auto(CalendarFault) fault = { 0 };
    Calendar c;

    if (cron_parse(text, "", &c, &fault) < 0) {
        puts("refused");
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        at = calendar_next(&c, zone_utc(), CALENDAR_GAP_NEXT, CALENDAR_FOLD_FIRST, at);
        if (at == USEC_INFINITY)
            break;
        printf("%s%" G_GUINT64_FORMAT, i > 0 ? " " : "", at / USEC_PER_SEC);
    }
    puts("");
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
