/* Fuzzes calls. The first two bytes choose a method of the daemon's own table, the third how the rest becomes its
 * arguments: put together value by value by the method's signature, or taken as the message's body as it is. The call
 * goes over a socket and through all that the daemon has between its bus and its manager. There is one answer to each,
 * of the method's signature or a known error; a reading that was taken, formatted as a call again, is read as the same. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "api/manager-object.h"
#include "api/memory-file.h"
#include "api/object.h"
#include "line.h"
#include "message-again.h"
#include "message-twin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROPERTIES           "org.freedesktop.DBus.Properties"
#define ERROR_UNKNOWN_PREFIX "org.freedesktop.DBus.Error.Unknown"

typedef struct Source {
    const uint8_t *p, *end;
} Source;

typedef struct Call {
    const char *interface, *member, *in, *out;
    const ObjectKind *kind;
} Call;

static struct {
    sd_bus *client, *server;
    sd_event *event;
    ManagerObject *object;
    GArray *calls; /* of Call */
    uint32_t serial;
} world;

/* --- the world --- */

static sd_bus *world_bus(int fd, bool server)
{
    const sd_id128_t id = SD_ID128_MAKE(11, 22, 33, 44, 55, 66, 77, 88, 99, aa, bb, cc, dd, ee, ff, 01);
    sd_bus *bus;

    g_assert(sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, fd, fd) >= 0);
    g_assert(sd_bus_set_anonymous(bus, 1) >= 0 && sd_bus_negotiate_fds(bus, 1) >= 0);
    g_assert(!server || sd_bus_set_server(bus, 1, id) >= 0);
    g_assert(sd_bus_start(bus) >= 0);
    return bus;
}

static void world_add_calls(void)
{
    static const Call others[] = {
        { PROPERTIES, "Get", "ss", "v", NULL },
        { PROPERTIES, "GetAll", "s", "a{sv}", NULL },
        { PROPERTIES, "Set", "ssv", "", NULL },
    };

    world.calls = g_array_new(FALSE, FALSE, sizeof(Call));
    for (size_t k = 0; k < object_n_kinds; k++) {
        const ObjectKind *kind = &object_kinds[k];

        for (size_t i = 0; i < kind->n_methods; i++) {
            const ObjectMethod *m = &kind->methods[i];
            const Call call = { kind->interface, m->name, m->in, m->out, kind };

            g_array_append_val(world.calls, call);
        }
        ARRAY_FOREACH (other, others) {
            Call call = *other;

            call.kind = kind;
            g_array_append_val(world.calls, call);
        }
    }
}

/* Where a method stands on a circle of 65536 (FNV-1a, folded): by its name, so that the corpus goes on to mean the same when
 * others are added. */
static uint16_t call_point(const Call *c)
{
    g_autofree char *name = g_strdup_printf("%s %s.%s", c->kind->interface, c->interface, c->member);
    uint32_t hash = UINT32_C(2166136261);

    for (const char *p = name; *p; p++)
        hash = (hash ^ (uint8_t)*p) * UINT32_C(16777619);
    return (uint16_t)(hash ^ hash >> 16);
}

/* The one that comes next on the circle. */
static const Call *world_call(uint16_t at)
{
    const Call *best = NULL;

    for (guint i = 0; i < world.calls->len; i++) {
        const Call *c = &g_array_index(world.calls, Call, i);

        if (!best || (uint16_t)(call_point(c) - at) < (uint16_t)(call_point(best) - at))
            best = c;
    }
    return best;
}

static void world_make(void)
{
    int fds[2];

    /* A file that cannot grow is an error, and no end. */
    g_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    world.client = world_bus(fds[0], false);
    world.server = world_bus(fds[1], true);
    g_assert(sd_event_new(&world.event) >= 0);
    g_assert(manager_object_new(world.event, message_twin_new(), NULL, "n", &world.object) >= 0);
    g_assert(manager_object_add(world.object, world.server) >= 0);
    world_add_calls();
    while (sd_bus_is_ready(world.client) <= 0 || sd_bus_is_ready(world.server) <= 0) {
        g_assert(sd_bus_process(world.client, NULL) >= 0);
        g_assert(sd_bus_process(world.server, NULL) >= 0);
    }
}

/* --- bytes into values --- */

static uint8_t source_byte(Source *s)
{
    return s->p < s->end ? *s->p++ : 0;
}

static uint64_t source_number(Source *s, unsigned bytes)
{
    uint64_t n = 0;

    while (bytes-- > 0)
        n = n << 8 | source_byte(s);
    return n;
}

/* So many bytes as the first says; borrowed. */
static const uint8_t *source_bytes(Source *s, size_t *ret)
{
    const uint8_t *p;
    size_t n = source_byte(s);

    /* 0xff is all that is left. */
    if (n == UINT8_MAX || n > (size_t)(s->end - s->p))
        n = (size_t)(s->end - s->p);
    p = s->p;
    s->p += n;
    *ret = n;
    return n > 0 ? p : (const uint8_t *)"";
}

static const char *const words[] = { "token", "at", "priority", "meta", "texts", "files", "json", "raw",
    "input-fd", "task", "state", "result", "since", "until", "requester", "user", "method", "granted",
    "follow", "lines", "format", "success", "done", "up", "t", "s", "n", "1", "a", "b", "c", "t/s", "1-1",
    "cat", "org.taskschedd1.Run", "Meta", "{\"a\":[1.5,null]}", "root", "dry-run", "notes", "expressions",
    "schedule", "outcome", "cause", "fired", "skipped", "by-hand", "Every=1h" };

static char *source_text(Source *s)
{
    g_autofree char *text = NULL;
    const uint8_t *p;
    size_t n;

    if (s->p < s->end && *s->p >= 0x80 && *s->p < 0x80 + G_N_ELEMENTS(words))
        return g_strdup(words[*s->p++ - 0x80]);
    p = source_bytes(s, &n);
    text = g_strndup((const char *)p, n);
    return utf8_make_valid(text);
}

/* The length of one complete type. */
static size_t type_length(const char *type)
{
    unsigned depth = 0;
    const char *p = type;

    while (*p == 'a')
        p++;
    do {
        depth += *p == '(' || *p == '{';
        depth -= *p == ')' || *p == '}';
        p++;
    } while (depth > 0);
    return (size_t)(p - type);
}

static int append_types(sd_bus_message *m, Source *s, const char *types);

static int append_container(sd_bus_message *m, Source *s, char container, const char *contents, unsigned n)
{
    int r = sd_bus_message_open_container(m, container, contents);

    while (r >= 0 && n-- > 0)
        r = append_types(m, s, contents);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_variant(sd_bus_message *m, Source *s)
{
    static const char *const types[] = { "s", "t", "i", "b", "a{ss}", "a{say}", "ay", "h", "d", "y", "n", "q",
        "u", "x", "o", "g", "as", "v", "a{sv}", "(ss)" };

    return append_container(m, s, 'v', types[source_byte(s) % G_N_ELEMENTS(types)], 1);
}

static int append_text(sd_bus_message *m, Source *s, char type)
{
    g_autofree char *text = source_text(s), *path = NULL;

    if (type == 's')
        return sd_bus_message_append_basic(m, 's', text);
    if (type == 'g')
        return sd_bus_message_append_basic(m, 'g', "s");
    g_assert(sd_bus_path_encode("/x", text, &path) >= 0);
    return sd_bus_message_append_basic(m, 'o', path);
}

/* A file in memory, sealed or not, or too large, or something else. */
static int append_fd(sd_bus_message *m, Source *s)
{
    static const uint8_t large[MESSAGE_TWIN_INPUT_MAX + 1];
    _cleanup_(util_closep) int fd = -1;
    uint8_t how = source_byte(s);
    const uint8_t *p;
    size_t n;

    p = source_bytes(s, &n);
    if (how >= 0xe8 && how < 0xf0)
        g_assert(memory_file_new("x", large, sizeof large, &fd) >= 0);
    else if (how < 0xf0)
        g_assert(memory_file_new("x", p, n, &fd) >= 0);
    else
        fd = how < 0xf8 ? memfd_create("x", MFD_CLOEXEC) : open("/dev/null", O_RDONLY | O_CLOEXEC);
    return sd_bus_message_append_basic(m, 'h', &fd);
}

static int append_number(sd_bus_message *m, Source *s, char type)
{
    static const char sizes[] = "y1n2q2i4u4x8t8d8b1";
    const char *size = strchr(sizes, type);
    uint64_t number = source_number(s, (unsigned)(size[1] - '0'));
    double d;
    int b;

    if (type == 'd') {
        memcpy(&d, &number, sizeof d);
        return sd_bus_message_append_basic(m, type, &d);
    }
    b = (int)(number & 1);
    return sd_bus_message_append_basic(m, type, type == 'b' ? (void *)&b : (void *)&number);
}

static int append_array(sd_bus_message *m, Source *s, const char *contents)
{
    const uint8_t *p;
    size_t n;

    if (!g_str_equal(contents, "y"))
        return append_container(m, s, 'a', contents, source_byte(s) % 8);
    p = source_bytes(s, &n);
    return sd_bus_message_append_array(m, 'y', p, n);
}

static int append_type(sd_bus_message *m, Source *s, const char *type)
{
    g_autofree char *inner = g_strndup(type + 1, strlen(type) - 1);

    switch (*type) {
    case 'a':
        return append_array(m, s, inner);
    case 'v':
        return append_variant(m, s);
    case '(':
    case '{':
        inner[strlen(inner) - 1] = '\0';
        return append_container(m, s, *type == '(' ? 'r' : 'e', inner, 1);
    case 's':
    case 'o':
    case 'g':
        return append_text(m, s, *type);
    case 'h':
        return append_fd(m, s);
    default:
        return append_number(m, s, *type);
    }
}

static int append_types(sd_bus_message *m, Source *s, const char *types)
{
    int r = 0;

    while (r >= 0 && *types) {
        size_t n = type_length(types);
        g_autofree char *type = g_strndup(types, n);

        r = append_type(m, s, type);
        types += n;
    }
    return r;
}

/* --- calls --- */

/* One that is there, or one that the bytes name. */
static char *call_path(const ObjectKind *kind, Source *s)
{
    static const char *const known[][2] = { { "t", "s" }, { "1", "" }, { "n", "" }, { "2", "" },
        { "4", "" } };
    g_autofree char *first = NULL, *second = NULL;
    uint8_t which = source_byte(s);

    if (kind->depth == 0)
        return g_strdup(kind->prefix);
    if (which < G_N_ELEMENTS(known))
        return object_path(kind, known[which]);
    first = source_text(s);
    second = kind->depth > 1 ? source_text(s) : NULL;
    return object_path(kind, (const char *const[]){ first, second });
}

static void body_append(GByteArray *to, const void *data, size_t n)
{
    g_byte_array_append(to, data, (guint)n);
}

static void header_align(GByteArray *to, guint n)
{
    while (to->len % n)
        body_append(to, "", 1);
}

static void header_field(GByteArray *to, uint8_t code, const char *type, const char *value)
{
    const uint8_t small = (uint8_t)strlen(value), one[] = { code, 1, (uint8_t)*type, 0 };
    const uint32_t large = (uint32_t)strlen(value);

    header_align(to, 8);
    body_append(to, one, sizeof one);
    if (*type == 'g')
        body_append(to, &small, 1);
    else
        body_append(to, &large, 4);
    body_append(to, value, strlen(value) + 1);
}

/* A message whose header is good, and whose body is whatever stands there. */
static void call_send_raw(const Call *call, const char *path, const Source *s)
{
    const uint8_t fixed[] = { 'l', 1, 0, 1 };
    g_autoptr(GByteArray) to = g_byte_array_new();
    uint32_t numbers[3] = { (uint32_t)(s->end - s->p), 0x40000000 + ++world.serial, 0 };

    body_append(to, fixed, sizeof fixed);
    body_append(to, numbers, sizeof numbers);
    header_field(to, 1, "o", path);
    header_field(to, 2, "s", call->interface);
    header_field(to, 3, "s", call->member);
    if (numbers[0] > 0)
        header_field(to, 8, "g", call->in);
    numbers[2] = to->len - 16;
    memcpy(to->data + 12, &numbers[2], 4);
    header_align(to, 8);
    body_append(to, s->p, numbers[0]);
    g_assert(sd_bus_flush(world.client) >= 0);
    g_assert(write(sd_bus_get_fd(world.client), to->data, to->len) == (ssize_t)to->len);
}

static void call_send(const Call *call, const char *path, Source *s)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    uint64_t cookie; /* without it no reply would be expected */

    g_assert(
        sd_bus_message_new_method_call(world.client, &m, NULL, path, call->interface, call->member) >= 0);
    g_assert(append_types(m, s, call->in) >= 0);
    g_assert(sd_bus_send(world.client, m, &cookie) >= 0);
}

/* What takes long comes with a turn of the loop, and rests after it for as long as it took. */
static sd_bus_message *call_wait(void)
{
    for (unsigned i = 0; i < 20000; i++) {
        sd_bus_message *reply = NULL;

        g_assert(sd_bus_process(world.server, NULL) >= 0);
        g_assert(sd_bus_process(world.client, &reply) >= 0);
        if (reply)
            return reply;
        if (i >= 100)
            g_assert(sd_event_run(world.event, USEC_PER_MSEC) >= 0);
    }
    return NULL;
}

/* What does not know an option or a filter tells of those that it knows: the words have each, so that their values are
 * reached. */
static void call_check_words(const char *message)
{
    static const char begin[] = "Hint: Known are: ";
    /* Last stands what the daemon says, whatever the name was. */
    const char *hint = g_str_has_prefix(message, "Unknown ") ? g_strrstr(message, "Hint: ") : NULL;
    g_auto(GStrv) keys = NULL;

    if (!hint || !g_str_has_prefix(hint, begin))
        return;
    keys = g_strsplit_set(hint + strlen(begin), ",. ", -1);
    for (char **key = keys; *key; key++) {
        bool found = **key == '\0';

        ARRAY_FOREACH (word, words)
            found = found || g_str_equal(*word, *key);
        g_assert(found);
    }
}

static void call_check(const Call *call, sd_bus_message *reply)
{
    const sd_bus_error *e = sd_bus_message_get_error(reply);

    g_assert(reply);
    if (e) {
        call_check_words(e->message);
        g_assert(g_str_has_prefix(e->name, "org.taskschedd1.Error.") ||
                 g_str_has_prefix(e->name, "org.freedesktop.DBus.Error."));
        g_assert(e->message && *e->message && strlen(e->message) < 1024 * 1024);
        /* What libsystemd says cites what it was asked for as it is. */
        if (!g_str_has_prefix(e->name, ERROR_UNKNOWN_PREFIX))
            fuzz_check_lines(e->message);
        return;
    }
    g_assert(sd_bus_message_has_signature(reply, call->out) > 0);
    g_assert(sd_bus_message_skip(reply, call->out) >= 0 && sd_bus_message_at_end(reply, 1) > 0);
}

/* ------------------------------------------------------------------------------------------------------ */

static void call_again(void)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_again_call(), *reply = NULL;
    uint64_t cookie;

    if (m) {
        g_assert(sd_bus_send(world.client, m, &cookie) >= 0);
        reply = call_wait();
        g_assert(reply);
    }
    message_again_end();
}

/* While files in memory cannot grow. */
static sd_bus_message *call_wait_without_room(void)
{
    struct rlimit before, none;
    sd_bus_message *reply;

    g_assert(sd_bus_flush(world.client) >= 0 && getrlimit(RLIMIT_FSIZE, &before) == 0);
    none = (struct rlimit){ 0, before.rlim_max };
    g_assert(setrlimit(RLIMIT_FSIZE, &none) == 0);
    reply = call_wait();
    g_assert(setrlimit(RLIMIT_FSIZE, &before) == 0);
    return reply;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    Source s = { data, data + size };
    g_autofree char *path = NULL;
    const Call *call;
    uint8_t how;

    if (!world.client)
        world_make();
    message_again_begin(world.client);
    call = world_call((uint16_t)source_number(&s, 2));
    how = source_byte(&s);
    path = call_path(call->kind, &s);
    if (how & 1)
        call_send_raw(call, path, &s);
    else
        call_send(call, path, &s);
    reply = how < 0xf8 ? call_wait() : call_wait_without_room();
    call_check(call, reply);
    call_again();
    return 0;
}
