/* The core in a simulated world: many stories, drawn from one seed. Prints TAP.
 *
 *   test-sim                  the stories of a seed ($TASKSCHEDD_SEED, else 1), and what they have to show
 *   test-sim --seed N         the one story of that number, event by event
 *   test-sim --runs N         another number of runs
 *   test-sim-planted          finds each fault of plants/ (see plant.py)
 *   test-sim-planted --plant NAME [--seed N]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "plant.h"
#include "sim.h"

#if defined(__SANITIZE_ADDRESS__)
#define RUNS       5000 /* each costs ten times as much */
#define RUNS_BRIEF 1000
#define CELL_LEAST 0
#else
#define RUNS       200000
#define RUNS_BRIEF 10000
#define CELL_LEAST 100
#endif
#define RUNS_LONG         1000000
#define SECONDS_MAX       180
#define SAME_SEEDS        100
#define PLANT_RUNS        20000
#define PLANT_SEEDS       3
#define PLANT_SEEDS_ALL   10
#define PLANT_CPU_SECONDS 30 /* of one seed; the whole of its runs takes 5 */

typedef struct Total {
    uint64_t stories, runs, faults, steps, failed;
    unsigned told;
    double seconds;
} Total;

static unsigned n_tests, n_failed;
static const char *planted; /* name of the fault that is in it */

bool plant_is(const char *name)
{
    return planted && strcmp(planted, name) == 0;
}

static void check(bool ok, const char *format, ...) _printf_(2, 3);
static void check(bool ok, const char *format, ...)
{
    va_list ap;

    printf("%s %u - ", ok ? "ok" : "not ok", ++n_tests);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    printf("\n");
    fflush(stdout);
    n_failed += !ok;
}

/* Story n of a seed. */
static uint64_t story_of(uint64_t seed, uint64_t n)
{
    return seed * 1000003 + n;
}

static void tell_failure(Total *t, uint64_t story, const Story *o)
{
    t->failed++;
    printf("# story %" G_GUINT64_FORMAT ": %s\n", story, o->why);
    printf("# again, event by event: test-sim --seed %" G_GUINT64_FORMAT "\n", story);
    if (t->told++ == 0)
        g_free(scenario_run(story, true).why);
}

static Total tell_stories(uint64_t seed, uint64_t runs)
{
    gint64 begin = g_get_monotonic_time();
    Total t = { 0 };

    for (; t.runs < runs && t.failed < 5; t.stories++) {
        Story o = scenario_run(story_of(seed, t.stories), false);

        t.runs += o.runs;
        t.faults += o.faults;
        t.steps += o.steps;
        if (o.why)
            tell_failure(&t, story_of(seed, t.stories), &o);
        g_free(o.why);
    }
    t.seconds = (double)(g_get_monotonic_time() - begin) / (double)USEC_PER_SEC;
    return t;
}

/* The same seed is the same story, to the last event. */
static unsigned count_different(uint64_t seed)
{
    unsigned different = 0;

    for (unsigned n = 0; n < SAME_SEEDS; n++) {
        Story a = scenario_run(story_of(seed, n), false), b = scenario_run(story_of(seed, n), false);

        different += a.hash != b.hash || a.steps != b.steps || a.faults != b.faults;
        g_free(a.why);
        g_free(b.why);
    }
    return different;
}

static void test_world(uint64_t seed, uint64_t runs)
{
    unsigned different = count_different(seed);
    Total t = tell_stories(seed, runs);

    check(t.failed == 0,
        "%" G_GUINT64_FORMAT " runs in %" G_GUINT64_FORMAT
        " stories: nothing lost, wrong, twice or left behind",
        t.runs, t.stories);
    check(t.faults >= 2 * t.runs, "%.2f faults a run, %.0f events a story", (double)t.faults / (double)t.runs,
        (double)t.steps / (double)t.stories);
    check(faults_report(CELL_LEAST * (runs >= RUNS)),
        "each fault met runs in each state that it can meet, %d times", CELL_LEAST);
    check(different == 0, "%u of %u stories are the same when they are told again", SAME_SEEDS - different,
        SAME_SEEDS);
    check(t.seconds < (double)(SECONDS_MAX * MAX(runs / 100000, 1)), "it took %.1f s", t.seconds);
}

/* --- does it find what is wrong? --- */

/* What came of one seed; shared with the process that tells its stories. */
typedef struct Found {
    uint64_t runs; /* until then */
    char how[200]; /* "": not at all */
} Found;

static void look(uint64_t seed, Found *f)
{
    Story o = { 0 };

    setrlimit(RLIMIT_CPU, &(struct rlimit){ PLANT_CPU_SECONDS, PLANT_CPU_SECONDS + 1 });
    g_log_set_default_handler((GLogFunc)(void (*)(void))getpid, NULL);
    for (uint64_t n = 0; f->runs < PLANT_RUNS && !o.why; n++) {
        o = scenario_run(story_of(seed, n), false);
        f->runs += o.runs;
    }
    g_strlcpy(f->how, util_strempty(o.why), sizeof f->how);
}

/* In a process of its own: what is planted may do anything, and go on without end, which is found too. */
static bool find(const char *name, uint64_t seed)
{
    Found *f = mmap(NULL, sizeof(Found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;
    pid_t child;
    bool found;

    g_assert_true(f != MAP_FAILED);
    child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        look(seed, f);
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        g_snprintf(f->how, sizeof f->how, "%d s of CPU", PLANT_CPU_SECONDS);
    else if (WIFSIGNALED(status))
        g_snprintf(f->how, sizeof f->how, "crash: %s", strsignal(WTERMSIG(status)));
    found = *f->how;
    printf("# %s, seed %" G_GUINT64_FORMAT ": %s after %" G_GUINT64_FORMAT " runs%s%s\n", name, seed,
        found ? "found" : "nothing", f->runs, found ? ": " : "", f->how);
    fflush(stdout);
    munmap(f, sizeof *f);
    return found;
}

/* By how many seeds; each plant, and what is without one, is given the same. */
static unsigned find_all(const char *name, uint64_t seed, unsigned seeds)
{
    unsigned found = 0;

    for (unsigned n = 0; n < seeds; n++)
        found += find(name, seed + 7919 * (n + 1));
    return found;
}

static void test_plant(const char *name, uint64_t seed, unsigned seeds)
{
    unsigned found;

    planted = name;
    found = find_all(name, seed, seeds);
    planted = NULL;
    check(found == seeds, "%s: found by %u of %u seeds", name, found, seeds);
}

static unsigned seeds_wanted(void)
{
    if (g_getenv("TASKSCHEDD_LONG"))
        return PLANT_SEEDS_ALL;
    return g_getenv("TASKSCHEDD_BRIEF") ? 1 : PLANT_SEEDS;
}

static void test_plants(uint64_t seed)
{
    unsigned seeds = seeds_wanted();

    check(find_all("none", seed, seeds) == 0, "without a fault none is found by %u seeds in %d runs each",
        seeds, PLANT_RUNS);
    for (const char *const *name = plant_names; *name; name++)
        test_plant(*name, seed, seeds);
}

/* Brief is for a build whose like was simulated at length already: it is to show that this one does the same. */
static uint64_t runs_wanted(void)
{
    if (g_getenv("TASKSCHEDD_LONG"))
        return RUNS_LONG;
    return g_getenv("TASKSCHEDD_BRIEF") ? RUNS_BRIEF : RUNS;
}

int main(int argc, char **argv)
{
    const char *text = g_getenv("TASKSCHEDD_SEED");
    uint64_t seed = text ? g_ascii_strtoull(text, NULL, 10) : 1;
    uint64_t runs = runs_wanted(), story = UNSET;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0)
            story = g_ascii_strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--runs") == 0)
            runs = g_ascii_strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--plant") == 0)
            planted = argv[i + 1];
    }
    if (story != UNSET) {
        Story o = scenario_run(story, true);

        printf("# trace %016" G_GINT64_MODIFIER "x\n", o.hash);
        check(!o.why, "story %" G_GUINT64_FORMAT ": %s", story, o.why ? o.why : "well");
    } else if (planted) {
        test_plant(planted, seed, PLANT_SEEDS_ALL);
    } else if (plant_names[0]) {
        test_plants(seed);
    } else {
        test_world(seed, runs);
    }
    printf("1..%u\n", n_tests);
    return n_failed > 0;
}
