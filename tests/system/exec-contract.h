/* The cases that the client of the service manager and its twin in the simulation have to pass alike. */
#pragma once

#include "exec/exec.h"

typedef struct ExecContract {
    Exec *exec;                                       /* connected */
    uint64_t run;                                     /* its units are of this run and of those after it */
    uint64_t (*now)(void);                            /* real µs, of the same clock as the units' times */
    uint64_t (*monotonic)(void);                      /* µs, of the same clock as the journal's entries */
    const char *boot_id;                              /* that it counts in */
    void (*turn)(void);                               /* lets a little time pass */
    void (*prepare)(uint64_t run, const char *token); /* a claim is made; NULL: nothing is to be done */
    void (*stop)(const char *unit);                   /* by somebody else */
    void (*check)(bool ok, const char *format, ...) _printf_(2, 3);
} ExecContract;

void exec_contract(const ExecContract *c);
/* And those of systemd alone; after it. */
void exec_jobs(const ExecContract *c);
void exec_notes(const ExecContract *c);
/* What its events tell goes here. */
void exec_contract_changed(const UnitState *seen);
void exec_contract_removed(const char *unit);
