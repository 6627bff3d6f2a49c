/* Fuzzes the settings of a run's unit: text up to the first '=' is the key, the rest the value. What is
 * judged good can be sent, what is not has a reason that is UTF-8 and leaves the message as it was. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "exec/properties.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sd_bus *bus_new(void)
{
    sd_bus *bus = NULL;
    int fds[2];

    /* The other end stays open, and silent, for as long as the program runs. */
    g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    g_assert(sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, fds[0], fds[0]) >= 0 && sd_bus_start(bus) >= 0);
    return bus;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sd_bus *bus;
    g_autofree char *key = g_strndup((const char *)data, size), *reason = NULL;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    char *value = strchr(key, '=');
    PropertyVerdict verdict;
    int r;

    if (!value)
        return -1;
    *value++ = 0;
    if (!bus)
        bus = bus_new();
    g_assert(sd_bus_message_new_method_call(bus, &m, "a.b", "/a", "a.b", "C") >= 0);
    g_assert(sd_bus_message_open_container(m, 'a', "(sv)") >= 0);
    verdict = properties_check(key, value, &reason);
    r = properties_append(m, key, value);
    g_assert((verdict == PROPERTY_OK) == (r == 0));
    g_assert((verdict == PROPERTY_OK) == !reason);
    g_assert(!reason || g_utf8_validate(reason, -1, NULL));
    g_assert(sd_bus_message_close_container(m) >= 0 && sd_bus_message_seal(m, 1, 0) >= 0);
    g_assert(r == 0 || sd_bus_message_is_empty(m) == 0);
    if (r < 0) {
        g_assert(sd_bus_message_enter_container(m, 'a', "(sv)") >= 0);
        g_assert(sd_bus_message_at_end(m, 0) > 0);
    }
    return 0;
}
