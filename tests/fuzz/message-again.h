/* What came to the manager of fuzz-message comes to it again: of each reading that reaches the twin a call is made, and what
 * is read of that has to be the same. */
#pragma once

#include <systemd/sd-bus.h>

/* Before a call: from now on the twin's readings are kept. */
void message_again_begin(sd_bus *bus);
/* After it: the call that is to be made now; the caller's. NULL: nothing came, or it was read again at once. */
sd_bus_message *message_again_call(void);
/* After that one. */
void message_again_end(void);
