/* The contract of the service manager's client, for its twin: tests/system/exec-contract.c in the simulated world. */
#include <stdio.h>

#include "../system/exec-contract.h"
#include "sim.h"

static unsigned n_tests, n_failed;
static bool up;

static void check(bool ok, const char *format, ...) _printf_(2, 3);
static void check(bool ok, const char *format, ...)
{
    va_list ap;

    printf("%s %u - ", ok ? "ok" : "not ok", ++n_tests);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    printf("\n");
    n_failed += !ok;
}

static void on_changed(const UnitState *seen, void *userdata)
{
    exec_contract_changed(seen);
}

static void on_removed(const char *unit, void *userdata)
{
    exec_contract_removed(unit);
}

static void on_resync(void *userdata)
{
}

static void on_connection(bool is_up, void *userdata)
{
    up = is_up;
}

static void turn(void)
{
    sim_step(sim_now() + USEC_PER_MSEC);
}

/* A row whose one attempt is claimed: units are of claims. */
static void prepare(uint64_t run, const char *token)
{
    Row *row;
    Truth *t;

    while (database.rows->len < run) {
        row = g_new0(Row, 1);
        row->run.id = database.rows->len + 1;
        row->truths = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(database.rows, row);
    }
    row = database_find(run);
    if (row->truths->len > 0)
        return;
    t = g_new0(Truth, 1);
    t->run = run;
    t->attempt = 1;
    g_strlcpy(t->token, token, sizeof t->token);
    g_ptr_array_add(row->truths, t);
}

static void stop_by_hand(const char *unit)
{
    systemd_stop_by_admin(systemd_find(unit));
}

int main(int argc, char **argv)
{
    const ExecEvents events = { on_changed, on_removed, on_resync, on_connection };
    ExecContract contract = { NULL, 1, sim_real, sim_monotonic, NULL, turn, prepare, stop_by_hand, check };
    const ExecConfig config = { .runtime_directory = "/run", .output_directory = "/run" };

    sim_reset(1);
    database_reset();
    systemd_reset();
    contract.boot_id = clock_boot_id(sim.clock);
    daemon_twin.calm = true; /* no limit is late by chance */
    exec_new(sim.loop, &config, &events, NULL, &contract.exec);
    while (!up)
        turn();
    exec_contract(&contract);
    exec_free(contract.exec);
    printf("1..%u\n", n_tests);
    return n_failed > 0;
}
