/* Resolves the names below, and fails for an address without a route, without the machine's
 * resolver or network. LD_PRELOAD loads it into a command. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Represents an address without a route. It is on loopback, in case the check below misses it. */
#define UNROUTABLE 0x7ffffffeU

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    if (name && !strcmp(name, "unroutable.invalid"))
        return next("127.255.255.254", service, hints, found);
    if (name && !strcmp(name, "silent.invalid"))
        for (;;) pause();
    if (name && !strcmp(name, "unsure.invalid"))
        return EAI_AGAIN;
    if (name && strlen(name) > 8 && !strcmp(name + strlen(name) - 8, ".invalid"))
        return EAI_NONAME;
    return next(name, service, hints, found);
}

int connect(int socket, const struct sockaddr *address, socklen_t length) {
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    if (address->sa_family == AF_INET &&
        ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) == UNROUTABLE) {
        errno = EHOSTUNREACH;
        return -1;
    }
    return next(socket, address, length);
}
