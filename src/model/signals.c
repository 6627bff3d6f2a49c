/* Signal names from the C library's own table, with the real-time range beside it. */
#include <signal.h>
#include <string.h>

#include "model/signals.h"

static int signals_from_offset(const char *s, int base, char sign)
{
    guint64 n;
    int signo;

    if (!*s)
        return base;
    if (*s != sign || !g_ascii_string_to_unsigned(s + 1, 10, 0, 64, &n, NULL))
        return -EINVAL;
    signo = sign == '+' ? base + (int)n : base - (int)n;
    return signo < SIGRTMIN || signo > SIGRTMAX ? -EINVAL : signo;
}

int signals_from_name(const char *s)
{
    if (g_str_has_prefix(s, "SIG"))
        s += 3;
    for (int i = 1; i < SIGRTMIN; i++)
        if (g_strcmp0(sigabbrev_np(i), s) == 0)
            return i;
    if (g_str_has_prefix(s, "RTMIN"))
        return signals_from_offset(s + 5, SIGRTMIN, '+');
    if (g_str_has_prefix(s, "RTMAX"))
        return signals_from_offset(s + 5, SIGRTMAX, '-');
    return -EINVAL;
}

int signals_from_string(const char *s)
{
    guint64 n;

    if (g_ascii_string_to_unsigned(s, 10, 1, (guint64)SIGRTMAX, &n, NULL))
        return (int)n;
    return signals_from_name(s);
}

char *signals_to_string(int signo)
{
    const char *name = sigabbrev_np(signo);

    if (name)
        return g_strdup_printf("SIG%s", name);
    if (signo == SIGRTMIN)
        return g_strdup("SIGRTMIN");
    if (signo > SIGRTMIN && signo <= SIGRTMAX)
        return g_strdup_printf("SIGRTMIN+%d", signo - SIGRTMIN);
    return g_strdup_printf("%d", signo);
}
