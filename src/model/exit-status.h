/* The names that exit statuses have in systemd.exec(5), "Process Exit Codes". */
#pragma once

#include "base/util.h"

#define EXIT_STATUS_EXEC 203 /* the manager's: the program could not be executed */

/* "TEMPFAIL" → 75, also a number 0…255; -EINVAL. */
int exit_status_from_string(const char *s);
/* NULL where it has none. */
const char *exit_status_name(int status);
/* For statuses the manager's child sets before the program is executed: what failed; NULL for others. */
const char *exit_status_meaning(int status);
