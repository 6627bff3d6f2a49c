/* Faults that are planted into copies of the sources, to see that the simulation finds them: see plant.py. */
#pragma once

#include <stdbool.h>

/* The names of all, NULL at the end. */
extern const char *const plant_names[];

/* Is it this one that is asked for? */
bool plant_is(const char *name);
