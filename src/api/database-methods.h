/* The methods of the Manager object that are about the database; see request.h for what they return. */
#pragma once

#include "api/request.h"

int database_methods_upgrade(Request *q, Error *error);
