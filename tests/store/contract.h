/* The cases that the store on PostgreSQL and its twin in memory have to pass alike. */
#pragma once

#include "fixture.h"

int contract_run(int argc, char **argv);

/* Shared by the files of the contract. */
extern Fixture *contract_fixture;
/* The store comes up once more. */
void contract_anew(void);
void contract_add_places(void);
void contract_add_follow(void);
