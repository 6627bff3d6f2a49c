/* Another machine over ssh, named as systemctl's --host names it: [USER@]HOST[:PORT][/CONTAINER]. Pure, but for
 * $SYSTEMD_SSH. */
#pragma once

#include "base/util.h"

/* The command line that reaches it: "ssh", "-xT", …, "--", HOST, of char*, owned, for the remote command's words to be
 * added. *ret_container: the container there, g_free, NULL: the host itself. NULL where host is none. */
GPtrArray *remote_ssh(const char *host, char **ret_container);
/* The address of its system bus, by systemd-stdio-bridge(1); g_free. NULL where host is none. */
char *remote_bus_address(const char *host);
