/* The sources as they are. */
#include <stddef.h>

#include "plant.h"

const char *const plant_names[] = { NULL };
