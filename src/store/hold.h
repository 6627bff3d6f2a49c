/* What a transaction of one of several nodes takes before all else: see rows_hold() in data/schema. */
#pragma once

#include <stdbool.h>

#include <glib.h>

/* The prepared statement. */
#define HOLD_NAME   "hold"
#define HOLD_VALUES 8u
extern const char *const hold_sql;

/* Its values for these operations, g_free each; false: they need no row before others. */
bool hold_values(const GPtrArray *ops, char *values[HOLD_VALUES]);
