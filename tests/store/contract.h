/* The cases that the store on PostgreSQL and its twin in memory have to pass alike. */
#pragma once

#include "fixture.h"

int contract_run(int argc, char **argv);

/* Shared by the files of the contract. */
extern Fixture *contract_fixture;
/* The store comes up once more. */
void contract_anew(void);
/* A slot of the schedule a of the task "bounded" is asked for; the run is cancelled at once. */
Asked contract_fire_bounded(const char *token, uint64_t previous, uint64_t nominal, uint64_t max_runs);
void contract_assert_fired(Asked a, bool fresh, uint64_t last, uint64_t fired);
/* Asks, and waits for the answer, which is none that is refused. */
StoreAsked contract_ask(const StoreAsk *ask);
void contract_add_off(void);
void contract_add_places(void);
void contract_add_follow(void);
void contract_add_after(void);
void contract_add_expect(void);
void contract_add_backfill(void);
