/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/wire/pass.h"

#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASS_MOST 8 /* that there is room for; the kernel closes what has none */

union control {
    char bytes[CMSG_SPACE(PASS_MOST * sizeof(int))];
    struct cmsghdr align;
};

ssize_t pass_send(int sock, const void *bytes, size_t len, int fd)
{
    union control c;
    struct iovec v = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

    if (fd >= 0) {
        struct cmsghdr *h;

        memset(&c, 0, sizeof c);
        m.msg_control = c.bytes;
        m.msg_controllen = CMSG_SPACE(sizeof fd);
        h = CMSG_FIRSTHDR(&m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(h), &fd, sizeof fd);
    }
    return sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void take(const struct cmsghdr *h, int *fd)
{
    size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof *fd;

    for (size_t i = 0; i < n; i++) {
        int one;

        memcpy(&one, CMSG_DATA(h) + i * sizeof one, sizeof one);
        if (*fd < 0) {
            *fd = one;
        } else {
            close(one);
        }
    }
}

ssize_t pass_receive(int sock, void *to, size_t max, int flags, int *fd)
{
    union control c;
    struct iovec v = {.iov_base = to, .iov_len = max};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = c.bytes, .msg_controllen = sizeof c.bytes};
    ssize_t n = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);

    for (struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&m); h != NULL; h = CMSG_NXTHDR(&m, h)) {
        if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS) {
            take(h, fd);
        }
    }
    return n;
}

bool pass_gone(int sock)
{
    struct pollfd p = {.fd = sock, .events = POLLRDHUP};

    return poll(&p, 1, 0) > 0;
}
