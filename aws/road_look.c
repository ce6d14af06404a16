/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aws/road.h"
#include "common/io.h"

#define MAX_RANGES ((size_t)16 * 1024 * 1024)
#define MAX_ROUTES ((size_t)1024 * 1024)

/* Files of /proc have no size; without one: unknown. */
static int route(const char *path, int (*judge)(const char *))
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = -1;
    struct buf b;
    uint8_t *room;
    ssize_t n = -1;

    if (fd < 0) {
        return -1;
    }
    buf_init(&b, MAX_ROUTES);
    while (buf_reserve(&b, 4096, &room, NULL) == 0 && (n = read(fd, room, 4096)) > 0) {
        buf_commit(&b, (size_t)n);
    }
    if (n == 0 && buf_text(&b, NULL) != NULL) {
        rc = judge(buf_text(&b, NULL));
    }
    buf_clear(&b);
    close(fd);
    return rc;
}

static void resolve(struct road_facts *f)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    char name[ROAD_NAME];
    size_t n = strlen(f->host);

    /* An IPv6 address stands in brackets in a URL. */
    memcpy(name, f->host, n + 1);
    if (name[0] == '[' && n > 2) {
        memcpy(name, f->host + 1, n - 2);
        name[n - 2] = '\0';
    }
    if (getaddrinfo(name, NULL, &hints, &list) != 0) {
        return;
    }
    for (const struct addrinfo *i = list; i != NULL && f->n < ROAD_ADDRESSES; i = i->ai_next) {
        struct road_address *a = &f->addresses[f->n];

        a->family = i->ai_family;
        if (i->ai_family == AF_INET) {
            struct sockaddr_in in;

            memcpy(&in, i->ai_addr, sizeof in);
            memcpy(a->bytes, &in.sin_addr, 4);
            f->n++;
        } else if (i->ai_family == AF_INET6) {
            struct sockaddr_in6 in6;

            memcpy(&in6, i->ai_addr, sizeof in6);
            memcpy(a->bytes, &in6.sin6_addr, 16);
            f->n++;
        }
    }
    freeaddrinfo(list);
}

static bool has_proxy(void)
{
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);

        if (value != NULL && *value != '\0') {
            return true;
        }
    }
    return false;
}

static int ranges(struct road_facts *f, const char *path, struct error *err)
{
    struct buf b;
    int rc = -1;

    buf_init(&b, MAX_RANGES);
    if (io_read_file(AT_FDCWD, path, MAX_RANGES, &b, err) == 0) {
        rc = road_in_ranges((const char *)buf_data(&b), b.len, f->region, f->addresses, f->n, err);
    }
    if (rc < 0) {
        (void)err_wrap(err, "%s", path);
    } else {
        f->in_ranges = rc;
    }
    buf_clear(&b);
    return rc < 0 ? -1 : 0;
}

int road_look(struct road_facts *f, const char *ip_ranges, struct error *err)
{
    f->n = 0;
    f->in_ranges = -1;
    f->proxy = has_proxy();
    f->default4 = route("/proc/net/route", road_default4);
    f->default6 = route("/proc/net/ipv6_route", road_default6);
    resolve(f);
    return ip_ranges[0] == '\0' || f->n == 0 ? 0 : ranges(f, ip_ranges, err);
}
