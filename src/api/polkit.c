/* Questions to polkit and their answers. */
#include "api/polkit.h"

#include "base/log.h"

#define SERVICE   "org.freedesktop.PolicyKit1"
#define AUTHORITY "/org/freedesktop/PolicyKit1/Authority"
#define INTERFACE "org.freedesktop.PolicyKit1.Authority"

#define FLAG_INTERACTION 1u

/* polkit gives a script of rules 15 s, and waits those out where it misses that one has ended (122: the script's thread
 * tells without the lock), and answers rightly after them. Who asks on the bus waits 25 s. */
#define QUIET_MAX    16
#define QUIET_USEC   (20 * USEC_PER_SEC)
#define PROMPT_MAX   16
#define PROMPT_USEC  (300 * USEC_PER_SEC)
#define PROMPTS_EACH 4 /* of one user */

typedef enum LaneKind {
    LANE_QUIET,
    LANE_PROMPT,
    _LANE_MAX,
} LaneKind;

/* All questions of a lane have the same time, so the first of its queues is the first to be given up on. */
typedef struct Lane {
    unsigned in_flight,
        max; /* answers that the bus still counts on, those that came too late for us among them */
    uint64_t usec;
    GQueue waiting, asked; /* of Check* */
    ClockTimer *timer;
} Lane;

struct Polkit {
    Clock *clock;
    Lane lanes[_LANE_MAX];
    GHashTable *abandoned; /* of Check*: answered for us, still counted on by the bus */
    uint64_t last;         /* number of the latest question */
    char *complaint;       /* as last logged; NULL while polkit answers */
};

typedef struct Check {
    Polkit *polkit;
    Lane *lane;
    sd_bus *bus;
    char *sender, *action, *task, *run;
    char cancellation[24];
    uint64_t uid, until;
    bool asked;
    sd_bus_slot *answer, *gone;
    PolkitFn fn; /* NULL once it was called */
    void *userdata;
} Check;

static void check_free(Check *c)
{
    sd_bus_slot_unref(c->answer);
    sd_bus_slot_unref(c->gone);
    g_free(c->sender);
    g_free(c->action);
    g_free(c->task);
    g_free(c->run);
    g_free(c);
}

static void lane_arm(Lane *l)
{
    const Check *first = g_queue_peek_head(&l->asked);

    if (!first)
        first = g_queue_peek_head(&l->waiting);
    if (first)
        clock_timer_arm(l->timer, first->until);
    else
        clock_timer_disarm(l->timer);
}

/* Tells whoever waits, once. */
static void check_tell(Check *c, int r, const char *what)
{
    PolkitFn fn = c->fn;

    g_queue_remove(c->asked ? &c->lane->asked : &c->lane->waiting, c);
    c->fn = NULL;
    lane_arm(c->lane);
    fn(r, what, c->userdata);
}

/* polkit takes its prompt away; nobody waits for what it says to this. */
static void check_cancel(Check *c)
{
    sd_bus_message *m = NULL;

    if (sd_bus_message_new_method_call(
            c->bus, &m, SERVICE, AUTHORITY, INTERFACE, "CancelCheckAuthorization") >= 0 &&
        sd_bus_message_append(m, "s", c->cancellation) >= 0 && sd_bus_message_set_expect_reply(m, 0) >= 0)
        (void)sd_bus_send(c->bus, m, NULL);
    sd_bus_message_unref(m);
}

/* Told already; what the bus still counts on is kept until it comes. */
static void check_give_up(Check *c, int r, const char *what)
{
    if (c->asked) {
        check_cancel(c);
        c->gone = sd_bus_slot_unref(c->gone);
        g_hash_table_add(c->polkit->abandoned, c);
        check_tell(c, r, what);
    } else {
        check_tell(c, r, what);
        check_free(c);
    }
}

static void on_lane_timer(void *userdata)
{
    Lane *l = userdata;
    Check *c;

    while ((c = g_queue_peek_head(&l->asked)) || (c = g_queue_peek_head(&l->waiting))) {
        if (c->until > clock_boot(c->polkit->clock))
            break;
        check_give_up(c, -ETIMEDOUT, "it does not answer");
    }
    lane_arm(l);
}

int polkit_new(Clock *clock, Polkit **ret)
{
    static const struct {
        unsigned max;
        uint64_t usec;
    } lanes[] = {
        [LANE_QUIET] = { QUIET_MAX, QUIET_USEC },
        [LANE_PROMPT] = { PROMPT_MAX, PROMPT_USEC },
    };
    Polkit *p = g_new0(Polkit, 1);
    int r = 0;

    p->clock = clock;
    p->abandoned = g_hash_table_new_full(NULL, NULL, (GDestroyNotify)check_free, NULL);
    for (int i = 0; r >= 0 && i < _LANE_MAX; i++) {
        p->lanes[i].max = lanes[i].max;
        p->lanes[i].usec = lanes[i].usec;
        r = clock_timer_new(clock, CLOCK_BOOT, on_lane_timer, &p->lanes[i], &p->lanes[i].timer);
    }
    if (r < 0) {
        polkit_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

void polkit_free(Polkit *p)
{
    if (!p)
        return;
    polkit_reset(p);
    for (int i = 0; i < _LANE_MAX; i++)
        clock_timer_free(p->lanes[i].timer);
    g_hash_table_unref(p->abandoned);
    g_free(p->complaint);
    g_free(p);
}

void polkit_reset(Polkit *p)
{
    Check *c;

    g_hash_table_remove_all(p->abandoned);
    for (Lane *l = p->lanes; l < p->lanes + _LANE_MAX; l++) {
        while ((c = g_queue_peek_head(&l->asked)) || (c = g_queue_peek_head(&l->waiting))) {
            check_tell(c, -ECONNRESET, "");
            check_free(c);
        }
        l->in_flight = 0;
    }
}

/* One line for a series of equal failures. */
static void polkit_complain(Polkit *p, const char *what)
{
    if (g_strcmp0(what, p->complaint) == 0)
        return;
    if (what)
        log_warning("polkit cannot be asked, only root is allowed anything: %s", what);
    else
        log_info("polkit answers again.");
    g_free(p->complaint);
    p->complaint = g_strdup(what);
}

static int check_read(sd_bus_message *m)
{
    int authorized, challenge;
    int r = sd_bus_message_enter_container(m, 'r', "bba{ss}");

    if (r >= 0)
        r = sd_bus_message_read(m, "bb", &authorized, &challenge);
    if (r < 0)
        return r;
    return authorized ? POLKIT_YES : challenge ? POLKIT_CHALLENGE : POLKIT_NO;
}

static void lane_ask_next(Lane *l);

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Check *c = userdata;
    Polkit *p = c->polkit;
    Lane *l = c->lane;
    const char *what = "";
    int r;

    l->in_flight--;
    if (sd_bus_message_is_method_error(m, NULL)) {
        r = -EIO;
        what = util_strempty(sd_bus_message_get_error(m)->message);
    } else {
        r = check_read(m);
        if (r < 0)
            what = "its answer is malformed";
    }
    if (c->fn) {
        polkit_complain(p, r < 0 ? what : NULL);
        check_tell(c, r < 0 ? -EIO : r, what);
        check_free(c);
    } else {
        g_hash_table_remove(p->abandoned, c);
    }
    lane_ask_next(l);
    return 0;
}

static int on_gone(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    check_give_up(userdata, -ECONNRESET, "");
    return 0;
}

/* Without a watch the prompt has its time; without this function the connection would be closed. */
static int on_watched(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    return 0;
}

/* The bus tells when the caller leaves it. Not by sd_bus_track, which asks the bus about the name and waits for the
 * answer. If the caller is gone already polkit finds that too, and answers with an error. */
static int check_watch(Check *c)
{
    g_autofree char *match = g_strdup_printf("type='signal',sender='org.freedesktop.DBus',"
                                             "path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
                                             "member='NameOwnerChanged',arg0='%s',arg2=''",
        c->sender);

    return sd_bus_add_match_async(c->bus, &c->gone, match, on_gone, on_watched, c);
}

static int check_send(Check *c, bool interactive)
{
    sd_bus_message *m = NULL;
    int r = sd_bus_message_new_method_call(c->bus, &m, SERVICE, AUTHORITY, INTERFACE, "CheckAuthorization");

    if (r >= 0)
        r = sd_bus_message_append(m, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s", c->sender,
            c->action, 2, "task", c->task, "run", c->run, interactive ? FLAG_INTERACTION : 0,
            c->cancellation);
    if (r >= 0)
        r = sd_bus_call_async(c->bus, &c->answer, m, on_answer, c, UINT64_MAX);
    sd_bus_message_unref(m);
    return r;
}

static void check_ask(Check *c)
{
    bool interactive = c->lane == &c->polkit->lanes[LANE_PROMPT];
    int r = interactive ? check_watch(c) : 0;

    c->asked = true;
    g_queue_push_tail(&c->lane->asked, c);
    if (r >= 0)
        r = check_send(c, interactive);
    if (r >= 0) {
        c->lane->in_flight++;
        return;
    }
    check_tell(c, -ECONNRESET, "");
    check_free(c);
}

static void lane_ask_next(Lane *l)
{
    Check *c;

    while (l->in_flight < l->max && (c = g_queue_pop_head(&l->waiting)))
        check_ask(c);
    lane_arm(l);
}

/* Nobody has more prompts than he can read, and not all of them together. */
static bool polkit_may_prompt(Polkit *p, uint64_t uid)
{
    const Lane *l = &p->lanes[LANE_PROMPT];
    unsigned own = 0;

    for (const GList *i = l->asked.head; i; i = i->next)
        own += ((const Check *)i->data)->uid == uid;
    return own < PROMPTS_EACH && l->in_flight < l->max;
}

void polkit_ask(Polkit *p, const PolkitQuestion *q, PolkitFn fn, void *userdata)
{
    Lane *l = &p->lanes[q->interactive && polkit_may_prompt(p, q->uid) ? LANE_PROMPT : LANE_QUIET];
    Check *c = g_new0(Check, 1);

    c->polkit = p;
    c->lane = l;
    c->bus = q->bus;
    c->sender = g_strdup(q->sender);
    c->action = g_strdup(q->action);
    c->task = g_strdup(q->task);
    c->run = g_strdup(q->run);
    c->uid = q->uid;
    c->until = clock_boot(p->clock) + l->usec;
    g_snprintf(c->cancellation, sizeof(c->cancellation), "%" G_GUINT64_FORMAT, ++p->last);
    c->fn = fn;
    c->userdata = userdata;
    g_queue_push_tail(&l->waiting, c);
    lane_ask_next(l);
}
