/* The contract of the store, for its twin: tests/store/contract.c with a fixture on the simulated world. */
#include "../store/contract.h"
#include "sim.h"

static void on_state(StoreState state, const char *reason, const StoreLoaded *loaded, void *userdata)
{
    Fixture *f = userdata;

    f->state = state;
    f->told = true;
    if (!loaded)
        return;
    f->n_up++;
    f->epoch = loaded->epoch;
    f->n_runs = loaded->runs->len;
    f->load_deadline = loaded->next_deadline;
    fixture_load(f, loaded);
}

/* The database outlives a fixture, as the real one does. */
Fixture *fixture_new(const char *node, Clock *clock, const char *dump_directory)
{
    Fixture *f = g_new0(Fixture, 1);
    StoreConfig config = {
        .conninfo = "", .node = node, .boot_id = fixture_boot ? fixture_boot : "boot", .manager_stamp = 42
    };

    if (!sim.clock) {
        sim_reset(1);
        database_reset();
        systemd_reset();
    }
    f->clock = sim.clock;
    g_assert_cmpint(store_new(sim.loop, sim.clock, &config, on_state, f, &f->store), ==, 0);
    g_assert_cmpint(store_start(f->store), >=, 0);
    return f;
}

void fixture_free(Fixture *f)
{
    store_free(f->store);
    if (f->changes)
        g_array_unref(f->changes);
    g_free(f);
}

void fixture_turn(Fixture *f)
{
    sim_step(sim_now() + USEC_PER_MSEC);
}

int main(int argc, char **argv)
{
    return contract_run(argc, argv);
}
