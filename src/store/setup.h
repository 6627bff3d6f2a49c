/* From a fresh connection to a store that is up: the server is looked at, the database locked for us, its
 * schema brought to ours, the statements prepared, the node taken and what stands there loaded. Each step is
 * one exchange. It ends in store_up() or in store_disconnect(). */
#pragma once

#include "store/store-internal.h"

/* The settings that the session has from its first step on. */
extern const char *const setup_settings_sql;

Setup *setup_new(Store *s);
void setup_start(Setup *u);
/* After its connection was closed. */
void setup_free(Setup *u);
