/* The helper that looks up the name of a host. It is a process of its own and may block; whoever asked ends it after a
 * while. */
#include "store/address.h"

#include <netdb.h>
#include <stdio.h>

int addresses_helper_main(int argc, char **argv)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    int r;

    if (argc != 1)
        return 2;
    r = getaddrinfo(argv[0], NULL, &hints, &list);
    if (r != 0) {
        fprintf(stderr, "taskschedd: %s: %s\n", argv[0], gai_strerror(r));
        return 1;
    }
    for (const struct addrinfo *i = list; i; i = i->ai_next) {
        char text[NI_MAXHOST];

        if (getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
            puts(text);
    }
    freeaddrinfo(list);
    return fflush(stdout) == 0 ? 0 : 1;
}
