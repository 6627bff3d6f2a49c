/* The methods about nodes; see request.h for what they return. */
#pragma once

#include "api/property.h"
#include "api/request.h"

extern const PropertyTable node_methods_properties; /* of a StoreNode */

int node_methods_get(Request *q, Error *error);
int node_methods_list(Request *q, Error *error);
