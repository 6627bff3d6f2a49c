/* The polkit agent that asks for passwords on the terminal while a verb waits for an answer. */
#pragma once

#include "ctl/ctl.h"

/* Starts it where somebody can be asked: a terminal, this machine, the system's instance, and not root, whom nobody
 * asks. Ready when this returns. None is no failure: then the daemon refuses what would need a password. */
void agent_open(Ctl *ctl);
void agent_close(Ctl *ctl);
