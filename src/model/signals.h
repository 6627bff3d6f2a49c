/* Names of signals, as kill -l and systemd write them. */
#pragma once

#include "base/util.h"

/* "SIGTERM", "TERM", "SIGRTMIN+3", "RTMAX-1" or a number; -EINVAL. */
int signals_from_string(const char *s);
/* "SIGTERM"; g_free. A number that has no name is written as one. */
char *signals_to_string(int signo);
/* A name but no number: where a bare number means something else (an exit status). */
int signals_from_name(const char *s);
