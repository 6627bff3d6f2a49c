/* The cases that the store on PostgreSQL and its twin in memory have to pass alike. */
#pragma once

#include "fixture.h"

int contract_run(int argc, char **argv);
