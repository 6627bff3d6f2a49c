/* For recurrence-oracle.test: reads lines "START AFTER END RULE", prints the moments of the rule behind AFTER and before END, three
 * at most, "|", and the same by brute force; all in seconds of the local clock. "refused" where the rule is, "?" where brute
 * force would take too long. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recurrence-brute.h"

static void answer(const char *text, int64_t start, int64_t after, int64_t end)
{
    g_auto(CalendarFault) fault = { 0 };
    g_auto(Recurrence) r = { 0 };
    int64_t at = after, brute[3];
    int n;

    if (recurrence_parse(text, &r, &fault) < 0) {
        printf("refused: %u: %s\n", fault.offset, fault.message);
        return;
    }
    recurrence_begin(&r, start * (int64_t)USEC_PER_SEC);
    for (unsigned i = 0; i < G_N_ELEMENTS(brute); i++) {
        at = recurrence_next(&r, at * (int64_t)USEC_PER_SEC + 1);
        if (at == RECURRENCE_NEVER || at / (int64_t)USEC_PER_SEC >= end)
            break;
        at /= (int64_t)USEC_PER_SEC;
        printf("%" G_GINT64_FORMAT " ", at);
    }
    putchar('|');
    n = recurrence_brute(&r, after, end, brute, G_N_ELEMENTS(brute));
    for (int i = 0; i < n; i++)
        printf(" %" G_GINT64_FORMAT, brute[i]);
    puts(n < 0 ? "?" : "");
}

int main(void)
{
    char line[8192];

    while (fgets(line, sizeof line, stdin)) {
        char *text;
        int64_t start = strtoll(line, &text, 10), after = strtoll(text, &text, 10),
                end = strtoll(text, &text, 10);

        text[strcspn(text, "\n")] = 0;
        answer(text + strspn(text, " "), start, after, end);
    }
    return EXIT_SUCCESS;
}
